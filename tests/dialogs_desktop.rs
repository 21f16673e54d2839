//! Dialogs on a real desktop: real zenity and kdialog, real keys, real clicks. Pictures go to `artifacts/`.
//!
//! Each test starts itself anew inside `scripts/desktop`, as in `tests/desktop.rs`.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/desktop.rs"]
mod desk;
#[path = "support/http.rs"]
mod http;

use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use desk::{click_at, on_desktop, tool, windows};
use palyra_tray::config::Environment;
use palyra_tray::core::dialog::{Answer, Body, Choice, DialogButton, Form, ProgressLine, Tone};
use palyra_tray::shell::dialog::{self, Front};

const TITLE: &str = "Palyra test";

/// A picture of the whole screen, named after the dialog program, and after look and scale where they are not the usual.
fn picture(program: &str, name: &str) {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let dark = if is("THEME", "dark") { "-dark" } else { "" };
    let scale = if is("SCALE", "2") { "-200" } else { "" };
    std::thread::sleep(Duration::from_millis(400)); // the picture only
    desk::picture(&format!("dialog-{program}-{name}{dark}{scale}"));
}

fn front(program: &str) -> Box<dyn Front> {
    let mut variables = vec![("PALYRA_TRAY_DIALOGS".to_owned(), program.to_owned())];
    for name in ["PATH", "DISPLAY", "LANG", "LC_ALL", "HOME", "XDG_CURRENT_DESKTOP"] {
        variables.extend(std::env::var(name).map(|value| (name.to_owned(), value)));
    }
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), Path::new(value))).collect();
    dialog::pick(&Environment::of(&variables, Path::new("/usr/bin/palyra-tray"))).expect("a dialog program")
}

/// Asks in a thread of its own, which the dialog lives in.
fn ask(program: &'static str, form: Form) -> JoinHandle<Answer> {
    std::thread::spawn(move || front(program).ask(&form))
}

