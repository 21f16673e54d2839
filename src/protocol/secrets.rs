//! What a person asks about the secrets that are kept for the sidecars; never a value of one.

use serde::{Deserialize, Serialize};

use crate::words;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretName {
    /// Opens the gateway's admin interface.
    AdminToken,
    /// Opens the browser service.
    BrowserToken,
    /// Encrypts the browser service's state; losing it loses that state.
    BrowserStateKey,
}

impl SecretName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AdminToken, Self::BrowserToken, Self::BrowserStateKey];

    /// Account name in the keyring and field in the file.
    pub const fn account(self) -> &'static str {
        match self {
            Self::AdminToken => "desktop_admin_token",
            Self::BrowserToken => "desktop_browser_auth_token",
            Self::BrowserStateKey => "desktop_browser_state_encryption_key",
        }
    }

    /// For people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::AdminToken => words::secrets::ADMIN_TOKEN,
            Self::BrowserToken => words::secrets::BROWSER_TOKEN,
            Self::BrowserStateKey => words::secrets::BROWSER_STATE_KEY,
        }
    }

    /// The word on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AdminToken => "admin-token",
            Self::BrowserToken => "browser-token",
            Self::BrowserStateKey => "browser-state-key",
        }
    }
}

/// What a client can ask about the secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "secrets", rename_all = "snake_case")]
pub enum SecretsRequest {
    /// Where each of them is, as JSON.
    Status,
    /// Make new ones, and restart what uses them.
    Rotate {
        /// Which; empty: all that are ours to make.
        names: Vec<SecretName>,
        /// The person was told that the stored browser profiles are lost with the browser state key, and agreed.
        lose_profiles: bool,
    },
}
