//! A profile whose gateway is on another machine: whether it answers, and when to look again. Nothing runs here for it, and
//! nothing is asked of it but its health, over https and of nobody but who shows the pinned certificate.
//!
//! A network comes and goes: a look that fails is followed by another one after 2 s, 4 s, 8 s, up to 5 min, and there is never
//! more than one under way. One that met another certificate is not hurried: somebody is in between, or the pin has to be
//! changed.

use serde_json::{Value, json};

use crate::config::remote::{Pin, Target};
use crate::core::companion::Connection;
use crate::core::event::Facts;
use crate::core::service::Phase;
use crate::core::text;
use crate::core::time::{Jitter, Now, doubled};
use crate::core::view::Base;
use crate::words::remote as words;

/// Between two looks while it answers, milliseconds.
pub const EVERY_MS: u64 = 60_000;
/// After the first look that failed, milliseconds; twice as long after each further one.
pub const FIRST_MS: u64 = 2_000;
/// The longest wait, milliseconds.
pub const LONGEST_MS: u64 = 300_000;
/// However often somebody asks, looks begin no closer together, milliseconds.
pub const APART_MS: u64 = 2_000;

/// Why it cannot be worked with now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Its class.
    pub kind: TroubleKind,
    /// In words.
    pub why: String,
}

/// Classes of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// The config does not say whom to ask, or whom to trust.
    Config,
    /// The config pins no certificate: whoever answered would be anybody, so nobody is asked.
    Unpinned,
    /// Whoever answers does not show the pinned certificate.
    Distrusted,
    /// Nobody answers, or not well.
    Unreachable,
}

impl Trouble {
    /// One of them.
    pub fn new(kind: TroubleKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }

    /// The dashboard is not opened. Without a pin it is: the browser's own look at the certificate is all there is then.
    pub fn bars_dashboard(&self) -> bool {
        self.kind != TroubleKind::Unpinned
    }

    /// A person has to do something about it before anything can be had.
    fn is_hopeless(&self) -> bool {
        matches!(self.kind, TroubleKind::Config | TroubleKind::Distrusted)
    }
}

/// What a look told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// As [`Remote::step`] gave it.
    pub round: u64,
    /// Whom the config names; absent: it does not say.
    pub target: Option<Target>,
    /// Its answer.
    pub outcome: Result<Facts, Trouble>,
}

/// The gateway elsewhere.
#[derive(Clone, Debug)]
pub struct Remote {
    target: Option<Target>,
    /// What the newest look told; absent: there was none yet.
    newest: Option<Result<(), Trouble>>,
    /// The newest good answer, and when it came.
    answer: Option<(Facts, Now)>,
    misses: u32,
    round: u64,
    looking: bool,
    began: Option<u64>,
    due: u64,
    jitter: Jitter,
    /// A click waits for its dashboard.
    pub opening: bool,
}

impl Remote {
    /// Nothing is known yet; the first look is due at once.
    pub const fn new(seed: Jitter, now: Now) -> Self {
        Self {
            target: None,
            newest: None,
            answer: None,
            misses: 0,
            round: 0,
            looking: false,
            began: None,
            due: now.mono_ms,
            jitter: seed,
            opening: false,
        }
    }

    /// Somebody wants to know, or something has changed: the next look is soon.
    pub fn ask(&mut self, now: Now) {
        let soon = self.began.map_or(now.mono_ms, |began| now.mono_ms.max(began + APART_MS));
        self.due = self.due.min(soon);
    }

    /// When [`Remote::step`] next has something to do.
    pub fn deadline(&self) -> Option<u64> {
        (!self.looking).then_some(self.due)
    }

    /// The round of a look that is to begin now.
    pub fn step(&mut self, now: Now) -> Option<u64> {
        if self.looking || now.mono_ms < self.due {
            return None;
        }
        self.looking = true;
        self.began = Some(now.mono_ms);
        self.round += 1;
        Some(self.round)
    }

    /// Takes up what a look told.
    pub fn looked(&mut self, looked: Looked, now: Now) {
        if looked.round != self.round || !self.looking {
            return;
        }
        self.looking = false;
        self.target = looked.target;
        match looked.outcome {
            Ok(facts) => {
                self.misses = 0;
                self.answer = Some((facts, now));
                self.newest = Some(Ok(()));
                self.due = now.mono_ms + EVERY_MS;
            }
            Err(trouble) => {
                self.misses = self.misses.saturating_add(1);
                let wait = match trouble.kind {
                    TroubleKind::Unreachable => doubled(FIRST_MS, self.misses - 1, LONGEST_MS),
                    // a person has to do something; a config that is written is a reason to look at once
                    TroubleKind::Config | TroubleKind::Unpinned | TroubleKind::Distrusted => LONGEST_MS,
                };
                // so that many do not come back all at once to one that was down
                let due = now.mono_ms + self.jitter.between(wait - wait / 4, wait);
                self.due = due.max(self.began.unwrap_or_default() + APART_MS);
                self.newest = Some(Err(trouble));
            }
        }
    }

