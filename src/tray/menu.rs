//! The menu as a value, and the least changes that lead from one menu to the next.
//!
//! An item is the same one as long as its id and kind are: then its label, state and tick are changed in place, which
//! an open menu survives. Other items are removed and inserted one by one. An action is never handed to the desktop;
//! a click brings an id, and the menu that is shown tells what it means.

use crate::{
    core::view::{Item, ItemKind},
    protocol::Action,
};

use super::text;

/// One entry as it is shown: texts fit for the desktop, never a submenu in a submenu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Id of the view's item.
    pub id: String,
    /// Cut, cleaned, and with `&` doubled.
    pub label: String,
    /// Greyed when false, and then not to be clicked.
    pub enabled: bool,
    /// What it is.
    pub kind: Kind,
}

/// What an [`Entry`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A line.
    Separator,
    /// Reports its action.
    Command(Option<Action>),
    /// As a command, with a tick.
    Check {
        /// The tick.
        checked: bool,
        /// What a click asks for.
        action: Action,
    },
    /// Its entries.
    Submenu(Vec<Entry>),
}

/// Where an entry is, at the time its change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Position of the submenu it is in; the menu itself when absent.
    pub submenu: Option<usize>,
    /// Position there.
    pub index: usize,
}

/// One step; steps are made in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Takes the entry away, a submenu with all it holds.
    Remove(Place),
    /// Puts a new entry before the one that is there.
    Insert(Place, Entry),
    /// Sets the label.
    Label(Place, String),
    /// Sets or takes away the grey.
    Enabled(Place, bool),
    /// Sets or takes away the tick.
    Checked(Place, bool),
}

/// The view's items as they are shown.
pub fn entries(items: &[Item]) -> Vec<Entry> {
    debug_assert!(!items.iter().any(holds_nested), "a submenu in a submenu");
    items.iter().map(entry).collect()
}

/// The least changes that make `old` look like `new`.
pub fn plan(old: &[Entry], new: &[Entry]) -> Vec<Change> {
    let mut changes = Vec::new();
    plan_level(old, new, None, &mut changes);
    changes
}

/// What a click on `id` asks for. Nothing when the entry or the submenu it is in is disabled, and never a decision:
/// everybody on the session bus can send clicks.
pub fn action<'a>(entries: &'a [Entry], id: &str) -> Option<&'a Action> {
    let entry = entries.iter().find_map(|entry| match &entry.kind {
        Kind::Submenu(inner) if entry.enabled => inner.iter().find(|entry| entry.id == id),
        Kind::Separator | Kind::Submenu(_) => None,
        Kind::Command(_) | Kind::Check { .. } => (entry.id == id).then_some(entry),
    })?;
    if !entry.enabled {
        tracing::debug!(id, "a disabled menu item was clicked");
        return None;
    }
    match &entry.kind {
        Kind::Command(Some(Action::Decide { .. })) | Kind::Check { action: Action::Decide { .. }, .. } => {
            tracing::warn!(id, "a decision was asked for by a menu click and is refused");
            None
        }
        Kind::Command(action) => action.as_ref(),
        Kind::Check { action, .. } => Some(action),
        Kind::Separator | Kind::Submenu(_) => None,
    }
}

fn holds_nested(item: &Item) -> bool {
    let is_submenu = |item: &Item| matches!(item.kind, ItemKind::Submenu { .. });
    matches!(&item.kind, ItemKind::Submenu { items, .. } if items.iter().any(is_submenu))
}

fn entry(item: &Item) -> Entry {
    let (label, enabled, kind) = match &item.kind {
        ItemKind::Separator => ("", true, Kind::Separator),
        ItemKind::Command { label, enabled, action } => (label.as_str(), *enabled, Kind::Command(action.clone())),
        ItemKind::Check { label, enabled, checked, action } => {
            (label.as_str(), *enabled, Kind::Check { checked: *checked, action: action.clone() })
        }
        ItemKind::Submenu { label, enabled, items } => (label.as_str(), *enabled, Kind::Submenu(flatten(items))),
    };
    Entry { id: item.id.clone(), label: text::label(label), enabled, kind }
}

/// Deeper levels would be dropped by some hosts: what they hold is shown in their place.
fn flatten(items: &[Item]) -> Vec<Entry> {
    let mut flat = Vec::with_capacity(items.len());
    for item in items {
        match entry(item) {
            Entry { kind: Kind::Submenu(inner), enabled, .. } => {
                flat.extend(inner.into_iter().map(|entry| Entry { enabled: entry.enabled && enabled, ..entry }));
            }
            entry => flat.push(entry),
        }
    }
    flat
}

