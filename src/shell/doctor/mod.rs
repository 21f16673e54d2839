//! Gathers what the checks decide by: looks, changes nothing, takes no lock, and waits for nothing for long.
//!
//! Every part is looked at in a thread of its own and has until [`LIMIT`]; what is not there by then is not known, with that
//! reason. A thread that hangs (a dead network disk, a bus that is stuck) is left behind: the process is short-lived.
//!
//! The gateway of a remote profile is another machine: it has longer, see [`remote`].
//!
//! Limits: whether a folder can be written is asked of the system, not tried, so a quota that is used up is not seen. Off
//! Linux, holders of ports and locks are not known, and on Windows space is not.

#[cfg(target_os = "linux")]
mod bus;
mod desktop;
mod disk;
#[cfg(target_os = "linux")]
mod network;
mod palyra;
mod programs;
mod remote;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::config::settings::Settings;
use crate::config::{ConfigError, Environment, Paths};
use crate::core::doctor;
use crate::core::doctor::facts::{Agent, Fact, Facts, Ground, Login, Network, System};
use crate::core::onboarding::Finding;
use crate::protocol::setup::SetupFacts;
use crate::words;

/// All looks together take no longer.
pub const LIMIT: Duration = Duration::from_millis(1_300);

/// What others find out: those who may ask the agent, and those who know how start on login is done.
pub struct Given {
    /// What the agent says of itself.
    pub agent: Agent,
    /// What it says for the set-up.
    pub setup: Option<SetupFacts>,
    /// Looks whether it starts on login; waited for no longer than anything else.
    pub login: Option<LookAtLogin>,
}

/// Looks whether it starts on login.
pub type LookAtLogin = Box<dyn FnOnce() -> Fact<Login> + Send>;

/// What is wrong with this machine, as the set-up shows it; the running agent is not asked, it has its own steps there.
pub fn findings_for_set_up(env: &Environment, paths: &Paths) -> Vec<Finding> {
    let given = Given { agent: Agent::Absent, setup: None, login: None };
    doctor::findings(&doctor::checks(&gather(env, Ok(paths), given)))
}

/// Looks at everything.
pub fn gather(env: &Environment, paths: Result<&Paths, &ConfigError>, given: Given) -> Facts {
    let looks = Looks { until: Instant::now() + LIMIT };
    let desktop = desktop::begin(looks, env);
    let agent_pid = given.agent.pid();
    let login = given.login.map(|look| looks.begin(words::checks::LOOK_AT_START_ON_LOGIN, look));
    let network = begin_network(looks);
    let open_files = looks.begin(words::checks::LOOK_AT_LIMIT_OF_OPEN_FILES, move || desktop::open_files(agent_pid));
    let remote = paths.ok().filter(|paths| paths.profile.remote).map(remote::begin);
    let ground = match paths {
        Ok(paths) => {
            // where the person had the data put
            let mut paths = paths.clone();
            paths.follow(&Settings::read(&paths.settings()).0);
            Ok(ground(looks, env, &paths, &given.agent))
        }
        Err(error) => Err(error.to_string()),
    };
    Facts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now_unix_ms: now_unix_ms(),
        system: if cfg!(windows) {
            System::Windows
        } else if cfg!(target_os = "macos") {
            System::MacOs
        } else {
            System::Linux
        },
        agent: given.agent,
        setup: given.setup,
        login: login.map(Pending::get),
        ground,
        remote: remote.map(|look| look()),
        desktop: desktop(),
        network: network.map(Pending::get),
        open_files: open_files.get(),
    }
}

fn ground(looks: Looks, env: &Environment, paths: &Paths, agent: &Agent) -> Ground {
    let lock = looks.with(paths, words::checks::LOOK_AT_WHO_HOLDS_LOCK, palyra::lock);
    let earlier_app =
        looks.with(paths, words::checks::LOOK_AT_EARLIER_DESKTOP_APP, |paths| Ok(palyra::earlier_app(paths)));
    let ours = palyra::ours(paths, agent);
    let foreign = looks.here(paths, words::checks::LOOK_AT_OTHER_PROCESSES, move |paths| palyra::foreign(paths, &ours));
    let of_ports = palyra::ports(paths, agent);
    let ports = looks.here(paths, words::checks::LOOK_AT_PORTS, |_| of_ports());
    let folders = looks.with(paths, words::checks::LOOK_AT_FOLDERS, |paths| Ok(disk::folders(paths)));
    let files = looks.with(paths, words::checks::LOOK_AT_OWN_FILES, disk::own_files);
    let space = looks.with(paths, words::checks::LOOK_AT_SPACE_ON_DISK, |paths| disk::space(&paths.state_root));
    let journal = looks.here(paths, words::checks::LOOK_AT_WATCHING_FILES, |paths| disk::journal(&paths.runtime_root));
    let settings = looks.with(paths, words::checks::LOOK_AT_PREFERENCES, |paths| Ok(palyra::settings(paths)));
    let config = looks.here(paths, words::checks::LOOK_AT_CONFIG, |paths| Ok(palyra::config(paths)));
    let vault = looks.here(paths, words::checks::LOOK_AT_VAULT, palyra::vault_backend);
    let of_programs = programs::look(looks, env, paths, agent);
    let programs = looks.here(paths, words::common::PALYRAS_PROGRAMS, |_| of_programs());
    let socket = looks.with(paths, words::checks::LOOK_AT_SOCKET, |paths| Ok(disk::socket(&paths.socket)));
    Ground {
        state_root: paths.state_root.clone(),
        settings_file: paths.settings(),
        lock: lock.get(),
        earlier_app: earlier_app.get(),
        foreign: foreign.get(),
        folders: folders.get(),
        files: files.get(),
        space: space.get(),
        socket: socket.get(),
        settings: settings.get(),
        programs: programs.get(),
        config: config.get(),
        ports: ports.get(),
        vault_backend: vault.get(),
        journal: journal.get(),
        keyring_off: env.get("PALYRA_TRAY_KEYRING").is_some_and(|value| value == "off"),
    }
}

