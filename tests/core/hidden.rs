//! Secrets in the words of a model, a provider or the person are shown to whoever asks for these words, and nowhere else.

use std::sync::Arc;

use palyra_tray::core::ask::{AskEvent, Over, RunState};
use palyra_tray::core::event::{Event, Setup};
use palyra_tray::core::redact::Redactor;
use palyra_tray::core::simulate::{World, print_menu};
use palyra_tray::core::snapshot;
use palyra_tray::protocol::ask::{AskRequest, Message, To};
use palyra_tray::protocol::{Reply, Request, Secret};
use serde_json::json;

const KNOWN: &str = "planted+literal/77";
const SHAPED: &str = "sk-proj-plantedABCDEFGH0123456789";

fn id(n: u32) -> String {
    format!("01M8AASQ7C1RB63T77WX59{n:04}")
}

fn world() -> World {
    let mut world = World::new(Setup { start: true, browser: true, dialogs: true, seed: 7, ..Setup::default() });
    world.give(Event::Known(Arc::new(Redactor::new([KNOWN.to_owned()]))));
    world.pass(2_000);
    world
}

fn send(world: &mut World, n: u32, text: &str) {
    let message = Message { message_id: id(n), text: Secret::new(text), to: To::New };
    world.give(Event::Asked(u64::from(n), Request::Message(AskRequest::Send(message))));
    world.pass(2_000);
}

/// Everything that is shown without being asked for.
fn shown(world: &World) -> String {
    let notices = world.view().notices.values().map(|notice| format!("{}\n{}\n", notice.title, notice.body));
    let kept = world.agent.companion.profile().notifications.iter().map(|one| format!("{}\n{}\n", one.title, one.body));
    let menu = print_menu(&world.view().menu, 0);
    format!(
        "{}{}{menu}{}",
        notices.collect::<String>(),
        kept.collect::<String>(),
        snapshot::snapshot(&world.agent, world.now)
    )
}

#[track_caller]
fn clean(world: &World, remains: &str) {
    let shown = shown(world);
    for secret in [KNOWN, SHAPED, "planted%2Bliteral%2F77"] {
        let at = shown.find(secret).map(|at| shown[at.saturating_sub(200)..at].to_owned());
        assert_eq!(at, None, "{secret}");
    }
    assert!(shown.contains("<redacted>") && shown.contains(remains), "{shown}");
}

#[test]
fn an_answer_with_a_secret_is_whole_for_whoever_waits_and_for_nobody_else() {
    let mut world = world();
    let answer = format!("It is {KNOWN}, in a URL planted%2Bliteral%2F77.\nThe other one: {SHAPED}");
    world.asks.answer = Some(answer.clone());
    send(&mut world, 1, &format!("what is behind {KNOWN}?"));
    world.run("s1", "r1", "in_progress", 0);
    world.pass(3_000);
    clean(&world, "Palyra answered: what is behind");
    assert!(world.view().notices[&format!("event:run:{}", id(1))].body.starts_with("It is <redacted>"));
    let ask = AskRequest::Answer { message_id: id(1) };
    world.give(Event::Asked(9, Request::Message(ask)));
    let waited = world.replies.iter().find_map(|(ticket, reply)| match reply {
        Reply::Data(data) if *ticket == 9 => data["answer"].as_str().map(str::to_owned),
        _ => None,
    });
    assert_eq!(waited, Some(answer));
}

#[test]
fn so_is_what_a_provider_says_when_it_fails() {
    let mut world = world();
    world.asks.answer = None;
    let error = format!("The provider said: key {SHAPED} of {KNOWN} is not welcome");
    for (n, text) in [(1, "hello"), (2, "and the next")] {
        send(&mut world, n, text);
        world.give(Event::Ask(AskEvent::Accepted(id(n), format!("RUN-{n}"))));
        world.give(Event::Ask(AskEvent::Over(id(n), Over::Broken)));
        if n == 1 {
            world.give(Event::Asked(9, Request::Message(AskRequest::Answer { message_id: id(n) })));
        }
        let state = RunState { state: "failed".to_owned(), error: error.clone(), answer: None, updated_at_unix_ms: 1 };
        world.give(Event::Ask(AskEvent::Ran(id(n), Ok(Some(state)))));
    }
    clean(&world, "Palyra could not answer: and the next");
    let replies = format!("{:?}", world.replies);
    assert!(
        replies.contains("no answer came")
            && replies.contains("is not welcome")
            && !replies.contains(KNOWN)
            && !replies.contains(SHAPED),
        "{replies}"
    );
}

#[test]
fn a_draft_is_shown_by_its_words_only_to_who_opens_it() {
    let mut world = World::new(Setup { start: false, dialogs: true, seed: 7, ..Setup::default() });
    world.give(Event::Known(Arc::new(Redactor::new([KNOWN.to_owned()]))));
    world.pass(1_000);
    let text = format!("mind {KNOWN} and {SHAPED}");
    send(&mut world, 1, &text);
    clean(&world, "mind <redacted> and <redacted>");
    world.give(Event::Asked(9, Request::Message(AskRequest::Draft { draft_id: id(1) })));
    assert!(format!("{:?}", world.replies).contains(KNOWN), "who asks for it gets it");
}

#[test]
fn titles_that_the_gateway_makes_of_what_was_said_are_clean_too() {
    let mut world = world();
    world.run("s1", "r1", "in_progress", 0);
    world.chats.rows[0]["title"] = json!(format!("About {KNOWN}"));
    world.chats.rows[0]["preview"] = json!(format!("It is {KNOWN} or {SHAPED}"));
    world.pass(3_000);
    world.chats.rows[0]["last_run_state"] = json!("done");
    world.give(Event::Rang);
    world.pass(3_000);
    clean(&world, "About <redacted>");
    assert_eq!(world.view().notices["event:run:r1"].body, "About <redacted>");
}
