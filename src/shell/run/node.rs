//! What the node host's enrolment asks for, done: the gateway asked, the `palyra` command line run, the lease touched.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::{Input, Inputs, Shell};
use crate::config::Paths;
use crate::core::event::{Event, Facts, Ticket};
use crate::core::node::pairing::is_ours;
use crate::core::node::{Enrolled, Known, NodeEvent, NodeWork, Ours, PairingRequest};
use crate::protocol::{Reply, RunId, Secret, ServiceId};
use crate::shell::gateway::{Client, GatewayError};
use crate::shell::palyra_cli;
use crate::shell::shim::LEASE_FILE;
use crate::shell::sidecars::Sidecars;
use crate::shell::store;
use crate::words;

/// Kept with the approval.
const REASON: &str = "palyra_tray_enrolment";
/// `node status` and `node uninstall` touch no network.
const LOCAL_LIMIT: Duration = Duration::from_secs(20);
/// `node install` waits for its approval; the core gives it less.
const INSTALL_LIMIT: Duration = Duration::from_secs(60);
/// A node host whose beats the gateway has not heard for this long is not connected: they come every second.
const SILENCE_MS: i64 = 30_000;

/// There is an enrolment on disk.
pub(super) fn is_installed(paths: &Paths) -> bool {
    paths.runtime_root.join("node-host").join("node-host.json").is_file()
}

/// What the core keeps.
pub(super) fn kept_file(paths: &Paths) -> PathBuf {
    paths.profile_own.join("node.json")
}

impl Shell {
    pub(super) fn node_work(&mut self, work: NodeWork) {
        match work {
            NodeWork::Look => {
                let sidecars = self.sidecars.clone();
                self.blocking(move || NodeEvent::Told(look(&sidecars)));
            }
            NodeWork::Begin { attempt, ours, clear } => self.begin_pairing(attempt, ours, clear),
            NodeWork::List(attempt) => {
                let client = self.client.clone();
                self.spawn(async move {
                    let listed = match client {
                        Some(client) => client.pairing_requests().await.map_err(|error| error.to_string()),
                        None => Err(gone()),
                    };
                    Event::Node(NodeEvent::Listed(attempt, listed))
                });
            }
            NodeWork::Approve(attempt, request) => {
                let client = self.client.clone();
                self.spawn(async move {
                    let approved = match client {
                        Some(client) => {
                            client.decide_pairing(&request, true, REASON).await.map_err(|error| error.to_string())
                        }
                        None => Err(gone()),
                    };
                    Event::Node(NodeEvent::Approved(attempt, approved))
                });
            }
            NodeWork::Abandon => self.pairing.store(true, Ordering::Relaxed),
            NodeWork::Tidy(ours) => {
                let client = self.client.clone();
                self.spawn(async move {
                    if let Some(client) = client
                        && let Err(error) = tidy(&client, &ours).await
                    {
                        tracing::warn!(%error, "a pairing request of an earlier enrolment may still wait");
                    }
                    Event::Node(NodeEvent::Tidied(ours))
                });
            }
            NodeWork::Remove(attempt) => self.remove_enrolment(attempt),
            NodeWork::Renew => {
                let lease = self.sidecars.paths.run_dir(ServiceId::Gateway).join(LEASE_FILE);
                if let Err(error) = std::fs::write(&lease, b"") {
                    tracing::warn!(%error, "the lease of the pairing window was not renewed: it closes by itself");
                }
            }
            NodeWork::Keep(kept) => {
                if let Err(error) = store::write_json(&kept_file(&self.sidecars.paths), &kept) {
                    self.report(Event::NotSaved(words::node::what_is_kept_of_enrolment_holds(&error)));
                }
            }
        }
    }

    /// Ready when the gateway has heard of it since it started. What the gateway cannot say is not held against it.
    pub(super) fn probe_node_host(&self, run: RunId) {
        let host = self.core.fleet.get(ServiceId::NodeHost);
        let was_ready = host.is_ready();
        let started = host.run.as_ref().and_then(|run| run.record.as_ref()).map(|record| record.started_at_unix_ms);
        let device = match &self.core.node.known {
            Known::Enrolled(enrolled) => Some(enrolled.device_id.clone()),
            _ => None,
        };
        let (client, now) = (self.client.clone(), self.clock.now().unix_ms);
        self.spawn(async move {
            let seen = match (client, device) {
                (Some(client), Some(device)) => client.node_last_seen(&device).await.map_err(|error| error.to_string()),
                // nobody to ask about it: that it lives is all that can be seen
                (_, None) => Ok(Some(i64::MAX)),
                (None, _) => Err(gone()),
            };
            let outcome = match seen {
                Ok(Some(at)) if !was_ready && started.is_none_or(|started| at >= started) => Ok(()),
                Ok(Some(at)) if was_ready && at >= now.saturating_sub(SILENCE_MS) => Ok(()),
                Ok(Some(_)) if was_ready => Err(words::node::GATEWAY_HAS_NOT_HEARD.to_owned()),
                Ok(_) => Err(words::node::GATEWAY_HAS_NOT_SEEN_IT_YET.to_owned()),
                // it has its own trouble, and a probe of its own
                Err(_) if was_ready => Ok(()),
                Err(why) => Err(why),
            };
            Event::Probed(ServiceId::NodeHost, run, outcome.map(|()| Facts::default()))
        });
    }

