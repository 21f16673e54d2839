//! `approvals review`: what waits, whole, one after the other, to be decided here; in dialogs or on this terminal.

use std::time::{Duration, Instant};

use super::data;
use super::follow::Following;
use crate::cli;
use crate::config::{Environment, Paths};
use crate::core::dialog::{Answer, Form, Tone};
use crate::core::review::{self, Chosen, Shown};
use crate::core::text;
use crate::protocol::{Decision, Failure, FailureCode, Reply, Request, Standing};
use crate::shell::dialog::{self, Front, Over};
use crate::words;

/// An answer that comes sooner is no answer: the review is shown again. Its window takes a part of this to come.
const TYPED_AHEAD: Duration = Duration::from_millis(1_500);

/// Shows the approval `id`, or what waits until nothing does or the person puts it away.
pub fn review(env: &Environment, paths: &Paths, id: Option<String>, windows: bool) -> Result<(), Failure> {
    let front = if windows { dialog::pick(env) } else { Ok(dialog::terminal()) };
    let mut front = front.map_err(|why| Failure::new(FailureCode::Failed, why, ""))?;
    match id {
        Some(id) => one(paths, &mut *front, id).map(drop),
        None => all(paths, &mut *front),
    }
}

fn all(paths: &Paths, front: &mut dyn Front) -> Result<(), Failure> {
    let mut reviewed = false;
    loop {
        let inbox = data(cli::ask(paths, Request::Approvals { all: false }, cli::SHORT)?)?;
        let rows = inbox["approvals"].as_array().map(Vec::as_slice).unwrap_or_default();
        let waiting: Vec<_> = rows.iter().filter_map(|row| Shown::read(row).ok()).collect();
        let unreadable = inbox["unreadable"].as_u64().unwrap_or(0) + (rows.len() - waiting.len()) as u64;
        if waiting.is_empty() {
            let words = match unreadable {
                0 if reviewed => return Ok(()),
                0 => words::approvals::NOTHING_WAITS.to_owned(),
                _ => words::approvals::could_not_be_understood(unreadable),
            };
            front.ask(&Form::message(words::common::APPROVALS, &words, Tone::Info));
            return Ok(());
        }
        let id = match waiting.as_slice() {
            [single] if unreadable == 0 => single.id().to_owned(),
            _ => match front.ask(&review::list(&waiting, unreadable)) {
                Answer::Pressed { value: Some(id), .. } => id.expose().to_owned(),
                Answer::Failed { why } => return Err(Failure::new(FailureCode::Failed, why, "")),
                Answer::Pressed { .. } | Answer::Dismissed => return Ok(()),
            },
        };
        let single = waiting.len() == 1;
        if !one(paths, front, id)? && single {
            return Ok(());
        }
        reviewed = true;
    }
}

/// Whether something was decided.
fn one(paths: &Paths, front: &mut dyn Front, id: String) -> Result<bool, Failure> {
    let tell = |front: &mut dyn Front, heading: &str, words: &str, tone| {
        front.ask(&Form::message(heading, words, tone));
        Ok(false)
    };
    loop {
        let shown = read(paths, &id)?;
        if let Some(why) = shown.over(cli::unix_ms()) {
            return tell(front, words::approvals::NOTHING_TO_DECIDE, &why, Tone::Info);
        }
        let decision = match ask(paths, front, &shown)? {
            Asked::Decided(decision) => decision,
            Asked::Away => return Ok(false),
            Asked::Over(standing) => match review::closed(standing) {
                Some(form) if front.ask(&form).button() == Some(review::AGAIN) => continue,
                Some(_) => return Ok(false),
                None => {
                    let why = read(paths, &id)?.over(cli::unix_ms());
                    let why = why.unwrap_or_else(|| words::approvals::IT_DOES_NOT_WAIT_FOR_YOU.to_owned());
                    return tell(front, words::approvals::NOTHING_TO_DECIDE, &why, Tone::Info);
                }
            },
        };
        return match send(paths, decision, front.is_terminal()) {
            Ok(said) => {
                if front.is_terminal() {
                    cli::print(&format!("{said}\n"));
                }
                Ok(true)
            }
            Err(failure) => {
                let words = format!("{} {}", text::sentence(&failure.message), failure.hint);
                tell(front, words::approvals::NOTHING_WAS_APPROVED, words.trim_end(), Tone::Error)
            }
        };
    }
}

/// What a person said to a record.
pub(super) enum Asked {
    Decided(Decision),
    Away,
    /// Nothing that counts: it was over before.
    Over(Standing),
}

/// Shows a record until the person is done with it, or it is over. Whatever is doubtful is asked about twice.
pub(super) fn ask(paths: &Paths, front: &mut dyn Front, shown: &Shown) -> Result<Asked, Failure> {
    let failed = |why: String| Failure::new(FailureCode::Failed, why, words::approvals::LOOK_AT_IT_IN_DASHBOARD);
    let following = Following::start(paths, shown, !front.is_terminal())
        .map_err(|error| failed(words::approvals::review_could_not_be_opened(&error)))?;
    let over = following.over();
    front.until(Some(over.clone()));
    let asked = decide(front, shown, &over);
    front.until(None);
    match over.why() {
        Some(standing) => {
            if front.is_terminal() {
                cli::print("\n");
            }
            Ok(Asked::Over(standing))
        }
        None => asked.map_err(failed),
    }
}

fn decide(front: &mut dyn Front, shown: &Shown, over: &Over) -> Result<Asked, String> {
    loop {
        let opened = Instant::now();
        let chosen = match front.ask(&review::form(shown, cli::unix_ms())) {
            Answer::Failed { why } => return Err(why),
            _ if over.why().is_some() => return Ok(Asked::Away),
            Answer::Dismissed => return Ok(Asked::Away),
            // typed ahead, into another program, before this window came: nobody has read it yet
            Answer::Pressed { .. } if opened.elapsed() < TYPED_AHEAD => continue,
            Answer::Pressed { button, .. } => review::chosen(shown, &button),
        };
        match chosen {
            Chosen::Decide(decision) => return Ok(Asked::Decided(decision)),
            Chosen::Doubt(decision) if review::is_sure(front.ask(&review::doubt(shown)).button()) => {
                return Ok(Asked::Decided(decision));
            }
            Chosen::Doubt(_) if over.why().is_none() => {}
            Chosen::Doubt(_) | Chosen::Nothing => return Ok(Asked::Away),
        }
    }
}

/// The record as the gateway has it now.
pub(super) fn read(paths: &Paths, id: &str) -> Result<Shown, Failure> {
    let answer = data(cli::ask(paths, Request::Approval { approval_id: id.to_owned() }, cli::SHORT)?)?;
    Shown::read(&answer["approval"])
        .map_err(|why| Failure::new(FailureCode::Failed, why, words::approvals::LOOK_AT_IT_IN_DASHBOARD))
}

fn send(paths: &Paths, decision: Decision, on_terminal: bool) -> Result<String, Failure> {
    let request = if on_terminal { Request::Decide(decision) } else { Request::DecideReviewed(decision) };
    match cli::ask(paths, request, cli::SHORT)? {
        Reply::Done(text) => Ok(text),
        Reply::Data(_) => Ok(String::new()),
        Reply::Error(failure) => Err(failure),
    }
}
