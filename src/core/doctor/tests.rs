//! Every verdict of every check, from a machine where all is well and one thing is changed.

use std::path::PathBuf;

use serde_json::json;

use super::facts::*;
use super::*;
use crate::config::programs::{Candidate, Origin};
use crate::protocol::ServiceId;
use crate::protocol::setup::{Provider, ProviderFacts, SetupFacts};

/// A machine on which all is well.
fn well() -> Facts {
    let program = |service, name: &str| {
        (service, Ok(Program { path: PathBuf::from(format!("/opt/palyra/{name}")), trial: Ok(Trial::Runs) }))
    };
    let port = |service, purpose: &str, port, udp| Port {
        service,
        purpose: purpose.to_owned(),
        port,
        udp,
        holder: Holder::Ours,
    };
    let root = PathBuf::from("/home/x/.local/state/palyra");
    Facts {
        version: "0.1.0".to_owned(),
        now_unix_ms: 1_790_000_000_000,
        system: System::Linux,
        agent: Agent::Answers(json!({
            "demo": false,
            "agent": { "version": "0.1.0", "pid": 100 },
            "quick_facts": { "browser_service": { "enabled": true }, "node_host": {
                "installed": true, "certificate_expires_at_unix_ms": 1_790_000_000_000_i64 + 86_000_000,
            } },
            "gateway_process": { "state": "ready", "desired_running": true, "uptime_seconds": 7200 },
            "browserd_process": { "state": "ready", "desired_running": true },
            "node_host_process": { "state": "ready", "desired_running": true },
            "approvals": { "known": true, "pending": 0, "unreadable": 0, "heard_of_by": "journal" },
            "config": { "state": "read", "why": "", "blind": "", "outdated": {}, "unwritten_ports": [] },
            "tray": { "present": true, "detail": "shown" },
            "secrets": { "state": "ready", "place": "keyring" },
        })),
        setup: Some(SetupFacts {
            run_loop: "on".to_owned(),
            providers: vec![ProviderFacts {
                provider: Provider::Anthropic,
                configured: true,
                in_use: true,
                sign_in: false,
                note: String::new(),
            }],
            ..SetupFacts::default()
        }),
        login: Some(Ok(Login { on: true, how: "a systemd user unit".to_owned(), problem: String::new() })),
        ground: Ok(Ground {
            settings_file: root.join("tray/settings.toml"),
            lock: Ok(Some(process("/usr/bin/palyra-tray"))),
            earlier_app: Ok(None),
            foreign: Ok(None),
            folders: Ok(vec![folder("/home/x/.local/state/palyra")]),
            files: Ok(OwnFiles { seen: 12, newest_unix_ms: Some(1_789_999_999_000), ..OwnFiles::default() }),
            space: Ok(Space { free: 80_000_000_000, free_files: Some(1_000_000) }),
            socket: Ok(Socket { path: PathBuf::from("/run/user/1000/p.sock"), limit: Some(107), stranger: None }),
            settings: Ok(Settings { exists: true, warnings: Vec::new(), browser: true, node_host: true }),
            programs: Ok(Programs {
                found: vec![
                    program(ServiceId::Gateway, "palyrad"),
                    program(ServiceId::Browserd, "palyra-browserd"),
                    program(ServiceId::NodeHost, "palyra"),
                ],
                dashboard: Some(true),
                candidates: Vec::new(),
            }),
            config: Ok(Config {
                path: root.join("config/palyra.toml"),
                content: ConfigContent::Read { version: Some(1), principal: None, run_loop: Some(true) },
            }),
            ports: Ok(vec![
                port(ServiceId::Gateway, "http", 7142, false),
                port(ServiceId::Gateway, "quic", 7444, true),
            ]),
            vault_backend: Ok(Some("encrypted_file".to_owned())),
            journal: Ok(Watch { folder: root.join("data"), refused: None, limits: Some((65_536, 128)) }),
            keyring_off: false,
            state_root: root,
        }),
        remote: None,
        desktop: Desktop {
            name: "XFCE".to_owned(),
            display: true,
            bus: Some(Ok(Bus::Up(Box::new(OnBus {
                tray: Ok(TrayHost::Present),
                notifications: Ok(Presence::Running(server())),
                keyring: Ok(Presence::Running(Keyring { locked: Some(false) })),
                unit: Ok(Some(Unit { enabled: "enabled".to_owned(), active: "active".to_owned() })),
            })))),
            dialogs: Ok(Some(PathBuf::from("/usr/bin/zenity"))),
            opener: Ok(Some("/usr/bin/xdg-open".to_owned())),
            secret_tool: Ok(true),
        },
        network: Some(Ok(Network { route: true, name_server: true })),
        open_files: Ok(OpenFiles { of_agent: true, open: Some(27), limit: Some(1024) }),
    }
}

fn process(executable: &str) -> Process {
    Process { pid: 4242, executable: PathBuf::from(executable) }
}