    /// Tells the core when the client goes away before it was answered.
    pub(super) fn watch_client(&mut self, ticket: Ticket) {
        let Some(mut client) = self.tickets.remove(&ticket) else { return };
        let (sender, receiver) = tokio::sync::oneshot::channel::<Reply>();
        self.tickets.insert(ticket, sender);
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            tokio::select! {
                reply = receiver => {
                    if let Ok(reply) = reply {
                        let _ = client.send(reply);
                    }
                }
                () = client.closed() => {
                    let _ = inputs.send(Input::Event(Event::ClientGone(ticket)));
                }
            }
        });
    }

    fn begin_pairing(&mut self, attempt: u64, ours: Ours, clear: bool) {
        self.pairing = palyra_cli::stopper();
        let stop = Arc::clone(&self.pairing);
        let (sidecars, client, inputs) = (self.sidecars.clone(), self.client.clone(), self.inputs.clone());
        let grpc = self.core.fleet.get(ServiceId::Gateway).ports.get("grpc").copied().unwrap_or_default();
        tokio::spawn(async move {
            let code = match client {
                Some(client) => client.pairing_code(&ours.issued_by).await.map_err(|error| error.to_string()),
                None => Err(gone()),
            };
            let begun = code.as_ref().map(|code| code.created_at_unix_ms).map_err(Clone::clone);
            let _ = inputs.send(node(NodeEvent::Begun(attempt, begun)));
            let Ok(code) = code else { return };
            let installing = inputs.clone();
            let work = move || {
                let installed = install(&sidecars, &ours.device_id, grpc, &code.pin, clear, &stop);
                let _ = installing.send(node(NodeEvent::Installed(attempt, installed)));
            };
            in_thread(inputs, attempt, work);
        });
    }

    fn remove_enrolment(&self, attempt: u64) {
        let (sidecars, client, inputs) = (self.sidecars.clone(), self.client.clone(), self.inputs.clone());
        let device = match &self.core.node.known {
            Known::Enrolled(enrolled) => Some(enrolled.device_id.clone()),
            _ => None,
        };
        tokio::spawn(async move {
            let uninstall = move || uninstall(&sidecars, &palyra_cli::stopper());
            let removed = match tokio::task::spawn_blocking(uninstall).await {
                Ok(removed) => removed,
                Err(error) => Err(error.to_string()),
            };
            let removed = match removed {
                Ok(()) => Ok(forget(client, device).await),
                Err(why) => Err(why),
            };
            let _ = inputs.send(node(NodeEvent::Removed(attempt, removed)));
        });
    }

    fn blocking(&self, work: impl FnOnce() -> NodeEvent + Send + 'static) {
        let inputs = self.inputs.clone();
        tokio::task::spawn_blocking(move || {
            let _ = inputs.send(node(work()));
        });
    }
}

/// The gateway lists the device as trusted until it is told; what it does not know by then, in words.
async fn forget(client: Option<Client>, device: Option<String>) -> String {
    let Some(device) = device else { return String::new() };
    let forgotten = match client {
        Some(client) => client.forget_device(&device).await.map_err(|error| error.to_string()),
        None => Err(gone()),
    };
    match forgotten {
        Ok(_) => String::new(),
        Err(why) => words::node::gateway_still_lists_device(&device, &why),
    }
}

async fn tidy(client: &Client, ours: &[Ours]) -> Result<(), GatewayError> {
    let is_ours = |request: &&PairingRequest| ours.iter().any(|ours| is_ours(request, ours));
    for request in client.pairing_requests().await?.iter().filter(is_ours) {
        client.decide_pairing(&request.request_id, false, REASON).await?;
    }
    Ok(())
}

fn look(sidecars: &Sidecars) -> Result<Option<Enrolled>, String> {
    if !is_installed(&sidecars.paths) {
        return Ok(None);
    }
    let document = palyra(sidecars, &["node", "status", "--json"], None, LOCAL_LIMIT, &palyra_cli::stopper())?;
    Ok(palyra_cli::enrolled(&document))
}

fn uninstall(sidecars: &Sidecars, stop: &AtomicBool) -> Result<(), String> {
    palyra(sidecars, &["node", "uninstall", "--json"], None, LOCAL_LIMIT, stop).map(drop)
}

fn install(
    sidecars: &Sidecars,
    device_id: &str,
    grpc: u16,
    pin: &Secret,
    clear: bool,
    stop: &AtomicBool,
) -> Result<Enrolled, String> {
    if clear {
        uninstall(sidecars, stop)?;
    }
    let url = format!("https://127.0.0.1:{}", grpc.saturating_add(1));
    let arguments = [
        "node",
        "install",
        "--json",
        "--device-id",
        device_id,
        "--grpc-url",
        &url,
        "--method",
        "pin",
        "--pairing-code-stdin",
    ];
    let document = palyra(sidecars, &arguments, Some(pin), INSTALL_LIMIT, stop)?;
    let enrolled = palyra_cli::enrolled(&document).ok_or(words::node::PALYRA_SAYS)?;
    if enrolled.device_id == device_id && enrolled.paired {
        return Ok(enrolled);
    }
    Err(words::node::PALYRA_SAYS_THAT_IT_IS_ENROLLED.to_owned())
}

fn palyra(
    sidecars: &Sidecars,
    arguments: &[&str],
    input: Option<&Secret>,
    limit: Duration,
    stop: &AtomicBool,
) -> Result<Value, String> {
    palyra_cli::run(sidecars.palyra(arguments)?, input, limit, stop)
}

fn in_thread(inputs: Inputs, attempt: u64, work: impl FnOnce() + Send + 'static) {
    let spawned = std::thread::Builder::new().name("pairing".to_owned()).stack_size(256 * 1024).spawn(work);
    if let Err(error) = spawned {
        let why = words::common::cannot_start_thread(&error);
        let _ = inputs.send(node(NodeEvent::Installed(attempt, Err(why))));
    }
}

fn node(event: NodeEvent) -> Input {
    Input::Event(Event::Node(event))
}

fn gone() -> String {
    words::node::GATEWAY_DOES_NOT_ANSWER.to_owned()
}
