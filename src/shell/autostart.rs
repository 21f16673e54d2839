//! Start on login: looks what there is, does what the core says, looks again.
//!
//! A systemd user service or a desktop's autostart entry on Linux (`core::autostart` says when which), a launch agent on macOS,
//! a Run key on Windows. All of it concerns the next login: nothing is started or stopped now. Calls may block for as long
//! as the user manager takes, so they are made in a thread or a short-lived process. A running agent that shall show what
//! another process changed is told by `Request::AutostartChanged`.

#[cfg_attr(windows, path = "autostart/windows.rs")]
#[cfg_attr(target_os = "macos", path = "autostart/macos.rs")]
#[cfg_attr(not(any(windows, target_os = "macos")), path = "autostart/linux.rs")]
mod platform;

pub use crate::core::autostart::State;

use crate::config::Environment;
use crate::core::autostart::Launch;
use crate::words;

/// Whether it starts at login.
///
/// # Errors
/// In words, when that cannot be told.
pub fn state(env: &Environment) -> Result<State, String> {
    platform::state(env)
}

/// Switches it on or off and says what was done. Not for a demo: its state root goes away with it.
///
/// # Errors
/// In words: why not, and what to do. Then nothing was changed, or what was is said.
pub fn set(env: &Environment, on: bool) -> Result<String, String> {
    if !on {
        return platform::switch_off(env);
    }
    // after an upgrade under our feet the path of this process is no longer that of a program
    if !env.executable.is_file() {
        return Err(words::login::is_not_there_any_more(env.executable.display()));
    }
    platform::switch_on(env, &Launch::new(&env.executable, &env.carried())?)
}
