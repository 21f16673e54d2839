//! One sidecar: what is wanted of it, what it does, when it is tried again and when that is given up.
//!
//! Every input carries the run it is about; what concerns another run is ignored, so a late exit of an old process
//! cannot touch a new one.

mod ends;
mod probing;

use std::collections::{BTreeMap, VecDeque};

use crate::core::cause::{Cause, Evidence};
use crate::core::time::{Jitter, Now, earlier};
use crate::protocol::shim::RunRecord;
use crate::protocol::{RunId, ServiceId};

use probing::Sent;

pub use ends::{BACKOFF_MS, CRASH_LOOP_ATTEMPTS, CRASH_LOOP_ENDS, CRASH_LOOP_WINDOW_MS, LastExit, STABLE_MS};
pub use probing::{
    EXCUSED_MISSES, LATE_MS, PROBE_EAGER_MS, PROBE_FIRST_MS, PROBE_HEALTHY_MS, PROBE_LIMIT_MS, PROBE_MISSED_MS,
    PROBE_MISSES, Probe, START_DEADLINE_MS,
};

/// What a start whose deadline went by while we were late still gets, once, milliseconds.
pub const LATE_START_MS: u64 = 10_000;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Goal {
    /// Not running.
    #[default]
    Down,
    /// Running and ready.
    Up,
}

/// Why a running sidecar is being stopped; it travels with the stop, so that an intended end is no crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// Somebody wants it down.
    Asked,
    /// To be started again at once.
    Restart,
    /// It lives but does not answer.
    Sick,
    /// It did not become ready in time.
    SlowStart,
}

/// What is known of the process.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Phase {
    /// The run directory has not been looked at yet.
    #[default]
    Unknown,
    /// No process.
    Stopped,
    /// A process was asked for or lives, but is not ready.
    Starting {
        /// Monotonic time at which the start has failed.
        deadline: u64,
        /// Wait before the probe after the next one.
        interval: u64,
    },
    /// Answers.
    Ready {
        /// Monotonic time of the first good answer.
        since: u64,
    },
    /// Lives, was ready, misses probes.
    Unhealthy {
        /// In a row.
        misses: u32,
        /// Monotonic time of the first good answer.
        since: u64,
    },
    /// The shim runs its stop ladder.
    Stopping {
        /// Why.
        why: StopReason,
    },
    /// Waits to be tried again.
    BackingOff {
        /// Monotonic deadline.
        until: u64,
    },
    /// Will not be tried again unless asked.
    GivenUp,
}

/// A living process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which life.
    pub id: RunId,
    /// From the shim; absent until it answered.
    pub record: Option<RunRecord>,
    /// When it was started, on the monotonic clock, which an agent that took it back began later than that.
    pub since_mono_ms: i64,
}

impl Run {
    fn taken_back(record: RunRecord, now: Now) -> Self {
        let age = now.unix_ms.saturating_sub(record.started_at_unix_ms).max(0);
        let since_mono_ms = i64::try_from(now.mono_ms).unwrap_or(i64::MAX).saturating_sub(age);
        Self { id: record.run_id.clone(), record: Some(record), since_mono_ms }
    }

    /// How long it has been running, milliseconds; setting the clock changes nothing.
    pub fn age_ms(&self, now: Now) -> u64 {
        let now = i64::try_from(now.mono_ms).unwrap_or(i64::MAX);
        u64::try_from(now.saturating_sub(self.since_mono_ms)).unwrap_or(0)
    }
}

/// What the sidecar's state machine asks of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Start a process under this run id.
    Launch(RunId),
    /// Ask the shim of this run to run its stop ladder.
    Stop(RunId),
    /// Look into the run directory once more.
    LookAgain,
    /// Look whether this run answers.
    Probe(RunId),
    /// It is hopeless: tell the person.
    GaveUp,
}

/// One sidecar.
#[derive(Clone, Debug)]
pub struct Service {
    /// Which.
    pub id: ServiceId,
    /// What is wanted.
    pub goal: Goal,
    /// What is.
    pub phase: Phase,
    /// The living process, in every phase that has one.
    pub run: Option<Run>,
    /// Ports by purpose, from the last launch.
    pub ports: BTreeMap<String, u16>,
    /// Restarts since the last stable run.
    pub attempts: u32,
    /// How the last run ended.
    pub last_exit: Option<LastExit>,
    /// Why it is not ready, in words; empty when it is.
    pub trouble: String,
    /// Its place is held by something that is not understood, a shim of a later version say: what is there is neither
    /// started nor stopped. `trouble` tells.
    pub occupied: bool,
    ends: VecDeque<u64>,
    healthy: Option<(u64, u64)>,
    next_probe: Option<u64>,
    probing: bool,
    /// The probe under way, or the last one.
    sent: Sent,
    /// Misses in a row that did not count.
    excused: u32,
    /// This start's deadline was moved already.
    extended: bool,
    held: bool,
    /// A launch found another shim in its place.
    contested: bool,
    counter: u64,
    evidence: Option<(RunId, Evidence)>,
}

