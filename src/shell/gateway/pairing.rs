//! Pairing this machine as a node: a code, the requests, our approval of one of them, what the gateway knows of a node.
//!
//! Limits: a code is made anew for each attempt; it goes to the command line and nowhere else, and appears in no error.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Client;
use super::error::{ErrorKind, GatewayError};
use super::session::Signed;
use crate::core::node::PairingRequest;
use crate::core::ulid;
use crate::protocol::Secret;
use crate::words;

const REQUESTS: &str = "/console/v1/pairing/requests";
/// A code, and a request made with it, are good for this long, milliseconds: more than our pairing may take.
const CODE_TTL_MS: u64 = 60_000;
/// All that an inbox of pairing requests ever holds.
const LIST_LIMIT: u32 = 500;

/// A code for one pairing.
pub struct PairingCode {
    /// Six digits.
    pub pin: Secret,
    /// By the gateway's clock, milliseconds since the epoch.
    pub created_at_unix_ms: i64,
}

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    device_id: String,
    #[serde(default)]
    client_kind: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    code_issued_by: String,
    #[serde(default)]
    requested_at_unix_ms: i64,
    #[serde(default)]
    approval_id: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    transcript_hash_hex: String,
}

impl Client {
    /// Has a code made that names this issuer.
    pub async fn pairing_code(&self, issued_by: &str) -> Result<PairingCode, GatewayError> {
        #[derive(Deserialize)]
        struct Body {
            code: Code,
        }
        #[derive(Deserialize)]
        struct Code {
            code: Secret,
            created_at_unix_ms: i64,
        }
        let body = json!({ "method": "pin", "issued_by": issued_by, "ttl_ms": CODE_TTL_MS });
        let path = format!("{REQUESTS}/code");
        let answer = self.signed(&Signed::post(&path, &body, self.inner.timeouts.state)).await?;
        let Body { code } = serde_json::from_slice(&answer.body).map_err(|_| answer.not_ours())?;
        Ok(PairingCode { pin: code.code, created_at_unix_ms: code.created_at_unix_ms })
    }

    /// What waits to be paired, of whatever kind it says it is.
    pub async fn pairing_requests(&self) -> Result<Vec<PairingRequest>, GatewayError> {
        #[derive(Deserialize)]
        struct Body {
            requests: Vec<Row>,
        }
        let path = format!("{REQUESTS}?state=pending_approval&limit={LIST_LIMIT}");
        let answer = self.signed(&Signed::get(&path, self.inner.timeouts.state)).await?;
        let Body { requests } = serde_json::from_slice(&answer.body).map_err(|_| answer.not_ours())?;
        Ok(requests.into_iter().map(PairingRequest::from).collect())
    }

    /// Approves or refuses one.
    pub async fn decide_pairing(&self, request_id: &str, approve: bool, reason: &str) -> Result<(), GatewayError> {
        let path = format!("{REQUESTS}/{}/{}", checked(request_id)?, if approve { "approve" } else { "reject" });
        let body = json!({ "reason": reason });
        self.signed(&Signed::post(&path, &body, self.inner.timeouts.decide)).await.map(drop)
    }

    /// When the gateway last heard of a node, milliseconds since the epoch; `None`: never.
    pub async fn node_last_seen(&self, device_id: &str) -> Result<Option<i64>, GatewayError> {
        let path = format!("/console/v1/nodes/{}", checked(device_id)?);
        match self.signed(&Signed::get(&path, self.inner.timeouts.state)).await {
            Ok(answer) => {
                let body: Value = answer.json()?;
                Ok(body.pointer("/node/last_seen_at_unix_ms").and_then(Value::as_i64))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has the gateway forget a device; false: it did not know it.
    pub async fn forget_device(&self, device_id: &str) -> Result<bool, GatewayError> {
        let path = format!("/console/v1/devices/{}/remove", checked(device_id)?);
        let body = json!({ "reason": words::node::RESET_BY });
        let call = Signed { method: Method::POST, ..Signed::post(&path, &body, self.inner.timeouts.state) };
        match self.signed(&call).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl From<Row> for PairingRequest {
    fn from(row: Row) -> Self {
        Self {
            request_id: row.request_id,
            device_id: row.device_id,
            client_kind: row.client_kind,
            method: row.method,
            issued_by: row.code_issued_by,
            requested_at_unix_ms: row.requested_at_unix_ms,
            approval_id: row.approval_id,
            state: row.state,
            transcript_hash: row.transcript_hash_hex,
        }
    }
}

fn checked(id: &str) -> Result<&str, GatewayError> {
    if ulid::is_ulid(id) {
        return Ok(id);
    }
    Err(GatewayError::new(ErrorKind::Invalid, None, false, words::node::THAT_IS_NOT_ID_OF_DEVICE))
}
