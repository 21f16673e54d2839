//! The state file of the earlier desktop app, schemas 1 to 7: what of it this agent takes up, and what not.
//!
//! Read leniently, field by field: a field of a wrong type is left out and told, and costs nothing else. Every limit is ours:
//! the file may be of anybody's making. Its plain tokens (schema 1 had them) are never kept in the state.

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::{
    Connection, DEFAULT_PROFILE, Draft, Flag, Imported, Kind, MAX_BODY_CHARS, MAX_DRAFTS, MAX_NOTIFICATIONS,
    MAX_TITLE_CHARS, Notification, Onboarding, Profile, Run, check_draft,
};
use crate::core::notices::cut;
use crate::core::ulid;
use crate::protocol::Secret;
use crate::words;

/// The newest schema that is known.
pub const NEWEST: u64 = 7;
/// More than any file that the earlier app wrote, bytes.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Profiles that are looked at.
const MAX_PROFILES: usize = 64;
/// Longest name or id, bytes.
const MAX_NAME_BYTES: usize = 200;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earlier {
    /// Its schema.
    pub schema_version: u32,
    /// By name.
    pub profiles: BTreeMap<String, Profile>,
    /// The active one.
    pub active: Option<String>,
    /// Where the active one keeps its data, when that is not the usual place; still to be looked at.
    pub data: Option<String>,
    /// The browser service was switched off.
    pub browser_off: bool,
    /// The welcome was read, in the active profile.
    pub welcomed: bool,
    /// Its data folder was agreed to, in the active profile.
    pub data_agreed: bool,
    /// What was taken over, in words.
    pub taken: Vec<String>,
    /// What was not, and why.
    pub left: Vec<String>,
    /// Tokens in plain text, by their names in the vault.
    pub tokens: Vec<(&'static str, Secret)>,
}

impl Earlier {
    /// What is kept of the report.
    pub fn report(&self, at_unix_ms: i64) -> Imported {
        Imported { at_unix_ms, schema_version: self.schema_version, taken: self.taken.clone(), left: self.left.clone() }
    }
}

/// Reads it.
///
/// # Errors
/// Nothing of it can be used, in a sentence.
pub fn read(text: &[u8]) -> Result<Earlier, String> {
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
        return Err(words::companion::it_has_more_than_mib(MAX_FILE_BYTES / 1024 / 1024));
    }
    let file: Value = serde_json::from_slice(text)
        .map_err(|error| words::companion::it_is_not_understood_line(error.line(), error.column()))?;
    let Value::Object(file) = file else { return Err(words::companion::IT_IS_NOT_UNDERSTOOD_IT_IS_NO.to_owned()) };
    let schema = file.get("schema_version").map_or(Some(1), Value::as_u64);
    let Some(schema) = schema.filter(|schema| (1..=NEWEST).contains(schema)) else {
        let shown = cut(&file["schema_version"].to_string(), 20);
        return Err(words::companion::its_schema(&shown, NEWEST));
    };
    let mut earlier = Earlier { schema_version: u32::try_from(schema).unwrap_or(1), ..Earlier::default() };
    earlier.browser_off = file.get("browser_service_enabled").and_then(Value::as_bool) == Some(false);
    let mut sources = sources(&file, &mut earlier.left);
    let active = text_of(&file, "active_profile_name", MAX_NAME_BYTES).filter(|name| sources.contains_key(name));
    let active = active.or_else(|| sources.keys().find(|name| *name == DEFAULT_PROFILE).cloned());
    earlier.active = active.or_else(|| sources.keys().next().cloned());
    for (name, source) in &mut sources {
        let profile = profile(name, source, &mut earlier);
        earlier.profiles.insert(name.clone(), profile);
    }
    for (field, name) in [("admin_token", "desktop_admin_token"), ("browser_auth_token", "desktop_browser_auth_token")]
    {
        if let Some(token) = text_of(&file, field, 4096) {
            earlier.tokens.push((name, Secret::new(token)));
        }
    }
    Ok(earlier)
}

/// The profiles; where a file is older than they are, what stands in their place.
fn sources<'a>(file: &'a Map<String, Value>, left: &mut Vec<String>) -> BTreeMap<String, &'a Map<String, Value>> {
    let profiles = file.get("profile_states").and_then(Value::as_object).filter(|profiles| !profiles.is_empty());
    let Some(profiles) = profiles else { return BTreeMap::from([(DEFAULT_PROFILE.to_owned(), file)]) };
    let mut sources = BTreeMap::new();
    for (name, profile) in profiles {
        let usable = !name.trim().is_empty() && name.len() <= MAX_NAME_BYTES;
        match profile.as_object().filter(|_| usable && sources.len() < MAX_PROFILES) {
            Some(profile) => drop(sources.insert(name.clone(), profile)),
            None => left.push(words::companion::profile_it_is_not_one(quoted(name))),
        }
    }
    sources
}

