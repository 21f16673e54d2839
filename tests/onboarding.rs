//! The set-up as a pure function, in a pretended world: a machine, a gateway, a provider, a person.

use std::collections::BTreeSet;
use std::path::PathBuf;

use palyra_tray::core::dialog::{Answer, Body, Form};
use palyra_tray::core::onboarding::{Facts, Finding, Flow, Got, Job, Outcome, ProgramFolder, Record, Step, Want};
use palyra_tray::protocol::setup::{
    DiscordAnswer, FirstAnswer, Provider, ProviderFacts, SetupFacts, SetupRequest, SignIn,
};
use palyra_tray::protocol::{Failure, FailureCode, Reply, Request, Secret};
use proptest::prelude::*;
use serde_json::to_value;

const KEY: &str = "sk-good-0123456789";
/// No run of the set-up takes more turns than this.
const TURNS: usize = 300;

/// The machine and the gateway, as far as the set-up can tell.
#[derive(Clone, Debug)]
struct World {
    programs: Option<PathBuf>,
    running: bool,
    run_loop: &'static str,
    key: Option<Provider>,
    /// The running gateway has not read the config that it wrote.
    stale: bool,
    /// Restarts do not help.
    stuck: bool,
    online: bool,
    discord: bool,
    autostart: Option<bool>,
    server: &'static str,
    findings: Vec<Finding>,
    /// Every job that was done, in words.
    done: Vec<String>,
    /// The next jobs of these names fail once.
    broken: Vec<&'static str>,
    messages: usize,
}

impl World {
    fn fresh() -> Self {
        Self {
            programs: None,
            running: false,
            run_loop: "unset",
            key: None,
            stale: false,
            stuck: false,
            online: true,
            discord: false,
            autostart: Some(false),
            server: "dunst",
            findings: Vec::new(),
            done: Vec::new(),
            broken: Vec::new(),
            messages: 0,
        }
    }

    fn facts(&self) -> Facts {
        let providers = Provider::ALL.into_iter().map(|provider| ProviderFacts {
            provider,
            configured: self.key == Some(provider),
            in_use: self.key == Some(provider) && !self.stale,
            sign_in: provider != Provider::Anthropic,
            note: String::new(),
        });
        let folders = ["/opt/palyra", "/usr/local/bin"].map(|folder| ProgramFolder {
            folder: folder.into(),
            from: "archive".to_owned(),
            problem: (folder == "/usr/local/bin").then(|| "palyrad there is for another machine".to_owned()),
        });
        Facts {
            setup: SetupFacts {
                gateway_binary: self.programs.clone(),
                gateway_binary_problem: "palyrad was not found".to_owned(),
                data_folder: "/home/p/.local/state/palyra/desktop-control-center/runtime".into(),
                data_exists: self.running,
                signed_in: self.running,
                run_loop: self.run_loop.to_owned(),
                restart_needed: self.stale,
                config: "/home/p/palyra.toml".into(),
                providers: if self.running { providers.collect() } else { Vec::new() },
                discord: if self.discord { "ready" } else { "not_connected" }.to_owned(),
                tray_present: true,
                notification_server: self.server.to_owned(),
                notification_buttons: true,
                ..SetupFacts::default()
            },
            folders: if self.programs.is_some() { Vec::new() } else { folders.to_vec() },
            findings: self.findings.clone(),
            autostart: self.autostart,
            terminal: false,
        }
    }