fn folder(path: &str) -> Folder {
    Folder {
        path: PathBuf::from(path),
        exists: true,
        looked_at: PathBuf::from(path),
        blocked: false,
        unwritable: None,
        read_only: false,
        owned: true,
        network: None,
    }
}

fn server() -> NotificationServer {
    NotificationServer { name: "dunst".to_owned(), version: "1.9.0".to_owned(), actions: true, quiet: Some(false) }
}

impl Facts {
    fn ground(&mut self) -> &mut Ground {
        self.ground.as_mut().unwrap()
    }

    fn on_bus(&mut self) -> &mut OnBus {
        match &mut self.desktop.bus {
            Some(Ok(Bus::Up(on))) => on,
            _ => panic!("no bus"),
        }
    }

    /// Sets a value in the agent's snapshot.
    pub(super) fn told(&mut self, pointer: &str, value: Value) {
        let Agent::Answers(snapshot) = &mut self.agent else { panic!("no agent") };
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        snapshot.pointer_mut(parent).unwrap()[key] = value;
    }

    fn without_agent(&mut self) {
        self.agent = Agent::Absent;
        self.setup = None;
        self.ground().lock = Ok(None);
    }

    fn without_bus(&mut self) {
        self.desktop.bus = Some(Ok(Bus::Absent("no address".to_owned())));
    }
}

/// What a change does to one check.
#[track_caller]
fn judged(id: &str, change: impl FnOnce(&mut Facts)) -> Check {
    let mut facts = well();
    change(&mut facts);
    let checks = checks(&facts);
    let check = checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("{id} is missing")).clone();
    let helps = matches!(check.verdict, Verdict::Warning | Verdict::Problem);
    assert_eq!(helps, !check.remedy.is_empty(), "what is wrong, and only that, has a remedy: {check:?}");
    check
}

#[track_caller]
pub(super) fn expect(id: &str, verdict: Verdict, evidence: &str, remedy: &str, change: impl FnOnce(&mut Facts)) {
    let check = judged(id, change);
    assert_eq!(check.verdict, verdict, "{check:?}");
    assert!(check.evidence.contains(evidence), "{evidence:?} is not in {check:?}");
    assert!(check.remedy.contains(remedy), "{remedy:?} is not in {check:?}");
}

use Verdict::{Ok as Fine, Problem, Skipped, Unknown, Warning};

#[test]
fn where_all_is_well_all_is_in_order() {
    let checks = checks(&well());
    let amiss: Vec<_> = checks.iter().filter(|check| check.verdict != Verdict::Ok).collect();
    assert!(amiss.is_empty(), "{amiss:#?}");
    assert_eq!(summary(&checks), format!("All {} checks are in order.", checks.len()));
    let mut ids: Vec<_> = checks.iter().map(|check| check.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), checks.len(), "an id stands for one check");
}

#[test]
fn network() {
    let set = |route, name_server| move |facts: &mut Facts| facts.network = Some(Ok(Network { route, name_server }));
    expect("network", Fine, "nobody was contacted", "", |_| {});
    expect("network", Warning, "not connected", "Connect it", set(false, true));
    expect("network", Warning, "not connected", "Connect it", set(false, false));
    expect("network", Warning, "resolv.conf", "nameserver", set(true, false));
    expect("network", Skipped, "not looked at", "", |facts| facts.network = None);
}

#[test]
fn the_set_up_shows_what_it_does_not_mend_itself_the_worst_first() {
    let mut facts = well();
    assert_eq!(findings(&checks(&facts)), []);
    facts.without_agent();
    facts.login = None;
    let ground = facts.ground();
    ground.space = Ok(Space { free: 499_999_999, free_files: None });
    ground.socket.as_mut().unwrap().stranger = Some("another user's socket".to_owned());
    ground.programs.as_mut().unwrap().found.iter_mut().for_each(|(_, found)| *found = Err("was not found".to_owned()));
    ground.config.as_mut().unwrap().content = ConfigContent::None;
    facts.on_bus().tray = Ok(TrayHost::NoWatcher);
    facts.on_bus().notifications = Err("no answer".to_owned());
    let found = findings(&checks(&facts));
    let titles: Vec<_> = found.iter().map(|finding| finding.title.as_str()).collect();
    assert_eq!(titles, ["Control socket", "Disk space", "Tray icon"]);
    assert!(found.iter().all(|finding| !finding.evidence.is_empty() && !finding.remedy.is_empty()));
    // each id that is left out is a check that there is
    let ids: Vec<_> = checks(&well()).iter().map(|check| check.id).collect();
    assert!(STEPS_OF_THE_SET_UP.iter().all(|id| ids.contains(id)));
}

