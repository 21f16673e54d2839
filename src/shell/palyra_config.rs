//! The few changes that we make in the sidecars' own config file, in a way that keeps what a person wrote there.
//!
//! Limits: the gateway rewrites the file as well (when a key is accepted, when a bot is connected), and loses comments and
//! order. A running gateway does not look at the file: what is changed is in use after its restart.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use toml_edit::{DocumentMut, Item};

use crate::core::ports::Ports;
use crate::protocol::ServiceId;
use crate::shell::store::toml;
use crate::words;

/// Version of the format that is written into a new file.
const VERSION: i64 = 1;
const PROVIDER: &str = "model_provider";
const ADDRESS: &str = "anthropic_base_url";
const MODEL: &str = "anthropic_model";

/// Where MiniMax answers and what is asked for there, as it was in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinimaxRoute {
    address: String,
    model: Option<String>,
}

/// Turns the gateway's run loop on or off: without it no message is answered. Gives whether the file changed.
///
/// # Errors
/// The file cannot be read, understood or written; then it is left as it is.
pub fn set_run_loop(path: &Path, on: bool) -> io::Result<bool> {
    toml::edit(path, |document| {
        if document.is_empty() {
            document.insert("version", toml_edit::value(VERSION));
        }
        toml::set(toml::table(document, "orchestrator")?, "runloop_v1_enabled", on);
        Ok(())
    })
}

