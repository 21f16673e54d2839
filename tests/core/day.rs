//! A day of use on the virtual clock: thousands of things happen, and afterwards nothing has grown, nothing is shown that is
//! not so, and nobody waits for an answer.

use std::collections::{BTreeMap, BTreeSet};

use palyra_tray::core::agent::sizes::Size;
use palyra_tray::core::companion::{Flag, Kind};
use palyra_tray::core::event::{Click, Companion, Desktop, Event, Ticket};
use palyra_tray::core::record::Record;
use palyra_tray::core::service::{Goal, Phase};
use palyra_tray::core::simulate::World;
use palyra_tray::core::time::Jitter;
use palyra_tray::core::ulid;
use palyra_tray::protocol::ask::{AskRequest, Message, To};
use palyra_tray::protocol::secrets::{SecretName, SecretsRequest};
use palyra_tray::protocol::setup::SetupRequest;
use palyra_tray::protocol::shim::ExitCause;
use palyra_tray::protocol::{Action, Decision, Place, Request, Scope, Secret, ServiceId, Verdict};

use super::started;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

struct Day {
    world: World,
    dice: Jitter,
    asked: BTreeSet<Ticket>,
    /// The most of each that there ever was.
    most: BTreeMap<&'static str, (usize, usize)>,
    /// The most that the whole agent took, as text, each hour.
    hours: Vec<usize>,
    approvals: u64,
    happened: BTreeMap<u64, u64>,
}

impl Day {
    fn new(seed: u64) -> Self {
        let mut world = started();
        world.asks.answer = Some("yes".to_owned());
        Self {
            world,
            dice: Jitter::new(seed),
            asked: BTreeSet::new(),
            most: BTreeMap::new(),
            hours: Vec::new(),
            approvals: 0,
            happened: BTreeMap::new(),
        }
    }

    fn dice(&mut self, below: u64) -> u64 {
        self.dice.between(0, below - 1)
    }

    fn service(&mut self) -> ServiceId {
        if self.dice(2) == 0 { ServiceId::Gateway } else { ServiceId::Browserd }
    }

    fn ask(&mut self, request: Request) {
        let ticket = 1_000 + self.asked.len() as Ticket;
        self.asked.insert(ticket);
        self.world.give(Event::Asked(ticket, request));
    }

    fn act(&mut self, action: Action) {
        if self.dice(2) == 0 {
            self.ask(Request::Act { action });
        } else {
            self.world.give(Event::Clicked(action, Click::Menu));
        }
    }

    fn any_approval(&mut self) -> String {
        let back = self.dice(20);
        format!("a{}", self.approvals.saturating_sub(back))
    }

    fn digest(&self, id: &str) -> String {
        let record = self.world.record(id).and_then(|raw| Record::from_value(raw.clone()).ok());
        record.map(|record| record.digest()).unwrap_or_default()
    }

