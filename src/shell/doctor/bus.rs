//! What is on the session bus. Starts nothing: services are asked only if they run.

use std::time::Duration;

use futures_util::future::join4;
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue};
use zbus::{Connection, Message};

use crate::core::doctor::facts::{Bus, Fact, Keyring, NotificationServer, OnBus, Presence, TrayHost, Unit};
use crate::words;

/// For all questions to one service.
const PATIENCE: Duration = Duration::from_millis(800);

const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const NOTIFICATIONS: &str = "org.freedesktop.Notifications";
const NOTIFICATIONS_PATH: &str = "/org/freedesktop/Notifications";
const SECRETS: &str = "org.freedesktop.secrets";
const SYSTEMD: &str = "org.freedesktop.systemd1";
const SYSTEMD_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "palyra-tray.service";

/// Looks.
pub(super) fn look() -> Fact<Bus> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let connect = async { zbus::connection::Builder::session()?.build().await };
        match tokio::time::timeout(PATIENCE, connect).await {
            Err(_) => Err(words::checks::SESSION_BUS_DOES_NOT_ANSWER.to_owned()),
            Ok(Err(error)) => Ok(Bus::Absent(error.to_string())),
            Ok(Ok(bus)) => Ok(Bus::Up(Box::new(on(&bus).await))),
        }
    })
}

async fn on(bus: &Connection) -> OnBus {
    let parts = join4(
        in_time(words::checks::LOOK_AT_TRAY_HOST, tray(bus)),
        in_time(words::checks::LOOK_AT_NOTIFICATION_SERVER, notifications(bus)),
        in_time(words::checks::LOOK_AT_KEYRING, keyring(bus)),
        in_time("systemd", unit(bus)),
    );
    let (tray, notifications, keyring, unit) = parts.await;
    OnBus { tray, notifications, keyring, unit }
}

async fn in_time<T>(who: &str, look: impl Future<Output = zbus::Result<T>>) -> Fact<T> {
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(Ok(fact)) => Ok(fact),
        Ok(Err(error)) => Err(words::checks::did_not_tell(who, &error)),
        Err(_) => Err(words::checks::does_not_answer(who)),
    }
}

async fn tray(bus: &Connection) -> zbus::Result<TrayHost> {
    let Some(watcher) = owner(bus, WATCHER).await? else { return Ok(TrayHost::NoWatcher) };
    let host = property(bus, &watcher, "/StatusNotifierWatcher", WATCHER, "IsStatusNotifierHostRegistered").await;
    // one that does not tell knows no hosts but itself
    let shown = host.ok().and_then(|value| bool::try_from(value).ok()).unwrap_or(true);
    Ok(if shown { TrayHost::Present } else { TrayHost::NoHost })
}

async fn notifications(bus: &Connection) -> zbus::Result<Presence<NotificationServer>> {
    let Some(server) = owner(bus, NOTIFICATIONS).await? else { return presence(bus, NOTIFICATIONS).await };
    let ask = |method: &'static str| call(bus, &server, NOTIFICATIONS_PATH, NOTIFICATIONS, method, &());
    let information = ask("GetServerInformation").await?;
    let (name, _, version, _): (String, String, String, String) = information.body().deserialize()?;
    let capabilities: Vec<String> = ask("GetCapabilities").await?.body().deserialize()?;
    let quiet = quiet(bus, &server, &name).await;
    let actions = capabilities.iter().any(|one| one == "actions");
    Ok(Presence::Running(NotificationServer { name, version, actions, quiet }))
}

/// Do Not Disturb, where it can be asked for.
async fn quiet(bus: &Connection, server: &str, name: &str) -> Option<bool> {
    let value = match name {
        "dunst" => property(bus, server, NOTIFICATIONS_PATH, "org.dunstproject.cmd0", "paused").await,
        "Xfce Notify Daemon" => {
            let settings = owner(bus, "org.xfce.Xfconf").await.ok()??;
            let question = ("xfce4-notifyd", "/do-not-disturb");
            let answer = call(bus, &settings, "/org/xfce/Xfconf", "org.xfce.Xfconf", "GetProperty", &question).await;
            match answer {
                Ok(answer) => answer.body().deserialize::<OwnedValue>(),
                // never switched on
                Err(zbus::Error::MethodError(..)) => return Some(false),
                Err(error) => Err(error),
            }
        }
        _ => property(bus, server, NOTIFICATIONS_PATH, NOTIFICATIONS, "Inhibited").await,
    };
    bool::try_from(value.ok()?).ok()
}

async fn keyring(bus: &Connection) -> zbus::Result<Presence<Keyring>> {
    const PATH: &str = "/org/freedesktop/secrets";
    let Some(service) = owner(bus, SECRETS).await? else { return presence(bus, SECRETS).await };
    let answer = call(bus, &service, PATH, "org.freedesktop.Secret.Service", "ReadAlias", &"default").await?;
    let default: OwnedObjectPath = answer.body().deserialize()?;
    if default.as_str() == "/" {
        return Ok(Presence::Running(Keyring { locked: None }));
    }
    let locked = property(bus, &service, default.as_str(), "org.freedesktop.Secret.Collection", "Locked").await?;
    Ok(Presence::Running(Keyring { locked: bool::try_from(locked).ok() }))
}

async fn unit(bus: &Connection) -> zbus::Result<Option<Unit>> {
    let Some(systemd) = owner(bus, SYSTEMD).await? else { return Ok(None) };
    let ask = |method: &'static str| call(bus, &systemd, SYSTEMD_PATH, MANAGER, method, &UNIT);
    // an error is the answer that there is no such unit
    let enabled = ask("GetUnitFileState").await.and_then(|answer| answer.body().deserialize::<String>());
    let active = match ask("GetUnit").await.and_then(|answer| answer.body().deserialize::<OwnedObjectPath>()) {
        Ok(path) => property(bus, &systemd, path.as_str(), "org.freedesktop.systemd1.Unit", "ActiveState").await,
        Err(error) => Err(error),
    };
    let active = active.ok().and_then(|value| String::try_from(value).ok());
    Ok(Some(Unit { enabled: enabled.unwrap_or_default(), active: active.unwrap_or_default() }))
}

/// Whether the bus would start a service that does not run.
async fn presence<T>(bus: &Connection, name: &str) -> zbus::Result<Presence<T>> {
    let answer = call(bus, BUS, BUS_PATH, BUS, "ListActivatableNames", &()).await?;
    let names: Vec<String> = answer.body().deserialize()?;
    Ok(if names.iter().any(|one| one == name) { Presence::Startable } else { Presence::Absent })
}

/// The process that has a name; asking it by this never starts anything.
async fn owner(bus: &Connection, name: &str) -> zbus::Result<Option<String>> {
    match call(bus, BUS, BUS_PATH, BUS, "GetNameOwner", &name).await {
        Ok(answer) => Ok(Some(answer.body().deserialize()?)),
        Err(zbus::Error::MethodError(error, ..)) if error.as_str() == "org.freedesktop.DBus.Error.NameHasNoOwner" => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn property(bus: &Connection, to: &str, path: &str, of: &str, name: &str) -> zbus::Result<OwnedValue> {
    call(bus, to, path, PROPERTIES, "Get", &(of, name)).await?.body().deserialize()
}

async fn call<B: serde::Serialize + DynamicType>(
    bus: &Connection,
    to: &str,
    path: &str,
    interface: &str,
    method: &str,
    body: &B,
) -> zbus::Result<Message> {
    bus.call_method(Some(to), path, Some(interface), method, body).await
}
