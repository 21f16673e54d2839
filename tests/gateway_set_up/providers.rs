//! Keys, how a provider stands, and the test of its connection.

use palyra_tray::protocol::Secret;
use palyra_tray::protocol::setup::Provider;
use palyra_tray::shell::gateway::ErrorKind;

use crate::palyra::{MARK, OFFLINE, Palyra, failure, secret, stands};

#[tokio::test]
async fn a_key_comes_into_use_with_a_restart() {
    for (provider, sign_in) in [(Provider::Openai, true), (Provider::Anthropic, false), (Provider::Minimax, true)] {
        let who = provider.name();
        let mut palyra = Palyra::start();
        let client = palyra.client();
        assert_eq!(stands(&client, provider).await, (false, false, sign_in));
        let (kind, why, sent) = failure(client.test_provider(provider).await);
        assert_eq!((kind, sent), (ErrorKind::NotReady, false));
        assert_eq!(why, format!("{who} is not connected yet. Enter a key first, then try again."));

        let said = client.set_provider_key(provider, &secret("good")).await.expect("key");
        assert_eq!(said, format!("{who} API key profile saved and selected as the default auth profile."));
        assert_eq!(stands(&client, provider).await, (true, false, sign_in));
        let (kind, why, sent) = failure(client.test_provider(provider).await);
        assert_eq!((kind, sent), (ErrorKind::NotReady, false));
        let expected = format!("The gateway uses {who} only after a restart. Restart the gateway, then try again.");
        assert_eq!(why, expected);
        let others = client.providers().await.expect("providers");
        assert_eq!(others.iter().filter(|facts| facts.configured).count(), 1, "{others:?}");
        assert_eq!(others.iter().map(|facts| facts.provider).collect::<Vec<_>>(), Provider::ALL);

        palyra.restart();
        let client = palyra.client();
        assert_eq!(stands(&client, provider).await, (true, true, sign_in));
        assert_eq!(client.test_provider(provider).await.expect("works"), format!("The connection to {who} works."));

        // A second key is told from the first, a third takes the first one's place.
        for _ in 0..2 {
            let client = palyra.client();
            client.set_provider_key(provider, &secret("other")).await.expect("key");
            assert_eq!(stands(&client, provider).await, (true, false, sign_in));
            palyra.restart();
            assert_eq!(stands(&palyra.client(), provider).await, (true, true, sign_in));
        }
        let path = format!("/console/v1/auth/providers/{}", provider.id());
        let known = palyra.demo().login().get(&path).json();
        assert_eq!(known["available_profile_ids"].as_array().expect("ids").len(), 2, "{known}");
        assert!(palyra.config().contains("runloop_v1_enabled = true"));
    }
}

#[tokio::test]
async fn another_provider_takes_the_place_of_the_first() {
    let mut palyra = Palyra::connected(Provider::Openai, "good").await;
    palyra.client().set_provider_key(Provider::Anthropic, &secret("good")).await.expect("key");
    assert_eq!(stands(&palyra.client(), Provider::Openai).await, (false, false, true));
    assert_eq!(stands(&palyra.client(), Provider::Anthropic).await, (true, false, false));
    palyra.restart();
    assert_eq!(stands(&palyra.client(), Provider::Openai).await, (false, false, true));
    assert_eq!(stands(&palyra.client(), Provider::Anthropic).await, (true, true, false));
}

#[tokio::test]
async fn a_key_that_is_not_accepted_says_what_to_do_and_changes_nothing() {
    let palyra = Palyra::start();
    let client = palyra.client();
    for provider in Provider::ALL {
        let who = provider.name();
        let unreachable = format!("{who} cannot be reached. Check the internet connection and try again.");
        // Here the gateway does not tell the one from the other.
        let away = format!(
            "{who} cannot be reached, or has trouble of its own. Check the internet connection and try again in a few \
             minutes."
        );
        let offline = if provider == Provider::Openai { &away } else { &unreachable };
        for (word, kind, sentence) in [
            ("wrong", ErrorKind::KeyRefused, format!("{who} does not accept this key. Check it and enter it again.")),
            (
                "busy",
                ErrorKind::Upstream,
                format!("{who} gets too many requests right now. Wait a minute and try again."),
            ),
            ("down", ErrorKind::Upstream, away.clone()),
            ("offline", ErrorKind::Upstream, offline.clone()),
        ] {
            let refused = failure(client.set_provider_key(provider, &secret(word)).await);
            assert_eq!(refused, (kind, sentence, true), "{word}");
            assert!(!stands(&client, provider).await.0, "{word}");
        }
        for (key, why) in [
            (" \n".to_owned(), format!("No key was entered. Enter the one from {who}.")),
            (
                format!("sk {MARK}"),
                format!(
                    "That does not look like a key: it is too long, or has characters that no key of {who} has. Copy it \
                     again."
                ),
            ),
        ] {
            let refused = failure(client.set_provider_key(provider, &Secret::new(key)).await);
            assert_eq!(refused, (ErrorKind::Invalid, why, false));
        }
    }
    assert!(!palyra.config().contains("model_provider"));
}

#[tokio::test]
async fn without_the_internet_no_key_is_taken() {
    let palyra = Palyra::start_with("version = 1\n", &[OFFLINE]);
    let client = palyra.client();
    for provider in Provider::ALL {
        let (kind, why, _) = failure(client.set_provider_key(provider, &secret("good")).await);
        assert_eq!(kind, ErrorKind::Upstream);
        let start = format!("{} cannot be reached", provider.name());
        assert!(why.starts_with(&start) && why.contains("Check the internet connection"), "{why}");
    }
}

#[tokio::test]
async fn the_test_tells_what_became_of_the_connection() {
    for (word, kind, rest) in [
        ("later-wrong", ErrorKind::KeyRefused, "does not accept this key. Check it and enter it again."),
        ("later-busy", ErrorKind::Upstream, "gets too many requests right now. Wait a minute and try again."),
        ("later-down", ErrorKind::Upstream, "has trouble of its own right now. Wait a few minutes and try again."),
        ("later-offline", ErrorKind::Upstream, "cannot be reached. Check the internet connection and try again."),
    ] {
        for provider in [Provider::Openai, Provider::Minimax] {
            let palyra = Palyra::connected(provider, word).await;
            let tested = failure(palyra.client().test_provider(provider).await);
            assert_eq!(tested, (kind, format!("{} {rest}", provider.name()), true), "{word}");
        }
    }
}
