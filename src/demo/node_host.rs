//! Demo `palyra node run --json`: says what it is and sleeps until Ctrl-C.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;

use super::faults::Faults;
use super::process::{self, Interrupt};

const TARGET: &str = "palyra";
const DEVICE_ID: &str = "01BX5ZZKBKACTAV9WEVGEMMVRZ";

/// Runs with the words after `node-host`, which are `palyra`'s.
pub fn run(args: &[String]) -> ExitCode {
    if args != ["node", "run", "--json"] {
        return process::refuse(2, "the demo node host knows only: node run --json");
    }
    let node_rpc_port = std::env::var("PALYRA_GATEWAY_GRPC_PORT")
        .ok()
        .and_then(|port| port.parse::<u16>().ok())
        .map_or(7444, |grpc| grpc.saturating_add(1));
    let result = process::runtime().and_then(|runtime| runtime.block_on(serve(node_rpc_port)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => process::refuse(1, &format!("the demo node host cannot start: {error}")),
    }
}

async fn serve(node_rpc_port: u16) -> std::io::Result<()> {
    let mut interrupt = Interrupt::listen()?;
    let faults = Arc::new(Faults::new(TARGET));
    faults.apply_environment().map_err(std::io::Error::other)?;
    let hello = json!({
        "action": "run",
        "device_id": DEVICE_ID,
        "grpc_url": format!("https://127.0.0.1:{node_rpc_port}"),
        "poll_interval_ms": 1000,
        "paired": true,
        "capability_count": 5,
    });
    process::raw_line(format!("{hello:#}").as_bytes());
    loop {
        interrupt.next().await;
        if !faults.ignores_sigint() {
            return Ok(());
        }
    }
}
