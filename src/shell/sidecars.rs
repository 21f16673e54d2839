//! From "launch this service" to a spec for its shim: executable, ports, environment, and whether it may run at all.
//!
//! Everything in here looks at the machine right before a start, and may block: it runs in a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::Command;

use secrecy::{ExposeSecret, SecretString};

use crate::config::palyra::{self, ConfigFacts, PalyraConfig};
use crate::config::profiles::Registry;
use crate::config::{self, ConfigError, Environment, Paths, programs};
use crate::core::cause::{Cause, Class};
use crate::core::launch::{self, Confidential, Places};
use crate::core::node::LEASE_MS;
use crate::core::ports::{self, Bind, Ports};
use crate::protocol::secrets::SecretName;
use crate::protocol::shim::{COMMAND_LINE, LogLimits, RUN_ID_VARIABLE, Spec, StopLadder, VERSION};
use crate::protocol::{RunId, Secret, ServiceId};
use crate::shell::store;
use crate::words;

/// Size and number of log files a service.
const LOG_BYTES: u64 = 5 * 1024 * 1024;
const LOG_FILES: u32 = 5;

/// The secrets of this state root.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For the gateway's console.
    pub admin: SecretString,
    /// Between gateway and browser service.
    pub browser: SecretString,
    /// Standard base64 of 32 bytes.
    pub browser_key: SecretString,
    /// No Secret Service answers on this machine.
    pub in_file: bool,
}

/// What a launch is about.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Which service.
    pub service: ServiceId,
    /// Its new life.
    pub run: RunId,
    /// What every service had, or would like.
    pub ports: BTreeMap<ServiceId, Ports>,
    /// Services whose ports are in use by themselves.
    pub running: Vec<ServiceId>,
    /// The gateway is to use the browser service.
    pub browser: bool,
    /// The gateway is to take pairing requests from machines without a certificate, under a lease.
    pub window: bool,
}

/// A spec, with what was decided on the way.
pub struct Prepared {
    /// For the shim.
    pub spec: Spec,
    /// Ports by service, for every service they were chosen for.
    pub ports: BTreeMap<ServiceId, Ports>,
    /// Why they differ from what was wanted; empty when they do not.
    pub note: String,
    /// The config that it is started with.
    pub config: ConfigFacts,
}

/// Why there is no spec.
#[derive(Debug)]
pub struct Refusal {
    /// What kind of reason.
    pub class: Class,
    /// What, why, what to do.
    pub why: String,
    /// Trying again cannot cure it.
    pub hopeless: bool,
}

impl From<Refusal> for Cause {
    fn from(Refusal { class, why, hopeless }: Refusal) -> Self {
        Self { class, what: words::services::was_not_started(&why), said: None, hopeless }
    }
}

/// Whom a preparation asks.
pub struct Asked<'a> {
    /// Who may be holding a port, in words; `None` when nobody can tell.
    pub holder: &'a dyn Fn(Bind) -> Option<String>,
    /// The browser's state key that lies in Palyra's vault under this reference.
    pub vault_key: &'a dyn Fn(&str) -> Result<SecretString, Refusal>,
}

/// What the launches share.
#[derive(Clone)]
pub struct Sidecars {
    /// At start.
    pub env: Environment,
    /// Found at start.
    pub paths: Paths,
    /// Folder the person named.
    pub folder: Option<PathBuf>,
    /// Built-in sidecars instead of real ones.
    pub demo: bool,
}

