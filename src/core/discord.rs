//! How a Discord bot stands, in words that say what to do.

use serde_json::{Value, json};

use crate::core::told;
use crate::words;

/// As in `SetupFacts`.
pub const READY: &str = "ready";
/// As in `SetupFacts`.
pub const NOT_CONNECTED: &str = "not_connected";

/// [`READY`], [`NOT_CONNECTED`], or what is wrong. A connector that was never set up calls itself failed in other fields.
pub fn state(enabled: bool, readiness: &str, liveness: &str, last_error: &str) -> String {
    match (enabled, readiness, liveness) {
        (true, "ready", "running") => READY.to_owned(),
        (false, "missing_credential", _) => NOT_CONNECTED.to_owned(),
        (true, "missing_credential", _) => words::set_up::discord::BOTS_TOKEN_IS_GONE.to_owned(),
        (_, "auth_failed", _) => words::set_up::discord::TOKEN_REFUSED.to_owned(),
        (false, ..) => words::set_up::discord::BOT_IS_CONNECTED_BUT_SWITCHED_OFF.to_owned(),
        (true, "ready", "restarting") => words::set_up::discord::BOT_IS_COMING_ONLINE.to_owned(),
        (true, ..) => {
            let why = if last_error.is_empty() { words::common::GATEWAY_DOES_NOT_SAY_WHY } else { last_error };
            words::set_up::discord::bot_is_not_online(why)
        }
    }
}

/// The quick fact of the snapshot, from the gateway's answer about the connector (capture 38). What is not told is null; a
/// connector that the gateway does not know (`body` is null) is one that was never set up.
pub fn quick_fact(body: &Value) -> Value {
    let word = |at: &str| body.pointer(at).and_then(Value::as_str).map(|word| told::line(word, 160));
    let number = |at: &str| body.pointer(at).and_then(Value::as_u64);
    let enabled = body.pointer("/connector/enabled").and_then(Value::as_bool).unwrap_or(false);
    let readiness = word("/connector/readiness").unwrap_or_else(|| "missing_credential".to_owned());
    let liveness = word("/connector/liveness").unwrap_or_else(|| "stopped".to_owned());
    let last_error = word("/connector/last_error").or_else(|| word("/runtime/last_error"));
    json!({
        "connector_id": word("/connector/connector_id").unwrap_or_else(|| "discord:default".to_owned()),
        "enabled": enabled,
        "authenticated": enabled && readiness == "ready",
        "state": state(enabled, &readiness, &liveness, last_error.as_deref().unwrap_or_default()),
        "readiness": readiness,
        "liveness": liveness,
        "saturation_state": word("/operations/saturation/state"),
        "queue_paused": body.pointer("/operations/queue/paused").and_then(Value::as_bool),
        "pause_reason": word("/operations/queue/pause_reason"),
        "pending_outbox": number("/operations/queue/pending_outbox"),
        "due_outbox": number("/operations/queue/due_outbox"),
        "claimed_outbox": number("/operations/queue/claimed_outbox"),
        "dead_letters": number("/operations/queue/dead_letters"),
        "auth_failure_hint": word("/operations/last_auth_failure"),
        "permission_gap_hint": word("/operations/discord/last_permission_failure"),
        "last_error": last_error,
    })
}

/// What a warning of the gateway means for a person; `None`: nothing, it tells of the safe choices that we made.
pub fn note(warning: &str) -> Option<String> {
    let known = [
        ("DM-only onboarding", None),
        ("connector is not registered yet", None),
        ("Unable to read Discord application flags", None),
        (
            "Message Content intent",
            Some(words::set_up::discord::bot_cannot_read_what_people_write(words::set_up::discord::PORTAL)),
        ),
        (
            "Guild Members intent",
            Some(words::set_up::discord::bot_may_not_recognise_people(words::set_up::discord::PORTAL)),
        ),
        ("monitor is not connected yet", Some(words::set_up::discord::BOT_IS_NOT_ONLINE_YET.to_owned())),
        ("no inbound messages were observed", Some(words::set_up::discord::BOT_IS_ONLINE_AND_HAS_HEARD.to_owned())),
        ("last inbound event is stale", Some(words::set_up::discord::BOT_HAS_HEARD_NOTHING_FOR_WHILE.to_owned())),
    ];
    let found = known.into_iter().find(|(part, _)| warning.contains(part));
    found.map_or_else(|| Some(warning.to_owned()), |(_, note)| note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_install_is_not_a_failure() {
        assert_eq!(state(false, "missing_credential", "stopped", "secret not found"), NOT_CONNECTED);
        assert_eq!(state(true, "ready", "running", ""), READY);
        assert!(state(true, "auth_failed", "stopped", "").contains("does not accept"));
        assert!(state(true, "ready", "crashed", "no route").contains("no route"));
        assert!(state(true, "misconfigured", "running", "").contains("Connect it again"));
        assert!(state(false, "ready", "stopped", "").contains("switched off"));
    }

    #[test]
    fn warnings_become_advice_or_silence() {
        assert_eq!(note("DM-only onboarding keeps guild replies mention-gated …"), None);
        let intent = note("Discord Message Content intent is not fully enabled. Inbound …").unwrap();
        assert!(intent.contains("Message Content Intent"));
        assert_eq!(note("something new").as_deref(), Some("something new"));
    }
}
