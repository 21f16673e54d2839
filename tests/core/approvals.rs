//! Approvals from the notification to the decision: what may be clicked, what a click does, and what is told.

use super::*;

#[test]
fn dismissing_a_notification_decides_nothing() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(100);
    world.give(Event::NoticeGone("approval:a1".to_owned()));
    world.pass(1_000);
    assert!(world.sent.is_empty() && world.record("a1").unwrap().get("decision").is_none());
}

#[test]
fn a_late_click_after_expiry_is_refused() {
    let mut world = started();
    world.ask("a1", "low", 10, "ls");
    world.pass(100);
    let button = approve_once(&world);
    world.pass(10_000);
    assert!(!world.view().notices.contains_key("approval:a1"));
    world.give(Event::Clicked(button, Click::Notification));
    world.pass(1_000);
    assert!(world.sent.is_empty());
}

#[test]
fn a_second_click_sends_nothing_more() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(100);
    let button = approve_once(&world);
    for _ in 0..3 {
        world.give(Event::Clicked(button.clone(), Click::Notification));
        world.pass(2);
    }
    world.pass(1_000);
    assert_eq!(world.sent, [("a1".to_owned(), Verdict::Approve)]);
}

#[test]
fn a_menu_click_never_decides() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(100);
    let button = approve_once(&world);
    world.give(Event::Clicked(button, Click::Menu));
    world.pass(1_000);
    assert!(world.sent.is_empty());
}

#[test]
fn critical_hidden_long_or_unknown_offers_review_only() {
    let long = "x".repeat(121);
    let wide = "\u{4f60}".repeat(60) + "; rm -rf ~";
    for (risk, what) in [
        ("critical", "ls"),
        ("low", "curl -H <redacted> x"),
        ("low", long.as_str()),
        ("low", wide.as_str()),
        ("odd", "ls"),
        ("low", "a\u{202e}b"),
        ("low", "l\u{0455}"),
        ("low", ""),
    ] {
        let mut world = started();
        world.ask("a1", risk, 300, what);
        world.pass(100);
        let labels: Vec<_> = world.view().notices["approval:a1"].buttons.iter().map(|b| b.label.clone()).collect();
        assert_eq!(labels, ["Review…", "Deny"], "{risk} {what:?}");
    }
}

#[test]
fn a_tool_whose_name_is_cut_or_disguised_offers_review_only() {
    for (name, labels) in [
        ("custom.noop".to_owned(), &["Details", "Deny", "Approve once"][..]),
        ("x".repeat(90), &["Review…", "Deny"][..]),
        ("cust\u{43e}m.noop".to_owned(), &["Review…", "Deny"][..]),
    ] {
        let mut world = started();
        world.ask("a1", "low", 300, "ls");
        world.pass(300);
        let mut raw = world.record("a1").unwrap().clone();
        raw["policy_snapshot"]["policy_id"] = "tool_call_policy".into();
        raw["prompt"]["details_json"] =
            serde_json::json!({ "tool_name": name, "input_json": { "x": 1 } }).to_string().into();
        let mut inbox = world.agent.inbox.clone();
        inbox.ring(world.now);
        let order = inbox.step(world.now).expect("a look");
        let records = vec![palyra_tray::core::record::Record::from_value(raw).unwrap()];
        inbox.looked(order.round, Ok(Look { records, ..Look::default() }), world.now);
        let server = world.agent.desktop.notifications.clone().unwrap();
        let notices = palyra_tray::core::notices::approvals(&inbox, &server);
        let shown: Vec<_> = notices["approval:a1"].buttons.iter().map(|button| button.label.as_str()).collect();
        assert_eq!(shown, labels, "{name}");
    }
}

#[test]
fn more_than_three_of_one_origin_become_one_with_the_true_count() {
    let mut world = started();
    for n in 0..5 {
        world.ask(&format!("a{n}"), "low", 300, "ls");
    }
    world.pass(1_000);
    let notices: Vec<_> = world.view().notices.values().map(|notice| notice.title.clone()).collect();
    assert_eq!(notices, ["5 approvals wait"]);
    assert_eq!(world.view().icon.badge.approvals, 5);
}

#[test]
fn a_decision_that_was_second_is_turned_into_a_denial_and_told() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(100);
    assert!(world.click("Approve once"));
    // between our second look and our decision somebody else denies
    world.pass(3);
    world.decide_elsewhere("a1", "deny");
    world.pass(1_000);
    assert_eq!(world.sent.last(), Some(&("a1".to_owned(), Verdict::Deny)));
    assert_eq!(world.record("a1").unwrap()["decision"], "deny");
    assert!(world.view().notices.keys().any(|key| key.starts_with("event:decision")));
}

#[test]
fn decided_elsewhere_withdraws_the_notification() {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    world.decide_elsewhere("a1", "allow");
    world.pass(300);
    assert!(!world.view().notices.contains_key("approval:a1") && world.view().icon.badge.approvals == 0);
}

