//! THE loop: receive an event or reach the deadline, update the core, perform its effects, show the view. The one clock.

mod ask;
mod browser_key;
mod config;
mod earlier;
mod earlier_secrets;
mod effects;
mod ground;
mod inputs;
mod known;
#[cfg(not(target_os = "linux"))]
mod locked;
mod node;
mod preferences;
mod processes;
mod profiles;
mod remote;
mod secrets_work;
mod set_up;
mod support;
mod survey;

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::config::settings::Settings;
use crate::config::{Environment, Paths};
use crate::core::agent::Agent;
use crate::core::event::{Desktop, Effect, Event, Setup, Ticket};
use crate::core::node::{Kept, NodeSetup, NodeWork};
use crate::core::time::Now;
use crate::core::view::View;
use crate::core::{compose, config_watch};
use crate::protocol::{Failure, FailureCode, Reply, RunId, Secret, ServiceId};
use crate::shell::alarm::Alarm;
use crate::shell::config_watch::ConfigWatch;
use crate::shell::control::{self, Asked};
use crate::shell::dialog;
use crate::shell::gateway::{Client, Prober};
use crate::shell::journal::{Doorbell, Ring};
use crate::shell::lock::AgentLock;
pub use crate::shell::memory::start_without_caches;
use crate::shell::notify::{AppIdentity, Notifier, NotifyReport};
use crate::shell::palyra_cli;
#[cfg(target_os = "linux")]
use crate::shell::screen;
use crate::shell::secrets::{self, SecretsReport};
use crate::shell::sidecars::{Sidecars, Tokens};
use crate::shell::{memory, store};
use crate::tray::{self, TrayHandle, TrayReport};
use crate::words;

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
    /// The set-up opens by itself when nothing was ever set up here.
    pub set_up: bool,
}

/// What reaches the loop.
#[expect(clippy::large_enum_variant, reason = "nearly all of what comes is an event, moved once through a channel")]
enum Input {
    Event(Event),
    /// It is time to look whether our place on the disk is still there.
    Ground,
    Asked(Asked),
    Tray(TrayReport),
    Notify(NotifyReport),
    Secrets(SecretsReport),
    /// The earlier desktop app's secrets were looked at.
    SeededSecrets,
    Rotated(Option<Ticket>, secrets::Rotation),
    SignedIn(RunId, Client),
    Rang(Ring),
    ConfigLooked(Option<ConfigWatch>, config_watch::Look),
    Shutdown,
}

type Inputs = UnboundedSender<Input>;

/// Runs the agent until it is told to end. To be called on the main thread.
pub fn run(start: Start) -> ExitCode {
    memory::be_frugal();
    let to_shell = profiles::ToShell::default();
    let from_tray = to_shell.clone();
    if !start.desktop {
        return agent(start, None, &to_shell);
    }
    let panel = start.settings.panel;
    tray::run(panel, move |handle| agent(start, Some(handle), &to_shell), move |report| from_tray.send(report))
}

/// One shell for each profile, one after the other: nothing of one is left for the next.
fn agent(mut start: Start, tray: Option<TrayHandle>, to_shell: &profiles::ToShell) -> ExitCode {
    loop {
        match one_profile(start, tray.clone(), to_shell) {
            Ended::Over(code) => return code,
            Ended::Again(next) => start = *next,
        }
    }
}

/// How a shell ended.
enum Ended {
    /// With the agent.
    Over(ExitCode),
    /// Another profile is next.
    Again(Box<Start>),
}

