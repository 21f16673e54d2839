//! Changing one value in a TOML file that a person may have written: comments, order and permissions are kept.

use std::fs;
use std::io;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value, value};

use super::replace;

/// Changes the document; an absent file is an empty one. Gives whether anything changed, and writes only then.
///
/// # Errors
/// The file cannot be read, understood or written, or `change` refuses it; then it is left as it is.
pub fn edit(path: &Path, change: impl FnOnce(&mut DocumentMut) -> Result<(), String>) -> io::Result<bool> {
    let invalid =
        |why: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()));
    // A link stays one: what it leads to is changed.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (text, permissions) = match fs::read_to_string(path) {
        Ok(text) => (text, Some(fs::metadata(path)?.permissions())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (String::new(), None),
        Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    };
    let mut document: DocumentMut = text.parse().map_err(|error| invalid(&error))?;
    change(&mut document).map_err(|why| invalid(&why))?;
    let new = document.to_string();
    if new == text {
        return Ok(false);
    }
    replace(path, new.as_bytes(), permissions)?;
    Ok(true)
}

/// The table of that dotted name, made if there is none.
///
/// # Errors
/// Something else has that name.
pub fn table<'a>(document: &'a mut DocumentMut, name: &str) -> Result<&'a mut dyn TableLike, String> {
    let mut table: &mut dyn TableLike = document.as_table_mut();
    let mut parts = name.split('.').peekable();
    while let Some(part) = parts.next() {
        let mut fresh = Table::new();
        // one that only holds another table has no line of its own
        fresh.set_implicit(parts.peek().is_some());
        let item = table.entry(part).or_insert(Item::Table(fresh));
        table = item.as_table_like_mut().ok_or_else(|| format!("{part} in {name} is not a table"))?;
    }
    Ok(table)
}

/// Sets a value, keeping the comment behind an old one.
pub fn set(table: &mut dyn TableLike, key: &str, new: impl Into<Value>) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let mut new = new.into();
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => {
            table.insert(key, value(new));
        }
    }
}
