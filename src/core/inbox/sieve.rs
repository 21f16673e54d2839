//! What a look keeps of the gateway's records: the whole of those that can be shown, and of the others only what counts. So
//! ten thousand that wait take little more memory than fifty.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::over::{Mark, Over};
use super::{Look, LookOrder};
use crate::core::record::{self, Decision, Outline, Record, Risk, Unreadable};

/// Most approvals that are kept whole: the most urgent.
pub const WHOLE: usize = 48;
/// Most of them that are of one origin, so that one that asks without end does not hide the others.
pub const WHOLE_OF_ONE: usize = 12;
/// Most allowances that are kept: the newest.
const ALLOWED: usize = 256;
/// A usable id is not longer.
const ID_BYTES: usize = record::MAX_ID_CHARS;

/// Principal and session, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(u64);

impl Origin {
    /// Of this record.
    pub fn of(record: &Record) -> Self {
        let mut hash = Sha256::new();
        hash.update(record.principal.len().to_le_bytes());
        hash.update(&record.principal);
        hash.update(&record.session_id);
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize());
        Self(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// An approval that waits and is only counted. Holds no memory of its own beside itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    id: [u8; ID_BYTES],
    id_len: u8,
    digest: [u8; 32],
    /// Who asks, in which session.
    pub origin: Origin,
    /// How dangerous.
    pub risk: Risk,
    /// Wall clock of the request, milliseconds since the epoch.
    pub requested_at_unix_ms: i64,
    /// As [`Record::expires_at_unix_ms`].
    pub expires_at_unix_ms: i64,
    /// Monotonic time of its expiry, once it is in the inbox.
    pub(super) expires_mono_ms: u64,
}

impl Brief {
    fn of(record: &Record) -> Self {
        let bytes = record.approval_id.as_bytes();
        let len = bytes.len().min(ID_BYTES);
        let mut id = [0; ID_BYTES];
        id[..len].copy_from_slice(&bytes[..len]);
        Self {
            id,
            id_len: u8::try_from(len).unwrap_or(u8::MAX),
            digest: record::digest_bytes(&record.raw),
            origin: Origin::of(record),
            risk: record.prompt.risk_level,
            requested_at_unix_ms: record.requested_at_unix_ms,
            expires_at_unix_ms: record.expires_at_unix_ms(),
            expires_mono_ms: u64::MAX,
        }
    }

    /// Names it.
    pub fn approval_id(&self) -> &str {
        // usable ids are ASCII
        std::str::from_utf8(&self.id[..usize::from(self.id_len)]).unwrap_or_default()
    }

    /// As [`Record::digest`].
    pub fn digest(&self) -> String {
        record::hex(&self.digest)
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

/// Riskiest first, then newest, then by id.
type Urgency = (Reverse<Risk>, Reverse<i64>, String);

fn urgency(record: &Record) -> Urgency {
    (Reverse(record.prompt.risk_level), Reverse(record.requested_at_unix_ms), record.approval_id.clone())
}

/// Takes records one by one.
#[derive(Debug)]
pub struct Sieve<'a> {
    order: &'a LookOrder,
    whole: BTreeMap<Urgency, (Origin, Record)>,
    all: Vec<Brief>,
    /// By the time of their last change.
    allowed: BTreeMap<(Option<i64>, String), Record>,
    over: Over,
    not_allowed: Vec<String>,
    newest_requested_at: Option<i64>,
    unreadable: u32,
}

impl<'a> Sieve<'a> {
    /// For a look that begins now.
    pub fn new(order: &'a LookOrder) -> Self {
        Self {
            order,
            whole: BTreeMap::new(),
            all: Vec::new(),
            allowed: BTreeMap::new(),
            over: Over::default(),
            not_allowed: Vec::new(),
            newest_requested_at: None,
            unreadable: 0,
        }
    }

