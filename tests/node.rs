//! The node host's enrolment on a real agent, shims and demo sidecars: through the pairing window and back, with everything that
//! can come in between.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/http.rs"]
mod http;

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use palyra_tray::core::node::LEASE_MS;
use serde_json::Value;

use agent::{PATIENCE, Site, kill, lives};

const DEMO: &str = env!("CARGO_BIN_EXE_palyra-tray");
/// What the stop ladder may take after the lease has run out, on a loaded machine.
const LADDER: Duration = Duration::from_secs(8);

/// A site where enrolment is allowed and `palyra` is the demo's.
fn site() -> Site {
    let mut site = Site::new();
    let palyra = site.script("palyra", &format!("exec '{DEMO}' demo-sidecar node-host \"$@\""));
    site.env("PALYRA_DESKTOP_PALYRA_BIN", palyra.to_str().expect("path"));
    allow(&site);
    site
}

fn allow(site: &Site) {
    fs::create_dir_all(site.own("")).expect("folder");
    fs::write(site.own("settings.toml"), "[node]\nenrolment = true\n").expect("settings");
}

fn node(site: &Site) -> Value {
    serde_json::from_str(&site.ok(&["node", "status", "--json"])).expect("JSON")
}

fn gateway_pid(site: &Site) -> u64 {
    site.status().expect("status")["gateway_process"]["pid"].as_u64().expect("pid")
}

/// Gateways of this site, and whether each was started with the pairing window.
fn gateways(site: &Site) -> Vec<(u64, bool)> {
    let is_gateway = |line: &str| line.contains("demo-sidecar gateway");
    let found = site.processes().into_iter().filter(|(_, line)| is_gateway(line));
    found
        .map(|(pid, _)| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let open = "PALYRA_ALLOW_INSECURE_NODE_RPC_WITHOUT_MTLS=true";
            (u64::from(pid), String::from_utf8_lossy(&environ).contains(open))
        })
        .collect()
}

/// A command line that never asks, so that the window stays open until something closes it.
fn mute(site: &Site) {
    site.script(
        "palyra",
        &format!("[ \"$2\" = install ] && exec sleep 300; exec '{DEMO}' demo-sidecar node-host \"$@\""),
    );
}

