//! One native dialog as a plain value: what it shows, and what the person did.
//!
//! The same form is shown by zenity, kdialog or a terminal: see `shell::dialog`.

use std::path::PathBuf;

use crate::protocol::Secret;

/// One dialog. All texts are plain; front ends escape what they must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Of the window.
    pub title: String,
    /// One short line above the text, drawn larger where the front end can; may be empty.
    pub heading: String,
    /// Some sentences; blank lines part paragraphs.
    pub text: String,
    /// What the person does here.
    pub body: Body,
    /// The first one confirms. A dialog without any gets one to close it.
    pub buttons: Vec<DialogButton>,
    /// Id of the button that Enter presses at once; absent: no button may be pressed by a key the person did not aim at it.
    pub focus: Option<String>,
    /// How it looks and sounds.
    pub tone: Tone,
}

/// What a person does in a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Reads, and presses a button.
    Message,
    /// Reads something long, which scrolls, in a font that shows every character, and presses a button.
    Document {
        /// Plain text of any length; already made visible where it could mislead.
        document: String,
    },
    /// Chooses one.
    Choose {
        /// From these.
        choices: Vec<Choice>,
        /// Id of the one that is chosen at first.
        selected: Option<String>,
    },
    /// Types a line.
    Entry {
        /// Filled in at first.
        value: String,
    },
    /// Types a line that is not shown.
    Password,
    /// Picks a folder.
    Folder {
        /// Where to begin.
        start: PathBuf,
    },
    /// Waits. The buttons are at most one, which cancels.
    Progress,
}

/// One of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Comes back as the value.
    pub id: String,
    /// A few words.
    pub label: String,
    /// More words, smaller or in a second column; may be empty.
    pub detail: String,
}

/// One button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogButton {
    /// Comes back.
    pub id: String,
    /// One to three words.
    pub label: String,
}

/// How a dialog looks and sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Tone {
    /// Neutral.
    #[default]
    Info,
    /// Asks.
    Question,
    /// Something needs care.
    Warning,
    /// Something failed.
    Error,
}

/// What became of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A button was pressed.
    Pressed {
        /// Its id.
        button: String,
        /// What was typed or chosen, where the body asks for something; a folder as text.
        value: Option<Secret>,
    },
    /// Put away without a button: Escape, the window's cross, the end of the session, or closed by us. Never a yes.
    Dismissed,
    /// It could not be shown, or its program ended strangely. One sentence: what, why, what to do.
    Failed {
        /// For the person.
        why: String,
    },
}

/// News for an open progress dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgressLine {
    /// Replaces the text.
    pub text: String,
    /// 0 to 100; absent: it moves without saying how far it is.
    pub percent: Option<u8>,
}

impl Form {
    /// A dialog with one button "Close".
    pub fn message(heading: &str, text: &str, tone: Tone) -> Self {
        Self {
            title: "Palyra".to_owned(),
            heading: heading.to_owned(),
            text: text.to_owned(),
            body: Body::Message,
            buttons: vec![DialogButton::new("close", "Close")],
            focus: Some("close".to_owned()),
            tone,
        }
    }
}

impl DialogButton {
    /// A button.
    pub fn new(id: &str, label: &str) -> Self {
        Self { id: id.to_owned(), label: label.to_owned() }
    }
}

impl Answer {
    /// The button's id, if one was pressed.
    pub fn button(&self) -> Option<&str> {
        match self {
            Self::Pressed { button, .. } => Some(button),
            _ => None,
        }
    }

    /// What was typed or chosen.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Pressed { value: Some(value), .. } => Some(value.expose()),
            _ => None,
        }
    }
}
