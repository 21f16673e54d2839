//! What outlived a killed shim: found by the run id in its environment, ended by process descriptor.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::protocol::shim::{ProcessRef, RUN_ID_VARIABLE, RunId};
use crate::shell::shim::{ProcessHandle, tree};

const TERMINATE_GRACE: Duration = Duration::from_secs(2);
const KILL_GRACE: Duration = Duration::from_secs(1);
/// Survivors can start others while they are being ended.
const ROUNDS: u32 = 4;

/// Living processes of this user that carry the run id, except ourselves.
pub fn find(run_id: &RunId) -> Vec<ProcessHandle> {
    let wanted = format!("{RUN_ID_VARIABLE}={run_id}");
    let found = tree::processes().into_iter().filter(|pid| *pid != std::process::id());
    found
        .filter(|pid| is_own(*pid) && carries(*pid, wanted.as_bytes()))
        .filter_map(|pid| {
            let handle = ProcessHandle::open(pid).ok()?;
            // Looked at again: between the look and the descriptor the number may have changed hands.
            carries(pid, wanted.as_bytes()).then_some(handle)
        })
        .collect()
}

/// Ends them, and says who they were. `sidecar`: its shim's death kills it, but a process that is already dying has no
/// environment to be found by and still holds its ports and files.
pub fn end(run_id: &RunId, sidecar: Option<ProcessRef>) -> Vec<u32> {
    let dying = sidecar.and_then(|sidecar| {
        let handle = ProcessHandle::open(sidecar.pid).ok()?;
        (tree::start_ticks(sidecar.pid) == Some(sidecar.start_ticks)).then_some(handle)
    });
    let mut ended = Vec::new();
    for round in 0..ROUNDS {
        let found = find(run_id);
        if found.is_empty() {
            break;
        }
        ended.extend(found.iter().map(ProcessHandle::pid));
        if round == 0 {
            signal(&found, Signal::SIGTERM);
            wait_for(&found, TERMINATE_GRACE);
        }
        signal(&found, Signal::SIGKILL);
        wait_for(&found, KILL_GRACE);
    }
    if let Some(dying) = dying {
        signal(std::slice::from_ref(&dying), Signal::SIGKILL);
        wait_for(&[dying], KILL_GRACE);
    }
    ended.sort_unstable();
    ended.dedup();
    ended
}

/// Whether the environment of a process holds this variable. A process that has ended has none.
pub fn carries(pid: u32, variable: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == variable))
}

/// Whether a process runs as this user.
pub fn is_own(pid: u32) -> bool {
    fs::metadata(format!("/proc/{pid}")).is_ok_and(|entry| entry.uid() == nix::unistd::geteuid().as_raw())
}

fn signal(processes: &[ProcessHandle], signal: Signal) {
    for process in processes {
        // It may have ended meanwhile, which is what is wanted.
        let _ = process.signal(signal);
    }
}

fn wait_for(processes: &[ProcessHandle], longest: Duration) {
    let deadline = Instant::now() + longest;
    for process in processes {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            match poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], timeout) {
                Err(nix::errno::Errno::EINTR) => {}
                _ => break,
            }
        }
    }
}
