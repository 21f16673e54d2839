use super::*;
use crate::protocol::{Place, Verdict};

const fn at(unix_ms: i64) -> Now {
    Now { mono_ms: 0, unix_ms }
}

fn companion() -> Companion {
    Companion::new(State::default(), None, 7)
}

#[test]
fn every_change_counts_and_what_changes_nothing_does_not() {
    let mut it = companion();
    let mut seen = it.revision();
    let mut changed = |it: &Companion, what: &str, wanted: bool| {
        assert_eq!(it.revision() != seen, wanted, "{what}");
        seen = it.revision();
    };
    for wanted in [true, false] {
        it.set_section("chat");
        changed(&it, "section", wanted);
        it.set_session(Some("s".to_owned()));
        changed(&it, "session", wanted);
        it.set_device(Some("d".to_owned()));
        changed(&it, "device", wanted);
        it.set_latest_run(Some(Run { run_id: "r".to_owned(), ..Run::default() }));
        changed(&it, "run", wanted);
        it.set_connection(Connection::Connected, at(5));
        changed(&it, "connection", wanted);
        it.set_reached(Reached { complete: true, ..Reached::default() }, at(6));
        changed(&it, "reached", wanted);
        assert_eq!(it.set_flag(Flag::VoiceCaptureEnabled, true), wanted);
        changed(&it, "flag", wanted);
        it.set_ports([(ServiceId::Gateway, Ports::from([("http".to_owned(), 1)]))].into());
        changed(&it, "ports", wanted);
    }
    for (name, wanted) in [("work", true), ("work", false), (DEFAULT_PROFILE, true), (DEFAULT_PROFILE, false)] {
        it.use_profile(name);
        changed(&it, "profile", wanted);
    }
    assert_eq!(it.profile().connected_at_unix_ms, Some(5));
    assert_eq!(it.profile().onboarding.completed_at_unix_ms, Some(6));
}

#[test]
fn the_newest_forty_are_kept_and_a_decision_is_no_action() {
    let mut it = companion();
    for n in 0..=40 {
        it.notify(Kind::Run, &format!("{n}"), "b", Some(Action::Open { place: Place::section("chat") }), at(n));
    }
    let kept = &it.profile().notifications;
    assert_eq!((kept.len(), kept[0].title.as_str(), kept[39].title.as_str()), (40, "1", "40"));
    let ids: std::collections::BTreeSet<_> = kept.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), 40);
    assert!(kept[0].action.is_some());
    let decide = Action::Decide { approval_id: "a".to_owned(), digest: "d".to_owned(), verdict: Verdict::Approve };
    it.notify(Kind::Alarm, &"t".repeat(500), &"b".repeat(5_000), Some(decide), at(99));
    let newest = it.profile().notifications.back().unwrap();
    assert!(newest.action.is_none() && newest.title.chars().count() == 120 && newest.body.chars().count() == 1_000);
    let id = newest.id.clone();
    assert_eq!((it.mark_read(Some(&id)), it.mark_read(Some(&id)), it.mark_read(Some("no"))), (1, 0, 0));
    assert_eq!(it.profile().unread(), 39);
    assert_eq!((it.mark_read(None), it.mark_read(None)), (39, 0));
}

#[test]
fn the_set_up_is_complete_from_the_first_time_on() {
    let mut it = companion();
    let reached = |complete| Reached { complete, ..Reached::default() };
    it.set_reached(Reached { done: 1, ..reached(false) }, at(5));
    assert_eq!(it.profile().onboarding.completed_at_unix_ms, None);
    for (complete, at_ms) in [(true, 6), (false, 7), (true, 8)] {
        it.set_reached(reached(complete), at(at_ms));
        assert_eq!(it.profile().onboarding.completed_at_unix_ms, Some(6));
    }
}

#[test]
fn what_only_puts_a_notification_away_is_no_action() {
    let mut it = companion();
    it.notify(Kind::Alarm, "t", "b", Some(Action::Dismiss { notice: "event:x".to_owned() }), at(1));
    assert!(it.profile().notifications[0].action.is_none());
}