impl Sidecars {
    /// Prepares a launch.
    ///
    /// # Errors
    /// The service cannot be started as things are.
    pub fn prepare(&self, wish: &Wish, tokens: &Tokens, asked: &Asked<'_>) -> Result<Prepared, Refusal> {
        let (program, prefix) = self.program(wish.service)?;
        self.make_ground(tokens).map_err(|why| Refusal { class: Class::Refused, why, hopeless: false })?;
        let (config, secrets, mut facts) =
            PalyraConfig::look(&self.paths.config).map_err(|error| hopeless(Class::Configuration, error))?;
        let unusable = config.unusable().filter(|_| wish.service == ServiceId::Gateway);
        let browser_token = config.secrets_referred.get(&SecretName::BrowserToken);
        let unknown = browser_token.filter(|_| wish.service == ServiceId::Browserd);
        let unknown = unknown.map(|key| palyra::referred(SecretName::BrowserToken, key));
        if let Some(why) = unusable.or(unknown) {
            return Err(Refusal { class: Class::Configuration, why, hopeless: true });
        }
        let (chosen, note) = choose_ports(wish, &config, asked)?;
        let own = chosen.get(&wish.service).cloned().unwrap_or_default();
        let browser_ports = chosen.get(&ServiceId::Browserd).or_else(|| wish.ports.get(&ServiceId::Browserd));
        let browser_grpc = browser_ports.and_then(|ports| ports.get("grpc")).copied();
        let confidential = Confidential {
            admin_token: confide(secrets.admin_token.as_ref().unwrap_or(&tokens.admin)),
            browser_token: confide(secrets.browser_token.as_ref().unwrap_or(&tokens.browser)),
            browser_key: match &config.browser_key_ref {
                _ if wish.service != ServiceId::Browserd => None,
                // never ours instead: what was encrypted with the other one could not be read any more
                Some(reference) => {
                    let key = (asked.vault_key)(reference)?;
                    facts = facts.with_browser_key(&key);
                    Some(confide(&key))
                }
                None => Some(confide(&tokens.browser_key)),
            },
        };
        let places = self.places(&config, wish.service == ServiceId::NodeHost);
        let principal = config.bound_principal.as_deref().unwrap_or(config::PRINCIPAL);
        let browser = browser_grpc.filter(|_| wish.browser);
        let mut env = launch::environment(wish.service, &places, &confidential, principal, &own, browser);
        if wish.service == ServiceId::Gateway {
            // said either way: neither the config nor what we inherited opens it
            env.insert(launch::WINDOW_VARIABLE.to_owned(), Some(Secret::new(wish.window.to_string())));
        }
        if browser_token.is_some() {
            // the gateway takes none beside the one that it finds itself
            env.insert(launch::BROWSER_TOKEN_VARIABLE.to_owned(), None);
        }
        if self.demo {
            env.insert("PALYRA_DEMO_SEED".to_owned(), Some(Secret::new("1")));
        }
        let ours = [&tokens.admin, &tokens.browser, &tokens.browser_key].map(confide);
        let mut recorded = own.clone();
        if wish.service == ServiceId::Gateway
            && let Some(grpc) = browser_grpc
        {
            // what the gateway was told, for the agent that takes it back
            recorded.insert("browser_grpc".to_owned(), grpc);
        }
        let spec = Spec {
            version: VERSION,
            run_id: wish.run.clone(),
            service: wish.service,
            run_dir: self.paths.run_dir(wish.service),
            program,
            args: prefix.into_iter().chain(launch::arguments(wish.service, &own)).collect(),
            env,
            ladder: StopLadder { refused_port: own.get("http").copied(), ..StopLadder::default() },
            log: LogLimits { path: self.paths.log(wish.service), max_bytes: LOG_BYTES, keep: LOG_FILES },
            ports: recorded,
            lease_ms: wish.window.then_some(LEASE_MS),
            hide: palyra::secret_texts(&self.paths.config).into_iter().map(Secret::new).chain(ours).collect(),
        };
        Ok(Prepared { spec, ports: chosen, note, config: facts })
    }

    /// The `palyra` command line with these arguments.
    ///
    /// # Errors
    /// It is not there, or the config cannot be read; one sentence.
    pub fn palyra(&self, arguments: &[&str]) -> Result<Command, String> {
        let (program, prefix) = self.program(ServiceId::NodeHost).map_err(|refusal| refusal.why)?;
        let config = if self.paths.config_is_new && !self.paths.config.exists() {
            // it is made with the first start
            PalyraConfig::default()
        } else {
            PalyraConfig::read(&self.paths.config).map_err(|error| error.0)?.0
        };
        let mut command = Command::new(program);
        command.args(prefix).args(arguments).env(RUN_ID_VARIABLE, COMMAND_LINE);
        let none = Confidential::default();
        for (name, value) in
            launch::environment(ServiceId::NodeHost, &self.places(&config, true), &none, "", &Ports::new(), None)
        {
            match value {
                Some(value) => command.env(name, value.expose()),
                None => command.env_remove(name),
            };
        }
        Ok(command)
    }

