//! Changes to `settings.toml`, keeping comments and order.

use std::io;
use std::path::Path;

use crate::shell::store::toml;

/// Switches the browser service in the file.
///
/// # Errors
/// The file cannot be read, understood or written; then it is left as it is.
pub fn set_browser(path: &Path, enabled: bool) -> io::Result<()> {
    toml::edit(path, |document| {
        toml::set(toml::table(document, "services")?, "browser", enabled);
        Ok(())
    })?;
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
