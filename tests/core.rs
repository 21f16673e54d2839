//! The pure core on a virtual clock: scripts with their exact timelines, and properties over random worlds.

#[path = "core/adoption.rs"]
mod adoption;
#[path = "core/approvals.rs"]
mod approvals;
#[path = "core/config.rs"]
mod config;
#[path = "core/day.rs"]
mod day;
#[path = "core/decisions.rs"]
mod decisions;
#[path = "core/events.rs"]
mod events;
#[path = "core/flags.rs"]
mod flags;
#[path = "core/hangs.rs"]
mod hangs;
#[path = "core/hidden.rs"]
mod hidden;
#[path = "core/inbox.rs"]
mod inbox;
#[path = "core/late.rs"]
mod late;
#[path = "core/looks.rs"]
mod looks;
#[path = "core/preferences.rs"]
mod preferences;
#[path = "core/profiles.rs"]
mod profiles;
#[path = "core/quiet.rs"]
mod quiet;
#[path = "core/random.rs"]
mod random;
#[path = "core/remote.rs"]
mod remote;
#[path = "core/reviews.rs"]
mod reviews;
#[path = "core/secrets.rs"]
mod secrets;
#[path = "core/survey.rs"]
mod survey;
#[path = "core/usage.rs"]
mod usage;

use std::collections::BTreeSet;

use palyra_tray::core::agent::{Agent, QUIET_MS, WORKED_MS};
use palyra_tray::core::cause::{Class, Evidence};
use palyra_tray::core::decisions::{DecisionOrder, Decisions, Surface};
use palyra_tray::core::event::{Click, Companion, Desktop, Effect, Event, Found, Secrets, Setup, Trouble};
use palyra_tray::core::fingerprint::{Changes, Names};
use palyra_tray::core::inbox::{Inbox, LOOK_SPACING_MS, Look, Standing, Watch};
use palyra_tray::core::record::Record;
use palyra_tray::core::service::{Goal, PROBE_HEALTHY_MS, Phase};
use palyra_tray::core::simulate::{self, World};
use palyra_tray::core::snapshot;
use palyra_tray::core::time::Now;
use palyra_tray::core::view::Base;
use palyra_tray::protocol::setup::SetupRequest;
use palyra_tray::protocol::shim::{ExitCause, ExitRecord, RunRecord};
use palyra_tray::protocol::{Action, Place, Request, RunId, ServiceId, Verdict};
use palyra_tray::words::services::ends;
use proptest::prelude::*;

fn setup() -> Setup {
    Setup {
        version: "0.1.0".to_owned(),
        pid: 1,
        start: true,
        browser: true,
        config_restarts: true,
        seed: 7,
        ..Setup::default()
    }
}

fn started() -> World {
    let mut world = World::new(setup());
    world.pass(1_000);
    world
}

fn living(service: ServiceId) -> Found {
    let process = palyra_tray::protocol::shim::ProcessRef { pid: 7, start_ticks: 1 };
    Found::Living(RunRecord {
        version: 1,
        run_id: palyra_tray::protocol::RunId(format!("{service}-old")),
        service,
        program: "/opt/palyra/sidecar".into(),
        shim: process,
        sidecar: process,
        boot_id: "boot".to_owned(),
        ports: palyra_tray::core::ports::defaults(service),
        started_at_unix_ms: 0,
        lease_ms: None,
    })
}

fn gateway(world: &World) -> (Option<RunId>, Phase) {
    let gateway = world.agent.fleet.get(ServiceId::Gateway);
    (gateway.run.as_ref().map(|run| run.id.clone()), gateway.phase.clone())
}

/// Who was launched since, in order.
fn launched_since(world: &World, before: usize) -> Vec<ServiceId> {
    world.launches[before..].iter().map(|(_, id)| *id).collect()
}

/// What its button of a1's notification does.
fn approve_once(world: &World) -> Action {
    let buttons = &world.view().notices["approval:a1"].buttons;
    buttons.iter().find(|button| button.label == "Approve once").expect("the button").action.clone()
}

