//! The gateway takes the last word, whenever it comes: what somebody allows after it was over is seen.

use palyra_tray::core::event::{Click, Event};
use palyra_tray::core::inbox::WHOLE_OF_ONE;
use palyra_tray::core::simulate::World;
use palyra_tray::protocol::ServiceId;
use serde_json::json;

use super::{setup, started};

/// Ids of those that were told as allowed elsewhere, since the beginning.
fn told(world: &World) -> usize {
    world.timeline.iter().filter(|line| line.contains("notification \"Approved elsewhere: was it you?\"")).count()
}

/// Others ask meanwhile, so that what came before is not among the newest.
fn others_ask(world: &mut World, ms: u64) {
    for n in 0..ms / 20_000 {
        let id = format!("z{:09}-{n}", world.now.mono_ms);
        world.ask(&id, "low", 5, "true");
        world.pass(20_000);
    }
}

#[test]
fn what_was_denied_here_and_is_allowed_much_later_is_told_once() {
    let mut world = started();
    world.ask("a1", "high", 3_600, "git push");
    world.pass(1_000);
    assert!(world.click("Deny"));
    world.pass(1_000);
    assert_eq!(world.record("a1").map(|record| record["decision"].clone()), Some(json!("deny")));
    others_ask(&mut world, 600_000);
    assert_eq!(told(&world), 0);
    world.decide_elsewhere("a1", "allow");
    world.pass(2_500);
    let notice = &world.view().notices["event:elsewhere:a1"];
    assert!(notice.body.contains("git push") && notice.body.contains("It had been denied, or its time was over."));
    let labels: Vec<_> = notice.buttons.iter().map(|button| button.label.as_str()).collect();
    assert_eq!(labels, ["It was me", "Abort run"]);
    assert!(world.click("It was me"));
    others_ask(&mut world, 600_000);
    assert_eq!(told(&world), 1);
}

#[test]
fn so_is_what_was_denied_elsewhere_or_had_expired_or_was_over_before_this_agent() {
    let mut world = World::new(setup());
    let yesterday = world.now.unix_ms - 86_400_000;
    for (id, decision) in [("y1", Some("deny")), ("y2", None), ("y3", Some("timeout")), ("y4", Some("allow"))] {
        world.ask(id, "high", 900, "git push");
        world.change(id, |record| {
            record["requested_at_unix_ms"] = json!(yesterday);
            if let Some(decision) = decision {
                record["decision"] = json!(decision);
                record["resolved_at_unix_ms"] = json!(yesterday + 1_000);
            }
        });
    }
    world.pass(2_000);
    for (id, seconds) in [("a1", 3_600), ("a2", 30)] {
        world.ask(id, "high", seconds, "git push");
        world.pass(1_000);
    }
    world.decide_elsewhere("a1", "deny");
    others_ask(&mut world, 300_000);
    assert_eq!((told(&world), world.agent.inbox.waiting()), (0, 0));
    for id in ["y1", "y2", "y3", "a1", "a2"] {
        world.decide_elsewhere(id, "allow");
        world.pass(2_500);
        assert!(world.view().notices.contains_key(&format!("event:elsewhere:{id}")), "{id}");
    }
    others_ask(&mut world, 300_000);
    assert_eq!(told(&world), 5, "each once, and what was allowed before is history");
}

#[test]
fn one_that_is_only_counted_is_told_while_it_waits_and_after_it_has_expired() {
    let mut world = started();
    for n in 0..60 {
        world.ask(&format!("a{n:02}"), "low", if n == 0 { 200 } else { 3_600 }, "ls");
        world.pass(1_000);
    }
    world.ask("b", "high", 3_600, "make");
    world.change("b", |record| record["session_id"] = json!("another"));
    world.pass(100_000);
    let inbox = &world.agent.inbox;
    assert_eq!((inbox.pending.len(), inbox.waiting()), (WHOLE_OF_ONE + 1, 61));
    assert!(!inbox.pending.contains_key("a00") && !inbox.pending.contains_key("a01"));
    world.decide_elsewhere("a01", "allow");
    world.pass(6_000);
    assert!(world.view().notices["event:elsewhere:a01"].body.contains("\nSomebody allowed it"));
    world.pass(60_000);
    assert_eq!(world.agent.inbox.waiting(), 59, "the first has expired");
    world.decide_elsewhere("a00", "allow");
    world.pass(6_000);
    assert!(world.view().notices["event:elsewhere:a00"].body.contains("its time was over"));
    assert_eq!(told(&world), 2);
}

#[test]
fn what_is_allowed_denied_and_allowed_again_is_told_again_whoever_allowed_it_first() {
    for ours in [true, false] {
        let mut world = started();
        world.ask("a1", "high", 3_600, "git push");
        world.pass(1_000);
        if ours {
            assert!(world.click("Approve once"));
        } else {
            world.decide_elsewhere("a1", "allow");
        }
        world.pass(1_000);
        world.click("It was me");
        world.decide_elsewhere("a1", "deny");
        others_ask(&mut world, 120_000);
        let before = told(&world);
        assert_eq!(before, usize::from(!ours));
        world.decide_elsewhere("a1", "allow");
        world.pass(2_500);
        assert_eq!(told(&world), before + 1, "{:?}", world.view().notices.keys());
    }
}

