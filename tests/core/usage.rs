//! Usage events: none unless the person turned them on, and then exactly those that are named.

use palyra_tray::config::settings::Settings;
use palyra_tray::core::decisions::Unanswered;
use palyra_tray::core::event::{Click, Effect, Event, Setup};
use palyra_tray::core::simulate::World;
use palyra_tray::core::telemetry::{UNDER_WAY, UsageEvent};
use palyra_tray::protocol::ask::{AskRequest, Message, To};
use palyra_tray::protocol::{Action, Place, Request, Secret, ServiceId};
use serde_json::{Value, json};

const ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn world() -> World {
    let setup = Setup { start: true, browser: true, dialogs: true, seed: 7, ..Setup::default() };
    let mut world = World::new(setup);
    world.asks.answer = Some("Bread.".to_owned());
    world.pass(2_000);
    world
}

fn act(world: &mut World, action: Action) {
    world.give(Event::Asked(1, Request::Act { action }));
    world.pass(500);
}

fn turn(world: &mut World, enabled: bool) {
    act(world, Action::SetTelemetry { enabled });
}

fn message_id(n: u32) -> String {
    format!("01M8AASQ7C1RB63T77WX59{n:04}")
}

fn send(world: &mut World, n: u32, to: To) {
    let message = Message { message_id: message_id(n), text: Secret::new("my secret plan"), to };
    world.give(Event::Asked(2, Request::Message(AskRequest::Send(message))));
    world.pass(2_000);
}

/// Everything that a person does with it, once.
fn a_day(world: &mut World) {
    act(world, Action::Ask { to: To::Active });
    send(world, 1, To::Active);
    send(world, 2, To::Active);
    world.ask("a1", "high", 600, "git push secret-plan");
    world.change("a1", |record| {
        record["session_id"] = json!(ID);
        record["subject_id"] = json!("tool:custom.noop");
    });
    world.give(Event::Rang);
    world.pass(3_000);
    assert!(world.click("Approve once"));
    world.pass(1_000);
    world.ask("a2", "high", 600, "git push");
    world.pass(1_000);
    assert!(world.click("Deny"));
    world.pass(1_000);
    let place = Place { session_id: Some(ID.to_owned()), ..Place::section("chat") };
    act(world, Action::Open { place });
    act(world, Action::About);
    // what the tray does by itself, what others do, and what is looked at
    world.ask("a3", "high", 600, "git pull");
    world.pass(1_000);
    world.decide_elsewhere("a3", "deny");
    act(world, Action::PauseAgents);
    world.ask("a4", "high", 600, "git pull");
    world.pass(2_000);
    act(world, Action::ResumeAgents);
    act(world, Action::ExportBundle);
    act(world, Action::ShowLog { service: ServiceId::Gateway });
    world.give(Event::Asked(3, Request::Status));
    world.give(Event::Asked(4, Request::Menu));
    act(world, Action::SetBrowser { enabled: false });
    world.pass(60_000);
}

fn told(world: &World) -> Vec<(String, Value)> {
    let one = |event: &UsageEvent| (event.name.to_owned(), json!(event)["details"].take());
    world.usage.iter().map(one).collect()
}

#[test]
fn nothing_is_told_unless_it_was_turned_on() {
    let mut world = world();
    a_day(&mut world);
    assert_eq!(world.usage, []);
    assert!(world.asks.taken.len() == 2 && world.sent.len() == 3, "it was used");
    // nor after it was turned off again
    turn(&mut world, true);
    turn(&mut world, false);
    act(&mut world, Action::About);
    assert_eq!(world.usage, []);
    assert!(!Settings::default().telemetry && !Setup::default().telemetry);
}

#[test]
fn turned_on_exactly_the_named_ones_are_told_without_a_word_of_what_was_said() {
    let mut world = world();
    turn(&mut world, true);
    a_day(&mut world);
    let (first, all) = (message_id(1), told(&world));
    let detail = |n: usize, name: &str| all[n].1[name].as_str().unwrap_or_default().to_owned();
    let names: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "ux.surface.opened",
            "ux.session.resumed",
            "ux.chat.prompt_submitted",
            "ux.chat.prompt_submitted",
            "ux.approval.resolved",
            "ux.approval.resolved",
            "ux.handoff.opened",
            "ux.surface.opened",
        ]
    );
    assert_eq!((detail(0, "section"), detail(7, "section")), ("chat".to_owned(), "home".to_owned()));
    assert_eq!((detail(1, "sessionId"), detail(2, "sessionId")), (first.clone(), first.clone()));
    assert_eq!(detail(3, "sessionId"), first, "the same session");
    assert_eq!((detail(4, "outcome"), detail(4, "toolName")), ("approved".to_owned(), "custom.noop".to_owned()));
    assert_eq!((detail(4, "sessionId"), detail(5, "outcome")), (ID.to_owned(), "denied".to_owned()));
    assert_eq!((detail(6, "section"), detail(6, "sessionId")), ("chat".to_owned(), ID.to_owned()));
    let everything = json!(world.usage).to_string();
    for word in ["secret", "plan", "git", "Bread", "a1"] {
        assert!(!everything.contains(word), "{word} in {everything}");
    }
}

#[test]
fn an_event_for_a_gateway_that_is_not_there_or_does_not_take_it_is_dropped() {
    let mut world = world();
    turn(&mut world, true);
    act(&mut world, Action::Stop { service: None });
    act(&mut world, Action::About);
    act(&mut world, Action::Start { service: None });
    world.pass(10_000);
    assert_eq!(world.usage, [], "not afterwards either");
    // one that never answers is not asked for ever more
    let (mut agent, now) = (world.agent.clone(), world.now);
    let mut told = 0;
    for n in 0..100 {
        let action = if n % 2 == 0 { Action::About } else { Action::ContinueSetup };
        let effects = agent.update(Event::Clicked(action, Click::Menu), now);
        told += effects.iter().filter(|effect| matches!(effect, Effect::TellUsage(_))).count();
    }
    assert_eq!(told, UNDER_WAY);
    assert!(agent.sizes().iter().all(|(_, size, most)| size <= most));
}

#[test]
fn a_decision_that_was_not_taken_is_no_use() {
    let mut world = world();
    turn(&mut world, true);
    world.ask("a1", "high", 600, "git push");
    world.pass(1_000);
    assert!(world.click("Deny"));
    world.pass(5);
    let lost = Unanswered { why: "refused".to_owned(), may_have_acted: false, unreachable: false };
    world.give(Event::Sent("a1".to_owned(), Err(lost)));
    world.pass(1_000);
    assert_eq!(world.sent.len(), 1);
    assert_eq!(world.usage, []);
}

#[test]
fn the_switch_is_in_the_menu_and_in_the_settings_and_is_written_down() {
    let mut world = world();
    assert!(world.menu("Note in Palyra's journal how Palyra Tray is used"));
    act(&mut world, Action::About);
    assert_eq!(world.usage.len(), 1);
    // by hand, while it runs
    world.give(Event::SettingsRead(Box::default(), Vec::new()));
    act(&mut world, Action::ContinueSetup);
    assert_eq!(world.usage.len(), 1);
    let on = Settings { telemetry: true, ..Settings::default() };
    world.give(Event::SettingsRead(Box::new(on), Vec::new()));
    act(&mut world, Action::ContinueSetup);
    assert_eq!(world.usage.len(), 2);
    let off = Event::Asked(9, Request::Act { action: Action::SetTelemetry { enabled: false } });
    let saved = Effect::SaveSwitch("telemetry.events", false);
    assert!(world.agent.update(off, world.now).contains(&saved));
}
