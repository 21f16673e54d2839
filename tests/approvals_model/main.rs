//! Approvals in random orders of events: a gateway that overwrites and restarts, several surfaces that decide, a person,
//! clocks that jump, a machine that sleeps, answers that are lost, records that change, a screen that is locked, floods, a
//! pause, crashes of the agent. The core is driven directly, without a world that is kinder than the real one: every effect
//! waits until chance lets it happen. What must hold is in `invariants`, each by its name, and has a test of that name here; all
//! of them are about the same run.
//!
//! `MODEL_ORDERS` says how many orders are tried, `MODEL_SEED` where they begin; `scripts/model` tries a million. A
//! violation names its invariant, its seed and the command that shows it again.

mod chance;
mod gateway;
mod invariants;
mod model;
mod surfaces;

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Instant;

use invariants::{Broken, Invariant};
use model::{Base, Model};

/// Orders in a usual test run.
const ORDERS: u64 = 3_000;
/// Events of one order.
const EVENTS: u64 = 24;
/// Orders that a thread takes at once.
const SHARE: u64 = 250;
/// A run says after each so many how far it is.
const TOLD: u64 = 1_000_000;

/// What has to come about in at least one order of so many: a model that reaches nothing proves nothing.
const REACHED: [(&str, u64); 22] = [
    ("approved", 20),
    ("approvable by notification", 3),
    ("approved in a review", 60),
    ("asked twice", 100),
    ("decided elsewhere", 10),
    ("allowed elsewhere when it was over", 50),
    ("allowed elsewhere once more", 1_000),
    ("told as allowed elsewhere", 50),
    ("restored", 2_000),
    ("lost answers", 50),
    ("denied by the pause", 10),
    ("paused", 20),
    ("locked", 10),
    ("clicked while locked", 400),
    ("double clicks", 10),
    ("forged", 10),
    ("summaries", 5),
    ("floods", 20),
    ("clock set back", 20),
    ("slept", 20),
    ("gateway restarted", 20),
    ("killed", 20),
];

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

type Counts = BTreeMap<&'static str, u64>;

/// What came of the run that all tests here share.
struct Run {
    orders: u64,
    reached: Counts,
    /// The first seed that breaks each of them.
    broken: BTreeMap<Invariant, u64>,
    /// The first one at which the code itself panics.
    panicked: Option<u64>,
}

impl Run {
    fn add(&mut self, seed: u64, why: &(dyn Any + Send)) {
        match why.downcast_ref::<Broken>() {
            Some(Broken { invariant, .. }) => {
                let first = self.broken.entry(*invariant).or_insert(seed);
                *first = seed.min(*first);
            }
            None => self.panicked = Some(self.panicked.map_or(seed, |first| seed.min(first))),
        }
    }
}

/// One order, from its seed.
fn order(base: &Base, seed: u64, log: bool) -> Counts {
    let mut model = Model::new(base, seed, log);
    for _ in 0..EVENTS {
        model.step();
    }
    model.settle();
    model.counts
}

/// Shows what led to it.
fn show_again(seed: u64) -> ! {
    eprintln!("to see it again: MODEL_SEED={seed} MODEL_ORDERS=1 cargo test --test approvals_model");
    match catch_unwind(|| order(&Base::new(), seed, true)) {
        Ok(_) => panic!("seed {seed} breaks an invariant in one run and none in the next"),
        Err(why) => match why.downcast::<Broken>() {
            Ok(broken) => panic!("{broken}"),
            Err(other) => std::panic::resume_unwind(other),
        },
    }
}

/// Every order is tried to its end or to what it breaks first, whatever others break: each invariant has its own answer.
fn run() -> &'static Run {
    static RUN: OnceLock<Run> = OnceLock::new();
    RUN.get_or_init(|| {
        let base = Base::new();
        let orders = number("MODEL_ORDERS").unwrap_or(ORDERS);
        let first = number("MODEL_SEED").unwrap_or(1);
        let next = AtomicU64::new(first);
        let run = Mutex::new(Run { orders, reached: Counts::new(), broken: BTreeMap::new(), panicked: None });
        let began = Instant::now();
        let threads = thread::available_parallelism().map_or(1, usize::from);
        // what breaks is shown once, with all that led to it
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut seen = Counts::new();
                    loop {
                        let from = next.fetch_add(SHARE, Ordering::Relaxed);
                        let to = from.saturating_add(SHARE).min(first + orders);
                        if from >= to {
                            break;
                        }
                        for seed in from..to {
                            match catch_unwind(AssertUnwindSafe(|| order(&base, seed, false))) {
                                Ok(counts) => add(&mut seen, counts),
                                Err(why) => {
                                    let mut run = run.lock().unwrap_or_else(PoisonError::into_inner);
                                    // a long run is not waited for to know that there is one
                                    if run.broken.is_empty() && run.panicked.is_none() {
                                        eprintln!("seed {seed} breaks an invariant");
                                    }
                                    run.add(seed, &*why);
                                }
                            }
                        }
                        if (to - first).is_multiple_of(TOLD) {
                            eprintln!("{} orders, {:.0} s", to - first, began.elapsed().as_secs_f64());
                        }
                    }
                    add(&mut run.lock().unwrap_or_else(PoisonError::into_inner).reached, seen);
                });
            }
        });
        std::panic::set_hook(usual);
        let run = run.into_inner().unwrap_or_else(PoisonError::into_inner);
        let seconds = began.elapsed().as_secs_f64();
        println!("{orders} orders from {first} on {threads} threads in {seconds:.1} s: {:?}", run.reached);
        run
    })
}

fn add(to: &mut Counts, counts: Counts) {
    counts.into_iter().for_each(|(what, times)| *to.entry(what).or_default() += times);
}

#[track_caller]
fn holds(invariant: Invariant) {
    if let Some(seed) = run().broken.get(&invariant) {
        show_again(*seed);
    }
}

/// One test for each, of the same name.
macro_rules! invariants {
    ($($test:ident: $invariant:ident,)*) => {
        $(
            #[test]
            fn $test() {
                holds(Invariant::$invariant);
            }
        )*
    };
}

invariants! {
    shown_is_decided: ShownIsDecided,
    nothing_hidden: NothingHidden,
    one_time_from_the_right_sender: OneTimeFromTheRightSender,
    never_by_accident: NeverByAccident,
    expiry: Expiry,
    exactly_once_and_deny_wins: ExactlyOnceAndDenyWins,
    scopes_are_honest: ScopesAreHonest,
    seen_if_not_prevented: SeenIfNotPrevented,
    no_push_bombing: NoPushBombing,
    quiet_when_locked: QuietWhenLocked,
    every_surface_agrees: EverySurfaceAgrees,
}

#[test]
fn nothing_panics() {
    if let Some(seed) = run().panicked {
        show_again(seed);
    }
}

#[test]
fn every_situation_is_reached() {
    let Run { orders, reached, .. } = run();
    for (what, one_in) in REACHED.into_iter().filter(|_| *orders >= 1_000) {
        let times = reached.get(what).copied().unwrap_or_default();
        assert!(times * one_in >= *orders, "{what}: only {times} times in {orders} orders");
    }
}
