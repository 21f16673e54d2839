//! The inbox with more than can be shown, and with others that decide at the same gateway.

use palyra_tray::core::event::{Click, Event};
use palyra_tray::core::inbox::{
    Inbox, LOOK_SPACING_MS, Look, LookOrder, Missed, RETRY_LIMIT_MS, Sieve, WHOLE, WHOLE_OF_ONE,
};
use palyra_tray::core::record::{Record, Unreadable};
use palyra_tray::core::simulate::World;
use palyra_tray::core::time::Now;
use palyra_tray::core::view::{Item, ItemKind};
use palyra_tray::protocol::{Decision, Reply, Request, Scope, ServiceId, Verdict};
use serde_json::{Value, json};

use super::{approve_once, started};

/// So many wait, each in a session of its own unless one is named.
fn crowded(count: usize, session: Option<&str>) -> World {
    let mut world = started();
    let first = world.now.unix_ms - 1_000;
    for n in 0..count {
        let id = format!("a{n:05}");
        world.ask(&id, "medium", 600, &format!("echo {n}"));
        world.change(&id, |record| record["requested_at_unix_ms"] = json!(first + i64::try_from(n).expect("small")));
        world
            .change(&id, |record| record["session_id"] = json!(session.map_or_else(|| format!("s{n}"), str::to_owned)));
    }
    world.pass(1_000);
    world
}

fn rows(world: &World) -> Vec<String> {
    let items = world.view().menu.iter().find(|item| item.id == "approvals").map(|item| &item.kind);
    let Some(ItemKind::Submenu { items, label, .. }) = items else { panic!("no approvals in the menu") };
    let texts = items.iter().filter_map(|Item { kind, .. }| match kind {
        ItemKind::Command { label, .. } => Some(label.clone()),
        _ => None,
    });
    std::iter::once(label.clone()).chain(texts).collect()
}

fn titles(world: &World) -> Vec<String> {
    world.view().notices.values().map(|notice| notice.title.clone()).collect()
}

#[test]
fn of_thousands_the_count_is_true_everywhere_and_few_are_kept_whole() {
    let world = crowded(700, Some("s"));
    let inbox = &world.agent.inbox;
    assert_eq!((inbox.pending.len(), inbox.waiting()), (WHOLE_OF_ONE, 700));
    assert_eq!(world.view().icon.badge.approvals, 700);
    assert!(world.view().tooltip.ends_with("700 approvals wait"), "{}", world.view().tooltip);
    assert_eq!(titles(&world), ["700 approvals wait", "Many approvals are asked for"]);
    let rows = rows(&world);
    assert_eq!(rows[0], "Approvals (700), highest risk medium");
    assert!(rows[1].contains("echo 699") && rows[12].contains("echo 688"), "{rows:?}");
    assert_eq!(rows[13], "and 688 more");
}

#[test]
fn thousands_of_sessions_are_not_thousands_of_notifications() {
    let mut world = crowded(700, None);
    assert_eq!((world.agent.inbox.pending.len(), world.agent.inbox.waiting()), (WHOLE, 700));
    let single = world.view().notices.keys().filter(|key| key.starts_with("approval:")).count();
    assert_eq!(single, WHOLE);
    assert_eq!(world.view().notices["approvals:more"].title, format!("{} more approvals wait", 700 - WHOLE));
    // a riskier one of yet another session comes to the front
    world.ask("b", "critical", 600, "rm -rf /");
    world.change("b", |record| record["session_id"] = json!("other"));
    world.pass(6_000);
    assert!(world.view().notices.contains_key("approval:b"), "{:?}", world.view().notices.keys());
    assert!(rows(&world)[0].ends_with("highest risk critical"));
}

#[test]
fn one_that_asks_without_end_does_not_hide_the_others() {
    let mut world = crowded(300, Some("loud"));
    world.ask("b", "low", 600, "ls");
    world.change("b", |record| record["session_id"] = json!("quiet"));
    world.pass(6_000);
    assert!(world.view().notices.contains_key("approval:b"), "{:?}", titles(&world));
    assert!(titles(&world).contains(&"300 approvals wait".to_owned()));
}