fn profile(name: &str, source: &Map<String, Value>, earlier: &mut Earlier) -> Profile {
    let companion = object(source, "companion");
    let onboarding = object(source, "onboarding");
    let rollout = object(companion, "rollout");
    // the agent begins on this one; where another one's data lies is said by the registry
    let is_ours = name == DEFAULT_PROFILE;
    let id = |field: &str| text_of(companion, field, MAX_NAME_BYTES);
    let time = |map: &Map<String, Value>, field: &str| map.get(field).and_then(Value::as_i64).filter(|at| *at > 0);
    let mut news = News::default();

    if is_ours {
        earlier.data = text_of(source, "runtime_state_root", 4096);
        earlier.welcomed = time(onboarding, "welcome_acknowledged_at_unix_ms").is_some();
        earlier.data_agreed = time(onboarding, "state_root_confirmed_at_unix_ms").is_some();
    } else if text_of(source, "runtime_state_root", 4096).is_some() {
        news.left.push(words::companion::its_data_folder(DEFAULT_PROFILE));
    }
    let run_id = id("last_run_id");
    let session_id = id("active_session_id");
    let profile = Profile {
        ports: BTreeMap::new(),
        section: id("active_section")
            .filter(|section| section != "home" && section != "onboarding")
            .unwrap_or_default(),
        session_id: session_id.clone(),
        device_id: id("active_device_id"),
        latest_run: run_id.map(|run_id| Run { run_id, session_id, ..Run::default() }),
        connection: Connection::Unknown,
        connected_at_unix_ms: time(companion, "last_connected_at_unix_ms"),
        notifications: notifications(list(companion, "notifications", &mut news), &mut news),
        drafts: drafts(list(companion, "offline_drafts", &mut news), &mut news),
        onboarding: Onboarding {
            completed_at_unix_ms: time(onboarding, "completed_at_unix_ms"),
            ..Onboarding::default()
        },
        rollout: flags(rollout, &mut news),
        release_channel: text_of(rollout, "release_channel", MAX_NAME_BYTES).unwrap_or_default(),
    };
    if profile.session_id.is_some() || profile.device_id.is_some() || profile.latest_run.is_some() {
        news.taken.push(words::companion::ACTIVE_SESSION_DEVICE_AND_RUN.to_owned());
    }
    let voice = object(companion, "voice");
    if time(voice, "capture_consent_granted_at_unix_ms").is_some()
        || voice.get("audit_log").and_then(Value::as_array).is_some_and(|log| !log.is_empty())
    {
        news.left.push(words::companion::WHAT_IT_KEPT_OF_VOICE.to_owned());
    }
    if object(companion, "ambient").get("start_on_login_enabled").and_then(Value::as_bool) == Some(true) {
        news.left.push(words::companion::START_ON_LOGIN_WAS_ON.to_owned());
    }
    let News { taken, left } = news;
    earlier.taken.extend(taken.into_iter().map(|what| words::companion::profile(quoted(name), &what)));
    earlier.left.extend(left.into_iter().map(|what| words::companion::profile(quoted(name), &what)));
    profile
}

/// The report of one profile.
#[derive(Default)]
struct News {
    taken: Vec<String>,
    left: Vec<String>,
}

/// What stands there; nothing, where it is no object.
fn object<'a>(map: &'a Map<String, Value>, field: &str) -> &'a Map<String, Value> {
    static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    map.get(field).and_then(Value::as_object).unwrap_or(&NOTHING)
}

fn list<'a>(companion: &'a Map<String, Value>, field: &str, news: &mut News) -> &'a [Value] {
    match companion.get(field) {
        Some(Value::Array(all)) => all,
        None | Some(Value::Null) => &[],
        Some(_) => {
            news.left.push(words::companion::it_is_not_list(field));
            &[]
        }
    }
}

