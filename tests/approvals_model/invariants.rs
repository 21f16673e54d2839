//! What must hold in every order of events, each by its name. A check that fails tells the name first.

use std::collections::BTreeMap;
use std::fmt;

use palyra_tray::core::describe::visible;
use palyra_tray::core::event::Effect;
use palyra_tray::core::inbox::Pending;
use palyra_tray::core::notices::SUMMARY_ABOVE;
use palyra_tray::core::snapshot;
use palyra_tray::core::view::{Item, ItemKind, Notice};
use palyra_tray::protocol::{Action, Decision, Scope, Verdict};

use crate::model::{Act, Model};

/// The invariants of the threat model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// What is sent is a decision on exactly the record that was shown, read again right before.
    ShownIsDecided,
    /// No surface lets approve in one step what it does not show whole, or hides a character.
    NothingHidden,
    /// A click counts once, and only from a notification of ours or a client that may decide.
    OneTimeFromTheRightSender,
    /// Nothing decides that a person did not mean as a decision.
    NeverByAccident,
    /// Nothing that has expired, on either clock, waits or is decided.
    Expiry,
    /// A decision is sent at most once, its intent is on disk before, and a denial stands.
    ExactlyOnceAndDenyWins,
    /// What is given holds no longer than what was asked for, and a critical approval holds once.
    ScopesAreHonest,
    /// An allowance that is not ours is told.
    SeenIfNotPrevented,
    /// Many of one origin are one notification, and a flood is warned of.
    NoPushBombing,
    /// A locked screen tells how many wait, no more, and takes no click.
    QuietWhenLocked,
    /// All surfaces count and name the same.
    EverySurfaceAgrees,
}

/// One that does not hold, and all that led to it as far as it is kept. The payload of a panic, which ends the order.
#[derive(Debug)]
pub struct Broken {
    pub invariant: Invariant,
    pub what: String,
    pub log: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}\n{}", self.invariant, self.what, self.log.join("\n"))
    }
}

/// What was done that must not lead to a decision, and by which invariant.
#[derive(Clone)]
pub struct Void {
    pub act: Act,
    pub by: Invariant,
}

