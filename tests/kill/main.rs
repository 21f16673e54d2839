//! Live restore under fire: agent, shims and sidecars are killed and stopped at random, in any order and at any moment, and
//! after every round nothing may be doubled, torn, lost, leaked or told wrongly.
//!
//! `KILL_SEED` repeats the choices of a run (not the machine's timing). `KILL_ROUNDS` or `KILL_SECONDS` turn it up.
//! `KILL_PALYRA` names a folder with the real `palyrad` and `palyra-browserd`, to be killed instead of the demo's.
#![cfg(target_os = "linux")]

#[path = "../support/agent.rs"]
mod agent;
#[path = "../support/http.rs"]
mod http;
#[path = "../support/older.rs"]
mod older;
mod witness;
mod world;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use world::World;

/// Rounds of an ordinary test run.
const ROUNDS: u64 = 7;

#[test]
fn nothing_is_doubled_torn_lost_or_left_by_random_kills() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let seed = number("KILL_SEED").unwrap_or(clock.subsec_nanos().into());
    let seconds = number("KILL_SECONDS").map(Duration::from_secs);
    let rounds = number("KILL_ROUNDS").unwrap_or(if seconds.is_some() { u64::MAX } else { ROUNDS });
    println!("KILL_SEED={seed}");
    let begun = Instant::now();
    let mut world = World::new(seed);
    let mut done = 0;
    while done < rounds && seconds.is_none_or(|longest| begun.elapsed() < longest) {
        done += 1;
        world.round(done);
        if seconds.is_some() && done % 20 == 0 {
            println!("{:>6} s  {done} rounds  {}", begun.elapsed().as_secs(), world.tally());
        }
    }
    world.end();
    println!("{done} rounds in {:.1} s: {}", begun.elapsed().as_secs_f32(), world.tally());
}
