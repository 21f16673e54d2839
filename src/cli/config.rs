//! `config`: the preferences, the rollout flags, and what the agent does about the config of Palyra itself.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::config::Paths;
use crate::config::settings::{self, Form, KEYS, Key, Settings, nearest_of};
use crate::core::companion::Flag;
use crate::protocol::{Action, Failure, FailureCode, Request, ServiceId};
use crate::shell::{settings as file, store};
use crate::words::{self, help};

#[derive(Subcommand)]
pub enum Config {
    #[command(about = help::CONFIG_LIST)]
    List {
        #[arg(long, help = help::AS_JSON)]
        json: bool,
    },
    #[command(about = help::CONFIG_GET)]
    Get {
        #[arg(help = help::CONFIG_NAME)]
        name: String,
    },
    #[command(about = help::CONFIG_SET)]
    Set {
        #[arg(help = help::CONFIG_NAME)]
        name: String,
        #[arg(help = help::CONFIG_VALUE)]
        value: String,
    },
    #[command(about = help::CONFIG_RESTARTS)]
    Restarts {
        #[arg(help = help::CONFIG_SWITCH)]
        switch: Switch,
    },
    #[command(about = help::CONFIG_WRITE_PORTS)]
    WritePorts {
        #[arg(value_parser = super::service, help = help::CONFIG_SERVICE)]
        service: Option<ServiceId>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// What a name stands for.
enum Named {
    /// In `settings.toml`.
    Setting(&'static Key),
    /// In the active profile's state.
    Flag(Flag),
}

/// Does it.
pub fn config(paths: &Paths, command: &Config) -> Result<ExitCode, Failure> {
    let action = match command {
        Config::List { json } => return list(paths, *json),
        Config::Get { name } => return get(paths, name),
        Config::Set { name, value } => return set(paths, name, value),
        Config::WritePorts { service } => Action::WritePorts { service: *service },
        Config::Restarts { switch } => Action::SetConfigRestarts { enabled: matches!(switch, Switch::On) },
    };
    act(paths, action)
}

fn act(paths: &Paths, action: Action) -> Result<ExitCode, Failure> {
    super::say(&super::ask(paths, Request::Act { action }, super::LONG)?)
}

fn named(name: &str) -> Result<Named, Failure> {
    if let Some(key) = settings::find(name) {
        return Ok(Named::Setting(key));
    }
    if let Some(flag) = Flag::ALL.into_iter().find(|flag| flag.name() == name) {
        return Ok(Named::Flag(flag));
    }
    let names = KEYS.iter().map(|key| key.name).chain(Flag::ALL.into_iter().map(Flag::name));
    let meant = nearest_of(name, names).map(words::settings::is_meant_question).unwrap_or_default();
    Err(Failure::new(FailureCode::Usage, words::settings::there_is_no_setting(name), meant + words::settings::ALL))
}

fn list(paths: &Paths, as_json: bool) -> Result<ExitCode, Failure> {
    let preferences = read(paths);
    let flags = flags(paths);
    if as_json {
        let value = |key: &Key| match (key.form, preferences.show(key)) {
            (Form::Switch, text) => json!(text == "true"),
            (_, text) if text.is_empty() => Value::Null,
            (_, text) => json!(text),
        };
        let settings: serde_json::Map<_, _> = KEYS.iter().map(|key| (key.name.to_owned(), value(key))).collect();
        let flags: serde_json::Map<_, _> =
            flags.into_iter().map(|(flag, on)| (flag.name().to_owned(), json!(on))).collect();
        super::print_json(&json!({ "file": paths.settings(), "settings": settings, "flags": flags }));
        return Ok(ExitCode::SUCCESS);
    }
    let width = KEYS.iter().map(|key| key.name.len()).max().unwrap_or_default();
    let mut text = format!("{}\n", paths.settings().display());
    for key in &KEYS {
        let value = preferences.show(key);
        let value = if value.is_empty() { "-".to_owned() } else { value };
        text.push_str(&format!("{:width$}  {value:<6}  {}\n", key.name, key.about));
    }
    text.push_str(words::settings::FLAGS_OF_ACTIVE_PROFILE);
    for (flag, on) in flags {
        let about = flag.switches().unwrap_or(words::settings::KEPT_ONLY);
        text.push_str(&format!("{:width$}  {:<6}  {about}\n", flag.name(), on.to_string()));
    }
    super::print(&text);
    Ok(ExitCode::SUCCESS)
}

fn get(paths: &Paths, name: &str) -> Result<ExitCode, Failure> {
    let value = match named(name)? {
        Named::Setting(key) => read(paths).show(key),
        Named::Flag(wanted) => {
            flags(paths).into_iter().find(|(flag, _)| *flag == wanted).map(|(_, on)| on.to_string()).unwrap_or_default()
        }
    };
    super::print(&format!("{value}\n"));
    Ok(ExitCode::SUCCESS)
}

fn set(paths: &Paths, name: &str, text: &str) -> Result<ExitCode, Failure> {
    let wrong = |form: Form| Failure::new(FailureCode::Usage, words::settings::takes_and(name, form.takes(), text), "");
    let key = match named(name)? {
        Named::Setting(key) => key,
        Named::Flag(flag) => {
            let on = if text.is_empty() {
                Some(flag.default())
            } else {
                Form::Switch.parse(text).and_then(|value| value.as_bool())
            };
            let enabled = on.ok_or_else(|| wrong(Form::Switch))?;
            return act(paths, Action::SetFlag { flag, enabled });
        }
    };
    store::private_dir(&paths.own).map_err(|error| failed(&error))?;
    let path = paths.settings();
    let written = if text.is_empty() {
        file::unset(&path, key.name)
    } else {
        match key.form.parse(text).ok_or_else(|| wrong(key.form))? {
            toml::Value::Boolean(on) => file::set(&path, key.name, on),
            _ => file::set(&path, key.name, text),
        }
    };
    written.map_err(|error| failed(&error))?;
    super::print(&words::settings::is_set(name, path.display()));
    Ok(ExitCode::SUCCESS)
}

fn failed(error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::FileTooLarge | std::io::ErrorKind::QuotaExceeded => {
            words::settings::FREE_SOME_SPACE
        }
        std::io::ErrorKind::InvalidData => words::settings::MEND_FILE_THEN_TRY_AGAIN,
        _ => "",
    };
    Failure::new(FailureCode::Failed, words::settings::nothing_was_changed(error), hint)
}

/// What is not understood is said, and does not hinder.
fn read(paths: &Paths) -> Settings {
    let (settings, warnings) = Settings::read(&paths.settings());
    for warning in warnings {
        eprintln!("palyra-tray: {warning}");
    }
    settings
}

/// As the agent keeps them.
fn flags(paths: &Paths) -> Vec<(Flag, bool)> {
    let state = store::state::peek(&paths.state());
    let profile = state.profiles.get(&state.active_profile).cloned().unwrap_or_default();
    Flag::ALL.into_iter().map(|flag| (flag, profile.flag(flag))).collect()
}
