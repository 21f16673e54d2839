//! Kills for want of memory, as the kernel counts them: beside a SIGKILL that nobody of us sent, a count that has risen makes
//! want of memory the probable reason. Nobody tells an unprivileged program more.
//!
//! Limits: Linux only. The count is of the whole group of processes that the shim is in, or of the whole machine where
//! groups do not count; a program that ends others before the kernel has to (earlyoom, systemd-oomd) is not counted.

use std::path::PathBuf;

/// Where this kernel counts for us, and what it had counted.
#[derive(Clone, Debug)]
pub struct Kills {
    file: PathBuf,
    before: u64,
}

impl Kills {
    /// As counted now; absent where nothing is counted.
    pub fn now() -> Option<Self> {
        let files = group_files().into_iter().chain(cfg!(target_os = "linux").then(|| PathBuf::from("/proc/vmstat")));
        files.into_iter().find_map(|file| Some(Self { before: count(&file)?, file }))
    }

    /// How many more there are by now.
    pub fn since(&self) -> u64 {
        count(&self.file).unwrap_or(self.before).saturating_sub(self.before)
    }
}

/// Where the control group of this process is counted: in the unified hierarchy, or in the older one of memory.
fn group_files() -> Vec<PathBuf> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        if let (Some(number), Some(kind), Some(group)) = (parts.next(), parts.next(), parts.next()) {
            if kind.split(',').any(|kind| kind == "memory") {
                files.push(format!("/sys/fs/cgroup/memory{group}/memory.oom_control").into());
            } else if number == "0" {
                files.push(format!("/sys/fs/cgroup{group}/memory.events").into());
            }
        }
    }
    files
}

fn count(file: &std::path::Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_among_its_like() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("memory.events");
        std::fs::write(&file, "low 0\nhigh 7\nmax 5\noom 3\noom_kill 2\noom_group_kill 9\n").unwrap();
        let kills = Kills { before: count(&file).unwrap(), file: file.clone() };
        assert_eq!((kills.before, kills.since()), (2, 0));
        std::fs::write(&file, "oom 4\noom_kill 4\noom_group_kill 9\n").unwrap();
        assert_eq!(kills.since(), 2);
        std::fs::write(&file, "oom 4\n").unwrap();
        assert_eq!(kills.since(), 0, "what is not told is no kill");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_kernel_counts() {
        assert!(Kills::now().is_some());
    }
}
