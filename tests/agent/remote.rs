//! A remote profile over real processes and real TLS: who is asked, who is not, and what is opened.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use super::agent::Site;
use super::https::{Https, Identity};

/// A registry with the remote `far`, whose config pins this certificate, and a browser that writes down what it is given.
fn site(server: &Https, pinned: &Identity) -> Site {
    let mut site = Site::new();
    let config = site.root().join("config/far.toml");
    fs::write(&config, config_of(server, pinned)).unwrap();
    fs::create_dir_all(site.root().join("cli")).unwrap();
    let entry =
        format!("[profiles.far]\nlabel = \"Far away\"\nmode = \"remote\"\nconfig_path = \"{}\"\n", config.display());
    fs::write(site.root().join("cli/profiles.toml"), format!("version = 1\n{entry}")).unwrap();
    let browser = site.script("browser", "echo \"$1\" >> \"$0.opened\"");
    site.env("BROWSER", browser.to_str().unwrap());
    site
}

fn config_of(server: &Https, pinned: &Identity) -> String {
    format!(
        "version = 1\n[gateway_access]\nremote_base_url = \"https://127.0.0.1:{}/\"\n\
         pinned_server_cert_fingerprint_sha256 = \"{}\"\n",
        server.port,
        pinned.fingerprint(0)
    )
}

fn opened(site: &Site) -> String {
    fs::read_to_string(site.bin().join("browser.opened")).unwrap_or_default()
}

#[test]
fn nothing_runs_here_its_health_is_shown_and_its_dashboard_opens() {
    let identity = Identity::own("palyra.example");
    let server = Https::start(&identity, None);
    let mut site = site(&server, &identity);
    site.start_healthy();
    let said = site.ok(&["profile", "switch", "far"]);
    assert!(said.contains("Now on profile Far away. Stopped of desktop-local: gateway, browserd."), "{said}");
    let status = site.healthy();
    assert_eq!(status["quick_facts"]["dashboard_remote_trust_state"], "verification_configured");
    assert!(status["status_line"].as_str().unwrap().contains("palyrad 9.9.9 on 127.0.0.1:"), "{status:#}");
    assert!(!site.processes().iter().any(|(_, line)| line.contains("demo-sidecar")), "{:?}", site.processes());
    assert!(!site.own("profiles/far/secrets.json").exists(), "no secrets are made for it");
    site.ok(&["open"]);
    site.until("opened", |_| !opened(&site).is_empty());
    assert_eq!(opened(&site), format!("https://127.0.0.1:{}/\n", server.port));
    assert!(server.requests().iter().all(|request| request == "GET /healthz HTTP/1.1"), "{:?}", server.requests());
    for refused in [&["stop"][..], &["approvals", "list"], &["send", "x"], &["node", "status"], &["setup"]] {
        assert!(site.fails(4, refused).contains("remote profile"), "{refused:?}");
    }
    let said = site.ok(&["status"]);
    assert!(said.contains("  Certificate the pinned one\n") && !said.contains("Approvals"), "{said}");
    let check = |site: &Site, id: &str| -> (String, String) {
        let report: Value = serde_json::from_slice(&site.cli(&["doctor", "--json"]).stdout).unwrap();
        let check = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == id).unwrap();
        (check["verdict"].as_str().unwrap().to_owned(), check["evidence"].as_str().unwrap().to_owned())
    };
    let (verdict, evidence) = check(&site, "gateway");
    assert!(verdict == "ok" && evidence.contains("shows the pinned certificate and answers"), "{verdict} {evidence}");
    for skipped in ["ports", "gateway_program", "run_loop", "secrets", "journal_watch"] {
        assert_eq!(check(&site, skipped).0, "skipped", "{skipped}");
    }
    server.show(&Identity::own("palyra.example"));
    let (verdict, evidence) = check(&site, "gateway");
    assert!(verdict == "problem" && evidence.contains("another certificate"), "{verdict} {evidence}");
    server.show(&identity);
    let said = site.ok(&["profile", "switch", "desktop-local"]);
    assert!(said.contains("Now on profile Desktop local"), "{said}");
    assert_eq!(site.healthy()["remote"], Value::Null);
}

#[test]
fn a_lost_network_is_waited_for_and_another_certificate_is_not_trusted() {
    let (identity, other) = (Identity::own("palyra.example"), Identity::own("palyra.example"));
    let server = Https::start(&identity, None);
    let mut site = site(&server, &identity);
    site.start_healthy();
    site.ok(&["profile", "switch", "far"]);
    let port = server.port;
    drop(server);
    site.ok(&["restart"]);
    let lost = site.until("reconnecting", |status| status["connection_state"] == "reconnecting");
    assert_eq!(lost["state"], "degraded");
    site.kill_agent();
    site.start(&[]);
    let lost = site
        .until("reconnecting", |status| status["connection_state"] == "reconnecting" && status["state"] == "degraded");
    assert_eq!(lost["profile"]["active"], "far", "it stays where it was");
    let said = site.fails(1, &["open"]);
    assert!(said.contains("cannot be reached"), "{said}");
    // somebody else takes the address
    let server = Https::start(&other, Some(port));
    site.until("found out", |status| status["remote"]["distrusted"] == true);
    assert_eq!(site.status().unwrap()["state"], "fatal");
    let said = site.fails(1, &["open"]);
    assert!(said.contains("not trusted") && said.contains("another certificate than the pinned one"), "{said}");
    assert!(server.requests().is_empty() && opened(&site).is_empty());
    // it was a new certificate, and the person says so: the config is looked at at once
    fs::write(site.root().join("config/far.toml"), config_of(&server, &other)).unwrap();
    site.healthy();
    let before = server.connections();
    std::thread::sleep(Duration::from_secs(3));
    assert!(server.connections() <= before + 1, "no storm");
}

#[test]
fn a_change_to_one_that_cannot_be_trusted_stops_nothing_or_is_taken_back() {
    let (identity, other) = (Identity::own("palyra.example"), Identity::own("palyra.example"));
    let server = Https::start(&other, None);
    let mut site = site(&server, &identity);
    let before = super::pids(&site.start_healthy());
    let config = site.root().join("config/far.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("https://", "http://")).unwrap();
    let said = site.fails(4, &["profile", "switch", "far"]);
    assert!(said.contains("does not begin with https://"), "{said}");
    assert_eq!(super::pids(&site.healthy()), before, "nothing was stopped");
    fs::write(&config, text).unwrap();
    let said = site.fails(1, &["profile", "switch", "far"]);
    assert!(said.contains("Still on profile Desktop local") && said.contains("another certificate"), "{said}");
    assert_eq!(site.healthy()["profile"]["active"], "desktop-local");
    assert!(server.requests().is_empty());
}
