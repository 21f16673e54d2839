//! The agent: what it knows, and what it does about an event.
//!
//! [`Agent::update`] takes one [`Event`] and answers with [`Effect`]s; [`Agent::deadline`] says when it next wants
//! [`Event::Wake`]. Nothing in here reads a clock, touches a file or talks to anybody.

pub mod ask;
mod companion;
mod config;
mod deciding;
pub mod events;
mod hide;
mod node;
pub mod preferences;
mod profiles;
mod remote;
mod requests;
mod reviews;
mod secrets;
mod set_up;
mod sidecars;
pub mod sizes;
mod support;
mod survey;
mod telemetry;
mod waiters;
mod watch;

pub use reviews::FOLLOW_MS;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::core::ask::Asks;
use crate::core::companion::{self as remembered, Kind};
use crate::core::config_watch::ConfigWatch;
use crate::core::decisions::Decisions;
use crate::core::event::{Companion, Desktop, Effect, Event, Facts, Profile, RemoteNews, Secrets, Setup};
use crate::core::fleet::Fleet;
use crate::core::inbox::{Inbox, Watch};
use crate::core::node::Node;
use crate::core::notices;
use crate::core::ports::Ports;
use crate::core::record;
use crate::core::redact::Redactor;
use crate::core::remote::Remote;
use crate::core::secrets::Rotation;
use crate::core::service::{Goal, Phase};
use crate::core::survey::Survey;
use crate::core::telemetry::Telemetry;
use crate::core::text;
use crate::core::time::{Jitter, Now};
use crate::core::view::{Base, Button, NoticeKey, Urgency};

use crate::core::snapshot;
use crate::protocol::setup::Reached;
use crate::protocol::shim::LogLoss;
use crate::protocol::{Action, Place, Reply, ServiceId};
use crate::words;
use waiters::{Waiter, WaitingOpen};

/// Key of the notice that a window of ours did not open, or went away.
const COMPANION: &str = "event:companion";
/// With what the key of each notification begins that says that the agent runs.
const ACTIVATED: &str = "event:activated:";
/// Key of the one about the folder that is gone.
const REMOVED: &str = "event:removed";
/// Key of the one about its own start.
const STARTED: &str = "event:activated:start";
/// When nothing but routine happened for so long, the last work is over and memory is given back, milliseconds.
pub const QUIET_MS: u64 = 5_000;
/// Memory is given back after so much work all the same, milliseconds: on a busy day nothing is ever quiet, and what stays
/// between what came and went is more the longer that goes on.
pub const WORKED_MS: u64 = 20_000;
/// A client waits this long for a start, stop or restart, milliseconds.
pub const WAIT_MS: u64 = 90_000;
/// A decision under way holds up the end for this long at most, milliseconds.
pub const LEAVE_MS: u64 = 5_000;
/// An end that takes longer than this is cut short, milliseconds: the shims finish their ladders by themselves.
pub const QUIT_MS: u64 = 15_000;

/// A notification about something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventNotice {
    /// One line.
    pub title: String,
    /// What and what to do.
    pub body: String,
    /// For servers that show them.
    pub buttons: Vec<Button>,
    /// How hard it asks.
    pub urgency: Urgency,
}

