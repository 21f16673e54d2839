//! How much the agent holds: every collection with its size and the most that it may ever have.

use super::Agent;
use super::events::MAX_SHOWN;
use crate::core::companion::{MAX_DRAFTS, MAX_NOTIFICATIONS};
use crate::core::survey::{NEWS, SESSIONS};
use crate::core::telemetry::UNDER_WAY;
use crate::protocol::ServiceId;

/// Name, size now, and the most that it may have.
pub type Size = (&'static str, usize, usize);

/// What waits for somebody else (a client, the gateway) is as much as they ask for at once. More than this is never left
/// standing.
const AT_ONCE: usize = 1_000;

impl Agent {
    /// All of them. A field that is added has to be named here, or the program does not build.
    pub fn sizes(&self) -> Vec<Size> {
        let Self {
            // as large as the machine, the person and the files make them, and replaced as a whole
            setup,
            secrets: _,
            gateway: _,
            desktop: _,
            reached: _,
            removed: _,
            profile: _,
            // a value, or one for each service at most
            started: _,
            rotation: _,
            known: _,
            config: _,
            node: _,
            log_losses,
            settings_due: _,
            autostart: _,
            autostart_asked: _,
            quitting: _,
            told_browser_port: _,
            seen_running: _,
            leaving: _,
            had_secrets: _,
            open_set_up: _,
            locked: _,
            paused: _,
            stirred: _,
            switching: _,
            remote: _,
            exited: _,
            fleet,
            inbox,
            decisions,
            asks,
            asking,
            companion,
            told,
            happened,
            events,
            waiters,
            opens,
            watched,
            telemetry,
            reviewing,
            followers,
            reports,
            survey,
        } = self;
        let profile = companion.profile();
        let mut sizes = vec![
            ("warnings", setup.warnings.len(), 100),
            ("log losses", log_losses.len(), ServiceId::ALL.len()),
            ("events", events.len(), MAX_SHOWN),
            // kept right after the event that told them
            ("told", told.len(), 0),
            ("kept notifications", profile.notifications.len(), MAX_NOTIFICATIONS),
            ("drafts", profile.drafts.len(), MAX_DRAFTS),
            ("promised answers", companion.saving.promised(), AT_ONCE),
            ("waiting clients", waiters.len(), AT_ONCE),
            ("dashboards to open", opens.len(), AT_ONCE),
            ("reports to give", reports.len(), AT_ONCE),
            ("followed reviews", followers.len(), AT_ONCE),
            ("news of runs", survey.news.len(), NEWS),
            ("sessions", survey.sessions.value.as_ref().map_or(0, |sessions| sessions.rows.len()), SESSIONS),
            ("open dialogs", asking.len(), AT_ONCE),
            ("open reviews", reviewing.len(), AT_ONCE),
            ("decisions under way", decisions.under_way(), AT_ONCE),
            ("usage events under way", telemetry.under_way(), UNDER_WAY),
        ];
        sizes.extend(happened.sizes());
        sizes.extend(watched.sizes());
        sizes.extend(inbox.sizes());
        sizes.extend(asks.sizes());
        sizes.extend(fleet.iter().map(|service| ("ends of a service", service.ends(), AT_ONCE)));
        sizes
    }
}
