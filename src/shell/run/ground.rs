//! Looks at our place on the disk, on the moments of other looks: is it still the one we began with, and do logs lose lines?

use std::collections::BTreeMap;

use super::{Input, Shell};
use crate::core::event::Event;
use crate::protocol::ServiceId;
use crate::protocol::shim::LogLoss;
use crate::shell::lock::{AgentLock, LockError};
use crate::shell::{control, process};
use crate::words;

impl Shell {
    /// Tells what changed since the last look; makes our place anew where it was removed.
    pub(super) fn look_at_ground(&mut self) {
        if !self.lock.is_in_place() {
            self.take_place_again();
        }
        let loss =
            |service| process::log_loss(&self.sidecars.paths.run_dir(service)).filter(|loss| loss.dropped_lines > 0);
        let living = ServiceId::ALL.into_iter().filter(|id| self.core.fleet.get(*id).run.is_some());
        let losses: BTreeMap<_, LogLoss> = living.filter_map(|service| Some((service, loss(service)?))).collect();
        if losses != self.core.log_losses {
            for (service, loss) in &losses {
                tracing::warn!(%service, lines = loss.dropped_lines, why = loss.why, "log lines were lost");
            }
            let _ = self.step(Event::LogLosses(losses));
        }
    }

    /// Without lock, socket and address a second agent would start beside this one, and no command would find it.
    fn take_place_again(&mut self) {
        let paths = &self.sidecars.paths;
        let lock = match AgentLock::take(paths) {
            Ok(lock) => lock,
            Err(LockError::Held) => {
                let _ = self.step(Event::NotSaved(words::services::ANOTHER_PALYRA_TRAY_HAS_TAKEN_STATE.to_owned()));
                return;
            }
            Err(error) => {
                let _ = self.step(Event::NotSaved(error.to_string()));
                return;
            }
        };
        let inputs = self.inputs.clone();
        let served = if paths.socket.exists() {
            Ok(None)
        } else {
            control::serve(paths, move |asked| {
                let _ = inputs.send(Input::Asked(asked));
            })
            .map(Some)
        };
        match served.and_then(|server| control::publish(paths, env!("CARGO_PKG_VERSION")).map(|()| server)) {
            Ok(server) => {
                if let Some(server) = server {
                    self.server = server;
                }
                let folder = paths.own.display().to_string();
                tracing::error!(folder, "our folder was removed while we ran; it was made anew");
                self.lock = lock;
                let _ = self.step(Event::FolderRemoved(folder));
            }
            // the next look tries again
            Err(error) => tracing::error!(%error, "our folder was removed while we ran, and cannot be made anew"),
        }
    }
}
