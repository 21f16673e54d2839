//! The process that holds a sidecar, and what it writes into the log.

use std::fmt::Display;

pub fn cannot_be_run(program: impl Display, error: impl Display) -> String {
    format!("cannot run the shim {program}: {error}; check the installation")
}

pub fn cannot_look(run_dir: impl Display, error: impl Display) -> String {
    format!("cannot look at {run_dir}: {error}; check its permissions")
}

pub fn does_not_start(pid: impl Display) -> String {
    format!("its shim {pid} does not start its sidecar")
}

pub fn is_gone(run_file: impl Display, pid: impl Display) -> String {
    format!("{run_file} tells of shim {pid}, which is gone")
}

pub fn there_is_no(run_file: impl Display) -> String {
    format!("there is no {run_file}")
}

pub fn cannot_be_read(run_file: impl Display, error: impl Display) -> String {
    format!("{run_file} cannot be read: {error}")
}

pub fn something_holds(dir: impl Display, problem: impl Display) -> String {
    format!("something holds {dir} but {problem}; end the shim of this folder, a process of palyra-tray")
}

pub const START_WAS_NOT_WRITTEN_DOWN: &str = "what it was started with was not written down";

pub fn lines_lost_here(lost: impl Display) -> String {
    format!("{lost} lines lost here: the log could not be written")
}

pub fn cannot_use_run_folder(dir: impl Display, error: impl Display) -> String {
    format!("cannot use the folder of the run, {dir}: {error}; check that it can be written")
}

pub fn loss_told_here_only(error: impl Display) -> String {
    format!("a loss of lines could only be told in here: {error}")
}

pub fn cannot_watch_processes(error: impl Display) -> String {
    format!("cannot watch processes: {error}; try again")
}

pub fn started(name: impl Display, pid: impl Display, run_id: impl Display) -> String {
    format!("started {name} pid {pid} run {run_id}")
}

pub fn ended(name: impl Display, describe: impl Display, end: impl Display) -> String {
    format!("{name} ended: {describe}{end}")
}

pub const AS_ASKED: &str = ", as asked";

pub fn end_could_not_be_recorded(error: impl Display) -> String {
    format!("the end could not be recorded: {error}")
}

pub fn cannot_write(dir: impl Display, error: impl Display) -> String {
    format!("cannot write {dir}: {error}; free some space")
}

pub const WAS_KILLED: &str = "its shim was killed";
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

pub fn spec_is_no_json(column: impl Display) -> String {
    format!("the spec is no JSON (column {column}); give it as one JSON line")
}

pub fn spec_has_version(version: impl Display, newest: impl Display) -> String {
    format!("the spec has version {version}, this shim knows up to {newest}; update the shim's binary")
}

pub const SPEC_LACKS_FIELD: &str =
    "the spec lacks a field or has one of a wrong type; Palyra Tray and shim must be of one release";

pub fn is_not_absolute_path(what: impl Display) -> String {
    format!("{what} is not an absolute path; the spec needs one")
}

pub const LEASE_RAN_OUT: &str = "the lease ran out";
pub const IT_STILL_RUNS: &str = "it still runs";
pub const PROCESSES_CANNOT_BE_ENDED: &str = "some of its processes cannot be ended";

pub fn processes_left_behind(count: impl Display) -> String {
    format!("processes left behind: {count}, SIGTERM")
}

pub const ASKED_TO_STOP: &str = "asked to stop";
pub const VARIABLES_NAME: &str = "a variable's name is empty or contains '='";
pub const ENDED_BY_FORCE: &str = "ended by force";

pub fn record_has_version(version: impl Display, newest: impl Display) -> String {
    format!("it has version {version}, this program knows up to {newest}")
}
