//! Picks a role. The small ones come first and load nothing else.

use std::process::ExitCode;

use palyra_tray::shell::browser::{self, Leads};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let role = arguments.first().map(String::as_str);
    if let Some(leads) = role.and_then(Leads::from_role) {
        return browser::main(leads);
    }
    match role {
        Some("shim") => palyra_tray::shell::shim::main(),
        Some("demo-sidecar") => palyra_tray::demo::sidecar(&arguments[1..]),
        _ => palyra_tray::cli::main(),
    }
}
