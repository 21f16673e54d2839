//! The pure core on a virtual clock: scripts with their exact timelines, and properties over random worlds.

#[path = "core/decisions.rs"]
mod decisions;
#[path = "core/inbox.rs"]
mod inbox;
#[path = "core/late.rs"]
mod late;
#[path = "core/quiet.rs"]
mod quiet;
#[path = "core/reviews.rs"]
mod reviews;

use std::collections::BTreeSet;

use palyra_tray::core::agent::{Agent, QUIET_MS};
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

#[path = "core/day.rs"]
mod day;
#[path = "core/events.rs"]
mod events;
#[path = "core/flags.rs"]
mod flags;
#[path = "core/hidden.rs"]
mod hidden;
#[path = "core/profiles.rs"]
mod profiles;
#[path = "core/remote.rs"]
mod remote;
#[path = "core/secrets.rs"]
mod secrets;
#[path = "core/survey.rs"]
mod survey;
#[path = "core/usage.rs"]
mod usage;

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
    assert_eq!(gives_back(&mut agent.clone(), Event::Wake, now.plus(QUIET_MS)), 1);
    // a sidecar on its way keeps it busy
    let run = agent.fleet.get(ServiceId::Gateway).run.as_ref().expect("a run").id.clone();
    agent.update(Event::Ended(ServiceId::Gateway, run, None), now.plus(QUIET_MS));
    assert_eq!(gives_back(&mut agent, Event::Wake, now.plus(2 * QUIET_MS)), 0);
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
fn timeline_of_a_config_that_is_edited() {
    check_timeline(
        "config",
        "wait 1s\n\
         config version = 1; orchestrator.runloop_v1_enabled = true\nwait 3s\n\
         config version = 1; tool_call.browser_service.health_base_url = \"http://127.0.0.1:9143\"\nwait 3s\n\
         touch config\nwait 3s\n\
         config version =\nwait 3s\nshow menu\nconfig version = 1\nwait 3s\n\
         menu Restart when the config changes\nconfig version = 1; a = 1\nwait 3s\nshow menu\n\
         menu Restart when the config changes\nwait 3s",
    );
}

/// Who was launched since, in order.
fn launched_since(world: &World, before: usize) -> Vec<ServiceId> {
    world.launches[before..].iter().map(|(_, id)| *id).collect()
}

#[test]
fn a_browser_that_moves_by_the_config_costs_the_gateway_one_restart_and_a_gateway_that_moves_costs_the_browser_none() {
    let mut world = started();
    let before = world.launches.len();
    let browser = "[tool_call.browser_service]\nendpoint = \"http://127.0.0.1:9543\"\n";
    world.write_config(Some(browser));
    world.pass(5_000);
    let mut launched = launched_since(&world, before);
    launched.sort();
    assert_eq!(launched, [ServiceId::Gateway, ServiceId::Browserd]);
    let before = world.launches.len();
    world.write_config(Some(&format!("daemon.port = 9142\n{browser}")));
    world.pass(5_000);
    assert_eq!(launched_since(&world, before), [ServiceId::Gateway]);
    assert_eq!(world.agent.fleet.get(ServiceId::Gateway).ports["http"], 9142);
}

#[test]
fn ports_are_written_on_the_persons_word_only_and_restart_nobody() {
    let mut world = started();
    assert!(!world.menu("Write these ports to the config"), "it has the usual ones");
    let moved = palyra_tray::core::ports::gateway(7146, 7147, 7148);
    let facts = palyra_tray::config::palyra::ConfigFacts::of_text("version = 1", 1).unwrap();
    world.give(Event::PortsChosen {
        ports: [(ServiceId::Gateway, moved)].into(),
        note: "Port 7142 is held by nginx (process 7).".to_owned(),
        config: (ServiceId::Gateway, Box::new(facts)),
    });
    let before = world.launches.len();
    assert!(world.menu("Write these ports to the config"));
    world.pass(10_000);
    assert!(world.config.0.as_deref().unwrap().contains("daemon.port = 7146"), "{:?}", world.config);
    assert_eq!(world.launches.len(), before);
    assert!(!world.menu("Write these ports to the config"), "they are written");
}

#[test]
fn a_gateway_that_was_given_up_for_its_config_is_tried_again_when_that_is_mended() {
    let mut world = started();
    world.write_config(Some("version ="));
    world.pass(1_000);
    assert!(world.view().notices.contains_key("event:config"));
    world.give(Event::Clicked(Action::Restart { service: None }, Click::Menu));
    world.pass(5_000);
    assert_eq!(world.agent.fleet.get(ServiceId::Gateway).phase, Phase::GivenUp);
    world.write_config(Some("version = 1"));
    world.pass(5_000);
    assert!(world.agent.fleet.get(ServiceId::Gateway).is_ready());
    assert!(world.view().notices.is_empty(), "{:?}", world.view().notices);
}

#[test]
fn a_config_file_that_goes_away_restarts_nothing_and_is_told() {
    let mut world = started();
    let before = world.launches.len();
    world.write_config(None);
    world.pass(5_000);
    assert_eq!((world.launches.len(), world.view().icon.base), (before, Base::Degraded));
    world.write_config(Some("version = 1"));
    world.pass(5_000);
    assert_eq!((world.launches.len(), world.view().icon.base), (before, Base::Healthy));
}

#[test]
fn what_is_stopped_stays_so_whatever_happens_to_the_config() {
    let mut world = started();
    world.give(Event::Clicked(Action::Stop { service: None }, Click::Menu));
    world.pass(5_000);
    let before = world.launches.len();
    world.write_config(Some("version = 1 # x"));
    world.pass(5_000);
    world.write_config(Some("version = 1 # x"));
    world.pass(5_000);
    assert!(world.launches.len() == before && world.view().icon.base == Base::Stopped);
}

#[test]
fn the_browser_switch_restarts_the_gateway_once_and_a_node_host_never() {
    let mut world = World::new(Setup { node_host: true, ..setup() });
    world.pass(2_000);
    for (enabled, mut expected) in
        [(false, vec![ServiceId::Gateway]), (true, vec![ServiceId::Gateway, ServiceId::Browserd])]
    {
        let before = world.launches.len();
        world.give(Event::Clicked(Action::SetBrowser { enabled }, Click::Menu));
        world.pass(5_000);
        let mut launched = launched_since(&world, before);
        launched.sort();
        expected.sort();
        assert_eq!(launched, expected);
        assert_eq!(world.agent.fleet.get(ServiceId::Browserd).is_ready(), enabled);
    }
    // there and back before anything could end: nobody restarts twice
    let before = world.launches.len();
    for enabled in [false, true] {
        world.give(Event::Clicked(Action::SetBrowser { enabled }, Click::Menu));
    }
    world.pass(5_000);
    assert_eq!(launched_since(&world, before).iter().filter(|id| **id == ServiceId::Gateway).count(), 1);
    assert!(world.agent.fleet.get(ServiceId::Browserd).is_ready());
}

