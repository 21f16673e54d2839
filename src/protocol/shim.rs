//! Shim contract, version 1: what the agent tells a shim on its standard input, and what a shim leaves on disk.
//!
//! A shim is the small process that holds one sidecar, so that the sidecar outlives the agent. These types are the whole
//! interface between the two; both sides read older versions and refuse newer ones with a clear message. A shim writes its
//! records in the version of its spec: after an upgrade an agent of the earlier release starts shims of the new one.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Secret;

/// Version of this contract, in every record.
pub const VERSION: u32 = 1;
/// Name of the variable that carries the run id in a sidecar's environment, so that survivors of a killed shim are found.
pub const RUN_ID_VARIABLE: &str = "PALYRA_TRAY_RUN_ID";
/// What that variable says in a `palyra` command line that the agent itself runs: it is no sidecar, and no stranger either.
pub const COMMAND_LINE: &str = "command-line";
/// Kernel lock (`flock`) in the run directory, held by the shim from before the spawn to the very end.
pub const LOCK_FILE: &str = "lock";
/// [`RunRecord`] in the run directory.
pub const RUN_FILE: &str = "run.json";
/// [`ExitRecord`] in the run directory, synced to disk before the lock is let go.
pub const EXIT_FILE: &str = "exit.json";
/// [`LogLoss`] in the run directory. Made with [`LOSS_BYTES`] before the sidecar starts and overwritten in place, because a
/// full disk takes no new file.
pub const LOSS_FILE: &str = "loss.json";
/// Length of [`LOSS_FILE`]: one JSON object, filled up with blanks.
pub const LOSS_BYTES: usize = 512;

/// A supervised sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceId {
    /// `palyrad`
    Gateway,
    /// `palyra-browserd`
    Browserd,
    /// `palyra node run`
    NodeHost,
}

impl ServiceId {
    /// In start order.
    pub const ALL: [Self; 3] = [Self::Gateway, Self::Browserd, Self::NodeHost];

    /// The name used on the command line, in JSON and for directories.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Browserd => "browserd",
            Self::NodeHost => "node_host",
        }
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One life of one sidecar. Every process event carries it, so that a late exit of an old process cannot touch a new one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a shim is to run: one JSON line on its standard input, which is then closed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// [`VERSION`]
    pub version: u32,
    /// Names this life of the sidecar.
    pub run_id: RunId,
    /// Which sidecar.
    pub service: ServiceId,
    /// Absolute directory of `lock`, `run.json` and `exit.json`; made (0700) if missing.
    pub run_dir: PathBuf,
    /// Absolute path of the executable.
    pub program: PathBuf,
    /// Arguments after the program's name. Nothing secret: others can read them.
    pub args: Vec<String>,
    /// Changes to the inherited environment: a value sets a variable, `None` removes it. Some of them are secret, and
    /// all are treated so.
    pub env: BTreeMap<String, Option<Secret>>,
    /// How the sidecar is asked to end.
    pub ladder: StopLadder,
    /// Where its output goes.
    pub log: LogLimits,
    /// Ports by purpose (`http`, `grpc`, `quic`, `node_rpc`), recorded as given.
    pub ports: BTreeMap<String, u16>,
    /// When set, the shim stops its sidecar if the agent has not touched `lease` in `run_dir` for this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<u64>,
    /// Further secrets that must not get into its log, whoever tells them to it: those of the config, and those that only
    /// another sidecar is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hide: Vec<Secret>,
}

impl fmt::Debug for Spec {
    /// Names of variables only: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec")
            .field("run_id", &self.run_id)
            .field("service", &self.service)
            .field("program", &self.program)
            .field("args", &self.args)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("ports", &self.ports)
            .finish_non_exhaustive()
    }
}

