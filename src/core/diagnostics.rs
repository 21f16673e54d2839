//! What of the gateway's diagnostics is kept: a few figures, and the newest troubles in words.
//!
//! The answer has a hundred thousand bytes and grows with every version; of what is not known here nothing is expected, and
//! whatever calls itself an error is found wherever it stands.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::core::told;
use crate::words;

/// Troubles that are kept.
pub const ERRORS: usize = 25;
/// Longest trouble, characters.
const ERROR: usize = 240;
/// Longest name of a state, characters.
const STATE: usize = 32;
/// Deepest place that is looked into.
const DEPTH: usize = 16;
/// Values that are looked at, at most.
const VALUES: usize = 50_000;
/// Keys whose text tells of a trouble. Others (`detail`, `reason`, `summary`) are told in good times too.
const TELLING: [&str; 8] = [
    "error",
    "last_error",
    "last_error_message",
    "last_auth_failure",
    "failure",
    "failure_message",
    "error_message",
    "warning",
];
/// Keys of lists whose entries are troubles.
const LISTS: [&str; 6] =
    ["recent_failures", "recent_errors", "recent_failure_samples", "active_incidents", "errors", "warnings"];

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Diagnostics {
    /// Wall clock of the gateway's answer.
    pub generated_at_unix_ms: Option<i64>,
    /// Each once, secrets taken out, at most [`ERRORS`].
    pub errors: Vec<String>,
    /// Figures, by the names of the gateway and of the earlier desktop app.
    pub observability: Value,
}

/// Reads the answer to `GET /console/v1/diagnostics`.
///
/// # Errors
/// It is not one.
pub fn read(body: &Value) -> Result<Diagnostics, &'static str> {
    let told = body.get("observability").filter(|told| told.is_object());
    let told = told.ok_or(words::status::GATEWAYS_DIAGNOSTICS_ARE_NOT_UNDERSTOOD)?;
    Ok(Diagnostics {
        generated_at_unix_ms: body.get("generated_at_unix_ms").and_then(Value::as_i64),
        errors: errors(body),
        observability: figures(body, told),
    })
}

fn figures(body: &Value, told: &Value) -> Value {
    let relay = "/browser/relay_actions";
    let mut provider =
        numbers(told, "/provider_auth", &["attempts", "failures", "failure_rate_bps", "refresh_failures"]);
    provider["state"] =
        told.pointer("/provider_auth/state").and_then(Value::as_str).map(|s| told::line(s, STATE)).into();
    let connector =
        ["queue_depth", "dead_letters", "degraded_connectors", "upload_failures", "upload_failure_rate_bps"];
    let failures = told.get("recent_failures").and_then(Value::as_array).map(Vec::len);
    json!({
        "provider_auth": provider,
        "dashboard": numbers(told, "/dashboard", &["attempts", "failures", "failure_rate_bps"]),
        "connector": numbers(told, "/connector", &connector),
        "browser": {
            "relay_attempts": number(told, &format!("{relay}/attempts")),
            "relay_failures": number(told, &format!("{relay}/failures")),
            "relay_failure_rate_bps": number(told, &format!("{relay}/failure_rate_bps")),
        },
        "support_bundle": numbers(told, "/support_bundle", &["attempts", "successes", "failures", "success_rate_bps"]),
        "failure_classes":
            numbers(told, "/failure_classes", &["config_failure", "upstream_provider_failure", "product_failure"]),
        "denied_requests_total": number(body, "/rate_limits/denied_requests_total"),
        "active_console_streams": number(told, "/chat/active_console_streams"),
        "recent_failure_count": failures,
    })
}

fn number(value: &Value, pointer: &str) -> Option<u64> {
    value.pointer(pointer).and_then(Value::as_u64)
}

/// Numbers only; absent where they are not told.
fn numbers(value: &Value, at: &str, names: &[&str]) -> Value {
    let one = |name: &&str| ((*name).to_owned(), json!(number(value, &format!("{at}/{name}"))));
    names.iter().map(one).collect::<Map<_, _>>().into()
}

fn errors(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    // what the gateway itself thinks needs attention comes first, then what failed lately, then everything else
    let hotspots = body.pointer("/observability/operator_insights/hotspots").and_then(Value::as_array);
    for hotspot in hotspots.into_iter().flatten().filter(|hotspot| is_bad(hotspot)) {
        keep(&mut found, words(hotspot, "subsystem", &["recommended_action", "summary"]));
    }
    for failure in body.pointer("/observability/recent_failures").and_then(Value::as_array).into_iter().flatten() {
        keep(&mut found, words(failure, "operation", &["message"]));
    }
    let mut left = VALUES;
    walk(body, DEPTH, &mut left, &mut found);
    found
}

