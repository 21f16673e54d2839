//! `doctor`: every precondition as a check with a verdict, what was seen, and what to do. Facts → checks → text or JSON.
//!
//! Limits: a fact is as old as its look, and the desktop is seen from where the command runs: over SSH that is not the
//! session that the agent lives in. What the running agent says of itself goes before what is seen from here.

mod desktop;
pub mod facts;
mod ground;
mod node;
mod palyra;
mod remote;
mod system;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::{Value, json};

use crate::core::describe::visible;
use crate::core::dialog::{Body, DialogButton, Form, Tone};
use crate::core::onboarding::Finding;
use crate::words;

pub use facts::Facts;

/// Id of the dialog's button that runs the checks again.
pub const AGAIN: &str = "again";
/// Id of the dialog's button that closes it: the same as putting the window away.
pub const CLOSE: &str = "away";

/// One precondition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stays the same from version to version.
    pub id: &'static str,
    /// For people.
    pub title: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen.
    pub evidence: String,
    /// What to do; empty: nothing.
    pub remedy: String,
}

/// How a precondition stands, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Ok,
    /// It does not matter here, or cannot be looked at now.
    Skipped,
    /// It could not be found out.
    Unknown,
    /// It does not hold; Palyra works, with less.
    Warning,
    /// It does not hold; something that a person wants does not work.
    Problem,
}

impl Verdict {
    /// Readable without colour.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "--",
            Self::Unknown => "??",
            Self::Warning => " !",
            Self::Problem => "!!",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Ok => "32",
            Self::Skipped => "2",
            Self::Unknown => "36",
            Self::Warning => "33",
            Self::Problem => "31",
        }
    }
}

/// All checks, in an order that goes from the ground up.
pub fn checks(facts: &Facts) -> Vec<Check> {
    let mut checks = palyra::agent(facts);
    checks.extend(ground::checks(facts));
    checks.extend(palyra::programs(facts));
    checks.extend(palyra::services(facts));
    checks.push(node::certificate(facts));
    checks.extend(ground::secrets(facts));
    checks.extend(desktop::checks(facts));
    checks.extend(system::checks(facts));
    remote::judge(facts, &mut checks);
    for check in &mut checks {
        // programs and files say what they like
        check.evidence = visible(&check.evidence);
        check.remedy = visible(&check.remedy);
    }
    checks
}

/// The worst verdict.
pub fn worst(checks: &[Check]) -> Verdict {
    checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Ok)
}

/// "2 problems, 1 warning, 25 checks in order."
pub fn summary(checks: &[Check]) -> String {
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let counted = |n: usize, one: &str, many: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {many}")),
    };
    let parts = [
        counted(count(Verdict::Problem), "problem", "problems"),
        counted(count(Verdict::Warning), "warning", "warnings"),
        counted(count(Verdict::Unknown), words::common::NOT_KNOWN, words::common::NOT_KNOWN),
    ];
    let fine = count(Verdict::Ok);
    match parts.into_iter().flatten().collect::<Vec<_>>() {
        parts if parts.is_empty() => words::checks::all_checks_are_in_order(fine),
        parts => words::checks::in_order(parts.join(", "), fine),
    }
}

/// For a terminal: the worst comes last, where a person looks first.
pub fn terminal(checks: &[Check], colour: bool) -> String {
    let mut sorted: Vec<_> = checks.iter().collect();
    sorted.sort_by_key(|check| check.verdict);
    let mut out = String::new();
    for check in sorted {
        let mark = check.verdict.mark();
        let mark = if colour { format!("\x1b[{}m{mark}\x1b[0m", check.verdict.colour()) } else { mark.to_owned() };
        out.push_str(&format!("{mark} {}: {}\n", check.title, check.evidence));
        if !check.remedy.is_empty() {
            out.push_str(&format!("     {}\n", check.remedy));
        }
    }
    out.push_str(&format!("\n{}\n", summary(checks)));
    out
}

