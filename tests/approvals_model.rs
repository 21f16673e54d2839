//! Approvals in random orders of events: a gateway that overwrites, several surfaces that decide, a person, clocks that jump,
//! answers that are lost, records that change, crashes of the agent. The core is driven directly, without a world that is
//! kinder than the real one: every effect waits until chance lets it happen.
//!
//! `MODEL_ORDERS` says how many orders are tried, `MODEL_SEED` where they begin; a violation names its seed.

use std::collections::{BTreeMap, BTreeSet};

use palyra_tray::core::agent::Agent;
use palyra_tray::core::compose;
use palyra_tray::core::decisions::{LedgerKind, Unanswered};
use palyra_tray::core::event::{Click, Effect, Event, Setup};
use palyra_tray::core::inbox::{Look, LookOrder, Missed};
use palyra_tray::core::record::{Record, digest};
use palyra_tray::core::simulate::{World, acp_record};
use palyra_tray::core::time::Now;
use palyra_tray::core::view::View;
use palyra_tray::protocol::{Action, Decision, Request, Scope, Verdict};
use serde_json::{Value, json};

/// Orders in a usual test run; `scripts/model` tries a million.
const ORDERS: u64 = 3_000;
/// Events of one order.
const EVENTS: u64 = 24;

/// A generator of the classic kind (xorshift); nothing secret depends on it.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len() as u64) as usize) }
    }
}

/// What the gateway holds, and who decided it first.
#[derive(Clone, Default)]
struct Gateway {
    records: BTreeMap<String, Value>,
    others: BTreeMap<String, &'static str>,
}

impl Gateway {
    /// The last writer wins, as at the real one.
    fn decide(&mut self, id: &str, word: &str, now: Now) {
        if let Some(Value::Object(map)) = self.records.get_mut(id) {
            map.insert("decision".to_owned(), json!(word));
            map.insert("updated_at_unix_ms".to_owned(), json!(now.unix_ms));
            map.entry("resolved_at_unix_ms").or_insert(json!(now.unix_ms));
        }
    }

    fn read(&self, id: &str) -> Result<Record, Unanswered> {
        let raw = self.records.get(id).cloned();
        raw.and_then(|raw| Record::from_value(raw).ok()).ok_or_else(|| lost(false))
    }

    fn look(&self, order: &LookOrder) -> Look {
        let records: Vec<_> = self.records.values().filter_map(|raw| Record::from_value(raw.clone()).ok()).collect();
        let newest_requested_at = records.iter().map(|record| record.requested_at_unix_ms).max();
        let wanted = |record: &Record| {
            order.since_unix_ms.is_none_or(|since| record.requested_at_unix_ms >= since)
                && (record.is_pending()
                    || order.known.contains(&record.approval_id)
                    || record.resolved_at_unix_ms >= order.resolved_since_unix_ms)
        };
        Look { records: records.into_iter().filter(wanted).collect(), newest_requested_at, ..Look::default() }
    }
}

/// What a person did, and may thus happen: once.
#[derive(Clone, PartialEq, Debug)]
struct Act {
    id: String,
    digest: String,
    verdict: Verdict,
    scope: Scope,
}

struct Model {
    chance: Chance,
    agent: Agent,
    now: Now,
    view: View,
    gateway: Gateway,
    waiting: Vec<Effect>,
    /// Every button that ever stood in a notification: one that is gone is clicked too, late.
    buttons: Vec<Action>,
    acts: Vec<Act>,
    /// The newest reading of a record for a decision: digest, undecided, expiry.
    read: BTreeMap<String, (String, bool, i64)>,
    recorded: BTreeSet<String>,
    approved: BTreeMap<String, u32>,
    alarms: BTreeSet<String>,
    /// Ids whose fate a crash or a lost answer made unknowable from here.
    unclear: BTreeSet<String>,
    paused_denials: bool,
    log: Vec<String>,
}

impl Model {
    fn new(base: &World, seed: u64) -> Self {
        let mut model = Self {
            chance: Chance::new(seed),
            agent: base.agent.clone(),
            now: base.now,
            view: View::default(),
            gateway: Gateway::default(),
            waiting: Vec::new(),
            buttons: Vec::new(),
            acts: Vec::new(),
            read: BTreeMap::new(),
            recorded: BTreeSet::new(),
            approved: BTreeMap::new(),
            alarms: BTreeSet::new(),
            unclear: BTreeSet::new(),
            paused_denials: false,
            log: Vec::new(),
        };
        model.give(Event::Wake);
        model
    }

