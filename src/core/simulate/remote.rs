//! A gateway elsewhere, in the pretended world.

use super::World;
use crate::config::profiles::Entry;
use crate::config::remote::{Pin, Target};
use crate::core::event::{Event, Facts, RemoteNews, RemoteWork};
use crate::core::remote::{Looked, Trouble, TroubleKind};

/// From a look to what it tells, milliseconds.
const LOOK_MS: u64 = 80;

/// How it stands there.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// Why it cannot be worked with; absent: it answers.
    pub trouble: Option<(TroubleKind, String)>,
    /// When it was looked at, milliseconds.
    pub looks: Vec<u64>,
    /// How often its dashboard was opened.
    pub opened: usize,
}

impl World {
    /// There is a remote profile of this name.
    pub fn add_remote_profile(&mut self, name: &str) {
        let entry =
            Entry { name: name.to_owned(), label: name.to_owned(), remote: true, registered: true, ..Entry::default() };
        self.profiles.registry.insert(name.to_owned(), entry);
    }

    /// It stands so from now on.
    pub fn elsewhere(&mut self, trouble: Option<(TroubleKind, &str)>) {
        self.elsewhere.trouble = trouble.map(|(kind, why)| (kind, why.to_owned()));
    }

    pub(super) fn remote_work(&mut self, work: RemoteWork) {
        let trouble = self.elsewhere.trouble.clone().map(|(kind, why)| Trouble::new(kind, why));
        match work {
            RemoteWork::Look(round) => {
                self.elsewhere.looks.push(self.now.mono_ms);
                let unpinned = trouble.as_ref().is_some_and(|trouble| trouble.kind == TroubleKind::Unpinned);
                let pin = (!unpinned).then_some(Pin::Server([7; 32]));
                let host = "palyra.example".to_owned();
                let target = Target { base_url: format!("https://{host}/"), host, pin };
                let facts = Facts { version: "9.9.9".to_owned(), uptime_seconds: 60, ..Facts::default() };
                let looked = Looked { round, target: Some(target), outcome: trouble.map_or(Ok(facts), Err) };
                self.later(LOOK_MS, Event::Remote(RemoteNews::Looked(Box::new(looked))));
            }
            RemoteWork::Open(ticket) => {
                let trouble = trouble.filter(Trouble::bars_dashboard);
                if trouble.is_none() {
                    self.elsewhere.opened += 1;
                    self.note("opens the remote dashboard".to_owned());
                }
                self.later(LOOK_MS, Event::Remote(RemoteNews::Opened(ticket, trouble.map_or(Ok(()), Err))));
            }
        }
    }
}
