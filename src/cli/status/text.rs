//! The snapshot in words.

use serde_json::Value;

use crate::config::profiles::IMPLICIT;
use crate::core::notices::cut;
use crate::core::{report, text};
use crate::words;

/// Lines of a sidecar's standard error.
const STDERR_LINES: usize = 8;
/// Active runs that are named.
const RUN_LINES: usize = 4;

/// The snapshot as a screen of text.
pub fn words(snapshot: &Value) -> String {
    let text_of = |pointer: &str| snapshot.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut out = String::new();
    if snapshot["demo"] == Value::Bool(true) {
        out.push_str(words::status::DEMO_LINE);
    }
    out.push_str(&format!("{}\n", text_of("/status_line")));
    for (key, name) in [
        ("gateway_process", words::common::GATEWAY),
        ("browserd_process", words::common::BROWSER),
        ("node_host_process", words::common::NODE_HOST),
    ] {
        if let Some(line) = process(&snapshot[key]) {
            out.push_str(&format!("  {name:<10} {line}\n"));
            for line in why(&snapshot[key], now_of(snapshot)) {
                out.push_str(&format!("             {line}\n"));
            }
        }
    }
    let elsewhere = snapshot["remote"].is_object();
    let approvals = &snapshot["approvals"];
    let waiting = approvals["pending"].as_u64().unwrap_or(0);
    out.push_str(&match (approvals["known"].as_bool(), waiting) {
        _ if elsewhere => certificate(&snapshot["remote"]),
        (Some(true), 0) => words::status::APPROVALS_NONE_WAIT.to_owned(),
        (Some(true), n) => words::status::approvals_wait(n),
        _ => words::status::APPROVALS_NOT_KNOWN.to_owned(),
    });
    if !elsewhere {
        out.push_str(&runs(snapshot));
    }
    let url = text_of("/quick_facts/dashboard_url");
    if !url.is_empty() {
        // elsewhere the person signs in by themselves
        out.push_str(&match elsewhere {
            true => words::remote::dashboard(&url),
            false => words::status::dashboard_signed(&url),
        });
    }
    out.push_str(&words::status::tray(text_of("/tray/detail")));
    let server = text_of("/notifications/server");
    out.push_str(&words::status::notices(if server.is_empty() {
        words::status::NO_NOTIFICATION_SERVER
    } else {
        &server
    }));
    let place = match text_of("/secrets/state").as_str() {
        "ready" => text_of("/secrets/place"),
        "asked_for" => words::status::BEING_FETCHED.to_owned(),
        _ => text_of("/secrets/why"),
    };
    if !elsewhere {
        out.push_str(&words::status::secrets(&place));
    }
    let discord = &snapshot["quick_facts"]["discord"];
    if discord["enabled"] == Value::Bool(true) {
        out.push_str(&words::status::discord(discord["state"].as_str().unwrap_or(words::common::NOT_KNOWN)));
    }
    // of the one that everybody has there is nothing to say
    if snapshot["profile"]["active"] != IMPLICIT {
        let strict = if snapshot["profile"]["strict_mode"] == Value::Bool(true) { ", strict" } else { "" };
        let (name, risk) = (text_of("/profile/label"), text_of("/profile/risk_level"));
        out.push_str(&words::status::profile_risk(&name, &risk, strict));
    }
    let troubles = report::texts(&snapshot["diagnostics"]["errors"]).count();
    if troubles > 0 {
        let age = report::age(snapshot, "diagnostics", now_of(snapshot));
        out.push_str(&words::status::troubles_told_by_gateway(troubles, &age));
    }
    for warning in snapshot["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        out.push_str(&format!("! {}\n", text::sentence(warning)));
    }
    out
}

/// Whether the gateway of a remote profile shows the one that its config pins.
fn certificate(remote: &Value) -> String {
    let told =
        match (remote["verification_mode"].is_string(), remote["connected"] == true, remote["distrusted"] == true) {
            (false, ..) => words::remote::CERTIFICATE_NOT_PINNED,
            (true, true, _) => words::remote::CERTIFICATE_SHOWN,
            (true, false, true) => words::remote::CERTIFICATE_OTHER,
            (true, false, false) => words::remote::CERTIFICATE_PINNED,
        };
    words::remote::certificate(told)
}

