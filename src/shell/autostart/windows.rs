//! A value in the Run key of the person's own part of the registry.
//!
//! Windows' settings switch a start off by a value of the same name elsewhere, which is respected, and removed when the
//! person switches it on here again.

use windows_registry::{CURRENT_USER, Key};

use crate::config::Environment;
use crate::core::autostart::{Launch, State, Way, run_value};
use crate::words;

const RUN: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
const SWITCHED: &str = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run";

pub fn state(_env: &Environment) -> Result<State, String> {
    if open(RUN).and_then(|key| key.get_string(words::common::PALYRA_TRAY).ok()).is_none() {
        return Ok(State::off());
    }
    // an odd first byte means off
    let switched = open(SWITCHED).and_then(|key| key.get_value(words::common::PALYRA_TRAY).ok());
    if switched.and_then(|value| value.first().copied()).is_some_and(|byte| byte & 1 == 1) {
        let mut state = State::off();
        state.how.push_str(words::login::IT_IS_SWITCHED_OFF_IN_WINDOWS);
        return Ok(state);
    }
    Ok(State::on(Way::RunKey))
}

pub fn switch_on(env: &Environment, launch: &Launch) -> Result<String, String> {
    CURRENT_USER
        .create(RUN)
        .and_then(|key| key.set_string(words::common::PALYRA_TRAY, run_value(launch)))
        .map_err(words::login::registry_cannot_be_written)?;
    remove(SWITCHED)?;
    Ok(state(env)?.how)
}

pub fn switch_off(env: &Environment) -> Result<String, String> {
    remove(RUN)?;
    Ok(state(env)?.how)
}

fn open(path: &str) -> Option<Key> {
    CURRENT_USER.open(path).ok()
}

fn remove(path: &str) -> Result<(), String> {
    let Ok(key) = CURRENT_USER.options().read().write().open(path) else { return Ok(()) };
    if key.get_value(words::common::PALYRA_TRAY).is_err() {
        return Ok(());
    }
    key.remove_value(words::common::PALYRA_TRAY).map_err(words::login::registry_cannot_be_written)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn on_switched_off_by_windows_on_and_off() {
        let env = Environment::of(&[], Path::new(r"C:\a b\palyra-tray.exe"));
        let launch = Launch::new(&env.executable, &[]).unwrap();
        assert!(switch_on(&env, &launch).unwrap().contains("at every login"));
        let run = CURRENT_USER.open(RUN).unwrap();
        assert_eq!(run.get_string(words::common::PALYRA_TRAY).unwrap(), r#""C:\a b\palyra-tray.exe" run"#);
        let switched = CURRENT_USER.create(SWITCHED).unwrap();
        switched
            .set_bytes(words::common::PALYRA_TRAY, windows_registry::Type::Bytes, &[3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            .unwrap();
        assert!(!state(&env).unwrap().on);
        switch_on(&env, &launch).unwrap();
        assert!(state(&env).unwrap().on);
        switch_off(&env).unwrap();
        assert_eq!(state(&env).unwrap(), State::off());
        assert!(run.get_string(words::common::PALYRA_TRAY).is_err());
    }
}
