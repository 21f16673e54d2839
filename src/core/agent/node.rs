//! The node host's enrolment, as part of the agent: what it sees of the sidecars, and what it may do to them.

use super::Agent;
use crate::core::event::{Companion, Effect, Secrets, Ticket};
use crate::core::node::{Known, NodeEvent, NodeOrder, Seen};
use crate::core::service::{Goal, Phase};
use crate::core::snapshot;
use crate::core::text;
use crate::core::time::Now;
use crate::protocol::node::{NodeRequest, NodeTask};
use crate::protocol::{Failure, FailureCode, Reply, ServiceId};
use crate::words;

impl Agent {
    pub(super) fn node_asked(&mut self, ticket: Ticket, request: NodeRequest, now: Now, effects: &mut Vec<Effect>) {
        match request {
            NodeRequest::Status => {
                effects.push(Effect::Reply(ticket, Reply::Data(snapshot::node(self, now))));
            }
            NodeRequest::Do { task } => {
                let begun = self.may_begin(task).and_then(|()| {
                    let mut orders = Vec::new();
                    let begun = self.node.begin(task, Some(ticket), now, &mut orders);
                    self.node_orders(orders, effects);
                    begun
                });
                if let Err(failure) = begun {
                    self.fail(Some(ticket), failure, effects);
                }
            }
        }
    }

    pub(super) fn node_dialog(&mut self, ticket: Option<Ticket>, task: NodeTask, effects: &mut Vec<Effect>) {
        effects.push(Effect::Open(Companion::Node(task)));
        self.done(ticket, words::node::DIALOG_OPENS, effects);
    }

    pub(super) fn node_told(&mut self, event: NodeEvent, now: Now, effects: &mut Vec<Effect>) {
        let mut orders = Vec::new();
        self.node.take(event, now, &mut orders);
        self.node_orders(orders, effects);
    }

    /// False: it was not the enrolment's.
    pub(super) fn node_recorded(
        &mut self,
        approval_id: &str,
        recorded: &Result<(), String>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let mut orders = Vec::new();
        let own = self.node.recorded(approval_id, recorded, now, &mut orders);
        self.node_orders(orders, effects);
        own
    }

    /// Before anything is started or stopped, so that a gateway never gets the window that it should no longer have.
    pub(super) fn settle_node(&mut self, now: Now, effects: &mut Vec<Effect>) {
        // each step may make room for the next one
        for _ in 0..4 {
            let mut orders = Vec::new();
            self.node.step(&self.seen(), now, &mut orders);
            if orders.is_empty() {
                break;
            }
            self.node_orders(orders, effects);
        }
        self.inbox.hide_pairing_of(self.node.own_devices());
    }

    pub(super) fn node_orders(&mut self, orders: Vec<NodeOrder>, effects: &mut Vec<Effect>) {
        for order in orders {
            match order {
                NodeOrder::Work(work) => effects.push(Effect::Node(work)),
                NodeOrder::RestartGateway { wanted } => {
                    let gateway = self.fleet.get_mut(ServiceId::Gateway);
                    if wanted || gateway.goal == Goal::Up {
                        let mut orders = Vec::new();
                        gateway.restart(&mut orders);
                        self.perform(ServiceId::Gateway, orders, effects);
                    }
                }
                NodeOrder::StopGateway => self.fleet.get_mut(ServiceId::Gateway).want(Goal::Down),
                NodeOrder::Host(goal) => self.want_node_host(goal),
                NodeOrder::Write(line) => {
                    let answer = line.outcome.is_empty();
                    // nobody is asked who that was
                    self.inbox.heard.allows(&line.approval_id);
                    effects.push(Effect::WriteLedger { line, answer });
                }
                NodeOrder::Tell(notice) => {
                    let (title, body, buttons, urgency) = notice.words(self.node.allowed);
                    self.tell(notice.key(), (title, &body), buttons, urgency);
                }
                NodeOrder::Withdraw(notice) => {
                    self.events.remove(notice.key());
                }
                NodeOrder::Finish(ticket, result) => {
                    let Some(ticket) = ticket else { continue };
                    let reply = result.map_or_else(Reply::Error, Reply::Done);
                    effects.push(Effect::Reply(ticket, reply));
                }
            }
        }
    }

    /// `Up`: as far as Palyra is to run at all.
    fn want_node_host(&mut self, goal: Goal) {
        let absent = self.node.known == Known::Absent;
        let gateway = self.fleet.get(ServiceId::Gateway).goal;
        self.setup.node_host = !absent;
        let goal = if goal == Goal::Up && !absent && gateway == Goal::Up { Goal::Up } else { Goal::Down };
        let host = self.fleet.get_mut(ServiceId::NodeHost);
        if host.goal != goal {
            host.want(goal);
        }
    }

    fn may_begin(&self, task: NodeTask) -> Result<(), Failure> {
        if self.is_ending() {
            return Err(Failure::new(FailureCode::Refused, words::common::PALYRA_TRAY_IS_ENDING, ""));
        }
        if task.opens_window() && self.paused {
            return Err(Failure::new(
                FailureCode::Refused,
                words::common::ALL_AGENTS_ARE_PAUSED,
                words::common::RESUME_THEM_FIRST,
            ));
        }
        let secrets = matches!(self.secrets, Secrets::Ready { .. });
        if task.opens_window() && !secrets {
            let why = text::gateway_not_ready(self);
            return Err(Failure::new(FailureCode::GatewayUnreachable, why, words::services::TRY_WHEN_READY));
        }
        Ok(())
    }

    fn seen(&self) -> Seen {
        let gateway = self.fleet.get(ServiceId::Gateway);
        let host = self.fleet.get(ServiceId::NodeHost);
        let host_words = match (&host.last_exit, host.trouble.is_empty()) {
            (Some(exit), true) => exit.cause.what.clone(),
            _ => host.trouble.clone(),
        };
        Seen {
            gateway: gateway.run.as_ref().map(|run| run.id.clone()),
            gateway_ready: gateway.is_ready(),
            gateway_starting: matches!(gateway.phase, Phase::Starting { .. } | Phase::Unknown),
            gateway_hoped_for: gateway.goal == Goal::Up && gateway.phase != Phase::GivenUp,
            gateway_words: text::gateway_not_ready(self),
            host_up: host.run.is_some(),
            host_ready: host.is_ready(),
            host_words,
            ending: self.is_ending(),
        }
    }
}
