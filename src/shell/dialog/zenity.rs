//! Dialogs by zenity: what 3.44 (GTK 3) and 4.x (GTK 4) have in common.
//!
//! zenity is told by its environment which exit codes to use, so that the exit code 0 of anything else is no yes, and Escape
//! differs from a button. Enter presses its OK button; hence OK is the button with the focus, and where there is none, one
//! that puts the dialog away. Further buttons print their label. Limits: a folder dialog cannot show a text, so a message
//! goes before it; in a document, Cancel and Escape are the same.

use std::ffi::OsString;
use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};

use super::program::{self, Ended, Program};
use super::{Front, Over, Progress, folder_cancel, folder_message, no_option};
use crate::core::dialog::{Answer, Body, Choice, DialogButton, Form, ProgressLine, Tone, one_line, printable, wrap};
use crate::protocol::Secret;
use crate::words;

/// Exit codes, as asked for by [`VARIABLES`].
const OK: i32 = 120;
const CANCEL: i32 = 121;
const ESCAPE: i32 = 122;
const EXTRA: i32 = 123;
/// What it is told by its environment. In 3.44 a further button exits like Escape; only its label tells them apart.
pub const VARIABLES: [(&str, &str); 6] = [
    ("ZENITY_OK", "120"),
    ("ZENITY_CANCEL", "121"),
    ("ZENITY_ESC", "122"),
    ("ZENITY_EXTRA", "123"),
    ("ZENITY_ERROR", "124"),
    ("ZENITY_TIMEOUT", "125"),
];
/// In 3.44 the sixth further button would be taken for a time-out.
const MAX_EXTRAS: usize = 5;
/// Longest text of a progress dialog: a line that is written to its pipe at once, or not at all.
const MAX_LINE_CHARS: usize = 400;
/// Where zenity does not wrap by itself.
const COLUMNS: usize = 60;
/// The same, above a list.
const LIST_COLUMNS: usize = 78;

/// Dialogs by zenity.
pub struct Zenity(Program);

/// One call of zenity, and what its answers mean.
#[derive(Debug, Default)]
struct Call {
    args: Vec<String>,
    input: String,
    /// Id of the OK button; absent: it puts the dialog away.
    ok: Option<String>,
    /// Id of the Cancel button; the same.
    cancel: Option<String>,
    /// What further buttons print, and their ids.
    extras: Vec<(String, String)>,
}

impl Zenity {
    /// By this executable.
    pub fn new(program: Program) -> Self {
        Self(program)
    }

    fn show(&self, call: &Call) -> Result<Ended, String> {
        let args: Vec<_> = call.args.iter().map(OsString::from).collect();
        self.0.run(&args, call.input.clone().into_bytes())
    }

    fn once(&self, form: &Form) -> Answer {
        let call = match call(form) {
            Ok(call) => call,
            Err(why) => return Answer::Failed { why },
        };
        loop {
            match self.show(&call) {
                Err(why) => return Answer::Failed { why },
                // OK, and no row is marked
                Ok(ended) if ended.code == Some(OK) && nothing_chosen(form, &ended) => {}
                Ok(ended) => {
                    return answer(form, &call, &ended)
                        .unwrap_or_else(|| Answer::Failed { why: self.0.strange(&ended) });
                }
            }
        }
    }
}

impl Front for Zenity {
    fn is_terminal(&self) -> bool {
        false
    }

    fn ask(&mut self, form: &Form) -> Answer {
        let Some(message) = folder_message(form) else { return self.once(form) };
        // A folder dialog has no text and no buttons of ours: they come before it.
        loop {
            match self.once(&message) {
                Answer::Pressed { button, .. } if Some(&button) == message.focus.as_ref() => match self.once(form) {
                    Answer::Dismissed => {}
                    other => return other,
                },
                other => return other,
            }
        }
    }

    fn until(&mut self, over: Option<Over>) {
        self.0.over = over;
    }

    fn progress(&mut self, form: &Form) -> Result<Box<dyn Progress>, String> {
        let mut args = general("--progress", form);
        args.push(format!("--text={}", escaped(&markup(form))));
        // It moves by itself; and goes when its standard input ends, with us.
        args.extend(["--pulsate", "--auto-close", "--width=420"].map(str::to_owned));
        match form.buttons.first() {
            Some(button) => {
                args.extend([format!("--cancel-label={}", label(&button.label)), "--ok-label=Done".to_owned()])
            }
            None => args.push("--no-cancel".to_owned()),
        }
        let args: Vec<_> = args.into_iter().map(OsString::from).collect();
        let mut child = self.0.spawn(&args, Stdio::null)?;
        let input = child.stdin.take();
        if let Some(input) = &input {
            // A zenity that hangs must not hang us.
            let _ = nix::fcntl::fcntl(input, nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK));
        }
        Ok(Box::new(Window { child, input, program: self.0.clone(), markup: None, moving: true, cancelled: false }))
    }
}

