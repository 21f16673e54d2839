//! Files of our own: atomic, private, and never trusted blindly when read back.

pub mod state;
pub mod toml;

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::settings::last_good;
use crate::words;

/// What [`check_writable`] writes: more than a journal needs to begin.
const PROBE_BYTES: usize = 1024 * 1024;

/// With what the names of our temporary files begin, those of the secrets too.
const TEMPORARY: &str = ".palyra-tray-";
/// A temporary file of this age has no writer any more.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// Makes a directory (and those above it) that only its owner may enter.
///
/// # Errors
/// What the system says, with the path.
pub fn private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| named(path, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(|error| named(path, &error))?.permissions().mode();
        if mode & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(|error| named(path, &error))?;
        }
    }
    Ok(())
}

/// A folder for what is there only for a moment; it goes with the value. Only its owner may enter it.
///
/// # Errors
/// What the system says, with the path.
pub fn passing_dir(folder: &Path) -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(TEMPORARY).tempdir_in(folder).map_err(|error| named(folder, &error))
}

/// Whether a folder can be made (if it is not there) and takes a file of some size; leaves nothing in it.
///
/// # Errors
/// What the system says, with the path: not allowed, read-only, full.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    private_dir(folder)?;
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        // a full disk still takes an empty file
        file.write_all(&vec![0; PROBE_BYTES])?;
        file.as_file().sync_all()?;
        file.close()
    };
    write().map_err(|error| named(folder, &error))
}

/// Replaces a file in one step: a reader sees the old or the new one, also after a crash. Only its owner may read it.
///
/// # Errors
/// What the system says, with the path.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, None, true, &|| true).map(drop)
}

/// The same for what means nothing once the machine is off: nobody waits for the disk, which may take seconds while others
/// keep it busy.
///
/// # Errors
/// As there.
pub fn write_passing(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, None, false, &|| true).map(drop)
}

/// [`write_atomic`], with these permissions from the beginning, and only if the file is `still` what it should be right before
/// it is replaced; says whether it was.
fn replace(
    path: &Path,
    bytes: &[u8],
    permissions: Option<Permissions>,
    durable: bool,
    still: &dyn Fn() -> bool,
) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder)?;
        file.write_all(bytes)?;
        if let Some(permissions) = permissions {
            file.as_file().set_permissions(permissions)?;
        }
        if durable {
            file.as_file().sync_all()?;
        }
        if !still() {
            return Ok(false);
        }
        file.persist(path).map_err(|error| error.error)?;
        if durable {
            sync_dir(folder)?;
        }
        Ok(true)
    };
    write().map_err(|error| named(path, &error))
}

/// Takes away what writers of [`write_atomic`] left in a folder when they were killed. A young file may be at work.
pub fn sweep(folder: &Path) {
    let old = |entry: &fs::DirEntry| {
        let age = entry.metadata().ok()?.modified().ok()?.elapsed().ok()?;
        Some(entry.file_name().to_string_lossy().starts_with(TEMPORARY) && age >= LEFT_BEHIND)
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| old(entry) == Some(true)) {
        if let Err(error) = fs::remove_file(entry.path()) {
            tracing::debug!(%error, "a temporary file stays");
        }
    }
}

/// [`write_atomic`] of a value as JSON, and only if it differs from what is there.
///
/// # Errors
/// As there.
pub fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    write_atomic(path, &bytes)
}

/// [`write_json`], with a second copy beside it, which [`read_json`] takes when the first is corrupt.
///
/// # Errors
/// As there; a copy that cannot be kept is no error.
pub fn keep_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    write_json(path, value)?;
    keep_copy(path);
    Ok(())
}

/// Keeps a copy of a file that was just found good. It is replaced in one step, but nobody waits for the disk: until then
/// the one before lies there.
pub fn keep_copy(path: &Path) {
    let copy = last_good(path);
    let kept = fs::read(path).and_then(|bytes| {
        if fs::read(&copy).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(&bytes)?;
        file.persist(&copy).map_err(|error| error.error)?;
        Ok(())
    });
    if let Err(error) = kept {
        tracing::warn!(%error, file = %path.display(), "no copy could be kept");
    }
}

/// Reads a value. A corrupt file is set aside under a name of its own, its last good copy is taken if there is one, and
/// both are told in the second part.
pub fn read_json<T: DeserializeOwned>(path: &Path, now_unix_ms: i64) -> (Option<T>, Option<String>) {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (None, None),
        Err(error) => return (None, Some(words::agent::cannot_be_read(path.display(), &error))),
    };
    match serde_json::from_slice(&text) {
        Ok(value) => (Some(value), None),
        Err(error) => {
            let aside = PathBuf::from(format!("{}.corrupt-{now_unix_ms}", path.display()));
            let moved = fs::rename(path, &aside);
            let place = if moved.is_ok() {
                words::agent::it_was_set_aside(aside.display())
            } else {
                words::agent::IT_IS_IGNORED.to_owned()
            };
            let copy = fs::read(last_good(path)).ok().and_then(|text| serde_json::from_slice(&text).ok());
            let instead = if copy.is_some() { words::agent::AND_ITS_LAST_GOOD_COPY } else { "" };
            (copy, Some(words::agent::is_corrupt(path.display(), &error, &place, instead)))
        }
    }
}

