//! THE loop: receive an event or reach the deadline, update the core, perform its effects, show the view. The one clock.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::config::{DEVICE_ID, Environment, PRINCIPAL, Paths, Settings};
use crate::core::agent::{Agent, Click, Desktop, Effect, Event, Facts, Found, Ports, Secrets, Setup, Ticket};
use crate::core::compose;
use crate::core::decisions::Unanswered;
use crate::core::inbox::Look;
use crate::core::notices::Server;
use crate::core::ports::Bind;
use crate::core::time::Now;
use crate::core::view::View;
use crate::protocol::shim::Hello;
use crate::protocol::{Failure, FailureCode, Reply, Request, RunId, ServiceId};
use crate::shell::control::{self, Asked};
use crate::shell::gateway::{self, Client, ErrorKind, GatewayError, Prober};
use crate::shell::handoff::{self, OneShot};
use crate::shell::journal::{Doorbell, Ring};
use crate::shell::lock::{self, AgentLock};
use crate::shell::notify::{AppIdentity, Notifier, NotifyReport};
use crate::shell::process::{self, ProcessReport};
use crate::shell::secrets::{self, SecretName, SecretsReport};
use crate::shell::sidecars::{Sidecars, Tokens, Wish};
use crate::shell::{ancestry, browser, reveal, settings, store};
use crate::tray::{self, HostState, TrayHandle, TrayReport};

/// What the agent is started with.
pub struct Start {
    /// At start.
    pub env: Environment,
    /// Found at start.
    pub paths: Paths,
    /// What the person prefers.
    pub settings: Settings,
    /// What of that was not understood.
    pub warnings: Vec<String>,
    /// Held until the end.
    pub lock: AgentLock,
    /// Show an icon and notifications.
    pub desktop: bool,
    /// Start the sidecars without being asked.
    pub start: bool,
    /// Built-in sidecars, for show.
    pub demo: bool,
}

/// `state.json`: what we keep for ourselves.
#[derive(Serialize, Deserialize)]
struct State {
    version: u32,
    ports: BTreeMap<ServiceId, Ports>,
}

/// What reaches the loop.
#[expect(clippy::large_enum_variant, reason = "nearly all of what comes is an event, moved once through a channel")]
enum Input {
    Event(Event),
    Asked(Asked),
    Tray(TrayReport),
    Notify(NotifyReport),
    Secrets(SecretsReport),
    SignedIn(RunId, Client),
    Rang(Ring),
    Shutdown,
}

type Inputs = UnboundedSender<Input>;

/// Runs the agent until it is told to end. To be called on the main thread.
pub fn run(start: Start) -> ExitCode {
    let (inputs, receiver) = unbounded_channel();
    let from_tray = inputs.clone();
    if !start.desktop {
        return agent(start, None, inputs, receiver);
    }
    let panel = start.settings.panel;
    tray::run(
        match panel {
            crate::config::Panel::Dark => tray::Panel::Dark,
            crate::config::Panel::Light => tray::Panel::Light,
        },
        move |handle| agent(start, Some(handle), inputs, receiver),
        move |report| {
            let _ = from_tray.send(Input::Tray(report));
        },
    )
}

fn agent(start: Start, tray: Option<TrayHandle>, inputs: Inputs, receiver: UnboundedReceiver<Input>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime could not be made");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(async {
        let shell = match Shell::new(start, tray, inputs) {
            Ok(shell) => shell,
            Err(why) => {
                tracing::error!("{why}");
                eprintln!("palyra-tray: {why}");
                return ExitCode::FAILURE;
            }
        };
        shell.serve(receiver).await
    });
    // a thread that waits for a sidecar's lock must not hold up the end
    runtime.shutdown_background();
    ended
}

struct Clock {
    origin: Instant,
}

impl Clock {
    fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            mono_ms: u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX),
            unix_ms: i64::try_from(unix.as_millis()).unwrap_or(i64::MAX),
        }
    }

    fn at(&self, mono_ms: u64) -> Instant {
        self.origin + Duration::from_millis(mono_ms)
    }
}

