//! Dialogs as plain numbered lines: over SSH, in a screen reader, on a terminal that can do nothing.
//!
//! The end of input puts a dialog away. Limit: a progress dialog is cancelled by a typed line, so Enter alone does not.

use std::io;
use std::path::{Path, PathBuf};

use super::tty::{Console, Tty};
use super::{Front, Over, Progress};
use crate::core::dialog::{Answer, Body, Choice, DialogButton, Form, ProgressLine, Tone, one_line, printable, wrap};
use crate::protocol::Secret;
use crate::words;

/// Dialogs on a terminal.
pub struct Terminal<C = Tty> {
    console: C,
    home: Option<PathBuf>,
}

/// One line that can be chosen by its number or its words.
struct Row {
    number: usize,
    words: String,
    answer: Answer,
}

fn is_address(line: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| line.starts_with(scheme)) && !line.contains(' ')
}

impl<C: Console> Terminal<C> {
    /// On this console; `~` is `home`.
    pub fn new(console: C, home: Option<PathBuf>) -> Self {
        Self { console, home }
    }

    fn say(&mut self, text: &str) {
        let width = self.console.width();
        for line in printable(text).split('\n') {
            // cut by us, an address could neither be clicked nor copied
            let lines = if is_address(line) { line.to_owned() } else { wrap(line, width).join("\n") };
            self.console.write(&format!("{lines}\n"));
        }
    }

    fn head(&mut self, form: &Form) {
        let tone = match form.tone {
            Tone::Info | Tone::Question => "",
            Tone::Warning => words::desktop::WARNING,
            Tone::Error => words::desktop::ERROR,
        };
        let first = if form.heading.is_empty() { &form.title } else { &form.heading };
        self.say(&format!("\n{tone}{}\n", one_line(first)));
        if !form.text.is_empty() {
            self.say(&format!("{}\n", form.text));
        }
    }

    fn body(&mut self, form: &Form) -> io::Result<Answer> {
        self.head(form);
        match &form.body {
            Body::Message => self.buttons(form),
            Body::Document { document } => {
                // not wrapped by us, which would change its white space
                self.console.write(&format!("{}\n\n", printable(document)));
                self.buttons(form)
            }
            Body::Choose { choices, selected } => self.choose(form, choices, selected.as_deref()),
            Body::Entry { value } => {
                let value = one_line(value);
                self.typed(form, words::desktop::TYPE_IT, &value, |terminal| {
                    let line = terminal.console.line()?;
                    Ok(line.map(|line| if line.is_empty() { value.clone() } else { line }).map(Secret::new))
                })
            }
            Body::Text => self.lines(form),
            Body::Password => {
                self.typed(form, words::desktop::TYPE_IT_IT_IS_NOT_SHOWN, "", |terminal| terminal.console.hidden())
            }
            Body::Folder { start } => self.folder(form, start),
            Body::Progress => Ok(Answer::Failed { why: words::desktop::PROGRESS_DIALOG_ASKS_NOTHING.to_owned() }),
        }
    }

    /// Reads, and presses a button.
    fn buttons(&mut self, form: &Form) -> io::Result<Answer> {
        let mut rows: Vec<_> = (1..).zip(&form.buttons).map(|(number, button)| Row::of(number, button)).collect();
        let default = form.buttons.iter().position(|button| Some(&button.id) == form.focus.as_ref());
        if let (Some(_), [only]) = (default, form.buttons.as_slice()) {
            self.console.write(&format!("Enter: {} ", one_line(&only.label)));
            // Whatever is typed, there is one way on.
            return Ok(if self.console.line()?.is_some() { Answer::pressed(&only.id) } else { Answer::Dismissed });
        }
        if default.is_none() && !form.buttons.iter().any(|button| button.id == DialogButton::AWAY) {
            rows.push(Row::of(0, &DialogButton::away(words::common::NOT_NOW)));
        }
        self.pick(&rows, default)
    }