/// An open progress dialog.
struct Window {
    child: Child,
    input: Option<ChildStdin>,
    program: Program,
    /// It takes new texts as markup; absent: not asked yet.
    markup: Option<bool>,
    /// It moves without saying how far it is.
    moving: bool,
    cancelled: bool,
}

impl Progress for Window {
    fn update(&mut self, line: &ProgressLine) {
        let text: String = one_line(&line.text).chars().take(MAX_LINE_CHARS).collect();
        let mut lines = String::new();
        match line.percent {
            // At 100 it would close by itself.
            Some(percent) => {
                if self.moving {
                    lines.push_str("pulsate:false\n");
                }
                lines.push_str(&format!("{}\n", percent.min(99)));
            }
            None if self.moving => {}
            None => lines.push_str("pulsate:true\n"),
        }
        self.moving = line.percent.is_none();
        if !text.is_empty() {
            let text = if self.takes_markup(&text) { pango(&text) } else { text };
            lines.push_str(&format!(
                "# {}\n",
                wrap(&text, COLUMNS).join("\n").replace('\\', "\\\\").replace('\n', "\\n")
            ));
        }
        if let Some(input) = &mut self.input {
            // One that was put away reads no more; a full pipe loses a line that the next one replaces.
            let _ = input.write_all(lines.as_bytes());
        }
    }

    fn cancelled(&mut self) -> bool {
        if !self.cancelled
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.cancelled = matches!(status.code(), Some(CANCEL | ESCAPE));
        }
        self.cancelled
    }
}

impl Window {
    /// Since 4.0.2 a new text is markup; until then it was not. Only asked when it makes a difference.
    fn takes_markup(&mut self, text: &str) -> bool {
        if !text.contains(['&', '<', '>']) {
            return false;
        }
        if self.markup.is_none() {
            let version = self
                .program
                .run(&["--version".into()], Vec::new())
                .ok()
                .and_then(|ended| ended.printed().map(str::to_owned));
            self.markup = Some(version.is_some_and(|version| since_4_0_2(&version)));
        }
        self.markup == Some(true)
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        program::end(&mut self.child);
    }
}

fn since_4_0_2(version: &str) -> bool {
    let mut numbers = version.trim().split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = [numbers.next(), numbers.next(), numbers.next()].map(Option::unwrap_or_default);
    version >= [4, 0, 2]
}

/// How zenity shows a form.
fn call(form: &Form) -> Result<Call, String> {
    let mut call = match &form.body {
        Body::Message | Body::Progress => message(form),
        Body::Document { document } => self::document(form, document),
        Body::Choose { choices, selected } => choose(form, choices, selected.as_deref()),
        Body::Text => lines(form),
        Body::Entry { value } => entry(form, &[format!("--entry-text={}", one_line(value))]),
        // `--password` of 3.44 shows no text of ours.
        Body::Password => entry(form, &["--hide-text".to_owned()]),
        Body::Folder { start } => {
            let mut args = general("--file-selection", &Form { title: title_of_folder(form), ..form.clone() });
            args.extend([
                "--directory".to_owned(),
                format!("--filename={}/", start.display().to_string().trim_end_matches('/')),
            ]);
            Call { args, ok: id(form.buttons.first()), cancel: id(folder_cancel(form)), ..Call::default() }
        }
    };
    if call.extras.len() > MAX_EXTRAS {
        return Err(words::desktop::dialog_has_too_many_buttons(one_line(&form.heading)));
    }
    let extras: Vec<_> = call.extras.iter().map(|(label, _)| format!("--extra-button={label}")).collect();
    // Rows come last, after "--".
    call.args.splice(1..1, extras);
    Ok(call)
}

/// Kind and title, which every call has. Each option is one argument with its value, so no text becomes an option.
fn general(kind: &str, form: &Form) -> Vec<String> {
    vec![kind.to_owned(), format!("--title={}", one_line(&form.title))]
}

