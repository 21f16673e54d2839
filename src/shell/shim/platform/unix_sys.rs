//! The system calls that have no safe wrapper: signal handlers, the step between fork and exec, process descriptors.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use secrecy::zeroize::Zeroizing;

use crate::protocol::shim::{RUN_ID_VARIABLE, Spec};
use crate::words;

/// The signals that a shim hears.
const HEARD: [Signal; 4] = [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];

static ARRIVED: AtomicU32 = AtomicU32::new(0);
static WAKE: AtomicI32 = AtomicI32::new(-1);

/// Signals as something that can be polled.
pub struct Signals {
    wake: OwnedFd,
}

/// What has arrived since the last look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrived {
    /// A process has ended.
    pub child: bool,
    /// SIGTERM, SIGINT or SIGHUP.
    pub stop: bool,
}

impl Signals {
    /// From here on the heard signals no longer end this process. Only once in a process.
    pub fn catch() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let (wake, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
        set_nonblocking(&wake)?;
        set_nonblocking(&writer)?;
        // The handler needs it for the rest of the process's life.
        WAKE.store(std::os::fd::IntoRawFd::into_raw_fd(writer), Ordering::SeqCst);
        let action = SigAction::new(SigHandler::Handler(on_signal), SaFlags::SA_RESTART, SigSet::empty());
        for signal in HEARD {
            install(signal, &action)?;
        }
        // Whoever started us may have blocked them.
        SigSet::empty().thread_set_mask()?;
        Ok(Self { wake })
    }

    /// Readable when something has arrived.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Takes what has arrived.
    pub fn take(&self) -> Arrived {
        let mut bytes = [0; 64];
        while nix::unistd::read(&self.wake, &mut bytes).is_ok_and(|len| len > 0) {}
        let arrived = ARRIVED.swap(0, Ordering::SeqCst);
        let has = |signal: Signal| arrived & (1 << signal as u32) != 0;
        Arrived { child: has(Signal::SIGCHLD), stop: HEARD[1..].iter().any(|signal| has(*signal)) }
    }
}

#[expect(unsafe_code, reason = "a signal handler and its registration have no safe form")]
fn install(signal: Signal, action: &SigAction) -> io::Result<()> {
    // SAFETY: the handler only touches atomics, errno (which it restores) and write(2), all async-signal-safe.
    unsafe { sigaction(signal, action) }?;
    Ok(())
}

#[expect(unsafe_code, reason = "write(2) on a raw descriptor: nothing else is allowed in a signal handler")]
extern "C" fn on_signal(signal: libc::c_int) {
    let errno = Errno::last_raw();
    ARRIVED.fetch_or(1 << signal, Ordering::SeqCst);
    // SAFETY: the descriptor stays open for the life of the process; a full pipe wakes the reader just as well.
    unsafe { libc::write(WAKE.load(Ordering::SeqCst), [0_u8].as_ptr().cast(), 1) };
    Errno::set_raw(errno);
}

/// Starts the sidecar in a process group of its own, its outputs piped.
///
/// Must be called from the main thread: on Linux the sidecar dies when the *thread* that started it ends.
pub fn spawn(spec: &Spec) -> io::Result<Child> {
    let mut command = Command::new(&spec.program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let image = Image::new(spec)?;
    enter_before_exec(&mut command, image, std::process::id());
    command.spawn()
}

/// Program, arguments and environment, ready for `execve`: the library's own way hands a file that is no executable to
/// a shell, and the failure would look like a sidecar that ended.
struct Image {
    program: CString,
    args: Vec<CString>,
    env: Vec<CString>,
}

impl Image {
    fn new(spec: &Spec) -> io::Result<Self> {
        let program = CString::new(spec.program.as_os_str().as_bytes())?;
        let mut args = vec![program.clone()];
        for arg in &spec.args {
            args.push(CString::new(arg.as_bytes())?);
        }
        let mut env = Vec::new();
        let changed = |name: &[u8]| {
            name == RUN_ID_VARIABLE.as_bytes() || spec.env.keys().any(|changed| changed.as_bytes() == name)
        };
        for (name, value) in std::env::vars_os().filter(|(name, _)| !changed(name.as_bytes())) {
            env.push(variable(name.as_bytes(), value.as_bytes())?);
        }
        for (name, value) in &spec.env {
            if let Some(value) = value {
                env.push(variable(name.as_bytes(), value.expose().as_bytes())?);
            }
        }
        env.push(variable(RUN_ID_VARIABLE.as_bytes(), spec.run_id.0.as_bytes())?);
        Ok(Self { program, args, env })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        for variable in self.env.drain(..) {
            drop(Zeroizing::new(variable.into_bytes()));
        }
    }
}

fn variable(name: &[u8], value: &[u8]) -> io::Result<CString> {
    if name.is_empty() || name.contains(&b'=') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, words::services::shim::VARIABLES_NAME));
    }
    Ok(CString::new([name, b"=", value].concat())?)
}

