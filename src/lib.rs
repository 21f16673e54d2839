//! Palyra Tray: keeps Palyra's sidecars running, shows how they are, and brings approvals to a person.
#![deny(unsafe_code)]

pub mod config;
pub mod core;
pub mod protocol;
pub mod shell;
