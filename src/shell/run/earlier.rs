//! What the earlier desktop app left in its folder, looked at once. Its files are read, never written.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use crate::config::Paths;
use crate::config::settings::Settings;
use crate::core::companion::import::{self, Earlier, MAX_FILE_BYTES};
use crate::core::onboarding::Record;
use crate::shell::{settings as preferences, store};
use crate::words;

/// Looks, and takes up at once what the start depends on: where the data is, the browser service, where the set-up stood.
/// Absent: it left nothing, or its file cannot be read now.
pub(super) fn look(paths: &mut Paths, settings: &mut Settings, warnings: &mut Vec<String>) -> Option<Earlier> {
    let folder = paths.state_root.join("desktop-control-center");
    let file = folder.join("state.json");
    let text = match read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            warnings.push(words::companion::file_cannot_be_read(file.display(), &error));
            return None;
        }
    };
    let mut earlier = import::read(&text)
        .unwrap_or_else(|why| Earlier { left: vec![format!("{}: {why}", file.display())], ..Earlier::default() });
    data(&mut earlier, &folder, paths, settings);
    browser(&mut earlier, paths, settings);
    set_up(&mut earlier, paths);
    for what in &earlier.taken {
        tracing::info!("taken over from the earlier desktop app: {what}");
    }
    for what in &earlier.left {
        tracing::warn!("not taken over from the earlier desktop app: {what}");
    }
    Some(earlier)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, words::common::IT_IS_NO_FILE));
    }
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text)?;
    Ok(text)
}

/// Without it Palyra would start on an empty folder, and everything would seem to be lost.
fn data(earlier: &mut Earlier, folder: &Path, paths: &mut Paths, settings: &mut Settings) {
    let Some(wanted) = earlier.data.take() else { return };
    let path = PathBuf::from(&wanted);
    let why = if settings.data.is_some() {
        words::companion::ANOTHER_ONE_IS_CHOSEN.to_owned()
    } else if let Err(why) = check_data(&path, folder) {
        why
    } else {
        match preferences::set_folder(&paths.settings(), "services.data", &path) {
            Ok(()) => {
                earlier.taken.push(words::companion::data_folder(path.display()));
                settings.data = Some(path.clone());
                paths.runtime_root = path;
                return;
            }
            Err(error) => error.to_string(),
        }
    };
    earlier.left.push(words::companion::data_folder_left(crate::core::describe::visible(&wanted), &why));
}

/// The earlier app's own rule: a folder below its own.
fn check_data(path: &Path, folder: &Path) -> Result<(), String> {
    let plain = path.is_absolute() && !path.components().any(|part| part == Component::ParentDir);
    let inside = || path.canonicalize().and_then(|path| Ok(path.starts_with(folder.canonicalize()?)));
    match plain.then(inside) {
        Some(Ok(true)) if path.is_dir() => Ok(()),
        Some(Err(error)) => Err(error.to_string()),
        _ => Err(words::companion::is_no_folder_below(folder.display())),
    }
}

fn browser(earlier: &mut Earlier, paths: &Paths, settings: &mut Settings) {
    if !earlier.browser_off || !settings.browser || preferences::names(&paths.settings(), "services.browser") {
        return;
    }
    match preferences::set(&paths.settings(), "services.browser", false) {
        Ok(()) => {
            settings.browser = false;
            earlier.taken.push(words::companion::BROWSER_SERVICE_OFF.to_owned());
        }
        Err(error) => earlier.left.push(words::companion::browser_service_off_left(&error)),
    }
}

