//! What the tray remembers, and what it takes over from the earlier desktop app.

use std::fmt::Display;

pub fn it_cannot_be_started(error: impl Display) -> String {
    format!("it cannot be started: {error}")
}

pub fn something_ended(status: impl Display) -> String {
    format!("something ended it ({status})")
}

pub fn its_end_cannot_be_read(error: impl Display) -> String {
    format!("its end cannot be read: {error}")
}

pub fn it_has_more_than_mib(most: impl Display) -> String {
    format!("it has more than {most} MiB")
}

pub fn it_is_not_understood_line(line: impl Display, column: impl Display) -> String {
    format!("it is not understood (line {line}, column {column})")
}

pub const IT_IS_NOT_UNDERSTOOD_IT_IS_NO: &str = "it is not understood (it is no JSON object)";

pub fn its_schema(schema: impl Display, newest: impl Display) -> String {
    format!("its schema is {schema}, and 1 to {newest} are known")
}

pub fn profile_it_is_not_one(quoted: impl Display) -> String {
    format!("profile {quoted}: it is not one, or one too many")
}

pub fn its_data_folder(default_profile: impl Display) -> String {
    format!("its data folder: only that of {default_profile} is taken over")
}

pub const ACTIVE_SESSION_DEVICE_AND_RUN: &str = "the active session, device and run";
pub const WHAT_IT_KEPT_OF_VOICE: &str = "what it kept of voice: Palyra Tray has none";
pub const START_ON_LOGIN_WAS_ON: &str =
    "start on login: it was on without a question; to switch it on: palyra-tray autostart on";

pub fn profile(quoted: impl Display, what: impl Display) -> String {
    format!("profile {quoted}: {what}")
}

pub fn it_is_not_list(field: impl Display) -> String {
    format!("{field}: it is not a list")
}

pub fn it_is_neither_on_nor_off(name: impl Display) -> String {
    format!("{name}: it is neither on nor off")
}

pub fn flags(names: impl Display) -> String {
    format!("the flags {names}")
}

pub fn notifications_left(left: impl Display, count: impl Display) -> String {
    format!("{left} of {count} notifications: too old, or not understood")
}

pub fn only_newest_are_kept(most: impl Display) -> String {
    format!("only the newest {most} are kept")
}

pub fn its_file_still_has_text(counted: impl Display, why: impl Display) -> String {
    format!("{counted}: {why}; its file still has the text")
}

pub const IT_HAS_NO_TEXT: &str = "it has no text";
pub const DRAFTS_ARE_SWITCHED_OFF_OFFLINE_DRAFTS: &str = "drafts are switched off (offline_drafts_enabled)";

pub fn drafts_are_kept_already(most: impl Display) -> String {
    format!("{most} drafts are kept already, and none is dropped: send or discard one first")
}

pub fn profile_what_else_it_had(name: impl Display) -> String {
    format!("profile {name}: what else it had, because this profile is in use here")
}

pub fn profile_there_is_no_room(name: impl Display, count: impl Display, drafts: impl Display) -> String {
    format!("profile {name}: {count} {drafts}: there is no room")
}

pub const IT_IS_NOT_ACTIVE_ONE_HERE: &str =
    "it is not the active one here yet; change to it in the menu, under Set-up and support";
pub const THERE_IS_NOTHING: &str = "there is nothing in it";

pub fn it_is_too_long(bytes: impl Display, most: impl Display) -> String {
    format!("it is too long: {bytes} bytes, and a draft may have {most}")
}

pub fn what_changes_now_holds_only_until(why: impl Display) -> String {
    format!("{why}; what changes now holds only until Palyra Tray ends")
}

pub fn what_tray_remembers_cannot_be_written(trouble: impl Display) -> String {
    format!(
        "what Palyra Tray remembers cannot be written ({trouble}); nothing is lost while it runs, and it is tried again"
    )
}

pub fn but(doubt: impl Display) -> String {
    format!(" But {doubt}.")
}

pub const ASK_PALYRA_SESSIONS: &str = "Ask Palyra, sessions, drafts and recent events";
pub const ASK_PALYRA_IN_WINDOW: &str = "Ask Palyra in a window of its own";
pub const DRAFTS_WHILE_PALYRA_IS_NOT_REACHED: &str = "Drafts while Palyra is not reached";
pub const NOTIFY_OF_APPROVALS: &str = "Notify of approvals";
pub const NOTIFY_OF_ALARMS: &str = "Notify of alarms";
pub const NOTIFY_OF_SERVICES_THAT_FAIL: &str = "Notify of services that fail or move";
pub const NOTIFY_OF_ANSWERS_AND_RUNS: &str = "Notify of answers and runs";
pub const NOTIFY_OF_DRAFTS: &str = "Notify of drafts";
pub const NOTIFY_OF_WHAT_HAPPENED_BEHIND_LOCKED: &str = "Notify of what happened behind a locked screen";
pub const NOTIFY_OF_CONFIG: &str = "Notify of a config that is not taken";
pub const NOTIFY_OF_NODE_HOST: &str = "Notify of the node host";
pub const NOTIFY_OF_TRAYS_OWN_TROUBLES: &str = "Notify of Palyra Tray's own troubles";
pub const FROM_EARLIER_DESKTOP_APP: &str = "From the earlier desktop app";
pub const CANNOT_WRITE_ITS_STATE: &str = "Palyra Tray cannot write what it remembers";

pub fn file_cannot_be_read(file: impl Display, error: impl Display) -> String {
    format!("{file} of the earlier desktop app cannot be read: {error}")
}

pub const ANOTHER_ONE_IS_CHOSEN: &str = "another one is chosen in settings.toml";

pub fn data_folder(path: impl Display) -> String {
    format!("the data folder {path}")
}

pub fn data_folder_left(wanted: impl Display, why: impl Display) -> String {
    format!("the data folder {wanted}: {why}")
}

pub fn is_no_folder_below(folder: impl Display) -> String {
    format!("it is no folder below {folder}; choose it in the set-up")
}

pub const BROWSER_SERVICE_OFF: &str = "the browser service is off";

pub fn browser_service_off_left(error: impl Display) -> String {
    format!("the browser service, which was off: {error}")
}

pub const HOW_FAR_SET_UP: &str = "how far the set-up was";

pub fn how_far_set_up_left(error: impl Display) -> String {
    format!("how far the set-up was: {error}")
}

pub const TAKEN_OVER: &str = "Taken over";
pub const NOT_TAKEN_OVER: &str = "Not taken over";

pub fn its_own_files(lists: impl Display) -> String {
    format!("{lists}Its own files were not changed. All of it: palyra-tray status --json")
}
