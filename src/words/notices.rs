//! Notifications, and what Recent lists.

use std::fmt::Display;

pub fn recent_line(mark: impl Display, id: impl Display, title: impl Display, ago: impl Display) -> String {
    format!("{mark} {id}  {title}, {ago} ago\n")
}

pub const NOTHING_HAS_HAPPENED_YET: &str = "Nothing has happened yet.\n";
pub const IS_NEW_TO_MARK_ALL: &str = "* is new. To mark all as read: palyra-tray recent --mark-read\n";

pub fn is_down(name: impl Display) -> String {
    format!("{name} is down")
}

pub fn is_back(id: impl Display) -> String {
    format!("{id} is back")
}

pub fn it_was_down(time: impl Display) -> String {
    format!("It was down for {time}.")
}

pub const WHILE_SCREEN_WAS_LOCKED: &str = "While the screen was locked";
pub const RUN_FAILED: &str = "A run failed";
pub const RUN_WAS_ENDED: &str = "A run was ended";
pub const RUN_FINISHED: &str = "A run finished";
pub const OPEN_CONFIG: &str = "Open config";
pub const PALYRA_USES_OTHER_PORTS: &str = "Palyra uses other ports";
pub const THIS_EVENT_IS_NOT_KEPT_ANY: &str = "this event is not kept any more";
pub const SEE_WHAT: &str = "See what is: palyra-tray recent";
pub const THERE_IS_NOTHING_TO_OPEN: &str = "There is nothing to open. It is marked as read.";
pub const NOTHING_IS_UNREAD: &str = "Nothing is unread.";
pub const EVENT_IS_MARKED_AS_READ: &str = "1 event is marked as read.";

pub fn events_are_marked_as_read(count: impl Display) -> String {
    format!("{count} events are marked as read.")
}

pub fn failed_and_is_back(id: impl Display, times: impl Display) -> String {
    format!("{id} failed and is back{times}.")
}

pub const COUNTED_RUN_FINISHED: &str = "run finished";
pub const COUNTED_RUNS_FINISHED: &str = "runs finished";
pub const COUNTED_APPROVAL_DENIED: &str = "approval was denied";
pub const COUNTED_APPROVALS_DENIED: &str = "approvals were denied";

pub fn all_asked(name: impl Display) -> String {
    format!("All asked by {name}")
}

pub fn approvals_wait(all: impl Display) -> String {
    format!("{all} approvals wait")
}

pub const MORE_APPROVAL_WAITS: &str = "1 more approval waits";

pub fn more_approvals_wait(count: impl Display) -> String {
    format!("{count} more approvals wait")
}

pub const MORE_THAN_CAN_BE_SHOWN_ONE: &str = "More than can be shown one by one";
pub const APPROVAL_WAITS: &str = "1 approval waits";
pub const UNLOCK_SCREEN_TO_SEE_WHAT: &str = "Unlock the screen to see what is asked.";
pub const TIME_TO_ANSWER_UNDER: &str = "Time to answer: under a minute.";

pub fn time_to_answer(left: impl Display) -> String {
    format!("Time to answer: {left} min.")
}

pub fn asked_by(who: impl Display, left: impl Display) -> String {
    format!("Asked by {who}. {left}")
}

pub const TO_ANSWER_OPEN_DASHBOARD_FROM_PALYRA_ICON: &str =
    "\nTo answer, open the dashboard from the Palyra icon, or run: palyra-tray approvals list";

pub fn highest_risk(from: impl Display, risk: impl Display, how: impl Display) -> String {
    format!("{from}. Highest risk: {risk}.{how}")
}

pub const TO_ANSWER_OPEN_DASHBOARD_FROM_PALYRA: &str = "\nTo answer, open the dashboard from the Palyra icon.";
pub const GATEWAYS_LIST_OF_SESSIONS: &str = "the gateway's list of sessions is not understood";

pub fn times(count: impl Display) -> String {
    format!(", {count} times")
}

pub const UNTITLED: &str = "Untitled";
pub const NOTIFICATIONS_WORK: &str = "Notifications work";
pub const PALYRA_ASKS_LIKE_THIS: &str = "When an agent needs your permission, Palyra asks you like this.";
pub const NOTIFICATIONS_OFF: &str =
    "notifications are switched off (desktop_notifications_enabled): look at the icon and its menu";
