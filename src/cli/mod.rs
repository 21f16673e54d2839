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
use crate::words::{self, help};

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
    about = help::PALYRA_TRAY,
    after_help = help::WITHOUT_COMMAND
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    #[command(about = help::RUN)]
    Run(run::RunArgs),
    #[command(about = help::DEMO)]
    Demo(run::DemoArgs),
    #[command(about = help::STATUS)]
    Status(status::StatusArgs),
    #[command(about = help::START)]
    Start(ServiceArgs),
    #[command(about = help::STOP)]
    Stop(ServiceArgs),
    #[command(about = help::RESTART)]
    Restart(ServiceArgs),
    #[command(subcommand, about = help::APPROVALS)]
    Approvals(approvals::Approvals),
    #[command(about = help::RECENT)]
    Recent(recent::RecentArgs),
    #[command(about = help::PAUSE)]
    Pause,
    #[command(about = help::RESUME)]
    Resume,
    #[command(about = help::OPEN)]
    Open(OpenArgs),
    #[command(about = help::SEND)]
    Send(ask::SendArgs),
    #[command(about = help::ASK)]
    Ask(ask::AskArgs),
    #[command(subcommand, about = help::DRAFTS)]
    Drafts(ask::Drafts),
    #[command(subcommand, about = help::NODE)]
    Node(node::Node),
    #[command(subcommand, about = help::PROFILE)]
    Profile(profile::Profile),
    #[command(subcommand, about = help::SECRETS)]
    Secrets(secrets::Secrets),
    #[command(about = help::ONBOARD)]
    Onboard,
    #[command(about = help::SETUP)]
    Setup,
    #[command(about = help::WINDOW)]
    Window,
    #[command(subcommand, about = help::AUTOSTART)]
    Autostart(autostart::Autostart),
    #[command(subcommand, about = help::CONFIG)]
    Config(config::Config),
    #[command(about = help::LOGS)]
    Logs(logs::LogsArgs),
    #[command(about = help::DOCTOR)]
    Doctor(doctor::DoctorArgs),
    #[command(about = help::SUPPORT_BUNDLE)]
    SupportBundle(support_bundle::BundleArgs),
    #[command(about = help::ABOUT)]
    About(about::AboutArgs),
    #[command(about = help::QUIT)]
    Quit {
        #[arg(long, help = help::QUIT_KEEP_RUNNING)]
        keep_running: bool,
    },
    #[command(about = help::COMPLETIONS)]
    Completions(completions::CompletionsArgs),
    #[command(hide = true, about = help::SIMULATE)]
    Simulate {
        #[arg(help = help::SIMULATE_FILE)]
        file: std::path::PathBuf,
    },
}

#[derive(Args)]
struct ServiceArgs {
    #[arg(value_parser = service, help = help::ONE_SERVICE)]
    service: Option<ServiceId>,
}

#[derive(Args)]
struct OpenArgs {
    #[arg(default_value = "overview", help = help::OPEN_PLACE)]
    place: String,
    #[arg(long, help = help::OPEN_SESSION)]
    session: Option<String>,
    #[arg(long, help = help::OPEN_RUN)]
    run: Option<String>,
    #[arg(long, help = help::OPEN_DEVICE)]
    device: Option<String>,
    #[arg(long, help = help::OPEN_INTENT)]
    intent: Option<String>,
    #[arg(long, help = help::OPEN_START)]
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
