//! Why a sidecar ended, and what has changed since it last started well.

use std::fmt::Display;

pub const ITS_LOG_SAYS_MORE: &str = "Its log says more: palyra-tray logs";
pub const CLOSE_OTHER_PROGRAMS: &str = "Close other programs, or give this machine more memory.";
pub const PALYRA_TAKES_OTHER_PORTS_BY_ITSELF: &str =
    "Palyra takes other ports by itself where it can; else end the program that has this one.";
pub const CORRECT_CONFIG_THEN_START_IT_AGAIN: &str = "Correct the config, then start it again.";
pub const IF_THAT_WAS_NOT_YOU: &str =
    "If that was not you: a system short of memory, a script or a clean-up tool may have done it.";
pub const INSTALL_PALYRA_AGAIN: &str = "Install Palyra again, or say where it is: palyra-tray setup";
pub const IT_STARTS_BY_ITSELF_WHEN_NETWORK: &str = "It starts by itself when the network is there.";
pub const WHEN_THAT_IS_MENDED: &str = "When that is mended, start it again.";
pub const SHIM_KILLED: &str = "ended, and nobody saw how: the process that watches it was killed";
pub const MACHINE_DOWN: &str = "ended, and nobody saw how: the machine went down";
pub const WAS_STOPPED: &str = "was stopped";
pub const STOPPED_ANSWERING_AND_WAS_ENDED: &str = "stopped answering and was ended";

pub fn was_not_ready_within_s(start_deadline_ms: impl Display) -> String {
    format!("was not ready within {start_deadline_ms} s and was ended")
}

pub const WAS_STOPPED_FROM_OUTSIDE: &str =
    "was stopped from outside: somebody sent a signal to the process that watches it";

pub fn ran_out_of_memory_and_gave(words: impl Display) -> String {
    format!("ran out of memory and gave up ({words})")
}

pub fn was_killed_probably_because_memory(words: impl Display) -> String {
    format!(
        "was killed, probably because memory ran out ({words}; the system counted a kill for want of memory while it \
         ran)"
    )
}

pub fn was_killed_by_somebody(words: impl Display) -> String {
    format!("was killed by somebody ({words}, which Palyra Tray did not send)")
}

pub fn was_ended(words: impl Display) -> String {
    format!("was ended by {words}")
}

pub const NEEDS_INTERNET_CONNECTION_TO_START: &str =
    "needs an internet connection to start, to look up its model provider";

pub fn port_is_held(port: impl Display, holder: impl Display) -> String {
    format!("port {port} is held by {holder}")
}

pub fn port_is_held_by_another_program(port: impl Display) -> String {
    format!("port {port} is held by another program")
}

pub const ONE_OF_ITS_PORTS_WAS_HELD: &str = "one of its ports was held by another program";

pub fn could_not_listen(who: impl Display) -> String {
    format!("could not listen: {who}")
}

pub fn did_not_take_its_configuration(code_words: impl Display) -> String {
    format!("did not take its configuration ({code_words})")
}

pub fn found_nothing_to_execute(code_words: impl Display) -> String {
    format!("found nothing to execute ({code_words})")
}

pub const ENDED_BY_ITSELF_WITHOUT_ERROR_CODE: &str =
    "ended by itself without an error (code 0), though it was to go on";

pub fn ended_with_error(code_words: impl Display) -> String {
    format!("ended with an error ({code_words})")
}

pub fn exit_code_x(code: i32) -> String {
    format!("exit code 0x{code:08X}")
}

pub const IT_USED_MEMORY: &str = "it used memory that is not its own";
pub const IT_FOUND_FAULT_IN_ITSELF: &str = "it found a fault in itself and gave up";
pub const IT_RAN_INSTRUCTION_THAT_THIS_PROCESSOR: &str = "it ran an instruction that this processor does not have";
pub const IT_CALCULATED_SOMETHING_IMPOSSIBLE: &str = "it calculated something impossible";
pub const IT_STOPPED_AT_FAULT: &str = "it stopped at a fault";
pub const IT_USED_MORE_PROCESSOR_TIME: &str = "it used more processor time than it may";
pub const IT_WROTE_BIGGER_FILE: &str = "it wrote a bigger file than it may";
pub const PANICKED: &str = "it panicked: ";
pub const PROGRAM_WAS_REPLACED: &str = "the program was replaced";

pub fn program_was_replaced(good_version: impl Display) -> String {
    format!("the program was replaced (it was {good_version})")
}

pub fn program_is(to: impl Display, from: impl Display) -> String {
    format!("the program is {to}, it was {from}")
}

pub const PROGRAM_IS_NOT_THERE_ANY_MORE: &str = "the program is not there any more";
pub const CONFIG_IT_CANNOT_BE_READ: &str = "config: it cannot be read as TOML now";
pub const CONFIG_COMMENTS_OR_ORDER_ONLY: &str = "config: comments or order only";

pub fn config_it_is_now(path: impl Display) -> String {
    format!("config: it is {path} now")
}

pub fn signal(signal: impl Display, name: impl Display) -> String {
    format!("signal {signal}, {name}")
}

pub fn crashed_by_fault(words: impl Display, fault: impl Display) -> String {
    format!("crashed ({words}: {fault})")
}

pub fn crashed(code_words: impl Display) -> String {
    format!("crashed ({code_words})")
}
