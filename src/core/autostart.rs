//! Start on login: what there is, what is to be done about it, and the words.
//!
//! Linux has two ways. A systemd user service is the better one (it is started again after a crash), but the package's unit
//! belongs to `graphical-session.target`, and only some desktops start that target: GNOME and Plasma do, XFCE, LXQt, MATE and
//! plain window managers mostly do not, and there such a unit never starts. Whether this one does is not guessed from its
//! name: while a desktop runs, its target is active or it is not. So: active, the service; else an autostart entry, which all
//! desktops read. `default.target` is no way out: it is reached before the desktop has told its display to anybody, and by a
//! login over SSH too. Never both, or a login starts two.
//!
//! Only what carries our mark is replaced or removed.

mod entries;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::words;

pub use entries::{LABEL, MARK, desktop_entry, entry_starts, is_ours, launch_agent, run_value, unit};

/// Name of the unit, the package's and ours.
pub const UNIT: &str = "palyra-tray.service";
/// What a desktop starts when it works with systemd.
pub const TARGET: &str = "graphical-session.target";

/// Words of `XDG_CURRENT_DESKTOP` that stand for desktops which read autostart entries.
const READ_ENTRIES: &[&str] = &[
    "GNOME",
    "KDE",
    "XFCE",
    "LXQt",
    "LXDE",
    "MATE",
    "X-Cinnamon",
    "Cinnamon",
    "Budgie",
    "Unity",
    "Pantheon",
    "Deepin",
    "DDE",
    "Enlightenment",
    "COSMIC",
    "UKUI",
    "Openbox",
];

/// What is to run at login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Absolute path of our executable.
    pub executable: String,
    /// What it needs to be the same Palyra.
    pub variables: Vec<(String, String)>,
}

impl Launch {
    /// Takes only what every kind of entry can hold.
    ///
    /// # Errors
    /// The path or a value is no text of one line.
    pub fn new(executable: &Path, variables: &[(String, OsString)]) -> Result<Self, String> {
        let line = |what: &str, text: Option<&str>| match text {
            Some(text) if !text.chars().any(char::is_control) => Ok(text.to_owned()),
            _ => Err(words::login::has_characters_that_login_entry_cannot(what)),
        };
        Ok(Self {
            executable: line(words::login::PATH_OF, executable.to_str())?,
            variables: variables
                .iter()
                .map(|(name, value)| Ok((name.clone(), line(name, value.to_str())?)))
                .collect::<Result<_, String>>()?,
        })
    }

    /// Desktops must all understand an entry, and what systemd makes of an escaped `$`, backquote or backslash is not what the
    /// others make of it (252: nothing, or another path).
    fn is_read_alike(&self) -> Result<(), String> {
        let values = self.variables.iter().map(|(name, value)| (name.as_str(), value));
        for (what, text) in [(words::login::PATH_OF, &self.executable)].into_iter().chain(values) {
            if let Some(c) = text.chars().find(|c| "$`\\".contains(*c)) {
                return Err(words::login::has_in(what, c));
            }
        }
        Ok(())
    }
}

/// How it is started at login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A systemd user unit.
    Service,
    /// A desktop's autostart entry.
    Entry,
    /// A macOS launch agent.
    LaunchAgent,
    /// Windows' Run key.
    RunKey,
}

impl Way {
    /// For programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "systemd_user_service",
            Self::Entry => "autostart_entry",
            Self::LaunchAgent => "launch_agent",
            Self::RunKey => "run_key",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Service => words::login::SYSTEMD_USER_SERVICE,
            Self::Entry => words::login::AUTOSTART_ENTRY_OF_DESKTOP,
            Self::LaunchAgent => words::login::LAUNCH_AGENT,
            Self::RunKey => words::login::RUN_KEY_OF_YOUR_ACCOUNT,
        }
    }
}

/// Whether it starts at login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// It does.
    pub on: bool,
    /// By what.
    pub way: Option<Way>,
    /// The same in one or two sentences.
    pub how: String,
}

