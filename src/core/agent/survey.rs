//! What the gateway tells only when asked: orders to ask, and those who wait for the answers.

use super::Agent;
use crate::core::event::{Effect, Ticket};
use crate::core::time::{Now, earlier};
use crate::core::view::Urgency;
use crate::core::{report, snapshot, text};
use crate::protocol::{Failure, FailureCode, Reply};
use crate::words;

/// Whoever wants a report waits this long for the gateway at most, milliseconds.
pub const REPORT_MS: u64 = 5_000;
/// Key of the notification about a text that was copied.
const COPIED: &str = "event:copied";

/// In which form a report is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The snapshot.
    Snapshot,
    /// As text in the clipboard.
    Copy,
}

/// Somebody waits for the gateway's newest answers.
#[derive(Clone, Debug)]
pub(super) struct Report {
    ticket: Option<Ticket>,
    wanted: Wanted,
    since: u64,
}

impl Agent {
    /// Gives what is known, once what is old was asked for.
    pub(super) fn report(&mut self, ticket: Option<Ticket>, wanted: Wanted, now: Now) {
        self.survey.look(now);
        self.reports.push(Report { ticket, wanted, since: now.mono_ms });
    }

    pub(super) fn settle_survey(&mut self, now: Now, effects: &mut Vec<Effect>) {
        effects.extend(self.survey.step(now).into_iter().map(Effect::Survey));
        let over = |report: &Report| now.mono_ms >= report.since + REPORT_MS || self.survey.is_settled(report.since);
        let (over, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.reports).into_iter().partition(over);
        self.reports = waiting;
        for report in over {
            let snapshot = snapshot::snapshot(self, now);
            effects.push(match (report.wanted, report.ticket) {
                (Wanted::Snapshot, Some(ticket)) => Effect::Reply(ticket, Reply::Data(snapshot)),
                (Wanted::Snapshot, None) => continue,
                (Wanted::Copy, ticket) => Effect::Copy(ticket, report::report(&snapshot)),
            });
        }
    }

    pub(super) fn survey_deadline(&self) -> Option<u64> {
        let reports = self.reports.iter().map(|report| report.since + REPORT_MS).min();
        earlier(reports, self.survey.deadline())
    }

    pub(super) fn copied(
        &mut self,
        ticket: Option<Ticket>,
        outcome: Result<Option<String>, String>,
        effects: &mut Vec<Effect>,
    ) {
        let body = match outcome {
            Ok(None) => words::status::DIAGNOSTICS_COPIED.to_owned(),
            Ok(Some(file)) => text::diagnostics_in(&file),
            Err(why) => {
                let hint = words::windows::DIAGNOSTICS_IN_TERMINAL;
                return self.fail(ticket, Failure::new(FailureCode::Failed, why, hint), effects);
            }
        };
        if ticket.is_none() {
            self.tell(COPIED, (words::common::DIAGNOSTICS, &body), Vec::new(), Urgency::Normal);
        }
        self.done(ticket, &body, effects);
    }
}