#[test]
fn what_is_not_known_is_never_in_order() {
    let mut facts = well();
    let why = || "it took too long".to_owned();
    let Ok(ground) = &mut facts.ground else { panic!() };
    *ground = Ground {
        lock: Err(why()),
        earlier_app: Err(why()),
        foreign: Err(why()),
        folders: Err(why()),
        files: Err(why()),
        space: Err(why()),
        socket: Err(why()),
        settings: Err(why()),
        programs: Err(why()),
        config: Err(why()),
        ports: Err(why()),
        vault_backend: Err(why()),
        journal: Err(why()),
        ..ground.clone()
    };
    facts.agent = Agent::Absent;
    facts.setup = None;
    facts.login = Some(Err(why()));
    facts.desktop.bus = Some(Err(why()));
    facts.desktop.dialogs = Err(why());
    facts.desktop.opener = Err(why());
    facts.network = Some(Err(why()));
    facts.open_files = Err(why());
    let checks = checks(&facts);
    for check in &checks {
        assert!(check.verdict != Verdict::Ok || check.id == "clock", "{check:?}");
    }
    assert!(checks.iter().filter(|check| check.verdict == Unknown).count() >= 18);
    assert_eq!(worst(&checks), Warning, "not to know is no problem; that no agent runs is a warning");
}

#[test]
fn without_knowing_where_only_that_is_told() {
    let mut facts = well();
    facts.without_agent();
    facts.ground = Err("PALYRA_STATE_ROOT is here, which is not an absolute path".to_owned());
    let checks = checks(&facts);
    let root = checks.iter().find(|check| check.id == "state_root").unwrap();
    assert!(root.verdict == Problem && root.evidence.contains("PALYRA_STATE_ROOT"), "{root:?}");
    assert!(checks.iter().any(|check| check.id == "tray") && checks.iter().all(|check| check.id != "ports"));
}

#[test]
fn what_the_agent_says_of_the_config_is_told() {
    expect("config", Problem, "unknown field `tokne`", "Mend", |facts| {
        facts.told("/config/state", json!("unusable"));
        facts.told("/config/why", json!("the gateway would not start with it (unknown field `tokne`)"));
    });
    let outdated = |value| move |facts: &mut Facts| facts.told("/config/outdated", value);
    expect("config", Warning, "after gateway started", "restart gateway", outdated(json!({ "gateway": "x" })));
    let both = json!({ "browserd": "x", "gateway": "x" });
    expect("config", Warning, "browserd and gateway", "palyra-tray restart", outdated(both));
    expect("config", Warning, "no space left", "restart", |facts| facts.told("/config/blind", json!("no space left")));
    let moved = |facts: &mut Facts| facts.told("/config/unwritten_ports", json!(["gateway"]));
    expect("ports", Warning, "gateway has other ports", "config write-ports", moved);
}

#[test]
fn agent() {
    expect("agent", Fine, "process 100", "", |_| {});
    expect("agent", Warning, "0.0.9", "palyra-tray run", |facts| facts.told("/agent/version", json!("0.0.9")));
    expect("agent", Warning, "does not run", "palyra-tray run", Facts::without_agent);
    expect("agent", Problem, "4242", "kill 4242", |facts| facts.agent = Agent::Absent);
    expect("agent", Problem, "late", "kill 4242", |facts| facts.agent = Agent::Silent("late".to_owned()));
    expect("agent", Problem, "late", "logs tray", |facts| {
        facts.agent = Agent::Silent("late".to_owned());
        facts.ground().lock = Err("not told here".to_owned());
    });
    expect("earlier_app", Problem, "process 7", "Quit it", |facts| facts.ground().earlier_app = Ok(Some(7)));
    expect("other_palyra", Problem, "/usr/bin/palyrad), which is not ours, has x open", "kill 4242", |facts| {
        facts.ground().foreign = Ok(Some((process("/usr/bin/palyrad"), "has x open".to_owned())));
    });
}

#[test]
fn state_root() {
    let with = |change: fn(&mut Folder)| {
        move |facts: &mut Facts| {
            let mut own = folder("/home/x/.local/state/palyra/tray");
            change(&mut own);
            facts.ground().folders.as_mut().unwrap().push(own);
        }
    };
    expect("state_root", Fine, "is writable", "", |_| {});
    expect("state_root", Fine, "can be made", "", |facts| facts.ground().folders.as_mut().unwrap()[0].exists = false);
    expect("state_root", Problem, "is not a folder", "Move that file", with(|own| own.blocked = true));
    expect("state_root", Problem, "read-only", "Mount it writable", with(|own| own.read_only = true));
    let denied = with(|own| own.unwritable = Some("permission denied".to_owned()));
    expect("state_root", Problem, "cannot be written: permission denied", "writable for your user", denied);
    let above = with(|own| {
        own.exists = false;
        own.looked_at = PathBuf::from("/home");
        own.unwritable = Some("permission denied".to_owned());
    });
    expect("state_root", Problem, "cannot be made: permission denied at /home", "Make /home writable", above);
    expect("state_root", Problem, "another user", "chown", with(|own| own.owned = false));
    expect("state_root", Warning, "(NFS)", "a disk of this machine", with(|own| own.network = Some("NFS".to_owned())));
}