/// At once and after others have asked for long; and denied in between, with no look at that.
#[test]
fn what_we_allowed_and_somebody_decides_anew_is_told() {
    for (later_ms, denied_unseen) in [(1_000, false), (1_000, true), (120_000, false), (120_000, true)] {
        let mut world = started();
        world.ask("a1", "high", 3_600, "git push");
        world.pass(1_000);
        assert!(world.click("Approve once"));
        world.pass(1_000);
        others_ask(&mut world, later_ms);
        assert_eq!(told(&world), 0);
        if denied_unseen {
            world.change("a1", |record| record["decision"] = json!("deny"));
        }
        world.decide_elsewhere("a1", "allow");
        world.pass(6_000);
        assert_eq!(told(&world), 1, "{later_ms} {denied_unseen} {:?}", world.view().notices.keys());
        let body = &world.view().notices["event:elsewhere:a1"].body;
        assert!(body.contains("had been allowed already"), "{body}");
        world.click("It was me");
        others_ask(&mut world, 120_000);
        assert!(!world.view().notices.contains_key("event:elsewhere:a1"), "once");
    }
}

/// Right after the denial, before any look has seen that.
#[test]
fn what_is_allowed_the_moment_it_was_denied_here_is_told() {
    let mut world = started();
    world.ask("a1", "high", 3_600, "git push");
    world.pass(1_000);
    others_ask(&mut world, 120_000);
    let sent = world.sent.len();
    assert!(world.click("Deny"));
    while world.sent.len() == sent {
        world.pass(1);
    }
    world.change("a1", |record| record["decision"] = json!("allow"));
    world.pass(6_000);
    assert_eq!(told(&world), 1);
}

/// A look saw it while ours was under way, which then came to nothing.
#[test]
fn what_is_allowed_while_our_decision_fails_is_told() {
    let mut world = started();
    world.ask("a1", "high", 3_600, "git push");
    world.pass(1_000);
    others_ask(&mut world, 120_000);
    assert!(world.click("Approve once"));
    world.decide_elsewhere("a1", "allow");
    world.pass(3);
    assert!(!world.agent.inbox.pending.contains_key("a1") && !world.agent.decisions.is_idle());
    world.give(Event::Recorded("a1".to_owned(), Err("the disk is full".to_owned())));
    assert_eq!(told(&world), 0);
    world.pass(1_000);
    assert_eq!((told(&world), world.sent.len()), (1, 0));
}

/// Also one that is only counted, the moment its time is over.
#[test]
fn what_is_allowed_the_moment_it_expired_is_told() {
    let mut world = started();
    for n in 0..60 {
        world.ask(&format!("a{n:02}"), "low", if n == 0 { 200 } else { 3_600 }, "ls");
        world.pass(1_000);
    }
    others_ask(&mut world, 120_000);
    let waiting = world.agent.inbox.waiting();
    while world.agent.inbox.waiting() == waiting {
        world.pass(1);
    }
    world.decide_elsewhere("a00", "allow");
    world.pass(6_000);
    assert_eq!(told(&world), 1);
}

/// The screen was locked meanwhile: the click is on what is not shown any more.
#[test]
fn an_alarm_that_is_held_back_is_not_put_away() {
    let mut world = started();
    world.ask("a1", "high", 3_600, "git push");
    world.pass(1_000);
    world.decide_elsewhere("a1", "allow");
    world.pass(1_000);
    let alarm = "event:elsewhere:a1";
    let put_away = world.view().notices[alarm].buttons[0].action.clone();
    world.give(Event::Locked(true));
    world.decide_elsewhere("a1", "allow");
    world.pass(1_000);
    world.give(Event::Clicked(put_away.clone(), Click::Notification));
    world.give(Event::Locked(false));
    assert!(world.view().notices.contains_key(alarm));
    world.give(Event::Clicked(put_away, Click::Notification));
    assert!(!world.view().notices.contains_key(alarm));
}

/// More than are remembered one by one.
#[test]
fn our_own_of_long_ago_are_no_alarm_when_everything_is_looked_at() {
    let mut world = started();
    for n in 0..300 {
        world.ask(&format!("a{n:03}"), "low", 300, "ls");
        world.pass(1_000);
        assert!(world.click("Approve once"), "{n}");
        world.pass(8_000);
    }
    world.end(ServiceId::Gateway, None);
    world.pass(20_000);
    assert!(world.agent.inbox.is_current());
    // one whose record changed under the click has everything looked at, too
    world.ask("b", "low", 300, "ls");
    world.pass(1_000);
    world.change("b", |record| record["prompt"]["summary"] = json!("rm"));
    assert!(world.click("Approve once"));
    world.pass(5_000);
    assert!(world.view().notices.contains_key("event:decision:b"));
    assert_eq!((told(&world), world.sent.len()), (0, 300));
}
