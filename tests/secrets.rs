//! The secrets store on real files, and on Linux with a real keyring on a bus of the test's own.
//!
//! The keyring client finds its bus by the environment, so those tests run the store in a child: this very test program,
//! asked for [`child`] alone.
#![cfg(unix)]

#[cfg(target_os = "linux")]
#[path = "support/bus.rs"]
mod bus;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use palyra_tray::core::dialog::Answer;
use palyra_tray::core::event::Event;
use palyra_tray::core::launch::{Confidential, Places, environment};
use palyra_tray::core::ports;
use palyra_tray::core::redact::Redactor;
use palyra_tray::protocol::secrets::SecretName;
use palyra_tray::protocol::setup::{Provider, SetupRequest};
use palyra_tray::protocol::shim::{LogLimits, Spec, StopLadder};
use palyra_tray::protocol::{Envelope, Request, RunId, Secret, ServiceId};
use palyra_tray::shell::gateway::Client;
use palyra_tray::shell::secrets::{
    Backend, Place, Rotation, SecretValues, Secrets, SecretsConfig, SecretsReport, Timing, qualifier,
};
use palyra_tray::shell::sidecars::Tokens;
use secrecy::{ExposeSecret, SecretString};

const PATIENCE: Duration = Duration::from_secs(30);

fn config(root: &Path, backend: Backend) -> SecretsConfig {
    SecretsConfig {
        state_dir: root.join("tray"),
        qualifier: qualifier(root),
        backend,
        timing: Timing { recheck: Duration::from_millis(100), ..Timing::default() },
    }
}

fn start(root: &Path) -> (Secrets, Receiver<SecretsReport>) {
    let (sender, reports) = mpsc::channel();
    let secrets = Secrets::start(config(root, Backend::File), move |report| {
        let _ = sender.send(report);
    });
    (secrets, reports)
}

fn fetch(root: &Path) -> (Vec<String>, Vec<String>) {
    let (_secrets, reports) = start(root);
    match reports.recv_timeout(PATIENCE).expect("no report") {
        SecretsReport::Ready { values, place, notes, .. } => {
            assert!(matches!(place, Place::File(path, why) if path.ends_with("secrets.json") && !why.is_empty()));
            assert!(reports.recv_timeout(PATIENCE).is_err(), "nothing follows, and the reporter is gone");
            (plain(&values), notes)
        }
        other => panic!("expected secrets, got {other:?}"),
    }
}