fn plan_level(old: &[Entry], new: &[Entry], submenu: Option<usize>, changes: &mut Vec<Change>) {
    let mut kept = common(old, new).into_iter().peekable();
    let (mut from, mut index) = (0, 0);
    for (to, entry) in new.iter().enumerate() {
        let place = |index| Place { submenu, index };
        let Some((origin, _)) = kept.next_if(|&(_, target)| target == to) else {
            changes.push(Change::Insert(place(index), entry.clone()));
            index += 1;
            continue;
        };
        changes.extend((from..origin).map(|_| Change::Remove(place(index))));
        update(&old[origin], entry, place(index), changes);
        from = origin + 1;
        index += 1;
    }
    changes.extend((from..old.len()).map(|_| Change::Remove(Place { submenu, index })));
}

fn update(old: &Entry, new: &Entry, place: Place, changes: &mut Vec<Change>) {
    if old.label != new.label {
        changes.push(Change::Label(place, new.label.clone()));
    }
    if old.enabled != new.enabled {
        changes.push(Change::Enabled(place, new.enabled));
    }
    match (&old.kind, &new.kind) {
        (Kind::Check { checked: was, .. }, Kind::Check { checked, .. }) if was != checked => {
            changes.push(Change::Checked(place, *checked));
        }
        (Kind::Submenu(was), Kind::Submenu(inner)) => plan_level(was, inner, Some(place.index), changes),
        _ => {}
    }
}

/// The longest common subsequence, as pairs of positions in order.
fn common(old: &[Entry], new: &[Entry]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    let mut longest = vec![0_usize; (old.len() + 1) * width];
    for from in (0..old.len()).rev() {
        for to in (0..new.len()).rev() {
            longest[from * width + to] = if same(&old[from], &new[to]) {
                longest[(from + 1) * width + to + 1] + 1
            } else {
                longest[(from + 1) * width + to].max(longest[from * width + to + 1])
            };
        }
    }
    let (mut from, mut to, mut pairs) = (0, 0, Vec::with_capacity(longest[0]));
    while from < old.len() && to < new.len() {
        if same(&old[from], &new[to]) {
            pairs.push((from, to));
            (from, to) = (from + 1, to + 1);
        } else if longest[(from + 1) * width + to] >= longest[from * width + to + 1] {
            from += 1;
        } else {
            to += 1;
        }
    }
    pairs
}

