//! The machine against a gateway that keeps books, with every kind of fault at every step.

mod steps;

use super::news::{failed_run, refused_in_stream};
use super::*;
use crate::core::answer::NoAnswer;
use crate::core::upstream::Trouble;

const ID: &str = "01M8AASQ7C1RB63T77WX591DGA";
const TEXT: &str = "What is on my list today?";

/// What goes wrong, at one piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// This program is killed before the work is done, or right after.
    Crash {
        done: bool,
    },
    /// The request gets lost, or its answer.
    Lost {
        done: bool,
    },
    /// The gateway is killed before the work is done, or right after, and started again later.
    Restart {
        done: bool,
    },
    /// The gateway is killed, and nobody starts it again.
    Gone,
    /// The stream ends in the middle, after the run has begun.
    Cut,
    /// The gateway asks for patience: 429, once.
    Busy,
    /// The same for ever.
    AlwaysBusy,
    /// 500, or 503: it may have acted.
    Broken {
        acted: bool,
    },
    /// The disk takes nothing.
    DiskFull,
}

struct Run {
    run_id: String,
    state: &'static str,
    ends_at: u64,
}

struct World {
    asks: Asks,
    now: Now,
    disk: Vec<Intent>,
    /// The gateway's life; absent: it is down.
    gateway: Option<u32>,
    lives: u32,
    up_at: Option<u64>,
    sessions: Vec<String>,
    runs: Vec<Run>,
    /// The stream that is open.
    streaming: bool,
    /// It has just ended in the middle.
    broken: bool,
    fault: (usize, Fault),
    works: usize,
    /// How often this program was killed.
    crashes: usize,
    finished: Vec<Finished>,
    accepted: usize,
    sends: usize,
    length: u64,
}

impl World {
    fn new(fault: (usize, Fault)) -> Self {
        Self {
            asks: Asks::default(),
            now: Now { mono_ms: 1_000, unix_ms: 1_800_000_000_000 },
            disk: Vec::new(),
            gateway: Some(1),
            lives: 1,
            up_at: None,
            sessions: Vec::new(),
            runs: Vec::new(),
            streaming: false,
            broken: false,
            fault,
            works: 0,
            crashes: 0,
            finished: Vec::new(),
            accepted: 0,
            sends: 0,
            length: 3_000,
        }
    }

    fn life(&self) -> Option<RunId> {
        self.gateway.map(|life| RunId(format!("G{life}")))
    }

    fn begin(&mut self) {
        let mut orders = Vec::new();
        self.asks.step(self.life().as_ref(), true, self.now, &mut orders);
        let message = Message { message_id: ID.to_owned(), text: Secret::new(TEXT), to: To::New };
        self.asks.begin(message, Origin::New, None, &mut orders).unwrap();
        self.work(orders);
    }

    fn tell(&mut self, event: AskEvent) {
        let mut orders = Vec::new();
        self.asks.step(self.life().as_ref(), true, self.now, &mut orders);
        self.asks.told(event, self.now, &mut orders);
        self.asks.step(self.life().as_ref(), true, self.now, &mut orders);
        self.work(orders);
    }

    fn work(&mut self, orders: Vec<AskOrder>) {
        let life = self.crashes;
        for order in orders {
            if self.crashes != life {
                return; // they were those of one that was killed meanwhile
            }
            match order {
                AskOrder::Finished(finished) => self.finished.push(*finished),
                AskOrder::Accepted(intent, _) => {
                    assert!(intent.accepted && !intent.run_id.is_empty());
                    self.accepted += 1;
                }
                AskOrder::Told(..) | AskOrder::Joined(..) => {}
                AskOrder::Work(work) => {
                    let fault = if self.works == self.fault.0 || self.fault.1 == Fault::AlwaysBusy {
                        self.fault.1
                    } else {
                        Fault::Nothing
                    };
                    self.works += 1;
                    self.perform(work, fault);
                }
            }
        }
    }

