//! What the gateway is told: command line, then environment, then config file, then defaults.

use std::path::PathBuf;

use clap::Parser;

/// `palyrad`'s command line.
#[derive(Parser)]
#[command(name = "demo-sidecar gateway", no_binary_name = true, disable_version_flag = true)]
struct Args {
    #[arg(long)]
    bind: Option<String>,
    #[arg(long)]
    port: Option<u16>,
    #[arg(long)]
    grpc_bind: Option<String>,
    #[arg(long)]
    grpc_port: Option<u16>,
}

/// How this gateway runs.
pub struct Settings {
    /// Loopback address of the HTTP port.
    pub bind: String,
    /// HTTP port as configured; 0 lets the system choose.
    pub port: u16,
    /// Loopback address of gRPC and node RPC.
    pub grpc_bind: String,
    /// gRPC port as configured.
    pub grpc_port: u16,
    /// Loopback address of QUIC.
    pub quic_bind: String,
    /// QUIC port (UDP) as configured.
    pub quic_port: u16,
    /// On by default.
    pub quic_enabled: bool,
    /// Where `data/` lies.
    pub state_root: PathBuf,
    /// `PALYRA_CONFIG`
    pub config: Option<PathBuf>,
    /// Nothing can be reached: no provider, no Discord.
    pub offline: bool,
    /// `None` only when logging in needs none.
    pub admin_token: Option<String>,
    /// Whether logging in needs token and bound principal.
    pub require_auth: bool,
    /// The principal that every session gets.
    pub bound_principal: Option<String>,
    /// Whether chat messages are answered.
    pub runloop: bool,
    /// Whether the browser service is used.
    pub browser_enabled: bool,
    /// The opt-out that node enrolment needs.
    pub insecure_node_rpc: bool,
    /// A node's certificate is good for this long.
    pub certificate_ms: i64,
    /// Whether approvals appear by themselves.
    pub seed: bool,
}

impl Settings {
    /// Reads everything. `Err` is the text for standard error and the exit code.
    pub fn resolve(args: &[String]) -> Result<Self, (u8, String)> {
        let args = Args::try_parse_from(args).map_err(|error| (2, error.to_string()))?;
        Self::with(args, &Sources::open()?)
    }

    fn with(args: Args, sources: &Sources) -> Result<Self, (u8, String)> {
        let require_auth = sources.boolean("PALYRA_ADMIN_REQUIRE_AUTH", "admin.require_auth", true)?;
        let admin_token =
            sources.text("PALYRA_ADMIN_TOKEN", "admin.auth_token").filter(|token| !token.trim().is_empty());
        if require_auth && admin_token.is_none() {
            return refuse(
                "admin auth is required but no token is configured: set PALYRA_ADMIN_TOKEN or admin.auth_token",
            );
        }
        let state_root = match sources.env("PALYRA_STATE_ROOT") {
            Some(root) if root.trim().is_empty() => return refuse("PALYRA_STATE_ROOT must not be empty"),
            Some(root) => PathBuf::from(root),
            None => return refuse("the demo gateway needs PALYRA_STATE_ROOT: it never touches the default state root"),
        };
        let loopback = || "127.0.0.1".to_owned();
        let settings = Self {
            bind: args
                .bind
                .or_else(|| sources.text("PALYRA_DAEMON_BIND_ADDR", "daemon.bind_addr"))
                .unwrap_or_else(loopback),
            port: args.port.map_or_else(|| sources.port("PALYRA_DAEMON_PORT", "daemon.port", 7142), Ok)?,
            grpc_bind: args
                .grpc_bind
                .or_else(|| sources.text("PALYRA_GATEWAY_GRPC_BIND_ADDR", "gateway.grpc_bind_addr"))
                .unwrap_or_else(loopback),
            grpc_port: args
                .grpc_port
                .map_or_else(|| sources.port("PALYRA_GATEWAY_GRPC_PORT", "gateway.grpc_port", 7443), Ok)?,
            quic_bind: sources.text("PALYRA_GATEWAY_QUIC_BIND_ADDR", "gateway.quic_bind_addr").unwrap_or_else(loopback),
            quic_port: sources.port("PALYRA_GATEWAY_QUIC_PORT", "gateway.quic_port", 7444)?,
            quic_enabled: sources.boolean("PALYRA_GATEWAY_QUIC_ENABLED", "gateway.quic_enabled", true)?,
            state_root,
            config: std::env::var_os("PALYRA_CONFIG").map(PathBuf::from),
            offline: sources.env("PALYRA_DEMO_OFFLINE").as_deref() == Some("1"),
            admin_token,
            require_auth,
            bound_principal: sources.text("PALYRA_ADMIN_BOUND_PRINCIPAL", "admin.bound_principal"),
            runloop: sources.boolean(
                "PALYRA_ORCHESTRATOR_RUNLOOP_V1_ENABLED",
                "orchestrator.runloop_v1_enabled",
                false,
            )?,
            browser_enabled: sources.boolean(
                "PALYRA_BROWSER_SERVICE_ENABLED",
                "tool_call.browser_service.enabled",
                false,
            )?,
            insecure_node_rpc: sources.boolean(
                "PALYRA_ALLOW_INSECURE_NODE_RPC_WITHOUT_MTLS",
                "identity.allow_insecure_node_rpc_without_mtls",
                false,
            )?,
            certificate_ms: super::pairing::certificate_ms(sources.env("PALYRA_DEMO_CERTIFICATE_MS").as_deref()),
            seed: sources.env("PALYRA_DEMO_SEED").as_deref() == Some("1"),
        };
        for address in [&settings.bind, &settings.grpc_bind, &settings.quic_bind] {
            if !address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
                return refuse(&format!("the demo gateway binds loopback addresses only, not `{address}`"));
            }
        }
        Ok(settings)
    }
}

