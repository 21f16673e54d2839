//! Changes to `settings.toml`, keeping comments and order.

use std::io;
use std::path::Path;

use toml_edit::Value;

use crate::shell::store::{self, toml};
use crate::words;

/// Writes one setting, by its name as in `services.browser`. What somebody else writes meanwhile stays.
///
/// # Errors
/// The file cannot be read, understood or written; then it is left as it is.
pub fn set(path: &Path, name: &str, new: impl Into<Value>) -> io::Result<()> {
    let new = new.into();
    change(path, name, &|table, key| toml::set(table, key, new.clone()))
}

/// Takes one setting out: its default holds.
///
/// # Errors
/// As [`set`].
pub fn unset(path: &Path, name: &str) -> io::Result<()> {
    change(path, name, &|table, key| drop(table.remove(key)))
}

/// Writes a setting that names a folder.
///
/// # Errors
/// As [`set`]; also when the folder's name is not valid Unicode.
pub fn set_folder(path: &Path, name: &str, folder: &Path) -> io::Result<()> {
    let text = folder.to_str().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, words::settings::is_not_valid_unicode(folder.display()))
    })?;
    set(path, name, text)
}

/// Whether the file itself says something about a setting.
pub fn names(path: &Path, name: &str) -> bool {
    let (table, key) = split(name);
    let document = std::fs::read_to_string(path).ok().and_then(|text| text.parse::<toml_edit::DocumentMut>().ok());
    document.is_some_and(|document| document.get(table).and_then(|table| table.get(key)).is_some())
}

fn change(path: &Path, name: &str, change: &dyn Fn(&mut dyn toml_edit::TableLike, &str)) -> io::Result<()> {
    let (table, key) = split(name);
    toml::edit(path, |document| {
        change(toml::table(document, table)?, key);
        Ok(())
    })?;
    store::keep_copy(path);
    Ok(())
}

fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const BROWSER: &str = "services.browser";

    #[test]
    fn comments_and_order_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        set(&path, BROWSER, false).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[services]\nbrowser = false\n");
        fs::write(&path, "# mine\n[tray]\npanel = \"light\"\n\n[services]\nbrowser = true # yes\n").unwrap();
        set(&path, BROWSER, false).unwrap();
        let expected = "# mine\n[tray]\npanel = \"light\"\n\n[services]\nbrowser = false # yes\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        assert!(names(&path, BROWSER) && !names(&path, "services.folder"));
        unset(&path, BROWSER).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\n[tray]\npanel = \"light\"\n\n[services]\n");
        fs::write(&path, "services = 3").unwrap();
        assert!(set(&path, BROWSER, true).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "services = 3");
    }
}
