//! The parts of the snapshot that the gateway told when it was asked, and how old every part is.

use serde_json::{Value, json};

use crate::core::agent::Agent;
use crate::core::sessions::Sessions;
use crate::core::time::Now;
use crate::protocol::ServiceId;

/// Wall clock of the moment at which each part was so; null: never heard of. What is not named is known by the agent itself
/// and as new as the snapshot.
pub(super) fn ages(agent: &Agent) -> Value {
    let at = |now: Option<&Now>| now.map(|now| now.unix_ms);
    let survey = &agent.survey;
    json!({
        "gateway": at(agent.gateway.as_ref().map(|(_, at)| at)),
        "approvals": at(agent.inbox.as_of.as_ref()),
        "sessions": at(survey.sessions.as_of.as_ref()),
        "diagnostics": at(survey.diagnostics.as_of.as_ref()),
        "discord": at(survey.discord.as_of.as_ref()),
        "profile": at(agent.profile.as_ref().map(|(_, at)| at)),
    })
}

/// Why the newest answer about a part is none; only those.
pub(super) fn troubles(agent: &Agent) -> Value {
    let survey = &agent.survey;
    let troubles = [
        ("approvals", &agent.inbox.trouble),
        ("sessions", &survey.sessions.trouble),
        ("diagnostics", &survey.diagnostics.trouble),
        ("discord", &survey.discord.trouble),
    ];
    let told = troubles.into_iter().filter(|(_, why)| !why.is_empty());
    told.map(|(part, why)| (part.to_owned(), json!(why))).collect::<serde_json::Map<_, _>>().into()
}

/// Newest first; null while no list was ever told.
pub(super) fn catalog(agent: &Agent) -> Value {
    json!(agent.survey.sessions.value.as_ref().map(|sessions| &sessions.rows))
}

/// Counts over all sessions.
pub(super) fn summary(agent: &Agent) -> Value {
    json!(agent.survey.sessions.value.as_ref().map(|sessions| sessions.summary))
}

/// Runs that are not over; null while that is not known, as when the gateway is gone.
pub(super) fn active_runs(agent: &Agent) -> Value {
    let rows = |sessions: &Sessions| -> Vec<_> {
        let rows = sessions.active().map(|(session, run)| {
            json!({
                "session_id": session.session_id,
                "session_title": session.title,
                "run_id": run.run_id,
                "status": run.state,
                "started_at_unix_ms": run.started_at_unix_ms,
                "pending_approvals": session.pending_approvals,
                "preview": session.preview,
            })
        });
        rows.collect()
    };
    json!(agent.survey.current().map(rows))
}

/// What became of runs since the agent watches, newest last.
pub(super) fn run_news(agent: &Agent) -> Vec<Value> {
    let news = agent.survey.news.iter().map(|(at, news)| {
        let mut value = json!(news);
        value["seen_at_unix_ms"] = json!(at);
        value
    });
    news.collect()
}

/// Figures and troubles.
pub(super) fn diagnostics(agent: &Agent) -> Value {
    let told = agent.survey.diagnostics.value.as_ref();
    json!({
        "generated_at_unix_ms": told.and_then(|told| told.generated_at_unix_ms),
        "errors": told.map(|told| &told.errors),
        "observability": told.map(|told| &told.observability),
        "dropped_log_events_total":
            ServiceId::ALL.iter().filter_map(|id| agent.log_losses.get(id)).map(|loss| loss.dropped_lines).sum::<u64>(),
    })
}
