//! Windows: shim and sidecar share a hidden console, a Job object takes the tree.
//!
//! Ctrl-C can only be sent to everybody on a console, so the agent starts the shim with one of its own that has no
//! window; the shim itself does not listen to it. There is no SIGTERM: after the first wait the tree is ended by force.
//! The outputs, the sidecar's end and the stop request each have a thread that sleeps in the system.

use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::windows::io::{AsRawHandle, HandleOrNull, OwnedHandle};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use windows_sys::Win32::Foundation::{ERROR_BAD_EXE_FORMAT, ERROR_DIRECTORY, TRUE};
use windows_sys::Win32::System::Console::{CTRL_C_EVENT, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation, SetInformationJobObject,
    TerminateJobObject,
};
use windows_sys::Win32::System::Threading::{
    CreateEventW, EVENT_MODIFY_STATE, GetCurrentProcess, INFINITE, OpenEventW, SetEvent, WaitForSingleObject,
};
use windows_sys::core::BOOL;

use crate::protocol::shim::{ExitCause, RUN_ID_VARIABLE, RunId, Spec};
use crate::words;

use super::super::ladder::{Due, Ladder, Rung};
use super::super::pump::{Journal, Stream};
use super::super::{End, lease_left_ms, now_unix_ms};

const BUFFER: usize = 64 * 1024;
/// Once the tree is gone, reading ends after this much silence or this many blocks: a stranger may hold a pipe.
const DRAIN: Duration = Duration::from_millis(500);
const DRAIN_BLOCKS: usize = 64;
/// A refused connection is only reported after the system has tried for two seconds; silence for this long on loopback
/// counts as refused.
const PROBE_TIMEOUT: Duration = Duration::from_millis(50);
/// The exit code of what is ended by force.
const ENDED_BY_FORCE: u32 = 1;

/// The console is the shim's own already.
pub fn detach() {}

/// The one line is flushed, and the handle goes with the process: the agent reads one line, not to the end.
pub fn close_stdout() {}

/// Whether the system found nothing to execute in a file.
pub fn is_no_executable(error: &io::Error) -> bool {
    [ERROR_BAD_EXE_FORMAT, ERROR_DIRECTORY].map(u32::cast_signed).iter().any(|code| error.raw_os_error() == Some(*code))
}

/// Asks the shim of a run to stop its sidecar. `NotFound` when there is none.
#[expect(unsafe_code, reason = "named events have no safe form")]
pub fn request_stop(run_id: &RunId) -> io::Result<()> {
    let name = event_name(run_id);
    // SAFETY: the name ends with zero and outlives the call; the handle is checked before it is owned.
    unsafe {
        let event = owned(OpenEventW(EVENT_MODIFY_STATE, 0, name.as_ptr()))?;
        succeeded(SetEvent(event.as_raw_handle()))
    }
}

/// Ready to start a sidecar and to hear of its end.
pub struct Keeper {
    /// Ends the tree when this process ends, however it does: the shim is in it, and with it all that it starts.
    all: OwnedHandle,
    /// The sidecar's tree alone.
    tree: OwnedHandle,
    stop: OwnedHandle,
}

impl Keeper {
    /// Must come before the sidecar, so that nothing escapes.
    #[expect(unsafe_code, reason = "Job objects, events and console handlers have no safe form")]
    pub fn prepare(spec: &Spec) -> io::Result<Self> {
        let name = event_name(&spec.run_id);
        // SAFETY: pointers are to living values of the right size; handles are checked before they are owned.
        unsafe {
            // Whoever started us may have switched Ctrl-C off, which is inherited; our own handler is not.
            SetConsoleCtrlHandler(None, 0);
            SetConsoleCtrlHandler(Some(deaf), TRUE);
            let stop = owned(CreateEventW(std::ptr::null(), TRUE, 0, name.as_ptr()))?;
            let all = kill_on_close_job()?;
            succeeded(AssignProcessToJobObject(all.as_raw_handle(), GetCurrentProcess()))?;
            Ok(Self { all, tree: kill_on_close_job()?, stop })
        }
    }

