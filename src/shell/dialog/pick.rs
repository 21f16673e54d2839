//! Which dialog program: zenity, else kdialog; on KDE the other way round. Only where a display answers.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::{Path, PathBuf};

use super::Front;
use super::kdialog::{self, Kdialog};
use super::program::Program;
use super::zenity::{self, Zenity};
use crate::config::Environment;
use crate::words;

/// The best dialog program here.
pub fn windows(env: &Environment) -> Result<Box<dyn Front>, String> {
    let order = match env.get("PALYRA_TRAY_DIALOGS").and_then(|value| value.to_str()) {
        Some("zenity") => vec!["zenity"],
        Some("kdialog") => vec!["kdialog"],
        Some("terminal") => {
            return Err(words::desktop::PALYRA_TRAY_DIALOGS_ASKS_FOR_TERMINAL.to_owned());
        }
        Some(other) => {
            return Err(words::desktop::palyra_tray_dialogs(other));
        }
        None if is_plasma(env) => vec!["kdialog", "zenity"],
        None => vec!["zenity", "kdialog"],
    };
    if !display_answers(env) {
        return Err(words::desktop::THERE_IS_NO_DISPLAY_FOR_WINDOW.to_owned());
    }
    let front =
        order.iter().find_map(|name| Some((*name, in_path(env, name)?))).map(|(name, path)| front(env, name, path));
    front.ok_or_else(|| words::desktop::no_dialog_program_was_found(order.join(" or ")))
}

fn front(env: &Environment, name: &str, path: PathBuf) -> Box<dyn Front> {
    let mut variables = utf8(env);
    if name == "zenity" {
        variables.extend(zenity::VARIABLES);
        Box::new(Zenity::new(Program { name: "zenity", path, variables, over: None }))
    } else {
        variables.extend(kdialog::VARIABLES);
        Box::new(Kdialog::new(Program { name: "kdialog", path, variables, over: None }, is_plasma(env)))
    }
}

fn is_plasma(env: &Environment) -> bool {
    let desktop = env.get("XDG_CURRENT_DESKTOP").and_then(|value| value.to_str()).unwrap_or_default();
    desktop.split(':').any(|name| name == "KDE")
}

/// The programs read their arguments and write their answers in the locale's encoding. Where that is none, it is UTF-8.
fn utf8(env: &Environment) -> Vec<(&'static str, &'static str)> {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| env.get(name));
    let locale = locale.and_then(|value| value.to_str()).unwrap_or_default().to_ascii_lowercase();
    if locale.contains("utf-8") || locale.contains("utf8") { Vec::new() } else { vec![("LC_ALL", "C.UTF-8")] }
}

/// Found in `PATH`, unlike Palyra's own programs: it is a part of the desktop, as `xdg-open` is, and only there do
/// distributions agree to put it. Relative entries are left out.
fn in_path(env: &Environment, name: &str) -> Option<PathBuf> {
    let path = env.get("PATH").map_or_else(|| OsStr::new("/usr/local/bin:/usr/bin:/bin"), |path| path.as_os_str());
    std::env::split_paths(path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(|file| {
        file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    })
}

/// Somebody listens there: a variable alone may be a leftover, and then no window would ever come.
fn display_answers(env: &Environment) -> bool {
    let wayland = env.path("WAYLAND_DISPLAY").and_then(|name| match env.path("XDG_RUNTIME_DIR") {
        _ if name.is_absolute() => Some(name),
        Some(folder) => Some(folder.join(name)),
        None => None,
    });
    if wayland.is_some_and(|socket| UnixStream::connect(socket).is_ok()) {
        return true;
    }
    let Some(display) = env.get("DISPLAY").and_then(|value| value.to_str()) else { return false };
    let Some(number) = display.strip_prefix("unix:").or_else(|| display.strip_prefix(':')) else {
        // On another machine, or forwarded: only the program itself can tell.
        return display.contains(':');
    };
    let number = number.split('.').next().unwrap_or(number);
    let socket = format!("/tmp/.X11-unix/X{number}");
    UnixStream::connect(Path::new(&socket)).is_ok()
        || SocketAddr::from_abstract_name(socket.as_bytes()).is_ok_and(|name| UnixStream::connect_addr(&name).is_ok())
}
