//! Sidecars that are there already: taken back, started by somebody faster, or gone.

use super::*;

/// Runs an agent without a world to its deadlines; every probe is answered with this.
fn probes_fail(agent: &mut Agent, now: &mut Now, until_ms: u64, why: &str) -> Vec<Effect> {
    let mut all = Vec::new();
    let mut wakes = 0;
    while let Some(at) = agent.deadline().filter(|at| *at <= until_ms) {
        *now = now.plus(at.saturating_sub(now.mono_ms));
        let mut effects = agent.update(Event::Wake, *now);
        for effect in effects.clone() {
            if let Effect::Probe { service, run, .. } = effect {
                effects.extend(agent.update(Event::Probed(service, run, Err(why.to_owned())), *now));
            }
        }
        all.extend(effects);
        wakes += 1;
        assert!(wakes < 1_000, "it spins");
    }
    all
}

#[test]
fn a_locked_keyring_does_not_end_the_gateway_that_was_taken_back() {
    let mut now = Now::default();
    let mut agent = Agent::new(setup(), now);
    let mut effects = agent.update(Event::Secrets(Secrets::Waiting("the keyring is locked".to_owned())), now);
    for (id, found) in [
        (ServiceId::Gateway, living(ServiceId::Gateway)),
        (ServiceId::Browserd, Found::Nothing(None)),
        (ServiceId::NodeHost, Found::Nothing(None)),
    ] {
        effects.extend(agent.update(Event::Found(id, found), now));
    }
    effects.extend(probes_fail(&mut agent, &mut now, 3_600_000, "waiting for its secrets"));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Stop(..))), "{effects:?}");
    let ready = Secrets::Ready { place: "keyring".to_owned(), warning: String::new() };
    let effects = agent.update(Event::Secrets(ready), now);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Probe { sign_in: true, .. })), "{effects:?}");
}

#[test]
fn nothing_is_started_before_everything_was_looked_at() {
    let now = Now::default();
    let mut agent = Agent::new(setup(), now);
    agent.update(Event::Secrets(Secrets::Ready { place: "file".to_owned(), warning: String::new() }), now);
    let launches = |effects: Vec<Effect>| effects.iter().any(|effect| matches!(effect, Effect::Launch { .. }));
    assert!(!launches(agent.update(Event::Found(ServiceId::Gateway, Found::Nothing(None)), now)));
    assert!(!launches(agent.update(Event::Found(ServiceId::NodeHost, Found::Nothing(None)), now)));
    assert!(launches(agent.update(Event::Found(ServiceId::Browserd, living(ServiceId::Browserd)), now)));
}

/// An agent with everything looked at, and the run that it has asked for.
fn launching() -> (Agent, Now, palyra_tray::protocol::RunId) {
    let now = Now::default();
    let mut agent = Agent::new(setup(), now);
    let mut effects =
        agent.update(Event::Secrets(Secrets::Ready { place: "file".to_owned(), warning: String::new() }), now);
    for id in ServiceId::ALL {
        effects.extend(agent.update(Event::Found(id, Found::Nothing(None)), now));
    }
    let run = effects.into_iter().find_map(|effect| match effect {
        Effect::Launch { service: ServiceId::Gateway, run, .. } => Some(run),
        _ => None,
    });
    (agent, now, run.expect("the gateway is started"))
}

#[test]
fn a_shim_that_was_faster_is_taken_back_as_it_is() {
    for wanted in [true, false] {
        let (mut agent, now, run) = launching();
        let effects = agent.update(Event::Busy(ServiceId::Gateway, run.clone()), now);
        assert!(effects.contains(&Effect::LookAgain(ServiceId::Gateway)));
        assert!(agent.fleet.get(ServiceId::Gateway).is_up(), "it may live");
        if !wanted {
            agent.update(Event::Clicked(Action::Stop { service: None }, Click::Menu), now);
        }
        // a late word about the launch that came to nothing
        agent.update(Event::Busy(ServiceId::Gateway, run), now);
        let effects = agent.update(Event::Found(ServiceId::Gateway, living(ServiceId::Gateway)), now);
        let gateway = agent.fleet.get(ServiceId::Gateway);
        assert_eq!((gateway.attempts, gateway.run.as_ref().map(|run| run.id.0.as_str())), (0, Some("gateway-old")));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Launch { .. })));
        let stops = effects.iter().any(|effect| matches!(effect, Effect::Stop(ServiceId::Gateway, _)));
        assert_eq!(stops, !wanted, "what was said meanwhile holds");
    }
}

#[test]
fn a_place_that_is_always_taken_by_nobody_is_given_up() {
    let (mut agent, mut now, mut run) = launching();
    let mut tries = 1;
    loop {
        let mut effects = agent.update(Event::Busy(ServiceId::Gateway, run.clone()), now);
        effects.extend(agent.update(Event::Found(ServiceId::Gateway, Found::Nothing(None)), now));
        while agent.fleet.get(ServiceId::Gateway).run.is_none() {
            let Some(at) = agent.fleet.deadline() else {
                assert_eq!(agent.fleet.get(ServiceId::Gateway).phase, Phase::GivenUp);
                assert_eq!(tries, 5);
                return;
            };
            now = now.plus(at.saturating_sub(now.mono_ms));
            effects.extend(agent.update(Event::Wake, now));
        }
        let next = effects.into_iter().find_map(|effect| match effect {
            Effect::Launch { run, .. } => Some(run),
            _ => None,
        });
        run = next.expect("it is tried again");
        tries += 1;
        assert!(tries < 20, "it is tried for ever");
    }
}

#[test]
fn an_end_that_nobody_saw_is_told_with_what_is_known() {
    for (rebooted, words) in [(false, ends::SHIM_KILLED), (true, ends::MACHINE_DOWN)] {
        let now = Now::default();
        let mut agent = Agent::new(setup(), now);
        agent.update(Event::Found(ServiceId::Gateway, Found::Lost { rebooted }), now);
        let gateway = agent.fleet.get(ServiceId::Gateway);
        assert_eq!(gateway.last_exit.as_ref().map(|exit| exit.cause.what.clone()), Some(words.to_owned()));
        assert_eq!((gateway.attempts, &gateway.phase), (0, &Phase::Stopped));
    }
}
