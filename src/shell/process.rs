//! The agent's side of the shims: start one, take one back, wait for its end on its kernel lock, ask it to stop.
//!
//! One parked thread a run; nothing is polled. Which run a report belongs to is always told, so that a late one cannot be
//! taken for news of the next. What is *not* ours is looked at in [`foreign`].

pub mod foreign;
pub mod good_start;
mod identity_lock;
#[cfg(target_os = "linux")]
mod survivors;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::core::time;
use crate::protocol::shim::{
    EXIT_FILE, ExitRecord, Hello, LOCK_FILE, LOSS_FILE, LogLoss, RUN_FILE, RUN_ID_VARIABLE, RunId, RunRecord, Spec,
};
use crate::words;
use secrecy::zeroize::Zeroizing;

use super::shim::{record, tree};

pub use foreign::{Foreign, Holder, foreign_palyra, port_holder, port_is_taken};
pub use identity_lock::free_identity_lock;

/// Enough for reading two small records.
const STACK: usize = 256 * 1024;
/// No greeting is longer.
const LONGEST_HELLO: u64 = 1 << 20;
/// How long a shim that has its lock may take until its record is there.
const STARTING: Duration = Duration::from_secs(3);
const STARTING_PAUSE: Duration = Duration::from_millis(20);

/// What is known of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessReport {
    /// The shim itself could not be started, or ended without a word.
    SpawnFailed {
        /// Which run.
        run_id: RunId,
        /// What, why, what to do.
        message: String,
    },
    /// What a new shim says. [`Hello::Running`] is followed by one [`ProcessReport::Ended`], the others by nothing.
    Hello {
        /// Which run was wanted.
        run_id: RunId,
        /// Its answer.
        hello: Hello,
    },
    /// A shim of an earlier agent holds a living sidecar; one [`ProcessReport::Ended`] follows.
    Adopted(RunRecord),
    /// The shim is gone and with it the sidecar; without [`ProcessReport::Hello`] before it when the shim was killed first.
    Ended {
        /// Which run.
        run_id: RunId,
        /// How; `None` when nobody recorded it, because the shim was killed.
        exit: Option<ExitRecord>,
    },
    /// No shim holds this run directory.
    NotRunning {
        /// How the last run ended, if one did.
        last_exit: Option<ExitRecord>,
        /// The last run, if its record is readable.
        run: Option<RunRecord>,
    },
    /// No shim holds this run directory, and the last one left no end: it was killed. End what survived with
    /// [`end_survivors`] before anything is started.
    Lost {
        /// The last run.
        run: RunRecord,
        /// That was before the machine was started the last time, so there can be no survivors.
        rebooted: bool,
        /// Processes that carry its id.
        survivors: Vec<u32>,
    },
    /// Somebody holds the run directory and it cannot be told who: nothing may be started beside it.
    Unreadable {
        /// What, why, what to do.
        message: String,
    },
}

/// Starts a shim of this executable with this spec; reports from a thread of its own.
///
/// `shim_program` is the agent's own executable, as [`std::env::current_exe`] gives it.
pub fn launch(shim_program: &Path, spec: Spec, report: impl Fn(ProcessReport) + Send + 'static) {
    let program = shim_program.to_owned();
    let run_id = spec.run_id.clone();
    in_thread(&format!("run-{}", spec.service), move |thread_failed| {
        if let Some(error) = thread_failed {
            let message = words::common::cannot_start_thread(&error);
            report(ProcessReport::SpawnFailed { run_id, message });
            return;
        }
        let (mut child, hello) = match greet(&program, &spec) {
            Ok(greeted) => greeted,
            Err(Unheard::Killed) => {
                let exit = exit_of(&spec.run_dir, &run_id);
                report(ProcessReport::Ended { run_id, exit });
                return;
            }
            Err(Unheard::Failed(error)) => {
                let message = words::services::shim::cannot_be_run(program.display(), &error);
                report(ProcessReport::SpawnFailed { run_id, message });
                return;
            }
        };
        let runs = matches!(hello, Hello::Running(_));
        report(ProcessReport::Hello { run_id: run_id.clone(), hello });
        if runs {
            wait_for_end(&spec.run_dir, &run_id, &report, || reap(&mut child));
        } else {
            reap(&mut child);
        }
    });
}

/// Takes a run directory as an earlier agent left it; reports from a thread of its own: [`ProcessReport::Adopted`],
/// `NotRunning`, `Lost` or `Unreadable`.
pub fn adopt(run_dir: PathBuf, report: impl Fn(ProcessReport) + Send + 'static) {
    in_thread("adopt", move |thread_failed| {
        if let Some(error) = thread_failed {
            let message = words::common::cannot_start_thread(&error);
            report(ProcessReport::Unreadable { message });
            return;
        }
        let found = look(&run_dir);
        let adopted = match &found {
            ProcessReport::Adopted(run) => Some(run.run_id.clone()),
            _ => None,
        };
        report(found);
        if let Some(run_id) = adopted {
            wait_for_end(&run_dir, &run_id, &report, || {});
        }
    });
}

