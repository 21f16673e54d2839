//! What a person reads about the node host.

use super::Step;
use crate::core::text;
use crate::core::view::{Button, Urgency};
use crate::protocol::Action;
use crate::protocol::node::NodeTask;
use crate::words;

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
            Self::Expired(_) => words::node::ITS_CERTIFICATE_HAS_EXPIRED,
            Self::Refused => words::node::GATEWAY_NO_LONGER_ACCEPTS_ITS_CERTIFICATE,
            Self::Incomplete => words::node::ITS_CERTIFICATE_IS_MISSING,
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
                let what = words::node::it_cannot_connect_to_gateway_any(
                    text::sentence(need.words()),
                    if allowed { "" } else { words::node::IN_TERMINAL_NODE_REPAIR_SAYS_WHAT },
                );
                (
                    words::node::NODE_HOST_NEEDS_REPAIR,
                    what,
                    offer(words::common::REPAIR, NodeTask::Repair),
                    Urgency::Normal,
                )
            }
            Self::Strange(who) => (
                words::node::SOMEBODY_ELSE_ASKED_TO_BE_PAIRED,
                words::node::while_pairing_window_was_open(who),
                Vec::new(),
                Urgency::Normal,
            ),
            Self::Interrupted => (
                words::node::ENROLLING_WAS_INTERRUPTED,
                words::node::PALYRA_TRAY_WAS_ENDED_WHILE_PAIRING.to_owned(),
                Vec::new(),
                Urgency::Normal,
            ),
            Self::CannotClose => (
                words::node::PAIRING_WINDOW_DOES_NOT_CLOSE,
                words::node::GATEWAY_STILL_LETS_MACHINES_WITHOUT.to_owned(),
                Vec::new(),
                Urgency::Normal,
            ),
        }
    }
}

/// What is being done, for menu and `status`.
pub const fn step_words(step: &Step) -> &'static str {
    match step {
        Step::Emptying => words::node::IS_BEING_STOPPED,
        Step::Opening { .. } => words::node::ENROLLING_PAIRING_WINDOW_OPENS,
        Step::Pairing(_) => words::node::ENROLLING_PAIRING_WINDOW_IS_OPEN,
        Step::Closing => words::node::ENROLLING_PAIRING_WINDOW_CLOSES,
        Step::Starting => words::node::ENROLLED_STARTING,
        Step::Removing => words::node::IS_BEING_RESET,
    }
}

pub(super) fn enrolled(device_id: &str) -> String {
    words::node::this_machine_is_enrolled_as_node(device_id)
}

pub(super) fn not_running(why: &str) -> String {
    let why = if why.is_empty() { words::common::NO_REASON_IS_KNOWN } else { why };
    words::node::this_machine_is_enrolled_and_pairing(why)
}

pub(super) fn strange(who: &str) -> String {
    words::node::somebody_else_asked_through_pairing(who)
}

/// How it is known that the window is closed.
pub(super) const fn shut(said: Option<Option<bool>>) -> &'static str {
    match said {
        Some(Some(true)) => words::node::PAIRING_WINDOW_IS_CLOSED,
        Some(_) => words::node::GATEWAY_WAS_STARTED_WITHOUT_PAIRING,
        None => words::node::GATEWAY_THAT_HAD_PAIRING_WINDOW,
    }
}

pub(super) fn reset(left: &str) -> String {
    let left = if left.is_empty() { String::new() } else { format!(" {}", text::sentence(left)) };
    words::node::this_machine_is_no_longer_enrolled(&left)
}
