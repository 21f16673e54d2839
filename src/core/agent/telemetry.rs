//! Usage events of the whole agent: told while the person wants that and the gateway can be asked, dropped otherwise.

use super::Agent;
use crate::config::settings::TELEMETRY;
use crate::core::ask::Intent;
use crate::core::decisions::{Made, Surface};
use crate::core::event::{Effect, Ticket};
use crate::core::telemetry::{self, UsageEvent};
use crate::words;

impl Agent {
    pub(super) fn usage(&mut self, event: UsageEvent, effects: &mut Vec<Effect>) {
        if self.setup.telemetry && self.inbox.is_open() {
            effects.extend(self.telemetry.tell(event).map(Effect::TellUsage));
        }
    }

    /// Of the windows that are opened now.
    pub(super) fn usage_of_windows(&mut self, effects: &mut Vec<Effect>) {
        let opened = effects.iter().filter_map(|effect| match effect {
            Effect::Open(companion) => telemetry::surface(companion),
            _ => None,
        });
        for section in opened.collect::<Vec<_>>() {
            self.usage(telemetry::surface_opened(section), effects);
        }
    }

    /// A message is in the gateway's books, and the session that was used last is still the one before.
    pub(super) fn usage_of_message(&mut self, intent: &Intent, effects: &mut Vec<Effect>) {
        let session_id = intent.session.as_ref().map(|session| session.id.clone()).unwrap_or_default();
        if self.companion.profile().session_id.as_ref() != Some(&session_id) {
            self.usage(telemetry::session_resumed(&session_id), effects);
        }
        self.usage(telemetry::prompt_submitted(&session_id), effects);
    }

    /// Only what a person decided: what a pause denies is no use of anything.
    pub(super) fn usage_of_decision(&mut self, made: Option<Made>, effects: &mut Vec<Effect>) {
        if let Some(Made { verdict, about, surface: Surface::Notification | Surface::Review | Surface::Cli }) = made {
            self.usage(telemetry::approval_resolved(verdict, about), effects);
        }
    }

    pub(super) fn set_telemetry(&mut self, ticket: Option<Ticket>, on: bool, effects: &mut Vec<Effect>) {
        if self.setup.telemetry == on {
            return self.done(ticket, words::common::NOTHING_TO_CHANGE, effects);
        }
        self.setup.telemetry = on;
        effects.push(Effect::SaveSwitch(TELEMETRY, on));
        self.done(ticket, words::common::SET, effects);
    }
}
