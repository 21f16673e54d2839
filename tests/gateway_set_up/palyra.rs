//! A demo gateway that can be restarted, and what is asked of it.

use std::path::Path;

use palyra_tray::protocol::Secret;
use palyra_tray::protocol::setup::{Provider, ProviderFacts};
use palyra_tray::shell::gateway::{Client, ErrorKind, GatewayError, Timeouts};
use secrecy::SecretString;

use crate::support::demo::{DEVICE, Demo, TOKEN};

/// In every key, token and client secret that a test hands over: where it turns up, a secret does.
pub const MARK: &str = "kept-to-itself";
/// Nothing can be reached.
pub const OFFLINE: (&str, &str) = ("PALYRA_DEMO_OFFLINE", "1");

/// A gateway with a config file of its own.
pub struct Palyra {
    root: tempfile::TempDir,
    demo: Option<Demo>,
}

impl Palyra {
    /// With the run loop on.
    pub fn start() -> Self {
        Self::start_with("version = 1\n[orchestrator]\nrunloop_v1_enabled = true\n", &[])
    }

    pub fn start_with(config: &str, env: &[(&str, &str)]) -> Self {
        let root = tempfile::TempDir::new().expect("temp dir");
        std::fs::write(root.path().join("palyra.toml"), config).expect("config");
        let mut palyra = Self { root, demo: None };
        palyra.restart_with(env);
        palyra
    }

    /// With this provider in use.
    pub async fn connected(provider: Provider, key: &str) -> Self {
        let mut palyra = Self::start();
        palyra.client().set_provider_key(provider, &secret(key)).await.expect("key");
        palyra.restart();
        palyra
    }

    pub fn restart(&mut self) {
        self.restart_with(&[]);
    }

    pub fn restart_with(&mut self, env: &[(&str, &str)]) {
        self.stop();
        let demo = Demo::gateway_on(self.root.path(), env);
        demo.ready();
        self.demo = Some(demo);
    }

    /// Ends it, and looks that it told nobody a secret.
    pub fn stop(&mut self) {
        if let Some(demo) = self.demo.take() {
            let log: Vec<u8> = demo.output().concat();
            assert!(!String::from_utf8_lossy(&log).contains(MARK), "a secret is in the log");
            drop(demo);
            no_secret_below(self.root.path());
        }
    }

    pub fn demo(&self) -> &Demo {
        self.demo.as_ref().expect("running")
    }

    /// Signs in anew with every one.
    pub fn client(&self) -> Client {
        self.client_with(Timeouts::default())
    }

    pub fn client_with(&self, timeouts: Timeouts) -> Client {
        client(self.demo().port(), timeouts)
    }

    pub fn config(&self) -> String {
        std::fs::read_to_string(self.root.path().join("palyra.toml")).expect("config")
    }
}

impl Drop for Palyra {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
    }
}

pub fn client(port: u16, timeouts: Timeouts) -> Client {
    Client::with_timeouts(port, SecretString::from(TOKEN), DEVICE, "admin:palyra-tray", timeouts).expect("client")
}

fn no_secret_below(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            no_secret_below(&path);
        } else {
            let text = String::from_utf8_lossy(&std::fs::read(&path).expect("file")).into_owned();
            assert!(!text.contains(MARK), "a secret is in {}", path.display());
        }
    }
}

/// A key with this word in it.
pub fn secret(word: &str) -> Secret {
    Secret::new(format!("sk-{word}-{MARK}"))
}

/// The failure: its class, its sentence and whether it was sent. It tells no secret, and it is a sentence.
#[track_caller]
pub fn failure<T: std::fmt::Debug>(result: Result<T, GatewayError>) -> (ErrorKind, String, bool) {
    let error = result.expect_err("a failure");
    let all = format!("{error} {error:?}");
    assert!(!all.contains(MARK) && !all.contains(TOKEN), "{all}");
    assert!(error.message.chars().count() <= 300, "{error}");
    assert!(error.message.ends_with(['.', '?']) || error.message.contains(": "), "{error}");
    (error.kind, error.message, error.sent)
}

/// `configured`, `in_use`, `sign_in`.
pub async fn stands(client: &Client, provider: Provider) -> (bool, bool, bool) {
    let facts: ProviderFacts = client.provider(provider).await.expect("facts");
    assert_eq!(facts.provider, provider);
    (facts.configured, facts.in_use, facts.sign_in)
}
