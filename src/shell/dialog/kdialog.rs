//! Dialogs by kdialog.
//!
//! Every text is given as rich text of which nothing but our own is markup: kdialog guesses what a text is, and a guess could
//! hide a part of it. Enter presses the first button, and which one that is depends on the desktop's order; hence a button
//! that must not be pressed by accident is never the first of any order.
//!
//! Limits: two buttons of ours at most in a message, further ones become rows; a document is put away before its buttons
//! come, so nothing is decided under it; where something is typed or chosen, other buttons come after Cancel.

use std::ffi::OsString;
use std::path::Path;

use super::kdialog_progress::Window;
use super::program::{Ended, Program};
use super::{Front, NO_OPTION, Over, Progress, folder_cancel, folder_message, no_option};
use crate::core::dialog::{Answer, Body, Choice, DialogButton, Form, Tone, one_line, printable, wrap};
use crate::protocol::Secret;
use crate::words;

/// What it is told by its environment: nothing.
pub const VARIABLES: [(&str, &str); 0] = [];
/// Where kdialog does not wrap by itself.
const COLUMNS: usize = 64;

/// As it is written by [`rich`].
const AMPERSAND: &str = "&#38;";

/// Dialogs by kdialog.
pub struct Kdialog {
    program: Program,
    /// Its folder dialog is Plasma's. Elsewhere it is Qt's own, in which no folder can be taken.
    plasma: bool,
}

/// What the exit codes of a message mean.
struct Codes {
    yes: Option<String>,
    no: Option<String>,
}

impl Kdialog {
    /// By this executable.
    pub fn new(program: Program, plasma: bool) -> Self {
        Self { program, plasma }
    }

    fn run(&self, args: Vec<String>, input: String) -> Result<Ended, Answer> {
        let args: Vec<_> = args.into_iter().map(OsString::from).collect();
        self.program.run(&args, input.into_bytes()).map_err(|why| Answer::Failed { why })
    }

    fn strange(&self, ended: &Ended) -> Answer {
        Answer::Failed { why: self.program.strange(ended) }
    }

    fn message(&self, form: &Form) -> Answer {
        let Some((args, codes)) = message(form) else { return self.rows(form) };
        let ended = match self.run(args, String::new()) {
            Ok(ended) => ended,
            Err(failed) => return failed,
        };
        let pressed = |id: &Option<String>| id.as_deref().map_or(Answer::Dismissed, Answer::pressed);
        match (ended.code, ended.printed()) {
            (Some(0), Some("")) => pressed(&codes.yes),
            (Some(1), Some("")) => pressed(&codes.no),
            (Some(2), Some("")) => Answer::Dismissed,
            _ => self.strange(&ended),
        }
    }

    /// More buttons than a message has: each is a row, the harmless one first and marked.
    fn rows(&self, form: &Form) -> Answer {
        let mut buttons: Vec<_> = form.buttons.clone();
        let focus = form.focus.clone().unwrap_or_else(|| {
            buttons.retain(|button| button.id != DialogButton::AWAY);
            buttons.insert(0, DialogButton::away(words::common::NOT_NOW));
            DialogButton::AWAY.to_owned()
        });
        let choices: Vec<_> = buttons
            .iter()
            .map(|button| Choice { id: button.id.clone(), label: button.label.clone(), detail: String::new() })
            .collect();
        match self.list(form, &choices, Some(&focus)) {
            Ok(Some(id)) => Answer::pressed(&id),
            Ok(None) => Answer::Dismissed,
            Err(failed) => failed,
        }
    }

    /// Id of the chosen row; nothing when it was put away.
    fn list(&self, form: &Form, choices: &[Choice], selected: Option<&str>) -> Result<Option<String>, Answer> {
        // Without a marked row kdialog crashes when OK is pressed.
        let marked = choices.iter().position(|choice| Some(choice.id.as_str()) == selected).unwrap_or(0);
        let mut args = general("--radiolist", form);
        args.push("--".to_owned());
        for (number, choice) in choices.iter().enumerate() {
            let detail = one_line(&choice.detail);
            let words = one_line(&choice.label);
            let words = if detail.is_empty() { words } else { format!("{words}: {detail}") };
            args.extend([
                number.to_string(),
                no_option(&words),
                if number == marked { "on" } else { "off" }.to_owned(),
            ]);
        }
        let ended = self.run(args, String::new())?;
        match (ended.code, ended.printed()) {
            (Some(0), Some(number)) => {
                let choice = number.parse::<usize>().ok().and_then(|number| choices.get(number));
                choice.map(|choice| Some(choice.id.clone())).ok_or_else(|| self.strange(&ended))
            }
            (Some(1), Some("")) => Ok(None),
            _ => Err(self.strange(&ended)),
        }
    }

