//! Checks of the agent, Palyra's programs and what runs of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::{Agent, ConfigContent, Facts, Ground, Holder, Port, Program, Programs, Trial};
use super::{About, Check};
use crate::core::text;
use crate::protocol::ServiceId;
use crate::words;

const AGENT: About = About("agent", words::checks::palyra::AGENT);
const EARLIER_APP: About = About("earlier_app", words::checks::palyra::EARLIER_DESKTOP_APP);
const OTHER_PALYRA: About = About("other_palyra", words::checks::palyra::OTHER_PALYRA);
const GATEWAY_PROGRAM: About = About("gateway_program", words::checks::palyra::GATEWAY_PROGRAM);
const BROWSER_PROGRAM: About = About("browser_program", words::checks::palyra::BROWSER_PROGRAM);
const NODE_PROGRAM: About = About("node_program", words::checks::palyra::NODE_HOST_PROGRAM);
const DASHBOARD_FILES: About = About("dashboard_files", words::checks::palyra::DASHBOARD_FILES);
const CONFIG: About = About("config", words::common::CONFIG);
const RUN_LOOP: About = About("run_loop", words::common::CHATS);
const PORTS: About = About("ports", words::checks::palyra::PORTS);
const GATEWAY: About = About("gateway", words::common::GATEWAY);
const BROWSER: About = About("browser", words::checks::palyra::BROWSER_SERVICE);
const NODE_HOST: About = About("node_host", words::common::NODE_HOST);
const LOGS: About = About("logs", words::common::LOGS);
const APPROVALS: About = About("approvals", words::common::APPROVALS);
const PROVIDER: About = About("provider", words::common::MODEL_PROVIDER);

/// The agent, and others who would keep it from its work.
pub(super) fn agent(facts: &Facts) -> Vec<Check> {
    let mut checks = vec![running(facts)];
    let Ok(ground) = &facts.ground else { return checks };
    checks.push(EARLIER_APP.of(&ground.earlier_app, |about, app| match app {
        None => about.ok(words::checks::palyra::DOES_NOT_RUN_ON_THIS_STATE),
        Some(pid) => about.problem(
            words::checks::palyra::runs_on_this_state_root(pid),
            words::checks::palyra::QUIT_IT_IN_ITS_OWN_MENU,
        ),
    }));
    checks.push(OTHER_PALYRA.of(&ground.foreign, |about, foreign| match foreign {
        None => about.ok(words::checks::palyra::NONE_THAT_IS_NOT_OURS),
        Some((process, why)) => about.problem(
            words::checks::palyra::process_which_is_not_ours(process.pid, process.executable.display(), why),
            words::checks::palyra::end_it_kill(process.pid),
        ),
    }));
    checks
}

fn running(facts: &Facts) -> Check {
    let holder = facts.ground.as_ref().ok().and_then(|ground| ground.lock.as_ref().ok()).and_then(Option::as_ref);
    match (&facts.agent, holder) {
        (Agent::Answers(snapshot), _) => {
            let version = words(snapshot, "/agent/version");
            let pid = facts.agent.pid().map(words::checks::palyra::as_process).unwrap_or_default();
            let demo = if snapshot["demo"] == Value::Bool(true) { words::checks::palyra::IT_IS_DEMO } else { "" };
            if version == facts.version {
                AGENT.ok(words::checks::palyra::answers_version(&pid, version, demo))
            } else {
                AGENT.warning(
                    words::checks::palyra::answers_but_is_version(&pid, version, &facts.version),
                    words::checks::palyra::LET_NEWER_ONE_TAKE_OVER,
                )
            }
        }
        (Agent::Silent(why), Some(process)) => AGENT.problem(
            words::checks::palyra::process_is_there_but_gives_no(process.pid, why),
            words::checks::palyra::see_logs_tray(process.pid),
        ),
        (Agent::Silent(why), None) => AGENT
            .problem(words::checks::palyra::gives_no_answer(why), words::checks::palyra::USE_COMMAND_OF_SAME_VERSION),
        (Agent::Absent, Some(process)) => AGENT.problem(
            words::checks::palyra::process_holds_its_lock(
                process.pid,
                if process.executable.as_os_str().is_empty() {
                    words::checks::palyra::OF_UNKNOWN_PROGRAM.into()
                } else {
                    process.executable.to_string_lossy()
                },
            ),
            words::checks::palyra::if_it_has_just_been_started(process.pid),
        ),
        (Agent::Absent, None) => {
            AGENT.warning(words::checks::palyra::NONE_RUNS_SO_NOBODY_LOOKS_AFTER, words::common::START_PALYRA_TRAY)
        }
    }
}

