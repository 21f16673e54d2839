//! What becomes of the agent's own files when the disk, the clock or a person plays tricks on them.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "state/full_disk.rs"]
mod full_disk;
#[path = "support/http.rs"]
mod http;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use agent::Site;
use palyra_tray::core::companion::{Flag, Kind};
use palyra_tray::core::event::{Event, Setup};
use palyra_tray::core::simulate::World;
use palyra_tray::protocol::shim::{ExitCause, LogLoss};
use palyra_tray::protocol::{Action, Reply, Request, ServiceId};
use serde_json::{Value, json};

/// A folder on a disk that is read-only, until it is dropped. Where that may not be mounted, one without the right to
/// write, which the same calls refuse.
struct ReadOnly {
    folder: PathBuf,
    mounted: bool,
}

impl ReadOnly {
    fn new(folder: &Path) -> Self {
        let mounted = nix::unistd::geteuid().is_root();
        if mounted {
            let path = folder.to_str().unwrap();
            assert!(run("mount", &["--bind", path, path]) && run("mount", &["-o", "remount,bind,ro", path]));
        } else {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o500)).unwrap();
        }
        Self { folder: folder.to_owned(), mounted }
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        if self.mounted {
            let _ = run("umount", &["-l", self.folder.to_str().unwrap()]);
        } else {
            let _ = fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700));
        }
    }
}

/// `palyra-tray` for which no file grows over so many bytes, as on a disk that is full; the limit is for itself and for what
/// it starts from now on.
fn limited(site: &Site, bytes: u64, args: &[&str]) -> Command {
    let like = site.command(args);
    let limit = if bytes == u64::MAX { "unlimited".to_owned() } else { (bytes / 512).to_string() };
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("trap '' XFSZ; ulimit -S -f {limit}; exec \"$0\" \"$@\"")]);
    command.arg(like.get_program()).args(like.get_args());
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn run(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).status().is_ok_and(|status| status.success())
}

fn warnings(status: &Value) -> String {
    status["warnings"].to_string()
}

#[test]
fn a_log_that_cannot_be_written_is_told_and_goes_on() {
    let mut site = Site::new();
    let log = site.own("logs/gateway.log");
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    site.start(&[]);
    let status = site.until("told", |status| status["gateway_process"]["log_trouble"] == "no storage space");
    let words = site.ok(&["status"]);
    assert!(words.contains("The log of the gateway cannot be written (no storage space)"), "{words}");
    assert!(status["gateway_process"]["dropped_log_lines"].as_u64().unwrap() > 0);
    let doctor = String::from_utf8_lossy(&site.cli(&["doctor"]).stdout).into_owned();
    assert!(doctor.contains("!! Logs: what the gateway says cannot be written"), "{doctor}");
    fs::remove_file(&log).unwrap();
    // its next lines
    site.healthy();
    site.fault("bad_bytes");
    let status = site.until("mended", |status| status["gateway_process"]["log_trouble"].is_null());
    assert!(warnings(&status).contains("missing in the log of the gateway"), "{}", warnings(&status));
    let all = site.ok(&["logs", "gateway", "-n", "1000000"]);
    assert!(all.contains("lines lost here: the log could not be written"), "the log tells it too");
}

#[test]
fn the_snapshot_has_the_newest_lines_and_the_agent_reads_none_of_them() {
    let mut site = Site::new();
    let status = site.start_healthy();
    let logs = status["logs"].as_array().unwrap();
    assert!(logs.iter().any(|line| line["service"] == "gateway" && line["stream"] == "supervisor"));
    assert!(logs.windows(2).all(|pair| pair[0]["unix_ms"].as_i64() >= pair[1]["unix_ms"].as_i64()), "newest first");
    let mut lines = String::new();
    for number in 0..1_000 {
        // the clock is set back in the middle
        lines
            .push_str(&format!("{} out line {number} token=abc\n", if number < 700 { 2_000 + number } else { number }));
    }
    fs::write(site.own("logs/node_host.log"), lines).unwrap();
    let status = site.status().unwrap();
    let told: Vec<_> =
        status["logs"].as_array().unwrap().iter().filter(|line| line["service"] == "node_host").collect();
    assert_eq!(told.len(), 400);
    let want: Vec<_> = (600..1_000).rev().map(|number| format!("line {number} token=<redacted>")).collect();
    assert_eq!(told.iter().map(|line| line["line"].as_str().unwrap()).collect::<Vec<_>>(), want);
    let pid = status["agent"]["pid"].as_u64().unwrap();
    let open: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten().collect();
    let links = open.iter().filter_map(|entry| fs::read_link(entry.path()).ok());
    assert!(links.filter(|link| link.starts_with(site.own("logs"))).all(|link| link.ends_with("tray.log")));
}

