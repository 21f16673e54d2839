//! The Linux notifier against a real message bus and a notification server of the test's own.
#![cfg(target_os = "linux")]

#[path = "support/bus.rs"]
mod bus;
#[path = "notify/servers.rs"]
mod servers;

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use palyra_tray::core::view::{Button, Notice, Urgency};
use palyra_tray::protocol::{Action, Place, Verdict};
use palyra_tray::shell::notify::{AppIdentity, Bus, Notifier, NotifyReport, ServerInfo};
use tempfile::TempDir;
use zbus::zvariant::{OwnedValue, Value};

const PATIENCE: Duration = Duration::from_secs(20);
const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

// --- a bus ---

struct Daemon {
    process: Child,
    address: String,
    folder: TempDir,
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Self::spawn(folder.path());
        let address = address_in(folder.path());
        Self { process, address, folder }
    }

    /// A session bus that knows no services but those in `folder/services`.
    fn spawn(folder: &Path) -> Child {
        let services = folder.join("services");
        std::fs::create_dir_all(&services).unwrap();
        let text = format!(
            "<busconfig><type>session</type><listen>{}</listen><auth>EXTERNAL</auth><servicedir>{}</servicedir>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>\
             <allow own=\"*\"/></policy></busconfig>",
            address_in(folder),
            services.display()
        );
        let _ = std::fs::remove_file(folder.join("bus"));
        bus::spawn(folder, &text).0
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn restart(&mut self) {
        self.stop();
        self.process = Self::spawn(self.folder.path());
    }

    fn connect(&self) -> zbus::Connection {
        zbus::block_on(async {
            zbus::connection::Builder::address(self.address.as_str()).unwrap().build().await.unwrap()
        })
    }

    fn bus(&self, retry: Duration) -> Bus {
        Bus { address: Some(self.address.clone()), retry }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

fn address_in(folder: &Path) -> String {
    format!("unix:path={}", folder.join("bus").display())
}

// --- a notification server ---

#[derive(Clone, Debug, Default)]
struct Shown {
    id: u32,
    sender: String,
    app: String,
    icon: String,
    replaces: u32,
    summary: String,
    body: String,
    /// Keys and labels.
    actions: Vec<(String, String)>,
    hints: HashMap<String, String>,
    expire: i32,
}

impl Shown {
    fn key(&self, label: &str) -> String {
        let found = self.actions.iter().find(|(_, l)| l == label);
        found.unwrap_or_else(|| panic!("no button {label:?} in {self:?}")).0.clone()
    }
}

/// What the server does inside `Notify`, before it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Inside {
    #[default]
    Nothing,
    /// Presses the first button and closes.
    Answer,
    /// Clicks the body and closes.
    Body,
    /// Sends this many signals that mean nothing.
    Flood(u32),
}

#[derive(Default)]
struct Desk {
    name: String,
    capabilities: Vec<String>,
    next_id: u32,
    fixed_id: Option<u32>,
    refuse: bool,
    inside: Inside,
    shown: Vec<Shown>,
    closed: Vec<u32>,
}

#[derive(Clone, Default)]
struct Shared(Arc<(Mutex<Desk>, Condvar)>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.0.0.lock().unwrap()
    }

    fn wait<T>(&self, what: &str, mut find: impl FnMut(&Desk) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut desk = self.lock();
        loop {
            if let Some(found) = find(&desk) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain for {what}; shown {:#?}, closed {:?}", desk.shown, desk.closed);
            desk = self.0.1.wait_timeout(desk, left).unwrap().0;
        }
    }
}

struct Interface(Shared);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Interface {
    #[expect(clippy::too_many_arguments, reason = "the interface is what it is")]
    async fn notify(
        &self,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
        app: String,
        replaces: u32,
        icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        expire: i32,
    ) -> zbus::fdo::Result<u32> {
        let (shown, inside) = {
            let mut desk = self.0.lock();
            if desk.refuse {
                return Err(zbus::fdo::Error::LimitsExceeded("enough".to_owned()));
            }
            let id = desk.fixed_id.unwrap_or(if replaces == 0 { desk.next_id } else { replaces });
            desk.next_id = desk.next_id.max(id) + 1;
            let shown = Shown {
                id,
                sender: header.sender().unwrap().to_string(),
                app,
                icon,
                replaces,
                summary,
                body,
                actions: actions.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
                hints: hints.iter().map(|(name, value)| (name.clone(), describe(value))).collect(),
                expire,
            };
            (shown, desk.inside)
        };
        match inside {
            Inside::Nothing => {}
            Inside::Answer => {
                let key = shown.actions.iter().find(|(key, _)| key != "default").unwrap();
                emit(connection, None, "ActionInvoked", &(shown.id, key.0.as_str())).await;
                emit(connection, None, "NotificationClosed", &(shown.id, 2_u32)).await;
            }
            Inside::Body => {
                emit(connection, None, "ActionInvoked", &(shown.id, "default")).await;
                emit(connection, None, "NotificationClosed", &(shown.id, 2_u32)).await;
            }
            Inside::Flood(count) => {
                for n in 0..count {
                    emit(connection, None, "NotificationClosed", &(900_000 + n, 1_u32)).await;
                }
            }
        }
        let id = shown.id;
        self.0.lock().shown.push(shown);
        self.0.0.1.notify_all();
        Ok(id)
    }

    fn close_notification(&self, id: u32) {
        self.0.lock().closed.push(id);
        self.0.0.1.notify_all();
    }

    fn get_capabilities(&self) -> Vec<String> {
        self.0.lock().capabilities.clone()
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        (self.0.lock().name.clone(), "Testers".to_owned(), "1".to_owned(), "1.2".to_owned())
    }
}

fn describe(value: &OwnedValue) -> String {
    match &**value {
        Value::Str(text) => text.to_string(),
        Value::U8(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => format!("{other:?}"),
    }
}

async fn emit<B: serde::Serialize + zbus::zvariant::DynamicType>(
    connection: &zbus::Connection,
    to: Option<&str>,
    member: &str,
    body: &B,
) {
    connection.emit_signal(to, PATH, NAME, member, body).await.unwrap();
}

struct Server {
    connection: zbus::Connection,
    desk: Shared,
}

impl Server {
    fn start(daemon: &Daemon) -> Self {
        Self::with(daemon, &["actions", "body", "body-markup"])
    }

    fn with(daemon: &Daemon, capabilities: &[&str]) -> Self {
        Self::named(daemon, "Test desk", capabilities)
    }

    fn named(daemon: &Daemon, name: &str, capabilities: &[&str]) -> Self {
        let desk = Shared::default();
        name.clone_into(&mut desk.lock().name);
        desk.lock().capabilities = capabilities.iter().map(|&name| name.to_owned()).collect();
        desk.lock().next_id = 1;
        let connection = zbus::block_on(async {
            zbus::connection::Builder::address(daemon.address.as_str())
                .unwrap()
                .serve_at(PATH, Interface(desk.clone()))
                .unwrap()
                .name(NAME)
                .unwrap()
                .build()
                .await
                .unwrap()
        });
        Self { connection, desk }
    }

    fn stop(self) {
        zbus::block_on(self.connection.close()).unwrap();
    }

    fn click(&self, id: u32, key: &str) {
        zbus::block_on(emit(&self.connection, None, "ActionInvoked", &(id, key)));
    }

    fn close(&self, id: u32, reason: u32) {
        zbus::block_on(emit(&self.connection, None, "NotificationClosed", &(id, reason)));
    }

    /// The newest version of the notification with this title.
    fn shown(&self, title: &str) -> Shown {
        self.desk.wait(title, |desk| desk.shown.iter().rev().find(|shown| shown.summary == title).cloned())
    }

    fn shown_with(&self, title: &str, body: &str) -> Shown {
        self.desk.wait(body, |desk| {
            desk.shown.iter().rev().find(|shown| shown.summary == title && shown.body == body).cloned()
        })
    }

    fn count(&self, title: &str) -> usize {
        self.desk.lock().shown.iter().filter(|shown| shown.summary == title).count()
    }

    fn wait_closed(&self, id: u32) {
        self.desk.wait("a withdrawal", |desk| desk.closed.contains(&id).then_some(()));
    }
}

// --- the notifier under test ---

struct Agent {
    notifier: Notifier,
    reports: Receiver<NotifyReport>,
}

impl Agent {
    fn start(daemon: &Daemon) -> Self {
        Self::on(daemon.bus(Duration::from_secs(30)))
    }

    fn on(bus: Bus) -> Self {
        let (sender, reports) = mpsc::channel();
        let notifier = Notifier::start_on(bus, AppIdentity::default(), move |report| {
            let _ = sender.send(report);
        });
        Self { notifier, reports }
    }

    fn show(&self, notices: &[&Notice]) {
        self.notifier.show(set(notices));
    }

    fn next(&self) -> NotifyReport {
        self.reports.recv_timeout(PATIENCE).expect("no report came")
    }

    fn expect_server(&self) -> ServerInfo {
        loop {
            match self.next() {
                NotifyReport::Server(Some(info)) => return info,
                NotifyReport::Server(None) => {}
                other => panic!("expected a server, got {other:?}"),
            }
        }
    }

    /// The next report must be this click, so nothing before it was believed.
    fn expect_click(&self, notice: &Notice, action: &Action) {
        match self.next() {
            NotifyReport::Clicked { key, action: got, notice: shown } => {
                assert_eq!((key, &got, &shown), (notice.title.clone(), action, notice));
            }
            other => panic!("expected a click on {:?}, got {other:?}", notice.title),
        }
    }
}

fn set(notices: &[&Notice]) -> BTreeMap<String, Notice> {
    notices.iter().map(|notice| (notice.title.clone(), (*notice).clone())).collect()
}

fn decide(verdict: Verdict) -> Action {
    Action::Decide { approval_id: "01H".to_owned(), digest: "d1g".to_owned(), verdict }
}

fn details() -> Action {
    Action::Open { place: Place::section("approvals") }
}

fn notice(title: &str, body: &str) -> Notice {
    let button = |label: &str, action| Button { label: label.to_owned(), action };
    Notice {
        title: title.to_owned(),
        body: body.to_owned(),
        urgency: Urgency::Normal,
        buttons: vec![
            button("Approve once", decide(Verdict::Approve)),
            button("Deny", decide(Verdict::Deny)),
            button("Details", details()),
        ],
        default_action: Some(details()),
        resident: true,
        quiet_update: true,
        again: 0,
    }
}

// --- tests ---

#[test]
fn shows_replaces_and_withdraws() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    let info = agent.expect_server();
    assert_eq!((info.name.as_str(), info.vendor.as_str()), ("Test desk", "Testers"));
    assert!(info.actions && info.body && info.body_markup && info.withdraw && !info.inline_reply && !info.persistence);

    let critical = Notice { urgency: Urgency::Critical, ..notice("approval:1", "a <b>\n& c") };
    let passing = Notice { resident: false, ..notice("event:down", "gone") };
    agent.show(&[&critical, &passing]);
    let first = server.shown("approval:1");
    assert_eq!((first.app.as_str(), first.icon.as_str(), first.replaces), ("Palyra Tray", "palyra-tray", 0));
    assert_eq!(first.body, "a &lt;b&gt;\n&amp; c");
    let hint = |shown: &Shown, name: &str| shown.hints.get(name).cloned();
    assert_eq!(hint(&first, "urgency").as_deref(), Some("2"));
    assert_eq!(hint(&first, "desktop-entry").as_deref(), Some("palyra-tray"));
    assert_eq!(hint(&first, "category").as_deref(), Some("x-palyra.approval"));
    assert_eq!((hint(&first, "resident").as_deref(), first.expire), (Some("true"), 0));
    let labels: Vec<&str> = first.actions.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(labels, ["Open", "Approve once", "Deny", "Details"]);
    let event = server.shown("event:down");
    assert_eq!((hint(&event, "resident"), event.expire, hint(&event, "urgency").as_deref()), (None, -1, Some("1")));

    let changed = Notice { body: "less time".to_owned(), ..critical.clone() };
    agent.show(&[&changed]);
    let second = server.shown_with("approval:1", "less time");
    assert_eq!((second.id, second.replaces), (first.id, first.id));
    assert_eq!(hint(&second, "suppress-sound").as_deref(), Some("true"));
    server.wait_closed(event.id);
    agent.show(&[]);
    server.wait_closed(first.id);
    assert_eq!(server.desk.lock().closed, [event.id, first.id]);
}

#[test]
fn an_unchanged_set_is_one_notification() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    let fixed = notice("fixed", "x");
    for _ in 0..50 {
        agent.show(&[&fixed]);
    }
    server.shown("fixed");
    for round in 0..50 {
        agent.show(&[&fixed]);
        let fence = notice(&format!("fence {round}"), "");
        agent.show(&[&fixed, &fence]);
        server.shown(&fence.title);
    }
    assert_eq!(server.count("fixed"), 1);
}

