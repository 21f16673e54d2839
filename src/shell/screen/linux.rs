//! Whether the screen is locked, as logind tells it: asked once, then heard of. Nothing is polled.
//!
//! Limits: Linux only. Without a system bus, without logind, or where the desktop does not set its `LockedHint`, the screen
//! counts as unlocked.

use std::pin::pin;

use futures_util::future::{self, Either};
use futures_util::stream::StreamExt;
use zbus::message::Type;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{Connection, MatchRule, MessageStream, connection::Builder};

const LOGIND: &str = "org.freedesktop.login1";
const SESSION: &str = "org.freedesktop.login1.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// Changes that may wait while the answer to a question is awaited.
const QUEUE: usize = 16;

/// Reports now and at every change whether the screen is locked. `session_id`: `XDG_SESSION_ID`, where there is one; else
/// the session that shows the user's desktop. Ends when that cannot be told, or no longer.
pub async fn watch(session_id: Option<String>, mut report: impl FnMut(bool)) {
    if let Err(error) = follow(session_id.as_deref(), &mut report).await {
        tracing::debug!(%error, "logind does not tell whether the screen is locked");
    }
    report(false);
}

async fn follow(session_id: Option<&str>, report: &mut impl FnMut(bool)) -> zbus::Result<()> {
    let connection = Builder::system()?.internal_executor(false).build().await?;
    let executor = connection.executor().clone();
    let drive = async {
        loop {
            executor.tick().await;
        }
    };
    match future::select(pin!(changes(&connection, session_id, report)), pin!(drive)).await {
        Either::Left((ended, _)) => ended,
        Either::Right((never, _)) => never,
    }
}

async fn changes(connection: &Connection, session_id: Option<&str>, report: &mut impl FnMut(bool)) -> zbus::Result<()> {
    let path = session(connection, session_id).await?;
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(LOGIND)?
        .path(&path)?
        .interface(PROPERTIES)?
        .member("PropertiesChanged")?
        .build();
    let mut signals = MessageStream::for_match_rule(rule, connection, Some(QUEUE)).await?;
    let mut known = None;
    loop {
        let locked = locked(connection, &path).await?;
        if known != Some(locked) {
            known = Some(locked);
            report(locked);
        }
        match signals.next().await {
            Some(signal) => drop(signal?),
            None => return Ok(()),
        }
    }
}

async fn session(connection: &Connection, session_id: Option<&str>) -> zbus::Result<OwnedObjectPath> {
    if let Some(id) = session_id {
        let manager = Some("org.freedesktop.login1.Manager");
        let answer = connection.call_method(Some(LOGIND), "/org/freedesktop/login1", manager, "GetSession", &id).await;
        if let Ok(answer) = answer {
            return answer.body().deserialize();
        }
    }
    // a service of the user's has no session of its own
    let display = property(connection, "/org/freedesktop/login1/user/self", "org.freedesktop.login1.User", "Display");
    let (_, path): (String, OwnedObjectPath) = display.await?.try_into()?;
    Ok(path)
}

async fn locked(connection: &Connection, path: &OwnedObjectPath) -> zbus::Result<bool> {
    Ok(bool::try_from(property(connection, path.as_str(), SESSION, "LockedHint").await?)?)
}

async fn property(connection: &Connection, path: &str, interface: &str, name: &str) -> zbus::Result<OwnedValue> {
    let answer = connection.call_method(Some(LOGIND), path, Some(PROPERTIES), "Get", &(interface, name)).await?;
    answer.body().deserialize()
}
