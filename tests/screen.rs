//! A locked screen, as logind tells it: a private bus in place of the system's, with a stand-in for logind on it. And what a
//! lock, and every other end, does to an open review.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/bus.rs"]
mod bus;
#[path = "support/http.rs"]
mod http;
#[path = "screen/reviews.rs"]
mod reviews;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use agent::{Site, lives};

/// Serves the part of logind that is asked; "lock", "unlock" and "end" come on standard input.
const LOGIND: &str = r#"
import sys, dbus, dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
PROPERTIES = "org.freedesktop.DBus.Properties"
PATH = "/org/freedesktop/login1/session/_31"
class Manager(dbus.service.Object):
    @dbus.service.method("org.freedesktop.login1.Manager", in_signature="s", out_signature="o")
    def GetSession(self, name):
        if name != "1":
            raise dbus.DBusException("no such session", name="org.freedesktop.login1.NoSuchSession")
        return PATH
class User(dbus.service.Object):
    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return dbus.Struct(("1", dbus.ObjectPath(PATH)), signature="so", variant_level=1)
class Session(dbus.service.Object):
    locked = False
    @dbus.service.method(PROPERTIES, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        assert (interface, name) == ("org.freedesktop.login1.Session", "LockedHint")
        return dbus.Boolean(self.locked, variant_level=1)
    @dbus.service.signal(PROPERTIES, signature="sa{sv}as")
    def PropertiesChanged(self, interface, changed, invalidated):
        pass
Manager(bus, "/org/freedesktop/login1")
User(bus, "/org/freedesktop/login1/user/self")
session = Session(bus, PATH)
bus.request_name("org.freedesktop.login1")
def told(channel, condition):
    word = sys.stdin.readline().strip()
    if word not in ("lock", "unlock"):
        loop.quit()
        return False
    session.locked = word == "lock"
    session.PropertiesChanged("org.freedesktop.login1.Session", {"LockedHint": dbus.Boolean(session.locked)}, [])
    return True
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, told)
print("ready", flush=True)
loop.run()
"#;

struct Logind {
    bus: Child,
    service: Child,
    words: ChildStdin,
}

impl Logind {
    fn start(site: &Site) -> (Self, String) {
        let socket = site.bin().join("system-bus");
        let text = format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig><type>custom</type>\
             <listen>unix:path={}</listen><policy context=\"default\"><allow send_destination=\"*\"/>\
             <allow receive_sender=\"*\"/><allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>",
            socket.display()
        );
        let (bus, address) = bus::spawn(&site.bin(), &text);
        let mut service = Command::new("/usr/bin/python3")
            .args(["-c", LOGIND, &address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut ready = String::new();
        BufReader::new(service.stdout.take().expect("stdout")).read_line(&mut ready).expect("ready");
        assert_eq!(ready, "ready\n");
        let words = service.stdin.take().expect("stdin");
        (Self { bus, service, words }, address)
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.words, "{word}").expect("told");
    }
}

impl Drop for Logind {
    fn drop(&mut self) {
        for child in [&mut self.service, &mut self.bus] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[track_caller]
fn follows(session: &str) {
    let mut site = Site::new();
    let (mut logind, address) = Logind::start(&site);
    site.env("DBUS_SYSTEM_BUS_ADDRESS", &address);
    site.env("DBUS_SESSION_BUS_ADDRESS", "");
    site.env("DISPLAY", "");
    site.env("XDG_SESSION_ID", session);
    logind.tell("lock");
    site.start_as(&["run"]);
    site.until("locked from the beginning", |status| status["screen_locked"] == true);
    logind.tell("unlock");
    site.until("unlocked", |status| status["screen_locked"] == false);
    logind.tell("lock");
    site.until("locked", |status| status["screen_locked"] == true);
    drop(logind);
    site.until("not known, so not locked", |status| status["screen_locked"] == false);
    site.ok(&["quit"]);
    site.nothing_left();
}

#[test]
fn the_lock_of_our_session_is_followed() {
    follows("1");
}

#[test]
fn without_a_session_of_its_own_the_desktops_is_followed() {
    follows("");
}
