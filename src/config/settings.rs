//! What the person prefers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

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
}

/// Brightness of the panel the icon is on; a platform does not tell it reliably, so a person can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
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
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SettingsFile {
    node: NodeTable,
    services: ServicesTable,
    tray: TrayTable,
    #[serde(flatten)]
    unknown: std::collections::BTreeMap<String, toml::Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ServicesTable {
    browser: Option<bool>,
    restart_on_config_change: Option<bool>,
    folder: Option<PathBuf>,
    data: Option<PathBuf>,
    #[serde(flatten)]
    unknown: std::collections::BTreeMap<String, toml::Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NodeTable {
    enrolment: Option<bool>,
    #[serde(flatten)]
    unknown: std::collections::BTreeMap<String, toml::Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TrayTable {
    panel: Option<Panel>,
    #[serde(flatten)]
    unknown: std::collections::BTreeMap<String, toml::Value>,
}

impl Settings {
    /// Reads them. What cannot be understood keeps its default and is named in the warnings.
    pub fn read(path: &Path) -> (Self, Vec<String>) {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return (Self::default(), Vec::new()),
            Err(error) => {
                return (
                    Self::default(),
                    vec![format!("{} cannot be read ({error}); its defaults are used", path.display())],
                );
            }
        };
        let name = path.display().to_string();
        let why = match Self::parse(&text, &name) {
            Ok(read) => return read,
            Err(why) => why,
        };
        // Without it a slip of the pen would start Palyra on another folder of data.
        let last = fs::read_to_string(last_good(path)).ok().and_then(|text| Self::parse(&text, &name).ok());
        let (settings, used) = match last {
            Some((settings, _)) => (settings, "what it said before holds"),
            None => (Self::default(), "its defaults are used"),
        };
        (settings, vec![format!("{name} is not understood ({why}); {used}")])
    }

    /// Reads them from a text; `name` stands for it in the warnings.
    ///
    /// # Errors
    /// It is no TOML, or a known setting has another type; the reason.
    pub fn parse(text: &str, name: &str) -> Result<(Self, Vec<String>), String> {
        let file: SettingsFile =
            toml::from_str(text).map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())?;
        let tables = [
            ("", &file.unknown),
            ("node.", &file.node.unknown),
            ("services.", &file.services.unknown),
            ("tray.", &file.tray.unknown),
        ];
        let mut warnings: Vec<_> = tables
            .into_iter()
            .flat_map(|(table, unknown)| {
                unknown.keys().map(move |key| format!("{name}: {table}{key} is unknown and ignored"))
            })
            .collect();
        let data = file.services.data.filter(|folder| {
            if !folder.is_absolute() {
                warnings.push(format!("{name}: services.data is not an absolute path and is ignored"));
            }
            folder.is_absolute()
        });
        let defaults = Self::default();
        let settings = Self {
            browser: file.services.browser.unwrap_or(defaults.browser),
            config_restarts: file.services.restart_on_config_change.unwrap_or(defaults.config_restarts),
            folder: file.services.folder,
            data,
            enrolment: file.node.enrolment.unwrap_or(defaults.enrolment),
            panel: file.tray.panel.unwrap_or_default(),
        };
        Ok((settings, warnings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_keep_defaults_for_what_is_not_understood_and_say_so() {
        let (settings, warnings) =
            Settings::parse("[services]\nbrowser = false\ncolour = 1\n[tray]\npanel = \"light\"", "s").unwrap();
        assert_eq!(settings, Settings { browser: false, panel: Panel::Light, ..Settings::default() });
        assert_eq!(warnings, ["s: services.colour is unknown and ignored"]);
        assert!(!settings.enrolment, "only by the person's own hand");
        assert!(Settings::parse("[node]\nenrolment = true", "s").unwrap().0.enrolment);
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
    }
}
