//! Checks of the desktop: bus, tray, notifications, dialogs, browser, start on login.

use super::facts::{Bus, Facts, NotificationServer, Presence, System, TrayHost, Unit};
use super::{About, Check};
use crate::core::notices::{self, Server};
use crate::words;

const SESSION_BUS: About = About("session_bus", words::checks::desktop::SESSION_BUS);
const TRAY: About = About("tray", words::checks::desktop::TRAY_ICON);
const NOTIFICATIONS: About = About("notifications", words::common::NOTIFICATIONS);
const DIALOGS: About = About("dialogs", words::checks::desktop::DIALOGS);
const BROWSER_OPENER: About = About("browser_opener", words::checks::desktop::OPENING_PAGES);
const LOGIN_START: About = About("login_start", words::common::START_ON_LOGIN);

/// All of them.
pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let desktop = &facts.desktop;
    vec![
        session_bus(facts),
        tray(facts),
        notifications(facts),
        match (desktop.display, &desktop.dialogs) {
            _ if facts.system != System::Linux => DIALOGS.ok(words::checks::desktop::DIALOGS_OF_SYSTEM),
            (false, _) => DIALOGS.skipped(words::checks::desktop::NO_DISPLAY_CAN_BE_REACHED_FROM_HERE),
            (true, Ok(Some(program))) => DIALOGS.ok(words::checks::desktop::are_shown(program.display())),
            (true, Ok(None)) => DIALOGS.warning(
                words::checks::desktop::NO_PROGRAM_FOR_THEM_IS_INSTALLED,
                words::checks::desktop::INSTALL_ZENITY_OR_KDIALOG_ON_KDE,
            ),
            (true, Err(why)) => DIALOGS.unknown(why),
        },
        match (desktop.display, &desktop.opener) {
            _ if facts.system != System::Linux => BROWSER_OPENER.ok(words::checks::desktop::SYSTEM_DOES),
            (_, Ok(Some(opener))) => BROWSER_OPENER.ok(words::checks::desktop::done_by(opener)),
            (false, Ok(None)) => BROWSER_OPENER.skipped(words::checks::desktop::NO_DISPLAY_CAN_BE_REACHED),
            (true, Ok(None)) => BROWSER_OPENER.warning(
                words::checks::desktop::NOTHING_THAT_OPENS_PAGE_IN_BROWSER,
                words::checks::desktop::INSTALL_XDG_UTILS_AND_BROWSER,
            ),
            (_, Err(why)) => BROWSER_OPENER.unknown(why),
        },
        login_start(facts),
    ]
}

fn session_bus(facts: &Facts) -> Check {
    match &facts.desktop.bus {
        None => SESSION_BUS.skipped(words::checks::desktop::THIS_SYSTEM_HAS_NONE),
        Some(Err(why)) => SESSION_BUS.unknown(why),
        Some(Ok(Bus::Up(_))) => SESSION_BUS.ok("answers"),
        Some(Ok(Bus::Absent(why))) => SESSION_BUS.warning(
            words::checks::desktop::cannot_be_reached_from_here(why),
            words::checks::desktop::ON_DESKTOP_SIGN_OUT,
        ),
    }
}

fn tray(facts: &Facts) -> Check {
    let agent = facts.agent.snapshot().map(|snapshot| &snapshot["tray"]);
    let shown = agent.and_then(|tray| tray["present"].as_bool());
    let detail = agent.and_then(|tray| tray["detail"].as_str()).unwrap_or_default();
    let remedy = || format!("{}. {}", tray_remedy(&facts.desktop.name), words::checks::desktop::UNTIL_THEN);
    let host = match &facts.desktop.bus {
        _ if shown == Some(true) => return TRAY.ok(words::checks::desktop::PANEL_SHOWS),
        None => return TRAY.skipped(words::checks::desktop::SYSTEMS_OWN_SEEN_ONLY_BY_AGENT),
        Some(Err(why)) => return TRAY.unknown(why),
        Some(Ok(Bus::Absent(_))) if shown.is_none() => {
            return TRAY.skipped(words::checks::desktop::NO_SESSION_BUS_CAN_BE_REACHED);
        }
        Some(Ok(Bus::Absent(_))) => {
            return TRAY.warning(words::checks::desktop::not_shown(detail), words::checks::desktop::UNTIL_THEN);
        }
        Some(Ok(Bus::Up(on))) => &on.tray,
    };
    match (host, shown) {
        (Err(why), _) => TRAY.unknown(why),
        (Ok(TrayHost::Present), Some(false)) => TRAY.warning(
            words::checks::desktop::panel_shows_tray_icons_but_not_agents(detail),
            words::checks::desktop::START_AGENT_ANEW_IN_THIS_SESSION,
        ),
        (Ok(TrayHost::Present), _) => TRAY.ok(words::checks::desktop::PANEL_SHOWS_TRAY_ICONS),
        (Ok(TrayHost::NoHost), _) => TRAY.warning(words::checks::desktop::ICONS_ARE_COLLECTED, remedy()),
        (Ok(TrayHost::NoWatcher), _) => TRAY.warning(words::checks::desktop::NOBODY_SHOWS_TRAY_ICONS, remedy()),
    }
}

