//! Console sessions: who is signed in. In memory only, so a restart loses them all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::header::{COOKIE, HeaderMap};
use axum::http::request::Parts;
use serde_json::{Value, json};

use super::Gateway;
use super::error::ApiError;
use crate::demo::{ids, process};

/// Name of the cookie.
pub const COOKIE_NAME: &str = "palyra_console_session";
/// Name of the header with the CSRF token.
pub const CSRF_HEADER: &str = "x-palyra-csrf-token";
/// A cookie that ends a session in the browser.
pub const DELETED_COOKIE: &str = "palyra_console_session=deleted; Max-Age=0; Path=/; HttpOnly; SameSite=Lax";

const TTL_MS: i64 = 30 * 60 * 1000;
const HANDOFF_TTL_MS: i64 = 60_000;
const MAX_SESSIONS: usize = 1024;

/// Who a session belongs to.
#[derive(Clone)]
pub struct Identity {
    /// `admin:…`
    pub principal: String,
    /// ULID
    pub device_id: String,
    /// Absent for the desktop.
    pub channel: Option<String>,
}

/// A live session.
#[derive(Clone)]
pub struct ConsoleSession {
    /// Who.
    pub who: Identity,
    csrf: String,
    issued_at: i64,
    expires_at: i64,
}

impl ConsoleSession {
    /// The body of login and session answers.
    pub fn to_json(&self) -> Value {
        let mut body = json!({
            "principal": self.who.principal,
            "device_id": self.who.device_id,
            "profile": {
                "name": "local_desktop",
                "label": "Local desktop",
                "environment": "local",
                "color": "green",
                "risk_level": "low",
                "strict_mode": false,
                "mode": "loopback_only",
            },
            "csrf_token": self.csrf,
            "issued_at_unix_ms": self.issued_at,
            "expires_at_unix_ms": self.expires_at,
        });
        if let Some(channel) = &self.who.channel {
            body["channel"] = json!(channel);
        }
        body
    }
}

/// All sessions and unused hand-offs, by the digest of their credential.
#[derive(Default)]
pub struct Sessions {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    live: HashMap<[u8; 32], ConsoleSession>,
    handoffs: HashMap<[u8; 32], Handoff>,
}

struct Handoff {
    who: Identity,
    redirect: String,
    expires_at: i64,
}

impl Sessions {
    /// Signs somebody in. Gives the cookie's value.
    pub fn open(&self, who: Identity) -> (String, ConsoleSession) {
        let (cookie, now) = (ids::token(), process::unix_ms());
        let session = ConsoleSession { who, csrf: ids::token(), issued_at: now, expires_at: now + TTL_MS };
        let mut inner = self.lock();
        inner.live.retain(|_, session| session.expires_at > now);
        if inner.live.len() >= MAX_SESSIONS
            && let Some(oldest) = inner.live.iter().min_by_key(|(_, s)| s.expires_at).map(|(key, _)| *key)
        {
            inner.live.remove(&oldest);
        }
        inner.live.insert(ids::digest(&cookie), session.clone());
        (cookie, session)
    }

    /// The live session of a cookie, its life extended.
    pub fn touch(&self, cookie: &str) -> Option<ConsoleSession> {
        let now = process::unix_ms();
        let mut inner = self.lock();
        let session = inner.live.get_mut(&ids::digest(cookie)).filter(|session| session.expires_at > now)?;
        session.expires_at = now + TTL_MS;
        Some(session.clone())
    }

    /// Signs a cookie out.
    pub fn close(&self, cookie: &str) {
        self.lock().live.remove(&ids::digest(cookie));
    }

    /// Forgets every session and hand-off, as a restart does.
    pub fn lose(&self) {
        *self.lock() = Inner::default();
    }

    /// Mints a hand-off. Gives its token and when it expires.
    pub fn mint_handoff(&self, who: Identity, redirect: String) -> (String, i64) {
        let (token, now) = (ids::token(), process::unix_ms());
        let expires_at = now + HANDOFF_TTL_MS;
        let mut inner = self.lock();
        inner.handoffs.retain(|_, handoff| handoff.expires_at > now);
        inner.handoffs.insert(ids::digest(&token), Handoff { who, redirect, expires_at });
        (token, expires_at)
    }

    /// Where an unused hand-off leads. Does not use it up.
    pub fn handoff_redirect(&self, token: &str) -> Option<String> {
        let now = process::unix_ms();
        let inner = self.lock();
        inner.handoffs.get(&ids::digest(token)).filter(|h| h.expires_at > now).map(|h| h.redirect.clone())
    }

    /// Whose hand-off it was. The second time nobody's.
    pub fn use_handoff(&self, token: &str) -> Option<Identity> {
        let handoff = self.lock().handoffs.remove(&ids::digest(token))?;
        (handoff.expires_at > process::unix_ms()).then_some(handoff.who)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `Set-Cookie` for a live session.
pub fn set_cookie(cookie: &str, headers: &HeaderMap) -> String {
    let https = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    let secure = if https { "; Secure" } else { "" };
    format!("{COOKIE_NAME}={cookie}; Max-Age=1800; Path=/; HttpOnly; SameSite=Lax{secure}")
}

/// The value of the session cookie.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    all.flat_map(|header| header.split(';')).find_map(|pair| pair.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
}

/// Signed in; what a read needs.
pub struct Reader(pub ConsoleSession);

/// Signed in and with the CSRF token; what a change needs.
pub struct Writer(pub ConsoleSession);

impl FromRequestParts<Arc<Gateway>> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, ApiError> {
        let cookie = cookie(&parts.headers).ok_or_else(|| ApiError::forbidden("console session cookie is missing"))?;
        let session = gateway.sessions.touch(cookie);
        session.map(Self).ok_or_else(|| ApiError::forbidden("console session is missing or has expired"))
    }
}

impl FromRequestParts<Arc<Gateway>> for Writer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, ApiError> {
        let Reader(session) = Reader::from_request_parts(parts, gateway).await?;
        let given = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        let given = given.ok_or_else(|| ApiError::forbidden("missing CSRF token for console request"))?;
        if ids::digest(given) != ids::digest(&session.csrf) {
            return Err(ApiError::forbidden("CSRF token is invalid for console request"));
        }
        Ok(Self(session))
    }
}
