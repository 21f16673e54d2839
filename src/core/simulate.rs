//! A simulator: the agent on a virtual clock, in a world of pretended sidecars, records and clicks. It is the oracle of the
//! tests and the source of the documentation's examples; it touches nothing real.

pub mod asks;
mod pairing;
mod profiles;
mod records;
mod remote;
mod script;
mod secrets;
mod survey;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::config::palyra::ConfigFacts;
use crate::core::agent::Agent;
use crate::core::cause::{Cause, Class};
use crate::core::companion::State;
use crate::core::compose;
use crate::core::config_watch::{Content, Look};
use crate::core::decisions::Unanswered;
use crate::core::event::{Click, Desktop, Effect, Event, Facts, Found, Secrets, SetUp, Setup, Ticket};
use crate::core::inbox;
use crate::core::node::LEASE_MS;
use crate::core::place::redirect_path;
use crate::core::record::Record;
use crate::core::telemetry::UsageEvent;
use crate::core::time::{Now, earlier};
use crate::core::view::View;
use crate::protocol::setup::SetupRequest;
use crate::protocol::shim::{ExitCause, RunRecord, StopLadder};
use crate::protocol::{Reply, RunId, ServiceId, Verdict};

use records::{exit_record, port_lines, run_record, server};
use timeline::{find_in_menu, first_words, phase_name};

pub use pairing::{Mishaps, Pairs};
pub use profiles::Profiles;
pub use records::acp_record;
pub use remote::Elsewhere;
pub use script::run;
pub use secrets::Store;
pub use survey::Chats;
pub use timeline::print_menu;

/// From a launch to the shim's answer, milliseconds.
const START_MS: u64 = 5;
/// From a stop to the end, milliseconds.
const STOP_MS: u64 = 40;
/// Every answer of the gateway, milliseconds.
const ANSWER_MS: u64 = 3;
/// Wall clock at the beginning.
pub const EPOCH_UNIX_MS: i64 = 1_800_000_000_000;

/// How a pretended sidecar behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Behaviour {
    /// Lives but does not answer.
    pub hangs: bool,
    /// Exits right after each start.
    pub doomed: bool,
    /// Exits at each start, and says that it needs the network.
    pub offline: bool,
}

/// The world.
pub struct World {
    /// The agent under test.
    pub agent: Agent,
    /// Both clocks.
    pub now: Now,
    /// How each sidecar behaves.
    pub behaviour: BTreeMap<ServiceId, Behaviour>,
    /// Processes that live, each service at most once in a right world.
    pub alive: Vec<(ServiceId, RunId)>,
    /// Every launch: when and what.
    pub launches: Vec<(u64, ServiceId)>,
    /// Every decision sent: id and verdict.
    pub sent: Vec<(String, Verdict)>,
    /// Every usage event that was told.
    pub usage: Vec<UsageEvent>,
    /// Every answer to a client.
    pub replies: Vec<(Ticket, Reply)>,
    /// What went wrong in the world itself: two copies of a service.
    pub faults: Vec<String>,
    /// Every phase that any service was in.
    pub phases: BTreeSet<&'static str>,
    /// Every change of a service's phase that one event brought about: from what to what.
    pub moves: BTreeSet<(&'static str, &'static str)>,
    /// The agent has ended.
    pub exited: bool,
    /// What it shows is drawn, to be clicked and to be told in the timeline.
    pub draws: bool,
    /// What happened, in words.
    pub timeline: Vec<String>,
    /// The sidecars' config file: its text, and how often it was written.
    pub config: (Option<String>, u64),
    /// Somebody is in the set-up.
    pub set_up_open: bool,
    /// The config that each sidecar read at its last start.
    pub started_with: BTreeMap<ServiceId, String>,
    /// What the next launch of a service finds in its place, which the first look did not see: the start of an earlier
    /// agent that was killed meanwhile.
    pub behind: BTreeMap<ServiceId, Found>,
    /// Enrolling this machine as a node.
    pub pairs: Pairs,
    /// Sessions and runs.
    pub chats: Chats,
    /// Messages to Palyra.
    pub asks: asks::Asks,
    /// The companion state, as often as it was written.
    pub saved: Vec<State>,
    /// Why it cannot be written; absent: it can.
    pub disk: Option<String>,
    /// The secrets.
    pub store: Store,
    /// The profiles.
    pub profiles: Profiles,
    /// The gateway of remote profiles.
    pub elsewhere: Elsewhere,
    /// Of every process that was started.
    records_of_runs: BTreeMap<RunId, RunRecord>,
    records: BTreeMap<String, Value>,
    queue: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    shown: View,
    pids: u32,
}

