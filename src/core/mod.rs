//! Pure decisions: no clock, file, environment, process, thread or D-Bus in here. The world is an argument.

pub mod view;
