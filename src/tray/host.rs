//! Is there anybody who shows tray icons? Asked of the session bus once, and again when the bus says that it changed.
//!
//! The icon itself registers with any host by itself; this only tells the agent whether a person can see it. The
//! connection is driven by the caller's thread and sleeps until the watcher comes, goes or gets a panel.

use std::pin::pin;

use futures_util::{
    future::{self, Either},
    stream::{self, StreamExt},
};
use zbus::{Connection, MatchRule, MessageStream, connection::Builder, message::Type, zvariant::OwnedValue};

use super::HostState;

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_PATH: &str = "/StatusNotifierWatcher";

/// Changes that may wait while the answer to a question is awaited.
const QUEUE: usize = 16;

/// Reports the state now and at every change. Ends when there is no bus, or no longer.
pub(super) async fn watch(mut report: impl FnMut(HostState)) {
    if let Err(error) = follow(&mut report).await {
        tracing::debug!(%error, "the session bus is not there");
    }
    report(HostState::NoBus);
}

async fn follow(report: &mut impl FnMut(HostState)) -> zbus::Result<()> {
    let connection = Builder::session()?.internal_executor(false).build().await?;
    let executor = connection.executor().clone();
    let drive = async {
        loop {
            executor.tick().await;
        }
    };
    match future::select(pin!(changes(&connection, report)), pin!(drive)).await {
        Either::Left((ended, _)) => ended,
        Either::Right((never, _)) => never,
    }
}

async fn changes(connection: &Connection, report: &mut impl FnMut(HostState)) -> zbus::Result<()> {
    let owner = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender("org.freedesktop.DBus")?
        .interface("org.freedesktop.DBus")?
        .member("NameOwnerChanged")?
        .arg(0, WATCHER)?
        .build();
    let hosts = || MatchRule::builder().msg_type(Type::Signal).sender(WATCHER)?.interface(WATCHER);
    let come = hosts()?.member("StatusNotifierHostRegistered")?.build();
    let gone = hosts()?.member("StatusNotifierHostUnregistered")?.build();
    let owner = MessageStream::for_match_rule(owner, connection, Some(QUEUE)).await?;
    let come = MessageStream::for_match_rule(come, connection, Some(QUEUE)).await?;
    let gone = MessageStream::for_match_rule(gone, connection, Some(QUEUE)).await?;
    let mut changes = stream::select(owner, stream::select(come, gone));

    let mut known = None;
    loop {
        let mut look = pin!(look(connection));
        let mut stale = false;
        let state = loop {
            // A full queue would hold back the answer, so it is emptied meanwhile.
            match future::select(look.as_mut(), changes.next()).await {
                Either::Left((state, _)) => break state?,
                Either::Right((Some(change), _)) => {
                    change?;
                    stale = true;
                }
                Either::Right((None, _)) => return Ok(()),
            }
        };
        if stale {
            continue;
        }
        if known != Some(state) {
            known = Some(state);
            report(state);
        }
        match changes.next().await {
            Some(change) => drop(change?),
            None => return Ok(()),
        }
    }
}

async fn look(connection: &Connection) -> zbus::Result<HostState> {
    if !owned(connection).await? {
        return Ok(HostState::NoWatcher);
    }
    let question = (WATCHER, "IsStatusNotifierHostRegistered");
    let properties = Some("org.freedesktop.DBus.Properties");
    let answer = connection.call_method(Some(WATCHER), WATCHER_PATH, properties, "Get", &question).await;
    let shown = answer.and_then(|answer| Ok(bool::try_from(answer.body().deserialize::<OwnedValue>()?)?));
    match shown {
        Ok(true) => Ok(HostState::Present),
        Ok(false) => Ok(HostState::NoHost),
        Err(error) => {
            tracing::debug!(%error, "the tray watcher does not say whether a panel shows its icons");
            // Gone meanwhile, or one that knows no hosts but itself.
            Ok(if owned(connection).await? { HostState::Present } else { HostState::NoWatcher })
        }
    }
}

async fn owned(connection: &Connection) -> zbus::Result<bool> {
    let (bus, path) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
    connection.call_method(Some(bus), path, Some(bus), "NameHasOwner", &WATCHER).await?.body().deserialize()
}