impl World {
    /// A machine where nothing runs, the keyring is open and a tray and dunst are there.
    pub fn new(setup: Setup) -> Self {
        Self::beginning(setup, |_| Found::Nothing(None))
    }

    /// The same machine, where the run directory of each service has what `found` says.
    pub fn beginning(setup: Setup, found: impl Fn(ServiceId) -> Found) -> Self {
        let now = Now { mono_ms: 0, unix_ms: EPOCH_UNIX_MS };
        let mut world = Self {
            agent: Agent::new(setup, now),
            now,
            behaviour: ServiceId::ALL.into_iter().map(|id| (id, Behaviour::default())).collect(),
            alive: Vec::new(),
            launches: Vec::new(),
            sent: Vec::new(),
            usage: Vec::new(),
            replies: Vec::new(),
            faults: Vec::new(),
            phases: BTreeSet::new(),
            moves: BTreeSet::new(),
            exited: false,
            draws: true,
            timeline: Vec::new(),
            config: (Some("version = 1".to_owned()), 1),
            set_up_open: false,
            started_with: BTreeMap::new(),
            behind: BTreeMap::new(),
            pairs: Pairs::default(),
            chats: Chats::default(),
            asks: asks::Asks::default(),
            saved: Vec::new(),
            disk: None,
            store: Store::default(),
            profiles: Profiles::default(),
            elsewhere: Elsewhere::default(),
            records_of_runs: BTreeMap::new(),
            records: BTreeMap::new(),
            queue: BTreeMap::new(),
            sequence: 0,
            shown: View::default(),
            pids: 1_000,
        };
        for id in ServiceId::ALL {
            let found = found(id);
            if let Found::Living(record) = &found {
                world.alive.push((id, record.run_id.clone()));
            }
            world.give(Event::Found(id, found));
        }
        world.give(Event::Desktop(Desktop {
            tray: "shown".to_owned(),
            tray_present: true,
            tray_missing: false,
            notifications: Some(server("dunst")),
        }));
        world.give(Event::Autostart(Some(false)));
        world.give(Event::Secrets(Secrets::Ready { place: "keyring".to_owned(), warning: String::new() }));
        world
    }

    /// Something happens now.
    pub fn give(&mut self, event: Event) {
        if self.exited {
            return;
        }
        let before = self.phase_names();
        let effects = self.agent.update(event, self.now);
        let after = self.phase_names();
        self.moves.extend(before.into_iter().zip(after.iter().copied()).filter(|(from, to)| from != to));
        self.phases.extend(after);
        for effect in effects {
            self.perform(effect);
        }
        if self.draws {
            let view = compose::view(&self.agent, self.now);
            self.tell_difference(&view);
            self.shown = view;
        }
    }

