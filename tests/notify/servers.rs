//! Real servers, as they were heard on the bus when a person pressed, clicked and closed, and servers that lie. What each
//! tells of one click must be one click, and nothing else may be one.

use palyra_tray::core::view::Notice;
use palyra_tray::protocol::Verdict;
use palyra_tray::shell::notify::NotifyReport;

use super::{Agent, Daemon, NAME, Server, Shown, decide, details, emit, notice};

/// A signal of a server.
#[derive(Clone, Copy)]
enum Says {
    /// `ActionInvoked` with the button's key.
    Pressed,
    /// `ActionInvoked` with the key of a click on the text.
    Body,
    /// `NotificationClosed` with this reason.
    Closed(u32),
    /// Plasma's `ActivationToken`.
    Token,
    /// `NotificationClosed` for an id that was never given: Plasma answers so when it is asked to close one.
    ClosedUnknown,
}

use Says::{Body, Closed, ClosedUnknown, Pressed, Token};

/// One server: how its signals looked when a button was pressed, and when the text was clicked.
struct Heard {
    server: &'static str,
    /// The same signals come first from a second process that does not own the name, as in GNOME Shell.
    twice: bool,
    button: &'static [Says],
    body: &'static [Says],
    /// A click on the text is told.
    tells_body: bool,
}

/// dunst 1.9.0, xfce4-notifyd 0.7.3, Plasma 5.27.5, GNOME Shell 43.9.
const HEARD: [Heard; 4] = [
    Heard { server: "dunst", twice: false, button: &[Pressed], body: &[Body], tells_body: true },
    Heard {
        server: "Xfce Notify Daemon",
        twice: false,
        button: &[Pressed, Closed(2)],
        body: &[Closed(2)],
        tells_body: false,
    },
    Heard {
        server: "Plasma",
        twice: false,
        button: &[Token, Pressed, Closed(3), Closed(3), ClosedUnknown],
        body: &[Token, Body, Closed(3)],
        tells_body: true,
    },
    Heard {
        server: "gnome-shell",
        twice: true,
        button: &[Pressed, Closed(2)],
        body: &[Body, Closed(2)],
        tells_body: true,
    },
];

/// Addressed to us, as a stranger would: what goes to everyone the bus itself keeps from us.
fn say(from: &zbus::Connection, card: &Shown, key: &str, signals: &[Says]) {
    let to = Some(card.sender.as_str());
    zbus::block_on(async {
        for signal in signals {
            match signal {
                Pressed => emit(from, to, "ActionInvoked", &(card.id, key)).await,
                Body => emit(from, to, "ActionInvoked", &(card.id, "default")).await,
                Closed(reason) => emit(from, to, "NotificationClosed", &(card.id, *reason)).await,
                Token => emit(from, to, "ActivationToken", &(card.id, "vm;1;2;3_TIME4")).await,
                ClosedUnknown => emit(from, to, "NotificationClosed", &(4242_u32, 3_u32)).await,
            }
        }
        // answered after the bus has passed on all of it
        let bus = Some("org.freedesktop.DBus");
        from.call_method(bus, "/org/freedesktop/DBus", bus, "GetId", &()).await.unwrap();
    });
}

#[test]
fn a_click_is_one_click_however_a_server_tells_it() {
    for heard in &HEARD {
        let daemon = Daemon::start();
        let server = Server::named(&daemon, heard.server, &["actions", "body", "body-markup"]);
        let second = daemon.connect();
        let agent = Agent::start(&daemon);
        assert_eq!(agent.expect_server().name, heard.server);
        let (asked, read, fence) = (notice("asked", "x"), notice("read", "x"), notice("fence", ""));
        agent.show(&[&asked, &read, &fence]);
        let (card, other) = (server.shown("asked"), server.shown("read"));
        let end = server.shown("fence");
        for (notice, card, signals) in [(&asked, &card, heard.button), (&read, &other, heard.body)] {
            if heard.twice {
                say(&second, card, &card.key("Deny"), signals);
                server.click(end.id, "default");
                agent.expect_click(&fence, &details()); // and nothing before it
            }
            say(&server.connection, card, &card.key("Deny"), signals);
            if notice == &asked {
                agent.expect_click(&asked, &decide(Verdict::Deny));
            } else if heard.tells_body {
                agent.expect_click(&read, &details());
            } else {
                assert_eq!(agent.next(), NotifyReport::Dismissed { key: "read".to_owned() }, "{}", heard.server);
            }
        }
        server.click(end.id, &end.key("Details"));
        agent.expect_click(&fence, &details());
    }
}

