//! `about`: what this program is and where everything lies; as text, or in a window. Needs no running agent.

use std::process::ExitCode;

use clap::Args;

use crate::config::{Environment, Paths};
use crate::core::dialog::{Answer, Body, DialogButton, Form, Tone};
use crate::protocol::{Failure, FailureCode};
use crate::shell::dialog;
use crate::words::{self, help};

/// The commit that it was built from, where the build said so.
const GIT_HASH: Option<&str> = option_env!("PALYRA_TRAY_GIT_HASH");
const CLOSE: &str = "close";

/// Arguments of `about`.
#[derive(Args)]
pub struct AboutArgs {
    #[arg(long, help = help::IN_WINDOW)]
    dialog: bool,
}

/// Shows it.
pub fn about(env: &Environment, args: &AboutArgs) -> Result<ExitCode, Failure> {
    let words = words(env, &super::paths(env)?);
    if args.dialog {
        let failed = |why| Failure::new(FailureCode::Failed, why, words::windows::ABOUT_IN_TERMINAL);
        let mut front = dialog::pick(env).map_err(failed)?;
        // on a terminal the plain text reads better than a form
        if !front.is_terminal() {
            return match front.ask(&form(words)) {
                Answer::Failed { why } => Err(failed(why)),
                Answer::Pressed { .. } | Answer::Dismissed => Ok(ExitCode::SUCCESS),
            };
        }
    }
    super::print(&words);
    Ok(ExitCode::SUCCESS)
}

fn words(env: &Environment, paths: &Paths) -> String {
    let commit = GIT_HASH.map(|hash| format!(" ({hash})")).unwrap_or_default();
    let rows = [
        (words::status::PROGRAM, env.executable.display().to_string()),
        (words::status::DATA, paths.state_root.display().to_string()),
        (words::status::RUNTIME, paths.runtime_root.display().to_string()),
        (words::common::CONFIG, paths.config.display().to_string()),
        (words::status::SETTINGS, paths.settings().display().to_string()),
        (words::common::LOGS, paths.agent_log().parent().unwrap_or(&paths.own).display().to_string()),
        (words::status::LICENCE, env!("CARGO_PKG_LICENSE").to_owned()),
        (words::status::HOME, env!("CARGO_PKG_REPOSITORY").to_owned()),
    ];
    let rows: String = rows.iter().map(|(name, what)| format!("  {name:<10} {what}\n")).collect();
    words::status::about(env!("CARGO_PKG_VERSION"), &commit, &rows)
}

fn form(words: String) -> Form {
    Form {
        title: words::status::ABOUT_PALYRA_TRAY.to_owned(),
        heading: words::common::PALYRA_TRAY.to_owned(),
        text: words::status::IT_KEEPS_PALYRA_RUNNING_AND_BRINGS.to_owned(),
        body: Body::Document { document: words },
        buttons: vec![DialogButton::new(CLOSE, words::buttons::CLOSE)],
        focus: Some(CLOSE.to_owned()),
        tone: Tone::Info,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn it_says_what_it_is_and_where_everything_lies() {
        let root = Path::new(if cfg!(windows) { r"C:\s" } else { "/s" });
        let settings = root.join("tray").join("settings.toml").display().to_string();
        let env = Environment::of(&[("PALYRA_STATE_ROOT", root)], Path::new("/x/palyra-tray"));
        let words = words(&env, &Paths::find(&env).unwrap());
        for wanted in [env!("CARGO_PKG_VERSION"), "/x/palyra-tray", &settings, "MIT OR Apache-2.0"] {
            assert!(words.contains(wanted), "{wanted} in {words}");
        }
    }
}
