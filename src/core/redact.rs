//! Takes secrets out of text that leaves the process: logs, errors, support bundles.
//!
//! One pass looks for three-byte beginnings of anything that could introduce a secret; only there the rules are asked.
//! A line without such a beginning is returned as it is. The rules know keys with values, credentials in URLs and
//! headers, well-known key shapes and private key blocks, plus literal secrets given at construction. Limits: a secret
//! of no known shape, under no telling key and not given as a literal is not seen.

mod opaque;
mod rules;

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

pub use opaque::hide_opaque;
pub use rules::Until;

/// What stands where a secret was.
pub const REPLACEMENT: &str = "<redacted>";
/// Ends a text that was cut.
const ELLIPSIS: char = '…';
/// Literals shorter than this would hit ordinary words and are ignored.
pub const SHORTEST_LITERAL: usize = 8;

/// A second look is needed where a replacement uncovers a new beginning; more than this never happens in practice.
const PASSES: usize = 4;
/// Bits of a candidate from here on are literals.
const FIRST_LITERAL_BIT: usize = 56;

/// A part of a text that must not be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where what gives the secret away begins (its key, for one). Cutting the text between here and `end` hides it.
    pub context: usize,
    /// First byte of the secret.
    pub start: usize,
    /// Behind its last byte.
    pub end: usize,
    /// What would have ended it, for a text that goes on elsewhere.
    pub until: Option<Until>,
}

/// Knows what is secret. Cheap to use, not cheap to make: keep one.
pub struct Redactor {
    literals: Vec<String>,
    tables: Box<[[u64; 256]; 3]>,
}

impl fmt::Debug for Redactor {
    /// How many literals, never which.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("literals", &self.literals.len()).finish_non_exhaustive()
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new([])
    }
}

impl Redactor {
    /// `literals` are secrets to be hidden wherever they appear, also as they look in JSON, in a URL and inside of base64, and
    /// each line of those that have several; what is shorter than [`SHORTEST_LITERAL`] is ignored.
    pub fn new<I: IntoIterator<Item = String>>(literals: I) -> Self {
        let mut all = Vec::new();
        for literal in literals {
            if literal.len() < SHORTEST_LITERAL {
                continue;
            }
            let forms = [json_form(&literal), percent_form(&literal, false), percent_form(&literal, true)];
            // A log is looked at line by line.
            let lines: Vec<_> = literal.lines().map(str::trim).map(str::to_owned).collect();
            for form in forms.into_iter().chain(base64_forms(&literal)).chain(lines).chain([literal]) {
                if form.len() >= SHORTEST_LITERAL && !REPLACEMENT.contains(&form) && !all.contains(&form) {
                    all.push(form);
                }
            }
        }
        // The longest first, so that a secret that begins with another one is hidden whole.
        all.sort_by_key(|literal| std::cmp::Reverse(literal.len()));
        let mut tables = Box::new([[0_u64; 256]; 3]);
        for (bit, rule) in rules::RULES.iter().enumerate() {
            enter(&mut tables, rule.needle.as_bytes(), bit, rule.any_case);
        }
        for (index, literal) in all.iter().enumerate() {
            enter(&mut tables, literal.as_bytes(), literal_bit(index), false);
        }
        Self { literals: all, tables }
    }

