//! One agent for each state root, by a kernel lock; and the earlier desktop app shut out, both ways.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;

use crate::config::Paths;
use crate::shell::store;
use crate::words;

/// File name of the earlier app's executable.
const EARLIER_APP: &str = "palyra-desktop-control-center";
/// File of the agent's lock.
const AGENT_LOCK: &str = "agent.lock";

/// Held while this agent lives; the kernel lets go of it however the agent ends.
#[derive(Debug)]
pub struct AgentLock {
    file: File,
    path: PathBuf,
}

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another agent has it.
    #[error("{}", words::agent::RUNS_ALREADY)]
    Held,
    /// The earlier desktop app runs on this state root.
    #[error("{}", words::agent::earlier_app_runs(.0))]
    EarlierApp(u32),
    /// The place cannot be written.
    #[error("{}", words::agent::data_folder_cannot_be_used(.0))]
    Unwritable(io::Error),
}

impl AgentLock {
    /// Takes it.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn take(paths: &Paths) -> Result<Self, LockError> {
        let open = lock(paths, AGENT_LOCK).map_err(LockError::Unwritable)?.ok_or(LockError::Held)?;
        if let Some(pid) = earlier_app(paths) {
            return Err(LockError::EarlierApp(pid));
        }
        Ok(Self { file: open, path: paths.own.join(AGENT_LOCK) })
    }

    /// Whether its file still lies where it was taken. Where it does not, our folder was removed, and the lock keeps nobody
    /// out any more. What cannot be looked at counts as still there.
    pub fn is_in_place(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            match (self.file.metadata(), fs::metadata(&self.path)) {
                (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
                (_, Err(error)) => error.kind() != io::ErrorKind::NotFound,
                (Err(_), _) => true,
            }
        }
        #[cfg(not(unix))]
        {
            // an open file cannot be removed there
            let _ = (&self.file, &self.path);
            true
        }
    }
}

/// Held while the set-up is open: two at once would ask twice and overwrite each other's record.
#[derive(Debug)]
pub struct SetUpLock {
    _file: File,
}

impl SetUpLock {
    /// Takes it; `None`: the set-up is open already.
    ///
    /// # Errors
    /// The place cannot be written.
    pub fn take(paths: &Paths) -> io::Result<Option<Self>> {
        Ok(lock(paths, "setup.lock")?.map(|file| Self { _file: file }))
    }
}

/// Held while the menu's window is open: further starts open no second one.
#[derive(Debug)]
pub struct WindowLock {
    _file: File,
}

impl WindowLock {
    /// Takes it; `None`: the window is open already.
    ///
    /// # Errors
    /// The place cannot be written.
    pub fn take(paths: &Paths) -> io::Result<Option<Self>> {
        Ok(lock(paths, "window.lock")?.map(|file| Self { _file: file }))
    }
}

