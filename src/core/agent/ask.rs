//! Messages to Palyra: who asks, what they hear, and what becomes a draft.

use serde_json::{Value, json};

use super::Agent;
use crate::core::ask::{AskEvent, AskOrder, AskWork, Finished, Intent, Origin, Outcome, notices};
use crate::core::companion::{Draft, Flag, MAX_DRAFT_BYTES, Run};
use crate::core::event::{Companion, Effect, Ticket};
use crate::core::text;
use crate::core::time::Now;
use crate::core::view::Button;
use crate::protocol::ask::{AskRequest, Message, TEXT_MAX, To};
use crate::protocol::{Action, Failure, FailureCode, Place, Reply, RunId, Secret, ServiceId};
use crate::words;

impl Agent {
    /// What an earlier agent left under way. One that has become a draft already is that draft.
    pub(super) fn restore_asks(&mut self, now: Now) {
        let mut intents = std::mem::take(&mut self.setup.asks);
        intents.retain(|intent| intent.origin != Origin::New || self.companion.draft(&intent.message_id).is_none());
        self.asks.restore(intents, now);
    }

    /// The life of the gateway that can be asked now.
    fn gateway_to_ask(&self) -> Option<RunId> {
        let run = self.fleet.get(ServiceId::Gateway).run.as_ref().filter(|_| self.inbox.is_open());
        run.map(|run| run.id.clone())
    }

    pub(super) fn settle_asks(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let kept = self.is_kept();
        let gateway = self.gateway_to_ask();
        let mut orders = Vec::new();
        self.asks.step(gateway.as_ref(), kept, now, &mut orders);
        self.ask_orders(orders, now, effects);
    }

    pub(super) fn ask_told(&mut self, event: AskEvent, now: Now, effects: &mut Vec<Effect>) {
        let mut orders = Vec::new();
        match event {
            AskEvent::Replied { message_id, session_id, text } => {
                let message = Message { message_id, text, to: To::Session(session_id) };
                self.send(message, Origin::New, None, now, effects);
            }
            AskEvent::Named(ticket, session_id, title) => {
                effects.push(Effect::Reply(ticket, session(Some(session_id), title)));
            }
            event => self.asks.told(event, now, &mut orders),
        }
        self.ask_orders(orders, now, effects);
    }

    pub(super) fn ask_asked(&mut self, ticket: Ticket, request: AskRequest, now: Now, effects: &mut Vec<Effect>) {
        match request {
            AskRequest::Send(message) => self.send(message, Origin::New, Some(ticket), now, effects),
            AskRequest::Answer { message_id } => {
                let mut orders = Vec::new();
                if !self.asks.wait(&message_id, ticket, &mut orders) {
                    let failure = Failure::new(
                        FailureCode::Failed,
                        words::ask::NO_SUCH_MESSAGE_IS_KNOWN,
                        words::ask::LOOK_IN_CHAT,
                    );
                    self.fail(Some(ticket), failure, effects);
                }
                self.ask_orders(orders, now, effects);
            }
            AskRequest::Session => self.name(ticket, self.companion.profile().session_id.clone(), effects),
            AskRequest::Named { session_id } => self.name(ticket, Some(session_id), effects),
            AskRequest::Drafts => {
                let drafts: Vec<_> =
                    self.companion.profile().drafts.iter().map(|draft| self.draft_json(draft)).collect();
                effects.push(Effect::Reply(ticket, Reply::Data(json!({ "drafts": drafts }))));
            }
            AskRequest::Draft { draft_id } => {
                let reply = match self.companion.draft(&draft_id) {
                    Some(draft) => Reply::Data(json!({ "draft": self.draft_json(draft) })),
                    None => Reply::Error(no_draft(&draft_id)),
                };
                effects.push(Effect::Reply(ticket, reply));
            }
            AskRequest::SendDraft { draft_id, new } => self.send_draft(Some(ticket), &draft_id, new, now, effects),
            AskRequest::DiscardDraft { draft_id } => match self.companion.draft(&draft_id).cloned() {
                None => self.fail(Some(ticket), no_draft(&draft_id), effects),
                Some(draft) if self.asks.is_open(&draft.id) => self.fail(Some(ticket), under_way(), effects),
                Some(draft) => {
                    self.forget_draft(&draft.id);
                    self.done_when_kept(Some(ticket), words::ask::DISCARDED);
                }
            },
        }
    }

    /// A session with its title, which the gateway knows; absent: a new one.
    fn name(&self, ticket: Ticket, session_id: Option<String>, effects: &mut Vec<Effect>) {
        effects.push(match session_id {
            Some(id) if self.gateway_to_ask().is_some() => Effect::Ask(AskWork::Name(ticket, id)),
            id => Effect::Reply(ticket, session(id, None)),
        });
    }

