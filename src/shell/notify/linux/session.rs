//! One connection to the bus, from the subscription to its death.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use tokio::sync::watch;
use zbus::{Connection, Message, MessageStream};

use super::super::board::{Board, Call};
use super::super::{AppIdentity, NotifyReport, ServerInfo};
use super::wire::{self, Arrival};
use crate::core::view::{Notice, NoticeKey};
use crate::words;

/// An answer that takes longer is told once; it still counts when it comes.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long the end waits for the ids of notifications that have just been sent, to withdraw them too.
const FINISH_LIMIT: Duration = Duration::from_millis(500);

/// More than these would let any program of the session fill the log.
const FORGED_LOGGED: u32 = 20;

type Wanted = watch::Receiver<BTreeMap<NoticeKey, Notice>>;

/// Why a session ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// The connection is gone.
    BusLost,
    /// The owner of the notifier has dropped it.
    Finished,
}

/// What an expected answer is for.
#[derive(Debug)]
enum Purpose {
    Subscription,
    Owner,
    Start,
    Information,
    Capabilities,
    Notify(u64),
}

#[derive(Debug)]
struct Due {
    purpose: Purpose,
    /// Gone once it has been told that it is late.
    at: Option<Instant>,
}

enum Wake {
    Message(Option<zbus::Result<Message>>),
    Show(bool),
    Time,
}

/// State that survives the connection, and the rest, which `lost` clears.
pub(super) struct Session<'a> {
    app: AppIdentity,
    retry: Duration,
    report: &'a (dyn Fn(NotifyReport) + Send + Sync),
    board: Board,
    /// What was last said about the server; nothing yet at the start.
    told: Option<Option<ServerInfo>>,
    owner: Option<String>,
    /// Answer to `GetServerInformation` while the capabilities are awaited.
    information: Option<Message>,
    owner_known: bool,
    due: HashMap<u32, Due>,
    started: Option<Instant>,
    wake: Option<Instant>,
    /// Signals of strangers on this connection.
    forged: u32,
}

impl<'a> Session<'a> {
    pub fn new(app: AppIdentity, retry: Duration, report: &'a (dyn Fn(NotifyReport) + Send + Sync)) -> Self {
        Self {
            app,
            retry,
            report,
            board: Board::default(),
            told: None,
            owner: None,
            information: None,
            owner_known: false,
            due: HashMap::new(),
            started: None,
            wake: None,
            forged: 0,
        }
    }

    /// Serves until the bus or the notifier is gone. The connection has no executor of its own: it is driven here.
    pub async fn run(&mut self, connection: &Connection, wanted: &mut Wanted) -> End {
        let executor = connection.executor();
        let drive = pin!(async {
            loop {
                executor.tick().await;
            }
        });
        match select(pin!(self.serve(connection, wanted)), drive).await {
            Either::Left((Ok(end), _)) => end,
            Either::Left((Err(error), _)) => {
                tracing::info!(%error, "the session bus is gone");
                End::BusLost
            }
            Either::Right(((), _)) => End::BusLost,
        }
    }

    /// There is no bus any more, or none yet.
    pub fn lost(&mut self) {
        self.owner = None;
        self.owner_known = false;
        self.information = None;
        self.due.clear();
        self.started = None;
        self.wake = None;
        self.forged = 0;
        self.board.server(None);
        self.tell(None);
    }