/// Palyra's programs, their config and their ports.
pub(super) fn programs(facts: &Facts) -> Vec<Check> {
    let Ok(ground) = &facts.ground else { return Vec::new() };
    let demo = facts.agent.snapshot().is_some_and(|snapshot| snapshot["demo"] == Value::Bool(true));
    let mut checks = Vec::new();
    let each = [
        (GATEWAY_PROGRAM, ServiceId::Gateway),
        (BROWSER_PROGRAM, ServiceId::Browserd),
        (NODE_PROGRAM, ServiceId::NodeHost),
    ];
    for (about, service) in each {
        checks.push(match (&ground.programs, wanted(ground, service)) {
            _ if demo => about.skipped(words::checks::palyra::DEMO_HAS_ITS_OWN),
            (_, Err(why)) => about.skipped(why),
            (Err(why), _) => about.unknown(why),
            (Ok(programs), Ok(())) => program(about, service, programs, ground),
        });
    }
    checks.push(if demo {
        DASHBOARD_FILES.skipped(words::checks::palyra::DEMO_HAS_ITS_OWN)
    } else {
        DASHBOARD_FILES.of(&ground.programs, |about, programs| match programs.dashboard {
            None => about.skipped(words::checks::palyra::THEY_BELONG_BESIDE_PALYRAD),
            Some(true) => about.ok(words::checks::palyra::LIE_BESIDE_PALYRAD),
            Some(false) => about.warning(
                words::checks::palyra::THERE_IS_NO_WEB_INDEX,
                words::checks::palyra::UNPACK_WHOLE_PALYRA_PACKAGE,
            ),
        })
    });
    checks.push(CONFIG.of(&ground.config, |about, config| {
        let path = config.path.display();
        match &config.content {
            ConfigContent::None => about.ok(words::checks::palyra::none_yet_is_made_at_first(&path)),
            ConfigContent::Invalid(why) => {
                about.problem(why, words::checks::palyra::correct_nothing_starts_before(&path))
            }
            ConfigContent::Read { version: Some(version), .. } if *version != 1 => about.problem(
                words::checks::palyra::is_of_version(&path, version),
                words::checks::palyra::CORRECT_ITS_FIRST_LINE,
            ),
            ConfigContent::Read { principal, .. } => watched(about, facts).unwrap_or_else(|| {
                about.ok(match principal {
                    Some(principal) => words::checks::palyra::is_understood_signs(&path, principal),
                    None => words::checks::palyra::is_understood(&path),
                })
            }),
        }
    }));
    checks.push(RUN_LOOP.of(&ground.config, |about, config| {
        let told = facts.setup.as_ref().map(|setup| setup.run_loop.as_str());
        let on = match (&config.content, told) {
            _ if demo => return about.skipped(words::checks::palyra::DEMO_HAS_ITS_OWN),
            (ConfigContent::Invalid(_), _) => return about.skipped(words::checks::palyra::CONFIG_CANNOT_BE_READ),
            (_, Some("on")) | (ConfigContent::Read { run_loop: Some(true), .. }, _) => true,
            _ => false,
        };
        if on {
            about.ok("on")
        } else {
            about.warning(
                words::checks::palyra::off_in_so_no_chat(config.path.display()),
                words::checks::palyra::TURN_IT,
            )
        }
    }));
    checks.push(PORTS.of(&ground.ports, |about, held| ports(about, held, &elsewhere(facts))));
    checks
}