    fn perform(&mut self, work: AskWork, fault: Fault) {
        if let AskWork::Keep(intents) = work {
            match fault {
                Fault::Crash { done } => {
                    if done {
                        self.disk = intents;
                    }
                    self.crash();
                }
                Fault::DiskFull => self.tell(AskEvent::Kept(Err("no space left".to_owned()))),
                _ => {
                    self.disk = intents;
                    if let Fault::Restart { .. } | Fault::Gone = fault {
                        self.kill_gateway(fault != Fault::Gone);
                    }
                    self.tell(AskEvent::Kept(Ok(())));
                }
            }
            return;
        }
        if fault == (Fault::Crash { done: false }) {
            return self.crash();
        }
        if matches!(fault, Fault::Restart { done: false } | Fault::Gone) {
            self.kill_gateway(fault != Fault::Gone);
        }
        let act = self.gateway.is_some()
            && !matches!(
                fault,
                Fault::Lost { done: false } | Fault::Busy | Fault::AlwaysBusy | Fault::Broken { acted: false }
            );
        let answer = if act { Some(self.act(&work)) } else { None };
        if fault == (Fault::Crash { done: true }) {
            return self.crash();
        }
        if fault == (Fault::Restart { done: true }) {
            self.kill_gateway(true);
        }
        let lost = Lost { why: "lost".to_owned(), may_have_acted: true, refused: false, again_ms: None };
        let lost = match fault {
            Fault::Busy | Fault::AlwaysBusy => {
                Some(Lost { refused: true, may_have_acted: false, again_ms: Some(5_000), ..lost })
            }
            Fault::Broken { .. } => Some(Lost { refused: true, ..lost }),
            Fault::Lost { .. } | Fault::Restart { .. } => Some(lost),
            _ if answer.is_none() => Some(Lost { may_have_acted: false, ..lost }),
            _ => None,
        };
        self.answer(work, answer.flatten(), lost, fault);
    }

    /// What the gateway does; the run, where one is meant.
    fn act(&mut self, work: &AskWork) -> Option<String> {
        match work {
            AskWork::Open { session, .. } => {
                if !self.sessions.contains(session) {
                    self.sessions.push(session.clone());
                }
                None
            }
            AskWork::Send { text, session_id, .. } => {
                assert_eq!(text.expose(), TEXT);
                assert!(self.sessions.contains(session_id));
                self.sends += 1;
                let run_id = format!("R{}", self.runs.len());
                let ends_at = self.now.mono_ms + self.length;
                self.runs.push(Run { run_id: run_id.clone(), state: "in_progress", ends_at });
                Some(run_id)
            }
            AskWork::Find { .. } => self.runs.last().map(|run| run.run_id.clone()),
            AskWork::ReadRun { .. } | AskWork::Keep(_) | AskWork::Name(..) => None,
        }
    }

    fn answer(&mut self, work: AskWork, run: Option<String>, lost: Option<Lost>, fault: Fault) {
        let id = ID.to_owned();
        match (work, lost) {
            (AskWork::Keep(_) | AskWork::Name(..), _) => {}
            (AskWork::Open { session, .. }, None) => {
                self.tell(AskEvent::Opened(id, Ok(Session { id: session, title: String::new() })));
            }
            (AskWork::Open { .. }, Some(lost)) => self.tell(AskEvent::Opened(id, Err(lost))),
            (AskWork::Send { .. }, None) => {
                self.streaming = fault != Fault::Cut;
                self.tell(AskEvent::Accepted(id.clone(), run.unwrap()));
                if fault == Fault::Cut {
                    self.tell(AskEvent::Over(id, Over::Broken));
                }
            }
            (AskWork::Send { .. }, Some(lost)) => self.tell(AskEvent::Over(id, Over::Lost(lost))),
            (AskWork::Find { .. }, None) => self.tell(AskEvent::Found(id, Ok(run))),
            (AskWork::Find { .. }, Some(lost)) => self.tell(AskEvent::Found(id, Err(lost))),
            (AskWork::ReadRun { run_id, .. }, None) => {
                let run = self.runs.iter().find(|run| run.run_id == run_id).map(|run| RunState {
                    state: run.state.to_owned(),
                    error: if run.state == "failed" { "an orphaned active run".to_owned() } else { String::new() },
                    answer: (run.state == "done").then(|| Answer {
                        text: "Bread.".to_owned(),
                        characters: 6,
                        cut: false,
                    }),
                    updated_at_unix_ms: 0,
                });
                self.tell(AskEvent::Ran(id, Ok(run)));
            }
            (AskWork::ReadRun { .. }, Some(lost)) => self.tell(AskEvent::Ran(id, Err(lost))),
        }
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.asks = Asks::default();
        (self.streaming, self.broken) = (false, false);
        // somebody, or the system, starts it again
        self.now = self.now.plus(2_000);
        let mut orders = Vec::new();
        self.asks.restore(self.disk.clone(), self.now);
        self.asks.step(self.life().as_ref(), true, self.now, &mut orders);
        self.work(orders);
    }

