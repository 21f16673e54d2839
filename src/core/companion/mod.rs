//! What the agent remembers about its person, for each profile: where they were, what was told, what waits to be sent.
//!
//! [`State`] is the file `<state_root>/tray/state.json`; [`Companion`] is that file in memory and the only way to change it.
//! How to use it, from the rest of the core:
//!
//! - read: `agent.companion.profile()` (the active profile), `agent.companion.allows(Flag::…)`;
//! - change: the methods below. Nothing else is to be done: after each event the agent writes the file if anything changed
//!   ([`Saving`]), one write at a time, tries again while the disk takes none, and ends only when it is written;
//! - answer a client only once the change is on the disk: `agent.done_when_kept(ticket, text)` instead of `agent.done`.
//!
//! A change that changes nothing writes nothing. What has a limit says so: of [`MAX_NOTIFICATIONS`] the oldest go, of
//! [`MAX_DRAFTS`] the next one is refused. Times are Unix milliseconds; ids are ULIDs. Texts are kept as they are: show them
//! escaped. Nothing secret belongs in here, except that drafts are the person's own words (the file has mode 0600).

pub mod import;
pub mod saving;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

pub use crate::protocol::companion::{Flag, Kind};
pub use saving::Saving;

use import::Earlier;

use crate::core::notices::cut;
use crate::core::ports::Ports;
use crate::core::switch::{self, Switch};
use crate::core::time::{Jitter, Now};
use crate::core::ulid;
use crate::protocol::setup::Reached;
use crate::protocol::{Action, ServiceId};
use crate::words;

/// Version of the file. Version 1 had the ports only.
pub const VERSION: u32 = 2;
/// The profile of a machine without a registry of profiles.
pub const DEFAULT_PROFILE: &str = "desktop-local";
/// Notifications that a profile keeps.
pub const MAX_NOTIFICATIONS: usize = 40;
/// Drafts that a profile keeps.
pub const MAX_DRAFTS: usize = 20;
/// Longest text of a draft, bytes.
pub const MAX_DRAFT_BYTES: usize = 64 * 1024;
/// Longest kept title and body of a notification, characters.
const MAX_TITLE_CHARS: usize = 120;
const MAX_BODY_CHARS: usize = 1_000;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// [`VERSION`] of who wrote it.
    pub version: u32,
    /// What each sidecar of the active profile listened on last.
    #[serde(default)]
    pub ports: BTreeMap<ServiceId, Ports>,
    /// Name of the active profile.
    #[serde(default = "default_profile")]
    pub active_profile: String,
    /// By name.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
    /// Names, the newest first, at most [`switch::MAX_RECENT`].
    #[serde(default)]
    pub recent_profiles: Vec<String>,
    /// The change of profile that is under way, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<Switch>,
    /// The earlier desktop app's files were looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

/// What is kept for one profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// What its sidecars listened on last, while another profile is the active one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ports: BTreeMap<ServiceId, Ports>,
    /// Section of the dashboard that was opened last; empty: none yet.
    pub section: String,
    /// Session that messages go to.
    pub session_id: Option<String>,
    /// Device that was chosen.
    pub device_id: Option<String>,
    /// The run that was started from here last.
    pub latest_run: Option<Run>,
    /// How the gateway was reached when that changed last.
    pub connection: Connection,
    /// When it was reached last.
    pub connected_at_unix_ms: Option<i64>,
    /// Oldest first, at most [`MAX_NOTIFICATIONS`].
    pub notifications: VecDeque<Notification>,
    /// Oldest first, at most [`MAX_DRAFTS`].
    pub drafts: Vec<Draft>,
    /// Where its set-up stands.
    pub onboarding: Onboarding,
    /// Flags that were set; others have their default.
    pub rollout: BTreeMap<Flag, bool>,
    /// Which releases the person wants; kept only.
    pub release_channel: String,
}

/// A run that was started from here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// Its id.
    pub run_id: String,
    /// Session it belongs to.
    pub session_id: Option<String>,
    /// As the gateway says; empty: not known.
    pub state: String,
    /// Since when.
    pub at_unix_ms: i64,
}

/// How the gateway is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    /// Not looked at yet.
    #[default]
    Unknown,
    /// It answers and takes our token.
    Connected,
    /// It is wanted and does not answer.
    Reconnecting,
    /// It is not wanted, or given up.
    Offline,
}

impl Connection {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Offline => "offline",
        }
    }
}

