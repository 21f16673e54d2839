//! What happens and what is done about it: everything that crosses the border of the pure core.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::palyra::ConfigFacts;
use crate::config::profiles::{Entry, Registry};
use crate::config::settings::Settings;
use crate::core::ask::{AskEvent, AskWork, Intent};
use crate::core::cause::{Cause, Evidence};
use crate::core::companion::import::Earlier;
use crate::core::companion::{Kind, State};
use crate::core::config_watch;
use crate::core::decisions::{LedgerLine, Unanswered};
use crate::core::inbox::{Look, LookOrder, Missed};
use crate::core::node::{NodeEvent, NodeSetup, NodeWork};
use crate::core::notices::Server;
use crate::core::ports::Ports;
use crate::core::record::Record;
use crate::core::redact::Redactor;
use crate::core::remote::{self, Looked};
use crate::core::secrets::{self, Rotated};
use crate::core::survey;
use crate::core::telemetry::UsageEvent;
use crate::core::view::NoticeKey;
use crate::protocol::ask::To;
use crate::protocol::node::NodeTask;
use crate::protocol::secrets::SecretName;
use crate::protocol::setup::{Reached, SetupFacts, SetupRequest};
use crate::protocol::shim::{ExitRecord, LogLoss, RunRecord};
use crate::protocol::{Action, Decision, Place, Reply, Request, RunId, ServiceId};

/// Somebody who waits for an answer.
pub type Ticket = u64;

/// What the agent is started with.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// This program's version.
    pub version: String,
    /// Our process id, for the snapshot.
    pub pid: u32,
    /// Start the sidecars without being asked.
    pub start: bool,
    /// The browser service is wanted.
    pub browser: bool,
    /// A node host is enrolled; follows what is told of it.
    pub node_host: bool,
    /// All agents are paused, since an earlier agent.
    pub paused: bool,
    /// Dialogs can be shown in windows.
    pub dialogs: bool,
    /// A change of the sidecars' config restarts what it touches.
    pub config_restarts: bool,
    /// The environment says that it never does.
    pub config_manual: bool,
    /// The enrolment, and what is kept of it.
    pub node: NodeSetup,
    /// Everything is for show, and says so.
    pub demo: bool,
    /// Nothing was ever set up here: the set-up opens by itself, and starts what is to be started.
    pub first_run: bool,
    /// Where the set-up stood.
    pub reached: Reached,
    /// What an earlier agent remembered, its ports too.
    pub state: State,
    /// Why that must not be written.
    pub state_read_only: Option<String>,
    /// Messages that an earlier agent left under way.
    pub asks: Vec<Intent>,
    /// What the earlier desktop app left, to be taken up now.
    pub earlier: Option<Earlier>,
    /// The profile that this agent's places are of.
    pub profile: Entry,
    /// Why it is not the one that an earlier agent was on.
    pub profile_trouble: Option<String>,
    /// Usage events are told to the gateway.
    pub telemetry: bool,
    /// Notifications of these kinds are not shown.
    pub silent: BTreeSet<Kind>,
    /// What of the preferences was not understood.
    pub settings_warnings: Vec<String>,
    /// Spreads restarts.
    pub seed: u64,
    /// What went wrong before the core came to be (a corrupt file set aside, a setting not understood).
    pub warnings: Vec<String>,
}

/// Something to look up about the profiles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileWork {
    /// Read the registry for a client.
    List(Ticket),
    /// Read it, and look whether this profile could be started as far as that can be told without starting it.
    Check(Ticket, String),
    /// Begin anew, on the profile that the state on the disk names.
    Become(String),
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum ProfileNews {
    /// The registry, or why it cannot be read.
    Listed(Ticket, Result<Registry, String>),
    /// The profile, or why it cannot be used.
    Checked(Ticket, Result<Entry, String>),
}

/// Where the secrets stand.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Secrets {
    /// Asked for.
    #[default]
    Unknown,
    /// There; `warning` says so when they lie in a file.
    Ready {
        /// "keyring" or "file".
        place: String,
        /// Empty when all is as it should be.
        warning: String,
    },
    /// The keyring does not answer or is locked; nothing is overwritten.
    Waiting(String),
    /// They cannot be had.
    Failed(String),
}

