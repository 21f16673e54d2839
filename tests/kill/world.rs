//! An agent with its sidecars, what is done to them, and what must hold afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use palyra_tray::core::time::Jitter;
use serde_json::Value;

use super::agent::{PATIENCE, Site, lives};
use super::older;
use super::witness::Witness;

/// Name, executable, role in the demo, block in the snapshot.
const SERVICES: [(&str, &str, &str, &str); 2] = [
    ("gateway", "palyrad", "gateway", "gateway_process"),
    ("browserd", "palyra-browserd", "browserd", "browserd_process"),
];
/// From the start of an agent until its snapshot is right, on a machine that has time for it.
const RETURN: Duration = Duration::from_secs(1);

/// Agents, shims, gateways and browser services when all is well.
const WHOLE: [usize; 4] = [1, 2, 1, 1];

pub struct World {
    site: Site,
    /// The sidecars are the real ones.
    real: bool,
    jitter: Jitter,
    begun: Instant,
    agents: Vec<Child>,
    clients: Vec<(String, Child)>,
    witnesses: BTreeMap<&'static str, Witness>,
    history: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
    longest_return: Duration,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut site = Site::new();
        let base = site.bin().parent().expect("a folder").to_owned();
        let scribes = base.join("scribes");
        fs::create_dir(&scribes).expect("made");
        nix::unistd::mkfifo(&base.join("never"), nix::sys::stat::Mode::S_IRWXU).expect("a fifo");
        fs::write(base.join("scribe"), SCRIBE).expect("written");
        let real = std::env::var_os("KILL_PALYRA").map(PathBuf::from);
        for (name, program, role, _) in SERVICES {
            let demo = format!("'{}' demo-sidecar {role}", base.join("newer").display());
            let sidecar = real.as_ref().map_or(demo, |folder| format!("'{}'", folder.join(program).display()));
            site.script(
                program,
                &format!(
                    "cd '{}'\nexec 9>>{name}.alone\nflock -n 9 || echo \"$PALYRA_TRAY_RUN_ID\" >>{name}.doubled\n\
                     [ ! -e stubborn ] || (setsid bash scribe stubborn &)\nbash scribe &\nexec {sidecar} \"$@\"",
                    base.display()
                ),
            );
        }
        older::install(&mut site);
        let witnesses =
            SERVICES.map(|(name, ..)| (name, Witness::new(site.own(&format!("logs/{name}.log")), &scribes)));
        Self {
            site,
            real: real.is_some(),
            // close seeds begin alike
            jitter: Jitter::new(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            begun: Instant::now(),
            agents: Vec::new(),
            clients: Vec::new(),
            witnesses: witnesses.into(),
            history: Vec::new(),
            counts: BTreeMap::new(),
            longest_return: Duration::ZERO,
        }
    }

    pub fn tally(&self) -> String {
        let lines: u64 = self.witnesses.values().map(|witness| witness.lines).sum();
        let runs: usize = self.witnesses.values().map(|witness| witness.runs.len()).sum();
        let lost = self.witnesses.values().flat_map(|witness| &witness.runs).filter(|run| run.lost).count();
        format!(
            "{:?}; {runs} runs, {lost} of them lost with their shim, {lines} lines; longest return {} ms",
            self.counts,
            self.longest_return.as_millis()
        )
    }

    pub fn round(&mut self, number: u64) {
        self.history.clear();
        self.note(&format!("round {number}"));
        let stubborn = self.base().join("stubborn");
        if self.one_in(6) {
            fs::write(&stubborn, "").expect("written");
        } else {
            let _ = fs::remove_file(&stubborn);
        }
        if number > 1 {
            for _ in 0..self.pick(1, 4) {
                let pause = self.pick(0, 250);
                std::thread::sleep(Duration::from_millis(pause));
                self.act();
            }
        }
        self.clients_end();
        self.agent_returns();
        self.settle();
        self.check();
    }