fn one_profile(start: Start, tray: Option<TrayHandle>, to_shell: &profiles::ToShell) -> Ended {
    let (inputs, receiver) = unbounded_channel();
    to_shell.lead_to(inputs.clone());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime could not be made");
            return Ended::Over(ExitCode::FAILURE);
        }
    };
    let ended = runtime.block_on(async {
        let shell = match Shell::new(start, tray, inputs) {
            Ok(shell) => shell,
            Err(why) => {
                tracing::error!("{why}");
                eprintln!("palyra-tray: {why}");
                return Ended::Over(ExitCode::FAILURE);
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
    /// What those who watch were told last, without what changes by itself.
    told: serde_json::Value,
    tokens: Option<Tokens>,
    client: Option<Client>,
    /// Signs in to this run: it remembers a token that was refused, so that it is sent once and not with every probe.
    signing: Option<(RunId, Client)>,
    /// Begin anew, on the profile that the state names.
    becoming: bool,
    /// As [`Start::start`].
    starts: bool,
    /// As [`Start::desktop`].
    on_desktop: bool,
    prober: Arc<Prober>,
    doorbell: Option<Doorbell>,
    config_watch: Option<ConfigWatch>,
    preferences: preferences::Preferences,
    /// The process that asked for something for the set-up last.
    set_up_peer: Option<u32>,
    secrets: Option<secrets::Secrets>,
    /// Ends the `palyra` command line of an enrolment under way.
    pairing: Arc<AtomicBool>,
    tickets: HashMap<Ticket, oneshot::Sender<Reply>>,
    next_ticket: Ticket,
    server: control::Server,
    lock: AgentLock,
}

impl Shell {
    fn new(start: Start, tray: Option<TrayHandle>, inputs: Inputs) -> Result<Self, String> {
        let Start { env, mut paths, mut settings, warnings: mut settings_warnings, lock, desktop, start, demo, set_up } =
            start;
        let mut warnings = Vec::new();
        let clock = Clock { origin: Instant::now() };
        let now = clock.now();
        let kept = store::state::read(&paths.state(), now.unix_ms);
        warnings.extend(kept.told);
        let switching = kept.state.switch.as_ref().is_some_and(|switch| !switch.told);
        let mut earlier = if kept.state.imported.is_none() && kept.read_only.is_none() {
            earlier::look(&mut paths, &mut settings, &mut warnings)
        } else {
            None
        };
        let plain = earlier.as_mut().map(|earlier| std::mem::take(&mut earlier.tokens)).unwrap_or_default();
        let from_clients = inputs.clone();
        let server = control::serve(&paths, move |asked| {
            let _ = from_clients.send(Input::Asked(asked));
        })
        .map_err(words::agent::control_socket_cannot_be_made)?;
        if let Err(error) = control::publish(&paths, env!("CARGO_PKG_VERSION")) {
            // commands find the socket in its usual place; sidecars that live must not stay without an agent
            warnings.push(words::agent::address_of_control_socket_could(&error));
        }
        let (node_kept, told) = store::read_json::<Kept>(&node::kept_file(&paths), now.unix_ms);
        warnings.extend(told);
        let (asks, told) = ask::kept(&paths, now.unix_ms);
        warnings.extend(told);
        let node_setup = NodeSetup {
            allowed: settings.enrolment,
            installed: node::is_installed(&paths),
            kept: node_kept.unwrap_or_default(),
        };
        let setup = Setup {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            start,
            browser: settings.browser,
            node_host: node::is_installed(&paths),
            node: node_setup,
            // whatever is in it: a pause is never lost by a torn file
            paused: paths.paused().exists(),
            dialogs: dialog::windows(&env).is_ok(),
            config_restarts: settings.config_restarts,
            config_manual: env.config_is_manual(),
            demo,
            first_run: set_up
                && !switching
                && !paths.profile.remote
                && !demo
                && desktop
                && env.has_display()
                && set_up::nothing_yet(&paths),
            reached: set_up::reached(&paths),
            asks,
            profile: paths.profile.clone(),
            profile_trouble: paths.profile_trouble.clone(),
            state: kept.state,
            state_read_only: kept.read_only,
            earlier,
            seed: seed(),
            telemetry: settings.telemetry,
            silent: settings.silent.clone(),
            settings_warnings: std::mem::take(&mut settings_warnings),
            warnings,
        };
        let mut shell = Self {
            core: Agent::new(setup, now),
            sidecars: Sidecars { env, paths, folder: settings.folder.clone(), demo },
            preferences: preferences::Preferences::new(settings),
            prober: Arc::new(Prober::new().map_err(|error| error.to_string())?),
            tray,
            notifier: None,
            desktop: Desktop { tray: words::agent::SWITCHED_OFF_NO_TRAY.to_owned(), ..Desktop::default() },
            starts: start,
            on_desktop: desktop,
            shown: View::default(),
            told: serde_json::Value::Null,
            tokens: None,
            client: None,
            signing: None,
            becoming: false,
            doorbell: None,
            config_watch: None,
            set_up_peer: None,
            secrets: None,
            pairing: palyra_cli::stopper(),
            tickets: HashMap::new(),
            next_ticket: 0,
            clock,
            server,
            lock,
            inputs,
        };
        if let Some(handle) = &shell.tray {
            // before anything that could wait: the icon is the first sign of life
            handle.show(compose::view(&shell.core, now));
        }
        shell.start_parts(desktop, plain);
        Ok(shell)
    }

    fn start_parts(&mut self, desktop: bool, plain: Vec<(&'static str, Secret)>) {
        for service in ServiceId::ALL {
            self.look_for_survivors(service);
        }
        self.node_work(NodeWork::Look);
        if !self.sidecars.demo {
            self.look_at_settings();
        }
        if !self.sidecars.paths.profile.remote {
            self.begin_secrets(plain);
        }
        if desktop {
            let inputs = self.inputs.clone();
            self.notifier = Some(Notifier::start(AppIdentity::default(), move |report| {
                let _ = inputs.send(Input::Notify(report));
            }));
            words::agent::NOT_LOOKED_FOR_YET.clone_into(&mut self.desktop.tray);
            #[cfg(target_os = "linux")]
            {
                let inputs = self.inputs.clone();
                let session = self.sidecars.env.get("XDG_SESSION_ID").and_then(|id| id.to_str()).map(str::to_owned);
                tokio::spawn(screen::watch(session, move |locked| {
                    let _ = inputs.send(Input::Event(Event::Locked(locked)));
                }));
            }
        } else {
            let _ = self.inputs.send(Input::Event(Event::Desktop(self.desktop.clone())));
        }
        if !self.sidecars.demo {
            self.look_at_autostart();
        }
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            shutdown_asked().await;
            let _ = inputs.send(Input::Shutdown);
        });
    }

    /// Searches for our secrets, or makes them.
    fn start_secrets(&mut self) {
        let inputs = self.inputs.clone();
        self.secrets = Some(secrets::Secrets::start(self.secrets_config(), move |report| {
            let _ = inputs.send(Input::Secrets(report));
        }));
    }

    async fn serve(mut self, mut receiver: UnboundedReceiver<Input>) -> Ended {
        let alarm = match Alarm::new() {
            Ok(alarm) => alarm,
            Err(error) => {
                tracing::error!(%error, "no timer");
                return Ended::Over(self.end(ExitCode::FAILURE, receiver).await);
            }
        };
        loop {
            let input = match self.core.deadline() {
                Some(deadline) => tokio::select! {
                    biased;
                    input = receiver.recv() => input,
                    rung = alarm.until(self.clock.at(deadline)) => {
                        if let Err(error) = rung {
                            tracing::error!(%error, "the timer failed");
                            return Ended::Over(self.end(ExitCode::FAILURE, receiver).await);
                        }
                        Some(Input::Event(Event::Wake))
                    }
                },
                None => receiver.recv().await,
            };
            let Some(input) = input else { return Ended::Over(ExitCode::FAILURE) };
            if let Some(event) = self.translate(input)
                && let Some(code) = self.step(event)
            {
                return Ended::Over(self.end(code, receiver).await);
            }
            if self.becoming {
                return self.begin_anew(receiver).await;
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
        self.tell_watchers(now);
        exit
    }

    async fn end(mut self, code: ExitCode, receiver: UnboundedReceiver<Input>) -> ExitCode {
        self.wind_up(receiver, words::common::PALYRA_TRAY_IS_ENDING, words::common::START_PALYRA_TRAY).await;
        control::unpublish(&self.sidecars.paths);
        if let Some(tray) = &self.tray {
            tray.close();
        }
        code
    }

    /// Nobody is left waiting, and nothing is shown any more but the icon.
    async fn wind_up(&mut self, mut receiver: UnboundedReceiver<Input>, why: &str, hint: &str) {
        self.server.close();
        if let Some(notifier) = self.notifier.take() {
            notifier.show(BTreeMap::new());
            let _ = tokio::task::spawn_blocking(move || notifier.finish(Duration::from_millis(500))).await;
        }
        let ending = || Failure::new(FailureCode::NoAgent, why, hint);
        for (_, ticket) in self.tickets.drain() {
            let _ = ticket.send(Reply::Error(ending()));
        }
        receiver.close();
        while let Ok(input) = receiver.try_recv() {
            if let Input::Asked(asked) = input {
                let _ = asked.reply.send(Reply::Error(ending()));
            }
        }
        self.server.drain(Duration::from_millis(500)).await;
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
