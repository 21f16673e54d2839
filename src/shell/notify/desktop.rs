//! Notifications on macOS and Windows, through the system's own centre.
//!
//! Limits, and what is said about them in [`ServerInfo`]: neither can take a notification back or change it, so no
//! approving button ever goes out. Windows tells of clicks while its toast is open, not once it has moved to the Action
//! Center. On macOS a click on the title of the button list arrives as a click on the first button, so there are no
//! buttons and no clicks at all. Waiting for a toast costs a parked thread, hence [`WAITERS`].

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::board::{Board, Call, Notify};
use super::text::Text;
use super::{AppIdentity, NotifyReport, ServerInfo};
use crate::core::view::{Notice, NoticeKey, Urgency};
use crate::words;

/// Toasts that can be waited for at once; more are shown without buttons.
const WAITERS: usize = 16;

/// Windows Runtime: class not registered. There is no notification centre at all.
const NOT_REGISTERED: &str = "80040154";

#[derive(Debug)]
enum Event {
    Show(BTreeMap<NoticeKey, Notice>),
    Invoked(u32, String),
    Closed(u32, u32),
    Unheard,
    Finish,
}

/// Shows a set of notifications and reports what happens to them.
#[derive(Debug)]
pub struct Notifier {
    events: Sender<Event>,
    ended: Receiver<()>,
}

impl Notifier {
    /// Starts. Never blocks and never fails: what is missing is reported. `report` runs on the notifier's own thread.
    pub fn start(app: AppIdentity, report: impl Fn(NotifyReport) + Send + Sync + 'static) -> Self {
        let (events, received) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let report = std::sync::Arc::new(report);
        let worker = {
            let (report, waiters) = (report.clone(), events.clone());
            move || {
                serve(&app, &received, &waiters, &*report);
                drop(end);
            }
        };
        if let Err(error) = thread::Builder::new().name("notify".to_owned()).spawn(worker) {
            report(NotifyReport::Failed { message: words::desktop::no_thread_for_notifications(&error) });
            report(NotifyReport::Server(None));
        }
        Self { events, ended }
    }

    /// The whole set that should be on the screen from now on. Returns at once.
    pub fn show(&self, notices: BTreeMap<NoticeKey, Notice>) {
        let _ = self.events.send(Event::Show(notices));
    }

    /// Ends; waits no longer than `limit`. What is on the screen stays there, its buttons do nothing any more.
    pub fn finish(self, limit: Duration) {
        let _ = self.events.send(Event::Finish);
        let _ = self.ended.recv_timeout(limit);
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        let _ = self.events.send(Event::Finish);
    }
}

fn serve(
    app: &AppIdentity,
    received: &Receiver<Event>,
    waiters: &Sender<Event>,
    report: &(dyn Fn(NotifyReport) + Send + Sync),
) {
    let mut board = Board::default();
    let mut waiting = 0_usize;
    let mut last_id = 0_u32;
    prepare_system(app);
    board.server(Some(server_info()));
    report(NotifyReport::Server(Some(server_info())));
    while let Ok(event) = received.recv() {
        match event {
            Event::Show(notices) => board.want(notices),
            Event::Invoked(id, key) => {
                waiting = waiting.saturating_sub(1);
                board.invoked(id, &key).into_iter().for_each(report);
            }
            Event::Closed(id, reason) => {
                waiting = waiting.saturating_sub(1);
                board.closed(id, reason).into_iter().for_each(report);
            }
            Event::Unheard => waiting = waiting.saturating_sub(1),
            Event::Finish => return,
        }
        for call in board.plan(Instant::now(), &mut super::action_key).calls {
            let Call::Notify(call) = call else { continue };
            let Notify { token, notice, text, actions, .. } = *call;
            last_id = last_id.wrapping_add(1).max(1);
            let wait = server_info().actions && !actions.is_empty() && waiting < WAITERS;
            let shown = present(app, &notice, &text, if wait { &actions } else { &[] }).map(|handle| {
                if wait && listen(handle, last_id, waiters.clone()) {
                    waiting += 1;
                }
                last_id
            });
            let missing = shown.as_ref().is_err_and(|why| why.contains(NOT_REGISTERED));
            board.replied(token, shown).into_iter().for_each(report);
            if missing {
                board.server(None);
                report(NotifyReport::Server(None));
                break;
            }
        }
    }
}

fn present(
    app: &AppIdentity,
    notice: &Notice,
    text: &Text,
    actions: &[(String, String)],
) -> Result<notify_rust::NotificationHandle, String> {
    let mut toast = notify_rust::Notification::new();
    toast.appname(&app.name).summary(&text.summary).body(&text.body);
    if notice.resident {
        toast.timeout(notify_rust::Timeout::Never);
    }
    dress(&mut toast, app, notice.urgency);
    // The body click needs no key of its own here: it arrives as such.
    for (key, label) in actions.iter().filter(|(key, _)| key != super::board::DEFAULT_KEY) {
        toast.action(key, label);
    }
    toast.show().map_err(|error| error.to_string())
}

/// Waits for the answer to one toast in a thread of its own; the interface offers nothing else.
fn listen(handle: notify_rust::NotificationHandle, id: u32, events: Sender<Event>) -> bool {
    use notify_rust::{CloseReason, NotificationResponse};
    let wait = move || {
        let answers = events.clone();
        let heard = handle.wait_for_response(move |response: &NotificationResponse| {
            let event = match response {
                NotificationResponse::Default => Event::Invoked(id, super::board::DEFAULT_KEY.to_owned()),
                NotificationResponse::Action(key) => Event::Invoked(id, key.clone()),
                NotificationResponse::Closed(CloseReason::Dismissed) => Event::Closed(id, 2),
                NotificationResponse::Closed(_) => Event::Closed(id, 1),
                NotificationResponse::Reply(_) => Event::Unheard,
            };
            let _ = answers.send(event);
        });
        if heard.is_err() {
            let _ = events.send(Event::Unheard);
        }
    };
    thread::Builder::new().name("notify-wait".to_owned()).stack_size(128 * 1024).spawn(wait).is_ok()
}

#[cfg(windows)]
fn server_info() -> ServerInfo {
    ServerInfo {
        name: "Windows".to_owned(),
        vendor: "Microsoft".to_owned(),
        actions: true,
        body: true,
        ..ServerInfo::default()
    }
}

#[cfg(target_os = "macos")]
fn server_info() -> ServerInfo {
    ServerInfo { name: "macOS".to_owned(), vendor: "Apple".to_owned(), body: true, ..ServerInfo::default() }
}

/// Without an identity of our own the library looks for an application of any name.
#[cfg(target_os = "macos")]
fn prepare_system(app: &AppIdentity) {
    if let Err(error) = notify_rust::set_application(&app.desktop_entry) {
        tracing::info!(%error, "notifications appear under another application's name");
    }
}

#[cfg(windows)]
fn prepare_system(_app: &AppIdentity) {}

/// The library's default identity on Windows is that of PowerShell.
#[cfg(windows)]
fn dress(toast: &mut notify_rust::Notification, app: &AppIdentity, urgency: Urgency) {
    toast.app_id(&app.desktop_entry);
    toast.urgency(match urgency {
        Urgency::Low => notify_rust::Urgency::Low,
        Urgency::Normal => notify_rust::Urgency::Normal,
        Urgency::Critical => notify_rust::Urgency::Critical,
    });
}

#[cfg(target_os = "macos")]
fn dress(_toast: &mut notify_rust::Notification, _app: &AppIdentity, _urgency: Urgency) {}