/// All that is known.
#[derive(Clone, Debug)]
pub struct Agent {
    /// What it was started with; `browser` and `ports` follow the person and the machine.
    pub setup: Setup,
    /// When.
    pub started: Now,
    /// The sidecars.
    pub fleet: Fleet,
    /// Where the secrets stand.
    pub secrets: Secrets,
    /// New secrets on their way to who uses them.
    pub rotation: Rotation,
    /// The sidecars' config file.
    pub config: ConfigWatch,
    /// What the ready gateway said.
    pub gateway: Option<(Facts, Now)>,
    /// What waits for a person.
    pub inbox: Inbox,
    /// What the gateway tells only when asked.
    pub survey: Survey,
    /// The profile that the gateway says to run in, and when it said so.
    pub profile: Option<(Profile, Now)>,
    reports: Vec<survey::Report>,
    /// Decisions under way.
    pub decisions: Decisions,
    /// The node host's enrolment.
    pub node: Node,
    /// Messages to Palyra under way.
    pub asks: Asks,
    /// Dialogs about them that are open, and the support bundle that is being made.
    pub asking: BTreeSet<Companion>,
    /// What is remembered about the person; see the head of its module.
    pub companion: remembered::Companion,
    /// Told since it was kept last.
    told: Vec<(Kind, EventNotice)>,
    happened: events::Happened,
    switching: profiles::Switching,
    /// The gateway elsewhere, in a remote profile.
    pub remote: Option<Remote>,
    /// When to look at the preferences.
    settings_due: Option<u64>,
    /// It starts at login; absent: not known.
    pub autostart: Option<bool>,
    /// What it is being switched to.
    pub autostart_asked: Option<bool>,
    /// What can be seen of the desktop.
    pub desktop: Desktop,
    /// Log lines that living runs have lost.
    pub log_losses: BTreeMap<ServiceId, LogLoss>,
    /// This folder of ours was removed since the gateway started.
    pub removed: Option<String>,
    /// Told until put away or no longer so.
    pub events: BTreeMap<NoticeKey, EventNotice>,
    /// Being ended: until when, and whether the end has been ordered.
    pub quitting: Option<u64>,
    /// gRPC port of browserd that the running gateway was told.
    told_browser_port: Option<u16>,
    /// A person could see that it runs, by the icon or by a notification.
    seen_running: bool,
    waiters: Vec<Waiter>,
    opens: Vec<WaitingOpen>,
    /// Until when to wait with an end that leaves the sidecars running.
    leaving: Option<u64>,
    had_secrets: bool,
    /// Where the set-up stands.
    pub reached: Reached,
    /// The set-up still has to be opened by itself.
    open_set_up: bool,
    /// The screen is locked: who is in front of it may be anybody.
    pub locked: bool,
    /// All agents are paused: everything is denied.
    pub paused: bool,
    watched: watch::Watched,
    telemetry: Telemetry,
    /// What must not be shown.
    known: Arc<Redactor>,
    /// Approvals whose review is open; empty: the list.
    reviewing: BTreeSet<String>,
    followers: Vec<reviews::Follower>,
    /// When more than routine happened first and last since memory was given back, on the monotonic clock.
    stirred: Option<(u64, u64)>,
    exited: bool,
}

impl Agent {
    /// Knows nothing yet: every run directory, the secrets and the desktop are still to be reported.
    pub fn new(mut setup: Setup, now: Now) -> Self {
        let mut fleet = Fleet::new(setup.seed);
        for id in ServiceId::ALL {
            let service = fleet.get_mut(id);
            if let Some(ports) = setup.state.ports.get(&id) {
                service.ports.clone_from(ports);
            }
        }
        let (state, read_only) = (std::mem::take(&mut setup.state), setup.state_read_only.take());
        let mut agent = Self {
            started: now,
            asks: Asks::default(),
            asking: BTreeSet::new(),
            companion: remembered::Companion::new(state, read_only, setup.seed),
            told: Vec::new(),
            happened: events::Happened::default(),
            switching: profiles::Switching::default(),
            remote: setup.profile.remote.then(|| Remote::new(Jitter::new(setup.seed), now)),
            settings_due: None,
            fleet,
            secrets: Secrets::Unknown,
            rotation: Rotation::default(),
            config: ConfigWatch::default(),
            gateway: None,
            inbox: Inbox::default(),
            survey: Survey::default(),
            profile: None,
            reports: Vec::new(),
            decisions: Decisions::default(),
            node: Node::new(&setup.node, setup.seed),
            autostart: None,
            autostart_asked: None,
            desktop: Desktop { tray: words::agent::NOT_LOOKED_FOR_YET.to_owned(), ..Desktop::default() },
            log_losses: BTreeMap::new(),
            removed: None,
            events: BTreeMap::new(),
            quitting: None,
            told_browser_port: None,
            seen_running: false,
            waiters: Vec::new(),
            opens: Vec::new(),
            leaving: None,
            had_secrets: false,
            reached: setup.reached.clone(),
            open_set_up: setup.first_run,
            locked: false,
            // agents of another machine are paused there
            paused: setup.paused && !setup.profile.remote,
            watched: watch::Watched::default(),
            telemetry: Telemetry::default(),
            known: Arc::default(),
            reviewing: BTreeSet::new(),
            followers: Vec::new(),
            stirred: Some((now.mono_ms, now.mono_ms)),
            exited: false,
            setup,
        };
        agent.restore_asks(now);
        agent.config.look_now(now.mono_ms);
        agent.take_up_earlier(now);
        if !agent.take_up_switch(now) && agent.setup.start && !agent.setup.first_run {
            agent.want_all(Goal::Up);
        }
        agent
    }

