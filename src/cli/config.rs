//! `config`: what the agent does about the config of Palyra itself.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use crate::config::Paths;
use crate::protocol::{Action, Failure, Request, ServiceId};

#[derive(Subcommand)]
pub enum Config {
    /// Whether a change of Palyra's config restarts what it touches
    Restarts {
        /// on or off
        switch: Switch,
    },
    /// Write the ports that are listened on into it, where it names others
    WritePorts {
        /// gateway or browserd; both when left out
        #[arg(value_parser = super::service)]
        service: Option<ServiceId>,
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
        Config::WritePorts { service } => Action::WritePorts { service: *service },
        Config::Restarts { switch } => Action::SetConfigRestarts { enabled: matches!(switch, Switch::On) },
    };
    super::say(&super::ask(paths, Request::Act { action }, super::LONG)?)
}