    fn document(&self, form: &Form, document: &str) -> Answer {
        let heads = [&form.heading, &form.text].into_iter().filter(|text| !text.is_empty());
        let heads: String = heads.map(|text| format!("{}\n\n", printable(text))).collect();
        let lines: Vec<_> = format!("{heads}{}", printable(document)).split('\n').map(rich_line).collect();
        let args = vec![
            "--textbox=-".to_owned(),
            format!("--title={}", one_line(&form.title)),
            "--".to_owned(),
            "760".to_owned(),
            "520".to_owned(),
        ];
        let ended = match self.run(args, lines.join("\n")) {
            Ok(ended) => ended,
            Err(failed) => return failed,
        };
        match (ended.code, form.buttons.as_slice()) {
            (Some(0), [only]) if form.focus.as_ref() == Some(&only.id) => Answer::pressed(&only.id),
            (Some(0), _) => self.message(&Form { body: Body::Message, text: String::new(), ..form.clone() }),
            (Some(1), _) => Answer::Dismissed,
            _ => self.strange(&ended),
        }
    }

    /// OK and Cancel have fixed words here, and there is no third button.
    fn value(&self, form: &Form) -> Answer {
        let Some(first) = form.buttons.first() else {
            return Answer::Failed { why: words::desktop::dialog_has_no_button(one_line(&form.heading)) };
        };
        let taken = match &form.body {
            Body::Choose { choices, selected } => {
                self.list(form, choices, selected.as_deref()).map(|id| id.map(Secret::new))
            }
            Body::Entry { value } => {
                let mut args = general("--inputbox", form);
                // Only this text has mnemonics.
                args[0] = args[0].replace(AMPERSAND, &AMPERSAND.repeat(2));
                args.extend(["--".to_owned(), no_option(&one_line(value))]);
                self.typed(args).map(|line| line.map(|line| Secret::new(line.expose().trim_start_matches(NO_OPTION))))
            }
            Body::Text => self.typed(general("--textinputbox", form)),
            Body::Password => self.typed(general("--password", form)),
            Body::Folder { start } => self.folder(form, &start.display().to_string()),
            Body::Message | Body::Document { .. } | Body::Progress => Ok(None),
        };
        match taken {
            Ok(Some(value)) => Answer::with_value(&first.id, Some(value)),
            Ok(None) => Answer::Dismissed,
            Err(failed) => failed,
        }
    }

    fn typed(&self, args: Vec<String>) -> Result<Option<Secret>, Answer> {
        let mut ended = self.run(args, String::new())?;
        match (ended.code, ended.output.take()) {
            (Some(0), Some(line)) => Ok(Some(line)),
            (Some(1), Some(_)) => Ok(None),
            (_, output) => {
                ended.output = output;
                Err(self.strange(&ended))
            }
        }
    }

    fn folder(&self, form: &Form, start: &str) -> Result<Option<Secret>, Answer> {
        if !self.plasma {
            return self.typed_folder(form, start);
        }
        let title = if form.heading.is_empty() { &form.title } else { &form.heading };
        let args = vec![
            "--getexistingdirectory".to_owned(),
            format!("--title={}", one_line(title)),
            "--".to_owned(),
            format!("{}/", start.trim_end_matches('/')),
        ];
        let ended = self.run(args, String::new())?;
        match (ended.code, ended.printed()) {
            (Some(0), Some(path)) if path.starts_with('/') => Ok(Some(Secret::new(path))),
            (Some(1), Some("")) => Ok(None),
            _ => Err(self.strange(&ended)),
        }
    }
}

impl Kdialog {
    fn typed_folder(&self, form: &Form, start: &str) -> Result<Option<Secret>, Answer> {
        let mut text = words::desktop::TYPE_FOLDERS_PATH_SENTENCE.to_owned();
        let mut path = start.to_owned();
        loop {
            let mut args = general("--inputbox", &Form { text, ..form.clone() });
            args[0] = args[0].replace(AMPERSAND, &AMPERSAND.repeat(2));
            args.extend(["--".to_owned(), no_option(&one_line(&path))]);
            let Some(line) = self.typed(args)? else { return Ok(None) };
            path = line.expose().trim_start_matches(NO_OPTION).trim().to_owned();
            if path.starts_with('/') && Path::new(&path).is_dir() {
                return Ok(Some(Secret::new(path)));
            }
            text = words::desktop::there_is_no_folder_type_path(&path);
        }
    }
}

impl Front for Kdialog {
    fn is_terminal(&self) -> bool {
        false
    }

    fn ask(&mut self, form: &Form) -> Answer {
        match &form.body {
            Body::Message => return self.message(form),
            Body::Document { document } => return self.document(form, document),
            Body::Progress => return Answer::Failed { why: words::desktop::PROGRESS_DIALOG_ASKS_NOTHING.to_owned() },
            Body::Choose { .. } | Body::Entry { .. } | Body::Text | Body::Password | Body::Folder { .. } => {}
        }
        // A folder dialog has no text and no buttons of ours: they come before it. Other buttons come after Cancel.
        if let Some(cancel) = folder_cancel(form) {
            return match self.value(form) {
                Answer::Dismissed => Answer::pressed(&cancel.id),
                other => other,
            };
        }
        let before = folder_message(form);
        let around = before.as_ref().map_or_else(|| after(form), |before| Some(before.clone()));
        if before.is_none() {
            match self.value(form) {
                Answer::Dismissed if around.is_some() => {}
                other => return other,
            }
        }
        loop {
            let Some(message) = &around else { return Answer::Dismissed };
            match self.message(message) {
                Answer::Pressed { button, .. } if Some(&button) == message.focus.as_ref() => match self.value(form) {
                    Answer::Dismissed => {}
                    other => return other,
                },
                other => return other,
            }
        }
    }