fn plain(values: &SecretValues) -> Vec<String> {
    SecretName::ALL.iter().map(|&name| values.get(name).expose_secret().to_owned()).collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Whatever holds a secret and can be printed for a developer, printed.
#[test]
fn nothing_that_holds_a_secret_shows_it() {
    const PLANTED: &str = "plainly-visible";
    let secret = || Secret::new(PLANTED);
    let text = || SecretString::from(PLANTED);
    let confidential = Confidential { admin_token: secret(), browser_token: secret(), browser_key: Some(secret()) };
    let spec = |service| Spec {
        version: 1,
        run_id: RunId("r".to_owned()),
        service,
        run_dir: "/r".into(),
        program: "/p".into(),
        args: Vec::new(),
        env: environment(service, &Places::default(), &confidential, "p", &ports::defaults(service), Some(1)),
        ladder: StopLadder::default(),
        log: LogLimits { path: "/l".into(), max_bytes: 1, keep: 1 },
        ports: BTreeMap::new(),
        lease_ms: None,
        hide: Vec::new(),
    };
    let asked = |request| Envelope { version: 1, request: Request::Setup(request) };
    let provider = Provider::Openai;
    let root = tempfile::tempdir().unwrap();
    let fetched = {
        let (_secrets, reports) = start(root.path());
        reports.recv_timeout(PATIENCE).unwrap()
    };
    let SecretsReport::Ready { values, .. } = &fetched else { panic!("{fetched:?}") };
    let rotation = Rotation::Stored(values.clone(), vec![SecretName::AdminToken]);
    let held = plain(values);
    let tokens = Tokens { admin: text(), browser: text(), browser_key: text(), in_file: true };
    let shown = [
        format!("{:?}", secret()),
        format!("{confidential:?} {:?}", spec(ServiceId::Gateway).env),
        format!("{:?} {:?}", spec(ServiceId::Gateway), spec(ServiceId::Browserd)),
        format!("{tokens:?}"),
        format!("{:?}", asked(SetupRequest::ProviderKey { provider, key: secret() })),
        format!("{:?}", asked(SetupRequest::SignIn { provider, client_id: None, client_secret: Some(secret()) })),
        format!("{:?}", asked(SetupRequest::DiscordProbe { token: secret() })),
        format!("{:?}", Event::Asked(1, asked(SetupRequest::DiscordApply { token: secret() }).request)),
        format!("{:?}", Answer::with_value("next", Some(secret()))),
        format!("{:?}", Client::new(1, text(), "d", "p").unwrap()),
        format!("{:?}", Redactor::new([PLANTED.to_owned()])),
        format!("{fetched:?} {rotation:?}"),
    ];
    for shown in &shown {
        assert!(!shown.contains(PLANTED) && held.iter().all(|value| !shown.contains(value)), "{shown}");
    }
}

#[test]
fn the_file_is_private_and_stable() {
    let root = tempfile::tempdir().unwrap();
    let (first, notes) = fetch(root.path());
    assert_eq!(notes, [""; 0]);
    let file = root.path().join("tray/secrets.json");
    assert_eq!((mode(&file), mode(&root.path().join("tray"))), (0o600, 0o700));
    assert_eq!((first[0].len(), first[1].len(), first[2].len()), (52, 52, 44));
    assert_eq!(fetch(root.path()).0, first);
    let text: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(text["desktop_admin_token"], first[0].as_str());
    assert_eq!(text["desktop_browser_auth_token"], first[1].as_str());
    assert_eq!(text["desktop_browser_state_encryption_key"], first[2].as_str());
    assert!(names(&root.path().join("tray")).iter().all(|name| name.starts_with("secrets.")), "nothing is left behind");
}

#[test]
fn a_file_open_to_others_is_closed_and_said() {
    let root = tempfile::tempdir().unwrap();
    let (first, _) = fetch(root.path());
    let file = root.path().join("tray/secrets.json");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::set_permissions(root.path().join("tray"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let (again, notes) = fetch(root.path());
    assert_eq!((again, notes.len()), (first, 1));
    assert!(notes[0].contains("others"));
    assert_eq!((mode(&file), mode(&root.path().join("tray"))), (0o600, 0o700));
}

#[test]
fn a_damaged_file_is_set_aside_and_said() {
    for damage in
        ["", "{", "{}", r#"{"schema_version":1,"desktop_admin_token":"x"}"#, r#"{"schema_version":1,"new":""}"#]
    {
        let root = tempfile::tempdir().unwrap();
        let (first, _) = fetch(root.path());
        let file = root.path().join("tray/secrets.json");
        std::fs::write(&file, damage).unwrap();
        let (new, notes) = fetch(root.path());
        assert!(new.iter().zip(&first).all(|(new, old)| new != old));
        assert!(matches!(notes.as_slice(), [note] if note.contains("damaged")), "{damage:?}: {notes:?}");
        let folder = root.path().join("tray");
        let aside = names(&folder).into_iter().find(|name| name.starts_with("secrets.json.corrupt-")).unwrap();
        assert_eq!(std::fs::read_to_string(folder.join(aside)).unwrap(), damage);
        assert_eq!(fetch(root.path()).0, new);
    }
}

#[test]
fn a_missing_secret_is_added_and_the_others_stay() {
    let root = tempfile::tempdir().unwrap();
    let (first, _) = fetch(root.path());
    let file = root.path().join("tray/secrets.json");
    std::fs::write(&file, format!(r#"{{"schema_version":1,"desktop_browser_state_encryption_key":"{}"}}"#, first[2]))
        .unwrap();
    let (new, _) = fetch(root.path());
    assert_eq!(new[2], first[2]);
    assert_ne!(new[0], first[0]);
}

#[test]
fn a_folder_that_cannot_be_used_is_a_failure_until_it_can() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("tray");
    std::fs::write(&folder, "in the way").unwrap();
    let (secrets, reports) = start(root.path());
    match reports.recv_timeout(PATIENCE).unwrap() {
        SecretsReport::Failed { message } => assert!(message.contains("tray"), "{message}"),
        other => panic!("expected a failure, got {other:?}"),
    }
    std::fs::remove_file(&folder).unwrap();
    secrets.retry();
    assert!(matches!(reports.recv_timeout(PATIENCE).unwrap(), SecretsReport::Ready { .. }));
}

#[test]
fn eight_at_once_get_one_set() {
    for _ in 0..10 {
        let root = tempfile::tempdir().unwrap();
        let running: Vec<_> = (0..8).map(|_| start(root.path())).collect();
        let mut sets: Vec<Vec<String>> = running
            .iter()
            .map(|(_, reports)| match reports.recv_timeout(PATIENCE).unwrap() {
                SecretsReport::Ready { values, .. } => plain(&values),
                other => panic!("expected secrets, got {other:?}"),
            })
            .collect();
        sets.dedup();
        assert_eq!(sets.len(), 1);
        assert_eq!(fetch(root.path()).0, sets[0]);
    }
}

#[cfg(target_os = "linux")]
mod keyring {
    use std::io::{BufRead, BufReader, Write};
    use std::path::PathBuf;
    use std::process::{Child, ChildStdin, Command, Stdio};
    use std::time::Instant;

    use sha2::{Digest, Sha256};
    use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

    use super::*;

    const SECRETS: &str = "org.freedesktop.secrets";
    const SERVICE_PATH: &str = "/org/freedesktop/secrets";
    const LOGIN: &str = "/org/freedesktop/secrets/collection/login";
    const PASSWORD: &str = "a keyring password";

    /// Not a test of its own: what the others start. It prints what is reported and reads commands.
    #[expect(clippy::disallowed_methods, reason = "a child process that plays one part and ends")]
    #[test]
    fn child() {
        let Some(root) = std::env::var_os("PALYRA_TEST_SECRETS_ROOT") else { return };
        let (sender, reports) = mpsc::channel();
        let config = SecretsConfig {
            timing: Timing {
                waiting_after: Duration::from_millis(300),
                recheck: Duration::from_millis(std::env::var("RECHECK_MS").unwrap().parse().unwrap()),
            },
            ..config(Path::new(&root), Backend::Auto)
        };
        let secrets = Secrets::start(config, move |report| {
            let _ = sender.send(report);
        });
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if line == "retry" {
                    secrets.retry();
                }
            }
            std::process::exit(0);
        });
        for report in reports {
            println!("\nREPORT {}", describe(&report));
        }
        std::process::exit(0);
    }

    fn describe(report: &SecretsReport) -> serde_json::Value {
        match report {
            SecretsReport::Ready { values, place, notes, .. } => {
                let digest = Sha256::digest(plain(values).join(" "));
                serde_json::json!({
                    "state": "ready", "digest": format!("{digest:x}"), "place": place.to_string(), "notes": notes,
                })
            }
            SecretsReport::Waiting { reason } => serde_json::json!({ "state": "waiting", "why": reason }),
            SecretsReport::Locked { message } => serde_json::json!({ "state": "locked", "why": message }),
            SecretsReport::Failed { message } => serde_json::json!({ "state": "failed", "why": message }),
        }
    }

    struct Running {
        process: Child,
        commands: ChildStdin,
        reports: Receiver<serde_json::Value>,
    }

    impl Running {
        fn next(&self) -> serde_json::Value {
            self.reports.recv_timeout(PATIENCE).expect("no report from the child")
        }

        /// A busy machine may make anything wait.
        fn expect(&self, state: &str) -> serde_json::Value {
            let mut report = self.next();
            while report["state"] == "waiting" && state != "waiting" {
                report = self.next();
            }
            assert_eq!(report["state"], state, "{report}");
            report
        }

        fn retry(&mut self) {
            writeln!(self.commands, "retry").unwrap();
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }

    /// A person's session: home, bus, perhaps a keyring.
    struct Session {
        home: tempfile::TempDir,
        bus: Child,
        address: String,
        keyring: Option<Child>,
    }

    impl Session {
        fn start() -> Self {
            let home = tempfile::tempdir().unwrap();
            for folder in ["run", "data", "root"] {
                std::fs::create_dir(home.path().join(folder)).unwrap();
            }
            std::fs::set_permissions(home.path().join("run"), std::fs::Permissions::from_mode(0o700)).unwrap();
            let (bus, address) = crate::bus::session(home.path());
            Self { home, bus, address, keyring: None }
        }

        fn root(&self) -> PathBuf {
            self.home.path().join("root")
        }

        fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
            let mut command = Command::new(program);
            command
                .env_remove("DISPLAY")
                .env_remove("WAYLAND_DISPLAY")
                .env_remove("GNOME_KEYRING_CONTROL")
                .env("HOME", self.home.path())
                .env("XDG_RUNTIME_DIR", self.home.path().join("run"))
                .env("XDG_DATA_HOME", self.home.path().join("data"))
                .env("DBUS_SESSION_BUS_ADDRESS", &self.address);
            command
        }

        /// With the password the login keyring is made and unlocked; without it stays locked, and nobody can be asked.
        fn start_keyring(&mut self, unlock: bool) {
            let mut command = self.command("gnome-keyring-daemon");
            command.args(["--foreground", "--components=secrets"]);
            if unlock {
                command.arg("--unlock");
            }
            let mut process = command
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("gnome-keyring-daemon is needed for these tests (Debian package gnome-keyring)");
            process.stdin.take().unwrap().write_all(if unlock { PASSWORD.as_bytes() } else { b"" }).unwrap();
            self.keyring = Some(process);
            let bus = self.connect();
            until("the keyring is there", || {
                zbus::block_on(zbus::fdo::DBusProxy::new(&bus))
                    .and_then(|proxy| Ok(zbus::block_on(proxy.name_has_owner(SECRETS.try_into()?))?))
                    .unwrap()
            });
            until("the keyring's lock is as wanted", || self.locked(&bus) == Some(!unlock));
        }

        fn stop_keyring(&mut self) {
            if let Some(mut process) = self.keyring.take() {
                let _ = process.kill();
                let _ = process.wait();
            }
            let bus = self.connect();
            until("the keyring is gone", || self.locked(&bus).is_none());
        }

        fn connect(&self) -> zbus::Connection {
            zbus::block_on(async {
                zbus::connection::Builder::address(self.address.as_str()).unwrap().build().await.unwrap()
            })
        }

        fn locked(&self, bus: &zbus::Connection) -> Option<bool> {
            let property = ("org.freedesktop.Secret.Collection", "Locked");
            let interface = Some("org.freedesktop.DBus.Properties");
            let reply = zbus::block_on(bus.call_method(Some(SECRETS), LOGIN, interface, "Get", &property)).ok()?;
            bool::try_from(reply.body().deserialize::<OwnedValue>().ok()?).ok()
        }

        /// What the prompter would do with the person's password.
        fn unlock(&self) {
            let bus = self.connect();
            let interface = Some("org.freedesktop.Secret.Service");
            let open = ("plain", Value::from(""));
            let reply =
                zbus::block_on(bus.call_method(Some(SECRETS), SERVICE_PATH, interface, "OpenSession", &open)).unwrap();
            let (_, session): (OwnedValue, OwnedObjectPath) = reply.body().deserialize().unwrap();
            let master = (session, Vec::<u8>::new(), PASSWORD.as_bytes().to_vec(), "text/plain");
            let interface = Some("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface");
            let body = (ObjectPath::try_from(LOGIN).unwrap(), master);
            zbus::block_on(bus.call_method(Some(SECRETS), SERVICE_PATH, interface, "UnlockWithMasterPassword", &body))
                .unwrap();
            assert_eq!(self.locked(&bus), Some(false));
        }

        /// How many items the keyring shows; locked ones are counted too.
        fn items(&self) -> usize {
            let property = ("org.freedesktop.Secret.Collection", "Items");
            let interface = Some("org.freedesktop.DBus.Properties");
            let bus = self.connect();
            let reply = zbus::block_on(bus.call_method(Some(SECRETS), LOGIN, interface, "Get", &property)).unwrap();
            let value: OwnedValue = reply.body().deserialize().unwrap();
            Vec::<OwnedObjectPath>::try_from(value).unwrap().len()
        }

        fn store(&self) -> Running {
            self.store_with(100)
        }

        fn store_with(&self, recheck_ms: u64) -> Running {
            let mut process = self
                .command(std::env::current_exe().unwrap())
                .args(["--exact", "keyring::child", "--nocapture"])
                .env("PALYRA_TEST_SECRETS_ROOT", self.root())
                .env("RECHECK_MS", recheck_ms.to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let (sender, reports) = mpsc::channel();
            let output = BufReader::new(process.stdout.take().unwrap());
            std::thread::spawn(move || {
                for line in output.lines().map_while(Result::ok) {
                    if let Some(report) = line.strip_prefix("REPORT ") {
                        let _ = sender.send(serde_json::from_str(report).unwrap());
                    }
                }
            });
            Running { commands: process.stdin.take().unwrap(), process, reports }
        }

        fn file(&self) -> PathBuf {
            self.root().join("tray/secrets.json")
        }
    }

    impl Drop for Session {
        fn drop(&mut self) {
            for process in self.keyring.iter_mut().chain([&mut self.bus]) {
                let _ = process.kill();
                let _ = process.wait();
            }
        }
    }

    fn until(what: &str, mut holds: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < end, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn made_once_and_stable_over_a_restart_of_the_service() {
        let mut session = Session::start();
        session.start_keyring(true);
        let first = session.store().expect("ready");
        assert_eq!((first["place"].as_str(), session.items()), (Some("in the system's keyring"), 3));
        assert_eq!(first["notes"], serde_json::json!([]));
        assert_eq!(session.store().expect("ready")["digest"], first["digest"]);
        session.stop_keyring();
        session.start_keyring(true);
        assert_eq!(session.store().expect("ready")["digest"], first["digest"]);
        assert_eq!(session.items(), 3);
        assert!(!session.file().exists());
    }

    #[test]
    fn a_locked_keyring_is_waited_for_and_nothing_is_made() {
        let mut session = Session::start();
        session.start_keyring(true);
        session.stop_keyring();
        session.start_keyring(false);
        let mut store = session.store_with(3_600_000);
        store.expect("locked");
        store.retry();
        store.expect("locked");
        assert_eq!(session.items(), 0);
        assert!(!session.file().exists());
        session.unlock();
        store.retry();
        store.expect("ready");
        assert_eq!(session.items(), 3);
    }

    #[test]
    fn unlocked_later_the_secrets_come_by_themselves_and_are_the_same() {
        let mut session = Session::start();
        session.start_keyring(true);
        let first = session.store().expect("ready");
        session.stop_keyring();
        session.start_keyring(false);
        let store = session.store();
        store.expect("locked");
        let again = store.reports.recv_timeout(Duration::from_millis(600));
        assert!(again.is_err(), "several quiet looks, and the same was told again: {again:?}");
        session.unlock();
        assert_eq!(store.expect("ready")["digest"], first["digest"]);
        assert_eq!(session.items(), 3);
    }

    #[test]
    fn without_a_service_there_is_a_file_that_moves_later() {
        let mut session = Session::start();
        let first = session.store().expect("ready");
        assert!(first["place"].as_str().unwrap().contains("no keyring service"), "{first}");
        assert_eq!(mode(&session.file()), 0o600);
        session.start_keyring(true);
        let moved = session.store().expect("ready");
        assert_eq!((&moved["digest"], moved["place"].as_str()), (&first["digest"], Some("in the system's keyring")));
        assert!(!session.file().exists());
        assert_eq!(session.items(), 3);

        session.stop_keyring();
        let store = session.store();
        let waiting = store.expect("locked");
        assert!(waiting["why"].as_str().unwrap().contains("does not run"), "{waiting}");
        assert!(!session.file().exists());
        session.start_keyring(true);
        assert_eq!(store.expect("ready")["digest"], first["digest"]);
    }

    #[test]
    fn a_file_is_used_while_the_keyring_is_locked_and_moves_when_it_is_open() {
        let mut session = Session::start();
        let first = session.store().expect("ready");
        session.start_keyring(true);
        session.stop_keyring();
        session.start_keyring(false);
        let kept = session.store().expect("ready");
        assert_eq!(kept["digest"], first["digest"]);
        assert!(kept["place"].as_str().unwrap().contains("locked") && session.file().exists());
        assert_eq!(session.items(), 0);
    }

    #[test]
    fn without_a_bus_there_is_a_file() {
        let mut session = Session::start();
        session.address = "unix:path=/nonexistent/bus".to_owned();
        let report = session.store().expect("ready");
        assert!(report["place"].as_str().unwrap().contains("there is no session bus"), "{report}");
        assert!(session.file().exists());
    }

    #[test]
    fn two_agents_at_once_agree() {
        let mut session = Session::start();
        session.start_keyring(true);
        let stores: Vec<Running> = (0..4).map(|_| session.store()).collect();
        let mut digests: Vec<_> = stores.iter().map(|store| store.expect("ready")["digest"].clone()).collect();
        digests.dedup();
        assert_eq!((digests.len(), session.items()), (1, 3));
    }

    /// It is asked, does not answer, and is gone: nothing is made for it, and what it held comes back with it.
    #[test]
    fn a_service_that_dies_while_it_is_asked_is_waited_for_and_nothing_is_made() {
        let mut session = Session::start();
        session.start_keyring(true);
        let first = session.store().expect("ready");
        for _ in 0..3 {
            let pid = session.keyring.as_ref().unwrap().id();
            let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
            let store = session.store();
            store.expect("waiting");
            session.stop_keyring();
            let away = store.expect("locked");
            assert!(!session.file().exists(), "{away}");
            session.start_keyring(true);
            // by itself, without a person who asks for it; a look that met the end of the old one may say so once more
            let mut report = store.next();
            while report["state"] != "ready" {
                assert!(matches!(report["state"].as_str(), Some("waiting" | "locked")), "{report}");
                report = store.next();
            }
            assert_eq!(report["digest"], first["digest"]);
            assert_eq!(session.items(), 3);
        }
    }

    #[test]
    fn a_service_that_does_not_answer_is_told() {
        let mut session = Session::start();
        session.start_keyring(true);
        let pid = session.keyring.as_ref().unwrap().id();
        let signal =
            |name| nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()), name).unwrap();
        signal(nix::sys::signal::Signal::SIGSTOP);
        let store = session.store();
        store.expect("waiting");
        assert!(!session.file().exists());
        signal(nix::sys::signal::Signal::SIGCONT);
        store.expect("ready");
    }
}