fn check_timeline(name: &str, script: &str) {
    let path = format!("{}/tests/timelines/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let timeline = simulate::run(script, setup()).unwrap();
    if std::env::var_os("UPDATE_TIMELINES").is_some() {
        std::fs::write(&path, &timeline).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        timeline, expected,
        "tests/timelines/{name}.txt differs; run with UPDATE_TIMELINES=1 and look at the change"
    );
}

/// How often this event makes it give memory back.
fn gives_back(agent: &mut Agent, event: Event, now: Now) -> usize {
    agent.update(event, now).iter().filter(|effect| **effect == Effect::GiveBack).count()
}

#[test]
fn memory_is_given_back_once_when_it_is_quiet_again() {
    let world = started();
    let (mut agent, mut now) = (world.agent.clone(), world.now);
    let mut given = 0;
    for _ in 0..10 {
        now = now.plus(PROBE_HEALTHY_MS);
        given += gives_back(&mut agent, Event::Wake, now);
    }
    assert_eq!(given, 1, "once after the start, and not while it idles");
    let asked = Event::Asked(1, Request::Status);
    assert_eq!(gives_back(&mut agent, asked, now), 0);
    assert_eq!(gives_back(&mut agent, Event::Wake, now.plus(QUIET_MS - 1)), 0, "somebody may want more");
    assert_eq!(gives_back(&mut agent, Event::Wake, now.plus(QUIET_MS)), 1);
    assert_eq!(gives_back(&mut agent, Event::Rang, now.plus(2 * QUIET_MS)), 0);
    assert_eq!(
        gives_back(&mut agent, Event::Wake, now.plus(3 * QUIET_MS)),
        1,
        "somebody else is at work in the gateway"
    );
}

#[test]
fn memory_is_given_back_after_an_approval_has_expired_by_itself() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(100_000);
    let (mut agent, now) = (world.agent.clone(), world.now);
    agent.update(Event::Wake, now);
    assert_eq!((agent.inbox.waiting(), gives_back(&mut agent, Event::Wake, now.plus(QUIET_MS))), (1, 0));
    let later = now.plus(201_000);
    assert_eq!((gives_back(&mut agent, Event::Wake, later), agent.inbox.waiting()), (0, 0));
    assert_eq!(gives_back(&mut agent, Event::Wake, later.plus(QUIET_MS)), 1);
}

#[test]
fn memory_is_given_back_now_and_then_on_a_day_without_a_quiet_moment() {
    let world = started();
    let (mut agent, mut now) = (world.agent.clone(), world.now.plus(PROBE_HEALTHY_MS));
    assert_eq!(gives_back(&mut agent, Event::Wake, now), 1, "after the start");
    let mut given = Vec::new();
    for second in 1..=100 {
        now = now.plus(1_000);
        let asked = gives_back(&mut agent, Event::Asked(second, Request::Status), now);
        assert_eq!(asked, 0, "whoever asks is answered first");
        if gives_back(&mut agent, Event::Wake, now) > 0 {
            given.push(second);
        }
    }
    // from the first work after the one before
    let apart = WORKED_MS / 1_000 + 1;
    assert_eq!(given, [apart, 2 * apart, 3 * apart, 4 * apart]);
}

#[test]
fn a_set_up_that_was_killed_is_told_until_it_is_open_again() {
    let mut world = started();
    let failed = |trouble| Event::Closed(Companion::SetUp, Err(trouble));
    world.give(failed(Trouble::NotOpened("no dialog program".to_owned())));
    assert_eq!(world.view().notices["event:companion"].title, "The set-up could not be opened");
    world.give(failed(Trouble::EndedEarly("something ended it (signal: 9 (SIGKILL))".to_owned())));
    let told = &world.view().notices["event:companion"];
    assert_eq!(told.title, "The set-up ended early");
    assert!(told.body.starts_with("Something ended it") && told.body.contains("Continue set-up"), "{}", told.body);
    world.give(Event::Asked(1, Request::Setup(SetupRequest::Facts)));
    assert!(!world.view().notices.contains_key("event:companion"));
}

#[test]
fn timeline_of_a_start_an_approval_and_a_crash() {
    check_timeline(
        "first_day",
        "wait 1s\nshow menu\napproval a1 high 300s git push\nwait 1s\nclick Approve once\nwait 1s\ncrash gateway 3\nwait 2s\nmenu Stop\nwait 2s",
    );
}

