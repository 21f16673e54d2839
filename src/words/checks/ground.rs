//! The checks of files, disk, socket, vault and secrets.

use std::fmt::Display;

pub const STATE_ROOT: &str = "Data folder";
pub const PRIVATE_FILES: &str = "Private files";
pub const DISK_SPACE: &str = "Disk space";
pub const CONTROL_SOCKET: &str = "Control socket";
pub const PALYRAS_VAULT: &str = "Palyra's vault";
pub const CORRECT_THAT_FIRST: &str = "Correct that first; most checks need it";

pub fn is_not_there(file: impl Display) -> String {
    format!("{file} is not there; the defaults hold")
}

pub fn is_understood(file: impl Display) -> String {
    format!("{file} is understood")
}

pub fn correct_then_restart_agent(file: impl Display) -> String {
    format!("Correct {file}, then restart Palyra Tray: palyra-tray quit --keep-running, then: palyra-tray run")
}

pub fn is_not_folder(at: impl Display, path: impl Display) -> String {
    format!("{at} is not a folder, so {path} cannot be used")
}

pub const MOVE_THAT_FILE_AWAY: &str = "Move that file away, or set PALYRA_STATE_ROOT to another folder";

pub fn is_on_disk_that_is_mounted(at: impl Display) -> String {
    format!("{at} is on a disk that is mounted read-only")
}

pub const MOUNT_IT_WRITABLE_FULL_OR_DAMAGED: &str =
    "Mount it writable (a full or damaged disk does this by itself), or set PALYRA_STATE_ROOT elsewhere";
pub const BE_WRITTEN: &str = "be written";
pub const BE_MADE: &str = "be made";

pub fn cannot(path: impl Display, what: impl Display, why: impl Display, folder: impl Display) -> String {
    format!("{path} cannot {what}: {why}{folder}")
}

pub fn make_writable_for_your_user(at: impl Display) -> String {
    format!("Make {at} writable for your user, or set PALYRA_STATE_ROOT to another folder")
}

pub fn belongs_to_another_user(path: impl Display) -> String {
    format!("{path} belongs to another user")
}

pub fn give_it_back(path: impl Display) -> String {
    format!("Give it back: sudo chown -R \"$USER\" '{path}'. Never start Palyra with sudo")
}

pub fn is_on_another_machines_disk(path: impl Display, kind: impl Display) -> String {
    format!("{path} is on another machine's disk ({kind}), where locks and the journal cannot be relied on")
}

pub const SET_PALYRA_STATE_ROOT_TO_FOLDER: &str = "Set PALYRA_STATE_ROOT to a folder on a disk of this machine";

pub fn is_writable(root: impl Display) -> String {
    format!("{root} is writable")
}

pub fn is_not_there_yet(root: impl Display) -> String {
    format!("{root} is not there yet, and can be made")
}

pub fn holds_secrets_and_can_be_read(path: impl Display, mode: u32) -> String {
    format!("{path} holds secrets and can be read by other users (mode {mode:03o})")
}

pub fn close_file(path: impl Display) -> String {
    format!("Close it: chmod 600 '{path}'")
}

pub fn belong_to_another_user(list: impl Display) -> String {
    format!("belong to another user: {list}")
}

pub fn give_them_back(root: impl Display) -> String {
    format!("Give them back: sudo chown -R \"$USER\" '{root}'. Never start Palyra with sudo")
}

pub fn can_be_entered_by_other_users(path: impl Display, mode: u32) -> String {
    format!("{path} can be entered by other users (mode {mode:03o})")
}

pub fn close_folder(path: impl Display) -> String {
    format!("Close it: chmod 700 '{path}'")
}

pub const NONE_YET: &str = "none yet";

pub fn looked_at_only_you_can_reach(seen: impl Display) -> String {
    format!("{seen} looked at; only you can reach them")
}

pub fn gb_free(bytes: impl Display) -> String {
    format!("{bytes} GB free")
}

pub fn mb_free(bytes: impl Display) -> String {
    format!("{bytes} MB free")
}

