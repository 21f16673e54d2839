//! The messages: what is sent and how what arrives is read.

use std::collections::HashMap;

use zbus::message::{Flags, Message, Type};
use zbus::zvariant::Value;

use super::super::board::Notify;
use super::super::{AppIdentity, ServerInfo};
use crate::core::view::Urgency;

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
    /// `NotificationReplied` from whoever sent it.
    Replied { sender: String, id: u32, text: String },
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
                (SERVER, SERVER_PATH, "NotificationReplied") => {
                    let (id, text) = message.body().deserialize::<(u32, String)>().ok()?;
                    Some(Arrival::Replied { sender, id, text })
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
pub(super) fn notify(owner: &str, app: &AppIdentity, call: &Notify) -> zbus::Result<Message> {
    let Notify { key, replaces, notice, text, actions, .. } = call;
    let actions: Vec<&str> = actions.iter().flat_map(|(key, label)| [key.as_str(), label.as_str()]).collect();
    let mut hints: HashMap<&str, Value<'_>> = HashMap::from([
        ("urgency", Value::U8(urgency_level(notice.urgency))),
        ("category", Value::from(category(key))),
        ("desktop-entry", Value::from(app.desktop_entry.as_str())),
    ]);
    if let Some(picture) = picture() {
        // by its data, not its name: the icon theme has it only once the package is installed
        hints.insert("image-data", picture);
    }
    if notice.resident {
        hints.insert("resident", Value::Bool(true));
    }
    if *replaces != 0 && notice.quiet_update {
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

/// The application's picture as the specification has it: width, height, row stride, alpha, bits a sample, channels, data.
fn picture() -> Option<Value<'static>> {
    let png: &[u8] = include_bytes!("../../../../assets/icons/hicolor/48x48/apps/palyra-tray.png");
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut pixels).ok()?;
    let alpha = info.color_type == png::ColorType::Rgba;
    if !alpha && info.color_type != png::ColorType::Rgb {
        return None;
    }
    let signed = |number: u32| i32::try_from(number).ok();
    let stride = i32::try_from(info.line_size).ok()?;
    let channels = if alpha { 4_i32 } else { 3 };
    Some(Value::from((signed(info.width)?, signed(info.height)?, stride, alpha, 8_i32, channels, pixels)))
}

/// The urgency hint of the desktop notification specification.
fn urgency_level(urgency: Urgency) -> u8 {
    match urgency {
        Urgency::Low => 0,
        Urgency::Normal => 1,
        Urgency::Critical => 2,
    }
}

/// `approval:01H…` becomes `x-palyra.approval`, so that a person can write rules for a kind of notification.
fn category(key: &str) -> String {
    let kind = key.split(':').next().unwrap_or_default();
    let kind: String = kind.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(32).collect();
    if kind.is_empty() { "x-palyra".to_owned() } else { format!("x-palyra.{kind}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_as_the_specification_has_it() {
        assert_eq!(picture().expect("a picture").value_signature().to_string(), "(iiibiiay)");
    }

    #[test]
    fn categories_come_from_the_kind() {
        assert_eq!(category("approval:01H"), "x-palyra.approval");
        assert_eq!(category(":"), "x-palyra");
    }
}
