//! Where Palyra's programs are: the ones that are used, and folders that could be proposed to a person.
//!
//! What is used is found in few places and never on `PATH` or in the working directory. What is proposed is looked for
//! more widely, where package managers, archives and Palyra's own installer put things; a person chooses.
//!
//! Limits: looks at files and their first bytes, runs nothing. A folder on a dead network share can block it.

pub mod architecture;

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{ConfigError, Environment, not_absolute};
use crate::protocol::ServiceId;
use crate::words;

/// Directory entries that are looked at altogether.
const ENTRIES: usize = 4_000;
/// Folders of `PATH` that are looked at.
const PATH_FOLDERS: usize = 64;
/// Largest script that can be the installer's `palyra` command.
const SHIM_BYTES: u64 = 4_096;

/// A folder with Palyra's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Canonical; what `services.folder` is to be set to.
    pub folder: PathBuf,
    /// `palyrad` in it.
    pub gateway: PathBuf,
    /// `palyra-browserd` in it, if it can be started.
    pub browser: Option<PathBuf>,
    /// `palyra` in it, if it can be started.
    pub cli: Option<PathBuf>,
    /// How it was found.
    pub from: Origin,
    /// Why it cannot be used, in one sentence that says what to do.
    pub problem: Option<String>,
    /// What else is wrong or missing there, a sentence each; it can be used all the same.
    pub notes: Vec<String>,
}

/// How a folder was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This program lies in it.
    Beside,
    /// On the search path of commands, or named by Palyra's own command there.
    Path,
    /// Where packages put programs.
    Package,
    /// Where people unpack archives.
    Archive,
    /// A person named it.
    Picked,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Beside => words::programs::FOLDER_OF_PALYRA_TRAY,
            Self::Path => words::programs::FOLDER_IN_PATH,
            Self::Package => words::programs::INSTALLED_PACKAGE,
            Self::Archive => words::programs::UNPACKED_ARCHIVE,
            Self::Picked => words::programs::YOUR_CHOICE,
        })
    }
}

/// Finds a sidecar's executable: variable, beside this executable, the remembered folder, then build folders. Never the
/// working directory, never `PATH`.
///
/// # Errors
/// It is nowhere, or the variable names something that cannot be started.
pub fn find_binary(env: &Environment, service: ServiceId, remembered: Option<&Path>) -> Result<PathBuf, ConfigError> {
    let (name, variable) = match service {
        ServiceId::Gateway => ("palyrad", "PALYRA_DESKTOP_PALYRAD_BIN"),
        ServiceId::Browserd => ("palyra-browserd", "PALYRA_DESKTOP_BROWSERD_BIN"),
        ServiceId::NodeHost => ("palyra", "PALYRA_DESKTOP_PALYRA_BIN"),
    };
    if let Some(path) = env.path(variable) {
        if !path.is_absolute() {
            return Err(not_absolute(variable, &path));
        }
        return usable(&path)
            .map_err(|why| ConfigError(words::programs::is_which_correct_or_unset(variable, path.display(), &why)));
    }
    let mut tried = None;
    for folder in binary_folders(env, remembered) {
        let path = folder.join(file_name(name));
        match usable(&path) {
            Ok(path) => return Ok(path),
            Err(why) if path.exists() => {
                tried.get_or_insert(format!("{} {why}", path.display()));
            }
            Err(_) => {}
        }
    }
    let found = tried.map(|tried| format!(" ({tried})")).unwrap_or_default();
    Err(ConfigError(words::programs::was_not_found(name, &found, variable)))
}

/// Folders that could be proposed to a person: those with a `palyrad`, each once, the most likely first. Bounded in what
/// it looks at.
pub fn candidates(env: &Environment) -> Vec<Candidate> {
    let mut left = ENTRIES;
    let mut found: Vec<Candidate> = Vec::new();
    for (folder, from) in places(env, &mut left) {
        let Some(candidate) = look(&folder, from) else { continue };
        if !found.iter().any(|known| known.folder == candidate.folder) {
            found.push(candidate);
        }
    }
    // those that can be used first, else in the order of the search
    found.sort_by_key(|candidate| candidate.problem.is_some());
    found
}