#[test]
fn the_others_take_the_places_of_those_that_are_decided_or_expire() {
    let mut world = started();
    for n in 0..100 {
        // the newest, which are shown, expire first
        world.ask(&format!("a{n:03}"), "low", if n < 80 { 600 } else { 20 }, "ls");
        world.pass(1);
    }
    world.pass(1_000);
    assert!(rows(&world)[1].contains("ls") && world.agent.inbox.pending.contains_key("a099"));
    world.pass(21_000);
    assert_eq!((world.agent.inbox.pending.len(), world.agent.inbox.waiting()), (WHOLE_OF_ONE, 80));
    assert!(world.agent.inbox.pending.contains_key("a079"));
    for n in 60..80 {
        world.decide_elsewhere(&format!("a{n:03}"), "deny");
    }
    world.pass(1_000);
    assert_eq!(world.agent.inbox.waiting(), 60);
    assert!(world.agent.inbox.pending.contains_key("a059"));
    world.pass(600_000);
    assert_eq!((world.agent.inbox.waiting(), world.view().icon.badge.approvals), (0, 0));
}

/// A button counts once; but where nothing came of it, and it still waits, it is to be clicked again.
#[test]
fn a_click_that_came_to_nothing_can_be_repeated() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(500);
    let (approve, before) = (approve_once(&world), world.view().notices["approval:a1"].clone());
    world.end(ServiceId::Gateway, None);
    world.give(Event::Clicked(approve.clone(), Click::Notification));
    assert!(world.view().notices["event:decision:a1"].body.contains("gateway is not ready"));
    let after = &world.view().notices["approval:a1"];
    assert_eq!((&after.buttons, after.again), (&before.buttons, before.again + 1));
    world.pass(30_000);
    world.give(Event::Clicked(approve, Click::Notification));
    world.pass(500);
    assert_eq!(world.sent, [("a1".to_owned(), Verdict::Approve)]);
}

fn listed(world: &mut World) -> Value {
    world.give(Event::Asked(77, Request::Approvals { all: false }));
    world.pass(100);
    match world.replies.last() {
        Some((77, Reply::Data(list))) => list.clone(),
        other => panic!("no list: {other:?}"),
    }
}

#[test]
fn a_list_has_all_that_wait_also_those_that_are_only_counted() {
    let mut world = crowded(200, Some("s"));
    world.ask("decided", "low", 600, "ls");
    world.ask("expired", "low", 5, "ls");
    world.decide_elsewhere("decided", "deny");
    world.pass(6_000);
    let list = listed(&mut world);
    let rows = list["approvals"].as_array().expect("rows");
    assert_eq!((rows.len(), &rows[0]["approval_id"]), (200, &json!("a00199")));
    assert!(rows.iter().all(|row| row["digest"].as_str().is_some_and(|digest| digest.len() == 64)));
    assert_eq!(list["unreadable"], 0);
}

#[test]
fn one_that_is_only_counted_is_decided_like_any_other() {
    let mut world = crowded(200, Some("s"));
    assert!(!world.agent.inbox.pending.contains_key("a00003"));
    let list = listed(&mut world);
    let rows = list["approvals"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["approval_id"] == "a00003").expect("listed");
    let decision = |digest: &str, scope| Decision {
        approval_id: "a00003".to_owned(),
        digest: digest.to_owned(),
        verdict: Verdict::Approve,
        scope,
        ttl_ms: None,
        reason: None,
    };
    let said = |world: &World| format!("{:?}", world.replies.last());
    world.give(Event::Asked(1, Request::Decide(decision("another", Scope::Once))));
    assert!(said(&world).contains("has changed since it was shown"), "{}", said(&world));
    let digest = row["digest"].as_str().expect("digest").to_owned();
    world.change("a00003", |record| record["prompt"]["summary"] = json!("rm -rf /"));
    world.give(Event::Asked(2, Request::Decide(decision(&digest, Scope::Once))));
    world.pass(100);
    assert!(said(&world).contains("has changed since it was shown") && world.sent.is_empty(), "{}", said(&world));
    world.change("a00003", |record| record["prompt"]["summary"] = json!("echo 3"));
    world.pass(30_000);
    world.give(Event::Asked(3, Request::Decide(decision(&digest, Scope::Once))));
    world.pass(100);
    assert_eq!(world.sent, [("a00003".to_owned(), Verdict::Approve)], "{}", said(&world));
}

#[test]
fn a_pause_denies_thousands_few_at_a_time() {
    let mut world = crowded(300, Some("s"));
    world.give(Event::Asked(1, Request::Act { action: palyra_tray::protocol::Action::PauseAgents }));
    let mut most = 0;
    for _ in 0..20_000 {
        world.pass(1);
        most = most.max(world.agent.decisions.under_way());
        if world.sent.len() == 300 {
            break;
        }
    }
    assert_eq!((most, world.sent.len()), (16, 300));
    assert!(world.sent.iter().all(|(_, verdict)| *verdict == Verdict::Deny));
    world.pass(6_000);
    assert_eq!(world.agent.inbox.waiting(), 0);
}

