//! The secrets that we know, told to whoever must not show them: the core, and our own log.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::Shell;
use crate::config::{self, palyra};
use crate::core::event::Event;
use crate::core::redact::Redactor;
use crate::shell::logging;

impl Shell {
    /// Those of the config, of our environment and of our own store, as they are now.
    pub(super) fn tell_known(&self) {
        let ours = self.tokens.iter().flat_map(|tokens| [&tokens.admin, &tokens.browser, &tokens.browser_key]);
        let ours = ours.map(|token| token.expose_secret().to_owned());
        let of_config = palyra::secret_texts(&self.sidecars.paths.config);
        let known = Arc::new(Redactor::new(of_config.into_iter().chain(config::secret_variables()).chain(ours)));
        logging::hide(Arc::clone(&known));
        self.report(Event::Known(known));
    }
}
