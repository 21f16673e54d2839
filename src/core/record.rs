//! An approval as the gateway stores it, read leniently: what cannot be read becomes unknown, and unknown is never
//! milder than known. One broken record never hides another: it is kept with unknown parts, or reported as
//! [`Unreadable`] with its id.
//!
//! Limits: nothing is shortened or redacted here, and nothing is decided; surfaces do that.

mod canonical;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::protocol::Scope;
use crate::words;

use canonical::is_deeper_than;
pub use canonical::{changed, digest, digest_bytes, hex};

/// Longest approval id that is believed; the gateway's own have 26 characters.
pub const MAX_ID_CHARS: usize = 64;
/// Deepest nesting that is read. Parsers end at 128, and a record lies a few levels deep in our own answers: one that could
/// just be read would take the whole list with it.
const MAX_DEPTH: usize = 64;

/// One approval.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Names it; ASCII letters, digits, `-` and `_` only, so that it can stand in a path.
    pub approval_id: String,
    /// Session of the request; may not exist.
    pub session_id: String,
    /// Run of the request; may not exist.
    pub run_id: String,
    /// Who asks.
    pub principal: String,
    /// From which device.
    pub device_id: String,
    /// Through which channel.
    pub channel: Option<String>,
    /// Wall clock of the request, milliseconds since the epoch; 0 when unknown.
    pub requested_at_unix_ms: i64,
    /// Wall clock of the row, milliseconds since the epoch.
    pub created_at_unix_ms: Option<i64>,
    /// Wall clock of the last change, milliseconds since the epoch.
    pub updated_at_unix_ms: Option<i64>,
    /// Wall clock of the first decision, milliseconds since the epoch.
    pub resolved_at_unix_ms: Option<i64>,
    /// What kind of thing is asked for.
    pub subject_type: Subject,
    /// Which one.
    pub subject_id: String,
    /// What is asked for; JSON text for tool calls.
    pub request_summary: String,
    /// `None` while nobody decided.
    pub decision: Option<Decision>,
    /// How long the decision holds.
    pub decision_scope: Option<Scope>,
    /// In the decider's words.
    pub decision_reason: Option<String>,
    /// Milliseconds, for a time box.
    pub decision_scope_ttl_ms: Option<i64>,
    /// Why it needs a decision at all.
    pub policy_snapshot: Policy,
    /// What a person is to be shown.
    pub prompt: Prompt,
    /// Fields that were missing or of the wrong kind, by their path. Such a record deserves a second look.
    pub unknown_parts: Vec<&'static str>,
    /// The record as it came, for [`digest`] and for `--json`.
    pub raw: Value,
}

/// The rule behind a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Which rule.
    pub policy_id: String,
    /// Its version.
    pub policy_hash: String,
    /// How it came to its answer.
    pub evaluation_summary: String,
}

/// What a person is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Headline.
    pub title: String,
    /// How dangerous the gateway takes it to be.
    pub risk_level: Risk,
    /// Which thing.
    pub subject_id: String,
    /// What is asked for, in words.
    pub summary: String,
    /// The gateway's own choices.
    pub options: Vec<Choice>,
    /// How long a waiter waits; `None` when unknown.
    pub timeout_seconds: Option<u64>,
    /// JSON inside a string.
    pub details_json: String,
    /// Why it needs a decision, in words.
    pub policy_explanation: String,
}

/// One of the gateway's own choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// `allow_once`, `deny`, …
    pub option_id: String,
    /// Text of the button.
    pub label: String,
    /// What it does, in words.
    pub description: String,
    /// The gateway's proposal.
    pub default_selected: bool,
    /// How long it holds; `None` when unknown.
    pub decision_scope: Option<Scope>,
    /// Milliseconds, for a time box.
    pub timebox_ttl_ms: Option<i64>,
}

/// How dangerous; the order is that of danger. Anything unknown is critical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `critical`, and whatever is not one of the others.
    Critical,
}

