//! The review of an approval: the whole record in words, and what may be chosen about it.
//!
//! A review is where everything can be decided that a notification cannot show: long texts, critical ones, ones in which
//! the gateway hid something. So nothing is left out here without saying so, what is shown is bound to its digest, Deny has
//! the keyboard, and a doubtful approval is asked about twice.

use serde_json::Value;

use crate::core::describe::{self, LINE_END, name, risk_word, value, visible};
use crate::core::dialog::{Body, Choice, DialogButton, Form, Tone};
use crate::core::notices::cut;
use crate::core::record::{self, Record, Risk};
use crate::core::snapshot;
use crate::core::text;
use crate::protocol::{Decision, Scope, Standing, Verdict};
use crate::words;

/// More than this many characters are not shown, and what is not shown whole is not approved here.
pub const MAX_SHOWN_CHARS: usize = 64 * 1024;
/// Ends further away than this are none, milliseconds.
const NO_END_MS: i64 = 10 * 365 * 86_400_000;
/// Id of the button that refuses.
const DENY: &str = "deny";
/// Id of the button that shows a record anew.
pub const AGAIN: &str = "again";
/// Id of the button that says yes to the second question.
const SURE: &str = "sure";

/// A record as a person sees it, and the digest of exactly that.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    record: Record,
    digest: String,
    /// The one way to say yes that is asked for; absent: all that there are.
    only: Option<Decision>,
}

/// An approval that was chosen, before it is certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// Send it.
    Decide(Decision),
    /// Ask once more: [`doubt`].
    Doubt(Decision),
    /// Nothing was decided.
    Nothing,
}

impl Shown {
    /// What the agent answered when it was asked for the record `id`.
    ///
    /// # Errors
    /// It cannot be read, or its digest is not that of what came with it; in one sentence.
    pub fn read(answer: &Value) -> Result<Self, String> {
        let mut raw = answer.clone();
        let digest = raw["digest"].as_str().unwrap_or_default().to_owned();
        if let Value::Object(map) = &mut raw {
            for ours in snapshot::ADDED {
                map.remove(ours);
            }
        }
        if record::digest(&raw) != digest {
            return Err(words::approvals::RECORD_DOES_NOT_MATCH_ITS_DIGEST.to_owned());
        }
        let record = Record::from_value(raw).map_err(|unreadable| unreadable.why)?;
        Ok(Self { record, digest, only: None })
    }

    /// The same record, when the person has said already what to do about it, and is only to see it and agree.
    #[must_use]
    pub fn only(mut self, scope: Scope, ttl_ms: Option<i64>, reason: Option<String>) -> Self {
        self.only = Some(Decision { reason, ..self.decision(Verdict::Approve, scope, ttl_ms) });
        self
    }

    /// Over everything a decision rests on.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Names it.
    pub fn id(&self) -> &str {
        &self.record.approval_id
    }

    /// Somebody decided, or nobody waits any more; in one sentence.
    pub fn over(&self, now_unix_ms: i64) -> Option<String> {
        match &self.record.decision {
            Some(record::Decision::Allow) => Some(words::approvals::IT_WAS_ALLOWED_ALREADY.to_owned()),
            Some(record::Decision::Deny) => Some(words::approvals::IT_WAS_DENIED_ALREADY.to_owned()),
            Some(other) => Some(words::approvals::it_was_decided_already(name(other.name()))),
            None if now_unix_ms >= self.record.expires_at_unix_ms() => {
                Some(words::approvals::IT_HAS_EXPIRED_WHOEVER.to_owned())
            }
            None => None,
        }
    }

    fn decision(&self, verdict: Verdict, scope: Scope, ttl_ms: Option<i64>) -> Decision {
        Decision {
            approval_id: self.record.approval_id.clone(),
            digest: self.digest.clone(),
            verdict,
            scope,
            ttl_ms,
            reason: None,
        }
    }

