//! What gives a secret away, and where it ends.

use super::{REPLACEMENT, Span};

/// Longest key that is looked at, each side of its marker.
const LONGEST_KEY: usize = 64;
/// Most characters between a key and its value.
const LONGEST_GAP: usize = 32;
/// No host name and no first part of a web token is longer: what is must be the beginning of a secret whose mark has not
/// been seen, and a caller that cuts a text may not see it at all.
const LONGEST_INNOCENT: usize = 1024;

/// One beginning that is worth a look.
pub(super) struct Rule {
    /// At least three bytes, lower case where `any_case`.
    pub(super) needle: &'static str,
    pub(super) any_case: bool,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The key contains the needle.
    Key,
    /// The same, and small numbers are counts.
    Token,
    /// The key contains the needle; an unquoted value goes to the end of the line.
    Header,
    /// The needle is the whole key.
    WholeKey,
    /// The needle is the whole name of a URL parameter.
    Parameter,
    /// The needle is an authentication scheme; what follows is the credential.
    Bearer,
    Basic,
    /// User information of a URL.
    Url,
    /// A key that begins with the needle: characters it may have behind it, and how many at least.
    Shape(Charset, usize),
    Jwt,
    PrivateKey,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Charset {
    /// Letters, digits, `_` and `-`.
    Word,
    /// Capitals and digits.
    Capitals,
}

const fn any(needle: &'static str, kind: Kind) -> Rule {
    Rule { needle, any_case: true, kind }
}

const fn exact(needle: &'static str, kind: Kind) -> Rule {
    Rule { needle, any_case: false, kind }
}

/// Fewer than the 56 bits that candidates have for rules; a test counts them.
pub(super) const RULES: &[Rule] = &[
    any("token", Kind::Token),
    any("secret", Kind::Key),
    any("password", Kind::Key),
    any("passwd", Kind::Key),
    any("passphrase", Kind::Key),
    any("cookie", Kind::Header),
    any("authorization", Kind::Header),
    any("api_key", Kind::Key),
    any("apikey", Kind::Key),
    any("api-key", Kind::Key),
    any("vault_ref", Kind::Key),
    any("vaultref", Kind::Key),
    any("private_key", Kind::Key),
    any("private-key", Kind::Key),
    any("privatekey", Kind::Key),
    any("access_key", Kind::Key),
    any("accesskey", Kind::Key),
    any("encryption_key", Kind::Key),
    any("signing_key", Kind::Key),
    any("state_key", Kind::Key),
    any("master_key", Kind::Key),
    any("credential", Kind::Key),
    any("session", Kind::WholeKey),
    any("signature", Kind::WholeKey),
    any("sig", Kind::WholeKey),
    any("code", Kind::Parameter),
    any("key", Kind::Parameter),
    any("bearer", Kind::Bearer),
    any("basic", Kind::Basic),
    exact("://", Kind::Url),
    exact("sk-", Kind::Shape(Charset::Word, 16)),
    exact("xox", Kind::Shape(Charset::Word, 12)),
    exact("ghp_", Kind::Shape(Charset::Word, 20)),
    exact("gho_", Kind::Shape(Charset::Word, 20)),
    exact("ghu_", Kind::Shape(Charset::Word, 20)),
    exact("ghs_", Kind::Shape(Charset::Word, 20)),
    exact("ghr_", Kind::Shape(Charset::Word, 20)),
    exact("github_pat_", Kind::Shape(Charset::Word, 20)),
    exact("glpat-", Kind::Shape(Charset::Word, 16)),
    exact("AKIA", Kind::Shape(Charset::Capitals, 16)),
    exact("ASIA", Kind::Shape(Charset::Capitals, 16)),
    exact("AIza", Kind::Shape(Charset::Word, 30)),
    exact("eyJ", Kind::Jwt),
    exact("-----BEGIN", Kind::PrivateKey),
];

/// What ends a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// White space or punctuation that values do not have; `%26` too if the flag is set.
    Delimiter {
        /// The value stands in a percent-encoded query.
        percent: bool,
    },
    /// This quote, behind as many backslashes as the opening one had.
    Quote {
        /// `"` or `'`.
        quote: u8,
        /// Backslashes before the opening quote.
        depth: usize,
    },
    /// A quote or the end of the line.
    Line,
    /// `]`
    Bracket,
    /// `-----END`
    KeyBlock,
}

