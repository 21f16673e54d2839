//! The one-shot address, spoken to as browsers and others speak to it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use palyra_tray::shell::handoff::{OneShot, Report};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MINTED: &str = "http://127.0.0.1:7142/console/v1/auth/browser-handoff/consume?token=hush";
const LONG: Duration = Duration::from_secs(60);

struct Fixture {
    one_shot: OneShot,
    minted: Arc<AtomicUsize>,
    reports: Arc<Mutex<Vec<Report>>>,
}

impl Fixture {
    async fn start(life: Duration, result: Result<&'static str, &'static str>) -> Self {
        let minted = Arc::new(AtomicUsize::new(0));
        let reports = Arc::new(Mutex::new(Vec::new()));
        let (count, told) = (Arc::clone(&minted), Arc::clone(&reports));
        let mint = move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            result.map(SecretString::from).map_err(str::to_owned)
        };
        let one_shot = OneShot::open_for(life, mint, move |report| told.lock().unwrap().push(report)).await.unwrap();
        Self { one_shot, minted, reports }
    }

    fn parts(&self) -> (String, String) {
        let rest = self.one_shot.url.strip_prefix("http://").unwrap();
        let (host, path) = rest.split_once('/').unwrap();
        (host.to_owned(), path.to_owned())
    }

    /// A good request with one change.
    async fn ask(&self, from: &str, to: &str) -> String {
        let (host, path) = self.parts();
        let request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n\
             User-Agent: test\r\n\r\n"
        );
        assert!(request.contains(from));
        say(&host, &request.replacen(from, to, 1)).await
    }

    async fn hit(&self) -> String {
        self.ask("", "").await
    }

    fn minted(&self) -> usize {
        self.minted.load(Ordering::SeqCst)
    }

    fn reports(&self) -> Vec<Report> {
        self.reports.lock().unwrap().clone()
    }
}

async fn say(host: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

async fn until(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !what() {
        assert!(Instant::now() < end, "it did not happen in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_first_hit_is_sent_on_and_the_second_raises_the_alarm() {
    let fixture = Fixture::start(LONG, Ok(MINTED)).await;
    let (host, path) = fixture.parts();
    assert!(host.starts_with("127.0.0.1:"));
    assert_eq!(path.len(), 43);
    assert_eq!(fixture.minted(), 0, "nothing exists before the hit");
    let answer = fixture.hit().await;
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    for header in
        [format!("location: {MINTED}"), "cache-control: no-store".into(), "referrer-policy: no-referrer".into()]
    {
        assert!(answer.contains(&format!("\r\n{header}\r\n")), "{answer}");
    }
    assert!(answer.ends_with("\r\n\r\n"), "no body");
    assert_eq!(fixture.reports(), [Report::Served]);
    let answer = fixture.hit().await;
    assert!(answer.starts_with("HTTP/1.1 410 ") && !answer.contains("hush"), "{answer}");
    assert_eq!(fixture.reports(), [Report::Served, Report::SecondHit]);
    assert_eq!(fixture.minted(), 1);
}

#[tokio::test]
async fn of_two_hits_at_one_time_one_wins() {
    let fixture = Fixture::start(LONG, Ok(MINTED)).await;
    let (one, two) = tokio::join!(fixture.hit(), fixture.hit());
    let served = [&one, &two].iter().filter(|answer| answer.starts_with("HTTP/1.1 303 ")).count();
    assert_eq!((served, fixture.minted()), (1, 1));
    assert!(fixture.reports().contains(&Report::SecondHit));
}

#[tokio::test]
async fn what_no_person_asked_for_does_not_use_it_up() {
    let fixture = Fixture::start(LONG, Ok(MINTED)).await;
    let (host, path) = fixture.parts();
    let other_path = format!("{}{}", &path[..42], if path.ends_with('A') { 'B' } else { 'A' });
    for (from, to, status) in [
        (path.as_str(), other_path.as_str(), "404"),
        (path.as_str(), "favicon.ico", "404"),
        (path.as_str(), "", "404"),
        ("GET", "HEAD", "405"),
        ("GET", "POST", "405"),
        ("Sec-Fetch-Mode: navigate", "Sec-Purpose: prefetch", "403"),
        ("Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site", "403"),
        (host.as_str(), "evil.example", "421"),
        ("Host: 127.0.0.1", "Host: localhost", "421"),
        ("HTTP/1.1", "", "400"),
    ] {
        let answer = fixture.ask(from, to).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{from} -> {to}: {answer}");
    }
    assert_eq!((fixture.minted(), fixture.reports()), (0, vec![]));
    assert!(fixture.hit().await.starts_with("HTTP/1.1 303 "));
}

#[tokio::test]
async fn silent_slow_and_endless_connections_do_not_stand_in_the_way() {
    let fixture = Fixture::start(LONG, Ok(MINTED)).await;
    let (host, path) = fixture.parts();
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(TcpStream::connect(&host).await.unwrap());
    }
    let endless = say(&host, &format!("GET /{path} HTTP/1.1\r\nCookie: {}", "x".repeat(20_000))).await;
    assert!(endless.starts_with("HTTP/1.1 431 "), "{endless}");
    // A request in two pieces.
    let mut stream = TcpStream::connect(&host).await.unwrap();
    stream.write_all(format!("GET /{path} HTT").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(format!("P/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    // A silent one is hung up on.
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(10), silent[0].read_to_end(&mut rest)).await.unwrap().unwrap();
}

#[tokio::test]
async fn it_ends_when_nobody_comes() {
    let fixture = Fixture::start(Duration::from_millis(100), Ok(MINTED)).await;
    let (host, _) = fixture.parts();
    until(|| fixture.reports() == [Report::Expired]).await;
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(&host).await.is_ok() {
        assert!(Instant::now() < end, "it still listens");
    }
    assert_eq!(fixture.minted(), 0);
}

#[tokio::test]
async fn after_a_hit_the_end_is_not_an_expiry() {
    let fixture = Fixture::start(Duration::from_millis(500), Ok(MINTED)).await;
    let (host, _) = fixture.parts();
    assert!(fixture.hit().await.starts_with("HTTP/1.1 303 "));
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(&host).await.is_ok() {
        assert!(Instant::now() < end, "it still listens");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(fixture.reports(), [Report::Served]);
}

#[tokio::test]
async fn a_failed_mint_is_shown_as_text() {
    let fixture = Fixture::start(LONG, Err("The gateway is <stopped>.")).await;
    let answer = fixture.hit().await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("The gateway is &lt;stopped&gt;."), "{answer}");
    assert_eq!(fixture.reports(), [Report::Failed("The gateway is <stopped>.".to_owned())]);
    let fixture = Fixture::start(LONG, Ok("http://127.0.0.1/\r\nx-evil: 1")).await;
    let answer = fixture.hit().await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && !answer.contains("evil"), "{answer}");
}

#[tokio::test]
async fn debug_does_not_tell_the_address() {
    let fixture = Fixture::start(LONG, Ok(MINTED)).await;
    let (_, path) = fixture.parts();
    assert!(!format!("{:?}", fixture.one_shot).contains(&path));
}
