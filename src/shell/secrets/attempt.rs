//! One try: what to do with what the file and the keyring say.

use std::time::{SystemTime, UNIX_EPOCH};

use super::file::{Content, FileStore, Found};
use super::keyring::{self, KeyringError, Vault};
use super::record::Record;
use super::rotate::{self, Rotation};
use super::values::{SecretValues, check, generate, same};
use super::{Backend, Place, SecretsConfig};
use crate::protocol::secrets::SecretName;
use crate::words;

/// The secrets, where they are kept, and what a person should know.
#[derive(Debug)]
pub(super) struct Ready {
    pub values: SecretValues,
    pub place: Place,
    pub notes: Vec<String>,
    /// New since an earlier agent that was cut short: who uses them may still have the old ones.
    pub rotated: Vec<SecretName>,
}

/// Why there are none yet.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// The keyring decides and gives no access.
    Locked(String),
    Failed(String),
}

/// How to try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    /// The keyring may open a dialog.
    pub ask_person: bool,
    /// A keyring that gave no access was seen before.
    pub seen: bool,
}

/// Fetches the secrets, or makes those that are missing. Blocks while the keyring asks a person, which it may only
/// when told so.
pub(super) fn run(config: &SecretsConfig, how: Try) -> Result<Ready, Obstacle> {
    run_with(config, how, &|ask| keyring::open(&config.qualifier, ask))
}

pub(super) fn run_with(config: &SecretsConfig, how: Try, open: Opener<'_>) -> Result<Ready, Obstacle> {
    let ready = resolve(config, how, open)?;
    finish(config, how, ready, open)
}

/// Finishes a rotation that was cut short.
fn finish(config: &SecretsConfig, how: Try, mut ready: Ready, open: Opener<'_>) -> Result<Ready, Obstacle> {
    match Record::read(&config.state_dir).rotating {
        None => {}
        Some(rotating) if rotating.stored => ready.rotated = rotating.names,
        Some(rotating) => {
            let ask = how.ask_person;
            match rotate::change(config, &rotating.names, ask, open, &|_| true) {
                Rotation::Stored(values, names) => {
                    ready.notes.push(words::secrets::CHANGE_OF_SECRETS_THAT_WAS_CUT.to_owned());
                    (ready.values, ready.rotated) = (values, names);
                }
                Rotation::Not(why) | Rotation::Unfinished(why) => {
                    // with a value of which nobody knows whether it stays, nothing is started
                    return Err(Obstacle::Locked(words::secrets::change_of_secrets_was_cut_short(&why)));
                }
            }
        }
    }
    Ok(ready)
}

pub(super) type Opener<'a> = &'a dyn Fn(bool) -> Result<Box<dyn Vault>, KeyringError>;

fn resolve(config: &SecretsConfig, how: Try, open: Opener<'_>) -> Result<Ready, Obstacle> {
    let file = FileStore::open(&config.state_dir).map_err(Obstacle::Failed)?;
    let mut notes = Vec::new();
    if config.backend == Backend::File {
        return from_file(&file, words::secrets::SO_CHOSEN_IN_SETTINGS.to_owned(), notes);
    }
    // A complete file is the truth and needs no person; it only waits to be moved.
    let complete = match file.load(&mut notes).map_err(Obstacle::Failed)? {
        Content::Holds(found) => complete(&found),
        Content::Missing | Content::Corrupt(_) => None,
    };
    match (open(how.ask_person && complete.is_none()), complete) {
        (Ok(vault), _) => from_keyring(&file, &*vault, notes),
        (Err(KeyringError::NoService(why)), None) => match config.backend {
            Backend::Keyring => Err(Obstacle::Failed(words::secrets::settings_keep_secrets_in_keyring(&why))),
            // It is known to exist: not running now is something else.
            _ if how.seen || file.in_keyring() => {
                Err(Obstacle::Locked(words::secrets::secrets_belong_in_keyring(&why)))
            }
            _ => from_file(&file, why, notes),
        },
        (Err(KeyringError::NoService(why) | KeyringError::Locked(why) | KeyringError::Broken(why)), Some(values)) => {
            Ok(Ready { values, place: Place::File(file.path(), why), notes, rotated: Vec::new() })
        }
        (Err(error), None) => Err(error.into()),
    }
}

fn from_file(file: &FileStore, why: String, mut notes: Vec<String>) -> Result<Ready, Obstacle> {
    let _guard = file.lock().map_err(Obstacle::Failed)?;
    let mut found = load_sound(file, &mut notes)?;
    if complete(&found).is_none() {
        let missing: Vec<_> = SecretName::ALL.into_iter().filter(|name| !found.contains_key(name)).collect();
        for &name in &missing {
            found.insert(name, generate(name).map_err(Obstacle::Failed)?);
        }
        note_made(file, &missing, &mut notes);
        file.save(&found).map_err(Obstacle::Failed)?;
    }
    ready(found, Place::File(file.path(), why), notes)
}

