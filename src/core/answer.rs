//! Listening to a run: the lines that the gateway streams become one answer, or one reason why there is none.
//!
//! Limits: only what a first message needs. Proposals and approvals are not shown here, they are the inbox's business; they
//! only tell that the silence that follows is a person's or a tool's.

use serde_json::Value;

use crate::core::upstream::Trouble;
use crate::words;

/// More of an answer is not kept, bytes.
pub const KEEP: usize = 32 * 1024;

/// What a run has said so far. However much comes, only the start is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    run_id: String,
    /// The run has begun: the gateway wrote the message down.
    accepted: bool,
    text: String,
    /// Of everything that was said, kept or not.
    characters: u64,
    /// Something else came since the last piece of text: what follows is a new paragraph.
    paragraph: bool,
    /// More came than is kept.
    cut: bool,
    /// Of an `error` line, or of a status that says the run failed.
    error: String,
    /// A tool was proposed and has no result yet.
    tool: bool,
}

/// What a line meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// More will come.
    More,
    /// The run is over.
    End(Result<String, NoAnswer>),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The gateway is set not to run anything.
    RunLoopOff,
    /// Who is behind the gateway.
    Upstream(Trouble),
    /// Somebody ended the run.
    Cancelled,
    /// The run ended without a word.
    Empty,
    /// The stream says that it is complete, and that the run is not.
    Unfinished,
}

impl NoAnswer {
    /// Why, and what to do, in sentences. `who`: the model's provider.
    pub fn sentence(&self, who: &str) -> String {
        match self {
            Self::RunLoopOff => words::ask::GATEWAY_IS_SET_NOT_TO_ANSWER.to_owned(),
            Self::Upstream(trouble) => trouble.sentence(who),
            Self::Cancelled => words::ask::ANSWER_WAS_CANCELLED.to_owned(),
            Self::Empty => words::ask::ANSWER_WAS_EMPTY.to_owned(),
            Self::Unfinished => words::ask::GATEWAY_STOPPED_IN_MIDDLE.to_owned(),
        }
    }
}

/// A line that is not the protocol's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOurs;

impl Listener {
    /// The run's id; empty before the first line.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Whether the message is in the gateway's books: what ended before that never ran.
    pub const fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// Characters of the whole answer so far, and whether there are more than are kept.
    pub const fn measure(&self) -> (u64, bool) {
        (self.characters, self.cut)
    }

    /// The gateway's words about what went wrong; empty when it said none.
    pub fn error(&self) -> &str {
        &self.error
    }

    /// Whether a tool, or the person who has to allow it, is what the run waits for now.
    pub const fn waits_for_a_tool(&self) -> bool {
        self.tool
    }