#[test]
fn a_hung_gateway_is_replaced_within_40_seconds() {
    for service in [ServiceId::Gateway, ServiceId::Browserd] {
        // also one that stops right after it was found well
        for offset in (0..PROBE_HEALTHY_MS).step_by(500).chain([2, 4, 6]) {
            let mut world = started();
            world.pass(4 * PROBE_HEALTHY_MS + offset - world.now.mono_ms);
            world.launches.clear();
            let hung = world.now.mono_ms;
            hang(&mut world, service, true);
            world.pass(40_000);
            let again = world.launches.iter().find(|(_, id)| *id == service);
            let after = again.map(|(at, _)| at - hung);
            assert!(after.is_some_and(|after| after < 40_000), "{service} at {offset}: {after:?}");
            let end = world.agent.fleet.get(service).last_exit.clone().unwrap();
            assert_eq!(end.cause.class, Class::Liveness, "{end:?}");
        }
    }
}

fn hang(world: &mut World, service: ServiceId, hangs: bool) {
    world.behaviour.get_mut(&service).unwrap().hangs = hangs;
}

fn gateway(world: &World) -> (Option<RunId>, Phase) {
    let gateway = world.agent.fleet.get(ServiceId::Gateway);
    (gateway.run.as_ref().map(|run| run.id.clone()), gateway.phase.clone())
}

/// Whole machines stand still under load: we wake late, and what did not answer us meanwhile had no chance to.
#[test]
fn a_miss_of_a_machine_that_stood_still_does_not_count() {
    let mut world = started();
    world.pass(4 * PROBE_HEALTHY_MS - 1_000 - world.now.mono_ms);
    let before = gateway(&world);
    for _ in 0..4 {
        hang(&mut world, ServiceId::Gateway, true);
        world.freeze(20_000);
        world.pass(2_100);
        assert_eq!(gateway(&world), before, "the first probe after it is excused");
    }
    hang(&mut world, ServiceId::Gateway, false);
    world.pass(60_000);
    assert_eq!(gateway(&world), before);

    // an answer that we hear of late is no miss either
    world.pass(PROBE_HEALTHY_MS - world.now.mono_ms % PROBE_HEALTHY_MS - 1);
    hang(&mut world, ServiceId::Gateway, true);
    world.pass(500);
    world.freeze(9_000);
    world.pass(1);
    hang(&mut world, ServiceId::Gateway, false);
    assert_eq!(gateway(&world), before);
}

#[test]
fn a_hang_is_seen_also_where_everything_is_always_late() {
    let mut world = started();
    world.pass(100_000);
    hang(&mut world, ServiceId::Gateway, true);
    let run = gateway(&world).0;
    for _ in 0..20 {
        world.freeze(5_000);
        world.pass(1_500);
    }
    assert_ne!(gateway(&world).0, run);
}

/// A laptop is closed at two misses, and opened the next morning: what it finds then counts anew.
#[test]
fn a_sleep_is_no_hang() {
    let mut world = started();
    world.pass(4 * PROBE_HEALTHY_MS - 1 - world.now.mono_ms);
    let run = gateway(&world).0;
    hang(&mut world, ServiceId::Gateway, true);
    while !matches!(gateway(&world).1, Phase::Unhealthy { misses: 2, .. }) {
        world.pass(100);
    }
    world.suspend(8 * 3_600_000);
    world.pass(3_100);
    assert!(matches!(gateway(&world).1, Phase::Unhealthy { misses: 2, .. }), "{:?}", gateway(&world));
    hang(&mut world, ServiceId::Gateway, false);
    world.pass(10_000);
    assert!(world.agent.fleet.get(ServiceId::Gateway).is_ready() && gateway(&world).0 == run);
}

#[test]
fn a_start_is_not_too_slow_because_nobody_looked() {
    let mut world = World::new(setup());
    hang(&mut world, ServiceId::Gateway, true);
    world.pass(1_000);
    let run = gateway(&world).0;
    world.freeze(120_000);
    world.pass(100);
    assert!(matches!(gateway(&world).1, Phase::Starting { .. }), "{:?}", gateway(&world));
    hang(&mut world, ServiceId::Gateway, false);
    world.pass(6_000);
    assert!(world.agent.fleet.get(ServiceId::Gateway).is_ready() && gateway(&world).0 == run);

    // one that is never ready ends all the same
    let mut world = World::new(setup());
    hang(&mut world, ServiceId::Gateway, true);
    world.pass(1_000);
    let run = gateway(&world).0;
    world.freeze(120_000);
    world.pass(20_000);
    assert_ne!(gateway(&world).0, run);
}

