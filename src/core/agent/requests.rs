//! What a person or a client asks of the agent: clicks, menu entries, commands.

use super::events::OPEN;
use super::survey::Wanted;
use super::{ACTIVATED, Agent, LEAVE_MS, QUIT_MS, WAIT_MS, Waiter, WaitingOpen};
use crate::core::decisions::{Surface, Unanswered, while_paused};
use crate::core::event::{Click, Companion, Effect, Secrets, Ticket};
use crate::core::service::{Goal, Phase};
use crate::core::time::Now;
use crate::core::view::{Button, Urgency};
use crate::core::{compose, snapshot, telemetry, text};
use crate::protocol::ask::To;
use crate::protocol::{Action, Decision, Failure, FailureCode, Place, Reply, Request, Scope, ServiceId, Verdict};
use crate::words;

impl Agent {
    pub(super) fn clicked(&mut self, action: Action, click: Click, now: Now, effects: &mut Vec<Effect>) {
        match action {
            Action::Decide { approval_id, digest, verdict } => {
                if click != Click::Notification {
                    return;
                }
                if self.locked {
                    return self.fail(None, locked(), effects);
                }
                let decision =
                    Decision { approval_id, digest, verdict, scope: Scope::Once, ttl_ms: None, reason: None };
                self.begin_decision(decision, Surface::Notification, None, now, effects);
            }
            other => self.act(None, other, now, effects),
        }
    }

    pub(super) fn begin_decision(
        &mut self,
        decision: Decision,
        surface: Surface,
        ticket: Option<Ticket>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let id = decision.approval_id.clone();
        if self.is_ending() {
            let failure =
                Failure::new(FailureCode::Failed, words::agent::NOTHING_WAS_DECIDED, words::common::SEE_STATUS);
            self.answer(&id, ticket, Err(failure), effects);
            return;
        }
        if !self.inbox.is_open() {
            let failure = Failure::new(
                FailureCode::GatewayUnreachable,
                text::gateway_not_ready(self),
                words::services::TRY_WHEN_READY,
            );
            self.answer(&id, ticket, Err(failure), effects);
            return;
        }
        if self.paused && decision.verdict == Verdict::Approve {
            return self.answer(&id, ticket, Err(while_paused(&id)), effects);
        }
        match self.decisions.begin(decision, surface, ticket, self.inbox.standing(&id, now)) {
            Ok(order) => self.decide(vec![order], now, effects),
            Err(failure) => self.answer(&id, ticket, Err(failure), effects),
        }
    }

    pub(super) fn asked(&mut self, ticket: Ticket, request: Request, now: Now, effects: &mut Vec<Effect>) {
        if let Some(failure) = self.not_when_remote(&request) {
            return self.fail(Some(ticket), failure, effects);
        }
        match request {
            Request::Status | Request::Watch => {
                self.survey.look(now);
                effects.push(Effect::Reply(ticket, Reply::Data(snapshot::snapshot(self, now))));
            }
            Request::Diagnostics => self.report(Some(ticket), Wanted::Snapshot, now),
            Request::Menu => {
                self.survey.look_at_sessions(now);
                let menu = compose::view(self, now).menu;
                effects.push(Effect::Reply(ticket, Reply::Data(serde_json::json!(menu))));
            }
            Request::Activate => {
                let body = self.tell_running(&format!("{ACTIVATED}{ticket}"), now);
                effects.push(Effect::Reply(ticket, Reply::Done(body)));
            }
            Request::HandOver => {
                effects.push(Effect::Reply(ticket, Reply::Done(words::agent::NEXT_ONE_TAKES_OVER.to_owned())));
                self.quit(true, now);
            }
            Request::Approvals { all: false } if self.inbox.rest.is_empty() || !self.inbox.is_current() => {
                effects.push(Effect::Reply(
                    ticket,
                    if self.inbox.is_current() {
                        Reply::Data(snapshot::inbox(&self.inbox, now))
                    } else {
                        Reply::Error(self.no_inbox())
                    },
                ));
            }
            // too many to have them all at hand
            Request::Approvals { all } => self.ask_gateway(ticket, Effect::ListRecords(ticket, all), effects),
            Request::Approval { approval_id } => {
                self.ask_gateway(ticket, Effect::ShowRecord(ticket, approval_id), effects);
            }
            Request::Decide(decision) => self.begin_decision(decision, Surface::Cli, Some(ticket), now, effects),
            Request::Follow { approval_id, digest, in_window } => {
                self.follow(ticket, approval_id, digest, in_window, now);
            }
            Request::DecideReviewed(_) if self.locked => self.fail(Some(ticket), locked(), effects),
            Request::DecideReviewed(decision) => {
                self.begin_decision(decision, Surface::Review, Some(ticket), now, effects);
            }
            Request::AutostartChanged => {
                effects.push(Effect::LookAtAutostart);
                self.done(Some(ticket), words::agent::IT_LOOKS_AGAIN, effects);
            }
            Request::ExportPalyra => effects.push(Effect::ExportPalyra(ticket)),
            Request::BundleMade { path, lacks } => self.bundle_made(ticket, &path, &lacks, effects),
            Request::Act { action } => self.act(Some(ticket), action, now, effects),
            Request::Setup(request) => self.set_up(ticket, request, effects),
            Request::Node(request) => self.node_asked(ticket, request, now, effects),
            Request::Message(request) => self.ask_asked(ticket, request, now, effects),
            Request::Secrets(request) => self.secrets_asked(ticket, request, effects),
            Request::Profiles(request) => self.profiles_asked(ticket, request, effects),
        }
    }