struct Shell {
    clock: Clock,
    core: Agent,
    sidecars: Sidecars,
    inputs: Inputs,
    tray: Option<TrayHandle>,
    notifier: Option<Notifier>,
    desktop: Desktop,
    shown: View,
    tokens: Option<Tokens>,
    client: Option<Client>,
    /// Signs in to this run: it remembers a token that was refused, so that it is sent once and not with every probe.
    signing: Option<(RunId, Client)>,
    prober: Arc<Prober>,
    doorbell: Option<Doorbell>,
    secrets: Option<secrets::Secrets>,
    tickets: HashMap<Ticket, oneshot::Sender<Reply>>,
    next_ticket: Ticket,
    server: control::Server,
    _lock: AgentLock,
}

impl Shell {
    fn new(start: Start, tray: Option<TrayHandle>, inputs: Inputs) -> Result<Self, String> {
        let Start { env, paths, settings, mut warnings, lock, desktop, start, demo } = start;
        let clock = Clock { origin: Instant::now() };
        let now = clock.now();
        let (state, told) = store::read_json::<State>(&paths.own.join("state.json"), now.unix_ms);
        warnings.extend(told);
        let from_clients = inputs.clone();
        let server = control::serve(&paths, move |asked| {
            let _ = from_clients.send(Input::Asked(asked));
        })
        .map_err(|error| format!("the control socket cannot be made: {error}"))?;
        control::publish(&paths, env!("CARGO_PKG_VERSION"))
            .map_err(|error| format!("the address of the control socket cannot be written: {error}"))?;
        let setup = Setup {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            start,
            browser: settings.browser,
            node_host: paths.runtime_root.join("node-host").join("node-host.json").is_file(),
            demo,
            ports: state.filter(|state| state.version == 1).map(|state| state.ports).unwrap_or_default(),
            seed: seed(),
            warnings,
        };
        let mut shell = Self {
            core: Agent::new(setup, now),
            sidecars: Sidecars { env, paths, folder: settings.folder, demo },
            prober: Arc::new(Prober::new().map_err(|error| error.to_string())?),
            tray,
            notifier: None,
            desktop: Desktop { tray: "switched off (--no-tray)".to_owned(), ..Desktop::default() },
            shown: View::default(),
            tokens: None,
            client: None,
            signing: None,
            doorbell: None,
            secrets: None,
            tickets: HashMap::new(),
            next_ticket: 0,
            clock,
            server,
            _lock: lock,
            inputs,
        };
        if let Some(handle) = &shell.tray {
            // before anything that could wait: the icon is the first sign of life
            handle.show(compose::view(&shell.core, now));
        }
        shell.start_parts(desktop);
        Ok(shell)
    }

