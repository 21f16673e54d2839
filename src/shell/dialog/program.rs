//! Runs a dialog program: arguments and standard input in, exit code and standard output out.
//!
//! The program dies with the thread that started it, so no window outlives us; it is always waited for, so no zombie stays.
//! Its output is bounded: a program that prints more than any answer can be is cut off.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use super::Over;

use crate::protocol::Secret;
use crate::words;

/// Longest answer, bytes: a line that somebody typed, a path.
const MAX_OUTPUT_BYTES: usize = 256 * 1024;
/// What is kept of a program's complaints, bytes.
const MAX_WORDS_BYTES: usize = 2 * 1024;
/// Something that the program started may keep its output open; what it printed itself is there by then.
const LINGER: Duration = Duration::from_millis(300);

/// A dialog program, and what it is to be told by its environment.
#[derive(Clone, Debug)]
pub struct Program {
    /// For people.
    pub name: &'static str,
    /// Absolute.
    pub path: PathBuf,
    /// Added to its environment.
    pub variables: Vec<(&'static str, &'static str)>,
    /// With this it goes.
    pub over: Option<Over>,
}

/// How a program ended.
pub struct Ended {
    /// Exit code; absent when a signal ended it.
    pub code: Option<i32>,
    /// What it printed, without the line end. Absent: not text, or too much of it.
    pub output: Option<Secret>,
    /// In words, for a failure.
    how: String,
}

impl Ended {
    /// What it printed, if that is text and not too much.
    pub fn printed(&self) -> Option<&str> {
        self.output.as_ref().map(Secret::expose)
    }
}

impl Program {
    /// Shows one dialog until it ends.
    ///
    /// # Errors
    /// It could not be started, in one sentence.
    pub fn run(&self, args: &[OsString], input: Vec<u8>) -> Result<Ended, String> {
        if self.over.as_ref().and_then(Over::why).is_some() {
            return Err(words::desktop::IT_IS_OVER.to_owned());
        }
        let mut child = self.spawn(args, Stdio::piped)?;
        if let Some(over) = &self.over {
            over.hold(child.id());
        }
        if let Some(mut stdin) = child.stdin.take() {
            // In a thread of its own: a program may print before it has read everything. It ends with the program.
            // A program that does not read has ended, and its exit code says how.
            let writer = move || drop(stdin.write_all(&input));
            if let Err(error) = thread::Builder::new().name("dialog-input".to_owned()).spawn(writer) {
                self.let_go();
                end(&mut child);
                return Err(self.not_started(&error));
            }
        }
        let output = answer(child.stdout.take());
        let words = complaints(child.stderr.take());
        // Its number stays its own until it is waited for.
        if self.over.is_some()
            && let Ok(id) = i32::try_from(child.id())
        {
            let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
            while waitid(Id::Pid(Pid::from_raw(id)), ended) == Err(Errno::EINTR) {}
            self.let_go();
        }
        let status = child.wait().map_err(|error| words::desktop::dialog_program_was_lost(self.name, &error))?;
        let output = output.take();
        let words = words.take().unwrap_or_default();
        Ok(Ended {
            code: status.code(),
            output: output.and_then(text),
            how: format!("{}{}", end_of(status), last_line(&words)),
        })
    }

    fn let_go(&self) {
        if let Some(over) = &self.over {
            over.let_go();
        }
    }

    /// Starts it.
    ///
    /// # Errors
    /// It could not be started, in one sentence.
    pub fn spawn(&self, args: &[OsString], output: fn() -> Stdio) -> Result<Child, String> {
        let mut command = Command::new(&self.path);
        command.args(args).envs(self.variables.iter().copied()).stdin(Stdio::piped()).stdout(output()).stderr(output());
        die_with_us(&mut command);
        command.spawn().map_err(|error| self.not_started(&error))
    }

    fn not_started(&self, error: &io::Error) -> String {
        words::desktop::dialog_program_could_not_be_started(self.path.display(), error)
    }

