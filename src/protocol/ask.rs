//! A message to Palyra, and what was written and not sent: what a command or a dialog asks of the agent.

use serde::{Deserialize, Serialize};

use super::Secret;

/// Longest message, bytes. The gateway takes 64 KiB for a whole request, in which a character may take six.
pub const TEXT_MAX: usize = 16 * 1024;

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum AskRequest {
    /// Send this. Answered when the gateway has written it down, or when it is known that it did not.
    Send(Message),
    /// Wait for the answer to this message, however long that takes.
    Answer {
        /// Of a message that was sent.
        message_id: String,
    },
    /// The session in which a message lands when none is named.
    Session,
    /// The session with this id, and its title.
    Named {
        /// Which.
        session_id: String,
    },
    /// What was written and not sent.
    Drafts,
    /// One of these.
    Draft {
        /// Which.
        draft_id: String,
    },
    /// Send one of these: the person's word. Answered as [`AskRequest::Send`].
    SendDraft {
        /// Which.
        draft_id: String,
        /// Not where it was meant for, but into a new session.
        #[serde(default)]
        new: bool,
    },
    /// Throw one of these away.
    DiscardDraft {
        /// Which.
        draft_id: String,
    },
}

/// A message as a person wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// ULID, made by who asks: the same message asked for twice is sent once.
    pub message_id: String,
    /// At most [`TEXT_MAX`]. A person may write what is nobody else's business, so it is shown by no debug output.
    pub text: Secret,
    /// Where to.
    #[serde(default)]
    pub to: To,
}

/// Where a message goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// The session that was used last, or a new one.
    #[default]
    Active,
    /// A new session.
    New,
    /// The session with this id or key, which must exist.
    Session(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Envelope, Request, VERSION};

    #[test]
    fn every_request_survives_the_socket() {
        let message = |to| Message { message_id: "M".to_owned(), text: Secret::new("a\nb"), to };
        let id = || "D".to_owned();
        for request in [
            AskRequest::Send(message(To::Active)),
            AskRequest::Send(message(To::New)),
            AskRequest::Send(message(To::Session("S".to_owned()))),
            AskRequest::Answer { message_id: id() },
            AskRequest::Session,
            AskRequest::Named { session_id: id() },
            AskRequest::Drafts,
            AskRequest::Draft { draft_id: id() },
            AskRequest::SendDraft { draft_id: id(), new: true },
            AskRequest::DiscardDraft { draft_id: id() },
        ] {
            let envelope = Envelope { version: VERSION, request: Request::Message(request) };
            let line = serde_json::to_string(&envelope).unwrap();
            assert_eq!(serde_json::from_str::<Envelope>(&line).unwrap(), envelope, "{line}");
            assert!(!format!("{envelope:?}").contains("a\\nb"), "what a person wrote is in the debug output");
        }
    }
}
