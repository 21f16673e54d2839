//! What the gateway tells only when it is asked: sessions and runs, diagnostics, Discord. This decides when to ask.
//!
//! A quiet gateway is not asked at all. Sessions are listed when it becomes ready, when its journal rings (a run writes there,
//! an idle gateway does not, and reading does not ring), and while a run is known to be active at the moments on which
//! sidecars are probed anyway. Everything is asked for when somebody looks and what is known is old. Nobody waits for an
//! answer: what is known is shown with its age.

use std::collections::VecDeque;

use serde_json::Value;

use crate::core::diagnostics::Diagnostics;
use crate::core::service::PROBE_HEALTHY_MS;
use crate::core::sessions::{self, RunNews, Sessions};
use crate::core::time::{Now, earlier};

/// Sessions that are older are asked for when somebody looks, milliseconds.
pub const FRESH_SESSIONS_MS: u64 = 5_000;
/// Diagnostics and Discord that are older are asked for when somebody looks, milliseconds: they cost the gateway 50 ms.
pub const FRESH_REPORT_MS: u64 = 30_000;
/// Shortest time between two lists of sessions while the journal rings, milliseconds.
pub const RING_SPACING_MS: u64 = 2_000;
/// Sessions that are asked for, the newest ones.
pub const SESSIONS: usize = 32;
/// News of runs that are remembered for the snapshot.
pub const NEWS: usize = 16;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Sessions and their newest runs.
    Sessions,
    /// Figures and troubles.
    Diagnostics,
    /// The Discord connector.
    Discord,
}

/// An order to ask; `round` comes back with the answer: one of an earlier gateway is not taken for this one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What.
    pub part: Part,
    /// Which gateway's.
    pub round: u64,
}

/// An answer; an error in words.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Part::Sessions`].
    Sessions(Result<Sessions, String>),
    /// To [`Part::Diagnostics`].
    Diagnostics(Result<Diagnostics, String>),
    /// To [`Part::Discord`]: the quick fact of the snapshot.
    Discord(Result<Value, String>),
}

/// One part: the newest answer, its age, and when to ask again.
#[derive(Clone, Debug)]
pub struct Told<T> {
    /// As it was at `as_of`.
    pub value: Option<T>,
    /// When the gateway told it.
    pub as_of: Option<Now>,
    /// Why the newest answer is none; empty when it is one.
    pub trouble: String,
    asked_at: Option<u64>,
    due: Option<u64>,
    under_way: bool,
    /// Wanted anew since it was asked.
    again: bool,
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        let (value, trouble) = (None, String::new());
        Self { value, as_of: None, trouble, asked_at: None, due: None, under_way: false, again: false }
    }
}

impl<T> Told<T> {
    /// Wanted, but not twice within `spacing`.
    fn want(&mut self, spacing: u64, now: Now) {
        if self.under_way {
            self.again = true;
            return;
        }
        let at = self.asked_at.map_or(now.mono_ms, |asked| now.mono_ms.max(asked + spacing));
        self.due = earlier(self.due, Some(at));
    }

    /// Asked for at once when it is older than this, unless that is under way.
    fn look(&mut self, fresh: u64, now: Now) {
        if !self.under_way && self.asked_at.is_none_or(|asked| now.mono_ms >= asked + fresh) {
            self.due = Some(now.mono_ms);
        }
    }

    fn step(&mut self, now: Now) -> bool {
        let due = !self.under_way && self.due.is_some_and(|at| now.mono_ms >= at);
        if due {
            self.under_way = true;
            self.again = false;
            self.asked_at = Some(now.mono_ms);
            self.due = None;
        }
        due
    }

    fn answered(&mut self, answer: Result<T, String>, now: Now) {
        self.under_way = false;
        match answer {
            Ok(value) => {
                self.value = Some(value);
                self.as_of = Some(now);
                self.trouble.clear();
            }
            Err(why) => self.trouble = why,
        }
    }

    fn stop(&mut self) {
        self.under_way = false;
        self.again = false;
        self.asked_at = None;
        self.due = None;
    }

    fn deadline(&self) -> Option<u64> {
        self.due.filter(|_| !self.under_way)
    }

