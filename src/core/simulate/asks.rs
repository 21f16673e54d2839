//! Pretended messages: a gateway that keeps books and answers, or does not.

use super::World;
use crate::core::ask::{Answer, AskEvent, AskWork, Intent, Over, RunState, Session};
use crate::core::event::Event;

/// Between a request and its answer, milliseconds.
const ANSWER_MS: u64 = 40;

/// What becomes of messages.
#[derive(Clone, Debug, Default)]
pub struct Asks {
    /// Ids of what the gateway took, in order.
    pub taken: Vec<String>,
    /// What is on the disk.
    pub kept: Vec<Intent>,
    /// What it answers; absent: it takes the message and its answer is lost.
    pub answer: Option<String>,
}

impl World {
    pub(super) fn talk(&mut self, work: AskWork) {
        let (at, event) = match work {
            AskWork::Keep(intents) => {
                self.note(format!("keeps {} message(s) under way", intents.len()));
                self.asks.kept = intents;
                (1, AskEvent::Kept(Ok(())))
            }
            AskWork::Open { message_id, session, .. } => {
                let session = Session { id: session, title: String::new() };
                (ANSWER_MS, AskEvent::Opened(message_id, Ok(session)))
            }
            AskWork::Send { message_id, session_id, .. } => {
                self.note(format!("sends message {message_id} to session {session_id}"));
                self.asks.taken.push(message_id.clone());
                let run = format!("RUN-{message_id}");
                let Some(text) = self.asks.answer.clone() else { return };
                self.later(ANSWER_MS, Event::Ask(AskEvent::Accepted(message_id.clone(), run)));
                let answer = Answer { characters: text.chars().count() as u64, text, cut: false };
                (2 * ANSWER_MS, AskEvent::Over(message_id, Over::Answered(answer)))
            }
            AskWork::Find { message_id, .. } => {
                let run = self.asks.taken.contains(&message_id).then(|| format!("RUN-{message_id}"));
                (ANSWER_MS, AskEvent::Found(message_id, Ok(run)))
            }
            AskWork::ReadRun { message_id, .. } => {
                let answer = self.asks.answer.clone().map(|text| Answer { text, ..Answer::default() });
                let state = RunState { state: "done".to_owned(), error: String::new(), answer, updated_at_unix_ms: 0 };
                (ANSWER_MS, AskEvent::Ran(message_id, Ok(Some(state))))
            }
            AskWork::Name(ticket, session_id) => (ANSWER_MS, AskEvent::Named(ticket, session_id, None)),
        };
        self.later(at, Event::Ask(event));
    }
}
