//! The support bundle: what goes into it, in which words, and that nothing secret does.
//!
//! Everything that is put in goes through one [`Cleaner`], whoever made it and whatever redaction it has had before.

use serde_json::{Map, Value, json};

use crate::core::redact::{REPLACEMENT, Redactor, hide_opaque};
use crate::core::{report, text};
use crate::words;

/// Lines of each log that are put in.
pub const LOG_LINES: usize = 4_000;
/// Longest key block that is followed over lines; one without an end would hide the rest of a log.
const KEY_BLOCK_LINES: usize = 200;
/// Deepest place of a document that is looked at; what lies deeper is left out.
const DEPTH: usize = 64;

/// Takes out secrets. Stricter than the redaction of logs: also what only looks drawn by lot goes.
pub struct Cleaner(Redactor);

impl Cleaner {
    /// `literals`: secrets that are known.
    pub fn new(literals: Vec<String>) -> Self {
        Self(Redactor::new(literals))
    }

    /// A text of several lines.
    pub fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut key_lines = 0;
        for line in text.lines() {
            if key_lines > 0 && key_lines < KEY_BLOCK_LINES && !line.contains("-----") {
                key_lines += 1;
                out.push_str(REPLACEMENT);
            } else {
                let opens = line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----");
                key_lines = usize::from(opens && !line.contains("-----END"));
                out.push_str(&self.line(line));
            }
            out.push('\n');
        }
        out
    }

    /// A document. A name that gives a secret away hides its value, whatever that is.
    pub fn json(&self, value: Value) -> Value {
        self.below(value, DEPTH)
    }

    fn below(&self, value: Value, depth: usize) -> Value {
        match value {
            _ if depth == 0 => Value::Null,
            Value::String(text) => Value::String(self.line(&text)),
            Value::Array(values) => values.into_iter().map(|value| self.below(value, depth - 1)).collect(),
            Value::Object(map) => {
                let member = |(name, value): (String, Value)| {
                    let hidden = self.is_given_away(&name, &value);
                    let value = if hidden { json!(REPLACEMENT) } else { self.below(value, depth - 1) };
                    (self.line(&name), value)
                };
                Value::Object(map.into_iter().map(member).collect::<Map<_, _>>())
            }
            other => other,
        }
    }

    fn is_given_away(&self, name: &str, value: &Value) -> bool {
        match value {
            Value::String(text) if text.is_empty() => false,
            Value::String(_) | Value::Number(_) => {
                // the rule for texts decides, so that there is one
                let member = json!({ name: value }).to_string();
                let behind_name = json!(name).to_string().len() + 1;
                self.0.spans(&member).iter().any(|span| span.context <= behind_name && span.start > behind_name)
            }
            _ => false,
        }
    }

    fn line(&self, text: &str) -> String {
        hide_opaque(&self.0.redact(text)).into_owned()
    }
}

