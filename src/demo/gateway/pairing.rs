//! Nodes: pairing codes and requests, and the nodes that are connected. The node RPC port speaks HTTP instead of gRPC over TLS,
//! and a certificate is a word in a header; who may come without one is as in the real gateway.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Json, Path, Query, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Gateway;
use super::console::{Reader, Writer};
use super::error::ApiError;
use super::record::{self, Origin};
use super::store::Decision;
use super::system::contract;
use crate::core::ulid;
use crate::demo::{ids, process};

/// Carries a node's certificate.
pub const CERTIFICATE: &str = "x-demo-certificate";
const DEFAULT_TTL_MS: i64 = 600_000;
const TTL_RANGE_MS: (i64, i64) = (30_000, 86_400_000);
/// A certificate is good for this long, milliseconds, unless `PALYRA_DEMO_CERTIFICATE_MS` says otherwise.
const CERTIFICATE_MS: i64 = 24 * 60 * 60 * 1_000;
/// Who asks when the fault `stranger` is on.
const STRANGER: &str = "01BX5ZZKBKACTAV9WEVGEMMVRX";

/// What is kept over a restart.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// By code.
    codes: BTreeMap<String, Code>,
    /// By id.
    requests: BTreeMap<String, Request>,
    /// Certificate of each paired device, and its end.
    paired: BTreeMap<String, (String, i64)>,
}

/// Nodes that have come to this life of the gateway, by device.
#[derive(Default)]
pub struct Nodes(Mutex<BTreeMap<String, (i64, i64)>>);

#[derive(Clone, Serialize, Deserialize)]
struct Code {
    code: String,
    method: String,
    issued_by: String,
    created_at_unix_ms: i64,
    expires_at_unix_ms: i64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Request {
    request_id: String,
    session_id: String,
    device_id: String,
    client_kind: String,
    method: String,
    code_issued_by: String,
    requested_at_unix_ms: i64,
    expires_at_unix_ms: i64,
    approval_id: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision_reason: Option<String>,
    identity_fingerprint: String,
    transcript_hash_hex: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cert_expires_at_unix_ms: Option<i64>,
}

/// Console routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/console/v1/pairing/requests/code", post(mint))
        .route("/console/v1/pairing/requests", get(list))
        .route("/console/v1/pairing/requests/{id}/approve", post(approve))
        .route("/console/v1/pairing/requests/{id}/reject", post(reject))
        .route("/console/v1/nodes", get(nodes))
        .route("/console/v1/nodes/{device_id}", get(node))
        .route("/console/v1/devices/{device_id}/remove", post(remove))
}

/// Routes of the node RPC port.
pub fn node_rpc(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/pair", post(pair))
        .route("/pair/{id}", get(paired))
        .route("/beat/{device_id}", post(beat))
        .with_state(gateway)
}

impl Gateway {
    /// A decision on an approval is one on its pairing request.
    pub fn decide_pairing(&self, approval_id: &str, approved: bool, reason: &str) {
        let _ = self.keeper.change(|kept| {
            for request in kept.pairing.requests.values_mut().filter(|request| request.approval_id == approval_id) {
                if approved { "approved" } else { "rejected" }.clone_into(&mut request.state);
                request.decision_reason = Some(reason.to_owned());
            }
        });
    }

    fn change_pairing<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> Result<T, ApiError> {
        let now = process::unix_ms();
        let mut result = None;
        let done = self.keeper.change(|kept| {
            let pairing = &mut kept.pairing;
            pairing.codes.retain(|_, code| code.expires_at_unix_ms > now);
            for request in pairing.requests.values_mut() {
                let open = matches!(request.state.as_str(), "pending_approval" | "approved");
                if open && request.expires_at_unix_ms <= now {
                    "expired".clone_into(&mut request.state);
                }
            }
            result = Some(change(pairing));
        });
        done.map_err(|error| ApiError::internal(error.to_string()))?;
        result.ok_or_else(|| ApiError::internal("nothing was changed"))
    }

    fn ask(&self, device_id: &str, code: &Code) -> Result<Request, ApiError> {
        let session_id = ids::ulid();
        let origin = Origin {
            principal: String::new(),
            device_id: device_id.to_owned(),
            channel: None,
            session_id: session_id.clone(),
            run_id: ids::ulid(),
        };
        let record = record::device_pairing(origin, "high");
        let request = Request {
            request_id: session_id.clone(),
            session_id: session_id.clone(),
            device_id: device_id.to_owned(),
            client_kind: "node".to_owned(),
            method: code.method.clone(),
            code_issued_by: code.issued_by.clone(),
            requested_at_unix_ms: process::unix_ms(),
            expires_at_unix_ms: code.expires_at_unix_ms,
            approval_id: record.approval_id.clone(),
            state: "pending_approval".to_owned(),
            decision_reason: None,
            identity_fingerprint: ids::sha256_hex(device_id.as_bytes()),
            transcript_hash_hex: ids::sha256_hex(session_id.as_bytes()),
            cert_expires_at_unix_ms: None,
        };
        self.store.create(record);
        let kept = request.clone();
        self.change_pairing(|pairing| pairing.requests.insert(kept.request_id.clone(), kept))?;
        Ok(request)
    }