#[test]
fn own_files() {
    fn with(change: impl FnOnce(&mut OwnFiles)) -> impl FnOnce(&mut Facts) {
        |facts| change(facts.ground().files.as_mut().unwrap())
    }
    let path = || PathBuf::from("/s/tray/x");
    expect("private_files", Fine, "12 looked at", "", |_| {});
    expect("private_files", Fine, "none yet", "", with(|files| files.seen = 0));
    expect(
        "private_files",
        Problem,
        "mode 644",
        "chmod 600 '/s/tray/x'",
        with(|files| files.open_secrets = vec![(path(), 0o644)]),
    );
    expect(
        "private_files",
        Warning,
        "mode 755",
        "chmod 700 '/s/tray/x'",
        with(|files| files.open_folders = vec![(path(), 0o755)]),
    );
    expect("private_files", Problem, "and 2 more", "chown", with(|files| files.strangers = vec![path(); 5]));
}

#[test]
fn space_and_socket_and_preferences() {
    fn space(free: u64, free_files: Option<u64>) -> impl FnOnce(&mut Facts) {
        move |facts| facts.ground().space = Ok(Space { free, free_files })
    }
    expect("disk_space", Fine, "80 GB", "", |_| {});
    expect("disk_space", Fine, "500 MB", "", space(500_000_000, None));
    expect("disk_space", Warning, "only 499 MB", "Free some space", space(499_999_999, None));
    expect("disk_space", Problem, "only 1 MB", "Free some space", space(1_000_000, None));
    expect("disk_space", Warning, "only 9 more files", "Free some space", space(80_000_000_000, Some(9)));
    expect("disk_space", Problem, "no more files", "Free some space", space(80_000_000_000, Some(0)));

    expect("socket", Fine, "is answered", "", |_| {});
    let long = |facts: &mut Facts| {
        facts.without_agent();
        facts.ground().socket.as_mut().unwrap().path = PathBuf::from(format!("/{}", "x".repeat(107)));
    };
    expect("socket", Problem, "108 bytes", "XDG_RUNTIME_DIR", long);
    expect("socket", Problem, "another user's socket", "Move it away", |facts| {
        facts.without_agent();
        facts.ground().socket.as_mut().unwrap().stranger = Some("another user's socket".to_owned());
    });
    expect("socket", Fine, "can be used", "", Facts::without_agent);

    expect("settings", Fine, "understood", "", |_| {});
    expect("settings", Fine, "defaults", "", |facts| facts.ground().settings.as_mut().unwrap().exists = false);
    expect("settings", Warning, "colour is unknown", "settings.toml", |facts| {
        facts.ground().settings.as_mut().unwrap().warnings = vec!["colour is unknown and ignored".to_owned()];
    });
}

#[test]
fn programs() {
    fn found(service: ServiceId, program: Result<Fact<Trial>, &str>) -> impl FnOnce(&mut Facts) {
        let program =
            program.map(|trial| Program { path: PathBuf::from("/opt/palyra/p"), trial }).map_err(str::to_owned);
        move |facts| {
            let programs = facts.ground().programs.as_mut().unwrap();
            programs.found.iter_mut().find(|(id, _)| *id == service).unwrap().1 = program;
        }
    }
    use ServiceId::{Browserd, Gateway, NodeHost};
    expect("gateway_program", Fine, "/opt/palyra/palyrad can be started", "", |_| {});
    expect("gateway_program", Fine, "runs now", "", found(Gateway, Ok(Ok(Trial::RunsNow))));
    expect("gateway_program", Fine, "not tried out", "", found(Gateway, Ok(Ok(Trial::Script))));
    let broken = || Ok(Ok(Trial::Fails("libssl.so.3: cannot open".to_owned())));
    expect("gateway_program", Problem, "libssl.so.3", "Install what it misses", found(Gateway, broken()));
    expect("browser_program", Warning, "libssl.so.3", "Install what it misses", found(Browserd, broken()));
    expect("gateway_program", Unknown, "hangs", "", found(Gateway, Ok(Err("hangs".to_owned()))));
    expect("gateway_program", Problem, "not found", "palyra-tray setup", found(Gateway, Err("it was not found")));
    expect("browser_program", Warning, "not found", "whole Palyra package", found(Browserd, Err("it was not found")));
    expect("node_program", Warning, "not found", "whole Palyra package", found(NodeHost, Err("it was not found")));
    expect("browser_program", Skipped, "switched off", "", |facts| {
        facts.ground().settings.as_mut().unwrap().browser = false;
    });
    expect("node_program", Skipped, "enrolled", "", |facts| {
        facts.ground().settings.as_mut().unwrap().node_host = false
    });
    expect("gateway_program", Skipped, "demo", "", |facts| facts.told("/demo", json!(true)));
    expect("dashboard_files", Warning, "web/index.html", "whole Palyra package", |facts| {
        facts.ground().programs.as_mut().unwrap().dashboard = Some(false);
    });
    expect("dashboard_files", Skipped, "not found", "", |facts| {
        facts.ground().programs.as_mut().unwrap().dashboard = None;
    });
}

