//! The dialogs: writing a message, and what to do with a draft.

use crate::core::companion::Draft;
use crate::core::dialog::{Body, DialogButton, Form, Tone, one_line};
use crate::core::notices::cut;
use crate::words;

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
            None => words::ask::IN_NEW_SESSION.to_owned(),
            Some(id) if self.title.is_empty() => words::ask::in_session_without_title(tail(id)),
            Some(_) => words::ask::in_session(cut(&one_line(&self.title), 60)),
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
        title: words::ask::ask_palyra_to(to.words()),
        heading: words::ask::ASK_PALYRA.to_owned(),
        text: words::ask::your_message_is_sent(to.words()),
        body: Body::Text,
        buttons: vec![DialogButton::new(SEND, words::buttons::SEND), DialogButton::away(words::buttons::CANCEL)],
        focus: None,
        tone: Tone::Info,
    }
}

/// A message that was neither sent nor kept: it is shown, so that it can be copied, or sent once more.
pub fn given_back(text: &str, why: &str) -> Form {
    Form {
        title: "Palyra".to_owned(),
        heading: words::ask::NOT_SENT_AND_NOT_KEPT.to_owned(),
        text: words::ask::this_is_what_you_wrote(why),
        body: Body::Document { document: text.to_owned() },
        buttons: vec![DialogButton::new(AGAIN, words::common::TRY_AGAIN), DialogButton::away(words::buttons::CLOSE)],
        focus: None,
        tone: Tone::Warning,
    }
}

/// A draft, and what can be done with it.
pub fn draft(draft: &Draft) -> Form {
    let to = Where { session_id: draft.session_id.clone(), title: String::new() };
    let mut text = words::ask::written_to_be_sent(to.words(), &draft.reason);
    if draft.maybe_sent {
        text.push_str(words::ask::IT_MAY_HAVE_BEEN_SENT_ALL);
    }
    let mut buttons = vec![
        DialogButton::new(SEND, words::buttons::SEND),
        DialogButton::new(DISCARD, words::buttons::DISCARD),
        DialogButton::away(words::buttons::CLOSE),
    ];
    let long = draft.text.chars().count() > LONG || draft.text.lines().count() > 12;
    let body = if long {
        Body::Document { document: draft.text.clone() }
    } else {
        text = format!("{}\n\n{text}", draft.text);
        buttons.rotate_left(2);
        Body::Message
    };
    Form {
        title: words::ask::PALYRA_DRAFT.to_owned(),
        heading: words::ask::DRAFT.to_owned(),
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
        title: words::ask::PALYRA_DRAFT.to_owned(),
        heading: words::ask::DISCARD_THIS_DRAFT.to_owned(),
        text: words::ask::it_cannot_be_brought_back(cut(&one_line(&draft.text), 200)),
        body: Body::Message,
        buttons: vec![DialogButton::away(words::ask::KEEP_IT), DialogButton::new(DISCARD, words::buttons::DISCARD)],
        focus: Some(DialogButton::AWAY.to_owned()),
        tone: Tone::Question,
    }
}