    /// Opens the dialog in which a message is written; where there is to be none, the chat in the dashboard.
    pub(super) fn open_ask(&mut self, ticket: Option<Ticket>, to: To, now: Now, effects: &mut Vec<Effect>) {
        if !self.companion.allows(Flag::CompanionShellEnabled) {
            return self.fail(
                ticket,
                Failure::new(FailureCode::Refused, words::ask::ASKING_PALYRA_FROM_HERE_IS_SWITCHED, ""),
                effects,
            );
        }
        if !self.setup.dialogs || !self.companion.allows(Flag::AmbientCompanionEnabled) {
            let session_id = if let To::Session(id) = to { Some(id) } else { None };
            let place = Place { session_id, ..Place::section("chat") };
            return self.open(ticket, place, now, effects);
        }
        self.open_once(ticket, Companion::Ask(to), effects);
    }

    /// These buttons without those that would be refused: asking from here may be switched off.
    pub fn offered(&self, buttons: &[Button]) -> Vec<Button> {
        let asks =
            |action: &Action| matches!(action, Action::Ask { .. } | Action::Reply { .. } | Action::SendDraft { .. });
        let on = self.companion.allows(Flag::CompanionShellEnabled);
        buttons.iter().filter(|button| on || !asks(&button.action)).cloned().collect()
    }

    /// Opens the dialog that shows a draft.
    pub(super) fn open_draft(&mut self, ticket: Option<Ticket>, draft_id: String, effects: &mut Vec<Effect>) {
        if self.setup.dialogs {
            return self.open_once(ticket, Companion::Draft(draft_id), effects);
        }
        let hint = words::windows::DRAFT_IN_TERMINAL;
        self.fail(ticket, Failure::new(FailureCode::Failed, words::ask::NO_DIALOG_CAN_BE_SHOWN_HERE, hint), effects);
    }

    /// An impatient person clicks again, and wants one window all the same.
    fn open_once(&mut self, ticket: Option<Ticket>, companion: Companion, effects: &mut Vec<Effect>) {
        if self.asking.insert(companion.clone()) {
            effects.push(Effect::Open(companion));
        }
        self.done(ticket, words::common::IT_OPENS, effects);
    }

    /// The person's word to send a draft.
    pub(super) fn send_draft(
        &mut self,
        ticket: Option<Ticket>,
        draft_id: &str,
        new: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(draft) = self.companion.draft(draft_id).cloned() else {
            return self.fail(ticket, no_draft(draft_id), effects);
        };
        if self.asks.is_open(&draft.id) {
            return self.fail(ticket, under_way(), effects);
        }
        if new && draft.maybe_sent {
            let why = words::ask::THIS_DRAFT_MAY;
            let failure = Failure::new(FailureCode::Refused, why, words::ask::LEAVE_OUT_NEW);
            return self.fail(ticket, failure, effects);
        }
        self.events.remove(&draft_key(&draft.id));
        let to = draft.session_id.filter(|_| !new).map_or(To::New, To::Session);
        let message = Message { message_id: draft.id, text: Secret::new(draft.text), to };
        let origin = if draft.maybe_sent { Origin::SentDraft } else { Origin::Draft };
        self.send(message, origin, ticket, now, effects);
    }

    fn send(&mut self, message: Message, origin: Origin, ticket: Option<Ticket>, now: Now, effects: &mut Vec<Effect>) {
        let limit = if origin == Origin::New { TEXT_MAX } else { MAX_DRAFT_BYTES };
        let text = message.text.expose();
        let refused = if !self.companion.allows(Flag::CompanionShellEnabled) {
            Some((FailureCode::Refused, words::ask::ASKING_PALYRA_FROM_HERE_IS_SWITCHED.to_owned()))
        } else if text.trim().is_empty() {
            Some((FailureCode::Usage, words::ask::MESSAGE_IS_EMPTY.to_owned()))
        } else if text.len() > limit {
            let why = words::ask::message_is_too_long_bytes(text.len(), limit);
            Some((FailureCode::Refused, why))
        } else if self.is_ending() {
            Some((FailureCode::Refused, words::ask::NOTHING_WAS_SENT.to_owned()))
        } else {
            None
        };
        if let Some((code, why)) = refused {
            return self.fail(ticket, Failure::new(code, why, ""), effects);
        }
        let mut orders = Vec::new();
        self.asks.use_session(self.companion.profile().session_id.clone());
        let begun = if self.paused {
            Err(words::ask::ALL_AGENTS_ARE_PAUSED.to_owned())
        } else {
            self.asks.begin(message.clone(), origin, ticket, &mut orders).map_err(|why| text::sentence(&why))
        };
        if let Err(why) = begun {
            let intent = Intent::new(message, origin);
            let outcome = Outcome::NotSent { why, unreachable: false };
            let sending = ticket.into_iter().collect();
            self.not_sent(&Finished { intent, outcome, sending, awaiting: Vec::new() }, now, effects);
        }
        self.ask_orders(orders, now, effects);
    }

