//! The model's providers: how they stand, handing over a key, signing in by the browser, testing the connection.
//!
//! The gateway writes an accepted key into its vault and its config file, and the running gateway goes on with what it had:
//! only a restart brings a key or a sign-in into use. `configured` speaks of the config, `in_use` of the running gateway.
//!
//! Limits: global credentials only. A key is never asked back, and appears in no error.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Client;
use super::error::{ErrorKind, GatewayError};
use super::http::{Answer, Wiped};
use super::session::Signed;
use crate::core::upstream::{self, Remedy, Trouble};
use crate::protocol::Secret;
use crate::protocol::setup::{Provider, ProviderFacts, SignIn, SignInState};
use crate::words;

const PROVIDERS: &str = "/console/v1/auth/providers";
const PRESENCE: &str = "/console/v1/system/presence";
const TEST: &str = "/console/v1/models/test-connection";
/// More than any key has, and what the gateway's vault takes.
const KEY_MAX: usize = 4096;

/// What the running gateway talks to.
#[derive(Default)]
pub(super) struct Running {
    /// `deterministic`: nobody. Empty when it does not say.
    pub kind: String,
    /// It has nothing to sign in with.
    pub missing_auth: bool,
    profile: String,
}

/// What the gateway's config says of a provider.
#[derive(Deserialize)]
struct Configured {
    state: String,
    #[serde(default)]
    bootstrap_supported: bool,
    default_profile_id: Option<String>,
    note: Option<String>,
}

impl Client {
    /// How a provider stands.
    pub async fn provider(&self, provider: Provider) -> Result<ProviderFacts, GatewayError> {
        let running = self.running().await?;
        self.facts(provider, &running).await
    }

    /// How all of them stand.
    pub async fn providers(&self) -> Result<Vec<ProviderFacts>, GatewayError> {
        let running = self.running().await?;
        self.all_facts(&running).await
    }

    pub(super) async fn all_facts(&self, running: &Running) -> Result<Vec<ProviderFacts>, GatewayError> {
        let [first, second, third] = Provider::ALL.map(|provider| self.facts(provider, running));
        let (first, second, third) = tokio::try_join!(first, second, third)?;
        Ok(vec![first, second, third])
    }

    /// Hands over a key, which the gateway checks with the provider, stores and chooses. Gives the gateway's words. It is in
    /// use after a restart of the gateway.
    pub async fn set_provider_key(&self, provider: Provider, key: &Secret) -> Result<String, GatewayError> {
        let key = usable_key(provider, key)?;
        let profile = self.fresh_profile(provider).await?;
        let path = format!("{PROVIDERS}/{}/api-key", provider.id());
        let body = Wiped(json!({
            "profile_id": profile,
            "profile_name": provider.name(),
            "scope": { "kind": "global" },
            "api_key": key,
            "set_default": true,
        }));
        let call = Signed { hide: &[key], ..Signed::post(&path, &body, self.inner.timeouts.check_key) };
        let answer = self.signed(&call).await.map_err(|error| refused_check(error, provider.name()))?;
        words(&answer)
    }

    /// Begins a sign-in by the browser. Where its page leads is not looked at here. It is in use after it [succeeded](SignInState::Succeeded) and the gateway was
    /// restarted; a restart in between loses it.
    pub async fn begin_sign_in(
        &self,
        provider: Provider,
        client_id: Option<&str>,
        client_secret: Option<&Secret>,
    ) -> Result<SignIn, GatewayError> {
        #[derive(Deserialize)]
        struct Begun {
            attempt_id: String,
            authorization_url: String,
            expires_at_unix_ms: i64,
            #[serde(default)]
            message: String,
        }
        let who = provider.name();
        let client_id = client_id.map(str::trim).filter(|id| !id.is_empty());
        let client_secret = client_secret.map(|secret| secret.expose().trim()).filter(|secret| !secret.is_empty());
        if client_id.is_none() && provider.sign_in_needs_client_id() {
            return Err(unsent(ErrorKind::Invalid, no_client_id(who)));
        }
        let profile = self.fresh_profile(provider).await?;
        let path = format!("{PROVIDERS}/{}/bootstrap", provider.id());
        let mut body = Wiped(json!({
            "profile_id": profile,
            "profile_name": who,
            "scope": { "kind": "global" },
            "set_default": true,
        }));
        for (name, value) in [("client_id", client_id), ("client_secret", client_secret)] {
            if let Some(value) = value {
                body.0[name] = Value::from(value);
            }
        }
        let hide: Vec<&str> = client_secret.into_iter().collect();
        let call = Signed { hide: &hide, ..Signed::post(&path, &body, self.inner.timeouts.sign_in) };
        let answer = self.signed(&call).await.map_err(|error| match error.status {
            Some(400) if error.code == "required" => error.reworded(ErrorKind::Invalid, no_client_id(who)),
            Some(404 | 405) => error.reworded(ErrorKind::Invalid, words::set_up::has_no_sign_in_in_browser(who)),
            _ => refused_check(error, who),
        })?;
        let begun: Begun = answer.json()?;
        if !is_attempt(&begun.attempt_id) {
            return Err(answer.not_ours());
        }
        Ok(SignIn {
            attempt_id: begun.attempt_id,
            authorization_url: Secret::new(begun.authorization_url),
            opened: false,
            expires_at_unix_ms: begun.expires_at_unix_ms,
            note: upstream::sign_in_note(&begun.message, who),
        })
    }

