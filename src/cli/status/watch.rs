//! `status --watch`: how it is, for as long as one looks.
//!
//! The agent pushes a snapshot when something in it changes, and only then the screen is drawn anew; once a minute one is
//! asked for, so that ages stay true. The terminal is given back as it was, also on Ctrl-C. When the agent goes away, what it
//! said last is shown as old until one is back. Where standard output is no terminal: a line for each change.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::config::{Environment, Paths};
use crate::core::notices::cut;
use crate::core::time::utc;
use crate::core::{describe, text};
use crate::protocol::{Failure, FailureCode, Reply, Request};
use crate::shell::control::Connection;
use crate::shell::dialog::terminal_size;
use crate::words;

/// Nothing may change for as long as it likes.
const PATIENCE: Duration = Duration::from_secs(365 * 24 * 3_600);
/// Between two looks whether an agent is back.
const AGAIN: Duration = Duration::from_secs(1);
/// Between two snapshots that are asked for.
const AGES: Duration = Duration::from_secs(60);
/// Where a terminal does not tell.
const SIZE: (usize, usize) = (80, 24);

/// What was heard of the agent.
enum Heard {
    Snapshot(Box<Value>),
    Gone(Failure),
}

/// What is known.
#[derive(Default)]
struct Known {
    snapshot: Option<Value>,
    /// Since when there is no agent, wall clock, and why.
    gone: Option<(i64, String)>,
}

/// Watches until the person or the terminal ends it.
pub fn watch(env: &Environment, paths: &Paths, json: bool) -> Result<ExitCode, Failure> {
    // that there is none is told at once, and by the exit code
    let mut connection = Connection::open(paths, Request::Watch, PATIENCE)?;
    let first = snapshot(connection.next()?)?;
    let (tell, heard) = unbounded_channel();
    let _ = tell.send(Heard::Snapshot(Box::new(first)));
    let (theirs, from) = (paths.clone(), tell.clone());
    let listener = std::thread::Builder::new().name("watch".to_owned());
    let failed = |error: std::io::Error| Failure::new(FailureCode::Failed, error.to_string(), "");
    listener.spawn(move || listen(&theirs, connection, &from)).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let out = match (json, Screen::open(env)) {
        (true, _) => Out::Json,
        (false, Some(screen)) => Out::Screen(screen),
        (false, None) => Out::Lines(String::new()),
    };
    runtime.block_on(show(paths, out, tell, heard));
    // the listener waits for an agent that may never say anything again
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// Hears what the agent pushes; where it went away, looks for the next one.
fn listen(paths: &Paths, first: Connection, tell: &UnboundedSender<Heard>) {
    let mut connection = Some(first);
    loop {
        let heard = match &mut connection {
            Some(open) => open.next().and_then(snapshot).map(|snapshot| Heard::Snapshot(Box::new(snapshot))),
            None => match Connection::open(paths, Request::Watch, PATIENCE) {
                Ok(open) => {
                    connection = Some(open);
                    continue;
                }
                Err(failure) => Err(failure),
            },
        };
        let heard = heard.unwrap_or_else(|failure| {
            connection = None;
            std::thread::sleep(AGAIN);
            Heard::Gone(failure)
        });
        if tell.send(heard).is_err() {
            return;
        }
    }
}

fn snapshot(reply: Reply) -> Result<Value, Failure> {
    match reply {
        Reply::Data(snapshot) => Ok(snapshot),
        Reply::Error(failure) => Err(failure),
        Reply::Done(_) => Err(Failure::new(FailureCode::Failed, words::status::AGENT_ANSWERS_SOMETHING_ELSE, "")),
    }
}

async fn show(paths: &Paths, mut out: Out, tell: UnboundedSender<Heard>, mut heard: UnboundedReceiver<Heard>) {
    let mut known = Known::default();
    let mut ended = std::pin::pin!(ended());
    let mut signals = Resized::new();
    loop {
        let changed = tokio::select! {
            heard = heard.recv() => match heard {
                Some(heard) => known.hear(heard),
                None => return,
            },
            () = &mut ended => return,
            () = signals.resized() => matches!(out, Out::Screen(_)),
            () = tokio::time::sleep(AGES), if known.gone.is_none() => {
                let (paths, tell) = (paths.clone(), tell.clone());
                tokio::task::spawn_blocking(move || {
                    if let Ok(snapshot) = crate::cli::ask(&paths, Request::Status, crate::cli::SHORT).and_then(snapshot) {
                        let _ = tell.send(Heard::Snapshot(Box::new(snapshot)));
                    }
                });
                false
            }
        };
        // whoever reads has gone
        if changed && !out.show(&known) {
            return;
        }
    }
}

impl Known {
    /// Whether that is something to be shown.
    fn hear(&mut self, heard: Heard) -> bool {
        match heard {
            Heard::Snapshot(snapshot) => {
                self.snapshot = Some(*snapshot);
                self.gone = None;
                true
            }
            Heard::Gone(_) if self.gone.is_some() => false,
            Heard::Gone(failure) => {
                self.gone = Some((crate::cli::unix_ms(), failure.message));
                true
            }
        }
    }

    /// All of it in lines that fit.
    fn page(&self, (columns, rows): (usize, usize)) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some((since, why)) = &self.gone {
            lines.push(words::status::no_agent_since(utc(*since), text::capitalise(why).trim_end_matches('.')));
            lines.push(words::status::WAITING_FOR_ONE_RUN.to_owned());
            lines.push(String::new());
        }
        let snapshot = self.snapshot.as_ref();
        lines.extend(snapshot.map(super::text::words).unwrap_or_default().lines().map(str::to_owned));
        let at = snapshot.and_then(|snapshot| snapshot["generated_at_unix_ms"].as_i64()).unwrap_or_default();
        let foot = words::status::ctrl_c_ends(utc(at));
        // the words are ours, what they quote may be anybody's
        let mut lines: Vec<_> = lines.iter().flat_map(|line| folded(&describe::visible(line), columns)).collect();
        let room = rows.saturating_sub(2);
        if lines.len() > room {
            lines.truncate(room.saturating_sub(1));
            lines.push(words::status::WINDOW_IS_TOO_SMALL_FOR_REST.chars().take(columns).collect());
        }
        lines.extend([String::new(), cut(&foot, columns)]);
        lines
    }

    /// The gist in one line, without a clock.
    fn line(&self) -> String {
        if let Some((_, why)) = &self.gone {
            return words::status::no_agent(why);
        }
        let Some(snapshot) = &self.snapshot else { return String::new() };
        let state = |key: &str| snapshot[key]["state"].as_str().unwrap_or("unknown").replace('_', " ");
        let mut parts = vec![
            snapshot["state"].as_str().unwrap_or("unknown").to_owned(),
            words::status::gateway(state("gateway_process")),
        ];
        for (key, name) in [("browserd_process", "browser"), ("node_host_process", words::status::NODE_HOST)] {
            if snapshot[key]["desired_running"] == Value::Bool(true) {
                parts.push(format!("{name} {}", state(key)));
            }
        }
        let known = snapshot["approvals"]["known"] == Value::Bool(true);
        let waiting = snapshot["approvals"]["pending"].as_u64().filter(|_| known);
        parts.push(words::status::approvals(waiting.map_or("unknown".to_owned(), |n| n.to_string())));
        let runs = snapshot["active_runs"].as_array().map(Vec::len);
        parts.push(words::status::active_runs(runs.map_or("unknown".to_owned(), |n| n.to_string())));
        if snapshot["paused"] == Value::Bool(true) {
            parts.push("paused".to_owned());
        }
        let warnings = snapshot["warnings"].as_array().map_or(0, Vec::len);
        if warnings > 0 {
            parts.push(words::status::warnings(warnings));
        }
        describe::visible(&parts.join(", "))
    }
}

