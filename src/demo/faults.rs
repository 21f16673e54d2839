//! The faults: their words, which are on, and the ones that need no HTTP. The table is in [`crate::demo`].

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::{grandchild, process};

/// Comma list of faults for a sidecar to start with.
pub const VARIABLE: &str = "PALYRA_DEMO_FAULTS";

/// One misbehaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `crash`, `exit0`
    Exit(u8),
    /// `hang` and `resume`
    Hang(bool),
    /// `slow_start`
    SlowStart(Duration),
    /// `ignore_sigint`
    IgnoreSigint,
    /// `ignore_sigterm`
    IgnoreSigterm,
    /// `flood`: lines a second, lines in all.
    Flood(u32, u64),
    /// `bad_bytes`
    BadBytes,
    /// `grandchild`, its lifetime in seconds.
    Grandchild(u64),
    /// `wrong_service`
    WrongService,
    /// `status`, `html`, `half`, `slow`, `lose_answer`
    Calls(CallFault),
    /// `stranger`
    Stranger,
    /// `lose_sessions`
    LoseSessions,
    /// `expire_sign_ins`
    ExpireSignIns,
    /// `decide_elsewhere`: allowed or denied, which one.
    DecideElsewhere(bool, Option<String>),
}

/// A fault of the next calls of some paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFault {
    /// What happens to them.
    pub effect: Effect,
    /// How many more calls.
    pub left: u32,
    /// Paths that it concerns.
    pub prefix: String,
}

/// See [`CallFault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// An error instead of the work.
    Status(u16),
    /// HTML instead of the work.
    Html,
    /// The work, half its answer.
    Half,
    /// The work, later.
    Slow(Duration),
    /// The work, no answer.
    LoseAnswer,
}

/// What is on in one sidecar.
pub struct Faults {
    target: &'static str,
    state: Mutex<State>,
    hung: watch::Sender<bool>,
    other: OnceLock<Box<dyn Fn(Fault) + Send + Sync>>,
}

#[derive(Default)]
struct State {
    ignore_sigint: bool,
    ignore_sigterm: bool,
    wrong_service: bool,
    stranger: bool,
    calls: Vec<CallFault>,
}

impl Faults {
    /// None on. `target` names the sidecar in log lines.
    pub fn new(target: &'static str) -> Self {
        Self { target, state: Mutex::default(), hung: watch::Sender::new(false), other: OnceLock::new() }
    }

    /// Who performs the faults that concern what a sidecar keeps. The first call counts.
    pub fn delegate(&self, other: impl Fn(Fault) + Send + Sync + 'static) {
        let _ = self.other.set(Box::new(other));
    }

    /// Switches on what [`VARIABLE`] names, apart from `slow_start`. Needs a runtime. Fails on a word it does not know.
    pub fn apply_environment(self: &Arc<Self>) -> Result<(), String> {
        self.apply(&environment()?);
        Ok(())
    }

