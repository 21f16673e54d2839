//! A desktop for one test: a private session bus, a watcher of tray icons, and a process that runs the tray only.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::bus;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use zbus::{
    Connection, MatchRule, MessageStream,
    connection::Builder,
    object_server::SignalEmitter,
    zvariant::{OwnedValue, Value},
};

/// Longest wait for anything that has to happen.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Name and path of the watcher.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_PATH: &str = "/StatusNotifierWatcher";

/// Runs `test` with a deadline for the whole.
pub fn within_deadline(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(DEADLINE, test).await }).expect("the test took too long");
}

/// A session bus that ends with the test.
pub struct Bus {
    daemon: Child,
    folder: tempfile::TempDir,
}

impl Bus {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}/bus</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            folder.path().display()
        );
        let (daemon, _) = bus::spawn(folder.path(), &text);
        Self { daemon, folder }
    }

    pub fn address(&self) -> String {
        format!("unix:path={}/bus", self.folder.path().display())
    }

    pub async fn connect(&self) -> Connection {
        Builder::address(self.address().as_str()).expect("an address").build().await.expect("a connection")
    }

    pub fn kill(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Collects icons, as a panel does. Gone when dropped.
pub struct Watcher {
    connection: Connection,
    shows: Arc<AtomicBool>,
    items: mpsc::UnboundedReceiver<String>,
}

struct Service {
    shows: Arc<AtomicBool>,
    items: mpsc::UnboundedSender<String>,
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Service {
    fn register_status_notifier_item(&self, service: &str) {
        let _ = self.items.send(service.to_owned());
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        self.shows.load(Ordering::SeqCst)
    }

    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

impl Watcher {
    pub async fn start(bus: &Bus, shows: bool) -> Self {
        let (sender, items) = mpsc::unbounded_channel();
        let shows = Arc::new(AtomicBool::new(shows));
        let service = Service { shows: Arc::clone(&shows), items: sender };
        let connection = Builder::address(bus.address().as_str())
            .and_then(|builder| builder.serve_at(WATCHER_PATH, service))
            .and_then(|builder| builder.name(WATCHER))
            .expect("a watcher")
            .build()
            .await
            .expect("a connection");
        Self { connection, shows, items }
    }

    /// A panel comes.
    pub async fn show(&self) {
        self.shows.store(true, Ordering::SeqCst);
        let emitter = SignalEmitter::new(&self.connection, WATCHER_PATH).expect("an emitter");
        Service::status_notifier_host_registered(&emitter).await.expect("a signal");
    }

    pub async fn item(&mut self) -> String {
        self.items.recv().await.expect("an icon")
    }

    pub async fn stop(self) {
        self.connection.close().await.expect("an end");
    }
}

/// Width, height and data of a picture.
pub type Pixmap = (i32, i32, Vec<u8>);

/// An icon, seen by a host.
pub struct Item {
    connection: Connection,
    name: String,
    signals: MessageStream,
}

/// A menu entry as a host gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: i32,
    pub label: String,
    pub enabled: bool,
    pub separator: bool,
    pub tick: Option<i32>,
    pub rows: Vec<Row>,
}

impl Item {
    pub async fn new(bus: &Bus, name: String) -> Self {
        let connection = bus.connect().await;
        let rule =
            MatchRule::builder().msg_type(zbus::message::Type::Signal).sender(name.clone()).expect("a name").build();
        let signals = MessageStream::for_match_rule(rule, &connection, Some(4096)).await.expect("a subscription");
        Self { connection, name, signals }
    }

    async fn call<B, R>(&self, path: &str, interface: &str, method: &str, body: &B) -> R
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
        R: for<'d> zbus::zvariant::DynamicDeserialize<'d>,
    {
        let name = Some(self.name.as_str());
        let reply = self.connection.call_method(name, path, Some(interface), method, body).await.expect(method);
        reply.body().deserialize().expect(method)
    }

    pub async fn property<T: TryFrom<OwnedValue>>(&self, name: &str) -> T {
        let question = ("org.kde.StatusNotifierItem", name);
        let value: OwnedValue =
            self.call("/StatusNotifierItem", "org.freedesktop.DBus.Properties", "Get", &question).await;
        T::try_from(value).unwrap_or_else(|_| panic!("{name} has another type"))
    }

    /// The text below the title of the tooltip.
    pub async fn tooltip(&self) -> String {
        let (_, _, _, text): (String, Vec<Pixmap>, String, String) = self.property("ToolTip").await;
        text
    }

    pub async fn menu(&self) -> Vec<Row> {
        type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));
        let (_, (_, _, rows)): Layout =
            self.call("/MenuBar", "com.canonical.dbusmenu", "GetLayout", &(0, -1, Vec::<String>::new())).await;
        rows.iter().map(|row| parse(row)).collect()
    }

    /// Waits until the menu, without its ids, is `expected`.
    pub async fn menu_becomes(&self, expected: &[Row]) -> Vec<Row> {
        loop {
            let menu = self.menu().await;
            if without_ids(&menu) == without_ids(expected) {
                return menu;
            }
            pause().await;
        }
    }

    pub async fn click(&self, id: i32) {
        let event = (id, "clicked", Value::from(0), 0_u32);
        self.call::<_, ()>("/MenuBar", "com.canonical.dbusmenu", "Event", &event).await;
    }

    pub async fn activate(&self) {
        self.call::<_, ()>("/StatusNotifierItem", "org.kde.StatusNotifierItem", "Activate", &(1, 1)).await;
    }

    /// The names of the signals since the last call.
    pub fn signals(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(Some(Ok(message))) = self.signals.next().now_or_never() {
            names.extend(message.header().member().map(|member| member.to_string()));
        }
        names
    }
}