    fn perform(&mut self, job: &Job) -> Got {
        let name = match job {
            Job::Ask(Request::Act { .. }) => "start",
            Job::Ask(Request::Setup(request)) => match request {
                SetupRequest::UseFolder { .. } => "use folder",
                SetupRequest::UseDataFolder { .. } => "use data folder",
                SetupRequest::TurnChatsOn => "turn on",
                SetupRequest::ProviderKey { .. } => "key",
                SetupRequest::SignIn { .. } => "begin sign-in",
                SetupRequest::TestProvider { .. } => "test",
                SetupRequest::FirstMessage { .. } => "message",
                SetupRequest::DiscordProbe { .. } => "probe",
                SetupRequest::DiscordApply { .. } => "apply",
                SetupRequest::DiscordVerify { .. } => "verify",
                SetupRequest::TestNotification => "notify",
                other => panic!("{other:?} is no work"),
            },
            Job::SignIn { .. } => "sign-in",
            Job::Autostart(_) => "autostart",
            Job::Ask(other) => panic!("{other:?} is not the set-up's"),
        };
        if let Some(place) = self.broken.iter().position(|broken| *broken == name) {
            self.broken.remove(place);
            return Got::Failed(format!("{name} is broken"));
        }
        self.done.push(name.to_owned());
        let done = || Got::Worked(Reply::Done("Done.".to_owned()));
        match job {
            Job::Ask(Request::Act { .. }) => {
                if self.programs.is_none() {
                    return Got::Failed("palyrad was not found".to_owned());
                }
                self.running = true;
                done()
            }
            Job::Ask(Request::Setup(request)) => match request {
                SetupRequest::UseFolder { folder } if folder.as_os_str() == "/opt/palyra" => {
                    self.programs = Some(folder.join("palyrad"));
                    done()
                }
                SetupRequest::UseFolder { .. } => Got::Failed("there is no palyrad in this folder".to_owned()),
                SetupRequest::UseDataFolder { folder } if folder.starts_with("/full") => {
                    Got::Failed("this folder cannot be used: no space left on device".to_owned())
                }
                SetupRequest::TurnChatsOn => {
                    self.run_loop = "on";
                    self.stale = self.stuck;
                    done()
                }
                SetupRequest::ProviderKey { key, .. } if key.expose() != KEY => {
                    Got::Failed("OpenAI does not accept this key".to_owned())
                }
                SetupRequest::ProviderKey { provider, .. } => {
                    self.key = Some(*provider);
                    self.stale = true;
                    done()
                }
                SetupRequest::SignIn { .. } => data(&SignIn {
                    attempt_id: "a1".to_owned(),
                    authorization_url: Secret::new("https://provider.example/authorize?state=hush"),
                    opened: true,
                    note: String::new(),
                    expires_at_unix_ms: 1,
                }),
                SetupRequest::TestProvider { .. } if !self.online => {
                    Got::Failed("the provider cannot be reached".to_owned())
                }
                SetupRequest::FirstMessage { text } => {
                    assert!(!text.trim().is_empty(), "an empty message is not sent");
                    let ready = self.key.is_some() && !self.stale && self.run_loop == "on" && self.running;
                    assert!(ready, "nothing could answer");
                    self.messages += 1;
                    data(&FirstAnswer {
                        text: "Hello, person.".to_owned(),
                        session_id: "s".to_owned(),
                        run_id: "r".to_owned(),
                    })
                }
                SetupRequest::DiscordProbe { .. } | SetupRequest::DiscordVerify { .. } => data(&bot()),
                SetupRequest::DiscordApply { .. } => {
                    self.discord = true;
                    data(&bot())
                }
                _ => done(),
            },
            Job::SignIn { provider, .. } => {
                self.key = Some(*provider);
                self.stale = true;
                done()
            }
            Job::Autostart(on) => {
                self.autostart = Some(*on);
                done()
            }
            Job::Ask(_) => unreachable!("told apart above"),
        }
    }
}

fn bot() -> DiscordAnswer {
    DiscordAnswer { bot: "palyra-bot".to_owned(), invite_url: String::new(), notes: Vec::new() }
}

fn data(value: &impl serde::Serialize) -> Got {
    Got::Worked(Reply::Data(to_value(value).expect("json")))
}

fn press(button: &str, value: Option<&str>) -> Answer {
    Answer::Pressed { button: button.to_owned(), value: value.map(Secret::new) }
}

/// A person who wants it done and says yes to everything; no Discord.
fn willing(form: &Form) -> Answer {
    let first = form.buttons[0].id.as_str();
    match &form.body {
        Body::Choose { selected, .. } => press(first, selected.as_deref()),
        Body::Entry { value } => press(first, Some(value)),
        Body::Password => press(first, Some(KEY)),
        _ if form.heading.starts_with("Discord") => press("skip", None),
        _ => press(first, None),
    }
}

