//! An open review goes, and says why, as soon as what it shows is over: in a window (a stand-in for zenity that waits to be
//! pressed), and on a terminal.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::agent::{PATIENCE, Site};
use super::{Logind, lives};

/// A display that nobody looks at, and a zenity that writes down what it is told and waits; a message it puts away at once.
struct Windows {
    site: Site,
    _display: UnixListener,
}

impl Windows {
    fn new(prepare: impl FnOnce(&mut Site)) -> Self {
        let mut site = Site::new();
        let display = site.bin().join("display");
        let listener = UnixListener::bind(&display).expect("display");
        let notes = site.bin().join("zenity.notes");
        let body = format!(
            "echo \"$$ $*\" | tr '\\n' ' ' >>'{0}'; echo >>'{0}'\n\
             case \"$*\" in --info*) exit 120;; *--warning*) exec sleep 60;; esac\n\
             cat >/dev/null; if [ -e '{1}' ]; then sleep 2; echo 'Approve once'; exit 123; fi; exec sleep 60",
            notes.display(),
            site.bin().join("press").display(),
        );
        site.script("zenity", &body);
        let path = format!("{}:{}", site.bin().display(), std::env::var("PATH").expect("PATH"));
        site.env("PATH", &path);
        site.env("WAYLAND_DISPLAY", display.to_str().expect("UTF-8"));
        site.env("PALYRA_TRAY_DIALOGS", "zenity");
        site.env("XDG_CURRENT_DESKTOP", "");
        prepare(&mut site);
        Self { site, _display: listener }
    }

    fn notes(&self) -> Vec<String> {
        let text = fs::read_to_string(self.site.bin().join("zenity.notes")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The newest window with this in its arguments; its process.
    #[track_caller]
    fn window(&self, with: &str) -> u64 {
        until(with, || {
            let notes = self.notes();
            let line = notes.iter().rev().find(|line| line.contains(with))?;
            line.split(' ').next()?.parse().ok()
        })
    }
}

#[track_caller]
fn until<T>(what: &str, mut wanted: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = wanted() {
            return found;
        }
        assert!(Instant::now() < end, "never {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn open(site: &Site, id: &str) -> Child {
    let mut command = site.command(&["approvals", "review", "--dialog", id]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a review")
}

#[track_caller]
fn ends(mut review: Child) {
    let status = until("the review's end", || review.try_wait().expect("a child"));
    assert!(status.success(), "{status}");
}

fn ask(site: &Site, more: Value) -> String {
    let mut wish = json!({ "kind": "tool", "name": "shell.exec", "input": { "command": "git push" } });
    wish.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let id = site.approval(&wish);
    site.until("it waits", |status| status["approvals"]["pending"] == 1);
    id
}

fn decision(site: &Site, id: &str) -> Value {
    let all: Value = serde_json::from_str(&site.ok(&["approvals", "list", "--all", "--json"])).expect("JSON");
    all["approvals"].as_array().expect("rows").iter().find(|row| row["approval_id"] == id).expect("it")["decision"]
        .clone()
}

#[test]
fn a_review_goes_when_its_approval_is_decided_elsewhere_or_expires() {
    let mut windows = Windows::new(|_| {});
    windows.site.start_healthy();
    let id = ask(&windows.site, json!({}));
    let review = open(&windows.site, &id);
    let window = windows.window("may this be done");
    windows.site.fault(&format!("decide_elsewhere=deny:{id}"));
    windows.window("It was denied already.");
    assert!(!lives(window), "its window is gone before that is said");
    ends(review);

    let id = ask(&windows.site, json!({ "timeout_seconds": 4 }));
    let review = open(&windows.site, &id);
    let window = windows.window("may this be done");
    windows.window("It has expired");
    assert!(!lives(window));
    ends(review);
    windows.site.ok(&["quit"]);
    windows.site.nothing_left();
}

#[test]
fn the_second_question_goes_too() {
    let mut windows = Windows::new(|_| {});
    fs::write(windows.site.bin().join("press"), "").expect("press");
    windows.site.start_healthy();
    let id = ask(&windows.site, json!({ "risk_level": "critical" }));
    let review = open(&windows.site, &id);
    let window = windows.window("are you sure");
    windows.site.fault(&format!("decide_elsewhere=deny:{id}"));
    windows.window("It was denied already.");
    assert!(!lives(window));
    ends(review);
    assert_eq!(decision(&windows.site, &id), "deny");
}

#[test]
fn a_locked_screen_closes_the_review_and_takes_no_answer() {
    let mut logind = None;
    let mut windows = Windows::new(|site| {
        let (started, address) = Logind::start(site);
        site.env("DBUS_SYSTEM_BUS_ADDRESS", &address);
        site.env("DBUS_SESSION_BUS_ADDRESS", "");
        site.env("DISPLAY", "");
        site.env("XDG_SESSION_ID", "1");
        logind = Some(started);
    });
    windows.site.start_as(&["run"]);
    windows.site.healthy();
    let id = ask(&windows.site, json!({}));
    let review = open(&windows.site, &id);
    let window = windows.window("may this be done");
    logind.as_mut().expect("logind").tell("lock");
    windows.window("The screen was locked");
    assert!(!lives(window));
    // opened while it is locked, it goes at once, and what is pressed in it decides nothing
    fs::write(windows.site.bin().join("press"), "").expect("press");
    let shown = windows.notes().len();
    let second = open(&windows.site, &id);
    until("the second one closed", || {
        windows.notes()[shown..].iter().any(|line| line.contains("The screen was locked")).then_some(())
    });
    assert_eq!(decision(&windows.site, &id), Value::Null);
    for review in [review, second] {
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(review.id().try_into().expect("a pid")),
            nix::sys::signal::Signal::SIGKILL,
        )
        .expect("the review");
        let mut review = review;
        review.wait().expect("a child");
    }
}

/// A command on a terminal of its own; what is said there.
struct OnTerminal {
    child: Child,
    said: std::sync::Arc<std::sync::Mutex<String>>,
}

impl OnTerminal {
    fn start(site: &Site, args: &[&str]) -> Self {
        let ours = site.command(args);
        let words: Vec<_> = std::iter::once(ours.get_program())
            .chain(ours.get_args())
            .map(|word| format!("'{}'", Path::new(word).display()))
            .collect();
        let mut command = Command::new("script");
        command.args(["-qefc", &words.join(" "), "/dev/null"]);
        for (name, value) in ours.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script is needed (Debian: bsdutils)");
        let said = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let (mut output, heard) = (child.stdout.take().expect("stdout"), said.clone());
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut chunk) {
                heard.lock().expect("text").push_str(&String::from_utf8_lossy(&chunk[..length]));
            }
        });
        Self { child, said }
    }