/// SIGINT to the process group, then SIGTERM, then SIGKILL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopLadder {
    /// Longest wait after SIGINT, milliseconds.
    pub interrupt_grace_ms: u64,
    /// When this loopback TCP port has refused connections for `refused_for_ms`, the first wait ends early:
    /// `palyrad` with QUIC closes its ports and then never exits.
    pub refused_port: Option<u16>,
    /// See `refused_port`, milliseconds.
    pub refused_for_ms: u64,
    /// Wait after SIGTERM, milliseconds.
    pub terminate_grace_ms: u64,
}

impl Default for StopLadder {
    fn default() -> Self {
        Self { interrupt_grace_ms: 3_000, refused_port: None, refused_for_ms: 1_000, terminate_grace_ms: 2_000 }
    }
}

/// Rotation of one service's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLimits {
    /// Absolute path of the newest file; older ones get `.1`, `.2` … behind it.
    pub path: PathBuf,
    /// A file is rotated before it grows beyond this.
    pub max_bytes: u64,
    /// Files kept, the newest included.
    pub keep: u32,
}

/// A process that cannot be mistaken for another one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessRef {
    /// Process id.
    pub pid: u32,
    /// Start time as the kernel gives it (Linux: clock ticks since boot, field 22 of `/proc/PID/stat`; 0 if unknown).
    pub start_ticks: u64,
}

/// `run.json`: written before the spawn without a sidecar, so that whatever happens the run is known by its id, and again
/// right after it; also printed once on the shim's standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// That of the [`Spec`].
    pub version: u32,
    /// From the [`Spec`].
    pub run_id: RunId,
    /// From the [`Spec`].
    pub service: ServiceId,
    /// From the [`Spec`].
    pub program: PathBuf,
    /// The shim itself.
    pub shim: ProcessRef,
    /// Its sidecar; pid 0 until it is started.
    pub sidecar: ProcessRef,
    /// Boot the ticks belong to.
    pub boot_id: String,
    /// From the [`Spec`].
    pub ports: BTreeMap<String, u16>,
    /// Wall clock at the spawn.
    pub started_at_unix_ms: i64,
    /// From the [`Spec`]: the run holds a lease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<u64>,
}

/// `exit.json`: how the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitRecord {
    /// That of the [`Spec`].
    pub version: u32,
    /// Which run.
    pub run_id: RunId,
    /// Wall clock at the end.
    pub ended_at_unix_ms: i64,
    /// How the sidecar's own process ended.
    pub cause: ExitCause,
    /// Whether the shim had been asked to stop it (SIGTERM to the shim, or its lease ran out).
    pub asked: bool,
    /// The newest lines of standard error, redacted, at most 20.
    pub last_stderr: Vec<String>,
    /// Log lines that could not be written (full disk).
    pub dropped_lines: u64,
    /// How many more kills for want of memory the system had counted at the end than at the start: those of our own group of
    /// processes where that is counted, else those of the whole machine. 0 also where the system does not tell.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub oom_kills: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// `loss.json`: lines that never reached the log of a run that lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLoss {
    /// [`VERSION`] of the shim that wrote it.
    pub version: u32,
    /// Lines dropped since the run began.
    pub dropped_lines: u64,
    /// Why the newest lines could not be written; empty once lines reach the disk again.
    pub why: String,
}

/// How a sidecar's process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExitCause {
    /// It returned this code.
    Code {
        /// Exit code.
        code: i32,
    },
    /// A signal ended it.
    Signal {
        /// Number of the signal.
        signal: i32,
    },
    /// It could not be started at all.
    SpawnFailed {
        /// The system's words, with the path.
        message: String,
        /// False for what trying again cannot cure: no such file, not executable.
        retryable: bool,
    },
}

/// The one line a shim prints on its standard output, then closes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "hello", rename_all = "snake_case")]
pub enum Hello {
    /// The sidecar runs.
    Running(RunRecord),
    /// Another shim holds the lock of this run directory; nothing was started.
    Busy,
    /// The sidecar could not be started; `exit.json` says the same.
    Failed(ExitRecord),
    /// The shim could not do its work at all (bad spec, run directory not writable).
    Refused {
        /// What, why, what to do.
        message: String,
    },
}
