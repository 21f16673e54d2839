//! A remote profile: nothing runs here, a lost network is waited for without a storm, and nobody but the pinned one is trusted.

use palyra_tray::core::event::{Effect, Event, Facts, RemoteNews, RemoteWork};
use palyra_tray::core::remote::{EVERY_MS, Looked, TroubleKind};
use palyra_tray::core::simulate::World;
use palyra_tray::core::snapshot::{snapshot, steady};
use palyra_tray::core::switch::{Stage, TRY_MS};
use palyra_tray::core::view::{Base, ItemKind};
use palyra_tray::protocol::ask::To;
use palyra_tray::protocol::{Action, FailureCode, Place, Reply, Request};

use super::started;

fn world() -> World {
    let mut world = started();
    world.add_remote_profile("far");
    world
}

fn far() -> World {
    let mut world = world();
    world.switch(1, "far", false);
    world.pass(5_000);
    assert_eq!(world.agent.setup.profile.name, "far");
    world
}

fn state(world: &World) -> (Base, String) {
    (world.view().icon.base, snapshot(&world.agent, world.now)["connection_state"].as_str().unwrap().to_owned())
}

fn notices(world: &World) -> Vec<String> {
    world.view().notices.values().map(|notice| format!("{}: {}", notice.title, notice.body)).collect()
}

fn lost(world: &mut World) {
    world.elsewhere(Some((TroubleKind::Unreachable, "no connection (network is unreachable)")));
}

#[test]
fn the_one_here_is_stopped_and_the_one_elsewhere_is_looked_at() {
    let world = far();
    assert!(world.alive.is_empty() && world.faults.is_empty(), "{:?} {:?}", world.alive, world.faults);
    assert_eq!(state(&world), (Base::Healthy, "connected".to_owned()));
    let told = &world.agent.events["event:profile"];
    assert!(told.title == "Now on profile far" && told.body.contains("Stopped of desktop-local: gateway"), "{told:?}");
    let snapshot = snapshot(&world.agent, world.now);
    let quick = &snapshot["quick_facts"];
    assert_eq!(quick["dashboard_url"], "https://palyra.example/");
    assert_eq!(quick["dashboard_access_mode"], "remote");
    assert_eq!(quick["dashboard_remote_trust_state"], "verification_configured");
    assert_eq!(quick["dashboard_remote_verification_mode"], "server_cert");
    assert_eq!((&quick["gateway_version"], &snapshot["state"]), (&"9.9.9".into(), &"healthy".into()));
    let menu: Vec<_> = world.view().menu.iter().map(|item| item.id.clone()).collect();
    assert_eq!(
        menu,
        ["status", "remote", "s1", "open", "restart", "s2", "recent", "setup", "preferences", "s4", "quit"],
        "what runs elsewhere is not started, stopped or decided on here"
    );
    let ItemKind::Submenu { items, .. } = &world.view().menu[7].kind else { panic!("{menu:?}") };
    assert!(items.iter().all(|item| item.id != "setup:continue"), "nor is it set up here: {items:?}");
}

