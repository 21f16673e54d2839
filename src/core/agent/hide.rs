//! What is never shown: secrets in the words of others, and in the person's own where those are not asked for.
//!
//! An answer is shown to whoever asked for it as it came, and a draft to whoever opens it. Everywhere else (notifications and
//! what is kept of them, menu, snapshot) they may be read by somebody else, or end in a bundle.

use serde_json::Value;

use super::{Agent, EventNotice};
use crate::core::survey::Answer;

impl Agent {
    /// This text without secrets: those that we know in every form, others by their shape.
    pub fn hide(&self, text: &str) -> String {
        self.known.redact_shortened(text)
    }

    pub(super) fn hide_in_notice(&self, notice: EventNotice) -> EventNotice {
        EventNotice { title: self.hide(&notice.title), body: self.hide(&notice.body), ..notice }
    }

    /// Every text of this value.
    pub fn hide_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hide(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.hide_in(value)),
            Value::Object(map) => map.values_mut().for_each(|value| self.hide_in(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A model may have said it, and the gateway makes titles and troubles of that.
    pub fn hide_in_answer(&self, answer: &mut Answer) {
        match answer {
            Answer::Sessions(Ok(sessions)) => {
                for session in &mut sessions.rows {
                    session.title = self.hide(&session.title);
                    session.preview = self.hide(&session.preview);
                }
            }
            Answer::Diagnostics(Ok(told)) => {
                for error in &mut told.errors {
                    *error = self.hide(error);
                }
            }
            Answer::Discord(Ok(fact)) => self.hide_in(fact),
            Answer::Sessions(Err(why)) | Answer::Diagnostics(Err(why)) | Answer::Discord(Err(why)) => {
                *why = self.hide(why);
            }
        }
    }
}