#[test]
fn a_palyra_that_was_seen_is_proposed() {
    let seen = |problem: Option<&str>| {
        let candidate = Candidate {
            folder: PathBuf::from("/home/x/Downloads/palyra-desktop"),
            gateway: PathBuf::from("/home/x/Downloads/palyra-desktop/palyrad"),
            browser: None,
            cli: None,
            from: Origin::Archive,
            problem: problem.map(str::to_owned),
            notes: Vec::new(),
        };
        move |facts: &mut Facts| {
            let programs = facts.ground().programs.as_mut().unwrap();
            programs.found[0].1 = Err("palyrad was not found".to_owned());
            programs.candidates = vec![candidate];
        }
    };
    expect(
        "gateway_program",
        Problem,
        "",
        "folder = \"/home/x/Downloads/palyra-desktop\" below [services]",
        seen(None),
    );
    expect("gateway_program", Problem, "", "chmod +x", seen(Some("palyrad is not executable (chmod +x palyrad).")));
}

#[test]
fn config_and_run_loop() {
    fn content(content: ConfigContent) -> impl FnOnce(&mut Facts) {
        |facts| {
            facts.setup = None;
            facts.ground().config.as_mut().unwrap().content = content;
        }
    }
    let read = |version, run_loop| ConfigContent::Read { version, principal: Some("admin:x".to_owned()), run_loop };
    expect("config", Fine, "admin:x", "", content(read(None, None)));
    expect("config", Fine, "first start", "", content(ConfigContent::None));
    expect("config", Problem, "version 2", "version = 1", content(read(Some(2), None)));
    expect("config", Problem, "line 3", "palyra.toml", content(ConfigContent::Invalid("line 3".to_owned())));
    expect("run_loop", Fine, "on", "", content(read(Some(1), Some(true))));
    for off in [read(Some(1), None), read(Some(1), Some(false)), ConfigContent::None] {
        expect("run_loop", Warning, "no chat", "palyra-tray setup", content(off));
    }
    expect("run_loop", Skipped, "cannot be read", "", content(ConfigContent::Invalid("x".to_owned())));
    // the agent knows it from the gateway itself
    expect("run_loop", Fine, "on", "", |facts| {
        facts.ground().config.as_mut().unwrap().content = read(Some(1), None);
    });
}

#[test]
fn ports() {
    fn holder(holder: Holder) -> impl FnOnce(&mut Facts) {
        |facts| facts.ground().ports.as_mut().unwrap()[1].holder = holder
    }
    expect("ports", Fine, "7142, 7444/udp in use by Palyra", "", |_| {});
    expect("ports", Fine, "7444/udp free", "", holder(Holder::Nobody));
    let nginx = Holder::Stranger(process("/usr/sbin/nginx"));
    expect("ports", Warning, "7444/udp is held by /usr/sbin/nginx (process 4242)", "other ports", holder(nginx));
    expect("ports", Warning, "another user", "other ports", holder(Holder::Unnamed));
    let all_held = "7142, 7444/udp are held by /usr/sbin/nginx (process 4242)";
    expect("ports", Warning, all_held, "other ports", |facts| {
        for port in facts.ground().ports.as_mut().unwrap().iter_mut().rev() {
            port.holder = Holder::Stranger(process("/usr/sbin/nginx"));
        }
    });
}

#[test]
fn services() {
    fn gateway(state: &str, more: Value) -> impl FnOnce(&mut Facts) {
        let mut process = json!({ "state": state, "desired_running": true });
        process.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        move |facts| facts.told("/gateway_process", process)
    }
    expect("gateway", Fine, "takes our token, up 2 h", "", |_| {});
    expect("gateway", Warning, "starting", "logs gateway", gateway("starting", json!({})));
    expect(
        "gateway",
        Warning,
        "somebody asked",
        "palyra-tray start gateway",
        gateway("stopped", json!({ "desired_running": false })),
    );
    expect("gateway", Warning, "stopped", "logs gateway", gateway("stopped", json!({})));
    expect("gateway", Warning, "stopping", "Check again", gateway("stopping", json!({})));
    let loops = json!({ "restart_attempt": 3, "last_exit": "ended with code 1", "last_stderr": ["a", "port in use"] });
    expect(
        "gateway",
        Problem,
        "ended with code 1; it last said: port in use",
        "logs gateway",
        gateway("backing_off", loops.clone()),
    );
    assert!(judged("gateway", gateway("backing_off", loops.clone())).evidence.contains("attempt 3"));
    expect("gateway", Problem, "given up", "palyra-tray start gateway", gateway("given_up", loops));
    expect(
        "gateway",
        Problem,
        "does not accept the token",
        "palyra-tray restart gateway",
        gateway("unhealthy", json!({ "trouble": "it does not accept the token" })),
    );
    expect("gateway", Skipped, "Palyra Tray does not run", "", Facts::without_agent);
    expect("gateway", Skipped, "does not tell", "", |facts| facts.agent = Agent::Silent("late".to_owned()));
    expect("browser", Skipped, "switched off", "", |facts| {
        facts.told("/quick_facts/browser_service/enabled", json!(false));
    });
    expect("browser", Problem, "given up", "start browserd", |facts| {
        facts.told("/browserd_process/state", json!("given_up"))
    });
    expect("node_host", Skipped, "not enrolled", "", |facts| {
        facts.told("/quick_facts/node_host/installed", json!(false))
    });
}

