//! Why did it die? What is known of an end → its class, in the words a person reads.
//!
//! A cause says no more than the facts do: a signal that is not ours was sent "by somebody", an end for want of memory is
//! "probably" one. What is no fact of this end is in [`fingerprint`](crate::core::fingerprint): what changed meanwhile.

use crate::core::fingerprint::Changes;
use crate::core::notices::cut;
use crate::core::service::{START_DEADLINE_MS, StopReason};
use crate::protocol::shim::{ExitCause, ExitRecord};
use crate::words;

/// What a gateway says last when it cannot look up its model provider's address, which it does at every start once one is
/// chosen. A laptop that starts before its network is no crash loop. Seen on palyrad 0.1.0.
const NEEDS_NETWORK: [&str; 2] = ["could not be resolved to enforce", "failed to resolve retrieval embeddings runtime"];
/// What programs say whose port is taken, on Linux, macOS and Windows.
const PORT_TAKEN: [&str; 3] = [
    "address already in use",
    "address in use",
    "only one usage of each socket address (protocol/network address/port)",
];
/// What palyrad says of a config that it cannot read or does not take. Seen on palyrad 0.1.0.
const CONFIG_REFUSED: &str = "failed to parse config";
/// What a program says that asked for memory and got none, before it aborts.
const NO_MEMORY: [&str; 2] = ["memory allocation of", "out of memory"];
/// Longest last words, characters.
const SAID: usize = 240;

/// Exit code of a program whose configuration is wrong (`EX_CONFIG`).
const EX_CONFIG: i32 = 78;
/// Exit codes of a shell, a wrapper or the loader that found nothing to execute.
const NOT_EXECUTABLE: [i32; 2] = [126, 127];

/// What kind of end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It was to end.
    Asked,
    /// It returned a code by itself.
    ExitCode,
    /// A signal that a fault of its own raised.
    Signal,
    /// It or the system ran out of memory.
    OutOfMemory,
    /// Another program has its port.
    Port,
    /// It does not take its configuration.
    Configuration,
    /// It was not ready in time.
    Readiness,
    /// It lived and stopped answering.
    Liveness,
    /// A signal that nobody of us sent.
    Killed,
    /// It cannot be executed.
    CannotRun,
    /// It needs the network to start, and there is none.
    Network,
    /// Something on this machine has to be different before it may start.
    Refused,
    /// Nobody saw how.
    Unseen,
}

impl Class {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::ExitCode => "exit_code",
            Self::Signal => "signal",
            Self::OutOfMemory => "out_of_memory",
            Self::Port => "port",
            Self::Configuration => "configuration",
            Self::Readiness => "readiness",
            Self::Liveness => "liveness",
            Self::Killed => "killed",
            Self::CannotRun => "cannot_run",
            Self::Network => "network",
            Self::Refused => "refused",
            Self::Unseen => "unseen",
        }
    }

    /// What a person can do about it; empty where there is nothing to do.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Asked => "",
            Self::ExitCode | Self::Signal | Self::Readiness | Self::Liveness | Self::Unseen => {
                words::services::ends::ITS_LOG_SAYS_MORE
            }
            Self::OutOfMemory => words::services::ends::CLOSE_OTHER_PROGRAMS,
            Self::Port => words::services::ends::PALYRA_TAKES_OTHER_PORTS_BY_ITSELF,
            Self::Configuration => words::services::ends::CORRECT_CONFIG_THEN_START_IT_AGAIN,
            Self::Killed => words::services::ends::IF_THAT_WAS_NOT_YOU,
            Self::CannotRun => words::services::ends::INSTALL_PALYRA_AGAIN,
            Self::Network => words::services::ends::IT_STARTS_BY_ITSELF_WHEN_NETWORK,
            Self::Refused => words::services::ends::WHEN_THAT_IS_MENDED,
        }
    }
}

/// A port of a sidecar that another program has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its number.
    pub port: u16,
    /// Who has it, in words; absent where the system does not tell.
    pub holder: Option<String>,
}

/// What was seen around an end, right after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Ports that it was to have and another program has.
    pub taken: Vec<Taken>,
    /// What differs from its last good start; absent when there was none.
    pub changes: Option<Changes>,
}

/// What is known of an end.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// From its shim; absent when that was killed.
    pub exit: Option<&'a ExitRecord>,
    /// Why we were stopping it, if we were.
    pub stopping: Option<StopReason>,
    /// It had not been ready yet.
    pub starting: bool,
    /// What its last probe found.
    pub trouble: &'a str,
    /// What was seen around it.
    pub taken: &'a [Taken],
}

