//! The menu of a remote profile: nothing runs here, so little is to be done here.

use super::{command, label, recent, separator, set_up};
use crate::core::agent::Agent;
use crate::core::notices;
use crate::core::remote::Remote;
use crate::core::view::{Base, Item};
use crate::protocol::{Action, Place};

/// The rows between the first line and the recent events, and behind them.
pub(super) fn menu(agent: &Agent, remote: &Remote, base: Base, line: &str) -> Vec<Item> {
    let mut items = vec![label("status", &format!("{} {}", super::dot(base), notices::cut(line, 120)))];
    if let Some(target) = remote.target() {
        let pinned = match remote.is_connected() {
            true => format!("{}: it shows the pinned certificate", target.host),
            false => format!("{}: certificate pinned", target.host),
        };
        items.push(label("remote", &notices::cut(&pinned, 80)));
    }
    items.push(separator("s1"));
    items.push(command("open", "Open Dashboard", true, Action::Open { place: Place::default() }));
    items.push(command("restart", "Look again", true, Action::Restart { service: None }));
    items.push(separator("s2"));
    items.extend(recent(agent));
    items.push(set_up(agent));
    items.push(super::preferences(agent));
    items.push(separator("s4"));
    items.push(command("quit", "Quit", true, Action::Quit { keep_running: false }));
    items
}