/// What was found for a bundle; what was not, says why in one sentence.
pub struct Found {
    /// This program's version.
    pub version: String,
    /// Operating system and machine, as the build knows them.
    pub platform: String,
    /// When, milliseconds since the epoch.
    pub at_unix_ms: i64,
    /// The running agent's snapshot.
    pub snapshot: Result<Value, String>,
    /// The checks, as a document and in words.
    pub doctor: (Value, String),
    /// The names in Palyra's config.
    pub config_keys: Result<Vec<String>, String>,
    /// How each service last ended, by its name; those that never ran are not there.
    pub ends: Vec<(&'static str, Value)>,
    /// Where Palyra's programs are, or why they are not.
    pub programs: Vec<(&'static str, Result<String, String>)>,
    /// The newest lines of each log, by its name.
    pub logs: Vec<(&'static str, Result<String, String>)>,
    /// What `palyra support-bundle export` wrote; absent: it was not wanted.
    pub palyra: Option<Result<Value, String>>,
}

/// A file of the bundle.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Below the bundle's folder, with `/`.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// A bundle that is ready to be written.
#[derive(Debug)]
pub struct Bundle {
    /// The one that explains the others comes first.
    pub parts: Vec<Part>,
    /// What is not in it and why, a sentence each.
    pub lacks: Vec<String>,
}

/// Puts it together.
pub fn bundle(found: Found, cleaner: &Cleaner) -> Bundle {
    let mut parts: Vec<(String, &str, String)> = Vec::new();
    let mut lacks = Vec::new();
    let mut lack = |what: &str, why: &str| {
        lacks.push(cleaner.text(&words::support::is_not(what, text::sentence(why))).trim_end().to_owned());
    };
    let pretty = |value: Value| format!("{:#}\n", cleaner.json(value));
    let versions = json!({
        "palyra_tray": found.version,
        "platform": found.platform,
        "generated_at_unix_ms": found.at_unix_ms,
        "palyrad": found.snapshot.as_ref().ok().map(|snapshot| snapshot["quick_facts"]["gateway_version"].clone()),
        "palyrad_git_hash":
            found.snapshot.as_ref().ok().map(|snapshot| snapshot["quick_facts"]["gateway_git_hash"].clone()),
        "programs": found.programs.into_iter().map(|(name, place)| {
            (name.to_owned(), place.map_or_else(|why| json!({ "missing": why }), |path| json!({ "path": path })))
        }).collect::<Map<_, _>>(),
    });
    parts.push(("versions.json".to_owned(), words::support::PROGRAMS_THEIR_VERSIONS_AND_PLACES, pretty(versions)));
    match found.snapshot {
        Ok(snapshot) => {
            let in_words = cleaner.text(&report::report(&snapshot));
            parts.push(("diagnostics.txt".to_owned(), words::support::HOW_EVERYTHING, in_words));
            let told = pretty(without_contents(snapshot));
            parts.push(("snapshot.json".to_owned(), words::support::ALL_OF, told));
        }
        Err(why) => lack(words::support::SNAPSHOT, &why),
    }
    let (document, words) = found.doctor;
    parts.push(("doctor.txt".to_owned(), words::support::CHECKS_OF_THIS_MACHINE, cleaner.text(&words)));
    parts.push(("doctor.json".to_owned(), words::support::SAME_FOR_PROGRAMS, pretty(document)));
    match found.config_keys {
        Ok(keys) => {
            let text = cleaner.text(&keys.join("\n"));
            parts.push(("config-keys.txt".to_owned(), words::support::NAMES_IN_PALYRAS_CONFIG, text));
        }
        Err(why) => lack(words::support::LIST_OF_CONFIG_KEYS, &why),
    }
    for (service, end) in found.ends {
        parts.push((format!("ends/{service}.json"), words::support::HOW_IT_LAST_ENDED, pretty(end)));
    }
    for (name, log) in found.logs {
        match log {
            Ok(lines) => {
                parts.push((format!("logs/{name}.log"), words::support::ITS_NEWEST_LINES, cleaner.text(&lines)))
            }
            Err(why) => lack(&words::support::log_of(name), &why),
        }
    }
    match found.palyra {
        Some(Ok(export)) => {
            let what = words::support::PALYRAS_OWN_EXPORT_PALYRA_SUPPORT_BUNDLE;
            parts.push(("palyra-export.json".to_owned(), what, pretty(export)));
        }
        Some(Err(why)) => lack(words::support::PALYRAS_OWN_EXPORT, &why),
        None => lack(words::support::PALYRAS_OWN_EXPORT, words::support::IT_WAS_LEFT_OUT_ON_REQUEST),
    }
    let explanation = explain(&found.version, found.at_unix_ms, &parts, &lacks);
    let parts = parts.into_iter().map(|(name, _, text)| Part { name, text });
    let first = Part { name: "README.txt".to_owned(), text: explanation };
    Bundle { parts: std::iter::once(first).chain(parts).collect(), lacks }
}

fn explain(version: &str, at_unix_ms: i64, parts: &[(String, &str, String)], lacks: &[String]) -> String {
    let mut out = words::support::palyra_support_bundle(version, at_unix_ms, REPLACEMENT);
    for (name, what, _) in parts {
        out.push_str(&format!("{name:<22} {what}\n"));
    }
    if !lacks.is_empty() {
        out.push('\n');
        lacks.iter().for_each(|lack| out.push_str(&format!("! {lack}\n")));
    }
    out
}

/// Without what people write and what chats are about: only that it is there.
fn without_contents(mut snapshot: Value) -> Value {
    let companion = &mut snapshot["companion"];
    if let Some(drafts) = companion["offline_drafts"].as_array().map(Vec::len) {
        companion["offline_drafts"] = json!({ "count": drafts });
    }
    for notification in companion["notifications"].as_array_mut().into_iter().flatten() {
        let technical = matches!(notification["kind"].as_str(), Some("service" | "node" | "config" | "agent"));
        if let Some(fields) = notification.as_object_mut().filter(|_| !technical) {
            fields.retain(|name, _| matches!(name.as_str(), "id" | "kind" | "at_unix_ms" | "read"));
        }
    }
    if companion.is_null() {
        snapshot.as_object_mut().map(|fields| fields.remove("companion"));
    }
    forget_words(&mut snapshot, DEPTH);
    snapshot
}

/// A session or run keeps its ids, states and times; what it is called is made of what was written in it.
fn forget_words(value: &mut Value, depth: usize) {
    match value {
        _ if depth == 0 => {}
        Value::Array(values) => values.iter_mut().for_each(|value| forget_words(value, depth - 1)),
        Value::Object(fields) => {
            if fields.contains_key("session_id") || fields.contains_key("run_id") {
                fields.retain(|name, _| !matches!(name.as_str(), "title" | "preview" | "text" | "summary"));
            }
            fields.values_mut().for_each(|value| forget_words(value, depth - 1));
        }
        _ => {}
    }
}

/// What the person is told on a terminal, and in a notification behind the file's name.
pub fn told(lacks: &[String]) -> String {
    lacks.iter().map(|lack| format!("\n{lack}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        Found {
            version: "1".to_owned(),
            platform: "linux x86_64".to_owned(),
            at_unix_ms: 5,
            snapshot: Ok(json!({ "state": "healthy" })),
            doctor: (json!({ "verdict": "ok" }), "ok Ports: free".to_owned()),
            config_keys: Ok(vec!["admin.auth_token".to_owned(), "daemon.port".to_owned()]),
            ends: vec![("gateway", json!({ "cause": "crashed" }))],
            programs: vec![("palyrad", Ok("/opt/palyrad".to_owned()))],
            logs: vec![("gateway", Ok("1 out started\n".to_owned()))],
            palyra: Some(Ok(json!({ "schema_version": 1 }))),
        }
    }

    fn part<'a>(bundle: &'a Bundle, name: &str) -> &'a str {
        &bundle.parts.iter().find(|part| part.name == name).unwrap_or_else(|| panic!("no {name}")).text
    }

    #[test]
    fn it_holds_what_was_found_and_explains_it() {
        let bundle = bundle(found(), &Cleaner::new(Vec::new()));
        assert_eq!(bundle.parts[0].name, "README.txt");
        let explained = part(&bundle, "README.txt");
        for part in &bundle.parts[1..] {
            assert!(explained.contains(&part.name), "{} is not explained", part.name);
        }
        assert_eq!(part(&bundle, "config-keys.txt"), "admin.auth_token\ndaemon.port\n");
        assert_eq!(bundle.lacks, [""; 0]);
    }

    #[test]
    fn what_is_not_there_is_said_and_costs_nothing_else() {
        let missing = || Err("it does not answer".to_owned());
        let poor = Found {
            snapshot: missing(),
            config_keys: Err("line 3 is wrong".to_owned()),
            logs: vec![("gateway", Err("no such file".to_owned())), ("tray", Ok("x".to_owned()))],
            palyra: Some(Err("it took longer than 60 s".to_owned())),
            ..found()
        };
        let bundle = bundle(poor, &Cleaner::new(Vec::new()));
        assert_eq!(bundle.lacks.len(), 4);
        let explained = part(&bundle, "README.txt");
        assert!(explained.contains("! Palyra's own export is not in it: It took longer than 60 s."), "{explained}");
        assert_eq!(part(&bundle, "logs/tray.log"), "x\n");
    }

    #[test]
    fn names_give_values_away_in_documents() {
        let clean = Cleaner::new(vec!["planted-literal".to_owned()]).json(json!({
            "api_key": "k", "pin_secret": 123_456, "nested": [{ "Authorization": "Bearer x" }],
            "total_tokens": 12, "token": null, "says": "planted-literal here", "token_count": true,
            "planted-literal": "a name", "state": "token=abc", "empty": { "password": "" },
        }));
        let wanted = json!({
            "api_key": "<redacted>", "pin_secret": "<redacted>", "nested": [{ "Authorization": "<redacted>" }],
            "total_tokens": 12, "token": null, "says": "<redacted> here", "token_count": true,
            "<redacted>": "a name", "state": "token=<redacted>", "empty": { "password": "" },
        });
        assert_eq!(clean, wanted);
    }

    #[test]
    fn a_key_block_goes_over_all_its_lines() {
        let text =
            "1 err -----BEGIN PRIVATE KEY-----\n1 err MIIEvQ\n1 err short=\n1 err -----END PRIVATE KEY-----\nafter\n";
        let clean = Cleaner::new(Vec::new()).text(text);
        assert!(!clean.contains("MIIE") && !clean.contains("short") && clean.ends_with("after\n"), "{clean}");
    }

    #[test]
    fn what_people_write_is_only_counted() {
        let snapshot = json!({ "companion": {
            "offline_drafts": [{ "text": "dear diary" }],
            "notifications": [
                { "id": "1", "kind": "run", "title": "It answered", "body": "dear diary" },
                { "id": "2", "kind": "service", "title": "Gave up", "body": "no memory" },
            ],
        }, "active_runs": [{ "session_id": "s1", "run_id": "r1", "title": "dear diary", "state": "in_progress" }] });
        let told = without_contents(snapshot).to_string();
        assert!(
            !told.contains("diary")
                && told.contains("no memory")
                && told.contains("in_progress")
                && told.contains("\"count\":1"),
            "{told}"
        );
    }
}
