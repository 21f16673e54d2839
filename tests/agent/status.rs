//! `status` in all its forms, over a real agent.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};

use super::*;

/// A `status --watch` whose output is no terminal.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(site: &Site, args: &[&str]) -> Self {
        let args: Vec<_> = ["status", "--watch"].iter().chain(args).copied().collect();
        let mut child = site.command(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let output: ChildStdout = child.stdout.take().unwrap();
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Self { child, lines }
    }

    /// Reads on until a line is as wanted.
    #[track_caller]
    fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut seen = Vec::new();
        let end = Instant::now() + agent::PATIENCE;
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if wanted(&line) {
                return line;
            }
            seen.push(line);
        }
        panic!("never {what}: {seen:#?}");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Signs in to the demo gateway and sends a message; the answer comes when it is over.
fn send(site: &Site, text: &'static str) -> std::thread::JoinHandle<()> {
    let status = site.status().unwrap();
    let port = u16::try_from(number(&status, "/gateway_process/bound_ports/http")).unwrap();
    let environ = fs::read(format!("/proc/{}/environ", number(&status, "/gateway_process/pid"))).unwrap();
    let environ = String::from_utf8_lossy(&environ).into_owned();
    let token = environ.split('\0').find_map(|pair| pair.strip_prefix("PALYRA_ADMIN_TOKEN=")).unwrap();
    let login = json!({
        "admin_token": token, "principal": "admin:desktop-control-center", "device_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    });
    let json_type = ("content-type", "application/json");
    let body = login.to_string();
    let answer = http::request(port, "POST", "/console/v1/auth/login", &[json_type], Some(body.as_bytes())).unwrap();
    let csrf: Value = serde_json::from_slice(&answer.body).unwrap();
    let csrf = csrf["csrf_token"].as_str().unwrap().to_owned();
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let call = move |path: &str, body: &Value| {
        let headers = [json_type, ("cookie", cookie.as_str()), ("x-palyra-csrf-token", csrf.as_str())];
        http::request(port, "POST", path, &headers, Some(body.to_string().as_bytes())).unwrap().body
    };
    let made: Value =
        serde_json::from_slice(&call("/console/v1/chat/sessions", &json!({ "session_label": "Work" }))).unwrap();
    let session = made["session"]["session_id"].as_str().unwrap().to_owned();
    std::thread::spawn(move || {
        call(&format!("/console/v1/chat/sessions/{session}/messages/stream"), &json!({ "text": text }));
    })
}

#[test]
fn a_run_is_seen_while_it_lasts_and_its_end_is_told() {
    let mut site = Site::new();
    site.write_config("[orchestrator]\nrunloop_v1_enabled = true\n");
    site.start_healthy();
    let status = site.until("no run", |status| status["active_runs"] == json!([]));
    assert_eq!(status["profile"]["strict_mode"], false);
    let watch = Watch::start(&site, &[]);
    watch.until("no run", |line| line.contains("active runs 0"));
    let run = send(&site, "a slow one");
    // nobody asks: the journal's writes bring the list
    watch.until("a run", |line| line.contains("active runs 1"));
    let text = site.ok(&["status"]);
    assert!(text.contains("Runs       Work: in progress for "), "{text}");
    run.join().unwrap();
    watch.until("its end", |line| line.contains("active runs 0"));
    let status = site.status().unwrap();
    let news: Vec<_> = status["run_news"].as_array().unwrap().iter().map(|news| news["event"].clone()).collect();
    assert_eq!(news, ["run_started", "run_finished"]);
    assert_eq!(
        (&status["run_news"][1]["end"], &status["session_catalog"][0]["title"]),
        (&json!("done"), &json!("Work"))
    );
}

#[test]
fn whoever_watches_sees_changes_and_the_agent_go_and_return() {
    let mut site = Site::new();
    site.start_healthy();
    let mut watch = Watch::start(&site, &[]);
    let pages = Watch::start(&site, &["--json"]);
    watch.until("healthy", |line| line.contains("Z healthy, gateway ready, browser ready, approvals 0"));
    let page: Value = serde_json::from_str(&pages.until("a page", |_| true)).unwrap();
    assert_eq!(page["state"], "healthy");
    site.approval(&json!({ "timeout_seconds": 60 }));
    watch.until("an approval", |line| line.contains("approvals 1"));
    pages.until("an approval", |line| line.contains("\"pending\":1,"));
    site.kill_agent();
    watch.until("no agent", |line| line.contains("no Palyra Tray: "));
    pages.until("no agent", |line| line.starts_with("{\"agent\":null"));
    site.start(&[]);
    watch.until("the next agent", |line| line.contains("Z healthy, gateway ready"));
    kill(u64::from(watch.child.id()), Signal::SIGINT);
    assert!(watch.child.wait().unwrap().success());
    // those who watch do not hold up an end
    assert!(site.ok(&["quit"]).contains("Ended"));
    pages.until("no agent", |line| line.starts_with("{\"agent\":null"));
    site.fails(3, &["status", "--watch"]);
}

#[test]
fn a_terminal_gets_its_screen_back() {
    let mut site = Site::new();
    site.start(&["--no-start"]);
    site.until("an agent", |_| true);
    site.env("TERM", "xterm");
    let mut inner = site.command(&[]);
    inner.args(["status", "--watch"]);
    let line = format!("exec '{}' status --watch", site.program.display());
    let mut command = std::process::Command::new("script");
    command.args(["-qefc", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut terminal = command.spawn().expect("script, of util-linux");
    let mut output = terminal.stdout.take().unwrap();
    let (tell, heard) = channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = std::io::Read::read(&mut output, &mut bytes) {
            let _ = tell.send(String::from_utf8_lossy(&bytes[..n]).into_owned());
        }
    });
    let mut seen = String::new();
    let mut until = |wanted: &str| {
        let from = seen.len();
        while !seen[from..].contains(wanted) {
            seen += &heard.recv_timeout(agent::PATIENCE).unwrap_or_else(|_| panic!("never {wanted:?} in {seen:?}"));
        }
        seen.clone()
    };
    assert!(until("Ctrl-C ends.").starts_with("\u{1b}[?1049h\u{1b}[?25l\u{1b}[H"));
    site.ok(&["pause"]);
    until("All agents are paused");
    let watch = site.processes().into_iter().find(|(_, line)| line.contains("palyra-tray status --watch"));
    let watch = watch.filter(|(_, line)| !line.contains("script")).expect("it runs");
    kill(u64::from(watch.0), Signal::SIGTERM);
    assert!(until("\u{1b}[?1049l").ends_with("\u{1b}[?25h\u{1b}[?1049l"));
    assert!(terminal.wait().unwrap().success());
}

#[test]
fn too_many_watchers_are_turned_away_and_do_not_keep_others_out() {
    let mut site = Site::new();
    site.start(&["--no-start"]);
    site.until("an agent", |_| true);
    let watchers: Vec<_> = (0..8).map(|_| Watch::start(&site, &[])).collect();
    for watch in &watchers {
        watch.until("something", |_| true);
    }
    assert!(site.fails(4, &["status", "--watch"]).contains("too many watch"));
    site.ok(&["status"]);
    drop(watchers);
    let end = Instant::now() + agent::PATIENCE;
    let again = loop {
        let watch = Watch::start(&site, &[]);
        if let Ok(line) = watch.lines.recv_timeout(Duration::from_secs(2)) {
            break line;
        }
        assert!(Instant::now() < end, "their places are not given back");
    };
    assert!(again.contains("stopped"), "{again}");
}

#[test]
fn diagnostics_are_asked_for_and_hold_no_secret() {
    let mut site = Site::new();
    site.env("DISPLAY", "");
    site.env("WAYLAND_DISPLAY", "");
    site.start_healthy();
    let text = site.ok(&["status", "--diagnostics"]);
    assert!(text.starts_with("Palyra diagnostics\n") && text.contains("gateway's diagnostics: 0 s ago"), "{text}");
    assert!(text.contains("provider sign-ins failed 0"), "{text}");
    let pid = number(&site.status().unwrap(), "/gateway_process/pid");
    let environ = fs::read(format!("/proc/{pid}/environ")).unwrap();
    for pair in String::from_utf8_lossy(&environ).split('\0').filter(|pair| pair.contains("TOKEN=")) {
        let secret = pair.split_once('=').unwrap().1;
        assert!(secret.len() > 20 && !text.contains(secret));
    }
    // no display: what cannot be copied lies in a file of the person's own
    let told = site.ok(&["status", "--diagnostics", "--copy"]);
    assert!(told.contains("diagnostics.txt"), "{told}");
    let file = site.own("diagnostics.txt");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(file).unwrap().starts_with("Palyra diagnostics\n"));
    assert!(site.ok(&["about"]).contains("MIT OR Apache-2.0"));
}
