//! Demo `palyra node …`: pairs with the demo gateway, and runs as a node until Ctrl-C or until its connection is lost. What it
//! keeps lies where the real one keeps it. Its connection is HTTP to the node RPC port, see `gateway::pairing`.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::faults::Faults;
use super::gateway::pairing::CERTIFICATE;
use super::process::{self, Interrupt};

const TARGET: &str = "palyra";
const POLL: Duration = Duration::from_millis(250);
const BEAT: Duration = Duration::from_millis(1_000);

/// `node-host.json`
#[derive(Clone, Serialize, Deserialize)]
struct Config {
    schema_version: u32,
    grpc_url: String,
    device_id: String,
    poll_interval_ms: u64,
    identity_store_dir: String,
    installed_at_unix_ms: i64,
    paired_at_unix_ms: i64,
}

#[derive(Serialize, Deserialize)]
struct Certificate {
    certificate: String,
    expires_at_unix_ms: i64,
}

/// Runs with the words after `node-host`, which are `palyra`'s.
pub fn run(args: &[String]) -> ExitCode {
    let words: Vec<_> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["node", "run", "--json"] => node_run(),
        ["node", "status", "--json"] => node_state("status").map(|document| print(&document)),
        ["node", "uninstall", "--json"] => node_uninstall(),
        ["node", "install", "--json", rest @ ..] => node_install(rest),
        _ => return process::refuse(2, "the demo knows only: node run, status, install, uninstall --json"),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => process::refuse(1, &why),
    }
}

fn folder() -> Result<PathBuf, String> {
    let root = std::env::var_os("PALYRA_STATE_ROOT").ok_or("PALYRA_STATE_ROOT is required")?;
    Ok(PathBuf::from(root).join("node-host"))
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_slice(&std::fs::read(folder().ok()?.join(name)).ok()?).ok()
}

fn write(name: &str, value: &impl Serialize) -> Result<(), String> {
    let write = || -> std::io::Result<()> {
        let folder = folder().map_err(std::io::Error::other)?;
        std::fs::create_dir_all(folder.join("identity"))?;
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        serde_json::to_writer_pretty(&mut file, value)?;
        file.persist(folder.join(name)).map_err(|error| error.error).map(drop)
    };
    write().map_err(|error| format!("{name} cannot be written: {error}"))
}

fn print(document: &Value) {
    process::raw_line(format!("{document:#}").as_bytes());
}

fn node_state(action: &str) -> Result<Value, String> {
    let config: Option<Config> = read("node-host.json");
    let certificate: Option<Certificate> = read("identity/certificate.json");
    Ok(json!({
        "action": action,
        "installed": config.is_some(),
        "paired": certificate.is_some(),
        "running": false,
        "device_id": config.as_ref().map(|config| &config.device_id),
        "grpc_url": config.as_ref().map(|config| &config.grpc_url),
        "identity_store_dir": config.as_ref().map(|config| &config.identity_store_dir),
        "cert_expires_at_unix_ms": certificate.as_ref().map(|certificate| certificate.expires_at_unix_ms),
        "pid": null, "stdout_log_path": null, "stderr_log_path": null,
        "detail": "demo node host",
    }))
}

fn node_uninstall() -> Result<(), String> {
    let folder = folder()?;
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.to_string()),
        _ => {}
    }
    node_state("uninstall").map(|document| print(&document))
}

