//! What is said in more than one place.

use std::fmt::Display;

pub fn and_more(more: impl Display) -> String {
    format!(" and {more} more")
}

pub const APPROVALS: &str = "Approvals";
pub const APPROVE_ONCE: &str = "Approve once";
pub const CHECK_AGAIN: &str = "Check again";
pub const CONFIG: &str = "Config";
pub const FIRST_MESSAGE: &str = "First message";
pub const LOGS: &str = "Logs";
pub const LOOK_AGAIN: &str = "Look again";
pub const MODEL_PROVIDER: &str = "Model provider";
pub const NOT_DONE: &str = "Not done";
pub const NOT_NOW: &str = "Not now";
pub const NOTIFICATIONS: &str = "Notifications";
pub const OPEN_CHAT: &str = "Open chat";
pub const PALYRA_TRAY_IS_ENDING: &str = "Palyra Tray is ending";
pub const PALYRA_TRAY: &str = "Palyra Tray";
pub const PALYRAS_PROGRAMS: &str = "Palyra's programs";
pub const RESTART_PALYRA_TRAY_AND_TRY_AGAIN: &str = "Restart Palyra Tray and try again.";
pub const SEE_STATUS: &str = "See: palyra-tray status";
pub const START_ON_LOGIN: &str = "Start on login";
pub const THIS_TAKES_A_MOMENT: &str = "This takes a moment.";
pub const TRY_AGAIN_IN_A_MOMENT: &str = "Try again in a moment.";
pub const TRY_AGAIN: &str = "Try again";
pub const ALL_AGENTS_ARE_PAUSED: &str = "all agents are paused";

pub fn cannot_start_thread(error: impl Display) -> String {
    format!("cannot start a thread: {error}; close other programs and try again")
}

pub fn exit_code(code: impl Display) -> String {
    format!("exit code {code}")
}

pub const IT_CARRIES_USER_NAME: &str = "it carries a user name";
pub const IT_ENDED_WITHOUT_WORD: &str = "it ended without a word";
pub const IT_IS_NOT_ADDRESS: &str = "it is not an address";
pub const NO_AGENT_RUNS: &str = "no agent runs";
pub const NO_REASON_IS_KNOWN: &str = "no reason is known";
pub const NOT_ENROLLED: &str = "not enrolled";
pub const PALYRA_GAVE_ANSWER: &str = "palyra gave an answer that was not understood";

pub fn signal(signal: impl Display) -> String {
    format!("signal {signal}")
}

pub const AGENT_DOES_NOT_TELL: &str = "the agent does not tell";
pub const AGENTS_ANSWER_WAS_NOT_UNDERSTOOD: &str = "the agent's answer was not understood";
pub const GATEWAY_DOES_NOT_SAY_WHY: &str = "the gateway does not say why";

pub fn process(executable: impl Display, pid: impl Display) -> String {
    format!("{executable} (process {pid})")
}

pub const RESUME_THEM_FIRST: &str = "Resume them first: palyra-tray resume";
