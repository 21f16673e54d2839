//! Checks of what lies on the disk: state root, private files, space, socket, preferences, secrets.

use std::path::Path;

use serde_json::Value;

use super::facts::{Bus, Fact, Facts, Folder, Ground, Keyring, OwnFiles, Presence, Space, System};
use super::{About, Check};
use crate::core::text;

const STATE_ROOT: About = About("state_root", "State root");
const PRIVATE_FILES: About = About("private_files", "Private files");
const DISK_SPACE: About = About("disk_space", "Disk space");
const SOCKET: About = About("socket", "Control socket");
const SETTINGS: About = About("settings", "Preferences");
const SECRETS: About = About("secrets", "Secrets");
const VAULT: About = About("vault", "Palyra's vault");

/// Less than this is said.
const LITTLE_SPACE: u64 = 500_000_000;
/// With less than this nothing can be relied on.
const NO_SPACE: u64 = 20_000_000;
/// The same, in files.
const FEW_FILES: u64 = 1_000;
/// What the vault writes for the Secret Service.
const VAULT_IN_SECRET_SERVICE: &str = "linux_secret_service";

/// All but the secrets.
pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let ground = match &facts.ground {
        Ok(ground) => ground,
        Err(why) => return vec![STATE_ROOT.problem(why, "Correct that first; most checks need it")],
    };
    vec![
        STATE_ROOT.of(&ground.folders, |about, folders| folders_check(about, &ground.state_root, folders)),
        PRIVATE_FILES.of(&ground.files, |about, files| private_files(about, &ground.state_root, files)),
        DISK_SPACE.of(&ground.space, |about, space| disk_space(about, *space)),
        socket(facts, ground),
        SETTINGS.of(&ground.settings, |about, settings| {
            let file = ground.settings_file.display();
            match (settings.exists, settings.warnings.as_slice()) {
                (false, []) => about.ok(format!("{file} is not there; the defaults hold")),
                (true, []) => about.ok(format!("{file} is understood")),
                (_, warnings) => about.warning(warnings.join("; "), format!("Correct {file}, then restart the agent")),
            }
        }),
    ]
}

fn folders_check(about: About, root: &Path, folders: &[Folder]) -> Check {
    for folder in folders {
        let path = folder.path.display();
        let at = folder.looked_at.display();
        if folder.blocked {
            return about.problem(
                format!("{at} is not a folder, so {path} cannot be used"),
                "Move that file away, or set PALYRA_STATE_ROOT to another folder",
            );
        }
        if folder.read_only {
            return about.problem(
                format!("{at} is on a disk that is mounted read-only"),
                "Mount it writable (a full or damaged disk does this by itself), or set PALYRA_STATE_ROOT elsewhere",
            );
        }
        if let Some(why) = &folder.unwritable {
            let what = if folder.exists { "be written" } else { "be made" };
            return about.problem(
                format!(
                    "{path} cannot {what}: {why}{}",
                    if folder.exists { String::new() } else { format!(" at {at}") }
                ),
                format!("Make {at} writable for your user, or set PALYRA_STATE_ROOT to another folder"),
            );
        }
        if folder.exists && !folder.owned {
            return about.problem(
                format!("{path} belongs to another user"),
                format!("Give it back: sudo chown -R \"$USER\" '{path}'. Never start Palyra with sudo"),
            );
        }
    }
    if let Some((folder, kind)) = folders.iter().find_map(|folder| Some((folder, folder.network.as_ref()?))) {
        return about.warning(
            format!(
                "{} is on another machine's disk ({kind}), where locks and the journal cannot be relied on",
                folder.path.display()
            ),
            "Set PALYRA_STATE_ROOT to a folder on a disk of this machine",
        );
    }
    let there = folders.iter().any(|folder| folder.path == root && folder.exists);
    about.ok(if there {
        format!("{} is writable", root.display())
    } else {
        format!("{} is not there yet, and can be made", root.display())
    })
}

fn private_files(about: About, root: &Path, files: &OwnFiles) -> Check {
    let list = |paths: &[std::path::PathBuf]| {
        let names: Vec<_> = paths.iter().take(3).map(|path| path.display().to_string()).collect();
        let more = paths.len().saturating_sub(3);
        names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
    };
    if let Some((path, mode)) = files.open_secrets.first() {
        return about.problem(
            format!("{} holds secrets and can be read by other users (mode {mode:03o})", path.display()),
            format!("Close it: chmod 600 '{0}'", path.display()),
        );
    }
    if !files.strangers.is_empty() {
        return about.problem(
            format!("belong to another user: {}", list(&files.strangers)),
            format!("Give them back: sudo chown -R \"$USER\" '{}'. Never start Palyra with sudo", root.display()),
        );
    }
    if let Some((path, mode)) = files.open_folders.first() {
        return about.warning(
            format!("{} can be entered by other users (mode {mode:03o})", path.display()),
            format!("Close it: chmod 700 '{}'", path.display()),
        );
    }
    about.ok(match files.seen {
        0 => "none yet".to_owned(),
        seen => format!("{seen} looked at; only you can reach them"),
    })
}

