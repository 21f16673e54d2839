//! The profiles, as part of the agent: what is asked about them, and a change from one to another. See [`crate::core::switch`].

use serde_json::{Value, json};

use super::Agent;
use crate::config::profiles::{Entry, Registry};
use crate::core::describe::visible;
use crate::core::event::{Companion, Effect, ProfileNews, ProfileWork, Secrets, Ticket};
use crate::core::notices::cut;
use crate::core::service::{Goal, Phase};
use crate::core::switch::{HOLD_MS, LEAVE_MS, Stage, Switch, TRY_MS};
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::Urgency;
use crate::protocol::profiles::ProfileRequest;
use crate::protocol::{Action, Failure, FailureCode, Reply, ServiceId};
use crate::words;

/// Key of the notification.
const NOTICE: &str = "event:profile";
/// Longest label in the menu, characters.
const MAX_LABEL_CHARS: usize = 40;

/// What of a change is not kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Switching {
    /// The person agreed to a strict profile; while it is being looked at.
    asked: Option<(Ticket, bool)>,
    /// When the stage has lasted too long.
    deadline: Option<u64>,
    /// Since when all of the new one is ready.
    ready_since: Option<u64>,
    /// The agent begins anew as soon as that is on the disk.
    turning: bool,
    turned: bool,
}

impl Switching {
    /// When it wants to be woken.
    pub fn deadline(&self) -> Option<u64> {
        self.ready_since.map(|since| since + HOLD_MS).or(self.deadline)
    }
}

impl Agent {
    /// A change of profile is under way.
    pub fn is_switching(&self) -> bool {
        self.companion.state().switch.as_ref().is_some_and(Switch::is_under_way) || self.switching.turning
    }

    /// Nothing of a profile that is being left is used any more.
    pub(super) fn keeps_down(&self) -> bool {
        self.companion.state().switch.as_ref().is_some_and(Switch::keeps_down) || self.switching.turning
    }

    /// The menu's entry.
    pub fn profile_entry(&self) -> String {
        match &self.companion.state().switch {
            Some(switch) if switch.is_under_way() => words::profiles::changing_entry(&switch.to),
            _ => words::profiles::entry(shown(&self.setup.profile.label)),
        }
    }

    /// For the snapshot.
    pub fn profile_block(&self) -> Value {
        let state = self.companion.state();
        json!({
            "active": self.setup.profile.name,
            "label": visible(&self.setup.profile.label),
            "environment": visible(&self.setup.profile.environment),
            "risk_level": visible(&self.setup.profile.risk_level),
            "strict_mode": self.setup.profile.strict,
            "mode": if self.setup.profile.remote { "remote" } else { "local" },
            "told_by_gateway": self.profile.as_ref().map(|(told, _)| told),
            "recent": state.recent_profiles,
            "switching": self.is_switching(),
            "switch": state.switch.as_ref().map(|switch| json!({
                "from": switch.from,
                "to": switch.to,
                "at_unix_ms": switch.at_unix_ms,
                "stage": switch.stage.name(),
                "stopped": switch.stopped,
                "why": switch.why,
                "outcome": (!switch.is_under_way()).then(|| {
                    let (title, body) = switch.words(&shown(&self.setup.profile.label));
                    format!("{title}. {body}")
                }),
            })),
            "trouble": self.setup.profile_trouble,
        })
    }

    pub(super) fn profiles_asked(&mut self, ticket: Ticket, request: ProfileRequest, effects: &mut Vec<Effect>) {
        match request {
            ProfileRequest::List => effects.push(Effect::Profiles(ProfileWork::List(ticket))),
            ProfileRequest::Switch { name, confirmed } => match self.may_switch() {
                Ok(()) => {
                    self.switching.asked = Some((ticket, confirmed));
                    effects.push(Effect::Profiles(ProfileWork::Check(ticket, name)));
                }
                Err(why) => self.fail(Some(ticket), Failure::new(FailureCode::Refused, why, ""), effects),
            },
        }
    }

