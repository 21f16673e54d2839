//! Random worlds: whatever happens, what must hold holds, and every phase is reached.

use super::looks::looks_when_rung;
use super::*;

/// One thing that can happen in a random world.
#[derive(Clone, Debug)]
enum Op {
    Pass(u64),
    Crash(ServiceId, i32),
    Lose(ServiceId),
    Hang(ServiceId, bool),
    Doom(ServiceId, bool),
    Start(Option<ServiceId>),
    Stop(Option<ServiceId>),
    Restart(Option<ServiceId>),
    Browser(bool),
    Keyring(bool),
    Ask(u8, u64),
    Elsewhere(u8, bool),
    Click(bool),
    Config(u8),
    SetUp(bool),
    Follow(bool),
    Behind(ServiceId, u8, u32),
}

fn any_service() -> impl Strategy<Value = ServiceId> {
    prop_oneof![3 => Just(ServiceId::Gateway), 2 => Just(ServiceId::Browserd)]
}

fn any_op() -> impl Strategy<Value = Op> {
    let some = || proptest::option::of(any_service());
    prop_oneof![
        8 => prop_oneof![2 => 0..100_u64, 2 => 0..5_000_u64, 3 => 0..100_000_u64].prop_map(Op::Pass),
        2 => (any_service(), 0..3).prop_map(|(id, code)| Op::Crash(id, code)),
        1 => any_service().prop_map(Op::Lose),
        2 => (any_service(), prop::bool::weighted(0.7)).prop_map(|(id, on)| Op::Hang(id, on)),
        1 => (any_service(), any::<bool>()).prop_map(|(id, on)| Op::Doom(id, on)),
        1 => some().prop_map(Op::Start),
        1 => some().prop_map(Op::Stop),
        1 => some().prop_map(Op::Restart),
        1 => any::<bool>().prop_map(Op::Browser),
        1 => any::<bool>().prop_map(Op::Keyring),
        2 => (any::<u8>(), 1..400_u64).prop_map(|(id, timeout)| Op::Ask(id % 6, timeout)),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(id, allow)| Op::Elsewhere(id % 6, allow)),
        2 => any::<bool>().prop_map(Op::Click),
        2 => any::<u8>().prop_map(Op::Config),
        1 => prop::bool::weighted(0.3).prop_map(Op::SetUp),
        1 => prop::bool::weighted(0.8).prop_map(Op::Follow),
        1 => (any_service(), 0..4_u8, any::<u32>()).prop_map(|(id, what, run)| Op::Behind(id, what, run)),
    ]
}

