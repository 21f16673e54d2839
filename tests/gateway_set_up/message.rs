//! The first message.

use std::time::{Duration, Instant};

use palyra_tray::core::record::Record;
use palyra_tray::protocol::Scope;
use palyra_tray::protocol::setup::Provider;
use palyra_tray::shell::gateway::{Client, ErrorKind};

use crate::palyra::{Palyra, failure, secret};

#[tokio::test]
async fn a_message_is_answered_by_the_provider_in_use() {
    let palyra = Palyra::connected(Provider::Anthropic, "good").await;
    let client = palyra.client();
    let first = client.first_message("  Hello, who are you?\n").await.expect("answer");
    assert_eq!(first.text, "Demo answer to: Hello, who are you?");
    assert!(first.session_id.len() == 26 && first.run_id.len() == 26, "{first:?}");
    let second = client.first_message("Again").await.expect("answer");
    assert_eq!(second.text, "Demo answer to: Again");
    assert_eq!(second.session_id, first.session_id, "one conversation, however often it is tried");
    assert_ne!(second.run_id, first.run_id);
}

#[tokio::test]
async fn nothing_is_sent_to_a_gateway_that_would_only_repeat_it() {
    let palyra = Palyra::start();
    let client = palyra.client();
    let nobody = "No model provider is connected yet, so nobody would answer. Connect one first.";
    let refused = failure(client.first_message("Hello").await);
    assert_eq!(refused, (ErrorKind::NotReady, nobody.to_owned(), false));
    client.set_provider_key(Provider::Minimax, &secret("good")).await.expect("key");
    let restart = "The gateway uses MiniMax only after a restart. Restart the gateway, then try again.";
    let refused = failure(client.first_message("Hello").await);
    assert_eq!(refused, (ErrorKind::NotReady, restart.to_owned(), false));
    let sessions = palyra.demo().login().get("/console/v1/sessions?limit=16").json();
    assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(0), "{sessions}");
}

#[tokio::test]
async fn a_message_that_cannot_be_one_is_not_sent() {
    let palyra = Palyra::start();
    for (text, why) in [
        (" \n".to_owned(), "The message is empty. Write a short one."),
        ("x".repeat(16 * 1024 + 1), "The message is too long. Write a short one."),
    ] {
        let refused = failure(palyra.client().first_message(&text).await);
        assert_eq!(refused, (ErrorKind::Invalid, why.to_owned(), false));
    }
}

#[tokio::test]
async fn without_the_run_loop_the_answer_says_what_to_turn_on() {
    let mut palyra = Palyra::start_with("version = 1\n", &[]);
    palyra.client().set_provider_key(Provider::Openai, &secret("good")).await.expect("key");
    palyra.restart();
    let why = "The gateway answers no messages: chats are switched off in its config. Switch them on in the set-up, then try again.";
    let refused = failure(palyra.client().first_message("Hello").await);
    assert_eq!(refused, (ErrorKind::NotReady, why.to_owned(), true));
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_told_with_what_to_do() {
    for (word, kind, rest) in [
        ("later-wrong", ErrorKind::KeyRefused, "does not accept this key. Check it and enter it again."),
        ("later-busy", ErrorKind::Upstream, "gets too many requests right now. Wait a minute and try again."),
        ("later-down", ErrorKind::Upstream, "has trouble of its own right now. Wait a few minutes and try again."),
        ("later-offline", ErrorKind::Upstream, "cannot be reached. Check the internet connection and try again."),
    ] {
        let palyra = Palyra::connected(Provider::Openai, word).await;
        let client = palyra.client();
        for _ in 0..3 {
            let refused = failure(client.first_message("Hello").await);
            assert_eq!(refused, (kind, format!("OpenAI {rest}"), true), "{word}");
        }
        let rests = "OpenAI failed several times, so the gateway lets it rest. Wait a minute and try again.";
        let refused = failure(client.first_message("Hello").await);
        assert_eq!(refused, (ErrorKind::Upstream, rests.to_owned(), true));
        let presence = palyra.demo().login().get("/console/v1/system/presence").json();
        assert_eq!(presence["subsystems"]["model_provider"]["state"], "degraded");
    }
}

#[tokio::test]
async fn active_runs_are_aborted_and_finished_ones_left_alone() {
    let palyra = Palyra::connected(Provider::Openai, "good").await;
    let client = palyra.client();
    client.first_message("Hello").await.expect("answer");
    client.abort_active_runs().await.expect("nothing to do");
    let asked = client.clone();
    let message = tokio::spawn(async move { asked.first_message("Use a tool").await });
    asked_for(&client).await;
    client.abort_active_runs().await.expect("aborted");
    let (_, why, _) = failure(message.await.expect("task"));
    assert!(!why.is_empty());
    let sessions = palyra.demo().login().get("/console/v1/sessions?limit=16").json();
    assert_eq!(sessions["sessions"][0]["last_run_state"], "cancelled", "{sessions}");
    let refused = client.abort_run("../../auth/logout", "").await.expect_err("no id");
    assert_eq!(refused.kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn a_tool_in_the_answer_waits_for_a_person() {
    let palyra = Palyra::connected(Provider::Openai, "good").await;
    let client = palyra.client();
    for (approved, expected) in [(true, "Done: git status shows a clean tree."), (false, "I was not allowed to.")] {
        let asked = client.clone();
        let message = tokio::spawn(async move { asked.first_message("Use a tool").await });
        let record = asked_for(&client).await;
        assert!(!message.is_finished());
        client.decide(&record.approval_id, approved, Scope::Once, None, None).await.expect("decided");
        assert_eq!(message.await.expect("task").expect("answer").text, expected);
    }
}

#[tokio::test]
async fn a_cancelled_run_says_so() {
    let palyra = Palyra::connected(Provider::Openai, "good").await;
    let client = palyra.client();
    let asked = client.clone();
    let message = tokio::spawn(async move { asked.first_message("Use a tool").await });
    let run = asked_for(&client).await.run_id;
    let path = format!("/console/v1/sessions/runs/{run}/abort");
    assert_eq!(palyra.demo().login().post(&path, serde_json::json!({})).status, 200);
    let refused = failure(message.await.expect("task"));
    assert_eq!(refused, (ErrorKind::Upstream, "The answer was cancelled. Try again.".to_owned(), true));
}

/// The approval that a message waits for.
async fn asked_for(client: &Client) -> Record {
    let start = Instant::now();
    loop {
        let records = client.all_approvals().await.expect("inbox").records;
        if let Some(record) = records.into_iter().find(|record| record.decision.is_none()) {
            return record;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "nobody was asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
