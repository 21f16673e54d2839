//! `POST /console/v1/acp/command`, of which only `approval.request` is known here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Json, State};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Gateway;
use super::console::{Identity, Writer};
use super::record::{self, Origin};
use crate::core::ulid;
use crate::demo::{ids, process};

const RISKS: [&str; 4] = ["low", "medium", "high", "critical"];
const WINDOW_MS: i64 = 60_000;
const CALLS_PER_WINDOW: usize = 120;

/// The route.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/console/v1/acp/command", post(command))
}

/// When each client made its calls in the current window, by client id and command.
#[derive(Default)]
pub struct AcpRate(Mutex<HashMap<(String, String), Vec<i64>>>);

impl AcpRate {
    fn allows(&self, client: &str, command: &str) -> bool {
        let now = process::unix_ms();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = all.entry((client.to_owned(), command.to_owned())).or_default();
        calls.retain(|at| now - at < WINDOW_MS);
        let allowed = calls.len() < CALLS_PER_WINDOW;
        if allowed {
            calls.push(now);
        }
        allowed
    }
}

#[derive(Deserialize)]
struct Body {
    client: Client,
    command: Command,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Client {
    protocol_version: u32,
    client_id: String,
    #[serde(rename = "transport")]
    _transport: String,
    owner_principal: String,
    device_id: String,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    capabilities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    request_id: String,
    command: String,
    #[serde(default)]
    params: Value,
}

/// Why a command failed; the call itself answers 200.
struct Failure(&'static str, String, &'static str);

async fn command(State(gateway): State<Arc<Gateway>>, Writer(session): Writer, Json(body): Json<Body>) -> Json<Value> {
    let outcome = approval_request(&gateway, &session.who, &body);
    let Body { command: Command { request_id, command, .. }, .. } = body;
    Json(match outcome {
        Ok(result) => {
            json!({ "request_id": request_id, "command": command, "ok": true, "result": result, "replayed": false })
        }
        Err(Failure(code, message, hint)) => json!({
            "request_id": request_id,
            "command": command,
            "ok": false,
            "error": { "code": code, "message": message, "recovery_hint": hint },
            "replayed": false,
        }),
    })
}

fn approval_request(gateway: &Gateway, who: &Identity, body: &Body) -> Result<Value, Failure> {
    let Body { client, command } = body;
    let params = &command.params;
    let fail = |code, message: &str, hint| Err(Failure(code, message.to_owned(), hint));
    if client.protocol_version != 1 {
        return fail("unsupported_protocol", "protocol_version must be 1", "use protocol version 1");
    }
    if client.owner_principal != who.principal || client.device_id != who.device_id || client.channel != who.channel {
        return fail("forbidden", "client does not match the console session", "send what login returned");
    }
    if command.command != "approval.request" {
        return fail("unsupported_command", "the demo gateway knows only approval.request", "use approval.request");
    }
    if !client.scopes.iter().any(|scope| scope == "approvals:write") {
        return fail("forbidden", "scope approvals:write is missing", "ask for approvals:write");
    }
    if !client.capabilities.iter().any(|capability| capability == "approval_bridge") {
        return fail("forbidden", "capability approval_bridge is missing", "announce approval_bridge");
    }
    if !gateway.acp_rate.allows(&client.client_id, &command.command) {
        return fail("rate_limited", "too many commands in this minute", "retry later");
    }
    let text = |name: &str| params.get(name).and_then(Value::as_str);
    let id = |name: &str| match text(name) {
        Some(id) if ulid::is_ulid(id) => Ok(Some(id.to_owned())),
        Some(_) => Err(Failure("invalid_params", format!("{name} must be a canonical ULID"), "send a ULID")),
        None => Ok(None),
    };
    let Some(session_id) = id("session_id")? else {
        return fail("invalid_params", "session_id is required", "send a ULID");
    };
    let origin = Origin {
        principal: who.principal.clone(),
        device_id: who.device_id.clone(),
        channel: who.channel.clone(),
        session_id,
        run_id: id("run_id")?.unwrap_or_else(ids::ulid),
    };
    let timeout = params.get("timeout_seconds").and_then(Value::as_u64).unwrap_or(300).clamp(5, 3600);
    let mut approval = record::acp(
        origin,
        text("subject_id").unwrap_or("acp_permission"),
        text("summary").unwrap_or("ACP permission request"),
        text("risk_level").filter(|risk| RISKS.contains(risk)).unwrap_or("medium"),
        u32::try_from(timeout).unwrap_or(3600),
        &client.client_id,
        params.get("evidence_refs").filter(|refs| refs.is_array()).unwrap_or(&json!([])),
    );
    if let Some(id) = id("approval_id")? {
        approval.approval_id = id;
    }
    if !gateway.store.create(approval.clone()) {
        return fail("internal_error", "an approval with this id exists already", "send another approval_id");
    }
    Ok(json!({ "approval": approval }))
}
