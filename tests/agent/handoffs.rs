//! A hand-off that nobody has used yet signs in whoever has it. So while one is unused, it must be nowhere that another
//! program could read: no command line, no environment, no file, no log.
//!
//! `PALYRA_TEST_SIDECARS=FOLDER` runs this over the real `palyrad` and `palyra-browserd` of that folder.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::agent::Site;
use super::http;

const HANDOFFS: usize = 100;
const EXCHANGE: &str = "/console/v1/auth/browser-handoff/session";

/// Where a text is, that should be nowhere: in whose command line or environment, in which file below these folders.
fn places_of(needle: &str, folders: &[&Path]) -> Vec<String> {
    let mut places = Vec::new();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let is_process = process.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
        for part in ["cmdline", "environ"].iter().filter(|_| is_process) {
            let path = process.path().join(part);
            // one that ended meanwhile, or is another user's
            if contains(&fs::read(&path).unwrap_or_default(), needle) {
                places.push(path.display().to_string());
            }
        }
    }
    let mut left: Vec<PathBuf> = folders.iter().map(|folder| (*folder).to_owned()).collect();
    while let Some(path) = left.pop() {
        let Ok(kind) = fs::symlink_metadata(&path) else { continue };
        if contains(path.as_os_str().as_encoded_bytes(), needle) {
            places.push(format!("the name {}", path.display()));
        }
        if kind.is_dir() {
            left.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        } else if kind.is_file() && file_contains(&path, needle) {
            places.push(path.display().to_string());
        }
    }
    places
}

fn contains(bytes: &[u8], needle: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(needle)
}

fn file_contains(path: &Path, needle: &str) -> bool {
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).is_ok() && contains(&bytes, needle)
}

/// A home of its own, a browser that only tells where it was sent, and the sidecars that are asked for.
fn site() -> (Site, BufReader<fs::File>) {
    let mut site = Site::new();
    let home = site.bin().join("home");
    for (name, folder) in [
        ("HOME", ""),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_DATA_HOME", "data"),
    ] {
        let folder = home.join(folder);
        fs::create_dir_all(&folder).unwrap();
        site.env(name, folder.to_str().unwrap());
    }
    if let Some(folder) = std::env::var_os("PALYRA_TEST_SIDECARS") {
        for (variable, program) in
            [("PALYRA_DESKTOP_PALYRAD_BIN", "palyrad"), ("PALYRA_DESKTOP_BROWSERD_BIN", "palyra-browserd")]
        {
            site.env(variable, Path::new(&folder).join(program).to_str().unwrap());
        }
    }
    let pipe = site.bin().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // it lives on with its arguments for as long as the hand-off is unused
    let browser = site.script("browser", &format!("echo \"$1\" > '{}'; sleep 1", pipe.display()));
    site.env("BROWSER", browser.to_str().unwrap());
    // both ends: it never ends
    let sent_to = fs::OpenOptions::new().read(true).write(true).open(pipe).unwrap();
    (site, BufReader::new(sent_to))
}

fn parts(url: &str) -> (u16, &str) {
    let (host, path) = url.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split_once('/')).expect(url);
    (host.parse().expect(url), &url[url.len() - path.len() - 1..])
}

#[test]
fn an_unused_hand_off_is_nowhere() {
    let (mut site, mut sent_to) = site();
    site.start_healthy();
    let folder = site.bin().parent().unwrap().to_owned();
    for round in 0..HANDOFFS {
        site.ok(&["open", if round % 2 == 0 { "overview" } else { "approvals" }]);
        let mut one_time = String::new();
        sent_to.read_line(&mut one_time).unwrap();
        let (port, path) = parts(one_time.trim());
        let headers = [("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate"), ("user-agent", "test")];
        let answer = http::request(port, "GET", path, &headers, None).unwrap();
        let minted = answer.header("location").unwrap_or_else(|| panic!("no hand-off: {answer:?}")).to_owned();
        let token = minted.split_once("token=").expect("a token").1.split('&').next().unwrap();
        assert!(token.len() >= 40, "it is one");
        let unused = |when: &str| {
            let places = places_of(token, &[&folder]);
            assert!(places.is_empty(), "hand-off {round}, {when}, is unused, and can be read in {places:?}");
        };
        unused("minted");
        // it was a good one, and is used now: the gateway leads to the dashboard, which signs in with it
        let (port, path) = parts(&minted);
        let led = http::request(port, "GET", path, &[], None).unwrap();
        assert_eq!(led.status, 303, "{}", led.text());
        unused("on its way");
        let body = serde_json::json!({ "token": token }).to_string();
        let headers = [("content-type", "application/json")];
        let used = http::request(port, "POST", EXCHANGE, &headers, Some(body.as_bytes())).unwrap();
        assert!(used.status == 200 && used.header("set-cookie").is_some(), "{}: {}", used.status, used.text());
    }
    site.ok(&["quit"]);
}

#[test]
fn what_leaks_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let secret = |n: u32| format!("leaked-on-purpose-{}-{n}", std::process::id());
    let find = |needle: &str| places_of(needle, &[folder.path()]);
    assert!(find(&secret(0)).is_empty());
    let deep = folder.path().join("a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("log"), [b"\xff\0 token=", secret(1).as_bytes(), b"&x"].concat()).unwrap();
    assert_eq!(find(&secret(1)).len(), 1);
    fs::write(deep.join(secret(2)), "").unwrap();
    assert_eq!(find(&secret(2)).len(), 1);
    for (argument, variable, needle) in [(secret(3), String::new(), secret(3)), (String::new(), secret(4), secret(4))] {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 20; true", argument.as_str()])
            .env("LEAK", OsStr::new(&variable))
            .spawn()
            .unwrap();
        // until it is what it was started as
        let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while find(&needle).is_empty() && std::time::Instant::now() < end {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let places = find(&needle);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(places.iter().any(|place| place.starts_with(&format!("/proc/{}/", child.id()))), "{places:?}");
    }
}