fn record(id: &str, risk: &str, session: &str, at: i64) -> Record {
    let prompt = json!({ "risk_level": risk, "timeout_seconds": 600, "title": "t", "summary": "ls" });
    let raw = json!({
        "approval_id": id, "session_id": session, "principal": "p", "requested_at_unix_ms": at, "prompt": prompt,
    });
    Record::from_value(raw).expect("a usable id")
}

fn sieved(records: impl IntoIterator<Item = Record>) -> Look {
    let order = LookOrder::default();
    let mut sieve = Sieve::new(&order);
    records.into_iter().for_each(|record| sieve.take(Ok(record)));
    sieve.look()
}

/// The rule in one sentence, against the sieve that never sees more than one record.
#[test]
fn what_is_kept_whole_does_not_hang_on_the_order_in_which_it_comes() {
    let risks = ["low", "medium", "high", "critical"];
    let all: Vec<_> = (0..400_usize)
        .map(|n| {
            // a session with half of all, and many small ones
            let session = if n % 2 == 0 { "loud".to_owned() } else { format!("s{}", n % 90) };
            record(&format!("a{n:03}"), risks[n / 2 % 4], &session, i64::try_from(n * 31 % 100).expect("small"))
        })
        .collect();
    let mut by_urgency: Vec<_> = all.iter().collect();
    by_urgency.sort_by_key(|one| {
        (std::cmp::Reverse((one.prompt.risk_level, one.requested_at_unix_ms)), one.approval_id.clone())
    });
    let mut of_one = std::collections::BTreeMap::new();
    by_urgency.retain(|one| {
        let count = of_one.entry(one.session_id.clone()).or_insert(0);
        *count += 1;
        *count <= WHOLE_OF_ONE
    });
    let expected: Vec<_> = by_urgency.iter().take(WHOLE).map(|one| one.approval_id.clone()).collect();
    for step in [1, 7, 101, 399] {
        let look = sieved((0..400).map(|n| all[n * step % 400].clone()));
        let kept: Vec<_> = look.records.iter().map(|one| one.approval_id.clone()).collect();
        assert_eq!(kept, expected, "in steps of {step}");
        assert_eq!(look.rest.len(), 400 - WHOLE);
    }
}

#[test]
fn of_two_versions_of_a_record_the_later_counts_once() {
    let filler = (0..60).map(|n| record(&format!("f{n:02}"), "high", &format!("s{n}"), 10));
    let look = sieved(filler.chain([record("x", "critical", "s", 5), record("x", "low", "s", 5)]));
    assert!(look.records.iter().all(|kept| kept.approval_id != "x"));
    let found: Vec<_> = look.rest.iter().filter(|brief| brief.approval_id() == "x").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].digest(), record("x", "low", "s", 5).digest());
    assert_eq!(look.records.len() + look.rest.len(), 61);
    let again = sieved([record("x", "low", "s", 5), record("x", "critical", "s", 5)]);
    assert_eq!((again.records.len(), again.rest.len()), (1, 0));
    assert_eq!(again.records[0].digest(), record("x", "critical", "s", 5).digest());
}

/// The gateway keeps what expired undecided for ever.
#[test]
fn what_has_expired_takes_no_place() {
    let order = LookOrder { now_unix_ms: 10_000_000, ..LookOrder::default() };
    let mut sieve = Sieve::new(&order);
    for n in 0..2_000 {
        sieve.take(Ok(record(&format!("a{n:04}"), "critical", &format!("s{n}"), 10_000_000 - 600_000 - n)));
    }
    sieve.take(Ok(record("b", "low", "s", 10_000_000 - 599_999)));
    let look = sieve.look();
    assert_eq!((look.records.len(), look.rest.len(), look.records[0].approval_id.as_str()), (1, 0, "b"));
}

