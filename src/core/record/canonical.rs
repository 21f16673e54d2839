//! A record as a number, to tell whether it is still the one that was shown.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::words;

/// What a person saw, as a number: hex SHA-256 over the canonical JSON (sorted keys, no spaces) of every top-level field
/// except those that a decision changes (`decision*`, `resolved_at*`, `updated_at*`).
pub fn digest(raw: &Value) -> String {
    hex(&digest_bytes(raw))
}

/// [`digest`] before it is written out.
pub fn digest_bytes(raw: &Value) -> [u8; 32] {
    let mut canonical = Vec::with_capacity(2_048); // most are smaller
    match raw {
        Value::Object(fields) => write_object(fields, |name| !changes_with_decision(name), &mut canonical),
        other => write_canonical(other, &mut canonical),
    }
    Sha256::digest(&canonical).into()
}

/// In lower case.
pub fn hex(bytes: &[u8; 32]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])).collect()
}

/// Names of the fields in which two records differ, as far as [`digest`] looks at them; inside `prompt` and
/// `policy_snapshot` by their own names. Never their values: those may be hostile or secret.
pub fn changed(old: &Value, new: &Value) -> Vec<String> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return vec!["everything".to_owned()] };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).filter(|name| !changes_with_decision(name)).collect();
    let mut changed = Vec::new();
    for name in names {
        match (old.get(name), new.get(name)) {
            (old, new) if old == new => {}
            (Some(old @ Value::Object(_)), Some(new @ Value::Object(_))) if !name.contains('.') => {
                changed.extend(changed_inside(name, old, new));
            }
            _ => changed.push(shown_name(name)),
        }
    }
    changed
}

fn changed_inside(name: &str, old: &Value, new: &Value) -> Vec<String> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return Vec::new() };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = names.into_iter().filter(|inner| old.get(*inner) != new.get(*inner));
    differs.map(|inner| format!("{}.{}", shown_name(name), shown_name(inner))).collect()
}

/// Names of fields that nobody knows could be anything.
fn shown_name(name: &str) -> String {
    let plain = name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { name.to_owned() } else { words::approvals::UNKNOWN_FIELD.to_owned() }
}

/// More objects and arrays lie in one another than that.
pub(super) fn is_deeper_than(value: &Value, levels: usize) -> bool {
    let Some(inside) = levels.checked_sub(1) else { return value.is_object() || value.is_array() };
    match value {
        Value::Object(fields) => fields.values().any(|value| is_deeper_than(value, inside)),
        Value::Array(items) => items.iter().any(|value| is_deeper_than(value, inside)),
        _ => false,
    }
}

pub(super) fn changes_with_decision(name: &str) -> bool {
    ["decision", "resolved_at", "updated_at"].iter().any(|prefix| name.starts_with(prefix))
}

fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_canonical(item, out);
            }
            out.push(b']');
        }
        Value::Object(fields) => write_object(fields, |_| true, out),
        scalar => write_scalar(scalar, out),
    }
}

/// Writing to memory cannot fail.
fn write_scalar(scalar: &impl Serialize, out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, scalar);
}

/// Sorts by itself: whether a map keeps its order depends on a feature that any crate may switch on.
fn write_object(fields: &Map<String, Value>, keep: impl Fn(&str) -> bool, out: &mut Vec<u8>) {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().filter(|(name, _)| keep(name)).collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    out.push(b'{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_scalar(name, out);
        out.push(b':');
        write_canonical(value, out);
    }
    out.push(b'}');
}
