//! Menu, tooltip, and the menu as a window.

use std::fmt::Display;

pub const WINDOW_IS_OPEN_ALREADY: &str = "The window is open already.\n";
pub const AGENTS_MENU_WAS_NOT_UNDERSTOOD: &str = "Palyra Tray's menu was not understood";
pub const AGENT_DID_NOT_ANSWER: &str = "Palyra Tray did not answer";

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
pub const PALYRA_DEMO: &str = "Palyra demo";
pub const PALYRA: &str = "Palyra";

pub fn approval_waits(mark: impl Display, line: impl Display) -> String {
    format!("{mark}: {line}. 1 approval waits")
}

pub fn approvals_wait(mark: impl Display, line: impl Display, n: impl Display) -> String {
    format!("{mark}: {line}. {n} approvals wait")
}

pub fn all_agents_are_paused(version: impl Display) -> String {
    format!("All agents are paused. palyrad {version}")
}

pub fn healthy_palyrad(version: impl Display) -> String {
    format!("Healthy: palyrad {version}")
}

pub const DEMO_NOTHING_HERE_IS_REAL: &str = "Demo: nothing here is real";
pub const RESUME_ALL_AGENTS: &str = "Resume all agents";
pub const OPEN_CHAT: &str = "Open Chat";
pub const STOP: &str = "Stop";
pub const QUIT_AND_STOP_PALYRA: &str = "Quit and stop Palyra";
pub const QUIT_KEEP_PALYRA_RUNNING: &str = "Quit, keep Palyra running";
pub const NOTHING_WAITS: &str = "Nothing waits";
pub const NOT_KNOWN_GATEWAY_DOES_NOT_ANSWER: &str = "Not known: the gateway does not answer";
pub const REVIEW_ALL_IN_DASHBOARD: &str = "Review all in dashboard";

pub fn approvals_highest_risk(waiting: impl Display, risk: impl Display, old: impl Display) -> String {
    format!("Approvals ({waiting}), highest risk {risk}{old}")
}

pub const APPROVALS_NOT_KNOWN: &str = "Approvals (not known)";

pub fn and_more(count: impl Display) -> String {
    format!("and {count} more")
}

pub const NOT_UP_TO_DATE: &str = ", not up to date";

pub fn active_runs(count: impl Display, old: impl Display) -> String {
    format!("Active runs ({count}){old}")
}

pub const ASK_PALYRA: &str = "Ask Palyra…";

pub fn drafts(count: impl Display) -> String {
    format!("Drafts ({count})")
}

pub const NEW_SESSION: &str = "A new session…";
pub const ASK_IN_ANOTHER_SESSION: &str = "Ask in another session";
pub const SESSIONS: &str = "Sessions";
pub const ACCESS: &str = "Access";
pub const CHANNELS: &str = "Channels";
pub const PROVIDER_SIGN: &str = "Provider sign-in";
pub const NOTHING_HAS_HAPPENED_YET: &str = "Nothing has happened yet";
pub const MARK_ALL_READ: &str = "Mark all read";
pub const RECENT: &str = "Recent";

pub fn recent_new(unread: impl Display) -> String {
    format!("Recent ({unread} new)")
}

pub const SET_UP_AGAIN: &str = "Set up again…";
pub const SET_UP_PALYRA: &str = "Set up Palyra…";

pub fn continue_set_up_of_done(done: impl Display, total: impl Display) -> String {
    format!("Continue set-up… ({done} of {total} done)")
}

pub const RUN_CHECKS: &str = "Run checks…";
pub const EXPORT_SUPPORT_BUNDLE: &str = "Export support bundle…";
pub const SUPPORT_BUNDLE_IS_BEING_MADE: &str = "The support bundle is being made…";
pub const COPY_DIAGNOSTICS: &str = "Copy diagnostics";
pub const ABOUT: &str = "About";
pub const SET_UP_AND_SUPPORT: &str = "Set-up and support";

pub fn process(pid: impl Display) -> String {
    format!("Process {pid}")
}

pub fn last_time(what: impl Display) -> String {
    format!("Last time it {what}")
}

pub const RESTART: &str = "Restart";
pub const ENABLED: &str = "Enabled";
pub const ENROL: &str = "Enrol…";
pub const RESET: &str = "Reset…";
pub const CHOOSE: &str = "Choose";
