//! Profiles over real processes: there, back, refused, and killed in the middle.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::agent::Site;
use super::{lives, pids};

/// A registry with `work`, the strict `prod`, `torn` whose config is no TOML, and `dead` whose gateway ends at once.
fn site() -> Site {
    let site = Site::new();
    let gateway = env!("CARGO_BIN_EXE_palyra-tray");
    site.script(
        "palyrad",
        &format!("[ \"$PALYRA_CLI_PROFILE\" = dead ] && exit 3\nexec '{gateway}' demo-sidecar gateway \"$@\""),
    );
    let config = |name: &str| site.root().join("config").join(format!("{name}.toml"));
    // each has a config of its own, with ports of its own
    for name in ["work", "prod", "dead", "torn"] {
        let old = fs::read(site.root().join("config/palyra.toml")).unwrap();
        site.write_config("");
        fs::rename(site.root().join("config/palyra.toml"), config(name)).unwrap();
        fs::write(site.root().join("config/palyra.toml"), old).unwrap();
    }
    fs::write(config("torn"), "version = 1\n[daemon").unwrap();
    let entry = |name: &str, more: &str| {
        format!("[profiles.{name}]\nlabel = \"The {name} one\"\nconfig_path = \"{}\"\n{more}\n", config(name).display())
    };
    fs::create_dir_all(site.root().join("cli")).unwrap();
    let registry = format!(
        "version = 1\ndefault_profile = \"work\"\n{}{}{}{}\
         [profiles.far]\nmode = \"remote\"\ndaemon_url = \"https://palyra.example\"\n\
         [profiles.\"../../etc\"]\nlabel = \"out\"\n",
        entry("work", "unknown_one = 7"),
        entry("prod", "strict_mode = true"),
        entry("dead", ""),
        entry("torn", ""),
    );
    fs::write(site.root().join("cli/profiles.toml"), registry).unwrap();
    site
}

/// A variable of the running gateway.
fn told(status: &Value, name: &str) -> Option<String> {
    let environ = fs::read(format!("/proc/{}/environ", pids(status)[0])).unwrap();
    let environ = String::from_utf8_lossy(&environ).into_owned();
    environ.split('\0').find_map(|line| line.strip_prefix(&format!("{name}="))).map(str::to_owned)
}

fn gateways(site: &Site) -> Vec<String> {
    let all = site.processes().into_iter().map(|(_, line)| line);
    all.filter(|line| line.contains("demo-sidecar gateway")).collect()
}

#[test]
fn there_and_back_with_places_of_its_own() {
    let mut site = site();
    let before = site.start_healthy();
    assert_eq!(before["profile"]["active"], "desktop-local", "the registry's default is the command line's");
    let list = site.ok(&["profile", "list"]);
    assert!(list.contains("* desktop-local") && list.contains("The work one") && list.contains("strict"), "{list}");
    assert!(list.contains("Left out: ../../etc"), "{list}");

    let said = site.ok(&["profile", "switch", "work"]);
    assert!(said.contains("Now on profile The work one. Stopped of desktop-local: gateway, browserd."), "{said}");
    let work = site.healthy();
    assert_eq!((&work["profile"]["active"], &work["agent"]["pid"]), (&"work".into(), &before["agent"]["pid"]));
    assert!(pids(&before).iter().all(|pid| !lives(*pid)), "the old one's are gone");
    let root = |path: &str| Some(site.root().join(path).display().to_string());
    assert_eq!(told(&work, "PALYRA_STATE_ROOT"), root("profiles/work/state"));
    assert_eq!(told(&work, "PALYRA_CONFIG"), root("config/work.toml"));
    assert_eq!(told(&work, "PALYRA_CLI_PROFILE").as_deref(), Some("work"));
    assert_eq!(told(&work, "PALYRA_CLI_PROFILES_PATH"), root("cli/profiles.toml"));
    assert_eq!(told(&work, "PALYRA_VAULT_DIR"), root("profiles/work/vault"));
    for path in ["profiles/work/secrets.json", "profiles/work/run/gateway", "profiles/work/logs/gateway.log"] {
        assert!(site.own(path).exists(), "{path} is its own");
    }
    // commands go to the places of the active one
    assert!(site.ok(&["logs", "gateway"]).contains("daemon listening"));
    // what is remembered is each one's own
    assert!(site.ok(&["recent"]).contains("Now on profile The work one"));
    site.ok(&["config", "set", "desktop_notifications_enabled", "false"]);
    let flag = |status: &Value| status["companion"]["rollout"]["desktop_notifications_enabled"].clone();
    assert_eq!(flag(&site.status().unwrap()), false);

    let said = site.ok(&["profile", "switch", "desktop-local"]);
    assert!(said.contains("Now on profile Desktop local"), "{said}");
    let back = site.healthy();
    assert_eq!(told(&back, "PALYRA_CLI_PROFILE"), None);
    assert_eq!(told(&back, "PALYRA_STATE_ROOT"), told_before(&site));
    assert_eq!(back["profile"]["recent"], serde_json::json!(["desktop-local", "work"]));
    assert_eq!(flag(&back), true);
    let recent = site.ok(&["recent"]);
    assert!(recent.contains("Now on profile Desktop local") && !recent.contains("The work one"), "{recent}");
    site.ok(&["quit"]);
    site.agent_ended();
    site.nothing_left();
}