    fn choose(&mut self, form: &Form, choices: &[Choice], selected: Option<&str>) -> io::Result<Answer> {
        let first = form.buttons.first().map_or("", |button| button.id.as_str());
        let mut rows = Vec::new();
        for (number, choice) in (1..).zip(choices) {
            let detail = one_line(&choice.detail);
            let words = one_line(&choice.label);
            let answer = Answer::with_value(first, Some(Secret::new(choice.id.as_str())));
            rows.push(Row { number, words, answer });
            if !detail.is_empty() {
                rows.last_mut().iter_mut().for_each(|row| row.words.push_str(&format!(": {detail}")));
            }
        }
        let more = (choices.len() + 1..).zip(form.buttons.iter().skip(1));
        rows.extend(more.map(|(number, button)| Row::of(number, button)));
        self.pick(&rows, choices.iter().position(|choice| Some(choice.id.as_str()) == selected))
    }

    fn pick(&mut self, rows: &[Row], default: Option<usize>) -> io::Result<Answer> {
        for row in rows {
            self.say(&format!("  {}. {}", row.number, row.words));
        }
        let default = default.and_then(|place| rows.get(place));
        let prompt =
            default.map_or_else(|| words::desktop::NUMBER.to_owned(), |row| words::desktop::number(row.number));
        loop {
            self.console.write(&prompt);
            let Some(line) = self.console.line()? else { return Ok(Answer::Dismissed) };
            let line = line.trim();
            let row = match (line, default) {
                ("", Some(row)) => Some(row),
                _ => rows.iter().find(|row| row.is(line)),
            };
            match row {
                Some(row) => return Ok(row.answer.clone()),
                None => self.say(words::desktop::TYPE_ONE_OF_NUMBERS_ABOVE),
            }
        }
    }

    /// Reads a line, or one of the other buttons.
    fn typed(
        &mut self,
        form: &Form,
        what: &str,
        shown: &str,
        mut read: impl FnMut(&mut Self) -> io::Result<Option<Secret>>,
    ) -> io::Result<Answer> {
        let others: Vec<_> = (2..).zip(form.buttons.iter().skip(1)).collect();
        let ways: String =
            others.iter().map(|(number, button)| words::desktop::or_for(number, one_line(&button.label))).collect();
        self.say(&words::desktop::then_enter(what, &ways));
        self.console.write(&if shown.is_empty() { "> ".to_owned() } else { format!("[{shown}]: ") });
        let Some(line) = read(self)? else { return Ok(Answer::Dismissed) };
        let other = others.iter().find(|(number, _)| line.expose() == format!(":{number}"));
        Ok(match (other, form.buttons.first()) {
            (Some((_, button)), _) => Answer::pressed(&button.id),
            (None, Some(first)) => Answer::with_value(&first.id, Some(line)),
            (None, None) => Answer::Dismissed,
        })
    }

    /// Reads lines up to one with only a dot in it.
    fn lines(&mut self, form: &Form) -> io::Result<Answer> {
        let mut text = String::new();
        let first = self.typed(form, words::desktop::TYPE_IT_LINE_WITH_ONLY_DOT, "", |terminal| {
            Ok(terminal.console.line()?.map(Secret::new))
        })?;
        let (Some(line), Some(button)) = (first.value(), first.button()) else { return Ok(first) };
        let mut line = line.to_owned();
        while line != "." {
            text.push_str(&line);
            text.push('\n');
            self.console.write("> ");
            let Some(next) = self.console.line()? else { return Ok(Answer::Dismissed) };
            line = next;
        }
        Ok(Answer::with_value(button, Some(Secret::new(text.trim_end()))))
    }

