//! What a sidecar writes: cut into lines and pieces, redacted, made harmless.

use palyra_tray::core::redact::Redactor;
use palyra_tray::shell::shim::log::push_line;
use palyra_tray::shell::shim::pump::{Cutter, OVERLAP, PIECE};

/// Known to the redactor; nothing else is ever this text.
const LITERAL: &str = "plAnted-l1teral";
/// What stands behind a key or in a place that gives it away.
const SECRET: &str = "Hunter2Hunter2";

/// The first six bytes say how it is torn, what is planted and where; the rest is what the sidecar writes.
pub fn check(data: &[u8]) {
    let Some((steer, noise)) = data.split_first_chunk::<6>() else { return };
    if noise.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()) {
        return;
    }
    let [tear, more, shape, place, padding, much] = steer.map(usize::from);
    let at = place * noise.len() / 255;
    let (before, after) = noise.split_at(at.min(noise.len()));
    // so that a secret comes to lie on a cut too
    let padding = if padding < 128 { padding } else { PIECE - 300 + 2 * padding + much * 20 };
    let padding = vec![b'x'; padding];
    let redactor = Redactor::new([LITERAL.to_owned()]);

    let literal: Vec<u8> = [before, &padding, LITERAL.as_bytes(), after].concat();
    let out = written(&redactor, &literal, tear + more * 256);
    assert!(!out.contains(LITERAL), "a planted literal came out");

    let shapes = [
        format!("token={SECRET}"),
        format!("{{\"api_key\":\"{SECRET}\",\"n\":1}}"),
        format!("Authorization: Bearer {SECRET}"),
        format!("https://user:{SECRET}@host/x"),
        format!("GET /?a=1&access_token={SECRET}&b=2"),
        format!("password: \"{SECRET}\""),
    ];
    let shape = &shapes[shape % shapes.len()];
    let line: Vec<u8> = [b"\n", &padding[..], b" ", shape.as_bytes(), b" ", after].concat();
    let out = written(&redactor, &line, tear + more * 256);
    assert!(!out.contains(SECRET), "a secret came out of {shape}");

    if let Ok(text) = std::str::from_utf8(noise) {
        let once = redactor.redact(text);
        assert_eq!(redactor.redact(&once), once, "twice is once");
        for span in redactor.spans(text) {
            assert!(span.context <= span.start && span.start <= span.end && span.end <= text.len());
            assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
        }
    }
}

/// What stands in the log, without what it adds to each line; pieces of one line are put together again.
fn written(redactor: &Redactor, input: &[u8], tear: usize) -> String {
    let mut cutter = Cutter::default();
    let (mut all, mut lines) = (String::new(), 0);
    let mut sink = |continued: bool, text: &str| {
        assert!(text.len() <= 3 * (PIECE + OVERLAP), "a piece of {} bytes", text.len());
        let mut line = Vec::new();
        push_line(&mut line, 7, "out", text);
        let line = String::from_utf8(line).expect("a log is text");
        let line = line.strip_prefix("7 out ").and_then(|line| line.strip_suffix('\n')).expect("a whole line");
        assert!(!line.chars().any(|c| c.is_control() && c != '\t'), "a terminal would obey {line:?}");
        if !continued {
            all.push('\n');
        }
        all.push_str(line);
        lines += 1;
    };
    for part in input.chunks(tear.max(1)) {
        cutter.feed(part, redactor, &mut sink);
    }
    if cutter.has_open_line() {
        cutter.feed(b"\n", redactor, &mut sink);
    }
    let whole = input.iter().filter(|byte| **byte == b'\n').count();
    assert!(lines >= whole, "{whole} lines went in, {lines} came out");
    all
}