fn told_before(site: &Site) -> Option<String> {
    Some(site.root().join("desktop-control-center/runtime").display().to_string())
}

#[test]
fn what_cannot_work_stops_nothing_and_what_does_not_work_is_taken_back() {
    let mut site = site();
    let before = pids(&site.start_healthy());
    for (name, told) in [
        ("prod", "strict"),
        ("torn", "torn.toml"),
        ("far", "profiles/far/config/palyra.toml cannot be read"),
        ("none", "there is no profile none"),
        ("../../etc", "there is no profile"),
    ] {
        let said = site.fails(4, &["profile", "switch", name]);
        assert!(said.contains(told), "{name}: {said}");
    }
    assert_eq!(pids(&site.healthy()), before, "nothing was stopped");
    let said = site.fails(1, &["profile", "switch", "dead"]);
    assert!(said.contains("Still on profile Desktop local") && said.contains("does not stay up"), "{said}");
    assert!(said.contains("started again: gateway, browserd. See: palyra-tray status"), "{said}");
    let status = site.healthy();
    assert_eq!(status["profile"]["active"], "desktop-local");
    assert!(site.ok(&["profile", "show"]).contains("Last change: Still on profile"));
    assert_eq!(gateways(&site).len(), 1);
    site.ok(&["profile", "switch", "prod", "--yes"]);
    assert_eq!(site.healthy()["profile"]["strict_mode"], true);
}

#[test]
fn a_strict_one_asks_on_a_terminal_and_only_yes_means_yes() {
    let mut site = site();
    site.start_healthy();
    for (typed, code) in [("", 4), ("y", 4), ("yes", 0)] {
        // a terminal of its own, as util-linux makes it
        let command = format!("{} profile switch prod", site.program.display());
        let mut script = site.wrapped("script", &["-qec", &command, "/dev/null"]);
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().expect("script, of util-linux");
        writeln!(child.stdin.take().unwrap(), "{typed}").unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("prod is a strict profile: what agents do there is real."), "{typed}: {said}");
        assert_eq!(output.status.code(), Some(code), "{typed}: {said}");
        let on = site.status().unwrap()["profile"]["active"].clone();
        assert_eq!(on, if code == 0 { "prod" } else { "desktop-local" }, "{typed}: {said}");
    }
}

