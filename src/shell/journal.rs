//! The doorbell: tells that the gateway wrote to its journal, so that approvals are read when there is news and not
//! by the clock. The gateway's `-wal` file is written when an approval comes or is decided, and by nothing while idle.
//!
//! Limits: it watches the directory, because the `-wal` file comes and goes; it says that something was written, not what.
//! Writes before [`Doorbell::watch`] returned are not told: read once after it. No thread wakes up while nothing is
//! written.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use notify::event::{EventKind, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::words;

/// What the doorbell tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// The journal was written.
    Written,
    /// The directory is gone, or can no longer be watched: nothing more will come, fall back to reading by the clock.
    Lost,
}

/// Why a journal cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// A relative path says nothing about where the gateway runs.
    #[error("{}", words::gateway::journal_is_not_absolute(.0.display()))]
    NotAbsolute(PathBuf),
    /// No directory, or somebody else's.
    #[error("{}", words::gateway::journal_is_not_ours(.0.display()))]
    NotOurs(PathBuf),
    /// The system refused.
    #[error("{}", words::gateway::journal_cannot_be_watched(.0.display(), .1))]
    System(PathBuf, String),
}

/// Watches until it is dropped.
pub struct Doorbell {
    _watcher: RecommendedWatcher,
}

impl Doorbell {
    /// Watches the directory of this journal and calls `ring` for every write to the journal or its `-wal`, on a thread
    /// of its own; the inbox spaces its looks. `ring` must not block.
    pub fn watch(journal_db_path: &Path, ring: impl Fn(Ring) + Send + 'static) -> Result<Self, WatchError> {
        if !journal_db_path.is_absolute() {
            return Err(WatchError::NotAbsolute(journal_db_path.to_owned()));
        }
        let (Some(directory), Some(journal)) = (journal_db_path.parent(), journal_db_path.file_name()) else {
            return Err(WatchError::NotOurs(journal_db_path.to_owned()));
        };
        if !is_our_directory(directory) {
            return Err(WatchError::NotOurs(directory.to_owned()));
        }
        let system = |error: notify::Error| WatchError::System(directory.to_owned(), error.to_string());
        let names = Names::new(directory, journal.to_owned());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let told = match event {
                Ok(event) => names.meaning(&event),
                Err(_) => Some(Ring::Lost),
            };
            if let Some(told) = told {
                ring(told);
            }
        })
        .map_err(system)?;
        watcher.watch(directory, RecursiveMode::NonRecursive).map_err(system)?;
        Ok(Self { _watcher: watcher })
    }
}

struct Names {
    directory: PathBuf,
    journal: OsString,
    wal: OsString,
}

impl Names {
    fn new(directory: &Path, journal: OsString) -> Self {
        let mut wal = journal.clone();
        wal.push("-wal");
        Self { directory: directory.to_owned(), journal, wal }
    }

    fn meaning(&self, event: &Event) -> Option<Ring> {
        if event.need_rescan() {
            return Some(Ring::Written);
        }
        let is_gone = matches!(
            event.kind,
            EventKind::Remove(RemoveKind::Folder | RemoveKind::Any | RemoveKind::Other)
                | EventKind::Modify(ModifyKind::Name(RenameMode::From | RenameMode::Any | RenameMode::Both))
        );
        if is_gone && event.paths.first() == Some(&self.directory) {
            return Some(Ring::Lost);
        }
        // Who holds the journal open keeps its removed directory from telling of its own end.
        let is_journal_removed = matches!(event.kind, EventKind::Remove(_))
            && event.paths.iter().any(|path| path.file_name() == Some(&self.journal));
        if is_journal_removed {
            return Some(Ring::Lost);
        }
        let is_write = match event.kind {
            EventKind::Any | EventKind::Create(_) => true,
            // A change of mode or times is no write.
            EventKind::Modify(ModifyKind::Metadata(_)) => false,
            EventKind::Modify(_) => true,
            EventKind::Access(_) | EventKind::Remove(_) | EventKind::Other => false,
        };
        let is_journal = event.paths.iter().any(|path| {
            path.file_name().is_some_and(|name| name == self.journal.as_os_str() || name == self.wal.as_os_str())
        });
        (is_write && is_journal).then_some(Ring::Written)
    }
}

/// Another user's directory could ring at will, and tells nothing about our gateway.
#[cfg(unix)]
fn is_our_directory(directory: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    std::fs::metadata(directory).is_ok_and(|meta| meta.is_dir() && meta.uid() == nix::unistd::geteuid().as_raw())
}

