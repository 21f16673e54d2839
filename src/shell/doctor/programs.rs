//! Where Palyra's programs are, and whether they can be started: each is run once with `--help`, which ends it at once and
//! touches nothing. A script may do anything with that word, and a program that runs already has proven itself; neither
//! is tried.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Looks;
use crate::config::programs::architecture::{self, Architecture};
use crate::config::programs::{candidates, find_binary};
use crate::config::settings::Settings;
use crate::config::{Environment, Paths};
use crate::core::doctor::facts::{Agent, Fact, Program, Programs, Trial};
use crate::protocol::ServiceId;
use crate::protocol::shim::RUN_ID_VARIABLE;
use crate::words;

/// Of what a program says when it fails, bytes.
const WORDS: u64 = 2_048;
/// Between two looks whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);
/// Left for the others when programs do not end.
const RESERVE: Duration = Duration::from_millis(200);

/// Looks for all of them.
pub(super) fn look(
    looks: Looks,
    env: &Environment,
    paths: &Paths,
    agent: &Agent,
) -> impl FnOnce() -> Fact<Programs> + Send + 'static {
    let (env, paths) = (env.clone(), paths.clone());
    let running: Vec<String> = ["gateway_process", "browserd_process", "node_host_process"]
        .iter()
        .filter_map(|process| agent.snapshot()?.get(process)?.get("program")?.as_str().map(str::to_owned))
        .collect();
    move || {
        let (settings, _) = Settings::read(&paths.settings());
        let find = |service| find_binary(&env, service, settings.folder.as_deref()).map_err(|error| error.0);
        let paths = ServiceId::ALL.map(|service| (service, find(service)));
        let until = looks.until.checked_sub(RESERVE).unwrap_or(looks.until);
        let trials: Vec<_> = paths
            .into_iter()
            .map(|(service, path)| {
                let found = path.map(|path| {
                    let trial = if running.iter().any(|running| Path::new(running) == path) {
                        None
                    } else {
                        let program = path.clone();
                        Some(Looks { until }.begin(words::checks::WHETHER_IT_RUNS, move || try_out(&program, until)))
                    };
                    (path, trial)
                });
                (service, found)
            })
            .collect();
        let gateway = trials.iter().find_map(|(service, found)| {
            (*service == ServiceId::Gateway).then(|| found.as_ref().ok().map(|(path, _)| path.clone())).flatten()
        });
        Ok(Programs {
            dashboard: gateway.as_ref().and_then(|gateway| Some(has_dashboard(gateway.parent()?))),
            candidates: if gateway.is_none() { candidates(&env) } else { Vec::new() },
            found: trials
                .into_iter()
                .map(|(service, found)| {
                    let program = |(path, trial): (_, Option<super::Pending<Trial>>)| Program {
                        path,
                        trial: trial.map_or(Ok(Trial::RunsNow), super::Pending::get),
                    };
                    (service, found.map(program))
                })
                .collect(),
        })
    }
}

/// Beside the program, or where a source tree builds it.
fn has_dashboard(folder: &Path) -> bool {
    folder.join("web/index.html").is_file()
        || folder.ancestors().any(|ancestor| ancestor.join("apps/web/dist/index.html").is_file())
}

fn try_out(program: &Path, until: Instant) -> Fact<Trial> {
    match architecture::of(program) {
        Ok(Architecture::Machine { .. }) => {}
        Ok(_) => return Ok(Trial::Script),
        Err(error) => return Err(error.to_string()),
    }
    let mut command = Command::new(program);
    command.arg("--help").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    // nobody is to take it for a Palyra on a state root, or for a survivor of a run
    for variable in ["PALYRA_STATE_ROOT", "PALYRA_CONFIG", RUN_ID_VARIABLE] {
        command.env_remove(variable);
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Trial::Fails(error.to_string())),
    };
    let words = child.stderr.take().map(|stderr| {
        thread::spawn(move || {
            let mut words = Vec::new();
            let _ = stderr.take(WORDS).read_to_end(&mut words);
            words
        })
    });
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => thread::sleep(PAUSE),
            outcome => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(match outcome {
                    Err(error) => error.to_string(),
                    _ => words::checks::IT_DID_NOT_END_IN_TIME.to_owned(),
                });
            }
        }
    };
    if status.success() {
        return Ok(Trial::Runs);
    }
    let words = words.and_then(|words| words.join().ok()).unwrap_or_default();
    let line = String::from_utf8_lossy(&words).lines().next().unwrap_or_default().trim().to_owned();
    Ok(Trial::Fails(if line.is_empty() { status.to_string() } else { line }))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[test]
    fn a_program_is_tried_and_a_script_is_not() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(try_out(Path::new("/bin/ls"), soon()), Ok(Trial::Runs));
        let Ok(Trial::Fails(why)) = try_out(Path::new("/bin/false"), soon()) else { panic!() };
        assert!(why.contains('1'), "{why}");
        let script = dir.path().join("palyrad");
        let touched = dir.path().join("touched");
        std::fs::write(&script, format!("#!/bin/sh\ntouch '{}'\n", touched.display())).unwrap();
        std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(try_out(&script, soon()), Ok(Trial::Script));
        assert!(!touched.exists());
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("palyrad");
        std::fs::write(&program, elf_that_pauses()).unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let why = try_out(&program, Instant::now() + Duration::from_millis(100)).unwrap_err();
        assert!(why.contains("did not end"), "{why}");
        let lives = std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .any(|entry| std::fs::read_link(entry.path().join("exe")).is_ok_and(|executable| executable == program));
        assert!(!lives);
    }

    /// The smallest program: it waits for a signal, for ever.
    #[cfg(target_arch = "x86_64")]
    fn elf_that_pauses() -> Vec<u8> {
        const BASE: u64 = 0x40_0000;
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        for half in [2_u16, 62] {
            file.extend(half.to_le_bytes());
        }
        file.extend(1_u32.to_le_bytes());
        // entry, program headers, no section headers
        file.extend([BASE + 120, 64, 0].iter().flat_map(|word: &u64| word.to_le_bytes()));
        file.extend(0_u32.to_le_bytes());
        for half in [64_u16, 56, 1, 0, 0, 0] {
            file.extend(half.to_le_bytes());
        }
        // one segment, readable and executable
        file.extend([1_u32, 5].iter().flat_map(|word| word.to_le_bytes()));
        file.extend([0, BASE, BASE, 129, 129, 0x1000].iter().flat_map(|word: &u64| word.to_le_bytes()));
        // mov eax, 34 (pause); syscall; jmp to the start
        file.extend(b"\xb8\x22\x00\x00\x00\x0f\x05\xeb\xf7");
        file
    }
}
