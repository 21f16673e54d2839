//! What one service's log must say, read as it grows and compared with what the sidecars have really written.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// One life of a sidecar, as its log tells it.
#[derive(Debug, Default)]
pub struct Run {
    pub id: String,
    /// How it ended, in the log's words.
    pub ended: Option<String>,
    /// The log says that its shim was killed.
    pub lost: bool,
    /// Number of the next line of its scribe.
    next: u64,
    /// The beginning of a line whose end is missing.
    torn: Option<String>,
    compared: bool,
}

/// A log and the folder in which the scribes note what they have written.
pub struct Witness {
    log: PathBuf,
    scribes: PathBuf,
    open: Option<File>,
    rest: Vec<u8>,
    pub runs: Vec<Run>,
    pub lines: u64,
}

impl Witness {
    pub fn new(log: PathBuf, scribes: &Path) -> Self {
        Self { log, scribes: scribes.to_owned(), open: None, rest: Vec::new(), runs: Vec::new(), lines: 0 }
    }

    /// Reads what is new, across a rotation; an error is a finding.
    pub fn read(&mut self) -> Result<(), String> {
        loop {
            if let Some(file) = &mut self.open {
                file.read_to_end(&mut self.rest).expect("readable");
            }
            let open = self.open.as_ref().map(|file| file.metadata().expect("open").ino());
            match fs::metadata(&self.log) {
                Ok(now) if Some(now.ino()) != open => self.open = File::open(&self.log).ok(),
                _ => break,
            }
        }
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8(line).map_err(|error| format!("bytes that are no text: {error}"))?;
            self.line(line.trim_end()).map_err(|why| format!("{}: {why}", self.log.display()))?;
        }
        for run in &mut self.runs {
            if run.ended.is_some() && !run.compared {
                run.compared = true;
                compare(run, &self.scribes)?;
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let mut parts = line.splitn(3, ' ');
        let (_stamp, tag, text) = (parts.next(), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        match tag {
            "sup" => self.said(text),
            "out" if text.starts_with("scribe ") => self.scribed(text),
            "out" | "err" => Ok(()),
            _ => self.torn(line),
        }
    }

    fn said(&mut self, text: &str) -> Result<(), String> {
        if let Some((_, id)) = text.strip_prefix("started ").and_then(|text| text.split_once(" run ")) {
            if let Some(last) = self.runs.last()
                && last.ended.is_none()
                && !last.lost
            {
                return Err(format!("says nothing of the end of {}", last.id));
            }
            if let Some(run) = self.runs.iter().find(|run| run.torn.is_some() && !run.lost) {
                return Err(format!("a torn line: {run:?}"));
            }
            self.runs.push(Run { id: id.to_owned(), ..Run::default() });
            return Ok(());
        }
        if let Some((id, _)) = text.strip_prefix("run ").and_then(|text| text.split_once(" is lost: ")) {
            if self.runs.last().is_none_or(|run| run.id != id) {
                // its shim was killed before it could say that it starts it
                self.runs.push(Run { id: id.to_owned(), ..Run::default() });
            }
            // nobody will ask for its lines any more
            let _ = fs::remove_file(self.scribes.join(id));
        }
        let Some(run) = self.runs.last_mut() else { return Ok(()) };
        run.lost |= text.contains(" is lost: ");
        if text.contains(" ended: ") {
            run.ended = Some(text.to_owned());
        }
        Ok(())
    }

    fn scribed(&mut self, text: &str) -> Result<(), String> {
        let words: Vec<&str> = text.split(' ').collect();
        let [_, id, number, "."] = words[..] else { return self.torn(text) };
        let number: u64 = number.parse().map_err(|_| format!("an odd line: {text}"))?;
        let Some(run) = self.runs.last_mut().filter(|run| run.id == id) else {
            return Err(format!("a line of another run: {text}"));
        };
        if number != run.next {
            return Err(format!("{text}, but {} was due", run.next));
        }
        run.next += 1;
        self.lines += 1;
        Ok(())
    }

    fn torn(&mut self, line: &str) -> Result<(), String> {
        let run = self.runs.last_mut().ok_or_else(|| format!("an odd line: {line}"))?;
        match run.torn.replace(line.to_owned()) {
            None => Ok(()),
            Some(first) => Err(format!("torn lines: {first}, {line}")),
        }
    }
}

/// Every line that the scribe knows to have written stands in the log.
fn compare(run: &Run, scribes: &Path) -> Result<(), String> {
    let path = scribes.join(&run.id);
    let written = fs::read_to_string(&path).unwrap_or_default();
    let last = written.rsplit_terminator('\n').next().and_then(|number| number.parse::<u64>().ok());
    if let Some(last) = last
        && last >= run.next
    {
        return Err(format!("{}: line {last} was written, the log ends before {}", run.id, run.next));
    }
    if let Some(torn) = &run.torn {
        return Err(format!("{}: a torn line: {torn}", run.id));
    }
    let _ = fs::remove_file(path);
    Ok(())
}
