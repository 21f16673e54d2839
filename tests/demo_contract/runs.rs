//! Chat with the run loop on.

use std::thread::ScopedJoinHandle;

use serde_json::{Value, json};

use crate::support::demo::{Client, Demo, until};
use crate::support::http::{self, Answer};

const RUN_LOOP: [(&str, &str); 1] = [("PALYRA_ORCHESTRATOR_RUNLOOP_V1_ENABLED", "true")];

fn new_session(client: &Client<'_>) -> String {
    let created = client.post("/console/v1/chat/sessions", json!({ "session_label": "Runs" })).json();
    created["session"]["session_id"].as_str().expect("id").to_owned()
}

fn path_of(session: &str) -> String {
    format!("/console/v1/chat/sessions/{session}/messages/stream")
}

fn pending(client: &Client<'_>) -> Value {
    until("an approval", || client.get("/console/v1/approvals").json()["approvals"].get_mut(0).map(Value::take))
}

fn row(client: &Client<'_>) -> Value {
    client.get("/console/v1/sessions?limit=16&sort=updated_desc&include_archived=false").json()["sessions"][0].take()
}

/// Every `event_type`, in order.
fn kinds(lines: &[Value]) -> Vec<String> {
    let events = lines.iter().filter(|line| line["type"] == "event");
    events.map(|line| line["event"]["event_type"].as_str().expect("event_type").to_owned()).collect()
}

fn finish(stream: ScopedJoinHandle<'_, Answer>) -> Vec<Value> {
    let answer = stream.join().expect("stream");
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson; charset=utf-8"));
    answer.lines()
}

#[test]
fn a_message_is_answered_with_a_provider_and_repeated_without_one() {
    let chosen = "version = 1\n[model_provider]\nauth_profile_id = 'mine'\nauth_provider_kind = 'anthropic'\n";
    for (config, expected) in [("version = 1\n", "hello there"), (chosen, "Demo answer to: hello there")] {
        let root = tempfile::TempDir::new().expect("temp dir");
        std::fs::write(root.path().join("palyra.toml"), config).expect("config");
        let demo = Demo::gateway_on(root.path(), &RUN_LOOP);
        demo.ready();
        let client = demo.login();
        let lines = client.post(&path_of(&new_session(&client)), json!({ "text": "hello there" })).lines();
        assert_eq!(lines[0]["type"], "meta");
        assert_eq!(lines.last().expect("lines")["status"], "done");
        let text: String = lines.iter().filter_map(|line| line["event"]["model_token"]["token"].as_str()).collect();
        assert_eq!(text, expected);
        assert_eq!(row(&client)["last_run_state"], "done");
    }
}

#[test]
fn a_tool_call_waits_for_its_decision() {
    let demo = Demo::gateway(&RUN_LOOP);
    let client = demo.login();
    for (approved, outcome) in [(true, "Done: "), (false, "I was not allowed to.")] {
        let session = new_session(&client);
        std::thread::scope(|scope| {
            let stream = scope.spawn(|| client.post(&path_of(&session), json!({ "text": "use a tool" })));
            let record = until("the approval", || {
                let list = client.get("/console/v1/approvals").json()["approvals"].take();
                let ours = |record: &&Value| record["session_id"] == session.as_str() && record["decision"].is_null();
                list.as_array().expect("list").iter().find(ours).cloned()
            });
            let id = record["approval_id"].as_str().expect("id");
            assert_eq!(
                (&record["subject_id"], &record["prompt"]["risk_level"]),
                (&json!("tool:shell.exec"), &json!("high"))
            );
            assert_eq!(row(&client)["pending_approvals"], 1);
            assert_eq!(row(&client)["last_run_state"], "in_progress");
            assert!(!stream.is_finished());
            client.decide(id, approved);
            let lines = finish(stream);
            let asked =
                lines.iter().find(|line| line["event"]["event_type"] == "tool_approval_request").expect("asked");
            assert_eq!(asked["event"]["tool_approval_request"]["approval_id"], id);
            assert!(kinds(&lines).iter().any(|kind| kind == "tool_approval_response"));
            let text = serde_json::to_string(&lines).expect("text");
            assert!(text.contains(outcome.split(' ').next().expect("word")), "{text}");
            let after = client.approval(id);
            assert!(
                after["updated_at_unix_ms"].as_i64() > after["resolved_at_unix_ms"].as_i64(),
                "the waiter writes too"
            );
        });
    }
}

#[test]
fn an_abort_ends_a_waiting_run_and_leaves_its_approval() {
    let demo = Demo::gateway(&RUN_LOOP);
    let client = demo.login();
    let session = new_session(&client);
    std::thread::scope(|scope| {
        let stream = scope.spawn(|| client.post(&path_of(&session), json!({ "text": "use a tool" })));
        let record = pending(&client);
        let run = record["run_id"].as_str().expect("run");
        let answer = client.post(&format!("/console/v1/sessions/runs/{run}/abort"), json!({ "reason": "stop" }));
        let expected = json!({
            "contract": { "contract_version": "control-plane.v1" }, "run_id": run, "cancel_requested": true, "reason": "stop",
        });
        assert_eq!(answer.json(), expected);
        assert_eq!(finish(stream).last().expect("lines")["status"], "cancelled");
        assert!(client.approval(record["approval_id"].as_str().expect("id")).get("decision").is_none());
    });
    assert_eq!(client.post("/console/v1/sessions/runs/01BX5ZZKBKACTAV9WEVGEMMVRZ/abort", json!({})).status, 404);
}

#[test]
fn a_client_that_leaves_abandons_its_run() {
    let demo = Demo::gateway(&RUN_LOOP);
    let client = demo.login();
    let session = new_session(&client);
    let mut headers = client.headers().to_vec();
    headers.push(("content-type", "application/json"));
    let body = json!({ "text": "use a tool" }).to_string();
    let stream = http::send(demo.port(), "POST", &path_of(&session), &headers, Some(body.as_bytes())).expect("send");
    pending(&client);
    drop(stream);
    until("the abandoned run", || (row(&client)["last_run_state"] == "failed").then_some(()));
}

#[test]
fn unknown_sessions_and_empty_texts_are_refused() {
    let demo = Demo::gateway(&RUN_LOOP);
    let client = demo.login();
    // as the real one: the answer is 200, and the stream says so
    let lines = client.post(&path_of("01BX5ZZKBKACTAV9WEVGEMMVRZ"), json!({ "text": "x" })).lines();
    let words = "orchestrator session not found for selector: 01BX5ZZKBKACTAV9WEVGEMMVRZ";
    assert_eq!((lines[1]["error"].as_str(), lines[2]["status"].as_str()), (Some(words), Some("failed")));
    assert_eq!(client.post(&path_of(&new_session(&client)), json!({ "text": " " })).status, 400);
}
