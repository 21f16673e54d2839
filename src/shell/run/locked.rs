//! The lock of the screen where nobody tells of it: looked at before a click counts, and then until it is open again.

use std::time::Duration;

use super::{Input, Shell};
use crate::core::event::Event;
use crate::shell::screen;

/// Between two looks while it is locked.
const PAUSE: Duration = Duration::from_secs(5);

impl Shell {
    /// What it finds is told before whatever is told after it.
    pub(super) fn look_at_screen(&self) {
        let locked = screen::is_locked();
        if !locked && !self.core.locked {
            return;
        }
        self.report(Event::Locked(locked));
        if locked && !self.core.locked {
            let inputs = self.inputs.clone();
            tokio::spawn(async move {
                while screen::is_locked() {
                    tokio::time::sleep(PAUSE).await;
                }
                let _ = inputs.send(Input::Event(Event::Locked(false)));
            });
        }
    }
}
