//! What the agent remembers: kept from what happens, and written when it changed.

use super::events::shown_by;
use super::{Agent, EventNotice};
use crate::core::companion::{Connection, Flag, Kind, saving};
use crate::core::event::{Effect, Ticket};
use crate::core::service::{Goal, Phase};
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::Urgency;
use crate::protocol::{Reply, ServiceId};
use crate::words;

/// Key of the notification that the disk takes nothing.
const NOTICE: &str = "event:state";
/// Key of the one about the earlier desktop app's files.
const IMPORTED: &str = "event:imported";

/// What a notification is about, by its key; absent: it answers what the person has just done, so it is always shown, and
/// never kept.
pub fn kind(key: &str) -> Option<Kind> {
    let about = key.strip_prefix("event:");
    let first = about.unwrap_or(key).split(':').next().unwrap_or_default();
    match (about.is_some(), first) {
        (false, _) | (true, "decision") => Some(Kind::Approval),
        (_, "elsewhere" | "handoff" | "flood" | "pause" | "certificate") => Some(Kind::Alarm),
        (_, "gateway" | "browserd" | "remote" | "ports") => Some(Kind::Service),
        (_, "node_host") if [":given_up", ":down", ":recovered"].iter().any(|end| key.ends_with(end)) => {
            Some(Kind::Service)
        }
        (_, "node_host") => Some(Kind::Node),
        (_, "config" | "settings") => Some(Kind::Config),
        (_, "run") => Some(Kind::Run),
        (_, "draft") => Some(Kind::Draft),
        (_, "away") => Some(Kind::Away),
        (_, "activated" | "test" | "open" | "refused" | "log" | "companion") => None,
        _ => Some(Kind::Agent),
    }
}

impl Agent {
    /// How the gateway is reached.
    pub fn connection(&self) -> Connection {
        if let Some(remote) = &self.remote {
            return remote.connection();
        }
        let gateway = self.fleet.get(ServiceId::Gateway);
        if gateway.is_ready() {
            Connection::Connected
        } else if gateway.goal == Goal::Up && gateway.phase != Phase::GivenUp {
            Connection::Reconnecting
        } else {
            Connection::Offline
        }
    }

    /// Whether the person wants to see this notification.
    pub fn may_notify(&self, key: &str) -> bool {
        let Some(kind) = kind(key) else { return true };
        self.companion.allows(Flag::DesktopNotificationsEnabled) && !self.setup.silent.contains(&kind)
    }

    /// Answers a client once what was changed is on the disk; when it cannot get there, the answer says so.
    pub(super) fn done_when_kept(&mut self, ticket: Option<Ticket>, text: &str) {
        if let Some(ticket) = ticket {
            self.companion.saving.promise(self.companion.revision(), ticket, text.to_owned());
        }
    }

    pub(super) fn set_flag(&mut self, ticket: Option<Ticket>, flag: Flag, on: bool, effects: &mut Vec<Effect>) {
        if self.companion.set_flag(flag, on) {
            return self.done_when_kept(ticket, text::flag_set(flag));
        }
        self.done(ticket, words::common::NOTHING_TO_CHANGE, effects);
    }

    /// What the earlier desktop app left is taken up, and told.
    pub(super) fn take_up_earlier(&mut self, now: Now) {
        let Some(earlier) = self.setup.earlier.take() else { return };
        self.companion.import(earlier, now);
        self.tell_imported();
    }

    pub(super) fn earlier_secrets(&mut self, taken: Vec<String>, left: Vec<String>, now: Now) {
        self.companion.imported_more(taken, left, now);
        self.tell_imported();
    }

    fn tell_imported(&mut self) {
        let Some(report) = self.companion.state().imported.clone() else { return };
        if !report.taken.is_empty() || !report.left.is_empty() {
            let body = text::taken_over(&report);
            self.tell(IMPORTED, (words::companion::FROM_EARLIER_DESKTOP_APP, &body), Vec::new(), Urgency::Low);
        }
    }

    /// Shows a notification, and keeps it among the recent ones.
    pub(super) fn insert_notice(&mut self, key: &str, notice: EventNotice) {
        let notice = self.hide_in_notice(notice);
        if let Some(kind) = kind(key)
            && self.events.get(key) != Some(&notice)
        {
            self.told.push((kind, notice.clone()));
        }
        self.happened.told(key);
        self.events.insert(key.to_owned(), notice);
    }

    /// Everything that is remembered is on the disk, or cannot get there.
    pub(super) fn is_kept(&self) -> bool {
        self.companion.saving.is_idle(self.companion.revision())
    }

    pub(super) fn state_saved(&mut self, outcome: Result<(), String>, now: Now) {
        let failed = outcome.is_err();
        if self.companion.saving.saved(outcome, now) {
            let body = text::sentence(&self.companion.saving.trouble());
            self.tell(NOTICE, (words::companion::CANNOT_WRITE_ITS_STATE, &body), Vec::new(), Urgency::Normal);
        } else if !failed {
            self.events.remove(NOTICE);
        }
    }

    pub(super) fn settle_companion(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for (kind, notice) in std::mem::take(&mut self.told) {
            self.companion.notify(kind, &notice.title, &notice.body, shown_by(&notice), now);
        }
        self.companion.set_connection(self.connection(), now);
        if self.companion.profile().onboarding.reached != self.reached {
            self.companion.set_reached(self.reached.clone(), now);
        }
        let ending = self.is_ending();
        let revision = self.companion.revision();
        for order in self.companion.saving.step(revision, ending, now) {
            effects.push(match order {
                saving::Order::Write => Effect::SaveState(Box::new(self.companion.state().clone())),
                saving::Order::Answer(ticket, text) => Effect::Reply(ticket, Reply::Done(text)),
            });
        }
    }
}
