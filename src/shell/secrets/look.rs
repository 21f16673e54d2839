//! Where each secret is now: a look that changes nothing, opens no dialog, and has an end.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::attempt::Opener;
use super::file::{Content, FileStore};
use super::keyring::{self, KeyringError};
use super::record::Record;
use super::{Backend, SecretsConfig};
use crate::core::secrets::{Held, Kept};
use crate::protocol::secrets::SecretName;
use crate::words;

/// A keyring that takes longer is told as one that does not answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Looks; blocks for as long as the keyring takes, 5 s at most.
pub fn look(config: &SecretsConfig) -> Vec<Kept> {
    within(config, LIMIT, |config| {
        // there is no quiet way to look elsewhere
        let ask = !cfg!(target_os = "linux");
        held(&config, &|_| keyring::open(&config.qualifier, ask))
    })
}

type Places = [(SecretName, Held); 3];

fn within(
    config: &SecretsConfig,
    limit: Duration,
    find: impl FnOnce(SecretsConfig) -> Places + Send + 'static,
) -> Vec<Kept> {
    let made = Record::read(&config.state_dir).made;
    let (tell, told) = mpsc::channel();
    let own = config.clone();
    let looking = thread::Builder::new().name("secrets-look".to_owned()).spawn(move || {
        let _ = tell.send(find(own));
    });
    let places = match looking {
        Ok(_) => told.recv_timeout(limit).unwrap_or_else(|_| nobody_knows(words::secrets::KEYRING_DOES_NOT_ANSWER)),
        Err(error) => nobody_knows(&words::secrets::system_gave_no_thread_to_look(&error)),
    };
    let kept = places.into_iter().map(|(name, held)| {
        let known = matches!(held, Held::Keyring | Held::File { .. });
        Kept { name, held, since_unix_ms: made.get(&name).copied().filter(|_| known) }
    });
    kept.collect()
}

fn nobody_knows(why: &str) -> Places {
    SecretName::ALL.map(|name| (name, Held::Unavailable(why.to_owned())))
}

fn held(config: &SecretsConfig, open: Opener<'_>) -> Places {
    let file = match FileStore::open(&config.state_dir) {
        Ok(file) => file,
        Err(why) => return nobody_knows(&why),
    };
    let mode = mode(&file.path());
    let in_file = match file.load(&mut Vec::new()) {
        Ok(Content::Holds(found)) => found,
        Ok(Content::Missing) => super::file::Found::new(),
        Ok(Content::Corrupt(why)) => return nobody_knows(&words::secrets::file_with_them_is_damaged(&why)),
        Err(why) => return nobody_knows(&why),
    };
    let path = file.path().display().to_string();
    let all_there = SecretName::ALL.iter().all(|name| in_file.contains_key(name));
    let vault = (config.backend != Backend::File && !all_there).then(|| open(false));
    SecretName::ALL.map(|name| {
        let held = match &vault {
            _ if in_file.contains_key(&name) => Held::File { path: path.clone(), mode },
            None => Held::Missing,
            Some(Ok(vault)) => match vault.get(name) {
                Ok(Some(_)) => Held::Keyring,
                Ok(None) => Held::Missing,
                Err(error) => Held::Unavailable(error.why().to_owned()),
            },
            // it is known to hold them: not running now is something else than not being there
            Some(Err(KeyringError::NoService(why))) if file.in_keyring() => {
                Held::Unavailable(words::secrets::keyring_that_holds_it_does(why))
            }
            Some(Err(KeyringError::NoService(_))) => Held::Missing,
            Some(Err(error)) => Held::Unavailable(error.why().to_owned()),
        };
        (name, held)
    })
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
const fn mode(_path: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
