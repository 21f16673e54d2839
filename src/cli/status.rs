//! `status`: how it is, in a few lines, as JSON, or for as long as one looks.

mod text;
mod watch;

use std::process::ExitCode;

use clap::Args;

use crate::config::{Environment, Paths};
use crate::core::report;
use crate::protocol::{Action, Failure, Reply, Request};
use crate::words::help;

/// Arguments of `status`.
#[derive(Args)]
pub struct StatusArgs {
    #[arg(long, help = help::STATUS_JSON)]
    json: bool,
    #[arg(short, long, conflicts_with = "diagnostics", help = help::STATUS_WATCH)]
    watch: bool,
    #[arg(long, help = help::STATUS_DIAGNOSTICS)]
    diagnostics: bool,
    #[arg(long, requires = "diagnostics", conflicts_with = "json", help = help::STATUS_COPY)]
    copy: bool,
}

/// Shows it.
pub fn status(env: &Environment, paths: &Paths, args: &StatusArgs) -> Result<ExitCode, Failure> {
    if args.watch {
        return watch::watch(env, paths, args.json);
    }
    if args.copy {
        return super::say(&super::ask(paths, Request::Act { action: Action::CopyDiagnostics }, super::SHORT)?);
    }
    let request = if args.diagnostics { Request::Diagnostics } else { Request::Status };
    let reply = super::ask(paths, request, super::SHORT)?;
    let Reply::Data(mut snapshot) = reply else { return super::say(&reply) };
    if args.json {
        // read here, so that it costs the agent nothing
        snapshot["logs"] = super::logs::of_services(paths);
        super::print_json(&snapshot);
    } else if args.diagnostics {
        super::print(&report::report(&snapshot));
    } else {
        super::print(&text::words(&snapshot));
    }
    Ok(ExitCode::SUCCESS)
}
