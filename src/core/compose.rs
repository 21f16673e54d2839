//! State → [`View`]: icon, tooltip, menu, notifications. Pure, so that it is compared and only differences are sent.

mod remote;

use crate::core::agent::Agent;
use crate::core::agent::ask::rows;
use crate::core::companion::{Flag, Kind};
use crate::core::describe::risk_word;
use crate::core::event::Companion;
use crate::core::notices::{self, Server};
use crate::core::service::{Goal, Phase, Service};
use crate::core::sessions::Session;
use crate::core::time::Now;
use crate::core::view::{Badge, Base, Icon, Item, ItemKind, View};
use crate::core::{health, text};
use crate::protocol::ask::To;
use crate::protocol::node::NodeTask;
use crate::protocol::{Action, Place, ServiceId};
use crate::words;

/// Rows of the approvals submenu.
const APPROVAL_ROWS: usize = 12;

/// Rows of the recent events.
const RECENT_ROWS: usize = 12;
/// Rows of the active runs.
const RUN_ROWS: usize = 12;

/// Sessions under "Go to".
const SESSION_ROWS: usize = 5;

/// Longest line of a text in the menu, characters, and how many lines it may take.
const ROW: usize = 60;
const ROW_LINES: usize = 3;

/// What the desktop should show now.
pub fn view(agent: &Agent, now: Now) -> View {
    let base = health::base(agent);
    let icon = Icon {
        base,
        badge: Badge {
            approvals: u32::try_from(agent.inbox.waiting()).unwrap_or(u32::MAX),
            critical: agent.inbox.has_critical(),
            active: agent.survey.active() > 0,
            paused: agent.paused,
        },
    };
    let mark = if agent.setup.demo { words::menu::PALYRA_DEMO } else { words::menu::PALYRA };
    let line = steady_line(agent, base, now);
    let waiting = agent.inbox.waiting();
    let tooltip = match waiting {
        0 => format!("{mark}: {line}"),
        1 => words::menu::approval_waits(mark, &line),
        n => words::menu::approvals_wait(mark, &line, n),
    };
    View { icon, tooltip, menu: menu(agent, base, now, &line), notices: all_notices(agent) }
}

/// The status line without what changes by itself: an idle tray is not redrawn for a running clock.
fn steady_line(agent: &Agent, base: Base, now: Now) -> String {
    if let Some(remote) = &agent.remote {
        return remote.line(false, now);
    }
    match (base, &agent.gateway) {
        (Base::Healthy, Some((facts, _))) if agent.paused => words::menu::all_agents_are_paused(&facts.version),
        (Base::Healthy, Some((facts, _))) => words::menu::healthy_palyrad(&facts.version),
        _ => text::status_line(agent, base, now),
    }
}

fn all_notices(agent: &Agent) -> std::collections::BTreeMap<String, crate::core::view::Notice> {
    let none = Server::default();
    let server = agent.desktop.notifications.as_ref().unwrap_or(&none);
    let mut notices = if agent.quitting.is_some() || agent.paused {
        Default::default()
    } else if agent.locked {
        notices::behind_lock(agent.inbox.waiting())
    } else {
        notices::approvals(&agent.inbox, server)
    };
    for (key, event) in &agent.events {
        if agent.is_held_back(key) {
            continue;
        }
        notices.insert(
            key.clone(),
            notices::event(&event.title, &event.body, agent.offered(&event.buttons), server, event.urgency),
        );
    }
    notices.retain(|key, _| agent.may_notify(key));
    if agent.setup.demo {
        for notice in notices.values_mut() {
            notice.title = format!("[Demo] {}", notice.title);
        }
    }
    notices
}

