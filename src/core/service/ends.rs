//! The end of a run: why, and what comes next: a restart at once, backoff, the network, or a crash loop that is given up.

use super::{Goal, Order, Phase, Service, StopReason};
use crate::core::cause::{self, Cause, Class, Evidence, Facts};
use crate::core::fingerprint::Changes;
use crate::core::time::{Jitter, Now, doubled};
use crate::protocol::RunId;
use crate::protocol::shim::ExitRecord;
use crate::words;

/// Waits between restarts stay within these, milliseconds.
pub const BACKOFF_MS: (u64, u64) = (1_000, 30_000);
/// Health for this long makes the next end the first one again, milliseconds.
pub const STABLE_MS: u64 = 60_000;
/// This many ends within [`CRASH_LOOP_WINDOW_MS`] are a crash loop.
pub const CRASH_LOOP_ENDS: usize = 5;
/// Window of the crash-loop count, milliseconds.
pub const CRASH_LOOP_WINDOW_MS: u64 = 120_000;
/// This many restarts without one stable run are a crash loop too, however slowly they came (a sidecar that hangs each
/// time ends less than five times in two minutes).
pub const CRASH_LOOP_ATTEMPTS: u32 = 10;

/// How the last run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastExit {
    /// Why.
    pub cause: Cause,
    /// Wall clock.
    pub at_unix_ms: i64,
    /// The newest lines of standard error.
    pub stderr: Vec<String>,
    /// What differed then from the last good start; absent when there was none or nobody looked.
    pub changes: Option<Changes>,
}

impl LastExit {
    /// Nobody was left to see how. The time is when that was noticed.
    pub fn lost(rebooted: bool, now_unix_ms: i64) -> Self {
        let what = if rebooted { words::services::ends::MACHINE_DOWN } else { words::services::ends::SHIM_KILLED };
        let cause = Cause { class: Class::Unseen, what: what.to_owned(), said: None, hopeless: false };
        Self { cause, at_unix_ms: now_unix_ms, stderr: Vec::new(), changes: None }
    }
}

impl Service {
    /// The process is gone, and so is its shim. `exit` is absent when nobody could see how.
    pub fn ended(
        &mut self,
        run: &RunId,
        exit: Option<&ExitRecord>,
        jitter: &mut Jitter,
        now: Now,
        orders: &mut Vec<Order>,
    ) {
        if !self.current(run) {
            return;
        }
        let stopping = match self.phase {
            Phase::Stopping { why } => Some(why),
            _ => None,
        };
        // one that was to go down may have been asked by an agent before us
        let asked = self.goal == Goal::Down && exit.is_some_and(|exit| exit.asked);
        let stopping = stopping.or(asked.then_some(StopReason::Asked));
        let starting = self.is_starting();
        let last = self.why(run, exit, stopping, starting, now.unix_ms);
        let Cause { class, hopeless, .. } = last.cause;
        self.last_exit = Some(last);
        // how it ended says more than that it did not answer meanwhile
        self.trouble.clear();
        if class == Class::Network && self.goal == Goal::Up {
            self.wait_for_network(now);
        } else {
            self.over(hopeless, jitter, now, orders);
        }
    }

    /// The end of this run that is coming is no fault of its own.
    pub fn excuse(&mut self, run: &RunId) {
        if self.current(run) && !matches!(self.phase, Phase::Stopping { .. }) {
            self.phase = Phase::Stopping { why: StopReason::Restart };
        }
    }

    /// How the last run of an earlier agent ended, which is on record.
    pub fn past(&mut self, exit: &ExitRecord) -> LastExit {
        // whoever asked then knew why
        let stopping = exit.asked.then_some(StopReason::Asked);
        self.why(&exit.run_id, Some(exit), stopping, false, exit.ended_at_unix_ms)
    }

    /// The run is over: decide what comes next.
    pub(super) fn over(&mut self, hopeless: bool, jitter: &mut Jitter, now: Now, orders: &mut Vec<Order>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Stopped);
        self.run = None;
        self.next_probe = None;
        self.probing = false;
        let healthy = self.healthy.take();
        let intended = matches!(phase, Phase::Stopping { why: StopReason::Asked | StopReason::Restart });
        if intended || self.goal == Goal::Down {
            self.trouble.clear();
            return;
        }
        let last_good =
            if matches!(phase, Phase::Ready { .. }) { now.mono_ms } else { healthy.map_or(0, |(_, last)| last) };
        if healthy.is_some_and(|(first, _)| last_good.saturating_sub(first) >= STABLE_MS) {
            self.forget_failures();
        }
        self.ends.push_back(now.mono_ms);
        self.ends.retain(|end| now.mono_ms - end < CRASH_LOOP_WINDOW_MS);
        self.attempts += 1;
        if hopeless || self.ends.len() >= CRASH_LOOP_ENDS || self.attempts >= CRASH_LOOP_ATTEMPTS {
            self.phase = Phase::GivenUp;
            orders.push(Order::GaveUp);
        } else if self.attempts > 1 {
            let ceiling = doubled(BACKOFF_MS.0, self.attempts - 1, BACKOFF_MS.1);
            self.phase = Phase::BackingOff { until: now.mono_ms + jitter.between(BACKOFF_MS.0, ceiling) };
        }
    }

    /// Tried again and again, slowly, and never given up: it is the network that has to come.
    fn wait_for_network(&mut self, now: Now) {
        self.run = None;
        self.next_probe = None;
        self.probing = false;
        self.healthy = None;
        words::services::IT_NEEDS_INTERNET_CONNECTION_TO_START.clone_into(&mut self.trouble);
        self.phase = Phase::BackingOff { until: now.mono_ms + BACKOFF_MS.1 };
    }

    pub(super) fn forget_failures(&mut self) {
        self.attempts = 0;
        self.ends.clear();
    }

    fn why(
        &mut self,
        run: &RunId,
        exit: Option<&ExitRecord>,
        stopping: Option<StopReason>,
        starting: bool,
        at_unix_ms: i64,
    ) -> LastExit {
        let Evidence { taken, changes } = self.evidence(run);
        let facts = Facts { exit, stopping, starting, trouble: &self.trouble, taken: &taken };
        LastExit {
            cause: cause::cause(&facts),
            at_unix_ms: exit.map_or(at_unix_ms, |exit| exit.ended_at_unix_ms),
            stderr: exit.map(|exit| exit.last_stderr.clone()).unwrap_or_default(),
            changes,
        }
    }

    pub(super) fn evidence(&mut self, run: &RunId) -> Evidence {
        self.evidence.take().filter(|(seen, _)| seen == run).map(|(_, evidence)| evidence).unwrap_or_default()
    }
}
