//! How it goes, as one word.

use crate::core::agent::Agent;
use crate::core::event::Secrets;
use crate::core::service::{Goal, Phase, StopReason};
use crate::core::view::Base;
use crate::protocol::ServiceId;

/// The base state of the icon. What is not known is never healthy.
pub fn base(agent: &Agent) -> Base {
    if let Some(remote) = &agent.remote {
        return remote.base();
    }
    let gateway = agent.fleet.get(ServiceId::Gateway);
    if gateway.phase == Phase::GivenUp || (gateway.goal == Goal::Up && matches!(agent.secrets, Secrets::Failed(_))) {
        return Base::Fatal;
    }
    match (&gateway.phase, gateway.goal) {
        (Phase::BackingOff { .. } | Phase::Stopping { why: StopReason::Sick | StopReason::SlowStart }, _) => Base::Down,
        (Phase::Unknown, _) => Base::Starting,
        // also while it still answers because it waits for its dependants to end first
        (Phase::Stopped | Phase::Stopping { .. } | Phase::Starting { .. } | Phase::Ready { .. }, Goal::Down) => {
            Base::Stopped
        }
        (Phase::Stopped | Phase::Starting { .. } | Phase::Stopping { .. }, _) => Base::Starting,
        (Phase::Unhealthy { .. }, _) => Base::Degraded,
        (Phase::GivenUp, _) => Base::Fatal,
        (Phase::Ready { .. }, _) => dependants(agent),
    }
}

/// `healthy`, `degraded` or `down`: the words that scripts of the earlier desktop app know.
pub const fn overall(base: Base) -> &'static str {
    match base {
        Base::Healthy => "healthy",
        Base::Degraded => "degraded",
        Base::Starting | Base::Stopped | Base::Down | Base::Fatal => "down",
    }
}

/// The name of a base state in JSON.
pub const fn name(base: Base) -> &'static str {
    match base {
        Base::Healthy => "healthy",
        Base::Stopped => "stopped",
        Base::Degraded => "degraded",
        Base::Starting => "starting",
        Base::Down => "down",
        Base::Fatal => "fatal",
    }
}

fn dependants(agent: &Agent) -> Base {
    let wanted = |id| agent.fleet.get(id).goal == Goal::Up;
    let mut base = Base::Healthy;
    for id in [ServiceId::Browserd, ServiceId::NodeHost] {
        let one = match &agent.fleet.get(id).phase {
            Phase::Ready { .. } => Base::Healthy,
            Phase::Starting { .. } | Phase::Unknown | Phase::Stopped | Phase::Stopping { why: StopReason::Restart } => {
                Base::Starting
            }
            _ => Base::Degraded,
        };
        // a person has to do something before it starts
        let barred = id == ServiceId::NodeHost && agent.fleet.get(id).run.is_none() && agent.node.is_barred();
        let one = if barred { Base::Degraded } else { one };
        if wanted(id) {
            base = worse(base, one);
        }
    }
    if !agent.inbox.trouble.is_empty() || agent.inbox.unreadable > 0 || !agent.config.trouble.is_empty() {
        base = worse(base, Base::Degraded);
    }
    base
}

fn worse(a: Base, b: Base) -> Base {
    let rank = |base| match base {
        Base::Healthy => 0,
        Base::Degraded => 1,
        _ => 2,
    };
    if rank(a) >= rank(b) { a } else { b }
}
