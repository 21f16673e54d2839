//! Our own files, as a disk, an older or newer version or a person may have left them.

use std::cell::RefCell;
use std::fs;

use palyra_tray::config::palyra::PalyraConfig;
use palyra_tray::config::settings::Settings;
use palyra_tray::core::companion::State;
use palyra_tray::core::decisions::LedgerLine;
use palyra_tray::core::event::{Event, Found, Setup};
use palyra_tray::core::fingerprint::{self, Fingerprint};
use palyra_tray::core::node::{Kept, NodeSetup};
use palyra_tray::core::onboarding::Record as SetUpRecord;
use palyra_tray::core::simulate::World;
use palyra_tray::core::{compose, snapshot};
use palyra_tray::protocol::ServiceId;
use palyra_tray::protocol::shim::{EXIT_FILE, ExitRecord, LOSS_FILE, LogLoss, RUN_FILE, RunRecord};
use palyra_tray::shell::control::ControlFile;
use palyra_tray::shell::shim::record;
use palyra_tray::shell::{palyra_config, settings, store};

use super::same_again;

thread_local! {
    static FOLDER: RefCell<tempfile::TempDir> = RefCell::new(tempfile::tempdir().expect("a temporary folder"));
}

/// The first byte says which file the rest is.
pub fn check(data: &[u8]) {
    let Some((which, text)) = data.split_first() else { return };
    match which % 12 {
        0 => settings_file(text),
        1 => palyra_file(text),
        2 => state(text),
        3 => kept(text),
        4 => set_up(text),
        5 => run_folder(RUN_FILE, text),
        6 => run_folder(EXIT_FILE, text),
        7 => run_folder(LOSS_FILE, text),
        8 => last_good(text),
        9 => ledger(text),
        10 => same_again::<ControlFile>(text),
        _ => stored(text),
    }
}

/// A file of that name with this text, in a folder that nobody else uses; it is empty again afterwards.
fn with_file<T>(name: &str, text: &[u8], look: impl FnOnce(&std::path::Path) -> T) -> T {
    FOLDER.with_borrow(|folder| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        let seen = look(&path);
        for entry in fs::read_dir(folder.path()).expect("readable").flatten() {
            fs::remove_file(entry.path()).expect("removed");
        }
        seen
    })
}

/// A switch changes what it names and nothing else.
fn settings_file(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok((before, _)) = Settings::parse(text, "settings.toml", &Settings::default()) else { return };
    let changed = with_file("settings.toml", text.as_bytes(), |path| {
        let set = settings::set(path, "services.browser", !before.browser);
        set.map(|()| (Settings::read(path), fs::read_to_string(path).expect("text")))
    });
    let Ok(((after, warnings), now)) = changed else { return };
    let wanted = Settings { browser: !before.browser, ..before };
    assert_eq!(after, wanted, "{warnings:?}\n{text:?}\n{now:?}");
}

fn palyra_file(text: &[u8]) {
    let read = |path: &std::path::Path| PalyraConfig::read(path).map(|(config, _)| config);
    let seen = with_file("palyra.toml", text, |path| {
        let before = read(path).ok()?;
        let ports = ServiceId::ALL.into_iter().map(|id| {
            let ports = [("http", 7_001), ("grpc", 7_002), ("quic", 7_003)];
            (id, ports.into_iter().map(|(name, port)| (name.to_owned(), port)).collect())
        });
        palyra_config::write_ports(path, &ports.collect()).ok()?;
        palyra_config::set_run_loop(path, true).ok()?;
        Some((before, read(path)))
    });
    let Some((before, after)) = seen else { return };
    let after = after.expect("a config that was readable stays so");
    assert_eq!((after.http, after.grpc, after.quic), (Some(7_001), Some(7_002), Some(7_003)));
    assert_eq!((after.browser_grpc, after.run_loop), (Some(7_002), Some(true)));
    assert_eq!(
        (after.bound_principal, after.identity, after.vault),
        (before.bound_principal, before.identity, before.vault)
    );
    if let Ok(text) = std::str::from_utf8(text) {
        let one = fingerprint::Config::of("palyra.toml".to_owned(), text, "salt");
        assert_eq!(one, fingerprint::Config::of("palyra.toml".to_owned(), text, "salt"));
    }
}

