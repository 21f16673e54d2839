//! One service's log on disk: whole lines, `<unix_ms> <out|err|sup> <text>`, rotated by size.
//!
//! Writing waits for the disk, so that a fast sidecar is slowed down instead of losing lines. While the disk takes
//! nothing, lines are dropped and counted, and the first line after it says how many. A log that was removed or moved
//! away by others is begun anew under its name. Text must be redacted before it comes here; characters that a terminal
//! would obey are written as escapes.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::protocol::shim::LogLimits;
use crate::words;

/// Lines are handed to the disk in blocks of about this size, and whenever nothing more is waiting.
const BLOCK: usize = 32 * 1024;

/// Appends lines. Call [`LogWriter::flush`] when there are no more for now.
#[derive(Debug)]
pub struct LogWriter {
    limits: LogLimits,
    file: Option<File>,
    size: u64,
    rotate_at: u64,
    pending: Vec<u8>,
    lost: u64,
    dropped: u64,
    trouble: Option<io::Error>,
}

impl LogWriter {
    /// Opens nothing yet; the first flush does.
    pub fn new(limits: LogLimits) -> Self {
        let rotate_at = limits.max_bytes;
        Self { limits, file: None, size: 0, rotate_at, pending: Vec::new(), lost: 0, dropped: 0, trouble: None }
    }

    /// Adds a line; `tag` says where it comes from.
    pub fn line(&mut self, unix_ms: i64, tag: &str, text: &str) {
        let start = self.pending.len();
        if start == 0 {
            self.open();
        }
        push_line(&mut self.pending, unix_ms, tag, text);
        let len = self.pending.len() - start;
        if self.size + self.pending.len() as u64 > self.rotate_at && self.size + start as u64 > 0 {
            let line = self.pending.split_off(start);
            self.flush();
            if self.size > 0 {
                self.rotate();
            }
            self.pending.extend_from_slice(&line);
        }
        if self.pending.len() >= BLOCK || len >= BLOCK {
            self.flush();
        }
    }

    /// Hands over everything to the system.
    pub fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let mut block = std::mem::take(&mut self.pending);
        if self.file.as_ref().is_some_and(|file| !is_at(file, &self.limits.path)) {
            self.file = None;
        }
        self.open();
        let mut lines = count_lines(&block);
        if self.lost > 0 {
            let text = words::services::shim::lines_lost_here(self.lost);
            let mut told = Vec::new();
            push_line(&mut told, first_stamp(&block), "sup", &text);
            if self.append(&told) == told.len() {
                self.lost = 0;
            }
        }
        if self.lost == 0 {
            let written = self.append(&block);
            lines = count_lines(block.get(written..).unwrap_or_default());
        }
        if lines == 0 {
            self.trouble = None;
        }
        self.lost += lines;
        self.dropped += lines;
        block.clear();
        self.pending = block;
    }

    /// Lines that never reached the disk.
    pub fn dropped_lines(&self) -> u64 {
        self.dropped
    }

    /// Why the newest lines could not be written; `None` once lines reach the disk again.
    pub fn trouble(&self) -> Option<&io::Error> {
        self.trouble.as_ref()
    }

    fn open(&mut self) {
        if self.file.is_some() {
            return;
        }
        match open_for_lines(&self.limits.path) {
            Ok((file, size)) => {
                self.file = Some(file);
                self.size = size;
                self.rotate_at = self.limits.max_bytes.max(size);
            }
            Err(error) => {
                self.size = 0;
                self.trouble = Some(error);
            }
        }
    }

    /// Bytes of whole lines that were written; on a failure nothing of a torn line stays behind.
    fn append(&mut self, block: &[u8]) -> usize {
        let Some(file) = self.file.as_mut() else { return 0 };
        let (written, result) = write_all(file, block);
        let whole = match &result {
            Ok(()) => written,
            Err(_) => block[..written].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1),
        };
        self.size += whole as u64;
        if let Err(error) = result {
            self.trouble = Some(error);
            if whole < written {
                // Best effort: where even this fails, the next opening closes the torn line.
                let _ = file.set_len(self.size);
            }
            // Opened anew next time: the folder may have been replaced meanwhile.
            self.file = None;
        }
        whole
    }

    fn rotate(&mut self) {
        if shift(&self.limits).is_ok() {
            self.file = None;
            self.open();
        } else {
            // A log that cannot be rotated goes on growing rather than losing lines, and tries again later.
            self.rotate_at = self.size.saturating_add(self.limits.max_bytes);
        }
    }
}

