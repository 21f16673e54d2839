//! The board against a scripted server: no bus, a clock of our own.

use super::*;
use crate::core::view::{Button, Urgency};
use crate::protocol::{Place, Verdict};

struct Desk {
    board: Board,
    now: Instant,
    minted: u32,
}

/// What one [`Call::Notify`] carried.
#[derive(Debug)]
struct Sent {
    token: u64,
    replaces: u32,
    keys: Vec<String>,
}

impl Desk {
    fn new() -> Self {
        let mut desk = Self { board: Board::default(), now: Instant::now(), minted: 0 };
        desk.board.server(Some(able()));
        desk
    }

    fn calls(&mut self) -> Vec<Call> {
        let minted = &mut self.minted;
        let mut mint = || {
            *minted += 1;
            Some(format!("k{minted}"))
        };
        self.board.plan(self.now, &mut mint).calls
    }

    fn want(&mut self, notices: &[(&str, &Notice)]) -> Vec<Call> {
        self.board.want(notices.iter().map(|(key, notice)| ((*key).to_owned(), (*notice).clone())).collect());
        self.calls()
    }

    /// Wants exactly this one and expects that it is sent.
    fn send(&mut self, key: &str, notice: &Notice) -> Sent {
        sent(&self.want(&[(key, notice)]))
    }

    fn show(&mut self, key: &str, notice: &Notice, id: u32) -> Sent {
        let sent = self.send(key, notice);
        assert_eq!(self.board.replied(sent.token, Ok(id)), []);
        sent
    }
}

fn sent(calls: &[Call]) -> Sent {
    match calls {
        [Call::Notify(call)] => Sent {
            token: call.token,
            replaces: call.replaces,
            keys: call.actions.iter().map(|(key, _)| key.clone()).filter(|key| key != DEFAULT_KEY).collect(),
        },
        other => panic!("expected one Notify, got {other:?}"),
    }
}

fn able() -> ServerInfo {
    ServerInfo { actions: true, body: true, withdraw: true, ..ServerInfo::default() }
}

fn decide(verdict: Verdict) -> Action {
    Action::Decide { approval_id: "A".to_owned(), digest: "d".to_owned(), verdict }
}

fn details() -> Action {
    Action::Open { place: Place::section("approvals") }
}

fn approval(body: &str) -> Notice {
    let button = |label: &str, action| Button { label: label.to_owned(), action };
    Notice {
        title: "Run a program".to_owned(),
        body: body.to_owned(),
        urgency: Urgency::Normal,
        buttons: vec![
            button("Approve once", decide(Verdict::Approve)),
            button("Deny", decide(Verdict::Deny)),
            button("Details", details()),
        ],
        default_action: Some(details()),
        resident: true,
        quiet_update: true,
        again: 0,
    }
}

fn clicked(report: Option<NotifyReport>) -> Option<Action> {
    match report {
        Some(NotifyReport::Clicked { action, .. }) => Some(action),
        None => None,
        other => panic!("expected a click, got {other:?}"),
    }
}

#[test]
fn an_unchanged_set_is_sent_once() {
    let mut desk = Desk::new();
    desk.show("a", &approval("x"), 5);
    assert_eq!(desk.want(&[("a", &approval("x"))]), []);
}

#[test]
fn removed_means_closed_and_changed_means_replaced() {
    let mut desk = Desk::new();
    desk.show("a", &approval("x"), 5);
    desk.now += UPDATE_GAP;
    assert_eq!(desk.send("a", &approval("y")).replaces, 5);
    desk.board.replied(2, Ok(5));
    assert_eq!(desk.want(&[]), [Call::Close { id: 5 }]);
    assert_eq!(desk.want(&[]), []);
}

#[test]
fn removed_while_under_way_is_closed_when_its_id_is_known_and_takes_no_click() {
    let mut desk = Desk::new();
    let card = desk.send("a", &approval("x"));
    assert_eq!(desk.want(&[]), []);
    assert_eq!(desk.board.invoked(9, &card.keys[0]), None);
    desk.board.replied(card.token, Ok(9));
    assert_eq!(desk.board.invoked(9, &card.keys[0]), None);
    assert_eq!(desk.calls(), [Call::Close { id: 9 }]);
}

#[test]
fn a_decision_counts_once_and_ends_the_other_buttons() {
    let mut desk = Desk::new();
    let card = desk.show("a", &approval("x"), 5);
    assert_eq!(clicked(desk.board.invoked(5, &card.keys[0])), Some(decide(Verdict::Approve)));
    assert_eq!(desk.board.invoked(5, &card.keys[0]), None);
    assert_eq!(desk.board.invoked(5, &card.keys[1]), None);
    assert_eq!(desk.board.closed(5, 2), None, "the close after a click tells nothing");
}

