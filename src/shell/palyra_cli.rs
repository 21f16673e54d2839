//! The `palyra` command line, run to its end: what it is given in confidence goes in over its standard input, what it says is
//! read leniently, and it gets only so much time.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::core::node::Enrolled;
use crate::core::redact::Redactor;
use crate::protocol::Secret;

/// What is kept of its output, bytes.
const OUTPUT_LIMIT: u64 = 256 * 1024;
/// Between two looks whether it has ended.
const PAUSE: Duration = Duration::from_millis(40);

/// Runs it; gives the JSON document that it printed. `stop` ends it early. Blocks.
///
/// # Errors
/// It cannot be started, fails, takes too long or says nothing that can be used: one sentence, without secrets.
pub fn run(mut command: Command, input: Option<&Secret>, limit: Duration, stop: &AtomicBool) -> Result<Value, String> {
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Ctrl-C in the agent's terminal is not meant for it
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    {
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        std::os::windows::process::CommandExt::creation_flags(&mut command, CREATE_NO_WINDOW);
    }
    let mut child = command.spawn().map_err(|error| format!("palyra cannot be started: {error}"))?;
    let outputs = [reader(child.stdout.take()), reader(child.stderr.take())];
    if let (Some(mut stdin), Some(secret)) = (child.stdin.take(), input) {
        // one that does not read it says why on its standard error
        let _ = stdin.write_all(secret.expose().as_bytes()).and_then(|()| stdin.write_all(b"\n"));
    }
    let ended = wait(&mut child, limit, stop);
    if ended.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let [stdout, stderr] = outputs.map(|output| output.and_then(|thread| thread.join().ok()).unwrap_or_default());
    let status = ended?;
    if !status.success() {
        return Err(complaint(&stderr).unwrap_or_else(|| format!("palyra failed ({status})")));
    }
    document(&stdout).ok_or_else(|| "palyra gave an answer that was not understood".to_owned())
}

/// What `node status` and `node install` print; `None`: not enrolled.
pub fn enrolled(document: &Value) -> Option<Enrolled> {
    let installed = document["installed"].as_bool().unwrap_or(true);
    let device_id = document["device_id"].as_str().filter(|_| installed)?;
    Some(Enrolled {
        device_id: device_id.to_owned(),
        expires_at_unix_ms: document["cert_expires_at_unix_ms"].as_i64().filter(|at| *at > 0),
        paired: document["paired"].as_bool().unwrap_or(true),
    })
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> Option<thread::JoinHandle<String>> {
    let pipe = pipe?;
    let read = move || {
        let mut bytes = Vec::new();
        let mut limited = pipe.take(OUTPUT_LIMIT);
        let _ = limited.read_to_end(&mut bytes);
        // the rest is not kept, and must not hold it up
        let _ = std::io::copy(&mut limited.into_inner(), &mut std::io::sink());
        String::from_utf8_lossy(&bytes).into_owned()
    };
    thread::Builder::new().name("palyra-output".to_owned()).stack_size(128 * 1024).spawn(read).ok()
}

fn wait(child: &mut Child, limit: Duration, stop: &AtomicBool) -> Result<std::process::ExitStatus, String> {
    let end = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) => {}
            Err(error) => return Err(format!("palyra's end cannot be read: {error}")),
        }
        if stop.load(Ordering::Relaxed) {
            return Err("it was stopped".to_owned());
        }
        if Instant::now() >= end {
            return Err(format!("palyra was not done within {} s", limit.as_secs()));
        }
        thread::sleep(PAUSE);
    }
}

/// The first JSON object in the output, whatever stands around it.
fn document(output: &str) -> Option<Value> {
    let starts = output.match_indices('{').map(|(at, _)| at);
    starts.take(64).find_map(|at| {
        let mut values = serde_json::Deserializer::from_str(&output[at..]).into_iter::<Value>();
        values.next()?.ok().filter(Value::is_object)
    })
}

/// The last line of its complaint, without what only its developers need.
fn complaint(stderr: &str) -> Option<String> {
    let line = stderr.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    let text = match line.split_once(" state_root=") {
        Some((_, rest)) if line.starts_with("error[") => rest.split_once(' ').map_or(rest, |(_, text)| text),
        _ => line,
    };
    let text = Redactor::new(Vec::new()).redact(text).into_owned();
    Some(format!("palyra says: {}", crate::core::notices::cut(&crate::core::describe::visible(&text), 300)))
}

/// Ends what runs with it.
pub fn stopper() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_found_amid_other_lines() {
        let value = document("WARN {not json}\n{\n \"installed\": true, \"device_id\": \"d\"\n}\nbye").unwrap();
        assert_eq!(enrolled(&value).unwrap().device_id, "d");
        assert_eq!(document("nothing"), None);
        assert_eq!(enrolled(&serde_json::json!({ "installed": false, "device_id": null })), None);
    }

    #[test]
    fn a_complaint_is_told_without_its_label() {
        let line = "error[policy_denial] trace_id=cli:01M8 state_root=/home/x failed to register node host: revoked\n";
        assert_eq!(complaint(line).unwrap(), "palyra says: failed to register node host: revoked");
        assert_eq!(complaint("\n"), None);
    }
}

#[cfg(all(test, unix))]
mod processes {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_secret_goes_in_by_standard_input_and_its_end_is_seen() {
        let pin = Secret::new("123456");
        let script = "read pin; cat; [ \"$pin\" = 123456 ] && echo '{\"ok\": true}'";
        let value = run(sh(script), Some(&pin), Duration::from_secs(10), &stopper()).unwrap();
        assert_eq!(value["ok"], true);
    }

    #[test]
    fn one_that_does_not_end_is_ended() {
        let begun = Instant::now();
        let late = run(sh("exec sleep 60"), None, Duration::from_millis(200), &stopper());
        assert!(late.unwrap_err().contains("not done"));
        let stop = stopper();
        stop.store(true, Ordering::Relaxed);
        assert!(run(sh("exec sleep 60"), None, Duration::from_secs(60), &stop).is_err());
        assert!(begun.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_failure_tells_its_last_line() {
        let failed = run(sh("echo first >&2; echo last >&2; exit 3"), None, Duration::from_secs(10), &stopper());
        assert_eq!(failed.unwrap_err(), "palyra says: last");
    }
}
