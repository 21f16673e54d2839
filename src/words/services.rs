//! The sidecars: their states, starts and stops.

pub mod ends;

use std::fmt::Display;

pub const IT_NEEDS_INTERNET_CONNECTION_TO_START: &str =
    "it needs an internet connection to start, to look up its model provider";

pub fn cannot_run_shim(program: impl Display, error: impl Display) -> String {
    format!("cannot run the shim {program}: {error}; check the installation")
}

pub fn cannot_look(run_dir: impl Display, error: impl Display) -> String {
    format!("cannot look at {run_dir}: {error}; check its permissions")
}

pub fn its_shim_does_not_start(pid: impl Display) -> String {
    format!("its shim {pid} does not start its sidecar")
}

pub fn tells_of_shim(run_file: impl Display, pid: impl Display) -> String {
    format!("{run_file} tells of shim {pid}, which is gone")
}

pub fn there_is_no(run_file: impl Display) -> String {
    format!("there is no {run_file}")
}

pub fn cannot_be_read(run_file: impl Display, error: impl Display) -> String {
    format!("{run_file} cannot be read: {error}")
}

pub fn something_holds(dir: impl Display, problem: impl Display) -> String {
    format!("something holds {dir} but {problem}; find and end the `palyra-tray shim` of this folder")
}

pub fn has_open(journals: impl Display) -> String {
    format!("has {journals} open")
}

pub fn runs_on(root: impl Display) -> String {
    format!("runs on {root}")
}

pub const WHAT_IT_WAS_STARTED: &str = "what it was started with was not written down";

pub fn of_earlier_desktop_app_cannot(file: impl Display, error: impl Display) -> String {
    format!("{file} of the earlier desktop app cannot be read: {error}")
}

pub const IT_IS_NO_FILE: &str = "it is no file";
pub const ANOTHER_ONE_IS_CHOSEN_IN_SETTINGS: &str = "another one is chosen in settings.toml";

pub fn data_folder_2(path: impl Display) -> String {
    format!("the data folder {path}")
}

pub fn data_folder(wanted: impl Display, why: impl Display) -> String {
    format!("the data folder {wanted}: {why}")
}

pub fn it_is_no_folder_below(folder: impl Display) -> String {
    format!("it is no folder below {folder}; choose it in the set-up")
}

pub const BROWSER_SERVICE_IS_OFF: &str = "the browser service is off";

pub fn browser_service_which_was_off(error: impl Display) -> String {
    format!("the browser service, which was off: {error}")
}

pub const HOW_FAR_SET_UP_2: &str = "how far the set-up was";

pub fn how_far_set_up(error: impl Display) -> String {
    format!("how far the set-up was: {error}")
}

pub const ANOTHER_PALYRA_TRAY_HAS_TAKEN_STATE: &str =
    "another Palyra Tray has taken the state folder while this one ran; quit one of them";

pub fn another_palyra_uses_already(runtime_root: impl Display, executable: impl Display, pid: impl Display) -> String {
    format!(
        "another Palyra uses {runtime_root} already: {executable} (process {pid}); end it, or give this one another \
         PALYRA_STATE_ROOT"
    )
}

pub fn lines_lost_here(lost: impl Display) -> String {
    format!("{lost} lines lost here: the log could not be written")
}

pub fn cannot_use_run_directory(dir: impl Display, error: impl Display) -> String {
    format!("cannot use the run directory {dir}: {error}; check that it can be written")
}

pub fn loss_of_lines_could_only(error: impl Display) -> String {
    format!("a loss of lines could only be told in here: {error}")
}

pub fn cannot_watch_processes(error: impl Display) -> String {
    format!("cannot watch processes: {error}; try again")
}

pub fn started_pid_run(name: impl Display, pid: impl Display, run_id: impl Display) -> String {
    format!("started {name} pid {pid} run {run_id}")
}

pub fn ended(name: impl Display, describe: impl Display, end: impl Display) -> String {
    format!("{name} ended: {describe}{end}")
}

pub const AS_ASKED: &str = ", as asked";

pub fn end_could_not_be_recorded(error: impl Display) -> String {
    format!("the end could not be recorded: {error}")
}

pub fn cannot_write_free_some_space(dir: impl Display, error: impl Display) -> String {
    format!("cannot write {dir}: {error}; free some space")
}

pub const ITS_SHIM_WAS_KILLED: &str = "its shim was killed";
pub const MACHINE_WENT_DOWN: &str = "the machine went down";

pub fn run_is_lost(run_id: impl Display, why: impl Display) -> String {
    format!("run {run_id} is lost: {why}. How it ended is not known, and its last lines may be missing above")
}

pub fn cannot_start(program: impl Display, error: impl Display) -> String {
    format!("cannot start {program}: {error}")
}

pub fn not_started(file_name: impl Display, describe: impl Display) -> String {
    format!("{file_name} not started: {describe}")
}

pub fn failure_could_not_be_recorded(error: impl Display) -> String {
    format!("the failure could not be recorded: {error}")
}

pub fn cannot_read_spec(error: impl Display) -> String {
    format!("cannot read the spec: {error}; give it as one JSON line on standard input")
}

pub fn spec_is_no_json_column(column: impl Display) -> String {
    format!("the spec is no JSON (column {column}); give it as one JSON line")
}

pub fn spec_has_version(version: impl Display) -> String {
    format!("the spec has version {version}, this shim knows up to {version}; update the shim's binary")
}

pub const SPEC_LACKS_FIELD_OR_HAS_ONE: &str =
    "the spec lacks a field or has one of a wrong type; agent and shim must be of one release";

pub fn is_not_absolute_path(what: impl Display) -> String {
    format!("{what} is not an absolute path; the spec needs one")
}

pub const LEASE_RAN_OUT: &str = "the lease ran out";
pub const IT_STILL_RUNS: &str = "it still runs";
pub const SOME_OF_ITS_PROCESSES_CANNOT: &str = "some of its processes cannot be ended";

pub fn processes_left_behind(count: impl Display) -> String {
    format!("processes left behind: {count}, SIGTERM")
}

pub const ASKED_TO_STOP: &str = "asked to stop";
pub const VARIABLES_NAME_IS_EMPTY_OR_CONTAINS: &str = "a variable's name is empty or contains '='";
pub const ENDED_BY_FORCE: &str = "ended by force";

pub fn it_has_version(version: impl Display) -> String {
    format!("it has version {version}, this program knows up to {version}")
}
