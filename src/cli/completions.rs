//! `completions`: what a shell needs to complete our commands.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Args)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints them.
pub fn completions(args: &CompletionsArgs) -> ExitCode {
    super::print(&text(args.shell));
    ExitCode::SUCCESS
}

fn text(shell: Shell) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut shown(&super::command()), "palyra-tray", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The command without what is hidden, which the generators would offer too.
fn shown(command: &Command) -> Command {
    let mut copy = Command::new(command.get_name().to_owned())
        .args(command.get_arguments().filter(|argument| !argument.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(shown));
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    match command.get_version() {
        Some(version) => copy.version(version.to_owned()),
        None => copy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_not_offered() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let text = text(shell);
            assert!(text.contains("approvals") && text.contains("keep-running"), "{text}");
            assert!(!text.contains("simulate") && !text.contains("PALYRA_"), "{text}");
        }
    }

    #[test]
    fn the_packaged_ones_are_those_of_this_version() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/completions");
        for (shell, name) in
            [(Shell::Bash, "palyra-tray.bash"), (Shell::Zsh, "_palyra-tray"), (Shell::Fish, "palyra-tray.fish")]
        {
            let path = format!("{folder}/{name}");
            if std::env::var_os("UPDATE_COMPLETIONS").is_some() {
                std::fs::write(&path, text(shell)).unwrap();
            }
            let packaged = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
            assert!(
                packaged == text(shell),
                "packaging/completions/{name} is of other commands; run this test with UPDATE_COMPLETIONS=1"
            );
        }
    }
}
