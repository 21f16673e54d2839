//! Opening the person's browser, in a short-lived process of its own: the library behind it leaves a zombie for each
//! opening and can block, and the address reaches it on standard input, where no other user can read it.
//!
//! Limits: only http and https to loopback, and for a provider's sign-in page https to elsewhere. Success means that an opener was started, not that a page is visible.

use std::io::{self, BufRead, Read as _, Write as _};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use tokio::sync::oneshot;

use crate::words;

/// Where an address may lead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// To this machine: the dashboard.
    Here,
    /// Also elsewhere, encrypted: a provider's sign-in page.
    Anywhere,
}

impl Leads {
    /// Name of the role on the command line.
    const fn role(self) -> &'static str {
        match self {
            Self::Here => "open-url",
            Self::Anywhere => "open-page",
        }
    }

    /// The role of that name.
    pub fn from_role(name: &str) -> Option<Self> {
        [Self::Here, Self::Anywhere].into_iter().find(|leads| leads.role() == name)
    }
}

/// Longest wait for the helper.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest address, bytes.
const MAX_URL_BYTES: u64 = 8 * 1024;
/// What is kept of the helper's words, bytes.
const MAX_WORDS_BYTES: u64 = 1024;

/// The role: opens the address on standard input (one line) and ends.
#[expect(clippy::disallowed_methods, reason = "this is the helper process that the ban speaks of")]
pub fn main(leads: Leads) -> ExitCode {
    let result = run(leads, &mut io::stdin().lock(), |url| {
        webbrowser::open(url).map_err(words::desktop::no_browser_could_be_started)
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // The parent reads this; there is nobody to tell when it is gone.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    }
}

/// Opens `url` by way of `helper`, this program's own executable; waits up to 5 s for it and leaves nothing behind. The
/// error is one sentence without the address.
pub async fn open(helper: &Path, leads: Leads, url: &str) -> Result<(), String> {
    let url = checked(leads, url)?;
    let mut command = Command::new(helper);
    command.arg(leads.role()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        // Ctrl-C in the agent's terminal must not reach the browser.
        command.process_group(0);
    }
    let failed = |error: io::Error| words::desktop::browser_helper_could_not_be_started(&error);
    let mut child = command.spawn().map_err(failed)?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let child = Arc::new(Mutex::new(child));
    let (tell, told) = oneshot::channel();
    let spawned = std::thread::Builder::new().name("browser-helper".to_owned()).spawn(move || {
        if let Some(mut stdin) = stdin {
            // A helper that does not read has failed, and says why in its own way.
            let _ = writeln!(stdin, "{url}");
        }
        let mut words = Vec::new();
        if let Some(mut stderr) = stderr {
            // Ends with the helper, or a little earlier.
            let _ = stderr.by_ref().take(MAX_WORDS_BYTES).read_to_end(&mut words);
            let _ = io::copy(&mut stderr, &mut io::sink());
        }
        let _ = tell.send(words);
    });
    if let Err(error) = spawned {
        end(&child);
        return Err(failed(error));
    }
    let Reaper(child) = &Reaper(child);
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(words) => match wait(child).await {
            Some(true) => Ok(()),
            Some(false) => {
                Err(words_or(&words.unwrap_or_default(), words::desktop::BROWSER_HELPER_FAILED_WITHOUT_REASON))
            }
            None => Err(words::desktop::BROWSER_HELPERS_END_COULD.to_owned()),
        },
        Err(_) => match lock(child).try_wait() {
            // Something that it started keeps its standard error open.
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(_)) => Err(words::desktop::BROWSER_HELPER_FAILED_WITHOUT_REASON.to_owned()),
            _ => Err(words::desktop::BROWSER_DID_NOT_START_WITHIN_S.to_owned()),
        },
    }
}

/// Ends and reaps the helper even when the caller loses interest.
struct Reaper(Arc<Mutex<Child>>);

impl Drop for Reaper {
    fn drop(&mut self) {
        end(&self.0);
    }
}