    /// Takes in one event; says what to do about it.
    pub fn update(&mut self, event: Event, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        let woken = matches!(event, Event::Wake);
        // all that an idle Palyra brings by itself: its journal rings only when somebody is at work
        let routine =
            matches!(event, Event::Wake | Event::Probed(..) | Event::Looked(..) | Event::Remote(RemoteNews::Looked(_)));
        let waited = self.inbox.waiting();
        self.take(event, now, &mut effects);
        self.settle(now, &mut effects);
        self.usage_of_windows(&mut effects);
        // an approval that expires is withdrawn from all that shows it
        if !routine || self.inbox.waiting() != waited {
            self.stirred = Some((self.stirred.map_or(now.mono_ms, |(first, _)| first), now.mono_ms));
        }
        // no wake-up is asked for it: a probe comes soon enough
        let enough = |(first, last): (u64, u64)| now.mono_ms >= (last + QUIET_MS).min(first + WORKED_MS);
        if woken && self.stirred.is_some_and(enough) {
            self.stirred = None;
            effects.push(Effect::GiveBack);
        }
        effects
    }

    /// When [`Event::Wake`] is wanted, on the monotonic clock.
    pub fn deadline(&self) -> Option<u64> {
        let waits =
            self.waiters.iter().map(|waiter| waiter.deadline).chain(self.opens.iter().map(|open| open.deadline));
        let always = [
            waits.min(),
            self.quitting,
            self.leaving,
            self.survey_deadline(),
            self.asks.deadline(),
            self.node.deadline(),
            self.companion.saving.deadline(),
            self.follow_deadline(),
            self.remote_deadline(),
            self.fleet.deadline(),
            self.inbox.deadline(),
        ];
        let ending = self.is_ending();
        let unless_ending =
            [self.config.deadline(), self.settings_due, self.events_deadline(), self.switching.deadline()];
        let unless_ending = unless_ending.into_iter().filter(|_| !ending);
        always.into_iter().chain(unless_ending).flatten().min()
    }

    /// It was asked to end, with what it keeps running or without.
    const fn is_ending(&self) -> bool {
        self.quitting.is_some() || self.leaving.is_some()
    }

    /// What every service listens on, or would like to.
    pub fn ports(&self) -> BTreeMap<ServiceId, Ports> {
        self.fleet.iter().map(|service| (service.id, service.ports.clone())).collect()
    }

    /// The sidecars that belong to "all", in start order.
    pub fn enabled(&self) -> Vec<ServiceId> {
        ServiceId::ALL
            .into_iter()
            .filter(|id| match id {
                ServiceId::Gateway => true,
                ServiceId::Browserd => self.setup.browser,
                ServiceId::NodeHost => self.setup.node_host,
            })
            .collect()
    }

    /// Where the dashboard is, once the gateway is ready.
    pub fn dashboard_port(&self) -> Option<u16> {
        let gateway = self.fleet.get(ServiceId::Gateway);
        if gateway.is_ready() { gateway.ports.get("http").copied() } else { None }
    }