    /// Where the gateway keeps its identity; `None`: the config cannot be read.
    pub fn identity_store(&self) -> Option<PathBuf> {
        let (config, _) = PalyraConfig::read(&self.paths.config).ok()?;
        self.places(&config, true).identity
    }

    /// Where the gateway keeps what it encrypts itself; `None`: the config cannot be read.
    pub fn vault(&self) -> Option<PathBuf> {
        let (config, _) = PalyraConfig::read(&self.paths.config).ok()?;
        self.places(&config, true).vault
    }

    /// `always`: what the config names is exported too, for a program that does not read it.
    fn places(&self, config: &PalyraConfig, always: bool) -> Places {
        let place = |named: &Option<PathBuf>, own: &PathBuf| match named {
            Some(named) => always.then(|| named.clone()),
            None => Some(own.clone()),
        };
        Places {
            runtime_root: self.paths.runtime_root.clone(),
            identity: place(&config.identity, &self.paths.identity),
            vault: place(&config.vault, &self.paths.vault),
            config: self.paths.config.clone(),
            profile: self.registered_profile(),
            canvas_elsewhere: config.canvas_elsewhere,
        }
    }

    /// The token that the running gateway was given, or would be.
    pub fn admin_token(&self, tokens: &Tokens) -> SecretString {
        match PalyraConfig::read(&self.paths.config) {
            Ok((_, secrets)) => secrets.admin_token.unwrap_or_else(|| tokens.admin.clone()),
            Err(_) => tokens.admin.clone(),
        }
    }

    fn program(&self, service: ServiceId) -> Result<(PathBuf, Vec<String>), Refusal> {
        if self.demo {
            let role = match service {
                ServiceId::Gateway => "gateway",
                ServiceId::Browserd => "browserd",
                ServiceId::NodeHost => "node-host",
            };
            return Ok((self.env.executable.clone(), vec!["demo-sidecar".to_owned(), role.to_owned()]));
        }
        let program = programs::find_binary(&self.env, service, self.folder.as_deref())
            .map_err(|error| hopeless(Class::CannotRun, error))?;
        Ok((program, Vec::new()))
    }

    /// The profile, as long as it is in the registry: the palyra command line dies of one that is not.
    fn registered_profile(&self) -> Option<(String, PathBuf)> {
        let (profile, registry) = (&self.paths.profile, &self.paths.registry);
        let is_there =
            || Registry::read(&self.env, &self.paths.state_root).is_ok_and(|read| read.get(&profile.name).is_ok());
        (profile.registered && is_there()).then(|| (profile.name.clone(), registry.clone()))
    }

    /// Directories, the config file, and for a new vault on a machine without Secret Service the kind that works there.
    fn make_ground(&self, tokens: &Tokens) -> Result<(), String> {
        let paths = &self.paths;
        let logs = paths.profile_own.join("logs");
        let config_dir = paths.config.parent().map(std::path::Path::to_path_buf);
        for dir in [&paths.runtime_root, &paths.identity, &logs] {
            store::private_dir(dir).map_err(cannot_write)?;
        }
        let vault_is_new = !paths.vault.exists();
        store::private_dir(&paths.vault).map_err(cannot_write)?;
        if vault_is_new && tokens.in_file {
            store::write_atomic(&paths.vault.join("backend.kind"), b"encrypted_file").map_err(cannot_write)?;
        }
        if !paths.config.exists() && paths.config_is_new {
            if let Some(dir) = config_dir {
                store::private_dir(&dir).map_err(cannot_write)?;
            }
            store::write_atomic(&paths.config, b"version = 1\n").map_err(cannot_write)?;
        }
        Ok(())
    }
}

fn confide(secret: &SecretString) -> Secret {
    Secret::new(secret.expose_secret())
}

