//! Decisions on their way to the gateway, and what is told of how they ended.

use super::Agent;
use crate::core::decisions::{DecisionOrder, Decisions};
use crate::core::event::{Effect, Ticket};
use crate::core::time::Now;
use crate::core::view::{Button, Urgency};
use crate::core::{notices, text};
use crate::protocol::{Failure, FailureCode, Reply, Verdict};
use crate::words;

impl Agent {
    pub(super) fn decided(
        &mut self,
        now: Now,
        effects: &mut Vec<Effect>,
        step: impl FnOnce(&mut Decisions, &mut Vec<DecisionOrder>),
    ) {
        let mut orders = Vec::new();
        step(&mut self.decisions, &mut orders);
        self.decide(orders, now, effects);
    }

    pub(super) fn decide(&mut self, orders: Vec<DecisionOrder>, now: Now, effects: &mut Vec<Effect>) {
        for order in orders {
            match order {
                DecisionOrder::Read(id) => effects.push(Effect::ReadRecord(id)),
                DecisionOrder::Write(line) => {
                    let answer = line.outcome.is_empty();
                    effects.push(Effect::WriteLedger { line, answer });
                }
                DecisionOrder::Send(decision) => {
                    match decision.verdict {
                        Verdict::Approve => self.inbox.heard.allows(&decision.approval_id),
                        // whoever allows it after that is somebody else
                        Verdict::Deny => self.inbox.heard.forget(&decision.approval_id),
                    }
                    effects.push(Effect::SendDecision(decision));
                }
                DecisionOrder::Finish { approval_id, ticket, result, made } => {
                    self.usage_of_decision(made.filter(|_| result.is_ok()), effects);
                    match &result {
                        Ok(_) if self.inbox.heard.knows(&approval_id) => self.inbox.settle(&approval_id),
                        Ok(_) => self.inbox.denied(&approval_id),
                        Err(Failure { code: FailureCode::Refused, .. }) => self.inbox.doubt(&approval_id),
                        Err(_) => self.inbox.suspect(&approval_id),
                    }
                    self.inbox.ring(now);
                    self.answer(&approval_id, ticket, result, effects);
                }
            }
        }
    }

    /// A client gets its reply; a click that failed is told by a notification.
    pub(super) fn answer(
        &mut self,
        approval_id: &str,
        ticket: Option<Ticket>,
        result: Result<String, Failure>,
        effects: &mut Vec<Effect>,
    ) {
        match (ticket, result) {
            (Some(ticket), Ok(text)) => effects.push(Effect::Reply(ticket, Reply::Done(text))),
            (Some(ticket), Err(failure)) => effects.push(Effect::Reply(ticket, Reply::Error(failure))),
            (None, Ok(_)) if self.is_denied_by_pause(approval_id) => self.count_denied(),
            (None, Ok(_)) => {}
            (None, Err(_)) if self.is_denied_by_pause(approval_id) => {}
            (None, Err(failure)) => {
                self.inbox.again(approval_id);
                let body = format!("{}. {}", text::capitalise(&failure.message), failure.hint);
                let key = format!("event:decision:{approval_id}");
                let buttons =
                    vec![Button { label: words::buttons::REVIEW.to_owned(), action: notices::review(approval_id) }];
                self.tell(&key, (words::approvals::NOT_DECIDED_AS_CHOSEN, &body), buttons, Urgency::Normal);
            }
        }
    }
}
