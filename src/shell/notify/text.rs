//! A notice as it goes out: plain one-line title, body escaped where the server reads markup, labels.
//!
//! Nothing is removed without a trace: what cannot be shown becomes a visible replacement character, and a text that
//! had to be cut takes every approving button with it.

use super::ServerInfo;
use crate::core::view::Notice;
use crate::protocol::{Action, Verdict};

/// Characters; far above what any server shows, so that cutting is the exception.
const TITLE_LIMIT: usize = 256;
const BODY_LIMIT: usize = 4096;
const LABEL_LIMIT: usize = 64;

/// Ready for the wire, but for the action keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub summary: String,
    pub body: String,
    /// Label and action, in order.
    pub buttons: Vec<(String, Action)>,
    pub default_action: Option<Action>,
    /// The server takes a typed answer.
    pub inline_reply: bool,
}

/// What of `notice` may go to this server, and how.
pub(super) fn prepare(notice: &Notice, server: &ServerInfo) -> Text {
    let (summary, title_cut) = limit(plain(&notice.title, false), TITLE_LIMIT);
    let (body, body_cut) = limit(plain(&notice.body, true), BODY_LIMIT);
    let may_approve = server.withdraw && !title_cut && !body_cut;
    let buttons = notice.buttons.iter().filter(|button| may_approve || !approves(&button.action));
    Text {
        inline_reply: server.inline_reply,
        summary,
        body: if server.body_markup { escape(&body) } else { body },
        buttons: if server.actions {
            buttons.map(|button| (limit(plain(&button.label, false), LABEL_LIMIT).0, button.action.clone())).collect()
        } else {
            Vec::new()
        },
        default_action: notice
            .default_action
            .clone()
            .filter(|action| server.actions && !matches!(action, Action::Decide { .. }))
            .filter(|_| !shows_body_click_as_a_button(server) || notice.buttons.is_empty()),
    }
}

/// Xfce's server draws the click on the body as one more button, beside the one that does the same.
fn shows_body_click_as_a_button(server: &ServerInfo) -> bool {
    server.name == "Xfce Notify Daemon"
}

fn approves(action: &Action) -> bool {
    matches!(action, Action::Decide { verdict: Verdict::Approve, .. })
}

fn plain(text: &str, lines: bool) -> String {
    text.chars()
        .map(|c| match c {
            '\n' if lines => '\n',
            '\n' | '\t' => ' ',
            c if c.is_control() || reorders_or_hides(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

/// Direction overrides and invisible characters can make a text read differently from what it says.
fn reorders_or_hides(c: char) -> bool {
    matches!(c,
        '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

fn limit(text: String, characters: usize) -> (String, bool) {
    match text.char_indices().nth(characters) {
        None => (text, false),
        Some((end, _)) => (format!("{}…", &text[..end]), true),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::view::{Button, Urgency};

    fn decide(verdict: Verdict) -> Action {
        Action::Decide { approval_id: "A1".to_owned(), digest: "d".to_owned(), verdict }
    }

    fn notice(body: &str) -> Notice {
        let button = |label: &str, verdict| Button { label: label.to_owned(), action: decide(verdict) };
        Notice {
            title: "High risk:\nrun\u{202E} a\tprogram".to_owned(),
            body: body.to_owned(),
            urgency: Urgency::Critical,
            buttons: vec![button("Approve once", Verdict::Approve), button("Deny", Verdict::Deny)],
            default_action: None,
            resident: true,
            quiet_update: true,
            again: 0,
        }
    }

    fn able() -> ServerInfo {
        ServerInfo { actions: true, body: true, withdraw: true, ..ServerInfo::default() }
    }

    fn labels(text: &Text) -> Vec<&str> {
        text.buttons.iter().map(|(label, _)| label.as_str()).collect()
    }

    #[test]
    fn the_body_is_escaped_exactly_where_it_is_markup() {
        let shown = notice("a <b> & c");
        assert_eq!(prepare(&shown, &able()).body, "a <b> & c");
        let markup = ServerInfo { body_markup: true, ..able() };
        assert_eq!(prepare(&shown, &markup).body, "a &lt;b&gt; &amp; c");
    }

    #[test]
    fn the_title_is_one_line_and_hidden_characters_show() {
        assert_eq!(prepare(&notice(""), &able()).summary, "High risk: run\u{FFFD} a program");
        assert_eq!(prepare(&notice("rm\u{200B} -r\0\nx"), &able()).body, "rm\u{FFFD} -r\u{FFFD}\nx");
    }

    #[test]
    fn a_cut_text_cannot_be_approved() {
        let whole = prepare(&notice(&"x".repeat(BODY_LIMIT)), &able());
        assert_eq!(labels(&whole), ["Approve once", "Deny"]);
        let cut = prepare(&notice(&"x".repeat(BODY_LIMIT + 1)), &able());
        assert_eq!(labels(&cut), ["Deny"]);
        assert!(cut.body.ends_with('…'));
    }

    #[test]
    fn a_back_end_that_cannot_withdraw_gets_no_approving_button() {
        assert_eq!(labels(&prepare(&notice(""), &ServerInfo { withdraw: false, ..able() })), ["Deny"]);
    }

    #[test]
    fn a_body_click_never_decides() {
        let mut shown = notice("");
        shown.default_action = Some(decide(Verdict::Deny));
        assert_eq!(prepare(&shown, &able()).default_action, None);
        shown.default_action = Some(Action::Quit { keep_running: true });
        assert!(prepare(&shown, &able()).default_action.is_some());
    }

    #[test]
    fn no_actions_without_the_capability() {
        let mut shown = notice("");
        shown.default_action = Some(Action::Quit { keep_running: true });
        let text = prepare(&shown, &ServerInfo { actions: false, ..able() });
        assert!(text.buttons.is_empty() && text.default_action.is_none());
    }
}
