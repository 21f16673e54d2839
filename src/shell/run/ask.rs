//! Messages to Palyra: what is kept of those under way, and the calls they are made of.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::{Input, Shell};
use crate::config::Paths;
use crate::core::ask::{AskEvent, AskWork, Intent, Lost, Over};
use crate::core::event::Event;
use crate::core::ulid;
use crate::protocol::{Action, Secret};
use crate::shell::gateway::{ErrorKind, GatewayError};
use crate::shell::store;

/// Version of the file.
const VERSION: u32 = 1;
/// A gateway that asks for patience and does not say how much gets this, milliseconds.
const PATIENCE_MS: u64 = 2_000;

/// `asks.json`: messages under way.
#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    messages: Vec<Intent>,
}

fn file(paths: &Paths) -> PathBuf {
    paths.profile_own.join("asks.json")
}

/// What an earlier agent left under way, and what a person should know about that.
pub(super) fn kept(paths: &Paths, now_unix_ms: i64) -> (Vec<Intent>, Option<String>) {
    let (kept, told) = store::read_json::<Kept>(&file(paths), now_unix_ms);
    (kept.filter(|kept| kept.version == VERSION).map(|kept| kept.messages).unwrap_or_default(), told)
}

impl Shell {
    pub(super) fn ask_work(&self, work: AskWork) {
        match work {
            AskWork::Keep(messages) => {
                let (path, inputs) = (file(&self.sidecars.paths), self.inputs.clone());
                tokio::task::spawn_blocking(move || {
                    let outcome = keep(&path, messages).map_err(|error| error.to_string());
                    let _ = inputs.send(Input::Event(Event::Ask(AskEvent::Kept(outcome))));
                });
            }
            AskWork::Open { message_id, session, existing } => self.with_gateway(|client| async move {
                let outcome = client.open_session(&session, existing).await.map_err(|error| lost(&error));
                AskEvent::Opened(message_id, outcome)
            }),
            AskWork::Send { message_id, session_id, text } => {
                let inputs = self.inputs.clone();
                self.with_gateway(|client| async move {
                    let id = message_id.clone();
                    let accepted = move |run_id| {
                        let _ = inputs.send(Input::Event(Event::Ask(AskEvent::Accepted(id, run_id))));
                    };
                    let over = client.send_message(&session_id, &message_id, text.expose(), accepted).await;
                    AskEvent::Over(message_id, over.unwrap_or_else(|error| Over::Lost(lost(&error))))
                });
            }
            AskWork::Find { message_id, session_id } => self.with_gateway(|client| async move {
                let found = client.find_message(&session_id, &message_id).await.map_err(|error| lost(&error));
                AskEvent::Found(message_id, found)
            }),
            AskWork::Name(ticket, session_id) => self.with_gateway(move |client| async move {
                let title = client.session_title(&session_id).await;
                AskEvent::Named(ticket, session_id, title)
            }),
            AskWork::ReadRun { message_id, run_id } => self.with_gateway(|client| async move {
                let run = client.read_run(&run_id).await.map_err(|error| lost(&error));
                AskEvent::Ran(message_id, run)
            }),
        }
    }

    /// A reply that was typed into a notification.
    pub(super) fn typed(&self, action: &Action, text: String) -> Option<Event> {
        let Action::Reply { session_id } = action else { return None };
        let mut random = [0; 16];
        // without randomness there is no id that nobody else has, and nothing is sent
        getrandom::fill(&mut random).ok()?;
        let message_id = ulid::encode(self.clock.now().unix_ms, u128::from_be_bytes(random));
        Some(Event::Ask(AskEvent::Replied { message_id, session_id: session_id.clone(), text: Secret::new(text) }))
    }

    fn with_gateway<F>(&self, call: impl FnOnce(crate::shell::gateway::Client) -> F)
    where
        F: Future<Output = AskEvent> + Send + 'static,
    {
        self.with_client(|client| {
            let work = call(client);
            async move { Event::Ask(work.await) }
        });
    }
}

/// Nothing of a message stays behind when it is over.
fn keep(path: &Path, messages: Vec<Intent>) -> io::Result<()> {
    if messages.is_empty() {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    store::write_json(path, &Kept { version: VERSION, messages })
}

fn lost(error: &GatewayError) -> Lost {
    let refused = error.sent && error.status.is_some() && error.kind != ErrorKind::Protocol;
    let certain = matches!(
        error.kind,
        ErrorKind::Invalid
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Unauthorized
            | ErrorKind::NotBound
            | ErrorKind::RateLimited
    );
    let patience = error.kind == ErrorKind::RateLimited || error.status == Some(503);
    let asked = error.retry_after.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
    Lost {
        why: error.to_string(),
        may_have_acted: error.sent && !certain,
        refused,
        again_ms: patience.then(|| asked.unwrap_or(PATIENCE_MS)),
    }
}
