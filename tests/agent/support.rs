//! Support bundles of a real agent: what is in one, what is said when something is not, and that none is ever half there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use palyra_tray::config::{Environment, Paths};
use palyra_tray::protocol::{Action, Reply, Request};
use palyra_tray::shell::control;
use serde_json::{Value, json};

use super::agent::{PATIENCE, Site};

fn unpacked(file: &Path) -> PathBuf {
    let folder = file.with_extension("unpacked");
    fs::create_dir(&folder).unwrap();
    assert!(Command::new("tar").arg("-xzf").arg(file).arg("-C").arg(&folder).status().unwrap().success());
    let mut inner = fs::read_dir(&folder).unwrap().flatten();
    inner.next().expect("one folder").path()
}

fn palyra(site: &mut Site, body: &str) {
    let program = site.script("palyra", body);
    site.env("PALYRA_DESKTOP_PALYRA_BIN", &program.display().to_string());
}

fn bundles(site: &Site) -> Vec<PathBuf> {
    fs::read_dir(site.own("support")).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

#[test]
fn a_bundle_holds_what_helps_and_palyras_own_export() {
    let mut site = Site::new();
    palyra(&mut site, "printf '{\"schema_version\":1,\"token_given\":\"%s\"}' \"${PALYRA_ADMIN_TOKEN:+yes}\" >\"$4\"");
    site.start_healthy();
    let said = site.ok(&["support-bundle"]);
    let file = PathBuf::from(said.trim_end());
    assert_eq!(bundles(&site), std::slice::from_ref(&file), "and nothing of the work beside it");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(site.own("support")).unwrap().permissions().mode() & 0o777, 0o700);
    let inside = unpacked(&file);
    let json = |name: &str| serde_json::from_slice::<Value>(&fs::read(inside.join(name)).unwrap()).unwrap();
    assert_eq!(json("snapshot.json")["state"], "healthy");
    assert_eq!(json("versions.json")["palyrad"], "0.1.0-demo");
    assert!(json("doctor.json")["checks"].as_array().unwrap().len() > 10);
    assert_eq!(json("palyra-export.json")["schema_version"], 1);
    let text = |name: &str| fs::read_to_string(inside.join(name)).unwrap();
    assert!(text("config-keys.txt").lines().any(|key| key == "daemon.port"));
    assert!(text("logs/gateway.log").contains("daemon listening"));
    assert!(!text("README.txt").contains("is not in it:"), "{}", text("README.txt"));
    site.ok(&["quit"]);
    assert_eq!(site.agent_ended(), Some(0));
    // its end is told by the next one; without an agent nobody knows how things are, and that is said
    let said = site.ok(&["support-bundle", "--no-palyra"]);
    assert!(said.contains("The snapshot is not in it: ") && said.contains("left out on request"), "{said}");
    let inside = unpacked(Path::new(said.lines().next().unwrap()));
    assert!(inside.join("ends/gateway.json").is_file() && !inside.join("snapshot.json").exists());
}

#[test]
fn a_failing_export_costs_nothing_else_and_is_said() {
    let mut site = Site::new();
    palyra(&mut site, "echo 'journal is locked' >&2; exit 3");
    site.start_healthy();
    let said = site.ok(&["support-bundle"]);
    assert!(said.contains("Palyra's own export is not in it: Palyra says: journal is locked."), "{said}");
    let inside = unpacked(Path::new(said.lines().next().unwrap()));
    let explained = fs::read_to_string(inside.join("README.txt")).unwrap();
    assert!(explained.contains("journal is locked") && inside.join("snapshot.json").is_file(), "{explained}");
}

#[test]
fn what_is_there_is_not_replaced_and_what_does_not_fit_leaves_nothing() {
    let mut site = Site::new();
    let mine = site.root().with_file_name("mine.tar.gz");
    fs::write(&mine, "mine").unwrap();
    let said = site.fails(4, &["support-bundle", "--no-palyra", "--output", &mine.display().to_string()]);
    assert!(said.contains("is there already"), "{said}");
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
    // a file may be 8 blocks long here, as on a disk that is full: the write fails in the middle
    let program = site.program.clone();
    let limited = site.script("limited", &format!("trap '' XFSZ; ulimit -f 4; exec '{}' \"$@\"", program.display()));
    site.program = limited;
    let folder = site.root().with_file_name("full");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("b.tar.gz");
    let said = site.fails(1, &["support-bundle", "--no-palyra", "--output", &file.display().to_string()]);
    site.program = program;
    assert!(said.contains("was not written") && said.contains("nothing was left there"), "{said}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn from_the_menu_the_person_is_told_where_it_is() {
    let mut site = Site::new();
    palyra(&mut site, "echo '{}' >\"$4\"");
    site.start_healthy();
    let paths = Paths::find(&Environment::of(
        &[("PALYRA_STATE_ROOT", &site.root())],
        Path::new(env!("CARGO_BIN_EXE_palyra-tray")),
    ))
    .unwrap();
    let asked = control::ask(&paths, Request::Act { action: Action::ExportBundle }, PATIENCE);
    assert!(matches!(asked, Ok(Reply::Done(_))), "{asked:?}");
    let told = site.until("told", |status| {
        let all = status["companion"]["notifications"].as_array().into_iter().flatten();
        all.into_iter().any(|one| one["title"] == "The support bundle is ready")
    });
    let all = told["companion"]["notifications"].as_array().unwrap();
    let notice = all.iter().find(|one| one["title"] == "The support bundle is ready").unwrap();
    let [file] = <[PathBuf; 1]>::try_from(bundles(&site)).unwrap();
    assert!(notice["body"].as_str().unwrap().contains(&file.display().to_string()), "{notice}");
    assert_eq!(notice["action"], json!({ "do": "show_bundles" }));
}
