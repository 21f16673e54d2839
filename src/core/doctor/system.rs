//! Checks of what the system allows: watching files, open files, the network, the clock.

use super::facts::{Facts, Network, OpenFiles, Refused, Watch};
use super::{About, Check};

use crate::words;

const JOURNAL: About = About("journal_watch", words::checks::WATCHING_JOURNAL);
const OPEN_FILES: About = About("open_files", words::checks::OPEN_FILES);
const NETWORK: About = About("network", words::checks::NETWORK);
const CLOCK: About = About("clock", words::checks::CLOCK);

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
        None => NETWORK.skipped(words::checks::IS_NOT_LOOKED),
        Some(network) => NETWORK.of(network, |about, network| self::network(about, *network)),
    });
    checks.push(clock(facts));
    checks
}

fn watch(about: About, watch: &Watch) -> Check {
    let limits = match watch.limits {
        Some((watches, instances)) => words::checks::limits_watches_watchers(watches, instances),
        None => String::new(),
    };
    let raise = |name: &str, to: u32| words::checks::raise_limit_echo_fs(name, to);
    let slower = words::checks::SO_APPROVALS_ARE_READ_BY_CLOCK;
    match &watch.refused {
        None => about.ok(words::checks::can_be_watched(watch.folder.display(), &limits)),
        Some(Refused::Watches) => {
            about.warning(words::checks::all_watches_of_this_user(slower, &limits), raise("max_user_watches", 524_288))
        }
        Some(Refused::Instances) => {
            about.warning(words::checks::all_watchers_of_this_user(slower, &limits), raise("max_user_instances", 1_024))
        }
        Some(Refused::Other(why)) => about.warning(
            words::checks::cannot_be_watched(watch.folder.display(), why, slower),
            words::checks::MEND_PERMISSIONS_OF_THAT_FOLDER,
        ),
    }
}

fn open_files(about: About, files: OpenFiles) -> Check {
    let whose = if files.of_agent { words::checks::AGENT } else { words::checks::PROGRAM_STARTED_FROM_HERE };
    let open = files.open.map(words::checks::open_now).unwrap_or_default();
    let Some(limit) = files.limit else { return about.ok(words::checks::no_limit(whose, &open)) };
    let evidence = words::checks::at_most(whose, &open, limit);
    // nearly all taken, whatever the limit
    let scarce = files.open.is_some_and(|open| open.saturating_mul(10) >= limit.saturating_mul(9));
    if scarce {
        about.problem(evidence, words::checks::RESTART_AGENT_QUIT_KEEP_RUNNING)
    } else if limit < FEW_OPEN_FILES {
        about.warning(evidence, words::checks::RAISE_IT_BEFORE_AGENT_STARTS)
    } else {
        about.ok(evidence)
    }
}

fn network(about: About, network: Network) -> Check {
    let so = words::checks::SO_MODEL_PROVIDERS;
    match network {
        Network { route: false, .. } => {
            about.warning(words::checks::this_computer_is_not_connected_there(so), words::checks::CONNECT_IT_TO_NETWORK)
        }
        Network { name_server: false, .. } => about.warning(
            words::checks::etc_resolv_conf_names_no_server(so),
            words::checks::CONNECT_AGAIN_OR_WRITE_LINE_SUCH,
        ),
        _ => about.ok(words::checks::IS_SET_UP),
    }
}

fn clock(facts: &Facts) -> Check {
    let now = facts.now_unix_ms;
    let year = 1970 + now.div_euclid(31_556_952_000);
    let newest = facts.ground.as_ref().ok().and_then(|ground| ground.files.as_ref().ok()?.newest_unix_ms);
    let remedy = words::checks::SET_IT_FOR_EXAMPLE;
    if !(EARLIEST_MS..LATEST_MS).contains(&now) {
        CLOCK.problem(words::checks::says_that_it_is_year(year), remedy)
    } else if newest.is_some_and(|newest| newest.saturating_sub(now) > AHEAD_MS) {
        CLOCK.problem(words::checks::IS_BEHIND_FILES_THAT_PALYRA_WROTE, remedy)
    } else {
        CLOCK.ok(words::checks::says(year))
    }
}
