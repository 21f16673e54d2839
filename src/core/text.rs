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
use crate::words;

/// Title and body.
pub const HANDOFF_TWICE: (&str, &str) =
    (words::alarms::SOMEBODY_ASKED_FOR_DASHBOARD, words::alarms::ONE_TIME_ADDRESS_USED_TWICE);
/// Title and body.
pub const TEST_NOTIFICATION: (&str, &str) = (words::notices::NOTIFICATIONS_WORK, words::notices::PALYRA_ASKS_LIKE_THIS);
/// Why the browser service is not started. `why`: what came of asking for its key.
pub fn browser_key_unreadable(reference: &str, why: &str) -> String {
    let store = match reference.split_once('/') {
        Some((scope, name)) => words::secrets::put_it_there(scope, name),
        None => words::secrets::CORRECT_CONFIG.to_owned(),
    };
    words::secrets::key_cannot_be_had(reference, why, &store)
}

/// Reply, where no clipboard can be reached.
pub fn diagnostics_in(file: &str) -> String {
    words::status::no_program_for_clipboard(file)
}

/// Our folder is gone and the services have not been started since.
pub fn removed(folder: &str) -> String {
    words::alarms::was_removed_while_palyra_ran(folder)
}

/// Lines that a log lacks.
pub fn log_loss(id: ServiceId, loss: &LogLoss) -> String {
    let (name, lines) = (service(id).to_lowercase(), loss.dropped_lines);
    if loss.why.is_empty() {
        words::services::lines_missing(lines, &name)
    } else {
        words::services::lines_being_lost(lines, &name, &loss.why)
    }
}

/// What a person calls it.
pub const fn service(id: ServiceId) -> &'static str {
    match id {
        ServiceId::Gateway => words::common::GATEWAY,
        ServiceId::Browserd => words::common::BROWSER,
        ServiceId::NodeHost => words::common::NODE_HOST,
    }
}

/// Its state in a word or three.
pub fn state(service: &Service, now: Now) -> String {
    match &service.phase {
        Phase::Unknown => words::services::LOOKING.to_owned(),
        Phase::Stopped if service.goal == Goal::Up => words::services::WAITING_TO_START.to_owned(),
        Phase::Stopped => words::services::STATE_STOPPED.to_owned(),
        Phase::Starting { .. } => words::services::STARTING.to_owned(),
        Phase::Ready { .. } => words::services::READY.to_owned(),
        Phase::Unhealthy { misses, .. } => words::services::not_answering(misses),
        Phase::Stopping { why: StopReason::Restart } => words::services::RESTARTING.to_owned(),
        Phase::Stopping { .. } => words::services::STATE_STOPPING.to_owned(),
        Phase::BackingOff { until } => {
            let seconds = until.saturating_sub(now.mono_ms).div_ceil(1_000);
            if service.attempts == 0 {
                return words::services::state_tried_again(&service.trouble, seconds);
            }
            words::services::restarts_in_s(seconds, service.attempts)
        }
        Phase::GivenUp => words::services::GIVEN_UP.to_owned(),
    }
}

/// How the node host stands, in a few words.
pub fn node_host(agent: &Agent, now: Now) -> String {
    let host = agent.fleet.get(ServiceId::NodeHost);
    match (agent.node.under_way(), agent.node.needs_repair(now), &agent.node.known) {
        (Some((_, step)), ..) => node::step_words(step).to_owned(),
        (None, Some(need), _) if host.run.is_some() => format!("{}; {}", state(host, now), need.words()),
        (None, Some(need), _) => words::services::needs_repair(need.words()),
        (None, None, Known::Absent) => words::common::NOT_ENROLLED.to_owned(),
        (None, None, _) => state(host, now),
    }
}

/// The first line of menu and tooltip: the state in words.
pub fn status_line(agent: &Agent, base: Base, now: Now) -> String {
    let line = condition(agent, base, now);
    if agent.paused { words::services::paused_and_so(&line) } else { line }
}

fn condition(agent: &Agent, base: Base, now: Now) -> String {
    let gateway = agent.fleet.get(ServiceId::Gateway);
    if agent.quitting.is_some() {
        return words::services::STOPPING_PALYRA.to_owned();
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
                words::services::healthy_palyrad_up(&facts.version, duration(seconds))
            }
            None => words::services::HEALTHY.to_owned(),
        },
        Base::Stopped if agent.fleet.iter().any(|one| one.run.is_some()) => words::services::STOPPING.to_owned(),
        Base::Stopped if agent.setup.first_run && !agent.reached.complete => words::services::NOT_SET_UP_YET.to_owned(),
        Base::Stopped => words::services::STOPPED.to_owned(),
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
        return words::services::node_host(node_host(agent, now));
    }
    if let Some(sick) = agent.fleet.iter().find(|service| {
        service.goal == Goal::Up && !matches!(service.phase, Phase::Ready { .. } | Phase::Starting { .. })
    }) {
        return format!("{}: {}", service(sick.id), state(sick, now));
    }
    if agent.inbox.trouble.is_empty() && agent.inbox.unreadable == 0 {
        words::services::CONFIG_CANNOT_BE_USED.to_owned()
    } else if agent.inbox.trouble.is_empty() {
        words::services::approvals_cannot_be_read_look(agent.inbox.unreadable)
    } else {
        words::services::approvals_cannot_be_read(&agent.inbox.trouble)
    }
}