/// Runs the set-up to its end with this person; what was shown, by heading.
fn walk(world: &mut World, flow: &mut Flow, person: &mut dyn FnMut(&Form) -> Answer) -> (Outcome, Vec<String>) {
    let mut shown = Vec::new();
    let mut want = flow.begin();
    for turn in 0..TURNS {
        let got = match &want {
            Want::Facts => Got::Facts(Box::new(world.facts())),
            Want::Ask(form) => {
                check_form(form);
                shown.push(form.heading.clone());
                Got::Answer(person(form))
            }
            Want::Work(form, job) => {
                check_form(form);
                assert_eq!(form.body, Body::Progress);
                world.perform(job)
            }
            Want::End(outcome) => return (outcome.clone(), shown),
        };
        want = flow.next(got, 1_000 + turn as i64);
    }
    panic!("no end: {shown:?}");
}

/// Holds for every screen.
fn check_form(form: &Form) {
    assert!(!form.heading.is_empty() && !form.title.is_empty(), "{form:?}");
    assert!(!form.buttons.is_empty() && form.buttons.len() <= 4, "{form:?}");
    let ids: BTreeSet<_> = form.buttons.iter().map(|button| &button.id).collect();
    assert_eq!(ids.len(), form.buttons.len(), "{form:?}");
    assert!(form.focus.as_ref().is_none_or(|focus| ids.contains(focus)), "{form:?}");
    assert!(!form.text.contains("  ") && form.heading.chars().count() <= 48, "{form:?}");
}

#[test]
fn from_nothing_to_an_answered_message_in_a_few_screens() {
    let mut world = World::fresh();
    let mut flow = Flow::new(Record::default());
    let (outcome, shown) = walk(&mut world, &mut flow, &mut willing);
    assert_eq!(
        shown,
        [
            "Welcome to Palyra",
            "Where is Palyra?",
            "Where to keep your data",
            "Model provider",
            "OpenAI",
            "OpenAI API key",
            "Say something to Palyra",
            "Palyra answered",
            "Discord (optional)",
            "Test notification",
            "Start on login",
            "Palyra is ready"
        ]
    );
    assert_eq!(
        world.done,
        ["use folder", "start", "key", "turn on", "test", "message", "notify", "autostart"],
        "each once, in this order"
    );
    assert!(matches!(outcome, Outcome::Complete { open: Some(_) }));
    assert!(flow.record().completed_at_unix_ms.is_some() && flow.record().reached.complete);
}

#[test]
fn opened_again_it_says_that_all_is_done_and_asks_nothing() {
    let mut world = World::fresh();
    let mut flow = Flow::new(Record::default());
    walk(&mut world, &mut flow, &mut willing);
    let before = world.done.clone();
    let (outcome, shown) = walk(&mut world, &mut Flow::new(flow.record().clone()), &mut willing);
    assert_eq!(shown, ["Palyra is ready"]);
    assert!(matches!(outcome, Outcome::Complete { .. }));
    assert_eq!(world.done, before);
}

/// Killed after any number of turns and opened again: it goes on, does nothing twice that had worked, and ends well.
#[test]
fn killed_anywhere_it_is_resumed() {
    for kill_after in 0..40 {
        let mut world = World::fresh();
        let mut flow = Flow::new(Record::default());
        let mut kept = flow.record().clone();
        let mut want = flow.begin();
        let mut asked = Vec::new();
        for turn in 0..kill_after {
            let got = match &want {
                Want::Facts => Got::Facts(Box::new(world.facts())),
                Want::Ask(form) => {
                    asked.push(form.heading.clone());
                    Got::Answer(willing(form))
                }
                Want::Work(_, job) => world.perform(job),
                Want::End(_) => break,
            };
            want = flow.next(got, turn);
            // as on disk
            let bytes = serde_json::to_vec(flow.record()).expect("json");
            kept = serde_json::from_slice(&bytes).expect("read back");
        }
        let answered = asked.iter().map(String::as_str).rev().skip(1).collect::<BTreeSet<_>>();
        let (outcome, shown) = walk(&mut world, &mut Flow::new(kept), &mut willing);
        assert!(matches!(outcome, Outcome::Complete { .. }), "killed after {kill_after}: {outcome:?}");
        for once in ["use folder", "start", "key", "turn on", "message", "autostart"] {
            let times = world.done.iter().filter(|done| *done == once).count();
            assert_eq!(times, 1, "{once}, killed after {kill_after}: {:?}", world.done);
        }
        for heading in ["Welcome to Palyra", "Where is Palyra?", "Palyra answered"] {
            let again = answered.contains(heading) && shown.iter().any(|shown| shown == heading);
            assert!(!again, "{heading} was asked twice, killed after {kill_after}");
        }
    }
}

