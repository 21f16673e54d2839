//! The gateway of a remote profile: a look at it, and its dashboard in the person's browser.

use super::{Input, Shell};
use crate::core::event::{Event, RemoteNews, RemoteWork};
use crate::core::remote::{Looked, Trouble, TroubleKind};
use crate::shell::browser::{self, Leads};
use crate::shell::gateway::{LOOK_LIMIT, look_elsewhere};

impl Shell {
    pub(super) fn remote_work(&self, work: RemoteWork) {
        let (inputs, helper) = (self.inputs.clone(), self.sidecars.env.executable.clone());
        let config = self.sidecars.paths.config.clone();
        tokio::spawn(async move {
            let (target, outcome) = look_elsewhere(&config, LOOK_LIMIT).await;
            let news = match work {
                RemoteWork::Look(round) => {
                    RemoteNews::Looked(Box::new(Looked { round, target, outcome: outcome.map(Into::into) }))
                }
                RemoteWork::Open(ticket) => {
                    let barred = outcome.err().filter(Trouble::bars_dashboard);
                    let opened = match (barred, target) {
                        (None, Some(target)) => browser::open(&helper, Leads::Anywhere, &target.base_url)
                            .await
                            .map_err(|why| Trouble::new(TroubleKind::Config, why)),
                        (Some(trouble), _) => Err(trouble),
                        // without an address there was a trouble
                        (None, None) => return,
                    };
                    RemoteNews::Opened(ticket, opened)
                }
            };
            let _ = inputs.send(Input::Event(Event::Remote(news)));
        });
    }
}
