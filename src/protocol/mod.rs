//! What crosses a process boundary, types only: the control socket here, the shim contract in [`shim`].
//!
//! Control socket: one JSON value a line. The client sends one [`Envelope`], the agent answers with one [`Reply`]; to
//! [`Request::Watch`] with many.

pub mod ask;
pub mod companion;
pub mod node;
mod secret;
pub mod secrets;
pub mod setup;
pub mod shim;

use serde::{Deserialize, Serialize};

pub use secret::Secret;
pub use shim::{RunId, ServiceId};

/// Version of the control protocol; a client and an agent that differ say so instead of guessing.
pub const VERSION: u32 = 1;

/// What a click, a button or a command asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Start one sidecar, or all.
    Start {
        /// All when absent.
        service: Option<ServiceId>,
    },
    /// Stop one sidecar, or all.
    Stop {
        /// All when absent.
        service: Option<ServiceId>,
    },
    /// Stop and start again.
    Restart {
        /// All when absent.
        service: Option<ServiceId>,
    },
    /// Open the dashboard, signed in.
    Open {
        /// Where in it.
        place: Place,
    },
    /// Start what is stopped, then open the dashboard: the answer to having been asked.
    StartAndOpen {
        /// Where in it.
        place: Place,
    },
    /// Decide what was shown. Only surfaces that showed the whole record offer it.
    Decide {
        /// Which approval.
        approval_id: String,
        /// Digest of the record as it was shown.
        digest: String,
        /// Yes or no.
        verdict: Verdict,
    },
    /// Show an approval, or all that wait, in a dialog in which it can be decided.
    Review {
        /// Which; empty: the list.
        approval_id: String,
    },
    /// Switch the browser service on or off.
    SetBrowser {
        /// Wanted state.
        enabled: bool,
    },
    /// Restart what a change of the config touches, or do not.
    SetConfigRestarts {
        /// Wanted state.
        enabled: bool,
    },
    /// Show notifications of this kind, or do not.
    SetNotifications {
        /// Which.
        kind: companion::Kind,
        /// Wanted state.
        enabled: bool,
    },
    /// Tell the gateway how the tray is used, or do not.
    SetTelemetry {
        /// Wanted state.
        enabled: bool,
    },
    /// Set a rollout flag of the active profile.
    SetFlag {
        /// Which.
        flag: companion::Flag,
        /// Wanted state.
        enabled: bool,
    },
    /// Write the ports that are listened on into Palyra's config, where that names others.
    WritePorts {
        /// All when absent.
        service: Option<ServiceId>,
    },
    /// Start at login, or do not.
    SetAutostart {
        /// Wanted state.
        enabled: bool,
    },
    /// Open the folder or file with a service's log.
    ShowLog {
        /// Whose log.
        service: ServiceId,
    },
    /// Open the set-up where it was left.
    ContinueSetup,
    /// Open the checks of this machine.
    RunChecks,
    /// Make a support bundle.
    ExportBundle,
    /// Open the folder with the support bundles.
    ShowBundles,
    /// Stop every agent: abort what runs, deny what waits and what comes, until [`Action::ResumeAgents`].
    PauseAgents,
    /// Let agents work again.
    ResumeAgents,
    /// Open the dialog in which a message to Palyra is written.
    Ask {
        /// Where to.
        #[serde(default)]
        to: ask::To,
    },
    /// Answer in this session: typed where the button is, or in the dialog of [`Action::Ask`].
    Reply {
        /// Which.
        session_id: String,
    },
    /// Open the dialog that shows a draft.
    OpenDraft {
        /// Which.
        draft_id: String,
    },
    /// Send a draft: the person's word.
    SendDraft {
        /// Which.
        draft_id: String,
    },
    /// Abort one run.
    AbortRun {
        /// Which.
        run_id: String,
    },
    /// Open the dialog that explains one of these and asks: it does nothing by itself.
    NodeDialog {
        /// Which.
        task: node::NodeTask,
    },
    /// Show what an event of the recent ones is about, and mark it as read.
    OpenRecent {
        /// Its id.
        id: String,
    },
    /// Mark every recent event as read.
    MarkRead,
    /// Put what is known of troubles into the clipboard, without secrets.
    CopyDiagnostics,
    /// Show what this program is.
    About,
    /// Put away a notification that tells of an event.
    Dismiss {
        /// Its key.
        notice: String,
    },
    /// End the agent.
    Quit {
        /// Leave the sidecars for the next agent.
        keep_running: bool,
    },
}

/// A person's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Let it happen.
    Approve,
    /// Refuse it.
    Deny,
}

/// How long an approval holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This one action.
    #[default]
    Once,
    /// Until the session ends.
    Session,
    /// For a stated time.
    Timeboxed,
}

