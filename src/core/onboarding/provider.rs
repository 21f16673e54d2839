//! The set-up's steps with a model provider: which one, a key or the browser, and the gateway's word on it.

use super::{Errand, Flow, Job, Step, Want, read, screens};
use crate::protocol::setup::{Provider, SetupRequest, SignIn};
use crate::protocol::{Reply, Secret};
use crate::words;

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Which one.
    Which,
    /// A key, or the browser.
    How(Provider),
    /// The key.
    Key(Provider),
    /// The id of the person's own application.
    ClientId(Provider),
    /// Its secret.
    ClientSecret(Provider, String),
}

pub(super) fn begin(flow: &mut Flow) -> Want {
    choose(flow, None)
}

/// Asks which one; `trouble`: what came of the last try.
pub(super) fn choose(flow: &mut Flow, trouble: Option<&str>) -> Want {
    let form = screens::providers(&flow.facts.setup.providers, flow.record.provider, trouble);
    flow.ask(super::Question::Provider(Question::Which), form)
}

pub(super) fn answered(flow: &mut Flow, question: Question, button: &str, value: &str) -> Want {
    match (question, button) {
        (Question::Which, screens::NEXT) => {
            let Some(provider) = Provider::ALL.into_iter().find(|one| one.id() == value) else {
                return choose(flow, Some(words::set_up::CHOOSE_ONE));
            };
            flow.record.provider = Some(provider);
            // of another one
            flow.record.tested = None;
            let sign_in = flow.facts.setup.providers.iter().any(|one| one.provider == provider && one.sign_in);
            if sign_in {
                flow.ask(super::Question::Provider(Question::How(provider)), screens::how(provider))
            } else {
                key(flow, provider, None)
            }
        }
        (Question::Which, _) => flow.leave_out(Step::Provider),
        (Question::How(provider), screens::NEXT) if value == screens::BROWSER => {
            if provider.sign_in_needs_client_id() {
                return flow.ask(super::Question::Provider(Question::ClientId(provider)), screens::client_id(provider));
            }
            begin_sign_in(flow, provider, None, None)
        }
        (Question::ClientId(provider), screens::NEXT) if !value.trim().is_empty() => {
            let question = Question::ClientSecret(provider, value.trim().to_owned());
            flow.ask(super::Question::Provider(question), screens::client_secret(provider))
        }
        (Question::ClientSecret(provider, id), screens::NEXT) => {
            let secret = Some(value.trim()).filter(|secret| !secret.is_empty()).map(Secret::new);
            begin_sign_in(flow, provider, Some(id), secret)
        }
        (Question::How(provider), screens::NEXT) => key(flow, provider, None),
        (Question::Key(provider), screens::NEXT) if !value.trim().is_empty() => {
            let request = SetupRequest::ProviderKey { provider, key: Secret::new(value.trim()) };
            flow.request(Step::Provider, Errand::Key(provider), &screens::checking_key(provider), request)
        }
        (Question::Key(provider), screens::NEXT) => key(flow, provider, None),
        _ => choose(flow, None),
    }
}

fn begin_sign_in(
    flow: &mut Flow,
    provider: Provider,
    client_id: Option<String>,
    client_secret: Option<Secret>,
) -> Want {
    let request = SetupRequest::SignIn { provider, client_id, client_secret };
    flow.request(Step::Provider, Errand::BeginSignIn(provider), words::set_up::SIGNING_IN, request)
}

/// Asks for the key; `trouble`: what came of the last one.
pub(super) fn key(flow: &mut Flow, provider: Provider, trouble: Option<&str>) -> Want {
    flow.ask(super::Question::Provider(Question::Key(provider)), screens::key(provider, trouble))
}

/// The sign-in was begun: the person's browser goes on with it.
pub(super) fn sign_in(flow: &mut Flow, provider: Provider, reply: Reply, unix_ms: i64) -> Want {
    match read::<SignIn>(reply) {
        Ok(begun) => {
            let show = flow.facts.terminal || !begun.opened;
            let text = screens::signing_in(provider, show.then(|| begun.authorization_url.expose()), &begun.note);
            let job = Job::SignIn { provider, attempt_id: begun.attempt_id };
            flow.work(Step::Provider, Errand::Plain, &text, job)
        }
        Err(why) => flow.trouble(Step::Provider, &why, unix_ms),
    }
}
