//! What is written for each platform, in its own language and with its own escapes.
//!
//! Every entry carries [`MARK`], by which it is known as ours later, also after a desktop's settings have rewritten it.

use super::Launch;

use crate::words;

/// The unit that the package installs; our own one is the same with another command.
const PACKAGED_UNIT: &str = include_str!("../../../packaging/palyra-tray.service");
/// Its line that names the program.
const PACKAGED_COMMAND: &str = "ExecStart=/usr/bin/palyra-tray run";

/// A key that is nobody else's: unknown to systemd and desktops, which keep it.
pub const MARK: &str = "X-Palyra-Tray-Autostart";
/// Name of the macOS agent.
pub const LABEL: &str = "io.palyra.Tray";

/// Whether the text of an entry is ours to replace and to remove.
pub fn is_ours(text: &str) -> bool {
    text.lines().any(|line| line.trim_start().strip_prefix(MARK).is_some_and(|rest| rest.starts_with('=')))
}

/// Whether desktops start this autostart entry: some switch one off by a key in place of removing it.
pub fn entry_starts(text: &str) -> bool {
    let says = |key: &str, value: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .any(|(name, found)| name.trim() == key && found.trim().eq_ignore_ascii_case(value))
    };
    !says("Hidden", "true") && !says("X-GNOME-Autostart-enabled", "false")
}

/// A desktop's autostart entry.
pub fn desktop_entry(launch: &Launch) -> String {
    let mut words = Vec::new();
    if !launch.variables.is_empty() {
        words.push("/usr/bin/env".to_owned());
        words.extend(launch.variables.iter().map(|(name, value)| exec_word(&format!("{name}={value}"))));
    }
    words.push(exec_word(&launch.executable));
    words.push("run".to_owned());
    format!(
        "# {comment}\n\
         [Desktop Entry]\n\
         Type=Application\n\
         Version=1.4\n\
         Name=Palyra Tray\n\
         Comment={}\n\
         Exec={}\n\
         TryExec={}\n\
         Icon=palyra-tray\n\
         Terminal=false\n\
         StartupNotify=false\n\
         X-GNOME-Autostart-enabled=true\n\
         {MARK}=true\n",
        words::login::WHAT_IT_DOES,
        words.join(" "),
        launch.executable.replace('\\', "\\\\"),
        comment = words::login::COMMENT,
    )
}

/// One word of an `Exec` line: quoted for the command, then escaped as every string of a desktop entry.
fn exec_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-=+:@,%".contains(c);
    let doubled = word.replace('%', "%%");
    if !word.is_empty() && word.chars().all(plain) {
        return doubled;
    }
    let mut quoted = String::from("\"");
    for c in doubled.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted.replace('\\', "\\\\")
}

/// A systemd user unit: the package's, with our command and variables.
pub fn unit(launch: &Launch) -> String {
    let mut command = String::new();
    for (name, value) in &launch.variables {
        command.push_str(&format!("Environment={}\n", unit_word(&format!("{name}={value}"))));
    }
    // systemd takes no program with these in its path, but gives them to one
    let program = unit_word(&launch.executable);
    if launch.executable.contains(['"', '\'', '\\']) {
        // arguments, unlike the program, have their variables replaced
        command.push_str(&format!("ExecStart=/usr/bin/env {} run", program.replace('$', "$$")));
    } else {
        command.push_str(&format!("ExecStart={program} run"));
    }
    let unit = PACKAGED_UNIT.replace(PACKAGED_COMMAND, &command);
    format!("# {}\n{}", words::login::COMMENT, unit.replacen("[Unit]\n", &format!("[Unit]\n{MARK}=true\n"), 1))
}

