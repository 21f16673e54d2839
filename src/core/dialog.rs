//! One native dialog as a plain value: what it shows, and what the person did.
//!
//! The same form is shown by zenity, kdialog or a terminal: see `shell::dialog`. A form that changes something a person
//! could regret has no [`Form::focus`], or has it on a harmless button.

use std::path::PathBuf;

use crate::protocol::Secret;
use crate::words;

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
    /// Id of the button that Enter presses at once; absent: no button is pressed by a key the person did not aim at it. For
    /// [`Body::Message`] and [`Body::Document`]; where something is typed or chosen, the first button is the one.
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
    /// Types some lines.
    Text,
    /// Types a line that is not shown.
    Password,
    /// Picks a folder. It exists, and its path is absolute.
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
            buttons: vec![DialogButton::new("close", words::buttons::CLOSE)],
            focus: Some("close".to_owned()),
            tone,
        }
    }
}

impl DialogButton {
    /// A button with this id does what Escape does, and is answered with [`Answer::Dismissed`]: some dialog programs cannot
    /// tell the two apart.
    pub const AWAY: &'static str = "away";

    /// A button.
    pub fn new(id: &str, label: &str) -> Self {
        Self { id: id.to_owned(), label: label.to_owned() }
    }

    /// A button that puts the dialog away.
    pub fn away(label: &str) -> Self {
        Self::new(Self::AWAY, label)
    }
}

impl Answer {
    /// A button without a value; [`Answer::Dismissed`] for the one that puts the dialog away.
    pub fn pressed(button: &str) -> Self {
        Self::with_value(button, None)
    }

    /// The same, with what was typed or chosen.
    pub fn with_value(button: &str, value: Option<Secret>) -> Self {
        if button == DialogButton::AWAY { Self::Dismissed } else { Self::Pressed { button: button.to_owned(), value } }
    }

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

/// What cannot be shown as it is: control characters, and those that turn the direction of what follows.
const PLACEHOLDER: char = '\u{fffd}';

/// A text that no front end stumbles over and nothing hides in. Line ends and tabs stay.
pub fn printable(text: &str) -> String {
    let visible = |c: char| match c {
        '\n' | '\t' => c,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => PLACEHOLDER,
        c if c.is_control() => PLACEHOLDER,
        c => c,
    };
    text.replace("\r\n", "\n").chars().map(visible).collect()
}

/// The same on one line: a title, a label, a row.
pub fn one_line(text: &str) -> String {
    printable(text).split(['\n', '\t']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Lines of at most `width` characters, broken between words where that is possible. Indentation and empty lines stay.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let indent: String = paragraph.chars().take_while(|c| *c == ' ').take(width / 2).collect();
        let mut line = indent.clone();
        let (mut length, mut empty) = (indent.len(), true);
        for word in paragraph.split_whitespace() {
            let chars: Vec<char> = word.chars().collect();
            if !empty && length + 1 + chars.len() > width {
                lines.push(std::mem::replace(&mut line, indent.clone()));
                (length, empty) = (indent.len(), true);
            }
            if !empty {
                line.push(' ');
                length += 1;
            }
            // A word that is longer than a line is cut.
            for c in chars {
                if length == width {
                    lines.push(std::mem::replace(&mut line, indent.clone()));
                    length = indent.len();
                }
                line.push(c);
                length += 1;
                empty = false;
            }
        }
        lines.push(if empty { String::new() } else { line });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides_in_a_shown_text() {
        assert_eq!(printable("a\0b\x1b[1mc\r\nd\te\u{202e}f"), "a\u{fffd}b\u{fffd}[1mc\nd\te\u{fffd}f");
        assert_eq!(one_line(" a\n\nb\tc "), "a b c");
    }

    #[test]
    fn text_is_wrapped_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a\n\n  b c", 4), ["a", "", "  b", "  c"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("größe groß", 5), ["größe", "groß"]);
        for width in 1..12 {
            let lines = wrap("  some words, longish ones too, and-a-very-long-one", width);
            assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {lines:?}");
        }
    }

    #[test]
    fn a_button_that_puts_away_is_no_answer() {
        assert_eq!(Answer::pressed(DialogButton::AWAY), Answer::Dismissed);
        assert_eq!(Answer::pressed("next").button(), Some("next"));
    }
}
