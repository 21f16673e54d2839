//! The icon and its menu on the desktop, and what they show now. Lives in one thread: the handles cannot be sent.

use tray_icon::{
    Icon, TrayIcon, TrayIconBuilder,
    menu::{CheckMenuItem, IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu},
};

use super::{
    icon::{self, Picture, Rgba},
    menu::{self, Change, Entry, Kind, Place},
    text,
};
use crate::{config::settings::Panel, core::view::View, protocol::Action};

/// Named to the host, which may keep the icon's place by it.
const ID: &str = "palyra-tray";

/// Pixels along a side. Only one picture can be given to any back end. 48 is exactly twice the 24 pixels of most Linux
/// panels and what they want at twice the density; the menu bar of macOS takes 22 points, and Windows 16 to 32 pixels.
const SIZE: u32 = if cfg!(windows) { 32 } else { 48 };

/// An icon that is there.
pub(super) struct Surface {
    tray: TrayIcon,
    menu: Menu,
    nodes: Vec<Node>,
    shown: Vec<Entry>,
    tooltip: String,
    picture: Picture,
    panel: Panel,
    /// Of two pictures that look the same, the second was sent last.
    twin: bool,
}

/// One entry on the desktop.
enum Node {
    Separator(PredefinedMenuItem),
    Command(MenuItem),
    Check(CheckMenuItem),
    Submenu(Submenu, Vec<Node>),
}

impl Surface {
    /// Puts up an icon that shows `view`.
    pub(super) fn build(panel: Panel, view: &View) -> Result<Self, tray_icon::Error> {
        let shown = menu::entries(&view.menu);
        let (menu, nodes) = build_menu(&shown);
        let tooltip = text::tooltip(&view.tooltip);
        let picture = Picture::from(view.icon);
        let mut builder = TrayIconBuilder::new()
            .with_id(ID)
            .with_menu(Box::new(menu.clone()))
            .with_menu_on_left_click(cfg!(target_os = "macos"))
            .with_tooltip(&tooltip);
        if cfg!(target_os = "linux") {
            // On macOS it would stand beside the icon.
            builder = builder.with_title("Palyra");
        }
        if let Some(icon) = draw(panel, picture, false) {
            builder = builder.with_icon(icon);
        }
        Ok(Self { tray: builder.build()?, menu, nodes, shown, tooltip, picture, panel, twin: false })
    }

    /// Sends what differs; tells whether there was anything.
    pub(super) fn show(&mut self, view: &View) -> bool {
        let mut sent = false;
        let picture = Picture::from(view.icon);
        if picture != self.picture {
            self.picture = picture;
            sent = true;
            if let Err(error) = self.tray.set_icon(draw(self.panel, picture, self.twin)) {
                tracing::warn!(%error, "the tray icon was not changed");
            }
        }
        let tooltip = text::tooltip(&view.tooltip);
        if tooltip != self.tooltip {
            sent = true;
            if let Err(error) = self.tray.set_tooltip(Some(&tooltip)) {
                tracing::warn!(%error, "the tooltip was not changed");
            }
            self.tooltip = tooltip;
        }
        let entries = menu::entries(&view.menu);
        let changes = menu::plan(&self.shown, &entries);
        sent |= !changes.is_empty();
        if !self.perform(changes) {
            tracing::warn!("the menu could not be changed in place and is built anew");
            (self.menu, self.nodes) = build_menu(&entries);
            self.tray.set_menu(Some(Box::new(self.menu.clone())));
        }
        self.shown = entries;
        sent
    }

    /// What the icon shows.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only hosts of Linux lose pictures"))]
    pub(super) const fn picture(&self) -> Picture {
        self.picture
    }

    /// Sends the picture once more. As only a change is sent, it differs where nobody sees it.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only hosts of Linux lose pictures"))]
    pub(super) fn draw_again(&mut self) {
        self.twin = !self.twin;
        if let Err(error) = self.tray.set_icon(draw(self.panel, self.picture, self.twin)) {
            tracing::warn!(%error, "the tray icon was not sent again");
        }
    }

    /// What a click on the item `id` asks for, see [`menu::action`]. Ticks set themselves when clicked; that is taken
    /// back, the next view tells what became of it.
    pub(super) fn clicked(&self, id: &str) -> Option<Action> {
        restore(&self.nodes, &self.shown, id);
        menu::action(&self.shown, id).cloned()
    }

    fn perform(&mut self, changes: Vec<Change>) -> bool {
        changes.into_iter().all(|change| match change {
            Change::Remove(place) => self.remove(place),
            Change::Insert(place, entry) => self.insert(place, &entry),
            Change::Label(place, label) => self.node(place).is_some_and(|node| node.set_label(&label)),
            Change::Enabled(place, enabled) => self.node(place).is_some_and(|node| node.set_enabled(enabled)),
            Change::Checked(place, checked) => match self.node(place) {
                Some(Node::Check(item)) => {
                    item.set_checked(checked);
                    true
                }
                _ => false,
            },
        })
    }

