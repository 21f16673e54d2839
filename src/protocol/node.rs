//! What a person asks about the node host.

use serde::{Deserialize, Serialize};

/// Something that is done with the enrolment of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeTask {
    /// Pair this machine with the gateway as a node. Opens the pairing window.
    Enrol,
    /// The same once more, for one whose certificate has expired or is refused. Opens the pairing window.
    Repair,
    /// Forget the enrolment.
    Reset,
}

impl NodeTask {
    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enrol => "enroll",
            Self::Repair => "repair",
            Self::Reset => "reset",
        }
    }

    /// For a while the gateway lets machines ask that have no certificate yet.
    pub const fn opens_window(self) -> bool {
        matches!(self, Self::Enrol | Self::Repair)
    }
}

/// What a client can ask of the node host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "node", rename_all = "snake_case")]
pub enum NodeRequest {
    /// How it stands, as JSON.
    Status,
    /// Do it: the person was asked and agreed. Answered when it is over; a client that goes away cancels it.
    Do {
        /// What.
        task: NodeTask,
    },
}
