//! The figures of approvals: how soon one is shown and decided, what ten thousand of them cost, and what a quiet minute asks
//! of the gateway. On a message bus and with a notification server of their own; over the demo gateway or a real `palyrad`.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use zbus::zvariant::OwnedValue;

use crate::agent::Site;
use crate::{bus, http, kib};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const PATIENCE: Duration = Duration::from_secs(20);
const QUIET: Duration = Duration::from_secs(60);
/// The agent's last work is over and its memory given back after this.
const CALM: Duration = Duration::from_secs(10);
/// One client may send 120 commands a minute.
const COMMANDS_OF_A_CLIENT: usize = 100;

pub struct Options {
    /// In place of the demo gateway.
    pub palyrad: Option<PathBuf>,
    /// Approvals that are created one by one and clicked.
    pub samples: usize,
    /// That wait all at once.
    pub records: usize,
}

pub fn run(options: &Options) {
    let bus = Bus::start();
    let desk = Desk::start(&bus);
    let mut site = Site::new();
    site.env("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    if let Some(palyrad) = &options.palyrad {
        site.script("palyrad", &format!("exec '{}' \"$@\"", palyrad.display()));
    }
    let mut agent =
        site.command(&["run", "--no-set-up"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("agent");
    let status = site.healthy();
    let port = gateway_port(&status);
    println!("load before: {}", load());
    println!();
    println!("| approvals | samples | p50 | p99 | maximum | limit |");
    println!("|---|---|---|---|---|---|");

    std::thread::sleep(CALM);
    let calls = connections_in_a_minute(port);
    let none = kib(u64::from(agent.id()), "Rss") / 1024.0;
    row("calls of the gateway in a quiet minute", &mut [calls], "");

    let mut console = Console::sign_in(&status);
    let (mut shown, mut decided) = latencies(&site, &desk, &mut console, options.samples);
    row("created at the gateway to notification sent, ms", &mut shown, "p50 100, p99 250");
    row("click to decision acknowledged and recorded, ms", &mut decided, "p50 50");

    let session = "01ARZ3NDEKTSV4RRFFQ69G5FAW";
    let start = Instant::now();
    for n in 0..options.records {
        console.create("medium", &format!("echo {n}"), session);
    }
    eprintln!("{} approvals were created in {:.0} s", options.records, start.elapsed().as_secs_f64());
    let mut first = first_inboxes(&site, options.records);
    row(&format!("gateway ready to inbox of {} known, ms", options.records), &mut first, "500");
    std::thread::sleep(CALM + QUIET);
    let many = kib(u64::from(agent.id()), "Rss") / 1024.0;
    row(&format!("agent, resident MB more with {} than with none", options.records), &mut [many - none], "3");
    row("agent, resident MB with none", &mut [none], "");
    println!();
    println!("load after: {}", load());
    site.ok(&["quit"]);
    let _ = agent.wait();
}

fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn row(name: &str, values: &mut [f64], limit: &str) {
    values.sort_by(f64::total_cmp);
    let at = |percent: usize| values.get((values.len() * percent / 100).min(values.len().saturating_sub(1)));
    let text = |value: Option<&f64>| value.map_or_else(|| "not measured".to_owned(), |value| format!("{value:.2}"));
    println!("| {name} | {} | {} | {} | {} | {limit} |", values.len(), text(at(50)), text(at(99)), text(values.last()));
}

fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("a moment of our time")
}

fn gateway_port(status: &Value) -> u16 {
    let port = status["gateway_process"]["bound_ports"]["http"].as_u64().expect("port");
    u16::try_from(port).expect("port")
}

/// Calls come on a connection each, whose one end stays for a minute in the system's table after it was closed.
fn connections_in_a_minute(gateway: u16) -> f64 {
    let closed = || -> BTreeSet<u16> {
        let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let port = |address: &str| u16::from_str_radix(address.split(':').nth(1)?, 16).ok();
        let ends = table.lines().skip(1).filter_map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            let (local, remote, state) = (port(words.get(1)?)?, port(words.get(2)?)?, *words.get(3)?);
            // not the one that listens
            (state != "0A").then_some((local, remote))
        });
        ends.filter_map(|(local, remote)| match gateway {
            g if g == remote => Some(local),
            g if g == local => Some(remote),
            _ => None,
        })
        .collect()
    };
    let before = closed();
    let mut seen = BTreeSet::new();
    let end = Instant::now() + QUIET;
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(500));
        seen.extend(closed());
    }
    seen.difference(&before).count() as f64
}

