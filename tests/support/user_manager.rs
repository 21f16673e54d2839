//! A systemd user manager of its own, on any machine: in a mount namespace where systemd looks booted.
//!
//! It knows the units of the machine and those of its own home folder. A desktop is a target there that pulls in what GNOME and
//! Plasma pull in. As root it needs nothing but systemd and util-linux; other users get a cgroup from the manager they have.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Nothing here takes longer on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(25);

/// Managers of one test program would share a cgroup, and with it the processes of units of one name.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A login of a person whose home it is; see [`UserManager::log_out`].
pub struct UserManager {
    /// Keeps the namespace.
    holder: Child,
    manager: Option<Child>,
    folder: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl UserManager {
    /// Logs in to a home folder below `folder`, without a desktop.
    pub fn start(folder: &Path) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let script = "mount -t tmpfs none /run && mkdir -p /run/systemd/system && touch \"$1\" && exec sleep infinity";
        let ready = folder.join("namespace-is-there");
        let mut command = Command::new("unshare");
        if nix::unistd::geteuid().is_root() {
            command.arg("--mount");
        } else {
            command = Command::new("systemd-run");
            command.args(["--user", "--scope", "--quiet", "--property=Delegate=yes", "unshare", "--mount"]);
            command.arg("--map-root-user");
        }
        let holder = command
            .args(["--kill-child", "sh", "-c", script, "sh"])
            .arg(&ready)
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare, of util-linux");
        let mut this = Self { holder, manager: None, folder: folder.to_owned(), _turn: turn };
        wait_for("a namespace", || ready.exists() || this.holder.try_wait().expect("wait").is_some());
        assert!(ready.exists(), "no mount namespace can be made here");
        fs::create_dir_all(this.units()).expect("home");
        this.log_in();
        this
    }

    /// What a login sets.
    pub fn env(&self) -> [(&'static str, PathBuf); 2] {
        [("HOME", self.home()), ("XDG_RUNTIME_DIR", self.folder.join("run"))]
    }

    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    pub fn units(&self) -> PathBuf {
        self.home().join(".config/systemd/user")
    }

    /// A command within the login.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("--target").arg(self.holder.id().to_string()).arg("--mount");
        if !nix::unistd::geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--").arg(program).stdin(Stdio::null());
        for name in ["XDG_CONFIG_HOME", "XDG_CURRENT_DESKTOP", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"]
        {
            command.env_remove(name);
        }
        command.envs(self.env());
        command
    }

    /// `systemctl --user`; what it says.
    pub fn systemctl(&self, arguments: &[&str]) -> String {
        let output = self.command("systemctl").arg("--user").args(arguments).output().expect("systemctl");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The person logs in; units and entries are read anew.
    pub fn log_in(&mut self) {
        let runtime = self.folder.join("run");
        let _ = fs::remove_dir_all(&runtime);
        fs::create_dir(&runtime).expect("runtime dir");
        fs::set_permissions(&runtime, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("mode");
        let log = fs::File::create(self.folder.join("manager.log")).expect("log");
        let manager = self
            .command("/usr/lib/systemd/systemd")
            .arg("--user")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("systemd");
        self.manager = Some(manager);
        wait_for("a user manager", || {
            matches!(self.systemctl(&["is-system-running"]).as_str(), "running" | "degraded")
        });
    }

    /// A desktop that starts these targets is there.
    pub fn start_desktop(&self, targets: &str) {
        let unit = format!("[Unit]\nBindsTo={targets}\nBefore={targets}\n");
        fs::write(self.units().join("test-desktop.target"), unit).expect("unit");
        self.systemctl(&["daemon-reload"]);
        self.systemctl(&["start", "test-desktop.target"]);
        assert_eq!(self.systemctl(&["is-active", "test-desktop.target"]), "active");
    }

    /// All of it ends, as at a logout.
    pub fn log_out(&mut self) {
        let Some(mut manager) = self.manager.take() else { return };
        let pid = nix::unistd::Pid::from_raw(i32::try_from(manager.id()).expect("pid"));
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let end = Instant::now() + PATIENCE;
        while manager.try_wait().expect("wait").is_none() {
            if Instant::now() >= end {
                let _ = manager.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for UserManager {
    fn drop(&mut self) {
        self.log_out();
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[track_caller]
fn wait_for(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < end, "never {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
