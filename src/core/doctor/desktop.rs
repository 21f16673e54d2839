//! Checks of the desktop: bus, tray, notifications, dialogs, browser, start on login.

use super::facts::{Bus, Facts, NotificationServer, Presence, System, TrayHost, Unit};
use super::{About, Check};
use crate::core::notices::{self, Server};

const SESSION_BUS: About = About("session_bus", "Session bus");
const TRAY: About = About("tray", "Tray icon");
const NOTIFICATIONS: About = About("notifications", "Notifications");
const DIALOGS: About = About("dialogs", "Dialogs");
const BROWSER_OPENER: About = About("browser_opener", "Opening pages");
const LOGIN_START: About = About("login_start", "Start on login");

/// What is left without an icon.
const UNTIL_THEN: &str = "Until then notifications and the command line do everything";

/// All of them.
pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let desktop = &facts.desktop;
    vec![
        session_bus(facts),
        tray(facts),
        notifications(facts),
        match (desktop.display, &desktop.dialogs) {
            _ if facts.system != System::Linux => DIALOGS.ok("the system has its own"),
            (false, _) => DIALOGS.skipped("no display can be reached from here; questions are asked on the terminal"),
            (true, Ok(Some(program))) => DIALOGS.ok(format!("are shown by {}", program.display())),
            (true, Ok(None)) => DIALOGS.warning(
                "no program for them is installed; questions are asked on a terminal or in the dashboard",
                "Install zenity, or kdialog on KDE (Debian: sudo apt install zenity)",
            ),
            (true, Err(why)) => DIALOGS.unknown(why),
        },
        match (desktop.display, &desktop.opener) {
            _ if facts.system != System::Linux => BROWSER_OPENER.ok("the system does it"),
            (_, Ok(Some(opener))) => BROWSER_OPENER.ok(format!("done by {opener}")),
            (false, Ok(None)) => BROWSER_OPENER.skipped("no display can be reached from here"),
            (true, Ok(None)) => BROWSER_OPENER.warning(
                "nothing that opens a page in a browser is installed",
                "Install xdg-utils and a browser, or set BROWSER to one",
            ),
            (_, Err(why)) => BROWSER_OPENER.unknown(why),
        },
        login_start(facts),
    ]
}

fn session_bus(facts: &Facts) -> Check {
    match &facts.desktop.bus {
        None => SESSION_BUS.skipped("this system has none"),
        Some(Err(why)) => SESSION_BUS.unknown(why),
        Some(Ok(Bus::Up(_))) => SESSION_BUS.ok("answers"),
        Some(Ok(Bus::Absent(why))) => SESSION_BUS.warning(
            format!("cannot be reached from here ({why}): no icon, no notifications, no keyring"),
            "On a desktop: sign out and in. Over SSH or without a desktop the command line does everything",
        ),
    }
}

fn tray(facts: &Facts) -> Check {
    let agent = facts.agent.snapshot().map(|snapshot| &snapshot["tray"]);
    let shown = agent.and_then(|tray| tray["present"].as_bool());
    let detail = agent.and_then(|tray| tray["detail"].as_str()).unwrap_or_default();
    let remedy = || format!("{}. {UNTIL_THEN}", tray_remedy(&facts.desktop.name));
    let host = match &facts.desktop.bus {
        _ if shown == Some(true) => return TRAY.ok("a panel shows it"),
        None => return TRAY.skipped("the system's own; seen only by the agent"),
        Some(Err(why)) => return TRAY.unknown(why),
        Some(Ok(Bus::Absent(_))) if shown.is_none() => {
            return TRAY.skipped("no session bus can be reached from here");
        }
        Some(Ok(Bus::Absent(_))) => return TRAY.warning(format!("not shown: {detail}"), UNTIL_THEN),
        Some(Ok(Bus::Up(on))) => &on.tray,
    };
    match (host, shown) {
        (Err(why), _) => TRAY.unknown(why),
        (Ok(TrayHost::Present), Some(false)) => TRAY.warning(
            format!("a panel shows tray icons, but not the agent's: {detail}"),
            "Start the agent anew in this session: palyra-tray quit --keep-running, then: palyra-tray run",
        ),
        (Ok(TrayHost::Present), _) => TRAY.ok("a panel shows tray icons"),
        (Ok(TrayHost::NoHost), _) => TRAY.warning("icons are collected, but no panel shows them", remedy()),
        (Ok(TrayHost::NoWatcher), _) => TRAY.warning("nobody shows tray icons on this desktop", remedy()),
    }
}

