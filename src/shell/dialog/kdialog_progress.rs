//! The progress dialog of kdialog, which takes news over the session bus.
//!
//! Limit: without a session bus it shows the first text to its end.

use std::process::{Child, Stdio};

use tokio::runtime::Runtime;
use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::message::{Flags, Message};
use zbus::names::BusName;
use zbus::zvariant::{DynamicType, Value};

use super::Progress;
use super::kdialog::lines;
use super::program::{self, Program};
use crate::core::dialog::{Form, ProgressLine, one_line};

const PATH: &str = "/ProgressDialog";
const INTERFACE: &str = "org.kde.kdialog.ProgressDialog";

/// An open progress dialog.
pub struct Window {
    child: Child,
    cancelled: bool,
    bus: Option<Bus>,
    /// Not told yet: the window may need a moment until it listens.
    news: Option<News>,
}

struct Bus {
    runtime: Runtime,
    connection: Connection,
    /// Of the window.
    name: String,
}

#[derive(Default)]
struct News {
    hide_cancel: bool,
    line: Option<ProgressLine>,
}

impl Window {
    /// Opens it, with this text.
    ///
    /// # Errors
    /// It could not be started, in one sentence.
    pub fn open(kdialog: &Program, form: &Form, text: String) -> Result<Self, String> {
        // kdialog itself would leave it to a process that nobody waits for.
        let helper = Program {
            name: "kdialog_progress_helper",
            path: kdialog.path.with_file_name("kdialog_progress_helper"),
            variables: kdialog.variables.clone(),
            over: None,
        };
        let args = [format!("--progressbar={text}"), format!("--title={}", one_line(&form.title)), "0".to_owned()];
        let child = helper.spawn(&args.map(Into::into), Stdio::null)?;
        let bus = Bus::connect(&format!("org.kde.kdialog-{}", child.id()));
        let news = form.buttons.is_empty().then_some(News { hide_cancel: true, line: None });
        Ok(Self { child, cancelled: false, bus, news })
    }

    fn tell(&mut self) {
        if let (Some(bus), Some(news)) = (&self.bus, &self.news)
            && bus.tell(news).is_some()
        {
            self.news = None;
        }
    }
}

impl Progress for Window {
    fn update(&mut self, line: &ProgressLine) {
        self.news.get_or_insert_default().line = Some(line.clone());
        self.tell();
    }

    fn cancelled(&mut self) -> bool {
        self.tell();
        if !self.cancelled
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.cancelled = status.code() == Some(1);
        }
        self.cancelled
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        program::end(&mut self.child);
    }
}

impl Bus {
    fn connect(name: &str) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
        let connection = runtime.block_on(Connection::session()).ok()?;
        Some(Self { runtime, connection, name: name.to_owned() })
    }

    /// Nothing: the window does not listen yet.
    fn tell(&self, news: &News) -> Option<()> {
        self.runtime.block_on(async {
            // Asks the bus, which always answers; the window itself may hang.
            let bus = DBusProxy::new(&self.connection).await.ok()?;
            let name = BusName::try_from(self.name.as_str()).ok()?;
            bus.name_has_owner(name).await.ok()?.then_some(())?;
            if news.hide_cancel {
                self.call(INTERFACE, "showCancelButton", &(false,)).await?;
            }
            if let Some(line) = &news.line {
                if !line.text.is_empty() {
                    self.call(INTERFACE, "setLabelText", &(format!("<html>{}</html>", lines(&line.text)),)).await?;
                }
                // A bar that ends at 0 moves without saying how far it is.
                let (end, value) = line.percent.map_or((0, 0), |percent| (100, i32::from(percent.min(100))));
                self.set("maximum", end).await?;
                self.set("value", value).await?;
            }
            Some(())
        })
    }

    async fn set(&self, property: &str, value: i32) -> Option<()> {
        self.call("org.freedesktop.DBus.Properties", "Set", &(INTERFACE, property, Value::from(value))).await
    }

    /// Does not wait for an answer.
    async fn call<B: serde::Serialize + DynamicType>(&self, interface: &str, method: &str, body: &B) -> Option<()> {
        let message = Message::method_call(PATH, method).ok()?;
        let message = message.destination(self.name.as_str()).ok()?.interface(interface).ok()?;
        let message = message.with_flags(Flags::NoReplyExpected).ok()?.build(body).ok()?;
        self.connection.send(&message).await.ok()
    }
}
