//! `approvals review`: what waits, whole, one after the other, to be decided here; in dialogs or on this terminal.

use std::time::{Duration, Instant};

use super::data;
use crate::cli;
use crate::config::{Environment, Paths};
use crate::core::dialog::{Answer, Form, Tone};
use crate::core::review::{self, Chosen, Shown};
use crate::core::text;
use crate::protocol::{Decision, Failure, FailureCode, Reply, Request};
use crate::shell::dialog::{self, Front};

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
                0 => "Nothing waits for you.".to_owned(),
                _ => format!("{unreadable} could not be understood; look at them in the dashboard."),
            };
            front.ask(&Form::message("Approvals", &words, Tone::Info));
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
    loop {
        let answer = data(cli::ask(paths, Request::Approval { approval_id: id.clone() }, cli::SHORT)?)?;
        let shown = Shown::read(&answer["approval"]).map_err(|why| Failure::new(FailureCode::Failed, why, LOOK))?;
        let now = cli::unix_ms();
        if let Some(why) = shown.over(now) {
            front.ask(&Form::message("Nothing to decide", &why, Tone::Info));
            return Ok(false);
        }
        let opened = Instant::now();
        let decision = match front.ask(&review::form(&shown, now)) {
            // typed ahead, into another program, before this window came: nobody has read it yet
            Answer::Pressed { .. } if opened.elapsed() < TYPED_AHEAD => continue,
            Answer::Pressed { button, .. } => review::chosen(&shown, &button),
            Answer::Dismissed => return Ok(false),
            Answer::Failed { why } => return Err(Failure::new(FailureCode::Failed, why, LOOK)),
        };
        let decision = match decision {
            Chosen::Decide(decision) => decision,
            Chosen::Doubt(decision) if review::is_sure(front.ask(&review::doubt(&shown)).button()) => decision,
            Chosen::Doubt(_) => continue,
            Chosen::Nothing => return Ok(false),
        };
        match send(paths, decision) {
            Ok(said) if front.is_terminal() => cli::print(&format!("{said}\n")),
            Ok(_) => {}
            Err(failure) => {
                let words = format!("{} {}", text::sentence(&failure.message), failure.hint);
                front.ask(&Form::message("Nothing was approved", words.trim_end(), Tone::Error));
                return Ok(false);
            }
        }
        return Ok(true);
    }
}

fn send(paths: &Paths, decision: Decision) -> Result<String, Failure> {
    match cli::ask(paths, Request::DecideReviewed(decision), cli::SHORT)? {
        Reply::Done(text) => Ok(text),
        Reply::Data(_) => Ok(String::new()),
        Reply::Error(failure) => Err(failure),
    }
}

const LOOK: &str = "Look at it in the dashboard: palyra-tray open approvals";
