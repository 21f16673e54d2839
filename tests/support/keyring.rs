//! A person's session without a desktop: a bus of its own, on it a keyring that is unlocked, and a notification server that
//! writes down what it is given.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::agent::Site;
use super::bus;

const PASSWORD: &[u8] = b"palyra";
/// Shows nothing, and takes everything for a person who does nothing.
const NOTIFIER: &str = r#"
import sys, json, dbus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
DBusGMainLoop(set_as_default=True)
NAME = "org.freedesktop.Notifications"
class Server(dbus.service.Object):
    count = 0
    @dbus.service.method(NAME, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, title, body, actions, hints, timeout):
        Server.count += 1
        with open(sys.argv[1], "a") as told:
            told.write(json.dumps([title, body, list(actions), str(dict(hints))], ensure_ascii=False) + "\n")
        return replaces or Server.count
    @dbus.service.method(NAME, in_signature="u", out_signature="")
    def CloseNotification(self, id):
        self.NotificationClosed(id, 3)
    @dbus.service.signal(NAME, signature="uu")
    def NotificationClosed(self, id, reason):
        pass
    @dbus.service.method(NAME, in_signature="", out_signature="as")
    def GetCapabilities(self):
        return ["actions", "body"]
    @dbus.service.method(NAME, in_signature="", out_signature="ssss")
    def GetServerInformation(self):
        return ("dunst", "knopwob", "1.9.0", "1.2")
Server(dbus.SessionBus(), "/org/freedesktop/Notifications")
name = dbus.service.BusName(NAME, dbus.SessionBus())
GLib.MainLoop().run()
"#;

/// Ends with the test.
pub struct Session {
    told: PathBuf,
    processes: Vec<Child>,
}

impl Session {
    /// From now on it is the one of everything that the site starts.
    pub fn start(site: &mut Site) -> Self {
        let home = site.bin().with_file_name("home");
        for folder in ["", "run", "data"] {
            fs::create_dir_all(home.join(folder)).expect("a home");
        }
        fs::set_permissions(home.join("run"), fs::Permissions::from_mode(0o700)).expect("private");
        let (bus, address) = bus::session(&home);
        let mut session = Self { told: home.join("told.txt"), processes: vec![bus] };
        let run = home.join("run");
        let environment = [
            ("DISPLAY", String::new()),
            ("WAYLAND_DISPLAY", String::new()),
            ("GNOME_KEYRING_CONTROL", String::new()),
            ("HOME", home.display().to_string()),
            ("XDG_RUNTIME_DIR", run.display().to_string()),
            ("XDG_DATA_HOME", home.join("data").display().to_string()),
            ("DBUS_SESSION_BUS_ADDRESS", address),
        ];
        let start = |program: &str| {
            let mut command = Command::new(program);
            for (name, value) in &environment {
                if value.is_empty() {
                    command.env_remove(name)
                } else {
                    command.env(name, value)
                };
            }
            command.stdin(Stdio::piped()).stdout(Stdio::null());
            command
        };
        let mut keyring = start("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets", "--unlock"])
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon is needed for these tests (Debian package gnome-keyring)");
        keyring.stdin.take().expect("its input").write_all(PASSWORD).expect("the password");
        session.processes.push(keyring);
        let notifier = start("/usr/bin/python3").args(["-c", NOTIFIER]).arg(&session.told).spawn().expect("python3");
        session.processes.push(notifier);
        for name in ["org.freedesktop.secrets", "org.freedesktop.Notifications"] {
            let there = start("gdbus").args(["wait", "--session", "--timeout", "20", name]).status().expect("gdbus");
            assert!(there.success(), "{name} never came");
        }
        for (name, value) in &environment {
            site.env(name, value);
        }
        site.env("PALYRA_TRAY_KEYRING", "auto");
        session
    }

    /// Everything that was shown, a line each.
    pub fn notifications(&self) -> String {
        fs::read_to_string(&self.told).expect("something was shown")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
