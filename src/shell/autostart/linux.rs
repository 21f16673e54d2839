//! Files below the person's config folder, and `systemctl --user`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::config::Environment;
use crate::core::autostart::{self, Facts, Launch, Manager, PROPERTIES, State, Step, TARGET, UNIT, UnitFile};
use crate::shell::store;
use crate::words;

/// Where packages put units for all users, and what the unit of ours starts.
const PACKAGED_UNIT: &str = "/usr/lib/systemd/user/palyra-tray.service";
const PACKAGED_PROGRAM: &str = "/usr/bin/palyra-tray";

pub fn state(env: &Environment) -> Result<State, String> {
    Ok(autostart::state(&look(env)?))
}

pub fn switch_on(env: &Environment, launch: &Launch) -> Result<String, String> {
    let facts = look(env)?;
    let steps = autostart::switch_on(&facts, launch)?;
    perform(env, &facts, steps)?;
    autostart::confirm(&look(env)?, true)
}

pub fn switch_off(env: &Environment) -> Result<String, String> {
    let facts = look(env)?;
    perform(env, &facts, autostart::switch_off(&facts))?;
    autostart::confirm(&look(env)?, false)
}

fn look(env: &Environment) -> Result<Facts, String> {
    let config = config_home(env)?;
    let units = config.join("systemd").join("user");
    let unit_path = units.join(UNIT);
    let entry_path = config.join("autostart").join("palyra-tray.desktop");
    let desktop = env.get("XDG_CURRENT_DESKTOP").map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Facts {
        entry: read(&entry_path)?,
        entry_path,
        unit: unit_file(&unit_path)?,
        unit_path,
        linked: link(&units).exists(),
        packaged: env.executable == Path::new(PACKAGED_PROGRAM) && Path::new(PACKAGED_UNIT).is_file(),
        manager: manager(env),
        desktop,
    })
}

/// Does it, one after the other. A unit that could not be enabled is taken away again.
fn perform(env: &Environment, facts: &Facts, steps: Vec<Step>) -> Result<(), String> {
    let writes_anew = facts.unit == UnitFile::Missing && steps.iter().any(|step| matches!(step, Step::WriteUnit(_)));
    for step in steps {
        if let Err(why) = perform_one(env, facts, step) {
            if writes_anew && facts.unit_path.exists() {
                let _ = fs::remove_file(&facts.unit_path);
                let _ = systemctl(env, &["daemon-reload"]);
            }
            return Err(why);
        }
    }
    Ok(())
}

fn perform_one(env: &Environment, facts: &Facts, step: Step) -> Result<(), String> {
    match step {
        Step::WriteUnit(text) => write(&facts.unit_path, &text),
        Step::KeepUntilLogout(text) => match env.path("XDG_RUNTIME_DIR") {
            Some(runtime) => write(&runtime.join("systemd").join("user").join(UNIT), &text),
            None => Ok(()),
        },
        Step::WriteEntry(text) => write(&facts.entry_path, &text),
        Step::RemoveUnit => remove(&facts.unit_path),
        Step::RemoveEntry => remove(&facts.entry_path),
        Step::RemoveLink => remove(&link(facts.unit_path.parent().unwrap_or(Path::new("/")))),
        Step::Reload => systemctl(env, &["daemon-reload"]).map(|_| ()),
        // an earlier link may lead to another file of that name
        Step::Enable => systemctl(env, &["reenable", UNIT]).map(|_| ()),
        Step::Disable => systemctl(env, &["disable", UNIT]).map(|_| ()),
    }
}

fn link(units: &Path) -> PathBuf {
    units.join(format!("{TARGET}.wants")).join(UNIT)
}

fn config_home(env: &Environment) -> Result<PathBuf, String> {
    let given = env.path("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    given
        .or_else(|| Some(env.path("HOME")?.join(".config")))
        .ok_or_else(|| words::login::NO_HOME_DIRECTORY_IS_KNOWN.to_owned())
}

fn read(path: &Path) -> Result<Option<String>, String> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(words::common::cannot_be_read(path.display(), &error)),
    }
}

fn unit_file(path: &Path) -> Result<UnitFile, String> {
    if fs::read_link(path).is_ok_and(|target| target == Path::new("/dev/null")) {
        return Ok(UnitFile::Masked);
    }
    Ok(match read(path)? {
        // systemd takes an empty file for a mask too
        Some(text) if text.is_empty() => UnitFile::Masked,
        Some(text) => UnitFile::Text(text),
        None => UnitFile::Missing,
    })
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = made
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
        .and_then(|()| store::write_atomic(path, text.as_bytes()));
    written.map_err(words::login::login_entry_cannot_be_written)
}

fn remove(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(words::login::cannot_be_removed(path.display(), &error))
        }
        _ => Ok(()),
    }
}

/// What the user manager says, where one answers.
fn manager(env: &Environment) -> Option<Manager> {
    // without this systemctl would look for the manager of another session
    if !env.path("XDG_RUNTIME_DIR")?.join("systemd").join("private").exists() {
        return None;
    }
    let output = systemctl(env, &["show", "--property", PROPERTIES, TARGET, UNIT]);
    match output {
        Ok(output) => Some(Manager::parse(&output)),
        Err(why) => {
            tracing::debug!("the user manager does not answer: {why}");
            None
        }
    }
}

fn systemctl(env: &Environment, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("systemctl");
    command.arg("--user").arg("--no-ask-password").args(arguments).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8");
    for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"] {
        match env.get(name) {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output().map_err(words::login::systemctl_cannot_be_run)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(words::login::IT_DOES_NOT_SAY_WHY);
    Err(words::login::systemctl_user_failed(arguments.join(" "), said.trim_end_matches('.')))
}
