//! A change of profile: there, or back, and wherever it is cut short one of the two is whole.

use palyra_tray::config::settings::Settings;
use palyra_tray::core::event::{Click, Event, Secrets};
use palyra_tray::core::node::Enrolled;
use palyra_tray::core::service::Goal;
use palyra_tray::core::simulate::{Behaviour, World, print_menu};
use palyra_tray::core::switch::{LEAVE_MS, Stage, TRY_MS};
use palyra_tray::protocol::node::{NodeRequest, NodeTask};
use palyra_tray::protocol::profiles::ProfileRequest;
use palyra_tray::protocol::secrets::SecretName;
use palyra_tray::protocol::shim::ExitCause;
use palyra_tray::protocol::{Action, FailureCode, Reply, Request, ServiceId, Verdict};

use super::started;

fn world() -> World {
    let mut world = started();
    world.add_profile("work", false);
    world.add_profile("prod", true);
    world
}

fn on(world: &World) -> (&str, &str) {
    (&world.agent.setup.profile.name, &world.agent.companion.state().active_profile)
}

fn stage(world: &World) -> Option<Stage> {
    world.agent.companion.state().switch.as_ref().map(|switch| switch.stage)
}

fn notice(world: &World) -> String {
    let notice = &world.agent.events["event:profile"];
    format!("{}. {}", notice.title, notice.body)
}

fn all_ready(world: &World) -> bool {
    [ServiceId::Gateway, ServiceId::Browserd].into_iter().all(|id| world.agent.fleet.get(id).is_ready())
}

