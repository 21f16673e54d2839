//! The node host's enrolment on a virtual clock: its ways, and that every one of them ends with the pairing window closed.

use palyra_tray::core::event::{Event, Setup};
use palyra_tray::core::node::{Enrolled, Known, LEASE_MS, NodeSetup};
use palyra_tray::core::simulate::{Mishaps, World, print_menu};
use palyra_tray::core::view::NoticeKey;
use palyra_tray::protocol::node::{NodeRequest, NodeTask};
use palyra_tray::protocol::shim::ExitCause;
use palyra_tray::protocol::{Action, Reply, Request, ServiceId};
use proptest::prelude::*;

const HOUR_MS: u64 = 3_600_000;
/// Longer than any attempt takes with all its limits.
const QUIET_MS: u64 = 5 * 60_000;

fn setup() -> Setup {
    let node = NodeSetup { allowed: true, ..NodeSetup::default() };
    Setup { version: "0.1.0".to_owned(), pid: 1, start: true, browser: true, seed: 7, node, ..Setup::default() }
}

fn started() -> World {
    let mut world = World::new(setup());
    world.pass(1_000);
    world
}

fn ask(world: &mut World, ticket: u64, task: NodeTask) {
    world.give(Event::Asked(ticket, Request::Node(NodeRequest::Do { task })));
}

fn answer(world: &World, ticket: u64) -> Option<Result<String, String>> {
    let mut all = world.replies.iter().filter(|(to, _)| *to == ticket).map(|(_, reply)| reply.clone());
    let reply = all.next()?;
    assert!(all.next().is_none(), "{ticket} was answered twice");
    Some(match reply {
        Reply::Done(words) => Ok(words),
        Reply::Error(failure) => Err(failure.message),
        Reply::Data(value) => panic!("{value}"),
    })
}

fn notices(world: &World) -> Vec<NoticeKey> {
    world.view().notices.keys().cloned().collect()
}

fn enrolled_world() -> World {
    let mut world = started();
    ask(&mut world, 1, NodeTask::Enrol);
    world.pass(2_000); // long before a lease could run out
    assert!(answer(&world, 1).expect("an answer").is_ok(), "{}", world.timeline.join("\n"));
    world
}

#[test]
fn an_enrolment_opens_the_window_once_approves_one_request_and_closes_it() {
    let mut world = enrolled_world();
    let words = answer(&world, 1).unwrap().unwrap();
    assert!(words.contains("window is closed"), "{words}");
    assert_eq!((world.pairs.windows, world.pairs.approved.len(), &world.pairs.window), (1, 1, &None));
    assert!(world.agent.node.is_idle());
    assert!(world.agent.fleet.get(ServiceId::NodeHost).is_ready());
    world.pass(QUIET_MS);
    assert_eq!(world.pairs.windows, 1);
    assert_eq!(notices(&world), Vec::<NoticeKey>::new(), "our own approval asks nobody");
}

#[test]
fn it_is_refused_where_it_is_not_allowed_and_the_menu_does_not_offer_it() {
    let mut world = World::new(Setup { node: NodeSetup::default(), ..setup() });
    world.pass(1_000);
    ask(&mut world, 1, NodeTask::Enrol);
    assert!(answer(&world, 1).unwrap().unwrap_err().contains("cannot be renewed"));
    assert!(!print_menu(&world.view().menu, 0).contains("Enrol…"));
    assert!(print_menu(&started().view().menu, 0).contains("Node host: not enrolled"));
    assert_eq!(world.pairs.windows, 0);
}

#[test]
fn a_menu_click_only_asks() {
    let mut world = started();
    assert!(world.menu("Enrol…"));
    world.pass(10_000);
    assert_eq!(world.pairs.windows, 0);
    assert!(world.timeline.iter().any(|line| line.contains("opens Node(Enrol)")));
}

#[test]
fn every_mishap_ends_closed_unapproved_or_told() {
    let cases = [
        (Mishaps { stranger: true, ..Mishaps::default() }, "somebody else", 0),
        (Mishaps { mute: true, ..Mishaps::default() }, "did not ask", 0),
        (Mishaps { fails: true, ..Mishaps::default() }, "palyra failed", 1),
        (Mishaps { refuses_approval: true, ..Mishaps::default() }, "no answer", 0),
    ];
    for (mishaps, why, approved) in cases {
        let mut world = started();
        world.pairs.mishaps = mishaps;
        ask(&mut world, 1, NodeTask::Enrol);
        world.pass(QUIET_MS);
        let words = answer(&world, 1).expect("an answer").unwrap_err();
        assert!(words.contains(why) && words.contains("window is closed"), "{words}");
        assert_eq!(world.pairs.approved.len(), approved, "{why}");
        assert!(world.agent.node.is_idle() && world.pairs.window.is_none(), "{why}");
        assert!(world.agent.fleet.get(ServiceId::Gateway).is_ready(), "{why}");
        assert_eq!(world.own_requests_waiting(), 0, "{why}: what it left asks nobody");
        assert_eq!(notices(&world).contains(&"event:node_host:strange".to_owned()), mishaps.stranger);
        assert_eq!(world.agent.node.known, Known::Absent, "{why}");
    }
}

