//! Checks of what the system allows: watching files, open files, the network, the clock.

use super::facts::{Facts, Network, OpenFiles, Refused, Watch};
use super::{About, Check};

const JOURNAL: About = About("journal_watch", "Watching the journal");
const OPEN_FILES: About = About("open_files", "Open files");
const NETWORK: About = About("network", "Network");
const CLOCK: About = About("clock", "Clock");

/// With fewer an agent with many clients runs into the limit.
const FEW_OPEN_FILES: u64 = 256;
/// 2025-01-01: before this program was.
const EARLIEST_MS: i64 = 1_735_689_600_000;
/// 2100-01-01.
const LATEST_MS: i64 = 4_102_444_800_000;
/// Files may be as much newer than the clock: other machines, summer time of bad firmware.
const AHEAD_MS: i64 = 26 * 3_600_000;

/// All of them.
pub(super) fn checks(facts: &Facts) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Ok(ground) = &facts.ground {
        checks.push(JOURNAL.of(&ground.journal, watch));
    }
    checks.push(OPEN_FILES.of(&facts.open_files, |about, files| open_files(about, *files)));
    checks.push(match &facts.network {
        None => NETWORK.skipped("is not looked at on this system"),
        Some(network) => NETWORK.of(network, |about, network| self::network(about, *network)),
    });
    checks.push(clock(facts));
    checks
}

fn watch(about: About, watch: &Watch) -> Check {
    let limits = match watch.limits {
        Some((watches, instances)) => format!(" (limits: {watches} watches, {instances} watchers)"),
        None => String::new(),
    };
    let raise = |name: &str, to: u32| {
        format!(
            "Raise the limit: echo fs.inotify.{name}={to} | sudo tee /etc/sysctl.d/60-inotify.conf && sudo sysctl --system"
        )
    };
    let slower = "so approvals are read by the clock and can be some seconds late";
    match &watch.refused {
        None => about.ok(format!("{} can be watched{limits}", watch.folder.display())),
        Some(Refused::Watches) => about.warning(
            format!("all watches of this user are taken, {slower}{limits}"),
            raise("max_user_watches", 524_288),
        ),
        Some(Refused::Instances) => about.warning(
            format!("all watchers of this user are taken, {slower}{limits}"),
            raise("max_user_instances", 1_024),
        ),
        Some(Refused::Other(why)) => about.warning(
            format!("{} cannot be watched ({why}), {slower}", watch.folder.display()),
            "Mend the permissions of that folder",
        ),
    }
}

fn open_files(about: About, files: OpenFiles) -> Check {
    let whose = if files.of_agent { "the agent" } else { "a program started from here" };
    let open = files.open.map(|open| format!("{open} open now, ")).unwrap_or_default();
    let Some(limit) = files.limit else { return about.ok(format!("{whose}: {open}no limit")) };
    let evidence = format!("{whose}: {open}at most {limit}");
    // nearly all taken, whatever the limit
    let scarce = files.open.is_some_and(|open| open.saturating_mul(10) >= limit.saturating_mul(9));
    if scarce {
        about.problem(evidence, "Restart the agent: palyra-tray quit --keep-running, then: palyra-tray run")
    } else if limit < FEW_OPEN_FILES {
        about.warning(evidence, "Raise it before the agent starts: ulimit -n 1024, or LimitNOFILE= in the systemd unit")
    } else {
        about.ok(evidence)
    }
}

fn network(about: About, network: Network) -> Check {
    let so = "so model providers, sign-in and Discord cannot be reached";
    match network {
        Network { route: false, .. } => about.warning(
            format!("this computer is not connected (there is no default route), {so}"),
            "Connect it to a network. A model on this computer works without",
        ),
        Network { name_server: false, .. } => about.warning(
            format!("/etc/resolv.conf names no server to ask for names, {so}"),
            "Connect again, or write a line such as: nameserver 9.9.9.9 into /etc/resolv.conf",
        ),
        _ => about.ok("is set up; nobody was contacted to try it"),
    }
}

fn clock(facts: &Facts) -> Check {
    let now = facts.now_unix_ms;
    let year = 1970 + now.div_euclid(31_556_952_000);
    let newest = facts.ground.as_ref().ok().and_then(|ground| ground.files.as_ref().ok()?.newest_unix_ms);
    let remedy = "Set it, for example with: sudo timedatectl set-ntp true";
    if !(EARLIEST_MS..LATEST_MS).contains(&now) {
        CLOCK.problem(
            format!("says that it is the year {year}; approvals and certificates would count as expired"),
            remedy,
        )
    } else if newest.is_some_and(|newest| newest.saturating_sub(now) > AHEAD_MS) {
        CLOCK.problem("is behind files that Palyra wrote; approvals would be timed wrongly", remedy)
    } else {
        CLOCK.ok(format!("says {year}"))
    }
}