/// Why it is not tried again, in one line.
pub fn gave_up(sidecar: &Service) -> String {
    let name = service(sidecar.id);
    let exit = sidecar.last_exit.as_ref().filter(|_| !sidecar.occupied);
    let Some(exit) = exit else { return words::services::cannot_start_because(name, &sidecar.trouble) };
    let cause = &exit.cause;
    let what = if cause.hopeless {
        format!("{name} {}", cause.what)
    } else {
        words::services::does_not_stay_up(name, &cause.what)
    };
    match &cause.said {
        Some(said) => words::services::it_last_said(&what, said),
        None => what,
    }
}

/// Title of the notification about it.
pub fn given_up_title(sidecar: &Service) -> String {
    let hopeless = sidecar.occupied || sidecar.last_exit.as_ref().is_none_or(|exit| exit.cause.hopeless);
    format!(
        "{} {}",
        service(sidecar.id),
        if hopeless { words::services::CANNOT_START } else { words::services::DOES_NOT_STAY_UP }
    )
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
    lines.extend(exit.cause.said.as_ref().map(words::common::it_last_said));
    lines.extend(changed(exit));
    lines
}

/// What has changed since its last good start; absent when that cannot be told, and when it matters to nobody.
pub fn changed(exit: &LastExit) -> Option<String> {
    let words = exit.changes.as_ref().filter(|_| exit.cause.class != Class::Asked)?.in_words();
    Some(if words.is_empty() {
        words::services::SINCE_ITS_LAST_GOOD_START_NEITHER.to_owned()
    } else {
        words::services::changed_since_its_last_good_start(words.join("; "))
    })
}

/// When it is started again, after an end that nobody asked for.
pub fn next(sidecar: &Service, now: Now) -> Option<String> {
    match sidecar.phase {
        Phase::BackingOff { until } => {
            let seconds = until.saturating_sub(now.mono_ms).div_ceil(1_000);
            Some(match sidecar.attempts {
                0 => words::services::tried_again_in_s(seconds),
                attempt => words::services::starts_again_in_s(seconds, attempt),
            })
        }
        Phase::GivenUp if sidecar.last_exit.as_ref().is_none_or(|exit| exit.cause.hopeless) => {
            Some(words::services::IT_IS_NOT_STARTED_AGAIN.to_owned())
        }
        Phase::GivenUp => Some(words::services::it_failed_times_without_good_minute(sidecar.attempts)),
        _ => None,
    }
}

/// Body of the notification that a sidecar is down: why, and that it is not forgotten.
pub fn down(sidecar: &Service) -> String {
    let mut lines = match (&sidecar.last_exit, &sidecar.run) {
        (Some(exit), run) if run.is_none() || sidecar.trouble.is_empty() => why(exit),
        _ => vec![sentence(&sidecar.trouble)],
    };
    lines.push(words::services::PALYRA_GOES_ON_TRYING.to_owned());
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
        occupied.map(|one| words::services::may_go_on(service(one.id).to_lowercase(), &one.trouble)).collect();
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
            let why = if one.trouble.is_empty() { words::common::NO_REASON_IS_KNOWN } else { &one.trouble };
            format!("{}: {why}", service(one.id))
        })
        .collect();
    words::services::not_there_yet(words.join("; "))
}

/// Why the dashboard or the inbox cannot be reached.
pub fn gateway_not_ready(agent: &Agent) -> String {
    if agent.remote.is_some() {
        return crate::words::remote::NOT_HERE.to_owned();
    }
    let gateway = agent.fleet.get(ServiceId::Gateway);
    match (&gateway.phase, gateway.goal) {
        (Phase::GivenUp, _) => gave_up(gateway),
        (_, Goal::Down) => words::services::PALYRA_IS_STOPPED.to_owned(),
        (Phase::Stopped, Goal::Up) => match &agent.secrets {
            Secrets::Waiting(why) | Secrets::Failed(why) => why.clone(),
            _ => words::services::GATEWAY_IS_ABOUT_TO_START.to_owned(),
        },
        _ if gateway.trouble.is_empty() => words::services::GATEWAY_IS_NOT_READY_YET.to_owned(),
        _ => words::services::gateway_is_not_ready(&gateway.trouble),
    }
}

/// What a second start says, and a first one that shows no icon.
pub fn activated(agent: &Agent, now: Now) -> String {
    let base = crate::core::health::base(agent);
    let line = sentence(&status_line(agent, base, now));
    if agent.desktop.tray_present {
        words::agent::its_icon_is_in_tray(&line)
    } else {
        words::agent::there_is_no_icon(&line, &agent.desktop.tray)
    }
}

const fn node_in_a_terminal(task: NodeTask) -> &'static str {
    match task {
        NodeTask::Enrol => words::windows::ENROL_IN_TERMINAL,
        NodeTask::Repair => words::windows::REPAIR_IN_TERMINAL,
        NodeTask::Reset => words::windows::RESET_IN_TERMINAL,
    }
}

