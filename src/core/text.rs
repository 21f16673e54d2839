//! The words a person reads, in one place and one voice: plain, short, what happened and what to do.

use crate::core::agent::Agent;
use crate::core::cause::Class;
use crate::core::companion::Imported;
use crate::core::event::{Companion, Secrets, Trouble};
use crate::core::node::{self, Known};
use crate::core::notices::cut;
use crate::core::service::{Goal, LastExit, Phase, Service, StopReason};
use crate::core::time::Now;
use crate::core::view::Base;
use crate::protocol::ServiceId;
use crate::protocol::companion::Flag;
use crate::protocol::node::NodeTask;
use crate::protocol::shim::LogLoss;

/// Hint.
pub const SEE_LOGS: &str = "See the newest lines: palyra-tray logs";
/// Hint.
pub const SEE_STATUS: &str = "See: palyra-tray status";
/// Hint.
pub const TRY_WHEN_READY: &str = "Try again when the gateway is ready: palyra-tray status";
/// Hint.
pub const UNLOCK_KEYRING: &str = "Unlock the keyring (sign in to the desktop), and Palyra starts by itself.";
/// Title.
pub const NOT_DECIDED: &str = "Not decided as you chose";
/// Title and body.
pub const HANDOFF_TWICE: (&str, &str) = (
    "Somebody else asked for your dashboard",
    "The one-time address that signs you in was used twice. If that was not you, restart Palyra: it ends all sessions.",
);
/// Title and body.
pub const TEST_NOTIFICATION: (&str, &str) =
    ("Notifications work", "When an agent needs your permission, Palyra asks you like this.");
/// Reply.
pub const PAUSED: &str =
    "All agents are paused: what runs is aborted, and what they ask for is denied until you resume them.";
/// Refusal.
pub const LOCKED: &str = "nothing was decided: the screen is locked";
/// Reply.
pub const RESUMED: &str = "Agents may work again.";
/// Reply.
pub const QUIT_STOP: &str = "Stopping Palyra.";
/// Reply.
pub const QUIT_KEEP: &str = "The tray ends; Palyra keeps running.";
/// Why the config cannot be used.
pub const CONFIG_GONE: &str = "the config file is gone; put it back";
/// Why a sidecar is restarted.
pub const CONFIG_TOUCHED: &str = "a restart was asked for by writing the config anew";
/// Why a sidecar should be restarted.
pub const CONFIG_OUTDATED: &str = "the config was changed after it started";
/// Why the browser service is not started. `why`: what came of asking for its key.
pub fn browser_key_unreadable(reference: &str, why: &str) -> String {
    let store = match reference.split_once('/') {
        Some((scope, name)) => {
            format!(
                "put it there (palyra secrets configure browser-state-key {scope} {name} --value-stdin) or correct the config"
            )
        }
        None => "correct the config".to_owned(),
    };
    format!(
        "the key of its saved state is to be in Palyra's vault as {reference} \
         (tool_call.browser_service.state_key_vault_ref), and it cannot be had: {why}; {store}"
    )
}

/// A menu entry.
pub const WRITE_PORTS: &str = "Write these ports to the config";
/// A tick in the menu.
pub const CONFIG_RESTARTS: &str = "Restart when the config changes";
/// The switch of usage events in the menu.
pub const TELEMETRY: &str = "Note in Palyra's journal how the tray is used";
/// Title of a notification.
pub const CONFIG_INVALID: &str = "Palyra's config cannot be used";

/// Refusal.
pub const DEMO_AT_LOGIN: &str = "a demo does not start at login: its state goes away with it";

/// Reply.
pub const DIAGNOSTICS_COPIED: &str = "They are in the clipboard, without secrets: paste them where you ask for help.";

/// Reply, where no clipboard can be reached.
pub fn diagnostics_in(file: &str) -> String {
    format!("No program for the clipboard was found (wl-copy, xclip or xsel), so they are in {file}")
}

/// Our folder is gone and the services have not been started since.
pub fn removed(folder: &str) -> String {
    format!(
        "{folder} was removed while Palyra ran: what was in it is gone, and what the services write now may be lost. \
         To begin anew: palyra-tray restart"
    )
}

