//! Changing one value in a TOML file that a person may have written: comments, order and permissions are kept.

use std::fs;
use std::io;
use std::path::Path;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value, value};

use super::replace;

use crate::words;

/// Somebody who writes the same file at the same moments is waited for so often.
const TRIES: usize = 20;

/// How patiently another of us is waited for: 2 s.
const TURN_TRIES: u32 = 100;
const TURN_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// Changes the document; an absent file is an empty one. Gives whether anything changed, and writes only then. What somebody
/// else writes meanwhile is not overwritten: then the newest is changed instead.
///
/// # Errors
/// The file cannot be read, understood or written, or `change` refuses it; then it is left as it is.
pub fn edit(path: &Path, mut change: impl FnMut(&mut DocumentMut) -> Result<(), String>) -> io::Result<bool> {
    let invalid =
        |why: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()));
    // A link stays one: what it leads to is changed.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // Two of us write one after the other. Others know nothing of it.
    let _turn = path.parent().and_then(turn);
    for _ in 0..TRIES {
        let (text, permissions) = match fs::read_to_string(path) {
            Ok(text) => (Some(text), Some(fs::metadata(path)?.permissions())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, None),
            Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        };
        let old = text.as_deref().unwrap_or_default();
        let mut document: DocumentMut = old.parse().map_err(|error| invalid(&error))?;
        change(&mut document).map_err(|why| invalid(&why))?;
        let new = document.to_string();
        if new == old {
            return Ok(false);
        }
        let still = || match fs::read(path) {
            Ok(now) => text.as_ref().is_some_and(|text| text.as_bytes() == now),
            Err(error) => text.is_none() && error.kind() == io::ErrorKind::NotFound,
        };
        if replace(path, new.as_bytes(), permissions, true, &still)? {
            return Ok(true);
        }
    }
    Err(invalid(&words::agent::SOMEBODY_ELSE_WRITES_IT_ALL_TIME))
}

/// Held until dropped. None where there is nothing to lock, or somebody holds it who does not go on.
fn turn(folder: &Path) -> Option<fs::File> {
    let held = lockable(folder).ok()?;
    for _ in 0..TURN_TRIES {
        match held.try_lock() {
            Ok(()) => return Some(held),
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(TURN_PAUSE),
            Err(fs::TryLockError::Error(_)) => return None,
        }
    }
    None
}

#[cfg(unix)]
fn lockable(folder: &Path) -> io::Result<fs::File> {
    fs::File::open(folder)
}

/// A folder cannot be locked on Windows; and there nobody may read what is being replaced, so turns are needed all the more.
#[cfg(not(unix))]
fn lockable(folder: &Path) -> io::Result<fs::File> {
    fs::File::options().write(true).create(true).truncate(false).open(folder.join("edit.lock"))
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
        table = item.as_table_like_mut().ok_or_else(|| words::agent::in_is_not_table(part, name))?;
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_is_written_meanwhile_by_hand_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        fs::write(&path, "a = 1\n").unwrap();
        let rounds = Cell::new(0);
        let changed = edit(&path, |document| {
            rounds.set(rounds.get() + 1);
            // an editor saves between our look and our write
            if rounds.get() == 1 {
                fs::write(&path, "# by hand\na = 1\nb = 2\n").unwrap();
            }
            set(document.as_table_mut(), "a", 3);
            Ok(())
        });
        assert!(changed.unwrap() && rounds.get() == 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "# by hand\na = 3\nb = 2\n");
        // also where there was none before, or is none any more
        for before in [None, Some("a = 1\n")] {
            let _ = before.map_or_else(|| fs::remove_file(&path), |text| fs::write(&path, text));
            rounds.set(0);
            edit(&path, |document| {
                rounds.set(rounds.get() + 1);
                if rounds.get() == 1 {
                    let _ = before.map_or_else(|| fs::write(&path, "b = 2\n"), |_| fs::remove_file(&path));
                }
                set(document.as_table_mut(), "c", 3);
                Ok(())
            })
            .unwrap();
            let wanted = if before.is_none() { "b = 2\nc = 3\n" } else { "c = 3\n" };
            assert_eq!(fs::read_to_string(&path).unwrap(), wanted);
        }
        let endless = edit(&path, |document| {
            rounds.set(rounds.get() + 1);
            fs::write(&path, format!("d = {}\n", rounds.get())).unwrap();
            set(document.as_table_mut(), "a", 3);
            Ok(())
        });
        assert!(endless.unwrap_err().to_string().contains("try again"));
    }

    #[test]
    fn many_writers_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.toml");
        std::thread::scope(|threads| {
            for writer in 0..8 {
                let path = &path;
                threads.spawn(move || {
                    for n in 0..5 {
                        edit(path, |document| {
                            set(document.as_table_mut(), &format!("k{writer}{n}"), n);
                            Ok(())
                        })
                        .unwrap();
                    }
                });
            }
        });
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 40, "{text}");
    }
}