    fn something_happens(&mut self) {
        let what = self.dice(42);
        *self.happened.entry(what).or_default() += 1;
        match what {
            0..=3 => {
                let service = self.service();
                let code = i32::try_from(self.dice(4)).unwrap();
                self.world.end(service, Some(ExitCause::Code { code }));
            }
            4 => {
                let service = self.service();
                self.world.end(service, None);
            }
            5 => {
                let service = self.service();
                let behaviour = self.world.behaviour.get_mut(&service).unwrap();
                behaviour.hangs = !behaviour.hangs;
            }
            6 => {
                let (service, bad) = (self.service(), self.dice(3));
                let behaviour = self.world.behaviour.get_mut(&service).unwrap();
                (behaviour.doomed, behaviour.offline) = (bad == 1, bad == 2);
            }
            7..=12 => {
                let many = if self.dice(10) == 0 { 30 } else { 1 };
                for _ in 0..many {
                    self.approvals += 1;
                    let risk = ["low", "medium", "high", "critical"][self.dice(4) as usize];
                    let timeout = 20 + self.dice(600);
                    self.world.ask(&format!("a{}", self.approvals), risk, timeout, "git push origin main");
                }
            }
            13..=15 => {
                let id = self.any_approval();
                let word = if self.dice(2) == 0 { "allow" } else { "deny" };
                self.world.decide_elsewhere(&id, word);
            }
            16..=18 => {
                let label = ["Approve once", "Deny", "Review…", "Abort run", "It was me", "Try again"];
                let at = self.dice(6) as usize;
                self.world.click(label[at]);
            }
            19 => {
                let approval_id = self.any_approval();
                let digest = self.digest(&approval_id);
                let verdict = if self.dice(2) == 0 { Verdict::Approve } else { Verdict::Deny };
                self.ask(Request::Decide(Decision {
                    approval_id,
                    digest,
                    verdict,
                    scope: Scope::Once,
                    ttl_ms: None,
                    reason: None,
                }));
            }
            20 => {
                let service = [None, Some(self.service())][self.dice(2) as usize];
                let start = self.dice(3);
                self.act(match start {
                    0 => Action::Stop { service },
                    1 => Action::Restart { service },
                    _ => Action::Start { service },
                });
            }
            21 => self.act(Action::Start { service: None }),
            22 => {
                let paused = self.dice(4) == 0;
                self.act(if paused { Action::PauseAgents } else { Action::ResumeAgents });
            }
            23 | 24 => {
                let locked = self.dice(2) == 0;
                self.world.give(Event::Locked(locked));
            }
            25 => {
                let text = ["version = 1", "x = = 1", "version = 1\n[daemon]\nport = 7300", "# a touch\nversion = 1"];
                let text = text[self.dice(4) as usize];
                self.world.write_config(Some(text));
            }
            26 => {
                let drafts = &self.world.agent.companion.profile().drafts;
                let draft_id = drafts.first().map(|draft| draft.id.clone());
                let random = u128::from(self.dice(u64::MAX));
                let message_id = ulid::encode(self.world.now.unix_ms, random);
                let message = Message { message_id, text: Secret::new("what about it?"), to: To::Active };
                let request = match (self.dice(4), draft_id) {
                    (0, Some(draft_id)) => AskRequest::DiscardDraft { draft_id },
                    (1, Some(draft_id)) => AskRequest::SendDraft { draft_id, new: false },
                    _ => AskRequest::Send(message),
                };
                self.ask(Request::Message(request));
            }
            27 => {
                let (long, ms) = (self.dice(5) == 0, self.dice(HOUR_MS));
                self.world.suspend(if long { ms } else { ms / 60 });
                self.world.give(Event::Wake);
            }
            28 => {
                let ms = self.dice(20_000);
                self.world.freeze(ms);
            }
            29 => {
                let disk = if self.dice(4) == 0 { Some("no space is left".to_owned()) } else { None };
                self.world.disk = disk;
            }
            30 => {
                let keys: Vec<_> = self.world.view().notices.keys().cloned().collect();
                if !keys.is_empty() {
                    let at = self.dice(keys.len() as u64) as usize;
                    self.world.give(Event::NoticeGone(keys[at].clone()));
                }
            }
            31 => {
                let request = match self.dice(7) {
                    0 => Request::Status,
                    1 => Request::Menu,
                    2 => Request::Approvals { all: false },
                    3 => Request::Approvals { all: true },
                    4 => Request::Approval { approval_id: self.any_approval() },
                    5 => Request::Setup(SetupRequest::Facts),
                    _ => Request::Activate,
                };
                self.ask(request);
            }
            32 => {
                let action = match self.dice(6) {
                    0 => Action::Open { place: Place::section("chat") },
                    1 => Action::StartAndOpen { place: Place::default() },
                    2 => Action::ShowLog { service: ServiceId::Gateway },
                    3 => Action::AbortRun { run_id: "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned() },
                    4 => Action::MarkRead,
                    _ => Action::SetFlag { flag: Flag::VoiceCaptureEnabled, enabled: self.dice(2) == 0 },
                };
                self.act(action);
            }
            33 => {
                let kept = &self.world.agent.companion.profile().notifications;
                if let Some(id) = kept.back().map(|one| one.id.clone()) {
                    self.act(Action::OpenRecent { id });
                }
            }
            34 => {
                let browser = self.dice(4) != 0;
                self.act(Action::SetBrowser { enabled: browser });
            }
            35 => {
                let names = vec![[SecretName::AdminToken, SecretName::BrowserToken][self.dice(2) as usize]];
                self.ask(Request::Secrets(SecretsRequest::Rotate { names, lose_profiles: false }));
            }
            36 => {
                let id = self.any_approval();
                self.world.give(Event::Closed(Companion::Review(id), Ok(())));
            }
            37 => {
                let kind = Kind::ALL[self.dice(Kind::ALL.len() as u64) as usize];
                let enabled = self.dice(4) != 0;
                self.act(Action::SetNotifications { kind, enabled });
            }
            38 => {
                let there = self.dice(4) != 0;
                let desktop = self.world.agent.desktop.clone();
                let dunst = started().agent.desktop.notifications;
                let notifications = if there { dunst } else { None };
                self.world.give(Event::Desktop(Desktop { notifications, ..desktop }));
            }
            39 => self.world.give(Event::OpenedTwice),
            _ => {
                let (session, run) = (self.dice(50), self.dice(1_000_000));
                let state = ["in_progress", "done", "failed", "cancelled"][self.dice(4) as usize];
                self.world.run(&format!("s{session}"), &format!("r{}", run / 300_000), state, 0);
            }
        }
    }

    /// Nothing has more than it may.
    fn check_sizes(&mut self) {
        for (name, size, most) in self.world.agent.sizes() {
            assert!(size <= most, "{name}: {size} of at most {most} at {} ms", self.world.now.mono_ms);
            let so_far = self.most.entry(name).or_insert((0, most));
            so_far.0 = so_far.0.max(size);
        }
        let hour = usize::try_from(self.world.now.mono_ms / HOUR_MS).unwrap();
        self.hours.resize(self.hours.len().max(hour + 1), 0);
        if self.dice(20) == 0 {
            self.hours[hour] = self.hours[hour].max(format!("{:?}", self.world.agent).len());
        }
    }

    /// What is shown is so, once there was a moment to hear of it.
    fn check_shown(&self) {
        let (world, agent) = (&self.world, &self.world.agent);
        let now = world.now.unix_ms;
        for key in world.view().notices.keys() {
            let fault = |why: &str| assert!(why.is_empty(), "{key} is shown, and {why} ({} ms)", world.now.mono_ms);
            if let Some(id) = key.strip_prefix("approval:") {
                let record = world.record(id).and_then(|raw| Record::from_value(raw.clone()).ok());
                match record {
                    None if agent.inbox.is_current() => fault("there is no such approval"),
                    Some(record) if agent.inbox.is_current() && !record.is_pending() => fault("it is decided"),
                    Some(record) if now >= record.expires_at_unix_ms() + 30_000 => fault("it has expired"),
                    Some(_) if agent.locked || agent.paused => fault("nobody is to be asked now"),
                    _ => {}
                }
            }
            let about: Vec<_> = key.split(':').collect();
            let service = ServiceId::ALL.into_iter().find(|id| about.get(1) == Some(&id.name()));
            match (service.map(|id| agent.fleet.get(id)), about.last().copied().unwrap_or_default()) {
                (Some(service), "down") if service.is_ready() => fault("it is ready"),
                (Some(service), "down" | "recovered") if service.goal == Goal::Down => fault("nobody wants it"),
                (Some(service), "recovered") if !service.is_ready() => fault("it is not ready"),
                (Some(service), "given_up") if service.phase != Phase::GivenUp => fault("it is tried"),
                (None, "config") if agent.config.trouble.is_empty() => fault("the config is right"),
                (None, "state") if agent.companion.saving.trouble().is_empty() => fault("the disk takes it"),
                (None, "pause") if !agent.paused => fault("nothing is paused"),
                (None, "away") if agent.locked => fault("the screen is locked"),
                (None, "locked") if !agent.locked => fault("the screen is not locked"),
                (None, "more") if agent.inbox.rest.is_empty() => fault("there are no more"),
                _ => {}
            }
            assert!(!agent.is_held_back(key), "{key} is shown on a locked screen");
        }
    }

    fn pass(&mut self, ms: u64) {
        self.world.pass(ms);
        // what the world itself keeps is not what this is about
        self.world.timeline.clear();
        self.world.saved.clear();
        self.world.forget_over();
    }

    fn begin(seed: u64, until_ms: u64) -> Self {
        let mut day = Self::new(seed);
        while day.world.now.mono_ms < until_ms {
            day.something_happens();
            day.check_sizes();
            let ms = day.dice(60_000);
            day.world.pass(1_500);
            day.check_shown();
            day.pass(ms);
            day.check_shown();
            day.check_sizes();
        }
        day
    }

    /// Everything is well again, and nothing happens for a while.
    fn end(&mut self) {
        for behaviour in self.world.behaviour.values_mut() {
            *behaviour = Default::default();
        }
        self.world.disk = None;
        self.world.write_config(Some("version = 1"));
        self.world.give(Event::Locked(false));
        self.ask(Request::Act { action: Action::ResumeAgents });
        self.ask(Request::Act { action: Action::SetBrowser { enabled: true } });
        self.ask(Request::Act { action: Action::SetFlag { flag: Flag::DesktopNotificationsEnabled, enabled: true } });
        for kind in Kind::ALL {
            self.ask(Request::Act { action: Action::SetNotifications { kind, enabled: true } });
        }
        self.pass(30_000);
        self.ask(Request::Act { action: Action::Start { service: None } });
        self.pass(HOUR_MS);
        self.check_shown();
        self.check_sizes();
    }

    fn check_answers(&self) {
        let mut answers: BTreeMap<Ticket, usize> = BTreeMap::new();
        for (ticket, _) in &self.world.replies {
            *answers.entry(*ticket).or_default() += 1;
        }
        let unanswered: Vec<_> = self.asked.iter().filter(|ticket| !answers.contains_key(ticket)).collect();
        assert!(unanswered.is_empty(), "no answer for {unanswered:?}");
        let twice: Vec<_> = answers.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "more than one answer: {twice:?}");
    }
}

