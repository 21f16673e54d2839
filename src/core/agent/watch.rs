//! What is kept an eye on beside the person's own decisions: a pause of all agents, allowances that somebody else gave, and
//! floods of requests.

use std::collections::{BTreeMap, VecDeque};

use super::Agent;
use crate::core::decisions::Surface;
use crate::core::describe::describe;
use crate::core::event::{Effect, Ticket};
use crate::core::inbox::{Hearing, News};
use crate::core::notices;
use crate::core::record::Record;
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::{Button, Urgency};
use crate::protocol::{Action, Decision, Failure, FailureCode, Scope, Verdict};
use crate::words;

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
/// Key of the notification about a flood.
const FLOOD: &str = "event:flood";
/// Key of the one about a pause that is not complete.
const PAUSE: &str = "event:pause";

/// What the agent remembers for it.
#[derive(Clone, Debug, Default)]
pub struct Watched {
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
    pub(super) fn sizes(&self) -> [super::sizes::Size; 2] {
        [("arrivals", self.arrivals.len(), ARRIVALS), ("denied by the pause", self.denied.len(), 1_000)]
    }
}

impl Agent {
    /// A look at the gateway's records brought this.
    pub(super) fn heard(&mut self, news: News, now: Now) {
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
            let body = words::alarms::came_within_minute(self.watched.arrivals.len());
            let buttons = vec![
                Button { label: words::buttons::REVIEW.to_owned(), action: notices::review("") },
                Button { label: words::buttons::PAUSE_ALL_AGENTS.to_owned(), action: Action::PauseAgents },
            ];
            self.tell(FLOOD, (words::alarms::MANY_APPROVALS, &body), buttons, Urgency::Normal);
        }
    }

    /// More is asked for than a person can look at.
    pub(super) fn is_flooded(&self, now: Now) -> bool {
        self.watched.arrivals.iter().filter(|at| now.mono_ms - **at < FLOOD_MS).count() > FLOOD_ABOVE
    }

    /// This record was read, and stands as allowed; `late`: it was over before, in another way. Seen, as it cannot be
    /// prevented: whoever can read the gateway's token can decide.
    pub(super) fn heard_allowed(&mut self, record: &Record, late: bool) {
        let hearing = self.inbox.heard.allowed(record);
        if hearing == Hearing::Known {
            return;
        }
        let words = describe(record);
        let (title, what) = (notices::cut(&words.title, 60), notices::cut(&words.what, 120));
        let body = match hearing {
            _ if late => words::alarms::somebody_allowed_after_its_end(title, what),
            Hearing::Anew => words::alarms::somebody_allowed_anew(title, what),
            Hearing::First | Hearing::Known => words::alarms::somebody_allowed(title, what),
        };
        let id = &record.approval_id;
        let key = format!("event:elsewhere:{id}");
        let mut buttons = vec![Button {
            label: words::alarms::IT_WAS_ME.to_owned(),
            action: Action::Dismiss { notice: key.clone() },
        }];
        if crate::core::record::is_usable_id(&record.run_id) {
            let action = Action::AbortRun { run_id: record.run_id.clone() };
            buttons.push(Button { label: words::alarms::ABORT_RUN.to_owned(), action });
        }
        self.tell(&key, (words::alarms::APPROVED_ELSEWHERE, &body), buttons, Urgency::Normal);
    }

    pub(super) fn set_paused(&mut self, ticket: Option<Ticket>, paused: bool, now: Now, effects: &mut Vec<Effect>) {
        if self.paused == paused {
            return self.done(ticket, words::common::NOTHING_TO_CHANGE, effects);
        }
        self.paused = paused;
        effects.push(Effect::SavePaused(paused.then_some(now.unix_ms)));
        self.events.remove(FLOOD);
        self.events.remove(PAUSE);
        self.watched.arrivals.clear();
        self.watched.denied.clear();
        self.watched.abort_due = paused;
        self.inbox.ring(now);
        self.done(ticket, if paused { words::alarms::PAUSED } else { words::alarms::RESUMED }, effects);
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
            let reason = Some(words::common::ALL_AGENTS_ARE_PAUSED.to_owned());
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
                let body = words::alarms::it_is_tried_again(text::sentence(&why));
                let stop =
                    Button { label: words::alarms::STOP_PALYRA.to_owned(), action: Action::Stop { service: None } };
                self.tell(PAUSE, (words::alarms::NOT_EVERY_AGENT_IS_PAUSED, &body), vec![stop], Urgency::Normal);
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
                self.done(ticket, words::alarms::RUN_IS_BEING_ABORTED, effects);
            }
            Err(why) => {
                let why = words::alarms::run_could_not_be_aborted(&why);
                let hint = words::alarms::PAUSE_ALL_AGENTS;
                self.fail(ticket, Failure::new(FailureCode::Failed, why, hint), effects);
            }
        }
    }
}
