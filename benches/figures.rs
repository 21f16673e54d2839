//! The figures that the project promises, measured on the release program with demo sidecars, on a real session bus with a
//! tray host and a notification server (`scripts/bench` brings them). Prints a table with the limit beside each figure.

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the figures are measured on Linux");
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
#[path = "../tests/support/agent.rs"]
mod agent;
#[cfg(target_os = "linux")]
#[path = "../tests/support/bus.rs"]
mod bus;
#[cfg(target_os = "linux")]
#[path = "../tests/support/http.rs"]
mod http;

#[cfg(target_os = "linux")]
#[path = "figures/approvals.rs"]
mod approvals;
#[cfg(target_os = "linux")]
use linux::kib;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use futures_util::StreamExt;
    use nix::sys::signal::Signal;
    use serde_json::{Value, json};

    use crate::agent::{Site, kill};
    use crate::approvals;

    const QUIET: Duration = Duration::from_secs(60);

    /// `[ROUNDS]`, or `approvals [--palyrad FILE] [--samples N] [--records N]`; what cargo adds is passed over.
    pub fn main() {
        let words: Vec<_> = std::env::args().skip(1).collect();
        let after = |name: &str| words.iter().skip_while(|word| *word != name).nth(1);
        let number = |name: &str, default| after(name).map_or(default, |word| word.parse().expect(name));
        if words.iter().any(|word| word == "approvals") {
            return approvals::run(&approvals::Options {
                palyrad: after("--palyrad").map(Into::into),
                samples: number("--samples", 200),
                records: number("--records", 10_000),
            });
        }
        let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(10_usize);
        println!("| figure | minimum | median | maximum | limit | aim |");
        println!("|---|---|---|---|---|---|");
        row("start to icon registered, ms", start_to_icon(rounds), "40", "10");
        row("first crash to sidecar started again, ms", crash_to_restart(rounds), "50", "10");
        let site = Site::new();
        let mut agent = desktop_agent(&site, &[]);
        site.healthy();
        row("approval created to notification sent, ms", approval_to_notification(&site, rounds), "300", "60");
        site.until("nothing waits", |status| status["approvals"]["pending"] == 0);
        row("snapshot from the running agent, ms", snapshot(&site, rounds), "20", "2");
        row("palyra-tray status, whole command, ms", status_command(&site, rounds), "30", "5");
        let status = site.healthy();
        let shim = status["gateway_process"]["shim_pid"].as_u64().unwrap_or(0);
        std::thread::sleep(Duration::from_secs(15));
        let before = (switches(u64::from(agent.id())), switches(shim));
        std::thread::sleep(QUIET);
        let a_second = |before: u64, now: u64| (now - before) as f64 / QUIET.as_secs_f64();
        row(
            "agent, context switches a second over a quiet minute",
            vec![a_second(before.0, switches(u64::from(agent.id())))],
            "0.5",
            "0.1",
        );
        row("shim, context switches a second over a quiet minute", vec![a_second(before.1, switches(shim))], "0", "0");
        let memory = |pid: u64, key: &str| vec![kib(pid, key) / 1024.0];
        row("agent, resident MB", memory(u64::from(agent.id()), "Rss"), "12", "8");
        row("agent, proportional MB", memory(u64::from(agent.id()), "Pss"), "", "5");
        row("agent, anonymous MB", memory(u64::from(agent.id()), "Anonymous"), "", "");
        row("shim, proportional MB", memory(shim, "Pss"), "1.2", "");
        row("shim, anonymous MB", memory(shim, "Anonymous"), "0.5", "");
        let size = fs::metadata(env!("CARGO_BIN_EXE_palyra-tray")).map_or(0.0, |file| file.len() as f64 / 1e6);
        row("program file, MB", vec![size], "", "3.5");
        site.ok(&["quit"]);
        let _ = agent.wait();
    }

    fn row(name: &str, mut values: Vec<f64>, limit: &str, aim: &str) {
        values.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (values.first(), values.last()) else {
            println!("| {name} | not measured | | | {limit} | {aim} |");
            return;
        };
        println!("| {name} | {min:.2} | {:.2} | {max:.2} | {limit} | {aim} |", values[values.len() / 2]);
    }

    /// An agent with tray and notifications on this session's bus.
    fn desktop_agent(site: &Site, args: &[&str]) -> std::process::Child {
        let mut words = vec!["run"];
        words.extend(args);
        site.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("agent")
    }

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(30), work).await.expect("in time") })
    }

    fn start_to_icon(rounds: usize) -> Vec<f64> {
        let site = Site::new();
        (0..rounds)
            .map(|_| {
                let (took, mut agent) = block_on(async {
                    let bus = zbus::Connection::session().await.expect("session bus");
                    let watcher = zbus::Proxy::new(
                        &bus,
                        "org.kde.StatusNotifierWatcher",
                        "/StatusNotifierWatcher",
                        "org.kde.StatusNotifierWatcher",
                    )
                    .await
                    .expect("watcher");
                    let mut registered = watcher.receive_signal("StatusNotifierItemRegistered").await.expect("signal");
                    let start = Instant::now();
                    let agent = desktop_agent(&site, &["--no-start"]);
                    registered.next().await.expect("registered");
                    (start.elapsed(), agent)
                });
                site.until("an agent", |_| true);
                site.ok(&["quit"]);
                let _ = agent.wait();
                took.as_secs_f64() * 1e3
            })
            .collect()
    }

    fn crash_to_restart(rounds: usize) -> Vec<f64> {
        (0..rounds)
            .map(|_| {
                let mut site = Site::new();
                let status = site.start_healthy();
                let pid = status["gateway_process"]["pid"].as_u64().expect("pid");
                let record = site.own("run/gateway/run.json");
                let start = Instant::now();
                kill(pid, Signal::SIGKILL);
                loop {
                    let text = fs::read(&record).unwrap_or_default();
                    let now = serde_json::from_slice::<Value>(&text)
                        .ok()
                        .and_then(|record| record["sidecar"]["pid"].as_u64());
                    // 0 stands there until it is started
                    if now.is_some_and(|now| now != pid && now != 0) {
                        break start.elapsed().as_secs_f64() * 1e3;
                    }
                    assert!(start.elapsed() < Duration::from_secs(10), "not started again");
                    std::thread::sleep(Duration::from_micros(200));
                }
            })
            .collect()
    }

    /// Asked over the control socket, as `status` does.
    fn snapshot(site: &Site, rounds: usize) -> Vec<f64> {
        use std::io::{Read, Write};
        let control: Value =
            serde_json::from_slice(&fs::read(site.own("control.json")).expect("address")).expect("address");
        let socket = control["socket"].as_str().expect("socket");
        let request = json!({ "version": control["version"], "request": { "ask": "status" } });
        (0..rounds)
            .map(|_| {
                let start = Instant::now();
                let mut stream = std::os::unix::net::UnixStream::connect(socket).expect("agent");
                writeln!(stream, "{request}").expect("asked");
                let mut text = String::new();
                stream.read_to_string(&mut text).expect("answer");
                let took = start.elapsed().as_secs_f64() * 1e3;
                assert!(text.contains("overall_status"), "{text}");
                took
            })
            .collect()
    }

    fn status_command(site: &Site, rounds: usize) -> Vec<f64> {
        (0..rounds)
            .map(|_| {
                let start = Instant::now();
                site.ok(&["status"]);
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect()
    }

    fn approval_to_notification(site: &Site, rounds: usize) -> Vec<f64> {
        (0..rounds)
            .map(|_| {
                let took = block_on(async {
                    let bus = zbus::Connection::session().await.expect("session bus");
                    let rule = "type='method_call',interface='org.freedesktop.Notifications',member='Notify'";
                    bus.call_method(
                        Some("org.freedesktop.DBus"),
                        "/org/freedesktop/DBus",
                        Some("org.freedesktop.DBus.Monitoring"),
                        "BecomeMonitor",
                        &(&[rule][..], 0_u32),
                    )
                    .await
                    .expect("monitor");
                    let mut messages = zbus::MessageStream::from(&bus);
                    let start = Instant::now();
                    site.approval(&json!({ "timeout_seconds": 5 }));
                    while let Some(message) = messages.next().await {
                        if message
                            .is_ok_and(|message| message.header().member().is_some_and(|member| member == "Notify"))
                        {
                            break;
                        }
                    }
                    start.elapsed()
                });
                site.until("it has gone", |status| status["approvals"]["pending"] == 0);
                took.as_secs_f64() * 1e3
            })
            .collect()
    }

    /// Voluntary and involuntary, over all threads.
    fn switches(pid: u64) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("task");
        tasks
            .flatten()
            .filter_map(|task| fs::read_to_string(task.path().join("status")).ok())
            .flat_map(|status| {
                status
                    .lines()
                    .filter(|line| line.contains("ctxt_switches"))
                    .filter_map(|line| line.split_whitespace().last()?.parse::<u64>().ok())
                    .collect::<Vec<_>>()
            })
            .sum()
    }

    pub fn kib(pid: u64, key: &str) -> f64 {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = rollup.lines().find(|line| line.starts_with(&format!("{key}:"))).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
    }
}
