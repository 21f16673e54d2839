//! The terminal itself: lines in, text out, a line that is not shown.
//!
//! Read byte by byte, never ahead: what is typed for the next question is left for it. While a hidden line is typed,
//! Ctrl-C and the signals that end us are held back until the terminal shows what is typed again.

use std::io::{self, Write};

use super::Over;
use crate::protocol::Secret;

/// Width where the terminal does not tell.
const COLUMNS: usize = 80;

/// What [`super::terminal`] needs of a terminal.
pub trait Console {
    /// Shows text at once. A terminal that has gone is noticed when it is read.
    fn write(&mut self, text: &str);
    /// The next line; nothing at the end of input.
    ///
    /// # Errors
    /// It cannot be read.
    fn line(&mut self) -> io::Result<Option<String>>;
    /// The same, not shown while it is typed.
    ///
    /// # Errors
    /// It cannot be read, or cannot be hidden.
    fn hidden(&mut self) -> io::Result<Option<Secret>>;
    /// A line that is there already; never waits.
    fn typed(&mut self) -> Option<String>;
    /// Columns.
    fn width(&self) -> usize;
    /// [`Console::line`] ends with nothing when this is over, and what was typed half-way is forgotten.
    fn until(&mut self, over: Option<Over>);
}

/// Standard input and output.
#[derive(Clone, Default)]
pub struct Tty {
    over: Option<Over>,
}