    pub(super) fn ask_gateway(&mut self, ticket: Ticket, effect: Effect, effects: &mut Vec<Effect>) {
        if self.inbox.is_open() {
            effects.push(effect);
        } else {
            effects.push(Effect::Reply(ticket, Reply::Error(self.no_inbox())));
        }
    }

    fn no_inbox(&self) -> Failure {
        let why =
            if self.inbox.trouble.is_empty() { text::gateway_not_ready(self) } else { self.inbox.trouble.clone() };
        Failure::new(FailureCode::GatewayUnreachable, why, words::services::TRY_WHEN_READY)
    }

    pub(super) fn act(&mut self, ticket: Option<Ticket>, action: Action, now: Now, effects: &mut Vec<Effect>) {
        if let Some(failure) = self.not_while_switching(&action) {
            return self.fail(ticket, failure, effects);
        }
        if self.act_remote(ticket, &action, now, effects) {
            return;
        }
        match action {
            Action::Start { service } => {
                let ids = service.map_or_else(|| self.enabled(), |id| vec![id]);
                if let Err(failure) = self.check_enabled(service) {
                    return self.fail(ticket, failure, effects);
                }
                self.retry_secrets(effects);
                for id in &ids {
                    // a dependant is nothing without its gateway
                    self.fleet.get_mut(ServiceId::Gateway).want(Goal::Up);
                    self.fleet.get_mut(*id).want(Goal::Up);
                    self.events.remove(&format!("event:{id}:given_up"));
                }
                self.wait(ticket, Goal::Up, ids, now);
            }
            Action::Stop { service } => {
                let ids = service.map_or_else(|| ServiceId::ALL.to_vec(), |id| vec![id]);
                for id in &ids {
                    self.fleet.get_mut(*id).want(Goal::Down);
                }
                self.wait(ticket, Goal::Down, ids, now);
            }
            Action::Restart { service } => {
                if let Err(failure) = self.check_enabled(service) {
                    return self.fail(ticket, failure, effects);
                }
                let ids = service.map_or_else(|| self.enabled(), |id| vec![id]);
                for id in &ids {
                    let mut orders = Vec::new();
                    self.fleet.get_mut(ServiceId::Gateway).want(Goal::Up);
                    self.fleet.get_mut(*id).restart(&mut orders);
                    self.perform(*id, orders, effects);
                }
                self.wait(ticket, Goal::Up, ids, now);
            }
            Action::Open { place } => self.open(ticket, place, now, effects),
            Action::StartAndOpen { place } => {
                self.retry_secrets(effects);
                self.want_all(Goal::Up);
                self.events.remove(OPEN);
                self.open(ticket, place, now, effects);
            }
            Action::SetBrowser { enabled } => self.set_browser(ticket, enabled, now, effects),
            Action::SetConfigRestarts { enabled } => self.set_config_restarts(ticket, enabled, now, effects),
            Action::SetNotifications { kind, enabled } => self.set_notifications(ticket, kind, enabled, effects),
            Action::SetTelemetry { enabled } => self.set_telemetry(ticket, enabled, effects),
            Action::SetFlag { flag, enabled } => self.set_flag(ticket, flag, enabled, effects),
            Action::WritePorts { service } => self.write_ports(ticket, service, effects),
            Action::SetAutostart { enabled } => {
                if self.setup.demo {
                    let failure = Failure::new(FailureCode::Refused, words::login::DEMO_AT_LOGIN, "");
                    return self.fail(ticket, failure, effects);
                }
                self.autostart_asked = Some(enabled);
                effects.push(Effect::SetAutostart(ticket, enabled));
            }
            Action::ShowLog { service } => {
                effects.push(Effect::ShowLog(service));
                self.done(ticket, words::agent::OPENED, effects);
            }
            Action::ExportBundle => self.export_bundle(ticket, effects),
            Action::ShowBundles => {
                effects.push(Effect::ShowBundles);
                self.done(ticket, words::agent::OPENED, effects);
            }
            Action::Review { approval_id } => {
                if !self.setup.dialogs {
                    let place = Place { intent: Some("approve".to_owned()), ..Place::section("approvals") };
                    return self.open(ticket, place, now, effects);
                }
                // an impatient person clicks again, and wants one window all the same
                if self.reviewing.insert(approval_id.clone()) {
                    effects.push(Effect::Open(Companion::Review(approval_id)));
                }
                self.done(ticket, words::agent::REVIEW_OPENS, effects);
            }
            Action::PauseAgents => self.set_paused(ticket, true, now, effects),
            Action::ResumeAgents => self.set_paused(ticket, false, now, effects),
            Action::Ask { to } => self.open_ask(ticket, to, now, effects),
            Action::Reply { session_id } => self.open_ask(ticket, To::Session(session_id), now, effects),
            Action::OpenDraft { draft_id } => self.open_draft(ticket, draft_id, effects),
            Action::SendDraft { draft_id } => self.send_draft(ticket, &draft_id, false, now, effects),
            Action::AbortRun { run_id } if self.inbox.is_open() => effects.push(Effect::AbortRun(ticket, run_id)),
            Action::AbortRun { run_id } => {
                let why = Err(text::gateway_not_ready(self));
                self.run_aborted(ticket, run_id, why, effects);
            }
            Action::ContinueSetup => {
                effects.push(Effect::Open(Companion::SetUp));
                self.done(ticket, words::agent::SET_UP_OPENS, effects);
            }
            Action::RunChecks => {
                effects.push(Effect::Open(Companion::Checks));
                self.done(ticket, words::agent::CHECKS_OPEN, effects);
            }
            Action::ProfileDialog => self.profile_dialog(ticket, effects),
            Action::NodeDialog { task } => self.node_dialog(ticket, task, effects),
            Action::OpenRecent { id } => self.open_recent(ticket, &id, now, effects),
            Action::MarkRead => self.mark_read(ticket, effects),
            Action::CopyDiagnostics => self.report(ticket, Wanted::Copy, now),
            Action::About => {
                effects.push(Effect::Open(Companion::About));
                self.done(ticket, words::common::IT_OPENS, effects);
            }
            // not shown any more, it may have become another one since
            Action::Dismiss { notice } if self.is_held_back(&notice) => self.fail(ticket, locked(), effects),
            Action::Dismiss { notice } => {
                self.events.remove(&notice);
                self.done(ticket, words::agent::PUT_AWAY, effects);
            }
            Action::Quit { keep_running } => {
                // a demo's folder goes with it: nothing could ever take its sidecars back
                let keep_running = keep_running && !self.setup.demo;
                let goes_on = text::goes_on(self.fleet.iter()).filter(|_| !keep_running);
                let stops = goes_on.unwrap_or_else(|| words::agent::QUIT_STOP.to_owned());
                self.done(ticket, if keep_running { words::agent::QUIT_KEEP } else { &stops }, effects);
                self.quit(keep_running, now);
            }
            Action::Decide { .. } => {
                let failure = Failure::new(
                    FailureCode::Refused,
                    words::agent::DECISION_NEEDS_ITS_OWN_REQUEST,
                    words::agent::USE_APPROVALS_APPROVE,
                );
                self.fail(ticket, failure, effects);
            }
        }
    }

