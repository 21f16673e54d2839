//! What a person would see, line by line.

use super::World;
use crate::core::service::{Phase, StopReason};
use crate::core::view::{Item, ItemKind, View};
use crate::protocol::{Action, Reply};

impl World {
    pub(super) fn tell_difference(&mut self, view: &View) {
        let old = std::mem::take(&mut self.shown);
        if view.icon != old.icon || view.tooltip != old.tooltip {
            let badge = match view.icon.badge.approvals {
                0 if view.icon.badge.active => " [•]".to_owned(),
                0 => String::new(),
                n => format!(" [{n}{}]", if view.icon.badge.critical { "!" } else { "" }),
            };
            self.note(format!("icon {}{badge}, \"{}\"", crate::core::health::name(view.icon.base), view.tooltip));
        }
        for (key, notice) in &view.notices {
            if old.notices.get(key) != Some(notice) {
                let buttons: Vec<_> = notice.buttons.iter().map(|button| format!("[{}]", button.label)).collect();
                let body = notice.body.replace('\n', " / ");
                self.note(format!("notification \"{}\": {body} {}", notice.title, buttons.join(" ")));
            }
        }
        for (key, notice) in &old.notices {
            if !view.notices.contains_key(key) {
                self.note(format!("withdraws \"{}\"", notice.title));
            }
        }
    }

    pub(super) fn note(&mut self, text: String) {
        self.timeline.push(format!("{} {}", self.clock(), text.trim_end()));
    }

    pub(super) fn clock(&self) -> String {
        format!("{:>9.3}", self.now.mono_ms as f64 / 1_000.0)
    }
}

/// A menu as indented text.
pub fn print_menu(items: &[Item], depth: usize) -> String {
    let mut text = String::new();
    for item in items {
        let indent = "    ".repeat(depth + 2);
        match &item.kind {
            ItemKind::Separator => text.push_str(&format!("{indent}--\n")),
            ItemKind::Command { label, enabled, .. } => {
                text.push_str(&format!("{indent}{label}{}\n", if *enabled { "" } else { "  (grey)" }));
            }
            ItemKind::Check { label, checked, .. } => {
                text.push_str(&format!("{indent}{} {label}\n", if *checked { "[x]" } else { "[ ]" }))
            }
            ItemKind::Submenu { label, items, .. } => {
                text.push_str(&format!("{indent}{label} >\n{}", print_menu(items, depth + 1)));
            }
        }
    }
    text
}

pub(super) fn phase_name(phase: &Phase) -> &'static str {
    match phase {
        Phase::Unknown => "unknown",
        Phase::Stopped => "stopped",
        Phase::Starting { .. } => "starting",
        Phase::Ready { .. } => "ready",
        Phase::Unhealthy { .. } => "unhealthy",
        Phase::Stopping { why: StopReason::Asked } => "stopping: asked",
        Phase::Stopping { why: StopReason::Restart } => "stopping: restart",
        Phase::Stopping { why: StopReason::Sick } => "stopping: sick",
        Phase::Stopping { why: StopReason::SlowStart } => "stopping: slow start",
        Phase::BackingOff { .. } => "backing off",
        Phase::GivenUp => "given up",
    }
}

pub(super) fn find_in_menu(items: &[Item], wanted: &str) -> Option<Action> {
    items.iter().find_map(|item| match &item.kind {
        ItemKind::Command { label, enabled: true, action } if label == wanted => action.clone(),
        ItemKind::Check { label, enabled: true, action, .. } if label == wanted => Some(action.clone()),
        ItemKind::Submenu { items, .. } => find_in_menu(items, wanted),
        _ => None,
    })
}

pub(super) fn first_words(reply: &Reply) -> String {
    match reply {
        Reply::Done(text) => text.clone(),
        Reply::Error(failure) => format!("refused, {}", failure.message),
        Reply::Data(_) => "data".to_owned(),
    }
}