    /// Who comes with this certificate; as the real one, that demands one in the handshake.
    fn admit(&self, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
        let given = headers.get(CERTIFICATE).and_then(|value| value.to_str().ok());
        let now = process::unix_ms();
        let paired = self.keeper.get().pairing.paired;
        let device = given.and_then(|given| {
            paired.iter().find(|(_, (certificate, _))| certificate == given).map(|(id, (_, end))| (id.clone(), *end))
        });
        match (given, device) {
            (Some(_), Some((device, end))) if end > now => Ok(Some(device)),
            (Some(_), Some(_)) => {
                Err(ApiError::unauthorized("transport error: stream closed because of a broken pipe"))
            }
            (Some(_), None) => Err(ApiError::forbidden("node RPC client certificate fingerprint is revoked")),
            (None, _) if self.settings.insecure_node_rpc => Ok(None),
            (None, _) => Err(ApiError::unauthorized("received fatal alert: CertificateRequired")),
        }
    }
}

#[derive(Deserialize)]
struct Mint {
    method: String,
    issued_by: Option<String>,
    ttl_ms: Option<i64>,
}

async fn mint(
    State(gateway): State<Arc<Gateway>>,
    Writer(caller): Writer,
    Json(request): Json<Mint>,
) -> Result<Json<Value>, ApiError> {
    let now = process::unix_ms();
    let ttl = request.ttl_ms.unwrap_or(DEFAULT_TTL_MS).clamp(TTL_RANGE_MS.0, TTL_RANGE_MS.1);
    let code = match request.method.as_str() {
        "pin" => format!("{:06}", u32::from_be_bytes(first_four(&ids::digest(&ids::token()))) % 1_000_000),
        "qr" => ids::ulid(),
        _ => return Err(ApiError::validation("method must be pin or qr")),
    };
    let code = Code {
        code,
        method: request.method,
        issued_by: request.issued_by.unwrap_or(caller.who.principal),
        created_at_unix_ms: now,
        expires_at_unix_ms: now + ttl,
    };
    let kept = code.clone();
    gateway.change_pairing(|pairing| pairing.codes.insert(kept.code.clone(), kept))?;
    Ok(Json(json!({ "contract": contract(), "code": code })))
}

fn first_four(bytes: &[u8; 32]) -> [u8; 4] {
    [bytes[0], bytes[1], bytes[2], bytes[3]]
}

#[derive(Deserialize)]
struct Wanted {
    limit: Option<usize>,
    #[serde(alias = "status")]
    state: Option<String>,
    client_kind: Option<String>,
}

