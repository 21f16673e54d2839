//! What random kills have found, and what they would find only by luck: each with a test of its own.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/http.rs"]
mod http;
#[path = "support/older.rs"]
mod older;
#[path = "support/shim.rs"]
mod shim;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use agent::{Site, kill};
use nix::sys::signal::Signal;
use palyra_tray::protocol::RunId;
use palyra_tray::protocol::shim::{
    EXIT_FILE, ExitCause, Hello, LogLimits, ProcessRef, RUN_FILE, ServiceId, Spec, StopLadder,
};
use palyra_tray::shell::process::{self, ProcessReport};
use palyra_tray::shell::shim::tree;
use serde_json::Value;
use shim::{Place, bare_shim, lives, pid_in, signal, until, until_log};

const PROGRAM: &str = env!("CARGO_BIN_EXE_palyra-tray");

fn pids(status: &Value) -> [u64; 4] {
    let pid = |block: &str, name: &str| status[block][name].as_u64().unwrap_or(0);
    [
        pid("gateway_process", "pid"),
        pid("gateway_process", "shim_pid"),
        pid("browserd_process", "pid"),
        pid("browserd_process", "shim_pid"),
    ]
}

fn start(site: &Site) -> Child {
    let mut command = site.command(&["run", "--no-tray"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The exit code, and how long it took.
fn end_of(mut child: Child) -> (Option<i32>, Duration) {
    let begun = Instant::now();
    let status = until("the end of a process", || child.try_wait().unwrap());
    (status.code(), begun.elapsed())
}

#[test]
fn a_killed_shim_is_said_in_the_log_before_the_next_run() {
    let place = Place::new();
    let reports = place.launch(place.script("echo up; exec sleep 60"));
    let run = reports.running();
    until_log(&place, "out up");
    signal(run.shim.pid, Signal::SIGKILL);
    assert_eq!(reports.next(), ProcessReport::Ended { run_id: place.run_id.clone(), exit: None });
    let mut next = place.script("exit 0");
    next.run_id.0.push_str("-next");
    // a shim that does not get further has said it all the same
    let obstacle = place.run_dir().join(format!(".{RUN_FILE}.new"));
    fs::create_dir(&obstacle).unwrap();
    assert!(matches!(place.launch(next.clone()).next(), ProcessReport::Hello { hello: Hello::Refused { .. }, .. }));
    assert_eq!(place.log_text().matches(" is lost: ").count(), 1);
    fs::remove_dir(obstacle).unwrap();
    fs::remove_file(place.log()).unwrap();
    let reports = place.launch(next.clone());
    reports.running();
    reports.ended();
    let lost = format!(" sup run {} is lost: its shim was killed.", place.run_id);
    let text = place.log_text();
    let started = format!(" run {}\n", next.run_id);
    assert!(text.find(&lost).expect("it is said") < text.find(&started).expect("it ran"), "{text}");
    // an end that is known is not lost
    let mut third = place.script("exit 0");
    third.run_id.0.push_str("-third");
    let reports = place.launch(third);
    reports.running();
    reports.ended();
    assert_eq!(place.log_text().matches(" is lost: ").count(), 1);
}

#[test]
fn what_went_down_with_the_machine_is_lost_too_and_has_no_survivors() {
    let place = Place::new();
    let reports = place.launch(place.script("exit 0"));
    let mut run = reports.running();
    reports.ended();
    run.boot_id = "another".to_owned();
    run.run_id.0.push_str("-later");
    run.started_at_unix_ms += 3_600_000;
    fs::write(place.run_dir().join(RUN_FILE), serde_json::to_vec(&run).unwrap()).unwrap();
    let found = place.adopt().next();
    assert_eq!(found, ProcessReport::Lost { run, rebooted: true, survivors: Vec::new() });
    let reports = place.launch(place.script("exit 0"));
    reports.running();
    reports.ended();
    assert!(place.log_text().contains("is lost: the machine went down."), "{}", place.log_text());
}

#[test]
fn a_sidecar_that_is_already_dying_is_waited_for() {
    let place = Place::new();
    let reports = place.launch(place.script("exec sleep 60"));
    let mut run = reports.running();
    signal(run.shim.pid, Signal::SIGKILL);
    reports.next();
    // one whose environment cannot be read, as that of a dying process
    let mut dying = Command::new("/bin/sleep").arg("60").env_clear().spawn().unwrap();
    let pid = dying.id();
    for (start_ticks, ends) in [(1, false), (tree::start_ticks(pid).unwrap(), true)] {
        run.sidecar = ProcessRef { pid, start_ticks };
        fs::write(place.run_dir().join(RUN_FILE), serde_json::to_vec(&run).unwrap()).unwrap();
        process::end_survivors(&place.run_dir(), &place.run_id);
        assert_eq!(dying.try_wait().unwrap().is_some(), ends, "only the very process");
    }
}

#[test]
fn what_is_halted_hears_that_it_is_to_stop() {
    let place = Place::new();
    let mut spec = place.script("trap 'echo heard; exit 3' INT; echo up; while :; do sleep 0.05; done");
    spec.ladder = StopLadder::default();
    let reports = place.launch(spec);
    let run = reports.running();
    until_log(&place, "out up");
    signal(run.sidecar.pid, Signal::SIGSTOP);
    signal(run.shim.pid, Signal::SIGSTOP);
    let begun = Instant::now();
    process::stop(&run).unwrap();
    let exit = reports.ended();
    assert_eq!((exit.cause, exit.asked), (ExitCause::Code { code: 3 }, true));
    assert!(begun.elapsed() < Duration::from_secs(2), "it did not wait for the next rung");
    assert!(place.log_text().contains("out heard"));
}

#[test]
fn whatever_left_its_group_and_session_ends_with_a_stop() {
    let mut site = Site::new();
    let base = site.bin();
    let (deaf, daemon) = (base.join("deaf"), base.join("daemon"));
    let role = format!("exec '{PROGRAM}' demo-sidecar browserd \"$@\"");
    let children = format!(
        "setsid sh -c 'trap \"\" TERM INT HUP; echo $$ >{}; while :; do sleep 0.05; done' &\n\
         (setsid sh -c 'echo $$ >{}; exec sleep 600' >/dev/null 2>&1 &)\n",
        deaf.display(),
        daemon.display()
    );
    site.script("palyra-browserd", &(children + &role));
    for last in ["stop", "quit"] {
        site.start_healthy();
        let pids = [pid_in(&deaf), pid_in(&daemon)];
        assert!(pids.into_iter().all(lives));
        site.ok(&[last]);
        assert!(!pids.into_iter().any(lives), "{last} has left one");
        if last == "stop" {
            site.ok(&["quit"]);
        }
        for file in [&deaf, &daemon] {
            fs::remove_file(file).unwrap();
        }
    }
    site.nothing_left();
}

#[test]
fn an_end_that_nobody_saw_is_told_as_unknown() {
    let mut site = Site::new();
    let [_, gateway_shim, ..] = pids(&site.start_healthy());
    // an earlier end must not be taken for this one
    site.ok(&["restart"]);
    let [_, shim, ..] = pids(&site.healthy());
    assert_ne!(shim, gateway_shim);
    site.kill_agent();
    kill(shim, Signal::SIGKILL);
    site.start(&["--no-start"]);
    let status = site.until("looked", |status| status["gateway_process"]["state"] == "stopped");
    assert_eq!(
        status["gateway_process"]["last_exit"],
        "ended, and nobody saw how: the process that watches it was killed"
    );
}

/// An upgrade replaces the file between the start of an agent and its first look at itself.
#[test]
fn an_agent_whose_file_was_replaced_starts_shims_from_what_took_its_place() {
    let mut site = Site::new();
    let program = site.bin().join("palyra-tray");
    let fresh = site.bin().join("palyra-tray.new");
    fs::copy(PROGRAM, &program).unwrap();
    fs::copy(PROGRAM, &fresh).unwrap();
    let script = site.script("starts", "exec 3<\"$1\"; mv \"$1.new\" \"$1\"; exec /proc/self/fd/3 run --no-tray");
    let run = site.command(&[]);
    let mut command = Command::new(script);
    command.arg(&program).stdout(Stdio::null()).stderr(Stdio::null());
    command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let agent = command.spawn().unwrap();
    let exe = || fs::read_link(format!("/proc/{}/exe", agent.id())).unwrap_or_default();
    until("a file that is gone", || exe().to_string_lossy().ends_with("palyra-tray (deleted)").then_some(()));
    site.program = program;
    site.healthy();
    site.ok(&["quit"]);
    assert_eq!(end_of(agent).0, Some(0));
}

/// The shim was started by an agent that was killed at once, and takes its place only when the next one has looked.
#[test]
fn a_shim_that_comes_late_is_taken_back_and_not_started_beside() {
    let mut site = Site::new();
    site.start(&["--no-start"]);
    site.until("looked", |status| status["browserd_process"]["state"] == "stopped");
    let config = fs::read_to_string(site.root().join("config/palyra.toml")).unwrap();
    let port = |name: &str| config.lines().find(|line| line.starts_with(name)).unwrap().trim_end_matches('"');
    let port = |name: &str| port(name).rsplit(':').next().unwrap().parse::<u16>().unwrap();
    let (http, grpc) = (port("health_base_url"), port("endpoint"));
    let spec = Spec {
        version: 1,
        run_id: RunId("browserd-of-an-earlier-agent".to_owned()),
        service: ServiceId::Browserd,
        run_dir: site.own("run/browserd"),
        program: site.bin().join("palyra-browserd"),
        args: ["--bind", "127.0.0.1", "--port", &http.to_string(), "--grpc-bind", "127.0.0.1", "--grpc-port"]
            .map(str::to_owned)
            .into_iter()
            .chain([grpc.to_string()])
            .collect(),
        env: BTreeMap::from([("PALYRA_STATE_ROOT".to_owned(), Some(site.root().display().to_string().into()))]),
        ladder: StopLadder::default(),
        log: LogLimits { path: site.own("logs/browserd.log"), max_bytes: 1 << 20, keep: 2 },
        ports: BTreeMap::from([("http".to_owned(), http), ("grpc".to_owned(), grpc)]),
        lease_ms: None,
        hide: Vec::new(),
    };
    let (mut late, hello) = bare_shim(&(serde_json::to_string(&spec).unwrap() + "\n"));
    let Hello::Running(run) = hello else { panic!("{hello:?}") };
    site.ok(&["start"]);
    let status = site.healthy();
    assert_eq!(pids(&status)[2..], [u64::from(run.sidecar.pid), u64::from(run.shim.pid)]);
    assert_eq!(status["browserd_process"]["restart_attempt"], 0);
    // it is ours like any other
    site.ok(&["quit"]);
    late.wait().unwrap();
    site.nothing_left();
}

#[test]
fn an_older_agent_hands_over_to_one_of_two_that_start_at_once() {
    let mut site = Site::new();
    older::install(&mut site);
    let old = start(&site);
    let before = site.healthy();
    assert_eq!(before["agent"]["version"], older::VERSION);
    older::upgrade(&site);
    let followers = [start(&site), start(&site)];
    let begun = Instant::now();
    let after = site.until("the newer one", |status| {
        status["agent"]["version"] == env!("CARGO_PKG_VERSION") && status["state"] == "healthy"
    });
    let took = begun.elapsed();
    assert_eq!(pids(&before), pids(&after), "the sidecars go on");
    assert_eq!(end_of(old).0, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let [mut first, mut second] = followers;
    let winner = u64::from(first.id()) == after["agent"]["pid"].as_u64().unwrap();
    let (winner, loser) = if winner { (&mut first, &mut second) } else { (&mut second, &mut first) };
    assert_eq!(until("the other one shows the first", || loser.try_wait().unwrap()).code(), Some(0));
    assert!(winner.try_wait().unwrap().is_none());
    // the new program's shim beside the old one's
    site.ok(&["restart", "browserd"]);
    let mixed = site.healthy();
    assert_eq!(pids(&mixed)[..2], pids(&before)[..2]);
    assert_ne!(pids(&mixed)[2..], pids(&before)[2..]);
    // an older program does not take over from a newer one
    older::downgrade(&site);
    assert_eq!(end_of(start(&site)).0, Some(0));
    assert_eq!(site.healthy()["agent"]["pid"], after["agent"]["pid"]);
    site.ok(&["quit"]);
    winner.wait().unwrap();
    site.nothing_left();
}

#[test]
fn quit_does_not_wait_for_an_agent_that_was_killed_meanwhile() {
    let mut site = Site::new();
    let agent = u64::from(site.start(&[]));
    site.healthy();
    let mut quit = site.command(&["quit"]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // the real stop of this gateway takes a second
    until_stopping(&site);
    kill(agent, Signal::SIGKILL);
    let begun = Instant::now();
    until("the answer", || quit.try_wait().unwrap());
    assert!(begun.elapsed() < Duration::from_secs(2));
    let output = quit.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("was killed"), "{output:?}");
    site.kill_agent();
}

fn until_stopping(site: &Site) {
    let log = site.own("logs/gateway.log");
    until("the stop", || fs::read_to_string(&log).ok()?.contains("asked to stop").then_some(()));
}

/// What the first release's shim has written, kept as it was.
const RUN_V1: &str = r#"{"version":1,"run_id":"<id>","service":"gateway","program":"/opt/palyra/palyrad","shim":{"pid":<pid>,"start_ticks":<ticks>},"sidecar":{"pid":<pid>,"start_ticks":<ticks>},"boot_id":"<boot>","ports":{"grpc":7443,"http":7142,"quic":7444},"started_at_unix_ms":1795000000000}"#;
const EXIT_V1: &str = r#"{"version":1,"run_id":"<id>","ended_at_unix_ms":1795000001000,"cause":{"kind":"signal","signal":15},"asked":true,"last_stderr":["Error: x"],"dropped_lines":2}"#;
const SPEC_V1: &str = r#"{"version":1,"run_id":"<id>","service":"gateway","run_dir":"<dir>/run/gateway","program":"/bin/sh","args":["-c","echo $WORD; exit 4"],"env":{"GONE":null,"WORD":"understood"},"ladder":{"interrupt_grace_ms":3000,"refused_port":7142,"refused_for_ms":1000,"terminate_grace_ms":2000},"log":{"path":"<dir>/logs/gateway.log","max_bytes":5242880,"keep":5},"ports":{"http":7142}}"#;

#[test]
fn version_1_of_the_contract_is_understood() {
    let place = Place::new();
    let id = place.run_id.to_string();
    let holder = std::process::id();
    let run = RUN_V1
        .replace("<id>", &id)
        .replace("<pid>", &holder.to_string())
        .replace("<ticks>", &tree::start_ticks(holder).unwrap().to_string())
        .replace("<boot>", &tree::boot_id());
    fs::create_dir_all(place.run_dir()).unwrap();
    fs::write(place.run_dir().join(RUN_FILE), &run).unwrap();
    let lock = fs::File::create(place.run_dir().join("lock")).unwrap();
    lock.lock().unwrap();
    let reports = place.adopt();
    let ProcessReport::Adopted(record) = reports.next() else { panic!("it was not taken back") };
    assert_eq!((record.sidecar.pid, record.ports["quic"]), (holder, 7444));
    fs::write(place.run_dir().join(EXIT_FILE), EXIT_V1.replace("<id>", &id)).unwrap();
    drop(lock);
    let exit = reports.ended();
    assert_eq!((exit.cause, exit.asked, exit.dropped_lines), (ExitCause::Signal { signal: 15 }, true, 2));

    let spec = SPEC_V1.replace("<id>", &id).replace("<dir>", &place.dir.path().display().to_string());
    let (mut shim, hello) = bare_shim(&(spec + "\n"));
    assert!(matches!(hello, Hello::Running(_)), "{hello:?}");
    shim.wait().unwrap();
    let exit: Value = serde_json::from_slice(&fs::read(place.run_dir().join(EXIT_FILE)).unwrap()).unwrap();
    assert_eq!((&exit["version"], &exit["cause"]["code"]), (&1.into(), &4.into()));
    assert!(place.log_text().contains("out understood"));
}

/// A shim of a newer release is left in peace, nothing is started beside it, and the person is told.
#[test]
fn a_newer_contract_is_left_alone_and_told() {
    let mut site = Site::new();
    let [gateway, shim, ..] = pids(&site.start_healthy());
    site.kill_agent();
    let path = site.own("run/gateway/run.json");
    let good = fs::read(&path).unwrap();
    let mut newer: Value = serde_json::from_slice(&good).unwrap();
    newer["version"] = 2.into();
    newer["shim"] = "in another form".into();
    fs::write(&path, newer.to_string()).unwrap();
    site.start(&[]);
    let status = site.until("given up", |status| status["gateway_process"]["state"] == "given_up");
    let line = status["status_line"].as_str().unwrap();
    assert!(line.contains("version 2") && line.contains("run/gateway"), "{line}");
    assert_eq!(status["gateway_process"]["pid"], Value::Null);
    let said = site.fails(1, &["start"]);
    assert!(said.contains("version 2"), "asked again it looks again: {said}");
    // nothing that was not stopped is told as stopped, neither here nor by an end
    let said = site.fails(1, &["stop"]);
    assert!(said.contains("gateway may go on") && said.contains("version 2"), "{said}");
    assert_eq!(site.status().unwrap()["gateway_process"]["state"], "given_up");
    let said = site.fails(1, &["quit"]);
    assert!(said.contains("has ended, but gateway may go on") && said.contains("version 2"), "{said}");
    assert_eq!(site.agent_ended(), Some(0));
    assert!([gateway, shim].into_iter().all(agent::lives), "it goes on");
    site.start(&[]);
    site.until("given up", |status| status["gateway_process"]["state"] == "given_up");
    // understood again, as after an upgrade: it is taken back
    fs::write(&path, good).unwrap();
    site.ok(&["start"]);
    assert_eq!(pids(&site.healthy())[..2], [gateway, shim]);
    site.ok(&["quit"]);
    site.nothing_left();
}
