//! Whether a sidecar is down long enough to be told, and back long enough. A flap is not told.
//!
//! What is intended (a stop, a restart that somebody asked for, a first start that takes its time) is no outage.

use crate::core::service::{Goal, Phase, StopReason};
use crate::core::time::Now;

/// What does not last this long is not told, milliseconds: neither an outage nor its end.
pub const DEBOUNCE_MS: u64 = 10_000;

/// What is to be told, or counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It came back before anybody was told.
    Flapped,
    /// It has been down for [`DEBOUNCE_MS`].
    Down,
    /// It has been ready for [`DEBOUNCE_MS`] after it was told to be down, or given up; for how long it was not ready before,
    /// milliseconds.
    Recovered(u64),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    #[default]
    Well,
    /// Not ready, and not told yet. `fell`: since when, in an outage that was told before; `since`: this time.
    Failing { fell: Option<u64>, since: u64 },
    /// Told to be down.
    Down { fell: u64 },
    /// Told to be given up.
    GivenUp { fell: u64 },
    /// Ready, and not told yet.
    Mending { fell: u64, since: u64 },
}

/// One sidecar. All times are on the monotonic clock.
#[derive(Clone, Debug, Default)]
pub struct Outage {
    standing: Standing,
    /// It was ready since it is wanted.
    was_ready: bool,
    /// It is being restarted because somebody asked for it.
    intended: bool,
}

impl Outage {
    /// It stands like this now. To be called whenever it may have changed, and at [`Outage::deadline`].
    pub fn observe(&mut self, goal: Goal, phase: &Phase, now: Now) -> Option<Change> {
        let ms = now.mono_ms;
        let mut change = None;
        self.standing = match (goal, phase) {
            (Goal::Down, _) | (_, Phase::Unknown) => {
                self.excuse();
                Standing::Well
            }
            (Goal::Up, Phase::Ready { .. }) => {
                self.was_ready = true;
                self.intended = false;
                match self.standing {
                    Standing::Failing { fell: None, .. } => {
                        change = Some(Change::Flapped);
                        Standing::Well
                    }
                    Standing::Failing { fell: Some(fell), .. }
                    | Standing::Down { fell }
                    | Standing::GivenUp { fell } => Standing::Mending { fell, since: ms },
                    Standing::Mending { fell, since } if ms >= since + DEBOUNCE_MS => {
                        change = Some(Change::Recovered(since.saturating_sub(fell)));
                        Standing::Well
                    }
                    same => same,
                }
            }
            (Goal::Up, Phase::GivenUp) => Standing::GivenUp { fell: self.fell().unwrap_or(ms) },
            (Goal::Up, _) => {
                let failed = matches!(
                    phase,
                    Phase::BackingOff { .. }
                        | Phase::Unhealthy { .. }
                        | Phase::Stopping { why: StopReason::Sick | StopReason::SlowStart }
                );
                self.intended = !failed && (self.intended || matches!(phase, Phase::Stopping { .. }));
                match self.standing {
                    Standing::Well if failed || (self.was_ready && !self.intended) => {
                        Standing::Failing { fell: None, since: ms }
                    }
                    Standing::Mending { fell, .. } => Standing::Failing { fell: Some(fell), since: ms },
                    Standing::GivenUp { fell } if failed => Standing::Failing { fell: Some(fell), since: ms },
                    Standing::Failing { fell, since } if ms >= since + DEBOUNCE_MS => {
                        change = Some(Change::Down);
                        Standing::Down { fell: fell.unwrap_or(since) }
                    }
                    same => same,
                }
            }
        };
        change
    }

    /// Whatever it does until it is ready again is another's fault.
    pub fn excuse(&mut self) {
        *self = Self::default();
    }

    /// It was told to be down, and is.
    pub const fn is_down(&self) -> bool {
        matches!(self.standing, Standing::Down { .. })
    }

    /// When [`Outage::observe`] next has something to say, if nothing changes until then.
    pub const fn deadline(&self) -> Option<u64> {
        match self.standing {
            Standing::Failing { since, .. } | Standing::Mending { since, .. } => Some(since + DEBOUNCE_MS),
            _ => None,
        }
    }