fn node_install(rest: &[&str]) -> Result<(), String> {
    let value = |name: &str| {
        let at = rest.iter().position(|word| *word == name).ok_or_else(|| format!("{name} is missing"))?;
        rest.get(at + 1).map(|word| (*word).to_owned()).ok_or_else(|| format!("{name} needs a value"))
    };
    if !rest.contains(&"--pairing-code-stdin") || value("--method")? != "pin" {
        return Err("the demo takes a pin on standard input only".to_owned());
    }
    if std::env::var_os("PALYRA_GATEWAY_IDENTITY_STORE_DIR").is_none() {
        return Err("node pairing bootstrap requires PALYRA_GATEWAY_IDENTITY_STORE_DIR".to_owned());
    }
    let (device_id, grpc_url) = (value("--device-id")?, value("--grpc-url")?);
    let mut code = String::new();
    std::io::stdin().read_to_string(&mut code).map_err(|error| error.to_string())?;
    // as the real one: what is there, expired or not, is kept
    if read::<Certificate>("identity/certificate.json").is_none() {
        let runtime = process::runtime().map_err(|error| error.to_string())?;
        let certificate = runtime.block_on(pair(&grpc_url, &device_id, code.trim()))?;
        write("identity/certificate.json", &certificate)?;
    }
    let config = Config {
        schema_version: 1,
        grpc_url,
        device_id,
        poll_interval_ms: 1000,
        identity_store_dir: folder()?.join("identity").display().to_string(),
        installed_at_unix_ms: process::unix_ms(),
        paired_at_unix_ms: process::unix_ms(),
    };
    write("node-host.json", &config)?;
    node_state("install").map(|document| print(&document))
}

async fn pair(grpc_url: &str, device_id: &str, code: &str) -> Result<Certificate, String> {
    let connection = Connection::new(grpc_url, None)?;
    let asked = connection.call("pair", Some(json!({ "code": code, "device_id": device_id }))).await?;
    let id = asked["request_id"].as_str().ok_or("the gateway gave no request")?.to_owned();
    loop {
        let stands = connection.call(&format!("pair/{id}"), None).await?;
        match stands["state"].as_str() {
            Some("completed") => return serde_json::from_value(stands).map_err(|error| error.to_string()),
            Some("pending_approval" | "approved") => tokio::time::sleep(POLL).await,
            other => return Err(format!("node pairing request was {}", other.unwrap_or("lost"))),
        }
    }
}

fn node_run() -> Result<(), String> {
    let runtime = process::runtime().map_err(|error| error.to_string())?;
    runtime.block_on(serve())
}

async fn serve() -> Result<(), String> {
    let mut interrupt = Interrupt::listen().map_err(|error| error.to_string())?;
    let faults = Arc::new(Faults::new(TARGET));
    faults.apply_environment()?;
    let (Some(config), Some(certificate)) =
        (read::<Config>("node-host.json"), read::<Certificate>("identity/certificate.json"))
    else {
        return Err("node pairing bootstrap requires --method when local pairing material is absent".to_owned());
    };
    let connection = Connection::new(&config.grpc_url, Some(certificate.certificate))?;
    let beat = format!("beat/{}", config.device_id);
    let failed = |why: String| format!("failed to register node host: {why}");
    connection.call(&beat, Some(json!({}))).await.map_err(failed)?;
    print(&json!({
        "action": "run", "device_id": config.device_id, "grpc_url": config.grpc_url,
        "poll_interval_ms": config.poll_interval_ms, "paired": true, "capability_count": 5,
    }));
    loop {
        tokio::select! {
            () = interrupt.next() => if !faults.ignores_sigint() { return Ok(()) },
            () = tokio::time::sleep(BEAT) => {
                connection.call(&beat, Some(json!({}))).await
                    .map_err(|why| format!("failed to receive node event stream message: {why}"))?;
            }
        }
    }
}

struct Connection {
    http: reqwest::Client,
    base: String,
    certificate: Option<String>,
}

impl Connection {
    fn new(grpc_url: &str, certificate: Option<String>) -> Result<Self, String> {
        let http = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
        let base = grpc_url.trim_end_matches('/').replacen("https://", "http://", 1);
        Ok(Self { http, base, certificate })
    }

    async fn call(&self, path: &str, body: Option<Value>) -> Result<Value, String> {
        let url = format!("{}/{path}", self.base);
        let request = match body {
            Some(body) => self.http.post(url).json(&body),
            None => self.http.get(url),
        };
        let request = match &self.certificate {
            Some(certificate) => request.header(CERTIFICATE, certificate),
            None => request,
        };
        let answer = request.send().await.map_err(|_| "transport error: the connection was lost".to_owned())?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|error| error.to_string())?;
        if status.is_success() {
            return Ok(body);
        }
        Err(body["error"].as_str().unwrap_or("no reason").to_owned())
    }
}
