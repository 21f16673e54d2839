//! The rollout flags of the earlier desktop app: each one gates what it names, and nothing else.

use palyra_tray::core::companion::Flag;
use palyra_tray::core::event::{Event, Setup};
use palyra_tray::core::simulate::{World, print_menu};
use palyra_tray::protocol::ask::{AskRequest, Message, To};
use palyra_tray::protocol::{Action, Reply, Request, Secret, ServiceId};

const FIRST: &str = "01M8AASQ7C1RB63T77WX590001";

fn set(world: &mut World, flag: Flag, enabled: bool) {
    world.give(Event::Asked(1, Request::Act { action: Action::SetFlag { flag, enabled } }));
    world.pass(100);
}

fn send(world: &mut World, message_id: &str) -> Option<String> {
    let message = Message { message_id: message_id.to_owned(), text: Secret::new("What now?"), to: To::Active };
    let before = world.replies.len();
    world.give(Event::Asked(2, Request::Message(AskRequest::Send(message))));
    world.pass(2_000);
    world.replies[before..].iter().find_map(|(_, reply)| match reply {
        Reply::Error(failure) => Some(failure.message.clone()),
        _ => None,
    })
}

/// A message was answered, another session is there, a run goes on, an approval waits, and something has happened.
fn world() -> World {
    let mut world = World::new(Setup { start: true, browser: true, dialogs: true, seed: 7, ..Setup::default() });
    world.asks.answer = Some("Bread.".to_owned());
    world.pass(2_000);
    assert_eq!(send(&mut world, FIRST), None);
    world.run("s1", "r1", "in_progress", 0);
    world.ask("a1", "high", 600, "git push");
    world.pass(3_000);
    world
}

/// The menu without the ticks of the flags themselves.
fn menu(world: &World) -> String {
    let text = print_menu(&world.view().menu, 0);
    text.split("Note in Palyra's journal").next().unwrap_or_default().to_owned()
}

fn keys(world: &World) -> Vec<&str> {
    world.view().notices.keys().map(String::as_str).collect()
}

#[test]
fn the_shell_is_asking_drafts_sessions_and_the_recent_events() {
    let mut world = world();
    let (answer, companion) = (format!("event:run:{FIRST}"), ["Ask Palyra…", "Ask in another", "Chat: ", "Recent"]);
    let buttons = |world: &World| {
        let all = &world.view().notices[&format!("event:run:{FIRST}")].buttons;
        all.iter().map(|button| button.label.clone()).collect::<Vec<_>>()
    };
    for part in companion {
        assert!(menu(&world).contains(part), "{part} in {}", menu(&world));
    }
    assert_eq!(buttons(&world), ["Open chat", "Reply…"]);
    set(&mut world, Flag::CompanionShellEnabled, false);
    for part in companion {
        assert!(!menu(&world).contains(part), "{part} in {}", menu(&world));
    }
    assert!(keys(&world).contains(&answer.as_str()));
    assert_eq!(buttons(&world), ["Open chat"], "what would be refused is not offered");
    let refused = send(&mut world, "01M8AASQ7C1RB63T77WX590002").expect("a refusal");
    assert!(refused.contains("companion_shell_enabled"), "{refused}");
    world.give(Event::Asked(3, Request::Act { action: Action::Ask { to: To::New } }));
    assert!(!world.timeline.join("\n").contains("opens Ask"), "{:?}", world.timeline);
    // whoever watches over agents sees as much as before
    let menu = menu(&world);
    for part in ["Approvals (1)", "Active runs (1)", "Pause all agents", "Open Chat", "Gateway: "] {
        assert!(menu.contains(part), "{part} in {menu}");
    }
    assert!(keys(&world).contains(&"approval:a1"));
    set(&mut world, Flag::CompanionShellEnabled, true);
    assert_eq!(send(&mut world, "01M8AASQ7C1RB63T77WX590003"), None);
}

#[test]
fn another_session_is_a_new_one_or_one_of_the_newest_but_not_the_one_used_last() {
    let first = World::new(Setup { start: true, browser: true, dialogs: true, seed: 7, ..Setup::default() });
    assert!(!menu(&first).contains("Ask in another session"), "there is none but a new one");
    let mut world = world();
    world.run(FIRST, "r0", "done", 0);
    world.pass(3_000);
    let menu = menu(&world);
    let part = menu.split("Ask in another session").nth(1).and_then(|rest| rest.split("Go to").next()).expect("rows");
    assert!(part.contains("A new session…") && part.contains("Session s1…") && !part.contains(FIRST), "{part}");
    assert!(world.menu("A new session…") && world.menu("Session s1…"));
    let opened = world.timeline.join("\n");
    assert!(opened.contains("opens Ask(New)") && opened.contains("opens Ask(Session(\"s1\"))"), "{opened}");
}

