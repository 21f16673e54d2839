//! The agent's own log: a private file of bounded size, and standard error for a person who watches.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

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
    let file = LogFile::open(path)?;
    let ours = if verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
    // the bus library warns of its own connections being closed
    let what = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("palyra_tray", ours)
        .with_target("zbus", LevelFilter::ERROR);
    let to_file =
        tracing_subscriber::fmt::layer().with_ansi(false).with_target(false).with_writer(Mutex::new(Redacted(file)));
    let to_person = io::stderr().is_terminal().then(|| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_target(false)
            .without_time()
            .with_writer(|| Redacted(io::stderr()))
    });
    tracing_subscriber::registry().with(what).with(to_file).with(to_person).try_init().map_err(io::Error::other)
}

/// What looks like a secret, and what is known as one.
static KNOWN: LazyLock<RwLock<Arc<Redactor>>> = LazyLock::new(RwLock::default);

/// From now on these are kept out of the log, too.
pub fn hide(known: Arc<Redactor>) {
    *KNOWN.write().unwrap_or_else(PoisonError::into_inner) = known;
}

/// Nothing secret gets through, whatever a library logs.
struct Redacted<W>(W);

impl<W: Write> Write for Redacted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.0.write_all(known.redact(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A file that is put aside as `.1` when it has grown to [`LIMIT_BYTES`].
struct LogFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, length })
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.length >= LIMIT_BYTES {
            fs::rename(&self.path, self.path.with_extension("log.1"))?;
            *self = Self::open(&self.path)?;
        }
        let written = self.file.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_any_age_is_bounded_and_holds_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tray.log");
        let mut log = Redacted(LogFile::open(&path).unwrap());
        let line = format!("{} token=sk-live-0123456789abcdef\n", "x".repeat(1_000));
        for _ in 0..3_000 {
            log.write_all(line.as_bytes()).unwrap();
        }
        let length = |name: &str| fs::metadata(dir.path().join(name)).unwrap().len();
        assert!(length("tray.log") + length("tray.log.1") < 2 * LIMIT_BYTES + 4_096);
        assert!(!fs::read_to_string(&path).unwrap().contains("sk-live"));
    }
}
