//! Model providers: keys, the connection test, and who answers. Signing in is in [`super::sign_in`].
//!
//! As in the real gateway, an accepted key is written to the config file, and the running gateway goes on with what it read
//! when it started.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Json, Path, State};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Gateway;
use super::config_file::Chosen;
use super::console::{Reader, Writer};
use super::error::ApiError;
use super::fate::Fate;
use super::kept::Profile;
use super::system::contract;
use crate::demo::process;

/// Routes of providers.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/console/v1/auth/providers/{provider}", get(state))
        .route("/console/v1/auth/providers/{provider}/api-key", post(api_key))
        .route("/console/v1/models/test-connection", post(test))
}

/// After so many failures in a row the provider is left alone …
const PATIENCE: u32 = 3;
/// … for so long.
const REST: Duration = Duration::from_secs(30);

/// Who answers, as read at the start.
pub struct Partner {
    /// `None`: nobody, the gateway repeats what it is told.
    pub chosen: Option<Chosen>,
    source: String,
    fate: Fate,
    offline: bool,
    history: Mutex<History>,
}

/// How it went so far.
#[derive(Default)]
struct History {
    requests: u64,
    failures: u64,
    in_a_row: u32,
    rests_until: Option<Instant>,
}

impl Partner {
    /// Reads it.
    pub fn resolve(chosen: Option<Chosen>, profile: Option<Profile>, offline: bool) -> Self {
        let (source, fate) = match profile {
            Some(profile) => (profile.source, profile.fate),
            None => ("auth_profile_api_key".to_owned(), Fate::Good),
        };
        let fate = if offline { Fate::Offline } else { fate };
        Self { chosen, source, fate, offline, history: Mutex::default() }
    }

    /// Why a gateway that has to ask this one does not start without the internet.
    pub fn refusal(&self) -> Option<String> {
        let chosen = self.chosen.as_ref().filter(|_| self.offline)?;
        let host = host(&chosen.provider);
        let cause = format!(
            "model_provider.openai_base_url host '{host}' could not be resolved to enforce private-network guard: failed to \
             lookup address information: Name or service not known; set model_provider.allow_private_base_url=true or \
             PALYRA_MODEL_PROVIDER_ALLOW_PRIVATE_BASE_URL=true to override for trusted local testing"
        );
        Some(match chosen.provider.as_str() {
            "openai" => cause,
            _ => format!("failed to resolve retrieval embeddings runtime\n\nCaused by:\n    {cause}"),
        })
    }

    /// One question to the model: `Err` is what the run fails with.
    pub fn ask(&self) -> Result<(), String> {
        let Some(chosen) = &self.chosen else { return Ok(()) };
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(until) = history.rests_until {
            if now < until {
                let left = (until - now).as_millis();
                return Err(format!("model provider circuit breaker is open; retry after {left}ms"));
            }
            (history.rests_until, history.in_a_row) = (None, 0);
        }
        history.requests += 1;
        let (family, path) = match chosen.provider.as_str() {
            "openai" => ("openai-compatible", "v1/chat/completions"),
            _ => ("anthropic", "v1/messages"),
        };
        let body = |kind: &str, message: &str| {
            format!(
                "{{\"type\": \"error\", \"error\": {{\"type\": \"{kind}\", \"code\": \"{kind}\", \"message\": \"{message}\"}}}}"
            )
        };
        let (after, class, action, status, said) = match self.fate {
            Fate::Good => return Ok(()),
            Fate::Wrong => {
                let message = "Incorrect API key provided: sk-lat***. You can find your API key in the console.";
                (0, "auth_invalid", "rotate_credential", 401, body("invalid_api_key", message))
            }
            Fate::Busy => {
                let message = "Rate limit reached for requests.";
                (2, "rate_limited", "budget_re_evaluate", 429, body("rate_limit_exceeded", message))
            }
            Fate::Down => {
                let message = "The service is overloaded.";
                (2, "transient_upstream", "retry", 503, body("overloaded_error", message))
            }
            Fate::Offline => (2, "network_unavailable", "retry", 0, String::new()),
        };
        history.failures += 1;
        history.in_a_row += 1;
        if history.in_a_row >= PATIENCE {
            history.rests_until = Some(now + REST);
        }
        let what = if status == 0 {
            format!(
                "{family} request failed: error sending request for url (https://{}/{path})",
                host(&chosen.provider)
            )
        } else {
            format!("{family} endpoint returned HTTP {status}: {said}")
        };
        Err(format!(
            "model provider request failed after {after} retries (retryable={}, class={class}, action={action}): {what}",
            after > 0
        ))
    }

