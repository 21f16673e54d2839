//! Messages: sent once with an id of ours, listened to as long as it takes, and found again by that id.
//!
//! The gateway has no key against a message that comes twice, but it keeps what is sent as `parameter_delta` with the run
//! and shows it with the transcript; a name that it does not know changes nothing. Texts of a transcript cannot be
//! compared: they are redacted.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::Client;
use super::error::{ErrorKind, GatewayError, redact, shorten};
use super::session::Signed;
use crate::core::answer::{Heard, KEEP, Listener};
use crate::core::ask::{Answer, Over, RunState, Session};
use crate::core::record::is_usable_id;
use crate::core::ulid::is_ulid;
use crate::words;

const SESSIONS: &str = "/console/v1/chat/sessions";
/// The newest sessions, where the title of the one that is used is looked up.
const NEWEST: &str = "/console/v1/sessions?limit=16&sort=updated_desc&include_archived=false";
/// Our name in a run's parameters.
const MARK: &str = "palyra_tray";
/// Largest transcript that is read, bytes: some thousand messages. Only read when an answer was lost.
const TRANSCRIPT_MAX: usize = 64 * 1024 * 1024;
/// The last events of a run; the reply is among them.
const LAST_EVENTS: u64 = 8;
/// Largest part of a run's record that is read, bytes; the gateway gives 2 MiB at most.
const EVENTS_MAX: usize = 4 * 1024 * 1024;
/// A stream that is silent is left to the supervision of its gateway, which ends it when the gateway hangs.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

#[derive(Deserialize)]
struct Transcript {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    run_id: String,
    state: String,
    #[serde(default)]
    last_error: Option<String>,
    updated_at_unix_ms: i64,
    #[serde(default)]
    parameter_delta_json: Option<String>,
    #[serde(default)]
    tape_events: u64,
}

impl Client {
    /// The session with this id or key. One that need not exist is made with this id.
    pub async fn open_session(&self, session: &str, existing: bool) -> Result<Session, GatewayError> {
        #[derive(Deserialize)]
        struct Body {
            session: Found,
        }
        #[derive(Deserialize)]
        struct Found {
            session_id: String,
            #[serde(default)]
            title: String,
            #[serde(default)]
            title_source: String,
        }
        let name = if is_ulid(session) { "session_id" } else { "session_key" };
        let body = json!({ name: session, "require_existing": existing });
        let answer = self.signed(&Signed::post(SESSIONS, &body, self.inner.timeouts.state)).await;
        let answer = answer.map_err(|error| match error.kind {
            ErrorKind::NotFound => GatewayError { message: words::gateway::there_is_no_session(session), ..error },
            _ => error,
        })?;
        let Body { session } = answer.json()?;
        if !is_usable_id(&session.session_id) {
            return Err(answer.not_ours());
        }
        // one that has no title yet is called by its key
        let title = if session.title_source == "session_key" { String::new() } else { session.title };
        Ok(Session { id: session.session_id, title })
    }

    /// Title of a session, where it has one and is among the newest.
    pub async fn session_title(&self, session_id: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Sessions {
            sessions: Vec<Row>,
        }
        #[derive(Deserialize)]
        struct Row {
            session_id: String,
            title: String,
            #[serde(default)]
            title_source: String,
        }
        let answer = self.signed(&Signed::get(NEWEST, self.inner.timeouts.list)).await.ok()?;
        let rows = answer.json::<Sessions>().ok()?.sessions;
        let row = rows.into_iter().find(|row| row.session_id == session_id && row.title_source != "session_key")?;
        Some(row.title).filter(|title| !title.is_empty())
    }