    async fn serve(&mut self, connection: &Connection, wanted: &mut Wanted) -> zbus::Result<End> {
        let mut messages = MessageStream::from(connection);
        for subscription in wire::subscriptions()? {
            self.send(connection, &subscription, Purpose::Subscription).await?;
        }
        self.send(connection, &wire::get_owner()?, Purpose::Owner).await?;
        self.board.want(wanted.borrow_and_update().clone());
        let mut finish_by: Option<Instant> = None;
        loop {
            if finish_by.is_some_and(|end| Instant::now() >= end || !self.board.waits()) {
                return Ok(End::Finished);
            }
            match next(&mut messages, wanted, finish_by.is_none(), self.deadline(finish_by)).await {
                Wake::Message(Some(message)) => {
                    if let Some(arrival) = wire::read(&message?) {
                        self.arrived(connection, arrival).await?;
                    }
                }
                Wake::Message(None) => return Ok(End::BusLost),
                Wake::Show(true) => {
                    self.board.want(wanted.borrow_and_update().clone());
                    self.start_server(connection).await?;
                }
                Wake::Show(false) => {
                    self.board.want(BTreeMap::new());
                    finish_by = Some(Instant::now() + FINISH_LIMIT);
                }
                Wake::Time => self.tell_late(),
            }
            self.flush(connection).await?;
        }
    }

    async fn arrived(&mut self, connection: &Connection, arrival: Arrival) -> zbus::Result<()> {
        match arrival {
            Arrival::Owner { name } => self.owned_by(connection, (!name.is_empty()).then_some(name)).await,
            Arrival::Invoked { sender, id, key } => {
                if self.is_server(&sender, "ActionInvoked") {
                    let report = self.board.invoked(id, &key);
                    self.say(report);
                }
                Ok(())
            }
            Arrival::Replied { sender, id, text } => {
                if self.is_server(&sender, "NotificationReplied") {
                    let report = self.board.typed(id, text);
                    self.say(report);
                }
                Ok(())
            }
            Arrival::Closed { sender, id, reason } => {
                if self.is_server(&sender, "NotificationClosed") {
                    let report = self.board.closed(id, reason);
                    self.say(report);
                }
                Ok(())
            }
            Arrival::Answer { serial, sender, result } => match self.due.remove(&serial) {
                Some(due) => self.answered(connection, due.purpose, &sender, result).await,
                None => Ok(()),
            },
        }
    }

    async fn answered(
        &mut self,
        connection: &Connection,
        purpose: Purpose,
        sender: &str,
        result: Result<Message, (String, String)>,
    ) -> zbus::Result<()> {
        match purpose {
            Purpose::Subscription => {
                if let Err((name, text)) = result {
                    self.fail(words::desktop::clicks_on_notifications_do_not_arrive(&name, &text));
                }
            }
            Purpose::Owner => {
                self.owner_known = true;
                let owner = result.ok().and_then(|message| message.body().deserialize::<String>().ok());
                self.owned_by(connection, owner).await?;
                self.start_server(connection).await?;
            }
            Purpose::Start => match result {
                Ok(_) => {}
                Err((name, _)) if name == "org.freedesktop.DBus.Error.ServiceUnknown" => {
                    tracing::info!("no notification server is running or installed");
                }
                Err((name, text)) => {
                    self.fail(words::desktop::notification_server_could_not_be_started(&name, &text));
                }
            },
            Purpose::Information => self.information = result.ok(),
            Purpose::Capabilities => match result {
                Ok(message) => {
                    let info = wire::server_info(self.information.take().as_ref(), &message);
                    self.board.server(Some(info.clone()));
                    self.tell(Some(info));
                }
                Err((name, text)) => {
                    self.fail(words::desktop::notification_server_does_not_say_what(&name, &text));
                }
            },
            Purpose::Notify(token) => {
                let answer = match result {
                    Ok(message) if self.owner.as_deref() == Some(sender) => {
                        message.body().deserialize::<u32>().map_err(|error| error.to_string())
                    }
                    Ok(_) => Err(words::desktop::SOMEBODY_ELSE_ANSWERED_FOR_NOTIFICATION.to_owned()),
                    Err((name, text)) => Err(format!("{name}: {text}")),
                };
                for report in self.board.replied(token, answer) {
                    (self.report)(report);
                }
            }
        }
        Ok(())
    }

