//! Approval records in the shapes that were recorded from the real gateway.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::demo::{ids, process};

/// Most bytes of a `request_summary`.
const SUMMARY_MAX: usize = 1024;

/// One approval, decided or not.
#[derive(Clone, Serialize, Deserialize)]
// Names and meanings of the fields are the gateway's.
pub struct Record {
    pub approval_id: String,
    pub session_id: String,
    pub run_id: String,
    pub principal: String,
    pub device_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    pub requested_at_unix_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at_unix_ms: Option<i64>,
    pub subject_type: String,
    pub subject_id: String,
    pub request_summary: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_scope: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_scope_ttl_ms: Option<i64>,
    pub policy_snapshot: PolicySnapshot,
    pub prompt: Prompt,
    pub created_at_unix_ms: i64,
    pub updated_at_unix_ms: i64,
}

/// Which rule asked.
#[derive(Clone, Serialize, Deserialize)]
// Names and meanings of the fields are the gateway's.
pub struct PolicySnapshot {
    pub policy_id: String,
    pub policy_hash: String,
    pub evaluation_summary: String,
}

/// What a person is asked.
#[derive(Clone, Serialize, Deserialize)]
// Names and meanings of the fields are the gateway's.
pub struct Prompt {
    pub title: String,
    pub risk_level: String,
    pub subject_id: String,
    pub summary: String,
    pub options: Vec<Choice>,
    pub timeout_seconds: u32,
    pub details_json: String,
    pub policy_explanation: String,
}

/// One answer that is offered.
#[derive(Clone, Serialize, Deserialize)]
// Names and meanings of the fields are the gateway's.
pub struct Choice {
    pub option_id: String,
    pub label: String,
    pub description: String,
    pub default_selected: bool,
    pub decision_scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timebox_ttl_ms: Option<i64>,
}

/// On whose behalf, and where, an approval is asked for.
#[derive(Clone)]
pub struct Origin {
    /// Who asks.
    pub principal: String,
    /// From which device.
    pub device_id: String,
    /// By which channel.
    pub channel: Option<String>,
    /// In which session.
    pub session_id: String,
    /// In which run.
    pub run_id: String,
}

