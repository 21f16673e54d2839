//! Dialogs, notifications, the browser, and showing a file.

use std::fmt::Display;

pub fn no_browser_could_be_started(error: impl Display) -> String {
    format!("No browser could be started: {error}. Install one, or set BROWSER to one.")
}

pub fn browser_helper_could_not_be_started(error: impl Display) -> String {
    format!("The browser helper could not be started: {error}.")
}

pub const BROWSER_HELPERS_END_COULD: &str = "The browser helper's end could not be read.";
pub const BROWSER_HELPER_FAILED_WITHOUT_REASON: &str = "The browser helper failed without a reason.";
pub const BROWSER_DID_NOT_START_WITHIN_S: &str =
    "The browser did not start within 5 s. Try again, or set BROWSER to another one.";

pub fn address_could_not_be_read(error: impl Display) -> String {
    format!("The address could not be read: {error}.")
}

pub fn address_was_not_opened(why: impl Display) -> String {
    format!("The address was not opened: {why}.")
}

pub const IT_IS_TOO_LONG: &str = "it is too long";
pub const IT_HOLDS_SPACES_OR_CONTROL_CHARACTERS: &str = "it holds spaces or control characters";
pub const ONLY_HTTP_AND_HTTPS_ARE_OPENED: &str = "only http and https are opened";
pub const IT_DOES_NOT_LEAD: &str = "it does not lead to this machine";
pub const IT_IS_NOT_ENCRYPTED: &str = "it is not encrypted";

pub fn dialog_has_no_button(form: impl Display) -> String {
    format!("The dialog “{form}” has no button.")
}

pub const TYPE_FOLDERS_PATH_SENTENCE: &str = "Type the folder's path.";

pub fn there_is_no_folder_type_path(path: impl Display) -> String {
    format!("There is no folder {path}.\n\nType the whole path, from the root.")
}

pub const PROGRESS_DIALOG_ASKS_NOTHING: &str = "A progress dialog asks nothing.";
pub const BACK_TO_QUESTION: &str = "Back to the question";
pub const YOU_HAVE_ANSWERED_NOTHING_YET: &str = "You have answered nothing yet.";
pub const THERE_ARE_NO_DIALOG_WINDOWS: &str = "There are no dialog windows on this system yet; use a terminal.";
pub const CHOOSE_FOLDER: &str = "Choose a folder…";
pub const PALYRA_TRAY_DIALOGS_ASKS_FOR_TERMINAL: &str =
    "PALYRA_TRAY_DIALOGS asks for the terminal, and this needs a window; unset it.";

pub fn palyra_tray_dialogs(other: impl Display) -> String {
    format!("PALYRA_TRAY_DIALOGS is “{other}”; set it to zenity, kdialog or terminal, or unset it.")
}

pub const THERE_IS_NO_DISPLAY_FOR_WINDOW: &str =
    "There is no display for a window; run this on a desktop, or in a terminal.";

pub fn no_dialog_program_was_found(order: impl Display) -> String {
    format!("No dialog program was found; install {order}, or run this in a terminal.")
}

pub const IT_IS_OVER: &str = "It is over; there is nothing to ask.";

pub fn dialog_program_was_lost(name: impl Display, error: impl Display) -> String {
    format!("The dialog program {name} was lost: {error}.")
}

pub fn dialog_program_could_not_be_started(path: impl Display, error: impl Display) -> String {
    format!("The dialog program {path} could not be started: {error}.")
}

pub const ANSWERED_WITH_SOMETHING_THAT_IS_NO: &str = "answered with something that is no answer";

pub fn ended_without_answer(how: impl Display) -> String {
    format!("ended without an answer ({how})")
}

pub fn dialog_program_try_again(name: impl Display, what: impl Display) -> String {
    format!("The dialog program {name} {what}; try again, or set PALYRA_TRAY_DIALOGS to zenity, kdialog or terminal.")
}

pub const PARENT_HAS_ENDED: &str = "the parent has ended";

pub fn killed_by_signal(signal: impl Display) -> String {
    format!("killed by signal {signal}")
}

pub const UNKNOWN_END: &str = "unknown end";
pub const TYPE_IT: &str = "Type it";
pub const TYPE_IT_IT_IS_NOT_SHOWN: &str = "Type it (it is not shown)";
pub const TYPE_ONE_OF_NUMBERS_ABOVE: &str = "Type one of the numbers above, and Enter.";

pub fn or_for(number: impl Display, button: impl Display) -> String {
    format!(", or :{number} for {button}")
}

pub fn then_enter(what: impl Display, ways: impl Display) -> String {
    format!("{what}, then Enter{ways}.")
}

pub const TYPE_IT_LINE_WITH_ONLY_DOT: &str = "Type it; a line with only a dot ends it";
pub const TYPE_FOLDERS_PATH: &str = "Type the folder's path";
pub const TYPE_WHOLE_PATH: &str = "Type the whole path, from the root or from ~.";

pub fn there_is_no_folder(path: impl Display) -> String {
    format!("There is no folder {path}.")
}

pub fn terminal_cannot_be_read(error: impl Display) -> String {
    format!("The terminal cannot be read: {error}; try again in another one.")
}

pub const WARNING: &str = "Warning: ";
pub const ERROR: &str = "Error: ";
pub const NUMBER: &str = "Number: ";
pub const TYPE_C_THEN_ENTER: &str = "type c, then Enter";
pub const PRESS_CTRL_C: &str = "press Ctrl-C";
pub const LINE_IS_TOO_LONG: &str = "the line is too long";

pub fn dialog_has_too_many_buttons(form: impl Display) -> String {
    format!("The dialog “{form}” has too many buttons for zenity.")
}

pub const IT_GAVE_INVALID_ID: &str = "it gave the invalid ID 0";

pub fn notification_could_not_be_shown(title: impl Display, why: impl Display) -> String {
    format!("The notification “{title}” could not be shown: {why}.")
}

pub fn no_thread_for_notifications(error: impl Display) -> String {
    format!("Notifications are off: the system gave no thread for them ({error}).")
}

pub fn notifications_are_off(error: impl Display) -> String {
    format!("Notifications are off: {error}.")
}

pub const BUS_DOES_NOT_ANSWER: &str = "the bus does not answer";

pub fn clicks_on_notifications_do_not_arrive(name: impl Display, text: impl Display) -> String {
    format!("Clicks on notifications do not arrive: the bus refused ({name}: {text}).")
}

pub fn notification_server_could_not_be_started(name: impl Display, text: impl Display) -> String {
    format!("The notification server could not be started ({name}: {text}).")
}

pub fn notification_server_does_not_say_what(name: impl Display, text: impl Display) -> String {
    format!("The notification server does not say what it can do ({name}: {text}).")
}

pub const SOMEBODY_ELSE_ANSWERED_FOR_NOTIFICATION: &str = "somebody else answered for the notification server";

pub fn notification_server_has_not_answered(seconds: impl Display) -> String {
    format!("The notification server has not answered for {seconds} s; notifications may not be visible.")
}

pub fn there_is_no_yet(path: impl Display) -> String {
    format!("there is no {path} yet: nothing has been put there")
}

pub fn could_not_show(opener: impl Display, path: impl Display, status: impl Display) -> String {
    format!("{opener} could not show {path} ({status}); read it there")
}

pub fn cannot_be_run(opener: impl Display, error: impl Display, path: impl Display) -> String {
    format!("{opener} cannot be run ({error}); it is {path}")
}

pub fn number(number: impl Display) -> String {
    format!("Number [{number}]: ")
}