    fn give(&mut self, event: Event) {
        self.log.push(short(&event));
        let effects = self.agent.update(event, self.now);
        for effect in effects {
            self.check_effect(&effect);
            if matters(&effect) {
                self.waiting.push(effect);
            }
        }
        self.view = compose::view(&self.agent, self.now);
        self.check_view();
    }

    fn fail(&self, what: &str) -> ! {
        panic!("{what}\n{}", self.log.join("\n"));
    }

    /// One time, whole, from the right sender, not expired, recorded before, and only what a person did.
    fn check_effect(&mut self, effect: &Effect) {
        let Effect::SendDecision(decision) = effect else { return };
        let id = &decision.approval_id;
        let Some((read, undecided, expires)) = self.read.get(id).cloned() else {
            self.fail("a decision was sent without reading the record");
        };
        let restores = decision.reason.as_deref() == Some("restored: decided elsewhere first");
        if restores {
            if decision.verdict != Verdict::Deny {
                self.fail("something else than a denial was restored");
            }
            return;
        }
        if read != decision.digest || !undecided {
            self.fail("a decision was sent on a record that had changed or was decided");
        }
        if self.now.unix_ms >= expires {
            self.fail("a decision was sent after the end");
        }
        let act = self.acts.iter().position(|act| {
            act.id == *id
                && act.digest == decision.digest
                && act.verdict == decision.verdict
                && act.scope == decision.scope
        });
        match act {
            Some(act) => _ = self.acts.remove(act),
            None if self.paused_denials && decision.verdict == Verdict::Deny => {}
            None => self.fail("a decision was sent that nobody made, or twice"),
        }
        if decision.verdict == Verdict::Approve {
            if self.agent.paused {
                self.fail("an approval was sent while all agents are paused");
            }
            if !self.recorded.remove(id) {
                self.fail("an approval was sent before its intent was on disk");
            }
            let critical = self.gateway.records[id]["prompt"]["risk_level"] == "critical";
            if critical && decision.scope != Scope::Once {
                self.fail("a critical approval was given for more than once");
            }
            if decision.scope == Scope::Timeboxed && decision.ttl_ms.is_none_or(|ttl| ttl <= 0) {
                self.fail("a time box without a length was sent");
            }
        }
    }

    /// No Approve where something is hidden, critical or unknown; every surface counts the same.
    fn check_view(&mut self) {
        let waits = self.agent.inbox.pending.len();
        if self.view.icon.badge.approvals as usize != waits {
            self.fail("the badge counts something else than waits");
        }
        let actions: Vec<_> = self
            .view
            .menu
            .iter()
            .filter(|item| format!("{item:?}").contains("Decide {"))
            .map(|item| item.id.clone())
            .collect();
        if !actions.is_empty() {
            self.fail("the menu decides");
        }
        let mut approvable = Vec::new();
        for (key, notice) in &self.view.notices {
            if key.starts_with("event:elsewhere:") {
                self.alarms.insert(key.trim_start_matches("event:elsewhere:").to_owned());
            }
            for (place, button) in notice.buttons.iter().enumerate() {
                if let Action::Decide { approval_id, digest, verdict } = &button.action {
                    if place == 0 {
                        self.fail("the first button decides");
                    }
                    let pending = self.agent.inbox.pending.get(approval_id);
                    let Some(pending) = pending else { self.fail("a notification of what does not wait") };
                    if pending.digest != *digest {
                        self.fail("a button for another record than the one that waits");
                    }
                    if *verdict == Verdict::Approve {
                        approvable.push((notice.body.clone(), pending.record.raw.clone()));
                    }
                }
                if !self.buttons.contains(&button.action) {
                    self.buttons.push(button.action.clone());
                }
            }
            if let Some(action @ Action::Decide { .. }) = &notice.default_action {
                self.fail(&format!("a click on the body decides: {action:?}"));
            }
        }
        for (body, raw) in approvable {
            let what = raw["prompt"]["summary"].as_str().unwrap_or_default();
            if raw["prompt"]["risk_level"] == "critical" || what.contains("<redacted>") || !body.contains(what) {
                self.fail("a notification approves what it does not show whole");
            }
        }
    }