    fn kill_gateway(&mut self, again: bool) {
        self.gateway = None;
        self.broken |= std::mem::take(&mut self.streaming);
        for run in self.runs.iter_mut().filter(|run| run.state == "in_progress") {
            run.state = "failed"; // as the real one says when it starts again
        }
        self.up_at = again.then_some(self.now.mono_ms + 4_000);
    }

    /// Time goes by until nothing is under way.
    fn live(&mut self) {
        let end = self.now.mono_ms + 3_600_000;
        let mut turns = 0;
        while (self.asks.open().next().is_some() || self.asks.again.is_some()) && self.now.mono_ms < end {
            turns += 1;
            assert!(turns < 500, "it spins: {:?}", self.asks);
            let runs = self.runs.iter().filter(|run| run.state == "in_progress").map(|run| run.ends_at);
            let at_once = self.broken.then_some(self.now.mono_ms);
            let next = runs.chain(at_once).chain(self.asks.deadline()).chain(self.up_at).min().unwrap_or(end);
            self.now = self.now.plus(next.saturating_sub(self.now.mono_ms));
            if self.up_at.is_some_and(|at| at <= self.now.mono_ms) {
                self.up_at = None;
                self.lives += 1;
                self.gateway = Some(self.lives);
            }
            for run in self.runs.iter_mut().filter(|run| run.ends_at <= self.now.mono_ms && run.state == "in_progress")
            {
                run.state = "done";
            }
            if self.streaming && self.runs.last().is_some_and(|run| run.state == "done") {
                self.streaming = false;
                let answer = Answer { text: "Bread.".to_owned(), characters: 6, cut: false };
                self.tell(AskEvent::Over(ID.to_owned(), Over::Answered(answer)));
            }
            if std::mem::take(&mut self.broken) {
                self.tell(AskEvent::Over(ID.to_owned(), Over::Broken));
            }
            let mut orders = Vec::new();
            self.asks.step(self.life().as_ref(), true, self.now, &mut orders);
            self.work(orders);
        }
    }

    /// What has to be true at the end, whatever went wrong.
    fn check(&self, stored: bool) -> &'static str {
        let what = self.fault;
        assert!(self.sends <= 1, "{what:?}: sent twice");
        assert!(self.runs.len() <= 1, "{what:?}: taken twice");
        let Some(finished) = self.finished.last() else {
            if what.1 == Fault::Gone && self.runs.len() == 1 {
                assert!(self.disk[0].accepted, "{what:?}: the next agent would not know");
                return "waits for its gateway";
            }
            assert!(!stored, "{what:?}: nothing came of it: {:?}", self.asks);
            return "never kept";
        };
        // killed between the word and the end of its trace, the next agent says the same once more
        assert!(self.finished.len() <= 1 + self.crashes, "{what:?}");
        assert!(self.finished.iter().all(|one| one.outcome == finished.outcome), "{what:?}: {:?}", self.finished);
        assert!(self.disk.is_empty(), "{what:?}: a trace is left");
        match &finished.outcome {
            Outcome::Answered(answer) => {
                assert_eq!((self.runs[0].state, answer.text.as_str()), ("done", "Bread."), "{what:?}");
                "answered"
            }
            Outcome::NoAnswer(_) => {
                assert_eq!(self.runs[0].state, "failed", "{what:?}");
                "failed"
            }
            Outcome::NotSent { .. } => {
                assert!(self.runs.is_empty(), "{what:?}: told as not sent, and the gateway has it");
                assert_eq!(finished.intent.text.expose(), TEXT, "{what:?}: the text is lost");
                "not sent"
            }
            Outcome::Unknown(_) => {
                assert_eq!(finished.intent.text.expose(), TEXT, "{what:?}: the text is lost");
                "unknown"
            }
        }
    }
}