    const fn fell(&self) -> Option<u64> {
        match self.standing {
            Standing::Well => None,
            Standing::Failing { fell: None, since } => Some(since),
            Standing::Failing { fell: Some(fell), .. }
            | Standing::Down { fell }
            | Standing::GivenUp { fell }
            | Standing::Mending { fell, .. } => Some(fell),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: Phase = Phase::Ready { since: 0 };
    const STARTING: Phase = Phase::Starting { deadline: 0, interval: 0 };
    const WAITS: Phase = Phase::BackingOff { until: 0 };
    const SICK: Phase = Phase::Unhealthy { misses: 1, since: 0 };
    const RESTARTED: Phase = Phase::Stopping { why: StopReason::Restart };

    /// What is told when: the phases from a time on, in seconds; it is looked at every 100 ms.
    fn told(phases: &[(u64, Goal, Phase)], until_s: u64) -> Vec<(u64, Change)> {
        let mut outage = Outage::default();
        let mut told = Vec::new();
        for ms in (0..=until_s * 1_000).step_by(100) {
            let Some((_, goal, phase)) = phases.iter().rev().find(|(at, ..)| at * 1_000 <= ms) else { continue };
            let now = Now { mono_ms: ms, unix_ms: 0 };
            let due = outage.deadline().is_some_and(|at| at <= ms);
            let before = outage.standing;
            told.extend(outage.observe(*goal, phase, now).map(|change| (ms, change)));
            assert!(!due || outage.standing != before, "a deadline that stands still at {ms}");
        }
        told
    }

    fn up(phases: &[(u64, Phase)], until_s: u64) -> Vec<(u64, Change)> {
        let phases: Vec<_> = phases.iter().map(|(at, phase)| (*at, Goal::Up, phase.clone())).collect();
        told(&phases, until_s)
    }

    #[test]
    fn a_flap_is_not_told_and_an_outage_is_with_its_end() {
        assert_eq!(up(&[(0, STARTING), (5, READY), (6, STARTING), (15, READY)], 60), [(15_000, Change::Flapped)]);
        assert_eq!(
            up(&[(0, READY), (6, WAITS), (30, STARTING), (36, READY)], 60),
            [(16_000, Change::Down), (46_000, Change::Recovered(30_000))]
        );
        // back for a moment only: one outage, told again when it lasts again, and one end
        assert_eq!(
            up(&[(0, READY), (5, SICK), (20, READY), (25, WAITS), (28, READY), (29, WAITS), (50, READY)], 90),
            [(15_000, Change::Down), (39_000, Change::Down), (60_000, Change::Recovered(45_000))]
        );
    }

    #[test]
    fn what_is_intended_is_no_outage_until_it_fails() {
        assert_eq!(up(&[(0, STARTING), (50, READY)], 70), []);
        assert_eq!(up(&[(0, READY), (5, RESTARTED), (6, Phase::Stopped), (7, STARTING), (40, READY)], 70), []);
        assert_eq!(up(&[(0, READY), (5, RESTARTED), (6, STARTING), (9, WAITS)], 30), [(19_000, Change::Down)]);
        assert_eq!(up(&[(0, STARTING), (1, WAITS)], 30), [(11_000, Change::Down)], "a first start that fails");
        let stopped = [(0, Goal::Up, READY), (5, Goal::Down, READY), (6, Goal::Down, Phase::Stopped)];
        assert_eq!(told(&stopped, 60), []);
        let asked =
            [(0, Goal::Up, READY), (1, Goal::Up, WAITS), (5, Goal::Down, Phase::Stopped), (9, Goal::Up, STARTING)];
        assert_eq!(told(&asked, 60), []);
    }

    #[test]
    fn what_was_given_up_is_told_to_be_back_and_not_to_be_down_besides() {
        let gone = [(0, READY), (2, WAITS), (8, Phase::GivenUp)];
        assert_eq!(up(&gone, 60), []);
        assert_eq!(
            up(&[&gone[..], &[(30, STARTING), (32, READY)]].concat(), 60),
            [(42_000, Change::Recovered(30_000))]
        );
        assert_eq!(up(&[&gone[..], &[(30, STARTING), (32, WAITS)]].concat(), 60), [(42_000, Change::Down)]);
    }
}
