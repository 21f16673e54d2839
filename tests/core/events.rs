//! What is told of what happens, until when, and what is kept of it.

use palyra_tray::core::agent::events::{ANSWER_SHOWN_MS, MAX_RUNS_SHOWN, MAX_SHOWN, shows};
use palyra_tray::core::companion::{Flag, Kind};
use palyra_tray::core::event::{Event, Setup};
use palyra_tray::core::outage::DEBOUNCE_MS;
use palyra_tray::core::simulate::{World, print_menu};
use palyra_tray::protocol::shim::ExitCause;
use palyra_tray::protocol::{Action, Place, Reply, Request, ServiceId, Verdict};

use super::{setup, started};

fn titles(world: &World) -> Vec<&str> {
    world.view().notices.values().map(|notice| notice.title.as_str()).collect()
}

/// What is kept, newest first.
fn kept(world: &World) -> Vec<&str> {
    world.agent.companion.profile().notifications.iter().rev().map(|one| one.title.as_str()).collect()
}

fn crash(world: &mut World, service: ServiceId) {
    world.end(service, Some(ExitCause::Code { code: 3 }));
}

fn hang(world: &mut World, service: ServiceId, hangs: bool) {
    world.behaviour.entry(service).or_default().hangs = hangs;
}

/// Down for a while, because each start fails for want of a network.
fn take_down(world: &mut World, service: ServiceId) {
    world.behaviour.entry(service).or_default().offline = true;
    crash(world, service);
    world.pass(DEBOUNCE_MS + 1_000);
}

fn bring_back(world: &mut World, service: ServiceId) {
    world.behaviour.entry(service).or_default().offline = false;
    world.pass(45_000);
}

fn ask(world: &mut World, ticket: u64, action: Action) {
    world.give(Event::Asked(ticket, Request::Act { action }));
    world.pass(10);
}

fn answer(world: &World, ticket: u64) -> String {
    let answers: Vec<_> = world.replies.iter().filter(|(to, _)| *to == ticket).map(|(_, reply)| reply).collect();
    match answers[..] {
        [Reply::Done(text)] => text.clone(),
        [Reply::Error(failure)] => format!("refused: {}", failure.message),
        _ => panic!("{answers:?}"),
    }
}

#[test]
fn a_flap_is_not_told_and_an_outage_is_told_withdrawn_and_its_end_told() {
    let mut world = started();
    crash(&mut world, ServiceId::Gateway);
    world.pass(120_000);
    assert_eq!((titles(&world), kept(&world)), (vec![], vec![]), "back at once");
    take_down(&mut world, ServiceId::Gateway);
    assert_eq!(titles(&world), ["Gateway is down"]);
    let body = &world.view().notices["event:gateway:down"].body;
    assert!(body.contains("Palyra goes on trying") && body.starts_with("It "), "{body}");
    bring_back(&mut world, ServiceId::Gateway);
    assert_eq!(titles(&world), ["Gateway is back"]);
    assert_eq!(kept(&world), ["Gateway is back", "Gateway is down"]);
    take_down(&mut world, ServiceId::Gateway);
    assert_eq!(titles(&world), ["Gateway is down"], "what is no longer so is withdrawn");
    world.menu("Stop");
    world.pass(1_000);
    assert_eq!(titles(&world), [""; 0], "nobody wants it up");
    world.behaviour.entry(ServiceId::Gateway).or_default().offline = false;
    world.menu("Start");
    world.pass(60_000);
    assert_eq!(titles(&world), [""; 0], "a person's own stop and start are no news");
}

#[test]
fn given_up_is_one_notification_and_its_end_is_told() {
    let mut world = started();
    world.behaviour.entry(ServiceId::Browserd).or_default().doomed = true;
    crash(&mut world, ServiceId::Browserd);
    world.pass(300_000);
    assert_eq!(titles(&world), ["Browser does not stay up"]);
    world.behaviour.entry(ServiceId::Browserd).or_default().doomed = false;
    assert!(world.click("Try again"));
    world.pass(DEBOUNCE_MS + 1_000);
    assert_eq!(titles(&world), ["Browser is back"]);
    assert_eq!(kept(&world).first(), Some(&"Browser is back"));
}