fn ends_with(at: usize, fault: Fault) -> &'static str {
    let mut world = World::new((at, fault));
    world.begin();
    world.live();
    // killed before the first trace was on disk: nobody was told that it is kept
    let stored = !(at == 0 && fault == (Fault::Crash { done: false }));
    world.check(stored)
}

/// The works of a message without a fault, in order.
const KEEP_FIRST: usize = 0;
const OPEN: usize = 1;
const KEEP_SENT: usize = 2;
const SEND: usize = 3;

#[test]
fn without_a_fault_it_is_sent_once_and_answered() {
    let mut world = World::new((usize::MAX, Fault::Nothing));
    world.begin();
    world.live();
    assert_eq!(world.check(true), "answered");
    // first trace, session, trace that it is sent, the message, trace that it is accepted, trace that it is over
    assert_eq!((world.works, world.accepted), (6, 1));
}

#[test]
fn whatever_goes_wrong_at_whatever_step_it_is_neither_sent_twice_nor_lost() {
    let mut seen = std::collections::BTreeMap::new();
    for at in 0..12 {
        for fault in [
            Fault::Nothing,
            Fault::Crash { done: false },
            Fault::Crash { done: true },
            Fault::Lost { done: false },
            Fault::Lost { done: true },
            Fault::Restart { done: false },
            Fault::Restart { done: true },
            Fault::Gone,
            Fault::Cut,
            Fault::Busy,
            Fault::Broken { acted: false },
            Fault::Broken { acted: true },
            Fault::DiskFull,
        ] {
            *seen.entry(ends_with(at, fault)).or_insert(0) += 1;
        }
    }
    // the faults reach every end
    for end in ["answered", "failed", "not sent", "unknown", "never kept", "waits for its gateway"] {
        assert!(seen.contains_key(end), "{end} was never reached: {seen:?}");
    }
}

#[test]
fn an_answer_that_was_lost_is_looked_for_and_never_asked_for_again() {
    assert_eq!(ends_with(SEND, Fault::Lost { done: true }), "answered");
    // the same gateway lives, and its books have nothing: that does not say that nothing comes
    assert_eq!(ends_with(SEND, Fault::Lost { done: false }), "unknown");
    // the one that got it has ended: what is not in the books never gets there
    assert_eq!(ends_with(SEND, Fault::Restart { done: false }), "not sent");
    assert_eq!(ends_with(SEND, Fault::Restart { done: true }), "failed");
    assert_eq!(ends_with(SEND, Fault::Gone), "not sent");
}

#[test]
fn a_crash_at_any_step_is_made_good() {
    assert_eq!(ends_with(KEEP_FIRST, Fault::Crash { done: true }), "not sent");
    assert_eq!(ends_with(OPEN, Fault::Crash { done: true }), "not sent");
    assert_eq!(ends_with(KEEP_SENT, Fault::Crash { done: false }), "not sent");
    // it says that it was about to be sent, and the gateway that would have got it lives
    assert_eq!(ends_with(KEEP_SENT, Fault::Crash { done: true }), "unknown");
    assert_eq!(ends_with(SEND, Fault::Crash { done: false }), "unknown");
    assert_eq!(ends_with(SEND, Fault::Crash { done: true }), "answered");
    // accepted, and not yet written down that it was
    assert_eq!(ends_with(SEND + 1, Fault::Crash { done: false }), "answered");
}

