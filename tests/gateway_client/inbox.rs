//! Looks at a gateway that has thousands of records, or is not as one would wish.

use std::time::Duration;

use palyra_tray::core::inbox::{Inbox, LookOrder, Missed, WHOLE_OF_ONE};
use palyra_tray::core::record::{Risk, Subject};
use palyra_tray::core::time::Now;
use palyra_tray::shell::gateway::{Client, ErrorKind};
use serde_json::{Value, json};

use super::{Fault, Gateway, decided, pending};

const LIST: &str = "GET /console/v1/approvals";
/// Well before the time-out of the records that the tests make.
const NOW: Now = Now { mono_ms: 1_000, unix_ms: 10_000 };

/// An inbox of a gateway that has just become ready, and its first look.
fn first() -> (Inbox, LookOrder) {
    let mut inbox = Inbox::default();
    inbox.open(NOW);
    let order = inbox.step(NOW).expect("a look");
    (inbox, order)
}

/// One look, taken in; what waits by then.
async fn look(inbox: &mut Inbox, client: &Client, order: LookOrder, now: Now) -> usize {
    let round = order.round;
    let found = client.look(&order).await.map_err(|error| Missed { why: error.message, leave_alone_ms: None });
    inbox.looked(round, found, now);
    inbox.waiting()
}

fn listed(records: &[Value], next: Option<&str>) -> Fault {
    let body = json!({ "approvals": records, "next_after_approval_id": next });
    Fault::Plain(200, "application/json", body.to_string())
}

#[tokio::test]
async fn ten_thousand_are_counted_over_all_pages() {
    let gateway = Gateway::start().await;
    gateway.lock().records = (0..10_000).map(|n| pending(&format!("01A{n:05}"), 1_000 + n % 7)).collect();
    let (mut inbox, order) = first();
    let client = gateway.client();
    assert_eq!(look(&mut inbox, &client, order, NOW).await, 10_000);
    assert_eq!((gateway.seen(LIST), inbox.pending.len(), inbox.unreadable), (20, WHOLE_OF_ONE, 0));
    let known = inbox.standing("01A00001", NOW).expect("it waits");
    assert_eq!(known.digest, client.approval("01A00001").await.unwrap().digest());
}

#[tokio::test]
async fn ids_that_do_not_grow_and_come_twice_are_each_counted_once_as_they_are_now() {
    let gateway = Gateway::start().await;
    let changed = json!({ "risk_level": "critical", "timeout_seconds": 900, "summary": "rm -rf /" });
    let mut later = pending("01B", 6);
    later["prompt"] = changed;
    let pages = [
        listed(&[pending("01Z", 5), pending("01B", 6), pending("01Y", 1)], Some("01Y")),
        listed(&[pending("01A", 7), later.clone()], Some("01B")),
        listed(&[], Some("01A")),
        listed(&[pending("01Z", 5)], None),
    ];
    gateway.fault(LIST, pages);
    let (mut inbox, order) = first();
    assert_eq!(look(&mut inbox, &gateway.client(), order, NOW).await, 4);
    assert_eq!(inbox.pending.keys().collect::<Vec<_>>(), ["01A", "01B", "01Y", "01Z"]);
    assert_eq!((&inbox.pending["01B"].record.raw, inbox.has_critical()), (&later, true));
}

#[tokio::test]
async fn what_comes_behind_the_cursor_while_pages_are_read_is_found_by_the_next_look() {
    let gateway = Gateway::start().await;
    gateway.lock().records = (0..700).map(|n| pending(&format!("01A{n:05}"), 1_000 + n)).collect();
    gateway.fault(LIST, [Fault::Slow(Duration::ZERO), Fault::Slow(Duration::from_millis(300))]);
    let (mut inbox, order) = first();
    let client = gateway.client();
    let meanwhile = async {
        while gateway.seen(LIST) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut fake = gateway.lock();
        // behind the first page, at its end, and gone from the second
        fake.records.push(pending("01A00100X", 1_300));
        fake.records.push(pending("01B", 1_900));
        fake.records.retain(|record| record["approval_id"] != "01A00600");
    };
    let (waiting, ()) = tokio::join!(look(&mut inbox, &client, order, NOW), meanwhile);
    assert_eq!(waiting, 700, "one came, one went, one is not seen yet");
    let later = NOW.plus(1_000);
    inbox.ring(later);
    let order = inbox.step(later).expect("a look");
    assert_eq!(look(&mut inbox, &client, order, later).await, 701);
}

#[tokio::test]
async fn a_gateway_that_restarts_between_pages_is_read_on_with_a_new_session() {
    let gateway = Gateway::start().await;
    gateway.lock().records = (0..1_200).map(|n| pending(&format!("01A{n:05}"), 1_000 + n)).collect();
    gateway.fault(LIST, [Fault::Slow(Duration::ZERO), Fault::Restart]);
    let (mut inbox, order) = first();
    assert_eq!(look(&mut inbox, &gateway.client(), order, NOW).await, 1_200);
    assert_eq!((gateway.seen(LIST), gateway.seen("POST /console/v1/auth/login")), (4, 2));
}

