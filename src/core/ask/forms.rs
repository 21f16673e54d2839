//! The dialogs: writing a message, and what to do with a draft.

use crate::core::companion::Draft;
use crate::core::dialog::{Body, DialogButton, Form, Tone, one_line};
use crate::core::notices::cut;

/// Presses that mean something.
pub const SEND: &str = "send";
/// Throw the draft away.
pub const DISCARD: &str = "discard";
/// The same once more.
pub const AGAIN: &str = "again";

/// Above this many characters a draft is shown in a window that scrolls.
const LONG: usize = 600;

/// Where a message would go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Where {
    /// Id of the session; absent: a new one.
    pub session_id: Option<String>,
    /// Its title, where known.
    pub title: String,
}

impl Where {
    /// For a person.
    pub fn words(&self) -> String {
        match &self.session_id {
            None => "in a new session".to_owned(),
            Some(id) if self.title.is_empty() => format!("in the session {}", tail(id)),
            Some(_) => format!("in the session “{}”", cut(&one_line(&self.title), 60)),
        }
    }
}

/// The end of an id tells it from its neighbours.
pub fn tail(id: &str) -> String {
    let skip = id.chars().count().saturating_sub(6);
    if skip == 0 { id.to_owned() } else { format!("…{}", id.chars().skip(skip).collect::<String>()) }
}

/// Writing a message.
pub fn entry(to: &Where) -> Form {
    Form {
        title: format!("Ask Palyra, {}", to.words()),
        heading: "Ask Palyra".to_owned(),
        text: format!("Your message is sent {}. The answer comes as a notification.", to.words()),
        body: Body::Text,
        buttons: vec![DialogButton::new(SEND, "Send"), DialogButton::away("Cancel")],
        focus: None,
        tone: Tone::Info,
    }
}

/// A message that was neither sent nor kept: it is shown, so that it can be copied, or sent once more.
pub fn given_back(text: &str, why: &str) -> Form {
    Form {
        title: "Palyra".to_owned(),
        heading: "Not sent, and not kept".to_owned(),
        text: format!("{why}\n\nThis is what you wrote; copy it before you close this window."),
        body: Body::Document { document: text.to_owned() },
        buttons: vec![DialogButton::new(AGAIN, "Try again"), DialogButton::away("Close")],
        focus: None,
        tone: Tone::Warning,
    }
}

/// A draft, and what can be done with it.
pub fn draft(draft: &Draft) -> Form {
    let to = Where { session_id: draft.session_id.clone(), title: String::new() };
    let mut text = format!("Written to be sent {}. Not sent: {}", to.words(), draft.reason);
    if draft.maybe_sent {
        text.push_str(
            "\n\nIt may have been sent all the same. Before it is sent again, Palyra is asked whether it has it.",
        );
    }
    let mut buttons =
        vec![DialogButton::new(SEND, "Send"), DialogButton::new(DISCARD, "Discard"), DialogButton::away("Close")];
    let long = draft.text.chars().count() > LONG || draft.text.lines().count() > 12;
    let body = if long {
        Body::Document { document: draft.text.clone() }
    } else {
        text = format!("{}\n\n{text}", draft.text);
        buttons.rotate_left(2);
        Body::Message
    };
    Form {
        title: "Palyra: draft".to_owned(),
        heading: "Draft".to_owned(),
        text,
        body,
        buttons,
        focus: Some(DialogButton::AWAY.to_owned()),
        tone: Tone::Question,
    }
}

/// Before a draft is thrown away.
pub fn doubt(draft: &Draft) -> Form {
    Form {
        title: "Palyra: draft".to_owned(),
        heading: "Discard this draft?".to_owned(),
        text: format!("“{}”\n\nIt cannot be brought back.", cut(&one_line(&draft.text), 200)),
        body: Body::Message,
        buttons: vec![DialogButton::away("Keep it"), DialogButton::new(DISCARD, "Discard")],
        focus: Some(DialogButton::AWAY.to_owned()),
        tone: Tone::Question,
    }
}
