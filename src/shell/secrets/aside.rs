//! The browser's state under a new key: the browser service starts, and then fails at everything that has to do with
//! profiles, new ones too, because it cannot read its registry. So what an old key has encrypted is put aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::file::FileStore;
use super::record::{Record, now_ms};

use crate::words;

/// Puts the browser's state aside if its key is no more. To be called while no browser service runs and before one is
/// started. Says where it went.
///
/// # Errors
/// It cannot be moved; one sentence.
pub fn put_aside(folder: &Path, browser_state: &Path) -> Result<Option<PathBuf>, String> {
    if !Record::read(folder).state_is_unreadable {
        return Ok(None);
    }
    let file = FileStore::open(folder)?;
    let _guard = file.lock()?;
    let aside = browser_state.with_extension(format!("unreadable-{}", now_ms()));
    let moved = match fs::rename(browser_state, &aside) {
        Ok(()) => Some(aside),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            let path = browser_state.display();
            return Err(words::secrets::browsers_old_state_cannot_be_put(&path, &error));
        }
    };
    let mut record = Record::read(folder);
    record.state_is_unreadable = false;
    record.write(folder).map_err(|error| error.to_string())?;
    Ok(moved)
}