/// Some time before looking again.
pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Ids belong to one layout.
pub fn without_ids(rows: &[Row]) -> Vec<Row> {
    rows.iter().map(|row| Row { id: 0, rows: without_ids(&row.rows), ..row.clone() }).collect()
}

fn parse(value: &Value<'_>) -> Row {
    let Value::Structure(row) = value else { panic!("no menu entry: {value:?}") };
    let [Value::I32(id), Value::Dict(properties), Value::Array(rows)] = row.fields() else {
        panic!("no menu entry: {row:?}")
    };
    let text = |name: &str| properties.get::<_, String>(&name).ok().flatten();
    let toggle = text("toggle-type").and_then(|_| properties.get::<_, i32>(&"toggle-state").ok().flatten());
    let rows = rows.iter().map(|row| match row {
        Value::Value(row) => parse(row),
        row => parse(row),
    });
    Row {
        id: *id,
        label: text("label").unwrap_or_default(),
        enabled: properties.get::<_, bool>(&"enabled").ok().flatten().unwrap_or(true),
        separator: text("type").as_deref() == Some("separator"),
        tick: toggle,
        rows: rows.collect(),
    }
}

/// A process that runs the tray only: this test program, told by a variable what to be. Its orders go in as lines, its
/// reports come out as lines.
pub struct Tray {
    process: Child,
    orders: Option<ChildStdin>,
    reports: mpsc::UnboundedReceiver<String>,
}

/// Tells [`super::tray_process`] that it is one.
pub const ROLE: &str = "PALYRA_TRAY_TEST_ROLE";

/// Begins a line that is a report.
pub const REPORT: &str = "report: ";

impl Tray {
    pub fn start(address: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .args(["tray_process", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, "tray")
            .env("DBUS_SESSION_BUS_ADDRESS", address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (sender, reports) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The first one stands behind the test's name.
                if let Some((_, report)) = line.split_once(REPORT) {
                    let _ = sender.send(report.to_owned());
                }
            }
        });
        Self { orders: process.stdin.take(), process, reports }
    }

    pub fn order(&mut self, order: &str) {
        writeln!(self.orders.as_mut().expect("an open input"), "{order}").expect("an order");
    }

    pub async fn report(&mut self) -> String {
        self.reports.recv().await.expect("a report")
    }

    /// Ends it the usual way.
    pub async fn end(mut self) {
        drop(self.orders.take());
        let mut last = None;
        while let Some(report) = self.reports.recv().await {
            last = Some(report);
        }
        assert_eq!(last.as_deref(), Some("ended 7"));
        assert!(self.process.wait().expect("an end").success());
    }

    /// Resident memory in KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("its status");
        number(&status, "VmRSS:").expect("its memory")
    }

    /// Context switches by thread.
    pub fn switches(&self) -> HashMap<String, u64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("its threads");
        let count = |task: std::io::Result<std::fs::DirEntry>| {
            let status = std::fs::read_to_string(task.ok()?.path().join("status")).ok()?;
            let name = status.lines().next()?.trim_start_matches("Name:").trim().to_owned();
            let own = number(&status, "voluntary_ctxt_switches:")?;
            let forced = number(&status, "nonvoluntary_ctxt_switches:")?;
            Some((format!("{name} {}", number(&status, "Pid:")?), own + forced))
        };
        tasks.filter_map(count).collect()
    }
}

fn number(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

impl Drop for Tray {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
