//! What a person sees, as plain comparable values. The shell shows a [`View`] and sends only what changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protocol::Action;

/// Everything the desktop shows at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct View {
    /// Tray icon.
    pub icon: Icon,
    /// Plain text; the tray escapes it for hosts that take markup.
    pub tooltip: String,
    /// Top to bottom.
    pub menu: Vec<Item>,
    /// The notifications that should be on the screen now, by a stable key.
    pub notices: BTreeMap<NoticeKey, Notice>,
}

/// Base state plus an independent badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Icon {
    /// Shape and colour.
    pub base: Base,
    /// Drawn over the base.
    pub badge: Badge,
}

/// Base state; the order is that of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Base {
    /// Green check.
    Healthy,
    /// Grey square.
    Stopped,
    /// Amber triangle.
    Degraded,
    /// Amber ring; also while nothing is known yet.
    #[default]
    Starting,
    /// Red bar.
    Down,
    /// Red cross.
    Fatal,
}

/// What is drawn over the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Badge {
    /// Pending approvals; 0 draws nothing, above 9 draws "9+".
    pub approvals: u32,
    /// One of them is critical: the badge is red.
    pub critical: bool,
    /// A run is active: a dot, when no number is shown.
    pub active: bool,
    /// Agents are paused: bars.
    pub paused: bool,
}

/// One menu entry. `id` is stable over updates and unique in the menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Stable and unique in the menu.
    pub id: String,
    /// What it is.
    pub kind: ItemKind,
}

/// What a menu entry is. Labels are plain text; the tray escapes mnemonics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A line.
    Separator,
    /// A click reports `action`; without one, or not `enabled`, a click does nothing.
    Command {
        /// Plain text.
        label: String,
        /// Greyed when false; the handler checks it too.
        enabled: bool,
        /// What a click asks for.
        action: Option<Action>,
    },
    /// As a command, with a tick.
    Check {
        /// Plain text.
        label: String,
        /// Greyed when false; the handler checks it too.
        enabled: bool,
        /// The tick.
        checked: bool,
        /// What a click asks for.
        action: Action,
    },
    /// Never holds another submenu: GNOME drops deeper levels.
    Submenu {
        /// Plain text.
        label: String,
        /// Greyed when false.
        enabled: bool,
        /// Its entries.
        items: Vec<Item>,
    },
}

/// Names one notification over its life, e.g. `approval:01H…`, `event:gateway_down`.
pub type NoticeKey = String;

/// One notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Plain text, one line.
    pub title: String,
    /// Plain text; escaped for servers that take markup.
    pub body: String,
    /// How hard it asks.
    pub urgency: Urgency,
    /// Buttons, in order. Empty on servers without actions.
    pub buttons: Vec<Button>,
    /// A click on the body.
    pub default_action: Option<Action>,
    /// Stays until answered or withdrawn; otherwise the server's usual time.
    pub resident: bool,
    /// Sound and pop-up again when only the text changed?
    pub quiet_update: bool,
    /// Another number than before: what was clicked on it came to nothing, so that it is shown anew, with buttons that count.
    pub again: u32,
}

/// How hard a notification asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// No pop-up needed.
    Low,
    /// As usual.
    Normal,
    /// Breaks through Do Not Disturb where the server lets it: for critical approvals alone.
    Critical,
}

/// One button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// Plain text.
    pub label: String,
    /// What a click asks for.
    pub action: Action,
}
