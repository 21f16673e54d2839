//! The approvals that appear by themselves in the first minute of a demo.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::demo_api::{self, Wish};
use super::{Gateway, TARGET};
use crate::demo::process;

/// A demo must not bury a person who looks away.
const PENDING_MAX: usize = 8;

/// Lets them appear. Needs a runtime.
pub fn start(gateway: Arc<Gateway>) {
    tokio::spawn(async move {
        let start = tokio::time::Instant::now();
        for (at, wish) in script() {
            tokio::time::sleep_until(start + at).await;
            if gateway.store.pending(|_| true).len() >= PENDING_MAX {
                continue;
            }
            if demo_api::grant(&gateway, &wish).is_err() {
                process::log(TARGET, "demo seed failed", json!({}));
            }
        }
    });
}

fn script() -> Vec<(Duration, Wish)> {
    let wish = |kind: &str, risk: &str, name: &str, input: Option<Value>, summary: Option<&str>| Wish {
        kind: Some(kind.to_owned()),
        risk_level: Some(risk.to_owned()),
        name: Some(name.to_owned()),
        input,
        summary: summary.map(str::to_owned),
        ..Wish::default()
    };
    let tool = |risk, name, input| wish("tool", risk, name, Some(input), None);
    let open_url = json!({ "url": "https://docs.example.com/release-notes" });
    [
        (3, wish("acp", "low", "fs.read_file", None, Some("Read README.md in the project \"palyra-site\""))),
        (8, tool("high", "shell.exec", json!({ "command": "git push origin main" }))),
        (20, wish("node_capability", "medium", "desktop.open_url", Some(open_url), None)),
        (
            40,
            tool(
                "critical",
                "shell.exec",
                json!({ "command": "rm -rf /var/lib/palyra-site/releases && systemctl restart site" }),
            ),
        ),
        (
            60,
            tool(
                "high",
                "http.request",
                json!({ "method": "POST", "url": "https://api.example.com/deploy", "authorization": "<redacted>" }),
            ),
        ),
    ]
    .into_iter()
    .map(|(seconds, wish)| (Duration::from_secs(seconds), wish))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_risk_appears_within_a_minute() {
        let script = script();
        for risk in ["low", "medium", "high", "critical"] {
            assert!(script.iter().any(|(_, wish)| wish.risk_level.as_deref() == Some(risk)), "{risk}");
        }
        assert!(script.is_sorted_by_key(|(at, _)| *at));
        assert!(script.len() <= PENDING_MAX && script.iter().all(|(at, _)| at.as_secs() <= 60));
    }
}
