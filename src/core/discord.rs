//! How a Discord bot stands, in words that say what to do.

use serde_json::{Value, json};

use crate::core::told;

/// As in `SetupFacts`.
pub const READY: &str = "ready";
/// As in `SetupFacts`.
pub const NOT_CONNECTED: &str = "not_connected";
/// When Discord does not take the token.
pub const TOKEN_REFUSED: &str =
    "Discord does not accept this token. Copy it again from Discord's developer portal, under Bot.";

/// [`READY`], [`NOT_CONNECTED`], or what is wrong. A connector that was never set up calls itself failed in other fields.
pub fn state(enabled: bool, readiness: &str, liveness: &str, last_error: &str) -> String {
    match (enabled, readiness, liveness) {
        (true, "ready", "running") => READY.to_owned(),
        (false, "missing_credential", _) => NOT_CONNECTED.to_owned(),
        (true, "missing_credential", _) => "The bot's token is gone. Connect the bot again.".to_owned(),
        (_, "auth_failed", _) => TOKEN_REFUSED.to_owned(),
        (false, ..) => {
            "The bot is connected but switched off. Switch it on in the dashboard, under Channels.".to_owned()
        }
        (true, "ready", "restarting") => "The bot is coming online. Wait a minute.".to_owned(),
        (true, ..) => {
            let why = if last_error.is_empty() { "the gateway does not say why" } else { last_error };
            format!("The bot is not online: {why}. Connect it again, or look in the dashboard, under Channels.")
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
    const PORTAL: &str = "in Discord's developer portal, under Bot";
    let known = [
        ("DM-only onboarding", None),
        ("connector is not registered yet", None),
        ("Unable to read Discord application flags", None),
        (
            "Message Content intent",
            Some(format!("The bot cannot read what people write. Turn on \"Message Content Intent\" {PORTAL}.")),
        ),
        (
            "Guild Members intent",
            Some(format!("The bot may not recognise people. Turn on \"Server Members Intent\" {PORTAL}.")),
        ),
        ("monitor is not connected yet", Some("The bot is not online yet. This can take a minute.".to_owned())),
        (
            "no inbound messages were observed",
            Some("The bot is online and has heard nothing yet. Send it a direct message in Discord.".to_owned()),
        ),
        (
            "last inbound event is stale",
            Some("The bot has heard nothing for a while. Send it a direct message in Discord.".to_owned()),
        ),
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
