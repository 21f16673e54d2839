//! What crosses the border of the enrolment.

use serde::{Deserialize, Serialize};

use super::notices::Notice;
use super::pairing::{Ours, PairingRequest};
use crate::core::decisions::LedgerLine;
use crate::core::event::Ticket;
use crate::core::service::Goal;
use crate::protocol::{Failure, RunId};

/// An enrolment as `palyra node status` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// This machine's id as a node.
    pub device_id: String,
    /// End of its certificate, milliseconds since the epoch.
    pub expires_at_unix_ms: Option<i64>,
    /// Certificate and key are there.
    pub paired: bool,
}

/// What is known of the enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Known {
    /// Not looked at yet.
    #[default]
    Unknown,
    /// It could not be told, in words: the node host is tried all the same.
    Untold(String),
    /// Not enrolled.
    Absent,
    /// Enrolled.
    Enrolled(Enrolled),
}

/// What is kept on disk, for the next agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// Under way, failed or cut short: what of these still waits in the gateway is to be refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enrolling: Vec<Ours>,
    /// The trouble that the person was told of already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
}

/// What an agent begins with.
#[derive(Clone, Debug, Default)]
pub struct NodeSetup {
    /// The person allows enrolment, in the settings.
    pub allowed: bool,
    /// There is an enrolment.
    pub installed: bool,
    /// Of the agent before.
    pub kept: Kept,
}

/// What came of a [`NodeWork`]. The number is that of the attempt: what belongs to another one is not heard.
#[derive(Clone, Debug)]
pub enum NodeEvent {
    /// How the enrolment stands; absent: there is none.
    Told(Result<Option<Enrolled>, String>),
    /// A code was made, at this time by the gateway's clock, and given to the command line.
    Begun(u64, Result<i64, String>),
    /// The requests that the gateway has.
    Listed(u64, Result<Vec<PairingRequest>, String>),
    /// Our request was approved, or not.
    Approved(u64, Result<(), String>),
    /// The command line ended.
    Installed(u64, Result<Enrolled, String>),
    /// The material is gone; in words, what is left elsewhere.
    Removed(u64, Result<String, String>),
    /// What these attempts left in the gateway is refused.
    Tidied(Vec<Ours>),
}

/// Something that the shell does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeWork {
    /// Tell how the enrolment stands.
    Look,
    /// Have a code made for this issuer, and start the command line with it.
    Begin {
        /// Which attempt.
        attempt: u64,
        /// For the code and the command line.
        ours: Ours,
        /// First take away what is there: the command line keeps a certificate that has expired.
        clear: bool,
    },
    /// List the requests.
    List(u64),
    /// Approve this one.
    Approve(u64, String),
    /// End the command line.
    Abandon,
    /// Refuse what of these attempts still waits in the gateway.
    Tidy(Vec<Ours>),
    /// Take the material away, and have the gateway forget the device.
    Remove(u64),
    /// Touch the lease of the gateway with the window.
    Renew,
    /// Keep this on disk.
    Keep(Kept),
}

/// What the enrolment asks of the agent.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeOrder {
    /// For the shell.
    Work(NodeWork),
    /// Restart the gateway; `wanted`: start it also where it is stopped.
    RestartGateway {
        /// See there.
        wanted: bool,
    },
    /// Its window cannot be closed: stop the gateway.
    StopGateway,
    /// The node host is to run, or not.
    Host(Goal),
    /// A line for the record of decisions; an intent is answered by [`Node::recorded`].
    Write(LedgerLine),
    /// Something that a person should know.
    Tell(Notice),
    /// No longer so.
    Withdraw(Notice),
    /// It is over.
    Finish(Option<Ticket>, Result<String, Failure>),
}

/// What of the sidecars matters here.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The gateway's life.
    pub gateway: Option<RunId>,
    /// It answers.
    pub gateway_ready: bool,
    /// It has a process that has not answered yet.
    pub gateway_starting: bool,
    /// It is wanted, and not given up.
    pub gateway_hoped_for: bool,
    /// Why it is not ready.
    pub gateway_words: String,
    /// The node host has a process.
    pub host_up: bool,
    /// The gateway has seen it.
    pub host_ready: bool,
    /// Why it is not.
    pub host_words: String,
    /// The agent is ending.
    pub ending: bool,
}
