//! The secrets of the earlier desktop app, taken over when ours are made for the first time: without its browser key, the
//! browser's saved sessions could never be opened again.
//!
//! They lie in a vault that only `palyra` can open. It is opened as a copy, so that nothing of the original is changed; the
//! copy is encrypted as the original is, private, and gone right after.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{Input, Shell};
use crate::core::event::Event;
use crate::protocol::Secret;
use crate::protocol::secrets::SecretName;
use crate::shell::secrets;
use crate::shell::sidecars::Sidecars;
use crate::shell::{palyra_cli, store};
use crate::words;

/// One answer of `palyra`; it may ask a keyring.
const LIMIT: Duration = Duration::from_secs(10);
/// More than its vault can hold, bytes and files.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
const MAX_FILES: u32 = 10_000;

/// What came of it, in words.
#[derive(Default)]
struct Report {
    taken: Vec<String>,
    left: Vec<String>,
}

impl Shell {
    /// Starts the search for our secrets; if there never were any, first sees what the earlier app left. `plain`: the tokens
    /// of a state file so old that they stood in it.
    pub(super) fn begin_secrets(&mut self, plain: Vec<(&'static str, Secret)>) {
        let sidecars = self.sidecars.clone();
        let vault = sidecars.paths.state_root.join("desktop-control-center").join("vault");
        let wanted =
            !sidecars.demo && (vault.is_dir() || !plain.is_empty()) && secrets::none_yet(&sidecars.paths.profile_own);
        if !wanted {
            return self.start_secrets();
        }
        let inputs = self.inputs.clone();
        tokio::task::spawn_blocking(move || {
            let report = take_over(&sidecars, plain);
            for what in &report.left {
                tracing::warn!("not taken over from the earlier desktop app: {what}");
            }
            let _ = inputs.send(Input::SeededSecrets);
            let _ = inputs.send(Input::Event(Event::EarlierSecrets(report.taken, report.left)));
        });
    }
}

fn take_over(sidecars: &Sidecars, plain: Vec<(&'static str, Secret)>) -> Report {
    let mut report = Report::default();
    let folder = sidecars.paths.state_root.join("desktop-control-center");
    let mut found: Vec<(SecretName, Secret)> = Vec::new();
    if folder.join("vault").is_dir() {
        match opened(sidecars, &folder) {
            Ok((values, left)) => {
                found = values;
                report.left = left;
            }
            Err(why) => report.left.push(words::secrets::its_secrets_new_ones_are_made(&why)),
        }
    }
    for (account, value) in plain {
        // the vault's are newer: the app moved these there
        if let Some(name) = SecretName::ALL.into_iter().find(|name| name.account() == account)
            && found.iter().all(|(known, _)| *known != name)
        {
            found.push((name, value));
        }
    }
    match secrets::seed(&sidecars.paths.profile_own, &found) {
        Ok(refused) => {
            let taken = found.iter().map(|(name, _)| *name).filter(|name| !refused.iter().any(|(no, _)| no == name));
            report.taken.extend(taken.map(|name| words::secrets::the_one(name.label())));
            report.left.extend(refused.iter().map(|(name, why)| words::secrets::the_one_and_why(name.label(), why)));
        }
        Err(why) => report.left.push(words::secrets::its_secrets(&why)),
    }
    report
}

type Opened = (Vec<(SecretName, Secret)>, Vec<String>);

fn opened(sidecars: &Sidecars, folder: &Path) -> Result<Opened, String> {
    let failed = |error: io::Error| words::secrets::they_cannot_be_copied(&error);
    let copy = tempfile::Builder::new()
        .prefix(".palyra-tray-vault-")
        .tempdir_in(&sidecars.paths.profile_own)
        .map_err(failed)?;
    let mut room = (MAX_BYTES, MAX_FILES);
    for part in ["vault", "identity"] {
        let from = folder.join(part);
        if from.is_dir() {
            copy_tree(&from, &copy.path().join(part), &mut room).map_err(failed)?;
        }
    }
    let (mut values, mut left) = (Vec::new(), Vec::new());
    for name in SecretName::ALL {
        let mut command = sidecars.palyra(&["secrets", "get", "global", name.account(), "--reveal", "--json"])?;
        command.env("PALYRA_STATE_ROOT", copy.path()).env("PALYRA_VAULT_DIR", copy.path().join("vault"));
        command.env("PALYRA_GATEWAY_IDENTITY_STORE_DIR", copy.path().join("identity"));
        match palyra_cli::run(command, None, LIMIT, &palyra_cli::stopper()) {
            Ok(answer) => match answer["value"].as_str().filter(|value| !value.trim().is_empty()) {
                Some(value) => values.push((name, Secret::new(value))),
                None => left.push(words::secrets::it_is_empty(name.label())),
            },
            Err(why) => left.push(words::secrets::the_one_and_why(name.label(), &why)),
        }
    }
    Ok((values, left))
}

/// Regular files and folders only; a link could lead anywhere.
fn copy_tree(from: &Path, to: &Path, room: &mut (u64, u32)) -> io::Result<()> {
    store::private_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let target = to.join(entry.file_name());
        if kind.is_dir() {
            copy_tree(&entry.path(), &target, room)?;
        } else if kind.is_file() {
            let length = entry.metadata()?.len();
            let left = (room.0.checked_sub(length), room.1.checked_sub(1));
            let (Some(bytes), Some(files)) = left else {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, words::secrets::THERE_IS_MORE_THAN_VAULT_CAN));
            };
            *room = (bytes, files);
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_copy_follows_no_link_and_has_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        fs::create_dir_all(from.join("objects")).unwrap();
        fs::write(from.join("objects/a"), "0123456789").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", from.join("link")).unwrap();
        let to = dir.path().join("to");
        copy_tree(&from, &to, &mut (10, 1)).unwrap();
        assert_eq!(fs::read(to.join("objects/a")).unwrap(), b"0123456789");
        assert!(!to.join("link").exists());
        for mut room in [(9, 1), (10, 0)] {
            assert!(copy_tree(&from, &dir.path().join("other"), &mut room).is_err());
        }
    }
}
