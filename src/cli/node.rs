//! `node`: how the node host's enrolment stands; enrol, repair, reset. What opens the pairing window is explained and asked
//! first, here or in a dialog; the agent does it, and stops when this process goes away.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Waited;
use crate::config::{Environment, Paths};
use crate::core::dialog::{Answer, Form, Tone};
use crate::core::node::forms;
use crate::core::text;
use crate::protocol::node::{NodeRequest, NodeTask};
use crate::protocol::{Failure, FailureCode, Reply, Request};
use crate::shell::dialog::{self, Front};
use crate::words::{self, help};

/// Every step has its own limit in the agent; this is more than all of them.
const PATIENCE: Duration = Duration::from_secs(6 * 60);

/// `node …`
#[derive(Subcommand)]
pub enum Node {
    #[command(about = help::NODE_STATUS)]
    Status {
        #[arg(long, help = help::AS_JSON)]
        json: bool,
    },
    #[command(alias = "enrol", about = help::NODE_ENROLL)]
    Enroll(TaskArgs),
    #[command(about = help::NODE_REPAIR)]
    Repair(TaskArgs),
    #[command(about = help::NODE_RESET)]
    Reset(TaskArgs),
}

/// Arguments of what changes something.
#[derive(Args)]
pub struct TaskArgs {
    #[arg(long, conflicts_with = "dialog", help = help::NODE_YES)]
    yes: bool,
    #[arg(long, help = help::NODE_DIALOG)]
    dialog: bool,
}

/// Does one of them.
pub fn node(env: &Environment, command: &Node) -> Result<ExitCode, Failure> {
    let paths = super::paths(env)?;
    let (task, args) = match command {
        Node::Status { json } => return status(&paths, *json),
        Node::Enroll(args) => (NodeTask::Enrol, args),
        Node::Repair(args) => (NodeTask::Repair, args),
        Node::Reset(args) => (NodeTask::Reset, args),
    };
    if args.dialog {
        return in_windows(env, &paths, task);
    }
    if !args.yes {
        confirm(task)?;
    }
    super::print(&format!("{}…\n", forms::progress(task).heading));
    super::say(&ask(&paths, task)?)
}

fn ask(paths: &Paths, task: NodeTask) -> Result<Reply, Failure> {
    super::ask(paths, Request::Node(NodeRequest::Do { task }), PATIENCE)
}

fn confirm(task: NodeTask) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::new(
            FailureCode::Refused,
            words::node::node_asks_first(task.word()),
            words::node::if_you_know_what_it_means(task.word()),
        ));
    }
    super::print(&words::node::type_yes(forms::meaning(task), forms::question(task)));
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    let agreed = std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes";
    if agreed { Ok(()) } else { Err(Failure::new(FailureCode::Refused, words::common::NOTHING_WAS_DONE, "")) }
}

fn in_windows(env: &Environment, paths: &Paths, task: NodeTask) -> Result<ExitCode, Failure> {
    let mut front = dialog::pick(env).map_err(|why| Failure::new(FailureCode::Failed, why, ""))?;
    match front.ask(&forms::ask(task)) {
        answer if answer.button() == Some(forms::YES) => {}
        Answer::Failed { why } => return Err(Failure::new(FailureCode::Failed, why, "")),
        _ => return Ok(ExitCode::SUCCESS),
    }
    let form = match behind_progress(&mut *front, paths, task)? {
        Some(Ok(words)) => forms::done(&words),
        Some(Err(failure)) => {
            let words = format!("{} {}", text::sentence(&failure.message), failure.hint);
            Form::message(words::common::NOT_DONE, words.trim_end(), Tone::Error)
        }
        // the agent sees this process go, and closes the window
        None => return Ok(ExitCode::SUCCESS),
    };
    match front.ask(&form) {
        Answer::Failed { why } => Err(Failure::new(FailureCode::Failed, why, "")),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// `None`: the person put it away.
fn behind_progress(
    front: &mut dyn Front,
    paths: &Paths,
    task: NodeTask,
) -> Result<Option<Result<String, Failure>>, Failure> {
    let mut progress =
        front.progress(&forms::progress(task)).map_err(|why| Failure::new(FailureCode::Failed, why, ""))?;
    let (tell, told) = mpsc::channel();
    let paths = paths.clone();
    std::thread::spawn(move || {
        let _ = tell.send(ask(&paths, task));
    });
    Ok(match super::wait_behind(&mut *progress, &told) {
        Waited::Done(Ok(Reply::Done(words))) => Some(Ok(words)),
        Waited::Done(Ok(_)) | Waited::Lost => Some(Err(Failure::new(
            FailureCode::Failed,
            words::common::AGENTS_ANSWER_WAS_NOT_UNDERSTOOD,
            words::common::SEE_STATUS,
        ))),
        Waited::Done(Err(failure)) => Some(Err(failure)),
        Waited::Cancelled => None,
    })
}

fn status(paths: &Paths, json: bool) -> Result<ExitCode, Failure> {
    let reply = super::ask(paths, Request::Node(NodeRequest::Status), super::SHORT)?;
    let Reply::Data(status) = reply else { return super::say(&reply) };
    if json {
        super::print_json(&status);
    } else {
        super::print(&words(&status));
    }
    Ok(ExitCode::SUCCESS)
}

fn words(status: &Value) -> String {
    let text_of = |key: &str| status[key].as_str().unwrap_or_default();
    let mut out = words::node::node_host(text_of("state"));
    if !text_of("device_id").is_empty() {
        out.push_str(&words::node::device(text_of("device_id")));
    }
    if let Some(at) = status["certificate_expires_at_unix_ms"].as_i64() {
        let left = at - status["as_of_unix_ms"].as_i64().unwrap_or(at);
        let words = match u64::try_from(left / 1_000) {
            Ok(seconds) if left > 0 => words::node::good_for(text::duration(seconds)),
            _ => words::node::EXPIRED.to_owned(),
        };
        out.push_str(&words::node::certificate(&words));
    }
    let window = if status["pairing_window_open"] == Value::Bool(true) {
        words::node::WINDOW_OPEN
    } else {
        words::node::WINDOW_CLOSED
    };
    out.push_str(&words::node::window(window));
    if status["enrolment_allowed"] != Value::Bool(true) {
        out.push_str(words::node::ENROLMENT_SWITCHED_OFF);
    }
    if !text_of("not_known").is_empty() {
        out.push_str(&format!("! {}\n", text::sentence(text_of("not_known"))));
    }
    out
}
