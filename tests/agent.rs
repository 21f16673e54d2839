//! The whole agent without a desktop: real processes, real sockets, real files, demo sidecars in place of the real ones.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/bus.rs"]
mod bus;
#[path = "agent/handoffs.rs"]
mod handoffs;
#[path = "support/http.rs"]
mod http;
#[path = "support/https.rs"]
mod https;
#[path = "support/keyring.rs"]
mod keyring;
#[path = "agent/planted.rs"]
mod planted;
#[path = "agent/profiles.rs"]
mod profiles;
#[path = "agent/remote.rs"]
mod remote;
#[path = "agent/secrets.rs"]
mod secrets;
#[path = "agent/send.rs"]
mod send;
#[path = "agent/status.rs"]
mod status;
#[path = "agent/support.rs"]
mod support;
#[path = "agent/usage.rs"]
mod usage;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use agent::{Site, kill, lives};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

fn pids(status: &Value) -> [u64; 4] {
    ["gateway_process", "browserd_process"]
        .map(|block| [status[block]["pid"].as_u64().unwrap(), status[block]["shim_pid"].as_u64().unwrap()])
        .concat()
        .try_into()
        .unwrap()
}

fn number(status: &Value, pointer: &str) -> u64 {
    status.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

#[cfg(target_env = "gnu")]
#[test]
fn its_threads_keep_no_caches_and_what_it_starts_has_its_own_habits() {
    let mut site = Site::new();
    site.env("GLIBC_TUNABLES", "glibc.malloc.perturb=1");
    let status = site.start_healthy();
    let environ = |pid: u64| String::from_utf8(fs::read(format!("/proc/{pid}/environ")).unwrap()).unwrap();
    let agent = environ(status["agent"]["pid"].as_u64().unwrap());
    // the library ends each of its tunables there as it reads them
    assert!(agent.contains("glibc.malloc.perturb=1") && agent.contains("glibc.malloc.tcache_count=0"), "{agent}");
    let [gateway, shim, ..] = pids(&status);
    for child in [gateway, shim] {
        let child = environ(child);
        assert!(child.contains("glibc.malloc.perturb=1") && !child.contains("tcache_count"), "{child}");
    }
}

#[test]
fn it_starts_shows_stops_and_leaves_nothing() {
    let mut site = Site::new();
    let status = site.start_healthy();
    assert_eq!(status["overall_status"], "healthy");
    assert_eq!(status["browserd_process"]["state"], "ready");
    assert_eq!(status["secrets"]["place"], "file");
    assert_eq!(status["approvals"]["heard_of_by"], "journal");
    let text = site.ok(&["status"]);
    assert!(text.contains("Healthy: palyrad 0.1.0-demo") && text.contains("No notification server"), "{text}");
    assert!(site.ok(&["stop"]).contains("Stopped"));
    let status = site.until("stopped", |status| status["state"] == "stopped");
    assert_eq!(status["gateway_process"]["running"], false);
    assert!(site.ok(&["start"]).contains("Ready"));
    assert!(site.ok(&["logs", "gateway"]).contains("daemon listening"));
    assert!(site.ok(&["quit"]).contains("Ended"));
    assert_eq!(site.agent_ended(), Some(0));
    site.nothing_left();
    site.fails(3, &["status"]);
}

#[test]
fn killed_and_started_again_it_takes_the_running_sidecars_back() {
    let mut site = Site::new();
    let before = pids(&site.start_healthy());
    site.kill_agent();
    assert!(before.iter().all(|pid| lives(*pid)), "the sidecars go on");
    let after = pids(&site.start_healthy());
    assert_eq!(before, after);
    assert_eq!(site.status().unwrap()["gateway_process"]["last_exit"], Value::Null);
    site.ok(&["quit"]);
    site.nothing_left();
}

#[test]
fn a_second_start_shows_the_first_and_ends_well() {
    let mut site = Site::new();
    let status = site.start_healthy();
    let text = site.ok(&["run", "--no-tray"]);
    assert!(text.contains("Healthy"), "{text}");
    assert_eq!(pids(&site.status().unwrap()), pids(&status));
}

#[test]
fn a_start_right_after_a_quit_waits_for_the_lock() {
    let mut site = Site::new();
    fs::create_dir_all(site.own("")).unwrap();
    let lock = fs::File::create(site.own("agent.lock")).unwrap();
    lock.lock().unwrap();
    site.start(&["--no-start"]);
    std::thread::sleep(Duration::from_millis(500));
    lock.unlock().unwrap();
    site.until("runs", |status| status["state"] == "stopped");
}

#[test]
fn quit_and_keep_running_leaves_all_of_it_adoptable() {
    let mut site = Site::new();
    let before = pids(&site.start_healthy());
    assert!(site.ok(&["quit", "--keep-running"]).contains("keeps running"));
    assert_eq!(site.agent_ended(), Some(0));
    assert!(before.iter().all(|pid| lives(*pid)));
    assert_eq!(pids(&site.start_healthy()), before);
}

#[test]
fn signals_end_everything() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut site = Site::new();
        let pid = site.start(&[]);
        site.healthy();
        kill(u64::from(pid), signal);
        assert_eq!(site.agent_ended(), Some(0), "{signal}");
        site.nothing_left();
    }
}

