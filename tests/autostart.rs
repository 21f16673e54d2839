//! Start on login on real parts: a systemd user manager with its generator of autostart services, and GLib's reader of entries.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/http.rs"]
mod http;
#[path = "support/user_manager.rs"]
mod user_manager;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use agent::Site;
use serde_json::Value;
use user_manager::UserManager;

const TARGET: &str = "graphical-session.target";

/// A program of ours where the path has every character that some entry must escape, with sidecars, a state root of its own,
/// and a login to a machine.
struct Login {
    /// Ended before the site takes its folder away.
    manager: UserManager,
    site: Site,
    program: PathBuf,
}

fn odd_program(site: &Site) -> PathBuf {
    let odd = site.root().parent().unwrap().join(r#"50% of "it's" & #ö"#);
    fs::create_dir(&odd).unwrap();
    let program = odd.join("palyra-tray");
    fs::copy(env!("CARGO_BIN_EXE_palyra-tray"), &program).unwrap();
    program
}

impl Login {
    fn new() -> Self {
        let site = Site::new();
        let program = odd_program(&site);
        Self { manager: UserManager::start(site.root().parent().unwrap()), site, program }
    }

    fn tray(&self, arguments: &[&str], desktop: &str) -> Output {
        let mut command = self.manager.command(&self.program);
        for (name, value) in self.site.command(&[]).get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        command.args(arguments).envs(self.manager.env());
        if !desktop.is_empty() {
            command.env("XDG_CURRENT_DESKTOP", desktop);
        }
        command.output().unwrap()
    }

    #[track_caller]
    fn ok(&self, arguments: &[&str], desktop: &str) -> String {
        let output = self.tray(arguments, desktop);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, arguments: &[&str], desktop: &str) -> String {
        let output = self.tray(arguments, desktop);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    fn entry(&self) -> PathBuf {
        self.manager.home().join(".config/autostart/palyra-tray.desktop")
    }

    fn unit(&self) -> PathBuf {
        self.manager.units().join("palyra-tray.service")
    }

    /// Everything of ours below the config folder.
    fn left(&self) -> Vec<PathBuf> {
        let config = self.manager.home().join(".config");
        let output = Command::new("find").arg(&config).args(["-name", "palyra-tray*"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect()
    }

    /// Waits for the agent that the login started: ours, on our state root, with our sidecars.
    fn healthy(&self) -> Value {
        let status = self.site.healthy();
        let exe = format!("/proc/{}/exe", status["agent"]["pid"]);
        assert_eq!(fs::read_link(exe).unwrap(), self.program);
        status
    }
}

#[test]
fn a_desktop_with_systemd_gets_a_service_that_starts_at_the_next_login() {
    let mut login = Login::new();
    login.manager.start_desktop(TARGET);
    let said = login.ok(&["autostart", "on"], "GNOME");
    assert_eq!(said, "Palyra Tray starts at every login (systemd user service).\n");
    assert_eq!(login.manager.systemctl(&["is-active", "palyra-tray"]), "inactive", "it is for the next login");
    assert!(login.unit().is_file() && !login.entry().exists());
    let status: Value = serde_json::from_str(&login.ok(&["autostart", "status", "--json"], "GNOME")).unwrap();
    assert_eq!((status["on"].as_bool(), status["way"].as_str()), (Some(true), Some("systemd_user_service")));

    login.manager.log_out();
    login.manager.log_in();
    assert_eq!(login.manager.systemctl(&["is-active", "palyra-tray"]), "inactive", "not before the desktop");
    login.manager.start_desktop(TARGET);
    login.healthy();
    assert_eq!(login.manager.systemctl(&["is-active", "palyra-tray"]), "active");
    // its menu shows what the command line changes
    login.site.until("on", |status| status["start_on_login"] == true);
    assert_eq!(login.ok(&["autostart", "off"], "GNOME"), "Palyra Tray does not start at login.\n");
    login.site.until("off", |status| status["start_on_login"] == false);
    login.healthy();
    assert_eq!(login.left(), [] as [&Path; 0]);
    login.manager.log_out();
    login.site.nothing_left();

    login.manager.log_in();
    login.manager.start_desktop(TARGET);
    assert_eq!(login.manager.systemctl(&["show", "-P", "LoadState", "palyra-tray"]), "not-found");
}

#[test]
fn a_desktop_without_the_target_gets_an_entry_and_never_both() {
    let mut login = Login::new();
    let said = login.ok(&["autostart", "on"], "XFCE");
    assert_eq!(said, "Palyra Tray starts at every login (autostart entry of the desktop).\n");
    assert!(login.entry().is_file() && !login.unit().exists());

    // systemd's own reading of the entry, as on Plasma
    login.manager.log_out();
    login.manager.log_in();
    login.manager.start_desktop("xdg-desktop-autostart.target");
    login.healthy();
    login.manager.log_out();
    login.site.nothing_left();

    // the person changes to GNOME, where the service is the better way, and back
    login.manager.log_in();
    login.manager.start_desktop(TARGET);
    assert!(login.ok(&["autostart", "on"], "GNOME").contains("(systemd user service)"));
    assert!(login.unit().is_file() && !login.entry().exists());
    login.manager.log_out();
    login.manager.log_in();
    assert!(login.ok(&["autostart", "status"], "XFCE").contains("this desktop (XFCE) does not start it"));
    assert!(login.ok(&["autostart", "on"], "XFCE").contains("(autostart entry"));
    assert!(login.entry().is_file() && !login.unit().exists());
    assert_eq!(login.ok(&["autostart", "off"], "XFCE"), "Palyra Tray does not start at login.\n");
    assert_eq!(login.left(), [] as [&Path; 0]);
}

#[test]
fn a_mask_and_files_of_the_persons_own_are_left_and_named() {
    let login = Login::new();
    login.manager.start_desktop(TARGET);
    login.manager.systemctl(&["mask", "palyra-tray.service"]);
    assert!(login.fails(&["autostart", "on"], "GNOME").contains("systemctl --user unmask palyra-tray.service"));
    assert!(login.ok(&["autostart", "status"], "GNOME").contains("masked"));
    login.manager.systemctl(&["unmask", "palyra-tray.service"]);

    let own = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=graphical-session.target\n";
    fs::write(login.unit(), own).unwrap();
    login.manager.systemctl(&["daemon-reload"]);
    let why = login.fails(&["autostart", "on"], "GNOME");
    assert!(why.contains("palyra-tray.service is not of Palyra Tray's making, so it was left as it is"), "{why}");
    login.manager.systemctl(&["enable", "palyra-tray.service"]);
    assert!(login.ok(&["autostart", "on"], "GNOME").contains("not of Palyra Tray's making"));
    assert!(login.fails(&["autostart", "off"], "GNOME").contains("systemctl --user disable palyra-tray.service"));
    assert_eq!(fs::read_to_string(login.unit()).unwrap(), own);
    assert_eq!(login.manager.systemctl(&["is-enabled", "palyra-tray.service"]), "enabled");
}

#[test]
fn an_entry_is_started_as_glib_reads_it() {
    let site = Site::new();
    let folder = site.root().parent().unwrap().to_owned();
    let program = odd_program(&site);
    let got = program.with_file_name("got");
    let in_home = |program: &Path| {
        let mut command = Command::new(program);
        command.env("HOME", &folder).env_remove("XDG_CONFIG_HOME").env_remove("XDG_RUNTIME_DIR");
        command.env("PALYRA_STATE_ROOT", r#"/my "data" 100% x"#);
        command
    };
    let output = in_home(&program).args(["autostart", "on"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // in place of the program: what it was started with
    fs::write(&program, "#!/bin/sh\nprintf '%s|' \"$0\" \"$@\" \"$PALYRA_STATE_ROOT\" >\"${0%/*}/new\"\nmv \"${0%/*}/new\" \"${0%/*}/got\"\n")
        .unwrap();
    let entry = folder.join(".config/autostart/palyra-tray.desktop");
    let check = Command::new("desktop-file-validate").arg(&entry).output().unwrap();
    assert!(check.status.success() && check.stdout.is_empty(), "{}", String::from_utf8_lossy(&check.stdout));
    let launched = Command::new("gio").arg("launch").arg(&entry).env_remove("PALYRA_STATE_ROOT").output().unwrap();
    assert!(launched.status.success(), "{}", String::from_utf8_lossy(&launched.stderr));
    let end = std::time::Instant::now() + agent::PATIENCE;
    while !got.exists() {
        assert!(std::time::Instant::now() < end, "the entry started nothing");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let expected = format!(r#"{}|run|/my "data" 100% x|"#, program.display());
    assert_eq!(fs::read_to_string(&got).unwrap(), expected);
}

#[test]
fn a_demo_and_a_folder_that_cannot_be_written_are_refused() {
    let mut site = Site::new();
    let home = site.root().parent().unwrap().join("home");
    fs::create_dir_all(&home).unwrap();
    site.env("HOME", home.to_str().unwrap());
    site.env("XDG_CONFIG_HOME", "");
    // root may write anywhere, but not below a file
    fs::write(home.join(".config"), "").unwrap();
    let why = site.fails(1, &["autostart", "on"]);
    assert!(why.contains(".config/autostart/palyra-tray.desktop"), "{why}");
    fs::remove_file(home.join(".config")).unwrap();

    let state = site.root();
    site.start_as(&["demo", "--no-tray", "--state", state.to_str().unwrap()]);
    site.until("runs", |status| status["demo"] == true);
    let why = site.fails(4, &["autostart", "on"]);
    assert!(why.contains("a demo does not start at login"), "{why}");
    assert!(!home.join(".config/autostart").exists());
    site.ok(&["quit"]);
}

#[test]
fn a_variable_of_a_login_entry_is_taken_from_the_arguments() {
    let site = Site::new();
    let refused = site.fails(2, &["run", "--env", "PATH=/x"]);
    assert!(refused.contains("PALYRA_SOMETHING=VALUE"), "{refused}");
    let mut command = site.command(&["run", "--no-tray", "--no-start", "--env", "PALYRA_STATE_ROOT=here"]);
    let output = command.env_remove("PALYRA_STATE_ROOT").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("PALYRA_STATE_ROOT is here, which is not an absolute path"), "{said}");
}

#[test]
fn what_is_written_is_for_the_person_alone() {
    let site = Site::new();
    let home = site.root().parent().unwrap().join("home");
    let mut command = site.command(&["autostart", "on"]);
    let output = command.env("HOME", &home).env_remove("XDG_CONFIG_HOME").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let entry = home.join(".config/autostart/palyra-tray.desktop");
    assert_eq!(fs::metadata(entry).unwrap().permissions().mode() & 0o777, 0o600);
}