/// The run of this directory if its shim lives. Looks once, waits for nothing, takes no lock.
pub fn living(run_dir: &Path) -> Option<RunRecord> {
    record::read::<RunRecord>(run_dir, RUN_FILE).ok().flatten().filter(|run| is_alive(run) && run.sidecar.pid != 0)
}

/// The ports that a run was started with; none when its record is another's.
pub fn ports_of(run_dir: &Path, run_id: &RunId) -> BTreeMap<String, u16> {
    let run = record::read::<RunRecord>(run_dir, RUN_FILE).ok().flatten();
    run.filter(|run| run.run_id == *run_id).map(|run| run.ports).unwrap_or_default()
}

/// Log lines that the last run of this directory lost, as its shim tells it; `None` where it told nothing.
pub fn log_loss(run_dir: &Path) -> Option<LogLoss> {
    record::read(run_dir, LOSS_FILE).ok().flatten()
}

/// Whether some shim holds this run directory, whatever its record says. Looks once, waits for nothing, takes no lock.
pub fn is_taken(run_dir: &Path) -> bool {
    is_held(run_dir).unwrap_or(false)
}

/// Asks the shim of a run to stop its sidecar; its end is reported by whoever waits for it.
///
/// # Errors
/// `NotFound` when that shim is gone, whoever has its number now.
pub fn stop(run: &RunRecord) -> io::Result<()> {
    #[cfg(unix)]
    {
        let process = super::shim::ProcessHandle::open(run.shim.pid)?;
        // After the descriptor is ours the number cannot change hands: what the look sees is what gets the signal.
        if !is_alive(run) {
            return Err(io::ErrorKind::NotFound.into());
        }
        process.signal(nix::sys::signal::SIGTERM)?;
        // One that was halted hears nothing before it goes on.
        process.signal(nix::sys::signal::SIGCONT)
    }
    #[cfg(windows)]
    super::shim::request_stop(&run.run_id)
}

/// Processes of this user that carry this run id: the shim of a run was killed, and they outlived it. Empty where the
/// system does not tell.
pub fn survivors(run_id: &RunId) -> Vec<u32> {
    #[cfg(target_os = "linux")]
    return survivors::find(run_id).iter().map(|process| process.pid()).collect();
    #[cfg(not(target_os = "linux"))]
    {
        let _ = run_id;
        Vec::new()
    }
}

/// Ends what [`survivors`] finds: SIGTERM, up to 2 s, SIGKILL. Blocks that long; returns whom it ended. When it returns, the
/// run's own sidecar has let go of its ports and files too.
pub fn end_survivors(run_dir: &Path, run_id: &RunId) -> Vec<u32> {
    #[cfg(target_os = "linux")]
    {
        let run = record::read::<RunRecord>(run_dir, RUN_FILE).ok().flatten();
        let run = run.filter(|run| run.run_id == *run_id && run.boot_id == tree::boot_id());
        survivors::end(run_id, run.map(|run| run.sidecar))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (run_dir, run_id);
        Vec::new()
    }
}

/// Runs `work` in a small thread, or here, with the error, when there can be none: a report is never lost.
fn in_thread(name: &str, work: impl FnOnce(Option<io::Error>) + Send + 'static) {
    // The closure is moved into the thread, and lost with it when that fails; so it is handed over afterwards.
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Box<dyn FnOnce(Option<io::Error>) + Send>>(1);
    let spawned = thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(move || {
        if let Ok(work) = receiver.recv() {
            work(None);
        }
    });
    match spawned {
        Ok(_) => {
            let _ = sender.send(Box::new(work));
        }
        Err(error) => work(Some(error)),
    }
}

/// Why there is no word of a new shim.
enum Unheard {
    /// Somebody killed it: it may have started its sidecar already, and nobody saw how that ended.
    Killed,
    /// It could not be started, or ended by itself.
    Failed(io::Error),
}

fn greet(program: &Path, spec: &Spec) -> Result<(Child, Hello), Unheard> {
    let mut command = Command::new(program);
    command.arg("shim").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    // An agent started from a sidecar's shell has this; its shims must not be taken for survivors of that sidecar.
    command.env_remove(RUN_ID_VARIABLE);
    #[cfg(windows)]
    {
        // A console without a window, for shim and sidecar: it takes the Ctrl-C. No new process group: that would
        // switch Ctrl-C off for both.
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        std::os::windows::process::CommandExt::creation_flags(&mut command, CREATE_NO_WINDOW);
    }
    let mut child = command.spawn().map_err(Unheard::Failed)?;
    match exchange(&mut child, spec) {
        Ok(hello) => Ok((child, hello)),
        Err(error) => {
            let silent = matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe);
            let killed = silent && was_killed(&mut child);
            // Without a greeting it must not go on unseen; what it may have started dies with it.
            let _ = child.kill();
            reap(&mut child);
            Err(if killed { Unheard::Killed } else { Unheard::Failed(error) })
        }
    }
}