    /// The ways to say yes: button, decision. Each from the server's own options; a critical one once only.
    fn ways(&self) -> Vec<(DialogButton, Decision)> {
        if let Some(only) = &self.only {
            let label = match (only.scope, only.ttl_ms) {
                (Scope::Once, _) => words::common::APPROVE_ONCE.to_owned(),
                (Scope::Session, _) => words::approvals::APPROVE_FOR_THIS_SESSION.to_owned(),
                (Scope::Timeboxed, ttl) => words::approvals::approve_for(length(ttl.unwrap_or_default())),
            };
            return vec![(DialogButton::new("approve", &label), only.clone())];
        }
        let critical = self.record.prompt.risk_level == Risk::Critical;
        let mut ways = vec![(
            DialogButton::new("once", words::common::APPROVE_ONCE),
            self.decision(Verdict::Approve, Scope::Once, None),
        )];
        let options =
            self.record.prompt.options.iter().filter(|option| !critical && option.option_id.starts_with("allow"));
        for option in options {
            let (id, label, scope, ttl) = match (option.decision_scope, option.timebox_ttl_ms) {
                (Some(Scope::Session), _) => {
                    ("session".to_owned(), words::approvals::APPROVE_FOR_THIS_SESSION.to_owned(), Scope::Session, None)
                }
                (Some(Scope::Timeboxed), Some(ttl)) if ttl > 0 => {
                    (format!("box{ttl}"), words::approvals::approve_for(length(ttl)), Scope::Timeboxed, Some(ttl))
                }
                _ => continue,
            };
            if !ways.iter().any(|(button, _)| button.id == id) {
                ways.push((DialogButton::new(&id, &label), self.decision(Verdict::Approve, scope, ttl)));
            }
        }
        ways
    }

    /// Why a yes is asked for twice; empty when once is enough.
    fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.record.prompt.risk_level == Risk::Critical {
            doubts.push(words::approvals::GATEWAY_RATES_IT_CRITICAL.to_owned());
        }
        let hidden = describe::hidden_parts(&self.record);
        if hidden > 0 {
            doubts.push(words::approvals::gateway_hid(if hidden == 1 {
                words::approvals::PART.to_owned()
            } else {
                words::approvals::parts(hidden)
            }));
        }
        if !self.record.unknown_parts.is_empty() {
            doubts.push(words::approvals::parts_of_record_are_missing({
                let mut parts = self.record.unknown_parts.clone();
                parts.sort_unstable();
                parts.dedup();
                parts.join(", ")
            }));
        }
        if doubts.is_empty() && !describe::describe(&self.record).whole {
            doubts.push(words::approvals::NOT_ALL_OF_IT_IS_PLAIN.to_owned());
        }
        doubts
    }
}

/// The list of what waits, riskiest first, and how many more could not be understood. The value of an answer is the
/// approval's id.
pub fn list(waiting: &[Shown], unreadable: u64) -> Form {
    let choices = waiting.iter().map(|shown| {
        let words = describe::describe(&shown.record);
        Choice { id: shown.id().to_owned(), label: cut(&words.title, 60), detail: cut(&words.what, 100) }
    });
    let mut text = words::approvals::CHOOSE_ONE_TO_SEE_WHOLE.to_owned();
    if unreadable > 0 {
        text.push_str(&words::approvals::more_could_not_be_understood(unreadable));
    }
    let mut form = Form::message(words::approvals::WHAT_WAITS_FOR_YOU, &text, Tone::Question);
    form.title = words::approvals::PALYRA_APPROVALS.to_owned();
    form.body =
        Body::Choose { choices: choices.collect(), selected: waiting.first().map(|shown| shown.id().to_owned()) };
    form.buttons = vec![DialogButton::new("show", words::approvals::SHOW), DialogButton::away(words::buttons::LATER)];
    form.focus = None;
    form
}

/// The whole of one record. [`chosen`] tells what a button means.
pub fn form(shown: &Shown, now_unix_ms: i64) -> Form {
    let words = describe::describe(&shown.record);
    let (document, left_out) = document(shown);
    let mut notes = notes(shown, now_unix_ms);
    let mut buttons: Vec<_> = shown.ways().into_iter().map(|(button, _)| button).collect();
    if left_out > 0 {
        buttons.clear();
        notes.push(words::approvals::it_is_longer_than_can(left_out));
    }
    let denies = shown.only.is_none();
    if denies {
        buttons.push(DialogButton::new(DENY, words::buttons::DENY));
    }
    buttons.push(DialogButton::away(words::buttons::LATER));
    Form {
        title: words::approvals::PALYRA_MAY_THIS_BE_DONE.to_owned(),
        heading: cut(&words.title, 90),
        text: notes.join("\n"),
        body: Body::Document { document },
        buttons,
        focus: denies.then(|| DENY.to_owned()),
        tone: if shown.record.prompt.risk_level == Risk::Critical { Tone::Warning } else { Tone::Question },
    }
}

