//! `quit`: ends the agent and waits until it is gone.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::config::Paths;
use crate::protocol::{Action, Failure, FailureCode, Reply, Request};
use crate::shell::lock;
use crate::words;

/// The stop ladders of all sidecars fit in here.
const PATIENCE: Duration = Duration::from_secs(25);

const PAUSE: Duration = Duration::from_millis(20);

/// Ends it.
pub fn quit(paths: &Paths, keep_running: bool) -> Result<ExitCode, Failure> {
    let ending = lock::holder(paths);
    let reply = super::ask(paths, Request::Act { action: Action::Quit { keep_running } }, super::SHORT)?;
    wait_until_gone(paths, &ending)?;
    match reply {
        // a demo never leaves its sidecars
        Reply::Done(text) if text == words::agent::QUIT_KEEP => {
            super::print(words::commands::ENDED_PALYRA_KEEPS_RUNNING)
        }
        Reply::Done(text) if text != words::agent::QUIT_STOP => {
            return Err(Failure::new(FailureCode::Failed, words::commands::palyra_tray_has_ended(&text), ""));
        }
        _ => super::print(words::commands::ENDED_PALYRA_IS_STOPPED),
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns when the agent has ended as it should. `ending`: its process, where the system tells.
fn wait_until_gone(paths: &Paths, ending: &Result<Option<u32>, String>) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        // it takes away its address, then the kernel lets go of its lock
        let holder = lock::holder(paths);
        let gone = !paths.control_file().exists();
        let (Ok(Some(ending)), Ok(holder)) = (ending, holder) else {
            if gone {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
            continue;
        };
        match holder {
            None if gone => return Ok(()),
            None => {
                return Err(Failure::new(
                    FailureCode::Failed,
                    words::commands::AGENT_WAS_KILLED_BEFORE,
                    words::commands::START_IT_AGAIN,
                ));
            }
            Some(other) if other != *ending => {
                return Err(Failure::new(
                    FailureCode::Failed,
                    words::commands::AGENT_HAS_ENDED,
                    words::common::SEE_STATUS,
                ));
            }
            Some(_) => {}
        }
        std::thread::sleep(PAUSE);
    }
    Err(Failure::new(FailureCode::Failed, words::commands::AGENT_IS_STILL_ENDING, words::common::SEE_STATUS))
}