#[test]
fn the_dialog_asks_before_a_strict_one_and_says_how_it_ended() {
    let mut site = site();
    // marks the row of that name, and answers the question as it is told
    let zenity = "seen=\"$0.seen\"; printf '%s\\n' \"$@\" >> \"$seen\"\n\
        case \"$*\" in\n\
        *--list*) cat \"$0.row\"; exit 120;;\n\
        *--progress*) cat > /dev/null; exit 120;;\n\
        *'A strict profile'*) if [ -e \"$0.yes\" ]; then echo Change; exit 123; else exit 120; fi;;\n\
        *) exit 120;;\n\
        esac";
    let zenity = site.script("zenity", zenity);
    let beside = |name: &str| PathBuf::from(format!("{}.{name}", zenity.display()));
    let path = format!("{}:{}", site.bin().display(), std::env::var("PATH").unwrap());
    let display = site.bin().join("display");
    let _display = UnixListener::bind(&display).unwrap();
    let display = display.to_str().unwrap();
    for (name, value) in [("PATH", path.as_str()), ("WAYLAND_DISPLAY", display), ("PALYRA_TRAY_DIALOGS", "zenity")] {
        site.env(name, value);
    }
    site.start_healthy();
    let list: Value = serde_json::from_str(&site.ok(&["profile", "list", "--json"])).unwrap();
    let names = list["profiles"].as_array().unwrap();
    let row = names.iter().position(|entry| entry["name"] == "prod").unwrap();
    fs::write(beside("row"), format!("{row}\n")).unwrap();
    site.ok(&["profile", "choose"]);
    let seen = fs::read_to_string(beside("seen")).unwrap();
    assert!(seen.contains("strict: asks first") && seen.contains("prod is a strict profile"), "{seen}");
    assert_eq!(site.status().unwrap()["profile"]["active"], "desktop-local", "what the focus is on is no yes");
    fs::write(beside("yes"), "").unwrap();
    site.ok(&["profile", "choose"]);
    let seen = fs::read_to_string(beside("seen")).unwrap();
    assert!(seen.contains("Now on profile The prod one"), "{seen}");
    assert_eq!(site.healthy()["profile"]["active"], "prod");
}

#[test]
fn one_that_leaves_the_registry_is_told_to_no_process_and_left_at_the_next_start() {
    let mut site = site();
    site.start_healthy();
    site.ok(&["profile", "switch", "work"]);
    let registry = site.root().join("cli/profiles.toml");
    let text = fs::read_to_string(&registry).unwrap();
    fs::write(&registry, text.replace("[profiles.work]", "[profiles.was-work]")).unwrap();
    site.ok(&["restart", "gateway"]);
    let status = site.healthy();
    assert_eq!((told(&status, "PALYRA_CLI_PROFILE"), &status["profile"]["active"]), (None, &"work".into()));
    assert!(told(&status, "PALYRA_STATE_ROOT").unwrap().ends_with("profiles/work/state"), "it works on");
    site.ok(&["quit"]);
    site.agent_ended();
    let status = site.start_healthy();
    assert_eq!(status["profile"]["active"], "desktop-local");
    let trouble = status["profile"]["trouble"].as_str().unwrap();
    assert!(trouble.contains("there is no profile work"), "{trouble}");
    assert!(site.ok(&["recent"]).contains("On profile Desktop local"));
}

#[test]
fn killed_in_the_middle_the_next_start_is_on_one_of_the_two_and_says_which() {
    let mut site = site();
    site.start_healthy();
    let (mut to, mut other) = ("work", "desktop-local");
    for wait_ms in [0, 150, 400, 800, 1_500, 3_000] {
        let mut client = site.command(&["profile", "switch", to]).spawn().unwrap();
        let state: PathBuf = site.own("state.json");
        site.until("begun", |_| {
            fs::read_to_string(&state).is_ok_and(|text| text.contains(&format!("\"to\": \"{to}\"")))
        });
        std::thread::sleep(Duration::from_millis(wait_ms));
        site.kill_agent();
        let _ = client.kill();
        let _ = client.wait();
        site.start(&[]);
        let whole = site.until("whole", |status| {
            status["state"] == "healthy" && status["profile"]["switching"] == Value::Bool(false)
        });
        let on = whole["profile"]["active"].as_str().unwrap().to_owned();
        assert!(on == to || on == other, "after {wait_ms} ms: {on}");
        let outcome = whole["profile"]["switch"]["outcome"].as_str().unwrap();
        assert!(outcome.contains(if on == to { "Now on profile" } else { "Still on profile" }), "{outcome}");
        let runtime = told(&whole, "PALYRA_STATE_ROOT").unwrap();
        assert_eq!(runtime.ends_with("profiles/work/state"), on == "work", "after {wait_ms} ms: {runtime}");
        assert_eq!(gateways(&site).len(), 1, "after {wait_ms} ms: {:?}", gateways(&site));
        if on == to {
            std::mem::swap(&mut to, &mut other);
        }
    }
}
