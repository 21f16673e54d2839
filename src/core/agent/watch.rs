//! What is kept an eye on beside the person's own decisions: a pause of all agents, allowances that somebody else gave, and
//! floods of requests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Agent;
use crate::core::decisions::Surface;
use crate::core::describe::describe;
use crate::core::event::{Effect, Ticket};
use crate::core::inbox::News;
use crate::core::notices;
use crate::core::record::Record;
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::{Button, Urgency};
use crate::protocol::{Action, Decision, Failure, FailureCode, Scope, Verdict};

/// More new requests than this within [`FLOOD_MS`] are a flood.
pub const FLOOD_ABOVE: usize = 10;
/// Window of the flood's count, milliseconds.
pub const FLOOD_MS: u64 = 60_000;
/// So many arrivals are remembered for it.
const ARRIVALS: usize = 1_000;
/// A denial by the pause that failed is tried again by the first look after this, milliseconds.
const DENY_AGAIN_MS: u64 = 2_000;
/// So many denials by the pause are under way at once: each is three calls of a gateway that may have thousands waiting.
const DENIED_AT_ONCE: usize = 16;
/// How many allowances are remembered, so that each is told at most once.
const REMEMBERED: usize = 256;
/// Key of the notification about a flood.
const FLOOD: &str = "event:flood";
/// Key of the one about a pause that is not complete.
const PAUSE: &str = "event:pause";

/// What the agent remembers for it.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Approvals allowed here, or told of as allowed elsewhere.
    known: VecDeque<String>,
    /// When requests came, monotonic.
    arrivals: VecDeque<u64>,
    /// Denied by the pause, and until when that is not tried again, monotonic.
    denied: BTreeMap<String, u64>,
    /// Runs are to be stopped, as soon as that is not under way already.
    abort_due: bool,
    aborting: bool,
}

impl Watched {
    /// A gateway became ready.
    pub fn open(&mut self) {
        self.denied.clear();
        self.abort_due = true;
    }

    /// How many there are of each, and may be.
    pub(super) fn sizes(&self) -> [super::sizes::Size; 3] {
        [
            ("known allowances", self.known.len(), REMEMBERED),
            ("arrivals", self.arrivals.len(), ARRIVALS),
            ("denied by the pause", self.denied.len(), 1_000),
        ]
    }

    /// This approval was allowed here, or its allowance is told.
    pub fn knows_allowed(&mut self, approval_id: &str) {
        if self.known.len() >= REMEMBERED {
            self.known.pop_front();
        }
        self.known.push_back(approval_id.to_owned());
    }

    /// Whose allowance is no news.
    pub fn heard_of(&self) -> BTreeSet<String> {
        self.known.iter().cloned().collect()
    }

    /// It was allowed here, or its allowance is told.
    pub fn knows(&self, approval_id: &str) -> bool {
        self.known.iter().any(|known| known == approval_id)
    }

    /// It does not stand as allowed, or ours did not arrive: whoever allows it now is somebody else.
    pub fn not_allowed(&mut self, approval_id: &str) {
        self.known.retain(|known| known != approval_id);
    }
}

impl Agent {
    /// A look at the gateway's records brought this.
    pub(super) fn heard(&mut self, news: News, now: Now) {
        news.not_allowed.iter().for_each(|approval_id| self.watched.not_allowed(approval_id));
        for record in news.allowed {
            // one that is being decided is read again for that
            if !self.decisions.is_open(&record.approval_id) {
                self.heard_allowed(&record, news.late.contains(&record.approval_id));
            }
        }
        self.watched.denied.retain(|_, again| now.mono_ms < *again);
        self.watched.abort_due = true;
        self.watched.arrivals.extend(std::iter::repeat_n(now.mono_ms, news.fresh));
        self.watched.arrivals.retain(|at| now.mono_ms - at < FLOOD_MS);
        // no more than the count needs: a flood may be of thousands
        let over = self.watched.arrivals.len().saturating_sub(ARRIVALS);
        self.watched.arrivals.drain(..over);
        if let Some(away) = self.happened.away() {
            away.denied += news.denied;
        }
        if self.is_flooded(now) && !self.paused {
            let body = format!(
                "{} came within a minute. Who asks that often may hope for a tired yes. Look at each one, or pause all agents.",
                self.watched.arrivals.len()
            );
            let buttons = vec![
                Button { label: "Review…".to_owned(), action: notices::review("") },
                Button { label: "Pause all agents".to_owned(), action: Action::PauseAgents },
            ];
            self.tell(FLOOD, ("Many approvals are asked for", &body), buttons, Urgency::Normal);
        }
    }

    /// More is asked for than a person can look at.
    pub(super) fn is_flooded(&self, now: Now) -> bool {
        self.watched.arrivals.iter().filter(|at| now.mono_ms - **at < FLOOD_MS).count() > FLOOD_ABOVE
    }

