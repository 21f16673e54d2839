//! Buttons and entries that mean the same wherever they are.

pub const CLOSE: &str = "Close";
pub const CANCEL: &str = "Cancel";
pub const OPEN: &str = "Open";
pub const SEND: &str = "Send";
pub const DISCARD: &str = "Discard";
pub const DETAILS: &str = "Details";
pub const DENY: &str = "Deny";
pub const REVIEW: &str = "Review…";
pub const USE_IT: &str = "Use";
pub const BACK: &str = "Back";
pub const YES: &str = "Yes";
pub const NO: &str = "No";
pub const SKIP: &str = "Skip";
pub const LATER: &str = "Later";
pub const SHOW_LOG: &str = "Show log";
pub const OPEN_DASHBOARD: &str = "Open Dashboard";
pub const PAUSE_ALL_AGENTS: &str = "Pause all agents";
pub const START: &str = "Start";
