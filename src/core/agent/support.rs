//! The support bundle: made by a program beside the agent, told by the agent.

use serde_json::{Value, json};

use super::{Agent, COMPANION};
use crate::core::event::{Companion, Effect, Ticket};
use crate::core::view::{Button, Urgency};
use crate::core::{describe, notices, support};
use crate::protocol::{Action, Failure, FailureCode, Reply};
use crate::words;

/// Key of the notification that it is ready.
const NOTICE: &str = "event:bundle";
/// Longest body, characters.
const BODY: usize = 600;

impl Agent {
    pub(super) fn export_bundle(&mut self, ticket: Option<Ticket>, effects: &mut Vec<Effect>) {
        // an impatient person clicks again, and wants one bundle all the same
        if self.asking.insert(Companion::Bundle) {
            self.events.remove(NOTICE);
            self.events.remove(COMPANION);
            effects.push(Effect::Open(Companion::Bundle));
        }
        self.done(ticket, words::support::SUPPORT_BUNDLE_IS_BEING_MADE, effects);
    }

    pub(super) fn bundle_made(&mut self, ticket: Ticket, path: &str, lacks: &[String], effects: &mut Vec<Effect>) {
        let body = words::support::it_holds_no_secrets(path, support::told(lacks));
        let body = notices::cut(&describe::visible(&body), BODY);
        let buttons = vec![Button { label: words::support::SHOW_FILE.to_owned(), action: Action::ShowBundles }];
        self.tell(NOTICE, (words::support::SUPPORT_BUNDLE_IS_READY, &body), buttons, Urgency::Normal);
        self.done(Some(ticket), words::support::TOLD, effects);
    }

    pub(super) fn palyra_exported(&mut self, ticket: Ticket, export: Result<Value, String>, effects: &mut Vec<Effect>) {
        let reply = match export {
            Ok(export) => Reply::Data(json!({ "export": export })),
            Err(why) => Reply::Error(Failure::new(FailureCode::Failed, why, "")),
        };
        effects.push(Effect::Reply(ticket, reply));
    }
}
