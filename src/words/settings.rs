//! Preferences, Palyra's config, and where things are.

use std::fmt::Display;

pub fn config_cannot_be_read_mend(path: impl Display, error: impl Display) -> String {
    format!("the config {path} cannot be read ({error}); mend or remove it")
}

pub fn config_is_not_valid_toml(path: impl Display, at: impl Display, why: impl Display) -> String {
    format!("the config {path} is not valid TOML ({at}{why}); correct it")
}

pub const HAS_VERSION_THAT_IS_NO_WHOLE: &str = "has a version that is no whole number from 1 on; write: version = 1";

pub fn config(path: impl Display, why: impl Display) -> String {
    format!("the config {path} {why}")
}

pub fn nothing_was_restarted(config: impl Display) -> String {
    format!("{config} Nothing was restarted: Palyra goes on with what it has read.")
}

pub const THEN_TRY_AGAIN: &str = "Then try again.";
pub const NOTHING_TO_WRITE: &str = "Nothing to write: what runs has the ports that the config means.";
pub const WRITTEN_NOTHING_HAS_TO_BE_RESTARTED: &str = "Written. Nothing has to be restarted.";
pub const PALYRA_DESKTOP_CONFIG_RELOAD_MODE_SWITCHES: &str = "PALYRA_DESKTOP_CONFIG_RELOAD_MODE switches it off";
pub const START_TRAY_WITHOUT_THAT_VARIABLE: &str = "Start Palyra Tray without that variable.";
pub const CHANGES_OF_CONFIG_ARE_FOLLOWED: &str = "Changes of the config are followed.";
pub const THEY_ARE_LEFT_TO_YOU: &str = "They are left to you.";

pub fn cannot_be_watched(folder: impl Display, error: impl Display) -> String {
    format!("{folder} cannot be watched ({error})")
}

pub fn has_no(service: impl Display, purpose: impl Display) -> String {
    format!("{service} has no {purpose}")
}

pub fn look_failed(error: impl Display) -> String {
    format!("the look at it failed ({error})")
}

pub fn config_cannot_be_read(why: impl Display) -> String {
    format!("the config cannot be read: {why}")
}

pub fn gateway_would_not_start_with_config(path: impl Display, why: impl Display) -> String {
    format!("the gateway would not start with the config {path} ({why}); correct it")
}

pub fn is_not_valid_unicode(folder: impl Display) -> String {
    format!("{folder} is not valid Unicode")
}

pub fn line(line: impl Display) -> String {
    format!("line {line}: ")
}

pub const ALL: &str = "All: palyra-tray config list";

pub fn is_meant_question(name: impl Display) -> String {
    format!("Is {name} meant? ")
}

pub fn there_is_no_setting(name: impl Display) -> String {
    format!("there is no setting {name}")
}

pub const FLAGS_OF_ACTIVE_PROFILE: &str = "Flags of the active profile\n";
pub const KEPT_ONLY: &str = "kept only";

pub fn takes_and(name: impl Display, takes: impl Display, text: impl Display) -> String {
    format!("{name} takes {takes}, and not {text}")
}

pub fn is_set(name: impl Display, path: impl Display) -> String {
    format!("{name} is set in {path}.\n")
}

pub const FREE_SOME_SPACE: &str = "Free some space, then try again.";
pub const MEND_FILE_THEN_TRY_AGAIN: &str = "Mend the file, then try again.";

pub fn nothing_was_changed(error: impl Display) -> String {
    format!("nothing was changed: {error}")
}

pub const BROWSER_SERVICE_RUNS: &str = "the browser service runs";
pub const CHANGE_OF_PALYRAS_CONFIG_RESTARTS_WHAT: &str = "a change of Palyra's config restarts what it touches";
pub const WHERE_PALYRAS_PROGRAMS: &str = "where Palyra's programs are";
pub const WHERE_PALYRA_KEEPS_ITS_DATA: &str = "where Palyra keeps its data";
pub const THIS_MACHINE_MAY_BE_ENROLLED: &str = "this machine may be enrolled as a node from here";
pub const BRIGHTNESS_OF_PANEL_THAT_ICON: &str = "brightness of the panel that the icon is on";
pub const PALYRAS_JOURNAL_NOTES_WHICH_WINDOWS: &str =
    "Palyra's journal notes which windows and actions of Palyra Tray are used";
