//! The set-up on a terminal against a real agent and the demo gateway: from nothing to an answered message, whatever happens
//! to it on the way.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/http.rs"]
mod http;

use std::fs;
use std::io::{BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use agent::Site;
use serde_json::Value;

const KEY: &str = "sk-of-the-test-1234567890";
/// What a willing person types where these words stand.
const WILLING: [(&str, &str); 13] = [
    ("Welcome to Palyra", "1"),
    ("about this machine", "1"),
    ("Where to keep your data", "1"),
    ("Palyra needs a language model", "1"),
    ("How do you want to connect", "1"),
    ("Paste your OpenAI API key", KEY),
    ("Chats are turned off", "1"),
    ("Your first message:", ""),
    ("Palyra answered", ""),
    ("Discord (optional)", "2"),
    ("No notifications here", ""),
    ("Start on login", "2"),
    ("Palyra is ready", "2"),
];
/// What a question ends with.
const PROMPTS: [&str; 4] = ["]: ", "> ", "Enter: Go on ", "Enter: Close "];

/// A set-up that runs, and what it said since the last answer.
struct SetUp {
    child: Child,
    input: ChildStdin,
    output: Receiver<u8>,
    said: Vec<u8>,
}

impl SetUp {
    fn start(site: &Site) -> Self {
        let mut child = site.command(&["setup"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("set-up");
        let input = child.stdin.take().expect("stdin");
        let stdout = child.stdout.take().expect("stdout");
        let (tell, output) = mpsc::channel();
        std::thread::spawn(move || {
            for byte in BufReader::new(stdout).bytes().map_while(Result::ok) {
                if tell.send(byte).is_err() {
                    return;
                }
            }
        });
        Self { child, input, output, said: Vec::new() }
    }

    /// The next question, whole; nothing when it ended.
    #[track_caller]
    fn question(&mut self) -> Option<String> {
        let end = Instant::now() + 2 * agent::PATIENCE;
        loop {
            match self.output.recv_timeout(Duration::from_millis(150)) {
                Ok(byte) => self.said.push(byte),
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let said = String::from_utf8_lossy(&self.said).into_owned();
                    if PROMPTS.iter().any(|prompt| said.ends_with(prompt)) {
                        return Some(said);
                    }
                    assert!(Instant::now() < end, "no question came: {said}");
                }
            }
        }
    }

    fn answer(&mut self, line: &str) {
        self.said.clear();
        writeln!(self.input, "{line}").expect("answer");
    }

    fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("reaped");
    }
}

/// An agent on a state root on which nothing was set up; programs and ports are there.
fn fresh() -> Site {
    let mut site = bare();
    site.start(&["--no-start", "--no-set-up"]);
    site.until("an agent", |status| status["state"] == "stopped");
    site
}

/// The same without an agent.
fn bare() -> Site {
    let mut site = Site::new();
    let home = site.root().with_file_name("home");
    fs::create_dir_all(&home).expect("home");
    for (name, value) in [
        ("HOME", home.to_str().expect("utf-8")),
        ("PATH", "/usr/bin:/bin"),
        ("DISPLAY", ""),
        ("WAYLAND_DISPLAY", ""),
        ("DBUS_SESSION_BUS_ADDRESS", ""),
        ("XDG_CONFIG_HOME", ""),
    ] {
        site.env(name, value);
    }
    site
}

/// Which of [`WILLING`] a question is.
#[track_caller]
fn place(question: &str) -> usize {
    let found =
        WILLING.iter().enumerate().filter_map(|(place, (words, _))| Some((question.rfind(words)?, place))).max();
    found.unwrap_or_else(|| panic!("nobody knows what to say to: {question}")).1
}

#[track_caller]
fn willing(question: &str) -> &'static str {
    WILLING[place(question)].1
}

#[track_caller]
fn record(site: &Site) -> Value {
    serde_json::from_slice(&fs::read(site.own("setup.json")).expect("a record")).expect("JSON")
}

#[test]
fn from_nothing_to_an_answered_message() {
    let site = fresh();
    let mut set_up = SetUp::start(&site);
    let mut all = String::new();
    while let Some(question) = set_up.question() {
        all.push_str(&question);
        set_up.answer(willing(&question));
    }
    assert!(set_up.child.wait().expect("end").success(), "{all}");
    for words in ["Welcome to Palyra", "Palyra answered", "Palyra is ready"] {
        assert!(all.contains(words), "{words} is missing in {all}");
    }
    let record = record(&site);
    assert!(record["completed_at_unix_ms"].is_i64() && record["answered_at_unix_ms"].is_i64(), "{record}");
    assert_eq!(site.status().expect("status")["state"], "healthy");
    let config = fs::read_to_string(site.root().join("config/palyra.toml")).expect("config");
    assert!(config.contains("runloop_v1_enabled = true"), "{config}");
    // the key went to the gateway's vault and nowhere else
    assert!(!all.contains(KEY));
    for file in ["setup.json", "logs/tray.log"] {
        assert!(!fs::read_to_string(site.own(file)).expect(file).contains(KEY), "{file}");
    }
}