enum Out {
    Screen(Screen),
    /// The line that was printed last.
    Lines(String),
    Json,
}

impl Out {
    /// Whether it could be written.
    fn show(&mut self, known: &Known) -> bool {
        let mut out = std::io::stdout();
        let text = match self {
            Self::Screen(_) => painted(&known.page(terminal_size().unwrap_or(SIZE))),
            Self::Lines(last) => {
                let line = known.line();
                if line == *last {
                    return true;
                }
                last.clone_from(&line);
                format!("{} {line}\n", utc(crate::cli::unix_ms()))
            }
            Self::Json => match (&known.gone, &known.snapshot) {
                (None, Some(snapshot)) => format!("{snapshot}\n"),
                (Some((since, why)), _) => {
                    format!("{}\n", serde_json::json!({ "agent": null, "gone_since_unix_ms": since, "why": why }))
                }
                (None, None) => return true,
            },
        };
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
    }
}

/// A line in as many as it needs, broken between words; all but the first are indented.
fn folded(line: &str, columns: usize) -> Vec<String> {
    const INDENT: &str = "    ";
    let (mut lines, mut rest) = (Vec::new(), line.to_owned());
    while rest.chars().count() > columns {
        let fits: String = rest.chars().take(columns + 1).collect();
        let head = fits.trim_end_matches(|c| c != ' ').trim_end();
        // one word that is longer than the line
        if head.trim().is_empty() {
            break;
        }
        let next = format!("{INDENT}{}", rest[head.len()..].trim_start());
        lines.push(head.to_owned());
        rest = next;
    }
    lines.push(cut(&rest, columns));
    lines
}

