//! What the set-up keeps between two openings: only what the facts cannot tell.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Step;
use crate::core::notices::cut;
use crate::protocol::setup::{Provider, Reached};

/// Version of the file.
pub const VERSION: u32 = 1;
/// Longest kept reason of a failure, characters.
const MAX_WHY_CHARS: usize = 300;

/// The set-up's own record, `setup.json`. Holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// [`VERSION`]
    pub version: u32,
    /// The welcome was read.
    pub welcomed: bool,
    /// What the checks found was read: their titles, so that only something new is shown again.
    pub seen_findings: BTreeSet<String>,
    /// The data folder was agreed to.
    pub data_folder_chosen: bool,
    /// The provider that was chosen last.
    pub provider: Option<Provider>,
    /// The connection to this provider was tested well.
    pub tested: Option<Provider>,
    /// When the first message was answered, Unix milliseconds.
    pub answered_at_unix_ms: Option<i64>,
    /// The person said that the test notification came, or that it did not.
    pub notifications_seen: Option<bool>,
    /// Start on login was asked about.
    pub autostart_asked: bool,
    /// Left out for now; asked again when the set-up is opened the next time.
    pub skipped: BTreeSet<Step>,
    /// Not wanted; not asked again.
    pub declined: BTreeSet<Step>,
    /// What failed, by step.
    pub failures: BTreeMap<Step, Failures>,
    /// When nothing was left to do, Unix milliseconds.
    pub completed_at_unix_ms: Option<i64>,
    /// Where it stands, for the menu.
    pub reached: Reached,
}

/// Failures of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// The last one, in words.
    pub last: String,
    /// When it was, Unix milliseconds.
    pub at_unix_ms: i64,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            version: VERSION,
            welcomed: false,
            seen_findings: BTreeSet::new(),
            data_folder_chosen: false,
            provider: None,
            tested: None,
            answered_at_unix_ms: None,
            notifications_seen: None,
            autostart_asked: false,
            skipped: BTreeSet::new(),
            declined: BTreeSet::new(),
            failures: BTreeMap::new(),
            completed_at_unix_ms: None,
            reached: Reached::default(),
        }
    }
}

impl Record {
    /// Counts a failure and keeps its words.
    pub fn failed(&mut self, step: Step, why: &str, unix_ms: i64) {
        let failures = self.failures.entry(step).or_default();
        failures.count += 1;
        failures.last = cut(why, MAX_WHY_CHARS);
        failures.at_unix_ms = unix_ms;
    }
}