/// Appends one JSON line and waits until it is on the disk. A line that a crash tore is closed first; of one that does
/// not fit on the disk nothing stays.
///
/// # Errors
/// What the system says, with the path; then nothing may be taken as recorded.
pub fn append_line(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    let mut append = || {
        let mut options = OpenOptions::new();
        options.append(true).create(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        let mut last = [b'\n'];
        if length > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        if last != [b'\n'] {
            line.insert(0, b'\n');
        }
        file.write_all(&line).and_then(|()| file.sync_data()).inspect_err(|_| {
            let _ = file.set_len(length);
        })
    };
    append().map_err(|error| named(path, &error))
}

#[cfg(unix)]
fn sync_dir(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_dir(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// With the path that somebody knows. What says all by its kind is told in its words: the whole would name a temporary file
/// as well, which is gone by then.
fn named(path: &Path, error: &io::Error) -> io::Error {
    use io::ErrorKind::{FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let kind = error.kind();
    let says_all = matches!(kind, StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem | PermissionDenied);
    let why = if says_all { io::Error::from(kind).to_string() } else { error.to_string() };
    io::Error::new(kind, format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrupt_file_is_set_aside_and_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        fs::write(&path, "{ half").unwrap();
        let (value, told) = read_json::<serde_json::Value>(&path, 7);
        assert!(value.is_none() && told.unwrap().contains("corrupt"));
        assert_eq!(fs::read_to_string(dir.path().join("state.json.corrupt-7")).unwrap(), "{ half");
        assert_eq!(read_json::<serde_json::Value>(&path, 8), (None, None));
    }

    #[cfg(unix)]
    #[test]
    fn the_same_text_is_not_written_again_and_an_open_folder_is_closed() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let written = |value: u32| {
            write_json(&path, &value).unwrap();
            fs::metadata(&path).unwrap().ino()
        };
        let first = written(1);
        // what is removed may get the same number again
        let _held = fs::File::open(&path).unwrap();
        assert_eq!(written(1), first);
        assert_ne!(written(2), first);
        let folder = dir.path().join("open");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        private_dir(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn the_last_good_copy_stands_in_for_a_torn_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        keep_json(&path, &1).unwrap();
        keep_json(&path, &2).unwrap();
        for torn in ["", "{ half"] {
            fs::write(&path, torn).unwrap();
            let (value, told) = read_json::<u32>(&path, 7);
            assert_eq!(value, Some(2));
            assert!(told.unwrap().ends_with("state.json.corrupt-7, and its last good copy is used"));
        }
        // Who removes the file wants to begin anew.
        assert_eq!(read_json::<u32>(&path, 8), (None, None));
    }

    #[cfg(unix)]
    #[test]
    fn what_we_write_is_ours_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("a/b");
        private_dir(&own).unwrap();
        write_json(&own.join("x.json"), &1).unwrap();
        append_line(&own.join("y.jsonl"), &1).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&own), mode(&own.join("x.json")), mode(&own.join("y.jsonl"))), (0o700, 0o600, 0o600));
    }

    #[test]
    fn what_a_killed_writer_left_is_swept_and_one_at_work_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in [".palyra-tray-old", ".palyra-tray-young", "old", ".tmp-of-others"] {
            let file = fs::File::create(path(name)).unwrap();
            if !name.ends_with("young") {
                file.set_modified(std::time::SystemTime::now() - LEFT_BEHIND).unwrap();
            }
        }
        sweep(dir.path());
        assert!(!path(".palyra-tray-old").exists());
        assert!(path(".palyra-tray-young").exists() && path("old").exists() && path(".tmp-of-others").exists());
    }

    #[test]
    fn lines_are_appended_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l");
        append_line(&path, &"a\nb").unwrap();
        append_line(&path, &2).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "\"a\\nb\"\n2\n");
        fs::write(&path, "1\n{\"torn\":").unwrap();
        append_line(&path, &3).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n{\"torn\":\n3\n");
    }

    /// In a process of its own, which alone may write no more than one block to a file.
    #[cfg(unix)]
    #[test]
    fn of_a_line_that_does_not_fit_nothing_stays() {
        const LEDGER: &str = "A_LEDGER_ON_A_FULL_DISK";
        if let Some(path) = std::env::var_os(LEDGER) {
            let error = append_line(Path::new(&path), &"x".repeat(4096)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l");
        append_line(&path, &1).unwrap();
        let out = std::process::Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "shell::store::tests::of_a_line_that_does_not_fit_nothing_stays"])
            .env(LEDGER, &path)
            .output()
            .unwrap();
        assert!(out.status.success() && String::from_utf8_lossy(&out.stdout).contains("1 passed"), "{out:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    }
}
