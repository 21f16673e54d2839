//! The profiles of the `palyra` command line: its registry, read leniently, and which one the tray is on.
//!
//! A profile is a Palyra of its own: runtime root, config, identity, vault. The tray adds one that is always there,
//! [`IMPLICIT`], for a machine without a registry. The registry belongs to the command line and is never written here.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::{ConfigError, Environment, Paths};

use crate::words;

/// The profile that needs no registry.
pub const IMPLICIT: &str = "desktop-local";
/// The only version of the registry there is.
const VERSION: i64 = 1;
/// Longest name, as the command line has it.
const MAX_NAME_BYTES: usize = 64;
/// Longest text that is kept of a label or the like, characters.
const MAX_TEXT_CHARS: usize = 80;
/// A larger registry is none.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// What the registry holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// By name; [`IMPLICIT`] is always among them.
    pub profiles: BTreeMap<String, Entry>,
    /// Entries that are left out, each with why, in words.
    pub left_out: Vec<String>,
}

/// One profile. Nothing secret: the tokens that the command line may keep there are not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name: a file name of `a-z 0-9 - _ .`
    pub name: String,
    /// For people; as it was written, so show it escaped.
    pub label: String,
    /// `production`, `local`, …
    pub environment: String,
    /// `high`, `elevated`, `low`, …
    pub risk_level: String,
    /// Changing to it asks first.
    pub strict: bool,
    /// Its gateway is on another machine.
    pub remote: bool,
    /// Its config.
    pub config: Option<PathBuf>,
    /// Its runtime root.
    pub state_root: Option<PathBuf>,
    /// It stands in the registry.
    pub registered: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Raw {
    config_path: Option<String>,
    state_root: Option<String>,
    daemon_url: Option<String>,
    label: Option<String>,
    environment: Option<String>,
    risk_level: Option<String>,
    strict_mode: bool,
    mode: Option<String>,
}

/// What the agent's own state says about it; the rest of that file is read elsewhere.
#[derive(Deserialize, Default)]
struct Remembered {
    #[serde(default)]
    active_profile: String,
    #[serde(default)]
    switch: Option<Origin>,
}

#[derive(Deserialize)]
struct Origin {
    from: String,
}

impl Registry {
    /// Reads it. A file that is not there is an empty one.
    ///
    /// # Errors
    /// It cannot be read, is not TOML, or is of another version; one sentence.
    pub fn read(env: &Environment, state_root: &Path) -> Result<Self, ConfigError> {
        let path = registry_path(env, state_root);
        if !path.is_absolute() {
            return Err(super::not_absolute("PALYRA_CLI_PROFILES_PATH", &path));
        }
        let shown = path.display();
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => "version = 1".to_owned(),
            Err(error) => return Err(ConfigError(words::profiles::registry_cannot_be_read(&shown, &error))),
        };
        Self::parse(&text, path.clone()).map_err(|why| ConfigError(format!("{shown} {why}")))
    }

    fn parse(text: &str, path: PathBuf) -> Result<Self, String> {
        // what TOML's errors quote of the file may be a token
        let table: toml::Table = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            words::profiles::is_not_valid_toml(line)
        })?;
        match table.get("version").and_then(toml::Value::as_integer) {
            Some(VERSION) => {}
            Some(other) => {
                return Err(words::profiles::has_another_version(other));
            }
            None => return Err(words::profiles::NAMES_NO_VERSION.to_owned()),
        }
        let profiles = BTreeMap::from([(IMPLICIT.to_owned(), Entry::implicit())]);
        let mut registry = Self { path, profiles, left_out: Vec::new() };
        let none = toml::Table::new();
        let profiles = match table.get("profiles") {
            None => &none,
            Some(profiles) => profiles.as_table().ok_or(words::profiles::HAS_NO_TABLE_OF_PROFILES)?,
        };
        for (name, value) in profiles {
            match entry(name, value) {
                Ok(entry) => drop(registry.profiles.insert(name.clone(), entry)),
                Err(why) => registry.left_out.push(format!("{}: {why}", name.escape_debug())),
            }
        }
        Ok(registry)
    }

    /// One of them.
    ///
    /// # Errors
    /// There is none of that name; a sentence that names those there are.
    pub fn get(&self, name: &str) -> Result<&Entry, ConfigError> {
        self.profiles.get(name).ok_or_else(|| {
            let names: Vec<_> = self.profiles.keys().map(String::as_str).collect();
            ConfigError(words::profiles::there_is_no_profile(name.escape_debug(), names.join(", ")))
        })
    }
}

