//! `status`, the report, and what the snapshot warns of.

use std::fmt::Display;

pub const AGENT_ANSWERS_SOMETHING_ELSE: &str = "the agent answers something else";

pub fn no_agent_since(utc: impl Display, why: impl Display) -> String {
    format!("No agent since {utc}: {why}.")
}

pub const WAITING_FOR_ONE_RUN: &str = "Waiting for one (palyra-tray run). What the last one said:";

pub fn ctrl_c_ends(utc: impl Display) -> String {
    format!("{utc}. Ctrl-C ends.")
}

pub const WINDOW_IS_TOO_SMALL_FOR_REST: &str = "… (the window is too small for the rest)";

pub fn no_agent(why: impl Display) -> String {
    format!("no agent: {why}")
}

pub const NODE_HOST: &str = "node host";

pub fn active_runs(runs: impl Display) -> String {
    format!("active runs {runs}")
}

pub const IN_TERMINAL: &str = "In a terminal it is: palyra-tray about";

pub fn palyra_tray_2(env: impl Display, commit: impl Display, rows: impl Display) -> String {
    format!("Palyra Tray {env}{commit}\n{rows}")
}

pub const ABOUT_PALYRA_TRAY: &str = "About Palyra Tray";
pub const IT_KEEPS_PALYRA_RUNNING_AND_BRINGS: &str = "It keeps Palyra running and brings its approvals to you.";
pub const GATEWAYS_DIAGNOSTICS_ARE_NOT_UNDERSTOOD: &str = "the gateway's diagnostics are not understood";
pub const PROVIDER_SIGN_INS_FAILED: &str = "provider sign-ins failed";
pub const DASHBOARD_REQUESTS_FAILED: &str = "dashboard requests failed";
pub const CONNECTOR_QUEUE: &str = "connector queue";
pub const CONNECTOR_DEAD_LETTERS: &str = "connector dead letters";
pub const DEGRADED_CONNECTORS: &str = "degraded connectors";
pub const BROWSER_ACTIONS_FAILED: &str = "browser actions failed";
pub const FAILURES_OF_CONFIG: &str = "failures of the config";
pub const FAILURES_OF_PROVIDER: &str = "failures of a provider";
pub const FAILURES_OF_PALYRA: &str = "failures of Palyra";
pub const PALYRA_DIAGNOSTICS: &str = "Palyra diagnostics\n";
pub const DEMO_NOTHING_HERE_IS_REAL: &str = "DEMO: nothing here is real";

pub fn palyrad(word: impl Display, word_2: impl Display, word_3: impl Display) -> String {
    format!("palyra-tray {word}, palyrad {word_2} ({word_3})")
}

pub fn approvals_wait_heard(
    word: impl Display,
    word_2: impl Display,
    count: impl Display,
    word_3: impl Display,
) -> String {
    format!("approvals: {word} wait, heard of by {word_2}; active runs: {count}; sessions: {word_3}")
}

pub fn browser_discord_node_host(
    word: impl Display,
    word_2: impl Display,
    word_3: impl Display,
    word_4: impl Display,
) -> String {
    format!("browser: {word}; discord: {word_2}; node host: {word_3}; profile: {word_4}")
}

pub fn tray_notifications_keyring(
    word: impl Display,
    word_2: impl Display,
    word_3: impl Display,
    snapshot: impl Display,
    word_4: impl Display,
) -> String {
    format!("tray: {word}; notifications: {word_2}; keyring: {word_3} {snapshot}; config: {word_4}")
}

pub fn gateways_diagnostics(age: impl Display) -> String {
    format!("gateway's diagnostics: {age}")
}

pub fn not_told_yet(why: impl Display) -> String {
    format!("not told yet{why}")
}

pub fn wanted_pid_up(
    block: impl Display,
    block_2: impl Display,
    block_3: impl Display,
    number: impl Display,
    block_4: impl Display,
    number_2: impl Display,
    block_5: impl Display,
) -> String {
    format!("{block}: {block_2}, wanted {block_3}, pid {number}, up {block_4}, attempts {number_2}, ports {block_5}")
}

pub fn last_time(what: impl Display, end: impl Display) -> String {
    format!("  last time it {what} ({end})")
}

pub const PROGRAM: &str = "Program";
pub const DATA: &str = "Data";
pub const RUNTIME: &str = "Runtime";
pub const SETTINGS: &str = "Settings";
pub const LICENCE: &str = "Licence";
pub const HOME: &str = "Home";

pub fn gateway(state: impl Display) -> String {
    format!("gateway {state}")
}

pub fn approvals(waiting: impl Display) -> String {
    format!("approvals {waiting}")
}

pub fn warnings(warnings: impl Display) -> String {
    format!("warnings {warnings}")
}

pub fn ago(ago: impl Display, why: impl Display) -> String {
    format!("{ago} ago{why}")
}
