//! Ask Palyra… in the menu: a message is written in a window, its answer is a notification, and one that cannot be sent is a
//! draft that only a person's word throws away.

use std::process::Command;

use super::agent::Site;
use super::desk::{buttons, click_at, on_desktop, picture, start, tool, until, windows};
use super::{settle, window};

const ASK: &str = "Ask Palyra";
const DRAFT: &str = "Palyra: draft";
/// Where Discard is in the window of a draft, and in the one that asks once more.
const DISCARD: (f64, f64) = (0.55, 0.82);
const SURE: (f64, f64) = (0.43, 0.8);

/// Writes a message in the window that the menu opens, and sends it.
#[track_caller]
fn say(text: &str, name: &str) {
    tool(&["tray-click", "Ask Palyra…"]);
    let entry = window(ASK);
    tool(&["xdotool", "type", "--delay", "5", text]);
    picture(name);
    click_at(&entry, 0.9, 0.93);
    until("the window gone", || windows(ASK).is_empty());
}

fn drafts(site: &Site) -> Vec<String> {
    let list: serde_json::Value = serde_json::from_str(&site.ok(&["drafts", "list", "--json"])).expect("JSON");
    let rows = list["drafts"].as_array().expect("a list");
    rows.iter().map(|row| row["text"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn a_message_is_written_answered_kept_and_thrown_away() {
    if !on_desktop("asks::a_message_is_written_answered_kept_and_thrown_away", &[]) {
        return;
    }
    let mut site = Site::new();
    site.env("PALYRA_ORCHESTRATOR_RUNLOOP_V1_ENABLED", "true");
    let opened = site.bin().join("opened");
    let browser = site.script("browser", &format!("echo \"$1\" > '{}'", opened.display()));
    site.env("BROWSER", browser.to_str().expect("UTF-8"));
    start(&mut site);

    say("What is on my list?", "ask");
    until("the answer", || buttons().contains("Palyra answered: What is on my list?\tOpen chat"));
    picture("ask-answered");
    tool(&["notification-action", "Open chat"]);
    until("the chat", || opened.exists());

    site.ok(&["stop", "gateway"]);
    say("for later", "ask-stopped");
    // the window that follows says that it is kept
    until("not sent", || !windows("^Palyra$").is_empty());
    settle();
    picture("ask-not-sent");
    tool(&["xdotool", "key", "Return"]);
    until("the window gone", || windows("^Palyra$").is_empty());
    assert_eq!(drafts(&site), ["for later"]);

    tool(&["tray-click", "for later*"]);
    let draft = shown(false);
    picture("draft");
    click_at(&draft, DISCARD.0, DISCARD.1);
    shown(true);
    picture("draft-sure");
    tool(&["xdotool", "key", "Return"]); // keeps it
    let draft = shown(false);
    assert_eq!(drafts(&site), ["for later"]);
    click_at(&draft, DISCARD.0, DISCARD.1);
    click_at(&shown(true), SURE.0, SURE.1);
    until("no draft", || drafts(&site).is_empty());
    site.ok(&["quit"]);
    site.nothing_left();
}

/// The window that shows the draft, or the narrower one that asks once more. Ids of windows come again.
#[track_caller]
fn shown(sure: bool) -> String {
    let is_narrow = |window: &String| {
        let output = Command::new("xdotool").args(["getwindowgeometry", "--shell", window]).output().expect("xdotool");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let width = text.lines().find_map(|line| line.strip_prefix("WIDTH=")?.parse::<u32>().ok());
        width.is_some_and(|width| width < 400)
    };
    until("the window", || windows(DRAFT).last().is_some_and(|window| is_narrow(window) == sure));
    window(DRAFT)
}