fn named(sizes: &[Size], name: &str) -> usize {
    sizes.iter().filter(|(of, ..)| *of == name).map(|(_, size, _)| *size).sum()
}

#[test]
fn a_day_of_use_leaves_nothing_behind() {
    let mut day = Day::begin(7, DAY_MS);
    assert_eq!(day.world.faults, [""; 0]);
    let things: u64 = day.happened.values().sum();
    assert!(things > 2_000 && day.happened.len() == 42, "{things} of {} kinds", day.happened.len());
    // an hour in the evening takes no more than one in the morning
    let most = |hours: &[usize]| hours.iter().copied().max().unwrap_or_default();
    let (early, late) = (most(&day.hours[..8]), most(&day.hours[16..24]));
    assert!(late <= early + early / 4, "it grows: {early} characters, then {late}");

    day.end();
    assert_eq!(day.world.faults, [""; 0]);
    day.check_answers();
    let sizes = day.world.agent.sizes();
    for name in [
        "told",
        "promised answers",
        "waiting clients",
        "dashboards to open",
        "decisions under way",
        "messages under way",
    ] {
        assert_eq!(named(&sizes, name), 0, "{name}");
    }
    for name in ["approvals kept whole", "approvals counted", "settled during a look", "denied by the pause"] {
        assert_eq!(named(&sizes, name), 0, "{name}");
    }
    // only what nobody has answered yet
    let left: Vec<_> = day.world.view().notices.keys().filter(|key| !is_news(key)).collect();
    assert!(left.is_empty(), "{left:?}");
    // it was put to use
    for name in
        ["events", "kept notifications", "drafts", "waiting clients", "arrivals", "decisions under way", "sessions"]
    {
        assert!(day.most[name].0 > 0, "{name} was never more than none");
    }
}

/// It stays until the person puts it away: it was so, and may matter still.
fn is_news(key: &str) -> bool {
    ["elsewhere", "decision", "handoff", "away", "run", "draft", "gateway:recovered", "browserd:recovered"]
        .iter()
        .any(|about| key.strip_prefix("event:").is_some_and(|key| key.starts_with(about)))
}
