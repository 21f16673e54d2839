//! What the tray remembers, and what it takes over from the earlier desktop app.

use std::fmt::Display;

pub fn it_cannot_be_started(error: impl Display) -> String {
    format!("it cannot be started: {error}")
}

pub fn something_ended(status: impl Display) -> String {
    format!("something ended it ({status})")
}

pub fn its_end_cannot_be_read(error: impl Display) -> String {
    format!("its end cannot be read: {error}")
}
