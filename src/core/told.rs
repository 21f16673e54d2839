//! Text of others (a gateway's message, a title that a model wrote) made fit for a menu, a terminal and JSON.

use std::sync::LazyLock;

use crate::core::describe::visible;
use crate::core::notices::cut;
use crate::core::redact::Redactor;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

/// One line of at most `limit` characters: secrets taken out, runs of white space as one space, and what a person would not
/// see made visible.
pub fn line(text: &str, limit: usize) -> String {
    // more is cut away anyway, and looking through megabytes for secrets takes its time; the margin lets a secret at the
    // cut be known by its end
    let head: String = text.chars().take(limit.saturating_mul(4).saturating_add(512)).collect();
    let words: Vec<_> = head.split_whitespace().collect();
    cut(&visible(&REDACTOR.redact(&words.join(" "))), limit)
}

/// As they are, with secrets taken out.
pub fn redacted(text: &str) -> String {
    REDACTOR.redact(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_short_plain_line() {
        assert_eq!(line("  a\n\tb  c ", 10), "a b c");
        assert_eq!(line("123456", 4), "123…");
        assert_eq!(line("a\u{202e}b\u{1b}[31m", 40), "a\\u{202e}b\\u{1b}[31m");
        let told = line("token=abcdefgh12345678 and more", 80);
        assert!(!told.contains("abcdefgh12345678") && told.contains("and more"), "{told}");
        assert_eq!(line(&"x ".repeat(3_000_000), 20).chars().count(), 20);
    }
}