impl Default for Entry {
    fn default() -> Self {
        Self::implicit()
    }
}

impl Entry {
    /// The one that needs no registry.
    pub fn implicit() -> Self {
        let entry = Self {
            name: IMPLICIT.to_owned(),
            label: words::profiles::DESKTOP_LOCAL.to_owned(),
            environment: String::new(),
            risk_level: String::new(),
            strict: false,
            remote: false,
            config: None,
            state_root: None,
            registered: false,
        };
        entry.derived(None)
    }

    /// Fills in what was not said.
    fn derived(mut self, daemon_url: Option<&str>) -> Self {
        let loopback = |url: &str| url.contains("127.0.0.1") || url.contains("localhost");
        self.remote |= daemon_url.is_some_and(|url| !loopback(url));
        let or = |text: &mut String, usual: &str| {
            if text.is_empty() {
                usual.clone_into(text);
            }
        };
        or(&mut self.environment, if self.strict || self.remote { "production" } else { "local" });
        let risk = if self.strict {
            "high"
        } else if self.remote {
            "elevated"
        } else {
            "low"
        };
        or(&mut self.risk_level, risk);
        let name = self.name.clone();
        or(&mut self.label, &name);
        self
    }
}

pub(super) fn registry_path(env: &Environment, state_root: &Path) -> PathBuf {
    env.path("PALYRA_CLI_PROFILES_PATH").unwrap_or_else(|| state_root.join("cli").join("profiles.toml"))
}

/// One entry of the registry.
fn entry(name: &str, value: &toml::Value) -> Result<Entry, String> {
    check_name(name)?;
    if name == IMPLICIT {
        return Err(words::profiles::NAME_IS_TAKEN.to_owned());
    }
    let raw: Raw = value.clone().try_into().map_err(|_| words::common::IT_IS_NOT_UNDERSTOOD.to_owned())?;
    let text = |text: Option<String>| -> String {
        text.unwrap_or_default().trim().chars().take(MAX_TEXT_CHARS).collect::<String>()
    };
    let place = |path: Option<String>, what: &str| match path.map(|path| path.trim().to_owned()) {
        None => Ok(None),
        Some(path) if path.is_empty() => Ok(None),
        Some(path) => {
            let path = PathBuf::from(path);
            let plain = path.is_absolute() && !path.components().any(|part| part == Component::ParentDir);
            let why = || words::profiles::its_is_not_absolute(what);
            if plain { Ok(Some(path)) } else { Err(why()) }
        }
    };
    let said = text(raw.mode);
    let entry = Entry {
        name: name.to_owned(),
        label: text(raw.label),
        environment: text(raw.environment),
        risk_level: text(raw.risk_level),
        strict: raw.strict_mode,
        remote: said.eq_ignore_ascii_case("remote"),
        config: place(raw.config_path, "config_path")?,
        state_root: place(raw.state_root, "state_root")?,
        registered: true,
    };
    // what it says itself overrules what its address looks like
    Ok(entry.derived(raw.daemon_url.as_deref().map(str::trim).filter(|url| said.is_empty() && !url.is_empty())))
}

/// Names become folders and are shown: the command line's own rule, and no name that a folder cannot have.
fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.chars().all(plain) {
        return Err(words::profiles::name_has_characters(MAX_NAME_BYTES));
    }
    // on Windows a folder loses the dots at its end
    if name.starts_with(['.', '-']) || name.ends_with('.') {
        return Err(words::profiles::NAME_DOES_NOT_BEGIN.to_owned());
    }
    Ok(())
}

