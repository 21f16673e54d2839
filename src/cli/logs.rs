//! `logs`: the newest lines from disk, and those that come. Needs no running agent.
//!
//! Whoever shows log lines takes them from here: from the disk, at the moment they are asked for, through the same
//! redaction that they went through before they were written (by a version that may have known less).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::config::Paths;
use crate::core::redact::Redactor;
use crate::protocol::{Failure, FailureCode, ServiceId};
use crate::words::{self, help};

/// Between two looks while following.
const FOLLOW: Duration = Duration::from_millis(200);
/// Bytes read from the end of a file for one line asked for.
const BYTES_A_LINE: u64 = 512;
/// A log with its older files is looked for up to this many missing names: one is missing for a moment while they are moved.
const MISSING: u32 = 3;
/// Files that a follower holds open at most: more than a log has.
const HELD: usize = 16;
/// Lines of each service in a snapshot.
const IN_SNAPSHOT: usize = 400;

/// Arguments of `logs`.
#[derive(Args)]
pub struct LogsArgs {
    #[arg(default_value = "gateway", help = help::LOGS_SERVICE)]
    service: String,
    #[arg(short, long, help = help::LOGS_FOLLOW)]
    follow: bool,
    #[arg(short = 'n', long = "lines", default_value_t = 100, help = help::LOGS_LINES)]
    lines: usize,
}

/// Prints them.
pub fn logs(paths: &Paths, args: &LogsArgs) -> Result<ExitCode, Failure> {
    let path = if args.service == "tray" {
        paths.agent_log()
    } else {
        let service = super::service(&args.service).map_err(|why| {
            Failure::new(
                FailureCode::Usage,
                words::commands::no_such_log(&args.service),
                words::commands::or_tray(&why),
            )
        })?;
        paths.log(service)
    };
    let failed = |error: io::Error| Failure::new(FailureCode::Failed, format!("{}: {error}", path.display()), "");
    let redactor = Redactor::default();
    let mut log = open(&path).map_err(failed)?;
    if log.is_empty() && !args.follow {
        let message = words::commands::nothing_has_been_logged_there_yet(path.display());
        return Err(Failure::new(FailureCode::Failed, message, words::commands::START_PALYRA_RUN));
    }
    let lines = newest(&mut log, args.lines).map_err(failed)?;
    super::print(&lines.iter().map(|line| readable(line, &redactor)).collect::<String>());
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    let mut follower = Follower { path: path.clone(), known: log, partial: Vec::new() };
    loop {
        let mut any = false;
        follower
            .look(&mut |line| {
                any = true;
                super::print(&readable(line, &redactor));
            })
            .map_err(failed)?;
        if !any {
            std::thread::sleep(FOLLOW);
        }
    }
}