/// What a person does to see tray icons.
fn tray_remedy(desktop: &str) -> &'static str {
    let name = desktop.to_lowercase();
    let is = |names: &[&str]| names.iter().any(|one| name.contains(one));
    if is(&["gnome", "ubuntu", "unity"]) {
        "Install the AppIndicator extension (package gnome-shell-extension-appindicator), sign out and in, and switch it \
         on in the app Extensions, or with: gnome-extensions enable ubuntu-appindicators@ubuntu.com (Debian, Ubuntu) or \
         appindicatorsupport@rgcjonas.gmail.com (elsewhere)"
    } else if is(&["kde", "plasma"]) {
        "Add the widget System Tray to a panel"
    } else if is(&["xfce"]) {
        "Add the item Status Tray Plugin to the panel"
    } else if is(&["mate"]) {
        "Add the applet Notification Area to the panel"
    } else if is(&["cinnamon"]) {
        "Add the applet XApp Status to the panel"
    } else if is(&["lxqt"]) {
        "Add the plugin Status Notifier to the panel"
    } else if is(&["sway", "hyprland", "river", "niri", "labwc", "wayfire", "wlroots", "dwl"]) {
        "Run a bar with a tray: in Waybar put \"tray\" into modules-right; in swaybar set tray_output * in the bar block"
    } else {
        "Run a panel or bar that shows StatusNotifier icons, such as xfce4-panel, lxqt-panel or Waybar with its module tray"
    }
}

fn notifications(facts: &Facts) -> Check {
    let on = match &facts.desktop.bus {
        None => return NOTIFICATIONS.ok("the system has its own; approvals are decided in the dashboard"),
        Some(Err(why)) => return NOTIFICATIONS.unknown(why),
        Some(Ok(Bus::Absent(_))) => return NOTIFICATIONS.skipped("no session bus can be reached from here"),
        Some(Ok(Bus::Up(on))) => on,
    };
    NOTIFICATIONS.of(&on.notifications, |about, server| match server {
        Presence::Absent => about.warning(
            "no server shows them; approvals wait in the menu, the dashboard and palyra-tray approvals list",
            "Install one that fits your desktop, such as dunst, mako or xfce4-notifyd",
        ),
        Presence::Startable => about.ok("a server is installed; it starts with the first notification"),
        Presence::Running(server) => running(about, server),
    })
}

fn running(about: About, server: &NotificationServer) -> Check {
    let name = format!("{} {}", server.name, server.version);
    let name = name.trim();
    if server.quiet == Some(true) {
        return about.warning(
            format!("{name} shows none now: Do Not Disturb is on"),
            "Switch it off to see approvals as they come; until then: palyra-tray approvals list",
        );
    }
    if !server.actions {
        return about.warning(
            format!("{name} shows them without buttons"),
            "Decide in the dashboard or a terminal (palyra-tray approvals list); dunst, mako and xfce4-notifyd have buttons",
        );
    }
    let known = Server { name: server.name.clone(), actions: true, withdraws: true };
    about.ok(if notices::decides(&known) {
        format!("{name} shows them with buttons; what it shows whole can be approved in it")
    } else {
        format!("{name} shows them with buttons; how much it shows is not known, so approvals are reviewed elsewhere")
    })
}

fn login_start(facts: &Facts) -> Check {
    let unit = match &facts.desktop.bus {
        Some(Ok(Bus::Up(on))) => on.unit.as_ref().ok().and_then(Option::as_ref),
        _ => None,
    };
    if unit.is_some_and(|unit| unit.active == "failed") {
        return LOGIN_START.warning(
            "systemd says that palyra-tray.service failed",
            "See why: journalctl --user -u palyra-tray -n 30. Then: systemctl --user restart palyra-tray",
        );
    }
    let is_enabled = |unit: &Unit| unit.enabled.starts_with("enabled");
    let on = |how: &str, unit: Option<&Unit>| match how {
        "" if unit.is_some_and(is_enabled) => "on, by a systemd user unit".to_owned(),
        "" => "on".to_owned(),
        how => format!("on, by {how}"),
    };
    match (&facts.login, unit) {
        (Some(Ok(login)), _) if !login.problem.is_empty() => {
            LOGIN_START.warning(&login.problem, "Set it anew: palyra-tray autostart on")
        }
        (Some(Ok(login)), _) if login.on => LOGIN_START.ok(on(&login.how, unit)),
        (None, Some(unit)) if is_enabled(unit) => LOGIN_START.ok(on("", Some(unit))),
        (Some(Ok(_)), _) => LOGIN_START.ok("off, as long as you do not ask for it"),
        (Some(Err(why)), _) => LOGIN_START.unknown(why),
        (None, Some(_)) => LOGIN_START.ok("not by systemd"),
        (None, None) => LOGIN_START.skipped("nothing is known of it here"),
    }
}
