//! The menu of a remote profile: nothing runs here, so little is to be done here.

use super::{command, label, recent, separator, set_up};
use crate::core::agent::Agent;
use crate::core::notices;
use crate::core::remote::Remote;
use crate::core::view::{Base, Item};
use crate::protocol::{Action, Place};
use crate::words::remote as words;

/// The rows between the first line and the recent events, and behind them.
pub(super) fn menu(agent: &Agent, remote: &Remote, base: Base, line: &str) -> Vec<Item> {
    let mut items = vec![label("status", &format!("{} {}", super::dot(base), notices::cut(line, 120)))];
    if let Some(target) = remote.target() {
        let pinned = match (&target.pin, remote.is_connected()) {
            (None, _) => words::no_certificate_pinned(&target.host),
            (Some(_), true) => words::shows_pinned_certificate(&target.host),
            (Some(_), false) => words::certificate_pinned(&target.host),
        };
        items.push(label("remote", &notices::cut(&pinned, 80)));
    }
    items.push(separator("s1"));
    items.push(command("open", crate::words::buttons::OPEN_DASHBOARD, true, Action::Open { place: Place::default() }));
    items.push(command("restart", crate::words::common::LOOK_AGAIN, true, Action::Restart { service: None }));
    items.push(separator("s2"));
    items.extend(recent(agent));
    items.push(set_up(agent));
    items.push(super::preferences(agent));
    items.push(separator("s4"));
    items.push(command("quit", words::QUIT, true, Action::Quit { keep_running: false }));
    items
}