/// Takes a kernel lock on a file of ours; `None`: somebody else has it.
fn lock(paths: &Paths, name: &str) -> io::Result<Option<File>> {
    store::private_dir(&paths.own)?;
    let path = paths.own.join(name);
    let mut options = fs::OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let open =
        options.open(&path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    match open.try_lock() {
        Ok(()) => Ok(Some(open)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// While a gateway of ours lives, its shim's pid stands in the earlier app's lock file, so that it refuses to start beside
/// us even after this agent was killed.
pub fn shut_out_earlier_app(paths: &Paths, shim: Option<u32>, now_unix_ms: i64) {
    let path = earlier_lock(paths);
    let outcome = match shim {
        Some(pid) => path.parent().map_or(Ok(()), store::private_dir).and_then(|()| {
            store::write_passing(&path, format!("pid={pid}\nstarted_at_unix_ms={now_unix_ms}\n").as_bytes())
        }),
        None => match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    };
    if let Err(error) = outcome {
        tracing::warn!(%error, "the earlier app's lock file could not be kept");
    }
}

/// The process that holds the agent's lock, as the kernel says; the lock itself is not touched. An error where the system
/// does not tell.
///
/// # Errors
/// Why it is not known.
pub fn holder(paths: &Paths) -> Result<Option<u32>, String> {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        let path = paths.own.join(AGENT_LOCK);
        let file = match fs::metadata(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(words::agent::cannot_be_looked(path.display(), &error)),
        };
        let table = fs::read_to_string("/proc/locks").map_err(|error| format!("/proc/locks: {error}"))?;
        Ok(flock_holder(&table, file.ino()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = paths;
        Err(words::agent::THIS_SYSTEM_DOES_NOT_TELL_WHO.to_owned())
    }
}

/// From lines such as `1: FLOCK  ADVISORY  WRITE 1234 08:02:5678 0 EOF`. Device numbers there are not those of `stat` on
/// every file system, so that the process must be ours to count.
#[cfg(target_os = "linux")]
fn flock_holder(table: &str, inode: u64) -> Option<u32> {
    table.lines().find_map(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let [_, "FLOCK", _, "WRITE", pid, place, ..] = fields[..] else { return None };
        let held: u64 = place.rsplit(':').next()?.parse().ok()?;
        let pid: u32 = pid.parse().ok()?;
        (held == inode && is_ours(pid)).then_some(pid)
    })
}

#[cfg(target_os = "linux")]
fn is_ours(pid: u32) -> bool {
    let name = |link: &str| fs::read_link(link).ok().map(|path| path.file_name().map(std::ffi::OsStr::to_owned));
    // an upgraded program is "palyra-tray (deleted)"
    let base = |name: Option<Option<std::ffi::OsString>>| {
        name.flatten().map(|name| name.to_string_lossy().trim_end_matches(" (deleted)").to_owned())
    };
    let theirs = base(name(&format!("/proc/{pid}/exe")));
    theirs.is_some() && theirs == base(name("/proc/self/exe"))
}

fn earlier_lock(paths: &Paths) -> PathBuf {
    paths.state_root.join("desktop-control-center").join("instance.lock")
}

/// The earlier desktop app, if it lives on this state root.
pub fn earlier_app(paths: &Paths) -> Option<u32> {
    let text = fs::read_to_string(earlier_lock(paths)).ok()?;
    let pid: u32 = text.lines().find_map(|line| line.strip_prefix("pid="))?.trim().parse().ok()?;
    let executable = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let name = executable.file_name()?.to_str()?;
    name.starts_with(EARLIER_APP).then_some(pid)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Environment;

    fn paths(root: &Path) -> Paths {
        Paths::find(&Environment::of(&[("PALYRA_STATE_ROOT", root)], Path::new("/x/palyra-tray"))).unwrap()
    }

    #[test]
    fn the_second_agent_is_told_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let paths = paths(dir.path());
        let first = AgentLock::take(&paths).unwrap();
        assert!(matches!(AgentLock::take(&paths), Err(LockError::Held)));
        drop(first);
        AgentLock::take(&paths).unwrap();
    }

    #[test]
    fn the_earlier_app_counts_only_when_that_process_is_it() {
        let dir = tempfile::tempdir().unwrap();
        let paths = paths(dir.path());
        shut_out_earlier_app(&paths, Some(std::process::id()), 1);
        AgentLock::take(&paths).unwrap();
        let fake = dir.path().join(EARLIER_APP);
        fs::copy("/bin/sleep", &fake).unwrap();
        let mut app = std::process::Command::new(&fake).arg("30").spawn().unwrap();
        shut_out_earlier_app(&paths, Some(app.id()), 1);
        let outcome = AgentLock::take(&paths);
        app.kill().unwrap();
        app.wait().unwrap();
        assert!(matches!(outcome, Err(LockError::EarlierApp(pid)) if pid == app.id()));
        shut_out_earlier_app(&paths, None, 1);
        assert!(!earlier_lock(&paths).exists());
    }

    #[test]
    fn the_holder_is_told_without_touching_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let paths = paths(dir.path());
        assert_eq!(holder(&paths), Ok(None));
        let lock = AgentLock::take(&paths).unwrap();
        assert_eq!(holder(&paths), Ok(Some(std::process::id())));
        assert!(matches!(AgentLock::take(&paths), Err(LockError::Held)));
        drop(lock);
        assert_eq!(holder(&paths), Ok(None));
    }
}
