//! What happened: which of it is told, until when it is shown, and what is put together for whoever was away.

use std::collections::{BTreeMap, VecDeque};

use super::{Agent, EventNotice};
use crate::core::away::Away;
use crate::core::companion::Kind;
use crate::core::event::{Effect, Ticket};
use crate::core::outage::{Change, Outage};
use crate::core::ports::Ports;
use crate::core::remote::Remote;
use crate::core::service::{Goal, Phase};
use crate::core::sessions::{RunEnd, RunNews};
use crate::core::text;
use crate::core::time::{Now, earlier};
use crate::core::view::{Button, NoticeKey, Urgency};
use crate::protocol::{Action, Failure, FailureCode, Place, ServiceId};
use crate::words;

/// So many notifications about events are shown at once; of more the oldest go, and are among the recent ones. Servers show
/// some twenty, and hold back what comes then: an approval must not wait behind answers.
pub const MAX_SHOWN: usize = 12;
/// So many of them about runs, with their answers.
pub const MAX_RUNS_SHOWN: usize = 6;
/// With what the keys of those begin.
const RUN: &str = "event:run:";
/// What answers what a person has just done is withdrawn after this, milliseconds: nobody waits for it any more.
pub const ANSWER_SHOWN_MS: u64 = 600_000;
/// Key of the notification of what happened while the screen was locked.
pub const AWAY: &str = "event:away";
/// Key of the one about ports that are not the preferred ones.
pub(super) const PORTS: &str = "event:ports";
/// Key of the one about a dashboard that was not opened.
pub(super) const OPEN: &str = "event:open";

/// What the agent keeps for it.
#[derive(Clone, Debug, Default)]
pub struct Happened {
    outages: BTreeMap<ServiceId, Outage>,
    /// Since the screen was locked.
    away: Option<Away>,
    /// Approvals that had expired before that.
    expired_before: u32,
    /// It was unlocked, and that is still to be told.
    back: bool,
    /// The notifications about events that are shown, oldest first, and since when.
    shown: VecDeque<(NoticeKey, u64)>,
    /// The ports that were told to be others.
    moved: BTreeMap<ServiceId, Ports>,
    /// The gateway was ready when this was looked at last.
    was_ready: bool,
}

impl Happened {
    /// A notification is told anew: it counts from now on.
    pub(super) fn told(&mut self, key: &str) {
        self.shown.retain(|(shown, _)| shown != key);
    }

    /// Whether this one is down long enough to be told.
    pub(super) fn outage(&mut self, id: ServiceId) -> &mut Outage {
        self.outages.entry(id).or_default()
    }

    /// What happened while the screen is locked.
    pub(super) fn away(&mut self) -> Option<&mut Away> {
        self.away.as_mut()
    }

    /// How many there are of each: what is kept for the notifications.
    pub(super) fn sizes(&self) -> [super::sizes::Size; 4] {
        let restarts = self.away.as_ref().map_or(0, |away| away.restarts.len());
        [
            ("outages", self.outages.len(), ServiceId::ALL.len()),
            ("restarts while away", restarts, ServiceId::ALL.len()),
            ("shown", self.shown.len(), MAX_SHOWN),
            ("moved", self.moved.len(), ServiceId::ALL.len()),
        ]
    }
}

impl Agent {
    pub(super) fn set_locked(&mut self, locked: bool) {
        if locked && !self.locked {
            self.happened.away.get_or_insert_default();
            self.happened.expired_before = self.inbox.expired;
        }
        self.happened.back |= self.locked && !locked;
        self.locked = locked;
    }

    /// Whether a notification is for nobody but the person, who is not in front of a locked screen; or is told afterwards.
    pub fn is_held_back(&self, key: &str) -> bool {
        let begins = ["event:elsewhere:", "event:decision:", "event:run:", "event:draft:", AWAY];
        self.locked && (begins.iter().any(|about| key.starts_with(about)) || key.ends_with(":down"))
    }