fn flags(source: &Map<String, Value>, news: &mut News) -> BTreeMap<Flag, bool> {
    let mut flags = BTreeMap::new();
    for flag in Flag::ALL {
        match source.get(flag.name()) {
            Some(Value::Bool(on)) if *on != flag.default() => drop(flags.insert(flag, *on)),
            Some(Value::Bool(_)) | None => {}
            Some(_) => news.left.push(words::companion::it_is_neither_on_nor_off(flag.name())),
        }
    }
    if !flags.is_empty() {
        let names: Vec<_> = flags.iter().map(|(flag, on)| format!("{} {on}", flag.name())).collect();
        news.taken.push(words::companion::flags(names.join(", ")));
    }
    flags
}

fn notifications(all: &[Value], news: &mut News) -> VecDeque<Notification> {
    let count = all.len();
    let mut kept: VecDeque<_> = all.iter().rev().filter_map(notification).take(MAX_NOTIFICATIONS).collect();
    kept.make_contiguous().reverse();
    if kept.len() < count {
        news.left.push(words::companion::notifications_left(count - kept.len(), count));
    }
    if !kept.is_empty() {
        news.taken.push(counted(kept.len(), "notification"));
    }
    kept
}

fn notification(source: &Value) -> Option<Notification> {
    let map = source.as_object()?;
    let at_unix_ms = map.get("created_at_unix_ms")?.as_i64()?;
    Some(Notification {
        id: usable_id(map, "notification_id", at_unix_ms),
        kind: match map.get("kind").and_then(Value::as_str) {
            Some("approval") => Kind::Approval,
            Some("run") => Kind::Run,
            Some("draft") => Kind::Draft,
            Some("trust") => Kind::Alarm,
            Some("connection") => Kind::Service,
            _ => Kind::Agent,
        },
        title: cut(map.get("title")?.as_str()?, MAX_TITLE_CHARS),
        body: cut(map.get("detail").and_then(Value::as_str).unwrap_or_default(), MAX_BODY_CHARS),
        at_unix_ms,
        action: None,
        // what was told by another program is no news
        read: true,
    })
}

/// A draft is somebody's work: each one that is not taken up is told by its own reason.
fn drafts(all: &[Value], news: &mut News) -> Vec<Draft> {
    let mut kept = Vec::new();
    let mut refused = BTreeMap::<String, usize>::new();
    // the newest come first, in case there are too many
    for source in all.iter().rev() {
        let draft = draft(source).and_then(|draft| {
            if kept.len() < MAX_DRAFTS { Ok(draft) } else { Err(words::companion::only_newest_are_kept(MAX_DRAFTS)) }
        });
        match draft {
            Ok(draft) => kept.push(draft),
            Err(why) => *refused.entry(why).or_default() += 1,
        }
    }
    kept.reverse();
    for (why, count) in refused {
        news.left.push(words::companion::its_file_still_has_text(counted(count, "draft"), &why));
    }
    if !kept.is_empty() {
        news.taken.push(counted(kept.len(), "draft"));
    }
    kept
}

fn draft(source: &Value) -> Result<Draft, String> {
    let map = source.as_object().ok_or(words::common::IT_IS_NOT_UNDERSTOOD)?;
    let text = map.get("text").and_then(Value::as_str).ok_or(words::companion::IT_HAS_NO_TEXT)?;
    check_draft(text)?;
    let created_at_unix_ms = map.get("created_at_unix_ms").and_then(Value::as_i64).unwrap_or(0);
    Ok(Draft {
        id: usable_id(map, "draft_id", created_at_unix_ms),
        text: text.to_owned(),
        created_at_unix_ms,
        maybe_sent: false,
        session_id: text_of(map, "session_id", MAX_NAME_BYTES),
        reason: cut(map.get("reason").and_then(Value::as_str).unwrap_or_default(), MAX_BODY_CHARS),
    })
}

/// Its own id; where it is none, one that follows from the text, so that nothing random is needed.
fn usable_id(map: &Map<String, Value>, field: &str, at_unix_ms: i64) -> String {
    let own = map.get(field).and_then(Value::as_str).filter(|id| ulid::is_ulid(id));
    own.map(str::to_owned).unwrap_or_else(|| {
        let text = Value::Object(map.clone()).to_string();
        // FNV-1a, 128 bits wide
        let hash = text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        });
        ulid::encode(at_unix_ms, hash)
    })
}

/// A text that is there and not blank, and no longer than that.
fn text_of(map: &Map<String, Value>, field: &str, max_bytes: usize) -> Option<String> {
    let text = map.get(field)?.as_str()?.trim();
    (!text.is_empty() && text.len() <= max_bytes).then(|| text.to_owned())
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn quoted(name: &str) -> String {
    crate::core::describe::visible(&cut(name, 60))
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