/// Why it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What kind of end.
    pub class: Class,
    /// The end of a sentence about it: "crashed (signal 11, SIGSEGV: it used memory that is not its own)".
    pub what: String,
    /// What it said last of itself, where that tells more than `what`.
    pub said: Option<String>,
    /// The same start would end the same way.
    pub hopeless: bool,
}

/// Facts in, cause out.
pub fn cause(facts: &Facts<'_>) -> Cause {
    let stderr = facts.exit.map(|exit| exit.last_stderr.as_slice()).unwrap_or_default();
    let said = said(stderr);
    let (class, what, hopeless) = classify(facts, stderr, said.as_deref());
    // what it says of an end that was not its own choice is of before
    let tells = matches!(class, Class::ExitCode | Class::Signal | Class::Configuration | Class::Port)
        || (matches!(class, Class::CannotRun | Class::OutOfMemory) && !stderr.is_empty());
    Cause { class, said: said.filter(|_| tells), what, hopeless }
}

fn classify(facts: &Facts<'_>, stderr: &[String], said: Option<&str>) -> (Class, String, bool) {
    let asked = facts.exit.is_some_and(|exit| exit.asked);
    let why = |words: String| match facts.trouble {
        "" => words,
        trouble => format!("{words} ({trouble})"),
    };
    match facts.stopping {
        // one that ended before it was asked to has a cause of its own
        Some(StopReason::Asked | StopReason::Restart) if asked || facts.exit.is_none() => {
            return (Class::Asked, words::services::ends::WAS_STOPPED.to_owned(), false);
        }
        Some(StopReason::Sick) if asked || facts.exit.is_none() => {
            return (Class::Liveness, why(words::services::ends::STOPPED_ANSWERING_AND_WAS_ENDED.to_owned()), false);
        }
        Some(StopReason::SlowStart) if asked || facts.exit.is_none() => {
            let words = words::services::ends::was_not_ready_within_s(START_DEADLINE_MS / 1_000);
            return (Class::Readiness, why(words), false);
        }
        _ => {}
    }
    let Some(exit) = facts.exit else {
        return (Class::Unseen, words::services::ends::SHIM_KILLED.to_owned(), false);
    };
    if asked {
        let words = words::services::ends::WAS_STOPPED_FROM_OUTSIDE;
        return (Class::Killed, words.to_owned(), false);
    }
    match &exit.cause {
        ExitCause::SpawnFailed { message, retryable } => (Class::CannotRun, message.clone(), !retryable),
        ExitCause::Signal { signal } => by_signal(*signal, exit, stderr),
        ExitCause::Code { code } => by_code(*code, facts, stderr, said),
    }
}

fn by_signal(signal: i32, exit: &ExitRecord, stderr: &[String]) -> (Class, String, bool) {
    let name = signal_name(signal);
    let words =
        if name.is_empty() { words::common::signal(signal) } else { words::services::ends::signal(signal, name) };
    if has(stderr, &NO_MEMORY) && name == "SIGABRT" {
        return (Class::OutOfMemory, words::services::ends::ran_out_of_memory_and_gave(&words), false);
    }
    if name == "SIGKILL" && exit.oom_kills > 0 {
        let words = words::services::ends::was_killed_probably_because_memory(&words);
        return (Class::OutOfMemory, words, false);
    }
    match fault(name) {
        Some(fault) => (Class::Signal, words::services::ends::crashed_by_fault(&words, fault), false),
        None if SENT.contains(&name) => (Class::Killed, words::services::ends::was_killed_by_somebody(&words), false),
        None => (Class::Signal, words::services::ends::was_ended(&words), false),
    }
}

fn by_code(code: i32, facts: &Facts<'_>, stderr: &[String], said: Option<&str>) -> (Class, String, bool) {
    if facts.starting && has(stderr, &NEEDS_NETWORK) {
        let words = words::services::ends::NEEDS_INTERNET_CONNECTION_TO_START;
        return (Class::Network, words.to_owned(), false);
    }
    let code_words = exit_code(code);
    if has(stderr, &PORT_TAKEN) || (facts.starting && code != 0 && !facts.taken.is_empty()) {
        let who = match facts.taken.first() {
            Some(Taken { port, holder: Some(holder) }) => words::services::ends::port_is_held(port, holder),
            Some(Taken { port, holder: None }) => words::services::ends::port_is_held_by_another_program(port),
            None => words::services::ends::ONE_OF_ITS_PORTS_WAS_HELD.to_owned(),
        };
        return (Class::Port, words::services::ends::could_not_listen(&who), false);
    }
    if facts.starting {
        let refused = said.is_some_and(is_about_config);
        if refused || code == EX_CONFIG {
            return (Class::Configuration, words::services::ends::did_not_take_its_configuration(&code_words), true);
        }
        if NOT_EXECUTABLE.contains(&code) {
            return (Class::CannotRun, words::services::ends::found_nothing_to_execute(&code_words), true);
        }
    }
    let words = match code {
        0 => words::services::ends::ENDED_BY_ITSELF_WITHOUT_ERROR_CODE.to_owned(),
        101 if said.is_some_and(|said| said.starts_with(words::services::ends::PANICKED)) => {
            words::services::ends::crashed(&code_words)
        }
        _ => words::services::ends::ended_with_error(&code_words),
    };
    (Class::ExitCode, words, false)
}

