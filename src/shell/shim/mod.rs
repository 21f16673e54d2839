//! The shim: a small process that holds one sidecar, so that the sidecar outlives the agent.
//!
//! It reads a [`Spec`] from standard input, takes the lock of the run directory, starts the sidecar, says so in one line
//! and closes its standard output. Then it moves the sidecar's output to the log, waits, stops it when asked, ends what
//! is left of its tree, records the end and lets the lock go. It never decides about a restart.
//!
//! Limits: one thread where the system allows it, the standard library and the platform crate only, no wake-up while
//! the sidecar is silent. A SIGKILL of the shim loses what was in its pipes and the exit code; the sidecar dies with it
//! on Linux and Windows, and what else carries the run id is for the next agent to end.

pub mod ladder;
pub mod log;
mod oom;
mod platform;
pub mod pump;
pub mod record;
pub mod tree;

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use secrecy::zeroize::Zeroizing;
use serde::Deserialize;

use crate::core::redact::{Redactor, is_secret_variable};
use crate::protocol::shim::{EXIT_FILE, ExitCause, ExitRecord, Hello, ProcessRef, RUN_FILE, RunRecord, Spec, VERSION};
use crate::shell::memory;
use crate::words;

use self::pump::Journal;

#[cfg(unix)]
pub use platform::ProcessHandle;
#[cfg(windows)]
pub use platform::request_stop;

/// No spec is longer.
const LONGEST_SPEC: u64 = 1 << 20;
/// Touched by the agent while a lease runs; in the run directory.
pub const LEASE_FILE: &str = "lease";

/// How a watch over a sidecar ended.
struct End {
    cause: ExitCause,
    asked: bool,
}

/// The role of the binary. 0: a sidecar ran and its end is recorded. 1: it could not be started. 2: refused. 3: busy.
pub fn main() -> ExitCode {
    match read_spec().and_then(run) {
        Ok(code) => code,
        Err(message) => {
            say(&Hello::Refused { message });
            ExitCode::from(2)
        }
    }
}

fn run(mut spec: Spec) -> Result<ExitCode, String> {
    platform::detach();
    let dir = &spec.run_dir.clone();
    let claimed =
        record::claim(dir).map_err(|error| words::services::shim::cannot_use_run_folder(dir.display(), &error))?;
    // Held to the very end: its release is what the agent waits for.
    let Some(_lock) = claimed else {
        say(&Hello::Busy);
        return Ok(ExitCode::from(3));
    };
    let mut journal = Journal::new(spec.log.clone(), Redactor::new(secrets(&spec)));
    match record::LossRecord::create(dir) {
        Ok(losses) => journal.tell_losses(losses),
        Err(error) => journal.note(&words::services::shim::loss_told_here_only(&error), now_unix_ms()),
    }
    if let Some(lost) = record::lost(dir) {
        journal.note(&lost_words(&lost), now_unix_ms());
        // On the disk before its record is replaced, for nobody could say it after that.
        journal.flush();
    }
    let keeper = platform::Keeper::prepare(&spec).map_err(words::services::shim::cannot_watch_processes)?;
    // From here on nothing of this run can be left behind that is not found by its id.
    record::write(dir, RUN_FILE, &run_record(&spec, None), false).map_err(|error| not_recorded(dir, &error))?;
    let kills = oom::Kills::now();
    let sidecar = match keeper.spawn(&spec) {
        Ok(sidecar) => sidecar,
        Err(error) => return not_started(&spec, &mut journal, &error),
    };
    // its sidecar has them, and the redactor
    spec.env.clear();
    spec.hide.clear();
    let run = run_record(&spec, Some(sidecar.pid()));
    if let Err(error) = record::write(dir, RUN_FILE, &run, false) {
        // A sidecar that the next agent cannot find must not be left running.
        sidecar.kill();
        return Err(not_recorded(dir, &error));
    }
    let name = file_name(&spec.program);
    journal.note(&words::services::shim::started(&name, run.sidecar.pid, &spec.run_id), now_unix_ms());
    journal.flush();
    say(&Hello::Running(run));
    memory::give_back();
    let end = sidecar.watch(&spec, &mut journal);
    journal.note(
        &words::services::shim::ended(
            &name,
            describe(&end.cause),
            if end.asked { words::services::shim::AS_ASKED } else { "" },
        ),
        now_unix_ms(),
    );
    journal.flush();
    let exit = ExitRecord { oom_kills: kills.map_or(0, |kills| kills.since()), ..exit_record(&spec, end, &journal) };
    if let Err(error) = record::write(dir, EXIT_FILE, &exit, true) {
        journal.note(&words::services::shim::end_could_not_be_recorded(&error), now_unix_ms());
        journal.flush();
    }
    Ok(ExitCode::SUCCESS)
}

fn not_recorded(dir: &Path, error: &io::Error) -> String {
    words::services::shim::cannot_write(dir.join(RUN_FILE).display(), error)
}

fn lost_words(run: &RunRecord) -> String {
    let why = if run.boot_id == tree::boot_id() {
        words::services::shim::WAS_KILLED
    } else {
        words::services::shim::MACHINE_WENT_DOWN
    };
    words::services::shim::run_is_lost(&run.run_id, why)
}

