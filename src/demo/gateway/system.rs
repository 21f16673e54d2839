//! Reads about the gateway itself, and the journal event that a client may emit.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, State};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Gateway;
use super::console::{Reader, Writer};
use super::error::ApiError;
use crate::demo::{GIT_HASH, VERSION, process};

const PROFILE_MANIFEST: &str = include_str!("profile_manifest.json");
const SUBSYSTEMS: [(&str, &str); 7] = [
    ("gateway", "ok"),
    ("auth_profiles", "ok"),
    ("browserd", "disabled"),
    ("channels", "ok"),
    ("memory", "ok"),
    ("support_bundle", "ok"),
    ("maintenance", "ok"),
];
const EVENT_NAME_MAX: usize = 64;
const EVENT_SUMMARY_MAX: usize = 240;

/// Routes that need a session.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/console/v1/system/heartbeat", get(heartbeat))
        .route("/console/v1/system/presence", get(presence))
        .route("/console/v1/system/events/emit", post(emit))
        .route("/console/v1/deployment/posture", get(posture))
        .route("/console/v1/diagnostics", get(diagnostics))
        .route("/console/v1/inventory", get(inventory))
        .route("/console/v1/auth/health", get(auth_health))
}

/// The contract that most answers name.
pub fn contract() -> Value {
    json!({ "contract_version": "control-plane.v1" })
}

/// `GET /healthz`, for any demo sidecar.
pub fn healthz(service: &str, uptime_seconds: u64) -> Value {
    let build_profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    json!({
        "service": service, "status": "ok", "version": VERSION, "git_hash": GIT_HASH, "build_profile": build_profile,
        "uptime_seconds": uptime_seconds,
    })
}

