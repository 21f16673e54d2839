//! Start on login.

use std::fmt::Display;

pub const FOR_REAL_ONE: &str = "For the real one, unset PALYRA_STATE_ROOT and try again.";

pub fn has_characters_that_login_entry_cannot(what: impl Display) -> String {
    format!("{what} has characters that a login entry cannot hold; give it a plainer name")
}

pub const PATH_OF: &str = "the path of palyra-tray";

pub fn has_in(what: impl Display, c: impl Display) -> String {
    format!("{what} has a {c} in it, which desktops read differently; give it a plainer name")
}

pub const SYSTEMD_USER_SERVICE: &str = "systemd user service";
pub const AUTOSTART_ENTRY_OF_DESKTOP: &str = "autostart entry of the desktop";
pub const LAUNCH_AGENT: &str = "launch agent";
pub const RUN_KEY_OF_YOUR_ACCOUNT: &str = "Run key of your account";

pub fn palyra_tray_starts_at_every_login(way: impl Display) -> String {
    format!("Palyra Tray starts at every login ({way}).")
}

pub const PALYRA_TRAY_DOES_NOT_START: &str = "Palyra Tray does not start at login.";

pub fn is_foreign(unit_path: impl Display) -> String {
    format!("{unit_path} is not of Palyra Tray's making.")
}

pub const ITS_AUTOSTART_ENTRY_IS_SWITCHED_OFF: &str = "Its autostart entry is switched off in the desktop's settings.";

pub fn may_not_read_such_entries(desktop: impl Display) -> String {
    format!(
        "{desktop} may not read such entries: if nothing starts, have it run \"palyra-tray run\" by its own \
         configuration."
    )
}

pub const LOGIN_WITHOUT_DESKTOP: &str = "A login without a desktop, over SSH for example, does not start it.";

pub fn systemd_user_service_is_switched(desktop: impl Display) -> String {
    format!(
        "A systemd user service is switched on, but this desktop ({desktop}) does not start it: switch it on again \
         here."
    )
}

pub const ITS_SYSTEMD_USER_SERVICE_IS_MASKED: &str = "Its systemd user service is masked.";

pub fn systemd_user_service_is_masked(unit: impl Display) -> String {
    format!(
        "the systemd user service is masked, which forbids to start it; allow it first: systemctl --user unmask {unit}"
    )
}

pub fn or_enable_it_yourself(unit: impl Display) -> String {
    format!("or enable it yourself: systemctl --user enable {unit}")
}

pub const THEN_TRY_AGAIN: &str = "then try again";

pub fn it_was_switched(how: impl Display) -> String {
    format!("it was switched on, but that had no effect. {how}")
}

pub fn foreign_unit_still_starts(unit_path: impl Display, unit: impl Display) -> String {
    format!(
        "{unit_path} is not of Palyra Tray's making and still starts it; to end that: systemctl --user disable {unit}"
    )
}

pub fn it_is_switched_on_for_every(unit: impl Display) -> String {
    format!("it is switched on for every user of this machine; to end it for you alone: systemctl --user mask {unit}")
}

pub fn foreign_entry_still_starts(entry_path: impl Display) -> String {
    format!(
        "{entry_path} is not of Palyra Tray's making and still starts it; remove it, or switch it off in the \
         desktop's settings"
    )
}

pub fn foreign_was_left(path: impl Display, or: impl Display) -> String {
    format!("{path} is not of Palyra Tray's making, so it was left as it is; remove or rename it, {or}")
}

pub const COMMENT: &str = "Written by Palyra Tray. To remove it: palyra-tray autostart off";
pub const WHAT_IT_DOES: &str = "Keep Palyra running, answer its approvals and open its dashboard";

pub fn is_not_there_any_more(executable: impl Display) -> String {
    format!("{executable} is not there any more, so nothing could start it; start the new Palyra Tray and try again")
}

pub const NO_HOME_DIRECTORY_IS_KNOWN: &str = "no home directory is known; set HOME and try again";

pub fn login_entry_cannot_be_written(error: impl Display) -> String {
    format!("the login entry cannot be written: {error}; mend that and try again")
}

pub fn cannot_be_removed(path: impl Display, error: impl Display) -> String {
    format!("{path} cannot be removed ({error}); remove it yourself")
}

pub fn systemctl_cannot_be_run(error: impl Display) -> String {
    format!("systemctl cannot be run ({error})")
}

pub const IT_DOES_NOT_SAY_WHY: &str = "it does not say why";

pub fn systemctl_user_failed(arguments: impl Display, said: impl Display) -> String {
    format!("systemctl --user {arguments} failed: {said}")
}

pub fn on_but_foreign(how: impl Display, path: impl Display) -> String {
    format!("{how} {path} is not of Palyra Tray's making.")
}

pub fn launch_agent_cannot_be_written(error: impl Display) -> String {
    format!("the launch agent cannot be written: {error}; mend that and try again")
}

pub fn foreign_remove_yourself(path: impl Display) -> String {
    format!("{path} is not of Palyra Tray's making; remove it yourself")
}

pub const IT_IS_SWITCHED_OFF_IN_WINDOWS: &str = " It is switched off in Windows' settings, under Apps, Startup.";

pub fn registry_cannot_be_written(error: impl Display) -> String {
    format!("the registry cannot be written: {error}")
}

pub const DEMO_AT_LOGIN: &str = "a demo does not start at login: its state goes away with it";