/// Begins to enrol and waits until the command line runs behind the open window.
#[track_caller]
fn begin(site: &Site) -> (Child, u64) {
    let client = site.command(&["node", "enroll", "--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let client = client.expect("client");
    let end = Instant::now() + PATIENCE;
    loop {
        let asks = site.processes().iter().any(|(_, line)| line.contains("sleep 300"));
        match gateways(site).as_slice() {
            [(pid, true)] if asks => return (client, *pid),
            _ => assert!(Instant::now() < end, "the window never opens"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn said(client: Child) -> (Option<i32>, String) {
    let output = client.wait_with_output().expect("client");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[track_caller]
fn gone_within(pid: u64, limit: Duration) {
    let end = Instant::now() + limit;
    while lives(pid) {
        assert!(Instant::now() < end, "the gateway with the window lives on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An agent's own shell is a child of a sidecar: it opens no pairing window, whatever it says.
#[test]
fn what_descends_from_a_sidecar_cannot_enrol() {
    let mut site = site();
    let (wish, out) = (site.bin().join("wish"), site.bin().join("out"));
    // asks once it may; the second asks from a session of its own whose parent is gone
    let asks = "for task in enroll repair reset; do \"$0\" node $task --yes 2>&1; echo \"code $?\"; done";
    site.script(
        "palyra-browserd",
        &format!(
            "( export PALYRA_STATE_ROOT='{}'; while [ ! -e '{}' ]; do sleep 0.05; done\n\
             sh -c '{asks}' '{DEMO}' > '{out}.near'; ( setsid sh -c '{asks}; echo over' '{DEMO}' > '{out}.far' & ) ) &\n\
             exec '{DEMO}' demo-sidecar browserd \"$@\"",
            site.root().display(),
            wish.display(),
            out = out.display()
        ),
    );
    site.start_healthy();
    let gateway = gateway_pid(&site);
    fs::write(&wish, "").expect("wish");
    let end = Instant::now() + PATIENCE;
    let said = |name: &str| fs::read_to_string(out.with_extension(name)).unwrap_or_default();
    while !said("far").contains("over") {
        assert!(Instant::now() < end, "{} {}", said("near"), said("far"));
        assert!(gateways(&site).iter().all(|(_, open)| !open), "the window opened");
        std::thread::sleep(Duration::from_millis(20));
    }
    for said in [said("near"), said("far")] {
        assert_eq!((said.matches("code 4").count(), said.matches("itself started").count()), (3, 3), "{said}");
    }
    assert_eq!((gateway_pid(&site), &node(&site)["state"]), (gateway, &"not enrolled".into()));
}

#[test]
fn through_the_window_and_back_then_repaired_and_forgotten() {
    let mut site = site();
    site.start_healthy();
    assert_eq!(node(&site)["state"], "not enrolled");
    assert_eq!(gateways(&site).iter().filter(|(_, open)| *open).count(), 0);

    let words = site.ok(&["node", "enroll", "--yes"]);
    assert!(words.contains("The pairing window is closed"), "{words}");
    let [(_, open)] = gateways(&site)[..] else { panic!("one gateway") };
    assert!(!open);
    let status = node(&site);
    assert_eq!((&status["ready"], &status["pairing_window_open"]), (&true.into(), &false.into()), "{status:#}");
    let device = status["device_id"].as_str().expect("device").to_owned();

    // exactly ours was approved, on the record before it was sent, and nobody was asked
    let all: Value = serde_json::from_str(&site.ok(&["approvals", "list", "--all", "--json"])).expect("JSON");
    let [record] = all["approvals"].as_array().expect("list").as_slice() else { panic!("{all:#}") };
    assert_eq!((&record["decision"], &record["device_id"]), (&"allow".into(), &device.as_str().into()));
    let ledger = fs::read_to_string(site.own("decisions.jsonl")).expect("ledger");
    let kinds: Vec<Value> = ledger.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let id = &record["approval_id"];
    assert!(kinds.iter().all(|line| line["approval_id"] == *id && line["surface"] == "enrolment"), "{ledger}");
    assert_eq!([&kinds[0]["kind"], &kinds[1]["kind"]], ["intent", "result"]);

    // the gateway's restart ends its connection, which is no fault of the node host
    let old = site.status().expect("status")["node_host_process"]["pid"].clone();
    site.ok(&["restart", "gateway"]);
    let again = site.until("node host back", |status| {
        status["node_host_process"]["state"] == "ready" && status["node_host_process"]["pid"] != old
    });
    assert_eq!(again["node_host_process"]["restart_attempt"], 0);
    assert!(site.fails(4, &["node", "enroll", "--yes"]).contains("enrolled already"));

    site.ok(&["node", "repair", "--yes"]);
    assert_eq!(node(&site)["device_id"], device.as_str(), "the device stays the same");
    assert!(!gateways(&site)[0].1);

    let words = site.ok(&["node", "reset", "--yes"]);
    assert!(words.contains("no longer enrolled") && !words.contains("still lists"), "{words}");
    assert_eq!(node(&site)["state"], "not enrolled");
    assert!(!site.root().join("desktop-control-center/runtime/node-host").exists());
    assert!(site.fails(4, &["node", "reset", "--yes"]).contains("not enrolled"));
    site.healthy();
    let log = fs::read_to_string(site.own("logs/node_host.log")).expect("log");
    for part in ["\"action\": \"run\"", "\"capability_count\": 5", "\"paired\": true", "\"poll_interval_ms\": 1000"] {
        assert!(log.contains(part), "{part} is not in {log}");
    }
    let exit = fs::read_to_string(site.own("run/node_host/exit.json")).expect("exit");
    let exit: Value = serde_json::from_str(&exit).expect("JSON");
    assert_eq!((&exit["asked"], &exit["cause"]["code"]), (&true.into(), &0.into()), "Ctrl-C ends it");
    site.ok(&["quit"]);
    site.nothing_left();
}

#[test]
fn it_is_off_unless_allowed_and_asks_before_it_opens_anything() {
    let mut site = site();
    fs::remove_file(site.own("settings.toml")).expect("settings");
    site.start_healthy();
    let pid = gateway_pid(&site);
    let why = site.fails(4, &["node", "enroll", "--yes"]);
    assert!(why.contains("24 hours") && why.contains("enrolment = true"), "{why}");
    assert!(site.fails(4, &["node", "enroll"]).contains("no terminal"));
    assert_eq!(gateway_pid(&site), pid, "nothing was restarted");
}

#[test]
fn somebody_else_in_the_window_means_that_nobody_is_approved() {
    let mut site = site();
    site.env("PALYRA_DEMO_FAULTS", "stranger");
    site.start_healthy();
    let why = site.fails(1, &["node", "enroll", "--yes"]);
    assert!(why.contains("somebody else asked") && why.contains("window is closed"), "{why}");
    assert!(gateways(&site).iter().all(|(_, open)| !open));
    assert_eq!(node(&site)["state"], "not enrolled");
    // ours is refused; the stranger's waits for the person's decision
    let waits = site.until("the stranger asks", |status| status["approvals"]["pending"] == 1);
    assert_eq!(waits["approvals"]["pending"], 1);
    let list: Value = serde_json::from_str(&site.ok(&["approvals", "list", "--all", "--json"])).expect("JSON");
    let decisions: Vec<_> = list["approvals"].as_array().expect("list").iter().map(|row| &row["decision"]).collect();
    assert!(decisions.contains(&&Value::from("deny")) && !decisions.contains(&&Value::from("allow")), "{list:#}");
    assert!(!fs::read_to_string(site.own("decisions.jsonl")).unwrap_or_default().contains("enrolment"));
}

#[test]
fn a_command_line_that_fails_closes_the_window_and_tells_its_words() {
    let mut site = site();
    site.script(
        "palyra",
        &format!(
            "[ \"$2\" = install ] && {{ cat >/dev/null; echo 'error[x] trace_id=t state_root=/s it broke' >&2; exit 4; }}\n\
             exec '{DEMO}' demo-sidecar node-host \"$@\""
        ),
    );
    site.start_healthy();
    let why = site.fails(1, &["node", "enroll", "--yes"]);
    assert!(why.contains("palyra says: it broke") && why.contains("as the gateway says"), "{why}");
    assert!(gateways(&site).iter().all(|(_, open)| !open));
}

#[test]
fn the_pin_goes_in_by_standard_input_and_is_nowhere_else() {
    let mut site = site();
    let seen = site.root().join("pin");
    site.script(
        "palyra",
        &format!(
            "if [ \"$2\" = install ]; then pin=$(cat); printf %s \"$pin\" >'{0}'; printf '%s\\n' \"$*\" >'{0}.args'; \
             printf '%s\\n' \"$pin\" | '{DEMO}' demo-sidecar node-host \"$@\"; exit $?; fi\n\
             exec '{DEMO}' demo-sidecar node-host \"$@\"",
            seen.display()
        ),
    );
    site.start_healthy();
    site.ok(&["node", "enroll", "--yes"]);
    let pin = fs::read_to_string(&seen).expect("pin");
    assert!(pin.len() == 6 && pin.bytes().all(|c| c.is_ascii_digit()), "{pin}");
    let arguments = fs::read_to_string(seen.with_extension("args")).expect("arguments");
    let words = "node install --json --device-id ";
    assert!(arguments.starts_with(words) && arguments.trim_end().ends_with("--method pin --pairing-code-stdin"));
    assert!(!arguments.contains(&pin));
    for log in ["logs/tray.log", "logs/gateway.log", "logs/node_host.log", "decisions.jsonl", "node.json"] {
        assert!(!fs::read_to_string(site.own(log)).unwrap_or_default().contains(&pin), "{log}");
    }
}

#[test]
fn a_killed_agent_leaves_the_window_no_longer_than_its_lease() {
    let mut site = site();
    mute(&site);
    site.start_healthy();
    let (client, pid) = begin(&site);
    site.kill_agent();
    let lease = Duration::from_millis(LEASE_MS);
    gone_within(pid, lease + LADDER);
    let (code, _) = said(client);
    assert_ne!(code, Some(0));
    site.start_healthy();
    assert!(gateways(&site).iter().all(|(_, open)| !open));
    assert_eq!(node(&site)["pairing_window_open"], false);
}

#[test]
fn the_next_agent_closes_a_window_that_it_finds() {
    let mut site = site();
    mute(&site);
    site.start_healthy();
    let (client, pid) = begin(&site);
    site.kill_agent();
    assert!(lives(pid));
    site.start(&[]);
    site.until("a gateway without the window", |status| {
        status["state"] == "healthy" && status["gateway_process"]["pid"] != pid
    });
    assert!(!lives(pid) && gateways(&site).iter().all(|(_, open)| !open));
    drop(said(client));
}

#[test]
fn a_client_that_goes_away_closes_the_window() {
    let mut site = site();
    mute(&site);
    site.start_healthy();
    let (mut client, pid) = begin(&site);
    client.kill().expect("kill");
    client.wait().expect("wait");
    gone_within(pid, LADDER);
    site.healthy();
    assert!(gateways(&site).iter().all(|(_, open)| !open));
    assert!(!site.processes().iter().any(|(_, line)| line.contains("sleep 300")), "its command line is ended");
    assert_eq!(node(&site)["under_way"], Value::Null);
}

#[test]
fn a_gateway_that_crashes_meanwhile_comes_back_without_the_window() {
    let mut site = site();
    mute(&site);
    site.start_healthy();
    let (client, pid) = begin(&site);
    kill(pid, Signal::SIGKILL);
    let (code, why) = said(client);
    assert_eq!(code, Some(1));
    assert!(why.contains("the gateway ended meanwhile"), "{why}");
    site.healthy();
    assert!(gateways(&site).iter().all(|(_, open)| !open));
}

#[test]
fn an_expired_certificate_is_told_and_repaired_and_never_a_crash_loop() {
    let mut site = site();
    site.env("PALYRA_DEMO_CERTIFICATE_MS", "4000");
    site.start_healthy();
    site.ok(&["node", "enroll", "--yes"]);
    site.until("told", |status| !status["quick_facts"]["node_host"]["needs_repair"].is_null());
    assert!(fs::read_to_string(site.own("node.json")).expect("kept").contains("expired:"));
    // as long as its connection lives the node host stays; a restart of the gateway ends that
    site.ok(&["restart", "gateway"]);
    let status = site.until("not tried again", |status| {
        status["gateway_process"]["state"] == "ready" && status["node_host_process"]["running"] == false
    });
    assert_eq!(status["node_host_process"]["state"], "given_up");
    assert!(status["status_line"].as_str().expect("line").contains("needs repair"), "{}", status["status_line"]);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(site.status().expect("status")["node_host_process"]["running"], false);
    assert!(site.fails(4, &["node", "enroll", "--yes"]).contains("needs repair"));
    // the repaired one expires in its turn; that it ran is what counts
    site.ok(&["node", "repair", "--yes"]);
    assert!(gateways(&site).iter().all(|(_, open)| !open));
}
