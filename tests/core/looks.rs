//! When the inbox looks at the gateway, and what it takes from an old look.

use super::*;

#[test]
fn a_journal_that_cannot_be_watched_is_polled_faster_while_something_waits() {
    let mut inbox = Inbox::default();
    let mut now = Now::default();
    let looks = |inbox: &mut Inbox, now: &mut Now, records: &[Record]| {
        let end = now.mono_ms + 60_000;
        let mut count = 0;
        while now.mono_ms < end {
            let next = inbox.deadline().unwrap_or(end).max(now.mono_ms + 1);
            *now = now.plus(next - now.mono_ms);
            if let Some(order) = inbox.step(*now) {
                count += 1;
                inbox.looked(order.round, Ok(Look { records: records.to_vec(), ..Look::default() }), *now);
            }
        }
        count
    };
    inbox.open(now);
    let quiet = looks(&mut inbox, &mut now, &[]);
    let raw = simulate::acp_record("a1", "low", 600, "ls", now.unix_ms);
    let busy = looks(&mut inbox, &mut now, &[Record::from_value(raw).unwrap()]);
    assert!((10..=14).contains(&quiet) && (50..=62).contains(&busy), "{quiet} {busy}");
}

/// When an inbox looks that is rung at these moments and answered at once; the first look is that of its opening, at 0.
pub(super) fn looks_when_rung(rings: &[u64]) -> Vec<u64> {
    let mut inbox = Inbox::default();
    inbox.watch = Watch::Doorbell;
    let mut looks = Vec::new();
    let mut at = |mono_ms: u64, ring: bool, inbox: &mut Inbox| {
        let now = Now::default().plus(mono_ms);
        if ring {
            inbox.ring(now);
        }
        if let Some(order) = inbox.step(now) {
            looks.push(mono_ms);
            inbox.looked(order.round, Ok(Look::default()), now);
        }
    };
    inbox.open(Now::default());
    at(0, false, &mut inbox);
    for ring in rings.iter().copied().chain(rings.last().map(|last| last + 1_000)) {
        while let Some(due) = inbox.deadline().filter(|due| *due < ring) {
            at(due, false, &mut inbox);
        }
        if rings.contains(&ring) {
            at(ring, true, &mut inbox);
        }
    }
    looks
}

#[test]
fn a_burst_of_rings_is_looked_at_once_and_once_more() {
    assert_eq!(looks_when_rung(&[1_000, 1_010, 1_100, 1_250, 5_000]), [0, 1_000, 1_200, 1_400, 5_000]);
}

#[test]
fn after_a_restart_the_inbox_is_not_known_before_the_gateway_has_answered() {
    let mut inbox = Inbox::default();
    let now = Now::default();
    inbox.open(now);
    let order = inbox.step(now).expect("a look");
    inbox.looked(order.round, Ok(Look::default()), now);
    assert!(inbox.is_current());
    inbox.ring(now.plus(500));
    let old = inbox.step(now.plus(500)).expect("a look");
    inbox.close();
    inbox.open(now.plus(1_000));
    assert!(!inbox.is_current());
    inbox.step(now.plus(1_000)).expect("a look at the new gateway");
    inbox.looked(old.round, Ok(Look::default()), now.plus(1_000));
    assert!(!inbox.is_current(), "the old gateway's answer came late");
}

#[test]
fn what_could_not_be_understood_is_not_forgotten_by_the_next_look() {
    let mut inbox = Inbox::default();
    let now = Now { mono_ms: 0, unix_ms: 1_800_000_000_000 };
    inbox.open(now);
    let order = inbox.step(now).expect("a look");
    inbox.looked(
        order.round,
        Ok(Look { newest_requested_at: Some(now.unix_ms), unreadable: 1, ..Look::default() }),
        now,
    );
    let later = now.plus(120_000);
    assert_eq!(inbox.step(later).map(|order| order.since_unix_ms), Some(None), "all of it, with that one");
}

#[test]
fn a_look_that_began_before_a_decision_does_not_bring_it_back() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    let waiting = world.agent.inbox.pending["a1"].record.clone();
    let mut inbox = world.agent.inbox.clone();
    inbox.ring(world.now);
    let order = inbox.step(world.now).expect("a look");
    inbox.settle("a1");
    inbox.looked(order.round, Ok(Look { records: vec![waiting], ..Look::default() }), world.now);
    assert!(inbox.pending.is_empty());
}
