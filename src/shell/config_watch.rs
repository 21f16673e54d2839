//! Tells that something happened to the sidecars' config file, however it was written: in place, by a rename over it, through a
//! link, or with its folder.
//!
//! Watched are folders, because editors replace files: the one that holds the file, that of each link on the way to it, and
//! where a folder is not there the nearest one above. No thread wakes up while nothing happens there. What leads to the file
//! may be another folder afterwards, so after each sign it is watched anew.
//!
//! Limits: a folder further up that is renamed is not noticed, nor what another machine writes on a network disk. What is in
//! the file is read at each start all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use notify::event::{EventKind, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::words;

/// A link that leads to more links than this is a circle.
const LINKS: usize = 16;

/// Watches until it is dropped.
pub struct ConfigWatch {
    _watcher: RecommendedWatcher,
}

impl ConfigWatch {
    /// Watches the way to this file, as it is now; calls `ring` on a thread of its own, which it must not block. What happens
    /// before this returns may be missed: look at the file after it.
    ///
    /// # Errors
    /// The system refuses, in words.
    pub fn watch(file: &Path, ring: impl Fn() + Send + 'static) -> Result<Self, String> {
        let places = places(file);
        let names = places.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.as_ref().map_or(true, |event| concerns(event, &names)) {
                ring();
            }
        })
        .map_err(|error| error.to_string())?;
        for folder in places.keys() {
            watcher
                .watch(folder, RecursiveMode::NonRecursive)
                .map_err(|error| words::settings::cannot_be_watched(folder.display(), &error))?;
        }
        Ok(Self { _watcher: watcher })
    }
}

/// Folders to watch, with the names in them that matter.
fn places(file: &Path) -> BTreeMap<PathBuf, BTreeSet<OsString>> {
    let mut places: BTreeMap<PathBuf, BTreeSet<OsString>> = BTreeMap::new();
    let mut next = Some(file.to_owned());
    for _ in 0..LINKS {
        let Some(path) = next.take() else { break };
        let (Some(mut folder), Some(mut name)) = (path.parent(), path.file_name()) else { break };
        while !folder.is_dir() {
            let (Some(above), Some(gone)) = (folder.parent(), folder.file_name()) else { break };
            (folder, name) = (above, gone);
        }
        places.entry(folder.to_owned()).or_default().insert(name.to_owned());
        next = std::fs::read_link(&path).ok().map(|target| path.parent().unwrap_or(Path::new("/")).join(target));
    }
    places
}

/// Whether an event can mean that the file is another one now, or holds something else.
fn concerns(event: &Event, places: &BTreeMap<PathBuf, BTreeSet<OsString>>) -> bool {
    let itself = matches!(
        event.kind,
        EventKind::Remove(RemoveKind::Folder | RemoveKind::Any | RemoveKind::Other)
            | EventKind::Modify(ModifyKind::Name(RenameMode::From | RenameMode::Any | RenameMode::Both))
    );
    let changes = !matches!(event.kind, EventKind::Access(_) | EventKind::Other);
    event.need_rescan()
        || event.paths.iter().any(|path| {
            let named = path
                .parent()
                .zip(path.file_name())
                .is_some_and(|(folder, name)| places.get(folder).is_some_and(|names| names.contains(name)));
            (changes && named) || (itself && places.contains_key(path))
        })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn watched(file: &Path) -> (ConfigWatch, Receiver<()>) {
        let (sender, rings) = channel();
        let watch = ConfigWatch::watch(file, move || {
            let _ = sender.send(());
        })
        .unwrap();
        (watch, rings)
    }

    /// What is done rings, on a watch of its own.
    #[track_caller]
    fn rings(file: &Path, what: &str, act: impl FnOnce()) {
        let (_watch, rings) = watched(file);
        act();
        assert!(rings.recv_timeout(PATIENCE).is_ok(), "{what} does not ring");
    }

    #[test]
    fn every_way_to_write_a_file_rings() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("palyra.toml");
        rings(&file, "making it", || fs::write(&file, "a").unwrap());
        rings(&file, "writing it in place", || fs::write(&file, "a").unwrap());
        let fresh = dir.path().join(".palyra.toml.swp");
        fs::write(&fresh, "b").unwrap();
        rings(&file, "a rename over it", || fs::rename(&fresh, &file).unwrap());
        rings(&file, "touching it", || {
            let open = fs::OpenOptions::new().append(true).open(&file).unwrap();
            open.set_modified(std::time::SystemTime::now()).unwrap();
        });
        rings(&file, "renaming it away", || fs::rename(&file, &fresh).unwrap());
        fs::rename(&fresh, &file).unwrap();
        rings(&file, "removing it", || fs::remove_file(&file).unwrap());
    }

    #[test]
    fn links_are_followed_and_watched_themselves() {
        let dir = tempfile::tempdir().unwrap();
        let (there, here) = (dir.path().join("dotfiles"), dir.path().join("config"));
        fs::create_dir(&there).unwrap();
        fs::create_dir(&here).unwrap();
        for name in ["one", "two"] {
            fs::write(there.join(name), "a").unwrap();
        }
        let file = here.join("palyra.toml");
        symlink("../dotfiles/one", &file).unwrap();
        rings(&file, "writing what the link leads to", || fs::write(there.join("one"), "b").unwrap());
        rings(&file, "leading the link elsewhere", || {
            fs::remove_file(&file).unwrap();
            symlink("../dotfiles/two", &file).unwrap();
        });
        rings(&file, "writing what it leads to now", || fs::write(there.join("two"), "b").unwrap());
        fs::remove_file(&file).unwrap();
        symlink("palyra.toml", &file).unwrap();
        drop(watched(&file)); // a circle ends
    }

    #[test]
    fn folders_come_and_go() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        let file = folder.join("palyra.toml");
        rings(&file, "making the first folder", || fs::create_dir(dir.path().join("a")).unwrap());
        rings(&file, "making the second one", || fs::create_dir(&folder).unwrap());
        rings(&file, "renaming it away", || fs::rename(&folder, dir.path().join("a/c")).unwrap());
        rings(&file, "bringing it back", || fs::rename(dir.path().join("a/c"), &folder).unwrap());
        rings(&file, "removing it", || fs::remove_dir(&folder).unwrap());
    }

    #[test]
    fn neighbours_and_readers_do_not_ring() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("palyra.toml");
        fs::write(&file, "a").unwrap();
        let (_watch, rings) = watched(&file);
        fs::write(dir.path().join("palyra.toml.1"), "a").unwrap();
        fs::create_dir(dir.path().join("other")).unwrap();
        for _ in 0..25 {
            fs::read(&file).unwrap();
        }
        // no ring within this time proves little more than that the filter works at all
        assert!(rings.recv_timeout(Duration::from_millis(300)).is_err());
        fs::write(&file, "b").unwrap();
        assert!(rings.recv_timeout(PATIENCE).is_ok());
    }
}