/// Checks a folder that a person named: it, its `bin`, or the `palyrad` in it.
///
/// # Errors
/// It cannot be used, in one sentence that says why.
pub fn check_folder(folder: &Path) -> Result<Candidate, String> {
    if !folder.is_absolute() {
        return Err(words::programs::is_not_absolute_path(folder.display()));
    }
    let metadata = fs::metadata(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => words::programs::folder_does_not_exist(folder.display()),
        _ => words::programs::folder_cannot_be_read(folder.display(), &error),
    })?;
    let named_file = metadata.is_file() && folder.file_name() == Some(file_name("palyrad").as_ref());
    let folder = if named_file { folder.parent().unwrap_or(folder) } else { folder };
    if !named_file && !metadata.is_dir() {
        return Err(words::programs::is_not_folder(folder.display()));
    }
    if let Err(error) = fs::read_dir(folder) {
        return Err(words::programs::folder_cannot_be_read(folder.display(), &error));
    }
    let found = [folder.to_owned(), folder.join("bin")].iter().find_map(|place| look(place, Origin::Picked));
    let Some(candidate) = found else {
        return Err(words::programs::there_is_no_palyrad(folder.display()));
    };
    match candidate.problem {
        Some(problem) => Err(problem),
        None => Ok(candidate),
    }
}

/// Whether a program can be started, and its canonical path.
///
/// # Errors
/// Why not, as the end of a sentence about the file.
pub fn usable(path: &Path) -> Result<PathBuf, String> {
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => words::programs::DOES_NOT_EXIST.to_owned(),
        _ => words::programs::cannot_be_read(&error),
    })?;
    if !metadata.is_file() {
        return Err(words::programs::IS_NOT_FILE.to_owned());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if metadata.permissions().mode() & 0o111 == 0 {
            return Err(words::programs::is_not_executable(path.display()));
        }
        if let Err(error) = nix::unistd::access(path, nix::unistd::AccessFlags::X_OK) {
            return Err(words::programs::may_not_be_executed(error));
        }
    }
    match architecture::of(path) {
        Ok(architecture) => architecture.runs_here()?,
        // it may be executed without being read
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        Err(error) => return Err(words::programs::cannot_be_read(&error)),
    }
    fs::canonicalize(path).map_err(words::programs::cannot_be_read)
}

fn binary_folders(env: &Environment, remembered: Option<&Path>) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env.executable.parent().map(Path::to_owned).into_iter().collect();
    folders.extend(remembered.map(Path::to_owned));
    for ancestor in env.executable.ancestors().take(8) {
        folders.push(ancestor.join("target").join("debug"));
        folders.push(ancestor.join("target").join("release"));
    }
    folders
}

/// The candidate that a folder is, if a `palyrad` lies in it. A link leads to the folder of the program itself: that is
/// where its dashboard lies, too.
fn look(folder: &Path, from: Origin) -> Option<Candidate> {
    let gateway = fs::canonicalize(folder.join(file_name("palyrad"))).ok().filter(|path| path.is_file())?;
    let folder = gateway.parent()?.to_owned();
    let problem = usable(&gateway).err().map(|why| format!("{} {why}.", gateway.display()));
    let mut notes = Vec::new();
    let mut other = |name: &str, missing: Option<&str>| {
        let path = folder.join(file_name(name));
        match (usable(&path), path.exists()) {
            (Ok(path), _) => return Some(path),
            (Err(why), true) => notes.push(format!("{} {why}.", path.display())),
            (Err(_), false) => notes.extend(missing.map(|what| words::programs::there_is_no(name, what))),
        }
        None
    };
    let browser = other("palyra-browserd", Some(words::programs::AGENTS_CANNOT_USE_BROWSER));
    let cli = other("palyra", None);
    #[cfg(unix)]
    for path in [&folder, &gateway] {
        use std::os::unix::fs::MetadataExt;
        let sticky_folder = |metadata: &fs::Metadata| metadata.is_dir() && metadata.mode() & 0o1000 != 0;
        if fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o002 != 0 && !sticky_folder(&metadata)) {
            notes.push(words::programs::every_user_can_change(path.display()));
        }
    }
    Some(Candidate { folder, gateway, browser, cli, from, problem, notes })
}

