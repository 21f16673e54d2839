//! Chat sessions: made, listed, their transcript.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, Path, Query, State};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Gateway;
use super::books::Booked;
use super::console::{Identity, Reader, Writer};
use super::error::ApiError;
use super::system::contract;
use crate::core::ulid;
use crate::demo::{ids, process};

/// Routes below `/console/v1/sessions` and `/console/v1/chat/sessions`, without the runs.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/console/v1/sessions", get(list))
        .route("/console/v1/sessions/{id}/archive", post(archive))
        .route("/console/v1/chat/sessions", post(resolve))
        .route("/console/v1/chat/sessions/{id}/transcript", get(transcript))
}

/// One chat session, as create and transcript show it.
#[derive(Clone, Serialize, Deserialize)]
// Names and meanings of the fields are the gateway's.
pub struct Session {
    pub session_id: String,
    pub session_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_label: Option<String>,
    pub principal: String,
    pub device_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    pub created_at_unix_ms: i64,
    pub updated_at_unix_ms: i64,
    pub title_generation_state: String,
    pub manual_title_locked: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual_title_updated_at_unix_ms: Option<i64>,
    pub title: String,
    pub title_source: String,
    pub branch_state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at_unix_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run_state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_intent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_summary: Option<String>,
}

impl Session {
    fn new(who: &Identity, key: Option<String>, label: Option<String>) -> Self {
        let now = process::unix_ms();
        let id = ids::ulid_at(now);
        let labelled = label.is_some();
        Self {
            title: label.clone().or_else(|| key.clone()).unwrap_or_else(|| id.clone()),
            session_key: key.unwrap_or_else(|| id.clone()),
            session_id: id,
            session_label: label,
            principal: who.principal.clone(),
            device_id: who.device_id.clone(),
            channel: who.channel.clone(),
            created_at_unix_ms: now,
            updated_at_unix_ms: now,
            title_generation_state: if labelled { "manual_locked" } else { "idle" }.to_owned(),
            manual_title_locked: labelled,
            manual_title_updated_at_unix_ms: labelled.then_some(now),
            title_source: if labelled { "label" } else { "session_key" }.to_owned(),
            branch_state: "root".to_owned(),
            archived_at_unix_ms: None,
            last_run_id: None,
            last_run_state: None,
            preview: None,
            last_intent: None,
            last_summary: None,
        }
    }

    /// Whether a console session may see it.
    pub fn belongs_to(&self, who: &Identity) -> bool {
        self.principal == who.principal && self.device_id == who.device_id && self.channel == who.channel
    }
}

#[derive(Deserialize)]
struct Resolve {
    session_id: Option<String>,
    session_key: Option<String>,
    session_label: Option<String>,
    #[serde(default)]
    require_existing: bool,
    #[serde(default)]
    reset_session: bool,
}

async fn resolve(
    State(gateway): State<Arc<Gateway>>,
    Writer(caller): Writer,
    Json(request): Json<Resolve>,
) -> Result<Json<Value>, ApiError> {
    if request.session_id.as_deref().is_some_and(|id| !ulid::is_ulid(id)) {
        return Err(ApiError::validation("session_id must be a canonical ULID"));
    }
    let labelled = request.session_id.is_none() && request.session_key.is_none() && request.session_label.is_some();
    let named = |session: &Session| {
        request.session_id.as_ref() == Some(&session.session_id)
            || request.session_key.as_ref() == Some(&session.session_key)
            || labelled && request.session_label == session.session_label
    };
    let found = gateway.store.sessions(|session| session.belongs_to(&caller.who) && named(session)).pop();
    let (session, created) = match found {
        Some(mut session) => {
            if request.session_label.is_some() {
                session.updated_at_unix_ms = process::unix_ms();
                session.manual_title_updated_at_unix_ms = Some(session.updated_at_unix_ms);
                gateway.store.put_session(session.clone());
            }
            (session, false)
        }
        None if request.require_existing => return Err(ApiError::not_found("session not found")),
        None => {
            let key = request.session_key.or_else(|| request.session_id.clone());
            let mut session = Session::new(&caller.who, key, request.session_label);
            if let Some(id) = request.session_id {
                session.session_id = id;
            }
            gateway.store.put_session(session.clone());
            (session, true)
        }
    };
    Ok(Json(json!({ "session": session, "created": created, "reset_applied": request.reset_session && !created })))
}

async fn archive(
    State(gateway): State<Arc<Gateway>>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let mut session = owned(&gateway, &caller.who, &id)?;
    session.archived_at_unix_ms = Some(process::unix_ms());
    gateway.store.put_session(session.clone());
    Ok(Json(json!({ "contract": contract(), "session": session })))
}

async fn transcript(
    State(gateway): State<Arc<Gateway>>,
    Reader(caller): Reader,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let session = owned(&gateway, &caller.who, &id)?;
    let runs = gateway.store.runs(|run| run.session_id == session.session_id);
    let records: Vec<Value> = runs.iter().flat_map(Booked::records).collect();
    let runs: Vec<Value> = runs.iter().map(Booked::json).collect();
    Ok(Json(json!({
        "session": session, "records": records, "attachments": [], "derived_artifacts": [], "pins": [],
        "compactions": [], "checkpoints": [], "queued_inputs": [], "runs": runs, "background_tasks": [],
        "contract": contract(),
    })))
}

