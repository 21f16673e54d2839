//! From bytes of a sidecar to lines of its log: cut, made text, redacted, written.
//!
//! A line may have any length and any bytes. It is cut into pieces, never through a secret: what is kept back behind a
//! cut is enough to recognise one, and a secret longer than that is dropped up to its end.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::BufRead;

use crate::core::redact::{REPLACEMENT, Redactor, Until};
use crate::protocol::shim::LogLimits;

use super::log::LogWriter;
use super::record::LossRecord;

/// Longest piece of a line, in bytes before escapes.
pub const PIECE: usize = 16 * 1024;
/// Least that is kept back behind a cut.
pub const OVERLAP: usize = 4 * 1024;
/// Newest lines of standard error that an exit record tells, and how much of each.
const TOLD_LINES: usize = 20;
const TOLD_BYTES: usize = 500;
/// A private key that never ends stops hiding lines after this many.
const LONGEST_KEY_BLOCK: u32 = 200;

/// Which of a sidecar's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// The log of one run with all that is known about its text.
pub struct Journal {
    log: LogWriter,
    redactor: Redactor,
    out: Cutter,
    err: Cutter,
    last_stderr: LastLines,
    losses: Option<LossRecord>,
}

impl Journal {
    /// A journal that hides what the redactor knows.
    pub fn new(limits: LogLimits, redactor: Redactor) -> Self {
        Self {
            log: LogWriter::new(limits),
            redactor,
            out: Cutter::default(),
            err: Cutter::default(),
            last_stderr: LastLines::default(),
            losses: None,
        }
    }

    /// Tells there what is lost.
    pub fn tell_losses(&mut self, record: LossRecord) {
        self.losses = Some(record);
    }

    /// Takes what was read from one output.
    pub fn take(&mut self, stream: Stream, bytes: &[u8], unix_ms: i64) {
        let Self { log, redactor, out, err, last_stderr, .. } = self;
        match stream {
            Stream::Out => out.feed(bytes, redactor, &mut |continued, text| {
                log.line(unix_ms, if continued { "out+" } else { "out" }, text);
            }),
            Stream::Err => err.feed(bytes, redactor, &mut |continued, text| {
                log.line(unix_ms, if continued { "err+" } else { "err" }, text);
                last_stderr.take(text);
            }),
        }
    }

    /// One output has ended; a last line without an end of line is a line too.
    pub fn end(&mut self, stream: Stream, unix_ms: i64) {
        let cutter = match stream {
            Stream::Out => &self.out,
            Stream::Err => &self.err,
        };
        if cutter.has_open_line() {
            self.take(stream, b"\n", unix_ms);
        }
    }

    /// A line of the shim's own.
    pub fn note(&mut self, text: &str, unix_ms: i64) {
        self.log.line(unix_ms, "sup", &self.redactor.redact(text));
    }

    /// Hands everything to the disk: call it when nothing more is waiting.
    pub fn flush(&mut self) {
        self.log.flush();
        if let Some(losses) = &mut self.losses {
            // The kind in words: the rest may be long.
            losses.tell(self.log.dropped_lines(), || self.log.trouble().map(|error| error.kind().to_string()));
        }
    }

    /// Lines that never reached the disk.
    pub fn dropped_lines(&self) -> u64 {
        self.log.dropped_lines()
    }

    /// The newest lines of standard error, redacted, without the frames of a backtrace: they would push out what it is of.
    pub fn last_stderr(&self) -> Vec<String> {
        self.last_stderr.lines.iter().cloned().collect()
    }

    /// A text without its secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redactor.redact(text)
    }
}

#[derive(Debug, Default)]
struct LastLines {
    lines: VecDeque<String>,
    /// Inside a backtrace of Rust's, whose frames are indented.
    frames: bool,
}

impl LastLines {
    fn take(&mut self, text: &str) {
        self.frames = text.eq_ignore_ascii_case("stack backtrace:") || (self.frames && text.starts_with(' '));
        if self.frames {
            return;
        }
        if self.lines.len() == TOLD_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(text[..boundary_before(text, TOLD_BYTES)].to_owned());
    }
}

