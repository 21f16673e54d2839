//! The tray icon: shows a [`View`](crate::core::view::View) and reports what a person clicked.
//!
//! The view is the truth. A click changes nothing here: it is looked up in the view that is shown and reported as an
//! [`Action`], and the next view tells what became of it. Only differences are sent to the desktop, at most a few
//! times a second, and nothing runs while nothing changes.
//!
//! On Linux the icon is a StatusNotifierItem on the session bus, owned by a thread of its own; a host that comes later
//! or restarts picks it up by itself. On macOS and Windows the desktop wants the main thread, so there the agent runs
//! in a second one. Anybody on the session bus can send clicks, so [`Action::Decide`] is never taken from a menu.
//!
//! [`run`] is called once in the life of a process: the libraries below take their click handlers only once.

mod event_loop;
#[cfg(target_os = "linux")]
mod host;
pub mod icon;
mod mailbox;
pub mod menu;
mod surface;
mod text;

use std::{process::ExitCode, sync::Arc};

use crate::config::settings::Panel;
use crate::{core::view::View, protocol::Action};

use mailbox::Mailbox;

/// What the tray tells the agent. Called from the tray's own thread: hand it on, do not work in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrayReport {
    /// An enabled menu item was clicked.
    Clicked(Action),
    /// The icon itself was clicked. Never on macOS, where that opens the menu.
    Activated,
    /// Whether somebody shows the icon; first at start, then whenever it changes. Linux only.
    Host(HostState),
    /// There is no icon, and why. The agent goes on without; a host that appears later is tried again.
    Failed(String),
}

/// Who shows the icon on a Linux desktop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostState {
    /// No session bus, or it went away; it is not tried again.
    NoBus,
    /// Nobody collects tray icons, as on GNOME without its AppIndicator extension.
    NoWatcher,
    /// Icons are collected, but no panel shows them.
    NoHost,
    /// A panel shows the icon.
    Present,
}

/// Gives views to the tray, from any thread.
#[derive(Clone)]
pub struct TrayHandle {
    mailbox: Arc<Mailbox>,
}

impl TrayHandle {
    /// Shows `view` soon: at once if nothing was sent in the last 200 ms, else when they are over. Only the newest
    /// view counts, and one that looks like what is shown sends nothing.
    pub fn show(&self, view: View) {
        self.mailbox.show(view);
    }

    /// Removes the icon and ends the tray. Later views are ignored.
    pub fn close(&self) {
        self.mailbox.close();
    }
}

/// Runs `agent` with a tray beside it and returns its exit code. To be called on the main thread, once.
///
/// The agent runs on the calling thread on Linux and in a second thread on macOS and Windows. The tray is closed when
/// the agent returns. Without a tray the agent runs all the same, see [`TrayReport::Failed`] and
/// [`TrayReport::Host`].
pub fn run(
    panel: Panel,
    agent: impl FnOnce(TrayHandle) -> ExitCode + Send + 'static,
    report: impl Fn(TrayReport) + Send + Sync + 'static,
) -> ExitCode {
    event_loop::run(panel, agent, report)
}
