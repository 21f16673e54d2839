//! Signing in to a provider by the browser. The provider's page is the demo's own, at `/demo/authorize`: it allows or denies.
//!
//! Attempts are in memory only, as in the real gateway: a restart forgets them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Json, Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Gateway;
use super::console::{Reader, Writer};
use super::error::ApiError;
use super::fate::Fate;
use super::kept::Profile;
use super::providers::{accept, fresh_id, known};
use super::system::contract;
use crate::core::ulid;
use crate::demo::{ids, process};

const TTL_MS: i64 = 10 * 60 * 1000;
/// What MiniMax's page asks for.
const USER_CODE: &str = "DEMO-1234";

/// Routes of sign-ins, with the provider's page.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/console/v1/auth/providers/{provider}/bootstrap", post(begin))
        .route("/console/v1/auth/providers/{provider}/callback-state", get(callback_state))
        .route("/console/v1/auth/providers/openai/callback", get(callback))
}

/// The provider's page, which no session protects.
pub fn page_routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/demo/authorize", get(authorize))
        .route("/demo/authorize/minimax", get(minimax_verdict))
        // Anthropic has no sign-in: whoever begins one gets the bare 405 of an address that can only be read.
        .route("/console/v1/auth/providers/anthropic/bootstrap", get(no_sign_in))
}

async fn no_sign_in() -> ApiError {
    ApiError::not_found("no such page")
}

/// All attempts since the start.
#[derive(Default)]
pub struct Attempts(Mutex<HashMap<String, Attempt>>);

struct Attempt {
    provider: String,
    profile: String,
    set_default: bool,
    client_id: String,
    expires_at: i64,
    outcome: Option<Outcome>,
}

struct Outcome {
    succeeded: bool,
    message: String,
    at: i64,
}

