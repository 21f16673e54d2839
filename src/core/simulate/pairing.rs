//! Pairing in the pretended world: a gateway that can be started with the pairing window, the lease of its shim, the `palyra`
//! command line, and what can go wrong with each.

use super::{ANSWER_MS, STOP_MS, World, exit_record};
use crate::core::event::{Event, Found, Secrets, Setup};
use crate::core::node::{Enrolled, Kept, LEASE_MS, NodeEvent, NodeWork, Ours, PairingRequest};
use crate::protocol::shim::{ExitCause, RunRecord};
use crate::protocol::{RunId, ServiceId};

/// From the code to the command line's request, and from the approval to its end, milliseconds.
const CLI_MS: u64 = 100;
/// A certificate is good for this long, milliseconds.
const CERTIFICATE_MS: i64 = 24 * 60 * 60 * 1_000;

/// What goes wrong in the next enrolments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// Somebody else asks through the window.
    pub stranger: bool,
    /// The command line never asks.
    pub mute: bool,
    /// It ends with an error after it was approved.
    pub fails: bool,
    /// No answer to an approval.
    pub refuses_approval: bool,
    /// The gateway says that its window is open, however it was started.
    pub stays_open: bool,
}

/// What there is to pairing.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    /// What goes wrong.
    pub mishaps: Mishaps,
    /// On disk.
    pub enrolled: Option<Enrolled>,
    /// Requests that were approved.
    pub approved: Vec<PairingRequest>,
    /// The gateway's life with the window, and when its lease was last touched.
    pub window: Option<(RunId, u64)>,
    /// Lives with the window so far.
    pub windows: u32,
    /// With these words the node host ends at each start.
    pub(super) refusal: Option<String>,
    kept: Kept,
    requests: Vec<PairingRequest>,
    cli: Option<(u64, Ours)>,
    ending: bool,
}

impl World {
    /// The agent dies at this moment: what it asked for goes on, what it would have heard is lost.
    pub fn kill_agent(&mut self) {
        self.exited = true;
        self.queue.retain(|_, event| matches!(event, Event::Running(..) | Event::Ended(..)));
        self.note("the agent is killed".to_owned());
    }

    /// The next agent starts, with what lies on the disk.
    pub fn next_agent(&mut self, setup: Setup) {
        let mut setup = setup;
        setup.node.installed = self.pairs.enrolled.is_some();
        setup.node_host = setup.node.installed;
        setup.node.kept = self.pairs.kept.clone();
        self.agent = crate::core::agent::Agent::new(setup, self.now);
        self.exited = false;
        self.queue.retain(|_, event| matches!(event, Event::Running(..) | Event::Ended(..)));
        for id in ServiceId::ALL {
            let living = self.alive.iter().find(|(service, _)| *service == id).map(|(_, run)| run.clone());
            let record = living.and_then(|run| self.records_of_runs.get(&run).cloned());
            self.give(Event::Found(id, record.map_or(Found::Nothing(None), Found::Living)));
        }
        self.rotation_arrived();
        self.give(Event::Secrets(Secrets::Ready { place: "keyring".to_owned(), warning: String::new() }));
        self.resume_rotation();
        self.look();
    }

    /// The node host ends with these words at each start.
    pub fn refuse_next_node_host(&mut self, words: &str) {
        self.pairs.refusal = Some(words.to_owned());
    }

    /// A process has begun to live.
    pub(super) fn window_began(&mut self, record: &RunRecord) {
        if record.lease_ms.is_some() {
            self.pairs.window = Some((record.run_id.clone(), self.now.mono_ms));
            self.pairs.windows += 1;
            self.pairs.ending = false;
        }
    }

    /// A process has ended.
    pub(super) fn window_ended(&mut self, run: &RunId) {
        if self.pairs.window.as_ref().is_some_and(|(window, _)| window == run) {
            self.pairs.window = None;
            self.forget_what_was_not_asked();
            if let Some((attempt, _)) = self.pairs.cli.take() {
                let why = "the connection was lost".to_owned();
                self.later(ANSWER_MS, Event::Node(NodeEvent::Installed(attempt, Err(why))));
            }
        }
    }

    /// What the gateway of this run says of its node port.
    pub(super) fn demands(&self, run: &RunId) -> Option<bool> {
        let open = self.pairs.window.as_ref().is_some_and(|(window, _)| window == run);
        Some(!open && !self.pairs.mishaps.stays_open)
    }

    /// When the lease runs out.
    pub(super) fn lease_ends(&self) -> Option<u64> {
        self.pairs.window.as_ref().filter(|_| !self.pairs.ending).map(|(_, touched)| touched + LEASE_MS)
    }

    /// It has run out: the shim stops its sidecar.
    pub(super) fn lease_ended(&mut self) {
        self.pairs.ending = true;
        if let Some((run, _)) = self.pairs.window.clone() {
            self.note("the lease ran out".to_owned());
            let exit = exit_record(&run, ExitCause::Signal { signal: 15 }, self.now.plus(STOP_MS), true);
            self.later(STOP_MS, Event::Ended(ServiceId::Gateway, run, Some(exit)));
        }
    }

