//! `state.json` as it is found: whole, torn, or of a newer version.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::read_json;
use crate::core::companion::{State, VERSION};
use crate::words;

/// What was found.
pub struct Kept {
    /// As far as it is understood.
    pub state: State,
    /// Why the file must not be written.
    pub read_only: Option<String>,
    /// What a person should know.
    pub told: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Reads it; a file that is not there is an empty one. A corrupt one is set aside, see [`read_json`]; one of a newer version
/// stays as it is, and is used as far as it is understood.
pub fn read(path: &Path, now_unix_ms: i64) -> Kept {
    let version = fs::read(path).ok().and_then(|text| serde_json::from_slice::<Version>(&text).ok());
    if let Some(Version { version }) = version.filter(|it| it.version > VERSION) {
        let state = fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let why = words::agent::is_of_newer_palyra_tray_version(path.display(), version);
        return Kept { state: state.unwrap_or_default(), read_only: Some(why), told: None };
    }
    let (state, told) = read_json(path, now_unix_ms);
    // it could not be moved out of the way: what is in it may still be mended
    let read_only = (told.is_some() && path.exists()).then(|| words::agent::cannot_be_used_and_is_left(path.display()));
    Kept { state: state.unwrap_or_default(), read_only, told }
}

/// The same without moving anything: what the agent that writes it would not understand is left out.
pub fn peek(path: &Path) -> State {
    fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::companion::Companion;
    use crate::core::time::Now;
    use crate::shell::store::{keep_json, write_json};

    fn with_draft(text: &str) -> State {
        let mut companion = Companion::new(State::default(), None, 7);
        companion.add_draft(text, None, "why", Now { mono_ms: 0, unix_ms: 5 }).unwrap();
        companion.state().clone()
    }

    #[test]
    fn cut_at_any_byte_the_last_good_copy_stands_in_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let (older, newer) = (with_draft("older"), with_draft("newer"));
        write_json(&path, &newer).unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            let _ = fs::remove_file(&path);
            keep_json(&path, &older).unwrap();
            fs::write(&path, &whole[..cut]).unwrap();
            let kept = read(&path, cut.try_into().unwrap());
            // without its last line break it is still whole
            let wanted = if cut == whole.len() - 1 { &newer } else { &older };
            assert_eq!(&kept.state, wanted, "cut at {cut}");
            assert_eq!((kept.told.is_some(), kept.read_only), (cut != whole.len() - 1, None), "cut at {cut}");
            let aside = dir.path().join(format!("state.json.corrupt-{cut}"));
            assert!(cut == whole.len() - 1 || fs::read(aside).unwrap() == whole[..cut]);
        }
    }

    #[test]
    fn without_a_copy_it_begins_anew_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        assert!(read(&path, 1).told.is_none(), "nothing there is nothing wrong");
        for junk in ["", "[]", "{\"version\":2,\"profiles\":7}", "\u{0}\u{0}", "{\"version\":-1}"] {
            fs::write(&path, junk).unwrap();
            let kept = read(&path, 2);
            assert_eq!(kept.state, State::default(), "{junk:?}");
            assert!(kept.told.unwrap().contains("set aside"), "{junk:?}");
        }
    }

    #[test]
    fn a_newer_one_is_used_as_far_as_it_goes_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        let mut text = serde_json::to_value(with_draft("mine")).unwrap();
        text["version"] = (VERSION + 1).into();
        text["of_tomorrow"] = "x".into();
        let newer = text.to_string();
        for (content, drafts) in [(newer.as_str(), 1), ("{\"version\":99,\"profiles\":\"other\"}", 0)] {
            fs::write(&path, content).unwrap();
            let kept = read(&path, 3);
            assert!(kept.read_only.unwrap().contains("newer"));
            assert_eq!(kept.state.profiles.values().map(|profile| profile.drafts.len()).sum::<usize>(), drafts);
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }
}
