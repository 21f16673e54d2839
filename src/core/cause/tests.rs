use super::*;
use crate::protocol::RunId;

fn exit(cause: ExitCause, stderr: &str) -> ExitRecord {
    ExitRecord {
        version: 1,
        run_id: RunId("r".to_owned()),
        ended_at_unix_ms: 1,
        cause,
        asked: false,
        last_stderr: stderr.lines().map(str::to_owned).collect(),
        dropped_lines: 0,
        oom_kills: 0,
    }
}

fn facts(exit: &ExitRecord) -> Facts<'_> {
    Facts { exit: Some(exit), stopping: None, starting: false, trouble: "", taken: &[] }
}

fn code(code: i32, stderr: &str) -> ExitRecord {
    exit(ExitCause::Code { code }, stderr)
}

fn signal(signal: i32) -> ExitRecord {
    exit(ExitCause::Signal { signal }, "")
}

/// As palyrad 0.1.0 says them, each seen on the real one.
const REFUSED: [(&str, &str); 6] = [
    (
        "Error: failed to parse config /h/palyra.toml\n\nCaused by:\n    0: failed to migrate config document\n    1: unsupported config version 99; supported version is 1",
        "failed to parse config /h/palyra.toml: unsupported config version 99; supported version is 1",
    ),
    (
        "Error: failed to parse config /h/palyra.toml\n\nCaused by:\n    0: failed to migrate config document\n    1: config version must be a positive integer, got 0",
        "failed to parse config /h/palyra.toml: config version must be a positive integer, got 0",
    ),
    (
        "Error: failed to parse config /h/palyra.toml\n\nCaused by:\n    0: failed to migrate config document\n    1: failed to parse config document: TOML parse error at line 1, column 11\n         |\n       1 | version = \n         |           ^\n       string values must be quoted, expected literal string\n       \n    2: TOML parse error at line 1, column 11\n         |\n       1 | version = \n         |           ^\n       string values must be quoted, expected literal string\n       ",
        "failed to parse config /h/palyra.toml: TOML parse error at line 1, column 11: string values must be quoted, expected literal string",
    ),
    (
        "Error: failed to parse config /h/palyra.toml\n\nCaused by:\n    0: invalid daemon config schema\n    1: TOML parse error at line 4, column 8\n         |\n       4 | port = \"x\"\n         |        ^^^\n       invalid type: string \"x\", expected u16\n       ",
        "failed to parse config /h/palyra.toml: TOML parse error at line 4, column 8: invalid type: string \"x\", expected u16",
    ),
    (
        "Error: model_provider.kind must be deterministic, openai_compatible, or anthropic\n\nCaused by:\n    unsupported model provider kind: nonsense",
        "model_provider.kind must be deterministic, openai_compatible, or anthropic: unsupported model provider kind: nonsense",
    ),
    (
        "Error: PALYRA_DAEMON_PORT must be a valid u16\n\nCaused by:\n    invalid digit found in string",
        "PALYRA_DAEMON_PORT must be a valid u16: invalid digit found in string",
    ),
];

#[test]
fn a_config_that_palyrad_refuses_is_told_in_its_words_and_another_start_cannot_cure_it() {
    for (stderr, expected) in REFUSED {
        let exit = code(1, stderr);
        let cause = cause(&Facts { starting: true, ..facts(&exit) });
        assert_eq!((cause.class, cause.hopeless), (Class::Configuration, true), "{stderr}");
        assert_eq!(cause.said.as_deref(), Some(expected));
        // a gateway that was ready has taken its config: whatever it says now is about something else
        assert!(!super::cause(&facts(&exit)).hopeless);
    }
    for other in ["Error: the disk must be replaced", "Error: a.b failed", "Error: it. must be so", "Error: nothing"] {
        let exit = code(1, other);
        let cause = cause(&Facts { starting: true, ..facts(&exit) });
        assert_eq!((cause.class, cause.hopeless), (Class::ExitCode, false), "{other}");
    }
}

