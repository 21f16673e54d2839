//! A launch agent in the person's library. launchd reads that folder at login.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::Environment;
use crate::core::autostart::{LABEL, Launch, State, Way, is_ours, launch_agent};
use crate::shell::store;
use crate::words;

pub fn state(env: &Environment) -> Result<State, String> {
    let path = path(env)?;
    Ok(match read(&path)? {
        None => State::off(),
        Some(text) if is_ours(&text) => State::on(Way::LaunchAgent),
        Some(_) => {
            let mut state = State::on(Way::LaunchAgent);
            state.how = words::login::on_but_foreign(&state.how, path.display());
            state
        }
    })
}

pub fn switch_on(env: &Environment, launch: &Launch) -> Result<String, String> {
    let path = path(env)?;
    if read(&path)?.is_some_and(|text| !is_ours(&text)) {
        return Ok(state(env)?.how);
    }
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| store::write_atomic(&path, launch_agent(launch).as_bytes()))
        .map_err(words::login::launch_agent_cannot_be_written)?;
    Ok(state(env)?.how)
}

pub fn switch_off(env: &Environment) -> Result<String, String> {
    let path = path(env)?;
    match read(&path)? {
        None => {}
        Some(text) if is_ours(&text) => {
            fs::remove_file(&path).map_err(|error| words::login::cannot_be_removed(path.display(), &error))?
        }
        Some(_) => {
            return Err(words::login::foreign_remove_yourself(path.display()));
        }
    }
    Ok(state(env)?.how)
}

fn path(env: &Environment) -> Result<PathBuf, String> {
    let home = env.path("HOME").ok_or_else(|| words::login::NO_HOME_DIRECTORY_IS_KNOWN.to_owned())?;
    Ok(home.join("Library").join("LaunchAgents").join(format!("{LABEL}.plist")))
}

fn read(path: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(words::common::cannot_be_read(path.display(), &error)),
    }
}
