//! Signing in, and staying signed in. A gateway forgets its sessions when it restarts and says so with 403, so a refused
//! call looks whether its session still lives, signs in again once if not, and is repeated once.
//!
//! Limits: a token that was refused is not tried again until [`Client::retry_login`]: a loop of logins would use up the
//! gateway's budget of failures and lock the person out of the dashboard too.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Client;
use super::error::{ErrorKind, GatewayError};
use super::http::{Answer, Call, SMALL_BODY, Stream, Wiped};
use crate::protocol::Secret;

use crate::core::event::Profile;
use crate::core::told;
use crate::words;

const LOGIN: &str = "/console/v1/auth/login";
const SESSION: &str = "/console/v1/auth/session";

/// Who the gateway takes us for; not always who we said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Principal of the session.
    pub principal: String,
    /// Device of the session.
    pub device_id: String,
    /// Channel of the session.
    pub channel: Option<String>,
    /// The profile that the gateway runs in, when it says so.
    pub profile: Option<Profile>,
}

#[derive(Default)]
pub(super) struct State {
    session: Option<Arc<Session>>,
    /// Counts sessions, so that a call knows whether its own is still the current one.
    generation: u64,
    /// Why the last login is not to be repeated.
    refused: Option<GatewayError>,
}

struct Session {
    generation: u64,
    cookie: SecretString,
    csrf: SecretString,
    identity: Identity,
}

/// A call that needs the session.
pub(super) struct Signed<'a> {
    pub method: Method,
    pub path: &'a str,
    pub body: Option<&'a Value>,
    pub timeout: Duration,
    pub max_body: usize,
    /// What the body carries and no error may repeat.
    pub hide: &'a [&'a str],
}

impl<'a> Signed<'a> {
    /// A read with a small answer.
    pub(super) fn get(path: &'a str, timeout: Duration) -> Self {
        Self { method: Method::GET, path, body: None, timeout, max_body: SMALL_BODY, hide: &[] }
    }

    /// A change with a small answer.
    pub(super) fn post(path: &'a str, body: &'a Value, timeout: Duration) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(path, timeout) }
    }
}

#[derive(Deserialize)]
struct SessionBody {
    principal: String,
    device_id: String,
    #[serde(default)]
    channel: Option<String>,
    csrf_token: Secret,
    #[serde(default)]
    profile: Option<Value>,
}

/// One that is not understood is no reason not to be signed in.
fn plain(profile: Profile) -> Profile {
    let word = |text: &str| told::line(text, 60);
    Profile {
        name: word(&profile.name),
        label: word(&profile.label),
        environment: word(&profile.environment),
        color: word(&profile.color),
        risk_level: word(&profile.risk_level),
        strict_mode: profile.strict_mode,
        mode: word(&profile.mode),
    }
}

impl Client {
    /// Makes sure that the gateway accepts us now: looks at the session, and signs in if there is none.
    pub async fn sign_in(&self) -> Result<Identity, GatewayError> {
        let current = self.state().session.clone();
        let session = match current {
            Some(session) => self.renew(&session).await?.unwrap_or(session),
            None => self.session().await?,
        };
        Ok(session.identity.clone())
    }

    /// Who we are to the gateway; `None` while not signed in.
    pub fn identity(&self) -> Option<Identity> {
        self.state().session.as_ref().map(|session| session.identity.clone())
    }

    /// Allows a login again after the token was refused, and forgets the session: the gateway was restarted, or a
    /// person asked to try again.
    pub fn retry_login(&self) {
        let mut state = self.state();
        state.refused = None;
        state.session = None;
    }

    /// Makes a call with the session; after a 401 or 403 at most one login and one repetition. In an error `sent` speaks
    /// of this call, not of the login before it.
    pub(super) async fn signed(&self, call: &Signed<'_>) -> Result<Answer, GatewayError> {
        let session = self.session().await.map_err(GatewayError::unsent)?;
        match self.send(&session, call).await {
            Err(refusal) if refusal.is_refusal() => {
                let renewed = self.renewed(&session, refusal).await?;
                self.send(&renewed, call).await
            }
            other => other,
        }
    }

    /// As [`Self::signed`], for an answer that is read as it comes. [`Signed::timeout`] limits the wait for its beginning.
    pub(super) async fn signed_stream(&self, call: &Signed<'_>) -> Result<Stream, GatewayError> {
        let session = self.session().await.map_err(GatewayError::unsent)?;
        match self.open(&session, call).await {
            Err(refusal) if refusal.is_refusal() => {
                let renewed = self.renewed(&session, refusal).await?;
                self.open(&renewed, call).await
            }
            other => other,
        }
    }

    /// The session to repeat a refused call with. The gateway refused before it did anything, so nothing is done twice.
    async fn renewed(&self, session: &Session, refusal: GatewayError) -> Result<Arc<Session>, GatewayError> {
        self.renew(session).await.map_err(GatewayError::unsent)?.ok_or(refusal)
    }

    async fn send(&self, session: &Session, call: &Signed<'_>) -> Result<Answer, GatewayError> {
        let hide = self.hidden(call);
        let answer = self.inner.http.send(&self.call(session, call, &hide)).await?;
        self.keep_cookie(session, answer.cookie.as_ref());
        Ok(answer)
    }

