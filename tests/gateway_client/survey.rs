//! What the gateway tells about itself, as it was recorded, and as a hostile one would.

use palyra_tray::core::telemetry;

use super::*;

const SESSIONS: &str = "GET /console/v1/sessions";
const DIAGNOSTICS: &str = "GET /console/v1/diagnostics";
const EMIT: &str = "POST /console/v1/system/events/emit";
const DISCORD: &str = "GET /console/v1/channels/discord%3Adefault";

#[tokio::test]
async fn the_recorded_answers_are_understood() {
    let gateway = Gateway::start().await;
    gateway.fault(SESSIONS, [Fault::Capture("28-sessions.json"), Fault::Capture("30-sessions2.json")]);
    gateway.fault(DIAGNOSTICS, [Fault::Capture("25-diagnostics.json")]);
    gateway.fault(DISCORD, [Fault::Capture("38-discord.json")]);
    let client = gateway.client();
    let none = client.newest_sessions().await.unwrap();
    assert_eq!((none.rows.len(), none.summary.active_sessions), (0, 0));
    let one = client.newest_sessions().await.unwrap();
    assert_eq!(one.summary.active_sessions, 1);
    assert_eq!(
        (one.rows[0].title.as_str(), one.rows[0].session_id.as_str()),
        ("Tray test", "01M81DE5P5PAZ6Y0JMJ2Y23ZZ4")
    );
    assert_eq!((one.rows[0].updated_at_unix_ms, one.rows[0].last_run.is_none()), (1_795_343_980_229, true));

    let told = client.diagnostics().await.unwrap();
    assert_eq!(told.generated_at_unix_ms, Some(1_795_343_980_181));
    let figures = &told.observability;
    assert_eq!(figures["failure_classes"]["config_failure"], 5);
    assert_eq!(
        (&figures["dashboard"]["attempts"], &figures["dashboard"]["failure_rate_bps"]),
        (&json!(13), &json!(3846))
    );
    assert_eq!((&figures["provider_auth"]["state"], &figures["browser"]["relay_failures"]), (&json!("ok"), &json!(0)));
    assert_eq!(figures["recent_failure_count"], 5);
    let first = "provider_health: Inspect auth profiles and provider credential wiring";
    assert!(told.errors[0].starts_with(first), "{:?}", told.errors);
    let refused = |error: &String| error.contains("POST /console/v1/auth/login: request failed with http 403");
    assert_eq!(told.errors.iter().filter(|error| refused(error)).count(), 1, "{:?}", told.errors);
    assert!(told.errors.len() <= 25);

    let discord = client.discord_fact().await.unwrap();
    assert_eq!((&discord["enabled"], &discord["authenticated"]), (&json!(false), &json!(false)));
    assert_eq!((&discord["readiness"], &discord["state"]), (&json!("missing_credential"), &json!("not_connected")));
    assert_eq!((&discord["dead_letters"], &discord["queue_paused"]), (&json!(0), &json!(false)));
}

#[tokio::test]
async fn what_is_not_the_gateways_or_too_large_is_an_error_and_no_more() {
    let gateway = Gateway::start().await;
    let json = "application/json";
    let row = json!({ "session_id": "s", "title": "x".repeat(50_000) });
    let large = json!({ "sessions": vec![row; 40] }).to_string();
    let page = "<html>busy</html>".to_owned();
    gateway.fault(
        SESSIONS,
        [
            Fault::Plain(200, json, large),
            Fault::Plain(200, "text/html", page.clone()),
            Fault::Plain(200, json, "{\"sessions\":{}}".to_owned()),
            Fault::Plain(500, json, "{\"error\":\"journal is locked\"}".to_owned()),
        ],
    );
    gateway.fault(
        DIAGNOSTICS,
        [
            Fault::Plain(200, json, format!("{{\"observability\":\"{}\"}}", "x".repeat(5_000_000))),
            Fault::Plain(200, json, "[".repeat(100_000)),
            Fault::Plain(200, "text/html", page),
        ],
    );
    gateway.fault(DISCORD, [Fault::Plain(404, json, "{\"error\":\"unknown connector\"}".to_owned())]);
    let client = gateway.client();
    for wanted in [ErrorKind::Protocol, ErrorKind::Protocol, ErrorKind::Protocol, ErrorKind::Server] {
        let error = client.newest_sessions().await.unwrap_err();
        assert_eq!(error.kind, wanted, "{error}");
    }
    for _ in 0..3 {
        let error = client.diagnostics().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol, "{error}");
    }
    assert_eq!(client.discord_fact().await.unwrap()["state"], "not_connected");
}

#[tokio::test]
async fn no_trouble_tells_the_token() {
    let gateway = Gateway::start().await;
    let failure = json!({ "operation": "login", "message": format!("bad credential {TOKEN}") });
    let body = json!({ "observability": { "recent_failures": [failure] } }).to_string();
    gateway.fault(DIAGNOSTICS, [Fault::Plain(200, "application/json", body)]);
    let told = gateway.client().diagnostics().await.unwrap();
    assert!(
        told.errors[0].starts_with("login: bad credential") && !told.errors[0].contains(TOKEN),
        "{:?}",
        told.errors
    );
}

#[tokio::test]
async fn the_profile_comes_with_the_sign_in() {
    let gateway = Gateway::start().await;
    let profile = gateway.client().sign_in().await.unwrap().profile.expect("a profile");
    assert_eq!((profile.name.as_str(), profile.label.as_str()), ("local_desktop", "Local desktop"));
    assert_eq!((profile.risk_level.as_str(), profile.strict_mode), ("low", false));
}

#[tokio::test]
async fn a_usage_event_is_sent_once_as_it_was_recorded() {
    let gateway = Gateway::start().await;
    let client = gateway.client();
    let event = telemetry::prompt_submitted(DEVICE);
    client.tell_usage(&event).await.unwrap();
    let recorded = capture("42-emit.json")["request"].clone();
    assert_eq!(recorded["path"], EMIT.trim_start_matches("POST "));
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let sent = gateway.lock().emitted.clone();
    assert_eq!((sent.len(), fields(&sent[0])), (1, fields(&recorded["body"])));
    assert_eq!(sent[0]["name"], "ux.chat.prompt_submitted");
    assert_eq!(sent[0]["details"]["sessionId"], DEVICE);
    // one that does not take it is not asked again
    gateway.fault(EMIT, [Fault::Plain(503, "text/plain", "busy".to_owned()), Fault::Limited(Some("1"))]);
    let seen = gateway.seen(EMIT);
    assert!(client.tell_usage(&event).await.is_err() && client.tell_usage(&event).await.is_err());
    assert_eq!(gateway.seen(EMIT), seen + 2);
}