impl State {
    /// It does, by this.
    pub fn on(way: Way) -> Self {
        Self { on: true, way: Some(way), how: words::login::palyra_tray_starts_at_every_login(way.words()) }
    }

    /// It does not.
    pub fn off() -> Self {
        Self { on: false, way: None, how: words::login::PALYRA_TRAY_DOES_NOT_START.to_owned() }
    }

    fn also(mut self, words: &str) -> Self {
        self.how = format!("{} {words}", self.how);
        self
    }
}

/// What a person's own unit file is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum UnitFile {
    /// There is none.
    #[default]
    Missing,
    /// A link to nothing: the unit is forbidden.
    Masked,
    /// Its text.
    Text(String),
}

/// What the user manager says.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Manager {
    /// The desktop has started [`TARGET`].
    pub target_active: bool,
    /// The unit must not be started.
    pub masked: bool,
    /// The unit is started with its target.
    pub enabled: bool,
    /// It runs.
    pub active: bool,
}

/// The properties that [`Manager::parse`] wants from `systemctl --user show`, for [`TARGET`] and [`UNIT`].
pub const PROPERTIES: &str = "Id,ActiveState,LoadState,UnitFileState";

impl Manager {
    /// Reads the output of `systemctl --user show`: blocks of `Name=value`, an empty line between them.
    pub fn parse(output: &str) -> Self {
        let mut manager = Self::default();
        for block in output.split("\n\n") {
            let get = |name: &str| {
                block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
            };
            match get("Id") {
                TARGET => manager.target_active = get("ActiveState") == "active",
                UNIT => {
                    let state = get("UnitFileState");
                    manager.masked = get("LoadState") == "masked" || state.starts_with("masked");
                    manager.active = !matches!(get("ActiveState"), "" | "inactive" | "failed");
                    // enabled-runtime holds only until the next boot
                    manager.enabled = state == "enabled";
                }
                _ => {}
            }
        }
        manager
    }
}

/// What there is on Linux.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Facts {
    /// Where a person's autostart entry is, or would be.
    pub entry_path: PathBuf,
    /// Its text.
    pub entry: Option<String>,
    /// Where a person's own unit is, or would be.
    pub unit_path: PathBuf,
    /// What is there.
    pub unit: UnitFile,
    /// A link from the target to a unit that is there.
    pub linked: bool,
    /// The package's unit is there and starts this executable.
    pub packaged: bool,
    /// Of a user manager that answers.
    pub manager: Option<Manager>,
    /// `XDG_CURRENT_DESKTOP`; empty: none is known to run.
    pub desktop: String,
}

/// Something to be done on Linux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write the person's own unit.
    WriteUnit(String),
    /// Put this where units last until the logout: what runs must still be stopped then as its unit says.
    KeepUntilLogout(String),
    /// Remove the person's own unit.
    RemoveUnit,
    /// Have the user manager read its units again.
    Reload,
    /// Link the unit to its target, whatever it was linked to.
    Enable,
    /// Undo that.
    Disable,
    /// The same without a manager.
    RemoveLink,
    /// Write the autostart entry.
    WriteEntry(String),
    /// Remove it.
    RemoveEntry,
}