pub const NOTIFY_OF_APPROVALS: &str = "notify of approvals";
pub const NOTIFY_OF_ALARMS: &str = "notify of alarms";
pub const NOTIFY_OF_SERVICES_THAT_FAIL: &str = "notify of services that fail or move";
pub const NOTIFY_OF_ANSWERS_AND_RUNS: &str = "notify of answers and runs";
pub const NOTIFY_OF_DRAFTS: &str = "notify of drafts";
pub const NOTIFY_OF_WHAT_HAPPENED_BEHIND_LOCKED: &str = "notify of what happened behind a locked screen";
pub const NOTIFY_OF_CONFIG: &str = "notify of a config that is not taken";
pub const NOTIFY_OF_NODE_HOST: &str = "notify of the node host";
pub const NOTIFY_OF_TRAYS_OWN_TROUBLES: &str = "notify of Palyra Tray's own troubles";
pub const TRUE_OR_FALSE: &str = "true or false";
pub const FOLDER_BY_ITS_WHOLE_PATH: &str = "a folder by its whole path, from the root on";

pub fn cannot_be_read(name: impl Display, error: impl Display, before: impl Display) -> String {
    format!("{name} cannot be read ({error}); {before}")
}

pub fn is_not_understood(name: impl Display, why: impl Display, before: impl Display) -> String {
    format!("{name} is not understood ({why}); {before}")
}

pub fn takes(name: impl Display, full: impl Display, takes: impl Display, before: impl Display) -> String {
    format!("{name}: {full} takes {takes}; {before}")
}

pub const BEFORE: &str = "what it said before holds";
pub const DEFAULTS: &str = "its defaults are used";

pub fn is_meant(known: impl Display) -> String {
    format!("; is {known} meant?")
}

pub fn is_unknown_and_ignored(file: impl Display, name: impl Display, meant: impl Display) -> String {
    format!("{file}: {name} is unknown and ignored{meant}")
}

pub const STATE_ROOT_IN_INSTALL_METADATA: &str = "state_root in install-metadata.json";
pub const NO_HOME_DIRECTORY_IS_KNOWN: &str = "no home directory is known; set PALYRA_STATE_ROOT to an absolute path";

pub fn is_not_understood_mend(path: impl Display, error: impl Display) -> String {
    format!("{path} is not understood ({error}); mend or remove it")
}

pub fn palyra_config(path: impl Display) -> String {
    format!("PALYRA_CONFIG is {path}, which is not a file; correct or unset it")
}

pub fn is_which_is_not_absolute_path(what: impl Display, path: impl Display) -> String {
    format!("{what} is {path}, which is not an absolute path; correct or unset it")
}

pub const CONFIG_GONE: &str = "the config file is gone; put it back";
pub const CONFIG_TOUCHED: &str = "a restart was asked for by writing the config anew";
pub const CONFIG_OUTDATED: &str = "the config was changed after it started";
pub const WRITE_PORTS: &str = "Write these ports to the config";
pub const CONFIG_RESTARTS: &str = "Restart when the config changes";
pub const TELEMETRY: &str = "Note in Palyra's journal how Palyra Tray is used";
pub const CONFIG_INVALID: &str = "Palyra's config cannot be used";
pub const CONFIG_CHANGED: &str = "the config changed";

pub fn config_changed(first: impl Display) -> String {
    format!("the config changed ({first})")
}

pub fn config_changed_and_more(first: impl Display, more: impl Display) -> String {
    format!("the config changed ({first} and {more} more)")
}

pub fn restart_to_use_changed_config(names: impl Display) -> String {
    format!("Restart {names} to use the changed config")
}

pub const KEPT_BUT_SWITCHES_NOTHING: &str = "Kept. Palyra Tray has nothing that it switches.";
