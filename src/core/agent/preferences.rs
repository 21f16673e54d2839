//! The preferences: applied while the agent runs, whoever changed them.

use super::Agent;
use crate::config::settings::{self, Settings};
use crate::core::companion::Kind;
use crate::core::event::{Effect, Ticket};
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::Urgency;
use crate::words;

/// After the last sign of a write, milliseconds: an editor empties the file before it fills it.
pub const SETTLE_MS: u64 = 300;
/// Key of the notification that not all of it is understood.
const NOTICE: &str = "event:settings";

impl Agent {
    pub(super) fn settings_read(
        &mut self,
        settings: &Settings,
        warnings: Vec<String>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        if warnings.is_empty() {
            self.events.remove(NOTICE);
        } else if warnings != self.setup.settings_warnings {
            let body: Vec<_> = warnings.iter().map(|warning| text::sentence(warning)).collect();
            self.tell(
                NOTICE,
                (words::agent::NOT_ALL_OF_SETTINGS_IS_UNDERSTOOD, &body.join(" ")),
                Vec::new(),
                Urgency::Normal,
            );
        }
        self.setup.settings_warnings = warnings;
        self.setup.silent.clone_from(&settings.silent);
        self.setup.telemetry = settings.telemetry;
        self.node.allowed = settings.enrolment;
        if settings.config_restarts != self.setup.config_restarts {
            self.setup.config_restarts = settings.config_restarts;
            self.config.look_now(now.mono_ms);
        }
        if settings.browser != self.setup.browser {
            self.use_browser(None, settings.browser, now, effects);
        }
    }

    pub(super) fn set_notifications(
        &mut self,
        ticket: Option<Ticket>,
        kind: Kind,
        on: bool,
        effects: &mut Vec<Effect>,
    ) {
        let changed = if on { self.setup.silent.remove(&kind) } else { self.setup.silent.insert(kind) };
        if changed {
            effects.push(Effect::SaveSwitch(settings::notifications(kind), on));
        }
        self.done(ticket, if changed { words::common::SET } else { words::common::NOTHING_TO_CHANGE }, effects);
    }

    pub(super) fn settle_settings(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.settings_due.is_some_and(|due| now.mono_ms >= due) {
            self.settings_due = None;
            effects.push(Effect::LookAtSettings);
        }
    }
}
