//! `support-bundle`: one file with all that helps whoever helps. Needs no running agent; what only an agent knows is then not in
//! it, and that is said.
//!
//! Exit code 0 when there is a file, also where something is not in it.

mod archive;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use crate::config::palyra::{self, PalyraConfig};
use crate::config::settings::Settings;
use crate::config::{self, Environment, Paths, programs};
use crate::core::support::{self, Cleaner, Found, LOG_LINES};
use crate::core::{doctor, text};
use crate::protocol::shim::EXIT_FILE;
use crate::protocol::{Failure, FailureCode, Reply, Request, ServiceId};
use crate::shell::{palyra_cli, store};
use crate::words::{self, help};

/// The agent asks the gateway first, for five seconds at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// Added to the time that Palyra's own export may take: the way to the agent and back.
const WAY: Duration = Duration::from_secs(15);
/// Between two words of how long it has taken.
const SECOND: Duration = Duration::from_secs(1);

/// Arguments of `support-bundle`.
#[derive(Args)]
pub struct BundleArgs {
    #[arg(short, long, value_name = "FILE", help = help::SUPPORT_BUNDLE_OUTPUT)]
    output: Option<PathBuf>,
    #[arg(long, help = help::SUPPORT_BUNDLE_NO_PALYRA)]
    no_palyra: bool,
    #[arg(long, hide = true, help = help::SUPPORT_BUNDLE_TELL)]
    tell: bool,
}

/// Makes one.
pub fn support_bundle(env: &Environment, args: &BundleArgs) -> Result<ExitCode, Failure> {
    let mut paths = super::paths(env)?;
    // the data may lie elsewhere
    let settings = Settings::read(&paths.settings()).0;
    paths.follow(&settings);
    let at_unix_ms = super::unix_ms();
    let file = place(&paths, args.output.as_deref(), at_unix_ms)?;
    let mut progress = Progress { shown: io::stderr().is_terminal(), rewritten: false };
    let cleaner = Cleaner::new(known_secrets(&paths));
    progress.say(words::support::ASKING_AGENT);
    let snapshot = snapshot(&paths);
    progress.say(words::support::CHECKING_THIS_MACHINE);
    let facts = super::doctor::look(env);
    let checks = doctor::checks(&facts);
    progress.say(words::support::READING_LOGS);
    let logs = logs(&paths);
    let palyra = (!args.no_palyra).then(|| {
        let alone = matches!(&snapshot, Err((FailureCode::NoAgent, _)));
        let (env, paths, folder) = (env.clone(), paths.clone(), settings.folder.clone());
        progress.wait(words::support::EXPORTING, move || {
            if alone { export_alone(&env, &paths, folder.as_deref()) } else { export(&paths) }
        })
    });
    let found = Found {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        at_unix_ms,
        snapshot: snapshot.map_err(|(_, why)| why),
        doctor: (doctor::report(&facts, &checks), doctor::terminal(&checks, false)),
        config_keys: PalyraConfig::look(&paths.config)
            .map(|(_, _, facts)| facts.keys.into_keys().collect())
            .map_err(|error| error.0),
        ends: ends(&paths),
        programs: [
            ("palyrad", ServiceId::Gateway),
            ("palyra-browserd", ServiceId::Browserd),
            ("palyra", ServiceId::NodeHost),
        ]
        .map(|(name, service)| {
            let place = programs::find_binary(env, service, settings.folder.as_deref());
            (name, place.map(|path| path.display().to_string()).map_err(|error| error.0))
        })
        .into(),
        logs,
        palyra,
    };
    progress.say(words::support::WRITING_IT);
    let bundle = support::bundle(found, &cleaner);
    write(&file, &bundle, at_unix_ms)?;
    progress.end();
    if args.tell {
        let (path, lacks) = (file.display().to_string(), bundle.lacks);
        return super::say(&super::ask(&paths, Request::BundleMade { path, lacks }, PATIENCE)?);
    }
    super::print(&format!("{}{}\n", file.display(), support::told(&bundle.lacks)));
    Ok(ExitCode::SUCCESS)
}

fn place(paths: &Paths, wanted: Option<&Path>, at_unix_ms: i64) -> Result<PathBuf, Failure> {
    let Some(wanted) = wanted else {
        let folder = paths.support();
        store::private_dir(&folder).map_err(|error| not_written(&error))?;
        store::sweep(&folder);
        return Ok(folder.join(format!("palyra-support-{at_unix_ms}.tar.gz")));
    };
    let file = std::path::absolute(wanted).map_err(|error| not_written(&error))?;
    if file.symlink_metadata().is_ok() {
        let why = words::support::is_there_already(file.display());
        return Err(Failure::new(FailureCode::Refused, why, words::support::NAME_ANOTHER_FILE));
    }
    Ok(file)
}

fn write(file: &Path, bundle: &support::Bundle, at_unix_ms: i64) -> Result<(), Failure> {
    let folder = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = folder.split('.').next().filter(|name| !name.is_empty()).unwrap_or("palyra-support");
    let seconds = u64::try_from(at_unix_ms / 1_000).unwrap_or_default();
    let bytes = archive::tar_gz(folder, &bundle.parts, seconds).map_err(|error| not_written(&error))?;
    // in one step and with mode 0600; of one that does not fit nothing stays
    store::write_atomic(file, &bytes).map_err(|error| not_written(&error))
}

