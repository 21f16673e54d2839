//! A decision from the click to its trace on disk: read again, compare, record the intent, send once, read the answer.
//!
//! The gateway overwrites a decision with the next one and has no guard against that. So a record is read again right
//! before, nothing is sent twice, and when the answer shows that somebody else was first, deny wins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::inbox::Standing;
use crate::core::record::{self, Record, Risk};
use crate::core::telemetry::About;
use crate::core::time::Now;
use crate::protocol::{Decision, Failure, FailureCode, Scope, Verdict};
use crate::words;

/// Where a decision was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// A button of a notification.
    Notification,
    /// The review of the whole record.
    Review,
    /// The command line.
    Cli,
    /// This program, to restore a denial.
    Agent,
    /// The pause of all agents, which denies everything.
    Pause,
    /// The person's word to enrol this machine as a node.
    Enrolment,
}

/// One line of the local record: an intent before anything is sent, a result after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Wall clock.
    pub at_unix_ms: i64,
    /// `intent` or `result`.
    pub kind: LedgerKind,
    /// Which approval.
    pub approval_id: String,
    /// Digest of the record as it was shown.
    pub digest: String,
    /// Yes or no.
    pub verdict: Verdict,
    /// How long it holds.
    pub scope: Scope,
    /// Where it was made.
    pub surface: Surface,
    /// What came of it, in words; empty for an intent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outcome: String,
}

/// See [`LedgerLine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerKind {
    /// About to be sent.
    Intent,
    /// What came of it.
    Result,
}

/// Why the gateway did not answer a read or a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// In words.
    pub why: String,
    /// The gateway may have acted all the same.
    pub may_have_acted: bool,
    /// Nobody answered at all.
    pub unreachable: bool,
}

/// What the decision asks of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecisionOrder {
    /// Read the record again.
    Read(String),
    /// Append to the record on disk, synced; answer with [`Decisions::recorded`] when it is an intent.
    Write(LedgerLine),
    /// Send it, once.
    Send(Decision),
    /// It is over.
    Finish {
        /// Which approval.
        approval_id: String,
        /// Who waits for the answer, if anybody.
        ticket: Option<u64>,
        /// One sentence, or why not.
        result: Result<String, Failure>,
        /// What was sent; absent: the record could not even be read.
        made: Option<Made>,
    },
}

/// A decision, as far as it is told where usage is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Yes or no.
    pub verdict: Verdict,
    /// Where it was made.
    pub surface: Surface,
    /// On what.
    pub about: About,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Rereading,
    Recording,
    Sending,
    /// The answer was lost: what does the record say?
    Reconciling,
    /// Somebody was first: a denial is being restored.
    Restoring,
}

#[derive(Clone, Debug)]
struct Deciding {
    decision: Decision,
    surface: Surface,
    ticket: Option<u64>,
    /// The record with the digest that was decided on, where it is kept.
    shown: Option<serde_json::Value>,
    /// Of the record, once it was read again.
    about: Option<About>,
    /// As it was read last.
    expires_at_unix_ms: i64,
    /// As it was when the record was first seen: the wall clock may have been set since.
    expires_mono_ms: u64,
    step: Step,
}

/// Decisions under way, one at most for each approval.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    open: BTreeMap<String, Deciding>,
}

impl Decisions {
    /// One is under way for this approval.
    pub fn is_open(&self, approval_id: &str) -> bool {
        self.open.contains_key(approval_id)
    }

    /// How many are under way.
    pub fn under_way(&self) -> usize {
        self.open.len()
    }