    /// The text with every secret replaced by [`REPLACEMENT`]; borrowed when there is none. Doing it twice changes
    /// nothing more.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let spans = self.spans(text);
        if spans.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut clean = replace(text, &spans);
        for _ in 1..PASSES {
            let spans = self.spans(&clean);
            if spans.is_empty() {
                break;
            }
            clean = replace(&clean, &spans);
        }
        Cow::Owned(clean)
    }

    /// The same for a text that may have been cut already: what stands before an ellipsis and is how a literal begins is taken
    /// out, too.
    pub fn redact_shortened(&self, text: &str) -> String {
        let clean = self.redact(text);
        let mut pieces = clean.split(ELLIPSIS);
        let last = pieces.next_back().unwrap_or_default();
        let mut out = String::with_capacity(clean.len());
        for piece in pieces {
            let kept = piece.len() - self.beginning_at_the_end(piece);
            out.push_str(piece.get(..kept).unwrap_or_default());
            out.push_str(if kept < piece.len() { REPLACEMENT } else { "" });
            out.push(ELLIPSIS);
        }
        out.push_str(last);
        out
    }

    /// How much of the end of a text is the beginning of a literal, bytes.
    fn beginning_at_the_end(&self, text: &str) -> usize {
        let begins = |literal: &String| {
            let longest = literal.len().min(text.len());
            (SHORTEST_LITERAL..=longest)
                .rev()
                .find(|length| literal.get(..*length).is_some_and(|beginning| text.ends_with(beginning)))
        };
        self.literals.iter().filter_map(begins).max().unwrap_or(0)
    }

    /// The secrets in a text, in order and without overlaps. For callers that have to cut a text into pieces.
    pub fn spans(&self, text: &str) -> Vec<Span> {
        let bytes = text.as_bytes();
        let mut spans: Vec<Span> = Vec::new();
        if rules::is_key_block_line(bytes) {
            spans.push(Span { context: 0, start: 0, end: bytes.len(), until: None });
            return spans;
        }
        // Rules do not look inside what a rule has found; literals may reach out of it.
        let mut rules_from = 0;
        let mut at = 0;
        while let Some((hit, candidates)) = self.next_candidate(bytes, at) {
            at = hit + 1;
            if candidates >> FIRST_LITERAL_BIT != 0
                && let Some(len) = self.literal_at(bytes, hit, candidates)
            {
                spans.push(Span { context: hit, start: hit, end: hit + len, until: None });
            }
            if hit >= rules_from
                && let Some(span) = rules::find(bytes, hit, candidates, rules_from)
            {
                rules_from = span.end;
                spans.push(span);
            }
        }
        merge(spans)
    }

    /// Length of the longest literal in bytes: what a caller has to keep back when it cuts a text.
    pub fn longest_literal(&self) -> usize {
        self.literals.first().map_or(0, String::len)
    }

    fn next_candidate(&self, bytes: &[u8], from: usize) -> Option<(usize, u64)> {
        let [first, second, third] = &*self.tables;
        let rest = bytes.get(from..)?;
        for (offset, window) in rest.windows(3).enumerate() {
            let &[a, b, c] = window else { continue };
            let candidates = first[usize::from(a)] & second[usize::from(b)] & third[usize::from(c)];
            if candidates != 0 {
                return Some((from + offset, candidates));
            }
        }
        None
    }

    fn literal_at(&self, bytes: &[u8], hit: usize, candidates: u64) -> Option<usize> {
        let rest = bytes.get(hit..)?;
        let found = self.literals.iter().enumerate().find(|(index, literal)| {
            candidates & (1 << literal_bit(*index)) != 0 && rest.starts_with(literal.as_bytes())
        });
        found.map(|(_, literal)| literal.len())
    }
}

/// Whether a variable of this name holds a secret, so that its value belongs among a redactor's literals.
pub fn is_secret_variable(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["TOKEN", "KEY", "SECRET", "PASSWORD"].iter().any(|marker| name.contains(marker))
}

fn literal_bit(index: usize) -> usize {
    FIRST_LITERAL_BIT + index % (64 - FIRST_LITERAL_BIT)
}

fn enter(tables: &mut [[u64; 256]; 3], needle: &[u8], bit: usize, any_case: bool) {
    for (table, byte) in tables.iter_mut().zip(needle) {
        table[usize::from(*byte)] |= 1 << bit;
        if any_case {
            table[usize::from(byte.to_ascii_uppercase())] |= 1 << bit;
        }
    }
}

fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    if spans.len() < 2 {
        return spans;
    }
    spans.sort_by_key(|span| span.start);
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => {
                last.context = last.context.min(span.context);
                if span.end > last.end {
                    last.end = span.end;
                    last.until = span.until;
                } else if span.end == last.end {
                    last.until = last.until.or(span.until);
                }
            }
            _ => merged.push(span),
        }
    }
    merged
}

fn replace(text: &str, spans: &[Span]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        out.push_str(text.get(from..span.start).unwrap_or_default());
        out.push_str(REPLACEMENT);
        from = span.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

fn json_form(literal: &str) -> String {
    let quoted = serde_json::to_string(literal).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

fn percent_form(literal: &str, lower: bool) -> String {
    let digits = if lower { b"0123456789abcdef" } else { b"0123456789ABCDEF" };
    let mut form = String::with_capacity(literal.len());
    for byte in literal.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            form.push('%');
            form.push(char::from(digits[usize::from(byte >> 4)]));
            form.push(char::from(digits[usize::from(byte & 15)]));
        }
    }
    form
}