    #[track_caller]
    fn says(&self, text: &str) {
        until(&format!("{text} in {}", self.said.lock().expect("text")), || {
            self.said.lock().expect("text").contains(text).then_some(())
        });
    }

    fn types(&mut self, text: &str) {
        self.child.stdin.as_mut().expect("stdin").write_all(text.as_bytes()).expect("typed");
    }

    #[track_caller]
    fn ends(mut self, code: i32) {
        let status = until("its end", || self.child.try_wait().expect("a child"));
        assert_eq!(status.code(), Some(code), "{}", self.said.lock().expect("text"));
    }
}

#[test]
fn a_review_on_a_terminal_goes_too_and_what_was_typed_half_way_answers_nothing() {
    let mut site = Site::new();
    site.start_healthy();
    let id = ask(&site, json!({}));
    let mut review = OnTerminal::start(&site, &["approvals", "review", &id]);
    review.says("command: “git push”");
    review.says("Number [");
    std::thread::sleep(Duration::from_millis(1_600)); // read
    review.types("1");
    site.fault(&format!("decide_elsewhere=deny:{id}"));
    review.says("It was denied already.");
    review.types("\n");
    review.ends(0);
    assert_eq!(decision(&site, &id), "deny");
}

#[test]
fn approving_on_a_terminal_shows_what_the_review_shows_and_asks_as_it_does() {
    let mut site = Site::new();
    site.start_healthy();
    let id = ask(&site, json!({ "risk_level": "critical", "input": { "command": "ls, cwd: /" } }));
    let mut approve = OnTerminal::start(&site, &["approvals", "approve", &id]);
    approve.says("command: “ls, cwd: /”");
    approve.says("The gateway rates it critical.");
    approve.says("Number: ");
    std::thread::sleep(Duration::from_millis(1_600));
    approve.types("approve once\n");
    approve.says("Approve all the same?");
    approve.types("1\n");
    approve.says("Approved.");
    approve.ends(0);
    assert_eq!(decision(&site, &id), "allow");

    let id = ask(&site, json!({}));
    let mut approve = OnTerminal::start(&site, &["approvals", "approve", &id]);
    approve.says("Number: ");
    std::thread::sleep(Duration::from_millis(1_600));
    approve.types("\n");
    approve.says("Type one of the numbers");
    approve.types("later\n");
    approve.ends(4);
    assert_eq!(decision(&site, &id), Value::Null);
}
