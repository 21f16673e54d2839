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
    "Palyra Tray was killed before it was done; what it had not stopped yet goes on";
pub const START_IT_AGAIN: &str = "Start it again, then quit: palyra-tray run";
pub const AGENT_HAS_ENDED: &str = "Palyra Tray has ended, and another one was started meanwhile";
pub const AGENT_IS_STILL_ENDING: &str = "Palyra Tray is still ending";

pub fn no_such_place(place: impl Display) -> String {
    format!("no such place: {place}")
}

pub const SERVICES_ARE_GATEWAY: &str = "the services are gateway, browserd and node_host";

pub fn no_place_for_demo(error: impl Display) -> String {
    format!("no place for the demo: {error}")
}

pub const NAME_ONE_DEMO_STATE_FOLDER: &str = "Name one: palyra-tray demo --state FOLDER";

pub fn palyra_tray_demo(root: impl Display, exe: impl Display) -> String {
    format!(
        "Palyra Tray demo: nothing here is real. Look for its icon in the tray; approvals arrive within seconds.\nIn \
         another terminal:\n\x20 export PALYRA_STATE_ROOT={root}\n\x20 {exe} status\n\x20 {exe} approvals list\n\x20 \
         {exe} open\nCtrl-C ends it.\n"
    )
}

pub fn log_cannot_be_written(path: impl Display, error: impl Display) -> String {
    format!("the log {path} cannot be written: {error}")
}

pub const MEND_PERMISSIONS_THERE: &str = "Mend the permissions there, or set PALYRA_STATE_ROOT to another folder.";
pub const ANOTHER_AGENT_HOLDS_THIS_STATE_ROOT: &str = "another Palyra Tray uses this data folder but does not answer";
pub const END_THAT_PROCESS: &str = "End its process (palyra-tray), then try again.";