fn menu(agent: &Agent, base: Base, now: Now, line: &str) -> Vec<Item> {
    if let Some(remote) = &agent.remote {
        return remote::menu(agent, remote, base, line);
    }
    let mut items = Vec::new();
    if agent.setup.demo {
        items.push(label("demo", words::menu::DEMO_NOTHING_HERE_IS_REAL));
    }
    items.push(label("status", &format!("{} {line}", dot(base))));
    items.extend(config(agent));
    items.push(separator("s1"));
    items.push(approvals(agent));
    items.extend(runs(agent));
    items.push(if agent.paused {
        command("pause", words::menu::RESUME_ALL_AGENTS, true, Action::ResumeAgents)
    } else {
        command("pause", words::buttons::PAUSE_ALL_AGENTS, true, Action::PauseAgents)
    });
    items.push(command("open", words::buttons::OPEN_DASHBOARD, true, Action::Open { place: Place::default() }));
    items.push(command("chat", words::menu::OPEN_CHAT, true, Action::Open { place: Place::section("chat") }));
    items.extend(ask(agent));
    items.push(go_to(agent));
    items.push(separator("s2"));
    let down = agent.enabled().iter().any(|id| {
        let service = agent.fleet.get(*id);
        service.goal == Goal::Down || service.phase == Phase::GivenUp
    });
    let up = agent.fleet.iter().any(|service| service.goal == Goal::Up || service.run.is_some());
    items.push(command("start", words::buttons::START, down, Action::Start { service: None }));
    items.push(command("stop", words::menu::STOP, up, Action::Stop { service: None }));
    items.push(command("restart", words::menu::RESTART, up, Action::Restart { service: None }));
    items.push(separator("s3"));
    for service in agent.fleet.iter() {
        if service.id != ServiceId::NodeHost || agent.setup.node_host || agent.node.allowed {
            items.push(service_menu(agent, service, now));
        }
    }
    items.extend(recent(agent));
    items.push(set_up(agent));
    items.push(preferences(agent));
    items.push(separator("s4"));
    items.push(command("quit", words::menu::QUIT_AND_STOP_PALYRA, true, Action::Quit { keep_running: false }));
    if !agent.setup.demo {
        items.push(command("leave", words::menu::QUIT_KEEP_PALYRA_RUNNING, true, Action::Quit { keep_running: true }));
    }
    items
}

fn approvals(agent: &Agent) -> Item {
    let most_urgent = agent.inbox.by_urgency();
    let waiting = agent.inbox.waiting();
    let mut rows: Vec<Item> = most_urgent
        .iter()
        .take(APPROVAL_ROWS)
        .map(|pending| {
            let text = format!("{}: {}", pending.words.title, pending.words.what);
            let id = format!("approval:{}", pending.record.approval_id);
            command(&id, &notices::cut(&text, 60), true, notices::review(&pending.record.approval_id))
        })
        .collect();
    if waiting > rows.len() {
        rows.push(label("approvals:more", &words::menu::and_more(waiting - rows.len())));
    }
    let in_dashboard = Action::Open { place: Place::section("approvals") };
    if waiting == 0 {
        let text = if agent.inbox.is_current() {
            words::menu::NOTHING_WAITS
        } else {
            words::menu::NOT_KNOWN_GATEWAY_DOES_NOT_ANSWER
        };
        rows.push(label("approvals:none", text));
    }
    rows.push(command("approvals:all", words::menu::REVIEW_ALL_IN_DASHBOARD, true, in_dashboard));
    let title = match most_urgent.first() {
        Some(worst) => words::menu::approvals_highest_risk(
            waiting,
            risk_word(worst.record.prompt.risk_level).to_lowercase(),
            if agent.inbox.is_current() { "" } else { words::menu::NOT_UP_TO_DATE },
        ),
        None if agent.inbox.is_current() => words::common::APPROVALS.to_owned(),
        None => words::menu::APPROVALS_NOT_KNOWN.to_owned(),
    };
    submenu("approvals", &title, rows)
}

/// What agents do now; a row opens it in the dashboard. Absent while nothing runs, as far as that is known.
fn runs(agent: &Agent) -> Option<Item> {
    let sessions = agent.survey.current()?;
    let active: Vec<_> = sessions.active().collect();
    if active.is_empty() {
        return None;
    }
    let mut rows: Vec<_> = active
        .iter()
        .take(RUN_ROWS)
        .map(|(session, run)| {
            let waits = if session.pending_approvals > 0 { words::common::WAITS_FOR_YOU } else { "" };
            let text = format!("{}: {}{waits}", notices::cut(&session.title, 44), run.state.replace('_', " "));
            let place = Place::run(Some(session.session_id.clone()), &run.run_id);
            command(&format!("run:{}", run.run_id), &text, true, Action::Open { place })
        })
        .collect();
    if active.len() > RUN_ROWS {
        rows.push(label("runs:more", &words::menu::and_more(active.len() - RUN_ROWS)));
    }
    let old = if agent.survey.sessions.trouble.is_empty() { "" } else { words::menu::NOT_UP_TO_DATE };
    Some(submenu("runs", &words::menu::active_runs(active.len(), old), rows))
}