    /// The sentence for an end that answers nothing.
    pub fn strange(&self, ended: &Ended) -> String {
        let what = match ended.output {
            None => words::desktop::ANSWERED_WITH_SOMETHING_THAT_IS_NO.to_owned(),
            Some(_) => words::desktop::ended_without_answer(&ended.how),
        };
        words::desktop::dialog_program_try_again(self.name, &what)
    }
}

/// Ends a program and waits for it.
pub fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[expect(unsafe_code, reason = "the step between fork and exec has no safe form")]
fn die_with_us(command: &mut Command) {
    let us = nix::unistd::getpid();
    // SAFETY: only async-signal-safe system calls between fork and exec: prctl, getppid.
    unsafe {
        command.pre_exec(move || {
            nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
            // We may have ended before that call.
            if nix::unistd::getppid() == us { Ok(()) } else { Err(io::Error::other(words::desktop::PARENT_HAS_ENDED)) }
        });
    }
}

/// What is read from a program, by a thread of its own.
struct Heard {
    bytes: Arc<Mutex<Vec<u8>>>,
    end: mpsc::Receiver<()>,
}

impl Heard {
    /// `keep` adds what was read; when it says no, reading ends and the pipe is closed, which ends most programs.
    fn listen(
        source: Option<impl Read + Send + 'static>,
        mut keep: impl FnMut(&mut Vec<u8>, &[u8]) -> bool + Send + 'static,
    ) -> Self {
        // What somebody types is not left behind in smaller buffers that this one grew out of.
        let bytes = Arc::new(Mutex::new(Vec::with_capacity(4096)));
        let (tell, end) = mpsc::channel();
        let kept = Arc::clone(&bytes);
        let read = move || {
            let mut chunk = [0; 2048];
            if let Some(mut source) = source {
                // What a broken pipe has given so far is all there is.
                while let Ok(length @ 1..) = source.read(&mut chunk) {
                    if !keep(&mut kept.lock().unwrap_or_else(PoisonError::into_inner), &chunk[..length]) {
                        break;
                    }
                }
            }
            // Nobody listens when the program lingers.
            let _ = tell.send(());
        };
        drop(thread::Builder::new().name("dialog-output".to_owned()).spawn(read));
        Self { bytes, end }
    }

    /// Nothing: there was no thread to listen.
    fn take(self) -> Option<Vec<u8>> {
        match self.end.recv_timeout(LINGER) {
            Err(RecvTimeoutError::Disconnected) => None,
            Ok(()) | Err(RecvTimeoutError::Timeout) => {
                Some(std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner)))
            }
        }
    }
}

/// Everything that it prints, and one byte more than may be.
fn answer(source: Option<ChildStdout>) -> Heard {
    Heard::listen(source, |kept, chunk| {
        let room = (MAX_OUTPUT_BYTES + 1).saturating_sub(kept.len());
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        kept.len() <= MAX_OUTPUT_BYTES
    })
}

/// The newest of what it complains about. All of it is read: a toolkit may have a lot to say while the dialog is open.
fn complaints(source: Option<ChildStderr>) -> Heard {
    Heard::listen(source, |kept, chunk| {
        kept.extend_from_slice(chunk);
        let surplus = kept.len().saturating_sub(MAX_WORDS_BYTES);
        kept.drain(..surplus);
        true
    })
}

/// It may be what a person typed in confidence.
fn text(bytes: Vec<u8>) -> Option<Secret> {
    let is_whole = bytes.len() <= MAX_OUTPUT_BYTES;
    let mut text = String::from_utf8(bytes).ok().filter(|text| is_whole && !text.contains('\0'))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Some(Secret::new(text))
}

fn end_of(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => words::common::exit_code(code),
        (None, Some(signal)) => words::desktop::killed_by_signal(signal),
        (None, None) => words::desktop::UNKNOWN_END.to_owned(),
    }
}

/// Of what it said on standard error: the reason, where there is one.
fn last_line(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(words);
    let Some(line) = words.lines().rev().find(|line| !line.trim().is_empty()) else { return String::new() };
    let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
    format!(": {}", line.trim())
}
