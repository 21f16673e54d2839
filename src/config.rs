//! Where things are and what the person prefers. Everything that is read from the environment is read here, once.

pub mod palyra;
pub mod profiles;
pub mod programs;
pub mod remote;
pub mod settings;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::protocol::ServiceId;
use crate::words;

/// Principal of the desktop; passed always.
pub const PRINCIPAL: &str = "admin:desktop-control-center";
/// Device of the desktop; existing sessions hang on it.
pub const DEVICE_ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// The environment as it was at start, as far as it concerns us.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: Vec<(String, OsString)>,
    /// This executable.
    pub executable: PathBuf,
}

/// Variables that are read.
const VARIABLES: &[&str] = &[
    "PALYRA_STATE_ROOT",
    "PALYRA_CONFIG",
    "PALYRA_DESKTOP_PALYRAD_BIN",
    "PALYRA_DESKTOP_BROWSERD_BIN",
    "PALYRA_DESKTOP_PALYRA_BIN",
    "PALYRA_DESKTOP_CONFIG_RELOAD_MODE",
    "PALYRA_GATEWAY_IDENTITY_STORE_DIR",
    "PALYRA_VAULT_DIR",
    "PALYRA_BROWSERD_STATE_DIR",
    "PALYRA_CLI_PROFILES_PATH",
    "PALYRA_TRAY_KEYRING",
    "HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "WAYLAND_DISPLAY",
    "DISPLAY",
    "XDG_CURRENT_DESKTOP",
    "LOCALAPPDATA",
    "APPDATA",
    "PROGRAMDATA",
    "USERPROFILE",
    "PROGRAMFILES",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SystemRoot",
    "COMSPEC",
    "PATH",
    "BROWSER",
    "XDG_CURRENT_DESKTOP",
    "NO_COLOR",
    "RUST_LOG",
    // what dialogs need to know
    "PALYRA_TRAY_DIALOGS",
    "PATH",
    "XDG_CURRENT_DESKTOP",
    "LC_ALL",
    "LC_CTYPE",
    "LANG",
];

