//! Unix: one thread that polls the outputs and the signals, and has no time-out while nothing is due.
//!
//! On Linux the shim is the subreaper of the sidecar's tree, so nothing that descends from the sidecar escapes it.
//! Elsewhere only the sidecar's process group is ended; a descendant with a session of its own stays.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpgid};

use crate::protocol::shim::{ExitCause, Spec};
use crate::words;

use super::super::ladder::{Due, Ladder, Rung};
use super::super::pump::{Journal, Stream};
use super::super::{End, lease_left_ms, now_unix_ms, tree};
use super::unix_sys::{Signals, set_nonblocking, spawn};

/// What is read at once.
const BUFFER: usize = 64 * 1024;
/// Wanted room in the pipes, so that a burst does not make the sidecar wait.
const PIPE_ROOM: libc::c_int = 1 << 20;
/// What is left of the tree gets this long after SIGTERM.
const LEFTOVER_GRACE_MS: u64 = 2_000;
/// After SIGKILL the shim waits this long at most: a process can hang in the kernel.
const KILLED_GRACE_MS: u64 = 2_000;
/// Between two rounds where no signal tells of an end.
const ROUND_MS: u64 = 50;
const PROBE_TIMEOUT: Duration = Duration::from_millis(50);

/// A session of our own, so that nothing aimed at the agent's terminal reaches the sidecar.
pub fn detach() {
    // Fails for the leader of a process group, which then has what it needs already.
    let _ = nix::unistd::setsid();
}

/// Whoever reads our one line sees its end.
pub fn close_stdout() {
    if let Ok(null) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
        let _ = nix::unistd::dup2_stdout(null);
    }
}

/// Whether the system found nothing to execute in a file.
pub fn is_no_executable(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOEXEC | libc::ELOOP | libc::ENOTDIR | libc::EISDIR))
}

/// Ready to start a sidecar and to hear of its end.
pub struct Keeper {
    signals: Signals,
}

impl Keeper {
    /// Must come before the sidecar, so that nothing is missed.
    pub fn prepare(_spec: &Spec) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        nix::sys::prctl::set_child_subreaper(true)?;
        Ok(Self { signals: Signals::catch()? })
    }

    /// Starts the sidecar. Only from the main thread.
    pub fn spawn(self, spec: &Spec) -> io::Result<Sidecar> {
        let mut child = spawn(spec)?;
        let sidecar = Sidecar {
            pid: Pid::from_raw(child.id().cast_signed()),
            out: child.stdout.take().map(OwnedFd::from),
            err: child.stderr.take().map(OwnedFd::from),
            signals: self.signals,
        };
        for pipe in sidecar.out.iter().chain(&sidecar.err) {
            if let Err(error) = set_nonblocking(pipe) {
                sidecar.kill();
                return Err(error);
            }
            // A smaller pipe works too.
            #[cfg(target_os = "linux")]
            let _ = nix::fcntl::fcntl(pipe, nix::fcntl::FcntlArg::F_SETPIPE_SZ(PIPE_ROOM));
        }
        Ok(sidecar)
    }
}

/// A started sidecar.
pub struct Sidecar {
    pid: Pid,
    out: Option<OwnedFd>,
    err: Option<OwnedFd>,
    signals: Signals,
}

impl Sidecar {
    /// Its process id, which stays its own until the watch has seen its end.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().cast_unsigned()
    }

    /// Ends it at once and waits for it.
    pub fn kill(&self) {
        self.send(Signal::SIGKILL);
        let _ = waitpid(self.pid, None);
    }

    /// Moves output to the journal and sees the sidecar to its end, and to that of all it started.
    pub fn watch(self, spec: &Spec, journal: &mut Journal) -> End {
        let mut watch = Watch {
            started: SystemTime::now(),
            clock: Instant::now(),
            ladder: Ladder::new(spec.ladder),
            buffer: vec![0; BUFFER],
            stage: Stage::Running,
            children: true,
            sidecar: self,
            spec,
            journal,
        };
        loop {
            let wait = match watch.act() {
                Next::Wait(wait) => wait,
                Next::Ended(end) => return end,
            };
            watch.journal.flush();
            watch.wait(wait);
        }
    }

    fn send(&self, signal: Signal) {
        let _ = killpg(self.pid, signal);
        // One that has left its group is still ours.
        if getpgid(Some(self.pid)).is_ok_and(|group| group != self.pid) {
            let _ = kill(self.pid, signal);
        }
    }
}

enum Next {
    /// Milliseconds until something is due, if anything is.
    Wait(Option<u64>),
    Ended(End),
}

enum Stage {
    Running,
    /// The sidecar has ended; what it left is being ended.
    Leaving {
        end: End,
        kill_at: u64,
        told: bool,
    },
}

struct Watch<'a> {
    sidecar: Sidecar,
    spec: &'a Spec,
    journal: &'a mut Journal,
    ladder: Ladder,
    started: SystemTime,
    clock: Instant,
    buffer: Vec<u8>,
    stage: Stage,
    /// The kernel has children of ours that we have not waited for.
    children: bool,
}

