//! A short-lived program of ours beside the agent: the set-up, the checks, a review. It has its own windows and its own end.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::core::event::Trouble;
use crate::words;

/// What is kept of its last words, bytes.
const MAX_WORDS_BYTES: u64 = 1024;

/// Opens it in a thread of its own and reaps it; `ended` hears of its end, and whether it could be started and did its work.
/// `state_root`: the one of this agent, also where the environment names another.
pub fn open(
    executable: &Path,
    state_root: &Path,
    arguments: &[&str],
    ended: impl FnOnce(Result<(), Trouble>) + Send + 'static,
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
            Err(error) => return ended(Err(Trouble::NotOpened(words::companion::it_cannot_be_started(&error)))),
        };
        let mut words = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = stderr.by_ref().take(MAX_WORDS_BYTES).read_to_string(&mut words);
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        }
        ended(match child.wait() {
            Ok(status) if status.success() => Ok(()),
            // what it says itself is why it did not go on; one that was killed says nothing
            Ok(status) => Err(match words.lines().last().filter(|_| status.code().is_some()) {
                Some(line) => Trouble::NotOpened(line.trim_start_matches("palyra-tray: ").to_owned()),
                None => Trouble::EndedEarly(words::companion::something_ended(status)),
            }),
            Err(error) => Err(Trouble::EndedEarly(words::companion::its_end_cannot_be_read(&error))),
        });
    };
    if let Err(error) = std::thread::Builder::new().name("companion".to_owned()).stack_size(128 * 1024).spawn(work) {
        tracing::warn!(%error, "no thread for a window");
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn told(script: &str) -> Option<Trouble> {
        let (tell, told) = std::sync::mpsc::channel();
        open(Path::new("/bin/sh"), Path::new("/nowhere"), &["-c", script], move |trouble| drop(tell.send(trouble)));
        // the sender goes with the thread
        told.recv().ok()?.err()
    }

    #[test]
    fn one_that_says_why_did_not_open_and_one_that_is_killed_ended_early() {
        assert_eq!(told("exit 0"), None);
        let said = told("echo starting >&2; echo 'palyra-tray: no dialogs' >&2; exit 1");
        assert_eq!(said, Some(Trouble::NotOpened("no dialogs".to_owned())));
        for killed in ["kill -9 $$", "echo a warning >&2; kill -9 $$"] {
            assert!(matches!(told(killed), Some(Trouble::EndedEarly(why)) if why.contains("signal: 9")), "{killed}");
        }
        assert!(matches!(told("exit 3"), Some(Trouble::EndedEarly(_))));
    }
}
