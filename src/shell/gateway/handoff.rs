//! Minting a hand-off: the address at which a browser becomes signed in.

use std::fmt;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::Client;
use super::error::{ErrorKind, GatewayError};
use super::session::Signed;
use crate::protocol::Secret;
use crate::words;

/// An address that signs in whoever opens it. Never logged, shown, stored or put into an argument list.
#[derive(Clone)]
pub struct HandoffUrl(SecretString);

impl HandoffUrl {
    /// The address, for a `Location` header and nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The address, still wrapped.
    pub fn into_secret(self) -> SecretString {
        self.0
    }
}

impl fmt::Debug for HandoffUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandoffUrl(<redacted>)")
    }
}

#[derive(Deserialize)]
struct Minted {
    handoff_url: Secret,
}

impl Client {
    /// Mints a hand-off to `redirect_path` (see [`crate::core::place::redirect_path`]). Good for 60 s. An address that
    /// does not lead to this very gateway is refused.
    pub async fn mint_handoff(&self, redirect_path: &str) -> Result<HandoffUrl, GatewayError> {
        let body = json!({ "redirect_path": redirect_path });
        let call = Signed::post("/console/v1/auth/browser-handoff", &body, self.inner.timeouts.handoff);
        let answer = self.signed(&call).await?;
        let minted: Minted = answer.json()?;
        match check(minted.handoff_url.expose(), self.inner.port) {
            Ok(url) => Ok(HandoffUrl(url)),
            Err(why) => {
                let message = words::gateway::gateways_hand_off_address_was_refused(why);
                Err(GatewayError::new(ErrorKind::Protocol, Some(answer.status), true, message))
            }
        }
    }
}

fn check(url: &str, port: u16) -> Result<SecretString, &'static str> {
    let url = Url::parse(url).map_err(|_| words::common::IT_IS_NOT_ADDRESS)?;
    if url.scheme() != "http" {
        return Err(words::gateway::IT_IS_NOT_PLAIN_HTTP);
    }
    if url.host_str() != Some("127.0.0.1") {
        return Err(words::gateway::IT_LEADS_TO_ANOTHER_HOST);
    }
    if url.port_or_known_default() != Some(port) {
        return Err(words::gateway::IT_LEADS_TO_ANOTHER_PORT);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(words::common::IT_CARRIES_USER_NAME);
    }
    if url.path().len() < 2 {
        return Err(words::gateway::IT_HAS_NO_PATH);
    }
    if !url.query_pairs().any(|(name, value)| name == "token" && !value.trim().is_empty()) {
        return Err(words::gateway::IT_HAS_NO_TOKEN);
    }
    Ok(SecretString::from(String::from(url)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_gateway_is_a_destination() {
        assert!(check("http://127.0.0.1:7142/console/v1/auth/browser-handoff/consume?token=x", 7142).is_ok());
        for hostile in [
            "http://127.0.0.1:7143/c?token=x",
            "http://127.0.0.1/c?token=x",
            "https://127.0.0.1:7142/c?token=x",
            "http://localhost:7142/c?token=x",
            "http://evil.example:7142/c?token=x",
            "http://127.0.0.1:7142@evil.example/c?token=x",
            "http://a:b@127.0.0.1:7142/c?token=x",
            "http://127.0.0.1:7142/?token=x",
            "http://127.0.0.1:7142/c?token=",
            "http://127.0.0.1:7142/c",
            "javascript:alert(1)",
            "",
        ] {
            assert!(check(hostile, 7142).is_err(), "{hostile}");
        }
    }

    #[test]
    fn debug_does_not_tell_the_address() {
        let url = HandoffUrl(SecretString::from("http://127.0.0.1:1/c?token=hush"));
        assert!(!format!("{url:?}").contains("hush"));
    }
}