/// Milliseconds from the call that creates an approval to its notification, and from the click on "Approve once" there to the
/// line in the record of decisions that says what came of it.
fn latencies(site: &Site, desk: &Desk, console: &mut Console, samples: usize) -> (Vec<f64>, Vec<f64>) {
    let ledger = site.own("decisions.jsonl");
    let (mut shown, mut decided) = (Vec::new(), Vec::new());
    let mut seed = 88_172_645_463_325_252_u64;
    for n in 0..samples {
        // at any moment between two looks at the gateway
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        std::thread::sleep(Duration::from_millis(seed % 1_000));
        let summary = format!("echo figure {n} of {samples}");
        let start = Instant::now();
        let id = console.create("medium", &summary, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        let notice = desk.wait_for(&summary);
        shown.push((notice.at - start).as_secs_f64() * 1e3);
        let start = Instant::now();
        desk.click(notice.id, &notice.key("Approve once"));
        while !is_recorded(&ledger, &id) {
            assert!(start.elapsed() < PATIENCE, "{id} was not decided");
            std::thread::sleep(Duration::from_micros(300));
        }
        decided.push(start.elapsed().as_secs_f64() * 1e3);
        let stands = console.decision_of(&id);
        assert_eq!(stands, "allow", "{id}");
    }
    (shown, decided)
}

fn is_recorded(ledger: &Path, id: &str) -> bool {
    let text = fs::read_to_string(ledger).unwrap_or_default();
    text.lines().rev().take(4).filter_map(|line| serde_json::from_str::<Value>(line).ok()).any(|line| {
        let done = line["kind"] == "result" && line["approval_id"] == id;
        assert!(!done || line["outcome"] == "Approved.", "{line}");
        done
    })
}

/// Restarts the gateway some times; from each readiness to the first inbox that is known.
fn first_inboxes(site: &Site, records: usize) -> Vec<f64> {
    let good = site.own("run/gateway/good.json");
    let ready = || {
        let text = fs::read(&good).unwrap_or_default();
        serde_json::from_slice::<Value>(&text).ok().and_then(|good| good["ready_at_unix_ms"].as_i64()).unwrap_or(0)
    };
    (0..5)
        .map(|_| {
            let begun = unix_ms();
            site.ok(&["restart", "gateway"]);
            let status = site.until("all of them wait", |status| {
                let known = &status["approvals"];
                known["known"] == true && known["pending"] == records && known["as_of_unix_ms"].as_i64() > Some(begun)
            });
            assert!(ready() > begun, "it was not ready anew");
            (status["approvals"]["as_of_unix_ms"].as_i64().unwrap_or(0) - ready()) as f64
        })
        .collect()
}

/// A client of the gateway's console, as the dashboard is one.
struct Console {
    port: u16,
    cookie: String,
    csrf: String,
    principal: String,
    device: String,
    made: usize,
}

impl Console {
    fn sign_in(status: &Value) -> Self {
        let pid = &status["gateway_process"]["pid"];
        let environment = fs::read(format!("/proc/{pid}/environ")).expect("the gateway's environment");
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let token = environment.split('\0').find_map(|line| line.strip_prefix("PALYRA_ADMIN_TOKEN=")).expect("token");
        let device = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
        let body = json!({ "admin_token": token, "principal": "admin:figures", "device_id": device });
        let port = gateway_port(status);
        let answer = call(port, "POST", "/console/v1/auth/login", &[], &body);
        let cookie = answer.header("set-cookie").expect("cookie").split(';').next().unwrap_or_default().to_owned();
        let session = answer.json();
        let text = |name: &str| session[name].as_str().expect(name).to_owned();
        Self {
            port,
            cookie,
            csrf: text("csrf_token"),
            principal: text("principal"),
            device: text("device_id"),
            made: 0,
        }
    }

    /// Its id.
    fn create(&mut self, risk: &str, summary: &str, session: &str) -> String {
        self.made += 1;
        let client = format!("figures-{}", self.made / COMMANDS_OF_A_CLIENT);
        let body = json!({
            "client": {
                "protocol_version": 1, "client_id": client, "transport": "http", "owner_principal": self.principal,
                "device_id": self.device, "scopes": ["approvals:write"], "capabilities": ["approval_bridge"],
            },
            "command": {
                "request_id": format!("r{}", self.made), "command": "approval.request",
                "params": {
                    "session_id": session, "subject_id": "shell.exec", "summary": summary, "risk_level": risk,
                    "timeout_seconds": 3600,
                },
            },
        });
        let headers = [("cookie", self.cookie.as_str()), ("x-palyra-csrf-token", self.csrf.as_str())];
        let answer = call(self.port, "POST", "/console/v1/acp/command", &headers, &body).json();
        let id = answer["result"]["approval"]["approval_id"].as_str();
        id.unwrap_or_else(|| panic!("no approval: {answer}")).to_owned()
    }

    fn decision_of(&self, id: &str) -> String {
        let headers = [("cookie", self.cookie.as_str())];
        let answer = call(self.port, "GET", &format!("/console/v1/approvals/{id}"), &headers, &Value::Null).json();
        answer["approval"]["decision"].as_str().unwrap_or("none").to_owned()
    }
}

fn call(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> http::Answer {
    let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let send = || http::request(port, method, path, &headers, Some(body.as_bytes())).expect("an answer");
    let mut answer = send();
    while answer.status == 429 {
        // a thousand calls a second is what the gateway takes
        std::thread::sleep(Duration::from_millis(200));
        answer = send();
    }
    assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.text());
    answer
}

/// A session bus that starts nothing by itself.
struct Bus {
    daemon: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Bus {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("temp dir");
        let address = format!("unix:path={}", folder.path().join("bus").display());
        let text = format!(
            "<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\"/>\
             <allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>"
        );
        let (daemon, _) = bus::spawn(folder.path(), &text);
        Self { daemon, address, _folder: folder }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A notification that the server was sent.
struct Notice {
    at: Instant,
    id: u32,
    body: String,
    /// Keys and labels.
    actions: Vec<(String, String)>,
}

impl Notice {
    fn key(&self, label: &str) -> String {
        let found = self.actions.iter().find(|(_, shown)| shown == label);
        found.unwrap_or_else(|| panic!("no button {label:?}: {:?}", self.actions)).0.clone()
    }
}

/// A notification server. It goes by a name that is known to show two whole lines.
struct Desk {
    connection: zbus::Connection,
    notices: Receiver<Notice>,
}

struct Interface {
    sent: Sender<Notice>,
    next: u32,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Interface {
    #[expect(clippy::too_many_arguments, reason = "the interface is what it is")]
    fn notify(
        &mut self,
        _app: String,
        replaces: u32,
        _icon: String,
        _summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expire: i32,
    ) -> u32 {
        let at = Instant::now();
        if replaces == 0 {
            self.next += 1;
        }
        let id = if replaces == 0 { self.next } else { replaces };
        let actions = actions.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        let _ = self.sent.send(Notice { at, id, body, actions });
        id
    }

    fn close_notification(&self, _id: u32) {}

    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body"].map(str::to_owned).to_vec()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("dunst".to_owned(), "figures".to_owned(), "1".to_owned(), "1.2".to_owned())
    }
}

impl Desk {
    fn start(bus: &Bus) -> Self {
        let (sent, notices) = channel();
        let connection = zbus::block_on(async {
            zbus::connection::Builder::address(bus.address.as_str())
                .and_then(|builder| builder.serve_at(PATH, Interface { sent, next: 0 }))
                .and_then(|builder| builder.name(NAME))
                .expect("server")
                .build()
                .await
                .expect("server")
        });
        Self { connection, notices }
    }

    /// The notification that shows this text.
    fn wait_for(&self, text: &str) -> Notice {
        loop {
            let notice = self.notices.recv_timeout(PATIENCE).expect("a notification");
            if notice.body.contains(text) {
                return notice;
            }
        }
    }

    fn click(&self, id: u32, key: &str) {
        let body = (id, key);
        let signal = self.connection.emit_signal(None::<&str>, PATH, NAME, "ActionInvoked", &body);
        zbus::block_on(signal).expect("signal");
    }
}
