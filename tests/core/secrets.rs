//! Rotating the secrets: who starts again, and that wherever it is cut short everybody has what is kept.

use std::collections::BTreeMap;

use palyra_tray::core::agent::Agent;
use palyra_tray::core::event::{Effect, Event, Secrets};
use palyra_tray::core::secrets::{self, Rotated};
use palyra_tray::core::service::Phase;
use palyra_tray::core::simulate::World;
use palyra_tray::core::time::Now;
use palyra_tray::protocol::secrets::{SecretName, SecretsRequest};
use palyra_tray::protocol::{FailureCode, Reply, Request, ServiceId};

use super::{check_timeline, launched_since, living, setup, started};

fn replies(world: &World) -> Vec<&Reply> {
    world.replies.iter().map(|(_, reply)| reply).collect()
}

fn refusal(world: &World) -> (FailureCode, String) {
    match replies(world).last() {
        Some(Reply::Error(failure)) => (failure.code, format!("{}. {}", failure.message, failure.hint)),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn timeline_of_new_secrets_and_a_kill_in_the_middle() {
    check_timeline(
        "new-secrets",
        "wait 1s\nrotate admin-token\nwait 1s\nrotate browser-token\nwait 20ms\nkill agent\nwait 2s\nrotate\nwait 2s",
    );
}

#[test]
fn exactly_who_uses_a_secret_starts_again_and_then_it_is_over() {
    for names in [
        vec![SecretName::AdminToken],
        vec![SecretName::BrowserToken],
        vec![SecretName::BrowserStateKey],
        vec![SecretName::AdminToken, SecretName::BrowserStateKey],
    ] {
        let mut world = started();
        let before = world.launches.len();
        world.rotate(1, &names);
        world.pass(5_000);
        let mut restarted = launched_since(&world, before);
        restarted.sort_unstable();
        assert_eq!(restarted, secrets::services(&names), "{names:?}");
        assert_eq!((world.strangers(), &world.store.noted), (Vec::new(), &Vec::new()), "{names:?}");
        let [Reply::Done(words)] = replies(&world)[..] else { panic!("{:?}", world.replies) };
        assert!(words.contains("new") && words.contains("Ready"), "{words}");
        // once is enough
        world.pass(60_000);
        assert_eq!(launched_since(&world, before).len(), restarted.len());
    }
}

#[test]
fn killed_at_any_moment_everybody_has_what_is_kept_after_the_next_start() {
    let mut finished_later = 0;
    for names in [vec![SecretName::AdminToken], vec![SecretName::BrowserToken], SecretName::ALL.to_vec()] {
        for at_ms in 0..80 {
            let mut world = started();
            world.rotate(1, &names);
            world.pass(at_ms);
            finished_later += u32::from(!world.store.noted.is_empty());
            world.kill_agent();
            world.pass(10);
            world.next_agent(setup());
            world.pass(60_000);
            let context = format!("{names:?} killed after {at_ms} ms:\n{}", world.timeline.join("\n"));
            assert_eq!((world.strangers(), world.store.noted.len()), (Vec::new(), 0), "{context}");
            assert!(world.faults.is_empty(), "{:?} {context}", world.faults);
            assert!(ServiceId::ALL[..2].iter().all(|id| world.agent.fleet.get(*id).is_ready()), "{context}");
        }
    }
    assert!(finished_later > 100, "most of these kills were in the middle of it: {finished_later}");
}

#[test]
fn killed_twice_it_is_finished_all_the_same() {
    for at_ms in (0..200).step_by(7) {
        let mut world = started();
        world.rotate(1, &SecretName::ALL);
        world.pass(20);
        for _ in 0..2 {
            world.kill_agent();
            world.pass(10);
            world.next_agent(setup());
            world.pass(at_ms);
        }
        world.pass(60_000);
        assert_eq!((world.strangers(), world.store.noted.len()), (Vec::new(), 0), "{at_ms} ms");
    }
}

#[test]
fn what_does_not_run_is_not_started_for_it() {
    let mut world = started();
    world.give(Event::Asked(9, Request::Act { action: palyra_tray::protocol::Action::Stop { service: None } }));
    world.pass(5_000);
    let before = world.launches.len();
    world.rotate(1, &SecretName::ALL);
    world.pass(5_000);
    assert!(launched_since(&world, before).is_empty() && world.store.noted.is_empty());
    assert!(matches!(replies(&world).last(), Some(Reply::Done(words)) if words.contains("Nothing")));
    world.give(Event::Asked(9, Request::Act { action: palyra_tray::protocol::Action::Start { service: None } }));
    world.pass(5_000);
    assert_eq!(world.strangers(), []);
}

#[test]
fn what_the_config_gives_is_refused_with_what_to_do() {
    let mut world = started();
    world.write_config(Some("version = 1\nadmin.auth_token = \"theirs\"\n"));
    world.pass(20_000);
    let before = world.launches.len();
    world.rotate(1, &[SecretName::AdminToken]);
    let (code, words) = refusal(&world);
    assert_eq!(code, FailureCode::Refused);
    assert!(words.contains("admin.auth_token") && words.contains("Change it there"), "{words}");
    // all that are ours
    world.rotate(2, &[]);
    world.pass(5_000);
    assert_eq!(world.store.values, BTreeMap::from([(SecretName::BrowserToken, 1), (SecretName::BrowserStateKey, 1)]));
    assert_eq!(launched_since(&world, before).len(), 2);
}

#[test]
fn profiles_are_not_lost_unless_the_person_agreed() {
    let mut world = started();
    let names = vec![SecretName::BrowserStateKey];
    world.give(Event::Asked(1, Request::Secrets(SecretsRequest::Rotate { names, lose_profiles: false })));
    assert!(refusal(&world).1.contains("profiles"));
    assert!(world.store.values.is_empty());
}

#[test]
fn without_secrets_or_while_another_is_under_way_nothing_is_made() {
    let mut world = started();
    world.give(Event::Secrets(Secrets::Waiting("the keyring is locked".to_owned())));
    world.rotate(1, &SecretName::ALL);
    assert!(refusal(&world).1.contains("locked"));
    world.give(Event::Secrets(Secrets::Ready { place: "keyring".to_owned(), warning: String::new() }));
    world.rotate(2, &[SecretName::AdminToken]);
    world.rotate(3, &[SecretName::AdminToken]);
    assert!(refusal(&world).1.contains("under way"));
    world.pass(5_000);
    assert_eq!(world.store.values[&SecretName::AdminToken], 1);
    world.rotate(4, &[SecretName::AdminToken]);
    world.pass(5_000);
    assert_eq!(world.store.values[&SecretName::AdminToken], 2);
}

#[test]
fn what_was_not_changed_restarts_nobody_and_what_was_half_changed_is_told() {
    let mut world = started();
    let before = world.launches.len();
    world.store.mishap = Some(Rotated::Not("the keyring is locked".to_owned()));
    world.rotate(1, &SecretName::ALL);
    world.pass(5_000);
    assert!(refusal(&world).1.contains("locked"));
    world.store.mishap = Some(Rotated::Unfinished("the keyring went away".to_owned()));
    world.rotate(2, &SecretName::ALL);
    world.pass(5_000);
    assert!(refusal(&world).1.contains("went away"));
    assert!(world.view().notices.contains_key("event:secrets"));
    assert!(launched_since(&world, before).is_empty());
    // the late end of it
    world.give(Event::Rotated(None, Rotated::Stored(SecretName::ALL.to_vec())));
    world.pass(5_000);
    assert_eq!(launched_since(&world, before).len(), 2);
    assert!(!world.view().notices.contains_key("event:secrets"));
}

#[test]
fn a_rotation_keeps_nothing_alive_that_is_to_end() {
    let mut world = started();
    world.rotate(1, &SecretName::ALL);
    world.give(Event::Shutdown);
    let before = world.launches.len();
    world.pass(30_000);
    assert!(world.exited && launched_since(&world, before).is_empty());
    assert!(world.agent.fleet.iter().all(|service| service.phase == Phase::Stopped));
}

#[test]
fn one_that_is_found_after_the_note_starts_again_too() {
    let now = Now { mono_ms: 0, unix_ms: 1_800_000_000_000 };
    let mut agent = Agent::new(setup(), now);
    agent.update(Event::Secrets(Secrets::Ready { place: "keyring".to_owned(), warning: String::new() }), now);
    let names = vec![SecretName::AdminToken];
    let effects = agent.update(Event::Rotated(None, Rotated::Stored(names)), now);
    assert!(!effects.contains(&Effect::RotationOver), "nobody has looked who lives");
    let effects = agent.update(Event::Found(ServiceId::Browserd, living(ServiceId::Browserd)), now);
    assert!(effects.iter().all(|effect| !matches!(effect, Effect::Stop(..))), "it is not told that one");
    let effects = agent.update(Event::Found(ServiceId::Gateway, living(ServiceId::Gateway)), now);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Stop(ServiceId::Gateway, _))), "{effects:?}");
    assert!(!effects.contains(&Effect::RotationOver));
}
