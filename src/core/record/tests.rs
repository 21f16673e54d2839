use proptest::prelude::*;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::canonical::changes_with_decision;
use super::*;

fn sample() -> Value {
    json!({
        "approval_id": "01M81DE5FWB4J6RH34QSC0S6Q6", "session_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "run_id": "R",
        "principal": "admin:desktop-control-center", "device_id": "D", "requested_at_unix_ms": 1_000,
        "subject_type": "tool", "subject_id": "shell.exec", "request_summary": "rm -rf build/cache",
        "policy_snapshot": {"policy_id": "p", "policy_hash": "h", "evaluation_summary": "e"},
        "prompt": {
            "title": "T", "risk_level": "low", "subject_id": "shell.exec", "summary": "S",
            "options": [{"option_id": "allow_once", "label": "Allow once", "description": "d",
                         "default_selected": false, "decision_scope": "once"}],
            "timeout_seconds": 300, "details_json": "{}", "policy_explanation": "x"
        },
        "created_at_unix_ms": 1_000, "updated_at_unix_ms": 1_000
    })
}

fn with(path: &str, value: Value) -> Value {
    let mut raw = sample();
    *raw.pointer_mut(path).unwrap() = value;
    raw
}

#[test]
fn reads_a_whole_record() {
    let record = Record::from_value(sample()).unwrap();
    assert!(record.is_pending());
    assert_eq!(record.unknown_parts, Vec::<&str>::new());
    assert_eq!(record.prompt.risk_level, Risk::Low);
    assert_eq!(record.subject_type, Subject::Tool);
    assert_eq!(record.prompt.options[0].decision_scope, Some(Scope::Once));
    assert_eq!(record.expires_at_unix_ms(), 301_000);
    assert_eq!(record.raw, sample());
}

#[test]
fn unknown_risk_is_critical_and_unknown_kinds_keep_their_text() {
    for risk in [json!("LOW"), json!("harmless"), json!(1), Value::Null] {
        let record = Record::from_value(with("/prompt/risk_level", risk)).unwrap();
        assert_eq!(record.prompt.risk_level, Risk::Critical);
    }
    let record = Record::from_value(with("/subject_type", json!("teleport"))).unwrap();
    assert_eq!(record.subject_type, Subject::Unknown("teleport".to_owned()));
}

#[test]
fn null_decision_is_pending_and_any_other_is_not() {
    let mut raw = sample();
    raw["decision"] = Value::Null;
    assert!(Record::from_value(raw.clone()).unwrap().is_pending());
    for (word, decision) in [
        (json!("deny"), Decision::Deny),
        (json!("perhaps"), Decision::Unknown("perhaps".to_owned())),
        (json!({"a": 1}), Decision::Unknown("{\"a\":1}".to_owned())),
    ] {
        raw["decision"] = word;
        assert_eq!(Record::from_value(raw.clone()).unwrap().decision, Some(decision));
    }
}

#[test]
fn broken_parts_are_named_and_do_not_expire() {
    let record = Record::from_value(json!({"approval_id": "A", "prompt": 5})).unwrap();
    assert!(record.unknown_parts.contains(&"prompt") && record.unknown_parts.contains(&"policy_snapshot"));
    assert_eq!(record.prompt.risk_level, Risk::Critical);
    assert_eq!(record.expires_at_unix_ms(), i64::MAX);
    let record = Record::from_value(with("/requested_at_unix_ms", json!("soon"))).unwrap();
    assert_eq!((record.requested_at_unix_ms, record.expires_at_unix_ms()), (0, i64::MAX));
}

#[test]
fn huge_numbers_saturate() {
    for seconds in [json!(u64::MAX), json!(i64::MAX), json!(u64::MAX / 1_000 + 1)] {
        let record = Record::from_value(with("/prompt/timeout_seconds", seconds)).unwrap();
        assert_eq!(record.expires_at_unix_ms(), i64::MAX);
    }
    let record = Record::from_value(with("/requested_at_unix_ms", json!(u64::MAX))).unwrap();
    assert_eq!(record.requested_at_unix_ms, i64::MAX);
}

#[test]
fn a_record_without_a_usable_id_is_reported() {
    for id in [json!(""), json!("../../x"), json!("a b"), json!("x".repeat(65)), json!(7), Value::Null] {
        let unreadable = Record::from_value(with("/approval_id", id)).unwrap_err();
        assert_eq!(unreadable.requested_at_unix_ms, Some(1_000));
    }
}

