//! The thin shell: performs one effect, reports events, decides nothing.

pub mod alarm;
pub mod ancestry;
pub mod autostart;
pub mod browser;
pub mod companion;
pub mod config_watch;
pub mod control;
pub mod dialog;
pub mod doctor;
pub mod gateway;
pub mod handoff;
pub mod journal;
pub mod lock;
pub mod logging;
pub mod notify;
pub mod palyra_config;
pub mod process;
pub mod reveal;
pub mod run;
#[cfg(target_os = "linux")]
pub mod screen;
pub mod secrets;
pub mod settings;
pub mod shim;
pub mod sidecars;
pub mod store;