fn is_bad(value: &Value) -> bool {
    matches!(value.get("severity").and_then(Value::as_str), Some("blocking" | "warning" | "critical" | "error"))
}

fn walk(value: &Value, depth: usize, left: &mut usize, found: &mut Vec<String>) {
    if depth == 0 || *left == 0 || found.len() >= ERRORS {
        return;
    }
    *left -= 1;
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if TELLING.contains(&key.as_str()) => keep(found, text.clone()),
                    Value::Array(entries) if LISTS.contains(&key.as_str()) => {
                        for entry in entries.iter().take(ERRORS) {
                            keep(found, entry_words(entry));
                        }
                    }
                    other => walk(other, depth - 1, left, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, depth - 1, left, found)),
        _ => {}
    }
}

fn entry_words(entry: &Value) -> String {
    match entry {
        Value::String(text) => text.clone(),
        _ => words(entry, "operation", &["message", "error", "last_error", "summary", "detail", "reason"]),
    }
}

/// `who: what`, as far as they are told.
fn words(value: &Value, who: &str, what: &[&str]) -> String {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let Some(what) = what.iter().find_map(|name| text(name)) else { return String::new() };
    match text(who) {
        Some(who) => format!("{who}: {what}"),
        None => what.to_owned(),
    }
}

fn keep(found: &mut Vec<String>, text: String) {
    let line = told::line(&text, ERROR);
    if !line.is_empty() && found.len() < ERRORS && !found.contains(&line) {
        found.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_small_deduplicated_and_without_secrets() {
        let failures: Vec<_> = (0..400)
            .map(|n| json!({ "operation": format!("GET /{}", n / 3), "message": "Bearer abcdefghijklmnop1234567890" }))
            .collect();
        let body = json!({
            "observability": { "recent_failures": failures, "provider_auth": { "state": "x".repeat(5_000), "attempts": -3 } },
            "deep": { "last_error": "never seen: the list is full" },
        });
        let kept = read(&body).unwrap();
        assert_eq!(kept.errors.len(), ERRORS);
        let different: std::collections::BTreeSet<_> = kept.errors.iter().collect();
        assert_eq!(different.len(), ERRORS, "each once");
        assert!(kept.errors.iter().all(|error| !error.contains("abcdefghijklmnop")), "{:?}", kept.errors);
        assert_eq!(kept.observability["recent_failure_count"], 400);
        assert_eq!(kept.observability["provider_auth"]["attempts"], Value::Null);
        assert_eq!(kept.observability["provider_auth"]["state"].as_str().unwrap().chars().count(), STATE);
        assert!(serde_json::to_string(&kept).unwrap().len() < 4_096);
    }

    #[test]
    fn troubles_are_found_where_they_are_and_good_news_is_none() {
        let body = json!({
            "observability": {
                "operator_insights": { "hotspots": [
                    { "subsystem": "provider_health", "severity": "blocking", "recommended_action": "Connect a provider." },
                    { "subsystem": "cron", "severity": "info", "recommended_action": "Nothing to do." },
                ] },
                "connector": { "recent_errors": ["discord: no route", { "message": "slow" }, 7, {}] },
                "x": { "detail": "auth_state=ok", "message": "fine", "list": [{ "last_error": "gone\nwrong" }, null] },
            },
            "config_failure": 5, "error": "", "failure": { "error": "deep" },
        });
        let kept = read(&body).unwrap();
        let wanted = ["provider_health: Connect a provider.", "deep", "discord: no route", "slow", "gone wrong"];
        assert_eq!(kept.errors, wanted);
    }

    #[test]
    fn hostile_answers_are_survived() {
        assert!(read(&json!([])).is_err());
        assert!(read(&json!({ "observability": [] })).is_err());
        let mut deep = json!({ "error": "too deep" });
        for _ in 0..100 {
            deep = json!({ "in": [deep] });
        }
        let wide: Vec<_> = (0..60_000).map(|_| json!({})).collect();
        let kept = read(&json!({ "observability": { "wide": wide, "deep": deep } })).unwrap();
        assert_eq!(kept.errors, [""; 0]);
    }
}