/// Lines that a log lacks.
pub fn log_loss(id: ServiceId, loss: &LogLoss) -> String {
    let (name, lines) = (service(id).to_lowercase(), loss.dropped_lines);
    let are = if lines == 1 { "1 line is".to_owned() } else { format!("{lines} lines are") };
    if loss.why.is_empty() {
        format!("{are} missing in the log of the {name}, which could not be written for a while")
    } else {
        format!("the log of the {name} cannot be written ({}); {are} lost so far. See: palyra-tray doctor", loss.why)
    }
}

/// What a person calls it.
pub const fn service(id: ServiceId) -> &'static str {
    match id {
        ServiceId::Gateway => "Gateway",
        ServiceId::Browserd => "Browser",
        ServiceId::NodeHost => "Node host",
    }
}

/// Its state in a word or three.
pub fn state(service: &Service, now: Now) -> String {
    match &service.phase {
        Phase::Unknown => "looking".to_owned(),
        Phase::Stopped if service.goal == Goal::Up => "waiting to start".to_owned(),
        Phase::Stopped => "stopped".to_owned(),
        Phase::Starting { .. } => "starting".to_owned(),
        Phase::Ready { .. } => "ready".to_owned(),
        Phase::Unhealthy { misses, .. } => format!("not answering ({misses})"),
        Phase::Stopping { why: StopReason::Restart } => "restarting".to_owned(),
        Phase::Stopping { .. } => "stopping".to_owned(),
        Phase::BackingOff { until } => {
            let seconds = until.saturating_sub(now.mono_ms).div_ceil(1_000);
            if service.attempts == 0 {
                return format!("{}; tried again in {seconds} s", service.trouble);
            }
            format!("restarts in {seconds} s, attempt {}", service.attempts)
        }
        Phase::GivenUp => "given up".to_owned(),
    }
}

/// How the node host stands, in a few words.
pub fn node_host(agent: &Agent, now: Now) -> String {
    let host = agent.fleet.get(ServiceId::NodeHost);
    match (agent.node.under_way(), agent.node.needs_repair(now), &agent.node.known) {
        (Some((_, step)), ..) => node::step_words(step).to_owned(),
        (None, Some(need), _) if host.run.is_some() => format!("{}; {}", state(host, now), need.words()),
        (None, Some(need), _) => format!("needs repair: {}", need.words()),
        (None, None, Known::Absent) => "not enrolled".to_owned(),
        (None, None, _) => state(host, now),
    }
}

/// The first line of menu and tooltip: the state in words.
pub fn status_line(agent: &Agent, base: Base, now: Now) -> String {
    let line = condition(agent, base, now);
    if agent.paused { format!("All agents are paused. {line}") } else { line }
}

fn condition(agent: &Agent, base: Base, now: Now) -> String {
    let gateway = agent.fleet.get(ServiceId::Gateway);
    if agent.quitting.is_some() {
        return "Stopping Palyra".to_owned();
    }
    if let Some(remote) = &agent.remote {
        return remote.line(true, now);
    }
    if gateway.goal == Goal::Up
        && (gateway.phase == Phase::Stopped || gateway.is_held())
        && let Secrets::Waiting(why) | Secrets::Failed(why) = &agent.secrets
    {
        return capitalise(why);
    }
    match base {
        Base::Healthy => match &agent.gateway {
            Some((facts, at)) => {
                let seconds = facts.uptime_seconds + now.mono_ms.saturating_sub(at.mono_ms) / 1_000;
                format!("Healthy: palyrad {}, up {}", facts.version, duration(seconds))
            }
            None => "Healthy".to_owned(),
        },
        Base::Stopped if agent.fleet.iter().any(|one| one.run.is_some()) => "Stopping".to_owned(),
        Base::Stopped if agent.setup.first_run && !agent.reached.complete => "Not set up yet".to_owned(),
        Base::Stopped => "Stopped".to_owned(),
        Base::Starting => {
            let slow = agent.fleet.iter().find(|one| one.goal == Goal::Up && !one.is_ready()).unwrap_or(gateway);
            format!("{}: {}", service(slow.id), state(slow, now))
        }
        Base::Degraded => degraded(agent, now),
        Base::Down | Base::Fatal if gateway.phase == Phase::GivenUp => gave_up(gateway),
        Base::Down | Base::Fatal => format!("{}: {}", service(ServiceId::Gateway), state(gateway, now)),
    }
}

