//! The profiles: what the registry says, and from one profile to another by beginning anew.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{Ended, Input, Inputs, Shell, Start};
use crate::config::palyra::PalyraConfig;
use crate::config::profiles::{Entry, Registry};
use crate::config::remote::Target;
use crate::config::settings::Settings;
use crate::config::{Environment, Paths};
use crate::core::event::{Event, ProfileNews, ProfileWork};
use crate::shell::lock::SetUpLock;
use crate::shell::sidecars::Sidecars;
use crate::tray::TrayReport;
use crate::words;

/// Where the tray's reports go: to the shell there is.
#[derive(Clone, Default)]
pub(super) struct ToShell {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    inputs: Option<Inputs>,
    /// The newest word on who shows the icon: it is said once, and each shell has to know.
    host: Option<TrayReport>,
}

impl ToShell {
    pub(super) fn send(&self, report: TrayReport) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(report, TrayReport::Host(_) | TrayReport::Failed(_)) {
            inner.host = Some(report.clone());
        }
        if let Some(inputs) = &inner.inputs {
            let _ = inputs.send(Input::Tray(report));
        }
    }

    /// From now on they go here.
    pub(super) fn lead_to(&self, inputs: Inputs) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = inner.host.clone() {
            let _ = inputs.send(Input::Tray(host));
        }
        inner.inputs = Some(inputs);
    }
}

impl Shell {
    pub(super) fn profile_work(&mut self, work: ProfileWork) {
        let (ticket, name) = match work {
            ProfileWork::List(ticket) => (ticket, None),
            ProfileWork::Check(ticket, name) => (ticket, Some(name)),
            ProfileWork::Become(name) => {
                tracing::info!(name, "changing to another profile");
                self.becoming = true;
                return;
            }
        };
        let (env, paths, inputs) = (self.sidecars.env.clone(), self.sidecars.paths.clone(), self.inputs.clone());
        tokio::task::spawn_blocking(move || {
            let news = match name {
                None => {
                    let registry = Registry::read(&env, &paths.state_root).map_err(|error| error.0);
                    ProfileNews::Listed(ticket, registry)
                }
                Some(name) => ProfileNews::Checked(ticket, check(&env, &paths, &name)),
            };
            let _ = inputs.send(Input::Event(Event::Profiles(news)));
        });
    }

    /// The end of this shell, and the beginning of the next one, with all that an agent finds at its start. Lock, icon and
    /// process stay.
    pub(super) async fn begin_anew(mut self, receiver: UnboundedReceiver<Input>) -> Ended {
        self.wind_up(receiver, words::profiles::PALYRA_TRAY_CHANGES_PROFILE, words::common::TRY_AGAIN_IN_A_MOMENT)
            .await;
        let Sidecars { env, paths, demo, .. } = self.sidecars;
        let mut found = match Paths::find(&env) {
            Ok(found) => found,
            // they were there a moment ago; the next start says the same
            Err(error) => {
                tracing::error!("{error}");
                eprintln!("palyra-tray: {error}");
                crate::shell::control::unpublish(&paths);
                return Ended::Over(std::process::ExitCode::FAILURE);
            }
        };
        let (settings, warnings) =
            if demo { (Settings::default(), Vec::new()) } else { Settings::read(&found.settings()) };
        found.follow(&settings);
        Ended::Again(Box::new(Start {
            env,
            paths: found,
            settings,
            warnings,
            lock: self.lock,
            desktop: self.on_desktop,
            start: self.starts,
            demo,
            set_up: false,
        }))
    }
}

/// Whether it could be started, as far as that can be told while another one runs.
fn check(env: &Environment, paths: &Paths, name: &str) -> Result<Entry, String> {
    let found = paths.in_profile(env, name).map_err(|error| error.0)?;
    if found.profile.remote {
        Target::read(&found.config).map_err(|error| error.0)?;
    } else if !found.config_is_new {
        PalyraConfig::read(&found.config).map_err(|error| error.0)?;
    }
    if matches!(SetUpLock::take(paths), Ok(None)) {
        return Err(words::profiles::SET_UP_IS_OPEN.to_owned());
    }
    Ok(found.profile)
}