#[test]
fn every_failure_is_said_counted_and_can_be_tried_again() {
    let steps = [
        ("use folder", Step::Programs),
        ("start", Step::Start),
        ("key", Step::Provider),
        ("turn on", Step::Chats),
        ("test", Step::Connection),
        ("message", Step::FirstMessage),
        ("notify", Step::Notifications),
        ("autostart", Step::Autostart),
    ];
    for (job, step) in steps {
        let mut world = World::fresh();
        world.broken = vec![job, job];
        let mut flow = Flow::new(Record::default());
        let mut said = 0;
        let (outcome, _) = walk(&mut world, &mut flow, &mut |form| {
            said += usize::from(form.text.contains(&format!("{} is broken.", job[..1].to_uppercase() + &job[1..])));
            willing(form)
        });
        assert!(matches!(outcome, Outcome::Complete { .. }), "{job}: {outcome:?}");
        assert_eq!(said, 2, "{job}");
        let failures = &flow.record().failures[&step];
        assert_eq!((failures.count, failures.last.as_str()), (2, format!("{job} is broken").as_str()));
    }
}

#[test]
fn cancelled_work_can_be_tried_again_or_left_out() {
    for work in 0..8 {
        let mut world = World::fresh();
        let mut flow = Flow::new(Record::default());
        let mut want = flow.begin();
        let mut seen = 0;
        let mut cancelled = false;
        let mut turns = 0;
        let outcome = loop {
            turns += 1;
            assert!(turns < TURNS, "no end");
            let got = match &want {
                Want::Facts => Got::Facts(Box::new(world.facts())),
                Want::Ask(form) => Got::Answer(willing(form)),
                Want::Work(_, job) => {
                    seen += 1;
                    if seen == work + 1 && !cancelled {
                        cancelled = true;
                        Got::Cancelled
                    } else {
                        world.perform(job)
                    }
                }
                Want::End(outcome) => break outcome.clone(),
            };
            want = flow.next(got, 1);
        };
        assert!(cancelled && matches!(outcome, Outcome::Complete { .. }), "work {work}: {outcome:?}");
    }
}

#[test]
fn put_away_at_any_screen_it_ends_and_keeps_what_was_reached() {
    for stop_at in 0..11 {
        let mut world = World::fresh();
        let mut flow = Flow::new(Record::default());
        let mut count = 0;
        let (outcome, _) = walk(&mut world, &mut flow, &mut |form| {
            count += 1;
            if count > stop_at { Answer::Dismissed } else { willing(form) }
        });
        assert_eq!(outcome, Outcome::Left, "stopped at {stop_at}");
        let (outcome, _) = walk(&mut world, &mut Flow::new(flow.record().clone()), &mut willing);
        assert!(matches!(outcome, Outcome::Complete { .. }));
        assert_eq!(world.messages, 1, "stopped at {stop_at}");
    }
}

#[test]
fn without_a_provider_it_never_says_that_palyra_answers() {
    let mut world = World::fresh();
    let mut flow = Flow::new(Record::default());
    let mut last = String::new();
    let (outcome, shown) = walk(&mut world, &mut flow, &mut |form| {
        last.clone_from(&form.text);
        if form.heading == "Model provider" { press("skip", None) } else { willing(form) }
    });
    assert!(!shown.iter().any(|heading| heading == "Say something to Palyra"), "{shown:?}");
    assert!(last.contains("cannot answer yet") && last.contains("Model provider"), "{last}");
    assert_eq!(outcome, Outcome::Left);
    assert!(!flow.record().reached.complete);
    // and the next time it is asked again
    let (_, shown) = walk(&mut world, &mut Flow::new(flow.record().clone()), &mut willing);
    assert_eq!(shown.first().map(String::as_str), Some("Model provider"));
}