    fn start_parts(&mut self, desktop: bool) {
        for service in ServiceId::ALL {
            self.look_for_survivors(service);
        }
        let inputs = self.inputs.clone();
        let paths = &self.sidecars.paths;
        let config = secrets::SecretsConfig {
            state_dir: paths.own.clone(),
            qualifier: secrets::qualifier(&paths.state_root),
            backend: secret_backend(&self.sidecars),
            timing: secrets::Timing::default(),
        };
        self.secrets = Some(secrets::Secrets::start(config, move |report| {
            let _ = inputs.send(Input::Secrets(report));
        }));
        if desktop {
            let inputs = self.inputs.clone();
            self.notifier = Some(Notifier::start(AppIdentity::default(), move |report| {
                let _ = inputs.send(Input::Notify(report));
            }));
            "not looked for yet".clone_into(&mut self.desktop.tray);
        } else {
            let _ = self.inputs.send(Input::Event(Event::Desktop(self.desktop.clone())));
        }
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            shutdown_asked().await;
            let _ = inputs.send(Input::Shutdown);
        });
    }

    async fn serve(mut self, mut receiver: UnboundedReceiver<Input>) -> ExitCode {
        loop {
            let input = match self.core.deadline() {
                Some(deadline) => {
                    let at = tokio::time::Instant::from_std(self.clock.at(deadline));
                    tokio::select! {
                        biased;
                        input = receiver.recv() => input,
                        () = tokio::time::sleep_until(at) => Some(Input::Event(Event::Wake)),
                    }
                }
                None => receiver.recv().await,
            };
            let Some(input) = input else { return ExitCode::FAILURE };
            if let Some(event) = self.translate(input)
                && let Some(code) = self.step(event)
            {
                return self.end(code).await;
            }
        }
    }

    /// One turn: event, effects, view.
    fn step(&mut self, event: Event) -> Option<ExitCode> {
        let now = self.clock.now();
        let effects = self.core.update(event, now);
        let mut exit = None;
        for effect in effects {
            if let Effect::Exit { sidecars_left } = effect {
                tracing::info!(sidecars_left, "ending");
                exit = Some(ExitCode::SUCCESS);
            } else {
                self.perform(effect);
            }
        }
        let view = compose::view(&self.core, now);
        if view != self.shown {
            if let Some(tray) = &self.tray {
                tray.show(view.clone());
            }
            if let Some(notifier) = &self.notifier
                && view.notices != self.shown.notices
            {
                notifier.show(view.notices.clone());
            }
            self.shown = view;
        }
        exit
    }

    async fn end(mut self, code: ExitCode) -> ExitCode {
        if let Some(notifier) = self.notifier.take() {
            notifier.show(BTreeMap::new());
            let _ = tokio::task::spawn_blocking(move || notifier.finish(Duration::from_millis(500))).await;
        }
        for (_, ticket) in self.tickets.drain() {
            let _ = ticket.send(Reply::Error(Failure::new(
                FailureCode::NoAgent,
                "the agent is ending",
                "Start it: palyra-tray run",
            )));
        }
        self.server.drain(Duration::from_millis(500)).await;
        control::unpublish(&self.sidecars.paths);
        if let Some(tray) = &self.tray {
            tray.close();
        }
        code
    }

    /// What came in, as an event for the core; things that only the shell needs stay here.
    fn translate(&mut self, input: Input) -> Option<Event> {
        match input {
            Input::Event(event) => {
                self.keep_out_earlier_app(&event);
                Some(event)
            }
            Input::Shutdown => Some(Event::Shutdown),
            Input::Asked(asked) => self.asked(asked),
            Input::Tray(TrayReport::Clicked(action)) => Some(Event::Clicked(action, Click::Menu)),
            Input::Tray(TrayReport::Activated) => Some(Event::IconClicked),
            Input::Tray(TrayReport::Host(state)) => {
                self.desktop.tray_present = state == HostState::Present;
                host_words(state).clone_into(&mut self.desktop.tray);
                Some(Event::Desktop(self.desktop.clone()))
            }
            Input::Tray(TrayReport::Failed(why)) => {
                self.desktop.tray_present = false;
                self.desktop.tray = why;
                Some(Event::Desktop(self.desktop.clone()))
            }
            Input::Notify(NotifyReport::Server(server)) => {
                self.desktop.notifications = server.map(|server| Server {
                    name: server.name,
                    actions: server.actions,
                    withdraws: server.withdraw,
                });
                Some(Event::Desktop(self.desktop.clone()))
            }
            Input::Notify(NotifyReport::Clicked { action, key, .. }) => {
                tracing::info!(%key, "a notification was clicked");
                if !key.starts_with("event:") {
                    return Some(Event::Clicked(action, Click::Notification));
                }
                // it is answered: the same one may be told again. First, for the click may tell it anew
                self.report(Event::NoticeGone(key));
                self.report(Event::Clicked(action, Click::Notification));
                None
            }
            Input::Notify(NotifyReport::Dismissed { key } | NotifyReport::Expired { key }) => {
                Some(Event::NoticeGone(key))
            }
            Input::Notify(NotifyReport::Failed { message }) => {
                tracing::warn!("{message}");
                None
            }
            Input::Secrets(report) => Some(Event::Secrets(self.secrets_arrived(report))),
            Input::SignedIn(run, client) => {
                // a late one of an old gateway must not take the place of the new one's
                if self.core.fleet.get(ServiceId::Gateway).run.as_ref().is_some_and(|current| current.id == run) {
                    self.client = Some(client);
                }
                None
            }
            Input::Rang(Ring::Written) => Some(Event::Rang),
            Input::Rang(Ring::Lost) => {
                self.doorbell = None;
                Some(Event::Watching(false))
            }
        }
    }

    fn asked(&mut self, asked: Asked) -> Option<Event> {
        let Asked { request, peer, reply } = asked;
        if matches!(request, Request::Decide(_)) && self.is_own_descendant(peer) {
            tracing::warn!(?peer, "a decision from within a supervised sidecar was refused");
            let failure = Failure::new(
                FailureCode::Refused,
                "a process that Palyra itself started may not decide approvals",
                "Decide in the notification, the dashboard, or a terminal of your own.",
            );
            let _ = reply.send(Reply::Error(failure));
            return None;
        }
        self.next_ticket += 1;
        self.tickets.insert(self.next_ticket, reply);
        Some(Event::Asked(self.next_ticket, request))
    }

    fn is_own_descendant(&self, peer: Option<u32>) -> bool {
        let Some(peer) = peer else { return false };
        let runs = self.core.fleet.iter().filter_map(|service| service.run.as_ref()?.record.as_ref());
        let ours: Vec<u32> = runs.flat_map(|record| [record.shim.pid, record.sidecar.pid]).collect();
        ancestry::descends_from(peer, &ours)
    }

    fn secrets_arrived(&mut self, report: SecretsReport) -> Secrets {
        match report {
            SecretsReport::Ready { values, place, notes } => {
                self.secrets = None;
                let in_file = matches!(place, secrets::Place::File(..));
                self.tokens = Some(Tokens {
                    admin: values.get(SecretName::AdminToken).clone(),
                    browser: values.get(SecretName::BrowserToken).clone(),
                    browser_key: values.get(SecretName::BrowserStateKey).clone(),
                    in_file,
                });
                Secrets::Ready { place: if in_file { "file" } else { "keyring" }.to_owned(), warning: notes.join(" ") }
            }
            SecretsReport::Waiting { reason } => Secrets::Waiting(reason),
            SecretsReport::Locked { message } => Secrets::Waiting(message),
            SecretsReport::Failed { message } => Secrets::Failed(message),
        }
    }

    fn keep_out_earlier_app(&self, event: &Event) {
        let now = self.clock.now().unix_ms;
        match event {
            Event::Running(ServiceId::Gateway, record) | Event::Found(ServiceId::Gateway, Found::Living(record)) => {
                lock::shut_out_earlier_app(&self.sidecars.paths, Some(record.shim.pid), now);
            }
            Event::Ended(ServiceId::Gateway, ..) => lock::shut_out_earlier_app(&self.sidecars.paths, None, now),
            _ => {}
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Launch { service, run, ports, running, browser } => {
                self.launch(Wish { service, run, ports, running, browser });
            }
            Effect::Stop(_, record) => {
                if let Err(why) = process::stop(&record) {
                    tracing::warn!(service = %record.service, "the shim could not be asked to stop: {why}");
                }
            }
            Effect::Probe { service, run, port, sign_in } => self.probe(service, run, port, sign_in),
            Effect::WatchJournal(path) => self.watch(path),
            Effect::Look(order) => {
                let Some(client) = self.client.clone() else {
                    return self.report(Event::Looked(Err("not signed in".to_owned())));
                };
                self.spawn(async move {
                    let look = client.inbox(order.since_unix_ms, &order.known).await;
                    Event::Looked(look.map_err(|error| error.to_string()).map(|inbox| Look {
                        records: inbox.records,
                        newest_requested_at: inbox.newest_requested_at,
                        unreadable: u32::try_from(inbox.unreadable.len()).unwrap_or(u32::MAX),
                    }))
                });
            }
            Effect::ReadRecord(id) => self.with_client(|client| async move {
                let answer = client.approval(&id).await.map_err(|error| unanswered(&error));
                Event::RecordRead(id, answer)
            }),
            Effect::ShowRecord(ticket, id) => self.with_client(move |client| async move {
                Event::RecordShown(ticket, client.approval(&id).await.map_err(|error| unanswered(&error)))
            }),
            Effect::ListRecords(ticket) => self.with_client(move |client| async move {
                let answer = client.all_approvals().await.map_err(|error| unanswered(&error));
                Event::RecordsListed(ticket, answer.map(|inbox| inbox.records))
            }),
            Effect::SendDecision(decision) => self.with_client(|client| async move {
                let approved = decision.verdict == crate::protocol::Verdict::Approve;
                let reason = decision.reason.as_deref();
                let answer =
                    client.decide(&decision.approval_id, approved, decision.scope, decision.ttl_ms, reason).await;
                Event::Sent(decision.approval_id, answer.map_err(|error| unanswered(&error)))
            }),
            Effect::WriteLedger { line, answer } => {
                let path = self.sidecars.paths.own.join("decisions.jsonl");
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
            Effect::OpenDashboard(ticket, path) => self.open_dashboard(ticket, path),
            Effect::ShowLog(service) => {
                let inputs = self.inputs.clone();
                reveal::reveal(self.sidecars.paths.log(service), move |why| {
                    let _ = inputs.send(Input::Event(Event::LogNotShown(why)));
                });
            }
            Effect::SaveBrowser(enabled) => {
                if let Err(error) = settings::set_browser(&self.sidecars.paths.settings(), enabled) {
                    self.report(Event::NotSaved(format!("the browser switch holds only until the end: {error}")));
                }
            }
            Effect::SavePorts(ports) => {
                let state = State { version: 1, ports };
                if let Err(error) = store::write_json(&self.sidecars.paths.own.join("state.json"), &state) {
                    self.report(Event::NotSaved(format!("the ports hold only until the end: {error}")));
                }
            }
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
            Effect::Exit { .. } => {}
        }
    }

    fn launch(&self, wish: Wish) {
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
            let fail = |why: String, hopeless| {
                let _ = inputs.send(Input::Event(Event::StartFailed { service, run: run.clone(), why, hopeless }));
            };
            if service == ServiceId::Gateway
                && let Some(foreign) = process::foreign_palyra(&sidecars.paths.runtime_root, &ours)
            {
                return fail(foreign_words(&foreign, &sidecars.paths), true);
            }
            let prepared = match sidecars.prepare(&wish, &tokens, &holder_of) {
                Ok(prepared) => prepared,
                Err(refusal) => return fail(refusal.why, refusal.hopeless),
            };
            let _ = inputs.send(Input::Event(Event::PortsChosen { ports: prepared.ports, note: prepared.note }));
            let reports = inputs.clone();
            process::launch(&sidecars.env.executable, prepared.spec, move |report| {
                let _ = reports.send(Input::Event(process_event(service, report)));
            });
        });
        if let Err(error) = spawned {
            let why = format!("cannot start a thread: {error}; close other programs and try again");
            self.report(start_failed(service, this, why));
        }
    }

    fn look_for_survivors(&self, service: ServiceId) {
        let inputs = self.inputs.clone();
        process::adopt(self.sidecars.paths.run_dir(service), move |report| {
            let _ = inputs.send(Input::Event(process_event(service, report)));
        });
    }

    fn probe(&mut self, service: ServiceId, run: RunId, port: u16, sign_in: bool) {
        let expected = match service {
            ServiceId::Gateway => gateway::GATEWAY,
            ServiceId::Browserd => gateway::BROWSERD,
            // it listens on nothing: that its process lives is all that can be seen from here
            ServiceId::NodeHost => return self.report(Event::Probed(service, run, Ok(Facts::default()))),
        };
        let prober = self.prober.clone();
        let inputs = self.inputs.clone();
        let client = if sign_in { self.signing_client(&run, port) } else { Err(String::new()) };
        self.spawn(async move {
            let health = match prober.check(port, expected).await {
                Ok(health) => health,
                Err(error) => return Event::Probed(service, run, Err(error.to_string())),
            };
            let mut facts = Facts {
                version: health.version,
                git_hash: health.git_hash,
                uptime_seconds: health.uptime_seconds.unwrap_or(0),
                journal: None,
            };
            if sign_in {
                let client = match client {
                    Ok(client) => client,
                    Err(why) => return Event::Probed(service, run, Err(why)),
                };
                match sign_in_with(&client).await {
                    Ok(journal) => {
                        let _ = inputs.send(Input::SignedIn(run.clone(), client));
                        facts.journal = journal.map(|path| path.to_string_lossy().into_owned());
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
        let tokens = self.tokens.as_ref().ok_or_else(|| "waiting for its secrets".to_owned())?;
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

    fn open_dashboard(&self, ticket: Option<Ticket>, path: String) {
        let Some(client) = self.client.clone() else {
            return self.report(Event::Opened(ticket, Err("not signed in".to_owned())));
        };
        let helper = self.sidecars.env.executable.clone();
        let inputs = self.inputs.clone();
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
                Ok(one_shot) => browser::open(&helper, &one_shot.url).await,
                Err(error) => Err(format!("the one-time address could not be made: {error}")),
            };
            Event::Opened(ticket, outcome)
        });
    }

    fn with_client<F>(&self, call: impl FnOnce(Client) -> F)
    where
        F: Future<Output = Event> + Send + 'static,
    {
        // without a client the inbox is closed, and the core asks for nothing
        if let Some(client) = self.client.clone() {
            self.spawn(call(client));
        }
    }

    fn spawn(&self, work: impl Future<Output = Event> + Send + 'static) {
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            let _ = inputs.send(Input::Event(work.await));
        });
    }

    fn report(&self, event: Event) {
        let _ = self.inputs.send(Input::Event(event));
    }
}

