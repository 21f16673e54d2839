//! The pretended store of the secrets, and which of them each sidecar was started with.

use std::collections::BTreeMap;

use super::{ANSWER_MS, World};
use crate::core::event::Event;
use crate::core::secrets::{self, Rotated};
use crate::protocol::secrets::{SecretName, SecretsRequest};
use crate::protocol::{Request, ServiceId};

/// The store, and what is made of it.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// How often each was made anew: stands for its value.
    pub values: BTreeMap<SecretName, u32>,
    /// The note that a rotation is not over.
    pub noted: Vec<SecretName>,
    /// What comes of the next rotation, if it is not that all goes well.
    pub mishap: Option<Rotated>,
    /// What the agent holds: what it starts sidecars with.
    held: BTreeMap<SecretName, u32>,
    /// What each living sidecar was started with.
    told: BTreeMap<ServiceId, BTreeMap<SecretName, u32>>,
}

impl World {
    /// A client asks for new ones.
    pub fn rotate(&mut self, ticket: u64, names: &[SecretName]) {
        let request = SecretsRequest::Rotate { names: names.to_vec(), lose_profiles: true };
        self.give(Event::Asked(ticket, Request::Secrets(request)));
    }

    /// Living sidecars that have another value than the store, with the secret.
    pub fn strangers(&self) -> Vec<(ServiceId, SecretName)> {
        let living = self.alive.iter().map(|(id, _)| *id);
        let all = living.flat_map(|id| SecretName::ALL.into_iter().map(move |name| (id, name)));
        all.filter(|(id, name)| secrets::used_by(*name).contains(id))
            .filter(|(id, name)| self.store.told.get(id).and_then(|told| told.get(name)) != self.store.values.get(name))
            .collect()
    }

    pub(super) fn told_secrets(&mut self, id: ServiceId) {
        self.store.told.insert(id, self.store.held.clone());
    }

    pub(super) fn rotation_arrived(&mut self) {
        self.store.held.clone_from(&self.store.values);
    }

    pub(super) fn rotate_store(&mut self, ticket: u64, names: Vec<SecretName>) {
        let rotated = self.store.mishap.take().unwrap_or_else(|| {
            for name in &names {
                *self.store.values.entry(*name).or_default() += 1;
            }
            self.store.noted.clone_from(&names);
            Rotated::Stored(names)
        });
        self.note(format!("secrets: {rotated:?}"));
        self.later(ANSWER_MS, Event::Rotated(Some(ticket), rotated));
    }

    pub(super) fn rotation_over(&mut self) {
        self.store.noted.clear();
        self.note("the rotation is over".to_owned());
    }

    pub(super) fn look_at_store(&mut self, ticket: u64) {
        self.later(ANSWER_MS, Event::SecretsLooked(ticket, Box::default()));
    }

    /// What the next agent is told at its start: a note from before is acted on.
    pub(super) fn resume_rotation(&mut self) {
        if !self.store.noted.is_empty() {
            let names = self.store.noted.clone();
            self.give(Event::Rotated(None, Rotated::Stored(names)));
        }
    }
}
