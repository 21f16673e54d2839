//! What two looks at the config can be compared by: which keys changed, and whether it was written at all.
//!
//! Values are kept as numbers that mean something within this process only, so that no secret is kept or shown.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hash};
use std::path::Path;
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use secrecy::{ExposeSecret, SecretString};

use super::PalyraConfig;
use crate::config::ConfigError;

/// The config at one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigFacts {
    /// What of it concerns us.
    pub config: PalyraConfig,
    /// Stands for every byte.
    pub content: u64,
    /// Differs after each write, also one that changed nothing.
    pub written: u64,
    /// When it was last written, milliseconds since the epoch; 0 where the system does not tell.
    pub modified_unix_ms: i64,
    /// Every value by its dotted key; a list is one value.
    pub keys: BTreeMap<String, u64>,
    /// The key of the browser's state that lies in Palyra's vault; absent where the config names none, or it was not read.
    pub browser_key: Option<u64>,
}

/// When and as what a file was written.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Written {
    stands_for: u64,
    modified_unix_ms: i64,
}

impl Written {
    pub(super) fn of(path: &Path) -> Self {
        let Ok(metadata) = fs::metadata(path) else { return Self::default() };
        let modified = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        #[cfg(unix)]
        let file = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let file = 0_u64;
        Self {
            stands_for: number(&(modified, file)),
            modified_unix_ms: modified.and_then(|at| i64::try_from(at.as_millis()).ok()).unwrap_or(0),
        }
    }
}

impl ConfigFacts {
    /// The facts of a text that was not read from a file; `written` differs for each write.
    ///
    /// # Errors
    /// The text is not TOML.
    pub fn of_text(text: &str, written: u64) -> Result<Self, ConfigError> {
        let path = Path::new("palyra.toml");
        let table = super::parse(text, path)?;
        let (config, _) = PalyraConfig::of(&table, path);
        Ok(Self::new(config, text, &table, Written { stands_for: written, modified_unix_ms: 0 }))
    }

    pub(super) fn new(config: PalyraConfig, text: &str, table: &toml::Table, written: Written) -> Self {
        let mut keys = BTreeMap::new();
        flatten("", table, &mut keys);
        Self {
            config,
            content: number(text),
            written: written.stands_for,
            modified_unix_ms: written.modified_unix_ms,
            keys,
            browser_key: None,
        }
    }

    /// With what the vault holds under the name that the config gives.
    #[must_use]
    pub fn with_browser_key(self, value: &SecretString) -> Self {
        Self { browser_key: Some(number(value.expose_secret())), ..self }
    }
}

fn flatten(above: &str, table: &toml::Table, keys: &mut BTreeMap<String, u64>) {
    for (name, value) in table {
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, keys),
            other => {
                keys.insert(key, number(&format!("{other:?}")));
            }
        }
    }
}

fn number(value: &(impl Hash + ?Sized)) -> u64 {
    static SECRET: OnceLock<RandomState> = OnceLock::new();
    SECRET.get_or_init(RandomState::new).hash_one(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_told_from_a_change_and_a_change_from_another_look_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("palyra.toml");
        let look = || PalyraConfig::look(&path).unwrap().2;
        fs::write(&path, "[daemon]\nport = 9142 # mine\n").unwrap();
        let first = look();
        assert_eq!(look(), first);
        std::thread::sleep(std::time::Duration::from_millis(20)); // a file system's clock is coarse
        fs::write(&path, "[daemon]\nport = 9142 # mine\n").unwrap();
        let touched = look();
        assert!(touched.content == first.content && touched.written != first.written);
        let fresh = dir.path().join("new");
        fs::write(&fresh, "daemon = { port = 9142 }\n").unwrap();
        fs::rename(&fresh, &path).unwrap();
        let reformatted = look();
        assert!(reformatted.content != first.content && reformatted.keys == first.keys);
        fs::write(&path, "daemon = { port = 9143 }\n").unwrap();
        assert_ne!(look().keys, first.keys);
    }

    #[test]
    fn no_value_is_kept() {
        let facts = ConfigFacts::of_text("[admin]\nauth_token = \"s3cret\"\n[[list]]\na = \"s3cret\"\n", 1).unwrap();
        assert!(!format!("{facts:?}").contains("s3cret"));
        assert_eq!(facts.keys.keys().collect::<Vec<_>>(), ["admin.auth_token", "list"]);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_and_not_by_what_is_there() {
        let error = ConfigFacts::of_text("version = 1\n[admin]\nauth_token = \"s3cret\n", 1).unwrap_err().to_string();
        assert!(error.contains("line 3") && !error.contains("s3cret"), "{error}");
    }
}
