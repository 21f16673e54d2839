//! Every recorded call that concerns us, sent to the demo gateway in the recorded order.

use std::path::MAIN_SEPARATOR_STR;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::shape::{Bindings, unrecorded};
use crate::support::demo::{Client, Demo, TOKEN, until};
use crate::support::http::{self, Answer};

/// The set-up, recorded later and from a fresh state root; replayed by [`the_set_up_is_told_again`].
const SET_UP: &str = "60";
/// Where the real gateway kept its files when it was recorded.
const RECORDED_ROOT: &str = "/home/user/.local/state/palyra";
/// Cut down when recorded and more so here: what is sent must be what was recorded, not all of it.
const PARTS_ONLY: [&str; 2] = ["25-diagnostics", "94-presence-degraded"];
/// Records without the call that made them, replayed by [`recorded_records`].
const RECORDS: [&str; 3] = ["51-record-tool-call", "52-record-device-pairing", "53-record-node-capability"];
/// Recorded while a node was paired, played by [`crate::pairing`].
pub const PAIRING: [&str; 4] = ["54-pairing-pending", "55-pairing-approved", "56-node", "57-device-removed"];
/// Headers whose presence, absence and value are part of the contract.
const HEADERS: [&str; 8] = [
    "cache-control",
    "content-security-policy",
    "content-type",
    "referrer-policy",
    "set-cookie",
    "transfer-encoding",
    "x-content-type-options",
    "x-frame-options",
];

fn captures() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect(folder).map(|entry| entry.expect("entry").path()).collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().expect("name").to_string_lossy().into_owned();
        (name, serde_json::from_slice(&std::fs::read(path).expect("read")).expect("JSON"))
    };
    paths.iter().map(read).collect()
}

pub fn capture(name: &str) -> Value {
    captures().into_iter().find(|(found, _)| found == name).expect(name).1
}

#[test]
fn the_recorded_story_is_told_again() {
    let root = root_with("version = 1\n");
    // Recorded on a machine that reached nobody.
    let demo = start(&root, &[("PALYRA_DEMO_OFFLINE", "1")]);
    let mut replay = Replay { demo: &demo, bindings: Bindings::default(), cookie: None };
    let mut differences = Vec::new();
    let mut played = 0;
    for (name, recorded) in captures() {
        if name.as_str() >= SET_UP || RECORDS.contains(&name.as_str()) || PAIRING.contains(&name.as_str()) {
            continue;
        }
        differences.extend(replay.play(&name, &recorded));
        played += 1;
        next_millisecond();
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    assert!(played >= 49, "only {played} captures were played: are they all there?");
}

#[test]
fn the_set_up_is_told_again() {
    let root = root_with("version = 1\n");
    let mut bindings = Bindings::default();
    let mut differences = Vec::new();
    let mut played = 0;
    let story: Vec<_> = captures().into_iter().filter(|(name, _)| name.as_str() >= SET_UP).collect();
    let config = || root.path().join("palyra.toml");
    // The gateway was restarted wherever somebody signs in; what else was done then is said here.
    for part in story.chunk_by(|_, (next, _)| !next.contains("login")) {
        let mut env: &[(&str, &str)] = &[];
        match part[0].0.as_str() {
            "84-restarted-login" => {
                let text = std::fs::read_to_string(config()).expect("config");
                let text = format!("{text}\n[orchestrator]\nrunloop_v1_enabled = true\n");
                std::fs::write(config(), text).expect("config");
            }
            "97-offline-login" => {
                std::fs::write(config(), "version = 1\n").expect("config");
                env = &[("PALYRA_DEMO_OFFLINE", "1")];
            }
            _ => {}
        }
        let demo = start(&root, env);
        let mut replay = Replay { demo: &demo, bindings, cookie: None };
        for (name, recorded) in part {
            differences.extend(replay.play(name, recorded));
            played += 1;
            next_millisecond();
        }
        bindings = replay.bindings;
    }
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    assert!(played >= 40, "only {played} captures were played: are they all there?");
}

fn root_with(config: &str) -> tempfile::TempDir {
    let root = tempfile::TempDir::new().expect("temp dir");
    std::fs::write(root.path().join("palyra.toml"), config).expect("config");
    root
}

fn start(root: &tempfile::TempDir, env: &[(&str, &str)]) -> Demo {
    let demo = Demo::gateway_on(root.path(), env);
    demo.ready();
    demo
}

/// Pieces of text in a row as one: how many there are is up to who answers.
fn joined(lines: &mut Vec<Value>) {
    lines.dedup_by(|next, piece| {
        let is_text = |line: &Value| line["event"]["event_type"] == "model_token";
        let same = is_text(next) && is_text(piece);
        if same {
            piece["event"]["model_token"]["is_final"] = next["event"]["model_token"]["is_final"].take();
        }
        same
    });
}

#[test]
fn recorded_records() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    for (name, wish, verdict) in [
        (
            RECORDS[0],
            json!({ "kind": "tool", "name": "custom.noop", "input": { "x": 1 } }),
            json!({ "approved": true }),
        ),
        (RECORDS[1], json!({ "kind": "device_pairing" }), json!({ "approved": true, "reason": "tray" })),
        (
            RECORDS[2],
            json!({ "kind": "node_capability", "risk_level": "medium", "timeout_seconds": 8 }),
            json!({ "approved": false, "reason": "tray deny" }),
        ),
    ] {
        let id = demo.approvals(wish).remove(0);
        undecided(&client, &id);
        client.post(&format!("/console/v1/approvals/{id}/decision"), verdict);
        let recorded = &capture(name)["response"]["body"];
        let got = client.get(&format!("/console/v1/approvals/{id}")).json();
        let differences = Bindings::default().compare(name, recorded, &got);
        assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    }
}

