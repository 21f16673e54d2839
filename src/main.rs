//! Picks a role. The small ones come first and load nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("shim") => palyra_tray::shell::shim::main(),
        Some("open-url") => palyra_tray::shell::browser::main(),
        Some("demo-sidecar") => palyra_tray::demo::sidecar(&arguments[1..]),
        _ => palyra_tray::cli::main(),
    }
}
