//! What an open dialog asks about may come to an end before the person answers. Then the dialog goes, at once.
//!
//! Limits: a terminal on Windows cannot be woken from its wait for a line; what is typed there afterwards is no answer, for
//! whoever asked looks at [`Over::why`] first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::protocol::Standing;

/// Told once, from any thread, and then for ever.
#[derive(Clone, Debug)]
pub struct Over(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    /// Readable once it is over: the other end is closed.
    #[cfg(unix)]
    woken: std::os::unix::net::UnixStream,
}

#[derive(Debug)]
struct State {
    why: Option<Standing>,
    /// The dialog program that is open.
    #[cfg(target_os = "linux")]
    program: Option<nix::unistd::Pid>,
    #[cfg(unix)]
    wake: Option<std::os::unix::net::UnixStream>,
}

impl Over {
    /// Not over.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn new() -> std::io::Result<Self> {
        #[cfg(unix)]
        let (wake, woken) = std::os::unix::net::UnixStream::pair()?;
        let state = State {
            why: None,
            #[cfg(target_os = "linux")]
            program: None,
            #[cfg(unix)]
            wake: Some(wake),
        };
        Ok(Self(Arc::new(Inner {
            state: Mutex::new(state),
            #[cfg(unix)]
            woken,
        })))
    }

    /// It is over, for this reason. Only the first one counts.
    pub fn tell(&self, why: Standing) {
        let mut state = self.state();
        if state.why.is_some() {
            return;
        }
        state.why = Some(why);
        #[cfg(target_os = "linux")]
        if let Some(program) = state.program {
            // It has not been waited for, so the number is still its own.
            let _ = nix::sys::signal::kill(program, nix::sys::signal::Signal::SIGKILL);
        }
        #[cfg(unix)]
        drop(state.wake.take());
    }

    /// Why it is over, if it is.
    pub fn why(&self) -> Option<Standing> {
        self.state().why
    }

    /// This program goes when it is over; until [`Over::let_go`], which comes before it is waited for.
    #[cfg(target_os = "linux")]
    pub(super) fn hold(&self, program: u32) {
        let program = i32::try_from(program).ok().map(nix::unistd::Pid::from_raw);
        let mut state = self.state();
        state.program = program;
        if let (Some(_), Some(program)) = (&state.why, program) {
            let _ = nix::sys::signal::kill(program, nix::sys::signal::Signal::SIGKILL);
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn let_go(&self) {
        self.state().program = None;
    }

    /// Readable once it is over.
    #[cfg(unix)]
    pub(super) fn wait_on(&self) -> std::os::fd::BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.0.woken)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