/// What the agent has to say of the config, if it is not all well.
fn watched(about: About, facts: &Facts) -> Option<Check> {
    let config = facts.agent.snapshot()?.get("config")?;
    if config["state"] == "unusable" {
        let why = words(config, "/why");
        return Some(about.problem(why, words::checks::palyra::MEND_THAT_UNTIL_THEN_NOTHING));
    }
    let outdated: Vec<_> = config["outdated"].as_object()?.keys().map(String::as_str).collect();
    if let Some(first) = outdated.first() {
        let service = if outdated.len() == 1 { first } else { "" };
        let remedy = words::checks::palyra::use_it_restart(service);
        return Some(
            about.warning(words::checks::palyra::was_changed_after_started(outdated.join(" and ")), remedy.trim_end()),
        );
    }
    let blind = words(config, "/blind");
    (!blind.is_empty()).then(|| {
        about.warning(words::checks::palyra::changes_of_it_are_not_seen(blind), words::checks::palyra::AFTER_CHANGE)
    })
}

/// Who listens elsewhere than the config says.
fn elsewhere(facts: &Facts) -> Vec<String> {
    let unwritten = facts.agent.snapshot().and_then(|snapshot| snapshot.pointer("/config/unwritten_ports")?.as_array());
    unwritten.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether a service is wanted; why not.
fn wanted(ground: &Ground, service: ServiceId) -> Result<(), &'static str> {
    match (service, &ground.settings) {
        (ServiceId::Browserd, Ok(settings)) if !settings.browser => Err(words::common::BROWSER_SERVICE_IS_SWITCHED_OFF),
        (ServiceId::NodeHost, Ok(settings)) if !settings.node_host => {
            Err(words::checks::palyra::NO_NODE_HOST_IS_ENROLLED)
        }
        (ServiceId::NodeHost, Err(_)) => Err(words::checks::palyra::WHETHER_NODE_HOST_IS_ENROLLED),
        _ => Ok(()),
    }
}

fn program(about: About, service: ServiceId, programs: &Programs, ground: &Ground) -> Check {
    let found = programs.found.iter().find(|(id, _)| *id == service);
    // without the gateway nothing works; without another, most does
    let failed = |evidence: String, remedy: &str| {
        if service == ServiceId::Gateway { about.problem(evidence, remedy) } else { about.warning(evidence, remedy) }
    };
    let no_gateway = programs.found.iter().any(|(id, found)| *id == ServiceId::Gateway && found.is_err());
    match found {
        None => about.unknown(words::checks::palyra::NOT_LOOKED),
        Some((_, Err(_))) if service != ServiceId::Gateway && no_gateway => {
            about.skipped(words::checks::palyra::IT_BELONGS_BESIDE_PALYRAD)
        }
        Some((_, Err(why))) => failed(why.clone(), &proposal(service, programs, ground)),
        Some((_, Ok(Program { path, trial }))) => {
            let at = path.display();
            match trial {
                Ok(Trial::RunsNow) => about.ok(words::checks::palyra::runs_now(&at)),
                Ok(Trial::Runs) => about.ok(words::checks::palyra::can_be_started(&at)),
                Ok(Trial::Script) => about.ok(words::checks::palyra::is_script_which_is_not_tried(&at)),
                Ok(Trial::Fails(why)) => failed(
                    words::checks::palyra::cannot_be_started(&at, why),
                    words::checks::palyra::INSTALL_WHAT_IT_MISSES,
                ),
                Err(why) => about.unknown(words::checks::palyra::found_at_whether_it_can(&at, why)),
            }
        }
    }
}

/// Where a Palyra was seen, and how to use it.
fn proposal(service: ServiceId, programs: &Programs, ground: &Ground) -> String {
    if service != ServiceId::Gateway {
        return words::checks::palyra::GET_WHOLE_PALYRA_PACKAGE.to_owned();
    }
    let Some(best) = programs.candidates.first() else {
        return words::checks::palyra::UNPACK_OR_INSTALL_PALYRA.to_owned();
    };
    match &best.problem {
        Some(problem) => words::checks::palyra::one_was_seen(text::sentence(problem)),
        None => words::checks::palyra::palyra_was_seen(best.folder.display(), ground.settings_file.display()),
    }
}