/// What agents do now, and how the last run ended that did not end well.
fn runs(snapshot: &Value) -> String {
    let Some(active) = snapshot["active_runs"].as_array() else {
        return words::status::RUNS_NOT_KNOWN.to_owned();
    };
    let mut lines: Vec<String> = active
        .iter()
        .take(RUN_LINES)
        .map(|run| {
            let started = run["started_at_unix_ms"].as_i64();
            let since = started.map(|at| format!(" for {}", report::ago(at, now_of(snapshot)))).unwrap_or_default();
            let waits =
                if run["pending_approvals"].as_u64().unwrap_or(0) > 0 { words::common::WAITS_FOR_YOU } else { "" };
            let title = cut(run["session_title"].as_str().unwrap_or_default(), 48);
            format!("{title}: {}{since}{waits}", run["status"].as_str().unwrap_or_default().replace('_', " "))
        })
        .collect();
    match active.len() {
        0 => lines.push("none".to_owned()),
        n if n > RUN_LINES => lines.push(words::status::and_more(n - RUN_LINES)),
        _ => {}
    }
    let mut news = snapshot["run_news"].as_array().into_iter().flatten();
    if let Some(failed) = news.rfind(|news| news["event"] == "run_finished").filter(|last| last["end"] == "failed") {
        let ago = report::ago(failed["seen_at_unix_ms"].as_i64().unwrap_or_default(), now_of(snapshot));
        lines.push(words::status::last_one_failed_ago(&ago, cut(failed["title"].as_str().unwrap_or_default(), 48)));
    }
    let name = |n: usize| if n == 0 { words::status::RUNS } else { "" };
    lines.iter().enumerate().map(|(n, line)| format!("  {:<10} {line}\n", name(n))).collect()
}

/// Wall clock of the snapshot.
fn now_of(snapshot: &Value) -> i64 {
    snapshot["generated_at_unix_ms"].as_i64().unwrap_or_default()
}

fn process(block: &Value) -> Option<String> {
    let wanted = block["desired_running"].as_bool().unwrap_or(false);
    let running = block["running"].as_bool().unwrap_or(false);
    let state = block["state"].as_str().unwrap_or_default();
    if !wanted && !running && block["last_exit"].is_null() {
        return None;
    }
    let mut line = state.replace('_', " ");
    if let Some(pid) = block["pid"].as_u64() {
        line.push_str(&format!(", process {pid}"));
    }
    if let Some(seconds) = block["uptime_seconds"].as_u64() {
        line.push_str(&format!(", up {}", text::duration(seconds)));
    }
    if let Some(port) = block["bound_ports"]["http"].as_u64().filter(|_| running) {
        line.push_str(&format!(", port {port}"));
    }
    if let Some(trouble) = block["trouble"].as_str() {
        line.push_str(&format!(". {}", text::capitalise(trouble)));
    } else if let Some(next) = block["next_start"].as_str() {
        line.push_str(&format!(". {}", text::capitalise(next)));
    }
    Some(line)
}

/// Why it last ended, if nobody asked for that: all of it while it is down, a line once it is up again.
fn why(block: &Value, now_unix_ms: i64) -> Vec<String> {
    let end = &block["last_end"];
    let text_of = |key: &str| end[key].as_str().filter(|text| !text.is_empty());
    if end["expected"] != Value::Bool(false) {
        return Vec::new();
    }
    let ago = now_unix_ms.saturating_sub(end["at_unix_ms"].as_i64().unwrap_or(now_unix_ms)).max(0) / 1_000;
    let ago = text::duration(u64::try_from(ago).unwrap_or_default());
    let up = block["state"] == "ready";
    let label = if up { words::status::BEFORE } else { words::status::WHY };
    let mut lines = vec![words::status::ended_ago(label, &ago, text_of("what").unwrap_or(words::status::ENDED))];
    lines.extend(text_of("said").map(words::common::it_last_said));
    // that nothing changed helps only who is looking for the reason
    let some = !end["changed_since_good_start"]["in_words"].as_array().is_none_or(Vec::is_empty);
    lines.extend(text_of("changed").filter(|_| some || !up).map(str::to_owned));
    if !up {
        let stderr: Vec<_> = end["stderr"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let stderr: Vec<_> = stderr.into_iter().filter(|line| !line.trim().is_empty()).collect();
        // one line is what it said last
        if stderr.len() > 1 {
            lines.push(words::status::ITS_NEWEST_LINES_OF_STANDARD_ERROR.to_owned());
            lines.extend(stderr.iter().skip(stderr.len().saturating_sub(STDERR_LINES)).map(|line| format!("  {line}")));
        }
        lines.extend(text_of("remedy").map(str::to_owned));
    }
    lines
}