    fn take(&mut self, event: Event, now: Now, effects: &mut Vec<Effect>) {
        let mut orders = Vec::new();
        match event {
            Event::Wake => {}
            Event::Found(id, found) => self.found(id, found, now, effects),
            Event::PortsChosen { ports, note, config: (service, facts) } => {
                self.config.told(service, *facts, now.mono_ms);
                self.ports_chosen(ports, &note, effects);
            }
            Event::Running(id, record) => {
                if id == ServiceId::Gateway {
                    // it has made what it needs anew
                    self.removed = None;
                    self.events.remove(REMOVED);
                }
                self.fleet.get_mut(id).running(record, now, &mut orders);
                self.perform(id, orders, effects);
            }
            Event::Busy(id, run) => {
                self.gateway_over(id, &run, now, effects);
                self.fleet.get_mut(id).busy(&run, &mut orders);
                self.perform(id, orders, effects);
            }
            Event::Seen(id, run, evidence) => self.fleet.get_mut(id).seen(&run, evidence),
            Event::StartFailed { service, run, cause } => {
                self.gateway_over(service, &run, now, effects);
                let (sidecar, jitter) = self.fleet.split(service);
                sidecar.start_failed(&run, cause, jitter, now, &mut orders);
                self.perform(service, orders, effects);
            }
            Event::Ended(id, run, exit) => {
                self.gateway_over(id, &run, now, effects);
                if id == ServiceId::NodeHost {
                    self.node.host_ended(exit.as_ref());
                    if !self.fleet.get(ServiceId::Gateway).is_ready() {
                        // it ends with its connection
                        self.fleet.get_mut(id).excuse(&run);
                    }
                }
                let (sidecar, jitter) = self.fleet.split(id);
                sidecar.ended(&run, exit.as_ref(), jitter, now, &mut orders);
                self.perform(id, orders, effects);
            }
            Event::Probed(id, run, outcome) => self.probed(id, &run, outcome, now, effects),
            Event::Secrets(secrets) => self.secrets = secrets,
            Event::Known(known) => self.known = known,
            Event::Rang => {
                self.inbox.ring(now);
                self.survey.ring(now);
            }
            Event::Surveyed(round, mut answer) => {
                self.hide_in_answer(&mut answer);
                let news = self.survey.answered(round, answer, now);
                self.run_news(news);
            }
            Event::Copied(ticket, outcome) => self.copied(ticket, outcome, effects),
            Event::Rotated(ticket, rotated) => self.rotated(ticket, rotated, now, effects),
            Event::SecretsLooked(ticket, look) => self.secrets_looked(ticket, &look, now, effects),
            // of a gateway that is gone by now
            Event::Watching(_) if !self.inbox.is_open() => {}
            Event::Watching(watching) => {
                self.inbox.watch = if watching { Watch::Doorbell } else { Watch::Polling };
                self.inbox.ring(now);
            }
            Event::Looked(round, outcome) => {
                if outcome.is_err() {
                    self.fleet.get_mut(ServiceId::Gateway).probe_soon(now);
                }
                if let Some(news) = self.inbox.looked(round, outcome, now) {
                    self.heard(news, now);
                }
            }
            Event::RecordRead(id, answer) => {
                if let Ok(record) = &answer
                    && record.decision == Some(record::Decision::Allow)
                {
                    self.heard_allowed(record, false);
                }
                self.decided(now, effects, |d, orders| d.read(&id, answer, now, orders));
            }
            Event::Recorded(id, outcome) if self.node_recorded(&id, &outcome, now, effects) => {}
            Event::Recorded(id, outcome) => {
                let paused = self.paused;
                self.decided(now, effects, |d, orders| d.recorded(&id, outcome, paused, now, orders));
            }
            Event::Sent(id, answer) => {
                match &answer {
                    Ok(record) if record.decision == Some(record::Decision::Allow) => {
                        self.inbox.heard.allowed(record); // by us
                    }
                    Err(lost) if !lost.may_have_acted => self.inbox.heard.forget(&id),
                    _ => {}
                }
                self.decided(now, effects, |d, orders| d.sent(&id, answer, now, orders));
            }
            Event::RecordShown(ticket, answer) => effects.push(Effect::Reply(
                ticket,
                match answer {
                    Ok(record) => Reply::Data(snapshot::record(&record, now)),
                    Err(lost) => Reply::Error(requests::unanswered(&lost)),
                },
            )),
            Event::RecordsListed(ticket, all, answer) => effects.push(Effect::Reply(
                ticket,
                match answer {
                    Ok(records) if all => Reply::Data(snapshot::records(&records, now)),
                    Ok(records) => Reply::Data(snapshot::waiting(&self.inbox, records, now)),
                    Err(lost) => Reply::Error(requests::unanswered(&lost)),
                },
            )),
            Event::Opened(ticket, outcome) => self.opened(ticket, outcome, effects),
            Event::SetUp(ticket, outcome) => self.was_set_up(ticket, outcome, now, effects),
            Event::Closed(companion, outcome) => {
                if let Companion::Review(id) = &companion {
                    self.reviewing.remove(id);
                }
                self.asking.remove(&companion);
                let Err(trouble) = outcome else { return };
                let (title, body) = text::companion_failed(&companion, &trouble);
                self.tell(COMPANION, (title, &body), Vec::new(), Urgency::Normal);
            }
            Event::PalyraExported(ticket, export) => self.palyra_exported(ticket, export, effects),
            Event::UsageTold => self.telemetry.over(),
            Event::RunsAborted(outcome) => self.runs_aborted(outcome),
            Event::RunAborted(ticket, run_id, outcome) => self.run_aborted(ticket, run_id, outcome, effects),
            Event::LogNotShown(why) => {
                self.tell(
                    "event:log",
                    (words::agent::FILE_COULD_NOT_BE_SHOWN, &text::sentence(&why)),
                    Vec::new(),
                    Urgency::Normal,
                );
            }
            Event::ConfigRang => {
                self.config.ring(now.mono_ms);
                self.ask_remote(now);
            }
            Event::ConfigLooked(look) => self.config_looked(look, now),
            Event::PortsWritten(ticket, outcome) => self.ports_written(ticket, outcome, effects),
            Event::Node(event) => self.node_told(event, now, effects),
            Event::Ask(event) => self.ask_told(event, now, effects),
            Event::ClientGone(ticket) => {
                self.asks.forget(ticket);
                let mut orders = Vec::new();
                self.node.cancel(ticket, now, &mut orders);
                self.node_orders(orders, effects);
            }
            Event::Profiles(news) => self.profiles_looked(news, now, effects),
            Event::Remote(news) => self.remote_told(news, now, effects),
            Event::StateSaved(outcome) => self.state_saved(outcome, now),
            Event::EarlierSecrets(taken, left) => self.earlier_secrets(taken, left, now),
            Event::SettingsRang => self.settings_due = Some(now.mono_ms + preferences::SETTLE_MS),
            Event::SettingsRead(settings, warnings) => self.settings_read(&settings, warnings, now, effects),
            Event::NotSaved(why) => {
                if !self.setup.warnings.contains(&why) {
                    self.setup.warnings.push(why);
                }
            }
            Event::LogLosses(losses) => self.log_losses = losses,
            Event::FolderRemoved(folder) => {
                let body = text::sentence(&text::removed(&folder));
                self.tell(REMOVED, (words::alarms::PALYRAS_FOLDER_WAS_REMOVED, &body), Vec::new(), Urgency::Normal);
                self.removed = Some(folder);
            }
            Event::OpenedTwice => {
                self.tell("event:handoff", text::HANDOFF_TWICE, Vec::new(), Urgency::Normal);
            }
            Event::Autostart(on) => self.autostart = on,
            Event::AutostartSet(ticket, outcome) => self.autostart_set(ticket, outcome, effects),
            Event::Desktop(desktop) => self.desktop = desktop,
            Event::Locked(locked) => self.set_locked(locked),
            Event::Clicked(action, click) => self.clicked(action, click, now, effects),
            Event::NoticeGone(key) => {
                self.events.remove(&key);
            }
            Event::IconClicked => {
                let section = if self.inbox.waiting() == 0 { "overview" } else { "approvals" };
                self.open(None, Place::section(section), now, effects);
            }
            Event::Asked(ticket, request) => self.asked(ticket, request, now, effects),
            Event::Shutdown => self.quit(false, now),
        }
    }

