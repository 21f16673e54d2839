//! What a start was made of, and what of that has changed since the last good one.
//!
//! Only names leave a fingerprint. Values are compared by a short, salted hash: 32 bits tell a change from none, and fit
//! so many values that nobody can be sure to have guessed one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::protocol::RunId;
use crate::words;

/// Version of the record.
pub const VERSION: u32 = 1;
/// Names told of one kind of change at most.
const TOLD: usize = 6;
/// Variables that differ from one login, terminal or service start to the next and mean nothing to a sidecar.
const RESTLESS: [&str; 21] = [
    "_",
    "COLUMNS",
    "DESKTOP_STARTUP_ID",
    "GIO_LAUNCHED_DESKTOP_FILE",
    "GIO_LAUNCHED_DESKTOP_FILE_PID",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LINES",
    "MEMORY_PRESSURE_WATCH",
    "MEMORY_PRESSURE_WRITE",
    "MANAGERPID",
    "OLDPWD",
    "PALYRA_TRAY_RUN_ID",
    "PWD",
    "SHLVL",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SYSTEMD_EXEC_PID",
    "WINDOWID",
    "XDG_ACTIVATION_TOKEN",
    "XDG_SESSION_ID",
];

/// What a start is made of: `launch.json` of the run directory, and `good.json` once it was ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// [`VERSION`]
    pub version: u32,
    /// Of which run.
    pub run_id: RunId,
    /// Random; the same in every fingerprint that can be compared.
    pub salt: String,
    /// The executable; absent when it could not be looked at.
    pub program: Option<Program>,
    /// The config file; absent when it could not be read.
    pub config: Option<Config>,
    /// Name and hash of each variable.
    pub environment: BTreeMap<String, String>,
    /// Wall clock at which it was ready; only in `good.json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at_unix_ms: Option<i64>,
    /// The version that the ready sidecar said it is; empty when it says none.
    #[serde(default)]
    pub sidecar_version: String,
}

/// An executable as its file tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Where.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Wall clock of its last change, milliseconds.
    pub modified_unix_ms: i64,
}

/// A config as hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Where.
    pub path: String,
    /// Of the whole text.
    pub content: String,
    /// Dotted name and hash of each value; absent when it is not TOML.
    pub keys: Option<BTreeMap<String, String>>,
}

impl Config {
    /// Of a text.
    pub fn of(path: String, text: &str, salt: &str) -> Self {
        let keys = text.parse::<toml::Table>().ok().map(|table| {
            let mut keys = BTreeMap::new();
            flatten("", &table, salt, &mut keys);
            keys
        });
        Self { path, content: hash(salt, "", text.as_bytes()), keys }
    }
}

fn flatten(above: &str, table: &toml::Table, salt: &str, keys: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let name = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        match value {
            toml::Value::Table(table) if !table.is_empty() => flatten(&name, table, salt, keys),
            other => {
                keys.insert(name.clone(), hash(salt, &name, format!("{other:?}").as_bytes()));
            }
        }
    }
}

/// Name and hash of each variable that can matter.
pub fn environment<'a>(variables: impl Iterator<Item = (&'a str, &'a [u8])>, salt: &str) -> BTreeMap<String, String> {
    variables
        .filter(|(name, _)| !RESTLESS.contains(name))
        .map(|(name, value)| (name.to_owned(), hash(salt, name, value)))
        .collect()
}

/// Salted with `salt` and the name, so that equal values of two names look different.
fn hash(salt: &str, name: &str, value: &[u8]) -> String {
    let mut digest = Sha256::new();
    for part in [salt.as_bytes(), name.as_bytes(), value] {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// What differs from the last good start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Wall clock of that start.
    pub since_unix_ms: i64,
    /// The version that the sidecar had then; empty when it said none.
    pub good_version: String,
    /// The executable.
    pub program: ProgramChange,
    /// The config's text.
    pub config: bool,
    /// It cannot be read as TOML now.
    pub config_broken: bool,
    /// Where it is now, if that is another place.
    pub config_moved_to: Option<String>,
    /// Its keys: names only.
    pub config_keys: Names,
    /// The environment: names only.
    pub environment: Names,
}

/// What became of an executable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProgramChange {
    /// The same file.
    #[default]
    Same,
    /// Another file at the same place.
    Replaced,
    /// Another place.
    Moved {
        /// Then.
        from: String,
        /// Now.
        to: String,
    },
    /// It is not there any more.
    Gone,
}

