//! Where a person decides, or seems to: notifications, the review, the command line; and programs that pretend to be one.

use std::collections::BTreeMap;

use palyra_tray::core::dialog::Body;
use palyra_tray::core::event::{Click, Event};
use palyra_tray::core::review::{self, Chosen, Shown};
use palyra_tray::protocol::{Action, Decision, Request, Scope, Verdict};
use serde_json::Value;

use crate::invariants::{Invariant, Void, hides};
use crate::model::{Act, Model};

/// What the surfaces show at the moment.
#[derive(Default)]
pub struct Surfaces {
    /// Open reviews, by the id that they asked for.
    reviews: BTreeMap<u64, Shown>,
    /// What the command line printed last: ids and digests.
    list: Vec<(String, String)>,
    tickets: u64,
}

/// Tickets of lists have this remainder by two, those of reviews the other.
const LIST: u64 = 1;

impl Surfaces {
    /// The agent answered a client.
    pub fn answered(&mut self, ticket: u64, value: Value) {
        if ticket % 2 == LIST {
            let rows = value["approvals"].as_array().cloned().unwrap_or_default();
            let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
            self.list = rows.iter().map(|row| (text(row, "approval_id"), text(row, "digest"))).collect();
        } else if let Ok(shown) = Shown::read(&value["approval"]) {
            self.reviews.insert(ticket, shown);
        }
    }

    fn ticket(&mut self, kind: u64) -> u64 {
        self.tickets += 1;
        self.tickets * 2 + kind
    }
}

