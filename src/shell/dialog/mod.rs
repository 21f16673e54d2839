//! Native dialogs, outside the resident process: by zenity, else kdialog, else the terminal; the system's own on macOS and
//! Windows.

use crate::core::dialog::{Answer, Form, ProgressLine};

/// Shows dialogs. All calls block: the process that makes them is short-lived, or has a thread for it.
pub trait Front {
    /// The person is at a terminal.
    fn is_terminal(&self) -> bool;

    /// Shows one dialog until the person is done with it. Not for [`crate::core::dialog::Body::Progress`].
    fn ask(&mut self, form: &Form) -> Answer;

    /// Opens a progress dialog; it is closed when it is dropped.
    ///
    /// # Errors
    /// It cannot be shown, in one sentence for the person.
    fn progress(&mut self, form: &Form) -> Result<Box<dyn Progress>, String>;
}

/// An open progress dialog.
pub trait Progress {
    /// Says how far it is.
    fn update(&mut self, line: &ProgressLine);

    /// The person pressed its button or put it away. Does not wait.
    fn cancelled(&mut self) -> bool;
}

pub fn pick(_: &crate::config::Environment) -> Result<Box<dyn Front>, String> {
    Err(String::new())
}
pub fn terminal() -> Box<dyn Front> {
    struct N;
    impl Front for N {
        fn is_terminal(&self) -> bool {
            true
        }
        fn ask(&mut self, _: &Form) -> Answer {
            Answer::Dismissed
        }
        fn progress(&mut self, _: &Form) -> Result<Box<dyn Progress>, String> {
            Err(String::new())
        }
    }
    Box::new(N)
}
