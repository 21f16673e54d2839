//! Readiness and liveness: when a sidecar is probed, what a miss means, and which miss is our own.

use super::{Order, Phase, Service, StopReason};
use crate::core::time::Now;
use crate::protocol::RunId;

/// Probe interval of a healthy sidecar, milliseconds. With three misses and the whole stop ladder of a process that does not
/// move, one that hangs is replaced within 40 s.
pub const PROBE_HEALTHY_MS: u64 = 25_000;
/// From a miss to the next probe, milliseconds.
pub const PROBE_MISSED_MS: u64 = 1_000;
/// Longest probe interval while starting, milliseconds.
pub const PROBE_EAGER_MS: u64 = 2_000;
/// A probe has its answer after this, or none, milliseconds; what takes longer was held up on our side.
pub const PROBE_LIMIT_MS: u64 = 2_000;
/// We are late when we come this much after the time, milliseconds: a machine under load, or one that slept.
pub const LATE_MS: u64 = 1_000;
/// Misses in a row that may be laid to our own lateness; on a machine that is always late a hang has to be seen too.
pub const EXCUSED_MISSES: u32 = 5;
/// First probe interval while starting, milliseconds; doubles up to [`PROBE_EAGER_MS`].
pub const PROBE_FIRST_MS: u64 = 50;
/// Misses in a row that make a running sidecar sick.
pub const PROBE_MISSES: u32 = 3;
/// A start that has not become ready by then has failed, milliseconds.
pub const START_DEADLINE_MS: u64 = 60_000;

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// It answers and is ours.
    Good,
    /// It does not, with the reason in words.
    Bad(String),
}

/// When a probe was sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent {
    pub(super) at: Now,
    /// Long after its time, or the clocks have parted since the one before.
    pub(super) late: bool,
}

impl Service {
    /// A probe came back.
    pub fn probed(&mut self, run: &RunId, probe: Probe, now: Now, orders: &mut Vec<Order>) {
        if !self.current(run) || !self.probing {
            return;
        }
        self.probing = false;
        let excused = self.is_excused(now);
        if probe == Probe::Good {
            self.excused = 0;
            self.healthy = Some((self.healthy.map_or(now.mono_ms, |(first, _)| first), now.mono_ms));
        }
        let eager = now.mono_ms + PROBE_MISSED_MS;
        match (probe, self.phase.clone()) {
            (Probe::Good, Phase::Starting { .. }) => {
                self.trouble.clear();
                self.phase = Phase::Ready { since: now.mono_ms };
                self.next_probe = Some(next_common_probe(now));
            }
            (Probe::Good, Phase::Ready { since } | Phase::Unhealthy { since, .. }) => {
                self.trouble.clear();
                self.phase = Phase::Ready { since };
                self.next_probe = Some(next_common_probe(now));
            }
            (Probe::Bad(why), Phase::Starting { deadline, interval }) => {
                self.trouble = why;
                self.next_probe = Some(now.mono_ms + interval);
                self.phase = Phase::Starting { deadline, interval: (interval * 2).min(PROBE_EAGER_MS) };
            }
            // it may be the machine that did not answer
            (Probe::Bad(_), Phase::Ready { .. } | Phase::Unhealthy { .. }) if excused => {
                self.excused += 1;
                self.next_probe = Some(eager);
            }
            (Probe::Bad(why), Phase::Ready { since }) => {
                self.trouble = why;
                self.phase = Phase::Unhealthy { misses: 1, since };
                self.next_probe = Some(eager);
            }
            (Probe::Bad(why), Phase::Unhealthy { misses, since }) => {
                self.trouble = why;
                if misses + 1 >= PROBE_MISSES {
                    self.stop(StopReason::Sick, orders);
                } else {
                    self.phase = Phase::Unhealthy { misses: misses + 1, since };
                    self.next_probe = Some(eager);
                }
            }
            (
                _,
                Phase::Unknown | Phase::Stopped | Phase::Stopping { .. } | Phase::BackingOff { .. } | Phase::GivenUp,
            ) => {}
        }
    }

    /// Probe now rather than at the next deadline: something hints at trouble.
    pub fn probe_soon(&mut self, now: Now) {
        if self.next_probe.is_some() {
            self.next_probe = Some(now.mono_ms);
        }
    }

    pub(super) fn begin_probing(&mut self, now: Now) {
        self.probing = false;
        self.sent = Sent { at: now, late: false };
        self.excused = 0;
        self.extended = false;
        self.next_probe = Some(now.mono_ms);
        self.phase = Phase::Starting { deadline: now.mono_ms + START_DEADLINE_MS, interval: PROBE_FIRST_MS };
    }

    /// Whether a miss that is told now says nothing about the sidecar: we sent the probe late or hear of it late, or the
    /// machine slept meanwhile.
    fn is_excused(&self, now: Now) -> bool {
        let Sent { at, late } = self.sent;
        let held_up = now.mono_ms.saturating_sub(at.mono_ms) > PROBE_LIMIT_MS + LATE_MS;
        self.excused < EXCUSED_MISSES && (late || held_up || now.parted_since(at) > LATE_MS)
    }
}

/// Probes of healthy sidecars fall on common moments, so that an idle machine is woken once for all of them.
fn next_common_probe(now: Now) -> u64 {
    (now.mono_ms / PROBE_HEALTHY_MS + 1) * PROBE_HEALTHY_MS
}
