//! `POST /demo/approvals`: what the real gateway only makes when a model or a node asks.
//!
//! Body, all optional: `kind` (`tool`, `acp`, `node_capability`, `device_pairing`), `risk_level`, `name` (tool, capability or
//! ACP subject), `input` (JSON), `summary` (ACP), `timeout_seconds`, `principal`, `session_id`, `run_id`, `age_ms` (asked
//! that long ago), `count`, `decision` (`allow` or `deny`: decided already). Answers `{"approval_ids": […]}`, oldest first.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, State};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Gateway;
use super::error::ApiError;
use super::record::{self, Origin, Record};
use super::store::Decision;
use crate::demo::ids;

/// Device of approvals that no client asked for.
pub const DEVICE_ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
/// Node of approvals that a node asked for.
pub const NODE_ID: &str = "01BX5ZZKBKACTAV9WEVGEMMVRZ";
const COUNT_MAX: usize = 10_000;

/// The route.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/demo/approvals", post(create))
}

/// What is wanted.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wish {
    /// `tool` if absent.
    pub kind: Option<String>,
    /// `high` if absent.
    pub risk_level: Option<String>,
    /// Tool, capability or ACP subject.
    pub name: Option<String>,
    /// Input of the tool or capability.
    pub input: Option<Value>,
    /// For ACP.
    pub summary: Option<String>,
    /// In place of the kind's own.
    pub timeout_seconds: Option<u32>,
    /// The bound principal if absent.
    pub principal: Option<String>,
    /// Fresh if absent.
    pub session_id: Option<String>,
    /// Fresh if absent.
    pub run_id: Option<String>,
    /// How long ago.
    pub age_ms: i64,
    /// 1 if absent.
    pub count: Option<usize>,
    /// Undecided if absent.
    pub decision: Option<String>,
}

async fn create(State(gateway): State<Arc<Gateway>>, Json(wish): Json<Wish>) -> Result<Json<Value>, ApiError> {
    let mut made = Vec::new();
    for _ in 0..wish.count.unwrap_or(1).min(COUNT_MAX) {
        made.push(grant(&gateway, &wish)?);
    }
    Ok(Json(json!({ "approval_ids": made })))
}

/// Creates one approval. Fails on an unknown kind or decision.
pub fn grant(gateway: &Gateway, wish: &Wish) -> Result<String, ApiError> {
    let record = build(gateway, wish)?;
    let id = record.approval_id.clone();
    if !gateway.store.create(record) {
        return Err(ApiError::internal("an approval with this id exists already"));
    }
    let approved = match wish.decision.as_deref() {
        None => return Ok(id),
        Some("allow") => true,
        Some("deny") => false,
        Some(_) => return Err(ApiError::validation("decision must be allow or deny")),
    };
    gateway.store.decide(&id, &elsewhere(approved));
    Ok(id)
}

/// A decision that came from another surface.
pub fn elsewhere(approved: bool) -> Decision {
    Decision { approved, reason: "decided_elsewhere".to_owned(), scope: "once".to_owned(), ttl_ms: None }
}

fn build(gateway: &Gateway, wish: &Wish) -> Result<Record, ApiError> {
    let kind = wish.kind.as_deref().unwrap_or("tool");
    let node = matches!(kind, "node_capability" | "device_pairing");
    let bound = || gateway.settings.bound_principal.clone().unwrap_or_else(|| "admin:demo".to_owned());
    let origin = Origin {
        principal: wish.principal.clone().unwrap_or_else(bound),
        device_id: if node { NODE_ID } else { DEVICE_ID }.to_owned(),
        channel: None,
        session_id: wish.session_id.clone().unwrap_or_else(ids::ulid),
        run_id: wish.run_id.clone().unwrap_or_else(ids::ulid),
    };
    let risk = wish.risk_level.as_deref().unwrap_or("high");
    let name = |default: &'static str| wish.name.as_deref().unwrap_or(default);
    let input = |default: Value| wish.input.clone().unwrap_or(default);
    let mut record = match kind {
        "tool" => record::tool(origin, name("shell.exec"), &input(json!({ "command": "git status" })), risk),
        "acp" => {
            let summary = wish.summary.as_deref().unwrap_or("Demo permission request");
            record::acp(origin, name("acp_permission"), summary, risk, 300, "palyra-demo", &json!([]))
        }
        "node_capability" => {
            let input = input(json!({ "url": "https://example.com" }));
            record::node_capability(origin, name("desktop.open_url"), &input, risk, 120)
        }
        "device_pairing" => record::device_pairing(origin, risk),
        _ => return Err(ApiError::validation("kind must be tool, acp, node_capability or device_pairing")),
    };
    if let Some(seconds) = wish.timeout_seconds {
        record.prompt.timeout_seconds = seconds;
    }
    if wish.age_ms != 0 {
        let then = record.requested_at_unix_ms.saturating_sub(wish.age_ms);
        let id = ids::ulid_at(then);
        if record.run_id == record.approval_id {
            record.run_id.clone_from(&id);
        }
        record.approval_id = id;
        record.requested_at_unix_ms = then;
        record.created_at_unix_ms = then;
        record.updated_at_unix_ms = then;
    }
    Ok(record)
}
