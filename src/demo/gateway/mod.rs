//! Demo `palyrad`. How it differs from the real one is said in [`crate::demo`].

mod acp;
mod approvals;
mod auth;
mod books;
mod chat;
mod config_file;
mod console;
pub mod demo_api;
mod discord;
mod error;
mod fate;
mod journal;
mod kept;
mod limits;
mod onboarding;
pub mod pairing;
mod providers;
mod record;

mod runs;
mod seed;
mod settings;
mod sign_in;
mod store;
pub mod system;

use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Json, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::settings::Settings;
use self::store::Store;
use super::conn::{Cut, CuttableListener};
use super::fault_layer;
use super::faults::{self, Fault, Faults};
use super::process::{self, Interrupt};

/// Name in log lines and in `/healthz`.
const TARGET: &str = "palyrad";
const DASHBOARD: &str = include_str!("dashboard.html");
const UNAVAILABLE: &str = include_str!("unavailable.html");

/// Everything that requests share.
pub struct Gateway {
    settings: Settings,
    started: Instant,
    store: Store,
    sessions: console::Sessions,
    runs: runs::Runs,
    config: config_file::ConfigFile,
    keeper: kept::Keeper,
    nodes: pairing::Nodes,
    partner: providers::Partner,
    attempts: sign_in::Attempts,
    acp_rate: acp::AcpRate,
    budget: limits::Budget,
    faults: Arc<Faults>,
}

/// Runs with the words after `gateway`, which are `palyrad`'s.
pub fn run(args: &[String]) -> ExitCode {
    let settings = match Settings::resolve(args) {
        Ok(settings) => settings,
        Err((code, why)) => return process::refuse(code, &why),
    };
    let runtime = match process::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return process::refuse(1, &format!("no runtime: {error}")),
    };
    let ended = runtime.block_on(serve(settings));
    // Dropping the runtime closes every listener and connection at once.
    drop(runtime);
    match ended {
        Err(why) => process::refuse(1, &why),
        Ok(None) => ExitCode::SUCCESS,
        // The real gateway's QUIC accept loop has no end, and the process waits for it.
        Ok(Some(_quic)) => loop {
            std::thread::park();
        },
    }
}

/// Serves until Ctrl-C. Gives the QUIC socket that outlives everything else.
async fn serve(settings: Settings) -> Result<Option<UdpSocket>, String> {
    let mut interrupt = Interrupt::listen().map_err(|error| format!("cannot listen to Ctrl-C: {error}"))?;
    let orders = faults::environment()?;
    tokio::time::sleep(fault_layer::start_delay(&orders)).await;
    let store = Store::open(&settings.state_root)
        .map_err(|error| format!("cannot open the journal under {}: {error}", settings.state_root.display()))?;
    let keeper = kept::Keeper::open(&settings.state_root)
        .map_err(|error| format!("cannot open the credentials under {}: {error}", settings.state_root.display()))?;
    let config = config_file::ConfigFile::new(settings.config.clone(), &settings.state_root);
    let chosen = config.chosen();
    let profile = chosen.as_ref().and_then(|chosen| keeper.get().profiles.remove(&chosen.profile));
    let partner = providers::Partner::resolve(chosen, profile, settings.offline);
    if let Some(refusal) = partner.refusal() {
        return Err(refusal);
    }
    process::log(TARGET, "gateway startup", json!({ "demo": true, "runloop": settings.runloop }));
    let sockets = Sockets::bind(&settings).await?;
    let gateway = Arc::new(Gateway {
        settings,
        started: Instant::now(),
        store,
        sessions: console::Sessions::default(),
        runs: runs::Runs::default(),
        config,
        keeper,
        nodes: pairing::Nodes::default(),
        partner,
        attempts: sign_in::Attempts::default(),
        acp_rate: acp::AcpRate::default(),
        budget: limits::Budget::default(),
        faults: Arc::new(Faults::new(TARGET)),
    });
    let weak = Arc::downgrade(&gateway);
    gateway.faults.delegate(move |fault| {
        if let Some(gateway) = weak.upgrade() {
            gateway.suffer(fault);
        }
    });
    gateway.faults.apply(&orders);
    if gateway.settings.seed {
        seed::start(Arc::clone(&gateway));
    }
    let router = fault_layer::wrap(router(Arc::clone(&gateway)), Arc::clone(&gateway.faults));
    let server = axum::serve(CuttableListener(sockets.http), router.into_make_service_with_connect_info::<Cut>());
    let nodes = axum::serve(sockets.node_rpc, pairing::node_rpc(Arc::clone(&gateway)));
    tokio::select! {
        result = nodes => result.map_err(|error| format!("the node RPC server failed: {error}"))?,
        result = server => result.map_err(|error| format!("the HTTP server failed: {error}"))?,
        () = interrupted(&mut interrupt, &gateway.faults) => process::log(TARGET, "shutdown signal received", json!({})),
    }
    Ok(sockets.quic)
}

