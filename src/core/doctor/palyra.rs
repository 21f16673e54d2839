//! Checks of the agent, Palyra's programs and what runs of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::{Agent, ConfigContent, Facts, Ground, Holder, Port, Program, Programs, Trial};
use super::{About, Check};
use crate::core::text;
use crate::protocol::ServiceId;

const AGENT: About = About("agent", "Agent");
const EARLIER_APP: About = About("earlier_app", "Earlier desktop app");
const OTHER_PALYRA: About = About("other_palyra", "Other Palyra");
const GATEWAY_PROGRAM: About = About("gateway_program", "Gateway program");
const BROWSER_PROGRAM: About = About("browser_program", "Browser program");
const NODE_PROGRAM: About = About("node_program", "Node host program");
const DASHBOARD_FILES: About = About("dashboard_files", "Dashboard files");
const CONFIG: About = About("config", "Config");
const RUN_LOOP: About = About("run_loop", "Run loop");
const PORTS: About = About("ports", "Ports");
const GATEWAY: About = About("gateway", "Gateway");
const BROWSER: About = About("browser", "Browser service");
const NODE_HOST: About = About("node_host", "Node host");
const LOGS: About = About("logs", "Logs");
const APPROVALS: About = About("approvals", "Approvals");
const PROVIDER: About = About("provider", "Model provider");

const NO_AGENT: &str = "no agent runs";
const START: &str = "Start it: palyra-tray run";

/// The agent, and others who would keep it from its work.
pub(super) fn agent(facts: &Facts) -> Vec<Check> {
    let mut checks = vec![running(facts)];
    let Ok(ground) = &facts.ground else { return checks };
    checks.push(EARLIER_APP.of(&ground.earlier_app, |about, app| match app {
        None => about.ok("does not run on this state root"),
        Some(pid) => about.problem(
            format!("runs on this state root, as process {pid}; only one of the two may"),
            "Quit it in its own menu, then start Palyra Tray: palyra-tray run",
        ),
    }));
    checks.push(OTHER_PALYRA.of(&ground.foreign, |about, foreign| match foreign {
        None => about.ok("none that is not ours has this data open"),
        Some((process, why)) => about.problem(
            format!("process {} ({}), which is not ours, {why}", process.pid, process.executable.display()),
            format!("End it (kill {}), or set another PALYRA_STATE_ROOT; then: palyra-tray start", process.pid),
        ),
    }));
    checks
}