/// Something that was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// One line.
    pub title: String,
    /// What and what to do.
    pub body: String,
    /// When.
    pub at_unix_ms: i64,
    /// What a click on it does; never a decision.
    #[serde(default, deserialize_with = "known_action", skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// The person has seen it in the list.
    #[serde(default)]
    pub read: bool,
}

/// A message that waits to be sent by the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Its id.
    pub id: String,
    /// Exactly what was written.
    pub text: String,
    /// Since when.
    pub created_at_unix_ms: i64,
    /// Session it is meant for; absent: a new one.
    pub session_id: Option<String>,
    /// Why it was not sent, in words.
    #[serde(default)]
    pub reason: String,
    /// It may have been sent all the same: that could not be found out.
    #[serde(default)]
    pub maybe_sent: bool,
}

/// Where a profile's set-up stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Onboarding {
    /// Its step.
    pub reached: Reached,
    /// When it was complete for the first time.
    pub completed_at_unix_ms: Option<i64>,
}

/// What became of the earlier desktop app's files. They are looked at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Imported {
    /// When.
    pub at_unix_ms: i64,
    /// Schema of its state file.
    pub schema_version: u32,
    /// What was taken over, in words.
    pub taken: Vec<String>,
    /// What was not, and why.
    pub left: Vec<String>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            ports: BTreeMap::new(),
            active_profile: default_profile(),
            profiles: BTreeMap::new(),
            recent_profiles: Vec::new(),
            switch: None,
            imported: None,
        }
    }
}

impl Profile {
    /// How a flag stands.
    pub fn flag(&self, flag: Flag) -> bool {
        self.rollout.get(&flag).copied().unwrap_or(flag.default())
    }

    /// Notifications that the person has not seen in the list.
    pub fn unread(&self) -> usize {
        self.notifications.iter().filter(|notification| !notification.read).count()
    }
}

/// The file in memory. See the module's head.
#[derive(Clone, Debug)]
pub struct Companion {
    state: State,
    revision: u64,
    jitter: Jitter,
    /// Whether it is on the disk.
    pub saving: Saving,
}

impl Companion {
    /// Takes up what was read. `seed` spreads ids; `read_only`: why it must not be written.
    pub fn new(mut state: State, read_only: Option<String>, seed: u64) -> Self {
        if read_only.is_none() {
            state.version = VERSION;
        }
        state.profiles.entry(state.active_profile.clone()).or_default();
        Self { state, revision: 0, jitter: Jitter::new(seed), saving: Saving::new(read_only) }
    }

    /// What is to be on the disk.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Grows with every change.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The active profile.
    pub fn profile(&self) -> &Profile {
        // it is made when it becomes the active one
        &self.state.profiles[&self.state.active_profile]
    }

    /// Its flag is on; and where it needs the companion at all, that one too.
    pub fn allows(&self, flag: Flag) -> bool {
        let inner = matches!(flag, Flag::OfflineDraftsEnabled | Flag::AmbientCompanionEnabled);
        let shell = !inner || self.profile().flag(Flag::CompanionShellEnabled);
        shell && self.profile().flag(flag)
    }

    /// Makes another profile the active one.
    pub fn use_profile(&mut self, name: &str) {
        if self.state.active_profile != name {
            let ports = std::mem::take(&mut self.state.ports);
            self.active().ports = ports;
            name.clone_into(&mut self.state.active_profile);
            self.state.ports = std::mem::take(&mut self.active().ports);
        }
    }

    /// How far a change of profile is.
    pub fn set_switch(&mut self, switch: Switch) {
        set(&mut self.state.switch, Some(switch), &mut self.revision);
    }

    /// The person works with this profile now.
    pub fn used(&mut self, name: &str) {
        let mut recent = self.state.recent_profiles.clone();
        recent.retain(|known| known != name);
        recent.insert(0, name.to_owned());
        recent.truncate(switch::MAX_RECENT);
        set(&mut self.state.recent_profiles, recent, &mut self.revision);
    }

    /// What the sidecars listen on.
    pub fn set_ports(&mut self, ports: BTreeMap<ServiceId, Ports>) {
        set(&mut self.state.ports, ports, &mut self.revision);
    }

    /// Section of the dashboard that is opened.
    pub fn set_section(&mut self, section: &str) {
        self.change(|profile| &mut profile.section, section.to_owned());
    }

    /// Session that messages go to from now on; absent: a new one.
    pub fn set_session(&mut self, session_id: Option<String>) {
        self.change(|profile| &mut profile.session_id, session_id);
    }

    /// Device that was chosen.
    pub fn set_device(&mut self, device_id: Option<String>) {
        self.change(|profile| &mut profile.device_id, device_id);
    }

