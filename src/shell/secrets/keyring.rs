//! The system's keyring behind one small trait.
//!
//! Linux: every try connects anew, because a client does not survive a restart of the Secret Service. Whether there
//! is a service, and whether it is locked, is asked before anything is read: a locked keyring may hide an item that a
//! plain search would call missing.

use secrecy::SecretString;

use crate::protocol::secrets::SecretName;

#[cfg(not(target_os = "linux"))]
mod native;
#[cfg(target_os = "linux")]
mod secret_service;

#[cfg(not(target_os = "linux"))]
pub(super) use native::open;
#[cfg(target_os = "linux")]
pub(super) use secret_service::open;

/// Why a keyring could not be used; each with the reason as a fragment of a sentence, never with a secret.
#[derive(Debug)]
pub(super) enum KeyringError {
    /// There is no such thing here.
    NoService(String),
    /// It is there and gives no access.
    Locked(String),
    /// It is there and does not work.
    Broken(String),
}

impl KeyringError {
    pub fn why(&self) -> &str {
        match self {
            Self::NoService(why) | Self::Locked(why) | Self::Broken(why) => why,
        }
    }
}

/// An open, unlocked keyring.
pub(super) trait Vault {
    /// None when the keyring answered that it has no such secret.
    fn get(&self, name: SecretName) -> Result<Option<SecretString>, KeyringError>;
    /// Makes or replaces.
    fn set(&self, name: SecretName, value: &SecretString) -> Result<(), KeyringError>;
    /// Stores under a free account name.
    fn keep(&self, account: &str, value: &SecretString) -> Result<(), KeyringError>;
}

fn service_name(qualifier: &str) -> String {
    format!("palyra-tray/{qualifier}")
}
