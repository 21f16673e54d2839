//! `status`, the report, and what the snapshot warns of.

use std::fmt::Display;

pub const AGENT_ANSWERS_SOMETHING_ELSE: &str = "Palyra Tray answers something else";

pub fn no_agent_since(utc: impl Display, why: impl Display) -> String {
    format!("No Palyra Tray since {utc}: {why}.")
}

pub const WAITING_FOR_ONE_RUN: &str = "Waiting for one (palyra-tray run). What the last one said:";

pub fn ctrl_c_ends(utc: impl Display) -> String {
    format!("{utc}. Ctrl-C ends.")
}

pub const WINDOW_IS_TOO_SMALL_FOR_REST: &str = "… (the window is too small for the rest)";

pub fn no_agent(why: impl Display) -> String {
    format!("no Palyra Tray: {why}")
}

pub const NODE_HOST: &str = "node host";

pub fn active_runs(runs: impl Display) -> String {
    format!("active runs {runs}")
}

pub fn about(version: impl Display, commit: impl Display, rows: impl Display) -> String {
    format!("Palyra Tray {version}{commit}\n{rows}")
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
pub const DEMO: &str = "DEMO: nothing here is real";

pub fn report_versions(ours: impl Display, palyrad: impl Display, commit: impl Display) -> String {
    format!("palyra-tray {ours}, palyrad {palyrad} ({commit})")
}

pub fn report_approvals(
    waiting: impl Display,
    heard_by: impl Display,
    runs: impl Display,
    sessions: impl Display,
) -> String {
    format!("approvals: {waiting} wait, heard of by {heard_by}; active runs: {runs}; sessions: {sessions}")
}

pub fn report_rest(
    browser: impl Display,
    discord: impl Display,
    node_host: impl Display,
    profile: impl Display,
) -> String {
    format!("browser: {browser}; discord: {discord}; node host: {node_host}; profile: {profile}")
}

pub fn report_desktop(
    tray: impl Display,
    notifications: impl Display,
    keyring: impl Display,
    place: impl Display,
    config: impl Display,
) -> String {
    format!("tray: {tray}; notifications: {notifications}; keyring: {keyring} {place}; config: {config}")
}

pub fn gateways_diagnostics(age: impl Display) -> String {
    format!("gateway's diagnostics: {age}")
}

pub fn not_told_yet(why: impl Display) -> String {
    format!("not told yet{why}")
}

pub fn report_service(
    id: impl Display,
    state: impl Display,
    wanted: impl Display,
    pid: impl Display,
    uptime: impl Display,
    attempts: impl Display,
    ports: impl Display,
) -> String {
    format!("{id}: {state}, wanted {wanted}, pid {pid}, up {uptime}, attempts {attempts}, ports {ports}")
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

pub fn told_ago(ago: impl Display, why: impl Display) -> String {
    format!("{ago} ago{why}")
}

pub const DEMO_LINE: &str = "DEMO: nothing here is real\n";
pub const APPROVALS_NONE_WAIT: &str = "  Approvals  none wait\n";

pub fn approvals_wait(n: impl Display) -> String {
    format!("  Approvals  {n} wait: palyra-tray approvals list\n")
}

pub const APPROVALS_NOT_KNOWN: &str = "  Approvals  not known\n";

pub fn dashboard_signed(url: impl Display) -> String {
    format!("  Dashboard  {url} (signed in: palyra-tray open)\n")
}

pub fn tray(detail: impl Display) -> String {
    format!("  Tray       {detail}\n")
}

pub fn notices(server: impl Display) -> String {
    format!("  Notices    {server}\n")
}

pub const NO_NOTIFICATION_SERVER: &str = "no notification server";
pub const BEING_FETCHED: &str = "being fetched";

pub fn secrets(place: impl Display) -> String {
    format!("  Secrets    {place}\n")
}

pub fn discord(discord: impl Display) -> String {
    format!("  Discord    {discord}\n")
}

pub fn profile_risk(name: impl Display, risk: impl Display, strict: impl Display) -> String {
    format!("  Profile    {name}, risk {risk}{strict}\n")
}

pub fn troubles_told_by_gateway(troubles: impl Display, age: impl Display) -> String {
    format!("  Troubles   {troubles} told by the gateway {age}: palyra-tray status --diagnostics\n")
}

pub const RUNS: &str = "Runs";
pub const BEFORE: &str = "Before:";
pub const WHY: &str = "Why:";
pub const ENDED: &str = "ended";
pub const RUNS_NOT_KNOWN: &str = "  Runs       not known\n";

pub fn and_more(n: impl Display) -> String {
    format!("and {n} more")
}

pub fn last_one_failed_ago(ago: impl Display, failed: impl Display) -> String {
    format!("The last one failed {ago} ago: {failed}")
}

pub fn ended_ago(label: impl Display, ago: impl Display, how: impl Display) -> String {
    format!("{label} {ago} ago it {how}")
}

pub const ITS_NEWEST_LINES_OF_STANDARD_ERROR: &str = "Its newest lines of standard error:";

pub fn it_needs_repair(need: impl Display) -> String {
    format!("it needs repair: {need}")
}

pub fn nothing_was_restarted(trouble: impl Display) -> String {
    format!("{trouble}; nothing was restarted")
}

pub fn changes_of_config_are_not_seen(blind: impl Display) -> String {
    format!("changes of the config are not seen: {blind}")
}

pub fn to_use(name: impl Display, why: impl Display, id: impl Display) -> String {
    format!("{name}: {why}. To use it: palyra-tray restart {id}")
}

pub fn approvals_cannot_be_read(trouble: impl Display) -> String {
    format!("approvals cannot be read: {trouble}")
}

pub fn approvals_cannot_be_understood(unreadable: impl Display) -> String {
    format!("{unreadable} approvals cannot be understood; look at them in the dashboard")
}

pub fn no_tray_shows_icon(tray: impl Display) -> String {
    format!("no tray shows the icon: {tray}")
}

pub const NO_NOTIFICATION_SERVER_APPROVALS: &str =
    "no notification server: approvals show in the menu, the dashboard and palyra-tray approvals list";

pub fn notification_server_shows_no_buttons(name: impl Display) -> String {
    format!("the notification server {name} shows no buttons: decide in the dashboard or on the command line")
}

pub const DIAGNOSTICS_COPIED: &str = "They are in the clipboard, without secrets: paste them where you ask for help.";

pub fn no_program_for_clipboard(file: impl Display) -> String {
    format!("No program for the clipboard was found (wl-copy, xclip or xsel), so they are in {file}")
}