    /// How a sign-in stands. An error means that it could not be found out, and it may be asked again.
    pub async fn sign_in_state(&self, provider: Provider, attempt_id: &str) -> Result<SignInState, GatewayError> {
        #[derive(Deserialize)]
        struct Stands {
            state: String,
            #[serde(default)]
            message: String,
        }
        if !is_attempt(attempt_id) {
            return Err(unsent(ErrorKind::Invalid, words::set_up::THAT_IS_NOT_ID_OF_SIGN.to_owned()));
        }
        let path = format!("{PROVIDERS}/{}/callback-state?attempt_id={attempt_id}", provider.id());
        let answer = match self.signed(&Signed::get(&path, self.inner.timeouts.sign_in)).await {
            Ok(answer) => answer,
            Err(error) if error.kind == ErrorKind::NotFound => {
                let why = words::set_up::GATEWAY_NO_LONGER_KNOWS_THIS_SIGN;
                return Ok(SignInState::Failed { why: why.to_owned() });
            }
            Err(error) => return Err(error),
        };
        let stands: Stands = answer.json()?;
        match stands.state.as_str() {
            "pending" => Ok(SignInState::Pending),
            "succeeded" => Ok(SignInState::Succeeded),
            "failed" => Ok(SignInState::Failed {
                why: answer.quoted(&upstream::failed_sign_in(&stands.message, provider.name())),
            }),
            _ => Err(answer.not_ours()),
        }
    }

    /// Whether the running gateway can talk to the provider. Gives one sentence that says it does.
    pub async fn test_provider(&self, provider: Provider) -> Result<String, GatewayError> {
        #[derive(Deserialize)]
        struct Tested {
            providers: Vec<Probe>,
        }
        #[derive(Deserialize)]
        struct Probe {
            kind: String,
            state: String,
            #[serde(default)]
            message: String,
        }
        let who = provider.name();
        let facts = self.provider(provider).await?;
        if !facts.in_use {
            return Err(unsent(ErrorKind::NotReady, not_in_use(&facts)));
        }
        let patience = self.inner.timeouts.test.as_millis().saturating_sub(3_000).max(500);
        let body = json!({ "timeout_ms": u64::try_from(patience).unwrap_or(u64::MAX) });
        let answer = self
            .signed(&Signed::post(TEST, &body, self.inner.timeouts.test))
            .await
            .map_err(|error| refused_check(error, who))?;
        let tested: Tested = answer.json()?;
        // With several in a hand-made registry, one that works is enough.
        let of_ours = |probe: &&Probe| probe.kind == kind(provider);
        let trouble = |probe: &Probe| Trouble::of_probe(&probe.state, &probe.message);
        let mut troubles: Vec<_> = tested.providers.iter().filter(of_ours).map(trouble).collect();
        if troubles.iter().any(Option::is_none) {
            return Ok(words::set_up::connection_to_works(who));
        }
        let trouble = troubles.drain(..).flatten().next().unwrap_or(Trouble::NoKey);
        Err(answer.troubled(&trouble, who))
    }

    /// What the running gateway talks to.
    pub(super) async fn running(&self) -> Result<Running, GatewayError> {
        let answer = self.signed(&Signed::get(PRESENCE, self.inner.timeouts.state)).await?;
        let body: Value = answer.json()?;
        let provider = body.pointer("/subsystems/model_provider").ok_or_else(|| answer.not_ours())?;
        let word = |key: &str| provider.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Running {
            kind: word("kind"),
            missing_auth: word("state") == "missing_auth",
            profile: word("auth_profile_id"),
        })
    }

    async fn facts(&self, provider: Provider, running: &Running) -> Result<ProviderFacts, GatewayError> {
        let path = format!("{PROVIDERS}/{}", provider.id());
        let answer = self.signed(&Signed::get(&path, self.inner.timeouts.state)).await?;
        let said: Configured = answer.json()?;
        let configured = match said.state.as_str() {
            "selected_profile" | "api_key_configured" => true,
            "not_configured" => false,
            _ => return Err(answer.not_ours()),
        };
        let in_use = configured
            && match said.default_profile_id {
                Some(profile) => profile == running.profile,
                None => !running.missing_auth && running.kind == kind(provider),
            };
        let note = said.note.unwrap_or_default();
        Ok(ProviderFacts { provider, configured, in_use, sign_in: said.bootstrap_supported, note })
    }

    /// Name for a credential: one of two of ours, and never the one that the running gateway holds, so that a new credential
    /// can be told from the one in use, and old ones do not pile up.
    async fn fresh_profile(&self, provider: Provider) -> Result<String, GatewayError> {
        let running = self.running().await.map_err(GatewayError::unsent)?.profile;
        let first = format!("palyra-tray-{}", provider.id());
        Ok(if running == first { format!("{first}-2") } else { first })
    }
}

