//! The inbox: which approvals wait for a person. The gateway is its truth; this decides when to look and what is news.
//!
//! A quiet gateway is not polled: the doorbell (a write to the gateway's journal) asks for a look, at once and then at
//! most five times a second, with a slow safety look besides. Where the journal cannot be watched the inbox polls, faster
//! while something waits.

mod sieve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

pub use sieve::{Brief, Origin, Sieve, WHOLE, WHOLE_OF_ONE};

use crate::core::describe::{Description, describe};
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
/// While there are more than can be kept whole, looks are spaced by so many times what the last one took, up to
/// [`POLL_QUIET_MS`]: a gateway with thousands of records has other things to do than to list them.
const LOOK_SHARE: u64 = 4;
/// Longest wait after failed looks, milliseconds.
pub const RETRY_LIMIT_MS: u64 = 30_000;

/// An approval that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    /// As the gateway gave it.
    pub record: Record,
    /// Over everything a decision rests on.
    pub digest: String,
    /// The record in words: every surface is drawn from these, and that is often.
    pub words: Arc<Description>,
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

/// An approval that waits, as far as a decision about it needs to know beforehand.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Over everything a decision rests on.
    pub digest: String,
    /// How dangerous.
    pub risk: Risk,
    /// Wall clock of its expiry, milliseconds since the epoch.
    pub expires_at_unix_ms: i64,
    /// Monotonic time of its expiry.
    pub expires_mono_ms: u64,
    /// It has expired.
    pub is_expired: bool,
    /// The record where it is kept whole, to name what has changed.
    pub raw: Option<Value>,
}

impl Standing {
    /// Of one that is kept whole.
    pub fn of(pending: &Pending, now: Now) -> Self {
        Self {
            digest: pending.digest.clone(),
            risk: pending.record.prompt.risk_level,
            expires_at_unix_ms: pending.record.expires_at_unix_ms(),
            expires_mono_ms: pending.expires_mono_ms,
            is_expired: pending.is_expired(now),
            raw: Some(pending.record.raw.clone()),
        }
    }
}

/// One look at the gateway's records.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Undecided ones, and decided ones that were asked about by id or by the time of their decision.
    pub records: Vec<Record>,
    /// Undecided ones that are only counted, by id.
    pub rest: Vec<Brief>,
    /// Request time of the newest record in the window, decided or not.
    pub newest_requested_at: Option<i64>,
    /// Records that could not be understood.
    pub unreadable: u32,
}

/// Why a look failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// In words.
    pub why: String,
    /// The gateway wants to be left alone for so long, milliseconds.
    pub leave_alone_ms: Option<u64>,
}

