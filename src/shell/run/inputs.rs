//! What comes in, as events for the core; what only the shell needs stays here.

use std::time::Duration;

use super::{Input, Shell};
use crate::core::event::{Click, Event, Found};
use crate::core::notices::Server;
use crate::protocol::ask::AskRequest;
use crate::protocol::node::NodeRequest;
use crate::protocol::profiles::ProfileRequest;
use crate::protocol::secrets::SecretsRequest;
use crate::protocol::{Action, Failure, FailureCode, Reply, Request, ServiceId};
use crate::shell::control::Asked;
use crate::shell::journal::Ring;
use crate::shell::notify::NotifyReport;
use crate::shell::{ancestry, lock};
use crate::tray::{HostState, TrayReport};
use crate::words;

/// The removal of a tree of folders takes about that long.
const GOING: Duration = Duration::from_secs(1);

impl Shell {
    /// What came in, as an event for the core; things that only the shell needs stay here.
    pub(super) fn translate(&mut self, input: Input) -> Option<Event> {
        match input {
            Input::Event(event) => {
                self.keep_out_earlier_app(&event);
                if matches!(event, Event::Probed(..)) {
                    self.look_at_ground();
                }
                Some(event)
            }
            Input::Shutdown => Some(Event::Shutdown),
            Input::Asked(asked) => self.asked(asked),
            Input::Tray(TrayReport::Clicked(action)) => Some(Event::Clicked(action, Click::Menu)),
            Input::Tray(TrayReport::Activated) => Some(Event::IconClicked),
            Input::Tray(TrayReport::Host(state)) => {
                self.desktop.tray_present = state == HostState::Present;
                self.desktop.tray_missing = state != HostState::Present;
                host_words(state).clone_into(&mut self.desktop.tray);
                Some(Event::Desktop(self.desktop.clone()))
            }
            Input::Tray(TrayReport::Failed(why)) => {
                self.desktop.tray_present = false;
                self.desktop.tray_missing = true;
                self.desktop.tray = why;
                Some(Event::Desktop(self.desktop.clone()))
            }
            Input::Notify(NotifyReport::Server(server)) => {
                self.desktop.notifications = server.map(|server| Server {
                    name: server.name,
                    actions: server.actions,
                    withdraws: server.withdraw,
                });
                Some(Event::Desktop(self.desktop.clone()))
            }
            Input::Notify(NotifyReport::Clicked { action, key, .. }) => {
                tracing::info!(%key, "a notification was clicked");
                #[cfg(not(target_os = "linux"))]
                self.look_at_screen();
                if key.starts_with("event:") {
                    // it is answered: the same one may be told again. First, for the click may tell it anew
                    self.report(Event::NoticeGone(key));
                }
                self.report(Event::Clicked(action, Click::Notification));
                None
            }
            Input::Notify(NotifyReport::Typed { action, key, text }) => {
                tracing::info!(%key, "a reply was typed into a notification");
                self.report(Event::NoticeGone(key));
                self.typed(&action, text)
            }
            Input::Notify(NotifyReport::Dismissed { key } | NotifyReport::Expired { key }) => {
                Some(Event::NoticeGone(key))
            }
            Input::Notify(NotifyReport::Failed { message }) => {
                tracing::warn!("{message}");
                None
            }
            Input::Ground => {
                self.look_at_ground();
                None
            }
            Input::Secrets(report) => Some(Event::Secrets(self.secrets_arrived(report))),
            Input::SeededSecrets => {
                self.start_secrets();
                None
            }
            Input::Rotated(ticket, rotation) => Some(self.rotated(ticket, rotation)),
            Input::SignedIn(run, client) => {
                // a late one of an old gateway must not take the place of the new one's
                if self.core.fleet.get(ServiceId::Gateway).run.as_ref().is_some_and(|current| current.id == run) {
                    self.client = Some(client);
                }
                None
            }
            Input::ConfigLooked(watch, look) => {
                self.config_watch = watch;
                self.tell_known();
                Some(Event::ConfigLooked(look))
            }
            Input::Rang(Ring::Written) => Some(Event::Rang),
            Input::Rang(Ring::Lost) => {
                self.doorbell = None;
                // with its folder ours may be going
                let inputs = self.inputs.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(GOING).await;
                    let _ = inputs.send(Input::Ground);
                });
                Some(Event::Watching(false))
            }
        }
    }

    fn asked(&mut self, asked: Asked) -> Option<Event> {
        let Asked { request, peer, reply } = asked;
        let of_a_person = matches!(
            request,
            Request::Decide(_)
                | Request::DecideReviewed(_)
                | Request::Act { action: Action::ResumeAgents }
                | Request::Node(NodeRequest::Do { .. })
                | Request::Secrets(SecretsRequest::Rotate { .. })
                | Request::Profiles(ProfileRequest::Switch { .. })
        );
        if of_a_person && self.is_own_descendant(peer) {
            tracing::warn!(?peer, "a decision from within a supervised sidecar was refused");
            let failure = Failure::new(
                FailureCode::Refused,
                words::agent::PROCESS_THAT_PALYRA_ITSELF_STARTED,
                words::agent::DECIDE_IN_NOTIFICATION,
            );
            let _ = reply.send(Reply::Error(failure));
            return None;
        }
        if matches!(request, Request::Status) {
            self.look_at_ground();
        }
        if let Request::Setup(_) = request {
            self.set_up_peer = peer;
        }
        self.next_ticket += 1;
        self.tickets.insert(self.next_ticket, reply);
        let is_long = matches!(
            request,
            Request::Message(AskRequest::Answer { .. } | AskRequest::Send(_) | AskRequest::SendDraft { .. })
        );
        if is_long || matches!(request, Request::Node(NodeRequest::Do { .. })) {
            self.watch_client(self.next_ticket);
        }
        Some(Event::Asked(self.next_ticket, request))
    }

    fn is_own_descendant(&self, peer: Option<u32>) -> bool {
        let Some(peer) = peer else { return false };
        let runs = self.core.fleet.iter().filter_map(|service| service.run.as_ref()?.record.as_ref());
        let ours: Vec<u32> = runs.flat_map(|record| [record.shim.pid, record.sidecar.pid]).collect();
        ancestry::descends_from(peer, &ours)
    }

    fn keep_out_earlier_app(&self, event: &Event) {
        let now = self.clock.now().unix_ms;
        match event {
            Event::Running(ServiceId::Gateway, record) | Event::Found(ServiceId::Gateway, Found::Living(record)) => {
                lock::shut_out_earlier_app(&self.sidecars.paths, Some(record.shim.pid), now);
            }
            Event::Ended(ServiceId::Gateway, ..) => lock::shut_out_earlier_app(&self.sidecars.paths, None, now),
            _ => {}
        }
    }
}

fn host_words(state: HostState) -> &'static str {
    match state {
        HostState::Present => "shown",
        HostState::NoBus => words::agent::NO_SESSION_BUS,
        HostState::NoWatcher => words::agent::THIS_DESKTOP_SHOWS_NO_TRAY_ICONS,
        HostState::NoHost => words::agent::NO_PANEL_SHOWS_TRAY_ICONS,
    }
}