    fn folder(&mut self, form: &Form, start: &Path) -> io::Result<Answer> {
        let shown = one_line(&start.display().to_string());
        loop {
            let answer = self.typed(form, words::desktop::TYPE_FOLDERS_PATH, &shown, |terminal| {
                let line = terminal.console.line()?;
                Ok(line.map(|line| if line.is_empty() { start.display().to_string() } else { line }).map(Secret::new))
            })?;
            let Some(typed) = answer.value() else { return Ok(answer) };
            let path = self.expanded(typed.trim());
            if !path.is_absolute() {
                self.say(words::desktop::TYPE_WHOLE_PATH);
            } else if !path.is_dir() {
                self.say(&words::desktop::there_is_no_folder(path.display()));
            } else {
                let button = answer.button().unwrap_or_default();
                return Ok(Answer::with_value(button, path.to_str().map(Secret::new)));
            }
        }
    }

    fn expanded(&self, typed: &str) -> PathBuf {
        match (typed.strip_prefix('~'), &self.home) {
            (Some(""), Some(home)) => home.clone(),
            (Some(rest), Some(home)) if rest.starts_with(['/', '\\']) => {
                home.join(rest.trim_start_matches(['/', '\\']))
            }
            _ => PathBuf::from(typed),
        }
    }
}

impl Row {
    fn of(number: usize, button: &DialogButton) -> Self {
        Self { number, words: one_line(&button.label), answer: Answer::pressed(&button.id) }
    }

    fn is(&self, line: &str) -> bool {
        let name = self.words.split(": ").next().unwrap_or_default();
        !line.is_empty() && (line.parse() == Ok(self.number) || line.to_lowercase() == name.to_lowercase())
    }
}

impl<C: Console + Clone + 'static> Front for Terminal<C> {
    fn is_terminal(&self) -> bool {
        true
    }

    fn ask(&mut self, form: &Form) -> Answer {
        self.body(form).unwrap_or_else(|error| Answer::Failed { why: words::desktop::terminal_cannot_be_read(&error) })
    }

    fn until(&mut self, over: Option<Over>) {
        self.console.until(over);
    }

    fn progress(&mut self, form: &Form) -> Result<Box<dyn Progress>, String> {
        self.head(form);
        let cancel = form.buttons.first().map(|button| one_line(&button.label));
        if let Some(cancel) = &cancel {
            let how = if cfg!(unix) { words::desktop::TYPE_C_THEN_ENTER } else { words::desktop::PRESS_CTRL_C };
            self.say(&format!("{cancel}: {how}."));
        }
        let cancel = cancel.filter(|_| cfg!(unix));
        Ok(Box::new(Lines {
            terminal: Terminal::new(self.console.clone(), None),
            cancel,
            last: None,
            cancelled: false,
        }))
    }
}

/// A progress dialog: a line for each step.
struct Lines<C> {
    terminal: Terminal<C>,
    /// Label of the button that cancels.
    cancel: Option<String>,
    last: Option<ProgressLine>,
    cancelled: bool,
}

impl<C: Console> Progress for Lines<C> {
    fn update(&mut self, line: &ProgressLine) {
        // A tenth is news; a hundredth is noise.
        let tenth = |line: &ProgressLine| line.percent.map(|percent| percent / 10);
        if self.last.as_ref().is_some_and(|last| last.text == line.text && tenth(last) == tenth(line)) {
            return;
        }
        let percent = line.percent.map(|percent| format!(" ({} %)", percent.min(100))).unwrap_or_default();
        self.terminal.say(&format!("{}{percent}", one_line(&line.text)));
        self.last = Some(line.clone());
    }

