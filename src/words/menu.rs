//! Menu, tooltip, and the menu as a window.

use std::fmt::Display;

pub const WINDOW_IS_OPEN_ALREADY: &str = "The window is open already.\n";
pub const AGENTS_MENU_WAS_NOT_UNDERSTOOD: &str = "the agent's menu was not understood";
pub const AGENT_DID_NOT_ANSWER: &str = "the agent did not answer";

pub fn tray_icon_could_not_be_put(error: impl Display) -> String {
    format!("the tray icon could not be put up: {error}")
}

pub fn no_thread_for_tray_icon_could(error: impl Display) -> String {
    format!("no thread for the tray icon could be started: {error}")
}

pub fn tray_icon_could_not_be_put_up(error: impl Display) -> String {
    format!("the tray icon could not be put up: {error}; it is tried again when the desktop's tray changes")
}

pub const HIDE: &str = "Hide";