    pub(super) fn node_work(&mut self, work: NodeWork) {
        match work {
            NodeWork::Look => self.look(),
            NodeWork::Begin { attempt, ours, clear } => {
                if clear {
                    self.pairs.enrolled = None;
                }
                self.note("asks to be paired".to_owned());
                let since = self.now.unix_ms;
                self.later(ANSWER_MS, Event::Node(NodeEvent::Begun(attempt, Ok(since))));
                let ask = |ours: &Ours, request_id: String| PairingRequest {
                    request_id,
                    device_id: ours.device_id.clone(),
                    client_kind: "node".to_owned(),
                    method: "pin".to_owned(),
                    issued_by: ours.issued_by.clone(),
                    requested_at_unix_ms: since + CLI_MS as i64,
                    approval_id: format!("approval-{attempt}"),
                    state: "pending_approval".to_owned(),
                    transcript_hash: "da".to_owned(),
                };
                if !self.pairs.mishaps.mute {
                    self.pairs.requests.push(ask(&ours, format!("request-{attempt}")));
                }
                if self.pairs.mishaps.stranger {
                    let other = Ours { device_id: "01BX5ZZKBKACTAV9WEVGEMMVRX".to_owned(), issued_by: "x".to_owned() };
                    self.pairs.requests.push(ask(&other, format!("stranger-{attempt}")));
                }
                self.pairs.cli = Some((attempt, ours));
            }
            NodeWork::List(attempt) => {
                let asked = |request: &&PairingRequest| request.requested_at_unix_ms <= self.now.unix_ms;
                let requests = self.pairs.requests.iter().filter(asked).cloned().collect();
                self.later(ANSWER_MS, Event::Node(NodeEvent::Listed(attempt, Ok(requests))));
            }
            NodeWork::Approve(attempt, id) => self.approve(attempt, &id),
            NodeWork::Abandon => {
                self.pairs.cli = None;
                self.forget_what_was_not_asked();
            }
            NodeWork::Tidy(ours) => {
                ours.iter().for_each(|ours| self.refuse(ours));
                self.later(ANSWER_MS, Event::Node(NodeEvent::Tidied(ours)));
            }
            NodeWork::Remove(attempt) => {
                self.pairs.enrolled = None;
                self.later(CLI_MS, Event::Node(NodeEvent::Removed(attempt, Ok(String::new()))));
            }
            NodeWork::Renew => {
                if let Some((_, touched)) = &mut self.pairs.window {
                    *touched = self.now.mono_ms;
                }
            }
            NodeWork::Keep(kept) => self.pairs.kept = kept,
        }
    }

    /// A command line that has ended asks no more.
    fn forget_what_was_not_asked(&mut self) {
        let now = self.now.unix_ms;
        self.pairs.requests.retain(|request| request.requested_at_unix_ms <= now);
    }

    fn look(&mut self) {
        let told = self.pairs.enrolled.clone();
        self.later(CLI_MS, Event::Node(NodeEvent::Told(Ok(told))));
    }

    fn approve(&mut self, attempt: u64, id: &str) {
        if self.pairs.mishaps.refuses_approval {
            return self.later(ANSWER_MS, Event::Node(NodeEvent::Approved(attempt, Err("no answer".to_owned()))));
        }
        self.note(format!("approves {id}"));
        for request in self.pairs.requests.iter_mut().filter(|request| request.request_id == id) {
            "approved".clone_into(&mut request.state);
            self.pairs.approved.push(request.clone());
        }
        self.later(ANSWER_MS, Event::Node(NodeEvent::Approved(attempt, Ok(()))));
        let Some((attempt, ours)) = self.pairs.cli.take() else { return };
        let enrolled = Enrolled {
            device_id: ours.device_id,
            expires_at_unix_ms: Some(self.now.unix_ms + CERTIFICATE_MS),
            paired: true,
        };
        let installed = if self.pairs.mishaps.fails {
            Err("palyra failed".to_owned())
        } else {
            self.pairs.enrolled = Some(enrolled.clone());
            Ok(enrolled)
        };
        self.later(CLI_MS, Event::Node(NodeEvent::Installed(attempt, installed)));
    }

    fn refuse(&mut self, ours: &Ours) {
        let waits = |request: &&mut PairingRequest| {
            request.state == "pending_approval" && crate::core::node::pairing::is_ours(request, ours)
        };
        for request in self.pairs.requests.iter_mut().filter(waits) {
            "rejected".clone_into(&mut request.state);
        }
    }

    /// Requests of ours that still wait in the gateway.
    pub fn own_requests_waiting(&self) -> usize {
        let ours = |request: &&PairingRequest| request.request_id.starts_with("request-");
        self.pairs.requests.iter().filter(ours).filter(|request| request.state == "pending_approval").count()
    }
}
