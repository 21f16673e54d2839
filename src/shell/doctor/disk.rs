//! What lies on the disk: folders, our own files, space, the socket, and whether files can be watched.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::config::Paths;
use crate::core::doctor::facts::{Fact, Folder, OwnFiles, Socket, Space, Watch};
use crate::words;

/// Files of ours that are looked at.
const ENTRIES: usize = 500;
/// Names that `shell::secrets` gives to the file with the secrets, and to the mark that the keyring has them.
const SECRETS_FILE: &str = "secrets.json";
const IN_KEYRING: &str = "secrets.in-keyring";

/// The folders that the agent and its sidecars write to.
pub(super) fn folders(paths: &Paths) -> Vec<Folder> {
    let config = paths.config.parent().filter(|_| paths.config_is_new).map(Path::to_owned);
    let of_profile = (paths.profile_own != paths.own).then_some(&paths.profile_own);
    let wanted = [&paths.state_root, &paths.own, &paths.runtime_root, &paths.identity, &paths.vault];
    wanted.into_iter().chain(of_profile).cloned().chain(config).map(folder).collect()
}

fn folder(path: PathBuf) -> Folder {
    let looked_at = nearest(&path);
    let metadata = fs::metadata(&looked_at).ok();
    let exists = looked_at == path;
    Folder {
        blocked: metadata.as_ref().is_some_and(|metadata| !metadata.is_dir()),
        unwritable: platform::unwritable(&looked_at),
        read_only: platform::is_read_only(&looked_at),
        owned: metadata.as_ref().is_none_or(platform::is_owned),
        network: platform::network(&looked_at),
        exists,
        looked_at,
        path,
    }
}

/// The path itself, or the nearest above it that is there.
fn nearest(path: &Path) -> PathBuf {
    path.ancestors().find(|path| path.symlink_metadata().is_ok()).unwrap_or(path).to_owned()
}

/// What is ours alone.
pub(super) fn own_files(paths: &Paths) -> Fact<OwnFiles> {
    let mut files = OwnFiles::default();
    let mut left = ENTRIES;
    let mut folders = Vec::new();
    for top in [&paths.own, &paths.identity, &paths.vault] {
        let Ok(metadata) = fs::metadata(top) else { continue };
        if let Some(mode) = platform::open_mode(&metadata) {
            files.open_folders.push((top.clone(), mode));
        }
        folders.push(top.clone());
    }
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| words::checks::cannot_be_read(folder.display(), &error))?;
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if left == 0 {
                return Ok(files);
            }
            left -= 1;
            let path = entry.path();
            // of another's file, the folder's owner is told where there are many
            if !platform::is_owned(&metadata) {
                files.strangers.push(path.clone());
            }
            if metadata.is_dir() {
                folders.push(path);
                continue;
            }
            files.seen += 1;
            if folder != paths.own && folder != paths.profile_own {
                continue;
            }
            let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let changed = changed.and_then(|since| i64::try_from(since.as_millis()).ok());
            files.newest_unix_ms = files.newest_unix_ms.max(changed);
            if entry.file_name() == SECRETS_FILE {
                if let Some(mode) = platform::open_mode(&metadata) {
                    files.open_secrets.push((path.clone(), mode));
                }
                // another profile's stand for themselves
                files.secrets_file = files.secrets_file.or((folder == paths.profile_own).then_some(path));
            } else if entry.file_name() == IN_KEYRING && folder == paths.profile_own {
                files.in_keyring = true;
            }
        }
    }
    Ok(files)
}

/// Space where a folder is, or will be.
pub(super) fn space(folder: &Path) -> Fact<Space> {
    platform::space(&nearest(folder))
}

/// What lies where the agent's socket belongs.
pub(super) fn socket(path: &Path) -> Socket {
    let stranger = path.symlink_metadata().ok().and_then(|metadata| platform::no_socket_of_ours(&metadata));
    Socket { path: path.to_owned(), limit: platform::SOCKET_LIMIT, stranger: stranger.map(str::to_owned) }
}

/// Whether the gateway's journal can be watched: its folder, or the nearest above it, is watched for a moment.
pub(super) fn journal(runtime_root: &Path) -> Fact<Watch> {
    platform::watch(nearest(&runtime_root.join("data")))
}

#[cfg(unix)]
mod platform {
    use std::fs::Metadata;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    use std::path::Path;

    use nix::sys::statvfs::{FsFlags, statvfs};
    use nix::unistd::{AccessFlags, access, geteuid};

    use super::{Fact, Space};
    #[cfg(target_os = "linux")]
    pub use linux::{network, watch};
    #[cfg(not(target_os = "linux"))]
    pub use other::{network, watch};

    /// Longest path of a socket, without its closing zero.
    pub const SOCKET_LIMIT: Option<usize> = Some(if cfg!(target_os = "macos") { 103 } else { 107 });

