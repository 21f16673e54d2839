//! Whether a process descends from one of ours: an agent's own shell may not decide for the person.

/// Longest chain of parents that is followed.
#[cfg(target_os = "linux")]
const DEPTH: usize = 64;

/// Whether `pid` is, may be, or descends from, one of `ancestors`. A shim is the subreaper of its sidecar's tree, so what
/// left its own parent still descends from the shim. A process that is gone already, or whose parents are too many to
/// follow, may be anybody: true. Always false where the system does not tell.
#[cfg(target_os = "linux")]
pub fn descends_from(pid: u32, ancestors: &[u32]) -> bool {
    let mut current = pid;
    for _ in 0..DEPTH {
        if ancestors.contains(&current) {
            return true;
        }
        match parent(current) {
            Some(parent) if parent > 1 => current = parent,
            Some(_) => return false,
            None => return true,
        }
    }
    true
}

/// Always false: the system does not tell.
#[cfg(not(target_os = "linux"))]
pub fn descends_from(_pid: u32, _ancestors: &[u32]) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name in parentheses may hold anything; the parent is the second field behind it
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_child_descends_from_us_and_we_not_from_it() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let me = std::process::id();
        let outcome = (descends_from(child.id(), &[me]), descends_from(me, &[child.id()]), descends_from(me, &[]));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(outcome, (true, false, false));
        assert!(descends_from(child.id(), &[me]), "it asked and ended: it may have been one of ours");
    }
}
