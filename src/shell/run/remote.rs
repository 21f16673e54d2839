//! The gateway of a remote profile: a look at it, and its dashboard in the person's browser.

use super::{Input, Shell};
use crate::config::remote::Target;
use crate::core::event::{Event, Facts, RemoteNews, RemoteWork};
use crate::core::remote::{Looked, Trouble, TroubleKind};
use crate::shell::browser::{self, Leads};
use crate::shell::gateway::{LOOK_LIMIT, look_elsewhere};

impl Shell {
    pub(super) fn remote_work(&self, work: RemoteWork) {
        // each time anew: what the config says now is what holds
        let target =
            Target::read(&self.sidecars.paths.config).map_err(|error| Trouble::new(TroubleKind::Config, error.0));
        let (inputs, helper) = (self.inputs.clone(), self.sidecars.env.executable.clone());
        tokio::spawn(async move {
            let outcome = match &target {
                Ok(target) => look_elsewhere(target, LOOK_LIMIT).await,
                Err(trouble) => Err(trouble.clone()),
            };
            let news = match work {
                RemoteWork::Look(round) => {
                    let outcome = outcome.map(|health| Facts {
                        version: health.version,
                        git_hash: health.git_hash,
                        uptime_seconds: health.uptime_seconds.unwrap_or(0),
                        ..Facts::default()
                    });
                    RemoteNews::Looked(Box::new(Looked { round, target: target.ok(), outcome }))
                }
                RemoteWork::Open(ticket) => {
                    let opened = match (outcome, target) {
                        (Ok(_), Ok(target)) => browser::open(&helper, Leads::Anywhere, &target.base_url)
                            .await
                            .map_err(|why| Trouble::new(TroubleKind::Config, why)),
                        (Err(trouble), _) | (_, Err(trouble)) => Err(trouble),
                    };
                    RemoteNews::Opened(ticket, opened)
                }
            };
            let _ = inputs.send(Input::Event(Event::Remote(news)));
        });
    }
}
