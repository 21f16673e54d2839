//! Chat sessions and their newest runs, as the gateway lists them, read leniently; and what became of runs between two lists.
//!
//! Limits: the gateway lists the sessions of the signed-in principal only, and of each session its newest run. A run whose
//! session fell out of the list is not heard of again.

use serde::Serialize;
use serde_json::Value;

use crate::core::record::is_usable_id;
use crate::core::told;
use crate::words;

/// Longest title, characters.
const TITLE: usize = 80;
/// Longest preview, characters.
const PREVIEW: usize = 160;
/// Longest name of a state, characters.
const STATE: usize = 32;
/// States of a run that is not over.
const ACTIVE: [&str; 6] = ["accepted", "dispatching", "in_progress", "queued", "running", "streaming"];

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    /// The gateway's.
    pub session_id: String,
    /// One line.
    pub title: String,
    /// Its newest text, else a summary; one line, may be empty.
    pub preview: String,
    /// Wall clock of its last change.
    pub updated_at_unix_ms: i64,
    /// Its runs wait for that many decisions.
    pub pending_approvals: u64,
    /// Its newest run.
    pub last_run: Option<Run>,
}

/// The newest run of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The gateway's.
    pub run_id: String,
    /// In the gateway's word: `in_progress`, `done`, `failed`, `cancelled`, …
    pub state: String,
    /// Wall clock.
    pub started_at_unix_ms: Option<i64>,
}

impl Run {
    /// It is not over.
    pub fn is_active(&self) -> bool {
        ACTIVE.contains(&self.state.as_str())
    }
}

impl Session {
    /// Its newest run, when that is not over.
    pub fn active_run(&self) -> Option<&Run> {
        self.last_run.as_ref().filter(|run| run.is_active())
    }
}

/// Counts over all sessions, also those that are not in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Not archived.
    pub active_sessions: u64,
    /// Archived.
    pub archived_sessions: u64,
    /// Something in them waits for a decision.
    pub sessions_with_pending_approvals: u64,
    /// A run of theirs is not over.
    pub sessions_with_active_runs: u64,
}

/// A list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    /// Newest first.
    pub rows: Vec<Session>,
    /// Over all.
    pub summary: Summary,
}

impl Sessions {
    /// Those whose newest run is not over.
    pub fn active(&self) -> impl Iterator<Item = (&Session, &Run)> {
        self.rows.iter().filter_map(|session| session.active_run().map(|run| (session, run)))
    }
}

/// Reads the answer to `GET /console/v1/sessions`, at most this many of its rows. Those without a usable id are left out.
///
/// # Errors
/// It is not a list of sessions.
pub fn read(body: &Value, limit: usize) -> Result<Sessions, &'static str> {
    let rows = body.get("sessions").and_then(Value::as_array).ok_or(words::notices::GATEWAYS_LIST_OF_SESSIONS)?;
    let count = |name: &str| body.pointer(&format!("/summary/{name}")).and_then(Value::as_u64).unwrap_or(0);
    Ok(Sessions {
        rows: rows.iter().filter_map(session).take(limit).collect(),
        summary: Summary {
            active_sessions: count("active_sessions"),
            archived_sessions: count("archived_sessions"),
            sessions_with_pending_approvals: count("sessions_with_pending_approvals"),
            sessions_with_active_runs: count("sessions_with_active_runs"),
        },
    })
}

fn session(row: &Value) -> Option<Session> {
    let word = |names: &[&str]| {
        let words = names.iter().filter_map(|name| row.get(*name).and_then(Value::as_str));
        words.map(str::trim).find(|word| !word.is_empty()).unwrap_or_default()
    };
    let time = |name: &str| row.get(name).and_then(Value::as_i64);
    let id = |name: &str| row.get(name).and_then(Value::as_str).filter(|id| is_usable_id(id)).map(str::to_owned);
    let title = told::line(word(&["title", "session_label", "session_key"]), TITLE);
    Some(Session {
        session_id: id("session_id")?,
        title: if title.is_empty() { words::notices::UNTITLED.to_owned() } else { title },
        preview: told::line(word(&["preview", "last_summary"]), PREVIEW),
        updated_at_unix_ms: time("updated_at_unix_ms").unwrap_or(0),
        pending_approvals: row.get("pending_approvals").and_then(Value::as_u64).unwrap_or(0),
        last_run: id("last_run_id").map(|run_id| Run {
            run_id,
            state: told::line(word(&["last_run_state"]), STATE),
            started_at_unix_ms: time("last_run_started_at_unix_ms"),
        }),
    })
}

/// What became of a run between two lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event")]
pub enum RunNews {
    /// It is active, and was not there before.
    #[serde(rename = "run_started")]
    Started(RunRef),
    /// It waits for a person's decision, and did not before.
    #[serde(rename = "run_waiting")]
    Waiting(RunRef),
    /// It is over; also one that began and ended between the two lists.
    #[serde(rename = "run_finished")]
    Finished {
        /// Which.
        #[serde(flatten)]
        run: RunRef,
        /// How.
        end: RunEnd,
    },
}

/// Names a run and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunRef {
    /// Its session.
    pub session_id: String,
    /// The session's title.
    pub title: String,
    /// The run.
    pub run_id: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// As it should.
    Done,
    /// It failed.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// It is not told: another run took its place, or a word that is not known.
    Unknown,
}

impl RunEnd {
    fn of(state: &str) -> Self {
        match state {
            "done" | "completed" | "succeeded" => Self::Done,
            "failed" => Self::Failed,
            "cancelled" | "canceled" | "aborted" => Self::Cancelled,
            _ => Self::Unknown,
        }
    }
}

