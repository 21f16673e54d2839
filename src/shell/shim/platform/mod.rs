//! What differs between systems: starting a process so that it can be watched and ended with all it started.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod unix_sys;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{Keeper, close_stdout, detach, is_no_executable};
#[cfg(unix)]
pub use unix_sys::ProcessHandle;
#[cfg(target_os = "macos")]
pub(super) use unix_sys::start_of;
#[cfg(windows)]
pub use windows::request_stop;
#[cfg(windows)]
pub(super) use windows::{Keeper, close_stdout, detach, is_no_executable};