impl Service {
    /// Nothing known, nothing wanted.
    pub fn new(id: ServiceId) -> Self {
        Self {
            id,
            goal: Goal::Down,
            phase: Phase::Unknown,
            run: None,
            ports: BTreeMap::new(),
            attempts: 0,
            last_exit: None,
            trouble: String::new(),
            occupied: false,
            ends: VecDeque::new(),
            healthy: None,
            next_probe: None,
            probing: false,
            sent: Sent::default(),
            excused: 0,
            extended: false,
            held: false,
            contested: false,
            counter: 0,
            evidence: None,
        }
    }

    /// A process lives, ready or not, or may live.
    pub fn is_up(&self) -> bool {
        self.run.is_some() || self.phase == Phase::Unknown
    }

    /// It answers.
    pub fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. })
    }

    /// Sets what is wanted. Wanting it up once more forgets a give-up; wanting it down ends a restart under way.
    pub fn want(&mut self, goal: Goal) {
        self.goal = goal;
        match (goal, &self.phase) {
            (Goal::Up, Phase::GivenUp | Phase::BackingOff { .. }) => {
                self.forget_failures();
                self.phase = Phase::Stopped;
            }
            (Goal::Up, Phase::Stopping { why: StopReason::Asked }) => {
                self.phase = Phase::Stopping { why: StopReason::Restart };
            }
            (Goal::Down, Phase::GivenUp) if self.occupied => {}
            (Goal::Down, Phase::BackingOff { .. } | Phase::GivenUp) => {
                self.forget_failures();
                self.phase = Phase::Stopped;
            }
            (Goal::Down, Phase::Stopping { .. }) => self.phase = Phase::Stopping { why: StopReason::Asked },
            _ => {}
        }
    }

    /// An intended restart: no crash, no wait.
    pub fn restart(&mut self, orders: &mut Vec<Order>) {
        self.want(Goal::Up);
        self.stop(StopReason::Restart, orders);
    }

    /// Ends that still count for a crash loop.
    pub fn ends(&self) -> usize {
        self.ends.len()
    }

    /// While its token is not there nobody can tell whether it is ready: no probe then, and no start that takes too long.
    pub fn hold(&mut self, hold: bool, now: Now) {
        let released = self.held && !hold;
        self.held = hold;
        if released && self.is_starting() && self.run.as_ref().is_some_and(|run| run.record.is_some()) {
            self.begin_probing(now);
        }
    }

    /// It lives, and whether it is ready cannot be told yet: see [`Service::hold`].
    pub fn is_held(&self) -> bool {
        self.held && self.is_starting()
    }

    /// Asked for, and neither there nor failed yet.
    pub fn is_launching(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.record.is_none())
    }

    /// Does what is due: `may_launch` says whether what this sidecar needs is there, `may_stop` whether what needs this
    /// sidecar is gone.
    pub fn step(&mut self, may_launch: bool, may_stop: bool, jitter: &mut Jitter, now: Now, orders: &mut Vec<Order>) {
        if self.goal == Goal::Down && may_stop {
            self.stop(StopReason::Asked, orders);
        }
        if let Phase::BackingOff { until } = self.phase
            && now.mono_ms >= until
        {
            self.phase = Phase::Stopped;
        }
        if self.goal == Goal::Up && may_launch && self.phase == Phase::Stopped {
            self.launch(jitter, now, orders);
        }
        if self.is_held() {
            return;
        }
        if let Phase::Starting { deadline, interval } = self.phase
            && now.mono_ms >= deadline
        {
            if now.mono_ms - deadline > LATE_MS && !self.extended {
                // nobody looked for so long: it may be ready
                self.extended = true;
                self.phase = Phase::Starting { deadline: now.mono_ms + LATE_START_MS, interval };
                self.next_probe = self.next_probe.map(|at| at.min(now.mono_ms));
            } else {
                self.stop(StopReason::SlowStart, orders);
            }
        }
        if !self.probing
            && let (Some(at), Some(run)) = (self.next_probe, &self.run)
            && now.mono_ms >= at
        {
            let late = now.mono_ms - at > LATE_MS || now.parted_since(self.sent.at) > LATE_MS;
            self.sent = Sent { at: now, late };
            self.probing = true;
            self.next_probe = None;
            orders.push(Order::Probe(run.id.clone()));
        }
    }

    /// When [`Service::step`] next has something to do.
    pub fn deadline(&self) -> Option<u64> {
        if self.is_held() {
            return None;
        }
        let own = match self.phase {
            Phase::BackingOff { until } => Some(until),
            Phase::Starting { deadline, .. } => Some(deadline),
            _ => None,
        };
        earlier(own, if self.probing { None } else { self.next_probe })
    }

    /// The run directory was looked at: no process lives there.
    pub fn found_nothing(&mut self, last: Option<LastExit>, jitter: &mut Jitter, now: Now, orders: &mut Vec<Order>) {
        if self.phase != Phase::Unknown {
            return;
        }
        self.phase = Phase::Stopped;
        self.occupied = false;
        self.last_exit = last;
        if std::mem::take(&mut self.contested) {
            // it ended meanwhile, or whoever was there cannot be seen: not again and again without a wait
            self.over(false, jitter, now, orders);
        }
    }

    /// The run directory was looked at: somebody is there, and it cannot be told who.
    pub fn unclear(&mut self, why: String) {
        self.contested = false;
        self.occupied = true;
        self.trouble = why;
        self.phase = Phase::GivenUp;
    }

    /// A launch found another shim in its place: one that an earlier agent had started just before it ended. It is looked
    /// at, and taken back like any other.
    pub fn busy(&mut self, run: &RunId, orders: &mut Vec<Order>) {
        if !self.current(run) {
            return;
        }
        self.run = None;
        self.next_probe = None;
        self.probing = false;
        self.contested = true;
        self.phase = Phase::Unknown;
        orders.push(Order::LookAgain);
    }

    /// See [`Service::busy`].
    pub fn is_contested(&self) -> bool {
        self.contested
    }

    /// What was seen around the end of a run; the end itself is told next.
    pub fn seen(&mut self, run: &RunId, evidence: Evidence) {
        self.evidence = Some((run.clone(), evidence));
    }

    /// A process of an earlier agent lives on: it is taken back, not restarted.
    pub fn adopted(&mut self, record: RunRecord, now: Now) {
        if self.phase != Phase::Unknown {
            return;
        }
        self.contested = false;
        self.occupied = false;
        self.ports.clone_from(&record.ports);
        self.ports.remove("browser_grpc"); // what the gateway was told, not what it listens on
        self.run = Some(Run::taken_back(record, now));
        self.begin_probing(now);
    }

    /// The shim answered: the process lives.
    pub fn running(&mut self, record: RunRecord, now: Now, orders: &mut Vec<Order>) {
        let Some(run) = self.run.as_mut().filter(|run| run.id == record.run_id) else { return };
        run.record = Some(record);
        self.occupied = false;
        match self.phase {
            Phase::Starting { .. } => self.next_probe = Some(now.mono_ms),
            // it was asked to end before it could be reached
            Phase::Stopping { .. } => orders.push(Order::Stop(run.id.clone())),
            _ => {}
        }
    }

    /// No process came of a launch.
    pub fn start_failed(&mut self, run: &RunId, cause: Cause, jitter: &mut Jitter, now: Now, orders: &mut Vec<Order>) {
        if self.current(run) {
            self.trouble.clear();
            self.occupied = false;
            let hopeless = cause.hopeless;
            let changes = self.evidence(run).changes;
            self.last_exit = Some(LastExit { cause, at_unix_ms: now.unix_ms, stderr: Vec::new(), changes });
            self.over(hopeless, jitter, now, orders);
        }
    }

    fn is_starting(&self) -> bool {
        matches!(self.phase, Phase::Starting { .. })
    }

    fn current(&self, run: &RunId) -> bool {
        self.run.as_ref().is_some_and(|current| current.id == *run)
    }

    fn launch(&mut self, jitter: &mut Jitter, now: Now, orders: &mut Vec<Order>) {
        self.counter += 1;
        let id = RunId(format!("{}-{:x}-{:04x}-{}", self.id, now.unix_ms, jitter.between(0, 0xffff), self.counter));
        let since_mono_ms = i64::try_from(now.mono_ms).unwrap_or(i64::MAX);
        self.run = Some(Run { id: id.clone(), record: None, since_mono_ms });
        self.begin_probing(now);
        self.next_probe = None; // not before the shim says that a process lives
        orders.push(Order::Launch(id));
    }

    fn stop(&mut self, why: StopReason, orders: &mut Vec<Order>) {
        let Some(run) = &self.run else { return };
        if let Phase::Stopping { .. } = self.phase {
            return;
        }
        orders.push(Order::Stop(run.id.clone()));
        self.next_probe = None;
        self.phase = Phase::Stopping { why };
    }
}