async fn interrupted(interrupt: &mut Interrupt, faults: &Faults) {
    loop {
        interrupt.next().await;
        if !faults.ignores_sigint() {
            return;
        }
    }
}

/// The bound ports. gRPC and QUIC are never read.
struct Sockets {
    http: TcpListener,
    _grpc: TcpListener,
    node_rpc: TcpListener,
    quic: Option<UdpSocket>,
}

impl Sockets {
    async fn bind(settings: &Settings) -> Result<Self, String> {
        let node_rpc_port = match settings.grpc_port {
            0 => 0,
            port => port.checked_add(1).ok_or("the node RPC port, gRPC + 1, must be below 65536")?,
        };
        let http = listen("daemon", &settings.bind, settings.port).await?;
        log_bound("daemon listening", "listen_addr", http.local_addr(), json!({}));
        let grpc = listen("gateway gRPC", &settings.grpc_bind, settings.grpc_port).await?;
        log_bound("gateway gRPC listening", "grpc_listen_addr", grpc.local_addr(), json!({}));
        let node_rpc = listen("node RPC", &settings.grpc_bind, node_rpc_port).await?;
        let mtls = json!({ "node_rpc_mtls_required": !settings.insecure_node_rpc });
        log_bound("node RPC listener initialized", "node_rpc_listen_addr", node_rpc.local_addr(), mtls);
        let quic = if settings.quic_enabled {
            let address = format!("{}:{}", settings.quic_bind, settings.quic_port);
            let quic = UdpSocket::bind(&address).map_err(|error| cannot_bind("gateway QUIC", &address, &error))?;
            log_bound("gateway QUIC listener initialized", "quic_listen_addr", quic.local_addr(), json!({}));
            Some(quic)
        } else {
            None
        };
        Ok(Self { http, _grpc: grpc, node_rpc, quic })
    }
}

async fn listen(what: &str, host: &str, port: u16) -> Result<TcpListener, String> {
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    TcpListener::bind(&address).await.map_err(|error| cannot_bind(what, &address, &error))
}

fn cannot_bind(what: &str, address: &str, error: &std::io::Error) -> String {
    format!("failed to bind {what} on {address}: {error}")
}

fn log_bound(message: &str, field: &str, address: std::io::Result<SocketAddr>, mut fields: Value) {
    if let Ok(address) = address {
        fields[field] = json!(address.to_string());
    }
    process::log(TARGET, message, fields);
}

fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .merge(auth::routes())
        .merge(approvals::routes())
        .merge(acp::routes())
        .merge(chat::routes())
        .merge(runs::routes())
        .merge(books::routes())
        .merge(system::routes())
        .merge(providers::routes())
        .merge(sign_in::routes())
        .merge(onboarding::routes())
        .merge(discord::routes())
        .merge(pairing::routes())
        .layer(DefaultBodyLimit::max(limits::BODY_MAX))
        .route_layer(from_fn_with_state(Arc::clone(&gateway), limits::renew))
        .route("/", get(Html(DASHBOARD)))
        .fallback(unavailable)
        .layer(from_fn_with_state(Arc::clone(&gateway), limits::guard))
        .route("/healthz", get(healthz))
        .merge(demo_api::routes())
        .merge(sign_in::page_routes())
        .with_state(gateway)
}

async fn healthz(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    Json(system::healthz(gateway.faults.service_name(), gateway.started.elapsed().as_secs()))
}

/// What the real gateway says to every path it does not know when no dashboard lies beside it.
async fn unavailable() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Html(UNAVAILABLE)).into_response()
}

impl Gateway {
    /// Faults that concern what it keeps.
    fn suffer(&self, fault: Fault) {
        match fault {
            Fault::LoseSessions => self.sessions.lose(),
            Fault::ExpireSignIns => self.attempts.expire(),
            Fault::DecideElsewhere(approved, id) => {
                let oldest = || self.store.pending(|_| true).into_iter().next().map(|record| record.approval_id);
                if let Some(id) = id.or_else(oldest) {
                    self.store.decide(&id, &demo_api::elsewhere(approved));
                }
            }
            _ => {}
        }
    }
}