async fn sign_in_with(client: &Client) -> Result<Option<PathBuf>, GatewayError> {
    client.sign_in().await?;
    Ok(client.heartbeat().await?.journal_db_path)
}

fn process_event(service: ServiceId, report: ProcessReport) -> Event {
    match report {
        ProcessReport::Hello { hello: Hello::Running(record), .. } => Event::Running(service, record),
        ProcessReport::Hello { run_id, hello: Hello::Failed(exit) } => Event::Ended(service, run_id, Some(exit)),
        ProcessReport::Hello { run_id, hello: Hello::Busy } => {
            start_failed(service, run_id, "another copy still runs; it is not started twice".to_owned())
        }
        ProcessReport::Hello { run_id, hello: Hello::Refused { message } }
        | ProcessReport::SpawnFailed { run_id, message } => start_failed(service, run_id, message),
        ProcessReport::Ended { run_id, exit } => {
            if exit.is_none() {
                end_survivors(service, &run_id);
            }
            Event::Ended(service, run_id, exit)
        }
        ProcessReport::Adopted(record) => Event::Found(service, Found::Living(record)),
        ProcessReport::NotRunning { last_exit, .. } => Event::Found(service, Found::Nothing(last_exit)),
        ProcessReport::Lost { run, .. } => {
            end_survivors(service, &run.run_id);
            Event::Found(service, Found::Nothing(None))
        }
        ProcessReport::Unreadable { message } => Event::Found(service, Found::Unclear(message)),
    }
}

