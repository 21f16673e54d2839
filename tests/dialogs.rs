//! What dialog programs are told, and what their ends mean: with stand-ins for zenity and kdialog that write down how they
//! were called. What the real ones show is tested in `dialogs_desktop.rs`.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use palyra_tray::config::Environment;
use palyra_tray::core::dialog::{Answer, Body, Choice, DialogButton, Form, ProgressLine, Tone};
use palyra_tray::protocol::{Secret, Standing};
use palyra_tray::shell::dialog::{self, Front, Over};

const SECRET: &str = "sk-do-not-tell";

/// A desktop of stand-ins.
struct Desk {
    dir: tempfile::TempDir,
    variables: Vec<(&'static str, PathBuf)>,
    _display: UnixListener,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temp dir");
        let display = UnixListener::bind(dir.path().join("display")).expect("display");
        fs::create_dir(dir.path().join("bin")).expect("bin");
        let variables = vec![("PATH", dir.path().join("bin")), ("WAYLAND_DISPLAY", dir.path().join("display"))];
        Self { dir, variables, _display: display }
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
    }

    /// A program that writes down its arguments and its standard input, and then does this.
    fn program(&self, name: &str, then: &str) {
        let path = self.dir.path().join("bin").join(name);
        let notes = self.dir.path().join(name).display().to_string();
        let body = format!(
            "#!/bin/sh\nprintf '%s\\0' \"$@\" >'{notes}.args'\necho $$ >'{notes}.pid'\necho \"$LC_ALL\" >'{notes}.locale'\n{then}\n"
        );
        fs::write(&path, body).expect("program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
    }

    /// What the program wrote down.
    #[track_caller]
    fn note(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn called(&self, name: &str) -> bool {
        self.dir.path().join(format!("{name}.args")).exists()
    }

    fn pick(&self) -> Result<Box<dyn Front>, String> {
        let variables: Vec<_> = self.variables.iter().map(|(name, value)| (*name, value.as_path())).collect();
        dialog::windows(&Environment::of(&variables, Path::new("/usr/bin/palyra-tray")))
    }

    #[track_caller]
    fn ask(&self, form: &Form) -> Answer {
        self.pick().expect("a dialog program").ask(form)
    }

    /// The answer to this form when the program prints this and ends with this code.
    #[track_caller]
    fn answer(&self, program: &str, form: &Form, print: &str, code: i32) -> Answer {
        self.program(program, &format!("cat >/dev/null\nprintf '%s' '{print}'\nexit {code}"));
        self.ask(form)
    }
}

fn form(body: Body, buttons: &[(&str, &str)], focus: Option<&str>) -> Form {
    Form {
        title: "Palyra".to_owned(),
        heading: "A heading".to_owned(),
        text: "A text.".to_owned(),
        body,
        buttons: buttons.iter().map(|(id, label)| DialogButton::new(id, label)).collect(),
        focus: focus.map(str::to_owned),
        tone: Tone::Question,
    }
}

/// As the review of an approval is shown.
fn review() -> Form {
    let document = Body::Document { document: format!("run: curl -H 'Authorization: {SECRET}'") };
    form(document, &[("approve", "Approve once"), ("deny", "Deny"), ("away", "Later")], Some("deny"))
}

fn choices() -> Body {
    let choice = |id: &str, label: &str| Choice { id: id.into(), label: label.into(), detail: String::new() };
    Body::Choose { choices: vec![choice("a", "First"), choice("b", "--second")], selected: Some("b".into()) }
}

fn pressed(button: &str) -> Answer {
    Answer::Pressed { button: button.to_owned(), value: None }
}

fn with(button: &str, value: &str) -> Answer {
    Answer::Pressed { button: button.to_owned(), value: Some(Secret::new(value)) }
}

fn failed(answer: &Answer) -> bool {
    matches!(answer, Answer::Failed { .. })
}

const TWO: [(&str, &str); 2] = [("next", "Next"), ("back", "Back")];

/// The last button of zenity stands in the corner.
#[test]
fn of_several_ways_to_approve_the_narrowest_stands_in_the_corner() {
    let desk = Desk::new();
    let mut form = review();
    form.buttons.insert(1, DialogButton::new("session", "Approve for this session"));
    form.buttons.insert(2, DialogButton::new("box", "Approve for 10 min"));
    assert_eq!(desk.answer("zenity", &form, "Approve for 10 min\n", 123), pressed("box"));
    let args = desk.note("zenity.args");
    let extras: Vec<_> = args.split('\0').filter_map(|arg| arg.strip_prefix("--extra-button=")).collect();
    assert_eq!(extras, ["Approve for 10 min", "Approve for this session", "Approve once"]);
}

#[test]
fn zenity_approves_only_by_its_own_button() {
    let desk = Desk::new();
    let answer = |print: &str, code| desk.answer("zenity", &review(), print, code);
    // OK, which has the focus; Cancel; Escape or the window's cross
    assert_eq!(answer("", 120), pressed("deny"));
    assert_eq!(answer("", 121), Answer::Dismissed);
    assert_eq!(answer("", 122), Answer::Dismissed);
    // the further button, in new and old versions
    assert_eq!(answer("Approve once\n", 123), pressed("approve"));
    assert_eq!(answer("Approve once\n", 122), pressed("approve"));
    // what no button of zenity does
    for (print, code) in
        [("", 0), ("Approve once", 0), ("", 1), ("Approve", 123), ("approve", 123), ("Approve once", 121)]
    {
        let got = answer(print, code);
        assert!(failed(&got), "{print:?} {code}: {got:?}");
    }
}

#[test]
fn kdialog_approves_only_after_the_text_and_only_by_its_own_button() {
    let desk = Desk::new();
    // The text is put away with OK, then come the buttons.
    let then = |second: &str| {
        let body = format!("cat >/dev/null\ncase \"$1\" in --textbox=*) exit 0;; *) {second};; esac");
        desk.program("kdialog", &body);
        desk.ask(&review())
    };
    assert_eq!(then("exit 0"), pressed("deny"));
    assert_eq!(then("exit 1"), pressed("approve"));
    assert_eq!(then("exit 2"), Answer::Dismissed);
    for second in ["exit 3", "exit 255", "echo text; exit 1", "kill -9 $$"] {
        assert!(failed(&then(second)), "{second}");
    }
    // Escape on the text: the buttons never come.
    assert_eq!(desk.answer("kdialog", &review(), "", 1), Answer::Dismissed);
}

#[test]
fn what_is_typed_and_chosen_comes_back() {
    let desk = Desk::new();
    let answer = |body: &Body, print: &str, code| desk.answer("zenity", &form(body.clone(), &TWO, None), print, code);
    let entry = Body::Entry { value: "--old".to_owned() };
    assert_eq!(answer(&entry, " größe \n", 120), with("next", " größe "));
    assert_eq!(answer(&entry, "\n", 120), with("next", ""));
    assert_eq!(answer(&Body::Password, SECRET, 120), with("next", SECRET));
    assert_eq!(answer(&Body::Text, "one\n\ntwo\n", 120), with("next", "one\n\ntwo"));
    assert_eq!(answer(&Body::Text, "", 122), Answer::Dismissed);
    assert_eq!(answer(&Body::Password, "", 121), pressed("back"));
    assert_eq!(answer(&Body::Password, "", 122), Answer::Dismissed);
    assert_eq!(answer(&choices(), "1\n", 120), with("next", "b"));
    assert!(failed(&answer(&choices(), "2\n", 120)));
    assert!(failed(&answer(&choices(), "a\n", 120)));
    let folder = Form { text: String::new(), ..form(Body::Folder { start: "/usr".into() }, &TWO[..1], None) };
    assert_eq!(desk.answer("zenity", &folder, "/home/anna/a b\n", 120), with("next", "/home/anna/a b"));
    assert!(failed(&desk.answer("zenity", &folder, "a b\n", 120)));
    assert!(failed(&desk.answer("zenity", &folder, "", 120)));

    let mut desk = Desk::new();
    desk.set("XDG_CURRENT_DESKTOP", "KDE");
    let answer =
        |body: &Body, print: &str, code| desk.answer("kdialog", &form(body.clone(), &TWO[..1], None), print, code);
    assert_eq!(answer(&entry, "\u{2060}--old\n", 0), with("next", "--old"));
    assert_eq!(answer(&Body::Password, SECRET, 0), with("next", SECRET));
    assert_eq!(answer(&Body::Text, "one\n\ntwo\n", 0), with("next", "one\n\ntwo"));
    assert_eq!(answer(&Body::Password, "", 1), Answer::Dismissed);
    assert_eq!(answer(&choices(), "0\n", 0), with("next", "a"));
    assert!(failed(&answer(&choices(), "7\n", 0)));
    assert_eq!(desk.answer("kdialog", &folder, "/home/anna\n", 0), with("next", "/home/anna"));
}

#[test]
fn kdialog_asks_for_the_path_where_it_has_no_folder_dialog() {
    let desk = Desk::new();
    let count = desk.dir.path().join("count").display().to_string();
    let body = format!(
        "echo x >>'{count}'\ncase \"$(wc -l <'{count}')\" in 1) echo relative;; 2) echo /nonexistent/folder;; 3) echo ' /usr ';; esac"
    );
    desk.program("kdialog", &body);
    let folder = Form { text: String::new(), ..form(Body::Folder { start: "/home".into() }, &TWO[..1], None) };
    assert_eq!(desk.ask(&folder), with("next", "/usr"));
    let args = desk.note("kdialog.args");
    assert!(args.contains("--inputbox") && args.contains("There is no folder /nonexistent/folder."), "{args}");
}

#[test]
fn no_secret_and_no_record_is_in_an_argument() {
    for program in ["zenity", "kdialog"] {
        let desk = Desk::new();
        desk.program(program, &format!("cat >'{}'\nexit 1", desk.dir.path().join("input").display()));
        desk.ask(&review());
        let args = desk.note(&format!("{program}.args"));
        assert!(!args.contains(SECRET) && !args.contains("curl"), "{program}: {args}");
        assert!(desk.note("input").contains(SECRET), "{program} was not given the text");
        // nor in what a failure says, nor in its debug form
        desk.program(program, &format!("cat >/dev/null\necho {SECRET}\nexit 77"));
        let answer = desk.ask(&form(Body::Password, &TWO[..1], None));
        assert!(failed(&answer) && !format!("{answer:?}").contains(SECRET), "{program}: {answer:?}");
        let code = if program == "zenity" { 120 } else { 0 };
        desk.program(program, &format!("cat >/dev/null\necho {SECRET}\nexit {code}"));
        let answer = desk.ask(&form(Body::Password, &TWO[..1], None));
        assert_eq!(answer.value(), Some(SECRET));
        assert!(!format!("{answer:?}").contains(SECRET));
    }
}

#[test]
fn no_text_becomes_an_option_or_markup() {
    let desk = Desk::new();
    let nasty = "--help <b>&\\n_x\u{202e}\u{0}";
    let mut form = form(choices(), &[("next", nasty)], None);
    (form.title, form.heading, form.text) = (nasty.to_owned(), nasty.to_owned(), nasty.to_owned());
    if let Body::Choose { choices, .. } = &mut form.body {
        choices[0].label = nasty.to_owned();
    }
    for program in ["zenity", "kdialog"] {
        desk.program(program, "exit 122");
        let _ = desk.ask(&form);
        let args = desk.note(&format!("{program}.args"));
        for line in args.split_terminator('\0') {
            let known = [
                "--title=",
                "--text=",
                "--ok-label=",
                "--cancel-label=",
                "--radiolist",
                "--list",
                "--hide-",
                "--print-",
            ];
            let known = known.iter().chain(&["--column=", "--width=", "--height=", "--"]);
            assert!(
                !line.starts_with('-')
                    || line == "--"
                    || known.clone().any(|one| *one != "--" && line.starts_with(one)),
                "{program}: {line}"
            );
            let marked_up = line.starts_with("--text=") || line.starts_with("--radiolist=");
            assert!(!marked_up || (!line.contains("help <b>") && !line.contains("\u{202e}")), "{program}: {line}");
        }
        fs::remove_file(desk.dir.path().join("bin").join(program)).expect("program");
    }
}

#[test]
fn a_program_that_is_killed_fails_in_one_sentence() {
    for program in ["zenity", "kdialog"] {
        let desk = Desk::new();
        desk.program(program, "echo 'it hurts' >&2\nkill -9 $$");
        for body in [Body::Message, Body::Password, choices(), Body::Document { document: String::new() }] {
            let Answer::Failed { why } = desk.ask(&form(body.clone(), &TWO[..1], Some("next"))) else {
                panic!("{program} {body:?} answered");
            };
            assert!(why.contains(program) && why.contains("killed by signal 9: it hurts"), "{why}");
            assert!(why.contains("PALYRA_TRAY_DIALOGS") && why.ends_with('.') && !why.contains('\n'), "{why}");
        }
    }
}

#[test]
fn a_program_that_prints_without_end_or_lingers_does_not_hold_us() {
    let desk = Desk::new();
    desk.program("zenity", "head -c 1000000 /dev/zero | tr '\\0' x\nexit 120");
    assert!(failed(&desk.ask(&form(Body::Entry { value: String::new() }, &TWO, None))));
    let pid = desk.dir.path().join("lingers");
    desk.program("zenity", &format!("sleep 60 & echo $! >'{}'\necho typed\nexit 120", pid.display()));
    let start = Instant::now();
    let answer = desk.ask(&form(Body::Entry { value: String::new() }, &TWO, None));
    assert!(start.elapsed() < Duration::from_secs(30), "waited for somebody else's child");
    assert_eq!(answer, with("next", "typed"));
    nix::sys::signal::kill(pid_in(&pid), nix::sys::signal::Signal::SIGKILL).expect("the sleeper");
}

fn pid_in(path: &Path) -> nix::unistd::Pid {
    nix::unistd::Pid::from_raw(fs::read_to_string(path).expect("pid").trim().parse().expect("a number"))
}

#[test]
fn the_program_of_the_desktop_comes_first_and_the_other_one_after_it() {
    let mut desk = Desk::new();
    let ask = |desk: &Desk| desk.ask(&form(Body::Message, &TWO[..1], Some("next")));
    desk.program("kdialog", "exit 0");
    assert_eq!(ask(&desk), pressed("next"));
    assert!(desk.called("kdialog"), "zenity is missing");

    fs::remove_file(desk.dir.path().join("kdialog.args")).expect("notes");
    desk.program("zenity", "exit 120");
    assert_eq!(ask(&desk), pressed("next"));
    assert!(desk.called("zenity") && !desk.called("kdialog"));

    desk.set("XDG_CURRENT_DESKTOP", "KDE");
    assert_eq!(ask(&desk), pressed("next"));
    assert!(desk.called("kdialog"), "it looks like its desktop");

    fs::remove_file(desk.dir.path().join("kdialog.args")).expect("notes");
    desk.set("PALYRA_TRAY_DIALOGS", "zenity");
    assert_eq!(ask(&desk), pressed("next"));
    assert!(!desk.called("kdialog"), "the person's word beats the desktop's");
}

#[test]
fn without_a_program_or_a_display_it_says_what_to_do() {
    let mut desk = Desk::new();
    let why = |desk: &Desk| desk.pick().err().expect("nothing to show it with");
    assert!(why(&desk).contains("install zenity or kdialog"), "{}", why(&desk));
    desk.set("XDG_CURRENT_DESKTOP", "KDE");
    assert!(why(&desk).contains("install kdialog or zenity"), "{}", why(&desk));
    desk.set("PALYRA_TRAY_DIALOGS", "zenity");
    assert!(why(&desk).contains("install zenity,"), "{}", why(&desk));
    desk.set("PALYRA_TRAY_DIALOGS", "gtkdialog");
    assert!(why(&desk).contains("gtkdialog") && why(&desk).contains("zenity, kdialog or terminal"), "{}", why(&desk));
    desk.set("PALYRA_TRAY_DIALOGS", "zenity");
    desk.program("zenity", "exit 120");
    assert!(desk.pick().is_ok());
    // A file that is not executable is no program.
    let path = desk.dir.path().join("bin/zenity");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("mode");
    assert!(why(&desk).contains("install"), "{}", why(&desk));
    // The variable is a leftover: nobody listens.
    desk.set("WAYLAND_DISPLAY", "/nonexistent/display");
    assert!(why(&desk).contains("no display"), "{}", why(&desk));
}

#[test]
fn texts_are_utf_8_in_any_locale() {
    let mut desk = Desk::new();
    desk.program("zenity", "exit 120");
    for (locale, wanted) in [("C", "C.UTF-8"), ("de_DE.ISO-8859-1", "C.UTF-8")] {
        desk.set("LANG", locale);
        desk.ask(&form(Body::Message, &TWO[..1], Some("next")));
        assert_eq!(desk.note("zenity.locale").trim(), wanted, "{locale}");
    }
    desk.set("LC_ALL", "de_DE.UTF-8");
    desk.ask(&form(Body::Message, &TWO[..1], Some("next")));
    assert_ne!(desk.note("zenity.locale").trim(), "C.UTF-8", "the person's own locale serves");
}

#[test]
fn a_folder_dialog_says_its_text_first_and_can_be_left_either_way() {
    let desk = Desk::new();
    let folder = form(Body::Folder { start: "/usr".into() }, &TWO, None);
    // The message goes on to the folders; Cancel there comes back to it; there, "Back".
    let count = desk.dir.path().join("count").display().to_string();
    let body = format!(
        "echo x >>'{count}'\ncase \"$(wc -l <'{count}')\" in 1) exit 120;; 2) exit 121;; 3) exit 121;; esac\nexit 124"
    );
    desk.program("zenity", &body);
    assert_eq!(desk.ask(&folder), pressed("back"));
    assert!(desk.note("zenity.args").contains("A text."), "the last one was the message");
    assert_eq!(desk.note("count").lines().count(), 3);
}

#[test]
fn a_window_goes_with_what_it_asks_about() {
    for program in ["zenity", "kdialog"] {
        let desk = Desk::new();
        // its output stays open in somebody else's hands, which must not hold us either
        desk.program(program, "cat >/dev/null\nexec sleep 60");
        let mut front = desk.pick().expect("a dialog program");
        let over = Over::new().expect("descriptors");
        front.until(Some(over.clone()));
        let noted = desk.dir.path().join(format!("{program}.pid"));
        let end = {
            let (over, noted) = (over.clone(), noted.clone());
            std::thread::spawn(move || {
                until(|| fs::read_to_string(&noted).ok().filter(|pid| pid.ends_with('\n')));
                over.tell(Standing::Changed);
            })
        };
        let start = Instant::now();
        let answer = front.ask(&review());
        assert!(start.elapsed() < Duration::from_secs(20), "it waited for its end");
        assert!(answer.button().is_none() && over.why() == Some(Standing::Changed), "{answer:?}");
        end.join().expect("told");
        assert_eq!(nix::sys::signal::kill(pid_in(&noted), None), Err(nix::errno::Errno::ESRCH), "gone, and no zombie");
        // over is over: none is opened any more, until there is something new to ask
        fs::remove_file(&noted).expect("notes");
        assert!(front.ask(&review()).button().is_none() && !noted.exists());
        desk.program(program, "cat >/dev/null\nexit 1");
        front.until(None);
        front.ask(&review());
        assert!(noted.exists());
    }
}

#[test]
fn a_progress_dialog_is_told_news_and_closed_with_us() {
    let desk = Desk::new();
    let input = desk.dir.path().join("input");
    desk.program("zenity", &format!("exec cat >'{}'", input.display()));
    let mut front = desk.pick().expect("zenity");
    let waiting = form(Body::Progress, &[("cancel", "Cancel")], None);
    let mut progress = front.progress(&waiting).expect("progress");
    progress.update(&ProgressLine { text: "Half\nway".to_owned(), percent: Some(50) });
    progress.update(&ProgressLine { text: String::new(), percent: Some(100) });
    let told = until(|| fs::read_to_string(&input).ok().filter(|text| text.contains("99")));
    assert_eq!(told, "pulsate:false\n50\n# Half way\n99\n");
    assert!(!progress.cancelled());
    let pid = pid_in(&desk.dir.path().join("zenity.pid"));
    drop(progress);
    assert_eq!(nix::sys::signal::kill(pid, None), Err(nix::errno::Errno::ESRCH), "it is gone, and no zombie");

    for (code, cancelled) in [(121, true), (122, true), (120, false), (0, false), (1, false)] {
        let noted = desk.dir.path().join("zenity.pid");
        fs::remove_file(&noted).expect("notes");
        desk.program("zenity", &format!("exit {code}"));
        let mut progress = front.progress(&waiting).expect("progress");
        let pid = until(|| fs::read_to_string(&noted).ok().filter(|pid| pid.ends_with('\n')).map(|_| pid_in(&noted)));
        until(|| state(pid).is_none_or(|state| state == 'Z').then_some(()));
        assert_eq!(progress.cancelled(), cancelled, "{code}");
        // The next line to a window that has gone is no error.
        progress.update(&ProgressLine { text: "More".to_owned(), percent: None });
    }
}

fn state(pid: nix::unistd::Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[track_caller]
fn until<T>(mut wanted: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(found) = wanted() {
            return found;
        }
        assert!(Instant::now() < end, "it never happened");
        std::thread::sleep(Duration::from_millis(10));
    }
}