pub const FREE_SOME_SPACE_ON_THAT_DISK: &str =
    "Free some space on that disk; old logs in <data folder>/tray/logs may go";
pub const NO_MORE_FILES_CAN_BE_MADE: &str = "no more files can be made on that disk";

pub fn nothing_can_be_recorded(evidence: impl Display) -> String {
    format!("{evidence}; nothing can be recorded")
}

pub fn but_only_more_files(free: impl Display, space: impl Display) -> String {
    format!("{free}, but only {space} more files")
}

pub fn is_answered(path: impl Display) -> String {
    format!("{path} is answered")
}

pub fn is_bytes_long(path: impl Display, length: impl Display, limit: impl Display) -> String {
    format!("{path} is {length} bytes long; the system takes {limit}")
}

pub const SET_XDG_RUNTIME_DIR_OR_PALYRA: &str = "Set XDG_RUNTIME_DIR or PALYRA_STATE_ROOT to a shorter path";
pub const MOVE_IT_AWAY: &str = "Move it away, or set XDG_RUNTIME_DIR to your own folder";

pub fn can_be_used(path: impl Display) -> String {
    format!("{path} can be used")
}

pub const NONE_YET_GATEWAY_MAKES_ONE: &str = "none yet; the gateway makes one";
pub const IS_IN_KEYRING_AND_SECRET: &str =
    "is in the keyring, and secret-tool, which the gateway reaches it with, is not installed";
pub const INSTALL_IT_DEBIAN: &str = "Install it (Debian: sudo apt install libsecret-tools), then: palyra-tray start";
pub const IS_IN_KEYRING_AND_NO: &str = "is in the keyring, and no keyring runs; the gateway does not start without it";
pub const START_OR_INSTALL_ONE_GNOME_KEYRING: &str =
    "Start or install one (gnome-keyring, KWallet), or sign in to the desktop; then: palyra-tray start";
pub const IS_IN_KEYRING: &str = "is in the keyring";

pub fn is_of_kind(kind: impl Display) -> String {
    format!("is of the kind {kind}")
}

pub const THIS_SYSTEMS_KEYRING_IS_NOT_LOOKED: &str = "this system's keyring is not looked at";
pub const ARE_IN_PRIVATE_FILE_AS_PALYRA: &str = "are in the private file, as PALYRA_TRAY_KEYRING asks";
pub const ARE_IN_PRIVATE_FILE: &str = "are in a private file, because no keyring was there";
pub const TO_HAVE_THEM_IN_KEYRING_INSTALL: &str =
    "To have them in a keyring, install one (gnome-keyring, KWallet), sign in again and restart Palyra Tray";
pub const ARE_IN_KEYRING: &str = "are in the keyring";
pub const MEND_THAT_THEN: &str = "Mend that, then: palyra-tray start";
pub const ARE_BEING_FETCHED: &str = "are being fetched";
pub const CHECK_AGAIN_IN_MINUTE: &str = "Check again in a minute; the keyring may be asking for its password";
pub const GO_INTO_PRIVATE_FILE: &str = "go into the private file, as PALYRA_TRAY_KEYRING asks";
pub const KEYRING_IS_LOCKED: &str = "the keyring is locked; Palyra Tray will wait for it";
pub const ARE_IN_KEYRING_THAT_DOES_NOT_RUN: &str = "are in the keyring, and no keyring runs here";
pub const SIGN_IN_TO_DESKTOP: &str = "Sign in to the desktop, or start the keyring; no new secrets are made meanwhile";

pub fn are_in_because_no_keyring(path: impl Display) -> String {
    format!("are in {path}, because no keyring was there")
}

pub const NO_KEYRING_RUNS_HERE: &str = "no keyring runs here; they will go into a private file";
pub const TO_HAVE_THEM_IN_KEYRING: &str =
    "To have them in a keyring, install one (gnome-keyring, KWallet) and sign in again";
pub const KEYRING_IS_THERE: &str = "a keyring is there; it starts when it is wanted";
pub const KEYRING_IS_THERE_AND_OPEN: &str = "a keyring is there and open";

pub fn only(free: impl Display) -> String {
    format!("only {free}")
}
