//! A short-lived program of ours beside the agent: the set-up, the checks, a review. It has its own windows and its own end.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is kept of its last words, bytes.
const MAX_WORDS_BYTES: u64 = 1024;

/// Opens it in a thread of its own and reaps it; `ended` hears of its end, in one sentence when it could not be started or
/// failed. `state_root`: the one of this agent, also where the environment names another.
pub fn open(
    executable: &Path,
    state_root: &Path,
    arguments: &[&str],
    ended: impl FnOnce(Result<(), String>) + Send + 'static,
) {
    let mut command = Command::new(executable);
    command.args(arguments).env("PALYRA_STATE_ROOT", state_root);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // Ctrl-C in the agent's terminal is not meant for it
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let work = move || {
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return ended(Err(format!("it cannot be started: {error}"))),
        };
        let mut words = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = stderr.by_ref().take(MAX_WORDS_BYTES).read_to_string(&mut words);
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        }
        ended(match child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                let said = words.lines().last().map(|line| line.trim_start_matches("palyra-tray: ").to_owned());
                Err(said.unwrap_or_else(|| format!("it ended early ({status})")))
            }
            Err(error) => Err(format!("its end cannot be read: {error}")),
        });
    };
    if let Err(error) = std::thread::Builder::new().name("companion".to_owned()).stack_size(128 * 1024).spawn(work) {
        tracing::warn!(%error, "no thread for a window");
    }
}
