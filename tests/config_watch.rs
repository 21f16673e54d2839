//! The sidecars' config file on a real agent: edited in every way, touched, broken, gone.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/http.rs"]
mod http;

use std::fs;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use agent::Site;
use serde_json::{Value, json};

fn config(site: &Site) -> PathBuf {
    site.root().join("config/palyra.toml")
}

fn text(site: &Site) -> String {
    fs::read_to_string(config(site)).unwrap()
}

/// This test's program, as the system names it.
fn own() -> PathBuf {
    fs::read_link("/proc/self/exe").unwrap()
}

fn add(site: &Site, line: &str) {
    fs::write(config(site), format!("{}{line}\n", text(site))).unwrap();
}

fn pid(status: &Value, service: &str) -> u64 {
    status[format!("{service}_process")]["pid"].as_u64().unwrap_or(0)
}

/// Waits until those have another process and all is healthy again; the others must have kept theirs.
#[track_caller]
fn restarted(site: &Site, before: &Value, services: &[&str]) -> Value {
    let after = site.until(&format!("restarted: {services:?}"), |status| {
        let fresh = |service: &&str| ![0, pid(before, service)].contains(&pid(status, service));
        services.iter().all(fresh) && status["state"] == "healthy"
    });
    for service in ["gateway", "browserd"] {
        assert_eq!(pid(&after, service) != pid(before, service), services.contains(&service), "{service}");
        assert_eq!(after[format!("{service}_process")]["restart_attempt"], 0, "it was no crash");
    }
    after
}

/// Longer than it takes to notice, settle and restart.
fn long_enough() {
    std::thread::sleep(Duration::from_millis(1_500));
}

#[test]
fn a_change_restarts_whom_it_touches_and_nobody_else() {
    let mut site = Site::new();
    let mut status = site.start_healthy();
    add(&site, "auth_token = \"between-the-two\"");
    status = restarted(&site, &status, &["gateway", "browserd"]);
    add(&site, "[orchestrator]\nrunloop_v1_enabled = true");
    status = restarted(&site, &status, &["gateway"]);
    // the token of the console: the agent signs in with the new one
    add(&site, "[admin]\nauth_token = \"another-admin-token\"");
    status = restarted(&site, &status, &["gateway"]);
    add(&site, "# a comment touches nobody");
    long_enough();
    restarted(&site, &status, &[]);
    assert!(!fs::read_to_string(site.own("logs/tray.log")).unwrap().contains("another-admin-token"));
}

/// The key that the running browser service was given.
fn browser_key(status: &Value) -> String {
    let environment = fs::read_to_string(format!("/proc/{}/environ", pid(status, "browserd"))).unwrap();
    let value = |entry: &str| entry.strip_prefix("PALYRA_BROWSERD_STATE_ENCRYPTION_KEY=").map(str::to_owned);
    environment.split('\0').find_map(value).unwrap()
}