/// Where to look, in this order.
fn places(env: &Environment, left: &mut usize) -> Vec<(PathBuf, Origin)> {
    let mut places: Vec<(PathBuf, Origin)> = Vec::new();
    places.extend(env.executable.parent().map(|folder| (folder.to_owned(), Origin::Beside)));

    let path = env.get("PATH").map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    for folder in path.into_iter().filter(|folder| folder.is_absolute()).take(PATH_FOLDERS) {
        // The installer puts a small script there that names the program it starts.
        let named = exposed(&folder.join(file_name("palyra"))).and_then(|program| Some(program.parent()?.to_owned()));
        // /usr/bin and its like are a package's, though they are on the path too
        let from = if packaged(&folder) { Origin::Package } else { Origin::Path };
        places.push((folder, from));
        places.extend(named.map(|folder| (folder, Origin::Path)));
    }

    let home = env.path("HOME").or_else(|| env.path("USERPROFILE")).filter(|home| home.is_absolute());
    let mut add = |folders: Vec<PathBuf>, from: Origin| {
        places.extend(folders.into_iter().flat_map(|folder| [(folder.join("bin"), from), (folder, from)]));
    };
    add(package_folders(), Origin::Package);
    add(listed(Path::new("/opt"), left, |_| true), Origin::Package);
    if cfg!(windows) {
        for variable in ["PROGRAMFILES", "LOCALAPPDATA"] {
            let Some(folder) = env.path(variable) else { continue };
            add(listed(&folder, left, is_palyra), Origin::Package);
            add(listed(&folder.join("Programs"), left, is_palyra), Origin::Package);
        }
    }
    if cfg!(target_os = "macos") {
        let bundles = listed(Path::new("/Applications"), left, is_palyra);
        add(bundles.into_iter().map(|bundle| bundle.join("Contents").join("MacOS")).collect(), Origin::Package);
    }
    if let Some(home) = home {
        let local = home.join(".local");
        add(vec![local.clone(), home.clone(), home.join(".cargo")], Origin::Package);
        add(listed(&local.join("opt"), left, |_| true), Origin::Archive);
        let data = env.path("XDG_DATA_HOME").unwrap_or_else(|| local.join("share"));
        let mut around = vec![home.clone(), home.join("Applications"), home.join("apps"), home.join("opt"), data];
        around.extend(downloads(env, &home));
        for folder in around {
            add(listed(&folder, left, is_palyra), Origin::Archive);
        }
    }
    places
}

fn packaged(folder: &Path) -> bool {
    ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].iter().any(|known| folder == Path::new(known))
}

fn package_folders() -> Vec<PathBuf> {
    let folders: &[&str] = if cfg!(windows) {
        &[]
    } else {
        &["/usr", "/usr/local", "/usr/lib/palyra", "/usr/libexec/palyra", "/usr/local/lib/palyra", "/opt/homebrew"]
    };
    folders.iter().map(PathBuf::from).collect()
}

