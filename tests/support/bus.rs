//! A message bus for one test.

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