#[test]
fn timeline_of_a_crash_loop_and_a_second_chance() {
    check_timeline("crash_loop", "wait 1s\ndoom gateway\ncrash gateway 1\nwait 2min\nclick Try again\nwait 3min");
}

/// The notification, the menu and the JSON tell the same, and "Try again" tries again.
#[test]
fn why_it_cannot_start_is_told_everywhere_in_the_same_words() {
    let mut world = World::new(setup());
    world.pass(6);
    let run = gateway(&world).0.unwrap();
    let exit = ExitRecord {
        version: 1,
        run_id: run.clone(),
        ended_at_unix_ms: world.now.unix_ms,
        cause: ExitCause::Code { code: 1 },
        asked: false,
        last_stderr: [
            "Error: failed to parse config /c.toml",
            "",
            "Caused by:",
            "    0: a",
            "    1: unsupported version",
        ]
        .map(str::to_owned)
        .into(),
        dropped_lines: 0,
        oom_kills: 0,
    };
    let names = Names { changed: vec!["version".to_owned()], ..Names::default() };
    let changes = Changes { config: true, config_keys: names, ..Changes::default() };
    world.alive.clear();
    world.give(Event::Seen(ServiceId::Gateway, run.clone(), Evidence { taken: Vec::new(), changes: Some(changes) }));
    world.give(Event::Ended(ServiceId::Gateway, run, Some(exit)));
    let notice = &world.view().notices["event:gateway:given_up"];
    assert_eq!(notice.title, "Gateway cannot start");
    let lines: Vec<_> = notice.body.lines().collect();
    assert_eq!(
        lines,
        [
            "It did not take its configuration (exit code 1).",
            "It last said: failed to parse config /c.toml: unsupported version",
            "Changed since its last good start: config: version.",
            "It is not started again by itself, for that would end the same way.",
            "Correct the config, then start it again.",
        ]
    );
    let menu = simulate::print_menu(&world.view().menu, 0);
    for words in [
        "Last time it did not take its configuration (exit code 1)",
        "It last said: failed to parse config /c.toml: unsupported",
        "Changed since its last good start: config: version.",
        "It is not started again by itself",
    ] {
        assert!(menu.contains(words), "no {words:?} in {menu}");
    }
    let process = &snapshot::snapshot(&world.agent, world.now)["gateway_process"];
    assert_eq!(process["last_end"]["class"], "configuration");
    assert_eq!(process["last_end"]["changed_since_good_start"]["in_words"][0], "config: version");
    assert_eq!(world.launches.len(), 1);
    assert!(world.click("Try again"));
    world.pass(1_000);
    assert!(world.agent.fleet.get(ServiceId::Gateway).is_ready());
    assert!(!world.view().notices.contains_key("event:gateway:given_up"));
}

/// A laptop that starts before its network: never given up, and there at most half a minute after the network.
#[test]
fn timeline_of_a_start_without_network() {
    check_timeline("offline", "offline gateway\nwait 10min\nonline gateway\nwait 31s");
}

#[test]
fn timeline_of_a_hang() {
    check_timeline("hang", "wait 61s\nhang gateway\nwait 60s\nheal gateway\nwait 60s");
}

#[test]
fn timeline_of_a_locked_keyring() {
    check_timeline("locked_keyring", "lock\nwait 10s\nunlock\nwait 1s");
}

#[test]
fn an_intended_restart_is_no_crash() {
    let mut world = started();
    for _ in 0..20 {
        world.give(Event::Clicked(Action::Restart { service: None }, Click::Menu));
        world.pass(2_000);
    }
    let gateway = world.agent.fleet.get(ServiceId::Gateway);
    assert!(gateway.is_ready() && gateway.attempts == 0);
    assert!(world.agent.fleet.get(ServiceId::Browserd).is_ready());
}

#[test]
fn the_browser_starts_after_the_gateway_is_ready_and_stops_before_it() {
    let world = started();
    assert_eq!(world.launches.iter().map(|(_, id)| *id).collect::<Vec<_>>(), [ServiceId::Gateway, ServiceId::Browserd]);
    let mut world = started();
    world.give(Event::Shutdown);
    world.pass(20);
    let gateway = world.agent.fleet.get(ServiceId::Gateway);
    assert!(gateway.is_ready() && gateway.goal == Goal::Down, "waits for the browser: {:?}", gateway.phase);
    world.pass(1_000);
    assert!(world.exited && world.alive.is_empty());
}