    pub fn unwritable(folder: &Path) -> Option<String> {
        let refused = access(folder, AccessFlags::W_OK | AccessFlags::X_OK).err()?;
        Some(refused.desc().to_lowercase())
    }

    pub fn is_read_only(folder: &Path) -> bool {
        statvfs(folder).is_ok_and(|disk| disk.flags().contains(FsFlags::ST_RDONLY))
    }

    pub fn is_owned(metadata: &Metadata) -> bool {
        metadata.uid() == geteuid().as_raw()
    }

    /// The mode, when others than the owner have any right.
    pub fn open_mode(metadata: &Metadata) -> Option<u32> {
        Some(metadata.mode() & 0o777).filter(|mode| mode & 0o077 != 0)
    }

    pub fn space(folder: &Path) -> Fact<Space> {
        let disk = statvfs(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        #[allow(clippy::useless_conversion, reason = "as wide as the system has it")]
        let (blocks, size, files) =
            (u64::from(disk.blocks_available()), u64::from(disk.fragment_size()), u64::from(disk.files()));
        #[allow(clippy::useless_conversion, reason = "as wide as the system has it")]
        let free_files = u64::from(disk.files_available());
        // file systems without such a limit say that they have none at all
        Ok(Space { free: blocks.saturating_mul(size), free_files: (files > 0).then_some(free_files) })
    }

    pub fn no_socket_of_ours(metadata: &Metadata) -> Option<&'static str> {
        if !metadata.file_type().is_socket() {
            Some(crate::words::checks::NO_SOCKET_BUT_SOMETHING_ELSE)
        } else if is_owned(metadata) {
            None
        } else {
            Some(crate::words::checks::ANOTHER_USERS_SOCKET)
        }
    }

    #[cfg(target_os = "linux")]
    mod linux {
        use std::path::{Path, PathBuf};

        use nix::errno::Errno;
        use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
        use nix::sys::statfs::{FsType, NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, statfs};

        use super::super::{Fact, Watch};
        use crate::core::doctor::facts::Refused;

        /// Network file systems that the library has no name for.
        const CIFS: i64 = 0xff53_4d42;
        const SMB2: i64 = 0xfe53_4d42;

        pub fn network(folder: &Path) -> Option<String> {
            let kind = statfs(folder).ok()?.filesystem_type();
            let smb = [CIFS, SMB2].iter().any(|magic| kind == FsType(*magic as _)) || kind == SMB_SUPER_MAGIC;
            match kind {
                NFS_SUPER_MAGIC => Some("NFS".to_owned()),
                _ if smb => Some("SMB".to_owned()),
                _ => None,
            }
        }

        pub fn watch(folder: PathBuf) -> Fact<Watch> {
            let limit = |name: &str| -> Option<u64> {
                std::fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?.trim().parse().ok()
            };
            let tried = Inotify::init(InitFlags::IN_CLOEXEC)
                .map_err(|error| match error {
                    Errno::EMFILE => Refused::Instances,
                    other => Refused::Other(other.desc().to_lowercase()),
                })
                .and_then(|inotify| {
                    inotify.add_watch(&folder, AddWatchFlags::IN_MODIFY).map_err(|error| match error {
                        Errno::ENOSPC => Refused::Watches,
                        other => Refused::Other(other.desc().to_lowercase()),
                    })
                });
            let limits = limit("max_user_watches").zip(limit("max_user_instances"));
            Ok(Watch { folder, refused: tried.err(), limits })
        }
    }

    #[cfg(not(target_os = "linux"))]
    mod other {
        use std::path::{Path, PathBuf};

        use super::super::{Fact, Watch};

        pub fn network(_folder: &Path) -> Option<String> {
            None
        }

        pub fn watch(folder: PathBuf) -> Fact<Watch> {
            Ok(Watch { folder, refused: None, limits: None })
        }
    }
}

#[cfg(windows)]
mod platform {
    use std::fs::Metadata;
    use std::path::{Path, PathBuf};

    use super::{Fact, Space, Watch};
    use crate::words;

    /// Pipes have names of their own.
    pub const SOCKET_LIMIT: Option<usize> = None;

    pub fn unwritable(_folder: &Path) -> Option<String> {
        None
    }

    pub fn is_read_only(_folder: &Path) -> bool {
        false
    }

    pub fn is_owned(_metadata: &Metadata) -> bool {
        true
    }

    pub fn open_mode(_metadata: &Metadata) -> Option<u32> {
        None
    }

    pub fn network(_folder: &Path) -> Option<String> {
        None
    }

    pub fn space(_folder: &Path) -> Fact<Space> {
        Err(words::checks::THIS_SYSTEM_IS_NOT_ASKED.to_owned())
    }

    pub fn no_socket_of_ours(_metadata: &Metadata) -> Option<&'static str> {
        None
    }

    pub fn watch(folder: PathBuf) -> Fact<Watch> {
        Ok(Watch { folder, refused: None, limits: None })
    }
}
