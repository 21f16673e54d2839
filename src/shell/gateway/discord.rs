//! Connecting a Discord bot: look, connect, send a test message, and how it stands.
//!
//! The gateway writes its config file when a bot is connected, and its rules for who may write to the bot are in use after a
//! restart. Limits: the account `default`, direct messages only, each sender paired by a person: what is safe to begin with.

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Client;
use super::error::{ErrorKind, GatewayError};
use super::http::{Answer, Wiped};
use super::providers::{refused_check, unsent};
use super::session::Signed;
use crate::core::discord;
use crate::core::upstream::Trouble;
use crate::protocol::Secret;
use crate::protocol::setup::DiscordAnswer;
use crate::words;

const CONNECTOR: &str = "/console/v1/channels/discord%3Adefault";
const ONBOARDING: &str = "/console/v1/channels/discord/onboarding";
const WHO: &str = "Discord";
/// More than any token has.
const TOKEN_MAX: usize = 1024;

#[derive(Deserialize)]
struct Preflight {
    bot: Bot,
    #[serde(default)]
    invite_url_template: String,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Bot {
    username: String,
}

impl Client {
    /// Looks at a bot without changing anything.
    pub async fn discord_probe(&self, token: &Secret) -> Result<DiscordAnswer, GatewayError> {
        let answer = self.discord(&format!("{ONBOARDING}/probe"), token, self.inner.timeouts.discord_probe).await?;
        let preflight: Preflight = answer.json()?;
        Ok(told(&answer, preflight, Vec::new()))
    }

    /// Connects the bot. Restart the gateway afterwards: only then its rules are in use.
    pub async fn discord_apply(&self, token: &Secret) -> Result<DiscordAnswer, GatewayError> {
        #[derive(Deserialize)]
        struct Applied {
            preflight: Preflight,
            #[serde(default)]
            inbound_monitor_warnings: Vec<String>,
        }
        let answer = self.discord(&format!("{ONBOARDING}/apply"), token, self.inner.timeouts.discord_apply).await?;
        let applied: Applied = answer.json()?;
        Ok(told(&answer, applied.preflight, applied.inbound_monitor_warnings))
    }

    /// Sends a test message to a channel.
    pub async fn discord_verify(&self, target: &str) -> Result<DiscordAnswer, GatewayError> {
        #[derive(Deserialize)]
        struct Sent {
            dispatch: Dispatch,
            #[serde(default)]
            runtime: Value,
        }
        #[derive(Deserialize)]
        struct Dispatch {
            delivered: u64,
        }
        let target = target.trim();
        if !(16..=24).contains(&target.len()) || !target.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = words::set_up::discord::THAT_IS_NOT_CHANNELS_ID;
            return Err(unsent(ErrorKind::Invalid, message.to_owned()));
        }
        let body = json!({ "target": target, "text": words::set_up::discord::HELLO, "confirm": true });
        let path = format!("{CONNECTOR}/test-send");
        let answer =
            self.signed(&Signed::post(&path, &body, self.inner.timeouts.discord_apply)).await.map_err(|error| {
                match error.kind {
                    // 412
                    ErrorKind::NotBound => {
                        error.reworded(ErrorKind::NotReady, words::set_up::discord::BOT_IS_NOT_CONNECTED)
                    }
                    _ => refused(error),
                }
            })?;
        let sent: Sent = answer.json()?;
        if sent.dispatch.delivered == 0 {
            let message = words::set_up::discord::DISCORD_DID_NOT_TAKE_MESSAGE;
            return Err(GatewayError::new(ErrorKind::Upstream, Some(answer.status), true, message));
        }
        let bot = sent.runtime.pointer("/bot_identity/username").and_then(Value::as_str).unwrap_or_default();
        Ok(DiscordAnswer { bot: answer.quoted(bot), invite_url: String::new(), notes: Vec::new() })
    }

    /// How Discord stands: `ready`, `not_connected`, or what is wrong in words.
    pub async fn discord_state(&self) -> Result<String, GatewayError> {
        #[derive(Deserialize)]
        struct Body {
            connector: Connector,
        }
        #[derive(Deserialize)]
        struct Connector {
            enabled: bool,
            readiness: String,
            liveness: String,
            last_error: Option<String>,
        }
        let answer = match self.signed(&Signed::get(CONNECTOR, self.inner.timeouts.state)).await {
            Ok(answer) => answer,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(discord::NOT_CONNECTED.to_owned()),
            Err(error) => return Err(error),
        };
        let Body { connector } = answer.json()?;
        let words = discord::state(
            connector.enabled,
            &connector.readiness,
            &connector.liveness,
            connector.last_error.as_deref().unwrap_or_default(),
        );
        Ok(answer.quoted(&words))
    }

    async fn discord(&self, path: &str, token: &Secret, timeout: std::time::Duration) -> Result<Answer, GatewayError> {
        let token = token.expose().trim();
        if token.is_empty() || token.len() > TOKEN_MAX || !token.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
            let message = words::set_up::discord::THAT_IS_NOT_BOTS_TOKEN;
            return Err(unsent(ErrorKind::Invalid, message.to_owned()));
        }
        let body = Wiped(json!({
            "token": token,
            "mode": "local",
            "inbound_scope": "dm_only",
            "require_mention": true,
            "direct_message_policy": "pairing",
            "broadcast_strategy": "deny",
        }));
        let hide = [token, token.trim_start_matches("Bot ").trim_start_matches("bot ").trim()];
        let call = Signed { hide: &hide, ..Signed::post(path, &body, timeout) };
        self.signed(&call).await.map_err(refused)
    }
}

fn refused(error: GatewayError) -> GatewayError {
    match Trouble::of_check(error.status.unwrap_or_default(), &error.code, &error.said) {
        Some(Trouble::Key) => error.reworded(ErrorKind::KeyRefused, words::set_up::discord::TOKEN_REFUSED),
        _ => refused_check(error, WHO),
    }
}

fn told(answer: &Answer, preflight: Preflight, more: Vec<String>) -> DiscordAnswer {
    let mut notes = Vec::new();
    for warning in preflight.warnings.iter().chain(&more) {
        if let Some(note) = discord::note(warning).map(|note| answer.quoted(&note))
            && !notes.contains(&note)
        {
            notes.push(note);
        }
    }
    DiscordAnswer {
        bot: answer.quoted(&preflight.bot.username),
        invite_url: invite(&preflight.invite_url_template),
        notes,
    }
}

/// Only Discord's own address is handed on.
fn invite(url: &str) -> String {
    match Url::parse(url) {
        Ok(parsed)
            if parsed.scheme() == "https"
                && parsed.host_str() == Some("discord.com")
                && parsed.username().is_empty()
                && parsed.password().is_none() =>
        {
            parsed.into()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_leads_to_discord() {
        let good = "https://discord.com/oauth2/authorize?client_id=1&scope=bot&permissions=2";
        assert_eq!(invite(good), good);
        for hostile in ["https://discord.com.evil.example/", "http://discord.com/x", "https://a@discord.com/", "x", ""]
        {
            assert_eq!(invite(hostile), "", "{hostile}");
        }
    }
}
