//! The journal file and the write to its `-wal` that tells a watcher of news.
//!
//! A line of JSON per entry stands in for the real database: what was written is there again after a restart. As with
//! SQLite, the `-wal` file is made by the first write and gone after a restart, and nothing touches it while idle.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::books::Booked;
use super::chat::Session;
use super::record::Record;
use crate::demo::ids;

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// An approval as it is from now on.
    Approval(Box<Record>),
    /// A chat session as it is from now on.
    Session(Box<Session>),
    /// A run as it is from now on.
    Run(Box<Booked>),
    /// Something that was only noted.
    Event(Value),
}

/// The open journal. The file stays open, which is how others see that this state root is in use.
pub struct Journal {
    path: PathBuf,
    file: File,
    events: u64,
    hash: String,
}

impl Journal {
    /// Opens `data/journal.sqlite3` under `state_root`, with what is in it. Refuses a journal of the real gateway.
    pub fn open(state_root: &Path) -> io::Result<(Self, Vec<Entry>)> {
        let data = state_root.join("data");
        private_dirs(&data)?;
        let path = fs::canonicalize(&data)?.join("journal.sqlite3");
        let mut file = private_file(&path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if bytes.starts_with(SQLITE_MAGIC) {
            return Err(io::Error::other(format!(
                "{} is the journal of a real gateway: give the demo a state root of its own",
                path.display()
            )));
        }
        let entries: Vec<Entry> =
            bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        match fs::remove_file(wal(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let journal = Self { path, file, events: entries.len() as u64, hash: ids::sha256_hex(&bytes) };
        Ok((journal, entries))
    }

    /// Writes one entry, then to the `-wal`.
    pub fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        self.hash = ids::sha256_hex(&[self.hash.as_bytes(), &line].concat());
        self.events += 1;
        line.push(b'\n');
        self.file.write_all(&line)?;
        // Opened anew each time: a checkpoint or a test may have removed it.
        private_file(&wal(&self.path))?.write_all(format!("{} {}\n", self.events, self.hash).as_bytes())
    }

    /// Absolute path, for the heartbeat.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Entries so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Hash chain over the entries.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

fn wal(journal: &Path) -> PathBuf {
    journal.with_file_name("journal.sqlite3-wal")
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn private_dirs(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
