//! Signing in and out, and handing a session over to a browser.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use super::Gateway;
use super::console::{self, DELETED_COOKIE, Identity, Reader, Writer};
use super::error::ApiError;
use crate::core::ulid;
use crate::demo::ids;

/// Routes below `/console/v1/auth`.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/console/v1/auth/login", post(login))
        .route("/console/v1/auth/session", get(session))
        .route("/console/v1/auth/logout", post(logout))
        .route("/console/v1/auth/browser-handoff", post(mint))
        .route("/console/v1/auth/browser-handoff/consume", get(consume))
        .route("/console/v1/auth/browser-handoff/session", post(exchange))
}

#[derive(Deserialize)]
struct Login {
    admin_token: Option<String>,
    principal: String,
    device_id: String,
    channel: Option<String>,
}

async fn login(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Json(login): Json<Login>,
) -> Result<Response, ApiError> {
    let settings = &gateway.settings;
    if login.principal.trim().is_empty() {
        return Err(ApiError::validation("principal must not be empty"));
    }
    if !login.principal.starts_with("admin:") {
        return Err(ApiError::forbidden("web console login requires an admin:* principal"));
    }
    let mut principal = login.principal;
    if settings.require_auth {
        let Some(bound) = &settings.bound_principal else {
            return Err(ApiError::precondition("console login requires admin.bound_principal to be configured"));
        };
        let given = login.admin_token.as_deref();
        if given.is_some_and(|token| token.trim().is_empty()) {
            return Err(ApiError::validation("admin_token must not be empty"));
        }
        let expected = settings.admin_token.as_deref().map(ids::digest);
        if given.map(ids::digest) != expected {
            return Err(ApiError::unauthorized("authorization token is invalid"));
        }
        principal.clone_from(bound);
    }
    if !ulid::is_ulid(&login.device_id) {
        return Err(ApiError::validation("request context device_id must be a canonical ULID"));
    }
    Ok(sign_in(&gateway, &headers, Identity { principal, device_id: login.device_id, channel: login.channel }))
}

async fn session(Reader(session): Reader) -> Response {
    Json(session.to_json()).into_response()
}

async fn logout(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, Writer(_): Writer) -> Response {
    if let Some(cookie) = console::cookie(&headers) {
        gateway.sessions.close(cookie);
    }
    ([(header::SET_COOKIE, DELETED_COOKIE)], Json(json!({ "signed_out": true }))).into_response()
}

#[derive(Deserialize)]
struct Mint {
    redirect_path: Option<String>,
}

async fn mint(
    State(gateway): State<Arc<Gateway>>,
    Writer(session): Writer,
    Json(mint): Json<Mint>,
) -> Result<Response, ApiError> {
    let path = mint.redirect_path.unwrap_or_else(|| "/#/control/overview".to_owned());
    let same_origin = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n']);
    // A header takes visible ASCII only.
    if !same_origin || !path.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(ApiError::validation("browser handoff redirect path must stay same-origin"));
    }
    let (token, expires_at) = gateway.sessions.mint_handoff(session.who, path);
    let port = gateway.settings.port;
    Ok(Json(json!({
        "handoff_url": format!("http://127.0.0.1:{port}/console/v1/auth/browser-handoff/consume?token={token}"),
        "expires_at_unix_ms": expires_at,
    }))
    .into_response())
}

#[derive(Deserialize)]
struct Consume {
    token: String,
}

async fn consume(State(gateway): State<Arc<Gateway>>, Query(consume): Query<Consume>) -> Result<Response, ApiError> {
    let redirect = gateway.sessions.handoff_redirect(&consume.token).ok_or_else(invalid_handoff)?;
    let location = with_token(&redirect, &consume.token);
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

#[derive(Deserialize)]
struct Exchange {
    token: String,
}

async fn exchange(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Json(exchange): Json<Exchange>,
) -> Result<Response, ApiError> {
    if exchange.token.trim().is_empty() {
        return Err(ApiError::validation("browser handoff token must not be empty"));
    }
    let who = gateway.sessions.use_handoff(&exchange.token).ok_or_else(invalid_handoff)?;
    Ok(sign_in(&gateway, &headers, who))
}

fn sign_in(gateway: &Gateway, headers: &HeaderMap, who: Identity) -> Response {
    let (cookie, session) = gateway.sessions.open(who);
    ([(header::SET_COOKIE, console::set_cookie(&cookie, headers))], Json(session.to_json())).into_response()
}

fn invalid_handoff() -> ApiError {
    ApiError::forbidden("browser handoff token is invalid or expired")
}

/// The token goes into the query, which comes before the fragment.
fn with_token(path: &str, token: &str) -> String {
    let (place, fragment) = path.split_at(path.find('#').unwrap_or(path.len()));
    let join = if place.contains('?') { '&' } else { '?' };
    format!("{place}{join}desktop_handoff_token={token}{fragment}")
}

#[cfg(test)]
mod tests {
    use super::with_token;

    #[test]
    fn the_token_comes_before_the_fragment() {
        assert_eq!(with_token("/#/control/approvals", "T"), "/?desktop_handoff_token=T#/control/approvals");
        assert_eq!(with_token("/a?b=c#d?e", "T"), "/a?b=c&desktop_handoff_token=T#d?e");
        assert_eq!(with_token("/", "T"), "/?desktop_handoff_token=T");
    }
}
