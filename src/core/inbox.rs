//! The inbox: which approvals wait for a person. The gateway is its truth; this decides when to look and what is news.
//!
//! A quiet gateway is not polled: the doorbell (a write to the gateway's journal) asks for a look, at once and then at
//! most five times a second, with a slow safety look besides. Where the journal cannot be watched the inbox polls, faster
//! while something waits.

mod ends;
mod heard;
mod over;
mod sieve;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

pub use ends::ENDS;
use ends::Ends;
pub use heard::{Given, HEARD, Heard, Hearing};
pub use over::{Mark, OVER, Over};
pub use sieve::{Brief, Origin, Sieve, WHOLE, WHOLE_OF_ONE};

use crate::core::describe::{Description, describe};
use crate::core::record::{self, Decision, Record, Risk, Subject};
use crate::core::service::PROBE_HEALTHY_MS;
use crate::core::time::{Now, doubled, earlier};

/// Shortest time between two looks, milliseconds.
pub const LOOK_SPACING_MS: u64 = 200;
/// Between looks while something waits and the journal cannot be watched, milliseconds.
pub const POLL_BUSY_MS: u64 = 1_000;
/// Between looks while nothing waits and the journal cannot be watched, milliseconds.
pub const POLL_QUIET_MS: u64 = 5_000;
/// Looks reach this far behind the newest record, milliseconds: clocks and writes are not exact.
pub const LOOK_BACK_MS: i64 = 60_000;
/// While there are more than can be kept whole, looks are spaced by so many times what the last one took, up to
/// [`POLL_QUIET_MS`]: a gateway with thousands of records has other things to do than to list them.
const LOOK_SHARE: u64 = 4;
/// Wait after a failed look, milliseconds; twice as long after each further one.
const RETRY_FIRST_MS: u64 = 1_000;
/// Longest wait after failed looks, milliseconds.
pub const RETRY_LIMIT_MS: u64 = 30_000;
/// Between looks that also ask for late allowances, at least, milliseconds.
pub const LATE_SPACING_MS: u64 = 2_000;

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
    /// How many clicks on it came to nothing.
    pub again: u32,
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
    /// Those that are over without having been allowed.
    pub over: Over,
    /// Of [`LookOrder::heard`], those that stand as something else.
    pub not_allowed: Vec<String>,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookOrder {
    /// Comes back with the outcome: one of an earlier gateway is not taken for this one's.
    pub round: u64,
    /// Wall clock, milliseconds since the epoch.
    pub now_unix_ms: i64,
    /// Records requested since then; absent: all.
    pub since_unix_ms: Option<i64>,
    /// Ids known to wait, so that their decisions are heard of.
    pub known: BTreeSet<String>,
    /// Allowances that are no news, unless they were given anew since.
    pub heard: Heard,
    /// Allowed records are wanted too when they were decided since then, and requested since the next one; absent: whenever.
    pub resolved_since_unix_ms: Option<i64>,
    /// See there.
    pub news_since_unix_ms: Option<i64>,
    /// Known to be over without having been allowed: an allowance of one of them is wanted, whenever it was given.
    pub over: Over,
    /// Allowed records that were requested before [`Self::since_unix_ms`] and since then are to be listed as well.
    pub late_since_unix_ms: Option<i64>,
}

