//! Who waits for sidecars: clients for a start or a stop, and dashboards for the gateway.

use super::Agent;
use crate::core::event::{Effect, Secrets, Ticket};
use crate::core::service::{Goal, Phase};
use crate::core::text;
use crate::core::time::Now;
use crate::protocol::{Failure, FailureCode, Place, Reply, ServiceId};
use crate::words;

/// A client that waits for what it asked for.
#[derive(Clone, Debug)]
pub(super) struct Waiter {
    pub(super) ticket: Ticket,
    pub(super) goal: Goal,
    pub(super) services: Vec<ServiceId>,
    pub(super) deadline: u64,
    /// What to answer when it is reached; empty: the usual words.
    pub(super) words: String,
}

/// A dashboard that is to be opened as soon as the gateway is ready.
#[derive(Clone, Debug)]
pub(super) struct WaitingOpen {
    pub(super) ticket: Option<Ticket>,
    pub(super) place: Place,
    pub(super) deadline: u64,
}

impl Agent {
    pub(super) fn settle_opens(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.opens.is_empty() {
            return;
        }
        let gateway = self.fleet.get(ServiceId::Gateway);
        if gateway.is_ready() {
            for open in std::mem::take(&mut self.opens) {
                effects.push(Effect::OpenDashboard(open.ticket, open.place));
            }
            return;
        }
        let locked =
            gateway.phase == Phase::Stopped && matches!(self.secrets, Secrets::Waiting(_) | Secrets::Failed(_));
        let hopeless = locked || gateway.goal == Goal::Down || gateway.phase == Phase::GivenUp;
        let (over, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.opens).into_iter().partition(|open| hopeless || now.mono_ms >= open.deadline);
        self.opens = waiting;
        for open in over {
            let why = text::gateway_not_ready(self);
            self.opened(open.ticket, Err(why), effects);
        }
    }

    pub(super) fn settle_waiters(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let waiters = std::mem::take(&mut self.waiters);
        for waiter in waiters {
            let services: Vec<_> = waiter.services.iter().map(|id| self.fleet.get(*id)).collect();
            let reached = services.iter().all(|service| match waiter.goal {
                Goal::Up => service.is_ready(),
                Goal::Down => !service.is_up(),
            });
            let goes_on = text::goes_on(services.iter().copied()).filter(|_| waiter.goal == Goal::Down);
            let stuck = services.iter().find(|service| waiter.goal == Goal::Up && service.phase == Phase::GivenUp);
            let countermanded = services.iter().any(|service| service.goal != waiter.goal);
            let reply = if let Some(why) = goes_on.filter(|_| reached) {
                Some(Reply::Error(Failure::new(FailureCode::Failed, why, "")))
            } else if reached {
                let usual = || text::reached(waiter.goal, &waiter.services);
                Some(Reply::Done(if waiter.words.is_empty() { usual() } else { waiter.words.clone() }))
            } else if let Some(service) = stuck {
                let hint = service.last_exit.as_ref().map(|exit| exit.cause.class.remedy());
                let hint = hint.filter(|hint| !hint.is_empty()).unwrap_or(words::services::SEE_LOGS);
                Some(Reply::Error(Failure::new(FailureCode::Failed, text::gave_up(service), hint)))
            } else if countermanded {
                Some(Reply::Error(Failure::new(
                    FailureCode::Failed,
                    words::agent::SOMETHING_ELSE_WAS_ASKED_MEANWHILE,
                    words::common::SEE_STATUS,
                )))
            } else if now.mono_ms >= waiter.deadline {
                Some(Reply::Error(Failure::new(
                    FailureCode::Failed,
                    text::took_too_long(waiter.goal, &services),
                    words::services::SEE_LOGS,
                )))
            } else if waiter.goal == Goal::Up
                && let Secrets::Waiting(why) | Secrets::Failed(why) = &self.secrets
            {
                Some(Reply::Error(Failure::new(FailureCode::Failed, why.clone(), words::secrets::UNLOCK_KEYRING)))
            } else {
                None
            };
            match reply {
                Some(reply) => effects.push(Effect::Reply(waiter.ticket, reply)),
                None => self.waiters.push(waiter),
            }
        }
    }
}
