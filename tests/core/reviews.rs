//! Whoever shows a record hears of its end at once, and an answer after it is refused.

use palyra_tray::core::agent::FOLLOW_MS;
use palyra_tray::core::event::{Event, Setup};
use palyra_tray::core::inbox::WHOLE;
use palyra_tray::core::simulate::World;
use palyra_tray::protocol::{Decision, Reply, Request, Scope, Standing, Verdict};

use super::{setup, started};

fn digest(world: &World, id: &str) -> String {
    world.agent.inbox.pending[id].digest.clone()
}

fn follow(world: &mut World, ticket: u64, id: &str, in_window: bool) {
    let digest = digest(world, id);
    world.give(Event::Asked(ticket, Request::Follow { approval_id: id.to_owned(), digest, in_window }));
}

fn told(world: &World, ticket: u64) -> Option<Standing> {
    let (_, reply) = world.replies.iter().find(|(of, _)| *of == ticket)?;
    let Reply::Data(value) = reply else { panic!("{reply:?}") };
    Some(serde_json::from_value(value.clone()).expect("a standing"))
}

fn asked() -> World {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    world
}

#[test]
fn every_end_is_told_at_once_and_no_end_before_it() {
    type End = fn(&mut World);
    let ends: [(&str, End, u64, Standing); 5] = [
        ("decided elsewhere", |world| world.decide_elsewhere("a1", "deny"), 300, Standing::Settled),
        ("decided in the notification", |world| assert!(world.click("Deny")), 300, Standing::Settled),
        (
            "changed",
            |world| {
                world.change("a1", |record| record["prompt"]["summary"] = "rm -r /".into());
                world.give(Event::Rang);
            },
            300,
            Standing::Changed,
        ),
        ("locked", |world| world.give(Event::Locked(true)), 0, Standing::Locked),
        ("ending", |world| world.give(Event::Shutdown), 0, Standing::Ending),
    ];
    for (name, end, within, expected) in ends {
        let mut world = asked();
        follow(&mut world, 7, "a1", true);
        world.pass(1_000);
        assert_eq!(told(&world, 7), None, "{name}");
        end(&mut world);
        world.pass(within);
        assert_eq!(told(&world, 7), Some(expected), "{name}");
    }
}

#[test]
fn its_expiry_is_told_to_the_millisecond() {
    let mut world = started();
    world.ask("a1", "low", 10, "ls");
    world.pass(300);
    follow(&mut world, 7, "a1", true);
    let left = world.agent.inbox.pending["a1"].expires_mono_ms - world.now.mono_ms;
    world.pass(left - 1);
    assert_eq!(told(&world, 7), None);
    world.pass(1);
    assert_eq!(told(&world, 7), Some(Standing::Settled));
}

#[test]
fn who_asks_is_answered_after_a_while_and_asks_again() {
    let mut world = asked();
    follow(&mut world, 7, "a1", true);
    world.pass(FOLLOW_MS - 1);
    assert_eq!(told(&world, 7), None);
    world.pass(1);
    assert_eq!(told(&world, 7), Some(Standing::Waits));
    world.decide_elsewhere("a1", "allow");
    world.pass(300);
    assert_eq!(world.replies.iter().filter(|(ticket, _)| *ticket == 7).count(), 1, "it is forgotten");
}

#[test]
fn what_is_not_known_to_be_over_is_not_told_as_over() {
    let mut world = asked();
    follow(&mut world, 7, "a1", true);
    let run = world.agent.fleet.get(palyra_tray::protocol::ServiceId::Gateway).run.as_ref().expect("a run").id.clone();
    // the gateway goes and comes back: what waits still waits
    world.give(Event::Ended(palyra_tray::protocol::ServiceId::Gateway, run, None));
    world.pass(2_000);
    assert_eq!(told(&world, 7), None);
    let mut unread = World::new(Setup { start: false, ..setup() });
    let request = Request::Follow { approval_id: "a1".to_owned(), digest: "d".to_owned(), in_window: true };
    unread.give(Event::Asked(8, request));
    assert_eq!(told(&unread, 8), None, "the inbox was never read");
}

/// Too many wait to have them all at hand.
#[test]
fn one_that_is_only_counted_is_followed_too() {
    let mut world = started();
    for n in 0..=WHOLE {
        world.ask(&format!("a{n:04}"), if n == 0 { "low" } else { "high" }, 300, "ls");
    }
    world.pass(2_000);
    let id = "a0000";
    assert!(!world.agent.inbox.pending.contains_key(id) && world.agent.inbox.waiting() == WHOLE + 1);
    let digest = world.agent.inbox.standing(id, world.now).expect("it waits").digest;
    let request = Request::Follow { approval_id: id.to_owned(), digest, in_window: true };
    world.give(Event::Asked(7, request));
    world.pass(1_000);
    assert_eq!(told(&world, 7), None);
    world.decide_elsewhere(id, "deny");
    world.pass(1_000);
    assert_eq!(told(&world, 7), Some(Standing::Settled));
}

#[test]
fn a_locked_screen_takes_no_answer_of_a_window_and_a_terminal_elsewhere_goes_on() {
    let mut world = asked();
    follow(&mut world, 7, "a1", false);
    world.give(Event::Locked(true));
    world.pass(100);
    assert_eq!(told(&world, 7), None, "a terminal is not on that screen");
    let decision = |world: &World| Decision {
        approval_id: "a1".to_owned(),
        digest: digest(world, "a1"),
        verdict: Verdict::Approve,
        scope: Scope::Once,
        ttl_ms: None,
        reason: None,
    };
    let late = decision(&world);
    world.give(Event::Asked(8, Request::DecideReviewed(late.clone())));
    world.pass(300);
    assert!(world.sent.is_empty());
    let refused = world.replies.iter().find(|(ticket, _)| *ticket == 8).expect("an answer");
    assert!(matches!(&refused.1, Reply::Error(failure) if failure.message.contains("locked")), "{refused:?}");
    world.give(Event::Asked(9, Request::Decide(late)));
    world.pass(300);
    assert_eq!(world.sent.len(), 1);
}

#[test]
fn a_late_answer_to_what_has_changed_is_refused() {
    let mut world = asked();
    let shown = digest(&world, "a1");
    world.change("a1", |record| record["prompt"]["summary"] = "rm -r /".into());
    world.give(Event::Rang);
    world.pass(300);
    let decision = Decision {
        approval_id: "a1".to_owned(),
        digest: shown,
        verdict: Verdict::Approve,
        scope: Scope::Once,
        ttl_ms: None,
        reason: None,
    };
    world.give(Event::Asked(8, Request::DecideReviewed(decision)));
    world.pass(300);
    assert!(world.sent.is_empty());
}
