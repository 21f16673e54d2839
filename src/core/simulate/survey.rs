//! The gateway's sessions and runs in the pretended world, and what it answers about itself.

use serde_json::{Value, json};

use super::{ANSWER_MS, World};
use crate::core::event::Event;
use crate::core::survey::{Answer, Ask, Part, SESSIONS};
use crate::core::{diagnostics, discord, sessions};

/// What the gateway has to tell.
#[derive(Default)]
pub struct Chats {
    /// Rows of its list, newest first.
    pub rows: Vec<Value>,
    /// Everything that was asked: when and what.
    pub asked: Vec<(u64, Part)>,
    /// It fails to answer.
    pub mute: bool,
}

impl World {
    /// A run begins, or comes into another state; the gateway writes to its journal.
    pub fn run(&mut self, session: &str, run: &str, state: &str, waits: u64) {
        self.chats.rows.retain(|row| row["session_id"] != session);
        let row = json!({
            "session_id": session, "title": format!("Session {session}"), "last_run_id": run, "last_run_state": state,
            "updated_at_unix_ms": self.now.unix_ms, "last_run_started_at_unix_ms": self.now.unix_ms,
            "pending_approvals": waits,
        });
        self.chats.rows.insert(0, row);
        self.give(Event::Rang);
    }

    pub(super) fn surveyed(&mut self, ask: Ask) {
        self.chats.asked.push((self.now.mono_ms, ask.part));
        let mute = self.chats.mute;
        let told = move |value: Value| if mute { Err("no answer in time".to_owned()) } else { Ok(value) };
        let list = json!({ "sessions": self.chats.rows });
        let answer = match ask.part {
            Part::Sessions => {
                Answer::Sessions(told(list).and_then(|list| sessions::read(&list, SESSIONS).map_err(str::to_owned)))
            }
            Part::Diagnostics => {
                let body = json!({ "generated_at_unix_ms": self.now.unix_ms, "observability": {} });
                Answer::Diagnostics(told(body).and_then(|body| diagnostics::read(&body).map_err(str::to_owned)))
            }
            Part::Discord => Answer::Discord(told(discord::quick_fact(&Value::Null))),
        };
        self.later(ANSWER_MS, Event::Surveyed(ask.round, answer));
    }
}