#[test]
fn no_start_starts_nothing() {
    let mut site = Site::new();
    site.start(&["--no-start"]);
    let status = site.until("stopped", |status| status["state"] == "stopped");
    assert_eq!(status["gateway_process"]["running"], false);
    assert!(site.fails(5, &["open"]).contains("--start"));
}

#[test]
fn a_crash_is_mended_and_told() {
    let mut site = Site::new();
    let status = site.start_healthy();
    let pid = number(&status, "/gateway_process/pid");
    kill(pid, Signal::SIGKILL);
    let status = site.until("back with another pid", |status| {
        status["state"] == "healthy" && number(status, "/gateway_process/pid") != pid
    });
    let end = &status["gateway_process"]["last_end"];
    assert_eq!((end["class"].as_str(), end["expected"].as_bool()), (Some("killed"), Some(false)), "{end}");
    assert!(end["changed"].as_str().unwrap().contains("neither program, config nor environment"), "{end}");
    assert_eq!(status["gateway_process"]["restart_attempt"], 1);
    let text = site.ok(&["status"]);
    assert!(text.contains("ago it was killed by somebody (signal 9, SIGKILL"), "{text}");
}

/// What was changed after the last good start is named when the next one fails, and no value of it is kept or told.
#[test]
fn a_failed_start_tells_why_and_what_has_changed_since_the_last_good_one() {
    let mut site = Site::new();
    site.env("SECRET_OF_MINE", "hunter2");
    site.start_healthy();
    let good = site.own("run/gateway/good.json");
    let kept = fs::read_to_string(&good).unwrap();
    assert_eq!(fs::metadata(&good).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(
        kept.contains("SECRET_OF_MINE") && kept.contains("PALYRA_ADMIN_TOKEN") && !kept.contains("hunter2"),
        "{kept}"
    );
    site.ok(&["quit"]);
    site.agent_ended();

    site.env("SECRET_OF_MINE", "hunter3");
    site.env("ADDED", "hunter4");
    let config = site.root().join("config/palyra.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}[model_provider]\nkind = \"hunter5\"\n")).unwrap();
    let starts = site.own("starts");
    site.script(
        "palyrad",
        &format!(
            "echo x >> '{}'; echo 'Error: model_provider.kind must be deterministic, openai_compatible, or anthropic' >&2; exit 1",
            starts.display()
        ),
    );
    site.start(&[]);
    let status = site.until("given up", |status| status["gateway_process"]["state"] == "given_up");
    let end = &status["gateway_process"]["last_end"];
    assert_eq!((end["class"].as_str(), end["hopeless"].as_bool()), (Some("configuration"), Some(true)), "{end}");
    let changes = &end["changed_since_good_start"];
    assert_eq!(changes["program"]["kind"], "replaced");
    assert_eq!(changes["config_keys"], json!({ "added": ["model_provider.kind"], "removed": [], "changed": [] }));
    assert_eq!(changes["environment"], json!({ "added": ["ADDED"], "removed": [], "changed": ["SECRET_OF_MINE"] }));
    let text = site.ok(&["status"]);
    for words in [
        "did not take its configuration (exit code 1)",
        "model_provider.kind must be deterministic",
        "the program was replaced (it was 0.1.0-demo)",
        "config: new: model_provider.kind",
        "environment: SECRET_OF_MINE; new: ADDED",
        "is not started again by itself, for that would end the same way",
        "Correct the config",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    assert!(!text.contains("hunter") && !status.to_string().contains("hunter"), "{text}");
    assert_eq!(fs::read_to_string(&good).unwrap(), kept, "a failed start is no good one");
    assert_eq!(fs::read_to_string(&starts).unwrap(), "x\n", "another start would end the same way");

    // it is asked to try again
    site.script("palyrad", &format!("exec '{}' demo-sidecar gateway \"$@\"", env!("CARGO_BIN_EXE_palyra-tray")));
    assert!(site.ok(&["start"]).contains("Ready"));
    site.until("kept", |_| fs::read_to_string(&good).is_ok_and(|now| now != kept));
}

/// Somebody takes the port between our look and the sidecar's own.
#[test]
fn a_taken_port_is_told_with_the_program_that_holds_it() {
    let mut site = Site::new();
    let mine = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mine.local_addr().unwrap().port();
    drop(mine);
    let config = site.root().join("config/palyra.toml");
    fs::write(&config, format!("version = 1\n[daemon]\nport = {port}\n")).unwrap();
    let exe = env!("CARGO_BIN_EXE_palyra-tray");
    // the thief lives in no tree of ours
    let body = format!(
        "python3 -c 'import os,socket,time; s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); \
         s.bind((\"127.0.0.1\",{port})); s.listen(); open(\"{}\",\"w\").close(); time.sleep(60)'",
        site.own("stolen").display()
    );
    let thief = site.script("thief", &format!("exec {body}"));
    site.script(
        "palyrad",
        &format!(
            "if [ ! -e '{0}' ]; then touch '{0}.ask'; while [ ! -e '{0}' ]; do sleep 0.05; done; \
             echo 'Error: failed to bind palyrad admin listener' >&2; echo >&2; echo 'Caused by:' >&2; \
             echo '    Address already in use (os error 98)' >&2; exit 1; fi; exec '{exe}' demo-sidecar gateway \"$@\"",
            site.own("stolen").display()
        ),
    );
    site.start(&[]);
    let asked = site.own("stolen.ask");
    let end = Instant::now() + agent::PATIENCE;
    while !asked.exists() {
        assert!(Instant::now() < end, "it was never started");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut thief = std::process::Command::new(thief).spawn().unwrap();
    let pid = thief.id();
    let status = site.until("healthy on another port", |status| status["state"] == "healthy");
    let _ = thief.kill();
    let _ = thief.wait();
    let end = &status["gateway_process"]["last_end"];
    assert_eq!(end["class"], "port", "{end}");
    let what = end["what"].as_str().unwrap();
    assert!(what.contains(&port.to_string()) && what.contains(&format!("process {pid}")), "{what}");
    assert_ne!(number(&status, "/gateway_process/bound_ports/http"), u64::from(port));
}

#[test]
fn a_crash_loop_is_given_up_with_its_reason_and_a_start_tries_again() {
    let mut site = Site::new();
    let starts = site.own("starts");
    let body = "echo 'cannot open the journal: disk on fire' >&2; exit 7";
    site.script("palyrad", &format!("echo x >> '{}'; {body}", starts.display()));
    site.start(&[]);
    let status = site.until("given up", |status| status["gateway_process"]["state"] == "given_up");
    assert_eq!(status["state"], "fatal");
    let line = status["status_line"].as_str().unwrap();
    assert!(line.contains("code 7") && line.contains("disk on fire"), "{line}");
    let times = fs::read_to_string(&starts).unwrap().lines().count();
    assert!((2..=12).contains(&times), "started {times} times");
    site.script("palyrad", &format!("exec '{}' demo-sidecar gateway \"$@\"", env!("CARGO_BIN_EXE_palyra-tray")));
    assert!(site.ok(&["start"]).contains("Ready"));
}

#[test]
fn a_process_that_stands_still_is_replaced_within_40_seconds() {
    let mut site = Site::new();
    let pid = number(&site.start_healthy(), "/gateway_process/pid");
    let began = Instant::now();
    kill(pid, Signal::SIGSTOP);
    let replaced = loop {
        let status = site.status().unwrap();
        let now = number(&status, "/gateway_process/pid");
        if now != pid && status["state"] == "healthy" {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(40), "{status:#}");
        std::thread::sleep(Duration::from_millis(200));
    };
    let end = &replaced["gateway_process"]["last_end"];
    assert_eq!(end["class"], "liveness", "{end}");
    assert!(end["what"].as_str().unwrap().contains("stopped answering"), "{end}");
    assert!(!lives(pid));
}

#[test]
fn what_cannot_be_executed_stops_at_once_and_names_the_file() {
    for (body, needle) in [("", "does not exist"), ("x", "not executable")] {
        let mut site = Site::new();
        let path = site.bin().join("palyrad");
        fs::remove_file(&path).unwrap();
        if !body.is_empty() {
            fs::write(&path, body).unwrap();
        }
        site.start(&[]);
        let status = site.until("given up", |status| status["gateway_process"]["state"] == "given_up");
        let line = status["status_line"].as_str().unwrap();
        assert!(line.contains(needle) && line.contains("palyrad"), "{line}");
        assert!(site.fails(1, &["start"]).contains(needle));
    }
}

#[test]
fn a_relative_override_is_refused_by_name() {
    let mut site = Site::new();
    site.env("PALYRA_DESKTOP_PALYRAD_BIN", "bin/palyrad");
    site.start(&[]);
    let status = site.until("given up", |status| status["gateway_process"]["state"] == "given_up");
    assert!(status["status_line"].as_str().unwrap().contains("PALYRA_DESKTOP_PALYRAD_BIN"));
}

#[test]
fn an_approval_is_listed_shown_and_decided_on_the_command_line() {
    let mut site = Site::new();
    site.start_healthy();
    let id = site.approval(&json!({ "kind": "tool", "name": "shell.exec", "input": { "command": "git push" } }));
    site.until("one waits", |status| number(status, "/approvals/pending") == 1);
    let list: Value = serde_json::from_str(&site.ok(&["approvals", "list", "--json"])).unwrap();
    let row = &list["approvals"][0];
    assert_eq!(
        (row["approval_id"].as_str(), row["in_words"]["what"].as_str()),
        (Some(id.as_str()), Some("command: “git push”"))
    );
    assert!(site.ok(&["approvals", "show", &id]).contains("git push"));
    assert!(site.fails(4, &["approvals", "approve", &id]).contains("digest"), "no terminal, no digest: no approval");
    assert!(site.fails(4, &["approvals", "approve", &id, "--digest", "0000"]).contains("changed"));
    let digest = row["digest"].as_str().unwrap();
    assert!(
        site.fails(4, &["approvals", "approve", &id, "--digest", digest, "--scope", "timeboxed"]).contains("time box")
    );
    assert!(site.ok(&["approvals", "approve", &id, "--digest", digest]).contains("Approved"));
    site.until("none waits", |status| number(status, "/approvals/pending") == 0);
    assert!(site.fails(4, &["approvals", "approve", &id, "--digest", digest]).contains("not waiting"));
    let all: Value = serde_json::from_str(&site.ok(&["approvals", "list", "--all", "--json"])).unwrap();
    assert_eq!(all["approvals"][0]["decision"], "allow");
    let ledger = fs::read_to_string(site.own("decisions.jsonl")).unwrap();
    let kinds: Vec<Value> =
        ledger.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone()).collect();
    assert_eq!(kinds, ["intent", "result"]);
}

#[test]
fn one_pending_among_a_thousand_decided_is_found() {
    let mut site = Site::new();
    site.start_healthy();
    site.demo("/demo/approvals", &json!({ "count": 1_000, "decision": "allow", "age_ms": 3_600_000 }));
    site.approval(&json!({ "timeout_seconds": 900 }));
    site.demo("/demo/approvals", &json!({ "count": 5, "decision": "deny" }));
    site.until("one waits", |status| number(status, "/approvals/pending") == 1);
    site.kill_agent();
    site.start(&[]);
    site.until("still one waits", |status| number(status, "/approvals/pending") == 1);
}

#[test]
fn a_decision_made_elsewhere_is_seen() {
    let mut site = Site::new();
    site.start_healthy();
    site.approval(&json!({}));
    site.until("one waits", |status| number(status, "/approvals/pending") == 1);
    site.fault("decide_elsewhere=deny");
    site.until("none waits", |status| number(status, "/approvals/pending") == 0);
}

#[test]
fn a_pause_denies_until_it_is_ended_also_when_the_agent_was_killed() {
    let mut site = Site::new();
    site.start_healthy();
    let waits = site.approval(&json!({}));
    site.until("one waits", |status| number(status, "/approvals/pending") == 1);
    assert!(site.ok(&["pause"]).contains("paused"));
    let decision = |site: &Site, id: &str| -> Value {
        let all: Value = serde_json::from_str(&site.ok(&["approvals", "list", "--all", "--json"])).unwrap();
        let rows = all["approvals"].as_array().unwrap();
        rows.iter().find(|row| row["approval_id"] == id).unwrap()["decision"].clone()
    };
    site.until("denied", |_| decision(&site, &waits) == "deny");
    site.kill_agent();
    site.start(&[]);
    site.until("healthy", |status| status["state"] == "healthy" && status["paused"] == true);
    let comes = site.approval(&json!({ "risk_level": "critical" }));
    site.until("denied too", |_| decision(&site, &comes) == "deny");
    assert!(site.ok(&["status"]).contains("All agents are paused"));
    assert!(site.ok(&["resume"]).contains("may work again"));
    let stays = site.approval(&json!({}));
    site.until("one waits", |status| number(status, "/approvals/pending") == 1 && status["paused"] == false);
    assert_eq!(decision(&site, &stays), Value::Null);
    assert!(!site.own("paused.json").exists());
}

#[test]
fn a_lost_answer_is_settled_by_reading_not_by_sending_again() {
    let mut site = Site::new();
    site.start_healthy();
    let id = site.approval(&json!({}));
    site.until("one waits", |status| number(status, "/approvals/pending") == 1);
    site.fault("lose_answer=1:/console/v1/approvals");
    assert!(site.ok(&["approvals", "deny", &id]).contains("Denied"));
    // the answer does not wait for its line, only the sending does for the intent's
    let ledger = || fs::read_to_string(site.own("decisions.jsonl")).unwrap();
    site.until("both lines", |_| ledger().lines().count() >= 2);
    assert_eq!(ledger().lines().count(), 2, "{}", ledger());
}

#[test]
fn a_gateway_that_answers_badly_is_told_and_recovered_from() {
    let mut site = Site::new();
    site.start_healthy();
    for fault in [
        "status=429:3:/console/v1/approvals",
        "status=500:2:/console/v1/approvals",
        "html=2:/console/v1/approvals",
        "half=2:/console/v1/approvals",
        "lose_sessions",
    ] {
        site.fault(fault);
        let id = site.approval(&json!({}));
        site.until("it waits", |status| {
            number(status, "/approvals/pending") == 1 && status["approvals"]["known"] == true
        });
        site.ok(&["approvals", "deny", &id]);
        site.until("decided", |status| number(status, "/approvals/pending") == 0);
    }
    assert_eq!(site.healthy()["gateway_process"]["restart_attempt"], 0);
}

#[test]
fn a_refused_token_is_not_sent_again_and_again() {
    use std::io::{Read, Write};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let mut site = Site::new();
    site.script("palyrad", "exec sleep 60");
    site.start(&[]);
    let status = site.until("started", |status| number(status, "/gateway_process/pid") > 0);
    let port = u16::try_from(number(&status, "/gateway_process/bound_ports/http")).unwrap();
    let server = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let (looks, logins) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (looks.clone(), logins.clone());
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).unwrap_or(0);
            let health = request[..read].starts_with(b"GET /healthz");
            if health { &counts.0 } else { &counts.1 }.fetch_add(1, Ordering::SeqCst);
            let (code, body) = if health {
                (
                    "200 OK",
                    r#"{"status":"ok","service":"palyrad","version":"1","git_hash":"x","build_profile":"x","uptime_seconds":1}"#,
                )
            } else {
                ("401 Unauthorized", r#"{"error":"no"}"#)
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {code}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let end = Instant::now() + Duration::from_secs(20);
    while looks.load(Ordering::SeqCst) < 5 && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(looks.load(Ordering::SeqCst) >= 5, "it was looked at");
    assert_eq!(logins.load(Ordering::SeqCst), 1);
}

#[test]
fn a_foreign_process_on_the_port_makes_us_take_other_ones() {
    let mut site = Site::new();
    let config = fs::read_to_string(site.root().join("config/palyra.toml")).unwrap();
    let port: u16 = config.lines().find_map(|line| line.strip_prefix("port = ")).unwrap().parse().unwrap();
    let _held = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let status = site.start_healthy();
    assert_ne!(number(&status, "/gateway_process/bound_ports/http"), u64::from(port));
}

#[test]
fn a_palyra_that_holds_this_runtime_root_stops_us_and_is_named() {
    let mut site = Site::new();
    let runtime = site.root().join("desktop-control-center/runtime");
    let orphan = site.bin().join("palyrad-orphan");
    fs::copy("/bin/sleep", &orphan).unwrap();
    let mut orphan = std::process::Command::new(orphan).arg("60").env("PALYRA_STATE_ROOT", &runtime).spawn().unwrap();
    site.start(&[]);
    let status = site.until("given up", |status| status["gateway_process"]["state"] == "given_up");
    let line = status["status_line"].as_str().unwrap().to_owned();
    assert!(line.contains(&orphan.id().to_string()) && line.contains("another Palyra"), "{line}");
    assert!(orphan.try_wait().unwrap().is_none(), "it is never killed");
    orphan.kill().unwrap();
    orphan.wait().unwrap();
    site.ok(&["start"]);
}

#[test]
fn an_unwritable_state_root_is_one_clear_line() {
    let site = Site::new();
    let root = site.root();
    fs::remove_dir_all(&root).unwrap();
    fs::write(&root, "a file where the folder should be").unwrap();
    let error = site.fails(1, &["run", "--no-tray"]);
    assert!(error.contains("state") && error.lines().count() == 1, "{error}");
}

#[test]
fn corrupt_files_of_our_own_are_set_aside_and_told() {
    let mut site = Site::new();
    fs::create_dir_all(site.own("run/gateway")).unwrap();
    for file in ["state.json", "settings.toml", "control.json", "run/gateway/run.json", "run/gateway/exit.json"] {
        fs::write(site.own(file), b"\x00{ half").unwrap();
    }
    let status = site.start_healthy();
    let warnings = status["warnings"].to_string();
    assert!(warnings.contains("state.json") && warnings.contains("settings.toml"), "{warnings}");
}

#[test]
fn everything_of_ours_is_private() {
    let mut site = Site::new();
    site.start_healthy();
    let mut todo = vec![site.root().join("tray")];
    while let Some(path) = todo.pop() {
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            assert_eq!(mode & 0o177, 0, "{} {mode:o}", path.display());
        }
    }
}

#[test]
fn no_secret_stands_in_arguments_logs_or_answers() {
    let mut site = Site::new();
    site.start_healthy();
    let text = fs::read_to_string(site.own("secrets.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let mut secrets = Vec::new();
    collect_long_strings(&file, &mut secrets);
    assert!(secrets.len() >= 3, "{text}");
    let mut places = vec![site.ok(&["status", "--json"]), site.ok(&["logs", "gateway"]), site.ok(&["logs", "tray"])];
    places.extend(site.processes().into_iter().map(|(_, line)| line));
    for file in ["logs/gateway.log", "logs/browserd.log", "run/gateway/run.json", "control.json", "state.json"] {
        places.push(fs::read_to_string(site.own(file)).unwrap());
    }
    for secret in &secrets {
        assert!(places.iter().all(|place| !place.contains(secret.as_str())), "a secret leaked");
    }
}

fn collect_long_strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 40 => found.push(text.clone()),
        Value::Object(map) => map.values().for_each(|value| collect_long_strings(value, found)),
        Value::Array(items) => items.iter().for_each(|value| collect_long_strings(value, found)),
        _ => {}
    }
}

#[test]
fn lines_of_ten_megabytes_and_bad_bytes_do_no_harm() {
    let mut site = Site::new();
    site.start_healthy();
    site.fault("bad_bytes");
    let end = Instant::now() + Duration::from_secs(20);
    let size = || -> u64 {
        ["logs/gateway.log", "logs/gateway.log.1", "logs/gateway.log.2"]
            .iter()
            .filter_map(|log| fs::metadata(site.own(log)).ok())
            .map(|m| m.len())
            .sum()
    };
    while size() < 10_000_000 && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(size() >= 10_000_000, "{}", size());
    assert_eq!(site.healthy()["gateway_process"]["restart_attempt"], 0);
    assert!(site.ok(&["logs", "gateway", "-n", "3"]).lines().count() == 3);
}

#[test]
fn a_sidecar_cannot_decide_its_own_approval_nor_end_a_pause() {
    let mut site = Site::new();
    let exe = env!("CARGO_BIN_EXE_palyra-tray");
    let wish = site.bin().join("wish");
    let out = site.bin().join("out");
    // a child of the supervised process that tries to as soon as it is told what
    let script = format!(
        "( while [ ! -s '{w}' ]; do sleep 0.05; done; set -- $(cat '{w}')\n\
         {{ '{exe}' resume; echo \"resume: $?\"; '{exe}' approvals approve \"$1\" --digest \"$2\"; echo \"code $?\"; }} > '{o}' 2>&1 ) &\n\
         exec '{exe}' demo-sidecar browserd \"$@\"",
        w = wish.display(),
        o = out.display()
    );
    site.script("palyra-browserd", &script);
    let root = site.root();
    site.script(
        "palyra-browserd",
        &script.replace("set --", &format!("export PALYRA_STATE_ROOT='{}'; set --", root.display())),
    );
    site.start_healthy();
    let id = site.approval(&json!({}));
    site.until("one waits", |status| number(status, "/approvals/pending") == 1);
    let list: Value = serde_json::from_str(&site.ok(&["approvals", "list", "--json"])).unwrap();
    let digest = list["approvals"][0]["digest"].as_str().unwrap();
    fs::write(&wish, format!("{id} {digest}")).unwrap();
    let said = refused_below(&out);
    assert!(said.contains("resume: 4") && said.matches("itself started").count() == 2, "{said}");
    assert_eq!(number(&site.status().unwrap(), "/approvals/pending"), 1);
}

/// A command that a sidecar ran was refused; its words and exit code go to this file.
fn refused_below(out: &Path) -> String {
    let end = Instant::now() + Duration::from_secs(20);
    let mut said = String::new();
    while !said.contains("code") && Instant::now() < end {
        said = fs::read_to_string(out).unwrap_or_default();
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(said.contains("code 4") && said.contains("itself started"), "{said}");
    said
}

#[test]
fn a_gateway_that_refuses_our_token_is_never_called_ready_and_a_restart_mends_it() {
    let mut site = Site::new();
    site.start_healthy();
    site.kill_agent();
    let path = site.own("secrets.json");
    let text = fs::read_to_string(&path).unwrap();
    let mut strings = Vec::new();
    collect_long_strings(&serde_json::from_str(&text).unwrap(), &mut strings);
    let token = strings.iter().find(|text| text.len() == 52).unwrap();
    let other: String = token.chars().rev().collect();
    fs::write(&path, text.replace(token.as_str(), &other)).unwrap();
    site.start(&[]);
    let status = site.until("refused", |status| {
        status["gateway_process"]["trouble"].as_str().is_some_and(|why| why.contains("token"))
    });
    assert_eq!(
        (status["state"].as_str(), status["gateway_process"]["state"].as_str()),
        (Some("starting"), Some("starting"))
    );
    assert!(!status.to_string().contains(other.as_str()));
    site.ok(&["restart"]);
    site.healthy();
}

#[test]
fn logs_follow_what_comes() {
    let mut site = Site::new();
    site.start_healthy();
    let out = site.bin().join("followed");
    let mut follower =
        site.command(&["logs", "gateway", "-f", "-n", "1"]).stdout(fs::File::create(&out).unwrap()).spawn().unwrap();
    let followed = || fs::read_to_string(&out).unwrap_or_default();
    let end = Instant::now() + Duration::from_secs(20);
    while followed().is_empty() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    site.ok(&["restart", "gateway"]);
    while !followed().contains("daemon listening") && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
    }
    follower.kill().unwrap();
    follower.wait().unwrap();
    assert!(followed().contains("asked to stop") && followed().contains("daemon listening"), "{}", followed());
}

#[test]
fn without_display_and_bus_everything_else_works() {
    let mut site = Site::new();
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "BROWSER"] {
        site.env(name, "");
    }
    site.env("HOME", site.bin().to_str().unwrap());
    site.start_as(&["run"]);
    let status = site.healthy();
    assert_eq!((status["tray"]["detail"].as_str(), status["notifications"].is_null()), (Some("no session bus"), true));
    let id = site.approval(&json!({}));
    site.until("it waits", |status| number(status, "/approvals/pending") == 1);
    site.ok(&["approvals", "deny", &id]);
    site.ok(&["quit"]);
}

#[test]
fn a_demo_needs_nothing_and_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::new();
    site.env("PALYRA_STATE_ROOT", dir.path().to_str().unwrap());
    site.start_as(&["demo", "--no-tray", "--state", dir.path().to_str().unwrap()]);
    let status = site.healthy();
    assert_eq!(status["demo"], true);
    site.until("an approval comes", |status| number(status, "/approvals/pending") >= 1);
    assert!(site.ok(&["status"]).starts_with("DEMO"));
    site.ok(&["quit"]);
    assert_eq!(site.agent_ended(), Some(0));
}