#[tokio::test]
async fn half_a_list_is_none_and_what_was_known_stays() {
    let gateway = Gateway::start().await;
    gateway.lock().records = (0..600).map(|n| pending(&format!("01A{n:05}"), 1_000 + n)).collect();
    let (mut inbox, order) = first();
    let client = gateway.client();
    assert_eq!(look(&mut inbox, &client, order, NOW).await, 600);
    gateway.lock().records.truncate(550);
    gateway.fault(LIST, [Fault::Slow(Duration::ZERO), Fault::Plain(503, "text/html", "<html>".to_owned())]);
    let later = NOW.plus(1_000);
    inbox.ring(later);
    let order = inbox.step(later).expect("a look");
    assert_eq!(look(&mut inbox, &client, order, later).await, 600);
    assert!(inbox.trouble.contains("503") && !inbox.is_current(), "{}", inbox.trouble);
}

#[tokio::test]
async fn how_long_it_wants_to_be_left_alone_is_heard_where_it_says_so_in_seconds() {
    let gateway = Gateway::start().await;
    let client = gateway.client();
    let (_, order) = first();
    for (header, heard) in [
        (None, None),
        (Some("7"), Some(Duration::from_secs(7))),
        (Some(" 0 "), Some(Duration::ZERO)),
        (Some("-1"), None),
        (Some("Wed, 21 Oct 2026 07:28:00 GMT"), None),
        (Some("99999999999999999999999"), None),
        (Some(""), None),
    ] {
        gateway.fault(LIST, [Fault::Limited(header)]);
        let error = client.look(&order).await.unwrap_err();
        assert_eq!(
            (error.kind, error.status, error.retry_after),
            (ErrorKind::RateLimited, Some(429), heard),
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn an_allowance_that_is_no_news_is_not_brought_again() {
    let gateway = Gateway::start().await;
    let allowed = |id: &str| {
        let mut record = decided(id, 1_000);
        record["decision"] = json!("allow");
        record["resolved_at_unix_ms"] = json!(NOW.unix_ms + 5);
        record
    };
    gateway.lock().records = vec![allowed("01A"), allowed("01B"), pending("01C", 1_000)];
    let (_, mut order) = first();
    ["01A", "01C"].iter().for_each(|id| order.heard.allows(id));
    let look = gateway.client().look(&order).await.unwrap();
    let ids: Vec<_> = look.records.iter().map(|record| record.approval_id.as_str()).collect();
    // one that waits again is wanted whatever was heard of it before
    assert_eq!(ids, ["01C", "01B"]);
}

/// A few of thousands: the gateway sends those only that stand as allowed.
#[tokio::test]
async fn what_is_allowed_after_it_was_over_is_found_however_old_it_is() {
    let gateway = Gateway::start().await;
    let mut records: Vec<_> = (0..3_000).map(|n| decided(&format!("01A{n:05}"), 1_000 + n)).collect();
    records.push(pending("01Z", 500_000));
    gateway.lock().records = records;
    let (mut inbox, order) = first();
    let client = gateway.client();
    assert_eq!(look(&mut inbox, &client, order, NOW).await, 1);
    let seen = gateway.seen(LIST);
    {
        let mut fake = gateway.lock();
        for record in fake.records.iter_mut().filter(|record| record["approval_id"].as_str() < Some("01A01500")) {
            // by now more than a page stand as allowed
            record["decision"] = json!("allow");
            record["resolved_at_unix_ms"] = json!(1_500);
        }
    }
    let later = Now { mono_ms: NOW.mono_ms + 600_000, unix_ms: NOW.unix_ms + 600_000 };
    inbox.ring(later);
    let order = inbox.step(later).expect("a look");
    assert_eq!((order.late_since_unix_ms, order.since_unix_ms), (Some(1_000), Some(440_000)));
    let round = order.round;
    let found = client.look(&order).await.unwrap();
    let news = inbox.looked(round, Ok(found), later).expect("news");
    assert_eq!(gateway.seen(LIST) - seen, 4, "one page of what is new, three of what is allowed");
    // as many as are told at most, the newest changes; and what waits is not lost between them
    assert_eq!((news.allowed.len(), news.late.len(), inbox.waiting()), (256, 256, 1));
}

/// As `hostile_records_hide_no_other`, all the way into the inbox.
#[tokio::test]
async fn whatever_is_not_understood_is_critical_counted_or_told() {
    let gateway = Gateway::start().await;
    let odd = [
        json!({ "approval_id": "01A" }),
        json!({ "approval_id": "01B", "prompt": { "risk_level": "harmless", "timeout_seconds": null }, "decision": null }),
        json!({ "approval_id": "01C", "prompt": { "risk_level": ["low"] }, "subject_type": "teleport", "extra": { "a": 1 } }),
        json!({ "approval_id": "01D", "request_summary": "x".repeat(1024 * 1024), "requested_at_unix_ms": "today" }),
        json!({ "approval_id": { "$ne": null }, "decision": "allow" }),
        json!({ "approval_id": "01E'; DROP TABLE approvals", "principal": "\u{202e}nimda" }),
    ];
    gateway.fault(LIST, [listed(&odd, None)]);
    let (mut inbox, order) = first();
    assert_eq!(look(&mut inbox, &gateway.client(), order, NOW).await, 4);
    assert!(inbox.pending.values().all(|pending| pending.record.prompt.risk_level == Risk::Critical));
    assert_eq!(inbox.pending["01C"].record.subject_type, Subject::Unknown("teleport".to_owned()));
    // the one that says it was decided is none of those that wait, but is not read either
    assert_eq!(inbox.unreadable, 1);
}
