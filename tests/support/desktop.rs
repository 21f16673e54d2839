//! A desktop without a screen, and its tools, as `scripts/desktop` brings them.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::agent::Site;

/// The checkout.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What `scripts/desktop` can be told.
const CHOICES: [&str; 6] = ["DESKTOP", "PANEL", "NOTIFIER", "KEYRING", "THEME", "SCALE"];

/// Inside the desktop: true. Outside: runs the named test there, with these choices, and is false.
#[track_caller]
pub fn on_desktop(test: &str, choices: &[(&str, &str)]) -> bool {
    if std::env::var_os("DESKTOP_DIR").is_some() {
        return true;
    }
    // what is not for the desktop is for the test, also where the desktop sets it itself
    let own = choices.iter().filter(|(name, _)| !CHOICES.contains(name));
    let output = Command::new(Path::new(ROOT).join("scripts/desktop"))
        .arg("env")
        .args(own.map(|(name, value)| format!("{name}={value}")))
        .arg(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .envs(choices.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("scripts/desktop");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{} {choices:?}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

/// An agent with tray and notifications, and all of it healthy.
pub fn start(site: &mut Site) -> Value {
    site.start_as(&["run"]);
    site.healthy()
}

/// A tool of the harness that must succeed; what it prints.
#[track_caller]
pub fn tool(args: &[&str]) -> String {
    let output = Command::new(args[0]).args(&args[1..]).output().unwrap_or_else(|error| panic!("{}: {error}", args[0]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() && args[0] != "screenshot" {
        picture(&format!("failed-{}", args[0]));
    }
    assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The whole screen, kept in `artifacts/`, or in the folder that PICTURES names.
pub fn picture(name: &str) {
    let folder = std::env::var_os("PICTURES").map_or_else(|| Path::new(ROOT).join("artifacts"), PathBuf::from);
    let path = folder.join(format!("{name}.png"));
    tool(&["screenshot", path.to_str().expect("UTF-8")]);
}

/// Looks again until it holds. A picture shows what was there instead.
#[track_caller]
pub fn until(what: &str, mut wanted: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !wanted() {
        if Instant::now() >= end {
            picture(&format!("never {what}").replace(' ', "-"));
            panic!("never {what}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Ids of the windows with this in their title, the newest last.
pub fn windows(title: &str) -> Vec<String> {
    let output = Command::new("xdotool").args(["search", "--onlyvisible", "--name", title]).output().expect("xdotool");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Clicks into a window, at parts of its width and height.
pub fn click_at(window: &str, x: f64, y: f64) {
    let geometry = tool(&["xdotool", "getwindowgeometry", "--shell", window]);
    let number = |name: &str| {
        let line = geometry.lines().find_map(|line| line.strip_prefix(name)).expect("geometry");
        line.parse::<f64>().expect("a number")
    };
    let (x, y) = (number("WIDTH=") * x, number("HEIGHT=") * y);
    tool(&["xdotool", "mousemove", "--window", window, &format!("{x:.0}"), &format!("{y:.0}"), "click", "1"]);
}

/// One line a button that is on the screen: title, tab, label.
pub fn buttons() -> String {
    tool(&["notification-action", "--list"])
}

/// How an approval was decided; null while it was not.
pub fn decision(site: &Site, id: &str) -> Value {
    let all: Value = serde_json::from_str(&site.ok(&["approvals", "list", "--all", "--json"])).expect("JSON");
    let rows = all["approvals"].as_array().expect("rows");
    rows.iter().find(|row| row["approval_id"] == id).expect("the record")["decision"].clone()
}
