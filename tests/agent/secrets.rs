//! Secrets: where they are, new ones on real processes, kills in the middle of it.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::agent::Site;
use super::{http, number, refused_below};

/// What the sidecars were started with, by service and variable.
fn told(status: &Value) -> BTreeMap<&'static str, String> {
    let mut told = BTreeMap::new();
    for (block, variables) in [
        ("gateway_process", &["PALYRA_ADMIN_TOKEN", "PALYRA_BROWSER_SERVICE_AUTH_TOKEN"]),
        ("browserd_process", &["PALYRA_BROWSERD_AUTH_TOKEN", "PALYRA_BROWSERD_STATE_ENCRYPTION_KEY"]),
    ] {
        let pid = status[block]["pid"].as_u64().unwrap();
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap();
        let environ = String::from_utf8_lossy(&environ);
        for variable in variables {
            let value = environ.split('\0').find_map(|one| one.strip_prefix(variable)?.strip_prefix('='));
            told.insert(*variable, value.unwrap_or_default().to_owned());
        }
    }
    told
}

fn kept(site: &Site) -> BTreeMap<&'static str, String> {
    let all: Value = serde_json::from_slice(&fs::read(site.own("secrets.json")).unwrap()).unwrap();
    let value = |field: &str| all[field].as_str().unwrap().to_owned();
    BTreeMap::from([
        ("PALYRA_ADMIN_TOKEN", value("desktop_admin_token")),
        ("PALYRA_BROWSER_SERVICE_AUTH_TOKEN", value("desktop_browser_auth_token")),
        ("PALYRA_BROWSERD_AUTH_TOKEN", value("desktop_browser_auth_token")),
        ("PALYRA_BROWSERD_STATE_ENCRYPTION_KEY", value("desktop_browser_state_encryption_key")),
    ])
}

fn record(site: &Site) -> Value {
    serde_json::from_slice(&fs::read(site.own("secrets.record.json")).unwrap()).unwrap()
}

