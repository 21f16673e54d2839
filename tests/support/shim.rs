//! A run directory with its spec, and everything in it ended when the test is over.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use palyra_tray::protocol::shim::{
    ExitRecord, Hello, LogLimits, RUN_ID_VARIABLE, RunId, RunRecord, ServiceId, Spec, StopLadder, VERSION,
};
use palyra_tray::shell::process::{self, ProcessReport};
use tempfile::TempDir;

pub const SHIM: &str = env!("CARGO_BIN_EXE_palyra-tray");
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Place {
    pub dir: TempDir,
    pub run_id: RunId,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let run_id = RunId(format!("{}-{}", std::process::id(), dir.path().file_name().expect("named").display()));
        Self { dir, run_id }
    }

    pub fn run_dir(&self) -> PathBuf {
        self.dir.path().join("run/gateway")
    }

    pub fn log(&self) -> PathBuf {
        self.dir.path().join("logs/gateway.log")
    }

    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Runs a shell script, with short graces.
    pub fn script(&self, script: &str) -> Spec {
        self.program("/bin/sh", &["-c", script])
    }

    pub fn program(&self, program: &str, args: &[&str]) -> Spec {
        Spec {
            version: VERSION,
            run_id: self.run_id.clone(),
            service: ServiceId::Gateway,
            run_dir: self.run_dir(),
            program: PathBuf::from(program),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: BTreeMap::new(),
            ladder: StopLadder {
                interrupt_grace_ms: 300,
                refused_port: None,
                refused_for_ms: 200,
                terminate_grace_ms: 300,
            },
            log: LogLimits { path: self.log(), max_bytes: 5 << 20, keep: 3 },
            ports: BTreeMap::from([("http".to_owned(), 1)]),
            lease_ms: None,
            hide: Vec::new(),
        }
    }

    pub fn launch(&self, spec: Spec) -> Reports {
        let (sender, reports) = channel();
        process::launch(Path::new(SHIM), spec, move |report| sender.send(report).unwrap_or_default());
        Reports(reports)
    }

    pub fn adopt(&self) -> Reports {
        let (sender, reports) = channel();
        process::adopt(self.run_dir(), move |report| sender.send(report).unwrap_or_default());
        Reports(reports)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for pid in carriers(&self.run_id) {
            let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
        }
    }
}

pub struct Reports(pub Receiver<ProcessReport>);

impl Reports {
    pub fn next(&self) -> ProcessReport {
        self.0.recv_timeout(PATIENCE).expect("a report comes in time")
    }

    pub fn none(&self) -> bool {
        self.0.try_recv().is_err()
    }

    pub fn running(&self) -> RunRecord {
        match self.next() {
            ProcessReport::Hello { hello: Hello::Running(run), .. } => run,
            other => panic!("{other:?}"),
        }
    }

    pub fn ended(&self) -> ExitRecord {
        match self.next() {
            ProcessReport::Ended { exit: Some(exit), .. } => exit,
            other => panic!("{other:?}"),
        }
    }
}

/// A shim without an agent's thread, for what an agent would not do. Its Hello is read.
pub fn bare_shim(spec_line: &str) -> (Child, Hello) {
    let mut child =
        Command::new(SHIM).arg("shim").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the shim starts");
    child.stdin.take().expect("piped").write_all(spec_line.as_bytes()).expect("it reads");
    let mut lines = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    lines.read_line(&mut line).expect("it answers");
    assert_eq!(lines.read(&mut [0]).expect("readable"), 0, "standard output ends after one line");
    (child, serde_json::from_str(&line).expect("a Hello"))
}

pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not happen in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn until_log(place: &Place, part: &str) {
    until(part, || place.log_text().contains(part).then_some(()));
}

/// A number that a script has written to a file.
pub fn pid_in(path: &Path) -> u32 {
    until("a pid", || std::fs::read_to_string(path).ok()?.strip_suffix('\n')?.parse().ok())
}

pub fn lives(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().starts_with(" Z"))
}

pub fn gone(pid: u32) {
    until("the end of a process", || (!lives(pid)).then_some(()));
}

pub fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid as i32), signal).expect("it lives");
}

/// Processes with this run id in their environment, found without the code under test.
pub fn carriers(run_id: &RunId) -> Vec<u32> {
    let wanted = format!("{RUN_ID_VARIABLE}={run_id}");
    let pids = std::fs::read_dir("/proc")
        .expect("proc")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes()))
    })
    .collect()
}

/// Writes an executable through another process: while this one has it open for writing, a child that another test
/// is just forking has it too, and it cannot be executed.
pub fn executable(path: &Path, text: &[u8]) {
    let script = "cat > \"$0\" && chmod 755 \"$0\"";
    let mut cat =
        Command::new("/bin/sh").args(["-c", script]).arg(path).stdin(Stdio::piped()).spawn().expect("a shell");
    cat.stdin.take().expect("piped").write_all(text).expect("it reads");
    assert!(cat.wait().expect("reaped").success());
}

pub fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777
}