async fn heartbeat(State(gateway): State<Arc<Gateway>>, Reader(caller): Reader) -> Json<Value> {
    let (settings, journal) = (&gateway.settings, gateway.store.journal_facts());
    let mut context = json!({ "principal": caller.who.principal, "device_id": caller.who.device_id });
    if let Some(channel) = caller.who.channel {
        context["channel"] = json!(channel);
    }
    let mut body = healthz(super::TARGET, gateway.started.elapsed().as_secs());
    let more = json!({
        "contract": contract(),
        "generated_at_unix_ms": process::unix_ms(),
        "request_context": context,
        "transport": {
            "grpc_bind_addr": settings.grpc_bind, "grpc_port": settings.grpc_port,
            "quic_bind_addr": settings.quic_bind, "quic_port": settings.quic_port, "quic_enabled": settings.quic_enabled,
        },
        "security": {
            "deny_by_default": true, "admin_auth_required": settings.require_auth,
            "admin_token_configured": settings.admin_token.is_some(),
            "orchestrator_runloop_v1_enabled": settings.runloop, "node_rpc_mtls_required": !settings.insecure_node_rpc,
            "revoked_certificate_count": 0, "smart_routing_enabled": true, "smart_routing_default_mode": "suggest",
        },
        "storage": {
            "journal_db_path": journal.path, "journal_hash_chain_enabled": true, "latest_event_hash": journal.hash,
        },
        "counters": { "admin_status_requests": 0, "denied_requests": 0, "journal_events": journal.events },
        "deployment": posture_of(&gateway),
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    Json(body)
}

async fn presence(State(gateway): State<Arc<Gateway>>, Reader(_): Reader) -> Json<Value> {
    let mut subsystems: Map<_, _> =
        SUBSYSTEMS.iter().map(|(name, state)| ((*name).to_owned(), json!({ "state": state }))).collect();
    subsystems.insert("model_provider".to_owned(), gateway.partner.presence());
    Json(json!({ "contract": contract(), "generated_at_unix_ms": process::unix_ms(), "subsystems": subsystems }))
}

async fn posture(State(gateway): State<Arc<Gateway>>, Reader(_): Reader) -> Json<Value> {
    Json(posture_of(&gateway))
}

fn posture_of(gateway: &Gateway) -> Value {
    let settings = &gateway.settings;
    json!({
        "contract": contract(),
        "profile": "local",
        "profile_manifest": serde_json::from_str::<Value>(PROFILE_MANIFEST).unwrap_or_default(),
        "mode": "local_desktop",
        "bind_profile": "loopback_only",
        "bind_addresses": {
            "admin": format!("{}:{}", settings.bind, settings.port),
            "grpc": format!("{}:{}", settings.grpc_bind, settings.grpc_port),
            "quic": format!("{}:{}", settings.quic_bind, settings.quic_port),
        },
        "tls": { "gateway_enabled": false },
        "admin_auth_required": settings.require_auth,
        "dangerous_remote_bind_ack": {
            "config": false, "env": false, "env_name": "PALYRA_GATEWAY_DANGEROUS_REMOTE_BIND_ACK",
        },
        "remote_bind_detected": false,
    })
}

/// Only the parts that a tray reads.
async fn diagnostics(State(gateway): State<Arc<Gateway>>, Reader(_): Reader) -> Json<Value> {
    Json(json!({
        "contract": contract(),
        "generated_at_unix_ms": process::unix_ms(),
        "rate_limits": {
            "admin_api_window_ms": 1000, "admin_api_max_requests_per_window": 30,
            "admin_api_loopback_max_requests_per_window": 1000, "admin_auth_failure_max_requests_per_window": 30,
            "canvas_api_window_ms": 1000, "canvas_api_max_requests_per_window": 90, "denied_requests_total": 0,
        },
        "browserd": {
            "enabled": gateway.settings.browser_enabled, "endpoint": "http://127.0.0.1:7543", "sessions": "<redacted>",
            "budgets": {
                "connect_timeout_ms": 1500, "request_timeout_ms": 15000, "max_screenshot_bytes": 1_048_576,
                "max_title_bytes": 4096,
            },
            "health": null,
            "failures": { "recent_relay_action_failures": 0, "recent_health_failures": 0, "samples": [] },
        },
        "observability": {
            "provider_auth": {
                "attempts": 0, "failures": 0, "failure_rate_bps": 0, "refresh_failures": 0,
                "profiles": { "total": 0, "expired": 0, "missing": 0 }, "state": "ok",
            },
            "dashboard": { "attempts": 0, "successes": 0, "failures": 0, "failure_rate_bps": 0 },
            "support_bundle": { "attempts": 0, "successes": 0, "failures": 0, "success_rate_bps": 10000 },
            "connector": {
                "connectors": 2, "degraded_connectors": 0, "paused_connectors": 0, "queue_depth": 0, "dead_letters": 0,
                "upload_failures": 0, "upload_failure_rate_bps": 0,
                "upload_failure_rate_basis": "recent_upload_failures_only", "recent_errors": [],
            },
            "browser": {
                "relay_actions": { "attempts": 0, "failures": 0, "failure_rate_bps": 0 }, "recent_failure_samples": [],
            },
            "failure_classes": { "config_failure": 0, "upstream_provider_failure": 0, "product_failure": 0 },
            "recent_failures": [],
        },
    }))
}

async fn inventory(State(gateway): State<Arc<Gateway>>, Reader(_): Reader) -> Json<Value> {
    let (now, uptime) = (process::unix_ms(), gateway.started.elapsed().as_secs());
    let instance = |id: &str, label: &str, kind: &str, presence: &str, state: &str, detail: &str, total: u32| {
        let available = if presence == "ok" { total } else { 0 };
        json!({
            "instance_id": id, "label": label, "kind": kind, "presence_state": presence, "observed_at_unix_ms": now,
            "state_label": state, "detail": detail,
            "capability_summary": { "total": total, "available": available, "unavailable": total - available },
        })
    };
    Json(json!({
        "contract": contract(),
        "generated_at_unix_ms": now,
        "summary": {
            "devices": 0, "trusted_devices": 0, "pending_pairings": 0, "ok_devices": 0, "stale_devices": 0,
            "degraded_devices": 0, "offline_devices": 0, "ok_instances": 2, "stale_instances": 0,
            "degraded_instances": 0, "offline_instances": 1,
        },
        "devices": [],
        "pending_pairings": [],
        "instances": [
            instance("palyrad", "palyrad", "gateway", "ok", "ok", &format!("palyrad uptime={uptime}s"), 1),
            instance("browserd", "Browser service", "browserd", "offline", "disabled", "0 active sessions", 1),
            instance("channels", "Channels runtime", "channels", "ok", "ok", "2 connectors, 0 degraded, 0 dead letters", 2),
        ],
        "page": { "limit": 1, "returned": 0, "has_more": false },
    }))
}

async fn auth_health(Reader(_): Reader) -> Json<Value> {
    Json(json!({
        "contract": contract(),
        "summary": { "total": 0, "ok": 0, "expiring": 0, "expired": 0, "missing": 0, "static_count": 0 },
        "expiry_distribution": {
            "expired": 0, "under_5m": 0, "between_5m_15m": 0, "between_15m_60m": 0, "between_1h_24h": 0, "over_24h": 0,
            "unknown": 0, "static_count": 0, "missing": 0,
        },
        "profiles": [],
        "refresh_metrics": { "attempts": 0, "successes": 0, "failures": 0, "by_provider": [] },
    }))
}

#[derive(Deserialize)]
struct Emit {
    name: String,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<Map<String, Value>>,
}

async fn emit(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Json(emit): Json<Emit>,
) -> Result<Json<Value>, ApiError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".:_-".contains(c);
    if emit.name.is_empty() || emit.name.len() > EVENT_NAME_MAX || !emit.name.chars().all(plain) {
        return Err(ApiError::validation("name must be 1 to 64 characters of a-z, 0-9, `.`, `:`, `_` and `-`"));
    }
    if emit.summary.as_ref().is_some_and(|summary| summary.len() > EVENT_SUMMARY_MAX) {
        return Err(ApiError::validation("summary must be at most 240 bytes"));
    }
    let event = format!("system.operator.{}", emit.name);
    let details = json!({
        "name": emit.name, "summary": emit.summary, "details": emit.details,
        "emitted_at_unix_ms": process::unix_ms(),
    });
    gateway.store.note_event(json!({ "event": event, "details": details }));
    Ok(Json(json!({ "status": "emitted", "event": event, "details": details, "routine_dispatches": [] })))
}