/// A shim that closed its output has ended, or does within the next moment: by a signal?
#[cfg(unix)]
fn was_killed(child: &mut Child) -> bool {
    use std::os::unix::process::ExitStatusExt;
    let end = Instant::now() + STARTING;
    while Instant::now() < end {
        match child.try_wait() {
            Ok(Some(status)) => return status.signal().is_some(),
            Ok(None) => thread::sleep(STARTING_PAUSE),
            Err(_) => return false,
        }
    }
    false
}

/// The system does not tell an end from outside from one of its own.
#[cfg(not(unix))]
fn was_killed(_child: &mut Child) -> bool {
    false
}

fn exchange(child: &mut Child, spec: &Spec) -> io::Result<Hello> {
    let mut line = Zeroizing::new(Vec::with_capacity(16 * 1024));
    serde_json::to_writer(&mut *line, spec)?;
    line.push(b'\n');
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&line)?;
    }
    let mut answer = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout.take(LONGEST_HELLO)).read_line(&mut answer)?;
    }
    if answer.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, words::common::IT_ENDED_WITHOUT_WORD));
    }
    Ok(serde_json::from_str(&answer)?)
}

/// Sleeps in the kernel until the shim lets its lock go, then tells how the run ended.
fn wait_for_end(run_dir: &Path, run_id: &RunId, report: &impl Fn(ProcessReport), before_report: impl FnOnce()) {
    // Shared, so that two who wait do not wait for each other.
    let waited = File::open(run_dir.join(LOCK_FILE)).and_then(|lock| lock.lock_shared());
    if let Err(error) = waited {
        tracing::warn!(%run_id, %error, "cannot wait on the lock of a run; its process is waited for instead");
    }
    before_report();
    report(ProcessReport::Ended { run_id: run_id.clone(), exit: exit_of(run_dir, run_id) });
}

fn now_unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn exit_of(run_dir: &Path, run_id: &RunId) -> Option<ExitRecord> {
    record::read::<ExitRecord>(run_dir, EXIT_FILE).ok().flatten().filter(|exit| exit.run_id == *run_id)
}

fn reap(child: &mut Child) {
    if let Err(error) = child.wait() {
        tracing::warn!(%error, "cannot wait for a shim");
    }
}

fn look(run_dir: &Path) -> ProcessReport {
    let deadline = Instant::now() + STARTING;
    loop {
        match is_held(run_dir) {
            Ok(false) => return last_of(run_dir),
            Ok(true) => {}
            Err(error) => {
                let message = words::services::shim::cannot_look(run_dir.join(LOCK_FILE).display(), &error);
                return ProcessReport::Unreadable { message };
            }
        }
        let problem = match record::read::<RunRecord>(run_dir, RUN_FILE) {
            Ok(Some(run)) if is_alive(&run) && run.sidecar.pid != 0 => {
                let age = tree::age_ms(run.sidecar.start_ticks);
                let started_at_unix_ms = time::started_at(run.started_at_unix_ms, age, now_unix_ms());
                return ProcessReport::Adopted(RunRecord { started_at_unix_ms, ..run });
            }
            Ok(Some(run)) if is_alive(&run) => words::services::shim::does_not_start(run.shim.pid),
            Ok(Some(run)) => words::services::shim::is_gone(RUN_FILE, run.shim.pid),
            Ok(None) => words::services::shim::there_is_no(RUN_FILE),
            Err(error) => words::services::shim::cannot_be_read(RUN_FILE, &error),
        };
        // A shim that is just starting has the lock first and writes its record a moment later.
        if Instant::now() >= deadline {
            let dir = run_dir.display();
            let message = words::services::shim::something_holds(&dir, &problem);
            return ProcessReport::Unreadable { message };
        }
        thread::sleep(STARTING_PAUSE);
    }
}

fn last_of(run_dir: &Path) -> ProcessReport {
    match record::lost(run_dir) {
        Some(run) => {
            let rebooted = run.boot_id != tree::boot_id();
            let survivors = if rebooted { Vec::new() } else { survivors(&run.run_id) };
            ProcessReport::Lost { run, rebooted, survivors }
        }
        None => ProcessReport::NotRunning {
            last_exit: record::read(run_dir, EXIT_FILE).ok().flatten(),
            run: record::read(run_dir, RUN_FILE).ok().flatten(),
        },
    }
}

/// Whether a shim holds the run directory.
fn is_held(run_dir: &Path) -> io::Result<bool> {
    let lock = match fs::OpenOptions::new().read(true).open(run_dir.join(LOCK_FILE)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether the shim of this record is a living process of this boot.
fn is_alive(run: &RunRecord) -> bool {
    run.boot_id == tree::boot_id() && tree::start_ticks(run.shim.pid) == Some(run.shim.start_ticks)
}