#[test]
fn a_gateway_that_always_hangs_is_given_up_too() {
    let mut world = started();
    world.behaviour.get_mut(&ServiceId::Gateway).unwrap().hangs = true;
    world.pass(3_600_000);
    assert_eq!(world.agent.fleet.get(ServiceId::Gateway).phase, Phase::GivenUp);
    assert!(world.launches.len() <= 12, "{} launches", world.launches.len());
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
fn dismissing_a_notification_decides_nothing() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(100);
    world.give(Event::NoticeGone("approval:a1".to_owned()));
    world.pass(1_000);
    assert!(world.sent.is_empty() && world.record("a1").unwrap().get("decision").is_none());
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
fn a_journal_that_cannot_be_watched_is_polled_faster_while_something_waits() {
    let mut inbox = Inbox::default();
    let mut now = Now::default();
    let looks = |inbox: &mut Inbox, now: &mut Now, records: &[Record]| {
        let end = now.mono_ms + 60_000;
        let mut count = 0;
        while now.mono_ms < end {
            let next = inbox.deadline().unwrap_or(end).max(now.mono_ms + 1);
            *now = now.plus(next - now.mono_ms);
            if let Some(order) = inbox.step(*now) {
                count += 1;
                inbox.looked(order.round, Ok(Look { records: records.to_vec(), ..Look::default() }), *now);
            }
        }
        count
    };
    inbox.open(now);
    let quiet = looks(&mut inbox, &mut now, &[]);
    let raw = simulate::acp_record("a1", "low", 600, "ls", now.unix_ms);
    let busy = looks(&mut inbox, &mut now, &[Record::from_value(raw).unwrap()]);
    assert!((10..=14).contains(&quiet) && (50..=62).contains(&busy), "{quiet} {busy}");
}

/// When an inbox looks that is rung at these moments and answered at once; the first look is that of its opening, at 0.
fn looks_when_rung(rings: &[u64]) -> Vec<u64> {
    let mut inbox = Inbox::default();
    inbox.watch = Watch::Doorbell;
    let mut looks = Vec::new();
    let mut at = |mono_ms: u64, ring: bool, inbox: &mut Inbox| {
        let now = Now::default().plus(mono_ms);
        if ring {
            inbox.ring(now);
        }
        if let Some(order) = inbox.step(now) {
            looks.push(mono_ms);
            inbox.looked(order.round, Ok(Look::default()), now);
        }
    };
    inbox.open(Now::default());
    at(0, false, &mut inbox);
    for ring in rings.iter().copied().chain(rings.last().map(|last| last + 1_000)) {
        while let Some(due) = inbox.deadline().filter(|due| *due < ring) {
            at(due, false, &mut inbox);
        }
        if rings.contains(&ring) {
            at(ring, true, &mut inbox);
        }
    }
    looks
}

#[test]
fn a_burst_of_rings_is_looked_at_once_and_once_more() {
    assert_eq!(looks_when_rung(&[1_000, 1_010, 1_100, 1_250, 5_000]), [0, 1_000, 1_200, 1_400, 5_000]);
}

#[test]
fn a_late_click_after_expiry_is_refused() {
    let mut world = started();
    world.ask("a1", "low", 10, "ls");
    world.pass(100);
    let button = approve_once(&world);
    world.pass(10_000);
    assert!(!world.view().notices.contains_key("approval:a1"));
    world.give(Event::Clicked(button, Click::Notification));
    world.pass(1_000);
    assert!(world.sent.is_empty());
}

#[test]
fn a_second_click_sends_nothing_more() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(100);
    let button = approve_once(&world);
    for _ in 0..3 {
        world.give(Event::Clicked(button.clone(), Click::Notification));
        world.pass(2);
    }
    world.pass(1_000);
    assert_eq!(world.sent, [("a1".to_owned(), Verdict::Approve)]);
}

#[test]
fn a_menu_click_never_decides() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(100);
    let button = approve_once(&world);
    world.give(Event::Clicked(button, Click::Menu));
    world.pass(1_000);
    assert!(world.sent.is_empty());
}

#[test]
fn critical_hidden_long_or_unknown_offers_review_only() {
    let long = "x".repeat(121);
    let wide = "\u{4f60}".repeat(60) + "; rm -rf ~";
    for (risk, what) in [
        ("critical", "ls"),
        ("low", "curl -H <redacted> x"),
        ("low", long.as_str()),
        ("low", wide.as_str()),
        ("odd", "ls"),
        ("low", "a\u{202e}b"),
        ("low", "l\u{0455}"),
        ("low", ""),
    ] {
        let mut world = started();
        world.ask("a1", risk, 300, what);
        world.pass(100);
        let labels: Vec<_> = world.view().notices["approval:a1"].buttons.iter().map(|b| b.label.clone()).collect();
        assert_eq!(labels, ["Review…", "Deny"], "{risk} {what:?}");
    }
}

#[test]
fn a_tool_whose_name_is_cut_or_disguised_offers_review_only() {
    for (name, labels) in [
        ("custom.noop".to_owned(), &["Details", "Deny", "Approve once"][..]),
        ("x".repeat(90), &["Review…", "Deny"][..]),
        ("cust\u{43e}m.noop".to_owned(), &["Review…", "Deny"][..]),
    ] {
        let mut world = started();
        world.ask("a1", "low", 300, "ls");
        world.pass(300);
        let mut raw = world.record("a1").unwrap().clone();
        raw["policy_snapshot"]["policy_id"] = "tool_call_policy".into();
        raw["prompt"]["details_json"] =
            serde_json::json!({ "tool_name": name, "input_json": { "x": 1 } }).to_string().into();
        let mut inbox = world.agent.inbox.clone();
        inbox.ring(world.now);
        let order = inbox.step(world.now).expect("a look");
        let records = vec![palyra_tray::core::record::Record::from_value(raw).unwrap()];
        inbox.looked(order.round, Ok(Look { records, ..Look::default() }), world.now);
        let server = world.agent.desktop.notifications.clone().unwrap();
        let notices = palyra_tray::core::notices::approvals(&inbox, &server);
        let shown: Vec<_> = notices["approval:a1"].buttons.iter().map(|button| button.label.as_str()).collect();
        assert_eq!(shown, labels, "{name}");
    }
}

#[test]
fn more_than_three_of_one_origin_become_one_with_the_true_count() {
    let mut world = started();
    for n in 0..5 {
        world.ask(&format!("a{n}"), "low", 300, "ls");
    }
    world.pass(1_000);
    let notices: Vec<_> = world.view().notices.values().map(|notice| notice.title.clone()).collect();
    assert_eq!(notices, ["5 approvals wait"]);
    assert_eq!(world.view().icon.badge.approvals, 5);
}

#[test]
fn a_decision_that_was_second_is_turned_into_a_denial_and_told() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(100);
    assert!(world.click("Approve once"));
    // between our second look and our decision somebody else denies
    world.pass(3);
    world.decide_elsewhere("a1", "deny");
    world.pass(1_000);
    assert_eq!(world.sent.last(), Some(&("a1".to_owned(), Verdict::Deny)));
    assert_eq!(world.record("a1").unwrap()["decision"], "deny");
    assert!(world.view().notices.keys().any(|key| key.starts_with("event:decision")));
}

#[test]
fn decided_elsewhere_withdraws_the_notification() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    world.decide_elsewhere("a1", "allow");
    world.pass(300);
    assert!(!world.view().notices.contains_key("approval:a1") && world.view().icon.badge.approvals == 0);
}

#[test]
fn a_clock_that_was_set_back_hides_no_approval() {
    let mut world = started();
    world.now.unix_ms += 3_600_000;
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    world.decide_elsewhere("a1", "deny");
    world.pass(300);
    world.now.unix_ms -= 3_600_000;
    world.ask("a2", "low", 300, "ls");
    world.pass(300);
    assert!(world.view().notices.contains_key("approval:a2"));
}

