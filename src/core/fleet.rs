//! The sidecars together: start order gateway, then browserd and node host once it is ready; stop in reverse.

use std::collections::BTreeMap;

use crate::core::service::{Goal, Order, Phase, Service, StopReason};
use crate::core::time::{Jitter, Now, earlier};
use crate::protocol::ServiceId;

/// All sidecars.
#[derive(Clone, Debug)]
pub struct Fleet {
    services: BTreeMap<ServiceId, Service>,
    /// Spreads restarts.
    pub jitter: Jitter,
}

impl Fleet {
    /// Nothing known of any of them.
    pub fn new(seed: u64) -> Self {
        let services = ServiceId::ALL.into_iter().map(|id| (id, Service::new(id))).collect();
        Self { services, jitter: Jitter::new(seed) }
    }

    /// One sidecar. Every id has one.
    pub fn get(&self, id: ServiceId) -> &Service {
        &self.services[&id]
    }

    /// One sidecar and the jitter its steps draw on.
    pub fn split(&mut self, id: ServiceId) -> (&mut Service, &mut Jitter) {
        let service = self.services.entry(id).or_insert_with(|| Service::new(id));
        (service, &mut self.jitter)
    }

    /// One sidecar.
    pub fn get_mut(&mut self, id: ServiceId) -> &mut Service {
        self.split(id).0
    }

    /// In start order.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// Every sidecar is known to have no process.
    pub fn all_down(&self) -> bool {
        self.iter().all(|service| !service.is_up())
    }

    /// Does what is due for all of them. `may_launch`: whether anything may be started at all; `enrolled`: the node host has
    /// what it needs.
    pub fn step(&mut self, may_launch: bool, enrolled: bool, now: Now) -> Vec<(ServiceId, Order)> {
        let mut all = Vec::new();
        for id in ServiceId::ALL {
            let gate = match id {
                // what has not been looked at, or has not answered yet, would be taken for somebody else's; and what starts
                // again may get other ports, which it is told with its own
                ServiceId::Gateway => self.iter().filter(|other| other.id != id).all(|other| {
                    let starts_again = matches!(other.phase, Phase::Stopping { why: StopReason::Restart });
                    !(other.phase == Phase::Unknown || other.is_launching() || starts_again)
                }),
                ServiceId::Browserd => self.get(ServiceId::Gateway).is_ready(),
                ServiceId::NodeHost => enrolled && self.get(ServiceId::Gateway).is_ready(),
            };
            let may_stop = id != ServiceId::Gateway
                || self.iter().filter(|other| other.id != id).all(|other| !other.is_up() || other.goal == Goal::Up);
            let (service, jitter) = self.split(id);
            let mut orders = Vec::new();
            service.step(may_launch && gate, may_stop, jitter, now, &mut orders);
            all.extend(orders.into_iter().map(|order| (id, order)));
        }
        all
    }

    /// When [`Fleet::step`] next has something to do.
    pub fn deadline(&self) -> Option<u64> {
        self.iter().map(Service::deadline).fold(None, earlier)
    }
}
