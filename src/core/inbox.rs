//! The inbox: which approvals wait for a person. The gateway is its truth; this decides when to look and what is news.
//!
//! A quiet gateway is not polled: the doorbell (a write to the gateway's journal) asks for a look, at once and then at
//! most five times a second, with a slow safety look besides. Where the journal cannot be watched the inbox polls, faster
//! while something waits.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::record::{self, Decision, Record, Risk, Subject};
use crate::core::service::PROBE_HEALTHY_MS;
use crate::core::time::{Now, earlier};

/// Shortest time between two looks, milliseconds.
pub const LOOK_SPACING_MS: u64 = 200;
/// Between looks while something waits and the journal cannot be watched, milliseconds.
pub const POLL_BUSY_MS: u64 = 1_000;
/// Between looks while nothing waits and the journal cannot be watched, milliseconds.
pub const POLL_QUIET_MS: u64 = 5_000;
/// Looks reach this far behind the newest record, milliseconds: clocks and writes are not exact.
pub const LOOK_BACK_MS: i64 = 60_000;
/// Ends of so many approvals are remembered.
const ENDS: usize = 1_024;
/// Longest wait after failed looks, milliseconds.
pub const RETRY_LIMIT_MS: u64 = 30_000;

/// An approval that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    /// As the gateway gave it.
    pub record: Record,
    /// Over everything a decision rests on.
    pub digest: String,
    /// When it was first seen.
    pub first_seen: Now,
    /// Monotonic time of its expiry.
    pub expires_mono_ms: u64,
}

impl Pending {
    /// No decision is sent after this.
    pub fn is_expired(&self, now: Now) -> bool {
        now.mono_ms >= self.expires_mono_ms || now.unix_ms >= self.record.expires_at_unix_ms()
    }
}

/// One look at the gateway's records.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Undecided ones, and decided ones that were asked about by id or by the time of their decision.
    pub records: Vec<Record>,
    /// Request time of the newest record in the window, decided or not.
    pub newest_requested_at: Option<i64>,
    /// Records that could not be understood.
    pub unreadable: u32,
}

/// What to ask the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookOrder {
    /// Comes back with the outcome: one of an earlier gateway is not taken for this one's.
    pub round: u64,
    /// Records requested since then; absent: all.
    pub since_unix_ms: Option<i64>,
    /// Ids known to wait, so that their decisions are heard of.
    pub known: BTreeSet<String>,
    /// Decided records are wanted too when they were decided since then.
    pub resolved_since_unix_ms: Option<i64>,
}

/// What a look brought that was not there before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News {
    /// Approvals that were not known to wait.
    pub fresh: usize,
    /// Records that stand as allowed.
    pub allowed: Vec<Record>,
}

/// How the inbox hears of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Watch {
    /// By polling.
    #[default]
    Polling,
    /// By watching the journal.
    Doorbell,
}

/// The inbox.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// By approval id.
    pub pending: BTreeMap<String, Pending>,
    /// When the gateway last answered; absent: never since it became ready.
    pub as_of: Option<Now>,
    /// Why the newest look failed; empty when it did not.
    pub trouble: String,
    /// Records of the newest look that could not be understood.
    pub unreadable: u32,
    /// How news arrives.
    pub watch: Watch,
    /// Wall clock of the first time that a gateway was ready: what was decided before is history.
    pub watching_since_unix_ms: Option<i64>,
    newest_requested_at: Option<i64>,
    /// Nodes of these ids are enrolled by ourselves: their pairing is no question for the person.
    own_pairing: Vec<String>,
    /// Digest and monotonic end of what waited, also after that: a clock that is set back brings none of it back.
    ends: BTreeMap<String, (String, u64)>,
    /// Settled while a look was under way that may have read them before.
    settled: BTreeSet<String>,
    /// Expired since the look before, by id with the time of the request: how they were decided last is still asked.
    lapsed: BTreeMap<String, i64>,
    lapsed_asked: BTreeMap<String, i64>,
    /// The next look is one at everything; so is the one under way.
    everything: bool,
    sees_everything: bool,
    open: bool,
    looking: bool,
    round: u64,
    again: bool,
    failures: u32,
    last_look: Option<u64>,
    next_look: Option<u64>,
}

impl Inbox {
    /// The gateway is ready: look at everything once.
    pub fn open(&mut self, now: Now) {
        self.open = true;
        self.watching_since_unix_ms.get_or_insert(now.unix_ms);
        self.looking = false;
        self.again = false;
        self.failures = 0;
        self.as_of = None;
        self.trouble.clear();
        self.newest_requested_at = None;
        self.next_look = Some(now.mono_ms);
    }

    /// The gateway is gone. What waits is kept and shown as old; nothing is decided meanwhile.
    pub fn close(&mut self) {
        self.open = false;
        self.looking = false;
        self.next_look = None;
        self.watch = Watch::Polling;
    }

    /// Whether looks are under way or due at all.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The gateway has answered since it became ready.
    pub fn is_current(&self) -> bool {
        self.open && self.as_of.is_some() && self.trouble.is_empty()
    }