/// An agent that begins with it does not fall over, now and a day later.
fn begins(setup: Setup, found: impl Fn(ServiceId) -> Found) {
    let mut world = World::beginning(setup, found);
    for ms in [0, 1_000, 86_400_000] {
        world.now = world.now.plus(ms);
        world.give(Event::Wake);
        let _ = compose::view(&world.agent, world.now);
        let _ = snapshot::snapshot(&world.agent, world.now).to_string();
    }
}

fn a_setup() -> Setup {
    Setup { version: "0.1.0".to_owned(), start: true, browser: true, ..Setup::default() }
}

fn state(text: &[u8]) {
    same_again::<State>(text);
    if let Ok(state) = serde_json::from_slice::<State>(text) {
        begins(Setup { state, ..a_setup() }, |_| Found::Nothing(None));
    }
}

fn kept(text: &[u8]) {
    same_again::<Kept>(text);
    if let Ok(kept) = serde_json::from_slice::<Kept>(text) {
        let node = NodeSetup { allowed: true, installed: true, kept };
        begins(Setup { node, node_host: true, ..a_setup() }, |_| Found::Nothing(None));
    }
}

fn set_up(text: &[u8]) {
    same_again::<SetUpRecord>(text);
    if let Ok(record) = serde_json::from_slice::<SetUpRecord>(text) {
        begins(Setup { reached: record.reached, ..a_setup() }, |_| Found::Nothing(None));
    }
}

fn run_folder(name: &str, text: &[u8]) {
    same_again::<RunRecord>(text);
    same_again::<ExitRecord>(text);
    same_again::<LogLoss>(text);
    let (run, exit) = with_file(name, text, |path| {
        let folder = path.parent().expect("it has a folder");
        let _ = record::lost(folder);
        let run = record::read::<RunRecord>(folder, RUN_FILE).ok().flatten();
        let exit = record::read::<ExitRecord>(folder, EXIT_FILE).ok().flatten();
        let _ = record::read::<LogLoss>(folder, LOSS_FILE);
        (run, exit)
    });
    if run.is_some() || exit.is_some() {
        begins(a_setup(), |id| match &run {
            Some(run) if run.service == id => Found::Living(run.clone()),
            _ => Found::Nothing(exit.clone()),
        });
    }
}

fn last_good(text: &[u8]) {
    same_again::<Fingerprint>(text);
    if let Ok(good) = serde_json::from_slice::<Fingerprint>(text) {
        let other = Fingerprint { run_id: palyra_tray::protocol::RunId("other".to_owned()), ..good.clone() };
        for changes in [fingerprint::changes(&good, &good), fingerprint::changes(&good, &other)].into_iter().flatten() {
            let _ = changes.in_words();
        }
    }
}

/// A line is appended whole behind whatever lies there.
fn ledger(text: &[u8]) {
    for line in text.split(|byte| *byte == b'\n').take(8) {
        same_again::<LedgerLine>(line);
    }
    with_file("decisions.jsonl", text, |path| {
        store::append_line(path, &"whole").expect("appended");
        let all = fs::read(path).expect("readable");
        assert!(all.starts_with(text) && all.ends_with(b"\"whole\"\n"));
        let lines: Vec<_> = all.strip_suffix(b"\n").expect("a last line").split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.last(), Some(&&b"\"whole\""[..]));
    });
}

/// Whatever lies there is read, or set aside and told.
fn stored(text: &[u8]) {
    with_file("state.json", text, |path| {
        let (value, told) = store::read_json::<State>(path, 7);
        assert_eq!(value.is_none(), told.is_some());
        assert_eq!(path.exists(), value.is_some());
    });
}
