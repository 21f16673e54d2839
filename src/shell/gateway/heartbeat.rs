//! The heartbeat: cheap facts about the running gateway.

use std::path::PathBuf;

use serde_json::Value;

use super::Client;
use super::error::GatewayError;
use super::session::Signed;

/// Facts about the running gateway; `None` and empty mean that it did not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// Its version.
    pub version: String,
    /// The commit it was built from.
    pub git_hash: String,
    /// Seconds since its start.
    pub uptime_seconds: Option<u64>,
    /// File whose `-wal` is written when an approval comes; as the gateway names it.
    pub journal_db_path: Option<PathBuf>,
    /// False while the enrolment window is open.
    pub node_rpc_mtls_required: Option<bool>,
    /// Whether chats get answers.
    pub runloop_enabled: Option<bool>,
}

impl Client {
    /// Reads the heartbeat.
    pub async fn heartbeat(&self) -> Result<Heartbeat, GatewayError> {
        let call = Signed::get("/console/v1/system/heartbeat", self.inner.timeouts.login);
        let answer = self.signed(&call).await?;
        let body: Value = answer.json()?;
        if !body.is_object() {
            return Err(answer.not_ours());
        }
        Ok(read(&body))
    }
}

fn read(body: &Value) -> Heartbeat {
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let flag = |path: &str| body.pointer(path).and_then(Value::as_bool);
    let journal = text("/storage/journal_db_path");
    Heartbeat {
        version: text("/version"),
        git_hash: text("/git_hash"),
        uptime_seconds: body.pointer("/uptime_seconds").and_then(Value::as_u64),
        journal_db_path: (!journal.is_empty()).then(|| PathBuf::from(journal)),
        node_rpc_mtls_required: flag("/security/node_rpc_mtls_required"),
        runloop_enabled: flag("/security/orchestrator_runloop_v1_enabled"),
    }
}
