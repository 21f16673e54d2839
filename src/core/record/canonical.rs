//! A record as a number, to tell whether it is still the one that was shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What a person saw, as a number: hex SHA-256 over the canonical JSON (sorted keys, no spaces) of every top-level field
/// except those that a decision changes (`decision*`, `resolved_at*`, `updated_at*`).
pub fn digest(raw: &Value) -> String {
    let mut canonical = String::new();
    match raw {
        Value::Object(fields) => write_object(fields, |name| !changes_with_decision(name), &mut canonical),
        other => write_canonical(other, &mut canonical),
    }
    Sha256::digest(canonical.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

pub(super) fn changes_with_decision(name: &str) -> bool {
    ["decision", "resolved_at", "updated_at"].iter().any(|prefix| name.starts_with(prefix))
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => write_object(fields, |_| true, out),
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

/// Sorts by itself: whether a map keeps its order depends on a feature that any crate may switch on.
fn write_object(fields: &Map<String, Value>, keep: impl Fn(&str) -> bool, out: &mut String) {
    let sorted: BTreeMap<&String, &Value> = fields.iter().filter(|(name, _)| keep(name)).collect();
    out.push('{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_canonical(&Value::String(name.clone()), out);
        out.push(':');
        write_canonical(value, out);
    }
    out.push('}');
}