#[test]
fn a_torn_state_is_replaced_by_its_last_good_copy() {
    let mut site = Site::new();
    let before = site.start_healthy();
    let preferences = site.own("settings.toml");
    fs::write(&preferences, "[services]\nbrowser = false\n").unwrap();
    site.ok(&["quit"]);
    site.agent_ended();
    site.start(&[]);
    site.until("no browser", |status| status["quick_facts"]["browser_service"]["enabled"] == false);
    site.ok(&["quit"]);
    site.agent_ended();
    for file in ["state.json", "settings.toml"] {
        fs::write(site.own(file), "{ half").unwrap();
    }
    // the ports of the config are gone too, so that only the state knows them
    fs::write(site.root().join("config/palyra.toml"), "version = 1\n").unwrap();
    let status = site.start_healthy();
    let ports = |status: &Value| status["gateway_process"]["bound_ports"].clone();
    assert_eq!(ports(&status), ports(&before));
    assert_eq!(status["quick_facts"]["browser_service"]["enabled"], false);
    let told = warnings(&status);
    assert!(told.contains("last good copy is used") && told.contains("what it said before holds"), "{told}");
}

#[test]
fn a_state_of_a_newer_version_is_used_and_left_as_it_is() {
    let mut site = Site::new();
    fs::create_dir_all(site.own("")).unwrap();
    let newer = r#"{"version":3,"profiles":{"desktop-local":{"drafts":[
        {"id":"d","text":"mine","created_at_unix_ms":1,"session_id":null,"of_tomorrow":1}]}}}"#;
    fs::write(site.own("state.json"), newer).unwrap();
    let earlier = site.root().join("desktop-control-center/state.json");
    fs::create_dir_all(earlier.parent().unwrap()).unwrap();
    fs::write(earlier, include_str!("earlier-app/schema-4.json")).unwrap();
    let status = site.start_healthy();
    assert!(status["companion"]["imported"].is_null(), "what is taken over could not be kept");
    assert!(warnings(&status).contains("newer Palyra Tray (version 3)"), "{}", warnings(&status));
    assert_eq!(status["companion"]["offline_drafts"][0]["text"], "mine");
    site.ok(&["quit"]);
    assert_eq!(site.agent_ended(), Some(0));
    assert_eq!(fs::read_to_string(site.own("state.json")).unwrap(), newer);
}

/// Written when something changed and not once more, by the inode: each write is a new file.
#[test]
fn an_idle_agent_writes_nothing() {
    use std::os::unix::fs::MetadataExt;
    let mut site = Site::new();
    site.start_healthy();
    let look = || {
        let state = fs::metadata(site.own("state.json")).unwrap();
        assert_eq!(state.mode() & 0o777, 0o600);
        (state.ino(), state.mtime_nsec(), fs::metadata(site.own("state.json.last")).unwrap().ino())
    };
    site.until("kept", |status| status["companion"]["last_connected_at_unix_ms"].is_i64());
    std::thread::sleep(Duration::from_millis(500));
    let before = look();
    // more than one round of probes
    std::thread::sleep(Duration::from_secs(28));
    assert_eq!(look(), before);
    let mut world = World::new(Setup { start: true, browser: true, seed: 7, ..Setup::default() });
    world.pass(60_000);
    let writes = world.saved.len();
    assert!((1..6).contains(&writes), "{writes}");
    world.pass(600_000);
    assert_eq!(world.saved.len(), writes);
}

