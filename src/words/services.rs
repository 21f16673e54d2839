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

pub const DENIED_BY_PAUSE: &str = "denied by the pause";

pub fn came_within_minute(count: impl Display) -> String {
    format!(
        "{count} came within a minute. Who asks that often may hope for a tired yes. Look at each one, or pause all \
         agents."
    )
}

pub const MANY_APPROVALS_ARE_ASKED: &str = "Many approvals are asked for";

pub fn somebody_allowed(title: impl Display, what: impl Display) -> String {
    format!(
        "{title}: {what}\nSomebody allowed it, in the dashboard or by the gateway's token. If it was not you, abort the run."
    )
}

pub fn somebody_allowed_after_its_end(title: impl Display, what: impl Display) -> String {
    format!(
        "{title}: {what}\nIt had been denied, or its time was over. Then somebody allowed it, in the dashboard or by the gateway's token. If it was not you, abort the run."
    )
}

pub fn somebody_allowed_anew(title: impl Display, what: impl Display) -> String {
    format!(
        "{title}: {what}\nIt had been allowed already. Then somebody allowed it anew, perhaps for longer, in the dashboard or by the gateway's token. If it was not you, abort the run."
    )
}

pub const IT_WAS_ME: &str = "It was me";
pub const ABORT_RUN: &str = "Abort run";
pub const APPROVED_ELSEWHERE_WAS_IT_YOU: &str = "Approved elsewhere: was it you?";

pub fn it_is_tried_again(why: impl Display) -> String {
    format!("{why} It is tried again; stopping Palyra ends everything.")
}

pub const STOP_PALYRA: &str = "Stop Palyra";
pub const NOT_EVERY_AGENT_COULD_BE_PAUSED: &str = "Not every agent could be paused";
pub const RUN_IS_BEING_ABORTED: &str = "The run is being aborted.";

pub fn run_could_not_be_aborted(why: impl Display) -> String {
    format!("the run could not be aborted: {why}")
}

pub const PAUSE_ALL_AGENTS: &str = "Pause all agents, or stop Palyra, to end it.";
pub const SEE_LOGS: &str = "See the newest lines: palyra-tray logs";
pub const TRY_WHEN_READY: &str = "Try again when the gateway is ready: palyra-tray status";
pub const UNLOCK_KEYRING: &str = "Unlock the keyring (sign in to the desktop), and Palyra starts by itself.";
pub const NOT_DECIDED: &str = "Not decided as you chose";
pub const SOMEBODY_ELSE_ASKED_FOR_YOUR_DASHBOARD: &str = "Somebody else asked for your dashboard";
pub const ONE_TIME_ADDRESS_THAT_SIGNS_YOU: &str = "The one-time address that signs you in was used twice. If that was not you, restart Palyra: it ends all \
     sessions.";
pub const NOTIFICATIONS_WORK: &str = "Notifications work";
pub const WHEN_AGENT_NEEDS_YOUR_PERMISSION: &str = "When an agent needs your permission, Palyra asks you like this.";
pub const PAUSED: &str =
    "All agents are paused: what runs is aborted, and what they ask for is denied until you resume them.";
pub const LOCKED: &str = "nothing was decided: the screen is locked";
pub const RESUMED: &str = "Agents may work again.";
pub const QUIT_STOP: &str = "Stopping Palyra.";
pub const QUIT_KEEP: &str = "The tray ends; Palyra keeps running.";
pub const CONFIG_GONE: &str = "the config file is gone; put it back";
pub const CONFIG_TOUCHED: &str = "a restart was asked for by writing the config anew";
pub const CONFIG_OUTDATED: &str = "the config was changed after it started";

pub fn put_it_there_palyra_secrets_configure(scope: impl Display, name: impl Display) -> String {
    format!(
        "put it there (palyra secrets configure browser-state-key {scope} {name} --value-stdin) or correct the \
         config"
    )
}

pub const CORRECT_CONFIG: &str = "correct the config";

pub fn key_of_its_saved_state(reference: impl Display, why: impl Display, store: impl Display) -> String {
    format!(
        "the key of its saved state is to be in Palyra's vault as {reference} \
         (tool_call.browser_service.state_key_vault_ref), and it cannot be had: {why}; {store}"
    )
}

