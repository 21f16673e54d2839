//! `window`: the tray's menu as a window, for desktops without a tray, and on a terminal. A second start opens it where no
//! tray shows the icon.

use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::Waited;
use crate::config::{Environment, Paths};
use crate::core::dialog::{Answer, Body, DialogButton, Form, Tone};
use crate::core::text;
use crate::core::view::Item;
use crate::core::window::{self, Step};
use crate::protocol::{Action, Failure, FailureCode, Reply, Request};
use crate::shell::dialog::{self, Front};
use crate::shell::lock::WindowLock;
use crate::words;

/// What is done by then needs no progress dialog.
const AT_ONCE: Duration = Duration::from_millis(400);

/// Shows the menu until the person puts it away, or goes on elsewhere.
pub fn window(env: &Environment) -> Result<ExitCode, Failure> {
    let paths = super::paths(env)?;
    let mut front = dialog::pick(env).map_err(|why| Failure::new(FailureCode::Failed, why, ""))?;
    // a disk on which no lock can be had is no reason to show nothing
    let lock = if front.is_terminal() { None } else { Some(WindowLock::take(&paths)) };
    if matches!(lock, Some(Ok(None))) {
        super::print(words::menu::WINDOW_IS_OPEN_ALREADY);
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = show(&paths, &mut *front);
    if let Err(failure) = &outcome
        && !front.is_terminal()
    {
        // Whoever started it by a click sees no terminal.
        front.ask(&sorry(failure));
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Opens the window in a process of its own, where one can be shown. Whether it did.
pub fn open(env: &Environment) -> bool {
    if dialog::windows(env).is_err() {
        return false;
    }
    super::detached(env, &["window"]).spawn().is_ok()
}

fn show(paths: &Paths, front: &mut dyn Front) -> Result<(), Failure> {
    let mut inside = None;
    loop {
        let menu = menu(paths)?;
        let Some(form) = window::form(&menu, inside.as_deref()) else {
            inside = None; // that submenu has gone
            continue;
        };
        let id = match front.ask(&form) {
            Answer::Pressed { value: Some(id), .. } => id,
            Answer::Failed { why } => return Err(Failure::new(FailureCode::Failed, why, "")),
            Answer::Pressed { .. } | Answer::Dismissed if inside.take().is_some() => continue,
            Answer::Pressed { .. } | Answer::Dismissed => return Ok(()),
        };
        // What it means is what the menu says that the person saw.
        match window::step(&menu, id.expose()) {
            Some(Step::Into(id)) => inside = Some(id),
            Some(Step::Act(name, action)) => {
                let comes_back = window::comes_back(&action);
                match act(paths, front, &name, action) {
                    Ok(()) if comes_back => {}
                    Ok(()) => return Ok(()),
                    Err(failure) if failure.code == FailureCode::NoAgent => return Err(failure),
                    Err(failure) => drop(front.ask(&sorry(&failure))),
                }
            }
            None => {}
        }
    }
}

fn menu(paths: &Paths) -> Result<Vec<Item>, Failure> {
    let hint = words::common::RESTART_PALYRA_TRAY_AND_TRY_AGAIN;
    let not_understood = || Failure::new(FailureCode::Failed, words::menu::AGENTS_MENU_WAS_NOT_UNDERSTOOD, hint);
    match super::ask(paths, Request::Menu, super::SHORT)? {
        Reply::Data(menu) => serde_json::from_value(menu).map_err(|_| not_understood()),
        _ => Err(not_understood()),
    }
}

/// Has it done. What takes longer shows that it is on its way; who puts that away leaves the agent to it.
fn act(paths: &Paths, front: &mut dyn Front, name: &str, action: Action) -> Result<(), Failure> {
    let (tell, told) = mpsc::channel();
    let paths = paths.clone();
    std::thread::spawn(move || {
        let _ = tell.send(super::ask(&paths, Request::Act { action }, super::LONG));
    });
    let ended = || Err(Failure::new(FailureCode::Failed, words::menu::AGENT_DID_NOT_ANSWER, words::common::SEE_STATUS));
    match told.recv_timeout(AT_ONCE) {
        Ok(answer) => return answer.map(drop),
        Err(RecvTimeoutError::Disconnected) => return ended(),
        Err(RecvTimeoutError::Timeout) => {}
    }
    let form = Form {
        body: Body::Progress,
        buttons: vec![DialogButton::away(words::menu::HIDE)],
        ..Form::message(name, words::common::THIS_TAKES_A_MOMENT, Tone::Info)
    };
    let mut progress = front.progress(&form).map_err(|why| Failure::new(FailureCode::Failed, why, ""))?;
    match super::wait_behind(&mut *progress, &told) {
        Waited::Done(answer) => answer.map(drop),
        Waited::Cancelled => Ok(()),
        Waited::Lost => ended(),
    }
}

fn sorry(failure: &Failure) -> Form {
    let words = format!("{} {}", text::sentence(&failure.message), failure.hint);
    Form::message(words::common::NOT_DONE, words.trim_end(), Tone::Error)
}
