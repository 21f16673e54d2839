//! Demo `palyra-browserd`: a health endpoint and a silent gRPC port.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::Json;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use serde_json::json;
use tokio::net::TcpListener;

use super::conn::{Cut, CuttableListener};
use super::fault_layer;
use super::faults::{self, Faults};
use super::gateway::system;
use super::process::{self, Interrupt};

const TARGET: &str = "palyra-browserd";

/// `palyra-browserd`'s command line, as far as a supervisor uses it.
#[derive(Parser)]
#[command(name = "demo-sidecar browserd", no_binary_name = true, disable_version_flag = true)]
struct Args {
    #[arg(long, default_value = "127.0.0.1")]
    bind: std::net::IpAddr,
    #[arg(long, default_value_t = 7143)]
    port: u16,
    #[arg(long, default_value = "127.0.0.1")]
    grpc_bind: std::net::IpAddr,
    #[arg(long, default_value_t = 7543)]
    grpc_port: u16,
}

/// Runs with the words after `browserd`.
pub fn run(args: &[String]) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => return process::refuse(2, &error.to_string()),
    };
    if !args.bind.is_loopback() || !args.grpc_bind.is_loopback() {
        return process::refuse(1, "the demo browser service binds loopback addresses only");
    }
    if let Ok(key) = std::env::var("PALYRA_BROWSERD_STATE_ENCRYPTION_KEY")
        && STANDARD.decode(key.trim()).ok().is_none_or(|key| key.len() != 32)
    {
        return process::refuse(1, "PALYRA_BROWSERD_STATE_ENCRYPTION_KEY must be base64 of exactly 32 bytes");
    }
    let ended = match process::runtime() {
        Ok(runtime) => runtime.block_on(serve(&args)),
        Err(error) => Err(format!("no runtime: {error}")),
    };
    ended.map_or_else(|why| process::refuse(1, &why), |()| ExitCode::SUCCESS)
}

async fn serve(args: &Args) -> Result<(), String> {
    let mut interrupt = Interrupt::listen().map_err(|error| format!("cannot listen to Ctrl-C: {error}"))?;
    let orders = faults::environment()?;
    tokio::time::sleep(fault_layer::start_delay(&orders)).await;
    process::log(TARGET, "browser service startup", json!({ "demo": true }));
    let bind = async |what: &str, ip, port| {
        TcpListener::bind((ip, port)).await.map_err(|error| format!("failed to bind {what} on {ip}:{port}: {error}"))
    };
    let health = bind("health", args.bind, args.port).await?;
    let grpc = bind("gRPC", args.grpc_bind, args.grpc_port).await?;
    let address = |listener: &TcpListener| listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
    process::log(TARGET, "browserd health endpoint ready", json!({ "listen_addr": address(&health) }));
    process::log(TARGET, "browserd gRPC endpoint ready", json!({ "grpc_listen_addr": address(&grpc) }));

    let faults = Arc::new(Faults::new(TARGET));
    faults.apply(&orders);
    let (started, named) = (Instant::now(), Arc::clone(&faults));
    let answer = move || async move { Json(system::healthz(named.service_name(), started.elapsed().as_secs())) };
    let router = fault_layer::wrap(Router::new().route("/healthz", get(answer)), Arc::clone(&faults));
    let server = axum::serve(CuttableListener(health), router.into_make_service_with_connect_info::<Cut>());
    let stopped = async {
        loop {
            interrupt.next().await;
            if !faults.ignores_sigint() {
                break;
            }
        }
    };
    tokio::select! {
        result = server => result.map_err(|error| format!("the HTTP server failed: {error}")),
        () = stopped => {
            process::log(TARGET, "shutdown signal received", json!({}));
            Ok(())
        }
    }
}
