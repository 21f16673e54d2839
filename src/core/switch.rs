//! A change from one profile to another, as it is kept on the disk. Whatever happens in the middle of it, the next start finds
//! one of the two, whole, and goes on from the stage that is written here.
//!
//! ```text
//! Leaving ── all is down ──→ Trying ── ready ──→ Done
//!    │ (on the old one)         │ (on the new one)
//!    │ does not stop            │ not ready in time, given up, no secrets
//!    ↓                          ↓
//! Returned ←── all is down ── Returning
//! ```
//!
//! Each arrow is written before it is acted on. From one profile to the other the agent begins anew, as at its start: nothing
//! of the old profile (tokens, paths, what is watched) can be left in use.

pub mod forms;

use serde::{Deserialize, Serialize};

use crate::protocol::ServiceId;
use crate::words;

/// All of the old profile is down within this time, milliseconds; else nothing is changed.
pub const LEAVE_MS: u64 = 20_000;
/// The new one is ready within this time, milliseconds: a slow start, and one after it.
pub const TRY_MS: u64 = 75_000;
/// So long it stays ready before the change is over, milliseconds: one that ends right after its start was ready, too.
pub const HOLD_MS: u64 = 3_000;
/// Profiles that are kept as recent ones.
pub const MAX_RECENT: usize = 6;

/// The change that is under way, or the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// Where it began.
    pub from: String,
    /// Where it is to lead.
    pub to: String,
    /// When it began.
    pub at_unix_ms: i64,
    /// What ran of the old one, and was stopped.
    pub stopped: Vec<ServiceId>,
    /// How far it is.
    pub stage: Stage,
    /// Why it went back; empty: it did not.
    #[serde(default)]
    pub why: String,
    /// The person was told how it ended.
    #[serde(default)]
    pub told: bool,
}

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// What runs of the old profile is being stopped.
    Leaving,
    /// The new one is being started.
    Trying,
    /// That did not work: what runs of it is being stopped.
    Returning,
    /// On the old one again.
    Returned,
    /// On the new one.
    Done,
}

impl Stage {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leaving => "leaving",
            Self::Trying => "trying",
            Self::Returning => "returning",
            Self::Returned => "returned",
            Self::Done => "done",
        }
    }
}

impl Switch {
    /// It is not over.
    pub const fn is_under_way(&self) -> bool {
        matches!(self.stage, Stage::Leaving | Stage::Trying | Stage::Returning)
    }

    /// Nothing may run now.
    pub const fn keeps_down(&self) -> bool {
        matches!(self.stage, Stage::Leaving | Stage::Returning)
    }

    /// How it ended, in words: title and body. `on`: the label of the profile that is active now.
    pub fn words(&self, on: &str) -> (String, String) {
        let names: Vec<_> = self.stopped.iter().map(ToString::to_string).collect();
        let stopped = match names.as_slice() {
            [] => words::profiles::nothing_of_it_ran(&self.from),
            names => words::profiles::stopped_of_it(&self.from, names.join(", ")),
        };
        if self.stage == Stage::Done {
            return (words::profiles::now_on_profile(on), stopped);
        }
        let why = self.why.trim_end_matches('.');
        let again = match names.as_slice() {
            [] => String::new(),
            names => words::profiles::stopped_and_started_again(names.join(", ")),
        };
        (words::profiles::still_on_profile(on), words::profiles::was_taken_back(&self.to, why, &again))
    }
}