    /// Starts the sidecar on the shim's console.
    #[expect(unsafe_code, reason = "Job objects have no safe form")]
    pub fn spawn(self, spec: &Spec) -> io::Result<Sidecar> {
        let mut command = Command::new(&spec.program);
        command.args(&spec.args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for (name, value) in &spec.env {
            match value {
                Some(value) => command.env(name, value.expose()),
                None => command.env_remove(name),
            };
        }
        let child = command.env(RUN_ID_VARIABLE, &spec.run_id.0).spawn()?;
        // SAFETY: both handles are open.
        if let Err(error) =
            succeeded(unsafe { AssignProcessToJobObject(self.tree.as_raw_handle(), child.as_raw_handle()) })
        {
            let mut child = child;
            let _ = child.kill();
            return Err(error);
        }
        Ok(Sidecar { child, keeper: self })
    }
}

/// A started sidecar.
pub struct Sidecar {
    child: Child,
    keeper: Keeper,
}

enum Event {
    Bytes(Stream, Vec<u8>),
    Closed(Stream),
    Exited(ExitCause),
    Stop,
}

impl Sidecar {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once.
    pub fn kill(&self) {
        end_by_force(&self.keeper.tree);
    }

    /// Moves output to the journal and sees the sidecar to its end, and to that of all it started.
    pub fn watch(mut self, spec: &Spec, journal: &mut Journal) -> End {
        let (sender, events) = sync_channel(4);
        if let Some(out) = self.child.stdout.take() {
            forward(out, Stream::Out, sender.clone());
        }
        if let Some(err) = self.child.stderr.take() {
            forward(err, Stream::Err, sender.clone());
        }
        let Keeper { all, tree, stop } = self.keeper;
        wait_for_stop(stop, sender.clone());
        wait_for_exit(self.child, sender);
        let mut watch = Watch {
            ladder: Ladder::new(spec.ladder),
            started: SystemTime::now(),
            clock: Instant::now(),
            open: 2,
            spec,
            journal,
            tree,
        };
        let cause = watch.run(&events);
        let end = End { cause, asked: watch.ladder.asked() };
        end_by_force(&watch.tree);
        watch.drain(&events);
        #[expect(
            clippy::disallowed_methods,
            reason = "closing it would end this process before the end is recorded; the system closes it with the process"
        )]
        std::mem::forget(all);
        end
    }
}

struct Watch<'a> {
    ladder: Ladder,
    started: SystemTime,
    clock: Instant,
    /// Outputs that have not ended.
    open: u32,
    spec: &'a Spec,
    journal: &'a mut Journal,
    tree: OwnedHandle,
}