    /// Everything that follows from the state, after every event.
    fn settle(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if std::mem::take(&mut self.open_set_up) {
            effects.push(Effect::Open(Companion::SetUp));
        }
        let has_secrets = matches!(self.secrets, Secrets::Ready { .. });
        self.had_secrets |= has_secrets;
        self.fleet.get_mut(ServiceId::Gateway).hold(!self.had_secrets, now);
        if self.quitting.is_some() {
            // whatever was asked meanwhile
            self.want_none();
        }
        self.settle_remote(now, effects);
        self.settle_switch(now, effects);
        self.settle_rotation(effects);
        self.settle_config(now, effects);
        self.settle_settings(now, effects);
        self.settle_node(now, effects);
        let may_launch = has_secrets && self.quitting.is_none();
        for (id, order) in self.fleet.step(may_launch, self.node.may_run(now), now) {
            self.perform(id, vec![order], effects);
        }
        let ready = self.fleet.get(ServiceId::Gateway).is_ready();
        if !ready
            && self.inbox.is_open()
            && !matches!(self.fleet.get(ServiceId::Gateway).phase, Phase::Unhealthy { .. })
        {
            self.inbox.close();
            self.survey.close();
            self.gateway = None;
            effects.push(Effect::WatchJournal(None));
        }
        self.settle_seen(now);
        self.settle_paused(now, effects);
        if let Some(order) = self.inbox.step(now) {
            effects.push(Effect::Look(order));
        }
        self.settle_survey(now, effects);
        self.settle_opens(now, effects);
        self.settle_waiters(now, effects);
        self.settle_followers(now, effects);
        self.settle_asks(now, effects);
        self.settle_events(now);
        self.settle_companion(now, effects);
        let idle = self.decisions.is_idle() && self.node.is_idle() && self.is_kept() && self.asks.is_kept();
        if let Some(deadline) = self.leaving
            && !self.exited
            && (idle || now.mono_ms >= deadline)
        {
            self.exited = true;
            effects.push(Effect::Exit { sidecars_left: true });
        }
        if let Some(deadline) = self.quitting
            && !self.exited
            && ((self.fleet.all_down() && idle) || now.mono_ms >= deadline)
        {
            self.exited = true;
            // what waited for another's end is asked now: its shim brings it to its own
            for service in self.fleet.iter() {
                if let Some(record) = service.run.as_ref().and_then(|run| run.record.clone()) {
                    effects.push(Effect::Stop(service.id, record));
                }
            }
            effects.push(Effect::Exit { sidecars_left: false });
        }
    }

