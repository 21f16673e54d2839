//! Pure decisions: no clock, file, environment, process, thread or D-Bus in here. The world is an argument.

pub mod agent;
pub mod compose;
pub mod decisions;
pub mod describe;
pub mod dialog;
pub mod event;
pub mod fleet;
pub mod health;
pub mod inbox;
pub mod launch;
pub mod notices;
pub mod onboarding;
pub mod place;
pub mod ports;
pub mod record;
pub mod redact;
pub mod service;
pub mod simulate;
pub mod snapshot;
pub mod text;
pub mod time;
pub mod view;
pub mod window;
