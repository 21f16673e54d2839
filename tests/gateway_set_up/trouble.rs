//! A gateway that is in trouble itself, is gone, or is not one: no call of the set-up hangs, panics or repeats a secret.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use futures_util::StreamExt;
use palyra_tray::protocol::Secret;
use palyra_tray::protocol::setup::Provider;
use palyra_tray::shell::gateway::{Client, ErrorKind, GatewayError, Timeouts};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::palyra::{MARK, Palyra, client, failure, secret};

const CHANNEL: &str = "123456789012345678";

/// Everything that the set-up asks, and the address that it is about.
const CALLS: [(&str, &str); 10] = [
    ("provider", "/console/v1/auth/providers/openai"),
    ("providers", "/console/v1/auth/providers/minimax"),
    ("key", "/console/v1/auth/providers/openai/api-key"),
    ("sign_in", "/console/v1/auth/providers/openai/bootstrap"),
    ("sign_in_state", "/console/v1/auth/providers/openai/callback-state"),
    ("message", "/console/v1/chat/sessions"),
    ("discord_probe", "/console/v1/channels/discord/onboarding/probe"),
    ("discord_apply", "/console/v1/channels/discord/onboarding/apply"),
    ("discord_verify", "/console/v1/channels/discord"),
    ("discord_state", "/console/v1/channels/discord"),
];

async fn call(client: &Client, name: &str) -> Result<String, GatewayError> {
    fn shown<T: std::fmt::Debug>(result: Result<T, GatewayError>) -> Result<String, GatewayError> {
        result.map(|answer| format!("{answer:?}"))
    }
    let (openai, token) = (Provider::Openai, secret("good"));
    match name {
        "provider" => shown(client.provider(openai).await),
        "providers" => shown(client.providers().await),
        "key" => shown(client.set_provider_key(openai, &token).await),
        "sign_in" => shown(client.begin_sign_in(openai, Some("my-client"), Some(&token)).await),
        "sign_in_state" => shown(client.sign_in_state(openai, "01arz3ndektsv4rrffq69g5fav").await),
        "test" => shown(client.test_provider(openai).await),
        "message" => shown(client.first_message("Hello").await),
        "discord_probe" => shown(client.discord_probe(&token).await),
        "discord_apply" => shown(client.discord_apply(&token).await),
        "discord_verify" => shown(client.discord_verify(CHANNEL).await),
        "discord_state" => shown(client.discord_state().await),
        other => panic!("{other}"),
    }
}

/// Does not wait long.
fn hasty() -> Timeouts {
    let limit = Duration::from_millis(500);
    Timeouts {
        state: limit,
        check_key: limit,
        sign_in: limit,
        test: limit,
        discord_probe: limit,
        discord_apply: limit,
        message: limit,
        silence: limit,
        tool_silence: limit,
        ..Timeouts::default()
    }
}

#[tokio::test]
async fn a_gateway_in_trouble_is_not_taken_for_a_provider_in_trouble() {
    let cases = [
        ("status=503", ErrorKind::Server),
        ("status=500", ErrorKind::Server),
        ("status=429", ErrorKind::RateLimited),
        ("html", ErrorKind::Protocol),
        ("half", ErrorKind::Protocol),
    ];
    for (name, path) in CALLS.into_iter().chain([("test", "/console/v1/models/test-connection")]) {
        let palyra = Palyra::connected(Provider::Openai, "good").await;
        let client = palyra.client_with(hasty());
        client.sign_in().await.expect("signed in");
        for (fault, kind) in cases {
            palyra.demo().faults(&format!("{fault}{}1:{path}", if fault.contains("status") { ":" } else { "=" }));
            let (seen, why, _) = failure(call(&client, name).await);
            assert_eq!(seen, kind, "{name}, {fault}: {why}");
            assert!(why.contains("gateway"), "{name}, {fault}: {why}");
        }
        palyra.demo().faults(&format!("slow=900:1:{path}"));
        let (seen, why, _) = failure(call(&client, name).await);
        // Of these the gateway asks the provider, or Discord: it is they who take long.
        let upstream = ["key", "sign_in", "test", "discord_probe", "discord_apply", "discord_verify"].contains(&name);
        assert_eq!(seen, if upstream { ErrorKind::Upstream } else { ErrorKind::Timeout }, "{name}: {why}");
        assert_eq!(why.contains("took too long to answer. Check the internet connection"), upstream, "{name}: {why}");
    }
}

#[tokio::test]
async fn a_session_that_the_gateway_lost_is_renewed() {
    let palyra = Palyra::connected(Provider::Openai, "good").await;
    let client = palyra.client();
    for name in ["provider", "key", "sign_in", "discord_apply", "discord_state"] {
        palyra.demo().faults("lose_sessions");
        call(&client, name).await.expect(name);
    }
    let mut palyra = Palyra::connected(Provider::Openai, "good").await;
    let client = palyra.client();
    client.sign_in().await.expect("signed in");
    palyra.demo().faults("lose_sessions");
    assert_eq!(client.first_message("Hello").await.expect("answer").text, "Demo answer to: Hello");
    palyra.stop();
    for (name, _) in CALLS {
        let (kind, why, sent) = failure(call(&client, name).await);
        assert_eq!((kind, sent), (ErrorKind::Unreachable, false), "{name}: {why}");
    }
}

/// Answers as it is told, and with whatever it was sent.
#[derive(Clone)]
struct Liar {
    /// Lines of the stream.
    stream: &'static [&'static str],
    /// It goes on for ever: silently, or not.
    then: Then,
}

#[derive(Clone, Copy, PartialEq)]
enum Then {
    End,
    Silence,
    More,
}