    pub(super) fn settle_events(&mut self, now: Now) {
        if !self.settle_remote_outage(now) {
            for id in ServiceId::ALL {
                self.settle_outage(id, now);
            }
        }
        if std::mem::take(&mut self.happened.back)
            && let Some(mut away) = self.happened.away.take()
        {
            away.expired = self.inbox.expired - self.happened.expired_before;
            self.tell_away(away);
        }
        let ready = self.fleet.get(ServiceId::Gateway).is_ready();
        if ready && !std::mem::replace(&mut self.happened.was_ready, ready) {
            self.events.remove(OPEN); // what it was about can be had now
        }
        self.happened.was_ready = ready;
        self.sweep(now);
    }

    pub(super) fn events_deadline(&self) -> Option<u64> {
        let outages = self.happened.outages.values().filter_map(Outage::deadline).min();
        let answers = self.happened.shown.iter().filter(|(key, _)| is_answer(key));
        earlier(outages, answers.map(|(_, at)| at + ANSWER_SHOWN_MS).min())
    }

    fn settle_outage(&mut self, id: ServiceId, now: Now) {
        // a node host ends with the gateway's connection, and says itself when it needs a person
        let excused = id == ServiceId::NodeHost
            && (!self.fleet.get(ServiceId::Gateway).is_ready() || self.node.is_barred() || !self.node.is_idle());
        let outage = self.happened.outage(id);
        if excused {
            return outage.excuse();
        }
        let service = self.fleet.get(id);
        match outage.observe(service.goal, &service.phase, now) {
            None => {}
            Some(Change::Flapped) => self.count_restart(id),
            Some(Change::Down) => {
                let name = text::service(id);
                let body = text::down(self.fleet.get(id));
                let log =
                    Button { label: words::buttons::SHOW_LOG.to_owned(), action: Action::ShowLog { service: id } };
                self.tell(
                    &format!("event:{id}:down"),
                    (&words::notices::is_down(name), &body),
                    vec![log],
                    Urgency::Normal,
                );
            }
            Some(Change::Recovered(ms)) => {
                self.count_restart(id);
                let title = words::notices::is_back(text::service(id));
                let body = words::notices::it_was_down(text::duration(ms / 1_000));
                let mut buttons = vec![Button {
                    label: words::buttons::SHOW_LOG.to_owned(),
                    action: Action::ShowLog { service: id },
                }];
                if id == ServiceId::Gateway {
                    let action = Action::Open { place: Place::default() };
                    buttons.insert(0, Button { label: words::buttons::OPEN_DASHBOARD.to_owned(), action });
                }
                self.tell_or_count(&format!("event:{id}:recovered"), (&title, &body), buttons, Urgency::Low);
            }
        }
    }

    pub(super) fn count_denied(&mut self) {
        if let Some(away) = self.happened.away() {
            away.denied += 1;
        }
    }

    fn count_restart(&mut self, id: ServiceId) {
        if let Some(away) = self.happened.away() {
            *away.restarts.entry(id).or_default() += 1;
        }
    }

    /// Tells what is over; while nobody is there it is only kept, and told together with the rest.
    pub(super) fn tell_or_count(
        &mut self,
        key: &str,
        (title, body): (&str, &str),
        buttons: Vec<Button>,
        urgency: Urgency,
    ) {
        self.tell(key, (title, body), buttons, urgency);
        if self.happened.away.is_some() {
            self.events.remove(key);
        }
    }

    fn tell_away(&mut self, mut away: Away) {
        // what nobody wants to hear of singly is not told in a sum either
        let silent = |kind| self.setup.silent.contains(&kind);
        if silent(Kind::Service) {
            away.restarts.clear();
        }
        if silent(Kind::Run) {
            (away.runs_finished, away.runs_failed) = (0, 0);
        }
        if silent(Kind::Approval) {
            (away.denied, away.expired) = (0, 0);
        }
        let body = away.words();
        if !body.is_empty() {
            let open = Button {
                label: words::buttons::OPEN_DASHBOARD.to_owned(),
                action: Action::Open { place: Place::default() },
            };
            self.tell(AWAY, (words::notices::WHILE_SCREEN_WAS_LOCKED, &body), vec![open], Urgency::Normal);
        }
    }