/// The same as plain text.
pub fn in_text(shown: &Shown, now_unix_ms: i64) -> String {
    let words = describe::describe(&shown.record);
    let (document, left_out) = document(shown);
    let cut_off = if left_out > 0 { words::approvals::characters_are_left_out(left_out) } else { String::new() };
    format!("{}\n{}\n\n{document}{cut_off}", words.title, notes(shown, now_unix_ms).join("\n"))
}

/// What is said above the record.
fn notes(shown: &Shown, now_unix_ms: i64) -> Vec<String> {
    let words = describe::describe(&shown.record);
    let mut notes = vec![words::approvals::asked_by(cut(&words.who, 60), time_left(&shown.record, now_unix_ms))];
    notes.extend(shown.doubts());
    notes
}

/// What is said when the review was closed by itself; absent: reading the record says it. Its button [`AGAIN`] shows it anew.
pub fn closed(standing: Standing) -> Option<Form> {
    let why = match standing {
        Standing::Waits | Standing::Settled => return None,
        Standing::Changed => words::approvals::IT_HAS_CHANGED_SINCE,
        Standing::Locked => words::approvals::SCREEN_WAS_LOCKED,
        Standing::Ending => words::approvals::PALYRA_TRAY_HAS_ENDED,
    };
    let mut form = Form::message(words::approvals::REVIEW_WAS_CLOSED, why, Tone::Info);
    if standing != Standing::Ending {
        form.buttons =
            vec![DialogButton::new(AGAIN, words::common::LOOK_AGAIN), DialogButton::away(words::buttons::LATER)];
        form.focus = None;
    }
    Some(form)
}

/// What the button with this id means, under the [`form`].
pub fn chosen(shown: &Shown, button: &str) -> Chosen {
    if button == DENY {
        return Chosen::Decide(shown.decision(Verdict::Deny, Scope::Once, None));
    }
    if document(shown).1 > 0 {
        return Chosen::Nothing;
    }
    match shown.ways().into_iter().find(|(way, _)| way.id == button) {
        Some((_, decision)) if shown.doubts().is_empty() => Chosen::Decide(decision),
        Some((_, decision)) => Chosen::Doubt(decision),
        None => Chosen::Nothing,
    }
}

/// The second question. No key says yes to it that was not aimed at the button.
pub fn doubt(shown: &Shown) -> Form {
    let words = describe::describe(&shown.record);
    Form {
        title: words::approvals::PALYRA_ARE_YOU_SURE.to_owned(),
        heading: words::approvals::approve_all_same(cut(&words.title, 70)),
        text: shown.doubts().join("\n"),
        body: Body::Message,
        buttons: vec![DialogButton::new(SURE, words::approvals::APPROVE), DialogButton::away(words::buttons::BACK)],
        focus: None,
        tone: Tone::Warning,
    }
}

/// The second question was answered with yes.
pub fn is_sure(button: Option<&str>) -> bool {
    button == Some(SURE)
}

fn time_left(record: &Record, now_unix_ms: i64) -> String {
    let left = record.expires_at_unix_ms().saturating_sub(now_unix_ms);
    match left {
        ..=0 => words::approvals::IT_HAS_EXPIRED.to_owned(),
        1..NO_END_MS => words::approvals::it_expires(text::duration(u64::try_from(left / 1_000).unwrap_or_default())),
        _ => words::approvals::IT_DOES_NOT_SAY_WHEN.to_owned(),
    }
}

