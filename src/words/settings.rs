//! Preferences, Palyra's config, and where things are.

use std::fmt::Display;

pub fn config_cannot_be_read(path: impl Display, error: impl Display) -> String {
    format!("the config {path} cannot be read ({error}); mend or remove it")
}

pub fn config_is_not_valid_toml(path: impl Display, at: impl Display, why: impl Display) -> String {
    format!("the config {path} is not valid TOML ({at}{why}); correct it")
}

pub const HAS_VERSION_THAT_IS_NO_WHOLE: &str = "has a version that is no whole number from 1 on; write: version = 1";

pub fn config(path: impl Display, why: impl Display) -> String {
    format!("the config {path} {why}")
}

pub const FOLDER_OF: &str = "the folder of palyra-tray";
pub const FOLDER_IN_PATH: &str = "a folder in PATH";
pub const INSTALLED_PACKAGE: &str = "an installed package";
pub const UNPACKED_ARCHIVE: &str = "an unpacked archive";
pub const YOUR_CHOICE: &str = "your choice";

pub fn is_which_correct_or_unset(variable: impl Display, path: impl Display, why: impl Display) -> String {
    format!("{variable} is {path}, which {why}; correct or unset it")
}

pub fn was_not_found(name: impl Display, found: impl Display, variable: impl Display) -> String {
    format!("{name} was not found{found}; put it beside palyra-tray, or set {variable} to its absolute path")
}

pub fn is_not_absolute_path(folder: impl Display) -> String {
    format!("{folder} is not an absolute path; name the whole path of the folder.")
}

pub fn does_not_exist_choose(folder: impl Display) -> String {
    format!("{folder} does not exist; choose another folder.")
}

pub fn is_not_folder(folder: impl Display) -> String {
    format!("{folder} is not a folder; choose the folder that holds palyrad.")
}

pub fn cannot_be_read_mend(folder: impl Display, error: impl Display) -> String {
    format!("{folder} cannot be read ({error}); mend its permissions or choose another.")
}

pub fn there_is_no_palyrad(folder: impl Display) -> String {
    format!("There is no palyrad in {folder}; choose the folder that Palyra was unpacked or installed into.")
}

pub const DOES_NOT_EXIST: &str = "does not exist";
pub const IS_NOT_FILE: &str = "is not a file";

pub fn is_not_executable_make(path: impl Display) -> String {
    format!("is not executable (make it so: chmod +x '{path}')")
}

pub fn may_not_be_executed(error: impl Display) -> String {
    format!("may not be executed ({error}): not by you, or its disk is mounted with noexec")
}

pub fn cannot_be_read(error: impl Display) -> String {
    format!("cannot be read ({error})")
}

pub fn there_is_no(name: impl Display, what: impl Display) -> String {
    format!("There is no {name}: {what}.")
}

pub const AGENTS_CANNOT_USE_BROWSER: &str = "agents cannot use a browser";

pub fn every_user_of_this_machine_can(path: impl Display) -> String {
    format!("Every user of this machine can change {path} (mend it: chmod o-w '{path}').")
}

pub const IS_NO_PROGRAM: &str = "is no program, or was cut off; download or unpack it again";

pub fn is_script(interpreter: impl Display) -> String {
    format!("is a script for {interpreter}, which does not exist")
}

pub fn is_for_this_machine_runs(format: impl Display, system: impl Display) -> String {
    format!("is for {format}, this machine runs {system}")
}

pub fn is_for_this_machine(machines: impl Display, machine: impl Display) -> String {
    format!("is for {machines}, this machine is {machine}; get the package for {machine}")
}

pub fn nothing_was_restarted(config: impl Display) -> String {
    format!("{config} Nothing was restarted: Palyra goes on with what it has read.")
}

pub const THEN_TRY_AGAIN: &str = "Then try again.";
pub const NOTHING_TO_WRITE: &str = "Nothing to write: what runs has the ports that the config means.";
pub const WRITTEN_NOTHING_HAS_TO_BE_RESTARTED: &str = "Written. Nothing has to be restarted.";
pub const PALYRA_DESKTOP_CONFIG_RELOAD_MODE_SWITCHES: &str = "PALYRA_DESKTOP_CONFIG_RELOAD_MODE switches it off";
pub const START_TRAY_WITHOUT_THAT_VARIABLE: &str = "Start the tray without that variable.";
pub const CHANGES_OF_CONFIG_ARE_FOLLOWED: &str = "Changes of the config are followed.";
pub const THEY_ARE_LEFT_TO_YOU: &str = "They are left to you.";

pub fn cannot_be_watched(folder: impl Display, error: impl Display) -> String {
    format!("{folder} cannot be watched ({error})")
}

pub fn has_no(service: impl Display, purpose: impl Display) -> String {
    format!("{service} has no {purpose}")
}

pub fn look_failed(error: impl Display) -> String {
    format!("the look failed ({error})")
}

pub fn config_cannot_be_read_2(why: impl Display) -> String {
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

pub fn machine(other: impl Display) -> String {
    format!("machine {other}")
}

pub const ALL: &str = "All: palyra-tray config list";

pub fn is_meant(name: impl Display) -> String {
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
    "Palyra's journal notes which windows and actions of the tray are used";
pub const NOTIFY_OF_APPROVALS: &str = "notify of approvals";
pub const NOTIFY_OF_ALARMS: &str = "notify of alarms";
pub const NOTIFY_OF_SERVICES_THAT_FAIL: &str = "notify of services that fail or move";
pub const NOTIFY_OF_ANSWERS_AND_RUNS: &str = "notify of answers and runs";
pub const NOTIFY_OF_DRAFTS: &str = "notify of drafts";
pub const NOTIFY_OF_WHAT_HAPPENED_BEHIND_LOCKED: &str = "notify of what happened behind a locked screen";
pub const NOTIFY_OF_CONFIG: &str = "notify of a config that is not taken";
pub const NOTIFY_OF_NODE_HOST: &str = "notify of the node host";
pub const NOTIFY_OF_TRAYS_OWN_TROUBLES: &str = "notify of the tray's own troubles";
pub const TRUE_OR_FALSE: &str = "true or false";
pub const FOLDER_BY_ITS_WHOLE_PATH: &str = "a folder by its whole path, from the root on";

pub fn cannot_be_read_2(name: impl Display, error: impl Display, before: impl Display) -> String {
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

pub fn is_meant_2(known: impl Display) -> String {
    format!("; is {known} meant?")
}

pub fn is_unknown_and_ignored(file: impl Display, name: impl Display, meant: impl Display) -> String {
    format!("{file}: {name} is unknown and ignored{meant}")
}
