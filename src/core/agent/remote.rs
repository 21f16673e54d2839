//! A remote profile, as part of the agent: looks at it, its dashboard, and what there is none of here. See
//! [`crate::core::remote`].

use super::Agent;
use crate::core::event::{Effect, RemoteNews, RemoteWork, Ticket};
use crate::core::outage::Change;
use crate::core::remote::TroubleKind;
use crate::core::service::Goal;
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::{Button, Urgency};
use crate::protocol::setup::SetupRequest;
use crate::protocol::{Action, Failure, FailureCode, Place, Request, ServiceId};
use crate::words::remote as words;

/// Key of the notification that somebody else answers.
const DISTRUSTED: &str = "event:certificate";

impl Agent {
    pub(super) fn remote_told(&mut self, news: RemoteNews, now: Now, effects: &mut Vec<Effect>) {
        let Some(remote) = &mut self.remote else { return };
        match news {
            RemoteNews::Looked(looked) => {
                let known = remote.distrust().is_some();
                remote.looked(*looked, now);
                match remote.distrust().map(str::to_owned) {
                    None => drop(self.events.remove(DISTRUSTED)),
                    Some(_) if known => {}
                    Some(why) => self.tell_distrusted(&why),
                }
            }
            RemoteNews::Opened(ticket, outcome) => {
                if ticket.is_none() {
                    remote.opening = false;
                }
                // it was seen otherwise than it is shown
                if outcome.is_ok() != remote.is_settled() {
                    remote.ask(now);
                }
                let name = remote.name();
                let outcome = outcome.map_err(|trouble| match trouble.kind {
                    TroubleKind::Config | TroubleKind::Unpinned => trouble.why,
                    TroubleKind::Distrusted => words::not_trusted_because(name, trouble.why),
                    TroubleKind::Unreachable => words::cannot_be_reached_because(name, trouble.why),
                });
                self.opened(ticket, outcome.map(|()| Place::default()), effects);
            }
        }
    }

    fn tell_distrusted(&mut self, why: &str) {
        let Some(remote) = &self.remote else { return };
        let title = words::is_not_trusted(remote.name());
        let body = words::nothing_was_sent(text::sentence(why));
        self.tell(DISTRUSTED, (&title, &body), Vec::new(), Urgency::Critical);
    }

    pub(super) fn ask_remote(&mut self, now: Now) {
        if let Some(remote) = &mut self.remote {
            remote.ask(now);
        }
    }

    fn is_being_left(&self) -> bool {
        self.is_ending() || self.keeps_down()
    }

    /// When it is to be looked at, unless it is being left.
    pub(super) fn remote_deadline(&self) -> Option<u64> {
        self.remote.as_ref().filter(|_| !self.is_being_left())?.deadline()
    }

    /// What follows for a remote profile, after every event.
    pub(super) fn settle_remote(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.remote.is_none() {
            return;
        }
        // nothing runs here, nor what lives from a time when the profile was a local one
        self.want_none();
        let left = self.is_being_left();
        if let Some(remote) = self.remote.as_mut().filter(|_| !left)
            && let Some(round) = remote.step(now)
        {
            effects.push(Effect::Remote(RemoteWork::Look(round)));
        }
    }

    /// Whether it is away long enough to be told, as with a sidecar. False: the profile is not a remote one.
    pub(super) fn settle_remote_outage(&mut self, now: Now) -> bool {
        let Some(remote) = &self.remote else { return false };
        let (phase, name) = (remote.phase(), remote.name());
        let why = remote.trouble().map(|trouble| text::sentence(&trouble.why)).unwrap_or_default();
        match self.happened.outage(ServiceId::Gateway).observe(Goal::Up, &phase, now) {
            None | Some(Change::Flapped) => {}
            Some(Change::Down) => {
                let body = words::tried_again_by_itself(why);
                let title = words::cannot_be_reached(name);
                self.tell("event:remote:down", (&title, &body), Vec::new(), Urgency::Normal);
            }
            Some(Change::Recovered(ms)) => {
                let body = words::could_not_be_reached_for(text::duration(ms / 1_000));
                let action = Action::Open { place: Place::default() };
                let buttons = vec![Button { label: crate::words::buttons::OPEN_DASHBOARD.to_owned(), action }];
                let title = words::answers_again(name);
                self.tell_or_count("event:remote:recovered", (&title, &body), buttons, Urgency::Low);
            }
        }
        true
    }

    /// Looks at it again, and then opens what it shows. False: the profile is not a remote one.
    pub(super) fn open_remote(&mut self, ticket: Option<Ticket>, effects: &mut Vec<Effect>) -> bool {
        let Some(remote) = &mut self.remote else { return false };
        // an impatient person clicks again, and wants one window all the same
        if ticket.is_some() || !std::mem::replace(&mut remote.opening, true) {
            effects.push(Effect::Remote(RemoteWork::Open(ticket)));
        }
        true
    }

    /// What a person does in a remote profile, where it differs. False: it does not.
    pub(super) fn act_remote(
        &mut self,
        ticket: Option<Ticket>,
        action: &Action,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some(remote) = &mut self.remote else { return false };
        match action {
            Action::Start { service: None } | Action::Restart { service: None } => {
                remote.ask(now);
                self.done(ticket, words::LOOKED_AT_AGAIN, effects);
            }
            Action::StartAndOpen { .. } => {
                self.open_remote(ticket, effects);
            }
            Action::Start { .. }
            | Action::Stop { .. }
            | Action::Restart { .. }
            | Action::WritePorts { .. }
            | Action::Review { .. }
            | Action::Ask { .. }
            | Action::Reply { .. }
            | Action::OpenDraft { .. }
            | Action::SendDraft { .. }
            | Action::AbortRun { .. }
            | Action::PauseAgents
            | Action::ResumeAgents
            | Action::NodeDialog { .. }
            | Action::ContinueSetup => self.fail(ticket, not_here(), effects),
            _ => return false,
        }
        true
    }

    /// Why a request cannot be answered in a remote profile.
    pub(super) fn not_when_remote(&self, request: &Request) -> Option<Failure> {
        let of_ours = match request {
            Request::Approvals { .. }
            | Request::Approval { .. }
            | Request::Decide(_)
            | Request::Follow { .. }
            | Request::DecideReviewed(_)
            | Request::ExportPalyra
            | Request::Node(_)
            | Request::Message(_)
            | Request::Secrets(_) => true,
            Request::Setup(request) => !matches!(request, SetupRequest::Facts),
            _ => false,
        };
        (self.remote.is_some() && of_ours).then(not_here)
    }
}

fn not_here() -> Failure {
    Failure::new(FailureCode::Refused, words::NOT_HERE, words::OPEN_IT)
}
