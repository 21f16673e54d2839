//! The preferences while the agent runs: read once a write has settled, told once, applied at once.

use std::collections::BTreeSet;

use palyra_tray::config::settings::Settings;
use palyra_tray::core::agent::preferences::SETTLE_MS;
use palyra_tray::core::companion::Kind;
use palyra_tray::core::event::{Click, Effect, Event};
use palyra_tray::core::service::Goal;
use palyra_tray::core::simulate::World;
use palyra_tray::protocol::{Action, ServiceId};

use super::started;

fn read(world: &mut World, settings: Settings, warnings: &[&str]) {
    let warnings = warnings.iter().map(|warning| (*warning).to_owned()).collect();
    world.give(Event::SettingsRead(Box::new(settings), warnings));
    world.pass(100);
}

/// As the world began.
fn settings() -> Settings {
    Settings::default()
}

#[test]
fn an_editor_empties_the_file_before_it_fills_it() {
    let mut world = started();
    let (mut agent, now) = (world.agent.clone(), world.now);
    let mut looks = |event: Event, ms: u64| agent.update(event, now.plus(ms)).contains(&Effect::LookAtSettings);
    assert!(!looks(Event::SettingsRang, 0));
    assert!(!looks(Event::SettingsRang, SETTLE_MS - 1), "it is written on");
    assert!(!looks(Event::Wake, 2 * SETTLE_MS - 2));
    assert!(looks(Event::Wake, 2 * SETTLE_MS - 1));
    assert!(!looks(Event::Wake, 9 * SETTLE_MS), "once");
    world.give(Event::SettingsRang);
    assert!(world.agent.deadline().is_some_and(|at| at <= now.mono_ms + SETTLE_MS), "it is woken for it");
}

#[test]
fn what_is_not_understood_is_told_once_until_it_is_mended() {
    let mut world = started();
    let told = |world: &World| world.view().notices.get("event:settings").map(|notice| notice.body.clone());
    read(&mut world, settings(), &["services.browsr is unknown and ignored"]);
    assert!(told(&world).is_some_and(|body| body.contains("browsr")));
    world.give(Event::NoticeGone("event:settings".to_owned()));
    read(&mut world, settings(), &["services.browsr is unknown and ignored"]);
    assert_eq!(told(&world), None, "the person has read that");
    read(&mut world, settings(), &["tray.panle is unknown and ignored"]);
    assert!(told(&world).is_some_and(|body| body.contains("panle")));
    read(&mut world, settings(), &[]);
    assert_eq!(told(&world), None, "mended");
}

#[test]
fn what_is_written_by_hand_is_applied_at_once() {
    let mut world = started();
    let before = world.launches.len();
    let silent: BTreeSet<_> = [Kind::Run].into();
    let by_hand =
        Settings { browser: false, config_restarts: false, enrolment: true, silent: silent.clone(), ..settings() };
    read(&mut world, by_hand.clone(), &[]);
    world.pass(5_000);
    assert_eq!(world.agent.fleet.get(ServiceId::Browserd).goal, Goal::Down);
    assert!(!world.agent.setup.browser && !world.agent.setup.config_restarts && world.agent.node.allowed);
    assert_eq!(world.agent.setup.silent, silent);
    assert_eq!(world.launches[before..].len(), 1, "the gateway, which learns of it from its environment");
    read(&mut world, by_hand, &[]);
    world.pass(5_000);
    assert_eq!(world.launches[before..].len(), 1, "nothing has changed");
}

#[test]
fn what_is_as_it_was_is_not_written() {
    let world = started();
    let (mut agent, now) = (world.agent.clone(), world.now);
    let mut saves = |action: Action| {
        let effects = agent.update(Event::Clicked(action, Click::Menu), now);
        effects.into_iter().filter(|effect| matches!(effect, Effect::SaveSwitch(..))).count()
    };
    for (enabled, wanted) in [(true, 0), (false, 1), (false, 0), (true, 1)] {
        assert_eq!(saves(Action::SetNotifications { kind: Kind::Run, enabled }), wanted, "notifications {enabled}");
    }
    for (enabled, wanted) in [(false, 0), (true, 1), (true, 0), (false, 1)] {
        assert_eq!(saves(Action::SetTelemetry { enabled }), wanted, "telemetry {enabled}");
    }
}
