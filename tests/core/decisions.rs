//! Each guard on the way of a decision, by itself: one that another one stands behind is not seen to be gone from outside.

use palyra_tray::core::compose;
use palyra_tray::core::decisions::{DecisionOrder, Decisions, Surface};
use palyra_tray::core::event::{Click, Effect, Event};
use palyra_tray::core::inbox::{Missed, Pending, Standing};
use palyra_tray::core::notices::{self, Server};
use palyra_tray::core::record::Record;
use palyra_tray::core::simulate::{World, print_menu};
use palyra_tray::core::time::Now;
use palyra_tray::protocol::{Action, Decision, Reply, Request, Scope, Verdict};

use super::{approve_once, started};

/// An approval that waits for five minutes, and when it was asked for.
fn asked() -> (Pending, Now) {
    let mut world: World = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    (world.agent.inbox.pending["a1"].clone(), world.now)
}

fn decision(pending: &Pending, verdict: Verdict) -> Decision {
    let digest = pending.digest.clone();
    Decision { approval_id: "a1".to_owned(), digest, verdict, scope: Scope::Once, ttl_ms: None, reason: None }
}

/// Both clocks after the end, and each of them alone.
fn ends(now: Now) -> [Now; 3] {
    let late = now.plus(300_000);
    [late, Now { unix_ms: now.unix_ms, ..late }, Now { mono_ms: now.mono_ms, ..late }]
}

fn refused(orders: &[DecisionOrder]) -> String {
    match orders.last() {
        Some(DecisionOrder::Finish { result: Err(failure), .. }) => failure.message.clone(),
        _ => panic!("not refused: {orders:?}"),
    }
}

#[test]
fn what_has_expired_on_either_clock_is_refused_at_each_step() {
    let (pending, now) = asked();
    for verdict in [Verdict::Approve, Verdict::Deny] {
        for end in ends(now) {
            let (mut decisions, mut orders) = (Decisions::default(), Vec::new());
            let mut begin =
                |at| decisions.begin(decision(&pending, verdict), Surface::Cli, None, Some(Standing::of(&pending, at)));
            assert!(begin(end).expect_err("at the click").message.contains("has expired"));
            begin(now).expect("in time");
            decisions.read("a1", Ok(pending.record.clone()), end, &mut orders);
            assert!(refused(&orders).contains("has expired"), "at the second reading");

            decisions = Decisions::default();
            let standing = Some(Standing::of(&pending, now));
            decisions.begin(decision(&pending, verdict), Surface::Cli, None, standing).expect("in time");
            decisions.read("a1", Ok(pending.record.clone()), now, &mut orders);
            decisions.recorded("a1", Ok(()), false, end, &mut orders);
            assert!(refused(&orders).contains("expired before"), "before it is sent");
            assert!(!orders.iter().any(|order| matches!(order, DecisionOrder::Send(_))), "{orders:?}");
        }
    }
}

#[test]
fn a_pause_while_the_intent_is_written_ends_an_approval_and_no_denial() {
    let (pending, now) = asked();
    for verdict in [Verdict::Approve, Verdict::Deny] {
        let (mut decisions, mut orders) = (Decisions::default(), Vec::new());
        let standing = Some(Standing::of(&pending, now));
        decisions.begin(decision(&pending, verdict), Surface::Cli, None, standing).expect("in time");
        decisions.read("a1", Ok(pending.record.clone()), now, &mut orders);
        orders.clear();
        decisions.recorded("a1", Ok(()), true, now, &mut orders);
        match verdict {
            Verdict::Approve => assert!(refused(&orders).contains("all agents are paused")),
            Verdict::Deny => assert!(matches!(&orders[..], [DecisionOrder::Send(_)]), "{orders:?}"),
        }
    }
}

#[test]
fn only_a_notification_that_can_be_taken_back_approves() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    for (actions, withdraws) in [(true, true), (true, false), (false, true)] {
        let server = Server { name: "dunst".to_owned(), actions, withdraws };
        let notices = notices::approvals(&world.agent.inbox, &server);
        let buttons = &notices["approval:a1"].buttons;
        let offers = |wanted| {
            buttons.iter().any(|button| matches!(&button.action, Action::Decide { verdict, .. } if *verdict == wanted))
        };
        assert_eq!((offers(Verdict::Approve), offers(Verdict::Deny)), (actions && withdraws, actions));
    }
}

#[test]
fn what_was_refused_because_it_changed_waits_again_however_old_it_is() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    let button = approve_once(&world);
    world.pass(90_000);
    world.ask("a2", "low", 300, "ls");
    world.pass(500);
    world.change("a1", |record| record["prompt"]["summary"] = "rm".into());
    world.give(Event::Clicked(button, Click::Notification));
    world.pass(2_000);
    assert!(world.sent.is_empty());
    assert_eq!(world.agent.inbox.pending["a1"].record.prompt.summary, "rm");
}

#[test]
fn nothing_is_read_for_an_approval_while_all_is_paused() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    let decision = decision(&world.agent.inbox.pending["a1"].clone(), Verdict::Approve);
    world.agent.paused = true;
    let effects = world.agent.update(Event::Asked(1, Request::Decide(decision)), world.now);
    let refused =
        |effect: &Effect| matches!(effect, Effect::Reply(1, Reply::Error(why)) if why.message.contains("paused"));
    assert!(effects.iter().any(refused), "at once: {effects:?}");
}

#[test]
fn after_a_look_that_failed_what_is_shown_says_that_it_is_old() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    let (agent, now) = (&mut world.agent, world.now.plus(1_000));
    let effects = agent.update(Event::Rang, now);
    let round =
        effects.iter().find_map(|effect| if let Effect::Look(order) = effect { Some(order.round) } else { None });
    let missed = Missed { why: "nobody answers".to_owned(), leave_alone_ms: None };
    agent.update(Event::Looked(round.expect("a look"), Err(missed)), now);
    let menu = print_menu(&compose::view(agent, now).menu, 0);
    assert!(menu.contains("Approvals (1), highest risk low, not up to date"), "{menu}");
    let list = agent.update(Event::Asked(1, Request::Approvals { all: false }), now);
    assert!(list.iter().any(|effect| matches!(effect, Effect::Reply(1, Reply::Error(_)))), "{list:?}");
}

#[test]
fn an_allowance_that_the_second_reading_finds_is_told_at_once() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    let (button, now) = (approve_once(&world), world.now);
    let mut raw = world.agent.inbox.pending["a1"].record.raw.clone();
    raw["decision"] = "allow".into();
    raw["resolved_at_unix_ms"] = now.unix_ms.into();
    world.agent.update(Event::Clicked(button, Click::Notification), now);
    world.agent.update(Event::RecordRead("a1".to_owned(), Ok(Record::from_value(raw).expect("a record"))), now);
    assert!(world.agent.events.contains_key("event:elsewhere:a1"));
}
