//! What the gateway tells only when asked: when it is asked, and what is drawn from it.

use palyra_tray::core::agent::Agent;
use palyra_tray::core::simulate::{World, print_menu};
use palyra_tray::core::survey::Part;
use palyra_tray::core::{report, snapshot};
use palyra_tray::protocol::{Action, Failure, Reply, Request, ServiceId};
use serde_json::Value;

use super::{Event, started};

const DAY: u64 = 86_400_000;

fn snap(world: &World) -> Value {
    snapshot::snapshot(&world.agent, world.now)
}

fn ask(world: &mut World, ticket: u64, request: Request) {
    world.give(Event::Asked(ticket, request));
}

fn answer(world: &World, ticket: u64) -> Option<&Value> {
    world.replies.iter().find(|(to, _)| *to == ticket).map(|(_, reply)| match reply {
        Reply::Data(value) => value,
        Reply::Done(_) | Reply::Error(Failure { .. }) => panic!("{reply:?}"),
    })
}

fn menu(world: &World) -> String {
    print_menu(&world.view().menu, 0)
}

fn wakes(agent: &Agent) -> Option<u64> {
    agent.deadline()
}

#[test]
fn a_day_in_which_nobody_looks_and_nothing_happens_asks_nothing() {
    let mut world = started();
    world.pass(DAY);
    assert_eq!(world.chats.asked.len(), 1, "{:?}", world.chats.asked);
    assert_eq!(world.chats.asked[0].1, Part::Sessions);
    // a look is over when it is answered: no wake-up is left of it
    let before = wakes(&world.agent);
    ask(&mut world, 1, Request::Status);
    world.pass(10);
    assert_eq!(world.chats.asked.len(), 4);
    assert_eq!(wakes(&world.agent), before);
    world.pass(DAY);
    assert_eq!(world.chats.asked.len(), 4);
}

#[test]
fn status_never_waits_and_each_part_has_its_age() {
    let mut world = started();
    world.chats.mute = true;
    world.pass(60_000);
    let asked = world.now;
    ask(&mut world, 1, Request::Status);
    let first = answer(&world, 1).expect("at once").clone();
    assert_eq!(first["diagnostics"]["errors"], Value::Null);
    assert_eq!(first["as_of_unix_ms"]["diagnostics"], Value::Null, "never told");
    assert_eq!(first["as_of_unix_ms"]["sessions"].as_i64().unwrap() / 1_000, (asked.unix_ms - 61_000) / 1_000);
    world.pass(100);
    let failed = snap(&world);
    assert_eq!(failed["not_told"]["diagnostics"], "no answer in time");
    assert_eq!(failed["session_catalog"], first["session_catalog"], "what was known stays");
    world.chats.mute = false;
    world.pass(60_000);
    ask(&mut world, 2, Request::Watch);
    world.pass(100);
    let told = snap(&world);
    assert_eq!(told["not_told"], serde_json::json!({}));
    for part in ["gateway", "approvals", "sessions", "diagnostics", "discord"] {
        let age = world.now.unix_ms - told["as_of_unix_ms"][part].as_i64().unwrap_or(0);
        assert!((0..30_000).contains(&age), "{part} is {age} ms old");
    }
    assert_eq!(told["diagnostics"]["errors"], serde_json::json!([]));
    assert_eq!(told["quick_facts"]["discord"]["state"], "not_connected");
}

#[test]
fn a_report_waits_for_the_gateway_but_not_for_ever() {
    let mut world = started();
    ask(&mut world, 1, Request::Diagnostics);
    assert!(answer(&world, 1).is_none(), "it waits");
    world.pass(10);
    assert_eq!(answer(&world, 1).unwrap()["diagnostics"]["errors"], serde_json::json!([]));
    world.give(Event::Clicked(Action::CopyDiagnostics, palyra_tray::core::event::Click::Menu));
    world.pass(10);
    assert!(world.timeline.iter().any(|line| line.contains("copies")), "{:?}", world.timeline);
    assert!(world.view().notices["event:copied"].body.contains("clipboard"));
    world.behaviour.entry(ServiceId::Gateway).or_default().hangs = true;
    ask(&mut world, 2, Request::Act { action: Action::Stop { service: None } });
    world.pass(10_000);
    ask(&mut world, 3, Request::Diagnostics);
    assert!(answer(&world, 3).is_some(), "there is nobody to wait for");
    let text = report::report(answer(&world, 3).unwrap());
    assert!(text.contains("state: stopped") && text.contains("gateway: stopped"), "{text}");
}

