//! Credentials that were accepted, kept under the state root. Only what becomes of them is kept, never a key itself: a person
//! who tries the demo may type a real one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::fate::Fate;

/// One accepted credential of a provider.
#[derive(Clone, Serialize, Deserialize)]
pub struct Profile {
    /// `openai`, `anthropic` or `minimax`.
    pub provider: String,
    /// `auth_profile_api_key` or `auth_profile_oauth_access_token`.
    pub source: String,
    /// When it is used.
    pub fate: Fate,
}

/// Everything that is kept.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Kept {
    /// By profile id.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
    /// The Discord bot's, once connected.
    #[serde(default)]
    pub discord: Option<Fate>,
    /// Nodes.
    #[serde(default)]
    pub pairing: super::pairing::Kept,
}

/// The file and what is in it.
pub struct Keeper {
    path: PathBuf,
    kept: Mutex<Kept>,
}

impl Keeper {
    /// Opens the file under `state_root`, whose `data` folder exists.
    pub fn open(state_root: &Path) -> io::Result<Self> {
        let path = state_root.join("data").join("demo-credentials.json");
        let kept = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(error),
        };
        Ok(Self { path, kept: Mutex::new(kept) })
    }

    /// What is kept now.
    pub fn get(&self) -> Kept {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes it, on the disk first.
    pub fn change(&self, change: impl FnOnce(&mut Kept)) -> io::Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = kept.clone();
        change(&mut new);
        let mut file = tempfile::NamedTempFile::new_in(self.path.parent().unwrap_or(Path::new(".")))?;
        serde_json::to_writer(&mut file, &new)?;
        file.persist(&self.path).map_err(|error| error.error)?;
        *kept = new;
        Ok(())
    }
}