    /// Switches faults on, now or after their delay. Needs a runtime.
    pub fn apply(self: &Arc<Self>, orders: &[(Fault, Duration)]) {
        for (fault, delay) in orders.iter().cloned() {
            if delay.is_zero() {
                self.perform(fault);
                continue;
            }
            let faults = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                faults.perform(fault);
            });
        }
    }

    /// Switches off what lasts. Delayed faults still come.
    pub fn clear(&self) {
        *self.state() = State::default();
        self.hung.send_replace(false);
    }

    /// Waits while hung.
    pub async fn answerable(&self) {
        let mut hung = self.hung.subscribe();
        let _ = hung.wait_for(|hung| !hung).await;
    }

    /// The effect on one call, which uses it up.
    pub fn take(&self, reads: bool, path: &str) -> Option<Effect> {
        let mut state = self.state();
        let at = state
            .calls
            .iter()
            .position(|call| path.starts_with(&call.prefix) && !(reads && call.effect == Effect::LoseAnswer))?;
        let call = &mut state.calls[at];
        let effect = call.effect;
        call.left = call.left.saturating_sub(1);
        if call.left == 0 {
            state.calls.remove(at);
        }
        Some(effect)
    }

    /// Whether Ctrl-C is to be survived.
    pub fn ignores_sigint(&self) -> bool {
        self.state().ignore_sigint
    }

    /// Whether somebody else asks to be paired whenever a node does.
    pub fn has_stranger(&self) -> bool {
        self.state().stranger
    }

    /// The name for `/healthz`.
    pub fn service_name(&self) -> &'static str {
        if self.state().wrong_service { "another-service" } else { self.target }
    }

    /// What is on, for people and tests.
    pub fn report(&self) -> serde_json::Value {
        let state = self.state();
        serde_json::json!({
            "hung": *self.hung.borrow(),
            "ignore_sigint": state.ignore_sigint,
            "ignore_sigterm": state.ignore_sigterm,
            "wrong_service": state.wrong_service,
            "calls": state.calls.iter().map(|call| format!("{call:?}")).collect::<Vec<_>>(),
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the fault is to end as abruptly as a crash")]
    fn perform(&self, fault: Fault) {
        match fault {
            Fault::Exit(code) => std::process::exit(i32::from(code)),
            Fault::Hang(on) => drop(self.hung.send_replace(on)),
            Fault::SlowStart(_) => {}
            Fault::IgnoreSigint => self.state().ignore_sigint = true,
            Fault::IgnoreSigterm => self.ignore_sigterm(),
            Fault::Flood(rate, total) => flood(self.target, rate, total),
            Fault::BadBytes => bad_bytes(),
            Fault::Grandchild(seconds) => grandchild::spawn(self.target, seconds),
            Fault::WrongService => self.state().wrong_service = true,
            Fault::Stranger => self.state().stranger = true,
            Fault::Calls(call) => self.state().calls.push(call),
            other @ (Fault::LoseSessions | Fault::ExpireSignIns | Fault::DecideElsewhere(..)) => {
                if let Some(perform) = self.other.get() {
                    perform(other);
                }
            }
        }
    }

    fn ignore_sigterm(&self) {
        self.state().ignore_sigterm = true;
        // The handler stays for the life of the process, and nobody reads what it reports.
        #[cfg(unix)]
        drop(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The faults in [`VARIABLE`].
pub fn environment() -> Result<Vec<(Fault, Duration)>, String> {
    parse(&std::env::var(VARIABLE).unwrap_or_default())
}

/// Reads a comma list of `name[=value][@delay_ms]`.
pub fn parse(list: &str) -> Result<Vec<(Fault, Duration)>, String> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(parse_one).collect()
}

fn parse_one(word: &str) -> Result<(Fault, Duration), String> {
    let (rest, delay) = match word.rsplit_once('@').map(|(rest, ms)| (rest, ms.parse())) {
        Some((rest, Ok(ms))) => (rest, Duration::from_millis(ms)),
        _ => (word, Duration::ZERO),
    };
    let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
    let fault =
        fault(name, value).ok_or_else(|| format!("unknown demo fault `{word}`: see the table in the demo module"))?;
    Ok((fault, delay))
}

fn fault(name: &str, value: &str) -> Option<Fault> {
    let number = |default: &str| if value.is_empty() { default } else { value }.parse().ok();
    Some(match name {
        "crash" => Fault::Exit(u8::try_from(number("1")?).ok()?),
        "exit0" => Fault::Exit(0),
        "hang" => Fault::Hang(true),
        "resume" => Fault::Hang(false),
        "slow_start" => Fault::SlowStart(Duration::from_millis(number("")?)),
        "ignore_sigint" => Fault::IgnoreSigint,
        "ignore_sigterm" => Fault::IgnoreSigterm,
        "flood" => {
            let (rate, total) = value.split_once(':').unwrap_or((value, "18446744073709551615"));
            Fault::Flood(rate.parse().ok().filter(|rate| *rate > 0)?, total.parse().ok()?)
        }
        "bad_bytes" => Fault::BadBytes,
        "grandchild" => Fault::Grandchild(number("3600")?),
        "wrong_service" => Fault::WrongService,
        "stranger" => Fault::Stranger,
        "status" => {
            let (code, rest) = value.split_once(':').unwrap_or((value, ""));
            let code = code.parse().ok().filter(|code| (200..=599).contains(code))?;
            Fault::Calls(calls(Effect::Status(code), rest)?)
        }
        "html" => Fault::Calls(calls(Effect::Html, value)?),
        "half" => Fault::Calls(calls(Effect::Half, value)?),
        "lose_answer" => Fault::Calls(calls(Effect::LoseAnswer, value)?),
        "slow" => {
            let (ms, rest) = value.split_once(':').unwrap_or((value, "4294967295:/"));
            Fault::Calls(calls(Effect::Slow(Duration::from_millis(ms.parse().ok()?)), rest)?)
        }
        "lose_sessions" => Fault::LoseSessions,
        "expire_sign_ins" => Fault::ExpireSignIns,
        "decide_elsewhere" => {
            let (verdict, id) =
                value.split_once(':').map_or((value, None), |(verdict, id)| (verdict, Some(id.to_owned())));
            let allow = match verdict {
                "" | "allow" => true,
                "deny" => false,
                _ => return None,
            };
            Fault::DecideElsewhere(allow, id)
        }
        _ => return None,
    })
}

/// `[N:]PREFIX`, each part optional.
fn calls(effect: Effect, text: &str) -> Option<CallFault> {
    let (left, prefix) = match text.split_once(':') {
        Some((left, prefix)) => (left.parse().ok()?, prefix),
        None if text.starts_with('/') => (1, text),
        None if text.is_empty() => (1, ""),
        None => (text.parse().ok()?, ""),
    };
    let prefix = if prefix.is_empty() { "/console" } else { prefix }.to_owned();
    (left > 0).then_some(CallFault { effect, left, prefix })
}

/// In a thread of its own, so that a reader that does not keep up stops the flood and not the answers.
fn flood(target: &'static str, rate: u32, total: u64) {
    std::thread::spawn(move || {
        let pause = Duration::from_millis(20);
        let batch = u64::from((rate / 50).max(1));
        let pause = if rate < 50 { Duration::from_secs(1) / rate } else { pause };
        let mut n = 0;
        while n < total {
            for n in n..(n + batch).min(total) {
                process::log(target, "demo flood", serde_json::json!({ "n": n }));
            }
            n += batch;
            std::thread::sleep(pause);
        }
    });
}

fn bad_bytes() {
    process::raw_line(b"demo bad bytes: \xff\xfe\xc3(\x00\x1b[31m");
    process::raw_line(&vec![b'x'; 10_000_000]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(word: &str) -> (Fault, Duration) {
        parse(word).expect(word).remove(0)
    }

    #[test]
    fn words_become_faults() {
        let ms = Duration::from_millis;
        let calls = |effect, left, prefix: &str| Fault::Calls(CallFault { effect, left, prefix: prefix.to_owned() });
        for (word, fault) in [
            ("crash", Fault::Exit(1)),
            ("crash=7", Fault::Exit(7)),
            ("exit0", Fault::Exit(0)),
            ("hang", Fault::Hang(true)),
            ("slow_start=300", Fault::SlowStart(ms(300))),
            ("flood=1000:50", Fault::Flood(1000, 50)),
            ("grandchild", Fault::Grandchild(3600)),
            ("status=503", calls(Effect::Status(503), 1, "/console")),
            ("status=429:3:/healthz", calls(Effect::Status(429), 3, "/healthz")),
            ("html=2", calls(Effect::Html, 2, "/console")),
            ("half=/healthz", calls(Effect::Half, 1, "/healthz")),
            ("slow=250", calls(Effect::Slow(ms(250)), u32::MAX, "/")),
            ("decide_elsewhere", Fault::DecideElsewhere(true, None)),
            ("decide_elsewhere=deny:X", Fault::DecideElsewhere(false, Some("X".to_owned()))),
        ] {
            assert_eq!(one(word), (fault, Duration::ZERO), "{word}");
        }
        assert_eq!(one("crash=7@500"), (Fault::Exit(7), ms(500)));
        assert_eq!(parse(" hang, ,exit0@9 ").map(|all| all.len()), Ok(2));
    }

    #[test]
    fn unknown_words_are_refused() {
        for word in ["nonsense", "crash=999", "status=1", "flood=0", "decide_elsewhere=perhaps", "html=0", "slow_start"]
        {
            assert!(parse(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_call_fault_is_used_up() {
        let faults = Arc::new(Faults::new("test"));
        faults.apply(&parse("lose_answer=1:/a,status=500:2:/a").expect("words"));
        assert_eq!(faults.take(true, "/a/b"), Some(Effect::Status(500)), "a read is never lost");
        assert_eq!(faults.take(false, "/b"), None);
        assert_eq!(faults.take(false, "/a"), Some(Effect::LoseAnswer));
        assert_eq!(faults.take(false, "/a"), Some(Effect::Status(500)));
        assert_eq!(faults.take(false, "/a"), None);
    }
}
