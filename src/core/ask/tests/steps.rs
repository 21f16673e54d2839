//! Single steps, driven by hand.

use super::*;

const fn at(mono_ms: u64) -> Now {
    Now { mono_ms, unix_ms: 1 }
}

fn life(name: &str) -> RunId {
    RunId(name.to_owned())
}

fn message(n: usize) -> Message {
    let message_id = format!("{}{n:02}", &ID[..ID.len() - 2]);
    Message { message_id, text: Secret::new(TEXT), to: To::Session("S".to_owned()) }
}

fn session() -> Session {
    Session { id: "S".to_owned(), title: String::new() }
}

/// One message that has found its session, which is being written; gateway G1.
fn stored() -> (Asks, String) {
    let (mut asks, mut orders) = (Asks::default(), Vec::new());
    asks.step(Some(&life("G1")), true, at(0), &mut orders);
    asks.begin(message(1), Origin::New, None, &mut orders).unwrap();
    asks.told(AskEvent::Kept(Ok(())), at(0), &mut orders);
    let id = message(1).message_id;
    asks.told(AskEvent::Opened(id.clone(), Ok(session())), at(0), &mut orders);
    (asks, id)
}

/// As an earlier agent left it.
fn left(accepted: bool, sent: bool) -> Intent {
    let mut intent = Intent::new(message(1), Origin::New);
    intent.session = Some(session());
    intent.sent_at_unix_ms = sent.then_some(1);
    intent.gateway = sent.then(|| life("G1"));
    intent.accepted = accepted;
    if accepted {
        intent.run_id = "R".to_owned();
    }
    intent
}

fn told(asks: &mut Asks, event: AskEvent) -> Vec<AskOrder> {
    orders_of(asks, |asks, orders| asks.told(event, at(0), orders))
}

fn is_sent(orders: &[AskOrder]) -> bool {
    orders.iter().any(|order| matches!(order, AskOrder::Work(AskWork::Send { .. })))
}

fn outcome(orders: &[AskOrder]) -> Option<Outcome> {
    orders.iter().find_map(|order| match order {
        AskOrder::Finished(finished) => Some(finished.outcome.clone()),
        _ => None,
    })
}

#[test]
fn after_a_crash_what_was_accepted_is_waited_for_however_long_its_gateway_is_away() {
    let (mut asks, mut orders) = (Asks::default(), Vec::new());
    asks.restore(vec![left(true, true)], at(0));
    for ms in [0, UNKNOWN_MS, 2 * UNKNOWN_MS] {
        asks.step(None, true, at(ms), &mut orders);
    }
    assert_eq!(outcome(&orders), None, "it is no draft: it was taken");
    asks.step(Some(&life("G2")), true, at(3 * UNKNOWN_MS), &mut orders);
    assert!(matches!(&orders[..], [AskOrder::Work(AskWork::ReadRun { run_id, .. })] if run_id == "R"), "{orders:?}");
}

#[test]
fn after_a_crash_what_was_not_sent_is_said_at_once() {
    let (mut asks, mut orders) = (Asks::default(), Vec::new());
    asks.restore(vec![left(false, false)], at(0));
    asks.step(None, true, at(0), &mut orders);
    assert!(matches!(outcome(&orders), Some(Outcome::NotSent { unreachable: false, .. })), "{orders:?}");
}

#[test]
fn more_than_sixteen_at_once_are_refused() {
    let (mut asks, mut orders) = (Asks::default(), Vec::new());
    for n in 0..AT_ONCE {
        asks.begin(message(n), Origin::New, None, &mut orders).unwrap();
    }
    let why = asks.begin(message(AT_ONCE), Origin::New, None, &mut orders).unwrap_err();
    assert!(why.contains("16"), "{why}");
    assert_eq!(asks.open().count(), AT_ONCE);
    assert!(asks.begin(message(0), Origin::New, Some(1), &mut orders).is_ok(), "that is the same one");
}