#[test]
fn what_was_given_up_and_is_not_wanted_any_more_is_not_told() {
    let mut world = started();
    world.behaviour.entry(ServiceId::Browserd).or_default().doomed = true;
    crash(&mut world, ServiceId::Browserd);
    world.pass(300_000);
    assert_eq!(titles(&world), ["Browser does not stay up"]);
    ask(&mut world, 1, Action::Stop { service: Some(ServiceId::Browserd) });
    world.pass(1_000);
    assert_eq!(titles(&world), [""; 0]);
}

#[test]
fn a_lock_that_is_told_twice_counts_from_the_first() {
    let mut world = started();
    world.give(Event::Locked(true));
    world.ask("a1", "high", 20, "git push");
    world.pass(90_000);
    world.give(Event::Locked(true));
    world.pass(1_000);
    world.give(Event::Locked(false));
    assert_eq!(world.view().notices["event:away"].body, "1 approval expired.");
}

#[test]
fn runs_that_nobody_wants_to_hear_of_are_not_in_the_sum() {
    let mut world = started();
    world.agent.setup.silent.insert(Kind::Run);
    world.run("s1", "r1", "in_progress", 0);
    world.pass(3_000);
    world.give(Event::Locked(true));
    world.run("s1", "r1", "failed", 0);
    world.ask("a1", "high", 20, "git push");
    world.pass(90_000);
    world.give(Event::Locked(false));
    assert_eq!(world.view().notices["event:away"].body, "1 approval expired.");
}

#[test]
fn that_the_dashboard_needs_palyra_is_told_until_it_is_there() {
    let mut world = started();
    ask(&mut world, 1, Action::Stop { service: None });
    world.pass(2_000);
    assert!(world.menu("Open Dashboard"));
    assert_eq!(titles(&world), ["The dashboard needs Palyra"]);
    ask(&mut world, 2, Action::Start { service: None });
    world.pass(5_000);
    assert_eq!(titles(&world), [""; 0]);
}

#[test]
fn a_flood_is_told_until_it_is_over_and_nothing_of_it_waits() {
    let mut world = started();
    for n in 0..12 {
        world.ask(&format!("a{n}"), "low", 3_000, "git push");
        world.pass(700);
    }
    let told = |world: &World| world.view().notices.contains_key("event:flood");
    assert!(told(&world));
    world.pass(120_000);
    assert!(told(&world), "they still wait");
    for n in 0..12 {
        world.decide_elsewhere(&format!("a{n}"), "deny");
    }
    world.pass(60_000);
    assert!(!told(&world));
}

#[test]
fn a_node_host_that_ends_with_its_gateway_is_no_outage_of_its_own() {
    let mut world = World::new(Setup { node_host: true, ..setup() });
    world.pass(30_000);
    world.behaviour.entry(ServiceId::Gateway).or_default().offline = true;
    crash(&mut world, ServiceId::Gateway);
    crash(&mut world, ServiceId::NodeHost);
    world.pass(60_000);
    assert_eq!(titles(&world), ["Gateway is down"]);
}

#[test]
fn one_that_lives_but_does_not_answer_is_down() {
    let mut world = started();
    hang(&mut world, ServiceId::Browserd, true);
    world.pass(50_000);
    assert_eq!(titles(&world), ["Browser is down"]);
    hang(&mut world, ServiceId::Browserd, false);
    world.pass(60_000);
    assert_eq!(titles(&world), ["Browser is back"]);
}

