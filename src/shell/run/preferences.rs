//! `settings.toml`, watched and read while the agent runs.

use std::path::Path;

use super::{Input, Shell};
use crate::config::settings::Settings;
use crate::core::event::Event;
use crate::shell::config_watch::ConfigWatch;
use crate::shell::store;
use crate::words;

/// What holds, and the watch on the file.
pub(super) struct Preferences {
    /// At the start: some of it holds until the end.
    started_with: Settings,
    now: Settings,
    watch: Option<ConfigWatch>,
}

impl Preferences {
    pub(super) fn new(settings: Settings) -> Self {
        Self { started_with: settings.clone(), now: settings, watch: None }
    }

    /// The data folder was chosen before anything was started, and is in use already.
    pub(super) fn uses_data(&mut self, folder: &Path) {
        self.started_with.data = Some(folder.to_owned());
    }

    /// What was changed and is not in use yet.
    fn later(&self) -> impl Iterator<Item = String> {
        let (old, new) = (&self.started_with, &self.now);
        let changed = [("services.data", old.data != new.data), ("tray.panel", old.panel != new.panel)];
        changed.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| words::agent::is_used_from_next_start(name))
    }
}

impl Shell {
    /// Reads what was written since the start, and watches from then on.
    pub(super) fn look_at_settings(&mut self) {
        // what leads to the file may be another folder after each sign; and first it is watched, so that nothing is missed
        let inputs = self.inputs.clone();
        let watch = ConfigWatch::watch(&self.sidecars.paths.settings(), move || {
            let _ = inputs.send(Input::Event(Event::SettingsRang));
        });
        self.preferences.watch =
            watch.inspect_err(|why| tracing::warn!("changes of settings.toml hold from the next start on: {why}")).ok();
        let path = self.sidecars.paths.settings();
        let (settings, mut warnings) = Settings::read_over(&path, &self.preferences.now);
        if warnings.is_empty() && path.exists() {
            store::keep_copy(&path);
        }
        if settings != self.preferences.now {
            tracing::info!("other preferences hold from now on");
        }
        self.sidecars.folder.clone_from(&settings.folder);
        self.preferences.now = settings.clone();
        warnings.extend(self.preferences.later());
        self.report(Event::SettingsRead(Box::new(settings), warnings));
    }
}