/// Waits until nothing is left to do, and all is healthy.
#[track_caller]
fn settled(site: &Site) -> Value {
    let end = Instant::now() + Duration::from_secs(25);
    loop {
        let status = site.until("all ready", |status| {
            status["state"] == "healthy" && status["browserd_process"]["state"] == "ready"
        });
        if record(site)["rotating"].is_null() {
            return status;
        }
        assert!(Instant::now() < end, "the rotation is never over: {}", record(site));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn sign_in(status: &Value, token: &str) -> u16 {
    let port = u16::try_from(number(status, "/gateway_process/bound_ports/http")).unwrap();
    let body = json!({
        "admin_token": token, "principal": "admin:desktop-control-center", "device_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    });
    let headers = [("content-type", "application/json")];
    http::request(port, "POST", "/console/v1/auth/login", &headers, Some(body.to_string().as_bytes())).unwrap().status
}

#[test]
fn new_ones_are_used_at_once_and_old_ones_open_nothing() {
    let mut site = Site::new();
    let before = site.start_healthy();
    let old = kept(&site);
    assert_eq!(told(&before), old);
    let words = site.ok(&["secrets", "status"]);
    let json = site.ok(&["secrets", "status", "--json"]);
    assert!(words.contains("mode 0600") && words.contains("made"), "{words}");
    assert!(old.values().all(|value| !words.contains(value) && !json.contains(value)), "no value is shown");

    let words = site.ok(&["secrets", "rotate", "admin-token"]);
    assert!(words.contains("admin token is new") && words.contains("Gateway"), "{words}");
    let after = settled(&site);
    assert_ne!(before["gateway_process"]["pid"], after["gateway_process"]["pid"]);
    assert_eq!(before["browserd_process"]["pid"], after["browserd_process"]["pid"]);
    let admin = &kept(&site)["PALYRA_ADMIN_TOKEN"];
    assert_eq!((sign_in(&after, admin), sign_in(&after, &old["PALYRA_ADMIN_TOKEN"])), (200, 401));

    assert!(site.fails(4, &["secrets", "rotate", "browser-state-key"]).contains("profiles"));
    assert!(site.fails(4, &["secrets", "rotate", "--all"]).contains("profiles"));
    assert_eq!(told(&after), kept(&site));
    let state = site.root().join("desktop-control-center/runtime/browserd");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("profiles.enc"), "what the old key has encrypted").unwrap();
    site.ok(&["secrets", "rotate", "--all", "--yes"]);
    let after = settled(&site);
    assert_eq!(told(&after), kept(&site));
    assert!(kept(&site).values().all(|new| !old.values().any(|old| old == new)));
    assert!(!state.join("profiles.enc").exists(), "the browser could not read it, and would do nothing more");
    let folder = fs::read_dir(state.parent().unwrap()).unwrap();
    let aside: Vec<_> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(aside.iter().any(|name| name.starts_with("browserd.unreadable-")), "{aside:?}");
    // nothing of the old ones is left in any file of ours
    let ours: Vec<_> = fs::read_dir(site.own("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    for path in ours.iter().filter(|path| path.is_file()) {
        let text = fs::read_to_string(path).unwrap_or_default();
        assert!(old.values().all(|value| !text.contains(value)), "{}", path.display());
    }
}

#[test]
fn what_the_config_gives_is_refused() {
    let mut site = Site::new();
    site.write_config("auth_token = \"of-the-config-itself\"\n");
    let before = told(&site.start_healthy());
    let words = site.fails(4, &["secrets", "rotate", "browser-token"]);
    assert!(words.contains("tool_call.browser_service.auth_token") && words.contains("Change it there"), "{words}");
    assert!(site.ok(&["secrets", "status"]).contains("from Palyra's config"));
    assert!(
        site.ok(&["secrets", "rotate", "--all", "--yes"]).contains("admin token and the browser state key are new")
    );
    let after = settled(&site);
    assert_eq!(told(&after)["PALYRA_BROWSERD_AUTH_TOKEN"], "of-the-config-itself");
    assert_ne!(told(&after)["PALYRA_ADMIN_TOKEN"], before["PALYRA_ADMIN_TOKEN"]);
    site.fails(2, &["secrets", "rotate"]);
    site.fails(2, &["secrets", "rotate", "no-such-secret"]);
}

#[test]
fn killed_in_the_middle_the_next_start_brings_everybody_together() {
    let mut site = Site::new();
    site.start_healthy();
    let (mut cut_short, mut tries) = (0, 0);
    // after the note is seen, and at moments before and after it
    while cut_short < 4 && tries < 20 {
        let before = kept(&site);
        let args = ["secrets", "rotate", "--all", "--yes"];
        let mut client = site.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(5);
        while record(&site)["rotating"].is_null() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(tries * 15));
        site.kill_agent();
        cut_short += u64::from(!record(&site)["rotating"].is_null());
        client.wait().unwrap();
        site.start(&[]);
        let status = settled(&site);
        assert_eq!(told(&status), kept(&site), "try {tries}");
        assert!(kept(&site).values().all(|new| !before.values().any(|old| old == new)), "try {tries}: all are new");
        assert_eq!(sign_in(&status, &before["PALYRA_ADMIN_TOKEN"]), 401);
        tries += 1;
    }
    assert!(cut_short >= 4, "{cut_short} of {tries} were cut short");
    site.ok(&["quit"]);
    site.nothing_left();
}

#[test]
fn a_sidecar_cannot_have_new_ones_made() {
    let mut site = Site::new();
    let (exe, root) = (env!("CARGO_BIN_EXE_palyra-tray"), site.root());
    let out = site.bin().join("out");
    let script = format!(
        "( export PALYRA_STATE_ROOT='{root}'; sleep 2; '{exe}' secrets rotate admin-token > '{out}' 2>&1; \
         echo \"code $?\" >> '{out}' ) &\nexec '{exe}' demo-sidecar browserd \"$@\"",
        root = root.display(),
        out = out.display(),
    );
    site.script("palyra-browserd", &script);
    site.start_healthy();
    let before = kept(&site);
    refused_below(&out);
    assert_eq!(kept(&site), before);
}
