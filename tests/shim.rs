//! Real shims around real processes.
#![cfg(target_os = "linux")]

#[path = "support/shim.rs"]
mod common;

use std::time::{Duration, Instant};

use common::*;
use nix::sys::signal::Signal;
use palyra_tray::protocol::shim::{EXIT_FILE, ExitCause, Hello, LOCK_FILE, LOSS_FILE, RUN_FILE, RunRecord, StopLadder};
use palyra_tray::shell::process::{self, ProcessReport};

#[test]
fn an_exit_code_is_recorded_and_the_log_tells_the_run() {
    let place = Place::new();
    let reports = place.launch(place.script("echo hello; echo sorry >&2; printf unended; exit 7"));
    let run = reports.running();
    assert_eq!((run.run_id.clone(), run.ports["http"]), (place.run_id.clone(), 1));
    let exit = reports.ended();
    assert_eq!((exit.cause, exit.asked, exit.dropped_lines), (ExitCause::Code { code: 7 }, false, 0));
    assert_eq!(exit.last_stderr, ["sorry"]);
    let text = place.log_text();
    let lines: Vec<&str> = text.lines().map(|line| line.split_once(' ').expect("a stamp").1).collect();
    assert_eq!(lines[0], format!("sup started sh pid {} run {}", run.sidecar.pid, run.run_id));
    assert!(lines.contains(&"out hello") && lines.contains(&"err sorry") && lines.contains(&"out unended"), "{text}");
    assert_eq!(lines.last(), Some(&"sup sh ended: exit code 7"));
    let dir = place.run_dir();
    let files = [LOCK_FILE, RUN_FILE, EXIT_FILE].map(|name| mode(&dir.join(name)));
    assert_eq!((mode(&dir), files, mode(&place.log())), (0o700, [0o600; 3], 0o600));
    gone(run.shim.pid);
}

#[test]
fn a_deadly_signal_is_recorded() {
    let place = Place::new();
    let reports = place.launch(place.script("kill -SEGV $$"));
    reports.running();
    assert_eq!(reports.ended().cause, ExitCause::Signal { signal: Signal::SIGSEGV as i32 });
}

#[test]
fn what_cannot_be_started_says_whether_trying_again_helps() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let text = dir.path().join("text");
    std::fs::write(&text, "no program").expect("written");
    let not_executable = text.to_str().expect("text").to_owned();
    let noise = dir.path().join("noise");
    executable(&noise, &[1, 2, 3, 0, 4]);
    let noise = noise.to_str().expect("text").to_owned();
    let directory = dir.path().to_str().expect("text").to_owned();
    for program in ["/nonexistent/palyrad".to_owned(), not_executable, noise, directory] {
        let place = Place::new();
        let reports = place.launch(place.program(&program, &[]));
        let ProcessReport::Hello { hello: Hello::Failed(exit), .. } = reports.next() else {
            panic!("{program} started")
        };
        let ExitCause::SpawnFailed { message, retryable } = &exit.cause else { panic!("{exit:?}") };
        assert!(message.contains(&program) && !retryable, "{exit:?}");
        let ProcessReport::NotRunning { last_exit, run: Some(run) } = place.adopt().next() else { panic!("unknown") };
        assert_eq!((last_exit, run.run_id, run.sidecar.pid), (Some(exit), place.run_id.clone(), 0));
    }
}

#[test]
fn a_second_shim_is_told_that_it_is_busy() {
    let place = Place::new();
    let first = place.launch(place.script("exec sleep 60"));
    let run = first.running();
    let second = place.launch(place.script("exec sleep 60"));
    assert!(matches!(second.next(), ProcessReport::Hello { hello: Hello::Busy, .. }));
    assert_eq!(carriers(&place.run_id), [run.sidecar.pid]);
    process::stop(&run).expect("it lives");
    first.ended();
}

