//! Changes to `settings.toml`, keeping comments and order.

use std::io;
use std::path::Path;

use toml_edit::Value;

use crate::shell::store::{self, toml};

/// Switches the browser service in the file.
///
/// # Errors
/// The file cannot be read, understood or written; then it is left as it is.
pub fn set_browser(path: &Path, enabled: bool) -> io::Result<()> {
    set(path, "services", "browser", enabled.into())
}

/// Switches whether a change of the sidecars' config restarts what it touches.
///
/// # Errors
/// As [`set_browser`].
pub fn set_config_restarts(path: &Path, enabled: bool) -> io::Result<()> {
    set(path, "services", "restart_on_config_change", enabled.into())
}

/// Remembers the folder with Palyra's programs.
///
/// # Errors
/// As [`set_browser`].
pub fn set_folder(path: &Path, folder: &Path) -> io::Result<()> {
    set(path, "services", "folder", text(folder)?)
}

/// Remembers the folder with Palyra's data.
///
/// # Errors
/// As [`set_browser`].
pub fn set_data(path: &Path, folder: &Path) -> io::Result<()> {
    set(path, "services", "data", text(folder)?)
}

fn text(folder: &Path) -> io::Result<Value> {
    let text = folder.to_str().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{} is not valid Unicode", folder.display()))
    })?;
    Ok(text.into())
}

fn set(path: &Path, table: &str, key: &str, new: Value) -> io::Result<()> {
    toml::edit(path, |document| {
        toml::set(toml::table(document, table)?, key, new);
        Ok(())
    })?;
    store::keep_copy(path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn comments_and_order_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        set_browser(&path, false).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[services]\nbrowser = false\n");
        fs::write(&path, "# mine\n[tray]\npanel = \"light\"\n\n[services]\nbrowser = true # yes\n").unwrap();
        set_browser(&path, false).unwrap();
        let expected = "# mine\n[tray]\npanel = \"light\"\n\n[services]\nbrowser = false # yes\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        fs::write(&path, "services = 3").unwrap();
        assert!(set_browser(&path, true).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "services = 3");
    }
}
