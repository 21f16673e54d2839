//! The checks of `doctor`: agent, system, node host; and what cannot be looked at.

pub mod desktop;
pub mod ground;
pub mod palyra;

use std::fmt::Display;

pub const IT_ANSWERS_SOMETHING_ELSE: &str = "it answers something else";

pub fn all_checks_are_in_order(fine: impl Display) -> String {
    format!("All {fine} checks are in order.")
}

pub fn in_order(parts: impl Display, fine: impl Display) -> String {
    format!("{parts}, {fine} in order.")
}

pub const WHAT_TO_DO_STANDS_BELOW_EACH: &str = "What to do is below each. !! is a problem, ! a warning.";
pub const NOTHING_NEEDS_TO_BE_DONE: &str = "Nothing needs to be done.";
pub const PALYRA_CHECKS: &str = "Palyra: checks";
pub const NODE_HOST_CERTIFICATE: &str = "Node host certificate";
pub const REPAIR: &str = "Renew it: palyra-tray node repair";
pub const NODE_HOST_IS_BEING_ENROLLED: &str = "the node host is being enrolled or reset";

pub fn certificate_cannot_be_read(why: impl Display) -> String {
    format!("cannot be read ({why}); the node host is tried all the same")
}

pub const MEND_THAT_THEN_START_AGENT_ANEW: &str =
    "Mend that, then restart Palyra Tray: palyra-tray quit --keep-running, then: palyra-tray run";

pub fn expired_ago_node_host_needs_repair(lasts: impl Display) -> String {
    format!("expired {lasts} ago: the node host needs repair")
}

pub fn node_host_needs_repair(need: impl Display) -> String {
    format!("{need}: the node host needs repair")
}

pub fn expires_in_node_host_needs_repair(lasts: impl Display) -> String {
    format!("expires in {lasts}; the node host needs repair then")
}

pub fn valid_for_another(lasts: impl Display) -> String {
    format!("valid for another {lasts}")
}

pub const UNTIL_WHEN_IT_IS_VALID: &str = "until when it is valid is not known";
pub const WATCHING_JOURNAL: &str = "Watching the journal";
pub const OPEN_FILES: &str = "Open files";
pub const IS_NOT_LOOKED: &str = "is not looked at on this system";

pub fn limits_watches_watchers(watches: impl Display, instances: impl Display) -> String {
    format!(" (limits: {watches} watches, {instances} watchers)")
}

pub fn raise_limit_echo_fs(name: impl Display, to: impl Display) -> String {
    format!(
        "Raise the limit: echo fs.inotify.{name}={to} | sudo tee /etc/sysctl.d/60-inotify.conf && sudo sysctl --system"
    )
}

pub const SO_APPROVALS_ARE_READ_BY_CLOCK: &str = "so approvals are read by the clock and can be some seconds late";

pub fn can_be_watched(folder: impl Display, limits: impl Display) -> String {
    format!("{folder} can be watched{limits}")
}

pub fn all_watches_of_this_user(slower: impl Display, limits: impl Display) -> String {
    format!("all watches of this user are taken, {slower}{limits}")
}

pub fn all_watchers_of_this_user(slower: impl Display, limits: impl Display) -> String {
    format!("all watchers of this user are taken, {slower}{limits}")
}

pub fn cannot_be_watched(folder: impl Display, why: impl Display, slower: impl Display) -> String {
    format!("{folder} cannot be watched ({why}), {slower}")
}

pub const MEND_PERMISSIONS_OF_THAT_FOLDER: &str = "Mend the permissions of that folder";
pub const AGENT: &str = "Palyra Tray";
pub const PROGRAM_STARTED_FROM_HERE: &str = "a program started from here";

pub fn open_now(open: impl Display) -> String {
    format!("{open} open now, ")
}

pub fn no_limit(whose: impl Display, open: impl Display) -> String {
    format!("{whose}: {open}no limit")
}

pub fn at_most(whose: impl Display, open: impl Display, limit: impl Display) -> String {
    format!("{whose}: {open}at most {limit}")
}

pub const RESTART_AGENT_QUIT_KEEP_RUNNING: &str =
    "Restart Palyra Tray: palyra-tray quit --keep-running, then: palyra-tray run";
pub const RAISE_IT_BEFORE_AGENT_STARTS: &str =
    "Raise it before Palyra Tray starts: ulimit -n 1024, or LimitNOFILE= in the systemd unit";
