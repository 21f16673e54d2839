//! The tray menu as a window, for desktops without a tray: one list a level, a choice a row.
//!
//! It is made of the menu that the tray would show, so the two cannot differ. Lines that only tell something become the text.
//! Like the menu it never decides an approval.

use crate::core::dialog::{Body, Choice, DialogButton, Form, Tone};
use crate::core::view::{Item, ItemKind};
use crate::protocol::Action;
use crate::words;

/// Id of the button that takes the marked choice.
pub const CHOOSE: &str = "choose";

/// What a choice leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A submenu, by its id.
    Into(String),
    /// Something for the agent to do, by this name.
    Act(String, Action),
}

/// The window that shows this menu, or the submenu of that id. Nothing: there is no such submenu (any more).
pub fn form(menu: &[Item], inside: Option<&str>) -> Option<Form> {
    let (heading, items, back) = match inside {
        None => (None, menu, words::buttons::CLOSE),
        Some(id) => {
            let (label, items) = submenu(menu, id)?;
            (Some(label.to_owned()), items, words::buttons::BACK)
        }
    };
    let choices: Vec<_> = items.iter().filter_map(choice).collect();
    let mut told = items.iter().filter_map(|item| match &item.kind {
        ItemKind::Command { label, action: None, .. } => Some(label.as_str()),
        _ => None,
    });
    let heading = heading.or_else(|| told.next().map(str::to_owned)).unwrap_or_default();
    let text = told.collect::<Vec<_>>().join("\n");
    // A window that opens under somebody's hands does nothing by the next Enter: the first row of the menu is no deed.
    let selected = choices.first().filter(|first| submenu(menu, &first.id).is_some()).map(|first| first.id.clone());
    Some(Form {
        title: "Palyra".to_owned(),
        heading,
        text,
        body: Body::Choose { choices, selected },
        buttons: vec![DialogButton::new(CHOOSE, words::menu::CHOOSE), DialogButton::away(back)],
        focus: None,
        tone: Tone::Info,
    })
}

/// What the choice of this id means in this menu. Nothing: it is not there (any more), or greyed.
pub fn step(menu: &[Item], id: &str) -> Option<Step> {
    let inner = menu.iter().filter_map(|item| match &item.kind {
        ItemKind::Submenu { enabled: true, items, .. } => Some(items.as_slice()),
        _ => None,
    });
    let mut all = std::iter::once(menu).chain(inner).flatten();
    let item = all.find(|item| item.id == id)?;
    choice(item)?;
    match &item.kind {
        ItemKind::Submenu { .. } => Some(Step::Into(id.to_owned())),
        ItemKind::Command { label, action: Some(action), .. } | ItemKind::Check { label, action, .. } => {
            Some(Step::Act(label.clone(), action.clone()))
        }
        ItemKind::Command { .. } | ItemKind::Separator => None,
    }
}

/// After this the person wants to see what became of it here, not somewhere else.
pub const fn comes_back(action: &Action) -> bool {
    !matches!(
        action,
        Action::Open { .. }
            | Action::StartAndOpen { .. }
            | Action::ShowLog { .. }
            | Action::ShowBundles
            | Action::ContinueSetup
            | Action::RunChecks
            | Action::About
            | Action::Ask { .. }
            | Action::OpenDraft { .. }
            | Action::ProfileDialog
            | Action::Quit { .. }
    )
}

fn submenu<'a>(menu: &'a [Item], id: &str) -> Option<(&'a str, &'a [Item])> {
    menu.iter().find_map(|item| match &item.kind {
        ItemKind::Submenu { label, enabled: true, items } if item.id == id => Some((label.as_str(), items.as_slice())),
        _ => None,
    })
}