/// A window of ours that did not open, or went away: title; why, and what to do.
pub fn companion_failed(companion: &Companion, trouble: &Trouble) -> (&'static str, String) {
    let (title, why, hint) = match (companion, trouble) {
        (Companion::SetUp, Trouble::NotOpened(why)) => {
            (words::windows::SET_UP_COULD_NOT_BE_OPENED, why, words::windows::SET_UP_IN_TERMINAL)
        }
        (Companion::SetUp, Trouble::EndedEarly(why)) => {
            let hint = words::windows::WHAT_YOU_HAVE_DONE_IS_KEPT;
            (words::windows::SET_UP_ENDED_EARLY, why, hint)
        }
        (Companion::Checks, Trouble::NotOpened(why)) => {
            (words::windows::CHECKS_COULD_NOT_BE_OPENED, why, words::windows::CHECKS_IN_TERMINAL)
        }
        (Companion::Checks, Trouble::EndedEarly(why)) => {
            (words::windows::CHECKS_ENDED_EARLY, why, words::windows::RUN_CHECKS_OPENS_THEM_AGAIN)
        }
        (Companion::Bundle, Trouble::NotOpened(why) | Trouble::EndedEarly(why)) => {
            (words::windows::THERE_IS_NO_SUPPORT_BUNDLE, why, words::windows::SUPPORT_BUNDLE_IN_TERMINAL)
        }
        (Companion::About, Trouble::NotOpened(why) | Trouble::EndedEarly(why)) => {
            (words::windows::ABOUT_COULD_NOT_BE_SHOWN, why, words::windows::ABOUT_IN_TERMINAL)
        }
        (Companion::Profile, Trouble::NotOpened(why)) => {
            (words::windows::PROFILES_COULD_NOT_BE_SHOWN, why, words::windows::PROFILES_IN_TERMINAL)
        }
        (Companion::Profile, Trouble::EndedEarly(why)) => {
            (words::windows::CHOICE_OF_PROFILE_ENDED_EARLY, why, words::windows::WHICH_ONE_IS_ACTIVE)
        }
        (Companion::Node(task), Trouble::NotOpened(why)) => {
            (words::windows::DIALOG_COULD_NOT_BE_OPENED, why, node_in_a_terminal(*task))
        }
        (Companion::Node(_), Trouble::EndedEarly(why)) => {
            let hint = words::windows::WHAT_BECAME_OF_IT;
            (words::windows::DIALOG_ENDED_EARLY, why, hint)
        }
        (Companion::Ask(_), Trouble::NotOpened(why)) => {
            (words::windows::MESSAGE_COULD_NOT_BE_WRITTEN, why, words::windows::SEND_IN_TERMINAL)
        }
        (Companion::Ask(_), Trouble::EndedEarly(why)) => {
            (words::windows::DIALOG_ENDED_EARLY, why, words::windows::WHAT_YOU_WROTE_WAS_NOT_SENT)
        }
        (Companion::Draft(_), Trouble::NotOpened(why)) => {
            (words::windows::DRAFT_COULD_NOT_BE_SHOWN, why, words::windows::DRAFTS_IN_TERMINAL)
        }
        (Companion::Draft(_), Trouble::EndedEarly(why)) => {
            (words::windows::DIALOG_ENDED_EARLY, why, words::windows::DRAFT_IS_KEPT)
        }
        (Companion::Review(_), Trouble::NotOpened(why)) => {
            let hint = words::windows::NOTHING_WAS_DECIDED;
            (words::windows::APPROVAL_COULD_NOT_BE_SHOWN, why, hint)
        }
        (Companion::Review(_), Trouble::EndedEarly(why)) => {
            (words::windows::REVIEW_ENDED_EARLY, why, words::windows::WHAT_YOU_HAD_NOT_DECIDED)
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
        (false, _) => words::settings::CONFIG_CHANGED.to_owned(),
        (true, 1) => words::settings::config_changed(first),
        (true, n) => words::settings::config_changed_and_more(first, n - 1),
    }
}

/// What the menu offers while somebody runs with an older config.
pub fn use_config(ids: &[ServiceId]) -> String {
    let names: Vec<_> = ids.iter().map(|id| service(*id)).collect();
    words::settings::restart_to_use_changed_config(names.join(" and "))
}

/// "2 h", "5 min", "12 s".
pub fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => words::common::minutes(seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => words::common::days(seconds / 86_400),
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

/// What was taken over from the earlier desktop app, and what not.
pub fn taken_over(report: &Imported) -> String {
    let part = |intro: &str, what: &[String]| match what {
        [] => String::new(),
        what => format!("{intro}: {}. ", what.join("; ")),
    };
    let words =
        part(words::companion::TAKEN_OVER, &report.taken) + &part(words::companion::NOT_TAKEN_OVER, &report.left);
    words::companion::its_own_files(&words)
}

/// What comes of setting a rollout flag.
pub const fn flag_set(flag: Flag) -> &'static str {
    if flag.switches().is_some() { words::common::SET } else { words::settings::KEPT_BUT_SWITCHES_NOTHING }
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