    /// What must be over first.
    fn may_switch(&self) -> Result<(), String> {
        let saving = self.companion.saving.trouble();
        let why = if self.is_ending() {
            words::common::PALYRA_TRAY_IS_ENDING
        } else if self.is_switching() || self.switching.asked.is_some() {
            words::profiles::ANOTHER_CHANGE_IS_UNDER_WAY
        } else if !saving.is_empty() {
            return Err(saving);
        } else if self.rotation.making || !self.rotation.stale().is_empty() {
            words::profiles::NEW_SECRETS_ARE_ON_THEIR_WAY
        } else if !self.node.is_idle() {
            words::profiles::SOMETHING_IS_BEING_DONE_WITH_NODE
        } else if !self.decisions.is_idle() {
            words::profiles::DECISION_IS_ON_ITS_WAY
        } else {
            return Ok(());
        };
        Err(why.to_owned())
    }

    pub(super) fn profiles_looked(&mut self, news: ProfileNews, now: Now, effects: &mut Vec<Effect>) {
        match news {
            ProfileNews::Listed(ticket, Ok(registry)) => {
                let document = self.document(&registry);
                effects.push(Effect::Reply(ticket, Reply::Data(document)));
            }
            ProfileNews::Listed(ticket, Err(why)) => {
                self.fail(Some(ticket), Failure::new(FailureCode::Failed, why, ""), effects);
            }
            ProfileNews::Checked(ticket, outcome) => {
                let confirmed = self.switching.asked.take().is_some_and(|(_, confirmed)| confirmed);
                // much may have begun since it was asked
                let outcome = outcome.and_then(|entry| self.may_switch().map(|()| entry));
                match outcome {
                    Ok(entry) => self.begin_switch(ticket, &entry, confirmed, now, effects),
                    Err(why) => {
                        let hint = words::common::NOTHING_WAS_CHANGED;
                        self.fail(Some(ticket), Failure::new(FailureCode::Refused, why, hint), effects);
                    }
                }
            }
        }
    }

    fn begin_switch(&mut self, ticket: Ticket, entry: &Entry, confirmed: bool, now: Now, effects: &mut Vec<Effect>) {
        let from = self.setup.profile.name.clone();
        if entry.name == from {
            return self.done(Some(ticket), &words::profiles::is_on_it_already(&from), effects);
        }
        if entry.strict && !confirmed {
            let why = words::profiles::strict_and_not_confirmed(&entry.name);
            let hint = words::profiles::if_you_mean_it(&entry.name);
            return self.fail(Some(ticket), Failure::new(FailureCode::Refused, why, hint), effects);
        }
        let ran = self.fleet.iter().filter(|service| service.goal == Goal::Up).map(|service| service.id).collect();
        self.companion.set_switch(Switch {
            from,
            to: entry.name.clone(),
            at_unix_ms: now.unix_ms,
            stopped: ran,
            stage: Stage::Leaving,
            why: String::new(),
            told: false,
        });
        self.events.remove(NOTICE);
        self.switching.deadline = Some(now.mono_ms + LEAVE_MS);
        self.done_when_kept(Some(ticket), &words::profiles::changing(&entry.name));
    }

    /// At the start of an agent: goes on with a change that is under way. Says whether what is to run is settled with that.
    pub(super) fn take_up_switch(&mut self, now: Now) -> bool {
        let on = self.setup.profile.name.clone();
        let remembered = self.companion.state().active_profile.clone();
        self.companion.use_profile(&on);
        let Some(mut switch) = self.companion.state().switch.clone().filter(|switch| !switch.told) else {
            if on != remembered {
                self.tell_elsewhere(&remembered);
            }
            self.companion.used(&on);
            return false;
        };
        match switch.stage {
            Stage::Trying if on == switch.to => {
                self.switching.deadline = Some(now.mono_ms + TRY_MS);
                self.want_all(Goal::Up);
                return true;
            }
            Stage::Returning if on == switch.to => {
                self.switching.deadline = Some(now.mono_ms + LEAVE_MS);
                return true;
            }
            Stage::Leaving => words::profiles::PALYRA_TRAY_WAS_ENDED.clone_into(&mut switch.why),
            // its places cannot be found any more
            Stage::Trying => switch.why = self.setup.profile_trouble.clone().unwrap_or_default(),
            Stage::Returning | Stage::Returned | Stage::Done => {}
        }
        if switch.stage != Stage::Done {
            switch.stage = Stage::Returned;
        }
        self.want_again(&switch);
        self.switch_over(switch);
        true
    }

    /// What was stopped for a change that is not made, as far as it is still wanted.
    fn want_again(&mut self, switch: &Switch) {
        let enabled = self.enabled();
        for id in switch.stopped.iter().filter(|id| enabled.contains(id)) {
            self.fleet.get_mut(*id).want(Goal::Up);
        }
    }

