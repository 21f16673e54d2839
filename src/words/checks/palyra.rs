//! The checks of Palyra itself: programs, config, services, approvals.

use std::fmt::Display;

pub const EARLIER_DESKTOP_APP: &str = "Earlier desktop app";
pub const OTHER_PALYRA: &str = "Other Palyra";
pub const GATEWAY_PROGRAM: &str = "Gateway program";
pub const BROWSER_PROGRAM: &str = "Browser program";
pub const NODE_HOST_PROGRAM: &str = "Node host program";
pub const DASHBOARD_FILES: &str = "Dashboard files";
pub const BROWSER_SERVICE: &str = "Browser service";
pub const DOES_NOT_RUN_ON_THIS_STATE: &str = "does not use this data folder";

pub fn runs_on_this_state_root(pid: impl Display) -> String {
    format!("uses this data folder, as process {pid}; only one of the two may")
}

pub const QUIT_IT_IN_ITS_OWN_MENU: &str = "Quit it in its own menu, then start Palyra Tray: palyra-tray run";
pub const NONE_THAT_IS_NOT_OURS: &str = "none that is not ours has this data open";

pub fn process_which_is_not_ours(pid: impl Display, executable: impl Display, why: impl Display) -> String {
    format!("process {pid} ({executable}), which is not ours, {why}")
}

pub fn end_it_kill(pid: impl Display) -> String {
    format!("End it (kill {pid}), or set another PALYRA_STATE_ROOT; then: palyra-tray start")
}

pub fn as_process(pid: impl Display) -> String {
    format!(" as process {pid}")
}

pub const IT_IS_DEMO: &str = "; it is a demo, nothing of it is real";

pub fn answers_version(pid: impl Display, version: impl Display, demo: impl Display) -> String {
    format!("answers{pid}, version {version}{demo}")
}

pub fn answers_but_is_version(pid: impl Display, theirs: impl Display, ours: impl Display) -> String {
    format!("answers{pid}, but is version {theirs}; this command is {ours}")
}

pub const LET_NEWER_ONE_TAKE_OVER: &str =
    "Let the newer one take over: palyra-tray run. Palyra keeps running meanwhile";

pub fn process_is_there_but_gives_no(pid: impl Display, why: impl Display) -> String {
    format!("process {pid} is there but gives no answer ({why})")
}

pub fn see_logs_tray(pid: impl Display) -> String {
    format!("See: palyra-tray logs tray. If it stays so: kill {pid}, then: palyra-tray run")
}

pub fn gives_no_answer(why: impl Display) -> String {
    format!("gives no answer ({why})")
}

pub const USE_COMMAND_OF_SAME_VERSION: &str =
    "Use the palyra-tray command of the same version, or see: palyra-tray logs tray";

pub fn process_holds_its_lock(pid: impl Display, process: impl Display) -> String {
    format!("process {pid} ({process}) holds its lock, but nobody answers")
}

pub const OF_UNKNOWN_PROGRAM: &str = "of an unknown program";

pub fn if_it_has_just_been_started(pid: impl Display) -> String {
    format!("If it has just been started, check again; else: kill {pid}, then: palyra-tray run")
}

pub const NONE_RUNS_SO_NOBODY_LOOKS_AFTER: &str = "does not run, so nobody looks after Palyra";
pub const THEY_BELONG_BESIDE_PALYRAD: &str = "they belong beside palyrad, which was not found";
pub const LIE_BESIDE_PALYRAD: &str = "lie beside palyrad";
pub const THERE_IS_NO_WEB_INDEX: &str =
    "there is no web/index.html beside palyrad, so the dashboard shows an error page";
pub const UNPACK_WHOLE_PALYRA_PACKAGE: &str =
    "Unpack the whole Palyra package, its folder web included, and use palyrad from there";

pub fn none_yet_is_made_at_first(path: impl Display) -> String {
    format!("none yet; {path} is made at the first start")
}

pub fn correct_nothing_starts_before(path: impl Display) -> String {
    format!("Correct {path}; nothing starts before that")
}

pub fn is_of_version(path: impl Display, version: impl Display) -> String {
    format!("{path} is of version {version}; the gateway understands version 1 only")
}

pub const CORRECT_ITS_FIRST_LINE: &str = "Correct its first line to: version = 1";

pub fn is_understood_signs(path: impl Display, principal: impl Display) -> String {
    format!("{path} is understood; signs in as {principal}")
}

pub fn is_understood(path: impl Display) -> String {
    format!("{path} is understood")
}

pub const DEMO_HAS_ITS_OWN: &str = "a demo has its own";
pub const CONFIG_CANNOT_BE_READ: &str = "the config cannot be read";

pub fn off_in_so_no_chat(path: impl Display) -> String {
    format!("off in {path}, so no chat is answered")
}

pub const TURN_IT: &str =
    "Switch it on: palyra-tray setup, or write runloop_v1_enabled = true below [orchestrator] there";
pub const MEND_THAT_UNTIL_THEN_NOTHING: &str = "Mend that; until then nothing is restarted, and a start would fail";

pub fn use_it_restart(service: impl Display) -> String {
    format!("Use it: palyra-tray restart {service}")
}

pub fn was_changed_after_started(outdated: impl Display) -> String {
    format!("was changed after {outdated} started")
}

pub fn changes_of_it_are_not_seen(blind: impl Display) -> String {
    format!("changes of it are not seen: {blind}")
}

pub const AFTER_CHANGE: &str = "After a change of it: palyra-tray restart";
pub const NO_NODE_HOST_IS_ENROLLED: &str = "no node host is enrolled";
pub const WHETHER_NODE_HOST_IS_ENROLLED: &str = "whether a node host is enrolled is not known";
pub const NOT_LOOKED: &str = "not looked for";
pub const IT_BELONGS_BESIDE_PALYRAD: &str = "it belongs beside palyrad, which was not found";