fn message(form: &Form) -> Call {
    let (focused, away, others) = sorted(form);
    let question = form.tone == Tone::Question && focused.is_some() && form.buttons.len() > 1;
    let kind = match form.tone {
        _ if question => "--question",
        Tone::Error => "--error",
        Tone::Warning => "--warning",
        Tone::Question if focused.is_none() => "--warning",
        Tone::Info | Tone::Question => "--info",
    };
    let mut call = Call { args: general(kind, form), ..Call::default() };
    call.args.push(format!("--text={}", escaped(&markup(form))));
    let mut rest: Vec<_> = others;
    if let Some(focused) = focused {
        call.ok_button(focused);
        rest.extend(away);
    } else {
        call.args.push(format!(
            "--ok-label={}",
            away.map_or_else(|| words::common::NOT_NOW.to_owned(), |away| label(&away.label))
        ));
    }
    if question && !rest.is_empty() {
        // The one that puts away, else the next one.
        let cancel = if away.is_some() { rest.len() - 1 } else { 0 };
        call.cancel_button(Some(rest.remove(cancel)));
    }
    call.extra_buttons(&rest);
    call
}

fn document(form: &Form, document: &str) -> Call {
    let (focused, away, mut others) = sorted(form);
    // The last one stands in the corner, where a hand goes first: that is the first of the form, which means the least.
    others.reverse();
    let mut call = Call { args: general("--text-info", form), ..Call::default() };
    call.args.extend(["--width=740", "--height=500", "--font=Monospace 10"].map(str::to_owned));
    let heads = [&form.heading, &form.text];
    let heads = heads.into_iter().filter(|text| !text.is_empty()).map(|text| format!("{}\n\n", printable(text)));
    call.input = format!("{}{}", heads.collect::<String>(), printable(document));
    match focused {
        Some(focused) => call.ok_button(focused),
        None => call.args.push(format!("--ok-label={}", words::common::NOT_NOW)),
    }
    // It always has both.
    let close = away.map_or_else(|| words::buttons::CLOSE.to_owned(), |away| label(&away.label));
    if focused.is_some_and(|focused| label(&focused.label) == close) {
        call.args.push("--ok-label=OK".to_owned());
    }
    call.args.push(format!("--cancel-label={close}"));
    call.extra_buttons(&others);
    call
}

/// Some lines are typed. It has no text of ours but its title.
fn lines(form: &Form) -> Call {
    let mut call = Call { args: general("--text-info", form), ..Call::default() };
    call.args.extend(["--editable", "--width=560", "--height=260"].map(str::to_owned));
    call.first_two_buttons(form);
    call
}

fn choose(form: &Form, choices: &[Choice], selected: Option<&str>) -> Call {
    let mut call = Call { args: general("--list", form), ..Call::default() };
    let details = choices.iter().any(|choice| !choice.detail.is_empty());
    // It is not wrapped here, and would make the window as wide as the longest line.
    let text = wrap(&printable(&form.text), LIST_COLUMNS).join("\n");
    call.args.push(format!("--text={}", escaped(&markup(&Form { text, ..form.clone() }))));
    // Column 1 is the mark, column 2 the number that comes back.
    call.args.extend(["--radiolist", "--hide-header", "--column= ", "--column=#", "--column= "].map(str::to_owned));
    if details {
        call.args.push("--column= ".to_owned());
    }
    call.args.extend(["--hide-column=2".to_owned(), "--print-column=2".to_owned()]);
    let height = 170 + 24 * choices.len() + 20 * form.text.len().div_ceil(COLUMNS);
    call.args.extend([format!("--width={}", if details { 560 } else { 420 }), format!("--height={}", height.min(560))]);
    call.first_two_buttons(form);
    call.args.push("--".to_owned());
    for (number, choice) in choices.iter().enumerate() {
        let marked = selected == Some(choice.id.as_str());
        call.args.extend([
            if marked { "TRUE" } else { "FALSE" }.to_owned(),
            number.to_string(),
            no_option(&one_line(&choice.label)),
        ]);
        if details {
            call.args.push(no_option(&one_line(&choice.detail)));
        }
    }
    call
}

fn entry(form: &Form, more: &[String]) -> Call {
    let mut call = Call { args: general("--entry", form), ..Call::default() };
    // This text is no markup, but has mnemonics, and is not wrapped.
    let text = [&form.heading, &form.text].into_iter().filter(|text| !text.is_empty());
    let text = text.map(|text| wrap(&printable(text), COLUMNS).join("\n")).collect::<Vec<_>>().join("\n\n");
    call.args.push(format!("--text={}", escaped(&label_lines(&text))));
    call.args.push("--width=420".to_owned());
    call.args.extend(more.iter().cloned());
    call.first_two_buttons(form);
    call
}

