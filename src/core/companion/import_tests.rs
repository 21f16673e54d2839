use serde_json::json;

use super::*;
use crate::core::companion::{Companion, State};
use crate::core::time::Now;

macro_rules! fixture {
    ($schema:literal) => {
        include_bytes!(concat!("../../../tests/earlier-app/schema-", $schema, ".json"))
    };
}

fn of(text: &[u8]) -> Earlier {
    read(text).unwrap()
}

fn with(companion: Value) -> Vec<u8> {
    json!({ "schema_version": 7, "profile_states": { "desktop-local": { "companion": companion } } })
        .to_string()
        .into_bytes()
}

#[test]
fn each_schema_gives_what_it_has() {
    let one = of(fixture!(1));
    assert_eq!((one.schema_version, one.browser_off, one.profiles.len()), (1, true, 1));
    let names: Vec<_> = one.tokens.iter().map(|(name, token)| (*name, token.expose().len())).collect();
    assert_eq!(names, [("desktop_admin_token", 52), ("desktop_browser_auth_token", 52)]);
    assert!(!format!("{one:?}").contains("01HPLAIN"), "not told");

    let two = of(fixture!(2));
    assert_eq!((two.schema_version, two.browser_off, two.tokens.len()), (2, false, 0));
    assert_eq!(two.profiles[DEFAULT_PROFILE], Profile::default());

    let three = of(fixture!(3));
    assert_eq!(three.data.as_deref(), Some("/srv/palyra/desktop-control-center/elsewhere"));
    assert!(three.welcomed && three.data_agreed);
    assert_eq!(three.profiles[DEFAULT_PROFILE].onboarding.completed_at_unix_ms, None);

    let four = of(fixture!(4));
    let profile = &four.profiles[DEFAULT_PROFILE];
    assert_eq!((profile.section.as_str(), profile.device_id.is_some()), ("chat", true));
    assert_eq!(profile.latest_run.as_ref().unwrap().run_id, "01JR1RVN000000000000000001");
    assert_eq!(profile.onboarding.completed_at_unix_ms, Some(1_743_800_000_000));
    let kinds: Vec<_> = profile.notifications.iter().map(|one| (one.kind, one.read)).collect();
    assert_eq!(kinds, [(Kind::Service, true), (Kind::Run, true)]);
    let [draft] = &profile.drafts[..] else { panic!("{:?}", profile.drafts) };
    assert_eq!((draft.text.as_str(), draft.reason.as_str()), ("Book the train\n  for Monday", "request timed out"));
    assert_eq!(draft.session_id.as_deref(), Some("01JR1SESSION00000000000001"));
    assert!(!profile.flag(Flag::DesktopNotificationsEnabled) && profile.flag(Flag::OfflineDraftsEnabled));

    let five = of(fixture!(5));
    assert_eq!((five.active.as_deref(), five.profiles.len()), (Some("work"), 2));
    assert_eq!(five.profiles["work"].section, "approvals");
    assert_eq!(five.profiles[DEFAULT_PROFILE].drafts[0].text, "at home");
    assert!(!five.welcomed && !five.data_agreed, "only those of the one that the tray begins on");

    let six = of(fixture!(6));
    let profile = &six.profiles[DEFAULT_PROFILE];
    assert!(profile.flag(Flag::VoiceCaptureEnabled) && profile.flag(Flag::TtsPlaybackEnabled));
    assert!(!profile.flag(Flag::OfflineDraftsEnabled));
    assert_eq!((profile.release_channel.as_str(), profile.section.as_str()), ("canary", ""));
    assert!(six.left.iter().any(|left| left.contains("voice")), "{:?}", six.left);

    let seven = of(fixture!(7));
    let profile = &seven.profiles[DEFAULT_PROFILE];
    let set: Vec<_> = profile.rollout.iter().map(|(flag, on)| (flag.name(), *on)).collect();
    let wanted = [
        ("ambient_companion_enabled", false),
        ("voice_overlay_enabled", false),
        ("voice_silence_detection_enabled", true),
    ];
    assert_eq!(set, wanted);
    assert!(seven.left.iter().any(|left| left.contains("autostart on")), "{:?}", seven.left);
    assert!(seven.taken.iter().any(|taken| taken.contains("voice_overlay_enabled false")), "{:?}", seven.taken);
}