fn apply(world: &mut World, op: &Op) {
    let menu = |action| Event::Clicked(action, Click::Menu);
    match op {
        Op::Pass(ms) => world.pass(*ms),
        Op::Crash(id, code) => world.end(*id, Some(ExitCause::Code { code: *code })),
        Op::Lose(id) => world.end(*id, None),
        Op::Hang(id, on) => world.behaviour.get_mut(id).unwrap().hangs = *on,
        Op::Doom(id, on) => world.behaviour.get_mut(id).unwrap().doomed = *on,
        Op::Start(service) => world.give(menu(Action::Start { service: *service })),
        Op::Stop(service) => world.give(menu(Action::Stop { service: *service })),
        Op::Restart(service) => world.give(menu(Action::Restart { service: *service })),
        Op::Browser(enabled) => world.give(menu(Action::SetBrowser { enabled: *enabled })),
        Op::Keyring(true) => {
            world.give(Event::Secrets(Secrets::Ready { place: "keyring".to_owned(), warning: String::new() }))
        }
        Op::Keyring(false) => world.give(Event::Secrets(Secrets::Waiting("locked".to_owned()))),
        Op::Ask(id, timeout) => {
            if world.record(&format!("a{id}")).is_none() {
                world.ask(&format!("a{id}"), ["low", "high", "critical"][usize::from(*id) % 3], *timeout, "ls");
            }
        }
        Op::Elsewhere(id, allow) => {
            if world.record(&format!("a{id}")).is_some() {
                world.decide_elsewhere(&format!("a{id}"), if *allow { "allow" } else { "deny" });
            }
        }
        Op::Config(which) => {
            let texts = [
                Some("version = 1"),
                Some("version = 1 # said differently"),
                Some("a = 1"),
                Some("model_provider.kind = \"x\""),
                Some("daemon.port = 9142"),
                Some("[tool_call.browser_service]\nendpoint = \"http://127.0.0.1:9543\"\nauth_token = \"x\""),
                Some("version ="),
                None,
            ];
            let same = world.config.0.clone();
            world.write_config(texts.get(usize::from(*which) % 10).copied().unwrap_or(same.as_deref()));
        }
        Op::SetUp(open) => world.set_up_open = *open,
        // where none of ours lives
        Op::Behind(id, ..) if world.alive.iter().any(|(alive, _)| alive == id) => {}
        Op::Behind(id, what, run) => {
            let found = match (what, living(*id)) {
                (0, _) => Found::Unclear("something holds its place".to_owned()),
                (1, _) => Found::Nothing(None),
                (_, Found::Living(record)) => {
                    let run_id = RunId(format!("{id}-behind-{run}"));
                    Found::Living(RunRecord { run_id, ..record })
                }
                (_, other) => other,
            };
            world.behind.insert(*id, found);
        }
        Op::Follow(enabled) => world.give(menu(Action::SetConfigRestarts { enabled: *enabled })),
        Op::Click(approve) => {
            world.click(if *approve { "Approve once" } else { "Deny" });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Never two copies, never a deadline that stands still, never a decision sent twice, and a quit always ends with
    /// nothing left, whatever happened before.
    #[test]
    fn random_worlds_stay_safe(ops in proptest::collection::vec(any_op(), 1..60)) {
        let mut world = World::new(setup());
        for op in &ops {
            apply(&mut world, op);
            prop_assert!(world.faults.is_empty(), "{:?}", world.faults);
        }
        let mut approved = BTreeSet::new();
        for (id, verdict) in &world.sent {
            if *verdict == Verdict::Approve {
                prop_assert!(approved.insert(id.clone()), "{id} was approved twice");
            }
        }
        world.give(Event::Shutdown);
        world.pass(16_000);
        prop_assert!(world.exited && world.alive.is_empty(), "{:?}", world.alive);
    }

    /// Whatever happened to the config before: what runs is in the end what the file says, and then nobody restarts any more.
    #[test]
    fn every_change_of_the_config_arrives_once(ops in proptest::collection::vec(any_op(), 1..40)) {
        let mut world = World::new(setup());
        for op in &ops {
            apply(&mut world, op);
        }
        for id in ServiceId::ALL {
            *world.behaviour.get_mut(&id).unwrap() = Default::default();
        }
        apply(&mut world, &Op::Keyring(true));
        apply(&mut world, &Op::SetUp(false));
        apply(&mut world, &Op::Follow(true));
        // what would be found behind a later restart was started with a config that nobody knows
        let found = world.alive.clone();
        let is_there = |record: &RunRecord| found.iter().any(|(_, run)| *run == record.run_id);
        world.behind.retain(|_, found| matches!(found, Found::Living(record) if is_there(record)));
        world.pass(120_000);
        let token = "[tool_call.browser_service]\nauth_token = \"the last one\"\n";
        world.write_config(Some(token));
        world.pass(120_000);
        for (id, _) in &world.alive {
            prop_assert_eq!(world.started_with[id].as_str(), token, "{}", id);
        }
        let launches = world.launches.len();
        world.pass(600_000);
        prop_assert_eq!(world.launches.len(), launches);
        prop_assert!(world.faults.is_empty(), "{:?}", world.faults);
    }

    /// However it rings, each ring is followed by a look in time, and looks keep their distance (the safety look apart).
    #[test]
    fn no_ring_is_forgotten_and_no_look_comes_too_often(gaps in proptest::collection::vec(0_u64..500, 1..60)) {
        let rings: Vec<u64> = gaps.iter().scan(1_000, |now, gap| { *now += gap; Some(*now) }).collect();
        let looks = looks_when_rung(&rings);
        for ring in &rings {
            let seen = looks.iter().any(|look| look >= ring && look - ring <= LOOK_SPACING_MS);
            prop_assert!(seen, "ring at {ring}, looks {looks:?}");
        }
        let spaced: Vec<_> = looks.iter().filter(|look| *look % PROBE_HEALTHY_MS != 0).collect();
        prop_assert!(spaced.windows(2).all(|pair| pair[1] - pair[0] >= LOOK_SPACING_MS), "{looks:?}");
    }

    /// Whenever each life of each service ends, and however: at most twelve starts of one in any minute.
    #[test]
    fn a_crash_loop_starts_at_most_twelve_times_a_minute(
        lives in proptest::collection::vec((0_u64..3_000, 0_u8..4), 1..80), seed in any::<u64>()
    ) {
        let mut world = World::new(Setup { seed, ..setup() });
        for (ms, how) in lives {
            world.pass(ms);
            let cause = match how {
                0 => None,
                1 => Some(ExitCause::Signal { signal: 11 }),
                code => Some(ExitCause::Code { code: i32::from(code) - 2 }),
            };
            world.end(if how == 3 { ServiceId::Browserd } else { ServiceId::Gateway }, cause);
        }
        world.pass(60_000);
        for id in ServiceId::ALL {
            let starts: Vec<u64> = world.launches.iter().filter(|(_, one)| *one == id).map(|(at, _)| *at).collect();
            for (n, at) in starts.iter().enumerate() {
                let minute = starts[n..].iter().take_while(|next| **next - at < 60_000).count();
                prop_assert!(minute <= 12, "{id}: {minute} from {at}: {starts:?}");
            }
        }
    }

    /// A hopeless gateway is started a bounded number of times, however it fails.
    #[test]
    fn a_hopeless_sidecar_is_not_respawned_for_ever(hangs in any::<bool>(), seed in any::<u64>()) {
        let mut world = World::new(Setup { seed, ..setup() });
        let behaviour = world.behaviour.get_mut(&ServiceId::Gateway).unwrap();
        behaviour.hangs = hangs;
        behaviour.doomed = !hangs;
        world.pass(4 * 3_600_000);
        prop_assert!(world.launches.len() <= 10, "{} launches", world.launches.len());
        prop_assert_eq!(&world.agent.fleet.get(ServiceId::Gateway).phase, &Phase::GivenUp);
    }
}

/// What 400 random worlds reach, from the beginning of an agent to its end.
fn reached() -> (BTreeSet<&'static str>, BTreeSet<(&'static str, &'static str)>) {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut phases, mut moves) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..400_u32 {
        let ops = proptest::collection::vec(any_op(), 1..60).new_tree(&mut runner).unwrap().current();
        // every eighth agent finds sidecars of an earlier one
        let found = |id| match id {
            ServiceId::Gateway | ServiceId::Browserd if round % 8 == 0 => living(id),
            _ => Found::Nothing(None),
        };
        let mut world = World::beginning(setup(), found);
        for op in &ops {
            apply(&mut world, op);
        }
        phases.extend(world.phases);
        moves.extend(world.moves);
    }
    let mut healed = unhealthy(1);
    healed.behaviour.get_mut(&ServiceId::Gateway).unwrap().hangs = false;
    healed.pass(5_000);
    let mut hopeless = unhealthy(1);
    hopeless.pass(3_600_000);
    for world in [
        healed,
        hopeless,
        unhealthy_ends(1, false),
        unhealthy_ends(2, false),
        unhealthy_ends(5, false),
        unhealthy_ends(1, true),
    ] {
        moves.extend(world.moves);
    }
    (phases, moves)
}

/// Too rare for chance: a gateway that just missed a probe, after so many ends less one.
fn unhealthy(ends: usize) -> World {
    let mut world = started();
    for _ in 1..ends {
        world.end(ServiceId::Gateway, Some(ExitCause::Code { code: 1 }));
        world.pass(20_000);
    }
    world.behaviour.get_mut(&ServiceId::Gateway).unwrap().hangs = true;
    while !matches!(world.agent.fleet.get(ServiceId::Gateway).phase, Phase::Unhealthy { .. }) {
        world.pass(500);
    }
    world
}

/// It ends then, or while it waits to be stopped.
fn unhealthy_ends(ends: usize, stopping: bool) -> World {
    let mut world = unhealthy(ends);
    if stopping {
        world.give(Event::Clicked(Action::Stop { service: None }, Click::Menu));
    }
    world.end(ServiceId::Gateway, Some(ExitCause::Code { code: 1 }));
    world
}

#[test]
fn a_clock_that_is_set_changes_no_uptime() {
    let uptime = |world: &World| {
        snapshot::snapshot(&world.agent, world.now)["gateway_process"]["uptime_seconds"].as_u64().unwrap()
    };
    let old = |id| match living(id) {
        Found::Living(record) => {
            Found::Living(RunRecord { started_at_unix_ms: simulate::EPOCH_UNIX_MS - 100_000, ..record })
        }
        other => other,
    };
    for (mut world, age) in [(started(), 0), (World::beginning(setup(), old), 100)] {
        let before = uptime(&world);
        assert!((age..age + 10).contains(&before), "{before}");
        for jump in [3 * 86_400_000_i64, -7 * 86_400_000] {
            world.now.unix_ms += jump;
            assert_eq!(uptime(&world), before);
        }
        world.pass(50_000);
        assert_eq!(uptime(&world), before + 50);
    }
}

/// Properties are worth only what the generator reaches.
#[test]
fn the_random_worlds_reach_every_phase() {
    let (reached, _) = reached();
    let all = [
        "stopped",
        "starting",
        "ready",
        "unhealthy",
        "stopping: asked",
        "stopping: restart",
        "stopping: sick",
        "stopping: slow start",
        "backing off",
        "given up",
    ];
    for phase in all {
        assert!(reached.contains(phase), "no random world reached \"{phase}\"");
    }
}

/// The diagram in docs/supervision.md has each change of a sidecar's state that happens, and no other.
#[test]
fn the_state_diagram_is_what_happens() {
    let state = |phase: &str| phase.split(':').next().unwrap_or_default().replace(' ', "_");
    let happens: BTreeSet<_> =
        reached().1.into_iter().map(|(from, to)| (state(from), state(to))).filter(|(from, to)| from != to).collect();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/supervision.md")).unwrap();
    let drawn: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.trim().split_once(" --> "))
        .map(|(from, rest)| (from.to_owned(), rest.split(':').next().unwrap_or_default().trim().to_owned()))
        .filter(|(from, to)| from != "[*]" && to != "[*]")
        .collect();
    let missing: Vec<_> = happens.difference(&drawn).collect();
    let invented: Vec<_> = drawn.difference(&happens).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not drawn: {missing:?}; does not happen: {invented:?}");
}
