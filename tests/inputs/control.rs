//! What comes over the control socket and the shim's pipes: requests, answers, greetings; and what the agent makes of them.

use std::cell::OnceCell;

use palyra_tray::core::agent::Agent;
use palyra_tray::core::compose;
use palyra_tray::core::event::{Event, Setup};
use palyra_tray::core::simulate::World;
use palyra_tray::core::snapshot;
use palyra_tray::core::time::Now;
use palyra_tray::protocol::shim::{Hello, Spec};
use palyra_tray::protocol::{Envelope, Reply, Request, VERSION};
use palyra_tray::shell::control::understand;

use super::same_again;

/// Where this stands in a request, it is a secret.
pub const SECRET: &str = "sk-PLANTED-0123456789";

thread_local! {
    #[cfg_attr(windows, expect(clippy::missing_const_for_thread_local, reason = "it is one; the lint does not see it there"))]
    static AGENT: OnceCell<(Agent, Now)> = const { OnceCell::new() };
}

/// Lines, each a request; all of them go to one agent.
pub fn check(data: &[u8]) {
    let (mut agent, mut now) = AGENT.with(|agent| {
        agent
            .get_or_init(|| {
                let setup = Setup {
                    version: "0.1.0".to_owned(),
                    start: true,
                    browser: true,
                    dialogs: true,
                    ..Setup::default()
                };
                let mut world = World::new(setup);
                world.pass(1_000);
                world.ask("a1", "low", 300, "git push");
                world.pass(1_000);
                (world.agent, world.now)
            })
            .clone()
    });
    for (ticket, line) in (1..).zip(data.split_inclusive(|byte| *byte == b'\n').take(16)) {
        same_again::<Reply>(line);
        same_again::<Hello>(line);
        same_again::<Spec>(line);
        match understand(line) {
            Ok(request) => {
                let again = serde_json::to_vec(&Envelope { version: VERSION, request: request.clone() });
                let again = understand(&again.expect("a request can be written")).expect("and read");
                assert_eq!(again, request);
                if hides_secret(&request) {
                    assert!(!format!("{request:?}").contains(SECRET), "a secret in Debug");
                }
                let effects = agent.update(Event::Asked(ticket, request), now);
                let _ = format!("{effects:?}");
            }
            Err(failure) => {
                // it goes to the client's terminal, which may be a log
                assert!(!failure.message.contains(SECRET), "an error tells a secret: {}", failure.message);
            }
        }
        now = now.plus(1_500);
        let _ = agent.update(Event::Wake, now);
        let _ = agent.deadline();
        let _ = compose::view(&agent, now);
    }
    let status = Reply::Data(snapshot::snapshot(&agent, now));
    let line = serde_json::to_vec(&status).expect("a snapshot can be written");
    assert!(serde_json::from_slice::<Reply>(&line).is_ok());
}

/// The set-up's requests have fields of their own kind for secrets; the others carry none.
fn hides_secret(request: &Request) -> bool {
    use palyra_tray::protocol::setup::SetupRequest::{DiscordApply, DiscordProbe, ProviderKey};
    matches!(request, Request::Setup(ProviderKey { .. } | DiscordApply { .. } | DiscordProbe { .. }))
}