/// A row, for what can be clicked.
fn choice(item: &Item) -> Option<Choice> {
    let (label, detail) = match &item.kind {
        ItemKind::Command { action: Some(Action::Decide { .. }), .. }
        | ItemKind::Check { action: Action::Decide { .. }, .. } => return None,
        ItemKind::Command { label, enabled: true, action: Some(_) } => (label.clone(), ""),
        ItemKind::Check { label, enabled: true, checked, .. } => (label.clone(), if *checked { "on" } else { "off" }),
        ItemKind::Submenu { label, enabled: true, .. } => (format!("{label} ▸"), ""),
        _ => return None,
    };
    Some(Choice { id: item.id.clone(), label, detail: detail.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Place, Verdict};

    fn item(id: &str, kind: ItemKind) -> Item {
        Item { id: id.to_owned(), kind }
    }

    fn command(id: &str, enabled: bool, action: Option<Action>) -> Item {
        item(id, ItemKind::Command { label: format!("Label of {id}"), enabled, action })
    }

    fn open() -> Action {
        Action::Open { place: Place::section("chat") }
    }

    fn decide() -> Action {
        Action::Decide { approval_id: "1".to_owned(), digest: "d".to_owned(), verdict: Verdict::Approve }
    }

    fn menu() -> Vec<Item> {
        let browser = Action::SetBrowser { enabled: false };
        let check = ItemKind::Check { label: "Enabled".to_owned(), enabled: true, checked: true, action: browser };
        let inner = vec![command("pid", false, None), item("tick", check), command("restart", false, Some(open()))];
        let submenu = |enabled, items| ItemKind::Submenu { label: "Browser: ready".to_owned(), enabled, items };
        vec![
            command("status", false, None),
            item("line", ItemKind::Separator),
            item("browser", submenu(true, inner)),
            command("open", true, Some(open())),
            command("grey", false, Some(open())),
            command("sly", true, Some(decide())),
            item("shut", submenu(false, vec![command("hidden", true, Some(open()))])),
            command("more", false, None),
        ]
    }

    fn rows(form: &Form) -> Vec<(&str, &str, &str)> {
        let Body::Choose { choices, .. } = &form.body else { panic!("no list: {form:?}") };
        choices.iter().map(|row| (row.id.as_str(), row.label.as_str(), row.detail.as_str())).collect()
    }

    #[test]
    fn the_window_offers_what_can_be_clicked_and_tells_the_rest() {
        let form = form(&menu(), None).unwrap();
        assert_eq!(rows(&form), [("browser", "Browser: ready ▸", ""), ("open", "Label of open", "")]);
        assert_eq!((form.heading.as_str(), form.text.as_str()), ("Label of status", "Label of more"));
        assert_eq!(form.buttons[1].id, DialogButton::AWAY);
    }

    #[test]
    fn a_submenu_is_a_window_of_its_own() {
        let inner = form(&menu(), Some("browser")).unwrap();
        assert_eq!(rows(&inner), [("tick", "Enabled", "on")]);
        assert_eq!((inner.heading.as_str(), inner.text.as_str()), ("Browser: ready", "Label of pid"));
        for gone in ["open", "shut", "unknown"] {
            assert_eq!(form(&menu(), Some(gone)), None, "{gone}");
        }
    }

    #[test]
    fn the_next_enter_does_nothing() {
        let selected = |menu: &[Item], inside| match form(menu, inside).unwrap().body {
            Body::Choose { selected, .. } => selected,
            other => panic!("{other:?}"),
        };
        assert_eq!(selected(&menu(), None).as_deref(), Some("browser"));
        assert_eq!(selected(&menu(), Some("browser")), None);
        assert_eq!(selected(&menu()[3..], None), None);
    }

    #[test]
    fn a_choice_is_what_the_menu_says_now() {
        let menu = menu();
        assert_eq!(step(&menu, "browser"), Some(Step::Into("browser".to_owned())));
        assert_eq!(step(&menu, "open"), Some(Step::Act("Label of open".to_owned(), open())));
        let off = Action::SetBrowser { enabled: false };
        assert_eq!(step(&menu, "tick"), Some(Step::Act("Enabled".to_owned(), off)));
        for id in ["status", "line", "grey", "shut", "hidden", "restart", "unknown"] {
            assert_eq!(step(&menu, id), None, "{id}");
        }
    }

    #[test]
    fn the_window_never_decides() {
        assert_eq!(step(&menu(), "sly"), None);
    }
}