#[test]
fn after_the_lock_one_notification_tells_what_is_over_and_the_rest_is_told_as_ever() {
    let mut world = started();
    world.give(Event::Locked(true));
    world.pass(60_000);
    world.give(Event::Locked(false));
    assert_eq!(titles(&world), [""; 0], "nothing happened");

    world.give(Event::Locked(true));
    crash(&mut world, ServiceId::Gateway);
    world.pass(120_000);
    take_down(&mut world, ServiceId::Browserd);
    assert_eq!(titles(&world), [""; 0], "nobody is there to see it");
    bring_back(&mut world, ServiceId::Browserd);
    world.ask("a1", "high", 60, "git push");
    world.ask("a2", "high", 900, "git pull");
    world.ask("a3", "high", 900, "git fetch");
    world.pass(1_000);
    assert_eq!(titles(&world), ["3 approvals wait"]);
    world.decide_elsewhere("a3", "deny");
    world.pass(90_000);
    assert_eq!(titles(&world), ["1 approval waits"]);
    world.give(Event::Locked(false));
    let digest = &world.view().notices["event:away"];
    assert_eq!(
        digest.body,
        "Gateway failed and is back.\nBrowser failed and is back.\n1 approval was denied, 1 expired."
    );
    let keys: Vec<_> = world.view().notices.keys().map(String::as_str).collect();
    assert_eq!(keys, ["approval:a2", "event:away"], "nothing singly that the digest says");
    assert_eq!(kept(&world), ["While the screen was locked", "Browser is back", "Browser is down"]);

    // what still stands is told singly, and not in the sum
    world.give(Event::Locked(true));
    assert!(!world.view().notices.contains_key("event:away"), "counts are for nobody who passes by");
    take_down(&mut world, ServiceId::Browserd);
    world.give(Event::NoticeGone("event:away".to_owned()));
    world.give(Event::Locked(false));
    let keys: Vec<_> = world.view().notices.keys().map(String::as_str).collect();
    assert_eq!(keys, ["approval:a2", "event:browserd:down"]);
}

#[test]
fn the_digest_counts_what_the_pause_denied_and_only_what_is_wanted() {
    let mut world = started();
    world.menu("Pause all agents");
    world.give(Event::Locked(true));
    world.ask("a1", "high", 600, "git push");
    world.pass(5_000);
    crash(&mut world, ServiceId::Gateway);
    world.pass(60_000);
    let (mut of_all, mut of_none) = (world.agent.clone(), world.agent.clone());
    of_all.update(Event::Locked(false), world.now);
    assert_eq!(of_all.events["event:away"].body, "Gateway failed and is back.\n1 approval was denied.");
    of_none.setup.silent = [Kind::Service, Kind::Approval].into();
    of_none.update(Event::Locked(false), world.now);
    assert!(!of_none.events.contains_key("event:away"));
}

#[test]
fn each_kind_can_be_switched_off_and_is_kept_all_the_same() {
    let mut world = started();
    world.agent.setup.silent = Kind::ALL.into();
    take_down(&mut world, ServiceId::Gateway);
    bring_back(&mut world, ServiceId::Gateway);
    world.ask("a1", "critical", 600, "rm");
    world.pass(1_000);
    world.decide_elsewhere("a1", "allow");
    world.pass(1_000);
    world.write_config(Some("x = = 1"));
    world.pass(5_000);
    world.give(Event::Locked(true));
    crash(&mut world, ServiceId::Browserd);
    world.pass(30_000);
    world.give(Event::Locked(false));
    assert_eq!(titles(&world), [""; 0]);
    let all = kept(&world).join(", ");
    for title in ["Gateway is down", "Gateway is back", "Approved elsewhere", "config cannot be used"] {
        assert!(all.contains(title), "{title}: {all}");
    }
}