    fn tell_elsewhere(&mut self, wanted: &str) {
        let why = self.setup.profile_trouble.clone().unwrap_or_else(|| words::profiles::is_not_there(wanted));
        let title = words::profiles::on_profile(shown(&self.setup.profile.label));
        self.tell(NOTICE, (&title, &text::sentence(&why)), Vec::new(), Urgency::Critical);
    }

    /// Tells how it ended, once.
    fn switch_over(&mut self, mut switch: Switch) {
        switch.told = true;
        let (title, body) = switch.words(&shown(&self.setup.profile.label));
        let urgency = if switch.stage == Stage::Done { Urgency::Normal } else { Urgency::Critical };
        self.switching = Switching::default();
        let on = self.setup.profile.name.clone();
        self.companion.used(&on);
        self.companion.set_switch(switch);
        self.tell(NOTICE, (&title, &body), Vec::new(), urgency);
    }

    /// What follows for a change of profile, after every event.
    pub(super) fn settle_switch(&mut self, now: Now, effects: &mut Vec<Effect>) {
        if self.switching.turning {
            return self.turn(effects);
        }
        let Some(mut switch) = self.companion.state().switch.as_ref().filter(|switch| switch.is_under_way()).cloned()
        else {
            return;
        };
        // an end that was asked for goes first; the next agent goes on from here
        if self.is_ending() {
            return;
        }
        let late = self.switching.deadline.is_some_and(|at| now.mono_ms >= at);
        if switch.keeps_down() {
            self.want_none();
        }
        let down = self.fleet.all_down() && self.decisions.is_idle();
        match switch.stage {
            Stage::Leaving if down => {
                switch.stage = Stage::Trying;
                let to = switch.to.clone();
                self.arrive(switch, &to);
            }
            Stage::Leaving if late => {
                let up: Vec<_> =
                    self.fleet.iter().filter(|service| service.is_up()).map(|service| service.id.to_string()).collect();
                let why = match up.as_slice() {
                    [] => words::profiles::SOMETHING_DID_NOT_END.to_owned(),
                    up => words::profiles::did_not_stop_in_time(up.join(", ")),
                };
                self.stay(switch, why);
            }
            Stage::Trying if self.new_is_ready() => {
                let since = *self.switching.ready_since.get_or_insert(now.mono_ms);
                if now.mono_ms >= since + HOLD_MS {
                    switch.stage = Stage::Done;
                    self.switch_over(switch);
                }
            }
            Stage::Trying => {
                self.switching.ready_since = None;
                let why = self.why_not().or_else(|| late.then(|| self.not_in_time()));
                if let Some(why) = why {
                    switch.why = words::profiles::did_not_get_ready(&why);
                    switch.stage = Stage::Returning;
                    self.companion.set_switch(switch);
                    self.switching.deadline = Some(now.mono_ms + LEAVE_MS);
                    self.want_none();
                }
            }
            // what does not end by itself is ended by its shim: the person's own profile does not wait for it
            Stage::Returning if down || late => {
                switch.stage = Stage::Returned;
                let from = switch.from.clone();
                self.arrive(switch, &from);
            }
            Stage::Leaving | Stage::Returning | Stage::Returned | Stage::Done => {}
        }
        self.turn(effects);
    }

    /// The other profile is the active one from now on; once that is on the disk, the agent begins anew.
    fn arrive(&mut self, switch: Switch, name: &str) {
        self.companion.use_profile(name);
        self.companion.set_switch(switch);
        self.switching = Switching { turning: true, ..Switching::default() };
    }

    fn turn(&mut self, effects: &mut Vec<Effect>) {
        if !self.switching.turning || self.switching.turned || self.is_ending() {
            return;
        }
        let name = self.companion.state().active_profile.clone();
        if self.is_kept() && self.companion.saving.trouble().is_empty() {
            self.switching.turned = true;
            effects.push(Effect::Profiles(ProfileWork::Become(name)));
            return;
        }
        // the disk takes nothing, so the next start would know nothing of it. On the way there that is a reason to stay; on
        // the way back it is tried again until it does
        if let (Some(switch), trouble) = (self.companion.state().switch.clone(), self.companion.saving.trouble())
            && !trouble.is_empty()
            && switch.stage == Stage::Trying
        {
            let from = switch.from.clone();
            self.companion.use_profile(&from);
            self.stay(switch, trouble);
        }
    }