fn choose_ports(
    wish: &Wish,
    config: &PalyraConfig,
    asked: &Asked<'_>,
) -> Result<(BTreeMap<ServiceId, Ports>, String), Refusal> {
    let mut chosen = BTreeMap::new();
    let mut note = String::new();
    let mut ours: BTreeSet<Bind> = BTreeSet::new();
    for id in wish.running.iter().filter(|id| **id != wish.service) {
        ours.extend(wish.ports.get(id).map(ports::binds).unwrap_or_default());
    }
    // the gateway is told the browser service's ports, so they are chosen with its own
    let with_browser =
        wish.browser && wish.service == ServiceId::Gateway && !wish.running.contains(&ServiceId::Browserd);
    let services = [Some(wish.service), with_browser.then_some(ServiceId::Browserd)];
    let wanted = |service: ServiceId| {
        let kept = wish.ports.get(&service).filter(|ports| !ports.is_empty()).cloned();
        ports::from_config(service, config).or(kept).unwrap_or_else(|| ports::defaults(service))
    };
    for service in services.into_iter().flatten() {
        // one that moves does not push the next one out of its place, as long as there is another
        let mut reserved = ours.clone();
        reserved
            .extend(services.into_iter().flatten().filter(|id| *id > service).flat_map(|id| ports::binds(&wanted(id))));
        let wanted = wanted(service);
        let found = ports::choose(service, &wanted, &reserved, &is_free)
            .or_else(|| ports::choose(service, &wanted, &ours, &is_free));
        let found = found.ok_or_else(|| Refusal {
            class: Class::Port,
            why: words::services::no_free_ports_for_between(service, ports::POOL.0, ports::POOL.1),
            hopeless: false,
        })?;
        if found != wanted {
            if !note.is_empty() {
                note.push(' ');
            }
            note.push_str(&moved(service, &wanted, &found, asked));
        }
        ours.extend(ports::binds(&found));
        chosen.insert(service, found);
    }
    Ok((chosen, note))
}

fn moved(service: ServiceId, wanted: &Ports, found: &Ports, asked: &Asked<'_>) -> String {
    let taken = ports::binds(wanted).into_iter().find(|bind| !is_free(*bind));
    let who = taken.and_then(|bind| {
        let (Bind::Tcp(port) | Bind::Udp(port)) = bind;
        (asked.holder)(bind).map(|holder| words::services::port_is_held(port, &holder))
    });
    let http = found.get("http").copied().unwrap_or(0);
    words::services::service_now_uses_port_and_those(who.unwrap_or_default(), service, http)
}

fn is_free(bind: Bind) -> bool {
    match bind {
        Bind::Tcp(port) => TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok(),
        Bind::Udp(port) => UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok(),
    }
}

fn hopeless(class: Class, error: ConfigError) -> Refusal {
    Refusal { class, why: error.0, hopeless: true }
}