#[track_caller]
fn until<T>(what: &str, mut wanted: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = wanted() {
            return found;
        }
        assert!(Instant::now() < end, "never {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The dialog is there and has the keyboard.
#[track_caller]
fn shown(title: &str) -> String {
    let window = until(&format!("a window {title}"), || windows(title).pop());
    let focused = || {
        let output = Command::new("xdotool").args(["getwindowfocus", "getwindowname"]).output().expect("xdotool");
        String::from_utf8_lossy(&output.stdout).contains(title.trim_matches(['^', '$'])).then_some(())
    };
    until("the keyboard", focused);
    std::thread::sleep(Duration::from_millis(150)); // a toolkit ignores the keys that come with its window
    window
}

fn keys(keys: &[&str]) {
    for key in keys {
        tool(&["xdotool", "key", key]);
    }
}

#[track_caller]
fn answered(asked: JoinHandle<Answer>) -> Answer {
    until("an answer", || asked.is_finished().then_some(()));
    let answer = asked.join().expect("the thread");
    until("the window gone", || windows(TITLE).is_empty().then_some(()));
    answer
}

fn form(body: Body, buttons: &[(&str, &str)], focus: Option<&str>) -> Form {
    Form {
        title: TITLE.to_owned(),
        heading: "Where is <b>Palyra</b> & co_mpany?".to_owned(),
        text: "Palyra's programs were not found beside this one. A back\\nslash, an _underscore_, 100 % & <i>markup</i> are \
               shown as they are.\n\n-- A second paragraph: größe, Ж, 漢字, “quotes”…"
            .to_owned(),
        body,
        buttons: buttons.iter().map(|(id, label)| DialogButton::new(id, label)).collect(),
        focus: focus.map(str::to_owned),
        tone: Tone::Question,
    }
}

const THREE: [(&str, &str); 3] = [("next", "Next_step"), ("back", "R&D back"), ("away", "Later")];

fn choices() -> Vec<Choice> {
    let choice =
        |id: &str, label: &str, detail: &str| Choice { id: id.into(), label: label.into(), detail: detail.into() };
    vec![
        choice("openai", "OpenAI", "API key, or sign in"),
        choice("anthropic", "--Anthropic <b>&amp;</b>", "API_key \\n only"),
        choice("minimax", "MiniMax", ""),
    ]
}

fn long_document() -> String {
    let mut text =
        "command: git push --force && rm -rf \"./build\" | tee <b>x</b> &lt; O0 l1I\n    indented   by four\n"
            .to_owned();
    for line in 0..80 {
        text.push_str(&format!("{line:3} größe Ж 漢字 <span style=\"font-size:0\">visible</span> argument[{line}] = \\n & so on and so on until the line wraps\n"));
    }
    text
}

#[test]
fn zenity_shows_every_kind() {
    if on_desktop("zenity_shows_every_kind", &[]) {
        pictures("zenity");
    }
}

#[test]
fn zenity_shows_every_kind_dark_and_at_200_percent() {
    if on_desktop("zenity_shows_every_kind_dark_and_at_200_percent", &[("SCALE", "2"), ("THEME", "dark")]) {
        pictures("zenity");
    }
}

#[test]
fn kdialog_shows_every_kind() {
    if on_desktop("kdialog_shows_every_kind", &[]) {
        pictures("kdialog");
    }
}

#[test]
fn kdialog_shows_every_kind_at_200_percent() {
    if on_desktop("kdialog_shows_every_kind_at_200_percent", &[("SCALE", "2")]) {
        pictures("kdialog");
    }
}

fn pictures(program: &'static str) {
    let buttons = THREE;
    let all = [
        ("message", Form { tone: Tone::Info, ..form(Body::Message, &[("close", "Close")], Some("close")) }),
        (
            "error",
            Form {
                tone: Tone::Error,
                ..form(Body::Message, &[("again", "Try again"), ("away", "Later")], Some("again"))
            },
        ),
        ("question", form(Body::Message, &buttons, Some("next"))),
        ("risky", form(Body::Message, &[("on", "Turn it on"), ("back", "Back")], None)),
        ("list", form(Body::Choose { choices: choices(), selected: Some("anthropic".into()) }, &buttons, None)),
        ("entry", form(Body::Entry { value: "--größe_&<b>\\n".into() }, &buttons, None)),
        ("password", form(Body::Password, &buttons, None)),
        ("folder", Form { text: String::new(), ..form(Body::Folder { start: "/usr".into() }, &buttons[..1], None) }),
        (
            "document",
            form(
                Body::Document { document: long_document() },
                &[("approve", "Approve once"), ("deny", "Deny"), ("away", "Later")],
                Some("deny"),
            ),
        ),
        ("document-close", form(Body::Document { document: long_document() }, &[("close", "Close")], Some("close"))),
    ];
    for (name, form) in all {
        let title = if name == "folder" && program == "zenity" { "Where is" } else { TITLE };
        let asked = ask(program, form);
        shown(title);
        picture(program, name);
        keys(&["Escape"]);
        // kdialog has room for two buttons where something is chosen: the others come after it.
        if program == "kdialog" && ["list", "entry", "password"].contains(&name) {
            until("the dialog gone", || windows(TITLE).is_empty().then_some(()));
            shown(TITLE);
            picture(program, &format!("{name}-others"));
            keys(&["Escape"]);
        }
        assert_eq!(answered(asked), Answer::Dismissed, "{name}");
    }
    let mut front = front(program);
    for (name, buttons) in [("progress", &[][..]), ("progress-cancel", &[("cancel", "Cancel sign-in")][..])] {
        let mut progress = front.progress(&form(Body::Progress, buttons, None)).expect("progress");
        shown(TITLE);
        picture(program, name);
        progress.update(&ProgressLine {
            text:
                "Waits for <the> gateway & more_\\n, a longer line that has to be wrapped somewhere because it is long"
                    .into(),
            percent: Some(40),
        });
        picture(program, &format!("{name}-40"));
        drop(progress);
        until("the window gone", || windows(TITLE).is_empty().then_some(()));
    }
}

/// The review of an approval: the long text, Deny with the focus, and the other ways.
fn review() -> Form {
    let document = Body::Document { document: long_document() };
    form(document, &[("approve", "Approve once"), ("deny", "Deny"), ("away", "Later")], Some("deny"))
}

/// No button has the focus: the person must aim.
fn risky() -> Form {
    form(Body::Message, &[("approve", "Approve"), ("back", "Back")], None)
}

/// What these keys, pressed as soon as the window has the keyboard, come to. After `then` windows the rest is pressed.
#[track_caller]
fn press(program: &'static str, form: &Form, windows_keys: &[&[&str]]) -> Answer {
    let asked = ask(program, form.clone());
    for (number, pressed) in windows_keys.iter().enumerate() {
        let old = if number == 0 { String::new() } else { windows(TITLE).pop().unwrap_or_default() };
        until("the next window", || {
            windows(TITLE).pop().filter(|window| number == 0 || *window != old || asked.is_finished())
        });
        if asked.is_finished() {
            break;
        }
        shown(TITLE);
        keys(pressed);
    }
    answered(asked)
}

fn pressed(button: &str) -> Answer {
    Answer::Pressed { button: button.to_owned(), value: None }
}

#[test]
fn zenity_takes_real_keys() {
    if !on_desktop("zenity_takes_real_keys", &[]) {
        return;
    }
    for (keys, wanted) in [
        (&["Return"][..], pressed("deny")),
        (&["KP_Enter"], pressed("deny")),
        (&["Escape"], Answer::Dismissed),
        (&["alt+F4"], Answer::Dismissed),
        (&["space", "a", "Return"], pressed("deny")),
    ] {
        assert_eq!(press("zenity", &review(), &[keys]), wanted, "{keys:?} on the review");
    }
    for keys in [&["Return"][..], &["space"], &["KP_Enter"], &["Escape"], &["alt+F4"]] {
        assert_eq!(press("zenity", &risky(), &[keys]), Answer::Dismissed, "{keys:?} where nothing has the focus");
    }
    // Aimed at, it approves.
    let asked = ask("zenity", review());
    let window = shown(TITLE);
    click_at(&window, 0.9, 0.96);
    assert_eq!(answered(asked), pressed("approve"));
}

#[test]
fn what_is_typed_into_zenity_comes_back() {
    if on_desktop("what_is_typed_into_zenity_comes_back", &[]) {
        typed("zenity");
        // Enter in a list takes the marked row; Down and Space mark the next one.
        let list = form(Body::Choose { choices: choices(), selected: Some("openai".into()) }, &THREE[..2], None);
        let asked = ask("zenity", list);
        let window = shown(TITLE);
        click_at(&window, 0.9, 0.93);
        assert_eq!(answered(asked).value(), Some("openai"));
    }
}

#[test]
fn what_is_typed_into_kdialog_comes_back() {
    if on_desktop("what_is_typed_into_kdialog_comes_back", &[]) {
        typed("kdialog");
    }
}

#[test]
fn what_is_typed_into_kdialog_of_plasma_comes_back() {
    let plasma = [("XDG_CURRENT_DESKTOP", "KDE"), ("KDE_FULL_SESSION", "true"), ("KDE_SESSION_VERSION", "5")];
    if on_desktop("what_is_typed_into_kdialog_of_plasma_comes_back", &plasma) {
        typed("kdialog");
    }
}

fn typed(program: &'static str) {
    let one = &[("next", "Next")][..];
    let type_and = |form: Form, title: &str, text: &str| {
        let asked = ask(program, form);
        shown(title);
        tool(&["xdotool", "type", "--delay", "20", text]);
        keys(&["Return"]);
        answered(asked)
    };
    let answer = type_and(form(Body::Password, one, None), TITLE, "sk-Test_1 &<%");
    assert_eq!((answer.button(), answer.value()), (Some("next"), Some("sk-Test_1 &<%")), "{program}");
    let answer = type_and(form(Body::Entry { value: "old".into() }, one, None), TITLE, "new -n");
    assert_eq!(answer.value(), Some("new -n"), "{program}");
    let answer = press(program, &form(Body::Entry { value: "--kept_&\\n".into() }, one, None), &[&["Return"]]);
    assert_eq!(answer.value(), Some("--kept_&\\n"), "{program}");
    let folder = Form { text: String::new(), ..form(Body::Folder { start: "/usr".into() }, one, None) };
    let asked = ask(program, folder);
    // Where there is no folder dialog it is a line to type.
    until("the folders", || ["Where is", TITLE].iter().find_map(|title| windows(title).pop()));
    std::thread::sleep(Duration::from_millis(500)); // it looks at the disk
    picture(
        program,
        if std::env::var("XDG_CURRENT_DESKTOP").is_ok_and(|name| name == "KDE") { "folder-plasma" } else { "folder" },
    );
    keys(&["Return"]);
    assert_eq!(answered(asked).value(), Some("/usr"), "{program}");
}

#[test]
fn kdialog_takes_real_keys() {
    if !on_desktop("kdialog_takes_real_keys", &[]) {
        return;
    }
    for keys in [&["Return"][..], &["space", "Return"], &["KP_Enter"], &["Escape"], &["alt+F4"]] {
        let answer = press("kdialog", &risky(), &[keys]);
        assert_eq!(answer, Answer::Dismissed, "{keys:?} where nothing has the focus");
        // The text first, then its buttons.
        let answer = press("kdialog", &review(), &[&["Return"], keys]);
        assert_ne!(answer.button(), Some("approve"), "{keys:?} on the review");
        assert!(!matches!(answer, Answer::Failed { .. }), "{answer:?}");
    }
    // Aimed at, it approves.
    let answer = press("kdialog", &review(), &[&["Return"], &["Tab", "space"]]);
    assert_eq!(answer, pressed("approve"));
}

#[test]
fn a_second_start_on_a_desktop_without_a_tray_opens_the_menu() {
    if !on_desktop("a_second_start_on_a_desktop_without_a_tray_opens_the_menu", &[("PANEL", "none")]) {
        return;
    }
    let mut site = agent::Site::new();
    site.start_as(&["run", "--no-set-up"]);
    site.healthy();
    site.ok(&["run"]);
    shown("^Palyra$");
    picture("zenity", "menu");
    // Escape is no choice. It is pressed until it is heard: a window that is just there may not listen yet.
    let escaped = || {
        let gone = windows("^Palyra$").is_empty();
        if !gone {
            Command::new("xdotool").args(["key", "Escape"]).status().expect("xdotool");
            std::thread::sleep(Duration::from_millis(300));
        }
        gone.then_some(())
    };
    until("the window gone", escaped);
    assert_eq!(site.status().expect("status")["state"], "healthy");

    site.ok(&["run"]);
    let window = shown("^Palyra$");
    let lists = || site.processes().into_iter().map(|(_, line)| line).filter(|line| line.contains("--list"));
    // Each row is a mark, its number, its name; 22 pixels high. Then comes the button below the list.
    let line = lists().next().expect("the list's command line");
    let words: Vec<&str> = line.split(' ').collect();
    let stop = words.iter().position(|word| *word == "Stop").expect("Stop is offered");
    let row: u32 = words[stop - 1].parse().expect("the row's number");
    tool(&["xdotool", "mousemove", "--window", &window, "60", &(45 + 22 * row).to_string(), "click", "1"]);
    click_at(&window, 0.87, 0.94);
    site.until("stopped", |status| status["state"] == "stopped");
    // The dialog that said so has gone, and the menu is there again.
    until("the menu again", || (lists().count() == 1).then_some(()));
    shown("^Palyra$");
    picture("zenity", "menu-stopped");
    until("the window gone", escaped);
    until("its program gone", || (lists().count() == 0).then_some(()));
}