#[test]
fn a_draft_is_changed_in_its_place_and_found_by_the_end_of_its_id() {
    let mut it = companion();
    let draft = |id: &str, text: &str| Draft {
        id: id.to_owned(),
        text: text.to_owned(),
        created_at_unix_ms: 1,
        session_id: None,
        reason: "r".repeat(5_000),
        maybe_sent: false,
    };
    for (id, text) in [("01AAAA", "first"), ("01BBAA", "second"), ("03AAAA", "third")] {
        it.keep_draft(draft(id, text)).unwrap();
    }
    assert_eq!(it.profile().drafts[0].reason.chars().count(), 1_000);
    let before = it.revision();
    it.keep_draft(draft("01AAAA", "changed")).unwrap();
    let texts: Vec<_> = it.profile().drafts.iter().map(|draft| draft.text.as_str()).collect();
    assert_eq!((texts, it.revision() > before), (vec!["changed", "second", "third"], true));
    let found = |id: &str| it.draft(id).map(|draft| draft.text.as_str());
    assert_eq!((found("03AAAA"), found("bbaa")), (Some("third"), Some("second")));
    assert_eq!(found("BAA"), None, "too short to be meant");
    assert_eq!(found("AAAA"), None, "it could be either");
}

#[test]
fn the_twenty_first_draft_is_refused_and_none_is_dropped() {
    let mut it = companion();
    let ids: Vec<_> = (0..20).map(|n| it.add_draft(&format!("{n}"), None, "off", at(n)).unwrap()).collect();
    let before = it.revision();
    let why = it.add_draft("one more", None, "off", at(99)).unwrap_err();
    assert!(why.contains("20 drafts") && why.contains("discard"), "{why}");
    assert_eq!((it.revision(), it.profile().drafts.len()), (before, 20));
    assert_eq!(it.remove_draft("no"), None);
    assert_eq!(it.revision(), before);
    assert_eq!(it.remove_draft(&ids[3]).unwrap().text, "3");
    assert!(it.add_draft("one more", Some("s".to_owned()), "off", at(99)).is_ok());
    assert_eq!(it.profile().drafts.last().unwrap().session_id.as_deref(), Some("s"));
}

#[test]
fn a_draft_is_something_and_not_endless() {
    let mut it = companion();
    assert!(it.add_draft(" \n", None, "", at(0)).is_err());
    assert!(it.add_draft(&"x".repeat(MAX_DRAFT_BYTES), None, "", at(0)).is_ok());
    let why = it.add_draft(&"x".repeat(MAX_DRAFT_BYTES + 1), None, "", at(0)).unwrap_err();
    assert!(why.contains("65537") && why.contains("65536"), "{why}");
}

#[test]
fn flags_gate_what_they_name() {
    let mut it = companion();
    assert!(it.allows(Flag::OfflineDraftsEnabled) && !it.allows(Flag::TtsPlaybackEnabled));
    it.set_flag(Flag::OfflineDraftsEnabled, false);
    assert!(it.add_draft("x", None, "", at(0)).unwrap_err().contains("offline_drafts_enabled"));
    it.set_flag(Flag::OfflineDraftsEnabled, true);
    it.set_flag(Flag::CompanionShellEnabled, false);
    assert!(it.add_draft("x", None, "", at(0)).is_err());
    it.notify(Kind::Run, "t", "b", None, at(0));
    assert!(it.profile().notifications.is_empty());
    for flag in Flag::ALL {
        assert_eq!(serde_json::to_value(flag).unwrap(), flag.name());
    }
    for kind in Kind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}

#[test]
fn each_profile_has_its_own() {
    let mut it = companion();
    it.add_draft("mine", None, "", at(0)).unwrap();
    it.use_profile("work");
    assert!(it.profile().drafts.is_empty());
    it.use_profile(DEFAULT_PROFILE);
    assert_eq!(it.profile().drafts.len(), 1);
}

#[test]
fn it_survives_the_file_and_an_action_of_tomorrow() {
    let mut it = companion();
    it.notify(Kind::Service, "t", "b", Some(Action::RunChecks), at(1));
    it.add_draft("text", Some("s".to_owned()), "why", at(2)).unwrap();
    it.set_flag(Flag::VoiceOverlayEnabled, false);
    let text = serde_json::to_string(it.state()).unwrap();
    assert_eq!(&serde_json::from_str::<State>(&text).unwrap(), it.state());
    let tomorrow = text.replace("run_checks", "teleport");
    let read: State = serde_json::from_str(&tomorrow).unwrap();
    assert!(read.profiles[DEFAULT_PROFILE].notifications[0].action.is_none());
    let first: State = serde_json::from_str(r#"{"version":1,"ports":{"gateway":{"http":7142}}}"#).unwrap();
    let it = Companion::new(first, None, 1);
    assert_eq!((it.state().version, it.state().ports[&ServiceId::Gateway]["http"]), (VERSION, 7142));
}
