//! Runs: a message and the stream of what comes of it.
//!
//! Without a provider the message is repeated, as the real gateway does; with one the demo answers in its place. The real
//! gateway hands an answer on in one piece today; the demo's comes word by word, which its stream allows.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Json, Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::Gateway;
use super::books::Booked;
use super::chat;
use super::console::Writer;
use super::error::ApiError;
use super::record::{self, Origin};
use super::system::contract;
use crate::core::ulid;
use crate::demo::{ids, process};

const TYPING: Duration = Duration::from_millis(30);
const SLOW_ANSWER: Duration = Duration::from_secs(6);
/// Between the decision and the second write of the run that waited for it, as recorded.
const WAITER_WRITE: Duration = Duration::from_millis(2);
const RUN_LOOP_OFF: &str = "orchestrator run loop v1 is disabled; set PALYRA_ORCHESTRATOR_RUNLOOP_V1_ENABLED=true";

/// Routes of runs.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/console/v1/chat/sessions/{id}/messages/stream", post(stream))
        .route("/console/v1/sessions/runs/{run_id}/abort", post(abort))
}

/// Every run since the start, newest last.
#[derive(Default)]
pub struct Runs(Mutex<Vec<Run>>);

/// One run.
#[derive(Clone)]
pub struct Run {
    /// ULID
    pub run_id: String,
    /// Its session.
    pub session_id: String,
    /// `in_progress`, `done`, `failed` or `cancelled`.
    pub state: &'static str,
    /// When.
    pub started_at_unix_ms: i64,
    cancel: watch::Sender<bool>,
}