/// An ACP client's request.
pub fn acp(
    origin: Origin,
    subject: &str,
    summary: &str,
    risk: &str,
    timeout_seconds: u32,
    client_id: &str,
    evidence: &Value,
) -> Record {
    let prompt = Prompt {
        title: "ACP permission request".to_owned(),
        risk_level: risk.to_owned(),
        subject_id: subject.to_owned(),
        summary: summary.to_owned(),
        options: vec![
            choice("allow_once", "Allow once", "Allow this ACP action once", false, "once"),
            choice("deny", "Deny", "Deny this ACP action", true, "once"),
        ],
        timeout_seconds,
        details_json: format!(r#"{{"source":"acp","client_id":{},"evidence_refs":{evidence}}}"#, json!(client_id)),
        policy_explanation: "Converted from ACP permission request; no secrets persisted".to_owned(),
    };
    let policy = PolicySnapshot {
        policy_id: "acp_permission_bridge".to_owned(),
        policy_hash: "runtime".to_owned(),
        evaluation_summary: "ACP permission request bridged into Palyra approval audit".to_owned(),
    };
    record(origin, "tool", summary.to_owned(), policy, prompt)
}

/// A model's tool call.
pub fn tool(origin: Origin, tool: &str, input: &Value, risk: &str) -> Record {
    let subject = format!("tool:{tool}");
    let head = format!(r#"{{"tool_name":{},"#, json!(tool));
    let tail = format!(r#""skill_id":null,"skill_version":null,"input_json":{input}}}"#);
    let prompt = Prompt {
        title: format!("Approve {tool}"),
        risk_level: risk.to_owned(),
        subject_id: subject.clone(),
        summary: format!("Tool `{tool}` requested explicit approval"),
        options: vec![
            choice("allow_once", "Allow once", "Approve this single action", false, "once"),
            choice("allow_session", "Allow for session", "Remember approval for this session", false, "session"),
            choice("deny_once", "Deny", "Reject this action", true, "once"),
        ],
        timeout_seconds: 900,
        details_json: format!(r#"{head}"subject_id":{},{tail}"#, json!(subject)),
        policy_explanation: "Sensitive tool actions are deny-by-default until explicitly approved".to_owned(),
    };
    let evaluation = format!("action=tool.execute resource={subject} approval_required=true deny_by_default=true");
    record(origin, "tool", format!("{head}{tail}"), policy("tool_call_policy.v1", evaluation), prompt)
}

/// A node's local capability. `origin.device_id` is the node.
pub fn node_capability(origin: Origin, capability: &str, input: &Value, risk: &str, timeout_seconds: u32) -> Record {
    let device = origin.device_id.clone();
    let subject = format!("node_capability:{device}:{capability}");
    let prompt = Prompt {
        title: format!("Approve local node capability {capability}"),
        risk_level: risk.to_owned(),
        subject_id: subject,
        summary: format!("Node {device} wants to execute local capability {capability}."),
        options: vec![
            choice("allow_once", "Allow once", "Run this local desktop capability one time.", false, "once"),
            choice("deny", "Deny", "Do not run this local desktop capability.", true, "once"),
        ],
        timeout_seconds,
        details_json: format!(
            r#"{{"device_id":"{device}","platform":"linux-x86_64","capability":{},"execution_mode":"local_mediation","input_json":{input}}}"#,
            json!(capability)
        ),
        policy_explanation:
            "Desktop node capabilities that can open local URLs or paths require explicit local mediation before dispatch."
                .to_owned(),
    };
    let summary = format!("device_id={device} capability={capability} approval_required=true local_mediation=true");
    let evaluation = "action=node.capability.execute approval_required=true local_mediation=true".to_owned();
    let mut record =
        record(origin, "node_capability", summary, policy("node_capability.local_mediation.v1", evaluation), prompt);
    // No run asks: the recorded one names itself.
    record.run_id.clone_from(&record.approval_id);
    record
}

/// A node that wants to be paired. `origin.device_id` is the node.
pub fn device_pairing(mut origin: Origin, risk: &str) -> Record {
    "system:node-pairing".clone_into(&mut origin.principal);
    origin.channel = Some("node".to_owned());
    let (session, device) = (origin.session_id.clone(), origin.device_id.clone());
    let subject = format!("device_pairing:{session}:{device}");
    let prompt = Prompt {
        title: format!("Approve device pairing for {device}"),
        risk_level: risk.to_owned(),
        subject_id: subject,
        summary: format!("Device `{device}` requested node pairing with method `pin`"),
        options: vec![
            choice(
                "allow_once",
                "Approve pairing",
                "Issue a device certificate and activate the pairing request.",
                true,
                "once",
            ),
            choice("deny_once", "Reject pairing", "Reject this device pairing request.", false, "once"),
        ],
        timeout_seconds: 600,
        details_json: format!(
            r#"{{"session_id":"{session}","device_id":"{device}","client_kind":"node","method":"pin","identity_fingerprint":"{}","transcript_hash_hex":"{}"}}"#,
            ids::sha256_hex(device.as_bytes()),
            ids::sha256_hex(session.as_bytes()),
        ),
        policy_explanation: "Node/device pairing is deny-by-default until an operator explicitly approves the request."
            .to_owned(),
    };
    let summary = format!("device_id={device} client_kind=node method=pin approval_required=true");
    let evaluation = "action=device.pair approval_required=true deny_by_default=true".to_owned();
    record(origin, "device_pairing", summary, policy("node_pairing.approval.v1", evaluation), prompt)
}

fn record(origin: Origin, subject_type: &str, summary: String, policy: PolicySnapshot, prompt: Prompt) -> Record {
    let now = process::unix_ms();
    Record {
        approval_id: ids::ulid_at(now),
        session_id: origin.session_id,
        run_id: origin.run_id,
        principal: origin.principal,
        device_id: origin.device_id,
        channel: origin.channel,
        requested_at_unix_ms: now,
        resolved_at_unix_ms: None,
        subject_type: subject_type.to_owned(),
        subject_id: prompt.subject_id.clone(),
        request_summary: shorten(summary),
        decision: None,
        decision_scope: None,
        decision_reason: None,
        decision_scope_ttl_ms: None,
        policy_snapshot: policy,
        prompt,
        created_at_unix_ms: now,
        updated_at_unix_ms: now,
    }
}

fn policy(id: &str, evaluation_summary: String) -> PolicySnapshot {
    PolicySnapshot { policy_id: id.to_owned(), policy_hash: ids::sha256_hex(id.as_bytes()), evaluation_summary }
}

fn choice(id: &str, label: &str, description: &str, default_selected: bool, scope: &str) -> Choice {
    Choice {
        option_id: id.to_owned(),
        label: label.to_owned(),
        description: description.to_owned(),
        default_selected,
        decision_scope: scope.to_owned(),
        timebox_ttl_ms: None,
    }
}

fn shorten(mut text: String) -> String {
    if text.len() > SUMMARY_MAX {
        let mut end = SUMMARY_MAX - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn long_summaries_are_cut_between_characters() {
        assert_eq!(shorten("a".repeat(1024)), "a".repeat(1024));
        let cut = shorten("é".repeat(600));
        assert!(cut.len() <= 1024 && cut.ends_with("é…"), "{} bytes", cut.len());
    }
}
