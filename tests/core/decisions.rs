//! Each guard on the way of a decision, by itself: one that another one stands behind is not seen to be gone from outside.

use palyra_tray::core::decisions::{DecisionOrder, Decisions, Surface};
use palyra_tray::core::inbox::{Pending, Standing};
use palyra_tray::core::simulate::World;
use palyra_tray::core::time::Now;
use palyra_tray::protocol::{Decision, Scope, Verdict};

use super::started;

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
