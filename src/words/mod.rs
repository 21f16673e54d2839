//! Every sentence that a person reads, in one place: nothing is here but words, and no sentence is anywhere else.
//!
//! A text is a constant or a function whose arguments are what it tells of; who calls it decides that it is said. What
//! starts with a small letter is part of a longer sentence or of a list. The voice is described in `docs/architecture.md`.
//!
//! A translation is another set of these files with the same names and arguments. It needs to look at no other file: a
//! function may put its arguments in any order and choose words by a number. Names of commands, settings and files stay.

pub mod agent;
pub mod alarms;
pub mod approvals;
pub mod ask;
pub mod buttons;
pub mod checks;
pub mod commands;
pub mod common;
pub mod companion;
pub mod desktop;
pub mod gateway;
pub mod help;
pub mod login;
pub mod menu;
pub mod node;
pub mod notices;
pub mod profiles;
pub mod programs;
pub mod remote;
pub mod secrets;
pub mod services;
pub mod set_up;
pub mod settings;
pub mod status;
pub mod support;
pub mod windows;
