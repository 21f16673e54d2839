//! The snapshot: one consistent view of everything as JSON, for `status --json`, scripts and support.
//!
//! Field names that the earlier desktop app had are kept. Nothing in it is waited for: what the gateway told when it was asked
//! stands there with its age (`as_of_unix_ms`), or not at all yet.

mod told;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::remote::Pin;
use crate::core::agent::Agent;
use crate::core::cause::Class;
use crate::core::companion::Flag;
use crate::core::describe::{Description, describe};
use crate::core::event::Secrets;
use crate::core::fingerprint::Changes;
use crate::core::inbox::{Inbox, Pending, Watch};
use crate::core::node::Known;
use crate::core::record::Record;
use crate::core::remote::Remote;
use crate::core::service::{Goal, LastExit, Phase};
use crate::core::time::Now;
use crate::core::{companion, health, text};
use crate::protocol::{self, ServiceId};
use crate::words;

/// Everything.
pub fn snapshot(agent: &Agent, now: Now) -> Value {
    let base = health::base(agent);
    let facts = agent.gateway.as_ref().or_else(|| agent.remote.as_ref()?.answer());
    json!({
        "generated_at_unix_ms": now.unix_ms,
        "demo": agent.setup.demo,
        "overall_status": health::overall(base),
        "state": health::name(base),
        "status_line": text::status_line(agent, base, now),
        "agent": {
            "version": agent.setup.version,
            "protocol": protocol::VERSION,
            "pid": agent.setup.pid,
            "started_at_unix_ms": agent.started.unix_ms,
        },
        "quick_facts": {
            "dashboard_url": match &agent.remote {
                Some(remote) => remote.target().map(|target| target.base_url.clone()),
                None => agent.dashboard_port().map(|port| format!("http://127.0.0.1:{port}/#/control/overview")),
            },
            "dashboard_access_mode": if agent.remote.is_some() { "remote" } else { "local" },
            "dashboard_remote_trust_state": match &agent.remote {
                None => "local",
                Some(remote) => remote.trust_state(),
            },
            "dashboard_remote_verification_mode":
                agent.remote.as_ref().and_then(Remote::pin).map(Pin::name),
            "gateway_version": facts.map(|(facts, _)| facts.version.clone()),
            "gateway_git_hash": facts.map(|(facts, _)| facts.git_hash.clone()),
            "gateway_uptime_seconds": facts.map(|(facts, at)| facts.uptime_seconds + now.mono_ms.saturating_sub(at.mono_ms) / 1_000),
            "discord": agent.survey.discord.value,
            "browser_service": browser(agent, now),
            "node_host": node(agent, now),
        },
        "gateway_process": process(agent, ServiceId::Gateway, now),
        "browserd_process": process(agent, ServiceId::Browserd, now),
        "node_host_process": node_process(agent, now),
        "approvals": {
            "known": agent.inbox.is_current(),
            "pending": agent.inbox.waiting(),
            "critical": agent.inbox.has_critical(),
            "unreadable": agent.inbox.unreadable,
            "as_of_unix_ms": agent.inbox.as_of.map(|at| at.unix_ms),
            "heard_of_by": match agent.inbox.watch { Watch::Doorbell => "journal", Watch::Polling => "polling" },
        },
        "active_runs": told::active_runs(agent),
        "run_news": told::run_news(agent),
        "session_catalog": told::catalog(agent),
        "session_summary": told::summary(agent),
        "diagnostics": told::diagnostics(agent),
        "as_of_unix_ms": told::ages(agent),
        "not_told": told::troubles(agent),
        "paused": agent.paused,
        "screen_locked": agent.locked,
        "connection_state": agent.connection().name(),
        "companion": companion_block(agent),
        "messages": agent.asks_json(),
        "profile": agent.profile_block(),
        "remote": agent.remote.as_ref().map(|remote| remote.block(now)),
        "tray": { "present": agent.desktop.tray_present, "detail": agent.desktop.tray },
        "notifications": agent.desktop.notifications.as_ref().map(|server| json!({
            "server": server.name, "actions": server.actions, "withdraws": server.withdraws,
        })),
        "start_on_login": agent.autostart,
        "secrets": match &agent.secrets {
            Secrets::Unknown => json!({ "state": "asked_for" }),
            Secrets::Ready { place, .. } => json!({ "state": "ready", "place": place }),
            Secrets::Waiting(why) => json!({ "state": "waiting", "why": why }),
            Secrets::Failed(why) => json!({ "state": "failed", "why": why }),
        },
        "config": {
            "state": match (agent.config.trouble.is_empty(), agent.config.is_known()) {
                (false, _) => "unusable",
                (true, true) => "read",
                (true, false) => "not_read",
            },
            "why": agent.config.trouble,
            "blind": agent.config.blind,
            "restarts": agent.config_restarts(),
            "manual": agent.setup.config_manual,
            "unwritten_ports": ServiceId::ALL.iter().filter(|id| agent.unwritten_ports(**id).is_some())
                .map(|id| id.name()).collect::<Vec<_>>(),
            "waiting": reasons(&agent.config.due),
            "outdated": reasons(&agent.config.left),
        },
        "onboarding": {
            "step": agent.reached.step,
            "done": agent.reached.done,
            "total": agent.reached.total,
            "complete": agent.reached.complete,
        },
        "warnings": warnings(agent),
    })
}