    /// None is under way.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Begins a decision, or says why not.
    ///
    /// # Errors
    /// What was shown is not what waits now, it has expired, is being decided, or the scope does not fit the risk.
    pub fn begin(
        &mut self,
        decision: Decision,
        surface: Surface,
        ticket: Option<u64>,
        standing: Option<Standing>,
    ) -> Result<DecisionOrder, Failure> {
        let id = decision.approval_id.clone();
        let Some(standing) = standing else {
            return Err(refused(words::approvals::approval_is_not_waiting(&id), words::approvals::SEE_WHAT_WAITS));
        };
        if self.is_open(&id) {
            return Err(refused(
                words::approvals::approval_is_being_decided_right_now(&id),
                words::approvals::SEE_WHAT_WAITS,
            ));
        }
        if standing.digest != decision.digest {
            return Err(refused(
                words::approvals::approval_has_changed_since_it_was_shown(&id),
                words::approvals::LOOK_AGAIN,
            ));
        }
        if standing.is_expired {
            return Err(refused(words::approvals::approval_has_expired(&id), words::approvals::SEE_WHAT_WAITS));
        }
        if decision.verdict == Verdict::Approve {
            check_scope(&decision, standing.risk)?;
        }
        self.open.insert(
            id.clone(),
            Deciding {
                decision,
                surface,
                ticket,
                shown: standing.raw,
                about: None,
                expires_at_unix_ms: standing.expires_at_unix_ms,
                expires_mono_ms: standing.expires_mono_ms,
                step: Step::Rereading,
            },
        );
        Ok(DecisionOrder::Read(id))
    }

    /// The record was read again.
    pub fn read(&mut self, id: &str, answer: Result<Record, Unanswered>, now: Now, orders: &mut Vec<DecisionOrder>) {
        let Some(deciding) = self.open.get_mut(id) else { return };
        match (&deciding.step, answer) {
            (Step::Rereading, Ok(record)) => {
                let verdict = check_reread(&record, deciding, now);
                match verdict {
                    Ok(()) => {
                        deciding.about = Some(About::of(&record));
                        deciding.expires_at_unix_ms = record.expires_at_unix_ms();
                        deciding.step = Step::Recording;
                        orders.push(DecisionOrder::Write(deciding.line(LedgerKind::Intent, String::new(), now)));
                    }
                    Err(failure) => self.finish(id, Err(failure), None, orders),
                }
            }
            (Step::Rereading, Err(lost)) => {
                let code = if lost.unreachable { FailureCode::GatewayUnreachable } else { FailureCode::Failed };
                let failure = Failure::new(
                    code,
                    words::approvals::nothing_was_decided_gateway(id, &lost.why),
                    words::approvals::TRY_AGAIN_WHEN_GATEWAY_IS_READY,
                );
                self.finish(id, Err(failure), None, orders);
            }
            (Step::Reconciling, Ok(record)) => {
                let wanted = outcome_of(deciding.decision.verdict);
                let result = match &record.decision {
                    Some(found) if *found == wanted => Ok(done_text(deciding.decision.verdict)),
                    Some(found) => Err(refused(
                        words::approvals::was_decided_elsewhere(id, found.name()),
                        words::approvals::NOTHING_MORE_WAS_SENT,
                    )),
                    None => Err(Failure::new(
                        FailureCode::Failed,
                        words::approvals::approval_still_waits(id),
                        words::approvals::DECIDE_AGAIN,
                    )),
                };
                self.finish(id, result, Some(now), orders);
            }
            (Step::Reconciling, Err(lost)) => {
                let failure = Failure::new(
                    FailureCode::GatewayUnreachable,
                    words::approvals::it_is_not_known_whether_decision(id, &lost.why),
                    words::approvals::IT_WILL_NOT_BE_SENT_AGAIN,
                );
                self.finish(id, Err(failure), Some(now), orders);
            }
            (Step::Recording | Step::Sending | Step::Restoring, _) => {}
        }
    }