/// What is new in `after`, in the order of its rows. `since_unix_ms`: when `before` was told, by the clock of this machine,
/// which is the gateway's.
pub fn news(before: &Sessions, after: &Sessions, since_unix_ms: i64) -> Vec<RunNews> {
    let mut news = Vec::new();
    for session in &after.rows {
        let was = before.rows.iter().find(|known| known.session_id == session.session_id);
        let run_was = was.and_then(|was| was.last_run.as_ref());
        let refer = |run: &Run| RunRef {
            session_id: session.session_id.clone(),
            title: session.title.clone(),
            run_id: run.run_id.clone(),
        };
        let Some(run) = &session.last_run else { continue };
        let same = run_was.filter(|was| was.run_id == run.run_id);
        if let Some(replaced) = run_was.filter(|was| was.is_active() && was.run_id != run.run_id) {
            news.push(RunNews::Finished { run: refer(replaced), end: RunEnd::Unknown });
        }
        // a session that was not in the list may be an old one that came back
        let is_new = same.is_none() && (was.is_some() || run.started_at_unix_ms.is_some_and(|at| at >= since_unix_ms));
        let was_active = same.is_some_and(Run::is_active);
        match run.is_active() {
            true if !was_active && (is_new || same.is_some()) => news.push(RunNews::Started(refer(run))),
            false if was_active || is_new => {
                news.push(RunNews::Finished { run: refer(run), end: RunEnd::of(&run.state) });
            }
            _ => {}
        }
        let waited = was_active && was.is_some_and(|was| was.pending_approvals > 0);
        if run.is_active() && session.pending_approvals > 0 && !waited {
            news.push(RunNews::Waiting(refer(run)));
        }
    }
    news
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed(rows: &[(&str, &str, &str, u64)]) -> Sessions {
        let rows: Vec<_> = rows
            .iter()
            .map(|(session, run, state, waiting)| {
                json!({
                    "session_id": session, "title": session, "last_run_id": run, "last_run_state": state,
                    "last_run_started_at_unix_ms": 50, "pending_approvals": waiting,
                })
            })
            .collect();
        read(&json!({ "sessions": rows }), 9).unwrap()
    }

    fn words(before: &Sessions, after: &Sessions, since: i64) -> Vec<String> {
        let word = |news: &RunNews| match news {
            RunNews::Started(run) => format!("{} started", run.run_id),
            RunNews::Waiting(run) => format!("{} waiting", run.run_id),
            RunNews::Finished { run, end } => format!("{} {end:?}", run.run_id),
        };
        news(before, after, since).iter().map(word).collect()
    }

    #[test]
    fn a_run_starts_waits_and_ends_once_each() {
        let idle = listed(&[("s", "r0", "done", 0)]);
        let runs = listed(&[("s", "r1", "in_progress", 0)]);
        let waits = listed(&[("s", "r1", "in_progress", 1)]);
        assert_eq!(words(&idle, &idle, 100), [""; 0]);
        assert_eq!(words(&idle, &runs, 100), ["r1 started"]);
        assert_eq!(words(&runs, &waits, 100), ["r1 waiting"]);
        assert_eq!(words(&waits, &waits, 100), [""; 0]);
        assert_eq!(words(&idle, &waits, 100), ["r1 started", "r1 waiting"]);
        for (state, end) in [("done", "Done"), ("failed", "Failed"), ("cancelled", "Cancelled"), ("odd", "Unknown")] {
            assert_eq!(words(&waits, &listed(&[("s", "r1", state, 0)]), 100), [format!("r1 {end}")]);
        }
    }

    #[test]
    fn one_between_two_looks_is_heard_of_and_an_old_one_is_not() {
        let idle = listed(&[("s", "r0", "done", 0)]);
        assert_eq!(words(&idle, &listed(&[("s", "r1", "failed", 0)]), 100), ["r1 Failed"]);
        let other = listed(&[("t", "r9", "done", 0)]);
        assert_eq!(words(&idle, &other, 100), [""; 0], "an old session came back into the list");
        assert_eq!(words(&idle, &other, 40), ["r9 Done"], "a new session");
        let active = listed(&[("s", "r0", "streaming", 0)]);
        assert_eq!(words(&active, &listed(&[("s", "r1", "queued", 0)]), 100), ["r0 Unknown", "r1 started"]);
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        assert!(read(&json!({}), 9).is_err());
        assert!(read(&json!({ "sessions": 7 }), 9).is_err());
        let many: Vec<_> =
            (0..500).map(|n| json!({ "session_id": format!("s{n}"), "title": "x".repeat(9_000) })).collect();
        let listed = read(&json!({ "sessions": many }), 32).unwrap();
        assert_eq!(listed.rows.len(), 32);
        assert!(listed.rows[0].title.chars().count() <= TITLE);
        let odd = json!({ "sessions": [
            null, 3, {}, { "session_id": "../etc" }, { "session_id": 4 },
            { "session_id": "a", "title": ["x"], "session_label": "\u{202e}evil\n", "pending_approvals": -1,
              "last_run_id": "a/b", "last_run_state": "running", "unheard_of": {} },
        ], "summary": "none" });
        let listed = read(&odd, 9).unwrap();
        assert_eq!(listed.rows.len(), 1);
        assert_eq!(listed.rows[0].title, "\\u{202e}evil");
        assert_eq!((listed.rows[0].last_run.as_ref(), listed.active().count()), (None, 0));
    }
}
