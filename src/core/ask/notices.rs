//! What a person reads about a message: notifications, and one line for a command.

use super::{Answer, Finished, Outcome};
use crate::core::agent::EventNotice;
use crate::core::dialog::one_line;
use crate::core::notices::cut;
use crate::core::view::{Button, Urgency};
use crate::protocol::{Action, Place};
use crate::words;

/// What of an answer a notification shows, characters.
const SHOWN: usize = 240;
/// What of the question is its title, characters.
const QUESTION: usize = 40;

/// Where an answer is seen whole.
pub fn chat(finished: &Finished) -> Place {
    let intent = &finished.intent;
    Place {
        session_id: intent.session.as_ref().map(|session| session.id.clone()),
        run_id: Some(intent.run_id.clone()).filter(|run| !run.is_empty()),
        ..Place::section("chat")
    }
}

/// The end of a message that was accepted. `None`: it was not.
pub fn notice(finished: &Finished) -> Option<EventNotice> {
    let question = cut(&one_line(finished.intent.text.expose()), QUESTION);
    let mut buttons =
        vec![Button { label: words::common::OPEN_CHAT.to_owned(), action: Action::Open { place: chat(finished) } }];
    let (title, body) = match &finished.outcome {
        Outcome::Answered(answer) => {
            if let Some(session) = &finished.intent.session {
                let action = Action::Reply { session_id: session.id.clone() };
                buttons.push(Button { label: words::ask::REPLY.to_owned(), action });
            }
            (words::ask::palyra_answered(&question), start(answer))
        }
        Outcome::NoAnswer(why) => (words::ask::palyra_could_not_answer(&question), why.clone()),
        Outcome::NotSent { .. } | Outcome::Unknown(_) => return None,
    };
    Some(EventNotice { title, body, buttons, urgency: Urgency::Normal })
}

/// The start of an answer, and how much there is when that is not all.
fn start(answer: &Answer) -> String {
    let lines: Vec<_> = answer.text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let text = lines.join("\n");
    let shown = cut(&text, SHOWN);
    if shown == text && !answer.cut {
        return shown;
    }
    words::ask::start_of_characters(&shown, answer.characters)
}

/// A message that was not sent and is a draft now. `why` is a sentence.
pub fn drafted(draft_id: &str, why: &str, maybe: bool) -> EventNotice {
    let title = if maybe { words::ask::YOUR_MESSAGE_MAY } else { words::ask::YOUR_MESSAGE_WAS_NOT_SENT };
    let buttons = vec![
        Button {
            label: words::ask::SHOW_DRAFT.to_owned(),
            action: Action::OpenDraft { draft_id: draft_id.to_owned() },
        },
        Button { label: words::ask::SEND_NOW.to_owned(), action: Action::SendDraft { draft_id: draft_id.to_owned() } },
    ];
    let body = words::ask::it_is_kept_as_draft(why);
    EventNotice { title: title.to_owned(), body, buttons, urgency: Urgency::Normal }
}

/// A message that was not sent and could not be kept either: given back.
pub fn given_back(text: &str, why: &str, not_kept: &str) -> EventNotice {
    let body = words::ask::it_is_not_kept(why, not_kept, cut(&one_line(text), 1_000));
    EventNotice {
        title: words::ask::YOUR_MESSAGE_WAS_NOT_SENT.to_owned(),
        body,
        buttons: Vec::new(),
        urgency: Urgency::Normal,
    }
}

/// A sentence as a part of another one: "the message was not sent: …".
pub fn clause(sentence: &str) -> String {
    let sentence = sentence.trim().trim_end_matches('.');
    if sentence.starts_with("Palyra") {
        return sentence.to_owned();
    }
    let mut chars = sentence.chars();
    match (chars.next(), chars.clone().next()) {
        // a name in capitals stays one
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => sentence.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ask::{Intent, Origin, Session};
    use crate::protocol::Secret;
    use crate::protocol::ask::To;

    fn finished(outcome: Outcome) -> Finished {
        let session = Session { id: "S".to_owned(), title: String::new() };
        let intent = Intent {
            message_id: "M".to_owned(),
            text: Secret::new("What is\non my list?"),
            to: To::New,
            session: Some(session),
            sent_at_unix_ms: Some(1),
            gateway: None,
            accepted: true,
            run_id: "R".to_owned(),
            origin: Origin::New,
        };
        Finished { intent, outcome, sending: Vec::new(), awaiting: Vec::new() }
    }

    #[test]
    fn an_answer_is_told_by_its_start_and_a_cut_is_marked() {
        let answer = |text: &str, cut| Answer { characters: text.chars().count() as u64, text: text.to_owned(), cut };
        let told = notice(&finished(Outcome::Answered(answer("Bread.\n\n\nMilk.", false)))).unwrap();
        assert_eq!(
            (told.title.as_str(), told.body.as_str()),
            ("Palyra answered: What is on my list?", "Bread.\nMilk.")
        );
        let Action::Open { place } = &told.buttons[0].action else { panic!("{told:?}") };
        assert_eq!((place.session_id.as_deref(), place.run_id.as_deref()), (Some("S"), Some("R")));
        assert_eq!(told.buttons[1].action, Action::Reply { session_id: "S".to_owned() });
        let long = notice(&finished(Outcome::Answered(answer(&"ä".repeat(12_000), true)))).unwrap();
        assert!(long.body.contains("…\n(the start of 12000 characters)"), "{}", long.body);
        assert_eq!(long.body.lines().next().unwrap().chars().count(), SHOWN);
        let failed = notice(&finished(Outcome::NoAnswer("No key.".to_owned()))).unwrap();
        assert_eq!((failed.body.as_str(), failed.buttons.len()), ("No key.", 1));
        assert_eq!(notice(&finished(Outcome::Unknown(String::new()))), None);
    }

    #[test]
    fn a_sentence_becomes_a_part_of_one() {
        assert_eq!(clause("The gateway is not ready."), "the gateway is not ready");
        assert_eq!(clause("HTTP is off."), "HTTP is off");
        assert_eq!(clause("Palyra is stopped."), "Palyra is stopped");
        assert_eq!(clause(""), "");
    }
}
