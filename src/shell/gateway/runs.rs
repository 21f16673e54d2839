//! Ending runs.
//!
//! Limits: the gateway lists the sessions of the signed-in principal only, so runs of other principals (a channel's, the
//! command line's) are not seen here; what they ask for is denied all the same.

use serde_json::json;

use super::Client;
use super::error::{ErrorKind, GatewayError};
use super::http::PAGE_BODY;
use super::session::Signed;
use crate::core::record::is_usable_id;
use crate::core::sessions;
use crate::words;

/// The hundred sessions that changed last: a run that is active changes its session.
const NEWEST: &str = "/console/v1/sessions?limit=100&sort=updated_desc&include_archived=true";
/// As many as are asked for.
const NEWEST_ROWS: usize = 100;

impl Client {
    /// Asks every active run to end. All are asked, also when one of them cannot be.
    ///
    /// # Errors
    /// The sessions cannot be listed, or the first run that could not be asked.
    pub async fn abort_active_runs(&self) -> Result<(), GatewayError> {
        let call = Signed { max_body: PAGE_BODY, ..Signed::get(NEWEST, self.inner.timeouts.list) };
        let answer = self.signed(&call).await?;
        let listed = sessions::read(&answer.json()?, NEWEST_ROWS).map_err(|_| answer.not_ours())?;
        let mut outcome = Ok(());
        for (_, run) in listed.active() {
            let run_id = &run.run_id;
            if let Err(error) = self.abort_run(run_id, words::common::ALL_AGENTS_ARE_PAUSED).await {
                tracing::warn!(run_id, %error, "a run could not be aborted");
                outcome = outcome.and(Err(error));
            }
        }
        outcome
    }

    /// Asks one run to end; `reason` is kept by the gateway.
    ///
    /// # Errors
    /// The gateway does not take it, or does not answer.
    pub async fn abort_run(&self, run_id: &str, reason: &str) -> Result<(), GatewayError> {
        if !is_usable_id(run_id) {
            return Err(GatewayError::new(ErrorKind::Invalid, None, false, words::gateway::THAT_IS_NOT_ID_OF_RUN));
        }
        let path = format!("/console/v1/sessions/runs/{run_id}/abort");
        let body = json!({ "reason": reason });
        let outcome = self.signed(&Signed::post(&path, &body, self.inner.timeouts.decide)).await.map(drop);
        outcome.map_err(|error| match error.kind {
            ErrorKind::NotFound => GatewayError { message: words::gateway::NO_RUN.to_owned(), ..error },
            _ => error,
        })
    }
}
