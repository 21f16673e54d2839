//! `completions`: what a shell needs to complete our commands.

use std::process::ExitCode;

use crate::words::help;
use clap::{Args, Command};
use clap_complete::Shell;

const NAME: &str = "palyra-tray";

/// Arguments of `completions`.
#[derive(Args)]
pub struct CompletionsArgs {
    #[arg(value_enum, help = help::COMPLETIONS_SHELL)]
    shell: Shell,
}

/// Prints them.
pub fn completions(args: &CompletionsArgs) -> ExitCode {
    super::print(&text(args.shell));
    ExitCode::SUCCESS
}

fn text(shell: Shell) -> String {
    // of a name with a hyphen the generator for bash (4.6.11) makes two names, and nothing below the first word is completed
    let name = if shell == Shell::Bash { "palyra_tray" } else { NAME };
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut shown(&super::command()), name, &mut bytes);
    String::from_utf8_lossy(&bytes).replace(" palyra_tray\n", " palyra-tray\n")
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

    #[cfg(unix)]
    #[test]
    fn bash_completes_at_every_depth() {
        let script = "source /dev/stdin
            [[ $(complete -p palyra-tray) == *' -F _palyra_tray palyra-tray' ]]
            for line in 'palyra-tray autos' 'palyra-tray autostart o' 'palyra-tray approvals approve --dig'; do
                COMP_WORDS=($line) COMP_CWORD=$(($(wc -w <<<\"$line\") - 1))
                _palyra_tray palyra-tray \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"
                echo \"${COMPREPLY[*]}\"
            done";
        let mut child = std::process::Command::new("bash")
            .args(["-e", "-c", script])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text(Shell::Bash).as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "autostart\non off\n--digest\n");
        assert!(output.status.success());
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
