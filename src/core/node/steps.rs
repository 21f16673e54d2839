//! The steps of an enrolment: when each begins, when it is over, and the ways out. All of them lead through
//! [`Step::Closing`].

use super::notices::{self, NeedsRepair, Notice};
use super::pairing::{self, Picked};
use super::{
    CLOSE_LIMIT_MS, Enrolled, Kept, Known, LIST_MS, Node, NodeOrder, NodeWork, PAIR_LIMIT_MS, Pairing, PairingRequest,
    START_LIMIT_MS, Seen, Step, Task,
};
use crate::core::decisions::{LedgerKind, LedgerLine, Surface};
use crate::core::service::Goal;
use crate::core::time::Now;
use crate::protocol::node::NodeTask;
use crate::protocol::{Failure, FailureCode, Scope, Verdict};
use crate::words;

impl Node {
    pub(super) fn check(&self, task: NodeTask, now: Now) -> Result<(), Failure> {
        let refuse = |why: &str, hint: &str| Err(Failure::new(FailureCode::Refused, why, hint));
        if let Some(task) = &self.task {
            return refuse(&words::node::node_is_under_way(task.task.word()), words::node::SEE_NODE);
        }
        if self.window.is_some() {
            return refuse(words::node::GATEWAY_IS_BEING_RESTARTED_TO_CLOSE, words::common::TRY_AGAIN_IN_A_MOMENT);
        }
        if task.opens_window() && !self.allowed {
            return refuse(words::node::ENROLMENT_IS_SWITCHED_OFF, words::node::SWITCH_ON);
        }
        match (task, &self.known) {
            (_, Known::Unknown) => {
                refuse(words::node::HOW_ENROLMENT_STANDS_IS_BEING_LOOKED, words::common::TRY_AGAIN_IN_A_MOMENT)
            }
            (NodeTask::Enrol, Known::Enrolled(_)) if self.needs_repair(now).is_some() => {
                refuse(words::node::THIS_MACHINE_IS_ENROLLED_BUT_NEEDS, words::node::REPAIR_IT_NODE_REPAIR)
            }
            (NodeTask::Enrol, Known::Enrolled(_)) => {
                refuse(words::node::THIS_MACHINE_IS_ENROLLED_ALREADY, words::node::TO_FORGET)
            }
            (NodeTask::Repair | NodeTask::Reset, Known::Absent) => {
                refuse(words::common::THIS_MACHINE_IS_NOT_ENROLLED, words::node::ENROL_IT_NODE_ENROLL)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn opening(&mut self, seen: &Seen, late: bool, now: Now, orders: &mut Vec<NodeOrder>) {
        if late || !seen.gateway_hoped_for {
            return self.fail(seen.gateway_words.clone(), words::node::SEE_GATEWAY_LOG, now, orders);
        }
        let Some(window) = self.window.clone().filter(|_| seen.gateway_ready) else { return };
        match &self.heard {
            Some((run, Some(false))) if *run == window => {
                self.advance(Step::Pairing(Pairing::default()), PAIR_LIMIT_MS, now);
                if let Some(task) = &self.task {
                    let (attempt, ours) = (self.attempt, task.ours.clone());
                    let clear = task.task == NodeTask::Repair;
                    orders.push(NodeOrder::Work(NodeWork::Begin { attempt, ours, clear }));
                }
            }
            Some((run, _)) if *run == window => self.fail(words::node::NO_WINDOW, "", now, orders),
            _ => {}
        }
    }

    pub(super) fn listed(
        &mut self,
        attempt: u64,
        listed: Result<Vec<PairingRequest>, String>,
        now: Now,
        orders: &mut Vec<NodeOrder>,
    ) {
        let Some(ours) = self.task.as_ref().map(|task| task.ours.clone()) else { return };
        let Some(pairing) = self.pairing(attempt).filter(|pairing| pairing.request.is_none()) else { return };
        let again = Some(now.mono_ms + LIST_MS);
        match (listed, pairing.since) {
            (Ok(requests), Some(since)) => match pairing::pick(&requests, &ours, since) {
                Picked::NotYet => pairing.list_at = again,
                Picked::One(request) => {
                    orders.push(NodeOrder::Write(line(&request, LedgerKind::Intent, String::new(), now)));
                    pairing.request = Some(request);
                }
                Picked::Strange(who) => {
                    orders.push(NodeOrder::Tell(Notice::Strange(who.clone())));
                    self.fail(notices::strange(&who), words::node::WHO_WAS_IT, now, orders);
                }
            },
            // the next look may succeed; the deadline ends it
            (Err(_), _) | (_, None) => pairing.list_at = again,
        }
    }

    pub(super) fn closing(&mut self, seen: &Seen, late: bool, now: Now, orders: &mut Vec<NodeOrder>) {
        if self.window.is_some() {
            // its shim ends it, asked or by the lease; nothing is told as closed before
            if late {
                orders.push(NodeOrder::Tell(Notice::CannotClose));
                self.advance(Step::Closing, CLOSE_LIMIT_MS, now);
            }
            return;
        }
        let heard = self.heard.as_ref().filter(|(run, _)| seen.gateway_ready && seen.gateway.as_ref() == Some(run));
        let shut = match heard {
            Some((_, Some(false))) => return,
            Some((_, demands)) => Some(*demands),
            // no gateway, no window
            None if late || !seen.gateway_hoped_for => None,
            None => return,
        };
        let outcome = match &self.task {
            Some(task) => task.outcome.clone(),
            None => return,
        };
        match (outcome, shut) {
            (Ok(()), Some(_)) => {
                self.advance(Step::Starting, START_LIMIT_MS, now);
                orders.push(NodeOrder::Host(Goal::Up));
            }
            (Ok(()), None) => {
                let why = words::node::this_machine_is_enrolled(&seen.gateway_words);
                self.finish(Err(failed(why, words::node::SEE_GATEWAY_LOG)), orders);
            }
            (Err(failure), shut) => {
                let message = format!("{}; {}", failure.message, notices::shut(shut));
                self.finish(Err(Failure { message, ..failure }), orders);
            }
        }
    }

    /// The window is to be closed, whatever came of it.
    pub(super) fn close(&mut self, now: Now, orders: &mut Vec<NodeOrder>) {
        self.renew_at = None;
        self.advance(Step::Closing, CLOSE_LIMIT_MS, now);
        if self.window.is_some() {
            orders.push(NodeOrder::RestartGateway { wanted: false });
        }
    }

    pub(super) fn fail(&mut self, why: impl Into<String>, hint: &str, now: Now, orders: &mut Vec<NodeOrder>) {
        let Some(task) = &mut self.task else { return };
        let not_enrolled = match task.task {
            NodeTask::Enrol => words::node::THIS_MACHINE_WAS_NOT_ENROLLED,
            NodeTask::Repair => words::node::NODE_HOST_WAS_NOT_REPAIRED,
            NodeTask::Reset => words::node::ENROLMENT_WAS_NOT_RESET,
        };
        task.outcome = Err(failed(format!("{not_enrolled}: {}", why.into()), hint));
        match task.step {
            Step::Emptying => {
                let outcome = task.outcome.clone().map(|()| String::new());
                return self.finish(outcome, orders);
            }
            Step::Pairing(_) => {
                orders.push(NodeOrder::Work(NodeWork::Abandon));
                orders.push(NodeOrder::Work(NodeWork::Look));
            }
            _ => {}
        }
        self.close(now, orders);
    }

    pub(super) fn finish(&mut self, result: Result<String, Failure>, orders: &mut Vec<NodeOrder>) {
        let Some(task) = self.task.take() else { return };
        // what is enrolled runs, also when something went wrong with it
        let goal = if self.known == Known::Absent { Goal::Down } else { Goal::Up };
        orders.push(NodeOrder::Host(goal));
        orders.push(NodeOrder::Finish(task.ticket, result));
    }

    pub(super) fn removed(&mut self, removed: Result<String, String>, orders: &mut Vec<NodeOrder>) {
        match removed {
            Ok(left) => {
                self.known = Known::Absent;
                self.refused = false;
                self.expires_mono_ms = None;
                self.finish(Ok(notices::reset(&left)), orders);
            }
            Err(why) => {
                orders.push(NodeOrder::Work(NodeWork::Look));
                self.finish(Err(failed(words::node::enrolment_was_not_reset(&why), "")), orders);
            }
        }
    }

    pub(super) fn told(&mut self, told: Result<Option<Enrolled>, String>, now: Now, orders: &mut Vec<NodeOrder>) {
        match told {
            Ok(Some(enrolled)) => self.enrolled(enrolled, now),
            Ok(None) => {
                self.known = Known::Absent;
                self.expires_mono_ms = None;
            }
            Err(why) => self.known = Known::Untold(why),
        }
        if self.task.is_none() {
            orders.push(NodeOrder::Host(if self.known == Known::Absent { Goal::Down } else { Goal::Up }));
        }
    }

    pub(super) fn enrolled(&mut self, enrolled: Enrolled, now: Now) {
        self.expires_mono_ms = enrolled.expires_at_unix_ms.filter(|at| *at > now.unix_ms).map(|at| now.mono_at(at));
        if self.known != Known::Enrolled(enrolled.clone()) {
            self.refused = false;
            self.known = Known::Enrolled(enrolled);
        }
    }

    /// Said once, also over a restart of the agent.
    pub(super) fn watch_expiry(&mut self, now: Now, orders: &mut Vec<NodeOrder>) {
        if let (Some(at), Known::Enrolled(enrolled)) = (self.expires_mono_ms, &self.known)
            && now.mono_ms >= at
        {
            // a clock that was set back meanwhile: later
            self.expires_mono_ms = enrolled.expires_at_unix_ms.filter(|at| *at > now.unix_ms).map(|at| now.mono_at(at));
        }
        if self.task.is_some() || self.known == Known::Unknown {
            return;
        }
        let need = self.needs_repair(now);
        let key = need.as_ref().map(NeedsRepair::key);
        if self.kept.told == key {
            return;
        }
        orders.push(match need {
            Some(need) => NodeOrder::Tell(Notice::NeedsRepair(need)),
            None => NodeOrder::Withdraw(Notice::NeedsRepair(NeedsRepair::Refused)),
        });
        self.keep(|kept| kept.told = key, orders);
    }

    /// What a failed attempt left in the gateway is refused, so that it does not ask the person.
    pub(super) fn tidy(&mut self, seen: &Seen, orders: &mut Vec<NodeOrder>) {
        let heard =
            self.heard.as_ref().is_some_and(|(run, _)| seen.gateway_ready && seen.gateway.as_ref() == Some(run));
        if self.tidying || self.task.is_some() || self.window.is_some() || !heard {
            return;
        }
        if !self.kept.enrolling.is_empty() {
            self.tidying = true;
            orders.push(NodeOrder::Work(NodeWork::Tidy(self.kept.enrolling.clone())));
        }
    }

    pub(super) fn pairing(&mut self, attempt: u64) -> Option<&mut Pairing> {
        let current = self.attempt == attempt;
        match &mut self.task {
            Some(Task { step: Step::Pairing(pairing), .. }) if current => Some(pairing),
            _ => None,
        }
    }

    pub(super) fn advance(&mut self, step: Step, limit_ms: u64, now: Now) {
        if let Some(task) = &mut self.task {
            task.step = step;
            task.deadline = now.mono_ms + limit_ms;
        }
    }

    pub(super) fn keep(&mut self, change: impl FnOnce(&mut Kept), orders: &mut Vec<NodeOrder>) {
        let before = self.kept.clone();
        change(&mut self.kept);
        if self.kept != before {
            orders.push(NodeOrder::Work(NodeWork::Keep(self.kept.clone())));
        }
    }

    pub(super) fn random(&mut self) -> u128 {
        (u128::from(self.jitter.between(0, u64::MAX - 1)) << 64) | u128::from(self.jitter.between(0, u64::MAX - 1))
    }
}

pub(super) fn failed(why: impl Into<String>, hint: &str) -> Failure {
    Failure::new(FailureCode::Failed, why, hint)
}

/// The person's word to enrol is the decision about this request.
pub(super) fn line(request: &PairingRequest, kind: LedgerKind, outcome: String, now: Now) -> LedgerLine {
    LedgerLine {
        at_unix_ms: now.unix_ms,
        kind,
        approval_id: request.approval_id.clone(),
        digest: request.transcript_hash.clone(),
        verdict: Verdict::Approve,
        scope: Scope::Once,
        surface: Surface::Enrolment,
        outcome,
    }
}
