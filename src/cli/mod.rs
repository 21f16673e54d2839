//! The command line: arguments → request → text or JSON. A file a command.
//!
//! Exit codes: 0 done, 1 failed, 2 usage, 3 no agent running, 4 refused, 5 gateway unreachable. Errors go to standard
//! error in one line with a hint.

mod about;
mod approvals;
mod ask;
mod autostart;
mod completions;
mod config;
mod doctor;
mod logs;
#[cfg(test)]
#[path = "manual_tests.rs"]
mod manual;
mod node;
mod profile;
mod quit;
mod recent;
mod run;
mod secrets;
mod set_up;
mod status;
mod support_bundle;
mod window;

use std::io::Write;
use std::process::{Command as Process, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::{Environment, Paths};
use crate::core::place;
use crate::protocol::{Action, Failure, FailureCode, Place, Reply, Request, ServiceId};
use crate::shell::control;
use crate::shell::dialog::Progress;
use crate::words;

/// A client waits this long for what may take long: a start, a stop.
const LONG: Duration = Duration::from_secs(100);
/// A client waits this long for anything else.
const SHORT: Duration = Duration::from_secs(30);
/// Between two looks whether a progress dialog was put away.
const CANCEL_PAUSE: Duration = Duration::from_millis(100);

#[derive(Parser)]
#[command(
    name = "palyra-tray",
    version,
    about = "Keeps Palyra running, shows how it is, and brings its approvals to you",
    after_help = "Without a command: run."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Start Palyra Tray (a second start shows the first)
    Run(run::RunArgs),
    /// Show everything with built-in stand-ins, on a machine without Palyra
    Demo(run::DemoArgs),
    /// How it is
    Status(status::StatusArgs),
    /// Start Palyra, or one service
    Start(ServiceArgs),
    /// Stop Palyra, or one service
    Stop(ServiceArgs),
    /// Restart Palyra, or one service
    Restart(ServiceArgs),
    /// What waits for your decision
    #[command(subcommand)]
    Approvals(approvals::Approvals),
    /// What happened lately, newest first
    Recent(recent::RecentArgs),
    /// Pause all agents: abort what runs, and deny what they ask for until resume
    Pause,
    /// Let agents work again
    Resume,
    /// Open the dashboard in your browser, signed in
    Open(OpenArgs),
    /// Send a message to Palyra and print its answer
    Send(ask::SendArgs),
    /// The same in a dialog; the answer comes as a notification
    Ask(ask::AskArgs),
    /// What was written and not sent
    #[command(subcommand)]
    Drafts(ask::Drafts),
    /// This machine as a node: how it stands, enrol, repair, reset
    #[command(subcommand)]
    Node(node::Node),
    /// The profiles: all of them, the active one, change to another
    #[command(subcommand)]
    Profile(profile::Profile),
    /// The tokens and keys that are kept for Palyra: where they are, and new ones
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    /// Set Palyra up in a few dialogs, or go on where you left it
    Onboard,
    /// The same on this terminal
    Setup,
    /// The tray's menu in a window, where there is no tray
    Window,
    /// Start by itself at every login, or not
    #[command(subcommand)]
    Autostart(autostart::Autostart),
    /// The preferences, and what is done about Palyra's config
    #[command(subcommand)]
    Config(config::Config),
    /// The newest log lines of a service, or of Palyra Tray itself
    Logs(logs::LogsArgs),
    /// Check everything that Palyra needs, and say what to do
    Doctor(doctor::DoctorArgs),
    /// Put all that helps to find out what is wrong into one file, without secrets
    SupportBundle(support_bundle::BundleArgs),
    /// Version, licence, and where everything lies
    About(about::AboutArgs),
    /// End Palyra Tray, and Palyra with it
    Quit {
        /// Leave Palyra running; the next Palyra Tray takes it over
        #[arg(long)]
        keep_running: bool,
    },
    /// Print the completions for a shell
    Completions(completions::CompletionsArgs),
    /// Run a script of events on a virtual clock and print what a person would see
    #[command(hide = true)]
    Simulate {
        /// The script
        file: std::path::PathBuf,
    },
}

#[derive(Args)]
struct ServiceArgs {
    /// gateway, browserd or node_host; all when left out
    #[arg(value_parser = service)]
    service: Option<ServiceId>,
}

#[derive(Args)]
struct OpenArgs {
    /// overview, approvals, chat, access, channels, browser, auth, config, secrets, operations …
    #[arg(default_value = "overview")]
    place: String,
    /// Session to show
    #[arg(long)]
    session: Option<String>,
    /// Run to show
    #[arg(long)]
    run: Option<String>,
    /// Device to show
    #[arg(long)]
    device: Option<String>,
    /// What you came for, for example inspect-run
    #[arg(long)]
    intent: Option<String>,
    /// Start Palyra first if it is stopped
    #[arg(long)]
    start: bool,
}

/// Parses the arguments and does what they say.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { FailureCode::Usage.exit_code() } else { 0 });
        }
    };
    match dispatch(cli.command.unwrap_or_else(|| Command::Run(run::RunArgs::default()))) {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "palyra-tray: {}{}", failure.message, hint(&failure));
            ExitCode::from(failure.code.exit_code())
        }
    }
}

/// Wall clock, milliseconds since the epoch.
fn unix_ms() -> i64 {
    let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(unix.as_millis()).unwrap_or(i64::MAX)
}

/// The whole command line, as clap knows it.
fn command() -> clap::Command {
    Cli::command()
}