/// palyrad names what it does not take first: its file, a key of it, or a variable that stands for one.
fn is_about_config(said: &str) -> bool {
    let mut words = said.split_whitespace();
    let (subject, verb) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_key = subject.contains('.')
        && subject.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        });
    said.starts_with(CONFIG_REFUSED) || (verb == "must" && (is_key || subject.starts_with("PALYRA_")))
}

fn exit_code(code: i32) -> String {
    // a status of Windows, which nobody looks up in decimal
    if (0..=0xffff).contains(&code) { words::common::exit_code(code) } else { words::services::ends::exit_code_x(code) }
}

fn has(lines: &[String], words: &[&str]) -> bool {
    lines.iter().any(|line| {
        let line = line.to_lowercase();
        words.iter().any(|words| line.contains(words))
    })
}

/// Signals that a person, a script or the system sends to end a program.
const SENT: [&str; 5] = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGTERM"];

const fn signal_name(signal: i32) -> &'static str {
    let bus = if cfg!(target_os = "macos") { 10 } else { 7 };
    match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        _ if signal == bus => "SIGBUS",
        _ => "",
    }
}

fn fault(signal: &str) -> Option<&'static str> {
    Some(match signal {
        "SIGSEGV" | "SIGBUS" => words::services::ends::IT_USED_MEMORY,
        "SIGABRT" => words::services::ends::IT_FOUND_FAULT_IN_ITSELF,
        "SIGILL" => words::services::ends::IT_RAN_INSTRUCTION_THAT_THIS_PROCESSOR,
        "SIGFPE" => words::services::ends::IT_CALCULATED_SOMETHING_IMPOSSIBLE,
        "SIGTRAP" => words::services::ends::IT_STOPPED_AT_FAULT,
        "SIGXCPU" => words::services::ends::IT_USED_MORE_PROCESSOR_TIME,
        "SIGXFSZ" => words::services::ends::IT_WROTE_BIGGER_FILE,
        _ => return None,
    })
}

/// The one line of its last words that tells most: an error with its deepest cause, else a panic, else the last line.
pub fn said(stderr: &[String]) -> Option<String> {
    let lines: Vec<&str> = stderr.iter().map(|line| line.trim_end()).filter(|line| !line.trim().is_empty()).collect();
    let error = lines.iter().rposition(|line| line.starts_with("Error: ") || line.starts_with("error: "));
    let panic = lines.iter().rposition(|line| line.contains("panicked at"));
    let words = match (error, panic) {
        (Some(at), panic) if panic.is_none_or(|panic| panic < at) => chain(&lines[at..]),
        (_, Some(at)) => {
            let message = lines.get(at + 1).filter(|next| !next.starts_with("note: ")).unwrap_or(&lines[at]);
            words::services::ends::PANICKED.to_owned() + message.trim()
        }
        _ => (*lines.last()?).trim().to_owned(),
    };
    Some(cut(&words, SAID))
}

/// "Error: what", "Caused by:", "0: why": what and the last why, with the last line of that. An excerpt of a file, which
/// the parser quotes with bars at its left, is left out.
fn chain(lines: &[&str]) -> String {
    let head = lines.first().and_then(|line| line.split_once(": ")).map_or("", |(_, head)| head).trim();
    let causes =
        lines.iter().position(|line| line.trim() == "Caused by:").map(|at| &lines[at + 1..]).unwrap_or_default();
    let last = causes.iter().rposition(|line| is_numbered(line)).unwrap_or(0);
    let mut words = head.to_owned();
    let mut add = |more: &str| {
        if !more.is_empty() && !words.contains(more) {
            words = format!("{}: {more}", words.trim_end_matches([':', '.']));
        }
    };
    let own: Vec<&str> = causes.iter().skip(last).map(|line| line.trim()).filter(|line| !is_excerpt(line)).collect();
    if let Some(first) = own.first() {
        add(if is_numbered(first) { first.split_once(": ").map_or("", |(_, rest)| rest) } else { first });
    }
    if own.len() > 1
        && let Some(detail) = own.last()
    {
        add(detail);
    }
    words
}

fn is_numbered(line: &str) -> bool {
    line.trim_start()
        .split_once(": ")
        .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_excerpt(line: &str) -> bool {
    line.split_once('|').is_some_and(|(left, _)| left.trim().bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