#[test]
fn the_browsers_key_in_the_vault_is_read_anew_and_one_that_is_missing_is_never_replaced() {
    let [first, second] =
        ["Zmlyc3QtLWZpcnN0LS1maXJzdC0tZmlyc3QtLTEyMzQ=", "c2Vjb25kLXNlY29uZC1zZWNvbmQtc2Vjb25kLTEyMzQ="];
    let mut site = Site::new();
    let stored = site.root().join("stored");
    // answers as palyra 0.1.0 does
    let palyra = site.script(
        "palyra",
        &format!(
            "[ \"$*\" = 'secrets get --json --reveal -- global browser_state_key' ] && [ -n \"$PALYRA_VAULT_DIR\" ] || exit 2\n\
             [ -f '{0}' ] && printf '{{\"value\": \"%s\\\\n\"}}' \"$(cat '{0}')\" && exit 0\n\
             echo 'error[not_found] trace_id=cli:1 state_root=/x failed to load secret key=browser_state_key scope=global: secret not found' >&2\nexit 8",
            stored.display()
        ),
    );
    site.env("PALYRA_DESKTOP_PALYRA_BIN", palyra.to_str().unwrap());
    let status = site.start_healthy();
    let own = browser_key(&status);
    assert!(![first, second].contains(&own.as_str()));

    fs::write(&stored, first).unwrap();
    add(&site, "state_key_vault_ref = \"global/browser_state_key\"");
    let status = restarted(&site, &status, &["browserd"]);
    assert_eq!(browser_key(&status), first);
    // another one under the same name, and the command line writes the config anew, in words of its own at first
    fs::write(&stored, second).unwrap();
    add(&site, "# in other words");
    let status = restarted(&site, &status, &["browserd"]);
    assert_eq!(browser_key(&status), second);
    fs::write(&stored, first).unwrap();
    fs::write(config(&site), text(&site)).unwrap();
    let status = restarted(&site, &status, &["gateway", "browserd"]);
    assert_eq!(browser_key(&status), first);
    // what cannot be read now changes nothing as long as it lives
    fs::remove_file(&stored).unwrap();
    add(&site, "# again");
    long_enough();
    assert_eq!(browser_key(&restarted(&site, &status, &[])), first);

    for (content, why) in [(None, "secret not found"), (Some("short"), "not the base64 of 32 bytes")] {
        match content {
            Some(content) => fs::write(&stored, content).unwrap(),
            None => assert!(!stored.exists()),
        }
        let said = site.fails(1, &["restart", "browserd"]);
        assert!(said.contains("global/browser_state_key") && said.contains(why), "{said}");
        long_enough();
        let now = site.status().unwrap();
        let block = &now["browserd_process"];
        assert_eq!((&block["state"], &block["pid"]), (&json!("given_up"), &Value::Null), "{block:#}");
        assert_eq!(pid(&now, "gateway"), pid(&status, "gateway"));
        assert!(block["last_exit"].as_str().unwrap().contains(why), "{block:#}");
    }
    fs::write(&stored, second).unwrap();
    site.ok(&["start", "browserd"]);
    assert_eq!(browser_key(&site.healthy()), second);
    // the next agent knows the key by its first look
    site.kill_agent();
    let status = site.start_healthy();
    site.until("read", |status| status["config"]["state"] == "read");
    fs::write(&stored, first).unwrap();
    add(&site, "# once more");
    assert_eq!(browser_key(&restarted(&site, &status, &["browserd"])), first);
    // what the sidecars inherit is not looked at here
    let told = [site.own("logs/tray.log"), site.own("run/browserd/launch.json"), site.own("run/browserd/run.json")];
    for file in told {
        let told = fs::read_to_string(&file).unwrap();
        assert!(![first, second].iter().any(|key| told.contains(key)), "{}", file.display());
    }
}

#[test]
fn a_write_without_a_change_restarts_the_gateway_once() {
    let mut site = Site::new();
    let status = site.start_healthy();
    fs::write(config(&site), text(&site)).unwrap();
    let status = restarted(&site, &status, &["gateway"]);
    long_enough();
    restarted(&site, &status, &[]);
}

#[test]
fn an_editor_that_replaces_the_file_and_a_folder_that_goes_away_are_followed() {
    let mut site = Site::new();
    let status = site.start_healthy();
    let fresh = site.root().join("config/.palyra.toml.new");
    fs::write(&fresh, format!("{}[orchestrator]\nrunloop_v1_enabled = true\n", text(&site))).unwrap();
    fs::rename(&fresh, config(&site)).unwrap();
    let status = restarted(&site, &status, &["gateway"]);

    let (folder, away) = (site.root().join("config"), site.root().join("away"));
    fs::rename(&folder, &away).unwrap();
    let gone = site.until("told", |status| status["config"]["state"] == "unusable");
    assert_eq!((pid(&gone, "gateway"), &gone["state"]), (pid(&status, "gateway"), &"degraded".into()));
    fs::rename(&away, &folder).unwrap();
    let back = site.healthy();
    assert_eq!(pid(&back, "gateway"), pid(&status, "gateway"));
    // and it is watched again
    add(&site, "other = 1");
    restarted(&site, &back, &["gateway"]);
}