fn dispatch(command: Command) -> Result<ExitCode, Failure> {
    let env = Environment::read().map_err(|error| Failure::new(FailureCode::Failed, error.to_string(), ""))?;
    let act = |action| -> Result<ExitCode, Failure> { say(&ask(&paths(&env)?, Request::Act { action }, LONG)?) };
    match command {
        Command::Run(args) => run::run(env, &args),
        Command::Demo(args) => run::demo(env, &args),
        Command::Status(args) => status::status(&env, &paths(&env)?, &args),
        Command::Start(args) => act(Action::Start { service: args.service }),
        Command::Stop(args) => act(Action::Stop { service: args.service }),
        Command::Restart(args) => act(Action::Restart { service: args.service }),
        Command::Approvals(command) => approvals::approvals(&env, &paths(&env)?, command),
        Command::Recent(args) => recent::recent(&paths(&env)?, args),
        Command::Pause => act(Action::PauseAgents),
        Command::Resume => act(Action::ResumeAgents),
        Command::Open(args) => act(open(args)?),
        Command::Send(args) => ask::send(&paths(&env)?, args),
        Command::Ask(args) => ask::ask(&env, &args),
        Command::Drafts(command) => ask::drafts(&env, &command),
        Command::Node(command) => node::node(&env, &command),
        Command::Profile(command) => profile::profile(&env, &command),
        Command::Secrets(command) => secrets::secrets(&paths(&env)?, &command),
        Command::Onboard => set_up::onboard(&env),
        Command::Setup => set_up::setup(&env),
        Command::Window => window::window(&env),
        Command::Autostart(command) => autostart::autostart(&env, &command),
        Command::Config(command) => config::config(&paths(&env)?, &command),
        Command::Logs(args) => logs::logs(&paths(&env)?, &args),
        Command::Doctor(args) => doctor::doctor(&env, &args),
        Command::SupportBundle(args) => support_bundle::support_bundle(&env, &args),
        Command::About(args) => about::about(&env, &args),
        Command::Quit { keep_running } => quit::quit(&paths(&env)?, keep_running),
        Command::Completions(args) => Ok(completions::completions(&args)),
        Command::Simulate { file } => simulate(&file),
    }
}

fn open(args: OpenArgs) -> Result<Action, Failure> {
    let known = place::SECTIONS.iter().any(|(name, _)| *name == args.place) || args.place.starts_with('/');
    let plain = args.place.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !known && !plain {
        let names: Vec<_> = place::SECTIONS.iter().map(|(name, _)| *name).collect();
        return Err(Failure::new(
            FailureCode::Usage,
            words::commands::no_such_place(&args.place),
            format!("Places: {}", names.join(", ")),
        ));
    }
    let place = Place {
        section: args.place,
        session_id: args.session,
        run_id: args.run,
        device_id: args.device,
        intent: args.intent,
    };
    Ok(if args.start { Action::StartAndOpen { place } } else { Action::Open { place } })
}

fn simulate(file: &std::path::Path) -> Result<ExitCode, Failure> {
    let failed = |why: String| Failure::new(FailureCode::Failed, format!("{}: {why}", file.display()), "");
    let script = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let setup =
        crate::core::event::Setup { start: true, browser: true, config_restarts: true, seed: 7, ..Default::default() };
    print(&crate::core::simulate::run(&script, setup).map_err(failed)?);
    Ok(ExitCode::SUCCESS)
}

fn service(name: &str) -> Result<ServiceId, String> {
    let wanted = name.replace('-', "_");
    ServiceId::ALL
        .into_iter()
        .find(|id| id.name() == wanted || (*id == ServiceId::Browserd && wanted == "browser"))
        .ok_or_else(|| words::commands::SERVICES_ARE_GATEWAY.to_owned())
}

fn paths(env: &Environment) -> Result<Paths, Failure> {
    Paths::find(env).map_err(|error| Failure::new(FailureCode::Failed, error.to_string(), ""))
}

/// Asks the agent; its refusal is ours.
fn ask(paths: &Paths, request: Request, patience: Duration) -> Result<Reply, Failure> {
    match control::ask(paths, request, patience)? {
        Reply::Error(failure) => Err(failure),
        reply => Ok(reply),
    }
}

fn say(reply: &Reply) -> Result<ExitCode, Failure> {
    match reply {
        Reply::Done(text) => print(&format!("{text}\n")),
        Reply::Data(value) => print_json(value),
        Reply::Error(failure) => return Err(failure.clone()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to standard output. A reader that has seen enough is no error.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn print_json(value: &serde_json::Value) {
    print(&format!("{value:#}\n"));
}

fn hint(failure: &Failure) -> String {
    if failure.hint.is_empty() { String::new() } else { format!(". {}", failure.hint) }
}

/// What became of work behind a progress dialog.
enum Waited<T> {
    Done(T),
    /// The person put the dialog away.
    Cancelled,
    /// The work ended without a word.
    Lost,
}

/// Waits for work that runs in a thread of its own, as long as its progress dialog is not put away.
fn wait_behind<T>(progress: &mut dyn Progress, told: &Receiver<T>) -> Waited<T> {
    loop {
        match told.recv_timeout(CANCEL_PAUSE) {
            Ok(done) => return Waited::Done(done),
            Err(RecvTimeoutError::Disconnected) => return Waited::Lost,
            Err(RecvTimeoutError::Timeout) if progress.cancelled() => return Waited::Cancelled,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// This program with other arguments, which outlives this terminal and says nothing there.
fn detached(env: &Environment, arguments: &[&str]) -> Process {
    let mut command = Process::new(&env.executable);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}