#[test]
fn a_row_of_the_recent_events_shows_what_it_is_about_and_marks_it_read() {
    let mut world = started();
    assert!(print_menu(&world.view().menu, 0).contains("Nothing has happened yet"));
    take_down(&mut world, ServiceId::Browserd);
    bring_back(&mut world, ServiceId::Browserd);
    let menu = print_menu(&world.view().menu, 0);
    assert!(menu.contains("Recent (2 new) >") && menu.contains("● Browser is back: It was down for"), "{menu}");
    world.timeline.clear();
    let row = menu.lines().find(|line| line.contains("Browser is back")).unwrap().trim().to_owned();
    assert!(world.menu(&row));
    assert!(world.timeline.iter().any(|line| line.ends_with("shows the log of browserd")), "{:?}", world.timeline);
    let menu = print_menu(&world.view().menu, 0);
    assert!(menu.contains("Recent (1 new) >") && menu.contains("        Browser is back"), "{menu}");
    assert!(world.menu("Mark all read"));
    world.pass(100);
    let menu = print_menu(&world.view().menu, 0);
    assert!(menu.contains("Recent >") && menu.contains("Mark all read  (grey)"), "{menu}");
    assert_eq!(menu.matches('●').count(), 1, "that of the state only: {menu}");
    assert_eq!(world.saved.last().unwrap().profiles["desktop-local"].unread(), 0, "it is on the disk");

    ask(&mut world, 1, Action::MarkRead);
    assert_eq!(answer(&world, 1), "Nothing is unread.");
    ask(&mut world, 2, Action::OpenRecent { id: "no".to_owned() });
    assert_eq!(answer(&world, 2), "refused: this event is not kept any more");
    let id = world.agent.companion.profile().notifications[0].id.clone();
    ask(&mut world, 3, Action::OpenRecent { id });
    assert_eq!(answer(&world, 3), "Opened.");
    ask(&mut world, 4, Action::SetFlag { flag: Flag::CompanionShellEnabled, enabled: false });
    assert!(!print_menu(&world.view().menu, 0).contains("Recent"));
}

#[test]
fn a_kept_event_never_does_more_than_show() {
    let run = || "r1".to_owned();
    let shown = shows(&Action::AbortRun { run_id: run() });
    let place = Place { run_id: Some(run()), intent: Some("inspect-run".to_owned()), ..Place::section("chat") };
    assert_eq!(shown, Some(Action::Open { place }));
    let decide = Action::Decide { approval_id: run(), digest: run(), verdict: Verdict::Approve };
    let others = [
        decide,
        Action::PauseAgents,
        Action::Stop { service: None },
        Action::Start { service: None },
        Action::Quit { keep_running: false },
        Action::SetBrowser { enabled: false },
        Action::WritePorts { service: None },
        Action::OpenRecent { id: run() },
    ];
    for action in others {
        assert_eq!(shows(&action), None, "{action:?}");
    }
    // nor does one whose file was edited
    let mut world = started();
    world.agent.companion.notify(Kind::Alarm, "t", "b", Some(Action::PauseAgents), world.now);
    let id = world.agent.companion.profile().notifications[0].id.clone();
    ask(&mut world, 1, Action::OpenRecent { id });
    assert!(!world.agent.paused);
    assert_eq!(answer(&world, 1), "There is nothing to open. It is marked as read.");
    // an allowance by somebody else is shown by its run, which is not aborted
    world.ask("a1", "high", 600, "git push");
    world.pass(1_000);
    world.decide_elsewhere("a1", "allow");
    world.pass(1_000);
    world.timeline.clear();
    let id = world.agent.companion.profile().notifications.back().unwrap().id.clone();
    ask(&mut world, 2, Action::OpenRecent { id });
    let all = world.timeline.join("\n");
    assert!(all.contains("opens ") && all.contains("inspect-run") && !all.contains("aborts"), "{all}");
}

#[test]
fn an_answer_is_taken_back_after_a_while_and_of_very_many_the_oldest_go() {
    let mut world = started();
    world.give(Event::LogNotShown("no program opens it".to_owned()));
    world.pass(ANSWER_SHOWN_MS - 1_000);
    assert_eq!(titles(&world), ["The file could not be shown"]);
    world.give(Event::LogNotShown("no program opens that".to_owned()));
    world.pass(ANSWER_SHOWN_MS - 1_000);
    assert_eq!(titles(&world), ["The file could not be shown"], "told anew");
    world.pass(1_000);
    assert_eq!(titles(&world), [""; 0]);

    world.give(Event::OpenedTwice);
    for n in 0..100 {
        let id = format!("a{n}");
        world.ask(&id, "high", 60_000, "git push");
        world.pass(7_000);
        world.decide_elsewhere(&id, "allow");
        world.pass(1_000);
    }
    let keys: Vec<_> = world.view().notices.keys().collect();
    assert_eq!(keys.len(), MAX_SHOWN, "{keys:?}");
    assert!(world.view().notices.contains_key("event:handoff"), "an alarm is not pushed out");
    assert!(world.view().notices.contains_key("event:elsewhere:a99"));
    assert!(!world.view().notices.contains_key("event:elsewhere:a0"));
}

