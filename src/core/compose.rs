//! State → [`View`]: icon, tooltip, menu, notifications. Pure, so that it is compared and only differences are sent.

use crate::core::agent::Agent;
use crate::core::companion::{Flag, Kind};
use crate::core::describe::{describe, risk_word};
use crate::core::notices::{self, Server};
use crate::core::service::{Goal, Phase, Service};
use crate::core::time::Now;
use crate::core::view::{Badge, Base, Icon, Item, ItemKind, View};
use crate::core::{health, text};
use crate::protocol::node::NodeTask;
use crate::protocol::{Action, Place, ServiceId};

/// Rows of the approvals submenu.
const APPROVAL_ROWS: usize = 12;

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
            active: false,
            paused: agent.paused,
        },
    };
    let mark = if agent.setup.demo { "Palyra demo" } else { "Palyra" };
    let line = steady_line(agent, base, now);
    let waiting = agent.inbox.waiting();
    let tooltip = match waiting {
        0 => format!("{mark}: {line}"),
        1 => format!("{mark}: {line}. 1 approval waits"),
        n => format!("{mark}: {line}. {n} approvals wait"),
    };
    View { icon, tooltip, menu: menu(agent, base, now, &line), notices: all_notices(agent) }
}

/// The status line without what changes by itself: an idle tray is not redrawn for a running clock.
fn steady_line(agent: &Agent, base: Base, now: Now) -> String {
    match (base, &agent.gateway) {
        (Base::Healthy, Some((facts, _))) if agent.paused => {
            format!("All agents are paused. palyrad {}", facts.version)
        }
        (Base::Healthy, Some((facts, _))) => format!("Healthy: palyrad {}", facts.version),
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
        // what an agent wants to do is not for whoever passes by
        if agent.locked && ["event:elsewhere:", "event:decision:"].iter().any(|about| key.starts_with(about)) {
            continue;
        }
        notices.insert(
            key.clone(),
            notices::event(&event.title, &event.body, event.buttons.clone(), server, event.urgency),
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
    let mut items = Vec::new();
    if agent.setup.demo {
        items.push(label("demo", "Demo: nothing here is real"));
    }
    items.push(label("status", &format!("{} {line}", dot(base))));
    items.extend(config(agent));
    items.push(separator("s1"));
    items.push(approvals(agent));
    items.push(if agent.paused {
        command("pause", "Resume all agents", true, Action::ResumeAgents)
    } else {
        command("pause", "Pause all agents", true, Action::PauseAgents)
    });
    items.push(command("open", "Open Dashboard", true, Action::Open { place: Place::default() }));
    items.push(command("chat", "Open Chat", true, Action::Open { place: Place::section("chat") }));
    items.push(go_to());
    items.push(separator("s2"));
    let down = agent.enabled().iter().any(|id| {
        let service = agent.fleet.get(*id);
        service.goal == Goal::Down || service.phase == Phase::GivenUp
    });
    let up = agent.fleet.iter().any(|service| service.goal == Goal::Up || service.run.is_some());
    items.push(command("start", "Start", down, Action::Start { service: None }));
    items.push(command("stop", "Stop", up, Action::Stop { service: None }));
    items.push(command("restart", "Restart", up, Action::Restart { service: None }));
    items.push(separator("s3"));
    for service in agent.fleet.iter() {
        if service.id != ServiceId::NodeHost || agent.setup.node_host || agent.node.allowed {
            items.push(service_menu(agent, service, now));
        }
    }
    items.push(set_up(agent));
    items.push(preferences(agent));
    items.push(separator("s4"));
    items.push(command("quit", "Quit and stop Palyra", true, Action::Quit { keep_running: false }));
    if !agent.setup.demo {
        items.push(command("leave", "Quit, keep Palyra running", true, Action::Quit { keep_running: true }));
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
            let words = describe(&pending.record);
            let text = format!("{}: {}", words.title, words.what);
            let id = format!("approval:{}", pending.record.approval_id);
            command(&id, &notices::cut(&text, 60), true, notices::review(&pending.record.approval_id))
        })
        .collect();
    if waiting > rows.len() {
        rows.push(label("approvals:more", &format!("and {} more", waiting - rows.len())));
    }
    let in_dashboard = Action::Open { place: Place::section("approvals") };
    if waiting == 0 {
        let text = if agent.inbox.is_current() { "Nothing waits" } else { "Not known: the gateway does not answer" };
        rows.push(label("approvals:none", text));
    }
    rows.push(command("approvals:all", "Review all in dashboard", true, in_dashboard));
    let title = match most_urgent.first() {
        Some(worst) => format!(
            "Approvals ({waiting}), highest risk {}{}",
            risk_word(worst.record.prompt.risk_level).to_lowercase(),
            if agent.inbox.is_current() { "" } else { ", not up to date" }
        ),
        None if agent.inbox.is_current() => "Approvals".to_owned(),
        None => "Approvals (not known)".to_owned(),
    };
    submenu("approvals", &title, rows)
}

fn go_to() -> Item {
    let places = [
        ("approvals", "Approvals"),
        ("sessions", "Sessions"),
        ("access", "Access"),
        ("channels", "Channels"),
        ("browser", "Browser"),
        ("auth", "Provider sign-in"),
        ("config", "Config"),
        ("secrets", "Secrets"),
        ("operations", "Diagnostics"),
    ];
    let rows = places
        .into_iter()
        .map(|(section, name)| {
            command(&format!("go:{section}"), name, true, Action::Open { place: Place::section(section) })
        })
        .collect();
    submenu("go", "Go to", rows)
}

fn set_up(agent: &Agent) -> Item {
    let reached = &agent.reached;
    let name = match (reached.complete, reached.done) {
        (true, _) => "Set up again…".to_owned(),
        (false, 0) => "Set up Palyra…".to_owned(),
        (false, done) => format!("Continue set-up… ({done} of {} done)", reached.total),
    };
    let rows = vec![
        command("setup:continue", &name, true, Action::ContinueSetup),
        command("setup:checks", "Run checks…", true, Action::RunChecks),
        command("setup:profile", &agent.profile_entry(), !agent.is_switching(), Action::ProfileDialog),
    ];
    submenu("setup", "Set-up and support", rows)
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
        rows.push(tick("autostart", "Start on login", enabled, checked, Action::SetAutostart { enabled: !checked }));
    }
    let follows = agent.config_restarts();
    let action = Action::SetConfigRestarts { enabled: !follows };
    rows.push(tick("config:restarts", text::CONFIG_RESTARTS, !agent.setup.config_manual, follows, action));
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
    submenu("preferences", "Preferences", rows)
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
        rows.push(row("pid", &format!("Process {}", record.sidecar.pid)));
    }
    if !service.ports.is_empty() && service.run.is_some() {
        let ports: Vec<_> = service.ports.iter().map(|(purpose, port)| format!("{purpose} {port}")).collect();
        rows.push(row("ports", &notices::cut(&format!("Ports: {}", ports.join(", ")), 60)));
    }
    if !service.trouble.is_empty() {
        rows.push(row("trouble", &notices::cut(&text::capitalise(&service.trouble), 60)));
    }
    if let Some(exit) = &service.last_exit {
        let said = exit.cause.said.as_ref().map(|said| format!("It last said: {said}"));
        let next = text::next(service, now).filter(|_| service.phase == Phase::GivenUp);
        for (key, words) in [
            ("exit", Some(format!("Last time it {}", exit.cause.what))),
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
        rows.push(command(&format!("{id}:write"), text::WRITE_PORTS, true, Action::WritePorts { service: Some(id) }));
    }
    if !rows.is_empty() {
        rows.push(separator(&format!("{id}:s")));
    }
    let off = off || (id == ServiceId::NodeHost && !agent.setup.node_host);
    let can_restart = !off && agent.fleet.get(ServiceId::Gateway).goal == Goal::Up;
    rows.push(command(&format!("{id}:restart"), "Restart", can_restart, Action::Restart { service: Some(id) }));
    rows.push(command(&format!("{id}:log"), "Show log", true, Action::ShowLog { service: id }));
    if id == ServiceId::Browserd {
        let enabled = agent.setup.browser;
        rows.push(tick("browserd:enabled", "Enabled", true, enabled, Action::SetBrowser { enabled: !enabled }));
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
        (true, false) => vec![row(NodeTask::Enrol, "Enrol…")],
        (true, true) => vec![row(NodeTask::Repair, "Repair…"), row(NodeTask::Reset, "Reset…")],
        (false, true) => vec![row(NodeTask::Reset, "Reset…")],
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