#[test]
fn what_a_disk_does_not_take_is_kept_in_memory_and_written_when_it_does() {
    let flag = Flag::VoiceOverlayEnabled;
    let set = |enabled| Request::Act { action: Action::SetFlag { flag, enabled } };
    let mut world = World::new(Setup { start: true, browser: true, seed: 7, ..Setup::default() });
    world.pass(90_000);
    world.give(Event::Asked(1, set(false)));
    world.pass(10);
    assert!(matches!(&world.replies[..], [(1, Reply::Done(text))] if !text.contains("But")), "{:?}", world.replies);
    assert!(!world.saved.last().unwrap().profiles["desktop-local"].flag(flag));
    world.disk = Some("no storage space".to_owned());
    let writes = world.saved.len();
    world.give(Event::Asked(2, set(true)));
    world.pass(10);
    let (ticket, reply) = world.replies.last().unwrap();
    assert!(matches!(reply, Reply::Done(text) if *ticket == 2 && text.contains("no storage space")), "{reply:?}");
    assert!(world.view().notices.contains_key("event:state"));
    let told = |world: &World| palyra_tray::core::snapshot::snapshot(&world.agent, world.now)["warnings"].to_string();
    assert!(told(&world).contains("what Palyra Tray remembers cannot be written (no storage space)"));
    world.pass(120_000);
    assert_eq!(world.saved.len(), writes);
    world.disk = None;
    world.pass(15_000);
    assert_eq!(world.saved.len(), writes + 1);
    assert!(world.saved[writes].profiles["desktop-local"].flag(flag));
    assert!(!told(&world).contains("cannot be written") && !world.view().notices.contains_key("event:state"));
    // an end waits for the last write, and not for a disk that takes none
    for (disk, most) in [(None, 1_000), (Some("full".to_owned()), 2_000)] {
        let mut world = World::new(Setup { start: true, browser: true, seed: 7, ..Setup::default() });
        world.pass(90_000);
        world.disk = disk;
        world.give(Event::Asked(3, set(false)));
        world.give(Event::Shutdown);
        world.pass(most);
        assert!(world.exited && world.faults.is_empty());
    }
}

#[test]
fn what_was_told_is_kept_with_its_kind_and_notifications_can_be_switched_off() {
    let mut world = World::new(Setup { start: true, browser: true, seed: 7, ..Setup::default() });
    world.pass(90_000);
    world.behaviour.get_mut(&ServiceId::Browserd).unwrap().doomed = true;
    world.end(ServiceId::Browserd, Some(ExitCause::Code { code: 1 }));
    world.pass(300_000);
    let kept = world.agent.companion.profile().notifications.clone();
    assert_eq!(
        kept.iter().filter(|one| one.kind == Kind::Service && one.title.contains("Browser")).count(),
        1,
        "{kept:?}"
    );
    // the notification starts it again; a row of what was can only show
    assert_eq!(kept[0].action, Some(Action::ShowLog { service: ServiceId::Browserd }));
    assert!(world.view().notices.contains_key("event:browserd:given_up"));
    world.give(Event::Clicked(
        Action::SetFlag { flag: Flag::DesktopNotificationsEnabled, enabled: false },
        palyra_tray::core::event::Click::Menu,
    ));
    assert!(world.view().notices.is_empty());
    world.give(Event::Asked(9, Request::Activate));
    assert_eq!(world.view().notices.len(), 1, "an answer to what the person does is shown");
}

