//! The checks of a remote profile: the gateway on another machine in place of what would be here.

use super::facts::Remote;
use super::{About, Check, Facts, Verdict};
use crate::core::remote::TroubleKind;
use crate::words::{self, remote as told};

const CONFIG: About = About("config", words::common::CONFIG);
const NETWORK: About = About("network", words::checks::NETWORK);
const GATEWAY: About = About("gateway", words::common::GATEWAY);

/// What is of no use where nothing runs.
const NOT_HERE: &[&str] = &[
    "other_palyra",
    "gateway_program",
    "browser_program",
    "node_program",
    "dashboard_files",
    "run_loop",
    "ports",
    "browser",
    "node_host",
    "node_certificate",
    "logs",
    "approvals",
    "provider",
    "secrets",
    "vault",
    "journal_watch",
];

/// Puts its own checks in their places, and leaves out the others.
pub(super) fn judge(facts: &Facts, checks: &mut [Check]) {
    let Some(remote) = &facts.remote else { return };
    for check in checks {
        match check.id {
            "config" => *check = config(remote),
            "gateway" => *check = gateway(remote),
            "network" if check.verdict == Verdict::Warning => *check = network(remote),
            id if NOT_HERE.contains(&id) => {
                *check = About(check.id, check.title).skipped(told::NOTHING_OF_IT_RUNS_HERE)
            }
            _ => {}
        }
    }
}

fn config(remote: &Remote) -> Check {
    let file = remote.config.display();
    CONFIG.of(&remote.looked, |about, looked| match (&looked.target, &looked.outcome) {
        (Some(target), _) => {
            let named = told::config_names(&file, &target.base_url);
            match target.pin {
                Some(_) => about.ok(named),
                None => about.warning(told::no_certificate_pinned(named), told::PIN_ITS_CERTIFICATE),
            }
        }
        (None, outcome) => {
            let why = outcome.as_ref().err().map(|trouble| trouble.why.as_str()).unwrap_or_default();
            about.problem(why, told::correct_config(&file))
        }
    })
}

fn gateway(remote: &Remote) -> Check {
    GATEWAY.of(&remote.looked, |about, looked| {
        let host = looked.target.as_ref().map_or(told::REMOTE_GATEWAY, |target| target.host.as_str());
        let trouble = match &looked.outcome {
            Ok(facts) => return about.ok(told::shows_certificate_and_answers(host, &facts.version)),
            Err(trouble) => trouble,
        };
        let evidence = told::host_because(host, &trouble.why);
        match trouble.kind {
            TroubleKind::Config => about.skipped(words::checks::palyra::CONFIG_CANNOT_BE_READ),
            TroubleKind::Unpinned => about.unknown(evidence),
            TroubleKind::Distrusted => about.problem(evidence, told::ASK_WHO_RUNS_IT),
            TroubleKind::Unreachable => about.problem(evidence, told::SEE_NETWORK_AND_ADDRESS),
        }
    })
}

/// No way to everywhere, or nobody who knows names: that matters if it does not lead there either.
fn network(remote: &Remote) -> Check {
    NETWORK.of(&remote.looked, |about, looked| match &looked.outcome {
        Ok(_) => about.ok(told::LEADS_THERE),
        Err(_) => about.warning(told::IS_NOT_CONNECTED, told::CONNECT_IT),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{Ok as Fine, Problem, Skipped, Unknown, Warning};
    use super::super::tests::expect;
    use super::*;
    use crate::config::remote::{Pin, Target};
    use crate::core::doctor::facts::Network;
    use crate::core::event::Facts as Answer;
    use crate::core::remote::{Looked, Trouble};

    /// Makes it a remote profile.
    fn elsewhere(pinned: bool, outcome: Result<&str, (TroubleKind, &str)>) -> impl FnOnce(&mut Facts) {
        let outcome = match outcome {
            Ok(version) => Ok(Answer { version: version.to_owned(), ..Answer::default() }),
            Err((kind, why)) => Err(Trouble::new(kind, why)),
        };
        let host = "palyra.example".to_owned();
        let target = Target { base_url: format!("https://{host}/"), host, pin: pinned.then_some(Pin::Server([7; 32])) };
        let named = outcome.as_ref().err().is_none_or(|trouble| trouble.kind != TroubleKind::Config);
        let looked = Ok(Looked { round: 0, target: named.then_some(target), outcome });
        move |facts| facts.remote = Some(Remote { config: "/home/x/far.toml".into(), looked })
    }

    #[test]
    fn the_one_elsewhere_is_judged_and_nothing_that_is_not_here() {
        let good = "palyra.example shows the pinned certificate and answers, version 9.9.9";
        expect("gateway", Fine, good, "", elsewhere(true, Ok("9.9.9")));
        expect("config", Fine, "/home/x/far.toml names https://palyra.example/", "", elsewhere(true, Ok("9.9.9")));
        for id in NOT_HERE {
            expect(id, Skipped, "in a remote profile", "", elsewhere(true, Ok("9.9.9")));
        }
        let cut_off = |facts: &mut Facts| facts.network = Some(Ok(Network { route: false, name_server: false }));
        expect("network", Fine, "remote gateway", "", |facts| {
            cut_off(facts);
            elsewhere(true, Ok("9.9.9"))(facts);
        });
        expect("network", Warning, "not connected", "Connect", |facts| {
            cut_off(facts);
            elsewhere(true, Err((TroubleKind::Unreachable, "gone")))(facts);
        });
        let other = "it shows another one";
        for (kind, verdict, remedy) in [
            (TroubleKind::Distrusted, Problem, "whether its certificate is a new one"),
            (TroubleKind::Unreachable, Problem, "connected"),
            (TroubleKind::Unpinned, Unknown, ""),
        ] {
            expect("gateway", verdict, other, remedy, elsewhere(true, Err((kind, other))));
        }
        let unpinned = (TroubleKind::Unpinned, "not asked");
        expect("config", Warning, "no certificate is pinned", "SHA-256", elsewhere(false, Err(unpinned)));
        let config = (TroubleKind::Config, "it names no address");
        expect("config", Problem, "it names no address", "far.toml", elsewhere(true, Err(config)));
        expect("gateway", Skipped, "", "", elsewhere(true, Err(config)));
        expect("gateway", Unknown, "too long", "", |facts| {
            let looked = Err("it took too long".to_owned());
            facts.remote = Some(Remote { config: "/home/x/far.toml".into(), looked });
        });
    }
}
