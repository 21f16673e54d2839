//! Profiles, and a change from one to another.

use std::fmt::Display;

pub fn entry(label: impl Display) -> String {
    format!("Profile: {label}…")
}

pub fn changing_entry(to: impl Display) -> String {
    format!("Changing to profile {to}…")
}

pub const ANOTHER_CHANGE_IS_UNDER_WAY: &str = "another change of profile is under way; see: palyra-tray profile show";
pub const NEW_SECRETS_ARE_ON_THEIR_WAY: &str = "new secrets are on their way to Palyra; wait for that, then try again";
pub const SOMETHING_IS_BEING_DONE_WITH_NODE: &str =
    "something is being done with the node host; wait for that, then try again";
pub const DECISION_IS_ON_ITS_WAY: &str = "a decision is on its way to the gateway; try again in a moment";

pub fn is_on_it_already(from: impl Display) -> String {
    format!("It is on profile {from} already.")
}

pub fn strict_and_not_confirmed(name: impl Display) -> String {
    format!("profile {name} is strict, and the change to it was not confirmed")
}

pub fn changing(name: impl Display) -> String {
    format!("Changing to profile {name}.")
}

pub const PALYRA_TRAY_WAS_ENDED: &str = "Palyra Tray was ended in the middle of it";

pub fn is_not_there(wanted: impl Display) -> String {
    format!("profile {wanted} is not there")
}

pub fn on_profile(label: impl Display) -> String {
    format!("On profile {label}")
}

pub const SOMETHING_DID_NOT_END: &str = "something under way did not end in time";

pub fn did_not_stop_in_time(names: impl Display) -> String {
    format!("{names} did not stop in time")
}

pub fn did_not_get_ready(why: impl Display) -> String {
    format!("it did not get ready: {why}")
}

pub const CHANGE_IS_UNDER_WAY: &str = "a change of profile is under way";
pub const WAIT_FOR_IT: &str = "Wait for it: palyra-tray profile show";
pub const NO_DIALOG_FOR_THEM: &str = "the profiles are shown in a dialog, and there is none on this desktop";
pub const IN_TERMINAL: &str = "In a terminal it is: palyra-tray profile list";
pub const PROFILES_OPEN: &str = "The profiles open.";

pub fn nothing_of_it_ran(what: impl Display) -> String {
    format!("Nothing of {what} ran.")
}

pub fn stopped_of_it(what: impl Display, names: impl Display) -> String {
    format!("Stopped of {what}: {names}.")
}

pub fn now_on_profile(on: impl Display) -> String {
    format!("Now on profile {on}")
}

pub fn stopped_and_started_again(names: impl Display) -> String {
    format!(" Stopped for it, and started again: {names}.")
}

pub fn still_on_profile(on: impl Display) -> String {
    format!("Still on profile {on}")
}

pub fn was_taken_back(to: impl Display, why: impl Display, again: impl Display) -> String {
    format!("The change to {to} was taken back: {why}.{again}")
}

pub const STRICT_ASKS_FIRST: &str = "strict: asks first";

pub fn left_out(why: impl Display) -> String {
    format!("! Left out: {why}\n")
}

pub fn active(name: impl Display, label: impl Display, strict: impl Display) -> String {
    format!("Profile: {name} ({label}{strict})\n")
}

pub fn changing_from(from: impl Display, to: impl Display, stage: impl Display) -> String {
    format!("  Changing from {from} to {to}: {stage}\n")
}

pub fn last_change(outcome: impl Display) -> String {
    format!("  Last change: {outcome}\n")
}

pub const WHAT_A_CHANGE_DOES: &str = "Palyra is stopped in the profile that is active now, and started in the other \
     one. If that does not work, it is started in the old one again.";

pub fn strict_change_to_it(name: impl Display) -> String {
    format!("{name} is a strict profile: what agents do there is real. Change to it?")
}

pub const PROFILE: &str = "Profile";
pub const CHANGE: &str = "Change";
pub const STRICT: &str = ", strict";
pub const STRICT_PROFILE: &str = "A strict profile";
pub const TAKES_UP_TO_A_MINUTE: &str = "Palyra is stopped here and started there. This takes up to a minute.";

pub fn changing_title(name: impl Display) -> String {
    format!("Changing to profile {name}")
}

pub const PALYRA_TRAY_CHANGES_PROFILE: &str = "Palyra Tray changes to another profile";
pub const SET_UP_IS_OPEN: &str = "the set-up is open; finish or close it first";

pub fn strict_and_no_terminal(name: impl Display) -> String {
    format!("profile {name} is strict, so it asks first, and there is no terminal")
}

pub fn type_yes(question: impl Display) -> String {
    format!("{question} Type yes: ")
}

pub const CHANGE_TAKES_LONGER: &str = "the change of profile takes longer than it should";
pub const HOW_FAR: &str = "How far it is: palyra-tray profile show";
pub const WAS_NOT_CHANGED: &str = "The profile was not changed";

pub fn if_you_mean_it(name: impl Display) -> String {
    format!("If you mean it: palyra-tray profile switch {name} --yes")
}

pub fn registry_cannot_be_read(registry: impl Display, error: impl Display) -> String {
    format!("{registry} cannot be read: {error}")
}

pub fn is_not_valid_toml(line: impl Display) -> String {
    format!("is not valid TOML (line {line}); mend it with the palyra command line")
}

pub fn has_another_version(other: impl Display) -> String {
    format!("has version {other}, and only version 1 is known; update Palyra Tray")
}

pub const NAMES_NO_VERSION: &str = "names no version; mend it with the palyra command line";
pub const HAS_NO_TABLE_OF_PROFILES: &str = "has no table of profiles";

pub fn there_is_no_profile(name: impl Display, names: impl Display) -> String {
    format!("there is no profile {name}; there are: {names}")
}

pub const DESKTOP_LOCAL: &str = "Desktop local";
pub const NAME_IS_TAKEN: &str = "Palyra Tray has a profile of this name already; give it another";

pub fn its_is_not_absolute(what: impl Display) -> String {
    format!("its {what} is not an absolute path without ..")
}

pub fn name_has_characters(most: impl Display) -> String {
    format!("a name has 1 to {most} characters of a-z, 0-9, - _ .")
}

pub const NAME_DOES_NOT_BEGIN: &str = "a name does not begin with . or -, nor end with .";

pub fn config_is_not_file(name: impl Display, config: impl Display) -> String {
    format!("the config of profile {name}, {config}, is not a file; correct it with the palyra command line")
}

pub const IT_IS_TOO_LARGE: &str = "it is too large";
