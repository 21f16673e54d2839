//! Why did it die? What is known of an end → its class, in the words a person reads.
//!
//! A cause says no more than the facts do: a signal that is not ours was sent "by somebody", an end for want of memory is
//! "probably" one. What is no fact of this end is in [`fingerprint`](crate::core::fingerprint): what changed meanwhile.

use crate::core::fingerprint::Changes;
use crate::core::notices::cut;
use crate::core::service::{START_DEADLINE_MS, StopReason};
use crate::protocol::shim::{ExitCause, ExitRecord};

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
                "Its log says more: palyra-tray logs"
            }
            Self::OutOfMemory => "Close other programs, or give this machine more memory.",
            Self::Port => "Palyra takes other ports by itself where it can; else end the program that has this one.",
            Self::Configuration => "Correct the config, then start it again.",
            Self::Killed => {
                "If that was not you: a system short of memory, a script or a clean-up tool may have done it."
            }
            Self::CannotRun => "Install Palyra again, or say where it is: palyra-tray setup",
            Self::Network => "It starts by itself when the network is there.",
            Self::Refused => "When that is mended, start it again.",
        }
    }
}

/// Nobody saw the end.
pub const SHIM_KILLED: &str = "ended, and nobody saw how: its shim, the process that watches it, was killed";
/// Nobody saw the end: there was none of its own.
pub const MACHINE_DOWN: &str = "ended, and nobody saw how: the machine went down";

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
            return (Class::Asked, "was stopped".to_owned(), false);
        }
        Some(StopReason::Sick) if asked || facts.exit.is_none() => {
            return (Class::Liveness, why("stopped answering and was ended".to_owned()), false);
        }
        Some(StopReason::SlowStart) if asked || facts.exit.is_none() => {
            let words = format!("was not ready within {} s and was ended", START_DEADLINE_MS / 1_000);
            return (Class::Readiness, why(words), false);
        }
        _ => {}
    }
    let Some(exit) = facts.exit else {
        return (Class::Unseen, SHIM_KILLED.to_owned(), false);
    };
    if asked {
        let words = "was stopped from outside: somebody sent a signal to its shim, the process that watches it";
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
    let words = if name.is_empty() { format!("signal {signal}") } else { format!("signal {signal}, {name}") };
    if has(stderr, &NO_MEMORY) && name == "SIGABRT" {
        return (Class::OutOfMemory, format!("ran out of memory and gave up ({words})"), false);
    }
    if name == "SIGKILL" && exit.oom_kills > 0 {
        let words = format!(
            "was killed, probably because memory ran out ({words}; the system counted a kill for want of memory while it ran)"
        );
        return (Class::OutOfMemory, words, false);
    }
    match fault(name) {
        Some(fault) => (Class::Signal, format!("crashed ({words}: {fault})"), false),
        None if SENT.contains(&name) => {
            (Class::Killed, format!("was killed by somebody ({words}, which Palyra Tray did not send)"), false)
        }
        None => (Class::Signal, format!("was ended by {words}"), false),
    }
}

fn by_code(code: i32, facts: &Facts<'_>, stderr: &[String], said: Option<&str>) -> (Class, String, bool) {
    if facts.starting && has(stderr, &NEEDS_NETWORK) {
        let words = "needs an internet connection to start, to look up its model provider";
        return (Class::Network, words.to_owned(), false);
    }
    let code_words = exit_code(code);
    if has(stderr, &PORT_TAKEN) || (facts.starting && code != 0 && !facts.taken.is_empty()) {
        let who = match facts.taken.first() {
            Some(Taken { port, holder: Some(holder) }) => format!("port {port} is held by {holder}"),
            Some(Taken { port, holder: None }) => format!("port {port} is held by another program"),
            None => "one of its ports was held by another program".to_owned(),
        };
        return (Class::Port, format!("could not listen: {who}"), false);
    }
    if facts.starting {
        let refused = said.is_some_and(is_about_config);
        if refused || code == EX_CONFIG {
            return (Class::Configuration, format!("did not take its configuration ({code_words})"), true);
        }
        if NOT_EXECUTABLE.contains(&code) {
            return (Class::CannotRun, format!("found nothing to execute ({code_words})"), true);
        }
    }
    let words = match code {
        0 => "ended by itself without an error (code 0), though it was to go on".to_owned(),
        101 if said.is_some_and(|said| said.starts_with(PANICKED)) => format!("crashed ({code_words})"),
        _ => format!("ended with an error ({code_words})"),
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
    if (0..=0xffff).contains(&code) { format!("exit code {code}") } else { format!("exit code 0x{code:08X}") }
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
        "SIGSEGV" | "SIGBUS" => "it used memory that is not its own",
        "SIGABRT" => "it found a fault in itself and gave up",
        "SIGILL" => "it ran an instruction that this processor does not have",
        "SIGFPE" => "it calculated something impossible",
        "SIGTRAP" => "it stopped at a fault",
        "SIGXCPU" => "it used more processor time than it may",
        "SIGXFSZ" => "it wrote a bigger file than it may",
        _ => return None,
    })
}

const PANICKED: &str = "it panicked: ";

/// The one line of its last words that tells most: an error with its deepest cause, else a panic, else the last line.
pub fn said(stderr: &[String]) -> Option<String> {
    let lines: Vec<&str> = stderr.iter().map(|line| line.trim_end()).filter(|line| !line.trim().is_empty()).collect();
    let error = lines.iter().rposition(|line| line.starts_with("Error: ") || line.starts_with("error: "));
    let panic = lines.iter().rposition(|line| line.contains("panicked at"));
    let words = match (error, panic) {
        (Some(at), panic) if panic.is_none_or(|panic| panic < at) => chain(&lines[at..]),
        (_, Some(at)) => {
            let message = lines.get(at + 1).filter(|next| !next.starts_with("note: ")).unwrap_or(&lines[at]);
            format!("{PANICKED}{}", message.trim())
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
