//! Profiles in the pretended world: a registry, and an agent that begins anew on another one.

use std::collections::BTreeMap;

use super::{Behaviour, World};
use crate::config::profiles::{Entry, IMPLICIT, Registry};
use crate::core::event::{Event, ProfileNews, ProfileWork, Secrets, Setup, Ticket};
use crate::protocol::profiles::ProfileRequest;
use crate::protocol::{Request, ServiceId};

/// The profiles there are, and how it goes there.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    /// By name, beside the implicit one.
    pub registry: BTreeMap<String, Entry>,
    /// Why a profile cannot be used, as seen without starting it.
    pub unusable: Option<String>,
    /// The agent dies where it would begin anew.
    pub dies: bool,
    /// Where it began anew, in this order.
    pub became: Vec<String>,
    /// Its gateway behaves so on this profile, and well on all others.
    pub gateway_on: Option<(String, Behaviour)>,
    /// The secrets cannot be had on this profile, and why.
    pub no_secrets_on: Option<(String, String)>,
}

impl World {
    /// There is a profile of this name.
    pub fn add_profile(&mut self, name: &str, strict: bool) {
        let entry =
            Entry { name: name.to_owned(), label: name.to_owned(), strict, registered: true, ..Entry::default() };
        self.profiles.registry.insert(name.to_owned(), entry);
    }

    /// A client asks for a change of profile.
    pub fn switch(&mut self, ticket: Ticket, name: &str, confirmed: bool) {
        let request = ProfileRequest::Switch { name: name.to_owned(), confirmed };
        self.give(Event::Asked(ticket, Request::Profiles(request)));
    }

    /// With what an agent that starts now finds on the disk.
    pub fn setup_from_disk(&self) -> Setup {
        let mut setup = self.agent.setup.clone();
        setup.state = self.saved.last().cloned().unwrap_or_default();
        let name = setup.state.active_profile.clone();
        let entry = self.profiles.registry.get(&name).cloned();
        let there = name == IMPLICIT || entry.is_some();
        setup.profile_trouble = (!there).then(|| format!("there is no profile {name}"));
        let from = setup.state.switch.as_ref().and_then(|switch| self.profiles.registry.get(&switch.from).cloned());
        setup.profile = if there { entry } else { from }.unwrap_or_default();
        setup
    }

    pub(super) fn profile_work(&mut self, work: ProfileWork) {
        match work {
            ProfileWork::List(ticket) => {
                let registry = self.registry();
                self.later(1, Event::Profiles(ProfileNews::Listed(ticket, Ok(registry))));
            }
            ProfileWork::Check(ticket, name) => {
                let found = self.registry().get(&name).cloned().map_err(|error| error.0);
                let outcome = self.profiles.unusable.clone().map_or(found, Err);
                self.later(1, Event::Profiles(ProfileNews::Checked(ticket, outcome)));
            }
            ProfileWork::Become(name) => {
                if self.profiles.dies {
                    return self.kill_agent();
                }
                let setup = self.setup_from_disk();
                if setup.state.active_profile != name {
                    self.faults.push(format!("{}: begins anew on {name}, which is not on the disk", self.clock()));
                }
                if let Some((service, _)) = self.alive.first() {
                    self.faults.push(format!("{}: {service} of the old profile lives", self.clock()));
                }
                if !self.agent.decisions.is_idle() {
                    self.faults.push(format!("{}: a decision is still on its way", self.clock()));
                }
                self.note(format!("begins anew on {name}"));
                self.profiles.became.push(name);
                self.begin(setup);
            }
        }
    }

    /// The next agent starts, on the profile that the state on the disk names.
    pub fn begin_from_disk(&mut self) {
        let setup = self.setup_from_disk();
        self.begin(setup);
    }

    fn begin(&mut self, setup: Setup) {
        let on = setup.profile.name.clone();
        if let Some((name, behaviour)) = &self.profiles.gateway_on {
            let behaviour = if *name == on { *behaviour } else { Behaviour::default() };
            self.behaviour.insert(ServiceId::Gateway, behaviour);
        }
        self.next_agent(setup);
        if let Some((_, why)) = self.profiles.no_secrets_on.clone().filter(|(name, _)| *name == on) {
            self.give(Event::Secrets(Secrets::Failed(why)));
        }
    }

    fn registry(&self) -> Registry {
        let mut profiles = self.profiles.registry.clone();
        profiles.insert(IMPLICIT.to_owned(), Entry::implicit());
        Registry { path: "/state/cli/profiles.toml".into(), profiles, left_out: Vec::new() }
    }
}