/// A shim was killed: what its sidecar started may live on, and nothing is started beside it.
fn end_survivors(service: ServiceId, run: &RunId) {
    let ended = process::end_survivors(run);
    if !ended.is_empty() {
        tracing::warn!(%service, ?ended, "ended what a killed shim left behind");
    }
}

fn start_failed(service: ServiceId, run: RunId, why: String) -> Event {
    Event::StartFailed { service, run, why, hopeless: false }
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

fn foreign_words(foreign: &process::Foreign, paths: &Paths) -> String {
    format!(
        "another Palyra uses {} already: {} (process {}); end it, or give this one another PALYRA_STATE_ROOT",
        paths.runtime_root.display(),
        foreign.executable.display(),
        foreign.pid
    )
}

fn holder_of(bind: Bind) -> Option<String> {
    let (port, udp) = match bind {
        Bind::Tcp(port) => (port, false),
        Bind::Udp(port) => (port, true),
    };
    process::port_holder(port, udp).map(|holder| format!("{} (process {})", holder.executable.display(), holder.pid))
}

fn host_words(state: HostState) -> &'static str {
    match state {
        HostState::Present => "shown",
        HostState::NoBus => "no session bus",
        HostState::NoWatcher => "no tray host on this desktop (GNOME needs its AppIndicator extension)",
        HostState::NoHost => "no panel shows tray icons",
    }
}

fn secret_backend(sidecars: &Sidecars) -> secrets::Backend {
    let chosen = sidecars.env.get("PALYRA_TRAY_KEYRING").and_then(|value| value.to_str().map(str::to_owned));
    match chosen.as_deref() {
        // nothing of a demo goes into a person's keyring
        _ if sidecars.demo => secrets::Backend::File,
        Some("off") => secrets::Backend::File,
        _ => secrets::Backend::Auto,
    }
}

fn seed() -> u64 {
    let mut bytes = [0; 8];
    // jitter only: any number does
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(unix)]
async fn shutdown_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

#[cfg(not(unix))]
async fn shutdown_asked() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