/// Nothing is asked twice. What the facts tell is asked of them.
fn set_up(earlier: &mut Earlier, paths: &Paths) {
    if !earlier.welcomed || paths.set_up().exists() {
        return;
    }
    let record = Record { welcomed: true, data_folder_chosen: earlier.data_agreed, ..Record::default() };
    match store::write_json(&paths.set_up(), &record) {
        Ok(()) => earlier.taken.push(words::companion::HOW_FAR_SET_UP.to_owned()),
        Err(error) => earlier.left.push(words::companion::how_far_set_up_left(&error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Environment;

    struct Place {
        dir: tempfile::TempDir,
        paths: Paths,
        settings: Settings,
        warnings: Vec<String>,
    }

    impl Place {
        fn new(state: &str) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let env = Environment::of(&[("PALYRA_STATE_ROOT", dir.path())], Path::new("/x/palyra-tray"));
            let paths = Paths::find(&env).unwrap();
            fs::create_dir_all(dir.path().join("desktop-control-center/elsewhere")).unwrap();
            fs::create_dir_all(&paths.own).unwrap();
            let place = Self { dir, paths, settings: Settings::default(), warnings: Vec::new() };
            // a backslash would be an escape in JSON
            let folder = place.dir.path().display().to_string().replace('\\', "/");
            fs::write(place.state(), state.replace("/srv/palyra", &folder)).unwrap();
            place
        }

        fn state(&self) -> PathBuf {
            self.dir.path().join("desktop-control-center/state.json")
        }

        fn look(&mut self) -> Option<Earlier> {
            look(&mut self.paths, &mut self.settings, &mut self.warnings)
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_the_start_depends_on_is_in_use_at_once_and_its_file_is_not_touched() {
        let mut place = Place::new(include_str!("../../../tests/earlier-app/schema-3.json"));
        let before = (fs::read(place.state()).unwrap(), fs::metadata(place.state()).unwrap().modified().unwrap());
        let earlier = place.look().unwrap();
        let folder = place.dir.path().join("desktop-control-center/elsewhere");
        assert_eq!((&place.paths.runtime_root, place.settings.data.as_ref()), (&folder, Some(&folder)));
        assert_eq!(Settings::read(&place.paths.settings()).0.data, Some(folder));
        let record: Record = serde_json::from_slice(&fs::read(place.paths.set_up()).unwrap()).unwrap();
        assert!(record.welcomed && record.data_folder_chosen && record.completed_at_unix_ms.is_none());
        assert_eq!(earlier.taken.len(), 2, "{:?}", earlier.taken);
        assert!(earlier.left.is_empty(), "{:?}", earlier.left);
        assert_eq!(
            (fs::read(place.state()).unwrap(), fs::metadata(place.state()).unwrap().modified().unwrap()),
            before
        );
    }

    #[test]
    fn what_is_set_here_holds() {
        let mut place = Place::new(include_str!("../../../tests/earlier-app/schema-1.json"));
        assert!(place.look().unwrap().taken.contains(&"the browser service is off".to_owned()));
        assert!(!Settings::read(&place.paths.settings()).0.browser);
        let mut place = Place::new(include_str!("../../../tests/earlier-app/schema-1.json"));
        fs::write(place.paths.settings(), "[services]\nbrowser = true\n").unwrap();
        assert!(place.look().unwrap().taken.is_empty() && place.settings.browser);
        let mut place = Place::new(include_str!("../../../tests/earlier-app/schema-3.json"));
        let (usual, ours) = (place.paths.runtime_root.clone(), place.dir.path().join("ours"));
        place.settings.data = Some(ours.clone());
        let record = Record { welcomed: true, autostart_asked: true, ..Record::default() };
        store::write_json(&place.paths.set_up(), &record).unwrap();
        let earlier = place.look().unwrap();
        assert!(earlier.left[0].contains("another one is chosen"), "{:?}", earlier.left);
        assert_eq!((&place.paths.runtime_root, &place.settings.data), (&usual, &Some(ours)));
        assert!(earlier.taken.is_empty(), "{:?}", earlier.taken);
        let kept: Record = serde_json::from_slice(&fs::read(place.paths.set_up()).unwrap()).unwrap();
        assert_eq!(kept, record);
    }

    #[cfg(unix)]
    #[test]
    fn a_data_folder_elsewhere_is_left_out_and_told() {
        let three = include_str!("../../../tests/earlier-app/schema-3.json");
        for (wanted, told) in [
            ("/etc", "no folder below"),
            ("relative", "no folder below"),
            ("/srv/palyra/desktop-control-center/../x", "no folder below"),
            ("/srv/palyra/desktop-control-center/gone", "No such file"),
        ] {
            let mut place = Place::new(&three.replace("/srv/palyra/desktop-control-center/elsewhere", wanted));
            let usual = place.paths.runtime_root.clone();
            let left = place.look().unwrap().left.join("\n");
            assert!(left.contains(told), "{wanted}: {left}");
            assert_eq!((&place.paths.runtime_root, &place.settings.data), (&usual, &None));
        }
    }

    #[test]
    fn nothing_there_is_nothing_to_tell_and_a_broken_one_is() {
        let mut place = Place::new("{ half");
        let earlier = place.look().unwrap();
        assert!(earlier.left[0].contains("not understood (line 1"), "{:?}", earlier.left);
        fs::remove_file(place.state()).unwrap();
        assert!(place.look().is_none() && place.warnings.is_empty());
        fs::create_dir(place.state()).unwrap();
        assert!(place.look().is_none());
        assert!(place.warnings[0].contains("cannot be read"), "{:?}", place.warnings);
    }
}
