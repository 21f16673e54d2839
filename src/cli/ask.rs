//! `send`, `ask` and `drafts`: messages to Palyra, on a terminal, in a script and in dialogs.
//!
//! The agent sends and listens; a command only waits for it. So Ctrl-C ends the waiting and nothing else.

use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::config::{Environment, Paths};
use crate::core::ask::forms::{self, Where};
use crate::core::companion::Draft;
use crate::core::dialog::{Answer, Form, Tone, one_line, printable};
use crate::core::notices::cut;
use crate::core::{text, ulid};
use crate::protocol::ask::{AskRequest, Message, TEXT_MAX, To};
use crate::protocol::{Failure, FailureCode, Reply, Request, Secret};
use crate::shell::dialog::{self, Front};
use crate::words::{self, help};

/// Until a message is accepted: the gateway may ask for patience, or be asked whether it has it.
const SENDING: Duration = Duration::from_secs(5 * 60);
/// An answer takes as long as it takes.
const ANSWERING: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Args)]
pub struct SendArgs {
    #[arg(help = help::SEND_TEXT)]
    text: String,
    #[arg(long, value_name = "KEY", conflicts_with = "new", help = help::SESSION)]
    session: Option<String>,
    #[arg(long, help = help::NEW_SESSION)]
    new: bool,
    #[arg(long, help = help::ANSWER_AS_JSON)]
    json: bool,
    #[arg(long, help = help::NO_WAIT)]
    no_wait: bool,
}

#[derive(Args)]
pub struct AskArgs {
    #[arg(long, value_name = "KEY", conflicts_with = "new", help = help::SESSION)]
    session: Option<String>,
    #[arg(long, help = help::NEW_SESSION)]
    new: bool,
    #[arg(long, hide = true, help = help::IN_WINDOWS_ONLY)]
    dialog: bool,
}

#[derive(Subcommand)]
pub enum Drafts {
    #[command(about = help::DRAFTS_LIST)]
    List {
        #[arg(long, help = help::AS_JSON)]
        json: bool,
    },
    #[command(about = help::DRAFTS_SHOW)]
    Show {
        #[arg(help = help::DRAFTS_ID)]
        id: String,
        #[arg(long, help = help::AS_JSON)]
        json: bool,
    },
    #[command(about = help::DRAFTS_SEND)]
    Send {
        #[arg(help = help::DRAFTS_ID)]
        id: String,
        #[arg(long, help = help::ANSWER_AS_JSON)]
        json: bool,
        #[arg(long, help = help::NO_WAIT)]
        no_wait: bool,
        #[arg(long, help = help::DRAFTS_NEW)]
        new: bool,
    },
    #[command(about = help::DRAFTS_DISCARD)]
    Discard {
        #[arg(help = help::DRAFTS_ID)]
        id: String,
    },
    #[command(hide = true, about = help::DRAFTS_OPEN)]
    Open {
        #[arg(help = help::DRAFTS_OPEN_ID)]
        id: String,
        #[arg(long, help = help::IN_WINDOWS_ONLY)]
        dialog: bool,
    },
}

/// Sends, and waits for the answer.
pub fn send(paths: &Paths, args: SendArgs) -> Result<ExitCode, Failure> {
    let piped = args.text == "-";
    let text = if piped { read_text()? } else { args.text };
    let to = match args.session {
        Some(session) => To::Session(session),
        None if args.new => To::New,
        None => To::Active,
    };
    let message = message(text.clone(), to)?;
    let sent = request(paths, AskRequest::Send(message), SENDING);
    if let Err(failure) = &sent
        && piped
        && matches!(failure.code, FailureCode::Refused | FailureCode::NoAgent)
    {
        // it is kept nowhere: who piped it in may have no other copy
        super::print(&text);
    }
    let sent = sent?;
    if args.no_wait {
        return Ok(say_accepted(&sent, args.json));
    }
    wait(paths, sent, args.json)
}

/// Writes a message in a dialog, or on this terminal.
pub fn ask(env: &Environment, args: &AskArgs) -> Result<ExitCode, Failure> {
    let paths = super::paths(env)?;
    let mut front = front(env, args.dialog)?;
    let outcome = write(&paths, &mut *front, args);
    told(&mut *front, outcome)
}

