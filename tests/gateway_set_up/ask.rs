//! Messages: sent once, heard to the end, and found again by the id that went with them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use palyra_tray::core::answer::NoAnswer;
use palyra_tray::core::ask::{Answer, Over};
use palyra_tray::protocol::setup::Provider;
use palyra_tray::shell::gateway::{Client, ErrorKind};

use crate::palyra::Palyra;

const FIRST: &str = "01M8AASQ7C1RB63T77WX591DGA";
const SECOND: &str = "01M8AASQ7C1RB63T77WX591DGB";

/// How the message ended, and the run that it was told as accepted with.
async fn send(client: &Client, session: &str, id: &str, text: &str) -> (Over, Option<String>) {
    let run = Arc::new(Mutex::new(None));
    let told = Arc::clone(&run);
    let over = client.send_message(session, id, text, move |run| *told.lock().unwrap() = Some(run)).await;
    let run = run.lock().unwrap().clone();
    (over.expect("a stream"), run)
}

fn answered(text: &str) -> Over {
    Over::Answered(Answer { text: text.to_owned(), characters: text.chars().count() as u64, cut: false })
}

#[tokio::test]
async fn a_message_is_answered_and_found_by_its_id() {
    let palyra = Palyra::connected(Provider::Anthropic, "good").await;
    let client = palyra.client();
    let session = client.open_session(FIRST, false).await.expect("session");
    assert_eq!(
        (session.id.as_str(), session.title.as_str()),
        (FIRST, ""),
        "the id that was asked for, and no title yet"
    );
    assert_eq!(client.open_session(FIRST, true).await.expect("again").id, FIRST, "asked for twice it is one");
    let (over, run) = send(&client, FIRST, FIRST, "Hello").await;
    assert_eq!(over, answered("Demo answer to: Hello"));
    let run = run.expect("told as accepted");
    assert_eq!(client.find_message(FIRST, FIRST).await.expect("found"), Some(run.clone()));
    assert_eq!(
        client.find_message(FIRST, SECOND).await.expect("looked"),
        None,
        "the same text is not the same message"
    );
    let state = client.read_run(&run).await.expect("read").expect("known");
    assert_eq!((state.state.as_str(), state.error.as_str()), ("done", ""));
    assert_eq!(state.answer.map(|answer| answer.text).as_deref(), Some("Demo answer to: Hello"));
    assert_eq!(client.read_run(SECOND).await.expect("read"), None);
}

#[tokio::test]
async fn a_session_that_must_exist_and_does_not_is_said_to_be_missing() {
    let palyra = Palyra::start();
    let client = palyra.client();
    let error = client.open_session("holiday", true).await.expect_err("missing");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::NotFound, "There is no session holiday."));
    assert_eq!(client.find_message(FIRST, FIRST).await.expect("looked"), None);
    // a stream into one that was never made ends without having begun
    let (over, run) = send(&client, FIRST, FIRST, "Hello").await;
    assert!(matches!(over, Over::NoAnswer { accepted: false, why: NoAnswer::Upstream(_) }), "{over:?}");
    assert_eq!(run, None);
}

#[tokio::test]
async fn a_busy_session_takes_no_second_message_and_a_switched_off_gateway_none() {
    let palyra = Palyra::connected(Provider::Anthropic, "good").await;
    let client = palyra.client();
    client.open_session(FIRST, false).await.expect("session");
    let other = client.clone();
    let slow = tokio::spawn(async move { send(&other, FIRST, FIRST, "slow one").await });
    let busy = loop {
        if client.find_message(FIRST, FIRST).await.expect("looked").is_some() {
            break send(&client, FIRST, SECOND, "another").await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let Over::NoAnswer { accepted: false, why } = busy.0 else { panic!("{busy:?}") };
    assert!(format!("{why:?}").contains("already has active run"), "{why:?}");
    assert_eq!(client.find_message(FIRST, SECOND).await.expect("looked"), None);
    assert_eq!(slow.await.expect("task").0, answered("Demo answer to: slow one"));
    let off = Palyra::start_with("version = 1\n", &[]);
    let client = off.client();
    client.open_session(FIRST, false).await.expect("session");
    let (over, run) = send(&client, FIRST, FIRST, "Hello").await;
    assert_eq!((over, run), (Over::NoAnswer { accepted: false, why: NoAnswer::RunLoopOff }, None));
}

#[tokio::test]
async fn a_lost_answer_is_found_and_a_gateway_that_ended_says_so_of_its_run() {
    let mut palyra = Palyra::connected(Provider::Anthropic, "good").await;
    let client = palyra.client();
    client.open_session(FIRST, false).await.expect("session");
    palyra.demo().faults("lose_answer=/console/v1/chat/sessions/");
    let lost = client.send_message(FIRST, FIRST, "Hello", |_| {}).await;
    let error = match lost {
        Err(error) => error,
        Ok(over) => panic!("the answer came: {over:?}"),
    };
    assert!(error.sent && error.status.is_none(), "{error:?}");
    let run = client.find_message(FIRST, FIRST).await.expect("looked").expect("it had arrived");
    let done = loop {
        let state = client.read_run(&run).await.expect("read").expect("known");
        if state.state != "in_progress" {
            break state;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(done.answer.map(|answer| answer.text).as_deref(), Some("Demo answer to: Hello"));
    // in the middle of the next one the gateway is killed
    let other = client.clone();
    let slow = tokio::spawn(async move { send(&other, FIRST, SECOND, "slow one").await });
    let run = loop {
        if let Some(run) = client.find_message(FIRST, SECOND).await.expect("looked") {
            break run;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    palyra.restart();
    assert_eq!(slow.await.expect("task"), (Over::Broken, Some(run.clone())));
    let state = palyra.client().read_run(&run).await.expect("read").expect("known");
    assert!(state.state == "failed" && state.error.contains("orphaned active run"), "{state:?}");
}

#[tokio::test]
async fn a_refusal_may_ask_for_patience() {
    let palyra = Palyra::start();
    palyra.demo().faults("status=429:/console/v1/chat/sessions");
    let client = palyra.client();
    client.sign_in().await.expect("signed in");
    let error = client.open_session(FIRST, false).await.expect_err("refused");
    assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimited, None), "the real one does not say how long");
}
