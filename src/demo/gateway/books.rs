//! What is written down of runs: their state, their message and their reply, as transcript and run status show them. A run
//! that was active when the gateway ended has failed, as the real one says at its next start.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, Path, Query, State};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Gateway;
use super::console::Reader;
use super::error::ApiError;
use super::record::Origin;
use crate::core::ulid;
use crate::demo::process;

const ORPHANED: &str =
    "daemon startup detected an orphaned active run from a previous runtime; mark failed for explicit retry";

/// Routes below `/console/v1/chat/runs`.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/console/v1/chat/runs/{run_id}/status", get(status))
        .route("/console/v1/chat/runs/{run_id}/events", get(events))
}

/// One run.
#[derive(Clone, Serialize, Deserialize)]
// Names and meanings of the fields are the gateway's.
pub struct Booked {
    pub run_id: String,
    pub session_id: String,
    pub principal: String,
    pub device_id: String,
    #[serde(default)]
    pub channel: Option<String>,
    pub state: String,
    pub text: String,
    #[serde(default)]
    pub reply: Option<String>,
    #[serde(default)]
    pub last_error: Option<String>,
    pub started_at_unix_ms: i64,
    #[serde(default)]
    pub completed_at_unix_ms: Option<i64>,
    #[serde(default)]
    pub parameter_delta_json: Option<String>,
}

impl Booked {
    /// A run that begins.
    pub fn begin(origin: &Origin, text: &str, parameter_delta: Option<&Value>) -> Self {
        Self {
            run_id: origin.run_id.clone(),
            session_id: origin.session_id.clone(),
            principal: origin.principal.clone(),
            device_id: origin.device_id.clone(),
            channel: origin.channel.clone(),
            state: "in_progress".to_owned(),
            text: text.to_owned(),
            reply: None,
            last_error: None,
            started_at_unix_ms: process::unix_ms(),
            completed_at_unix_ms: None,
            parameter_delta_json: parameter_delta.map(Value::to_string),
        }
    }

    /// It is not over.
    pub fn is_active(&self) -> bool {
        self.state == "in_progress"
    }

    /// It is over.
    #[must_use]
    pub fn ended(self, state: &str, reply: Option<String>, last_error: Option<String>) -> Self {
        let completed_at_unix_ms = Some(process::unix_ms());
        Self { state: state.to_owned(), reply, last_error, completed_at_unix_ms, ..self }
    }

    /// The gateway ended before it.
    #[must_use]
    pub fn orphaned(self) -> Self {
        self.ended("failed", None, Some(ORPHANED.to_owned()))
    }

    /// As the gateway shows it.
    pub fn json(&self) -> Value {
        let mut value = json!({
            "run_id": self.run_id, "session_id": self.session_id, "state": self.state, "cancel_requested": false,
            "principal": self.principal, "device_id": self.device_id, "prompt_tokens": 0, "completion_tokens": 0,
            "total_tokens": 0, "created_at_unix_ms": self.started_at_unix_ms,
            "started_at_unix_ms": self.started_at_unix_ms,
            "updated_at_unix_ms": self.completed_at_unix_ms.unwrap_or(self.started_at_unix_ms),
            "origin_kind": "manual", "triggered_by_principal": self.principal, "tape_events": self.tape().len(),
        });
        // what is not there is left out
        for (name, field) in [
            ("channel", json!(self.channel)),
            ("completed_at_unix_ms", json!(self.completed_at_unix_ms)),
            ("last_error", json!(self.last_error)),
            ("parameter_delta_json", json!(self.parameter_delta_json)),
        ] {
            if !field.is_null() {
                value[name] = field;
            }
        }
        value
    }

    /// Its events, oldest first: kind and payload.
    fn tape(&self) -> Vec<(&'static str, Value)> {
        let accepted = format!("accepted session={} principal={}", self.session_id, self.principal);
        let received = json!({
            "envelope_id": self.run_id, "text": self.text, "channel": self.channel, "session_key": null,
            "json_mode_requested": false, "attachments": [],
        });
        let mut tape = vec![
            ("status", json!({ "kind": "accepted", "message": accepted })),
            ("status", json!({ "kind": "in_progress", "message": "streaming" })),
            ("message.received", received),
        ];
        if let Some(reply) = &self.reply {
            tape.push(("message.replied", json!({ "reply_text": reply })));
        }
        match self.state.as_str() {
            "done" => tape.push(("status", json!({ "kind": "done", "message": "completed" }))),
            "in_progress" => {}
            _ => tape.push(("status", json!({ "kind": "failed", "message": self.last_error }))),
        }
        tape
    }

    /// Its part of the transcript.
    pub fn records(&self) -> Vec<Value> {
        let record = |(seq, (kind, payload)): (usize, (&str, Value))| {
            json!({
                "session_id": self.session_id, "run_id": self.run_id, "seq": seq, "event_type": kind,
                "payload_json": payload.to_string(), "created_at_unix_ms": self.started_at_unix_ms,
                "origin_kind": "manual",
            })
        };
        self.tape().into_iter().enumerate().map(record).collect()
    }
}

async fn status(
    State(gateway): State<Arc<Gateway>>,
    Reader(_): Reader,
    Path(run_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let run = booked(&gateway, &run_id)?.json();
    let lineage = json!({ "focus_run_id": run_id, "root_run_id": run_id, "runs": [run] });
    Ok(Json(json!({ "run": run, "lineage": lineage, "run_wait": null })))
}

#[derive(Deserialize)]
struct EventsQuery {
    after_seq: Option<usize>,
    limit: Option<usize>,
}

async fn events(
    State(gateway): State<Arc<Gateway>>,
    Reader(_): Reader,
    Path(run_id): Path<String>,
    Query(query): Query<EventsQuery>,
) -> Result<Json<Value>, ApiError> {
    let booked = booked(&gateway, &run_id)?;
    let limit = query.limit.unwrap_or(1_000);
    let first = query.after_seq.map_or(0, |seq| seq + 1);
    let tape = booked.tape().into_iter().enumerate().skip(first).take(limit);
    let event = |(seq, (kind, payload)): (usize, (&str, Value))| {
        let payload = payload.to_string();
        json!({ "seq": seq, "event_type": kind, "payload_json": payload })
    };
    let events: Vec<Value> = tape.map(event).collect();
    let mut tape = json!({ "run_id": run_id, "limit": limit, "max_response_bytes": 2_097_152, "events": events });
    if let Some(seq) = query.after_seq {
        tape["requested_after_seq"] = json!(seq);
    }
    Ok(Json(json!({ "run": booked.json(), "tape": tape, "lineage": null })))
}

fn booked(gateway: &Gateway, run_id: &str) -> Result<Booked, ApiError> {
    if !ulid::is_ulid(run_id) {
        return Err(ApiError::validation("run_id must be a canonical ULID"));
    }
    let found = gateway.store.runs(|run| run.run_id == run_id).pop();
    found.ok_or_else(|| ApiError::not_found(format!("orchestrator run not found: {run_id}")))
}