impl Console for Tty {
    fn write(&mut self, text: &str) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn line(&mut self) -> io::Result<Option<String>> {
        Ok(system::read(self.over.as_ref())?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn hidden(&mut self) -> io::Result<Option<Secret>> {
        system::hidden()
    }

    fn typed(&mut self) -> Option<String> {
        if system::is_ready() { self.line().ok().flatten() } else { None }
    }

    fn width(&self) -> usize {
        let columns = size().map(|(columns, _)| columns);
        columns.filter(|columns| *columns >= 20).unwrap_or(COLUMNS)
    }

    fn until(&mut self, over: Option<Over>) {
        self.over = over;
    }
}

/// Columns and rows of the terminal that standard output is, where that can be told.
pub fn size() -> Option<(usize, usize)> {
    system::size()
}

#[cfg(unix)]
mod system {
    use std::io::{self, IsTerminal};
    use std::os::fd::AsFd;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise};
    use rustix::termios::{
        LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcgetwinsize,
        tcsetattr,
    };

    use super::{Over, Secret};
    use crate::words;

    /// Longest line, bytes; a terminal gives no longer one.
    const MAX_LINE_BYTES: usize = 64 * 1024;
    /// Ctrl-C as a terminal gives it when it makes no signal of it.
    const INTERRUPT: u8 = 3;

    pub fn size() -> Option<(usize, usize)> {
        let size = tcgetwinsize(io::stdout()).ok()?;
        Some((usize::from(size.ws_col), usize::from(size.ws_row))).filter(|(columns, rows)| *columns > 0 && *rows > 0)
    }

    pub fn is_ready() -> bool {
        let stdin = io::stdin();
        let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    pub fn read(over: Option<&Over>) -> io::Result<Option<Vec<u8>>> {
        let stdin = io::stdin();
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < MAX_LINE_BYTES {
            if over.is_some_and(|over| wait_for_either(&stdin, over)) {
                let _ = tcflush(&stdin, QueueSelector::IFlush);
                return Ok(None);
            }
            match nix::unistd::read(stdin.as_fd(), &mut byte) {
                Ok(0) if line.is_empty() => return Ok(None),
                Ok(0) => break,
                Ok(_) if byte[0] == b'\n' => break,
                Ok(_) => line.push(byte[0]),
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(line))
    }

    /// Whether it is over; else something is typed.
    fn wait_for_either(stdin: &io::Stdin, over: &Over) -> bool {
        loop {
            let mut fds =
                [PollFd::new(over.wait_on(), PollFlags::POLLIN), PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, PollTimeout::NONE) {
                Ok(_) => return fds[0].any().unwrap_or(false),
                Err(nix::errno::Errno::EINTR) => {}
                // Reading says what is wrong.
                Err(_) => return false,
            }
        }
    }

    pub fn hidden() -> io::Result<Option<Secret>> {
        if !io::stdin().is_terminal() {
            return Ok(read(None)?.map(secret));
        }
        let hiding = Hiding::start()?;
        let end = hiding.read();
        drop(hiding);
        match end? {
            End::Line(line) => Ok(Some(line)),
            End::OfInput => Ok(None),
            End::Interrupted => {
                // As if it had never been held back.
                raise(Signal::SIGINT)?;
                Ok(None)
            }
        }
    }

    fn secret(line: Vec<u8>) -> Secret {
        Secret::new(
            String::from_utf8(line).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    }

    enum End {
        Line(Secret),
        OfInput,
        Interrupted,
    }

    /// While it lives, the terminal does not show what is typed, and no signal ends this thread's process half-way.
    struct Hiding {
        before: Termios,
        signals: SigSet,
        #[cfg(target_os = "linux")]
        arrived: nix::sys::signalfd::SignalFd,
    }

    impl Hiding {
        fn start() -> io::Result<Self> {
            let before = tcgetattr(io::stdin())?;
            let mut held = SigSet::empty();
            for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGTSTP] {
                held.add(signal);
            }
            #[cfg(target_os = "linux")]
            let arrived = nix::sys::signalfd::SignalFd::with_flags(&held, nix::sys::signalfd::SfdFlags::SFD_CLOEXEC)?;
            let signals = held.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
            let hiding = Self {
                before,
                signals,
                #[cfg(target_os = "linux")]
                arrived,
            };
            let mut after = hiding.before.clone();
            // Ctrl-C becomes the end of a line: a signal may reach another thread, and that one ends us at once.
            after.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
            after.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON);
            after.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
            tcsetattr(io::stdin(), OptionalActions::Drain, &after)?;
            Ok(hiding)
        }

        fn read(&self) -> io::Result<End> {
            let stdin = io::stdin();
            let mut line = Vec::with_capacity(4096);
            let mut byte = [0];
            loop {
                let mut fds = vec![PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
                #[cfg(target_os = "linux")]
                fds.push(PollFd::new(self.arrived.as_fd(), PollFlags::POLLIN));
                poll(&mut fds, PollTimeout::NONE)?;
                if fds.get(1).is_some_and(|fd| fd.any().unwrap_or(false)) {
                    // It does its work as soon as it is no longer held back.
                    return Ok(End::OfInput);
                }
                match nix::unistd::read(stdin.as_fd(), &mut byte)? {
                    0 if line.is_empty() => return Ok(End::OfInput),
                    0 => return Ok(End::Line(secret(line))),
                    _ if byte[0] == INTERRUPT => return Ok(End::Interrupted),
                    _ if byte[0] == b'\n' => return Ok(End::Line(secret(line))),
                    _ if line.len() < MAX_LINE_BYTES => line.push(byte[0]),
                    _ => return Err(io::Error::other(words::desktop::LINE_IS_TOO_LONG)),
                }
            }
        }
    }

    impl Drop for Hiding {
        fn drop(&mut self) {
            // A terminal that has gone needs no repair.
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
            let _ = self.signals.thread_set_mask();
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;

    use super::{Over, Secret};

    pub const fn size() -> Option<(usize, usize)> {
        None
    }

    /// A console tells of keys, not of whole lines: there, Ctrl-C cancels.
    pub const fn is_ready() -> bool {
        false
    }

    pub fn read(_over: Option<&Over>) -> io::Result<Option<Vec<u8>>> {
        let mut line = String::new();
        if io::stdin().read_line(&mut line)? == 0 {
            return Ok(None);
        }
        Ok(Some(line.trim_end_matches(['\r', '\n']).as_bytes().to_vec()))
    }

    pub fn hidden() -> io::Result<Option<Secret>> {
        match rpassword::read_password() {
            Ok(line) => Ok(Some(Secret::new(line))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}
