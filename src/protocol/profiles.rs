//! What a person asks about the profiles.

use serde::{Deserialize, Serialize};

/// What a client can ask about the profiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "profile", rename_all = "snake_case")]
pub enum ProfileRequest {
    /// All of them, as JSON.
    List,
    /// Change to another one. The answer comes when it begins; `profile.switch` of the snapshot tells how it goes on.
    Switch {
        /// Its name.
        name: String,
        /// The person was told that it is a strict one, and agreed.
        confirmed: bool,
    },
}