#[test]
fn a_broken_file_restarts_nothing_and_is_told_until_it_is_mended() {
    let mut site = Site::new();
    let status = site.start_healthy();
    let good = text(&site);
    fs::write(config(&site), format!("{good}[admin]\nauth_token = \"s3cret\n")).unwrap();
    let broken = site.until("told", |status| status["config"]["state"] == "unusable");
    assert_eq!(broken["state"], "degraded");
    let words = site.ok(&["status"]);
    assert!(words.contains("not valid TOML") && words.contains("nothing was restarted"), "{words}");
    assert!(!words.contains("s3cret"), "{words}");
    long_enough();
    assert_eq!(pid(&site.status().unwrap(), "gateway"), pid(&status, "gateway"));
    fs::write(config(&site), good).unwrap();
    site.healthy();
    long_enough();
    restarted(&site, &status, &[]);
}

/// The gateway starts with no token of ours beside a reference, and nobody but the gateway can follow that.
#[test]
fn a_token_that_is_only_referred_to_is_told_and_leaves_running_what_runs() {
    let mut site = Site::new();
    let status = site.start_healthy();
    let good = text(&site);
    let reference = "auth_token_secret_ref = { kind = \"env\", variable = \"X\" }";
    fs::write(config(&site), format!("{good}[admin]\n{reference}\n")).unwrap();
    site.until("told", |status| status["config"]["state"] == "unusable");
    let words = site.ok(&["status"]);
    assert!(words.contains("admin.auth_token_secret_ref") && words.contains("nothing was restarted"), "{words}");
    long_enough();
    assert_eq!(pid(&site.status().unwrap(), "gateway"), pid(&status, "gateway"));
    // a start does not go on with another token
    site.cli(&["restart", "gateway"]);
    let words = site.ok(&["status"]);
    assert!(words.contains("write the admin token itself into admin.auth_token"), "{words}");
    fs::write(config(&site), good).unwrap();
    site.healthy();
}

#[test]
fn a_person_can_keep_it_for_themselves() {
    let mut site = Site::new();
    let status = site.start_healthy();
    site.ok(&["config", "restarts", "off"]);
    assert!(fs::read_to_string(site.own("settings.toml")).unwrap().contains("restart_on_config_change = false"));
    add(&site, "[orchestrator]\nrunloop_v1_enabled = true");
    site.until("told", |status| status["config"]["outdated"]["gateway"].is_string());
    let words = site.ok(&["status"]);
    assert!(words.contains("runloop_v1_enabled") && words.contains("palyra-tray restart gateway"), "{words}");
    restarted(&site, &status, &[]);
    site.ok(&["config", "restarts", "on"]);
    restarted(&site, &status, &["gateway"]);
}

#[test]
fn the_environment_has_the_last_word() {
    for mode in ["manual", "Off", "0"] {
        let mut site = Site::new();
        site.env("PALYRA_DESKTOP_CONFIG_RELOAD_MODE", mode);
        let status = site.start_healthy();
        fs::write(config(&site), text(&site)).unwrap();
        add(&site, "[orchestrator]\nrunloop_v1_enabled = true");
        site.until("told", |status| status["config"]["outdated"]["gateway"].is_string());
        restarted(&site, &status, &[]);
        assert!(site.fails(4, &["config", "restarts", "on"]).contains("PALYRA_DESKTOP_CONFIG_RELOAD_MODE"));
    }
}

/// What the agent finds as it comes back is not restarted, whatever was changed meanwhile; that is told.
#[test]
fn a_change_while_no_agent_looked_is_told_and_restarts_nothing() {
    let mut site = Site::new();
    let status = site.start_healthy();
    site.kill_agent();
    add(&site, "[orchestrator]\nrunloop_v1_enabled = true");
    site.start(&[]);
    site.until("told", |status| status["config"]["outdated"]["gateway"].is_string());
    let after = restarted(&site, &status, &[]);
    // a change that it does see restarts, which uses both
    add(&site, "other = 1");
    let fresh = restarted(&site, &after, &["gateway"]);
    assert_eq!(fresh["config"]["outdated"], json!({}));
}

