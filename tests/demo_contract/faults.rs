//! Every fault does what the table in the demo module says.

use std::io::ErrorKind;
#[cfg(unix)]
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::demo::{Demo, until};
use crate::support::http;

fn health(demo: &Demo) -> std::io::Result<http::Answer> {
    demo.call("GET", "/healthz", None, &[])
}

#[test]
fn crash_and_exit0_end_the_process_when_told() {
    for (words, code) in [("crash=7", 7), ("exit0", 0), ("crash", 1)] {
        let root = TempDir::new().expect("temp dir");
        assert_eq!(
            Demo::gateway_on(root.path(), &[("PALYRA_DEMO_FAULTS", words)]).ended().code(),
            Some(code),
            "{words}"
        );
    }
    let mut demo = Demo::gateway(&[]);
    let ordered = Instant::now();
    demo.faults("crash=9@200");
    assert_eq!(demo.ended().code(), Some(9));
    assert!(ordered.elapsed() >= Duration::from_millis(190));
}

#[test]
fn hang_takes_calls_and_answers_none_until_resume() {
    let mut demo = Demo::gateway(&[]);
    demo.faults("hang");
    let waiting = http::send(demo.port(), "GET", "/healthz", &[], None).expect("connect");
    waiting.set_read_timeout(Some(Duration::from_millis(300))).expect("timeout");
    let silence = std::io::Read::read(&mut &waiting, &mut [0; 1]).expect_err("no answer");
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
    assert!(demo.is_alive());
    demo.faults("resume");
    waiting.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
    assert_eq!(std::io::Read::read(&mut &waiting, &mut [0; 1]).expect("the late answer"), 1);
}

#[test]
fn slow_start_binds_late() {
    let root = TempDir::new().expect("temp dir");
    let start = Instant::now();
    let demo = Demo::gateway_on(root.path(), &[("PALYRA_DEMO_FAULTS", "slow_start=400")]);
    demo.ready();
    assert!(start.elapsed() >= Duration::from_millis(400));
}

#[test]
fn wrong_service_and_clear() {
    let demo = Demo::gateway(&[]);
    demo.faults("wrong_service");
    assert_eq!(health(&demo).expect("healthz").json()["service"], "another-service");
    let answer = demo.call("POST", "/demo/faults", Some(json!({ "clear": true })), &[]).expect("clear");
    assert_eq!(answer.json()["wrong_service"], false);
    assert_eq!(health(&demo).expect("healthz").json()["service"], "palyrad");
    let words = json!({ "faults": ["wrong_service", "nonsense"] });
    assert_eq!(demo.call("POST", "/demo/faults", Some(words), &[]).expect("order").status, 400);
    assert_eq!(health(&demo).expect("healthz").json()["service"], "palyrad", "all or nothing");
}

#[test]
fn statuses_come_for_the_next_calls_of_a_prefix() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    demo.faults("status=429:2:/console/v1/approvals,status=500,status=503");
    let got: Vec<_> =
        (0..3).map(|_| client.get("/console/v1/approvals")).map(|answer| (answer.status, answer)).collect();
    assert_eq!(got.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [429, 429, 500]);
    assert_eq!(
        (got[0].1.json()["code"].take(), got[0].1.json()["retryable"].take()),
        (json!("rate_limited"), json!(true))
    );
    assert_eq!(client.get("/console/v1/nodes").json()["code"], "service_unavailable");
    assert_eq!(client.get("/console/v1/nodes").status, 200);
}

#[test]
fn html_half_and_slow_disturb_one_answer() {
    let demo = Demo::gateway(&[]);
    demo.faults("html=/healthz");
    let page = health(&demo).expect("page");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    demo.faults("half=/healthz");
    let mut cut = http::send(demo.port(), "GET", "/healthz", &[], None).expect("connect");
    let mut bytes = Vec::new();
    let _ = std::io::Read::read_to_end(&mut cut, &mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("\r\n\r\n{") && !text.contains('}'), "{text}");
    demo.faults("slow=300:1:/healthz");
    let start = Instant::now();
    assert_eq!(health(&demo).expect("late").json()["status"], "ok");
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(health(&demo).expect("well again").status, 200);
}

