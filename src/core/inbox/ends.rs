//! When what waited ends, also after that: a clock that is set back brings none of it back.
//!
//! What is remembered for long, here and beside, is a few numbers in one piece each: a text of its own for every approval,
//! between the larger ones of a look that come and go, would hold a page of memory each.

use sha2::{Digest as _, Sha256};

/// So many are remembered: those that end last.
pub const ENDS: usize = 1_024;

/// Sixteen bytes that stand for these texts.
pub fn fingerprint(texts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text);
        hash.update([0]); // in none of them
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

/// By approval and version of it; monotonic times, milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Ends(Vec<([u8; 16], u64)>);

impl Ends {
    /// The end of this version of the approval: the one that is remembered, else `end`, which is from now on.
    pub fn of(&mut self, approval_id: &str, digest: &str, end: u64) -> u64 {
        let which = fingerprint(&[approval_id, digest]);
        if let Some((_, known)) = self.0.iter().find(|(known, _)| *known == which) {
            return *known;
        }
        if self.0.len() >= ENDS
            && let Some(first) = self.0.iter().enumerate().min_by_key(|(_, (_, end))| *end).map(|(at, _)| at)
        {
            self.0.swap_remove(first);
        }
        self.0.push((which, end));
        end
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