    /// A run was started from here, or its state is another.
    pub fn set_latest_run(&mut self, run: Option<Run>) {
        self.change(|profile| &mut profile.latest_run, run);
    }

    /// How the gateway is reached now.
    pub fn set_connection(&mut self, connection: Connection, now: Now) {
        if self.profile().connection != connection {
            self.change(|profile| &mut profile.connection, connection);
            if connection == Connection::Connected {
                self.change(|profile| &mut profile.connected_at_unix_ms, Some(now.unix_ms));
            }
        }
    }

    /// Where the set-up stands.
    pub fn set_reached(&mut self, reached: Reached, now: Now) {
        let first = reached.complete && self.profile().onboarding.completed_at_unix_ms.is_none();
        self.change(|profile| &mut profile.onboarding.reached, reached);
        if first {
            self.change(|profile| &mut profile.onboarding.completed_at_unix_ms, Some(now.unix_ms));
        }
    }

    /// Sets a flag; says whether that changed it.
    pub fn set_flag(&mut self, flag: Flag, on: bool) -> bool {
        let changes = self.profile().flag(flag) != on;
        if changes {
            self.active().rollout.insert(flag, on);
        }
        changes
    }

    /// Keeps what was told, unless the list of recent events is switched off. A decision is never kept as its action: it was
    /// for what was shown then.
    pub fn notify(&mut self, kind: Kind, title: &str, body: &str, action: Option<Action>, now: Now) {
        if !self.allows(Flag::CompanionShellEnabled) {
            return;
        }
        let notification = Notification {
            id: self.id(now),
            kind,
            title: cut(title, MAX_TITLE_CHARS),
            body: cut(body, MAX_BODY_CHARS),
            at_unix_ms: now.unix_ms,
            action: action.filter(|action| !matches!(action, Action::Decide { .. } | Action::Dismiss { .. })),
            read: false,
        };
        let kept = &mut self.active().notifications;
        kept.push_back(notification);
        while kept.len() > MAX_NOTIFICATIONS {
            kept.pop_front();
        }
    }

    /// Marks one notification as read, or all of them; how many that changed.
    pub fn mark_read(&mut self, id: Option<&str>) -> usize {
        let wanted = |one: &&mut Notification| !one.read && id.is_none_or(|id| one.id == id);
        let mut changed = 0;
        if let Some(profile) = self.state.profiles.get_mut(&self.state.active_profile) {
            for notification in profile.notifications.iter_mut().filter(wanted) {
                notification.read = true;
                changed += 1;
            }
        }
        self.revision += u64::from(changed > 0);
        changed
    }

    /// Keeps a message that was not sent, and why; its id.
    ///
    /// # Errors
    /// It is not kept, in a sentence: drafts are switched off, there are [`MAX_DRAFTS`] already, it is empty or too long.
    pub fn add_draft(
        &mut self,
        text: &str,
        session_id: Option<String>,
        reason: &str,
        now: Now,
    ) -> Result<String, String> {
        let id = self.id(now);
        let (text, created_at_unix_ms, reason) = (text.to_owned(), now.unix_ms, reason.to_owned());
        self.keep_draft(Draft { id: id.clone(), text, created_at_unix_ms, session_id, reason, maybe_sent: false })?;
        Ok(id)
    }

    /// The same with an id of its own. One with that id is replaced, and stays in its place.
    ///
    /// # Errors
    /// As [`Self::add_draft`].
    pub fn keep_draft(&mut self, mut draft: Draft) -> Result<(), String> {
        draft.reason = cut(&draft.reason, MAX_BODY_CHARS);
        if let Some(at) = self.profile().drafts.iter().position(|known| known.id == draft.id) {
            if self.profile().drafts[at] != draft {
                self.active().drafts[at] = draft;
            }
            return Ok(());
        }
        if !self.allows(Flag::OfflineDraftsEnabled) {
            return Err(words::companion::DRAFTS_ARE_SWITCHED_OFF_OFFLINE_DRAFTS.to_owned());
        }
        check_draft(&draft.text)?;
        if self.profile().drafts.len() >= MAX_DRAFTS {
            return Err(words::companion::drafts_are_kept_already(MAX_DRAFTS));
        }
        self.active().drafts.push(draft);
        Ok(())
    }

    /// The draft with this id, or the only one whose id ends so.
    pub fn draft(&self, id: &str) -> Option<&Draft> {
        let drafts = &self.profile().drafts;
        let short = id.to_ascii_uppercase();
        let mut ending = drafts.iter().filter(|draft| short.len() >= 4 && draft.id.ends_with(&short));
        let whole = drafts.iter().find(|draft| draft.id == id);
        whole.or_else(|| ending.next().filter(|_| ending.next().is_none()))
    }

