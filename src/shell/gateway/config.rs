//! What the running gateway thinks of its config file: it refuses to start with one that it does not understand.

use std::path::Path;

use serde_json::json;

use super::Client;
use super::error::{ErrorKind, GatewayError};
use super::session::Signed;

use crate::words;

/// Longest reason that is told, characters: the gateway names every key that it would have taken.
const REASON_CHARS: usize = 160;

impl Client {
    /// Why a gateway would not start with this file, in words that repeat nothing of it but keys; `None`: it would. It is read
    /// by the gateway itself, so only a gateway on this machine can tell.
    ///
    /// # Errors
    /// The gateway does not tell.
    pub async fn refuses_config(&self, path: &Path) -> Result<Option<String>, GatewayError> {
        let body = json!({ "path": path });
        let call = Signed::post("/console/v1/config/validate", &body, self.inner.timeouts.state);
        match self.signed(&call).await {
            Ok(_) => Ok(None),
            Err(error) if error.kind == ErrorKind::Invalid => Ok(Some(reason(&error.message))),
            Err(error) => Err(error),
        }
    }
}

/// An error of the gateway's about TOML quotes the line before its reason, and that line may hold a secret.
fn reason(message: &str) -> String {
    let quotes = message.contains("TOML parse error") || message.contains(" | ");
    let reason = match (quotes, message.rsplit_once('^')) {
        (false, _) => message,
        (true, Some((_, reason))) => reason,
        (true, None) => words::common::GATEWAY_DOES_NOT_SAY_WHY,
    };
    let reason = reason.split(", expected one of").next().unwrap_or_default().trim().trim_end_matches('.');
    // keys stand in backquotes, values in these
    let parts = reason.split('"').enumerate();
    let reason: String = parts.map(|(n, part)| if n % 2 == 0 { part } else { "\"…\"" }).collect();
    let reason = if reason.is_empty() { words::common::GATEWAY_DOES_NOT_SAY_WHY } else { reason.as_str() };
    match reason.char_indices().nth(REASON_CHARS) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_repeats_no_line_of_the_file() {
        let quoted = "invalid daemon config schema: TOML parse error at line 2, column 1   | 2 | tokne = \"s3cret\"   | \
                      ^^^^^ unknown field `tokne`, expected one of `require_auth`, `auth_token`";
        assert_eq!(reason(quoted), "unknown field `tokne`");
        assert_eq!(
            reason("TOML parse error at line 2, column 1   | 2 | tokne = \"s3cr…"),
            "the gateway does not say why"
        );
        assert_eq!(
            reason("… | ^^^ invalid type: string \"s3cret\", expected u16"),
            "invalid type: string \"…\", expected u16"
        );
        assert_eq!(reason("invalid daemon bind address or port: no."), "invalid daemon bind address or port: no");
    }
}