impl Until {
    /// Where the secret ends in a text that begins inside it; `None` when it goes on to the end of the text.
    pub fn end_in(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Delimiter { percent } => (0..bytes.len()).find(|at| ends_value(bytes, *at, percent)),
            Self::Quote { quote, depth } => closing_quote(bytes, quote, depth),
            Self::Line => bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r' | b'"' | b'\'')),
            Self::Bracket => bytes.iter().position(|byte| *byte == b']'),
            Self::KeyBlock => bytes.windows(8).position(|window| window == b"-----END"),
        }
    }

    /// How many bytes at the end of a text inside the secret may belong to what ends it, and have to be looked at again
    /// together with what follows.
    pub fn unsure(self, bytes: &[u8]) -> usize {
        match self {
            Self::Delimiter { .. } => bytes.len().min(2),
            Self::Quote { depth, .. } => {
                let run = bytes.iter().rev().take_while(|byte| **byte == b'\\').count();
                // Of a long run only what decides about the quote behind it.
                let period = 2 * (depth + 1);
                if run > depth + period { depth + period + (run - depth) % period } else { run }
            }
            Self::Line | Self::Bracket => 0,
            Self::KeyBlock => bytes.len().min(7),
        }
    }
}

/// The secret that a candidate at `hit` introduces, if it does. Nothing before `floor` is looked at.
pub(super) fn find(bytes: &[u8], hit: usize, candidates: u64, floor: usize) -> Option<Span> {
    RULES.iter().enumerate().filter(|(bit, _)| candidates & (1 << bit) != 0).find_map(|(_, rule)| {
        let needle = rule.needle.as_bytes();
        let found = bytes.get(hit..hit + needle.len())?;
        let same = if rule.any_case { found.eq_ignore_ascii_case(needle) } else { found == needle };
        if !same {
            return None;
        }
        match rule.kind {
            Kind::Key | Kind::Token | Kind::Header | Kind::WholeKey | Kind::Parameter => {
                keyed(bytes, hit, needle.len(), rule.kind, floor)
            }
            Kind::Bearer | Kind::Basic => credential(bytes, hit, needle.len(), rule.kind),
            Kind::Url => user_information(bytes, hit),
            Kind::Shape(charset, least) => shape(bytes, hit, needle.len(), charset, least),
            Kind::Jwt => web_token(bytes, hit),
            Kind::PrivateKey => key_block(bytes, hit),
        }
    })
}

/// Whether the whole text is one full line of a key block: base64 of the usual width, and no digest in hexadecimal.
pub(super) fn is_key_block_line(bytes: &[u8]) -> bool {
    let line = bytes.trim_ascii();
    (line.len() == 64 || line.len() == 76)
        && line.iter().all(|byte| is_base64(*byte))
        && line.iter().any(u8::is_ascii_lowercase)
        && line.iter().any(u8::is_ascii_uppercase)
        && line.iter().any(|byte| !byte.is_ascii_alphabetic())
}