    /// For `presence`.
    pub fn presence(&self) -> Value {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let (requests, failures) = (history.requests, history.failures);
        let state = match &self.chosen {
            None => "missing_auth",
            Some(_) if failures > 0 => "degraded",
            Some(_) => "ready",
        };
        json!({
            "state": state,
            "kind": self.chosen.as_ref().map_or("deterministic", |chosen| kind(&chosen.provider)),
            "auth_profile_id": self.chosen.as_ref().map(|chosen| &chosen.profile),
            "credential_source": self.chosen.as_ref().map(|_| &self.source),
            "runtime_metrics": {
                "request_count": requests, "error_count": failures,
                "error_rate_bps": (failures * 10_000).checked_div(requests).unwrap_or_default(),
                "total_retry_attempts": 0, "total_prompt_tokens": 0, "total_completion_tokens": 0,
                "avg_prompt_tokens_per_run": 0, "avg_completion_tokens_per_run": 0, "last_latency_ms": 0,
                "avg_latency_ms": 0, "max_latency_ms": 0,
            },
        })
    }
}

/// The gateway's word for what a provider speaks.
pub fn kind(provider: &str) -> &'static str {
    if provider == "openai" { "openai_compatible" } else { "anthropic" }
}

/// For people; `None` for a provider that does not exist.
pub fn name(provider: &str) -> Option<&'static str> {
    match provider {
        "openai" => Some("OpenAI"),
        "anthropic" => Some("Anthropic"),
        "minimax" => Some("MiniMax"),
        _ => None,
    }
}

/// 404 for a provider that does not exist.
pub fn known(provider: &str) -> Result<&'static str, ApiError> {
    name(provider).ok_or_else(|| ApiError::not_found(format!("provider not found: {provider}")))
}

fn host(provider: &str) -> &'static str {
    match provider {
        "openai" => "api.openai.com",
        "anthropic" => "api.anthropic.com",
        _ => "api.minimax.io",
    }
}

async fn state(
    State(gateway): State<Arc<Gateway>>,
    Reader(_): Reader,
    Path(provider): Path<String>,
) -> Result<Json<Value>, ApiError> {
    known(&provider)?;
    let oauth = provider != "anthropic";
    let profiles = gateway.keeper.get().profiles;
    let ids: Vec<_> = profiles.iter().filter(|(_, p)| p.provider == provider).map(|(id, _)| id).collect();
    let chosen = gateway.config.chosen().filter(|chosen| chosen.provider == provider);
    let mut body = json!({
        "contract": contract(), "provider": provider, "oauth_supported": oauth, "bootstrap_supported": oauth,
        "callback_supported": oauth, "reconnect_supported": oauth, "revoke_supported": true,
        "default_selection_supported": true, "available_profile_ids": ids,
        "state": if chosen.is_some() { "selected_profile" } else { "not_configured" },
    });
    if let Some(chosen) = chosen {
        body["default_profile_id"] = json!(chosen.profile);
    }
    Ok(Json(body))
}

#[derive(Deserialize)]
struct KeyRequest {
    profile_id: Option<String>,
    #[serde(rename = "profile_name")]
    _profile_name: String,
    #[serde(rename = "scope")]
    _scope: Value,
    api_key: String,
    #[serde(default)]
    set_default: bool,
}

async fn api_key(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Path(provider): Path<String>,
    Json(request): Json<KeyRequest>,
) -> Result<Json<Value>, ApiError> {
    set_key(&gateway, &provider, &request).map(Json)
}

