//! `logs`: the newest lines from disk, and those that come. Needs no running agent.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::config::Paths;
use crate::protocol::{Failure, FailureCode};

/// Between two looks while following.
const FOLLOW: Duration = Duration::from_millis(200);
/// Bytes read from the end of a file for one line asked for.
const BYTES_A_LINE: u64 = 512;

/// Arguments of `logs`.
#[derive(Args)]
pub struct LogsArgs {
    /// gateway, browserd, node_host or tray
    #[arg(default_value = "gateway")]
    service: String,
    /// Go on with the lines that come
    #[arg(short, long)]
    follow: bool,
    /// How many lines
    #[arg(short = 'n', long = "lines", default_value_t = 100)]
    lines: usize,
}

/// Prints them.
pub fn logs(paths: &Paths, args: &LogsArgs) -> Result<ExitCode, Failure> {
    let path = if args.service == "tray" {
        paths.agent_log()
    } else {
        let service = super::service(&args.service).map_err(|why| {
            Failure::new(FailureCode::Usage, format!("no such log: {}", args.service), format!("{why}, or tray"))
        })?;
        paths.log(service)
    };
    let mut file = match File::open(&path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && args.follow => None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("nothing has been logged there yet: {}", path.display());
            return Err(Failure::new(FailureCode::Failed, message, "Start Palyra: palyra-tray run"));
        }
        Err(error) => return Err(Failure::new(FailureCode::Failed, format!("{}: {error}", path.display()), "")),
    };
    let failed = |error: std::io::Error| Failure::new(FailureCode::Failed, format!("{}: {error}", path.display()), "");
    let mut at = 0;
    if let Some(file) = &mut file {
        at = file.metadata().map_err(failed)?.len();
        super::print(&tail(file, at, args.lines, &path).map_err(failed)?);
    }
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    let mut partial = Vec::new();
    loop {
        std::thread::sleep(FOLLOW);
        // first what is left of the file at hand, then the one that took its place
        if let Some(open) = &mut file {
            open.seek(SeekFrom::Start(at)).map_err(failed)?;
            let mut news = std::mem::take(&mut partial);
            at += open.read_to_end(&mut news).map_err(failed)? as u64;
            partial = news.split_off(news.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
            super::print(&readable(&news));
        }
        if let Ok(newest) = File::open(&path)
            && file.as_ref().is_none_or(|open| !same_file(open, &newest))
        {
            super::print(&readable(&std::mem::take(&mut partial)));
            file = Some(newest);
            at = 0;
        }
    }
}

/// The last lines of the file, and of the one before it when it holds too few.
fn tail(file: &mut File, length: u64, lines: usize, path: &Path) -> std::io::Result<String> {
    let mut text = last_bytes(file, length, lines)?;
    if text.lines().count() < lines {
        let older = path.with_file_name(format!("{}.1", path.file_name().unwrap_or_default().to_string_lossy()));
        if let Ok(mut older) = File::open(older) {
            let length = older.metadata()?.len();
            text = last_bytes(&mut older, length, lines)? + &text;
        }
    }
    let all: Vec<_> = text.lines().collect();
    let shown = &all[all.len().saturating_sub(lines)..];
    Ok(shown.iter().map(|line| readable_line(line) + "\n").collect())
}

fn last_bytes(file: &mut File, length: u64, lines: usize) -> std::io::Result<String> {
    let mut wanted = (lines as u64).saturating_mul(BYTES_A_LINE).max(BYTES_A_LINE);
    loop {
        let start = length.saturating_sub(wanted);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(length - start).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if start == 0 || text.lines().count() > lines {
            return Ok(text);
        }
        wanted = wanted.saturating_mul(4);
    }
}

fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().map(|line| readable_line(line) + "\n").collect()
}

/// `1795343980017 out text` → `18:39:40.017 out text`, in UTC.
fn readable_line(line: &str) -> String {
    let Some((stamp, rest)) = line.split_once(' ') else { return line.to_owned() };
    let Ok(ms) = stamp.parse::<u64>() else { return line.to_owned() };
    let (seconds, ms) = (ms / 1_000, ms % 1_000);
    let (h, m, s) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{h:02}:{m:02}:{s:02}.{ms:03}Z {rest}")
}

#[cfg(unix)]
fn same_file(a: &File, b: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (a.metadata(), b.metadata()) {
        (Ok(a), Ok(b)) => a.ino() == b.ino() && a.dev() == b.dev(),
        _ => true,
    }
}

#[cfg(not(unix))]
fn same_file(a: &File, b: &File) -> bool {
    // a file that shrank is another one
    match (a.metadata(), b.metadata()) {
        (Ok(a), Ok(b)) => b.len() >= a.len(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_reach_over_a_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gateway.log");
        std::fs::write(dir.path().join("gateway.log.1"), "1000 out one\n2000 out two\n").unwrap();
        std::fs::write(&path, "3723004 err three\n").unwrap();
        let mut file = File::open(&path).unwrap();
        let length = file.metadata().unwrap().len();
        let text = tail(&mut file, length, 2, &path).unwrap();
        assert_eq!(text, "00:00:02.000Z out two\n01:02:03.004Z err three\n");
    }

    #[test]
    fn long_lines_are_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("l");
        std::fs::write(&path, format!("1 out {}\n2 out b\n", "x".repeat(20_000))).unwrap();
        let mut file = File::open(&path).unwrap();
        let length = file.metadata().unwrap().len();
        assert_eq!(tail(&mut file, length, 2, &path).unwrap().lines().count(), 2);
        assert!(tail(&mut file, length, 2, &path).unwrap().len() > 20_000);
    }
}