impl Paths {
    /// Goes to the profile that the agent is on by its own state. What cannot be had is left for the one that it came from,
    /// then for [`IMPLICIT`]; `profile_trouble` says why.
    pub(super) fn go_to_remembered(&mut self, env: &Environment) {
        let remembered = remembered(&self.state());
        let names = [Some(remembered.active_profile), remembered.switch.map(|switch| switch.from)];
        for name in names.into_iter().flatten().filter(|name| !name.is_empty()) {
            if name == IMPLICIT {
                return;
            }
            match self.in_profile(env, &name) {
                Ok(paths) => {
                    let trouble = self.profile_trouble.take();
                    *self = Self { profile_trouble: trouble, ..paths };
                    return;
                }
                Err(error) => drop(self.profile_trouble.get_or_insert(error.0)),
            }
        }
    }

    /// The places of a profile; looks at the registry and the disk, makes nothing.
    ///
    /// # Errors
    /// There is none of that name, or it cannot be used here; one sentence.
    pub fn in_profile(&self, env: &Environment, name: &str) -> Result<Self, ConfigError> {
        let registry = Registry::read(env, &self.state_root)?;
        let entry = registry.get(name)?.clone();
        if name == IMPLICIT {
            return Self::implicit(env);
        }
        let folder = self.state_root.join("profiles").join(name);
        // an own folder is like a state root of the command line; the usual one lies beside its stores
        let (runtime_root, stores) = match &entry.state_root {
            Some(root) => (root.clone(), root.clone()),
            None => (folder.join("state"), folder.clone()),
        };
        let (config, config_is_new) = match &entry.config {
            Some(config) if config.is_file() => (config.clone(), false),
            Some(config) => {
                return Err(ConfigError(words::profiles::config_is_not_file(name, config.display())));
            }
            None => {
                let config = folder.join("config").join("palyra.toml");
                let is_new = !config.is_file();
                (config, is_new)
            }
        };
        Ok(Self {
            runtime_root,
            browser_state: None,
            identity: stores.join("identity"),
            vault: stores.join("vault"),
            config,
            config_is_new,
            profile_own: self.own.join("profiles").join(name),
            profile: entry,
            registry: registry.path,
            profile_trouble: None,
            ..self.clone()
        })
    }
}

fn remembered(state: &Path) -> Remembered {
    // while the file is torn its last good copy is what the agent goes by
    let copy = super::settings::last_good(state);
    [state, copy.as_path()]
        .into_iter()
        .find_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok())
        .unwrap_or_default()
}

