//! The agent: what it answers to requests, its control socket, its own files.

use std::fmt::Display;

pub const USE_COMMAND_OF_SAME_VERSION: &str = "Use the palyra-tray command of the same version.";

pub fn request_was_not_understood_column(column: impl Display) -> String {
    format!("the request was not understood (column {column})")
}

pub const TOO_MANY_WATCH_ALREADY: &str = "too many watch already";
pub const END_ONE_OF_OTHERS: &str = "End one of the others: palyra-tray status --watch";

pub fn command_speaks_version_of_control_protocol(asked: impl Display, ours: impl Display) -> String {
    format!(
        "this command speaks version {asked} of the control protocol, the Palyra Tray that runs speaks version \
     {ours}"
    )
}

pub const IS_IT_OF_ANOTHER_VERSION: &str =
    "Is it of another version? Restart it: palyra-tray quit --keep-running, then: palyra-tray run";
pub const AGENT_DID_NOT_ANSWER_IN_TIME: &str = "Palyra Tray did not answer in time";
pub const SEE_ITS_LOG: &str = "See its log: palyra-tray logs tray";
pub const WENT_AWAY: &str = "Palyra Tray went away";

pub fn went_away(error: impl Display) -> String {
    format!("Palyra Tray went away: {error}")
}

pub fn no_agent_runs(state_root: impl Display, why: impl Display) -> String {
    format!("Palyra Tray does not run for {state_root}{why}")
}

pub fn its_address_file_cannot_be_read(error: impl Display) -> String {
    format!("its address file cannot be read ({error})")
}

pub const ITS_ADDRESS_FILE_IS_CORRUPT: &str = "its address file is corrupt";
pub const SOCKET_BELONGS_TO_ANOTHER_USER: &str = "the socket belongs to another user";

pub fn cannot_be_looked(path: impl Display, error: impl Display) -> String {
    format!("{path} cannot be looked at: {error}")
}

pub const THIS_SYSTEM_DOES_NOT_TELL_WHO: &str = "this system does not tell who holds a lock";
pub const IT_IS_NOT_OF_FORM_SCOPE: &str = "it is not of the form scope/name";
pub const PROCESS_THAT_PALYRA_ITSELF_STARTED: &str = "a process that Palyra itself started may not decide this";
pub const DECIDE_IN_NOTIFICATION: &str = "Decide in the notification, the dashboard, or a terminal of your own.";
pub const NO_SESSION_BUS: &str = "no session bus";
pub const THIS_DESKTOP_SHOWS_NO_TRAY_ICONS: &str =
    "this desktop shows no tray icons (GNOME needs the AppIndicator extension)";
pub const NO_PANEL_SHOWS_TRAY_ICONS: &str = "no panel shows tray icons";

pub fn is_used_from_next_start(name: impl Display) -> String {
    format!(
        "{name} is used from the next start of Palyra Tray on: palyra-tray quit --keep-running, then: palyra-tray \
     run"
    )
}

pub const NOT_SIGNED: &str = "not signed in";

pub fn diagnostics_could_not_be_written(error: impl Display) -> String {
    format!("the diagnostics could not be written: {error}")
}

pub fn cannot_be_read(path: impl Display, error: impl Display) -> String {
    format!("{path} cannot be read ({error}); it is ignored")
}

pub fn it_was_set_aside(aside: impl Display) -> String {
    format!("it was set aside as {aside}")
}

pub const IT_IS_IGNORED: &str = "it is ignored";
pub const AND_ITS_LAST_GOOD_COPY: &str = ", and its last good copy is used";

pub fn is_corrupt(path: impl Display, error: impl Display, place: impl Display, instead: impl Display) -> String {
    format!("{path} is corrupt ({error}); {place}{instead}")
}

pub fn is_of_newer_palyra_tray_version(path: impl Display, version: impl Display) -> String {
    format!("{path} is of a newer Palyra Tray (version {version}) and is left as it is")
}

pub fn cannot_be_used_and_is_left(path: impl Display) -> String {
    format!("{path} cannot be used and is left as it is")
}

pub const SOMEBODY_ELSE_WRITES_IT_ALL_TIME: &str = "somebody else writes it all the time; try again";

pub fn in_is_not_table(part: impl Display, name: impl Display) -> String {
    format!("{part} in {name} is not a table")
}

