//! The agent's own log: a private file of bounded size, and standard error for a person who watches.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::core::redact::Redactor;

/// The file is started anew beyond this; the one before is kept as `.1`.
const LIMIT_BYTES: u64 = 1024 * 1024;

/// Sends log lines to the file, and to standard error when that is a terminal.
///
/// # Errors
/// The file cannot be opened.
pub fn start(path: &Path, verbose: bool) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        crate::shell::store::private_dir(folder)?;
    }
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > LIMIT_BYTES) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = Redacted { file: options.open(path)?, redactor: Redactor::new([]) };
    let ours = if verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
    // the bus library warns of its own connections being closed
    let what = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("palyra_tray", ours)
        .with_target("zbus", LevelFilter::ERROR);
    let to_file = tracing_subscriber::fmt::layer().with_ansi(false).with_target(false).with_writer(Mutex::new(file));
    let to_person = io::stderr().is_terminal().then(|| {
        tracing_subscriber::fmt::layer().with_ansi(false).with_target(false).without_time().with_writer(io::stderr)
    });
    tracing_subscriber::registry().with(what).with(to_file).with(to_person).try_init().map_err(io::Error::other)
}

/// Nothing secret reaches the file, whatever a library logs.
struct Redacted {
    file: File,
    redactor: Redactor,
}

impl Write for Redacted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.file.write_all(self.redactor.redact(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