    /// Another process has the name, or none has: ids, keys and open calls of the old one are void.
    async fn owned_by(&mut self, connection: &Connection, owner: Option<String>) -> zbus::Result<()> {
        if owner.is_some() && owner == self.owner {
            return Ok(());
        }
        self.owner.clone_from(&owner);
        self.owner_known = true;
        self.information = None;
        self.due
            .retain(|_, due| !matches!(due.purpose, Purpose::Information | Purpose::Capabilities | Purpose::Notify(_)));
        self.board.server(None);
        if owner.is_none() || self.told.is_some() {
            self.tell(None);
        }
        let Some(owner) = owner else { return Ok(()) };
        for (method, purpose) in
            [("GetServerInformation", Purpose::Information), ("GetCapabilities", Purpose::Capabilities)]
        {
            self.send(connection, &wire::ask_server(&owner, method)?, purpose).await?;
        }
        Ok(())
    }

    /// Something is to be shown and nobody is there: the bus may know whom to start. Never twice in `retry`.
    async fn start_server(&mut self, connection: &Connection) -> zbus::Result<()> {
        let recent = self.started.is_some_and(|started| started.elapsed() < self.retry);
        if !self.owner_known || self.owner.is_some() || recent || !self.board.wants_any() {
            return Ok(());
        }
        self.started = Some(Instant::now());
        self.send(connection, &wire::start_server()?, Purpose::Start).await
    }

    async fn flush(&mut self, connection: &Connection) -> zbus::Result<()> {
        self.wake = None;
        let Some(owner) = self.owner.clone() else { return Ok(()) };
        let plan = self.board.plan(Instant::now(), &mut super::super::action_key);
        self.wake = plan.wake;
        for call in plan.calls {
            match call {
                Call::Close { id } => connection.send(&wire::close(&owner, id)?).await?,
                Call::Notify(call) => {
                    let message = wire::notify(&owner, &self.app, &call)?;
                    self.send(connection, &message, Purpose::Notify(call.token)).await?;
                }
            }
        }
        Ok(())
    }

    async fn send(&mut self, connection: &Connection, message: &Message, purpose: Purpose) -> zbus::Result<()> {
        let serial = message.primary_header().serial_num().get();
        self.due.insert(serial, Due { purpose, at: Some(Instant::now() + ANSWER_LIMIT) });
        connection.send(message).await
    }

    fn deadline(&self, finish_by: Option<Instant>) -> Option<Instant> {
        self.due.values().filter_map(|due| due.at).chain(self.wake).chain(finish_by).min()
    }

    fn tell_late(&mut self) {
        let now = Instant::now();
        let mut late = false;
        for due in self.due.values_mut().filter(|due| due.at.is_some_and(|at| at <= now)) {
            due.at = None;
            late = true;
        }
        if late {
            self.fail(words::desktop::notification_server_has_not_answered(ANSWER_LIMIT.as_secs()));
        }
    }

    fn is_server(&mut self, sender: &str, signal: &str) -> bool {
        let genuine = self.owner.as_deref() == Some(sender);
        if !genuine {
            self.forged = self.forged.saturating_add(1);
            if self.forged <= FORGED_LOGGED {
                tracing::warn!(sender, signal, "ignored a signal that does not come from the notification server");
            }
        }
        genuine
    }

    fn tell(&mut self, info: Option<ServerInfo>) {
        if self.told.as_ref() == Some(&None) && info.is_none() {
            return;
        }
        self.told = Some(info.clone());
        (self.report)(NotifyReport::Server(info));
    }

    fn say(&self, report: Option<NotifyReport>) {
        if let Some(report) = report {
            (self.report)(report);
        }
    }

    fn fail(&self, message: String) {
        tracing::warn!("{message}");
        (self.report)(NotifyReport::Failed { message });
    }
}

async fn next(messages: &mut MessageStream, wanted: &mut Wanted, listen: bool, deadline: Option<Instant>) -> Wake {
    tokio::select! {
        message = messages.next() => Wake::Message(message),
        changed = wanted.changed(), if listen => Wake::Show(changed.is_ok()),
        () = async {
            match deadline {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        } => Wake::Time,
    }
}