fn running(facts: &Facts) -> Check {
    let holder = facts.ground.as_ref().ok().and_then(|ground| ground.lock.as_ref().ok()).and_then(Option::as_ref);
    match (&facts.agent, holder) {
        (Agent::Answers(snapshot), _) => {
            let version = words(snapshot, "/agent/version");
            let pid = facts.agent.pid().map(|pid| format!(" as process {pid}")).unwrap_or_default();
            let demo = if snapshot["demo"] == Value::Bool(true) { "; it is a demo, nothing of it is real" } else { "" };
            if version == facts.version {
                AGENT.ok(format!("answers{pid}, version {version}{demo}"))
            } else {
                AGENT.warning(
                    format!("answers{pid}, but is version {version}; this command is {}", facts.version),
                    "Let the newer one take over: palyra-tray run. Palyra keeps running meanwhile",
                )
            }
        }
        (Agent::Silent(why), Some(process)) => AGENT.problem(
            format!("process {} is there but gives no answer ({why})", process.pid),
            format!("See: palyra-tray logs tray. If it stays so: kill {}, then: palyra-tray run", process.pid),
        ),
        (Agent::Silent(why), None) => AGENT.problem(
            format!("gives no answer ({why})"),
            "Use the palyra-tray command of the same version, or see: palyra-tray logs tray",
        ),
        (Agent::Absent, Some(process)) => AGENT.problem(
            format!(
                "process {} ({}) holds its lock, but nobody answers",
                process.pid,
                if process.executable.as_os_str().is_empty() {
                    "of an unknown program".into()
                } else {
                    process.executable.to_string_lossy()
                }
            ),
            format!("If it has just been started, check again; else: kill {}, then: palyra-tray run", process.pid),
        ),
        (Agent::Absent, None) => AGENT.warning("none runs, so nobody looks after Palyra", START),
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
            _ if demo => about.skipped("a demo has its own"),
            (_, Err(why)) => about.skipped(why),
            (Err(why), _) => about.unknown(why),
            (Ok(programs), Ok(())) => program(about, service, programs, ground),
        });
    }
    checks.push(if demo {
        DASHBOARD_FILES.skipped("a demo has its own")
    } else {
        DASHBOARD_FILES.of(&ground.programs, |about, programs| match programs.dashboard {
            None => about.skipped("they belong beside palyrad, which was not found"),
            Some(true) => about.ok("lie beside palyrad"),
            Some(false) => about.warning(
                "there is no web/index.html beside palyrad, so the dashboard shows an error page",
                "Unpack the whole Palyra package, its folder web included, and use palyrad from there",
            ),
        })
    });
    checks.push(CONFIG.of(&ground.config, |about, config| {
        let path = config.path.display();
        match &config.content {
            ConfigContent::None => about.ok(format!("none yet; {path} is made at the first start")),
            ConfigContent::Invalid(why) => about.problem(why, format!("Correct {path}; nothing starts before that")),
            ConfigContent::Read { version: Some(version), .. } if *version != 1 => about.problem(
                format!("{path} is of version {version}; the gateway understands version 1 only"),
                "Correct its first line to: version = 1",
            ),
            ConfigContent::Read { principal, .. } => watched(about, facts).unwrap_or_else(|| {
                about.ok(match principal {
                    Some(principal) => format!("{path} is understood; signs in as {principal}"),
                    None => format!("{path} is understood"),
                })
            }),
        }
    }));
    checks.push(RUN_LOOP.of(&ground.config, |about, config| {
        let told = facts.setup.as_ref().map(|setup| setup.run_loop.as_str());
        let on = match (&config.content, told) {
            _ if demo => return about.skipped("a demo has its own"),
            (ConfigContent::Invalid(_), _) => return about.skipped("the config cannot be read"),
            (_, Some("on")) | (ConfigContent::Read { run_loop: Some(true), .. }, _) => true,
            _ => false,
        };
        if on {
            about.ok("on")
        } else {
            about.warning(
                format!("off in {}, so no chat is answered", config.path.display()),
                "Turn it on with: palyra-tray setup, or write runloop_v1_enabled = true below [orchestrator] there",
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
        return Some(about.problem(why, "Mend that; until then nothing is restarted, and a start would fail"));
    }
    let outdated: Vec<_> = config["outdated"].as_object()?.keys().map(String::as_str).collect();
    if let Some(first) = outdated.first() {
        let service = if outdated.len() == 1 { first } else { "" };
        let remedy = format!("Use it: palyra-tray restart {service}");
        return Some(about.warning(format!("was changed after {} started", outdated.join(" and ")), remedy.trim_end()));
    }
    let blind = words(config, "/blind");
    (!blind.is_empty()).then(|| {
        about.warning(format!("changes of it are not seen: {blind}"), "After a change of it: palyra-tray restart")
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
        (ServiceId::Browserd, Ok(settings)) if !settings.browser => Err("the browser service is switched off"),
        (ServiceId::NodeHost, Ok(settings)) if !settings.node_host => Err("no node host is enrolled"),
        (ServiceId::NodeHost, Err(_)) => Err("whether a node host is enrolled is not known"),
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
        None => about.unknown("not looked for"),
        Some((_, Err(_))) if service != ServiceId::Gateway && no_gateway => {
            about.skipped("it belongs beside palyrad, which was not found")
        }
        Some((_, Err(why))) => failed(why.clone(), &proposal(service, programs, ground)),
        Some((_, Ok(Program { path, trial }))) => {
            let at = path.display();
            match trial {
                Ok(Trial::RunsNow) => about.ok(format!("{at} runs now")),
                Ok(Trial::Runs) => about.ok(format!("{at} can be started")),
                Ok(Trial::Script) => about.ok(format!("{at} is a script, which is not tried out")),
                Ok(Trial::Fails(why)) => failed(
                    format!("{at} cannot be started: {why}"),
                    "Install what it misses, or get the Palyra package that is made for this system",
                ),
                Err(why) => about.unknown(format!("found at {at}; whether it can be started is not known: {why}")),
            }
        }
    }
}

/// Where a Palyra was seen, and how to use it.
fn proposal(service: ServiceId, programs: &Programs, ground: &Ground) -> String {
    if service != ServiceId::Gateway {
        return "Get the whole Palyra package; this program belongs beside palyrad".to_owned();
    }
    let Some(best) = programs.candidates.first() else {
        return "Unpack or install Palyra, then name its folder with: palyra-tray setup".to_owned();
    };
    match &best.problem {
        Some(problem) => format!("One was seen, but: {}", text::sentence(problem)),
        None => format!(
            "Palyra was seen in {0}. Use it: palyra-tray setup, or write folder = \"{0}\" below [services] in {1}",
            best.folder.display(),
            ground.settings_file.display()
        ),
    }
}

fn ports(about: About, ports: &[Port], elsewhere: &[String]) -> Check {
    let name = |port: &Port| format!("{}{}", port.port, if port.udp { "/udp" } else { "" });
    let mut held: BTreeMap<String, Vec<&Port>> = BTreeMap::new();
    for port in ports {
        let holder = match &port.holder {
            Holder::Stranger(process) => format!("{} (process {})", process.executable.display(), process.pid),
            Holder::Unnamed => "a program of another user".to_owned(),
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
            format!("{} {verb} held by {holder}", list(ports).unwrap_or_default())
        })
        .collect();
    if strangers.is_empty() && !elsewhere.is_empty() {
        let verb = if elsewhere.len() == 1 { "has" } else { "have" };
        return about.warning(
            format!(
                "{} {verb} other ports than the config means, where Palyra's other programs look",
                elsewhere.join(" and ")
            ),
            "Write them there: palyra-tray config write-ports",
        );
    }
    if strangers.is_empty() {
        let of = |wanted: Holder| list(ports.iter().filter(|port| port.holder == wanted).collect());
        let parts = [
            of(Holder::Ours).map(|names| format!("{names} in use by Palyra")),
            of(Holder::Nobody).map(|names| format!("{names} free")),
        ];
        return about.ok(parts.into_iter().flatten().collect::<Vec<_>>().join("; "));
    }
    about.warning(
        strangers.join("; "),
        "Nothing needs to be done: Palyra takes other ports by itself. To have these, end that program, then: palyra-tray restart",
    )
}

/// What runs, by the agent's own words.
pub(super) fn services(facts: &Facts) -> Vec<Check> {
    let Some(snapshot) = facts.agent.snapshot() else {
        let why = if matches!(facts.agent, Agent::Absent) { NO_AGENT } else { "the agent does not tell" };
        return [GATEWAY, BROWSER, NODE_HOST, LOGS, APPROVALS, PROVIDER].map(|about| about.skipped(why)).into();
    };
    let browser_off = snapshot.pointer("/quick_facts/browser_service/enabled") == Some(&Value::Bool(false));
    let node_host = snapshot.pointer("/quick_facts/node_host/installed") == Some(&Value::Bool(true));
    let gateway = service(GATEWAY, ServiceId::Gateway, &snapshot["gateway_process"]);
    let ready = snapshot["gateway_process"]["state"] == "ready";
    vec![
        gateway,
        if browser_off {
            BROWSER.skipped("switched off")
        } else {
            service(BROWSER, ServiceId::Browserd, &snapshot["browserd_process"])
        },
        if node_host {
            service(NODE_HOST, ServiceId::NodeHost, &snapshot["node_host_process"])
        } else {
            NODE_HOST.skipped("not enrolled")
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
            format!("what the {name} says cannot be written ({why}); lines lost so far: {lost}"),
            "Free some space, or make <state root>/tray/logs writable; the log then goes on by itself",
        ),
        None if lost > 0 => LOGS.warning(
            format!("lines that could not be written: {lost}; the logs say where"),
            "Nothing; they are written again",
        ),
        None => LOGS.ok("nothing is lost"),
    }
}

fn service(about: About, id: ServiceId, process: &Value) -> Check {
    let state = words(process, "/state");
    let uptime = process["uptime_seconds"].as_u64().map(|seconds| format!(", up {}", text::duration(seconds)));
    let evidence = match (words(process, "/trouble"), words(process, "/last_exit")) {
        ("", "") => state.replace('_', " "),
        (trouble, _) if !trouble.is_empty() => format!("{}: {trouble}", state.replace('_', " ")),
        (_, exit) => format!("{}; last time it {exit}", state.replace('_', " ")),
    };
    let said = process["last_stderr"].as_array().and_then(|lines| lines.last()).and_then(Value::as_str);
    let evidence = match said {
        Some(line) if state != "ready" && !evidence.contains(line) => format!("{evidence}; it last said: {line}"),
        _ => evidence,
    };
    let attempt = process["restart_attempt"].as_u64().unwrap_or(0);
    let (restart, logs) = (format!("palyra-tray restart {id}"), format!("palyra-tray logs {id}"));
    let wanted = process["desired_running"] == Value::Bool(true);
    match state {
        "ready" if id == ServiceId::Gateway => {
            about.ok(format!("answers, and takes our token{}", uptime.unwrap_or_default()))
        }
        "ready" => about.ok(format!("answers{}", uptime.unwrap_or_default())),
        "stopped" if !wanted => {
            about.warning("stopped, because somebody asked for it", format!("Start it: palyra-tray start {id}"))
        }
        "starting" | "stopped" | "unknown" => {
            about.warning(evidence, format!("Check again in a minute; meanwhile see: {logs}"))
        }
        "stopping" => about.warning(evidence, "Check again in a minute"),
        "backing_off" => about
            .problem(format!("{evidence}; it is tried again by itself, attempt {attempt}"), format!("See why: {logs}")),
        "given_up" => {
            about.problem(evidence, format!("Mend what it says (more: {logs}), then: palyra-tray start {id}"))
        }
        _ => about.problem(evidence, format!("If it stays so: {restart}")),
    }
}

fn approvals(snapshot: &Value, gateway_ready: bool) -> Check {
    let known = snapshot.pointer("/approvals/known") == Some(&Value::Bool(true));
    let unreadable = snapshot.pointer("/approvals/unreadable").and_then(Value::as_u64).unwrap_or(0);
    let polled = words(snapshot, "/approvals/heard_of_by") != "journal";
    match (gateway_ready, known) {
        (false, _) => APPROVALS.skipped("the gateway is not ready"),
        (true, false) => APPROVALS.problem("cannot be read", "See why: palyra-tray status"),
        (true, true) if unreadable > 0 => APPROVALS.warning(
            format!("{unreadable} cannot be understood"),
            "Look at them in the dashboard: palyra-tray open approvals",
        ),
        (true, true) if polled => APPROVALS.warning(
            "are read by the clock, because the gateway's journal is not watched; they can be some seconds late",
            "See the check of the journal",
        ),
        (true, true) => APPROVALS.ok("are read as soon as the gateway writes them"),
    }
}

fn provider(facts: &Facts, gateway_ready: bool) -> Check {
    let Some(setup) = facts.setup.as_ref().filter(|setup| !setup.providers.is_empty()) else {
        return PROVIDER.skipped(if gateway_ready { "the agent does not tell" } else { "the gateway is not ready" });
    };
    let configured: Vec<_> =
        setup.providers.iter().filter(|one| one.configured).map(|one| one.provider.name()).collect();
    if configured.is_empty() {
        PROVIDER.warning("none is connected, so no chat is answered", "Connect one: palyra-tray setup")
    } else {
        PROVIDER.ok(format!("{} connected", configured.join(", ")))
    }
}

fn words<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
