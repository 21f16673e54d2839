//! The sidecars' own config file, as far as it is read; what is written into it is in `shell::palyra_config`.

mod facts;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub use facts::ConfigFacts;

use super::ConfigError;
use crate::protocol::secrets::SecretName;
use crate::words;

/// What of the sidecars' config file concerns us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PalyraConfig {
    /// `admin.bound_principal`
    pub bound_principal: Option<String>,
    /// `gateway.identity_store_dir`, absolute.
    pub identity: Option<PathBuf>,
    /// `storage.vault_dir`, absolute.
    pub vault: Option<PathBuf>,
    /// `daemon.port`
    pub http: Option<u16>,
    /// `gateway.grpc_port`
    pub grpc: Option<u16>,
    /// `gateway.quic_port`
    pub quic: Option<u16>,
    /// Port of `tool_call.browser_service.endpoint`
    pub browser_grpc: Option<u16>,
    /// Port of `tool_call.browser_service.health_base_url`
    pub browser_http: Option<u16>,
    /// `orchestrator.runloop_v1_enabled`: whether chats get answers; absent means no.
    pub run_loop: Option<bool>,
    /// `tool_call.browser_service.state_key_vault_ref`: where in Palyra's vault the key of the browser's state lies.
    pub browser_key_ref: Option<String>,
    /// `canvas_host.public_base_url` names an address that is not on this machine's loopback.
    pub canvas_elsewhere: bool,
    /// Secrets that the config gives itself, or says where to find, with the key that does so: ours are not used then.
    pub secrets_named: BTreeMap<SecretName, &'static str>,
    /// Those of them that it only refers to, which is followed by the gateway alone.
    pub secrets_referred: BTreeMap<SecretName, &'static str>,
}

/// Keys of the config that give a secret.
const SECRET_KEYS: [(SecretName, &str); 5] = [
    (SecretName::AdminToken, "admin.auth_token"),
    (SecretName::AdminToken, "admin.auth_token_secret_ref"),
    (SecretName::BrowserToken, "tool_call.browser_service.auth_token"),
    (SecretName::BrowserToken, "tool_call.browser_service.auth_token_secret_ref"),
    (SecretName::BrowserStateKey, "tool_call.browser_service.state_key_vault_ref"),
];

/// What ends so refers to a secret.
const REFERENCE: &str = "_secret_ref";

/// Tokens that the config holds itself; kept apart because they are secret.
#[derive(Default)]
pub struct ConfigSecrets {
    /// `admin.auth_token`
    pub admin_token: Option<secrecy::SecretString>,
    /// `tool_call.browser_service.auth_token`
    pub browser_token: Option<secrecy::SecretString>,
}

/// Whether a key or variable of this name holds a secret.
pub fn gives_away(name: &str) -> bool {
    const MARKERS: [&str; 8] = ["token", "key", "secret", "password", "passphrase", "credential", "cookie", "auth"];
    let name = name.to_ascii_lowercase();
    MARKERS.iter().any(|marker| name.contains(marker))
}

/// Every text in the config that stands under a key that gives it away, and the passwords of its addresses: to be taken out of
/// what is sent to others. A config that cannot be read has none that are known.
pub fn secret_texts(path: &Path) -> Vec<String> {
    let table = fs::read_to_string(path).ok().and_then(|text| toml::from_str::<toml::Table>(&text).ok());
    let mut found = Vec::new();
    collect(&toml::Value::Table(table.unwrap_or_default()), false, &mut found);
    found
}

fn collect(value: &toml::Value, given_away: bool, found: &mut Vec<String>) {
    match value {
        toml::Value::String(text) => {
            let user = text.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@'));
            let password = user.and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
            // a program tells it as it is after decoding, too
            found.extend(password.into_iter().flat_map(|password| [password.to_owned(), decoded(password)]));
            if given_away {
                found.push(text.clone());
            }
        }
        toml::Value::Array(values) => values.iter().for_each(|value| collect(value, given_away, found)),
        toml::Value::Table(table) => {
            table.iter().for_each(|(name, value)| collect(value, given_away || gives_away(name), found));
        }
        _ => {}
    }
}