    /// Nothing was changed yet: what was stopped starts again.
    fn stay(&mut self, mut switch: Switch, why: String) {
        switch.stage = Stage::Returned;
        switch.why = why;
        self.want_again(&switch);
        self.switch_over(switch);
    }

    fn to_be_ready(&self) -> impl Iterator<Item = &crate::core::service::Service> {
        // a node host that has to be enrolled anew is no reason to go back
        let all = self.enabled().into_iter().filter(|id| *id != ServiceId::NodeHost);
        all.map(|id| self.fleet.get(id))
    }

    fn new_is_ready(&self) -> bool {
        if let Some(remote) = &self.remote {
            return remote.is_settled();
        }
        self.to_be_ready().all(crate::core::service::Service::is_ready)
    }

    /// Why the new one will not get ready.
    fn why_not(&self) -> Option<String> {
        if let Some(remote) = &self.remote {
            return remote.hopeless().map(str::to_owned);
        }
        if let Secrets::Failed(why) = &self.secrets {
            return Some(why.clone());
        }
        self.to_be_ready().find(|service| service.phase == Phase::GivenUp).map(text::gave_up)
    }

    fn not_in_time(&self) -> String {
        if let Some(remote) = &self.remote {
            let why = remote.trouble().map(|trouble| trouble.why.as_str());
            return why.unwrap_or(crate::words::remote::DOES_NOT_ANSWER).to_owned();
        }
        if let Secrets::Waiting(why) = &self.secrets {
            return why.clone();
        }
        let waited: Vec<_> = self.to_be_ready().filter(|service| !service.is_ready()).collect();
        text::took_too_long(Goal::Up, &waited)
    }

    /// What would come in the way of a change that is under way.
    pub(super) fn not_while_switching(&self, action: &Action) -> Option<Failure> {
        let touches = matches!(
            action,
            Action::Start { .. }
                | Action::Stop { .. }
                | Action::Restart { .. }
                | Action::StartAndOpen { .. }
                | Action::SetBrowser { .. }
                | Action::WritePorts { .. }
        );
        self.not_switching().err().filter(|_| touches)
    }

    /// Nothing is begun with sidecars that are being left, or tried.
    pub(super) fn not_switching(&self) -> Result<(), Failure> {
        if !self.is_switching() {
            return Ok(());
        }
        let why = words::profiles::CHANGE_IS_UNDER_WAY;
        Err(Failure::new(FailureCode::Refused, why, words::profiles::WAIT_FOR_IT))
    }

    pub(super) fn profile_dialog(&mut self, ticket: Option<Ticket>, effects: &mut Vec<Effect>) {
        if !self.setup.dialogs {
            let why = words::profiles::NO_DIALOG_FOR_THEM;
            let hint = words::profiles::IN_TERMINAL;
            return self.fail(ticket, Failure::new(FailureCode::Failed, why, hint), effects);
        }
        effects.push(Effect::Open(Companion::Profile));
        self.done(ticket, words::profiles::PROFILES_OPEN, effects);
    }

    /// All of them for a client: recent ones first, then by name.
    fn document(&self, registry: &Registry) -> Value {
        let recent = &self.companion.state().recent_profiles;
        let mut names: Vec<_> = recent.iter().filter(|name| registry.profiles.contains_key(*name)).collect();
        names.extend(registry.profiles.keys().filter(|name| !recent.contains(name)));
        let profiles: Vec<_> = names
            .into_iter()
            .filter_map(|name| registry.profiles.get(name))
            .map(|entry| {
                json!({
                    "name": entry.name,
                    "label": visible(&entry.label),
                    "environment": visible(&entry.environment),
                    "risk_level": visible(&entry.risk_level),
                    "strict_mode": entry.strict,
                    "mode": if entry.remote { "remote" } else { "local" },
                    "registered": entry.registered,
                    "active": entry.name == self.setup.profile.name,
                })
            })
            .collect();
        json!({
            "registry": registry.path,
            "active": self.setup.profile.name,
            "recent": recent,
            "profiles": profiles,
            "left_out": registry.left_out.iter().map(|why| visible(why)).collect::<Vec<_>>(),
        })
    }
}

fn shown(label: &str) -> String {
    cut(&visible(label), MAX_LABEL_CHARS)
}
