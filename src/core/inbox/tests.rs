//! What the inbox keeps when clocks and gateways play tricks on it.

use super::*;
use crate::core::simulate::acp_record;

const START: Now = Now { mono_ms: 1_000, unix_ms: 1_800_000_000_000 };

fn record(id: &str, at: Now) -> Record {
    Record::from_value(acp_record(id, "low", 300, "ls", at.unix_ms)).unwrap()
}

fn looks(inbox: &mut Inbox, records: Vec<Record>, now: Now) -> LookOrder {
    inbox.ring(now);
    let order = inbox.step(now).expect("a look is due");
    let newest_requested_at = records.iter().map(|record| record.requested_at_unix_ms).max();
    inbox.looked(order.round, Ok(Look { records, newest_requested_at, ..Look::default() }), now).expect("an answer");
    order
}

#[test]
fn a_clock_that_is_set_back_brings_nothing_back_that_has_ended() {
    let mut inbox = Inbox::default();
    inbox.open(START);
    let asked = record("a1", START);
    looks(&mut inbox, vec![asked.clone()], START);
    let later = START.plus(300_000);
    looks(&mut inbox, vec![asked.clone()], later);
    assert!(inbox.pending.is_empty());
    let set_back = Now { unix_ms: START.unix_ms, ..later.plus(1_000) };
    looks(&mut inbox, vec![asked], set_back);
    assert!(inbox.pending.is_empty());
    looks(&mut inbox, vec![record("a2", set_back)], set_back.plus(1_000));
    assert_eq!(inbox.pending.len(), 1, "what is asked from then on waits");
}

/// The look that was under way then takes what was allowed meanwhile for history: the next one has to see it.
#[test]
fn a_clock_that_is_set_back_during_a_look_hides_no_allowance() {
    let mut inbox = Inbox::default();
    inbox.open(START);
    let before = record("a1", START);
    let under_way = inbox.step(START).expect("a look is due");
    let set_back = Now { unix_ms: START.unix_ms - 3_600_000, ..START.plus(100) };
    assert_eq!(inbox.step(set_back), None);
    let mut allowed = acp_record("a2", "low", 300, "ls", set_back.unix_ms);
    for (field, value) in [
        ("decision", "allow".into()),
        ("resolved_at_unix_ms", (set_back.unix_ms + 1_000).into()),
        ("updated_at_unix_ms", (set_back.unix_ms + 1_000).into()),
    ] {
        allowed[field] = value;
    }
    let records = [before, Record::from_value(allowed).unwrap()];
    let later = set_back.plus(90_000);
    let seen = Sieve::sieved(&under_way, records.clone());
    let first = inbox.looked(under_way.round, Ok(seen), later).expect("an answer");
    inbox.ring(later);
    let order = inbox.step(later.plus(500)).expect("a look is due");
    let second = inbox.looked(order.round, Ok(Sieve::sieved(&order, records)), later.plus(500)).expect("an answer");
    assert_eq!(first.allowed.len() + second.allowed.len(), 1);
}

#[test]
fn what_is_not_what_it_was_is_looked_for_among_everything_until_a_look_succeeds() {
    let mut inbox = Inbox::default();
    inbox.open(START);
    looks(&mut inbox, vec![record("a1", START)], START);
    let now = START.plus(90_000);
    looks(&mut inbox, vec![record("a1", START), record("a2", now)], now);
    inbox.doubt("a1");
    assert!(!inbox.pending.contains_key("a1"));
    let now = now.plus(1_000);
    inbox.ring(now);
    let failed = inbox.step(now).expect("a look is due");
    assert_eq!(failed.since_unix_ms, None);
    inbox.looked(failed.round, Err(Missed::default()), now);
    let now = now.plus(5_000);
    let order = looks(&mut inbox, vec![record("a1", START), record("a2", now)], now);
    assert_eq!(order.since_unix_ms, None);
    assert!(inbox.pending.contains_key("a1"));
    let now = now.plus(1_000);
    assert!(looks(&mut inbox, vec![record("a2", now)], now).since_unix_ms.is_some(), "once is enough");
}

/// Looks with a ring every 200 ms for a minute, and none after that: those that were late ones, and the newest look.
#[test]
fn late_allowances_are_asked_for_now_and_then_and_once_more_after_the_last_ring() {
    let mut inbox = Inbox { watch: Watch::Doorbell, ..Inbox::default() };
    inbox.open(START);
    let denied = Record::from_value({
        let mut raw = acp_record("a1", "low", 300, "ls", START.unix_ms);
        raw["decision"] = serde_json::json!("deny");
        raw
    });
    let order = inbox.step(START).expect("a look");
    let look = Sieve::sieved(&order, denied);
    inbox.looked(order.round, Ok(look), START);
    let mut now = START.plus(120_000);
    looks(&mut inbox, vec![record("a2", now)], now);
    let (mut late, mut asked, mut silent) = (Vec::new(), 0, 0);
    for step in 0..600 {
        now = now.plus(200);
        if step < 300 {
            inbox.ring(now);
        }
        let Some(order) = inbox.step(now) else { continue };
        assert!(order.since_unix_ms.is_some_and(|since| since > START.unix_ms));
        asked += 1;
        silent += usize::from(step >= 300);
        if let Some(since) = order.late_since_unix_ms {
            assert_eq!(since, START.unix_ms);
            late.push(step);
        }
        let look = Sieve::sieved(&order, [record("a2", now)]);
        inbox.looked(order.round, Ok(look), now);
    }
    assert!(asked >= 300 && (28..=36).contains(&late.len()), "{} of {asked}", late.len());
    assert!(late.windows(2).all(|two| two[1] - two[0] >= 10), "{late:?}");
    // one after the last ring, and the safety looks of a minute
    assert!(late.contains(&309) || late.iter().any(|step| (300..310).contains(step)), "{late:?}");
    assert!(silent <= 4, "{silent} looks at a quiet gateway");
}

#[test]
fn what_is_over_is_remembered_up_to_a_limit_the_newest() {
    let mut over = Over::default();
    for n in 0..10_000 {
        over.insert(Mark::new(n * 7 % 10_000, &format!("a{n}")));
    }
    assert_eq!((over.len(), over.oldest_unix_ms()), (OVER, Some(10_000 - 4_096)));
    let newest = Mark::new(9_999, "a2857");
    assert!(over.contains(newest) && over.remove(newest) && !over.remove(newest));
}

#[test]
fn whether_one_that_expired_is_allowed_is_asked_from_then_on() {
    let mut inbox = Inbox::default();
    inbox.open(START);
    looks(&mut inbox, vec![record("a1", START)], START);
    let expired = Mark::of(&record("a1", START));
    assert!(!looks(&mut inbox, vec![record("a1", START)], START.plus(299_000)).over.contains(expired));
    for later in [300_000, 900_000] {
        let order = looks(&mut inbox, Vec::new(), START.plus(later));
        assert!(order.over.contains(expired) && !order.known.contains("a1"), "{later}");
    }
}

#[test]
fn a_look_at_an_earlier_gateway_is_not_believed() {
    let mut inbox = Inbox::default();
    inbox.open(START);
    let earlier = inbox.step(START).expect("a look is due");
    inbox.close();
    inbox.open(START.plus(1_000));
    let now = inbox.step(START.plus(1_000)).expect("a look is due");
    let found = || Ok(Look { records: vec![record("a1", START)], ..Look::default() });
    assert_eq!(inbox.looked(earlier.round, found(), START.plus(1_000)), None);
    assert!(inbox.pending.is_empty() && !inbox.is_current());
    assert!(inbox.looked(now.round, found(), START.plus(1_000)).is_some());
}
