//! Which notifications should be on the screen, and which buttons each may carry.

use std::collections::BTreeMap;

mod room;

use crate::core::describe::{Description, name, risk_word};
use crate::core::inbox::{Inbox, Origin, Pending};
use crate::core::record::Risk;
use crate::core::view::{Button, Notice, NoticeKey, Urgency};
use crate::protocol::{Action, Verdict};
use crate::words;

use room::Room;

/// More than this from one principal and session become one summary.
pub const SUMMARY_ABOVE: usize = 3;

/// What the notification server can do, as it says itself.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Server {
    /// Name it gives itself.
    pub name: String,
    /// Shows buttons.
    pub actions: bool,
    /// A notification can be taken back, and clicks are told apart.
    pub withdraws: bool,
}

/// May a notification on this server ever decide?
pub fn decides(server: &Server) -> bool {
    server.actions && server.withdraws && Room::of(server).is_some()
}

/// What Review… does: shows this approval, or all of them.
pub fn review(approval_id: &str) -> Action {
    Action::Review { approval_id: approval_id.to_owned() }
}

/// One notification for each approval that waits, or one for many of the same origin; and one for all of those that are only
/// counted and whose origin has none.
pub fn approvals(inbox: &Inbox, server: &Server) -> BTreeMap<NoticeKey, Notice> {
    let mut origins: BTreeMap<(&str, &str), Vec<&Pending>> = BTreeMap::new();
    for pending in inbox.pending.values() {
        let origin = (pending.record.principal.as_str(), pending.record.session_id.as_str());
        origins.entry(origin).or_default().push(pending);
    }
    let mut counted: BTreeMap<Origin, Tally> = BTreeMap::new();
    for brief in &inbox.rest {
        counted.entry(brief.origin).or_default().add(brief.risk);
    }
    let mut notices = BTreeMap::new();
    for ((principal, session), waiting) in origins {
        let mut all = Tally::default();
        waiting.iter().for_each(|pending| all.add(pending.record.prompt.risk_level));
        let origin = waiting.first().filter(|_| !counted.is_empty()).map(|pending| Origin::of(&pending.record));
        let others = origin.and_then(|origin| counted.get(&origin)).copied().unwrap_or_default();
        if all.count + others.count > SUMMARY_ABOVE {
            all.join(others);
            origin.map(|origin| counted.remove(&origin));
            let from = words::notices::all_asked(cut(&name(principal), 48));
            notices.insert(
                format!("approvals:{principal}:{session}"),
                summary(words::notices::approvals_wait(all.count), &all, &from, server),
            );
        } else {
            for pending in waiting {
                notices.insert(format!("approval:{}", pending.record.approval_id), approval(pending, server));
            }
        }
    }
    let mut left = Tally::default();
    counted.into_values().for_each(|others| left.join(others));
    if left.count > 0 {
        let title = match left.count {
            1 => words::notices::MORE_APPROVAL_WAITS.to_owned(),
            count => words::notices::more_approvals_wait(count),
        };
        notices.insert(
            "approvals:more".to_owned(),
            summary(title, &left, words::notices::MORE_THAN_CAN_BE_SHOWN_ONE, server),
        );
    }
    notices
}

/// How many, and how dangerous the worst of them is.
#[derive(Clone, Copy, Default)]
struct Tally {
    count: usize,
    worst: Option<Risk>,
}

impl Tally {
    fn add(&mut self, risk: Risk) {
        self.join(Self { count: 1, worst: Some(risk) });
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.worst = self.worst.max(other.worst);
    }
}

/// All that is told on a locked screen: how many wait. No button, nothing to click.
pub fn behind_lock(waiting: usize) -> BTreeMap<NoticeKey, Notice> {
    if waiting == 0 {
        return BTreeMap::new();
    }
    let title =
        if waiting == 1 { words::notices::APPROVAL_WAITS.to_owned() } else { words::notices::approvals_wait(waiting) };
    let notice = Notice {
        title,
        body: words::notices::UNLOCK_SCREEN_TO_SEE_WHAT.to_owned(),
        urgency: Urgency::Normal,
        buttons: Vec::new(),
        default_action: None,
        resident: true,
        quiet_update: true,
        again: 0,
    };
    BTreeMap::from([("approvals:locked".to_owned(), notice)])
}