#[test]
fn the_excerpt_of_a_config_that_a_parser_quotes_is_not_repeated() {
    let stderr = "Error: failed to parse config /c\n\nCaused by:\n    TOML parse error at line 4, column 8\n         |\n       4 | auth_token = \"hunter2\n         |        ^^^\n       invalid basic string";
    let said = said(&code(1, stderr).last_stderr).unwrap();
    assert_eq!(said, "failed to parse config /c: TOML parse error at line 4, column 8: invalid basic string");
    // also where the quoted line is the last one
    let cut = stderr.lines().take(6).collect::<Vec<_>>().join("\n");
    let said = super::said(&code(1, &cut).last_stderr).unwrap();
    assert_eq!(said, "failed to parse config /c: TOML parse error at line 4, column 8");
}

#[test]
fn a_taken_port_is_named_with_its_holder() {
    let stderr = "Error: failed to bind palyrad gRPC listener\n\nCaused by:\n    Address already in use (os error 98)";
    let taken = [Taken { port: 7443, holder: Some("/usr/bin/nginx (process 7)".to_owned()) }];
    let exit = code(1, stderr);
    let found = cause(&Facts { starting: true, taken: &taken, ..facts(&exit) });
    assert_eq!((found.class, found.hopeless), (Class::Port, false));
    assert_eq!(found.what, "could not listen: port 7443 is held by /usr/bin/nginx (process 7)");
    assert_eq!(
        found.said.as_deref(),
        Some("failed to bind palyrad gRPC listener: Address already in use (os error 98)")
    );
    assert!(cause(&facts(&exit)).what.ends_with("held by another program"));
    // without a word: a port taken at that moment is reason enough for an error while starting, and for nothing else
    let exit = code(1, "");
    assert_eq!(cause(&Facts { starting: true, taken: &taken, ..facts(&exit) }).class, Class::Port);
    assert_eq!(cause(&Facts { taken: &taken, ..facts(&exit) }).class, Class::ExitCode);
    let exit = code(0, "");
    assert_eq!(cause(&Facts { starting: true, taken: &taken, ..facts(&exit) }).class, Class::ExitCode);
}

#[test]
fn a_signal_is_a_crash_or_somebody() {
    for (number, class, words) in [
        (11, Class::Signal, "crashed (signal 11, SIGSEGV: it used memory that is not its own)"),
        (6, Class::Signal, "crashed (signal 6, SIGABRT: it found a fault in itself and gave up)"),
        (9, Class::Killed, "was killed by somebody (signal 9, SIGKILL, which Palyra Tray did not send)"),
        (15, Class::Killed, "was killed by somebody (signal 15, SIGTERM, which Palyra Tray did not send)"),
        (2, Class::Killed, "was killed by somebody (signal 2, SIGINT, which Palyra Tray did not send)"),
        (13, Class::Signal, "was ended by signal 13, SIGPIPE"),
        (34, Class::Signal, "was ended by signal 34"),
    ] {
        let exit = signal(number);
        let cause = cause(&facts(&exit));
        assert_eq!((cause.class, cause.what.as_str(), cause.hopeless), (class, words, false));
    }
    let asked = ExitRecord { asked: true, ..signal(15) };
    let outside = cause(&facts(&asked));
    assert_eq!(outside.class, Class::Killed, "its shim got a signal that was not ours");
    assert!(outside.what.contains("a signal to the process that watches it"), "{}", outside.what);
    let ours = cause(&Facts { stopping: Some(StopReason::Restart), ..facts(&asked) });
    assert_eq!((ours.class, ours.what.as_str()), (Class::Asked, "was stopped"));
    // it had ended by itself before it was asked, and only what it left was still being ended
    for stopping in [StopReason::Asked, StopReason::Restart] {
        let crash = cause(&Facts { stopping: Some(stopping), ..facts(&signal(11)) });
        assert_eq!(crash.class, Class::Signal);
    }
}