#[test]
fn approvals_and_provider() {
    expect("logs", Fine, "nothing is lost", "", |_| {});
    expect(
        "logs",
        Problem,
        "gateway says cannot be written (no storage space); lines lost so far: 7",
        "space",
        |facts| {
            facts.told("/gateway_process/log_trouble", json!("no storage space"));
            facts.told("/gateway_process/dropped_log_lines", json!(7));
        },
    );
    expect("logs", Warning, "could not be written: 7", "Nothing", |facts| {
        facts.told("/browserd_process/dropped_log_lines", json!(7));
    });
    expect("approvals", Fine, "as soon as", "", |_| {});
    expect("approvals", Problem, "cannot be read", "palyra-tray status", |facts| {
        facts.told("/approvals/known", json!(false))
    });
    expect("approvals", Warning, "2 cannot be understood", "open approvals", |facts| {
        facts.told("/approvals/unreadable", json!(2))
    });
    expect("approvals", Warning, "by the clock", "journal", |facts| {
        facts.told("/approvals/heard_of_by", json!("polling"))
    });
    expect("approvals", Skipped, "not ready", "", |facts| facts.told("/gateway_process/state", json!("starting")));
    expect("provider", Fine, "Anthropic", "", |_| {});
    expect("provider", Warning, "none is connected", "palyra-tray setup", |facts| {
        facts.setup.as_mut().unwrap().providers[0].configured = false;
    });
    expect("provider", Skipped, "does not tell", "", |facts| facts.setup = None);
}

#[test]
fn secrets_by_the_agent() {
    fn secrets(secrets: Value) -> impl FnOnce(&mut Facts) {
        |facts| facts.told("/secrets", secrets)
    }
    expect("secrets", Fine, "in the keyring", "", |_| {});
    let file = || json!({ "state": "ready", "place": "file" });
    expect("secrets", Warning, "private file", "gnome-keyring", secrets(file()));
    expect("secrets", Fine, "as PALYRA_TRAY_KEYRING asks", "", |facts| {
        facts.ground().keyring_off = true;
        facts.told("/secrets", file());
    });
    expect("secrets", Problem, "it is locked", "Unlock", secrets(json!({ "state": "waiting", "why": "it is locked" })));
    expect(
        "secrets",
        Problem,
        "disk full",
        "palyra-tray start",
        secrets(json!({ "state": "failed", "why": "disk full" })),
    );
    expect("secrets", Warning, "being fetched", "Check again", secrets(json!({ "state": "asked_for" })));
}

#[test]
fn secrets_without_an_agent() {
    fn keyring(keyring: Presence<Keyring>, files: fn(&mut OwnFiles)) -> impl FnOnce(&mut Facts) {
        move |facts| {
            facts.without_agent();
            facts.on_bus().keyring = Ok(keyring);
            files(facts.ground().files.as_mut().unwrap());
        }
    }
    expect("secrets", Fine, "open", "", keyring(Presence::Running(Keyring { locked: Some(false) }), |_| {}));
    expect("secrets", Warning, "locked", "Unlock", keyring(Presence::Running(Keyring { locked: Some(true) }), |_| {}));
    expect("secrets", Fine, "starts when", "", keyring(Presence::Startable, |_| {}));
    expect("secrets", Warning, "will go into", "gnome-keyring", keyring(Presence::Absent, |_| {}));
    expect(
        "secrets",
        Problem,
        "no keyring runs",
        "Sign in",
        keyring(Presence::Absent, |files| files.in_keyring = true),
    );
    let file = |files: &mut OwnFiles| files.secrets_file = Some(PathBuf::from("/s/tray/secrets.json"));
    expect("secrets", Warning, "/s/tray/secrets.json", "gnome-keyring", keyring(Presence::Absent, file));
    expect("secrets", Fine, "PALYRA_TRAY_KEYRING", "", |facts| {
        facts.without_agent();
        facts.ground().keyring_off = true;
    });
}