fn end(child: &Mutex<Child>) {
    let mut child = lock(child);
    if !matches!(child.try_wait(), Ok(Some(_))) {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The helper closed its standard error, so it is about to end; whether it did well.
async fn wait(child: &Mutex<Child>) -> Option<bool> {
    for pause_ms in [1, 2, 5, 10, 20, 50, 100, 200, 400] {
        match lock(child).try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) => {}
            Err(_) => return None,
        }
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    }
    None
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

fn words_or(words: &[u8], otherwise: &str) -> String {
    let words = String::from_utf8_lossy(words);
    let line: String = words.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    if line.is_empty() { otherwise.to_owned() } else { line }
}

fn run(leads: Leads, input: &mut impl BufRead, opener: impl FnOnce(&str) -> Result<(), String>) -> Result<(), String> {
    let mut line = String::new();
    input.take(MAX_URL_BYTES).read_line(&mut line).map_err(words::desktop::address_could_not_be_read)?;
    opener(&checked(leads, line.trim_end_matches(['\r', '\n']))?)
}

/// The address in its normal form, if it leads where it may. The error is one sentence without the address.
///
/// # Errors
/// It does not.
pub fn checked(leads: Leads, url: &str) -> Result<String, String> {
    let refused = |why: &str| Err(words::desktop::address_was_not_opened(why));
    if url.len() as u64 >= MAX_URL_BYTES {
        return refused(words::desktop::IT_IS_TOO_LONG);
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return refused(words::desktop::IT_HOLDS_SPACES_OR_CONTROL_CHARACTERS);
    }
    let Ok(parsed) = Url::parse(url) else { return refused(words::common::IT_IS_NOT_ADDRESS) };
    if !matches!(parsed.scheme(), "http" | "https") {
        return refused(words::desktop::ONLY_HTTP_AND_HTTPS_ARE_OPENED);
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return refused(words::common::IT_CARRIES_USER_NAME);
    }
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match leads {
        Leads::Here if !here => refused(words::desktop::IT_DOES_NOT_LEAD),
        Leads::Anywhere if !here && parsed.scheme() != "https" => refused(words::desktop::IT_IS_NOT_ENCRYPTED),
        _ => Ok(parsed.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_pages_are_opened() {
        for good in ["http://127.0.0.1:7142/x", "https://localhost/", "http://[::1]:80/a?b#c"] {
            assert!(checked(Leads::Here, good).is_ok(), "{good}");
        }
        for bad in [
            "https://example.com/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1@evil.example/",
            "http://a@127.0.0.1/",
            "http://0.0.0.0/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "127.0.0.1:80",
            "/etc/passwd",
            "http://127.0.0.1/a b",
            "",
        ] {
            let error = checked(Leads::Here, bad).unwrap_err();
            assert!(bad.is_empty() || !error.contains(bad), "{error}");
        }
    }

    #[test]
    fn a_sign_in_page_may_be_elsewhere_but_is_encrypted() {
        for good in [
            "https://auth.example.com/authorize?state=x",
            "http://127.0.0.1:7142/x",
            "http://[::1]/",
            "http://localhost:1/",
            "https://localhost/",
        ] {
            assert!(checked(Leads::Anywhere, good).is_ok(), "{good}");
        }
        for bad in [
            "http://auth.example.com/",
            "http://127.0.0.1.auth.example/",
            "http://127.0.0.1@auth.example/",
            "https://a:b@auth.example/",
            "https://a@example.com/",
            "file:///etc/passwd",
            "data:text/html,x",
            "javascript:alert(1)",
            "palyra:x",
            "",
        ] {
            assert!(checked(Leads::Anywhere, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_role_opens_one_line() {
        let mut opened = None;
        let mut input: &[u8] = b"http://127.0.0.1:1/x\nhttp://127.0.0.1:2/y\n";
        run(Leads::Here, &mut input, |url| {
            opened = Some(url.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(opened.as_deref(), Some("http://127.0.0.1:1/x"));
        for hostile in [&b"file:///etc/passwd\n"[..], b"", b"\xff\xfe\n", &[b'a'; 20_000]] {
            assert!(run(Leads::Anywhere, &mut &*hostile, |_| panic!("opened")).is_err());
        }
    }

    #[cfg(unix)]
    mod helper {
        use std::fs;
        use std::os::unix::fs::PermissionsExt as _;
        use std::path::PathBuf;

        use super::*;

        fn script(directory: &Path, body: &str) -> PathBuf {
            let path = directory.join("helper");
            fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        }

        fn open_now(helper: &Path, url: &str) -> Result<(), String> {
            // Another test's fork may hold the fresh script open for writing for a moment.
            loop {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                match runtime.block_on(open(helper, Leads::Here, url)) {
                    Err(error) if error.contains("Text file busy") => std::thread::yield_now(),
                    result => return result,
                }
            }
        }

        #[test]
        fn the_address_goes_to_stdin_and_not_to_argv() {
            let directory = tempfile::tempdir().unwrap();
            let out = directory.path().join("out");
            let helper = script(directory.path(), &format!("read url; echo \"$# $1 $url\" > '{}'", out.display()));
            open_now(&helper, "http://127.0.0.1:1/secret").unwrap();
            assert_eq!(fs::read_to_string(out).unwrap(), "1 open-url http://127.0.0.1:1/secret\n");
        }

        #[test]
        fn failures_are_told_in_the_helpers_words() {
            let directory = tempfile::tempdir().unwrap();
            let helper = script(directory.path(), "echo 'No browser here.' >&2; exit 3");
            assert_eq!(open_now(&helper, "http://127.0.0.1:1/").unwrap_err(), "No browser here.");
            let missing = directory.path().join("missing");
            assert!(open_now(&missing, "http://127.0.0.1:1/").unwrap_err().contains("could not be started"));
            assert!(open_now(&missing, "https://example.com/").unwrap_err().contains("not opened"));
        }

        #[test]
        fn a_helper_that_hangs_is_ended_and_reaped() {
            let directory = tempfile::tempdir().unwrap();
            let out = directory.path().join("pid");
            let helper = script(directory.path(), &format!("echo $$ > '{}'; exec sleep 60", out.display()));
            assert!(open_now(&helper, "http://127.0.0.1:1/").unwrap_err().contains("within 5 s"));
            let pid: i32 = fs::read_to_string(out).unwrap().trim().parse().unwrap();
            let gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None);
            assert_eq!(gone, Err(nix::errno::Errno::ESRCH), "neither running nor a zombie");
        }

        #[test]
        fn a_browser_that_keeps_stderr_open_does_not_count_as_failure() {
            let directory = tempfile::tempdir().unwrap();
            let helper = script(directory.path(), "sleep 7 >/dev/null & exit 0");
            assert_eq!(open_now(&helper, "http://127.0.0.1:1/"), Ok(()));
        }
    }
}