fn read(path: &Path) -> io::Result<String> {
    let file = fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, words::common::IT_IS_NO_FILE));
    }
    let mut text = String::new();
    if file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)? as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, words::profiles::IT_IS_TOO_LARGE));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Registry, String> {
        Registry::parse(text, PathBuf::from("/x/profiles.toml"))
    }

    #[test]
    fn what_is_not_known_is_passed_over_and_what_is_not_said_is_derived() {
        let root = if cfg!(windows) { "C:/srv/p" } else { "/srv/p" };
        let registry = parse(&format!(
            "version = 1\ndefault_profile = \"work\"\nnew_thing = [1]\n\
             [profiles.work]\nlabel = \" Work \"\nadmin_token = \"secret\"\nlater = {{ a = 1 }}\n\
             [profiles.prod]\nstrict_mode = true\nstate_root = \"{root}\"\n\
             [profiles.far]\ndaemon_url = \"https://palyra.example:7142\"\n\
             [profiles.near]\ndaemon_url = \"http://127.0.0.1:7142\"\n\
             [profiles.said]\nmode = \"local\"\ndaemon_url = \"https://palyra.example\"\n",
        ))
        .unwrap();
        assert!(registry.left_out.is_empty(), "{:?}", registry.left_out);
        let names: Vec<_> = registry.profiles.keys().map(String::as_str).collect();
        assert_eq!(names, ["desktop-local", "far", "near", "prod", "said", "work"]);
        let of = |name: &str| {
            let it = registry.get(name).unwrap();
            (it.label.as_str(), it.environment.as_str(), it.risk_level.as_str(), it.strict, it.remote)
        };
        assert_eq!(of("work"), ("Work", "local", "low", false, false));
        assert_eq!(of("prod"), ("prod", "production", "high", true, false));
        assert_eq!(of("far"), ("far", "production", "elevated", false, true));
        assert!(!of("near").4 && !of("said").4);
        assert_eq!(of(IMPLICIT), ("Desktop local", "local", "low", false, false));
        assert!(!format!("{registry:?}").contains("secret"), "tokens are not read");
    }

    #[test]
    fn names_and_places_that_lead_elsewhere_are_left_out() {
        for name in [
            "../x",
            "a/b",
            "",
            ".",
            "..",
            ".hidden",
            "-rf",
            "end.",
            "Work",
            "w\\u0007",
            "\\u202Ex",
            "ä",
            "desktop-local",
        ] {
            let registry = parse(&format!("version = 1\n[profiles.\"{name}\"]\nlabel = \"x\"\n")).unwrap();
            assert_eq!((registry.profiles.len(), registry.left_out.len()), (1, 1), "{name}");
            assert!(!registry.left_out[0].contains('\u{7}') && !registry.left_out[0].contains('\u{202e}'), "{name}");
        }
        let long = "a".repeat(65);
        assert_eq!(parse(&format!("version = 1\n[profiles.{long}]\n")).unwrap().left_out.len(), 1);
        for more in ["config_path = \"here\"", "state_root = \"/a/../b\"", "strict_mode = \"yes\"", "label = 7"] {
            let registry = parse(&format!("version = 1\n[profiles.a]\n{more}\n[profiles.b]\n")).unwrap();
            assert_eq!(registry.left_out.len(), 1, "{more}");
            assert!(registry.get("b").is_ok() && registry.get("a").is_err(), "{more}: the others stay");
        }
    }

    #[test]
    fn another_version_or_no_registry_is_told() {
        assert!(parse("version = 2\n").unwrap_err().contains("version 2"));
        assert!(parse("[profiles.a]\n").unwrap_err().contains("names no version"));
        assert!(parse("version = 1\nprofiles = 7\n").unwrap_err().contains("no table of profiles"));
        let torn = parse("version = 1\nadmin_token = \"secret").unwrap_err();
        assert!(torn.contains("line 2") && !torn.contains("secret"), "{torn}");
    }

    #[cfg(unix)]
    #[test]
    fn the_places_of_a_profile_are_its_own_and_follow_what_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let env = Environment::of(&[("PALYRA_STATE_ROOT", root)], Path::new("/x/palyra-tray"));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let usual = Paths::find(&env).unwrap();
        assert_eq!((usual.profile.name.as_str(), &usual.profile_own), (IMPLICIT, &usual.own));
        let registry =
            |state_root: &str| format!("version = 1\n[profiles.work]\n[profiles.own]\nstate_root = \"{state_root}\"\n");
        write("cli/profiles.toml", &registry("/srv/p"));
        write("tray/state.json", r#"{"version":2,"active_profile":"work","switch":null}"#);
        let work = Paths::find(&env).unwrap();
        assert_eq!(work.profile.name, "work");
        assert_eq!(work.runtime_root, root.join("profiles/work/state"));
        assert_eq!(work.identity, root.join("profiles/work/identity"));
        assert_eq!(work.config, root.join("profiles/work/config/palyra.toml"));
        assert_eq!((&work.own, &work.profile_own), (&root.join("tray"), &root.join("tray/profiles/work")));
        assert_eq!((&work.socket, &work.qualifier), (&usual.socket, &usual.qualifier), "one agent for all of them");
        let own = work.in_profile(&env, "own").unwrap();
        assert_eq!((own.runtime_root, own.vault), (PathBuf::from("/srv/p"), PathBuf::from("/srv/p/vault")));
        assert_eq!(work.in_profile(&env, IMPLICIT).unwrap().runtime_root, usual.runtime_root);
        // one that is gone leads to where a change to it began, and then to the usual one
        write("tray/state.json", r#"{"active_profile":"gone","switch":{"from":"work","to":"gone"}}"#);
        let back = Paths::find(&env).unwrap();
        assert_eq!(back.profile.name, "work");
        assert!(back.profile_trouble.unwrap().contains("there is no profile gone"));
        write("tray/state.json", r#"{"active_profile":"gone"}"#);
        let back = Paths::find(&env).unwrap();
        assert_eq!((back.profile.name.as_str(), back.profile_trouble.is_some()), (IMPLICIT, true));
    }
}
