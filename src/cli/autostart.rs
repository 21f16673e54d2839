//! `autostart`: whether Palyra Tray starts at login. Done here, without the agent; one that runs is told.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::config::{Environment, Paths};
use crate::protocol::{Failure, FailureCode, Reply, Request};
use crate::shell::autostart;
use crate::words::{self, help};

/// What about it.
#[derive(Subcommand)]
pub enum Autostart {
    #[command(about = help::AUTOSTART_ON)]
    On,
    #[command(about = help::AUTOSTART_OFF)]
    Off,
    #[command(about = help::AUTOSTART_STATUS)]
    Status {
        #[arg(long, help = help::AS_JSON)]
        json: bool,
    },
}

/// Does it.
pub fn autostart(env: &Environment, command: &Autostart) -> Result<ExitCode, Failure> {
    let said = match command {
        Autostart::On => set(env, true)?,
        Autostart::Off => set(env, false)?,
        Autostart::Status { json: false } => autostart::state(env).map_err(failed)?.how,
        Autostart::Status { json: true } => {
            let state = autostart::state(env).map_err(failed)?;
            super::print_json(&json!({
                "on": state.on,
                "way": state.way.map(crate::core::autostart::Way::name),
                "how": state.how,
            }));
            return Ok(ExitCode::SUCCESS);
        }
    };
    super::print(&format!("{said}\n"));
    Ok(ExitCode::SUCCESS)
}

fn set(env: &Environment, on: bool) -> Result<String, Failure> {
    let paths = super::paths(env)?;
    if is_demo(&paths) {
        return Err(Failure::new(FailureCode::Refused, words::login::DEMO_AT_LOGIN, words::login::FOR_REAL_ONE));
    }
    switch(env, &paths, on).map_err(failed)
}

/// Switches it, and tells an agent that runs.
pub(super) fn switch(env: &Environment, paths: &Paths, on: bool) -> Result<String, String> {
    let done = autostart::set(env, on)?;
    // its menu shows the switch; where none runs, or an older one, nothing is lost
    let _ = super::ask(paths, Request::AutostartChanged, super::SHORT);
    Ok(done)
}

/// Only the agent itself knows that it is one.
fn is_demo(paths: &Paths) -> bool {
    match super::ask(paths, Request::Status, super::SHORT) {
        Ok(Reply::Data(snapshot)) => snapshot.get("demo").and_then(Value::as_bool) == Some(true),
        _ => false,
    }
}

fn failed(why: String) -> Failure {
    Failure::new(FailureCode::Failed, why, "")
}