/// How a record was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// `allow`
    Allow,
    /// `deny`
    Deny,
    /// `timeout`: the waiter gave up.
    Timeout,
    /// `error`
    Error,
    /// Decided in a way that this version does not know.
    Unknown(String),
}

/// What kind of thing is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `tool`
    Tool,
    /// `channel_send`
    ChannelSend,
    /// `secret_access`
    SecretAccess,
    /// `browser_action`
    BrowserAction,
    /// `node_capability`
    NodeCapability,
    /// `device_pairing`
    DevicePairing,
    /// A kind that this version does not know.
    Unknown(String),
}

/// A record that could not be read, so that a person learns that there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id, empty when that could not be read either.
    pub approval_id: String,
    /// Wall clock of the request where that could be read.
    pub requested_at_unix_ms: Option<i64>,
    /// What is wrong, in one sentence, without the record's own words.
    pub why: String,
}

/// The little of a record that tells whether the rest is worth reading. Survives what [`Record::read`] refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// `None` unless it is a usable id.
    pub approval_id: Option<String>,
    /// Whether somebody decided.
    pub decided: bool,
    /// It stands as allowed.
    pub allowed: bool,
    /// Wall clock of the first decision.
    pub resolved_at_unix_ms: Option<i64>,
    /// Wall clock of the last change.
    pub updated_at_unix_ms: Option<i64>,
    /// Wall clock of the request.
    pub requested_at_unix_ms: Option<i64>,
}

impl Record {
    /// Reads one record from its JSON text.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let unreadable = |why: &str| {
            let outline = Outline::of(text);
            Unreadable {
                approval_id: outline.approval_id.unwrap_or_default(),
                requested_at_unix_ms: outline.requested_at_unix_ms,
                why: why.to_owned(),
            }
        };
        match serde_json::from_str::<Value>(text) {
            Ok(raw) => Self::from_value(raw),
            Err(_) => Err(unreadable(words::approvals::RECORD_IS_NOT_JSON_THAT_CAN)),
        }
    }

    /// Reads one record from parsed JSON. Fails only without a usable id: what cannot be named cannot be decided.
    pub fn from_value(raw: Value) -> Result<Self, Unreadable> {
        let Value::Object(fields) = &raw else {
            return Err(Unreadable {
                approval_id: String::new(),
                requested_at_unix_ms: None,
                why: words::approvals::RECORD_IS_NOT_JSON_OBJECT.to_owned(),
            });
        };
        let mut unknown = Vec::new();
        let approval_id = match fields.get("approval_id").and_then(Value::as_str) {
            Some(id) if is_usable_id(id) => id.to_owned(),
            _ => {
                return Err(Unreadable {
                    approval_id: String::new(),
                    requested_at_unix_ms: fields.get("requested_at_unix_ms").and_then(integer),
                    why: words::approvals::RECORD_HAS_NO_USABLE_APPROVAL_ID.to_owned(),
                });
            }
        };
        if is_deeper_than(&raw, MAX_DEPTH) {
            return Err(Unreadable {
                approval_id,
                requested_at_unix_ms: fields.get("requested_at_unix_ms").and_then(integer),
                why: words::approvals::RECORD_IS_NESTED_TOO_DEEPLY.to_owned(),
            });
        }
        let requested_at_unix_ms = required_integer(fields, "requested_at_unix_ms", &mut unknown);
        let record = Self {
            approval_id,
            session_id: text(fields, "session_id", "session_id", &mut unknown),
            run_id: text(fields, "run_id", "run_id", &mut unknown),
            principal: text(fields, "principal", "principal", &mut unknown),
            device_id: text(fields, "device_id", "device_id", &mut unknown),
            channel: optional_text(fields, "channel"),
            requested_at_unix_ms: requested_at_unix_ms.unwrap_or_default(),
            created_at_unix_ms: fields.get("created_at_unix_ms").and_then(integer),
            updated_at_unix_ms: fields.get("updated_at_unix_ms").and_then(integer),
            resolved_at_unix_ms: fields.get("resolved_at_unix_ms").and_then(integer),
            subject_type: Subject::parse(&text(fields, "subject_type", "subject_type", &mut unknown)),
            subject_id: text(fields, "subject_id", "subject_id", &mut unknown),
            request_summary: text(fields, "request_summary", "request_summary", &mut unknown),
            decision: present(fields, "decision").map(|value| Decision::parse(&shown(value))),
            decision_scope: present(fields, "decision_scope").and_then(scope),
            decision_reason: optional_text(fields, "decision_reason"),
            decision_scope_ttl_ms: fields.get("decision_scope_ttl_ms").and_then(integer),
            policy_snapshot: policy(fields, &mut unknown),
            prompt: prompt(fields, &mut unknown),
            unknown_parts: Vec::new(),
            raw: Value::Null,
        };
        Ok(Self { unknown_parts: unknown, raw, ..record })
    }

    /// Nobody decided. An expired record stays pending at the gateway for ever.
    pub fn is_pending(&self) -> bool {
        self.decision.is_none()
    }

    /// When nobody waits for the decision any more: request plus time-out, milliseconds since the epoch. `i64::MAX` when
    /// either is unknown, so that a broken record does not vanish as expired.
    pub fn expires_at_unix_ms(&self) -> i64 {
        let timeout = self.prompt.timeout_seconds;
        match timeout {
            Some(seconds) if !self.unknown_parts.contains(&"requested_at_unix_ms") => {
                let ms = i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
                self.requested_at_unix_ms.saturating_add(ms)
            }
            _ => i64::MAX,
        }
    }

    /// [`digest`] of this record.
    pub fn digest(&self) -> String {
        digest(&self.raw)
    }
}