impl Call {
    fn ok_button(&mut self, button: &DialogButton) {
        self.args.push(format!("--ok-label={}", label(&button.label)));
        self.ok = id(Some(button));
    }

    fn cancel_button(&mut self, button: Option<&DialogButton>) {
        self.args.push(format!(
            "--cancel-label={}",
            button.map_or_else(|| words::buttons::CANCEL.to_owned(), |button| label(&button.label))
        ));
        self.cancel = id(button);
    }

    fn extra_buttons(&mut self, buttons: &[&DialogButton]) {
        self.extras.extend(buttons.iter().map(|button| (label(&button.label), button.id.clone())));
    }

    /// The first button confirms, the second is Cancel.
    fn first_two_buttons(&mut self, form: &Form) {
        let away = form.buttons.iter().skip(1).position(|button| button.id == DialogButton::AWAY);
        let mut rest: Vec<_> = form.buttons.iter().skip(1).collect();
        if let Some(first) = form.buttons.first() {
            self.ok_button(first);
        }
        let cancel = if rest.is_empty() { None } else { Some(rest.remove(away.unwrap_or(0))) };
        self.cancel_button(cancel);
        self.extra_buttons(&rest);
    }
}

/// The button with the focus, the one that puts away (unless it has the focus), and the others.
fn sorted(form: &Form) -> (Option<&DialogButton>, Option<&DialogButton>, Vec<&DialogButton>) {
    let focused = form.buttons.iter().find(|button| Some(&button.id) == form.focus.as_ref());
    let rest = || form.buttons.iter().filter(|button| Some(*button) != focused);
    let away = rest().find(|button| button.id == DialogButton::AWAY);
    (focused, away, rest().filter(|button| button.id != DialogButton::AWAY).collect())
}

fn id(button: Option<&DialogButton>) -> Option<String> {
    button.map(|button| button.id.clone())
}

/// What the end of zenity means; nothing: it means nothing.
fn answer(form: &Form, call: &Call, ended: &Ended) -> Option<Answer> {
    let output = ended.printed()?;
    let pressed = |id: &Option<String>| id.as_deref().map_or(Answer::Dismissed, Answer::pressed);
    match ended.code? {
        OK => match (&call.ok, &form.body) {
            (Some(id), Body::Choose { choices, .. }) => {
                let choice = choices.get(output.parse::<usize>().ok()?)?;
                Some(Answer::with_value(id, Some(Secret::new(choice.id.as_str()))))
            }
            (Some(id), Body::Entry { .. } | Body::Text | Body::Password) => {
                Some(Answer::with_value(id, Some(Secret::new(output))))
            }
            (Some(id), Body::Folder { .. }) if output.starts_with('/') => {
                Some(Answer::with_value(id, Some(Secret::new(output))))
            }
            (_, Body::Folder { .. }) => None,
            (id, _) if output.is_empty() => Some(pressed(id)),
            _ => None,
        },
        CANCEL if output.is_empty() => Some(pressed(&call.cancel)),
        ESCAPE if output.is_empty() => Some(Answer::Dismissed),
        ESCAPE | EXTRA => {
            let (_, id) = call.extras.iter().find(|(label, _)| label == output)?;
            Some(Answer::pressed(id))
        }
        _ => None,
    }
}

fn nothing_chosen(form: &Form, ended: &Ended) -> bool {
    matches!(&form.body, Body::Choose { choices, .. } if !choices.is_empty()) && ended.printed() == Some("")
}

/// Heading and text as Pango markup.
fn markup(form: &Form) -> String {
    let text = pango(&printable(&form.text));
    match (form.heading.is_empty(), text.is_empty()) {
        (true, _) => text,
        (false, true) => format!("<b>{}</b>", pango(&one_line(&form.heading))),
        (false, false) => format!("<b>{}</b>\n\n{text}", pango(&one_line(&form.heading))),
    }
}

fn pango(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// zenity undoes C escapes in texts.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
}

/// A button's label. Which buttons take an underscore for a mnemonic differs between dialogs and versions; none of our labels
/// needs one.
fn label(text: &str) -> String {
    one_line(text).replace('_', " ")
}

fn label_lines(text: &str) -> String {
    text.replace('_', "__")
}

fn title_of_folder(form: &Form) -> String {
    if form.heading.is_empty() { form.title.clone() } else { form.heading.clone() }
}
