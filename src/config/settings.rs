//! What the person prefers.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::protocol::companion::Kind;
use crate::words;

/// Where the last good copy of a file of ours lies.
pub fn last_good(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".last");
    PathBuf::from(name)
}

/// What the person prefers, from `settings.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The browser service is wanted.
    pub browser: bool,
    /// A change of the sidecars' config restarts what it touches.
    pub config_restarts: bool,
    /// Where Palyra's executables are, when they are not beside ours.
    pub folder: Option<PathBuf>,
    /// Where Palyra keeps its data (the runtime root), when that is not the usual place.
    pub data: Option<PathBuf>,
    /// This machine may be enrolled as a node from here.
    pub enrolment: bool,
    /// What the icon must stand out from.
    pub panel: Panel,
    /// Usage events are told to the gateway.
    pub telemetry: bool,
    /// Notifications of these kinds are not shown.
    pub silent: BTreeSet<Kind>,
}

/// Brightness of the panel the icon is on; a platform does not tell it reliably, so a person can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Panel {
    /// Dark, as most panels are.
    #[default]
    Dark,
    /// Light.
    Light,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            browser: true,
            config_restarts: true,
            folder: None,
            data: None,
            enrolment: false,
            panel: Panel::default(),
            telemetry: false,
            silent: BTreeSet::new(),
        }
    }
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`.
    Switch,
    /// An absolute path.
    Folder,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Table and name, as in `services.browser`.
    pub name: &'static str,
    /// What it takes.
    pub form: Form,
    /// What it does, in a few words.
    pub about: &'static str,
}

/// Its setting is off until the person turns it on.
pub const TELEMETRY: &str = "telemetry.events";

const fn key(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, about }
}

/// Every setting, in the order in which they are listed.
pub const KEYS: [Key; 16] = [
    key("services.browser", Form::Switch, words::settings::BROWSER_SERVICE_RUNS),
    key("services.restart_on_config_change", Form::Switch, words::settings::CHANGE_OF_PALYRAS_CONFIG_RESTARTS_WHAT),
    key("services.folder", Form::Folder, words::settings::WHERE_PALYRAS_PROGRAMS),
    key("services.data", Form::Folder, words::settings::WHERE_PALYRA_KEEPS_ITS_DATA),
    key("node.enrolment", Form::Switch, words::settings::THIS_MACHINE_MAY_BE_ENROLLED),
    key("tray.panel", Form::OneOf(&["dark", "light"]), words::settings::BRIGHTNESS_OF_PANEL_THAT_ICON),
    key(TELEMETRY, Form::Switch, words::settings::PALYRAS_JOURNAL_NOTES_WHICH_WINDOWS),
    key("notifications.approval", Form::Switch, words::settings::NOTIFY_OF_APPROVALS),
    key("notifications.alarm", Form::Switch, words::settings::NOTIFY_OF_ALARMS),
    key("notifications.service", Form::Switch, words::settings::NOTIFY_OF_SERVICES_THAT_FAIL),
    key("notifications.run", Form::Switch, words::settings::NOTIFY_OF_ANSWERS_AND_RUNS),
    key("notifications.draft", Form::Switch, words::settings::NOTIFY_OF_DRAFTS),
    key("notifications.away", Form::Switch, words::settings::NOTIFY_OF_WHAT_HAPPENED_BEHIND_LOCKED),
    key("notifications.config", Form::Switch, words::settings::NOTIFY_OF_CONFIG),
    key("notifications.node", Form::Switch, words::settings::NOTIFY_OF_NODE_HOST),
    key("notifications.agent", Form::Switch, words::settings::NOTIFY_OF_TRAYS_OWN_TROUBLES),
];

/// The setting for notifications of a kind.
pub const fn notifications(kind: Kind) -> &'static str {
    match kind {
        Kind::Approval => "notifications.approval",
        Kind::Alarm => "notifications.alarm",
        Kind::Service => "notifications.service",
        Kind::Run => "notifications.run",
        Kind::Draft => "notifications.draft",
        Kind::Away => "notifications.away",
        Kind::Config => "notifications.config",
        Kind::Node => "notifications.node",
        Kind::Agent => "notifications.agent",
    }
}

impl Form {
    /// The values it takes, in words.
    pub fn takes(self) -> String {
        match self {
            Self::Switch => words::settings::TRUE_OR_FALSE.to_owned(),
            Self::Folder => words::settings::FOLDER_BY_ITS_WHOLE_PATH.to_owned(),
            Self::OneOf(words) => words.join(" or "),
        }
    }

    /// The value that a person wrote on the command line; absent: it takes others.
    pub fn parse(self, text: &str) -> Option<toml::Value> {
        let value = match (self, text) {
            (Self::Switch, "true" | "on" | "yes") => toml::Value::Boolean(true),
            (Self::Switch, "false" | "off" | "no") => toml::Value::Boolean(false),
            (Self::Switch, _) => return None,
            (Self::Folder | Self::OneOf(_), _) => toml::Value::String(text.to_owned()),
        };
        self.fits(&value).then_some(value)
    }

    fn fits(self, value: &toml::Value) -> bool {
        match (self, value) {
            (Self::Switch, value) => value.is_bool(),
            (Self::Folder, toml::Value::String(path)) => Path::new(path).is_absolute(),
            (Self::OneOf(words), toml::Value::String(word)) => words.contains(&word.as_str()),
            _ => false,
        }
    }
}

/// The setting of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The setting whose name is most like this one, if one is like it at all.
pub fn nearest(name: &str) -> Option<&'static str> {
    nearest_of(name, KEYS.iter().map(|key| key.name))
}

/// The most alike of these names; only what is after the last dot may have been meant.
pub fn nearest_of<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // compared with each name there is, so a text without end would take as long
    let name: String = name.chars().take(80).collect();
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let distances = names.map(|known| {
        let whole = distance(&name, known);
        let part = if name.contains('.') { whole } else { distance(&name, &last(known)) };
        (whole.min(part), known)
    });
    let (distance, known) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (last(&name).chars().count() / 3).max(1)).then_some(known)
}

/// How many letters to add, take away or change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let change = before + usize::from(from != *to);
            before = row[j + 1];
            row[j + 1] = change.min(before + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

impl Settings {
    /// Reads them. What cannot be understood keeps what it said before, and is named in the warnings.
    pub fn read(path: &Path) -> (Self, Vec<String>) {
        let name = path.display().to_string();
        let last = fs::read_to_string(last_good(path)).ok();
        let last = last.and_then(|text| Self::parse(&text, &name, &Self::default()).ok()).map(|(settings, _)| settings);
        let known = last.is_some();
        let (settings, mut warnings) = Self::read_over(path, &last.unwrap_or_default());
        if !known {
            for warning in &mut warnings {
                *warning = warning.replace(words::settings::BEFORE, words::settings::DEFAULTS);
            }
        }
        (settings, warnings)
    }

    /// The same, where `before` holds now.
    pub fn read_over(path: &Path, before: &Self) -> (Self, Vec<String>) {
        let name = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return (Self::default(), Vec::new()),
            Err(error) => {
                return (before.clone(), vec![words::settings::cannot_be_read(&name, &error, words::settings::BEFORE)]);
            }
        };
        // Without this a slip of the pen would start Palyra on another folder of data.
        Self::parse(&text, &name.to_string(), before).unwrap_or_else(|why| {
            (before.clone(), vec![words::settings::is_not_understood(&name, &why, words::settings::BEFORE)])
        })
    }

    /// Reads them from a text; `name` stands for it in the warnings, and what does not fit stays as `before`.
    ///
    /// # Errors
    /// It is no TOML; the reason.
    pub fn parse(text: &str, name: &str, before: &Self) -> Result<(Self, Vec<String>), String> {
        let file: toml::Table =
            toml::from_str(text).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())?;
        let mut settings = Self::default();
        let mut warnings = Vec::new();
        for (table, content) in file {
            let toml::Value::Table(content) = content else {
                warnings.push(unknown(name, &table));
                continue;
            };
            for (key, value) in content {
                let full = format!("{table}.{key}");
                match find(&full) {
                    None => warnings.push(unknown(name, &full)),
                    Some(key) if key.form.fits(&value) => settings.set(key, &value),
                    Some(key) => {
                        warnings.push(words::settings::takes(name, &full, key.form.takes(), words::settings::BEFORE));
                        settings.take_from(key, before);
                    }
                }
            }
        }
        Ok((settings, warnings))
    }

    /// As it is written in the file; empty: nothing is chosen.
    pub fn show(&self, key: &Key) -> String {
        match self.value(key) {
            Some(toml::Value::String(text)) => text,
            Some(toml::Value::Boolean(on)) => on.to_string(),
            _ => String::new(),
        }
    }

    fn value(&self, key: &Key) -> Option<toml::Value> {
        let folder = |folder: &Option<PathBuf>| folder.as_ref().map(|path| path.display().to_string().into());
        match key.name {
            "services.browser" => Some(self.browser.into()),
            "services.restart_on_config_change" => Some(self.config_restarts.into()),
            "services.folder" => folder(&self.folder),
            "services.data" => folder(&self.data),
            "node.enrolment" => Some(self.enrolment.into()),
            TELEMETRY => Some(self.telemetry.into()),
            "tray.panel" => Some(if self.panel == Panel::Light { "light" } else { "dark" }.into()),
            other => Kind::ALL
                .into_iter()
                .find(|kind| notifications(*kind) == other)
                .map(|kind| (!self.silent.contains(&kind)).into()),
        }
    }

    fn take_from(&mut self, key: &Key, other: &Self) {
        if let Some(value) = other.value(key) {
            self.set(key, &value);
        }
    }

    /// Of a value that fits.
    fn set(&mut self, key: &Key, value: &toml::Value) {
        let on = value.as_bool().unwrap_or_default();
        let text = value.as_str().unwrap_or_default();
        match key.name {
            "services.browser" => self.browser = on,
            "services.restart_on_config_change" => self.config_restarts = on,
            "services.folder" => self.folder = Some(PathBuf::from(text)),
            "services.data" => self.data = Some(PathBuf::from(text)),
            "node.enrolment" => self.enrolment = on,
            TELEMETRY => self.telemetry = on,
            "tray.panel" => self.panel = if text == "light" { Panel::Light } else { Panel::Dark },
            other => {
                let kind = Kind::ALL.into_iter().find(|kind| notifications(*kind) == other);
                if let Some(kind) = kind.filter(|_| !on) {
                    self.silent.insert(kind);
                }
            }
        }
    }
}

fn unknown(file: &str, name: &str) -> String {
    let meant = nearest(name).map(words::settings::is_meant).unwrap_or_default();
    words::settings::is_unknown_and_ignored(file, name, &meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Settings, Vec<String>) {
        Settings::parse(text, "s", &Settings::default()).unwrap()
    }

    #[test]
    fn settings_keep_defaults_for_what_is_not_understood_and_say_so() {
        let (settings, warnings) = parse("[services]\nbrowser = false\ncolour = 1\n[tray]\npanel = \"light\"");
        assert_eq!(settings, Settings { browser: false, panel: Panel::Light, ..Settings::default() });
        assert_eq!(warnings, ["s: services.colour is unknown and ignored"]);
        assert!(!settings.enrolment, "only by the person's own hand");
        assert!(parse("[node]\nenrolment = true").0.enrolment);
    }

    #[test]
    fn a_slip_of_the_pen_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        fs::write(&path, "nonsense").unwrap();
        let (settings, warnings) = Settings::read(&path);
        assert_eq!(settings, Settings::default());
        assert!(warnings.len() == 1 && warnings[0].contains("defaults"), "{warnings:?}");
        let data = if cfg!(windows) { "C:/palyra" } else { "/srv/palyra" };
        fs::write(dir.path().join("settings.toml.last"), format!("[services]\ndata = \"{data}\"\n")).unwrap();
        let (settings, warnings) = Settings::read(&path);
        assert_eq!(settings.data.as_deref(), Some(Path::new(data)));
        assert!(warnings.len() == 1 && warnings[0].contains("before"), "{warnings:?}");
        // one wrong value costs nothing else
        fs::write(&path, "[services]\ndata = 3\nbrowser = false\n[tray]\npanel = \"pink\"\n").unwrap();
        let (settings, warnings) = Settings::read(&path);
        assert_eq!((settings.data.as_deref(), settings.browser), (Some(Path::new(data)), false));
        let told = warnings.join("\n");
        assert!(
            told.contains("services.data takes a folder") && told.contains("tray.panel takes dark or light"),
            "{told}"
        );
    }

    #[test]
    fn what_is_meant_is_found() {
        for (written, meant) in [
            ("services.browsr", Some("services.browser")),
            ("service.browser", Some("services.browser")),
            ("browser", Some("services.browser")),
            ("notifications.approvals", Some("notifications.approval")),
            ("restart_on_config_changes", Some("services.restart_on_config_change")),
            ("panl", Some("tray.panel")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(written), meant, "{written}");
        }
        assert!(nearest(&"x".repeat(1_000_000)).is_none());
        assert_eq!(distance("kitten", "sitting"), 3);
        let (_, warnings) = parse("panl = \"light\"");
        assert_eq!(warnings, ["s: panl is unknown and ignored; is tray.panel meant?"]);
    }

    #[test]
    fn every_setting_is_read_and_shown_and_has_its_kind() {
        for key in &KEYS {
            let texts: &[&str] = match key.form {
                Form::Switch => &["true", "false"],
                Form::Folder if cfg!(windows) => &["C:/x"],
                Form::Folder => &["/x"],
                Form::OneOf(words) => words,
            };
            for text in texts {
                let value = key.form.parse(text).unwrap();
                let (table, name) = key.name.split_once('.').unwrap();
                let value = if value.is_bool() { (*text).to_owned() } else { format!("{text:?}") };
                let (settings, warnings) = parse(&format!("[{table}]\n{name} = {value}"));
                assert!(warnings.is_empty(), "{warnings:?}");
                assert_eq!(settings.show(key), *text, "{}", key.name);
                let mut other = Settings::default();
                other.take_from(key, &settings);
                assert_eq!(other, settings);
            }
            assert!(key.form.parse("perhaps").is_none() && key.form.parse("").is_none(), "{}", key.name);
        }
        for kind in Kind::ALL {
            assert_eq!(notifications(kind).strip_prefix("notifications."), Some(kind.name()));
            assert!(find(notifications(kind)).is_some_and(|key| { key.about.eq_ignore_ascii_case(kind.label()) }));
        }
    }
}
