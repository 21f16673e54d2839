//! For the support bundle: Palyra's own export, with the token that only the agent has; and the folder of the bundles, shown.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::{Input, Shell};
use crate::config::programs;
use crate::core::event::{Event, Ticket};
use crate::core::support::Cleaner;
use crate::protocol::ServiceId;
use crate::shell::{memory, palyra_cli, reveal};
use crate::words;

impl Shell {
    pub(super) fn show_bundles(&self) {
        let inputs = self.inputs.clone();
        reveal::reveal(self.sidecars.paths.support(), move |why| {
            let _ = inputs.send(Input::Event(Event::LogNotShown(why)));
        });
    }

    pub(super) fn export_palyra(&self, ticket: Ticket) {
        let (sidecars, tokens, inputs) = (self.sidecars.clone(), self.tokens.clone(), self.inputs.clone());
        let work = move || {
            let export = || -> Result<Value, String> {
                if sidecars.demo {
                    return Err(words::support::DEMO_HAS_NONE.to_owned());
                }
                let program = programs::find_binary(&sidecars.env, ServiceId::NodeHost, sidecars.folder.as_deref());
                let program = program.map_err(|error| error.0)?;
                let token = tokens.as_ref().map(|tokens| sidecars.admin_token(tokens));
                let env = palyra_cli::export_environment(&sidecars.env, &sidecars.paths, token.as_ref());
                let export = palyra_cli::export(&program, env, &sidecars.paths.support(), palyra_cli::EXPORT_LIMIT)?;
                let all = tokens.iter().flat_map(|tokens| [&tokens.admin, &tokens.browser, &tokens.browser_key]);
                let known = all.chain(&token).map(|secret| secret.expose_secret().to_owned());
                Ok(Cleaner::new(known.collect()).json(export))
            };
            let _ = inputs.send(Input::Event(Event::PalyraExported(ticket, export())));
            memory::give_back();
        };
        tokio::task::spawn_blocking(work);
    }
}
