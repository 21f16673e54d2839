//! A real agent on a state root of its own, over demo sidecars that are started as real executables.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http;

/// Nothing in these tests takes longer on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(25);

/// One state root with its executables, and the agents that were started on it.
pub struct Site {
    dir: tempfile::TempDir,
    agents: Vec<Child>,
    env: Vec<(String, String)>,
    /// What runs as `palyra-tray`.
    pub program: PathBuf,
}

impl Site {
    /// Free ports in the config, demo sidecars as `palyrad` and `palyra-browserd`, secrets in a file, no desktop.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("palyra-site-").tempdir().expect("temp dir");
        let program = PathBuf::from(env!("CARGO_BIN_EXE_palyra-tray"));
        let site = Self { dir, agents: Vec::new(), env: Vec::new(), program };
        for (name, role) in [("palyrad", "gateway"), ("palyra-browserd", "browserd")] {
            site.script(name, &format!("exec '{}' demo-sidecar {role} \"$@\"", env!("CARGO_BIN_EXE_palyra-tray")));
        }
        site.write_config("");
        site
    }

    /// An executable of that name where the agent looks for sidecars.
    pub fn script(&self, name: &str, body: &str) -> PathBuf {
        let path = self.bin().join(name);
        fs::create_dir_all(self.bin()).expect("bin");
        let fresh = self.bin().join(format!("{name}.new"));
        fs::write(&fresh, format!("#!/bin/sh\n{body}\n")).expect("script");
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).expect("mode");
        fs::rename(&fresh, &path).expect("in place");
        path
    }

    /// A config with free ports and these lines.
    pub fn write_config(&self, more: &str) {
        let [http, grpc, browser_http, browser_grpc] = free_ports();
        let text = format!(
            "version = 1\n[daemon]\nport = {http}\n[gateway]\ngrpc_port = {grpc}\nquic_port = {}\n\
             [tool_call.browser_service]\nendpoint = \"http://127.0.0.1:{browser_grpc}\"\n\
             health_base_url = \"http://127.0.0.1:{browser_http}\"\n{more}",
            grpc + 1
        );
        fs::create_dir_all(self.root().join("config")).expect("config dir");
        fs::write(self.root().join("config/palyra.toml"), text).expect("config");
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    pub fn own(&self, path: &str) -> PathBuf {
        self.root().join("tray").join(path)
    }

    /// For every later command and agent; an empty value removes the variable.
    pub fn env(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// `palyra-tray` on this state root.
    pub fn command(&self, args: &[&str]) -> Command {
        self.wrapped(self.program.to_str().expect("UTF-8"), args)
    }

    /// Another program with the environment that `palyra-tray` has there.
    pub fn wrapped(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PALYRA_") {
                command.env_remove(name);
            }
        }
        command
            .env("PALYRA_STATE_ROOT", self.root())
            .env("PALYRA_DESKTOP_PALYRAD_BIN", self.bin().join("palyrad"))
            .env("PALYRA_DESKTOP_BROWSERD_BIN", self.bin().join("palyra-browserd"))
            .env("PALYRA_TRAY_KEYRING", "off")
            .env_remove("XDG_RUNTIME_DIR")
            .args(args)
            .stdin(Stdio::null());
        for (name, value) in &self.env {
            if value.is_empty() {
                command.env_remove(name);
            } else {
                command.env(name, value);
            }
        }
        command
    }

    /// Starts an agent without a desktop and returns its pid.
    pub fn start(&mut self, args: &[&str]) -> u32 {
        let mut all = vec!["run", "--no-tray"];
        all.extend(args);
        self.start_as(&all)
    }

    /// Starts an agent with exactly these arguments and returns its pid.
    pub fn start_as(&mut self, args: &[&str]) -> u32 {
        let child = self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("agent");
        self.agents.push(child);
        self.agents.last().expect("just pushed").id()
    }

    /// Starts an agent and waits until all is healthy.
    #[track_caller]
    pub fn start_healthy(&mut self) -> Value {
        self.start(&[]);
        self.healthy()
    }

    #[track_caller]
    pub fn healthy(&self) -> Value {
        self.until("healthy", |status| status["state"] == "healthy")
    }

    /// Runs a command to its end.
    pub fn cli(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("command")
    }

    /// Runs a command that must succeed; its output.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.cli(args);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// Runs a command that must fail with this code; what it said on standard error.
    #[track_caller]
    pub fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.cli(args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        text
    }

    pub fn status(&self) -> Option<Value> {
        let output = self.cli(&["status", "--json"]);
        serde_json::from_slice(&output.stdout).ok()
    }

    /// Waits until the snapshot is as wanted.
    #[track_caller]
    pub fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        let mut last = None;
        while Instant::now() < end {
            if let Some(status) = self.status() {
                if wanted(&status) {
                    return status;
                }
                last = Some(status);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.own("logs/tray.log")).unwrap_or_default();
        panic!("never {what}; last seen: {:#}\n{log}", last.unwrap_or(Value::Null));
    }

    /// The newest agent dies as if by accident.
    pub fn kill_agent(&mut self) {
        if let Some(mut agent) = self.agents.pop() {
            agent.kill().expect("kill");
            agent.wait().expect("wait");
        }
    }

    /// Waits for the newest agent's own end; its exit code.
    #[track_caller]
    pub fn agent_ended(&mut self) -> Option<i32> {
        let mut agent = self.agents.pop().expect("an agent");
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = agent.try_wait().expect("wait") {
                return status.code();
            }
            assert!(Instant::now() < end, "the agent does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A call of the demo gateway's own interface.
    #[track_caller]
    pub fn demo(&self, path: &str, body: &Value) -> Value {
        let status = self.status().expect("status");
        let port = status["gateway_process"]["bound_ports"]["http"].as_u64().expect("port");
        let body = body.to_string();
        let headers = [("content-type", "application/json")];
        let answer = http::request(u16::try_from(port).expect("port"), "POST", path, &headers, Some(body.as_bytes()))
            .expect("demo call");
        assert!(answer.status < 300, "{path}: {}", answer.status);
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
    }

    /// Something waits; its id.
    #[track_caller]
    pub fn approval(&self, wish: &Value) -> String {
        let made = self.demo("/demo/approvals", wish);
        made["approval_ids"][0].as_str().expect("an id").to_owned()
    }

    #[track_caller]
    pub fn fault(&self, faults: &str) {
        self.demo("/demo/faults", &json!({ "faults": faults }));
    }

    /// Every process that carries this state root in its environment.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").expect("proc").flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
            if self.is_ours(pid) {
                let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                found.push((pid, String::from_utf8_lossy(&line).replace('\0', " ")));
            }
        }
        found
    }

    /// Whether a living process carries this state root in its environment.
    pub fn is_ours(&self, pid: u32) -> bool {
        let needle = format!("PALYRA_STATE_ROOT={}", self.root().display());
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environ| String::from_utf8_lossy(&environ).contains(&needle))
    }

    /// Waits until nothing of this state root lives.
    #[track_caller]
    pub fn nothing_left(&self) {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let left = self.processes();
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < end, "still there: {left:?}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for agent in &mut self.agents {
            let _ = agent.kill();
            let _ = agent.wait();
        }
        for _ in 0..50 {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            for (pid, _) in left {
                let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX));
                let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Ports that are free now: HTTP, gRPC (with the two beside it), and the browser service's two.
fn free_ports() -> [u16; 4] {
    for _ in 0..200 {
        let held: Vec<_> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0").expect("bind")).collect();
        let [http, grpc, a, b] = [0, 1, 2, 3].map(|n: usize| held[n].local_addr().expect("address").port());
        let beside = grpc.checked_add(1);
        let free = beside.is_some_and(|port| {
            TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok()
        });
        if free && ![http, a, b].contains(&(grpc + 1)) {
            return [http, grpc, a, b];
        }
    }
    panic!("no free ports");
}

/// Whether a process of that number lives.
pub fn lives(pid: u64) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
        && !fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

pub fn kill(pid: u64, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("pid"));
    nix::sys::signal::kill(pid, signal).expect("kill");
}

/// Every file below a folder; links are not followed.
pub fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![below.to_owned()];
    while let Some(path) = left.pop() {
        let Ok(kind) = fs::symlink_metadata(&path) else { continue };
        if kind.is_dir() {
            left.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if kind.is_file() {
            found.push(path);
        }
    }
    found
}