/// The snapshot without what changes by itself, a clock or an age: two that are equal here look alike to a person.
pub fn steady(snapshot: &Value) -> Value {
    /// Of these a person sees how long ago it is.
    const RUNNING: [&str; 7] = [
        "generated_at_unix_ms",
        "uptime_seconds",
        "gateway_uptime_seconds",
        "as_of_unix_ms",
        "next_look_at_unix_ms",
        // holds "up 2 h" and "in 8 s"; whatever else it says stands elsewhere too
        "status_line",
        "next_start",
    ];
    match snapshot {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !RUNNING.contains(&key.as_str()));
            kept.map(|(key, value)| (key.clone(), steady(value))).collect::<serde_json::Map<_, _>>().into()
        }
        Value::Array(values) => values.iter().map(steady).collect(),
        other => other.clone(),
    }
}

/// How the node host stands, also for `node status --json`.
pub fn node(agent: &Agent, now: Now) -> Value {
    let host = agent.fleet.get(ServiceId::NodeHost);
    let enrolled = match &agent.node.known {
        Known::Enrolled(enrolled) => Some(enrolled),
        _ => None,
    };
    json!({
        "installed": agent.setup.node_host,
        "running": host.run.is_some(),
        "ready": host.is_ready(),
        "state": text::node_host(agent, now),
        "enrolment_allowed": agent.node.allowed,
        "under_way": agent.node.under_way().map(|(task, _)| task.word()),
        "pairing_window_open": agent.node.window().is_some(),
        "device_id": enrolled.map(|enrolled| enrolled.device_id.clone()),
        "certificate_expires_at_unix_ms": enrolled.and_then(|enrolled| enrolled.expires_at_unix_ms),
        "needs_repair": agent.node.needs_repair(now).map(|need| need.words()),
        "as_of_unix_ms": now.unix_ms,
        "not_known": match &agent.node.known {
            Known::Untold(why) => Some(why.clone()),
            _ => None,
        },
    })
}

/// One that needs repair is not tried again until somebody does it.
fn node_process(agent: &Agent, now: Now) -> Value {
    let host = agent.fleet.get(ServiceId::NodeHost);
    let mut block = process(agent, ServiceId::NodeHost, now);
    if let Some(need) = agent.node.needs_repair(now).filter(|_| host.run.is_none()) {
        block["state"] = json!("given_up");
        block["liveness"] = json!("stopped");
        block["trouble"] = json!(words::status::it_needs_repair(need.words()));
    }
    block
}

/// The inbox with digests, for `approvals list --json`.
pub fn inbox(inbox: &Inbox, now: Now) -> Value {
    let rows: Vec<_> = inbox.by_urgency().into_iter().map(pending).collect();
    json!({
        "approvals": rows,
        "as_of_unix_ms": inbox.as_of.map_or(now.unix_ms, |at| at.unix_ms),
        "unreadable": inbox.unreadable,
    })
}

