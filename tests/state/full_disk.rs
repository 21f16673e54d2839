//! The disk is full for whatever is asked for: each command says so, nothing that was there is lost, and all of it works
//! once there is room.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::json;

use super::limited;
use crate::agent::{Site, files};

/// From now on nothing that this process writes has room, or has it again.
fn room(pid: u32, there_is: bool) {
    let limit = if there_is { "--fsize=unlimited:unlimited" } else { "--fsize=0:unlimited" };
    assert!(Command::new("prlimit").args(["--pid", &pid.to_string(), limit]).status().unwrap().success());
}

/// A command that has no room either.
fn cli(site: &Site, args: &[&str]) -> Output {
    limited(site, 0, args).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap()
}

/// Everything that must not change by a write that fails. Logs, and what is kept of a run, may.
fn kept(site: &Site) -> BTreeMap<String, Vec<u8>> {
    let paths =
        files(&site.own("")).into_iter().filter_map(|path| Some((path.display().to_string(), fs::read(path).ok()?)));
    paths.filter(|(path, _)| !path.contains("/logs/") && !path.contains("/run/")).collect()
}

#[test]
fn every_write_that_finds_no_room_is_said_and_loses_nothing() {
    let mut site = Site::new();
    let home = tempfile::tempdir().unwrap();
    site.env("HOME", home.path().to_str().unwrap());
    site.env("XDG_CONFIG_HOME", "");
    let mut agent = limited(&site, u64::MAX, &["run", "--no-tray"]).spawn().unwrap();
    site.healthy();
    site.ok(&["config", "set", "tray.panel", "dark"]);
    let id = site.approval(&json!({}));
    site.until("it waits", |status| status["approvals"]["pending"] == 1 && status["companion"]["profile"].is_string());
    let before = kept(&site);
    assert!(before.keys().any(|path| path.ends_with("/state.json")), "{:?}", before.keys());

    room(agent.id(), false);
    // what takes power away is done all the same, and what of it is not kept is said
    assert!(cli(&site, &["approvals", "deny", &id]).status.success());
    for (args, told) in [
        (&["config", "set", "tray.panel", "light"][..], "nothing was changed"),
        (&["config", "set", "services.browser", "off"], "nothing was changed"),
        (&["send", "a long thought"], "kept as a draft"),
        (&["secrets", "rotate", "admin-token"], "Nothing was changed"),
        (&["support-bundle"], "nothing was left there"),
        (&["autostart", "on"], "login entry cannot be written"),
        (&["restart"], "free some space"),
    ] {
        let output = cli(&site, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains(told) && said.contains("ile too large"), "{args:?}: {said}");
        assert!(!said.contains(".palyra-tray-"), "a temporary file is named: {said}");
    }
    assert!(cli(&site, &["pause"]).status.success());
    let warnings = super::warnings(&site.status().unwrap());
    assert!(warnings.contains("the pause holds only until Palyra Tray ends"), "{warnings}");
    assert!(cli(&site, &["drafts", "list"]).status.success());
    let after = kept(&site);
    for (path, bytes) in &before {
        assert!(after.get(path) == Some(bytes), "{path} changed");
    }
    let new: Vec<_> = after.iter().filter(|(path, _)| !before.contains_key(*path)).collect();
    assert!(new.iter().all(|(path, bytes)| bytes.is_empty() && !path.contains(".palyra-tray-")), "{new:?}");
    assert!(fs::read_dir(home.path().join(".config/autostart")).is_ok_and(|mut folder| folder.next().is_none()));

    room(agent.id(), true);
    site.ok(&["start"]);
    site.ok(&["resume"]);
    site.healthy();
    site.ok(&["config", "set", "tray.panel", "light"]);
    assert!(site.ok(&["drafts", "list"]).contains("a long thought"));
    site.ok(&["secrets", "rotate", "admin-token"]);
    site.healthy();
    site.ok(&["support-bundle"]);
    site.ok(&["pause"]);
    site.until("all is on the disk", |status| !super::warnings(status).contains("cannot be written"));
    site.ok(&["quit"]);
    agent.wait().unwrap();
    let state = fs::read_to_string(site.own("state.json")).unwrap();
    assert!(state.contains("a long thought"), "the draft outlives the agent");
    site.nothing_left();
}
