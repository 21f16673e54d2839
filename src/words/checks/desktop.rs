//! The checks of the desktop.

use std::fmt::Display;

pub const SESSION_BUS: &str = "Session bus";
pub const TRAY_ICON: &str = "Tray icon";
pub const OPENING_PAGES: &str = "Opening pages";
pub const UNTIL_THEN: &str = "Until then notifications and the command line do everything";
pub const DIALOGS_OF_SYSTEM: &str = "the system has its own";
pub const NO_DISPLAY_CAN_BE_REACHED_FROM_HERE: &str =
    "no display can be reached from here; questions are asked on the terminal";

pub fn are_shown(program: impl Display) -> String {
    format!("are shown by {program}")
}

pub const NO_PROGRAM_FOR_THEM_IS_INSTALLED: &str =
    "no program for them is installed; questions are asked on a terminal or in the dashboard";
pub const INSTALL_ZENITY_OR_KDIALOG_ON_KDE: &str =
    "Install zenity, or kdialog on KDE (Debian: sudo apt install zenity)";
pub const SYSTEM_DOES: &str = "the system does it";

pub fn done_by(opener: impl Display) -> String {
    format!("done by {opener}")
}

pub const NO_DISPLAY_CAN_BE_REACHED: &str = "no display can be reached from here";
pub const NOTHING_THAT_OPENS_PAGE_IN_BROWSER: &str = "nothing that opens a page in a browser is installed";
pub const INSTALL_XDG_UTILS_AND_BROWSER: &str = "Install xdg-utils and a browser, or set BROWSER to one";
pub const THIS_SYSTEM_HAS_NONE: &str = "this system has none";

pub fn cannot_be_reached_from_here(why: impl Display) -> String {
    format!("cannot be reached from here ({why}): no icon, no notifications, no keyring")
}

pub const ON_DESKTOP_SIGN_OUT: &str =
    "On a desktop: sign out and in. Over SSH or without a desktop the command line does everything";
pub const PANEL_SHOWS: &str = "a panel shows it";
pub const SYSTEMS_OWN_SEEN_ONLY_BY_AGENT: &str = "the system's own; only Palyra Tray sees it";

pub fn not_shown(detail: impl Display) -> String {
    format!("not shown: {detail}")
}

pub fn panel_shows_tray_icons_but_not_agents(detail: impl Display) -> String {
    format!("a panel shows tray icons, but not ours: {detail}")
}

pub const START_AGENT_ANEW_IN_THIS_SESSION: &str =
    "Restart Palyra Tray in this session: palyra-tray quit --keep-running, then: palyra-tray run";
pub const PANEL_SHOWS_TRAY_ICONS: &str = "a panel shows tray icons";
pub const ICONS_ARE_COLLECTED: &str = "icons are collected, but no panel shows them";
pub const NOBODY_SHOWS_TRAY_ICONS: &str = "nobody shows tray icons on this desktop";
pub const INSTALL_APPINDICATOR_EXTENSION_PACKAGE: &str = "Install the AppIndicator extension (package \
     gnome-shell-extension-appindicator), sign out and in, and switch it on in the app Extensions, or with: \
     gnome-extensions enable ubuntu-appindicators@ubuntu.com (Debian, Ubuntu) or \
     appindicatorsupport@rgcjonas.gmail.com (elsewhere)";
pub const ADD_WIDGET_SYSTEM_TRAY_TO_PANEL: &str = "Add the widget System Tray to a panel";
pub const ADD_ITEM_STATUS_TRAY_PLUGIN: &str = "Add the item Status Tray Plugin to the panel";
pub const ADD_APPLET_NOTIFICATION_AREA_TO_PANEL: &str = "Add the applet Notification Area to the panel";
pub const ADD_APPLET_XAPP_STATUS_TO_PANEL: &str = "Add the applet XApp Status to the panel";
pub const ADD_PLUGIN_STATUS_NOTIFIER_TO_PANEL: &str = "Add the plugin Status Notifier to the panel";
pub const RUN_BAR_WITH_TRAY: &str =
    "Run a bar with a tray: in Waybar put \"tray\" into modules-right; in swaybar set tray_output * in the bar block";
pub const RUN_PANEL_OR_BAR_THAT_SHOWS: &str = "Run a panel or bar that shows StatusNotifier icons, such as \
     xfce4-panel, lxqt-panel or Waybar with its module tray";
pub const NOTIFICATIONS_OF_SYSTEM: &str = "the system has its own; approvals are decided in the dashboard";
pub const NO_SESSION_BUS_CAN_BE_REACHED: &str = "no session bus can be reached from here";
pub const NO_SERVER_SHOWS_THEM: &str =
    "no server shows them; approvals wait in the menu, the dashboard and palyra-tray approvals list";
pub const INSTALL_ONE_THAT_FITS_YOUR_DESKTOP: &str =
    "Install one that fits your desktop, such as dunst, mako or xfce4-notifyd";
pub const SERVER_IS_INSTALLED: &str = "a server is installed; it starts with the first notification";

pub fn shows_none_now(name: impl Display) -> String {
    format!("{name} shows none now: Do Not Disturb is on")
}

pub const SWITCH_IT_OFF_TO_SEE_APPROVALS: &str =
    "Switch it off to see approvals as they come; until then: palyra-tray approvals list";

pub fn shows_them_without_buttons(name: impl Display) -> String {
    format!("{name} shows them without buttons")
}

pub const DECIDE_IN_DASHBOARD_OR_TERMINAL_APPROVALS: &str =
    "Decide in the dashboard or a terminal (palyra-tray approvals list); dunst, mako and xfce4-notifyd have buttons";

pub fn shows_them_with_buttons_what(name: impl Display) -> String {
    format!("{name} shows them with buttons; what it shows whole can be approved in it")
}

pub fn shows_them_with_buttons(name: impl Display) -> String {
    format!("{name} shows them with buttons; how much it shows is not known, so approvals are reviewed elsewhere")
}

pub const SYSTEMD_SAYS: &str = "systemd says that palyra-tray.service failed";
pub const SEE_WHY_JOURNALCTL_USER_U_N: &str =
    "See why: journalctl --user -u palyra-tray -n 30. Then: systemctl --user restart palyra-tray";
pub const ON_BY_SYSTEMD_USER_UNIT: &str = "on, by a systemd user unit";
pub const SET_IT_ANEW: &str = "Set it anew: palyra-tray autostart on";
pub const OFF_AS_LONG_AS_YOU_DO: &str = "off, as long as you do not ask for it";
pub const NOT_BY_SYSTEMD: &str = "not by systemd";
pub const NOTHING_IS_KNOWN_OF_IT_HERE: &str = "nothing is known of it here";
pub const DIALOGS: &str = "Dialogs";