    /// Nothing is on its way any more for whoever asked at `since`.
    fn is_settled(&self, since: u64) -> bool {
        !self.under_way && self.due.is_none() && self.asked_at.is_some_and(|asked| asked + FRESH_REPORT_MS > since)
    }
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Sessions and runs.
    pub sessions: Told<Sessions>,
    /// Figures and troubles.
    pub diagnostics: Told<Diagnostics>,
    /// The Discord connector, as the quick fact of the snapshot.
    pub discord: Told<Value>,
    /// What became of runs, newest last, with the wall clock at which it was seen.
    pub news: VecDeque<(i64, RunNews)>,
    open: bool,
    round: u64,
}

impl Survey {
    /// A gateway is ready.
    pub fn open(&mut self, now: Now) {
        self.stop();
        self.open = true;
        self.round += 1;
        self.sessions.due = Some(now.mono_ms);
    }

    /// It is gone: what it told is kept, with its age.
    pub fn close(&mut self) {
        self.stop();
        self.open = false;
    }

    /// The gateway that told this still answers.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Runs that are not over, as far as that is known now.
    pub fn active(&self) -> usize {
        self.current().map_or(0, |sessions| sessions.active().count())
    }

    /// The list, while its gateway is there.
    pub fn current(&self) -> Option<&Sessions> {
        self.sessions.value.as_ref().filter(|_| self.open)
    }

    /// The journal was written to.
    pub fn ring(&mut self, now: Now) {
        if self.open {
            self.sessions.want(RING_SPACING_MS, now);
        }
    }

    /// Somebody looks at everything.
    pub fn look(&mut self, now: Now) {
        if self.open {
            self.sessions.look(FRESH_SESSIONS_MS, now);
            self.diagnostics.look(FRESH_REPORT_MS, now);
            self.discord.look(FRESH_REPORT_MS, now);
        }
    }

    /// Somebody looks at the menu.
    pub fn look_at_sessions(&mut self, now: Now) {
        if self.open {
            self.sessions.look(FRESH_SESSIONS_MS, now);
        }
    }

    /// Whoever looked at `since`, monotonic, has all there is to be had.
    pub fn is_settled(&self, since: u64) -> bool {
        !self.open
            || (self.sessions.is_settled(since) && self.diagnostics.is_settled(since) && self.discord.is_settled(since))
    }

    /// What to ask now.
    pub fn step(&mut self, now: Now) -> Vec<Ask> {
        if !self.open {
            return Vec::new();
        }
        let due = [
            (Part::Sessions, self.sessions.step(now)),
            (Part::Diagnostics, self.diagnostics.step(now)),
            (Part::Discord, self.discord.step(now)),
        ];
        let round = self.round;
        due.into_iter().filter(|(_, due)| *due).map(|(part, _)| Ask { part, round }).collect()
    }

    /// An answer came; what is new about runs.
    pub fn answered(&mut self, round: u64, answer: Answer, now: Now) -> Vec<RunNews> {
        if !self.open || round != self.round {
            return Vec::new();
        }
        match answer {
            Answer::Diagnostics(answer) => self.diagnostics.answered(answer, now),
            Answer::Discord(answer) => self.discord.answered(answer, now),
            Answer::Sessions(answer) => return self.listed(answer, now),
        }
        Vec::new()
    }

    fn listed(&mut self, answer: Result<Sessions, String>, now: Now) -> Vec<RunNews> {
        let news = match (&self.sessions.value, &self.sessions.as_of, &answer) {
            (Some(before), Some(at), Ok(after)) => sessions::news(before, after, at.unix_ms),
            _ => Vec::new(),
        };
        self.news.extend(news.iter().map(|news| (now.unix_ms, news.clone())));
        self.news.drain(..self.news.len().saturating_sub(NEWS));
        self.sessions.answered(answer, now);
        if std::mem::take(&mut self.sessions.again) {
            self.sessions.want(RING_SPACING_MS, now);
        } else if self.active() > 0 {
            // the moment on which healthy sidecars are probed: no wake-up of its own
            let next = (now.mono_ms / PROBE_HEALTHY_MS + 1) * PROBE_HEALTHY_MS;
            self.sessions.due = earlier(self.sessions.due, Some(next));
        }
        news
    }

    /// When [`Survey::step`] next has something to do.
    pub fn deadline(&self) -> Option<u64> {
        let own = [self.sessions.deadline(), self.diagnostics.deadline(), self.discord.deadline()];
        own.into_iter().flatten().min().filter(|_| self.open)
    }

