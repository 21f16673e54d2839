//! The desktop as it is seen from here: display, dialog program, what opens pages, and limits of the session.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Looks, Pending};
use crate::config::Environment;
use crate::config::programs::usable;
use crate::core::doctor::facts::{Bus, Desktop, Fact, OpenFiles, Presence};
use crate::words;

/// Programs that show dialogs, in the order in which they are taken; on KDE the other way round.
const DIALOGS: [&str; 2] = ["zenity", "kdialog"];
/// Programs that open pages, apart from `BROWSER`.
const OPENERS: &[&str] = &["xdg-open", "gio", "exo-open", "kde-open", "x-www-browser", "firefox", "chromium"];

/// Begins to look; the answer is waited for when it is called.
pub(super) fn begin(looks: Looks, env: &Environment) -> impl FnOnce() -> Desktop {
    let bus: Option<Pending<Bus>> = begin_bus(looks);
    let of_env = |what, look: fn(&Environment) -> Fact<Option<PathBuf>>| {
        let env = env.clone();
        looks.begin(what, move || look(&env))
    };
    let dialogs = of_env(words::checks::LOOK_AT_DIALOG_PROGRAMS, |env| Ok(dialog_program(env)));
    let gnome_quiet = {
        let env = env.clone();
        looks.begin("gsettings", move || Ok(gnome_quiet(&env)))
    };
    let secret_tool = of_env("secret-tool", |env| Ok(which(env, "secret-tool")));
    let opener = {
        let env = env.clone();
        looks.begin(words::checks::LOOK_AT_WHAT_OPENS_PAGES, move || Ok(opener(&env)))
    };
    let name = env.get("XDG_CURRENT_DESKTOP").map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let display = env.has_display();
    move || Desktop {
        name,
        display,
        bus: bus.map(|bus| with_quiet(bus.get(), gnome_quiet.get().ok().flatten())),
        dialogs: dialogs.get(),
        opener: opener.get(),
        secret_tool: secret_tool.get().map(|path| path.is_some()),
    }
}

#[cfg(target_os = "linux")]
fn begin_bus(looks: Looks) -> Option<Pending<Bus>> {
    Some(looks.begin(words::checks::LOOK_AT_SESSION_BUS, super::bus::look))
}

#[cfg(not(target_os = "linux"))]
fn begin_bus(_looks: Looks) -> Option<Pending<Bus>> {
    None
}

/// GNOME keeps Do Not Disturb in its settings, where its notification server does not tell.
fn with_quiet(mut bus: Fact<Bus>, gnome: Option<bool>) -> Fact<Bus> {
    if let Ok(Bus::Up(on)) = &mut bus
        && let Ok(Presence::Running(server)) = &mut on.notifications
        && server.name == "gnome-shell"
    {
        server.quiet = server.quiet.or(gnome);
    }
    bus
}

/// Absent: it does not tell, or this is not GNOME.
fn gnome_quiet(env: &Environment) -> Option<bool> {
    let desktop = env.get("XDG_CURRENT_DESKTOP")?.to_string_lossy().into_owned();
    if !desktop.split(':').any(|name| name.eq_ignore_ascii_case("GNOME")) {
        return None;
    }
    let mut ask = Command::new(which(env, "gsettings")?);
    ask.args(["get", "org.gnome.desktop.notifications", "show-banners"]).stdin(Stdio::null()).stderr(Stdio::null());
    match ask.output().ok()?.stdout.as_slice() {
        b"true\n" => Some(false),
        b"false\n" => Some(true),
        _ => None,
    }
}

/// A program on the search path.
fn which(env: &Environment, name: &str) -> Option<PathBuf> {
    let folders = std::env::split_paths(env.get("PATH")?).filter(|folder| folder.is_absolute());
    folders.map(|folder| folder.join(name)).find(|path| usable(path).is_ok())
}

fn dialog_program(env: &Environment) -> Option<PathBuf> {
    let desktop = env.get("XDG_CURRENT_DESKTOP").map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut names = DIALOGS;
    if desktop.split(':').any(|name| name == "KDE") {
        names.reverse();
    }
    names.iter().find_map(|name| which(env, name))
}

fn opener(env: &Environment) -> Option<String> {
    let own = env.get("BROWSER").and_then(|value| {
        let value = value.to_string_lossy().into_owned();
        let program = value.split(':').next()?.split_whitespace().next()?.to_owned();
        let found = if program.starts_with('/') { usable(program.as_ref()).ok() } else { which(env, &program) };
        found.map(|path| format!("{} (BROWSER)", path.display()))
    });
    own.or_else(|| Some(OPENERS.iter().find_map(|name| which(env, name))?.display().to_string()))
}

/// Of the agent, else of this process, which a program started from here would inherit.
pub(super) fn open_files(agent: Option<u32>) -> Fact<OpenFiles> {
    #[cfg(target_os = "linux")]
    if let Some(pid) = agent
        && let Some(files) = of_process(pid)
    {
        return Ok(files);
    }
    let _ = agent;
    #[cfg(unix)]
    {
        use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|error| error.to_string())?;
        Ok(OpenFiles { of_agent: false, open: None, limit: (soft != RLIM_INFINITY).then_some(soft) })
    }
    #[cfg(windows)]
    Ok(OpenFiles { of_agent: false, open: None, limit: None })
}

#[cfg(target_os = "linux")]
fn of_process(pid: u32) -> Option<OpenFiles> {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let limit = match soft.split_whitespace().next()? {
        "unlimited" => None,
        number => Some(number.parse().ok()?),
    };
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).ok().map(|entries| entries.count() as u64);
    Some(OpenFiles { of_agent: true, open, limit })
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_dialog_program_of_this_desktop_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let program = |name: &str, mode| {
            fs::write(dir.path().join(name), "#!/bin/sh\n").unwrap();
            fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        let found = |desktop: &str| {
            let variables = [("PATH", dir.path()), ("XDG_CURRENT_DESKTOP", Path::new(desktop))];
            dialog_program(&Environment::of(&variables, Path::new("/x")))
                .map(|path| path.file_name().unwrap().to_owned())
        };
        assert_eq!(found("GNOME"), None);
        program("kdialog", 0o755);
        program("zenity", 0o644);
        assert_eq!(found("GNOME").unwrap(), "kdialog", "the other cannot be started");
        program("zenity", 0o755);
        assert_eq!((found("ubuntu:GNOME").unwrap(), found("KDE").unwrap()), ("zenity".into(), "kdialog".into()));
    }
}
