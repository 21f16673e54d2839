//! Opens a file or folder of ours with the program that the desktop has for it, and reaps that program.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::words;

/// The desktop's own opener.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else if cfg!(windows) {
    "explorer"
} else {
    "xdg-open"
};

/// Opens it in a thread of its own; `failed` is told in one sentence when that does not work.
pub fn reveal(path: PathBuf, failed: impl FnOnce(String) + Send + 'static) {
    let work = move || {
        if !path.exists() {
            return failed(words::desktop::there_is_no_yet(path.display()));
        }
        let status =
            Command::new(OPENER).arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        match status {
            Ok(status) if status.success() || cfg!(windows) => {}
            Ok(status) => failed(words::desktop::could_not_show(OPENER, path.display(), status)),
            Err(error) => failed(words::desktop::cannot_be_run(OPENER, &error, path.display())),
        }
    };
    if let Err(error) = std::thread::Builder::new().name("reveal".to_owned()).stack_size(128 * 1024).spawn(work) {
        tracing::warn!(%error, "no thread to show a file");
    }
}
