//! Opens a file or folder of ours with the program that the desktop has for it, and reaps that program.

use std::path::PathBuf;
use std::process::{Command, Stdio};

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
            return failed(format!("there is no {} yet: nothing has been put there", path.display()));
        }
        let status =
            Command::new(OPENER).arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        match status {
            Ok(status) if status.success() || cfg!(windows) => {}
            Ok(status) => failed(format!("{OPENER} could not show {} ({status}); read it there", path.display())),
            Err(error) => failed(format!("{OPENER} cannot be run ({error}); it is {}", path.display())),
        }
    };
    if let Err(error) = std::thread::Builder::new().name("reveal".to_owned()).stack_size(128 * 1024).spawn(work) {
        tracing::warn!(%error, "no thread to show a file");
    }
}