#[test]
fn what_the_gateway_refuses_is_tried_again_only_when_it_asks_for_patience() {
    assert_eq!(ends_with(SEND, Fault::Busy), "answered");
    assert_eq!(ends_with(OPEN, Fault::Busy), "answered");
    assert_eq!(ends_with(SEND, Fault::Broken { acted: false }), "not sent");
    assert_eq!(ends_with(SEND, Fault::Broken { acted: true }), "answered");
    let mut world = World::new((0, Fault::AlwaysBusy));
    world.begin();
    world.live();
    assert_eq!(world.check(true), "not sent");
    assert!(world.now.mono_ms - 1_000 <= 2 * 5_000, "it takes {} ms to say so", world.now.mono_ms - 1_000);
}

#[test]
fn a_stream_that_ends_in_the_middle_is_followed_to_the_end_of_the_run() {
    assert_eq!(ends_with(SEND, Fault::Cut), "answered");
    for length in [600_000, 3_000_000] {
        let mut world = World::new((usize::MAX, Fault::Nothing));
        world.length = length;
        world.begin();
        world.live();
        assert_eq!(world.check(true), "answered", "a run of {length} ms");
    }
    let mut world = World::new((SEND, Fault::Cut));
    world.length = 24 * 3_600_000;
    world.begin();
    world.live();
    // it is not watched for ever, nor often
    let Outcome::NoAnswer(why) = &world.finished[0].outcome else { panic!("{:?}", world.finished) };
    assert!(why.contains("30 minutes") && world.works < 80, "{why} {}", world.works);
}

#[test]
fn the_same_message_asked_for_twice_is_sent_once() {
    let mut world = World::new((usize::MAX, Fault::Nothing));
    world.begin();
    world.begin();
    world.live();
    world.begin();
    assert_eq!(world.check(true), "answered");
}

/// Drives one message by hand.
fn orders_of(asks: &mut Asks, act: impl FnOnce(&mut Asks, &mut Vec<AskOrder>)) -> Vec<AskOrder> {
    let mut orders = Vec::new();
    act(asks, &mut orders);
    orders
}

#[test]
fn a_draft_that_may_have_been_sent_is_looked_for_before_it_is_sent() {
    for arrived in [true, false] {
        let (mut asks, now, life) = (Asks::default(), Now::default(), RunId("G1".to_owned()));
        asks.step(Some(&life), true, now, &mut Vec::new());
        let message = Message { message_id: ID.to_owned(), text: Secret::new(TEXT), to: To::Session("S".to_owned()) };
        asks.begin(message, Origin::SentDraft, None, &mut Vec::new()).unwrap();
        asks.told(AskEvent::Kept(Ok(())), now, &mut Vec::new());
        let session = Session { id: "S".to_owned(), title: String::new() };
        let orders =
            orders_of(&mut asks, |asks, orders| asks.told(AskEvent::Opened(ID.to_owned(), Ok(session)), now, orders));
        assert!(matches!(&orders[..], [AskOrder::Work(AskWork::Find { .. })]), "{orders:?}");
        let found = arrived.then(|| "R".to_owned());
        let mut orders =
            orders_of(&mut asks, |asks, orders| asks.told(AskEvent::Found(ID.to_owned(), Ok(found)), now, orders));
        asks.told(AskEvent::Kept(Ok(())), now, &mut orders);
        asks.step(Some(&life), true, now, &mut orders);
        let sent = orders.iter().any(|order| matches!(order, AskOrder::Work(AskWork::Send { .. })));
        let followed = orders.iter().any(|order| matches!(order, AskOrder::Work(AskWork::ReadRun { .. })));
        assert_eq!((sent, followed), (!arrived, arrived), "{orders:?}");
    }
}

