//! `run` and `demo`: the agent itself. A second start shows the first, or takes over from an older one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use crate::config::settings::Settings;
use crate::config::{Environment, Paths};
use crate::protocol::{Failure, FailureCode, Reply, Request};
use crate::shell::lock::{self, AgentLock, LockError};
use crate::shell::{logging, run, store};
use crate::words::{self, help};

/// An agent that holds the lock and does not answer is starting or ending; it has this long for that.
const SETTLE: Duration = Duration::from_secs(10);
/// Between two tries for the lock.
const TRY_AGAIN: Duration = Duration::from_millis(30);
/// An old agent has this long to let go.
const HAND_OVER: Duration = Duration::from_secs(10);

/// Arguments of `run`.
#[derive(Args, Default)]
pub struct RunArgs {
    #[arg(long, help = help::RUN_NO_TRAY)]
    no_tray: bool,
    #[arg(long, help = help::RUN_NO_START)]
    no_start: bool,
    #[arg(long, help = help::RUN_NO_SET_UP)]
    no_set_up: bool,
    #[arg(long, help = help::VERBOSE)]
    verbose: bool,
    #[arg(long, hide = true, value_parser = assignment, help = help::RUN_ENV)]
    env: Vec<(String, String)>,
}

/// Arguments of `demo`.
#[derive(Args)]
pub struct DemoArgs {
    #[arg(long, help = help::DEMO_NO_TRAY)]
    no_tray: bool,
    #[arg(long, help = help::DEMO_STATE)]
    state: Option<PathBuf>,
    #[arg(long, help = help::VERBOSE)]
    verbose: bool,
}

/// Starts the agent, or shows the one that runs.
pub fn run(mut env: Environment, args: &RunArgs) -> Result<ExitCode, Failure> {
    run::start_without_caches();
    for (name, value) in &args.env {
        env.set(name, value.into());
    }
    let mut paths = super::paths(&env)?;
    let Some(lock) = lock(&paths)? else {
        if !args.no_tray && !tray_shows(&paths) {
            super::window::open(&env);
        }
        return Ok(ExitCode::SUCCESS);
    };
    // the one that just ended may have changed the profile
    paths = super::paths(&env)?;
    paths.folders_of_ours().iter().for_each(|folder| store::sweep(folder));
    let (settings, warnings) = Settings::read(&paths.settings());
    paths.follow(&settings);
    log_to(&paths, args.verbose)?;
    if warnings.is_empty() && paths.settings().exists() {
        store::keep_copy(&paths.settings());
    }
    Ok(run::run(run::Start {
        env,
        settings,
        warnings,
        lock,
        desktop: !args.no_tray,
        start: !args.no_start,
        demo: false,
        set_up: !args.no_set_up,
        paths,
    }))
}

/// Runs everything with built-in stand-ins, apart from whatever else is on the machine.
pub fn demo(mut env: Environment, args: &DemoArgs) -> Result<ExitCode, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            FailureCode::Failed,
            words::commands::no_place_for_demo(&error),
            words::commands::NAME_ONE_DEMO_STATE_FOLDER,
        )
    };
    let temporary = if args.state.is_none() {
        Some(tempfile::Builder::new().prefix("palyra-demo-").tempdir().map_err(failed)?)
    } else {
        None
    };
    let root = match (&args.state, &temporary) {
        (Some(folder), _) => std::path::absolute(folder).map_err(failed)?,
        (None, Some(folder)) => folder.path().to_owned(),
        (None, None) => PathBuf::new(),
    };
    env.isolate(&root);
    let paths = super::paths(&env)?;
    let lock = AgentLock::take(&paths).map_err(|error| Failure::new(FailureCode::Failed, error.to_string(), ""))?;
    log_to(&paths, args.verbose)?;
    introduce(&root, &env.executable);
    let code = run::run(run::Start {
        env,
        settings: Settings::default(),
        warnings: Vec::new(),
        lock,
        desktop: !args.no_tray,
        start: true,
        demo: true,
        set_up: false,
        paths,
    });
    if let Some(temporary) = temporary {
        let _ = temporary.close();
    }
    Ok(code)
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let ours = text.split_once('=').filter(|(name, _)| name.starts_with("PALYRA_"));
    ours.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "it is PALYRA_SOMETHING=VALUE".to_owned())
}