/// Without its percent signs.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl PalyraConfig {
    /// Why the sidecars cannot be started with this, although it can be read; one sentence. We have to know the admin token
    /// ourselves, and the gateway takes none of ours beside a reference to one.
    pub fn unusable(&self) -> Option<String> {
        self.secrets_referred.get(&SecretName::AdminToken).map(|key| referred(SecretName::AdminToken, key))
    }

    /// Reads it.
    ///
    /// # Errors
    /// The file cannot be read or is not TOML.
    pub fn read(path: &Path) -> Result<(Self, ConfigSecrets), ConfigError> {
        let table = parse(&read_text(path)?, path)?;
        Ok(Self::of(&table, path))
    }

    /// [`PalyraConfig::read`], with what two looks at the file can be compared by.
    ///
    /// # Errors
    /// As there.
    pub fn look(path: &Path) -> Result<(Self, ConfigSecrets, ConfigFacts), ConfigError> {
        let (mut written, mut text) = (facts::Written::of(path), read_text(path)?);
        // a text that is older than its time of writing would look like a write that changed nothing
        for _ in 0..3 {
            let before = std::mem::replace(&mut written, facts::Written::of(path));
            if before == written {
                break;
            }
            text = read_text(path)?;
        }
        let table = parse(&text, path)?;
        let (config, secrets) = Self::of(&table, path);
        let facts = ConfigFacts::new(config.clone(), &text, &table, written);
        Ok((config, secrets, facts))
    }

    fn of(table: &toml::Table, path: &Path) -> (Self, ConfigSecrets) {
        let folder = path.parent().unwrap_or(Path::new("/"));
        let get = |keys: &str| {
            let mut keys = keys.split('.');
            let first = keys.next().and_then(|key| table.get(key));
            keys.fold(first, |value, key| value?.as_table()?.get(key))
        };
        let text = |keys: &str| get(keys).and_then(toml::Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let port = |keys: &str| {
            get(keys)
                .and_then(toml::Value::as_integer)
                .and_then(|port| u16::try_from(port).ok())
                .filter(|port| *port != 0)
        };
        // what is not a text is a reference to one
        let gives =
            |keys: &str| get(keys).is_some_and(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
        let secret = |keys: &str| text(keys).map(|value| secrecy::SecretString::from(value.to_owned()));
        let config = Self {
            bound_principal: text("admin.bound_principal").map(str::to_owned),
            identity: text("gateway.identity_store_dir").map(|dir| folder.join(dir)),
            vault: text("storage.vault_dir").map(|dir| folder.join(dir)),
            http: port("daemon.port"),
            grpc: port("gateway.grpc_port"),
            quic: port("gateway.quic_port"),
            browser_grpc: text("tool_call.browser_service.endpoint").and_then(port_of_url),
            browser_http: text("tool_call.browser_service.health_base_url").and_then(port_of_url),
            run_loop: get("orchestrator.runloop_v1_enabled").and_then(toml::Value::as_bool),
            browser_key_ref: text("tool_call.browser_service.state_key_vault_ref").map(str::to_owned),
            canvas_elsewhere: text("canvas_host.public_base_url").is_some_and(|url| !is_loopback(url)),
            secrets_named: SECRET_KEYS.into_iter().filter(|(_, key)| gives(key)).collect(),
            secrets_referred: SECRET_KEYS
                .into_iter()
                .filter(|(_, key)| key.ends_with(REFERENCE) && get(key).is_some())
                .collect(),
        };
        let secrets = ConfigSecrets {
            admin_token: secret("admin.auth_token"),
            browser_token: secret("tool_call.browser_service.auth_token"),
        };
        (config, secrets)
    }
}

/// What, why, and what to do about a secret that is only referred to.
pub fn referred(name: SecretName, key: &str) -> String {
    words::secrets::cannot_be_followed(name.label(), key, key.strip_suffix(REFERENCE).unwrap_or(key))
}

pub(super) fn read_text(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path)
        .map_err(|error| ConfigError(words::settings::config_cannot_be_read_mend(path.display(), &error)))
}

