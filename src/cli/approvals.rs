//! `approvals`: list, show, approve, deny. Approving shows the whole record and asks, or needs the digest of what was seen.

mod follow;
mod review;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::config::{Environment, Paths};
use crate::core;
use crate::core::describe::{name, visible};
use crate::core::review::Shown;
use crate::protocol::{Decision, Failure, FailureCode, Reply, Request, Scope, Verdict};
use crate::shell::dialog;
use crate::words::{self, help};

use review::Asked;

/// `approvals …`
#[derive(Subcommand)]
pub enum Approvals {
    #[command(about = help::APPROVALS_LIST)]
    List {
        #[arg(long, help = help::RECORD_AS_JSON)]
        json: bool,
        #[arg(long, help = help::APPROVALS_ALL)]
        all: bool,
    },
    #[command(about = help::APPROVALS_SHOW)]
    Show {
        #[arg(help = help::APPROVALS_ID)]
        id: String,
        #[arg(long, help = help::RECORD_AS_JSON)]
        json: bool,
    },
    #[command(about = help::APPROVALS_REVIEW)]
    Review {
        #[arg(help = help::APPROVALS_ONLY)]
        id: Option<String>,
        #[arg(long, help = help::APPROVALS_DIALOG)]
        dialog: bool,
    },
    #[command(about = help::APPROVALS_APPROVE)]
    Approve(DecideArgs),
    #[command(about = help::APPROVALS_DENY)]
    Deny(DecideArgs),
}

/// Arguments of `approve` and `deny`.
#[derive(Args)]
pub struct DecideArgs {
    #[arg(help = help::APPROVALS_ID)]
    id: String,
    #[arg(long, help = help::APPROVALS_DIGEST)]
    digest: Option<String>,
    #[arg(long, value_enum, default_value_t = ScopeArg::Once, help = help::APPROVALS_SCOPE)]
    scope: ScopeArg,
    #[arg(long, value_parser = ttl, help = help::APPROVALS_TTL)]
    ttl: Option<i64>,
    #[arg(long, help = help::APPROVALS_REASON)]
    reason: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScopeArg {
    Once,
    Session,
    Timeboxed,
}

/// Does one of them.
pub fn approvals(env: &Environment, paths: &Paths, command: Approvals) -> Result<ExitCode, Failure> {
    match command {
        Approvals::List { json, all } => list(paths, json, all),
        Approvals::Show { id, json } => show(paths, id, json),
        Approvals::Review { id, dialog } => review::review(env, paths, id, dialog).map(|()| ExitCode::SUCCESS),
        Approvals::Approve(args) => decide(paths, args, Verdict::Approve),
        Approvals::Deny(args) => decide(paths, args, Verdict::Deny),
    }
}

fn list(paths: &Paths, json: bool, all: bool) -> Result<ExitCode, Failure> {
    let value = data(super::ask(paths, Request::Approvals { all }, super::SHORT)?)?;
    if json {
        super::print_json(&value);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = value["approvals"].as_array().cloned().unwrap_or_default();
    let unreadable = value["unreadable"].as_u64().unwrap_or(0);
    if rows.is_empty() && unreadable == 0 {
        super::print(words::approvals::NOTHING_WAITS_LINE);
    }
    for row in &rows {
        super::print(&format!("{}\n", line(row)));
    }
    if unreadable > 0 {
        super::print(&words::approvals::could_not_be_understood_line(unreadable));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(paths: &Paths, id: String, json: bool) -> Result<ExitCode, Failure> {
    let value = data(super::ask(paths, Request::Approval { approval_id: id }, super::SHORT)?)?;
    if json {
        super::print_json(&value);
    } else {
        let failed = |why| Failure::new(FailureCode::Failed, why, words::approvals::LOOK_AT_IT_IN_DASHBOARD);
        let shown = Shown::read(&value["approval"]).map_err(failed)?;
        super::print(&core::review::in_text(&shown, super::unix_ms()));
    }
    Ok(ExitCode::SUCCESS)
}

fn decide(paths: &Paths, args: DecideArgs, verdict: Verdict) -> Result<ExitCode, Failure> {
    let scope = match args.scope {
        ScopeArg::Once => Scope::Once,
        ScopeArg::Session => Scope::Session,
        ScopeArg::Timeboxed => Scope::Timeboxed,
    };
    let decision = match (args.digest, verdict) {
        (None, Verdict::Approve) => confirmed(paths, &args.id, scope, args.ttl, args.reason)?,
        (digest, _) => Decision {
            digest: match digest {
                Some(digest) => digest,
                None => review::read(paths, &args.id)?.digest().to_owned(), // a denial needs no question
            },
            approval_id: args.id,
            verdict,
            scope,
            ttl_ms: args.ttl,
            reason: args.reason,
        },
    };
    super::say(&super::ask(paths, Request::Decide(decision), super::SHORT)?)
}

/// Shows the record on the terminal, as the review does, and asks.
fn confirmed(
    paths: &Paths,
    id: &str,
    scope: Scope,
    ttl_ms: Option<i64>,
    reason: Option<String>,
) -> Result<Decision, Failure> {
    let refused = |why: &str, hint: &str| Failure::new(FailureCode::Refused, why, hint);
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(refused(words::approvals::APPROVING_WITHOUT_TERMINAL_NEEDS_DIGEST, words::approvals::TAKE_IT));
    }
    let shown = review::read(paths, id)?.only(scope, ttl_ms, reason);
    if let Some(why) = shown.over(super::unix_ms()) {
        return Err(refused(&why, words::approvals::SEE_WHAT_WAITS));
    }
    match review::ask(paths, &mut *dialog::terminal(), &shown)? {
        Asked::Decided(decision) => Ok(decision),
        Asked::Away => Err(refused(words::approvals::NOTHING_WAS_DECIDED, "")),
        Asked::Over(_) => Err(refused(words::approvals::NO_LONGER_AS_SHOWN, words::approvals::LOOK_AT_IT_AGAIN)),
    }
}

fn line(row: &Value) -> String {
    let text_of = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let state = match row["decision"].as_str() {
        Some(decision) => format!("  [{}]", visible(decision)),
        None => String::new(),
    };
    format!("{}  {}  {}{state}", name(text_of("/approval_id")), text_of("/in_words/title"), text_of("/in_words/what"))
}

fn data(reply: Reply) -> Result<Value, Failure> {
    match reply {
        Reply::Data(value) => Ok(value),
        Reply::Done(text) => Err(Failure::new(FailureCode::Failed, text, "")),
        Reply::Error(failure) => Err(failure),
    }
}

fn ttl(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: i64 = digits.parse().map_err(|_| words::approvals::LENGTH_IS_NUMBER_AND_S.to_owned())?;
    let unit = match &text[digits.len()..] {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(words::approvals::LENGTH_ENDS_IN_S.to_owned()),
    };
    number.checked_mul(unit).filter(|ms| *ms > 0).ok_or_else(|| words::approvals::LENGTH_IS_ABOVE_ZERO.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        assert_eq!(ttl("10m"), Ok(600_000));
        for wrong in ["", "10", "-1s", "0s", "1d", "99999999999999999999h", "9223372036854775807h"] {
            assert!(ttl(wrong).is_err(), "{wrong}");
        }
    }
}
