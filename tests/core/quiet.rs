//! Do Not Disturb is the person's: only a critical approval asks to break through.

use palyra_tray::core::event::Event;
use palyra_tray::core::simulate::World;
use palyra_tray::core::view::Urgency;

use super::started;

/// Keys of what is on the screen and breaks through.
fn loud(world: &World) -> Vec<&str> {
    let notices = world.view().notices.iter();
    notices.filter(|(_, notice)| notice.urgency == Urgency::Critical).map(|(key, _)| key.as_str()).collect()
}

#[test]
fn of_approvals_the_critical_ones_do() {
    let mut world = started();
    for (n, risk) in ["low", "medium", "high"].iter().enumerate() {
        world.ask(&format!("a{n}"), risk, 300, "ls");
    }
    world.pass(300);
    assert_eq!((loud(&world), world.view().notices.len()), (vec![], 3));
    world.ask("c", "critical", 300, "ls");
    world.pass(300);
    // they are one summary now
    assert_eq!((loud(&world).len(), world.view().notices.len()), (1, 1));
    for id in ["a0", "a1"] {
        world.decide_elsewhere(id, "deny");
    }
    world.pass(300);
    assert_eq!(loud(&world), ["approval:c"]);
}

#[test]
fn no_event_does_not_even_a_flood_that_an_agent_can_make() {
    let mut world = started();
    for n in 0..12 {
        world.ask(&format!("a{n}"), "low", 300, "ls");
    }
    world.give(Event::OpenedTwice);
    world.give(Event::FolderRemoved("/x".to_owned()));
    world.pass(300);
    world.ask("late", "low", 300, "ls");
    world.pass(300);
    let told: Vec<_> = world.view().notices.keys().filter(|key| key.starts_with("event:")).collect();
    assert_eq!(told, ["event:flood", "event:handoff", "event:removed"]);
    assert_eq!(loud(&world), [""; 0]);
}