impl Watch<'_> {
    fn now(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Does what is due.
    fn act(&mut self) -> Next {
        let now = self.now();
        match std::mem::replace(&mut self.stage, Stage::Running) {
            Stage::Running => Next::Wait(self.climb(now)),
            Stage::Leaving { end, kill_at, told } => self.end_leftovers(now, end, kill_at, told),
        }
    }

    fn climb(&mut self, now: u64) -> Option<u64> {
        let mut lease_left = None;
        if let Some(lease_ms) = self.spec.lease_ms.filter(|_| !self.ladder.asked()) {
            match lease_left_ms(&self.spec.run_dir, lease_ms, self.started) {
                0 => self.ask(now, words::services::shim::LEASE_RAN_OUT),
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

    fn ask(&mut self, now: u64, why: &str) {
        if let Due::Send(rung) = self.ladder.ask(now) {
            self.send(rung, why);
        }
    }

    fn send(&mut self, rung: Rung, why: &str) {
        let signal = match rung {
            Rung::Interrupt => Signal::SIGINT,
            Rung::Terminate => Signal::SIGTERM,
            Rung::Kill => Signal::SIGKILL,
        };
        self.journal.note(&format!("{why}: {signal}"), now_unix_ms());
        self.sidecar.send(signal);
        if rung != Rung::Kill {
            // One that was halted hears nothing before it goes on.
            self.sidecar.send(Signal::SIGCONT);
        }
    }

    fn end_leftovers(&mut self, now: u64, end: End, kill_at: u64, told: bool) -> Next {
        let over = now >= kill_at + KILLED_GRACE_MS;
        if self.tree_is_gone() || over {
            if over {
                self.journal.note(words::services::shim::PROCESSES_CANNOT_BE_ENDED, now_unix_ms());
            }
            self.drain();
            return Next::Ended(end);
        }
        if !told {
            let count = self.signal_leftovers(Signal::SIGTERM);
            self.journal.note(&words::services::shim::processes_left_behind(count), now_unix_ms());
        }
        let mut wait = kill_at.saturating_sub(now);
        if wait == 0 {
            // Again and again, for they may start others between the look and the signal.
            self.signal_leftovers(Signal::SIGKILL);
            wait = ROUND_MS;
        } else if !cfg!(target_os = "linux") {
            wait = wait.min(ROUND_MS);
        }
        self.stage = Stage::Leaving { end, kill_at, told: true };
        Next::Wait(Some(wait))
    }

    #[cfg(target_os = "linux")]
    fn tree_is_gone(&self) -> bool {
        // Whoever loses its parent becomes a child of the subreaper: without children there is no tree.
        !self.children
    }

    #[cfg(not(target_os = "linux"))]
    fn tree_is_gone(&self) -> bool {
        killpg(self.sidecar.pid, None) == Err(Errno::ESRCH)
    }

    fn signal_leftovers(&self, signal: Signal) -> usize {
        if cfg!(target_os = "linux") {
            let left = tree::descendants(std::process::id());
            for pid in &left {
                let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
            }
            left.len()
        } else {
            usize::from(killpg(self.sidecar.pid, signal).is_ok())
        }
    }

    /// Waits for output, a signal or the time, and takes in what came.
    fn wait(&mut self, wait_ms: Option<u64>) {
        let timeout = wait_ms.map_or(PollTimeout::NONE, |ms| {
            PollTimeout::try_from(i32::try_from(ms).unwrap_or(i32::MAX)).unwrap_or(PollTimeout::MAX)
        });
        let Sidecar { out, err, signals, .. } = &self.sidecar;
        let fds = [Some(signals.as_fd()), out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd)];
        let mut polled: Vec<PollFd<'_>> = fds.iter().flatten().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
        if !matches!(poll(&mut polled, timeout), Ok(1..)) {
            return;
        }
        let mut ready = polled.iter().map(|fd| fd.any() != Some(false));
        let [signalled, out_ready, err_ready] = fds.map(|fd| fd.is_some() && ready.next() == Some(true));
        if out_ready {
            self.read(Stream::Out);
        }
        if err_ready {
            self.read(Stream::Err);
        }
        if signalled {
            let arrived = self.sidecar.signals.take();
            let now = self.now();
            if arrived.child {
                self.reap(now);
            }
            if arrived.stop && matches!(self.stage, Stage::Running) {
                self.ask(now, words::services::shim::ASKED_TO_STOP);
            }
        }
    }

    fn reap(&mut self, now: u64) {
        loop {
            let status = waitpid(None, Some(WaitPidFlag::WNOHANG));
            let (pid, cause) = match status {
                Ok(WaitStatus::Exited(pid, code)) => (pid, ExitCause::Code { code }),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, ExitCause::Signal { signal: signal as i32 }),
                Ok(WaitStatus::StillAlive) => return,
                Err(Errno::EINTR) | Ok(_) => continue,
                Err(_) => {
                    self.children = false;
                    return;
                }
            };
            if pid == self.sidecar.pid {
                let end = End { cause, asked: self.ladder.asked() };
                self.stage = Stage::Leaving { end, kill_at: now + LEFTOVER_GRACE_MS, told: false };
            }
        }
    }

    /// Reads once; how much, or `None` when there is nothing now.
    fn read(&mut self, stream: Stream) -> Option<usize> {
        let pipe = match stream {
            Stream::Out => &mut self.sidecar.out,
            Stream::Err => &mut self.sidecar.err,
        };
        let fd = pipe.as_ref()?;
        match nix::unistd::read(fd, &mut self.buffer) {
            Ok(len) if len > 0 => {
                self.journal.take(stream, &self.buffer[..len], now_unix_ms());
                Some(len)
            }
            Err(Errno::EINTR) => Some(0),
            Err(Errno::EAGAIN) => None,
            _ => {
                *pipe = None;
                self.journal.end(stream, now_unix_ms());
                None
            }
        }
    }

    /// Takes what still stands in the pipes.
    fn drain(&mut self) {
        for stream in [Stream::Out, Stream::Err] {
            // What the tree has written fits into the pipe; a stranger who holds it too may go on for ever.
            let mut room = usize::try_from(PIPE_ROOM).unwrap_or_default();
            while let Some(len) = self.read(stream).filter(|_| room > 0) {
                room = room.saturating_sub(len);
            }
            self.journal.end(stream, now_unix_ms());
        }
    }
}

fn refuses(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, PROBE_TIMEOUT)
        .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