fn degraded(agent: &Agent, now: Now) -> String {
    let host = agent.fleet.get(ServiceId::NodeHost);
    if host.goal == Goal::Up && host.run.is_none() && agent.node.needs_repair(now).is_some() {
        return format!("Node host {}", node_host(agent, now));
    }
    if let Some(sick) = agent.fleet.iter().find(|service| {
        service.goal == Goal::Up && !matches!(service.phase, Phase::Ready { .. } | Phase::Starting { .. })
    }) {
        return format!("{}: {}", service(sick.id), state(sick, now));
    }
    if agent.inbox.trouble.is_empty() && agent.inbox.unreadable == 0 {
        "The config cannot be used; Palyra goes on with what it has read".to_owned()
    } else if agent.inbox.trouble.is_empty() {
        format!("{} approvals cannot be read; look at them in the dashboard", agent.inbox.unreadable)
    } else {
        format!("Approvals cannot be read: {}", agent.inbox.trouble)
    }
}

/// Why it is not tried again, in one line.
pub fn gave_up(sidecar: &Service) -> String {
    let name = service(sidecar.id);
    let exit = sidecar.last_exit.as_ref().filter(|_| !sidecar.occupied);
    let Some(exit) = exit else { return format!("{name} cannot start: {}", sidecar.trouble) };
    let cause = &exit.cause;
    let what = if cause.hopeless {
        format!("{name} {}", cause.what)
    } else {
        format!("{name} does not stay up: it {}", cause.what)
    };
    match &cause.said {
        Some(said) => format!("{what}; it last said: {said}"),
        None => what,
    }
}

/// Title of the notification about it.
pub fn given_up_title(sidecar: &Service) -> String {
    let hopeless = sidecar.occupied || sidecar.last_exit.as_ref().is_none_or(|exit| exit.cause.hopeless);
    format!("{} {}", service(sidecar.id), if hopeless { "cannot start" } else { "does not stay up" })
}