impl Answer {
    /// A text of the gateway's for a person: one short line without what looks like a secret.
    pub(super) fn quoted(&self, text: &str) -> String {
        super::error::shorten(&super::error::redact(text, &[]))
    }

    /// The error for trouble that the gateway tells of in a good answer.
    pub(super) fn troubled(&self, trouble: &Trouble, who: &str) -> GatewayError {
        GatewayError::new(error_kind(trouble), Some(self.status), true, self.quoted(&trouble.sentence(who)))
    }
}

/// Class of an error that is somebody else's.
pub(super) const fn error_kind(trouble: &Trouble) -> ErrorKind {
    match trouble.remedy() {
        Remedy::Key => ErrorKind::KeyRefused,
        Remedy::Again => ErrorKind::Upstream,
    }
}

/// Words for a check that went wrong; what is the gateway's own trouble stays as it is.
pub(super) fn refused_check(error: GatewayError, who: &str) -> GatewayError {
    if error.kind == ErrorKind::Timeout {
        return error.reworded(ErrorKind::Upstream, Trouble::Slow.sentence(who));
    }
    if let Some(trouble) = Trouble::of_check(error.status.unwrap_or_default(), &error.code, &error.said) {
        return error.reworded(error_kind(&trouble), trouble.sentence(who));
    }
    busy(error)
}

/// Words for a gateway that is busy or not ready.
pub(super) fn busy(error: GatewayError) -> GatewayError {
    match error.status {
        Some(429) => error.reworded(ErrorKind::RateLimited, words::set_up::GATEWAY_GETS_TOO_MANY_REQUESTS_RIGHT),
        Some(503) => error.reworded(ErrorKind::Server, words::set_up::GATEWAY_IS_NOT_READY),
        _ => error,
    }
}

/// Why a provider cannot be asked yet.
pub(super) fn not_in_use(facts: &ProviderFacts) -> String {
    let who = facts.provider.name();
    if facts.configured {
        words::set_up::gateway_uses_only_after_restart(who)
    } else {
        words::set_up::is_not_connected_yet(who)
    }
}

pub(super) fn unsent(kind: ErrorKind, message: String) -> GatewayError {
    GatewayError::new(kind, None, false, message)
}

fn no_client_id(who: &str) -> String {
    words::set_up::lets_people_sign_in_only_through(who)
}

fn usable_key(provider: Provider, key: &Secret) -> Result<&str, GatewayError> {
    let who = provider.name();
    let key = key.expose().trim();
    if key.is_empty() {
        return Err(unsent(ErrorKind::Invalid, words::set_up::no_key_was_entered(who)));
    }
    if key.len() > KEY_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = words::set_up::that_does_not_look_like_key(who);
        return Err(unsent(ErrorKind::Invalid, words::set_up::copy_it_again(&message)));
    }
    Ok(key)
}

/// The gateway's word for what a provider speaks.
const fn kind(provider: Provider) -> &'static str {
    match provider {
        Provider::Openai => "openai_compatible",
        Provider::Anthropic | Provider::Minimax => "anthropic",
    }
}

fn words(answer: &Answer) -> Result<String, GatewayError> {
    #[derive(Deserialize)]
    struct Body {
        message: String,
    }
    let body: Body = answer.json()?;
    Ok(answer.quoted(&body.message))
}

/// It goes into an address as it is.
fn is_attempt(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 64
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_key_is_not_sent() {
        let check = |key: &str| usable_key(Provider::Openai, &Secret::new(key)).map(str::to_owned);
        assert_eq!(check("  sk-1 \n").unwrap(), "sk-1");
        for bad in ["", " \n", "sk 1", "sk-ä", "sk\u{0}1", &"x".repeat(KEY_MAX + 1)] {
            let error = check(bad).unwrap_err();
            assert!(error.kind == ErrorKind::Invalid && !error.sent, "{bad:?}");
            assert!(!error.message.contains("sk"), "{error}");
        }
        assert!(
            is_attempt("01m88d8d58ahjx3wgpwfzjzxfm")
                && !is_attempt("a/../b")
                && !is_attempt("a&b=c")
                && !is_attempt("")
        );
    }
}