pub const WRITE_PORTS: &str = "Write these ports to the config";
pub const CONFIG_RESTARTS: &str = "Restart when the config changes";
pub const TELEMETRY: &str = "Note in Palyra's journal how the tray is used";
pub const CONFIG_INVALID: &str = "Palyra's config cannot be used";
pub const DEMO_AT_LOGIN: &str = "a demo does not start at login: its state goes away with it";
pub const DIAGNOSTICS_COPIED: &str = "They are in the clipboard, without secrets: paste them where you ask for help.";

pub fn no_program_for_clipboard_was_found(file: impl Display) -> String {
    format!("No program for the clipboard was found (wl-copy, xclip or xsel), so they are in {file}")
}

pub fn was_removed_while_palyra_ran(folder: impl Display) -> String {
    format!(
        "{folder} was removed while Palyra ran: what was in it is gone, and what the services write now may be lost. \
         To begin anew: palyra-tray restart"
    )
}

pub const LINE_IS: &str = "1 line is";

pub fn lines_are(lines: impl Display) -> String {
    format!("{lines} lines are")
}

pub fn missing_in_log(are: impl Display, name: impl Display) -> String {
    format!("{are} missing in the log of the {name}, which could not be written for a while")
}

pub fn log_of_cannot_be_written(name: impl Display, why: impl Display, are: impl Display) -> String {
    format!("the log of the {name} cannot be written ({why}); {are} lost so far. See: palyra-tray doctor")
}

pub const LOOKING: &str = "looking";
pub const WAITING_TO_START: &str = "waiting to start";
pub const STOPPED_2: &str = "stopped";
pub const STARTING: &str = "starting";
pub const READY: &str = "ready";

pub fn not_answering(misses: impl Display) -> String {
    format!("not answering ({misses})")
}

pub const RESTARTING: &str = "restarting";
pub const STOPPING_2: &str = "stopping";

pub fn tried_again_in_s_2(trouble: impl Display, seconds: impl Display) -> String {
    format!("{trouble}; tried again in {seconds} s")
}

pub fn restarts_in_s(seconds: impl Display, attempts: impl Display) -> String {
    format!("restarts in {seconds} s, attempt {attempts}")
}

pub const GIVEN_UP: &str = "given up";

pub fn needs_repair(need: impl Display) -> String {
    format!("needs repair: {need}")
}

