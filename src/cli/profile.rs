//! `profile`: the profiles of the command line's registry, which one is active, and a change to another one. The agent does it;
//! while it begins anew it does not answer, and this side asks again.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Waited;
use crate::config::{Environment, Paths};
use crate::core::dialog::{Answer, Form, Tone};
use crate::core::switch::{LEAVE_MS, TRY_MS, forms};
use crate::core::text;
use crate::protocol::profiles::ProfileRequest;
use crate::protocol::{Failure, FailureCode, Reply, Request};
use crate::shell::dialog::{self, Front};
use crate::words::{self, help};

/// There and back again takes no longer.
const PATIENCE: Duration = Duration::from_millis(2 * LEAVE_MS + TRY_MS + 30_000);
/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(200);

/// `profile …`
#[derive(Subcommand)]
pub enum Profile {
    #[command(about = help::PROFILE_LIST)]
    List {
        #[arg(long, help = help::AS_JSON)]
        json: bool,
    },
    #[command(about = help::PROFILE_SHOW)]
    Show {
        #[arg(long, help = help::AS_JSON)]
        json: bool,
    },
    #[command(about = help::PROFILE_SWITCH)]
    Switch(SwitchArgs),
    #[command(hide = true, about = help::PROFILE_CHOOSE)]
    Choose,
}

/// Arguments of a change.
#[derive(Args)]
pub struct SwitchArgs {
    #[arg(help = help::PROFILE_NAME)]
    name: String,
    #[arg(long, help = help::PROFILE_YES)]
    yes: bool,
}

/// Does one of them.
pub fn profile(env: &Environment, command: &Profile) -> Result<ExitCode, Failure> {
    let paths = super::paths(env)?;
    match command {
        Profile::List { json } => list(&paths, *json),
        Profile::Show { json } => show(&paths, *json),
        Profile::Switch(args) => {
            let confirmed = args.yes || confirm(&paths, &args.name)?;
            super::print(&format!("{}\n", switch(&paths, &args.name, confirmed)?));
            Ok(ExitCode::SUCCESS)
        }
        Profile::Choose => choose(env, &paths),
    }
}

fn profiles(paths: &Paths) -> Result<Value, Failure> {
    match super::ask(paths, Request::Profiles(ProfileRequest::List), super::SHORT)? {
        Reply::Data(document) => Ok(document),
        _ => Err(not_understood()),
    }
}

fn not_understood() -> Failure {
    Failure::new(FailureCode::Failed, words::common::AGENTS_ANSWER_WAS_NOT_UNDERSTOOD, words::common::SEE_STATUS)
}

fn list(paths: &Paths, json: bool) -> Result<ExitCode, Failure> {
    let document = profiles(paths)?;
    if json {
        super::print_json(&document);
    } else {
        super::print(&forms::list(&document));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(paths: &Paths, json: bool) -> Result<ExitCode, Failure> {
    let block = block(paths)?;
    if json {
        super::print_json(&block);
    } else {
        super::print(&forms::show(&block));
    }
    Ok(ExitCode::SUCCESS)
}

fn block(paths: &Paths) -> Result<Value, Failure> {
    match super::ask(paths, Request::Status, super::SHORT)? {
        Reply::Data(status) if status["profile"].is_object() => Ok(status["profile"].clone()),
        _ => Err(not_understood()),
    }
}

/// A strict profile is asked about here; whether the person agreed to one. The agent refuses one that became strict meanwhile.
fn confirm(paths: &Paths, name: &str) -> Result<bool, Failure> {
    if !forms::is_strict(&profiles(paths)?, name) {
        return Ok(false);
    }
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::new(
            FailureCode::Refused,
            words::profiles::strict_and_no_terminal(name),
            words::profiles::if_you_mean_it(name),
        ));
    }
    super::print(&words::profiles::type_yes(forms::question(name)));
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    let agreed = std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes";
    if agreed { Ok(true) } else { Err(Failure::new(FailureCode::Refused, words::common::NOTHING_WAS_DONE, "")) }
}

