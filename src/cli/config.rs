//! `config`: what the agent does about the config of Palyra itself.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use crate::config::Paths;
use crate::protocol::{Action, Failure, Request};

#[derive(Subcommand)]
pub enum Config {
    /// Whether a change of Palyra's config restarts what it touches
    Restarts {
        /// on or off
        switch: Switch,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// Does it.
pub fn config(paths: &Paths, command: &Config) -> Result<ExitCode, Failure> {
    let action = match command {
        Config::Restarts { switch } => Action::SetConfigRestarts { enabled: matches!(switch, Switch::On) },
    };
    super::say(&super::ask(paths, Request::Act { action }, super::LONG)?)
}
