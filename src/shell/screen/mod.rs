//! Whether the screen is locked, so that whoever stands before it may be anybody.
//!
//! Linux tells of each change ([`watch`]); macOS and Windows are asked when something is to be decided (`is_locked`), since
//! they tell only programs with a window of their own. What cannot be told there counts as locked: nothing can be clicked
//! where nobody sits.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::watch;
#[cfg(target_os = "macos")]
pub use macos::is_locked;
#[cfg(windows)]
pub use windows::is_locked;
