//! What of Palyra runs, and how it is configured.

use std::fs;
use std::io;

use serde_json::Value;

use crate::config::Paths;
use crate::config::palyra::PalyraConfig;
use crate::config::settings::Settings as Preferences;
use crate::core::doctor::facts::{Agent, Config, ConfigContent, Fact, Holder, Port, Process, Settings};
use crate::core::ports::{self, Ports};
use crate::protocol::ServiceId;
use crate::shell::{lock, process};
use crate::words;

/// Who holds the agent's lock.
pub(super) fn lock(paths: &Paths) -> Fact<Option<Process>> {
    let executable = |pid| fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    Ok(lock::holder(paths)?.map(|pid| Process { pid, executable: executable(pid) }))
}

pub(super) fn earlier_app(paths: &Paths) -> Option<u32> {
    lock::earlier_app(paths)
}

/// The agent, the shims of this state root and their sidecars.
pub(super) fn ours(paths: &Paths, agent: &Agent) -> Vec<u32> {
    let runs = ServiceId::ALL.into_iter().filter_map(|service| process::living(&paths.run_dir(service)));
    let holder = lock::holder(paths).ok().flatten();
    runs.flat_map(|run| [run.shim.pid, run.sidecar.pid]).chain(agent.pid()).chain(holder).collect()
}

pub(super) fn foreign(paths: &Paths, ours: &[u32]) -> Fact<Option<(Process, String)>> {
    if !cfg!(target_os = "linux") {
        return Err(words::checks::THIS_SYSTEM_DOES_NOT_TELL.to_owned());
    }
    let foreign = process::foreign_palyra(&paths.runtime_root, ours);
    Ok(foreign.map(|one| (Process { pid: one.pid, executable: one.executable }, one.why)))
}

/// Looks who has the ports that the services have or want.
pub(super) fn ports(paths: &Paths, agent: &Agent) -> impl FnOnce() -> Fact<Vec<Port>> + Send + 'static {
    let snapshot = agent.snapshot().cloned();
    let paths = paths.clone();
    move || {
        let config = PalyraConfig::read(&paths.config).map(|(config, _)| config).unwrap_or_default();
        let mut found = Vec::new();
        for service in [ServiceId::Gateway, ServiceId::Browserd] {
            let run = process::living(&paths.run_dir(service));
            let told = snapshot.as_ref().and_then(|snapshot| bound(snapshot, service));
            let ours = run.as_ref().map(|run| run.sidecar.pid);
            let bound = run.map(|run| run.ports).or(told);
            let wanted = bound.or_else(|| ports::from_config(service, &config));
            for (purpose, port) in wanted.unwrap_or_else(|| ports::defaults(service)) {
                if purpose == "browser_grpc" {
                    continue;
                }
                let udp = purpose == "quic";
                found.push(Port { service, holder: holder(port, udp, ours)?, purpose, port, udp });
            }
        }
        Ok(found)
    }
}

fn bound(snapshot: &Value, service: ServiceId) -> Option<Ports> {
    let ports = snapshot.get(format!("{service}_process"))?.get("bound_ports")?;
    serde_json::from_value(ports.clone()).ok().filter(|ports: &Ports| !ports.is_empty())
}

fn holder(port: u16, udp: bool, ours: Option<u32>) -> Fact<Holder> {
    match process::port_is_taken(port, udp) {
        None => return Err(words::checks::THIS_SYSTEM_DOES_NOT_TELL_WHO.to_owned()),
        Some(false) => return Ok(Holder::Nobody),
        Some(true) => {}
    }
    Ok(match process::port_holder(port, udp) {
        // started by a script, the sidecar is a child of the process that its shim knows
        Some(holder) if ours.is_some_and(|ours| ours == holder.pid || is_below(holder.pid, ours)) => Holder::Ours,
        Some(holder) => Holder::Stranger(Process { pid: holder.pid, executable: holder.executable }),
        None => Holder::Unnamed,
    })
}

/// Whether a process descends from another, as far up as a few generations.
fn is_below(pid: u32, ancestor: u32) -> bool {
    let parent = |pid: u32| -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    };
    std::iter::successors(parent(pid), |pid| parent(*pid)).take(8).any(|pid| pid == ancestor)
}

pub(super) fn settings(paths: &Paths) -> Settings {
    let (preferences, warnings) = Preferences::read(&paths.settings());
    Settings {
        exists: paths.settings().exists(),
        warnings,
        browser: preferences.browser,
        node_host: paths.runtime_root.join("node-host").join("node-host.json").is_file(),
    }
}

pub(super) fn config(paths: &Paths) -> Config {
    let path = paths.config.clone();
    let content = match (path.exists(), PalyraConfig::read(&path)) {
        (false, _) if paths.config_is_new => ConfigContent::None,
        (_, Err(error)) => ConfigContent::Invalid(error.to_string()),
        (_, Ok((config, _))) => {
            let table: toml::Table =
                fs::read_to_string(&path).ok().and_then(|text| toml::from_str(&text).ok()).unwrap_or_default();
            ConfigContent::Read {
                version: table.get("version").and_then(toml::Value::as_integer),
                principal: config.bound_principal,
                run_loop: config.run_loop,
            }
        }
    };
    Config { path, content }
}

/// Which kind of vault the sidecars have.
pub(super) fn vault_backend(paths: &Paths) -> Fact<Option<String>> {
    let own = PalyraConfig::read(&paths.config).ok().and_then(|(config, _)| config.vault);
    let file = own.unwrap_or_else(|| paths.vault.clone()).join("backend.kind");
    match fs::read_to_string(&file) {
        Ok(kind) => Ok(Some(kind.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(words::checks::cannot_be_read(file.display(), &error)),
    }
}