    /// Lets time pass: whatever is due happens at its moment.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now.mono_ms + ms;
        loop {
            let event = self.queue.keys().next().map(|(at, _)| *at);
            let deadline = self.agent.deadline().filter(|_| !self.exited);
            let wake = deadline.map(|at| at.max(self.now.mono_ms));
            let lease = self.lease_ends();
            let Some(next) = earlier(earlier(event, wake), lease).filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.plus(next.saturating_sub(self.now.mono_ms));
            if lease == Some(next) {
                self.lease_ended();
            } else if event == Some(next) {
                if let Some((_, event)) = self.queue.pop_first() {
                    self.arrive(event);
                }
            } else {
                self.give(Event::Wake);
                // a deadline that is not moved by being met would spin the real loop
                if self.agent.deadline() == Some(next)
                    && !self.exited
                    && self.queue.keys().next().is_none_or(|(at, _)| *at > next)
                {
                    self.faults.push(format!("{}: the deadline stands still", self.clock()));
                    break;
                }
            }
        }
        self.now = self.now.plus(end.saturating_sub(self.now.mono_ms));
    }

    /// Time passes, and what is due comes late.
    pub fn freeze(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
    }

    /// The machine sleeps: only the wall clock goes on.
    pub fn suspend(&mut self, ms: u64) {
        self.now.unix_ms = self.now.unix_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX));
    }

    /// The process of a service ends by itself.
    pub fn end(&mut self, service: ServiceId, cause: Option<ExitCause>) {
        if let Some(at) = self.alive.iter().position(|(id, _)| *id == service) {
            let (_, run) = self.alive.remove(at);
            let exit = cause.map(|cause| exit_record(&run, cause, self.now, false));
            self.window_ended(&run);
            self.give(Event::Ended(service, run, exit));
        }
    }

    /// The gateway gets a record.
    pub fn ask(&mut self, id: &str, risk: &str, timeout_seconds: u64, what: &str) {
        let record = acp_record(id, risk, timeout_seconds, what, self.now.unix_ms);
        self.records.insert(id.to_owned(), record);
        self.give(Event::Rang);
    }

    /// Somebody else decides a record.
    pub fn decide_elsewhere(&mut self, id: &str, decision: &str) {
        self.store_decision(id, decision);
        self.give(Event::Rang);
    }

    /// A record changes at the gateway, and nothing rings.
    pub fn change(&mut self, id: &str, change: impl FnOnce(&mut Value)) {
        if let Some(record) = self.records.get_mut(id) {
            change(record);
        }
    }

    /// The gateway drops the records that are decided, or have expired a minute ago.
    pub fn forget_over(&mut self) {
        let now = self.now.unix_ms;
        let waits = |record: &Record| record.is_pending() && now < record.expires_at_unix_ms() + 60_000;
        self.records.retain(|_, raw| Record::from_value(raw.clone()).is_ok_and(|record| waits(&record)));
    }

    /// The gateway's record of that id.
    pub fn record(&self, id: &str) -> Option<&Value> {
        self.records.get(id)
    }

    /// What is shown.
    pub fn view(&self) -> &View {
        &self.shown
    }

    /// Clicks the first button with this label. False when there is none.
    pub fn click(&mut self, label: &str) -> bool {
        let button =
            self.shown.notices.values().flat_map(|notice| &notice.buttons).find(|button| button.label == label);
        let Some(action) = button.map(|button| button.action.clone()) else { return false };
        self.give(Event::Clicked(action, Click::Notification));
        true
    }

    /// Clicks the first enabled menu entry with this label. False when there is none.
    pub fn menu(&mut self, label: &str) -> bool {
        let Some(action) = find_in_menu(&self.shown.menu, label) else { return false };
        self.give(Event::Clicked(action, Click::Menu));
        true
    }

    fn phase_names(&self) -> Vec<&'static str> {
        self.agent.fleet.iter().map(|service| phase_name(&service.phase)).collect()
    }

    /// The config file is written, or removed.
    pub fn write_config(&mut self, text: Option<&str>) {
        self.config = (text.map(str::to_owned), self.config.1 + 1);
        self.give(Event::ConfigRang);
    }

    fn config_facts(&self) -> Result<ConfigFacts, String> {
        let text = self.config.0.as_deref().ok_or("it is not there")?;
        ConfigFacts::of_text(text, self.config.1).map_err(|error| error.to_string())
    }

    fn arrive(&mut self, event: Event) {
        match &event {
            Event::Rotated(..) => {
                self.rotation_arrived();
                self.give(event);
            }
            Event::Running(service, record) => {
                if self.alive.iter().any(|(id, _)| id == service) {
                    self.faults.push(format!("{}: two copies of {service}", self.clock()));
                }
                self.alive.push((*service, record.run_id.clone()));
                self.records_of_runs.insert(record.run_id.clone(), record.clone());
                self.window_began(record);
                let (service, run) = (*service, record.run_id.clone());
                self.give(event);
                if self.behaviour[&service].offline {
                    let mut exit = exit_record(&run, ExitCause::Code { code: 1 }, self.now, false);
                    exit.last_stderr = vec!["Error: host could not be resolved to enforce a guard".to_owned()];
                    self.later(1, Event::Ended(service, run, Some(exit)));
                } else if let Some(words) = self.pairs.refusal.clone().filter(|_| service == ServiceId::NodeHost) {
                    let mut exit = exit_record(&run, ExitCause::Code { code: 6 }, self.now, false);
                    exit.last_stderr = vec![words];
                    self.later(20, Event::Ended(service, run, Some(exit)));
                } else if self.behaviour[&service].doomed {
                    let exit = exit_record(&run, ExitCause::Code { code: 1 }, self.now, false);
                    self.later(20, Event::Ended(service, run, Some(exit)));
                }
            }
            Event::Found(service, Found::Living(record))
                if !self.alive.contains(&(*service, record.run_id.clone())) =>
            {
                self.give(Event::Found(*service, Found::Nothing(None)));
            }
            Event::Ended(service, run, _) => {
                let lived = self.alive.iter().any(|(id, alive)| id == service && alive == run);
                self.alive.retain(|(id, alive)| !(id == service && alive == run));
                self.window_ended(run);
                if lived {
                    self.give(event);
                }
            }
            _ => self.give(event),
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Launch { service, run, .. } if self.behind.contains_key(&service) => {
                self.note(format!("finds another shim of {service}"));
                if let Some(Found::Living(record)) = self.behind.get(&service) {
                    self.alive.push((service, record.run_id.clone()));
                }
                self.later(1, Event::Busy(service, run));
            }
            Effect::Launch { service, run, ports, running, window, .. } => {
                self.launches.push((self.now.mono_ms, service));
                self.note(format!("starts {service}"));
                self.told_secrets(service);
                self.pids += 1;
                let config = match self.config_facts() {
                    Ok(facts) => facts,
                    Err(why) => {
                        let what = format!("was not started: {why}");
                        let cause = Cause { class: Class::Configuration, what, said: None, hopeless: true };
                        return self.later(1, Event::StartFailed { service, run, cause });
                    }
                };
                self.started_with.insert(service, self.config.0.clone().unwrap_or_default());
                let choose = |id| {
                    let wanted = ports.get(&id).cloned().filter(|ports| !ports.is_empty());
                    let wanted = crate::core::ports::from_config(id, &config.config).or(wanted);
                    (id, wanted.unwrap_or_else(|| crate::core::ports::defaults(id)))
                };
                let mut chosen = BTreeMap::from([choose(service)]);
                if service == ServiceId::Gateway && !running.contains(&ServiceId::Browserd) {
                    chosen.extend([choose(ServiceId::Browserd)]);
                }
                let ports = chosen[&service].clone();
                let config = (service, Box::new(config));
                self.later(1, Event::PortsChosen { ports: chosen, note: String::new(), config });
                let mut record = run_record(service, run, self.pids, ports, self.now);
                record.lease_ms = window.then_some(LEASE_MS);
                if window {
                    self.note("opens the pairing window".to_owned());
                }
                self.later(START_MS, Event::Running(service, record));
            }
            Effect::LookAgain(service) => {
                let found = self.behind.remove(&service).unwrap_or(Found::Nothing(None));
                self.later(1, Event::Found(service, found));
            }
            Effect::Stop(service, record) => {
                self.note(format!("stops {service}"));
                // one that does not move hears no signal but the last
                let ladder = StopLadder::default();
                let (signal, ms) = if self.behaviour[&service].hangs {
                    (9, ladder.interrupt_grace_ms + ladder.terminate_grace_ms)
                } else {
                    (15, STOP_MS)
                };
                let exit = exit_record(&record.run_id, ExitCause::Signal { signal }, self.now.plus(ms), true);
                self.later(ms, Event::Ended(service, record.run_id, Some(exit)));
            }
            Effect::Probe { service, run, sign_in, .. } => {
                let answers = self.alive.iter().any(|(id, alive)| *id == service && *alive == run)
                    && !self.behaviour[&service].hangs;
                let outcome = if answers {
                    let journal = sign_in.then(|| "/state/data/journal.sqlite3".to_owned());
                    let node_port_demands = if sign_in { self.demands(&run) } else { None };
                    let (version, git_hash) = ("0.1.0".to_owned(), "abc".to_owned());
                    Ok(Facts { version, git_hash, uptime_seconds: 0, journal, node_port_demands, profile: None })
                } else {
                    Err("nothing answers on its port".to_owned())
                };
                let wait = if answers { ANSWER_MS } else { 2_000 };
                self.later(wait, Event::Probed(service, run, outcome));
            }
            Effect::WatchJournal(journal) => self.later(1, Event::Watching(journal.is_some())),
            Effect::Look(order) => {
                let records = self.records.values().filter_map(|raw| Record::from_value(raw.clone()).ok());
                let look = inbox::Sieve::sieved(&order, records);
                self.later(ANSWER_MS, Event::Looked(order.round, Ok(look)));
            }
            Effect::ReadRecord(id) => {
                let answer = self.read(&id);
                self.later(ANSWER_MS, Event::RecordRead(id, answer));
            }
            Effect::SendDecision(decision) => {
                self.note(format!("sends {:?} for {}", decision.verdict, decision.approval_id));
                self.sent.push((decision.approval_id.clone(), decision.verdict));
                let word = if decision.verdict == Verdict::Approve { "allow" } else { "deny" };
                self.store_decision(&decision.approval_id, word);
                let answer = self.read(&decision.approval_id);
                self.later(ANSWER_MS, Event::Sent(decision.approval_id, answer));
            }
            Effect::WriteLedger { line, answer } => {
                if answer {
                    self.later(1, Event::Recorded(line.approval_id, Ok(())));
                }
            }
            Effect::Node(work) => self.node_work(work),
            Effect::Ask(work) => self.talk(work),
            Effect::Profiles(work) => self.profile_work(work),
            Effect::Remote(work) => self.remote_work(work),
            Effect::Open(companion) => self.note(format!("opens {companion:?}")),
            Effect::OpenDashboard(ticket, place) => {
                self.note(format!("opens {}", redirect_path(&place)));
                self.later(1, Event::Opened(ticket, Ok(place)));
            }
            Effect::ShowRecord(ticket, id) => {
                let answer = self.read(&id);
                self.later(ANSWER_MS, Event::RecordShown(ticket, answer));
            }
            Effect::ListRecords(ticket, all) => {
                let records = self.records.values().filter_map(|raw| Record::from_value(raw.clone()).ok()).collect();
                self.later(ANSWER_MS, Event::RecordsListed(ticket, all, Ok(records)));
            }
            Effect::Exit { sidecars_left } => {
                self.note(format!("ends{}", if sidecars_left { ", sidecars left running" } else { "" }));
                self.exited = true;
            }
            Effect::Reply(ticket, reply) => {
                self.note(format!("answers {ticket}: {}", first_words(&reply)));
                self.replies.push((ticket, reply));
            }
            Effect::TellUsage(event) => {
                self.note(format!("tells {}", event.name));
                self.usage.push(event);
                self.later(ANSWER_MS, Event::UsageTold);
            }
            Effect::ShowBundles => self.note("shows the support bundles".to_owned()),
            Effect::ExportPalyra(ticket) => {
                self.later(ANSWER_MS, Event::PalyraExported(ticket, Ok(serde_json::json!({ "schema_version": 1 }))));
            }
            Effect::Survey(ask) => self.surveyed(ask),
            Effect::Copy(ticket, text) => {
                self.note(format!("copies {} lines", text.lines().count()));
                self.later(1, Event::Copied(ticket, Ok(None)));
            }
            Effect::ShowLog(service) => self.note(format!("shows the log of {service}")),
            Effect::GatherFacts(ticket, facts) => {
                let value = serde_json::to_value(&*facts).unwrap_or_default();
                self.later(1, Event::SetUp(ticket, SetUp::Answer(Reply::Data(value))));
            }
            Effect::SetUp(ticket, request) => {
                self.note(format!("for the set-up: {request:?}"));
                let outcome = match request {
                    SetupRequest::TurnChatsOn => SetUp::RestartGateway,
                    _ => SetUp::Answer(Reply::Done("Done.".to_owned())),
                };
                self.later(ANSWER_MS, Event::SetUp(ticket, outcome));
            }
            Effect::LookAtAutostart => self.later(1, Event::Autostart(self.agent.autostart)),
            Effect::SetAutostart(ticket, on) => {
                self.note(format!("switches start on login {}", if on { "on" } else { "off" }));
                self.later(2, Event::Autostart(Some(on)));
                self.later(2, Event::AutostartSet(ticket, Ok(String::new())));
            }
            Effect::AbortRuns => {
                self.note("aborts what runs".to_owned());
                self.later(ANSWER_MS, Event::RunsAborted(Ok(())));
            }
            Effect::AbortRun(ticket, run_id) => {
                self.note(format!("aborts {run_id}"));
                self.later(ANSWER_MS, Event::RunAborted(ticket, run_id, Ok(())));
            }
            Effect::WritePorts(ticket, ports) => {
                self.note(format!("writes the ports of {:?}", ports.keys().map(|id| id.name()).collect::<Vec<_>>()));
                let mut lines: Vec<String> = ports.iter().flat_map(|(id, ports)| port_lines(*id, ports)).collect();
                let written: Vec<_> =
                    lines.iter().filter_map(|line| line.split(" = ").next().map(str::to_owned)).collect();
                let old = self.config.0.clone().unwrap_or_default();
                let kept = old.lines().filter(|line| !written.iter().any(|key| line.starts_with(key.as_str())));
                lines.extend(kept.map(str::to_owned));
                let text = lines.join("\n");
                self.later(1, Event::PortsWritten(ticket, Ok(())));
                self.write_config(Some(&text));
            }
            Effect::LookAtConfig => {
                let content = match (&self.config.0, self.config_facts()) {
                    (None, _) => Content::Absent,
                    (Some(_), Ok(facts)) => Content::Read(Box::new(facts)),
                    (Some(_), Err(why)) => Content::Invalid(why),
                };
                let look = Look { content, blind: String::new(), set_up_open: self.set_up_open };
                self.later(1, Event::ConfigLooked(look));
            }
            Effect::SaveState(state) => {
                let outcome = self.disk.clone().map_or_else(|| Ok(()), Err);
                if outcome.is_ok() {
                    self.saved.push(*state);
                }
                self.later(1, Event::StateSaved(outcome));
            }
            Effect::Rotate(ticket, names) => self.rotate_store(ticket, names),
            Effect::LookAtSecrets(ticket) => self.look_at_store(ticket),
            Effect::RotationOver => self.rotation_over(),
            Effect::RetrySecrets
            | Effect::SavePaused(_)
            | Effect::SaveSwitch(..)
            | Effect::LookAtSettings
            | Effect::KeepGoodStart { .. }
            | Effect::GiveBack => {}
        }
    }

    fn later(&mut self, ms: u64, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now.mono_ms + ms, self.sequence), event);
    }

    fn read(&self, id: &str) -> Result<Record, Unanswered> {
        let missing = || Unanswered { why: "not found".to_owned(), may_have_acted: false, unreachable: false };
        self.records.get(id).and_then(|raw| Record::from_value(raw.clone()).ok()).ok_or_else(missing)
    }

    /// As the real gateway: the last decision wins, the first one's time stays.
    fn store_decision(&mut self, id: &str, decision: &str) {
        let now = self.now.unix_ms;
        if let Some(Value::Object(map)) = self.records.get_mut(id) {
            map.insert("decision".to_owned(), json!(decision));
            map.insert("updated_at_unix_ms".to_owned(), json!(now));
            map.entry("resolved_at_unix_ms").or_insert(json!(now));
        }
    }
}