    fn stop(&mut self) {
        self.sessions.stop();
        self.diagnostics.stop();
        self.discord.stop();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(mono_ms: u64) -> Now {
        Now::default().plus(mono_ms)
    }

    fn parts(survey: &mut Survey, mono_ms: u64) -> Vec<Part> {
        survey.step(at(mono_ms)).into_iter().map(|ask| ask.part).collect()
    }

    fn list(state: &str) -> Answer {
        let row = json!({ "session_id": "s", "last_run_id": "r", "last_run_state": state });
        Answer::Sessions(Ok(sessions::read(&json!({ "sessions": [row] }), SESSIONS).unwrap()))
    }

    fn opened() -> Survey {
        let mut survey = Survey::default();
        survey.open(at(0));
        assert_eq!(parts(&mut survey, 0), [Part::Sessions]);
        survey.answered(1, list("done"), at(3));
        survey
    }

    #[test]
    fn nobody_looks_and_nothing_rings_nothing_is_asked() {
        let mut survey = opened();
        assert_eq!(survey.deadline(), None);
        assert_eq!(parts(&mut survey, 86_400_000), []);
    }

    #[test]
    fn a_look_asks_for_what_is_old_and_only_once() {
        let mut survey = opened();
        survey.look(at(100));
        assert_eq!(parts(&mut survey, 100), [Part::Diagnostics, Part::Discord], "the sessions are fresh");
        survey.look(at(200));
        assert_eq!(parts(&mut survey, 200), [], "all is under way");
        survey.answered(1, Answer::Diagnostics(Err("slow".to_owned())), at(300));
        survey.answered(1, Answer::Discord(Ok(json!({}))), at(300));
        for n in 0..200 {
            // a script that looks ten times a second for twenty seconds
            let now = 10_000 + n * 100;
            survey.look(at(now));
            let asked = parts(&mut survey, now);
            assert!(!asked.contains(&Part::Diagnostics), "a failure is not tried again at once");
            if asked.contains(&Part::Sessions) {
                survey.answered(1, list("done"), at(now));
            }
        }
        assert_eq!(survey.diagnostics.trouble, "slow");
        survey.look(at(40_000));
        assert_eq!(parts(&mut survey, 40_000).len(), 3);
    }

    #[test]
    fn rings_list_the_sessions_at_most_every_two_seconds() {
        let mut survey = opened();
        let mut lists = 0;
        for ms in (1_000..61_000).step_by(20) {
            survey.ring(at(ms));
            if !parts(&mut survey, ms).is_empty() {
                lists += 1;
                survey.ring(at(ms + 1));
                survey.answered(1, list("done"), at(ms + 5));
            }
        }
        assert!((29..=31).contains(&lists), "{lists} lists in a minute of rings");
        let last = survey.deadline().unwrap();
        assert_eq!(parts(&mut survey, last), [Part::Sessions], "and once after the last ring");
        survey.answered(1, list("done"), at(last));
        assert_eq!(survey.deadline(), None);
    }

    #[test]
    fn an_active_run_is_followed_at_the_moments_of_probes() {
        let mut survey = opened();
        survey.ring(at(30_000));
        assert_eq!(parts(&mut survey, 30_000), [Part::Sessions]);
        survey.answered(1, list("in_progress"), at(30_003));
        assert_eq!((survey.active(), survey.deadline()), (1, Some(50_000)));
        assert_eq!(parts(&mut survey, 50_000), [Part::Sessions]);
        let news = survey.answered(1, list("failed"), at(50_003));
        assert!(matches!(news.as_slice(), [RunNews::Finished { .. }]), "{news:?}");
        assert_eq!((survey.active(), survey.deadline()), (0, None));
        assert_eq!(survey.news.len(), 2);
    }

    #[test]
    fn what_an_earlier_gateway_answers_late_is_not_taken() {
        let mut survey = opened();
        survey.look(at(10_000));
        assert_eq!(parts(&mut survey, 10_000).len(), 3);
        survey.close();
        assert_eq!(survey.deadline(), None);
        survey.ring(at(10_001));
        survey.look(at(10_001));
        assert_eq!(parts(&mut survey, 20_000), []);
        survey.open(at(20_000));
        assert_eq!(parts(&mut survey, 20_000), [Part::Sessions]);
        assert!(survey.answered(1, list("in_progress"), at(20_001)).is_empty());
        assert_eq!(survey.active(), 0);
        survey.answered(2, list("in_progress"), at(20_002));
        assert_eq!(survey.active(), 1);
        survey.close();
        assert_eq!(survey.active(), 0, "what is not known now is not shown as running");
        assert!(survey.sessions.value.is_some(), "but it is kept, with its age");
    }
}
