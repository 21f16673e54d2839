//! The three secrets of an installation: made once from the system's random source, kept in the system's keyring, or
//! in a private file where there is none.
//!
//! "Missing" and "unavailable" are different. A secret is made only when the place that would hold it answered that it
//! has none. A locked keyring, or one that is known to hold the secrets and does not run now, is waited for; nothing is
//! made anew and nothing falls back to the file. Only "there is no such service here" leads to the file.
//!
//! Keyring calls can block for as long as a password dialog is open, so they run in a thread of their own; all
//! threads end when the secrets are there.
//!
//! A rotation makes new ones on the person's word: see [`rotate`].
//!
//! Limits: any program of the same user on the session bus can read an unlocked Linux keyring; the file is protected
//! by its mode only.

mod aside;
mod attempt;
mod file;
mod keyring;
mod look;
mod record;
mod rotate;
mod values;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

pub use aside::put_aside;
pub use look::look;
pub use rotate::{Rotation, over as rotation_over, rotate};
pub use values::{SecretValues, check_browser_key, qualifier};

use attempt::{Obstacle, Ready, Try};
use file::FileStore;
use secrecy::SecretString;

use crate::protocol::Secret;

use crate::protocol::secrets::SecretName;
use crate::words;

/// Where the secrets belong, and how patiently they are fetched.
#[derive(Clone, Debug)]
pub struct SecretsConfig {
    /// `<state_root>/tray`; made, with mode 0700, when it is missing.
    pub state_dir: PathBuf,
    /// Keeps the secrets of different state roots apart: see [`qualifier`].
    pub qualifier: String,
    /// Where to keep them.
    pub backend: Backend,
    /// The defaults are right outside tests.
    pub timing: Timing,
}

/// Where secrets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// The keyring, or the file where no keyring exists.
    #[default]
    Auto,
    /// The file, always.
    File,
    /// The keyring, or nothing.
    Keyring,
}

/// How long to wait before saying so, and before looking again.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// No answer for this long is reported as [`SecretsReport::Waiting`].
    pub waiting_after: Duration,
    /// Time between two quiet looks at a locked keyring; these never open a dialog.
    pub recheck: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { waiting_after: Duration::from_secs(2), recheck: Duration::from_secs(30) }
    }
}

/// How the search for the secrets goes.
#[derive(Clone, Debug)]
pub enum SecretsReport {
    /// Here they are; nothing more follows.
    Ready {
        /// All three.
        values: SecretValues,
        /// Where they are kept.
        place: Place,
        /// What a person should know: a sentence each, without secrets.
        notes: Vec<String>,
        /// New since an earlier agent that was cut short: who uses them may still have the old ones.
        rotated: Vec<SecretName>,
    },
    /// The keyring has not answered yet, most likely because it asks a person for the password.
    Waiting {
        /// One sentence.
        reason: String,
    },
    /// The keyring has the say and does not give access. It is looked at again from time to time.
    Locked {
        /// What and what to do, in one sentence.
        message: String,
    },
    /// It cannot be done; only [`Secrets::retry`] tries again.
    Failed {
        /// What, why and what to do, in one sentence.
        message: String,
    },
}

/// Where the secrets are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the system's keyring.
    Keyring,
    /// In this file, for this reason.
    File(PathBuf, String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring => f.write_str(words::secrets::IN_SYSTEMS_KEYRING),
            Self::File(path, why) => write!(f, "in {} ({why})", path.display()),
        }
    }
}

/// Neither the file nor the keyring was ever given secrets from this folder.
pub fn none_yet(state_dir: &Path) -> bool {
    FileStore::open(state_dir).is_ok_and(|file| !file.path().exists() && !file.in_keyring())
}

/// Puts secrets of another program into the file, before ours are made: the search takes them from there, makes those that
/// are missing, and moves all of them to where they belong. Gives those that cannot be ours, and why.
///
/// # Errors
/// They cannot be written, or there are some already.
pub fn seed(state_dir: &Path, secrets: &[(SecretName, Secret)]) -> Result<Vec<(SecretName, &'static str)>, String> {
    let file = FileStore::open(state_dir)?;
    let _guard = file.lock()?;
    if file.path().exists() || file.in_keyring() {
        return Err(words::secrets::THERE_ARE_SECRETS_ALREADY.to_owned());
    }
    let mut refused = Vec::new();
    let mut found = file::Found::new();
    for (name, value) in secrets {
        let value = SecretString::from(value.expose());
        match values::check(*name, &value) {
            Ok(()) => drop(found.insert(*name, value)),
            Err(why) => refused.push((*name, why)),
        }
    }
    if !found.is_empty() {
        file.save(&found)?;
    }
    Ok(refused)
}