#[test]
fn a_client_that_goes_away_cancels() {
    for wait in [0, 20, 100, 160, 400] {
        let mut world = started();
        ask(&mut world, 1, NodeTask::Enrol);
        world.pass(wait);
        world.give(Event::ClientGone(1));
        world.pass(QUIET_MS);
        assert!(world.agent.node.is_idle() && world.pairs.window.is_none(), "after {wait} ms");
        assert_eq!(answer(&world, 1), None);
        assert_eq!(world.own_requests_waiting(), 0, "after {wait} ms");
        assert!(wait > 300 || world.pairs.approved.is_empty(), "after {wait} ms: nothing is approved any more");
    }
}

#[test]
fn what_ends_the_gateway_meanwhile_ends_the_enrolment() {
    let ways: [fn(&mut World); 4] = [
        |world| world.end(ServiceId::Gateway, Some(ExitCause::Code { code: 1 })),
        |world| world.give(Event::Asked(9, Request::Act { action: Action::Restart { service: None } })),
        |world| world.give(Event::Asked(9, Request::Act { action: Action::Stop { service: None } })),
        |world| world.give(Event::Asked(9, Request::Act { action: Action::SetBrowser { enabled: false } })),
    ];
    for (number, way) in ways.into_iter().enumerate() {
        let mut world = started();
        world.pairs.mishaps.mute = true;
        ask(&mut world, 1, NodeTask::Enrol);
        world.pass(500);
        assert!(world.pairs.window.is_some());
        way(&mut world);
        world.pass(QUIET_MS);
        assert!(answer(&world, 1).expect("an answer").unwrap_err().contains("not enrolled"), "{number}");
        assert!(world.agent.node.is_idle() && world.pairs.window.is_none(), "{number}");
        assert_eq!(world.pairs.windows, 1, "{number}: it is not opened again");
    }
}

#[test]
fn a_killed_agent_leaves_no_window_and_the_next_one_opens_none() {
    for gap in [100, 3_000, 60_000] {
        let mut world = started();
        world.pairs.mishaps.mute = true;
        ask(&mut world, 1, NodeTask::Enrol);
        world.pass(500);
        assert!(world.pairs.window.is_some());
        world.kill_agent();
        world.pass(gap);
        assert_eq!(world.pairs.window.is_some(), gap <= LEASE_MS, "{gap}: as long as its lease");
        world.next_agent(setup());
        world.pass(5_000);
        assert!(world.pairs.window.is_none(), "{gap}: the next agent closes it at once");
        world.pass(60_000);
        assert!(world.agent.fleet.get(ServiceId::Gateway).is_ready());
        assert_eq!((world.pairs.windows, world.own_requests_waiting()), (1, 0));
        assert_eq!(notices(&world).contains(&"event:node_host:interrupted".to_owned()), gap <= LEASE_MS);
    }
}

#[test]
fn an_end_that_leaves_palyra_running_closes_the_window_first() {
    let mut world = started();
    world.pairs.mishaps.mute = true;
    ask(&mut world, 1, NodeTask::Enrol);
    world.pass(500);
    world.give(Event::Asked(2, Request::HandOver));
    world.pass(4_000);
    assert!(world.exited && world.pairs.window.is_none());
    assert!(answer(&world, 1).unwrap().unwrap_err().contains("ending"));
}

#[test]
fn a_gateway_that_stays_open_is_stopped_and_told() {
    let mut world = started();
    world.pairs.mishaps.stays_open = true;
    world.give(Event::Asked(9, Request::Act { action: Action::Restart { service: Some(ServiceId::Gateway) } }));
    world.pass(60_000);
    assert!(!world.agent.fleet.get(ServiceId::Gateway).is_up());
    assert_eq!(notices(&world), ["event:node_host:window"]);
}

