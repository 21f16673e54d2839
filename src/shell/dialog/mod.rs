//! Native dialogs, outside the resident process: by zenity, else kdialog, else the terminal; the system's own on macOS and
//! Windows.

use crate::config::Environment;
use crate::core::dialog::{Answer, Form, ProgressLine};

/// The front end that fits where the person is.
///
/// # Errors
/// None can be had, in one sentence for the person.
pub fn pick(_env: &Environment) -> Result<Box<dyn Front>, String> {
    Err("this version shows no dialogs".to_owned())
}

/// Shows dialogs. All calls block: the process that makes them is short-lived, or has a thread for it.
pub trait Front {
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
