//! Do Not Disturb of dunst and xfce4-notifyd, and reviews that are over while they are open.

use std::process::Command;

use serde_json::{Value, json};

use super::agent::Site;
use super::desk::{decision, on_desktop, picture, start, tool, until, windows};

/// Verdict and evidence of doctor about notifications.
fn doctor(site: &Site) -> (String, String) {
    let output = site.command(&["doctor", "--json"]).output().expect("doctor");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let check = report["checks"].as_array().expect("checks").iter().find(|check| check["id"] == "notifications");
    let check = check.expect("the check");
    let of = |key: &str| check[key].as_str().expect("text").to_owned();
    (of("verdict"), of("evidence"))
}

fn ask(site: &Site, risk: &str) -> String {
    site.approval(&json!({ "kind": "tool", "risk_level": risk, "name": "shell.exec", "input": { "command": "ls" } }))
}

fn waits(site: &Site, count: u64) {
    site.until("it waits, and its count is shown", |status| status["approvals"]["pending"] == count);
}

#[test]
fn a_paused_dunst_shows_nothing_not_even_a_critical_approval() {
    if !on_desktop("quiet::a_paused_dunst_shows_nothing_not_even_a_critical_approval", &[("NOTIFIER", "dunst")]) {
        return;
    }
    let mut site = Site::new();
    start(&mut site);
    assert_eq!(doctor(&site).0, "ok");
    tool(&["dunstctl", "set-paused", "true"]);
    let (verdict, evidence) = doctor(&site);
    assert!(verdict == "warning" && evidence.contains("Do Not Disturb is on"), "{verdict}: {evidence}");
    ask(&site, "high");
    ask(&site, "critical");
    waits(&site, 2);
    until("both kept back", || tool(&["dunstctl", "count", "waiting"]).trim() == "2");
    assert_eq!(tool(&["dunstctl", "count", "displayed"]).trim(), "0");
    tool(&["dunstctl", "set-paused", "false"]);
    until("both shown", || tool(&["dunstctl", "count", "displayed"]).trim() == "2");
}

#[test]
fn in_xfces_do_not_disturb_only_a_critical_approval_is_shown() {
    let test = "quiet::in_xfces_do_not_disturb_only_a_critical_approval_is_shown";
    if !on_desktop(test, &[("NOTIFIER", "xfce4-notifyd")]) {
        return;
    }
    let mut site = Site::new();
    start(&mut site);
    assert_eq!(doctor(&site).0, "ok");
    let option = ["-c", "xfce4-notifyd", "-p", "/do-not-disturb", "-n", "-t", "bool", "-s", "true"];
    tool(&[&["xfconf-query"], &option[..]].concat());
    until("told by doctor", || doctor(&site) == ("warning".to_owned(), doctor(&site).1));
    assert!(doctor(&site).1.contains("Do Not Disturb is on"));
    let shown = || {
        let search = ["search", "--onlyvisible", "--class", "xfce4-notifyd"];
        let output = Command::new("xdotool").args(search).output().expect("xdotool");
        String::from_utf8_lossy(&output.stdout).lines().count()
    };
    ask(&site, "high");
    waits(&site, 1);
    std::thread::sleep(std::time::Duration::from_millis(800));
    assert_eq!(shown(), 0);
    ask(&site, "critical");
    waits(&site, 2);
    until("the critical one", || shown() == 1);
    picture("do-not-disturb-xfce");
}

/// Reviews of zenity and of kdialog.
#[test]
fn an_open_review_goes_when_its_approval_is_decided_elsewhere() {
    if !on_desktop("quiet::an_open_review_goes_when_its_approval_is_decided_elsewhere", &[]) {
        return;
    }
    let mut site = Site::new();
    start(&mut site);
    for program in ["zenity", "kdialog"] {
        let id = ask(&site, "high");
        waits(&site, 1);
        let mut command = site.command(&["approvals", "review", "--dialog", &id]);
        let mut review = command.env("PALYRA_TRAY_DIALOGS", program).spawn().expect("a review");
        until("the review", || !windows("may this be done").is_empty());
        site.fault(&format!("decide_elsewhere=deny:{id}"));
        until("its end, and why", || windows("may this be done").is_empty() && !windows("^Palyra").is_empty());
        picture(&format!("review-over-{program}"));
        assert_eq!(decision(&site, &id), "deny");
        for _ in 0..200 {
            if review.try_wait().expect("a child").is_some() {
                break;
            }
            // a toolkit ignores the keys that come with its window
            tool(&["xdotool", "key", "Return"]);
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        assert!(review.try_wait().expect("a child").is_some_and(|status| status.success()), "{program}");
    }
}