#[cfg(target_os = "linux")]
fn begin_network(looks: Looks) -> Option<Pending<Network>> {
    Some(looks.begin(words::checks::LOOK_AT_NETWORK, network::look))
}

#[cfg(not(target_os = "linux"))]
fn begin_network(_looks: Looks) -> Option<Pending<Network>> {
    None
}

fn now_unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Looks that share one end.
#[derive(Clone, Copy)]
struct Looks {
    until: Instant,
}

impl Looks {
    /// Begins a look in a thread of its own.
    fn begin<T: Send + 'static>(
        self,
        what: &'static str,
        look: impl FnOnce() -> Fact<T> + Send + 'static,
    ) -> Pending<T> {
        let (sender, answer) = mpsc::channel();
        let started = thread::Builder::new().name("look".to_owned()).spawn(move || {
            let _ = sender.send(look());
        });
        // without a thread the sender is gone, and so is the answer
        drop(started);
        Pending { what, until: self.until, answer }
    }

    /// The same, for a look that needs to know where things are.
    fn with<T: Send + 'static>(
        self,
        paths: &Paths,
        what: &'static str,
        look: impl FnOnce(&Paths) -> Fact<T> + Send + 'static,
    ) -> Pending<T> {
        let paths = paths.clone();
        self.begin(what, move || look(&paths))
    }

    /// The same, for what is not here in a remote profile, and is not looked at then.
    fn here<T: Send + 'static>(
        self,
        paths: &Paths,
        what: &'static str,
        look: impl FnOnce(&Paths) -> Fact<T> + Send + 'static,
    ) -> Pending<T> {
        if paths.profile.remote {
            return self.begin(what, || Err(words::remote::NOTHING_OF_IT_RUNS_HERE.to_owned()));
        }
        self.with(paths, what, look)
    }
}

/// A look that was begun.
struct Pending<T> {
    what: &'static str,
    until: Instant,
    answer: Receiver<Fact<T>>,
}

impl<T> Pending<T> {
    /// Its answer, or that there was none in time.
    fn get(self) -> Fact<T> {
        let left = self.until.saturating_duration_since(Instant::now());
        match self.answer.recv_timeout(left) {
            Ok(fact) => fact,
            Err(RecvTimeoutError::Timeout) => Err(words::checks::looking_at_took_too_long(self.what)),
            Err(RecvTimeoutError::Disconnected) => Err(words::checks::could_not_be_looked(self.what)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_set_up_is_told_of_this_machine_and_not_of_its_own_steps() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("file");
        std::fs::write(&root, "").unwrap();
        let env = Environment::of(&[("PALYRA_STATE_ROOT", &root)], Path::new("/x/palyra-tray"));
        let found = findings_for_set_up(&env, &Paths::find(&env).unwrap());
        let worst = found.first().unwrap();
        assert_eq!(worst.title, "Data folder", "{found:?}");
        assert!(worst.evidence.contains("is not a folder") && !worst.remedy.is_empty(), "{worst:?}");
        // neither an agent nor programs nor a provider are here, and none of it is said
        let own = ["Agent", "Gateway program", "Chats", "Model provider", "Browser program"];
        assert!(found.iter().all(|finding| !own.contains(&finding.title.as_str())), "{found:?}");
        assert!(Path::new(&root).is_file() && std::fs::read_dir(dir.path()).unwrap().count() == 1);
    }

    #[test]
    fn a_look_that_hangs_is_not_waited_for() {
        let looks = Looks { until: Instant::now() + Duration::from_millis(50) };
        let (_hold, never) = mpsc::channel::<()>();
        let slow = looks.begin("a dead disk", move || never.recv().map_err(|error| error.to_string()));
        let quick = looks.begin("a good one", || Ok(7));
        assert_eq!(slow.get(), Err("looking at a dead disk took too long".to_owned()));
        assert_eq!(quick.get(), Ok(7));
    }
}