impl Runs {
    /// The newest run of a session.
    pub fn last_of(&self, session_id: &str) -> Option<Run> {
        self.with(|runs| runs.iter().rev().find(|run| run.session_id == session_id).cloned())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vec<Run>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn finish(&self, run_id: &str, state: &'static str) {
        self.with(|runs| {
            if let Some(run) = runs.iter_mut().find(|run| run.run_id == run_id) {
                run.state = state;
            }
        });
    }
}

#[derive(Deserialize)]
struct Abort {
    reason: Option<String>,
}

async fn abort(
    State(gateway): State<Arc<Gateway>>,
    Writer(_): Writer,
    Path(run_id): Path<String>,
    Json(abort): Json<Abort>,
) -> Result<Json<Value>, ApiError> {
    if !ulid::is_ulid(&run_id) {
        return Err(ApiError::validation("run_id must be a canonical ULID"));
    }
    let known =
        gateway.runs.with(|runs| runs.iter().find(|run| run.run_id == run_id).map(|run| run.cancel.send_replace(true)));
    known.ok_or_else(|| ApiError::not_found(format!("run not found: {run_id}")))?;
    let reason = abort.reason.filter(|reason| !reason.trim().is_empty()).unwrap_or_else(|| "console_abort".to_owned());
    Ok(Json(json!({ "contract": contract(), "run_id": run_id, "cancel_requested": true, "reason": reason })))
}

#[derive(Deserialize)]
struct Message {
    text: String,
    #[serde(default)]
    allow_sensitive_tools: bool,
    #[serde(default)]
    parameter_delta: Option<Value>,
}

async fn stream(
    State(gateway): State<Arc<Gateway>>,
    Writer(caller): Writer,
    Path(session_id): Path<String>,
    Json(message): Json<Message>,
) -> Result<Response, ApiError> {
    if !ulid::is_ulid(&session_id) {
        return Err(ApiError::validation("session_id must be a canonical ULID"));
    }
    if message.text.trim().is_empty() {
        return Err(ApiError::validation("text must not be empty"));
    }
    let owned = chat::owned(&gateway, &caller.who, &session_id);
    let (cancel, cancelled) = watch::channel(false);
    let run = Run {
        run_id: ids::ulid(),
        session_id: session_id.clone(),
        state: "in_progress",
        started_at_unix_ms: process::unix_ms(),
        cancel,
    };
    let origin = Origin {
        principal: caller.who.principal,
        device_id: caller.who.device_id,
        channel: caller.who.channel,
        session_id,
        run_id: run.run_id.clone(),
    };
    let refusal = if !gateway.settings.runloop {
        Some(RUN_LOOP_OFF.to_owned())
    } else if let Ok(mut session) = owned {
        let active = gateway.store.runs(|run| run.session_id == origin.session_id && run.is_active()).pop();
        session.updated_at_unix_ms = process::unix_ms();
        gateway.store.put_session(session);
        active.map(|active| busy(&origin, &active.run_id))
    } else {
        Some(format!("orchestrator session not found for selector: {}", origin.session_id))
    };
    gateway.runs.with(|runs| runs.push(run));
    let booked = Booked::begin(&origin, &message.text, message.parameter_delta.as_ref());
    if refusal.is_none() {
        gateway.store.put_run(booked.clone());
    }
    let (lines, mut body) = mpsc::channel(16);
    let talk = Talk { gateway, origin, lines, cancelled };
    tokio::spawn(talk.run(message, booked, refusal));
    let body = Body::from_stream(futures_util::stream::poll_fn(move |cx| {
        body.poll_recv(cx).map(|line| line.map(Ok::<Bytes, Infallible>))
    }));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson; charset=utf-8")], body).into_response())
}

fn busy(origin: &Origin, active: &str) -> String {
    let (session, run) = (&origin.session_id, &origin.run_id);
    format!(
        "orchestrator session {session} already has active run {active}; wait for it, cancel it, or start a different \
         session before starting run {run}"
    )
}

/// One run and the stream that shows it.
struct Talk {
    gateway: Arc<Gateway>,
    origin: Origin,
    lines: mpsc::Sender<Bytes>,
    cancelled: watch::Receiver<bool>,
}

/// Why a run ends before its answer.
enum Stopped {
    ClientGone,
    Cancelled,
    /// The provider does not answer: why, in the gateway's words.
    Refused(String),
}

impl Talk {
    async fn run(mut self, message: Message, booked: Booked, refusal: Option<String>) {
        let run_id = self.origin.run_id.clone();
        let refused = refusal.is_some();
        let mut reply = None;
        let (state, error) = match refusal {
            Some(why) => {
                self.line(json!({ "type": "meta", "run_id": run_id, "session_id": self.origin.session_id })).await;
                ("failed", Some(why))
            }
            None => match self.answer(&message).await {
                Ok(answer) => {
                    self.remember(&message, &answer);
                    reply = Some(answer);
                    ("done", None)
                }
                Err(Stopped::ClientGone) => ("failed", None),
                Err(Stopped::Cancelled) => ("cancelled", Some("run was cancelled".to_owned())),
                Err(Stopped::Refused(why)) => ("failed", Some(why)),
            },
        };
        self.gateway.runs.finish(&run_id, state);
        if !refused {
            self.gateway.store.put_run(booked.ended(state, reply, error.clone()));
        }
        if let Some(error) = error {
            self.line(json!({ "type": "error", "run_id": run_id, "error": error })).await;
        }
        self.line(json!({ "type": "complete", "run_id": run_id, "status": state })).await;
    }

    async fn answer(&mut self, message: &Message) -> Result<String, Stopped> {
        let text = message.text.to_lowercase();
        self.line(json!({ "type": "meta", "run_id": self.origin.run_id, "session_id": self.origin.session_id })).await;
        let accepted = format!("accepted session={} principal={}", self.origin.session_id, self.origin.principal);
        self.event("status", json!({ "kind": "accepted", "message": accepted })).await;
        self.progress("streaming").await;
        self.progress("progress:agent_loop.started").await;
        self.progress("progress:agent_loop.turn_started").await;
        if let Err(why) = self.gateway.partner.ask() {
            self.progress("progress:agent_loop.terminated").await;
            self.event("status", json!({ "kind": "failed", "message": why })).await;
            return Err(Stopped::Refused(why));
        }
        let mut answer = match self.gateway.partner.chosen {
            Some(_) => format!("Demo answer to: {}", message.text),
            None => message.text.clone(),
        };
        if text.contains("slow") {
            self.pause(SLOW_ANSWER).await?;
        }
        if text.contains("tool") && !message.allow_sensitive_tools {
            answer = if self.ask().await? { "Done: git status shows a clean tree." } else { "I was not allowed to." }
                .to_owned();
        }
        let mut words = answer.split_inclusive(' ').peekable();
        while let Some(word) = words.next() {
            self.event("model_token", json!({ "token": word, "is_final": words.peek().is_none() })).await;
            self.pause(TYPING).await?;
        }
        self.progress("progress:agent_loop.terminated").await;
        self.event("status", json!({ "kind": "done", "message": "completed" })).await;
        Ok(answer)
    }