fn cannot_write(error: std::io::Error) -> String {
    words::services::free_some_space_or_mend_permissions(&error)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sidecars(root: &std::path::Path) -> Sidecars {
        let env = Environment::of(&[("PALYRA_STATE_ROOT", root)], std::path::Path::new("/x/palyra-tray"));
        Sidecars { paths: Paths::find(&env).unwrap(), env, folder: None, demo: true }
    }

    fn tokens() -> Tokens {
        let secret = |text: &str| SecretString::from(text.to_owned());
        Tokens { admin: secret("a"), browser: secret("b"), browser_key: secret("k"), in_file: true }
    }

    const NOBODY: Asked<'_> = Asked { holder: &|_| None, vault_key: &|_| panic!("no vault is to be asked") };

    fn wish(service: ServiceId) -> Wish {
        let (ports, running) = (BTreeMap::new(), Vec::new());
        Wish { service, run: RunId("r".to_owned()), ports, running, browser: true, window: false }
    }

    #[test]
    fn a_foreign_process_on_a_port_is_named_and_moved_away_from() {
        let dir = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let _held = TcpListener::bind(("127.0.0.1", taken)).unwrap();
        let sidecars = sidecars(dir.path());
        std::fs::create_dir_all(sidecars.paths.config.parent().unwrap()).unwrap();
        // the others are free, also where a Palyra runs on the usual ones
        let free: Vec<_> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let [grpc, quic] = [0, 1].map(|n: usize| free[n].local_addr().unwrap().port());
        drop(free);
        let ports = format!("[daemon]\nport = {taken}\n[gateway]\ngrpc_port = {grpc}\nquic_port = {quic}\n");
        std::fs::write(&sidecars.paths.config, format!("version = 1\n{ports}")).unwrap();
        let holder = |bind| (bind == Bind::Tcp(taken)).then(|| "nginx (process 7)".to_owned());
        let prepared =
            sidecars.prepare(&wish(ServiceId::Gateway), &tokens(), &Asked { holder: &holder, ..NOBODY }).ok().unwrap();
        assert_ne!(prepared.ports[&ServiceId::Gateway]["http"], taken);
        assert!(
            prepared.note.contains("nginx (process 7)") && prepared.note.contains(&taken.to_string()),
            "{}",
            prepared.note
        );
    }

    #[test]
    fn a_gateway_that_moves_leaves_the_browser_its_ports() {
        let dir = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let sidecars = sidecars(dir.path());
        std::fs::create_dir_all(sidecars.paths.config.parent().unwrap()).unwrap();
        let gateway = format!("[daemon]\nport = {}\n", taken.local_addr().unwrap().port());
        std::fs::write(&sidecars.paths.config, &gateway).unwrap();
        let chosen =
            |sidecars: &Sidecars| sidecars.prepare(&wish(ServiceId::Gateway), &tokens(), &NOBODY).ok().unwrap().ports;
        // the browser is to have what the gateway would otherwise be moved to
        let http = chosen(&sidecars)[&ServiceId::Gateway]["http"];
        let browser = format!("[tool_call.browser_service]\nendpoint = \"http://127.0.0.1:{http}\"\n");
        std::fs::write(&sidecars.paths.config, format!("{gateway}{browser}")).unwrap();
        let ports = chosen(&sidecars);
        assert_eq!(ports[&ServiceId::Browserd]["grpc"], http);
        assert!(ports::binds(&ports[&ServiceId::Gateway]).is_disjoint(&ports::binds(&ports[&ServiceId::Browserd])));
    }

    #[test]
    fn when_both_services_move_both_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let held: Vec<_> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let [gateway, browser] = [0, 1].map(|n: usize| held[n].local_addr().unwrap().port());
        let sidecars = sidecars(dir.path());
        std::fs::create_dir_all(sidecars.paths.config.parent().unwrap()).unwrap();
        let text = format!(
            "[daemon]\nport = {gateway}\n[tool_call.browser_service]\nhealth_base_url = \"http://127.0.0.1:{browser}\"\n"
        );
        std::fs::write(&sidecars.paths.config, text).unwrap();
        let prepared = sidecars.prepare(&wish(ServiceId::Gateway), &tokens(), &NOBODY).ok().unwrap();
        assert!(prepared.note.contains("gateway") && prepared.note.contains("browserd"), "{}", prepared.note);
    }

    #[test]
    fn the_config_is_made_once_and_never_touched() {
        let dir = tempfile::tempdir().unwrap();
        let sidecars = sidecars(dir.path());
        sidecars.prepare(&wish(ServiceId::Browserd), &tokens(), &NOBODY).ok().unwrap();
        assert_eq!(std::fs::read_to_string(&sidecars.paths.config).unwrap(), "version = 1\n");
        assert_eq!(std::fs::read_to_string(sidecars.paths.vault.join("backend.kind")).unwrap(), "encrypted_file");
        std::fs::write(&sidecars.paths.config, "version = 1 # mine\n").unwrap();
        std::fs::write(sidecars.paths.vault.join("backend.kind"), "linux_secret_service").unwrap();
        sidecars.prepare(&wish(ServiceId::Gateway), &tokens(), &NOBODY).ok().unwrap();
        assert_eq!(std::fs::read_to_string(&sidecars.paths.config).unwrap(), "version = 1 # mine\n");
        assert_eq!(std::fs::read_to_string(sidecars.paths.vault.join("backend.kind")).unwrap(), "linux_secret_service");
    }

    #[test]
    fn a_browser_key_in_the_vault_is_read_at_each_start_of_the_browser_and_never_replaced_by_ours() {
        let dir = tempfile::tempdir().unwrap();
        let sidecars = sidecars(dir.path());
        let key = |service, asked: &Asked<'_>| {
            let prepared = sidecars.prepare(&wish(service), &tokens(), asked)?;
            let key = prepared.spec.env.get("PALYRA_BROWSERD_STATE_ENCRYPTION_KEY").cloned().flatten();
            Ok::<_, Refusal>(key.map(|key| key.expose().to_owned()))
        };
        assert_eq!(key(ServiceId::Browserd, &NOBODY).unwrap().as_deref(), Some("k"), "none is named: our own");
        let text = "version = 1\n[tool_call.browser_service]\nstate_key_vault_ref = \"global/key\"\n";
        std::fs::write(&sidecars.paths.config, text).unwrap();
        assert_eq!(key(ServiceId::Gateway, &NOBODY).unwrap(), None, "the gateway has nothing to do with it");
        let vault = |reference: &str| Ok(SecretString::from(format!("value of {reference}")));
        let given = key(ServiceId::Browserd, &Asked { vault_key: &vault, ..NOBODY }).unwrap();
        assert_eq!(given.as_deref(), Some("value of global/key"));
        let none = |_: &str| Err(Refusal { class: Class::Configuration, why: "none".to_owned(), hopeless: true });
        let refused = key(ServiceId::Browserd, &Asked { vault_key: &none, ..NOBODY }).unwrap_err();
        assert!(refused.hopeless && refused.why == "none");
    }

    /// The gateway refuses to start with both.
    #[test]
    fn a_token_that_the_config_only_refers_to_is_never_given_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let sidecars = sidecars(dir.path());
        sidecars.prepare(&wish(ServiceId::Gateway), &tokens(), &NOBODY).ok().unwrap();
        let refused = |service, words: &[&str]| {
            let refusal = sidecars.prepare(&wish(service), &tokens(), &NOBODY).err().unwrap();
            assert!(refusal.hopeless && refusal.class == Class::Configuration, "{refusal:?}");
            assert!(words.iter().all(|word| refusal.why.contains(word)), "{refusal:?}");
        };
        let reference = "auth_token_secret_ref = { kind = \"env\", variable = \"X\" }";
        std::fs::write(&sidecars.paths.config, format!("version = 1\n[admin]\n{reference}\n")).unwrap();
        refused(ServiceId::Gateway, &["the admin token", "admin.auth_token_secret_ref", "into admin.auth_token,"]);
        assert!(sidecars.prepare(&wish(ServiceId::Browserd), &tokens(), &NOBODY).is_ok());
        let browser = format!("version = 1\n[tool_call.browser_service]\n{reference}\n");
        std::fs::write(&sidecars.paths.config, browser).unwrap();
        refused(ServiceId::Browserd, &["the browser token", "into tool_call.browser_service.auth_token,"]);
        let prepared = sidecars.prepare(&wish(ServiceId::Gateway), &tokens(), &NOBODY).ok().unwrap();
        assert_eq!(
            prepared.spec.env.get("PALYRA_BROWSER_SERVICE_AUTH_TOKEN"),
            Some(&None),
            "not even an inherited one"
        );
    }

    #[test]
    fn an_unwritable_state_root_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("desktop-control-center"), "a file in the way").unwrap();
        let refusal = sidecars(dir.path()).prepare(&wish(ServiceId::Gateway), &tokens(), &NOBODY).err().unwrap();
        assert!(
            refusal.why.contains("desktop-control-center") && refusal.why.contains("permissions"),
            "{}",
            refusal.why
        );
    }

    #[test]
    fn an_invalid_config_stops_the_start_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let sidecars = sidecars(dir.path());
        std::fs::create_dir_all(sidecars.paths.config.parent().unwrap()).unwrap();
        std::fs::write(&sidecars.paths.config, "version = ").unwrap();
        let refusal = sidecars.prepare(&wish(ServiceId::Gateway), &tokens(), &NOBODY).err().unwrap();
        assert!(refusal.hopeless && refusal.why.contains("palyra.toml"), "{}", refusal.why);
    }
}