    fn ask_orders(&mut self, orders: Vec<AskOrder>, now: Now, effects: &mut Vec<Effect>) {
        for order in orders {
            match order {
                AskOrder::Work(work) => effects.push(Effect::Ask(work)),
                AskOrder::Joined(intent, ticket) => {
                    effects.push(Effect::Reply(ticket, Reply::Data(message_json(&intent, "accepted"))));
                }
                AskOrder::Accepted(intent, tickets) => {
                    self.usage_of_message(&intent, effects);
                    self.was_accepted(&intent, now);
                    let answer = Reply::Data(message_json(&intent, "accepted"));
                    effects.extend(tickets.into_iter().map(|ticket| Effect::Reply(ticket, answer.clone())));
                }
                AskOrder::Told(ticket, finished) => effects.push(Effect::Reply(ticket, self.reply(&finished))),
                AskOrder::Finished(finished) if finished.was_accepted() => self.ended(&finished, now, effects),
                AskOrder::Finished(finished) => self.not_sent(&finished, now, effects),
            }
        }
    }

    fn was_accepted(&mut self, intent: &Intent, now: Now) {
        let session_id = intent.session.as_ref().map(|session| session.id.clone());
        self.companion.set_session(session_id.clone());
        let run =
            Run { run_id: intent.run_id.clone(), session_id, state: "in_progress".to_owned(), at_unix_ms: now.unix_ms };
        self.companion.set_latest_run(Some(run));
        if intent.origin != Origin::New {
            self.forget_draft(&intent.message_id);
        }
    }

    fn ended(&mut self, finished: &Finished, now: Now, effects: &mut Vec<Effect>) {
        if self.companion.profile().latest_run.as_ref().is_none_or(|run| run.run_id != finished.intent.run_id) {
            self.was_accepted(&finished.intent, now);
        }
        let state = if matches!(finished.outcome, Outcome::Answered(_)) { "done" } else { "failed" };
        let run = self.companion.profile().latest_run.clone();
        self.companion.set_latest_run(run.map(|run| Run { state: state.to_owned(), at_unix_ms: now.unix_ms, ..run }));
        let reply = self.reply(finished);
        let waiting = finished.sending.iter().chain(&finished.awaiting);
        effects.extend(waiting.map(|ticket| Effect::Reply(*ticket, reply.clone())));
        // whoever waited for it has it
        if finished.awaiting.is_empty()
            && let Some(notice) = notices::notice(finished)
        {
            self.insert_notice(&format!("event:run:{}", finished.intent.message_id), notice);
        }
    }

    /// It becomes a draft; where it cannot, the text is given back.
    fn not_sent(&mut self, finished: &Finished, now: Now, effects: &mut Vec<Effect>) {
        let intent = &finished.intent;
        let (why, unreachable) = self.why_not_sent(&finished.outcome);
        let maybe = matches!(finished.outcome, Outcome::Unknown(_));
        let known = self.companion.draft(&intent.message_id);
        let maybe_sent = maybe || known.is_some_and(|draft| draft.maybe_sent);
        let draft = Draft {
            id: intent.message_id.clone(),
            text: intent.text.expose().to_owned(),
            created_at_unix_ms: known.map_or(now.unix_ms, |draft| draft.created_at_unix_ms),
            session_id: self.session_of(intent),
            reason: why.clone(),
            maybe_sent,
        };
        let kept = self.companion.keep_draft(draft);
        let waiting: Vec<_> = finished.sending.iter().chain(&finished.awaiting).copied().collect();
        if waiting.is_empty() {
            let notice = match &kept {
                Ok(()) => notices::drafted(&intent.message_id, &why, maybe),
                Err(not_kept) => notices::given_back(intent.text.expose(), &why, not_kept),
            };
            return self.insert_notice(&draft_key(&intent.message_id), notice);
        }
        let failure = not_sent_failure(&intent.message_id, &why, maybe, unreachable, &kept);
        effects.extend(waiting.into_iter().map(|ticket| Effect::Reply(ticket, Reply::Error(failure.clone()))));
    }

    /// A sentence, and whether nobody was there.
    fn why_not_sent(&self, outcome: &Outcome) -> (String, bool) {
        match outcome {
            // it knows better why it is not there
            Outcome::NotSent { unreachable: true, .. } if self.gateway_to_ask().is_none() => {
                (text::sentence(&text::gateway_not_ready(self)), true)
            }
            Outcome::NotSent { why, unreachable } => (self.hide(&text::sentence(why)), *unreachable),
            Outcome::Unknown(why) | Outcome::NoAnswer(why) => (self.hide(&text::sentence(why)), false),
            Outcome::Answered(_) => (String::new(), false),
        }
    }