#[test]
fn what_is_no_file_of_its_is_refused_in_words() {
    for (text, why) in [
        (&b""[..], "line 1"),
        (b"{ half", "line 1"),
        (b"[1]", "object"),
        (br#"{"schema_version":8}"#, "schema is 8"),
        (br#"{"schema_version":0}"#, "schema is 0"),
        (br#"{"schema_version":"seven"}"#, "known"),
        (br#"{"schema_version":1e99}"#, "known"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
    let deep = "[".repeat(100_000);
    assert!(read(deep.as_bytes()).is_err());
    let large = vec![b' '; usize::try_from(MAX_FILE_BYTES).unwrap() + 1];
    assert!(read(&large).unwrap_err().contains("16 MiB"));
}

#[test]
fn cut_at_any_byte_it_is_refused_and_nothing_else() {
    let whole = fixture!(7);
    for cut in 0..whole.len() - 2 {
        assert!(read(&whole[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn wrong_types_cost_only_themselves() {
    let it = of(&with(json!({
        "active_section": 7,
        "active_session_id": "  s  ",
        "active_device_id": "d".repeat(201),
        "notifications": { "no": "list" },
        "offline_drafts": [7, { "text": "" }, { "text": "kept" }, { "text": "x".repeat(65 * 1024) }],
        "rollout": { "offline_drafts_enabled": "yes", "voice_overlay_enabled": false },
        "voice": [], "ambient": 1,
    })));
    let profile = &it.profiles[DEFAULT_PROFILE];
    assert_eq!((profile.section.as_str(), profile.session_id.as_deref(), &profile.device_id), ("", Some("s"), &None));
    assert!(ulid::is_ulid(&profile.drafts[0].id), "one of its own");
    assert_eq!(profile.drafts.len(), 1);
    assert_eq!(profile.rollout, BTreeMap::from([(Flag::VoiceOverlayEnabled, false)]));
    let left = it.left.join("\n");
    for told in ["notifications: it is not a list", "nothing in it", "too long", "not understood", "neither on nor off"]
    {
        assert!(left.contains(told), "{told}: {left}");
    }
}

#[test]
fn hostile_amounts_are_cut_and_told() {
    let drafts: Vec<_> = (0..1_000).map(|n| json!({ "text": format!("{n}"), "created_at_unix_ms": n })).collect();
    let told: Vec<_> = (0..1_000)
        .map(|n| json!({ "title": "t".repeat(5_000), "detail": "d".repeat(50_000 / 10), "created_at_unix_ms": n }))
        .collect();
    let it = of(&with(json!({ "offline_drafts": drafts, "notifications": told })));
    let profile = &it.profiles[DEFAULT_PROFILE];
    assert_eq!((profile.drafts.len(), profile.notifications.len()), (MAX_DRAFTS, MAX_NOTIFICATIONS));
    assert_eq!(
        (profile.drafts[0].text.as_str(), profile.drafts[19].text.as_str()),
        ("980", "999"),
        "the newest, in order"
    );
    assert_eq!(profile.notifications[39].at_unix_ms, 999);
    assert!(it.left.iter().any(|left| left.contains("980 drafts") && left.contains("newest 20")), "{:?}", it.left);
    let profiles: Map<_, _> = (0..500).map(|n| (format!("p{n}"), json!({}))).collect();
    let it = of(json!({ "schema_version": 5, "profile_states": profiles }).to_string().as_bytes());
    assert_eq!(it.profiles.len(), 64);
}

#[test]
fn it_is_taken_up_once_and_never_over_what_is_here() {
    let now = Now { mono_ms: 0, unix_ms: 9 };
    let mut it = Companion::new(State::default(), None, 7);
    it.import(of(fixture!(5)), now);
    assert_eq!((it.state().active_profile.as_str(), it.revision()), (DEFAULT_PROFILE, 1));
    let left = it.state().imported.as_ref().unwrap().left.join("\n");
    assert!(left.contains("profile work: it is not the active one here yet"), "{left}");
    assert_eq!(it.state().imported.as_ref().unwrap().schema_version, 5);
    let mut it = Companion::new(State::default(), None, 7);
    for n in 0..19 {
        it.add_draft(&format!("mine {n}"), None, "", now).unwrap();
    }
    it.set_session(Some("mine".to_owned()));
    let mut earlier = of(fixture!(4));
    let mut second = earlier.profiles[DEFAULT_PROFILE].drafts[0].clone();
    second.text = "second".to_owned();
    earlier.profiles.get_mut(DEFAULT_PROFILE).unwrap().drafts.push(second);
    it.import(earlier, now);
    let profile = it.profile();
    assert_eq!((profile.session_id.as_deref(), profile.drafts.len()), (Some("mine"), 20));
    let left = it.state().imported.as_ref().unwrap().left.join("\n");
    assert!(left.contains("1 draft: there is no room"), "{left}");
}
