//! A message to Palyra, from the person's word to the answer: sent once, never lost.
//!
//! The gateway has no guard against a message that comes twice. So the intent is on disk before anything is sent, the
//! message carries an id of ours that the gateway keeps with the run, and when an answer was lost the session's runs are
//! read to find out: accepted, or not, or not to be known. It is never sent again to find out. Once accepted, it is
//! followed to its end, through the end of the stream, of the gateway and of this program; a long run is no failure.
//!
//! Pure: no clock, file or gateway. Limits: an answer is kept up to the length that `core::answer` keeps; no attachments.

pub mod forms;
mod news;
pub mod notices;
mod types;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use crate::core::event::Ticket;
use crate::core::time::Now;
use crate::protocol::ask::{Message, To};
use crate::protocol::{RunId, Secret};
use crate::words;

pub use types::{
    Answer, AskEvent, AskOrder, AskWork, Finished, Intent, Lost, Origin, Outcome, Over, RunState, Session,
};

/// Pauses before the looks whether a message was accepted, milliseconds. A gateway that lives writes it down at once.
const LOOKS_MS: [u64; 5] = [0, 1_000, 2_000, 4_000, 8_000];
/// A gateway that cannot be asked for so long leaves it unknown, milliseconds.
const UNKNOWN_MS: u64 = 120_000;
/// Longest pause between two looks at a run, milliseconds.
const FOLLOW_MS: u64 = 30_000;
/// A run that has not moved for so long is not waited for, milliseconds: a person is asked for 15 minutes at most.
const STALLED_MS: u64 = 30 * 60_000;
/// A refusal that asks for patience is given it so often.
const TRIES: u32 = 3;
/// Longest pause that a refusal may ask for, milliseconds.
const PATIENCE_MS: u64 = 30_000;
/// Between two tries while the disk takes nothing, milliseconds.
const AGAIN_MS: u64 = 15_000;
/// Messages under way at once.
pub const AT_ONCE: usize = 16;
/// Ends that are remembered for who asks late.
const REMEMBERED: usize = 8;
/// Of so many runs it is known that they are ours.
const RUNS: usize = 64;
/// What is kept of a text that was accepted, characters.
const START: usize = 80;

/// Messages under way.
#[derive(Clone, Debug, Default)]
pub struct Asks {
    open: BTreeMap<String, Ask>,
    over: VecDeque<Finished>,
    /// Runs that were accepted, the newest last.
    runs: VecDeque<String>,
    /// Over, not accepted, and perhaps not yet kept elsewhere.
    unkept: Vec<Intent>,
    /// The gateway that can be asked now.
    gateway: Option<RunId>,
    /// Id of the session that was used last.
    active: Option<String>,
    /// Counts changes of what is to be kept.
    changed: u64,
    /// The newest change that was written, or could not be.
    kept: u64,
    writing: Option<u64>,
    /// When what could not be written is tried again.
    again: Option<u64>,
}

#[derive(Clone, Debug)]
struct Ask {
    intent: Intent,
    step: Step,
    tries: u32,
    /// Wait to hear that it was accepted.
    sending: Vec<Ticket>,
    /// Wait for the answer.
    awaiting: Vec<Ticket>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// The intent is being written: change `at`. `send`: then it is sent.
    Storing { at: u64, send: bool },
    /// The session is being found.
    Opening,
    /// The gateway asked for patience.
    Paused { until: u64 },
    /// It is on its way, or the answer is.
    Sending,
    /// Was it accepted? `due`: the next look; absent: one is under way.
    Looking { look: usize, due: Option<u64>, unknown_at: u64, refusal: Option<Lost> },
    /// It may have been sent before: was it?
    Checking,
    /// Its run is read until it ends.
    Following { look: u32, due: Option<u64>, moved: (i64, u64) },
}

impl Asks {
    /// What an earlier agent left under way.
    pub fn restore(&mut self, intents: Vec<Intent>, now: Now) {
        for intent in intents {
            let step = if intent.accepted { Step::following(now) } else { Step::looking(None, now) };
            let ask = Ask { step, intent, tries: 0, sending: Vec::new(), awaiting: Vec::new() };
            self.open.insert(ask.intent.message_id.clone(), ask);
        }
    }

