//! Demo sidecars: child processes that stand in for `palyrad`, `palyra-browserd` and `palyra node run`.
//!
//! They take the real ones' arguments and environment and answer as the recorded captures in `tests/captures` do, so that
//! `palyra-tray demo` works on a machine without Palyra and the tests have a gateway that misbehaves on demand. They keep
//! nothing outside `PALYRA_STATE_ROOT`, talk to loopback only, and call themselves `0.1.0-demo`.
//!
//! # Limits
//!
//! gRPC and QUIC are bound and silent; the node RPC port speaks HTTP to the demo's own `palyra node`. Texts are not redacted on insert. The request budget is one for all clients,
//! since only loopback can reach it. Nothing sweeps undecided approvals, as in the real gateway. `PALYRA_STATE_ROOT` is
//! required, and a state root with a real journal is refused: a double must never write into a person's data. For the same
//! reason a config file is rewritten only below the state root, or the root that the desktop keeps both under.
//!
//! # Beside the real interface
//!
//! | | |
//! |---|---|
//! | `/` | a small dashboard, marked "Demo" |
//! | `PALYRA_DEMO_SEED=1` | approvals of every risk appear in the first minute |
//! | `GET`, `POST /demo/faults` | faults that are on; `{"faults": "a,b" or ["a", "b"], "clear": true}` |
//! | `POST /demo/approvals` | creates approvals, see `gateway::demo_api` |
//! | `PALYRA_DEMO_CERTIFICATE_MS` | a node's certificate is good for this long instead of 24 h |
//! | `PALYRA_DEMO_OFFLINE=1` | no provider and no Discord can be reached; with a provider chosen the gateway does not start |
//! | `/demo/authorize` | the page of the provider that a person signs in to, with "Allow" and "Deny" |
//! | a chat message with "tool" | with the run loop on: asks for an approval and holds the stream until it is decided |
//! | a chat message with "slow" | with the run loop on: the answer takes 6 s |
//!
//! # Keys, tokens and client ids
//!
//! Any key is accepted, unless it contains one of these words. Behind `later-` the word counts only when the key is used: for
//! the answer to a message, and for a test of the connection after a restart; after three answers that failed, the provider is
//! left alone for 30 s. A key itself is never kept.
//!
//! | Word | What becomes of it |
//! |---|---|
//! | `wrong` | refused |
//! | `busy` | the provider, or Discord, gets too many requests |
//! | `down` | it has trouble of its own |
//! | `offline` | it cannot be reached |
//!
//! The same words count in the token of a Discord bot, and in the client id of a sign-in, where each makes it fail. A message to
//! a Discord channel that ends in `0000` is not delivered.
//!
//! # Faults
//!
//! `PALYRA_DEMO_FAULTS` is a comma list of `name[=value][@delay_ms]`; `POST /demo/faults` takes the same words. `calls` means
//! `[N:]PREFIX`: the next N calls (1 if absent) of paths with that prefix (`/console` if absent).
//!
//! | Fault | Effect | Roles |
//! |---|---|---|
//! | `crash[=CODE]` | exits with CODE (1 if absent) | all |
//! | `exit0` | exits with 0 | all |
//! | `hang`, `resume` | stops answering HTTP but lives; answers again | gateway, browserd |
//! | `slow_start=MS` | binds its ports only after MS (environment only) | gateway, browserd |
//! | `ignore_sigint`, `ignore_sigterm` | survives the signal | all |
//! | `flood=RATE[:TOTAL]` | RATE log lines a second, numbered from 0, TOTAL in all | all |
//! | `bad_bytes` | a log line of invalid UTF-8 and one of 10 MB | all |
//! | `grandchild[=SECONDS]` | starts a child in a session of its own that ignores SIGTERM, SIGINT and SIGHUP (3600 s) | all |
//! | `wrong_service` | `/healthz` names another service | gateway, browserd |
//! | `status=CODE[:calls]` | answers CODE with the error envelope, without doing the work | gateway, browserd |
//! | `html[=calls]` | 200 with HTML where JSON is due | gateway, browserd |
//! | `half[=calls]` | half a body, then the connection is cut | gateway, browserd |
//! | `slow=MS[:calls]` | answers MS later; without `calls`: every call | gateway, browserd |
//! | `lose_answer[=calls]` | does the work of a non-GET call, then cuts the connection without an answer | gateway |
//! | `stranger` | whenever a node asks to be paired, somebody else does too | gateway |
//! | `lose_sessions` | forgets every console session, as a restart does | gateway |
//! | `expire_sign_ins` | every sign-in that is still open has run out of time | gateway |
//! | `decide_elsewhere[=allow\|deny[:ID]]` | somebody else decides ID, or the oldest pending approval (allow) | gateway |

mod browserd;
mod conn;
mod fault_layer;
mod faults;
mod gateway;
mod grandchild;
mod ids;
mod node_host;
mod process;

use std::process::ExitCode;

/// Version that every demo sidecar reports.
pub const VERSION: &str = "0.1.0-demo";
/// Git hash that every demo sidecar reports.
pub const GIT_HASH: &str = "demo";

/// Runs a demo sidecar until it ends. `args` are the words after `demo-sidecar`: the role (`gateway`, `browserd`,
/// `node-host`), then the real sidecar's own arguments. Usage errors give 2, refused starts 1, both with a text on stderr.
pub fn sidecar(args: &[String]) -> ExitCode {
    match args.split_first() {
        Some((role, rest)) if role == "gateway" => gateway::run(rest),
        Some((role, rest)) if role == "browserd" => browserd::run(rest),
        Some((role, rest)) if role == "node-host" => node_host::run(rest),
        Some((role, rest)) if role == grandchild::ROLE => grandchild::run(rest),
        _ => process::refuse(2, "demo-sidecar needs a role: gateway, browserd or node-host"),
    }
}