/// As [`inbox`], where there are too many to have them at hand: from what was read just now.
pub fn waiting(inbox: &Inbox, records: Vec<Record>, now: Now) -> Value {
    let mut value = self::records(&inbox.sort_out(records, now), now);
    value["unreadable"] = json!(inbox.unreadable);
    value
}

/// All records, decided ones too.
pub fn records(records: &[Record], now: Now) -> Value {
    let rows: Vec<_> = records.iter().map(|record| with_digest(record, &record.digest(), &describe(record))).collect();
    json!({ "approvals": rows, "as_of_unix_ms": now.unix_ms })
}

/// One record.
pub fn record(record: &Record, now: Now) -> Value {
    json!({ "approval": with_digest(record, &record.digest(), &describe(record)), "as_of_unix_ms": now.unix_ms })
}

fn pending(pending: &Pending) -> Value {
    with_digest(&pending.record, &pending.digest, &pending.words)
}

/// What [`record`] and the inbox add to a record of the gateway's.
pub const ADDED: [&str; 3] = ["digest", "expires_at_unix_ms", "in_words"];

/// The gateway's own record, plus what a person and a script need to decide about it.
fn with_digest(record: &Record, digest: &str, words: &Description) -> Value {
    let mut value = record.raw.clone();
    if let Value::Object(map) = &mut value {
        let in_words = json!({ "title": words.title, "what": words.what, "who": words.who, "whole": words.whole });
        let values = [json!(digest), json!(record.expires_at_unix_ms()), in_words];
        map.extend(ADDED.into_iter().map(str::to_owned).zip(values));
    }
    value
}

fn browser(agent: &Agent, now: Now) -> Value {
    let service = agent.fleet.get(ServiceId::Browserd);
    let started = service.run.as_ref().and_then(|run| run.record.as_ref()).map(|record| record.started_at_unix_ms);
    let healthy = !agent.setup.browser || service.is_ready();
    let status = match (agent.setup.browser, service.is_ready(), service.run.is_some()) {
        (false, _, _) => "disabled",
        (true, true, _) => "ok",
        (true, false, true) => "degraded",
        (true, false, false) => "down",
    };
    json!({
        "enabled": agent.setup.browser,
        "healthy": healthy,
        "status": status,
        "uptime_seconds": started.map(|at| now.unix_ms.saturating_sub(at).max(0) / 1_000),
        "last_error": service.last_exit.as_ref().filter(|_| !healthy).map(|exit| exit.cause.what.clone()),
    })
}

fn process(agent: &Agent, id: ServiceId, now: Now) -> Value {
    let service = agent.fleet.get(id);
    let loss = agent.log_losses.get(&id);
    let record = service.run.as_ref().and_then(|run| run.record.as_ref());
    let (state, until) = state(&service.phase, service.goal);
    json!({
        "service": service.id.name(),
        "desired_running": service.goal == Goal::Up,
        "running": service.run.is_some(),
        "liveness": if service.run.is_some() { "running" } else if service.goal == Goal::Up && service.phase != Phase::GivenUp { "restarting" } else { "stopped" },
        "state": state,
        "pid": record.map(|record| record.sidecar.pid),
        "shim_pid": record.map(|record| record.shim.pid),
        "program": record.map(|record| record.program.display().to_string()),
        "last_start_unix_ms": record.map(|record| record.started_at_unix_ms),
        "uptime_seconds": service.run.as_ref().filter(|run| run.record.is_some()).map(|run| run.age_ms(now) / 1_000),
        "trouble": if service.trouble.is_empty() { Value::Null } else { json!(service.trouble) },
        "last_exit": service.last_exit.as_ref().map(|exit| exit.cause.what.clone()),
        "last_exit_unix_ms": service.last_exit.as_ref().map(|exit| exit.at_unix_ms),
        "last_stderr": service.last_exit.as_ref().map(|exit| exit.stderr.clone()).unwrap_or_default(),
        "last_end": service.last_exit.as_ref().map(last_end),
        "restart_attempt": service.attempts,
        "next_start": text::next(service, now),
        "next_restart_unix_ms": until.map(|until| now.plus(until.saturating_sub(now.mono_ms)).unix_ms),
        "bound_ports": service.ports,
        "dropped_log_lines": loss.map_or(0, |loss| loss.dropped_lines),
        "log_trouble": loss.map(|loss| &loss.why).filter(|why| !why.is_empty()),
    })
}

