//! What an approval is about, in words for a person, and whether that is all of it.
//!
//! A surface may offer Approve only when it shows the whole of what would run: see [`Description::whole`].

use serde_json::Value;

use crate::core::record::{Record, Risk, Subject};

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
    let (subject, what, readable) = subject(record);
    let shown = visible(&what);
    let whole = readable
        && shown == what
        && visible(&subject) == subject
        && !what.chars().chain(subject.chars()).any(imitates_latin)
        && hidden_parts(record) == 0
        && known_kind(record);
    Description {
        title: format!("{} risk: {}", risk_word(record.prompt.risk_level), visible(&subject)),
        what: shown,
        who: visible(&record.principal),
        whole,
    }
}

/// "Low", "Medium", "High", "Critical".
pub const fn risk_word(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "Low",
        Risk::Medium => "Medium",
        Risk::High => "High",
        Risk::Critical => "Critical",
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
                '\n' => out.push('⏎'),
                '\t' => out.push('⇥'),
                c if is_invisible(c) || (mixed && imitates_latin(c)) => {
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

/// Subject, what exactly, and whether that could be read in full.
fn subject(record: &Record) -> (String, String, bool) {
    if record.policy_snapshot.policy_id == "acp_permission_bridge" {
        return (record.subject_id.clone(), record.prompt.summary.clone(), !record.prompt.summary.is_empty());
    }
    let Ok(Value::Object(details)) = serde_json::from_str::<Value>(&record.prompt.details_json) else {
        return (record.subject_id.clone(), record.prompt.summary.clone(), false);
    };
    let name = ["tool_name", "capability"].iter().find_map(|key| details.get(*key).and_then(Value::as_str));
    let input = ["input_json", "input"].iter().find_map(|key| details.get(*key));
    match (name, input) {
        (Some(name), Some(input)) => (name.to_owned(), readable(input), true),
        _ => (record.subject_id.clone(), record.prompt.summary.clone(), false),
    }
}

/// `command: git push` for flat objects, compact JSON for the rest.
fn readable(input: &Value) -> String {
    match input {
        Value::Object(map) if !map.is_empty() && map.values().all(|value| !value.is_object() && !value.is_array()) => {
            map.iter()
                .map(|(key, value)| match value {
                    Value::String(text) => format!("{key}: {text}"),
                    other => format!("{key}: {other}"),
                })
                .collect::<Vec<_>>()
                .join(", ")
        }
        other => other.to_string(),
    }
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
    use Subject::{ChannelSend, NodeCapability, SecretAccess, Tool};
    matches!(record.subject_type, Tool | ChannelSend | SecretAccess | NodeCapability) && record.unknown_parts.is_empty()
}
