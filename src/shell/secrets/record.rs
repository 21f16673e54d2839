//! What is noted about the secrets, `secrets.record.json`: when each was made, and a rotation that is not over. No value.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::protocol::secrets::SecretName;
use crate::shell::store;

const VERSION: u32 = 1;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    version: u32,
    /// Milliseconds since the epoch.
    pub made: BTreeMap<SecretName, i64>,
    /// A rotation that is not over.
    pub rotating: Option<Rotating>,
    /// The browser's state was encrypted with a key that is no more: it is to be put aside before the browser starts.
    pub state_is_unreadable: bool,
}

/// A rotation on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rotating {
    pub names: Vec<SecretName>,
    /// All new values are stored; otherwise some may be, and nobody uses one of them.
    pub stored: bool,
}

impl Record {
    pub fn read(folder: &Path) -> Self {
        let (record, told) = store::read_json::<Self>(&path(folder), now_ms());
        if let Some(told) = told {
            tracing::warn!("{told}");
        }
        record.unwrap_or_default()
    }

    /// These were made just now.
    pub fn note_made(&mut self, names: &[SecretName]) {
        self.made.extend(names.iter().map(|name| (*name, now_ms())));
        self.state_is_unreadable |= names.contains(&SecretName::BrowserStateKey);
    }

    pub fn write(&mut self, folder: &Path) -> io::Result<()> {
        self.version = VERSION;
        store::write_json(&path(folder), self)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("secrets.record.json")
}

pub(super) fn now_ms() -> i64 {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(unix.as_millis()).unwrap_or(i64::MAX)
}