/// Ownership is not looked at here: the state root lies in the person's own profile.
#[cfg(not(unix))]
fn is_our_directory(directory: &Path) -> bool {
    directory.is_dir()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn watched(directory: &Path) -> (Doorbell, Receiver<Ring>) {
        let (sender, rings) = channel();
        let doorbell = Doorbell::watch(&directory.join("journal.sqlite3"), move |ring| {
            let _ = sender.send(ring);
        })
        .unwrap();
        (doorbell, rings)
    }

    #[test]
    fn rings_when_the_wal_comes_and_when_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let wal = directory.path().join("journal.sqlite3-wal");
        let mut open = {
            let (_doorbell, rings) = watched(directory.path());
            let open = fs::OpenOptions::new().append(true).create(true).open(&wal).unwrap();
            assert_eq!(rings.recv_timeout(PATIENCE), Ok(Ring::Written));
            open
        };
        // Open already, as the gateway keeps it.
        let (_doorbell, rings) = watched(directory.path());
        open.write_all(b"more").unwrap();
        assert_eq!(rings.recv_timeout(PATIENCE), Ok(Ring::Written));
    }

    #[test]
    fn rings_for_the_journal_itself() {
        let directory = tempfile::tempdir().unwrap();
        let (_doorbell, rings) = watched(directory.path());
        fs::write(directory.path().join("journal.sqlite3"), b"new").unwrap();
        assert_eq!(rings.recv_timeout(PATIENCE), Ok(Ring::Written));
    }

    #[test]
    fn neighbours_and_readers_do_not_ring() {
        let directory = tempfile::tempdir().unwrap();
        let wal = directory.path().join("journal.sqlite3-wal");
        fs::write(&wal, b"old").unwrap();
        let (_doorbell, rings) = watched(directory.path());
        for other in ["journal.sqlite3-shm", "other-wal", "journal.sqlite3-wal2", "memory.sqlite3"] {
            fs::write(directory.path().join(other), b"noise").unwrap();
        }
        for _ in 0..25 {
            fs::read(&wal).unwrap();
        }
        // Nothing is awaited here: a ring within this time is a failure, and none proves little more than the filter's
        // own test does.
        assert_eq!(rings.recv_timeout(Duration::from_millis(500)), Err(RecvTimeoutError::Timeout));
        fs::write(&wal, b"new").unwrap();
        assert_eq!(rings.recv_timeout(PATIENCE), Ok(Ring::Written));
    }

    #[test]
    fn only_writes_to_the_journal_mean_something() {
        use notify::event::{AccessKind, AccessMode, CreateKind, DataChange, MetadataKind};

        let names = Names::new(Path::new("/d"), "j".into());
        let meaning = |kind: EventKind, path: &str| names.meaning(&Event::new(kind).add_path(path.into()));
        let write = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        assert_eq!(meaning(write, "/d/j-wal"), Some(Ring::Written));
        assert_eq!(meaning(write, "/d/j"), Some(Ring::Written));
        assert_eq!(meaning(EventKind::Create(CreateKind::File), "/d/j-wal"), Some(Ring::Written));
        assert_eq!(meaning(EventKind::Modify(ModifyKind::Name(RenameMode::To)), "/d/j-wal"), Some(Ring::Written));
        assert_eq!(meaning(write, "/d/j-shm"), None);
        assert_eq!(meaning(write, "/d/other-wal"), None);
        assert_eq!(meaning(EventKind::Access(AccessKind::Open(AccessMode::Any)), "/d/j-wal"), None);
        assert_eq!(meaning(EventKind::Access(AccessKind::Close(AccessMode::Write)), "/d/j-wal"), None);
        assert_eq!(meaning(EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)), "/d/j-wal"), None);
        assert_eq!(meaning(EventKind::Remove(RemoveKind::File), "/d/j-wal"), None);
        assert_eq!(meaning(EventKind::Remove(RemoveKind::File), "/d/j"), Some(Ring::Lost));
        assert_eq!(meaning(EventKind::Remove(RemoveKind::Folder), "/d"), Some(Ring::Lost));
    }

    // Windows lets nobody remove a directory that is watched
    #[cfg(unix)]
    #[test]
    fn a_removed_directory_is_lost() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("data");
        fs::create_dir(&directory).unwrap();
        let (_doorbell, rings) = watched(&directory);
        fs::remove_dir(&directory).unwrap();
        assert_eq!(rings.recv_timeout(PATIENCE), Ok(Ring::Lost));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_moved_directory_is_lost() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("data");
        fs::create_dir(&directory).unwrap();
        let (_doorbell, rings) = watched(&directory);
        fs::rename(&directory, root.path().join("elsewhere")).unwrap();
        assert_eq!(rings.recv_timeout(PATIENCE), Ok(Ring::Lost));
    }

    #[test]
    fn only_our_own_absolute_directories() {
        let watch = |path: &Path| Doorbell::watch(path, |_| {}).map(|_| ());
        assert!(matches!(watch(Path::new("data/journal.sqlite3")), Err(WatchError::NotAbsolute(_))));
        let root = tempfile::tempdir().unwrap();
        assert!(matches!(watch(&root.path().join("none/journal.sqlite3")), Err(WatchError::NotOurs(_))));
        let file = root.path().join("file");
        fs::write(&file, b"").unwrap();
        assert!(matches!(watch(&file.join("journal.sqlite3")), Err(WatchError::NotOurs(_))));
        #[cfg(unix)]
        if !nix::unistd::geteuid().is_root() {
            assert!(matches!(watch(Path::new("/etc/journal.sqlite3")), Err(WatchError::NotOurs(_))));
        }
    }
}