impl Model<'_> {
    /// A button of a notification, one that is there or one that was; often twice.
    pub fn click(&mut self) {
        let late = self.chance.one_in(4);
        let action = if late {
            self.chance.pick(&self.buttons).cloned()
        } else {
            // those that decide are clicked most
            let mut now: Vec<_> = self.view.notices.values().flat_map(|notice| &notice.buttons).collect();
            let decides = |action: &Action| matches!(action, Action::Decide { .. });
            if now.iter().any(|button| decides(&button.action)) && !self.chance.one_in(4) {
                now.retain(|button| decides(&button.action));
            }
            self.chance.pick(&now).map(|button| button.action.clone())
        };
        let Some(action) = action else { return };
        let double = self.chance.one_in(3);
        match &action {
            Action::Stop { .. } | Action::Start { .. } => return,
            Action::PauseAgents => return self.pause(true),
            Action::Decide { approval_id, digest, verdict } => {
                let act = Act {
                    id: approval_id.clone(),
                    digest: digest.clone(),
                    verdict: *verdict,
                    scope: Scope::Once,
                    ttl_ms: None,
                };
                if self.agent.locked {
                    self.void.push(Void { act, by: Invariant::QuietWhenLocked });
                    self.reached("clicked while locked");
                } else {
                    self.void.retain(|void| void.act != act);
                    self.act(act);
                }
            }
            _ => {}
        }
        self.give(Event::Clicked(action.clone(), Click::Notification));
        if double {
            self.reached("double clicks");
            self.give(Event::Clicked(action, Click::Notification)); // one act
        }
    }

    /// On the command line: with the digest that was listed, or of what the gateway holds now, and any scope.
    pub fn cli(&mut self) {
        if self.chance.one_in(2) {
            let ticket = self.surfaces.ticket(LIST);
            self.give(Event::Asked(ticket, Request::Approvals { all: false }));
        }
        let listed = self.chance.one_in(2);
        let chosen = if listed {
            self.chance.pick(&self.surfaces.list).cloned()
        } else {
            self.any_id().map(|id| (id.clone(), self.gateway.records[&id].digest.clone()))
        };
        let Some((approval_id, digest)) = chosen else { return };
        let verdict = if self.chance.one_in(3) { Verdict::Deny } else { Verdict::Approve };
        let ways =
            [(Scope::Once, None), (Scope::Session, None), (Scope::Timeboxed, Some(60_000)), (Scope::Timeboxed, None)];
        let (scope, ttl_ms) = ways[self.chance.below(4) as usize];
        let decision = Decision { approval_id, digest, verdict, scope, ttl_ms, reason: None };
        self.chosen(&decision);
        let ticket = self.surfaces.ticket(LIST);
        self.give(Event::Asked(ticket, Request::Decide(decision)));
    }

    fn chosen(&mut self, decision: &Decision) {
        self.act(Act {
            id: decision.approval_id.clone(),
            digest: decision.digest.clone(),
            verdict: decision.verdict,
            scope: decision.scope,
            ttl_ms: decision.ttl_ms,
        });
    }

    /// A review opens: it asks for the record.
    pub fn review(&mut self) {
        let Some(approval_id) = self.any_id() else { return };
        let ticket = self.surfaces.ticket(1 - LIST);
        self.give(Event::Asked(ticket, Request::Approval { approval_id }));
    }

    /// In an open review a button is chosen, or a key is pressed; the record may have changed since it was shown.
    pub fn answer_review(&mut self) {
        let open: Vec<_> = self.surfaces.reviews.keys().copied().collect();
        let Some(shown) = self.chance.pick(&open).and_then(|ticket| self.surfaces.reviews.remove(ticket)) else {
            return;
        };
        let form = review::form(&shown, self.now.unix_ms);
        let document = if let Body::Document { document } = &form.body { document.as_str() } else { "" };
        let seen = ![form.heading.as_str(), &form.text, document].iter().any(|text| text.chars().any(hides));
        self.hold(Invariant::NothingHidden, seen, "a review has a character that is not seen");
        // Enter presses what has the focus, Escape goes away
        let pressed = match self.chance.below(8) {
            0 => form.focus.clone(),
            1 => None,
            _ => self.chance.pick(&form.buttons).map(|button| button.id.clone()),
        };
        let by_key = pressed == form.focus;
        let decision = match pressed.map_or(Chosen::Nothing, |button| review::chosen(&shown, &button)) {
            Chosen::Nothing => return,
            Chosen::Decide(decision) => {
                let doubtful = self.doubtful(&decision);
                let plain = decision.verdict == Verdict::Deny || !doubtful;
                self.hold(Invariant::NothingHidden, plain, "what is critical or hidden is not asked about twice");
                decision
            }
            Chosen::Doubt(decision) => {
                self.reached("asked twice");
                let again = review::doubt(&shown);
                self.hold(Invariant::NeverByAccident, again.focus.is_none(), "a key says yes to the second question");
                let answer = self.chance.pick(&again.buttons).map(|button| button.id.clone());
                if !review::is_sure(answer.as_deref()) {
                    return;
                }
                decision
            }
        };
        let denies = decision.verdict == Verdict::Deny;
        self.hold(Invariant::NeverByAccident, denies || !by_key, "Enter approves in the review");
        self.hold(
            Invariant::ScopesAreHonest,
            denies || self.is_offered(&decision),
            "a review offers what the gateway does not",
        );
        if !denies {
            self.reached("approved in a review");
        }
        self.chosen(&decision);
        let ticket = self.surfaces.ticket(LIST);
        self.give(Event::Asked(ticket, Request::DecideReviewed(decision)));
    }

    /// By the record of that digest, if the gateway still has it.
    fn doubtful(&self, decision: &Decision) -> bool {
        self.gateway.standing(&decision.approval_id, &decision.digest).is_some_and(|held| {
            let what = held.what();
            held.raw()["prompt"]["risk_level"] == "critical" || !what.is_ascii() || what.contains("<redacted>")
        })
    }

    /// Longer than once only as one of the record's own options says.
    fn is_offered(&self, decision: &Decision) -> bool {
        let held = self.gateway.standing(&decision.approval_id, &decision.digest);
        let Some(options) = held.and_then(|held| held.raw()["prompt"]["options"].as_array()) else { return true };
        let has = |scope: &str| options.iter().find(|option| option["decision_scope"] == scope);
        match decision.scope {
            Scope::Once => true,
            Scope::Session => has("session").is_some(),
            Scope::Timeboxed => {
                has("timeboxed").is_some_and(|option| option["timebox_ttl_ms"].as_i64() == decision.ttl_ms)
            }
        }
    }

    /// Another program of the session bus clicks in the menu; another client sends what only a notification may.
    pub fn forge(&mut self) {
        let decides = |action: &&Action| matches!(action, Action::Decide { .. });
        let Some(Action::Decide { approval_id, digest, .. }) = self.buttons.iter().find(decides).cloned() else {
            return;
        };
        let verdict = if self.chance.one_in(3) { Verdict::Deny } else { Verdict::Approve };
        let act = Act { id: approval_id.clone(), digest: digest.clone(), verdict, scope: Scope::Once, ttl_ms: None };
        if !self.acts.contains(&act) {
            self.void.push(Void { act, by: Invariant::OneTimeFromTheRightSender });
        }
        self.reached("forged");
        let action = Action::Decide { approval_id, digest, verdict };
        self.give(Event::Clicked(action.clone(), Click::Menu));
        let ticket = self.surfaces.ticket(LIST);
        self.give(Event::Asked(ticket, Request::Act { action }));
    }

    /// A notification is put away, runs out, or its text is clicked; none of that decides.
    pub fn put_away(&mut self) {
        let keys: Vec<_> = self.view.notices.keys().cloned().collect();
        let Some(key) = self.chance.pick(&keys).cloned() else { return };
        let click = self.view.notices[&key].default_action.clone().filter(|_| self.chance.one_in(2));
        match click {
            Some(action) => self.give(Event::Clicked(action, Click::Notification)),
            None => self.give(Event::NoticeGone(key)),
        }
    }
}
