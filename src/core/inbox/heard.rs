//! Allowances that are no news: given here, or told of before. One that was given anew since is news again, as the gateway
//! lets anybody decide again what is decided.

use std::collections::VecDeque;

use super::ends::fingerprint;
use crate::core::record::Record;

/// So many are remembered, the newest.
pub const HEARD: usize = 256;

/// When an allowance was asked for and given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// Wall clock of the request, milliseconds since the epoch.
    pub requested_at_unix_ms: i64,
    /// The gateway's time of the last change.
    pub updated_at_unix_ms: Option<i64>,
}

impl Given {
    /// By this record, which stands as allowed.
    pub fn of(record: &Record) -> Self {
        Self { requested_at_unix_ms: record.requested_at_unix_ms, updated_at_unix_ms: record.updated_at_unix_ms }
    }
}

/// What an allowance is to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// No news.
    Known,
    /// Not known until now.
    First,
    /// Known, and somebody decided once more since, perhaps for longer.
    Anew,
}

/// See above. By approval; `None` while the gateway has not answered to the allowance that is given here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard(VecDeque<([u8; 16], Option<Given>)>);

impl Heard {
    /// It is being allowed here.
    pub fn allows(&mut self, approval_id: &str) {
        self.note(approval_id, None);
    }

    /// It stands as allowed by this record.
    pub fn allowed(&mut self, record: &Record) -> Hearing {
        let given = Given::of(record);
        let known = self.get(&record.approval_id);
        self.note(&record.approval_id, Some(given));
        match known {
            None => Hearing::First,
            Some(Some(known)) if known != given => Hearing::Anew,
            Some(_) => Hearing::Known,
        }
    }

    fn note(&mut self, approval_id: &str, given: Option<Given>) {
        self.forget(approval_id);
        if self.0.len() >= HEARD {
            self.0.pop_front();
        }
        self.0.push_back((fingerprint(&[approval_id]), given));
    }

    /// It does not stand as allowed, or ours did not arrive: whoever allows it now is somebody else.
    pub fn forget(&mut self, approval_id: &str) {
        let which = fingerprint(&[approval_id]);
        self.0.retain(|(known, _)| *known != which);
    }

    /// What is known of it.
    pub fn get(&self, approval_id: &str) -> Option<Option<Given>> {
        if self.0.is_empty() {
            return None;
        }
        let which = fingerprint(&[approval_id]);
        self.0.iter().find(|(known, _)| *known == which).map(|(_, given)| *given)
    }

    /// It was allowed here, or its allowance is told.
    pub fn knows(&self, approval_id: &str) -> bool {
        self.get(approval_id).is_some()
    }

    /// Time of the oldest one's request.
    pub fn oldest_unix_ms(&self) -> Option<i64> {
        self.0.iter().filter_map(|(_, given)| given.map(|given| given.requested_at_unix_ms)).min()
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