#[test]
fn nonsense_is_refused_without_repeating_it() {
    let place = Place::new();
    let spec = serde_json::to_value(place.script("true")).expect("JSON");
    let mut newer = spec.clone();
    newer["version"] = 2.into();
    let mut torn = spec.clone();
    torn["env"] = serde_json::json!({"A_TOKEN": ["hunter2hunter2"]});
    let mut relative = spec;
    relative["program"] = "palyrad".into();
    let broken = "{\"env\": {\"A_TOKEN\": \"hunter2hunter2\" nonsense".to_owned();
    for (line, part) in [
        (newer.to_string(), "version 2, this shim knows up to 1;"),
        (torn.to_string(), "wrong type"),
        (relative.to_string(), "absolute"),
        (broken, "JSON"),
        (String::new(), "JSON"),
    ] {
        let (mut child, hello) = bare_shim(&format!("{line}\n"));
        let Hello::Refused { message } = hello else { panic!("{line} was accepted") };
        assert!(message.contains(part) && !message.contains("hunter2"), "{message}");
        assert_eq!(child.wait().expect("reaped").code(), Some(2));
    }
    assert!(!place.run_dir().exists());
}

#[test]
fn environment_is_changed_and_signals_are_fresh() {
    let place = Place::new();
    let mut spec =
        place.script("echo a=$A h=${HOME-unset} r=$PALYRA_TRAY_RUN_ID; exec grep -E 'Sig(Blk|Ign)' /proc/self/status");
    spec.env.insert("A".to_owned(), Some("x y".to_owned().into()));
    spec.env.insert("HOME".to_owned(), None);
    // Whoever starts a shim may have switched signals off.
    let deaf = place.dir.path().join("deaf");
    executable(&deaf, format!("#!/bin/sh\ntrap '' INT HUP TERM QUIT\nexec '{SHIM}' \"$@\"\n").as_bytes());
    let (sender, reports) = std::sync::mpsc::channel();
    process::launch(&deaf, spec, move |report| sender.send(report).unwrap_or_default());
    let reports = Reports(reports);
    reports.running();
    reports.ended();
    let text = place.log_text();
    assert!(text.contains(&format!("out a=x y h=unset r={}\n", place.run_id)), "{text}");
    for line in text.lines().filter(|line| line.contains("Sig")) {
        let mask = u64::from_str_radix(line.rsplit('\t').next().expect("a mask"), 16).expect("a number");
        // Signals above 31 are the C library's.
        assert_eq!(mask & 0x7fff_ffff, 0, "nothing is blocked or ignored: {line}");
    }
    assert_eq!(text.matches("Sig").count(), 2);
}

#[test]
fn a_stop_climbs_as_far_as_it_must() {
    let cases = [
        ("trap 'exit 3' INT; echo up; while :; do sleep 0.05; done", ExitCause::Code { code: 3 }, 0),
        ("trap '' INT; trap 'exit 4' TERM; echo up; while :; do sleep 0.05; done", ExitCause::Code { code: 4 }, 300),
        ("trap '' INT TERM; echo up; while :; do sleep 0.05; done", ExitCause::Signal { signal: 9 }, 600),
    ];
    for (script, cause, least_ms) in cases {
        let place = Place::new();
        let reports = place.launch(place.script(script));
        let run = reports.running();
        until_log(&place, "out up");
        let begun = Instant::now();
        process::stop(&run).expect("it lives");
        process::stop(&run).expect("asking twice changes nothing");
        let exit = reports.ended();
        assert_eq!((exit.cause, exit.asked), (cause, true), "{script}");
        assert!(begun.elapsed() >= Duration::from_millis(least_ms), "{script}");
        assert!(carriers(&place.run_id).is_empty());
        assert_eq!(process::stop(&run).expect_err("it is gone").kind(), std::io::ErrorKind::NotFound);
    }
}

#[test]
fn a_port_that_refuses_ends_the_first_wait_early() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut spec = place.script("trap '' INT; echo up; while :; do sleep 0.05; done");
    spec.ladder = StopLadder {
        interrupt_grace_ms: 60_000,
        refused_port: Some(listener.local_addr().expect("bound").port()),
        refused_for_ms: 200,
        terminate_grace_ms: 60_000,
    };
    let reports = place.launch(spec);
    let run = reports.running();
    until_log(&place, "out up");
    process::stop(&run).expect("it lives");
    until_log(&place, "SIGINT");
    listener.set_nonblocking(true).expect("set");
    for _ in 0..3 {
        until("a try of the port", || listener.accept().ok());
    }
    assert!(!place.log_text().contains("SIGTERM"));
    drop(listener);
    let exit = reports.ended();
    assert_eq!((exit.cause, exit.asked), (ExitCause::Signal { signal: Signal::SIGTERM as i32 }, true));
}

