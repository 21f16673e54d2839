//! The menu as a window: a real agent, and a stand-in for zenity that chooses what it is told to.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/http.rs"]
mod http;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use agent::Site;

/// A display, and a zenity that takes one answer a window from a list: the label of a row, or an exit code. After the last
/// answer every window is put away.
struct Desk {
    dir: tempfile::TempDir,
    _display: UnixListener,
}

impl Desk {
    fn new(site: &mut Site, answers: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("temp dir");
        let display = UnixListener::bind(dir.path().join("display")).expect("display");
        let here = dir.path().display().to_string();
        fs::write(dir.path().join("answers"), answers.iter().map(|answer| format!("{answer}\n")).collect::<String>())
            .expect("answers");
        let body = format!(
            r#"#!/bin/sh
cat >/dev/null
echo x >>'{here}/count'
number=$(wc -l <'{here}/count')
printf '%s\n' "$@" >'{here}'/new.$number
mv '{here}'/new.$number '{here}'/window.$number
echo $$ >'{here}/pid'
answer=$(sed -n "${{number}}p" '{here}/answers')
case "$answer" in
hang) exec sleep 100;;
''|1*) exit "${{answer:-122}}";;
esac
before=
for arg in "$@"; do
    [ "$arg" != "$answer" ] || {{ echo "$before"; exit 120; }}
    before=$arg
done
exit 99
"#
        );
        let path = dir.path().join("zenity");
        fs::write(&path, body).expect("zenity");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
        site.env("PATH", &format!("{here}:/usr/bin:/bin"));
        site.env("WAYLAND_DISPLAY", &format!("{here}/display"));
        site.env("PALYRA_TRAY_DIALOGS", "zenity");
        Self { dir, _display: display }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What the window of that number was told, once it was opened.
    #[track_caller]
    fn window(&self, number: u32) -> String {
        until(|| fs::read_to_string(self.path(&format!("window.{number}"))).ok())
    }

    fn windows(&self) -> usize {
        fs::read_to_string(self.path("count")).map_or(0, |count| count.lines().count())
    }
}

#[track_caller]
fn until<T>(mut wanted: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + agent::PATIENCE;
    loop {
        if let Some(found) = wanted() {
            return found;
        }
        assert!(Instant::now() < end, "it never happened");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_window_shows_the_menu_and_does_what_is_chosen() {
    let mut site = Site::new();
    site.start_healthy();
    // into a submenu, back, stop: which comes back with how it is now; then it is put away
    let desk = Desk::new(&mut site, &["Go to ▸", "122", "Stop", "122"]);
    site.ok(&["window"]);
    assert_eq!(site.status().expect("status")["state"], "stopped");
    let first = desk.window(1);
    for row in ["Open Dashboard", "Open Chat", "Go to ▸", "Stop", "Set-up and support ▸", "Quit and stop Palyra"] {
        assert!(first.lines().any(|line| line == row), "{row} is missing in\n{first}");
    }
    assert!(first.contains("Healthy") && !first.lines().any(|line| line == "Start"), "{first}");
    assert!(desk.window(2).lines().any(|line| line == "Provider sign-in"), "the submenu");
    assert!(desk.window(3).contains("Open Dashboard"), "back in the menu");
    // a stop that takes longer has a progress dialog in between
    let last = desk.window(u32::try_from(desk.windows()).expect("few"));
    assert!(last.lines().any(|line| line == "Start"), "{last}");
}

#[test]
fn a_failure_is_shown_and_the_window_comes_back() {
    let mut site = Site::new();
    site.start(&["--no-start"]);
    site.until("an agent", |status| status["state"] == "stopped");
    // The dashboard of a stopped gateway: refused.
    let desk = Desk::new(&mut site, &["Open Chat", "120", "122"]);
    site.ok(&["window"]);
    let told = until(|| {
        (1..6).flat_map(|n| fs::read_to_string(desk.path(&format!("window.{n}")))).find(|text| text.contains("--error"))
    });
    assert!(told.contains("Not done"), "{told}");
    assert!(desk.windows() >= 3, "the menu came back");
}

#[test]
fn a_second_start_without_a_tray_opens_the_window() {
    let mut site = Site::new();
    site.start_healthy();
    let desk = Desk::new(&mut site, &["hang"]);
    site.ok(&["run", "--no-tray"]);
    assert_eq!(desk.windows(), 0, "who wants no icon wants no window");
    site.ok(&["run"]);
    assert!(desk.window(1).contains("Open Dashboard"));
    // one more: the window is there already
    site.ok(&["run"]);
    let told = site.ok(&["window"]);
    assert!(told.contains("open already"), "{told}");
    assert_eq!(desk.windows(), 1);
    let zenity = until(|| fs::read_to_string(desk.path("pid")).ok()?.trim().parse::<i32>().ok());
    // It goes with the process that asked.
    let stat = fs::read_to_string(format!("/proc/{zenity}/stat")).expect("it is there");
    let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok()).expect("its parent");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(parent), nix::sys::signal::Signal::SIGKILL).expect("killed");
    until(|| (!PathBuf::from(format!("/proc/{zenity}")).exists()).then_some(()));
    assert_eq!(site.status().expect("status")["state"], "healthy");
}

#[test]
fn without_an_agent_a_click_is_told_so() {
    let mut site = Site::new();
    let desk = Desk::new(&mut site, &["120"]);
    let output = site.cli(&["window"]);
    assert_eq!(output.status.code(), Some(3), "{}", words(&output));
    assert!(desk.window(1).contains("--error"), "{}", desk.window(1));
}

#[test]
fn without_a_dialog_program_it_says_what_to_install() {
    let mut site = Site::new();
    let desk = Desk::new(&mut site, &[]);
    site.env("PATH", "/nonexistent");
    site.env("PALYRA_TRAY_DIALOGS", "");
    let output = site.cli(&["window"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output).contains("install zenity or kdialog"), "{}", words(&output));
    assert_eq!(desk.windows(), 0);
}

#[test]
fn on_a_terminal_without_a_display_it_is_text() {
    let mut site = Site::new();
    site.start_healthy();
    site.env("DISPLAY", "");
    site.env("WAYLAND_DISPLAY", "");
    site.env("PALYRA_TRAY_DIALOGS", "");
    // A terminal of its own.
    let ours = site.command(&[]);
    let mut command = std::process::Command::new("script");
    command.args(["-qec", &format!("'{}' window", env!("CARGO_BIN_EXE_palyra-tray")), "/dev/null"]);
    for (name, value) in ours.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let dir = tempfile::tempdir().expect("temp dir");
    let screen = dir.path().join("screen");
    let out = fs::File::create(&screen).expect("screen");
    let mut child = command.stdin(Stdio::piped()).stdout(out).spawn().expect("script");
    let mut stdin = child.stdin.take().expect("stdin");
    // Words are as good as numbers.
    stdin.write_all(b"no such row\nStop\n").expect("typed");
    let text = until(|| fs::read_to_string(&screen).ok().filter(|text| text.matches("Close\r\nNumber").count() == 2));
    for words in ["Healthy", "Open Dashboard", "Type one of the numbers above", "■ Stopped", ". Start\r\n"] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
    // The end of input puts it away.
    drop(stdin);
    assert!(child.wait().expect("script").success());
}