/// One word of a unit.
fn unit_word(word: &str) -> String {
    let mut quoted = String::from("\"");
    for c in word.replace('%', "%%").chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// A macOS launch agent, started with the graphical session and again after a crash.
pub fn launch_agent(launch: &Launch) -> String {
    let variables: String = launch
        .variables
        .iter()
        .map(|(name, value)| format!("        <key>{}</key><string>{}</string>\n", xml(name), xml(value)))
        .collect();
    // AbandonProcessGroup: what the agent leaves behind is for the next agent to take back
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!--\n{MARK}=true\n{comment}\n-->\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n\
         <dict>\n\
         \x20   <key>Label</key><string>{LABEL}</string>\n\
         \x20   <key>ProgramArguments</key>\n\
         \x20   <array><string>{}</string><string>run</string></array>\n\
         \x20   <key>EnvironmentVariables</key>\n\
         \x20   <dict>\n{variables}\x20   </dict>\n\
         \x20   <key>RunAtLoad</key><true/>\n\
         \x20   <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>\n\
         \x20   <key>AbandonProcessGroup</key><true/>\n\
         \x20   <key>LimitLoadToSessionType</key><string>Aqua</string>\n\
         \x20   <key>ProcessType</key><string>Interactive</string>\n\
         </dict>\n\
         </plist>\n",
        xml(&launch.executable),
        comment = words::login::COMMENT,
    )
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The command line in Windows' Run key. That key has no place for variables, so `run` gets them as arguments.
pub fn run_value(launch: &Launch) -> String {
    let mut command = format!("{} run", windows_word(&launch.executable));
    for (name, value) in &launch.variables {
        command.push_str(&format!(" --env {}", windows_word(&format!("{name}={value}"))));
    }
    command
}

/// One word by the rules that Windows programs take their command line apart with: backslashes count only before a quote.
fn windows_word(word: &str) -> String {
    let mut quoted = String::from("\"");
    let mut backslashes = 0;
    for c in word.chars() {
        match c {
            '\\' => backslashes += 1,
            '"' => {
                quoted.push_str(&"\\".repeat(backslashes + 1));
                backslashes = 0;
            }
            _ => backslashes = 0,
        }
        quoted.push(c);
    }
    quoted.push_str(&"\\".repeat(backslashes));
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(executable: &str, variables: &[(&str, &str)]) -> Launch {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Launch { executable: executable.to_owned(), variables }
    }

    fn line<'a>(text: &'a str, key: &str) -> &'a str {
        text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_else(|| panic!("no {key} in {text}"))
    }

    #[test]
    fn a_plain_path_stays_plain() {
        let entry = desktop_entry(&launch("/usr/bin/palyra-tray", &[]));
        assert_eq!(line(&entry, "Exec="), "/usr/bin/palyra-tray run");
        assert!(is_ours(&entry) && entry_starts(&entry));
    }

    #[test]
    fn an_exec_line_is_quoted_and_then_escaped() {
        let entry = desktop_entry(&launch(r#"/o p/it's"d\e%f/x"#, &[("PALYRA_STATE_ROOT", "/my data")]));
        assert_eq!(line(&entry, "Exec="), r#"/usr/bin/env "PALYRA_STATE_ROOT=/my data" "/o p/it's\\"d\\\\e%%f/x" run"#);
        assert_eq!(line(&entry, "TryExec="), r#"/o p/it's"d\\e%f/x"#);
    }

    #[test]
    fn our_unit_is_the_packages_with_another_command() {
        assert!(PACKAGED_UNIT.contains(&format!("\n{PACKAGED_COMMAND}\n")), "the packaged unit changed its command");
        let odd = unit(&launch(r#"/o p/a"b\c%d$e/x"#, &[]));
        assert_eq!(line(&odd, "ExecStart="), r#"/usr/bin/env "/o p/a\"b\\c%%d$$e/x" run"#);
        let unit = unit(&launch("/o p/$x", &[("PALYRA_STATE_ROOT", "/my data")]));
        assert_eq!(line(&unit, "ExecStart="), r#""/o p/$x" run"#);
        assert_eq!(line(&unit, "Environment="), r#""PALYRA_STATE_ROOT=/my data""#);
        assert!(is_ours(&unit) && !is_ours(PACKAGED_UNIT));
        assert_eq!(unit.matches("ExecStart=").count(), 1);
        for kept in ["KillMode=process", "WantedBy=graphical-session.target", "Restart=on-failure"] {
            assert!(unit.contains(kept), "{kept}");
        }
    }

    #[test]
    fn an_entry_that_a_desktop_switched_off_does_not_start() {
        let entry = desktop_entry(&launch("/x", &[]));
        for off in [
            entry.replace("X-GNOME-Autostart-enabled=true", "X-GNOME-Autostart-enabled=false"),
            format!("{entry}Hidden=true\n"),
            format!("{entry}Hidden = True\n"),
        ] {
            assert!(!entry_starts(&off) && is_ours(&off), "{off}");
        }
    }

    #[test]
    fn what_others_wrote_is_not_ours() {
        assert!(!is_ours("[Desktop Entry]\nName=Palyra Tray\nExec=/usr/bin/palyra-tray run\n"));
        assert!(!is_ours(&format!("[Desktop Entry]\nComment=has {MARK}=true in it\n")));
    }

    #[test]
    fn a_launch_agent_carries_names_and_values_escaped() {
        let plist = launch_agent(&launch("/Applications/A & B/palyra-tray", &[("PALYRA_STATE_ROOT", "/a<b>")]));
        assert!(plist.contains("<string>/Applications/A &amp; B/palyra-tray</string><string>run</string>"), "{plist}");
        assert!(plist.contains("<key>PALYRA_STATE_ROOT</key><string>/a&lt;b&gt;</string>"), "{plist}");
        assert!(is_ours(&plist) && plist.contains("<key>AbandonProcessGroup</key><true/>"));
    }

    #[test]
    fn a_run_value_survives_the_taking_apart_of_windows() {
        let value =
            run_value(&launch(r"C:\Program Files\Palyra\palyra-tray.exe", &[("PALYRA_STATE_ROOT", r"D:\my data\")]));
        assert_eq!(value, r#""C:\Program Files\Palyra\palyra-tray.exe" run --env "PALYRA_STATE_ROOT=D:\my data\\""#);
        assert_eq!(windows_word(r#"a\"b"#), r#""a\\\"b""#);
    }
}