#[test]
fn vault() {
    fn backend(kind: Option<&str>, change: fn(&mut Facts)) -> impl FnOnce(&mut Facts) {
        let kind = kind.map(str::to_owned);
        move |facts| {
            facts.ground().vault_backend = Ok(kind);
            change(facts);
        }
    }
    let service = Some("linux_secret_service");
    expect("vault", Fine, "encrypted_file", "", |_| {});
    expect("vault", Fine, "none yet", "", backend(None, |_| {}));
    expect("vault", Fine, "in the keyring", "", backend(service, |_| {}));
    expect("vault", Problem, "no keyring runs", "palyra-tray start", backend(service, Facts::without_bus));
    expect(
        "vault",
        Problem,
        "secret-tool",
        "libsecret-tools",
        backend(service, |facts| facts.desktop.secret_tool = Ok(false)),
    );
    expect("vault", Unknown, "slow", "", backend(service, |facts| facts.desktop.bus = Some(Err("slow".to_owned()))));
}

#[test]
fn tray_and_what_to_do_on_each_desktop() {
    fn host(host: TrayHost, name: &'static str) -> impl FnOnce(&mut Facts) {
        move |facts| {
            facts.without_agent();
            facts.on_bus().tray = Ok(host);
            facts.desktop.name = name.to_owned();
        }
    }
    expect("tray", Fine, "a panel shows it", "", |_| {});
    expect("tray", Fine, "a panel shows tray icons", "", Facts::without_agent);
    for (name, remedy) in [
        ("ubuntu:GNOME", "gnome-shell-extension-appindicator"),
        ("KDE", "System Tray"),
        ("XFCE", "Status Tray Plugin"),
        ("sway", "Waybar"),
        ("Hyprland", "tray_output"),
        ("", "StatusNotifier"),
    ] {
        expect("tray", Warning, "nobody shows", remedy, host(TrayHost::NoWatcher, name));
        expect("tray", Warning, "no panel", "the command line", host(TrayHost::NoHost, name));
    }
    expect("tray", Warning, "not ours: --no-tray", "quit --keep-running", |facts| {
        facts.told("/tray", json!({ "present": false, "detail": "--no-tray" }));
    });
    expect("tray", Skipped, "session bus", "", |facts| {
        facts.without_agent();
        facts.without_bus();
    });
    expect("tray", Warning, "not shown: no host", "the command line", |facts| {
        facts.told("/tray", json!({ "present": false, "detail": "no host" }));
        facts.without_bus();
    });
    expect("session_bus", Warning, "no address", "SSH", Facts::without_bus);
}

#[test]
fn notifications() {
    fn presence(presence: Presence<NotificationServer>) -> impl FnOnce(&mut Facts) {
        |facts| facts.on_bus().notifications = Ok(presence)
    }
    let running = |change: fn(&mut NotificationServer)| {
        let mut server = server();
        change(&mut server);
        presence(Presence::Running(server))
    };
    expect(
        "notifications",
        Fine,
        "dunst 1.9.0 shows them with buttons; what it shows whole can be approved",
        "",
        |_| {},
    );
    expect("notifications", Fine, "reviewed elsewhere", "", running(|server| server.name = "mine".to_owned()));
    expect("notifications", Warning, "without buttons", "approvals", running(|server| server.actions = false));
    expect("notifications", Warning, "Do Not Disturb", "approvals list", running(|server| server.quiet = Some(true)));
    expect("notifications", Fine, "buttons", "", running(|server| server.quiet = None));
    expect("notifications", Fine, "starts with", "", presence(Presence::Startable));
    expect("notifications", Warning, "no server", "dunst", presence(Presence::Absent));
    expect("notifications", Skipped, "session bus", "", Facts::without_bus);
}

#[test]
fn dialogs_and_pages() {
    expect("dialogs", Fine, "zenity", "", |_| {});
    expect("dialogs", Warning, "no program", "zenity", |facts| facts.desktop.dialogs = Ok(None));
    expect("dialogs", Skipped, "no display", "", |facts| facts.desktop.display = false);
    expect("browser_opener", Fine, "xdg-open", "", |_| {});
    expect("browser_opener", Warning, "nothing", "xdg-utils", |facts| facts.desktop.opener = Ok(None));
    expect("browser_opener", Skipped, "no display", "", |facts| {
        facts.desktop.opener = Ok(None);
        facts.desktop.display = false;
    });
}