fn same(old: &Entry, new: &Entry) -> bool {
    old.id == new.id && std::mem::discriminant(&old.kind) == std::mem::discriminant(&new.kind)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::{Place as Section, Verdict};

    fn open(section: &str) -> Action {
        Action::Open { place: Section::section(section) }
    }

    fn command(id: &str, label: &str, enabled: bool) -> Item {
        let kind = ItemKind::Command { label: label.to_owned(), enabled, action: Some(open(id)) };
        Item { id: id.to_owned(), kind }
    }

    fn check(id: &str, checked: bool) -> Item {
        let kind = ItemKind::Check { label: id.to_owned(), enabled: true, checked, action: open(id) };
        Item { id: id.to_owned(), kind }
    }

    fn submenu(id: &str, enabled: bool, items: Vec<Item>) -> Item {
        Item { id: id.to_owned(), kind: ItemKind::Submenu { label: id.to_owned(), enabled, items } }
    }

    fn top(index: usize) -> Place {
        Place { submenu: None, index }
    }

    #[test]
    fn an_equal_menu_needs_nothing() {
        let menu = entries(&[command("a", "A", true), submenu("s", true, vec![check("c", true)])]);
        assert_eq!(plan(&menu, &menu), []);
    }

    #[test]
    fn texts_states_and_ticks_are_changed_in_place() {
        let old = entries(&[command("a", "A", true), submenu("s", true, vec![check("c", true)])]);
        let new = entries(&[command("a", "B & C", false), submenu("s", true, vec![check("c", false)])]);
        let inner = Place { submenu: Some(1), index: 0 };
        assert_eq!(
            plan(&old, &new),
            [Change::Label(top(0), "B && C".to_owned()), Change::Enabled(top(0), false), Change::Checked(inner, false),]
        );
    }

    #[test]
    fn one_more_approval_is_one_insert() {
        let row = |n: u32| command(&format!("approval:{n}"), "Review…", true);
        let old = entries(&[submenu("approvals", true, vec![row(1), row(3)]), command("quit", "Quit", true)]);
        let new = entries(&[submenu("approvals", true, vec![row(1), row(2), row(3)]), command("quit", "Quit", true)]);
        let added = entries(&[row(2)]).remove(0);
        assert_eq!(plan(&old, &new), [Change::Insert(Place { submenu: Some(0), index: 1 }, added)]);
        assert_eq!(plan(&new, &old), [Change::Remove(Place { submenu: Some(0), index: 1 })]);
    }

    #[test]
    fn an_item_that_turns_into_another_kind_is_replaced() {
        let (old, new) = (entries(&[command("a", "a", true)]), entries(&[check("a", true)]));
        assert_eq!(plan(&old, &new), [Change::Insert(top(0), new[0].clone()), Change::Remove(top(1))]);
    }

    #[test]
    fn a_new_action_behind_the_same_face_changes_nothing_on_the_desktop() {
        let mut other = command("a", "A", true);
        if let ItemKind::Command { action, .. } = &mut other.kind {
            *action = Some(Action::Quit { keep_running: true });
        }
        assert_eq!(plan(&entries(&[command("a", "A", true)]), &entries(&[other])), []);
    }

    #[test]
    fn only_enabled_items_act() {
        let menu = entries(&[
            command("on", "A", true),
            command("off", "B", false),
            submenu("open", true, vec![check("inner", true)]),
            submenu("shut", false, vec![check("hidden", true)]),
        ]);
        assert_eq!(action(&menu, "on"), Some(&open("on")));
        assert_eq!(action(&menu, "inner"), Some(&open("inner")));
        for id in ["off", "hidden", "open", "unknown"] {
            assert_eq!(action(&menu, id), None, "{id}");
        }
    }

    #[test]
    fn a_menu_never_decides() {
        let decide =
            || Action::Decide { approval_id: "1".to_owned(), digest: "d".to_owned(), verdict: Verdict::Approve };
        let item = Item {
            id: "a".to_owned(),
            kind: ItemKind::Command { label: "Approve".to_owned(), enabled: true, action: Some(decide()) },
        };
        let tick = Item {
            id: "b".to_owned(),
            kind: ItemKind::Check { label: "Approve".to_owned(), enabled: true, checked: false, action: decide() },
        };
        let menu = entries(&[item, tick]);
        assert_eq!((action(&menu, "a"), action(&menu, "b")), (None, None));
    }

    #[test]
    fn deeper_levels_are_shown_in_their_place() {
        let deep = submenu("deep", false, vec![command("x", "X", true)]);
        let flat = flatten(&[command("a", "A", true), deep, command("b", "B", true)]);
        let ids: Vec<_> = flat.iter().map(|entry| (entry.id.as_str(), entry.enabled)).collect();
        assert_eq!(ids, [("a", true), ("x", false), ("b", true)]);
    }

    /// The desktop's side of the contract.
    fn perform(menu: &mut Vec<Entry>, change: Change) {
        fn level(menu: &mut Vec<Entry>, place: Place) -> &mut Vec<Entry> {
            let Some(submenu) = place.submenu else { return menu };
            match &mut menu[submenu].kind {
                Kind::Submenu(inner) => inner,
                other => panic!("not a submenu: {other:?}"),
            }
        }
        match change {
            Change::Remove(place) => drop(level(menu, place).remove(place.index)),
            Change::Insert(place, entry) => level(menu, place).insert(place.index, entry),
            Change::Label(place, label) => level(menu, place)[place.index].label = label,
            Change::Enabled(place, enabled) => level(menu, place)[place.index].enabled = enabled,
            Change::Checked(place, now) => match &mut level(menu, place)[place.index].kind {
                Kind::Check { checked, .. } => *checked = now,
                other => panic!("not a tick: {other:?}"),
            },
        }
    }

    fn leaf() -> impl Strategy<Value = Item> {
        let id = prop::sample::select(vec!["a", "b", "c", "d", "e", "f"]);
        let label = prop::sample::select(vec!["one", "two & three"]);
        (id, label, any::<bool>(), any::<bool>(), 0..3).prop_map(|(id, label, enabled, checked, kind)| match kind {
            0 => Item { id: id.to_owned(), kind: ItemKind::Separator },
            1 => command(id, label, enabled),
            _ => check(id, checked),
        })
    }

    fn items() -> impl Strategy<Value = Vec<Item>> {
        let level = || prop::collection::vec(leaf(), 0..6);
        let sub = (prop::sample::select(vec!["s", "t"]), any::<bool>(), level())
            .prop_map(|(id, enabled, items)| submenu(id, enabled, items));
        prop::collection::vec(prop_oneof![3 => leaf(), 1 => sub], 0..10)
    }

    proptest! {
        #[test]
        fn the_plan_leads_from_any_menu_to_any_other(old in items(), new in items()) {
            let (mut menu, new) = (entries(&old), entries(&new));
            for change in plan(&menu.clone(), &new) {
                perform(&mut menu, change);
            }
            // Same ids have the same actions here.
            prop_assert_eq!(menu, new);
        }

        #[test]
        fn nothing_that_stays_is_touched(menu in items(), at in any::<prop::sample::Index>(), inside in leaf()) {
            let old = entries(&menu);
            let mut new = old.clone();
            new.insert(at.index(old.len() + 1), Entry { id: "new".to_owned(), ..entry(&inside) });
            prop_assert_eq!(plan(&old, &new).len(), 1);
        }
    }
}
