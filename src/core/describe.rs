//! What an approval is about, in words for a person, and whether that is all of it.
//!
//! A surface may offer Approve only when it shows the whole of what would run: see [`Description::whole`].
//!
//! Whoever asks writes the values, so a value must not look like the text around it: every surface shows texts of a record
//! by [`value`] and names by [`name`], which end where their marks say, and nothing within looks like a mark.

use serde_json::Value;

use crate::core::record::{self, Record, Risk};
use crate::words;

/// Marks around a value. No keyboard types them by itself, so they rarely have to be written out within one.
const OPEN: char = '“';
const CLOSE: char = '”';
/// Stands for a line end, and for a tab.
pub const LINE_END: char = '⏎';
const TAB: char = '⇥';

/// An approval in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// "High risk: shell.exec".
    pub title: String,
    /// What exactly would happen; everything that is not plain text is made visible.
    pub what: String,
    /// Who asks.
    pub who: String,
    /// `what` is all there is: nothing hidden by the gateway, nothing cut, nothing that looks like something else.
    pub whole: bool,
}

/// Puts a record in words.
pub fn describe(record: &Record) -> Description {
    let Subject { name: subject, what, whole } = subject(record);
    let short = without_ids(&subject);
    Description {
        title: format!("{} risk: {}", risk_word(record.prompt.risk_level), name(&short)),
        what,
        who: name(&record.principal),
        whole: whole && short == subject && is_plain(&subject) && hidden_parts(record) == 0 && known_kind(record),
    }
}

/// `routine:before_enable` of `routine:01ARZ3NDEKTSV4RRFFQ69G5FAV:before_enable`: an id takes the place of what can be read.
fn without_ids(subject: &str) -> String {
    let is_id = |part: &str| part.len() == 26 && part.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    let parts: Vec<_> = subject.split(':').filter(|part| !is_id(part)).collect();
    if parts.is_empty() { subject.to_owned() } else { parts.join(":") }
}

/// A text of a record, between marks that appear nowhere within it.
pub fn value(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 6);
    out.push(OPEN);
    for part in visible(text).split_inclusive([OPEN, CLOSE]) {
        match part.char_indices().next_back() {
            Some((end, mark @ (OPEN | CLOSE))) => {
                out.push_str(&part[..end]);
                out.push_str(&format!("\\u{{{:x}}}", u32::from(mark)));
            }
            _ => out.push_str(part),
        }
    }
    out.push(CLOSE);
    out
}

/// A name of a record: as it is where it can only be one, else as a [`value`].
pub fn name(text: &str) -> String {
    let usual = |c: char| c.is_ascii_alphanumeric() || "_-.:/@+#".contains(c);
    if !text.is_empty() && text.chars().all(usual) { text.to_owned() } else { value(text) }
}

/// "Low", "Medium", "High", "Critical".
pub const fn risk_word(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => words::approvals::LOW,
        Risk::Medium => words::approvals::MEDIUM,
        Risk::High => words::approvals::HIGH,
        Risk::Critical => words::approvals::CRITICAL,
    }
}

/// Makes visible what a person would not see or would take for something else: control characters, bidirectional
/// overrides, zero-width and other invisible characters, unusual spaces, and foreign letters amid Latin ones.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let mixed = word.chars().any(|c| c.is_ascii_alphabetic());
        for c in word.chars() {
            match c {
                '\n' => out.push(LINE_END),
                '\t' => out.push(TAB),
                c if matches!(c, LINE_END | TAB) || is_invisible(c) || (mixed && imitates_latin(c)) => {
                    out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
                }
                c => out.push(c),
            }
        }
    }
    out
}

/// Controls, spaces that are none, what Unicode calls ignorable or formatting, and characters whose glyph is blank.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(u32::from(c),
            0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x202A..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
            | 0x13430..=0x1345F | 0x16FE4 | 0x1BCA0..=0x1BCA3 | 0x1D159 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// Alphabets with letters that look like Latin ones: Greek, Cyrillic, Armenian, Cherokee, letter-like symbols, full-width
/// and mathematical letters.
fn imitates_latin(c: char) -> bool {
    matches!(u32::from(c), 0x370..=0x58F | 0x13A0..=0x13FF | 0x2100..=0x214F | 0xFF01..=0xFF5E | 0x1D400..=0x1D7FF)
}

/// What a record is about.
struct Subject {
    name: String,
    what: String,
    /// `what` could be read in full, and shows it as it is.
    whole: bool,
}

fn subject(record: &Record) -> Subject {
    let summary = |whole: bool| Subject {
        name: record.subject_id.clone(),
        what: value(&record.prompt.summary),
        whole: whole && !record.prompt.summary.is_empty() && is_plain(&record.prompt.summary),
    };
    if record.policy_snapshot.policy_id == "acp_permission_bridge" {
        return summary(true);
    }
    let Ok(Value::Object(details)) = serde_json::from_str::<Value>(&record.prompt.details_json) else {
        return summary(false);
    };
    let name = ["tool_name", "capability"].iter().find_map(|key| details.get(*key).and_then(Value::as_str));
    let input = ["input_json", "input"].iter().find_map(|key| details.get(*key));
    match (name, input) {
        (Some(name), Some(input)) => Subject { name: name.to_owned(), what: readable(input), whole: all_plain(input) },
        _ => summary(false),
    }
}