/// The ports of the config are wanted at each start; a stranger on one of them moves the service, and is named.
#[test]
fn a_stranger_on_a_port_is_named_and_the_ports_are_written_on_request_only() {
    let mut site = Site::new();
    let before = text(&site);
    let table: toml::Table = before.parse().unwrap();
    let wanted = u16::try_from(table["gateway"]["grpc_port"].as_integer().unwrap()).unwrap() + 1;
    // the one that nobody configures: node RPC, beside gRPC
    let held = TcpListener::bind(("127.0.0.1", wanted)).unwrap();
    fs::set_permissions(config(&site), fs::Permissions::from_mode(0o600)).unwrap();
    let status = site.start_healthy();
    let bound = &status["gateway_process"]["bound_ports"];
    assert_ne!(bound["node_rpc"], wanted);
    assert_eq!(status["config"]["unwritten_ports"], json!(["gateway"]));
    let log = fs::read_to_string(site.own("logs/tray.log")).unwrap();
    let named = format!("Port {wanted} is held by {} (process {})", own().display(), std::process::id());
    assert!(log.contains(&named), "{named}: {log}");
    assert_eq!(text(&site), before, "never on the side");

    assert!(site.ok(&["config", "write-ports"]).contains("Written"));
    let after = site.until("written", |status| status["config"]["unwritten_ports"] == json!([]));
    let table: toml::Table = text(&site).parse().unwrap();
    assert_eq!(table["daemon"]["port"].as_integer(), bound["http"].as_i64());
    assert_eq!(table["gateway"]["grpc_port"].as_integer(), bound["grpc"].as_i64());
    assert_eq!(fs::metadata(config(&site)).unwrap().permissions().mode() & 0o777, 0o600);
    long_enough();
    restarted(&site, &after, &[]);
    assert_eq!(pid(&after, "gateway"), pid(&status, "gateway"));
    assert!(site.ok(&["config", "write-ports"]).contains("Nothing to write"));
    drop(held);
}

/// A gateway that moves leaves the browser service alone; a browser service that moves costs the gateway one restart.
#[test]
fn who_is_told_of_other_ports_is_restarted_and_nobody_else() {
    let mut site = Site::new();
    let status = site.start_healthy();
    let port = |status: &Value, service: &str, purpose: &str| {
        u16::try_from(status[format!("{service}_process")]["bound_ports"][purpose].as_u64().unwrap()).unwrap()
    };
    site.ok(&["stop", "browserd"]);
    let _grpc = TcpListener::bind(("127.0.0.1", port(&status, "browserd", "grpc"))).unwrap();
    site.ok(&["start", "browserd"]);
    let status = restarted(&site, &status, &["gateway", "browserd"]);

    site.ok(&["stop", "gateway"]);
    let _quic = UdpSocket::bind(("127.0.0.1", port(&status, "gateway", "quic"))).unwrap();
    site.ok(&["start", "gateway"]);
    let after = restarted(&site, &status, &["gateway"]);
    assert_ne!(port(&after, "gateway", "quic"), port(&status, "gateway", "quic"));
}

/// Nothing restarts under the hands of somebody who is in the set-up; what is left when they leave does.
#[test]
fn while_the_set_up_is_open_restarts_wait_for_its_end() {
    let mut site = Site::new();
    let status = site.start_healthy();
    let mut set_up = site.command(&["setup"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // its first question: by then it has asked the agent for the facts
    set_up.stdout.as_mut().unwrap().read_exact(&mut [0; 64]).unwrap();
    add(&site, "[orchestrator]\nrunloop_v1_enabled = true");
    site.until("seen", |status| status["config"]["waiting"]["gateway"].is_string());
    long_enough();
    restarted(&site, &status, &[]);
    set_up.kill().unwrap();
    set_up.wait().unwrap();
    restarted(&site, &status, &["gateway"]);
}
