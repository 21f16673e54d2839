//! The support bundle.

use std::fmt::Display;

pub const ASKING_AGENT: &str = "Asking Palyra Tray…";
pub const CHECKING_THIS_MACHINE: &str = "Checking this machine…";
pub const READING_LOGS: &str = "Reading logs…";
pub const EXPORTING: &str = "Palyra's own export…";
pub const WRITING_IT: &str = "Writing it…";

pub fn is_there_already(file: impl Display) -> String {
    format!("{file} is there already")
}

pub const NAME_ANOTHER_FILE: &str = "Name another file, or remove that one.";
pub const DISK_IS_FULL: &str =
    "The disk is full, and nothing was left there. Free some space, or name a place on another disk: --output FILE";
pub const NOTHING_WAS_LEFT_THERE: &str = "Nothing was left there. Name another place: --output FILE";

pub fn support_bundle_was_not_written(error: impl Display) -> String {
    format!("the support bundle was not written: {error}")
}

pub fn no_thread(error: impl Display) -> String {
    format!("no thread for it: {error}")
}

pub fn name_is_too_long(name: impl Display) -> String {
    format!("the name is too long: {name}")
}

pub const SUPPORT_BUNDLE_IS_BEING_MADE: &str = "The support bundle is being made. You are told when it is ready.";

pub fn it_holds_no_secrets(path: impl Display, support: impl Display) -> String {
    format!("It holds no secrets that are known. Look through it before you send it: {path}{support}")
}

pub const TOLD: &str = "Told.";
pub const SHOW_FILE: &str = "Show the file";
pub const SUPPORT_BUNDLE_IS_READY: &str = "The support bundle is ready";

pub fn is_not(what: impl Display, why: impl Display) -> String {
    format!("{what} is not in it: {why}")
}

pub const PROGRAMS_THEIR_VERSIONS_AND_PLACES: &str = "programs, their versions and places";
pub const HOW_EVERYTHING: &str = "how everything was, in short";
pub const ALL_OF: &str = "all of it";
pub const SNAPSHOT: &str = "The snapshot";
pub const CHECKS_OF_THIS_MACHINE: &str = "the checks of this machine, with what to do";
pub const SAME_FOR_PROGRAMS: &str = "the same, for programs";
pub const NAMES_IN_PALYRAS_CONFIG: &str = "names in Palyra's config, without their values";
pub const LIST_OF_CONFIG_KEYS: &str = "The list of config keys";
pub const HOW_IT_LAST_ENDED: &str = "how it last ended, and why";
pub const ITS_NEWEST_LINES: &str = "its newest lines";

pub fn log_of(name: impl Display) -> String {
    format!("The log of {name}")
}

pub const PALYRAS_OWN_EXPORT_PALYRA_SUPPORT_BUNDLE: &str = "Palyra's own export (palyra support-bundle export)";
pub const PALYRAS_OWN_EXPORT: &str = "Palyra's own export";
pub const IT_WAS_LEFT_OUT_ON_REQUEST: &str = "it was left out on request";

pub fn palyra_support_bundle(version: impl Display, at_unix_ms: impl Display, replacement: impl Display) -> String {
    format!(
        "Palyra support bundle, made by palyra-tray {version} at {at_unix_ms} (milliseconds since 1970, \
         UTC)\n\nSecrets were replaced by {replacement}: tokens, keys, passwords, cookies, and what looks like one. \
         Values of the\nconfig, drafts and what chats are about are not in it. It does hold paths, which may tell a \
         user's name, and\nlog lines: look through it before you hand it to somebody.\n\n"
    )
}

pub fn what_palyra_exported_cannot_be_read(error: impl Display) -> String {
    format!("what palyra exported cannot be read: {error}")
}

pub fn what_palyra_exported_is_not_json(error: impl Display) -> String {
    format!("what palyra exported is not JSON: {error}")
}

pub fn palyra_cannot_be_started(error: impl Display) -> String {
    format!("palyra cannot be started: {error}")
}

pub fn palyra_failed(status: impl Display) -> String {
    format!("palyra failed ({status})")
}

pub fn palyras_end_cannot_be_read(error: impl Display) -> String {
    format!("palyra's end cannot be read: {error}")
}

pub const IT_WAS_STOPPED: &str = "it was stopped";

pub fn palyra_was_not_done_within_s(limit: impl Display) -> String {
    format!("palyra was not done within {limit} s")
}

pub fn palyra_says(what: impl Display) -> String {
    format!("palyra says: {what}")
}

pub const DEMO_HAS_NONE: &str = "a demo has none";
