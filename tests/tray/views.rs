//! The views that are shown, and the menus that a host has to see then, written by hand.

use palyra_tray::{
    core::view::{Badge, Base, Icon, Item, ItemKind, View},
    protocol::{Action, Place, Verdict},
};

use super::desk::Row;

pub fn named(name: &str) -> View {
    let (rows, base, tooltip) = match name {
        "plain" => (1, Base::Healthy, "A & B <c>"),
        "changed" => (1, Base::Down, "changed"),
        "grown" => (2, Base::Healthy, "grown"),
        _ => panic!("no view {name}"),
    };
    let changed = name == "changed";
    let (approvals, critical) = (rows, changed);
    let status = if changed { "Down" } else { "Healthy: a_b & c" };
    let menu = vec![
        command("status", status, false, None),
        submenu("approvals", true, (1..=rows).map(approval).collect()),
        submenu("shut", false, vec![command("hidden", "Hidden away", true, Some(open("overview")))]),
        Item { id: "line".to_owned(), kind: ItemKind::Separator },
        command("dashboard", "Open Dashboard", !changed, Some(open("overview"))),
        Item {
            id: "browser".to_owned(),
            kind: ItemKind::Check {
                label: "Browser".to_owned(),
                enabled: true,
                checked: !changed,
                action: browser_off(),
            },
        },
        command("approve", "Approve", true, Some(decide())),
        command("quit", "Quit", false, Some(Action::Quit { keep_running: false })),
    ];
    let icon = Icon { base, badge: Badge { approvals, critical, ..Badge::default() } };
    View { icon, tooltip: tooltip.to_owned(), menu, ..View::default() }
}

pub fn numbered(n: u32) -> View {
    let plain = named("plain");
    View { tooltip: format!("number {n}"), menu: vec![command("n", &n.to_string(), true, None)], ..plain }
}

pub fn rows(name: &str) -> Vec<Row> {
    let changed = name == "changed";
    let mut approvals = vec![plain("Review approval 1", true)];
    if name == "grown" {
        approvals.push(plain("Review approval 2", true));
    }
    vec![
        plain(if changed { "Down" } else { "Healthy: a__b & c" }, false),
        Row { rows: approvals, ..plain("approvals", true) },
        Row { rows: vec![plain("Hidden away", true)], ..plain("shut", false) },
        Row { separator: true, ..plain("", true) },
        plain("Open Dashboard", !changed),
        Row { tick: Some(i32::from(!changed)), ..plain("Browser", true) },
        plain("Approve", true),
        plain("Quit", false),
    ]
}

pub fn open(section: &str) -> Action {
    Action::Open { place: Place::section(section) }
}

pub fn browser_off() -> Action {
    Action::SetBrowser { enabled: false }
}

pub fn json(action: &Action) -> String {
    serde_json::to_string(action).expect("JSON")
}

fn decide() -> Action {
    Action::Decide { approval_id: "1".to_owned(), digest: "d".to_owned(), verdict: Verdict::Approve }
}

fn approval(n: u32) -> Item {
    command(&format!("approval:{n}"), &format!("Review approval {n}"), true, Some(open("approvals")))
}

fn command(id: &str, label: &str, enabled: bool, action: Option<Action>) -> Item {
    Item { id: id.to_owned(), kind: ItemKind::Command { label: label.to_owned(), enabled, action } }
}

fn submenu(id: &str, enabled: bool, items: Vec<Item>) -> Item {
    Item { id: id.to_owned(), kind: ItemKind::Submenu { label: id.to_owned(), enabled, items } }
}

fn plain(label: &str, enabled: bool) -> Row {
    Row { id: 0, label: label.to_owned(), enabled, separator: false, tick: None, rows: Vec::new() }
}
