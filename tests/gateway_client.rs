//! The gateway client against a double whose answers are the recorded ones.

#[path = "support/https.rs"]
mod https;
#[path = "gateway_client/inbox.rs"]
mod inbox;
#[path = "gateway_client/remote.rs"]
mod remote;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use palyra_tray::core::record::{Decision, Risk, Subject};
use palyra_tray::protocol::Scope;
use palyra_tray::shell::gateway::{BROWSERD, Client, ErrorKind, GATEWAY, GatewayError, HealthError, Prober, Timeouts};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[path = "gateway_client/survey.rs"]
mod survey;

const TOKEN: &str = "tok-admin-123";
const DEVICE: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const PENDING: &str = "01M81DE5FWB4J6RH34QSC0S6Q6";

fn capture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn captured_record(name: &str) -> Value {
    capture(name).pointer("/response/body/approval").unwrap().clone()
}

/// What a request gets instead of the right answer.
enum Fault {
    Capture(&'static str),
    Plain(u16, &'static str, String),
    Slow(Duration),
    /// 429, with this `Retry-After`.
    Limited(Option<&'static str>),
    /// It has forgotten its sessions.
    Restart,
}

#[derive(Default)]
struct Fake {
    sessions: BTreeMap<String, String>,
    count: usize,
    records: Vec<Value>,
    /// Every request, in order.
    log: Vec<String>,
    /// Bodies of decisions.
    decisions: Vec<Value>,
    /// Bodies of usage events.
    emitted: Vec<Value>,
    /// By method and path without query: used up from the front.
    faults: BTreeMap<String, VecDeque<Fault>>,
    handoff_url: Option<String>,
    port: u16,
}

#[derive(Clone, Default)]
struct Gateway(Arc<Mutex<Fake>>);

impl Gateway {
    async fn start() -> Self {
        let gateway = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        gateway.lock().port = listener.local_addr().unwrap().port();
        let app = axum::Router::new().fallback(answer).with_state(gateway.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        gateway
    }

    fn lock(&self) -> MutexGuard<'_, Fake> {
        self.0.lock().unwrap()
    }

    fn client(&self) -> Client {
        client(self.lock().port)
    }

    fn fault(&self, route: &str, faults: impl IntoIterator<Item = Fault>) {
        self.lock().faults.insert(route.to_owned(), faults.into_iter().collect());
    }

    fn seen(&self, route: &str) -> usize {
        self.lock().log.iter().filter(|line| line.split('?').next() == Some(route)).count()
    }
}

fn client(port: u16) -> Client {
    Client::new(port, SecretString::from(TOKEN), DEVICE, "admin:palyra-tray").unwrap()
}

/// A client that does not wait long, for those tests in which it has to.
fn hasty(port: u16) -> Client {
    let limit = Duration::from_millis(300);
    let timeouts =
        Timeouts { health: limit, login: limit, list: limit, decide: limit, handoff: limit, ..Timeouts::default() };
    Client::with_timeouts(port, SecretString::from(TOKEN), DEVICE, "admin:palyra-tray", timeouts).unwrap()
}

fn reply(status: u16, kind: &str, cookie: Option<&str>, body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap()).header("content-type", kind);
    if let Some(cookie) = cookie {
        let line = format!("palyra_console_session={cookie}; Max-Age=1800; Path=/; HttpOnly; SameSite=Lax");
        response = response.header(header::SET_COOKIE, line);
    }
    response.body(body.into()).unwrap()
}

fn replay(name: &str, cookie: Option<&str>, change: impl FnOnce(&mut Value)) -> Response {
    let mut recorded = capture(name)["response"].take();
    let mut body = recorded["body"].take();
    change(&mut body);
    let text = body.get("_text").and_then(Value::as_str).map_or_else(|| body.to_string(), str::to_owned);
    let status = u16::try_from(recorded["status"].as_u64().unwrap()).unwrap();
    reply(status, recorded["headers"]["content-type"].as_str().unwrap_or("application/json"), cookie, text)
}

async fn answer(State(gateway): State<Gateway>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let route = format!("{method} {}", uri.path());
    let fault = {
        let mut fake = gateway.lock();
        fake.log.push(format!("{method} {uri}"));
        fake.faults.get_mut(&route).and_then(VecDeque::pop_front)
    };
    match fault {
        Some(Fault::Capture(name)) => return replay(name, None, |_| {}),
        Some(Fault::Plain(status, kind, text)) => return reply(status, kind, None, text),
        Some(Fault::Slow(pause)) => tokio::time::sleep(pause).await,
        Some(Fault::Limited(wait)) => {
            let mut response = reply(429, "text/plain", None, String::new());
            if let Some(wait) = wait {
                response.headers_mut().insert("retry-after", wait.parse().unwrap());
            }
            return response;
        }
        Some(Fault::Restart) => gateway.lock().sessions.clear(),
        None => {}
    }
    let mut fake = gateway.lock();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match route.as_str() {
        "GET /healthz" => return replay("01-healthz.json", None, |_| {}),
        "POST /console/v1/auth/login" => {
            assert_eq!(headers["content-type"], "application/json");
            assert_eq!((&body["device_id"], &body["principal"]), (&json!(DEVICE), &json!("admin:palyra-tray")));
            if body["admin_token"] != TOKEN {
                return replay("03-login-wrong-token.json", None, |_| {});
            }
            fake.count += 1;
            let (cookie, csrf) = (format!("cookie-{}", fake.count), format!("csrf-{}", fake.count));
            fake.sessions.insert(cookie.clone(), csrf.clone());
            return replay("06-login.json", Some(&cookie), |body| body["csrf_token"] = json!(csrf));
        }
        _ => {}
    }
    let cookie = headers.get("cookie").and_then(|line| line.to_str().ok()).unwrap_or_default();
    let cookie = cookie.strip_prefix("palyra_console_session=").unwrap_or_default().to_owned();
    let Some(csrf) = fake.sessions.get(&cookie).cloned() else {
        return replay("02-session-anonymous.json", None, |_| {});
    };
    if method == Method::POST && headers.get("x-palyra-csrf-token").is_none_or(|sent| sent != csrf.as_str()) {
        return replay("15-decide-no-csrf.json", None, |_| {});
    }
    let cookie = Some(cookie.as_str());
    let path: Vec<&str> = uri.path().trim_start_matches("/console/v1/").split('/').collect();
    match (method.as_str(), path.as_slice()) {
        ("GET", ["auth", "session"]) => replay("07-session.json", cookie, |body| body["csrf_token"] = json!(csrf)),
        ("POST", ["system", "events", "emit"]) => {
            fake.emitted.push(body);
            replay("42-emit.json", cookie, |_| {})
        }
        ("GET", ["system", "heartbeat"]) => replay("23-heartbeat.json", cookie, |_| {}),
        ("POST", ["auth", "browser-handoff"]) => {
            assert_eq!(body["redirect_path"], "/#/control/approvals");
            let port = fake.port;
            replay("33-handoff.json", cookie, |body| {
                let recorded = body["handoff_url"].as_str().unwrap().replace(":7142/", &format!(":{port}/"));
                body["handoff_url"] = json!(fake.handoff_url.clone().unwrap_or(recorded));
            })
        }
        ("GET", ["approvals"]) => {
            let page = page(&fake.records, uri.query().unwrap_or_default());
            replay("08-approvals-empty.json", cookie, |body| *body = page)
        }
        ("GET", ["approvals", id]) => match fake.records.iter().find(|record| record["approval_id"] == **id) {
            Some(record) => replay("14-approval-get.json", cookie, |body| body["approval"] = record.clone()),
            None => replay("20-approval-unknown.json", cookie, |_| {}),
        },
        ("POST", ["approvals", id, "decision"]) => {
            fake.decisions.push(body.clone());
            match fake.records.iter().find(|record| record["approval_id"] == **id) {
                Some(_) => replay("16-decide-approve.json", cookie, |_| {}),
                None => replay("20-approval-unknown.json", cookie, |_| {}),
            }
        }
        _ => replay("48-notfound.json", None, |_| {}),
    }
}

/// The gateway's paging: ascending by id, narrowed by the time of the request and by the decision.
fn page(records: &[Value], query: &str) -> Value {
    let values: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let limit: usize = values.get("limit").map_or(100, |limit| limit.parse().unwrap());
    assert!((1..=500).contains(&limit));
    let since: i64 = values.get("since_unix_ms").map_or(i64::MIN, |since| since.parse().unwrap());
    let until: i64 = values.get("until_unix_ms").map_or(i64::MAX, |until| until.parse().unwrap());
    let decision = values.get("decision").copied();
    let after = values.get("after_approval_id").copied().unwrap_or_default();
    let id = |record: &Value| record["approval_id"].as_str().unwrap_or_default().to_owned();
    let mut rest: Vec<&Value> = records
        .iter()
        .filter(|record| id(record).as_str() > after)
        .filter(|record| record["requested_at_unix_ms"].as_i64().is_none_or(|at| (since..=until).contains(&at)))
        .filter(|record| decision.is_none_or(|decision| record["decision"] == decision))
        .collect();
    rest.sort_by_key(|record| id(record));
    let has_more = rest.len() > limit;
    rest.truncate(limit);
    let next = if has_more { json!(id(rest.last().unwrap())) } else { Value::Null };
    let page = json!({"limit": limit, "returned": rest.len(), "has_more": has_more});
    json!({"approvals": rest, "next_after_approval_id": next, "page": page})
}

/// A server for what a web framework does not do. Signs in, and answers everything else with these bytes.
struct Raw {
    port: u16,
    log: Arc<Mutex<Vec<String>>>,
}

impl Raw {
    async fn start(bytes: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&log);
        let login = capture("06-login.json");
        let body = login["response"]["body"].to_string();
        let cookie = login["response"]["headers"]["set-cookie"].as_str().unwrap().to_owned();
        let login = format!("HTTP/1.1 200 OK\r\nset-cookie: {cookie}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                seen.lock().unwrap().push(request.lines().next().unwrap_or_default().to_owned());
                let is_login = request.starts_with("POST /console/v1/auth/login");
                let _ = stream.write_all(if is_login { login.as_bytes() } else { bytes }).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { port, log }
    }

    fn seen(&self, start: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|line| line.starts_with(start)).count()
    }
}

async fn read_request(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return text,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

fn pending(id: &str, requested_at: i64) -> Value {
    let mut record = captured_record("14-approval-get.json");
    record["approval_id"] = json!(id);
    record["requested_at_unix_ms"] = json!(requested_at);
    record
}

fn decided(id: &str, requested_at: i64) -> Value {
    let mut record = pending(id, requested_at);
    record["decision"] = json!("deny");
    record
}

fn nobody() -> BTreeSet<String> {
    BTreeSet::new()
}

fn kind<T: std::fmt::Debug>(result: Result<T, GatewayError>) -> (ErrorKind, Option<u16>, bool) {
    let error = result.unwrap_err();
    assert!(error.message.chars().count() <= 300 && !error.message.contains(TOKEN), "{}", error.message);
    (error.kind, error.status, error.sent)
}

// Health

#[tokio::test]
async fn health_tells_what_is_there() {
    let gateway = Gateway::start().await;
    let port = gateway.lock().port;
    let health = gateway.client().health().await.unwrap();
    assert_eq!(
        (health.version.as_str(), health.git_hash.as_str(), health.uptime_seconds),
        ("0.1.0", "unknown", Some(42))
    );
    let prober = Prober::new().unwrap();
    assert!(prober.check(port, GATEWAY).await.is_ok());
    assert_eq!(prober.check(port, BROWSERD).await, Err(HealthError::WrongService("palyrad".to_owned())));
    assert_eq!(gateway.seen("POST /console/v1/auth/login"), 0);

    let sick = r#"{"service":"palyrad","status":"sad"}"#;
    let page = "<!doctype html><title>Index</title>";
    gateway.fault(
        "GET /healthz",
        [
            Fault::Plain(200, "application/json", sick.to_owned()),
            Fault::Plain(503, "text/html", page.to_owned()),
            Fault::Plain(429, "text/plain", String::new()),
            Fault::Plain(200, "text/html", page.to_owned()),
            Fault::Plain(404, "text/html", page.to_owned()),
        ],
    );
    for is_ours in [true, true, true, false, false] {
        match prober.check(port, GATEWAY).await.unwrap_err() {
            HealthError::Unhealthy(_) => assert!(is_ours),
            HealthError::WrongService(_) => assert!(!is_ours),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn health_tells_why_there_is_no_answer() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    let prober = Prober::with_timeout(Duration::from_millis(300)).unwrap();
    // It listens and never answers.
    assert_eq!(prober.check(port, GATEWAY).await, Err(HealthError::Timeout(port)));
    drop(free);
    assert_eq!(prober.check(port, GATEWAY).await, Err(HealthError::Refused(port)));
    for stranger in [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"", b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"] {
        let raw = Raw::start(stranger).await;
        assert_eq!(prober.check(raw.port, GATEWAY).await, Err(HealthError::NotHttp(raw.port)));
    }
}

// Session

#[tokio::test]
async fn signs_in_once_and_uses_what_the_gateway_gave() {
    let gateway = Gateway::start().await;
    gateway.lock().records.push(pending(PENDING, 1));
    let client = gateway.client();
    assert_eq!(client.identity(), None);
    client.heartbeat().await.unwrap();
    // The double refuses a POST without the CSRF token of the session.
    client.decide(PENDING, true, Scope::Once, None, None).await.unwrap();
    client.heartbeat().await.unwrap();
    assert_eq!(gateway.seen("POST /console/v1/auth/login"), 1);
    let identity = client.identity().unwrap();
    assert_eq!(identity.principal, "admin:desktop-control-center");
    assert_eq!((identity.device_id.as_str(), identity.channel), (DEVICE, None));
    assert_eq!(client.sign_in().await.unwrap().principal, "admin:desktop-control-center");
    assert_eq!(gateway.seen("GET /console/v1/auth/session"), 1);
    assert_eq!(gateway.seen("POST /console/v1/auth/login"), 1);
}

#[tokio::test]
async fn a_lost_session_is_renewed_once_for_all() {
    let gateway = Gateway::start().await;
    let client = gateway.client();
    client.heartbeat().await.unwrap();
    gateway.lock().sessions.clear();
    let known = nobody();
    let (one, two, three) = tokio::join!(client.heartbeat(), client.heartbeat(), client.inbox(None, &known, None));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(gateway.seen("POST /console/v1/auth/login"), 2);
    assert!(gateway.seen("GET /console/v1/system/heartbeat") <= 5);
    gateway.lock().sessions.clear();
    client.sign_in().await.unwrap();
    assert_eq!(gateway.seen("POST /console/v1/auth/login"), 3);
}

#[tokio::test]
async fn a_refusal_that_is_meant_does_not_sign_in_again() {
    let gateway = Gateway::start().await;
    let client = gateway.client();
    let denied = || Fault::Capture("15-decide-no-csrf.json");
    gateway.fault("GET /console/v1/system/heartbeat", [denied(), denied(), denied()]);
    for _ in 0..3 {
        assert_eq!(kind(client.heartbeat().await), (ErrorKind::Forbidden, Some(403), true));
    }
    assert_eq!(gateway.seen("POST /console/v1/auth/login"), 1);
    client.heartbeat().await.unwrap();
}

#[tokio::test]
async fn a_wrong_token_is_tried_once_until_told() {
    let gateway = Gateway::start().await;
    let port = gateway.lock().port;
    let client = Client::new(port, SecretString::from("wrong-token"), DEVICE, "admin:palyra-tray").unwrap();
    for _ in 0..20 {
        let error = client.heartbeat().await.unwrap_err();
        assert_eq!((error.kind, error.sent), (ErrorKind::Unauthorized, false));
        assert!(!error.message.contains("wrong-token"));
    }
    let (one, two) = tokio::join!(client.sign_in(), client.decide(PENDING, true, Scope::Once, None, None));
    assert_eq!(kind(one).0, ErrorKind::Unauthorized);
    assert_eq!(kind(two), (ErrorKind::Unauthorized, Some(401), false));
    assert_eq!(gateway.seen("POST /console/v1/auth/login"), 1);
    client.retry_login();
    assert!(client.heartbeat().await.is_err());
    assert_eq!(gateway.seen("POST /console/v1/auth/login"), 2);
    assert!(!format!("{client:?}").contains("wrong-token"));
}

#[tokio::test]
async fn an_unbound_gateway_says_so_and_is_tried_again() {
    let gateway = Gateway::start().await;
    let client = gateway.client();
    let envelope = json!({"error": "console login requires a bound principal", "code": "failed_precondition",
        "category": "dependency", "retryable": false, "redacted": false});
    gateway.fault(
        "POST /console/v1/auth/login",
        [Fault::Plain(412, "application/json", envelope.to_string()), Fault::Plain(429, "text/plain", String::new())],
    );
    let error = client.sign_in().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotBound);
    assert!(error.message.contains("requires a bound principal"), "{error}");
    assert_eq!(kind(client.sign_in().await).0, ErrorKind::RateLimited);
    assert!(client.sign_in().await.is_ok());
}

// Failures

#[tokio::test]
async fn failures_are_told_apart_and_not_retried() {
    const ROUTE: &str = "GET /console/v1/system/heartbeat";
    let gateway = Gateway::start().await;
    let client = gateway.client();
    let json_error = |status, code: &str| {
        let envelope = json!({"error": format!("{code} happened"), "code": code});
        Fault::Plain(status, "application/json", envelope.to_string())
    };
    let cases = [
        (json_error(429, "rate_limited"), ErrorKind::RateLimited, Some(429)),
        (json_error(500, "internal_error"), ErrorKind::Server, Some(500)),
        (Fault::Capture("48-notfound.json"), ErrorKind::Server, Some(503)),
        (Fault::Capture("20-approval-unknown.json"), ErrorKind::NotFound, Some(404)),
        (Fault::Capture("22-approval-bad-json.json"), ErrorKind::Invalid, Some(415)),
        (Fault::Plain(200, "text/html", "<!doctype html><p>hello".to_owned()), ErrorKind::Protocol, Some(200)),
        (Fault::Plain(200, "application/json", "{\"version\":".to_owned()), ErrorKind::Protocol, Some(200)),
        (Fault::Plain(200, "application/json", "[]".to_owned()), ErrorKind::Protocol, Some(200)),
        (Fault::Plain(302, "text/html", String::new()), ErrorKind::Protocol, Some(302)),
        (Fault::Plain(200, "application/json", "x".repeat(300 * 1024)), ErrorKind::Protocol, Some(200)),
        (Fault::Plain(500, "text/plain", "x".repeat(300 * 1024)), ErrorKind::Protocol, Some(500)),
    ];
    for (count, (fault, expected, status)) in cases.into_iter().enumerate() {
        gateway.fault(ROUTE, [fault]);
        assert_eq!(kind(client.heartbeat().await), (expected, status, true));
        assert_eq!(gateway.seen(ROUTE), count + 1);
    }
    gateway.fault(ROUTE, [Fault::Capture("22-approval-bad-json.json")]);
    assert!(client.heartbeat().await.unwrap_err().message.contains("Expected request with"));
    gateway.fault(ROUTE, [Fault::Plain(500, "text/plain", format!("token {TOKEN} cookie-1 {}", "Ab1".repeat(15)))]);
    let message = client.heartbeat().await.unwrap_err().message;
    assert_eq!(message, "The gateway answered 500: token <redacted> <redacted> <redacted>");
}

#[tokio::test]
async fn a_slow_answer_is_a_timeout() {
    let gateway = Gateway::start().await;
    let client = hasty(gateway.lock().port);
    client.sign_in().await.unwrap();
    gateway.fault("GET /console/v1/approvals", [Fault::Slow(Duration::from_secs(60))]);
    let before = Instant::now();
    assert_eq!(kind(client.inbox(None, &nobody(), None).await), (ErrorKind::Timeout, None, true));
    assert!(before.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_half_answer_and_no_gateway_are_told_apart() {
    let raw =
        Raw::start(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"appro").await;
    assert_eq!(kind(client(raw.port).inbox(None, &nobody(), None).await), (ErrorKind::Protocol, Some(200), true));
    assert_eq!(kind(client(raw.port).approval(PENDING).await), (ErrorKind::Protocol, Some(200), true));

    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    assert_eq!(kind(client(port).inbox(None, &nobody(), None).await), (ErrorKind::Unreachable, None, false));
}

// Approvals

#[tokio::test]
async fn one_pending_behind_a_thousand_decided_is_found() {
    let gateway = Gateway::start().await;
    {
        let mut fake = gateway.lock();
        fake.records = (0..1_000).map(|n| decided(&format!("01A{n:05}"), 1_000 + n)).collect();
        fake.records.push(pending("01B", 9_000));
    }
    let client = gateway.client();
    let inbox = client.inbox(None, &nobody(), None).await.unwrap();
    assert_eq!(inbox.records.iter().map(|record| record.approval_id.as_str()).collect::<Vec<_>>(), ["01B"]);
    assert_eq!((inbox.pages, inbox.newest_requested_at), (3, Some(9_000)));
    assert!(inbox.as_of > 1_600_000_000_000 && inbox.unreadable.is_empty());

    let known = BTreeSet::from(["01A00007".to_owned(), "01A00999".to_owned(), "01C".to_owned()]);
    let inbox = client.inbox(None, &known, None).await.unwrap();
    let ids: Vec<_> = inbox.records.iter().map(|record| (record.approval_id.as_str(), record.is_pending())).collect();
    assert_eq!(ids, [("01A00007", false), ("01A00999", false), ("01B", true)]);

    let inbox = client.inbox(Some(1_990), &known, None).await.unwrap();
    assert_eq!((inbox.pages, inbox.records.len()), (1, 2));
    assert_eq!(client.all_approvals().await.unwrap().records.len(), 1_001);
}

#[tokio::test]
async fn the_recorded_records_are_read_whole() {
    let gateway = Gateway::start().await;
    let client = gateway.client();
    let names = ["51-record-tool-call.json", "52-record-device-pairing.json", "53-record-node-capability.json"];
    gateway.lock().records = names.iter().map(|name| captured_record(name)).collect();
    let listed = capture("13-approvals-pending.json").pointer("/response/body/approvals").unwrap().clone();
    gateway.lock().records.extend(listed.as_array().unwrap().iter().cloned());
    let all = client.all_approvals().await.unwrap().records;
    assert_eq!(all.len(), 5);
    assert!(all.iter().all(|record| record.unknown_parts.is_empty()));
    let tool = all.iter().find(|record| record.subject_id == "tool:custom.noop").unwrap();
    assert_eq!((tool.prompt.risk_level, &tool.decision), (Risk::High, &Some(Decision::Allow)));
    assert_eq!(
        tool.prompt.options.iter().map(|option| option.decision_scope).collect::<Vec<_>>(),
        [Some(Scope::Once), Some(Scope::Session), Some(Scope::Once)]
    );
    assert_eq!(tool.expires_at_unix_ms(), 1_795_347_904_488 + 900_000);
    assert!(all.iter().any(|record| record.subject_type == Subject::DevicePairing && record.channel.is_some()));
    assert_eq!(client.inbox(None, &nobody(), None).await.unwrap().records.len(), 2);

    let before = client.approval(PENDING).await.unwrap();
    let after = client.decide(PENDING, true, Scope::Once, None, Some("tray")).await.unwrap();
    assert_eq!(before.digest(), after.digest());
    assert_eq!(after.decision, Some(Decision::Allow));
}

#[tokio::test]
async fn a_repeating_cursor_ends_in_an_error() {
    let gateway = Gateway::start().await;
    let client = gateway.client();
    let page = |next: Value| {
        let body = json!({"approvals": [pending("01B", 1)], "next_after_approval_id": next});
        Fault::Plain(200, "application/json", body.to_string())
    };
    let same = std::iter::repeat_with(|| page(json!("01B"))).take(50);
    gateway.fault("GET /console/v1/approvals", same);
    assert_eq!(kind(client.inbox(None, &nobody(), None).await), (ErrorKind::Protocol, Some(200), true));
    assert_eq!(gateway.seen("GET /console/v1/approvals"), 2);
    let circle = (0..50).map(|n| page(json!(format!("01C{}", n % 3))));
    gateway.fault("GET /console/v1/approvals", circle);
    assert_eq!(kind(client.inbox(None, &nobody(), None).await).0, ErrorKind::Protocol);
    assert_eq!(gateway.seen("GET /console/v1/approvals"), 2 + 4);
    gateway.fault("GET /console/v1/approvals", [page(json!("01&limit=1"))]);
    assert_eq!(kind(client.inbox(None, &nobody(), None).await).0, ErrorKind::Protocol);
}

#[tokio::test]
async fn hostile_records_hide_no_other() {
    let gateway = Gateway::start().await;
    let client = gateway.client();
    let good = pending("01Z", 7);
    let deep = format!("{}{}", "[".repeat(3_000), "]".repeat(3_000));
    let hostile = [
        r#"{"approval_id":"01A"}"#.to_owned(),
        r#"{"approval_id":"01B","prompt":null,"policy_snapshot":7,"decision":null,"extra":{"a":[1]}}"#.to_owned(),
        format!(
            r#"{{"approval_id":"01C","prompt":{{"risk_level":"none","timeout_seconds":99999999999999999999}},"x":{deep}}}"#
        ),
        r#"{"approval_id":"01D","requested_at_unix_ms":1e999}"#.to_owned(),
        r#"{"approval_id":"01E","request_summary":"\ud800"}"#.to_owned(),
        r#"{"approval_id":"../../auth/logout"}"#.to_owned(),
        "null".to_owned(),
        "[1,2]".to_owned(),
        format!(r#"{{"approval_id":"01F","request_summary":"{}"}}"#, "x".repeat(1024 * 1024)),
    ];
    let body = format!(r#"{{"approvals":[{},{good}],"next_after_approval_id":null,"news":1}}"#, hostile.join(","));
    gateway.fault("GET /console/v1/approvals", [Fault::Plain(200, "application/json", body)]);
    let inbox = client.inbox(None, &nobody(), None).await.unwrap();
    let read: Vec<_> = inbox.records.iter().map(|record| record.approval_id.as_str()).collect();
    assert_eq!(read, ["01A", "01B", "01F", "01Z"]);
    assert!(inbox.records.iter().all(|record| record.prompt.risk_level == Risk::Critical || record.raw == good));
    let unreadable: Vec<_> = inbox.unreadable.iter().map(|record| record.approval_id.as_str()).collect();
    assert_eq!(unreadable, ["01C", "01D", "01E", "", "", ""]);
}

#[tokio::test]
async fn huge_records_are_read_in_smaller_portions() {
    let gateway = Gateway::start().await;
    {
        let mut fake = gateway.lock();
        fake.records = (0..60).map(|n| pending(&format!("01A{n:02}"), n)).collect();
        for huge in [20, 40] {
            fake.records[huge]["request_summary"] = json!("x".repeat(5 * 1024 * 1024));
        }
    }
    let inbox = gateway.client().inbox(None, &nobody(), None).await.unwrap();
    assert_eq!(inbox.records.len(), 60);
}

#[tokio::test]
async fn a_decision_carries_what_was_decided() {
    let gateway = Gateway::start().await;
    gateway.lock().records.push(pending(PENDING, 1));
    let client = gateway.client();
    client.decide(PENDING, false, Scope::Once, None, None).await.unwrap();
    client.decide(PENDING, true, Scope::Timeboxed, Some(600_000), Some("why \"not\"")).await.unwrap();
    assert_eq!(
        gateway.lock().decisions,
        [
            json!({"approved": false, "decision_scope": "once"}),
            json!({"approved": true, "decision_scope": "timeboxed", "decision_scope_ttl_ms": 600_000, "reason": "why \"not\""}),
        ]
    );
    for (id, scope, ttl) in
        [(PENDING, Scope::Timeboxed, None), (PENDING, Scope::Timeboxed, Some(0)), ("../x", Scope::Once, None)]
    {
        assert_eq!(kind(client.decide(id, true, scope, ttl, None).await), (ErrorKind::Invalid, None, false));
    }
    assert_eq!(
        kind(client.decide("01ZZ", true, Scope::Once, None, None).await),
        (ErrorKind::NotFound, Some(404), true)
    );
}

#[tokio::test]
async fn a_decision_whose_answer_is_lost_is_not_sent_again() {
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{", b"nonsense\r\n"] {
        let raw = Raw::start(bytes).await;
        let (_, _, sent) = kind(client(raw.port).decide(PENDING, true, Scope::Once, None, None).await);
        assert!(sent);
        assert_eq!((raw.seen("POST /console/v1/approvals/"), raw.seen("")), (1, 2));
    }
    let gateway = Gateway::start().await;
    gateway.lock().records.push(pending(PENDING, 1));
    let route = format!("POST /console/v1/approvals/{PENDING}/decision");
    let client = hasty(gateway.lock().port);
    for (fault, expected) in [
        (Fault::Slow(Duration::from_secs(60)), ErrorKind::Timeout),
        (Fault::Plain(500, "text/plain", "journal is full".to_owned()), ErrorKind::Server),
        (Fault::Plain(429, "text/plain", String::new()), ErrorKind::RateLimited),
        (Fault::Plain(200, "application/json", "{}".to_owned()), ErrorKind::Protocol),
    ] {
        let before = gateway.seen(&route);
        gateway.fault(&route, [fault]);
        let (kind, _, sent) = kind(client.decide(PENDING, true, Scope::Once, None, None).await);
        assert_eq!((kind, sent, gateway.seen(&route)), (expected, true, before + 1));
    }
}

#[tokio::test]
async fn a_decision_that_the_gateway_refused_is_sent_once_more_with_a_new_session() {
    let gateway = Gateway::start().await;
    gateway.lock().records.push(pending(PENDING, 1));
    let client = gateway.client();
    client.sign_in().await.unwrap();
    gateway.lock().sessions.clear();
    client.decide(PENDING, true, Scope::Once, None, None).await.unwrap();
    assert_eq!(gateway.lock().decisions.len(), 1);
    assert_eq!(gateway.seen(&format!("POST /console/v1/approvals/{PENDING}/decision")), 2);

    // When the new login fails, the decision was certainly not taken.
    gateway.lock().sessions.clear();
    gateway.fault("POST /console/v1/auth/login", [Fault::Plain(500, "text/plain", "no".to_owned())]);
    let outcome = kind(client.decide(PENDING, true, Scope::Once, None, None).await);
    assert_eq!(outcome, (ErrorKind::Server, Some(500), false));
    assert_eq!(gateway.lock().decisions.len(), 1);
}

// Heartbeat and hand-off

#[tokio::test]
async fn the_heartbeat_tells_where_the_journal_is() {
    let gateway = Gateway::start().await;
    let heartbeat = gateway.client().heartbeat().await.unwrap();
    let journal = heartbeat.journal_db_path.unwrap();
    assert_eq!(journal, Path::new("/home/user/.local/state/palyra/data/journal.sqlite3"));
    assert_eq!((heartbeat.version.as_str(), heartbeat.uptime_seconds), ("0.1.0", Some(43)));
    assert_eq!((heartbeat.node_rpc_mtls_required, heartbeat.runloop_enabled), (Some(true), Some(false)));
}

#[tokio::test]
async fn a_handoff_leads_to_this_gateway_or_nowhere() {
    let gateway = Gateway::start().await;
    let client = gateway.client();
    let url = client.mint_handoff("/#/control/approvals").await.unwrap();
    let start = format!("http://127.0.0.1:{}/console/v1/auth/browser-handoff/consume?token=EXAMPLE", client.port());
    assert!(url.expose().starts_with(&start));
    assert!(!format!("{url:?}").contains("EXAMPLE"));
    for hostile in
        ["http://127.0.0.1:1/c?token=hush", "http://evil.example/c?token=hush", "https://127.0.0.1/c?token=hush"]
    {
        gateway.lock().handoff_url = Some(hostile.to_owned());
        let error = client.mint_handoff("/#/control/approvals").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
        assert!(!error.message.contains("hush"), "{error}");
    }
}

// Idle

/// How often this thread of ours gave up the processor by itself.
#[cfg(target_os = "linux")]
fn wake_ups(thread: nix::unistd::Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_idle_client_and_an_idle_doorbell_do_not_wake_up() {
    use palyra_tray::shell::journal::Doorbell;

    let gateway = Gateway::start().await;
    let client = gateway.client();
    let directory = tempfile::tempdir().unwrap();
    let journal = directory.path().join("journal.sqlite3");
    let (tell, told) = tokio::sync::oneshot::channel();
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            client.heartbeat().await.unwrap();
            client.inbox(None, &nobody(), None).await.unwrap();
            let doorbell = Doorbell::watch(&journal, |_| {}).unwrap();
            tell.send(nix::unistd::gettid()).unwrap();
            let _ = finished.await;
            drop((client, doorbell));
        });
    });
    let client_thread = told.await.unwrap();
    let doorbell_thread = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .map(|task| task.unwrap().path())
        .find(|task| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with("notify-rs")))
        .unwrap();
    let doorbell_thread = doorbell_thread.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let doorbell_thread = nix::unistd::Pid::from_raw(doorbell_thread);
    // The measurement is the time: let both fall asleep, then count.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = (wake_ups(client_thread), wake_ups(doorbell_thread));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((wake_ups(client_thread), wake_ups(doorbell_thread)), before);
    finish.send(()).unwrap();
    thread.join().unwrap();
}