/// The running search. Dropping it ends the search.
#[derive(Debug)]
pub struct Secrets {
    events: Sender<Event>,
}

enum Event {
    Retry,
    Answer(Result<Ready, Obstacle>),
    Stop,
}

impl Secrets {
    /// Starts the search. Never blocks. `report` runs on a thread of its own; nothing runs any more after
    /// [`SecretsReport::Ready`].
    pub fn start(config: SecretsConfig, report: impl Fn(SecretsReport) + Send + 'static) -> Self {
        let (events, received) = mpsc::channel();
        let answers = events.clone();
        // Shared only so that a failure to start the thread can be told.
        let report = Arc::new(Mutex::new(report));
        let told = report.clone();
        let search = move || {
            let report = told.lock().unwrap_or_else(PoisonError::into_inner);
            search(&config, &received, &answers, &*report);
        };
        if let Err(error) = thread::Builder::new().name("secrets".to_owned()).spawn(search) {
            report.lock().unwrap_or_else(PoisonError::into_inner)(no_thread(&error));
        }
        Self { events }
    }

    /// Tries again now, with a password dialog if the keyring needs one. Does nothing once the secrets are there.
    pub fn retry(&self) {
        let _ = self.events.send(Event::Retry);
    }
}

impl Drop for Secrets {
    fn drop(&mut self) {
        let _ = self.events.send(Event::Stop);
    }
}

/// Decides when to try; each try is made in a thread of its own because it may block for ever.
fn search(config: &SecretsConfig, events: &Receiver<Event>, answers: &Sender<Event>, report: &dyn Fn(SecretsReport)) {
    let mut ask_person = true;
    let mut told_locked = None;
    // A service that was seen is not one that does not exist, though it may be away for a moment.
    let mut seen = false;
    loop {
        if let Err(error) = begin(config.clone(), Try { ask_person, seen }, answers.clone()) {
            report(no_thread(&error));
            return;
        }
        let Some(outcome) = answer(config, events, ask_person, report) else { return };
        let patience = match outcome {
            Ok(Ready { values, place, notes, rotated }) => {
                return report(SecretsReport::Ready { values, place, notes, rotated });
            }
            Err(Obstacle::Locked(message)) => {
                seen = true;
                if ask_person || told_locked.as_ref() != Some(&message) {
                    told_locked = Some(message.clone());
                    report(SecretsReport::Locked { message });
                }
                Some(config.timing.recheck)
            }
            Err(Obstacle::Failed(message)) => {
                told_locked = None;
                report(SecretsReport::Failed { message });
                None
            }
        };
        ask_person = match wait(events, patience) {
            Ok(Event::Retry) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Ok(Event::Answer(_) | Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        };
    }
}

fn begin(config: SecretsConfig, how: Try, answers: Sender<Event>) -> std::io::Result<()> {
    let attempt = move || {
        let _ = answers.send(Event::Answer(attempt::run(&config, how)));
    };
    thread::Builder::new().name("secrets-try".to_owned()).spawn(attempt).map(drop)
}

/// The answer of the running try; none when nobody wants it any more.
fn answer(
    config: &SecretsConfig,
    events: &Receiver<Event>,
    ask_person: bool,
    report: &dyn Fn(SecretsReport),
) -> Option<Result<Ready, Obstacle>> {
    let mut patience = ask_person.then_some(config.timing.waiting_after);
    loop {
        match wait(events, patience) {
            Ok(Event::Answer(outcome)) => return Some(outcome),
            // The try that is running already asks the person.
            Ok(Event::Retry) => {}
            Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                patience = None;
                report(SecretsReport::Waiting { reason: words::secrets::KEYRING_HAS_NOT_ANSWERED_YET.to_owned() });
            }
        }
    }
}

fn no_thread(error: &std::io::Error) -> SecretsReport {
    SecretsReport::Failed { message: words::secrets::secrets_cannot_be_read(error) }
}

fn wait(events: &Receiver<Event>, patience: Option<Duration>) -> Result<Event, RecvTimeoutError> {
    match patience {
        Some(patience) => events.recv_timeout(patience),
        None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}
