//! Connecting a Discord bot.

use palyra_tray::protocol::Secret;
use palyra_tray::shell::gateway::ErrorKind;

use crate::palyra::{MARK, OFFLINE, Palyra, failure};

const CHANNEL: &str = "123456789012345678";
const REFUSED: &str = "Discord does not accept this token. Copy it again from Discord's developer portal, under Bot.";

fn token(word: &str) -> Secret {
    Secret::new(format!("Bot {word}.{MARK}"))
}

#[tokio::test]
async fn a_bot_is_looked_at_connected_and_heard() {
    let mut palyra = Palyra::start();
    let client = palyra.client();
    assert_eq!(client.discord_state().await.expect("state"), "not_connected");
    let refused = failure(client.discord_verify(CHANNEL).await);
    let expected = "The bot is not connected, or not online yet. Wait a minute, then try again.";
    assert_eq!(refused, (ErrorKind::NotReady, expected.to_owned(), true));

    let looked = client.discord_probe(&token("good")).await.expect("probe");
    assert_eq!(looked.bot, "Demo bot");
    assert!(looked.invite_url.starts_with("https://discord.com/oauth2/authorize?client_id="), "{looked:?}");
    let cannot_read = "The bot cannot read what people write. Switch on “Message Content Intent” in Discord's developer \
                       portal, under Bot.";
    assert_eq!(looked.notes, [cannot_read], "what we chose ourselves is no news");
    assert_eq!(client.discord_state().await.expect("state"), "not_connected", "a look changes nothing");

    let connected = client.discord_apply(&token("good")).await.expect("apply");
    let quiet = "The bot is online and has heard nothing yet. Send it a direct message in Discord.";
    assert_eq!((connected.bot.as_str(), connected.notes), ("Demo bot", vec![cannot_read.to_owned(), quiet.to_owned()]));
    assert!(palyra.config().contains("channel_router"));
    palyra.restart();
    let client = palyra.client();
    assert_eq!(client.discord_state().await.expect("state"), "ready");
    assert_eq!(client.discord_verify(&format!(" {CHANNEL}\n")).await.expect("sent").bot, "Demo bot");

    let refused = failure(client.discord_verify("123456789012340000").await);
    let expected = "Discord did not take the message. Check that the bot was invited to the channel's server and may write \
                    there, then try again.";
    assert_eq!(refused, (ErrorKind::Upstream, expected.to_owned(), true));

    palyra.restart_with(&[OFFLINE]);
    let state = palyra.client().discord_state().await.expect("state");
    assert!(state.starts_with("The bot is not online: failed to reach discord"), "{state}");
    let (kind, _, _) = failure(palyra.client().discord_verify(CHANNEL).await);
    assert_eq!(kind, ErrorKind::NotReady);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_says_what_to_do_and_changes_nothing() {
    let palyra = Palyra::start();
    let client = palyra.client();
    for (word, kind, sentence) in [
        ("wrong", ErrorKind::KeyRefused, REFUSED),
        ("busy", ErrorKind::Upstream, "Discord gets too many requests right now. Wait a minute and try again."),
        ("down", ErrorKind::Upstream, "Discord has trouble of its own right now. Wait a few minutes and try again."),
        ("offline", ErrorKind::Upstream, "Discord cannot be reached. Check the internet connection and try again."),
    ] {
        let expected = (kind, sentence.to_owned(), true);
        assert_eq!(failure(client.discord_probe(&token(word)).await), expected, "{word}");
        assert_eq!(failure(client.discord_apply(&token(word)).await), expected, "{word}");
        assert_eq!(client.discord_state().await.expect("state"), "not_connected");
    }
    let none = "That is not a bot's token. Copy it from Discord's developer portal, under Bot.";
    for bad in [" \n".to_owned(), format!("{MARK}\u{e4}"), MARK.repeat(100)] {
        let expected = (ErrorKind::Invalid, none.to_owned(), false);
        assert_eq!(failure(client.discord_probe(&Secret::new(bad.clone())).await), expected);
        assert_eq!(failure(client.discord_apply(&Secret::new(bad)).await), expected);
    }
    for target in ["", "general", "123", "1234567890123456789012345", "12345678901234567/"] {
        let (kind, why, sent) = failure(client.discord_verify(target).await);
        assert_eq!((kind, sent), (ErrorKind::Invalid, false), "{target}");
        let start = "That is not a channel's ID: it has 16 to 24 digits. In Discord, switch on the developer mode,";
        assert!(why.starts_with(start), "{why}");
    }
}

#[tokio::test]
async fn a_bot_whose_token_is_refused_later_says_so() {
    let palyra = Palyra::start();
    palyra.client().discord_apply(&token("later-wrong")).await.expect("apply");
    assert_eq!(palyra.client().discord_state().await.expect("state"), REFUSED);
}