fn disk_space(about: About, space: Space) -> Check {
    let free = match space.free {
        bytes if bytes >= 10_000_000_000 => format!("{} GB free", bytes / 1_000_000_000),
        bytes => format!("{} MB free", bytes / 1_000_000),
    };
    let few = space.free_files.is_some_and(|files| files < FEW_FILES);
    let none = space.free_files.is_some_and(|files| files == 0);
    let remedy = "Free some space on that disk; old logs in <state root>/tray/logs may go";
    if space.free < NO_SPACE || none {
        let evidence = if none { "no more files can be made on that disk".to_owned() } else { format!("only {free}") };
        about.problem(format!("{evidence}; nothing can be recorded"), remedy)
    } else if few {
        about.warning(format!("{free}, but only {} more files", space.free_files.unwrap_or(0)), remedy)
    } else if space.free < LITTLE_SPACE {
        about.warning(format!("only {free}"), remedy)
    } else {
        about.ok(free)
    }
}

fn socket(facts: &Facts, ground: &Ground) -> Check {
    SOCKET.of(&ground.socket, |about, socket| {
        let path = socket.path.display();
        let length = socket.path.as_os_str().len();
        match (&socket.stranger, socket.limit) {
            _ if facts.agent.snapshot().is_some() => about.ok(format!("{path} is answered")),
            (_, Some(limit)) if length > limit => about.problem(
                format!("{path} is {length} bytes long; the system takes {limit}"),
                "Set XDG_RUNTIME_DIR or PALYRA_STATE_ROOT to a shorter path",
            ),
            (Some(what), _) => {
                about.problem(format!("{path} is {what}"), "Move it away, or set XDG_RUNTIME_DIR to your own folder")
            }
            (None, _) => about.ok(format!("{path} can be used")),
        }
    })
}

/// Where the secrets are, and whether they can be had.
pub(super) fn secrets(facts: &Facts) -> Vec<Check> {
    let Ok(ground) = &facts.ground else { return Vec::new() };
    let service = keyring(facts);
    let agent = facts.agent.snapshot().map(|snapshot| &snapshot["secrets"]);
    let mut checks = vec![match agent {
        Some(secrets) => told(secrets, ground),
        None => seen(ground, &service),
    }];
    if facts.system == System::Linux {
        checks.push(VAULT.of(&ground.vault_backend, |about, backend| match backend.as_deref() {
            None => about.ok("none yet; the gateway makes one"),
            Some(VAULT_IN_SECRET_SERVICE) => match (&service, &facts.desktop.secret_tool) {
                (_, Ok(false)) => about.problem(
                    "is in the keyring, and secret-tool, which the gateway reaches it with, is not installed",
                    "Install it (Debian: sudo apt install libsecret-tools), then: palyra-tray start",
                ),
                (Ok(Presence::Absent), _) => about.problem(
                    "is in the keyring, and no keyring runs; the gateway does not start without it",
                    "Start or install one (gnome-keyring, KWallet), or sign in to the desktop; then: palyra-tray start",
                ),
                (Err(why), _) | (_, Err(why)) => about.unknown(why),
                _ => about.ok("is in the keyring"),
            },
            Some(kind) => about.ok(format!("is of the kind {kind}")),
        }));
    }
    checks
}

fn keyring(facts: &Facts) -> Fact<Presence<Keyring>> {
    match &facts.desktop.bus {
        None => Err("this system's keyring is not looked at".to_owned()),
        Some(Err(why)) => Err(why.clone()),
        Some(Ok(Bus::Absent(_))) => Ok(Presence::Absent),
        Some(Ok(Bus::Up(on))) => on.keyring.clone(),
    }
}

/// By the agent, which has them or not.
fn told(secrets: &Value, ground: &Ground) -> Check {
    let why = secrets["why"].as_str().unwrap_or("no reason is known");
    match (secrets["state"].as_str(), secrets["place"].as_str()) {
        (Some("ready"), Some("file")) if ground.keyring_off => {
            SECRETS.ok("are in the private file, as PALYRA_TRAY_KEYRING asks")
        }
        (Some("ready"), Some("file")) => SECRETS.warning(
            "are in a private file, because no keyring was there",
            "To have them in a keyring, install one (gnome-keyring, KWallet), sign in again and restart the agent",
        ),
        (Some("ready"), _) => SECRETS.ok("are in the keyring"),
        (Some("waiting"), _) => SECRETS.problem(why, text::UNLOCK_KEYRING),
        (Some("failed"), _) => SECRETS.problem(why, "Mend that, then: palyra-tray start"),
        _ => {
            SECRETS.warning("are being fetched", "Check again in a minute; the keyring may be asking for its password")
        }
    }
}

/// From outside, while no agent runs.
fn seen(ground: &Ground, service: &Fact<Presence<Keyring>>) -> Check {
    SECRETS.of(&ground.files, |about, files| {
        if ground.keyring_off {
            return about.ok("go into the private file, as PALYRA_TRAY_KEYRING asks");
        }
        match service {
            Ok(Presence::Running(Keyring { locked: Some(true) })) => {
                about.warning("the keyring is locked; the agent will wait for it", text::UNLOCK_KEYRING)
            }
            Ok(Presence::Absent) if files.in_keyring => about.problem(
                "are in the keyring, and no keyring runs here",
                "Sign in to the desktop, or start the keyring; no new secrets are made meanwhile",
            ),
            Ok(Presence::Absent) => match &files.secrets_file {
                Some(path) => about.warning(
                    format!("are in {}, because no keyring was there", path.display()),
                    "To have them in a keyring, install one (gnome-keyring, KWallet) and sign in again",
                ),
                None => about.warning(
                    "no keyring runs here; they will go into a private file",
                    "To have them in a keyring, install one (gnome-keyring, KWallet) and sign in again",
                ),
            },
            Ok(Presence::Startable) => about.ok("a keyring is there; it starts when it is wanted"),
            Ok(Presence::Running(_)) => about.ok("a keyring is there and open"),
            Err(why) => about.unknown(why),
        }
    })
}