/// Why it last ended: names and words only, nothing that a support bundle may not hold.
fn last_end(exit: &LastExit) -> Value {
    json!({
        "class": exit.cause.class.name(),
        "expected": exit.cause.class == Class::Asked,
        "what": exit.cause.what,
        "said": exit.cause.said,
        "hopeless": exit.cause.hopeless,
        "remedy": exit.cause.class.remedy(),
        "at_unix_ms": exit.at_unix_ms,
        "stderr": exit.stderr,
        "changed_since_good_start": exit.changes.as_ref().map(changes),
        "changed": text::changed(exit),
    })
}

fn changes(changes: &Changes) -> Value {
    let mut value = json!(changes);
    value["in_words"] = json!(changes.in_words());
    value
}

fn state(phase: &Phase, goal: Goal) -> (&'static str, Option<u64>) {
    match phase {
        Phase::Unknown => ("unknown", None),
        Phase::Stopped if goal == Goal::Up => ("starting", None),
        Phase::Stopped => ("stopped", None),
        Phase::Starting { .. } => ("starting", None),
        Phase::Ready { .. } => ("ready", None),
        Phase::Unhealthy { .. } => ("unhealthy", None),
        Phase::Stopping { .. } => ("stopping", None),
        Phase::BackingOff { until } => ("backing_off", Some(*until)),
        Phase::GivenUp => ("given_up", None),
    }
}

/// The words of drafts and notifications are a person's and a model's: those that are asked for are shown as they are.
fn companion_block(agent: &Agent) -> Value {
    let mut block = companion::block(&agent.companion);
    for part in ["notifications", "offline_drafts"] {
        agent.hide_in(&mut block[part]);
    }
    block
}

fn reasons(why: &BTreeMap<ServiceId, String>) -> Value {
    why.iter().map(|(id, why)| (id.name().to_owned(), json!(why))).collect::<serde_json::Map<_, _>>().into()
}

fn warnings(agent: &Agent) -> Vec<String> {
    let mut warnings = agent.setup.warnings.clone();
    if !agent.config.trouble.is_empty() {
        warnings.push(words::status::nothing_was_restarted(&agent.config.trouble));
    }
    if !agent.config.blind.is_empty() {
        warnings.push(words::status::changes_of_config_are_not_seen(&agent.config.blind));
    }
    for id in agent.config_left() {
        let why = &agent.config.left[&id];
        warnings.push(words::status::to_use(text::service(id), why, id));
    }
    if let Secrets::Ready { warning, .. } = &agent.secrets
        && !warning.is_empty()
    {
        warnings.push(warning.clone());
    }
    warnings.extend(agent.setup.settings_warnings.iter().cloned());
    warnings.extend(agent.removed.as_deref().map(text::removed));
    warnings.extend(Some(agent.companion.saving.trouble()).filter(|trouble| !trouble.is_empty()));
    if !agent.companion.allows(Flag::DesktopNotificationsEnabled) {
        warnings.push(words::notices::NOTIFICATIONS_OFF.to_owned());
    }
    warnings.extend(agent.log_losses.iter().map(|(id, loss)| text::log_loss(*id, loss)));
    if !agent.inbox.trouble.is_empty() {
        warnings.push(words::status::approvals_cannot_be_read(&agent.inbox.trouble));
    }
    if agent.inbox.unreadable > 0 {
        warnings.push(words::status::approvals_cannot_be_understood(agent.inbox.unreadable));
    }
    if !agent.desktop.tray_present {
        warnings.push(words::status::no_tray_shows_icon(&agent.desktop.tray));
    }
    match &agent.desktop.notifications {
        None => warnings.push(words::status::NO_NOTIFICATION_SERVER_APPROVALS.to_owned()),
        Some(server) if !server.actions => {
            warnings.push(words::status::notification_server_shows_no_buttons(&server.name));
        }
        Some(_) => {}
    }
    warnings
}
