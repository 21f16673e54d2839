//! A record of the gateway's, and everything that is made of it: digest, words, review, notification, the answer to the
//! command line.

use palyra_tray::core::describe::describe;
use palyra_tray::core::dialog::{Body, Form};
use palyra_tray::core::inbox::{Inbox, Look};
use palyra_tray::core::notices::{self, Server};
use palyra_tray::core::record::{self, Outline, Record, Risk, digest};
use palyra_tray::core::review::{self, Chosen, Shown};
use palyra_tray::core::snapshot;
use palyra_tray::core::time::Now;
use palyra_tray::protocol::{Action, Reply, Verdict};
use serde_json::{Map, Value, json};

use super::hides;

/// Either the text of a record (or of something that holds records), or, when it does not begin like JSON, pieces that go
/// into the fields of one, ended by a NUL each.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if !text.starts_with('{') {
        return hold(&filled(text));
    }
    let outline = Outline::of(text);
    match Record::read(text) {
        Ok(record) => {
            assert_eq!(outline.approval_id.as_deref(), Some(record.approval_id.as_str()));
            assert_eq!(outline.decided, record.decision.is_some());
            hold(&record.raw);
        }
        Err(unreadable) => {
            assert_eq!(outline.approval_id.unwrap_or_default(), unreadable.approval_id);
            if let Ok(value) = serde_json::from_str::<Value>(text) {
                inside(&value, &mut 0);
            }
        }
    }
}

/// The records in an answer, a few of them.
fn inside(value: &Value, seen: &mut u32) {
    if *seen == 4 {
        return;
    }
    match value {
        Value::Object(map) if map.contains_key("approval_id") && map.contains_key("prompt") => {
            *seen += 1;
            hold(value);
        }
        Value::Object(map) => map.values().for_each(|value| inside(value, seen)),
        Value::Array(items) => items.iter().for_each(|value| inside(value, seen)),
        _ => {}
    }
}

fn filled(text: &str) -> Value {
    let mut pieces = text.split('\0');
    let mut piece = || pieces.next().unwrap_or_default();
    let (kind, risk, tool, what, who, why, more) = (piece(), piece(), piece(), piece(), piece(), piece(), piece());
    let bridge = kind.len() % 2 == 0;
    let details = json!({ "tool_name": tool, "input_json": { "command": what, "more": more } }).to_string();
    json!({
        "approval_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "session_id": more, "run_id": "r", "principal": who, "device_id": "d",
        "requested_at_unix_ms": 1_800_000_000_000_i64, "subject_id": tool, "request_summary": what,
        "subject_type": if kind.is_empty() { "tool" } else { kind },
        "policy_snapshot": {
            "policy_id": if bridge { "acp_permission_bridge" } else { "other" }, "policy_hash": "", "evaluation_summary": why,
        },
        "prompt": {
            "title": tool, "risk_level": if risk.is_empty() { "low" } else { risk }, "subject_id": tool, "summary": what,
            "options": [], "timeout_seconds": 300, "details_json": details, "policy_explanation": why,
        },
    })
}

fn hold(raw: &Value) {
    let Ok(record) = Record::from_value(raw.clone()) else { return };
    assert!(record::is_usable_id(&record.approval_id));
    digest_is_stable(raw);
    words_hide_nothing(&record);
    review_shows_what_is_decided(&record);
    notification_approves_only_what_it_shows(&record);
}