    fn check_enabled(&self, service: Option<ServiceId>) -> Result<(), Failure> {
        match service {
            Some(ServiceId::Browserd) if !self.setup.browser => Err(Failure::new(
                FailureCode::Refused,
                words::common::BROWSER_SERVICE_IS_SWITCHED_OFF,
                words::agent::SWITCH_IT_ON_IN_TRAY_MENU,
            )),
            Some(ServiceId::NodeHost) if !self.setup.node_host => Err(Failure::new(
                FailureCode::Refused,
                words::common::THIS_MACHINE_IS_NOT_ENROLLED,
                words::agent::ENROL_IT_FIRST,
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn open(&mut self, ticket: Option<Ticket>, place: Place, now: Now, effects: &mut Vec<Effect>) {
        if self.open_remote(ticket, effects) {
            return;
        }
        let gateway = self.fleet.get(ServiceId::Gateway);
        if gateway.goal == Goal::Up && gateway.phase != Phase::GivenUp {
            // an impatient person clicks again, and wants one window all the same
            if ticket.is_none() && self.opens.iter().any(|open| open.ticket.is_none() && open.place == place) {
                return;
            }
            self.opens.push(WaitingOpen { ticket, place, deadline: now.mono_ms + WAIT_MS });
            return;
        }
        if ticket.is_some() {
            let failure = Failure::new(
                FailureCode::GatewayUnreachable,
                text::gateway_not_ready(self),
                words::agent::START_IT_AND_OPEN_DASHBOARD_IN_ONE,
            );
            return self.fail(ticket, failure, effects);
        }
        let buttons =
            vec![Button { label: words::agent::START_AND_OPEN.to_owned(), action: Action::StartAndOpen { place } }];
        let body = words::agent::start_it_and_open_dashboard(text::sentence(&text::gateway_not_ready(self)));
        self.tell(OPEN, (words::agent::DASHBOARD_NEEDS_PALYRA, &body), buttons, Urgency::Normal);
    }

    pub(super) fn opened(&mut self, ticket: Option<Ticket>, outcome: Result<Place, String>, effects: &mut Vec<Effect>) {
        match outcome {
            Ok(place) => {
                self.usage(telemetry::handoff_opened(&place), effects);
                self.events.remove(OPEN);
                self.done(ticket, words::agent::DASHBOARD_OPENS_IN_YOUR_BROWSER, effects);
            }
            Err(why) if ticket.is_none() => {
                self.tell(
                    OPEN,
                    (words::agent::DASHBOARD_COULD_NOT_BE_OPENED, &text::sentence(&why)),
                    Vec::new(),
                    Urgency::Normal,
                );
            }
            Err(why) => self.fail(ticket, Failure::new(FailureCode::Failed, why, words::common::SEE_STATUS), effects),
        }
    }

    fn set_browser(&mut self, ticket: Option<Ticket>, enabled: bool, now: Now, effects: &mut Vec<Effect>) {
        if self.setup.browser == enabled {
            return self.done(ticket, words::common::NOTHING_TO_CHANGE, effects);
        }
        effects.push(Effect::SaveSwitch("services.browser", enabled));
        self.use_browser(ticket, enabled, now, effects);
    }

    /// The browser service is wanted from now on, or not.
    pub(super) fn use_browser(&mut self, ticket: Option<Ticket>, enabled: bool, now: Now, effects: &mut Vec<Effect>) {
        self.setup.browser = enabled;
        let up = self.fleet.get(ServiceId::Gateway).goal == Goal::Up;
        self.fleet.get_mut(ServiceId::Browserd).want(if enabled && up { Goal::Up } else { Goal::Down });
        if up {
            // the gateway learns of it from its environment
            let mut orders = Vec::new();
            self.fleet.get_mut(ServiceId::Gateway).restart(&mut orders);
            self.perform(ServiceId::Gateway, orders, effects);
            let ids = if enabled { vec![ServiceId::Gateway, ServiceId::Browserd] } else { vec![ServiceId::Gateway] };
            return self.wait(ticket, Goal::Up, ids, now);
        }
        self.done(ticket, words::agent::KEPT_FOR_NEXT_START, effects);
    }

    pub(super) fn autostart_set(
        &mut self,
        ticket: Option<Ticket>,
        outcome: Result<String, String>,
        effects: &mut Vec<Effect>,
    ) {
        self.autostart_asked = None;
        match outcome {
            Ok(done) => self.done(ticket, &done, effects),
            Err(why) => self.fail(ticket, Failure::new(FailureCode::Failed, why, ""), effects),
        }
    }

    /// A person is there who could unlock the keyring.
    fn retry_secrets(&self, effects: &mut Vec<Effect>) {
        if matches!(self.secrets, Secrets::Waiting(_) | Secrets::Failed(_)) {
            effects.push(Effect::RetrySecrets);
        }
    }

    pub(super) fn want_all(&mut self, goal: Goal) {
        for id in self.enabled() {
            self.fleet.get_mut(id).want(goal);
        }
    }

    /// Nothing is to run, what is not enabled included.
    pub(super) fn want_none(&mut self) {
        for id in ServiceId::ALL {
            self.fleet.get_mut(id).want(Goal::Down);
        }
    }

    pub(super) fn wait(&mut self, ticket: Option<Ticket>, goal: Goal, services: Vec<ServiceId>, now: Now) {
        self.wait_and_say(ticket, goal, services, String::new(), now);
    }

    pub(super) fn wait_and_say(
        &mut self,
        ticket: Option<Ticket>,
        goal: Goal,
        services: Vec<ServiceId>,
        words: String,
        now: Now,
    ) {
        if let Some(ticket) = ticket {
            self.waiters.push(Waiter { ticket, goal, services, deadline: now.mono_ms + WAIT_MS, words });
        }
    }

    pub(super) fn quit(&mut self, keep_running: bool, now: Now) {
        if self.exited {
            return;
        }
        if keep_running {
            self.leaving.get_or_insert(now.mono_ms + LEAVE_MS);
            return;
        }
        self.want_none();
        self.quitting.get_or_insert(now.mono_ms + QUIT_MS);
    }

    pub(super) fn done(&mut self, ticket: Option<Ticket>, text: &str, effects: &mut Vec<Effect>) {
        if let Some(ticket) = ticket {
            effects.push(Effect::Reply(ticket, Reply::Done(text.to_owned())));
        }
    }

    pub(super) fn fail(&mut self, ticket: Option<Ticket>, failure: Failure, effects: &mut Vec<Effect>) {
        if let Some(ticket) = ticket {
            effects.push(Effect::Reply(ticket, Reply::Error(failure)));
        } else {
            let body = format!("{} {}", text::sentence(&failure.message), failure.hint);
            self.tell("event:refused", (words::common::NOT_DONE, body.trim_end()), Vec::new(), Urgency::Normal);
        }
    }
}

/// Whoever is in front of a locked screen may be anybody.
fn locked() -> Failure {
    Failure::new(FailureCode::Refused, words::approvals::SCREEN_IS_LOCKED, words::agent::UNLOCK_SCREEN_THEN_DECIDE)
}

pub(super) fn unanswered(lost: &Unanswered) -> Failure {
    let code = if lost.unreachable { FailureCode::GatewayUnreachable } else { FailureCode::Failed };
    Failure::new(code, lost.why.clone(), words::common::SEE_STATUS)
}
