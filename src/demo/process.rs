//! What every demo sidecar does as a process: log lines, refusals, Ctrl-C, its runtime.

use std::io::Write;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::core::time::utc;

/// One structured line on standard output, in the form of the real sidecars' logs. A closed pipe is ignored.
pub fn log(target: &str, message: &str, fields: Value) {
    let mut all = Map::new();
    all.insert("message".to_owned(), json!(message));
    if let Value::Object(fields) = fields {
        all.extend(fields);
    }
    let line = json!({ "timestamp": timestamp(unix_ms()), "level": "INFO", "fields": all, "target": target });
    raw_line(line.to_string().as_bytes());
}

/// Bytes and a newline on standard output. A closed pipe is ignored.
pub fn raw_line(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}

/// Says on standard error why a sidecar does not start, and gives the exit code for it.
pub fn refuse(code: u8, why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "Error: {why}");
    ExitCode::from(code)
}

/// Milliseconds since the epoch.
pub fn unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| i64::try_from(past.as_millis()).unwrap_or(i64::MAX))
}

/// The one runtime of a demo sidecar.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Ctrl-C, listened to from the moment this is made.
pub struct Interrupt {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
    #[cfg(windows)]
    signal: tokio::signal::windows::CtrlC,
}

impl Interrupt {
    /// Fails outside a runtime or when the handler cannot be installed.
    pub fn listen() -> std::io::Result<Self> {
        #[cfg(unix)]
        let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
        #[cfg(windows)]
        let signal = tokio::signal::windows::ctrl_c()?;
        Ok(Self { signal })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// RFC 3339 in UTC, with milliseconds.
fn timestamp(unix_ms: i64) -> String {
    let seconds = utc(unix_ms);
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), unix_ms.rem_euclid(1_000))
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn timestamps_are_rfc_3339() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(951_827_696_789), "2000-02-29T12:34:56.789Z");
        assert_eq!(timestamp(1_795_343_980_017), "2026-11-22T10:39:40.017Z");
    }
}