/// Environment and config file.
struct Sources {
    config: toml::Table,
}

impl Sources {
    fn open() -> Result<Self, (u8, String)> {
        let own = || {
            let path = PathBuf::from(std::env::var_os("PALYRA_STATE_ROOT")?).join("palyra.toml");
            path.is_file().then_some(path)
        };
        let Some(path) = std::env::var_os("PALYRA_CONFIG").map(PathBuf::from).or_else(own) else {
            return Ok(Self { config: toml::Table::new() });
        };
        let shown = path.clone();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                return refuse(&format!("PALYRA_CONFIG names {}, which cannot be read: {error}", shown.display()));
            }
        };
        match text.parse::<toml::Table>() {
            Ok(config) if config.get("version").and_then(toml::Value::as_integer) == Some(1) => Ok(Self { config }),
            Ok(_) => refuse(&format!("{} has no `version = 1`", shown.display())),
            Err(error) => refuse(&format!("{} is not valid TOML: {}", shown.display(), error.message())),
        }
    }

    fn env(&self, variable: &str) -> Option<String> {
        std::env::var(variable).ok()
    }

    fn key(&self, dotted: &str) -> Option<&toml::Value> {
        let mut parts = dotted.split('.');
        let first = self.config.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    }

    fn text(&self, variable: &str, key: &str) -> Option<String> {
        self.env(variable).or_else(|| self.key(key).and_then(toml::Value::as_str).map(str::to_owned))
    }

    fn port(&self, variable: &str, key: &str, default: u16) -> Result<u16, (u8, String)> {
        let port = match self.env(variable) {
            Some(text) => text.parse().ok(),
            None => match self.key(key) {
                Some(value) => value.as_integer().and_then(|port| u16::try_from(port).ok()),
                None => Some(default),
            },
        };
        port.ok_or_else(|| (1, format!("{variable} (or {key}) must be a port number")))
    }

    fn boolean(&self, variable: &str, key: &str, default: bool) -> Result<bool, (u8, String)> {
        match self.env(variable).as_deref() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => refuse(&format!("{variable} must be exactly `true` or `false`")),
            None => Ok(self.key(key).and_then(toml::Value::as_bool).unwrap_or(default)),
        }
    }
}

fn refuse<T>(why: &str) -> Result<T, (u8, String)> {
    Err((1, why.to_owned()))
}