/// Before the decision, what belongs to it is absent.
#[track_caller]
fn undecided(client: &Client<'_>, id: &str) {
    let record = client.approval(id);
    for key in ["decision", "decision_scope", "decision_reason", "decision_scope_ttl_ms", "resolved_at_unix_ms"] {
        assert!(record.get(key).is_none(), "{key} in {record}");
    }
}

struct Replay<'a> {
    demo: &'a Demo,
    bindings: Bindings,
    cookie: Option<String>,
}

impl Replay<'_> {
    fn play(&mut self, name: &str, recorded: &Value) -> Vec<String> {
        let answer = self.send(&recorded["request"]);
        let (expected, mut differences) = (&recorded["response"], Vec::new());
        if expected["status"] != answer.status {
            differences.push(format!(
                "{name}: recorded {}, got {} {}",
                expected["status"],
                answer.status,
                answer.text()
            ));
        }
        for header in HEADERS {
            differences.extend(self.header(name, header, expected["headers"][header].as_str(), answer.header(header)));
        }
        self.keep_cookie(&answer);
        differences.extend(self.body(name, &expected["body"], &answer));
        differences
    }

    fn send(&self, request: &Value) -> Answer {
        let text = |value: &Value| self.bindings.translate(value.as_str().unwrap_or_default());
        let mut headers: Vec<(String, String)> = Vec::new();
        for (header, value) in request["headers"].as_object().expect("headers") {
            headers.push((header.clone(), text(value)));
        }
        if let Some(cookie) = &self.cookie {
            headers.push(("cookie".to_owned(), cookie.clone()));
        }
        // A page that a browser opens carries no cookie.
        let path = text(&request["path"]);
        if path.contains("/callback?") {
            headers.clear();
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = (!request["body"].is_null()).then(|| self.bindings.translate(&request["body"].to_string()));
        let method = text(&request["method"]);
        http::request(self.demo.port(), &method, &path, &headers, body.as_deref().map(str::as_bytes)).expect(&path)
    }

    fn header(&mut self, name: &str, header: &str, theirs: Option<&str>, ours: Option<&str>) -> Option<String> {
        let differ = || Some(format!("{name}: header {header}: recorded {theirs:?}, got {ours:?}"));
        let (Some(left), Some(right)) = (theirs, ours) else {
            return if theirs == ours { None } else { differ() };
        };
        if header == "set-cookie" {
            let ((left, rest), (right, own_rest)) = (left.split_once(';')?, right.split_once(';')?);
            let ((key, token), (own_key, own_token)) = (left.split_once('=')?, right.split_once('=')?);
            let bound = self.bindings.bind(token, own_token);
            return if (key, rest) == (own_key, own_rest) && bound.is_ok() { None } else { differ() };
        }
        if left == right { None } else { differ() }
    }

    fn keep_cookie(&mut self, answer: &Answer) {
        if let Some(set) = answer.header("set-cookie") {
            let pair = set.split(';').next().unwrap_or_default().to_owned();
            self.cookie = (!pair.ends_with("=deleted")).then_some(pair);
        }
    }

    fn body(&mut self, name: &str, expected: &Value, answer: &Answer) -> Vec<String> {
        if let Some(text) = expected["_text"].as_str() {
            let same =
                if text.starts_with("<!doctype") { answer.text().starts_with(text) } else { answer.text() == text };
            return if same { Vec::new() } else { vec![format!("{name}: recorded {text:?}, got {:?}", answer.text())] };
        }
        if expected["_ndjson"].is_array() {
            let mut lines = answer.lines();
            joined(&mut lines);
            return self.bindings.compare(name, &expected["_ndjson"], &Value::Array(lines));
        }
        let expected = &here(expected, &self.demo.root().to_string_lossy());
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(ours) if PARTS_ONLY.contains(&name) => unrecorded(name, expected, &ours),
            Ok(ours) => self.bindings.compare(name, expected, &ours),
            Err(error) => vec![format!("{name}: {error}: {}", answer.text())],
        }
    }
}

/// A recorded body with this state root in place of the recorded one, and this system's separators behind it.
fn here(recorded: &Value, root: &str) -> Value {
    match recorded {
        Value::String(text) => match text.split_once(RECORDED_ROOT) {
            Some((before, after)) => format!("{before}{root}{}", after.replace('/', MAIN_SEPARATOR_STR)).into(),
            None => recorded.clone(),
        },
        Value::Array(values) => values.iter().map(|value| here(value, root)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), here(value, root))).collect(),
        _ => recorded.clone(),
    }
}

#[test]
fn the_token_of_the_captures_is_the_one_we_start_with() {
    assert_eq!(capture("04-login-bad-device")["request"]["body"]["admin_token"], TOKEN);
}

/// The recorded calls lay milliseconds apart; ids made in one millisecond have no order.
fn next_millisecond() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("clock").as_millis();
    let start = now();
    until("the next millisecond", || (now() > start).then_some(()));
}
