//! The sidecars as processes: what they refuse, how they end.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::support::demo::{Demo, until};

#[track_caller]
fn refuses(root: &Path, words: &[&str], env: &[(&str, &str)], says: &str) {
    let (code, text) = Demo::start(root, words, env).refused();
    assert!(matches!(code, Some(1..)), "{code:?} {text}");
    assert!(text.contains(says), "`{text}` does not say `{says}`");
}

fn gateway(port: u16, grpc: u16) -> Vec<String> {
    ["gateway", "--port", &port.to_string(), "--grpc-port", &grpc.to_string()].map(str::to_owned).to_vec()
}

#[test]
fn the_gateway_refuses_what_it_cannot_work_with() {
    let root = TempDir::new().expect("temp dir");
    let words = ["gateway", "--port", "0", "--grpc-port", "0"];
    refuses(root.path(), &words, &[("PALYRA_ADMIN_TOKEN", "")], "PALYRA_ADMIN_TOKEN");
    refuses(root.path(), &words, &[("PALYRA_STATE_ROOT", "")], "PALYRA_STATE_ROOT");
    refuses(root.path(), &words, &[("PALYRA_STATE_ROOT", " ")], "PALYRA_STATE_ROOT must not be empty");
    refuses(root.path(), &words, &[("PALYRA_GATEWAY_QUIC_ENABLED", "yes")], "`true` or `false`");
    refuses(root.path(), &words, &[("PALYRA_DEMO_FAULTS", "nonsense")], "unknown demo fault");
    refuses(root.path(), &["gateway", "--bind", "0.0.0.0"], &[], "loopback");
    refuses(root.path(), &["gateway", "--colour", "red"], &[], "--colour");
    let config = root.path().join("palyra.toml");
    let env = [("PALYRA_CONFIG", config.to_str().expect("path"))];
    refuses(root.path(), &words, &env, "cannot be read");
    std::fs::write(&config, "version = [").expect("write");
    refuses(root.path(), &words, &env, "not valid TOML");
    std::fs::write(&config, "version = 2\n").expect("write");
    refuses(root.path(), &words, &env, "version = 1");
    refuses(root.path(), &words, &[], "version = 1");
    std::fs::remove_file(&config).expect("remove");
    std::fs::create_dir_all(root.path().join("data")).expect("data");
    std::fs::write(root.path().join("data/journal.sqlite3"), b"SQLite format 3\0real").expect("write");
    refuses(root.path(), &words, &[], "journal of a real gateway");
}

#[test]
fn a_config_file_is_honoured_and_the_environment_beats_it() {
    let root = TempDir::new().expect("temp dir");
    let config = root.path().join("palyra.toml");
    std::fs::write(
        &config,
        "version = 1\n[admin]\nauth_token = 'tok-admin-123'\n[orchestrator]\nrunloop_v1_enabled = true\n",
    )
    .expect("write");
    let path = config.to_str().expect("path");
    for (env, expected) in [("", true), ("false", false)] {
        let env =
            [("PALYRA_CONFIG", path), ("PALYRA_ADMIN_TOKEN", ""), ("PALYRA_ORCHESTRATOR_RUNLOOP_V1_ENABLED", env)];
        let demo = Demo::gateway_on(root.path(), &env);
        demo.ready();
        let heartbeat = demo.login().get("/console/v1/system/heartbeat").json();
        assert_eq!(heartbeat["security"]["orchestrator_runloop_v1_enabled"], expected);
    }
}

#[test]
fn any_taken_port_is_fatal() {
    let root = TempDir::new().expect("temp dir");
    let start = |words: &[String], env: &[(&str, &str)], says: &str| {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        refuses(root.path(), &words, env, says);
    };
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let port = taken.local_addr().expect("address").port();
    start(&gateway(port, 0), &[], "failed to bind daemon");
    start(&gateway(0, port), &[], "failed to bind gateway gRPC");
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let quic = udp.local_addr().expect("address").port().to_string();
    start(&gateway(0, 0), &[("PALYRA_GATEWAY_QUIC_PORT", &quic)], "failed to bind gateway QUIC");
    // The port below a taken one must itself be free.
    let mut held = Vec::new();
    let node_rpc = until("two ports in a row", || {
        let upper = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let port = upper.local_addr().expect("address").port();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port - 1)).is_ok();
        held.push(upper);
        free.then_some(port)
    });
    start(&gateway(0, node_rpc - 1), &[], "failed to bind node RPC");
}

#[test]
fn the_documented_lines_are_logged() {
    let demo = Demo::gateway(&[]);
    for (message, field) in [
        ("gateway startup", "message"),
        ("daemon listening", "listen_addr"),
        ("gateway gRPC listening", "grpc_listen_addr"),
        ("node RPC listener initialized", "node_rpc_mtls_required"),
        ("gateway QUIC listener initialized", "quic_listen_addr"),
    ] {
        let logged = demo.will_log(message);
        assert!(logged.get(field).is_some(), "{field} in {logged}");
    }
}

