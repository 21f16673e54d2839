//! Messages in the whole agent, on the virtual clock.

use super::*;
use crate::core::event::{Click, Event, Setup};
use crate::core::service::Phase;
use crate::core::simulate::World;
use crate::protocol::shim::ExitCause;
use crate::protocol::{Action, Request};

const TEXT: &str = "What is on my list?";

fn world(start: bool) -> World {
    let mut world = World::new(Setup { start, dialogs: true, seed: 7, ..Setup::default() });
    world.asks.answer = Some("Bread.".to_owned());
    world.pass(2_000);
    world
}

fn id(n: u32) -> String {
    format!("01M8AASQ7C1RB63T77WX59{n:04}")
}

fn send(world: &mut World, ticket: Ticket, n: u32) {
    let message = Message { message_id: id(n), text: Secret::new(TEXT), to: To::Active };
    world.give(Event::Asked(ticket, Request::Message(AskRequest::Send(message))));
}

fn ask(world: &mut World, ticket: Ticket, request: AskRequest) -> Vec<Effect> {
    let now = world.now;
    world.agent.update(Event::Asked(ticket, Request::Message(request)), now)
}

fn drafts(world: &World) -> Vec<&Draft> {
    world.agent.companion.profile().drafts.iter().collect()
}

fn failure_of(effects: &[Effect]) -> Failure {
    let failure = effects.iter().find_map(|effect| match effect {
        Effect::Reply(_, Reply::Error(failure)) => Some(failure.clone()),
        _ => None,
    });
    failure.expect("a failure")
}

#[test]
fn an_answer_that_nobody_waits_for_is_a_notification_and_the_session_is_used_again() {
    let mut world = world(true);
    send(&mut world, 1, 1);
    world.pass(5_000);
    let notice = &world.view().notices[&format!("event:run:{}", id(1))];
    assert_eq!((notice.title.as_str(), notice.body.as_str()), ("Palyra answered: What is on my list?", "Bread."));
    // a session of its own, which the next message goes to
    assert_eq!(world.agent.companion.profile().session_id, Some(id(1)));
    assert_eq!(world.agent.companion.profile().latest_run.as_ref().unwrap().state, "done");
    send(&mut world, 2, 2);
    world.pass(5_000);
    assert!(world.timeline.join("\n").contains(&format!("sends message {} to session {}", id(2), id(1))));
    assert!(world.asks.kept.is_empty() && drafts(&world).is_empty());
    // whoever passes by does not read it
    world.give(Event::Locked(true));
    assert!(!world.view().notices.keys().any(|key| key.starts_with("event:run:")));
}

#[test]
fn the_end_of_a_run_of_ours_is_told_by_its_answer_only() {
    let mut world = world(true);
    for n in 1..=3 {
        send(&mut world, 1, n);
        // it runs in a session of its own, and the next message is sent before its end is seen
        world.run(&id(n), &format!("RUN-{}", id(n)), "in_progress", 0);
    }
    world.pass(5_000);
    for n in 1..=3 {
        world.run(&id(n), &format!("RUN-{}", id(n)), "done", 0);
    }
    world.pass(5_000);
    let titles: Vec<_> = world.view().notices.values().map(|notice| notice.title.as_str()).collect();
    assert_eq!(titles, ["Palyra answered: What is on my list?"; 3]);
}

#[test]
fn who_waits_gets_the_answer_and_no_notification() {
    let mut world = world(true);
    send(&mut world, 1, 1);
    ask(&mut world, 2, AskRequest::Answer { message_id: id(1) });
    world.pass(5_000);
    assert!(world.view().notices.is_empty(), "{:?}", world.view().notices);
    let effects = ask(&mut world, 3, AskRequest::Answer { message_id: id(1) });
    let [Effect::Reply(3, Reply::Data(data)), ..] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((data["answer"].as_str(), data["status"].as_str()), (Some("Bread."), Some("answered")));
    // the one who waited goes away: then it is told
    send(&mut world, 4, 2);
    ask(&mut world, 5, AskRequest::Answer { message_id: id(2) });
    world.give(Event::ClientGone(5));
    world.pass(5_000);
    assert!(world.view().notices.contains_key(&format!("event:run:{}", id(2))));
}

#[test]
fn without_a_gateway_it_becomes_a_draft_which_is_sent_on_the_persons_word_only() {
    let mut world = world(false);
    send(&mut world, 1, 1);
    world.pass(1_000);
    let [draft] = drafts(&world)[..] else { panic!("{:?}", drafts(&world)) };
    assert_eq!((draft.text.as_str(), draft.maybe_sent, draft.session_id.as_deref()), (TEXT, false, None));
    assert!(world.asks.kept.is_empty(), "the trace goes once the draft is on the disk");
    assert!(world.menu("Start"));
    world.pass(60_000);
    assert!(matches!(world.agent.fleet.get(ServiceId::Gateway).phase, Phase::Ready { .. }));
    assert!(world.asks.taken.is_empty(), "sent without a word");
    // a click twice sends once
    let send_it = Action::SendDraft { draft_id: id(1) };
    world.give(Event::Clicked(send_it.clone(), Click::Notification));
    world.give(Event::Clicked(send_it, Click::Notification));
    world.pass(5_000);
    assert_eq!(world.asks.taken, [id(1)]);
    assert!(drafts(&world).is_empty());
}

