//! Sidecars that hang or seem to, on machines that stand still or sleep.

use super::*;

#[test]
fn a_hung_gateway_is_replaced_within_40_seconds() {
    for service in [ServiceId::Gateway, ServiceId::Browserd] {
        // also one that stops right after it was found well
        for offset in (0..PROBE_HEALTHY_MS).step_by(500).chain([2, 4, 6]) {
            let mut world = started();
            world.pass(4 * PROBE_HEALTHY_MS + offset - world.now.mono_ms);
            world.launches.clear();
            let hung = world.now.mono_ms;
            hang(&mut world, service, true);
            world.pass(40_000);
            let again = world.launches.iter().find(|(_, id)| *id == service);
            let after = again.map(|(at, _)| at - hung);
            assert!(after.is_some_and(|after| after < 40_000), "{service} at {offset}: {after:?}");
            let end = world.agent.fleet.get(service).last_exit.clone().unwrap();
            assert_eq!(end.cause.class, Class::Liveness, "{end:?}");
        }
    }
}

fn hang(world: &mut World, service: ServiceId, hangs: bool) {
    world.behaviour.get_mut(&service).unwrap().hangs = hangs;
}

/// Whole machines stand still under load: we wake late, and what did not answer us meanwhile had no chance to.
#[test]
fn a_miss_of_a_machine_that_stood_still_does_not_count() {
    let mut world = started();
    world.pass(4 * PROBE_HEALTHY_MS - 1_000 - world.now.mono_ms);
    let before = gateway(&world);
    for _ in 0..4 {
        hang(&mut world, ServiceId::Gateway, true);
        world.freeze(20_000);
        world.pass(2_100);
        assert_eq!(gateway(&world), before, "the first probe after it is excused");
    }
    hang(&mut world, ServiceId::Gateway, false);
    world.pass(60_000);
    assert_eq!(gateway(&world), before);

    // an answer that we hear of late is no miss either
    world.pass(PROBE_HEALTHY_MS - world.now.mono_ms % PROBE_HEALTHY_MS - 1);
    hang(&mut world, ServiceId::Gateway, true);
    world.pass(500);
    world.freeze(9_000);
    world.pass(1);
    hang(&mut world, ServiceId::Gateway, false);
    assert_eq!(gateway(&world), before);
}

#[test]
fn a_hang_is_seen_also_where_everything_is_always_late() {
    let mut world = started();
    world.pass(100_000);
    hang(&mut world, ServiceId::Gateway, true);
    let run = gateway(&world).0;
    for _ in 0..20 {
        world.freeze(5_000);
        world.pass(1_500);
    }
    assert_ne!(gateway(&world).0, run);
}

/// A laptop is closed at two misses, and opened the next morning: what it finds then counts anew.
#[test]
fn a_sleep_is_no_hang() {
    let mut world = started();
    world.pass(4 * PROBE_HEALTHY_MS - 1 - world.now.mono_ms);
    let run = gateway(&world).0;
    hang(&mut world, ServiceId::Gateway, true);
    while !matches!(gateway(&world).1, Phase::Unhealthy { misses: 2, .. }) {
        world.pass(100);
    }
    world.suspend(8 * 3_600_000);
    world.pass(3_100);
    assert!(matches!(gateway(&world).1, Phase::Unhealthy { misses: 2, .. }), "{:?}", gateway(&world));
    hang(&mut world, ServiceId::Gateway, false);
    world.pass(10_000);
    assert!(world.agent.fleet.get(ServiceId::Gateway).is_ready() && gateway(&world).0 == run);
}

#[test]
fn a_start_is_not_too_slow_because_nobody_looked() {
    let mut world = World::new(setup());
    hang(&mut world, ServiceId::Gateway, true);
    world.pass(1_000);
    let run = gateway(&world).0;
    world.freeze(120_000);
    world.pass(100);
    assert!(matches!(gateway(&world).1, Phase::Starting { .. }), "{:?}", gateway(&world));
    hang(&mut world, ServiceId::Gateway, false);
    world.pass(6_000);
    assert!(world.agent.fleet.get(ServiceId::Gateway).is_ready() && gateway(&world).0 == run);

    // one that is never ready ends all the same
    let mut world = World::new(setup());
    hang(&mut world, ServiceId::Gateway, true);
    world.pass(1_000);
    let run = gateway(&world).0;
    world.freeze(120_000);
    world.pass(20_000);
    assert_ne!(gateway(&world).0, run);
}

#[test]
fn a_gateway_that_always_hangs_is_given_up_too() {
    let mut world = started();
    world.behaviour.get_mut(&ServiceId::Gateway).unwrap().hangs = true;
    world.pass(3_600_000);
    assert_eq!(world.agent.fleet.get(ServiceId::Gateway).phase, Phase::GivenUp);
    assert!(world.launches.len() <= 12, "{} launches", world.launches.len());
}