/// What to ask the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookOrder {
    /// Comes back with the outcome: one of an earlier gateway is not taken for this one's.
    pub round: u64,
    /// Wall clock, milliseconds since the epoch.
    pub now_unix_ms: i64,
    /// Records requested since then; absent: all.
    pub since_unix_ms: Option<i64>,
    /// Ids known to wait, so that their decisions are heard of.
    pub known: BTreeSet<String>,
    /// Ids whose allowance is no news: what is decided of them is not wanted.
    pub heard: BTreeSet<String>,
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
    /// Approvals that were known to wait, and were denied by somebody else, as far as they are kept whole.
    pub denied: u32,
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
    /// By approval id: the most urgent ones, which are all unless there are very many.
    pub pending: BTreeMap<String, Pending>,
    /// The others, by id.
    pub rest: Vec<Brief>,
    /// When the gateway last answered; absent: never since it became ready.
    pub as_of: Option<Now>,
    /// Why the newest look failed; empty when it did not.
    pub trouble: String,
    /// Records of the newest look that could not be understood.
    pub unreadable: u32,
    /// How many have expired undecided, since the start.
    pub expired: u32,
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
    /// From the start of the last look to the next, at least.
    spacing: u64,
    /// The gateway asked to be left alone until then.
    not_before: u64,
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
        self.not_before = 0;
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
        let due = self
            .not_before
            .max(self.last_look.map_or(now.mono_ms, |last| now.mono_ms.max(last + self.spacing.max(LOOK_SPACING_MS))));
        self.next_look = earlier(self.next_look, Some(due));
    }

    /// It waits no longer, whatever a look that is under way saw before.
    pub fn settle(&mut self, approval_id: &str) {
        self.pending.remove(approval_id);
        self.rest.retain(|brief| brief.approval_id() != approval_id);
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
        let (whole, all) = (self.pending.len(), self.waiting());
        let lapsed = &mut self.lapsed;
        self.pending.retain(|id, pending| {
            let waits = !pending.is_expired(now);
            if !waits {
                lapsed.insert(id.clone(), pending.record.requested_at_unix_ms);
            }
            waits
        });
        self.rest.retain(|brief| !is_expired(brief, now));
        self.expired = self.expired.saturating_add(u32::try_from(all - self.waiting()).unwrap_or(u32::MAX));
        if self.pending.len() < whole && !self.rest.is_empty() {
            // others take their places
            self.ring(now);
        }
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
        let whole = self.pending.values().map(|pending| pending.record.requested_at_unix_ms);
        let whole = whole.chain(self.lapsed_asked.values().copied());
        let oldest_pending = whole.chain(self.rest.iter().map(|brief| brief.requested_at_unix_ms)).min();
        // a clock that was set back must not hide what is asked from now on, nor a window what could not be understood
        self.sees_everything = std::mem::take(&mut self.everything);
        let newest = self.newest_requested_at.filter(|_| self.unreadable == 0 && !self.sees_everything);
        let newest = newest.map(|newest| newest.min(now.unix_ms).saturating_sub(LOOK_BACK_MS));
        let since_unix_ms = newest.map(|newest| oldest_pending.map_or(newest, |oldest| oldest.min(newest)));
        let known = self.pending.keys().chain(self.lapsed_asked.keys()).cloned().collect();
        Some(LookOrder {
            round: self.round,
            now_unix_ms: now.unix_ms,
            since_unix_ms,
            known,
            heard: BTreeSet::new(),
            resolved_since_unix_ms: self.watching_since_unix_ms,
        })
    }

    /// A look came back; what is news.
    pub fn looked(&mut self, round: u64, outcome: Result<Look, Missed>, now: Now) -> Option<News> {
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
                    if !record.is_pending() {
                        continue;
                    }
                    let pending = self.admit(record, now);
                    if pending.is_expired(now) {
                        if self.pending.contains_key(&pending.record.approval_id) {
                            let requested = pending.record.requested_at_unix_ms;
                            self.lapsed.insert(pending.record.approval_id, requested);
                        }
                    } else {
                        heard.fresh += usize::from(!self.knows(&pending.record.approval_id));
                        waiting.insert(pending.record.approval_id.clone(), pending);
                    }
                }
                let rest: Vec<_> = look
                    .rest
                    .into_iter()
                    .map(|brief| self.admit_brief(brief, now))
                    .filter(|brief| !is_expired(brief, now) && !self.settled.contains(brief.approval_id()))
                    .collect();
                heard.fresh += rest.iter().filter(|brief| !self.knows(brief.approval_id())).count();
                // a look leaves denied ones out: what is gone without having been allowed, settled here or expired
                let denied = self.pending.iter().filter(|(id, pending)| {
                    let stays =
                        waiting.contains_key(*id) || rest.iter().any(|brief| brief.approval_id() == id.as_str());
                    let allowed = heard.allowed.iter().any(|record| record.approval_id == **id);
                    !stays && !allowed && !pending.is_expired(now) && !self.settled.contains(*id)
                });
                heard.denied = u32::try_from(denied.count()).unwrap_or(u32::MAX);
                self.pending = waiting;
                self.rest = rest;
                let took = self.last_look.map_or(0, |began| now.mono_ms.saturating_sub(began));
                self.spacing = if self.rest.is_empty() { 0 } else { (LOOK_SHARE * took).min(POLL_QUIET_MS) };
                news = Some(heard);
                self.next_look = Some(self.quiet_until(now));
            }
            Err(Missed { why, leave_alone_ms }) => {
                self.trouble = why;
                self.everything |= self.sees_everything;
                self.lapsed.append(&mut self.lapsed_asked);
                self.failures += 1;
                let wait = (1_000_u64 << (self.failures - 1).min(5)).min(RETRY_LIMIT_MS);
                // it may say anything, but not blind us
                let leave_alone = leave_alone_ms.map(|ms| ms.min(RETRY_LIMIT_MS));
                self.not_before = leave_alone.map_or(0, |ms| now.mono_ms + ms);
                let wait = wait.max(leave_alone.unwrap_or(0));
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
        let whole = self.pending.values().map(|pending| pending.expires_mono_ms);
        let expiry = whole.chain(self.rest.iter().map(|brief| brief.expires_mono_ms)).min();
        earlier(expiry, if self.looking { None } else { self.next_look })
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.pending.len() + self.rest.len()
    }

    /// How many there are of each, and may be: what waits is as much as the gateway has.
    pub fn sizes(&self) -> [(&'static str, usize, usize); 5] {
        [
            ("approvals kept whole", self.pending.len(), WHOLE),
            ("approvals counted", self.rest.len(), usize::MAX),
            ("own pairings", self.own_pairing.len(), 4),
            ("settled during a look", self.settled.len(), WHOLE),
            ("expired between looks", self.lapsed.len() + self.lapsed_asked.len(), 2 * WHOLE),
        ]
    }

    /// One that waits.
    pub fn standing(&self, approval_id: &str, now: Now) -> Option<Standing> {
        if let Some(pending) = self.pending.get(approval_id) {
            return Some(Standing::of(pending, now));
        }
        self.brief(approval_id).map(|brief| Standing {
            digest: brief.digest(),
            risk: brief.risk,
            expires_at_unix_ms: brief.expires_at_unix_ms,
            expires_mono_ms: brief.expires_mono_ms,
            is_expired: is_expired(brief, now),
            raw: None,
        })
    }

    /// Whether it waits with this digest, or with another one; absent: it does not wait.
    pub fn waits_as(&self, approval_id: &str, digest: &str) -> Option<bool> {
        match self.pending.get(approval_id) {
            Some(pending) => Some(pending.digest == digest),
            None => self.brief(approval_id).map(|brief| brief.digest() == digest),
        }
    }

    /// Of records that were read just now: those that wait, riskiest first, then newest.
    pub fn sort_out(&self, mut records: Vec<Record>, now: Now) -> Vec<Record> {
        records.retain(|record| {
            record.is_pending() && now.unix_ms < record.expires_at_unix_ms() && !self.is_own_pairing(record)
        });
        records.sort_by(by_urgency);
        records
    }

    /// Those that are kept whole: riskiest first, then newest.
    pub fn by_urgency(&self) -> Vec<&Pending> {
        let mut rows: Vec<_> = self.pending.values().collect();
        rows.sort_by(|a, b| by_urgency(&a.record, &b.record));
        rows
    }

    fn brief(&self, approval_id: &str) -> Option<&Brief> {
        let at = self.rest.binary_search_by(|brief| brief.approval_id().cmp(approval_id)).ok()?;
        self.rest.get(at)
    }

    fn knows(&self, approval_id: &str) -> bool {
        self.pending.contains_key(approval_id) || self.brief(approval_id).is_some()
    }

    /// One of them is critical.
    pub fn has_critical(&self) -> bool {
        let whole = self.pending.values().map(|pending| pending.record.prompt.risk_level);
        whole.chain(self.rest.iter().map(|brief| brief.risk)).any(|risk| risk == Risk::Critical)
    }

    /// A record keeps the moment it was first seen, unless what it asks for has changed.
    fn admit(&mut self, record: Record, now: Now) -> Pending {
        let known = self.pending.get(&record.approval_id);
        // most are what they were at the look before
        let same = known.filter(|known| known.record.raw == record.raw);
        let digest = same.map_or_else(|| record::digest(&record.raw), |known| known.digest.clone());
        let words = same.map_or_else(|| Arc::new(describe(&record)), |known| Arc::clone(&known.words));
        if let Some(Pending { first_seen, expires_mono_ms, .. }) = known.filter(|known| known.digest == digest) {
            return Pending { digest, words, first_seen: *first_seen, expires_mono_ms: *expires_mono_ms, record };
        }
        let ended = self.ends.get(&record.approval_id).filter(|(seen, _)| *seen == digest).map(|(_, end)| *end);
        let expires_mono_ms = ended.unwrap_or_else(|| now.mono_at(record.expires_at_unix_ms()));
        self.ends.insert(record.approval_id.clone(), (digest.clone(), expires_mono_ms));
        while self.ends.len() > ENDS
            && let Some(oldest) = self.ends.iter().min_by_key(|(_, (_, end))| *end).map(|(id, _)| id.clone())
        {
            self.ends.remove(&oldest);
        }
        Pending { record, digest, words, first_seen: now, expires_mono_ms }
    }

    fn admit_brief(&self, mut brief: Brief, now: Now) -> Brief {
        let known = self.brief(brief.approval_id()).filter(|known| known.is_same(&brief));
        brief.expires_mono_ms =
            known.map_or_else(|| now.mono_at(brief.expires_at_unix_ms), |known| known.expires_mono_ms);
        brief
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

fn is_expired(brief: &Brief, now: Now) -> bool {
    now.mono_ms >= brief.expires_mono_ms || now.unix_ms >= brief.expires_at_unix_ms
}

/// Riskiest first, then newest.
fn by_urgency(a: &Record, b: &Record) -> std::cmp::Ordering {
    let key = |record: &Record| (record.prompt.risk_level, record.requested_at_unix_ms);
    key(b).cmp(&key(a)).then_with(|| a.approval_id.cmp(&b.approval_id))
}