#[test]
fn allowances_are_kept_up_to_a_limit_and_what_cannot_be_read_is_counted() {
    let order = LookOrder::default();
    let mut sieve = Sieve::new(&order);
    for n in 0..1_000_i64 {
        let mut raw = record(&format!("a{n:04}"), "low", "s", n).raw;
        raw["decision"] = json!("allow");
        raw["updated_at_unix_ms"] = json!(n * 17 % 1_000);
        sieve.take(Record::from_value(raw));
    }
    for _ in 0..3 {
        sieve.take(Err(Unreadable { approval_id: String::new(), requested_at_unix_ms: None, why: String::new() }));
    }
    let look = sieve.look();
    assert_eq!((look.records.len(), look.unreadable), (256, 3));
    assert!(look.records.iter().all(|kept| kept.updated_at_unix_ms >= Some(744)), "the newest");
}

/// When the next look is due after one that failed so, with rings all the time.
fn next_look_after(failures: &[Option<u64>]) -> u64 {
    let mut inbox = Inbox::default();
    let mut now = Now { mono_ms: 0, unix_ms: 1_800_000_000_000 };
    inbox.open(now);
    for leave_alone_ms in failures {
        let order = loop {
            match inbox.step(now) {
                Some(order) => break order,
                None => now = now.plus(1),
            }
        };
        let missed = Missed { why: "429".to_owned(), leave_alone_ms: *leave_alone_ms };
        assert!(inbox.looked(order.round, Err(missed), now).is_none());
        assert_eq!(inbox.trouble, "429");
    }
    let failed = now;
    loop {
        now = now.plus(1);
        inbox.ring(now);
        if inbox.step(now).is_some() {
            return now.mono_ms - failed.mono_ms;
        }
    }
}

#[test]
fn a_gateway_that_wants_to_be_left_alone_is_also_when_it_rings() {
    assert_eq!(next_look_after(&[None]), LOOK_SPACING_MS, "a ring is news");
    assert_eq!(next_look_after(&[Some(0)]), LOOK_SPACING_MS);
    assert_eq!(next_look_after(&[Some(7_000)]), 7_000);
    assert_eq!(next_look_after(&[Some(u64::MAX)]), RETRY_LIMIT_MS, "but not for ever");
    assert_eq!(next_look_after(&[Some(7_000), None]), LOOK_SPACING_MS);
}

/// Two agents at one gateway: what one of them does to its records, the other one sees.
fn share(from: &World, to: &mut World, id: &str) {
    let Some(theirs) = from.record(id).cloned() else { return };
    let newer = |record: &Value| record["updated_at_unix_ms"].as_i64();
    if to.record(id).is_some_and(|ours| newer(&theirs) > newer(ours)) {
        to.change(id, |ours| *ours = theirs);
        to.give(Event::Rang);
    }
}

#[test]
fn of_two_agents_one_decides_and_the_other_withdraws_whenever_both_are_clicked() {
    for (ours, theirs) in [("Approve once", None), ("Deny", None), ("Approve once", Some("Approve once"))] {
        // two decisions within one millisecond cannot be told apart, not even by the gateway
        for apart in 1..25 {
            let (mut one, mut other) = (started(), started());
            one.ask("a1", "low", 300, "ls");
            other.ask("a1", "low", 300, "ls");
            one.pass(500);
            other.pass(500);
            let late = approve_once(&other);
            assert!(one.click(ours));
            for ms in 0..2_000 {
                if ms == apart && theirs.is_some() {
                    // a click that is under way counts even when the notification is gone by now
                    other.give(Event::Clicked(late.clone(), Click::Notification));
                }
                one.pass(1);
                share(&one, &mut other, "a1");
                other.pass(1);
                share(&other, &mut one, "a1");
            }
            let what = format!("{ours}, {theirs:?} {apart} ms later: {:?} {:?}", one.sent, other.sent);
            let stands = one.record("a1").map(|record| record["decision"].clone());
            assert_eq!(stands, other.record("a1").map(|record| record["decision"].clone()), "{what}");
            for world in [&one, &other] {
                assert!(!world.view().notices.contains_key("approval:a1"), "{what}");
                assert_eq!(world.view().icon.badge.approvals, 0, "{what}");
            }
            let told = |world: &World| world.view().notices.keys().any(|key| key.starts_with("event:"));
            match (other.sent.is_empty(), ours) {
                (true, "Deny") => assert!(stands == Some(json!("deny")) && !told(&other), "{what}"),
                // it is not this one that allowed it: its person is asked whether it was them
                (true, _) => assert!(stands == Some(json!("allow")) && told(&other), "{what}"),
                // the second one takes back what both allowed, and says so
                (false, _) => assert!(stands == Some(json!("deny")) && told(&other), "{what}"),
            }
        }
    }
}