#[test]
fn the_trace_of_what_was_not_sent_stays_until_it_is_kept_elsewhere() {
    let (mut asks, now) = (Asks::default(), Now::default());
    let message = Message { message_id: ID.to_owned(), text: Secret::new(TEXT), to: To::New };
    asks.begin(message, Origin::New, None, &mut Vec::new()).unwrap();
    let kept = |orders: &[AskOrder]| {
        orders.iter().find_map(|order| match order {
            AskOrder::Work(AskWork::Keep(all)) => Some(all.len()),
            _ => None,
        })
    };
    // no gateway: it is over
    let orders = orders_of(&mut asks, |asks, orders| asks.told(AskEvent::Kept(Ok(())), now, orders));
    assert!(matches!(&orders[0], AskOrder::Finished(_)), "{orders:?}");
    assert_eq!(kept(&orders), Some(1));
    asks.told(AskEvent::Kept(Ok(())), now, &mut Vec::new());
    assert_eq!(kept(&orders_of(&mut asks, |asks, orders| asks.step(None, false, now, orders))), None);
    assert_eq!(kept(&orders_of(&mut asks, |asks, orders| asks.step(None, true, now, orders))), Some(0));
    assert!(!asks.is_kept());
    asks.told(AskEvent::Kept(Ok(())), now, &mut Vec::new());
    assert!(asks.is_kept());
}

#[test]
fn who_waits_hears_and_who_comes_late_hears_too() {
    let (mut asks, now) = (Asks::default(), Now::default());
    let life = RunId("G1".to_owned());
    let mut orders = Vec::new();
    asks.step(Some(&life), true, now, &mut orders);
    let message = Message { message_id: ID.to_owned(), text: Secret::new(TEXT), to: To::Active };
    asks.use_session(Some("S9".to_owned()));
    asks.begin(message.clone(), Origin::New, Some(1), &mut orders).unwrap();
    asks.told(AskEvent::Kept(Ok(())), now, &mut orders);
    let open = AskWork::Open { message_id: ID.to_owned(), session: "S9".to_owned(), existing: false };
    assert_eq!(orders.last(), Some(&AskOrder::Work(open)));
    let session = Session { id: "S9".to_owned(), title: "List".to_owned() };
    asks.told(AskEvent::Opened(ID.to_owned(), Ok(session)), now, &mut orders);
    asks.told(AskEvent::Kept(Ok(())), now, &mut orders);
    assert!(asks.wait(ID, 2, &mut orders) && asks.wait(ID, 3, &mut orders) && !asks.wait("other", 4, &mut orders));
    asks.forget(3);
    orders.clear();
    asks.told(AskEvent::Accepted(ID.to_owned(), "R".to_owned()), now, &mut orders);
    assert!(matches!(&orders[0], AskOrder::Accepted(_, tickets) if tickets == &[1]));
    orders.clear();
    asks.told(AskEvent::Over(ID.to_owned(), Over::Answered(Answer::default())), now, &mut orders);
    let AskOrder::Finished(finished) = &orders[0] else { panic!("{orders:?}") };
    assert_eq!((finished.sending.as_slice(), finished.awaiting.as_slice()), (&[][..], &[2][..]));
    orders.clear();
    assert!(asks.wait(ID, 5, &mut orders));
    asks.begin(message, Origin::New, Some(6), &mut orders).unwrap();
    assert!(matches!(&orders[..], [AskOrder::Told(5, _), AskOrder::Told(6, _)]), "{orders:?}");
}

#[test]
fn a_busy_session_and_a_missing_one_are_told_in_our_words() {
    let said = |words: &str| refused_in_stream(&NoAnswer::Upstream(Trouble::of_run(words))).why;
    let busy = "orchestrator session S already has active run R; wait for it, cancel it, or start a different session";
    assert!(said(busy).starts_with("This session is still busy"));
    assert_eq!(said("orchestrator session not found for selector: S"), "The gateway knows no such session.");
    assert!(failed_run("daemon startup detected an orphaned active run from a previous runtime").contains("restarted"));
    assert!(failed_run("run stream response channel closed").contains("gave it up"));
    assert_eq!(failed_run(""), NoAnswer::Empty.sentence(crate::words::ask::MODELS_PROVIDER));
}