/// What a person does to see tray icons.
fn tray_remedy(desktop: &str) -> &'static str {
    let name = desktop.to_lowercase();
    let is = |names: &[&str]| names.iter().any(|one| name.contains(one));
    if is(&["gnome", "ubuntu", "unity"]) {
        words::checks::desktop::INSTALL_APPINDICATOR_EXTENSION_PACKAGE
    } else if is(&["kde", "plasma"]) {
        words::checks::desktop::ADD_WIDGET_SYSTEM_TRAY_TO_PANEL
    } else if is(&["xfce"]) {
        words::checks::desktop::ADD_ITEM_STATUS_TRAY_PLUGIN
    } else if is(&["mate"]) {
        words::checks::desktop::ADD_APPLET_NOTIFICATION_AREA_TO_PANEL
    } else if is(&["cinnamon"]) {
        words::checks::desktop::ADD_APPLET_XAPP_STATUS_TO_PANEL
    } else if is(&["lxqt"]) {
        words::checks::desktop::ADD_PLUGIN_STATUS_NOTIFIER_TO_PANEL
    } else if is(&["sway", "hyprland", "river", "niri", "labwc", "wayfire", "wlroots", "dwl"]) {
        words::checks::desktop::RUN_BAR_WITH_TRAY
    } else {
        words::checks::desktop::RUN_PANEL_OR_BAR_THAT_SHOWS
    }
}

fn notifications(facts: &Facts) -> Check {
    let on = match &facts.desktop.bus {
        None => return NOTIFICATIONS.ok(words::checks::desktop::NOTIFICATIONS_OF_SYSTEM),
        Some(Err(why)) => return NOTIFICATIONS.unknown(why),
        Some(Ok(Bus::Absent(_))) => {
            return NOTIFICATIONS.skipped(words::checks::desktop::NO_SESSION_BUS_CAN_BE_REACHED);
        }
        Some(Ok(Bus::Up(on))) => on,
    };
    NOTIFICATIONS.of(&on.notifications, |about, server| match server {
        Presence::Absent => about.warning(
            words::checks::desktop::NO_SERVER_SHOWS_THEM,
            words::checks::desktop::INSTALL_ONE_THAT_FITS_YOUR_DESKTOP,
        ),
        Presence::Startable => about.ok(words::checks::desktop::SERVER_IS_INSTALLED),
        Presence::Running(server) => running(about, server),
    })
}

fn running(about: About, server: &NotificationServer) -> Check {
    let name = format!("{} {}", server.name, server.version);
    let name = name.trim();
    if server.quiet == Some(true) {
        return about.warning(
            words::checks::desktop::shows_none_now(name),
            words::checks::desktop::SWITCH_IT_OFF_TO_SEE_APPROVALS,
        );
    }
    if !server.actions {
        return about.warning(
            words::checks::desktop::shows_them_without_buttons(name),
            words::checks::desktop::DECIDE_IN_DASHBOARD_OR_TERMINAL_APPROVALS,
        );
    }
    let known = Server { name: server.name.clone(), actions: true, withdraws: true };
    about.ok(if notices::decides(&known) {
        words::checks::desktop::shows_them_with_buttons_what(name)
    } else {
        words::checks::desktop::shows_them_with_buttons(name)
    })
}

fn login_start(facts: &Facts) -> Check {
    let unit = match &facts.desktop.bus {
        Some(Ok(Bus::Up(on))) => on.unit.as_ref().ok().and_then(Option::as_ref),
        _ => None,
    };
    if unit.is_some_and(|unit| unit.active == "failed") {
        return LOGIN_START
            .warning(words::checks::desktop::SYSTEMD_SAYS, words::checks::desktop::SEE_WHY_JOURNALCTL_USER_U_N);
    }
    let is_enabled = |unit: &Unit| unit.enabled.starts_with("enabled");
    let on = |how: &str, unit: Option<&Unit>| match how {
        "" if unit.is_some_and(is_enabled) => words::checks::desktop::ON_BY_SYSTEMD_USER_UNIT.to_owned(),
        "" => "on".to_owned(),
        how => format!("on, by {how}"),
    };
    match (&facts.login, unit) {
        (Some(Ok(login)), _) if !login.problem.is_empty() => {
            LOGIN_START.warning(&login.problem, words::checks::desktop::SET_IT_ANEW)
        }
        (Some(Ok(login)), _) if login.on => LOGIN_START.ok(on(&login.how, unit)),
        (None, Some(unit)) if is_enabled(unit) => LOGIN_START.ok(on("", Some(unit))),
        (Some(Ok(_)), _) => LOGIN_START.ok(words::checks::desktop::OFF_AS_LONG_AS_YOU_DO),
        (Some(Err(why)), _) => LOGIN_START.unknown(why),
        (None, Some(_)) => LOGIN_START.ok(words::checks::desktop::NOT_BY_SYSTEMD),
        (None, None) => LOGIN_START.skipped(words::checks::desktop::NOTHING_IS_KNOWN_OF_IT_HERE),
    }
}