/// What a look brought that was not there before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News {
    /// Approvals that were not known to wait.
    pub fresh: usize,
    /// Records that stand as allowed; whether that is news is told by [`Heard::allowed`].
    pub allowed: Vec<Record>,
    /// Ids of those among them that were over otherwise before.
    pub late: BTreeSet<String>,
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
    /// The earliest that the wall clock was since the last look began: requests may have come with that time.
    earliest_unix_ms: i64,
    /// Nodes of these ids are enrolled by ourselves: their pairing is no question for the person.
    own_pairing: Vec<String>,
    ends: Ends,
    /// Settled while a look was under way that may have read them before.
    settled: BTreeSet<String>,
    /// Allowances that are no news.
    pub heard: Heard,
    /// What became of these is not known, and asked by the next look at everything; by the one under way.
    doubted: BTreeSet<String>,
    asks_about: BTreeSet<String>,
    over: Over,
    /// Late allowances are not asked for before this, monotonic; and the last look did not, for that.
    late_after: u64,
    late_due: bool,
    /// The next look is one at everything; so is the one under way.
    everything: bool,
    sees_everything: bool,
    open: bool,
    looking: bool,
    round: u64,
    again: bool,
    failures: u32,
    last_look: Option<Now>,
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
        self.everything = true;
        self.doubted.append(&mut self.asks_about);
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
        let due = self.not_before.max(
            self.last_look
                .map_or(now.mono_ms, |last| now.mono_ms.max(last.mono_ms + self.spacing.max(LOOK_SPACING_MS))),
        );
        self.next_look = earlier(self.next_look, Some(due));
    }

    /// A click on it came to nothing. Where it still waits, its buttons, which count once, are to be given anew.
    pub fn again(&mut self, approval_id: &str) {
        if let Some(pending) = self.pending.get_mut(approval_id) {
            pending.again = pending.again.wrapping_add(1);
        }
    }

    /// It was denied here: it waits no longer.
    pub fn denied(&mut self, approval_id: &str) {
        let whole = self.pending.get(approval_id).map(|pending| pending.record.requested_at_unix_ms);
        let requested = whole.or_else(|| self.brief(approval_id).map(|brief| brief.requested_at_unix_ms));
        if let Some(requested) = requested {
            self.over.insert(Mark::new(requested, approval_id));
        }
        self.settle(approval_id);
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
        self.suspect(approval_id);
    }

    /// It may have been allowed by somebody meanwhile; the next look, at everything, tells.
    pub fn suspect(&mut self, approval_id: &str) {
        self.doubted.insert(approval_id.to_owned());
        self.everything = true;
    }

    /// Starts a look when one is due, and drops what has expired.
    pub fn step(&mut self, now: Now) -> Option<LookOrder> {
        let (whole, all) = (self.pending.len(), self.waiting());
        let over = &mut self.over;
        self.pending.retain(|_, pending| {
            let waits = !pending.is_expired(now);
            if !waits {
                over.insert(Mark::of(&pending.record));
            }
            waits
        });
        drop_expired(&mut self.rest, over, now);
        self.expired = self.expired.saturating_add(u32::try_from(all - self.waiting()).unwrap_or(u32::MAX));
        if self.pending.len() < whole && !self.rest.is_empty() {
            // others take their places
            self.ring(now);
        }
        // a clock that was set back must not make news look like history
        self.watching_since_unix_ms = self.watching_since_unix_ms.map(|since| since.min(now.unix_ms));
        self.newest_requested_at = self.newest_requested_at.map(|newest| newest.min(now.unix_ms));
        self.earliest_unix_ms = self.earliest_unix_ms.min(now.unix_ms);
        if !self.open || self.looking || self.next_look.is_none_or(|at| now.mono_ms < at) {
            return None;
        }
        self.looking = true;
        self.round += 1;
        self.again = false;
        self.settled.clear();
        self.last_look = Some(now);
        self.earliest_unix_ms = now.unix_ms;
        self.next_look = None;
        let whole = self.pending.values().map(|pending| pending.record.requested_at_unix_ms);
        let oldest_pending = whole.chain(self.rest.iter().map(|brief| brief.requested_at_unix_ms)).min();
        // a window must not hide what could not be understood
        self.sees_everything = std::mem::take(&mut self.everything);
        let news_since_unix_ms = self.newest_requested_at.map(|newest| newest.saturating_sub(LOOK_BACK_MS));
        let newest = news_since_unix_ms.filter(|_| self.unreadable == 0 && !self.sees_everything);
        let since_unix_ms = newest.map(|newest| oldest_pending.map_or(newest, |oldest| oldest.min(newest)));
        let late = earlier(self.over.oldest_unix_ms(), self.heard.oldest_unix_ms())
            .filter(|oldest| since_unix_ms.is_some_and(|since| *oldest < since));
        self.late_due = late.is_some() && now.mono_ms < self.late_after;
        let late_since_unix_ms = late.filter(|_| !self.late_due);
        if late_since_unix_ms.is_some() {
            self.late_after = now.mono_ms + LATE_SPACING_MS;
        }
        // those that are only counted are not named one by one
        let counted = self.rest.iter().map(|brief| brief.requested_at_unix_ms).min();
        let news_since_unix_ms = news_since_unix_ms.map(|since| counted.map_or(since, |oldest| oldest.min(since)));
        self.asks_about = if self.sees_everything { std::mem::take(&mut self.doubted) } else { BTreeSet::new() };
        let known = self.pending.keys().chain(&self.asks_about).cloned().collect();
        Some(LookOrder {
            round: self.round,
            now_unix_ms: now.unix_ms,
            since_unix_ms,
            known,
            heard: self.heard.clone(),
            resolved_since_unix_ms: self.watching_since_unix_ms,
            news_since_unix_ms,
            over: self.over.clone(),
            late_since_unix_ms,
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
                if self.last_look.is_some_and(|began| self.earliest_unix_ms < began.unix_ms) {
                    // the clock was set back meanwhile
                    self.newest_requested_at = self.newest_requested_at.map(|newest| newest.min(self.earliest_unix_ms));
                }
                let mut waiting = BTreeMap::new();
                look.not_allowed.iter().for_each(|approval_id| self.heard.forget(approval_id));
                let mut heard = News::default();
                self.over.extend(&look.over);
                for record in look.records {
                    if self.settled.contains(&record.approval_id) || self.is_own_pairing(&record) {
                        continue;
                    }
                    if record.decision == Some(Decision::Allow) {
                        if self.over.remove(Mark::of(&record)) {
                            heard.late.insert(record.approval_id.clone());
                        }
                        heard.allowed.push(record);
                        continue;
                    }
                    if !record.is_pending() {
                        continue;
                    }
                    let pending = self.admit(record, now);
                    if pending.is_expired(now) {
                        self.over.insert(Mark::of(&pending.record));
                    } else {
                        heard.fresh += usize::from(!self.knows(&pending.record.approval_id));
                        waiting.insert(pending.record.approval_id.clone(), pending);
                    }
                }
                let mut rest: Vec<_> = look.rest.into_iter().map(|brief| self.admit_brief(brief, now)).collect();
                rest.retain(|brief| !self.settled.contains(brief.approval_id()));
                drop_expired(&mut rest, &mut self.over, now);
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
                let took = self.last_look.map_or(0, |began| now.mono_ms.saturating_sub(began.mono_ms));
                self.spacing = if self.rest.is_empty() { 0 } else { (LOOK_SHARE * took).min(POLL_QUIET_MS) };
                news = Some(heard);
                self.next_look = Some(self.quiet_until(now));
                let soonest = self.last_look.unwrap_or_default().mono_ms + (LOOK_SHARE * took).min(POLL_QUIET_MS);
                self.late_after = self.late_after.max(soonest);
                if self.late_due {
                    self.next_look = earlier(self.next_look, Some(self.late_after.max(now.mono_ms)));
                }
            }
            Err(Missed { why, leave_alone_ms }) => {
                self.trouble = why;
                self.everything |= self.sees_everything;
                self.doubted.append(&mut self.asks_about);
                self.failures += 1;
                let wait = doubled(RETRY_FIRST_MS, self.failures - 1, RETRY_LIMIT_MS);
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
    pub fn sizes(&self) -> [(&'static str, usize, usize); 8] {
        [
            ("approvals kept whole", self.pending.len(), WHOLE),
            ("approvals counted", self.rest.len(), usize::MAX),
            ("own pairings", self.own_pairing.len(), 4),
            ("settled during a look", self.settled.len(), WHOLE),
            ("approvals that are over", self.over.len(), OVER),
            ("known allowances", self.heard.len(), HEARD),
            ("ends", self.ends.len(), ENDS),
            ("approvals in doubt", self.doubted.len() + self.asks_about.len(), usize::MAX),
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
        if let Some(Pending { first_seen, expires_mono_ms, again, .. }) = known.filter(|known| known.digest == digest) {
            let (first_seen, expires_mono_ms, again) = (*first_seen, *expires_mono_ms, *again);
            return Pending { digest, words, first_seen, expires_mono_ms, again, record };
        }
        let end = now.mono_at(record.expires_at_unix_ms());
        let expires_mono_ms = self.ends.of(&record.approval_id, &digest, end);
        Pending { record, digest, words, first_seen: now, expires_mono_ms, again: 0 }
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

fn drop_expired(rest: &mut Vec<Brief>, over: &mut Over, now: Now) {
    rest.retain(|brief| {
        let waits = !is_expired(brief, now);
        if !waits {
            over.insert(Mark::new(brief.requested_at_unix_ms, brief.approval_id()));
        }
        waits
    });
}

/// Riskiest first, then newest.
fn by_urgency(a: &Record, b: &Record) -> std::cmp::Ordering {
    let key = |record: &Record| (record.prompt.risk_level, record.requested_at_unix_ms);
    key(b).cmp(&key(a)).then_with(|| a.approval_id.cmp(&b.approval_id))
}