    /// Something may have changed: look soon.
    pub fn ring(&mut self, now: Now) {
        if !self.open {
            return;
        }
        if self.looking {
            self.again = true;
            return;
        }
        let due = self.last_look.map_or(now.mono_ms, |last| now.mono_ms.max(last + LOOK_SPACING_MS));
        self.next_look = earlier(self.next_look, Some(due));
    }

    /// It waits no longer, whatever a look that is under way saw before.
    pub fn settle(&mut self, approval_id: &str) {
        self.pending.remove(approval_id);
        if self.looking {
            self.settled.insert(approval_id.to_owned());
        }
    }

    /// It is not what it was; the next look, at everything, tells whether it waits. A usual one would not see it: what is not
    /// known to wait is only looked for among the newest.
    pub fn doubt(&mut self, approval_id: &str) {
        self.settle(approval_id);
        self.everything = true;
    }

    /// Starts a look when one is due, and drops what has expired.
    pub fn step(&mut self, now: Now) -> Option<LookOrder> {
        let lapsed = &mut self.lapsed;
        self.pending.retain(|id, pending| {
            let waits = !pending.is_expired(now);
            if !waits {
                lapsed.insert(id.clone(), pending.record.requested_at_unix_ms);
            }
            waits
        });
        // a clock that was set back must not make news look like history
        self.watching_since_unix_ms = self.watching_since_unix_ms.map(|since| since.min(now.unix_ms));
        if !self.open || self.looking || self.next_look.is_none_or(|at| now.mono_ms < at) {
            return None;
        }
        self.looking = true;
        self.round += 1;
        self.again = false;
        self.settled.clear();
        self.last_look = Some(now.mono_ms);
        self.next_look = None;
        self.lapsed_asked = std::mem::take(&mut self.lapsed);
        let pending = self.pending.values().map(|pending| &pending.record.requested_at_unix_ms);
        let oldest_pending = pending.chain(self.lapsed_asked.values()).min().copied();
        // a clock that was set back must not hide what is asked from now on, nor a window what could not be understood
        self.sees_everything = std::mem::take(&mut self.everything);
        let newest = self.newest_requested_at.filter(|_| self.unreadable == 0 && !self.sees_everything);
        let newest = newest.map(|newest| newest.min(now.unix_ms).saturating_sub(LOOK_BACK_MS));
        let since_unix_ms = newest.map(|newest| oldest_pending.map_or(newest, |oldest| oldest.min(newest)));
        let known = self.pending.keys().chain(self.lapsed_asked.keys()).cloned().collect();
        Some(LookOrder { round: self.round, since_unix_ms, known, resolved_since_unix_ms: self.watching_since_unix_ms })
    }

    /// A look came back; what is news.
    pub fn looked(&mut self, round: u64, outcome: Result<Look, String>, now: Now) -> Option<News> {
        if !self.looking || round != self.round {
            return None;
        }
        let mut news = None;
        self.looking = false;
        match outcome {
            Ok(look) => {
                self.failures = 0;
                self.trouble.clear();
                self.as_of = Some(now);
                self.unreadable = look.unreadable;
                self.newest_requested_at = self.newest_requested_at.max(look.newest_requested_at);
                let mut waiting = BTreeMap::new();
                let mut heard = News::default();
                for record in look.records {
                    if self.settled.contains(&record.approval_id) || self.is_own_pairing(&record) {
                        continue;
                    }
                    if record.decision == Some(Decision::Allow) {
                        heard.allowed.push(record);
                        continue;
                    }
                    let pending = self.admit(record, now);
                    if !pending.record.is_pending() {
                        continue;
                    }
                    if pending.is_expired(now) {
                        if self.pending.contains_key(&pending.record.approval_id) {
                            let requested = pending.record.requested_at_unix_ms;
                            self.lapsed.insert(pending.record.approval_id, requested);
                        }
                    } else {
                        heard.fresh += usize::from(!self.pending.contains_key(&pending.record.approval_id));
                        waiting.insert(pending.record.approval_id.clone(), pending);
                    }
                }
                self.pending = waiting;
                news = Some(heard);
                self.next_look = Some(self.quiet_until(now));
            }
            Err(why) => {
                self.trouble = why;
                self.everything |= self.sees_everything;
                self.lapsed.append(&mut self.lapsed_asked);
                self.failures += 1;
                let wait = (1_000_u64 << (self.failures - 1).min(5)).min(RETRY_LIMIT_MS);
                self.next_look = Some(now.mono_ms + wait);
                self.again = false;
            }
        }
        if std::mem::take(&mut self.again) {
            self.ring(now);
        }
        news
    }

    /// Pairing requests of these devices are not shown from now on, those of others are.
    pub fn hide_pairing_of(&mut self, devices: Vec<String>) {
        self.own_pairing = devices;
    }

    fn is_own_pairing(&self, record: &Record) -> bool {
        record.subject_type == Subject::DevicePairing && self.own_pairing.contains(&record.device_id)
    }

