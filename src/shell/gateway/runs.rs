//! Ending runs.
//!
//! Limits: the gateway lists the sessions of the signed-in principal only, so runs of other principals (a channel's, the
//! command line's) are not seen here; what they ask for is denied all the same.

use serde_json::json;

use super::Client;
use super::http::{ErrorKind, GatewayError, PAGE_BODY};
use super::session::Signed;
use crate::core::record::is_usable_id;
use crate::core::sessions;

/// The hundred sessions that changed last: a run that is active changes its session.
const NEWEST: &str = "/console/v1/sessions?limit=100&sort=updated_desc&include_archived=true";
/// Instead of the id that was not found.
const NO_RUN: &str = "The gateway knows no such run: it never began, or was forgotten after its end.";
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
            if let Err(error) = self.abort_run(run_id, "all agents are paused").await {
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
            return Err(GatewayError::new(ErrorKind::Invalid, None, false, "That is not the id of a run."));
        }
        let path = format!("/console/v1/sessions/runs/{run_id}/abort");
        let body = json!({ "reason": reason });
        let outcome = self.signed(&Signed::post(&path, &body, self.inner.timeouts.decide)).await.map(drop);
        outcome.map_err(|error| match error.kind {
            ErrorKind::NotFound => GatewayError { message: NO_RUN.to_owned(), ..error },
            _ => error,
        })
    }
}
