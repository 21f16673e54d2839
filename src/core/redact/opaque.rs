//! Runs of characters that look drawn by lot: tokens and keys that nothing around them gives away.
//!
//! Only for what is made to be sent to others, where an identifier hidden too much does no harm. Digests in hexadecimal, ids of
//! 26 characters and version numbers stay.

use std::borrow::Cow;

use super::REPLACEMENT;

/// No shorter run is hidden: 32 random bytes have 43 characters.
const SHORTEST: usize = 40;
/// Characters of a token as it is made here, and in the earlier desktop app.
const OUR_TOKEN: usize = 52;

/// The text without them; borrowed when there are none.
pub fn hide_opaque(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut from = 0;
    for (start, end) in runs(text) {
        if is_opaque(text, start, end) {
            out.push_str(&text[from..start]);
            out.push_str(REPLACEMENT);
            from = end;
        }
    }
    if from == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

/// Longest runs of characters that tokens have; a slash parts them, unless an equals sign ends them as it does base64.
fn runs(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let wide = length(&bytes[at..], |byte| is_word(byte) || matches!(byte, b'+' | b'/'));
        if wide == 0 {
            at += 1;
            continue;
        }
        let end = at + wide;
        let padding = length(&bytes[end..], |byte| byte == b'=');
        if padding > 0 && (wide + padding).is_multiple_of(4) && wide >= SHORTEST {
            found.push((at, end + padding));
        } else {
            let mut start = at;
            while start < end {
                let narrow = length(&bytes[start..end], is_word);
                if narrow >= SHORTEST {
                    found.push((start, start + narrow));
                }
                start += narrow + 1;
            }
        }
        at = end + padding;
    }
    found
}

fn is_opaque(text: &str, start: usize, end: usize) -> bool {
    let run = text.as_bytes()[start..end].trim_ascii_end();
    let any = |class: fn(&u8) -> bool| run.iter().any(class);
    if run.len() == OUR_TOKEN && run.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
        return any(u8::is_ascii_digit) && any(u8::is_ascii_uppercase);
    }
    if !any(u8::is_ascii_digit) || !any(u8::is_ascii_uppercase) || !any(u8::is_ascii_lowercase) {
        return false;
    }
    // words change from one class to another where they begin, and dashes join them; what is drawn by lot does it at every
    // second place
    let changes = run.windows(2).filter(|pair| changes_class(pair[0], pair[1])).count();
    changes * 3 >= run.len()
}

/// From capitals, small letters or digits to another of these three.
fn changes_class(first: u8, second: u8) -> bool {
    let class = |byte: u8| match byte {
        b'0'..=b'9' => Some(0),
        b'A'..=b'Z' => Some(1),
        b'a'..=b'z' => Some(2),
        _ => None,
    };
    matches!((class(first), class(second)), (Some(first), Some(second)) if first != second)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn length(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_keys_go_without_a_word_around_them() {
        for secret in [
            "7QK2M9ZC4T1XV8B5N3HR6PDWGEJ0SFYA7QK2M9ZC4T1XV8B5N3HR",
            "Zk3vT0aQ9sLw2XbNf7RyUe4HcJ1mPoDiG5tKqV8xS6c",
            "q1Zx/9Jm+3Kd8Lw0Vt5Rb2Nc7Hg4Ys6Pf1Ua3Xe5Io8=",
        ] {
            assert_eq!(
                hide_opaque(&format!("it said {secret}, twice {secret}.")),
                "it said <redacted>, twice <redacted>."
            );
        }
    }

    #[test]
    fn what_helps_stays() {
        for text in [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "c09d798ab285 01ARZ3NDEKTSV4RRFFQ69G5FAV 6f9619ff-8b86-d011-b42d-00c04fc964ff",
            "/home/Ada/Projects2026/palyra/target/debug/build/out/Release/x86_64/libpalyra_daemon.so",
            "PALYRA_ALLOW_INSECURE_NODE_RPC_WITHOUT_MTLS=true",
            "x86_64-unknown-linux-gnu-with-a-long-Name-behind-it-2026",
            "AutomaticallyGeneratedIdentifierOfSomethingVeryLong2",
        ] {
            assert!(matches!(hide_opaque(text), Cow::Borrowed(_)), "{text}: {}", hide_opaque(text));
        }
    }
}