#[test]
fn what_the_parser_refuses_still_has_its_id() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for hostile in [deep.as_str(), "1e999", r#""\ud800""#] {
        let text = format!(r#"{{"approval_id":"01A","extra":{hostile},"decision":null,"requested_at_unix_ms":5}}"#);
        let unreadable = Record::read(&text).unwrap_err();
        assert_eq!((unreadable.approval_id.as_str(), unreadable.requested_at_unix_ms), ("01A", Some(5)));
        assert!(!Outline::of(&text).decided);
    }
    assert!(Outline::of(r#"{"decision":"allow","extra":1e999}"#).decided);
}

#[test]
fn what_is_nested_too_deeply_for_our_own_answers_is_reported() {
    let nested = |levels: usize| {
        let text = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"approval_id":"01A","extra":{text},"requested_at_unix_ms":5}}"#)
    };
    assert!(Record::read(&nested(63)).is_ok());
    let unreadable = Record::read(&nested(64)).unwrap_err();
    assert_eq!((unreadable.approval_id.as_str(), unreadable.requested_at_unix_ms), ("01A", Some(5)));
}

#[test]
fn the_digest_of_a_fraction_is_the_same_after_another_writing_and_reading() {
    for number in ["6.934698245112694e+276", "8.383658838626809e-78", "-2.693554001703998e+265", "0.1", "5e-324"] {
        let first: Value = serde_json::from_str(&format!(r#"{{"approval_id":"A","cost":{number}}}"#)).unwrap();
        let again: Value = serde_json::from_str(&first.to_string()).unwrap();
        assert_eq!(digest(&again), digest(&first), "{number}");
    }
}

#[test]
fn digest_is_that_of_the_canonical_json() {
    // printf '{"a":1,"b":[true,null,"\\n"]}' | sha256sum
    let raw = json!({"b": [true, null, "\n"], "a": 1, "updated_at_unix_ms": 3, "decision_reason": "x"});
    let expected = Sha256::digest(br#"{"a":1,"b":[true,null,"\n"]}"#);
    let expected: String = expected.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest(&raw), expected);
}

#[test]
fn digest_ignores_only_what_a_decision_changes() {
    let before = digest(&sample());
    let mut decided = sample();
    for (name, value) in [
        ("decision", json!("allow")),
        ("decision_scope", json!("once")),
        ("decision_reason", json!("why")),
        ("decision_scope_ttl_ms", json!(5)),
        ("resolved_at_unix_ms", json!(6)),
        ("updated_at_unix_ms", json!(7)),
    ] {
        decided[name] = value;
    }
    assert_eq!(digest(&decided), before);
    // The same names further down are part of what was shown.
    assert_ne!(digest(&with("/prompt/options/0/decision_scope", json!("session"))), before);
    assert_ne!(digest(&with("/request_summary", json!("rm -rf /"))), before);
    assert_ne!(digest(&with("/created_at_unix_ms", json!(2))), before);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        "[a-z_]{0,8}",
        prop::sample::select(vec![
            "approval_id",
            "prompt",
            "options",
            "risk_level",
            "decision",
            "timeout_seconds",
            "requested_at_unix_ms",
            "policy_snapshot",
            "updated_at_unix_ms",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn backwards(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let parts: Vec<String> = fields
                .iter()
                .rev()
                .map(|(name, value)| format!(" {} : {}", Value::from(name.as_str()), backwards(value)))
                .collect();
            format!("{{{}}}", parts.join(" ,"))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(backwards).collect::<Vec<_>>().join(" , ")),
        scalar => scalar.to_string(),
    }
}

proptest! {
    #[test]
    fn reading_never_panics(raw in any_json(), text in ".{0,64}") {
        let _ = Record::read(&text);
        let _ = Record::read(&raw.to_string());
        let mut named = raw.clone();
        if let Value::Object(fields) = &mut named {
            fields.insert("approval_id".to_owned(), json!("01A"));
            let record = Record::from_value(named.clone()).unwrap();
            prop_assert_eq!(record.is_pending(), named.get("decision").is_none_or(Value::is_null));
            let _ = record.expires_at_unix_ms();
        }
        let _ = digest(&raw);
    }

    #[test]
    fn digest_is_stable_under_key_order(raw in any_json()) {
        let reordered: Value = serde_json::from_str(&backwards(&raw)).unwrap();
        // A float may lose its last bit on the way through text; then it is another value.
        let once: Value = serde_json::from_str(&raw.to_string()).unwrap();
        prop_assert_eq!(digest(&reordered), digest(&once));
    }

    #[test]
    fn digest_tells_any_other_change(name in "[a-z_]{1,12}", value in any_json(), other in any_json()) {
        let mut one = sample();
        one[&name] = value.clone();
        let mut two = sample();
        two[&name] = other.clone();
        let same = value == other || changes_with_decision(&name);
        prop_assert_eq!(digest(&one) == digest(&two), same);
    }
}
