//! What should be on the screen, what is there, and which click still counts. Pure: no bus, no clock, no randomness.
//!
//! Every button goes out under a random key that is valid for one notification, one button and one version of its text,
//! and only once; a decision ends every key of its notification. The specification fixes the key of a body click
//! (`default`), so that one is found by the server's id and is never a decision.
//!
//! A notification is sent anew only after the answer to the one before, so a storm of changes becomes as many
//! updates as the server keeps up with, and mere text changes wait for [`UPDATE_GAP`].

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::text::{Text, prepare};
use super::{NotifyReport, ServerInfo};
use crate::core::view::{Notice, NoticeKey};
use crate::protocol::Action;
use crate::words;

/// Least time between two versions of a notification whose buttons stay the same.
pub(super) const UPDATE_GAP: Duration = Duration::from_millis(250);

/// The one action key that is not random.
pub(super) const DEFAULT_KEY: &str = "default";

/// The one under which servers that can take a typed answer let it be typed.
pub(super) const REPLY_KEY: &str = "inline-reply";

/// Signals kept for a notification whose id is not known yet.
const EARLY_LIMIT: usize = 64;

/// What has to be asked of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Notify(Box<Notify>),
    /// Take away.
    Close {
        id: u32,
    },
}

/// Show, or show in place of `replaces` unless that is 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notify {
    pub token: u64,
    pub key: NoticeKey,
    pub replaces: u32,
    pub notice: Notice,
    pub text: Text,
    /// Action keys and labels, in order.
    pub actions: Vec<(String, String)>,
}

/// What to do now, and when to look again.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub calls: Vec<Call>,
    pub wake: Option<Instant>,
}

/// One version of a notification as it went out.
#[derive(Debug)]
struct Card {
    notice: Notice,
    /// Unused action keys.
    keys: Vec<(String, Action)>,
    default_action: Option<Action>,
    /// A person clicked something: a close that follows tells nothing.
    touched: bool,
    /// A decision was clicked.
    decided: bool,
    /// What a typed answer is for, where one can be typed and none was.
    #[cfg(target_os = "linux")]
    reply: Option<Action>,
    sent: Instant,
}

#[derive(Debug)]
enum Slot {
    /// Sent, not answered; `before` is what it replaces.
    InFlight {
        token: u64,
        card: Box<Card>,
        before: Option<(u32, Box<Card>)>,
    },
    Shown {
        id: u32,
        card: Box<Card>,
    },
    Gone {
        notice: Box<Notice>,
        why: Gone,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    /// Closed or answered by a person, or its time was over: stays away when the server restarts.
    Settled,
    /// Closed by something else: comes back with the server.
    Lost,
    /// The server refused it: any change is a reason to try again.
    Refused,
}

#[derive(Clone, Debug)]
enum Early {
    Body,
    #[cfg(target_os = "linux")]
    Typed(String),
    Closed(u32),
}

#[derive(Debug, Default)]
pub(super) struct Board {
    server: Option<ServerInfo>,
    wanted: BTreeMap<NoticeKey, Notice>,
    slots: BTreeMap<NoticeKey, Slot>,
    early: Vec<(u32, Early)>,
    last_token: u64,
}

impl Board {
    /// The whole set that should be on the screen.
    pub fn want(&mut self, notices: BTreeMap<NoticeKey, Notice>) {
        self.wanted = notices;
    }