/// Over what stands there, so that nothing flickers.
fn painted(lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| format!("{line}\x1b[K")).collect();
    format!("\x1b[H{}\x1b[J", lines.join("\n"))
}

/// The other screen of the terminal; the first one comes back when this goes.
struct Screen;

impl Screen {
    fn open(env: &Environment) -> Option<Self> {
        let dumb = env.get("TERM").is_some_and(|term| term == "dumb");
        if dumb || !std::io::stdout().is_terminal() || !understands_escapes() {
            return None;
        }
        let _ = write_now("\x1b[?1049h\x1b[?25l");
        Some(Self)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = write_now("\x1b[?25h\x1b[?1049l");
    }
}

fn write_now(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(not(windows))]
const fn understands_escapes() -> bool {
    true
}

/// A console has to be asked to.
#[cfg(windows)]
fn understands_escapes() -> bool {
    winapi_util::console::Console::stdout()
        .is_ok_and(|mut console| console.set_virtual_terminal_processing(true).is_ok())
}

/// The person, the terminal or the system wants it to end.
#[cfg(unix)]
async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
    let waits = kinds.into_iter().filter_map(|kind| signal(kind).ok()).map(|mut signal| {
        Box::pin(async move {
            signal.recv().await;
        })
    });
    let waits: Vec<_> = waits.collect();
    if waits.is_empty() {
        return std::future::pending().await;
    }
    futures_util::future::select_all(waits).await;
}

#[cfg(not(unix))]
async fn ended() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Tells when the terminal has another size, or shows us again.
struct Resized {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

impl Resized {
    #[cfg(unix)]
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::window_change()];
        Self { signals: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
    }

    #[cfg(not(unix))]
    const fn new() -> Self {
        Self {}
    }

    async fn resized(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = self.signals.first_mut()
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known() -> Known {
        let process = json!({ "state": "ready", "running": true, "desired_running": true, "pid": 7 });
        let snapshot = json!({
            "generated_at_unix_ms": 0, "state": "healthy", "status_line": "Healthy: palyrad 0.1.0, up 2 h",
            "gateway_process": process, "approvals": { "known": true, "pending": 2 }, "warnings": ["esc \u{1b}[2J"],
            "active_runs": [{ "session_title": "Build", "status": "in_progress", "started_at_unix_ms": -60_000 }],
        });
        let mut known = Known::default();
        assert!(known.hear(Heard::Snapshot(Box::new(snapshot))));
        known
    }

    #[test]
    fn a_page_fits_and_holds_no_escape_of_others() {
        let page = known().page((80, 24)).join("\n");
        assert!(page.starts_with("Healthy: palyrad 0.1.0, up 2 h\n"), "{page}");
        assert!(
            page.contains("Build: in progress for 1 min") && page.contains("1970-01-01T00:00:00Z. Ctrl-C"),
            "{page}"
        );
        assert!(page.contains("! Esc \\u{1b}[2J"), "{page}");
        let small = known().page((20, 6));
        assert_eq!(small.len(), 6);
        assert!(small.iter().all(|line| line.chars().count() <= 20), "{small:?}");
        assert!(small[3].starts_with('…'), "{small:?}");
        assert!(!painted(&small).replace("\x1b[K", "").replace("\x1b[H", "").replace("\x1b[J", "").contains('\x1b'));
    }

    #[test]
    fn a_long_line_is_broken_between_words() {
        assert_eq!(folded("! one two three", 9), ["! one two", "    three"]);
        assert_eq!(folded("fits", 4), ["fits"]);
        assert_eq!(folded("abcdefgh", 4), ["abc…"]);
        assert_eq!(folded("a abcdefgh b", 6), ["a", "    a…"]);
    }

    #[test]
    fn an_agent_that_went_away_is_told_once_and_what_it_said_is_old() {
        let mut known = known();
        assert_eq!(known.line(), "healthy, gateway ready, approvals 2, active runs 1, warnings 1");
        let gone = || Heard::Gone(Failure::new(FailureCode::NoAgent, "Palyra Tray went away", ""));
        assert!(known.hear(gone()));
        assert!(!known.hear(gone()), "nothing new");
        let page = known.page((80, 24));
        assert!(page[0].starts_with("No Palyra Tray since ") && page[1].contains("the last one said"), "{page:?}");
        assert_eq!(known.line(), "no Palyra Tray: Palyra Tray went away");
        let back = json!({ "state": "starting" });
        assert!(known.hear(Heard::Snapshot(Box::new(back))));
        assert!(known.line().starts_with("starting, gateway unknown"), "{}", known.line());
    }
}