#[test]
fn lose_answer_decides_and_says_nothing() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let id = demo.approvals(json!({})).remove(0);
    demo.faults("lose_answer=/console/v1/approvals");
    assert!(client.approval(&id).get("decision").is_none(), "reads are answered");
    let path = format!("/console/v1/approvals/{id}/decision");
    let lost = demo.call("POST", &path, Some(json!({ "approved": true })), &client.headers());
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(client.approval(&id)["decision"], "allow");
}

#[test]
fn lose_sessions_signs_everybody_out() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    assert_eq!(client.get("/console/v1/approvals").status, 200);
    demo.faults("lose_sessions");
    assert_eq!(client.get("/console/v1/approvals").status, 403);
    assert_eq!(demo.login().get("/console/v1/approvals").status, 200);
}

#[test]
fn decide_elsewhere_decides_the_oldest_or_the_named() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let old = demo.approvals(json!({ "age_ms": 5000 })).remove(0);
    let new = demo.approvals(json!({})).remove(0);
    demo.faults("decide_elsewhere");
    assert_eq!(
        (client.approval(&old)["decision"].take(), client.approval(&new).get("decision")),
        (json!("allow"), None)
    );
    assert_eq!(client.approval(&old)["decision_reason"], "decided_elsewhere");
    demo.faults(&format!("decide_elsewhere=deny:{new}"));
    assert_eq!(client.approval(&new)["decision"], "deny");
}

#[test]
fn flood_and_bad_bytes_fill_the_log() {
    let demo = Demo::gateway(&[]);
    demo.faults("flood=2000:300,bad_bytes");
    let last =
        |line: &Vec<u8>| serde_json::from_slice::<Value>(line).ok().and_then(|line| line["fields"]["n"].as_u64());
    until("300 lines", || demo.output().iter().any(|line| last(line) == Some(299)).then_some(()));
    let numbers: Vec<_> = demo.output().iter().filter_map(last).collect();
    assert_eq!(numbers, (0..300).collect::<Vec<_>>());
    until("the bad lines", || {
        let lines = demo.output();
        let invalid = lines.iter().any(|line| std::str::from_utf8(line).is_err());
        (invalid && lines.iter().any(|line| line.len() == 10_000_001)).then_some(())
    });
}

#[cfg(unix)]
mod signals {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::{Pid, getpgid, getsid};

    use super::*;

    #[test]
    fn ignored_signals_are_survived() {
        let mut demo = Demo::gateway(&[]);
        demo.faults("ignore_sigint,ignore_sigterm");
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGINT] {
            demo.signal(signal);
        }
        let start = Instant::now();
        until("the signals to arrive", || (start.elapsed().as_millis() > 300).then_some(()));
        assert!(demo.is_alive());
        assert_eq!(health(&demo).expect("healthz").status, 200);
        demo.signal(Signal::SIGKILL);
        demo.ended();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, demo.port())).is_err());
    }

    #[test]
    fn a_grandchild_leaves_the_session_and_survives_sigterm() {
        let mut demo = Demo::gateway(&[]);
        demo.faults("grandchild=120");
        let started = until("the grandchild", || demo.logged("demo grandchild started"));
        let pid = Pid::from_raw(i32::try_from(started["pid"].as_i64().expect("pid")).expect("pid"));
        let _end = Ending(pid);
        until("its own session", || (getsid(Some(pid)) == Ok(pid)).then_some(()));
        assert_eq!(getpgid(Some(pid)), Ok(pid));
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            kill(pid, signal).expect("kill");
        }
        demo.signal(Signal::SIGTERM);
        demo.ended();
        let start = Instant::now();
        until("the signals to arrive", || (start.elapsed().as_millis() > 200).then_some(()));
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        assert!(status.is_ok_and(|stat| !stat.contains(") Z ")) || !cfg!(target_os = "linux"), "it lives on");
        assert!(kill(pid, None).is_ok());
    }

    /// Ends a grandchild, whatever becomes of the test.
    struct Ending(Pid);

    impl Drop for Ending {
        fn drop(&mut self) {
            let _ = kill(self.0, Signal::SIGKILL);
        }
    }
}
