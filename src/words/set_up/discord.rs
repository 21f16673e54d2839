//! Discord in the set-up.

use std::fmt::Display;

pub const TOKEN_REFUSED: &str =
    "Discord does not accept this token. Copy it again from Discord's developer portal, under Bot.";
pub const BOTS_TOKEN_IS_GONE: &str = "The bot's token is gone. Connect the bot again.";
pub const BOT_IS_CONNECTED_BUT_SWITCHED_OFF: &str =
    "The bot is connected but switched off. Switch it on in the dashboard, under Channels.";
pub const BOT_IS_COMING_ONLINE: &str = "The bot is coming online. Wait a minute.";

pub fn bot_is_not_online(why: impl Display) -> String {
    format!("The bot is not online: {why}. Connect it again, or look in the dashboard, under Channels.")
}

pub const PORTAL: &str = "in Discord's developer portal, under Bot";

pub fn bot_cannot_read_what_people_write(portal: impl Display) -> String {
    format!("The bot cannot read what people write. Switch on “Message Content Intent” {portal}.")
}

pub fn bot_may_not_recognise_people(portal: impl Display) -> String {
    format!("The bot may not recognise people. Switch on “Server Members Intent” {portal}.")
}

pub const BOT_IS_NOT_ONLINE_YET: &str = "The bot is not online yet. This can take a minute.";
pub const BOT_IS_ONLINE_AND_HAS_HEARD: &str =
    "The bot is online and has heard nothing yet. Send it a direct message in Discord.";
pub const BOT_HAS_HEARD_NOTHING_FOR_WHILE: &str =
    "The bot has heard nothing for a while. Send it a direct message in Discord.";
pub const HELLO: &str = "Hello from Palyra: the connection works.";
pub const THAT_IS_NOT_CHANNELS_ID: &str = "That is not a channel's ID: it has 16 to 24 digits. In Discord, switch on \
     the developer mode, then right-click the channel and copy its ID.";
pub const BOT_IS_NOT_CONNECTED: &str = "The bot is not connected, or not online yet. Wait a minute, then try again.";
pub const DISCORD_DID_NOT_TAKE_MESSAGE: &str = "Discord did not take the message. Check that the bot was invited to \
     the channel's server and may write there, then try again.";
pub const THAT_IS_NOT_BOTS_TOKEN: &str =
    "That is not a bot's token. Copy it from Discord's developer portal, under Bot.";
