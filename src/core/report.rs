//! The snapshot as a text to be sent to whoever helps: no secret in it, nothing of what chats are about.

use serde_json::Value;

use crate::core::{text, told};
use crate::words;

/// Lines of a sidecar's standard error.
const STDERR_LINES: usize = 8;
/// Figures that are in the text, by their place in the snapshot's `diagnostics.observability`.
const FIGURES: [(&str, &str); 9] = [
    (words::status::PROVIDER_SIGN_INS_FAILED, "/provider_auth/failures"),
    (words::status::DASHBOARD_REQUESTS_FAILED, "/dashboard/failures"),
    (words::status::CONNECTOR_QUEUE, "/connector/queue_depth"),
    (words::status::CONNECTOR_DEAD_LETTERS, "/connector/dead_letters"),
    (words::status::DEGRADED_CONNECTORS, "/connector/degraded_connectors"),
    (words::status::BROWSER_ACTIONS_FAILED, "/browser/relay_failures"),
    (words::status::FAILURES_OF_CONFIG, "/failure_classes/config_failure"),
    (words::status::FAILURES_OF_PROVIDER, "/failure_classes/upstream_provider_failure"),
    (words::status::FAILURES_OF_PALYRA, "/failure_classes/product_failure"),
];

/// The report.
pub fn report(snapshot: &Value) -> String {
    let word = |at: &str| match snapshot.pointer(at) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "unknown".to_owned(),
        Some(other) => other.to_string(),
    };
    let mut out = String::from(words::status::PALYRA_DIAGNOSTICS);
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    if snapshot["demo"] == Value::Bool(true) {
        line(words::status::DEMO.to_owned());
    }
    line(words::status::report_versions(
        word("/agent/version"),
        word("/quick_facts/gateway_version"),
        word("/quick_facts/gateway_git_hash"),
    ));
    line(format!("state: {} ({}), {}", word("/state"), word("/overall_status"), word("/connection_state")));
    line(format!("status: {}", word("/status_line")));
    for name in ["gateway_process", "browserd_process", "node_host_process"] {
        process(&snapshot[name]).into_iter().for_each(&mut line);
    }
    line(words::status::report_approvals(
        word("/approvals/pending"),
        word("/approvals/heard_of_by"),
        snapshot["active_runs"].as_array().map_or("unknown".to_owned(), |runs| runs.len().to_string()),
        word("/session_summary/active_sessions"),
    ));
    line(words::status::report_rest(
        word("/quick_facts/browser_service/status"),
        word("/quick_facts/discord/state"),
        word("/quick_facts/node_host/state"),
        word("/profile/name"),
    ));
    line(words::status::report_desktop(
        word("/tray/detail"),
        word("/notifications/server"),
        word("/secrets/state"),
        snapshot["secrets"]["place"].as_str().unwrap_or_default(),
        word("/config/state"),
    ));
    let generated = snapshot["generated_at_unix_ms"].as_i64().unwrap_or_default();
    line(words::status::gateways_diagnostics(age(snapshot, "diagnostics", generated)));
    let observability = &snapshot["diagnostics"]["observability"];
    let figures: Vec<_> = FIGURES
        .iter()
        .filter_map(|(name, at)| Some(format!("{name} {}", observability.pointer(at)?.as_u64()?)))
        .collect();
    if !figures.is_empty() {
        line(format!("  {}", figures.join(", ")));
    }
    for error in texts(&snapshot["diagnostics"]["errors"]) {
        line(format!("  - {error}"));
    }
    for warning in texts(&snapshot["warnings"]) {
        line(format!("! {}", text::sentence(warning)));
    }
    told::redacted(&out)
}

/// How old a part of the snapshot is: "3 s ago", "never told", with the reason when the newest answer is none.
pub fn age(snapshot: &Value, part: &str, now_unix_ms: i64) -> String {
    let why = snapshot["not_told"][part].as_str().map(|why| format!(" ({why})")).unwrap_or_default();
    match snapshot["as_of_unix_ms"][part].as_i64() {
        Some(at) => words::status::told_ago(ago(at, now_unix_ms), &why),
        None => words::status::not_told_yet(&why),
    }
}

/// "3 min".
pub fn ago(at_unix_ms: i64, now_unix_ms: i64) -> String {
    let seconds = now_unix_ms.saturating_sub(at_unix_ms).max(0) / 1_000;
    text::duration(u64::try_from(seconds).unwrap_or_default())
}

/// The texts of a list.
pub fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn process(block: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let number = |key: &str| block[key].as_u64().map_or("none".to_owned(), |number| number.to_string());
    lines.push(words::status::report_service(
        block["service"].as_str().unwrap_or("?"),
        block["state"].as_str().unwrap_or("?"),
        &block["desired_running"],
        number("pid"),
        block["uptime_seconds"].as_u64().map_or("none".to_owned(), text::duration),
        number("restart_attempt"),
        &block["bound_ports"],
    ));
    if let Some(trouble) = block["trouble"].as_str() {
        lines.push(format!("  trouble: {trouble}"));
    }
    let end = &block["last_end"];
    if let Some(what) = end["what"].as_str() {
        lines.push(words::status::last_time(what, end["class"].as_str().unwrap_or("?")));
        lines.extend(end["changed"].as_str().map(|changed| format!("  {changed}")));
        let stderr: Vec<_> = texts(&end["stderr"]).filter(|line| !line.trim().is_empty()).collect();
        let newest = stderr.iter().skip(stderr.len().saturating_sub(STDERR_LINES));
        lines.extend(newest.map(|line| format!("  | {}", told::line(line, 200))));
    }
    lines
}
