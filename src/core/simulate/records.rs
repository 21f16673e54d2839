//! What the world of the simulator is made of: records, runs, ends, and the lines of a config.

use serde_json::{Value, json};

use crate::core::notices::Server;
use crate::core::ports::Ports;
use crate::core::time::Now;
use crate::protocol::shim::{ExitCause, ExitRecord, ProcessRef, RunRecord};
use crate::protocol::{RunId, ServiceId};

/// A pending record as recipe A makes it.
pub fn acp_record(id: &str, risk: &str, timeout_seconds: u64, what: &str, now_unix_ms: i64) -> Value {
    let options = json!([
        { "option_id": "allow_once", "label": "Allow once", "description": "", "default_selected": false, "decision_scope": "once" },
        { "option_id": "deny", "label": "Deny", "description": "", "default_selected": true, "decision_scope": "once" },
    ]);
    json!({
        "approval_id": id,
        "session_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "run_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "principal": "admin:desktop-control-center",
        "device_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "requested_at_unix_ms": now_unix_ms,
        "subject_type": "tool",
        "subject_id": "shell.exec",
        "request_summary": what,
        "policy_snapshot": { "policy_id": "acp_permission_bridge", "policy_hash": "runtime", "evaluation_summary": "" },
        "prompt": {
            "title": "ACP permission request", "risk_level": risk, "subject_id": "shell.exec", "summary": what,
            "options": options, "timeout_seconds": timeout_seconds, "details_json": "{}", "policy_explanation": "",
        },
        "created_at_unix_ms": now_unix_ms,
        "updated_at_unix_ms": now_unix_ms,
    })
}

pub(super) fn server(name: &str) -> Server {
    Server { name: name.to_owned(), actions: true, withdraws: true }
}

pub(super) fn run_record(service: ServiceId, run: RunId, pid: u32, ports: Ports, now: Now) -> RunRecord {
    RunRecord {
        version: 1,
        run_id: run,
        service,
        program: "/opt/palyra/sidecar".into(),
        shim: ProcessRef { pid: pid + 10_000, start_ticks: 1 },
        sidecar: ProcessRef { pid, start_ticks: 1 },
        boot_id: "boot".to_owned(),
        ports,
        started_at_unix_ms: now.unix_ms,
        lease_ms: None,
    }
}

pub(super) fn exit_record(run: &RunId, cause: ExitCause, now: Now, asked: bool) -> ExitRecord {
    ExitRecord {
        version: 1,
        run_id: run.clone(),
        ended_at_unix_ms: now.unix_ms,
        cause,
        asked,
        last_stderr: Vec::new(),
        dropped_lines: 0,
        oom_kills: 0,
    }
}

/// The lines of a config that name these ports.
pub(super) fn port_lines(service: ServiceId, ports: &Ports) -> Vec<String> {
    let port = |purpose: &str| ports.get(purpose).copied().unwrap_or(0);
    if service == ServiceId::Gateway {
        let keys = [("daemon.port", "http"), ("gateway.grpc_port", "grpc"), ("gateway.quic_port", "quic")];
        return keys.map(|(key, purpose)| format!("{key} = {}", port(purpose))).to_vec();
    }
    [("endpoint", "grpc"), ("health_base_url", "http")]
        .map(|(key, purpose)| format!("tool_call.browser_service.{key} = \"http://127.0.0.1:{}\"", port(purpose)))
        .to_vec()
}