#[test]
fn an_expired_certificate_is_told_once_and_never_tried() {
    let mut world = enrolled_world();
    world.pass(23 * HOUR_MS);
    assert_eq!(notices(&world), Vec::<NoticeKey>::new());
    world.pass(2 * HOUR_MS);
    assert_eq!(notices(&world), ["event:node_host:repair"]);
    assert!(world.agent.fleet.get(ServiceId::NodeHost).is_ready(), "an open connection stays");
    let begun = world.launches.len();
    world.end(ServiceId::NodeHost, Some(ExitCause::Code { code: 4 }));
    world.pass(HOUR_MS);
    assert_eq!(world.launches.len(), begun, "it cannot succeed");
    assert!(world.view().tooltip.contains("needs repair"), "{}", world.view().tooltip);
    assert!(print_menu(&world.view().menu, 0).contains("Node host: needs repair: its certificate has expired"));
    world.give(Event::NoticeGone("event:node_host:repair".to_owned()));
    world.pass(48 * HOUR_MS);
    world.kill_agent();
    world.next_agent(setup());
    world.pass(HOUR_MS);
    assert_eq!(notices(&world), Vec::<NoticeKey>::new(), "once, also over a restart of the agent");
    assert_eq!(world.pairs.windows, 1, "never opened unasked");

    ask(&mut world, 2, NodeTask::Repair);
    world.pass(10_000);
    assert!(answer(&world, 2).unwrap().is_ok());
    assert!(world.agent.fleet.get(ServiceId::NodeHost).is_ready());
    world.pass(25 * HOUR_MS);
    assert_eq!(notices(&world), ["event:node_host:repair"], "the next certificate is another one");
}

#[test]
fn a_refused_certificate_is_no_crash_loop() {
    let mut world = enrolled_world();
    let run = world.agent.fleet.get(ServiceId::NodeHost).run.as_ref().unwrap().id.clone();
    world.refuse_next_node_host("node RPC client certificate fingerprint is revoked");
    world.end(ServiceId::NodeHost, Some(ExitCause::Code { code: 1 }));
    world.pass(HOUR_MS);
    assert_ne!(world.launches.len(), 0);
    assert!(!world.agent.fleet.get(ServiceId::NodeHost).is_up(), "{run}");
    assert_eq!(notices(&world), ["event:node_host:repair"]);
}

#[test]
fn a_reset_needs_no_window() {
    let mut world = enrolled_world();
    ask(&mut world, 2, NodeTask::Reset);
    world.pass(5_000);
    assert!(answer(&world, 2).unwrap().is_ok());
    assert_eq!((world.pairs.windows, &world.pairs.enrolled), (1, &None));
    assert!(!world.agent.fleet.get(ServiceId::NodeHost).is_up());
    ask(&mut world, 3, NodeTask::Reset);
    assert!(answer(&world, 3).unwrap().unwrap_err().contains("not enrolled"));
    world.pass(QUIET_MS);
    assert_eq!(world.view().icon.base, palyra_tray::core::view::Base::Healthy);
}

#[test]
fn an_enrolment_that_was_there_is_looked_up_before_it_runs() {
    let mut setup = setup();
    setup.node.installed = true;
    setup.node_host = true;
    let mut world = World::new(setup);
    world.pass(5_000);
    assert!(!world.launches.iter().any(|(_, service)| *service == ServiceId::NodeHost));
    let enrolled = Enrolled { device_id: "d".to_owned(), expires_at_unix_ms: None, paired: true };
    world.give(Event::Node(palyra_tray::core::node::NodeEvent::Told(Ok(Some(enrolled)))));
    world.pass(5_000);
    assert!(world.agent.fleet.get(ServiceId::NodeHost).is_ready());
}

/// One thing that can happen.
#[derive(Clone, Debug)]
enum Op {
    Pass(u64),
    Do(NodeTask),
    ClientGone,
    EndGateway(Option<i32>),
    EndNodeHost,
    Hang(bool),
    Restart,
    Stop,
    Start,
    Browser(bool),
    Mishaps(Mishaps),
    Kill(u64),
    LeaveRunning(u64),
}

