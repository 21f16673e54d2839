//! The gateway's own view of how far its set-up is. It looks at the running gateway, and not at the run loop.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, State};
use axum::routing::get;
use serde_json::{Value, json};

use super::Gateway;
use super::console::Reader;
use super::system::contract;

/// The route.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/console/v1/onboarding/posture", get(posture))
}

async fn posture(State(gateway): State<Arc<Gateway>>, Reader(_): Reader) -> Json<Value> {
    let path = gateway.config.path();
    let has_config = path.is_file();
    let shown = if has_config { path.display().to_string() } else { "defaults".to_owned() };
    let provider = gateway.partner.chosen.is_some();
    let ready = has_config && provider;
    let steps =
        [config(has_config, &shown), provider_auth(provider), verification(provider), first(ready), discord(&gateway)];
    let count = |status: &str| steps.iter().filter(|step| step["status"] == status).count();
    let recommended = steps.iter().find(|step| step["status"] != "done").map(|step| &step["step_id"]);
    let mut body = json!({
        "contract": contract(),
        "flow": "quick_start",
        "flow_variant": "quickstart",
        "status": if ready { "ready" } else { "blocked" },
        "config_path": shown,
        "resume_supported": true,
        "ready_for_first_success": ready,
        "recommended_step_id": recommended,
        "counts": {
            "todo": count("todo"), "in_progress": count("in_progress"), "blocked": count("blocked"),
            "done": count("done"), "skipped": 0,
        },
        "available_flows": ["quick_start", "advanced_setup"],
        "steps": steps,
    });
    if ready {
        body["first_success_hint"] =
            json!("Open the chat workspace and send a first real operator request to complete onboarding.");
    }
    Json(body)
}

fn step(id: &str, title: &str, summary: &str, status: &str, verified: &str, action: (&str, &str)) -> Value {
    json!({
        "step_id": id, "title": title, "summary": summary, "status": status, "optional": false,
        "verification_state": verified,
        "action": { "label": action.0, "kind": "open_console_path", "surface": "web", "target": action.1 },
    })
}

fn blocked(mut step: Value, code: &str, detail: &str, hint: &str) -> Value {
    step["blocked"] = json!({ "code": code, "detail": detail, "repair_hint": hint });
    step
}

fn config(there: bool, shown: &str) -> Value {
    let (title, summary, status, verified) = if there {
        ("Config ready", format!("Daemon config is available at {shown}."), "done", "ok")
    } else {
        ("Create config", "No daemon config was found yet.".to_owned(), "todo", "missing")
    };
    step("config", title, &summary, status, verified, ("Inspect config", "/#/control/access?panel=config"))
}

fn provider_auth(there: bool) -> Value {
    let (summary, status, verified, label) = if there {
        ("The primary model provider is configured and selected for onboarding.", "done", "ok", "Open provider auth")
    } else {
        let summary = "Connect the primary provider and select the model profile used for the first run.";
        (summary, "todo", "missing_auth", "Connect provider")
    };
    step("provider_auth", "Provider auth", summary, status, verified, (label, "/#/control/auth"))
}

fn verification(provider: bool) -> Value {
    let target = "/#/control/access?panel=models";
    let (id, title) = ("model_verification", "Model verification");
    if provider {
        let summary = "Runtime verification sees a healthy provider with discoverable models.";
        return step(id, title, summary, "done", "ok", ("Inspect model diagnostics", target));
    }
    let summary = "Connection verification is blocked until provider auth and model selection are complete.";
    blocked(
        step(id, title, summary, "blocked", "blocked", ("Open model diagnostics", target)),
        "provider_not_ready",
        "Provider auth or model selection is incomplete.",
        "Connect the provider first, then rerun model verification.",
    )
}

fn first(ready: bool) -> Value {
    let (id, title) = ("first_success", "First success");
    if ready {
        let summary = "Open the chat workspace and send a real request to finish the guided handoff.";
        return step(id, title, summary, "in_progress", "ready", ("Open chat workspace", "/#/chat"));
    }
    let summary =
        "The first-session handoff stays blocked until config, posture, provider auth, and verification are complete.";
    blocked(
        step(id, title, summary, "blocked", "blocked", ("Review blockers", "/#/control/overview")),
        "first_success_blocked",
        "Prerequisite onboarding steps are still incomplete.",
        "Clear the recommended blockers above, then open chat for the first guided success.",
    )
}

fn discord(gateway: &Gateway) -> Value {
    let (summary, status, label) = if gateway.keeper.get().discord.is_some() {
        ("A Discord connector is already enabled for operator follow-up.", "done", "Inspect channels")
    } else {
        let summary =
            "Discord onboarding is optional here, but the shared step is ready when you want a first external channel.";
        (summary, "todo", "Configure Discord")
    };
    let mut step = step("discord", "Discord channel", summary, status, "ok", (label, "/#/control/channels"));
    if status == "todo" {
        step["optional"] = json!(true);
        if let Some(step) = step.as_object_mut() {
            step.remove("verification_state");
        }
    }
    step
}
