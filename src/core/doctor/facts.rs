//! What the checks decide by. Gathered by `shell::doctor`; plain values, so that every verdict can be tested.

use std::path::PathBuf;

use serde_json::Value;

use crate::config::programs::Candidate;
use crate::core::remote::Looked;
use crate::protocol::ServiceId;
use crate::protocol::setup::SetupFacts;

/// Something that was looked for, or why it is not known.
pub type Fact<T> = Result<T, String>;

/// Everything.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Of this program.
    pub version: String,
    /// Now.
    pub now_unix_ms: i64,
    /// Which kind of system.
    pub system: System,
    /// What the running agent says.
    pub agent: Agent,
    /// What it says for the set-up; absent: no agent, or one that does not tell.
    pub setup: Option<SetupFacts>,
    /// Start on login, by those who know how it is done here; absent: not known.
    pub login: Option<Fact<Login>>,
    /// What lies on the disk and runs; an error when it is not known where to look.
    pub ground: Fact<Ground>,
    /// In a remote profile: the gateway on another machine. Programs, ports and files of a gateway here are not looked at then.
    pub remote: Option<Remote>,
    /// What can be seen of the desktop from here.
    pub desktop: Desktop,
    /// The way to other machines; absent where it is not looked at.
    pub network: Option<Fact<Network>>,
    /// Open files: of the agent, else of this command.
    pub open_files: Fact<OpenFiles>,
}

/// The gateway of a remote profile.
#[derive(Clone, Debug)]
pub struct Remote {
    /// The config that says where it is and which certificate it shows.
    pub config: PathBuf,
    /// What a look told.
    pub looked: Fact<Looked>,
}

/// The kinds of systems that checks differ on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux and its like.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// What the running agent says.
#[derive(Clone, Debug)]
pub enum Agent {
    /// Its snapshot.
    Answers(Value),
    /// It is there and gives no usable answer: why.
    Silent(String),
    /// There is none.
    Absent,
}

impl Agent {
    /// The snapshot, if there is one.
    pub fn snapshot(&self) -> Option<&Value> {
        match self {
            Self::Answers(snapshot) => Some(snapshot),
            _ => None,
        }
    }

    /// Its process.
    pub fn pid(&self) -> Option<u32> {
        u32::try_from(self.snapshot()?.pointer("/agent/pid")?.as_u64()?).ok()
    }
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its executable; empty when the system does not tell.
    pub executable: PathBuf,
}

/// What lies on the disk and runs.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Root of everything Palyra keeps.
    pub state_root: PathBuf,
    /// Preferences.
    pub settings_file: PathBuf,
    /// Who holds the agent's lock.
    pub lock: Fact<Option<Process>>,
    /// The earlier desktop app lives on this state root.
    pub earlier_app: Fact<Option<u32>>,
    /// A Palyra that is not ours on this runtime root: who, and what ties it to it.
    pub foreign: Fact<Option<(Process, String)>>,
    /// The folders that must be writable.
    pub folders: Fact<Vec<Folder>>,
    /// What is ours alone.
    pub files: Fact<OwnFiles>,
    /// Space below the state root.
    pub space: Fact<Space>,
    /// The agent's socket.
    pub socket: Fact<Socket>,
    /// Preferences, as far as they were understood.
    pub settings: Fact<Settings>,
    /// Palyra's programs.
    pub programs: Fact<Programs>,
    /// The sidecars' config.
    pub config: Fact<Config>,
    /// Ports that the services have or want.
    pub ports: Fact<Vec<Port>>,
    /// `backend.kind` of the sidecars' vault; absent: no vault yet.
    pub vault_backend: Fact<Option<String>>,
    /// The gateway's journal can be watched.
    pub journal: Fact<Watch>,
    /// The keyring is switched off by `PALYRA_TRAY_KEYRING=off`.
    pub keyring_off: bool,
}

/// A folder that must be writable.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Which.
    pub path: PathBuf,
    /// It is there. When it is not, the rest speaks of the nearest folder above that is.
    pub exists: bool,
    /// That nearest folder, or itself.
    pub looked_at: PathBuf,
    /// It is no folder.
    pub blocked: bool,
    /// Why it cannot be written.
    pub unwritable: Option<String>,
    /// Its file system is mounted read-only.
    pub read_only: bool,
    /// It belongs to this user, or the system does not tell.
    pub owned: bool,
    /// Its file system is another machine's, of this kind.
    pub network: Option<String>,
}

/// What is ours alone, below `<state root>/tray`.
#[derive(Clone, Debug, Default)]
pub struct OwnFiles {
    /// How many were looked at.
    pub seen: usize,
    /// Folders that others may enter, with their modes.
    pub open_folders: Vec<(PathBuf, u32)>,
    /// Secret files that others may read, with their modes.
    pub open_secrets: Vec<(PathBuf, u32)>,
    /// What belongs to another user.
    pub strangers: Vec<PathBuf>,
    /// The secrets lie in this file.
    pub secrets_file: Option<PathBuf>,
    /// A mark says that the keyring holds the secrets.
    pub in_keyring: bool,
    /// Time of the newest change.
    pub newest_unix_ms: Option<i64>,
}

/// Space on a file system.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Bytes that this user can still write.
    pub free: u64,
    /// Files that can still be made; absent: no such limit.
    pub free_files: Option<u64>,
}

/// The agent's socket.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Where.
    pub path: PathBuf,
    /// Longest path that the system takes; absent: no such limit.
    pub limit: Option<usize>,
    /// Something lies there that is not a socket of ours: what.
    pub stranger: Option<String>,
}

