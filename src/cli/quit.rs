//! `quit`: ends the agent and waits until it is gone.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::config::Paths;
use crate::core::text::QUIT_KEEP;
use crate::protocol::{Action, Failure, FailureCode, Reply, Request};

/// The stop ladders of all sidecars fit in here.
const PATIENCE: Duration = Duration::from_secs(25);

/// Ends it.
pub fn quit(paths: &Paths, keep_running: bool) -> Result<ExitCode, Failure> {
    let reply = super::ask(paths, Request::Act { action: Action::Quit { keep_running } }, super::SHORT)?;
    wait_until_gone(paths)?;
    // a demo never leaves its sidecars
    let kept = matches!(reply, Reply::Done(text) if text == QUIT_KEEP);
    super::print(if kept { "Ended. Palyra keeps running.\n" } else { "Ended. Palyra is stopped.\n" });
    Ok(ExitCode::SUCCESS)
}

/// Returns when no agent holds the state root's lock.
pub fn wait_until_gone(paths: &Paths) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if !paths.control_file().exists() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    Err(Failure::new(FailureCode::Failed, "the agent is still ending", "See: palyra-tray status"))
}