#[test]
fn a_storm_of_changes_is_thinned_and_its_last_state_is_shown() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    for n in 0..=500 {
        agent.show(&[&notice("storm", &n.to_string())]);
    }
    server.shown_with("storm", "500");
    assert!(server.count("storm") < 20, "{} notifications for 501 changes", server.count("storm"));
}

#[test]
fn a_click_counts_once_and_a_close_after_it_is_nothing() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    let (asked, fence) = (notice("asked", "x"), notice("fence", ""));
    agent.show(&[&asked, &fence]);
    let (card, end) = (server.shown("asked"), server.shown("fence"));
    let approve = card.key("Approve once");
    assert_eq!(approve.len(), 32, "128 bits in hex");
    assert_ne!(approve, card.key("Deny"));
    for key in [&card.key("Details"), &card.key("Details"), &approve, &approve, &card.key("Deny")] {
        server.click(card.id, key);
    }
    server.close(card.id, 2);
    server.click(end.id, "default");
    agent.expect_click(&asked, &details());
    agent.expect_click(&asked, &decide(Verdict::Approve));
    agent.expect_click(&fence, &details());
}

#[test]
fn a_typed_answer_comes_once_from_the_owner_and_only_where_it_can_be_typed() {
    let daemon = Daemon::start();
    let server = Server::with(&daemon, &["actions", "body", "inline-reply"]);
    let agent = Agent::start(&daemon);
    assert!(agent.expect_server().inline_reply);
    let action = Action::Reply { session_id: "S".to_owned() };
    let answered = Notice {
        buttons: vec![
            Button { label: "Open chat".to_owned(), action: details() },
            Button { label: "Reply…".to_owned(), action: action.clone() },
        ],
        ..notice("event:run:1", "Bread.")
    };
    agent.show(&[&answered]);
    let shown = server.shown("event:run:1");
    assert!(shown.actions.contains(&("inline-reply".to_owned(), "Reply…".to_owned())), "{:?}", shown.actions);
    let typed = |connection: &zbus::Connection, id: u32, text: &str| {
        zbus::block_on(emit(connection, None, "NotificationReplied", &(id, text)));
    };
    // somebody else on the bus, nothing at all, another notification
    typed(&daemon.connect(), shown.id, "forged");
    typed(&server.connection, shown.id, "  ");
    typed(&server.connection, shown.id + 7, "to nobody");
    typed(&server.connection, shown.id, "And milk?");
    typed(&server.connection, shown.id, "twice");
    match agent.next() {
        NotifyReport::Typed { key, action: got, text } => {
            assert_eq!((key.as_str(), got, text.as_str()), ("event:run:1", action.clone(), "And milk?"));
        }
        other => panic!("{other:?}"),
    }
    // where it cannot be typed it is a button like any other
    server.stop();
    let server = Server::start(&daemon);
    agent.show(&[&Notice { body: "Milk.".to_owned(), ..answered.clone() }]);
    let shown = server.shown_with("event:run:1", "Milk.");
    assert!(!shown.actions.iter().any(|(key, _)| key == "inline-reply"), "{:?}", shown.actions);
}