/// The session, if the caller may see it.
pub fn owned(gateway: &Gateway, who: &Identity, id: &str) -> Result<Session, ApiError> {
    if !ulid::is_ulid(id) {
        return Err(ApiError::validation("session_id must be a canonical ULID"));
    }
    let session = gateway.store.session(id).filter(|session| session.belongs_to(who));
    session.ok_or_else(|| ApiError::not_found(format!("session not found: {id}")))
}

#[derive(Deserialize)]
struct ListQuery {
    limit: Option<usize>,
    cursor: Option<usize>,
    q: Option<String>,
    #[serde(default)]
    include_archived: bool,
    archived: Option<bool>,
    sort: Option<String>,
    has_pending_approvals: Option<bool>,
}

async fn list(
    State(gateway): State<Arc<Gateway>>,
    Reader(caller): Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, ApiError> {
    let limit = query.limit.unwrap_or(25).clamp(1, 100);
    let cursor = query.cursor.unwrap_or(0);
    let sort = query.sort.as_deref().unwrap_or("updated_desc");
    let all = gateway.store.sessions(|session| session.belongs_to(&caller.who));
    let archived = all.iter().filter(|session| session.archived_at_unix_ms.is_some()).count();
    let wanted_archived = query.archived.or((!query.include_archived).then_some(false));
    let needle = query.q.as_deref().unwrap_or_default().to_lowercase();
    let mut rows: Vec<(Session, Value)> = all
        .into_iter()
        .filter(|s| wanted_archived.is_none_or(|wanted| s.archived_at_unix_ms.is_some() == wanted))
        .filter(|s| s.title.to_lowercase().contains(&needle))
        .map(|session| (session.clone(), row(&gateway, &session)))
        .filter(|(_, row)| query.has_pending_approvals.is_none_or(|wanted| (row["pending_approvals"] != 0) == wanted))
        .collect();
    let (key, descending) = sort.rsplit_once('_').unwrap_or((sort, ""));
    match key {
        "updated" => rows.sort_by_key(|(session, _)| session.updated_at_unix_ms),
        "created" => rows.sort_by_key(|(session, _)| session.created_at_unix_ms),
        "title" => rows.sort_by(|(a, _), (b, _)| a.title.cmp(&b.title)),
        _ => return Err(ApiError::validation(format!("sort `{sort}` is not supported"))),
    }
    if descending == "desc" {
        rows.reverse();
    }
    let total = rows.len();
    let pending = rows.iter().filter(|(_, row)| row["pending_approvals"] != 0).count();
    let running = rows.iter().filter(|(_, row)| row["last_run_state"] == "in_progress").count();
    let sessions: Vec<Value> = rows.into_iter().skip(cursor).take(limit).map(|(_, row)| row).collect();
    let next = cursor + sessions.len();
    let mut page = json!({ "limit": limit, "returned": sessions.len(), "has_more": next < total });
    if next < total {
        page["next_cursor"] = json!(next.to_string());
    }
    Ok(Json(json!({
        "contract": contract(),
        "sessions": sessions,
        "summary": {
            "active_sessions": total - if wanted_archived == Some(false) { 0 } else { archived.min(total) },
            "archived_sessions": archived,
            "sessions_with_pending_approvals": pending,
            "sessions_with_active_runs": running,
            "sessions_with_context_files": 0,
        },
        "query": {
            "limit": limit, "cursor": cursor, "q": query.q, "include_archived": query.include_archived,
            "archived": query.archived, "sort": sort, "title_source": null,
            "has_pending_approvals": query.has_pending_approvals, "branch_state": null, "has_context_files": null,
            "agent_id": null, "model_profile": null, "title_state": null,
        },
        "page": page,
    })))
}

/// A session as the list shows it.
fn row(gateway: &Gateway, session: &Session) -> Value {
    let pending = gateway.store.pending(|record| record.session_id == session.session_id).len();
    let default = |value: Value, source: &str| json!({ "value": value, "source": source, "inherited_value": value, "override_active": false });
    let named = |value: &str, display: &str, source: &str| {
        let mut control = default(json!(value), source);
        control["display_value"] = json!(display);
        control
    };
    let more = json!({
        "preview_state": "missing", "last_intent_state": "missing", "last_summary_state": "missing",
        "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0,
        "archived": session.archived_at_unix_ms.is_some(), "pending_approvals": pending, "has_context_files": false,
        "agent_id": "local-default", "model_profile": "deterministic", "artifact_count": 0,
        "family": { "root_title": session.title, "sequence": 1, "family_size": 1 },
        "recap": {
            "project_context": {
                "generated_at_unix_ms": process::unix_ms(), "active_entries": 0, "blocked_entries": 0,
                "approval_required_entries": 0, "disabled_entries": 0, "active_estimated_tokens": 0,
            },
            "ctas": ["resume", "open_run_inspector", "branch"],
        },
        "quick_controls": {
            "agent": named("local-default", "LocalDefaultAgent", "default"),
            "model": named("deterministic", "deterministic", "default_agent_model_profile"),
            "thinking": default(json!(true), "surface_default"),
            "trace": default(json!(false), "surface_default"),
            "verbose": default(json!(false), "surface_default"),
            "reset_to_default_available": false,
        },
    });
    let mut row = serde_json::to_value(session).unwrap_or_default();
    if let (Value::Object(row), Value::Object(more)) = (&mut row, more) {
        row.extend(more);
        if let Some(run) = gateway.runs.last_of(&session.session_id) {
            row.insert("last_run_id".to_owned(), json!(run.run_id));
            row.insert("last_run_state".to_owned(), json!(run.state));
            row.insert("last_run_started_at_unix_ms".to_owned(), json!(run.started_at_unix_ms));
        }
    }
    row
}