#[test]
fn killed_at_every_question_it_goes_on_there() {
    let site = fresh();
    let mut kills = 0;
    let mut set_up = SetUp::start(&site);
    while let Some(question) = set_up.question() {
        set_up.kill();
        kills += 1;
        set_up = SetUp::start(&site);
        let Some(again) = set_up.question() else { panic!("it does not open again") };
        // within a step it begins with the step's first question
        let mut now = again;
        while place(&now) < place(&question) {
            set_up.answer(willing(&now));
            now = set_up.question().unwrap_or_else(|| panic!("{question} was lost"));
        }
        set_up.answer(willing(&now));
        assert!(kills < 30, "it does not come to an end: {now}");
        if now.contains("Palyra is ready") {
            break;
        }
    }
    assert!(set_up.child.wait().expect("end").success());
    assert!(kills >= 9, "{kills}");
    assert!(record(&site)["completed_at_unix_ms"].is_i64());
}

#[test]
fn a_second_one_says_that_the_first_is_open() {
    let site = fresh();
    let mut first = SetUp::start(&site);
    assert!(first.question().expect("a question").contains("Welcome to Palyra"));
    let told = site.ok(&["setup"]);
    assert!(told.contains("open already"), "{told}");
    first.answer("2");
    assert!(first.question().is_none(), "put away");
}

#[test]
fn an_agent_that_it_starts_goes_on_with_the_data_that_lie_elsewhere() {
    let site = bare();
    let elsewhere = site.root().with_file_name("elsewhere");
    fs::create_dir_all(elsewhere.join("data")).expect("data folder");
    fs::write(elsewhere.join("data/journal.sqlite3"), "").expect("journal");
    fs::create_dir_all(site.own("")).expect("own folder");
    fs::write(site.own("settings.toml"), format!("[services]\ndata = {elsewhere:?}\n")).expect("settings");
    let mut set_up = SetUp::start(&site);
    assert!(set_up.question().expect("a question").contains("Start Palyra Tray?"));
    set_up.answer("1");
    set_up.question().expect("the first step");
    set_up.kill();
    // its data are there, so there is nothing to ask before Palyra is started
    site.healthy();
    site.ok(&["quit"]);
}

#[test]
fn put_away_at_once_it_is_offered_again_and_nothing_was_started() {
    let site = fresh();
    for _ in 0..2 {
        let mut set_up = SetUp::start(&site);
        assert!(set_up.question().expect("a question").contains("Welcome to Palyra"));
        drop(set_up.input); // the end of input is no answer
        assert_eq!(set_up.child.wait().expect("end").code(), Some(0));
    }
    assert_eq!(site.status().expect("status")["state"], "stopped");
}

#[test]
fn what_cannot_work_is_said_and_asked_again() {
    let site = fresh();
    let mut set_up = SetUp::start(&site);
    // folders, then keys, each with the words that come of it
    let mut folders = vec![("/proc", "cannot be used")];
    let mut keys = vec![
        ("sk-wrong", "does not accept this key"),
        ("sk-offline", "cannot be reached"),
        ("sk-down", "OpenAI"),
        ("sk-busy", "OpenAI"),
    ];
    let mut expected = "";
    while let Some(question) = set_up.question() {
        assert!(question.contains(expected), "{expected} is missing in {question}");
        expected = "";
        if question.contains("Where to keep your data") && !folders.is_empty() {
            set_up.answer("2");
            set_up.question().expect("which folder");
            let (folder, words) = folders.remove(0);
            expected = words;
            set_up.answer(folder);
        } else if question.contains("API key. It goes straight") && !keys.is_empty() {
            let (key, words) = keys.remove(0);
            expected = words;
            set_up.answer(key);
        } else {
            set_up.answer(willing(&question));
        }
    }
    assert!(folders.is_empty() && keys.is_empty());
    let record = record(&site);
    assert!(record["completed_at_unix_ms"].is_i64(), "{record}");
    assert_eq!(
        (&record["failures"]["provider"]["count"], &record["failures"]["data_folder"]["count"]),
        (&4.into(), &1.into())
    );
}