pub fn runs_now(at: impl Display) -> String {
    format!("{at} runs now")
}

pub fn can_be_started(at: impl Display) -> String {
    format!("{at} can be started")
}

pub fn is_script_which_is_not_tried(at: impl Display) -> String {
    format!("{at} is a script, which is not tried out")
}

pub fn cannot_be_started(at: impl Display, why: impl Display) -> String {
    format!("{at} cannot be started: {why}")
}

pub const INSTALL_WHAT_IT_MISSES: &str =
    "Install what it misses, or get the Palyra package that is made for this system";

pub fn found_at_whether_it_can(at: impl Display, why: impl Display) -> String {
    format!("found at {at}; whether it can be started is not known: {why}")
}

pub const GET_WHOLE_PALYRA_PACKAGE: &str = "Get the whole Palyra package; this program belongs beside palyrad";
pub const UNPACK_OR_INSTALL_PALYRA: &str = "Unpack or install Palyra, then name its folder: palyra-tray setup";

pub fn one_was_seen(problem: impl Display) -> String {
    format!("One was seen, but: {problem}")
}

pub fn palyra_was_seen(folder: impl Display, settings_file: impl Display) -> String {
    format!(
        "Palyra was seen in {folder}. Use it: palyra-tray setup, or write folder = \"{folder}\" below [services] in \
         {settings_file}"
    )
}

pub const PROGRAM_OF_ANOTHER_USER: &str = "a program of another user";

pub fn held_by(list: impl Display, verb: impl Display, holder: impl Display) -> String {
    format!("{list} {verb} held by {holder}")
}

pub fn other_ports_than_config_means(elsewhere: impl Display, verb: impl Display) -> String {
    format!("{elsewhere} {verb} other ports than the config means, where Palyra's other programs look")
}

pub const WRITE_THEM_THERE: &str = "Write them there: palyra-tray config write-ports";

pub fn in_use_by_palyra(names: impl Display) -> String {
    format!("{names} in use by Palyra")
}

pub const NOTHING_NEEDS_TO_BE_DONE: &str = "Nothing needs to be done: Palyra takes other ports by itself. To have \
     these, end that program, then: palyra-tray restart";
pub const SWITCHED_OFF: &str = "switched off";

pub fn what_says_cannot_be_written(name: impl Display, why: impl Display, lost: impl Display) -> String {
    format!("what the {name} says cannot be written ({why}); lines lost so far: {lost}")
}

pub const FREE_SOME_SPACE: &str =
    "Free some space, or make <data folder>/tray/logs writable; the log then goes on by itself";

pub fn lines_that_could_not_be_written(lost: impl Display) -> String {
    format!("lines that could not be written: {lost}; the logs say where")
}

pub const NOTHING_THEY_ARE_WRITTEN_AGAIN: &str = "Nothing needs to be done: they are written again";
pub const NOTHING_IS_LOST: &str = "nothing is lost";

pub fn last_time(state: impl Display, exit: impl Display) -> String {
    format!("{state}; last time it {exit}")
}

pub fn it_last_said(evidence: impl Display, line: impl Display) -> String {
    format!("{evidence}; it last said: {line}")
}

pub fn restart(id: impl Display) -> String {
    format!("palyra-tray restart {id}")
}

pub fn logs(id: impl Display) -> String {
    format!("palyra-tray logs {id}")
}

pub fn answers_and_takes_our_token(uptime: impl Display) -> String {
    format!("answers, and takes our token{uptime}")
}

pub const STOPPED_BECAUSE_SOMEBODY_ASKED: &str = "stopped, because somebody asked for it";

pub fn start_it_start(id: impl Display) -> String {
    format!("Start it: palyra-tray start {id}")
}

pub fn check_again_in_minute_meanwhile(logs: impl Display) -> String {
    format!("Check again in a minute; meanwhile see: {logs}")
}

pub const CHECK_AGAIN_IN_MINUTE: &str = "Check again in a minute";

pub fn it_is_tried_again_by_itself(evidence: impl Display, attempt: impl Display) -> String {
    format!("{evidence}; it is tried again by itself, attempt {attempt}")
}

pub fn see_why(logs: impl Display) -> String {
    format!("See why: {logs}")
}

pub fn mend_what_it_says_more(logs: impl Display, id: impl Display) -> String {
    format!("Mend what it says (more: {logs}), then: palyra-tray start {id}")
}

pub fn if_it_stays(restart: impl Display) -> String {
    format!("If it stays so: {restart}")
}

pub const CANNOT_BE_READ: &str = "cannot be read";
pub const SEE_WHY_STATUS: &str = "See why: palyra-tray status";

pub fn cannot_be_understood(unreadable: impl Display) -> String {
    format!("{unreadable} cannot be understood")
}

pub const LOOK_AT_THEM_IN_DASHBOARD: &str = "Look at them in the dashboard: palyra-tray open approvals";
pub const ARE_READ_BY_CLOCK: &str =
    "are read by the clock, because the gateway's journal is not watched; they can be some seconds late";
pub const SEE_CHECK_OF_JOURNAL: &str = "See the check of the journal";
pub const ARE_READ_AS_SOON_AS_GATEWAY: &str = "are read as soon as the gateway writes them";
pub const NONE_IS_CONNECTED: &str = "none is connected, so no chat is answered";
pub const CONNECT_ONE_SETUP: &str = "Connect one: palyra-tray setup";
pub const AGENT: &str = "Palyra Tray";
pub const PORTS: &str = "Ports";

pub fn free(names: impl Display) -> String {
    format!("{names} free")
}

pub fn connected(configured: impl Display) -> String {
    format!("{configured} connected")
}
