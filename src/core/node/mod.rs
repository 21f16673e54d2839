//! The node host's enrolment: step by step, with the pairing window open as short as can be.
//!
//! A machine that is not enrolled has no certificate, and a gateway lets nobody without one near its node port. So the gateway
//! is started again with that demand switched off (the *window*), the machine is paired, and the gateway is started once more
//! with the demand on. Meanwhile whoever reaches the port can ask, so:
//!
//! - the window opens only for a person's word, for one life of the gateway, under a lease that this agent must renew;
//! - every way out leads through [`Step::Closing`], which is over only when that life has ended, and what the next one says of
//!   its port was heard;
//! - exactly one request is approved, when everything about it fits ([`pairing`]).
//!
//! Pure: what the gateway and the `palyra` command line answer comes in as [`NodeEvent`]s, what is to be done goes out as
//! [`NodeOrder`]s.

pub mod forms;
mod notices;
pub mod pairing;
mod steps;
mod types;

use self::steps::{failed, line};
use crate::core::decisions::LedgerKind;
use crate::core::event::Ticket;
use crate::core::service::Goal;
use crate::core::time::{Jitter, Now, earlier};
use crate::core::ulid;
use crate::protocol::node::NodeTask;
use crate::protocol::shim::ExitRecord;
use crate::protocol::{Failure, RunId};
use crate::words;

pub use notices::{NeedsRepair, Notice, step_words};
pub use pairing::{Ours, PairingRequest, Picked};
pub use types::{Enrolled, Kept, Known, NodeEvent, NodeOrder, NodeSetup, NodeWork, Seen};

/// The shim stops a gateway with the window when it was not touched for this long, milliseconds.
pub const LEASE_MS: u64 = 8_000;
/// Between two touches, milliseconds.
pub const RENEW_MS: u64 = 2_000;
/// The node host has this long to end before its material is taken away, milliseconds.
const EMPTY_LIMIT_MS: u64 = 20_000;
/// The gateway has this long to come back with the window, milliseconds.
const OPEN_LIMIT_MS: u64 = 75_000;
/// Pairing has this long, milliseconds: it takes less than two seconds.
const PAIR_LIMIT_MS: u64 = 30_000;
/// Between two looks for the request, milliseconds.
const LIST_MS: u64 = 250;
/// The gateway has this long to come back without the window, milliseconds.
const CLOSE_LIMIT_MS: u64 = 75_000;
/// The node host has this long to be seen by the gateway, milliseconds.
const START_LIMIT_MS: u64 = 75_000;
/// Taking the material away has this long, milliseconds.
const REMOVE_LIMIT_MS: u64 = 30_000;
/// What `palyra node run` says when its certificate is of no use any more: trying again cannot cure it. Seen on palyra 0.1.0.
const REFUSED: [&str; 4] = [
    "client certificate fingerprint is revoked",
    "does not map to a paired device",
    "does not match the authenticated client certificate",
    "when local pairing material is absent",
];

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The node host ends.
    Emptying,
    /// The gateway starts with the window.
    Opening {
        /// The one launch with it has been.
        launched: bool,
    },
    /// The command line asks, and we approve.
    Pairing(Pairing),
    /// The gateway starts without the window.
    Closing,
    /// The node host starts.
    Starting,
    /// The material is taken away.
    Removing,
}

/// See [`Step::Pairing`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pairing {
    /// When our code was made, by the gateway's clock.
    since: Option<i64>,
    /// When to look for the request.
    list_at: Option<u64>,
    /// Ours; being approved.
    request: Option<Box<PairingRequest>>,
}

#[derive(Clone, Debug)]
struct Task {
    task: NodeTask,
    ticket: Option<Ticket>,
    ours: Ours,
    step: Step,
    /// Of this step.
    deadline: u64,
    outcome: Result<(), Failure>,
}

/// The enrolment.
#[derive(Clone, Debug)]
pub struct Node {
    /// The person allows enrolment, in the settings.
    pub allowed: bool,
    /// What is known of it.
    pub known: Known,
    task: Option<Task>,
    attempt: u64,
    /// The life of the gateway that has the window, from its launch to its end.
    window: Option<RunId>,
    renew_at: Option<u64>,
    /// The newest life of the gateway that answered, and what it says: `Some(true)` demands certificates.
    heard: Option<(RunId, Option<bool>)>,
    /// Lives in a row that had the window without being asked to.
    strays: u32,
    /// The gateway refuses the certificate.
    refused: bool,
    expires_mono_ms: Option<u64>,
    tidying: bool,
    kept: Kept,
    jitter: Jitter,
}