    /// Takes one line.
    ///
    /// # Errors
    /// It is not JSON, or has no type.
    pub fn hear(&mut self, line: &[u8]) -> Result<Heard, NotOurs> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(Heard::More);
        }
        let line: Value = serde_json::from_slice(line).map_err(|_| NotOurs)?;
        let word = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        if self.run_id.is_empty() {
            self.run_id = word(&line, "run_id");
        }
        match line.get("type").and_then(Value::as_str) {
            Some("event") => {
                self.accepted = true;
                self.event(&line["event"]);
            }
            Some("error") => self.error = word(&line, "error"),
            Some("complete") => return Ok(Heard::End(self.end(&word(&line, "status")))),
            // `meta`, and what a later gateway may add.
            Some(_) => {}
            None => return Err(NotOurs),
        }
        Ok(Heard::More)
    }

    fn event(&mut self, event: &Value) {
        let kind = event.get("event_type").and_then(Value::as_str).unwrap_or_default();
        let fields = event.get(kind).unwrap_or(&Value::Null);
        let word = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
        match kind {
            "model_token" => self.say(word("token")),
            "tool_proposal" | "tool_approval_request" => self.tool = true,
            "tool_result" => (self.tool, self.paragraph) = (false, true),
            "status" if word("kind") == "failed" && self.error.is_empty() => {
                word("message").clone_into(&mut self.error)
            }
            _ => {}
        }
    }

    fn say(&mut self, piece: &str) {
        if std::mem::take(&mut self.paragraph) && !self.text.is_empty() && !self.cut {
            self.text.push_str("\n\n");
        }
        self.characters += piece.chars().count() as u64;
        if self.cut {
            return;
        }
        let mut end = KEEP.saturating_sub(self.text.len()).min(piece.len());
        while !piece.is_char_boundary(end) {
            end -= 1;
        }
        self.text.push_str(&piece[..end]);
        self.cut |= end < piece.len();
    }

    fn end(&mut self, status: &str) -> Result<String, NoAnswer> {
        let mut text = std::mem::take(&mut self.text).trim().to_owned();
        if self.cut {
            text.push('…');
        }
        match status {
            "done" if text.is_empty() => Err(NoAnswer::Empty),
            "done" => Ok(text),
            "cancelled" => Err(NoAnswer::Cancelled),
            "accepted" | "in_progress" | "unspecified" | "unknown" => Err(NoAnswer::Unfinished),
            _ if self.error.contains("run loop") && self.error.contains("disabled") => Err(NoAnswer::RunLoopOff),
            _ if self.error.is_empty() => Err(NoAnswer::Empty),
            _ => Err(NoAnswer::Upstream(Trouble::of_run(&self.error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(lines: &[&str]) -> Heard {
        let mut listener = Listener::default();
        let mut heard = Heard::More;
        for line in lines {
            assert_eq!(heard, Heard::More, "a line after the end");
            heard = listener.hear(line.as_bytes()).unwrap();
        }
        heard
    }

    fn token(text: &str) -> String {
        serde_json::json!({ "type": "event", "event": { "event_type": "model_token", "model_token": { "token": text } } })
            .to_string()
    }

    const DONE: &str = r#"{"type":"complete","run_id":"R","status":"done"}"#;
    const FAILED: &str = r#"{"type":"complete","run_id":"R","status":"failed"}"#;

    #[test]
    fn pieces_become_one_answer_and_turns_paragraphs() {
        let result = r#"{"type":"event","event":{"event_type":"tool_result","tool_result":{"success":true}}}"#;
        let lines = [&token("I will "), &token("look."), result, &token("Found it."), DONE];
        assert_eq!(listen(&lines), Heard::End(Ok("I will look.\n\nFound it.".to_owned())));
    }

    #[test]
    fn the_end_decides() {
        let off = r#"{"type":"error","run_id":"R","error":"orchestrator run loop v1 is disabled; set X=true"}"#;
        assert_eq!(listen(&[off, FAILED]), Heard::End(Err(NoAnswer::RunLoopOff)));
        let key = r#"{"type":"error","run_id":"R","error":"model provider request failed (class=auth_invalid)"}"#;
        let refused = Heard::End(Err(NoAnswer::Upstream(Trouble::Key)));
        assert_eq!(listen(&[&token("half"), key, FAILED]), refused);
        let status = r#"{"type":"event","event":{"event_type":"status","status":{"kind":"failed","message":"class=auth_invalid"}}}"#;
        assert_eq!(listen(&[status, FAILED]), refused);
        assert_eq!(listen(&[DONE]), Heard::End(Err(NoAnswer::Empty)));
        assert_eq!(listen(&[FAILED]), Heard::End(Err(NoAnswer::Empty)));
        let cancelled = r#"{"type":"complete","run_id":"R","status":"cancelled"}"#;
        assert_eq!(listen(&[&token("half"), cancelled]), Heard::End(Err(NoAnswer::Cancelled)));
    }

    #[test]
    fn accepted_is_what_has_an_event_and_a_complete_run_that_goes_on_is_not_over() {
        let mut listener = Listener::default();
        listener.hear(br#"{"type":"meta","run_id":"R","session_id":"S"}"#).unwrap();
        assert!(!listener.is_accepted());
        let accepted = br#"{"type":"event","event":{"event_type":"status","status":{"kind":"accepted"}}}"#;
        listener.hear(accepted).unwrap();
        assert!(listener.is_accepted());
        let complete = |status: &str| format!(r#"{{"type":"complete","run_id":"R","status":"{status}"}}"#);
        for status in ["accepted", "in_progress", "unknown", "unspecified"] {
            assert_eq!(listen(&[&token("half"), &complete(status)]), Heard::End(Err(NoAnswer::Unfinished)), "{status}");
        }
    }

    #[test]
    fn a_tool_and_the_person_who_allows_it_take_their_time() {
        let mut listener = Listener::default();
        let event = |kind: &str| format!(r#"{{"type":"event","event":{{"event_type":"{kind}","{kind}":{{}}}}}}"#);
        for (kind, waits) in [
            ("tool_proposal", true),
            ("tool_approval_request", true),
            ("tool_approval_response", true),
            ("tool_decision", true),
            ("tool_result", false),
        ] {
            listener.hear(event(kind).as_bytes()).unwrap();
            assert_eq!(listener.waits_for_a_tool(), waits, "{kind}");
        }
    }

    #[test]
    fn an_endless_answer_is_cut_at_a_character_and_nonsense_refused() {
        let mut listener = Listener::default();
        for _ in 0..3 {
            listener.hear(token(&"ä".repeat(KEEP / 3)).as_bytes()).unwrap();
        }
        let Ok(Heard::End(Ok(text))) = listener.hear(DONE.as_bytes()) else { panic!("no answer") };
        assert!(text.ends_with('…') && text.len() <= KEEP + "…".len(), "{}", text.len());
        assert_eq!(listener.measure(), (3 * (KEEP as u64 / 3), true), "all of it is counted");
        assert_eq!(listener.hear(b"<html>"), Err(NotOurs));
        assert_eq!(listener.hear(b"{}"), Err(NotOurs));
        assert_eq!(listener.hear(b" "), Ok(Heard::More));
    }
}
