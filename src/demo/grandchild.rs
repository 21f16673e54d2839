//! The child that survives polite requests: what an agent's own tool may leave behind.

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use serde_json::json;

use super::process;

/// Word after `demo-sidecar`.
pub const ROLE: &str = "grandchild";

/// Starts one. It keeps the sidecar's standard output open, which is part of the fault.
pub fn spawn(target: &str, seconds: u64) {
    let started = std::env::current_exe().and_then(|program| {
        Command::new(program).args(["demo-sidecar", ROLE, &seconds.to_string()]).stdin(Stdio::null()).spawn()
    });
    match started {
        Ok(child) => process::log(target, "demo grandchild started", json!({ "pid": child.id() })),
        Err(error) => process::log(target, "demo grandchild failed", json!({ "error": error.to_string() })),
    }
}

/// Lives for the given seconds in a session of its own, deaf to everything but SIGKILL.
pub fn run(args: &[String]) -> ExitCode {
    let Some(seconds) = args.first().and_then(|word| word.parse().ok()) else {
        return process::refuse(2, "grandchild needs its lifetime in seconds");
    };
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, Signal};
        let mut deaf = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            deaf.add(signal);
        }
        if let Err(error) = deaf.thread_block().and_then(|()| nix::unistd::setsid().map(drop)) {
            return process::refuse(1, &format!("the demo grandchild cannot leave its session: {error}"));
        }
    }
    std::thread::sleep(Duration::from_secs(seconds));
    ExitCode::SUCCESS
}
