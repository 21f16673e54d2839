//! A remote gateway is asked only when it shows the pinned certificate.

use std::time::{Duration, Instant};

use palyra_tray::config::remote::{Pin, Target};
use palyra_tray::core::remote::{Trouble, TroubleKind};
use palyra_tray::shell::gateway::{Health, ask_elsewhere};

use rustls::ALL_VERSIONS;

use super::https::{Answer, Authority, HEALTHY, Https, Identity};

fn bytes(fingerprint: &str) -> [u8; 32] {
    let byte = |at: usize| u8::from_str_radix(&fingerprint[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(byte)
}

fn look_within(port: u16, name: &str, pin: impl Into<Option<Pin>>, limit: Duration) -> Result<Health, Trouble> {
    let host = format!("{name}:{port}");
    let target = Target { base_url: format!("https://{host}/some/"), host, pin: pin.into() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ask_elsewhere(&target, limit))
}

fn look(server: &Https, name: &str, pin: Pin) -> Result<Health, Trouble> {
    look_within(server.port, name, pin, Duration::from_secs(10))
}

fn server_pin(identity: &Identity) -> Pin {
    Pin::Server(bytes(&identity.fingerprint(0)))
}

fn ca_pin(identity: &Identity) -> Pin {
    Pin::GatewayCa(bytes(&identity.fingerprint(1)))
}

fn distrusted(server: &Https, name: &str, pin: Pin, told: &str) {
    let trouble = look(server, name, pin).unwrap_err();
    assert!(trouble.kind == TroubleKind::Distrusted && trouble.why.contains(told), "{trouble:?}");
    assert!(server.connections() > 0 && server.requests().is_empty(), "it was asked: {:?}", server.requests());
}

#[test]
fn who_shows_the_pinned_certificate_is_asked_for_its_health_and_nothing_else() {
    // neither its name nor who signed it matter: the pin is the trust
    let identity = Identity::own("elsewhere.example");
    let server = Https::start(&identity, None);
    let health = look(&server, "127.0.0.1", server_pin(&identity)).unwrap();
    assert_eq!((health.version.as_str(), health.uptime_seconds), ("9.9.9", Some(120)));
    assert_eq!(server.requests(), ["GET /some/healthz HTTP/1.1"]);
    let expired = Authority::new().issue("elsewhere.example", true);
    for version in ALL_VERSIONS {
        server.show_by(&expired, &[version]);
        assert!(look(&server, "127.0.0.1", server_pin(&expired)).is_ok(), "{version:?}");
    }
}

#[test]
fn another_certificate_or_a_copied_one_is_sent_nothing() {
    let identity = Identity::own("127.0.0.1");
    let other = Identity::own("127.0.0.1");
    let server = Https::start(&other, None);
    distrusted(&server, "127.0.0.1", server_pin(&identity), "another certificate than the pinned one");
    for version in ALL_VERSIONS {
        server.show_by(&identity.with_key_of(&other), &[version]);
        distrusted(&server, "127.0.0.1", server_pin(&identity), "does not have the key");
    }
}

#[test]
fn without_a_pin_nobody_is_asked() {
    let server = Https::start(&Identity::own("127.0.0.1"), None);
    let trouble = look_within(server.port, "127.0.0.1", None, Duration::from_secs(10)).unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unpinned);
    assert_eq!(server.connections(), 0);
}

#[test]
fn by_the_pin_of_an_authority_only_what_it_has_issued_for_this_name_and_time_is_trusted() {
    let (ours, other) = (Authority::new(), Authority::new());
    let good = ours.issue("localhost", false);
    let server = Https::start(&good, None);
    for (shown, name, told) in [
        (good.alone(), "localhost", "not among those that it shows"),
        (other.issue("localhost", false), "localhost", "not among those that it shows"),
        (other.issue("localhost", false).with_authority_of(&good), "localhost", "not good by the pinned authority"),
        (ours.issue("elsewhere.example", false), "localhost", "not good by the pinned authority"),
        (ours.issue("localhost", true), "localhost", "not good by the pinned authority"),
        (good.with_key_of(&other.issue("localhost", false)), "localhost", "does not have the key"),
    ] {
        server.show(&shown);
        distrusted(&server, name, ca_pin(&good), told);
    }
    server.show(&ours.issue("localhost", false));
    assert!(look(&server, "localhost", ca_pin(&good)).is_ok(), "a renewed one of the same authority");
    // an authority's pin is none of a server
    assert_eq!(
        look(&server, "localhost", Pin::Server(bytes(&good.fingerprint(1)))).unwrap_err().kind,
        TroubleKind::Distrusted
    );
}

#[test]
fn what_does_not_answer_well_is_unreachable_and_told_apart() {
    let identity = Identity::own("127.0.0.1");
    let server = Https::start(&identity, None);
    for (status, body, told) in [
        ("302 Found", String::new(), "another program"),
        ("404 Not Found", String::new(), "another program"),
        ("503 Service Unavailable", "{}".to_owned(), "503"),
        ("200 OK", "<html>".to_owned(), "another program"),
        ("200 OK", HEALTHY.replace("palyrad", "nginx"), "another program answers there: nginx"),
        ("200 OK", HEALTHY.replace("ok", "draining"), "draining"),
        ("200 OK", format!("{{\"service\":\"{}\"}}", "x".repeat(200_000)), "too large"),
    ] {
        server.answer(Answer::Http(status, body));
        let trouble = look(&server, "127.0.0.1", server_pin(&identity)).unwrap_err();
        assert!(trouble.kind == TroubleKind::Unreachable && trouble.why.contains(told), "{status}: {trouble:?}");
    }
    server.answer(Answer::Silence);
    let begun = Instant::now();
    let limit = Duration::from_secs(1);
    let trouble = look_within(server.port, "127.0.0.1", server_pin(&identity), limit).unwrap_err();
    assert!(trouble.why.contains("no answer within 1 s") && begun.elapsed() < Duration::from_secs(5), "{trouble:?}");
    // somebody who speaks no TLS, and nobody
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = plain.local_addr().unwrap().port();
    let answered = std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = plain.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    });
    let nothing = |told: &str| {
        let trouble = look_within(port, "127.0.0.1", server_pin(&identity), Duration::from_secs(10)).unwrap_err();
        assert!(trouble.kind == TroubleKind::Unreachable && trouble.why.contains(told), "{told}: {trouble:?}");
    };
    nothing("no encrypted connection");
    answered.join().unwrap();
    nothing("no connection");
}
