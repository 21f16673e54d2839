//! Demo sidecars as child processes: started on free ports, watched, ended with the test.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::{self, Answer};

/// The token that the captures were recorded with.
pub const TOKEN: &str = "tok-admin-123";
/// The principal that the captures were recorded with.
pub const PRINCIPAL: &str = "admin:desktop-control-center";
/// The device that the captures were recorded with.
pub const DEVICE: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

const PATIENCE: Duration = Duration::from_secs(30);

/// A running demo sidecar.
pub struct Demo {
    child: Child,
    output: Arc<Mutex<Vec<Vec<u8>>>>,
    errors: Option<std::thread::JoinHandle<String>>,
    root: PathBuf,
    _own: Option<TempDir>,
}

impl Demo {
    /// A ready gateway with a state root of its own.
    pub fn gateway(env: &[(&str, &str)]) -> Self {
        let root = TempDir::new().expect("temp dir");
        let mut demo = Self::gateway_on(root.path(), env);
        demo._own = Some(root);
        demo.ready();
        demo
    }

    /// A gateway on that state root, not waited for.
    pub fn gateway_on(root: &Path, env: &[(&str, &str)]) -> Self {
        let words = ["gateway", "--bind", "127.0.0.1", "--port", "0", "--grpc-bind", "127.0.0.1", "--grpc-port", "0"];
        Self::start(root, &words, env)
    }

    /// Any sidecar. `PALYRA_*` of the caller is not inherited.
    pub fn start(root: &Path, words: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palyra-tray"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PALYRA_") {
                command.env_remove(name);
            }
        }
        command.arg("demo-sidecar").args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("PALYRA_STATE_ROOT", root).env("PALYRA_ADMIN_TOKEN", TOKEN);
        command.env("PALYRA_ADMIN_BOUND_PRINCIPAL", PRINCIPAL).env("PALYRA_GATEWAY_QUIC_PORT", "0");
        for (name, value) in env {
            if value.is_empty() {
                command.env_remove(name);
            } else {
                command.env(name, value);
            }
        }
        let mut child = command.spawn().expect("start the sidecar");
        let output = Arc::new(Mutex::new(Vec::new()));
        let (lines, stdout) = (Arc::clone(&output), child.stdout.take().expect("piped"));
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                lines.lock().expect("output").push(std::mem::take(&mut line));
            }
        });
        let mut stderr = child.stderr.take().expect("piped");
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        Self { child, output, errors: Some(errors), root: root.to_owned(), _own: None }
    }

    /// Waits until `/healthz` answers.
    #[track_caller]
    pub fn ready(&self) {
        let port = self.port();
        until("healthz", || http::request(port, "GET", "/healthz", &[], None).ok().filter(|a| a.status == 200));
    }

    /// The HTTP port, once it says so.
    #[track_caller]
    pub fn port(&self) -> u16 {
        let found = until("the port", || {
            self.logged("daemon listening").or_else(|| self.logged("browserd health endpoint ready"))
        });
        let address = found["listen_addr"].as_str().expect("listen_addr").to_owned();
        address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("port")
    }

    /// The same, waited for: a line may come later than what it tells of can be seen.
    #[track_caller]
    pub fn will_log(&self, message: &str) -> Value {
        until(message, || self.logged(message))
    }

    /// The fields of the first log line with that message.
    pub fn logged(&self, message: &str) -> Option<Value> {
        let lines = self.output.lock().expect("output");
        let mut parsed = lines.iter().filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        parsed.find(|line| line["fields"]["message"] == message).map(|mut line| line["fields"].take())
    }

    /// All lines so far, newlines kept.
    pub fn output(&self) -> Vec<Vec<u8>> {
        self.output.lock().expect("output").clone()
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its state root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether it has not ended.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("wait").is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until("the end", || child.try_wait().expect("wait"))
    }

    /// Waits for its end; exit code and what it said on standard error.
    #[track_caller]
    pub fn refused(mut self) -> (Option<i32>, String) {
        let code = self.ended().code();
        let text = self.errors.take().expect("once").join().expect("stderr");
        (code, text)
    }

    /// Sends a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.pid()).expect("pid"));
        nix::sys::signal::kill(pid, signal).expect("kill");
    }

    /// Orders faults at run time.
    #[track_caller]
    pub fn faults(&self, words: &str) {
        let answer = self.call("POST", "/demo/faults", Some(json!({ "faults": words })), &[]).expect("order");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// A call without cookie.
    pub fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> std::io::Result<Answer> {
        let body = body.map(|body| body.to_string());
        let mut headers = headers.to_vec();
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        http::request(self.port(), method, path, &headers, body.as_deref().map(str::as_bytes))
    }

    /// Creates approvals, see the gateway's demo API.
    #[track_caller]
    pub fn approvals(&self, wish: Value) -> Vec<String> {
        let answer = self.call("POST", "/demo/approvals", Some(wish), &[]).expect("create");
        serde_json::from_value(answer.json()["approval_ids"].take()).expect("ids")
    }

    /// Signs in.
    #[track_caller]
    pub fn login(&self) -> Client<'_> {
        let body = json!({ "admin_token": TOKEN, "principal": "admin:x", "device_id": DEVICE });
        Client::from(self, &self.call("POST", "/console/v1/auth/login", Some(body), &[]).expect("login"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A signed-in client.
pub struct Client<'a> {
    demo: &'a Demo,
    cookie: String,
    csrf: String,
}

impl<'a> Client<'a> {
    /// Takes cookie and CSRF token from a session answer.
    #[track_caller]
    pub fn from(demo: &'a Demo, answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.header("set-cookie").and_then(|all| all.split(';').next()).expect("cookie").to_owned();
        let csrf = answer.json()["csrf_token"].as_str().expect("csrf").to_owned();
        Self { demo, cookie, csrf }
    }

    /// Cookie and CSRF token as headers.
    pub fn headers(&self) -> [(&str, &str); 2] {
        [("cookie", &self.cookie), ("x-palyra-csrf-token", &self.csrf)]
    }

    /// A read.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.demo.call("GET", path, None, &self.headers()).expect(path)
    }

    /// A change.
    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.demo.call("POST", path, Some(body), &self.headers()).expect(path)
    }

    /// Decides.
    #[track_caller]
    pub fn decide(&self, id: &str, approved: bool) -> Value {
        let answer = self.post(&format!("/console/v1/approvals/{id}/decision"), json!({ "approved": approved }));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["approval"].take()
    }

    /// One record.
    #[track_caller]
    pub fn approval(&self, id: &str) -> Value {
        self.get(&format!("/console/v1/approvals/{id}")).json()["approval"].take()
    }
}

/// Asks again and again until there is an answer; panics when patience ends.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "still waiting for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
