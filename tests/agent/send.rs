//! Messages to Palyra through the whole agent, over the demo gateway, which repeats what it is told.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::agent::{PATIENCE, Site, kill};

fn site() -> Site {
    let mut site = Site::new();
    site.env("PALYRA_ORCHESTRATOR_RUNLOOP_V1_ENABLED", "true");
    site
}

fn json(site: &Site, args: &[&str]) -> Value {
    serde_json::from_str(&site.ok(args)).expect("JSON")
}

fn drafts(site: &Site) -> Vec<Value> {
    json(site, &["drafts", "list", "--json"])["drafts"].as_array().expect("a list").clone()
}

/// Messages in the gateway's journal with this text, as often as it took them.
fn taken(site: &Site, text: &str) -> usize {
    let mut runs = std::collections::BTreeSet::new();
    for folder in [site.root(), site.root().join("desktop-control-center/runtime")] {
        let journal = fs::read_to_string(folder.join("data/journal.sqlite3")).unwrap_or_default();
        for line in journal.lines().filter(|line| line.contains(&format!("\"text\":\"{text}\""))) {
            let at = line.find("\"run_id\":\"").expect("a run") + 10;
            runs.insert(line[at..at + 26].to_owned());
        }
    }
    runs.len()
}

#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} never came");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_message_is_answered_here_or_later_and_stays_in_its_session() {
    let mut site = site();
    site.start_healthy();
    assert_eq!(site.ok(&["send", "hello there"]), "hello there\n");
    let first = json(&site, &["send", "--json", "again"]);
    assert_eq!((first["answer"].as_str(), first["status"].as_str()), (Some("again"), Some("answered")));
    let second = json(&site, &["send", "--new", "--json", "--no-wait", "elsewhere"]);
    assert_eq!(second["status"], "accepted");
    assert_ne!(second["session_id"], first["session_id"]);
    let last = json(&site, &["status", "--json"])["companion"]["active_session_id"].clone();
    assert_eq!(last, second["session_id"], "the one that was used last");
    let key = first["session_id"].as_str().expect("id");
    assert_eq!(json(&site, &["send", "--json", "--session", key, "back"])["session_id"], key);
    // from standard input, and a text that is none
    let mut command = site.command(&["send", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("send");
    child.stdin.take().expect("piped").write_all(b"line one\nline two\n").expect("write");
    let output = child.wait_with_output().expect("output");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "line one\nline two\n");
    site.fails(2, &["send", " "]);
    let missing = site.fails(1, &["send", "--session", "holiday", "to nobody"]);
    assert!(missing.contains("no session holiday") && missing.contains("kept as a draft"), "{missing}");
    assert_eq!(drafts(&site)[0]["text"], "to nobody");
}

#[test]
fn with_no_gateway_it_is_a_draft_until_somebody_sends_it() {
    let mut site = site();
    site.start_healthy();
    site.ok(&["stop", "gateway"]);
    let told = site.fails(5, &["send", "for later"]);
    assert!(told.contains("not sent") && told.contains("palyra-tray drafts send"), "{told}");
    let mode = fs::metadata(site.own("state.json")).expect("state").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    site.ok(&["start", "gateway"]);
    site.kill_agent();
    site.start_healthy();
    let [draft] = &drafts(&site)[..] else { panic!("{:?}", drafts(&site)) };
    assert_eq!((draft["text"].as_str(), taken(&site, "for later")), (Some("for later"), 0));
    let id = draft["id"].as_str().expect("id");
    assert!(site.ok(&["drafts", "show", id]).contains("for later"));
    assert_eq!(site.ok(&["drafts", "send", &id[20..]]), "for later\n");
    assert_eq!((drafts(&site).len(), taken(&site, "for later")), (0, 1));
    site.fails(1, &["drafts", "send", id]);
    site.ok(&["stop", "gateway"]);
    site.fails(5, &["send", "never mind"]);
    let id = drafts(&site)[0]["id"].as_str().expect("id").to_owned();
    site.ok(&["drafts", "discard", &id]);
    assert_eq!(site.ok(&["drafts", "list"]), "No drafts.\n");
}

#[test]
fn killed_in_the_middle_neither_gateway_nor_agent_loses_it_or_sends_it_twice() {
    let mut site = site();
    site.start_healthy();
    // the agent: the answer comes all the same
    let sent = json(&site, &["send", "--json", "--no-wait", "a slow question"]);
    let trace = fs::metadata(site.own("asks.json")).expect("a trace");
    assert_eq!(trace.permissions().mode() & 0o777, 0o600);
    site.kill_agent();
    site.start_healthy();
    let told = until("the answer", || {
        let status = site.status()?;
        let told = status["companion"]["notifications"].as_array()?.iter().find(|one| one["kind"] == "run")?.clone();
        Some(told)
    });
    assert_eq!(told["title"], "Palyra answered: a slow question");
    assert_eq!(told["action"]["place"]["run_id"], sent["run_id"]);
    until("no trace", || (!site.own("asks.json").exists()).then_some(()));
    assert_eq!(taken(&site, "a slow question"), 1);
    // the gateway: its run has failed, and that is said
    let waiting = site.command(&["send", "another slow one"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let waiting = waiting.expect("send");
    let gateway = until("the run", || {
        let status = site.status()?;
        let answering = status["messages"].as_array()?.iter().any(|one| one["status"] == "answering");
        answering.then(|| status["gateway_process"]["pid"].as_u64().expect("pid"))
    });
    kill(gateway, Signal::SIGKILL);
    let output = waiting.wait_with_output().expect("output");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("the gateway was restarted in the middle of its answer"), "{words}");
    assert_eq!((taken(&site, "another slow one"), drafts(&site).len()), (1, 0));
}
