//! One effect at a time: each is started here and reports back as an event.

use std::io;
use std::path::{Path, PathBuf};

use super::{Input, Shell};
use crate::config::{DEVICE_ID, Environment, PRINCIPAL};
use crate::core::decisions::Unanswered;
use crate::core::event::{Effect, Event, Facts, Ticket};
use crate::core::inbox::Missed;
use crate::core::place::redirect_path;
use crate::core::telemetry::UsageEvent;
use crate::protocol::{Place, RunId, ServiceId};
use crate::shell::gateway::{self, Client, ErrorKind, GatewayError, Heartbeat};
use crate::shell::handoff::{self, OneShot};
use crate::shell::journal::Doorbell;
use crate::shell::process::{self, good_start};
use crate::shell::sidecars::Wish;
use crate::shell::{autostart, browser, memory, palyra_config, reveal, settings, store};
use crate::words;

impl Shell {
    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Launch { service, run, ports, running, browser, window } => {
                self.launch(Wish { service, run, ports, running, browser, window });
            }
            Effect::LookAgain(service) => self.look_for_survivors(service),
            Effect::Stop(service, record) => {
                let why = &self.core.fleet.get(service).trouble;
                tracing::info!(%service, %why, "stopping");
                if let Err(why) = process::stop(&record) {
                    tracing::warn!(service = %record.service, "the shim could not be asked to stop: {why}");
                }
            }
            Effect::Probe { service, run, port, sign_in } => self.probe(service, run, port, sign_in),
            Effect::WatchJournal(path) => self.watch(path),
            Effect::Look(order) => {
                let Some(client) = self.client.clone() else {
                    let missed = Missed { why: words::agent::NOT_SIGNED.to_owned(), leave_alone_ms: None };
                    return self.report(Event::Looked(order.round, Err(missed)));
                };
                self.spawn(async move { Event::Looked(order.round, client.look(&order).await.map_err(missed)) });
            }
            Effect::Survey(ask) => self.survey(ask),
            Effect::Copy(ticket, text) => self.copy(ticket, text),
            Effect::ReadRecord(id) => self.with_client(|client| async move {
                let answer = client.approval(&id).await.map_err(|error| unanswered(&error));
                Event::RecordRead(id, answer)
            }),
            Effect::ShowRecord(ticket, id) => self.with_client(move |client| async move {
                Event::RecordShown(ticket, client.approval(&id).await.map_err(|error| unanswered(&error)))
            }),
            Effect::ListRecords(ticket, all) => self.with_client(move |client| async move {
                let read = if all {
                    client.all_approvals().await
                } else {
                    client.inbox(None, &Default::default(), None).await
                };
                Event::RecordsListed(ticket, all, read.map(|inbox| inbox.records).map_err(|error| unanswered(&error)))
            }),
            Effect::SendDecision(decision) => self.with_client(|client| async move {
                let approved = decision.verdict == crate::protocol::Verdict::Approve;
                let reason = decision.reason.as_deref();
                let answer =
                    client.decide(&decision.approval_id, approved, decision.scope, decision.ttl_ms, reason).await;
                Event::Sent(decision.approval_id, answer.map_err(|error| unanswered(&error)))
            }),
            Effect::WriteLedger { line, answer } => {
                let path = self.sidecars.paths.decisions();
                let inputs = self.inputs.clone();
                tokio::task::spawn_blocking(move || {
                    let outcome = store::append_line(&path, &line).map_err(|error| error.to_string());
                    if let Err(why) = &outcome {
                        tracing::error!("a decision could not be recorded: {why}");
                    }
                    if answer {
                        let _ = inputs.send(Input::Event(Event::Recorded(line.approval_id, outcome)));
                    }
                });
            }
            Effect::Node(work) => self.node_work(work),
            Effect::Ask(work) => self.ask_work(work),
            Effect::OpenDashboard(ticket, place) => self.open_dashboard(ticket, place),
            Effect::TellUsage(event) => self.tell_usage(event),
            Effect::GatherFacts(ticket, known) => self.gather_facts(ticket, known),
            Effect::SetUp(ticket, request) => self.set_up(ticket, request),
            Effect::Open(companion) => self.open_companion(companion),
            Effect::ShowLog(service) => {
                let inputs = self.inputs.clone();
                reveal::reveal(self.sidecars.paths.log(service), move |why| {
                    let _ = inputs.send(Input::Event(Event::LogNotShown(why)));
                });
            }
            Effect::ShowBundles => self.show_bundles(),
            Effect::ExportPalyra(ticket) => self.export_palyra(ticket),
            Effect::SaveSwitch(name, on) => {
                if let Err(error) = settings::set(&self.sidecars.paths.settings(), name, on) {
                    self.report(Event::NotSaved(words::agent::holds_only_until_end(name, &error)));
                }
            }
            Effect::LookAtSettings => self.look_at_settings(),
            Effect::WritePorts(ticket, ports) => {
                let config = self.sidecars.paths.config.clone();
                let inputs = self.inputs.clone();
                tokio::task::spawn_blocking(move || {
                    let written = palyra_config::write_ports(&config, &ports);
                    let outcome = written.map_err(words::agent::ports_were_not_written);
                    let _ = inputs.send(Input::Event(Event::PortsWritten(ticket, outcome)));
                });
            }
            Effect::LookAtConfig => self.look_at_config(),
            Effect::LookAtAutostart => self.look_at_autostart(),
            Effect::SetAutostart(ticket, on) => {
                let env = self.sidecars.env.clone();
                let inputs = self.inputs.clone();
                let done = move || {
                    let outcome = autostart::set(&env, on);
                    if let Err(why) = &outcome {
                        tracing::warn!(on, "start on login was not switched: {why}");
                    }
                    // first how it is, then that the switching is over: the menu never shows what is not so
                    let _ = inputs.send(Input::Event(autostart_event(&env)));
                    let _ = inputs.send(Input::Event(Event::AutostartSet(ticket, outcome)));
                };
                tokio::task::spawn_blocking(done);
            }
            Effect::SavePaused(since) => {
                if let Err(error) = keep_paused(&self.sidecars.paths.paused(), since) {
                    self.report(Event::NotSaved(words::agent::pause_holds_only_until_end(&error)));
                }
            }
            Effect::AbortRuns => self.with_client(|client| async move {
                Event::RunsAborted(client.abort_active_runs().await.map_err(|error| error.message))
            }),
            Effect::AbortRun(ticket, run_id) => self.with_client(move |client| async move {
                let outcome = client.abort_run(&run_id, words::agent::ABORTED_FROM_TRAY).await;
                Event::RunAborted(ticket, run_id, outcome.map_err(|error| error.message))
            }),
            Effect::Profiles(work) => self.profile_work(work),
            Effect::Remote(work) => self.remote_work(work),
            Effect::SaveState(state) => {
                let path = self.sidecars.paths.state();
                let inputs = self.inputs.clone();
                tokio::task::spawn_blocking(move || {
                    let outcome = store::keep_json(&path, &state).map_err(|error| error.to_string());
                    let _ = inputs.send(Input::Event(Event::StateSaved(outcome)));
                });
            }
            Effect::KeepGoodStart { service, run, version } => {
                let run_dir = self.sidecars.paths.run_dir(service);
                let now = self.clock.now().unix_ms;
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = good_start::keep(&run_dir, &run, version, now) {
                        tracing::warn!(%service, %error, "a good start was not kept, so later ones are compared with an older");
                    }
                });
            }
            Effect::LookAtSecrets(ticket) => self.look_at_secrets(ticket),
            Effect::Rotate(ticket, names) => self.rotate(ticket, names),
            Effect::RotationOver => self.rotation_over(),
            Effect::RetrySecrets => {
                if let Some(secrets) = &self.secrets {
                    secrets.retry();
                }
            }
            Effect::Reply(ticket, reply) => {
                if let Some(waiting) = self.tickets.remove(&ticket) {
                    let _ = waiting.send(reply);
                }
            }
            Effect::GiveBack => memory::give_back(),
            Effect::Exit { .. } => {}
        }
    }

    pub(super) fn look_at_autostart(&self) {
        let env = self.sidecars.env.clone();
        let inputs = self.inputs.clone();
        tokio::task::spawn_blocking(move || {
            let _ = inputs.send(Input::Event(autostart_event(&env)));
        });
    }

    fn probe(&mut self, service: ServiceId, run: RunId, port: u16, sign_in: bool) {
        let expected = match service {
            ServiceId::Gateway => gateway::GATEWAY,
            ServiceId::Browserd => gateway::BROWSERD,
            ServiceId::NodeHost => return self.probe_node_host(run),
        };
        let prober = self.prober.clone();
        let inputs = self.inputs.clone();
        let client = if sign_in { self.signing_client(&run, port) } else { Err(String::new()) };
        self.spawn(async move {
            let health = match prober.check(port, expected).await {
                Ok(health) => health,
                Err(error) => return Event::Probed(service, run, Err(error.to_string())),
            };
            let mut facts = Facts::from(health);
            if sign_in {
                let client = match client {
                    Ok(client) => client,
                    Err(why) => return Event::Probed(service, run, Err(why)),
                };
                match sign_in_with(&client).await {
                    Ok(heartbeat) => {
                        facts.profile = client.identity().and_then(|identity| identity.profile);
                        let _ = inputs.send(Input::SignedIn(run.clone(), client));
                        facts.journal = heartbeat.journal_db_path.map(|path| path.to_string_lossy().into_owned());
                        facts.node_port_demands = heartbeat.node_rpc_mtls_required;
                    }
                    Err(error) => return Event::Probed(service, run, Err(error.to_string())),
                }
            }
            Event::Probed(service, run, Ok(facts))
        });
    }

    fn signing_client(&mut self, run: &RunId, port: u16) -> Result<Client, String> {
        if let Some((known, client)) = &self.signing
            && known == run
            && client.port() == port
        {
            return Ok(client.clone());
        }
        let tokens = self.tokens.as_ref().ok_or_else(|| words::agent::WAITING_FOR_ITS_SECRETS.to_owned())?;
        let token = self.sidecars.admin_token(tokens);
        let client = Client::new(port, token, DEVICE_ID, PRINCIPAL).map_err(|error| error.to_string())?;
        self.signing = Some((run.clone(), client.clone()));
        Ok(client)
    }

    fn watch(&mut self, journal: Option<String>) {
        self.doorbell = None;
        let Some(journal) = journal else { return };
        let inputs = self.inputs.clone();
        match Doorbell::watch(&PathBuf::from(journal), move |ring| {
            let _ = inputs.send(Input::Rang(ring));
        }) {
            Ok(doorbell) => {
                self.doorbell = Some(doorbell);
                self.report(Event::Watching(true));
            }
            Err(why) => {
                tracing::warn!("the gateway's journal cannot be watched, so it is polled: {why}");
                self.report(Event::Watching(false));
            }
        }
    }

    fn tell_usage(&self, event: UsageEvent) {
        let Some(client) = self.client.clone() else { return self.report(Event::UsageTold) };
        self.spawn(async move {
            if let Err(error) = client.tell_usage(&event).await {
                tracing::debug!(event = event.name, %error, "a usage event was dropped");
            }
            Event::UsageTold
        });
    }

    fn open_dashboard(&self, ticket: Option<Ticket>, place: Place) {
        let Some(client) = self.client.clone() else {
            return self.report(Event::Opened(ticket, Err(words::agent::NOT_SIGNED.to_owned())));
        };
        let helper = self.sidecars.env.executable.clone();
        let inputs = self.inputs.clone();
        let path = redirect_path(&place);
        self.spawn(async move {
            let mint = move || async move {
                client
                    .mint_handoff(&path)
                    .await
                    .map(gateway::HandoffUrl::into_secret)
                    .map_err(|error| error.to_string())
            };
            let report = move |report| match report {
                handoff::Report::SecondHit | handoff::Report::Stranger => {
                    let _ = inputs.send(Input::Event(Event::OpenedTwice));
                }
                other => tracing::debug!(?other, "hand-off"),
            };
            let outcome = match OneShot::open(mint, report).await {
                Ok(one_shot) => browser::open(&helper, browser::Leads::Here, &one_shot.url).await,
                Err(error) => Err(words::agent::one_time_address_could(&error)),
            };
            Event::Opened(ticket, outcome.map(|()| place))
        });
    }

    pub(super) fn with_client<F>(&self, call: impl FnOnce(Client) -> F)
    where
        F: Future<Output = Event> + Send + 'static,
    {
        // without a client the inbox is closed, and the core asks for nothing
        if let Some(client) = self.client.clone() {
            self.spawn(call(client));
        }
    }

    pub(super) fn spawn(&self, work: impl Future<Output = Event> + Send + 'static) {
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            let _ = inputs.send(Input::Event(work.await));
        });
    }

    pub(super) fn report(&self, event: Event) {
        let _ = self.inputs.send(Input::Event(event));
    }
}

/// The file is there while all agents are paused, and says since when.
fn keep_paused(path: &Path, since_unix_ms: Option<i64>) -> io::Result<()> {
    match since_unix_ms {
        Some(since) => store::write_json(path, &serde_json::json!({ "version": 1, "since_unix_ms": since })),
        None => match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

fn autostart_event(env: &Environment) -> Event {
    let state = autostart::state(env);
    if let Err(why) = &state {
        tracing::info!("whether it starts at login cannot be told: {why}");
    }
    Event::Autostart(state.ok().map(|state| state.on))
}

async fn sign_in_with(client: &Client) -> Result<Heartbeat, GatewayError> {
    client.sign_in().await?;
    client.heartbeat().await
}

fn missed(error: GatewayError) -> Missed {
    let leave_alone = error.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    Missed { why: error.message, leave_alone_ms: leave_alone }
}

fn unanswered(error: &GatewayError) -> Unanswered {
    let refused = matches!(
        error.kind,
        ErrorKind::Invalid | ErrorKind::Forbidden | ErrorKind::NotFound | ErrorKind::Unauthorized | ErrorKind::NotBound
    );
    Unanswered {
        why: error.to_string(),
        may_have_acted: error.sent && !refused,
        unreachable: matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Timeout),
    }
}