/// What is so.
pub fn state(facts: &Facts) -> State {
    let enabled = facts.enabled();
    // over SSH no desktop is seen, and nothing follows from a target that is not active
    let never_started =
        facts.manager.as_ref().is_some_and(|manager| !manager.target_active) && !facts.desktop.is_empty();
    if enabled && !never_started {
        let state = State::on(Way::Service);
        return if facts.unit_is_foreign() {
            state.also(&words::login::is_foreign(facts.unit_path.display()))
        } else {
            state
        };
    }
    if let Some(entry) = facts.entry.as_ref().filter(|entry| entry.contains("palyra-tray")) {
        if !entry_starts(entry) {
            return State::off().also(words::login::ITS_AUTOSTART_ENTRY_IS_SWITCHED_OFF);
        }
        let state = State::on(Way::Entry);
        if !is_ours(entry) {
            return state.also(&words::login::is_foreign(facts.entry_path.display()));
        }
        return match facts.entry_is_read() {
            Some(true) => state,
            Some(false) => state.also(&words::login::may_not_read_such_entries(&facts.desktop)),
            None => state.also(words::login::LOGIN_WITHOUT_DESKTOP),
        };
    }
    if enabled {
        return State::off().also(&words::login::systemd_user_service_is_switched(&facts.desktop));
    }
    if facts.masked() {
        return State::off().also(words::login::ITS_SYSTEMD_USER_SERVICE_IS_MASKED);
    }
    State::off()
}

/// What makes it start at login. Nothing, where something of the person's own making does it already.
///
/// # Errors
/// In words: what stands in the way, and what to do.
pub fn switch_on(facts: &Facts, launch: &Launch) -> Result<Vec<Step>, String> {
    let foreign_entry = facts.entry.as_ref().filter(|entry| !is_ours(entry));
    if state(facts).on && (foreign_entry.is_some_and(|entry| entry_starts(entry)) || facts.unit_is_foreign()) {
        return Ok(Vec::new());
    }
    let mut steps = Vec::new();
    if facts.manager.as_ref().is_some_and(|manager| manager.target_active) {
        if facts.masked() {
            return Err(words::login::systemd_user_service_is_masked(UNIT));
        }
        if facts.unit_is_foreign() {
            return Err(foreign(&facts.unit_path, &words::login::or_enable_it_yourself(UNIT)));
        }
        if facts.packaged && launch.variables.is_empty() {
            if facts.unit_is_ours() {
                steps.push(Step::RemoveUnit);
            }
        } else {
            steps.push(Step::WriteUnit(unit(launch)));
        }
        steps.extend([Step::Reload, Step::Enable]);
        if facts.entry_is_ours() {
            steps.push(Step::RemoveEntry);
        }
    } else {
        if foreign_entry.is_some() {
            return Err(foreign(&facts.entry_path, words::login::THEN_TRY_AGAIN));
        }
        launch.is_read_alike()?;
        steps.push(Step::WriteEntry(desktop_entry(launch)));
        steps.extend(without_service(facts));
    }
    Ok(steps)
}

/// What ends it. Entries that are not ours stay.
pub fn switch_off(facts: &Facts) -> Vec<Step> {
    let mut steps = without_service(facts);
    if facts.entry_is_ours() {
        steps.push(Step::RemoveEntry);
    }
    steps
}

/// The sentence for the person, after it was done and looked at again.
///
/// # Errors
/// It is not as wanted, and why.
pub fn confirm(facts: &Facts, on: bool) -> Result<String, String> {
    let state = state(facts);
    if state.on == on {
        return Ok(state.how);
    }
    if on {
        return Err(words::login::it_was_switched(&state.how));
    }
    Err(match state.way {
        Some(Way::Service) if facts.unit_is_foreign() => {
            words::login::foreign_unit_still_starts(facts.unit_path.display(), UNIT)
        }
        Some(Way::Service) => words::login::it_is_switched_on_for_every(UNIT),
        _ => words::login::foreign_entry_still_starts(facts.entry_path.display()),
    })
}

fn foreign(path: &Path, or: &str) -> String {
    words::login::foreign_was_left(path.display(), or)
}

fn without_service(facts: &Facts) -> Vec<Step> {
    let mut steps = Vec::new();
    if !facts.unit_is_foreign() {
        match &facts.manager {
            Some(manager) if manager.enabled => steps.push(Step::Disable),
            None if facts.linked => steps.push(Step::RemoveLink),
            _ => {}
        }
    }
    if let UnitFile::Text(text) = &facts.unit
        && is_ours(text)
    {
        if facts.manager.as_ref().is_some_and(|manager| manager.active) {
            steps.push(Step::KeepUntilLogout(text.clone()));
        }
        steps.push(Step::RemoveUnit);
        if facts.manager.is_some() {
            steps.push(Step::Reload);
        }
    }
    steps
}