    fn step(&mut self) {
        match self.chance.below(26) {
            0..8 => self.deliver(),
            8..11 => self.pass(),
            11..14 => self.ask(),
            14..18 => self.click(),
            18 => self.cli(),
            19 => self.review(),
            20 => self.elsewhere(),
            21 => self.change(),
            22 => self.give(Event::Rang),
            23 => self.forge(),
            24 => self.crash_or_pause(),
            _ => self.dismiss(),
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
            Effect::Look(order) if fate == 0 => {
                self.give(Event::Looked(order.round, Err(Missed { why: "429".to_owned(), leave_alone_ms: None })))
            }
            Effect::Look(order) => {
                let look = self.gateway.look(&order);
                self.give(Event::Looked(order.round, Ok(look)));
            }
            Effect::ReadRecord(id) => {
                let answer = if fate == 0 { Err(lost(false)) } else { self.gateway.read(&id) };
                if let Ok(record) = &answer {
                    let read = (digest(&record.raw), record.is_pending(), record.expires_at_unix_ms());
                    self.read.insert(id.clone(), read);
                }
                self.give(Event::RecordRead(id, answer));
            }
            Effect::WriteLedger { line, answer } => {
                if !answer {
                    return;
                }
                let outcome = if fate == 0 { Err("no space left".to_owned()) } else { Ok(()) };
                if outcome.is_ok() && line.kind == LedgerKind::Intent && line.verdict == Verdict::Approve {
                    self.recorded.insert(line.approval_id.clone());
                }
                self.give(Event::Recorded(line.approval_id, outcome));
            }
            Effect::SendDecision(decision) => {
                let word = if decision.verdict == Verdict::Approve { "allow" } else { "deny" };
                let id = decision.approval_id;
                // two decisions within one millisecond cannot be told apart: docs/threat-model.md
                self.now = self.now.plus(1);
                if decision.verdict == Verdict::Approve && fate > 1 {
                    *self.approved.entry(id.clone()).or_default() += 1;
                }
                let answer = match fate {
                    0 => Err(lost(false)),
                    1 => {
                        self.unclear.insert(id.clone());
                        Err(lost(true))
                    }
                    2 => {
                        self.unclear.insert(id.clone());
                        self.gateway.decide(&id, word, self.now);
                        Err(lost(true))
                    }
                    _ => {
                        self.gateway.decide(&id, word, self.now);
                        self.gateway.read(&id)
                    }
                };
                if fate == 0 && decision.reason.is_some() {
                    self.unclear.insert(id.clone()); // the denial to restore: told as failed
                }
                self.give(Event::Sent(id, answer));
            }
            Effect::AbortRuns => self.give(Event::RunsAborted(Ok(()))),
            _ => {}
        }
    }

    fn pass(&mut self) {
        let ms = [10, 500, 3_000, 40_000][self.chance.below(4) as usize];
        self.now = self.now.plus(ms);
        if self.chance.below(12) == 0 {
            // the wall clock is set, or the machine slept
            let jump = [-3_600_000, -5_000, 5_000, 3_600_000][self.chance.below(4) as usize];
            self.now.unix_ms += jump;
        }
        self.give(Event::Wake);
    }

    fn ask(&mut self) {
        let id = format!("a{}", self.chance.below(5));
        if self.gateway.records.contains_key(&id) {
            return;
        }
        let risk = ["low", "high", "critical"][self.chance.below(3) as usize];
        let what = ["git push", "rm -r <redacted>", "ls"][self.chance.below(3) as usize];
        let timeout = [5, 300][self.chance.below(2) as usize];
        self.log.push(format!("asked: {id} {risk} {what}"));
        self.gateway.records.insert(id.clone(), acp_record(&id, risk, timeout, what, self.now.unix_ms));
        self.give(Event::Rang);
    }