/// The name of an older log: `path.1` is the newest of them.
pub fn rotated(path: &Path, age: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{age}"));
    PathBuf::from(name)
}

/// Whether the path still leads to the file that is open.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        (_, Err(error)) => error.kind() != io::ErrorKind::NotFound,
        (Err(_), _) => true,
    }
}

/// An open file cannot be removed here.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

fn open_for_lines(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                super::record::make_private_dir(parent)?;
            }
            options.open(path)?
        }
        other => other?,
    };
    let mut size = file.metadata()?.len();
    if size > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            file.write_all(b"\n")?;
            size += 1;
        }
    }
    Ok((file, size))
}

fn shift(limits: &LogLimits) -> io::Result<()> {
    let keep = limits.keep.max(1);
    if keep == 1 {
        return fs::remove_file(&limits.path);
    }
    for age in (1..keep - 1).rev() {
        match fs::rename(rotated(&limits.path, age), rotated(&limits.path, age + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(&limits.path, rotated(&limits.path, 1))
}

fn write_all(file: &mut File, block: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < block.len() {
        match file.write(&block[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(len) => written += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

/// Appends a line as it stands in the log.
pub fn push_line(out: &mut Vec<u8>, unix_ms: i64, tag: &str, text: &str) {
    let mut stamp = Stamp { digits: [0; 20], len: 0 };
    let _ = write!(stamp, "{unix_ms}");
    out.extend_from_slice(&stamp.digits[..stamp.len]);
    out.push(b' ');
    out.extend_from_slice(tag.as_bytes());
    out.push(b' ');
    push_harmless(out, text);
    out.push(b'\n');
}

/// A number's digits without an allocation; an `i64` has at most 20.
struct Stamp {
    digits: [u8; 20],
    len: usize,
}

impl std::fmt::Write for Stamp {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.digits.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

fn first_stamp(block: &[u8]) -> i64 {
    let digits = block.split(|byte| *byte == b' ').next().unwrap_or_default();
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

fn count_lines(block: &[u8]) -> u64 {
    block.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Copies text; control characters and those that turn the direction of writing become escapes.
fn push_harmless(out: &mut Vec<u8>, text: &str) {
    // 0xC2 begins the C1 controls, 0xE2 the marks of direction: both rare enough to look closer.
    if !text.bytes().fold(false, |found, byte| found | (byte < 0x20) | matches!(byte, 0x7f | 0xc2 | 0xe2)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for character in text.chars() {
        let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if (character.is_control() && character != '\t') || turns {
            out.extend(character.escape_default().map(|part| part as u8));
        } else {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(dir: &Path, max_bytes: u64, keep: u32) -> LogWriter {
        LogWriter::new(LogLimits { path: dir.join("logs/x.log"), max_bytes, keep })
    }

    fn read(dir: &Path, name: &str) -> String {
        fs::read_to_string(dir.join("logs").join(name)).unwrap_or_default()
    }

    #[test]
    fn lines_are_stamped_and_harmless() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let mut log = writer(dir.path(), 1_000, 3);
        log.line(12, "out", "a\tb \x1b[31mred\x07\r \u{9b}x \u{202e}y é");
        log.line(-1, "err+", "");
        log.flush();
        assert_eq!(read(dir.path(), "x.log"), "12 out a\tb \\u{1b}[31mred\\u{7}\\r \\u{9b}x \\u{202e}y é\n-1 err+ \n");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("temporary directory");
        let mut log = writer(dir.path(), 1_000, 3);
        log.line(1, "out", "x");
        log.flush();
        let mode = |name: &str| fs::metadata(dir.path().join(name)).expect("it exists").permissions().mode() & 0o777;
        assert_eq!((mode("logs"), mode("logs/x.log")), (0o700, 0o600));
    }

    #[test]
    fn rotation_keeps_every_line_up_to_the_limit() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let mut log = writer(dir.path(), 50, 3);
        for number in 0..20 {
            log.line(number, "out", "0123456789");
            if number % 3 == 0 {
                log.flush();
            }
        }
        log.flush();
        let all = [read(dir.path(), "x.log.2"), read(dir.path(), "x.log.1"), read(dir.path(), "x.log")];
        assert!(all.iter().all(|file| !file.is_empty() && file.len() <= 50), "{all:?}");
        let stamps: Vec<i64> = all.concat().lines().map(|line| first_stamp(line.as_bytes())).collect();
        let want: Vec<i64> = (20 - stamps.len() as i64..20).collect();
        assert_eq!(stamps, want);
        assert!(!dir.path().join("logs/x.log.3").exists());
        log.line(99, "out", &"x".repeat(200));
        log.line(100, "out", "next");
        log.flush();
        assert_eq!(read(dir.path(), "x.log.1").len(), 208, "a line above the limit has a file of its own");
    }

    #[test]
    fn a_log_goes_on_behind_a_torn_line() {
        let dir = tempfile::tempdir().expect("temporary directory");
        fs::create_dir(dir.path().join("logs")).expect("made");
        fs::write(dir.path().join("logs/x.log"), "1 out torn").expect("written");
        let mut log = writer(dir.path(), 1_000, 2);
        log.line(2, "out", "whole");
        log.flush();
        assert_eq!(read(dir.path(), "x.log"), "1 out torn\n2 out whole\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_log_that_was_removed_or_moved_is_begun_anew() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let mut log = writer(dir.path(), 1_000, 3);
        let write = |log: &mut LogWriter, number: i64| {
            log.line(number, "out", "x");
            log.flush();
        };
        write(&mut log, 1);
        fs::rename(dir.path().join("logs/x.log"), dir.path().join("logs/kept")).expect("moved");
        write(&mut log, 2);
        assert_eq!((read(dir.path(), "kept").as_str(), read(dir.path(), "x.log").as_str()), ("1 out x\n", "2 out x\n"));
        fs::rename(dir.path().join("logs/x.log"), dir.path().join("logs/kept")).expect("moved");
        fs::write(dir.path().join("logs/x.log"), "by others\n").expect("made");
        write(&mut log, 9);
        assert_eq!(read(dir.path(), "x.log"), "by others\n9 out x\n");
        fs::remove_dir_all(dir.path().join("logs")).expect("removed");
        write(&mut log, 3);
        assert_eq!((read(dir.path(), "x.log").as_str(), log.dropped_lines()), ("3 out x\n", 0));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_counted_and_told() {
        let dir = tempfile::tempdir().expect("temporary directory");
        fs::create_dir(dir.path().join("logs")).expect("made");
        let path = dir.path().join("logs/x.log");
        std::os::unix::fs::symlink("/dev/full", &path).expect("linked");
        let mut log = writer(dir.path(), 1_000, 2);
        for number in 0..7 {
            log.line(number, "out", "gone");
        }
        log.flush();
        log.line(8, "out", "gone too");
        log.flush();
        assert_eq!(log.dropped_lines(), 8);
        assert_eq!(log.trouble().map(io::Error::kind), Some(io::ErrorKind::StorageFull));
        fs::remove_file(&path).expect("unlinked");
        log.line(9, "out", "back");
        log.flush();
        log.line(10, "out", "again");
        log.flush();
        assert_eq!(
            read(dir.path(), "x.log"),
            "9 sup 8 lines lost here: the log could not be written\n9 out back\n10 out again\n"
        );
        assert_eq!((log.dropped_lines(), log.trouble().is_none()), (8, true));
    }
}
