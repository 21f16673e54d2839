//! The stop ladder: SIGINT, SIGTERM, SIGKILL, each after a time. Pure; time is given, in milliseconds of any clock that
//! only goes forward.

use crate::protocol::shim::StopLadder;

/// How often the port is tried while the first rung holds.
const PROBE_EVERY_MS: u64 = 100;

/// One step of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// SIGINT to the process group: end in your own time.
    Interrupt,
    /// SIGTERM to the process group.
    Terminate,
    /// SIGKILL to the process group; there is nothing after it.
    Kill,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a rung that is not sent is lost"]
pub enum Due {
    /// Wait until [`Ladder::deadline`].
    Nothing,
    /// Send this signal, then ask again.
    Send(Rung),
    /// Try this loopback TCP port, say so with [`Ladder::probed`], then ask again.
    Probe(u16),
}

/// Where a stop is. Made for one life of a sidecar; its end is somebody else's business.
#[derive(Clone, Debug)]
pub struct Ladder {
    limits: StopLadder,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    Idle,
    Interrupted { until: u64, next_probe: u64, refused_since: Option<u64> },
    Terminated { until: u64 },
    Killed,
}

impl Ladder {
    /// Nothing is asked yet.
    pub fn new(limits: StopLadder) -> Self {
        Self { limits, stage: Stage::Idle }
    }

    /// Whether a stop has begun.
    pub fn asked(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }

    /// A stop is wanted. Asking again changes nothing.
    pub fn ask(&mut self, now: u64) -> Due {
        if self.asked() {
            return Due::Nothing;
        }
        let until = now.saturating_add(self.limits.interrupt_grace_ms);
        self.stage = Stage::Interrupted { until, next_probe: now.saturating_add(PROBE_EVERY_MS), refused_since: None };
        Due::Send(Rung::Interrupt)
    }

    /// What the time asks for.
    pub fn due(&mut self, now: u64) -> Due {
        match &mut self.stage {
            Stage::Interrupted { until, .. } if now >= *until => {
                let until = now.saturating_add(self.limits.terminate_grace_ms);
                self.stage = Stage::Terminated { until };
                Due::Send(Rung::Terminate)
            }
            Stage::Interrupted { next_probe, .. } => match self.limits.refused_port {
                Some(port) if now >= *next_probe => Due::Probe(port),
                _ => Due::Nothing,
            },
            Stage::Terminated { until } if now >= *until => {
                self.stage = Stage::Killed;
                Due::Send(Rung::Kill)
            }
            Stage::Idle | Stage::Terminated { .. } | Stage::Killed => Due::Nothing,
        }
    }

    /// Result of a probe. Once the port has refused for long enough, the first wait is over.
    pub fn probed(&mut self, now: u64, refused: bool) {
        let Stage::Interrupted { until, next_probe, refused_since } = &mut self.stage else { return };
        *next_probe = now.saturating_add(PROBE_EVERY_MS);
        *refused_since = refused.then(|| refused_since.unwrap_or(now));
        if let Some(since) = *refused_since {
            let enough = since.saturating_add(self.limits.refused_for_ms);
            if now >= enough {
                *until = now;
            } else {
                *next_probe = enough.min(*next_probe);
            }
        }
    }

    /// When to ask again; `None` when time changes nothing.
    pub fn deadline(&self) -> Option<u64> {
        match &self.stage {
            Stage::Interrupted { until, next_probe, .. } if self.limits.refused_port.is_some() => {
                Some((*until).min(*next_probe))
            }
            Stage::Interrupted { until, .. } | Stage::Terminated { until } => Some(*until),
            Stage::Idle | Stage::Killed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the ladder from a stop at 1000 to its end; the port refuses from `refuses_from` on.
    fn timeline(limits: StopLadder, refuses: impl Fn(u64) -> bool) -> Vec<(u64, Rung)> {
        let mut ladder = Ladder::new(limits);
        assert_eq!((ladder.due(500), ladder.deadline()), (Due::Nothing, None));
        let mut now = 1_000;
        let mut sent = Vec::new();
        let Due::Send(first) = ladder.ask(now) else { panic!("a stop begins with a signal") };
        sent.push((now, first));
        assert_eq!(ladder.ask(now), Due::Nothing);
        for _ in 0..1_000 {
            match ladder.due(now) {
                Due::Send(rung) => sent.push((now, rung)),
                Due::Probe(port) => {
                    assert_eq!(port, 7142);
                    ladder.probed(now, refuses(now));
                }
                Due::Nothing => match ladder.deadline() {
                    Some(next) => {
                        assert!(next > now, "a deadline that has passed would spin");
                        now = next;
                    }
                    None => return sent,
                },
            }
        }
        panic!("the ladder never ended: {sent:?}");
    }

    #[test]
    fn every_rung_gets_its_grace() {
        let sent = timeline(StopLadder::default(), |_| unreachable!("there is no port"));
        assert_eq!(sent, [(1_000, Rung::Interrupt), (4_000, Rung::Terminate), (6_000, Rung::Kill)]);
    }

    #[test]
    fn a_port_that_refuses_ends_the_first_wait() {
        let limits = StopLadder { refused_port: Some(7142), ..StopLadder::default() };
        let sent = timeline(limits, |now| now >= 1_250);
        assert_eq!(sent, [(1_000, Rung::Interrupt), (2_300, Rung::Terminate), (4_300, Rung::Kill)]);
    }

    #[test]
    fn a_port_that_answers_again_begins_anew() {
        let limits = StopLadder { refused_port: Some(7142), ..StopLadder::default() };
        let sent = timeline(limits, |now| !(1_500..1_600).contains(&now));
        assert_eq!(sent[1], (2_600, Rung::Terminate));
        let sent = timeline(limits, |now| now % 300 != 0);
        assert_eq!(sent[1], (4_000, Rung::Terminate), "it never refuses for long enough");
    }

    #[test]
    fn no_grace_means_at_once() {
        let limits = StopLadder { interrupt_grace_ms: 0, refused_port: None, refused_for_ms: 0, terminate_grace_ms: 0 };
        let sent = timeline(limits, |_| true);
        assert_eq!(sent, [(1_000, Rung::Interrupt), (1_000, Rung::Terminate), (1_000, Rung::Kill)]);
    }
}
