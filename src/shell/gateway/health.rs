//! `/healthz`: whether a service answers, and whether it is the one that should.

use std::time::Duration;

use serde_json::Value;

use super::http::{Call, Http, Lost};
use super::{Client, GATEWAY, GatewayError, Timeouts};
use crate::core::event::Facts;
use crate::words;

/// What a healthy service says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Its version; empty when it does not say.
    pub version: String,
    /// The commit it was built from; empty when it does not say.
    pub git_hash: String,
    /// Seconds since its start; `None` when it does not say.
    pub uptime_seconds: Option<u64>,
}

impl From<Health> for Facts {
    fn from(health: Health) -> Self {
        Self {
            version: health.version,
            git_hash: health.git_hash,
            uptime_seconds: health.uptime_seconds.unwrap_or(0),
            ..Self::default()
        }
    }
}

/// Why a service does not count as healthy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HealthError {
    /// Nothing listens there.
    #[error("{}", words::gateway::nothing_listens(.0))]
    Refused(u16),
    /// No whole answer in time.
    #[error("{}", words::gateway::no_answer_in_time(.0))]
    Timeout(u16),
    /// Something answers in HTTP, but it is another service; its name, or what it looks like.
    #[error("{}", words::gateway::another_program_answers(.0))]
    WrongService(String),
    /// Something took the connection and gave no HTTP answer. A service that is just stopping looks the same.
    #[error("{}", words::gateway::does_not_answer_in_http(.0))]
    NotHttp(u16),
    /// The right place, but not healthy.
    #[error("{}", words::gateway::service_is_not_healthy(.0))]
    Unhealthy(String),
}

/// Asks services for their health; needs no session.
pub struct Prober {
    http: Http,
    timeout: Duration,
}

impl Prober {
    /// With the usual limit of 2 s.
    pub fn new() -> Result<Self, GatewayError> {
        Self::with_timeout(Timeouts::default().health)
    }

    /// With another limit.
    pub fn with_timeout(timeout: Duration) -> Result<Self, GatewayError> {
        Ok(Self { http: Http::new()?, timeout })
    }

    /// Asks the service on this loopback port; `expected` is its name in the answer.
    pub async fn check(&self, port: u16, expected: &str) -> Result<Health, HealthError> {
        check(&self.http, port, expected, self.timeout).await
    }
}

impl Client {
    /// Asks the gateway for its health, without the session.
    pub async fn health(&self) -> Result<Health, HealthError> {
        check(&self.inner.http, self.inner.port, GATEWAY, self.inner.timeouts.health).await
    }
}

async fn check(http: &Http, port: u16, expected: &str, timeout: Duration) -> Result<Health, HealthError> {
    match http.exchange(&Call::get(port, "/healthz", timeout)).await {
        Ok(answer) => read(answer.status, &answer.body, expected),
        Err(Lost::Refused) => Err(HealthError::Refused(port)),
        Err(Lost::Timeout { .. }) => Err(HealthError::Timeout(port)),
        Err(Lost::Oversized { .. }) => {
            Err(HealthError::WrongService(words::gateway::ITS_ANSWER_IS_TOO_LARGE.to_owned()))
        }
        Err(Lost::NoAnswer | Lost::Half { .. }) => Err(HealthError::NotHttp(port)),
        Err(Lost::NoConnection(why) | Lost::Unmade(why)) => Err(HealthError::Unhealthy(why)),
    }
}

pub(super) fn read(status: u16, body: &[u8], expected: &str) -> Result<Health, HealthError> {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let service = word("service");
    if service != expected && !service.is_empty() {
        return Err(HealthError::WrongService(plain(service)));
    }
    match status {
        200..=299 if service.is_empty() => {
            Err(HealthError::WrongService(words::gateway::PROGRAM_WITHOUT_NAME.to_owned()))
        }
        200..=299 if word("status") != "ok" => {
            Err(HealthError::Unhealthy(words::gateway::it_calls_itself(plain(word("status")))))
        }
        200..=299 => Ok(Health {
            version: plain(word("version")),
            git_hash: plain(word("git_hash")),
            uptime_seconds: body.get("uptime_seconds").and_then(Value::as_u64),
        }),
        429 | 500..=599 => Err(HealthError::Unhealthy(words::gateway::it_answered(status))),
        _ => Err(HealthError::WrongService(words::gateway::web_server_that_answered(status))),
    }
}

/// Words of a possible stranger: one short line.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}