pub const NOT_ALL_OF_SETTINGS_IS_UNDERSTOOD: &str = "Not all of the preferences are understood";
pub const TRAY_OPENED_WINDOW: &str = "Palyra Tray opened a window";
pub const TRAY_MADE_OR_RESUMED_CHAT_SESSION: &str = "Palyra Tray made or resumed a chat session";
pub const TRAY_SENT_MESSAGE: &str = "Palyra Tray sent a message";
pub const APPROVAL_WAS_GIVEN_IN_TRAY: &str = "An approval was given in Palyra Tray";
pub const APPROVAL_WAS_DENIED_IN_TRAY: &str = "An approval was denied in Palyra Tray";
pub const TRAY_OPENED_DASHBOARD: &str = "Palyra Tray opened the dashboard";
pub const NOT_LOOKED_FOR_YET: &str = "not looked for yet";
pub const FILE_COULD_NOT_BE_SHOWN: &str = "The file could not be shown";
pub const SOMETHING_ELSE_WAS_ASKED_MEANWHILE: &str = "something else was asked meanwhile";
pub const PALYRA_TRAY_IS_RUNNING: &str = "Palyra Tray is running";
pub const NOTHING_WAS_DECIDED: &str = "nothing was decided: Palyra Tray is ending";
pub const NEXT_ONE_TAKES_OVER: &str = "Palyra keeps running; the next Palyra Tray takes it over.";
pub const IT_LOOKS_AGAIN: &str = "It looks again.";
pub const REVIEW_OPENS: &str = "The review opens.";
pub const SET_UP_OPENS: &str = "The set-up opens.";
pub const CHECKS_OPEN: &str = "The checks open.";
pub const OPENED: &str = "Opened.";
pub const PUT_AWAY: &str = "Put away.";
pub const DECISION_NEEDS_ITS_OWN_REQUEST: &str = "a decision needs its own request";
pub const USE_APPROVALS_APPROVE: &str = "Use: palyra-tray approvals approve";
pub const SWITCH_IT_ON_IN_TRAY_MENU: &str = "Switch it on in the tray menu, under Browser.";
pub const ENROL_IT_FIRST: &str = "Enrol it first: palyra-tray node enroll";
pub const START_IT_AND_OPEN_DASHBOARD_IN_ONE: &str =
    "Start it and open the dashboard in one go: palyra-tray open --start";
pub const START_AND_OPEN: &str = "Start and open";

pub fn start_it_and_open_dashboard(what: impl Display) -> String {
    format!("{what} Start it and open the dashboard?")
}

pub const DASHBOARD_NEEDS_PALYRA: &str = "The dashboard needs Palyra";
pub const DASHBOARD_OPENS_IN_YOUR_BROWSER: &str = "The dashboard opens in your browser.";
pub const DASHBOARD_COULD_NOT_BE_OPENED: &str = "The dashboard could not be opened";
pub const KEPT_FOR_NEXT_START: &str = "Kept for the next start.";
pub const UNLOCK_SCREEN_THEN_DECIDE: &str = "Unlock the screen, then decide.";

pub fn control_socket_cannot_be_made(error: impl Display) -> String {
    format!("the control socket cannot be made: {error}")
}

pub fn address_of_control_socket_could(error: impl Display) -> String {
    format!("the address of the control socket could not be written: {error}")
}

pub const SWITCHED_OFF_NO_TRAY: &str = "switched off (--no-tray)";

pub fn holds_only_until_end(name: impl Display, error: impl Display) -> String {
    format!("{name} holds only until Palyra Tray ends: {error}")
}

pub fn ports_were_not_written(error: impl Display) -> String {
    format!("the ports were not written: {error}")
}

pub fn pause_holds_only_until_end(error: impl Display) -> String {
    format!("the pause holds only until Palyra Tray ends: {error}")
}

pub const ABORTED_FROM_TRAY: &str = "aborted from Palyra Tray";
pub const WAITING_FOR_ITS_SECRETS: &str = "waiting for its secrets";

pub fn one_time_address_could(error: impl Display) -> String {
    format!("the one-time address could not be made: {error}")
}

pub const QUIT_STOP: &str = "Stopping Palyra.";
pub const QUIT_KEEP: &str = "Palyra Tray ends; Palyra keeps running.";

pub fn its_icon_is_in_tray(line: impl Display) -> String {
    format!("{line} Its icon is in the tray.")
}

pub fn there_is_no_icon(line: impl Display, tray: impl Display) -> String {
    format!("{line} There is no icon: {tray}. In a terminal, palyra-tray status says more.")
}

pub const RUNS_ALREADY: &str = "Palyra Tray already uses this data folder";

pub fn earlier_app_runs(pid: impl Display) -> String {
    format!("the earlier desktop app uses this data folder (process {pid}); quit it first, then start Palyra Tray")
}

pub fn data_folder_cannot_be_used(error: impl Display) -> String {
    format!("the data folder cannot be used: {error}; mend its permissions or set PALYRA_STATE_ROOT to another folder")
}