    /// A start never looks like nothing happened: what the icon would show is told where there is none.
    fn settle_seen(&mut self, now: Now) {
        let Desktop { tray_present, tray_missing, .. } = self.desktop;
        if tray_present {
            self.events.remove(STARTED); // its host came late
        }
        let under_way =
            crate::core::health::base(self) == Base::Starting && !matches!(self.secrets, Secrets::Waiting(_));
        if self.seen_running || under_way {
            return;
        }
        self.seen_running = tray_present || tray_missing;
        if tray_missing {
            self.tell_running(STARTED, now);
        }
    }

    /// Shows that the agent runs; what was said. Each time anew: a server that keeps notifications in a list would not show
    /// the same one again.
    fn tell_running(&mut self, key: &str, now: Now) -> String {
        let body = text::activated(self, now);
        let buttons = vec![Button {
            label: words::buttons::OPEN_DASHBOARD.to_owned(),
            action: Action::Open { place: Place::default() },
        }];
        self.events.retain(|key, _| !key.starts_with(ACTIVATED));
        self.tell(key, (words::agent::PALYRA_TRAY_IS_RUNNING, &body), buttons, Urgency::Normal);
        body
    }

    fn tell(&mut self, key: &str, (title, body): (&str, &str), buttons: Vec<Button>, urgency: Urgency) {
        let notice = EventNotice { title: title.to_owned(), body: notices::cut(body, 400), buttons, urgency };
        self.insert_notice(key, notice);
    }
}
