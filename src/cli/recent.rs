//! `recent`: what was told lately, newest first.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use crate::config::Paths;
use crate::core::describe::visible;
use crate::core::text;
use crate::protocol::{Action, Failure, Reply, Request};
use crate::words::{self, help};

/// Arguments of `recent`.
#[derive(Args)]
pub struct RecentArgs {
    #[arg(long, help = help::AS_JSON)]
    json: bool,
    #[arg(long, conflicts_with = "json", help = help::RECENT_MARK_READ)]
    mark_read: bool,
    #[arg(long, value_name = "ID", conflicts_with_all = ["json", "mark_read"], help = help::RECENT_OPEN)]
    open: Option<String>,
}

/// Does it.
pub fn recent(paths: &Paths, args: RecentArgs) -> Result<ExitCode, Failure> {
    let act = |action| super::say(&super::ask(paths, Request::Act { action }, super::LONG)?);
    if args.mark_read {
        return act(Action::MarkRead);
    }
    if let Some(id) = args.open {
        return act(Action::OpenRecent { id });
    }
    let reply = super::ask(paths, Request::Status, super::SHORT)?;
    let Reply::Data(snapshot) = reply else { return super::say(&reply) };
    let list = json!({
        "notifications": snapshot["companion"]["notifications"],
        "unread": snapshot["companion"]["unread_notifications"],
        "as_of_unix_ms": snapshot["generated_at_unix_ms"],
    });
    if args.json {
        super::print_json(&list);
    } else {
        super::print(&words(&list));
    }
    Ok(ExitCode::SUCCESS)
}

fn words(list: &Value) -> String {
    let now = list["as_of_unix_ms"].as_i64().unwrap_or_default();
    let text_of = |one: &Value, name: &str| visible(one[name].as_str().unwrap_or_default());
    let mut out = String::new();
    for one in list["notifications"].as_array().into_iter().flatten() {
        let mark = if one["read"] == true { ' ' } else { '*' };
        let ago = now.saturating_sub(one["at_unix_ms"].as_i64().unwrap_or(now)).max(0) / 1_000;
        let ago = text::duration(u64::try_from(ago).unwrap_or_default());
        out.push_str(&words::notices::recent_line(mark, text_of(one, "id"), text_of(one, "title"), &ago));
        let body = one["body"].as_str().unwrap_or_default();
        body.lines().for_each(|line| out.push_str(&format!("      {}\n", visible(line))));
    }
    if out.is_empty() {
        return words::notices::NOTHING_HAS_HAPPENED_YET.to_owned();
    }
    if list["unread"].as_u64().unwrap_or(0) > 0 {
        out.push_str(words::notices::IS_NEW_TO_MARK_ALL);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_says_what_is_new_and_shows_no_control_characters() {
        let one = |id: &str, read: bool, title: &str| json!({ "id": id, "title": title, "body": "Why.\nWhat to do.", "at_unix_ms": 1_000, "read": read });
        let list = json!({
            "notifications": [one("B", false, "Gateway is\u{1b}[31m down"), one("A", true, "Gateway is back")],
            "unread": 1, "as_of_unix_ms": 121_000,
        });
        assert_eq!(
            words(&list),
            "* B  Gateway is\\u{1b}[31m down, 2 min ago\n      Why.\n      What to do.\n\
             \x20 A  Gateway is back, 2 min ago\n      Why.\n      What to do.\n\
             * is new. To mark all as read: palyra-tray recent --mark-read\n"
        );
        assert_eq!(words(&json!({ "notifications": [], "unread": 0 })), "Nothing has happened yet.\n");
    }
}
