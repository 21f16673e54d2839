//! What happened while the screen was locked, to be told in one notification afterwards.

use std::collections::BTreeMap;

use crate::core::text;
use crate::protocol::ServiceId;
use crate::words;

/// Counted since the screen was locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Away {
    /// Sidecars that failed and are ready again: how often.
    pub restarts: BTreeMap<ServiceId, u32>,
    /// Runs that ended as they should, or were ended by somebody.
    pub runs_finished: u32,
    /// Runs that failed.
    pub runs_failed: u32,
    /// Approvals that were denied, by the pause or elsewhere.
    pub denied: u32,
    /// Approvals that nobody decided in time.
    pub expired: u32,
}

impl Away {
    /// A sentence for each kind of thing that happened; empty when nothing did.
    pub fn words(&self) -> String {
        let mut lines: Vec<String> = self
            .restarts
            .iter()
            .map(|(id, count)| words::notices::failed_and_is_back(text::service(*id), times(*count)))
            .collect();
        lines.extend(pair(
            self.runs_finished,
            words::notices::COUNTED_RUN_FINISHED,
            words::notices::COUNTED_RUNS_FINISHED,
            self.runs_failed,
            "failed",
        ));
        lines.extend(pair(
            self.denied,
            words::notices::COUNTED_APPROVAL_DENIED,
            words::notices::COUNTED_APPROVALS_DENIED,
            self.expired,
            "expired",
        ));
        lines.join("\n")
    }
}

fn times(count: u32) -> String {
    if count == 1 { String::new() } else { words::notices::times(count) }
}

/// "3 runs finished, 1 failed."; what did not happen is left out.
fn pair(first: u32, one: &str, many: &str, second: u32, word: &str) -> Option<String> {
    let noun = one.split(' ').next().unwrap_or_default();
    let counted = |count: u32, rest: String| (count > 0).then(|| format!("{count} {rest}"));
    let begin = counted(first, if first == 1 { one } else { many }.to_owned());
    let named = format!("{noun}{} {word}", if second == 1 { "" } else { "s" });
    let end = counted(second, if first > 0 { word.to_owned() } else { named });
    let parts: Vec<_> = begin.into_iter().chain(end).collect();
    (!parts.is_empty()).then(|| format!("{}.", parts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_happened_is_told_and_one_is_one() {
        assert_eq!(Away::default().words(), "");
        let all = Away {
            restarts: [(ServiceId::Gateway, 1), (ServiceId::Browserd, 3)].into(),
            runs_finished: 1,
            runs_failed: 2,
            denied: 2,
            expired: 1,
        };
        assert_eq!(
            all.words(),
            "Gateway failed and is back.\nBrowser failed and is back, 3 times.\n1 run finished, 2 failed.\n2 approvals were denied, 1 expired."
        );
        assert_eq!(Away { runs_failed: 1, ..Away::default() }.words(), "1 run failed.");
        assert_eq!(Away { expired: 2, ..Away::default() }.words(), "2 approvals expired.");
        assert_eq!(Away { denied: 1, ..Away::default() }.words(), "1 approval was denied.");
    }
}