impl Watch<'_> {
    fn run(&mut self, events: &Receiver<Event>) -> ExitCause {
        loop {
            let event = match events.try_recv() {
                Ok(event) => Some(event),
                Err(_) => {
                    self.journal.flush();
                    match self.climb() {
                        Some(wait) => events.recv_timeout(Duration::from_millis(wait)).ok(),
                        None => events.recv().ok(),
                    }
                }
            };
            match event {
                Some(Event::Exited(cause)) => return cause,
                Some(Event::Stop) => self.ask(words::services::shim::ASKED_TO_STOP),
                Some(event) => {
                    self.take(event);
                    self.climb();
                }
                None => {}
            }
        }
    }

    /// Does what is due; milliseconds to the next thing.
    fn climb(&mut self) -> Option<u64> {
        let now = self.now();
        let mut lease_left = None;
        if let Some(lease_ms) = self.spec.lease_ms.filter(|_| !self.ladder.asked()) {
            match lease_left_ms(&self.spec.run_dir, lease_ms, self.started) {
                0 => self.ask(words::services::shim::LEASE_RAN_OUT),
                left => lease_left = Some(left),
            }
        }
        loop {
            match self.ladder.due(now) {
                Due::Nothing => break,
                Due::Probe(port) => self.ladder.probed(now, refuses(port)),
                Due::Send(rung) => self.send(rung, words::services::shim::IT_STILL_RUNS),
            }
        }
        let deadline = self.ladder.deadline().map(|deadline| deadline.saturating_sub(now));
        deadline.into_iter().chain(lease_left).min()
    }

    fn ask(&mut self, why: &str) {
        let now = self.now();
        if let Due::Send(rung) = self.ladder.ask(now) {
            self.send(rung, why);
        }
    }

    fn send(&mut self, rung: Rung, why: &str) {
        let what = if rung == Rung::Interrupt { "Ctrl-C" } else { words::services::shim::ENDED_BY_FORCE };
        self.journal.note(&format!("{why}: {what}"), now_unix_ms());
        match rung {
            Rung::Interrupt => interrupt(),
            Rung::Terminate | Rung::Kill => end_by_force(&self.tree),
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Bytes(stream, bytes) => self.journal.take(stream, &bytes, now_unix_ms()),
            Event::Closed(stream) => {
                self.open = self.open.saturating_sub(1);
                self.journal.end(stream, now_unix_ms());
            }
            Event::Exited(_) | Event::Stop => {}
        }
    }

    fn drain(&mut self, events: &Receiver<Event>) {
        for _ in 0..DRAIN_BLOCKS {
            if self.open == 0 {
                break;
            }
            match events.recv_timeout(DRAIN) {
                Ok(event) => self.take(event),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        for stream in [Stream::Out, Stream::Err] {
            self.journal.end(stream, now_unix_ms());
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn forward(mut pipe: impl Read + Send + 'static, stream: Stream, events: SyncSender<Event>) {
    thread::spawn(move || {
        let mut buffer = vec![0; BUFFER];
        loop {
            match pipe.read(&mut buffer) {
                Ok(len) if len > 0 => {
                    if events.send(Event::Bytes(stream, buffer[..len].to_vec())).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        let _ = events.send(Event::Closed(stream));
    });
}

fn wait_for_exit(mut child: Child, events: SyncSender<Event>) {
    thread::spawn(move || {
        let code = child.wait().ok().and_then(|status| status.code()).unwrap_or(-1);
        let _ = events.send(Event::Exited(ExitCause::Code { code }));
    });
}

#[expect(unsafe_code, reason = "waiting for an event has no safe form")]
fn wait_for_stop(stop: OwnedHandle, events: SyncSender<Event>) {
    thread::spawn(move || {
        // SAFETY: the handle is open for as long as this thread owns it.
        unsafe { WaitForSingleObject(stop.as_raw_handle(), INFINITE) };
        let _ = events.send(Event::Stop);
    });
}

#[expect(unsafe_code, reason = "console events have no safe form")]
fn interrupt() {
    // SAFETY: takes numbers only; group 0 is everybody on this console.
    unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) };
}

#[expect(unsafe_code, reason = "Job objects have no safe form")]
fn end_by_force(tree: &OwnedHandle) {
    // SAFETY: the handle is open.
    unsafe { TerminateJobObject(tree.as_raw_handle(), ENDED_BY_FORCE) };
}

#[expect(unsafe_code, reason = "the system calls it, with this signature")]
unsafe extern "system" fn deaf(_event: u32) -> BOOL {
    TRUE
}

#[expect(unsafe_code, reason = "Job objects have no safe form")]
fn kill_on_close_job() -> io::Result<OwnedHandle> {
    // SAFETY: the structure is plain numbers, for which zero is a value, and its own size is given.
    unsafe {
        let job = owned(CreateJobObjectW(std::ptr::null(), std::ptr::null()))?;
        let mut limits: JOBOBJECT_EXTENDED_LIMIT_INFORMATION = std::mem::zeroed();
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        succeeded(SetInformationJobObject(
            job.as_raw_handle(),
            JobObjectExtendedLimitInformation,
            (&raw const limits).cast(),
            size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() as u32,
        ))?;
        Ok(job)
    }
}

#[expect(unsafe_code, reason = "taking a handle over is the caller's promise")]
unsafe fn owned(handle: windows_sys::Win32::Foundation::HANDLE) -> io::Result<OwnedHandle> {
    // SAFETY: the caller has just got the handle from a call that gives it away, null on failure.
    OwnedHandle::try_from(unsafe { HandleOrNull::from_raw_handle(handle) }).map_err(|_| io::Error::last_os_error())
}

fn succeeded(result: BOOL) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn event_name(run_id: &RunId) -> Vec<u16> {
    format!("Local\\palyra-tray-stop-{run_id}\0").encode_utf16().collect()
}

fn refuses(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, PROBE_TIMEOUT)
        .is_err_and(|error| matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::TimedOut))
}