    /// Is there anything that a server would have to show?
    #[cfg(target_os = "linux")]
    pub fn wants_any(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Is an answer of the server due?
    pub fn waits(&self) -> bool {
        self.slots.values().any(|slot| matches!(slot, Slot::InFlight { .. }))
    }

    /// Another server, or none: what was shown is gone and its ids and keys with it.
    pub fn server(&mut self, info: Option<ServerInfo>) {
        self.server = info;
        self.early.clear();
        let slots = std::mem::take(&mut self.slots);
        for (key, slot) in slots {
            let settled = match slot {
                Slot::Gone { notice, why: Gone::Settled } => notice,
                Slot::Shown { card, .. } | Slot::InFlight { card, .. } if card.decided => Box::new(card.notice),
                _ => continue,
            };
            self.slots.insert(key, Slot::Gone { notice: settled, why: Gone::Settled });
        }
    }

    /// The difference between wanted and shown. `mint` gives a fresh action key, or none when randomness fails: then
    /// the notification goes out without buttons.
    pub fn plan(&mut self, now: Instant, mint: &mut dyn FnMut() -> Option<String>) -> Plan {
        let mut plan = Plan::default();
        let Some(server) = self.server.clone() else { return plan };
        let obsolete: Vec<NoticeKey> = self
            .slots
            .iter()
            .filter(|(key, slot)| !self.wanted.contains_key(*key) && !matches!(slot, Slot::InFlight { .. }))
            .map(|(key, _)| key.clone())
            .collect();
        for key in obsolete {
            if let Some(Slot::Shown { id, .. }) = self.slots.remove(&key)
                && server.withdraw
            {
                plan.calls.push(Call::Close { id });
            }
        }
        for (key, notice) in &self.wanted {
            let before = match self.slots.remove(key) {
                None => None,
                Some(slot) => match due(slot, notice, &server, now) {
                    Due::Send(before) => before,
                    Due::Later(slot, at) => {
                        plan.wake = Some(plan.wake.map_or(at, |wake| wake.min(at)));
                        self.slots.insert(key.clone(), slot);
                        continue;
                    }
                    Due::Nothing(slot) => {
                        self.slots.insert(key.clone(), slot);
                        continue;
                    }
                },
            };
            self.last_token += 1;
            let text = prepare(notice, &server);
            let (keys, actions) = give_keys(&text, mint);
            plan.calls.push(Call::Notify(Box::new(Notify {
                token: self.last_token,
                key: key.clone(),
                replaces: before.as_ref().map_or(0, |(id, _)| *id),
                notice: notice.clone(),
                actions,
                text: text.clone(),
            })));
            let card = Box::new(Card {
                notice: notice.clone(),
                keys,
                default_action: text.default_action.clone(),
                touched: false,
                decided: false,
                #[cfg(target_os = "linux")]
                reply: reply(&text),
                sent: now,
            });
            self.slots.insert(key.clone(), Slot::InFlight { token: self.last_token, card, before });
        }
        plan
    }

    /// The server's answer to a [`Call::Notify`]: its id, or why it was refused.
    pub fn replied(&mut self, token: u64, answer: Result<u32, String>) -> Vec<NotifyReport> {
        let found = self.slots.iter().find_map(|(key, slot)| match slot {
            Slot::InFlight { token: sent, .. } if *sent == token => Some(key.clone()),
            _ => None,
        });
        let Some(key) = found else { return Vec::new() };
        let Some(Slot::InFlight { card, before, .. }) = self.slots.remove(&key) else { return Vec::new() };
        let answer =
            answer.and_then(|id| if id == 0 { Err(words::desktop::IT_GAVE_INVALID_ID.to_owned()) } else { Ok(id) });
        let id = match answer {
            Ok(id) => id,
            Err(why) => {
                let message = words::desktop::notification_could_not_be_shown(&card.notice.title, &why);
                self.slots.insert(key, Slot::Gone { notice: Box::new(card.notice), why: Gone::Refused });
                self.forget_early();
                return vec![NotifyReport::Failed { message }];
            }
        };
        self.displace(id);
        let fresh = before.is_none_or(|(old, _)| old != id);
        self.slots.insert(key, Slot::Shown { id, card });
        let mut reports = Vec::new();
        if fresh {
            for (_, event) in self.early.extract_if(.., |(early, _)| *early == id).collect::<Vec<_>>() {
                reports.extend(match event {
                    Early::Body => self.invoked(id, DEFAULT_KEY),
                    #[cfg(target_os = "linux")]
                    Early::Typed(text) => self.typed(id, text),
                    Early::Closed(reason) => self.closed(id, reason),
                });
            }
        }
        self.forget_early();
        reports
    }

    /// A click, as the server tells it.
    pub fn invoked(&mut self, id: u32, action_key: &str) -> Option<NotifyReport> {
        if action_key == DEFAULT_KEY {
            return self.body_clicked(id);
        }
        let valid = self.slots.iter_mut().find_map(|(key, slot)| {
            let card = match slot {
                Slot::Shown { id: shown, card } if *shown == id => card,
                Slot::InFlight { card, .. } => card,
                _ => return None,
            };
            let index = card.keys.iter().position(|(random, _)| random == action_key)?;
            Some((key, card, index))
        });
        let Some((key, card, index)) = valid else {
            if self.owns(id) {
                tracing::warn!(id, "ignored a click whose key is unknown, used or outdated");
            }
            return None;
        };
        if !self.wanted.contains_key(key) {
            tracing::warn!(id, "ignored a click on a notification that is being withdrawn");
            return None;
        }
        let (_, action) = card.keys.swap_remove(index);
        card.touched = true;
        if matches!(action, Action::Decide { .. }) {
            card.decided = true;
            card.keys.clear();
        }
        Some(NotifyReport::Clicked { key: key.clone(), action, notice: card.notice.clone() })
    }

    /// An answer was typed, as the server tells it.
    #[cfg(target_os = "linux")]
    pub fn typed(&mut self, id: u32, text: String) -> Option<NotifyReport> {
        if text.trim().is_empty() {
            return None;
        }
        let hit = self.slots.iter_mut().find_map(|(key, slot)| match slot {
            Slot::Shown { id: shown, card } if *shown == id => Some((key, card)),
            // an update is under way: this answers the version before it
            Slot::InFlight { before: Some((shown, card)), .. } if *shown == id => Some((key, card)),
            _ => None,
        });
        let Some((key, card)) = hit else {
            self.remember(id, Early::Typed(text));
            return None;
        };
        if !self.wanted.contains_key(key) {
            return None;
        }
        let action = card.reply.take()?;
        card.touched = true;
        Some(NotifyReport::Typed { key: key.clone(), action, text })
    }

    /// A notification left the screen. Reasons are those of the specification: 1 time, 2 person, 3 a call, 4 unknown.
    pub fn closed(&mut self, id: u32, reason: u32) -> Option<NotifyReport> {
        let shown = self.slots.iter().find_map(|(key, slot)| match slot {
            Slot::Shown { id: shown, .. } if *shown == id => Some(key.clone()),
            _ => None,
        });
        let Some(key) = shown else {
            // An update is under way: this is about the version before it, which the update brings back.
            if !self.owns(id) {
                self.remember(id, Early::Closed(reason));
            }
            return None;
        };
        let Some(Slot::Shown { card, .. }) = self.slots.remove(&key) else { return None };
        let settled = card.touched || matches!(reason, 1 | 2);
        let why = if settled { Gone::Settled } else { Gone::Lost };
        self.slots.insert(key.clone(), Slot::Gone { notice: Box::new(card.notice), why });
        if card.touched || !self.wanted.contains_key(&key) {
            return None;
        }
        Some(if reason == 2 { NotifyReport::Dismissed { key } } else { NotifyReport::Expired { key } })
    }

    fn body_clicked(&mut self, id: u32) -> Option<NotifyReport> {
        let hit = self.slots.iter_mut().find_map(|(key, slot)| match slot {
            Slot::Shown { id: shown, card } if *shown == id => Some((key, card)),
            Slot::InFlight { before: Some((shown, card)), .. } if *shown == id => Some((key, card)),
            _ => None,
        });
        let Some((key, card)) = hit else {
            self.remember(id, Early::Body);
            return None;
        };
        let action = card.default_action.clone()?;
        if !self.wanted.contains_key(key) {
            return None;
        }
        card.touched = true;
        Some(NotifyReport::Clicked { key: key.clone(), action, notice: card.notice.clone() })
    }

    fn owns(&self, id: u32) -> bool {
        self.slots.values().any(|slot| match slot {
            Slot::Shown { id: shown, .. } | Slot::InFlight { before: Some((shown, _)), .. } => *shown == id,
            _ => false,
        })
    }

    /// Two notifications cannot have one id: what had it before is no longer on the screen.
    fn displace(&mut self, id: u32) {
        for slot in self.slots.values_mut() {
            match slot {
                Slot::Shown { id: shown, card } if *shown == id => {
                    tracing::warn!(id, "the notification server gave one id twice");
                    *slot = Slot::Gone { notice: Box::new(card.notice.clone()), why: Gone::Lost };
                }
                Slot::InFlight { before, .. } if before.as_ref().is_some_and(|(shown, _)| *shown == id) => {
                    *before = None
                }
                _ => {}
            }
        }
    }

    /// Servers tell everyone about everyone's notifications, so this is kept only while an id of ours is due.
    fn remember(&mut self, id: u32, event: Early) {
        let awaited = self.slots.values().any(|slot| matches!(slot, Slot::InFlight { .. }));
        if awaited && self.early.len() < EARLY_LIMIT {
            self.early.push((id, event));
        }
    }

    fn forget_early(&mut self) {
        if !self.waits() {
            self.early.clear();
        }
    }
}

enum Due {
    /// Show it, in place of this one.
    Send(Option<(u32, Box<Card>)>),
    Later(Slot, Instant),
    Nothing(Slot),
}

fn due(slot: Slot, wanted: &Notice, server: &ServerInfo, now: Instant) -> Due {
    match slot {
        Slot::InFlight { .. } => Due::Nothing(slot),
        Slot::Gone { ref notice, .. } if **notice == *wanted => Due::Nothing(slot),
        Slot::Gone { why: Gone::Refused, .. } => Due::Send(None),
        Slot::Gone { ref notice, .. } if wanted.quiet_update && notice.again == wanted.again => Due::Nothing(slot),
        Slot::Gone { .. } => Due::Send(None),
        Slot::Shown { ref card, .. } if card.notice == *wanted => Due::Nothing(slot),
        // It cannot be replaced there: a second one beside it would be noise.
        Slot::Shown { .. } if !server.withdraw && wanted.quiet_update => Due::Nothing(slot),
        Slot::Shown { .. } if !server.withdraw => Due::Send(None),
        Slot::Shown { id, mut card } => {
            let at = card.sent + UPDATE_GAP;
            if now < at && same_choices(&card.notice, wanted) {
                return Due::Later(Slot::Shown { id, card }, at);
            }
            card.keys.clear();
            Due::Send(Some((id, card)))
        }
    }
}

fn same_choices(a: &Notice, b: &Notice) -> bool {
    a.buttons == b.buttons && a.default_action == b.default_action && a.again == b.again
}

/// What an answer that is typed into it is for.
#[cfg(target_os = "linux")]
fn reply(text: &Text) -> Option<Action> {
    let first = text.buttons.iter().map(|(_, action)| action).find(|action| matches!(action, Action::Reply { .. }));
    first.filter(|_| text.inline_reply).cloned()
}

type Keys = Vec<(String, Action)>;

fn give_keys(text: &Text, mint: &mut dyn FnMut() -> Option<String>) -> (Keys, Vec<(String, String)>) {
    let mut keys = Keys::new();
    let mut actions = Vec::new();
    if text.default_action.is_some() {
        actions.push((DEFAULT_KEY.to_owned(), words::buttons::OPEN.to_owned()));
    }
    for (label, action) in &text.buttons {
        if text.inline_reply && matches!(action, Action::Reply { .. }) {
            actions.push((REPLY_KEY.to_owned(), label.clone()));
            keys.push((REPLY_KEY.to_owned(), action.clone()));
            continue;
        }
        let Some(random) = mint() else {
            tracing::error!("the system gave no random number: a notification goes out without its buttons");
            actions.retain(|(key, _)| key == DEFAULT_KEY);
            return (Keys::new(), actions);
        };
        actions.push((random.clone(), label.clone()));
        keys.push((random, action.clone()));
    }
    (keys, actions)
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