    /// What became of runs. One that waits is told by the approval that it waits for, and the answer to a message from here by
    /// itself.
    pub(super) fn run_news(&mut self, news: Vec<RunNews>) {
        for one in news {
            let RunNews::Finished { run, end } = one else { continue };
            // there is nothing to abort any more
            let abort = Action::AbortRun { run_id: run.run_id.clone() };
            self.events.retain(|_, told| told.buttons.iter().all(|button| button.action != abort));
            let ours = self.asks.is_ours(&run.run_id)
                || self.companion.profile().latest_run.as_ref().is_some_and(|latest| latest.run_id == run.run_id);
            if ours {
                continue;
            }
            let (title, urgency) = match end {
                RunEnd::Failed => (words::notices::RUN_FAILED, Urgency::Normal),
                RunEnd::Cancelled => (words::notices::RUN_WAS_ENDED, Urgency::Low),
                RunEnd::Done | RunEnd::Unknown => (words::notices::RUN_FINISHED, Urgency::Low),
            };
            if let Some(away) = self.happened.away() {
                let count = if end == RunEnd::Failed { &mut away.runs_failed } else { &mut away.runs_finished };
                *count += 1;
            }
            let place = Place::run(Some(run.session_id), &run.run_id);
            let open = Button { label: words::common::OPEN_CHAT.to_owned(), action: Action::Open { place } };
            self.tell_or_count(&format!("event:run:{}", run.run_id), (title, &run.title), vec![open], urgency);
        }
    }

    /// Takes back what is no longer so.
    fn sweep(&mut self, now: Now) {
        let events = std::mem::take(&mut self.events);
        let mut shown = std::mem::take(&mut self.happened.shown);
        shown.retain(|(key, _)| events.contains_key(key));
        for key in events.keys() {
            if !shown.iter().any(|(known, _)| known == key) {
                shown.push_back((key.clone(), now.mono_ms));
            }
        }
        shown.retain(|(key, since)| self.holds(key, *since, now));
        let about_runs = |(key, _): &&(NoticeKey, u64)| key.starts_with(RUN);
        for _ in MAX_RUNS_SHOWN..shown.iter().filter(about_runs).count() {
            let oldest = shown.iter().position(|one| about_runs(&one));
            oldest.map(|at| shown.remove(at));
        }
        while shown.len() > MAX_SHOWN {
            // what still stands as it was told is not put away for what is only news
            let news = shown.iter().position(|(key, _)| !self.is_standing(key)).unwrap_or(0);
            shown.remove(news);
        }
        self.events = events.into_iter().filter(|(key, _)| shown.iter().any(|(shown, _)| shown == key)).collect();
        self.happened.shown = shown;
    }

    /// What it tells is still so.
    fn holds(&self, key: &str, since: u64, now: Now) -> bool {
        if is_answer(key) && now.mono_ms >= since + ANSWER_SHOWN_MS {
            return false;
        }
        let about = key.strip_prefix("event:").unwrap_or(key);
        if let Some((service, what)) = about.split_once(':')
            && let Some(id) = ServiceId::ALL.into_iter().find(|id| id.name() == service)
        {
            let service = self.fleet.get(id);
            return match what {
                "down" => self.happened.outages.get(&id).is_some_and(Outage::is_down),
                "recovered" => service.goal == Goal::Up && service.is_ready(),
                "given_up" => service.phase == Phase::GivenUp,
                _ => true,
            };
        }
        match about {
            "remote:down" => self.happened.outages.values().any(Outage::is_down),
            "remote:recovered" => self.remote.as_ref().is_some_and(Remote::is_connected),
            "flood" => self.is_flooded(now) || self.inbox.waiting() > 0,
            "ports" => self.happened.moved.iter().all(|(id, ports)| self.fleet.get(*id).ports == *ports),
            _ => true,
        }
    }