#[test]
fn the_ambient_companion_is_the_window_of_its_own() {
    let mut world = world();
    let ask = |world: &mut World, to: To| {
        world.timeline.clear();
        world.give(Event::Asked(3, Request::Act { action: Action::Ask { to } }));
        world.pass(500);
        world.timeline.join("\n")
    };
    assert!(ask(&mut world, To::Active).contains("opens Ask(Active)"));
    set(&mut world, Flag::AmbientCompanionEnabled, false);
    assert!(!menu(&world).contains("Ask "), "{}", menu(&world));
    let opened = ask(&mut world, To::Session(FIRST.to_owned()));
    assert!(opened.contains(&format!("opens /#/chat?sessionId={FIRST}")) && !opened.contains("Ask("), "{opened}");
    // nothing else: one may ask on the command line and answer in a notification
    assert_eq!(send(&mut world, "01M8AASQ7C1RB63T77WX590002"), None);
    assert!(menu(&world).contains("Recent") && menu(&world).contains("Chat: "));
    assert_eq!(world.view().notices[&format!("event:run:{FIRST}")].buttons.len(), 2);
    // it is a part of the shell
    set(&mut world, Flag::AmbientCompanionEnabled, true);
    set(&mut world, Flag::CompanionShellEnabled, false);
    assert!(!world.agent.companion.allows(Flag::AmbientCompanionEnabled));
}

#[test]
fn notifications_are_of_every_kind_but_the_answers_to_the_person() {
    let mut world = world();
    assert!(keys(&world).len() >= 2);
    let before = menu(&world);
    set(&mut world, Flag::DesktopNotificationsEnabled, false);
    assert_eq!(keys(&world), [""; 0]);
    assert_eq!(menu(&world), before, "the menu is no notification");
    let answer =
        world.agent.companion.profile().notifications.iter().any(|one| one.title.starts_with("Palyra answered"));
    assert!(answer, "they are kept all the same");
    world.give(Event::LogNotShown("no program opens it".to_owned()));
    assert_eq!(keys(&world), ["event:log"]);
    set(&mut world, Flag::DesktopNotificationsEnabled, true);
    assert!(keys(&world).contains(&"approval:a1"));
}

#[test]
fn drafts_are_only_what_is_not_sent() {
    let mut world = world();
    set(&mut world, Flag::OfflineDraftsEnabled, false);
    assert_eq!(send(&mut world, "01M8AASQ7C1RB63T77WX590002"), None, "it is sent as ever");
    world.give(Event::Asked(3, Request::Act { action: Action::Stop { service: Some(ServiceId::Gateway) } }));
    world.pass(2_000);
    let refused = send(&mut world, "01M8AASQ7C1RB63T77WX590004").expect("a refusal");
    assert!(refused.contains("offline_drafts_enabled"), "{refused}");
    assert!(world.agent.companion.profile().drafts.is_empty());
    set(&mut world, Flag::OfflineDraftsEnabled, true);
    send(&mut world, "01M8AASQ7C1RB63T77WX590005");
    assert_eq!(world.agent.companion.profile().drafts.len(), 1);
    assert!(menu(&world).contains("Drafts (1)"));
}

#[test]
fn the_voice_flags_are_kept_and_switch_nothing() {
    for flag in [
        Flag::VoiceCaptureEnabled,
        Flag::VoiceOverlayEnabled,
        Flag::VoiceSilenceDetectionEnabled,
        Flag::TtsPlaybackEnabled,
    ] {
        assert_eq!(flag.switches(), None, "{}", flag.name());
        let mut world = world();
        let before = world.view().clone();
        let on = world.agent.companion.profile().flag(flag);
        set(&mut world, flag, !on);
        assert_eq!(world.agent.companion.profile().flag(flag), !on);
        assert_eq!(*world.view(), before, "{}", flag.name());
        let answers: Vec<_> = world.replies.iter().filter(|(ticket, _)| *ticket == 1).map(|(_, reply)| reply).collect();
        assert!(matches!(answers[..], [Reply::Done(text)] if text.contains("nothing that it switches")), "{answers:?}");
    }
}
