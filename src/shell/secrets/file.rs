//! The file: `secrets.json`, mode 0600, in a folder with mode 0700, always written whole.
//!
//! Beside it lie `secrets.lock`, held while secrets are made or moved, and `secrets.in-keyring`, which says that the
//! keyring holds them: without it, a keyring that does not run yet would look like one that does not exist.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::values::{check, same};
use crate::protocol::secrets::SecretName;
use crate::words;

const SCHEMA: u32 = 1;
/// More than any file of ours; what is larger is something else.
const SIZE_LIMIT: u64 = 64 * 1024;

/// The secrets that are there.
pub(super) type Found = BTreeMap<SecretName, SecretString>;

/// What the file says.
#[derive(Debug)]
pub(super) enum Content {
    Missing,
    Holds(Found),
    /// It is not what we write; why.
    Corrupt(String),
}

#[derive(Debug)]
pub(super) struct FileStore {
    folder: PathBuf,
}

/// Held until dropped.
#[derive(Debug)]
pub(super) struct Guard {
    _file: File,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "schema_version")]
    _schema_version: u32,
    desktop_admin_token: Option<String>,
    desktop_browser_auth_token: Option<String>,
    desktop_browser_state_encryption_key: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

impl FileStore {
    /// The store in `folder`, which is made, and made private, if need be.
    pub fn open(folder: &Path) -> Result<Self, String> {
        make_private(folder)
            .map_err(|error| words::secrets::folder_for_secrets_cannot_be_used(folder.display(), &error))?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn path(&self) -> PathBuf {
        self.folder.join("secrets.json")
    }

    /// One process at a time makes or moves secrets.
    pub fn lock(&self) -> Result<Guard, String> {
        let path = self.folder.join("secrets.lock");
        let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false)).open(&path);
        file.and_then(|file| file.lock().map(|()| Guard { _file: file }))
            .map_err(|error| words::secrets::lock_cannot_be_taken(path.display(), &error))
    }

    /// Reads the file. An error means that nothing is known about it; then nothing may be made.
    pub fn load(&self, notes: &mut Vec<String>) -> Result<Content, String> {
        let path = self.path();
        let unreadable = |error: io::Error| words::secrets::secrets_in_cannot_be_read(path.display(), &error);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::Missing),
            Err(error) => return Err(unreadable(error)),
        };
        if tighten(&file).map_err(unreadable)? {
            notes.push(words::secrets::could_be_read_by_others(path.display()));
        }
        let mut text = Zeroizing::new(Vec::with_capacity(4096));
        file.take(SIZE_LIMIT + 1).read_to_end(&mut text).map_err(unreadable)?;
        if text.len() as u64 > SIZE_LIMIT {
            return Ok(Content::Corrupt(words::secrets::IT_IS_FAR_TOO_LARGE.to_owned()));
        }
        match serde_json::from_slice::<Version>(&text) {
            Ok(version) if version.schema_version > SCHEMA => {
                return Err(words::secrets::was_written_by_newer_version(path.display()));
            }
            Ok(_) => {}
            // The parser's words may quote the text.
            Err(error) => return Ok(Content::Corrupt(words::secrets::line_column(error.line(), error.column()))),
        }
        let Ok(document) = serde_json::from_slice::<Document>(&text) else {
            return Ok(Content::Corrupt(words::secrets::ITS_FIELDS_ARE_NOT_THOSE.to_owned()));
        };
        Ok(sort(document))
    }

    /// Writes all of `found` at once and reads it back.
    pub fn save(&self, found: &Found) -> Result<(), String> {
        let path = self.path();
        let failed = |why: String| words::secrets::secrets_could_not_be_written(path.display(), &why);
        write_whole(&self.folder, &path, found).map_err(|error| failed(error.to_string()))?;
        match self.load(&mut Vec::new()) {
            Ok(Content::Holds(read))
                if found.iter().all(|(name, value)| read.get(name).is_some_and(|r| same(r, value))) =>
            {
                Ok(())
            }
            Ok(_) => Err(failed(words::secrets::READING_IT_BACK_GAVE_SOMETHING_ELSE.to_owned())),
            Err(why) => Err(why),
        }
    }

    /// Moves a damaged file out of the way and says where it went.
    pub fn set_aside(&self) -> Result<PathBuf, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let aside = self.folder.join(format!("secrets.json.corrupt-{now}"));
        fs::rename(self.path(), &aside)
            .map_err(|error| words::secrets::damaged_cannot_be_set_aside(self.path().display(), &error))?;
        Ok(aside)
    }

    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_file(self.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => sync_folder(&self.folder),
        }
    }

    /// Has the keyring been given the secrets?
    pub fn in_keyring(&self) -> bool {
        self.marker().exists()
    }

    pub fn mark_in_keyring(&self) -> io::Result<()> {
        if self.in_keyring() {
            return Ok(());
        }
        private(OpenOptions::new().write(true).create(true).truncate(true)).open(self.marker())?.sync_all()?;
        sync_folder(&self.folder)
    }

    fn marker(&self) -> PathBuf {
        self.folder.join("secrets.in-keyring")
    }
}

fn sort(document: Document) -> Content {
    let fields = [
        (SecretName::AdminToken, document.desktop_admin_token),
        (SecretName::BrowserToken, document.desktop_browser_auth_token),
        (SecretName::BrowserStateKey, document.desktop_browser_state_encryption_key),
    ];
    let mut found = Found::new();
    let mut damage = None;
    for (name, value) in fields {
        let Some(value) = value.map(SecretString::from) else { continue };
        if let Err(why) = check(name, &value) {
            damage = Some(format!("{}: {why}", name.account()));
        }
        found.insert(name, value);
    }
    damage.map_or(Content::Holds(found), Content::Corrupt)
}

fn write_whole(folder: &Path, path: &Path, found: &Found) -> io::Result<()> {
    let mut text = Zeroizing::new(Vec::with_capacity(4096));
    // Written by hand, so that no copy of a secret stays behind in a serializer's tree.
    write!(text, "{{\n  \"schema_version\": {SCHEMA}")?;
    for (name, value) in found {
        write!(text, ",\n  \"{}\": ", name.account())?;
        serde_json::to_writer(&mut *text, value.expose_secret())?;
    }
    text.extend_from_slice(b"\n}\n");
    let mut file = tempfile::Builder::new().prefix(".palyra-tray-secrets-").tempfile_in(folder)?;
    file.write_all(&text)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if fs::metadata(folder)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Other systems protect a profile folder by its place.
#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Takes the file away from everyone else; says whether that was needed.
#[cfg(unix)]
fn tighten(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    let open = file.metadata()?.permissions().mode() & 0o077 != 0;
    if open {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(open)
}

#[cfg(not(unix))]
fn tighten(_file: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Folders cannot be opened for this elsewhere.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