impl Facts {
    fn enabled(&self) -> bool {
        match &self.manager {
            Some(manager) => manager.enabled && !manager.masked,
            None => self.linked && self.unit != UnitFile::Masked,
        }
    }

    fn masked(&self) -> bool {
        self.unit == UnitFile::Masked || self.manager.as_ref().is_some_and(|manager| manager.masked)
    }

    fn unit_is_ours(&self) -> bool {
        matches!(&self.unit, UnitFile::Text(text) if is_ours(text))
    }

    fn unit_is_foreign(&self) -> bool {
        matches!(&self.unit, UnitFile::Text(text) if !is_ours(text))
    }

    fn entry_is_ours(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| is_ours(entry))
    }

    /// Whether the desktop that runs reads autostart entries, as far as is known of it; nothing when none is seen.
    fn entry_is_read(&self) -> Option<bool> {
        let mut names = self.desktop.split(':').filter(|name| !name.is_empty()).peekable();
        names.peek()?;
        Some(names.any(|name| READ_ENTRIES.iter().any(|known| known.eq_ignore_ascii_case(name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch {
        Launch { executable: "/opt/p/palyra-tray".to_owned(), variables: Vec::new() }
    }

    fn manager(target_active: bool, enabled: bool) -> Option<Manager> {
        Some(Manager { target_active, enabled, ..Manager::default() })
    }

    fn facts(manager: Option<Manager>, desktop: &str) -> Facts {
        Facts {
            entry_path: "/h/autostart/palyra-tray.desktop".into(),
            unit_path: "/h/systemd/user/palyra-tray.service".into(),
            desktop: desktop.to_owned(),
            manager,
            ..Facts::default()
        }
    }

    /// Does the steps in a pretended world.
    fn done(mut facts: Facts, steps: Vec<Step>) -> Facts {
        for step in steps {
            match step {
                Step::WriteUnit(text) => facts.unit = UnitFile::Text(text),
                Step::RemoveUnit => facts.unit = UnitFile::Missing,
                Step::KeepUntilLogout(_) | Step::Reload => {}
                Step::Enable | Step::Disable => {
                    let enabled = step == Step::Enable;
                    facts.manager.as_mut().unwrap().enabled = enabled;
                    facts.linked = enabled;
                }
                Step::RemoveLink => facts.linked = false,
                Step::WriteEntry(text) => facts.entry = Some(text),
                Step::RemoveEntry => facts.entry = None,
            }
        }
        facts
    }

    const FOREIGN_UNIT: &str = "[Service]\nExecStart=/mine/palyra-tray run\n";
    const FOREIGN_ENTRY: &str = "[Desktop Entry]\nExec=/mine/palyra-tray run\n";

    #[test]
    fn it_is_a_service_where_the_desktop_starts_the_target_and_an_entry_elsewhere() {
        for (manager, desktop, way) in [
            (manager(true, false), "ubuntu:GNOME", Way::Service),
            (manager(true, false), "sway", Way::Service),
            (manager(false, false), "XFCE", Way::Entry),
            (manager(false, false), "", Way::Entry),
            (None, "XFCE", Way::Entry),
        ] {
            let before = facts(manager, desktop);
            assert_eq!(state(&before), State::off());
            let after = done(before.clone(), switch_on(&before, &launch()).unwrap());
            assert_eq!((state(&after).on, state(&after).way), (true, Some(way)), "{after:?}");
            assert!(confirm(&after, true).unwrap().starts_with("Palyra Tray starts at every login ("));
            assert!(confirm(&after, false).is_err());
            let end = done(after.clone(), switch_off(&after));
            assert_eq!(end, before, "nothing is left");
            assert_eq!(confirm(&end, false).unwrap(), "Palyra Tray does not start at login.");
            assert!(confirm(&end, true).is_err());
        }
    }

    #[test]
    fn it_is_never_both() {
        let plain = facts(manager(false, false), "XFCE");
        let by_entry = done(plain.clone(), switch_on(&plain, &launch()).unwrap());
        // the person logs in to GNOME
        let mut gnome = Facts { desktop: "GNOME".to_owned(), manager: manager(true, false), ..by_entry };
        gnome = done(gnome.clone(), switch_on(&gnome, &launch()).unwrap());
        assert_eq!((gnome.entry.is_some(), gnome.linked), (false, true));
        // and to XFCE again, where the service is on but would never start
        let mut xfce = Facts { desktop: "XFCE".to_owned(), manager: manager(false, true), ..gnome };
        assert!(!state(&xfce).on && state(&xfce).how.contains("this desktop (XFCE) does not start it"));
        xfce = done(xfce.clone(), switch_on(&xfce, &launch()).unwrap());
        assert_eq!((xfce.entry.is_some(), xfce.linked, &xfce.unit), (true, false, &UnitFile::Missing));
        // without a manager the link is removed by hand
        let mut ssh = facts(None, "");
        (ssh.linked, ssh.unit) = (true, UnitFile::Text(unit(&launch())));
        assert!(state(&ssh).on);
        ssh = done(ssh.clone(), switch_off(&ssh));
        assert_eq!((ssh.linked, &ssh.unit), (false, &UnitFile::Missing));
    }

    #[test]
    fn a_service_that_runs_keeps_its_unit_until_the_logout() {
        let mut gnome = facts(manager(true, true), "GNOME");
        let text = unit(&launch());
        gnome.unit = UnitFile::Text(text.clone());
        assert_eq!(switch_off(&gnome), [Step::Disable, Step::RemoveUnit, Step::Reload]);
        gnome.manager.as_mut().unwrap().active = true;
        let steps = [Step::Disable, Step::KeepUntilLogout(text), Step::RemoveUnit, Step::Reload];
        assert_eq!(switch_off(&gnome), steps);
    }

    #[test]
    fn the_packages_unit_is_used_for_the_packages_program_and_nothing_else() {
        let mut packaged = Facts { packaged: true, ..facts(manager(true, false), "GNOME") };
        assert_eq!(switch_on(&packaged, &launch()).unwrap(), [Step::Reload, Step::Enable]);
        let elsewhere = Launch { variables: vec![("PALYRA_STATE_ROOT".to_owned(), "/data".to_owned())], ..launch() };
        let steps = switch_on(&packaged, &elsewhere).unwrap();
        assert!(matches!(&steps[0], Step::WriteUnit(text) if text.contains("PALYRA_STATE_ROOT=/data")), "{steps:?}");
        // ours would hide the package's
        packaged.unit = UnitFile::Text(unit(&launch()));
        assert_eq!(switch_on(&packaged, &launch()).unwrap(), [Step::RemoveUnit, Step::Reload, Step::Enable]);
    }

    #[test]
    fn what_a_person_wrote_is_left_and_named() {
        let mut gnome = facts(manager(true, false), "GNOME");
        gnome.unit = UnitFile::Text(FOREIGN_UNIT.to_owned());
        let why = switch_on(&gnome, &launch()).unwrap_err();
        assert!(why.contains("/h/systemd/user/palyra-tray.service is not of Palyra Tray's making"), "{why}");
        gnome.manager = manager(true, true);
        assert!(state(&gnome).on && state(&gnome).how.contains("not of Palyra Tray's making"));
        assert_eq!((switch_on(&gnome, &launch()), switch_off(&gnome)), (Ok(Vec::new()), Vec::new()));
        assert!(confirm(&gnome, false).unwrap_err().contains("systemctl --user disable palyra-tray.service"));

        let mut xfce = facts(None, "XFCE");
        xfce.entry = Some(FOREIGN_ENTRY.to_owned());
        assert!(state(&xfce).on);
        assert_eq!((switch_on(&xfce, &launch()), switch_off(&xfce)), (Ok(Vec::new()), Vec::new()));
        assert!(confirm(&xfce, false).unwrap_err().contains("/h/autostart/palyra-tray.desktop"));
        xfce.entry = Some(format!("{FOREIGN_ENTRY}Hidden=true\n"));
        assert!(!state(&xfce).on);
        assert!(switch_on(&xfce, &launch()).unwrap_err().contains("left as it is"));
    }

    #[test]
    fn a_mask_and_a_machine_wide_switch_are_respected_and_named() {
        let mut masked = facts(Some(Manager { target_active: true, masked: true, ..Manager::default() }), "GNOME");
        masked.unit = UnitFile::Masked;
        assert!(switch_on(&masked, &launch()).unwrap_err().contains("systemctl --user unmask palyra-tray.service"));
        assert!(state(&masked).how.contains("masked") && switch_off(&masked).is_empty());
        // disabling had no effect
        let everybody = facts(manager(true, true), "GNOME");
        assert_eq!(switch_off(&everybody), [Step::Disable]);
        assert!(confirm(&everybody, false).unwrap_err().contains("every user"));
    }

    #[test]
    fn an_entry_that_may_not_be_read_says_so() {
        for (desktop, needle) in
            [("i3", "i3 may not read such entries"), ("", "A login without a desktop"), ("ubuntu:GNOME", "desktop).")]
        {
            let mut facts = facts(None, desktop);
            facts.entry = Some(desktop_entry(&launch()));
            assert!(state(&facts).how.contains(needle), "{}", state(&facts).how);
        }
        let mut switched_off = facts(None, "XFCE");
        switched_off.entry = Some(format!("{}Hidden=true\n", desktop_entry(&launch())));
        assert!(!state(&switched_off).on && state(&switched_off).how.contains("desktop's settings"));
        // ours may be switched on again
        assert!(switch_on(&switched_off, &launch()).is_ok());
    }

    #[test]
    fn what_systemctl_says_is_read_by_name() {
        let output = "Id=graphical-session.target\nLoadState=loaded\nActiveState=active\nUnitFileState=static\n\n\
                      Id=palyra-tray.service\nLoadState=loaded\nActiveState=inactive\nUnitFileState=enabled\n";
        assert_eq!(Manager::parse(output), Manager { target_active: true, enabled: true, ..Manager::default() });
        let masked = "Id=palyra-tray.service\nLoadState=masked\nActiveState=inactive\nUnitFileState=masked\n\n\
                      Id=graphical-session.target\nActiveState=inactive\n";
        assert_eq!(Manager::parse(masked), Manager { masked: true, ..Manager::default() });
        assert!(!Manager::parse("Id=palyra-tray.service\nUnitFileState=enabled-runtime").enabled);
        assert_eq!(Manager::parse(""), Manager::default());
    }

    #[test]
    fn what_no_entry_can_hold_is_refused_by_name() {
        assert!(Launch::new(Path::new("/a\nb/palyra-tray"), &[]).unwrap_err().contains("the path of palyra-tray"));
        let root = |value: &str| [("PALYRA_STATE_ROOT".to_owned(), OsString::from(value))];
        assert!(Launch::new(Path::new("/x"), &root("/a\tb")).unwrap_err().contains("PALYRA_STATE_ROOT"));
        for value in ["/$HOME/x", "/`id`", "/a\\b"] {
            let launch = Launch::new(Path::new("/x"), &root(value)).unwrap();
            assert!(switch_on(&facts(manager(true, false), "GNOME"), &launch).is_ok());
            let why = switch_on(&facts(None, "XFCE"), &launch).unwrap_err();
            assert!(why.contains("PALYRA_STATE_ROOT has a "), "{why}");
        }
    }
}