    async fn open(&self, session: &Session, call: &Signed<'_>) -> Result<Stream, GatewayError> {
        let hide = self.hidden(call);
        let stream = self.inner.http.open(&self.call(session, call, &hide)).await?;
        self.keep_cookie(session, stream.cookie.as_ref());
        Ok(stream)
    }

    /// What no error of this call may repeat.
    fn hidden<'a>(&'a self, call: &Signed<'a>) -> Vec<&'a str> {
        call.hide.iter().copied().chain([self.inner.token.expose_secret()]).collect()
    }

    fn call<'a>(&self, session: &'a Session, call: &Signed<'a>, hide: &'a [&'a str]) -> Call<'a> {
        Call {
            method: call.method.clone(),
            port: self.inner.port,
            path: call.path,
            cookie: Some(&session.cookie),
            csrf: (call.method != Method::GET).then_some(&session.csrf),
            body: call.body,
            timeout: call.timeout,
            max_body: call.max_body,
            hide,
        }
    }

    /// The gateway sends its cookie with every answer; today it is always the same one.
    fn keep_cookie(&self, session: &Session, fresh: Option<&SecretString>) {
        let Some(cookie) = fresh else { return };
        if cookie.expose_secret() == session.cookie.expose_secret() {
            return;
        }
        let mut state = self.state();
        if state.session.as_ref().is_some_and(|current| current.generation == session.generation) {
            state.session = Some(Arc::new(Session {
                generation: session.generation,
                cookie: cookie.clone(),
                csrf: session.csrf.clone(),
                identity: session.identity.clone(),
            }));
        }
    }

    /// The current session, or a new one.
    async fn session(&self) -> Result<Arc<Session>, GatewayError> {
        let current = self.state().session.clone();
        if let Some(session) = current {
            return Ok(session);
        }
        let _one_at_a_time = self.inner.login.lock().await;
        let current = self.state().session.clone();
        match current {
            Some(session) => Ok(session),
            None => self.login().await,
        }
    }

    /// After a refusal: a session other than `old`, or `None` when `old` still lives, so that the refusal was meant.
    async fn renew(&self, old: &Session) -> Result<Option<Arc<Session>>, GatewayError> {
        let _one_at_a_time = self.inner.login.lock().await;
        let current = self.state().session.clone();
        if let Some(current) = current.filter(|current| current.generation != old.generation) {
            return Ok(Some(current));
        }
        let look = Call {
            cookie: Some(&old.cookie),
            hide: &[self.inner.token.expose_secret()],
            ..Call::get(self.inner.port, SESSION, self.inner.timeouts.login)
        };
        match self.inner.http.send(&look).await {
            Ok(answer) => {
                let body: SessionBody = answer.json()?;
                if body.csrf_token.expose() == old.csrf.expose_secret() {
                    self.keep_cookie(old, answer.cookie.as_ref());
                    return Ok(None);
                }
                let cookie = answer.cookie.unwrap_or_else(|| old.cookie.clone());
                Ok(Some(self.adopt(cookie, body)))
            }
            Err(lost) if lost.is_refusal() => {
                self.state().session = None;
                self.login().await.map(Some)
            }
            Err(other) => Err(other),
        }
    }

    /// Sends the token, unless it was refused before. The login lock must be held.
    async fn login(&self) -> Result<Arc<Session>, GatewayError> {
        let refused = self.state().refused.clone();
        if let Some(refused) = refused {
            return Err(refused.unsent());
        }
        let body = Wiped(json!({
            "admin_token": self.inner.token.expose_secret(),
            "principal": self.inner.principal,
            "device_id": self.inner.device_id,
        }));
        let call = Call {
            method: Method::POST,
            body: Some(&body),
            hide: &[self.inner.token.expose_secret()],
            ..Call::get(self.inner.port, LOGIN, self.inner.timeouts.login)
        };
        let answer = match self.inner.http.send(&call).await {
            Ok(answer) => answer,
            Err(error) => {
                if error.kind == ErrorKind::Unauthorized {
                    self.state().refused = Some(error.clone());
                }
                return Err(error);
            }
        };
        let body: SessionBody = answer.json()?;
        let cookie = answer
            .cookie
            .clone()
            .ok_or_else(|| GatewayError::protocol(answer.status, words::gateway::GATEWAY_ACCEPTED_LOGIN_BUT_GAVE_NO))?;
        Ok(self.adopt(cookie, body))
    }

    fn adopt(&self, cookie: SecretString, body: SessionBody) -> Arc<Session> {
        let profile = body.profile.and_then(|told| serde_json::from_value(told).ok()).map(plain);
        let identity =
            Identity { principal: body.principal, device_id: body.device_id, channel: body.channel, profile };
        let mut state = self.state();
        state.generation += 1;
        let session = Arc::new(Session {
            generation: state.generation,
            cookie,
            csrf: SecretString::from(body.csrf_token.expose()),
            identity,
        });
        state.session = Some(Arc::clone(&session));
        session
    }
}
