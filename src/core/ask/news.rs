//! What the gateway's answers mean: accepted or not, answered or not.

use super::{Asks, FOLLOW_MS, LOOKS_MS, Lost, Outcome, Over, PATIENCE_MS, RunState, STALLED_MS, Step, TRIES, unknown};
use crate::core::answer::NoAnswer;
use crate::core::ask::AskOrder;
use crate::core::time::Now;
use crate::core::upstream::Trouble;
use crate::words;

impl Asks {
    pub(super) fn stream_over(&mut self, id: &str, over: Over, now: Now, orders: &mut Vec<AskOrder>) {
        let Some(ask) = self.open.get_mut(id).filter(|ask| ask.step == Step::Sending) else { return };
        let accepted = ask.intent.accepted;
        match over {
            Over::Answered(answer) => self.finish(id, Outcome::Answered(answer), orders),
            Over::NoAnswer { why: NoAnswer::Unfinished, .. } | Over::Broken if accepted => {
                ask.step = Step::following(now)
            }
            Over::NoAnswer { why, .. } if accepted => {
                self.finish(id, Outcome::NoAnswer(why.sentence(words::ask::MODELS_PROVIDER)), orders)
            }
            Over::NoAnswer { why, .. } => ask.step = Step::looking(Some(refused_in_stream(&why)), now),
            Over::Broken => ask.step = Step::looking(None, now),
            // the wait for a stream that had begun
            Over::Lost(_) if accepted => ask.step = Step::following(now),
            Over::Lost(lost) if lost.may_have_acted => ask.step = Step::looking(lost.refused.then_some(lost), now),
            Over::Lost(lost) => self.not_accepted(id, lost, now, orders),
        }
    }

    pub(super) fn found(
        &mut self,
        id: &str,
        outcome: Result<Option<String>, Lost>,
        now: Now,
        orders: &mut Vec<AskOrder>,
    ) {
        let current = self.gateway.clone();
        let Some(ask) = self.open.get_mut(id) else { return };
        if ask.step == Step::Checking {
            match outcome {
                Ok(Some(run_id)) => {
                    ask.step = Step::following(now);
                    self.accepted(id, run_id, orders);
                }
                Ok(None) => {
                    ask.intent.sent_at_unix_ms = Some(now.unix_ms);
                    ask.intent.gateway = current;
                    self.changed += 1;
                    ask.step = Step::Storing { at: self.changed, send: true };
                }
                Err(lost) => self.not_accepted(id, lost, now, orders),
            }
            return;
        }
        let Step::Looking { look, due, refusal, .. } = &mut ask.step else { return };
        match outcome {
            Ok(Some(run_id)) => {
                ask.step = Step::following(now);
                self.accepted(id, run_id, orders);
            }
            Ok(None) => {
                // a gateway that has ended since will not take it any more
                let ended = current.is_some() && current != ask.intent.gateway;
                let refusal = refusal.take().or_else(|| ended.then(ended_before));
                if let Some(lost) = refusal {
                    return self.not_accepted(id, lost, now, orders);
                }
                *look += 1;
                match LOOKS_MS.get(*look) {
                    Some(pause) => *due = Some(now.mono_ms + pause),
                    None => self.finish(id, unknown(words::ask::ITS_ANSWER_TO_MESSAGE_WAS_LOST), orders),
                }
            }
            Err(_) => *due = Some(now.mono_ms + LOOKS_MS[2]),
        }
    }

    /// It certainly was not accepted: once more, if the gateway asked for patience, or it is over.
    pub(super) fn not_accepted(&mut self, id: &str, lost: Lost, now: Now, orders: &mut Vec<AskOrder>) {
        let Some(ask) = self.open.get_mut(id) else { return };
        ask.tries += 1;
        if let Some(pause) = lost.again_ms.filter(|_| ask.tries < TRIES) {
            ask.intent.sent_at_unix_ms = None;
            ask.step = Step::Paused { until: now.mono_ms + pause.min(PATIENCE_MS) };
            self.changed += 1;
            return;
        }
        self.finish(id, Outcome::NotSent { why: lost.why, unreachable: !lost.refused }, orders);
    }

    pub(super) fn ran(
        &mut self,
        id: &str,
        outcome: Result<Option<RunState>, Lost>,
        now: Now,
        orders: &mut Vec<AskOrder>,
    ) {
        let Some(ask) = self.open.get_mut(id) else { return };
        let Step::Following { look, due, moved } = &mut ask.step else { return };
        let run = match outcome {
            Err(_) => return *due = Some(now.mono_ms + LOOKS_MS[3]),
            Ok(None) => {
                let why = words::ask::GATEWAY_NO_LONGER_KNOWS.to_owned();
                return self.finish(id, Outcome::NoAnswer(why), orders);
            }
            Ok(Some(run)) => run,
        };
        let outcome = match (run.state.as_str(), run.answer) {
            ("done", Some(answer)) if !answer.text.trim().is_empty() => Outcome::Answered(answer),
            ("done", _) => Outcome::NoAnswer(NoAnswer::Empty.sentence(words::ask::MODELS_PROVIDER)),
            ("cancelled", _) => Outcome::NoAnswer(NoAnswer::Cancelled.sentence(words::ask::MODELS_PROVIDER)),
            ("failed", _) => Outcome::NoAnswer(failed_run(&run.error)),
            _ => {
                if moved.0 != run.updated_at_unix_ms {
                    *moved = (run.updated_at_unix_ms, now.mono_ms);
                } else if now.mono_ms >= moved.1 + STALLED_MS {
                    let why = words::ask::NOTHING_HAS_HAPPENED_FOR_MINUTES.to_owned();
                    return self.finish(id, Outcome::NoAnswer(why), orders);
                }
                *look += 1;
                *due = Some(now.mono_ms + (1_000 << (*look).min(5)).min(FOLLOW_MS));
                return;
            }
        };
        self.finish(id, outcome, orders);
    }
}

fn ended_before() -> Lost {
    let why = words::ask::GATEWAY_ENDED_BEFORE_IT_TOOK_MESSAGE.to_owned();
    Lost { why, may_have_acted: false, refused: false, again_ms: None }
}

/// The stream said that nothing begins; the books will say so too.
pub(super) fn refused_in_stream(why: &NoAnswer) -> Lost {
    let why = match why {
        NoAnswer::Upstream(Trouble::Other(words)) if words.contains("already has active run") => {
            words::ask::THIS_SESSION_IS_STILL_BUSY.to_owned()
        }
        NoAnswer::Upstream(Trouble::Other(words)) if words.contains("session not found") => {
            words::ask::GATEWAY_KNOWS_NO_SUCH_SESSION.to_owned()
        }
        other => other.sentence(words::ask::MODELS_PROVIDER),
    };
    Lost { why, may_have_acted: false, refused: true, again_ms: None }
}

pub(super) fn failed_run(error: &str) -> String {
    if error.contains("orphaned active run") {
        return words::ask::GATEWAY_WAS_RESTARTED_IN_MIDDLE.to_owned();
    }
    if error.contains("run stream response channel") {
        return words::ask::GATEWAY_GAVE_IT_UP_WHEN_PALYRA.to_owned();
    }
    let empty = error.is_empty();
    if empty { NoAnswer::Empty } else { NoAnswer::Upstream(Trouble::of_run(error)) }
        .sentence(words::ask::MODELS_PROVIDER)
}