#[test]
fn a_click_from_anyone_but_the_owner_is_not_a_click() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    let asked = notice("asked", "x");
    agent.show(&[&asked]);
    let card = server.shown("asked");
    let stranger = daemon.connect();
    zbus::block_on(async {
        for to in [None, Some(card.sender.as_str())] {
            emit(&stranger, to, "ActionInvoked", &(card.id, card.key("Approve once"))).await;
            emit(&stranger, to, "ActionInvoked", &(card.id, "default")).await;
            emit(&stranger, to, "NotificationClosed", &(card.id, 2_u32)).await;
        }
        // Its answer comes after the bus has passed on all of the above.
        let bus = Some("org.freedesktop.DBus");
        stranger.call_method(bus, "/org/freedesktop/DBus", bus, "GetId", &()).await.unwrap();
    });
    server.click(card.id, &card.key("Deny"));
    agent.expect_click(&asked, &decide(Verdict::Deny));
}

#[test]
fn a_click_on_an_outdated_version_is_ignored() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    agent.show(&[&notice("asked", "old")]);
    let old = server.shown_with("asked", "old");
    let asked = notice("asked", "new");
    agent.show(&[&asked]);
    let new = server.shown_with("asked", "new");
    assert_ne!(old.key("Approve once"), new.key("Approve once"));
    server.click(old.id, &old.key("Approve once"));
    server.click(new.id, &new.key("Deny"));
    agent.expect_click(&asked, &decide(Verdict::Deny));
}