    /// The intent is on disk, or could not be put there, which may have taken long. Without a trace nothing is approved, nor
    /// after the end or when all agents were `paused` meanwhile; a denial goes on.
    pub fn recorded(
        &mut self,
        id: &str,
        outcome: Result<(), String>,
        paused: bool,
        now: Now,
        orders: &mut Vec<DecisionOrder>,
    ) {
        let Some(deciding) = self.open.get_mut(id).filter(|deciding| deciding.step == Step::Recording) else { return };
        let approves = deciding.decision.verdict == Verdict::Approve;
        let too_late = now.unix_ms >= deciding.expires_at_unix_ms || now.mono_ms >= deciding.expires_mono_ms;
        match outcome {
            _ if too_late => {
                let failure = refused(
                    words::approvals::approval_expired_before_decision_could(id),
                    words::approvals::SEE_WHAT_WAITS,
                );
                self.finish(id, Err(failure), Some(now), orders);
            }
            Ok(()) if approves && paused => self.finish(id, Err(while_paused(id)), Some(now), orders),
            Err(why) if approves => {
                let failure = Failure::new(
                    FailureCode::Failed,
                    words::approvals::approval_was_not_approved_its_record(id, &why),
                    words::approvals::FREE_SOME_SPACE_OR_MEND_PERMISSIONS,
                );
                self.finish(id, Err(failure), None, orders);
            }
            _ => {
                deciding.step = Step::Sending;
                orders.push(DecisionOrder::Send(deciding.decision.clone()));
            }
        }
    }

    /// The gateway answered a decision, or did not.
    pub fn sent(&mut self, id: &str, answer: Result<Record, Unanswered>, now: Now, orders: &mut Vec<DecisionOrder>) {
        let Some(deciding) = self.open.get_mut(id) else { return };
        match (&deciding.step, answer) {
            (Step::Sending, Ok(record)) => {
                let approved = deciding.decision.verdict == Verdict::Approve;
                if approved && was_decided_before(&record) {
                    deciding.step = Step::Restoring;
                    let restore = Decision {
                        verdict: Verdict::Deny,
                        scope: Scope::Once,
                        ttl_ms: None,
                        reason: Some(words::approvals::RESTORED_DECIDED_ELSEWHERE_FIRST.to_owned()),
                        ..deciding.decision.clone()
                    };
                    let restoring = Deciding { decision: restore.clone(), surface: Surface::Agent, ..deciding.clone() };
                    orders.push(DecisionOrder::Write(restoring.line(LedgerKind::Intent, String::new(), now)));
                    orders.push(DecisionOrder::Send(restore));
                } else if record.decision != Some(outcome_of(deciding.decision.verdict)) {
                    let stands = record.decision.as_ref().map_or(words::approvals::NOT_DECIDED, record::Decision::name);
                    let failure = refused(
                        words::approvals::approval_was_sent_to_gateway(id, stands),
                        words::approvals::SEE_WHAT_WAITS,
                    );
                    self.finish(id, Err(failure), Some(now), orders);
                } else {
                    let text = done_text(deciding.decision.verdict);
                    self.finish(id, Ok(text), Some(now), orders);
                }
            }
            (Step::Sending, Err(lost)) if lost.may_have_acted => {
                deciding.step = Step::Reconciling;
                orders.push(DecisionOrder::Read(id.to_owned()));
            }
            (Step::Sending, Err(lost)) => {
                let failure = Failure::new(
                    if lost.unreachable { FailureCode::GatewayUnreachable } else { FailureCode::Failed },
                    words::approvals::gateway_did_not_take_decision(id, &lost.why),
                    words::approvals::DECIDE_AGAIN,
                );
                self.finish(id, Err(failure), Some(now), orders);
            }
            (Step::Restoring, Ok(_)) => {
                let failure = refused(
                    words::approvals::approval_had_been_decided_elsewhere(id),
                    words::approvals::IF_IT_SHOULD_RUN,
                );
                self.finish(id, Err(failure), Some(now), orders);
            }
            (Step::Restoring, Err(lost)) => {
                let failure = Failure::new(
                    FailureCode::Failed,
                    words::approvals::stands_as_allowed(id, &lost.why),
                    words::approvals::OPEN_DASHBOARD_AND_LOOK,
                );
                self.finish(id, Err(failure), Some(now), orders);
            }
            (Step::Rereading | Step::Recording | Step::Reconciling, _) => {}
        }
    }

