//! `doctor` on real folders, disks and processes: it sees what is wrong, and leaves all as it is.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/http.rs"]
mod http;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use agent::{PATIENCE, Site, kill};
use nix::sys::signal::Signal;
use serde_json::Value;

/// What `doctor --json` says, and its exit code.
struct Report(Value, Option<i32>);

impl Report {
    #[track_caller]
    fn of(command: &mut Command) -> Self {
        let output = command.output().expect("doctor");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let report = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
        Self(report, output.status.code())
    }

    fn on(site: &Site) -> Self {
        Self::of(&mut site.command(&["doctor", "--json"]))
    }

    /// Verdict, evidence and remedy of a check.
    #[track_caller]
    fn check(&self, id: &str) -> [&str; 3] {
        let checks = self.0["checks"].as_array().expect("checks");
        let check = checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id}: {:#}", self.0));
        ["verdict", "evidence", "remedy"].map(|key| check[key].as_str().expect("text"))
    }

    #[track_caller]
    fn expect(&self, id: &str, verdict: &str, evidence: &str) {
        let [found, seen, remedy] = self.check(id);
        assert!(found == verdict && seen.contains(evidence), "{id}: {found}: {seen} ({remedy})");
    }
}

/// Everything below a folder: size, mode, and time of the last change of content and of rights.
fn listing(root: &Path) -> BTreeMap<PathBuf, (u64, u32, i64, i64, i64, i64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Ok(one) = entry.path().symlink_metadata() else { continue };
            if one.is_dir() {
                folders.push(entry.path());
            }
            let times = (one.mtime(), one.mtime_nsec(), one.ctime(), one.ctime_nsec());
            found.insert(entry.path(), (one.len(), one.mode(), times.0, times.1, times.2, times.3));
        }
    }
    let one = root.metadata().expect("root");
    found.insert(root.to_owned(), (0, one.mode(), one.mtime(), one.mtime_nsec(), one.ctime(), one.ctime_nsec()));
    found
}

/// Waits until nothing changes below a folder for a moment.
fn settled(root: &Path) -> BTreeMap<PathBuf, (u64, u32, i64, i64, i64, i64)> {
    let end = std::time::Instant::now() + PATIENCE;
    let mut before = listing(root);
    while std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(700));
        let after = listing(root);
        if after == before {
            return after;
        }
        before = after;
    }
    panic!("never still");
}

#[test]
fn without_an_agent_it_checks_everything_else_and_makes_nothing() {
    let site = Site::new();
    let before = listing(&site.root());
    let report = Report::on(&site);
    report.expect("agent", "warning", "does not run");
    report.expect("gateway", "skipped", "Palyra Tray does not run");
    report.expect("gateway_program", "ok", "palyrad");
    report.expect("state_root", "ok", "writable");
    report.expect("disk_space", "ok", "free");
    report.expect("ports", "ok", "free");
    report.expect("run_loop", "warning", "palyra.toml");
    assert_eq!((report.0["verdict"].as_str(), report.1), (Some("warning"), Some(0)), "{:#}", report.0);
    assert_eq!(listing(&site.root()), before);
    assert!(!site.own("").exists());
}

#[test]
fn twenty_times_beside_a_live_agent_changes_no_file_and_disturbs_nothing() {
    let mut site = Site::new();
    let before = site.start_healthy();
    let agent = before["agent"]["pid"].as_u64().expect("pid");
    let open = |pid: u64| fs::read_dir(format!("/proc/{pid}/fd")).expect("fd").count();
    let (files, open_before) = (settled(&site.root()), open(agent));
    for _ in 0..20 {
        let report = Report::on(&site);
        assert_eq!(report.1, Some(0), "{:#}", report.0);
        report.expect("agent", "ok", &format!("process {agent}"));
        report.expect("gateway", "ok", "takes our token");
        report.expect("browser", "ok", "answers");
        report.expect("approvals", "ok", "as soon as");
        report.expect("ports", "ok", "in use by Palyra");
        report.expect("other_palyra", "ok", "none");
        report.expect("private_files", "ok", "only you");
        report.expect("secrets", "ok", "private file");
        report.expect("open_files", "ok", "Palyra Tray");
    }
    assert_eq!(listing(&site.root()), files);
    let after = site.healthy();
    for process in ["gateway_process", "browserd_process"] {
        for key in ["pid", "restart_attempt", "last_exit", "trouble"] {
            assert_eq!(after[process][key], before[process][key], "{process} {key}");
        }
    }
    assert!(open(agent) <= open_before + 1, "descriptors stay open in the agent");
}