    /// When [`Inbox::step`] next has something to do.
    pub fn deadline(&self) -> Option<u64> {
        let expiry = self.pending.values().map(|pending| pending.expires_mono_ms).min();
        earlier(expiry, if self.looking { None } else { self.next_look })
    }

    /// Riskiest first, then newest.
    pub fn by_urgency(&self) -> Vec<&Pending> {
        let mut rows: Vec<_> = self.pending.values().collect();
        rows.sort_by(|a, b| {
            let key = |p: &Pending| (p.record.prompt.risk_level, p.record.requested_at_unix_ms);
            key(b).cmp(&key(a)).then_with(|| a.record.approval_id.cmp(&b.record.approval_id))
        });
        rows
    }

    /// One of them is critical.
    pub fn has_critical(&self) -> bool {
        self.pending.values().any(|pending| pending.record.prompt.risk_level == Risk::Critical)
    }

    /// A record keeps the moment it was first seen, unless what it asks for has changed.
    fn admit(&mut self, record: Record, now: Now) -> Pending {
        let digest = record::digest(&record.raw);
        let known = self.pending.get(&record.approval_id).filter(|known| known.digest == digest);
        if let Some(known) = known {
            return Pending { record, ..known.clone() };
        }
        let ended = self.ends.get(&record.approval_id).filter(|(seen, _)| *seen == digest).map(|(_, end)| *end);
        let expires_mono_ms = ended.unwrap_or_else(|| now.mono_at(record.expires_at_unix_ms()));
        if record.is_pending() {
            self.ends.insert(record.approval_id.clone(), (digest.clone(), expires_mono_ms));
        }
        while self.ends.len() > ENDS
            && let Some(oldest) = self.ends.iter().min_by_key(|(_, (_, end))| *end).map(|(id, _)| id.clone())
        {
            self.ends.remove(&oldest);
        }
        Pending { record, digest, first_seen: now, expires_mono_ms }
    }

    fn quiet_until(&self, now: Now) -> u64 {
        match self.watch {
            // the moment on which healthy sidecars are probed: one wake-up for both
            Watch::Doorbell => (now.mono_ms / PROBE_HEALTHY_MS + 1) * PROBE_HEALTHY_MS,
            Watch::Polling if self.pending.is_empty() => now.mono_ms + POLL_QUIET_MS,
            Watch::Polling => now.mono_ms + POLL_BUSY_MS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::simulate::acp_record;

    const START: Now = Now { mono_ms: 1_000, unix_ms: 1_800_000_000_000 };

    fn record(id: &str, at: Now) -> Record {
        Record::from_value(acp_record(id, "low", 300, "ls", at.unix_ms)).unwrap()
    }

    fn looks(inbox: &mut Inbox, records: Vec<Record>, now: Now) -> LookOrder {
        inbox.ring(now);
        let order = inbox.step(now).expect("a look is due");
        let newest_requested_at = records.iter().map(|record| record.requested_at_unix_ms).max();
        inbox.looked(order.round, Ok(Look { records, newest_requested_at, unreadable: 0 }), now).expect("an answer");
        order
    }

    #[test]
    fn a_clock_that_is_set_back_brings_nothing_back_that_has_ended() {
        let mut inbox = Inbox::default();
        inbox.open(START);
        let asked = record("a1", START);
        looks(&mut inbox, vec![asked.clone()], START);
        let later = START.plus(300_000);
        inbox.step(later);
        assert!(inbox.pending.is_empty());
        let set_back = Now { unix_ms: START.unix_ms, ..later.plus(1_000) };
        looks(&mut inbox, vec![asked], set_back);
        assert!(inbox.pending.is_empty());
        looks(&mut inbox, vec![record("a2", set_back)], set_back.plus(1_000));
        assert_eq!(inbox.pending.len(), 1, "what is asked from then on waits");
    }

    #[test]
    fn what_is_not_what_it_was_is_looked_for_among_everything_until_a_look_succeeds() {
        let mut inbox = Inbox::default();
        inbox.open(START);
        looks(&mut inbox, vec![record("a1", START)], START);
        let now = START.plus(90_000);
        looks(&mut inbox, vec![record("a1", START), record("a2", now)], now);
        inbox.doubt("a1");
        assert!(!inbox.pending.contains_key("a1"));
        let now = now.plus(1_000);
        inbox.ring(now);
        let failed = inbox.step(now).expect("a look is due");
        assert_eq!(failed.since_unix_ms, None);
        inbox.looked(failed.round, Err("429".to_owned()), now);
        let now = now.plus(5_000);
        let order = looks(&mut inbox, vec![record("a1", START), record("a2", now)], now);
        assert_eq!(order.since_unix_ms, None);
        assert!(inbox.pending.contains_key("a1"));
        let now = now.plus(1_000);
        assert!(looks(&mut inbox, vec![record("a2", now)], now).since_unix_ms.is_some(), "once is enough");
    }
}