#[test]
fn a_lost_network_is_reconnecting_told_once_and_never_a_storm() {
    let mut world = far();
    let before = world.elsewhere.looks.len();
    lost(&mut world);
    world.pass(EVERY_MS + 1_000);
    assert_eq!(state(&world), (Base::Degraded, "reconnecting".to_owned()));
    assert!(world.view().tooltip.contains("Reconnecting to palyra.example"), "{}", world.view().tooltip);
    world.pass(24 * 3_600_000);
    let looks = world.elsewhere.looks.len() - before;
    assert!((280..420).contains(&looks), "{looks} looks in a day without a network");
    let told: Vec<_> = notices(&world).into_iter().filter(|told| told.contains("cannot be reached")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    world.elsewhere(None);
    world.pass(6 * 60_000);
    assert_eq!(state(&world), (Base::Healthy, "connected".to_owned()));
    assert!(
        notices(&world).iter().any(|told| told.contains("The gateway palyra.example answers again")),
        "{:?}",
        notices(&world)
    );
    assert!(!notices(&world).iter().any(|told| told.contains("cannot be reached")), "{:?}", notices(&world));
    // the next start begins where this one was, with or without a network
    lost(&mut world);
    world.kill_agent();
    world.begin_from_disk();
    world.pass(5_000);
    assert_eq!(world.agent.setup.profile.name, "far");
    assert_eq!(state(&world), (Base::Degraded, "reconnecting".to_owned()));
}

#[test]
fn another_certificate_is_told_at_once_and_its_dashboard_is_not_opened() {
    let mut world = far();
    let why = "it shows another certificate than the pinned one";
    world.elsewhere(Some((TroubleKind::Distrusted, why)));
    world.give(Event::Asked(2, Request::Act { action: Action::Restart { service: None } }));
    world.pass(3_000);
    assert_eq!(state(&world), (Base::Fatal, "offline".to_owned()));
    let told = notices(&world);
    assert!(
        told.iter().any(|told| told.contains("The gateway palyra.example is not trusted")
            && told.contains("shows another certificate")),
        "{told:?}"
    );
    let open = Action::Open { place: Place::section("approvals") };
    world.give(Event::Asked(3, Request::Act { action: open.clone() }));
    world.pass(1_000);
    assert!(
        matches!(&world.replies.last().unwrap(), (3, Reply::Error(failure)) if failure.message.contains("not trusted"))
    );
    world.give(Event::IconClicked);
    world.pass(1_000);
    assert_eq!(world.elsewhere.opened, 0);
    assert!(notices(&world).iter().any(|told| told.contains("could not be opened")), "{:?}", notices(&world));
    // put away, it is not told again with every look
    world.give(Event::NoticeGone("event:certificate".to_owned()));
    world.pass(3_600_000);
    assert!(!notices(&world).iter().any(|told| told.contains("not trusted") && told.contains("fingerprint")));
    world.elsewhere(None);
    world.pass(400_000);
    world.give(Event::Asked(4, Request::Act { action: open }));
    world.pass(1_000);
    assert_eq!((world.elsewhere.opened, state(&world).0), (1, Base::Healthy));
}

#[test]
fn without_a_pin_it_is_never_green_nobody_is_told_and_its_dashboard_opens() {
    let mut world = world();
    world.elsewhere(Some((TroubleKind::Unpinned, "no certificate is pinned")));
    world.switch(1, "far", false);
    world.pass(5_000);
    assert_eq!(world.agent.setup.profile.name, "far", "{:?}", world.agent.companion.state().switch);
    world.pass(3_600_000);
    assert_eq!(state(&world), (Base::Degraded, "offline".to_owned()));
    assert!(world.view().tooltip.contains("Not known how palyra.example is"), "{}", world.view().tooltip);
    assert!(!notices(&world).iter().any(|told| told.contains("palyra.example")), "{:?}", notices(&world));
    let quick = &snapshot(&world.agent, world.now)["quick_facts"];
    assert_eq!(quick["dashboard_remote_trust_state"], "pin_missing");
    assert_eq!(quick["dashboard_remote_verification_mode"], serde_json::Value::Null);
    world.give(Event::IconClicked);
    world.pass(1_000);
    assert_eq!(world.elsewhere.opened, 1);
}

#[test]
fn an_impatient_person_opens_one_window() {
    let mut world = far();
    for _ in 0..5 {
        world.give(Event::IconClicked);
    }
    world.pass(1_000);
    assert_eq!(world.elsewhere.opened, 1);
    world.give(Event::IconClicked);
    world.pass(1_000);
    assert_eq!(world.elsewhere.opened, 2);
}

#[test]
fn a_change_to_one_that_is_not_trusted_or_not_reached_is_taken_back() {
    for (kind, within, told) in [
        (TroubleKind::Distrusted, 5_000, "another certificate"),
        (TroubleKind::Config, 5_000, "another certificate"),
        (TroubleKind::Unreachable, TRY_MS + 5_000, "did not get ready"),
    ] {
        let mut world = world();
        world.elsewhere(Some((kind, "it shows another certificate")));
        world.switch(1, "far", false);
        world.pass(within);
        let switch = world.agent.companion.state().switch.clone().unwrap();
        assert_eq!(
            (switch.stage, world.agent.setup.profile.name.as_str()),
            (Stage::Returned, "desktop-local"),
            "{kind:?}"
        );
        assert!(switch.why.contains(told), "{kind:?}: {}", switch.why);
        world.pass(5_000);
        assert_eq!((world.alive.len(), state(&world).0), (2, Base::Healthy), "{kind:?}: the old one runs again");
        let looks = world.elsewhere.looks.len();
        assert!(looks <= 7, "{looks}");
    }
}

#[test]
fn what_lives_from_a_time_when_it_was_a_local_one_is_stopped() {
    let mut world = started();
    world.add_profile("far", false);
    world.switch(1, "far", false);
    world.pass(20_000);
    assert_eq!((world.alive.len(), world.agent.setup.profile.name.as_str()), (2, "far"));
    world.kill_agent();
    world.add_remote_profile("far");
    world.begin_from_disk();
    world.pass(20_000);
    assert!(world.alive.is_empty() && world.agent.remote.is_some(), "{:?}", world.alive);
}

#[test]
fn back_again_the_one_here_runs_and_the_other_is_left_alone() {
    let mut world = far();
    world.switch(2, "desktop-local", false);
    world.pass(5_000);
    assert_eq!((world.alive.len(), state(&world).0), (2, Base::Healthy));
    let looks = world.elsewhere.looks.len();
    world.pass(3_600_000);
    assert_eq!(world.elsewhere.looks.len(), looks);
}

#[test]
fn what_there_is_none_of_here_is_refused_and_starts_nothing() {
    let mut world = far();
    let actions = [
        Action::Stop { service: None },
        Action::PauseAgents,
        Action::Ask { to: To::default() },
        Action::Review { approval_id: String::new() },
        Action::ContinueSetup,
    ];
    let requests = actions.into_iter().map(|action| Request::Act { action });
    for request in requests.chain([Request::Approvals { all: false }, Request::ExportPalyra]) {
        world.give(Event::Asked(9, request.clone()));
        match world.replies.last() {
            Some((9, Reply::Error(failure))) => {
                assert!(
                    failure.code == FailureCode::Refused && failure.message.contains("remote"),
                    "{request:?}: {failure:?}"
                );
            }
            other => panic!("{request:?}: {other:?}"),
        }
        world.replies.clear();
    }
    world.pass(60_000);
    assert!(world.alive.is_empty() && !world.agent.paused);
    world.give(Event::Shutdown);
    world.pass(1_000);
    assert!(world.exited, "nothing has to be waited for");
}

#[test]
fn an_idle_tray_is_not_redrawn_by_looks_that_tell_nothing_new() {
    let mut world = far();
    world.pass(10_000);
    let view = world.view().clone();
    let seen = steady(&snapshot(&world.agent, world.now));
    for _ in 0..20 {
        world.pass(EVERY_MS + 1_000);
        assert_eq!(world.view(), &view);
        assert_eq!(steady(&snapshot(&world.agent, world.now)), seen, "who watches is told nothing");
    }
    assert!(
        view.menu.iter().all(|item| !matches!(&item.kind, ItemKind::Command { label, .. } if label.contains(" up ")))
    );
}

#[test]
fn an_idle_hour_is_a_look_a_minute_and_nothing_else() {
    let mut world = far();
    world.pass(120_000);
    let (mut agent, mut now, end) = (world.agent.clone(), world.now, world.now.mono_ms + 3_600_000);
    let (mut wakes, mut looks, mut others) = (0, 0, Vec::new());
    while let Some(due) = agent.deadline().filter(|due| *due < end) {
        now = now.plus(due.saturating_sub(now.mono_ms));
        wakes += 1;
        for effect in agent.update(Event::Wake, now) {
            let Effect::Remote(RemoteWork::Look(round)) = effect else {
                others.push(effect);
                continue;
            };
            looks += 1;
            let target = agent.remote.as_ref().and_then(|remote| remote.target().cloned());
            let looked = Looked { round, target, outcome: Ok(Facts::default()) };
            others.extend(agent.update(Event::Remote(RemoteNews::Looked(Box::new(looked))), now));
        }
    }
    assert_eq!((wakes, looks), (60, 60), "{others:?}");
    others.retain(|effect| *effect != Effect::GiveBack);
    assert_eq!(others, []);
}
