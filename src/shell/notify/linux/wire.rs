//! The messages: what is sent and how what arrives is read.

use std::collections::HashMap;

use zbus::message::{Flags, Message, Type};
use zbus::zvariant::Value;

use super::super::text::{Text, category, urgency_level};
use super::super::{AppIdentity, ServerInfo};
use crate::core::view::Notice;

const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";
pub(super) const SERVER: &str = "org.freedesktop.Notifications";
const SERVER_PATH: &str = "/org/freedesktop/Notifications";

/// Everything of interest that can arrive.
#[derive(Debug)]
pub(super) enum Arrival {
    /// An answer to the call with this serial, or the name of the error and its text.
    Answer { serial: u32, sender: String, result: Result<Message, (String, String)> },
    /// The well-known name changed hands; nobody has it when empty.
    Owner { name: String },
    /// `ActionInvoked` from whoever sent it.
    Invoked { sender: String, id: u32, key: String },
    /// `NotificationClosed` from whoever sent it.
    Closed { sender: String, id: u32, reason: u32 },
}

/// What a message means to us, if anything.
pub(super) fn read(message: &Message) -> Option<Arrival> {
    let header = message.header();
    let sender = header.sender()?.to_string();
    match message.message_type() {
        Type::MethodReturn => {
            Some(Arrival::Answer { serial: header.reply_serial()?.get(), sender, result: Ok(message.clone()) })
        }
        Type::Error => {
            let name = header.error_name()?.to_string();
            let text = message.body().deserialize::<&str>().map(ToOwned::to_owned).unwrap_or_default();
            Some(Arrival::Answer { serial: header.reply_serial()?.get(), sender, result: Err((name, text)) })
        }
        Type::MethodCall => None,
        Type::Signal => {
            let member = header.member()?;
            match (header.interface()?.as_str(), header.path()?.as_str(), member.as_str()) {
                (BUS, BUS_PATH, "NameOwnerChanged") if sender == BUS => {
                    let body = message.body();
                    let (name, _, new): (&str, &str, &str) = body.deserialize().ok()?;
                    (name == SERVER).then(|| Arrival::Owner { name: new.to_owned() })
                }
                (SERVER, SERVER_PATH, "ActionInvoked") => {
                    let (id, key) = message.body().deserialize::<(u32, String)>().ok()?;
                    Some(Arrival::Invoked { sender, id, key })
                }
                (SERVER, SERVER_PATH, "NotificationClosed") => {
                    let (id, reason) = message.body().deserialize::<(u32, u32)>().ok()?;
                    Some(Arrival::Closed { sender, id, reason })
                }
                _ => None,
            }
        }
    }
}

/// Asks the bus for the signals we need; in this order nothing can be missed.
pub(super) fn subscriptions() -> zbus::Result<Vec<Message>> {
    let owner = format!(
        "type='signal',sender='{BUS}',path='{BUS_PATH}',interface='{BUS}',member='NameOwnerChanged',arg0='{SERVER}'"
    );
    let server = format!("type='signal',sender='{SERVER}',path='{SERVER_PATH}',interface='{SERVER}'");
    [owner, server].iter().map(|rule| bus_call("AddMatch", &(rule.as_str(),))).collect()
}

pub(super) fn get_owner() -> zbus::Result<Message> {
    bus_call("GetNameOwner", &(SERVER,))
}

/// Activates a server, as the first `Notify` of any program would.
pub(super) fn start_server() -> zbus::Result<Message> {
    bus_call("StartServiceByName", &(SERVER, 0_u32))
}

pub(super) fn ask_server(owner: &str, method: &str) -> zbus::Result<Message> {
    server_call(owner, method)?.build(&())
}

pub(super) fn close(owner: &str, id: u32) -> zbus::Result<Message> {
    server_call(owner, "CloseNotification")?.with_flags(Flags::NoReplyExpected)?.build(&(id,))
}

/// Action keys and labels come as pairs; they go out flat.
pub(super) fn notify(
    owner: &str,
    app: &AppIdentity,
    key: &str,
    replaces: u32,
    notice: &Notice,
    text: &Text,
    actions: &[(String, String)],
) -> zbus::Result<Message> {
    let actions: Vec<&str> = actions.iter().flat_map(|(key, label)| [key.as_str(), label.as_str()]).collect();
    let mut hints: HashMap<&str, Value<'_>> = HashMap::from([
        ("urgency", Value::U8(urgency_level(notice.urgency))),
        ("category", Value::from(category(key))),
        ("desktop-entry", Value::from(app.desktop_entry.as_str())),
    ]);
    if notice.resident {
        hints.insert("resident", Value::Bool(true));
    }
    if replaces != 0 && notice.quiet_update {
        hints.insert("suppress-sound", Value::Bool(true));
    }
    let expire = if notice.resident { 0_i32 } else { -1_i32 };
    server_call(owner, "Notify")?.build(&(
        app.name.as_str(),
        replaces,
        app.icon.as_str(),
        text.summary.as_str(),
        text.body.as_str(),
        actions,
        hints,
        expire,
    ))
}

/// From the answers to `GetServerInformation` and `GetCapabilities`.
pub(super) fn server_info(information: Option<&Message>, capabilities: &Message) -> ServerInfo {
    let (name, vendor, version, _): (String, String, String, String) =
        information.and_then(|message| message.body().deserialize().ok()).unwrap_or_default();
    let capabilities: Vec<String> = capabilities.body().deserialize().unwrap_or_default();
    let has = |name: &str| capabilities.iter().any(|capability| capability == name);
    ServerInfo {
        name,
        vendor,
        version,
        actions: has("actions"),
        body_markup: has("body-markup"),
        body: has("body"),
        inline_reply: has("inline-reply"),
        persistence: has("persistence"),
        withdraw: true,
    }
}

fn bus_call<B: serde::Serialize + zbus::zvariant::DynamicType>(method: &str, body: &B) -> zbus::Result<Message> {
    Message::method_call(BUS_PATH, method)?.destination(BUS)?.interface(BUS)?.build(body)
}

fn server_call<'a>(owner: &'a str, method: &'a str) -> zbus::Result<zbus::message::Builder<'a>> {
    Message::method_call(SERVER_PATH, method)?.destination(owner)?.interface(SERVER)?.with_flags(Flags::NoAutoStart)
}