    /// It answers, and is who it should be.
    pub const fn is_connected(&self) -> bool {
        matches!(self.newest, Some(Ok(())))
    }

    /// Why not; absent also while nothing is known.
    pub const fn trouble(&self) -> Option<&Trouble> {
        match &self.newest {
            Some(Err(trouble)) => Some(trouble),
            _ => None,
        }
    }

    /// Why whoever answers is not trusted, if so.
    pub fn distrust(&self) -> Option<&str> {
        self.trouble().filter(|trouble| trouble.kind == TroubleKind::Distrusted).map(|trouble| trouble.why.as_str())
    }

    /// All that can be known of it is known: it answers, or nobody can be asked.
    pub fn is_settled(&self) -> bool {
        self.is_connected() || self.trouble().is_some_and(|trouble| trouble.kind == TroubleKind::Unpinned)
    }

    /// Why it will not get well by itself, if so.
    pub fn hopeless(&self) -> Option<&str> {
        self.trouble().filter(|trouble| trouble.is_hopeless()).map(|trouble| trouble.why.as_str())
    }

    /// For the icon.
    pub fn base(&self) -> Base {
        match self.trouble() {
            Some(trouble) if trouble.is_hopeless() => Base::Fatal,
            Some(_) => Base::Degraded,
            None if self.is_connected() => Base::Healthy,
            None => Base::Starting,
        }
    }

    /// As a sidecar would stand, for whoever counts outages.
    pub fn phase(&self) -> Phase {
        match self.trouble() {
            Some(trouble) if trouble.is_hopeless() => Phase::GivenUp,
            Some(trouble) if trouble.kind == TroubleKind::Unreachable => Phase::BackingOff { until: self.due },
            None if self.is_connected() => Phase::Ready { since: 0 },
            _ => Phase::Unknown,
        }
    }

    /// For the state file and the snapshot.
    pub fn connection(&self) -> Connection {
        match self.trouble() {
            Some(trouble) if trouble.kind != TroubleKind::Unreachable => Connection::Offline,
            _ if self.is_connected() => Connection::Connected,
            _ => Connection::Reconnecting,
        }
    }

    /// Its name for people, at the beginning of a sentence.
    pub fn name(&self) -> String {
        self.target
            .as_ref()
            .map_or_else(|| words::THE_REMOTE_GATEWAY.to_owned(), |target| words::the_gateway(&target.host))
    }

    /// The newest good answer.
    pub const fn answer(&self) -> Option<&(Facts, Now)> {
        self.answer.as_ref()
    }

    /// How it stands, in one line; `clock`: with what changes by itself.
    pub fn line(&self, clock: bool, now: Now) -> String {
        let host = self.target.as_ref().map_or(words::REMOTE_GATEWAY, |target| target.host.as_str());
        match (self.trouble(), &self.answer) {
            (Some(trouble), _) if trouble.kind == TroubleKind::Distrusted => {
                words::not_trusted_because(self.name(), &trouble.why)
            }
            (Some(trouble), _) if trouble.is_hopeless() => text::capitalise(&trouble.why),
            (Some(trouble), _) if trouble.kind == TroubleKind::Unpinned => words::not_known(host),
            (Some(trouble), _) if self.looking || !clock => words::reconnecting(host, &trouble.why),
            (Some(trouble), _) => {
                let next = text::duration(self.due.saturating_sub(now.mono_ms).div_ceil(1_000));
                words::reconnecting_next_try(host, next, &trouble.why)
            }
            (None, Some((facts, at))) if clock => {
                let up = facts.uptime_seconds + now.mono_ms.saturating_sub(at.mono_ms) / 1_000;
                words::healthy_up(&facts.version, host, text::duration(up))
            }
            (None, Some((facts, _))) => words::healthy(&facts.version, host),
            (None, None) => words::LOOKING.to_owned(),
        }
    }

    /// For the snapshot.
    pub fn block(&self, now: Now) -> Value {
        let unix = |mono_ms: u64| now.unix_ms + i64::try_from(mono_ms.saturating_sub(now.mono_ms)).unwrap_or(0);
        json!({
            "base_url": self.target.as_ref().map(|target| &target.base_url),
            "verification_mode": self.pin().map(Pin::name),
            "connected": self.is_connected(),
            "misses": self.misses,
            "trouble": self.trouble().map(|trouble| &trouble.why),
            "distrusted": self.distrust().is_some(),
            "next_look_at_unix_ms": self.deadline().map(unix),
            "as_of_unix_ms": self.answer.as_ref().map(|(_, at)| at.unix_ms),
        })
    }

