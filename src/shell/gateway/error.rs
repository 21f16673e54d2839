//! Why a call of the gateway failed, in one sentence for a person that carries no secret.

use std::time::Duration;

/// Longest message of an error, in characters.
const MAX_MESSAGE_CHARS: usize = 300;
/// A run of token characters of this length in a message is taken for a secret; ids have 26.
const SECRET_RUN_CHARS: usize = 32;
/// Classes of failure of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Nothing listens, or the connection ended without an answer.
    Unreachable,
    /// No whole answer in time.
    Timeout,
    /// 401: the token is not accepted.
    Unauthorized,
    /// 403: no session, or not allowed.
    Forbidden,
    /// 412: the gateway has no principal bound, so it lets nobody sign in.
    NotBound,
    /// 404
    NotFound,
    /// 429: come back later.
    RateLimited,
    /// Another 4xx, or a request that was refused before it was sent.
    Invalid,
    /// 5xx
    Server,
    /// An answer that is not the gateway's: not JSON, cut off, too large, a redirect.
    Protocol,
    /// The model's provider, or Discord, does not accept the key or token: it has to be entered again.
    KeyRefused,
    /// The gateway works, but who is behind it (the model's provider, Discord) does not: try again later.
    Upstream,
    /// Something has to be set up or restarted first.
    NotReady,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct GatewayError {
    /// What to do about it depends on this alone.
    pub kind: ErrorKind,
    /// HTTP status, when there was one.
    pub status: Option<u16>,
    /// One sentence for a person, without secrets, at most 300 characters.
    pub message: String,
    /// Whether the request may have reached the gateway. False means that it certainly did nothing.
    pub sent: bool,
    /// How long the gateway wants to be left alone, when it says so in seconds.
    pub retry_after: Option<Duration>,
    pub(super) oversized: bool,
    /// The gateway's words about the request, secrets taken out; empty when it said nothing.
    pub(super) said: String,
    /// Code of the first thing that the gateway found wrong with the request, e.g. `invalid_credential`; else empty.
    pub(super) code: String,
}

impl GatewayError {
    pub(super) fn new(kind: ErrorKind, status: Option<u16>, sent: bool, message: impl Into<String>) -> Self {
        let message = shorten(&message.into());
        Self {
            kind,
            status,
            message,
            sent,
            retry_after: None,
            oversized: false,
            said: String::new(),
            code: String::new(),
        }
    }

    /// An answer that is not the gateway's.
    pub(super) fn protocol(status: u16, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, Some(status), true, message)
    }

    /// The same failure in words that say what to do about it.
    pub(super) fn reworded(self, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: shorten(&message.into()), ..self }
    }

    /// The same failure of a request that came before the one that matters.
    pub(super) fn unsent(self) -> Self {
        Self { sent: false, ..self }
    }

    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.kind, ErrorKind::Unauthorized | ErrorKind::Forbidden)
    }
}

/// Takes the given secrets out of a text, and whatever looks like one.
pub(super) fn redact(text: &str, secrets: &[&str]) -> String {
    const GONE: &str = "<redacted>";
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, GONE);
    }
    let is_token_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/' | '=');
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_token_char(c) != is_token_char(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let is_secret = is_token_char(first) && run.split('/').any(|part| part.len() >= SECRET_RUN_CHARS);
        out.push_str(if is_secret { GONE } else { run });
        rest = after;
    }
    out
}

/// One line of at most [`MAX_MESSAGE_CHARS`].
pub(super) fn shorten(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    if line.chars().count() <= MAX_MESSAGE_CHARS {
        return line.to_owned();
    }
    line.chars().take(MAX_MESSAGE_CHARS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_hold_no_secret_and_stay_short() {
        let token = "short!secret";
        let said = format!("bad token {token} at {} for 01M81DE5FWB4J6RH34QSC0S6Q6", "x9".repeat(21));
        let message = redact(&said, &[token]);
        assert_eq!(message, "bad token <redacted> at <redacted> for 01M81DE5FWB4J6RH34QSC0S6Q6");
        assert_eq!(redact("/console/v1/approvals/01M81DE5FWB4J6RH34QSC0S6Q6/decision", &[]).len(), 57);
        let error = GatewayError::new(ErrorKind::Server, None, true, "a\nb".repeat(500));
        assert_eq!(error.message.chars().count(), 300);
        assert!(!error.message.contains('\n'));
    }
}
