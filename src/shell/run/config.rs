//! Looks at the sidecars' config file, and watches it from then on.

use std::path::PathBuf;

use super::{Input, Shell, browser_key};
use crate::config::palyra::{ConfigFacts, PalyraConfig};
use crate::core::config_watch::{Content, Look};
use crate::core::event::Event;
use crate::protocol::ServiceId;
use crate::shell::config_watch::ConfigWatch;
use crate::shell::gateway::Client;
use crate::shell::sidecars::Sidecars;
use crate::words;

impl Shell {
    pub(super) fn look_at_config(&self) {
        let path = self.sidecars.paths.config.clone();
        let set_up_open = self.set_up_peer.is_some_and(lives);
        let ready = self.core.fleet.get(ServiceId::Gateway).is_ready();
        let browser = self.core.setup.browser;
        let sidecars = self.sidecars.clone();
        let client = self.client.clone().filter(|_| ready);
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            let (watch, content) = look(path.clone(), inputs.clone()).await;
            let (watch, blind) = match watch {
                Ok(watch) => (Some(watch), String::new()),
                Err(why) => (None, why),
            };
            let content = match content {
                Content::Read(facts) if browser => Content::Read(Box::new(with_browser_key(sidecars, *facts).await)),
                content => content,
            };
            let content = match (content, client) {
                (Content::Read(facts), Some(client)) => match refused(&client, &path).await {
                    Some(why) => Content::Invalid(why),
                    None => Content::Read(facts),
                },
                (content, _) => content,
            };
            let _ = inputs.send(Input::ConfigLooked(watch, Look { content, blind, set_up_open }));
        });
    }
}

/// First it is watched, then looked at: what happens in between is told.
async fn look(path: PathBuf, inputs: super::Inputs) -> (Result<ConfigWatch, String>, Content) {
    let looked = tokio::task::spawn_blocking(move || {
        let watch = ConfigWatch::watch(&path, move || {
            let _ = inputs.send(Input::Event(Event::ConfigRang));
        });
        let content = match PalyraConfig::look(&path) {
            Ok((_, _, facts)) => Content::Read(Box::new(facts)),
            Err(_) if !path.exists() => Content::Absent,
            Err(error) => Content::Invalid(error.to_string()),
        };
        (watch, content)
    });
    looked.await.unwrap_or_else(|error| {
        let why = words::settings::look_failed(&error);
        (Err(why.clone()), Content::Invalid(words::settings::config_cannot_be_read(&why)))
    })
}

/// Another key in the vault under the same name is seen by nothing else.
async fn with_browser_key(sidecars: Sidecars, facts: ConfigFacts) -> ConfigFacts {
    let Some(reference) = facts.config.browser_key_ref.clone() else { return facts };
    // asked before there is one, the command line would make it, of a kind that may not work here
    if !facts.config.vault.as_ref().unwrap_or(&sidecars.paths.vault).exists() {
        return facts;
    }
    let read = tokio::task::spawn_blocking(move || browser_key::read(&sidecars, &reference)).await;
    match read.map_err(|error| error.to_string()).and_then(|read| read.map_err(|refusal| refusal.why)) {
        Ok(key) => facts.with_browser_key(&key),
        Err(why) => {
            tracing::warn!("the browser service goes on with the key that it has: {why}");
            facts
        }
    }
}

/// What only the gateway knows: whether it would start with this file.
async fn refused(client: &Client, path: &std::path::Path) -> Option<String> {
    match client.refuses_config(path).await {
        Ok(refusal) => refusal.map(|why| words::settings::gateway_would_not_start_with_config(path.display(), &why)),
        Err(error) => {
            tracing::info!(%error, "what the gateway thinks of its config is not known");
            None
        }
    }
}

#[cfg(unix)]
fn lives(pid: u32) -> bool {
    // a number that nobody has, or another user
    i32::try_from(pid).is_ok_and(|pid| nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_ok())
}

/// The control socket does not tell there who asks.
#[cfg(not(unix))]
const fn lives(_pid: u32) -> bool {
    false
}