/// For a window, which opens at its top: the worst comes first.
pub fn document(checks: &[Check]) -> String {
    let mut sorted: Vec<_> = checks.iter().collect();
    sorted.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let entries: Vec<_> = sorted
        .into_iter()
        .map(|check| {
            // a window wraps long lines, so that indentation alone does not part one check from the next
            let remedy = if check.remedy.is_empty() { String::new() } else { format!("\n   {}\n", check.remedy) };
            format!("{} {}: {}{remedy}\n", check.verdict.mark(), check.title, check.evidence)
        })
        .collect();
    entries.concat()
}

/// The window of the menu's "Run checks…".
pub fn form(checks: &[Check]) -> Form {
    let worst = worst(checks);
    let advice = match worst {
        Verdict::Problem | Verdict::Warning => words::checks::WHAT_TO_DO_STANDS_BELOW_EACH,
        _ => words::checks::NOTHING_NEEDS_TO_BE_DONE,
    };
    Form {
        title: words::checks::PALYRA_CHECKS.to_owned(),
        heading: summary(checks),
        text: advice.to_owned(),
        body: Body::Document { document: document(checks) },
        // harmless, so Enter may press it; dialog programs have a button of their own that closes
        buttons: vec![
            DialogButton::new(AGAIN, words::common::CHECK_AGAIN),
            DialogButton::new(CLOSE, words::buttons::CLOSE),
        ],
        focus: Some(AGAIN.to_owned()),
        tone: match worst {
            Verdict::Problem => Tone::Error,
            Verdict::Warning => Tone::Warning,
            _ => Tone::Info,
        },
    }
}

/// What the set-up has a step of its own for, or can only see while it is under way.
const STEPS_OF_THE_SET_UP: &[&str] = &[
    "agent",
    "gateway_program",
    "run_loop",
    "gateway",
    "browser",
    "node_host",
    "node_certificate",
    "approvals",
    "provider",
    "login_start",
];

/// What the set-up shows before it starts Palyra: what is wrong and not mended by a step of the set-up, the worst first.
pub fn findings(checks: &[Check]) -> Vec<Finding> {
    let mut wrong: Vec<_> = checks
        .iter()
        .filter(|check| check.verdict >= Verdict::Warning && !STEPS_OF_THE_SET_UP.contains(&check.id))
        .collect();
    wrong.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    wrong
        .into_iter()
        .map(|check| Finding {
            title: check.title.to_owned(),
            evidence: check.evidence.clone(),
            remedy: check.remedy.clone(),
        })
        .collect()
}

/// Everything, for scripts and support.
pub fn report(facts: &Facts, checks: &[Check]) -> Value {
    json!({
        "version": facts.version,
        "generated_at_unix_ms": facts.now_unix_ms,
        "state_root": facts.ground.as_ref().ok().map(|ground| ground.state_root.display().to_string()),
        "verdict": worst(checks),
        "summary": summary(checks),
        "checks": checks,
    })
}

/// Id and title of a check.
#[derive(Clone, Copy)]
struct About(&'static str, &'static str);

impl About {
    fn check(self, verdict: Verdict, evidence: &str, remedy: &str) -> Check {
        Check { id: self.0, title: self.1, verdict, evidence: evidence.to_owned(), remedy: remedy.to_owned() }
    }

    fn ok(self, evidence: impl AsRef<str>) -> Check {
        self.check(Verdict::Ok, evidence.as_ref(), "")
    }

    fn skipped(self, why: impl AsRef<str>) -> Check {
        self.check(Verdict::Skipped, why.as_ref(), "")
    }

    fn unknown(self, why: impl AsRef<str>) -> Check {
        self.check(Verdict::Unknown, why.as_ref(), "")
    }

    fn warning(self, evidence: impl AsRef<str>, remedy: impl AsRef<str>) -> Check {
        self.check(Verdict::Warning, evidence.as_ref(), remedy.as_ref())
    }

    fn problem(self, evidence: impl AsRef<str>, remedy: impl AsRef<str>) -> Check {
        self.check(Verdict::Problem, evidence.as_ref(), remedy.as_ref())
    }

    /// Checks a fact, or says why it is not known.
    fn of<T>(self, fact: &facts::Fact<T>, judge: impl FnOnce(Self, &T) -> Check) -> Check {
        match fact {
            Ok(fact) => judge(self, fact),
            Err(why) => self.unknown(why),
        }
    }
}
