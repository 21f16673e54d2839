//! What a person reads about the node host.

use super::Step;
use crate::core::text;
use crate::core::view::{Button, Urgency};
use crate::protocol::Action;
use crate::protocol::node::NodeTask;

pub(super) const SEE_STATUS: &str = "See: palyra-tray status";
pub(super) const SEE_NODE: &str = "See: palyra-tray node status";
pub(super) const SEE_GATEWAY_LOG: &str = "See: palyra-tray logs gateway";
pub(super) const TRY_AGAIN: &str = "Try again in a moment.";
/// Refusal, and what to do.
pub(super) const OFF: &str = "enrolment is switched off: a certificate lasts 24 hours, cannot be renewed, and each new one \
                              needs the pairing window";
pub(super) const SWITCH_ON: &str = "To allow it all the same, write enrolment = true under [node] into settings.toml, then \
                                    start Palyra Tray anew.";
pub(super) const NO_WINDOW: &str = "this gateway does not open the pairing window, or does not say so";
pub(super) const WHO_WAS_IT: &str =
    "If that was nobody you know, do not enrol while others can reach this machine's ports.";

/// Why a node host cannot be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeedsRepair {
    /// Its certificate has ended, at this time.
    Expired(i64),
    /// The gateway does not take its certificate.
    Refused,
    /// Its certificate or key is missing.
    Incomplete,
}

impl NeedsRepair {
    /// One trouble from another: each is told once.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Expired(at) => format!("expired:{at}"),
            Self::Refused => "refused".to_owned(),
            Self::Incomplete => "incomplete".to_owned(),
        }
    }

    /// In a few words.
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Expired(_) => "its certificate has expired",
            Self::Refused => "the gateway no longer accepts its certificate",
            Self::Incomplete => "its certificate is missing",
        }
    }
}

/// Something that a person should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It is not started any more.
    NeedsRepair(NeedsRepair),
    /// Somebody else asked through the window.
    Strange(String),
    /// An agent was killed while the window was open.
    Interrupted,
    /// The gateway stays open; it was stopped.
    CannotClose,
}

impl Notice {
    /// Names the notification.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::NeedsRepair(_) => "event:node_host:repair",
            Self::Strange(_) => "event:node_host:strange",
            Self::Interrupted => "event:node_host:interrupted",
            Self::CannotClose => "event:node_host:window",
        }
    }

    /// Title, body, buttons, urgency.
    pub fn words(&self, allowed: bool) -> (&'static str, String, Vec<Button>, Urgency) {
        let button = |label: &str, task| Button { label: label.to_owned(), action: Action::NodeDialog { task } };
        let offer = |label: &str, task| if allowed { vec![button(label, task)] } else { Vec::new() };
        match self {
            Self::NeedsRepair(need) => {
                let what = format!(
                    "{} It cannot connect to the gateway any more until you repair it.{}",
                    text::sentence(need.words()),
                    if allowed { "" } else { " In a terminal, palyra-tray node repair says what that takes." }
                );
                ("The node host needs repair", what, offer("Repair…", NodeTask::Repair), Urgency::Normal)
            }
            Self::Strange(who) => (
                "Somebody else asked to be paired",
                format!("While the pairing window was open, {who}. Nothing was approved, and the window is being closed."),
                Vec::new(),
                Urgency::Normal,
            ),
            Self::Interrupted => (
                "Enrolling was interrupted",
                "Palyra Tray was ended while the pairing window was open. The gateway is started again without it. What became \
                 of the enrolment: palyra-tray node status"
                    .to_owned(),
                Vec::new(),
                Urgency::Normal,
            ),
            Self::CannotClose => (
                "The pairing window does not close",
                "The gateway still lets machines without a certificate ask to be paired, so it is being stopped. Start it \
                 again; if this comes back, look at its log: palyra-tray logs gateway"
                    .to_owned(),
                Vec::new(),
                Urgency::Normal,
            ),
        }
    }
}

/// What is being done, for menu and `status`.
pub const fn step_words(step: &Step) -> &'static str {
    match step {
        Step::Emptying => "is being stopped",
        Step::Opening { .. } => "enrolling: the pairing window opens",
        Step::Pairing(_) => "enrolling: the pairing window is open",
        Step::Closing => "enrolling: the pairing window closes",
        Step::Starting => "enrolled, starting",
        Step::Removing => "is being reset",
    }
}

pub(super) fn enrolled(device_id: &str) -> String {
    format!("This machine is enrolled as node {device_id} and its node host runs. The pairing window is closed.")
}

pub(super) fn not_running(why: &str) -> String {
    let why = if why.is_empty() { "no reason is known" } else { why };
    format!("this machine is enrolled and the pairing window is closed, but the node host does not run: {why}")
}

pub(super) fn strange(who: &str) -> String {
    format!("somebody else asked through the pairing window ({who}), so nothing was approved")
}

/// How it is known that the window is closed.
pub(super) const fn shut(said: Option<Option<bool>>) -> &'static str {
    match said {
        Some(Some(true)) => "the pairing window is closed, as the gateway says",
        Some(_) => "the gateway was started without the pairing window, but does not tell of it",
        None => "the gateway that had the pairing window has ended",
    }
}

pub(super) fn reset(left: &str) -> String {
    let left = if left.is_empty() { String::new() } else { format!(" {}", text::sentence(left)) };
    format!("This machine is no longer enrolled; its certificate and key are deleted.{left}")
}
