//! Making secrets anew.
//!
//! First it is noted what is going to change, then the new values replace the old ones where these are kept, then it is
//! noted that they are stored. Whoever is killed in between leaves the note: the next start makes them once more when they
//! may not all be stored, and in any case says who is to start again. Nobody is ever started with a value that is not the
//! one that is kept.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use secrecy::SecretString;

use super::attempt::{self, Opener};
use super::file::{Content, FileStore, Found};
use super::keyring::{self, KeyringError, Vault};
use super::record::{Record, Rotating};
use super::values::{SecretValues, check, generate, same};
use super::{Backend, SecretsConfig};
use crate::protocol::secrets::SecretName;
use crate::words;

/// How long a keyring may take before anything is changed: a person may have to type a password.
const LOOKING: Duration = Duration::from_secs(60);
/// How long it may then take to store them.
const STORING: Duration = Duration::from_secs(20);

/// What came of it.
#[derive(Debug)]
pub enum Rotation {
    /// All secrets as they are now, and those of them that are new.
    Stored(SecretValues, Vec<SecretName>),
    /// Nothing was changed, in words.
    Not(String),
    /// Some may have been changed; noted, so that the next start or rotation makes them anew. In words.
    Unfinished(String),
}

/// Just before which step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Note what is going to change. Nothing has been changed before.
    Note,
    /// Store one of them, or the file with all.
    Store(usize),
    /// Note that all are stored.
    NoteStored,
    /// Tell.
    Tell,
}

/// Makes new ones of `names`, in a thread of its own, within a limited time. `report` may be called a second time, when
/// what was reported as [`Rotation::Unfinished`] has come to an end after all.
pub fn rotate(config: SecretsConfig, names: Vec<SecretName>, report: impl Fn(Rotation) + Send + 'static) {
    const UNDECIDED: u8 = 0;
    const BEGUN: u8 = 1;
    const ABANDONED: u8 = 2;
    let state = Arc::new(AtomicU8::new(UNDECIDED));
    let begun = state.clone();
    let (tell, told) = mpsc::channel();
    let change = move || {
        let open = |ask: bool| keyring::open(&config.qualifier, ask);
        let go = |step| {
            step != Step::Note || begun.compare_exchange(UNDECIDED, BEGUN, Ordering::SeqCst, Ordering::SeqCst).is_ok()
        };
        let _ = tell.send(change(&config, &names, true, &open, &go));
    };
    let wait = move || {
        let late = match told.recv_timeout(LOOKING) {
            Ok(rotation) => return report(rotation),
            Err(RecvTimeoutError::Disconnected) => {
                return report(Rotation::Unfinished(words::secrets::ENDED.to_owned()));
            }
            Err(RecvTimeoutError::Timeout) => {
                state.compare_exchange(UNDECIDED, ABANDONED, Ordering::SeqCst, Ordering::SeqCst).is_ok()
            }
        };
        if late {
            return report(Rotation::Not(words::secrets::KEYRING_HAS_NOT_ANSWERED_FOR_MINUTE.to_owned()));
        }
        match told.recv_timeout(STORING) {
            Ok(rotation) => report(rotation),
            Err(_) => {
                report(Rotation::Unfinished(words::secrets::KEYRING_STOPPED_ANSWERING_WHILE_THEY.to_owned()));
                if let Ok(rotation) = told.recv() {
                    report(rotation);
                }
            }
        }
    };
    let spawned = thread::Builder::new().name("secrets-new".to_owned()).spawn(change);
    let spawned = spawned.and_then(|_| thread::Builder::new().name("secrets-wait".to_owned()).spawn(wait));
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread for new secrets");
    }
}