    /// Where a draft is to go: where its message went, or was meant to go.
    fn session_of(&self, intent: &Intent) -> Option<String> {
        match (&intent.session, &intent.to) {
            (Some(session), _) => Some(session.id.clone()),
            (None, To::Session(session)) => Some(session.clone()),
            (None, To::Active) => self.companion.profile().session_id.clone(),
            (None, To::New) => None,
        }
    }

    fn reply(&self, finished: &Finished) -> Reply {
        match &finished.outcome {
            Outcome::Answered(answer) => {
                let mut data = message_json(&finished.intent, "answered");
                data["answer"] = json!(answer.text);
                data["characters"] = json!(answer.characters);
                data["cut"] = json!(answer.cut);
                Reply::Data(data)
            }
            Outcome::NoAnswer(why) => {
                let session = finished.intent.session.as_ref().map(|session| session.id.as_str()).unwrap_or_default();
                let hint = words::ask::see_chat_open_chat_session(session);
                let why = self.hide(why);
                let message = words::ask::message_was_sent_but_no(notices::clause(&why));
                Reply::Error(Failure::new(FailureCode::Failed, message, hint))
            }
            outcome => {
                let (why, unreachable) = self.why_not_sent(outcome);
                let id = &finished.intent.message_id;
                let kept =
                    self.companion.draft(id).map(drop).ok_or_else(|| words::ask::IT_IS_NO_LONGER_KEPT.to_owned());
                let maybe = matches!(outcome, Outcome::Unknown(_));
                Reply::Error(not_sent_failure(id, &why, maybe, unreachable, &kept))
            }
        }
    }

    fn forget_draft(&mut self, draft_id: &str) {
        self.companion.remove_draft(draft_id);
        self.events.remove(&draft_key(draft_id));
    }

    fn draft_json(&self, draft: &Draft) -> Value {
        let mut value = json!(draft);
        value["sending"] = json!(self.asks.is_open(&draft.id));
        value
    }

    /// Messages under way, without what is in them.
    pub fn asks_json(&self) -> Value {
        let state = |intent: &Intent| if intent.accepted { "answering" } else { "sending" };
        self.asks.open().map(|intent| message_json(intent, state(intent))).collect()
    }
}

fn draft_key(draft_id: &str) -> String {
    format!("event:draft:{draft_id}")
}

fn session(id: Option<String>, title: Option<String>) -> Reply {
    Reply::Data(json!({ "session_id": id, "title": title }))
}

fn message_json(intent: &Intent, status: &str) -> Value {
    json!({
        "message_id": intent.message_id,
        "session_id": intent.session.as_ref().map(|session| &session.id),
        "session_title": intent.session.as_ref().map(|session| &session.title),
        "run_id": Some(&intent.run_id).filter(|run| !run.is_empty()),
        "status": status,
    })
}

/// Exit codes: refused means that the text is given back, anything else that it is a draft.
fn not_sent_failure(id: &str, why: &str, maybe: bool, unreachable: bool, kept: &Result<(), String>) -> Failure {
    let what = if maybe { words::ask::MESSAGE_MAY_NOT_HAVE_BEEN_SENT } else { words::ask::MESSAGE_WAS_NOT_SENT };
    let why = notices::clause(why);
    match kept {
        Ok(()) => {
            let code = if unreachable { FailureCode::GatewayUnreachable } else { FailureCode::Failed };
            let short = &id[id.len().saturating_sub(6)..];
            let hint = words::ask::it_is_kept_as_draft_send(short);
            Failure::new(code, format!("{what}: {why}"), hint)
        }
        Err(not_kept) => Failure::new(FailureCode::Refused, words::ask::and_it_is_not_kept(what, &why, not_kept), ""),
    }
}

fn no_draft(draft_id: &str) -> Failure {
    Failure::new(FailureCode::Failed, words::ask::there_is_no_draft(draft_id), words::ask::SEE_THEM_DRAFTS_LIST)
}

fn under_way() -> Failure {
    Failure::new(FailureCode::Refused, words::ask::THIS_DRAFT_IS_BEING_SENT_RIGHT, words::common::SEE_STATUS)
}

/// What a menu shows of the drafts: id and start of each, newest first.
pub fn rows(agent: &Agent) -> Vec<(String, String)> {
    let drafts = agent.companion.profile().drafts.iter().rev();
    let line = |draft: &Draft| agent.hide(&crate::core::dialog::one_line(&draft.text));
    drafts.map(|draft| (draft.id.clone(), crate::core::notices::cut(&line(draft), 50))).collect()
}

#[cfg(test)]
mod tests;