#[test]
fn a_clock_that_was_set_back_hides_no_approval() {
    let mut world = started();
    world.now.unix_ms += 3_600_000;
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    world.decide_elsewhere("a1", "deny");
    world.pass(300);
    world.now.unix_ms -= 3_600_000;
    world.ask("a2", "low", 300, "ls");
    world.pass(300);
    assert!(world.view().notices.contains_key("approval:a2"));
}

#[test]
fn a_refusal_says_what_changed() {
    let mut world = started();
    world.ask("a1", "high", 300, "git push");
    world.pass(1_000);
    let action = approve_once(&world);
    // between the sight of it and the click, without a ring
    world.change("a1", |record| record["prompt"]["summary"] = serde_json::json!("rm -r /"));
    world.give(Event::Clicked(action, Click::Notification));
    world.pass(1_000);
    let told = &world.view().notices["event:decision:a1"].body;
    assert!(told.contains("has changed since it was shown: prompt.summary"), "{told}");
    assert!(world.sent.is_empty());
}

#[test]
fn an_allowance_from_elsewhere_is_told_once_and_the_run_can_be_aborted() {
    let mut world = started();
    world.ask("a1", "high", 300, "git push");
    world.pass(1_000);
    world.decide_elsewhere("a1", "allow");
    world.pass(60_000);
    let notice = &world.view().notices["event:elsewhere:a1"];
    assert_eq!(notice.title, "Approved elsewhere: was it you?");
    assert!(notice.body.contains("git push") && notice.buttons[0].label == "It was me", "{notice:?}");
    assert!(world.click("It was me"));
    world.pass(120_000);
    assert!(!world.view().notices.contains_key("event:elsewhere:a1"), "told once");
    world.ask("a2", "low", 300, "ls");
    world.pass(1_000);
    world.decide_elsewhere("a2", "allow");
    world.pass(1_000);
    assert!(world.click("Abort run"));
    assert!(world.timeline.last().is_some_and(|line| line.contains("aborts 01")), "{:?}", world.timeline.last());
    world.pass(1_000);
    assert!(!world.view().notices.contains_key("event:elsewhere:a2"));
}

#[test]
fn aborting_one_run_leaves_the_alarm_about_another() {
    let mut world = started();
    for (id, run) in [("a1", "01ARZ3NDEKTSV4RRFFQ69G5FA1"), ("a2", "01ARZ3NDEKTSV4RRFFQ69G5FA2")] {
        world.ask(id, "high", 300, "git push");
        world.change(id, |record| record["run_id"] = serde_json::json!(run));
        world.pass(1_000);
        world.decide_elsewhere(id, "allow");
        world.pass(1_000);
    }
    assert!(world.click("Abort run"));
    world.pass(1_000);
    let shown = &world.view().notices;
    assert!(!shown.contains_key("event:elsewhere:a1") && shown.contains_key("event:elsewhere:a2"), "{shown:?}");
}

#[test]
fn what_we_allowed_or_somebody_denied_is_no_alarm() {
    let mut world = started();
    for (id, elsewhere) in [("a1", None), ("a2", Some("deny"))] {
        world.ask(id, "high", 300, "git push");
        world.pass(1_000);
        match elsewhere {
            Some(decision) => world.decide_elsewhere(id, decision),
            None => assert!(world.click("Approve once")),
        }
        world.pass(61_000);
        assert!(world.view().notices.is_empty(), "{:?}", world.view().notices);
    }
}

#[test]
fn what_was_allowed_before_this_agent_is_history() {
    let mut world = World::new(setup());
    world.ask("a1", "high", 300, "git push");
    world.decide_elsewhere("a1", "allow");
    world.pass(120_000);
    assert!(world.view().notices.is_empty(), "{:?}", world.view().notices);
}

#[test]
fn a_flood_of_requests_is_told_and_offers_a_pause() {
    let mut world = started();
    for number in 0..11 {
        world.ask(&format!("a{number}"), "low", 300, "ls");
        world.pass(5_000);
        assert_eq!(world.view().notices.contains_key("event:flood"), number == 10, "{number}");
    }
    assert!(world.view().notices["event:flood"].body.starts_with("11 came within a minute"));
    assert!(world.click("Pause all agents"));
    world.pass(1_000);
    assert_eq!(world.sent.len(), 11);
    assert!(world.sent.iter().all(|(_, verdict)| *verdict == Verdict::Deny));
}

