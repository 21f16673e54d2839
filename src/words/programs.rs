//! Palyra's programs: where they are looked for, and what is wrong with them.

use std::fmt::Display;

pub const FOLDER_OF_PALYRA_TRAY: &str = "the folder of palyra-tray";
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

pub fn folder_does_not_exist(folder: impl Display) -> String {
    format!("{folder} does not exist; choose another folder.")
}

pub fn is_not_folder(folder: impl Display) -> String {
    format!("{folder} is not a folder; choose the folder that holds palyrad.")
}

pub fn folder_cannot_be_read(folder: impl Display, error: impl Display) -> String {
    format!("{folder} cannot be read ({error}); mend its permissions or choose another.")
}

pub fn there_is_no_palyrad(folder: impl Display) -> String {
    format!("There is no palyrad in {folder}; choose the folder that Palyra was unpacked or installed into.")
}

pub const DOES_NOT_EXIST: &str = "does not exist";
pub const IS_NOT_FILE: &str = "is not a file";

pub fn is_not_executable(path: impl Display) -> String {
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

pub fn every_user_can_change(path: impl Display) -> String {
    format!("Every user of this machine can change {path} (mend it: chmod o-w '{path}').")
}

pub const IS_NO_PROGRAM: &str = "is no program, or was cut off; download or unpack it again";

pub fn is_script(interpreter: impl Display) -> String {
    format!("is a script for {interpreter}, which does not exist")
}

pub fn is_for_another_system(format: impl Display, system: impl Display) -> String {
    format!("is for {format}, this machine runs {system}")
}

pub fn is_for_another_machine(machines: impl Display, machine: impl Display) -> String {
    format!("is for {machines}, this machine is {machine}; get the package for {machine}")
}

pub fn machine(other: impl Display) -> String {
    format!("machine {other}")
}
