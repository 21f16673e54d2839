//! The set-up's steps with a Discord bot: optional to the end. Look at the token, connect, try a channel.

use super::{Errand as Work, Flow, Step, Want, read, screens};
use crate::protocol::setup::{DiscordAnswer, SetupRequest};
use crate::protocol::{Reply, Secret};
use crate::words;

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// At all?
    Offer,
    /// The bot's token.
    Token,
    /// This bot?
    Bot(Secret),
    /// Which channel to try.
    Channel,
}

/// What is being done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    Probe(Secret),
    Apply,
    Verify,
}

pub(super) fn begin(flow: &mut Flow) -> Want {
    let form = screens::discord_offer(&flow.facts.setup.discord);
    flow.ask(super::Question::Discord(Question::Offer), form)
}

pub(super) fn answered(flow: &mut Flow, question: Question, button: &str, value: &str) -> Want {
    match (question, button) {
        (Question::Offer, screens::CONNECT) => token(flow),
        (Question::Offer, _) => {
            flow.record.declined.insert(Step::Discord);
            flow.look()
        }
        (Question::Token, screens::NEXT) if !value.trim().is_empty() => {
            let token = Secret::new(value.trim());
            let request = SetupRequest::DiscordProbe { token: token.clone() };
            flow.request(Step::Discord, Work::Discord(Errand::Probe(token)), words::set_up::DISCORD_LOOKING, request)
        }
        (Question::Token, screens::NEXT) => token(flow),
        (Question::Bot(token), screens::CONNECT) => {
            let request = SetupRequest::DiscordApply { token };
            flow.request(Step::Discord, Work::Discord(Errand::Apply), words::set_up::DISCORD_CONNECTING, request)
        }
        (Question::Token | Question::Bot(_), _) => begin(flow),
        (Question::Channel, screens::NEXT) if !value.trim().is_empty() => {
            let request = SetupRequest::DiscordVerify { target: value.trim().to_owned() };
            flow.request(Step::Discord, Work::Discord(Errand::Verify), words::set_up::DISCORD_SENDING, request)
        }
        (Question::Channel, _) => flow.leave_out(Step::Discord),
    }
}

pub(super) fn worked(flow: &mut Flow, errand: Errand, reply: Reply, unix_ms: i64) -> Want {
    let answer = match read::<DiscordAnswer>(reply) {
        Ok(answer) => answer,
        Err(why) => return flow.trouble(Step::Discord, &why, unix_ms),
    };
    match errand {
        Errand::Probe(token) => flow.ask(super::Question::Discord(Question::Bot(token)), screens::discord_bot(&answer)),
        Errand::Apply => {
            let form = screens::discord_channel(&answer);
            flow.ask(super::Question::Discord(Question::Channel), form)
        }
        Errand::Verify => flow.look(),
    }
}

fn token(flow: &mut Flow) -> Want {
    flow.ask(super::Question::Discord(Question::Token), screens::discord_token())
}