fn ports(about: About, ports: &[Port], elsewhere: &[String]) -> Check {
    let name = |port: &Port| format!("{}{}", port.port, if port.udp { "/udp" } else { "" });
    let mut held: BTreeMap<String, Vec<&Port>> = BTreeMap::new();
    for port in ports {
        let holder = match &port.holder {
            Holder::Stranger(process) => words::common::process(process.executable.display(), process.pid),
            Holder::Unnamed => words::checks::palyra::PROGRAM_OF_ANOTHER_USER.to_owned(),
            Holder::Nobody | Holder::Ours => continue,
        };
        held.entry(holder).or_default().push(port);
    }
    let list = |mut ports: Vec<&Port>| {
        ports.sort_by_key(|port| (port.port, port.udp));
        let names: Vec<_> = ports.iter().map(|port| name(port)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let strangers: Vec<_> = held
        .into_iter()
        .map(|(holder, ports)| {
            let verb = if ports.len() == 1 { "is" } else { "are" };
            words::checks::palyra::held_by(list(ports).unwrap_or_default(), verb, &holder)
        })
        .collect();
    if strangers.is_empty() && !elsewhere.is_empty() {
        let verb = if elsewhere.len() == 1 { "has" } else { "have" };
        return about.warning(
            words::checks::palyra::other_ports_than_config_means(elsewhere.join(" and "), verb),
            words::checks::palyra::WRITE_THEM_THERE,
        );
    }
    if strangers.is_empty() {
        let of = |wanted: Holder| list(ports.iter().filter(|port| port.holder == wanted).collect());
        let parts = [
            of(Holder::Ours).map(words::checks::palyra::in_use_by_palyra),
            of(Holder::Nobody).map(words::checks::palyra::free),
        ];
        return about.ok(parts.into_iter().flatten().collect::<Vec<_>>().join("; "));
    }
    about.warning(strangers.join("; "), words::checks::palyra::NOTHING_NEEDS_TO_BE_DONE)
}

/// What runs, by the agent's own words.
pub(super) fn services(facts: &Facts) -> Vec<Check> {
    let Some(snapshot) = facts.agent.snapshot() else {
        let why = if matches!(facts.agent, Agent::Absent) {
            words::common::NO_AGENT_RUNS
        } else {
            words::common::AGENT_DOES_NOT_TELL
        };
        return [GATEWAY, BROWSER, NODE_HOST, LOGS, APPROVALS, PROVIDER].map(|about| about.skipped(why)).into();
    };
    let browser_off = snapshot.pointer("/quick_facts/browser_service/enabled") == Some(&Value::Bool(false));
    let node_host = snapshot.pointer("/quick_facts/node_host/installed") == Some(&Value::Bool(true));
    let gateway = service(GATEWAY, ServiceId::Gateway, &snapshot["gateway_process"]);
    let ready = snapshot["gateway_process"]["state"] == "ready";
    vec![
        gateway,
        if browser_off {
            BROWSER.skipped(words::checks::palyra::SWITCHED_OFF)
        } else {
            service(BROWSER, ServiceId::Browserd, &snapshot["browserd_process"])
        },
        if node_host {
            service(NODE_HOST, ServiceId::NodeHost, &snapshot["node_host_process"])
        } else {
            NODE_HOST.skipped(words::common::NOT_ENROLLED)
        },
        logs(snapshot),
        approvals(snapshot, ready),
        provider(facts, ready),
    ]
}

/// Whether what the services say reaches the disk.
fn logs(snapshot: &Value) -> Check {
    let processes = ServiceId::ALL.map(|id| (text::service(id).to_lowercase(), &snapshot[format!("{id}_process")]));
    let lost: u64 = processes.iter().filter_map(|(_, process)| process["dropped_log_lines"].as_u64()).sum();
    let trouble = processes.iter().find_map(|(name, process)| Some((name, process["log_trouble"].as_str()?)));
    match trouble {
        Some((name, why)) => LOGS.problem(
            words::checks::palyra::what_says_cannot_be_written(name, why, lost),
            words::checks::palyra::FREE_SOME_SPACE,
        ),
        None if lost > 0 => LOGS.warning(
            words::checks::palyra::lines_that_could_not_be_written(lost),
            words::checks::palyra::NOTHING_THEY_ARE_WRITTEN_AGAIN,
        ),
        None => LOGS.ok(words::checks::palyra::NOTHING_IS_LOST),
    }
}

fn service(about: About, id: ServiceId, process: &Value) -> Check {
    let state = words(process, "/state");
    let uptime = process["uptime_seconds"].as_u64().map(|seconds| format!(", up {}", text::duration(seconds)));
    let evidence = match (words(process, "/trouble"), words(process, "/last_exit")) {
        ("", "") => state.replace('_', " "),
        (trouble, _) if !trouble.is_empty() => format!("{}: {trouble}", state.replace('_', " ")),
        (_, exit) => words::checks::palyra::last_time(state.replace('_', " "), exit),
    };
    let said = process["last_stderr"].as_array().and_then(|lines| lines.last()).and_then(Value::as_str);
    let evidence = match said {
        Some(line) if state != "ready" && !evidence.contains(line) => {
            words::checks::palyra::it_last_said(&evidence, line)
        }
        _ => evidence,
    };
    let attempt = process["restart_attempt"].as_u64().unwrap_or(0);
    let (restart, logs) = (words::checks::palyra::restart(id), words::checks::palyra::logs(id));
    let wanted = process["desired_running"] == Value::Bool(true);
    match state {
        "ready" if id == ServiceId::Gateway => {
            about.ok(words::checks::palyra::answers_and_takes_our_token(uptime.unwrap_or_default()))
        }
        "ready" => about.ok(format!("answers{}", uptime.unwrap_or_default())),
        "stopped" if !wanted => about
            .warning(words::checks::palyra::STOPPED_BECAUSE_SOMEBODY_ASKED, words::checks::palyra::start_it_start(id)),
        "starting" | "stopped" | "unknown" => {
            about.warning(evidence, words::checks::palyra::check_again_in_minute_meanwhile(&logs))
        }
        "stopping" => about.warning(evidence, words::checks::palyra::CHECK_AGAIN_IN_MINUTE),
        "backing_off" => about.problem(
            words::checks::palyra::it_is_tried_again_by_itself(&evidence, attempt),
            words::checks::palyra::see_why(&logs),
        ),
        "given_up" => about.problem(evidence, words::checks::palyra::mend_what_it_says_more(&logs, id)),
        _ => about.problem(evidence, words::checks::palyra::if_it_stays(&restart)),
    }
}

fn approvals(snapshot: &Value, gateway_ready: bool) -> Check {
    let known = snapshot.pointer("/approvals/known") == Some(&Value::Bool(true));
    let unreadable = snapshot.pointer("/approvals/unreadable").and_then(Value::as_u64).unwrap_or(0);
    let polled = words(snapshot, "/approvals/heard_of_by") != "journal";
    match (gateway_ready, known) {
        (false, _) => APPROVALS.skipped(words::common::GATEWAY_IS_NOT_READY),
        (true, false) => {
            APPROVALS.problem(words::checks::palyra::CANNOT_BE_READ, words::checks::palyra::SEE_WHY_STATUS)
        }
        (true, true) if unreadable > 0 => APPROVALS.warning(
            words::checks::palyra::cannot_be_understood(unreadable),
            words::checks::palyra::LOOK_AT_THEM_IN_DASHBOARD,
        ),
        (true, true) if polled => {
            APPROVALS.warning(words::checks::palyra::ARE_READ_BY_CLOCK, words::checks::palyra::SEE_CHECK_OF_JOURNAL)
        }
        (true, true) => APPROVALS.ok(words::checks::palyra::ARE_READ_AS_SOON_AS_GATEWAY),
    }
}

fn provider(facts: &Facts, gateway_ready: bool) -> Check {
    let Some(setup) = facts.setup.as_ref().filter(|setup| !setup.providers.is_empty()) else {
        return PROVIDER.skipped(if gateway_ready {
            words::common::AGENT_DOES_NOT_TELL
        } else {
            words::common::GATEWAY_IS_NOT_READY
        });
    };
    let configured: Vec<_> =
        setup.providers.iter().filter(|one| one.configured).map(|one| one.provider.name()).collect();
    if configured.is_empty() {
        PROVIDER.warning(words::checks::palyra::NONE_IS_CONNECTED, words::checks::palyra::CONNECT_ONE_SETUP)
    } else {
        PROVIDER.ok(words::checks::palyra::connected(configured.join(", ")))
    }
}

fn words<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