#[test]
fn a_healthy_idle_agent_wakes_only_to_probe() {
    let mut world = started();
    world.pass(60_000);
    let mut wakes = 0;
    let end = world.now.mono_ms + 600_000;
    while world.now.mono_ms < end {
        let next = world.agent.deadline().unwrap_or(end);
        world.pass(next.saturating_sub(world.now.mono_ms).max(1));
        world.pass(10);
        wakes += 1;
    }
    assert!(wakes <= 600_000 / PROBE_HEALTHY_MS + 1, "{wakes} wakes in ten minutes");
}

#[test]
fn opening_the_dashboard_with_a_locked_keyring_is_answered_at_once() {
    let mut locked = World::new(Setup { start: false, ..setup() });
    locked.give(Event::Secrets(Secrets::Waiting("the keyring is locked".to_owned())));
    locked.give(Event::Clicked(Action::StartAndOpen { place: Place::default() }, Click::Menu));
    locked.pass(100);
    let notice = locked.view().notices.get("event:open").expect("told");
    assert!(notice.body.contains("keyring is locked"), "{}", notice.body);
}

#[test]
fn what_was_asked_to_stop_is_never_shown_healthy() {
    let mut world = started();
    world.give(Event::Clicked(Action::Stop { service: None }, Click::Menu));
    assert_ne!(world.view().icon.base, Base::Healthy);
    assert!(world.view().tooltip.contains("Stopping"), "{}", world.view().tooltip);
}

#[test]
fn what_could_not_be_kept_is_told_once() {
    let mut world = started();
    for _ in 0..3 {
        world.give(Event::NotSaved("the ports hold only until the end: disk full".to_owned()));
    }
    assert_eq!(world.agent.setup.warnings.len(), 1);
}

#[test]
fn a_start_while_it_is_ending_keeps_nothing_alive() {
    let mut world = started();
    world.give(Event::Shutdown);
    world.pass(20);
    world.give(Event::Clicked(Action::Start { service: None }, Click::Menu));
    world.pass(16_000);
    assert!(world.exited && world.alive.is_empty(), "{:?}", world.alive);
}

#[test]
fn an_end_that_is_cut_short_has_asked_every_sidecar() {
    let mut now = Now::default();
    let mut agent = Agent::new(setup(), now);
    for id in [ServiceId::Gateway, ServiceId::Browserd] {
        agent.update(Event::Found(id, living(id)), now);
    }
    agent.update(Event::Found(ServiceId::NodeHost, Found::Nothing(None)), now);
    let mut effects = agent.update(Event::Shutdown, now);
    now = now.plus(palyra_tray::core::agent::QUIT_MS);
    effects.extend(agent.update(Event::Wake, now));
    for id in [ServiceId::Gateway, ServiceId::Browserd] {
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Stop(asked, _) if *asked == id)), "{id}");
    }
    assert!(effects.contains(&Effect::Exit { sidecars_left: false }));
}

/// No icon, and nothing else would show that a start did something.
#[test]
fn a_start_without_an_icon_is_told_once_and_a_host_that_comes_late_takes_it_back() {
    let told =
        |world: &World| world.view().notices.values().filter(|one| one.title == "Palyra Tray is running").count();
    let mut world = started();
    assert_eq!(told(&world), 0, "the icon is there");
    for looked in [true, false] {
        world = World::new(setup());
        let desktop = world.agent.desktop.clone();
        world.give(Event::Desktop(Desktop { tray_present: false, tray_missing: looked, ..desktop.clone() }));
        assert_eq!(told(&world), 0, "not before its services run");
        world.pass(1_000);
        assert_eq!(told(&world), usize::from(looked));
        world.give(Event::Desktop(desktop));
        assert_eq!(told(&world), 0);
    }
    world.give(Event::Desktop(Desktop { tray_present: false, tray_missing: true, ..world.agent.desktop.clone() }));
    world.end(ServiceId::Gateway, None);
    world.pass(60_000);
    assert_eq!(told(&world), 0, "a panel that ends is no start");
}