/// Sidecars live, the agent is killed, the disk is full: the next agent takes them back, says what it cannot do, decides
/// nothing that it cannot record, and goes on when there is room.
#[test]
fn an_agent_on_a_full_disk_still_holds_its_sidecars() {
    let mut site = Site::new();
    let before = site.start_healthy();
    let pid = |status: &Value| status["gateway_process"]["pid"].as_u64();
    let id = site.approval(&json!({}));
    site.until("it waits", |status| status["approvals"]["pending"] == 1);
    site.kill_agent();
    // nor has it an address file
    fs::remove_file(site.own("control.json")).unwrap();
    let mut agent = limited(&site, 0, &["run", "--no-tray"]).spawn().unwrap();
    let status = site.until("it waits", |status| status["approvals"]["pending"] == 1);
    assert_eq!(pid(&status), pid(&before), "taken back");
    assert!(warnings(&status).contains("address of the control socket could not be written"), "{status:#}");
    site.until("told", |status| warnings(status).contains("what Palyra Tray remembers cannot be written"));
    let list: Value = serde_json::from_str(&site.ok(&["approvals", "list", "--json"])).unwrap();
    let approve = ["approvals", "approve", &id, "--digest", list["approvals"][0]["digest"].as_str().unwrap()];
    let refused = site.cli(&approve);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("decisions.jsonl"), "{said}");
    assert_eq!(site.status().unwrap()["approvals"]["pending"], 1);
    // a sidecar that no next agent would find is not started
    site.cli(&["restart", "gateway"]);
    site.until("no start", |status| {
        status["gateway_process"]["last_exit"].as_str().is_some_and(|why| why.contains("free some space"))
    });
    assert!(run("prlimit", &["--pid", &agent.id().to_string(), "--fsize=unlimited"]));
    site.ok(&["start"]);
    site.healthy();
    site.until("what is remembered is on the disk", |status| !warnings(status).contains("what Palyra Tray remembers"));
    let again = site.approval(&json!({}));
    site.until("it waits", |_| site.ok(&["approvals", "list", "--json"]).contains(&again));
    site.ok(&["approvals", "deny", &again]);
    let ledger = || fs::read_to_string(site.own("decisions.jsonl")).unwrap_or_default();
    site.until("intent and result", |_| ledger().lines().count() >= 2);
    let ledger = ledger();
    assert!(ledger.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    site.ok(&["quit"]);
    agent.wait().unwrap();
    site.nothing_left();
}

/// The sidecars of a killed agent go on while no agent can start, and are taken back when one can.
#[test]
fn a_read_only_disk_is_refused_in_clear_words() {
    let mut site = Site::new();
    let before = site.start_healthy();
    site.kill_agent();
    let disk = ReadOnly::new(&site.root());
    let inner = ReadOnly::new(&site.own("").components().collect::<PathBuf>());
    let error = site.fails(1, &["run", "--no-tray"]);
    assert!(
        error.contains("cannot be") && error.contains("PALYRA_STATE_ROOT") && error.lines().count() <= 2,
        "{error}"
    );
    let doctor = String::from_utf8_lossy(&site.cli(&["doctor"]).stdout).into_owned();
    assert!(doctor.contains("!! Data folder:") && doctor.contains("PALYRA_STATE_ROOT"), "{doctor}");
    drop(inner);
    drop(disk);
    assert_eq!(site.start_healthy()["gateway_process"]["pid"], before["gateway_process"]["pid"]);
}

/// The folder goes while everything runs: no second agent beside the first, commands find it, the person is told, and a
/// restart makes everything anew.
#[test]
fn a_removed_state_root_is_told_and_made_anew() {
    let mut site = Site::new();
    site.start_healthy();
    let config = fs::read(site.root().join("config/palyra.toml")).unwrap();
    fs::remove_dir_all(site.root()).unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    let mut status = None;
    while status.is_none() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
        status = site.status();
    }
    let status = status.expect("the agent is found again");
    assert!(warnings(&status).contains("was removed while Palyra ran"), "{}", warnings(&status));
    // A second start finds the first.
    site.ok(&["run", "--no-tray"]);
    assert_eq!(site.status().unwrap()["agent"]["pid"], status["agent"]["pid"]);
    fs::create_dir_all(site.root().join("config")).unwrap();
    fs::write(site.root().join("config/palyra.toml"), config).unwrap();
    site.ok(&["restart"]);
    let status = site.healthy();
    assert!(!warnings(&status).contains("was removed"), "{}", warnings(&status));
    assert!(fs::read_to_string(site.own("logs/gateway.log")).unwrap().contains("daemon listening"));
    assert_eq!(fs::metadata(site.own("agent.lock")).unwrap().permissions().mode() & 0o777, 0o600);
    site.ok(&["quit"]);
    assert_eq!(site.agent_ended(), Some(0));
    site.nothing_left();
}