#[test]
fn the_twenty_first_is_given_back() {
    let mut world = world(false);
    for n in 0..20 {
        send(&mut world, u64::from(n), n);
    }
    world.pass(1_000);
    assert_eq!(drafts(&world).len(), 20);
    let message = Message { message_id: id(21), text: Secret::new(TEXT), to: To::New };
    ask(&mut world, 99, AskRequest::Send(message));
    let now = world.now;
    let failure = failure_of(&world.agent.update(Event::Ask(AskEvent::Kept(Ok(()))), now));
    assert_eq!(failure.code, FailureCode::Refused);
    assert!(failure.message.contains("20 drafts are kept already"), "{}", failure.message);
    assert_eq!(drafts(&world).len(), 20);
}

#[test]
fn with_drafts_switched_off_the_text_is_given_back() {
    let mut world = world(false);
    world.agent.companion.set_flag(Flag::OfflineDraftsEnabled, false);
    let message = Message { message_id: id(1), text: Secret::new(TEXT), to: To::New };
    ask(&mut world, 1, AskRequest::Send(message));
    let now = world.now;
    let failure = failure_of(&world.agent.update(Event::Ask(AskEvent::Kept(Ok(()))), now));
    assert!(failure.code == FailureCode::Refused && failure.message.contains("switched off"), "{failure:?}");
    // a reply typed into a notification has nobody who waits: the notification gives it back
    let mut world = self::world(false);
    world.agent.companion.set_flag(Flag::OfflineDraftsEnabled, false);
    let (message_id, session_id) = (id(2), "S".to_owned());
    world.give(Event::Ask(AskEvent::Replied { message_id, session_id, text: Secret::new("Yes, do") }));
    world.pass(1_000);
    let notice = &world.view().notices[&draft_key(&id(2))];
    assert!(notice.body.contains("You wrote: Yes, do"), "{}", notice.body);
    assert!(drafts(&world).is_empty());
    world.give(Event::Locked(true));
    assert!(!world.view().notices.contains_key(&draft_key(&id(2))), "whoever passes by does not read it");
}

#[test]
fn what_cannot_be_known_is_a_draft_that_says_so() {
    let mut world = world(true);
    world.asks.answer = None;
    send(&mut world, 1, 1);
    world.pass(1_000);
    let lost = crate::core::ask::Lost { why: "lost".to_owned(), may_have_acted: true, refused: false, again_ms: None };
    // the gateway's books are empty for ever, and it lives
    world.asks.taken.clear();
    world.give(Event::Ask(AskEvent::Over(id(1), crate::core::ask::Over::Lost(lost))));
    world.pass(60_000);
    let [draft] = drafts(&world)[..] else { panic!("{:?}", drafts(&world)) };
    assert!(draft.maybe_sent && draft.text == TEXT);
    assert_eq!(draft.session_id, Some(id(1)), "there it is looked for");
}

#[test]
fn a_crash_between_draft_and_trace_makes_no_second_one() {
    let mut first = world(false);
    send(&mut first, 1, 1);
    first.pass(1_000);
    let state = first.saved.last().unwrap().clone();
    let message = Message { message_id: id(1), text: Secret::new(TEXT), to: To::New };
    let asks = vec![Intent::new(message, Origin::New)];
    let mut world = World::new(Setup { start: true, seed: 7, state, asks, ..Setup::default() });
    world.pass(60_000);
    assert_eq!(drafts(&world).len(), 1);
    assert!(world.asks.taken.is_empty());
}

#[test]
fn a_gateway_that_ends_in_the_middle_is_not_the_end_of_the_message() {
    let mut world = world(true);
    world.asks.answer = None;
    send(&mut world, 1, 1);
    world.pass(1_000);
    world.give(Event::Ask(AskEvent::Accepted(id(1), format!("RUN-{}", id(1)))));
    world.end(ServiceId::Gateway, Some(ExitCause::Code { code: 1 }));
    world.give(Event::Ask(AskEvent::Over(id(1), crate::core::ask::Over::Broken)));
    world.asks.answer = Some("Bread.".to_owned());
    world.pass(60_000);
    assert!(world.view().notices.contains_key(&format!("event:run:{}", id(1))), "{:?}", world.view().notices);
    assert_eq!(world.asks.taken, [id(1)]);
}

