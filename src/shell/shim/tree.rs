//! Processes as the kernel tells of them: who descends from whom, when one started, which boot this is.
//!
//! Only Linux tells all of it. Elsewhere there are no descendants to see and no boot id.

#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::path::Path;

/// All descendants of a process, nearest first; ended ones that nobody has waited for are among them.
#[cfg(target_os = "linux")]
pub fn descendants(root: u32) -> Vec<u32> {
    let mut found = children(root);
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        next += 1;
        for child in children(pid) {
            if child != root && !found.contains(&child) {
                found.push(child);
            }
        }
    }
    found
}

/// Not told by this system.
#[cfg(not(target_os = "linux"))]
pub fn descendants(_root: u32) -> Vec<u32> {
    Vec::new()
}

/// Start of a process in clock ticks since boot; `None` when there is no such process.
#[cfg(target_os = "linux")]
pub fn start_ticks(pid: u32) -> Option<u64> {
    // The name in parentheses may hold anything; field 3 is the first behind it.
    stat_field(pid, 22 - 3)?.parse().ok()
}

/// Start of a process in microseconds since 1970; `None` when there is no such process.
#[cfg(target_os = "macos")]
pub fn start_ticks(pid: u32) -> Option<u64> {
    super::platform::start_of(pid)
}

/// Not told by this system.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub fn start_ticks(_pid: u32) -> Option<u64> {
    Some(0)
}

/// How long ago something started, milliseconds, by the clock that [`start_ticks`] counts on; no wall clock that is set
/// changes it. `None` where the system does not tell.
pub fn age_ms(start_ticks: u64) -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        // the kernel tells programs of hundredths of a second, whatever it counts in itself
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let (seconds, hundredths) = uptime.split_whitespace().next()?.split_once('.')?;
        let now = seconds.parse::<u64>().ok()? * 100 + hundredths.parse::<u64>().ok()?;
        Some(now.saturating_sub(start_ticks) * 10)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = start_ticks;
        None
    }
}

/// Names this boot; empty where the system has no such name.
pub fn boot_id() -> String {
    #[cfg(target_os = "linux")]
    return fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned();
    #[cfg(not(target_os = "linux"))]
    String::new()
}

/// Every process number there is.
#[cfg(target_os = "linux")]
pub fn processes() -> Vec<u32> {
    numbers(Path::new("/proc"))
}

#[cfg(target_os = "linux")]
fn children(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let tasks = format!("/proc/{pid}/task");
    for thread in numbers(Path::new(&tasks)) {
        match fs::read_to_string(format!("{tasks}/{thread}/children")) {
            Ok(list) => found.extend(list.split_ascii_whitespace().filter_map(|number| number.parse::<u32>().ok())),
            // A thread that has just ended, or a kernel without these files.
            Err(_) if Path::new(&tasks).join(thread.to_string()).exists() => return children_by_parent(pid),
            Err(_) => {}
        }
    }
    found
}

#[cfg(target_os = "linux")]
fn children_by_parent(pid: u32) -> Vec<u32> {
    let parent = pid.to_string();
    processes().into_iter().filter(|other| stat_field(*other, 1).is_some_and(|field| field == parent)).collect()
}

/// A field of `/proc/PID/stat`, counted from the state (field 3), which is 0.
#[cfg(target_os = "linux")]
fn stat_field(pid: u32, index: usize) -> Option<String> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let behind = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let fields = std::str::from_utf8(&stat[behind..]).ok()?;
    fields.split_ascii_whitespace().nth(index).map(str::to_owned)
}

#[cfg(target_os = "linux")]
fn numbers(path: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn children_and_theirs_are_found_by_either_way() {
        let mut child = Command::new("/bin/sh")
            .args(["-c", "sleep 30 & echo $!; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().expect("piped")), &mut line)
            .expect("the number of the sleep");
        let sleep: u32 = line.trim().parse().expect("a number");
        let all = descendants(std::process::id());
        assert!(all.contains(&child.id()) && all.contains(&sleep), "{all:?}");
        assert_eq!(descendants(child.id()), [sleep]);
        assert_eq!(children_by_parent(child.id()), [sleep]);
        assert!(start_ticks(sleep) >= start_ticks(child.id()));
        let age = start_ticks(sleep).and_then(age_ms).expect("an age");
        assert!(age < 60_000, "{age}");
        std::thread::sleep(std::time::Duration::from_millis(100));
        let older = start_ticks(sleep).and_then(age_ms).expect("an age");
        assert!((90..60_000).contains(&(older - age)), "{age} {older}");
        child.kill().expect("killed");
        child.wait().expect("reaped");
        assert_eq!(start_ticks(child.id()), None);
        assert!(!boot_id().is_empty());
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(sleep as i32), nix::sys::signal::SIGKILL).expect("killed");
    }
}
