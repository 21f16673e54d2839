//! The `palyra` command line, run to its end: what it is given in confidence goes in over its standard input, what it says is
//! read leniently, and it gets only so much time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::config::{Environment, Paths};
use crate::core::node::Enrolled;
use crate::core::redact::Redactor;
use crate::protocol::Secret;
use crate::protocol::shim::{COMMAND_LINE, RUN_ID_VARIABLE};
use crate::shell::store;
use crate::words;

/// What is kept of its output, bytes.
const OUTPUT_LIMIT: u64 = 256 * 1024;
/// Palyra's export for a support bundle gets this long.
pub const EXPORT_LIMIT: Duration = Duration::from_secs(60);
/// What is read of that export, bytes: it limits itself to half a mebibyte.
const EXPORT_BYTES: u64 = 8 * 1024 * 1024;
/// What it inherits. With [`export_environment`]'s own this is all that it gets.
const EXPORT_INHERITS: &[&str] = if cfg!(windows) {
    &["PATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "USERPROFILE", "HOME", "TEMP", "TMP", "SystemRoot", "COMSPEC"]
} else {
    &["PATH", "HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "TMPDIR"]
};
/// Between two looks whether it has ended.
const PAUSE: Duration = Duration::from_millis(40);

/// Runs it; gives the JSON document that it printed. `stop` ends it early. Blocks.
///
/// # Errors
/// It cannot be started, fails, takes too long or says nothing that can be used: one sentence, without secrets.
pub fn run(command: Command, input: Option<&Secret>, limit: Duration, stop: &AtomicBool) -> Result<Value, String> {
    let output = to_its_end(command, input, limit, stop)?;
    document(&output).ok_or_else(|| words::common::PALYRA_GAVE_ANSWER.to_owned())
}

/// All that `palyra support-bundle export` is given: nothing of what else stands in our environment may get into it.
pub fn export_environment(
    env: &Environment,
    paths: &Paths,
    token: Option<&SecretString>,
) -> BTreeMap<String, OsString> {
    let inherited = EXPORT_INHERITS.iter().filter_map(|name| Some(((*name).to_owned(), env.get(name)?.clone())));
    let mut all: BTreeMap<_, _> = inherited.collect();
    let mut set = |name: &str, value: OsString| all.insert(name.to_owned(), value);
    set("LANG", "C".into());
    set("LC_ALL", "C".into());
    set("PALYRA_STATE_ROOT", paths.runtime_root.clone().into_os_string());
    if paths.config.is_file() {
        set("PALYRA_CONFIG", paths.config.clone().into_os_string());
    }
    if let Some(token) = token {
        set("PALYRA_ADMIN_TOKEN", token.expose_secret().into());
    }
    // not for Palyra: a process without it that carries our runtime root would be taken for a second Palyra
    set(RUN_ID_VARIABLE, COMMAND_LINE.into());
    all
}

/// Runs `palyra support-bundle export` and gives what it wrote; `folder` holds it meanwhile, and nothing of it afterwards.
///
/// # Errors
/// It cannot be started, fails, takes too long or writes nothing that can be used: one sentence, without secrets.
pub fn export(
    program: &Path,
    env: BTreeMap<String, OsString>,
    folder: &Path,
    limit: Duration,
) -> Result<Value, String> {
    store::private_dir(folder).map_err(|error| error.to_string())?;
    // it writes a file that everybody may read, into a folder that only we may enter
    let aside = store::passing_dir(folder).map_err(|error| error.to_string())?;
    let file = aside.path().join("support-bundle.json");
    let mut command = Command::new(program);
    command.args(["support-bundle", "export", "--output"]).arg(&file).env_clear().envs(env);
    to_its_end(command, None, limit, &AtomicBool::new(false))?;
    let mut text = String::new();
    let read = std::fs::File::open(&file).and_then(|file| file.take(EXPORT_BYTES).read_to_string(&mut text));
    read.map_err(words::support::what_palyra_exported_cannot_be_read)?;
    serde_json::from_str(&text).map_err(words::support::what_palyra_exported_is_not_json)
}

fn to_its_end(
    mut command: Command,
    input: Option<&Secret>,
    limit: Duration,
    stop: &AtomicBool,
) -> Result<String, String> {
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
    let mut child = command.spawn().map_err(words::support::palyra_cannot_be_started)?;
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
        return Err(complaint(&stderr).unwrap_or_else(|| words::support::palyra_failed(status)));
    }
    Ok(stdout)
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
            Err(error) => return Err(words::support::palyras_end_cannot_be_read(&error)),
        }
        if stop.load(Ordering::Relaxed) {
            return Err(words::support::IT_WAS_STOPPED.to_owned());
        }
        if Instant::now() >= end {
            return Err(words::support::palyra_was_not_done_within_s(limit.as_secs()));
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
    Some(words::support::palyra_says(crate::core::notices::cut(&crate::core::describe::visible(&text), 300)))
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

    fn program(folder: &Path, script: &str) -> std::path::PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join("palyra");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn the_export_gets_what_is_allowed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let text = |text: &'static str| Path::new(text);
        let variables = [
            ("PALYRA_STATE_ROOT", dir.path()),
            ("HOME", text("/home/ada")),
            ("PATH", text("/usr/bin:/bin")),
            ("BROWSER", text("firefox")),
            ("PALYRA_VAULT_DIR", text("/vault")),
            ("LC_ALL", text("de_DE.UTF-8")),
        ];
        let env = Environment::of(&variables, text("/x/palyra-tray"));
        let paths = Paths::find(&env).unwrap();
        let token = SecretString::from("the-admin-token");
        let palyra = program(
            dir.path(),
            "[ \"$1 $2 $3\" = 'support-bundle export --output' ] || exit 9\n\
            env | sort | awk -F= '{ printf \"%s\\\"%s\\\"\", (NR == 1 ? \"{\\\"env\\\":[\" : \",\"), $0 } END { print \"]}\" }' >\"$4\"",
        );
        let given = export_environment(&env, &paths, Some(&token));
        let told = export(&palyra, given, &paths.support(), Duration::from_secs(20)).unwrap();
        let own = ["PWD=", "SHLVL=", "_=", "OLDPWD="];
        let seen: Vec<_> = told["env"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .filter(|line| !own.iter().any(|own| line.starts_with(own)))
            .collect();
        let root = format!("PALYRA_STATE_ROOT={}", paths.runtime_root.display());
        let run_id = format!("{RUN_ID_VARIABLE}={COMMAND_LINE}");
        let mut wanted = vec![
            "HOME=/home/ada",
            "LANG=C",
            "LC_ALL=C",
            "PALYRA_ADMIN_TOKEN=the-admin-token",
            "PATH=/usr/bin:/bin",
            &root,
            &run_id,
        ];
        wanted.sort_unstable();
        assert_eq!(seen, wanted);
        assert_eq!(std::fs::read_dir(paths.support()).unwrap().count(), 0, "nothing of it stays");
    }

    #[test]
    fn an_export_that_fails_or_hangs_is_told_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("support");
        for (script, words) in [
            ("echo 'no journal' >&2; exit 3", "palyra says: no journal"),
            ("echo half >\"$4\"", "is not JSON"),
            ("true", "cannot be read"),
            ("echo '{' >\"$4\"; exec sleep 60", "not done within"),
        ] {
            let palyra = program(dir.path(), script);
            let env = BTreeMap::from([("PATH".to_owned(), OsString::from("/usr/bin:/bin"))]);
            let why = export(&palyra, env, &folder, Duration::from_millis(1_500)).unwrap_err();
            assert!(why.contains(words), "{why}");
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        }
    }
}