    /// How many there are of each, and may be: name, size, most.
    pub fn sizes(&self) -> [(&'static str, usize, usize); 4] {
        [
            ("messages under way", self.open.len(), AT_ONCE),
            ("messages that are over", self.over.len(), REMEMBERED),
            ("runs of ours", self.runs.len(), RUNS),
            ("messages to be kept elsewhere", self.unkept.len(), AT_ONCE),
        ]
    }

    /// This run answers, or answered lately, a message from here.
    pub fn is_ours(&self, run_id: &str) -> bool {
        self.runs.iter().any(|ours| ours == run_id) || self.open().any(|intent| intent.run_id == run_id)
    }

    /// What is under way.
    pub fn open(&self) -> impl Iterator<Item = &Intent> {
        self.open.values().map(|ask| &ask.intent)
    }

    /// This message is under way.
    pub fn is_open(&self, message_id: &str) -> bool {
        self.open.contains_key(message_id)
    }

    /// Everything that is to be kept is on disk, or cannot get there.
    pub const fn is_kept(&self) -> bool {
        self.writing.is_none() && self.changed == self.kept
    }

    /// Begins with a message, or joins the one with the same id.
    ///
    /// # Errors
    /// Too many are under way.
    pub fn begin(
        &mut self,
        message: Message,
        origin: Origin,
        ticket: Option<Ticket>,
        orders: &mut Vec<AskOrder>,
    ) -> Result<(), String> {
        if let Some(ask) = self.open.get_mut(&message.message_id) {
            match ticket {
                Some(ticket) if ask.intent.accepted => {
                    orders.push(AskOrder::Joined(Box::new(ask.intent.clone()), ticket));
                }
                ticket => ask.sending.extend(ticket),
            }
            return Ok(());
        }
        let same = |over: &&Finished| over.intent.message_id == message.message_id;
        if let Some(finished) = self.over.iter().find(same).filter(|over| origin == Origin::New || over.was_accepted())
        {
            orders.extend(ticket.map(|ticket| AskOrder::Told(ticket, Box::new(finished.clone()))));
            return Ok(());
        }
        if self.open.len() >= AT_ONCE {
            return Err(words::ask::messages_are_under_way_already(AT_ONCE));
        }
        let message_id = message.message_id.clone();
        let intent = Intent::new(message, origin);
        self.changed += 1;
        let step = Step::Storing { at: self.changed, send: false };
        let ask = Ask { intent, step, tries: 0, sending: ticket.into_iter().collect(), awaiting: Vec::new() };
        self.open.insert(message_id, ask);
        self.keep(orders);
        Ok(())
    }

    /// Waits for the answer to a message. False: no such message is known.
    pub fn wait(&mut self, message_id: &str, ticket: Ticket, orders: &mut Vec<AskOrder>) -> bool {
        if let Some(ask) = self.open.get_mut(message_id) {
            ask.awaiting.push(ticket);
            return true;
        }
        let over = self.over.iter().find(|over| over.intent.message_id == message_id);
        orders.extend(over.map(|over| AskOrder::Told(ticket, Box::new(over.clone()))));
        over.is_some()
    }

    /// Whoever waited has gone.
    pub fn forget(&mut self, ticket: Ticket) {
        for ask in self.open.values_mut() {
            ask.sending.retain(|waiting| *waiting != ticket);
            ask.awaiting.retain(|waiting| *waiting != ticket);
        }
    }

    /// The session that a message goes to when none is named.
    pub fn use_session(&mut self, active: Option<String>) {
        self.active = active;
    }

    /// Everything that follows from the time and from whether the gateway can be asked. `drafts_kept`: what was told as
    /// not sent until now is on the disk elsewhere, or will never be.
    pub fn step(&mut self, gateway: Option<&RunId>, drafts_kept: bool, now: Now, orders: &mut Vec<AskOrder>) {
        self.gateway = gateway.cloned();
        if self.again.take_if(|at| *at <= now.mono_ms).is_some() {
            self.changed += 1;
        }
        if drafts_kept && !self.unkept.is_empty() {
            self.unkept.clear();
            self.changed += 1;
        }
        let due: Vec<String> = self
            .open
            .iter()
            .filter(|(_, ask)| self.due(ask).is_some_and(|at| at <= now.mono_ms))
            .map(|(id, _)| id.clone())
            .collect();
        for id in due {
            self.wake(&id, now, orders);
        }
        self.keep(orders);
    }

    /// When [`Self::step`] is wanted, on the monotonic clock.
    pub fn deadline(&self) -> Option<u64> {
        self.open.values().filter_map(|ask| self.due(ask)).chain(self.again).min()
    }

    fn due(&self, ask: &Ask) -> Option<u64> {
        let asked = self.gateway.is_some();
        match &ask.step {
            Step::Paused { until } => Some(*until),
            Step::Looking { due, .. } if ask.intent.sent_at_unix_ms.is_none() => *due,
            Step::Looking { due: Some(due), unknown_at, .. } => {
                Some(if asked { *due.min(unknown_at) } else { *unknown_at })
            }
            Step::Following { due, .. } if asked => *due,
            _ => None,
        }
    }

    fn wake(&mut self, id: &str, now: Now, orders: &mut Vec<AskOrder>) {
        let asked = self.gateway.is_some();
        let Some(ask) = self.open.get_mut(id) else { return };
        match &mut ask.step {
            Step::Paused { .. } if !asked => self.finish(id, not_ready(), orders),
            Step::Paused { .. } => self.open_session(id, orders),
            // nothing was sent, so there is nothing to be found
            Step::Looking { .. } if ask.intent.sent_at_unix_ms.is_none() => {
                let why = words::ask::PALYRA_TRAY_ENDED_BEFORE_MESSAGE.to_owned();
                self.finish(id, Outcome::NotSent { why, unreachable: false }, orders);
            }
            Step::Looking { unknown_at, .. } if now.mono_ms >= *unknown_at => {
                self.finish(id, unknown(words::ask::GATEWAY_CANNOT_BE_ASKED), orders);
            }
            Step::Looking { due, .. } => {
                *due = None;
                let session_id = ask.intent.session.as_ref().map(|session| session.id.clone()).unwrap_or_default();
                orders.push(AskOrder::Work(AskWork::Find { message_id: id.to_owned(), session_id }));
            }
            Step::Following { due, .. } => {
                *due = None;
                let run_id = ask.intent.run_id.clone();
                orders.push(AskOrder::Work(AskWork::ReadRun { message_id: id.to_owned(), run_id }));
            }
            Step::Storing { .. } | Step::Opening | Step::Checking | Step::Sending => {}
        }
    }

    /// Takes in what came of the work.
    pub fn told(&mut self, event: AskEvent, now: Now, orders: &mut Vec<AskOrder>) {
        match event {
            AskEvent::Kept(outcome) => self.was_kept(outcome, now, orders),
            AskEvent::Opened(id, outcome) => self.opened(&id, outcome, now, orders),
            AskEvent::Accepted(id, run_id) => {
                if self.open.get(&id).is_some_and(|ask| ask.step == Step::Sending && !ask.intent.accepted) {
                    self.accepted(&id, run_id, orders);
                }
            }
            AskEvent::Over(id, over) => self.stream_over(&id, over, now, orders),
            AskEvent::Found(id, outcome) => self.found(&id, outcome, now, orders),
            AskEvent::Ran(id, outcome) => self.ran(&id, outcome, now, orders),
            // the agent makes a message of it
            AskEvent::Replied { .. } | AskEvent::Named(..) => {}
        }
        self.keep(orders);
    }

    /// One write at a time, so that an older one never comes last.
    fn keep(&mut self, orders: &mut Vec<AskOrder>) {
        if self.writing.is_none() && self.changed > self.kept {
            self.writing = Some(self.changed);
            let all = self.open().chain(&self.unkept).cloned().collect();
            orders.push(AskOrder::Work(AskWork::Keep(all)));
        }
    }

    fn was_kept(&mut self, outcome: Result<(), String>, now: Now, orders: &mut Vec<AskOrder>) {
        let Some(written) = self.writing.take() else { return };
        self.kept = written;
        self.again = outcome.is_err().then_some(now.mono_ms + AGAIN_MS);
        let waiting = self.open.iter().filter_map(|(id, ask)| match ask.step {
            Step::Storing { at, send } if at <= written => Some((id.clone(), send)),
            _ => None,
        });
        for (id, send) in waiting.collect::<Vec<_>>() {
            if let Err(why) = &outcome {
                // without a trace nothing is sent
                let why = words::ask::it_could_not_be_kept(why);
                self.finish(&id, Outcome::NotSent { why, unreachable: false }, orders);
            } else if self.gateway.is_none() {
                self.finish(&id, not_ready(), orders);
            } else if send {
                self.send(&id, orders);
            } else {
                self.open_session(&id, orders);
            }
        }
    }

    fn open_session(&mut self, id: &str, orders: &mut Vec<AskOrder>) {
        let Some(ask) = self.open.get_mut(id) else { return };
        ask.step = Step::Opening;
        let (session, existing) = match &ask.intent.to {
            To::Session(session) => (session.clone(), true),
            // a new one gets the message's id: asked for twice it is made once
            To::New => (id.to_owned(), false),
            To::Active => (self.active.clone().unwrap_or_else(|| id.to_owned()), false),
        };
        orders.push(AskOrder::Work(AskWork::Open { message_id: id.to_owned(), session, existing }));
    }

    fn opened(&mut self, id: &str, outcome: Result<Session, Lost>, now: Now, orders: &mut Vec<AskOrder>) {
        let gateway = self.gateway.clone();
        let Some(ask) = self.open.get_mut(id).filter(|ask| ask.step == Step::Opening) else { return };
        match outcome {
            Ok(session) if ask.intent.origin == Origin::SentDraft => {
                let session_id = session.id.clone();
                ask.intent.session = Some(session);
                ask.step = Step::Checking;
                orders.push(AskOrder::Work(AskWork::Find { message_id: id.to_owned(), session_id }));
            }
            Ok(session) => {
                ask.intent.session = Some(session);
                ask.intent.sent_at_unix_ms = Some(now.unix_ms);
                ask.intent.gateway = gateway;
                self.changed += 1;
                ask.step = Step::Storing { at: self.changed, send: true };
            }
            Err(lost) => self.not_accepted(id, lost, now, orders),
        }
    }

    fn send(&mut self, id: &str, orders: &mut Vec<AskOrder>) {
        let Some(ask) = self.open.get_mut(id) else { return };
        if ask.intent.gateway != self.gateway {
            // another one has taken its place while that was written: the trace names the one that gets it
            ask.intent.gateway.clone_from(&self.gateway);
            self.changed += 1;
            ask.step = Step::Storing { at: self.changed, send: true };
            return;
        }
        ask.step = Step::Sending;
        let session_id = ask.intent.session.as_ref().map(|session| session.id.clone()).unwrap_or_default();
        let text = ask.intent.text.clone();
        orders.push(AskOrder::Work(AskWork::Send { message_id: id.to_owned(), session_id, text }));
    }

    fn accepted(&mut self, id: &str, run_id: String, orders: &mut Vec<AskOrder>) {
        let Some(ask) = self.open.get_mut(id) else { return };
        ask.intent.accepted = true;
        self.runs.push_back(run_id.clone());
        if self.runs.len() > RUNS {
            self.runs.pop_front();
        }
        ask.intent.run_id = run_id;
        ask.intent.text = Secret::new(ask.intent.text.expose().chars().take(START).collect::<String>());
        self.changed += 1;
        orders.push(AskOrder::Accepted(Box::new(ask.intent.clone()), std::mem::take(&mut ask.sending)));
    }

    fn finish(&mut self, id: &str, outcome: Outcome, orders: &mut Vec<AskOrder>) {
        let Some(ask) = self.open.remove(id) else { return };
        self.changed += 1;
        let Ask { intent, sending, awaiting, .. } = ask;
        if matches!(outcome, Outcome::NotSent { .. } | Outcome::Unknown(_)) {
            self.unkept.push(intent.clone());
        }
        let finished = Finished { intent, outcome, sending, awaiting };
        self.over.retain(|over| over.intent.message_id != id);
        if self.over.len() == REMEMBERED {
            self.over.pop_front();
        }
        self.over.push_back(Finished { sending: Vec::new(), awaiting: Vec::new(), ..finished.clone() });
        orders.push(AskOrder::Finished(Box::new(finished)));
    }
}

impl Finished {
    /// The gateway has it in its books.
    pub const fn was_accepted(&self) -> bool {
        matches!(self.outcome, Outcome::Answered(_) | Outcome::NoAnswer(_))
    }
}

impl Step {
    const fn looking(refusal: Option<Lost>, now: Now) -> Self {
        Self::Looking { look: 0, due: Some(now.mono_ms), unknown_at: now.mono_ms + UNKNOWN_MS, refusal }
    }

    const fn following(now: Now) -> Self {
        Self::Following { look: 0, due: Some(now.mono_ms), moved: (0, now.mono_ms) }
    }
}

fn not_ready() -> Outcome {
    Outcome::NotSent { why: words::ask::GATEWAY_IS_NOT_READY.to_owned(), unreachable: true }
}

fn unknown(why: &str) -> Outcome {
    Outcome::Unknown(words::ask::so_it_is_not_known_whether(why))
}