#[test]
fn the_menu_asks_and_shows_drafts_and_opens_one_window() {
    let mut world = world(false);
    assert!(world.menu("Ask Palyra…") && world.menu("Ask Palyra…"));
    assert_eq!(world.timeline.join("\n").matches("opens Ask(Active)").count(), 1);
    send(&mut world, 1, 1);
    world.pass(1_000);
    assert!(world.menu(TEXT));
    assert!(world.timeline.join("\n").contains("opens Draft("));
    world.agent.companion.set_flag(Flag::CompanionShellEnabled, false);
    world.give(Event::Wake);
    assert!(!world.menu("Ask Palyra…"));
}

#[test]
fn nothing_is_sent_while_all_agents_are_paused() {
    let mut world = world(true);
    world.give(Event::Clicked(Action::PauseAgents, Click::Menu));
    send(&mut world, 1, 1);
    world.pass(5_000);
    assert!(world.asks.taken.is_empty());
    assert_eq!(drafts(&world)[0].reason, "All agents are paused.");
}

#[test]
fn a_draft_on_its_way_is_neither_sent_again_nor_discarded() {
    let mut world = world(false);
    send(&mut world, 1, 1);
    world.pass(1_000);
    assert!(world.menu("Start"));
    world.pass(60_000);
    world.asks.answer = None;
    ask(&mut world, 2, AskRequest::SendDraft { draft_id: id(1), new: false });
    for request in [AskRequest::SendDraft { draft_id: id(1), new: false }, AskRequest::DiscardDraft { draft_id: id(1) }]
    {
        let failure = failure_of(&ask(&mut world, 3, request));
        assert!(failure.message.contains("is being sent"), "{failure:?}");
    }
    assert_eq!(drafts(&world).len(), 1);
}

#[test]
fn a_draft_that_may_have_been_sent_goes_to_no_new_session_and_stays_one() {
    let mut world = world(false);
    let draft = Draft {
        id: id(1),
        text: TEXT.to_owned(),
        created_at_unix_ms: 7,
        session_id: Some("S".to_owned()),
        reason: String::new(),
        maybe_sent: true,
    };
    world.agent.companion.keep_draft(draft).unwrap();
    let failure = failure_of(&ask(&mut world, 2, AskRequest::SendDraft { draft_id: id(1), new: true }));
    assert_eq!(failure.code, FailureCode::Refused, "where it may be it is looked for: {failure:?}");
    // the gateway is not there, so nothing is known that was not known before
    world.give(Event::Asked(3, Request::Message(AskRequest::SendDraft { draft_id: id(1), new: false })));
    world.pass(1_000);
    let [draft] = drafts(&world)[..] else { panic!("{:?}", drafts(&world)) };
    assert!(draft.maybe_sent && draft.reason == "Palyra is stopped.", "{draft:?}");
    assert_eq!(draft.created_at_unix_ms, 7, "it is as old as it is");
}

#[test]
fn what_became_a_draft_before_a_crash_is_that_draft() {
    let mut first = world(false);
    send(&mut first, 1, 1);
    first.pass(1_000);
    let mut state = first.saved.last().unwrap().clone();
    let kept = &mut state.profiles.get_mut(&state.active_profile).unwrap().drafts[0];
    kept.reason = "as it was told".to_owned();
    let message = Message { message_id: id(1), text: Secret::new(TEXT), to: To::New };
    let asks = vec![Intent::new(message, Origin::New)];
    let mut world = World::new(Setup { start: true, seed: 7, state, asks, ..Setup::default() });
    world.pass(60_000);
    assert_eq!(drafts(&world)[0].reason, "as it was told");
    assert!(!world.view().notices.contains_key(&draft_key(&id(1))), "it was told before");
}

#[test]
fn what_is_too_long_or_comes_at_the_end_is_refused() {
    let mut world = world(true);
    let long = |text: String| Message { message_id: id(1), text: Secret::new(text), to: To::Active };
    let failure = failure_of(&ask(&mut world, 1, AskRequest::Send(long("x".repeat(TEXT_MAX + 1)))));
    assert!(failure.code == FailureCode::Refused && failure.message.contains(&TEXT_MAX.to_string()), "{failure:?}");
    world.agent.update(Event::Shutdown, world.now);
    let failure = failure_of(&ask(&mut world, 2, AskRequest::Send(long("x".to_owned()))));
    assert!(failure.code == FailureCode::Refused && world.agent.asks.open().next().is_none(), "{failure:?}");
}

#[test]
fn a_new_session_is_asked_for_by_the_id_of_its_message() {
    let mut world = world(true);
    world.agent.companion.set_session(Some("S".to_owned()));
    let message = Message { message_id: id(1), text: Secret::new(TEXT), to: To::New };
    world.give(Event::Asked(1, Request::Message(AskRequest::Send(message))));
    world.pass(5_000);
    let wanted = format!("sends message {} to session {}", id(1), id(1));
    assert!(world.timeline.join("\n").contains(&wanted), "{:?}", world.timeline);
}