/// What came, went and became another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Names {
    /// Not there before.
    pub added: Vec<String>,
    /// Not there any more.
    pub removed: Vec<String>,
    /// Another value.
    pub changed: Vec<String>,
}

impl Names {
    fn between(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Self {
        let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        let mut found = Self::default();
        for name in names {
            match (before.get(name), now.get(name)) {
                (None, _) => found.added.push(name.clone()),
                (_, None) => found.removed.push(name.clone()),
                (before, now) if before != now => found.changed.push(name.clone()),
                _ => {}
            }
        }
        found
    }

    fn in_words(&self) -> String {
        let kinds = [("", &self.changed), ("new: ", &self.added), ("gone: ", &self.removed)];
        let parts = kinds.into_iter().filter(|(_, names)| !names.is_empty()).map(|(word, names)| {
            let told: Vec<_> = names.iter().take(TOLD).map(|name| crate::core::describe::visible(name)).collect();
            let more = names.len().saturating_sub(TOLD);
            let more = if more == 0 { String::new() } else { words::common::and_more(more) };
            format!("{word}{}{more}", told.join(", "))
        });
        parts.collect::<Vec<_>>().join("; ")
    }
}

/// What differs now. Fingerprints with different salts cannot be compared.
pub fn changes(good: &Fingerprint, now: &Fingerprint) -> Option<Changes> {
    let since_unix_ms = good.ready_at_unix_ms.filter(|_| good.salt == now.salt)?;
    let program = match (&good.program, &now.program) {
        (Some(before), Some(now)) if before.path != now.path => {
            ProgramChange::Moved { from: before.path.clone(), to: now.path.clone() }
        }
        (Some(before), Some(now)) if before != now => ProgramChange::Replaced,
        (Some(_), None) => ProgramChange::Gone,
        _ => ProgramChange::Same,
    };
    let none = BTreeMap::new();
    let keys = |config: &Option<Config>| config.as_ref().and_then(|config| config.keys.clone());
    let config_broken = now.config.as_ref().is_some_and(|config| config.keys.is_none());
    Some(Changes {
        since_unix_ms,
        good_version: good.sidecar_version.clone(),
        program,
        config: good.config != now.config,
        config_broken,
        config_moved_to: now
            .config
            .as_ref()
            .filter(|now| good.config.as_ref().is_some_and(|good| good.path != now.path))
            .map(|now| now.path.clone()),
        config_keys: if config_broken {
            Names::default()
        } else {
            Names::between(&keys(&good.config).unwrap_or(none.clone()), &keys(&now.config).unwrap_or(none))
        },
        environment: Names::between(&good.environment, &now.environment),
    })
}

impl Changes {
    /// What differs, one thing a line; empty when nothing does.
    pub fn in_words(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.program {
            ProgramChange::Same => {}
            ProgramChange::Replaced if self.good_version.is_empty() => {
                lines.push(words::services::ends::PROGRAM_WAS_REPLACED.to_owned());
            }
            ProgramChange::Replaced => lines.push(words::services::ends::program_was_replaced(&self.good_version)),
            ProgramChange::Moved { from, to } => lines.push(words::services::ends::program_is(to, from)),
            ProgramChange::Gone => lines.push(words::services::ends::PROGRAM_IS_NOT_THERE_ANY_MORE.to_owned()),
        }
        let keys = self.config_keys.in_words();
        if self.config && self.config_broken {
            lines.push(words::services::ends::CONFIG_IT_CANNOT_BE_READ.to_owned());
        } else if !keys.is_empty() {
            lines.push(format!("config: {keys}"));
        } else if self.config && self.config_moved_to.is_none() {
            lines.push(words::services::ends::CONFIG_COMMENTS_OR_ORDER_ONLY.to_owned());
        }
        if let Some(path) = &self.config_moved_to {
            lines.push(words::services::ends::config_it_is_now(path));
        }
        let environment = self.environment.in_words();
        if !environment.is_empty() {
            lines.push(format!("environment: {environment}"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(config: &str, variables: &[(&str, &str)]) -> Fingerprint {
        let variables = variables.iter().map(|(name, value)| (*name, value.as_bytes()));
        Fingerprint {
            version: VERSION,
            run_id: RunId("r".to_owned()),
            salt: "salt".to_owned(),
            program: Some(Program { path: "/b/palyrad".to_owned(), bytes: 10, modified_unix_ms: 5 }),
            config: Some(Config::of("/c.toml".to_owned(), config, "salt")),
            environment: environment(variables, "salt"),
            ready_at_unix_ms: Some(1_000),
            sidecar_version: "0.1.0".to_owned(),
        }
    }

    #[test]
    fn names_are_told_and_values_never() {
        let good =
            print("[admin]\nauth_token = \"hunter2\"\n[a]\nb = 1\nc = [1]\n", &[("KEPT", "1"), ("GONE", "hunter3")]);
        let now =
            print("[admin]\nauth_token = \"hunter4\"\n[a]\nc = [1]\nd = {}\n", &[("KEPT", "2"), ("NEW", "hunter5")]);
        let changes = changes(&good, &now).unwrap();
        assert_eq!(changes.config_keys.changed, ["admin.auth_token"]);
        assert_eq!(
            (changes.config_keys.added.clone(), changes.config_keys.removed.clone()),
            (vec!["a.d".to_owned()], vec!["a.b".to_owned()])
        );
        assert_eq!(
            changes.in_words(),
            ["config: admin.auth_token; new: a.d; gone: a.b", "environment: KEPT; new: NEW; gone: GONE"]
        );
        for kept in [serde_json::to_string(&good).unwrap(), serde_json::to_string(&changes).unwrap()] {
            assert!(!kept.contains("hunter"), "{kept}");
        }
    }

    #[test]
    fn a_hash_needs_the_salt_and_the_name() {
        assert_ne!(hash("a", "n", b"v"), hash("b", "n", b"v"));
        assert_ne!(hash("a", "n", b"v"), hash("a", "m", b"v"));
        assert_ne!(hash("a", "nv", b""), hash("a", "n", b"v"));
        assert_eq!(hash("a", "n", b"v").len(), 8);
        let mut other = print("", &[]);
        other.salt = "another".to_owned();
        assert_eq!(changes(&print("", &[]), &other), None);
    }

    #[test]
    fn nothing_changed_is_nothing_told() {
        let good = print("a = 1\n", &[("A", "1"), ("SHLVL", "1")]);
        assert_eq!(changes(&good, &print("a = 1\n", &[("A", "1"), ("SHLVL", "2")])).unwrap().in_words(), [""; 0]);
        assert_eq!(
            changes(&good, &print("# why\na = 1\n", &[("A", "1")])).unwrap().in_words(),
            ["config: comments or order only"]
        );
        assert_eq!(
            changes(&good, &print("a = \n", &[("A", "1")])).unwrap().in_words(),
            ["config: it cannot be read as TOML now"]
        );
    }

    #[test]
    fn a_program_is_replaced_moved_or_gone() {
        let good = print("", &[]);
        let with =
            |program: Option<Program>| changes(&good, &Fingerprint { program, ..good.clone() }).unwrap().in_words();
        let same = good.program.clone().unwrap();
        assert_eq!(
            with(Some(Program { modified_unix_ms: 6, ..same.clone() })),
            ["the program was replaced (it was 0.1.0)"]
        );
        assert_eq!(with(Some(Program { path: "/d".to_owned(), ..same })), ["the program is /d, it was /b/palyrad"]);
        assert_eq!(with(None), ["the program is not there any more"]);
    }
}