    /// `recorded`: the moment of the result line, when an intent was written before.
    fn finish(
        &mut self,
        id: &str,
        result: Result<String, Failure>,
        recorded: Option<Now>,
        orders: &mut Vec<DecisionOrder>,
    ) {
        let Some(deciding) = self.open.remove(id) else { return };
        if let Some(now) = recorded {
            let outcome = match &result {
                Ok(text) => text.clone(),
                Err(failure) => failure.message.clone(),
            };
            orders.push(DecisionOrder::Write(deciding.line(LedgerKind::Result, outcome, now)));
        }
        let Deciding { decision: Decision { verdict, .. }, surface, ticket, about, .. } = deciding;
        let made = about.map(|about| Made { verdict, surface, about });
        orders.push(DecisionOrder::Finish { approval_id: id.to_owned(), ticket, result, made });
    }
}

impl Deciding {
    fn line(&self, kind: LedgerKind, outcome: String, now: Now) -> LedgerLine {
        LedgerLine {
            at_unix_ms: now.unix_ms,
            kind,
            approval_id: self.decision.approval_id.clone(),
            digest: self.decision.digest.clone(),
            verdict: self.decision.verdict,
            scope: self.decision.scope,
            surface: self.surface,
            outcome,
        }
    }
}

fn refused(message: String, hint: &str) -> Failure {
    Failure::new(FailureCode::Refused, message, hint)
}

/// Nothing is approved while all agents are paused.
pub fn while_paused(approval_id: &str) -> Failure {
    refused(words::approvals::approval_was_not_approved(approval_id), words::common::RESUME_THEM_FIRST)
}

fn done_text(verdict: Verdict) -> String {
    match verdict {
        Verdict::Approve => words::approvals::APPROVED.to_owned(),
        Verdict::Deny => words::approvals::DENIED.to_owned(),
    }
}

/// Somebody decided before the decision that this answer belongs to.
fn was_decided_before(answer: &Record) -> bool {
    answer.resolved_at_unix_ms != answer.updated_at_unix_ms
}

fn outcome_of(verdict: Verdict) -> record::Decision {
    match verdict {
        Verdict::Approve => record::Decision::Allow,
        Verdict::Deny => record::Decision::Deny,
    }
}

fn check_scope(decision: &Decision, risk: Risk) -> Result<(), Failure> {
    match decision.scope {
        Scope::Once => Ok(()),
        _ if risk == Risk::Critical => Err(refused(
            words::approvals::CRITICAL_APPROVAL_IS_GIVEN_ONCE_ONLY.to_owned(),
            words::approvals::LEAVE_OUT_SCOPE,
        )),
        Scope::Session => Ok(()),
        Scope::Timeboxed if decision.ttl_ms.is_some_and(|ttl| ttl > 0) => Ok(()),
        Scope::Timeboxed => Err(refused(
            words::approvals::TIME_BOX_NEEDS_LENGTH_ABOVE_ZERO.to_owned(),
            words::approvals::ADD_TTL_FOR_EXAMPLE_TTL_M,
        )),
    }
}

fn check_reread(record: &Record, deciding: &Deciding, now: Now) -> Result<(), Failure> {
    let decision = &deciding.decision;
    let id = &decision.approval_id;
    if let Some(found) = &record.decision {
        return Err(refused(
            words::approvals::was_already_decided_elsewhere(id, found.name()),
            words::approvals::SEE_WHAT_WAITS,
        ));
    }
    if now.unix_ms >= record.expires_at_unix_ms() || now.mono_ms >= deciding.expires_mono_ms {
        return Err(refused(words::approvals::approval_has_expired(id), words::approvals::SEE_WHAT_WAITS));
    }
    if record.approval_id != *id || record::digest(&record.raw) != decision.digest {
        let changed = deciding.shown.as_ref().map(|shown| record::changed(shown, &record.raw).join(", "));
        let changed = changed.map(|names| format!(": {names}")).unwrap_or_default();
        return Err(refused(words::approvals::approval_has_changed_since(id, &changed), words::approvals::LOOK_AGAIN));
    }
    Ok(())
}
