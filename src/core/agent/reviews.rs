//! Open reviews: whoever shows a record is told as soon as what it shows is no longer what waits.

use super::Agent;
use crate::core::event::{Effect, Ticket};
use crate::core::time::{Now, earlier};
use crate::protocol::{Reply, Standing};

/// A client that asks how a record stands is answered after this long at the latest, milliseconds: one that went away
/// without a word is then forgotten.
pub const FOLLOW_MS: u64 = 20_000;

/// Somebody shows a record.
#[derive(Clone, Debug)]
pub(super) struct Follower {
    ticket: Ticket,
    approval_id: String,
    digest: String,
    in_window: bool,
    /// It was seen to wait: since then, its absence means that it is over.
    seen: bool,
    deadline: u64,
}

impl Agent {
    pub(super) fn follow(&mut self, ticket: Ticket, approval_id: String, digest: String, in_window: bool, now: Now) {
        let deadline = now.mono_ms + FOLLOW_MS;
        self.followers.push(Follower { ticket, approval_id, digest, in_window, seen: false, deadline });
    }

    pub(super) fn follow_deadline(&self) -> Option<u64> {
        self.followers.iter().map(|follower| follower.deadline).fold(None, |soonest, at| earlier(soonest, Some(at)))
    }

    pub(super) fn settle_followers(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for mut follower in std::mem::take(&mut self.followers) {
            let standing = self.standing(&mut follower);
            if standing == Standing::Waits && now.mono_ms < follower.deadline {
                self.followers.push(follower);
            } else {
                effects.push(Effect::Reply(follower.ticket, Reply::Data(serde_json::json!(standing))));
            }
        }
    }

    fn standing(&self, follower: &mut Follower) -> Standing {
        if self.is_ending() {
            return Standing::Ending;
        }
        if self.locked && follower.in_window {
            return Standing::Locked;
        }
        match self.inbox.waits_as(&follower.approval_id, &follower.digest) {
            Some(true) => {
                follower.seen = true;
                Standing::Waits
            }
            Some(false) => Standing::Changed,
            // read straight from the gateway, it may be known to the client before it is known here
            None if !follower.seen && !self.inbox.is_current() => Standing::Waits,
            None => Standing::Settled,
        }
    }
}