fn from_keyring(file: &FileStore, vault: &dyn Vault, mut notes: Vec<String>) -> Result<Ready, Obstacle> {
    let _guard = file.lock().map_err(Obstacle::Failed)?;
    let in_file = load_sound(file, &mut notes)?;
    // Everything is read before anything is written: a refusal in between must leave no half-made set.
    let mut in_keyring = Found::new();
    for name in SecretName::ALL {
        if let Some(value) = vault.get(name)? {
            check(name, &value)
                .map_err(|why| Obstacle::Failed(words::secrets::in_keyring_is_damaged(name.label(), why)))?;
            in_keyring.insert(name, value);
        }
    }
    let (mut all, mut missing) = (Found::new(), Vec::new());
    for name in SecretName::ALL {
        let value = match in_file.get(&name).or_else(|| in_keyring.get(&name)) {
            Some(value) => value.clone(),
            None => {
                missing.push(name);
                generate(name).map_err(Obstacle::Failed)?
            }
        };
        all.insert(name, value);
    }
    note_made(file, &missing, &mut notes);
    let moved = put(vault, &all, &in_keyring, &mut notes);
    if let Err(error) = moved {
        return match complete(&in_file) {
            Some(values) => {
                let why = words::secrets::it_could_not_be_moved(error.why());
                Ok(Ready { values, place: Place::File(file.path(), why), notes, rotated: Vec::new() })
            }
            None => Err(error.into()),
        };
    }
    if let Err(error) = file.mark_in_keyring() {
        notes.push(words::secrets::it_could_not_be_noted(&error));
    } else if let Err(error) = file.remove() {
        notes.push(words::secrets::could_not_be_deleted(file.path().display(), &error));
    } else if !in_file.is_empty() {
        notes.push(words::secrets::SECRETS_WERE_MOVED_FROM_FILE.to_owned());
    }
    ready(all, Place::Keyring, notes)
}

/// Writes what the keyring does not have yet and reads it back.
fn put(vault: &dyn Vault, all: &Found, there: &Found, notes: &mut Vec<String>) -> Result<(), KeyringError> {
    for (&name, value) in all {
        match there.get(&name) {
            Some(old) if same(old, value) => continue,
            // a token that is not used any more opens nothing, and lies nowhere
            Some(_) if name != SecretName::BrowserStateKey => {}
            Some(old) => {
                // What was encrypted with it would be lost for good.
                let account = format!("{}_replaced_{}", name.account(), unix_ms());
                vault.keep(&account, old)?;
                notes.push(words::secrets::keyring_held_another(name.label(), &account));
            }
            None => {}
        }
        vault.set(name, value)?;
        if !vault.get(name)?.is_some_and(|read| same(&read, value)) {
            return Err(KeyringError::Broken(words::secrets::read_back_is_not_one_written(name.label())));
        }
    }
    Ok(())
}

/// The file's content; a damaged file is set aside and said to be lost.
fn load_sound(file: &FileStore, notes: &mut Vec<String>) -> Result<Found, Obstacle> {
    match file.load(notes).map_err(Obstacle::Failed)? {
        Content::Missing => Ok(Found::new()),
        Content::Holds(found) => Ok(found),
        Content::Corrupt(why) => {
            let aside = file.set_aside().map_err(Obstacle::Failed)?;
            notes.push(words::secrets::secrets_in_file_were_damaged(&why, aside.display()));
            Ok(Found::new())
        }
    }
}

/// Before they are stored: what an earlier key has encrypted must not meet a new one.
fn note_made(file: &FileStore, names: &[SecretName], notes: &mut Vec<String>) {
    if names.is_empty() {
        return;
    }
    let mut record = Record::read(file.folder());
    record.note_made(names);
    if let Err(error) = record.write(file.folder()) {
        notes.push(words::secrets::it_could_not_be_noted_when(&error));
    }
}

pub(super) fn complete(found: &Found) -> Option<SecretValues> {
    let value = |name| found.get(&name).cloned();
    Some(SecretValues::new(
        value(SecretName::AdminToken)?,
        value(SecretName::BrowserToken)?,
        value(SecretName::BrowserStateKey)?,
    ))
}

fn ready(found: Found, place: Place, notes: Vec<String>) -> Result<Ready, Obstacle> {
    match complete(&found) {
        Some(values) => Ok(Ready { values, place, notes, rotated: Vec::new() }),
        None => Err(Obstacle::Failed(words::secrets::SECRETS_ARE_INCOMPLETE.to_owned())),
    }
}

fn unix_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

impl From<KeyringError> for Obstacle {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Locked(why) => Self::Locked(words::secrets::keyring_gives_no_access_unlock_it(&why)),
            KeyringError::NoService(why) => Self::Failed(words::secrets::keyring_went_away_while(&why)),
            KeyringError::Broken(why) => Self::Failed(words::secrets::keyring_does_not_work(&why)),
        }
    }
}

#[cfg(test)]
#[path = "attempt_tests.rs"]
mod tests;