impl Outline {
    /// Reads what can be read; never fails, and takes nesting of any depth and numbers of any size in other fields.
    pub fn of(text: &str) -> Self {
        let Ok(fields) = serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(text) else {
            return Self::default();
        };
        let value = |name: &str| fields.get(name).and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        Self {
            approval_id: value("approval_id")
                .and_then(|id| id.as_str().filter(|id| is_usable_id(id)).map(str::to_owned)),
            decided: fields.get("decision").is_some_and(|raw| raw.get() != "null"),
            allowed: value("decision").is_some_and(|word| word.as_str() == Some(Decision::Allow.name())),
            resolved_at_unix_ms: value("resolved_at_unix_ms").as_ref().and_then(integer),
            updated_at_unix_ms: value("updated_at_unix_ms").as_ref().and_then(integer),
            requested_at_unix_ms: value("requested_at_unix_ms").as_ref().and_then(integer),
        }
    }

    /// Of a record that was read already.
    pub fn of_record(record: &Record) -> Self {
        Self {
            approval_id: Some(record.approval_id.clone()),
            decided: !record.is_pending(),
            allowed: record.decision == Some(Decision::Allow),
            resolved_at_unix_ms: record.resolved_at_unix_ms,
            updated_at_unix_ms: record.updated_at_unix_ms,
            requested_at_unix_ms: Some(record.requested_at_unix_ms),
        }
    }
}

impl Risk {
    /// From the gateway's word; anything unknown is critical.
    pub fn parse(word: &str) -> Self {
        match word {
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            _ => Self::Critical,
        }
    }

    /// The gateway's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Decision {
    /// From the gateway's word.
    pub fn parse(word: &str) -> Self {
        match word {
            "allow" => Self::Allow,
            "deny" => Self::Deny,
            "timeout" => Self::Timeout,
            "error" => Self::Error,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The gateway's word.
    pub fn name(&self) -> &str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Timeout => "timeout",
            Self::Error => "error",
            Self::Unknown(word) => word,
        }
    }
}

