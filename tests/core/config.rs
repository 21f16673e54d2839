//! An edited config: what is restarted for it, and what not.

use super::*;

#[test]
fn timeline_of_a_config_that_is_edited() {
    check_timeline(
        "config",
        "wait 1s\n\
         config version = 1; orchestrator.runloop_v1_enabled = true\nwait 3s\n\
         config version = 1; tool_call.browser_service.health_base_url = \"http://127.0.0.1:9143\"\nwait 3s\n\
         touch config\nwait 3s\n\
         config version =\nwait 3s\nshow menu\nconfig version = 1\nwait 3s\n\
         menu Restart when the config changes\nconfig version = 1; a = 1\nwait 3s\nshow menu\n\
         menu Restart when the config changes\nwait 3s",
    );
}

#[test]
fn a_browser_that_moves_by_the_config_costs_the_gateway_one_restart_and_a_gateway_that_moves_costs_the_browser_none() {
    let mut world = started();
    let before = world.launches.len();
    let browser = "[tool_call.browser_service]\nendpoint = \"http://127.0.0.1:9543\"\n";
    world.write_config(Some(browser));
    world.pass(5_000);
    let mut launched = launched_since(&world, before);
    launched.sort();
    assert_eq!(launched, [ServiceId::Gateway, ServiceId::Browserd]);
    let before = world.launches.len();
    world.write_config(Some(&format!("daemon.port = 9142\n{browser}")));
    world.pass(5_000);
    assert_eq!(launched_since(&world, before), [ServiceId::Gateway]);
    assert_eq!(world.agent.fleet.get(ServiceId::Gateway).ports["http"], 9142);
}

#[test]
fn ports_are_written_on_the_persons_word_only_and_restart_nobody() {
    let mut world = started();
    assert!(!world.menu("Write these ports to the config"), "it has the usual ones");
    let moved = palyra_tray::core::ports::gateway(7146, 7147, 7148);
    let facts = palyra_tray::config::palyra::ConfigFacts::of_text("version = 1", 1).unwrap();
    world.give(Event::PortsChosen {
        ports: [(ServiceId::Gateway, moved)].into(),
        note: "Port 7142 is held by nginx (process 7).".to_owned(),
        config: (ServiceId::Gateway, Box::new(facts)),
    });
    let before = world.launches.len();
    assert!(world.menu("Write these ports to the config"));
    world.pass(10_000);
    assert!(world.config.0.as_deref().unwrap().contains("daemon.port = 7146"), "{:?}", world.config);
    assert_eq!(world.launches.len(), before);
    assert!(!world.menu("Write these ports to the config"), "they are written");
}

#[test]
fn a_gateway_that_was_given_up_for_its_config_is_tried_again_when_that_is_mended() {
    let mut world = started();
    world.write_config(Some("version ="));
    world.pass(1_000);
    assert!(world.view().notices.contains_key("event:config"));
    world.give(Event::Clicked(Action::Restart { service: None }, Click::Menu));
    world.pass(5_000);
    assert_eq!(world.agent.fleet.get(ServiceId::Gateway).phase, Phase::GivenUp);
    world.write_config(Some("version = 1"));
    world.pass(5_000);
    assert!(world.agent.fleet.get(ServiceId::Gateway).is_ready());
    assert!(world.view().notices.is_empty(), "{:?}", world.view().notices);
}

#[test]
fn a_config_file_that_goes_away_restarts_nothing_and_is_told() {
    let mut world = started();
    let before = world.launches.len();
    world.write_config(None);
    world.pass(5_000);
    assert_eq!((world.launches.len(), world.view().icon.base), (before, Base::Degraded));
    world.write_config(Some("version = 1"));
    world.pass(5_000);
    assert_eq!((world.launches.len(), world.view().icon.base), (before, Base::Healthy));
}

#[test]
fn what_is_stopped_stays_so_whatever_happens_to_the_config() {
    let mut world = started();
    world.give(Event::Clicked(Action::Stop { service: None }, Click::Menu));
    world.pass(5_000);
    let before = world.launches.len();
    world.write_config(Some("version = 1 # x"));
    world.pass(5_000);
    world.write_config(Some("version = 1 # x"));
    world.pass(5_000);
    assert!(world.launches.len() == before && world.view().icon.base == Base::Stopped);
}

#[test]
fn the_browser_switch_restarts_the_gateway_once_and_a_node_host_never() {
    let mut world = World::new(Setup { node_host: true, ..setup() });
    world.pass(2_000);
    for (enabled, mut expected) in
        [(false, vec![ServiceId::Gateway]), (true, vec![ServiceId::Gateway, ServiceId::Browserd])]
    {
        let before = world.launches.len();
        world.give(Event::Clicked(Action::SetBrowser { enabled }, Click::Menu));
        world.pass(5_000);
        let mut launched = launched_since(&world, before);
        launched.sort();
        expected.sort();
        assert_eq!(launched, expected);
        assert_eq!(world.agent.fleet.get(ServiceId::Browserd).is_ready(), enabled);
    }
    // there and back before anything could end: nobody restarts twice
    let before = world.launches.len();
    for enabled in [false, true] {
        world.give(Event::Clicked(Action::SetBrowser { enabled }, Click::Menu));
    }
    world.pass(5_000);
    assert_eq!(launched_since(&world, before).iter().filter(|id| **id == ServiceId::Gateway).count(), 1);
    assert!(world.agent.fleet.get(ServiceId::Browserd).is_ready());
}