#[test]
fn what_a_sidecar_leaves_behind_is_ended_too() {
    let place = Place::new();
    let (deaf, daemon) = (place.dir.path().join("deaf"), place.dir.path().join("daemon"));
    // One that keeps the output open, has a session of its own and ignores SIGTERM; one that was forked twice.
    let script = format!(
        "setsid sh -c 'trap \"\" TERM INT; echo $$ > {}; while :; do sleep 0.05; done' &
         (setsid sh -c 'echo $$ > {}; exec sleep 60' >/dev/null 2>&1 &)
         while [ ! -s {} ] || [ ! -s {} ]; do sleep 0.01; done; exit 5",
        deaf.display(),
        daemon.display(),
        deaf.display(),
        daemon.display()
    );
    let reports = place.launch(place.script(&script));
    reports.running();
    let pids = [pid_in(&deaf), pid_in(&daemon)];
    assert_eq!(reports.ended().cause, ExitCause::Code { code: 5 });
    assert!(!pids.into_iter().any(lives) && carriers(&place.run_id).is_empty());
    let text = place.log_text();
    let stamp = |part: &str| -> i64 {
        let line = text.lines().find(|line| line.contains(part)).expect("it is logged");
        line.split(' ').next().expect("a stamp").parse().expect("a number")
    };
    let took = stamp("sup sh ended: exit code 5") - stamp("left behind");
    assert!((2_000..3_900).contains(&took), "2 s for SIGTERM, then SIGKILL, without giving up: {took} ms");
}

#[test]
fn a_killed_agent_leaves_a_sidecar_that_the_next_one_takes_back() {
    let place = Place::new();
    // The agent of this test is a shell that is killed together with its group.
    let spec = serde_json::to_string(&place.script("echo up; sleep 60 & wait $!; echo never")).expect("JSON");
    let file = place.dir.path().join("spec");
    std::fs::write(&file, spec + "\n").expect("written");
    let mut agent = std::process::Command::new("/bin/sh");
    agent.args(["-c", &format!("'{SHIM}' shim < '{}' >/dev/null & wait", file.display())]);
    let mut agent = std::os::unix::process::CommandExt::process_group(&mut agent, 0).spawn().expect("a shell");
    until_log(&place, "out up");
    nix::sys::signal::killpg(nix::unistd::Pid::from_raw(agent.id() as i32), Signal::SIGKILL).expect("it lives");
    agent.wait().expect("reaped");
    let reports = place.adopt();
    let ProcessReport::Adopted(run) = reports.next() else { panic!("it was not taken back") };
    assert!(lives(run.sidecar.pid) && lives(run.shim.pid));
    assert_eq!(run.run_id, place.run_id);
    let other = place.adopt();
    assert_eq!(other.next(), ProcessReport::Adopted(run.clone()), "two agents may look at once");
    process::stop(&run).expect("it lives");
    assert!(reports.ended().asked);
    assert!(other.ended().asked);
    let ProcessReport::NotRunning { last_exit: Some(exit), run: Some(last) } = place.adopt().next() else { panic!() };
    assert_eq!((exit.run_id, last), (place.run_id.clone(), run));
}

#[test]
fn a_killed_shim_takes_its_sidecar_along_and_survivors_are_found() {
    let place = Place::new();
    // The end of an earlier run is not that of this one.
    let mut earlier = place.script("exit 6");
    earlier.run_id.0.push_str("-earlier");
    let reports = place.launch(earlier);
    reports.running();
    reports.ended();
    let (own, other) = (place.dir.path().join("own"), place.dir.path().join("other"));
    let script = format!(
        "setsid sh -c 'trap \"\" TERM; echo $$ > {}; while :; do sleep 0.05; done' & echo $$ > {}; wait",
        other.display(),
        own.display()
    );
    let reports = place.launch(place.script(&script));
    let run = reports.running();
    let survivor = pid_in(&other);
    assert_eq!(pid_in(&own), run.sidecar.pid);
    signal(run.shim.pid, Signal::SIGKILL);
    assert_eq!(reports.next(), ProcessReport::Ended { run_id: place.run_id.clone(), exit: None });
    gone(run.sidecar.pid);
    let ProcessReport::Lost { run: lost, rebooted: false, survivors } = place.adopt().next() else {
        panic!("nothing is missed")
    };
    assert_eq!(lost, run);
    assert!(survivors.contains(&survivor), "{survivors:?}");
    assert!(process::end_survivors(&place.run_dir(), &place.run_id).contains(&survivor));
    assert!(!lives(survivor) && carriers(&place.run_id).is_empty());
    assert!(process::end_survivors(&place.run_dir(), &place.run_id).is_empty());
    assert_eq!(process::stop(&run).expect_err("it is gone").kind(), std::io::ErrorKind::NotFound);
    // The next run starts, and its end is its own.
    let reports = place.launch(place.script("exit 0"));
    reports.running();
    assert_eq!(reports.ended().cause, ExitCause::Code { code: 0 });
}