/// What was found in a run directory at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No process; how the last one ended, if known.
    Nothing(Option<ExitRecord>),
    /// No process, and the last one left no end: its shim was killed.
    Lost {
        /// It was the machine that went down.
        rebooted: bool,
    },
    /// A living one.
    Living(RunRecord),
    /// A lock is held, but by what cannot be told: nothing is started beside it.
    Unclear(String),
}

/// Facts a ready gateway told.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Facts {
    /// Of the sidecar.
    pub version: String,
    /// Of the sidecar.
    pub git_hash: String,
    /// Seconds, at the time of the probe.
    pub uptime_seconds: u64,
    /// The gateway's journal, to be watched; only when just signed in.
    pub journal: Option<String>,
    /// Its node port demands certificates; only when just signed in, and absent where it does not say.
    pub node_port_demands: Option<bool>,
    /// The profile that it says to run in; only when just signed in.
    pub profile: Option<Profile>,
}

/// The profile of a gateway, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// What a person calls it.
    pub label: String,
    /// `local`, `production`, …
    pub environment: String,
    /// Of its label.
    pub color: String,
    /// `low`, `elevated`, `high`, …
    pub risk_level: String,
    /// What is done in it is asked about twice.
    pub strict_mode: bool,
    /// `loopback_only`, …
    pub mode: String,
}

/// What can be seen of the desktop.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Desktop {
    /// A sentence about the tray host: "shown", "no session bus".
    pub tray: String,
    /// A host shows the icon.
    pub tray_present: bool,
    /// It was looked for, and nothing shows the icon.
    pub tray_missing: bool,
    /// The notification server; absent: none.
    pub notifications: Option<Server>,
}

/// What became of a program beside us, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It could not be opened, or could not go on.
    NotOpened(String),
    /// It was open, and something ended it.
    EndedEarly(String),
}

/// A short-lived program of ours with a window of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Companion {
    /// The set-up.
    SetUp,
    /// The checks.
    Checks,
    /// A support bundle is made, without a window.
    Bundle,
    /// The review of the approval with this id; of all that wait when it is empty.
    Review(String),
    /// The question before something is done with the node host.
    Node(NodeTask),
    /// What this program is.
    About,
    /// Writing a message.
    Ask(To),
    /// The draft with this id.
    Draft(String),
    /// The choice of a profile.
    Profile,
}

