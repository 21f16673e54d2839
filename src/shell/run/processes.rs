//! Starting a sidecar or taking it back, and what comes of it: reports of its process, with what can be seen around an end.

use std::path::Path;

use super::{Input, Inputs, Shell, browser_key, secrets_work};
use crate::config::Paths;
use crate::core::cause::{Class, Evidence, Taken};
use crate::core::event::{Event, Found};
use crate::core::ports::{self, Bind};
use crate::protocol::shim::{ExitCause, ExitRecord, Hello};
use crate::protocol::{RunId, ServiceId};
use crate::shell::process::{self, ProcessReport, good_start};
use crate::shell::sidecars::{self, Refusal, Sidecars, Wish};
use crate::words;

impl Shell {
    pub(super) fn launch(&self, wish: Wish) {
        let Some(tokens) = self.tokens.clone() else { return };
        let sidecars = self.sidecars.clone();
        let inputs = self.inputs.clone();
        let ours: Vec<u32> = self
            .core
            .fleet
            .iter()
            .filter_map(|service| service.run.as_ref()?.record.as_ref())
            .flat_map(|record| [record.shim.pid, record.sidecar.pid])
            .collect();
        let (service, run) = (wish.service, wish.run.clone());
        let this = run.clone();
        let spawned = std::thread::Builder::new().name("launch".to_owned()).stack_size(256 * 1024).spawn(move || {
            let fail = |refusal: Refusal| {
                let changes = good_start::changes(&sidecars.paths.run_dir(service), &run, &sidecars.paths.config);
                let evidence = Evidence { changes, taken: Vec::new() };
                let _ = inputs.send(Input::Event(Event::Seen(service, run.clone(), evidence)));
                let failed = Event::StartFailed { service, run: run.clone(), cause: refusal.into() };
                let _ = inputs.send(Input::Event(failed));
            };
            // one of an earlier agent, which came after the look: its sidecar is no stranger
            if process::is_taken(&sidecars.paths.run_dir(service)) {
                let _ = inputs.send(Input::Event(Event::Busy(service, run)));
                return;
            }
            if service == ServiceId::Gateway
                && let Some(foreign) = process::foreign_palyra(&sidecars.paths.runtime_root, &ours)
            {
                let why = foreign_words(&foreign, &sidecars.paths);
                return fail(Refusal { class: Class::Refused, why, hopeless: true });
            }
            if service == ServiceId::Gateway
                && let Some(holder) = sidecars.identity_store().and_then(|store| process::free_identity_lock(&store))
            {
                tracing::warn!(holder, "removed the identity lock of a gateway that is gone");
            }
            if let Err(why) = secrets_work::make_room(&sidecars, service) {
                return fail(Refusal { class: Class::Refused, why, hopeless: false });
            }
            let vault_key = |reference: &str| browser_key::read(&sidecars, reference);
            let asked = sidecars::Asked { holder: &holder_of, vault_key: &vault_key };
            let prepared = match sidecars.prepare(&wish, &tokens, &asked) {
                Ok(prepared) => prepared,
                Err(refusal) => return fail(refusal),
            };
            if !prepared.note.is_empty() {
                tracing::info!(%service, "{}", prepared.note);
            }
            let _ = inputs.send(Input::Event(Event::PortsChosen {
                ports: prepared.ports,
                note: prepared.note,
                config: (service, Box::new(prepared.config)),
            }));
            if let Err(error) = good_start::launched(&prepared.spec, &sidecars.paths.config) {
                tracing::warn!(%service, %error, "what it is started with could not be written down");
            }
            let reports = inputs.clone();
            let executable = sidecars.env.executable.clone();
            process::launch(&executable, prepared.spec, move |report| {
                send_report(&sidecars, service, report, &reports);
            });
        });
        if let Err(error) = spawned {
            let why = words::common::cannot_start_thread(&error);
            self.report(start_failed(service, this, why));
        }
    }

    pub(super) fn look_for_survivors(&self, service: ServiceId) {
        let inputs = self.inputs.clone();
        let sidecars = self.sidecars.clone();
        process::adopt(self.sidecars.paths.run_dir(service), move |report| {
            send_report(&sidecars, service, report, &inputs);
        });
    }
}