/// Has it done, and waits for the end of it; what to say.
fn switch(paths: &Paths, name: &str, confirmed: bool) -> Result<String, Failure> {
    let now = block(paths)?;
    if now["active"] == name && now["switching"] == Value::Bool(false) {
        return Ok(words::profiles::is_on_it_already(name));
    }
    let request = Request::Profiles(ProfileRequest::Switch { name: name.to_owned(), confirmed });
    super::ask(paths, request, super::SHORT)?;
    let until = Instant::now() + PATIENCE;
    loop {
        match block(paths) {
            Ok(block) if block["switching"] == Value::Bool(false) => return over(&block, name),
            Ok(_) => {}
            // it begins anew
            Err(failure) if failure.code == FailureCode::NoAgent => {}
            Err(failure) => return Err(failure),
        }
        if Instant::now() >= until {
            let why = words::profiles::CHANGE_TAKES_LONGER;
            return Err(Failure::new(FailureCode::Failed, why, words::profiles::HOW_FAR));
        }
        std::thread::sleep(LOOK);
    }
}

fn over(block: &Value, name: &str) -> Result<String, Failure> {
    let outcome = block["switch"]["outcome"].as_str().unwrap_or_default();
    if block["active"] == name {
        Ok(outcome.to_owned())
    } else {
        // its end is put behind it by whoever shows it
        Err(Failure::new(FailureCode::Failed, outcome.trim_end_matches('.'), words::common::SEE_STATUS))
    }
}

fn choose(env: &Environment, paths: &Paths) -> Result<ExitCode, Failure> {
    let failed = |why: String| Failure::new(FailureCode::Failed, why, "");
    let mut front = dialog::pick(env).map_err(failed)?;
    let document = profiles(paths)?;
    let name = match front.ask(&forms::choose(&document)) {
        Answer::Pressed { value: Some(name), .. } => name.expose().to_owned(),
        Answer::Failed { why } => return Err(failed(why)),
        Answer::Pressed { .. } | Answer::Dismissed => return Ok(ExitCode::SUCCESS),
    };
    if document["active"] == name.as_str() {
        return Ok(ExitCode::SUCCESS);
    }
    let strict = forms::is_strict(&document, &name);
    if strict {
        match front.ask(&forms::ask(&name)) {
            answer if answer.button() == Some(forms::YES) => {}
            Answer::Failed { why } => return Err(failed(why)),
            _ => return Ok(ExitCode::SUCCESS),
        }
    }
    let form = match behind_progress(&mut *front, paths, &name, strict)? {
        Some(Ok(words)) => Form::message(words::common::DONE, &words, Tone::Info),
        Some(Err(failure)) => {
            let words = format!("{} {}", text::sentence(&failure.message), failure.hint);
            Form::message(words::profiles::WAS_NOT_CHANGED, words.trim_end(), Tone::Error)
        }
        // it goes on, and a notification tells how it ended
        None => return Ok(ExitCode::SUCCESS),
    };
    match front.ask(&form) {
        Answer::Failed { why } => Err(failed(why)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// `None`: the person put it away.
fn behind_progress(
    front: &mut dyn Front,
    paths: &Paths,
    name: &str,
    confirmed: bool,
) -> Result<Option<Result<String, Failure>>, Failure> {
    let mut progress =
        front.progress(&forms::progress(name)).map_err(|why| Failure::new(FailureCode::Failed, why, ""))?;
    let (tell, told) = mpsc::channel();
    let (paths, name) = (paths.clone(), name.to_owned());
    std::thread::spawn(move || {
        let _ = tell.send(switch(&paths, &name, confirmed));
    });
    Ok(match super::wait_behind(&mut *progress, &told) {
        Waited::Done(outcome) => Some(outcome),
        Waited::Lost => Some(Err(not_understood())),
        Waited::Cancelled => None,
    })
}
