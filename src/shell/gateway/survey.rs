//! What the gateway tells about itself when it is asked: sessions and runs, diagnostics, the Discord connector. What is not
//! understood of it is left out; each answer is limited in time and size.

use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::Client;
use super::error::{ErrorKind, GatewayError, redact};
use super::session::Signed;
use crate::core::diagnostics::{self, Diagnostics};
use crate::core::discord;
use crate::core::sessions::{self, Sessions};
use crate::core::survey::SESSIONS;

const NEWEST: &str = "/console/v1/sessions?limit=32&sort=updated_desc&include_archived=false";
const DIAGNOSTICS: &str = "/console/v1/diagnostics";
const DISCORD: &str = "/console/v1/channels/discord%3Adefault";
/// Largest list of sessions that is read, bytes: one has about 2 KiB.
const SESSIONS_BODY: usize = 1024 * 1024;
/// Largest diagnostics that are read, bytes; an idle gateway has 115 KiB.
const DIAGNOSTICS_BODY: usize = 4 * 1024 * 1024;

impl Client {
    /// The sessions that changed last, with their newest runs.
    ///
    /// # Errors
    /// The gateway does not tell, or tells something else.
    pub async fn newest_sessions(&self) -> Result<Sessions, GatewayError> {
        let call = Signed { max_body: SESSIONS_BODY, ..Signed::get(NEWEST, self.inner.timeouts.state) };
        let answer = self.signed(&call).await?;
        sessions::read(&answer.json()?, SESSIONS).map_err(|_| answer.not_ours())
    }

    /// Figures and troubles. Costs the gateway some 50 ms.
    ///
    /// # Errors
    /// The gateway does not tell, or tells something else.
    pub async fn diagnostics(&self) -> Result<Diagnostics, GatewayError> {
        let call = Signed { max_body: DIAGNOSTICS_BODY, ..Signed::get(DIAGNOSTICS, self.inner.timeouts.state) };
        let answer = self.signed(&call).await?;
        let mut told = diagnostics::read(&answer.json()?).map_err(|_| answer.not_ours())?;
        for error in &mut told.errors {
            *error = redact(error, &[self.inner.token.expose_secret()]);
        }
        Ok(told)
    }

    /// The Discord connector as the snapshot has it.
    ///
    /// # Errors
    /// The gateway does not tell.
    pub async fn discord_fact(&self) -> Result<Value, GatewayError> {
        match self.signed(&Signed::get(DISCORD, self.inner.timeouts.state)).await {
            Ok(answer) => Ok(discord::quick_fact(&answer.json()?)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(discord::quick_fact(&Value::Null)),
            Err(error) => Err(error),
        }
    }
}