impl Subject {
    /// From the gateway's word.
    pub fn parse(word: &str) -> Self {
        match word {
            "tool" => Self::Tool,
            "channel_send" => Self::ChannelSend,
            "secret_access" => Self::SecretAccess,
            "browser_action" => Self::BrowserAction,
            "node_capability" => Self::NodeCapability,
            "device_pairing" => Self::DevicePairing,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The gateway's word.
    pub fn name(&self) -> &str {
        match self {
            Self::Tool => "tool",
            Self::ChannelSend => "channel_send",
            Self::SecretAccess => "secret_access",
            Self::BrowserAction => "browser_action",
            Self::NodeCapability => "node_capability",
            Self::DevicePairing => "device_pairing",
            Self::Unknown(word) => word,
        }
    }
}

/// Whether an id can be believed and can stand in a path as it is.
pub fn is_usable_id(id: &str) -> bool {
    (1..=MAX_ID_CHARS).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Absent and null are the same.
fn present<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

/// A string as it is, anything else as JSON, so that a person sees what is there.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text(fields: &Map<String, Value>, name: &str, path: &'static str, unknown: &mut Vec<&'static str>) -> String {
    let value = present(fields, name);
    if !value.is_some_and(Value::is_string) {
        unknown.push(path);
    }
    value.map(shown).unwrap_or_default()
}

fn optional_text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    present(fields, name).map(shown)
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_u64().map(|_| i64::MAX)),
        _ => None,
    }
}

fn required_integer(fields: &Map<String, Value>, name: &'static str, unknown: &mut Vec<&'static str>) -> Option<i64> {
    let value = fields.get(name).and_then(integer);
    if value.is_none() {
        unknown.push(name);
    }
    value
}

fn scope(value: &Value) -> Option<Scope> {
    match value.as_str()? {
        "once" => Some(Scope::Once),
        "session" => Some(Scope::Session),
        "timeboxed" => Some(Scope::Timeboxed),
        _ => None,
    }
}

fn policy(fields: &Map<String, Value>, unknown: &mut Vec<&'static str>) -> Policy {
    let Some(Value::Object(policy)) = fields.get("policy_snapshot") else {
        unknown.push("policy_snapshot");
        return Policy::default();
    };
    Policy {
        policy_id: text(policy, "policy_id", "policy_snapshot.policy_id", unknown),
        policy_hash: text(policy, "policy_hash", "policy_snapshot.policy_hash", unknown),
        evaluation_summary: text(policy, "evaluation_summary", "policy_snapshot.evaluation_summary", unknown),
    }
}

fn prompt(fields: &Map<String, Value>, unknown: &mut Vec<&'static str>) -> Prompt {
    let empty = Map::new();
    let prompt = match fields.get("prompt") {
        Some(Value::Object(prompt)) => prompt,
        _ => {
            unknown.push("prompt");
            &empty
        }
    };
    let risk = text(prompt, "risk_level", "prompt.risk_level", unknown);
    let timeout_seconds = prompt.get("timeout_seconds").and_then(Value::as_u64);
    if timeout_seconds.is_none() {
        unknown.push("prompt.timeout_seconds");
    }
    Prompt {
        title: text(prompt, "title", "prompt.title", unknown),
        risk_level: Risk::parse(&risk),
        subject_id: text(prompt, "subject_id", "prompt.subject_id", unknown),
        summary: text(prompt, "summary", "prompt.summary", unknown),
        options: options(prompt, unknown),
        timeout_seconds,
        details_json: text(prompt, "details_json", "prompt.details_json", unknown),
        policy_explanation: text(prompt, "policy_explanation", "prompt.policy_explanation", unknown),
    }
}

fn options(prompt: &Map<String, Value>, unknown: &mut Vec<&'static str>) -> Vec<Choice> {
    let Some(Value::Array(items)) = prompt.get("options") else {
        unknown.push("prompt.options");
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| {
            let Value::Object(option) = item else {
                unknown.push("prompt.options[]");
                return None;
            };
            Some(Choice {
                option_id: text(option, "option_id", "prompt.options[].option_id", unknown),
                label: text(option, "label", "prompt.options[].label", unknown),
                description: text(option, "description", "prompt.options[].description", unknown),
                default_selected: option.get("default_selected").and_then(Value::as_bool).unwrap_or(false),
                decision_scope: present(option, "decision_scope").and_then(scope),
                timebox_ttl_ms: option.get("timebox_ttl_ms").and_then(integer),
            })
        })
        .collect()
}