#[test]
fn a_gateway_that_never_answers_holds_up_a_report_for_five_seconds() {
    let mut world = started();
    let mut agent = world.agent.clone();
    let mut now = world.now.plus(60_000);
    agent.update(Event::Asked(1, Request::Diagnostics), now);
    let until = agent.deadline().unwrap();
    assert!(until <= now.mono_ms + 5_000);
    let mut replies = 0;
    for _ in 0..20 {
        now = now.plus(500);
        let effects = agent.update(Event::Wake, now);
        replies += effects.iter().filter(|e| matches!(e, palyra_tray::core::event::Effect::Reply(1, _))).count();
        assert_eq!(replies, usize::from(now.mono_ms >= world.now.mono_ms + 65_000), "at {}", now.mono_ms);
    }
    world.pass(1);
}

#[test]
fn an_active_run_is_shown_until_it_ends_and_not_longer_than_it_is_known() {
    let mut world = started();
    assert!(!menu(&world).contains("Active runs"));
    world.run("s1", "r1", "in_progress", 0);
    world.pass(3_000);
    assert!(menu(&world).contains("Active runs (1) >\n"), "{}", menu(&world));
    assert!(menu(&world).contains("Session s1: in progress\n") && menu(&world).contains("Chat: Session s1\n"));
    assert!(world.view().icon.badge.active);
    let runs = snap(&world)["active_runs"].clone();
    assert_eq!((&runs[0]["run_id"], &runs[0]["status"]), (&"r1".into(), &"in_progress".into()));
    world.run("s1", "r1", "in_progress", 1);
    world.pass(5_000);
    assert!(menu(&world).contains("Session s1: in progress, waits for you\n"), "{}", menu(&world));
    // no ring tells of the end
    world.chats.rows[0]["last_run_state"] = "failed".into();
    world.pass(25_000);
    assert!(!menu(&world).contains("Active runs") && !world.view().icon.badge.active);
    let news: Vec<_> = snap(&world)["run_news"].as_array().unwrap().iter().map(|news| news["event"].clone()).collect();
    assert_eq!(news, ["run_started", "run_waiting", "run_finished"]);
    assert_eq!(snap(&world)["run_news"][2]["end"], "failed");
    world.run("s1", "r2", "streaming", 0);
    world.pass(5_000);
    assert!(world.view().icon.badge.active);
    ask(&mut world, 9, Request::Act { action: Action::Stop { service: None } });
    world.pass(5_000);
    assert!(!world.view().icon.badge.active && !menu(&world).contains("Chat: "), "{}", menu(&world));
    assert_eq!(snap(&world)["active_runs"], Value::Null);
    assert_eq!(snap(&world)["session_catalog"][0]["session_id"], "s1", "kept, with its age");
}

#[test]
fn a_row_opens_its_run_in_the_dashboard() {
    let mut world = started();
    world.run("s1", "r1", "in_progress", 0);
    world.pass(3_000);
    assert!(world.menu("Session s1: in progress"));
    world.pass(10);
    let opened = world.timeline.last().unwrap();
    assert!(opened.contains("/#/chat?sessionId=s1&runId=r1&intent=inspect-run"), "{opened}");
    assert!(world.menu("Chat: Session s1"));
    world.pass(10);
    let opened = world.timeline.last().unwrap();
    assert!(opened.contains("/#/chat?sessionId=s1&intent=resume-session"), "{opened}");
}

#[test]
fn what_runs_by_itself_is_no_change_for_those_who_watch() {
    let mut world = started();
    ask(&mut world, 1, Request::Watch);
    world.pass(100);
    let (before, first) = (snap(&world), snapshot::steady(&snap(&world)));
    world.pass(3 * 3_600_000);
    assert_ne!(before, snap(&world));
    assert_eq!(first, snapshot::steady(&snap(&world)));
    world.run("s1", "r1", "in_progress", 0);
    world.pass(100);
    assert_ne!(first, snapshot::steady(&snap(&world)));
}
