//! What commands say that belongs to nothing else.

use std::fmt::Display;

pub fn no_such_log(service: impl Display) -> String {
    format!("no such log: {service}")
}

pub fn or_tray(why: impl Display) -> String {
    format!("{why}, or tray")
}

pub fn nothing_has_been_logged_there_yet(path: impl Display) -> String {
    format!("nothing has been logged there yet: {path}")
}

pub const START_PALYRA_RUN: &str = "Start Palyra: palyra-tray run";
pub const LINES_MAY_BE_MISSING_HERE: &str =
    "(lines may be missing here: the log was rotated faster than they could be shown)";
pub const ENDED_PALYRA_KEEPS_RUNNING: &str = "Ended. Palyra keeps running.\n";

pub fn palyra_tray_has_ended(text: impl Display) -> String {
    format!("Palyra Tray has ended, but {text}")
}

pub const ENDED_PALYRA_IS_STOPPED: &str = "Ended. Palyra is stopped.\n";
pub const AGENT_WAS_KILLED_BEFORE: &str =
    "the agent was killed before it was done; what it had not stopped yet goes on";
pub const START_IT_AGAIN: &str = "Start it again, then quit: palyra-tray run";
pub const AGENT_HAS_ENDED: &str = "the agent has ended, and another one was started meanwhile";
pub const AGENT_IS_STILL_ENDING: &str = "the agent is still ending";