/// Everybody runs with the new values.
pub fn over(folder: &Path) -> Result<(), String> {
    let file = FileStore::open(folder)?;
    let _guard = file.lock()?;
    let mut record = Record::read(folder);
    // one that is not stored yet is another one, which has just begun
    if record.rotating.as_ref().is_some_and(|rotating| rotating.stored) {
        record.rotating = None;
        record.write(folder).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Does it. `go` is asked before each step; at a no it ends there, as if it had been killed.
pub(super) fn change(
    config: &SecretsConfig,
    names: &[SecretName],
    ask_person: bool,
    open: Opener<'_>,
    go: &dyn Fn(Step) -> bool,
) -> Rotation {
    match try_change(config, names, ask_person, open, go) {
        Ok((values, names)) => Rotation::Stored(values, names),
        Err(rotation) => rotation,
    }
}

fn try_change(
    config: &SecretsConfig,
    names: &[SecretName],
    ask_person: bool,
    open: Opener<'_>,
    go: &dyn Fn(Step) -> bool,
) -> Result<(SecretValues, Vec<SecretName>), Rotation> {
    let folder = &config.state_dir;
    let file = FileStore::open(folder).map_err(Rotation::Not)?;
    let _guard = file.lock().map_err(Rotation::Not)?;
    let place = Place::find(config, &file, ask_person, open).map_err(Rotation::Not)?;
    let old = place.read(&file).map_err(Rotation::Not)?;
    let mut record = Record::read(folder);
    // with those of a rotation that was cut short, and with those that are not there
    let cut_short = record.rotating.take().filter(|rotating| !rotating.stored).map(|rotating| rotating.names);
    let mut names: Vec<_> = names.iter().copied().chain(cut_short.into_iter().flatten()).collect();
    names.extend(SecretName::ALL.into_iter().filter(|name| !old.contains_key(name)));
    names.sort_unstable();
    names.dedup();
    let mut new = old.clone();
    for &name in &names {
        new.insert(name, generate(name).map_err(Rotation::Not)?);
    }
    let values =
        attempt::complete(&new).ok_or_else(|| Rotation::Not(words::secrets::THEY_ARE_INCOMPLETE.to_owned()))?;

    if !go(Step::Note) {
        return Err(Rotation::Not(words::secrets::IT_WAS_GIVEN_UP_BEFORE_ANYTHING.to_owned()));
    }
    record.rotating = Some(Rotating { names: names.clone(), stored: false });
    let noted = record.write(folder);
    noted.map_err(|error| Rotation::Not(words::secrets::what_is_going_to_change_could(&error)))?;
    place.store(&file, &new, &names, go).map_err(|stop| match stop {
        // the note goes with the reason for it
        Stop::Unchanged(why) => {
            record.rotating = None;
            match record.write(folder) {
                Ok(()) => Rotation::Not(why),
                Err(_) => Rotation::Unfinished(why),
            }
        }
        Stop::Somewhere(why) => Rotation::Unfinished(why),
    })?;
    if !go(Step::NoteStored) {
        return Err(Rotation::Unfinished(words::secrets::GIVEN_UP.to_owned()));
    }
    record.note_made(&names);
    record.rotating = Some(Rotating { names: names.clone(), stored: true });
    if let Err(error) = record.write(folder) {
        // they are used all the same; a next start makes them once more
        tracing::error!(%error, "it could not be noted that new secrets are stored");
    }
    if go(Step::Tell) { Ok((values, names)) } else { Err(Rotation::Unfinished(words::secrets::GIVEN_UP.to_owned())) }
}

/// Where they are kept.
enum Place {
    File,
    Keyring(Box<dyn Vault>),
}

enum Stop {
    /// What is kept is what was.
    Unchanged(String),
    /// Some of it may be new.
    Somewhere(String),
}

impl Place {
    fn find(config: &SecretsConfig, file: &FileStore, ask: bool, open: Opener<'_>) -> Result<Self, String> {
        if config.backend == Backend::File {
            return Ok(Self::File);
        }
        // what is in the file is the truth, and waits there to be moved
        if let Content::Holds(found) = file.load(&mut Vec::new())?
            && attempt::complete(&found).is_some()
        {
            return Ok(Self::File);
        }
        match open(ask) {
            Ok(vault) => Ok(Self::Keyring(vault)),
            Err(KeyringError::NoService(_)) if config.backend == Backend::Auto && !file.in_keyring() => Ok(Self::File),
            Err(error) => Err(words::secrets::keyring_gives_no_access(error.why())),
        }
    }

    fn read(&self, file: &FileStore) -> Result<Found, String> {
        match self {
            Self::File => match file.load(&mut Vec::new())? {
                Content::Holds(found) => Ok(found),
                Content::Missing => Ok(Found::new()),
                Content::Corrupt(why) => Err(words::secrets::file_with_secrets_is_damaged(&why)),
            },
            Self::Keyring(vault) => {
                let mut found = Found::new();
                for name in SecretName::ALL {
                    let value =
                        vault.get(name).map_err(|error| words::secrets::keyring_gives_no_access(error.why()))?;
                    // a damaged one is replaced
                    if let Some(value) = value.filter(|value| check(name, value).is_ok()) {
                        found.insert(name, value);
                    }
                }
                Ok(found)
            }
        }
    }

    fn store(
        &self,
        file: &FileStore,
        new: &Found,
        names: &[SecretName],
        go: &dyn Fn(Step) -> bool,
    ) -> Result<(), Stop> {
        match self {
            Self::File => {
                if !go(Step::Store(0)) {
                    return Err(Stop::Somewhere(words::secrets::GIVEN_UP.to_owned()));
                }
                let Err(why) = file.save(new) else { return Ok(()) };
                match file.load(&mut Vec::new()) {
                    Ok(Content::Holds(found)) if holds(&found, new, names) => Ok(()),
                    Ok(Content::Holds(found)) if !names.iter().any(|name| agree(&found, new, *name)) => {
                        Err(Stop::Unchanged(why))
                    }
                    _ => Err(Stop::Somewhere(why)),
                }
            }
            Self::Keyring(vault) => {
                for (done, &name) in names.iter().enumerate() {
                    if !go(Step::Store(done)) {
                        return Err(Stop::Somewhere(words::secrets::GIVEN_UP.to_owned()));
                    }
                    let Some(value) = new.get(&name) else { continue };
                    let Err((is_old, why)) = put(&**vault, name, value) else { continue };
                    let why = words::secrets::was_not_stored_in_keyring(name.label(), &why);
                    return Err(if is_old && done == 0 { Stop::Unchanged(why) } else { Stop::Somewhere(why) });
                }
                Ok(())
            }
        }
    }
}

/// Stores and reads back. An error says whether it is certain that the keyring holds another one.
fn put(vault: &dyn Vault, name: SecretName, value: &SecretString) -> Result<(), (bool, String)> {
    let stored = vault.set(name, value);
    match (stored, vault.get(name)) {
        // what is there counts, whatever was said about it
        (_, Ok(Some(read))) if same(&read, value) => Ok(()),
        (Err(error), Ok(_)) => Err((true, error.why().to_owned())),
        (Ok(()), Ok(_)) => Err((true, words::secrets::READ_BACK_IT_IS_NOT_ONE.to_owned())),
        (_, Err(error)) => Err((false, error.why().to_owned())),
    }
}

fn holds(found: &Found, new: &Found, names: &[SecretName]) -> bool {
    names.iter().all(|name| agree(found, new, *name))
}

fn agree(found: &Found, new: &Found, name: SecretName) -> bool {
    matches!((found.get(&name), new.get(&name)), (Some(a), Some(b)) if same(a, b))
}

#[cfg(test)]
#[path = "rotate_tests.rs"]
mod tests;