#[test]
fn a_new_server_gets_everything_that_still_matters() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    let (open, put_away) = (notice("open", "x"), notice("put away", "x"));
    agent.show(&[&open, &put_away]);
    let old = server.shown("open");
    server.close(server.shown("put away").id, 2);
    assert_eq!(agent.next(), NotifyReport::Dismissed { key: "put away".to_owned() });
    server.stop();
    assert_eq!(agent.next(), NotifyReport::Server(None));
    let late = notice("while nobody was there", "x");
    agent.show(&[&open, &put_away, &late]);

    let server = Server::with(&daemon, &["actions"]);
    assert!(!agent.expect_server().body_markup);
    let again = server.shown("open");
    server.shown(&late.title);
    assert_eq!((again.replaces, server.count("put away")), (0, 0));
    assert_ne!(again.key("Deny"), old.key("Deny"));
    server.click(again.id, &old.key("Approve once"));
    server.click(again.id, &again.key("Deny"));
    agent.expect_click(&open, &decide(Verdict::Deny));
}

#[test]
fn a_server_without_actions_gets_none_and_no_markup_where_it_reads_none() {
    let daemon = Daemon::start();
    let server = Server::with(&daemon, &["body"]);
    let agent = Agent::start(&daemon);
    assert!(!agent.expect_server().actions);
    agent.show(&[&notice("plain", "a <b> & c")]);
    let card = server.shown("plain");
    assert_eq!((card.actions.as_slice(), card.body.as_str()), ([].as_slice(), "a <b> & c"));
}