impl Model<'_> {
    pub fn check_effects(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::SendDecision(decision) = effect {
                if decision.reason.as_deref() == Some("restored: decided elsewhere first") {
                    self.hold(
                        Invariant::ExactlyOnceAndDenyWins,
                        decision.verdict == Verdict::Deny,
                        "only a denial is restored",
                    );
                } else {
                    self.check_sent(decision);
                }
                let alone = self.in_flight.insert(decision.approval_id.clone());
                self.hold(Invariant::OneTimeFromTheRightSender, alone, "two decisions of one approval are under way");
            }
        }
    }

    pub fn hold(&self, invariant: Invariant, holds: bool, what: &str) {
        if !holds {
            self.broken(invariant, what);
        }
    }

    fn check_sent(&mut self, decision: &Decision) {
        let id = &decision.approval_id;
        let Some(read) = self.read.get(id).cloned() else {
            self.broken(Invariant::ShownIsDecided, "a decision was sent without reading the record")
        };
        self.hold(
            Invariant::ShownIsDecided,
            read.digest == decision.digest,
            "the record had changed since it was shown",
        );
        self.hold(Invariant::ExactlyOnceAndDenyWins, read.undecided, "the record was decided already");
        // of this version: a record that changes after it was read may end at another time
        let end = self.ends.get(id).filter(|(digest, _)| *digest == decision.digest).map_or(u64::MAX, |(_, end)| *end);
        self.hold(Invariant::Expiry, self.now.unix_ms < read.expires_at_unix_ms, "it was sent after the end");
        self.hold(Invariant::Expiry, self.now.mono_ms < end, "it was sent after the end, by the clock that is not set");
        let act = Act {
            id: id.clone(),
            digest: decision.digest.clone(),
            verdict: decision.verdict,
            scope: decision.scope,
            ttl_ms: decision.ttl_ms,
        };
        let by_pause = decision.verdict == Verdict::Deny && decision.reason.as_deref() == Some("all agents are paused");
        match self.acts.iter().position(|done| *done == act) {
            Some(at) => _ = self.acts.remove(at),
            None if by_pause && self.was_paused => self.reached("denied by the pause"),
            None => self.nobody_made(&act),
        }
        if decision.verdict == Verdict::Approve {
            self.check_approval(decision);
        }
    }

    /// Says by what it was caused, as far as that is known.
    fn nobody_made(&self, act: &Act) -> ! {
        let same = |other: &Act| other.id == act.id && other.digest == act.digest && other.verdict == act.verdict;
        if let Some(void) = self.void.iter().find(|void| void.act == *act) {
            self.broken(void.by, "what must not decide was taken for a decision");
        }
        if self.acts.iter().any(same) {
            self.broken(Invariant::ScopesAreHonest, "it was sent with another scope or length than was chosen");
        }
        if self.done.iter().any(|done| done == act) {
            self.broken(Invariant::ExactlyOnceAndDenyWins, "it was sent twice");
        }
        self.broken(Invariant::NeverByAccident, "a decision was sent that nobody made");
    }

    fn check_approval(&mut self, decision: &Decision) {
        let id = &decision.approval_id;
        self.hold(
            Invariant::ExactlyOnceAndDenyWins,
            !self.agent.paused,
            "an approval was sent while all agents are paused",
        );
        let recorded = self.recorded.remove(id);
        self.hold(Invariant::ExactlyOnceAndDenyWins, recorded, "an approval was sent before its intent was on disk");
        let once = decision.scope == Scope::Once || !self.read[id].critical;
        self.hold(Invariant::ScopesAreHonest, once, "a critical approval was given for more than once");
        let boxed = decision.scope != Scope::Timeboxed || decision.ttl_ms.is_some_and(|ttl| ttl > 0);
        self.hold(Invariant::ScopesAreHonest, boxed, "a time box without a length was sent");
    }

    pub fn check_view(&mut self) {
        self.check_waiting();
        self.check_notices();
        self.check_floods();
        if self.agent.locked {
            self.check_locked();
        }
        self.check_counts();
    }

    /// Takes the end of what is new, on the clock that is never set.
    pub fn check_waiting(&mut self) {
        for (id, pending) in &self.agent.inbox.pending {
            let end = self.now.mono_at(pending.record.expires_at_unix_ms());
            match self.ends.get(id).filter(|(digest, _)| *digest == pending.digest) {
                Some((_, end)) if self.now.mono_ms >= *end => self.broken(Invariant::Expiry, "what has expired waits"),
                Some(_) => {}
                None => _ = self.ends.insert(id.clone(), (pending.digest.clone(), end)),
            }
            let open = self.now.unix_ms < pending.record.expires_at_unix_ms();
            self.hold(Invariant::Expiry, open, "what has expired waits");
        }
    }

    fn check_notices(&mut self) {
        let mut reached = Vec::new();
        for (key, notice) in &self.view.notices {
            if let Some(id) = key.strip_prefix("event:elsewhere:") {
                self.alarms.insert(id.to_owned());
                let labels: Vec<_> = notice.buttons.iter().map(|button| button.label.as_str()).collect();
                self.hold(
                    Invariant::SeenIfNotPrevented,
                    labels == ["It was me", "Abort run"],
                    "the alarm has not its buttons",
                );
            }
            let seen = !notice.title.chars().chain(notice.body.chars()).any(hides);
            self.hold(Invariant::NothingHidden, seen, "a notification has a character that is not seen");
            let decides = matches!(&notice.default_action, Some(Action::Decide { .. }));
            self.hold(Invariant::NeverByAccident, !decides, "a click on the text decides");
            for (place, button) in notice.buttons.iter().enumerate() {
                if let Action::Decide { approval_id, digest, verdict } = &button.action {
                    self.hold(Invariant::NeverByAccident, place > 0, "the first button decides");
                    let Some(pending) = self.agent.inbox.pending.get(approval_id) else {
                        self.broken(Invariant::EverySurfaceAgrees, "a notification is about what does not wait")
                    };
                    let same = pending.digest == *digest;
                    self.hold(
                        Invariant::ShownIsDecided,
                        same,
                        "a button is for another record than the one that waits",
                    );
                    if *verdict == Verdict::Approve {
                        self.check_approvable(notice, pending);
                        reached.push("approvable by notification");
                    }
                }
            }
        }
        for button in self.view.notices.values().flat_map(|notice| &notice.buttons) {
            let known = match &button.action {
                Action::Decide { digest, verdict, .. } => {
                    !self.digests.insert((digest.clone(), *verdict == Verdict::Deny))
                }
                other => self.buttons.contains(other),
            };
            if !known {
                self.buttons.push(button.action.clone());
            }
        }
        reached.into_iter().for_each(|what| self.reached(what));
    }

    fn check_approvable(&self, notice: &Notice, pending: &Pending) {
        let raw = &pending.record.raw;
        let what = raw["prompt"]["summary"].as_str().unwrap_or_default();
        // a line of the server that the model stands before, dunst, has 47 characters; a longer word is broken
        let fits = what.split([' ', '/', '-']).all(|word| word.len() <= 47) && what.len() <= 600;
        let plain = what.is_ascii() && !what.contains("<redacted>") && fits;
        let kind = raw["subject_type"] == "tool" && raw["prompt"]["risk_level"] != "critical";
        let whole = plain && kind && notice.body.contains(what);
        self.hold(Invariant::NothingHidden, whole, "a notification approves what it does not show whole");
    }

    /// More than [`SUMMARY_ABOVE`] of one origin are one notification with their true number.
    fn check_floods(&mut self) {
        let quiet = self.agent.paused || self.agent.locked;
        let mut origins: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for pending in self.agent.inbox.pending.values() {
            *origins.entry((&pending.record.principal, &pending.record.session_id)).or_default() += 1;
        }
        let mut summaries = 0;
        for ((principal, session), waiting) in &origins {
            let key = format!("approvals:{principal}:{session}");
            let summary = self.view.notices.get(&key);
            let wanted = !quiet && *waiting > SUMMARY_ABOVE;
            self.hold(Invariant::NoPushBombing, summary.is_some() == wanted, "many of one origin are one notification");
            if let Some(summary) = summary {
                let counts = summary.title == format!("{waiting} approvals wait");
                self.hold(Invariant::NoPushBombing, counts, "a summary counts something else");
                summaries += 1;
            }
        }
        let single = self.view.notices.keys().filter(|key| key.starts_with("approval:")).count();
        let wanted: usize = origins.values().filter(|waiting| **waiting <= SUMMARY_ABOVE).sum();
        let wanted = if quiet { 0 } else { wanted };
        self.hold(Invariant::EverySurfaceAgrees, single == wanted, "what waits has not its notifications");
        if summaries > 0 {
            self.reached("summaries");
        }
        self.count_arrivals();
    }

    fn count_arrivals(&mut self) {
        let (now, before) = (self.now.mono_ms, self.arrivals.len());
        let known = std::mem::take(&mut self.waited);
        for id in self.agent.inbox.pending.keys() {
            if !known.contains(id) {
                self.arrivals.push_back(now);
            }
            self.waited.insert(id.clone());
        }
        let came = self.arrivals.len() > before;
        self.arrivals.retain(|at| now - at < 60_000);
        if self.agent.paused {
            self.arrivals.clear();
        }
        if came && self.arrivals.len() > 10 {
            let told = self.agent.events.contains_key("event:flood");
            self.hold(Invariant::NoPushBombing, told, "a flood was not told");
            self.reached("floods");
        }
    }

    /// Nothing of what is asked is told, nothing decides, and the number is right.
    fn check_locked(&self) {
        let quiet = Invariant::QuietWhenLocked;
        for (key, notice) in &self.view.notices {
            let decides = notice.buttons.iter().any(|button| matches!(button.action, Action::Decide { .. }));
            self.hold(quiet, !decides, "a locked screen has a button that decides");
            self.hold(quiet, !key.starts_with("approval:"), "a locked screen shows an approval");
            for held in self.gateway.records.values() {
                let what = visible(held.what());
                let tells = what.len() > 2 && notice.body.contains(&what);
                self.hold(quiet, !tells, "a locked screen tells what is asked");
            }
        }
        let waits = self.agent.inbox.pending.len();
        let told = self.view.notices.get("approvals:locked").map(|notice| notice.title.as_str());
        let wanted = match waits {
            _ if self.agent.paused => None,
            0 => None,
            1 => Some("1 approval waits".to_owned()),
            n => Some(format!("{n} approvals wait")),
        };
        self.hold(quiet, told == wanted.as_deref(), "a locked screen does not tell how many wait");
    }

    /// Icon, tooltip, menu, and every so often the snapshot and the list for the command line.
    fn check_counts(&mut self) {
        let agrees = Invariant::EverySurfaceAgrees;
        let waits = self.agent.inbox.pending.len();
        self.hold(
            agrees,
            self.view.icon.badge.approvals as usize == waits,
            "the badge counts something else than waits",
        );
        self.hold(agrees, self.view.icon.badge.paused == self.agent.paused, "the badge tells another pause");
        let tail = match waits {
            0 => String::new(),
            1 => ". 1 approval waits".to_owned(),
            n => format!(". {n} approvals wait"),
        };
        let tells = self.view.tooltip.ends_with(&tail) && (waits > 0 || !self.view.tooltip.ends_with(" wait"));
        self.hold(agrees, tells, "the tooltip counts something else than waits");
        let mut rows = 0;
        for item in &self.view.menu {
            each(item, &mut |item, action| {
                let decides = matches!(action, Some(Action::Decide { .. }));
                self.hold(Invariant::OneTimeFromTheRightSender, !decides, "the menu decides");
                rows += usize::from(item.id.starts_with("approval:"));
            });
        }
        self.hold(agrees, rows == waits.min(12), "the menu has other rows than waits");
        if self.looks.is_multiple_of(16) {
            let list = snapshot::inbox(&self.agent.inbox, self.now);
            let rows = list["approvals"].as_array().map_or(0, Vec::len);
            let same = list["approvals"].as_array().is_some_and(|rows| {
                rows.iter().all(|row| {
                    let pending = row["approval_id"].as_str().and_then(|id| self.agent.inbox.pending.get(id));
                    pending.is_some_and(|pending| row["digest"] == pending.digest.as_str())
                })
            });
            self.hold(agrees, rows == waits && same, "the list for the command line is of something else");
        }
    }
}

/// Of the characters that the gateway's records here hold; the Cyrillic letter stands within a Latin word.
pub fn hides(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{430}')
}

fn each(item: &Item, look: &mut impl FnMut(&Item, Option<&Action>)) {
    match &item.kind {
        ItemKind::Command { action, .. } => look(item, action.as_ref()),
        ItemKind::Check { action, .. } => look(item, Some(action)),
        ItemKind::Submenu { items, .. } => items.iter().for_each(|item| each(item, look)),
        ItemKind::Separator => {}
    }
}