/// The lines of all services, newest first, for a snapshot; field names and streams as in the earlier app's.
pub(super) fn of_services(paths: &Paths) -> Value {
    let redactor = Redactor::default();
    let lines = ServiceId::ALL.into_iter().flat_map(|service| {
        // a log that cannot be read is told by the command `logs`
        let lines = open(&paths.log(service)).and_then(|mut log| newest(&mut log, IN_SNAPSHOT)).unwrap_or_default();
        let mut latest = i64::MIN;
        lines.into_iter().filter_map(move |line| {
            let (stamp, rest) = line.split_once(' ')?;
            let (stream, text) = rest.split_once(' ')?;
            let stream = match stream.trim_end_matches('+') {
                "out" => "stdout",
                "err" => "stderr",
                _ => "supervisor",
            };
            // a clock that was set back changes no order within a log
            let unix_ms = stamp.parse::<i64>().ok()?;
            latest = latest.max(unix_ms);
            Some((latest, unix_ms, service, stream, text.to_owned()))
        })
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_by_key(|(order, ..)| *order);
    let told = lines.into_iter().rev().map(|(_, unix_ms, service, stream, text)| {
        json!({ "unix_ms": unix_ms, "service": service.name(), "stream": stream, "line": redactor.redact(&text) })
    });
    Value::Array(told.collect())
}

/// The newest lines of a log as they lie on the disk; empty when nothing was logged yet.
pub(super) fn tail(path: &Path, lines: usize) -> io::Result<Vec<String>> {
    newest(&mut open(path)?, lines)
}

/// One file of a log, with how much of it has been taken.
struct Part {
    file: File,
    id: (u64, u64),
    taken: u64,
}

/// A log and its older files, newest first, each once although they may be moved meanwhile.
fn open(path: &Path) -> io::Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut missing = 0;
    for age in 0.. {
        let mut name = path.as_os_str().to_owned();
        if age > 0 {
            name.push(format!(".{age}"));
        }
        let file = match File::open(&name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && missing < MISSING => {
                missing += 1;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        };
        missing = 0;
        let id = identity(&file)?;
        if parts.iter().all(|part| part.id != id) {
            parts.push(Part { file, id, taken: 0 });
        }
    }
    Ok(parts)
}

/// The last lines. What is in the files now counts as taken.
fn newest(log: &mut [Part], lines: usize) -> io::Result<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for part in log {
        let wanted = lines - found.len();
        let length = part.file.metadata()?.len();
        let text = if wanted == 0 { Vec::new() } else { last_bytes(&mut part.file, length, wanted)? };
        // what has no end yet is taken when it has
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        part.taken = if wanted == 0 { length } else { length - (text.len() - whole) as u64 };
        let text = String::from_utf8_lossy(&text[..whole]);
        let all: Vec<_> = text.lines().collect();
        let newer = std::mem::take(&mut found);
        found = all[all.len().saturating_sub(wanted)..].iter().map(|line| (*line).to_owned()).chain(newer).collect();
    }
    Ok(found)
}

fn last_bytes(file: &mut File, length: u64, lines: usize) -> io::Result<Vec<u8>> {
    let mut wanted = (lines as u64).saturating_mul(BYTES_A_LINE).max(BYTES_A_LINE);
    loop {
        let start = length.saturating_sub(wanted);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(length - start).read_to_end(&mut bytes)?;
        if start == 0 || bytes.iter().filter(|byte| **byte == b'\n').count() > lines {
            return Ok(bytes);
        }
        wanted = wanted.saturating_mul(4);
    }
}

/// Takes each line once: also those that were written to a file just before it was put away, and files that came and
/// were put away between two looks.
struct Follower {
    path: PathBuf,
    /// Newest first. They are held open, so that no new file has the identity of one of them.
    known: Vec<Part>,
    partial: Vec<u8>,
}

impl Follower {
    fn look(&mut self, sink: &mut impl FnMut(&str)) -> io::Result<()> {
        self.take(0, sink)?;
        let moved = match File::open(&self.path).and_then(|file| identity(&file)) {
            Ok(id) => self.known.first().is_none_or(|part| part.id != id),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if !moved {
            return Ok(());
        }
        let found = open(&self.path)?;
        // it is put away by now, so nothing comes behind this
        self.take(0, sink)?;
        self.end_line(sink);
        let is_known = |part: &Part| self.known.iter().any(|known| known.id == part.id);
        let all_new = !self.known.is_empty() && !found.iter().any(is_known);
        let fresh: Vec<_> = found.into_iter().filter(|part| !is_known(part)).collect();
        if all_new && fresh.len() > 1 {
            sink(words::commands::LINES_MAY_BE_MISSING_HERE);
        }
        for part in fresh.into_iter().rev() {
            self.end_line(sink);
            self.known.insert(0, part);
            self.take(0, sink)?;
        }
        self.known.retain(|part| !is_removed(&part.file));
        // not every system tells what is removed while it is open
        self.known.truncate(HELD);
        Ok(())
    }

    /// What has come to a file since the last look.
    fn take(&mut self, index: usize, sink: &mut impl FnMut(&str)) -> io::Result<()> {
        let Some(part) = self.known.get_mut(index) else { return Ok(()) };
        if part.file.metadata()?.len() < part.taken {
            // it was emptied by somebody else
            part.taken = 0;
        }
        part.file.seek(SeekFrom::Start(part.taken))?;
        part.taken += part.file.read_to_end(&mut self.partial)? as u64;
        let end = self.partial.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let rest = self.partial.split_off(end);
        let news = std::mem::replace(&mut self.partial, rest);
        String::from_utf8_lossy(&news).lines().for_each(sink);
        Ok(())
    }

    /// A line that a file ends with is whole, whatever it ends with.
    fn end_line(&mut self, sink: &mut impl FnMut(&str)) {
        if !self.partial.is_empty() {
            sink(&String::from_utf8_lossy(&std::mem::take(&mut self.partial)));
        }
    }
}

/// `1795343980017 out text` → `18:39:40.017Z out text`, in UTC, redacted.
fn readable(line: &str, redactor: &Redactor) -> String {
    let line = redactor.redact(line);
    let stamped = line.split_once(' ').and_then(|(stamp, rest)| Some((stamp.parse::<u64>().ok()?, rest)));
    let Some((stamp, rest)) = stamped else { return format!("{line}\n") };
    let (seconds, ms) = (stamp / 1_000, stamp % 1_000);
    let (h, m, s) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{h:02}:{m:02}:{s:02}.{ms:03}Z {rest}\n")
}

/// What tells files apart while they are held open.
#[cfg(unix)]
fn identity(file: &File) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(unix)]
fn is_removed(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

/// Not the time at which it was made: Windows gives a new file the one of the file that had its name before.
#[cfg(windows)]
fn identity(file: &File) -> io::Result<(u64, u64)> {
    let information = winapi_util::file::information(file)?;
    Ok((information.volume_serial_number(), information.file_index()))
}

#[cfg(windows)]
fn is_removed(file: &File) -> bool {
    winapi_util::file::information(file).is_ok_and(|information| information.number_of_links() == 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::protocol::shim::LogLimits;
    use crate::shell::shim::log::LogWriter;

    fn tail(path: &Path, lines: usize) -> String {
        let redactor = Redactor::default();
        let lines = newest(&mut open(path).unwrap(), lines).unwrap();
        lines.iter().map(|line| readable(line, &redactor)).collect()
    }

    #[test]
    fn the_newest_lines_reach_over_rotations() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateway.log");
        fs::write(dir.path().join("gateway.log.2"), "1000 out one\n2000 out two token=abc\n").unwrap();
        fs::write(dir.path().join("gateway.log.1"), "3000 out three\n").unwrap();
        fs::write(&path, "3723004 err four\n").unwrap();
        let want = "00:00:02.000Z out two token=<redacted>\n00:00:03.000Z out three\n01:02:03.004Z err four\n";
        assert_eq!(tail(&path, 3), want);
        assert_eq!(tail(&path, 0), "");
    }

    #[test]
    fn long_lines_are_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l");
        fs::write(&path, format!("1 out {}\n2 out b\n", "x".repeat(20_000))).unwrap();
        assert_eq!(tail(&path, 2).lines().count(), 2);
        assert!(tail(&path, 2).len() > 20_000);
    }

    /// Lines with growing numbers, written and rotated while they are followed with looks at random moments.
    #[test]
    fn a_follower_takes_each_line_once_over_rotations() {
        for seed in 1..40_u64 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("x.log");
            let mut log = LogWriter::new(LogLimits { path: path.clone(), max_bytes: 300, keep: 5 });
            let mut state = seed;
            let mut random = |below: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) % below
            };
            let mut written = 0;
            let mut write = |count: u64| {
                for _ in 0..count {
                    log.line(written, "out", "0123456789");
                    written += 1;
                    log.flush();
                }
                written
            };
            write(random(30));
            let mut known = open(&path).unwrap();
            let number = |line: &str| line.split(' ').next().and_then(|stamp| stamp.parse::<i64>().ok()).unwrap();
            let mut got: Vec<_> = newest(&mut known, 7).unwrap().iter().map(|line| number(line)).collect();
            let mut follower = Follower { path: path.clone(), known, partial: Vec::new() };
            for _ in 0..60 {
                // at most three rotations between two looks, and sometimes one in the middle of a look
                write(random(25));
                let mut in_the_middle = random(20);
                let look = follower.look(&mut |line| {
                    got.push(number(line));
                    write(std::mem::take(&mut in_the_middle));
                });
                look.unwrap();
                let most = if cfg!(unix) { 6 } else { HELD };
                assert!(follower.known.len() <= most, "files that are gone are let go");
            }
            let end = write(0);
            follower.look(&mut |line| got.push(number(line))).unwrap();
            let first = got.first().copied().unwrap_or(end);
            assert_eq!(got, (first..end).collect::<Vec<_>>(), "seed {seed}");
        }
    }

    /// On Windows a file that is held open is neither put away nor removed: nothing goes unseen there, and the log grows
    /// meanwhile.
    #[cfg(unix)]
    #[test]
    fn a_follower_says_what_it_could_not_see() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let mut log = LogWriter::new(LogLimits { path: path.clone(), max_bytes: 100, keep: 3 });
        log.line(0, "out", "0123456789");
        log.flush();
        let mut follower = Follower { path: path.clone(), known: open(&path).unwrap(), partial: Vec::new() };
        for number in 1..100 {
            log.line(number, "out", "0123456789");
            log.flush();
        }
        let mut got = Vec::new();
        follower.look(&mut |line| got.push(line.to_owned())).unwrap();
        assert!(got.iter().any(|line| line.contains("may be missing")), "{got:?}");
        assert_eq!(got.last().map(String::as_str), Some("99 out 0123456789"));
        // An emptied file is read from its beginning, a removed one is waited for.
        fs::write(&path, "5 out anew\n").unwrap();
        fs::remove_file(dir.path().join("x.log.1")).unwrap();
        got.clear();
        follower.look(&mut |line| got.push(line.to_owned())).unwrap();
        fs::remove_file(&path).unwrap();
        follower.look(&mut |line| got.push(line.to_owned())).unwrap();
        fs::write(&path, "6 out other\n7 out has no end").unwrap();
        follower.look(&mut |line| got.push(line.to_owned())).unwrap();
        assert_eq!(got, ["5 out anew", "6 out other"]);
    }
}
