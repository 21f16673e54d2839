//! `status`: how it is, in a few lines or as JSON.

use std::process::ExitCode;

use serde_json::Value;

use crate::config::Paths;
use crate::core::text;
use crate::protocol::{Failure, Reply, Request};

/// Lines of a sidecar's standard error.
const STDERR_LINES: usize = 8;

/// Prints it.
pub fn status(paths: &Paths, json: bool) -> Result<ExitCode, Failure> {
    let reply = super::ask(paths, Request::Status, super::SHORT)?;
    let Reply::Data(mut snapshot) = reply else { return super::say(&reply) };
    if json {
        // read here, so that it costs the agent nothing
        snapshot["logs"] = super::logs::of_services(paths);
        super::print_json(&snapshot);
    } else {
        super::print(&words(&snapshot));
    }
    Ok(ExitCode::SUCCESS)
}

fn words(snapshot: &Value) -> String {
    let text_of = |pointer: &str| snapshot.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut out = String::new();
    if snapshot["demo"] == Value::Bool(true) {
        out.push_str("DEMO: nothing here is real\n");
    }
    out.push_str(&format!("{}\n", text_of("/status_line")));
    for (key, name) in
        [("gateway_process", "Gateway"), ("browserd_process", "Browser"), ("node_host_process", "Node host")]
    {
        if let Some(line) = process(&snapshot[key]) {
            out.push_str(&format!("  {name:<10} {line}\n"));
            for line in why(&snapshot[key], snapshot["generated_at_unix_ms"].as_i64().unwrap_or_default()) {
                out.push_str(&format!("             {line}\n"));
            }
        }
    }
    let approvals = &snapshot["approvals"];
    let waiting = approvals["pending"].as_u64().unwrap_or(0);
    out.push_str(&match (approvals["known"].as_bool(), waiting) {
        (Some(true), 0) => "  Approvals  none wait\n".to_owned(),
        (Some(true), n) => format!("  Approvals  {n} wait: palyra-tray approvals list\n"),
        _ => "  Approvals  not known\n".to_owned(),
    });
    let url = text_of("/quick_facts/dashboard_url");
    if !url.is_empty() {
        out.push_str(&format!("  Dashboard  {url} (signed in: palyra-tray open)\n"));
    }
    out.push_str(&format!("  Tray       {}\n", text_of("/tray/detail")));
    let server = text_of("/notifications/server");
    out.push_str(&format!("  Notices    {}\n", if server.is_empty() { "no notification server" } else { &server }));
    let place = match text_of("/secrets/state").as_str() {
        "ready" => text_of("/secrets/place"),
        "asked_for" => "being fetched".to_owned(),
        _ => text_of("/secrets/why"),
    };
    out.push_str(&format!("  Secrets    {place}\n"));
    for warning in snapshot["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        out.push_str(&format!("! {}\n", text::sentence(warning)));
    }
    out
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
    let label = if up { "Before:" } else { "Why:" };
    let mut lines = vec![format!("{label} {ago} ago it {}", text_of("what").unwrap_or("ended"))];
    lines.extend(text_of("said").map(|said| format!("It last said: {said}")));
    // that nothing changed helps only who is looking for the reason
    let some = !end["changed_since_good_start"]["in_words"].as_array().is_none_or(Vec::is_empty);
    lines.extend(text_of("changed").filter(|_| some || !up).map(str::to_owned));
    if !up {
        let stderr: Vec<_> = end["stderr"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let stderr: Vec<_> = stderr.into_iter().filter(|line| !line.trim().is_empty()).collect();
        // one line is what it said last
        if stderr.len() > 1 {
            lines.push("Its newest lines of standard error:".to_owned());
            lines.extend(stderr.iter().skip(stderr.len().saturating_sub(STDERR_LINES)).map(|line| format!("  {line}")));
        }
        lines.extend(text_of("remedy").map(str::to_owned));
    }
    lines
}
