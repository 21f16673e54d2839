//! The sidecars: their states, starts and stops.

pub mod ends;
pub mod shim;

use std::fmt::Display;

pub const IT_NEEDS_INTERNET_CONNECTION_TO_START: &str =
    "it needs an internet connection to start, to look up its model provider";

pub fn has_open(journals: impl Display) -> String {
    format!("has {journals} open")
}

pub fn runs_on(root: impl Display) -> String {
    format!("uses {root}")
}

pub const ANOTHER_PALYRA_TRAY_HAS_TAKEN_STATE: &str =
    "another Palyra Tray has taken the data folder while this one ran; quit one of them";

pub fn another_palyra_uses_already(runtime_root: impl Display, executable: impl Display, pid: impl Display) -> String {
    format!(
        "another Palyra uses {runtime_root} already: {executable} (process {pid}); end it, or give this one another \
         PALYRA_STATE_ROOT"
    )
}

pub const SEE_LOGS: &str = "See the newest lines: palyra-tray logs";
pub const TRY_WHEN_READY: &str = "Try again when the gateway is ready: palyra-tray status";
pub fn lines_missing(lines: u64, name: impl Display) -> String {
    let are = if lines == 1 { "1 line is".to_owned() } else { format!("{lines} lines are") };
    format!("{are} missing in the log of the {name}, which could not be written for a while")
}

pub fn lines_being_lost(lines: u64, name: impl Display, why: impl Display) -> String {
    let are = if lines == 1 { "1 line is".to_owned() } else { format!("{lines} lines are") };
    format!("the log of the {name} cannot be written ({why}); {are} lost so far. See: palyra-tray doctor")
}

pub const LOOKING: &str = "looking";
pub const WAITING_TO_START: &str = "waiting to start";
pub const STATE_STOPPED: &str = "stopped";
pub const STARTING: &str = "starting";
pub const READY: &str = "ready";

pub fn not_answering(misses: impl Display) -> String {
    format!("not answering ({misses})")
}

pub const RESTARTING: &str = "restarting";
pub const STATE_STOPPING: &str = "stopping";

pub fn state_tried_again(trouble: impl Display, seconds: impl Display) -> String {
    format!("{trouble}; tried again in {seconds} s")
}

pub fn restarts_in_s(seconds: impl Display, attempts: impl Display) -> String {
    format!("restarts in {seconds} s, attempt {attempts}")
}

pub const GIVEN_UP: &str = "given up";

pub fn needs_repair(need: impl Display) -> String {
    format!("needs repair: {need}")
}

pub fn paused_and_so(line: impl Display) -> String {
    format!("All agents are paused. {line}")
}

pub const STOPPING_PALYRA: &str = "Stopping Palyra";

pub fn healthy_palyrad_up(version: impl Display, duration: impl Display) -> String {
    format!("Healthy: palyrad {version}, up {duration}")
}

pub const HEALTHY: &str = "Healthy";
pub const STOPPING: &str = "Stopping";
pub const NOT_SET_UP_YET: &str = "Not set up yet";
pub const STOPPED: &str = "Stopped";

pub fn node_host(node_host: impl Display) -> String {
    format!("Node host {node_host}")
}

pub const CONFIG_CANNOT_BE_USED: &str = "The config cannot be used; Palyra goes on with what it has read";

pub fn approvals_cannot_be_read_look(unreadable: impl Display) -> String {
    format!("{unreadable} approvals cannot be read; look at them in the dashboard")
}

pub fn approvals_cannot_be_read(trouble: impl Display) -> String {
    format!("Approvals cannot be read: {trouble}")
}

pub fn cannot_start_because(name: impl Display, trouble: impl Display) -> String {
    format!("{name} cannot start: {trouble}")
}

pub fn does_not_stay_up(name: impl Display, what: impl Display) -> String {
    format!("{name} does not stay up: it {what}")
}

pub fn it_last_said(what: impl Display, said: impl Display) -> String {
    format!("{what}; it last said: {said}")
}

pub const CANNOT_START: &str = "cannot start";
pub const DOES_NOT_STAY_UP: &str = "does not stay up";
pub const SINCE_ITS_LAST_GOOD_START_NEITHER: &str =
    "Since its last good start neither program, config nor environment changed.";

pub fn changed_since_its_last_good_start(what: impl Display) -> String {
    format!("Changed since its last good start: {what}.")
}

pub fn tried_again_in_s(seconds: impl Display) -> String {
    format!("tried again in {seconds} s, and so on")
}

pub fn starts_again_in_s(seconds: impl Display, attempt: impl Display) -> String {
    format!("starts again in {seconds} s, attempt {attempt}")
}

pub const IT_IS_NOT_STARTED_AGAIN: &str = "it is not started again by itself, for that would end the same way";

pub fn it_failed_times_without_good_minute(attempts: impl Display) -> String {
    format!("it failed {attempts} times without a good minute between, so it is not started again by itself")
}

pub const PALYRA_GOES_ON_TRYING: &str = "Palyra goes on trying.";

pub fn may_go_on(service: impl Display, trouble: impl Display) -> String {
    format!("{service} may go on: {trouble}")
}

pub fn not_there_yet(what: impl Display) -> String {
    format!("not there yet: {what}")
}

pub const PALYRA_IS_STOPPED: &str = "Palyra is stopped";
pub const GATEWAY_IS_ABOUT_TO_START: &str = "the gateway is about to start";
pub const GATEWAY_IS_NOT_READY_YET: &str = "the gateway is not ready yet";

pub fn gateway_is_not_ready(trouble: impl Display) -> String {
    format!("the gateway is not ready: {trouble}")
}

pub fn was_not_started(why: impl Display) -> String {
    format!("was not started: {why}")
}

pub fn no_free_ports_for_between(service: impl Display, first: impl Display, last: impl Display) -> String {
    format!("no free ports for {service} between {first} and {last}; end the programs that hold them")
}

pub fn port_is_held(port: impl Display, holder: impl Display) -> String {
    format!("Port {port} is held by {holder}. ")
}

pub fn service_now_uses_port_and_those(who: impl Display, service: impl Display, port: impl Display) -> String {
    format!("{who}The {service} service now uses port {port} and those beside it.")
}

pub fn free_some_space_or_mend_permissions(error: impl Display) -> String {
    format!("{error}; free some space or mend the permissions there")
}
