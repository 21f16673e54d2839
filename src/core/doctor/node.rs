//! The check of the node host's certificate, by the agent's own words: only `palyra` can read it, and the agent asks it.

use serde_json::Value;

use super::facts::{Agent, Facts};
use super::{About, Check};
use crate::core::text;
use crate::words;

const CERTIFICATE: About = About("node_certificate", words::checks::NODE_HOST_CERTIFICATE);

/// With less than this left it is said, milliseconds. A certificate lasts a day.
const SOON_MS: i64 = 2 * 3_600_000;

/// Until when it is valid.
pub(super) fn certificate(facts: &Facts) -> Check {
    let Some(snapshot) = facts.agent.snapshot() else {
        return CERTIFICATE.skipped(match facts.agent {
            Agent::Absent => words::common::NO_AGENT_RUNS,
            _ => words::common::AGENT_DOES_NOT_TELL,
        });
    };
    let node = &snapshot["quick_facts"]["node_host"];
    let words = |key: &str| node[key].as_str().filter(|words| !words.is_empty());
    if words("under_way").is_some() {
        return CERTIFICATE.skipped(words::checks::NODE_HOST_IS_BEING_ENROLLED);
    }
    if node["installed"] != Value::Bool(true) {
        return CERTIFICATE.skipped(words::common::NOT_ENROLLED);
    }
    if let Some(why) = words("not_known") {
        let evidence = words::checks::certificate_cannot_be_read(why);
        return CERTIFICATE.warning(evidence, words::checks::MEND_THAT_THEN_START_AGENT_ANEW);
    }
    let left = node["certificate_expires_at_unix_ms"].as_i64().map(|end| end.saturating_sub(facts.now_unix_ms));
    let lasts = |ms: i64| text::duration(u64::try_from(ms / 1_000).unwrap_or(0));
    match (words("needs_repair"), left) {
        // the agent may not have been woken since
        (_, Some(left)) if left <= 0 => {
            let evidence = words::checks::expired_ago_node_host_needs_repair(lasts(left.saturating_neg()));
            CERTIFICATE.problem(evidence, words::checks::REPAIR)
        }
        (Some(need), _) => CERTIFICATE.problem(words::checks::node_host_needs_repair(need), words::checks::REPAIR),
        (None, Some(left)) if left < SOON_MS => {
            let evidence = words::checks::expires_in_node_host_needs_repair(lasts(left));
            CERTIFICATE.warning(evidence, words::checks::REPAIR)
        }
        (None, Some(left)) => CERTIFICATE.ok(words::checks::valid_for_another(lasts(left))),
        (None, None) => CERTIFICATE.unknown(words::checks::UNTIL_WHEN_IT_IS_VALID),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Verdict::{Ok as Fine, Problem, Skipped, Unknown, Warning};
    use super::super::tests::expect;
    use super::*;

    fn node(key: &'static str, value: Value) -> impl FnOnce(&mut Facts) {
        move |facts| facts.told(&format!("/quick_facts/node_host/{key}"), value)
    }

    fn ends_in(ms: i64) -> impl FnOnce(&mut Facts) {
        move |facts| {
            let end = facts.now_unix_ms + ms;
            node("certificate_expires_at_unix_ms", json!(end))(facts);
        }
    }

    #[test]
    fn a_certificate_that_is_valid_and_one_that_ends_soon() {
        let id = "node_certificate";
        expect(id, Fine, "valid for another 23 h", "", |_| {});
        expect(id, Fine, "valid for another 2 h", "", ends_in(SOON_MS));
        expect(id, Warning, "expires in 1 h", "node repair", ends_in(SOON_MS - 1));
        expect(id, Warning, "expires in 0 s", "node repair", ends_in(1));
    }

    #[test]
    fn one_that_has_ended_or_is_refused_or_missing_needs_repair() {
        let id = "node_certificate";
        expect(id, Problem, "expired 0 s ago: the node host needs repair", "node repair", ends_in(0));
        expect(id, Problem, "expired 3 h ago", "node repair", ends_in(-3 * 3_600_000));
        let refused = "the gateway no longer accepts its certificate";
        expect(id, Problem, &format!("{refused}: the node host"), "node repair", node("needs_repair", json!(refused)));
        expect(id, Problem, "its certificate is missing", "node repair", |facts| {
            node("needs_repair", json!("its certificate is missing"))(facts);
            node("certificate_expires_at_unix_ms", Value::Null)(facts);
        });
    }

    #[test]
    fn what_is_not_known_of_it_is_said() {
        let id = "node_certificate";
        let why = "palyra says: the identity store cannot be opened";
        expect(id, Warning, why, "palyra-tray run", node("not_known", json!(why)));
        expect(id, Unknown, "not known", "", node("certificate_expires_at_unix_ms", Value::Null));
        expect(id, Skipped, "not enrolled", "", node("installed", json!(false)));
        expect(id, Skipped, "is being enrolled", "", |facts| {
            // of the one before
            ends_in(-1)(facts);
            node("under_way", json!("repair"))(facts);
        });
        expect(id, Skipped, "Palyra Tray does not run", "", |facts| facts.agent = Agent::Absent);
        expect(id, Skipped, "does not tell", "", |facts| facts.agent = Agent::Silent("late".to_owned()));
    }
}