impl Node {
    /// How things stand is to be told by [`NodeEvent::Told`].
    pub fn new(setup: &NodeSetup, seed: u64) -> Self {
        Self {
            allowed: setup.allowed,
            known: if setup.installed { Known::Unknown } else { Known::Absent },
            task: None,
            attempt: 0,
            window: None,
            renew_at: None,
            heard: None,
            strays: 0,
            refused: false,
            expires_mono_ms: None,
            tidying: false,
            kept: setup.kept.clone(),
            jitter: Jitter::new(seed ^ 0x6e6f_6465),
        }
    }

    /// Nothing is under way, and no window is open.
    pub fn is_idle(&self) -> bool {
        self.task.is_none() && self.window.is_none()
    }

    /// What is under way.
    pub fn under_way(&self) -> Option<(NodeTask, &Step)> {
        self.task.as_ref().map(|task| (task.task, &task.step))
    }

    /// The gateway's life with the window, if one is there.
    pub fn window(&self) -> Option<&RunId> {
        self.window.as_ref()
    }

    /// The lease of the window is being renewed.
    pub fn may_hold_window(&self) -> bool {
        self.renew_at.is_some()
    }

    /// Devices whose pairing is our own affair: it is not shown as something to decide.
    pub fn own_devices(&self) -> Vec<String> {
        self.kept.enrolling.iter().map(|ours| ours.device_id.clone()).collect()
    }

    /// Whether the node host may be started.
    pub fn may_run(&self, now: Now) -> bool {
        let known = !matches!(self.known, Known::Unknown | Known::Absent);
        let free = self.task.as_ref().is_none_or(|task| task.step == Step::Starting);
        known && free && self.needs_repair(now).is_none()
    }

    /// Why the node host cannot be started until a person repairs it.
    pub fn needs_repair(&self, now: Now) -> Option<NeedsRepair> {
        let Known::Enrolled(enrolled) = &self.known else { return self.refused.then_some(NeedsRepair::Refused) };
        match enrolled.expires_at_unix_ms {
            _ if !enrolled.paired => Some(NeedsRepair::Incomplete),
            Some(at) if now.unix_ms >= at => Some(NeedsRepair::Expired(at)),
            _ => self.refused.then_some(NeedsRepair::Refused),
        }
    }

    /// A person was told that it needs repair, and it still does.
    pub fn is_barred(&self) -> bool {
        self.kept.told.is_some() && self.task.is_none()
    }

    /// When [`Node::step`] next has something to do.
    pub fn deadline(&self) -> Option<u64> {
        let list = self.task.as_ref().and_then(|task| match &task.step {
            Step::Pairing(pairing) => pairing.list_at,
            _ => None,
        });
        let task = earlier(self.task.as_ref().map(|task| task.deadline), list);
        earlier(task, earlier(self.renew_at, self.expires_mono_ms))
    }

    /// A person asks for it, and knows what it means.
    ///
    /// # Errors
    /// It cannot be begun as things are.
    pub fn begin(
        &mut self,
        task: NodeTask,
        ticket: Option<Ticket>,
        now: Now,
        orders: &mut Vec<NodeOrder>,
    ) -> Result<(), Failure> {
        self.check(task, now)?;
        self.attempt += 1;
        let known_id = match &self.known {
            Known::Enrolled(enrolled) if ulid::is_ulid(&enrolled.device_id) => Some(enrolled.device_id.clone()),
            _ => None,
        };
        let ours = Ours {
            device_id: known_id.unwrap_or_else(|| ulid::encode(now.unix_ms, self.random())),
            issued_by: words::node::desktop_tray_enrolment(ulid::encode(now.unix_ms, self.random())),
        };
        let outcome = Ok(());
        let deadline = now.mono_ms + EMPTY_LIMIT_MS;
        self.task = Some(Task { task, ticket, ours, step: Step::Emptying, deadline, outcome });
        orders.push(NodeOrder::Host(Goal::Down));
        Ok(())
    }

