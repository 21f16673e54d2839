//! The run directory: private, records replaced as a whole, one kernel lock.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::protocol::shim::{
    EXIT_FILE, ExitRecord, LOCK_FILE, LOSS_BYTES, LOSS_FILE, LogLoss, RUN_FILE, RunRecord, VERSION,
};
use crate::words;

/// Those who wait for a run's end hold the lock for an instant once they get it; that is no second shim.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(15);

/// Makes a directory, and those above it, for the owner alone.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Takes the lock of a run directory; `None` when another shim has it. Dropping the file lets it go.
pub fn claim(run_dir: &Path) -> io::Result<Option<File>> {
    make_private_dir(run_dir)?;
    #[cfg(unix)]
    fs::set_permissions(run_dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(run_dir.join(LOCK_FILE))?;
    for attempt in 1.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if attempt >= LOCK_TRIES => return Ok(None),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
        }
    }
    Ok(Some(file))
}

/// Replaces a record as a whole. With `durable` it is on the disk when this returns.
pub fn write<T: Serialize>(run_dir: &Path, name: &str, record: &T, durable: bool) -> io::Result<()> {
    let temporary = run_dir.join(format!(".{name}.new"));
    let mut text = serde_json::to_vec(record)?;
    text.push(b'\n');
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let put = || {
        let mut file = options.open(&temporary)?;
        file.write_all(&text)?;
        if durable {
            file.sync_all()?;
        }
        drop(file);
        fs::rename(&temporary, run_dir.join(name))
    };
    put().inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })?;
    #[cfg(unix)]
    if durable {
        File::open(run_dir)?.sync_all()?;
    }
    Ok(())
}

/// The record of lost log lines. It has its room on the disk from the beginning, so that it can be written when nothing
/// else can.
#[derive(Debug)]
pub struct LossRecord {
    file: File,
    told: LogLoss,
}

impl LossRecord {
    /// Takes its room: nothing is lost yet.
    pub fn create(run_dir: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(run_dir.join(LOSS_FILE))?;
        let mut record = Self { file, told: LogLoss { version: VERSION, dropped_lines: 0, why: String::new() } };
        record.put()?;
        Ok(record)
    }

    /// Writes how it stands, if that is news.
    pub fn tell(&mut self, dropped_lines: u64, why: impl FnOnce() -> Option<String>) {
        if dropped_lines == self.told.dropped_lines && self.told.why.is_empty() {
            return;
        }
        let now = LogLoss { version: VERSION, dropped_lines, why: why().unwrap_or_default() };
        if now != self.told {
            self.told = now;
            // Where even this fails, the log itself tells the loss later.
            let _ = self.put();
        }
    }

    fn put(&mut self) -> io::Result<()> {
        let mut text = serde_json::to_vec(&self.told)?;
        text.resize(LOSS_BYTES.max(text.len()), b' ');
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&text)
    }
}

/// The last run if it left no end: its shim was killed, or went down with the machine. To be asked only while no shim holds
/// the directory, or by the one that has just taken it.
pub fn lost(run_dir: &Path) -> Option<RunRecord> {
    let run: RunRecord = read(run_dir, RUN_FILE).ok().flatten()?;
    let exit: Option<ExitRecord> = read(run_dir, EXIT_FILE).ok().flatten();
    let own_end = exit.as_ref().is_some_and(|exit| exit.run_id == run.run_id);
    // A shim that recorded its run only after the spawn left an end but no run when that failed; the run before it had its
    // own end, overwritten by then.
    let newer = run.sidecar.pid != 0 && exit.is_some_and(|exit| exit.ended_at_unix_ms >= run.started_at_unix_ms);
    (!own_end && !newer).then_some(run)
}

/// A record of a version that we know; `None` when there is none. Unreadable and newer are errors.
pub fn read<T: DeserializeOwned>(run_dir: &Path, name: &str) -> io::Result<Option<T>> {
    /// What every version has.
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let text = match fs::read(run_dir.join(name)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Versioned { version } = serde_json::from_slice(&text)?;
    if version == 0 || version > VERSION {
        let message = words::services::shim::record_has_version(version, VERSION);
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(Some(serde_json::from_slice(&text)?))
}