    /// Takes a draft out: it was sent, or is discarded. Absent when there is none of that id.
    pub fn remove_draft(&mut self, id: &str) -> Option<Draft> {
        let at = self.profile().drafts.iter().position(|draft| draft.id == id)?;
        Some(self.active().drafts.remove(at))
    }

    /// Notes that the earlier desktop app's files were looked at, and takes up what came of it. What is here already stays;
    /// of a profile in use only drafts are added, as far as there is room.
    pub fn import(&mut self, mut earlier: Earlier, now: Now) {
        let fresh = self.profile() == &Profile::default();
        for (name, theirs) in std::mem::take(&mut earlier.profiles) {
            let ours = self.state.profiles.entry(name.clone()).or_default();
            if *ours == Profile::default() {
                *ours = theirs;
                continue;
            }
            let room = MAX_DRAFTS.saturating_sub(ours.drafts.len()).min(theirs.drafts.len());
            let mut fit = theirs.drafts;
            let rest = fit.split_off(room);
            ours.drafts.extend(fit);
            earlier.left.push(words::companion::profile_what_else_it_had(&name));
            if !rest.is_empty() {
                let drafts = if rest.len() == 1 { "draft" } else { "drafts" };
                earlier.left.push(words::companion::profile_there_is_no_room(&name, rest.len(), drafts));
            }
        }
        // where the agent is, its places are: that changes only as a change of profile
        if let Some(other) = earlier.active.clone().filter(|name| fresh && *name != self.state.active_profile) {
            let how = words::companion::IT_IS_NOT_ACTIVE_ONE_HERE;
            earlier.left.push(format!("profile {other}: {how}"));
        }
        self.state.imported = Some(earlier.report(now.unix_ms));
        self.revision += 1;
    }

    /// Adds to the report on the earlier desktop app's files.
    pub fn imported_more(&mut self, taken: Vec<String>, left: Vec<String>, now: Now) {
        let report =
            self.state.imported.get_or_insert_with(|| Imported { at_unix_ms: now.unix_ms, ..Imported::default() });
        report.taken.extend(taken);
        report.left.extend(left);
        self.revision += 1;
    }

    /// The active profile, to be changed.
    fn active(&mut self) -> &mut Profile {
        self.revision += 1;
        self.state.profiles.entry(self.state.active_profile.clone()).or_default()
    }

    fn change<T: PartialEq>(&mut self, field: impl Fn(&mut Profile) -> &mut T, new: T) {
        let profile = self.state.profiles.entry(self.state.active_profile.clone()).or_default();
        set(field(profile), new, &mut self.revision);
    }

    fn id(&mut self, now: Now) -> String {
        let random = u128::from(self.jitter.between(0, u64::MAX - 1));
        ulid::encode(now.unix_ms, random)
    }
}

/// The active profile as JSON, for the snapshot. Names are those of the earlier desktop app where it had them.
pub fn block(companion: &Companion) -> Value {
    let profile = companion.profile();
    let rollout: BTreeMap<_, _> = Flag::ALL.into_iter().map(|flag| (flag.name(), profile.flag(flag))).collect();
    json!({
        "profile": companion.state.active_profile,
        "active_section": profile.section,
        "active_session_id": profile.session_id,
        "active_device_id": profile.device_id,
        "latest_run": profile.latest_run,
        "last_connected_at_unix_ms": profile.connected_at_unix_ms,
        "unread_notifications": profile.unread(),
        "notifications": profile.notifications.iter().rev().collect::<Vec<_>>(),
        "offline_drafts": profile.drafts,
        "rollout": rollout,
        "imported": companion.state.imported,
    })
}

/// Whether a text can be a draft.
///
/// # Errors
/// Why not, in a sentence.
pub fn check_draft(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err(words::companion::THERE_IS_NOTHING.to_owned());
    }
    if text.len() > MAX_DRAFT_BYTES {
        return Err(words::companion::it_is_too_long(text.len(), MAX_DRAFT_BYTES));
    }
    Ok(())
}

fn set<T: PartialEq>(field: &mut T, new: T, revision: &mut u64) {
    if *field != new {
        *field = new;
        *revision += 1;
    }
}

fn default_profile() -> String {
    DEFAULT_PROFILE.to_owned()
}

/// An action that this version does not know is none.
fn known_action<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Action>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

#[cfg(test)]
mod tests;