/// What came of a process, and before an end what can be seen around it; from a thread that may block.
fn send_report(sidecars: &Sidecars, service: ServiceId, report: ProcessReport, inputs: &Inputs) {
    let end = match &report {
        ProcessReport::Ended { run_id, exit } => Some((run_id, exit.as_ref())),
        ProcessReport::Hello { run_id, hello: Hello::Failed(exit) } => Some((run_id, Some(exit))),
        ProcessReport::NotRunning { last_exit: Some(exit), .. } => Some((&exit.run_id, Some(exit))),
        _ => None,
    };
    if let Some((run, exit)) = end {
        let was_before = matches!(report, ProcessReport::NotRunning { .. });
        let run_dir = sidecars.paths.run_dir(service);
        let evidence = Evidence {
            changes: good_start::changes(&run_dir, run, &sidecars.paths.config),
            // who has a port now says nothing about an end of long ago
            taken: exit.filter(|_| !was_before).map(|exit| taken_ports(&run_dir, exit)).unwrap_or_default(),
        };
        let _ = inputs.send(Input::Event(Event::Seen(service, run.clone(), evidence)));
    }
    let run_dir = sidecars.paths.run_dir(service);
    let _ = inputs.send(Input::Event(process_event(service, &run_dir, report)));
}

/// Ports of a run that ended with an error of its own and that somebody else has now.
fn taken_ports(run_dir: &Path, exit: &ExitRecord) -> Vec<Taken> {
    if exit.asked || !matches!(exit.cause, ExitCause::Code { code } if code != 0) {
        return Vec::new();
    }
    let ports = process::ports_of(run_dir, &exit.run_id);
    let taken = ports::binds(&ports).into_iter().filter_map(|bind| {
        let (port, udp) = number_of(bind);
        process::port_is_taken(port, udp)?.then(|| Taken { port, holder: holder_of(bind) })
    });
    taken.collect()
}

fn process_event(service: ServiceId, run_dir: &Path, report: ProcessReport) -> Event {
    match report {
        ProcessReport::Hello { hello: Hello::Running(record), .. } => Event::Running(service, record),
        ProcessReport::Hello { run_id, hello: Hello::Failed(exit) } => Event::Ended(service, run_id, Some(exit)),
        ProcessReport::Hello { run_id, hello: Hello::Busy } => Event::Busy(service, run_id),
        ProcessReport::Hello { run_id, hello: Hello::Refused { message } }
        | ProcessReport::SpawnFailed { run_id, message } => {
            // a shim that was killed before it could say so may have started its sidecar
            end_survivors(service, run_dir, &run_id);
            start_failed(service, run_id, message)
        }
        ProcessReport::Ended { run_id, exit } => {
            if exit.is_none() {
                end_survivors(service, run_dir, &run_id);
            }
            Event::Ended(service, run_id, exit)
        }
        ProcessReport::Adopted(record) => Event::Found(service, Found::Living(record)),
        ProcessReport::NotRunning { last_exit, .. } => Event::Found(service, Found::Nothing(last_exit)),
        ProcessReport::Lost { run, rebooted, .. } => {
            if !rebooted {
                end_survivors(service, run_dir, &run.run_id);
            }
            Event::Found(service, Found::Lost { rebooted })
        }
        ProcessReport::Unreadable { message } => Event::Found(service, Found::Unclear(message)),
    }
}

/// A shim was killed: what its sidecar started may live on, and nothing is started beside it.
fn end_survivors(service: ServiceId, run_dir: &Path, run: &RunId) {
    let ended = process::end_survivors(run_dir, run);
    if !ended.is_empty() {
        tracing::warn!(%service, ?ended, "ended what a killed shim left behind");
    }
}

fn start_failed(service: ServiceId, run: RunId, why: String) -> Event {
    let cause = Refusal { class: Class::Refused, why, hopeless: false }.into();
    Event::StartFailed { service, run, cause }
}

fn foreign_words(foreign: &process::Foreign, paths: &Paths) -> String {
    words::services::another_palyra_uses_already(
        paths.runtime_root.display(),
        foreign.executable.display(),
        foreign.pid,
    )
}

const fn number_of(bind: Bind) -> (u16, bool) {
    match bind {
        Bind::Tcp(port) => (port, false),
        Bind::Udp(port) => (port, true),
    }
}

fn holder_of(bind: Bind) -> Option<String> {
    let (port, udp) = number_of(bind);
    process::port_holder(port, udp).map(|holder| words::common::process(holder.executable.display(), holder.pid))
}