#[test]
fn a_pause_denies_what_waits_and_what_comes_and_outlives_a_restart() {
    let mut world = started();
    world.ask("a1", "high", 300, "git push");
    world.pass(1_000);
    assert!(world.menu("Pause all agents"));
    assert!(world.view().icon.badge.paused && world.view().notices.is_empty());
    world.pass(1_000);
    assert_eq!(world.sent, [("a1".to_owned(), Verdict::Deny)]);
    assert!(world.timeline.iter().any(|line| line.contains("aborts what runs")));
    world.ask("a2", "low", 300, "ls");
    world.pass(1_000);
    assert_eq!(world.sent.len(), 2, "what comes is denied too");
    assert!(world.view().notices.is_empty() && world.view().tooltip.contains("All agents are paused"));
    // the gateway starts anew
    world.end(ServiceId::Gateway, Some(ExitCause::Code { code: 1 }));
    world.ask("a3", "low", 300, "ls");
    world.pass(2_000);
    assert_eq!(world.sent.len(), 3);
    assert!(world.menu("Resume all agents"));
    world.ask("a4", "low", 300, "ls");
    world.pass(1_000);
    assert_eq!(world.sent.len(), 3);
    assert!(world.view().notices.contains_key("approval:a4") && !world.view().icon.badge.paused);

    let mut later = World::new(Setup { paused: true, ..setup() });
    later.ask("a5", "low", 300, "ls");
    later.pass(2_000);
    assert_eq!(later.sent, [("a5".to_owned(), Verdict::Deny)]);
}

#[test]
fn a_locked_screen_shows_only_how_many_wait_and_takes_no_click() {
    let mut world = started();
    world.ask("a1", "high", 300, "git push");
    world.pass(1_000);
    let late = approve_once(&world);
    world.give(Event::Locked(true));
    world.ask("a2", "critical", 300, "rm -r /");
    world.pass(1_000);
    let shown = &world.view().notices;
    assert_eq!(shown.keys().collect::<Vec<_>>(), ["approvals:locked"]);
    let notice = &shown["approvals:locked"];
    assert_eq!((notice.title.as_str(), notice.buttons.len(), &notice.default_action), ("2 approvals wait", 0, &None));
    world.give(Event::Clicked(late.clone(), Click::Notification));
    world.pass(1_000);
    assert!(world.sent.is_empty() && world.view().notices["event:refused"].body.contains("the screen is locked"));
    world.give(Event::Locked(false));
    assert!(world.view().notices.contains_key("approval:a1") && world.view().notices.contains_key("approval:a2"));
    world.give(Event::Clicked(late, Click::Notification));
    world.pass(1_000);
    assert_eq!(world.sent.len(), 1);
}

#[test]
fn an_end_waits_for_the_decision_under_way() {
    for event in [Event::Clicked(Action::Quit { keep_running: true }, Click::Menu), Event::Shutdown] {
        let mut world = started();
        world.ask("a1", "low", 300, "ls");
        world.pass(300);
        assert!(world.click("Approve once"));
        world.give(event);
        world.pass(16_000);
        assert!(world.exited);
        assert_eq!(world.sent, [("a1".to_owned(), Verdict::Approve)]);
    }
}

/// A click on Approve whose record the gateway answers as given.
fn approved_with(answer: impl Fn(&mut serde_json::Value)) -> Vec<DecisionOrder> {
    let mut world = started();
    world.ask("a1", "low", 300, "ls");
    world.pass(300);
    let pending = world.agent.inbox.pending["a1"].clone();
    let decision = palyra_tray::protocol::Decision {
        approval_id: "a1".to_owned(),
        digest: pending.digest.clone(),
        verdict: Verdict::Approve,
        scope: palyra_tray::protocol::Scope::Once,
        ttl_ms: None,
        reason: None,
    };
    let (mut decisions, mut orders) = (Decisions::default(), Vec::new());
    decisions.begin(decision, Surface::Notification, None, Some(Standing::of(&pending, world.now))).unwrap();
    decisions.read("a1", Ok(pending.record.clone()), world.now, &mut orders);
    decisions.recorded("a1", Ok(()), false, world.now, &mut orders);
    let mut raw = pending.record.raw;
    raw["resolved_at_unix_ms"] = raw["updated_at_unix_ms"].clone();
    answer(&mut raw);
    orders.clear();
    decisions.sent("a1", Ok(Record::from_value(raw).unwrap()), world.now, &mut orders);
    orders
}

#[test]
fn an_answer_that_does_not_say_allow_is_not_told_as_approved() {
    for word in [serde_json::Value::Null, "deny".into(), "later".into()] {
        let orders = approved_with(|raw| raw["decision"] = word.clone());
        assert!(matches!(orders.last(), Some(DecisionOrder::Finish { result: Err(_), .. })), "{orders:?}");
    }
    let orders = approved_with(|raw| raw["decision"] = "allow".into());
    assert!(matches!(orders.last(), Some(DecisionOrder::Finish { result: Ok(_), .. })), "{orders:?}");
}

#[test]
fn a_denial_that_is_restored_is_recorded_before_it_is_sent() {
    let orders = approved_with(|raw| {
        raw["decision"] = "allow".into();
        raw["resolved_at_unix_ms"] = 1.into();
        raw["updated_at_unix_ms"] = 2.into();
    });
    let [DecisionOrder::Write(line), DecisionOrder::Send(sent)] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!((line.verdict, line.surface, sent.verdict), (Verdict::Deny, Surface::Agent, Verdict::Deny));
}