/// Does one of them.
pub fn drafts(env: &Environment, command: &Drafts) -> Result<ExitCode, Failure> {
    let paths = super::paths(env)?;
    match command {
        Drafts::List { json } => {
            let answer = request(&paths, AskRequest::Drafts, super::SHORT)?;
            if *json {
                super::print_json(&answer);
                return Ok(ExitCode::SUCCESS);
            }
            let drafts: Vec<Draft> = understood(answer["drafts"].clone())?;
            let lines: String = drafts.iter().map(line).collect();
            super::print(if lines.is_empty() { words::ask::NO_DRAFTS } else { &lines });
        }
        Drafts::Show { id, json: true } => super::print_json(&draft(&paths, id)?),
        Drafts::Show { id, json: false } => {
            let draft: Draft = understood(draft(&paths, id)?)?;
            super::print(&format!("{}\n{}\n", line(&draft).trim_end(), printable(&draft.text)));
        }
        Drafts::Send { id, json, no_wait, new } => {
            let sent = request(&paths, AskRequest::SendDraft { draft_id: id.clone(), new: *new }, SENDING)?;
            return if *no_wait { Ok(say_accepted(&sent, *json)) } else { wait(&paths, sent, *json) };
        }
        Drafts::Discard { id } => {
            let request = Request::Message(AskRequest::DiscardDraft { draft_id: id.clone() });
            return super::say(&super::ask(&paths, request, super::SHORT)?);
        }
        Drafts::Open { id, dialog } => {
            let mut front = front(env, *dialog)?;
            let outcome = review(&paths, &mut *front, id);
            return told(&mut *front, outcome);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn front(env: &Environment, windows: bool) -> Result<Box<dyn Front>, Failure> {
    let front = dialog::pick(env).map_err(|why| Failure::new(FailureCode::Failed, why, ""))?;
    if windows && front.is_terminal() {
        return Err(Failure::new(FailureCode::Failed, words::ask::NO_DIALOG_CAN_BE_SHOWN_HERE, ""));
    }
    Ok(front)
}

/// Whoever started it by a click sees no terminal.
fn told(front: &mut dyn Front, outcome: Result<(), Failure>) -> Result<ExitCode, Failure> {
    match outcome {
        Err(failure) if !front.is_terminal() => {
            let words = format!("{} {}", text::sentence(&failure.message), failure.hint);
            front.ask(&Form::message(words::common::NOT_DONE, words.trim_end(), Tone::Error));
            Ok(ExitCode::SUCCESS)
        }
        outcome => outcome.map(|()| ExitCode::SUCCESS),
    }
}

fn write(paths: &Paths, front: &mut dyn Front, args: &AskArgs) -> Result<(), Failure> {
    let to = match &args.session {
        Some(session) => place(paths, AskRequest::Named { session_id: session.clone() })?,
        None if args.new => Where::default(),
        None => place(paths, AskRequest::Session)?,
    };
    let typed = match front.ask(&forms::entry(&to)) {
        Answer::Pressed { value: Some(typed), .. } if !typed.expose().trim().is_empty() => typed,
        Answer::Failed { why } => return Err(Failure::new(FailureCode::Failed, why, "")),
        Answer::Pressed { .. } | Answer::Dismissed => return Ok(()),
    };
    let text = typed.expose().trim_end();
    loop {
        // the one that was shown, also when another was used meanwhile
        let to = to.session_id.clone().map_or(To::New, To::Session);
        let sent = message(text.to_owned(), to).and_then(|message| request(paths, AskRequest::Send(message), SENDING));
        let failure = match sent {
            Ok(_) => {
                if front.is_terminal() {
                    super::print(words::ask::SENT_ANSWER_COMES_AS_NOTIFICATION);
                }
                return Ok(());
            }
            Err(failure) => failure,
        };
        let words = format!("{} {}", text::sentence(&failure.message), failure.hint);
        if !given_back(&failure) {
            front.ask(&Form::message(words::ask::NOT_SENT, words.trim_end(), Tone::Warning));
            return Ok(());
        }
        let again = front.ask(&forms::given_back(text, words.trim_end()));
        if again.button() != Some(forms::AGAIN) {
            return Ok(());
        }
    }
}

/// The text is kept nowhere.
fn given_back(failure: &Failure) -> bool {
    matches!(failure.code, FailureCode::Refused | FailureCode::NoAgent | FailureCode::Usage)
}

/// Where the answer says that a message would go.
fn place(paths: &Paths, which: AskRequest) -> Result<Where, Failure> {
    let answer = request(paths, which, super::SHORT)?;
    let word = |key: &str| answer[key].as_str().map(str::to_owned);
    Ok(Where { session_id: word("session_id"), title: word("title").unwrap_or_default() })
}

fn review(paths: &Paths, front: &mut dyn Front, id: &str) -> Result<(), Failure> {
    let draft: Draft = understood(draft(paths, id)?)?;
    loop {
        let pressed = match front.ask(&forms::draft(&draft)) {
            Answer::Pressed { button, .. } => button,
            Answer::Dismissed => return Ok(()),
            Answer::Failed { why } => return Err(Failure::new(FailureCode::Failed, why, "")),
        };
        let request = match pressed.as_str() {
            forms::SEND => AskRequest::SendDraft { draft_id: draft.id.clone(), new: false },
            forms::DISCARD if front.ask(&forms::doubt(&draft)).button() == Some(forms::DISCARD) => {
                AskRequest::DiscardDraft { draft_id: draft.id.clone() }
            }
            _ => continue,
        };
        return super::ask(paths, Request::Message(request), SENDING).map(drop);
    }
}

/// Waits for the answer to what was accepted, and prints it.
fn wait(paths: &Paths, sent: Value, json: bool) -> Result<ExitCode, Failure> {
    let mut answer = sent;
    if answer["status"] != "answered" {
        if std::io::stderr().is_terminal() {
            let _ = writeln!(std::io::stderr(), "{}", words::ask::SENT_CTRL_C_ENDS_WAITING);
        }
        let message_id = answer["message_id"].as_str().unwrap_or_default().to_owned();
        answer =
            request(paths, AskRequest::Answer { message_id }, ANSWERING).map_err(|failure| match failure.code {
                FailureCode::NoAgent => Failure::new(
                    FailureCode::NoAgent,
                    words::ask::message_was_sent(&failure.message),
                    words::ask::ONCE_AGENT_RUNS_AGAIN_IT_TELLS,
                ),
                _ => failure,
            })?;
    }
    if json {
        super::print_json(&answer);
        return Ok(ExitCode::SUCCESS);
    }
    let text = answer["answer"].as_str().unwrap_or_default();
    // to a program it goes as it came; a terminal must not take it for commands
    let text = if std::io::stdout().is_terminal() { printable(text) } else { text.to_owned() };
    super::print(&format!("{text}\n"));
    if answer["cut"] == true {
        let session = answer["session_id"].as_str().unwrap_or_default();
        let all = &answer["characters"];
        let line = words::ask::this_is_start_of_characters(all, session);
        let _ = writeln!(std::io::stderr(), "{line}");
    }
    Ok(ExitCode::SUCCESS)
}

fn say_accepted(sent: &Value, json: bool) -> ExitCode {
    if json {
        super::print_json(sent);
    } else {
        super::print(words::ask::SENT_ANSWER_COMES_AS_NOTIFICATION);
    }
    ExitCode::SUCCESS
}

fn read_text() -> Result<String, Failure> {
    let mut text = String::new();
    // one byte more than fits, so that what is too long is told as that
    let limit = TEXT_MAX as u64 + 1;
    let unread =
        |error: std::io::Error| Failure::new(FailureCode::Usage, words::ask::message_cannot_be_read(&error), "");
    std::io::stdin().take(limit).read_to_string(&mut text).map_err(unread)?;
    text.truncate(text.trim_end().len());
    Ok(text)
}

fn message(text: String, to: To) -> Result<Message, Failure> {
    let usage = |why: &str| Failure::new(FailureCode::Usage, why, words::ask::WRITE_SHORTER_ONE);
    if text.trim().is_empty() {
        return Err(Failure::new(FailureCode::Usage, words::ask::MESSAGE_IS_EMPTY, ""));
    }
    if text.len() > TEXT_MAX {
        return Err(usage(&words::ask::message_is_too_long_at_most(TEXT_MAX / 1024)));
    }
    let mut random = [0; 16];
    let unknown = |_| Failure::new(FailureCode::Failed, words::ask::SYSTEM_GAVE_NO_RANDOM_NUMBER, "");
    getrandom::fill(&mut random).map_err(unknown)?;
    let message_id = ulid::encode(super::unix_ms(), u128::from_be_bytes(random));
    Ok(Message { message_id, text: Secret::new(text), to })
}

fn draft(paths: &Paths, id: &str) -> Result<Value, Failure> {
    Ok(request(paths, AskRequest::Draft { draft_id: id.to_owned() }, super::SHORT)?["draft"].take())
}

fn line(draft: &Draft) -> String {
    let maybe = if draft.maybe_sent { words::ask::MAY_HAVE_BEEN_SENT } else { "" };
    let id = &draft.id[draft.id.len().saturating_sub(6)..];
    words::ask::draft_line(id, cut(&one_line(&draft.text), 70), maybe, one_line(&draft.reason))
}

fn request(paths: &Paths, request: AskRequest, patience: Duration) -> Result<Value, Failure> {
    match super::ask(paths, Request::Message(request), patience)? {
        Reply::Data(value) => Ok(value),
        _ => Err(not_understood()),
    }
}

fn understood<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|_| not_understood())
}

fn not_understood() -> Failure {
    Failure::new(
        FailureCode::Failed,
        words::common::AGENTS_ANSWER_WAS_NOT_UNDERSTOOD,
        words::common::RESTART_PALYRA_TRAY_AND_TRY_AGAIN,
    )
}