/// Whether a byte can stand in base64.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn keyed(bytes: &[u8], hit: usize, needle: usize, kind: Kind, floor: usize) -> Option<Span> {
    let lowest = floor.max(hit.saturating_sub(LONGEST_KEY));
    let mut left = hit;
    while left > lowest && is_key(bytes[left - 1]) {
        left -= 1;
    }
    let mut at = hit + needle;
    while at < hit + needle + LONGEST_KEY && bytes.get(at).copied().is_some_and(is_key) {
        at += 1;
    }
    if matches!(kind, Kind::WholeKey | Kind::Parameter) {
        let whole = left == hit && at == hit + needle;
        let parameter = left > floor && matches!(bytes[left - 1], b'?' | b'&');
        if !whole || (kind == Kind::Parameter && !parameter) {
            return None;
        }
    }
    at = quote_at(bytes, at).map_or(at, |(_, _, behind)| behind);
    at = skip_gap(bytes, at);
    let (behind, percent) = separator(bytes, at)?;
    at = skip_gap(bytes, behind);
    if bytes.get(at..).is_some_and(|rest| rest.starts_with(b"Some(")) {
        at += 5;
    }
    let until = if let Some((quote, depth, behind)) = quote_at(bytes, at) {
        at = behind;
        Until::Quote { quote, depth }
    } else {
        match bytes.get(at)? {
            b'[' => {
                at += 1;
                Until::Bracket
            }
            b'{' | b'(' => return None,
            _ if kind == Kind::Header => Until::Line,
            _ => Until::Delimiter { percent },
        }
    };
    let span = span_to_end(bytes, left, at, until)?;
    let value = &bytes[span.start..span.end];
    let count = kind == Kind::Token && value.len() <= 8 && value.iter().all(u8::is_ascii_digit);
    if count || [b"null".as_slice(), b"None", b"true", b"false"].contains(&value) { None } else { Some(span) }
}

fn credential(bytes: &[u8], hit: usize, needle: usize, kind: Kind) -> Option<Span> {
    let start = hit + needle + bytes.get(hit + needle..)?.iter().take_while(|byte| **byte == b' ').count();
    if start == hit + needle {
        return None;
    }
    let len = bytes[start..].iter().take_while(|byte| is_base64(**byte) || b"-._~".contains(byte)).count();
    let value = &bytes[start..start + len];
    // "basic functionality" is prose.
    let prose = kind == Kind::Basic && (len < 4 || value.iter().all(u8::is_ascii_lowercase));
    let until = Some(Until::Delimiter { percent: false });
    if len == 0 || prose { None } else { Some(Span { context: hit, start, end: start + len, until }) }
}

fn user_information(bytes: &[u8], hit: usize) -> Option<Span> {
    let start = hit + 3;
    let rest = bytes.get(start..)?;
    let authority = rest.iter().take_while(|byte| **byte > b' ' && !b"/?#\"'<>\\`".contains(byte)).count();
    match rest[..authority].iter().rposition(|byte| *byte == b'@') {
        Some(0) => None,
        Some(len) => Some(Span { context: hit, start, end: start + len, until: None }),
        None if authority > LONGEST_INNOCENT => {
            Some(Span { context: hit, start, end: start + authority, until: Some(Until::Delimiter { percent: false }) })
        }
        None => None,
    }
}

fn shape(bytes: &[u8], hit: usize, needle: usize, charset: Charset, least: usize) -> Option<Span> {
    if inside_word(bytes, hit) {
        return None;
    }
    let allowed = |byte: &u8| match charset {
        Charset::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
        Charset::Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
    };
    let len = bytes[hit + needle..].iter().take_while(|byte| allowed(byte)).count();
    let until = Some(Until::Delimiter { percent: false });
    if len < least { None } else { Some(Span { context: hit, start: hit, end: hit + needle + len, until }) }
}

fn web_token(bytes: &[u8], hit: usize) -> Option<Span> {
    if inside_word(bytes, hit) {
        return None;
    }
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let len = bytes[hit..].iter().take_while(|byte| allowed(byte)).count();
    let token = &bytes[hit..hit + len];
    let until = Some(Until::Delimiter { percent: false });
    if len < 30 || (!token.contains(&b'.') && len <= LONGEST_INNOCENT) {
        None
    } else {
        Some(Span { context: hit, start: hit, end: hit + len, until })
    }
}

