//! Compares an answer with a recorded one: same keys, same types, same values, except where values must differ.

use std::collections::HashMap;

use serde_json::Value;

/// Keys whose values are this machine's, this build's or a model's; only their type counts.
const VARYING: [&str; 19] = [
    "admin",
    "authorization_url",
    "build_profile",
    "endpoint_base_url",
    "git_hash",
    "grpc",
    "grpc_port",
    "journal_db_path",
    "journal_events",
    "last_summary",
    "latency_ms",
    "latest_event_hash",
    "handoff_url",
    "preview",
    "quic",
    "quic_port",
    "token",
    "uptime_seconds",
    "version",
];

/// What each recorded id, credential and time is here. The same one must be the same everywhere.
#[derive(Default)]
pub struct Bindings(HashMap<String, Value>);

impl Bindings {
    /// `text` with every recorded id and credential replaced by ours.
    pub fn translate(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (theirs, ours)| match ours {
            Value::String(ours) => text.replace(theirs, ours),
            _ => text,
        })
    }

    /// Remembers what a recorded credential is here.
    pub fn bind(&mut self, theirs: &str, ours: &str) -> Result<(), String> {
        self.same(theirs.to_owned(), &Value::String(ours.to_owned()))
    }

    /// Every difference between a recorded value and ours, by place.
    pub fn compare(&mut self, place: &str, theirs: &Value, ours: &Value) -> Vec<String> {
        let key = place.rsplit('.').next().unwrap_or_default();
        let differ = || vec![format!("{place}: recorded {theirs}, got {ours}")];
        match (theirs, ours) {
            (Value::Object(theirs), Value::Object(ours)) => {
                let mut found: Vec<String> = ours
                    .keys()
                    .filter(|key| !theirs.contains_key(*key))
                    .map(|key| format!("{place}.{key}: not recorded"))
                    .collect();
                for (key, theirs) in theirs {
                    match ours.get(key) {
                        Some(ours) => found.extend(self.compare(&format!("{place}.{key}"), theirs, ours)),
                        None => found.push(format!("{place}.{key}: missing")),
                    }
                }
                found
            }
            (Value::Array(theirs), Value::Array(ours)) if theirs.len() == ours.len() => {
                let pairs = theirs.iter().zip(ours).enumerate();
                pairs.flat_map(|(i, (theirs, ours))| self.compare(&format!("{place}.{i}"), theirs, ours)).collect()
            }
            (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) if VARYING.contains(&key) => {
                Vec::new()
            }
            (Value::Number(theirs), Value::Number(_)) if key.ends_with("_unix_ms") => {
                self.same(format!("#{theirs}"), ours).err().map(|why| format!("{place}: {why}")).into_iter().collect()
            }
            (Value::String(text), Value::String(own)) if key == "code" && is_pin(text) && is_pin(own) => {
                self.bind(text, own).err().map(|why| format!("{place}: {why}")).into_iter().collect()
            }
            (Value::String(text), Value::String(own)) if is_id(text) => {
                let alike = is_id(own) && text.len().min(own.len()) >= 26;
                let bound = if alike { self.bind(text, own) } else { Err(format!("`{own}` is no id")) };
                bound.err().map(|why| format!("{place}: {why}")).into_iter().collect()
            }
            (Value::String(text), Value::String(own)) if normal(text, key) == normal(own, key) => Vec::new(),
            (theirs, ours) if theirs == ours => Vec::new(),
            _ => differ(),
        }
    }

    fn same(&mut self, theirs: String, ours: &Value) -> Result<(), String> {
        let bound = self.0.entry(theirs.clone()).or_insert_with(|| ours.clone());
        if bound == ours { Ok(()) } else { Err(format!("{theirs} was {bound} before and is {ours} now")) }
    }
}

/// Every key of `ours`, at any depth, that was not recorded, or with another type.
pub fn unrecorded(place: &str, theirs: &Value, ours: &Value) -> Vec<String> {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => ours
            .iter()
            .flat_map(|(key, ours)| {
                let place = format!("{place}.{key}");
                theirs
                    .get(key)
                    .map_or_else(|| vec![format!("{place}: not recorded")], |theirs| unrecorded(&place, theirs, ours))
            })
            .collect(),
        _ if std::mem::discriminant(theirs) == std::mem::discriminant(ours) => Vec::new(),
        _ => vec![format!("{place}: recorded {theirs}, got {ours}")],
    }
}

/// A pairing code.
fn is_pin(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|c| c.is_ascii_digit())
}

/// A ULID in either case, a credential of 43 characters, or the placeholder of a recorded one.
fn is_id(text: &str) -> bool {
    let ulid = text.len() == 26
        && (text.bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
            || text.bytes().all(|c| c.is_ascii_digit() || c.is_ascii_lowercase()));
    let token = text.len() == 43 && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c));
    ulid || token
}

/// With ids and hashes inside a text masked, and the figures of a `detail`.
fn normal(text: &str, key: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric();
    let mut masked = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let (run, tail) = rest.split_at(end);
        let hash = run.len() == 64 && run.bytes().all(|c| c.is_ascii_hexdigit());
        masked.push_str(if hash {
            "<hash>"
        } else if is_id(run) {
            "<id>"
        } else {
            run
        });
        let step = tail.chars().next().map_or(0, char::len_utf8);
        masked.push_str(&tail[..step]);
        rest = &tail[step..];
    }
    if key == "detail" { masked.replace(|c: char| c.is_ascii_digit(), "") } else { masked }
}
