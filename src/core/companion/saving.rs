//! When the file is written: after a change, one write at a time, and again while the disk takes none.

use crate::core::event::Ticket;
use crate::core::time::Now;
use crate::words;

/// Between two tries while the disk takes nothing, milliseconds.
pub const AGAIN_MS: u64 = 15_000;

/// How far the file is behind what is known.
#[derive(Clone, Debug, Default)]
pub struct Saving {
    /// Why it is never written; then what changes holds only until the end.
    read_only: Option<String>,
    /// Why it could not be written the last time; empty: it could.
    trouble: String,
    saved: u64,
    under_way: Option<u64>,
    again: Option<u64>,
    /// The end has had its own try.
    last_try: bool,
    /// Answers that wait for this revision to be on the disk.
    promised: Vec<(u64, Ticket, String)>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Write the file as it is now.
    Write,
    /// Answer a client: done.
    Answer(Ticket, String),
}

impl Saving {
    pub(super) fn new(read_only: Option<String>) -> Self {
        Self { read_only, ..Self::default() }
    }

    /// What a person should know of it; empty when all is kept.
    pub fn trouble(&self) -> String {
        match (&self.read_only, self.trouble.is_empty()) {
            (Some(why), _) => words::companion::what_changes_now_holds_only_until(why),
            (None, true) => String::new(),
            (None, false) => words::companion::what_tray_remembers_cannot_be_written(&self.trouble),
        }
    }

    /// An answer that is given once `revision` is on the disk, or cannot get there.
    pub fn promise(&mut self, revision: u64, ticket: Ticket, text: String) {
        self.promised.push((revision, ticket, text));
    }

    /// How many wait for their answer.
    pub fn promised(&self) -> usize {
        self.promised.len()
    }

    /// Nothing is being written, and what could be written is. At the end one try more is enough.
    pub fn is_idle(&self, revision: u64) -> bool {
        self.under_way.is_none() && (self.read_only.is_some() || self.saved == revision || self.last_try)
    }

    /// When to look at it again.
    pub const fn deadline(&self) -> Option<u64> {
        self.again
    }

    /// After every event. `ending`: the agent is about to end.
    pub fn step(&mut self, revision: u64, ending: bool, now: Now) -> Vec<Order> {
        let mut orders = Vec::new();
        let behind = self.read_only.is_none() && self.saved != revision && self.under_way.is_none();
        let last = ending && !self.last_try;
        if behind && (last || self.again.is_none_or(|at| now.mono_ms >= at)) {
            self.last_try |= ending;
            self.again = None;
            self.under_way = Some(revision);
            orders.push(Order::Write);
        }
        let doubt = self.trouble();
        let saved = self.saved;
        self.promised.retain(|(wanted, ticket, text)| {
            let kept = saved >= *wanted;
            if kept || !doubt.is_empty() {
                let doubt = if kept { String::new() } else { words::companion::but(&doubt) };
                orders.push(Order::Answer(*ticket, format!("{text}{doubt}")));
            }
            !kept && doubt.is_empty()
        });
        orders
    }

    /// A write is over. Says whether this is the first of a row that failed.
    pub fn saved(&mut self, outcome: Result<(), String>, now: Now) -> bool {
        let Some(revision) = self.under_way.take() else { return false };
        match outcome {
            Ok(()) => {
                self.saved = revision;
                self.trouble.clear();
                self.last_try = false;
                false
            }
            Err(why) => {
                self.again = Some(now.mono_ms + AGAIN_MS);
                let first = self.trouble.is_empty();
                self.trouble = why;
                first
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(mono_ms: u64) -> Now {
        Now { mono_ms, unix_ms: 0 }
    }

    #[test]
    fn only_a_change_is_written_and_one_write_at_a_time() {
        let mut saving = Saving::new(None);
        assert!(saving.step(0, false, at(0)).is_empty() && saving.is_idle(0) && saving.deadline().is_none());
        assert_eq!(saving.step(1, false, at(1)), [Order::Write]);
        assert!(saving.step(3, false, at(2)).is_empty() && !saving.is_idle(3));
        assert!(!saving.saved(Ok(()), at(3)) && !saving.is_idle(3));
        assert_eq!(saving.step(3, false, at(3)), [Order::Write]);
        assert!(!saving.saved(Ok(()), at(4)));
        assert!(saving.step(3, false, at(5)).is_empty() && saving.is_idle(3));
    }

    #[test]
    fn a_disk_that_takes_nothing_is_tried_again_and_told_once() {
        let mut saving = Saving::new(None);
        assert_eq!(saving.step(1, false, at(0)), [Order::Write]);
        assert!(saving.saved(Err("full".to_owned()), at(0)));
        assert!(saving.trouble().contains("(full)"));
        assert!(saving.step(2, false, at(AGAIN_MS - 1)).is_empty(), "a change is no reason to hurry");
        assert_eq!(saving.deadline(), Some(AGAIN_MS));
        assert_eq!(saving.step(2, false, at(AGAIN_MS)), [Order::Write]);
        assert!(!saving.saved(Err("full".to_owned()), at(AGAIN_MS)), "told already");
        // the end tries once more, and does not wait for ever
        assert_eq!(saving.step(2, true, at(AGAIN_MS + 1)), [Order::Write]);
        assert!(!saving.is_idle(2));
        assert!(!saving.saved(Err("full".to_owned()), at(AGAIN_MS + 2)) && saving.is_idle(2));
        assert!(saving.step(2, true, at(AGAIN_MS + 3)).is_empty(), "once more, and no more");
        assert_eq!(saving.step(2, false, at(2 * AGAIN_MS + 2)), [Order::Write]);
        assert!(!saving.saved(Ok(()), at(2 * AGAIN_MS + 3)));
        assert!(saving.trouble().is_empty() && saving.deadline().is_none());
        assert!(!saving.is_idle(3), "another end has a try of its own");
    }

    #[test]
    fn an_answer_waits_for_the_disk_and_says_when_it_is_not_there() {
        let mut saving = Saving::new(None);
        saving.promise(1, 7, "Kept.".to_owned());
        assert_eq!(saving.step(1, false, at(0)), [Order::Write]);
        assert!(saving.step(1, false, at(1)).is_empty());
        saving.saved(Ok(()), at(2));
        assert_eq!(saving.step(1, false, at(2)), [Order::Answer(7, "Kept.".to_owned())]);
        saving.promise(2, 8, "Kept.".to_owned());
        assert_eq!(saving.step(2, false, at(3)), [Order::Write]);
        saving.saved(Err("full".to_owned()), at(4));
        let orders = saving.step(2, false, at(4));
        assert!(matches!(&orders[..], [Order::Answer(8, text)] if text.starts_with("Kept. But ")), "{orders:?}");
        assert!(saving.step(2, false, at(5)).is_empty(), "answered once");
    }

    #[test]
    fn what_must_not_be_written_is_not_and_that_is_said() {
        let mut saving = Saving::new(Some("it is of a newer version".to_owned()));
        saving.promise(1, 7, "Kept.".to_owned());
        let orders = saving.step(1, true, at(0));
        assert!(matches!(&orders[..], [Order::Answer(7, text)] if text.contains("newer version")), "{orders:?}");
        assert!(saving.is_idle(1) && saving.deadline().is_none());
    }
}