    /// `quit` leaves nothing.
    pub fn end(&mut self) {
        self.note("quit");
        self.site.ok(&["quit"]);
        self.site.nothing_left();
        for agent in &mut self.agents {
            agent.wait().expect("reaped");
        }
        self.read_logs();
        let long_ago = SystemTime::now() - Duration::from_secs(180);
        for (name, witness) in &self.witnesses {
            let last = witness.runs.last().expect("it ran");
            assert!(last.ended.as_ref().is_some_and(|end| end.ends_with("as asked")), "{name}: {last:?}");
        }
        // what a killed writer leaves is taken away by an agent that starts a minute later
        let old = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.modified().is_ok_and(|at| at < long_ago));
        let temporary = |path: &PathBuf| path.to_string_lossy().contains("/.palyra-tray-") && old(path);
        let litter: Vec<_> = files(&self.site.root()).into_iter().filter(temporary).collect();
        assert_eq!(litter, [] as [PathBuf; 0], "temporary files are left");
    }

    fn act(&mut self) {
        let (service, ..) = SERVICES[usize::try_from(self.pick(0, 1)).expect("small")];
        match self.pick(0, 19) {
            0..=3 => self.kill_agent(),
            4..=6 => self.signal(service, "shim", Signal::SIGKILL),
            7..=8 => self.signal(service, "sidecar", Signal::SIGKILL),
            9 => {
                let deadly = [Signal::SIGSEGV, Signal::SIGTERM, Signal::SIGABRT];
                let which = usize::try_from(self.pick(0, 2)).expect("small");
                self.signal(service, "sidecar", deadly[which]);
            }
            10 => {
                // all at once, in this order or the other
                let agent_first = self.one_in(2);
                if agent_first {
                    self.kill_agent();
                }
                for (service, ..) in SERVICES {
                    self.signal(service, "shim", Signal::SIGKILL);
                }
                if !agent_first {
                    self.kill_agent();
                }
            }
            11..=13 => self.freeze(service),
            14 => self.client(&["restart"]),
            15 => self.client(&["stop"]),
            16 => self.client(&["restart", service]),
            17 => self.client(&["quit", "--keep-running"]),
            18 => self.start_agent("another start"),
            _ => self.client(&["quit"]),
        }
    }

    fn kill_agent(&mut self) {
        let Some(agent) = self.living_agent() else { return };
        agent.kill().expect("killed");
        agent.wait().expect("reaped");
        self.count("agents killed");
        self.note("SIGKILL agent");
    }

    fn living_agent(&mut self) -> Option<&mut Child> {
        let at = self.agents.iter_mut().position(|agent| agent.try_wait().expect("wait").is_none())?;
        self.agents.get_mut(at)
    }

    /// One of ours, if it lives.
    fn find(&self, service: &str, role: &str) -> Option<u32> {
        let run = record(&self.site.own(&format!("run/{service}/run.json")))?;
        let pid = u32::try_from(run[role]["pid"].as_u64()?).ok()?;
        self.site.is_ours(pid).then_some(pid)
    }

    fn signal(&mut self, service: &'static str, role: &'static str, signal: Signal) {
        let Some(pid) = self.find(service, role) else { return };
        let _ = kill(pid_of(pid), signal);
        self.count(if role == "shim" { "shims killed" } else { "sidecars killed" });
        self.note(&format!("{signal} {service} {role} {pid}"));
    }

    /// Somebody sleeps for a while, and the others are acted on meanwhile.
    fn freeze(&mut self, service: &'static str) {
        let role = ["agent", "shim", "sidecar"][usize::try_from(self.pick(0, 2)).expect("small")];
        let agent = self.living_agent().map(|child| child.id());
        let Some(pid) = (if role == "agent" { agent } else { self.find(service, role) }) else { return };
        if kill(pid_of(pid), Signal::SIGSTOP).is_err() {
            return;
        }
        self.count("frozen");
        self.note(&format!("SIGSTOP {service} {role} {pid}"));
        let pause = self.pick(50, 600);
        std::thread::sleep(Duration::from_millis(pause / 2));
        match self.pick(0, 5) {
            0 => self.kill_agent(),
            1 => self.signal(service, "shim", Signal::SIGKILL),
            2 => self.signal(service, "sidecar", Signal::SIGKILL),
            3 => self.client(&["restart", service]),
            4 => self.start_agent("a start beside"),
            _ => {}
        }
        std::thread::sleep(Duration::from_millis(pause / 2));
        let _ = kill(pid_of(pid), Signal::SIGCONT);
        self.note(&format!("SIGCONT {pid}"));
    }

    /// A command that is under way while other things happen.
    fn client(&mut self, args: &[&str]) {
        let child = self.site.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a client");
        self.count("requests");
        self.note(&args.join(" "));
        self.clients.push((args.join(" "), child));
    }

    /// By the older or the newer program, which takes the other one's place on the disk first.
    fn start_agent(&mut self, why: &str) {
        let version = if self.one_in(3) { "older" } else { "newer" };
        if version == "older" {
            older::downgrade(&self.site)
        } else {
            older::upgrade(&self.site)
        }
        let mut command = self.site.command(&["run", "--no-tray", "--verbose"]);
        self.agents.push(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("an agent"));
        self.count("starts");
        self.note(&format!("{why}: {version} agent {}", self.agents.last().expect("just pushed").id()));
    }

    /// No client waits for something that never comes.
    fn clients_end(&mut self) {
        for (what, mut client) in std::mem::take(&mut self.clients) {
            let end = Instant::now() + PATIENCE;
            while client.try_wait().expect("wait").is_none() {
                self.demand(Instant::now() < end, || format!("`{what}` does not end"));
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// One agent lives on; if none did, one or two are started, and the snapshot is soon right.
    fn agent_returns(&mut self) {
        self.one_agent();
        if !self.agents.is_empty() {
            return;
        }
        let unharmed = SERVICES.map(|(name, ..)| (self.find(name, "shim"), self.find(name, "sidecar")));
        let begun = Instant::now();
        self.start_agent("return");
        if self.one_in(4) {
            self.start_agent("and at the same time");
        }
        let limit = RETURN.mul_f64(pressure());
        let mut last = Value::Null;
        loop {
            let before = self.living();
            let asked = Instant::now();
            let status = self.site.status();
            if asked.elapsed() > Duration::from_millis(300) {
                self.note(&format!("a status took {} ms", asked.elapsed().as_millis()));
            }
            let right = status.as_ref().is_some_and(|status| before == self.living() && told(status) == before);
            if right {
                break;
            }
            last = status.unwrap_or(last);
            self.demand(asked.duration_since(begun) < limit, || {
                format!(
                    "after {} ms it says {:?}, there is {before:?} ({unharmed:?} before)\n{last:#}",
                    begun.elapsed().as_millis(),
                    told(&last)
                )
            });
            std::thread::sleep(Duration::from_millis(10));
        }
        self.longest_return = self.longest_return.max(begun.elapsed());
        self.one_agent();
    }

    /// Ended agents are forgotten; none may have ended by itself in any other way than well, and one at most stays.
    fn one_agent(&mut self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let mut codes = Vec::new();
            self.agents.retain_mut(|agent| match agent.try_wait().expect("wait") {
                Some(status) => {
                    codes.push(status);
                    false
                }
                None => true,
            });
            for status in codes {
                let well = status.code() == Some(0) || status.signal() == Some(Signal::SIGKILL as i32);
                self.demand(well, || format!("an agent ended with {status}"));
            }
            if self.agents.len() <= 1 {
                return;
            }
            self.demand(Instant::now() < end, || "two agents stay".to_owned());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Everything is up again, by itself or after a person's `start` where it waits or has given up.
    fn settle(&mut self) {
        let end = Instant::now() + PATIENCE * 2;
        loop {
            let status = self.site.status().unwrap_or_default();
            if status.is_null() {
                // it ended a moment after it said so
                self.agent_returns();
                continue;
            }
            // a kill of a moment ago may not have been seen yet
            if status["state"] == "healthy" && self.living() == told(&status) && self.cast() == WHOLE {
                return;
            }
            let state = |block: &str| status[block]["state"].as_str().unwrap_or("").to_owned();
            for (_, _, _, block) in SERVICES {
                if matches!(state(block).as_str(), "backing_off" | "given_up") {
                    let why = &status[block]["last_exit"];
                    self.demand(why.is_string(), || format!("it does not say why: {status:#}"));
                }
            }
            if SERVICES
                .iter()
                .any(|(_, _, _, block)| matches!(state(block).as_str(), "backing_off" | "given_up" | "stopped"))
            {
                let output = self.site.cli(&["start"]);
                self.note(&format!("start: {}", String::from_utf8_lossy(&output.stderr).trim()));
            }
            self.demand(Instant::now() < end, || {
                format!("it does not come up: {:?} of {WHOLE:?}\n{:#?}\n{status:#}", self.cast(), self.site.processes())
            });
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn check(&mut self) {
        for (name, ..) in SERVICES {
            let doubled = fs::read_to_string(self.base().join(format!("{name}.doubled"))).unwrap_or_default();
            self.demand(doubled.is_empty(), || format!("{name} was started beside itself: {doubled}"));
        }
        // the real sidecars write some files of theirs in place
        let ours = if self.real { self.site.own("") } else { self.site.root() };
        for path in files(&ours) {
            self.demand(is_whole(&path), || format!("{} is torn", path.display()));
        }
        self.read_logs();
        let status = self.site.status().expect("it answers");
        for (name, _, _, block) in SERVICES {
            let wrong = wrong_end(&status, &status[block], &self.witnesses[name]);
            self.demand(wrong.is_none(), || format!("{name}: {}\n{:#}", wrong.unwrap_or_default(), status[block]));
        }
    }

    fn read_logs(&mut self) {
        for (name, ..) in SERVICES {
            let read = self.witnesses.get_mut(name).expect("all have one").read();
            self.demand(read.is_ok(), || read.unwrap_err());
        }
    }

    /// How many agents, shims, gateways and browser services live.
    fn cast(&self) -> [usize; 4] {
        let lines: Vec<String> = self.site.processes().into_iter().map(|(_, line)| line).collect();
        let count = |part: &[&str]| lines.iter().filter(|line| part.iter().any(|part| line.contains(part))).count();
        [
            count(&["palyra-tray run "]),
            count(&["palyra-tray shim "]),
            count(&["demo-sidecar gateway", "/palyrad --bind"]) - count(&["bin/palyrad --bind"]),
            count(&["demo-sidecar browserd", "/palyra-browserd --bind"]) - count(&["bin/palyra-browserd --bind"]),
        ]
    }

    /// The sidecars of living shims, as the disk and the kernel tell.
    fn living(&self) -> [Option<u64>; 2] {
        SERVICES.map(|(name, ..)| {
            self.find(name, "shim")?;
            let run = record(&self.site.own(&format!("run/{name}/run.json")))?;
            run["sidecar"]["pid"].as_u64()
        })
    }

    fn base(&self) -> PathBuf {
        self.site.bin().parent().expect("a folder").to_owned()
    }

    fn pick(&mut self, low: u64, high: u64) -> u64 {
        self.jitter.between(low, high)
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.pick(1, many) == 1
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn note(&mut self, what: &str) {
        self.history.push(format!("{:>9.3} {what}", self.begun.elapsed().as_secs_f64()));
    }

    #[track_caller]
    fn demand(&self, holds: bool, finding: impl FnOnce() -> String) {
        if holds {
            return;
        }
        let tail = |name: &str| {
            let text = fs::read_to_string(self.site.own(&format!("logs/{name}.log"))).unwrap_or_default();
            let lines: Vec<&str> = text.lines().filter(|line| !line.contains(" scribe ")).collect();
            format!("--- {name}.log\n{}\n", lines[lines.len().saturating_sub(40)..].join("\n"))
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        panic!(
            "{}\n--- done, now {:.3} ({now})\n{}\n{}{}{}",
            finding(),
            self.begun.elapsed().as_secs_f64(),
            self.history.join("\n"),
            tail("tray"),
            tail("gateway"),
            tail("browserd")
        );
    }
}

/// Writes numbered lines, each noted once it is written; outlives its standard output.
const SCRIBE: &str = r#"
trap '' PIPE
if [ "$1" = stubborn ]; then trap '' TERM INT HUP; else exec 4>>"scribes/$PALYRA_TRAY_RUN_ID"; fi
exec 3<>never
n=0
while :; do
    if [ "$1" != stubborn ] && echo "scribe $PALYRA_TRAY_RUN_ID $n ." 2>/dev/null; then echo $n >&4; n=$((n + 1)); fi
    read -r -t 0.02 -u 3
done
"#;

/// How much longer things take than on a machine with nothing else to do.
fn pressure() -> f64 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(1.0);
    #[expect(clippy::cast_precision_loss, reason = "a few cores")]
    let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    (load / cores).max(1.0)
}

fn told(status: &Value) -> [Option<u64>; 2] {
    SERVICES.map(|(_, _, _, block)| status[block]["pid"].as_u64())
}

/// What the snapshot says of the last end, if it is not what the log says.
fn wrong_end(status: &Value, block: &Value, witness: &Witness) -> Option<String> {
    let [.., before, current] = &witness.runs[..] else { return None };
    let said = block["last_exit"].as_str().unwrap_or("nothing");
    let launched = current.id.split('-').nth(1).and_then(|at| i64::from_str_radix(at, 16).ok());
    if launched < status["agent"]["started_at_unix_ms"].as_i64() {
        // an earlier agent's, taken back
        return None;
    }
    let asked = ["was stopped", "and was ended"];
    let (how, expected) = match &before.ended {
        // also one that has said how: killed before it could record it
        _ if before.lost => ("nobody saw it", [&["nobody saw how"][..], &asked].concat()),
        None => ("nobody saw it", vec!["nobody saw how"]),
        Some(end) if end.ends_with("as asked") => (end.as_str(), asked.to_vec()),
        Some(end) => (end.as_str(), vec![end.split_once(": ").expect("how").1.trim_start_matches("exit ")]),
    };
    let right = expected.iter().any(|words| said.contains(words));
    (!right).then(|| format!("last exit is {said:?}, the log says {how:?} of {}", before.id))
}

fn record(path: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn is_whole(path: &Path) -> bool {
    let Ok(text) = fs::read(path) else { return true };
    let parses = |text: &[u8]| serde_json::from_slice::<Value>(text).is_ok();
    match path.extension().and_then(|end| end.to_str()) {
        Some("json") => parses(&text),
        Some("jsonl") => {
            text.is_empty() || text.ends_with(b"\n") && text.trim_ascii().split(|byte| *byte == b'\n').all(parses)
        }
        _ => !path.to_string_lossy().contains(".corrupt-"),
    }
}

fn files(root: &Path) -> Vec<PathBuf> {
    let mut todo = vec![root.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                todo.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found
}

fn pid_of(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("a pid"))
}

impl Drop for World {
    fn drop(&mut self) {
        for agent in self.agents.iter_mut().chain(self.clients.iter_mut().map(|(_, client)| client)) {
            let _ = agent.kill();
            let _ = agent.wait();
        }
        for pid in self.site.processes().into_iter().map(|(pid, _)| pid).filter(|pid| lives(u64::from(*pid))) {
            let _ = kill(pid_of(pid), Signal::SIGCONT);
        }
    }
}