#[test]
fn a_config_that_says_no_is_changed_only_when_the_person_says_so() {
    for (button, on) in [("next", "on"), ("skip", "off")] {
        let mut world = World::fresh();
        world.run_loop = "off";
        let mut flow = Flow::new(Record::default());
        walk(&mut world, &mut flow, &mut |form| {
            if form.heading == "Chats are switched off" { press(button, None) } else { willing(form) }
        });
        assert_eq!(world.run_loop, on);
        assert_eq!(world.messages, usize::from(button == "next"));
    }
}

#[test]
fn a_wrong_key_and_a_full_disk_are_said_and_another_can_be_given() {
    let mut world = World::fresh();
    let mut flow = Flow::new(Record::default());
    let mut texts = Vec::new();
    let (mut keys, mut folders) = (0, 0);
    let (outcome, _) = walk(&mut world, &mut flow, &mut |form| {
        texts.push(form.text.clone());
        match &form.body {
            Body::Password => {
                keys += 1;
                press("next", Some(if keys == 1 { "sk-wrong" } else { KEY }))
            }
            Body::Message if form.heading == "Where to keep your data" && folders == 0 => press("pick", None),
            Body::Folder { .. } => {
                folders += 1;
                press("next", Some("/full/disk"))
            }
            _ => willing(form),
        }
    });
    assert!(matches!(outcome, Outcome::Complete { .. }));
    let refused = texts.iter().find(|text| text.starts_with("OpenAI does not accept this key."));
    assert!(refused.is_some_and(|text| text.contains("Paste your OpenAI API key")), "asked again at once: {texts:?}");
    assert!(texts.iter().any(|text| text.contains("no space left")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("sk-")), "a key is never repeated");
}

#[test]
fn a_sign_in_in_the_browser_takes_the_place_of_a_key() {
    let mut world = World::fresh();
    let mut flow = Flow::new(Record::default());
    let (outcome, shown) = walk(&mut world, &mut flow, &mut |form| match &form.body {
        Body::Choose { .. } if form.heading == "OpenAI" => press("next", Some("browser")),
        Body::Entry { value } if value.is_empty() => press("next", Some("my-app")),
        Body::Password => press("next", Some("")),
        _ => willing(form),
    });
    assert!(matches!(outcome, Outcome::Complete { .. }));
    assert!(!shown.iter().any(|heading| heading.contains("key")), "{shown:?}");
    assert!(world.done.contains(&"sign-in".to_owned()));
}

/// A step whose work is done and changes nothing is said to be so, and not done again and again.
#[test]
fn work_without_effect_is_not_repeated_unasked() {
    let mut world = World { stuck: true, ..World::fresh() };
    let mut flow = Flow::new(Record::default());
    let (outcome, shown) = walk(&mut world, &mut flow, &mut |form| {
        if form.heading == "Chats could not be switched on" { press("skip", None) } else { willing(form) }
    });
    assert_eq!(outcome, Outcome::Left);
    assert_eq!(shown.iter().filter(|heading| *heading == "Chats could not be switched on").count(), 1);
    assert_eq!(world.done.iter().filter(|done| *done == "turn on").count(), 1);
}

#[test]
fn discord_is_looked_at_connected_and_tried_and_declining_is_remembered() {
    let mut world = World::fresh();
    let mut flow = Flow::new(Record::default());
    walk(&mut world, &mut flow, &mut |form| match &form.body {
        Body::Entry { value } if value.is_empty() => press("next", Some("123456789012345678")),
        _ if form.heading.starts_with("Discord") => press("connect", None),
        _ if form.heading.contains("bot") && form.body == Body::Message => press("connect", None),
        _ => willing(form),
    });
    assert!(world.discord);
    for part in ["probe", "apply", "verify"] {
        assert!(world.done.contains(&part.to_owned()), "{part}: {:?}", world.done);
    }
    let mut world = World::fresh();
    let mut flow = Flow::new(Record::default());
    walk(&mut world, &mut flow, &mut willing);
    assert!(flow.record().declined.contains(&Step::Discord));
}

