//! The command line and environment of each sidecar: what the real ones expect, and nothing secret in arguments.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::core::ports::Ports;
use crate::protocol::{Secret, ServiceId};

/// `true`: the gateway's node port lets machines without a certificate ask to be paired.
pub const WINDOW_VARIABLE: &str = "PALYRA_ALLOW_INSECURE_NODE_RPC_WITHOUT_MTLS";

/// The token of the browser service, for the gateway.
pub const BROWSER_TOKEN_VARIABLE: &str = "PALYRA_BROWSER_SERVICE_AUTH_TOKEN";

/// Places that a sidecar is told.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `PALYRA_STATE_ROOT` of the sidecars.
    pub runtime_root: PathBuf,
    /// Exported when the config does not name another.
    pub identity: Option<PathBuf>,
    /// Exported when the config does not name another.
    pub vault: Option<PathBuf>,
    /// `PALYRA_CONFIG`
    pub config: PathBuf,
    /// Name of the profile in the registry of the command line, and where that is; absent: it is in none.
    pub profile: Option<(String, PathBuf)>,
    /// The config has its pages for agents' canvases served from another machine's address.
    pub canvas_elsewhere: bool,
}

/// What a sidecar is told in confidence.
#[derive(Clone, Debug, Default)]
pub struct Confidential {
    /// For the gateway.
    pub admin_token: Secret,
    /// Between gateway and browser service.
    pub browser_token: Secret,
    /// Standard base64 of 32 bytes; for the browser service only.
    pub browser_key: Option<Secret>,
}

/// Arguments after the program's name.
pub fn arguments(service: ServiceId, ports: &Ports) -> Vec<String> {
    let port = |purpose: &str| ports.get(purpose).copied().unwrap_or(0).to_string();
    let words: Vec<String> = match service {
        ServiceId::Gateway | ServiceId::Browserd => vec![
            "--bind".to_owned(),
            "127.0.0.1".to_owned(),
            "--port".to_owned(),
            port("http"),
            "--grpc-bind".to_owned(),
            "127.0.0.1".to_owned(),
            "--grpc-port".to_owned(),
            port("grpc"),
        ],
        ServiceId::NodeHost => ["node", "run", "--json"].map(str::to_owned).to_vec(),
    };
    words
}

