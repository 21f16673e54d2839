//! Usage events through the whole agent: what comes to be in the gateway's journal.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

use super::agent::{PATIENCE, Site};

/// What clients had noted in the journal.
fn noted(site: &Site) -> Vec<Value> {
    let journal = site.root().join("desktop-control-center/runtime/data/journal.sqlite3");
    let text = fs::read_to_string(journal).expect("a journal");
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter_map(|entry| entry.get("event").cloned()).collect()
}

fn names(site: &Site) -> Vec<String> {
    noted(site).iter().map(|event| event["event"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A message, a denial, and an approval.
fn use_it(site: &Site) {
    site.ok(&["send", "plan-7Zs9 for nobody"]);
    for (wish, verdict) in [("rm plan-7Zs9", "deny"), ("ls plan-7Zs9", "approve")] {
        let id = site.approval(&json!({ "kind": "acp", "summary": wish }));
        site.until("waits", |status| status["approvals"]["pending"] == 1);
        let list: Value = serde_json::from_str(&site.ok(&["approvals", "list", "--json"])).expect("JSON");
        let digest = list["approvals"][0]["digest"].as_str().expect("a digest");
        site.ok(&["approvals", verdict, &id, "--digest", digest]);
        site.until("decided", |status| status["approvals"]["pending"] == 0);
    }
}

#[test]
fn the_gateway_hears_nothing_until_it_is_turned_on_and_then_only_what_is_named() {
    let mut site = Site::new();
    site.env("PALYRA_ORCHESTRATOR_RUNLOOP_V1_ENABLED", "true");
    site.start_healthy();
    assert_eq!(site.ok(&["config", "get", "telemetry.events"]), "false\n");
    use_it(&site);
    assert_eq!(names(&site), [""; 0]);

    site.ok(&["config", "set", "telemetry.events", "on"]);
    let end = Instant::now() + PATIENCE;
    while names(&site).is_empty() {
        assert!(Instant::now() < end, "nothing was noted");
        site.ok(&["send", "--new", "plan-7Zs9 for nobody"]);
    }
    let before = names(&site);
    assert_eq!(before, ["system.operator.ux.session.resumed", "system.operator.ux.chat.prompt_submitted"]);
    use_it(&site);
    let wanted = ["chat.prompt_submitted", "approval.resolved", "approval.resolved"];
    let wanted: Vec<_> = wanted.into_iter().map(|name| format!("system.operator.ux.{name}")).collect();
    while names(&site).len() < before.len() + wanted.len() {
        assert!(Instant::now() < end, "{:?}", names(&site));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(names(&site)[before.len()..], wanted);
    let all = noted(&site);
    assert!(all.iter().all(|event| event["details"]["details"]["surface"] == "desktop"), "{all:?}");
    let outcomes: Vec<_> = all[3..].iter().map(|event| event["details"]["details"]["outcome"].clone()).collect();
    assert_eq!(outcomes, ["denied", "approved"]);
    assert!(!json!(all).to_string().contains("7Zs9"), "{all:?}");

    site.ok(&["config", "set", "telemetry.events", "off"]);
    site.until("turned off", |_| {
        let count = noted(&site).len();
        site.ok(&["send", "--new", "more"]);
        std::thread::sleep(std::time::Duration::from_millis(300));
        noted(&site).len() == count
    });
}
