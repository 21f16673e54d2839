//! The little HTTP that a one-shot address needs: read one request head, judge it, write one answer.

use std::io;

use secrecy::zeroize::Zeroizing;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::words;

/// Longest request head, bytes. Browsers send the cookies of every program on 127.0.0.1, whatever its port, so that the
/// usual 8 KiB can be too little.
const MAX_HEAD_BYTES: usize = 16 * 1024;

macro_rules! refusal {
    ($status:literal) => {
        concat!("HTTP/1.1 ", $status, "\r\ncontent-length: 0\r\ncache-control: no-store\r\nconnection: close\r\n\r\n")
    };
}

/// To another user of this machine, or a request that no person made.
pub(super) const FORBIDDEN: &str = refusal!("403 Forbidden");
const MALFORMED: &str = refusal!("400 Bad Request");
const NOT_FOUND: &str = refusal!("404 Not Found");
const ONLY_GET: &str = refusal!("405 Method Not Allowed");
const WRONG_HOST: &str = refusal!("421 Misdirected Request");
const TOO_LARGE: &str = refusal!("431 Request Header Fields Too Large");

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A person's browser at the right address.
    Good,
    /// This answer, and the address stays as it is.
    Refuse(&'static str),
}

/// The head, or what there is of it when it is too long or ends early.
pub(super) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut chunk = [0; 2048];
    while head.len() < MAX_HEAD_BYTES && !ends(&head) {
        match stream.read(&mut chunk).await? {
            0 => break,
            count => head.extend_from_slice(&chunk[..count]),
        }
    }
    Ok(head)
}

/// Judges a head: the right path, GET by a person, and our own name as host, so that no web page and no rebound name gets
/// here.
pub(super) fn judge(head: &[u8], path: &str, port: u16) -> Verdict {
    if !ends(head) {
        return Verdict::Refuse(if head.len() >= MAX_HEAD_BYTES { TOO_LARGE } else { MALFORMED });
    }
    let Ok(head) = std::str::from_utf8(head) else { return Verdict::Refuse(MALFORMED) };
    let head = head.split_once("\r\n\r\n").map_or(head, |(head, _)| head);
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Verdict::Refuse(MALFORMED);
    };
    let mut hosts = Vec::new();
    let mut is_by_a_person = true;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { return Verdict::Refuse(MALFORMED) };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "host" => hosts.push(value),
            "sec-fetch-site" => is_by_a_person &= matches!(value, "none" | "same-origin"),
            "sec-purpose" | "purpose" | "x-moz" => is_by_a_person &= !value.to_ascii_lowercase().contains("prefetch"),
            _ => {}
        }
    }
    if !target.strip_prefix('/').is_some_and(|target| equal(target.as_bytes(), path.as_bytes())) {
        return Verdict::Refuse(NOT_FOUND);
    }
    if hosts != [format!("127.0.0.1:{port}")] {
        return Verdict::Refuse(WRONG_HOST);
    }
    match method {
        "GET" if is_by_a_person => Verdict::Good,
        "GET" => Verdict::Refuse(FORBIDDEN),
        _ => Verdict::Refuse(ONLY_GET),
    }
}

/// Sends the browser on; `None` for an address that does not fit into a header.
pub(super) fn redirect(url: &str) -> Option<Zeroizing<String>> {
    let fits = !url.is_empty() && url.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| {
        Zeroizing::new(format!(
            "HTTP/1.1 303 See Other\r\nlocation: {url}\r\ncache-control: no-store\r\nreferrer-policy: no-referrer\r\n\
             content-length: 0\r\nconnection: close\r\n\r\n"
        ))
    })
}

/// To a second hit.
pub(super) fn gone() -> String {
    page("410 Gone", words::gateway::THIS_ADDRESS_WAS_USED_ALREADY)
}

/// A page with one sentence.
pub(super) fn page(status: &str, sentence: &str) -> String {
    let sentence = sentence.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = format!("<!doctype html><meta charset=\"utf-8\"><title>Palyra</title><p>{sentence}</p>\n");
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\n\
         content-security-policy: default-src 'none'; frame-ancestors 'none'\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn ends(head: &[u8]) -> bool {
    head.windows(4).any(|window| window == b"\r\n\r\n")
}

/// Takes the same time wherever the difference is.
fn equal(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "GET /secret HTTP/1.1\r\nHost: 127.0.0.1:5\r\nSec-Fetch-Site: none\r\n\r\n";

    fn judged(head: &str) -> Verdict {
        judge(head.as_bytes(), "secret", 5)
    }

    #[test]
    fn a_browser_at_the_right_address_is_good() {
        assert_eq!(judged(GOOD), Verdict::Good);
        assert_eq!(judged("GET /secret HTTP/1.1\r\nhOST:127.0.0.1:5\r\nCookie: a=b\r\n\r\n"), Verdict::Good);
    }

    #[test]
    fn everything_else_is_refused() {
        for (from, to, answer) in [
            ("/secret", "/secreT", NOT_FOUND),
            ("/secret", "/", NOT_FOUND),
            ("/secret", "/secret?x=1", NOT_FOUND),
            ("/secret", "http://127.0.0.1:5/secret", NOT_FOUND),
            ("/secret", "//secret", NOT_FOUND),
            ("127.0.0.1:5", "localhost:5", WRONG_HOST),
            ("127.0.0.1:5", "127.0.0.1", WRONG_HOST),
            ("127.0.0.1:5", "evil.example:5", WRONG_HOST),
            ("Host: 127.0.0.1:5\r\n", "", WRONG_HOST),
            ("Host: 127.0.0.1:5\r\n", "Host: 127.0.0.1:5\r\nHost: evil.example\r\n", WRONG_HOST),
            ("GET", "HEAD", ONLY_GET),
            ("GET", "POST", ONLY_GET),
            ("GET", "get", ONLY_GET),
            ("Site: none", "Site: cross-site", FORBIDDEN),
            ("Site: none", "Site: same-site", FORBIDDEN),
            ("Sec-Fetch-Site: none", "Sec-Purpose: prefetch;prerender", FORBIDDEN),
            ("Sec-Fetch-Site: none", "Purpose: Prefetch", FORBIDDEN),
            ("HTTP/1.1", "HTTP/2", MALFORMED),
            ("GET ", "GET  ", MALFORMED),
            ("Sec-Fetch-Site: none", "nonsense", MALFORMED),
            ("\r\n\r\n", "\r\n", MALFORMED),
        ] {
            assert!(GOOD.contains(from));
            assert_eq!(judged(&GOOD.replacen(from, to, 1)), Verdict::Refuse(answer), "{from} -> {to}");
        }
        let long = format!("GET /secret HTTP/1.1\r\nCookie: {}", "x".repeat(MAX_HEAD_BYTES));
        assert_eq!(judged(&long), Verdict::Refuse(TOO_LARGE));
    }

    #[test]
    fn no_address_can_write_headers() {
        assert!(
            redirect("http://127.0.0.1:5/x?token=y")
                .unwrap()
                .contains("\r\nlocation: http://127.0.0.1:5/x?token=y\r\n")
        );
        for hostile in ["http://a/\r\nx: y", "http://a/ b", "", "http://a/\u{e9}"] {
            assert!(redirect(hostile).is_none());
        }
    }

    #[test]
    fn a_sentence_is_text() {
        assert!(page("503 Service Unavailable", "<script>&").contains("<p>&lt;script&gt;&amp;</p>"));
    }

    proptest! {
        #[test]
        fn judging_never_panics(head in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = judge(&head, "secret", 5);
        }
    }
}