/// `command: “git push”` for flat objects, compact JSON for the rest.
fn readable(input: &Value) -> String {
    match input {
        Value::Object(map) if !map.is_empty() && map.values().all(|value| !value.is_object() && !value.is_array()) => {
            let row = |(key, entry): (&String, &Value)| match entry {
                Value::String(text) => format!("{}: {}", name(key), value(text)),
                other => format!("{}: {other}", name(key)),
            };
            map.iter().map(row).collect::<Vec<_>>().join(", ")
        }
        Value::String(text) => value(text),
        other => visible(&other.to_string()),
    }
}

fn all_plain(input: &Value) -> bool {
    match input {
        Value::String(text) => is_plain(text),
        Value::Array(items) => items.iter().all(all_plain),
        Value::Object(map) => map.iter().all(|(key, entry)| is_plain(key) && all_plain(entry)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Shown as it is, and seen as it is: some servers draw several spaces as one, and any may break the line at one.
fn is_plain(text: &str) -> bool {
    let spaced = text.contains("  ") || text.starts_with(' ') || text.ends_with(' ');
    !spaced && !text.contains([OPEN, CLOSE]) && visible(text) == text && !text.chars().any(imitates_latin)
}

/// How many places of the record say that something is missing there. What is told twice (the details and a summary made of
/// them) counts once.
pub fn hidden_parts(record: &Record) -> usize {
    fn says_so(text: &str) -> bool {
        ["<redacted>", "[REDACTED]", "…", "..."].iter().any(|mark| text.contains(mark))
    }
    fn count(value: &Value) -> usize {
        match value {
            Value::String(text) => usize::from(says_so(text)),
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Object(map) => {
                let flagged = ["redacted", "truncated"].iter().filter(|key| map.get(**key) == Some(&Value::Bool(true)));
                flagged.count() + map.iter().map(|(key, value)| usize::from(says_so(key)) + count(value)).sum::<usize>()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }
    let details = serde_json::from_str::<Value>(&record.prompt.details_json).map_or(0, |details| count(&details));
    if details > 0 { details } else { count(&record.raw) }
}

/// Kinds whose whole is known to be in the record. The others are for the review.
fn known_kind(record: &Record) -> bool {
    use record::Subject::{ChannelSend, NodeCapability, SecretAccess, Tool};
    matches!(record.subject_type, Tool | ChannelSend | SecretAccess | NodeCapability) && record.unknown_parts.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_ends_where_its_marks_say() {
        let honest = readable(&json!({ "command": "ls", "cwd": "/tmp" }));
        assert_eq!(honest, "command: “ls”, cwd: “/tmp”");
        for forged in ["ls, cwd: /tmp", "ls\ncwd: /tmp", "ls”, cwd: “/tmp", "ls  cwd: /tmp", "ls⏎cwd: /tmp"] {
            let shown = readable(&json!({ "command": forged }));
            assert_ne!(shown, honest);
            assert_eq!((shown.matches(OPEN).count(), shown.matches(CLOSE).count()), (1, 1), "{shown}");
            assert!(shown.starts_with("command: “") && shown.ends_with(CLOSE) && !shown.contains('\n'), "{shown}");
        }
        assert_eq!(readable(&json!({ "command: “ls”, cwd": "x" })), "“command: \\u{201c}ls\\u{201d}, cwd”: “x”");
        assert_eq!(readable(&json!({ "n": 1, "text": "1" })), "n: 1, text: “1”");
        assert_eq!((readable(&json!("true")), readable(&json!(true))), ("“true”".to_owned(), "true".to_owned()));
    }

    #[test]
    fn what_would_look_like_something_else_is_not_plain() {
        for odd in ["a\nb", "a⏎b", "a  b", " a", "a ", "a“b", "а", "a\tb", "a\u{200b}b"] {
            assert!(!all_plain(&json!({ "list": [{ "key": odd }] })) && !all_plain(&json!({ odd: 1 })), "{odd:?}");
        }
        assert!(all_plain(&json!({ "command": "echo \"a, b: c\" 'd' {e}" })));
    }

    #[test]
    fn ids_are_left_out_of_a_title_and_what_lacks_one_is_not_whole() {
        const ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let mut raw = crate::core::simulate::acp_record("a1", "low", 300, "ls", 0);
        for (subject, title, whole) in [
            ("shell.exec".to_owned(), "Low risk: shell.exec".to_owned(), true),
            (format!("routine:{ID}:before_enable"), "Low risk: routine:before_enable".to_owned(), false),
            (format!("device_pairing:{ID}:{ID}"), "Low risk: device_pairing".to_owned(), false),
            (ID.to_owned(), format!("Low risk: {ID}"), true),
        ] {
            raw["subject_id"] = json!(subject);
            let described = describe(&Record::from_value(raw.clone()).unwrap());
            assert_eq!((described.title, described.whole), (title, whole));
        }
    }

    #[test]
    fn letters_amid_others_that_they_look_like_are_written_out() {
        for (odd, shown) in [("p\u{430}sswd", "p\\u{430}sswd"), ("\u{3bf}rigin", "\\u{3bf}rigin")] {
            assert_eq!(visible(odd), shown);
        }
        assert_eq!(visible("\u{434}\u{430} git"), "\u{434}\u{430} git", "a word of its own alphabet");
    }

    #[test]
    fn a_name_with_anything_unusual_is_a_value() {
        assert_eq!(name("admin:desktop-control-center"), "admin:desktop-control-center");
        for odd in ["", "admin. Time to answer: 9 min", "a b", "a,b", "a\nb"] {
            assert!(name(odd).starts_with(OPEN), "{odd}");
        }
    }
}
