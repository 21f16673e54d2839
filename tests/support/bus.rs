//! A message bus for one test.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts one with this configuration, which is put into the folder; gives it with its address once it answers. Whoever
/// starts it ends it.
pub fn spawn(folder: &Path, config: &str) -> (Child, String) {
    let file = folder.join("bus.conf");
    fs::write(&file, config).expect("the bus configuration");
    let mut bus = Command::new("dbus-daemon")
        .arg(format!("--config-file={}", file.display()))
        .args(["--nofork", "--print-address"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("dbus-daemon is needed for these tests (Debian package dbus-daemon)");
    let mut address = String::new();
    BufReader::new(bus.stdout.take().expect("its output")).read_line(&mut address).expect("its address");
    assert!(address.starts_with("unix:"), "dbus-daemon did not start: {address:?}");
    (bus, address.trim().to_owned())
}

/// One like a person's session has: everybody may say and own everything. It listens in the folder.
pub fn session(folder: &Path) -> (Child, String) {
    let config = format!(
        "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
         <policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>",
        folder.join("bus").display()
    );
    spawn(folder, &config)
}