/// Everything that the record says, every character told apart, and how many characters are left out at the end.
fn document(Shown { record, digest, .. }: &Shown) -> (String, usize) {
    let words = describe::describe(record);
    let mut out = String::new();
    let mut part = |title: &str, body: &str| {
        if !body.is_empty() {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(title);
            for line in body.lines() {
                out.push_str("\n    ");
                out.push_str(line);
            }
            out.push('\n');
        }
    };
    part(words::approvals::WHAT_WOULD_BE_DONE, &lines(&words.what));
    let text = |text: &str| if text.is_empty() { String::new() } else { lines(&value(text)) };
    let summary = value(&record.prompt.summary);
    part(
        words::approvals::SUMMARY,
        &if summary == words.what { words::approvals::AS_ABOVE.to_owned() } else { text(&record.prompt.summary) },
    );
    let details = match serde_json::from_str::<Value>(&record.prompt.details_json) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
        Err(_) => value(&record.prompt.details_json),
    };
    let details: Vec<_> = details.lines().map(visible).collect();
    part(words::buttons::DETAILS, &lines(&details.join("\n")));
    part(words::approvals::WHY_YOU_ARE_ASKED, &text(&record.prompt.policy_explanation));
    part(words::approvals::RULE, &text(&record.policy_snapshot.evaluation_summary));
    let rows = [
        (words::approvals::RISK, risk_word(record.prompt.risk_level)),
        (words::approvals::KIND, record.subject_type.name()),
        (words::approvals::SUBJECT, &record.subject_id),
        (words::approvals::ASKED_BY, &record.principal),
        (words::approvals::CHANNEL, record.channel.as_deref().unwrap_or_default()),
        (words::approvals::DEVICE, &record.device_id),
        (words::approvals::SESSION, &record.session_id),
        (words::approvals::RUN, &record.run_id),
        (words::approvals::APPROVAL, &record.approval_id),
        (words::approvals::DECISION, record.decision.as_ref().map(record::Decision::name).unwrap_or_default()),
        (words::approvals::DIGEST, digest),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(title, value)| format!("{title:<9} {}", name(value)))
        .collect();
    part(words::approvals::ORIGIN, &rows.join("\n"));
    let length = out.chars().count();
    if length > MAX_SHOWN_CHARS {
        return (out.chars().take(MAX_SHOWN_CHARS).collect(), length - MAX_SHOWN_CHARS);
    }
    (out, 0)
}

/// A length in words, exact: "8 h", "1 h 30 min", "1500 ms".
fn length(ms: i64) -> String {
    if ms % 1_000 != 0 {
        return format!("{ms} ms");
    }
    let seconds = ms / 1_000;
    let parts = [(seconds / 3_600, "h"), (seconds % 3_600 / 60, "min"), (seconds % 60, "s")];
    let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    parts.join(" ")
}

