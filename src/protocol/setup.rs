//! What the set-up (onboarding) asks of the running agent, and the facts that it decides by.
//!
//! The set-up is a short-lived process of its own: `palyra-tray onboard` in dialogs, `palyra-tray setup` on a terminal. It
//! derives where it stands from [`SetupFacts`] and its own record, so it can be left and resumed anywhere.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Secret;

/// One request of the set-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setup", rename_all = "snake_case")]
pub enum SetupRequest {
    /// [`SetupFacts`], as JSON. Never waits for a slow part.
    Facts,
    /// Palyra's programs are in this folder: check it, remember it, use it.
    UseFolder {
        /// Absolute.
        folder: PathBuf,
    },
    /// Palyra is to keep its data in this folder. Only while there is none yet, and nothing runs.
    UseDataFolder {
        /// Absolute.
        folder: PathBuf,
    },
    /// Turn chats on in the gateway's config (its run loop), where they are not, and restart the gateway, which reads config
    /// and provider only at its start; wait until it is ready.
    TurnChatsOn,
    /// Hand a provider's key to the gateway, which checks it.
    ProviderKey {
        /// Whose.
        provider: Provider,
        /// As typed.
        key: Secret,
    },
    /// Begin a sign-in and open its page in the browser: answers with [`SignIn`].
    SignIn {
        /// With whom.
        provider: Provider,
        /// Of the person's own application, where the provider demands one.
        client_id: Option<String>,
        /// The same.
        client_secret: Option<Secret>,
    },
    /// How a sign-in stands: answers with [`SignInState`].
    SignInState {
        /// With whom.
        provider: Provider,
        /// From [`SignIn`].
        attempt_id: String,
    },
    /// Does the connection to the provider work? Done, or an error that says what to do.
    TestProvider {
        /// Which.
        provider: Provider,
    },
    /// Send a message and wait for the whole answer: answers with [`FirstAnswer`].
    FirstMessage {
        /// What to say.
        text: String,
    },
    /// Look at a Discord bot without changing anything: answers with the words for the person, [`DiscordAnswer`].
    DiscordProbe {
        /// The bot's.
        token: Secret,
    },
    /// Connect the bot: answers with [`DiscordAnswer`]. Takes up to 40 s, and the gateway may restart after it.
    DiscordApply {
        /// The bot's.
        token: Secret,
    },
    /// Send a test message: answers with [`DiscordAnswer`].
    DiscordVerify {
        /// Channel, 16 to 24 digits.
        target: String,
    },
    /// Show a test notification: answers with whether a server took it.
    TestNotification,
    /// The set-up stands here now; for the menu and the snapshot.
    Reached(Reached),
}

/// Where the set-up stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Name of the current step, as in `core::onboarding::Step`.
    pub step: String,
    /// Steps done.
    pub done: u8,
    /// Of so many.
    pub total: u8,
    /// Nothing is left to do.
    pub complete: bool,
}

/// A model provider that the set-up knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OpenAI.
    Openai,
    /// Anthropic.
    Anthropic,
    /// MiniMax.
    Minimax,
}

impl Provider {
    /// All, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Openai, Self::Anthropic, Self::Minimax];

    /// As in the gateway's addresses.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Minimax => "minimax",
        }
    }

    /// A sign-in needs an application of the person's own: without its client id the gateway begins none.
    pub const fn sign_in_needs_client_id(self) -> bool {
        matches!(self, Self::Openai)
    }

    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Openai => "OpenAI",
            Self::Anthropic => "Anthropic",
            Self::Minimax => "MiniMax",
        }
    }
}

/// Everything the set-up derives its steps from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SetupFacts {
    /// Where `palyrad` was found; absent: nowhere.
    pub gateway_binary: Option<PathBuf>,
    /// Why not, in words; empty when it was.
    pub gateway_binary_problem: String,
    /// Where `palyra-browserd` was found.
    pub browser_binary: Option<PathBuf>,
    /// What Palyra keeps its data in (the runtime root).
    pub data_folder: PathBuf,
    /// A gateway has kept data there before: the folder is not changed any more.
    pub data_exists: bool,
    /// What is wrong with it, in words.
    pub gateway_problem: String,
    /// It takes our token.
    pub signed_in: bool,
    /// What the config file says of the run loop: `on`, `off` (it says false), `unset`, `unreadable`.
    pub run_loop: String,
    /// The config was changed after the running gateway had read it: another provider, the run loop.
    pub restart_needed: bool,
    /// Config file of the sidecars.
    pub config: PathBuf,
    /// Providers, as far as a ready gateway told; empty: not known.
    pub providers: Vec<ProviderFacts>,
    /// Discord: `ready`, `not_connected`, or what is wrong, in words; empty: not known.
    pub discord: String,
    /// Of the icon: a host shows it.
    pub tray_present: bool,
    /// About the tray host, in words.
    pub tray: String,
    /// Name of the notification server; empty: none.
    pub notification_server: String,
    /// It shows buttons.
    pub notification_buttons: bool,
    /// `keyring`, `file`, `waiting`, `failed`, `unknown`.
    pub secrets: String,
    /// What is wrong with them, in words; empty when nothing is.
    pub secrets_problem: String,
    /// Everything is for show.
    pub demo: bool,
}

/// How a provider stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderFacts {
    /// Which.
    pub provider: Provider,
    /// A credential is there and chosen.
    pub configured: bool,
    /// The running gateway uses it. When it is only `configured`, the gateway has to be restarted first.
    #[serde(default)]
    pub in_use: bool,
    /// Signing in by the browser is supported.
    pub sign_in: bool,
    /// The gateway's words.
    pub note: String,
}

/// A sign-in that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// Names it in later requests.
    pub attempt_id: String,
    /// To be opened in the person's browser: https, or plain http on loopback.
    pub authorization_url: Secret,
    /// A browser was started with it.
    #[serde(default)]
    pub opened: bool,
    /// Unix milliseconds.
    pub expires_at_unix_ms: i64,
    /// What the person has to do on that page besides signing in, one sentence; may be empty.
    #[serde(default)]
    pub note: String,
}

/// How a sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum SignInState {
    /// The person is still at it.
    Pending,
    /// The provider is connected.
    Succeeded,
    /// It came to nothing.
    Failed {
        /// One sentence: what, why, what to do.
        why: String,
    },
}

/// The answer to the first message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstAnswer {
    /// What Palyra said.
    pub text: String,
    /// For "Open chat".
    pub session_id: String,
    /// The same.
    pub run_id: String,
}

/// What came of a step with Discord.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscordAnswer {
    /// The bot's name.
    pub bot: String,
    /// Invites the bot to a server; may be empty.
    pub invite_url: String,
    /// What else a person should know, a sentence each.
    pub notes: Vec<String>,
}