/// Preferences, as far as they were understood.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file is there.
    pub exists: bool,
    /// What was not understood.
    pub warnings: Vec<String>,
    /// The browser service is wanted.
    pub browser: bool,
    /// A node host is enrolled.
    pub node_host: bool,
}

/// Palyra's programs.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `palyrad`, `palyra-browserd`, `palyra`.
    pub found: Vec<(ServiceId, Result<Program, String>)>,
    /// The dashboard's files lie beside the gateway; absent: no gateway.
    pub dashboard: Option<bool>,
    /// What could be proposed.
    pub candidates: Vec<Candidate>,
}

/// A program that was found.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where.
    pub path: PathBuf,
    /// Whether it can be started.
    pub trial: Fact<Trial>,
}

/// What came of starting a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It runs at this moment.
    RunsNow,
    /// It can be started.
    Runs,
    /// It cannot: why.
    Fails(String),
    /// It is a script; those are not tried.
    Script,
}

/// The sidecars' config.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it is, or will be made.
    pub path: PathBuf,
    /// What is in it.
    pub content: ConfigContent,
}

/// What is in the sidecars' config.
#[derive(Clone, Debug)]
pub enum ConfigContent {
    /// There is none; one is made at the first start.
    None,
    /// It cannot be used: a sentence.
    Invalid(String),
    /// It is understood.
    Read {
        /// `version`
        version: Option<i64>,
        /// `admin.bound_principal`
        principal: Option<String>,
        /// `orchestrator.runloop_v1_enabled`
        run_loop: Option<bool>,
    },
}

/// A port that a service has or wants.
#[derive(Clone, Debug)]
pub struct Port {
    /// Whose.
    pub service: ServiceId,
    /// What for.
    pub purpose: String,
    /// Which.
    pub port: u16,
    /// UDP.
    pub udp: bool,
    /// Who has it.
    pub holder: Holder,
}

/// Who has a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// A sidecar of ours.
    Ours,
    /// This process.
    Stranger(Process),
    /// Somebody whom the system does not name, another user for example.
    Unnamed,
}

/// Watching a file for changes.
#[derive(Clone, Debug)]
pub struct Watch {
    /// What was watched for a moment.
    pub folder: PathBuf,
    /// Why that failed.
    pub refused: Option<Refused>,
    /// Folders and files that a user may watch, and programs that may do so; absent where no such limits are.
    pub limits: Option<(u64, u64)>,
}

/// Why something cannot be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many watches.
    Watches,
    /// Too many watchers.
    Instances,
    /// Something else.
    Other(String),
}

/// What can be seen of the desktop.
#[derive(Clone, Debug)]
pub struct Desktop {
    /// As it calls itself, `GNOME` or `sway` for example; empty: none.
    pub name: String,
    /// A window could be opened from here.
    pub display: bool,
    /// What the session bus says; absent where there is no such thing.
    pub bus: Option<Fact<Bus>>,
    /// A program that shows dialogs.
    pub dialogs: Fact<Option<PathBuf>>,
    /// What opens pages; absent: nothing.
    pub opener: Fact<Option<String>>,
    /// `secret-tool` is there; the sidecars' vault needs it for the Secret Service.
    pub secret_tool: Fact<bool>,
}

/// The session bus.
#[derive(Clone, Debug)]
pub enum Bus {
    /// There is none: why.
    Absent(String),
    /// What is on it.
    Up(Box<OnBus>),
}

/// What is on the session bus.
#[derive(Clone, Debug)]
pub struct OnBus {
    /// Who shows tray icons.
    pub tray: Fact<TrayHost>,
    /// The notification server.
    pub notifications: Fact<Presence<NotificationServer>>,
    /// The Secret Service.
    pub keyring: Fact<Presence<Keyring>>,
    /// systemd's user manager, and what it knows of our unit; absent: none runs.
    pub unit: Fact<Option<Unit>>,
}

/// Whether something is on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence<T> {
    /// No.
    Absent,
    /// Not now, but the bus starts it when it is wanted.
    Startable,
    /// Yes.
    Running(T),
}

/// Who shows tray icons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrayHost {
    /// Nobody collects them.
    NoWatcher,
    /// They are collected, but no panel shows them.
    NoHost,
    /// A panel.
    Present,
}

/// A notification server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationServer {
    /// Name it gives itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Shows buttons.
    pub actions: bool,
    /// Do Not Disturb is on; absent: it does not tell.
    pub quiet: Option<bool>,
}

/// A Secret Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyring {
    /// Its default keyring is locked; absent: there is no default keyring.
    pub locked: Option<bool>,
}

/// Our systemd user unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// `enabled`, `disabled` …; empty: there is no such unit.
    pub enabled: String,
    /// `active`, `inactive`, `failed` …; empty: not loaded.
    pub active: String,
}

/// Start on login.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// It is on.
    pub on: bool,
    /// By what, for people: "a systemd user unit"; empty: not told.
    pub how: String,
    /// What is wrong with it, in one sentence; empty: nothing.
    pub problem: String,
}

/// What is set up to reach other machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// There is a way to everywhere.
    pub route: bool,
    /// Somebody is asked for names.
    pub name_server: bool,
}

/// How many files a process may have open.
#[derive(Clone, Copy, Debug)]
pub struct OpenFiles {
    /// The agent's, else of this command.
    pub of_agent: bool,
    /// Open now; absent: not known.
    pub open: Option<u64>,
    /// At most; absent: no limit.
    pub limit: Option<u64>,
}
