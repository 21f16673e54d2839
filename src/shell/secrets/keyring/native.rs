//! Keychain and Credential Manager.

use keyring::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};

use super::{KeyringError, Vault, service_name};
use crate::protocol::secrets::SecretName;
use crate::words;

struct Native {
    service: String,
}

/// These systems ask when a secret is read; there is no quiet way to look first.
pub(in super::super) fn open(qualifier: &str, ask_person: bool) -> Result<Box<dyn Vault>, KeyringError> {
    if !ask_person {
        return Err(KeyringError::Locked(words::secrets::IT_WAS_NOT_ASKED_AGAIN.to_owned()));
    }
    match Entry::store_status() {
        Ok(()) => Ok(Box::new(Native { service: service_name(qualifier) })),
        Err(error) => Err(explain(error)),
    }
}

impl Native {
    fn entry(&self, account: &str) -> Result<Entry, KeyringError> {
        Entry::new(&self.service, account).map_err(|error| explain(&error))
    }
}

impl Vault for Native {
    fn get(&self, name: SecretName) -> Result<Option<SecretString>, KeyringError> {
        match self.entry(name.account())?.get_password() {
            Ok(value) => Ok(Some(SecretString::from(value))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(explain(&error)),
        }
    }

    fn set(&self, name: SecretName, value: &SecretString) -> Result<(), KeyringError> {
        self.keep(name.account(), value)
    }

    fn keep(&self, account: &str, value: &SecretString) -> Result<(), KeyringError> {
        self.entry(account)?.set_password(value.expose_secret()).map_err(|error| explain(&error))
    }
}

/// `Debug` of some of these errors holds the secret; `Display` never does.
fn explain(error: &Error) -> KeyringError {
    match error {
        Error::NoStorageAccess(_) => KeyringError::Locked(error.to_string()),
        Error::NoDefaultStore | Error::NotSupportedByStore(_) => KeyringError::NoService(error.to_string()),
        Error::Ambiguous(_) => KeyringError::Broken(words::secrets::IT_HOLDS_SAME_SECRET_MORE.to_owned()),
        _ => KeyringError::Broken(error.to_string()),
    }
}
