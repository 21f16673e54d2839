//! The same program under an older version, as far as it can be told from outside, and upgrades between the two.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

use super::agent::Site;

/// Of the older one.
pub const VERSION: &str = "0.0.9";

fn base(site: &Site) -> PathBuf {
    site.bin().parent().expect("a folder").to_owned()
}

/// From here on the site's program is a copy of its own, of the older version.
pub fn install(site: &mut Site) {
    let base = base(site);
    let newer = base.join("newer");
    fs::copy(env!("CARGO_BIN_EXE_palyra-tray"), &newer).expect("copied");
    let mut bytes = fs::read(&newer).expect("read");
    let ours = env!("CARGO_PKG_VERSION").as_bytes();
    assert_eq!(ours.len(), VERSION.len(), "an older version of the same length");
    let places: Vec<usize> =
        bytes.windows(ours.len()).enumerate().filter(|(_, window)| *window == ours).map(|(at, _)| at).collect();
    for at in places {
        bytes[at..at + ours.len()].copy_from_slice(VERSION.as_bytes());
    }
    let older = base.join("older");
    fs::write(&older, bytes).expect("written");
    fs::set_permissions(&older, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("mode");
    let said = std::process::Command::new(&older).arg("--version").output().expect("it runs");
    assert!(String::from_utf8_lossy(&said.stdout).contains(VERSION), "it was not made older: {said:?}");
    site.program = base.join("palyra-tray");
    downgrade(site);
}

/// Puts the newer one in its place, as a package does.
pub fn upgrade(site: &Site) {
    replace(&base(site), "newer", &site.program);
}

/// Puts the older one in its place.
pub fn downgrade(site: &Site) {
    replace(&base(site), "older", &site.program);
}

fn replace(base: &Path, version: &str, program: &Path) {
    let fresh = base.join("palyra-tray.new");
    // a link to what is there already is not moved over it
    let _ = fs::remove_file(&fresh);
    fs::hard_link(base.join(version), &fresh).expect("linked");
    fs::rename(&fresh, program).expect("in place");
}