#[test]
fn login_start() {
    fn with(login: Option<Fact<Login>>, unit: Option<(&str, &str)>) -> impl FnOnce(&mut Facts) {
        let unit = unit.map(|(enabled, active)| Unit { enabled: enabled.to_owned(), active: active.to_owned() });
        |facts| {
            facts.login = login;
            facts.on_bus().unit = Ok(unit);
        }
    }
    let login =
        |on, problem: &str| Some(Ok(Login { on, how: "XDG autostart".to_owned(), problem: problem.to_owned() }));
    expect("login_start", Fine, "XDG autostart", "", with(login(true, ""), None));
    expect("login_start", Fine, "off", "", with(login(false, ""), Some(("disabled", "inactive"))));
    expect("login_start", Fine, "systemd", "", with(None, Some(("enabled", "active"))));
    expect("login_start", Fine, "not by systemd", "", with(None, Some(("", ""))));
    expect("login_start", Skipped, "nothing is known", "", with(None, None));
    expect("login_start", Warning, "is gone", "autostart on", with(login(true, "its program is gone"), None));
    expect("login_start", Warning, "failed", "journalctl", with(login(true, ""), Some(("enabled", "failed"))));
}

#[test]
fn limits_of_the_system() {
    fn refused(refused: Refused) -> impl FnOnce(&mut Facts) {
        |facts| facts.ground().journal.as_mut().unwrap().refused = Some(refused)
    }
    expect("journal_watch", Fine, "65536 watches", "", |_| {});
    expect("journal_watch", Warning, "all watches", "max_user_watches=524288", refused(Refused::Watches));
    expect("journal_watch", Warning, "all watchers", "max_user_instances=1024", refused(Refused::Instances));
    expect("journal_watch", Warning, "denied", "permissions", refused(Refused::Other("denied".to_owned())));

    fn open(open: Option<u64>, limit: Option<u64>) -> impl FnOnce(&mut Facts) {
        move |facts| facts.open_files = Ok(OpenFiles { of_agent: true, open, limit })
    }
    expect("open_files", Fine, "27 open now, at most 1024", "", |_| {});
    expect("open_files", Fine, "no limit", "", open(None, None));
    expect("open_files", Warning, "at most 64", "ulimit", open(Some(20), Some(64)));
    expect("open_files", Problem, "950 open now", "quit --keep-running", open(Some(950), Some(1024)));

    expect("clock", Fine, "2026", "", |_| {});
    expect("clock", Problem, "year 1970", "timedatectl", |facts| facts.now_unix_ms = 86_400_000);
    expect("clock", Problem, "year 21", "timedatectl", |facts| facts.now_unix_ms = 4_200_000_000_000);
    expect("clock", Problem, "behind files", "timedatectl", |facts| {
        facts.ground().files.as_mut().unwrap().newest_unix_ms = Some(1_790_000_000_000 + 30 * 3_600_000);
    });
}

#[test]
fn the_other_systems_are_not_asked_what_they_do_not_have() {
    let mut facts = well();
    facts.system = System::MacOs;
    facts.desktop.bus = None;
    let checks = checks(&facts);
    assert!(checks.iter().all(|check| check.verdict <= Skipped), "{checks:#?}");
    assert!(checks.iter().all(|check| check.id != "vault"));
}

fn some() -> Vec<Check> {
    let about = About("x", "X");
    vec![about.problem("bad", "Mend it"), about.ok("good"), about.warning("so so", "Look"), about.skipped("not here")]
}

#[test]
fn on_a_terminal_the_worst_comes_last_and_in_a_window_first() {
    let text = terminal(&some(), false);
    assert_eq!(
        text,
        "ok X: good\n-- X: not here\n ! X: so so\n     Look\n!! X: bad\n     Mend it\n\n1 problem, 1 warning, 1 in order.\n"
    );
    let colourful = terminal(&some(), true);
    assert!(colourful.contains("\x1b[31m!!\x1b[0m X: bad"), "{colourful:?}");
    assert_eq!(document(&some()), "!! X: bad\n   Mend it\n\n ! X: so so\n   Look\n\n-- X: not here\nok X: good\n");
    let form = form(&some());
    let ids: Vec<_> = form.buttons.iter().map(|button| button.id.as_str()).collect();
    assert_eq!((ids, form.focus.as_deref()), (vec![AGAIN, CLOSE], Some(AGAIN)));
    assert_eq!((form.heading.as_str(), form.tone), ("1 problem, 1 warning, 1 in order.", Tone::Error));
}

#[test]
fn as_json_each_check_stands_by_its_id() {
    let facts = well();
    let report = report(&facts, &checks(&facts));
    assert_eq!(report["verdict"], "ok");
    assert_eq!(report["checks"].as_array().unwrap().len(), checks(&facts).len());
    let clock = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == "clock").unwrap();
    assert_eq!(
        clock,
        &json!({ "id": "clock", "title": "Clock", "verdict": "ok", "evidence": "says 2026", "remedy": "" })
    );
}

#[test]
fn what_programs_say_reaches_no_terminal_raw() {
    let check = judged("gateway", |facts| {
        facts.told("/gateway_process", json!({ "state": "given_up", "last_stderr": ["\u{1b}[2J\u{202e}x"] }));
    });
    assert!(!check.evidence.contains(['\u{1b}', '\u{202e}']), "{check:?}");
}