    /// What the session shows of its last run.
    fn remember(&self, message: &Message, answer: &str) {
        if let Some(mut session) = self.gateway.store.session(&self.origin.session_id) {
            session.last_run_id = Some(self.origin.run_id.clone());
            session.last_run_state = Some("done".to_owned());
            session.preview = Some(answer.to_owned());
            session.last_intent = Some(message.text.clone());
            session.last_summary = Some(answer.to_owned());
            self.gateway.store.put_session(session);
        }
    }

    /// Asks for a tool call and waits for the answer, as long as it takes.
    async fn ask(&mut self) -> Result<bool, Stopped> {
        let (tool, input, proposal) = ("shell.exec", json!({ "command": "git status" }), ids::ulid());
        let approval = record::tool(self.origin.clone(), tool, &input, "high");
        let id = approval.approval_id.clone();
        let decided = self.gateway.store.wait_for(&id);
        let request = json!({
            "proposal_id": proposal, "approval_id": id, "tool_name": tool, "input_json": input, "approval_required": true,
            "request_summary": approval.request_summary, "prompt": approval.prompt,
        });
        self.gateway.store.create(approval);
        let proposed =
            json!({ "proposal_id": proposal, "tool_name": tool, "input_json": input, "approval_required": true });
        self.event("tool_proposal", proposed).await;
        self.event("tool_approval_request", request).await;
        let mut cancelled = self.cancelled.clone();
        let record = tokio::select! {
            record = decided => record.map_err(|_| Stopped::Cancelled)?,
            _ = cancelled.wait_for(|cancelled| *cancelled) => return Err(Stopped::Cancelled),
            () = self.lines.closed() => return Err(Stopped::ClientGone),
        };
        tokio::time::sleep(WAITER_WRITE).await;
        self.gateway.store.touch(&id);
        let approved = record.decision.as_deref() == Some("allow");
        let response = json!({
            "proposal_id": proposal, "approval_id": id, "approved": approved, "reason": record.decision_reason,
            "decision_scope": record.decision_scope, "decision_scope_ttl_ms": record.decision_scope_ttl_ms.unwrap_or_default(),
        });
        self.event("tool_approval_response", response).await;
        let decision = json!({
            "proposal_id": proposal, "kind": if approved { "allow" } else { "deny" }, "reason": "decided by a person",
            "approval_required": true, "policy_enforced": true,
        });
        self.event("tool_decision", decision).await;
        self.event("tool_result", json!({ "proposal_id": proposal, "success": approved, "output_json": {} })).await;
        Ok(approved)
    }

    async fn pause(&self, length: Duration) -> Result<(), Stopped> {
        let mut cancelled = self.cancelled.clone();
        tokio::select! {
            () = tokio::time::sleep(length) => Ok(()),
            _ = cancelled.wait_for(|cancelled| *cancelled) => Err(Stopped::Cancelled),
        }
    }

    async fn progress(&self, message: &str) {
        self.event("status", json!({ "kind": "in_progress", "message": message })).await;
    }

    async fn event(&self, kind: &str, fields: Value) {
        let event = json!({ "run_id": self.origin.run_id, "event_type": kind, kind: fields });
        self.line(json!({ "type": "event", "event": event })).await;
    }

    /// A client that has gone does not end the run; only one that waits for a decision is abandoned then.
    async fn line(&self, value: Value) {
        let _ = self.lines.send(format!("{value}\n").into()).await;
    }
}
