//! The sidecars' config file: what a look at it means for those who run.

use std::collections::BTreeMap;

use super::Agent;
use crate::core::config_watch::{Living, Look, Order};
use crate::core::event::{Effect, Ticket};
use crate::core::ports::{self, Ports};
use crate::core::service::{Goal, Phase};
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::Urgency;
use crate::protocol::{Failure, FailureCode, ServiceId};
use crate::words;

/// Key of the notification.
const NOTICE: &str = "event:config";

impl Agent {
    /// A change of the config restarts what it touches.
    pub fn config_restarts(&self) -> bool {
        self.setup.config_restarts && !self.setup.config_manual
    }

    /// Who runs with an older config until a person restarts it.
    pub fn config_left(&self) -> Vec<ServiceId> {
        self.config.left.keys().copied().filter(|id| self.fleet.get(*id).run.is_some()).collect()
    }

    pub(super) fn config_looked(&mut self, look: Look, now: Now) {
        let before = self.config.trouble.clone();
        let living = self.fleet.iter().filter(|service| !matches!(service.phase, Phase::Stopping { .. }));
        let living = living.filter_map(|service| {
            let started_at_unix_ms = service.run.as_ref()?.record.as_ref()?.started_at_unix_ms;
            Some((service.id, Living { ports: service.ports.clone(), started_at_unix_ms }))
        });
        let living = living.collect();
        let restarts = self.config_restarts();
        let news = self.config.looked(look, &living, restarts, now.mono_ms);
        if news && restarts {
            // somebody mended what may have kept it down
            for id in ServiceId::ALL {
                let service = self.fleet.get_mut(id);
                if service.goal == Goal::Up && matches!(service.phase, Phase::GivenUp | Phase::BackingOff { .. }) {
                    service.want(Goal::Up);
                    self.events.remove(&format!("event:{id}:given_up"));
                }
            }
        }
        if self.config.trouble.is_empty() {
            self.events.remove(NOTICE);
        } else if self.config.trouble != before {
            let body = words::settings::nothing_was_restarted(text::sentence(&self.config.trouble));
            self.tell(NOTICE, (words::settings::CONFIG_INVALID, &body), Vec::new(), Urgency::Normal);
        }
    }

    pub(super) fn settle_config(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.is_ending() {
            return;
        }
        for order in self.config.step(now.mono_ms) {
            match order {
                Order::Look => effects.push(Effect::LookAtConfig),
                Order::Restart(id, why) => {
                    let mut orders = Vec::new();
                    let service = self.fleet.get_mut(id);
                    // nobody starts for the sake of its config
                    if service.goal == Goal::Up && service.run.is_some() {
                        service.restart(&mut orders);
                        service.trouble = why;
                        self.perform(id, orders, effects);
                    }
                }
            }
        }
    }

    /// What a service listens on, where the config names others or the usual ones are meant and it is not those.
    pub fn unwritten_ports(&self, id: ServiceId) -> Option<&Ports> {
        let service = self.fleet.get(id);
        let known = self.config.is_known() && self.config.trouble.is_empty() && service.run.is_some();
        let named = || self.config.ports(id).unwrap_or_else(|| ports::defaults(id));
        (known && !service.ports.is_empty() && !ports::same(&named(), &service.ports)).then_some(&service.ports)
    }

    pub(super) fn write_ports(
        &mut self,
        ticket: Option<Ticket>,
        service: Option<ServiceId>,
        effects: &mut Vec<Effect>,
    ) {
        if !self.config.trouble.is_empty() {
            let failure =
                Failure::new(FailureCode::Failed, self.config.trouble.clone(), words::settings::THEN_TRY_AGAIN);
            return self.fail(ticket, failure, effects);
        }
        let wanted = ServiceId::ALL.into_iter().filter(|id| service.is_none_or(|one| one == *id));
        let ports: BTreeMap<_, _> = wanted.filter_map(|id| Some((id, self.unwritten_ports(id)?.clone()))).collect();
        if ports.is_empty() {
            return self.done(ticket, words::settings::NOTHING_TO_WRITE, effects);
        }
        effects.push(Effect::WritePorts(ticket, ports));
    }

    pub(super) fn ports_written(
        &mut self,
        ticket: Option<Ticket>,
        outcome: Result<(), String>,
        effects: &mut Vec<Effect>,
    ) {
        match outcome {
            Ok(()) => self.done(ticket, words::settings::WRITTEN_NOTHING_HAS_TO_BE_RESTARTED, effects),
            Err(why) => self.fail(ticket, Failure::new(FailureCode::Failed, why, ""), effects),
        }
    }

    pub(super) fn set_config_restarts(
        &mut self,
        ticket: Option<Ticket>,
        enabled: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        if self.setup.config_manual {
            let failure = Failure::new(
                FailureCode::Refused,
                words::settings::PALYRA_DESKTOP_CONFIG_RELOAD_MODE_SWITCHES,
                words::settings::START_TRAY_WITHOUT_THAT_VARIABLE,
            );
            return self.fail(ticket, failure, effects);
        }
        self.setup.config_restarts = enabled;
        effects.push(Effect::SaveSwitch("services.restart_on_config_change", enabled));
        self.config.look_now(now.mono_ms);
        self.done(
            ticket,
            if enabled {
                words::settings::CHANGES_OF_CONFIG_ARE_FOLLOWED
            } else {
                words::settings::THEY_ARE_LEFT_TO_YOU
            },
            effects,
        );
    }
}