    /// A record was listed. Whether the whole of it is wanted: then it is to be [taken](Self::take).
    ///
    /// Undecided ones are. An allowance is when it is news: of one that was known to wait, or to be over otherwise, that was
    /// asked for and allowed since the looks before, or was given anew. Of what is over otherwise it is enough to know that it is.
    pub fn wants(&mut self, outline: &Outline) -> bool {
        self.newest_requested_at = self.newest_requested_at.max(outline.requested_at_unix_ms);
        if !outline.decided {
            return true;
        }
        let (Some(id), Some(mark)) = (&outline.approval_id, Mark::outlined(outline)) else { return false };
        let order = self.order;
        let heard = order.heard.get(id);
        if !outline.allowed {
            if heard.is_some() {
                self.not_allowed.push(id.clone());
            }
            self.over.insert(mark);
            return false;
        }
        let since = |wanted: Option<i64>, is: Option<i64>| wanted.is_none_or(|wanted| is.is_none_or(|is| is >= wanted));
        let resolved = order.resolved_since_unix_ms.is_some_and(|since| outline.resolved_at_unix_ms >= Some(since));
        let is_new = resolved && since(order.news_since_unix_ms, outline.requested_at_unix_ms);
        let is_news = match heard {
            None => is_new || order.known.contains(id),
            Some(given) => given.is_some_and(|given| given.updated_at_unix_ms != outline.updated_at_unix_ms),
        };
        is_news || order.over.contains(mark)
    }

    /// One that is wanted was read, or could not be.
    pub fn take(&mut self, read: Result<Record, Unreadable>) {
        match read {
            Err(_) => self.unreadable = self.unreadable.saturating_add(1),
            Ok(record) if record.decision == Some(Decision::Allow) => {
                self.allowed.insert((record.updated_at_unix_ms, record.approval_id.clone()), record);
                if self.allowed.len() > ALLOWED {
                    self.allowed.pop_first();
                }
            }
            // the gateway keeps what expired undecided for ever: that takes no place
            Ok(record) if record.is_pending() && self.order.now_unix_ms < record.expires_at_unix_ms() => {
                self.wait(record);
            }
            Ok(record) => self.over.insert(Mark::of(&record)),
        }
    }

    /// As a look at a gateway that holds these would find.
    pub fn sieved(order: &LookOrder, records: impl IntoIterator<Item = Record>) -> Look {
        let mut sieve = Sieve::new(order);
        for record in records {
            let since = |since: Option<i64>| since.is_some_and(|since| record.requested_at_unix_ms >= since);
            let outline = Outline::of_record(&record);
            let is_listed = order.since_unix_ms.is_none()
                || since(order.since_unix_ms)
                || (outline.allowed && since(order.late_since_unix_ms));
            if is_listed && sieve.wants(&outline) {
                sieve.take(Ok(record));
            }
        }
        sieve.look()
    }

    fn wait(&mut self, record: Record) {
        let brief = Brief::of(&record);
        let origin = brief.origin;
        self.all.push(brief);
        self.whole.insert(urgency(&record), (origin, record));
        let of_one = self.whole.values().filter(|(other, _)| *other == origin).count();
        if of_one > WHOLE_OF_ONE {
            let last = self.whole.iter().rev().find(|(_, (other, _))| *other == origin).map(|(key, _)| key.clone());
            last.map(|last| self.whole.remove(&last));
        } else if self.whole.len() > WHOLE {
            self.whole.pop_last();
        }
    }

    /// What was found. Of two records with one id the later counts.
    pub fn look(self) -> Look {
        // by id, the latest first
        let mut rest = self.all;
        rest.reverse();
        rest.sort_by(|a, b| a.approval_id().cmp(b.approval_id()));
        rest.dedup_by(|later, first| later.approval_id() == first.approval_id());
        let mut whole: Vec<_> = self.whole.into_values().map(|(_, record)| record).collect();
        whole.retain(|record| {
            let found = rest.binary_search_by(|brief| brief.approval_id().cmp(&record.approval_id));
            // no longer there, or another version of it: that one is counted only
            found.is_ok_and(|at| rest[at].digest == record::digest_bytes(&record.raw))
        });
        let ids: std::collections::BTreeSet<_> = whole.iter().map(|record| record.approval_id.clone()).collect();
        rest.retain(|brief| !ids.contains(brief.approval_id()));
        whole.extend(self.allowed.into_values());
        Look {
            records: whole,
            rest,
            newest_requested_at: self.newest_requested_at,
            unreadable: self.unreadable,
            over: self.over,
            not_allowed: self.not_allowed,
        }
    }
}