/// Deadlines, back-off and probes live on the clock that never jumps; only what is told in wall-clock time may differ.
#[test]
fn a_clock_that_jumps_starts_and_stops_nothing() {
    const YEAR_MS: i64 = 365 * 86_400_000;
    let lived = |jump: i64| {
        let setup = Setup { start: true, browser: true, seed: 7, ..Setup::default() };
        let mut world = World::new(setup);
        world.pass(90_000);
        for round in 0..6 {
            world.end(ServiceId::Gateway, Some(ExitCause::Code { code: round }));
            world.pass(300);
            world.now.unix_ms += if round % 2 == 0 { jump } else { -jump };
            world.pass(20_000);
            let snapshot = palyra_tray::core::snapshot::snapshot(&world.agent, world.now);
            let uptime = &snapshot["gateway_process"]["uptime_seconds"];
            assert!(uptime.is_null() || uptime.is_u64(), "no age below zero: {uptime}");
        }
        world.pass(600_000);
        assert!(world.faults.is_empty(), "{:?}", world.faults);
        (world.launches, world.phases, world.alive.len())
    };
    let without = lived(0);
    assert!(without.0.len() >= 6, "{:?}", without.0);
    assert_eq!(lived(YEAR_MS), without);
    assert_eq!(lived(-YEAR_MS), without);
}

#[test]
fn what_is_wrong_with_our_place_is_told_until_it_is_mended() {
    let mut world = World::new(Setup { start: true, browser: true, seed: 7, ..Setup::default() });
    world.pass(5_000);
    let told = |world: &World| palyra_tray::core::snapshot::snapshot(&world.agent, world.now)["warnings"].to_string();
    let loss = |why: &str| {
        Event::LogLosses([(ServiceId::Browserd, LogLoss { version: 1, dropped_lines: 1, why: why.into() })].into())
    };
    world.give(loss("no storage space"));
    assert!(
        told(&world).contains("the log of the browser cannot be written (no storage space); 1 line is lost so far")
    );
    world.give(loss(""));
    assert!(told(&world).contains("1 line is missing in the log of the browser"), "{}", told(&world));
    world.give(Event::LogLosses(Default::default()));
    assert!(!told(&world).contains("the log of"), "{}", told(&world));
    world.give(Event::FolderRemoved("/x/tray".to_owned()));
    assert!(told(&world).contains("/x/tray was removed while Palyra ran"));
    assert!(world.view().notices.contains_key("event:removed"));
    world.end(ServiceId::Gateway, Some(ExitCause::Code { code: 1 }));
    world.pass(30_000);
    assert!(!told(&world).contains("was removed") && !world.view().notices.contains_key("event:removed"));
}

/// By hand, by command and by the menu: each is in use at once, and none takes away what another wrote.
#[test]
fn preferences_are_taken_up_while_it_runs() {
    let mut site = Site::new();
    site.start_healthy();
    let path = site.own("settings.toml");
    fs::write(&path, "# by hand\n[services]\nrestart_on_config_change = false # so\nbrowsr = true\n").unwrap();
    let status = site.until("read", |status| status["config"]["restarts"] == false);
    let told = |status: &Value| {
        warnings(status).contains("services.browsr is unknown and ignored; is services.browser meant?")
    };
    assert!(told(&status), "{}", warnings(&status));
    site.ok(&["config", "set", "notifications.node", "off"]);
    site.ok(&["config", "restarts", "on"]);
    site.until("on again", |status| status["config"]["restarts"] == true);
    let expected =
        "# by hand\n[services]\nrestart_on_config_change = true # so\nbrowsr = true\n\n[notifications]\nnode = false\n";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644, "a person's file keeps its mode");
    // half of it is no change
    fs::write(&path, "[services\nbrowser = fal").unwrap();
    let status = site.until("told", |status| warnings(status).contains("is not understood"));
    assert_eq!(status["quick_facts"]["browser_service"]["enabled"], true);
    let copy = site.own("settings.toml.last");
    assert_eq!(fs::read_to_string(copy).unwrap(), expected, "what is not understood is no good copy");
    fs::write(&path, "[services]\nbrowser = false\n").unwrap();
    let status = site.until("off", |status| status["quick_facts"]["browser_service"]["enabled"] == false);
    assert!(!warnings(&status).contains("settings.toml"), "{}", warnings(&status));
    site.until("restarted without it", |status| status["state"] == "healthy");
    assert_eq!(site.ok(&["config", "get", "services.browser"]), "false\n");
    site.ok(&["config", "set", "tray.panel", "light"]);
    site.until("told", |status| warnings(status).contains("tray.panel is used from the next start"));
}