/// Changes to the inherited environment.
pub fn environment(
    service: ServiceId,
    places: &Places,
    confidential: &Confidential,
    principal: &str,
    ports: &Ports,
    browser: Option<u16>,
) -> BTreeMap<String, Option<Secret>> {
    let mut env = BTreeMap::new();
    let mut set = |name: &str, value: String| {
        env.insert(name.to_owned(), Some(Secret::new(value)));
    };
    let path = |path: &PathBuf| path.to_string_lossy().into_owned();
    set("PALYRA_STATE_ROOT", path(&places.runtime_root));
    if let Some(identity) = &places.identity {
        set("PALYRA_GATEWAY_IDENTITY_STORE_DIR", path(identity));
    }
    match service {
        ServiceId::Gateway => {
            let port = |purpose: &str| ports.get(purpose).copied().unwrap_or(0).to_string();
            if let Some(vault) = &places.vault {
                set("PALYRA_VAULT_DIR", path(vault));
            }
            set("PALYRA_CONFIG", path(&places.config));
            set("PALYRA_DEPLOYMENT_MODE", "local_desktop".to_owned());
            set("PALYRA_ADMIN_REQUIRE_AUTH", "true".to_owned());
            set("PALYRA_ADMIN_BOUND_PRINCIPAL", principal.to_owned());
            set("PALYRA_DAEMON_BIND_ADDR", "127.0.0.1".to_owned());
            set("PALYRA_DAEMON_PORT", port("http"));
            if !places.canvas_elsewhere {
                // its default, and what an earlier desktop app wrote into the config, name a port that may not be this one
                set("PALYRA_CANVAS_HOST_PUBLIC_BASE_URL", format!("http://127.0.0.1:{}", port("http")));
            }
            set("PALYRA_GATEWAY_GRPC_BIND_ADDR", "127.0.0.1".to_owned());
            set("PALYRA_GATEWAY_GRPC_PORT", port("grpc"));
            set("PALYRA_GATEWAY_QUIC_BIND_ADDR", "127.0.0.1".to_owned());
            set("PALYRA_GATEWAY_QUIC_PORT", port("quic"));
            set("PALYRA_BROWSER_SERVICE_ENABLED", browser.is_some().to_string());
            if let Some(grpc) = browser {
                set("PALYRA_BROWSER_SERVICE_ENDPOINT", format!("http://127.0.0.1:{grpc}"));
            }
        }
        ServiceId::Browserd | ServiceId::NodeHost => {}
    }
    let mut confide = |name: &str, value: &Secret| env.insert(name.to_owned(), Some(value.clone()));
    match service {
        ServiceId::Gateway => {
            confide("PALYRA_ADMIN_TOKEN", &confidential.admin_token);
            if browser.is_some() {
                confide(BROWSER_TOKEN_VARIABLE, &confidential.browser_token);
            }
        }
        ServiceId::Browserd => {
            confide("PALYRA_BROWSERD_AUTH_TOKEN", &confidential.browser_token);
            if let Some(key) = &confidential.browser_key {
                confide("PALYRA_BROWSERD_STATE_ENCRYPTION_KEY", key);
            }
        }
        ServiceId::NodeHost => {
            if let Some(vault) = &places.vault {
                confide("PALYRA_VAULT_DIR", &Secret::new(path(vault)));
            }
        }
    }
    // the palyra command line dies of a profile that is not in its registry, which it looks for below the runtime root
    env.insert("PALYRA_CLI_PROFILE".to_owned(), places.profile.as_ref().map(|(name, _)| Secret::new(name.clone())));
    match &places.profile {
        Some((_, registry)) => {
            env.insert("PALYRA_CLI_PROFILES_PATH".to_owned(), Some(Secret::new(path(registry))));
            // the person's own is that of the implicit profile
            env.insert("PALYRA_BROWSERD_STATE_DIR".to_owned(), None);
        }
        // one that is inherited may name a default profile, and its config would be used; an empty one is no registry
        None if service == ServiceId::NodeHost => {
            env.insert("PALYRA_CLI_PROFILES_PATH".to_owned(), Some(Secret::new("")));
        }
        None => {}
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ports;

    /// As they reach the sidecar.
    fn env(service: ServiceId) -> BTreeMap<String, Option<String>> {
        env_on(service, None)
    }

    fn env_on(service: ServiceId, profile: Option<(String, PathBuf)>) -> BTreeMap<String, Option<String>> {
        let places = Places {
            runtime_root: "/s/runtime".into(),
            identity: Some("/s/identity".into()),
            vault: (service == ServiceId::NodeHost).then(|| "/s/vault".into()),
            profile,
            config: "/s/c".into(),
            canvas_elsewhere: false,
        };
        let confidential = Confidential {
            admin_token: Secret::new("tok-a"),
            browser_token: Secret::new("tok-b"),
            browser_key: Some(Secret::new("key")),
        };
        let env = environment(service, &places, &confidential, "admin:x", &ports::defaults(service), Some(7543));
        env.into_iter().map(|(name, value)| (name, value.map(|value| value.expose().to_owned()))).collect()
    }

    #[test]
    fn the_gateway_is_always_told_its_bound_principal_and_its_node_rpc_neighbour_port_is_not_an_argument() {
        let env = env(ServiceId::Gateway);
        assert_eq!(env["PALYRA_ADMIN_BOUND_PRINCIPAL"].as_deref(), Some("admin:x"));
        assert_eq!(env["PALYRA_GATEWAY_QUIC_PORT"].as_deref(), Some("7444"));
        assert_eq!(env["PALYRA_BROWSER_SERVICE_ENDPOINT"].as_deref(), Some("http://127.0.0.1:7543"));
        assert_eq!(env["PALYRA_CANVAS_HOST_PUBLIC_BASE_URL"].as_deref(), Some("http://127.0.0.1:7142"));
        assert!(!env.contains_key("PALYRA_VAULT_DIR"), "the config names another");
        let words = arguments(ServiceId::Gateway, &ports::defaults(ServiceId::Gateway)).join(" ");
        assert_eq!(words, "--bind 127.0.0.1 --port 7142 --grpc-bind 127.0.0.1 --grpc-port 7443");
    }

    #[test]
    fn no_argument_holds_a_secret_and_each_service_gets_only_its_own() {
        for service in ServiceId::ALL {
            let words = arguments(service, &ports::defaults(service)).join(" ");
            assert!(!words.contains("tok-") && !words.contains("key"), "{words}");
        }
        assert!(!env(ServiceId::Browserd).contains_key("PALYRA_ADMIN_TOKEN"));
        let node = env(ServiceId::NodeHost);
        assert!(node.values().flatten().all(|value| !value.contains("tok-")));
        assert_eq!(node["PALYRA_GATEWAY_IDENTITY_STORE_DIR"].as_deref(), Some("/s/identity"));
        assert_eq!(node["PALYRA_VAULT_DIR"].as_deref(), Some("/s/vault"));
    }

    #[test]
    fn no_process_is_told_a_profile_that_is_not_in_the_registry_and_a_named_one_shares_nothing() {
        for service in ServiceId::ALL {
            assert_eq!(env(service)["PALYRA_CLI_PROFILE"], None, "{service}: taken out of what is inherited");
            assert!(!env(service).contains_key("PALYRA_BROWSERD_STATE_DIR"));
            let named = env_on(service, Some(("work".to_owned(), "/s/profiles.toml".into())));
            assert_eq!(named["PALYRA_CLI_PROFILE"].as_deref(), Some("work"));
            assert_eq!(named["PALYRA_CLI_PROFILES_PATH"].as_deref(), Some("/s/profiles.toml"));
            assert_eq!(named["PALYRA_BROWSERD_STATE_DIR"], None);
        }
        // an inherited registry may name a default profile
        assert_eq!(env(ServiceId::NodeHost)["PALYRA_CLI_PROFILES_PATH"].as_deref(), Some(""));
    }
}