fn any_op() -> impl Strategy<Value = Op> {
    let task = prop_oneof![3 => Just(NodeTask::Enrol), 2 => Just(NodeTask::Repair), 1 => Just(NodeTask::Reset)];
    let mishaps = any::<[bool; 8]>().prop_map(|on| Mishaps {
        stranger: on[0] && on[1],
        mute: on[2] && on[3],
        fails: on[4] && on[5],
        refuses_approval: on[6] && on[7],
        stays_open: false,
    });
    prop_oneof![
        6 => prop_oneof![0_u64..400, 0_u64..20_000].prop_map(Op::Pass),
        5 => task.prop_map(Op::Do),
        1 => Just(Op::ClientGone),
        2 => proptest::option::of(0..2_i32).prop_map(Op::EndGateway),
        1 => Just(Op::EndNodeHost),
        1 => any::<bool>().prop_map(Op::Hang),
        1 => Just(Op::Restart),
        1 => Just(Op::Stop),
        2 => Just(Op::Start),
        1 => any::<bool>().prop_map(Op::Browser),
        2 => mishaps.prop_map(Op::Mishaps),
        2 => (0_u64..20_000).prop_map(Op::Kill),
        1 => (0_u64..20_000).prop_map(Op::LeaveRunning),
    ]
}

/// A random world, with what was asked in it.
struct Random {
    world: World,
    asked: u64,
    tasks: u32,
    /// Since when the window has been there without anything that may hold it open.
    idle_since: Option<u64>,
}

impl Random {
    fn apply(&mut self, op: &Op) {
        let world = &mut self.world;
        let act = |action| Event::Asked(0, Request::Act { action });
        match op {
            Op::Pass(ms) => {
                for _ in 0..*ms / 100 + 1 {
                    self.world.pass(ms.min(&100).to_owned());
                    self.check();
                }
            }
            Op::Do(task) => {
                self.asked += 1;
                self.tasks += u32::from(task.opens_window());
                ask(world, self.asked, *task);
            }
            Op::ClientGone => world.give(Event::ClientGone(self.asked)),
            Op::EndGateway(code) => world.end(ServiceId::Gateway, code.map(|code| ExitCause::Code { code })),
            Op::EndNodeHost => world.end(ServiceId::NodeHost, Some(ExitCause::Code { code: 1 })),
            Op::Hang(hangs) => world.behaviour.entry(ServiceId::Gateway).or_default().hangs = *hangs,
            Op::Restart => world.give(act(Action::Restart { service: Some(ServiceId::Gateway) })),
            Op::Stop => world.give(act(Action::Stop { service: None })),
            Op::Start => world.give(act(Action::Start { service: None })),
            Op::Browser(enabled) => world.give(act(Action::SetBrowser { enabled: *enabled })),
            Op::Mishaps(mishaps) => world.pairs.mishaps = *mishaps,
            Op::Kill(gap) => {
                world.kill_agent();
                self.apply(&Op::Pass(*gap));
                self.world.next_agent(setup());
            }
            Op::LeaveRunning(gap) => {
                world.give(Event::Asked(0, Request::HandOver));
                self.apply(&Op::Pass(6_000 + gap));
                assert!(self.world.exited);
                self.world.next_agent(setup());
            }
        }
        self.check();
    }

    fn check(&mut self) {
        let world = &self.world;
        assert!(world.faults.is_empty(), "{:?}\n{}", world.faults, world.timeline.join("\n"));
        assert!(world.pairs.windows <= self.tasks, "a window that nobody asked for\n{}", world.timeline.join("\n"));
        let held = !world.exited && world.agent.node.may_hold_window();
        match (&world.pairs.window, held) {
            (Some(_), false) => {
                let since = *self.idle_since.get_or_insert(world.now.mono_ms);
                let open = world.now.mono_ms - since;
                // what the stop ladder may take comes on top
                assert!(open <= LEASE_MS + 1_000, "open for {open} ms\n{}", world.timeline.join("\n"));
            }
            _ => self.idle_since = None,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: no window without somebody's word, none without a live lease, none in the end;
    /// nothing but our own request is approved; everybody is answered at most once.
    #[test]
    fn the_window_always_ends_closed(ops in proptest::collection::vec(any_op(), 1..40)) {
        let mut random = Random { world: started(), asked: 100, tasks: 0, idle_since: None };
        for op in &ops {
            random.apply(op);
        }
        random.world.behaviour.entry(ServiceId::Gateway).or_default().hangs = false;
        random.apply(&Op::Start);
        random.apply(&Op::Pass(QUIET_MS));
        let Random { world, asked, .. } = random;
        let story = world.timeline.join("\n");
        prop_assert!(world.pairs.window.is_none(), "{story}");
        prop_assert!(world.agent.node.is_idle(), "{story}");
        prop_assert!(world.agent.fleet.get(ServiceId::Gateway).is_ready(), "{story}");
        prop_assert_eq!(world.own_requests_waiting(), 0, "{}", story);
        prop_assert!(world.pairs.approved.iter().all(|request| request.request_id.starts_with("request-")));
        for ticket in 101..=asked {
            answer(&world, ticket);
        }
    }
}