/// What came of something for the set-up.
#[derive(Clone, Debug)]
pub enum SetUp {
    /// This is the answer.
    Answer(Reply),
    /// It is done once the gateway has started again.
    RestartGateway,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The deadline came.
    Wake,
    /// A run directory was looked at.
    Found(ServiceId, Found),
    /// The ports of a launch were chosen; `note` tells of a move, in words.
    PortsChosen {
        /// Ports by service, for every service they were chosen for.
        ports: BTreeMap<ServiceId, Ports>,
        /// Why they differ from what was preferred; empty when they do not.
        note: String,
        /// Whose launch it is, and the config that it is started with.
        config: (ServiceId, Box<ConfigFacts>),
    },
    /// The shim answered.
    Running(ServiceId, RunRecord),
    /// No process came of a launch: another shim holds the run directory.
    Busy(ServiceId, RunId),
    /// No process came of a launch.
    StartFailed {
        /// Which.
        service: ServiceId,
        /// Which life.
        run: RunId,
        /// Why.
        cause: Cause,
    },
    /// What was seen around an end or a failed start, which is told next.
    Seen(ServiceId, RunId, Evidence),
    /// A process and its shim are gone.
    Ended(ServiceId, RunId, Option<ExitRecord>),
    /// A probe came back.
    Probed(ServiceId, RunId, Result<Facts, String>),
    /// Where the secrets stand.
    Secrets(Secrets),
    /// What must not be shown wherever it stands: the secrets that we know, and what looks like one.
    Known(Arc<Redactor>),
    /// New secrets were made, or not; without a ticket nobody waits for it.
    Rotated(Option<Ticket>, Rotated),
    /// Where the secrets are was looked at.
    SecretsLooked(Ticket, Box<secrets::Look>),
    /// The journal was written to.
    Rang,
    /// The journal is watched, or no longer can be.
    Watching(bool),
    /// The gateway told what it was asked for, or not; the number is the [`survey::Ask::round`].
    Surveyed(u64, survey::Answer),
    /// A text was put into the clipboard, or into the file that is named; or neither, in words.
    Copied(Option<Ticket>, Result<Option<String>, String>),
    /// A look at the gateway's records came back.
    Looked(u64, Result<Look, Missed>),
    /// A record was read.
    RecordRead(String, Result<Record, Unanswered>),
    /// A client's record was read.
    RecordShown(Ticket, Result<Record, Unanswered>),
    /// A client's list was read; as [`Effect::ListRecords`].
    RecordsListed(Ticket, bool, Result<Vec<Record>, Unanswered>),
    /// An intent was put on disk.
    Recorded(String, Result<(), String>),
    /// A decision was sent.
    Sent(String, Result<Record, Unanswered>),
    /// The browser was sent to this place of the dashboard, or not, in words.
    Opened(Option<Ticket>, Result<Place, String>),
    /// The gateway has taken a usage event, or not: nobody needs to know.
    UsageTold,
    /// Something for the node host was done, or not.
    Node(NodeEvent),
    /// Something about messages to Palyra.
    Ask(AskEvent),
    /// A client went away before it was answered.
    ClientGone(Ticket),
    /// Something for the set-up was done, or not.
    SetUp(Ticket, SetUp),
    /// A program beside us has ended; with an error, it did not do what it was opened for.
    Closed(Companion, Result<(), Trouble>),
    /// Every active run was asked to end, or not all, in words.
    RunsAborted(Result<(), String>),
    /// The run with this id was asked to end, or not, in words.
    RunAborted(Option<Ticket>, String, Result<(), String>),
    /// Palyra's own export was made, or not, in words.
    PalyraExported(Ticket, Result<serde_json::Value, String>),
    /// A log or a folder could not be shown, in words.
    LogNotShown(String),
    /// Something happened to the sidecars' config file.
    ConfigRang,
    /// The ports were written into the config, or not, in words.
    PortsWritten(Option<Ticket>, Result<(), String>),
    /// The sidecars' config file was looked at.
    ConfigLooked(config_watch::Look),
    /// Something about the profiles was looked up.
    Profiles(ProfileNews),
    /// Something about the gateway of a remote profile.
    Remote(RemoteNews),
    /// The companion state was written, or not, in words.
    StateSaved(Result<(), String>),
    /// The earlier desktop app's secrets were looked at: what was taken over and what not, in words.
    EarlierSecrets(Vec<String>, Vec<String>),
    /// Something happened to `settings.toml`.
    SettingsRang,
    /// It was read; what of it is not understood, in words.
    SettingsRead(Box<Settings>, Vec<String>),
    /// Something of ours could not be kept on disk, in words.
    NotSaved(String),
    /// Log lines that living runs have lost so far.
    LogLosses(BTreeMap<ServiceId, LogLoss>),
    /// This folder of ours was removed while we ran; it was made anew.
    FolderRemoved(String),
    /// The one-time address of the dashboard was asked for twice.
    OpenedTwice,
    /// Whether it starts at login; absent: that cannot be told.
    Autostart(Option<bool>),
    /// Start on login was switched, or not, in words.
    AutostartSet(Option<Ticket>, Result<String, String>),
    /// The desktop changed.
    Desktop(Desktop),
    /// The screen was locked or unlocked.
    Locked(bool),
    /// A button, a notification's body or a menu entry.
    Clicked(Action, Click),
    /// A notification was put away by the person or the server.
    NoticeGone(NoticeKey),
    /// The icon was clicked.
    IconClicked,
    /// A client asks.
    Asked(Ticket, Request),
    /// A signal, or the end of the session.
    Shutdown,
}