#[test]
fn impatient_clicks_open_one_window() {
    let mut world = World::new(setup());
    for _ in 0..5 {
        assert!(world.menu("Open Dashboard"));
    }
    world.pass(1_000);
    let opened = world.timeline.iter().filter(|line| line.contains("opens ")).count();
    assert_eq!(opened, 1, "{:?}", world.timeline);
}

#[test]
fn a_review_opens_once_and_again_after_it_was_closed() {
    let review = |world: &mut World| {
        let before = world.timeline.len();
        world.give(Event::Clicked(Action::Review { approval_id: "a1".to_owned() }, Click::Menu));
        world.timeline[before..].join(" ")
    };
    let mut world = World::new(Setup { dialogs: true, ..setup() });
    world.pass(1_000);
    assert!(review(&mut world).contains("opens Review(\"a1\")"));
    assert_eq!(review(&mut world), "", "an impatient second click");
    let why = palyra_tray::core::event::Trouble::EndedEarly("something ended it".to_owned());
    world.give(Event::Closed(palyra_tray::core::event::Companion::Review("a1".to_owned()), Err(why)));
    assert!(world.view().notices["event:companion"].body.contains("still waits"));
    assert!(review(&mut world).contains("opens Review"));
    // where no dialog can be shown it is the dashboard
    assert!(review(&mut started()).contains("/#/control/approvals"));
}

#[test]
fn a_demo_leaves_nothing_behind() {
    let mut world = World::new(Setup { demo: true, ..setup() });
    world.pass(1_000);
    assert!(!world.menu("Quit, keep Palyra running"));
    world.give(Event::Clicked(Action::Quit { keep_running: true }, Click::Menu));
    world.pass(16_000);
    assert!(world.exited && world.alive.is_empty());
}

#[test]
fn what_was_given_up_is_not_restarting() {
    let mut world = started();
    world.behaviour.get_mut(&ServiceId::Gateway).unwrap().hangs = true;
    world.pass(3_600_000);
    let snapshot = palyra_tray::core::snapshot::snapshot(&world.agent, world.now);
    assert_eq!(snapshot["gateway_process"]["liveness"], "stopped");
    assert_eq!(snapshot["connection_state"], "offline");
}

#[test]
fn start_on_login_is_shown_as_it_is_and_a_failure_is_told() {
    let mut world = started();
    let tick = |world: &World| {
        let menu = simulate::print_menu(&world.view().menu, 0);
        menu.lines().map(str::trim).find(|line| line.ends_with("Start on login")).map(str::to_owned)
    };
    assert_eq!(tick(&world).unwrap(), "[ ] Start on login");
    assert!(world.menu("Start on login"));
    // the tick has turned by itself, and cannot be clicked again before it is done
    assert_eq!(tick(&world).unwrap(), "[x] Start on login");
    assert!(!world.menu("Start on login"));
    world.pass(10);
    assert_eq!((tick(&world).unwrap().as_str(), world.agent.autostart), ("[x] Start on login", Some(true)));

    // a failure puts the tick back and says why
    let effects = world.agent.update(Event::Clicked(Action::SetAutostart { enabled: false }, Click::Menu), world.now);
    assert_eq!(effects, [Effect::SetAutostart(None, false)]);
    world.give(Event::Autostart(Some(true)));
    assert_eq!(tick(&world).unwrap(), "[ ] Start on login");
    world.give(Event::AutostartSet(None, Err("the disk is full".to_owned())));
    assert_eq!(tick(&world).unwrap(), "[x] Start on login");
    let notice = &world.view().notices["event:refused"];
    assert_eq!((notice.title.as_str(), notice.body.as_str()), ("Not done", "The disk is full."));

    world.give(Event::Autostart(None));
    assert_eq!(tick(&world), None, "what is not known is not shown");
}

#[test]
fn a_demo_is_not_started_at_login() {
    let mut world = World::new(Setup { demo: true, ..setup() });
    world.pass(1_000);
    assert!(!simulate::print_menu(&world.view().menu, 0).contains("Start on login"));
    let effects = world.agent.update(Event::Clicked(Action::SetAutostart { enabled: true }, Click::Menu), world.now);
    assert_eq!(effects, []);
    world.give(Event::Wake);
    assert!(world.view().notices["event:refused"].body.contains("does not start at login"));
}