    fn node(&self, place: Place) -> Option<&Node> {
        match place.submenu {
            None => self.nodes.get(place.index),
            Some(submenu) => match self.nodes.get(submenu)? {
                Node::Submenu(_, inner) => inner.get(place.index),
                _ => None,
            },
        }
    }

    fn remove(&mut self, Place { submenu, index }: Place) -> bool {
        let (removed, nodes) = match submenu {
            None => (self.menu.remove_at(index), &mut self.nodes),
            Some(submenu) => match self.nodes.get_mut(submenu) {
                Some(Node::Submenu(submenu, inner)) => (submenu.remove_at(index), inner),
                _ => return false,
            },
        };
        if removed.is_none() || index >= nodes.len() {
            return false;
        }
        nodes.remove(index);
        true
    }

    fn insert(&mut self, Place { submenu, index }: Place, entry: &Entry) -> bool {
        let node = build_node(entry);
        let (inserted, nodes) = match submenu {
            None if index <= self.nodes.len() => (self.menu.insert(node.item(), index), &mut self.nodes),
            Some(submenu) => match self.nodes.get_mut(submenu) {
                Some(Node::Submenu(submenu, inner)) if index <= inner.len() => {
                    (submenu.insert(node.item(), index), inner)
                }
                _ => return false,
            },
            None => return false,
        };
        if let Err(error) = inserted {
            tracing::warn!(%error, id = entry.id, "a menu item could not be inserted");
            return false;
        }
        nodes.insert(index, node);
        true
    }
}

impl Node {
    fn item(&self) -> &dyn IsMenuItem {
        match self {
            Self::Separator(item) => item,
            Self::Command(item) => item,
            Self::Check(item) => item,
            Self::Submenu(item, _) => item,
        }
    }

    fn set_label(&self, label: &str) -> bool {
        match self {
            Self::Separator(_) => return false,
            Self::Command(item) => item.set_text(label),
            Self::Check(item) => item.set_text(label),
            Self::Submenu(item, _) => item.set_text(label),
        }
        true
    }

    fn set_enabled(&self, enabled: bool) -> bool {
        match self {
            Self::Separator(_) => return false,
            Self::Command(item) => item.set_enabled(enabled),
            Self::Check(item) => item.set_enabled(enabled),
            Self::Submenu(item, _) => item.set_enabled(enabled),
        }
        true
    }
}

fn build_menu(entries: &[Entry]) -> (Menu, Vec<Node>) {
    let menu = Menu::new();
    let nodes = entries.iter().map(build_node).collect::<Vec<_>>();
    for node in &nodes {
        if let Err(error) = menu.append(node.item()) {
            tracing::warn!(%error, "a menu item could not be added");
        }
    }
    (menu, nodes)
}

fn build_node(entry: &Entry) -> Node {
    let (id, label, enabled) = (entry.id.as_str(), &entry.label, entry.enabled);
    match &entry.kind {
        Kind::Separator => Node::Separator(PredefinedMenuItem::separator()),
        Kind::Command(_) => Node::Command(MenuItem::with_id(id, label, enabled, None)),
        Kind::Check { checked, .. } => Node::Check(CheckMenuItem::with_id(id, label, enabled, *checked, None)),
        Kind::Submenu(entries) => {
            let submenu = Submenu::with_id(id, label, enabled);
            let inner = entries.iter().map(build_node).collect::<Vec<_>>();
            for node in &inner {
                if let Err(error) = submenu.append(node.item()) {
                    tracing::warn!(%error, "a menu item could not be added");
                }
            }
            Node::Submenu(submenu, inner)
        }
    }
}

fn restore(nodes: &[Node], entries: &[Entry], id: &str) {
    for (node, entry) in nodes.iter().zip(entries) {
        match (node, &entry.kind) {
            (Node::Check(item), Kind::Check { checked, .. }) if entry.id == id => item.set_checked(*checked),
            (Node::Submenu(_, nodes), Kind::Submenu(entries)) => restore(nodes, entries, id),
            _ => {}
        }
    }
}

/// The picture; its twin has another colour in a pixel that is wholly transparent.
fn draw(panel: Panel, picture: Picture, twin: bool) -> Option<Icon> {
    let Rgba { size, mut pixels } = icon::compose(panel, SIZE, picture);
    if twin && let Some(unseen) = pixels.chunks_exact_mut(4).find(|pixel| pixel[3] == 0) {
        unseen[0] ^= 1;
    }
    Icon::from_rgba(pixels, size, size).inspect_err(|error| tracing::error!(%error, "the icon is not a picture")).ok()
}