/// Folders where people keep what they download; `user-dirs.dirs` knows its name in their language.
fn downloads(env: &Environment, home: &Path) -> Vec<PathBuf> {
    let mut folders = vec![home.join("Downloads"), home.join("Desktop")];
    let config = env.path("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
    let text = fs::read_to_string(config.join("user-dirs.dirs")).unwrap_or_default();
    for name in ["XDG_DOWNLOAD_DIR=", "XDG_DESKTOP_DIR="] {
        let value = text.lines().find_map(|line| line.trim().strip_prefix(name));
        let value = value.map(|value| value.trim_matches('"').replace("$HOME", &home.to_string_lossy()));
        folders.extend(value.map(PathBuf::from).filter(|folder| folder.is_absolute() && folder != home));
    }
    folders
}

fn is_palyra(name: &str) -> bool {
    name.to_lowercase().starts_with("palyra")
}

/// Folders in a folder whose name is wanted, in the order of their names.
fn listed(folder: &Path, left: &mut usize, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten().take(*left) {
        *left -= 1;
        if entry.file_name().to_str().is_some_and(&wanted) && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    found.sort();
    found
}

/// The program that the `palyra` command of Palyra's installer starts: a script whose last word of interest is
/// `exec '/path/palyra' "$@"`.
fn exposed(command: &Path) -> Option<PathBuf> {
    if fs::metadata(command).ok()?.len() > SHIM_BYTES {
        return None;
    }
    let mut text = String::new();
    fs::File::open(command).ok()?.take(SHIM_BYTES).read_to_string(&mut text).ok()?;
    let words = text.starts_with("#!").then(|| text.lines().find_map(|line| line.strip_prefix("exec '")))??;
    let quoted = words.replace(r"'\''", "\0");
    let program = PathBuf::from(quoted.split('\'').next()?.replace('\0', "'"));
    program.is_absolute().then_some(program)
}

fn file_name(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn executable(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn root(dir: &tempfile::TempDir) -> PathBuf {
        fs::canonicalize(dir.path()).unwrap()
    }

    /// Only what lies below the test's own folder; the machine may have a Palyra of its own.
    fn found(env: &Environment, root: &Path) -> Vec<Candidate> {
        candidates(env).into_iter().filter(|candidate| candidate.folder.starts_with(root)).collect()
    }

    #[test]
    fn a_sidecar_is_found_beside_us_then_in_the_remembered_folder_then_in_build_folders() {
        let dir = tempfile::tempdir().unwrap();
        let root = root(&dir);
        let env = Environment::of(&[], &root.join("app/bin/palyra-tray"));
        let remembered = root.join("palyra");
        for place in ["app/target/release/palyrad", "palyra/palyrad", "app/bin/palyrad"] {
            executable(&root.join(place));
            let found = find_binary(&env, ServiceId::Gateway, Some(&remembered)).unwrap();
            assert_eq!(found, root.join(place));
        }
    }

    #[test]
    fn an_override_that_cannot_be_used_is_named_and_nothing_else_is_tried() {
        let dir = tempfile::tempdir().unwrap();
        executable(&dir.path().join("palyrad"));
        let exe = dir.path().join("palyra-tray");
        let plain = dir.path().join("plain");
        fs::write(&plain, "x").unwrap();
        for (value, needle) in [
            (Path::new("bin/palyrad"), "absolute"),
            (plain.as_path(), "not executable"),
            (Path::new("/nowhere/palyrad"), "does not exist"),
        ] {
            let env = Environment::of(&[("PALYRA_DESKTOP_PALYRAD_BIN", value)], &exe);
            let error = find_binary(&env, ServiceId::Gateway, None).unwrap_err().to_string();
            assert!(error.contains(needle) && error.contains("PALYRA_DESKTOP_PALYRAD_BIN"), "{error}");
        }
    }

    #[test]
    fn a_program_of_another_machine_is_passed_over_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let root = root(&dir);
        let other = root.join("palyra/palyrad");
        executable(&other);
        fs::write(&other, foreign_elf()).unwrap();
        let env = Environment::of(&[], &root.join("app/palyra-tray"));
        let error = find_binary(&env, ServiceId::Gateway, Some(&root.join("palyra"))).unwrap_err().to_string();
        assert!(error.contains("this machine") && error.contains("palyra/palyrad"), "{error}");
        executable(&root.join("target/debug/palyrad"));
        let found = find_binary(&env, ServiceId::Gateway, Some(&root.join("palyra"))).unwrap();
        assert_eq!(found, root.join("target/debug/palyrad"));
    }

    #[test]
    fn candidates_come_from_path_packages_and_archives_each_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = root(&dir);
        let home = root.join("home");
        executable(&root.join("tools/palyrad"));
        executable(&root.join("tools/palyra-browserd"));
        executable(&home.join(".local/bin/palyrad"));
        executable(&home.join("Stažené/palyra-desktop-0.1.0-linux-x64/palyrad"));
        executable(&home.join("Downloads/other/palyrad"));
        fs::create_dir_all(home.join("Palyra-notes")).unwrap();
        fs::create_dir_all(home.join(".config")).unwrap();
        fs::write(home.join(".config/user-dirs.dirs"), "XDG_DOWNLOAD_DIR=\"$HOME/Stažené\"\n").unwrap();
        fs::create_dir_all(root.join("links")).unwrap();
        symlink(root.join("tools/palyrad"), root.join("links/palyrad")).unwrap();
        let path = format!("{0}/links:{0}/tools:relative:", root.display());
        let env = Environment::of(&[("HOME", &home), ("PATH", Path::new(&path))], &root.join("app/palyra-tray"));
        let found = found(&env, &root);
        let seen: Vec<_> = found.iter().map(|one| (one.folder.strip_prefix(&root).unwrap(), one.from)).collect();
        assert_eq!(
            seen,
            [
                (Path::new("tools"), Origin::Path),
                (Path::new("home/.local/bin"), Origin::Package),
                (Path::new("home/Stažené/palyra-desktop-0.1.0-linux-x64"), Origin::Archive),
            ]
        );
        assert_eq!(found[0].browser, Some(root.join("tools/palyra-browserd")));
        assert!(found[1].browser.is_none() && found[1].notes[0].contains("palyra-browserd"), "{found:?}");
    }

    #[test]
    fn the_installers_command_leads_to_what_it_starts() {
        let dir = tempfile::tempdir().unwrap();
        let root = root(&dir);
        executable(&root.join("it's here/palyrad"));
        let command = root.join("bin/palyra");
        executable(&command);
        let target = format!("{}/it'\\''s here/palyra", root.display());
        fs::write(&command, format!("#!/usr/bin/env sh\nset -eu\nexport X='y'\nexec '{target}' \"$@\"\n")).unwrap();
        let env = Environment::of(&[("PATH", &root.join("bin"))], &root.join("app/palyra-tray"));
        let found = found(&env, &root);
        assert_eq!(found.iter().map(|one| &one.folder).collect::<Vec<_>>(), [&root.join("it's here")]);
    }

    #[test]
    fn what_can_be_used_comes_first_and_what_cannot_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let root = root(&dir);
        for name in ["home/palyra-a", "home/palyra-b"] {
            executable(&root.join(name).join("palyrad"));
        }
        // archives made on Windows carry no modes
        fs::set_permissions(root.join("home/palyra-a/palyrad"), fs::Permissions::from_mode(0o644)).unwrap();
        let env = Environment::of(&[("HOME", &root.join("home"))], &root.join("app/palyra-tray"));
        let found = found(&env, &root);
        assert_eq!(found[0].folder, root.join("home/palyra-b"));
        assert!(found[1].problem.as_ref().unwrap().contains("chmod +x"), "{found:?}");
    }

    #[test]
    fn a_named_folder_is_taken_with_its_bin_or_by_its_palyrad() {
        let dir = tempfile::tempdir().unwrap();
        let root = root(&dir);
        executable(&root.join("palyra/bin/palyrad"));
        for named in ["palyra", "palyra/bin", "palyra/bin/palyrad"] {
            assert_eq!(check_folder(&root.join(named)).unwrap().folder, root.join("palyra/bin"), "{named}");
        }
        fs::set_permissions(root.join("palyra/bin"), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(check_folder(&root.join("palyra")).unwrap().notes.iter().any(|note| note.contains("chmod o-w")));
    }

    #[test]
    fn a_named_folder_that_cannot_be_used_is_one_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let root = root(&dir);
        fs::create_dir(root.join("empty")).unwrap();
        fs::write(root.join("file"), "").unwrap();
        for (name, content, mode) in
            [("plain", &b"#!/bin/sh\n"[..], 0o644), ("cut", b"", 0o755), ("other", &foreign_elf(), 0o755)]
        {
            let path = root.join(name).join("palyrad");
            executable(&path);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        for (name, needle) in [
            ("empty", "no palyrad"),
            ("file", "not a folder"),
            ("nowhere", "does not exist"),
            ("plain", "not executable"),
            ("cut", "no program"),
            ("other", "this machine"),
        ] {
            let why = check_folder(&root.join(name)).unwrap_err();
            assert!(why.contains(needle) && why.contains(name) && why.ends_with('.'), "{name}: {why}");
        }
        assert!(check_folder(Path::new("palyra")).unwrap_err().contains("absolute"));
    }

    /// A program for a machine that is not this one.
    fn foreign_elf() -> Vec<u8> {
        let machine: u16 = if std::env::consts::ARCH == "aarch64" { 62 } else { 183 };
        let mut head = b"\x7fELF\x02\x01\x01".to_vec();
        head.resize(18, 0);
        head.extend(machine.to_le_bytes());
        head.resize(64, 0);
        head
    }
}
