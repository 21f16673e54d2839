//! The secrets: where they are kept, new ones on the person's word, and what becomes of the values.

use super::{Input, Shell};
use crate::config::Paths;
use crate::config::profiles::IMPLICIT;
use crate::core::event::{Event, Secrets, Ticket};
use crate::core::secrets::{Look, Rotated};
use crate::protocol::ServiceId;
use crate::protocol::secrets::SecretName;
use crate::shell::secrets::{self, Rotation, SecretValues, SecretsReport};
use crate::shell::sidecars::{Sidecars, Tokens};
use crate::words;

impl Shell {
    pub(super) fn secrets_config(&self) -> secrets::SecretsConfig {
        let paths = &self.sidecars.paths;
        secrets::SecretsConfig {
            state_dir: paths.profile_own.clone(),
            qualifier: qualifier(paths),
            backend: backend(&self.sidecars),
            timing: secrets::Timing::default(),
        }
    }

    pub(super) fn secrets_arrived(&mut self, report: SecretsReport) -> Secrets {
        match report {
            SecretsReport::Ready { values, place, notes, rotated } => {
                self.secrets = None;
                let in_file = matches!(place, secrets::Place::File(..));
                self.hold_secrets(&values, in_file);
                if !rotated.is_empty() {
                    self.report(Event::Rotated(None, Rotated::Stored(rotated)));
                }
                Secrets::Ready { place: if in_file { "file" } else { "keyring" }.to_owned(), warning: notes.join(" ") }
            }
            SecretsReport::Waiting { reason } => Secrets::Waiting(reason),
            SecretsReport::Locked { message } => Secrets::Waiting(message),
            SecretsReport::Failed { message } => Secrets::Failed(message),
        }
    }

    pub(super) fn look_at_secrets(&self, ticket: Ticket) {
        let config = self.secrets_config();
        let (sidecars, inputs) = (self.sidecars.clone(), self.inputs.clone());
        let node = self.core.setup.node_host;
        tokio::task::spawn_blocking(move || {
            let mut of_palyra = Vec::new();
            if let Some(vault) = sidecars.vault() {
                of_palyra.push((words::secrets::KEYS_OF_PROVIDERS_AND_BOTS, vault.display().to_string()));
            }
            if let Some(identity) = sidecars.identity_store().filter(|_| node) {
                of_palyra.push((words::secrets::IDENTITY_OF_THIS_MACHINE_AS_NODE, identity.display().to_string()));
            }
            let look = Look { kept: secrets::look(&config), of_palyra };
            let _ = inputs.send(Input::Event(Event::SecretsLooked(ticket, Box::new(look))));
        });
    }

    pub(super) fn rotate(&self, ticket: Ticket, names: Vec<SecretName>) {
        let inputs = self.inputs.clone();
        let ticket = std::sync::Mutex::new(Some(ticket));
        secrets::rotate(self.secrets_config(), names, move |rotation| {
            let ticket = ticket.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            let _ = inputs.send(Input::Rotated(ticket, rotation));
        });
    }

    /// The values stay here; from now on everything is started with them.
    pub(super) fn rotated(&mut self, ticket: Option<Ticket>, rotation: Rotation) -> Event {
        let rotated = match rotation {
            Rotation::Stored(values, names) => {
                let labels: Vec<_> = names.iter().map(|name| name.label()).collect();
                tracing::info!(secrets = labels.join(", "), "made anew");
                let in_file = self.tokens.as_ref().is_some_and(|tokens| tokens.in_file);
                self.hold_secrets(&values, in_file);
                Rotated::Stored(names)
            }
            Rotation::Not(why) => Rotated::Not(words::secrets::secrets_were_not_changed(&why)),
            Rotation::Unfinished(why) => Rotated::Unfinished(words::secrets::secrets_were_not_all_changed(&why)),
        };
        Event::Rotated(ticket, rotated)
    }

    pub(super) fn rotation_over(&self) {
        let (folder, inputs) = (self.sidecars.paths.profile_own.clone(), self.inputs.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(why) = secrets::rotation_over(&folder) {
                let why = words::secrets::that_secrets_were_changed(&why);
                let _ = inputs.send(Input::Event(Event::NotSaved(why)));
            }
        });
    }

    fn hold_secrets(&mut self, values: &SecretValues, in_file: bool) {
        self.tokens = Some(Tokens {
            admin: values.get(SecretName::AdminToken).clone(),
            browser: values.get(SecretName::BrowserToken).clone(),
            browser_key: values.get(SecretName::BrowserStateKey).clone(),
            in_file,
        });
        self.tell_known();
    }
}

/// Before a browser service is started: what an earlier key has encrypted is put aside.
pub(super) fn make_room(sidecars: &Sidecars, service: ServiceId) -> Result<(), String> {
    if service != ServiceId::Browserd {
        return Ok(());
    }
    if let Some(aside) = secrets::put_aside(&sidecars.paths.profile_own, &sidecars.paths.browser_state())? {
        tracing::warn!("the browser's old state cannot be read with its new key and is now {}", aside.display());
    }
    Ok(())
}

/// Names the secrets in a keyring that all profiles share.
fn qualifier(paths: &Paths) -> String {
    let root = secrets::qualifier(&paths.state_root);
    if paths.profile.name == IMPLICIT { root } else { format!("{root}-{}", paths.profile.name) }
}

fn backend(sidecars: &Sidecars) -> secrets::Backend {
    let chosen = sidecars.env.get("PALYRA_TRAY_KEYRING").and_then(|value| value.to_str().map(str::to_owned));
    match chosen.as_deref() {
        // nothing of a demo goes into a person's keyring
        _ if sidecars.demo => secrets::Backend::File,
        Some("off") => secrets::Backend::File,
        _ => secrets::Backend::Auto,
    }
}
