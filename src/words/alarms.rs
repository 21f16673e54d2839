//! Alarms, and what a person does about them: pause, resume, abort.

use std::fmt::Display;

pub const PALYRAS_FOLDER_WAS_REMOVED: &str = "Palyra's folder was removed";

pub fn came_within_minute(count: impl Display) -> String {
    format!(
        "{count} came within a minute. Whoever asks that often may hope for a tired yes. Look at each one, or pause \
         all agents."
    )
}

pub const MANY_APPROVALS: &str = "Many approvals are asked for";

pub fn somebody_allowed(title: impl Display, what: impl Display) -> String {
    format!(
        "{title}: {what}\nSomebody allowed it, in the dashboard or by the gateway's token. If it was not you, abort \
         the run."
    )
}

pub fn somebody_allowed_after_its_end(title: impl Display, what: impl Display) -> String {
    format!(
        "{title}: {what}\nIt had been denied, or its time was over. Then somebody allowed it, in the dashboard or by \
         the gateway's token. If it was not you, abort the run."
    )
}

pub fn somebody_allowed_anew(title: impl Display, what: impl Display) -> String {
    format!(
        "{title}: {what}\nIt had been allowed already. Then somebody allowed it anew, perhaps for longer, in the \
         dashboard or by the gateway's token. If it was not you, abort the run."
    )
}

pub const IT_WAS_ME: &str = "It was me";
pub const ABORT_RUN: &str = "Abort run";
pub const APPROVED_ELSEWHERE: &str = "Approved elsewhere: was it you?";

pub fn it_is_tried_again(why: impl Display) -> String {
    format!("{why} It is tried again; stopping Palyra ends everything.")
}

pub const STOP_PALYRA: &str = "Stop Palyra";
pub const NOT_EVERY_AGENT_IS_PAUSED: &str = "Not every agent could be paused";
pub const RUN_IS_BEING_ABORTED: &str = "The run is being aborted.";

pub fn run_could_not_be_aborted(why: impl Display) -> String {
    format!("the run could not be aborted: {why}")
}

pub const PAUSE_ALL_AGENTS: &str = "Pause all agents, or stop Palyra, to end it.";
pub const SOMEBODY_ASKED_FOR_DASHBOARD: &str = "Somebody else asked for your dashboard";
pub const ONE_TIME_ADDRESS_USED_TWICE: &str = "The one-time address that signs you in was used twice. If that was not \
     you, restart Palyra: it ends all sessions.";
pub const PAUSED: &str =
    "All agents are paused: what runs is aborted, and what they ask for is denied, until you resume them.";
pub const RESUMED: &str = "Agents may work again.";

pub fn was_removed_while_palyra_ran(folder: impl Display) -> String {
    format!(
        "{folder} was removed while Palyra ran: what was in it is gone, and what the services write now may be lost. \
         To begin anew: palyra-tray restart"
    )
}