impl Attempts {
    /// Lets every attempt that is still open run out of time.
    pub fn expire(&self) {
        for attempt in self.lock().values_mut() {
            attempt.expires_at = process::unix_ms();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Attempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    fn end(&mut self, succeeded: bool, message: String) {
        self.outcome = Some(Outcome { succeeded, message, at: process::unix_ms() });
    }

    fn look_at_the_clock(&mut self) {
        if self.outcome.is_none() && self.expires_at <= process::unix_ms() {
            let message = match self.provider.as_str() {
                "openai" => "OpenAI OAuth attempt expired before the callback completed.",
                _ => "MiniMax OAuth attempt expired before authorization completed.",
            };
            self.end(false, message.to_owned());
        }
    }
}

#[derive(Deserialize)]
struct Begin {
    profile_id: Option<String>,
    client_id: Option<String>,
    #[serde(default)]
    set_default: bool,
}

async fn begin(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Json(request): Json<Begin>,
) -> Result<Json<Value>, ApiError> {
    let who = known(&provider)?;
    let client_id = request.client_id.as_deref().map(str::trim).unwrap_or_default();
    if provider == "openai" && client_id.is_empty() {
        let message = "client_id is required";
        return Err(ApiError::field(message, "client_id", "required", message));
    }
    if provider == "minimax" && gateway.settings.offline {
        let message =
            "MiniMax OAuth code request failed: error sending request for url (https://api.minimax.io/oauth/code)";
        return Err(ApiError::unavailable(message));
    }
    let id = ids::ulid().to_lowercase();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let (page, message) = match provider.as_str() {
        "openai" => {
            let back = format!(
                "http%3A%2F%2F{}%2Fconsole%2Fv1%2Fauth%2Fproviders%2Fopenai%2Fcallback",
                host.replace(':', "%3A")
            );
            let page = format!("http://{host}/demo/authorize?response_type=code&redirect_uri={back}&state={id}");
            (page, format!("{who} OAuth authorization URL issued."))
        }
        _ => {
            let page = format!("http://{host}/demo/authorize?provider=minimax&state={id}");
            (page, format!("MiniMax OAuth user code issued. Enter code {USER_CODE} in the MiniMax portal."))
        }
    };
    let profile = request.profile_id.unwrap_or_else(|| fresh_id(&provider));
    let expires_at = process::unix_ms() + TTL_MS;
    let attempt = Attempt {
        provider: provider.clone(),
        profile: profile.clone(),
        set_default: request.set_default,
        client_id: client_id.to_owned(),
        expires_at,
        outcome: None,
    };
    gateway.attempts.lock().insert(id.clone(), attempt);
    Ok(Json(json!({
        "contract": contract(), "provider": provider, "attempt_id": id, "authorization_url": page,
        "expires_at_unix_ms": expires_at, "profile_id": profile, "message": message,
    })))
}

#[derive(Deserialize)]
struct StateQuery {
    attempt_id: String,
}

async fn callback_state(
    State(gateway): State<Arc<Gateway>>,
    Reader(_): Reader,
    Path(provider): Path<String>,
    Query(query): Query<StateQuery>,
) -> Result<Json<Value>, ApiError> {
    let who = known(&provider)?;
    let mut attempts = gateway.attempts.lock();
    let attempt = attempts.get_mut(&query.attempt_id).ok_or_else(|| unknown(who, &query.attempt_id))?;
    if attempt.provider != provider {
        return Err(ApiError::precondition(format!("OAuth attempt does not belong to {who}")));
    }
    attempt.look_at_the_clock();
    let mut body = json!({
        "contract": contract(), "provider": provider, "attempt_id": query.attempt_id, "profile_id": attempt.profile,
    });
    match &attempt.outcome {
        Some(outcome) => {
            body["state"] = json!(if outcome.succeeded { "succeeded" } else { "failed" });
            body["message"] = json!(outcome.message);
            body["completed_at_unix_ms"] = json!(outcome.at);
        }
        None => {
            body["state"] = json!("pending");
            body["message"] = json!(match provider.as_str() {
                "openai" => "Awaiting OpenAI OAuth callback.".to_owned(),
                _ =>
                    format!("Awaiting MiniMax OAuth authorization. Enter user code {USER_CODE} in the MiniMax portal."),
            });
            body["expires_at_unix_ms"] = json!(attempt.expires_at);
        }
    }
    Ok(Json(body))
}

fn unknown(who: &str, id: &str) -> ApiError {
    ApiError::not_found(format!("{who} OAuth attempt not found: {id}"))
}

#[derive(Deserialize)]
struct Callback {
    state: String,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Where OpenAI's page sends the browser back to.
async fn callback(State(gateway): State<Arc<Gateway>>, Query(query): Query<Callback>) -> Result<Response, ApiError> {
    let refusal = query.error.map(|error| {
        let why = query.error_description.unwrap_or_else(|| "OpenAI OAuth authorization was denied.".to_owned());
        format!("{error}: {why}")
    });
    if refusal.is_none() && query.code.is_none() {
        return Err(ApiError::validation("code is required"));
    }
    finish(&gateway, "openai", &query.state, refusal)
}

#[derive(Deserialize)]
struct Verdict {
    state: String,
    #[serde(default)]
    allow: bool,
}

async fn minimax_verdict(
    State(gateway): State<Arc<Gateway>>,
    Query(query): Query<Verdict>,
) -> Result<Response, ApiError> {
    let refusal = (!query.allow).then(|| "access_denied".to_owned());
    finish(&gateway, "minimax", &query.state, refusal)
}

fn finish(gateway: &Gateway, provider: &str, id: &str, refusal: Option<String>) -> Result<Response, ApiError> {
    let who = known(provider)?;
    let mut attempts = gateway.attempts.lock();
    let attempt =
        attempts.get_mut(id).filter(|attempt| attempt.provider == provider).ok_or_else(|| unknown(who, id))?;
    attempt.look_at_the_clock();
    if attempt.outcome.is_none() {
        let refusal = refusal.or_else(|| match Fate::at_check(&attempt.client_id) {
            Fate::Good if gateway.settings.offline => {
                Some(format!("{who} credential validation is temporarily unavailable."))
            }
            Fate::Good => None,
            _ => Some(format!("{who} OAuth token exchange failed with status 401: invalid_client")),
        });
        match refusal {
            Some(refusal) => attempt.end(false, refusal),
            None => {
                let source = "auth_profile_oauth_access_token".to_owned();
                let profile = Profile { provider: provider.to_owned(), source, fate: Fate::Good };
                accept(gateway, &attempt.profile, profile, attempt.set_default)?;
                let message = format!("{who} OAuth profile connected and selected as the default auth profile.");
                attempt.end(true, message);
            }
        }
    }
    let succeeded = attempt.outcome.as_ref().is_some_and(|outcome| outcome.succeeded);
    let verdict = if succeeded { "connected" } else { "not connected" };
    Ok(page(&format!("{who} is {verdict}. You can return to Palyra now.")))
}

/// What is on the pretended provider's page.
#[derive(Deserialize)]
struct Authorize {
    state: String,
    provider: Option<String>,
}

async fn authorize(Query(query): Query<Authorize>) -> Response {
    // It goes into the page's links as it is.
    if !ulid::is_ulid(&query.state.to_uppercase()) {
        return ApiError::validation("state is not that of a sign-in").into_response();
    }
    let state = query.state;
    let (who, allow, deny) = match query.provider.as_deref() {
        Some("minimax") => {
            let verdict = format!("/demo/authorize/minimax?state={state}&amp;allow");
            ("MiniMax", format!("{verdict}=true"), format!("{verdict}=false"))
        }
        _ => {
            let back = format!("/console/v1/auth/providers/openai/callback?state={state}");
            let deny = format!("{back}&amp;error=access_denied&amp;error_description=The+person+said+no.");
            ("OpenAI", format!("{back}&amp;code=demo-code"), deny)
        }
    };
    page(&format!(
        "Demo of {who}: may Palyra use your account?</p><p><a id=\"allow\" href=\"{allow}\">Allow</a> <a id=\"deny\" href=\"{deny}\">Deny</a>"
    ))
}

fn page(content: &str) -> Response {
    let html =
        format!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Demo</title><p>{content}</p></html>");
    Html(html).into_response()
}
