//! Usage events, as they go into the gateway's journal.

use serde_json::json;

use super::Client;
use super::error::GatewayError;
use super::session::Signed;
use crate::core::telemetry::UsageEvent;

const EMIT: &str = "/console/v1/system/events/emit";

impl Client {
    /// Has the gateway note this in its journal, once.
    ///
    /// # Errors
    /// The gateway does not take it, or does not answer; it may have noted it all the same.
    pub async fn tell_usage(&self, event: &UsageEvent) -> Result<(), GatewayError> {
        let call = json!(event);
        self.signed(&Signed::post(EMIT, &call, self.inner.timeouts.login)).await.map(drop)
    }
}