    /// A button of a notification, one that is there or one that was.
    fn click(&mut self) {
        let now: Vec<_> = self.view.notices.values().flat_map(|notice| &notice.buttons).cloned().collect();
        let late = self.chance.below(4) == 0;
        let action = if late {
            self.chance.pick(&self.buttons).cloned()
        } else {
            self.chance.pick(&now).map(|button| button.action.clone())
        };
        let Some(action) = action else { return };
        if matches!(action, Action::Stop { .. }) {
            return;
        }
        self.paused_denials |= action == Action::PauseAgents;
        if let Action::Decide { approval_id, digest, verdict } = &action {
            let act = Act { id: approval_id.clone(), digest: digest.clone(), verdict: *verdict, scope: Scope::Once };
            self.acts.push(act);
        }
        self.give(Event::Clicked(action.clone(), Click::Notification));
        if self.chance.below(3) == 0 {
            self.give(Event::Clicked(action, Click::Notification)); // a double click is one act
        }
    }

    fn decision(&mut self, verdict: Verdict) -> Option<Decision> {
        let ids: Vec<_> = self.gateway.records.keys().cloned().collect();
        let approval_id = self.chance.pick(&ids)?.clone();
        let (scope, ttl_ms) =
            [(Scope::Once, None), (Scope::Session, None), (Scope::Timeboxed, Some(60_000)), (Scope::Timeboxed, None)]
                [self.chance.below(4) as usize];
        let digest = digest(&self.gateway.records[&approval_id]);
        Some(Decision { approval_id, digest, verdict, scope, ttl_ms, reason: None })
    }

    /// On the command line, with the digest of what the gateway holds now.
    fn cli(&mut self) {
        let verdict = if self.chance.below(2) == 0 { Verdict::Approve } else { Verdict::Deny };
        if let Some(decision) = self.decision(verdict) {
            self.act(&decision);
            self.give(Event::Asked(1, Request::Decide(decision)));
        }
    }

    /// In the review, where the record may change while it is looked at.
    fn review(&mut self) {
        if let Some(decision) = self.decision(Verdict::Approve) {
            if self.chance.below(2) == 0 {
                self.change();
            }
            self.act(&decision);
            self.give(Event::Asked(2, Request::DecideReviewed(decision)));
        }
    }

    fn act(&mut self, decision: &Decision) {
        self.acts.push(Act {
            id: decision.approval_id.clone(),
            digest: decision.digest.clone(),
            verdict: decision.verdict,
            scope: decision.scope,
        });
    }

    /// The dashboard decides.
    fn elsewhere(&mut self) {
        let ids: Vec<_> = self.gateway.records.keys().cloned().collect();
        let Some(id) = self.chance.pick(&ids).cloned() else { return };
        let word = if self.chance.below(2) == 0 { "allow" } else { "deny" };
        self.log.push(format!("elsewhere: {id} {word}"));
        if self.gateway.records[&id].get("decision").is_none() {
            self.gateway.others.insert(id.clone(), word);
        }
        self.gateway.decide(&id, word, self.now);
        self.give(Event::Rang);
    }

    fn change(&mut self) {
        let ids: Vec<_> = self.gateway.records.keys().cloned().collect();
        let Some(id) = self.chance.pick(&ids).cloned() else { return };
        self.log.push(format!("changed: {id}"));
        let number = self.chance.below(1_000);
        if let Some(record) = self.gateway.records.get_mut(&id) {
            record["prompt"]["summary"] = json!(format!("rm -r /{number}"));
        }
    }

    /// Another program of the session bus clicks in the menu; another client sends what only a notification may.
    fn forge(&mut self) {
        let Some(Action::Decide { approval_id, digest, .. }) =
            self.buttons.iter().find(|action| matches!(action, Action::Decide { .. })).cloned()
        else {
            return;
        };
        let action = Action::Decide { approval_id, digest, verdict: Verdict::Approve };
        self.give(Event::Clicked(action.clone(), Click::Menu));
        self.give(Event::Asked(3, Request::Act { action }));
    }

    fn dismiss(&mut self) {
        let keys: Vec<_> = self.view.notices.keys().cloned().collect();
        if let Some(key) = self.chance.pick(&keys).cloned() {
            self.give(Event::NoticeGone(key));
        }
    }

    fn crash_or_pause(&mut self) {
        match self.chance.below(3) {
            0 => {
                self.paused_denials = true;
                self.give(Event::Clicked(Action::PauseAgents, Click::Menu));
            }
            1 => self.give(Event::Clicked(Action::ResumeAgents, Click::Menu)),
            _ => self.crash(),
        }
    }