impl Liar {
    async fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let port = listener.local_addr().expect("port").port();
        let app = axum::Router::new().fallback(answer).with_state(self);
        tokio::spawn(async move { axum::serve(listener, app).await });
        port
    }
}

async fn answer(State(liar): State<Liar>, method: Method, uri: Uri, body: Bytes) -> Response {
    let reply = |status: u16, body: Value| {
        let cookie = "palyra_console_session=cookie; Max-Age=1800; Path=/; HttpOnly; SameSite=Lax";
        let response = Response::builder().status(StatusCode::from_u16(status).expect("status"));
        response.header("set-cookie", cookie).body(Body::from(body.to_string())).expect("response")
    };
    match (method.as_str(), uri.path()) {
        ("POST", "/console/v1/auth/login") => {
            reply(200, json!({ "principal": "admin:x", "device_id": "d", "csrf_token": "csrf" }))
        }
        ("GET", "/console/v1/system/presence") => {
            let provider = json!({ "state": "ready", "kind": "openai_compatible", "auth_profile_id": "mine" });
            reply(200, json!({ "subsystems": { "model_provider": provider } }))
        }
        ("GET", path) if path.starts_with("/console/v1/auth/providers/openai") => {
            reply(200, json!({ "state": "selected_profile", "default_profile_id": "mine" }))
        }
        ("GET", path) if path.starts_with("/console/v1/auth/providers/") => {
            reply(200, json!({ "state": "not_configured" }))
        }
        ("POST", "/console/v1/chat/sessions") => {
            reply(200, json!({ "session": { "session_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV" } }))
        }
        ("POST", path) if path.ends_with("/stream") => {
            let lines = liar.stream.iter().map(|line| Ok::<_, std::io::Error>(Bytes::from(format!("{line}\n"))));
            let told = futures_util::stream::iter(lines.collect::<Vec<_>>());
            let body = match liar.then {
                Then::End => Body::from_stream(told),
                Then::Silence => Body::from_stream(told.chain(futures_util::stream::pending())),
                Then::More => {
                    let piece = Bytes::from(vec![b' '; 64 * 1024]);
                    let more = futures_util::stream::repeat_with(move || Ok(piece.clone()));
                    Body::from_stream(told.chain(more))
                }
            };
            Response::new(body)
        }
        _ => {
            let sent = String::from_utf8_lossy(&body).into_owned();
            reply(500, json!({ "error": format!("cannot store: {sent}"), "code": "internal_error" }))
        }
    }
}

#[tokio::test]
async fn a_gateway_that_repeats_a_secret_is_not_repeated() {
    let client = client(Liar { stream: &[], then: Then::End }.start().await, Timeouts::default());
    for name in ["key", "sign_in", "discord_probe", "discord_apply"] {
        let (kind, why, sent) = failure(call(&client, name).await);
        assert!(kind == ErrorKind::Server && sent && why.contains("<redacted>"), "{name}: {why}");
    }
    // Without the word that Discord's own tools put before it.
    let bare = Secret::new(format!("bot {MARK}"));
    failure(client.discord_probe(&bare).await);
    assert!(!format!("{client:?}{bare:?}").contains(MARK));
}

#[tokio::test]
async fn an_answer_that_breaks_off_never_ends_or_is_none_is_no_answer() {
    const META: &str = r#"{"type":"meta","run_id":"R","session_id":"S"}"#;
    const TOKEN: &str = r#"{"type":"event","event":{"event_type":"model_token","model_token":{"token":"half"}}}"#;
    const TOOL: &str = r#"{"type":"event","event":{"event_type":"tool_proposal","tool_proposal":{}}}"#;
    const DONE: &str = r#"{"type":"complete","run_id":"R","status":"done"}"#;
    const ODD: &str = r#"{"type":"error","run_id":"R","error":"the moon is full"}"#;
    const FAILED: &str = r#"{"type":"complete","run_id":"R","status":"failed"}"#;
    let broke_off = "The gateway stopped in the middle of its answer. Try again.";
    let strange = "The gateway answered with something that is not its protocol: is another program on its port?";
    let cases: [(&'static [&'static str], Then, ErrorKind, &str); 8] = [
        (&[META, TOKEN], Then::End, ErrorKind::Protocol, broke_off),
        (&[], Then::End, ErrorKind::Protocol, broke_off),
        (&[META, "<html>"], Then::End, ErrorKind::Protocol, strange),
        (&[META, DONE], Then::End, ErrorKind::Upstream, "The answer was empty. Try again."),
        (
            &[META, ODD, FAILED],
            Then::End,
            ErrorKind::Upstream,
            "OpenAI did not answer as it should. Try again later. It said: the moon is full",
        ),
        (&[META, TOKEN], Then::Silence, ErrorKind::Timeout, "Nothing came for 1 s. Try again."),
        (&[META, TOOL], Then::Silence, ErrorKind::Timeout, "Nothing came for 2 s. Try again."),
        (&[META, TOKEN], Then::More, ErrorKind::Protocol, "The answer does not end. Open the chat to see it."),
    ];
    for (stream, then, kind, why) in cases {
        let (silence, tool_silence) = (Duration::from_secs(1), Duration::from_secs(2));
        let timeouts = Timeouts { silence, tool_silence, ..Timeouts::default() };
        let client = client(Liar { stream, then }.start().await, timeouts);
        assert_eq!(failure(client.first_message("Hello").await), (kind, why.to_owned(), true), "{stream:?}");
    }
    // What follows the end is nobody's.
    let client = client(Liar { stream: &[META, TOKEN, DONE], then: Then::Silence }.start().await, hasty());
    assert_eq!(client.first_message("Hello").await.expect("answer").text, "half");
}
