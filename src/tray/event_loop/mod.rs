//! Who drives the icon: a thread of its own on Linux, the main thread on macOS and Windows.

#[cfg(any(target_os = "macos", windows))]
mod desktop;
#[cfg(target_os = "linux")]
mod linux;

use std::sync::Arc;

use tray_icon::{MouseButton, MouseButtonState, TrayIconEvent, menu::MenuEvent};

use super::{
    TrayReport,
    mailbox::{Mailbox, Touch},
    surface::Surface,
};

#[cfg(any(target_os = "macos", windows))]
pub(super) use desktop::run;
#[cfg(target_os = "linux")]
pub(super) use linux::run;

/// Leads the clicks of the libraries into the mailbox.
fn listen(mailbox: &Arc<Mailbox>) {
    let items = Arc::clone(mailbox);
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| items.touch(Touch::Item(event.id.0))));
    // On macOS the same click opens the menu.
    if cfg!(target_os = "macos") {
        return;
    }
    let icon = Arc::clone(mailbox);
    TrayIconEvent::set_event_handler(Some(move |event: TrayIconEvent| {
        if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } = event {
            icon.touch(Touch::Icon);
        }
    }));
}

/// Judges a click against what is shown and reports it.
fn touched(touch: &Touch, surface: Option<&Surface>, report: &impl Fn(TrayReport)) {
    match touch {
        Touch::Icon => report(TrayReport::Activated),
        Touch::Item(id) => {
            if let Some(action) = surface.and_then(|surface| surface.clicked(id)) {
                report(TrayReport::Clicked(action));
            }
        }
    }
}
