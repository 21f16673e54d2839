//! What crosses the border of the machine: what is kept on disk, what is asked of the gateway, what came of it.

use serde::{Deserialize, Serialize};

use crate::core::answer::NoAnswer;
use crate::core::event::Ticket;
use crate::protocol::ask::{Message, To};
use crate::protocol::{RunId, Secret};

/// A session of the gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// ULID
    pub id: String,
    /// For a person; empty when it has none yet.
    pub title: String,
}

/// What is kept of a message that is under way, so that the next agent neither loses it nor sends it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// ULID. It goes to the gateway with the message, which keeps it with the run: by it the run is found again.
    pub message_id: String,
    /// The whole text; once it is accepted, its start only.
    pub text: Secret,
    /// Where the person wanted it.
    pub to: To,
    /// Where it goes; absent: nothing was sent yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// When it was about to be sent, wall clock; absent: it certainly was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at_unix_ms: Option<i64>,
    /// The life of the gateway that it was sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<RunId>,
    /// The gateway has it in its books.
    #[serde(default)]
    pub accepted: bool,
    /// Its run, once known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run_id: String,
    /// Where it comes from.
    #[serde(default)]
    pub origin: Origin,
}

impl Intent {
    /// Of a message of which nothing has been done yet.
    pub fn new(message: Message, origin: Origin) -> Self {
        let Message { message_id, text, to } = message;
        Self {
            message_id,
            text,
            to,
            session: None,
            sent_at_unix_ms: None,
            gateway: None,
            accepted: false,
            run_id: String::new(),
            origin,
        }
    }
}

/// Where a message comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Just written.
    #[default]
    New,
    /// It is the draft with its id.
    Draft,
    /// The same, and it may have been sent before: that is looked for first.
    SentDraft,
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum AskWork {
    /// Keep all of these, and nothing else; answered by [`AskEvent::Kept`].
    Keep(Vec<Intent>),
    /// Find the session, or make the one with this id; answered by [`AskEvent::Opened`].
    Open {
        /// Message.
        message_id: String,
        /// Id or key.
        session: String,
        /// It must exist.
        existing: bool,
    },
    /// Send it, once, and listen; answered by [`AskEvent::Accepted`] and [`AskEvent::Over`].
    Send {
        /// Message.
        message_id: String,
        /// Where to.
        session_id: String,
        /// What.
        text: Secret,
    },
    /// Look for the run of this message; answered by [`AskEvent::Found`].
    Find {
        /// Message.
        message_id: String,
        /// Where it went.
        session_id: String,
    },
    /// Look for the title of a session, for a client; answered by [`AskEvent::Named`].
    Name(Ticket, String),
    /// Look how this run stands; answered by [`AskEvent::Ran`].
    ReadRun {
        /// Message.
        message_id: String,
        /// Its run.
        run_id: String,
    },
}

/// What came of it, by message.
#[derive(Clone, Debug, PartialEq)]
pub enum AskEvent {
    /// It is on disk, or why not.
    Kept(Result<(), String>),
    /// This is the session.
    Opened(String, Result<Session, Lost>),
    /// The gateway has written the message down, as this run.
    Accepted(String, String),
    /// The stream has ended.
    Over(String, Over),
    /// The run, or none.
    Found(String, Result<Option<String>, Lost>),
    /// Title of the session that a client asked for, as far as the gateway tells.
    Named(Ticket, String, Option<String>),
    /// How the run stands; absent: the gateway knows no such run.
    Ran(String, Result<Option<RunState>, Lost>),
    /// Somebody typed a reply into a notification of this session; the message has this new id.
    Replied {
        /// Made by the shell.
        message_id: String,
        /// Which session.
        session_id: String,
        /// What.
        text: Secret,
    },
}

/// Why a call brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// One sentence.
    pub why: String,
    /// The gateway may have acted all the same.
    pub may_have_acted: bool,
    /// It answered by itself that it did not do it.
    pub refused: bool,
    /// It may be asked the same again after this long, milliseconds; absent: not by ourselves.
    pub again_ms: Option<u64>,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// With an answer.
    Answered(Answer),
    /// With the reason why there is none; `accepted`: the run had begun.
    NoAnswer {
        /// The message is in the gateway's books.
        accepted: bool,
        /// Why.
        why: NoAnswer,
    },
    /// In the middle.
    Broken,
    /// Before it began.
    Lost(Lost),
}

/// The start of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What is kept of it.
    pub text: String,
    /// All of it, characters.
    pub characters: u64,
    /// There is more than is kept.
    pub cut: bool,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunState {
    /// In the gateway's words.
    pub state: String,
    /// Why it failed; empty when it did not.
    pub error: String,
    /// What it said at its end.
    pub answer: Option<Answer>,
    /// When it moved last, wall clock of the gateway.
    pub updated_at_unix_ms: i64,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer came.
    Answered(Answer),
    /// It was accepted, and no answer comes: a sentence.
    NoAnswer(String),
    /// It certainly was not accepted: a sentence.
    NotSent {
        /// Why.
        why: String,
        /// Nobody was there at all.
        unreachable: bool,
    },
    /// Whether it was accepted cannot be known: a sentence.
    Unknown(String),
}

/// What the machine has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum AskOrder {
    /// Do this.
    Work(AskWork),
    /// The gateway has it in its books; these wait to hear that.
    Accepted(Box<Intent>, Vec<Ticket>),
    /// Somebody else asks for the same, which was accepted before.
    Joined(Box<Intent>, Ticket),
    /// It is over.
    Finished(Box<Finished>),
    /// These asked for a message that is over.
    Told(Ticket, Box<Finished>),
}

/// A message that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// As it was kept last.
    pub intent: Intent,
    /// What became of it.
    pub outcome: Outcome,
    /// Wait to hear that it was sent.
    pub sending: Vec<Ticket>,
    /// Wait for the answer.
    pub awaiting: Vec<Ticket>,
}
