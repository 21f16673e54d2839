//! What the sidecars' state machines ask for, and what is heard of their processes.

use std::collections::BTreeMap;

use super::{Agent, EventNotice};
use crate::core::event::{Effect, Facts, Found};
use crate::core::ports::Ports;
use crate::core::service::{Goal, LastExit, Order, Phase, Probe};
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::{Button, Urgency};
use crate::protocol::{Action, RunId, ServiceId};
use crate::words;

impl Agent {
    pub(super) fn perform(&mut self, id: ServiceId, orders: Vec<Order>, effects: &mut Vec<Effect>) {
        for order in orders {
            match order {
                Order::Launch(run) => {
                    self.events.remove(&format!("event:{id}:given_up"));
                    self.config.launched(id);
                    let running = self.fleet.iter().filter(|s| s.id != id && s.is_up()).map(|s| s.id).collect();
                    let browser = self.setup.browser;
                    let window = id == ServiceId::Gateway && self.node.launching(&run);
                    effects.push(Effect::Launch { service: id, run, ports: self.ports(), running, browser, window });
                }
                Order::Stop(_) => {
                    if let Some(record) = self.fleet.get(id).run.as_ref().and_then(|run| run.record.clone()) {
                        effects.push(Effect::Stop(id, record));
                    }
                }
                Order::LookAgain => effects.push(Effect::LookAgain(id)),
                Order::Probe(run) => {
                    let service = self.fleet.get(id);
                    let starting = matches!(service.phase, Phase::Starting { .. });
                    let port = service.ports.get("http").copied().unwrap_or(0);
                    let sign_in = id == ServiceId::Gateway && starting;
                    effects.push(Effect::Probe { service: id, run, port, sign_in });
                }
                Order::GaveUp => {
                    let service = self.fleet.get(id);
                    let body = text::given_up_notice(service);
                    let buttons = vec![
                        Button {
                            label: words::common::TRY_AGAIN.to_owned(),
                            action: Action::Start { service: Some(id) },
                        },
                        Button { label: words::buttons::SHOW_LOG.to_owned(), action: Action::ShowLog { service: id } },
                    ];
                    let title = text::given_up_title(service);
                    let notice = EventNotice { title, body, buttons, urgency: Urgency::Normal };
                    self.insert_notice(&format!("event:{id}:given_up"), notice);
                }
            }
        }
    }

    pub(super) fn found(&mut self, id: ServiceId, found: Found, now: Now, effects: &mut Vec<Effect>) {
        let told = self.setup.browser;
        let mut orders = Vec::new();
        let (service, jitter) = self.fleet.split(id);
        match found {
            Found::Nothing(last) => {
                let last = last.map(|exit| service.past(&exit));
                service.found_nothing(last, jitter, now, &mut orders);
            }
            Found::Lost { rebooted } => {
                let last = LastExit::lost(rebooted, now.unix_ms);
                service.found_nothing(Some(last), jitter, now, &mut orders);
            }
            Found::Living(record) => {
                if id == ServiceId::Gateway {
                    self.told_browser_port = record.ports.get("browser_grpc").copied();
                }
                let contested = service.is_contested();
                let leased =
                    (record.lease_ms.is_some() && service.phase == Phase::Unknown).then(|| record.run_id.clone());
                if contested && self.rotation.may_have_old(id) {
                    self.rotation.outlived_by(id, None);
                }
                service.adopted(record, now);
                // what lives was wanted, unless it was switched off since, or somebody has said what is wanted meanwhile
                if self.quitting.is_none() && !contested && (id != ServiceId::Browserd || told) {
                    service.want(Goal::Up);
                }
                if let Some(run) = leased {
                    let mut orders = Vec::new();
                    self.node.adopted(&run, &mut orders);
                    self.node_orders(orders, effects);
                }
            }
            Found::Unclear(why) => {
                service.unclear(why);
                orders.push(Order::GaveUp);
            }
        }
        self.perform(id, orders, effects);
    }

    pub(super) fn gateway_over(&mut self, id: ServiceId, run: &RunId, now: Now, effects: &mut Vec<Effect>) {
        if id == ServiceId::Gateway {
            let mut orders = Vec::new();
            self.node.gateway_ended(run, now, &mut orders);
            self.node_orders(orders, effects);
        }
    }

    pub(super) fn ports_chosen(&mut self, ports: BTreeMap<ServiceId, Ports>, note: &str, effects: &mut Vec<Effect>) {
        for (id, ports) in &ports {
            self.fleet.get_mut(*id).ports.clone_from(ports);
        }
        if !note.is_empty() {
            self.tell_moved(note);
        }
        let grpc = self.fleet.get(ServiceId::Browserd).ports.get("grpc").copied();
        if ports.contains_key(&ServiceId::Gateway) {
            self.told_browser_port = grpc;
        } else if ports.contains_key(&ServiceId::Browserd) && grpc != self.told_browser_port {
            // the gateway was told another port: it is the one that must start again
            let mut orders = Vec::new();
            self.fleet.get_mut(ServiceId::Gateway).restart(&mut orders);
            self.perform(ServiceId::Gateway, orders, effects);
        }
        self.companion.set_ports(self.ports());
    }

    pub(super) fn probed(
        &mut self,
        id: ServiceId,
        run: &RunId,
        outcome: Result<Facts, String>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let was_ready = self.fleet.get(id).is_ready();
        let starting = matches!(self.fleet.get(id).phase, Phase::Starting { .. });
        let (probe, facts) = match outcome {
            Ok(facts) => (Probe::Good, Some(facts)),
            Err(why) => (Probe::Bad(why), None),
        };
        let mut orders = Vec::new();
        self.fleet.get_mut(id).probed(run, probe, now, &mut orders);
        self.perform(id, orders, effects);
        if !self.fleet.get(id).is_ready() {
            return;
        }
        if starting {
            let version = facts.as_ref().map(|facts| facts.version.clone()).unwrap_or_default();
            effects.push(Effect::KeepGoodStart { service: id, run: run.clone(), version });
        }
        if id != ServiceId::Gateway {
            return;
        }
        let demands = facts.as_ref().filter(|_| starting).map(|facts| facts.node_port_demands);
        if let Some(facts) = facts {
            if facts.journal.is_some() {
                effects.push(Effect::WatchJournal(facts.journal.clone()));
            }
            if let Some(profile) = &facts.profile {
                self.profile = Some((profile.clone(), now));
            }
            self.gateway = Some((facts, now));
        }
        if !was_ready && !self.inbox.is_open() {
            self.inbox.open(now);
            self.survey.open(now);
            self.watched.open();
        }
        if let Some(demands) = demands {
            let mut orders = Vec::new();
            self.node.gateway_ready(run, demands, &mut orders);
            self.node_orders(orders, effects);
        }
    }
}
