//! Checks of what lies on the disk: state root, private files, space, socket, preferences, secrets.

use std::path::Path;

use serde_json::Value;

use super::facts::{Bus, Fact, Facts, Folder, Ground, Keyring, OwnFiles, Presence, Space, System};
use super::{About, Check};
use crate::words;

const STATE_ROOT: About = About("state_root", words::checks::ground::STATE_ROOT);
const PRIVATE_FILES: About = About("private_files", words::checks::ground::PRIVATE_FILES);
const DISK_SPACE: About = About("disk_space", words::checks::ground::DISK_SPACE);
const SOCKET: About = About("socket", words::checks::ground::CONTROL_SOCKET);
const SETTINGS: About = About("settings", words::common::PREFERENCES);
const SECRETS: About = About("secrets", words::common::SECRETS);
const VAULT: About = About("vault", words::checks::ground::PALYRAS_VAULT);

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
        Err(why) => return vec![STATE_ROOT.problem(why, words::checks::ground::CORRECT_THAT_FIRST)],
    };
    vec![
        STATE_ROOT.of(&ground.folders, |about, folders| folders_check(about, &ground.state_root, folders)),
        PRIVATE_FILES.of(&ground.files, |about, files| private_files(about, &ground.state_root, files)),
        DISK_SPACE.of(&ground.space, |about, space| disk_space(about, *space)),
        socket(facts, ground),
        SETTINGS.of(&ground.settings, |about, settings| {
            let file = ground.settings_file.display();
            match (settings.exists, settings.warnings.as_slice()) {
                (false, []) => about.ok(words::checks::ground::is_not_there(&file)),
                (true, []) => about.ok(words::checks::ground::is_understood(&file)),
                (_, warnings) => {
                    about.warning(warnings.join("; "), words::checks::ground::correct_then_restart_agent(&file))
                }
            }
        }),
    ]
}

fn folders_check(about: About, root: &Path, folders: &[Folder]) -> Check {
    for folder in folders {
        let path = folder.path.display();
        let at = folder.looked_at.display();
        if folder.blocked {
            return about
                .problem(words::checks::ground::is_not_folder(&at, &path), words::checks::ground::MOVE_THAT_FILE_AWAY);
        }
        if folder.read_only {
            return about.problem(
                words::checks::ground::is_on_disk_that_is_mounted(&at),
                words::checks::ground::MOUNT_IT_WRITABLE_FULL_OR_DAMAGED,
            );
        }
        if let Some(why) = &folder.unwritable {
            let what = if folder.exists { words::checks::ground::BE_WRITTEN } else { words::checks::ground::BE_MADE };
            return about.problem(
                words::checks::ground::cannot(
                    &path,
                    what,
                    why,
                    if folder.exists { String::new() } else { format!(" at {at}") },
                ),
                words::checks::ground::make_writable_for_your_user(&at),
            );
        }
        if folder.exists && !folder.owned {
            return about.problem(
                words::checks::ground::belongs_to_another_user(&path),
                words::checks::ground::give_it_back(&path),
            );
        }
    }
    if let Some((folder, kind)) = folders.iter().find_map(|folder| Some((folder, folder.network.as_ref()?))) {
        return about.warning(
            words::checks::ground::is_on_another_machines_disk(folder.path.display(), kind),
            words::checks::ground::SET_PALYRA_STATE_ROOT_TO_FOLDER,
        );
    }
    let there = folders.iter().any(|folder| folder.path == root && folder.exists);
    about.ok(if there {
        words::checks::ground::is_writable(root.display())
    } else {
        words::checks::ground::is_not_there_yet(root.display())
    })
}

fn private_files(about: About, root: &Path, files: &OwnFiles) -> Check {
    let list = |paths: &[std::path::PathBuf]| {
        let names: Vec<_> = paths.iter().take(3).map(|path| path.display().to_string()).collect();
        let more = paths.len().saturating_sub(3);
        names.join(", ") + &if more > 0 { words::common::and_more(more) } else { String::new() }
    };
    if let Some((path, mode)) = files.open_secrets.first() {
        return about.problem(
            words::checks::ground::holds_secrets_and_can_be_read(path.display(), *mode),
            words::checks::ground::close_file(path.display()),
        );
    }
    if !files.strangers.is_empty() {
        return about.problem(
            words::checks::ground::belong_to_another_user(list(&files.strangers)),
            words::checks::ground::give_them_back(root.display()),
        );
    }
    if let Some((path, mode)) = files.open_folders.first() {
        return about.warning(
            words::checks::ground::can_be_entered_by_other_users(path.display(), *mode),
            words::checks::ground::close_folder(path.display()),
        );
    }
    about.ok(match files.seen {
        0 => words::checks::ground::NONE_YET.to_owned(),
        seen => words::checks::ground::looked_at_only_you_can_reach(seen),
    })
}

fn disk_space(about: About, space: Space) -> Check {
    let free = match space.free {
        bytes if bytes >= 10_000_000_000 => words::checks::ground::gb_free(bytes / 1_000_000_000),
        bytes => words::checks::ground::mb_free(bytes / 1_000_000),
    };
    let few = space.free_files.is_some_and(|files| files < FEW_FILES);
    let none = space.free_files.is_some_and(|files| files == 0);
    let remedy = words::checks::ground::FREE_SOME_SPACE_ON_THAT_DISK;
    if space.free < NO_SPACE || none {
        let evidence = if none {
            words::checks::ground::NO_MORE_FILES_CAN_BE_MADE.to_owned()
        } else {
            words::checks::ground::only(&free)
        };
        about.problem(words::checks::ground::nothing_can_be_recorded(&evidence), remedy)
    } else if few {
        about.warning(words::checks::ground::but_only_more_files(&free, space.free_files.unwrap_or(0)), remedy)
    } else if space.free < LITTLE_SPACE {
        about.warning(words::checks::ground::only(&free), remedy)
    } else {
        about.ok(free)
    }
}

