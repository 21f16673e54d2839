//! The Discord connector. The answer for a fresh install is as recorded; a bot that is connected could not be recorded, so what
//! its answers hold is the contract's description, and no more.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, Path, State};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Gateway;
use super::console::{Reader, Writer};
use super::error::ApiError;
use super::fate::Fate;
use crate::demo::process;

const ID: &str = "discord:default";
const FRESH: &str = include_str!("discord.json");
const BOT: &str = "Demo bot";
const UNREACHED: &str =
    "failed to reach discord identity endpoint: error sending request for url (https://discord.com/api/v10/users/@me)";
/// A channel with these digits at its end takes no message.
const DEAF: &str = "0000";

/// Routes of the connector.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/console/v1/channels/{id}", get(state))
        .route("/console/v1/channels/{id}/test-send", post(test_send))
        .route("/console/v1/channels/discord/onboarding/probe", post(probe))
        .route("/console/v1/channels/discord/onboarding/apply", post(apply))
}

async fn state(
    State(gateway): State<Arc<Gateway>>,
    Reader(_): Reader,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    ours(&id)?;
    Ok(Json(status(&gateway)))
}

fn ours(id: &str) -> Result<(), ApiError> {
    if id == ID { Ok(()) } else { Err(ApiError::not_found(format!("connector not found: {id}"))) }
}

fn status(gateway: &Gateway) -> Value {
    let mut status: Value = serde_json::from_str(FRESH).unwrap_or_default();
    let started = process::unix_ms() - i64::try_from(gateway.started.elapsed().as_millis()).unwrap_or_default();
    status["connector"]["updated_at_unix_ms"] = json!(started);
    let Some(fate) = gateway.keeper.get().discord else { return status };
    let good = fate == Fate::Good && !gateway.settings.offline;
    let connector = &mut status["connector"];
    connector["enabled"] = json!(true);
    connector["readiness"] = json!(if fate == Fate::Wrong { "auth_failed" } else { "ready" });
    connector["liveness"] = json!(if good { "running" } else { "crashed" });
    connector["last_error"] = if good { Value::Null } else { json!(UNREACHED) };
    status["runtime"]["bot_identity"] = json!({ "id": "1234567890123456789", "username": BOT });
    status["runtime"]["inbound"]["gateway_connected"] = json!(good);
    status["operations"]["saturation"] = json!({ "state": if good { "healthy" } else { "retrying" }, "reasons": [] });
    status["operations"]["last_auth_failure"] = Value::Null;
    status
}

#[derive(Deserialize)]
struct Onboard {
    token: String,
    mode: Option<String>,
    inbound_scope: Option<String>,
}

async fn probe(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Json(request): Json<Onboard>,
) -> Result<Json<Value>, ApiError> {
    preflight(&gateway, &request).map(Json)
}

async fn apply(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Json(request): Json<Onboard>,
) -> Result<Json<Value>, ApiError> {
    let preflight = preflight(&gateway, &request)?;
    let kept = gateway.keeper.change(|kept| kept.discord = Some(Fate::in_use(&request.token)));
    kept.map_err(|error| ApiError::internal(format!("failed to store discord token in vault: {error}")))?;
    gateway.config.route_discord().map_err(|error| {
        ApiError::internal(format!("failed to persist config during discord onboarding update: {error}"))
    })?;
    let status = status(&gateway);
    Ok(Json(json!({
        "preflight": preflight,
        "applied": {
            "token_vault_ref": "global/discord_bot_token", "connector_id": ID,
            "config_path": gateway.config.path().display().to_string(), "config_created": false, "config_backups": 2,
            "connector_enabled": true, "restart_required_for_routing_rules": true,
        },
        "status": status["connector"],
        "runtime": status["runtime"],
        "inbound_monitor": { "connector_registered": true, "gateway_connected": true, "recent_inbound": false },
        "inbound_alive": false,
        "inbound_monitor_warnings": [
            "Inbound monitor check: gateway monitor is connected but no inbound messages were observed yet. Send a DM or \
             <@bot_id> mention to confirm ingest.",
        ],
    })))
}

fn preflight(gateway: &Gateway, request: &Onboard) -> Result<Value, ApiError> {
    let token = request.token.trim().trim_start_matches("Bot ").trim();
    if token.is_empty() {
        return Err(ApiError::validation("discord token cannot be empty"));
    }
    let fate = if gateway.settings.offline { Fate::Offline } else { Fate::at_check(token) };
    let failed = |status: u16, why: &str| format!("discord identity lookup failed (status={status}): {why}");
    match fate {
        Fate::Good => {}
        Fate::Wrong => {
            return Err(ApiError::validation("discord token validation failed (status=401): 401: Unauthorized"));
        }
        Fate::Busy => return Err(ApiError::unavailable(failed(429, "You are being rate limited."))),
        Fate::Down => return Err(ApiError::unavailable(failed(500, "unexpected response"))),
        Fate::Offline => return Err(ApiError::unavailable(UNREACHED)),
    }
    Ok(json!({
        "connector_id": ID, "account_id": "default", "mode": request.mode, "inbound_scope": request.inbound_scope,
        "bot": { "id": "1234567890123456789", "username": BOT },
        "application": { "id": "1234567890123456780" },
        "invite_url_template": "https://discord.com/oauth2/authorize?client_id=1234567890123456780&scope=bot&permissions=274878008320",
        "required_permissions": ["View Channels", "Send Messages", "Read Message History"],
        "egress_allowlist": ["discord.com"],
        "security_defaults": [],
        "routing_preview": {},
        "inbound_monitor": { "connector_registered": true, "gateway_connected": false, "recent_inbound": false },
        "inbound_alive": false,
        "warnings": [
            "DM-only onboarding keeps guild replies mention-gated and routes DMs through explicit pairing/allowlist policy.",
            "Discord Message Content intent is not fully enabled. Inbound command quality may be degraded.",
        ],
        "policy_warnings": [],
    }))
}

#[derive(Deserialize)]
struct TestSend {
    target: String,
    #[serde(default)]
    confirm: bool,
}

async fn test_send(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Path(id): Path<String>,
    Json(request): Json<TestSend>,
) -> Result<Json<Value>, ApiError> {
    ours(&id)?;
    if !request.confirm {
        return Err(ApiError::validation("discord test send requires explicit confirmation"));
    }
    let status = status(&gateway);
    let connector = &status["connector"];
    if connector["liveness"] != "running" {
        let why = if connector["enabled"] == true { "liveness=crashed" } else { "disabled, liveness=stopped" };
        return Err(ApiError::precondition(format!(
            "connector '{ID}' cannot send outbound messages because {why}; enable and configure the connector before retrying"
        )));
    }
    let delivered = !request.target.ends_with(DEAF);
    Ok(Json(json!({
        "dispatch": {
            "envelope_id": crate::demo::ids::ulid(), "connector_id": ID, "target": request.target, "enqueued": true,
            "delivered": u8::from(delivered), "retried": 0, "dead_lettered": u8::from(!delivered),
        },
        "status": connector,
        "runtime": status["runtime"],
    })))
}
