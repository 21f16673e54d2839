//! The gateway's console API over loopback HTTP: one client, a file a concern.
//!
//! Limits: plain HTTP to 127.0.0.1 only. Nothing is cached, retried in the background or polled: a call is made when it
//! is asked for, and between calls the client holds neither a connection nor a timer. Waiting after
//! [`ErrorKind::RateLimited`] is the caller's business.

mod approvals;
mod handoff;
mod health;
mod heartbeat;
mod http;
mod providers;
mod session;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

pub use approvals::Inbox;
pub use handoff::HandoffUrl;
pub use health::{Health, HealthError, Prober};
pub use heartbeat::Heartbeat;
pub use http::{ErrorKind, GatewayError};
pub use session::Identity;

/// What the gateway calls itself in `/healthz`.
pub const GATEWAY: &str = "palyrad";
/// What the browser service calls itself in `/healthz`.
pub const BROWSERD: &str = "palyra-browserd";

/// Longest a call may take, from the connection to the last byte of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// `/healthz`
    pub health: Duration,
    /// Login, session and heartbeat.
    pub login: Duration,
    /// One page of approvals, or one record.
    pub list: Duration,
    /// A decision.
    pub decide: Duration,
    /// Minting a hand-off.
    pub handoff: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            health: Duration::from_secs(2),
            login: Duration::from_secs(4),
            list: Duration::from_secs(10),
            decide: Duration::from_secs(10),
            handoff: Duration::from_secs(4),
        }
    }
}

/// One signed-in client of one gateway. Clones share the session.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: http::Http,
    port: u16,
    token: SecretString,
    device_id: String,
    principal: String,
    timeouts: Timeouts,
    state: Mutex<session::State>,
    /// Held during a login, so that calls that fail together renew the session once.
    login: tokio::sync::Mutex<()>,
}

impl Client {
    /// A client for the gateway on this loopback port. Sends nothing yet. `principal` must start with `admin:`; a gateway
    /// with a bound principal puts its own in its place, see [`Client::identity`].
    pub fn new(port: u16, token: SecretString, device_id: &str, principal: &str) -> Result<Self, GatewayError> {
        Self::with_timeouts(port, token, device_id, principal, Timeouts::default())
    }

    /// As [`Client::new`], with other limits.
    pub fn with_timeouts(
        port: u16,
        token: SecretString,
        device_id: &str,
        principal: &str,
        timeouts: Timeouts,
    ) -> Result<Self, GatewayError> {
        let inner = Inner {
            http: http::Http::new()?,
            port,
            token,
            device_id: device_id.to_owned(),
            principal: principal.to_owned(),
            timeouts,
            state: Mutex::default(),
            login: tokio::sync::Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Port of the gateway.
    pub fn port(&self) -> u16 {
        self.inner.port
    }

    fn state(&self) -> std::sync::MutexGuard<'_, session::State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Client {
    /// Without token and session.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("port", &self.inner.port).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one-shot address runs the mint on a task of its own.
    #[test]
    fn calls_can_move_to_another_task() {
        fn takes_send<T: Send>(_: T) {}
        let client = Client::new(1, SecretString::from("token"), "device", "admin:x").unwrap();
        takes_send(client.mint_handoff("/"));
        takes_send(client.inbox(None, &std::collections::BTreeSet::new()));
        takes_send(client.decide("id", true, crate::protocol::Scope::Once, None, None));
    }
}