#[test]
fn a_held_directory_without_a_readable_record_stays_untouched() {
    let place = Place::new();
    let reports = place.launch(place.script("exec sleep 60"));
    let run = reports.running();
    let path = place.run_dir().join(RUN_FILE);
    let good = std::fs::read(&path).expect("written");
    let mut other: RunRecord = serde_json::from_slice(&good).expect("a record");
    other.shim.start_ticks += 1;
    let mut newer = serde_json::to_value(&other).expect("JSON");
    newer["version"] = 2.into();
    let mut early = run.clone();
    early.sidecar.pid = 0;
    for (bad, part) in [
        (serde_json::to_vec(&early).expect("JSON"), "does not start its sidecar"),
        (b"{ torn".to_vec(), "cannot be read"),
        (serde_json::to_vec(&other).expect("JSON"), "gone"),
        (newer.to_string().into_bytes(), "version 2, this program knows up to 1"),
    ] {
        std::fs::write(&path, bad).expect("written");
        let ProcessReport::Unreadable { message } = place.adopt().next() else { panic!("it was believed") };
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(process::stop(&other).expect_err("not that process").kind(), std::io::ErrorKind::NotFound);
    std::fs::write(&path, good).expect("written");
    process::stop(&run).expect("it lives");
    reports.ended();
}

#[test]
fn an_empty_place_has_nothing_to_take_back() {
    let place = Place::new();
    let reports = place.adopt();
    assert_eq!(reports.next(), ProcessReport::NotRunning { last_exit: None, run: None });
    assert!(reports.none());
    let missing = place.dir.path().join("no-such-program");
    let (sender, failed) = std::sync::mpsc::channel();
    process::launch(&missing, place.script("true"), move |report| sender.send(report).unwrap_or_default());
    assert!(matches!(
        failed.recv_timeout(Duration::from_secs(20)),
        Ok(ProcessReport::SpawnFailed { run_id, message }) if run_id == place.run_id && message.contains("no-such-program")
    ));
}

#[test]
fn a_shim_that_is_killed_before_its_first_word_is_a_loss_and_no_bad_installation() {
    let place = Place::new();
    let killed = place.dir.path().join("killed");
    executable(&killed, b"#!/bin/sh\nread -r spec\nkill -KILL $$\n");
    let broken = place.dir.path().join("broken");
    executable(&broken, b"#!/bin/sh\nread -r spec\nexit 9\n");
    let report_of = |program: &std::path::Path| {
        let (sender, reports) = std::sync::mpsc::channel();
        process::launch(program, place.script("true"), move |report| sender.send(report).unwrap_or_default());
        reports.recv_timeout(Duration::from_secs(20)).expect("a report")
    };
    assert_eq!(report_of(&killed), ProcessReport::Ended { run_id: place.run_id.clone(), exit: None });
    let ProcessReport::SpawnFailed { message, .. } = report_of(&broken) else { panic!("it was not broken") };
    assert!(message.contains("it ended without a word; check the installation"), "{message}");
}

#[test]
fn long_lines_and_bad_bytes_arrive_whole() {
    let place = Place::new();
    let reports = place.launch(
        place.script("head -c 10000000 /dev/zero | tr '\\0' x; echo; printf 'bad \\377\\376 \\033[31m end\\n'"),
    );
    reports.running();
    assert_eq!(reports.ended().dropped_lines, 0);
    let older = palyra_tray::shell::shim::log::rotated(&place.log(), 1);
    let text = std::fs::read_to_string(older).expect("rotated") + &place.log_text();
    let parts: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once(' ')?.1.split_once(' '))
        .filter(|(tag, _)| tag.starts_with("out"))
        .collect();
    assert_eq!(parts[0].0, "out");
    assert!(parts[1..parts.len() - 1].iter().all(|(tag, _)| *tag == "out+"));
    assert_eq!(parts.iter().map(|(_, text)| text.matches('x').count()).sum::<usize>(), 10_000_000);
    assert!(parts.iter().all(|(_, text)| text.len() <= 16 * 1024));
    assert_eq!(parts.last(), Some(&("out", "bad \u{fffd}\u{fffd} \\u{1b}[31m end")));
}