    /// The person who asked for this went away, or wants it no more.
    pub fn cancel(&mut self, ticket: Ticket, now: Now, orders: &mut Vec<NodeOrder>) {
        let Some(task) = self.task.as_mut().filter(|task| task.ticket == Some(ticket)) else { return };
        task.ticket = None;
        // what is being closed or taken away goes on to its end
        if matches!(task.step, Step::Emptying | Step::Opening { .. } | Step::Pairing(_)) {
            self.fail(words::node::IT_WAS_CANCELLED, "", now, orders);
        }
    }

    /// The gateway is being started. True: with the window.
    pub fn launching(&mut self, run: &RunId) -> bool {
        let Some(Task { step: Step::Opening { launched }, .. }) = &mut self.task else { return false };
        if std::mem::replace(launched, true) {
            return false;
        }
        self.window = Some(run.clone());
        self.renew_at = Some(0);
        true
    }

    /// A gateway of an earlier agent was taken back that holds a lease, and so has the window.
    pub fn adopted(&mut self, run: &RunId, orders: &mut Vec<NodeOrder>) {
        self.window = Some(run.clone());
        orders.push(NodeOrder::RestartGateway { wanted: false });
        orders.push(NodeOrder::Tell(Notice::Interrupted));
    }

    /// A life of the gateway is over.
    pub fn gateway_ended(&mut self, run: &RunId, now: Now, orders: &mut Vec<NodeOrder>) {
        if self.window.as_ref() != Some(run) {
            return;
        }
        self.window = None;
        self.renew_at = None;
        if matches!(&self.task, Some(Task { step: Step::Opening { .. } | Step::Pairing(_), .. })) {
            self.fail(words::node::GATEWAY_ENDED_MEANWHILE, words::node::SEE_GATEWAY_LOG, now, orders);
        }
    }

    /// A life of the gateway answers for the first time; what it says of its node port.
    pub fn gateway_ready(&mut self, run: &RunId, demands: Option<bool>, orders: &mut Vec<NodeOrder>) {
        self.heard = Some((run.clone(), demands));
        if demands != Some(false) {
            self.strays = 0;
            orders.push(NodeOrder::Withdraw(Notice::CannotClose));
            return;
        }
        if self.window.as_ref() == Some(run) {
            return;
        }
        self.strays += 1;
        if self.strays == 1 {
            orders.push(NodeOrder::RestartGateway { wanted: false });
        } else {
            orders.push(NodeOrder::StopGateway);
            orders.push(NodeOrder::Tell(Notice::CannotClose));
        }
    }

    /// The node host ended.
    pub fn host_ended(&mut self, exit: Option<&ExitRecord>) {
        let said = exit.map(|exit| exit.last_stderr.as_slice()).unwrap_or_default();
        self.refused |= said.iter().any(|line| REFUSED.iter().any(|words| line.contains(words)));
    }

    /// An answer came.
    pub fn take(&mut self, event: NodeEvent, now: Now, orders: &mut Vec<NodeOrder>) {
        match event {
            NodeEvent::Told(told) => self.told(told, now, orders),
            NodeEvent::Begun(attempt, begun) => {
                let Some(pairing) = self.pairing(attempt) else { return };
                match begun {
                    Ok(since) => {
                        pairing.since = Some(since);
                        pairing.list_at = Some(now.mono_ms);
                    }
                    Err(why) => self.fail(why, "", now, orders),
                }
            }
            NodeEvent::Listed(attempt, listed) => self.listed(attempt, listed, now, orders),
            NodeEvent::Approved(attempt, approved) => {
                let Some(request) = self.pairing(attempt).and_then(|pairing| pairing.request.clone()) else { return };
                let outcome = approved.as_ref().map_or_else(Clone::clone, |()| "approved".to_owned());
                orders.push(NodeOrder::Write(line(&request, LedgerKind::Result, outcome, now)));
                if let Err(why) = approved {
                    self.fail(why, "", now, orders);
                }
            }
            NodeEvent::Installed(attempt, installed) => {
                if self.pairing(attempt).is_none() {
                    return;
                }
                match installed {
                    Ok(enrolled) => {
                        self.enrolled(enrolled, now);
                        self.close(now, orders);
                    }
                    Err(why) => self.fail(why, "", now, orders),
                }
            }
            NodeEvent::Removed(attempt, removed) => {
                if self.attempt == attempt && self.task.as_ref().is_some_and(|task| task.step == Step::Removing) {
                    self.removed(removed, orders);
                }
            }
            NodeEvent::Tidied(tidied) => {
                self.tidying = false;
                self.keep(|kept| kept.enrolling.retain(|ours| !tidied.contains(ours)), orders);
            }
        }
    }