fn introduce(root: &Path, executable: &Path) {
    super::print(&words::commands::palyra_tray_demo(root.display(), executable.display()));
}

fn log_to(paths: &Paths, verbose: bool) -> Result<(), Failure> {
    logging::start(&paths.agent_log(), verbose).map_err(|error| {
        Failure::new(
            FailureCode::Failed,
            words::commands::log_cannot_be_written(paths.agent_log().display(), &error),
            words::commands::MEND_PERMISSIONS_THERE,
        )
    })
}

/// The lock, or nothing when another agent runs and was shown.
fn lock(paths: &Paths) -> Result<Option<AgentLock>, Failure> {
    let mut until = Instant::now() + SETTLE;
    let mut leaving = None;
    loop {
        match AgentLock::take(paths) {
            Ok(lock) => return Ok(Some(lock)),
            Err(LockError::Held) => {}
            Err(error) => return Err(Failure::new(FailureCode::Failed, error.to_string(), "")),
        }
        // several starts may ask at once: one gets the place of the old one, and the others show that one
        let same = leaving.is_some() && lock::holder(paths).unwrap_or(leaving) == leaving;
        if !same {
            match beside(paths) {
                Ok(Beside::Shown) => return Ok(None),
                Ok(Beside::Leaving(pid)) => {
                    leaving = pid;
                    until = Instant::now() + HAND_OVER;
                }
                Err(Failure { code: FailureCode::NoAgent, .. }) => {}
                Err(failure) => return Err(failure),
            }
        }
        if Instant::now() >= until {
            return Err(Failure::new(
                FailureCode::Failed,
                words::commands::ANOTHER_AGENT_HOLDS_THIS_STATE_ROOT,
                words::commands::END_THAT_PROCESS,
            ));
        }
        std::thread::sleep(TRY_AGAIN);
    }
}

/// What became of an agent that runs already.
enum Beside {
    /// It is of this version, or a newer one: it has shown itself.
    Shown,
    /// It is an older one and hands over. Its process.
    Leaving(Option<u32>),
}

fn beside(paths: &Paths) -> Result<Beside, Failure> {
    let snapshot = match super::ask(paths, Request::Status, super::SHORT)? {
        Reply::Data(snapshot) => snapshot,
        _ => Value::Null,
    };
    let running = snapshot.pointer("/agent/version").and_then(Value::as_str);
    let older = running.and_then(version).zip(version(env!("CARGO_PKG_VERSION"))).is_some_and(|(old, new)| old < new);
    if !older {
        super::say(&super::ask(paths, Request::Activate, super::SHORT)?)?;
        return Ok(Beside::Shown);
    }
    super::ask(paths, Request::HandOver, super::SHORT)?;
    let pid = snapshot.pointer("/agent/pid").and_then(Value::as_u64);
    Ok(Beside::Leaving(pid.and_then(|pid| u32::try_from(pid).ok())))
}

/// The running agent's icon is to be seen; also when it does not tell.
fn tray_shows(paths: &Paths) -> bool {
    match super::ask(paths, Request::Status, super::SHORT) {
        Ok(Reply::Data(snapshot)) => snapshot.pointer("/tray/present").and_then(Value::as_bool).unwrap_or(true),
        _ => true,
    }
}

fn version(text: &str) -> Option<(u64, u64, u64)> {
    let mut parts = text.split(['-', '+']).next()?.split('.').map(str::parse);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Some((major, minor, patch)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(version("0.9.12") < version("0.10.1"));
        assert_eq!(version("1.2.3-rc1"), Some((1, 2, 3)));
        assert_eq!(version("1.x"), None);
    }
}
