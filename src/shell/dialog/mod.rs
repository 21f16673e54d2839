//! Native dialogs, outside the resident process: by zenity, else kdialog, else the terminal.
//!
//! Limits: on macOS and Windows there is the terminal only, so far.

#[cfg(target_os = "linux")]
mod kdialog;
#[cfg(target_os = "linux")]
mod kdialog_progress;
mod over;
#[cfg(target_os = "linux")]
mod pick;
#[cfg(target_os = "linux")]
mod program;
mod terminal;
mod tty;
#[cfg(target_os = "linux")]
mod zenity;

use std::io::IsTerminal;

pub use over::Over;

use crate::config::Environment;
use crate::core::dialog::{Answer, Body, DialogButton, Form, ProgressLine, Tone};
use crate::words;

pub use tty::size as terminal_size;

/// An argument that begins with it is no option, and looks as if it were not there.
#[cfg(target_os = "linux")]
const NO_OPTION: char = '\u{2060}';

/// Shows dialogs. All calls block: the process that makes them is short-lived, or has a thread for it. A dialog goes with
/// the thread that opened it.
pub trait Front {
    /// The person is at a terminal.
    fn is_terminal(&self) -> bool;

    /// Shows one dialog until the person is done with it. Not for [`crate::core::dialog::Body::Progress`].
    fn ask(&mut self, form: &Form) -> Answer;

    /// Every dialog that is asked from now on goes when this is over; absent: none does. What is answered then is no answer,
    /// whatever it is: [`Over::why`] is to be looked at first.
    fn until(&mut self, over: Option<Over>);

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

/// The best way to show dialogs here: windows, else the terminal that we were started in.
///
/// # Errors
/// There is none; one sentence that says what to install.
pub fn pick(env: &Environment) -> Result<Box<dyn Front>, String> {
    let wanted = env.get("PALYRA_TRAY_DIALOGS").and_then(|value| value.to_str());
    if wanted == Some("terminal") {
        return Ok(terminal());
    }
    match windows(env) {
        Ok(front) => Ok(front),
        Err(_) if wanted.is_none() && std::io::stdin().is_terminal() && std::io::stdout().is_terminal() => {
            Ok(terminal())
        }
        Err(why) => Err(why),
    }
}

/// Windows, and nothing else.
///
/// # Errors
/// There is no display, or no program for it; one sentence that says what to do.
pub fn windows(env: &Environment) -> Result<Box<dyn Front>, String> {
    #[cfg(target_os = "linux")]
    return pick::windows(env);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = env;
        Err(words::desktop::THERE_ARE_NO_DIALOG_WINDOWS.to_owned())
    }
}

/// The terminal that we were started in.
pub fn terminal() -> Box<dyn Front> {
    let home = Environment::read().ok().and_then(|env| env.path("HOME").or_else(|| env.path("USERPROFILE")));
    Box::new(terminal::Terminal::new(tty::Tty::default(), home))
}

/// A folder dialog has a Cancel of its own: with two buttons it is the second one, and nothing goes before it.
fn folder_cancel(form: &Form) -> Option<&DialogButton> {
    match form.buttons.as_slice() {
        [_, cancel] if matches!(form.body, Body::Folder { .. }) && form.text.is_empty() => Some(cancel),
        _ => None,
    }
}

/// What goes before a folder dialog, which shows neither text nor buttons of ours: a message with all of them. Its focus is
/// the button that goes on to the folders. Nothing: the form needs no message.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "for dialog programs"))]
fn folder_message(form: &Form) -> Option<Form> {
    if !matches!(form.body, Body::Folder { .. })
        || folder_cancel(form).is_some()
        || (form.text.is_empty() && form.buttons.len() < 2)
    {
        return None;
    }
    let mut buttons = vec![DialogButton::new("\u{0}choose", words::desktop::CHOOSE_FOLDER)];
    buttons.extend(form.buttons.iter().skip(1).cloned());
    Some(Form {
        body: Body::Message,
        focus: Some("\u{0}choose".to_owned()),
        buttons,
        tone: if form.tone == Tone::Info { Tone::Question } else { form.tone },
        ..form.clone()
    })
}

/// An argument that no toolkit takes for an option: Qt looks at all of them, and GLib keeps the "--" before one that begins
/// with a dash, which moves every cell of a list by one.
#[cfg(target_os = "linux")]
fn no_option(text: &str) -> String {
    if text.starts_with('-') { format!("{NO_OPTION}{text}") } else { text.to_owned() }
}