/// Writes what services listen on, where they look for it at their next start and `palyra` looks for them.
///
/// # Errors
/// The file cannot be read, understood or written; then it is left as it is.
pub fn write_ports(path: &Path, ports: &BTreeMap<ServiceId, Ports>) -> io::Result<()> {
    toml::edit(path, |document| {
        for (service, ports) in ports {
            let port =
                |purpose: &str| ports.get(purpose).copied().ok_or_else(|| words::settings::has_no(service, purpose));
            if *service == ServiceId::Gateway {
                toml::set(toml::table(document, "daemon")?, "port", i64::from(port("http")?));
                let gateway = toml::table(document, "gateway")?;
                toml::set(gateway, "grpc_port", i64::from(port("grpc")?));
                toml::set(gateway, "quic_port", i64::from(port("quic")?));
            } else if *service == ServiceId::Browserd {
                let browser = toml::table(document, "tool_call.browser_service")?;
                toml::set(browser, "endpoint", format!("http://127.0.0.1:{}", port("grpc")?));
                toml::set(browser, "health_base_url", format!("http://127.0.0.1:{}", port("http")?));
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// Takes MiniMax's address out of the file. To be called before a key of Anthropic's is handed over: the gateway keeps one
/// address for both, does not change it on the way back, and would send the key to MiniMax. Gives what was taken, to be
/// [put back](put_minimax) when the key is not accepted; `None` when there was nothing to take.
///
/// # Errors
/// The file cannot be read, understood or written; then it is left as it is, and the key is not to be handed over.
pub fn take_minimax(path: &Path) -> io::Result<Option<MinimaxRoute>> {
    let mut taken = None;
    toml::edit(path, |document| {
        // somebody else may have written meanwhile, and this is another look
        taken = None;
        let text = |document: &DocumentMut, key: &str| {
            let table = document.get(PROVIDER).and_then(Item::as_table_like)?;
            table.get(key).and_then(Item::as_str).map(str::to_owned)
        };
        if let Some(address) = text(document, ADDRESS).filter(|address| is_minimax(address)) {
            taken = Some(MinimaxRoute { address, model: text(document, MODEL) });
            let table = toml::table(document, PROVIDER)?;
            table.remove(ADDRESS);
            table.remove(MODEL);
        }
        Ok(())
    })?;
    Ok(taken)
}

/// Puts back what [`take_minimax`] took.
///
/// # Errors
/// As there.
pub fn put_minimax(path: &Path, route: &MinimaxRoute) -> io::Result<()> {
    toml::edit(path, |document| {
        let table = toml::table(document, PROVIDER)?;
        toml::set(table, ADDRESS, route.address.as_str());
        if let Some(model) = &route.model {
            toml::set(table, MODEL, model.as_str());
        }
        Ok(())
    })?;
    Ok(())
}

fn is_minimax(address: &str) -> bool {
    let host = reqwest::Url::parse(address.trim()).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase));
    host.is_some_and(|host| {
        ["minimax.io", "minimaxi.com"]
            .iter()
            .any(|domain| host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.')))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn config(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("palyra.toml");
        fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn a_new_config_has_a_version_and_the_run_loop() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("palyra.toml");
        assert!(set_run_loop(&path, true).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "version = 1\n\n[orchestrator]\nrunloop_v1_enabled = true\n");
        assert!(!set_run_loop(&path, true).unwrap(), "nothing was to be changed");
    }

    #[test]
    fn what_a_person_wrote_is_kept() {
        let text = "# mine\nversion = 1\n\n[orchestrator] # runs\nrunloop_v1_enabled = false # for now\nother = 1\n\n[daemon]\nport = 9142\n";
        let (_dir, path) = config(text);
        assert!(set_run_loop(&path, true).unwrap());
        let expected = text.replace("runloop_v1_enabled = false", "runloop_v1_enabled = true");
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        for (text, expected) in [
            (
                "version = 1\norchestrator.runloop_v1_enabled = false\n",
                "version = 1\norchestrator.runloop_v1_enabled = true\n",
            ),
            ("version = 1\norchestrator = {}\n", "version = 1\norchestrator = { runloop_v1_enabled = true }\n"),
            ("version = 1\n[a]\n", "version = 1\n[a]\n\n[orchestrator]\nrunloop_v1_enabled = true\n"),
        ] {
            let (_dir, path) = config(text);
            assert!(set_run_loop(&path, true).unwrap());
            assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        }
    }

    #[test]
    fn ports_are_written_where_they_belong_and_nothing_else_changes() {
        let ports = BTreeMap::from([
            (ServiceId::Gateway, crate::core::ports::gateway(7146, 7147, 7148)),
            (ServiceId::Browserd, crate::core::ports::browserd(7150, 7151)),
        ]);
        for (text, expected) in [
            (
                "version = 1\n",
                "version = 1\n\n[daemon]\nport = 7146\n\n[gateway]\ngrpc_port = 7147\nquic_port = 7148\n\n\
                 [tool_call.browser_service]\nendpoint = \"http://127.0.0.1:7151\"\n\
                 health_base_url = \"http://127.0.0.1:7150\"\n",
            ),
            (
                "# mine\nversion = 1\n[tool_call.browser_service] # b\nendpoint = \"http://127.0.0.1:1\" # e\nx = 1\n\
                 health_base_url = 'http://127.0.0.1:2'\n[gateway]\nquic_port = 3\ngrpc_port = 4 # g\n\
                 [daemon]\nbind_addr = \"::1\"\nport = 5\n",
                "# mine\nversion = 1\n[tool_call.browser_service] # b\nendpoint = \"http://127.0.0.1:7151\" # e\nx = 1\n\
                 health_base_url = \"http://127.0.0.1:7150\"\n[gateway]\nquic_port = 7148\ngrpc_port = 7147 # g\n\
                 [daemon]\nbind_addr = \"::1\"\nport = 7146\n",
            ),
            (
                "daemon.port = 1\ngateway = { grpc_port = 2, quic_port = 3 }\ntool_call = { a = 1, browser_service = {} }\n",
                "daemon.port = 7146\ngateway = { grpc_port = 7147, quic_port = 7148 }\n\
                 tool_call = { a = 1, browser_service = { endpoint = \"http://127.0.0.1:7151\", \
                 health_base_url = \"http://127.0.0.1:7150\" } }\n",
            ),
            (
                "gateway.grpc_port = 2\ndaemon = {}\ntool_call.browser_service.endpoint = \"http://127.0.0.1:1\"\n",
                "gateway.grpc_port = 7147\ngateway.quic_port = 7148\ndaemon = { port = 7146 }\n\
                 tool_call.browser_service.endpoint = \"http://127.0.0.1:7151\"\n\
                 tool_call.browser_service.health_base_url = \"http://127.0.0.1:7150\"\n",
            ),
        ] {
            let (_dir, path) = config(text);
            write_ports(&path, &ports).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), expected);
            let (read, _) = crate::config::palyra::PalyraConfig::read(&path).unwrap();
            for (service, ports) in &ports {
                assert_eq!(crate::core::ports::from_config(*service, &read).as_ref(), Some(ports));
            }
        }
        for text in ["daemon = 3", "tool_call = 3", "tool_call.browser_service = 3"] {
            let (_dir, path) = config(text);
            assert!(write_ports(&path, &ports).is_err(), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_file_that_is_not_understood_is_left_alone() {
        for text in ["orchestrator = 3", "version = ", "[orchestrator"] {
            let (_dir, path) = config(text);
            assert!(set_run_loop(&path, true).is_err(), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay_as_they_were() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (dir, path) = config("version = 1\n");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for wanted in [0o600, 0o644] {
            fs::set_permissions(&path, fs::Permissions::from_mode(wanted)).unwrap();
            set_run_loop(&path, wanted == 0o600).unwrap();
            assert_eq!(mode(&path), wanted);
        }
        let link = dir.path().join("link.toml");
        symlink(&path, &link).unwrap();
        assert!(set_run_loop(&link, true).unwrap());
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&path).unwrap().contains("runloop_v1_enabled = true"));
        let fresh = dir.path().join("fresh.toml");
        set_run_loop(&fresh, true).unwrap();
        assert_eq!(mode(&fresh), 0o600);
    }

    #[test]
    fn a_key_of_anthropics_does_not_go_to_minimax() {
        let text = "version = 1\n\n[model_provider]\nanthropic_base_url = \"https://api.minimax.io/anthropic\"\nanthropic_model = \"MiniMax-M2.7\"\nkind = \"anthropic\"\n";
        let (_dir, path) = config(text);
        let taken = take_minimax(&path).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "version = 1\n\n[model_provider]\nkind = \"anthropic\"\n");
        assert_eq!(take_minimax(&path).unwrap(), None);
        put_minimax(&path, &taken).unwrap();
        let back: ::toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        assert_eq!(back, text.parse().unwrap());
        for other in ["https://api.anthropic.com", "https://minimax.io.example", "https://notminimax.io", "nothing", ""]
        {
            let (_dir, path) = config(&format!("[model_provider]\nanthropic_base_url = \"{other}\"\n"));
            assert_eq!(take_minimax(&path).unwrap(), None, "{other}");
        }
    }
}
