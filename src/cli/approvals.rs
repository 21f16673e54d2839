//! `approvals`: list, show, approve, deny. Approving shows the whole record and asks, or needs the digest of what was seen.

mod review;

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::config::{Environment, Paths};
use crate::core::describe::visible;
use crate::core::text;
use crate::protocol::{Decision, Failure, FailureCode, Reply, Request, Scope, Verdict};

/// `approvals …`
#[derive(Subcommand)]
pub enum Approvals {
    /// What waits, riskiest first
    List {
        /// As JSON, with the digest that approve needs
        #[arg(long)]
        json: bool,
        /// Decided and expired ones too
        #[arg(long)]
        all: bool,
    },
    /// One record, whole
    Show {
        /// Its id
        id: String,
        /// As JSON, with the digest that approve needs
        #[arg(long)]
        json: bool,
    },
    /// Look at what waits, one after the other, and decide here
    Review {
        /// Only this one
        id: Option<String>,
        /// In a window instead of this terminal
        #[arg(long)]
        dialog: bool,
    },
    /// Let it happen
    Approve(DecideArgs),
    /// Refuse it
    Deny(DecideArgs),
}

/// Arguments of `approve` and `deny`.
#[derive(Args)]
pub struct DecideArgs {
    /// Its id
    id: String,
    /// Digest of the record as you saw it; without it you are shown the record and asked
    #[arg(long)]
    digest: Option<String>,
    /// How long an approval holds
    #[arg(long, value_enum, default_value_t = ScopeArg::Once)]
    scope: ScopeArg,
    /// Length of a time box, for example 10m
    #[arg(long, value_parser = ttl)]
    ttl: Option<i64>,
    /// Kept with the decision
    #[arg(long)]
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
        super::print("Nothing waits for you.\n");
    }
    for row in &rows {
        super::print(&format!("{}\n", line(row)));
    }
    if unreadable > 0 {
        super::print(&format!(
            "{unreadable} could not be understood; look at them in the dashboard: palyra-tray open approvals\n"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(paths: &Paths, id: String, json: bool) -> Result<ExitCode, Failure> {
    let value = data(super::ask(paths, Request::Approval { approval_id: id }, super::SHORT)?)?;
    if json {
        super::print_json(&value);
    } else {
        super::print(&whole(&value["approval"]));
    }
    Ok(ExitCode::SUCCESS)
}

fn decide(paths: &Paths, args: DecideArgs, verdict: Verdict) -> Result<ExitCode, Failure> {
    let digest = match (args.digest, verdict) {
        (Some(digest), _) => digest,
        (None, _) => confirmed(paths, &args.id, verdict)?,
    };
    let decision = Decision {
        approval_id: args.id,
        digest,
        verdict,
        scope: match args.scope {
            ScopeArg::Once => Scope::Once,
            ScopeArg::Session => Scope::Session,
            ScopeArg::Timeboxed => Scope::Timeboxed,
        },
        ttl_ms: args.ttl,
        reason: args.reason,
    };
    super::say(&super::ask(paths, Request::Decide(decision), super::SHORT)?)
}

/// Shows the record; an approval is asked for on a terminal, twice when it is critical or not whole. A denial needs no
/// question.
fn confirmed(paths: &Paths, id: &str, verdict: Verdict) -> Result<String, Failure> {
    let value = data(super::ask(paths, Request::Approval { approval_id: id.to_owned() }, super::SHORT)?)?;
    let record = &value["approval"];
    let digest = record["digest"].as_str().unwrap_or_default().to_owned();
    if verdict == Verdict::Deny {
        return Ok(digest);
    }
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::new(
            FailureCode::Refused,
            "approving without a terminal needs the digest of what was seen",
            "Take it from: palyra-tray approvals show --json",
        ));
    }
    super::print(&whole(record));
    let doubtful = record["prompt"]["risk_level"] == "critical" || record["in_words"]["whole"] != Value::Bool(true);
    let agreed = asked("Approve this? Type yes: ", "yes")
        && (!doubtful || asked("It is critical, or not all of it can be seen. Type approve: ", "approve"));
    if agreed { Ok(digest) } else { Err(Failure::new(FailureCode::Refused, "nothing was decided", "")) }
}

fn asked(question: &str, yes: &str) -> bool {
    super::print(question);
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == yes
}

fn line(row: &Value) -> String {
    let text_of = |pointer: &str| row.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let state = match row["decision"].as_str() {
        Some(decision) => format!("  [{}]", visible(decision)),
        None => String::new(),
    };
    format!(
        "{}  {}  {}{state}",
        visible(text_of("/approval_id")),
        text_of("/in_words/title"),
        text_of("/in_words/what")
    )
}

fn whole(record: &Value) -> String {
    let text_of = |pointer: &str| visible(record.pointer(pointer).and_then(Value::as_str).unwrap_or_default());
    let mut out = String::new();
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            out.push_str(&format!("{name:<12} {value}\n"));
        }
    };
    row("Approval", text_of("/approval_id"));
    row("What", text_of("/in_words/what"));
    row("Title", text_of("/in_words/title"));
    row("Subject", format!("{} ({})", text_of("/subject_id"), text_of("/subject_type")));
    row("Asked by", text_of("/principal"));
    row("Session", text_of("/session_id"));
    row("Summary", text_of("/request_summary"));
    row("Details", text_of("/prompt/details_json"));
    row("Policy", text_of("/policy_snapshot/evaluation_summary"));
    row("Why asked", text_of("/prompt/policy_explanation"));
    row("Decision", text_of("/decision"));
    let ends = record["expires_at_unix_ms"].as_i64().unwrap_or(i64::MAX);
    let left = ends.saturating_sub(super::unix_ms()) / 1_000;
    row(
        "Time left",
        match u64::try_from(left) {
            Err(_) | Ok(0) => "expired".to_owned(),
            Ok(left) if left > 10 * 365 * 86_400 => "not stated".to_owned(),
            Ok(left) => text::duration(left),
        },
    );
    if record["in_words"]["whole"] != Value::Bool(true) {
        row("Note", "not all of this can be seen or understood here; look at it in the dashboard too".to_owned());
    }
    row("Digest", text_of("/digest"));
    out
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
    let number: i64 = digits.parse().map_err(|_| "a length is a number and s, m or h, for example 10m".to_owned())?;
    let unit = match &text[digits.len()..] {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("a length ends in s, m or h, for example 10m".to_owned()),
    };
    number
        .checked_mul(unit)
        .filter(|ms| *ms > 0)
        .ok_or_else(|| "a length is above zero and not absurdly long".to_owned())
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

    #[test]
    fn control_characters_in_a_record_never_reach_the_terminal() {
        let record =
            serde_json::json!({ "approval_id": "a\u{1b}[2J", "request_summary": "x\u{202e}y", "principal": "p\nq" });
        let text = whole(&record);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && text.contains("p⏎q"), "{text}");
    }
}
