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
pub const DONE: &str = "Done";
pub const SET: &str = "Set.";
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
pub const NO_AGENT_RUNS: &str = "Palyra Tray does not run";
pub const NO_REASON_IS_KNOWN: &str = "no reason is known";
pub const NOT_ENROLLED: &str = "not enrolled";
pub const PALYRA_GAVE_ANSWER: &str = "palyra gave an answer that was not understood";

pub fn signal(signal: impl Display) -> String {
    format!("signal {signal}")
}

pub const AGENT_DOES_NOT_TELL: &str = "Palyra Tray does not tell";
pub const AGENTS_ANSWER_WAS_NOT_UNDERSTOOD: &str = "Palyra Tray's answer was not understood";
pub const GATEWAY_DOES_NOT_SAY_WHY: &str = "the gateway does not say why";

pub fn process(executable: impl Display, pid: impl Display) -> String {
    format!("{executable} (process {pid})")
}

pub const RESUME_THEM_FIRST: &str = "Resume them first: palyra-tray resume";
pub const WAITS_FOR_YOU: &str = ", waits for you";
pub const BROWSER: &str = "Browser";
pub const CHATS: &str = "Chats";
pub const DIAGNOSTICS: &str = "Diagnostics";
pub const GATEWAY: &str = "Gateway";

pub fn it_last_said(said: impl Display) -> String {
    format!("It last said: {said}")
}

pub const IT_OPENS: &str = "It opens.";
pub const NODE_HOST: &str = "Node host";
pub const NOTHING_TO_CHANGE: &str = "Nothing to change.";
pub const NOTHING_WAS_CHANGED: &str = "Nothing was changed.";
pub const PREFERENCES: &str = "Preferences";
pub const REPAIR: &str = "Repair…";
pub const SECRETS: &str = "Secrets";
pub const START_PALYRA_TRAY: &str = "Start it: palyra-tray run";
pub const IT_IS_NO_FILE: &str = "it is no file";
pub const IT_IS_NOT_UNDERSTOOD: &str = "it is not understood";
pub const NOT_KNOWN: &str = "not known";
pub const NOTHING_WAS_DONE: &str = "nothing was done";
pub const BROWSER_SERVICE_IS_SWITCHED_OFF: &str = "the browser service is switched off";
pub const GATEWAY_IS_NOT_READY: &str = "the gateway is not ready";
pub const THIS_MACHINE_IS_NOT_ENROLLED: &str = "this machine is not enrolled as a node";

pub fn cannot_be_read(path: impl Display, error: impl Display) -> String {
    format!("{path} cannot be read ({error}); mend or remove it")
}

pub fn minutes(minutes: impl Display) -> String {
    format!("{minutes} min")
}

pub fn days(days: impl Display) -> String {
    format!("{days} days")
}