#[test]
fn looking_at_the_details_leaves_the_decision_open() {
    let mut desk = Desk::new();
    let card = desk.show("a", &approval("x"), 5);
    assert_eq!(clicked(desk.board.invoked(5, &card.keys[2])), Some(details()));
    assert_eq!(desk.board.invoked(5, &card.keys[2]), None);
    assert_eq!(clicked(desk.board.invoked(5, DEFAULT_KEY)), Some(details()));
    assert_eq!(clicked(desk.board.invoked(5, &card.keys[1])), Some(decide(Verdict::Deny)));
}

#[test]
fn a_click_needs_its_own_id_and_a_key_of_this_version() {
    let mut desk = Desk::new();
    let old = desk.show("a", &approval("x"), 5);
    assert_eq!(desk.board.invoked(6, &old.keys[0]), None);
    desk.now += UPDATE_GAP;
    let new = desk.send("a", &approval("y"));
    assert_eq!(desk.board.invoked(5, &old.keys[0]), None);
    assert!(clicked(desk.board.invoked(5, &new.keys[0])).is_some(), "early click on the new version");
    assert_eq!(desk.board.replied(new.token, Ok(5)), []);
    assert_eq!(desk.board.invoked(5, &old.keys[1]), None);
    assert_eq!(desk.board.invoked(5, &new.keys[0]), None);
}

#[cfg(target_os = "linux")]
#[test]
fn a_typed_answer_is_taken_once_also_before_the_server_gave_the_id_and_during_an_update() {
    let mut desk = Desk::new();
    desk.board.server(Some(ServerInfo { inline_reply: true, ..able() }));
    let action = Action::Reply { session_id: "S".to_owned() };
    let mut answered = approval("x");
    answered.buttons = vec![Button { label: "Reply…".to_owned(), action: action.clone() }];
    let typed = |text: &str| {
        let (key, action, text) = ("a".to_owned(), action.clone(), text.to_owned());
        NotifyReport::Typed { key, action, text }
    };
    let first = desk.send("a", &answered);
    assert_eq!(desk.board.typed(5, "too early".to_owned()), None);
    assert_eq!(desk.board.typed(6, "for another".to_owned()), None);
    assert_eq!(desk.board.replied(first.token, Ok(5)), [typed("too early")]);
    assert_eq!(desk.board.typed(5, "twice".to_owned()), None);

    desk.board.want(BTreeMap::new());
    desk.calls();
    desk.show("a", &answered, 7);
    desk.now += UPDATE_GAP;
    let update = desk.send("a", &Notice { body: "y".to_owned(), ..answered.clone() });
    assert_eq!(desk.board.typed(7, "while it changes".to_owned()), Some(typed("while it changes")));
    assert_eq!(desk.board.typed(7, "twice".to_owned()), None);
    assert_eq!(desk.board.replied(update.token, Ok(7)), []);
}

#[test]
fn text_changes_wait_but_changed_choices_do_not() {
    let mut desk = Desk::new();
    desk.show("a", &approval("x"), 5);
    desk.board.want([("a".to_owned(), approval("y"))].into());
    let plan = desk.board.plan(desk.now, &mut || Some(String::new()));
    assert_eq!((plan.calls, plan.wake), (Vec::new(), Some(desk.now + UPDATE_GAP)));
    let mut fewer = approval("y");
    fewer.buttons.truncate(1);
    assert_eq!(desk.send("a", &fewer).replaces, 5);
}

#[test]
fn what_a_person_closed_stays_closed_until_it_changes_loudly_or_leaves() {
    let mut desk = Desk::new();
    desk.show("a", &approval("x"), 5);
    assert_eq!(desk.board.closed(5, 2), Some(NotifyReport::Dismissed { key: "a".to_owned() }));
    assert_eq!(desk.board.closed(5, 2), None);
    assert_eq!(desk.want(&[("a", &approval("y"))]), []);
    desk.board.server(Some(able()));
    assert_eq!(desk.calls(), []);
    let loud = Notice { quiet_update: false, ..approval("z") };
    assert_eq!(desk.send("a", &loud).replaces, 0);
    desk.board.replied(2, Ok(6));
    assert_eq!(desk.board.closed(6, 1), Some(NotifyReport::Expired { key: "a".to_owned() }));
    desk.want(&[]);
    desk.send("a", &loud);
}

#[test]
fn a_new_server_gets_the_set_anew_and_old_ids_and_keys_are_dead() {
    let mut desk = Desk::new();
    let old = desk.show("a", &approval("x"), 1);
    desk.board.server(None);
    assert_eq!(desk.calls(), []);
    assert_eq!(desk.board.invoked(1, &old.keys[0]), None);
    desk.board.server(Some(able()));
    let new = sent(&desk.calls());
    assert_eq!(new.replaces, 0);
    assert_eq!(desk.board.replied(old.token, Ok(1)), [], "an answer of the old server");
    assert_eq!(desk.board.invoked(1, &old.keys[0]), None);
    assert!(desk.board.invoked(1, &new.keys[0]).is_some());
}