fn key_block(bytes: &[u8], hit: usize) -> Option<Span> {
    let label = hit + 10;
    let rest = bytes.get(label..)?;
    let len = rest.iter().take(LONGEST_KEY).position(|byte| *byte == b'-')?;
    let start = label + len + 5;
    let private = rest[..len].windows(11).any(|window| window == b"PRIVATE KEY");
    if !private || bytes.get(label + len..start) != Some(b"-----") {
        return None;
    }
    span_to_end(bytes, hit, start, Until::KeyBlock)
}

/// A span from `start` to where it ends; none when there is nothing left to hide.
fn span_to_end(bytes: &[u8], context: usize, start: usize, until: Until) -> Option<Span> {
    let rest = bytes.get(start..)?;
    let len = until.end_in(rest).unwrap_or(rest.len());
    if len == 0 || rest[..len] == *REPLACEMENT.as_bytes() {
        return None;
    }
    Some(Span { context, start, end: start + len, until: Some(until) })
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn inside_word(bytes: &[u8], hit: usize) -> bool {
    hit > 0 && bytes[hit - 1].is_ascii_alphanumeric()
}

/// A quote with its backslashes: which, how many, and what is behind.
fn quote_at(bytes: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let depth = bytes.get(at..)?.iter().take(16).take_while(|byte| **byte == b'\\').count();
    let quote = *bytes.get(at + depth)?;
    if matches!(quote, b'"' | b'\'') { Some((quote, depth, at + depth + 1)) } else { None }
}

/// Behind `=`, `:`, `=>`, `==` or their percent-encoded forms, and whether it was one of those.
fn separator(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    match bytes.get(at)? {
        // A path in Rust, not a key.
        b':' if bytes.get(at + 1) == Some(&b':') => None,
        b'=' if matches!(bytes.get(at + 1), Some(b'>' | b'=')) => Some((at + 2, false)),
        b'=' | b':' => Some((at + 1, false)),
        b'%' if bytes
            .get(at + 1..at + 3)
            .is_some_and(|code| code.eq_ignore_ascii_case(b"3d") || code.eq_ignore_ascii_case(b"3a")) =>
        {
            Some((at + 3, true))
        }
        _ => None,
    }
}

/// Behind blanks and terminal colour codes.
fn skip_gap(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < from + LONGEST_GAP {
        match bytes.get(at) {
            Some(b' ' | b'\t') => at += 1,
            Some(0x1b) if bytes.get(at + 1) == Some(&b'[') => {
                let parameters =
                    bytes[at + 2..].iter().take(LONGEST_GAP).take_while(|byte| !(0x40..0x7f).contains(*byte));
                at += 3 + parameters.count();
            }
            _ => break,
        }
    }
    at.min(bytes.len())
}

fn ends_value(bytes: &[u8], at: usize, percent: bool) -> bool {
    match bytes[at] {
        0..=b' ' | 0x7f | b',' | b';' | b'&' | b'"' | b'\'' | b')' | b']' | b'}' | b'`' => true,
        b'\\' => matches!(bytes.get(at + 1), Some(b'"' | b'\'' | b'n' | b'r' | b't' | b'\\')),
        b'%' => percent && bytes.get(at + 1..at + 3) == Some(b"26"),
        _ => false,
    }
}

fn closing_quote(bytes: &[u8], quote: u8, depth: usize) -> Option<usize> {
    let mut backslashes = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte == b'\\' {
            backslashes += 1;
            continue;
        }
        // Behind fewer backslashes the text around this value ends, and the value with it.
        if *byte == quote && (backslashes <= depth || (backslashes - depth).is_multiple_of(2 * (depth + 1))) {
            return Some(at - backslashes.min(depth));
        }
        backslashes = 0;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::FIRST_LITERAL_BIT;
    use super::*;

    #[test]
    fn every_rule_has_a_bit_and_a_beginning() {
        assert!(RULES.len() <= FIRST_LITERAL_BIT);
        for rule in RULES {
            assert!(rule.needle.len() >= 3);
            assert!(!rule.any_case || rule.needle.bytes().all(|byte| !byte.is_ascii_uppercase()));
        }
    }
}