/// What was clicked: only a notification may decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Click {
    /// A one-time button of a notification, checked by the shell.
    Notification,
    /// A tray menu, which any program of the person's can click.
    Menu,
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Start a sidecar.
    Launch {
        /// Which.
        service: ServiceId,
        /// Its new life.
        run: RunId,
        /// What every service would like, or has, to listen on.
        ports: BTreeMap<ServiceId, Ports>,
        /// Services that run: their ports are theirs.
        running: Vec<ServiceId>,
        /// The gateway is told so.
        browser: bool,
        /// The gateway is to take pairing requests from machines without a certificate, under a lease.
        window: bool,
    },
    /// Ask a shim for its stop ladder.
    Stop(ServiceId, RunRecord),
    /// Look into the run directory once more.
    LookAgain(ServiceId),
    /// Look whether a sidecar answers. `sign_in`: also whether it takes our token.
    Probe {
        /// Which.
        service: ServiceId,
        /// Which life.
        run: RunId,
        /// Its HTTP port.
        port: u16,
        /// Sign in besides.
        sign_in: bool,
    },
    /// This run has become ready: keep what it was started with, to be compared with when one fails. `version`: what it
    /// says that it is.
    KeepGoodStart {
        /// Which.
        service: ServiceId,
        /// Which life.
        run: RunId,
        /// Empty when it says none.
        version: String,
    },
    /// Watch this journal, or none.
    WatchJournal(Option<String>),
    /// Look at the gateway's records.
    Look(LookOrder),
    /// Ask the gateway for what it tells only then.
    Survey(survey::Ask),
    /// Put a text into the clipboard; where there is none, into a file of the person's own that is shown.
    Copy(Option<Ticket>, String),
    /// Read a record for a decision.
    ReadRecord(String),
    /// Read a record for a client.
    ShowRecord(Ticket, String),
    /// Read records for a client: all, or only those that wait.
    ListRecords(Ticket, bool),
    /// Append to the record of decisions. `answer`: report [`Event::Recorded`].
    WriteLedger {
        /// What.
        line: LedgerLine,
        /// Intents are answered.
        answer: bool,
    },
    /// Send a decision, once.
    SendDecision(Decision),
    /// Send the browser to this place of the dashboard.
    OpenDashboard(Option<Ticket>, Place),
    /// Tell the gateway this once, and report [`Event::UsageTold`] whatever comes of it.
    TellUsage(UsageEvent),
    /// Tell a client the facts that the set-up goes by; these are known, the rest is to be looked up.
    GatherFacts(Ticket, Box<SetupFacts>),
    /// Do something for the set-up.
    SetUp(Ticket, SetupRequest),
    /// Do something for the node host.
    Node(NodeWork),
    /// Do something for a message to Palyra.
    Ask(AskWork),
    /// Look something up about the profiles, or go to another one.
    Profiles(ProfileWork),
    /// Do something about the gateway of a remote profile.
    Remote(RemoteWork),
    /// Open a program of ours in a window of its own.
    Open(Companion),
    /// Open a service's log.
    ShowLog(ServiceId),
    /// Open the folder with the support bundles.
    ShowBundles,
    /// Have Palyra make its own export for a support bundle.
    ExportPalyra(Ticket),
    /// Ask the keyring once more, with its password dialog if it needs one.
    RetrySecrets,
    /// Write this switch into `settings.toml`.
    SaveSwitch(&'static str, bool),
    /// Read `settings.toml`, and watch it from then on.
    LookAtSettings,
    /// Look where the secrets are, without a dialog.
    LookAtSecrets(Ticket),
    /// Make new ones of these and store them.
    Rotate(Ticket, Vec<SecretName>),
    /// Everybody runs with the new secrets: note that the rotation is over.
    RotationOver,
    /// Keep that all agents are paused, and since when; absent: that they are not.
    SavePaused(Option<i64>),
    /// Ask every active run to end.
    AbortRuns,
    /// Ask this run to end.
    AbortRun(Option<Ticket>, String),
    /// Write these ports into the sidecars' config file.
    WritePorts(Option<Ticket>, BTreeMap<ServiceId, Ports>),
    /// Look at the sidecars' config file, and watch it from then on.
    LookAtConfig,
    /// Look whether it starts at login.
    LookAtAutostart,
    /// Switch start on login, then look.
    SetAutostart(Option<Ticket>, bool),
    /// Write the companion state, and report [`Event::StateSaved`].
    SaveState(Box<State>),
    /// Answer a client.
    Reply(Ticket, Reply),
    /// Give back the memory that only the last work needed.
    GiveBack,
    /// End the process. `sidecars_left`: they go on.
    Exit {
        /// The sidecars were left running.
        sidecars_left: bool,
    },
}

/// What is done about the gateway of a remote profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteWork {
    /// Look at it, in this round.
    Look(u64),
    /// Look at it and, if it is who it should be, open its dashboard.
    Open(Option<Ticket>),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoteNews {
    /// A look.
    Looked(Box<Looked>),
    /// The dashboard.
    Opened(Option<Ticket>, Result<(), remote::Trouble>),
}
