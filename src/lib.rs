//! Palyra Tray: keeps Palyra's sidecars running, shows how they are, and brings approvals to a person.
//!
//! The map of the code, and why it is as it is, is in `docs/architecture.md`. In short: [`core`] decides and touches
//! nothing, [`shell`] does and decides nothing, [`protocol`] is what crosses a process boundary.
#![deny(unsafe_code)]

pub mod cli;
pub mod config;
pub mod core;
pub mod demo;
pub mod protocol;
pub mod shell;
pub mod tray;