fn set_key(gateway: &Gateway, provider: &str, request: &KeyRequest) -> Result<Value, ApiError> {
    let who = known(provider)?;
    let key = request.api_key.trim();
    if key.is_empty() {
        let message = "api_key is required";
        return Err(ApiError::field(message, "api_key", "required", message));
    }
    let fate = if gateway.settings.offline { Fate::Offline } else { Fate::at_check(key) };
    let unavailable = || format!("{who} credential validation is temporarily unavailable");
    let refusal = match fate {
        Fate::Good => None,
        Fate::Wrong => {
            let message = format!("{who} credential is invalid or does not have the required access.");
            return Err(ApiError::field("<redacted>", "api_key", "invalid_credential", message));
        }
        Fate::Busy => Some(ApiError::rate_limited(format!("{who} credential validation was rate limited"))),
        Fate::Down => Some(ApiError::unavailable(unavailable())),
        Fate::Offline if provider == "openai" => Some(ApiError::unavailable(unavailable())),
        Fate::Offline => {
            let path = if provider == "anthropic" { "v1/models" } else { "anthropic/v1/messages" };
            Some(ApiError::internal(format!(
                "{who} credential validation failed: error sending request for url (https://{}/{path})",
                host(provider)
            )))
        }
    };
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    let id = request.profile_id.clone().unwrap_or_else(|| fresh_id(provider));
    let profile =
        Profile { provider: provider.to_owned(), source: "auth_profile_api_key".to_owned(), fate: Fate::in_use(key) };
    accept(gateway, &id, profile, request.set_default)?;
    let (state, message) = if request.set_default {
        ("selected", format!("{who} API key profile saved and selected as the default auth profile."))
    } else {
        ("saved", format!("{who} API key profile saved."))
    };
    Ok(json!({
        "contract": contract(), "provider": provider, "action": "api_key", "state": state, "message": message,
        "profile_id": id,
    }))
}

/// A profile id like the real gateway's.
pub fn fresh_id(provider: &str) -> String {
    format!("{provider}-{}", crate::demo::ids::ulid().to_lowercase())
}

/// Keeps a credential and, if wanted, chooses it.
pub fn accept(gateway: &Gateway, id: &str, profile: Profile, choose: bool) -> Result<(), ApiError> {
    let provider = profile.provider.clone();
    let kept = gateway.keeper.change(|kept| drop(kept.profiles.insert(id.to_owned(), profile)));
    kept.map_err(|error| ApiError::internal(format!("failed to store provider secret: {error}")))?;
    if choose {
        let path = gateway.config.path().display();
        gateway
            .config
            .choose(id, &provider)
            .map_err(|error| ApiError::internal(format!("failed to persist config {path}: {error}")))?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct TestRequest {
    timeout_ms: Option<u64>,
}

/// As the real one: what the config chooses, seen through the running gateway when that speaks the same language.
async fn test(State(gateway): State<Arc<Gateway>>, Writer(_): Writer, Json(request): Json<TestRequest>) -> Json<Value> {
    let timeout = request.timeout_ms.unwrap_or(5_000).clamp(500, 30_000);
    let chosen = gateway.config.chosen();
    let kind = chosen.as_ref().map_or("deterministic", |chosen| kind(&chosen.provider));
    let mut probe = json!({
        "provider_id": match kind {
            "openai_compatible" => "openai-primary",
            "anthropic" => "anthropic-primary",
            _ => "deterministic-primary",
        },
        "kind": kind, "enabled": true, "credential_source": "none", "state": "unsupported",
        "message": "deterministic provider does not expose a remote models endpoint",
        "checked_at_unix_ms": process::unix_ms(), "cache_status": "live", "discovery_source": "registry",
        "discovered_model_ids": [], "configured_model_ids": [],
    });
    if let Some(chosen) = chosen {
        let running = gateway.partner.chosen.as_ref().filter(|running| self::kind(&running.provider) == kind);
        let profile = &running.unwrap_or(&chosen).profile;
        let fate = gateway.keeper.get().profiles.get(profile).map_or(Fate::Good, |profile| profile.fate);
        let fate = if gateway.settings.offline { Fate::Offline } else { fate };
        let address = format!("https://{}/v1", host(&running.unwrap_or(&chosen).provider));
        let (state, message) = match fate {
            Fate::Good => ("ok", "provider connection succeeded".to_owned()),
            Fate::Wrong => ("auth_failed", "provider returned HTTP 401: {\"error\":\"invalid key\"}".to_owned()),
            Fate::Busy => ("rate_limited", "provider returned HTTP 429".to_owned()),
            Fate::Down => ("endpoint_failed", "provider returned HTTP 503".to_owned()),
            Fate::Offline => ("endpoint_failed", format!("error sending request for url ({address}/models)")),
        };
        for (key, value) in [
            ("endpoint_base_url", json!(address)),
            ("credential_source", json!("auth_profile")),
            ("state", json!(state)),
            ("message", json!(message)),
            ("discovery_source", json!("skipped")),
            ("configured_model_ids", json!(chosen.model.as_slice())),
            ("latency_ms", json!(1)),
        ] {
            probe[key] = value;
        }
    }
    Json(json!({
        "contract": contract(), "mode": "test_connection", "timeout_ms": timeout, "provider_count": 1,
        "providers": [probe],
    }))
}