    fn cancelled(&mut self) -> bool {
        while !self.cancelled
            && let Some(cancel) = &self.cancel
            && let Some(line) = self.terminal.console.typed()
        {
            let line = line.trim().to_lowercase();
            self.cancelled = line == "c" || line == cancel.to_lowercase();
        }
        self.cancelled
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;

    use super::*;
    use crate::protocol::Standing;

    /// A terminal where these lines are typed.
    #[derive(Clone, Default)]
    struct Script {
        lines: Rc<RefCell<VecDeque<String>>>,
        shown: Rc<RefCell<String>>,
        hidden: Rc<RefCell<usize>>,
        over: Option<Over>,
    }

    impl Console for Script {
        fn write(&mut self, text: &str) {
            self.shown.borrow_mut().push_str(text);
        }

        fn line(&mut self) -> io::Result<Option<String>> {
            let over = self.over.as_ref().is_some_and(|over| over.why().is_some());
            Ok(if over { None } else { self.lines.borrow_mut().pop_front() })
        }

        fn hidden(&mut self) -> io::Result<Option<Secret>> {
            *self.hidden.borrow_mut() += 1;
            Ok(self.line()?.map(Secret::new))
        }

        fn typed(&mut self) -> Option<String> {
            self.lines.borrow_mut().pop_front()
        }

        fn width(&self) -> usize {
            40
        }

        fn until(&mut self, over: Option<Over>) {
            self.over = over;
        }
    }

    fn script(lines: &[&str]) -> Script {
        Script {
            lines: Rc::new(RefCell::new(lines.iter().map(|line| (*line).to_owned()).collect())),
            ..Script::default()
        }
    }

    fn form(body: Body, buttons: &[(&str, &str)], focus: Option<&str>) -> Form {
        Form {
            body,
            buttons: buttons.iter().map(|(id, label)| DialogButton::new(id, label)).collect(),
            focus: focus.map(str::to_owned),
            ..Form::message("A heading", "A text that is longer than a line of this terminal.", Tone::Question)
        }
    }

    /// The answer when these lines are typed, and what was shown.
    fn ask(form: &Form, lines: &[&str]) -> (Answer, String) {
        let console = script(lines);
        let answer = Terminal::new(console.clone(), Some("/home".into())).ask(form);
        let shown = console.shown.borrow().clone();
        (answer, shown)
    }

    fn with(button: &str, value: &str) -> Answer {
        Answer::with_value(button, Some(Secret::new(value)))
    }

    const REVIEW: [(&str, &str); 3] = [("approve", "Approve once"), ("deny", "Deny"), ("away", "Later")];

    #[test]
    fn the_white_space_of_a_document_is_kept() {
        let document = "rm  -r   a\n    b".to_owned();
        let (_, shown) = ask(&form(Body::Document { document: document.clone() }, &REVIEW, None), &[]);
        assert!(shown.contains(&document), "{shown}");
    }

    #[test]
    fn enter_alone_never_approves() {
        let document = || Body::Document { document: "rm -rf \x1b[2J".to_owned() };
        for focus in [Some("deny"), None] {
            for lines in [&[][..], &[""], &["", "", ""], &["y"], &["yes", ""], &["0"], &["3"], &["later"]] {
                let (answer, _) = ask(&form(document(), &REVIEW, focus), lines);
                assert_ne!(answer.button(), Some("approve"), "{focus:?} {lines:?}");
            }
        }
        assert_eq!(ask(&form(document(), &REVIEW, Some("deny")), &[""]).0, Answer::pressed("deny"));
        assert_eq!(ask(&form(document(), &REVIEW, Some("deny")), &[]).0, Answer::Dismissed);
        for aimed in ["1", " 1 ", "approve ONCE"] {
            let (answer, shown) = ask(&form(document(), &REVIEW, None), &["", aimed]);
            assert_eq!(answer, Answer::pressed("approve"), "{aimed}");
            assert!(!shown.contains('\x1b'), "nothing moves the cursor: {shown:?}");
        }
    }

    #[test]
    fn what_is_over_is_not_answered_by_what_is_typed() {
        let mut terminal = Terminal::new(script(&["1", "1"]), None);
        let over = Over::new().expect("descriptors");
        terminal.until(Some(over.clone()));
        let form = form(Body::Message, &REVIEW, None);
        assert_eq!(terminal.ask(&form), Answer::pressed("approve"));
        over.tell(Standing::Settled);
        assert_eq!(terminal.ask(&form), Answer::Dismissed);
        terminal.until(None);
        assert_eq!(terminal.ask(&form), Answer::pressed("approve"));
    }

    #[test]
    fn lines_are_typed_and_choices_are_made_by_number_or_words() {
        let buttons = [("next", "Next"), ("back", "Back")];
        let entry = form(Body::Entry { value: "old".to_owned() }, &buttons, None);
        assert_eq!(ask(&entry, &["new"]).0, with("next", "new"));
        assert_eq!(ask(&entry, &[""]).0, with("next", "old"));
        assert_eq!(ask(&entry, &[":2"]).0, Answer::pressed("back"));
        assert_eq!(ask(&entry, &[]).0, Answer::Dismissed);
        let text = form(Body::Text, &buttons, None);
        assert_eq!(ask(&text, &["one", "", "two.", "."]).0, with("next", "one\n\ntwo."));
        assert_eq!(ask(&text, &["one"]).0, Answer::Dismissed, "the end of input is no yes");
        assert_eq!(ask(&text, &[":2"]).0, Answer::pressed("back"));
        let choice = |id: &str, label: &str| Choice { id: id.into(), label: label.into(), detail: "detail".into() };
        let choices = vec![choice("a", "First"), choice("b", "Second")];
        let list = form(Body::Choose { choices, selected: None }, &buttons, None);
        assert_eq!(ask(&list, &["", "9", "2"]).0, with("next", "b"));
        assert_eq!(ask(&list, &["first"]).0, with("next", "a"));
        assert_eq!(ask(&list, &["3"]).0, Answer::pressed("back"));
    }

    #[test]
    fn a_password_is_read_hidden_and_never_shown() {
        let console = script(&["sk-secret"]);
        let password = form(Body::Password, &[("next", "Next")], None);
        let answer = Terminal::new(console.clone(), None).ask(&password);
        assert_eq!(answer, with("next", "sk-secret"));
        assert_eq!((*console.hidden.borrow(), console.shown.borrow().contains("sk-secret")), (1, false));
    }

    #[cfg(unix)] // its paths are
    #[test]
    fn a_folder_has_to_be_there() {
        let folder = form(Body::Folder { start: "/usr".into() }, &[("next", "Use"), ("back", "Back")], None);
        let (answer, shown) = ask(&folder, &["usr", "/nonexistent/x", "~"]);
        assert_eq!(answer, with("next", "/home"));
        assert!(shown.contains("from the root") && shown.contains("no folder /nonexistent/x"), "{shown}");
        assert_eq!(ask(&folder, &[""]).0, with("next", "/usr"));
        assert_eq!(ask(&folder, &[":2"]).0, Answer::pressed("back"));
    }

    #[cfg(unix)] // elsewhere Ctrl-C is what cancels
    #[test]
    fn progress_says_news_once_and_is_cancelled_by_its_word_only() {
        let console = script(&["", "no", "c"]);
        let waiting = form(Body::Progress, &[("cancel", "Stop waiting")], None);
        let mut progress = Terminal::new(console.clone(), None).progress(&waiting).unwrap();
        for percent in [10, 11, 12, 20] {
            progress.update(&ProgressLine { text: "Works.".to_owned(), percent: Some(percent) });
        }
        assert_eq!(console.shown.borrow().matches("Works.").count(), 2);
        assert!(progress.cancelled());
        let mut other = Terminal::new(script(&["", "no"]), None).progress(&waiting).unwrap();
        assert!(!other.cancelled());
    }

    #[test]
    fn lines_fit_the_terminal() {
        let (_, shown) = ask(&form(Body::Message, &REVIEW, None), &[]);
        assert!(shown.lines().all(|line| line.chars().count() <= 40), "{shown}");
    }

    #[test]
    fn an_address_stays_whole() {
        let address = format!("https://example.com/{}", "long/".repeat(20));
        let form = Form { text: format!("The page is:\n{address}"), ..form(Body::Message, &[("ok", "Go on")], None) };
        let (_, shown) = ask(&form, &[""]);
        assert!(shown.contains(&format!("\n{address}\n")), "{shown}");
    }
}