#[test]
fn what_was_decided_does_not_come_back_with_the_server() {
    let mut desk = Desk::new();
    let card = desk.show("a", &approval("x"), 1);
    desk.board.invoked(1, &card.keys[1]);
    desk.board.server(Some(able()));
    assert_eq!(desk.calls(), []);
}

#[test]
fn a_click_that_came_to_nothing_brings_buttons_that_count() {
    for closes in [false, true] {
        let mut desk = Desk::new();
        let old = desk.show("a", &approval("x"), 5);
        assert!(desk.board.invoked(5, &old.keys[0]).is_some());
        if closes {
            desk.board.closed(5, 2);
        }
        let again = Notice { again: 1, ..approval("x") };
        let new = desk.send("a", &again);
        assert_eq!(new.replaces, if closes { 0 } else { 5 });
        desk.board.replied(new.token, Ok(6));
        assert_eq!(desk.board.invoked(6, &old.keys[0]), None);
        assert_eq!(clicked(desk.board.invoked(6, &new.keys[0])), Some(decide(Verdict::Approve)));
        assert_eq!(desk.want(&[("a", &again)]), []);
    }
}

#[test]
fn closed_by_a_call_comes_back_with_the_server_only() {
    let mut desk = Desk::new();
    desk.show("a", &approval("x"), 1);
    assert_eq!(desk.board.closed(1, 3), Some(NotifyReport::Expired { key: "a".to_owned() }));
    assert_eq!(desk.calls(), []);
    desk.board.server(Some(able()));
    sent(&desk.calls());
}

#[test]
fn signals_ahead_of_the_answer_are_kept() {
    let mut desk = Desk::new();
    let card = desk.send("a", &approval("x"));
    assert_eq!(desk.board.invoked(7, DEFAULT_KEY), None);
    assert_eq!(desk.board.closed(8, 2), None);
    assert_eq!(desk.board.closed(7, 2), None);
    let reports = desk.board.replied(card.token, Ok(7));
    assert!(matches!(reports.as_slice(), [NotifyReport::Clicked { .. }]), "{reports:?}");
    assert_eq!(desk.calls(), []);
}

#[test]
fn an_id_given_twice_belongs_to_the_newest() {
    let mut desk = Desk::new();
    let first = desk.show("a", &approval("x"), 5);
    let second = sent(&desk.want(&[("a", &approval("x")), ("b", &approval("x"))]));
    desk.board.replied(second.token, Ok(5));
    assert_eq!(desk.board.invoked(5, &first.keys[0]), None);
    assert_eq!(desk.want(&[("b", &approval("x"))]), [], "closing 5 would take away the wrong one");
    assert_eq!(desk.want(&[]), [Call::Close { id: 5 }]);
}

#[test]
fn a_refusal_is_told_and_not_repeated_until_something_changes() {
    let mut desk = Desk::new();
    let card = desk.send("a", &approval("x"));
    let reports = desk.board.replied(card.token, Err("too many".to_owned()));
    assert!(matches!(reports.as_slice(), [NotifyReport::Failed { .. }]));
    assert_eq!(desk.calls(), []);
    let again = desk.send("a", &approval("y"));
    assert!(matches!(desk.board.replied(again.token, Ok(0)).as_slice(), [NotifyReport::Failed { .. }]));
}

#[test]
fn without_randomness_there_are_no_buttons() {
    let mut board = Board::default();
    board.server(Some(able()));
    board.want([("a".to_owned(), approval("x"))].into());
    let mut left = 1;
    let plan = board.plan(Instant::now(), &mut || {
        left -= 1;
        (left >= 0).then(|| "k".to_owned())
    });
    let [Call::Notify(call)] = plan.calls.as_slice() else { panic!("{plan:?}") };
    assert_eq!(call.actions, [(DEFAULT_KEY.to_owned(), "Open".to_owned())]);
    assert_eq!(board.invoked(1, "k"), None);
}

#[test]
fn where_nothing_can_be_withdrawn_a_quiet_change_is_not_a_second_notification() {
    let mut desk = Desk::new();
    desk.board.server(Some(ServerInfo { withdraw: false, ..able() }));
    let first = desk.show("a", &approval("x"), 1);
    desk.now += UPDATE_GAP;
    assert_eq!(desk.want(&[("a", &approval("y"))]), []);
    let loud = Notice { quiet_update: false, ..approval("z") };
    assert_eq!(desk.send("a", &loud).replaces, 0);
    assert_eq!(desk.board.invoked(1, &first.keys[0]), None);
    desk.board.replied(2, Ok(2));
    assert_eq!(desk.want(&[]), []);
}