#[test]
fn dismissal_and_expiry_are_told_apart_and_bring_nothing_back() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    let all = ["dismissed", "expired", "taken"].map(|title| notice(title, "x"));
    agent.show(&[&all[0], &all[1], &all[2]]);
    for (title, reason) in [("dismissed", 2), ("expired", 1), ("taken", 3)] {
        let id = server.shown(title).id;
        server.close(id, reason);
        server.close(id, reason);
    }
    // in which order they are told depends on which Notify was answered first
    let mut told = [agent.next(), agent.next(), agent.next()];
    told.sort_by_key(|report| format!("{report:?}"));
    let key = |title: &str| title.to_owned();
    assert_eq!(
        told,
        [
            NotifyReport::Dismissed { key: key("dismissed") },
            NotifyReport::Expired { key: key("expired") },
            NotifyReport::Expired { key: key("taken") }
        ]
    );
    let fence = notice("fence", "");
    agent.show(&[&notice("dismissed", "other text"), &all[1], &all[2], &fence]);
    server.click(server.shown("fence").id, "default");
    agent.expect_click(&fence, &details());
    assert_eq!(server.desk.lock().shown.len(), 4);
}

#[test]
fn a_decision_never_hangs_on_the_body() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    let tricky = Notice { default_action: Some(decide(Verdict::Approve)), ..notice("tricky", "x") };
    agent.show(&[&tricky]);
    let card = server.shown("tricky");
    assert!(card.actions.iter().all(|(key, _)| key != "default"));
    server.click(card.id, "default");
    server.click(card.id, &card.key("Deny"));
    agent.expect_click(&tricky, &decide(Verdict::Deny));
}

#[test]
fn an_answer_before_the_servers_own_reply_counts() {
    for (inside, action) in [(Inside::Answer, decide(Verdict::Approve)), (Inside::Body, details())] {
        let daemon = Daemon::start();
        let server = Server::start(&daemon);
        server.desk.lock().inside = inside;
        let agent = Agent::start(&daemon);
        agent.expect_server();
        let asked = notice("asked", "x");
        agent.show(&[&asked]);
        agent.expect_click(&asked, &action);
        server.desk.lock().inside = Inside::Nothing;
        let fence = notice("fence", "");
        agent.show(&[&asked, &fence]);
        server.click(server.shown("fence").id, "default");
        agent.expect_click(&fence, &details());
        assert_eq!(server.count("asked"), 1, "it was closed, not lost");
    }
}

#[test]
fn a_flood_before_the_reply_stops_nothing() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    server.desk.lock().inside = Inside::Flood(2000);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    let asked = notice("asked", "x");
    agent.show(&[&asked]);
    let card = server.shown("asked");
    server.click(card.id, &card.key("Deny"));
    agent.expect_click(&asked, &decide(Verdict::Deny));
}