    /// It asks for something to be done, or is withdrawn by itself when it is over.
    fn is_standing(&self, key: &str) -> bool {
        !["event:elsewhere:", "event:decision:", RUN].iter().any(|it| key.starts_with(it)) && !is_answer(key)
    }

    /// Palyra listens elsewhere than it would like to.
    pub(super) fn tell_moved(&mut self, note: &str) {
        self.happened.moved = self.ports();
        let place = Place::section("config");
        let mut buttons =
            vec![Button { label: words::notices::OPEN_CONFIG.to_owned(), action: Action::Open { place } }];
        if ServiceId::ALL.into_iter().any(|id| self.unwritten_ports(id).is_some()) {
            let action = Action::WritePorts { service: None };
            buttons.insert(0, Button { label: words::settings::WRITE_PORTS.to_owned(), action });
        }
        self.tell(PORTS, (words::notices::PALYRA_USES_OTHER_PORTS, note), buttons, Urgency::Low);
    }

    /// Shows what a kept event is about, and marks it as read.
    pub(super) fn open_recent(&mut self, ticket: Option<Ticket>, id: &str, now: Now, effects: &mut Vec<Effect>) {
        let kept = &self.companion.profile().notifications;
        let Some(one) = kept.iter().find(|one| one.id == id) else {
            let failure = Failure::new(
                FailureCode::Refused,
                words::notices::THIS_EVENT_IS_NOT_KEPT_ANY,
                words::notices::SEE_WHAT,
            );
            return self.fail(ticket, failure, effects);
        };
        let action = one.action.as_ref().and_then(shows);
        self.companion.mark_read(Some(id));
        match action {
            Some(action) => self.act(ticket, action, now, effects),
            None => self.done_when_kept(ticket, words::notices::THERE_IS_NOTHING_TO_OPEN),
        }
    }

    pub(super) fn mark_read(&mut self, ticket: Option<Ticket>, effects: &mut Vec<Effect>) {
        match self.companion.mark_read(None) {
            0 => self.done(ticket, words::notices::NOTHING_IS_UNREAD, effects),
            1 => self.done_when_kept(ticket, words::notices::EVENT_IS_MARKED_AS_READ),
            count => self.done_when_kept(ticket, &words::notices::events_are_marked_as_read(count)),
        }
    }
}

/// It answers what a person has just done: it says how things stood then.
fn is_answer(key: &str) -> bool {
    super::companion::kind(key).is_none()
}

/// The action of a kept event: the first button that shows something.
pub(super) fn shown_by(notice: &EventNotice) -> Option<Action> {
    let actions = || notice.buttons.iter().map(|button| &button.action);
    actions().find(|action| shows(action).as_ref() == Some(*action)).cloned().or_else(|| actions().find_map(shows))
}

/// What a row in the list of recent events does for this action: it shows what the action is about, and does nothing else.
/// Any program can click a menu, and what was right to do then may not be now. Absent: there is nothing to show.
pub fn shows(action: &Action) -> Option<Action> {
    match action {
        Action::Open { .. }
        | Action::Review { .. }
        | Action::ShowLog { .. }
        | Action::ShowBundles
        | Action::ContinueSetup
        | Action::RunChecks
        | Action::About
        | Action::Ask { .. }
        | Action::OpenDraft { .. }
        | Action::NodeDialog { .. } => Some(action.clone()),
        Action::SendDraft { draft_id } => Some(Action::OpenDraft { draft_id: draft_id.clone() }),
        Action::AbortRun { run_id } => Some(Action::Open { place: Place::run(None, run_id) }),
        Action::StartAndOpen { place } => Some(Action::Open { place: place.clone() }),
        Action::Start { service: Some(id) } | Action::Restart { service: Some(id) } => {
            Some(Action::ShowLog { service: *id })
        }
        _ => None,
    }
}