/// Cuts one output into redacted pieces of lines.
#[derive(Debug, Default)]
pub struct Cutter {
    /// The beginning of a line whose end has not come yet, or what was kept back behind a cut.
    carry: Vec<u8>,
    /// Pieces of this line have been written.
    continued: bool,
    /// Inside a secret that is longer than what is kept back; then nothing of `carry` is written before its end.
    inside: Option<Until>,
    /// Lines seen of a private key that has begun; 0 outside.
    key_lines: u32,
}

impl Cutter {
    /// A line has begun whose end has not come.
    pub fn has_open_line(&self) -> bool {
        self.continued || !self.carry.is_empty()
    }

    /// `sink` gets each piece, and whether it continues a line.
    pub fn feed(&mut self, bytes: &[u8], redactor: &Redactor, sink: &mut impl FnMut(bool, &str)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let mut behind = rest;
            // Reading from memory does not fail.
            let len = behind.skip_until(b'\n').unwrap_or(rest.len());
            let (chunk, next) = rest.split_at(len);
            rest = next;
            match chunk.strip_suffix(b"\n") {
                Some(line) if !self.has_open_line() && line.len() <= PIECE => self.emit(line, redactor, sink),
                Some(line) => {
                    self.keep(line, redactor, sink);
                    self.finish(redactor, sink);
                }
                None => self.keep(chunk, redactor, sink),
            }
        }
    }

    /// Adds to the open line, cutting off pieces as it grows.
    fn keep(&mut self, mut bytes: &[u8], redactor: &Redactor, sink: &mut impl FnMut(bool, &str)) {
        let limit = PIECE + OVERLAP.max(redactor.longest_literal());
        while !bytes.is_empty() {
            let room = limit.saturating_sub(self.carry.len()).max(1);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.carry.extend_from_slice(now);
            bytes = later;
            if let Some(until) = self.inside {
                let Some(end) = until.end_in(&self.carry) else {
                    self.carry.drain(..self.carry.len() - until.unsure(&self.carry));
                    continue;
                };
                self.carry.drain(..end);
                self.inside = None;
            }
            if self.carry.len() >= limit {
                self.cut(redactor, sink);
            }
        }
    }

    fn finish(&mut self, redactor: &Redactor, sink: &mut impl FnMut(bool, &str)) {
        while self.inside.is_none() && self.carry.len() > PIECE {
            self.cut(redactor, sink);
        }
        if self.inside.take().is_some() {
            self.carry.clear();
        }
        if !self.carry.is_empty() || !self.continued {
            let carry = std::mem::take(&mut self.carry);
            self.emit(&carry, redactor, sink);
        }
        self.continued = false;
    }

    /// Writes the first piece of what is kept, and keeps the rest.
    fn cut(&mut self, redactor: &Redactor, sink: &mut impl FnMut(bool, &str)) {
        let carry = std::mem::take(&mut self.carry);
        let whole = carry.len() - torn_character(&carry);
        let text = String::from_utf8_lossy(&carry[..whole]);
        let (cut, inside) = place_to_cut(&text, redactor);
        self.emit_text(&text[..cut], redactor, sink);
        self.continued = true;
        self.inside = inside;
        // Of a secret that goes on, only what its end may begin with is looked at again.
        let kept = inside.map_or(cut, |until| text.len() - until.unsure(text.as_bytes()));
        self.carry.extend_from_slice(&text.as_bytes()[kept..]);
        self.carry.extend_from_slice(&carry[whole..]);
    }

    fn emit(&mut self, bytes: &[u8], redactor: &Redactor, sink: &mut impl FnMut(bool, &str)) {
        self.emit_text(&String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes)), redactor, sink);
    }

    fn emit_text(&mut self, text: &str, redactor: &Redactor, sink: &mut impl FnMut(bool, &str)) {
        if self.in_private_key(text) {
            sink(self.continued, REPLACEMENT);
        } else {
            sink(self.continued, &redactor.redact(text));
        }
    }

    /// Follows a private key over its lines, which say nothing of it themselves.
    fn in_private_key(&mut self, text: &str) -> bool {
        if self.key_lines == 0 {
            // Only a few lines have this many dashes; the rest costs one search.
            if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----") && !text.contains("-----END") {
                self.key_lines = 1;
            }
            return false;
        }
        self.key_lines += 1;
        if text.contains("-----") || self.key_lines > LONGEST_KEY_BLOCK {
            self.key_lines = 0;
            return false;
        }
        true
    }
}