#[expect(unsafe_code, reason = "code between fork and exec has no safe form")]
fn enter_before_exec(command: &mut Command, image: Image, shim: u32) {
    // SAFETY: the shim has one thread, so the child may do what the parent may, allocation included.
    unsafe {
        command.pre_exec(move || {
            #[cfg(target_os = "linux")]
            nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
            if nix::unistd::getppid().as_raw() as u32 != shim {
                // The shim died before the line above: nobody would ever end this process.
                return Err(io::Error::from(Errno::ESRCH));
            }
            // Whoever started us may have had them ignored or blocked; handlers of ours end with the exec.
            let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
            for signal in
                [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGPIPE, Signal::SIGCHLD]
            {
                sigaction(signal, &default)?;
            }
            SigSet::empty().thread_set_mask()?;
            let Err(error) = nix::unistd::execve(&image.program, &image.args, &image.env);
            Err(error.into())
        });
    }
}

/// Makes reads and writes return instead of waiting.
pub fn set_nonblocking(fd: impl AsFd) -> io::Result<()> {
    let flags = nix::fcntl::fcntl(fd.as_fd(), nix::fcntl::F_GETFL)?;
    let flags = nix::fcntl::OFlag::from_bits_retain(flags) | nix::fcntl::OFlag::O_NONBLOCK;
    nix::fcntl::fcntl(fd.as_fd(), nix::fcntl::F_SETFL(flags))?;
    Ok(())
}

/// A process that cannot be taken for another one with the same number: on Linux a descriptor of it, elsewhere its
/// number, which can be given to another process between a look and a signal.
#[derive(Debug)]
pub struct ProcessHandle {
    pid: u32,
    #[cfg(target_os = "linux")]
    fd: OwnedFd,
}

impl ProcessHandle {
    /// `NotFound` when there is no such process.
    pub fn open(pid: u32) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        return Ok(Self { pid, fd: open_process(pid)? });
        #[cfg(not(target_os = "linux"))]
        match nix::sys::signal::kill(pid_of(pid), None) {
            Ok(()) | Err(Errno::EPERM) => Ok(Self { pid }),
            Err(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// `NotFound` when it has ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        let result = signal_process(&self.fd, signal);
        #[cfg(not(target_os = "linux"))]
        let result = nix::sys::signal::kill(pid_of(self.pid), signal).map_err(io::Error::from);
        result.map_err(|error| match error.raw_os_error() {
            Some(libc::ESRCH) => io::ErrorKind::NotFound.into(),
            _ => error,
        })
    }

    /// Readable once the process has ended.
    #[cfg(target_os = "linux")]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(not(target_os = "linux"))]
fn pid_of(pid: u32) -> nix::unistd::Pid {
    // A number that no process can have, rather than a group of processes.
    nix::unistd::Pid::from_raw(i32::try_from(pid).ok().filter(|pid| *pid > 0).unwrap_or(i32::MAX))
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "pidfd_open has no safe form in the crates used")]
fn open_process(pid: u32) -> io::Result<OwnedFd> {
    use std::os::fd::{FromRawFd, RawFd};
    // SAFETY: the call takes numbers only and returns a descriptor that nobody else owns.
    let fd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, libc::c_long::from(pid), 0) });
    match fd {
        // SAFETY: just opened, owned by nobody else.
        Ok(fd) => Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) }),
        Err(Errno::ESRCH) => Err(io::ErrorKind::NotFound.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "pidfd_send_signal has no safe form in the crates used")]
fn signal_process(fd: &OwnedFd, signal: Signal) -> io::Result<()> {
    // SAFETY: an open descriptor, a signal number, and no siginfo.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            std::os::fd::AsRawFd::as_raw_fd(fd),
            signal as libc::c_int,
            std::ptr::null::<u8>(),
            0,
        )
    };
    Errno::result(result)?;
    Ok(())
}

/// Start of a process in microseconds since 1970.
#[cfg(target_os = "macos")]
#[expect(unsafe_code, reason = "proc_pidinfo has no safe form in the crates used")]
pub fn start_of(pid: u32) -> Option<u64> {
    let size = i32::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: the structure is plain numbers, for which zero is a value, and the call writes at most `size` bytes of it.
    let info = unsafe {
        let mut info: libc::proc_bsdinfo = std::mem::zeroed();
        let len = libc::proc_pidinfo(i32::try_from(pid).ok()?, libc::PROC_PIDTBSDINFO, 0, (&raw mut info).cast(), size);
        (len == size).then_some(info)?
    };
    Some(info.pbi_start_tvsec.saturating_mul(1_000_000).saturating_add(info.pbi_start_tvusec))
}
