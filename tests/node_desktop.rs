//! Enrolling from the tray, with real dialogs on a real desktop. Each test starts itself anew inside `scripts/desktop`.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/desktop.rs"]
mod desk;
#[path = "support/http.rs"]
mod http;

use std::fs;
use std::process::Command;

use agent::Site;
use desk::{on_desktop, tool, until, windows};

/// The dialog is there and takes keys.
#[track_caller]
fn shown(name: &str) {
    until(name, || {
        let output = Command::new("xdotool").args(["getwindowfocus", "getwindowname"]).output().expect("xdotool");
        windows("^Palyra$").len() == 1 && String::from_utf8_lossy(&output.stdout).trim() == "Palyra"
    });
    std::thread::sleep(std::time::Duration::from_millis(400)); // a toolkit ignores the keys that come with its window
    desk::picture(name);
}

fn gateway(site: &Site) -> serde_json::Value {
    site.status().expect("status")["gateway_process"]["pid"].clone()
}

#[test]
fn from_the_menu_through_the_question_to_a_node() {
    if !on_desktop("from_the_menu_through_the_question_to_a_node", &[]) {
        return;
    }
    let mut site = Site::new();
    let demo = env!("CARGO_BIN_EXE_palyra-tray");
    let palyra = site.script("palyra", &format!("exec '{demo}' demo-sidecar node-host \"$@\""));
    site.env("PALYRA_DESKTOP_PALYRA_BIN", palyra.to_str().expect("path"));
    fs::create_dir_all(site.own("")).expect("folder");
    fs::write(site.own("settings.toml"), "[node]\nenrolment = true\n").expect("settings");
    desk::start(&mut site);
    let before = gateway(&site);

    // Enter, which nobody aimed at anything, opens no window
    tool(&["tray-click", "Node host: not enrolled > Enrol…"]);
    shown("node-question");
    tool(&["xdotool", "key", "Return"]);
    until("the question gone", || windows("^Palyra$").is_empty());
    assert_eq!(gateway(&site), before);

    tool(&["tray-click", "Node host: not enrolled > Enrol…"]);
    shown("node-question");
    tool(&["xdotool", "key", "Tab", "Return"]);
    site.until("enrolled", |status| status["quick_facts"]["node_host"]["ready"] == true);
    shown("node-done");
    assert_ne!(gateway(&site), before);
    let buttons = desk::buttons();
    assert!(!buttons.contains("Deny") && !buttons.contains("It was me"), "our own approval asks nobody: {buttons}");
    tool(&["xdotool", "key", "Return"]);
    until("the answer gone", || windows("^Palyra$").is_empty());

    tool(&["tray-click", "Node host: ready > Reset…"]);
    shown("node-reset");
    tool(&["xdotool", "key", "Tab", "Return"]);
    site.until("forgotten", |status| status["quick_facts"]["node_host"]["installed"] == false);
}
