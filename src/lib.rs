//! Palyra Tray: keeps Palyra's sidecars running, shows how they are, and brings approvals to a person.
//!
//! The map of the code, and why it is as it is, is in `docs/architecture.md`. In short: [`core`] decides and touches
//! nothing, [`shell`] does and decides nothing, [`protocol`] is what crosses a process boundary.
#![deny(unsafe_code)]

#[cfg(feature = "shell")]
pub mod cli;
pub mod config;
pub mod core;
#[cfg(feature = "shell")]
pub mod demo;
pub mod protocol;
#[cfg(feature = "shell")]
pub mod shell;
#[cfg(feature = "shell")]
pub mod tray;
pub mod words;
