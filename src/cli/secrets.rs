//! `secrets`: where the tokens and keys are that are kept for Palyra, and new ones. No value is ever shown, nor anything made
//! of one.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::config::Paths;
use crate::core::text;
use crate::protocol::secrets::{SecretName, SecretsRequest};
use crate::protocol::{Failure, FailureCode, Reply, Request};
use crate::words::{self, help};

/// The keyring may ask for its password, and what uses the secrets starts again.
const PATIENCE: Duration = Duration::from_secs(180);

/// `secrets …`
#[derive(Subcommand)]
pub enum Secrets {
    #[command(about = help::SECRETS_STATUS)]
    Status {
        #[arg(long, help = help::AS_JSON)]
        json: bool,
    },
    #[command(about = help::SECRETS_ROTATE)]
    Rotate(RotateArgs),
}

/// Arguments of `rotate`.
#[derive(Args)]
pub struct RotateArgs {
    #[arg(value_parser = name, required_unless_present = "all", help = help::SECRETS_NAMES)]
    names: Vec<SecretName>,
    #[arg(long, conflicts_with = "names", help = help::SECRETS_ALL)]
    all: bool,
    #[arg(long, help = help::SECRETS_YES)]
    yes: bool,
}

/// Does one of them.
pub fn secrets(paths: &Paths, command: &Secrets) -> Result<ExitCode, Failure> {
    match command {
        Secrets::Status { json } => status(paths, *json),
        Secrets::Rotate(args) => rotate(paths, args),
    }
}

fn name(word: &str) -> Result<SecretName, String> {
    let wanted = word.replace('_', "-");
    SecretName::ALL.into_iter().find(|name| name.word() == wanted).ok_or_else(|| {
        let words: Vec<_> = SecretName::ALL.iter().map(|name| name.word()).collect();
        words::secrets::secrets_are(words.join(", "))
    })
}

fn rotate(paths: &Paths, args: &RotateArgs) -> Result<ExitCode, Failure> {
    let loses = args.names.contains(&SecretName::BrowserStateKey) || (args.all && may_rotate_state_key(paths)?);
    if loses && !args.yes {
        confirm()?;
    }
    let names = args.names.clone();
    super::say(&super::ask(paths, Request::Secrets(SecretsRequest::Rotate { names, lose_profiles: loses }), PATIENCE)?)
}

/// Nobody is asked about a key that is not ours to change.
fn may_rotate_state_key(paths: &Paths) -> Result<bool, Failure> {
    let found = look(paths)?;
    let mut all = found["secrets"].as_array().into_iter().flatten();
    Ok(all.any(|one| one["name"] == "browser_state_key" && one["place"] != "config"))
}

fn confirm() -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(Failure::new(
            FailureCode::Refused,
            words::secrets::WITH_NEW_BROWSER_STATE_KEY_STORED,
            words::secrets::IF_YOU_KNOW,
        ));
    }
    let width = 100;
    super::print(&words::secrets::make_new_one(text::wrap(words::secrets::STATE_KEY_MEANING, width, 9).join("\n")));
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    let agreed = std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes";
    if agreed { Ok(()) } else { Err(Failure::new(FailureCode::Refused, words::secrets::NOTHING_WAS_CHANGED, "")) }
}

fn look(paths: &Paths) -> Result<Value, Failure> {
    match super::ask(paths, Request::Secrets(SecretsRequest::Status), super::SHORT)? {
        Reply::Data(found) => Ok(found),
        _ => Err(Failure::new(
            FailureCode::Failed,
            words::common::AGENTS_ANSWER_WAS_NOT_UNDERSTOOD,
            words::common::SEE_STATUS,
        )),
    }
}

fn status(paths: &Paths, json: bool) -> Result<ExitCode, Failure> {
    let found = look(paths)?;
    if json {
        super::print_json(&found);
    } else {
        super::print(&words(&found));
    }
    Ok(ExitCode::SUCCESS)
}

fn words(found: &Value) -> String {
    let mut out = String::new();
    let now = found["as_of_unix_ms"].as_i64().unwrap_or_default();
    for one in found["secrets"].as_array().into_iter().flatten() {
        let label = text::capitalise(one["label"].as_str().unwrap_or_default());
        out.push_str(&format!("{label:<18} {}\n", place(one, now)));
    }
    for one in found["kept_by_palyra"].as_array().into_iter().flatten() {
        let text_of = |key: &str| one[key].as_str().unwrap_or_default();
        out.push_str(&words::secrets::kept_by_palyra(text_of("what"), text_of("folder")));
    }
    if found["rotation_under_way"] == Value::Bool(true) {
        out.push_str(words::secrets::NEW_ONES_ARE_BEING_MADE);
    }
    out
}

fn place(one: &Value, now: i64) -> String {
    let text_of = |key: &str| one[key].as_str().unwrap_or_default();
    let since = one["since_unix_ms"].as_i64().map(|at| {
        let seconds = u64::try_from(now.saturating_sub(at) / 1_000).unwrap_or_default();
        words::secrets::made_ago(text::duration(seconds))
    });
    let since = since.unwrap_or_default();
    match text_of("place") {
        "keyring" => words::secrets::in_systems_keyring(&since),
        "file" if text_of("mode").is_empty() => format!("in {}{since}", text_of("path")),
        "file" => words::secrets::in_mode(text_of("path"), text_of("mode"), &since),
        "config" if text_of("key").ends_with("_secret_ref") => words::secrets::only_referred_to(text_of("key")),
        "config" => words::secrets::from_palyras_config(text_of("key")),
        "missing" => words::secrets::MISSING_NEXT_START_MAKES_ONE.to_owned(),
        _ => words::secrets::cannot_be_looked_at_now(text_of("why")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn where_each_is_in_words() {
        let found = json!({
            "as_of_unix_ms": 7_200_000,
            "secrets": [
                { "label": "admin token", "place": "keyring", "since_unix_ms": 0 },
                { "label": "browser token", "place": "file", "path": "/s/secrets.json", "mode": "0600" },
                { "label": "browser state key", "place": "unavailable", "why": "it is locked" },
                { "label": "admin token", "place": "config", "key": "admin.auth_token" },
                { "label": "browser token", "place": "config", "key": "b.auth_token_secret_ref" },
            ],
            "kept_by_palyra": [{ "what": "keys of providers and bots", "folder": "/s/vault" }],
            "rotation_under_way": false,
        });
        let words = words(&found);
        let expected = "Admin token        in the system's keyring, made 2 h ago\n\
            Browser token      in /s/secrets.json (mode 0600)\n\
            Browser state key  cannot be looked at now: it is locked\n\
            Admin token        from Palyra's config (admin.auth_token), which has the say\n\
            Browser token      Palyra's config only says where it is (b.auth_token_secret_ref), which Palyra Tray cannot follow\n\
            Kept by Palyra     keys of providers and bots: /s/vault\n";
        assert_eq!(words, expected);
    }
}