/// The words tell line and reason, and nothing of what is written there.
pub(super) fn parse(text: &str, path: &Path) -> Result<toml::Table, ConfigError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
        let at = line.map(words::settings::line).unwrap_or_default();
        let why = error.message();
        ConfigError(words::settings::config_is_not_valid_toml(path.display(), &at, why))
    })?;
    if table.get("version").is_some_and(|version| version.as_integer().is_none_or(|version| version < 1)) {
        let why = words::settings::HAS_VERSION_THAT_IS_NO_WHOLE;
        return Err(ConfigError(words::settings::config(path.display(), why)));
    }
    Ok(table)
}

fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

fn port_of_url(url: &str) -> Option<u16> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    authority.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_table_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("palyra.toml");
        fs::write(&path, "admin = 3\nauth_token = \"not ours\"\n").unwrap();
        let (_, secrets) = PalyraConfig::read(&path).unwrap();
        assert!(secrets.admin_token.is_none());
    }

    #[test]
    fn secrets_are_found_wherever_the_config_gives_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("palyra.toml");
        let text = "[model_provider]\nopenai_api_key = \"one\"\nname = \"open\"\n[[keys]]\nvalue = [\"two\"]\n\
            [a.auth]\nof = { b = \"three\" }\n[db]\nurl = \"https://ada:fo%2fur@h/x\"\n";
        fs::write(&path, text).unwrap();
        let mut found = secret_texts(&path);
        found.sort_unstable();
        assert_eq!(found, ["fo%2fur", "fo/ur", "one", "three", "two"]);
        assert_eq!(secret_texts(&dir.path().join("none")), [""; 0]);
    }

    #[test]
    fn a_version_that_no_gateway_takes_is_refused_here() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("palyra.toml");
        for (version, fine) in [("1", true), ("2", true), ("0", false), ("-1", false), ("\"1\"", false), ("1.0", false)]
        {
            fs::write(&path, format!("version = {version}\n")).unwrap();
            let read = PalyraConfig::read(&path);
            assert_eq!(read.is_ok(), fine, "{version}");
            assert!(read.err().is_none_or(|error| error.0.contains("palyra.toml has a version")));
        }
        fs::write(&path, "").unwrap();
        assert!(PalyraConfig::read(&path).is_ok(), "it need not have one");
    }

    #[test]
    fn the_run_loop_is_on_off_or_not_mentioned() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("palyra.toml");
        for (text, expected) in [
            ("version = 1", None),
            ("[orchestrator]\nrunloop_v1_enabled = true", Some(true)),
            ("orchestrator.runloop_v1_enabled = false", Some(false)),
            ("[orchestrator]\nrunloop_v1_enabled = \"true\"", None),
        ] {
            fs::write(&path, text).unwrap();
            assert_eq!(PalyraConfig::read(&path).unwrap().0.run_loop, expected, "{text}");
        }
    }

    #[test]
    fn a_config_gives_ports_and_keeps_tokens_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("palyra.toml");
        let text = "version = 1\n[admin]\nauth_token = \"s3cret\"\n[daemon]\nport = 9142\n[tool_call.browser_service]\nendpoint = \"http://127.0.0.1:9543/\"\n";
        fs::write(&path, text).unwrap();
        let (config, secrets) = PalyraConfig::read(&path).unwrap();
        assert_eq!((config.http, config.browser_grpc, config.browser_http), (Some(9142), Some(9543), None));
        assert!(secrets.admin_token.is_some() && secrets.browser_token.is_none());
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