#[test]
fn without_a_trace_on_the_disk_nothing_is_sent() {
    for at in [KEEP_FIRST, KEEP_SENT] {
        assert_eq!(ends_with(at, Fault::DiskFull), "not sent");
    }
    let (mut asks, _) = stored();
    let orders = told(&mut asks, AskEvent::Kept(Err("full".to_owned())));
    assert!(!is_sent(&orders), "{orders:?}");
    assert!(matches!(outcome(&orders), Some(Outcome::NotSent { why, .. }) if why.contains("full")), "{orders:?}");
}

/// What is not in the books of the gateway that the trace names never gets there, once that one has ended.
#[test]
fn the_trace_names_the_gateway_that_gets_the_message() {
    let (mut asks, _) = stored();
    let mut orders = Vec::new();
    asks.step(Some(&life("G2")), true, at(0), &mut orders);
    let orders = told(&mut asks, AskEvent::Kept(Ok(())));
    let [AskOrder::Work(AskWork::Keep(all))] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!(all[0].gateway, Some(life("G2")));
    assert!(is_sent(&told(&mut asks, AskEvent::Kept(Ok(())))));
}

#[test]
fn of_what_was_accepted_only_the_start_is_kept() {
    let (mut asks, mut orders) = (Asks::default(), Vec::new());
    asks.step(Some(&life("G1")), true, at(0), &mut orders);
    let long = Message { text: Secret::new("ä".repeat(1_000)), ..message(1) };
    let id = long.message_id.clone();
    asks.begin(long, Origin::New, None, &mut orders).unwrap();
    asks.told(AskEvent::Kept(Ok(())), at(0), &mut orders);
    asks.told(AskEvent::Opened(id.clone(), Ok(session())), at(0), &mut orders);
    assert!(is_sent(&told(&mut asks, AskEvent::Kept(Ok(())))));
    let orders = told(&mut asks, AskEvent::Accepted(id, "R".to_owned()));
    let kept = orders.iter().find_map(|order| match order {
        AskOrder::Work(AskWork::Keep(all)) => Some(all[0].text.expose().to_owned()),
        _ => None,
    });
    assert_eq!(kept, Some("ä".repeat(START)));
}

/// The stream broke off before the gateway had said that it has it: it may have it all the same.
#[test]
fn a_stream_that_broke_before_it_began_is_looked_for() {
    let (mut asks, id) = stored();
    assert!(is_sent(&told(&mut asks, AskEvent::Kept(Ok(())))));
    assert_eq!(outcome(&told(&mut asks, AskEvent::Over(id.clone(), Over::Broken))), None);
    let mut orders = Vec::new();
    asks.step(Some(&life("G1")), true, at(0), &mut orders);
    assert!(matches!(&orders[..], [AskOrder::Work(AskWork::Find { .. })]), "{orders:?}");
    let orders = told(&mut asks, AskEvent::Found(id, Ok(Some("R".to_owned()))));
    assert!(matches!(&orders[0], AskOrder::Accepted(..)), "{orders:?}");
}

#[test]
fn a_gateway_that_cannot_be_asked_leaves_it_unknown_in_the_end() {
    let (mut asks, id) = stored();
    told(&mut asks, AskEvent::Kept(Ok(())));
    told(&mut asks, AskEvent::Over(id, Over::Broken));
    let step = |asks: &mut Asks, ms| orders_of(asks, |asks, orders| asks.step(None, true, at(ms), orders));
    assert_eq!(outcome(&step(&mut asks, UNKNOWN_MS - 1)), None);
    assert_eq!(asks.deadline(), Some(UNKNOWN_MS));
    let orders = step(&mut asks, UNKNOWN_MS);
    assert!(matches!(outcome(&orders), Some(Outcome::Unknown(_))), "{orders:?}");
}

#[test]
fn patience_has_an_end_and_what_was_refused_counts_as_not_sent() {
    let (mut asks, id) = stored();
    told(&mut asks, AskEvent::Kept(Ok(())));
    let why = "busy".to_owned();
    let busy = Lost { why, may_have_acted: false, refused: true, again_ms: Some(10 * PATIENCE_MS) };
    let orders = told(&mut asks, AskEvent::Over(id, Over::Lost(busy)));
    assert_eq!(asks.deadline(), Some(PATIENCE_MS));
    // killed now, the next agent says that it was not sent
    let [AskOrder::Work(AskWork::Keep(all))] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!(all[0].sent_at_unix_ms, None);
}