#[test]
fn secrets_do_not_reach_the_disk() {
    let place = Place::new();
    let mut spec = place.script(
        "echo plain $X_TOKEN; echo admin_token=abc123def >&2
         head -c 16380 /dev/zero | tr '\\0' x; echo \" $X_TOKEN tail\"
         echo '{\"password\":\"hunter22\"}'; exit 1",
    );
    spec.env.insert("X_TOKEN".to_owned(), Some("v3ryS3cr3tValue".to_owned().into()));
    let reports = place.launch(spec);
    reports.running();
    let exit = reports.ended();
    assert_eq!(exit.last_stderr, ["admin_token=<redacted>"]);
    let text = place.log_text();
    for secret in ["v3ryS3", "tValue", "abc123def", "hunter22"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert_eq!(text.matches("<redacted>").count(), 4, "{text}");
    for name in [RUN_FILE, EXIT_FILE] {
        let record = std::fs::read_to_string(place.run_dir().join(name)).expect("written");
        assert!(!record.contains("v3ryS3"));
    }
}

#[test]
fn many_lines_are_rotated_and_none_is_lost() {
    let place = Place::new();
    let mut spec = place.script("seq 1 200000");
    spec.log.max_bytes = 1 << 20;
    spec.log.keep = 20;
    let reports = place.launch(spec);
    reports.running();
    assert_eq!(reports.ended().dropped_lines, 0);
    let mut text = String::new();
    for age in (1..20).rev() {
        let path = palyra_tray::shell::shim::log::rotated(&place.log(), age);
        let part = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(part.len() <= 1 << 20 && (part.is_empty() || mode(&path) == 0o600));
        text.push_str(&part);
    }
    text.push_str(&place.log_text());
    let numbers: Vec<u32> = text.lines().filter_map(|line| line.split_once(" out ")?.1.parse().ok()).collect();
    let wrong = numbers.iter().zip(1..).find(|(number, want)| *number != want);
    assert_eq!((wrong, numbers.len()), (None, 200_000));
}

#[test]
fn a_full_disk_is_counted_and_does_not_stop_the_sidecar() {
    let place = Place::new();
    std::fs::create_dir(place.dir.path().join("logs")).expect("made");
    std::os::unix::fs::symlink("/dev/full", place.log()).expect("linked");
    let go = place.dir.path().join("go");
    let done = place.dir.path().join("done");
    let script = format!(
        "seq 1 100; echo x > {}; while [ ! -e {} ]; do sleep 0.01; done; echo back; exit 0",
        done.display(),
        go.display()
    );
    let reports = place.launch(place.script(&script));
    reports.running();
    until("the flood", || done.exists().then_some(()));
    // Its lines are read before the log is replaced: a pipe that is empty says so.
    let run: RunRecord =
        serde_json::from_slice(&std::fs::read(place.run_dir().join(RUN_FILE)).expect("written")).expect("a record");
    until("a silent shim", || is_silent(run.shim.pid).then_some(()));
    let loss = process::log_loss(&place.run_dir()).expect("told while it runs");
    assert_eq!((loss.dropped_lines, loss.why.as_str()), (101, "no storage space"));
    assert_eq!(mode(&place.run_dir().join(LOSS_FILE)), 0o600);
    std::fs::remove_file(place.log()).expect("unlinked");
    std::fs::write(&go, "").expect("written");
    let exit = reports.ended();
    assert_eq!((exit.cause, exit.dropped_lines), (ExitCause::Code { code: 0 }, 101));
    let loss = process::log_loss(&place.run_dir()).expect("told");
    assert_eq!((loss.dropped_lines, loss.why.as_str()), (101, ""), "it is written again");
    let text = place.log_text();
    let tail: Vec<&str> = text.lines().map(|line| line.split_once(' ').expect("a stamp").1).collect();
    assert_eq!(
        tail,
        ["sup 101 lines lost here: the log could not be written", "out back", "sup sh ended: exit code 0"]
    );
}

#[test]
fn a_silent_sidecar_costs_no_wake_up() {
    let place = Place::new();
    let reports = place.launch(place.script("echo up; exec sleep 60"));
    let run = reports.running();
    until_log(&place, "out up");
    until("a silent shim", || is_silent(run.shim.pid).then_some(()));
    let before = switches(run.shim.pid);
    // The measured second, not a wait for something.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(switches(run.shim.pid), before);
    process::stop(&run).expect("it lives");
    reports.ended();
}

#[test]
fn a_lease_that_is_not_renewed_stops_the_sidecar() {
    let place = Place::new();
    let mut spec = place.script("echo up; exec sleep 60");
    spec.lease_ms = Some(600);
    let reports = place.launch(spec);
    let run = reports.running();
    let lease = place.run_dir().join("lease");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1_500) {
        std::fs::write(&lease, "").expect("renewed");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(lives(run.sidecar.pid), "it is renewed");
    let exit = reports.ended();
    assert_eq!((exit.cause, exit.asked), (ExitCause::Signal { signal: Signal::SIGINT as i32 }, true));
    assert!(place.log_text().contains("lease"));
}

#[test]
fn a_strangers_palyra_is_named() {
    let place = Place::new();
    let root = place.dir.path().join("runtime");
    let other = place.dir.path().join("other");
    for dir in [&root, &other] {
        std::fs::create_dir_all(dir.join("data")).expect("made");
    }
    let journal = root.join("data/journal.sqlite3");
    std::fs::write(&journal, "").expect("written");
    // A child that another test is just forking may have it open for a moment.
    until("nobody", || process::foreign_palyra(&root, &[]).is_none().then_some(()));
    let mut holder = std::process::Command::new("/bin/sleep")
        .arg("60")
        .stdin(std::fs::File::open(&journal).expect("it exists"))
        .spawn()
        .expect("sleep");
    // Between fork and exec the executable is still that of the test.
    let found =
        until("the holder", || process::foreign_palyra(&root, &[]).filter(|found| found.executable.ends_with("sleep")));
    assert_eq!((found.pid, found.why.contains("journal.sqlite3")), (holder.id(), true));
    until("nobody else", || process::foreign_palyra(&root, &[holder.id()]).is_none().then_some(()));
    assert_eq!(process::foreign_palyra(&other, &[]), None);
    holder.kill().expect("killed");
    holder.wait().expect("reaped");
    // A copy of a program under Palyra's name, and under ours.
    for (name, counts) in [("palyrad", true), ("palyra-tray", false)] {
        let program = place.dir.path().join(name);
        executable(&program, &std::fs::read("/bin/sleep").expect("readable"));
        let mut child =
            std::process::Command::new(&program).arg("60").env("PALYRA_STATE_ROOT", &root).spawn().expect("started");
        until("the exec", || {
            std::fs::read_link(format!("/proc/{}/exe", child.id())).ok().filter(|exe| exe == &program)
        });
        let variable = format!("PALYRA_STATE_ROOT={}", root.display());
        until("its environment", || {
            let all = std::fs::read(format!("/proc/{}/environ", child.id())).ok()?;
            all.split(|byte| *byte == 0).any(|one| one == variable.as_bytes()).then_some(())
        });
        let found = process::foreign_palyra(&root, &[]).map(|found| found.pid);
        assert_eq!(found, counts.then_some(child.id()), "{name}");
        assert_eq!(process::foreign_palyra(&other, &[]), None);
        child.kill().expect("killed");
        child.wait().expect("reaped");
    }
}

/// Voluntary and involuntary context switches: how often a process was woken.
fn switches(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    status.lines().filter(|line| line.contains("ctxt_switches")).collect()
}

/// Not woken for a while.
fn is_silent(pid: u32) -> bool {
    let before = switches(pid);
    std::thread::sleep(Duration::from_millis(100));
    switches(pid) == before
}