    /// Sends a message, once, and listens to the end of the stream. `accepted` hears of the run when it has begun.
    pub async fn send_message(
        &self,
        session_id: &str,
        message_id: &str,
        text: &str,
        accepted: impl FnOnce(String),
    ) -> Result<Over, GatewayError> {
        let path = format!("{SESSIONS}/{session_id}/messages/stream");
        let body = json!({ "text": text, "parameter_delta": { MARK: { "message_id": message_id } } });
        let call = Signed { max_body: usize::MAX, ..Signed::post(&path, &body, self.inner.timeouts.message) };
        let mut stream = self.signed_stream(&call).await?;
        let (mut listener, mut accepted) = (Listener::default(), Some(accepted));
        // what breaks off, or is no line of the protocol, leaves the run to be read
        while let Ok(Some(line)) = stream.next_line(FOR_EVER).await {
            let Ok(heard) = listener.hear(&line) else { break };
            if listener.is_accepted()
                && is_usable_id(listener.run_id())
                && let Some(accepted) = accepted.take()
            {
                accepted(listener.run_id().to_owned());
            }
            if let Heard::End(outcome) = heard {
                let (characters, cut) = listener.measure();
                return Ok(match outcome {
                    Ok(text) => Over::Answered(Answer { text, characters, cut }),
                    Err(why) => Over::NoAnswer { accepted: listener.is_accepted(), why },
                });
            }
        }
        Ok(Over::Broken)
    }

    /// The run of a message; none when the session's books have none.
    pub async fn find_message(&self, session_id: &str, message_id: &str) -> Result<Option<String>, GatewayError> {
        let path = format!("{SESSIONS}/{session_id}/transcript");
        let call = Signed { max_body: TRANSCRIPT_MAX, ..Signed::get(&path, self.inner.timeouts.list) };
        let transcript: Transcript = match self.signed(&call).await {
            Ok(answer) => answer.json()?,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let ours = |run: &Run| {
            let delta = run.parameter_delta_json.as_deref().unwrap_or_default();
            let delta: serde_json::Value = serde_json::from_str(delta).unwrap_or_default();
            delta[MARK]["message_id"] == message_id
        };
        Ok(transcript.runs.into_iter().find(|run| ours(run) && is_usable_id(&run.run_id)).map(|run| run.run_id))
    }

    /// How a run stands, and what it replied once it is done; none when the gateway knows no such run.
    pub async fn read_run(&self, run_id: &str) -> Result<Option<RunState>, GatewayError> {
        #[derive(Deserialize)]
        struct Status {
            run: Run,
        }
        let path = format!("/console/v1/chat/runs/{run_id}/status");
        let run = match self.signed(&Signed::get(&path, self.inner.timeouts.state)).await {
            Ok(answer) => answer.json::<Status>()?.run,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let answer = if run.state == "done" { self.reply_of(run_id, run.tape_events).await? } else { None };
        let error = shorten(&redact(&run.last_error.unwrap_or_default(), &[]));
        Ok(Some(RunState { state: run.state, error, answer, updated_at_unix_ms: run.updated_at_unix_ms }))
    }

    async fn reply_of(&self, run_id: &str, events: u64) -> Result<Option<Answer>, GatewayError> {
        #[derive(Deserialize)]
        struct Body {
            tape: Tape,
        }
        #[derive(Deserialize)]
        struct Tape {
            events: Vec<Event>,
        }
        #[derive(Deserialize)]
        struct Event {
            event_type: String,
            payload_json: String,
        }
        #[derive(Deserialize)]
        struct Reply {
            reply_text: String,
        }
        let after = events.saturating_sub(LAST_EVENTS + 1);
        let path = format!("/console/v1/chat/runs/{run_id}/events?after_seq={after}&limit=100");
        let call = Signed { max_body: EVENTS_MAX, ..Signed::get(&path, self.inner.timeouts.list) };
        let tape = self.signed(&call).await?.json::<Body>()?.tape;
        let reply = tape.events.into_iter().rev().find(|event| event.event_type == "message.replied");
        let reply = reply.and_then(|event| serde_json::from_str::<Reply>(&event.payload_json).ok());
        Ok(reply.map(|Reply { reply_text }| {
            let characters = reply_text.chars().count() as u64;
            let mut end = KEEP.min(reply_text.len());
            while !reply_text.is_char_boundary(end) {
                end -= 1;
            }
            let cut = end < reply_text.len();
            let text = reply_text[..end].trim().to_owned();
            Answer { text: if cut { format!("{text}…") } else { text }, characters, cut }
        }))
    }
}
