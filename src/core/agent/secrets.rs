//! The secrets, as part of the agent: what is asked about them, and who starts again with new ones.

use std::collections::BTreeMap;

use super::Agent;
use crate::core::event::{Effect, Secrets, Ticket};
use crate::core::secrets::{self, Look, Rotated};
use crate::core::service::{Goal, Phase};
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::Urgency;
use crate::protocol::secrets::{SecretName, SecretsRequest};
use crate::protocol::{Failure, FailureCode, Reply, ServiceId};
use crate::words;

/// Key of the notification.
const NOTICE: &str = "event:secrets";

impl Agent {
    pub(super) fn secrets_asked(&mut self, ticket: Ticket, request: SecretsRequest, effects: &mut Vec<Effect>) {
        match request {
            SecretsRequest::Status => effects.push(Effect::LookAtSecrets(ticket)),
            SecretsRequest::Rotate { names, lose_profiles } => {
                let planned =
                    self.may_rotate().and_then(|()| secrets::plan(&names, lose_profiles, &self.secrets_named()));
                match planned {
                    Ok(names) => {
                        self.rotation.making = true;
                        effects.push(Effect::Rotate(ticket, names));
                    }
                    Err(failure) => self.fail(Some(ticket), failure, effects),
                }
            }
        }
    }

    pub(super) fn secrets_looked(&mut self, ticket: Ticket, look: &Look, now: Now, effects: &mut Vec<Effect>) {
        let under_way = self.rotation.making || !self.rotation.stale().is_empty();
        let document = secrets::document(look, &self.secrets_named(), under_way, now);
        effects.push(Effect::Reply(ticket, Reply::Data(document)));
    }

    /// New secrets were made, or not. Without a ticket nobody waits: it was begun by an earlier agent, or came late.
    pub(super) fn rotated(&mut self, ticket: Option<Ticket>, rotated: Rotated, now: Now, effects: &mut Vec<Effect>) {
        self.rotation.making = false;
        match rotated {
            Rotated::Stored(names) => self.renew(ticket, &names, now, effects),
            Rotated::Not(why) => {
                if ticket.is_some() {
                    self.fail(
                        ticket,
                        Failure::new(FailureCode::Failed, why, words::common::NOTHING_WAS_CHANGED),
                        effects,
                    );
                }
            }
            Rotated::Unfinished(why) => {
                let body = format!("{} {}", text::sentence(&why), words::secrets::UNFINISHED);
                self.tell(NOTICE, (words::secrets::SECRETS_WERE_NOT_ALL_CHANGED, &body), Vec::new(), Urgency::Normal);
                if ticket.is_some() {
                    self.fail(ticket, Failure::new(FailureCode::Failed, why, words::secrets::UNFINISHED), effects);
                }
            }
        }
    }

    /// Who runs with an old secret starts again, unless all is about to end.
    pub(super) fn settle_rotation(&mut self, effects: &mut Vec<Effect>) {
        for (id, run) in self.rotation.stale() {
            let service = self.fleet.get(id);
            let living = service.run.as_ref().map(|run| run.id.clone());
            match (run, living) {
                (Some(old), Some(living)) if old == living => {}
                // found alive: a sidecar of an earlier agent
                (None, Some(living)) => {
                    self.rotation.outlived_by(id, Some(living));
                    self.start_again(id, effects);
                }
                (None, None) if service.phase == Phase::Unknown => {}
                _ => self.rotation.renewed(id),
            }
        }
        if self.rotation.is_over() {
            effects.push(Effect::RotationOver);
        }
    }

    fn renew(&mut self, ticket: Option<Ticket>, names: &[SecretName], now: Now, effects: &mut Vec<Effect>) {
        self.events.remove(NOTICE);
        let mut waited_for = Vec::new();
        for id in self.rotation.stored(names) {
            let service = self.fleet.get(id);
            if !service.is_up() {
                continue;
            }
            let run = service.run.as_ref().map(|run| run.id.clone());
            if run.is_some() && service.goal == Goal::Up {
                waited_for.push(id);
            }
            let lives = run.is_some();
            self.rotation.outlived_by(id, run);
            if lives {
                self.start_again(id, effects);
            }
        }
        let words = secrets::are_new(names);
        if waited_for.is_empty() {
            return self.done(ticket, &words::secrets::nothing_that_uses_it_was_running(&words), effects);
        }
        let words = format!("{words} {}", text::reached(Goal::Up, &waited_for));
        self.wait_and_say(ticket, Goal::Up, waited_for, words, now);
    }

    fn start_again(&mut self, id: ServiceId, effects: &mut Vec<Effect>) {
        let ending = self.is_ending();
        let service = self.fleet.get_mut(id);
        // what is on its way down goes there
        if service.goal == Goal::Up && !ending {
            let mut orders = Vec::new();
            service.restart(&mut orders);
            words::secrets::ITS_SECRETS_ARE_NEW.clone_into(&mut service.trouble);
            self.perform(id, orders, effects);
        }
    }

    fn secrets_named(&self) -> BTreeMap<SecretName, &'static str> {
        self.config.secrets_named().cloned().unwrap_or_default()
    }

    fn may_rotate(&self) -> Result<(), Failure> {
        let refused = |why: &str, hint: &str| Err(Failure::new(FailureCode::Refused, why, hint));
        if self.is_ending() {
            return refused(words::common::PALYRA_TRAY_IS_ENDING, "");
        }
        if self.rotation.making || !self.rotation.stale().is_empty() {
            return refused(words::secrets::ROTATION_IS_UNDER_WAY, words::secrets::TRY_AGAIN_WHEN_IT_IS_OVER);
        }
        if !self.node.is_idle() {
            return refused(
                words::secrets::THIS_MACHINE_IS_BEING_ENROLLED,
                words::secrets::TRY_AGAIN_WHEN_THAT_IS_OVER,
            );
        }
        if !self.config.trouble.is_empty() {
            let why = self.config.trouble.clone();
            return Err(Failure::new(FailureCode::Failed, why, words::secrets::WHAT_USES_SECRETS_COULD_NOT_START));
        }
        match &self.secrets {
            Secrets::Ready { .. } => Ok(()),
            Secrets::Unknown => {
                refused(words::secrets::SECRETS_HAVE_NOT_BEEN_FETCHED_YET, words::common::TRY_AGAIN_IN_A_MOMENT)
            }
            Secrets::Waiting(why) => {
                Err(Failure::new(FailureCode::Failed, why.clone(), words::secrets::UNLOCK_KEYRING))
            }
            Secrets::Failed(why) => Err(Failure::new(FailureCode::Failed, why.clone(), words::common::SEE_STATUS)),
        }
    }
}