impl Environment {
    /// Reads it.
    ///
    /// # Errors
    /// The system does not tell where this executable is.
    pub fn read() -> io::Result<Self> {
        let variables = VARIABLES
            .iter()
            .filter_map(|name| std::env::var_os(name).map(|value| ((*name).to_owned(), value)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        Ok(Self { variables, executable: in_place(std::env::current_exe()?) })
    }

    /// An environment made by hand.
    pub fn of(variables: &[(&str, &Path)], executable: &Path) -> Self {
        let variables =
            variables.iter().map(|(name, value)| ((*name).to_owned(), value.as_os_str().to_owned())).collect();
        Self { variables, executable: executable.to_owned() }
    }

    /// Points everything at this state root, and at nothing else of the person's.
    pub fn isolate(&mut self, state_root: &Path) {
        self.variables.retain(|(name, _)| !name.starts_with("PALYRA_"));
        self.variables.push(("PALYRA_STATE_ROOT".to_owned(), state_root.as_os_str().to_owned()));
    }

    /// What another start must be given to be this same Palyra: our variables that are set, but no state root that it would
    /// find by itself.
    pub fn carried(&self) -> Vec<(String, OsString)> {
        let default = default_state_root(self).map(PathBuf::into_os_string);
        let says_nothing =
            |name: &str, value: &OsString| name == "PALYRA_STATE_ROOT" && Some(value) == default.as_ref();
        self.variables
            .iter()
            .filter(|(name, value)| name.starts_with("PALYRA_") && !says_nothing(name, value))
            .cloned()
            .collect()
    }

    /// Takes over a variable that a start was given; those we do not read are left.
    pub fn set(&mut self, name: &str, value: OsString) {
        if VARIABLES.contains(&name) {
            self.variables.retain(|(known, _)| known != name);
            self.variables.push((name.to_owned(), value));
        }
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&OsString> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The person reloads the config by hand: nothing is restarted because of it.
    pub fn config_is_manual(&self) -> bool {
        let mode =
            self.get("PALYRA_DESKTOP_CONFIG_RELOAD_MODE").map(|mode| mode.to_string_lossy().to_ascii_lowercase());
        mode.is_some_and(|mode| ["manual", "off", "disabled", "false", "0"].contains(&mode.trim()))
    }

    /// There is a display to open windows on.
    pub fn has_display(&self) -> bool {
        cfg!(not(target_os = "linux")) || self.get("WAYLAND_DISPLAY").or_else(|| self.get("DISPLAY")).is_some()
    }

    /// The same, as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }
}

/// Values of the variables whose names say that they are secret, wherever they were set: to be taken out of what is sent to
/// others.
pub fn secret_variables() -> Vec<String> {
    let secret = |name: &OsString| name.to_str().is_some_and(palyra::gives_away);
    std::env::vars_os().filter(|(name, _)| secret(name)).filter_map(|(_, value)| value.into_string().ok()).collect()
}

/// Why the agent cannot know where things are. The words name variable or file, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Every place that the agent knows.
#[derive(Clone, Debug)]
pub struct Paths {
    /// Root of everything Palyra keeps.
    pub state_root: PathBuf,
    /// What the sidecars get as `PALYRA_STATE_ROOT`.
    pub runtime_root: PathBuf,
    /// What is ours alone: `<state_root>/tray`.
    pub own: PathBuf,
    /// Of that, what belongs to the profile: runs, logs, secrets, decisions, messages under way. [`Paths::own`] for the implicit one, else
    /// `<state_root>/tray/profiles/<name>`.
    pub profile_own: PathBuf,
    /// The profile that these places are of.
    pub profile: profiles::Entry,
    /// The registry of profiles, where it is or would be.
    pub registry: PathBuf,
    /// Why it is not the one that the agent was on.
    pub profile_trouble: Option<String>,
    /// Identity store of the sidecars.
    pub identity: PathBuf,
    /// Vault of the sidecars.
    pub vault: PathBuf,
    /// Where the environment wants the browser service's state, if it says.
    browser_state: Option<PathBuf>,
    /// The sidecars' config file, which exists or is made at start.
    pub config: PathBuf,
    /// The config file was not found anywhere: it is ours to make.
    pub config_is_new: bool,
    /// Socket of the running agent.
    pub socket: PathBuf,
    /// Short name of this state root, for names that must differ between two.
    pub qualifier: String,
}

#[derive(Deserialize, Default)]
struct InstallMetadata {
    artifact_kind: Option<String>,
    state_root: Option<PathBuf>,
    config_path: Option<PathBuf>,
}

impl Paths {
    /// Finds them. Looks at the disk, makes nothing.
    ///
    /// # Errors
    /// A variable or the install metadata name something that cannot be used, or there is no home.
    pub fn find(env: &Environment) -> Result<Self, ConfigError> {
        let mut paths = Self::implicit(env)?;
        paths.go_to_remembered(env);
        Ok(paths)
    }

    /// Those of the implicit profile.
    fn implicit(env: &Environment) -> Result<Self, ConfigError> {
        let metadata = install_metadata(env)?;
        let default_root = default_state_root(env);
        let state_root = match (env.path("PALYRA_STATE_ROOT"), metadata.state_root) {
            (Some(root), _) if root.is_absolute() => root,
            (Some(root), _) => return Err(not_absolute("PALYRA_STATE_ROOT", &root)),
            (None, Some(root)) if root.is_absolute() => root,
            (None, Some(root)) => return Err(not_absolute(words::settings::STATE_ROOT_IN_INSTALL_METADATA, &root)),
            (None, None) => default_root
                .clone()
                .ok_or_else(|| ConfigError(words::settings::NO_HOME_DIRECTORY_IS_KNOWN.to_owned()))?,
        };
        let is_default = default_root.as_ref() == Some(&state_root);
        let (config, config_is_new) = find_config(env, metadata.config_path, &state_root, is_default)?;
        for variable in ["PALYRA_GATEWAY_IDENTITY_STORE_DIR", "PALYRA_VAULT_DIR", "PALYRA_BROWSERD_STATE_DIR"] {
            if let Some(path) = env.path(variable).filter(|path| !path.is_absolute()) {
                return Err(not_absolute(variable, &path));
            }
        }
        let own = state_root.join("tray");
        let qualifier = qualifier(&state_root);
        Ok(Self {
            runtime_root: state_root.join("desktop-control-center").join("runtime"),
            browser_state: env.path("PALYRA_BROWSERD_STATE_DIR"),
            identity: env.path("PALYRA_GATEWAY_IDENTITY_STORE_DIR").unwrap_or_else(|| state_root.join("identity")),
            vault: env.path("PALYRA_VAULT_DIR").unwrap_or_else(|| state_root.join("vault")),
            socket: socket_path(env, &own, &qualifier),
            config,
            config_is_new,
            profile_own: own.clone(),
            profile: profiles::Entry::implicit(),
            registry: profiles::registry_path(env, &state_root),
            profile_trouble: None,
            own,
            qualifier,
            state_root,
        })
    }

    /// Takes up what the person chose: the data may lie elsewhere.
    pub fn follow(&mut self, settings: &settings::Settings) {
        // where another profile's data lies is said by the registry
        if let Some(data) = settings.data.as_ref().filter(|_| self.profile.name == profiles::IMPLICIT) {
            self.runtime_root.clone_from(data);
        }
    }

    /// State of the browser service.
    pub fn browser_state(&self) -> PathBuf {
        self.browser_state.clone().unwrap_or_else(|| self.runtime_root.join("browserd"))
    }

    /// A gateway has kept data here before.
    pub fn has_data(&self) -> bool {
        self.runtime_root.join("data").join("journal.sqlite3").exists()
    }

    /// Record of the set-up.
    pub fn set_up(&self) -> PathBuf {
        self.profile_own.join("setup.json")
    }

    /// What the agent remembers.
    pub fn state(&self) -> PathBuf {
        self.own.join("state.json")
    }

    /// There while all agents are paused.
    pub fn paused(&self) -> PathBuf {
        self.profile_own.join("paused.json")
    }

    /// Run directory of a service.
    pub fn run_dir(&self, service: ServiceId) -> PathBuf {
        self.profile_own.join("run").join(service.name())
    }

    /// Newest log file of a service.
    pub fn log(&self, service: ServiceId) -> PathBuf {
        self.profile_own.join("logs").join(format!("{}.log", service.name()))
    }

    /// Record of the decisions.
    pub fn decisions(&self) -> PathBuf {
        self.profile_own.join("decisions.jsonl")
    }

    /// Log of the agent itself.
    pub fn agent_log(&self) -> PathBuf {
        self.own.join("logs").join("tray.log")
    }

    /// Where support bundles are put.
    pub fn support(&self) -> PathBuf {
        self.own.join("support")
    }

    /// The secrets, where no keyring keeps them.
    pub fn secrets_file(&self) -> PathBuf {
        self.profile_own.join("secrets.json")
    }

    /// Folders in which we replace files of our own.
    pub fn folders_of_ours(&self) -> [PathBuf; 3] {
        [self.own.clone(), self.profile_own.clone(), self.state_root.join("desktop-control-center")]
    }

    /// Names the socket, for clients.
    pub fn control_file(&self) -> PathBuf {
        self.own.join("control.json")
    }

    /// Preferences.
    pub fn settings(&self) -> PathBuf {
        self.own.join("settings.toml")
    }
}

fn install_metadata(env: &Environment) -> Result<InstallMetadata, ConfigError> {
    let Some(path) = env.executable.parent().map(|folder| folder.join("install-metadata.json")) else {
        return Ok(InstallMetadata::default());
    };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(InstallMetadata::default()),
        Err(error) => {
            return Err(ConfigError(words::common::cannot_be_read(path.display(), &error)));
        }
    };
    let metadata: InstallMetadata = serde_json::from_str(&text)
        .map_err(|error| ConfigError(words::settings::is_not_understood_mend(path.display(), &error)))?;
    let ours = metadata.artifact_kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("desktop"));
    Ok(if ours { metadata } else { InstallMetadata::default() })
}

/// An executable under the name it was started by. The kernel marks one that was replaced since, as by an upgrade; what
/// stands in its place is what helpers and shims are started from.
fn in_place(executable: PathBuf) -> PathBuf {
    let replaced = executable.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map(PathBuf::from);
    match replaced {
        Some(path) if cfg!(target_os = "linux") && !executable.exists() => path,
        _ => executable,
    }
}

fn default_state_root(env: &Environment) -> Option<PathBuf> {
    if cfg!(windows) {
        return env.path("LOCALAPPDATA").or_else(|| env.path("APPDATA")).map(|folder| folder.join("Palyra"));
    }
    let xdg = env.path("XDG_STATE_HOME").filter(|path| path.is_absolute());
    xdg.or_else(|| Some(env.path("HOME")?.join(".local").join("state"))).map(|folder| folder.join("palyra"))
}

fn find_config(
    env: &Environment,
    metadata: Option<PathBuf>,
    state_root: &Path,
    is_default: bool,
) -> Result<(PathBuf, bool), ConfigError> {
    if let Some(path) = env.path("PALYRA_CONFIG") {
        if !path.is_absolute() {
            return Err(not_absolute("PALYRA_CONFIG", &path));
        }
        if path.is_file() {
            return Ok((path, false));
        }
        return Err(ConfigError(words::settings::palyra_config(path.display())));
    }
    if let Some(path) = metadata.filter(|path| path.is_absolute() && path.is_file()) {
        return Ok((path, false));
    }
    let own = state_root.join("config").join("palyra.toml");
    if own.is_file() {
        return Ok((own, false));
    }
    let search = if is_default { search_path(env) } else { Vec::new() };
    match search.into_iter().find(|path| path.is_file()) {
        Some(path) => Ok((path, false)),
        None => Ok((own, true)),
    }
}

/// Where the daemon itself looks.
fn search_path(env: &Environment) -> Vec<PathBuf> {
    if cfg!(windows) {
        let folders =
            [env.path("APPDATA").map(|f| f.join("Palyra")), env.path("PROGRAMDATA").map(|f| f.join("Palyra"))];
        return folders.into_iter().flatten().map(|folder| folder.join("palyra.toml")).collect();
    }
    let config_home = env.path("XDG_CONFIG_HOME").or_else(|| Some(env.path("HOME")?.join(".config")));
    let mut paths: Vec<_> = config_home.map(|folder| folder.join("palyra").join("palyra.toml")).into_iter().collect();
    paths.push(PathBuf::from("/etc/palyra/palyra.toml"));
    paths
}

fn qualifier(state_root: &Path) -> String {
    let hash = Sha256::digest(state_root.as_os_str().as_encoded_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Socket addresses are at most about 100 bytes long, and state roots need not be.
fn socket_path(env: &Environment, own: &Path, qualifier: &str) -> PathBuf {
    if cfg!(windows) {
        return PathBuf::from(format!(r"\\.\pipe\palyra-tray-{qualifier}"));
    }
    if let Some(runtime) = env.path("XDG_RUNTIME_DIR").filter(|path| path.is_dir() && path.as_os_str().len() < 60) {
        return runtime.join(format!("palyra-tray-{qualifier}.sock"));
    }
    let beside = own.join("control.sock");
    if beside.as_os_str().len() < 100 {
        return beside;
    }
    let tmp = env.path("TMPDIR").filter(|path| path.as_os_str().len() < 50).unwrap_or_else(|| PathBuf::from("/tmp"));
    tmp.join(format!("palyra-tray-{qualifier}")).join("control.sock")
}

fn not_absolute(what: &str, path: &Path) -> ConfigError {
    ConfigError(words::settings::is_which_is_not_absolute_path(what, path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_state_root_is_refused_by_name() {
        let env = Environment::of(&[("PALYRA_STATE_ROOT", Path::new("here"))], Path::new("/x/palyra-tray"));
        let error = Paths::find(&env).unwrap_err().to_string();
        assert!(error.contains("PALYRA_STATE_ROOT") && error.contains("absolute"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn relative_stores_are_refused_by_name() {
        for variable in ["PALYRA_VAULT_DIR", "PALYRA_GATEWAY_IDENTITY_STORE_DIR"] {
            let variables = [("PALYRA_STATE_ROOT", Path::new("/s")), (variable, Path::new("here"))];
            let error = Paths::find(&Environment::of(&variables, Path::new("/x/palyra-tray"))).unwrap_err().to_string();
            assert!(error.contains(variable) && error.contains("absolute"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn another_start_is_given_what_it_would_not_find_by_itself() {
        let home = Path::new("/home/ada");
        let executable = Path::new("/usr/bin/palyra-tray");
        let env = |root: &str| {
            let config = ("PALYRA_CONFIG", Path::new("/c.toml"));
            Environment::of(&[("HOME", home), ("PALYRA_STATE_ROOT", Path::new(root)), config], executable)
        };
        let config = ("PALYRA_CONFIG".to_owned(), OsString::from("/c.toml"));
        let root = ("PALYRA_STATE_ROOT".to_owned(), OsString::from("/data"));
        assert_eq!(env("/home/ada/.local/state/palyra").carried(), std::slice::from_ref(&config));
        assert_eq!(env("/data").carried(), [root, config]);
    }

    #[cfg(unix)]
    #[test]
    fn the_layout_that_the_command_line_tool_expects() {
        let dir = tempfile::tempdir().unwrap();
        let env = Environment::of(&[("PALYRA_STATE_ROOT", dir.path())], Path::new("/x/palyra-tray"));
        let paths = Paths::find(&env).unwrap();
        assert_eq!(paths.runtime_root, dir.path().join("desktop-control-center/runtime"));
        assert_eq!(paths.identity, dir.path().join("identity"));
        assert_eq!(paths.vault, dir.path().join("vault"));
        assert_eq!(paths.config, dir.path().join("config/palyra.toml"));
        assert!(paths.config_is_new);
    }
}