/// Where a text may be cut: at [`PIECE`], moved out of any secret. A secret that begins the text and does not end in it
/// takes all of it, and what would end it is returned.
fn place_to_cut(text: &str, redactor: &Redactor) -> (usize, Option<Until>) {
    let spans = redactor.spans(text);
    let mut cut = boundary_before(text, PIECE);
    for span in spans.iter().rev() {
        // One character behind it belongs to it: without its `@`, a password in a URL is not recognised.
        if span.context < cut && cut <= span.end {
            cut = span.context;
        }
    }
    if cut == 0 {
        for span in &spans {
            if span.context <= cut {
                cut = cut.max(boundary_after(text, span.end + 1));
            }
        }
    }
    let open = spans.last().filter(|span| cut == text.len() && span.end == cut);
    (cut, open.and_then(|span| span.until))
}

fn boundary_before(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

fn boundary_after(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// How many bytes at the end are the beginning of a character.
fn torn_character(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let byte = bytes[bytes.len() - back];
        if byte & 0b1100_0000 != 0b1000_0000 {
            let needs = match byte {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            };
            return if needs > back { back } else { 0 };
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(redactor: &Redactor, input: &[u8], chunk: usize) -> Vec<(bool, String)> {
        let mut got = Vec::new();
        let mut cutter = Cutter::default();
        let mut sink = |continued: bool, text: &str| got.push((continued, text.to_owned()));
        for part in input.chunks(chunk) {
            cutter.feed(part, redactor, &mut sink);
        }
        if cutter.has_open_line() {
            cutter.feed(b"\n", redactor, &mut sink);
        }
        got
    }

    fn joined(got: &[(bool, String)]) -> String {
        got.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn lines_come_out_whole_however_they_come_in() {
        let input = b"one\r\n\ntwo \xff\xfe\nthr\xc3\xa9e\nlast";
        let want: Vec<(bool, String)> =
            ["one", "", "two \u{fffd}\u{fffd}", "thrée", "last"].map(|text| (false, text.to_owned())).into();
        for chunk in 1..input.len() {
            assert_eq!(pieces(&Redactor::default(), input, chunk), want, "in chunks of {chunk}");
        }
    }

    #[test]
    fn a_long_line_is_cut_and_nothing_is_lost() {
        let line: String = ('a'..='z').chain(['é', ' ', '漢']).cycle().take(100_000).collect();
        for chunk in [7, 4_096, 65_536] {
            let got = pieces(&Redactor::default(), format!("{line}\nnext\n").as_bytes(), chunk);
            let (last, long) = got.split_last().expect("there are pieces");
            assert_eq!(last, &(false, "next".to_owned()));
            assert_eq!(joined(long), line);
            assert!(
                long.iter()
                    .enumerate()
                    .all(|(index, (continued, text))| *continued == (index > 0) && text.len() <= PIECE)
            );
        }
    }

    #[test]
    fn a_secret_on_the_cut_is_hidden_whole() {
        let redactor = Redactor::new(["plantedliteral".to_owned()]);
        for secret in
            ["plantedliteral", "token=hunter2hunter2", r#""password": "plant ed""#, "https://user:pw123456@h/"]
        {
            for before in PIECE - 30..PIECE + 2 {
                let line = format!("{} {secret} {}\n", "x".repeat(before), "y".repeat(10_000));
                let text = joined(&pieces(&redactor, line.as_bytes(), 5_000));
                for part in ["planted", "literal", "hunter2", "plant ed", "pw123", "ed\""] {
                    assert!(!text.contains(part), "{part} of {secret} behind {before}");
                }
                assert!(text.starts_with("xxx") && text.ends_with("yyy"));
                assert!(text.contains(REPLACEMENT));
            }
        }
    }

    #[test]
    fn a_secret_of_any_length_is_dropped_to_its_end() {
        let line = format!("{{\"api_key\":\"{}\",\"after\":1}}\n", "S".repeat(1_000_000));
        let text = joined(&pieces(&Redactor::default(), line.as_bytes(), 65_536));
        assert_eq!(text, "{\"api_key\":\"<redacted>\",\"after\":1}");
        let line = format!("ab token={}\nnext\n", "S".repeat(1_000_000));
        let got = pieces(&Redactor::default(), line.as_bytes(), 65_536);
        assert_eq!(joined(&got), "ab token=<redacted>next");
        assert_eq!(got.last(), Some(&(false, "next".to_owned())));
    }

    #[test]
    fn what_ends_a_long_secret_may_be_torn_by_a_read() {
        // The quote behind the backslash belongs to the secret, and its end to the marker; each read ends between them.
        let body = "S".repeat(40_000);
        for (line, want) in [
            (format!(r#"{{"password":"{body}\"{body}","n":1}}"#), r#"{"password":"<redacted>","n":1}"#),
            (format!(r#"{{"password":"{body}\\","n":1}}"#), r#"{"password":"<redacted>","n":1}"#),
            (format!("x?next=%2Ftoken%3D{body}%26b"), "x?next=%2Ftoken%3D<redacted>%26b"),
            (
                format!(r"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n tail"),
                r"-----BEGIN PRIVATE KEY-----<redacted>-----END PRIVATE KEY-----\n tail",
            ),
        ] {
            let ends =
                (body.len() + 10..body.len() + 40).chain(line.len() - 60..line.len()).filter(|end| *end < line.len());
            for end in ends {
                let mut got = Vec::new();
                let mut cutter = Cutter::default();
                let redactor = Redactor::default();
                let (first, second) = line.as_bytes().split_at(end);
                for part in [first, second, b"\n"] {
                    cutter.feed(part, &redactor, &mut |continued, text| got.push((continued, text.to_owned())));
                }
                assert_eq!(joined(&got), want, "torn at {end}");
            }
        }
    }

    #[test]
    fn a_private_key_is_hidden_over_its_lines() {
        let input = b"a\n-----BEGIN EC PRIVATE KEY-----\nMHcC\nAQEE==\n-----END EC PRIVATE KEY-----\nb\n";
        let got: Vec<String> = pieces(&Redactor::default(), input, 9).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            got,
            ["a", "-----BEGIN EC PRIVATE KEY-----", REPLACEMENT, REPLACEMENT, "-----END EC PRIVATE KEY-----", "b"]
        );
    }

    #[test]
    fn standard_error_is_told_in_short() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let limits = LogLimits { path: dir.path().join("x.log"), max_bytes: 1 << 20, keep: 2 };
        let mut journal = Journal::new(limits, Redactor::default());
        for number in 0..30 {
            journal.take(Stream::Err, format!("line {number} token=abc\n").as_bytes(), 1);
        }
        journal.take(Stream::Err, "é".repeat(1_000).as_bytes(), 1);
        journal.end(Stream::Err, 1);
        let told = journal.last_stderr();
        assert_eq!((told.len(), told[0].as_str()), (20, "line 11 token=<redacted>"));
        assert_eq!(told[19].len(), 500);
    }

    #[test]
    fn a_backtrace_does_not_push_out_the_error_that_it_is_of() {
        let dir = tempfile::tempdir().unwrap();
        let limits = LogLimits { path: dir.path().join("x.log"), max_bytes: 1 << 20, keep: 1 };
        let mut journal = Journal::new(limits, Redactor::default());
        let frames: String = (0..40).map(|n| format!("{n:>4}: frame\n             at ./src/x.rs:1:1\n")).collect();
        let text = format!("Error: no\n\nCaused by:\n    why\n\nStack backtrace:\n{frames}after\n  indented\n");
        journal.take(Stream::Err, text.as_bytes(), 1);
        assert_eq!(journal.last_stderr(), ["Error: no", "", "Caused by:", "    why", "", "after", "  indented"]);
        journal.flush();
        assert!(
            std::fs::read_to_string(dir.path().join("x.log")).unwrap().contains("39: frame"),
            "the log has all of it"
        );
    }

    /// A secret that goes on to the end of the line.
    const EOL: &str = ";";
    /// What stands before and behind a secret of each kind.
    const SECRETS: &[(&str, &str)] = &[
        ("token=", ""),
        (r#"{"api_key":""#, r#"","n":1}"#),
        (r#"{"m":"{\"password\":\""#, r#"\"}"}"#),
        ("\x1b[3mauth_token\x1b[0m\x1b[2m=\x1b[0m", "\x1b[0m"),
        ("tokens=[", "]"),
        ("Authorization: Bearer ", EOL),
        ("Bearer ", ""),
        ("https://user:", "@host/"),
        ("https://host/?sig=", "&b=2"),
        ("next=%2Fx%3Ftoken%3D", "%26b%3D1"),
        ("sk-", ""),
        ("AKIA", ""),
        ("eyJhbGciOiJIUzI1NiJ9.", ""),
        ("eyJ", ".abc.def"),
        (r"-----BEGIN RSA PRIVATE KEY-----\n", r"\n-----END RSA PRIVATE KEY-----"),
    ];

    /// Letters and digits without a pattern, so that no part of them stands anywhere else by chance.
    fn body_of(length: usize, seed: u64, capitals: bool) -> String {
        let mut state = seed | 1;
        let letters: &[u8] =
            if capitals { b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" } else { b"ABCDEFGHIJKabcdefghijk0123456789" };
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(letters[usize::try_from(state % letters.len() as u64).unwrap_or_default()])
        };
        (0..length).map(|_| next()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_secret_of_any_kind_shows_across_a_cut(
            kind in 0..SECRETS.len(),
            length in prop_oneof![20..200_usize, 200..40_000_usize],
            before in prop_oneof![PIECE - 300..PIECE + 100, 0..60_000_usize],
            chunk in prop_oneof![1..300_usize, 300..70_000_usize],
            seed in any::<u64>(),
        ) {
            let (head, tail) = SECRETS[kind];
            let length = if matches!(head, "sk-" | "AKIA") { length.min(2_000) } else { length };
            let body = body_of(length, seed, head == "AKIA");
            let line = format!("{} {head}{body}{tail} {}\n", "x".repeat(before), "y".repeat(9_000));
            let text = joined(&pieces(&Redactor::default(), line.as_bytes(), chunk));
            let shown: std::collections::HashSet<&[u8]> = text.as_bytes().windows(8).collect();
            let part = body.as_bytes().windows(8).position(|part| shown.contains(part));
            prop_assert!(part.is_none(), "{part:?} of {length} behind {before}");
            prop_assert!(text.starts_with(&"x".repeat(before)), "what stands before it stays");
            prop_assert!(tail == EOL || text.ends_with(&"y".repeat(9_000)), "what stands behind it stays");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_literal_never_crosses(before in 0..60_000_usize, chunk in 1..70_000_usize, literal in "[A-Za-z0-9]{8,60}") {
            let line = format!("{}{literal}{}\n", "é-".repeat(before / 3), " z".repeat(12_000));
            let text = joined(&pieces(&Redactor::new([literal.clone()]), line.as_bytes(), chunk));
            prop_assert!(!text.contains(&literal));
            prop_assert_eq!(text, line.trim_end_matches('\n').replace(&literal, REPLACEMENT));
        }

        #[test]
        fn any_bytes_are_survived(parts in prop::collection::vec((any::<u8>(), 1..9_000_usize), 0..12), chunk in 1..20_000_usize) {
            let input: Vec<u8> = parts.iter().flat_map(|(byte, times)| std::iter::repeat_n(*byte, *times)).collect();
            let got = pieces(&Redactor::default(), &input, chunk);
            prop_assert!(got.iter().all(|(_, text)| text.len() <= 3 * (PIECE + OVERLAP)));
        }
    }
}