async fn list(
    State(gateway): State<Arc<Gateway>>,
    Reader(_): Reader,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Value>, ApiError> {
    let pairing = gateway.change_pairing(|pairing| pairing.clone())?;
    let limit = wanted.limit.unwrap_or(100).clamp(1, 500);
    let fits = |request: &&Request| {
        wanted.state.as_ref().is_none_or(|state| *state == request.state)
            && wanted.client_kind.as_ref().is_none_or(|kind| *kind == request.client_kind)
    };
    let requests: Vec<_> = pairing.requests.values().filter(fits).take(limit).collect();
    let codes: Vec<_> = pairing.codes.values().collect();
    let page = json!({ "limit": limit, "returned": requests.len(), "has_more": false });
    Ok(Json(json!({ "contract": contract(), "codes": codes, "requests": requests, "page": page })))
}

#[derive(Deserialize)]
struct Verdict {
    reason: Option<String>,
}

async fn approve(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Path(id): Path<String>,
    Json(verdict): Json<Verdict>,
) -> Result<Json<Value>, ApiError> {
    resolve(&gateway, &id, true, verdict.reason.unwrap_or_else(|| "approved_by_operator".to_owned()))
}

async fn reject(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Path(id): Path<String>,
    Json(verdict): Json<Verdict>,
) -> Result<Json<Value>, ApiError> {
    resolve(&gateway, &id, false, verdict.reason.unwrap_or_else(|| "rejected_by_operator".to_owned()))
}

fn resolve(gateway: &Gateway, id: &str, approved: bool, reason: String) -> Result<Json<Value>, ApiError> {
    canonical(id, "request_id")?;
    let missing = || ApiError::not_found("pairing request was not found");
    let request = gateway.keeper.get().pairing.requests.remove(id).ok_or_else(missing)?;
    let decision = Decision { approved, reason, scope: "once".to_owned(), ttl_ms: None };
    gateway.store.decide(&request.approval_id, &decision);
    gateway.decide_pairing(&request.approval_id, approved, &decision.reason);
    let request = gateway.keeper.get().pairing.requests.remove(id).ok_or_else(missing)?;
    Ok(Json(json!({ "contract": contract(), "request": request })))
}

async fn nodes(State(gateway): State<Arc<Gateway>>, Reader(_): Reader) -> Json<Value> {
    let seen = gateway.nodes.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let nodes: Vec<_> = seen.iter().map(|(device, times)| view(device, *times)).collect();
    let page = json!({ "limit": nodes.len().max(1), "returned": nodes.len(), "has_more": false });
    Json(json!({ "contract": contract(), "nodes": nodes, "page": page }))
}

async fn node(
    State(gateway): State<Arc<Gateway>>,
    Reader(_): Reader,
    Path(device_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    canonical(&device_id, "device_id")?;
    let seen = gateway.nodes.0.lock().unwrap_or_else(PoisonError::into_inner).get(&device_id).copied();
    let times = seen.ok_or_else(|| ApiError::not_found("node was not found"))?;
    Ok(Json(json!({ "contract": contract(), "node": view(&device_id, times) })))
}

fn view(device_id: &str, (registered, seen): (i64, i64)) -> Value {
    let capability = |name: &str, mode: &str| json!({ "name": name, "available": true, "execution_mode": mode });
    json!({
        "device_id": device_id,
        "platform": format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        "capabilities": [
            capability("echo", "automatic"), capability("system.health", "automatic"),
            capability("system.identity", "automatic"), capability("desktop.open_url", "local_mediation"),
            capability("desktop.open_path", "local_mediation"),
        ],
        "registered_at_unix_ms": registered, "last_seen_at_unix_ms": seen,
        "last_event_name": "node.heartbeat", "last_event_at_unix_ms": seen,
    })
}

async fn remove(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Path(device_id): Path<String>,
    Json(_): Json<Verdict>,
) -> Result<Json<Value>, ApiError> {
    canonical(&device_id, "device_id")?;
    let removed = gateway.change_pairing(|pairing| pairing.paired.remove(&device_id))?;
    gateway.nodes.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&device_id);
    if removed.is_none() {
        return Err(ApiError::not_found("device was not found"));
    }
    Ok(Json(json!({ "contract": contract(), "device": { "device_id": device_id, "status": "removed" } })))
}

#[derive(Deserialize)]
struct Pair {
    code: String,
    device_id: String,
}

async fn pair(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Json(asked): Json<Pair>,
) -> Result<Json<Value>, ApiError> {
    gateway.admit(&headers)?;
    canonical(&asked.device_id, "device_id")?;
    let code = gateway.change_pairing(|pairing| pairing.codes.remove(&asked.code))?;
    let code = code.ok_or_else(|| ApiError::precondition("pairing code is missing or expired"))?;
    if gateway.faults.has_stranger() {
        let other = Code { issued_by: "somebody".to_owned(), ..code.clone() };
        gateway.ask(STRANGER, &other)?;
    }
    let request = gateway.ask(&asked.device_id, &code)?;
    Ok(Json(json!({ "request_id": request.request_id })))
}

/// How a request stands; once it is approved, with the certificate.
async fn paired(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    gateway.admit(&headers)?;
    let answer = gateway.change_pairing(|pairing| {
        let request = pairing.requests.get_mut(&id)?;
        if request.state != "approved" {
            return Some(json!({ "state": request.state }));
        }
        let (certificate, end) = (ids::token(), process::unix_ms() + gateway.settings.certificate_ms);
        "completed".clone_into(&mut request.state);
        request.cert_expires_at_unix_ms = Some(end);
        pairing.paired.insert(request.device_id.clone(), (certificate.clone(), end));
        Some(json!({ "state": "completed", "certificate": certificate, "expires_at_unix_ms": end }))
    })?;
    answer.map(Json).ok_or_else(|| ApiError::not_found("pairing request was not found"))
}

async fn beat(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Path(device_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let bound = gateway.admit(&headers)?;
    if bound.is_some_and(|bound| bound != device_id) {
        return Err(ApiError::forbidden(
            "node RPC request device_id does not match the authenticated client certificate",
        ));
    }
    let now = process::unix_ms();
    let mut nodes = gateway.nodes.0.lock().unwrap_or_else(PoisonError::into_inner);
    nodes.entry(device_id).or_insert((now, now)).1 = now;
    Ok(Json(json!({ "accepted": true })))
}

/// How long a certificate is good for.
pub fn certificate_ms(given: Option<&str>) -> i64 {
    given.and_then(|given| given.parse().ok()).unwrap_or(CERTIFICATE_MS)
}

fn canonical(id: &str, field: &str) -> Result<(), ApiError> {
    if ulid::is_ulid(id) { Ok(()) } else { Err(ApiError::validation(format!("{field} must be a canonical ULID"))) }
}
