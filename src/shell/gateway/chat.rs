//! The first message: asked in a session of its own, listened to until the run is over.
//!
//! Limits: one message, one answer; no attachments, no history. A long run is no failure: what is limited is silence, and how
//! much may come. When the caller stops listening, a run that waits for a person's approval is given up by the gateway.

use serde::Deserialize;
use serde_json::json;

use super::Client;
use super::error::{ErrorKind, GatewayError, redact, shorten};
use super::http::Cut;
use super::providers::{Running, busy, error_kind, not_in_use, unsent};
use super::session::Signed;
use crate::core::answer::{Heard, Listener, NoAnswer};
use crate::protocol::setup::{FirstAnswer, ProviderFacts};
use crate::words;

const SESSIONS: &str = "/console/v1/chat/sessions";
/// Most that is read of one run, bytes: a few hundred pages.
const STREAM_MAX: usize = 4 * 1024 * 1024;
/// Longest message, bytes; the gateway takes 64 KiB for the whole request.
const TEXT_MAX: usize = 16 * 1024;

impl Client {
    /// Sends a message and waits for the whole answer. Refused before it is sent when the running gateway talks to nobody,
    /// because then it repeats what it is told and calls that an answer.
    pub async fn first_message(&self, text: &str) -> Result<FirstAnswer, GatewayError> {
        let text = text.trim();
        if text.is_empty() || text.len() > TEXT_MAX {
            let what = if text.is_empty() { words::ask::EMPTY_MESSAGE } else { words::ask::MESSAGE_IS_TOO_LONG };
            return Err(unsent(ErrorKind::Invalid, words::ask::write_short_one(what)));
        }
        let running = self.running().await.map_err(GatewayError::unsent)?;
        let providers = self.all_facts(&running).await.map_err(GatewayError::unsent)?;
        let who = partner(&running, &providers).map_err(|why| unsent(ErrorKind::NotReady, why))?;
        let session_id = self.first_session().await.map_err(busy)?;
        let path = format!("{SESSIONS}/{session_id}/messages/stream");
        let body = json!({ "text": text });
        let call = Signed { max_body: STREAM_MAX, ..Signed::post(&path, &body, self.inner.timeouts.message) };
        let mut stream = self.signed_stream(&call).await.map_err(busy)?;
        let mut listener = Listener::default();
        loop {
            let limits = &self.inner.timeouts;
            let silence = if listener.waits_for_a_tool() { limits.tool_silence } else { limits.silence };
            let line = match stream.next_line(silence).await {
                Ok(Some(line)) => line,
                Ok(None) | Err(Cut::Half) => {
                    return Err(lost(words::ask::GATEWAY_STOPPED_IN_MIDDLE));
                }
                Err(Cut::Oversized) => return Err(lost(words::ask::ANSWER_DOES_NOT_END)),
                Err(Cut::Silence(silence)) => {
                    let message = words::ask::nothing_came_for_s(silence.as_secs());
                    return Err(GatewayError::new(ErrorKind::Timeout, Some(200), true, message));
                }
            };
            let heard = listener.hear(&line).map_err(|_| lost(words::ask::GATEWAY_ANSWERED_WITH_SOMETHING))?;
            match heard {
                Heard::More => {}
                Heard::End(Ok(text)) => {
                    return Ok(FirstAnswer { text, session_id, run_id: listener.run_id().to_owned() });
                }
                Heard::End(Err(why)) => return Err(no_answer(&why, who)),
            }
        }
    }

    async fn first_session(&self) -> Result<String, GatewayError> {
        #[derive(Deserialize)]
        struct Body {
            session: Session,
        }
        #[derive(Deserialize)]
        struct Session {
            session_id: String,
        }
        let body = json!({ "session_label": words::common::FIRST_MESSAGE });
        let answer = self.signed(&Signed::post(SESSIONS, &body, self.inner.timeouts.state)).await?;
        let created: Body = answer.json()?;
        let id = created.session.session_id;
        // It goes into an address as it is.
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(answer.not_ours());
        }
        Ok(id)
    }
}

/// Whom the running gateway talks to; or why nobody would answer.
fn partner(running: &Running, providers: &[ProviderFacts]) -> Result<&'static str, String> {
    if let Some(used) = providers.iter().find(|provider| provider.in_use) {
        return Ok(used.provider.name());
    }
    if let Some(chosen) = providers.iter().find(|provider| provider.configured) {
        return Err(not_in_use(chosen));
    }
    if running.kind == "deterministic" || running.missing_auth {
        return Err(words::ask::NO_MODEL_PROVIDER_IS_CONNECTED_YET.to_owned());
    }
    // Set up by hand, in a way that is not ours.
    Ok(words::ask::MODELS_PROVIDER)
}

fn no_answer(why: &NoAnswer, who: &str) -> GatewayError {
    let kind = match why {
        NoAnswer::RunLoopOff => ErrorKind::NotReady,
        NoAnswer::Upstream(trouble) => error_kind(trouble),
        NoAnswer::Cancelled | NoAnswer::Empty | NoAnswer::Unfinished => ErrorKind::Upstream,
    };
    GatewayError::new(kind, Some(200), true, shorten(&redact(&why.sentence(who), &[])))
}

fn lost(message: &str) -> GatewayError {
    GatewayError::protocol(200, message)
}
