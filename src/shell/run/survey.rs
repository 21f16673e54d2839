//! Asking the gateway for what it tells only then, telling those who watch, and the clipboard.

use super::Shell;
use crate::core::event::{Event, Ticket};
use crate::core::snapshot;
use crate::core::survey::{Answer, Ask, Part};
use crate::core::time::Now;
use crate::protocol::Reply;
use crate::shell::{clipboard, reveal, store};
use crate::words;

impl Shell {
    pub(super) fn survey(&self, Ask { part, round }: Ask) {
        let Some(client) = self.client.clone() else {
            let why = || words::agent::NOT_SIGNED.to_owned();
            let answer = match part {
                Part::Sessions => Answer::Sessions(Err(why())),
                Part::Diagnostics => Answer::Diagnostics(Err(why())),
                Part::Discord => Answer::Discord(Err(why())),
            };
            return self.report(Event::Surveyed(round, answer));
        };
        self.spawn(async move {
            let answer = match part {
                Part::Sessions => Answer::Sessions(client.newest_sessions().await.map_err(|error| error.message)),
                Part::Diagnostics => Answer::Diagnostics(client.diagnostics().await.map_err(|error| error.message)),
                Part::Discord => Answer::Discord(client.discord_fact().await.map_err(|error| error.message)),
            };
            Event::Surveyed(round, answer)
        });
    }

    /// Gives the snapshot to those who watch, when it looks different from the last one.
    pub(super) fn tell_watchers(&mut self, now: Now) {
        if !self.server.news.is_watched() {
            return;
        }
        let snapshot = snapshot::snapshot(&self.core, now);
        let steady = snapshot::steady(&snapshot);
        if steady != self.told {
            self.told = steady;
            self.server.news.push(&Reply::Data(snapshot));
        }
    }

    pub(super) fn copy(&self, ticket: Option<Ticket>, text: String) {
        let (wayland, x11) = (self.sidecars.env.get("WAYLAND_DISPLAY"), self.sidecars.env.get("DISPLAY"));
        let programs = clipboard::programs(wayland.is_some(), x11.is_some());
        let file = self.sidecars.paths.own.join("diagnostics.txt");
        let shows = self.sidecars.env.has_display();
        let inputs = self.inputs.clone();
        tokio::task::spawn_blocking(move || {
            let outcome = if clipboard::put(&programs, &text) {
                Ok(None)
            } else {
                let written = store::write_atomic(&file, text.as_bytes());
                written.map_err(words::agent::diagnostics_could_not_be_written).map(|()| {
                    if shows {
                        reveal::reveal(file.clone(), |why| tracing::info!("{why}"));
                    }
                    Some(file.display().to_string())
                })
            };
            let _ = inputs.send(super::Input::Event(Event::Copied(ticket, outcome)));
        });
    }
}