#[test]
fn findings_are_shown_once_and_a_new_one_again() {
    let finding =
        |title: &str| Finding { title: title.to_owned(), evidence: "seen".to_owned(), remedy: "mend it".to_owned() };
    let mut world = World::fresh();
    world.findings = vec![finding("No tray")];
    let mut flow = Flow::new(Record::default());
    let (_, shown) = walk(&mut world, &mut flow, &mut willing);
    assert_eq!(shown.iter().filter(|heading| heading.contains("this machine")).count(), 1);
    world.findings.push(finding("Little space"));
    let mut texts = Vec::new();
    walk(&mut world, &mut Flow::new(flow.record().clone()), &mut |form| {
        texts.push(form.text.clone());
        willing(form)
    });
    assert!(texts.iter().any(|text| text.contains("Little space")) && !texts.iter().any(|t| t.contains("No tray")));
}

#[test]
fn a_dialog_program_that_dies_ends_it_with_its_words() {
    let mut world = World::fresh();
    let mut flow = Flow::new(Record::default());
    let mut count = 0;
    let (outcome, _) = walk(&mut world, &mut flow, &mut |form| {
        count += 1;
        if count == 4 { Answer::Failed { why: "zenity was killed".to_owned() } } else { willing(form) }
    });
    assert_eq!(outcome, Outcome::Broken("zenity was killed".to_owned()));
    assert!(flow.record().welcomed);
}

/// What a random person does with a screen.
#[derive(Clone, Debug)]
struct Whim {
    button: usize,
    value: usize,
    dismiss: bool,
}

fn whim() -> impl Strategy<Value = Whim> {
    (0..4usize, 0..4usize, prop::bool::weighted(0.03)).prop_map(|(button, value, dismiss)| Whim {
        button,
        value,
        dismiss,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Whatever a person presses and whatever breaks: it never says that Palyra answers when it did not, never keeps or
    /// shows a key, never sends a message into nothing (the world asserts that), and a willing person can always finish.
    #[test]
    fn any_person_on_any_machine(
        whims in prop::collection::vec(whim(), 0..60),
        broken in prop::collection::vec(prop::sample::select(vec!["use folder", "start", "key", "test", "message", "turn on", "sign-in", "begin sign-in", "probe", "apply", "notify", "autostart"]), 0..10),
        run_loop in prop::sample::select(vec!["unset", "off", "on"]),
        server in prop::sample::select(vec!["dunst", ""]),
    ) {
        let mut world = World { broken, run_loop, server, ..World::fresh() };
        let mut flow = Flow::new(Record::default());
        let mut whims = whims.into_iter();
        let mut secrets_shown = false;
        walk(&mut world, &mut flow, &mut |form| {
            secrets_shown |= format!("{form:?}").contains(KEY);
            let Some(whim) = whims.next() else { return Answer::Dismissed };
            if whim.dismiss { return Answer::Dismissed }
            let button = &form.buttons[whim.button % form.buttons.len()].id;
            let value = match &form.body {
                Body::Choose { choices, .. } => Some(choices[whim.value % choices.len()].id.clone()),
                Body::Password => Some([KEY, "", "wrong", "\u{0}"][whim.value].to_owned()),
                Body::Entry { .. } => Some(["hello", "", " ", "1234567890123456"][whim.value].to_owned()),
                Body::Folder { .. } => Some(["/opt/palyra", "/full", "", "relative"][whim.value].to_owned()),
                _ => None,
            };
            press(button, value.as_deref())
        });
        prop_assert!(!secrets_shown);
        let kept = serde_json::to_string(flow.record()).unwrap();
        let debugged = format!("{flow:?}");
        prop_assert!(!kept.contains(KEY) && !debugged.contains(KEY));
        prop_assert_eq!(flow.record().answered_at_unix_ms.is_some(), world.messages > 0);
        prop_assert!(flow.record().completed_at_unix_ms.is_none() || world.messages > 0);
        world.broken.clear();
        let (outcome, _) = walk(&mut world, &mut Flow::new(flow.record().clone()), &mut willing);
        let finished = matches!(outcome, Outcome::Complete { .. });
        prop_assert!(finished, "{:?}", outcome);
    }
}

#[test]
fn no_agent_ends_it_with_one_sentence() {
    let mut flow = Flow::new(Record::default());
    let failure = Failure::new(FailureCode::NoAgent, "no agent runs", "");
    let end = flow.next(Got::NoFacts(failure.message), 1);
    assert_eq!(end, Want::End(Outcome::Broken("no agent runs".to_owned())));
}