#[test]
fn sidecars_that_outlived_their_agent_are_known_as_ours() {
    let mut site = Site::new();
    site.start_healthy();
    site.kill_agent();
    let report = Report::on(&site);
    report.expect("agent", "warning", "does not run");
    report.expect("other_palyra", "ok", "none");
    report.expect("ports", "ok", "in use by Palyra");
    report.expect("earlier_app", "ok", "does not use");
}

#[test]
fn an_agent_that_hangs_is_named_and_not_waited_for() {
    let mut site = Site::new();
    let agent = site.start_healthy()["agent"]["pid"].as_u64().expect("pid");
    kill(agent, Signal::SIGSTOP);
    let report = Report::on(&site);
    kill(agent, Signal::SIGCONT);
    report.expect("agent", "problem", &format!("process {agent}"));
    assert!(report.check("agent")[2].contains(&format!("kill {agent}")));
    report.expect("gateway", "skipped", "does not tell");
    assert_eq!(report.1, Some(1));
    site.healthy();
}

#[test]
fn why_the_gateway_was_given_up_stands_there() {
    let mut site = Site::new();
    site.script("palyrad", "echo 'no model for you' >&2; exit 3");
    site.start(&[]);
    site.until("given up", |status| status["gateway_process"]["state"] == "given_up");
    let report = Report::on(&site);
    report.expect("gateway", "problem", "no model for you");
    assert!(report.check("gateway")[2].contains("palyra-tray start gateway"));
    assert_eq!(report.1, Some(1));
    let text = String::from_utf8(site.cli(&["doctor"]).stdout).expect("text");
    let last_mark = text.lines().rfind(|line| line.starts_with("!!")).expect("a problem");
    assert!(last_mark.contains("Gateway") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_program_for_another_machine_or_a_broken_one_is_named() {
    let mut site = Site::new();
    let machine: u16 = if cfg!(target_arch = "aarch64") { 62 } else { 183 };
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(18, 0);
    elf.extend(machine.to_le_bytes());
    elf.resize(64, 0);
    let palyrad = site.bin().join("palyrad");
    fs::write(&palyrad, elf).expect("elf");
    Report::on(&site).expect("gateway_program", "problem", "this machine is");

    // loads, and ends with an error
    fs::remove_file(&palyrad).expect("old");
    fs::copy("/bin/false", &palyrad).expect("copy");
    Report::on(&site).expect("gateway_program", "problem", "cannot be started");

    fs::set_permissions(&palyrad, fs::Permissions::from_mode(0o644)).expect("mode");
    Report::on(&site).expect("gateway_program", "problem", "chmod +x");

    // a whole one lies where people unpack things
    let unpacked = site.root().with_file_name("home").join("Downloads/palyra-desktop-0.1.0");
    fs::create_dir_all(&unpacked).expect("folder");
    fs::copy("/bin/true", unpacked.join("palyrad")).expect("copy");
    site.env("PALYRA_DESKTOP_PALYRAD_BIN", "");
    site.env("HOME", &site.root().with_file_name("home").display().to_string());
    site.env("PATH", "/nowhere");
    let report = Report::on(&site);
    // tests run beside no palyrad, or the build folder has one and nothing needs to be proposed
    report.expect("gateway_program", "problem", "was not found");
    assert!(report.check("gateway_program")[2].contains(&unpacked.display().to_string()), "{:#}", report.0);
}

#[test]
fn data_that_a_person_had_put_elsewhere_are_looked_at_there() {
    let site = Site::new();
    fs::create_dir_all(site.own("")).expect("own");
    let file = site.root().join("config/palyra.toml/data");
    fs::write(site.own("settings.toml"), format!("[services]\ndata = \"{}\"\n", file.display())).expect("settings");
    Report::on(&site).expect("state_root", "problem", &format!("so {} cannot be used", file.display()));
}

#[test]
fn config_ports_and_private_files() {
    let site = Site::new();
    let held = TcpListener::bind("127.0.0.1:0").expect("port");
    let port = held.local_addr().expect("address").port();
    fs::write(site.root().join("config/palyra.toml"), format!("version = 1\n[daemon]\nport = {port}\n"))
        .expect("config");
    let report = Report::on(&site);
    report.expect("ports", "warning", &format!("{port} is held by"));
    report.expect("ports", "warning", &format!("process {}", std::process::id()));

    fs::write(site.root().join("config/palyra.toml"), "version = \n").expect("config");
    Report::on(&site).expect("config", "problem", "not valid TOML");

    fs::create_dir_all(site.own("")).expect("own");
    fs::write(site.own("secrets.json"), "{}").expect("secrets");
    fs::set_permissions(site.own("secrets.json"), fs::Permissions::from_mode(0o644)).expect("mode");
    fs::write(site.own("settings.toml"), "[tray]\ncolour = 1\n").expect("settings");
    let report = Report::on(&site);
    report.expect("private_files", "problem", "mode 644");
    report.expect("settings", "warning", "tray.colour");
}

#[test]
fn a_state_root_that_cannot_be_used_is_told_in_every_way() {
    let mut site = Site::new();
    let blocked = site.root().join("config/palyra.toml").join("state");
    site.env("PALYRA_STATE_ROOT", &blocked.display().to_string());
    let report = Report::on(&site);
    report.expect("state_root", "problem", "is not a folder");
    assert_eq!(report.1, Some(1));

    site.env("PALYRA_STATE_ROOT", "here");
    let report = Report::on(&site);
    report.expect("state_root", "problem", "PALYRA_STATE_ROOT");
    report.expect("clock", "ok", "");
    assert_eq!(report.1, Some(1));
}

/// `doctor` on a disk of its own, prepared by these words of a shell.
#[track_caller]
fn on_a_disk(site: &Site, size: &str, prepare: &str) -> Report {
    let disk = site.root();
    let script =
        format!("mount -t tmpfs -o size={size} none '{0}' && cd '{0}' && {prepare} && exec \"$@\"", disk.display());
    apart(site, "-m", &script)
}

/// `doctor` with something of its own, prepared by a script that ends with it.
#[track_caller]
fn apart(site: &Site, what: &str, script: &str) -> Report {
    let doctor = site.command(&["doctor", "--json"]);
    let mut command = Command::new("unshare");
    let alone: &[&str] = if nix::unistd::geteuid().is_root() { &[] } else { &["-r"] };
    command.args(alone).args([what, "sh", "-c", script, "sh"]).arg(doctor.get_program()).args(doctor.get_args());
    for (name, value) in doctor.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Report::of(&mut command)
}

#[test]
fn a_full_and_a_read_only_disk_are_told() {
    let site = Site::new();
    let report = on_a_disk(&site, "100m", "true");
    report.expect("disk_space", "warning", "only 104 MB free");
    let report = on_a_disk(&site, "1m", "head -c 2000000 /dev/zero > filled 2>/dev/null; true");
    report.expect("disk_space", "problem", "only 0 MB free");
    let report = on_a_disk(&site, "1m,nr_inodes=3", "touch a b; true");
    report.expect("disk_space", "problem", "no more files");
    let report = on_a_disk(&site, "600m", "mount -o remount,ro .");
    report.expect("state_root", "problem", "read-only");
    assert_eq!(report.1, Some(1));
}

#[test]
fn a_computer_without_a_network_is_told() {
    let report = apart(&Site::new(), "-n", "exec \"$@\"");
    report.expect("network", "warning", "not connected");
}

#[test]
fn beside_a_demo_nothing_of_the_real_palyra_is_demanded_and_nothing_is_disturbed() {
    let mut site = Site::new();
    let root = site.root().display().to_string();
    site.start_as(&["demo", "--no-tray", "--state", &root]);
    let processes = |status: &Value| {
        ["agent", "gateway_process", "browserd_process"].map(|process| status[process]["pid"].as_u64().expect("pid"))
    };
    let before = site.until("all run", |status| {
        ["gateway_process", "browserd_process"].iter().all(|process| status[process]["state"] == "ready")
    });
    for _ in 0..5 {
        let report = Report::on(&site);
        report.expect("agent", "ok", "it is a demo");
        report.expect("gateway_program", "skipped", "a demo has its own");
        report.expect("run_loop", "skipped", "a demo has its own");
        report.expect("gateway", "ok", "takes our token");
        report.expect("other_palyra", "ok", "none");
        report.expect("ports", "ok", "in use by Palyra");
        assert_eq!(report.1, Some(0), "{:#}", report.0);
    }
    let after: Value = serde_json::from_str(&site.ok(&["status", "--json"])).expect("status");
    assert_eq!(processes(&after), processes(&before));
}

#[test]
fn where_no_window_can_be_had_the_words_are_printed_and_the_reason_is_told() {
    let mut site = Site::new();
    for variable in ["DISPLAY", "WAYLAND_DISPLAY"] {
        site.env(variable, "");
    }
    let output = site.cli(&["doctor", "--dialog"]);
    let (words, reason) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(words.contains(" ! Palyra Tray: does not run") && words.trim_end().ends_with("in order."), "{words}");
    assert!(reason.starts_with("palyra-tray: ") && output.status.code() == Some(1), "{reason}");
    let both = site.cli(&["doctor", "--dialog", "--json"]);
    assert_eq!(both.status.code(), Some(2));
}
