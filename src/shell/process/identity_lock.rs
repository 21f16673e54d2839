//! The lock file that a gateway leaves behind when it is stopped in the first moments of its start, before it listens to
//! signals: no later one gets past it, each fails after 3 s and says that the file is to be removed.
//!
//! Its holder is named in it, so it is removed when that process is gone, or is another program by now. Nobody can take the
//! lock while the file is there, so what is removed is nobody's. Seen on palyrad 0.1.0. Linux only; elsewhere nothing is done.

use std::path::Path;

/// In the identity store.
#[cfg(target_os = "linux")]
const LOCK: &str = ".identity-state.lock";

/// Removes the lock of a dead holder; the holder's pid.
pub fn free_identity_lock(identity: &Path) -> Option<u32> {
    #[cfg(target_os = "linux")]
    return linux(&identity.join(LOCK));
    #[cfg(not(target_os = "linux"))]
    {
        let _ = identity;
        None
    }
}

#[cfg(target_os = "linux")]
fn linux(lock: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(lock).ok()?;
    let holder: u32 = text.split_whitespace().find_map(|word| word.strip_prefix("pid="))?.parse().ok()?;
    let is_palyra = match std::fs::read_link(format!("/proc/{holder}/exe")) {
        Ok(executable) => executable.file_name().is_some_and(|name| name.to_string_lossy().starts_with("palyra")),
        // of another user, perhaps: it lives
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    };
    if is_palyra || std::fs::remove_file(lock).is_err() {
        return None;
    }
    Some(holder)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_lock_of_a_dead_holder_goes() {
        let dir = tempfile::tempdir().unwrap();
        let lock = dir.path().join(LOCK);
        assert_eq!(free_identity_lock(dir.path()), None);
        // a test of ours is called palyra_tray-…
        std::fs::write(&lock, format!("pid={} ts_ms=1", std::process::id())).unwrap();
        assert_eq!(free_identity_lock(dir.path()), None);
        assert!(lock.exists());
        let mut other = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        for holder in [4_194_305, other.id()] {
            std::fs::write(&lock, format!("pid={holder} ts_ms=1")).unwrap();
            assert_eq!(free_identity_lock(dir.path()), Some(holder), "no such process, or no Palyra");
            assert!(!lock.exists());
        }
        other.kill().unwrap();
        other.wait().unwrap();
        std::fs::write(&lock, "garbage").unwrap();
        assert_eq!(free_identity_lock(dir.path()), None);
        assert!(lock.exists());
    }
}