/// Its body: why, what it said, what has changed, what comes next, what to do.
pub fn given_up_notice(sidecar: &Service) -> String {
    let exit = sidecar.last_exit.as_ref().filter(|_| !sidecar.occupied);
    let Some(exit) = exit else { return sentence(&sidecar.trouble) };
    let mut lines = why(exit);
    lines.push(next(sidecar, Now::default()).map(|next| sentence(&next)).unwrap_or_default());
    lines.push(exit.cause.class.remedy().to_owned());
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// Why it ended, what it said last, and what has changed since its last good start: a sentence each.
pub fn why(exit: &LastExit) -> Vec<String> {
    let mut lines = vec![sentence(&format!("it {}", exit.cause.what))];
    lines.extend(exit.cause.said.as_ref().map(|said| format!("It last said: {said}")));
    lines.extend(changed(exit));
    lines
}

/// What has changed since its last good start; absent when that cannot be told, and when it matters to nobody.
pub fn changed(exit: &LastExit) -> Option<String> {
    let words = exit.changes.as_ref().filter(|_| exit.cause.class != Class::Asked)?.in_words();
    Some(if words.is_empty() {
        "Since its last good start neither program, config nor environment changed.".to_owned()
    } else {
        format!("Changed since its last good start: {}.", words.join("; "))
    })
}

/// When it is started again, after an end that nobody asked for.
pub fn next(sidecar: &Service, now: Now) -> Option<String> {
    match sidecar.phase {
        Phase::BackingOff { until } => {
            let seconds = until.saturating_sub(now.mono_ms).div_ceil(1_000);
            Some(match sidecar.attempts {
                0 => format!("tried again in {seconds} s, and so on"),
                attempt => format!("starts again in {seconds} s, attempt {attempt}"),
            })
        }
        Phase::GivenUp if sidecar.last_exit.as_ref().is_none_or(|exit| exit.cause.hopeless) => {
            Some("it is not started again by itself, for that would end the same way".to_owned())
        }
        Phase::GivenUp => Some(format!(
            "it failed {} times without a good minute between, so it is not started again by itself",
            sidecar.attempts
        )),
        _ => None,
    }
}

/// Body of the notification that a sidecar is down: why, and that it is not forgotten.
pub fn down(sidecar: &Service) -> String {
    let mut lines = match (&sidecar.last_exit, &sidecar.run) {
        (Some(exit), run) if run.is_none() || sidecar.trouble.is_empty() => why(exit),
        _ => vec![sentence(&sidecar.trouble)],
    };
    lines.push("Palyra goes on trying.".to_owned());
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// What became of a start or stop.
pub fn reached(goal: Goal, services: &[ServiceId]) -> String {
    let names: Vec<_> = services.iter().map(|id| service(*id)).collect();
    match goal {
        Goal::Up => format!("Ready: {}.", names.join(", ")),
        Goal::Down => format!("Stopped: {}.", names.join(", ")),
    }
}

/// What cannot be stopped, and why; absent: all of these can.
pub fn goes_on<'a>(services: impl IntoIterator<Item = &'a Service>) -> Option<String> {
    let occupied = services.into_iter().filter(|one| one.occupied);
    let words: Vec<_> =
        occupied.map(|one| format!("{} may go on: {}", service(one.id).to_lowercase(), one.trouble)).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// A start or stop that is not over in time.
pub fn took_too_long(goal: Goal, services: &[&Service]) -> String {
    let late = services.iter().filter(|one| match goal {
        Goal::Up => !one.is_ready(),
        Goal::Down => one.is_up(),
    });
    let words: Vec<_> = late
        .map(|one| {
            let why = if one.trouble.is_empty() { "no reason is known" } else { &one.trouble };
            format!("{}: {why}", service(one.id))
        })
        .collect();
    format!("not there yet: {}", words.join("; "))
}

/// Why the dashboard or the inbox cannot be reached.
pub fn gateway_not_ready(agent: &Agent) -> String {
    if agent.remote.is_some() {
        return crate::words::remote::NOT_HERE.to_owned();
    }
    let gateway = agent.fleet.get(ServiceId::Gateway);
    match (&gateway.phase, gateway.goal) {
        (Phase::GivenUp, _) => gave_up(gateway),
        (_, Goal::Down) => "Palyra is stopped".to_owned(),
        (Phase::Stopped, Goal::Up) => match &agent.secrets {
            Secrets::Waiting(why) | Secrets::Failed(why) => why.clone(),
            _ => "the gateway is about to start".to_owned(),
        },
        _ if gateway.trouble.is_empty() => "the gateway is not ready yet".to_owned(),
        _ => format!("the gateway is not ready: {}", gateway.trouble),
    }
}

/// What a second start says, and a first one that shows no icon.
pub fn activated(agent: &Agent, now: Now) -> String {
    let base = crate::core::health::base(agent);
    let line = sentence(&status_line(agent, base, now));
    if agent.desktop.tray_present {
        format!("{line} Its icon is in the tray.")
    } else {
        format!("{line} There is no icon: {}. In a terminal, palyra-tray status says more.", agent.desktop.tray)
    }
}

const fn node_in_a_terminal(task: NodeTask) -> &'static str {
    match task {
        NodeTask::Enrol => "In a terminal it is: palyra-tray node enroll",
        NodeTask::Repair => "In a terminal it is: palyra-tray node repair",
        NodeTask::Reset => "In a terminal it is: palyra-tray node reset",
    }
}

/// A window of ours that did not open, or went away: title; why, and what to do.
pub fn companion_failed(companion: &Companion, trouble: &Trouble) -> (&'static str, String) {
    let (title, why, hint) = match (companion, trouble) {
        (Companion::SetUp, Trouble::NotOpened(why)) => {
            ("The set-up could not be opened", why, "In a terminal it is: palyra-tray setup")
        }
        (Companion::SetUp, Trouble::EndedEarly(why)) => {
            let hint = "What you have done is kept: Continue set-up in the menu goes on with it.";
            ("The set-up ended early", why, hint)
        }
        (Companion::Checks, Trouble::NotOpened(why)) => {
            ("The checks could not be opened", why, "In a terminal they are: palyra-tray doctor")
        }
        (Companion::Checks, Trouble::EndedEarly(why)) => {
            ("The checks ended early", why, "Run checks in the menu opens them again.")
        }
        (Companion::Bundle, Trouble::NotOpened(why) | Trouble::EndedEarly(why)) => {
            ("There is no support bundle", why, "In a terminal it is: palyra-tray support-bundle")
        }
        (Companion::About, Trouble::NotOpened(why) | Trouble::EndedEarly(why)) => {
            ("About could not be shown", why, "In a terminal it is: palyra-tray about")
        }
        (Companion::Profile, Trouble::NotOpened(why)) => {
            ("The profiles could not be shown", why, "In a terminal they are: palyra-tray profile list")
        }
        (Companion::Profile, Trouble::EndedEarly(why)) => {
            ("The choice of a profile ended early", why, "Which one is active: palyra-tray profile show")
        }
        (Companion::Node(task), Trouble::NotOpened(why)) => {
            ("The dialog could not be opened", why, node_in_a_terminal(*task))
        }
        (Companion::Node(_), Trouble::EndedEarly(why)) => {
            let hint = "What became of it: palyra-tray node status";
            ("The dialog ended early", why, hint)
        }
        (Companion::Ask(_), Trouble::NotOpened(why)) => {
            ("The message could not be written", why, "In a terminal it is: palyra-tray send")
        }
        (Companion::Ask(_), Trouble::EndedEarly(why)) => {
            ("The dialog ended early", why, "What you wrote was not sent unless you had pressed Send.")
        }
        (Companion::Draft(_), Trouble::NotOpened(why)) => {
            ("The draft could not be shown", why, "In a terminal it is: palyra-tray drafts list")
        }
        (Companion::Draft(_), Trouble::EndedEarly(why)) => {
            ("The dialog ended early", why, "The draft is kept unless you had decided about it.")
        }
        (Companion::Review(_), Trouble::NotOpened(why)) => {
            let hint = "Nothing was decided. In a terminal it is: palyra-tray approvals review";
            ("The approval could not be shown", why, hint)
        }
        (Companion::Review(_), Trouble::EndedEarly(why)) => {
            ("The review ended early", why, "What you had not decided by then still waits.")
        }
    };
    (title, format!("{} {hint}", sentence(why)))
}

/// Why a sidecar is restarted, with the first key that differs.
pub fn config_changed(keys: &[&str]) -> String {
    let first = keys.first().copied().unwrap_or_default();
    // a key is a word of the config's own; what is not one was written by somebody who meant something else
    let plain = first.len() <= 60 && first.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    match (plain, keys.len()) {
        (false, _) => "the config changed".to_owned(),
        (true, 1) => format!("the config changed ({first})"),
        (true, n) => format!("the config changed ({first} and {} more)", n - 1),
    }
}

/// What the menu offers while somebody runs with an older config.
pub fn use_config(ids: &[ServiceId]) -> String {
    let names: Vec<_> = ids.iter().map(|id| service(*id)).collect();
    format!("Restart {} to use the changed config", names.join(" and "))
}

/// "2 h", "5 min", "12 s".
pub fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A text in lines of at most `width` characters, broken between words; what does not fit into `lines` is cut.
pub fn wrap(text: &str, width: usize, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let full = wrapped.len() == lines;
        match wrapped.last_mut() {
            Some(line) if full || line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => wrapped.push(word.to_owned()),
        }
    }
    wrapped.iter().map(|line| cut(line, width)).collect()
}

/// What the flag of that name does.
pub const NOTIFICATIONS_OFF: &str =
    "notifications are switched off (desktop_notifications_enabled): look at the icon and its menu";

/// What was taken over from the earlier desktop app, and what not.
pub fn taken_over(report: &Imported) -> String {
    let part = |intro: &str, what: &[String]| match what {
        [] => String::new(),
        what => format!("{intro}: {}. ", what.join("; ")),
    };
    let words = part("Taken over", &report.taken) + &part("Not taken over", &report.left);
    format!("{words}Its own files were not changed. All of it: palyra-tray status --json")
}

/// What comes of setting a rollout flag.
pub const fn flag_set(flag: Flag) -> &'static str {
    if flag.switches().is_some() { "Set." } else { "Kept. Palyra Tray has nothing that it switches." }
}

/// First letter upper-case.
pub fn capitalise(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Upper-case first letter and a full stop.
pub fn sentence(text: &str) -> String {
    let text = capitalise(text.trim());
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}