#[test]
fn answers_that_nobody_puts_away_leave_room_for_what_has_to_be_decided() {
    let mut world = started();
    for n in 0..30 {
        world.run(&format!("s{n}"), &format!("r{n}"), "in_progress", 0);
        world.pass(3_000);
        world.run(&format!("s{n}"), &format!("r{n}"), "done", 0);
        world.pass(3_000);
    }
    let keys: Vec<_> = world.view().notices.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["event:run:r24", "event:run:r25", "event:run:r26", "event:run:r27", "event:run:r28", "event:run:r29"]
    );
    assert_eq!(keys.len(), MAX_RUNS_SHOWN);
    assert_eq!(kept(&world).len(), 30, "all are among the recent ones");
}

#[test]
fn a_moved_port_is_told_until_it_is_another_and_can_be_written_down() {
    let mut world = started();
    let mut ports = world.agent.ports();
    ports.get_mut(&ServiceId::Gateway).unwrap().insert("http".to_owned(), 7_999);
    let moved = |world: &mut World, ports, note: &str| {
        let facts = palyra_tray::config::palyra::ConfigFacts::of_text("version = 1", 1).unwrap();
        let config = (ServiceId::Gateway, Box::new(facts));
        world.give(Event::PortsChosen { ports, note: note.to_owned(), config });
    };
    let before = world.agent.ports();
    moved(&mut world, ports, "7142 is taken by pid 7 (python3).");
    assert_eq!(titles(&world), ["Palyra uses other ports"]);
    moved(&mut world, before, "");
    assert_eq!(titles(&world), [""; 0]);
    assert_eq!(kept(&world), ["Palyra uses other ports"]);
}

#[test]
fn the_end_of_a_run_is_told_once_and_counted_behind_a_lock() {
    let mut world = started();
    let over = |world: &mut World, run: &str, state: &str| {
        world.run("s1", run, "in_progress", 0);
        world.pass(3_000);
        world.run("s1", run, state, 0);
        world.pass(3_000);
    };
    over(&mut world, "r1", "done");
    assert_eq!(titles(&world), ["A run finished"]);
    assert_eq!(world.view().notices["event:run:r1"].body, "Session s1");
    world.pass(120_000);
    over(&mut world, "r2", "failed");
    assert_eq!(kept(&world), ["A run failed", "A run finished"]);
    world.give(Event::Locked(true));
    over(&mut world, "r3", "failed");
    over(&mut world, "r4", "done");
    world.give(Event::Locked(false));
    assert_eq!(world.view().notices["event:away"].body, "1 run finished, 1 failed.");
    assert!(!world.view().notices.contains_key("event:run:r3"), "not singly too");
    assert_eq!(kept(&world)[1..3], ["A run finished", "A run failed"]);
}

#[test]
fn what_can_no_longer_be_aborted_is_not_offered_to_be() {
    let mut world = started();
    let run = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    world.run("s1", run, "in_progress", 0);
    world.pass(3_000);
    world.ask("a1", "high", 600, "git push");
    world.pass(1_000);
    world.decide_elsewhere("a1", "allow");
    world.pass(1_000);
    assert!(world.view().notices.contains_key("event:elsewhere:a1"));
    world.run("s1", run, "done", 0);
    world.pass(3_000);
    assert!(!world.view().notices.contains_key("event:elsewhere:a1"), "its run is over");
}
