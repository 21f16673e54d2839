//! Makes text fit for a menu or a tooltip. Names of sessions and tools come from outside: they may be long, hold line
//! breaks, or turn the reading direction so that a label reads as something else.

/// Longest menu label.
const MAX_LABEL: usize = 80;

/// Longest tooltip: Windows has room for 127 UTF-16 units.
const MAX_TOOLTIP: usize = 120;

/// A menu label. `&` marks a mnemonic in every back end, so a real one is doubled.
pub(super) fn label(text: &str) -> String {
    cut(&clean(text, false), MAX_LABEL).replace('&', "&&")
}

/// A tooltip. Hosts on Linux read it as markup and keep the old one when it does not parse, so it is escaped there.
pub(super) fn tooltip(text: &str) -> String {
    let text = cut(&clean(text, true), MAX_TOOLTIP);
    if cfg!(target_os = "linux") { escape(&text) } else { text }
}

fn clean(text: &str, lines: bool) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' if lines => Some('\n'),
            '\n' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
            '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' => {
                None
            }
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect()
}

/// At most `max` UTF-16 units, which is at most `max` characters; a cut is marked.
fn cut(text: &str, max: usize) -> String {
    if text.encode_utf16().count() <= max {
        return text.to_owned();
    }
    let mut left = max.saturating_sub(1);
    let kept = text.chars().take_while(|c| match left.checked_sub(c.len_utf16()) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    let mut kept: String = kept.collect();
    kept.push('…');
    kept
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ampersand_is_no_mnemonic() {
        assert_eq!(label("Find & replace_all"), "Find && replace_all");
    }

    #[test]
    fn a_long_label_is_cut_before_it_is_escaped() {
        let cut = label(&"&".repeat(200));
        assert_eq!(cut, format!("{}…", "&&".repeat(79)));
        assert_eq!(label(&"ä".repeat(80)), "ä".repeat(80));
        assert_eq!(label(&"ä".repeat(81)).chars().count(), 80);
        assert!(label(&"😀".repeat(81)).encode_utf16().count() <= 80);
    }

    #[test]
    fn nothing_can_turn_the_reading_direction_or_break_the_line() {
        assert_eq!(label("a\u{202E}b\u{2066}c\u{0007}\r\nd\te"), "abc d e");
    }

    #[test]
    fn a_tooltip_keeps_its_lines() {
        assert_eq!(clean("a\nb\u{202E}", true), "a\nb");
        assert_eq!(cut(&"x".repeat(121), MAX_TOOLTIP).chars().count(), 120);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_tooltip_is_no_markup() {
        assert_eq!(tooltip("A & B <c> \"d\" 'e'"), "A &amp; B &lt;c&gt; &quot;d&quot; &apos;e&apos;");
    }
}