/// The newest sessions, unless the person has switched the companion off.
fn newest(agent: &Agent) -> impl Iterator<Item = &Session> {
    let on = agent.companion.allows(Flag::CompanionShellEnabled);
    agent.survey.current().into_iter().filter(move |_| on).flat_map(|sessions| &sessions.rows)
}

/// The newest sessions, to go on where one was.
fn recent_sessions(agent: &Agent) -> Vec<Item> {
    let rows = newest(agent).take(SESSION_ROWS).map(|session| {
        let place = Place {
            session_id: Some(session.session_id.clone()),
            intent: Some("resume-session".to_owned()),
            ..Place::section("chat")
        };
        let name = format!("Chat: {}", notices::cut(&session.title, 48));
        command(&format!("session:{}", session.session_id), &name, true, Action::Open { place })
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() { rows } else { [vec![separator("go:s")], rows].concat() }
}

/// Asking Palyra, and what was written and not sent. A row opens a dialog: any program can click a menu.
fn ask(agent: &Agent) -> Vec<Item> {
    if !agent.companion.allows(Flag::CompanionShellEnabled) {
        return Vec::new();
    }
    let mut items = Vec::new();
    if agent.companion.allows(Flag::AmbientCompanionEnabled) {
        items.push(command("ask", words::menu::ASK_PALYRA, true, Action::Ask { to: To::Active }));
        items.extend(ask_in(agent));
    }
    let drafts = rows(agent);
    if !drafts.is_empty() {
        let title = words::menu::drafts(drafts.len());
        let row = |(id, text): (String, String)| {
            command(&format!("draft:{id}"), &text, true, Action::OpenDraft { draft_id: id.clone() })
        };
        items.push(submenu("drafts", &title, drafts.into_iter().map(row).collect()));
    }
    items
}

/// Another session than the one that was used last. Absent while there is only a new one, which a message makes by itself.
fn ask_in(agent: &Agent) -> Option<Item> {
    let active = agent.companion.profile().session_id.as_ref();
    let others = newest(agent).filter(|session| Some(&session.session_id) != active).take(SESSION_ROWS);
    let others = others.map(|session| {
        let action = Action::Ask { to: To::Session(session.session_id.clone()) };
        let title = notices::cut(&session.title, 54);
        let label = format!("{}…", title.trim_end_matches('…'));
        command(&format!("ask:{}", session.session_id), &label, true, action)
    });
    let others: Vec<_> = others.collect();
    if active.is_none() && others.is_empty() {
        return None;
    }
    let mut rows = vec![command("ask:new", words::menu::NEW_SESSION, true, Action::Ask { to: To::New })];
    if !others.is_empty() {
        rows.push(separator("ask:s"));
    }
    rows.extend(others);
    Some(submenu("ask:in", words::menu::ASK_IN_ANOTHER_SESSION, rows))
}

fn go_to(agent: &Agent) -> Item {
    let places = [
        ("approvals", words::common::APPROVALS),
        ("sessions", words::menu::SESSIONS),
        ("access", words::menu::ACCESS),
        ("channels", words::menu::CHANNELS),
        ("browser", words::common::BROWSER),
        ("auth", words::menu::PROVIDER_SIGN),
        ("config", words::common::CONFIG),
        ("secrets", words::common::SECRETS),
        ("operations", words::common::DIAGNOSTICS),
    ];
    let rows = places.into_iter().map(|(section, name)| {
        command(&format!("go:{section}"), name, true, Action::Open { place: Place::section(section) })
    });
    submenu("go", "Go to", rows.chain(recent_sessions(agent)).collect())
}

/// The newest events; a row shows what it is about. Absent where the person has switched the list off.
fn recent(agent: &Agent) -> Option<Item> {
    if !agent.companion.allows(Flag::CompanionShellEnabled) {
        return None;
    }
    let profile = agent.companion.profile();
    let mut rows: Vec<_> = profile
        .notifications
        .iter()
        .rev()
        .take(RECENT_ROWS)
        .map(|one| {
            let mark = if one.read { "" } else { "● " };
            let what = one.body.lines().next().unwrap_or_default();
            let text = notices::cut(&agent.hide(&format!("{mark}{}: {what}", one.title)), ROW);
            command(&format!("recent:{}", one.id), &text, true, Action::OpenRecent { id: one.id.clone() })
        })
        .collect();
    if rows.is_empty() {
        rows.push(label("recent:none", words::menu::NOTHING_HAS_HAPPENED_YET));
    }
    let unread = profile.unread();
    rows.push(separator("recent:s"));
    rows.push(command("recent:read", words::menu::MARK_ALL_READ, unread > 0, Action::MarkRead));
    let title = if unread == 0 { words::menu::RECENT.to_owned() } else { words::menu::recent_new(unread) };
    Some(submenu("recent", &title, rows))
}

fn set_up(agent: &Agent) -> Item {
    let reached = &agent.reached;
    let name = match (reached.complete, reached.done) {
        (true, _) => words::menu::SET_UP_AGAIN.to_owned(),
        (false, 0) => words::menu::SET_UP_PALYRA.to_owned(),
        (false, done) => words::menu::continue_set_up_of_done(done, reached.total),
    };
    let mut rows = vec![
        command("setup:continue", &name, true, Action::ContinueSetup),
        command("setup:checks", words::menu::RUN_CHECKS, true, Action::RunChecks),
        command("setup:profile", &agent.profile_entry(), !agent.is_switching(), Action::ProfileDialog),
        match agent.asking.contains(&Companion::Bundle) {
            false => command("setup:bundle", words::menu::EXPORT_SUPPORT_BUNDLE, true, Action::ExportBundle),
            true => label("setup:bundle", words::menu::SUPPORT_BUNDLE_IS_BEING_MADE),
        },
        command("setup:copy", words::menu::COPY_DIAGNOSTICS, true, Action::CopyDiagnostics),
        command("setup:about", words::menu::ABOUT, true, Action::About),
    ];
    // what is elsewhere is set up there
    rows.retain(|row| agent.remote.is_none() || row.id != "setup:continue");
    submenu("setup", words::menu::SET_UP_AND_SUPPORT, rows)
}

/// What of the sidecars' config a person should know.
fn config(agent: &Agent) -> Option<Item> {
    if !agent.config.trouble.is_empty() {
        return Some(label("config", &notices::cut(&text::capitalise(&agent.config.trouble), 120)));
    }
    let left = agent.config_left();
    let service = match left.as_slice() {
        [] => return None,
        [one] => Some(*one),
        _ => None,
    };
    Some(command("config", &text::use_config(&left), true, Action::Restart { service }))
}

fn preferences(agent: &Agent) -> Item {
    let mut rows = Vec::new();
    if let Some(on) = agent.autostart.filter(|_| !agent.setup.demo) {
        let checked = agent.autostart_asked.unwrap_or(on);
        // a tick turns by itself at the click, and is known only when it was done
        let enabled = agent.autostart_asked.is_none();
        rows.push(tick(
            "autostart",
            words::common::START_ON_LOGIN,
            enabled,
            checked,
            Action::SetAutostart { enabled: !checked },
        ));
    }
    let follows = agent.config_restarts();
    let action = Action::SetConfigRestarts { enabled: !follows };
    rows.push(tick("config:restarts", words::settings::CONFIG_RESTARTS, !agent.setup.config_manual, follows, action));
    let told = agent.setup.telemetry;
    rows.push(tick("telemetry", words::settings::TELEMETRY, true, told, Action::SetTelemetry { enabled: !told }));
    rows.push(separator("preferences:kinds"));
    for kind in Kind::ALL {
        let on = !agent.setup.silent.contains(&kind);
        let action = Action::SetNotifications { kind, enabled: !on };
        rows.push(tick(&format!("notify:{}", kind.name()), kind.label(), true, on, action));
    }
    rows.push(separator("preferences:flags"));
    for flag in Flag::ALL {
        if let Some(switches) = flag.switches() {
            let on = agent.companion.profile().flag(flag);
            let action = Action::SetFlag { flag, enabled: !on };
            rows.push(tick(&format!("flag:{}", flag.name()), switches, true, on, action));
        }
    }
    submenu("preferences", words::common::PREFERENCES, rows)
}

fn tick(id: &str, text: &str, enabled: bool, checked: bool, action: Action) -> Item {
    Item { id: id.to_owned(), kind: ItemKind::Check { label: text.to_owned(), enabled, checked, action } }
}

fn service_menu(agent: &Agent, service: &Service, now: Now) -> Item {
    let id = service.id;
    let name = text::service(id);
    let off = id == ServiceId::Browserd && !agent.setup.browser;
    let state = match id {
        ServiceId::NodeHost => text::node_host(agent, now),
        _ if off => "off".to_owned(),
        _ => text::state(service, now),
    };
    let mut rows = Vec::new();
    let row = |key: &str, text: &str| label(&format!("{id}:{key}"), text);
    if let Some(record) = service.run.as_ref().and_then(|run| run.record.as_ref()) {
        rows.push(row("pid", &words::menu::process(record.sidecar.pid)));
    }
    if !service.ports.is_empty() && service.run.is_some() {
        let ports: Vec<_> = service.ports.iter().map(|(purpose, port)| format!("{purpose} {port}")).collect();
        rows.push(row("ports", &notices::cut(&format!("Ports: {}", ports.join(", ")), 60)));
    }
    if !service.trouble.is_empty() {
        rows.push(row("trouble", &notices::cut(&text::capitalise(&service.trouble), 60)));
    }
    if let Some(exit) = &service.last_exit {
        let said = exit.cause.said.as_ref().map(words::common::it_last_said);
        let next = text::next(service, now).filter(|_| service.phase == Phase::GivenUp);
        for (key, words) in [
            ("exit", Some(words::menu::last_time(&exit.cause.what))),
            ("said", said),
            ("changed", text::changed(exit)),
            ("next", next.map(|next| text::sentence(&next))),
        ] {
            for (n, line) in text::wrap(&words.unwrap_or_default(), ROW, ROW_LINES).iter().enumerate() {
                rows.push(row(&format!("{key}{n}"), &format!("{}{line}", if n == 0 { "" } else { "    " })));
            }
        }
    }
    if agent.unwritten_ports(id).is_some() {
        rows.push(command(
            &format!("{id}:write"),
            words::settings::WRITE_PORTS,
            true,
            Action::WritePorts { service: Some(id) },
        ));
    }
    if !rows.is_empty() {
        rows.push(separator(&format!("{id}:s")));
    }
    let off = off || (id == ServiceId::NodeHost && !agent.setup.node_host);
    let can_restart = !off && agent.fleet.get(ServiceId::Gateway).goal == Goal::Up;
    rows.push(command(
        &format!("{id}:restart"),
        words::menu::RESTART,
        can_restart,
        Action::Restart { service: Some(id) },
    ));
    rows.push(command(&format!("{id}:log"), words::buttons::SHOW_LOG, true, Action::ShowLog { service: id }));
    if id == ServiceId::Browserd {
        let enabled = agent.setup.browser;
        rows.push(tick(
            "browserd:enabled",
            words::menu::ENABLED,
            true,
            enabled,
            Action::SetBrowser { enabled: !enabled },
        ));
    }
    if id == ServiceId::NodeHost {
        rows.extend(node_tasks(agent));
    }
    submenu(&format!("service:{id}"), &format!("{name}: {state}"), rows)
}

/// Each opens a dialog that explains and asks.
fn node_tasks(agent: &Agent) -> Vec<Item> {
    let free = agent.node.is_idle();
    let row =
        |task: NodeTask, name: &str| command(&format!("node:{}", task.word()), name, free, Action::NodeDialog { task });
    match (agent.node.allowed, agent.setup.node_host) {
        (true, false) => vec![row(NodeTask::Enrol, words::menu::ENROL)],
        (true, true) => vec![row(NodeTask::Repair, words::common::REPAIR), row(NodeTask::Reset, words::menu::RESET)],
        (false, true) => vec![row(NodeTask::Reset, words::menu::RESET)],
        (false, false) => Vec::new(),
    }
}

const fn dot(base: Base) -> &'static str {
    match base {
        Base::Healthy => "●",
        Base::Stopped => "■",
        Base::Degraded => "▲",
        Base::Starting => "◌",
        Base::Down => "▬",
        Base::Fatal => "✖",
    }
}

fn label(id: &str, text: &str) -> Item {
    Item { id: id.to_owned(), kind: ItemKind::Command { label: text.to_owned(), enabled: false, action: None } }
}

fn command(id: &str, text: &str, enabled: bool, action: Action) -> Item {
    Item { id: id.to_owned(), kind: ItemKind::Command { label: text.to_owned(), enabled, action: Some(action) } }
}

fn submenu(id: &str, text: &str, items: Vec<Item>) -> Item {
    Item { id: id.to_owned(), kind: ItemKind::Submenu { label: text.to_owned(), enabled: true, items } }
}

fn separator(id: &str) -> Item {
    Item { id: id.to_owned(), kind: ItemKind::Separator }
}