pub fn all_agents_are_paused(line: impl Display) -> String {
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

pub fn cannot_start_3(name: impl Display, trouble: impl Display) -> String {
    format!("{name} cannot start: {trouble}")
}

pub fn does_not_stay_up_2(name: impl Display, what: impl Display) -> String {
    format!("{name} does not stay up: it {what}")
}

pub fn it_last_said_2(what: impl Display, said: impl Display) -> String {
    format!("{what}; it last said: {said}")
}

pub const CANNOT_START_2: &str = "cannot start";
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

pub fn may_go(service: impl Display, trouble: impl Display) -> String {
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

pub fn its_icon_is_in_tray(line: impl Display) -> String {
    format!("{line} Its icon is in the tray.")
}

pub fn there_is_no_icon(line: impl Display, tray: impl Display) -> String {
    format!("{line} There is no icon: {tray}. In a terminal, palyra-tray status says more.")
}

pub const IN_TERMINAL_IT_IS_NODE_ENROLL: &str = "In a terminal it is: palyra-tray node enroll";
pub const IN_TERMINAL_IT_IS_NODE_REPAIR: &str = "In a terminal it is: palyra-tray node repair";
pub const IN_TERMINAL_IT_IS_NODE: &str = "In a terminal it is: palyra-tray node reset";
pub const SET_UP_COULD_NOT_BE_OPENED: &str = "The set-up could not be opened";
pub const IN_TERMINAL_IT_IS_SETUP: &str = "In a terminal it is: palyra-tray setup";
pub const WHAT_YOU_HAVE_DONE_IS_KEPT: &str = "What you have done is kept: Continue set-up in the menu goes on with it.";
pub const SET_UP_ENDED_EARLY: &str = "The set-up ended early";
pub const CHECKS_COULD_NOT_BE_OPENED: &str = "The checks could not be opened";
pub const IN_TERMINAL_THEY_ARE_DOCTOR: &str = "In a terminal they are: palyra-tray doctor";
pub const CHECKS_ENDED_EARLY: &str = "The checks ended early";
pub const RUN_CHECKS_IN_MENU_OPENS_THEM: &str = "Run checks in the menu opens them again.";
pub const THERE_IS_NO_SUPPORT_BUNDLE: &str = "There is no support bundle";
pub const IN_TERMINAL_IT_IS_SUPPORT: &str = "In a terminal it is: palyra-tray support-bundle";
pub const ABOUT_COULD_NOT_BE_SHOWN: &str = "About could not be shown";

pub const PROFILES_COULD_NOT_BE_SHOWN: &str = "The profiles could not be shown";
pub const IN_TERMINAL_THEY: &str = "In a terminal they are: palyra-tray profile list";
pub const CHOICE_OF_PROFILE_ENDED_EARLY: &str = "The choice of a profile ended early";
pub const WHICH_ONE_IS_ACTIVE: &str = "Which one is active: palyra-tray profile show";
pub const DIALOG_COULD_NOT_BE_OPENED: &str = "The dialog could not be opened";
pub const WHAT_BECAME: &str = "What became of it: palyra-tray node status";
pub const MESSAGE_COULD_NOT_BE_WRITTEN: &str = "The message could not be written";
pub const IN_TERMINAL_IT_IS_SEND: &str = "In a terminal it is: palyra-tray send";
pub const WHAT_YOU_WROTE_WAS_NOT_SENT: &str = "What you wrote was not sent unless you had pressed Send.";
pub const DRAFT_COULD_NOT_BE_SHOWN: &str = "The draft could not be shown";
pub const IN_TERMINAL: &str = "In a terminal it is: palyra-tray drafts list";
pub const DIALOG_ENDED_EARLY: &str = "The dialog ended early";
pub const DRAFT_IS_KEPT_UNLESS_YOU_HAD: &str = "The draft is kept unless you had decided about it.";
pub const NOTHING_WAS_DECIDED: &str = "Nothing was decided. In a terminal it is: palyra-tray approvals review";
pub const APPROVAL_COULD_NOT_BE_SHOWN: &str = "The approval could not be shown";
pub const REVIEW_ENDED_EARLY: &str = "The review ended early";
pub const WHAT_YOU_HAD_NOT_DECIDED: &str = "What you had not decided by then still waits.";
pub const CONFIG_CHANGED_2: &str = "the config changed";

pub fn config_changed(first: impl Display) -> String {
    format!("the config changed ({first})")
}

pub fn config_changed_and_more(first: impl Display, n: impl Display) -> String {
    format!("the config changed ({first} and {n} more)")
}

pub fn restart_to_use_changed_config(names: impl Display) -> String {
    format!("Restart {names} to use the changed config")
}

pub fn min(seconds: impl Display) -> String {
    format!("{seconds} min")
}

pub fn days(seconds: impl Display) -> String {
    format!("{seconds} days")
}

pub const NOTIFICATIONS_OFF: &str =
    "notifications are switched off (desktop_notifications_enabled): look at the icon and its menu";
pub const TAKEN_OVER: &str = "Taken over";
pub const NOT_TAKEN_OVER: &str = "Not taken over";

pub fn its_own_files_were_not_changed(words: impl Display) -> String {
    format!("{words}Its own files were not changed. All of it: palyra-tray status --json")
}

pub const KEPT_PALYRA_TRAY_HAS_NOTHING: &str = "Kept. Palyra Tray has nothing that it switches.";

pub fn was_not_started(why: impl Display) -> String {
    format!("was not started: {why}")
}

pub fn no_free_ports_for_between(service: impl Display, ports: impl Display, ports_2: impl Display) -> String {
    format!("no free ports for {service} between {ports} and {ports_2}; end the programs that hold them")
}

pub fn port_is_held(port: impl Display, holder: impl Display) -> String {
    format!("Port {port} is held by {holder}. ")
}

pub fn service_now_uses_port_and_those(who: impl Display, service: impl Display, http: impl Display) -> String {
    format!("{who}The {service} service now uses port {http} and those beside it.")
}

pub fn free_some_space_or_mend_permissions(error: impl Display) -> String {
    format!("{error}; free some space or mend the permissions there")
}