fn not_started(spec: &Spec, journal: &mut Journal, error: &io::Error) -> Result<ExitCode, String> {
    let message = journal.redact(&words::services::shim::cannot_start(spec.program.display(), error)).into_owned();
    let cause = ExitCause::SpawnFailed { message, retryable: is_retryable(error) };
    journal.note(&words::services::shim::not_started(file_name(&spec.program), describe(&cause)), now_unix_ms());
    journal.flush();
    let exit = exit_record(spec, End { cause, asked: false }, journal);
    let recorded = record::write(&spec.run_dir, EXIT_FILE, &exit, true);
    say(&Hello::Failed(exit));
    if let Err(error) = recorded {
        journal.note(&words::services::shim::failure_could_not_be_recorded(&error), now_unix_ms());
        journal.flush();
    }
    Ok(ExitCode::from(1))
}

fn read_spec() -> Result<Spec, String> {
    #[derive(Deserialize)]
    struct OfVersion {
        #[serde(default)]
        version: u64,
    }
    let mut line = Zeroizing::new(String::with_capacity(16 * 1024));
    io::BufReader::new(io::stdin().lock().take(LONGEST_SPEC))
        .read_line(&mut line)
        .map_err(words::services::shim::cannot_read_spec)?;
    // The parser's words may quote the line, and with it a secret: only the place is told.
    let OfVersion { version } =
        serde_json::from_str(&line).map_err(|error| words::services::shim::spec_is_no_json(error.column()))?;
    if version == 0 || version > u64::from(VERSION) {
        return Err(words::services::shim::spec_has_version(version, VERSION));
    }
    let spec: Spec = serde_json::from_str(&line).map_err(|_| words::services::shim::SPEC_LACKS_FIELD.to_owned())?;
    for (what, path) in [("program", &spec.program), ("run_dir", &spec.run_dir), ("log.path", &spec.log.path)] {
        if !path.is_absolute() {
            return Err(words::services::shim::is_not_absolute_path(what));
        }
    }
    Ok(spec)
}

/// Values that must not reach a log: those the spec gives, and those the sidecar inherits under a telling name.
fn secrets(spec: &Spec) -> BTreeSet<String> {
    let given = spec.env.iter().filter_map(|(name, value)| Some((name.clone(), value.as_ref()?.expose().to_owned())));
    let inherited = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let telling =
            ["_TOKEN", "_KEY", "_SECRET", "_PASSWORD"].iter().any(|end| name.to_ascii_uppercase().ends_with(end));
        if telling { Some((name, value.into_string().ok()?)) } else { None }
    });
    let by_name = given.chain(inherited).filter(|(name, _)| is_secret_variable(name)).map(|(_, value)| value);
    by_name.chain(spec.hide.iter().map(|secret| secret.expose().to_owned())).collect()
}

fn run_record(spec: &Spec, sidecar: Option<u32>) -> RunRecord {
    let process = |pid| ProcessRef { pid, start_ticks: tree::start_ticks(pid).unwrap_or_default() };
    RunRecord {
        version: spec.version,
        run_id: spec.run_id.clone(),
        service: spec.service,
        program: spec.program.clone(),
        shim: process(std::process::id()),
        sidecar: sidecar.map_or(ProcessRef { pid: 0, start_ticks: 0 }, process),
        boot_id: tree::boot_id(),
        ports: spec.ports.clone(),
        started_at_unix_ms: now_unix_ms(),
        lease_ms: spec.lease_ms,
    }
}

fn exit_record(spec: &Spec, end: End, journal: &Journal) -> ExitRecord {
    ExitRecord {
        version: spec.version,
        run_id: spec.run_id.clone(),
        ended_at_unix_ms: now_unix_ms(),
        cause: end.cause,
        asked: end.asked,
        last_stderr: journal.last_stderr(),
        dropped_lines: journal.dropped_lines(),
        oom_kills: 0,
    }
}

/// The one line on standard output, then its end. An agent that is gone meanwhile does not matter.
fn say(hello: &Hello) {
    if let Ok(mut line) = serde_json::to_vec(hello) {
        line.push(b'\n');
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(&line);
        let _ = stdout.flush();
    }
    platform::close_stdout();
}

/// False for what another try cannot cure.
fn is_retryable(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ArgumentListTooLong, InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
    };
    let hopeless =
        [NotFound, PermissionDenied, NotADirectory, IsADirectory, InvalidInput, InvalidFilename, ArgumentListTooLong];
    !hopeless.contains(&error.kind()) && !platform::is_no_executable(error)
}

fn describe(cause: &ExitCause) -> String {
    match cause {
        ExitCause::Code { code } => words::common::exit_code(code),
        ExitCause::Signal { signal } => words::common::signal(signal),
        ExitCause::SpawnFailed { message, .. } => message.clone(),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn now_unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Milliseconds until the lease runs out; 0 when it has.
fn lease_left_ms(run_dir: &Path, lease_ms: u64, started: SystemTime) -> u64 {
    let touched =
        std::fs::metadata(run_dir.join(LEASE_FILE)).and_then(|file| file.modified()).unwrap_or(started).max(started);
    // A time in the future is a clock that was set back: the lease then begins now.
    let age =
        SystemTime::now().duration_since(touched).map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
    lease_ms.saturating_sub(age)
}