fn socket(facts: &Facts, ground: &Ground) -> Check {
    SOCKET.of(&ground.socket, |about, socket| {
        let path = socket.path.display();
        let length = socket.path.as_os_str().len();
        match (&socket.stranger, socket.limit) {
            _ if facts.agent.snapshot().is_some() => about.ok(words::checks::ground::is_answered(&path)),
            (_, Some(limit)) if length > limit => about.problem(
                words::checks::ground::is_bytes_long(&path, length, limit),
                words::checks::ground::SET_XDG_RUNTIME_DIR_OR_PALYRA,
            ),
            (Some(what), _) => about.problem(format!("{path} is {what}"), words::checks::ground::MOVE_IT_AWAY),
            (None, _) => about.ok(words::checks::ground::can_be_used(&path)),
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
            None => about.ok(words::checks::ground::NONE_YET_GATEWAY_MAKES_ONE),
            Some(VAULT_IN_SECRET_SERVICE) => {
                match (&service, &facts.desktop.secret_tool) {
                    (_, Ok(false)) => about.problem(
                        words::checks::ground::IS_IN_KEYRING_AND_SECRET,
                        words::checks::ground::INSTALL_IT_DEBIAN,
                    ),
                    (Ok(Presence::Absent), _) => about.problem(
                        words::checks::ground::IS_IN_KEYRING_AND_NO,
                        words::checks::ground::START_OR_INSTALL_ONE_GNOME_KEYRING,
                    ),
                    (Err(why), _) | (_, Err(why)) => about.unknown(why),
                    _ => about.ok(words::checks::ground::IS_IN_KEYRING),
                }
            }
            Some(kind) => about.ok(words::checks::ground::is_of_kind(kind)),
        }));
    }
    checks
}

fn keyring(facts: &Facts) -> Fact<Presence<Keyring>> {
    match &facts.desktop.bus {
        None => Err(words::checks::ground::THIS_SYSTEMS_KEYRING_IS_NOT_LOOKED.to_owned()),
        Some(Err(why)) => Err(why.clone()),
        Some(Ok(Bus::Absent(_))) => Ok(Presence::Absent),
        Some(Ok(Bus::Up(on))) => on.keyring.clone(),
    }
}

/// By the agent, which has them or not.
fn told(secrets: &Value, ground: &Ground) -> Check {
    let why = secrets["why"].as_str().unwrap_or(words::common::NO_REASON_IS_KNOWN);
    match (secrets["state"].as_str(), secrets["place"].as_str()) {
        (Some("ready"), Some("file")) if ground.keyring_off => {
            SECRETS.ok(words::checks::ground::ARE_IN_PRIVATE_FILE_AS_PALYRA)
        }
        (Some("ready"), Some("file")) => SECRETS.warning(
            words::checks::ground::ARE_IN_PRIVATE_FILE,
            words::checks::ground::TO_HAVE_THEM_IN_KEYRING_INSTALL,
        ),
        (Some("ready"), _) => SECRETS.ok(words::checks::ground::ARE_IN_KEYRING),
        (Some("waiting"), _) => SECRETS.problem(why, words::secrets::UNLOCK_KEYRING),
        (Some("failed"), _) => SECRETS.problem(why, words::checks::ground::MEND_THAT_THEN),
        _ => SECRETS.warning(words::checks::ground::ARE_BEING_FETCHED, words::checks::ground::CHECK_AGAIN_IN_MINUTE),
    }
}

/// From outside, while no agent runs.
fn seen(ground: &Ground, service: &Fact<Presence<Keyring>>) -> Check {
    SECRETS.of(&ground.files, |about, files| {
        if ground.keyring_off {
            return about.ok(words::checks::ground::GO_INTO_PRIVATE_FILE);
        }
        match service {
            Ok(Presence::Running(Keyring { locked: Some(true) })) => {
                about.warning(words::checks::ground::KEYRING_IS_LOCKED, words::secrets::UNLOCK_KEYRING)
            }
            Ok(Presence::Absent) if files.in_keyring => about.problem(
                words::checks::ground::ARE_IN_KEYRING_THAT_DOES_NOT_RUN,
                words::checks::ground::SIGN_IN_TO_DESKTOP,
            ),
            Ok(Presence::Absent) => match &files.secrets_file {
                Some(path) => about.warning(
                    words::checks::ground::are_in_because_no_keyring(path.display()),
                    words::checks::ground::TO_HAVE_THEM_IN_KEYRING,
                ),
                None => about.warning(
                    words::checks::ground::NO_KEYRING_RUNS_HERE,
                    words::checks::ground::TO_HAVE_THEM_IN_KEYRING,
                ),
            },
            Ok(Presence::Startable) => about.ok(words::checks::ground::KEYRING_IS_THERE),
            Ok(Presence::Running(_)) => about.ok(words::checks::ground::KEYRING_IS_THERE_AND_OPEN),
            Err(why) => about.unknown(why),
        }
    })
}
