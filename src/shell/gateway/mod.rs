//! The gateway's console API over loopback HTTP: one client, a file a concern.
//!
//! Limits: plain HTTP to 127.0.0.1 only. Nothing is cached, retried in the background or polled: a call is made when it
//! is asked for, and between calls the client holds neither a connection nor a timer. Waiting after
//! [`ErrorKind::RateLimited`] is the caller's business, and so is restarting the gateway when something that was set needs it.

mod approvals;
mod ask;
mod chat;
mod config;
mod discord;
mod error;
mod handoff;
mod health;
mod heartbeat;
mod http;
mod pairing;
mod providers;
mod remote;
mod runs;
mod session;
mod survey;
mod telemetry;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

pub use approvals::Inbox;
pub use error::{ErrorKind, GatewayError};
pub use handoff::HandoffUrl;
pub use health::{Health, HealthError, Prober};
pub use heartbeat::Heartbeat;
pub use pairing::PairingCode;
pub use remote::{LIMIT as LOOK_LIMIT, ask as ask_elsewhere, look as look_elsewhere};
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
    /// What the gateway knows without asking anybody: providers, channels.
    pub state: Duration,
    /// Checking a key: the gateway asks the provider up to five times, 10 s each.
    pub check_key: Duration,
    /// Beginning a sign-in, and asking how it stands: the gateway may ask the provider, up to 10 s.
    pub sign_in: Duration,
    /// Testing the connection to a provider; the gateway is told to give up 3 s before.
    pub test: Duration,
    /// Looking at a Discord bot: three calls of up to 5 s.
    pub discord_probe: Duration,
    /// Connecting a bot, or sending a message with it: up to 30 s for Discord, and some.
    pub discord_apply: Duration,
    /// Until the answer to a message begins.
    pub message: Duration,
    /// Longest silence in an answer: while the model works, the gateway says so every 20 s.
    pub silence: Duration,
    /// Longest silence while a tool runs, or a person is asked whether it may: that alone may take 15 minutes.
    pub tool_silence: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            health: Duration::from_secs(2),
            login: Duration::from_secs(4),
            list: Duration::from_secs(10),
            decide: Duration::from_secs(10),
            handoff: Duration::from_secs(4),
            state: Duration::from_secs(10),
            check_key: Duration::from_secs(60),
            sign_in: Duration::from_secs(15),
            test: Duration::from_secs(15),
            discord_probe: Duration::from_secs(25),
            discord_apply: Duration::from_secs(45),
            message: Duration::from_secs(15),
            silence: Duration::from_secs(75),
            tool_silence: Duration::from_secs(20 * 60),
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
        takes_send(client.inbox(None, &std::collections::BTreeSet::new(), None));
        takes_send(client.decide("id", true, crate::protocol::Scope::Once, None, None));
        takes_send(client.first_message("hello"));
        takes_send(client.send_message("s", "m", "hello", |_| {}));
    }
}
