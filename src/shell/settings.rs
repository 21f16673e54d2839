//! Changes to `settings.toml`, keeping comments and order.

use std::fs;
use std::io;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, value};

use crate::shell::store;

/// Switches the browser service in the file.
///
/// # Errors
/// The file cannot be read, understood or written; then it is left as it is.
pub fn set_browser(path: &Path, enabled: bool) -> io::Result<()> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display())))?;
    let services = document.entry("services").or_insert(Item::Table(Table::new()));
    let Some(table) = services.as_table_like_mut() else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{}: services is not a table", path.display())));
    };
    match table.get_mut("browser").and_then(Item::as_value_mut) {
        Some(old) => {
            let mut new = toml_edit::Value::from(enabled);
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => {
            table.insert("browser", value(enabled));
        }
    }
    store::write_atomic(path, document.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
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