#[test]
fn a_server_that_lies_about_ids_confuses_nobody() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    server.desk.lock().fixed_id = Some(7);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    let (first, second) = (notice("first", "x"), notice("second", "x"));
    agent.show(&[&first]);
    let old = server.shown("first");
    agent.show(&[&first, &notice("second", "")]);
    server.shown("second");
    // An update is sent after the answer to the first version was read: from here on the agent knows.
    agent.show(&[&first, &second]);
    let new = server.shown_with("second", "x");
    server.click(7, &old.key("Approve once"));
    server.click(99, "default");
    server.click(7, "");
    server.close(99, 2);
    zbus::block_on(async {
        emit(&server.connection, None, "ActionInvoked", &("7", 7_u32)).await;
        emit(&server.connection, None, "NotificationClosed", &()).await;
    });
    server.click(7, &new.key("Deny"));
    server.click(7, &new.key("Deny"));
    server.close(7, 2);
    server.close(7, 2);
    agent.expect_click(&second, &decide(Verdict::Deny));
    server.desk.lock().fixed_id = Some(0);
    agent.show(&[&notice("third", "x")]);
    assert!(matches!(agent.next(), NotifyReport::Failed { message } if message.contains("third")));
    server.desk.lock().fixed_id = None;
    server.desk.lock().refuse = true;
    agent.show(&[&notice("fourth", "x")]);
    assert!(matches!(agent.next(), NotifyReport::Failed { message } if message.contains("fourth")));
}

#[test]
fn without_a_bus_it_says_so_and_comes_back_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::on(Bus { address: Some(address_in(folder.path())), retry: Duration::ZERO });
    assert_eq!(agent.next(), NotifyReport::Server(None));
    let asked = notice("asked", "x");
    agent.show(&[&asked]);

    let mut daemon = Daemon { process: Daemon::spawn(folder.path()), address: address_in(folder.path()), folder };
    let server = Server::start(&daemon);
    agent.show(&[&asked]);
    agent.expect_server();
    server.shown("asked");

    daemon.restart();
    assert_eq!(agent.next(), NotifyReport::Server(None));
    let server = Server::start(&daemon);
    agent.show(&[&asked]);
    agent.expect_server();
    server.shown("asked");
}

#[test]
fn no_bus_at_all_is_asked_again_only_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let address = address_in(folder.path());
    let agent = Agent::on(Bus { address: Some(address.clone()), retry: Duration::from_secs(3600) });
    assert_eq!(agent.next(), NotifyReport::Server(None));
    let socket = std::os::unix::net::UnixListener::bind(folder.path().join("bus")).unwrap();
    for n in 0..100 {
        agent.show(&[&notice("asked", &n.to_string())]);
    }
    agent.notifier.finish(PATIENCE);
    socket.set_nonblocking(true).unwrap();
    assert!(socket.accept().is_err(), "it knocked again");
}

#[test]
fn a_server_is_started_when_there_is_something_to_show_and_a_failure_is_not_repeated() {
    let daemon = Daemon::start();
    let (starts, script) = (daemon.folder.path().join("starts"), daemon.folder.path().join("start.sh"));
    std::fs::write(&script, format!("#!/bin/sh\necho x >> '{}'\nexit 1\n", starts.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let service = format!("[D-BUS Service]\nName={NAME}\nExec={}\n", script.display());
    std::fs::write(daemon.folder.path().join("services/notifications.service"), service).unwrap();
    let daemon = {
        let mut daemon = daemon;
        daemon.restart();
        daemon
    };
    let agent = Agent::start(&daemon);
    assert_eq!(agent.next(), NotifyReport::Server(None));
    assert!(!starts.exists(), "nothing is to be shown yet");
    agent.show(&[&notice("asked", "0")]);
    assert!(matches!(agent.next(), NotifyReport::Failed { message } if message.contains("could not be started")));
    for n in 1..20 {
        agent.show(&[&notice("asked", &n.to_string())]);
    }
    let server = Server::start(&daemon);
    agent.expect_server();
    server.shown("asked");
    assert_eq!(std::fs::read_to_string(&starts).unwrap(), "x\n");
}

#[test]
fn the_end_clears_the_screen() {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    agent.show(&[&notice("asked", "x")]);
    let card = server.shown("asked");
    agent.notifier.finish(PATIENCE);
    server.wait_closed(card.id);
    assert!(agent.reports.recv().is_err(), "its thread is gone");
}
