//! Approvals that are over without having been allowed, remembered so that a later allowance of one is seen. The gateway
//! takes the last word, whenever it comes, and its list has no order by that.

use std::collections::VecDeque;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::core::record::{Outline, Record};

/// So many are remembered: those of the newest requests.
pub const OVER: usize = 4_096;

/// Time of the request, and the id as a number: less than a tenth of the id's own room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(i64, u64);

impl Mark {
    /// By these.
    pub fn new(requested_at_unix_ms: i64, approval_id: &str) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(approval_id));
        Self(requested_at_unix_ms, u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }

    /// Of this record.
    pub fn of(record: &Record) -> Self {
        Self::new(record.requested_at_unix_ms, &record.approval_id)
    }

    /// Of the record with this outline; `None` when it has no usable id.
    pub fn outlined(outline: &Outline) -> Option<Self> {
        let id = outline.approval_id.as_deref()?;
        Some(Self::new(outline.requested_at_unix_ms.unwrap_or_default(), id))
    }
}

/// See above. Sorted; cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Over(Arc<VecDeque<Mark>>);

impl Over {
    /// One is over.
    pub fn insert(&mut self, mark: Mark) {
        let Err(at) = self.0.binary_search(&mark) else { return };
        let is_full = self.0.len() >= OVER;
        if is_full && at == 0 {
            return;
        }
        let marks = Arc::make_mut(&mut self.0);
        marks.insert(at, mark);
        if is_full {
            marks.pop_front();
        }
    }

    /// These are over too.
    pub fn extend(&mut self, others: &Self) {
        others.0.iter().for_each(|mark| self.insert(*mark));
    }

    /// It was allowed after all; whether it was in here.
    pub fn remove(&mut self, mark: Mark) -> bool {
        let found = self.0.binary_search(&mark);
        found.is_ok_and(|at| Arc::make_mut(&mut self.0).remove(at).is_some())
    }

    /// It is in here.
    pub fn contains(&self, mark: Mark) -> bool {
        self.0.binary_search(&mark).is_ok()
    }

    /// Time of the oldest one's request.
    pub fn oldest_unix_ms(&self) -> Option<i64> {
        self.0.front().map(|mark| mark.0)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