/// A notification about something that happened, for as long as its text stays.
pub fn event(title: &str, body: &str, buttons: Vec<Button>, server: &Server, urgency: Urgency) -> Notice {
    Notice {
        title: title.to_owned(),
        body: body.to_owned(),
        urgency,
        buttons: if server.actions { buttons } else { Vec::new() },
        default_action: None,
        resident: false,
        quiet_update: false,
        again: 0,
    }
}

/// May a notification on this server decide this approval by one click?
fn decidable(pending: &Pending, words: &Description, body: &str, server: &Server) -> bool {
    server.actions
        && server.withdraws
        && words.whole
        && Room::of(server).is_some_and(|room| room.shows(&words.title, body))
        && pending.record.prompt.risk_level != Risk::Critical
}

fn approval(pending: &Pending, server: &Server) -> Notice {
    let record = &pending.record;
    let words = &*pending.words;
    let left = pending.record.expires_at_unix_ms().saturating_sub(pending.first_seen.unix_ms);
    let left = match left {
        i64::MIN..60_000 => words::notices::TIME_TO_ANSWER_UNDER.to_owned(),
        60_000..86_400_000 => words::notices::time_to_answer((left + 30_000) / 60_000),
        _ => String::new(), // the record does not tell
    };
    let asked = words::notices::asked_by(cut(&words.who, 48), &left);
    let mut body = format!("{}\n{asked}", words.what);
    let decidable = decidable(pending, words, &body, server);
    let decide = |label: &str, verdict| Button {
        label: label.to_owned(),
        action: Action::Decide { approval_id: record.approval_id.clone(), digest: pending.digest.clone(), verdict },
    };
    let open = |label: &str| Button { label: label.to_owned(), action: review(&record.approval_id) };
    let buttons = match (server.actions, decidable) {
        (false, _) => Vec::new(),
        // The first button never decides: GNOME Shell gives it the keyboard as soon as the mouse comes near, and what a
        // person types into another program at that moment presses it.
        (true, true) => {
            vec![
                open(words::buttons::DETAILS),
                decide(words::buttons::DENY, Verdict::Deny),
                decide(words::common::APPROVE_ONCE, Verdict::Approve),
            ]
        }
        (true, false) => vec![open(words::buttons::REVIEW), decide(words::buttons::DENY, Verdict::Deny)],
    };
    if !decidable {
        body = format!("{}\n{asked}", cut(&words.what, 120));
    }
    if !server.actions {
        body.push_str(words::notices::TO_ANSWER_OPEN_DASHBOARD_FROM_PALYRA_ICON);
    }
    Notice {
        title: cut(&words.title, 80),
        body,
        urgency: if record.prompt.risk_level == Risk::Critical { Urgency::Critical } else { Urgency::Normal },
        buttons,
        default_action: Some(review(&record.approval_id)),
        resident: true,
        quiet_update: true,
        again: pending.again,
    }
}

fn summary(title: String, all: &Tally, from: &str, server: &Server) -> Notice {
    let worst = all.worst.unwrap_or(Risk::Critical);
    Notice {
        title,
        body: words::notices::highest_risk(
            from,
            risk_word(worst).to_lowercase(),
            if server.actions { "" } else { words::notices::TO_ANSWER_OPEN_DASHBOARD_FROM_PALYRA },
        ),
        urgency: if worst == Risk::Critical { Urgency::Critical } else { Urgency::Normal },
        buttons: if server.actions {
            vec![Button { label: words::buttons::REVIEW.to_owned(), action: review("") }]
        } else {
            Vec::new()
        },
        default_action: Some(review("")),
        resident: true,
        quiet_update: true,
        again: 0,
    }
}

/// At most `limit` characters, with an ellipsis where something was left out.
pub fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}
