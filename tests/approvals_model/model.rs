//! One order of events: a person at several surfaces, others who decide, and a world that loses, delays and kills.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use palyra_tray::core::agent::{Agent, EventNotice};
use palyra_tray::core::compose;
use palyra_tray::core::decisions::LedgerKind;
use palyra_tray::core::event::{Click, Effect, Event, Facts, Setup};
use palyra_tray::core::inbox::POLL_QUIET_MS;
use palyra_tray::core::record::digest;
use palyra_tray::core::simulate::World;
use palyra_tray::core::time::Now;
use palyra_tray::core::view::View;
use palyra_tray::protocol::shim::RunRecord;
use palyra_tray::protocol::{Action, Reply, Scope, ServiceId, Verdict};
use serde_json::json;

use crate::chance::Chance;
use crate::gateway::{Gateway, Held, lost, missed};
use crate::invariants::{Broken, Invariant, Void};
use crate::surfaces::Surfaces;

/// What a person did, and may thus happen: once.
#[derive(Clone, PartialEq, Debug)]
pub struct Act {
    pub id: String,
    pub digest: String,
    pub verdict: Verdict,
    pub scope: Scope,
    pub ttl_ms: Option<i64>,
}

/// The newest reading of a record for a decision.
#[derive(Clone)]
pub struct Read {
    pub digest: String,
    pub undecided: bool,
    pub critical: bool,
    pub expires_at_unix_ms: i64,
}

/// An agent whose gateway is ready and holds nothing, and what its gateway says of itself.
pub struct Base {
    agent: Agent,
    now: Now,
    run: RunRecord,
    facts: Facts,
}

impl Base {
    pub fn new() -> Self {
        let world = started(World::new(setup()));
        let run = world.agent.fleet.get(ServiceId::Gateway).run.clone().and_then(|run| run.record);
        let facts = world.agent.gateway.clone().map(|(facts, _)| facts);
        let (Some(run), Some(facts)) = (run, facts) else { panic!("the gateway is not ready") };
        Self { agent: world.agent, now: world.now, run, facts }
    }
}

/// What the surfaces are made of, as far as it differs here.
#[derive(Default)]
struct MadeOf {
    waits: Vec<(String, String)>,
    events: BTreeMap<String, EventNotice>,
    state: [bool; 4],
}

impl MadeOf {
    /// Takes what it is now; says whether that is something else.
    fn follow(&mut self, agent: &Agent, state: [bool; 4]) -> bool {
        let waits = || agent.inbox.pending.iter().map(|(id, pending)| (id, &pending.digest));
        let same = self.state == state
            && self.waits.iter().map(|(id, digest)| (id, digest)).eq(waits())
            && self.events == agent.events;
        if !same {
            self.state = state;
            self.waits = waits().map(|(id, digest)| (id.clone(), digest.clone())).collect();
            self.events.clone_from(&agent.events);
        }
        !same
    }
}

pub struct Model<'a> {
    pub chance: Chance,
    base: &'a Base,
    pub agent: Agent,
    pub now: Now,
    pub view: View,
    made_of: MadeOf,
    pub gateway: Gateway,
    waiting: Vec<Effect>,
    pub surfaces: Surfaces,
    /// Every button that ever stood in a notification: one that is gone is clicked too, late.
    pub buttons: Vec<Action>,
    /// Of those that decide, with whether they deny.
    pub digests: BTreeSet<(String, bool)>,
    pub acts: Vec<Act>,
    /// Acts that were taken up.
    pub done: Vec<Act>,
    /// What must not happen.
    pub void: Vec<Void>,
    pub read: BTreeMap<String, Read>,
    /// Digest and end of what waited, on the monotonic clock.
    pub ends: BTreeMap<String, (String, u64)>,
    pub recorded: BTreeSet<String>,
    pub in_flight: BTreeSet<String>,
    pub approved: BTreeMap<String, u32>,
    pub alarms: BTreeSet<String>,
    /// What waited after the event before, and when the newest came, monotonic.
    pub waited: BTreeSet<String>,
    pub arrivals: VecDeque<u64>,
    /// Ids whose fate a crash or a lost answer made unknowable from here.
    unclear: BTreeSet<String>,
    pub was_paused: bool,
    /// The latest time that the wall clock ever showed.
    latest_unix_ms: i64,
    pub looks: u64,
    /// How often what came about.
    pub counts: BTreeMap<&'static str, u64>,
    /// Only kept when an order is looked at again.
    log: Option<Vec<String>>,
}