    /// The intent to approve was put on disk, or not. False: it was not ours.
    pub fn recorded(
        &mut self,
        approval_id: &str,
        recorded: &Result<(), String>,
        now: Now,
        orders: &mut Vec<NodeOrder>,
    ) -> bool {
        let attempt = self.attempt;
        let Some(request) = self.pairing(attempt).and_then(|pairing| pairing.request.clone()) else { return false };
        if request.approval_id != approval_id {
            return false;
        }
        match recorded {
            Ok(()) => orders.push(NodeOrder::Work(NodeWork::Approve(attempt, request.request_id))),
            Err(why) => {
                self.fail(words::node::it_could_not_be_recorded(why), words::node::FREE_SOME_SPACE, now, orders)
            }
        }
        true
    }

    /// Does what is due.
    pub fn step(&mut self, seen: &Seen, now: Now, orders: &mut Vec<NodeOrder>) {
        if self.renew_at.is_some_and(|at| now.mono_ms >= at) {
            self.renew_at = Some(now.mono_ms + RENEW_MS);
            orders.push(NodeOrder::Work(NodeWork::Renew));
        }
        self.watch_expiry(now, orders);
        self.tidy(seen, orders);
        let Some(task) = &self.task else { return };
        let late = now.mono_ms >= task.deadline;
        if seen.ending && matches!(task.step, Step::Emptying | Step::Opening { .. } | Step::Pairing(_)) {
            return self.fail(words::common::PALYRA_TRAY_IS_ENDING, "", now, orders);
        }
        match &task.step {
            Step::Emptying if !seen.host_up && task.task == NodeTask::Reset => {
                self.advance(Step::Removing, REMOVE_LIMIT_MS, now);
                orders.push(NodeOrder::Work(NodeWork::Remove(self.attempt)));
            }
            // one that is just starting may not be disturbed: see `shell::identity_lock`
            Step::Emptying if !seen.host_up && !seen.gateway_starting => {
                let ours = task.ours.clone();
                self.keep(|kept| kept.enrolling.push(ours), orders);
                self.advance(Step::Opening { launched: false }, OPEN_LIMIT_MS, now);
                orders.push(NodeOrder::RestartGateway { wanted: true });
            }
            Step::Emptying if late && seen.host_up => {
                self.fail(words::node::NODE_HOST_DOES_NOT_END, words::common::SEE_STATUS, now, orders);
            }
            Step::Emptying if late => self.fail(seen.gateway_words.clone(), words::node::SEE_GATEWAY_LOG, now, orders),
            Step::Opening { .. } => self.opening(seen, late, now, orders),
            Step::Pairing(pairing) => {
                if late {
                    let why = match pairing.request {
                        Some(_) => words::node::PALYRA_DID_NOT_TAKE_ITS_CERTIFICATE,
                        None => words::node::PALYRA_DID_NOT_ASK,
                    };
                    self.fail(why, words::node::SEE_GATEWAY_LOG, now, orders);
                } else if pairing.list_at.is_some_and(|at| now.mono_ms >= at) {
                    orders.push(NodeOrder::Work(NodeWork::List(self.attempt)));
                    let attempt = self.attempt;
                    if let Some(pairing) = self.pairing(attempt) {
                        pairing.list_at = None;
                    }
                }
            }
            Step::Closing => self.closing(seen, late, now, orders),
            Step::Starting if seen.host_ready => self.finish(Ok(notices::enrolled(&task.ours.device_id)), orders),
            Step::Starting if late || seen.ending || !seen.gateway_hoped_for => {
                let why = notices::not_running(&seen.host_words);
                self.finish(Err(failed(why, words::common::SEE_STATUS)), orders);
            }
            Step::Removing if late => {
                self.finish(
                    Err(failed(words::node::PALYRA_DID_NOT_TAKE_ENROLMENT_AWAY, words::common::SEE_STATUS)),
                    orders,
                );
            }
            Step::Emptying | Step::Starting | Step::Removing => {}
        }
    }
}
