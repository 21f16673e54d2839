//! The last good start of a service, on disk: what a run was started with (`launch.json` of the run directory), kept as
//! `good.json` once it was ready, and compared with how things are when one fails.
//!
//! Both files are private and replaced as a whole; they hold names and salted hashes, no value. What cannot be read is as if
//! it were not there: then nothing is said about changes.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::core::fingerprint::{self, Changes, Config, Fingerprint, Program, VERSION};
use crate::protocol::RunId;
use crate::protocol::shim::Spec;
use crate::shell::shim::record;
use crate::words;

const LAUNCH_FILE: &str = "launch.json";
const GOOD_FILE: &str = "good.json";

/// Writes down what a run is started with. To be called before its shim is started, from the process that starts it: the
/// sidecar inherits this environment.
///
/// # Errors
/// It cannot be written; the run can be started all the same.
pub fn launched(spec: &Spec, config: &Path) -> io::Result<()> {
    record::make_private_dir(&spec.run_dir)?;
    let salt = match read(&spec.run_dir, GOOD_FILE) {
        Some(good) => good.salt,
        None => random()?,
    };
    let inherited: Vec<_> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| !spec.env.contains_key(name))
        .collect();
    let inherited = inherited.iter().map(|(name, value)| (name.as_str(), OsStr::as_encoded_bytes(value)));
    let given = spec.env.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?.expose().as_bytes())));
    let launch = Fingerprint {
        version: VERSION,
        run_id: spec.run_id.clone(),
        program: program(&spec.program),
        config: Some(config_of(config, &salt)),
        environment: fingerprint::environment(inherited.chain(given), &salt),
        salt,
        ready_at_unix_ms: None,
        sidecar_version: String::new(),
    };
    record::write(&spec.run_dir, LAUNCH_FILE, &launch, false)
}

/// A run has become ready: what it was started with is the last good start from now on. Written once a run, also when the
/// next agent finds it ready again.
///
/// # Errors
/// It cannot be written, or nobody wrote down what it was started with.
pub fn keep(run_dir: &Path, run: &RunId, sidecar_version: String, now_unix_ms: i64) -> io::Result<()> {
    if read(run_dir, GOOD_FILE).is_some_and(|good| good.run_id == *run) {
        return Ok(());
    }
    let Some(launch) = read(run_dir, LAUNCH_FILE).filter(|launch| launch.run_id == *run) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, words::services::shim::START_WAS_NOT_WRITTEN_DOWN));
    };
    let good = Fingerprint { ready_at_unix_ms: Some(now_unix_ms), sidecar_version, ..launch };
    record::write(run_dir, GOOD_FILE, &good, true)
}

/// What differs now from the last good start; `run` is the one that ended, or could not be started.
pub fn changes(run_dir: &Path, run: &RunId, config: &Path) -> Option<Changes> {
    let good = read(run_dir, GOOD_FILE)?;
    let launch = read(run_dir, LAUNCH_FILE).filter(|launch| launch.run_id == *run);
    let mut now = launch.unwrap_or_else(|| good.clone());
    let path = now.program.as_ref().or(good.program.as_ref()).map(|program| program.path.clone());
    now.program = path.and_then(|path| program(Path::new(&path)));
    now.config = Some(config_of(config, &now.salt));
    fingerprint::changes(&good, &now)
}

fn read(run_dir: &Path, name: &str) -> Option<Fingerprint> {
    record::read::<Fingerprint>(run_dir, name).ok().flatten().filter(|print| print.version == VERSION)
}

fn program(path: &Path) -> Option<Program> {
    let file = std::fs::metadata(path).ok()?;
    let modified = file.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(Program {
        path: path.to_string_lossy().into_owned(),
        bytes: file.len(),
        modified_unix_ms: i64::try_from(modified.as_millis()).unwrap_or(i64::MAX),
    })
}

fn config_of(path: &Path, salt: &str) -> Config {
    let name = path.to_string_lossy().into_owned();
    match std::fs::read_to_string(path) {
        Ok(text) => Config::of(name, &text, salt),
        Err(_) => Config { path: name, content: String::new(), keys: None },
    }
}

fn random() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