#[test]
fn want_of_memory_is_probable_beside_a_counted_kill_and_certain_by_its_own_word() {
    let exit = ExitRecord { oom_kills: 1, ..signal(9) };
    let found = cause(&facts(&exit));
    assert_eq!(found.class, Class::OutOfMemory);
    assert!(found.what.contains("probably"), "{}", found.what);
    // a fault of its own is none of that
    let exit = ExitRecord { oom_kills: 1, ..signal(11) };
    assert_eq!(cause(&facts(&exit)).class, Class::Signal);
    let exit = self::exit(ExitCause::Signal { signal: 6 }, "memory allocation of 549755813888 bytes failed");
    let found = cause(&facts(&exit));
    assert_eq!(found.class, Class::OutOfMemory);
    assert_eq!(found.said.as_deref(), Some("memory allocation of 549755813888 bytes failed"));
}

#[test]
fn one_that_did_not_answer_is_told_as_that_and_not_as_killed() {
    let asked = ExitRecord { asked: true, ..signal(9) };
    let sick = Facts { stopping: Some(StopReason::Sick), trouble: "no answer from port 7142 in time", ..facts(&asked) };
    let found = cause(&sick);
    assert_eq!(
        (found.class, found.what.as_str()),
        (Class::Liveness, "stopped answering and was ended (no answer from port 7142 in time)")
    );
    let slow = cause(&Facts { stopping: Some(StopReason::SlowStart), ..sick });
    assert_eq!(slow.class, Class::Readiness);
    assert!(slow.what.contains("60 s"), "{}", slow.what);
    // it crashed before the stop reached it
    let crashed = signal(11);
    assert_eq!(cause(&Facts { exit: Some(&crashed), ..sick }).class, Class::Signal);
    assert_eq!(cause(&Facts { exit: None, ..sick }).class, Class::Liveness);
}

#[test]
fn what_cannot_be_executed_is_told_by_the_system_the_shell_or_the_loader() {
    let message = "cannot start /x/palyrad: Exec format error (os error 8)".to_owned();
    let exit = self::exit(ExitCause::SpawnFailed { message: message.clone(), retryable: false }, "");
    let found = cause(&facts(&exit));
    assert_eq!((found.class, found.what, found.hopeless), (Class::CannotRun, message, true));
    let loader = "palyrad: error while loading shared libraries: libssl.so.3: cannot open shared object file";
    let exit = code(127, loader);
    let found = cause(&Facts { starting: true, ..facts(&exit) });
    assert_eq!((found.class, found.hopeless, found.said.as_deref()), (Class::CannotRun, true, Some(loader)));
    let exit = code(78, "");
    assert!(cause(&Facts { starting: true, ..facts(&exit) }).hopeless);
    assert!(!cause(&facts(&exit)).hopeless, "it was ready with that configuration");
    let busy = ExitCause::SpawnFailed { message: "Text file busy".to_owned(), retryable: true };
    assert!(!cause(&facts(&self::exit(busy, ""))).hopeless);
}

#[test]
fn codes_panics_and_an_unseen_end_have_words() {
    let exit =
        code(101, "thread 'main' panicked at src/main.rs:4:5:\nindex out of bounds\nnote: run with `RUST_BACKTRACE=1`");
    let found = cause(&facts(&exit));
    assert_eq!(
        (found.what.as_str(), found.said.as_deref()),
        ("crashed (exit code 101)", Some("it panicked: index out of bounds"))
    );
    assert_eq!(cause(&facts(&code(7, "x\n\n"))).what, "ended with an error (exit code 7)");
    assert_eq!(cause(&facts(&code(7, "x\n\n"))).said.as_deref(), Some("x"));
    assert!(cause(&facts(&code(0, ""))).what.contains("by itself"));
    assert!(cause(&facts(&code(-1_073_741_819, ""))).what.contains("0xC0000005"));
    let unseen = cause(&Facts { exit: None, ..facts(&code(0, "")) });
    assert_eq!((unseen.class, unseen.hopeless), (Class::Unseen, false));
    let offline = code(1, "Error: host could not be resolved to enforce a guard");
    assert_eq!(cause(&Facts { starting: true, ..facts(&offline) }).class, Class::Network);
    assert_eq!(
        cause(&facts(&offline)).class,
        Class::ExitCode,
        "one that was up and goes down is started again at once"
    );
}
