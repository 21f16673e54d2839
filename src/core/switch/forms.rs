//! The profiles in words: the list, the choice, the question before a strict one. From the agent's own documents.

use serde_json::Value;

use crate::core::dialog::{Body, Choice, DialogButton, Form, Tone};
use crate::core::text;

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
        words.push("strict: asks first".to_owned());
    }
    if of(entry, "mode") == "remote" {
        words.push(crate::words::remote::HEALTH_AND_DASHBOARD_ONLY.to_owned());
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
        out.push_str(&format!("! left out: {why}\n"));
    }
    out
}

/// The active one, from the snapshot.
pub fn show(block: &Value) -> String {
    let strict = if block["strict_mode"] == Value::Bool(true) { ", strict" } else { "" };
    let mut out = format!("Profile: {} ({}{strict})\n", of(block, "active"), of(block, "label"));
    let switch = &block["switch"];
    if block["switching"] == Value::Bool(true) {
        out.push_str(&format!(
            "  Changing from {} to {}: {}\n",
            of(switch, "from"),
            of(switch, "to"),
            of(switch, "stage")
        ));
    } else if !of(switch, "outcome").is_empty() {
        out.push_str(&format!("  Last change: {}\n", of(switch, "outcome")));
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
    let text = "Palyra is stopped in the profile that is active now, and started in the other one. If that does not work, \
                the old one is started again.";
    Form {
        body: Body::Choose { choices, selected: Some(active.to_owned()) },
        buttons: vec![DialogButton::new(YES, "Change"), DialogButton::away("Not now")],
        focus: None,
        ..Form::message("Profile", text, Tone::Question)
    }
}

/// The question before a strict one, for the terminal too.
pub fn question(name: &str) -> String {
    format!("{name} is a strict profile: what agents do there is real. Change to it?")
}

/// Asks before a strict one. No key that was not aimed at it means yes.
pub fn ask(name: &str) -> Form {
    Form {
        body: Body::Message,
        buttons: vec![DialogButton::new(YES, "Change"), DialogButton::away("Not now")],
        focus: Some(DialogButton::AWAY.to_owned()),
        ..Form::message("A strict profile", &question(name), Tone::Warning)
    }
}

/// What is shown meanwhile; putting it away leaves the agent to it.
pub fn progress(name: &str) -> Form {
    let text = "Palyra is stopped here and started there. This takes up to a minute.";
    Form {
        body: Body::Progress,
        buttons: vec![DialogButton::away("Hide")],
        ..Form::message(&format!("Changing to profile {name}"), text, Tone::Info)
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