#[test]
fn after_a_restart_the_inbox_is_not_known_before_the_gateway_has_answered() {
    let mut inbox = Inbox::default();
    let now = Now::default();
    inbox.open(now);
    let order = inbox.step(now).expect("a look");
    inbox.looked(order.round, Ok(Look::default()), now);
    assert!(inbox.is_current());
    inbox.ring(now.plus(500));
    let old = inbox.step(now.plus(500)).expect("a look");
    inbox.close();
    inbox.open(now.plus(1_000));
    assert!(!inbox.is_current());
    inbox.step(now.plus(1_000)).expect("a look at the new gateway");
    inbox.looked(old.round, Ok(Look::default()), now.plus(1_000));
    assert!(!inbox.is_current(), "the old gateway's answer came late");
}

#[test]
fn what_could_not_be_understood_is_not_forgotten_by_the_next_look() {
    let mut inbox = Inbox::default();
    let now = Now { mono_ms: 0, unix_ms: 1_800_000_000_000 };
    inbox.open(now);
    let order = inbox.step(now).expect("a look");
    inbox.looked(
        order.round,
        Ok(Look { newest_requested_at: Some(now.unix_ms), unreadable: 1, ..Look::default() }),
        now,
    );
    let later = now.plus(120_000);
    assert_eq!(inbox.step(later).map(|order| order.since_unix_ms), Some(None), "all of it, with that one");
}

#[test]
fn a_look_that_began_before_a_decision_does_not_bring_it_back() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    let waiting = world.agent.inbox.pending["a1"].record.clone();
    let mut inbox = world.agent.inbox.clone();
    inbox.ring(world.now);
    let order = inbox.step(world.now).expect("a look");
    inbox.settle("a1");
    inbox.looked(order.round, Ok(Look { records: vec![waiting], ..Look::default() }), world.now);
    assert!(inbox.pending.is_empty());
}

/// Runs an agent without a world to its deadlines; every probe is answered with this.
fn probes_fail(agent: &mut Agent, now: &mut Now, until_ms: u64, why: &str) -> Vec<Effect> {
    let mut all = Vec::new();
    let mut wakes = 0;
    while let Some(at) = agent.deadline().filter(|at| *at <= until_ms) {
        *now = now.plus(at.saturating_sub(now.mono_ms));
        let mut effects = agent.update(Event::Wake, *now);
        for effect in effects.clone() {
            if let Effect::Probe { service, run, .. } = effect {
                effects.extend(agent.update(Event::Probed(service, run, Err(why.to_owned())), *now));
            }
        }
        all.extend(effects);
        wakes += 1;
        assert!(wakes < 1_000, "it spins");
    }
    all
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

#[test]
fn a_locked_keyring_does_not_end_the_gateway_that_was_taken_back() {
    let mut now = Now::default();
    let mut agent = Agent::new(setup(), now);
    let mut effects = agent.update(Event::Secrets(Secrets::Waiting("the keyring is locked".to_owned())), now);
    for (id, found) in [
        (ServiceId::Gateway, living(ServiceId::Gateway)),
        (ServiceId::Browserd, Found::Nothing(None)),
        (ServiceId::NodeHost, Found::Nothing(None)),
    ] {
        effects.extend(agent.update(Event::Found(id, found), now));
    }
    effects.extend(probes_fail(&mut agent, &mut now, 3_600_000, "waiting for its secrets"));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Stop(..))), "{effects:?}");
    let ready = Secrets::Ready { place: "keyring".to_owned(), warning: String::new() };
    let effects = agent.update(Event::Secrets(ready), now);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Probe { sign_in: true, .. })), "{effects:?}");
}

#[test]
fn nothing_is_started_before_everything_was_looked_at() {
    let now = Now::default();
    let mut agent = Agent::new(setup(), now);
    agent.update(Event::Secrets(Secrets::Ready { place: "file".to_owned(), warning: String::new() }), now);
    let launches = |effects: Vec<Effect>| effects.iter().any(|effect| matches!(effect, Effect::Launch { .. }));
    assert!(!launches(agent.update(Event::Found(ServiceId::Gateway, Found::Nothing(None)), now)));
    assert!(!launches(agent.update(Event::Found(ServiceId::NodeHost, Found::Nothing(None)), now)));
    assert!(launches(agent.update(Event::Found(ServiceId::Browserd, living(ServiceId::Browserd)), now)));
}

/// An agent with everything looked at, and the run that it has asked for.
fn launching() -> (Agent, Now, palyra_tray::protocol::RunId) {
    let now = Now::default();
    let mut agent = Agent::new(setup(), now);
    let mut effects =
        agent.update(Event::Secrets(Secrets::Ready { place: "file".to_owned(), warning: String::new() }), now);
    for id in ServiceId::ALL {
        effects.extend(agent.update(Event::Found(id, Found::Nothing(None)), now));
    }
    let run = effects.into_iter().find_map(|effect| match effect {
        Effect::Launch { service: ServiceId::Gateway, run, .. } => Some(run),
        _ => None,
    });
    (agent, now, run.expect("the gateway is started"))
}

#[test]
fn a_shim_that_was_faster_is_taken_back_as_it_is() {
    for wanted in [true, false] {
        let (mut agent, now, run) = launching();
        let effects = agent.update(Event::Busy(ServiceId::Gateway, run.clone()), now);
        assert!(effects.contains(&Effect::LookAgain(ServiceId::Gateway)));
        assert!(agent.fleet.get(ServiceId::Gateway).is_up(), "it may live");
        if !wanted {
            agent.update(Event::Clicked(Action::Stop { service: None }, Click::Menu), now);
        }
        // a late word about the launch that came to nothing
        agent.update(Event::Busy(ServiceId::Gateway, run), now);
        let effects = agent.update(Event::Found(ServiceId::Gateway, living(ServiceId::Gateway)), now);
        let gateway = agent.fleet.get(ServiceId::Gateway);
        assert_eq!((gateway.attempts, gateway.run.as_ref().map(|run| run.id.0.as_str())), (0, Some("gateway-old")));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Launch { .. })));
        let stops = effects.iter().any(|effect| matches!(effect, Effect::Stop(ServiceId::Gateway, _)));
        assert_eq!(stops, !wanted, "what was said meanwhile holds");
    }
}