    /// The agent is killed and started again; what it had sent may still arrive.
    fn crash(&mut self) {
        self.log.push("the agent is killed".to_owned());
        for effect in std::mem::take(&mut self.waiting) {
            if let Effect::SendDecision(decision) = effect {
                self.unclear.insert(decision.approval_id.clone());
                if self.chance.below(2) == 0 {
                    let word = if decision.verdict == Verdict::Approve { "allow" } else { "deny" };
                    self.gateway.decide(&decision.approval_id, word, self.now);
                }
            }
        }
        self.unclear.extend(self.gateway.records.keys().cloned());
        self.acts.clear();
        self.read.clear();
        self.recorded.clear();
        let mut world = World::new(Setup { paused: self.agent.paused, ..setup() });
        world.now = self.now;
        world.pass(1_000);
        (self.agent, self.now) = (world.agent, world.now);
        self.give(Event::Rang);
    }

    /// Everything under way comes to its end: then nobody is left in the dark, and no denial was overturned.
    fn settle(&mut self) {
        for _ in 0..40 {
            while !self.waiting.is_empty() {
                let effect = self.waiting.remove(0);
                self.happen(effect, 9);
            }
            self.now = self.now.plus(1_000);
            self.give(Event::Wake);
            if self.waiting.is_empty() && self.agent.decisions.is_idle() && self.agent.inbox.is_current() {
                break;
            }
        }
        if !self.agent.decisions.is_idle() {
            self.fail("a decision never ends");
        }
        for (id, others) in self.gateway.others.clone() {
            let stands = self.gateway.records[&id]["decision"].as_str().unwrap_or_default().to_owned();
            if self.unclear.contains(&id) {
                continue;
            }
            if others == "deny" && stands == "allow" && self.approved.contains_key(&id) {
                self.fail("a denial from elsewhere was overturned by our approval");
            }
            if others == "allow" && stands == "allow" && !self.alarms.contains(&id) && !self.approved.contains_key(&id)
            {
                self.fail(&format!("an allowance from elsewhere was not told: {id}"));
            }
        }
        for (id, times) in &self.approved {
            if *times > 1 && !self.unclear.contains(id) {
                self.fail(&format!("{id} was approved {times} times"));
            }
        }
    }
}

fn setup() -> Setup {
    Setup { version: "0.1.0".to_owned(), pid: 1, start: true, browser: false, seed: 7, ..Setup::default() }
}

fn matters(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Look(_)
            | Effect::ReadRecord(_)
            | Effect::SendDecision(_)
            | Effect::WriteLedger { .. }
            | Effect::AbortRuns
    )
}

fn lost(may_have_acted: bool) -> Unanswered {
    Unanswered { why: "the connection broke".to_owned(), may_have_acted, unreachable: !may_have_acted }
}

fn short(event: &Event) -> String {
    format!("{event:?}").chars().take(160).collect()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[test]
fn no_order_of_events_breaks_an_invariant() {
    let mut base = World::new(setup());
    base.pass(1_000);
    let orders = number("MODEL_ORDERS").unwrap_or(ORDERS);
    let first = number("MODEL_SEED").unwrap_or(1);
    let mut reached = BTreeMap::<&str, u64>::new();
    for seed in first..first + orders {
        let ran = std::panic::catch_unwind(|| {
            let mut model = Model::new(&base, seed);
            for _ in 0..EVENTS {
                model.step();
            }
            model.settle();
            (model.approved.len(), model.alarms.len(), model.gateway.others.len(), model.agent.paused)
        });
        let Ok((approved, alarms, others, paused)) = ran else {
            panic!("MODEL_SEED={seed} MODEL_ORDERS=1 shows it again");
        };
        for (what, times) in
            [("approved", approved), ("alarms", alarms), ("others", others), ("paused", usize::from(paused))]
        {
            *reached.entry(what).or_default() += times as u64;
        }
    }
    // a model that reaches nothing proves nothing
    if orders >= 1_000 {
        for what in ["approved", "alarms", "others", "paused"] {
            assert!(reached[what] * 200 >= orders, "{what} only {} times in {orders} orders", reached[what]);
        }
    }
}