fn refusal(world: &World) -> (FailureCode, String) {
    match world.replies.last() {
        Some((_, Reply::Error(failure))) => (failure.code, format!("{}. {}", failure.message, failure.hint)),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn it_stops_here_starts_there_and_says_so() {
    let mut world = world();
    world.agent.companion.set_session(Some("mine".to_owned()));
    world.switch(1, "work", false);
    world.pass(5_000);
    assert_eq!((on(&world), stage(&world)), (("work", "work"), Some(Stage::Done)));
    assert!(all_ready(&world) && world.faults.is_empty(), "{:?}", world.faults);
    assert_eq!(world.profiles.became, ["work"]);
    let told = notice(&world);
    assert!(told.contains("Now on profile work") && told.contains("gateway") && told.contains("browserd"), "{told}");
    assert!(matches!(&world.replies[0], (1, Reply::Done(words)) if words.contains("work")), "{:?}", world.replies);
    let state = world.agent.companion.state();
    assert_eq!(state.recent_profiles, ["work", "desktop-local"]);
    // what is remembered is each one's own
    assert_eq!(world.agent.companion.profile().session_id, None);
    assert_eq!(state.profiles["desktop-local"].session_id.as_deref(), Some("mine"));
    // and it is the next start's too, which tells it no second time
    world.kill_agent();
    world.begin_from_disk();
    world.pass(5_000);
    assert_eq!(on(&world), ("work", "work"));
    assert!(all_ready(&world) && !world.agent.events.contains_key("event:profile"));
}

#[test]
fn the_ports_of_each_are_its_own() {
    let mut world = world();
    let ours = world.agent.companion.state().ports.clone();
    assert!(!ours.is_empty());
    world.switch(1, "work", false);
    world.pass(5_000);
    assert_eq!(world.agent.companion.state().profiles["desktop-local"].ports, ours);
    world.switch(2, "desktop-local", false);
    world.pass(5_000);
    assert_eq!((on(&world).0, &world.agent.companion.state().ports), ("desktop-local", &ours));
    assert_eq!(world.agent.companion.state().recent_profiles, ["desktop-local", "work"]);
}

#[test]
fn what_is_refused_stops_nothing() {
    let mut world = world();
    let launches = world.launches.len();
    for (name, confirmed, unusable, told) in [
        ("prod", false, None, "strict"),
        ("none", false, None, "there is no profile none; there are: desktop-local, prod, work"),
        ("work", false, Some("palyra.toml is not valid TOML (line 3)"), "line 3"),
    ] {
        world.profiles.unusable = unusable.map(str::to_owned);
        world.switch(1, name, confirmed);
        world.pass(1_000);
        let (code, words) = refusal(&world);
        assert!(code == FailureCode::Refused && words.contains(told), "{name}: {words}");
    }
    world.profiles.unusable = None;
    world.switch(1, "desktop-local", false);
    world.pass(1_000);
    assert!(matches!(&world.replies.last().unwrap().1, Reply::Done(words) if words.contains("already")));
    assert!(all_ready(&world) && stage(&world).is_none());
    assert_eq!((world.launches.len(), world.profiles.became.len()), (launches, 0));
    world.switch(1, "prod", true);
    world.pass(5_000);
    assert_eq!(on(&world).0, "prod", "with a yes");
}

#[test]
fn a_second_change_and_what_would_come_in_its_way_are_refused_meanwhile() {
    let mut world = world();
    world.switch(1, "work", false);
    world.switch(2, "prod", true);
    assert!(refusal(&world).1.contains("another change"), "{:?}", world.replies);
    world.pass(10);
    let menu = print_menu(&world.view().menu, 0);
    assert!(menu.lines().any(|line| line.contains("work") && line.ends_with("(grey)")), "{menu}");
    for action in
        [Action::Start { service: None }, Action::Stop { service: None }, Action::SetBrowser { enabled: false }]
    {
        world.give(Event::Asked(3, Request::Act { action }));
        assert!(refusal(&world).1.contains("change of profile is under way"), "{:?}", world.replies);
    }
    world.agent.node.allowed = true;
    world.give(Event::Asked(4, Request::Node(NodeRequest::Do { task: NodeTask::Enrol })));
    assert!(refusal(&world).1.contains("change of profile is under way"), "{:?}", world.replies);
    world.rotate(5, &SecretName::ALL);
    assert!(refusal(&world).1.contains("change of profile is under way"), "{:?}", world.replies);
    world.switch(6, "prod", true);
    assert!(refusal(&world).1.contains("another change"), "{:?}", world.replies);
    world.pass(5_000);
    assert_eq!(on(&world).0, "work");
}

#[test]
fn what_is_on_its_way_is_waited_for_before_a_change() {
    type Begin = fn(&mut World);
    // what makes it possible, what begins it, and what is told of it
    let cases: [(Begin, Begin, &str); 4] = [
        (
            |world| {
                world.disk = Some("no space left".to_owned());
                world.agent.companion.set_section("chat");
                world.give(Event::Rang);
                world.pass(100);
            },
            |_| {},
            "no space left",
        ),
        (|_| {}, |world| world.rotate(8, &SecretName::ALL), "new secrets are on their way"),
        (
            |world| world.agent.node.allowed = true,
            |world| world.give(Event::Asked(8, Request::Node(NodeRequest::Do { task: NodeTask::Enrol }))),
            "is being done with the node host",
        ),
        (
            |world| {
                world.ask("a1", "high", 600, "git push");
                world.pass(1_000);
            },
            |world| assert!(world.click("Deny")),
            "a decision is on its way",
        ),
    ];
    for (prepare, begin, told) in cases {
        // before it is asked, and while the other profile is looked at
        for before in [true, false] {
            let mut world = world();
            prepare(&mut world);
            if before {
                begin(&mut world);
            }
            world.switch(1, "work", false);
            if !before {
                begin(&mut world);
            }
            world.pass(5);
            let refused = world.replies.iter().find_map(|(ticket, reply)| match reply {
                Reply::Error(failure) if *ticket == 1 => Some(failure.message.clone()),
                _ => None,
            });
            assert!(refused.as_ref().is_some_and(|why| why.contains(told)), "{told}, first {before}: {refused:?}");
            assert_eq!(stage(&world), None, "{told}");
        }
    }
}

#[test]
fn a_decision_that_is_on_its_way_is_over_before_the_way_back_ends() {
    let mut world = world();
    world.switch(1, "work", false);
    while !(stage(&world) == Some(Stage::Trying) && all_ready(&world)) {
        world.pass(10);
    }
    world.ask("a1", "high", 600, "git push");
    world.pass(1_000);
    let digest = world.agent.inbox.pending["a1"].digest.clone();
    let deny = Action::Decide { approval_id: "a1".to_owned(), digest, verdict: Verdict::Deny };
    world.give(Event::Clicked(deny, Click::Notification));
    assert!(!world.agent.decisions.is_idle());
    world.give(Event::Secrets(Secrets::Failed("the keyring is broken".to_owned())));
    for service in [ServiceId::Browserd, ServiceId::Gateway] {
        world.end(service, Some(ExitCause::Code { code: 0 }));
    }
    assert!(world.agent.fleet.all_down(), "{:?}", world.alive);
    assert_eq!(stage(&world), Some(Stage::Returning), "the decision is waited for");
    world.pass(10_000);
    assert_eq!(on(&world).0, "desktop-local");
    assert!(world.faults.is_empty(), "{:?}", world.faults);
}

/// What goes wrong on the way, and a word of what is told of it.
type Mishap = (&'static str, fn(&mut World), &'static str);

fn doom(world: &mut World) {
    world.profiles.gateway_on = Some(("work".to_owned(), Behaviour { doomed: true, ..Behaviour::default() }));
}

#[test]
fn whatever_fails_the_old_one_is_back_and_runs_and_one_sentence_says_why() {
    let mishaps: [Mishap; 4] = [
        ("its gateway ends at each start", doom, "does not stay up"),
        (
            "it never answers",
            |world| {
                let behaviour = Behaviour { hangs: true, ..Behaviour::default() };
                world.profiles.gateway_on = Some(("work".to_owned(), behaviour));
            },
            "did not get ready",
        ),
        (
            "its secrets cannot be had",
            |world| world.profiles.no_secrets_on = Some(("work".to_owned(), "the keyring is broken".to_owned())),
            "the keyring is broken",
        ),
        (
            "the disk takes nothing",
            |world| {
                world.pass(3);
                world.disk = Some("no space left".to_owned());
                world.pass(1_000);
                world.disk = None;
            },
            "no space left",
        ),
    ];
    for (what, mishap, told) in mishaps {
        let mut world = world();
        world.switch(1, "work", false);
        mishap(&mut world);
        world.pass(3 * TRY_MS);
        assert_eq!((on(&world), stage(&world)), (("desktop-local", "desktop-local"), Some(Stage::Returned)), "{what}");
        assert!(all_ready(&world) && world.faults.is_empty(), "{what}: {:?}", world.faults);
        let words = notice(&world);
        assert!(words.contains("Still on profile Desktop local") && words.contains(told), "{what}: {words}");
        assert!(words.contains("started again: gateway, browserd"), "{what}: {words}");
        // and nothing is left of it: the next try may work
        world.profiles.no_secrets_on = None;
        if let Some((_, behaviour)) = &mut world.profiles.gateway_on {
            *behaviour = Behaviour::default();
        }
        world.switch(2, "work", false);
        world.pass(5_000);
        assert_eq!(on(&world).0, "work", "{what}");
    }
}

#[test]
fn one_that_does_not_stop_in_time_stays() {
    let mut world = world();
    // its end is never seen
    world.switch(1, "work", false);
    world.pass(2);
    world.alive.clear();
    world.pass(LEAVE_MS + 1_000);
    assert_eq!((on(&world).0, stage(&world)), ("desktop-local", Some(Stage::Returned)));
    assert!(notice(&world).contains("did not stop in time"), "{}", notice(&world));
    assert!(world.profiles.became.is_empty());
    assert_eq!(world.agent.fleet.get(ServiceId::Gateway).goal, Goal::Up);
}

#[test]
fn what_did_not_run_before_is_not_started_by_a_way_back() {
    let mut world = world();
    world.give(Event::Asked(9, Request::Act { action: Action::Stop { service: None } }));
    world.pass(5_000);
    doom(&mut world);
    world.switch(1, "work", false);
    world.pass(3 * TRY_MS);
    assert_eq!(on(&world).0, "desktop-local");
    assert!(world.alive.is_empty(), "{:?}", world.alive);
    assert!(notice(&world).contains("Still on profile"), "{}", notice(&world));
}

#[test]
fn a_disk_that_takes_nothing_keeps_it_on_the_profile_that_is_written() {
    let mut seen = std::collections::BTreeSet::new();
    for at in (2..122).step_by(4) {
        let mut world = world();
        world.switch(1, "work", false);
        world.pass(at);
        let written = world.saved.iter().any(|state| state.active_profile == "work");
        world.disk = Some("no space left".to_owned());
        world.pass(1_000);
        if !written {
            assert_eq!(on(&world), ("desktop-local", "desktop-local"), "full after {at} ms");
            assert!(notice(&world).contains("no space left"), "full after {at} ms: {}", notice(&world));
        }
        world.disk = None;
        world.pass(20_000);
        let wanted = if written { "work" } else { "desktop-local" };
        assert_eq!(on(&world), (wanted, wanted), "full after {at} ms");
        assert!(all_ready(&world) && world.faults.is_empty(), "full after {at} ms: {:?}", world.faults);
        seen.insert(written);
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn the_way_back_waits_for_no_end_that_is_not_seen() {
    for killed in [false, true] {
        let mut world = world();
        doom(&mut world);
        world.switch(1, "work", false);
        while stage(&world) != Some(Stage::Returning) {
            world.pass(1);
            assert!(world.now.mono_ms < TRY_MS, "it never returns");
        }
        world.pass(1);
        if killed {
            world.kill_agent();
            world.begin_from_disk();
        }
        world.alive.clear();
        world.pass(LEAVE_MS + 5_000);
        assert_eq!((on(&world).0, stage(&world)), ("desktop-local", Some(Stage::Returned)), "killed: {killed}");
        assert!(all_ready(&world), "killed: {killed}");
    }
}

#[test]
fn a_node_host_that_has_to_be_enrolled_anew_is_no_reason_to_go_back() {
    let mut world = world();
    world.pairs.enrolled = Some(Enrolled { device_id: "d".to_owned(), expires_at_unix_ms: None, paired: true });
    world.refuse_next_node_host("node RPC client certificate fingerprint is revoked");
    world.switch(1, "work", false);
    world.pass(2 * TRY_MS);
    assert_eq!((on(&world).0, stage(&world)), ("work", Some(Stage::Done)));
    assert!(world.agent.setup.node_host && !world.agent.fleet.get(ServiceId::NodeHost).is_ready());
}

#[test]
fn what_others_wrote_in_the_registry_is_shown_escaped() {
    let mut world = world();
    let entry = world.profiles.registry.get_mut("work").unwrap();
    for text in [&mut entry.label, &mut entry.environment, &mut entry.risk_level] {
        *text = "safe\u{202e}\u{7}".to_owned();
    }
    world.give(Event::Asked(7, Request::Profiles(ProfileRequest::List)));
    world.switch(1, "work", false);
    world.pass(5_000);
    let list = world.replies.iter().find_map(|(ticket, reply)| match reply {
        Reply::Data(data) if *ticket == 7 => Some(data.to_string()),
        _ => None,
    });
    let status = palyra_tray::core::snapshot::snapshot(&world.agent, world.now)["profile"].to_string();
    let menu = print_menu(&world.view().menu, 0);
    for shown in [list.unwrap(), status, menu, notice(&world)] {
        assert!(shown.contains("safe") && !shown.contains(['\u{202e}', '\u{7}']), "{shown}");
        assert!(!shown.contains("\\u202e") && !shown.contains("\\u0007"), "{shown}");
    }
}

#[test]
fn what_was_switched_off_meanwhile_is_not_started_by_a_way_back() {
    let off = || Event::SettingsRead(Box::new(Settings { browser: false, ..Settings::default() }), Vec::new());
    for killed in [false, true] {
        let mut world = world();
        world.switch(1, "work", false);
        world.pass(2);
        // the end of what runs is never seen
        world.alive.clear();
        world.give(off());
        if killed {
            world.kill_agent();
            world.begin_from_disk();
        }
        world.pass(LEAVE_MS + 5_000);
        assert_eq!((on(&world).0, stage(&world)), ("desktop-local", Some(Stage::Returned)), "killed: {killed}");
        assert_eq!(world.agent.fleet.get(ServiceId::Gateway).goal, Goal::Up, "killed: {killed}");
        assert_eq!(world.agent.fleet.get(ServiceId::Browserd).goal, Goal::Down, "killed: {killed}");
    }
}

#[test]
fn killed_at_any_moment_the_next_start_is_on_one_of_the_two_whole_and_says_which() {
    let mut seen = std::collections::BTreeSet::new();
    for fails in [false, true] {
        for at in (0..60).chain((60..1_000).step_by(25)).chain((1_000..60_000).step_by(3_000)) {
            let mut world = world();
            if fails {
                doom(&mut world);
            }
            world.switch(1, "work", false);
            world.pass(at);
            world.kill_agent();
            world.pass(100);
            world.begin_from_disk();
            world.pass(3 * TRY_MS);
            let (name, remembered) = on(&world);
            assert_eq!(name, remembered, "killed after {at} ms");
            let wanted = if fails { "desktop-local" } else { name };
            assert!(["desktop-local", "work"].contains(&name) && name == wanted, "killed after {at} ms: {name}");
            assert!(all_ready(&world) && world.faults.is_empty(), "killed after {at} ms: {:?}", world.faults);
            assert!(!world.agent.is_switching(), "killed after {at} ms");
            let began = world.saved.iter().any(|state| state.switch.is_some());
            // after the end of it there is nothing left to say
            let told = world.saved.iter().any(|state| state.switch.as_ref().is_some_and(|switch| switch.told));
            assert!(!began || told, "killed after {at} ms");
            seen.insert((fails, name.to_owned()));
        }
    }
    assert_eq!(seen.len(), 3, "both ends were seen: {seen:?}");
}

#[test]
fn killed_where_it_begins_anew_the_next_start_goes_on() {
    let mut world = world();
    world.profiles.dies = true;
    world.switch(1, "work", false);
    world.pass(5_000);
    assert!(world.exited && world.profiles.became.is_empty());
    world.profiles.dies = false;
    world.begin_from_disk();
    world.pass(5_000);
    assert_eq!((on(&world).0, stage(&world)), ("work", Some(Stage::Done)));
    assert!(notice(&world).contains("Now on profile work"), "{}", notice(&world));
}

#[test]
fn one_that_left_the_registry_leads_back_and_that_is_told() {
    let mut world = world();
    world.switch(1, "work", false);
    world.pass(5_000);
    world.kill_agent();
    world.profiles.registry.remove("work");
    world.begin_from_disk();
    world.pass(5_000);
    assert_eq!(on(&world), ("desktop-local", "desktop-local"));
    assert!(notice(&world).contains("no profile work"), "{}", notice(&world));
}

#[test]
fn an_end_in_the_middle_is_an_end() {
    for at in 0..150 {
        let mut world = world();
        world.switch(1, "work", false);
        world.pass(at);
        let begun = stage(&world);
        world.give(Event::Shutdown);
        world.pass(30_000);
        assert!(world.exited && world.alive.is_empty(), "ended after {at} ms: {:?}", world.alive);
        world.begin_from_disk();
        world.pass(5_000);
        assert!(all_ready(&world) && !world.agent.is_switching() && world.faults.is_empty(), "ended after {at} ms");
        // the next one goes on from where it was
        let wanted = if matches!(begun, None | Some(Stage::Leaving)) { "desktop-local" } else { "work" };
        assert_eq!(on(&world).0, wanted, "ended after {at} ms");
    }
}