/// Every lie ends with a true click on the fence: whatever was reported before it would be found.
fn lied_to(lie: impl FnOnce(&Daemon, &Server, &Agent, &Notice, &Shown)) {
    let daemon = Daemon::start();
    let server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    let (asked, fence) = (notice("asked", "x"), notice("fence", ""));
    agent.show(&[&asked, &fence]);
    let (card, end) = (server.shown("asked"), server.shown("fence"));
    lie(&daemon, &server, &agent, &asked, &card);
    server.click(end.id, "default");
    agent.expect_click(&fence, &details());
}

#[test]
fn a_press_after_it_was_taken_back_is_nothing() {
    // as by a server that reports it closed and leaves it on the screen: GNOME's notification-daemon 3.20
    lied_to(|_, server, agent, _, card| {
        agent.show(&[&notice("fence", "")]);
        server.wait_closed(card.id);
        server.close(card.id, 3);
        for key in [card.key("Approve once"), card.key("Deny"), "default".to_owned()] {
            server.click(card.id, &key);
        }
    });
}

#[test]
fn a_press_after_the_person_closed_it_is_nothing() {
    lied_to(|_, server, agent, _, card| {
        server.close(card.id, 2);
        assert_eq!(agent.next(), NotifyReport::Dismissed { key: "asked".to_owned() });
        server.click(card.id, &card.key("Approve once"));
        server.click(card.id, "default");
    });
}

#[test]
fn a_server_that_claims_buttons_and_never_tells_of_them_holds_nothing_up() {
    lied_to(|_, server, agent, asked, card| {
        // it is silent; the approval is decided elsewhere, and what was shown goes
        agent.show(&[&notice("other", "x"), &notice("fence", "")]);
        server.wait_closed(card.id);
        server.shown("other");
        assert_eq!(server.count(&asked.title), 1);
    });
}

#[test]
fn a_second_answer_of_another_kind_is_nothing() {
    lied_to(|_, server, agent, asked, card| {
        server.click(card.id, &card.key("Deny"));
        for key in [card.key("Approve once"), card.key("Deny")] {
            server.click(card.id, &key);
        }
        agent.expect_click(asked, &decide(Verdict::Deny));
    });
}

#[test]
fn an_end_of_ids_that_were_never_given_is_nothing() {
    lied_to(|_, server, _, _, card| {
        for id in [0, 4242, u32::MAX] {
            server.close(id, 2);
            server.click(id, &card.key("Approve once"));
        }
        server.click(card.id + 1_000, "default");
    });
}

/// A server that crashes again and again while an approval waits: shown once by each, under new keys, and only the last ones
/// count, although every server begins its ids anew.
#[test]
fn a_server_that_restarts_shows_what_waits_once_and_only_its_own_keys_count() {
    let daemon = Daemon::start();
    let mut server = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    let (asked, fence) = (notice("asked", "x"), notice("fence", ""));
    agent.show(&[&asked, &fence]);
    let mut old: Vec<Shown> = Vec::new();
    for _ in 0..3 {
        let card = server.shown("asked");
        server.shown("fence");
        server.stop();
        assert_eq!(agent.next(), NotifyReport::Server(None));
        old.push(card);
        server = Server::start(&daemon);
        agent.expect_server();
    }
    let (card, end) = (server.shown("asked"), server.shown("fence"));
    assert_eq!((card.id, card.replaces), (old[0].id, 0), "the ids begin anew");
    for gone in &old {
        assert_ne!(gone.key("Approve once"), card.key("Approve once"));
        server.click(gone.id, &gone.key("Approve once"));
        server.click(gone.id, &gone.key("Deny"));
    }
    server.click(card.id, &card.key("Approve once"));
    server.click(end.id, "default");
    agent.expect_click(&asked, &decide(Verdict::Approve));
    agent.expect_click(&fence, &details());
    assert_eq!((server.count("asked"), server.count("fence")), (1, 1));
}

/// The well-known name goes to another program without a moment in between.
#[test]
fn a_server_that_is_replaced_is_not_heard_any_more() {
    let daemon = Daemon::start();
    let old = Server::start(&daemon);
    let agent = Agent::start(&daemon);
    agent.expect_server();
    let asked = notice("asked", "x");
    agent.show(&[&asked]);
    let before = old.shown("asked");
    zbus::block_on(async { old.connection.release_name(NAME).await.unwrap() });
    let new = Server::start(&daemon);
    agent.expect_server();
    let card = new.shown("asked");
    say(&old.connection, &before, &before.key("Approve once"), &[Pressed, Body, Closed(2)]);
    say(&old.connection, &card, &card.key("Approve once"), &[Pressed, Closed(2)]);
    new.click(card.id, &card.key("Deny"));
    agent.expect_click(&asked, &decide(Verdict::Deny));
}
