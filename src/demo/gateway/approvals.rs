//! The list of approvals, and deciding them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, Path, Query, State};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Gateway;
use super::console::{Reader, Writer};
use super::error::ApiError;
use super::record::Record;
use super::store::Decision;

use crate::core::ulid;

const DECISIONS: [&str; 4] = ["allow", "deny", "timeout", "error"];
const SUBJECT_TYPES: [&str; 6] =
    ["tool", "channel_send", "secret_access", "browser_action", "node_capability", "device_pairing"];
const SCOPES: [&str; 3] = ["once", "session", "timeboxed"];

/// Routes below `/console/v1/approvals`.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/console/v1/approvals", get(list))
        .route("/console/v1/approvals/{id}", get(read))
        .route("/console/v1/approvals/{id}/decision", post(decide))
}

#[derive(Deserialize)]
struct ListQuery {
    after_approval_id: Option<String>,
    limit: Option<usize>,
    since_unix_ms: Option<i64>,
    until_unix_ms: Option<i64>,
    subject_id: Option<String>,
    principal: Option<String>,
    decision: Option<String>,
    subject_type: Option<String>,
}

async fn list(
    State(gateway): State<Arc<Gateway>>,
    Reader(_): Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, ApiError> {
    one_of("decision", query.decision.as_deref(), &DECISIONS)?;
    one_of("subject_type", query.subject_type.as_deref(), &SUBJECT_TYPES)?;
    if let Some(after) = &query.after_approval_id {
        canonical(after, "after_approval_id")?;
    }
    let limit = query.limit.unwrap_or(100).clamp(1, 500);
    let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    let wanted = |record: &Record| {
        query.since_unix_ms.is_none_or(|since| record.requested_at_unix_ms >= since)
            && query.until_unix_ms.is_none_or(|until| record.requested_at_unix_ms <= until)
            && same(&query.subject_id, &record.subject_id)
            && same(&query.principal, &record.principal)
            && same(&query.subject_type, &record.subject_type)
            && query.decision.as_deref().is_none_or(|wanted| record.decision.as_deref() == Some(wanted))
    };
    let (approvals, has_more) = gateway.store.page(query.after_approval_id.as_deref(), limit, wanted);
    let next = approvals.last().filter(|_| has_more).map(|record| record.approval_id.clone());
    let mut page = json!({ "limit": limit, "returned": approvals.len(), "has_more": has_more });
    if let Some(next) = &next {
        page["next_cursor"] = json!(next);
    }
    Ok(Json(json!({ "approvals": approvals, "next_after_approval_id": next, "page": page })))
}

async fn read(
    State(gateway): State<Arc<Gateway>>,
    Reader(_): Reader,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    canonical(&id, "approval_id")?;
    let record = gateway.store.approval(&id).ok_or_else(|| unknown(&id))?;
    Ok(Json(json!({ "approval": record })))
}

#[derive(Deserialize)]
struct DecisionRequest {
    approved: bool,
    reason: Option<String>,
    decision_scope: Option<String>,
    decision_scope_ttl_ms: Option<i64>,
}

async fn decide(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Path(id): Path<String>,
    Json(request): Json<DecisionRequest>,
) -> Result<Json<Value>, ApiError> {
    canonical(&id, "approval_id")?;
    one_of("decision_scope", request.decision_scope.as_deref(), &SCOPES)?;
    let default = if request.approved { "approved_by_console" } else { "denied_by_console" };
    let decision = Decision {
        approved: request.approved,
        reason: request.reason.filter(|reason| !reason.trim().is_empty()).unwrap_or_else(|| default.to_owned()),
        scope: request.decision_scope.unwrap_or_else(|| "once".to_owned()),
        ttl_ms: request.decision_scope_ttl_ms,
    };
    let record = gateway.store.decide(&id, &decision).ok_or_else(|| unknown(&id))?;
    if record.subject_type == "device_pairing" {
        gateway.decide_pairing(&id, decision.approved, &decision.reason);
    }
    let pairing =
        (record.subject_type == "device_pairing").then_some(if request.approved { "approved" } else { "denied" });
    Ok(Json(json!({ "approval": record, "dm_pairing": pairing })))
}

fn canonical(id: &str, field: &str) -> Result<(), ApiError> {
    if ulid::is_ulid(id) { Ok(()) } else { Err(ApiError::validation(format!("{field} must be a canonical ULID"))) }
}

fn one_of(field: &str, given: Option<&str>, known: &[&str]) -> Result<(), ApiError> {
    if given.is_none_or(|given| known.contains(&given)) {
        Ok(())
    } else {
        Err(ApiError::validation(format!("{field} must be one of {}", known.join(", "))))
    }
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found(format!("approval record not found: {id}"))
}