/// The digest is that of the meaning: not of the order of fields or of spaces, not of what a decision changes; and any other
/// change is one of the digest, and is named.
fn digest_is_stable(raw: &Value) {
    let number = digest(raw);
    assert!(number.len() == 64 && number.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let pretty = serde_json::to_string_pretty(raw).expect("JSON can be written");
    for text in [raw.to_string(), pretty, backwards(raw)] {
        let again: Value = serde_json::from_str(&text).expect("what was written can be read");
        assert_eq!(digest(&again), number, "of {text}");
    }
    let Value::Object(fields) = raw else { return };
    let mut decided = fields.clone();
    decided.insert("decision".to_owned(), json!("allow"));
    decided.insert("resolved_at_unix_ms".to_owned(), json!(1));
    decided.insert("updated_at_unix_ms".to_owned(), json!(2));
    let decided = Value::Object(decided);
    assert_eq!(digest(&decided), number);
    assert!(record::changed(raw, &decided).is_empty());
    for name in
        fields.keys().filter(|name| !["decision", "resolved_at", "updated_at"].iter().any(|p| name.starts_with(p)))
    {
        let mut other = fields.clone();
        other.insert(name.clone(), if fields[name] == json!(7) { json!(8) } else { json!(7) });
        let other = Value::Object(other);
        assert_ne!(digest(&other), number, "{name} has changed");
        assert!(!record::changed(raw, &other).is_empty(), "{name} has changed");
    }
}

/// JSON with the fields in another order.
fn backwards(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<_> = fields.iter().rev().map(|(k, v)| format!("{}: {}", json!(k), backwards(v))).collect();
            format!("{{ {} }}", fields.join(" , "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(backwards).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

fn words_hide_nothing(record: &Record) {
    let words = describe(record);
    for text in [&words.title, &words.what, &words.who] {
        assert!(!text.chars().any(hides), "{text:?} hides something");
    }
    if words.whole {
        assert!(!record.raw.to_string().contains("<redacted>"), "the gateway hid something");
        assert!(record.unknown_parts.is_empty());
    }
}

fn form_hides_nothing(form: &Form) {
    let document = if let Body::Document { document } = &form.body { document.as_str() } else { "" };
    let labels = form.buttons.iter().map(|button| button.label.as_str());
    for text in [form.heading.as_str(), &form.text, document, &form.title].into_iter().chain(labels) {
        assert!(!text.chars().any(|c| c != '\n' && hides(c)), "{text:?} hides something");
    }
}

/// What the agent answers is understood by the command line, and shown under the digest that is decided.
fn review_shows_what_is_decided(record: &Record) {
    let answer = Reply::Data(snapshot::record(record, Now::default()));
    let line = serde_json::to_vec(&answer).expect("an answer can be written");
    let Ok(Reply::Data(answer)) = serde_json::from_slice::<Reply>(&line) else {
        panic!("an answer that cannot be read")
    };
    let shown = match Shown::read(&answer["approval"]) {
        Ok(shown) => shown,
        Err(why) => {
            let ours = |fields: &Map<String, Value>| snapshot::ADDED.iter().any(|name| fields.contains_key(*name));
            assert!(record.raw.as_object().is_some_and(ours), "{why}");
            return;
        }
    };
    for now in [0, record.requested_at_unix_ms, i64::MAX] {
        form_hides_nothing(&review::form(&shown, now));
        let _ = shown.over(now);
    }
    form_hides_nothing(&review::doubt(&shown));
    form_hides_nothing(&review::list(std::slice::from_ref(&shown), 1));
    let number = digest(&record.raw);
    let critical = record.prompt.risk_level == Risk::Critical;
    for button in review::form(&shown, 0).buttons {
        match review::chosen(&shown, &button.id) {
            Chosen::Nothing => {}
            Chosen::Decide(decision) | Chosen::Doubt(decision) if decision.digest != number => {
                panic!("{} is for another digest", button.label)
            }
            Chosen::Decide(decision) if decision.verdict == Verdict::Approve => {
                assert!(!critical && describe(record).whole, "a doubtful approval is asked about twice");
            }
            Chosen::Decide(_) | Chosen::Doubt(_) => {}
        }
    }
}

fn notification_approves_only_what_it_shows(record: &Record) {
    let server = Server { name: "dunst".to_owned(), actions: true, withdraws: true };
    let now = Now { mono_ms: 1_000, unix_ms: record.requested_at_unix_ms };
    let mut inbox = Inbox::default();
    inbox.open(now);
    let Some(order) = inbox.step(now) else { panic!("an inbox that just opened looks") };
    let look = Look {
        records: vec![record.clone()],
        newest_requested_at: Some(record.requested_at_unix_ms),
        ..Look::default()
    };
    let _ = inbox.looked(order.round, Ok(look), now);
    let words = describe(record);
    let (redacted, critical) =
        (record.raw.to_string().contains("<redacted>"), record.prompt.risk_level == Risk::Critical);
    for notice in notices::approvals(&inbox, &server).values() {
        assert!(!notice.title.chars().any(hides), "{:?}", notice.title);
        assert!(!notice.body.chars().any(|c| c != '\n' && hides(c)), "{:?}", notice.body);
        for (place, button) in notice.buttons.iter().enumerate() {
            if let Action::Decide { verdict: Verdict::Approve, .. } = &button.action {
                assert!(place > 0, "the first button decides");
                assert!(!critical && !redacted && words.whole && notice.body.contains(&words.what));
            }
        }
    }
    let listed = Reply::Data(snapshot::inbox(&inbox, now));
    let line = serde_json::to_vec(&listed).expect("an answer can be written");
    assert!(serde_json::from_slice::<Reply>(&line).is_ok(), "an inbox that cannot be read");
    let later = now.plus(500);
    let _ = (inbox.step(later), inbox.deadline(), inbox.by_urgency().len());
}
