//! What the set-up asks of the agent. What the core knows by itself is answered here; the rest goes to the shell.

use super::{Agent, COMPANION};
use crate::core::event::{Effect, Secrets, SetUp, Ticket};
use crate::core::service::Goal;
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::{Button, Urgency};
use crate::protocol::setup::{SetupFacts, SetupRequest};
use crate::protocol::{Action, Failure, FailureCode, ServiceId};
use crate::words;

/// Key of the test notification.
const TEST_NOTICE: &str = "event:test";

impl Agent {
    pub(super) fn set_up(&mut self, ticket: Ticket, request: SetupRequest, effects: &mut Vec<Effect>) {
        // whatever became of the last one, this one is open
        self.events.remove(COMPANION);
        match request {
            SetupRequest::Facts => effects.push(Effect::GatherFacts(ticket, Box::new(self.known_facts()))),
            SetupRequest::Reached(reached) => {
                self.reached = reached;
                self.done(Some(ticket), words::set_up::NOTED, effects);
            }
            SetupRequest::TestNotification => self.test_notification(ticket, effects),
            SetupRequest::UseDataFolder { .. } if self.fleet.iter().any(|service| service.run.is_some()) => {
                let failure = Failure::new(
                    FailureCode::Refused,
                    words::set_up::DATA_FOLDER_CANNOT_BE_CHANGED_WHILE,
                    words::set_up::STOP_IT_FIRST,
                );
                self.fail(Some(ticket), failure, effects);
            }
            request @ (SetupRequest::UseFolder { .. }
            | SetupRequest::UseDataFolder { .. }
            | SetupRequest::TurnChatsOn) => effects.push(Effect::SetUp(ticket, request)),
            request => self.ask_gateway(ticket, Effect::SetUp(ticket, request), effects),
        }
    }

    pub(super) fn was_set_up(&mut self, ticket: Ticket, outcome: SetUp, now: Now, effects: &mut Vec<Effect>) {
        match outcome {
            SetUp::Answer(reply) => effects.push(Effect::Reply(ticket, reply)),
            SetUp::RestartGateway => {
                let mut orders = Vec::new();
                let gateway = self.fleet.get_mut(ServiceId::Gateway);
                gateway.want(Goal::Up);
                gateway.restart(&mut orders);
                self.perform(ServiceId::Gateway, orders, effects);
                self.wait(Some(ticket), Goal::Up, vec![ServiceId::Gateway], now);
            }
        }
    }

    fn known_facts(&self) -> SetupFacts {
        let gateway = self.fleet.get(ServiceId::Gateway);
        let server = self.desktop.notifications.as_ref();
        let (secrets, secrets_problem) = match &self.secrets {
            Secrets::Unknown => ("unknown", ""),
            Secrets::Ready { place, warning } => (place.as_str(), warning.as_str()),
            Secrets::Waiting(why) => ("waiting", why.as_str()),
            Secrets::Failed(why) => ("failed", why.as_str()),
        };
        SetupFacts {
            gateway_problem: if gateway.is_ready() { String::new() } else { text::gateway_not_ready(self) },
            signed_in: gateway.is_ready(),
            tray_present: self.desktop.tray_present,
            tray: self.desktop.tray.clone(),
            notification_server: server.map(|server| server.name.clone()).unwrap_or_default(),
            notification_buttons: server.is_some_and(|server| server.actions),
            secrets: secrets.to_owned(),
            secrets_problem: secrets_problem.to_owned(),
            demo: self.setup.demo,
            ..SetupFacts::default()
        }
    }

    fn test_notification(&mut self, ticket: Ticket, effects: &mut Vec<Effect>) {
        if self.desktop.notifications.is_none() {
            let failure = Failure::new(
                FailureCode::Failed,
                words::set_up::NO_NOTIFICATION_SERVER_ANSWERS,
                words::set_up::INSTALL_ONE_FOR_EXAMPLE_DUNST,
            );
            return self.fail(Some(ticket), failure, effects);
        }
        let buttons = vec![Button {
            label: words::set_up::IT_WORKS.to_owned(),
            action: Action::Dismiss { notice: TEST_NOTICE.to_owned() },
        }];
        self.tell(TEST_NOTICE, text::TEST_NOTIFICATION, buttons, Urgency::Normal);
        self.done(Some(ticket), words::set_up::SENT, effects);
    }
}