pub const SO_MODEL_PROVIDERS: &str = "so model providers, sign-in and Discord cannot be reached";

pub fn this_computer_is_not_connected_there(so: impl Display) -> String {
    format!("this machine is not connected (there is no default route), {so}")
}

pub const CONNECT_IT_TO_NETWORK: &str = "Connect it to a network. A model on this machine works without";

pub fn etc_resolv_conf_names_no_server(so: impl Display) -> String {
    format!("/etc/resolv.conf names no server to ask for names, {so}")
}

pub const CONNECT_AGAIN_OR_WRITE_LINE_SUCH: &str =
    "Connect again, or write a line such as: nameserver 9.9.9.9 into /etc/resolv.conf";
pub const IS_SET_UP: &str = "is set up; nobody was contacted to try it";
pub const SET_IT_FOR_EXAMPLE: &str = "Set it, for example with: sudo timedatectl set-ntp true";

pub fn says_that_it_is_year(year: impl Display) -> String {
    format!("says that it is the year {year}; approvals and certificates would count as expired")
}

pub const IS_BEHIND_FILES_THAT_PALYRA_WROTE: &str =
    "is behind files that Palyra wrote; approvals would be timed wrongly";
pub const SESSION_BUS_DOES_NOT_ANSWER: &str = "the session bus does not answer";
pub const LOOK_AT_TRAY_HOST: &str = "the tray host";
pub const LOOK_AT_NOTIFICATION_SERVER: &str = "the notification server";
pub const LOOK_AT_KEYRING: &str = "the keyring";

pub fn did_not_tell(who: impl Display, error: impl Display) -> String {
    format!("{who} did not tell ({error})")
}

pub fn does_not_answer(who: impl Display) -> String {
    format!("{who} does not answer")
}

pub const LOOK_AT_DIALOG_PROGRAMS: &str = "dialog programs";
pub const LOOK_AT_WHAT_OPENS_PAGES: &str = "what opens pages";
pub const LOOK_AT_SESSION_BUS: &str = "the session bus";
pub const LOOK_AT_START_ON_LOGIN: &str = "start on login";
pub const LOOK_AT_LIMIT_OF_OPEN_FILES: &str = "the limit of open files";
pub const LOOK_AT_WHO_HOLDS_LOCK: &str = "who holds the lock";
pub const LOOK_AT_EARLIER_DESKTOP_APP: &str = "the earlier desktop app";
pub const LOOK_AT_OTHER_PROCESSES: &str = "other processes";
pub const LOOK_AT_PORTS: &str = "the ports";
pub const LOOK_AT_FOLDERS: &str = "the folders";
pub const LOOK_AT_OWN_FILES: &str = "our own files";
pub const LOOK_AT_SPACE_ON_DISK: &str = "the space on the disk";
pub const LOOK_AT_WATCHING_FILES: &str = "watching files";
pub const LOOK_AT_PREFERENCES: &str = "the preferences";
pub const LOOK_AT_CONFIG: &str = "the config";
pub const LOOK_AT_VAULT: &str = "the vault";
pub const LOOK_AT_SOCKET: &str = "the socket";
pub const LOOK_AT_NETWORK: &str = "the network";

pub fn looking_at_took_too_long(what: impl Display) -> String {
    format!("looking at {what} took too long")
}

pub fn could_not_be_looked(what: impl Display) -> String {
    format!("{what} could not be looked at")
}

pub fn cannot_be_read(path: impl Display, error: impl Display) -> String {
    format!("{path} cannot be read ({error})")
}

pub const THIS_SYSTEM_DOES_NOT_TELL: &str = "this system does not tell which files others have open";
pub const THIS_SYSTEM_DOES_NOT_TELL_WHO: &str = "this system does not tell who holds a port";
pub const WHETHER_IT_RUNS: &str = "whether it runs";
pub const IT_DID_NOT_END_IN_TIME: &str = "it did not end in time when it was asked for its help";
pub const NETWORK: &str = "Network";
pub const CLOCK: &str = "Clock";

pub fn says(year: impl Display) -> String {
    format!("says {year}")
}

pub const NO_SOCKET_BUT_SOMETHING_ELSE: &str = "no socket but something else";
pub const ANOTHER_USERS_SOCKET: &str = "another user's socket";
pub const THIS_SYSTEM_IS_NOT_ASKED: &str = "this system is not asked for it";