    /// As the earlier desktop app called it.
    pub fn trust_state(&self) -> &'static str {
        if self.pin().is_some() { "verification_configured" } else { "pin_missing" }
    }

    /// How it is known.
    pub fn pin(&self) -> Option<&Pin> {
        self.target.as_ref()?.pin.as_ref()
    }

    /// Whom the config names.
    pub const fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_ms: u64) -> Now {
        Now::default().plus(mono_ms)
    }

    fn target() -> Option<Target> {
        let base_url = "https://palyra.example/".to_owned();
        Some(Target { base_url, host: "palyra.example".to_owned(), pin: Some(Pin::Server([7; 32])) })
    }

    fn good(round: u64) -> Looked {
        Looked { round, target: target(), outcome: Ok(Facts::default()) }
    }

    fn bad(round: u64, kind: TroubleKind) -> Looked {
        Looked { round, target: target(), outcome: Err(Trouble::new(kind, "it does not answer")) }
    }

    /// Lets it look until a time; when it looked. `answer`: what each look tells, after 100 ms.
    fn run(remote: &mut Remote, from_ms: u64, until_ms: u64, mut answer: impl FnMut(u64, u64) -> Looked) -> Vec<u64> {
        let mut looks = Vec::new();
        let mut ms = from_ms;
        while let Some(due) = remote.deadline().filter(|due| *due <= until_ms) {
            ms = ms.max(due);
            let round = remote.step(at(ms)).expect("a deadline that is due has something to do");
            looks.push(ms);
            assert_eq!((remote.step(at(ms + 50)), remote.deadline()), (None, None), "one at a time");
            remote.looked(answer(round, ms), at(ms + 100));
        }
        looks
    }

    #[test]
    fn while_it_answers_it_is_looked_at_once_a_minute() {
        let mut remote = Remote::new(Jitter::new(1), at(0));
        assert_eq!((remote.base(), remote.connection()), (Base::Starting, Connection::Reconnecting));
        let looks = run(&mut remote, 0, 600_000, |round, _| good(round));
        assert_eq!(looks.len(), 10, "{looks:?}");
        assert_eq!((remote.base(), remote.connection()), (Base::Healthy, Connection::Connected));
    }

    #[test]
    fn a_lost_network_is_reconnecting_with_pauses_that_grow_and_end_with_the_first_answer() {
        for seed in 0..50 {
            let mut remote = Remote::new(Jitter::new(seed), at(0));
            let day = 24 * 3_600_000;
            let looks = run(&mut remote, 0, day, |round, _| bad(round, TroubleKind::Unreachable));
            let pauses: Vec<_> = looks.windows(2).map(|two| two[1] - two[0] - 100).collect();
            for (n, pause) in pauses.iter().enumerate() {
                let whole = (FIRST_MS << n.min(20)).min(LONGEST_MS);
                assert!((whole - whole / 4..=whole).contains(pause), "seed {seed}, pause {n}: {pause}");
            }
            assert!(looks.len() < 400, "{} looks in a day", looks.len());
            assert_eq!((remote.base(), remote.connection()), (Base::Degraded, Connection::Reconnecting));
            assert!(remote.line(true, at(day)).contains("Reconnecting to palyra.example, next try in "));
            let after = run(&mut remote, day, day + LONGEST_MS, |round, _| good(round));
            assert!(!after.is_empty() && remote.is_connected());
            let lost = run(&mut remote, day, day + 2 * LONGEST_MS, |round, _| bad(round, TroubleKind::Unreachable));
            assert!(lost[1] - lost[0] <= FIRST_MS + 100, "the pauses begin anew: {lost:?}");
        }
    }

    #[test]
    fn another_certificate_is_not_hurried_and_not_called_a_lost_network() {
        for kind in [TroubleKind::Distrusted, TroubleKind::Config] {
            let mut remote = Remote::new(Jitter::new(3), at(0));
            let looks = run(&mut remote, 0, 3_600_000, |round, _| bad(round, kind));
            assert!(looks.len() <= 17, "{looks:?}");
            assert_eq!((remote.base(), remote.connection()), (Base::Fatal, Connection::Offline));
            assert!(remote.hopeless().is_some() && !remote.line(true, at(0)).contains("Reconnecting"));
        }
    }

    #[test]
    fn an_impatient_person_makes_no_storm() {
        let mut remote = Remote::new(Jitter::new(5), at(0));
        let mut looks = 0;
        for ms in 0..60_000 {
            remote.ask(at(ms));
            if let Some(round) = remote.step(at(ms)) {
                looks += 1;
                remote.looked(bad(round, TroubleKind::Unreachable), at(ms));
            }
        }
        assert_eq!(looks, 60_000 / APART_MS);
    }

    #[test]
    fn an_answer_of_an_earlier_look_is_none() {
        let mut remote = Remote::new(Jitter::new(5), at(0));
        let round = remote.step(at(0)).unwrap();
        remote.looked(bad(round, TroubleKind::Unreachable), at(10));
        remote.looked(good(round), at(20));
        assert!(!remote.is_connected());
        let next = remote.step(at(FIRST_MS + 10)).unwrap();
        remote.looked(good(round), at(FIRST_MS + 20));
        assert!(!remote.is_connected());
        remote.looked(good(next), at(FIRST_MS + 30));
        assert!(remote.is_connected());
    }
}