#[test]
fn a_setting_is_checked_before_it_is_written() {
    let site = Site::new();
    let path = site.own("settings.toml");
    site.ok(&["config", "set", "tray.panel", "light"]);
    let before = fs::read_to_string(&path).unwrap();
    let said = site.fails(2, &["config", "set", "tray.pannel", "light"]);
    assert!(said.contains("there is no setting tray.pannel") && said.contains("Is tray.panel meant?"), "{said}");
    let said = site.fails(2, &["config", "set", "tray.panel", "pink"]);
    assert!(said.contains("tray.panel takes dark or light, and not pink"), "{said}");
    let said = site.fails(2, &["config", "set", "services.data", "here"]);
    assert!(said.contains("whole path"), "{said}");
    site.fails(2, &["config", "set", "offline_drafts_enabled", "maybe"]);
    site.fails(3, &["config", "set", "offline_drafts_enabled", "off"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    let list: Value = serde_json::from_str(&site.ok(&["config", "list", "--json"])).unwrap();
    assert_eq!(list["settings"]["tray.panel"], "light");
    assert_eq!(
        (&list["settings"]["services.browser"], &list["flags"]["offline_drafts_enabled"]),
        (&json!(true), &json!(true))
    );
    assert!(list["settings"]["services.data"].is_null());
    site.ok(&["config", "set", "tray.panel", ""]);
    assert_eq!(site.ok(&["config", "get", "tray.panel"]), "dark\n");
    // a full disk says so and costs nothing
    let before = fs::read_to_string(&path).unwrap();
    let like = site.command(&[]);
    let mut full = Command::new("/bin/sh");
    full.args(["-c", "trap '' XFSZ; ulimit -S -f 0; exec \"$0\" config set services.browser off"])
        .arg(like.get_program());
    full.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = full.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(1) && said.contains("nothing was changed") && said.contains("space"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn a_flag_outlives_the_agent() {
    let mut site = Site::new();
    site.start_healthy();
    assert!(site.ok(&["config", "set", "offline_drafts_enabled", "off"]).contains("Set."));
    let state: Value = serde_json::from_slice(&fs::read(site.own("state.json")).unwrap()).unwrap();
    let flag = "/profiles/desktop-local/rollout/offline_drafts_enabled";
    assert_eq!(state.pointer(flag), Some(&json!(false)), "on the disk before it was answered");
    site.kill_agent();
    let status = site.start_healthy();
    assert_eq!(status["companion"]["rollout"]["offline_drafts_enabled"], false);
    assert_eq!(site.ok(&["config", "get", "offline_drafts_enabled"]), "false\n");
}

/// The whole way, once: read, used, told, kept, and not looked at again.
#[test]
fn what_the_earlier_app_left_is_taken_over_once() {
    let mut site = Site::new();
    let file = site.root().join("desktop-control-center/state.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let earlier = include_str!("earlier-app/schema-4.json");
    fs::write(&file, earlier).unwrap();
    let status = site.start_healthy();
    let companion = &status["companion"];
    assert_eq!(companion["offline_drafts"][0]["text"], "Book the train\n  for Monday");
    assert_eq!(companion["active_session_id"], "01JR1SESSION00000000000001");
    assert_eq!(companion["rollout"]["desktop_notifications_enabled"], false);
    assert_eq!(companion["imported"]["schema_version"], 4);
    let newest = companion["notifications"].to_string();
    assert!(newest.contains("From the earlier desktop app") && newest.contains("1 draft"), "{newest}");
    site.until("kept", |_| fs::read_to_string(site.own("state.json")).is_ok_and(|text| text.contains("imported")));
    site.ok(&["quit"]);
    site.agent_ended();
    assert_eq!(fs::read_to_string(&file).unwrap(), earlier);
    fs::write(&file, include_str!("earlier-app/schema-5.json")).unwrap();
    let status = site.start_healthy();
    assert_eq!(
        (&status["companion"]["imported"]["schema_version"], &status["companion"]["profile"]),
        (&json!(4), &json!("desktop-local"))
    );
}

/// The vault is opened as a copy, once, when ours are made; what cannot be had is made anew, and said.
#[test]
fn secrets_of_the_earlier_app_are_taken_over_when_ours_are_made() {
    let mut site = Site::new();
    let palyra = site.script(
        "palyra",
        r#"echo "$4" >> "$0.calls"
[ "$1 $2 $3 $5" = "secrets get global --reveal" ] && [ "$PALYRA_STATE_ROOT/vault" = "$PALYRA_VAULT_DIR" ] || exit 9
case "$PALYRA_VAULT_DIR" in */desktop-control-center/*) echo "that is the original" >&2; exit 1;; esac
[ -f "$PALYRA_STATE_ROOT/identity/ca" ] && [ -f "$PALYRA_VAULT_DIR/$4" ] || { echo "no such secret" >&2; exit 1; }
echo "opened" > "$PALYRA_VAULT_DIR/trace"
printf '{"value":"%s"}' "$(cat "$PALYRA_VAULT_DIR/$4")""#,
    );
    site.env("PALYRA_DESKTOP_PALYRA_BIN", palyra.to_str().unwrap());
    let folder = site.root().join("desktop-control-center");
    let (token, key) = ("01HEARLIERADMINTOKEN000000001HEARLIERADMINTOKEN00000", format!("{}=", "A".repeat(43)));
    for (name, text) in [
        ("identity/ca", "x"),
        ("vault/desktop_admin_token", token),
        ("vault/desktop_browser_state_encryption_key", &key),
        // older than what is in the vault
        ("state.json", r#"{"schema_version":1,"admin_token":"01HOLDERADMINTOKEN00000000001HOLDERADMINTOKEN0000000"}"#),
    ] {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), text).unwrap();
    }
    site.start(&[]);
    site.healthy();
    let status = site.until("told", |status| status["companion"]["imported"]["left"][0].is_string());
    let imported = &status["companion"]["imported"];
    assert_eq!(imported["taken"], json!(["the admin token", "the browser state key"]), "{imported}");
    assert_eq!(imported["left"], json!(["the browser token: palyra says: no such secret"]), "{imported}");
    let ours: Value = serde_json::from_slice(&fs::read(site.own("secrets.json")).unwrap()).unwrap();
    assert_eq!(ours["desktop_admin_token"], token);
    assert_eq!(ours["desktop_browser_state_encryption_key"], key);
    assert_eq!(ours["desktop_browser_auth_token"].as_str().map(str::len), Some(52), "made anew");
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&folder.join("vault")), ["desktop_admin_token", "desktop_browser_state_encryption_key"]);
    assert!(names(&site.own("")).iter().all(|name| !name.contains("vault")), "the copy is gone");
    for told in [fs::read_to_string(site.own("logs/tray.log")).unwrap(), status.to_string()] {
        assert!(!told.contains(token) && !told.contains(&key));
    }
    let file = site.bin().join("palyra.calls");
    let calls = || fs::read_to_string(&file).unwrap();
    let before = calls();
    assert_eq!(before.lines().count(), 3, "{before}");
    site.ok(&["quit"]);
    site.agent_ended();
    site.start_healthy();
    assert_eq!(calls(), before);
}
