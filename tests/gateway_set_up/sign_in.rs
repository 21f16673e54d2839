//! Signing in by the browser.

use palyra_tray::protocol::Secret;
use palyra_tray::protocol::setup::{Provider, SignIn, SignInState};
use palyra_tray::shell::gateway::{Client, ErrorKind};

use crate::palyra::{MARK, OFFLINE, Palyra, failure, stands};
use crate::support::http;

async fn begin(client: &Client, provider: Provider, client_id: &str) -> SignIn {
    let secret = Secret::new(format!("client-secret-{MARK}"));
    let begun = client.begin_sign_in(provider, Some(client_id), Some(&secret)).await.expect("begun");
    let shown = format!("{begun:?}");
    assert!(!shown.contains(MARK) && !shown.contains("authorize"), "{shown}");
    begun
}

async fn state(client: &Client, provider: Provider, begun: &SignIn) -> SignInState {
    client.sign_in_state(provider, &begun.attempt_id).await.expect("state")
}

fn why(state: SignInState) -> String {
    match state {
        SignInState::Failed { why } => why,
        other => panic!("{other:?}"),
    }
}

/// Opens the page as a browser does, and clicks.
fn click(palyra: &Palyra, begun: &SignIn, button: &str) {
    let port = palyra.demo().port();
    let page = begun.authorization_url.expose();
    let path = page.strip_prefix(&format!("http://127.0.0.1:{port}")).expect("on this computer");
    let shown = http::request(port, "GET", path, &[], None).expect("page").text();
    let (_, link) = shown.split_once(&format!("id=\"{button}\" href=\"")).expect(&shown);
    let link = link.split('"').next().expect("link").replace("&amp;", "&");
    assert_eq!(http::request(port, "GET", &link, &[], None).expect("link").status, 200);
}

#[tokio::test]
async fn a_sign_in_comes_into_use_with_a_restart() {
    for (provider, note) in [(Provider::Openai, ""), (Provider::Minimax, "Enter the code DEMO-1234 on MiniMax's page.")]
    {
        let mut palyra = Palyra::start();
        let client = palyra.client();
        let begun = begin(&client, provider, "my-client").await;
        assert_eq!(begun.note, note);
        assert!(begun.expires_at_unix_ms > 1_700_000_000_000);
        assert_eq!(state(&client, provider, &begun).await, SignInState::Pending);
        assert!(!stands(&client, provider).await.0);
        click(&palyra, &begun, "allow");
        assert_eq!(state(&client, provider, &begun).await, SignInState::Succeeded);
        assert_eq!(stands(&client, provider).await, (true, false, true));
        palyra.restart();
        assert_eq!(stands(&palyra.client(), provider).await, (true, true, true));
        palyra.client().test_provider(provider).await.expect("works");
        let answer = palyra.client().first_message("Hello").await.expect("answer");
        assert_eq!(answer.text, "Demo answer to: Hello");
    }
}

#[tokio::test]
async fn a_sign_in_that_cannot_begin_says_why() {
    let palyra = Palyra::start();
    let client = palyra.client();
    let no_client =
        "OpenAI lets people sign in only through an application of their own: enter its client ID, or use a key.";
    for client_id in [None, Some(" ")] {
        let refused = failure(client.begin_sign_in(Provider::Openai, client_id, None).await);
        assert_eq!(refused, (ErrorKind::Invalid, no_client.to_owned(), false));
    }
    let refused = failure(client.begin_sign_in(Provider::Anthropic, None, None).await);
    let expected = "Anthropic has no sign-in in the browser. Use a key instead.";
    assert_eq!(refused, (ErrorKind::Invalid, expected.to_owned(), true));

    let palyra = Palyra::start_with("version = 1\n", &[OFFLINE]);
    let refused = failure(palyra.client().begin_sign_in(Provider::Minimax, None, None).await);
    let expected = "MiniMax cannot be reached. Check the internet connection and try again.";
    assert_eq!(refused, (ErrorKind::Upstream, expected.to_owned(), true));
}

#[tokio::test]
async fn a_sign_in_that_comes_to_nothing_says_why() {
    let mut palyra = Palyra::start();
    for provider in [Provider::Openai, Provider::Minimax] {
        let who = provider.name();
        let client = palyra.client();
        let begun = begin(&client, provider, "my-client").await;
        click(&palyra, &begun, "deny");
        let expected = format!("The sign-in was refused on {who}'s page. Begin it again, or use a key.");
        assert_eq!(why(state(&client, provider, &begun).await), expected);

        let begun = begin(&client, provider, "my-client").await;
        palyra.demo().faults("expire_sign_ins");
        let expected = format!("The sign-in at {who} took too long and has expired. Begin it again.");
        assert_eq!(why(state(&client, provider, &begun).await), expected);

        let begun = begin(&client, provider, "wrong-client").await;
        click(&palyra, &begun, "allow");
        let expected = format!(
            "The sign-in at {who} failed. Begin it again, or use a key. It said: {who} OAuth token exchange failed with \
             status 401: invalid_client"
        );
        assert_eq!(why(state(&client, provider, &begun).await), expected);
        assert!(!stands(&client, provider).await.0);

        let begun = begin(&client, provider, "my-client").await;
        palyra.restart();
        let expected = "The gateway no longer knows this sign-in: it was restarted, or too much time has passed. Begin it \
                        again.";
        assert_eq!(why(state(&palyra.client(), provider, &begun).await), expected);
    }
    for id in ["", "a/../b", "a&b"] {
        let refused = failure(palyra.client().sign_in_state(Provider::Openai, id).await);
        assert_eq!(refused, (ErrorKind::Invalid, "That is not the ID of a sign-in.".to_owned(), false));
    }
}

#[tokio::test]
async fn a_sign_in_without_the_internet_says_so() {
    let palyra = Palyra::start_with("version = 1\n", &[OFFLINE]);
    let client = palyra.client();
    let begun = begin(&client, Provider::Openai, "my-client").await;
    click(&palyra, &begun, "allow");
    let expected = "OpenAI cannot be reached. Check the internet connection and begin the sign-in again.";
    assert_eq!(why(state(&client, Provider::Openai, &begun).await), expected);
}
