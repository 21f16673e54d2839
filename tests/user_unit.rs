//! The packaged unit under a real systemd user manager: what `systemctl --user` and a crash do to the sidecars.
#![cfg(target_os = "linux")]

#[path = "support/agent.rs"]
mod agent;
#[path = "support/http.rs"]
mod http;
#[path = "support/user_manager.rs"]
mod user_manager;

use std::fs;
use std::time::{Duration, Instant};

use agent::{PATIENCE, Site, kill, lives};
use nix::sys::signal::Signal;
use serde_json::Value;
use user_manager::UserManager;

const UNIT: &str = "palyra-tray.service";

/// The unit as it is packaged, with another program and state root by a drop-in.
struct Unit {
    manager: UserManager,
    site: Site,
}

impl Unit {
    fn new() -> Self {
        let site = Site::new();
        let manager = UserManager::start(site.root().parent().unwrap());
        fs::write(manager.units().join(UNIT), include_str!("../packaging/palyra-tray.service")).unwrap();
        let mut lines = format!("[Service]\nExecStart=\nExecStart=\"{}\" run --no-set-up\n", site.program.display());
        for (name, value) in site.command(&[]).get_envs() {
            if let Some(value) = value {
                lines.push_str(&format!("Environment=\"{}={}\"\n", name.display(), value.display()));
            }
        }
        let drop_in = manager.units().join(format!("{UNIT}.d"));
        fs::create_dir(&drop_in).unwrap();
        fs::write(drop_in.join("test.conf"), lines).unwrap();
        manager.systemctl(&["daemon-reload"]);
        Self { manager, site }
    }

    /// Waits until the unit is in this state.
    #[track_caller]
    fn is(&self, state: &str) {
        let end = Instant::now() + PATIENCE;
        let mut now = String::new();
        while Instant::now() < end {
            now = self.manager.systemctl(&["show", "-P", "ActiveState", UNIT]);
            if now == state {
                return;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        panic!("never {state}: {now}");
    }

    fn systemctl(&self, verb: &str) {
        self.manager.systemctl(&[verb, UNIT]);
    }

    fn show(&self, property: &str) -> String {
        self.manager.systemctl(&["show", "-P", property, UNIT])
    }

    /// Waits for another agent than this one.
    fn after(&self, agent: u64) -> Value {
        self.site.until("another agent, healthy", |status| status["state"] == "healthy" && agent_of(status) != agent)
    }
}

fn agent_of(status: &Value) -> u64 {
    status["agent"]["pid"].as_u64().unwrap_or(0)
}

fn sidecars(status: &Value) -> [u64; 4] {
    let pid = |block: &str, name: &str| status[block][name].as_u64().unwrap();
    [
        pid("gateway_process", "pid"),
        pid("gateway_process", "shim_pid"),
        pid("browserd_process", "pid"),
        pid("browserd_process", "shim_pid"),
    ]
}

#[test]
fn a_crash_keeps_the_sidecars_and_stop_and_restart_end_them() {
    let unit = Unit::new();
    unit.systemctl("start");
    let first = unit.site.healthy();
    assert_eq!(unit.show("MainPID"), agent_of(&first).to_string());

    kill(agent_of(&first), Signal::SIGKILL);
    let second = unit.after(agent_of(&first));
    assert_eq!(sidecars(&first), sidecars(&second), "a crash costs the sidecars nothing");
    unit.is("active");

    unit.systemctl("restart");
    let third = unit.after(agent_of(&second));
    assert!(!sidecars(&second).into_iter().any(lives), "a restart is a stop and a start");

    // the sidecars' own trouble is the agent's to mend, and none of the unit's
    kill(sidecars(&third)[1], Signal::SIGKILL);
    let fourth = unit.site.until("another gateway", |status| {
        status["state"] == "healthy" && status["gateway_process"]["pid"] != third["gateway_process"]["pid"]
    });
    assert_eq!(agent_of(&fourth), agent_of(&third));

    unit.systemctl("stop");
    unit.is("inactive");
    assert_eq!(unit.show("Result"), "success");
    let left: Vec<_> = sidecars(&fourth).into_iter().filter(|pid| lives(*pid)).collect();
    assert_eq!(left, [] as [u64; 0], "when systemctl returns, all of it has ended");
    unit.site.nothing_left();
}

#[test]
fn an_agent_that_leaves_on_purpose_is_not_started_again() {
    let unit = Unit::new();
    unit.systemctl("start");
    let first = unit.site.healthy();
    unit.site.ok(&["quit", "--keep-running"]);
    unit.is("inactive");
    // longer than the unit's pause before a restart
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(unit.site.status().is_none() && sidecars(&first).into_iter().all(lives));

    unit.systemctl("start");
    assert_eq!(sidecars(&unit.site.healthy()), sidecars(&first), "taken back");
    unit.site.ok(&["quit"]);
    unit.is("inactive");
    std::thread::sleep(Duration::from_millis(1_500));
    unit.site.nothing_left();
}