/// What base64 makes of it in both alphabets, wherever it begins in what is encoded: three groups of characters that depend on
/// nothing around it.
fn base64_forms(literal: &str) -> impl Iterator<Item = String> + use<> {
    let aligned = |before: usize| {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(literal.as_bytes());
        // characters that also hold bits of what stands before or behind
        let first = (before * 8).div_ceil(6);
        let last = bytes.len() * 8 / 6;
        [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]
            .map(|form| form.get(first..last).unwrap_or_default().to_owned())
    };
    [aligned(0), aligned(1), aligned(2)].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clean(text: &str) -> String {
        Redactor::default().redact(text).into_owned()
    }

    #[test]
    fn the_beginning_of_a_literal_is_hidden_where_a_text_was_cut() {
        let redactor = Redactor::new(["planted+literal/77".to_owned()]);
        for (text, want) in [
            ("it is planted+lit…", "it is <redacted>…"),
            ("“planted+literal/7…” and planted+literal/77…", "“<redacted>…” and <redacted>…"),
            ("in a URL planted%2Bliter…", "in a URL <redacted>…"),
            ("planted…", "planted…"),
            ("planted+lit is no end", "planted+lit is no end"),
            ("… and planted+lit", "… and planted+lit"),
            ("", ""),
        ] {
            assert_eq!(redactor.redact_shortened(text), want, "{text}");
        }
    }

    #[test]
    fn keys_hide_their_values() {
        for (text, want) in [
            ("token=abc123 next", "token=<redacted> next"),
            ("admin_token: abc123, next", "admin_token: <redacted>, next"),
            (r#"{"session_token":"a\"b","x":1}"#, r#"{"session_token":"<redacted>","x":1}"#),
            (
                r#"{"message":"{\"api_key\":\"zz\\\"z\",\"n\":1}"}"#,
                r#"{"message":"{\"api_key\":\"<redacted>\",\"n\":1}"}"#,
            ),
            ("Authorization: Bearer abc.def", "Authorization: <redacted>"),
            ("Cookie: a=b; c=d", "Cookie: <redacted>"),
            (r#"-H "Cookie: a=b; c=d" -v"#, r#"-H "Cookie: <redacted>" -v"#),
            ("PASSWORD=12345678", "PASSWORD=<redacted>"),
            ("\"client_secret\" => 'x y'", "\"client_secret\" => '<redacted>'"),
            ("vault_ref=vault://x/y", "vault_ref=<redacted>"),
            ("\"private_key\": \"abc\"", "\"private_key\": \"<redacted>\""),
            ("token: Some(\"abc\")", "token: Some(\"<redacted>\")"),
            ("tokens=[a, b] c", "tokens=[<redacted>] c"),
            ("x-api-key: k1", "x-api-key: <redacted>"),
            ("session=abc", "session=<redacted>"),
            ("\x1b[3mtoken\x1b[0m\x1b[2m=\x1b[0mabc\x1b[0m", "\x1b[3mtoken\x1b[0m\x1b[2m=\x1b[0m<redacted>\x1b[0m"),
            ("https://u:p@host/x", "https://<redacted>@host/x"),
            ("http://h/?a=1&token=t&b=2", "http://h/?a=1&token=<redacted>&b=2"),
            ("http://h/?desktop_handoff_token=t", "http://h/?desktop_handoff_token=<redacted>"),
            ("http://h/cb?code=c0de&state=s&sig=zz", "http://h/cb?code=<redacted>&state=s&sig=<redacted>"),
            ("next=%2Fx%3Ftoken%3Dabc%26b%3D1", "next=%2Fx%3Ftoken%3D<redacted>%26b%3D1"),
            ("curl with Bearer abcdef-1 ok", "curl with Bearer <redacted> ok"),
            ("proxy Basic dXNlcjpwYXNz", "proxy Basic <redacted>"),
            ("using sk-proj-ABCDEFGHIJKLMNOP12 now", "using <redacted> now"),
            ("xoxb-123456789012-abc", "<redacted>"),
            ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "<redacted>"),
            ("id AKIAIOSFODNN7EXAMPLE.", "id <redacted>."),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_1", "jwt <redacted>"),
        ] {
            assert_eq!(clean(text), want);
        }
    }

    #[test]
    fn private_keys_go_their_certificates_stay() {
        let block = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd\n-----END RSA PRIVATE KEY-----\nafter";
        assert_eq!(clean(block), "-----BEGIN RSA PRIVATE KEY-----<redacted>-----END RSA PRIVATE KEY-----\nafter");
        assert_eq!(clean("-----BEGIN PRIVATE KEY-----\\nMIIE"), "-----BEGIN PRIVATE KEY-----<redacted>");
        let certificate = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----";
        assert_eq!(clean(certificate), certificate);
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        assert_eq!(clean(body), REPLACEMENT);
        let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(clean(digest), digest);
    }

    #[test]
    fn ordinary_text_stays_and_is_not_copied() {
        let redactor = Redactor::new(["s3cr3t-value".to_owned()]);
        for text in [
            "",
            "x",
            "gateway startup listen_addr=127.0.0.1:7142",
            r#"{"level":"INFO","fields":{"message":"daemon listening","session_id":"01ARZ"}}"#,
            r#""token": null, "require_token": true, "total_tokens": 4096, max_tokens=12"#,
            "palyra_auth::token::Store opened",
            "tokenizer ready; basic functionality; a task-force of disk-usage",
            "http://127.0.0.1:7142/healthz?verbose=1",
            "mail a@b.c or git@host:x",
            "password is required",
        ] {
            assert!(matches!(redactor.redact(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn literals_go_in_all_their_forms() {
        let redactor = Redactor::new(["pass/wörd\"1".to_owned(), "short".to_owned(), "redacted".to_owned()]);
        assert_eq!(redactor.redact(r#"a pass/wörd"1 b"#), "a <redacted> b");
        assert_eq!(redactor.redact(r#"a pass/wörd\"1 b"#), "a <redacted> b");
        assert_eq!(redactor.redact("pass%2Fw%C3%B6rd%221"), REPLACEMENT);
        assert_eq!(redactor.redact("pass%2fw%c3%b6rd%221"), REPLACEMENT);
        assert_eq!(redactor.redact("short <redacted>"), "short <redacted>");
        assert!(!format!("{redactor:?}").contains("pass/"));
        let several = Redactor::new(["first line of it\r\nshort\n  second line\n".to_owned()]);
        assert_eq!(several.redact("a first line of it, second line, short"), "a <redacted>, <redacted>, short");
        let overlapping = Redactor::new(["abcabcab".to_owned()]);
        assert_eq!(overlapping.redact("abcabcabcab!"), "<redacted>!");
    }

    #[test]
    fn a_literal_inside_of_base64_goes_wherever_it_begins() {
        let secret = "hunter2-hunter2?>";
        let redactor = Redactor::new([secret.to_owned()]);
        for before in ["", "u", "u:", "me:"] {
            for behind in ["", "!", "!!"] {
                let plain = format!("{before}{secret}{behind}");
                for encoded in [STANDARD_NO_PAD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)] {
                    let clean = redactor.redact(&encoded).into_owned();
                    assert!(clean.contains(REPLACEMENT) && clean.len() < REPLACEMENT.len() + 9, "{encoded}: {clean}");
                }
            }
        }
        assert_eq!(
            redactor.redact(&STANDARD_NO_PAD.encode("hunter3-hunter3?>")),
            STANDARD_NO_PAD.encode("hunter3-hunter3?>")
        );
    }

    #[test]
    fn a_span_knows_its_context_and_what_ends_it() {
        let redactor = Redactor::default();
        let spans = redactor.spans(r#"xx {"token": "abc"#);
        assert_eq!(spans.len(), 1);
        assert_eq!((spans[0].context, spans[0].start, spans[0].end), (5, 14, 17));
        let until = spans[0].until.expect("a rule's span says what ends it");
        assert_eq!(until.end_in(br#"def" tail"#), Some(3));
        assert_eq!(until.end_in(b"def"), None);
    }

    const PARTS: &[&str] = &[
        "token",
        "=",
        ":",
        "\"",
        "\\",
        " ",
        "secret",
        "Bearer ",
        "sig",
        "?",
        "&",
        "://",
        "@",
        "a",
        "Z9",
        "sk-",
        "\n",
        "[",
        "]",
        "Some(",
        "%3D",
        "%26",
        "-----BEGIN PRIVATE KEY-----",
        "-----END",
        "eyJ",
        ".",
        "<redacted>",
        "é",
        "'",
        "cookie",
        "session",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "\x1b[2m",
        "null",
        ",",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_planted_literal_never_comes_out(
            literal in "[A-Za-z0-9+/_=:-]{8,40}",
            parts in prop::collection::vec(prop::option::weighted(0.8, 0..PARTS.len()), 0..30),
        ) {
            let text: String = parts.iter().map(|part| part.map_or(literal.as_str(), |index| PARTS[index])).collect();
            let redactor = Redactor::new([literal.clone()]);
            let once = redactor.redact(&text).into_owned();
            prop_assert!(REPLACEMENT.contains(&literal) || !once.contains(&literal), "{literal} in {once}");
            prop_assert_eq!(redactor.redact(&once).into_owned(), once.clone());
        }

        #[test]
        fn any_text_is_survived(text in "\\PC{0,200}") {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once.clone());
        }
    }
}