fn not_written(error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge | io::ErrorKind::QuotaExceeded => {
            words::support::DISK_IS_FULL
        }
        _ => words::support::NOTHING_WAS_LEFT_THERE,
    };
    Failure::new(FailureCode::Failed, words::support::support_bundle_was_not_written(error), hint)
}

fn snapshot(paths: &Paths) -> Result<Value, (FailureCode, String)> {
    match super::ask(paths, Request::Diagnostics, PATIENCE) {
        Ok(Reply::Data(snapshot)) => Ok(snapshot),
        Ok(_) => Err((FailureCode::Failed, words::common::AGENTS_ANSWER_WAS_NOT_UNDERSTOOD.to_owned())),
        Err(failure) => Err((failure.code, failure.message)),
    }
}

/// The agent has the token that the gateway takes.
fn export(paths: &Paths) -> Result<Value, String> {
    match super::ask(paths, Request::ExportPalyra, palyra_cli::EXPORT_LIMIT + WAY) {
        Ok(Reply::Data(mut told)) => Ok(told["export"].take()),
        Ok(_) => Err(words::common::AGENTS_ANSWER_WAS_NOT_UNDERSTOOD.to_owned()),
        Err(failure) => Err(failure.message),
    }
}

/// Without an agent there is no token but the config's, and Palyra exports what it finds on the disk.
fn export_alone(env: &Environment, paths: &Paths, folder: Option<&Path>) -> Result<Value, String> {
    let program = programs::find_binary(env, ServiceId::NodeHost, folder).map_err(|error| error.0)?;
    let token = PalyraConfig::read(&paths.config).ok().and_then(|(_, secrets)| secrets.admin_token);
    let env = palyra_cli::export_environment(env, paths, token.as_ref());
    palyra_cli::export(&program, env, &paths.support(), palyra_cli::EXPORT_LIMIT)
}

fn ends(paths: &Paths) -> Vec<(&'static str, Value)> {
    let end = |service: ServiceId| {
        let text = std::fs::read_to_string(paths.run_dir(service).join(EXIT_FILE)).ok()?;
        Some((service.name(), serde_json::from_str(&text).ok()?))
    };
    ServiceId::ALL.into_iter().filter_map(end).collect()
}

fn logs(paths: &Paths) -> Vec<(&'static str, Result<String, String>)> {
    let of_services = ServiceId::ALL.into_iter().map(|service| (service.name(), paths.log(service)));
    let all = of_services.chain([("tray", paths.agent_log())]);
    let read = all.map(|(name, path)| {
        let lines = super::logs::tail(&path, LOG_LINES).map_err(|error| format!("{}: {error}", path.display()));
        (name, lines.map(|lines| lines.iter().map(|line| format!("{line}\n")).collect::<String>()))
    });
    // what never ran has logged nothing, and nobody misses it
    read.filter(|(_, log)| log.as_ref().is_ok_and(|log| !log.is_empty()) || log.is_err()).collect()
}

/// What must not be in it wherever it stands: the config's, our environment's, and our own where a file keeps them. What only
/// the keyring has is known by its looks.
fn known_secrets(paths: &Paths) -> Vec<String> {
    let mut known = palyra::secret_texts(&paths.config);
    known.extend(config::secret_variables());
    let stored = std::fs::read_to_string(paths.secrets_file()).ok();
    if let Some(stored) = stored.and_then(|text| serde_json::from_str::<Value>(&text).ok()) {
        texts(&stored, &mut known);
    }
    known
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(map) => map.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// What is going on, for a person who watches.
struct Progress {
    shown: bool,
    /// The line is not ended yet.
    rewritten: bool,
}

impl Progress {
    fn say(&mut self, words: &str) {
        if self.shown {
            // the rest of a longer line before
            let _ = write!(io::stderr(), "\r{words:<44}");
            let _ = io::stderr().flush();
            self.rewritten = true;
        }
    }

    /// Does something in a thread of its own and says how long it takes.
    fn wait(
        &mut self,
        words: &str,
        work: impl FnOnce() -> Result<Value, String> + Send + 'static,
    ) -> Result<Value, String> {
        self.say(words);
        let begun = Instant::now();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new().name("export".to_owned()).spawn(move || {
            let _ = tell.send(work());
        });
        thread.map_err(words::support::no_thread)?;
        loop {
            match told.recv_timeout(SECOND) {
                Ok(done) => return done,
                Err(RecvTimeoutError::Timeout) => {
                    self.say(&format!("{words} {}", text::duration(begun.elapsed().as_secs())));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(words::common::IT_ENDED_WITHOUT_WORD.to_owned()),
            }
        }
    }

    fn end(&mut self) {
        if self.rewritten {
            let _ = write!(io::stderr(), "\r{:44}\r", "");
            self.rewritten = false;
        }
    }
}

impl Drop for Progress {
    /// An error begins at the beginning of a line.
    fn drop(&mut self) {
        self.end();
    }
}
