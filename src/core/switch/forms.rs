//! The profiles in words: the list, the choice, the question before a strict one. From the agent's own documents.

use serde_json::Value;

use crate::core::dialog::{Body, Choice, DialogButton, Form, Tone};
use crate::core::text;
use crate::words;

/// Id of the button that means yes.
pub const YES: &str = "yes";

fn of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn entries(document: &Value) -> impl Iterator<Item = &Value> {
    document["profiles"].as_array().into_iter().flatten()
}

/// What is worth knowing of one.
fn particulars(entry: &Value) -> String {
    let mut words = Vec::new();
    if entry["active"] == Value::Bool(true) {
        words.push("active".to_owned());
    }
    words.push(of(entry, "environment").to_owned());
    words.push(format!("{} risk", of(entry, "risk_level")));
    if entry["strict_mode"] == Value::Bool(true) {
        words.push(words::profiles::STRICT_ASKS_FIRST.to_owned());
    }
    if of(entry, "mode") == "remote" {
        words.push(words::remote::HEALTH_AND_DASHBOARD_ONLY.to_owned());
    }
    words.join(", ")
}

/// Whether it asks before it is changed to.
pub fn is_strict(document: &Value, name: &str) -> bool {
    entries(document).any(|entry| of(entry, "name") == name && entry["strict_mode"] == Value::Bool(true))
}

/// All of them, a line each.
pub fn list(document: &Value) -> String {
    let mut out = String::new();
    for entry in entries(document) {
        let mark = if entry["active"] == Value::Bool(true) { '*' } else { ' ' };
        out.push_str(&format!("{mark} {:<20} {} ({})\n", of(entry, "name"), of(entry, "label"), particulars(entry)));
    }
    for why in document["left_out"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        out.push_str(&words::profiles::left_out(why));
    }
    out
}

/// The active one, from the snapshot.
pub fn show(block: &Value) -> String {
    let strict = if block["strict_mode"] == Value::Bool(true) { words::profiles::STRICT } else { "" };
    let mut out = words::profiles::active(of(block, "active"), of(block, "label"), strict);
    let switch = &block["switch"];
    if block["switching"] == Value::Bool(true) {
        out.push_str(&words::profiles::changing_from(of(switch, "from"), of(switch, "to"), of(switch, "stage")));
    } else if !of(switch, "outcome").is_empty() {
        out.push_str(&words::profiles::last_change(of(switch, "outcome")));
    }
    if !of(block, "trouble").is_empty() {
        out.push_str(&format!("! {}\n", text::sentence(of(block, "trouble"))));
    }
    out
}

/// The choice.
pub fn choose(document: &Value) -> Form {
    let choices = entries(document)
        .map(|entry| Choice {
            id: of(entry, "name").to_owned(),
            label: of(entry, "label").to_owned(),
            detail: format!("{} ({})", of(entry, "name"), particulars(entry)),
        })
        .collect();
    let active = of(document, "active");
    let text = words::profiles::WHAT_A_CHANGE_DOES;
    Form {
        body: Body::Choose { choices, selected: Some(active.to_owned()) },
        buttons: vec![DialogButton::new(YES, words::profiles::CHANGE), DialogButton::away(words::common::NOT_NOW)],
        focus: None,
        ..Form::message(words::profiles::PROFILE, text, Tone::Question)
    }
}

/// The question before a strict one, for the terminal too.
pub fn question(name: &str) -> String {
    words::profiles::strict_change_to_it(name)
}

/// Asks before a strict one. No key that was not aimed at it means yes.
pub fn ask(name: &str) -> Form {
    Form {
        body: Body::Message,
        buttons: vec![DialogButton::new(YES, words::profiles::CHANGE), DialogButton::away(words::common::NOT_NOW)],
        focus: Some(DialogButton::AWAY.to_owned()),
        ..Form::message(words::profiles::STRICT_PROFILE, &question(name), Tone::Warning)
    }
}

/// What is shown meanwhile; putting it away leaves the agent to it.
pub fn progress(name: &str) -> Form {
    let text = words::profiles::TAKES_UP_TO_A_MINUTE;
    Form {
        body: Body::Progress,
        buttons: vec![DialogButton::away(words::menu::HIDE)],
        ..Form::message(&words::profiles::changing_title(name), text, Tone::Info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_never_changes_to_a_strict_profile() {
        assert_eq!(ask("prod").focus.as_deref(), Some(DialogButton::AWAY));
        assert!(ask("prod").text.contains("prod"));
    }
}