#[test]
fn a_place_that_is_always_taken_by_nobody_is_given_up() {
    let (mut agent, mut now, mut run) = launching();
    let mut tries = 1;
    loop {
        let mut effects = agent.update(Event::Busy(ServiceId::Gateway, run.clone()), now);
        effects.extend(agent.update(Event::Found(ServiceId::Gateway, Found::Nothing(None)), now));
        while agent.fleet.get(ServiceId::Gateway).run.is_none() {
            let Some(at) = agent.fleet.deadline() else {
                assert_eq!(agent.fleet.get(ServiceId::Gateway).phase, Phase::GivenUp);
                assert_eq!(tries, 5);
                return;
            };
            now = now.plus(at.saturating_sub(now.mono_ms));
            effects.extend(agent.update(Event::Wake, now));
        }
        let next = effects.into_iter().find_map(|effect| match effect {
            Effect::Launch { run, .. } => Some(run),
            _ => None,
        });
        run = next.expect("it is tried again");
        tries += 1;
        assert!(tries < 20, "it is tried for ever");
    }
}

#[test]
fn an_end_that_nobody_saw_is_told_with_what_is_known() {
    for (rebooted, words) in [(false, ends::SHIM_KILLED), (true, ends::MACHINE_DOWN)] {
        let now = Now::default();
        let mut agent = Agent::new(setup(), now);
        agent.update(Event::Found(ServiceId::Gateway, Found::Lost { rebooted }), now);
        let gateway = agent.fleet.get(ServiceId::Gateway);
        assert_eq!(gateway.last_exit.as_ref().map(|exit| exit.cause.what.clone()), Some(words.to_owned()));
        assert_eq!((gateway.attempts, &gateway.phase), (0, &Phase::Stopped));
    }
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
fn a_refusal_says_what_changed() {
    let mut world = started();
    world.ask("a1", "high", 300, "git push");
    world.pass(1_000);
    let action = approve_once(&world);
    // between the sight of it and the click, without a ring
    world.change("a1", |record| record["prompt"]["summary"] = serde_json::json!("rm -r /"));
    world.give(Event::Clicked(action, Click::Notification));
    world.pass(1_000);
    let told = &world.view().notices["event:decision:a1"].body;
    assert!(told.contains("has changed since it was shown: prompt.summary"), "{told}");
    assert!(world.sent.is_empty());
}

#[test]
fn an_allowance_from_elsewhere_is_told_once_and_the_run_can_be_aborted() {
    let mut world = started();
    world.ask("a1", "high", 300, "git push");
    world.pass(1_000);
    world.decide_elsewhere("a1", "allow");
    world.pass(60_000);
    let notice = &world.view().notices["event:elsewhere:a1"];
    assert_eq!(notice.title, "Approved elsewhere: was it you?");
    assert!(notice.body.contains("git push") && notice.buttons[0].label == "It was me", "{notice:?}");
    assert!(world.click("It was me"));
    world.pass(120_000);
    assert!(!world.view().notices.contains_key("event:elsewhere:a1"), "told once");
    world.ask("a2", "low", 300, "ls");
    world.pass(1_000);
    world.decide_elsewhere("a2", "allow");
    world.pass(1_000);
    assert!(world.click("Abort run"));
    assert!(world.timeline.last().is_some_and(|line| line.contains("aborts 01")), "{:?}", world.timeline.last());
    world.pass(1_000);
    assert!(!world.view().notices.contains_key("event:elsewhere:a2"));
}

#[test]
fn aborting_one_run_leaves_the_alarm_about_another() {
    let mut world = started();
    for (id, run) in [("a1", "01ARZ3NDEKTSV4RRFFQ69G5FA1"), ("a2", "01ARZ3NDEKTSV4RRFFQ69G5FA2")] {
        world.ask(id, "high", 300, "git push");
        world.change(id, |record| record["run_id"] = serde_json::json!(run));
        world.pass(1_000);
        world.decide_elsewhere(id, "allow");
        world.pass(1_000);
    }
    assert!(world.click("Abort run"));
    world.pass(1_000);
    let shown = &world.view().notices;
    assert!(!shown.contains_key("event:elsewhere:a1") && shown.contains_key("event:elsewhere:a2"), "{shown:?}");
}

#[test]
fn what_we_allowed_or_somebody_denied_is_no_alarm() {
    let mut world = started();
    for (id, elsewhere) in [("a1", None), ("a2", Some("deny"))] {
        world.ask(id, "high", 300, "git push");
        world.pass(1_000);
        match elsewhere {
            Some(decision) => world.decide_elsewhere(id, decision),
            None => assert!(world.click("Approve once")),
        }
        world.pass(61_000);
        assert!(world.view().notices.is_empty(), "{:?}", world.view().notices);
    }
}

#[test]
fn what_was_allowed_before_this_agent_is_history() {
    let mut world = World::new(setup());
    world.ask("a1", "high", 300, "git push");
    world.decide_elsewhere("a1", "allow");
    world.pass(120_000);
    assert!(world.view().notices.is_empty(), "{:?}", world.view().notices);
}

#[test]
fn a_flood_of_requests_is_told_and_offers_a_pause() {
    let mut world = started();
    for number in 0..11 {
        world.ask(&format!("a{number}"), "low", 300, "ls");
        world.pass(5_000);
        assert_eq!(world.view().notices.contains_key("event:flood"), number == 10, "{number}");
    }
    assert!(world.view().notices["event:flood"].body.starts_with("11 came within a minute"));
    assert!(world.click("Pause all agents"));
    world.pass(1_000);
    assert_eq!(world.sent.len(), 11);
    assert!(world.sent.iter().all(|(_, verdict)| *verdict == Verdict::Deny));
}

#[test]
fn a_pause_denies_what_waits_and_what_comes_and_outlives_a_restart() {
    let mut world = started();
    world.ask("a1", "high", 300, "git push");
    world.pass(1_000);
    assert!(world.menu("Pause all agents"));
    assert!(world.view().icon.badge.paused && world.view().notices.is_empty());
    world.pass(1_000);
    assert_eq!(world.sent, [("a1".to_owned(), Verdict::Deny)]);
    assert!(world.timeline.iter().any(|line| line.contains("aborts what runs")));
    world.ask("a2", "low", 300, "ls");
    world.pass(1_000);
    assert_eq!(world.sent.len(), 2, "what comes is denied too");
    assert!(world.view().notices.is_empty() && world.view().tooltip.contains("All agents are paused"));
    // the gateway starts anew
    world.end(ServiceId::Gateway, Some(ExitCause::Code { code: 1 }));
    world.ask("a3", "low", 300, "ls");
    world.pass(2_000);
    assert_eq!(world.sent.len(), 3);
    assert!(world.menu("Resume all agents"));
    world.ask("a4", "low", 300, "ls");
    world.pass(1_000);
    assert_eq!(world.sent.len(), 3);
    assert!(world.view().notices.contains_key("approval:a4") && !world.view().icon.badge.paused);

    let mut later = World::new(Setup { paused: true, ..setup() });
    later.ask("a5", "low", 300, "ls");
    later.pass(2_000);
    assert_eq!(later.sent, [("a5".to_owned(), Verdict::Deny)]);
}

#[test]
fn a_locked_screen_shows_only_how_many_wait_and_takes_no_click() {
    let mut world = started();
    world.ask("a1", "high", 300, "git push");
    world.pass(1_000);
    let late = approve_once(&world);
    world.give(Event::Locked(true));
    world.ask("a2", "critical", 300, "rm -r /");
    world.pass(1_000);
    let shown = &world.view().notices;
    assert_eq!(shown.keys().collect::<Vec<_>>(), ["approvals:locked"]);
    let notice = &shown["approvals:locked"];
    assert_eq!((notice.title.as_str(), notice.buttons.len(), &notice.default_action), ("2 approvals wait", 0, &None));
    world.give(Event::Clicked(late.clone(), Click::Notification));
    world.pass(1_000);
    assert!(world.sent.is_empty() && world.view().notices["event:refused"].body.contains("the screen is locked"));
    world.give(Event::Locked(false));
    assert!(world.view().notices.contains_key("approval:a1") && world.view().notices.contains_key("approval:a2"));
    world.give(Event::Clicked(late, Click::Notification));
    world.pass(1_000);
    assert_eq!(world.sent.len(), 1);
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
fn an_end_waits_for_the_decision_under_way() {
    for event in [Event::Clicked(Action::Quit { keep_running: true }, Click::Menu), Event::Shutdown] {
        let mut world = started();
        world.ask("a1", "low", 300, "ls");
        world.pass(300);
        assert!(world.click("Approve once"));
        world.give(event);
        world.pass(16_000);
        assert!(world.exited);
        assert_eq!(world.sent, [("a1".to_owned(), Verdict::Approve)]);
    }
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

/// A click on Approve whose record the gateway answers as given.
fn approved_with(answer: impl Fn(&mut serde_json::Value)) -> Vec<DecisionOrder> {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    let pending = world.agent.inbox.pending["a1"].clone();
    let decision = palyra_tray::protocol::Decision {
        approval_id: "a1".to_owned(),
        digest: pending.digest.clone(),
        verdict: Verdict::Approve,
        scope: palyra_tray::protocol::Scope::Once,
        ttl_ms: None,
        reason: None,
    };
    let (mut decisions, mut orders) = (Decisions::default(), Vec::new());
    decisions.begin(decision, Surface::Notification, None, Some(Standing::of(&pending, world.now))).unwrap();
    decisions.read("a1", Ok(pending.record.clone()), world.now, &mut orders);
    decisions.recorded("a1", Ok(()), false, world.now, &mut orders);
    let mut raw = pending.record.raw;
    raw["resolved_at_unix_ms"] = raw["updated_at_unix_ms"].clone();
    answer(&mut raw);
    orders.clear();
    decisions.sent("a1", Ok(Record::from_value(raw).unwrap()), world.now, &mut orders);
    orders
}

#[test]
fn an_answer_that_does_not_say_allow_is_not_told_as_approved() {
    for word in [serde_json::Value::Null, "deny".into(), "later".into()] {
        let orders = approved_with(|raw| raw["decision"] = word.clone());
        assert!(matches!(orders.last(), Some(DecisionOrder::Finish { result: Err(_), .. })), "{orders:?}");
    }
    let orders = approved_with(|raw| raw["decision"] = "allow".into());
    assert!(matches!(orders.last(), Some(DecisionOrder::Finish { result: Ok(_), .. })), "{orders:?}");
}

#[test]
fn a_denial_that_is_restored_is_recorded_before_it_is_sent() {
    let orders = approved_with(|raw| {
        raw["decision"] = "allow".into();
        raw["resolved_at_unix_ms"] = 1.into();
        raw["updated_at_unix_ms"] = 2.into();
    });
    let [DecisionOrder::Write(line), DecisionOrder::Send(sent)] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!((line.verdict, line.surface, sent.verdict), (Verdict::Deny, Surface::Agent, Verdict::Deny));
}

/// One thing that can happen in a random world.
#[derive(Clone, Debug)]
enum Op {
    Pass(u64),
    Crash(ServiceId, i32),
    Lose(ServiceId),
    Hang(ServiceId, bool),
    Doom(ServiceId, bool),
    Start(Option<ServiceId>),
    Stop(Option<ServiceId>),
    Restart(Option<ServiceId>),
    Browser(bool),
    Keyring(bool),
    Ask(u8, u64),
    Elsewhere(u8, bool),
    Click(bool),
    Config(u8),
    SetUp(bool),
    Follow(bool),
    Behind(ServiceId, u8, u32),
}

fn any_service() -> impl Strategy<Value = ServiceId> {
    prop_oneof![3 => Just(ServiceId::Gateway), 2 => Just(ServiceId::Browserd)]
}

fn any_op() -> impl Strategy<Value = Op> {
    let some = || proptest::option::of(any_service());
    prop_oneof![
        8 => prop_oneof![2 => 0..100_u64, 2 => 0..5_000_u64, 3 => 0..100_000_u64].prop_map(Op::Pass),
        2 => (any_service(), 0..3).prop_map(|(id, code)| Op::Crash(id, code)),
        1 => any_service().prop_map(Op::Lose),
        2 => (any_service(), prop::bool::weighted(0.7)).prop_map(|(id, on)| Op::Hang(id, on)),
        1 => (any_service(), any::<bool>()).prop_map(|(id, on)| Op::Doom(id, on)),
        1 => some().prop_map(Op::Start),
        1 => some().prop_map(Op::Stop),
        1 => some().prop_map(Op::Restart),
        1 => any::<bool>().prop_map(Op::Browser),
        1 => any::<bool>().prop_map(Op::Keyring),
        2 => (any::<u8>(), 1..400_u64).prop_map(|(id, timeout)| Op::Ask(id % 6, timeout)),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(id, allow)| Op::Elsewhere(id % 6, allow)),
        2 => any::<bool>().prop_map(Op::Click),
        2 => any::<u8>().prop_map(Op::Config),
        1 => prop::bool::weighted(0.3).prop_map(Op::SetUp),
        1 => prop::bool::weighted(0.8).prop_map(Op::Follow),
        1 => (any_service(), 0..4_u8, any::<u32>()).prop_map(|(id, what, run)| Op::Behind(id, what, run)),
    ]
}

fn apply(world: &mut World, op: &Op) {
    let menu = |action| Event::Clicked(action, Click::Menu);
    match op {
        Op::Pass(ms) => world.pass(*ms),
        Op::Crash(id, code) => world.end(*id, Some(ExitCause::Code { code: *code })),
        Op::Lose(id) => world.end(*id, None),
        Op::Hang(id, on) => world.behaviour.get_mut(id).unwrap().hangs = *on,
        Op::Doom(id, on) => world.behaviour.get_mut(id).unwrap().doomed = *on,
        Op::Start(service) => world.give(menu(Action::Start { service: *service })),
        Op::Stop(service) => world.give(menu(Action::Stop { service: *service })),
        Op::Restart(service) => world.give(menu(Action::Restart { service: *service })),
        Op::Browser(enabled) => world.give(menu(Action::SetBrowser { enabled: *enabled })),
        Op::Keyring(true) => {
            world.give(Event::Secrets(Secrets::Ready { place: "keyring".to_owned(), warning: String::new() }))
        }
        Op::Keyring(false) => world.give(Event::Secrets(Secrets::Waiting("locked".to_owned()))),
        Op::Ask(id, timeout) => {
            if world.record(&format!("a{id}")).is_none() {
                world.ask(&format!("a{id}"), ["low", "high", "critical"][usize::from(*id) % 3], *timeout, "ls");
            }
        }
        Op::Elsewhere(id, allow) => {
            if world.record(&format!("a{id}")).is_some() {
                world.decide_elsewhere(&format!("a{id}"), if *allow { "allow" } else { "deny" });
            }
        }
        Op::Config(which) => {
            let texts = [
                Some("version = 1"),
                Some("version = 1 # said differently"),
                Some("a = 1"),
                Some("model_provider.kind = \"x\""),
                Some("daemon.port = 9142"),
                Some("[tool_call.browser_service]\nendpoint = \"http://127.0.0.1:9543\"\nauth_token = \"x\""),
                Some("version ="),
                None,
            ];
            let same = world.config.0.clone();
            world.write_config(texts.get(usize::from(*which) % 10).copied().unwrap_or(same.as_deref()));
        }
        Op::SetUp(open) => world.set_up_open = *open,
        // where none of ours lives
        Op::Behind(id, ..) if world.alive.iter().any(|(alive, _)| alive == id) => {}
        Op::Behind(id, what, run) => {
            let found = match (what, living(*id)) {
                (0, _) => Found::Unclear("something holds its place".to_owned()),
                (1, _) => Found::Nothing(None),
                (_, Found::Living(record)) => {
                    let run_id = RunId(format!("{id}-behind-{run}"));
                    Found::Living(RunRecord { run_id, ..record })
                }
                (_, other) => other,
            };
            world.behind.insert(*id, found);
        }
        Op::Follow(enabled) => world.give(menu(Action::SetConfigRestarts { enabled: *enabled })),
        Op::Click(approve) => {
            world.click(if *approve { "Approve once" } else { "Deny" });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Never two copies, never a deadline that stands still, never a decision sent twice, and a quit always ends with
    /// nothing left, whatever happened before.
    #[test]
    fn random_worlds_stay_safe(ops in proptest::collection::vec(any_op(), 1..60)) {
        let mut world = World::new(setup());
        for op in &ops {
            apply(&mut world, op);
            prop_assert!(world.faults.is_empty(), "{:?}", world.faults);
        }
        let mut approved = BTreeSet::new();
        for (id, verdict) in &world.sent {
            if *verdict == Verdict::Approve {
                prop_assert!(approved.insert(id.clone()), "{id} was approved twice");
            }
        }
        world.give(Event::Shutdown);
        world.pass(16_000);
        prop_assert!(world.exited && world.alive.is_empty(), "{:?}", world.alive);
    }

    /// Whatever happened to the config before: what runs is in the end what the file says, and then nobody restarts any more.
    #[test]
    fn every_change_of_the_config_arrives_once(ops in proptest::collection::vec(any_op(), 1..40)) {
        let mut world = World::new(setup());
        for op in &ops {
            apply(&mut world, op);
        }
        for id in ServiceId::ALL {
            *world.behaviour.get_mut(&id).unwrap() = Default::default();
        }
        apply(&mut world, &Op::Keyring(true));
        apply(&mut world, &Op::SetUp(false));
        apply(&mut world, &Op::Follow(true));
        // what would be found behind a later restart was started with a config that nobody knows
        let found = world.alive.clone();
        let is_there = |record: &RunRecord| found.iter().any(|(_, run)| *run == record.run_id);
        world.behind.retain(|_, found| matches!(found, Found::Living(record) if is_there(record)));
        world.pass(120_000);
        let token = "[tool_call.browser_service]\nauth_token = \"the last one\"\n";
        world.write_config(Some(token));
        world.pass(120_000);
        for (id, _) in &world.alive {
            prop_assert_eq!(world.started_with[id].as_str(), token, "{}", id);
        }
        let launches = world.launches.len();
        world.pass(600_000);
        prop_assert_eq!(world.launches.len(), launches);
        prop_assert!(world.faults.is_empty(), "{:?}", world.faults);
    }

    /// However it rings, each ring is followed by a look in time, and looks keep their distance (the safety look apart).
    #[test]
    fn no_ring_is_forgotten_and_no_look_comes_too_often(gaps in proptest::collection::vec(0_u64..500, 1..60)) {
        let rings: Vec<u64> = gaps.iter().scan(1_000, |now, gap| { *now += gap; Some(*now) }).collect();
        let looks = looks_when_rung(&rings);
        for ring in &rings {
            let seen = looks.iter().any(|look| look >= ring && look - ring <= LOOK_SPACING_MS);
            prop_assert!(seen, "ring at {ring}, looks {looks:?}");
        }
        let spaced: Vec<_> = looks.iter().filter(|look| *look % PROBE_HEALTHY_MS != 0).collect();
        prop_assert!(spaced.windows(2).all(|pair| pair[1] - pair[0] >= LOOK_SPACING_MS), "{looks:?}");
    }

    /// Whenever each life of each service ends, and however: at most twelve starts of one in any minute.
    #[test]
    fn a_crash_loop_starts_at_most_twelve_times_a_minute(
        lives in proptest::collection::vec((0_u64..3_000, 0_u8..4), 1..80), seed in any::<u64>()
    ) {
        let mut world = World::new(Setup { seed, ..setup() });
        for (ms, how) in lives {
            world.pass(ms);
            let cause = match how {
                0 => None,
                1 => Some(ExitCause::Signal { signal: 11 }),
                code => Some(ExitCause::Code { code: i32::from(code) - 2 }),
            };
            world.end(if how == 3 { ServiceId::Browserd } else { ServiceId::Gateway }, cause);
        }
        world.pass(60_000);
        for id in ServiceId::ALL {
            let starts: Vec<u64> = world.launches.iter().filter(|(_, one)| *one == id).map(|(at, _)| *at).collect();
            for (n, at) in starts.iter().enumerate() {
                let minute = starts[n..].iter().take_while(|next| **next - at < 60_000).count();
                prop_assert!(minute <= 12, "{id}: {minute} from {at}: {starts:?}");
            }
        }
    }

    /// A hopeless gateway is started a bounded number of times, however it fails.
    #[test]
    fn a_hopeless_sidecar_is_not_respawned_for_ever(hangs in any::<bool>(), seed in any::<u64>()) {
        let mut world = World::new(Setup { seed, ..setup() });
        let behaviour = world.behaviour.get_mut(&ServiceId::Gateway).unwrap();
        behaviour.hangs = hangs;
        behaviour.doomed = !hangs;
        world.pass(4 * 3_600_000);
        prop_assert!(world.launches.len() <= 10, "{} launches", world.launches.len());
        prop_assert_eq!(&world.agent.fleet.get(ServiceId::Gateway).phase, &Phase::GivenUp);
    }
}

/// What 400 random worlds reach, from the beginning of an agent to its end.
fn reached() -> (BTreeSet<&'static str>, BTreeSet<(&'static str, &'static str)>) {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut phases, mut moves) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..400_u32 {
        let ops = proptest::collection::vec(any_op(), 1..60).new_tree(&mut runner).unwrap().current();
        // every eighth agent finds sidecars of an earlier one
        let found = |id| match id {
            ServiceId::Gateway | ServiceId::Browserd if round % 8 == 0 => living(id),
            _ => Found::Nothing(None),
        };
        let mut world = World::beginning(setup(), found);
        for op in &ops {
            apply(&mut world, op);
        }
        phases.extend(world.phases);
        moves.extend(world.moves);
    }
    let mut healed = unhealthy(1);
    healed.behaviour.get_mut(&ServiceId::Gateway).unwrap().hangs = false;
    healed.pass(5_000);
    let mut hopeless = unhealthy(1);
    hopeless.pass(3_600_000);
    for world in [
        healed,
        hopeless,
        unhealthy_ends(1, false),
        unhealthy_ends(2, false),
        unhealthy_ends(5, false),
        unhealthy_ends(1, true),
    ] {
        moves.extend(world.moves);
    }
    (phases, moves)
}

/// Too rare for chance: a gateway that just missed a probe, after so many ends less one.
fn unhealthy(ends: usize) -> World {
    let mut world = started();
    for _ in 1..ends {
        world.end(ServiceId::Gateway, Some(ExitCause::Code { code: 1 }));
        world.pass(20_000);
    }
    world.behaviour.get_mut(&ServiceId::Gateway).unwrap().hangs = true;
    while !matches!(world.agent.fleet.get(ServiceId::Gateway).phase, Phase::Unhealthy { .. }) {
        world.pass(500);
    }
    world
}

/// It ends then, or while it waits to be stopped.
fn unhealthy_ends(ends: usize, stopping: bool) -> World {
    let mut world = unhealthy(ends);
    if stopping {
        world.give(Event::Clicked(Action::Stop { service: None }, Click::Menu));
    }
    world.end(ServiceId::Gateway, Some(ExitCause::Code { code: 1 }));
    world
}

#[test]
fn a_clock_that_is_set_changes_no_uptime() {
    let uptime = |world: &World| {
        snapshot::snapshot(&world.agent, world.now)["gateway_process"]["uptime_seconds"].as_u64().unwrap()
    };
    let old = |id| match living(id) {
        Found::Living(record) => {
            Found::Living(RunRecord { started_at_unix_ms: simulate::EPOCH_UNIX_MS - 100_000, ..record })
        }
        other => other,
    };
    for (mut world, age) in [(started(), 0), (World::beginning(setup(), old), 100)] {
        let before = uptime(&world);
        assert!((age..age + 10).contains(&before), "{before}");
        for jump in [3 * 86_400_000_i64, -7 * 86_400_000] {
            world.now.unix_ms += jump;
            assert_eq!(uptime(&world), before);
        }
        world.pass(50_000);
        assert_eq!(uptime(&world), before + 50);
    }
}

/// Properties are worth only what the generator reaches.
#[test]
fn the_random_worlds_reach_every_phase() {
    let (reached, _) = reached();
    let all = [
        "stopped",
        "starting",
        "ready",
        "unhealthy",
        "stopping: asked",
        "stopping: restart",
        "stopping: sick",
        "stopping: slow start",
        "backing off",
        "given up",
    ];
    for phase in all {
        assert!(reached.contains(phase), "no random world reached \"{phase}\"");
    }
}

/// The diagram in docs/supervision.md has each change of a sidecar's state that happens, and no other.
#[test]
fn the_state_diagram_is_what_happens() {
    let state = |phase: &str| phase.split(':').next().unwrap_or_default().replace(' ', "_");
    let happens: BTreeSet<_> =
        reached().1.into_iter().map(|(from, to)| (state(from), state(to))).filter(|(from, to)| from != to).collect();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/supervision.md")).unwrap();
    let drawn: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.trim().split_once(" --> "))
        .map(|(from, rest)| (from.to_owned(), rest.split(':').next().unwrap_or_default().trim().to_owned()))
        .filter(|(from, to)| from != "[*]" && to != "[*]")
        .collect();
    let missing: Vec<_> = happens.difference(&drawn).collect();
    let invented: Vec<_> = drawn.difference(&happens).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not drawn: {missing:?}; does not happen: {invented:?}");
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