    fn until(&mut self, over: Option<Over>) {
        self.program.over = over;
    }

    fn progress(&mut self, form: &Form) -> Result<Box<dyn Progress>, String> {
        Ok(Box::new(Window::open(&self.program, form, html(form))?))
    }
}

/// Kind with text, and title.
fn general(kind: &str, form: &Form) -> Vec<String> {
    vec![format!("{kind}={}", html(form)), format!("--title={}", one_line(&form.title))]
}

/// A message with one or two buttons; nothing: it has too many.
fn message(form: &Form) -> Option<(Vec<String>, Codes)> {
    let focused = form.buttons.iter().find(|button| Some(&button.id) == form.focus.as_ref());
    let rest: Vec<_> = form.buttons.iter().filter(|button| Some(*button) != focused).collect();
    let away = rest.iter().find(|button| button.id == DialogButton::AWAY);
    let others: Vec<_> = rest.iter().filter(|button| button.id != DialogButton::AWAY).collect();
    let asks = if form.tone == Tone::Warning { "--warningyesnocancel" } else { "--yesnocancel" };
    let mut args;
    let codes = match (focused, others.as_slice()) {
        (Some(only), []) if away.is_none() => {
            let kind = match form.tone {
                Tone::Info | Tone::Question => "--msgbox",
                Tone::Warning => "--sorry",
                Tone::Error => "--error",
            };
            args = general(kind, form);
            args.push(format!("--ok-label={}", label(&only.label)));
            Codes { yes: Some(only.id.clone()), no: None }
        }
        // Escape is Cancel here; with two buttons it is the second one in some versions.
        (Some(focused), []) => {
            args = general("--warningcontinuecancel", form);
            args.push(format!("--continue-label={}", label(&focused.label)));
            args.push(format!(
                "--cancel-label={}",
                away.map_or_else(|| words::buttons::CANCEL.to_owned(), |away| label(&away.label))
            ));
            Codes { yes: Some(focused.id.clone()), no: None }
        }
        (focused, [other]) => {
            args = general(asks, form);
            args.push(format!(
                "--yes-label={}",
                focused.map_or_else(|| words::common::NOT_NOW.to_owned(), |button| label(&button.label))
            ));
            args.push(format!("--no-label={}", label(&other.label)));
            args.push(format!(
                "--cancel-label={}",
                away.map_or_else(|| words::buttons::CANCEL.to_owned(), |away| label(&away.label))
            ));
            Codes { yes: focused.map(|button| button.id.clone()), no: Some(other.id.clone()) }
        }
        _ => return None,
    };
    Some((args, codes))
}

/// The buttons that a dialog with OK and Cancel has no room for, after Cancel. Nothing: there are none.
fn after(form: &Form) -> Option<Form> {
    let mut buttons = vec![DialogButton::new("\u{0}again", words::desktop::BACK_TO_QUESTION)];
    buttons.extend(form.buttons.iter().skip(1).cloned());
    let rest = buttons.iter().skip(1).any(|button| button.id != DialogButton::AWAY);
    rest.then(|| Form {
        body: Body::Message,
        text: words::desktop::YOU_HAVE_ANSWERED_NOTHING_YET.to_owned(),
        buttons,
        focus: Some("\u{0}again".to_owned()),
        tone: Tone::Question,
        ..form.clone()
    })
}

/// Heading and text. Always rich text.
fn html(form: &Form) -> String {
    let lines =
        |text: &str| wrap(&printable(text), COLUMNS).iter().map(|line| rich(line)).collect::<Vec<_>>().join("<br/>");
    let heading =
        if form.heading.is_empty() { String::new() } else { format!("<b>{}</b>", lines(&one_line(&form.heading))) };
    let gap = if form.heading.is_empty() || form.text.is_empty() { "" } else { "<br/><br/>" };
    let text = if form.text.is_empty() { String::new() } else { lines(&form.text) };
    format!("<html>{heading}{gap}{text}</html>")
}

/// Wrapped, because kdialog does so only sometimes.
pub fn lines(text: &str) -> String {
    wrap(&printable(text), COLUMNS).iter().map(|line| rich(line)).collect::<Vec<_>>().join("<br/>")
}

/// Without anything that rich text, or kdialog's own escapes, would understand.
fn rich(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\\' => out.push_str(&format!("&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// One line of a document.
fn rich_line(line: &str) -> String {
    format!("<span style=\"font-family:monospace;white-space:pre-wrap\">{}</span>", rich(line))
}

/// A button's label: an ampersand is drawn as one.
fn label(text: &str) -> String {
    one_line(text).replace('&', "&&")
}