impl<'a> Model<'a> {
    pub fn new(base: &'a Base, seed: u64, log: bool) -> Self {
        let mut model = Self {
            chance: Chance::new(seed),
            base,
            agent: base.agent.clone(),
            now: base.now,
            view: View::default(),
            made_of: MadeOf::default(),
            gateway: Gateway::default(),
            waiting: Vec::new(),
            surfaces: Surfaces::default(),
            buttons: Vec::new(),
            digests: BTreeSet::new(),
            acts: Vec::new(),
            done: Vec::new(),
            void: Vec::new(),
            read: BTreeMap::new(),
            ends: BTreeMap::new(),
            recorded: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            approved: BTreeMap::new(),
            alarms: BTreeSet::new(),
            waited: BTreeSet::new(),
            arrivals: VecDeque::new(),
            unclear: BTreeSet::new(),
            was_paused: false,
            latest_unix_ms: i64::MIN,
            looks: 0,
            counts: BTreeMap::new(),
            log: log.then(Vec::new),
        };
        model.give(Event::Wake);
        model
    }

    pub fn reached(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub fn note(&mut self, what: impl FnOnce() -> String) {
        let at = self.now;
        if let Some(log) = &mut self.log {
            let text: String = what().chars().take(200).collect();
            log.push(format!("{:>8} {:>8} {text}", at.mono_ms, at.unix_ms - 1_800_000_000_000));
        }
    }

    pub fn broken(&self, invariant: Invariant, what: &str) -> ! {
        let log = self.log.clone().unwrap_or_default();
        std::panic::panic_any(Broken { invariant, what: what.to_owned(), log });
    }

    pub fn give(&mut self, event: Event) {
        self.latest_unix_ms = self.latest_unix_ms.max(self.now.unix_ms);
        self.note(|| format!("{event:?}"));
        let effects = self.agent.update(event, self.now);
        self.check_effects(&effects);
        let (mut probed, mut watched) = (Vec::new(), false);
        for effect in effects {
            match effect {
                Effect::Probe { service: ServiceId::Gateway, run, .. } => probed.push(run),
                Effect::WatchJournal(journal) => watched = journal.is_some(),
                Effect::Reply(ticket, Reply::Data(value)) => self.surfaces.answered(ticket, value),
                Effect::Look(_)
                | Effect::ReadRecord(_)
                | Effect::ShowRecord(..)
                | Effect::SendDecision(_)
                | Effect::WriteLedger { .. }
                | Effect::Launch { service: ServiceId::Gateway, .. }
                | Effect::Stop(ServiceId::Gateway, _)
                | Effect::AbortRuns => self.waiting.push(effect),
                _ => {}
            }
        }
        self.look_at_view();
        if watched {
            self.give(Event::Watching(true));
        }
        if self.gateway.down {
            return;
        }
        for run in probed {
            let facts = self.base.facts.clone();
            self.give(Event::Probed(ServiceId::Gateway, run, Ok(facts)));
        }
    }

    /// Shows it anew when anything that it is made of has changed, and every so often all the same.
    fn look_at_view(&mut self) {
        let agent = &self.agent;
        let state = [agent.paused, agent.locked, agent.inbox.is_current(), self.gateway.down];
        let changed = self.made_of.follow(agent, state);
        self.looks += 1;
        if !changed && !self.looks.is_multiple_of(32) {
            return self.check_waiting();
        }
        self.view = compose::view(&self.agent, self.now);
        self.check_view();
    }

    pub fn step(&mut self) {
        match self.chance.below(42) {
            0..16 => self.deliver(),
            16..19 => self.pass(),
            19..22 => self.ask(),
            22..27 => self.click(),
            27 | 28 => self.cli(),
            29 | 30 => self.review(),
            31..34 => self.answer_review(),
            34 => self.elsewhere(),
            35 => self.change(),
            36 => self.give(Event::Rang),
            37 => self.forge(),
            38 => self.crash_or_pause(),
            39 => self.lock_screen(),
            40 => self.end_gateway(),
            _ => self.put_away(),
        }
    }

    /// One of the effects under way happens, at the gateway or on the disk, and is answered, or not.
    fn deliver(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let at = self.chance.below(self.waiting.len() as u64) as usize;
        let effect = self.waiting.remove(at);
        let fate = self.chance.below(10);
        self.happen(effect, fate);
    }

    fn happen(&mut self, effect: Effect, fate: u64) {
        match effect {
            Effect::Look(order) if fate == 0 => self.give(Event::Looked(order.round, Err(missed()))),
            Effect::Look(order) => {
                let look = self.gateway.look(&order);
                self.give(Event::Looked(order.round, look));
            }
            Effect::ReadRecord(id) => {
                let answer = if fate == 0 { Err(lost(false)) } else { self.gateway.read(&id) };
                if let Ok(record) = &answer {
                    let read = Read {
                        digest: digest(&record.raw),
                        undecided: record.is_pending(),
                        critical: record.raw["prompt"]["risk_level"] == "critical",
                        expires_at_unix_ms: record.expires_at_unix_ms(),
                    };
                    self.read.insert(id.clone(), read);
                }
                self.give(Event::RecordRead(id, answer));
            }
            Effect::ShowRecord(ticket, id) => {
                let answer = self.gateway.read(&id);
                self.give(Event::RecordShown(ticket, answer));
            }
            Effect::WriteLedger { answer: false, .. } => {}
            Effect::WriteLedger { line, .. } => {
                let outcome = if fate == 0 { Err("no space left".to_owned()) } else { Ok(()) };
                if outcome.is_ok() && line.kind == LedgerKind::Intent && line.verdict == Verdict::Approve {
                    self.recorded.insert(line.approval_id.clone());
                }
                self.give(Event::Recorded(line.approval_id, outcome));
            }
            Effect::SendDecision(decision) => {
                let approves = decision.verdict == Verdict::Approve;
                let word = if approves { "allow" } else { "deny" };
                let id = decision.approval_id;
                // two decisions within one millisecond cannot be told apart: docs/threat-model.md
                self.now = self.now.plus(1);
                self.in_flight.remove(&id);
                let arrives = !self.gateway.down && fate > 1;
                if arrives {
                    self.gateway.decide(&id, word, true, self.now);
                }
                if arrives && approves {
                    *self.approved.entry(id.clone()).or_default() += 1;
                    self.reached("approved");
                }
                let restores = decision.reason.as_deref() == Some("restored: decided elsewhere first");
                if restores {
                    self.reached("restored");
                }
                let answer = match fate {
                    _ if self.gateway.down => Err(lost(false)),
                    0 => Err(lost(false)),
                    1 | 2 => {
                        self.unclear.insert(id.clone());
                        self.reached("lost answers");
                        Err(lost(true))
                    }
                    _ => self.gateway.read(&id),
                };
                if answer.is_err() && restores {
                    self.unclear.insert(id.clone()); // told as failed
                }
                self.give(Event::Sent(id, answer));
            }
            Effect::Launch { run, .. } => {
                self.gateway.down = false;
                let record = RunRecord { run_id: run, started_at_unix_ms: self.now.unix_ms, ..self.base.run.clone() };
                self.give(Event::Running(ServiceId::Gateway, record));
            }
            Effect::Stop(ServiceId::Gateway, record) => {
                self.gateway.down = true;
                self.give(Event::Ended(ServiceId::Gateway, record.run_id, None));
            }
            Effect::AbortRuns => {
                let outcome = if self.gateway.down { Err("nobody answers".to_owned()) } else { Ok(()) };
                self.give(Event::RunsAborted(outcome));
            }
            _ => {}
        }
    }

    fn pass(&mut self) {
        let ms = [10, 10, 500, 3_000, 40_000][self.chance.below(5) as usize];
        self.now = self.now.plus(ms);
        if self.chance.one_in(8) {
            // the wall clock is set, or the machine slept: only the wall clock goes on
            let jump = [-3_600_000, -5_000, 5_000, 3_600_000, 28_800_000][self.chance.below(5) as usize];
            self.now.unix_ms += jump;
            self.reached(if jump < 0 { "clock set back" } else { "slept" });
        }
        self.give(Event::Wake);
    }

    fn ask(&mut self) {
        let burst = if self.chance.one_in(10) { 13 } else { 1 };
        let first = self.chance.below(13);
        for number in 0..burst {
            if let Some(told) = self.gateway.ask((first + number) % 13, &mut self.chance, self.now) {
                self.note(|| told);
            }
        }
        self.give(Event::Rang);
    }

    pub fn act(&mut self, act: Act) {
        self.done.push(act.clone());
        self.acts.push(act);
    }

    /// The dashboard decides.
    fn elsewhere(&mut self) {
        let Some(id) = self.any_id() else { return };
        let word = if self.chance.one_in(2) { "allow" } else { "deny" };
        self.note(|| format!("elsewhere: {id} {word}"));
        // whether it waited, was allowed, denied or had expired; told for each time that the gateway's clock tells apart
        if word == "allow" && self.gateway.allowances.insert((id.clone(), self.now.unix_ms)) {
            self.gateway.allowed_by_others.insert(id.clone());
            self.alarms.remove(&id);
            let waits = self.agent.inbox.pending.contains_key(&id);
            let before = self.gateway.records[&id].raw()["decision"] == "allow";
            self.reached(match (waits, before) {
                (true, _) => "allowed elsewhere",
                (false, false) => "allowed elsewhere when it was over",
                (false, true) => "allowed elsewhere once more",
            });
        }
        self.gateway.decide(&id, word, false, self.now);
        self.reached("decided elsewhere");
        self.give(Event::Rang);
    }

    pub fn any_id(&mut self) -> Option<String> {
        let ids: Vec<_> = self.gateway.records.keys().cloned().collect();
        self.chance.pick(&ids).cloned()
    }

    /// Whether its time was over at any moment, on either clock.
    fn has_expired(&self, id: &str, held: &Held) -> bool {
        let timeout = held.raw()["prompt"]["timeout_seconds"].as_i64().unwrap_or_default();
        let expires = held.raw()["requested_at_unix_ms"].as_i64().unwrap_or_default() + timeout * 1_000;
        let ended = self.ends.get(id).is_some_and(|(seen, end)| *seen == held.digest && self.now.mono_ms >= *end);
        self.latest_unix_ms >= expires || ended
    }

    /// What is asked for becomes something else, in one of its parts. Nothing that is over begins to wait again by that.
    pub fn change(&mut self) {
        let Some(id) = self.any_id() else { return };
        self.note(|| format!("changed: {id}"));
        let number = self.chance.below(1_000);
        let lives = !self.has_expired(&id, &self.gateway.records[&id]);
        let shows = self.gateway.change(&id, |record| match number % 4 {
            0 => record["prompt"]["risk_level"] = json!(if number < 500 { "critical" } else { "low" }),
            1 if lives => record["prompt"]["timeout_seconds"] = json!(number),
            2 => record["principal"] = json!(format!("user:{number}")),
            _ => record["prompt"]["summary"] = json!(format!("rm -r /{number}")),
        });
        self.hold(Invariant::ShownIsDecided, shows, "two records have one digest");
    }

    fn crash_or_pause(&mut self) {
        match self.chance.below(5) {
            0 => self.pause(true),
            1..4 => self.pause(false),
            _ => self.crash(),
        }
    }

    pub fn pause(&mut self, on: bool) {
        self.was_paused |= on;
        if on != self.agent.paused {
            self.arrivals.clear();
            self.reached("paused");
        }
        let action = if on { Action::PauseAgents } else { Action::ResumeAgents };
        self.give(Event::Clicked(action, Click::Menu));
    }

    fn lock_screen(&mut self) {
        // most of the time it is open
        let locked = !self.agent.locked && self.chance.one_in(2);
        if locked {
            self.reached("locked");
        }
        self.give(Event::Locked(locked));
    }

    /// The gateway's process ends; the agent starts another one, which has the same records.
    fn end_gateway(&mut self) {
        let Some(run) = self.agent.fleet.get(ServiceId::Gateway).run.clone() else { return };
        if self.gateway.down || run.record.is_none() || !self.chance.one_in(3) {
            return;
        }
        self.gateway.down = true;
        self.reached("gateway restarted");
        self.note(|| "the gateway ends".to_owned());
        self.give(Event::Ended(ServiceId::Gateway, run.id, None));
    }

    /// The agent is killed and started again; what it had sent may still arrive.
    fn crash(&mut self) {
        self.note(|| "the agent is killed".to_owned());
        self.reached("killed");
        for effect in std::mem::take(&mut self.waiting) {
            if let Effect::SendDecision(decision) = effect {
                self.unclear.insert(decision.approval_id.clone());
                if self.chance.one_in(2) && !self.gateway.down {
                    let word = if decision.verdict == Verdict::Approve { "allow" } else { "deny" };
                    self.gateway.decide(&decision.approval_id, word, true, self.now);
                }
            }
        }
        self.gateway.down = false;
        self.unclear.extend(self.gateway.records.keys().cloned());
        self.acts.clear();
        self.read.clear();
        self.recorded.clear();
        self.in_flight.clear();
        self.ends.clear();
        self.waited.clear();
        self.arrivals.clear();
        self.surfaces = Surfaces::default();
        let mut world = World::new(Setup { paused: self.agent.paused, ..setup() });
        world.draws = false;
        world.now = self.now;
        let world = started(world);
        (self.agent, self.now) = (world.agent, world.now);
        self.give(Event::Rang);
    }

    /// Everything under way comes to its end: then nobody is left in the dark, and no denial was overturned.
    pub fn settle(&mut self) {
        self.give(Event::Locked(false));
        for _ in 0..40 {
            while !self.waiting.is_empty() {
                let effect = self.waiting.remove(0);
                self.happen(effect, 9);
            }
            if self.agent.decisions.is_idle() && self.agent.inbox.is_current() {
                break;
            }
            self.now = self.now.plus(1_000);
            self.give(Event::Wake);
        }
        let idle = self.agent.decisions.is_idle();
        self.hold(Invariant::ExactlyOnceAndDenyWins, idle, "a decision never ends");
        // one look more, at what the last decisions left behind, and after its spacing, which a slow look makes longer, one
        // for late allowances
        self.give(Event::Rang);
        for pass in [300, 300, POLL_QUIET_MS, 300] {
            self.now = self.now.plus(pass);
            self.give(Event::Wake);
            while !self.waiting.is_empty() {
                let effect = self.waiting.remove(0);
                self.happen(effect, 9);
            }
        }
        self.check_ends();
    }

    fn check_ends(&mut self) {
        self.view = compose::view(&self.agent, self.now);
        self.check_view();
        for id in self.gateway.ours.keys().cloned().collect::<Vec<_>>() {
            if self.unclear.contains(&id) {
                continue;
            }
            let allowed = self.gateway.records[&id].raw()["decision"] == "allow";
            let denied_first = self.gateway.others.get(&id) == Some(&"deny");
            let overturned = denied_first && allowed && self.gateway.ours[&id];
            self.hold(Invariant::ExactlyOnceAndDenyWins, !overturned, "a denial from elsewhere was overturned by us");
            if allowed && !self.gateway.ours[&id] && self.gateway.allowed_by_others.contains(&id) {
                if !self.alarms.contains(&id) {
                    self.broken(
                        Invariant::SeenIfNotPrevented,
                        &format!("{id} was allowed elsewhere, and that not told"),
                    );
                }
                self.reached("told as allowed elsewhere");
            }
        }
        for (id, times) in &self.approved {
            let once = *times <= 1 || self.unclear.contains(id);
            self.hold(Invariant::ExactlyOnceAndDenyWins, once, "it was approved several times");
        }
        // what the gateway has open, and never looked expired, waits here too
        if self.agent.inbox.is_current() && !self.agent.paused {
            for (id, held) in self.gateway.records.iter().filter(|(_, held)| held.is_open()) {
                let waits = self.agent.inbox.pending.contains_key(id) || self.has_expired(id, held);
                if !waits {
                    self.broken(Invariant::EverySurfaceAgrees, &format!("{id} waits at the gateway and not here"));
                }
            }
        }
    }
}

/// Until the gateway is ready, and between two safety looks: one under way would be lost with the world.
fn started(mut world: World) -> World {
    world.pass(2_500 - world.now.mono_ms % 1_000);
    world
}

fn setup() -> Setup {
    Setup {
        version: "0.1.0".to_owned(),
        pid: 1,
        start: true,
        browser: false,
        dialogs: true,
        seed: 7,
        ..Setup::default()
    }
}