/// A line end is shown, and made.
fn lines(visible: &str) -> String {
    visible.replace(LINE_END, &format!("{LINE_END}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::Now;
    use serde_json::json;

    fn shown(change: impl FnOnce(&mut Value)) -> Shown {
        let text = include_str!("../../tests/captures/51-record-tool-call.json");
        let capture: Value = serde_json::from_str(text).expect("a capture");
        let mut raw = find(&capture).expect("a record").clone();
        raw["decision"] = Value::Null;
        change(&mut raw);
        answer(&raw).expect("a readable record")
    }

    /// As the agent answers.
    fn answer(raw: &Value) -> Result<Shown, String> {
        let record = Record::from_value(raw.clone()).expect("a readable record");
        Shown::read(&snapshot::record(&record, Now::default())["approval"])
    }

    fn find(value: &Value) -> Option<&Value> {
        match value {
            Value::Object(map) if map.contains_key("approval_id") && map.contains_key("prompt") => Some(value),
            Value::Object(map) => map.values().find_map(find),
            Value::Array(items) => items.iter().find_map(find),
            _ => None,
        }
    }

    fn labels(form: &Form) -> Vec<&str> {
        form.buttons.iter().map(|button| button.label.as_str()).collect()
    }

    fn details(raw: &mut Value, input: Value) {
        raw["prompt"]["details_json"] = json!(json!({ "tool_name": "shell.exec", "input_json": input }).to_string());
    }

    #[test]
    fn a_models_tool_call_is_shown_whole_with_the_servers_own_choices() {
        let shown = shown(|_| {});
        let form = form(&shown, shown.record.requested_at_unix_ms);
        assert_eq!(labels(&form), ["Approve once", "Approve for this session", "Deny", "Later"]);
        assert_eq!(form.focus.as_deref(), Some("deny"));
        assert!(form.text.contains("It expires in 15 min"), "{}", form.text);
        let Body::Document { document } = &form.body else { panic!("{:?}", form.body) };
        for part in ["x: 1", "custom.noop", shown.id(), "Why you are asked"] {
            assert!(document.contains(part), "{part} in {document}");
        }
        let Chosen::Decide(decision) = chosen(&shown, "session") else { panic!("no doubt here") };
        assert_eq!((decision.scope, &decision.digest), (Scope::Session, &shown.digest));
        assert_eq!(chosen(&shown, "box1"), Chosen::Nothing);
        assert_eq!(chosen(&shown, "away"), Chosen::Nothing);
    }

    #[test]
    fn a_time_box_has_the_servers_length_and_never_none() {
        let option = |ttl: Value| {
            json!({ "option_id": "allow_box", "label": "", "description": "", "default_selected": false,
            "decision_scope": "timeboxed", "timebox_ttl_ms": ttl })
        };
        let shown = shown(|raw| {
            raw["prompt"]["options"] = json!([option(json!(28_800_000)), option(json!(0)), option(Value::Null)]);
        });
        assert_eq!(labels(&form(&shown, 0)), ["Approve once", "Approve for 8 h", "Deny", "Later"]);
        assert_eq!((length(5_400_000), length(1_500)), ("1 h 30 min".to_owned(), "1500 ms".to_owned()));
        let Chosen::Decide(decision) = chosen(&shown, "box28800000") else { panic!("a choice") };
        assert_eq!((decision.scope, decision.ttl_ms), (Scope::Timeboxed, Some(28_800_000)));
    }

    #[test]
    fn critical_is_once_only_and_asked_twice() {
        let shown = shown(|raw| raw["prompt"]["risk_level"] = json!("critical"));
        assert_eq!(labels(&form(&shown, 0)), ["Approve once", "Deny", "Later"]);
        assert!(matches!(chosen(&shown, "once"), Chosen::Doubt(_)));
        assert_eq!(chosen(&shown, "session"), Chosen::Nothing);
        let doubt = doubt(&shown);
        assert!(doubt.focus.is_none() && doubt.text.contains("critical"));
        assert!(is_sure(Some("sure")) && !is_sure(Some("away")) && !is_sure(None));
        assert!(matches!(chosen(&shown, "deny"), Chosen::Decide(Decision { verdict: Verdict::Deny, .. })));
    }

    #[test]
    fn hidden_parts_are_counted_and_asked_about_twice() {
        let shown = shown(|raw| {
            details(raw, json!({ "command": "curl -H <redacted>", "more": ["<redacted>", "plain"] }));
        });
        let form = form(&shown, 0);
        assert!(form.text.contains("The gateway hid 2 parts of it"), "{}", form.text);
        assert!(matches!(chosen(&shown, "once"), Chosen::Doubt(_)));
    }

    #[test]
    fn nothing_hides_in_the_document() {
        let shown = shown(|raw| details(raw, json!({ "command": "ls\u{202e}fdp.exe\u{200b}\nrm -r ~  /" })));
        let Body::Document { document } = form(&shown, 0).body else { panic!("a document") };
        assert!(document.contains("\\u{202e}") && document.contains("\\u{200b}"), "{document}");
        assert!(document.contains("⏎\n    rm -r ~  /"), "white space is kept: {document}");
        assert!(!document.contains('\u{202e}') && !document.contains('\u{200b}'));
    }

    #[test]
    fn what_is_too_long_to_show_is_not_approved_here() {
        let shown = shown(|raw| details(raw, json!({ "command": "x".repeat(2 * MAX_SHOWN_CHARS) })));
        let form = form(&shown, 0);
        assert_eq!(labels(&form), ["Deny", "Later"]);
        assert!(form.text.contains("characters are left out"), "{}", form.text);
        assert_eq!(chosen(&shown, "once"), Chosen::Nothing);
        assert!(matches!(chosen(&shown, "deny"), Chosen::Decide(_)));
    }

    #[test]
    fn another_record_under_the_same_digest_is_not_shown() {
        let shown = shown(|_| {});
        let mut value = shown.record.raw.clone();
        value["digest"] = json!(shown.digest);
        value["prompt"]["summary"] = json!("something else");
        assert!(Shown::read(&value).is_err());
    }

    #[test]
    fn what_is_over_says_so() {
        let shown = shown(|_| {});
        let end = shown.record.expires_at_unix_ms();
        assert!(shown.over(end).is_some_and(|why| why.contains("expired")));
        assert!(shown.over(end - 1).is_none());
    }
}