/// A place in the dashboard. Names and intents are those the dashboard knows; unknown intents are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// `overview`, `approvals`, `chat`, …; empty means the overview.
    pub section: String,
    /// Session to show.
    pub session_id: Option<String>,
    /// Run to show.
    pub run_id: Option<String>,
    /// Device to show.
    pub device_id: Option<String>,
    /// What the person came for.
    pub intent: Option<String>,
}

impl Place {
    /// A section and nothing more.
    pub fn section(name: &str) -> Self {
        Self { section: name.to_owned(), ..Self::default() }
    }

    /// A run, to be looked into.
    pub fn run(session_id: Option<String>, run_id: &str) -> Self {
        let intent = Some("inspect-run".to_owned());
        Self { session_id, run_id: Some(run_id.to_owned()), intent, ..Self::section("chat") }
    }
}

/// A request with the version of its sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// [`VERSION`] of the client.
    pub version: u32,
    /// What it wants.
    pub request: Request,
}

/// What a client can ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// The snapshot, at once; what is old in it is asked for meanwhile.
    Status,
    /// The snapshot, and another one each time that something in it changes, until one of both goes away.
    Watch,
    /// The snapshot, once what is old in it was asked for; after five seconds without.
    Diagnostics,
    /// Anything the tray can do. Never [`Action::Decide`]: see [`Request::Decide`].
    Act {
        /// What to do.
        action: Action,
    },
    /// What the tray shows, for a desktop without one: a list of `core::view::Item`.
    Menu,
    /// A second start: show yourself.
    Activate,
    /// A newer agent wants to take over: leave the sidecars and go.
    HandOver,
    /// The inbox.
    Approvals {
        /// Decided and expired ones too, as far as the gateway returns them.
        all: bool,
    },
    /// One record, read again from the gateway.
    Approval {
        /// Its id.
        approval_id: String,
    },
    /// Somebody looks at this record and could decide it: answered with its [`Standing`] as JSON as soon as that is not
    /// [`Standing::Waits`], else after a while; then it is to be asked again.
    Follow {
        /// Which.
        approval_id: String,
        /// Digest of the record as it is shown.
        digest: String,
        /// It is shown on the screen, which may be locked.
        in_window: bool,
    },
    /// Decide, on the command line.
    Decide(Decision),
    /// Decide, in a window.
    DecideReviewed(Decision),
    /// Another process switched start on login: look again.
    AutostartChanged,
    /// Palyra's own export for a support bundle, with what is known to be secret taken out.
    ExportPalyra,
    /// A support bundle that the person wants to be told of was made.
    BundleMade {
        /// The file.
        path: String,
        /// What is not in it and why, a sentence each.
        lacks: Vec<String>,
    },
    /// Something for the set-up.
    Setup(setup::SetupRequest),
    /// Something about the node host.
    Node(node::NodeRequest),
    /// Something about messages and drafts.
    Message(ask::AskRequest),
    /// Something about the secrets.
    Secrets(secrets::SecretsRequest),
}

/// How a record stands that somebody looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It waits as it was shown.
    Waits,
    /// It was decided, or has expired.
    Settled,
    /// It waits, but is not what was shown.
    Changed,
    /// The screen is locked: nothing is decided on it.
    Locked,
    /// The agent ends, or has ended.
    Ending,
}

/// A decision with all its particulars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Which approval.
    pub approval_id: String,
    /// Digest of the record as it was shown.
    pub digest: String,
    /// Yes or no.
    pub verdict: Verdict,
    /// How long it holds.
    #[serde(default)]
    pub scope: Scope,
    /// Milliseconds, only with [`Scope::Timeboxed`].
    #[serde(default)]
    pub ttl_ms: Option<i64>,
    /// In the person's words.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What the agent answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done, with one sentence for the person.
    Done(String),
    /// A JSON document: snapshot, inbox, record.
    Data(serde_json::Value),
    /// Not done.
    Error(Failure),
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Becomes the client's exit code.
    pub code: FailureCode,
    /// What and why, in one sentence, without secrets.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// Classes of failure, each with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// Exit code 1.
    Failed,
    /// Exit code 2.
    Usage,
    /// Exit code 3.
    NoAgent,
    /// Exit code 4.
    Refused,
    /// Exit code 5.
    GatewayUnreachable,
}

impl FailureCode {
    /// The process exit code that scripts can rely on.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoAgent => 3,
            Self::Refused => 4,
            Self::GatewayUnreachable => 5,
        }
    }
}

impl Failure {
    /// A failure with what to do about it.
    pub fn new(code: FailureCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: hint.into() }
    }
}
