//! Desktop notifications, told as a set: the caller says what should be on the screen now, this module finds the
//! difference to what is there and sends only that.
//!
//! Linux speaks to the notification server itself over one bus connection (`linux`), macOS and Windows go through
//! the system's own (`desktop`). What both share, and what makes a click trustworthy, is in `board`: random action keys
//! that work once, bound to a notification, a button and one version of its text.
//!
//! Limits: it never decides what to show and never repeats a failed notification by itself. Sound, place and look are
//! the server's. A notification that a person or time closed stays away until its key leaves the set, or until it
//! changes and is not a `quiet_update`.

mod board;
mod text;

#[cfg(any(target_os = "macos", windows))]
mod desktop;
#[cfg(target_os = "linux")]
mod linux;

use crate::core::view::{Notice, NoticeKey};
use crate::protocol::Action;
use crate::words;

#[cfg(any(target_os = "macos", windows))]
pub use desktop::Notifier;
#[cfg(target_os = "linux")]
pub use linux::{Bus, Notifier};

/// Who shows the notifications, as servers name and group them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppIdentity {
    /// For people.
    pub name: String,
    /// Name of the desktop entry, without `.desktop`; on Windows the AppUserModelID, on macOS the bundle identifier.
    pub desktop_entry: String,
    /// Icon name in the theme.
    pub icon: String,
}

impl Default for AppIdentity {
    fn default() -> Self {
        Self {
            name: words::common::PALYRA_TRAY.to_owned(),
            desktop_entry: "palyra-tray".to_owned(),
            icon: "palyra-tray".to_owned(),
        }
    }
}

/// What the server that shows the notifications can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerInfo {
    /// Product name, e.g. `dunst`, `gnome-shell`.
    pub name: String,
    /// Who makes it.
    pub vendor: String,
    /// Its version.
    pub version: String,
    /// Buttons and clicks reach us.
    pub actions: bool,
    /// The body is markup there; it is escaped on the way.
    pub body_markup: bool,
    /// Shows a body at all.
    pub body: bool,
    /// Takes a typed answer.
    pub inline_reply: bool,
    /// Keeps notifications until they are answered.
    pub persistence: bool,
    /// A shown notification can be replaced and taken away again. Where not, no button that approves is ever sent.
    pub withdraw: bool,
}

/// What happened on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifyReport {
    /// A server is there, or is not. `None` may change with the next [`Notifier::show`]: showing can start a server.
    Server(Option<ServerInfo>),
    /// A person clicked.
    Clicked {
        /// Which notification.
        key: NoticeKey,
        /// What was asked for. Never a decision when the body was clicked.
        action: Action,
        /// As it was shown.
        notice: Notice,
    },
    /// A person typed an answer into it.
    Typed {
        /// Which notification.
        key: NoticeKey,
        /// What it answers.
        action: Action,
        /// What was typed.
        text: String,
    },
    /// A person closed it without an answer.
    Dismissed {
        /// Which notification.
        key: NoticeKey,
    },
    /// It went away without a person: its time was over, or something else closed it.
    Expired {
        /// Which notification.
        key: NoticeKey,
    },
    /// Something could not be shown. One sentence.
    Failed {
        /// What and why.
        message: String,
    },
}

/// 128 random bits; none when the system has no randomness to give.
fn action_key() -> Option<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