#[test]
fn no_secret_is_logged() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let minted = client.post("/console/v1/auth/browser-handoff", json!({})).json();
    let handoff = minted["handoff_url"].as_str().and_then(|url| url.split_once('=')).expect("token").1.to_owned();
    let output = String::from_utf8_lossy(&demo.output().concat()).into_owned();
    for secret in [crate::support::demo::TOKEN, client.headers()[1].1, &handoff] {
        assert!(!output.contains(secret), "{output}");
    }
}

#[cfg(unix)]
mod signals {
    use std::net::TcpStream;
    use std::os::unix::process::ExitStatusExt;

    use nix::sys::signal::Signal;

    use super::*;

    fn address(demo: &Demo, message: &str, field: &str) -> String {
        demo.will_log(message)[field].as_str().expect(field).to_owned()
    }

    #[test]
    fn sigint_closes_http_and_leaves_the_process_asleep_and_sigterm_ends_it() {
        let mut demo = Demo::gateway(&[]);
        let mut idle = TcpStream::connect((Ipv4Addr::LOCALHOST, demo.port())).expect("connect");
        let quic = address(&demo, "gateway QUIC listener initialized", "quic_listen_addr");
        let grpc = address(&demo, "gateway gRPC listening", "grpc_listen_addr");
        let node_rpc = address(&demo, "node RPC listener initialized", "node_rpc_listen_addr");
        for held in [&grpc, &node_rpc] {
            assert!(TcpStream::connect(held).is_ok(), "{held} is held while the gateway runs");
        }
        demo.signal(Signal::SIGINT);
        let port = demo.port();
        until("HTTP to close", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err().then_some(()));
        until("gRPC to close", || TcpStream::connect(&grpc).is_err().then_some(()));
        assert_eq!(std::io::Read::read(&mut idle, &mut [0; 1]).unwrap_or(0), 0, "open connections are closed");
        assert!(UdpSocket::bind(&quic).is_err(), "QUIC is still bound");
        demo.signal(Signal::SIGINT);
        let start = std::time::Instant::now();
        until("a second Ctrl-C to be ignored", || (start.elapsed().as_millis() > 300).then_some(()));
        assert!(demo.is_alive());
        demo.signal(Signal::SIGTERM);
        assert_eq!(demo.ended().signal(), Some(15));
    }

    #[test]
    fn without_quic_sigint_ends_it() {
        let mut demo = Demo::gateway(&[("PALYRA_GATEWAY_QUIC_ENABLED", "false")]);
        assert!(demo.logged("gateway QUIC listener initialized").is_none());
        demo.signal(Signal::SIGINT);
        assert_eq!(demo.ended().code(), Some(0));
    }

    #[test]
    fn sigterm_alone_ends_it_at_once() {
        let mut demo = Demo::gateway(&[]);
        demo.signal(Signal::SIGTERM);
        assert_eq!(demo.ended().signal(), Some(15));
    }

    #[test]
    fn browserd_ends_on_sigint() {
        let root = TempDir::new().expect("temp dir");
        let mut browserd = browserd(root.path(), &[]);
        browserd.ready();
        browserd.signal(Signal::SIGINT);
        assert_eq!(browserd.ended().code(), Some(0));
    }
}

fn browserd(root: &Path, env: &[(&str, &str)]) -> Demo {
    let words = ["browserd", "--bind", "127.0.0.1", "--port", "0", "--grpc-bind", "127.0.0.1", "--grpc-port", "0"];
    Demo::start(root, &words, env)
}

#[test]
fn browserd_has_health_and_faults_and_checks_its_key() {
    let root = TempDir::new().expect("temp dir");
    for key in ["not base64!", "c2hvcnQ="] {
        let env = [("PALYRA_BROWSERD_STATE_ENCRYPTION_KEY", key)];
        refuses(root.path(), &["browserd", "--port", "0", "--grpc-port", "0"], &env, "exactly 32 bytes");
    }
    let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let demo = browserd(root.path(), &[("PALYRA_BROWSERD_STATE_ENCRYPTION_KEY", key)]);
    demo.ready();
    for message in ["browser service startup", "browserd health endpoint ready", "browserd gRPC endpoint ready"] {
        demo.will_log(message);
    }
    let health = || demo.call("GET", "/healthz", None, &[]).expect("healthz");
    assert_eq!(health().json()["service"], "palyra-browserd");
    demo.faults("status=500:1:/healthz,wrong_service");
    assert_eq!(health().status, 500);
    assert_eq!(health().json()["service"], "another-service");
}

#[test]
fn roles_are_checked() {
    let root = TempDir::new().expect("temp dir");
    refuses(root.path(), &[], &[], "needs a role");
    refuses(root.path(), &["toaster"], &[], "needs a role");
    refuses(root.path(), &["node-host", "node", "dance"], &[], "node run, status");
    // as the real one says it; a node host that was enrolled is in tests/node.rs
    refuses(root.path(), &["node-host", "node", "run", "--json"], &[], "when local pairing material is absent");
}
