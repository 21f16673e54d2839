//! Notifications on Linux: an own small client of `org.freedesktop.Notifications`.
//!
//! One thread, one bus connection, one ordered stream of everything that arrives. Calls are sent without waiting
//! and their answers are read from that same stream, so signals and answers are seen in the order in which the bus
//! delivered them and a flood cannot lock the two against each other.
//!
//! Only the unique name that owns the well-known name is believed. Match rules alone are not enough: a signal that is
//! addressed to us needs none. GNOME Shell signals from two processes: the one that owns the name repeats what the
//! shell itself emits; the shell's own copy is dropped here, so that a click counts once.
//!
//! Nothing runs while nothing happens: no poll, no timer unless an answer is due. Without a bus the next try is made by
//! a [`Notifier::show`], at most every [`Bus::retry`].

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{AppIdentity, NotifyReport};
use crate::core::view::{Notice, NoticeKey};
use crate::words;

mod session;
mod wire;

use session::{End, Session};

/// Opening the bus is local; longer means that the bus is stuck.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Which bus, and how patiently.
#[derive(Clone, Debug)]
pub struct Bus {
    /// D-Bus address; the session bus when absent.
    pub address: Option<String>,
    /// Least time between two tries to reach the bus, or to start a server.
    pub retry: Duration,
}

impl Default for Bus {
    fn default() -> Self {
        Self { address: None, retry: Duration::from_secs(30) }
    }
}

/// Shows a set of notifications and reports what happens to them.
#[derive(Debug)]
pub struct Notifier {
    wanted: watch::Sender<BTreeMap<NoticeKey, Notice>>,
    ended: mpsc::Receiver<()>,
}

impl Notifier {
    /// Starts on the session bus. Never blocks and never fails: what is missing is reported. `report` runs on the
    /// notifier's own thread and must not block.
    pub fn start(app: AppIdentity, report: impl Fn(NotifyReport) + Send + Sync + 'static) -> Self {
        Self::start_on(Bus::default(), app, report)
    }

    /// As [`Notifier::start`], on a bus of the caller's choice.
    pub fn start_on(bus: Bus, app: AppIdentity, report: impl Fn(NotifyReport) + Send + Sync + 'static) -> Self {
        let (wanted, watched) = watch::channel(BTreeMap::new());
        let (end, ended) = mpsc::channel();
        let report = std::sync::Arc::new(report);
        let worker = {
            let report = report.clone();
            move || {
                run(&bus, app, watched, &*report);
                drop(end);
            }
        };
        if let Err(error) = thread::Builder::new().name("notify".to_owned()).spawn(worker) {
            report(NotifyReport::Failed { message: words::desktop::no_thread_for_notifications(&error) });
            report(NotifyReport::Server(None));
        }
        Self { wanted, ended }
    }

    /// The whole set that should be on the screen from now on. Returns at once; only differences are sent.
    pub fn show(&self, notices: BTreeMap<NoticeKey, Notice>) {
        self.wanted.send_replace(notices);
    }

    /// Takes everything off the screen and ends; waits no longer than `limit` for that.
    pub fn finish(self, limit: Duration) {
        let Self { wanted, ended } = self;
        drop(wanted);
        // The other end never sends: this returns when the thread is done, or after `limit`.
        let _ = ended.recv_timeout(limit);
    }
}

fn run(
    bus: &Bus,
    app: AppIdentity,
    wanted: watch::Receiver<BTreeMap<NoticeKey, Notice>>,
    report: &(dyn Fn(NotifyReport) + Send + Sync),
) {
    match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime.block_on(serve(bus, app, wanted, report)),
        Err(error) => {
            report(NotifyReport::Failed { message: words::desktop::notifications_are_off(&error) });
            report(NotifyReport::Server(None));
        }
    }
}

async fn serve(
    bus: &Bus,
    app: AppIdentity,
    mut wanted: watch::Receiver<BTreeMap<NoticeKey, Notice>>,
    report: &(dyn Fn(NotifyReport) + Send + Sync),
) {
    let mut session = Session::new(app, bus.retry, report);
    loop {
        let tried = Instant::now();
        match connect(bus).await {
            Ok(connection) => {
                if let End::Finished = session.run(&connection, &mut wanted).await {
                    return;
                }
            }
            Err(error) => tracing::info!(%error, "no session bus: notifications are off"),
        }
        session.lost();
        loop {
            if wanted.changed().await.is_err() {
                return;
            }
            if tried.elapsed() >= bus.retry {
                break;
            }
        }
    }
}

async fn connect(bus: &Bus) -> zbus::Result<zbus::Connection> {
    let builder = match &bus.address {
        Some(address) => zbus::connection::Builder::address(address.as_str())?,
        None => zbus::connection::Builder::session()?,
    };
    let build = builder.internal_executor(false).build();
    match tokio::time::timeout(CONNECT_LIMIT, build).await {
        Ok(result) => result,
        Err(_) => Err(zbus::Error::Failure(words::desktop::BUS_DOES_NOT_ANSWER.to_owned())),
    }
}
