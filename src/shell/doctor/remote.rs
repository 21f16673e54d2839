//! The gateway of a remote profile: one look, by its config, as the agent does it.

use std::time::{Duration, Instant};

use super::Looks;
use crate::config::Paths;
use crate::core::doctor::facts::Remote;
use crate::core::remote::Looked;
use crate::shell::gateway;
use crate::words;

/// A network takes longer than a disk.
const LIMIT: Duration = Duration::from_secs(5);
/// For what is around it.
const RESERVE: Duration = Duration::from_millis(500);

/// Begins it; what it gives waits for its end.
pub(super) fn begin(paths: &Paths) -> impl FnOnce() -> Remote {
    let config = paths.config.clone();
    let looks = Looks { until: Instant::now() + LIMIT + RESERVE };
    let look = looks.with(paths, words::remote::REMOTE_GATEWAY, |paths| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let (target, outcome) = runtime.block_on(gateway::look_elsewhere(&paths.config, LIMIT));
        // a name that is still being looked up holds nobody
        runtime.shutdown_background();
        Ok(Looked { round: 0, target, outcome: outcome.map(Into::into) })
    });
    move || Remote { config, looked: look.get() }
}