    /// This record was read, and stands as allowed; `late`: it was over before, in another way. Seen, as it cannot be
    /// prevented: whoever can read the gateway's token can decide.
    pub(super) fn heard_allowed(&mut self, record: &Record, late: bool) {
        if self.watched.knows(&record.approval_id) {
            return;
        }
        self.watched.knows_allowed(&record.approval_id);
        let words = describe(record);
        let before = if late { "It had been denied, or its time was over. Then somebody" } else { "Somebody" };
        let body = format!(
            "{}: {}\n{before} allowed it, in the dashboard or by the gateway's token. If it was not you, abort the run.",
            notices::cut(&words.title, 60),
            notices::cut(&words.what, 120),
        );
        let id = &record.approval_id;
        let key = format!("event:elsewhere:{id}");
        let mut buttons =
            vec![Button { label: "It was me".to_owned(), action: Action::Dismiss { notice: key.clone() } }];
        if crate::core::record::is_usable_id(&record.run_id) {
            let action = Action::AbortRun { run_id: record.run_id.clone() };
            buttons.push(Button { label: "Abort run".to_owned(), action });
        }
        self.tell(&key, ("Approved elsewhere: was it you?", &body), buttons, Urgency::Normal);
    }

    pub(super) fn set_paused(&mut self, ticket: Option<Ticket>, paused: bool, now: Now, effects: &mut Vec<Effect>) {
        if self.paused == paused {
            return self.done(ticket, "Nothing to change.", effects);
        }
        self.paused = paused;
        effects.push(Effect::SavePaused(paused.then_some(now.unix_ms)));
        self.events.remove(FLOOD);
        self.events.remove(PAUSE);
        self.watched.arrivals.clear();
        self.watched.denied.clear();
        self.watched.abort_due = paused;
        self.inbox.ring(now);
        self.done(ticket, if paused { text::PAUSED } else { text::RESUMED }, effects);
    }

    /// While paused: nothing that waits stays, and no run goes on.
    pub(super) fn settle_paused(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if !self.paused || !self.inbox.is_open() || self.is_ending() {
            return;
        }
        let free = DENIED_AT_ONCE.saturating_sub(self.decisions.under_way());
        let due = |id: &str| !self.watched.denied.contains_key(id) && !self.decisions.is_open(id);
        let whole = self.inbox.pending.iter().filter(|(id, _)| due(id));
        let rest = self.inbox.rest.iter().filter(|brief| due(brief.approval_id()));
        let whole = whole.map(|(id, pending)| (id.clone(), pending.digest.clone()));
        let waiting = whole.chain(rest.map(|brief| (brief.approval_id().to_owned(), brief.digest())));
        for (approval_id, digest) in waiting.take(free).collect::<Vec<_>>() {
            self.watched.denied.insert(approval_id.clone(), now.mono_ms + DENY_AGAIN_MS);
            let reason = Some("all agents are paused".to_owned());
            let decision =
                Decision { approval_id, digest, verdict: Verdict::Deny, scope: Scope::Once, ttl_ms: None, reason };
            self.begin_decision(decision, Surface::Pause, None, now, effects);
        }
        if self.watched.abort_due && !self.watched.aborting {
            self.watched.abort_due = false;
            self.watched.aborting = true;
            effects.push(Effect::AbortRuns);
        }
    }

    /// Whether a denial that failed is the pause's own, which tries again.
    pub(super) fn is_denied_by_pause(&self, approval_id: &str) -> bool {
        self.paused && self.watched.denied.contains_key(approval_id)
    }

    pub(super) fn runs_aborted(&mut self, outcome: Result<(), String>) {
        self.watched.aborting = false;
        match outcome {
            Ok(()) => {
                self.events.remove(PAUSE);
            }
            Err(why) if self.paused => {
                let body = format!("{} It is tried again; stopping Palyra ends everything.", text::sentence(&why));
                let stop = Button { label: "Stop Palyra".to_owned(), action: Action::Stop { service: None } };
                self.tell(PAUSE, ("Not every agent could be paused", &body), vec![stop], Urgency::Normal);
            }
            Err(_) => {}
        }
    }

    pub(super) fn run_aborted(
        &mut self,
        ticket: Option<Ticket>,
        run_id: String,
        outcome: Result<(), String>,
        effects: &mut Vec<Effect>,
    ) {
        match outcome {
            Ok(()) => {
                // what else was allowed is still to be answered
                let abort = Action::AbortRun { run_id };
                self.events.retain(|_, told| told.buttons.iter().all(|button| button.action != abort));
                self.done(ticket, "The run is being aborted.", effects);
            }
            Err(why) => {
                let why = format!("the run could not be aborted: {why}");
                let hint = "Pause all agents, or stop Palyra, to end it.";
                self.fail(ticket, Failure::new(FailureCode::Failed, why, hint), effects);
            }
        }
    }
}
