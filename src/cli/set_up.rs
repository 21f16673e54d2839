//! `onboard` and `setup`: the same set-up in dialogs and on a terminal. Asks the running agent, and starts one when the
//! person agrees.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Waited, unix_ms};
use crate::config::settings::Settings;
use crate::config::{Environment, Paths, programs};
use crate::core::dialog::{Answer, Body, DialogButton, Form, Tone};
use crate::core::onboarding::{Facts, Finding, Flow, Got, Job, Outcome, ProgramFolder, Record, Want};
use crate::core::text;
use crate::protocol::setup::{Provider, SetupFacts, SetupRequest, SignInState};
use crate::protocol::{Action, Failure, FailureCode, Reply, Request};
use crate::shell::dialog::{self, Front};
use crate::shell::lock::SetUpLock;
use crate::shell::{autostart, control, doctor, store};
use crate::words;

/// The answer to a message may take long: a model thinks, and an approval may wait for the person.
const MESSAGE_PATIENCE: Duration = Duration::from_secs(30 * 60);
/// Between two looks at a sign-in.
const SIGN_IN_PAUSE: Duration = Duration::from_millis(1_500);
/// An agent that was just started answers within this time.
const AGENT_PATIENCE: Duration = Duration::from_secs(15);

/// In dialogs.
pub fn onboard(env: &Environment) -> Result<ExitCode, Failure> {
    let mut front = dialog::pick(env).map_err(|why| Failure::new(FailureCode::Failed, why, ""))?;
    let terminal = front.is_terminal();
    run(env, &mut *front, terminal)
}

/// On this terminal.
pub fn setup(env: &Environment) -> Result<ExitCode, Failure> {
    run(env, &mut *dialog::terminal(), true)
}

fn run(env: &Environment, front: &mut dyn Front, terminal: bool) -> Result<ExitCode, Failure> {
    let mut paths = super::paths(env)?;
    if paths.profile.remote {
        return Err(Failure::new(FailureCode::Refused, words::remote::NOT_HERE, words::remote::OPEN_IT));
    }
    // the data may lie elsewhere
    paths.follow(&Settings::read(&paths.settings()).0);
    let unusable = |why: String| Failure::new(FailureCode::Failed, why, words::set_up::MEND_IT_THEN_START_SET_UP);
    let Some(_lock) = SetUpLock::take(&paths).map_err(|error| unusable(error.to_string()))? else {
        let words = words::set_up::SET_UP_IS_OPEN_IN_ANOTHER;
        front.ask(&Form::message(words::set_up::SET_UP_IS_OPEN_ALREADY, words, Tone::Info));
        return Ok(ExitCode::SUCCESS);
    };
    if !agent_runs(env, &paths, front)? {
        return Ok(ExitCode::SUCCESS);
    }
    let (record, told) = store::read_json::<Record>(&paths.set_up(), unix_ms());
    if let Some(told) = told {
        front.ask(&Form::message(words::set_up::SET_UP_STARTS_ANEW, &text::sentence(&told), Tone::Warning));
    }
    let mut session = Session { env, paths, front, terminal, flow: Flow::new(record.unwrap_or_default()) };
    match session.serve()? {
        Outcome::Complete { open } => {
            if let Some(place) = open {
                super::ask(&session.paths, Request::Act { action: Action::Open { place } }, super::LONG)?;
            }
        }
        Outcome::Left if terminal => super::print(words::set_up::GO_ON_WHENEVER_YOU_LIKE),
        Outcome::Left => {}
        Outcome::Broken(why) => return Err(Failure::new(FailureCode::Failed, why, "")),
    }
    Ok(ExitCode::SUCCESS)
}

struct Session<'a> {
    env: &'a Environment,
    paths: Paths,
    front: &'a mut dyn Front,
    terminal: bool,
    flow: Flow,
}

impl Session<'_> {
    fn serve(&mut self) -> Result<Outcome, Failure> {
        let mut want = self.flow.begin();
        loop {
            let before = self.flow.record().clone();
            let got = match want {
                Want::Facts => match self.facts() {
                    Ok(facts) => Got::Facts(Box::new(facts)),
                    Err(failure) => Got::NoFacts(failure.message),
                },
                Want::Ask(form) => Got::Answer(self.front.ask(&form)),
                Want::Work(form, job) => self.work(&form, job),
                Want::End(outcome) => return Ok(outcome),
            };
            want = self.flow.next(got, unix_ms());
            if *self.flow.record() != before {
                self.keep()?;
            }
        }
    }

    /// What was reached outlives whatever happens next.
    fn keep(&self) -> Result<(), Failure> {
        let record = self.flow.record();
        store::keep_json(&self.paths.set_up(), record).map_err(|error| {
            let why = words::set_up::what_you_have_set_up(&error);
            Failure::new(FailureCode::Failed, why, words::set_up::MAKE_ROOM_ON_DISK_OR_MEND)
        })?;
        // for the menu only
        let reached = SetupRequest::Reached(record.reached.clone());
        let _ = control::ask(&self.paths, Request::Setup(reached), super::SHORT);
        Ok(())
    }

    fn facts(&self) -> Result<Facts, Failure> {
        let reply = super::ask(&self.paths, Request::Setup(SetupRequest::Facts), super::SHORT)?;
        let Reply::Data(value) = reply else { return Err(not_understood()) };
        let setup: SetupFacts = serde_json::from_value(value).map_err(|_| not_understood())?;
        let folders = if setup.gateway_binary.is_some() { Vec::new() } else { self.folders() };
        let findings = if self.flow.wants_checks() { self.findings() } else { Vec::new() };
        let autostart = match autostart::state(self.env) {
            Ok(state) if !setup.demo => Some(state.on),
            _ => None,
        };
        Ok(Facts { setup, folders, findings, autostart, terminal: self.terminal })
    }

    fn folders(&self) -> Vec<ProgramFolder> {
        let found = programs::candidates(self.env).into_iter();
        found
            .map(|one| ProgramFolder { folder: one.folder, from: one.from.to_string(), problem: one.problem })
            .collect()
    }

    fn findings(&self) -> Vec<Finding> {
        doctor::findings_for_set_up(self.env, &self.paths)
    }

    fn work(&mut self, form: &Form, job: Job) -> Got {
        let mut progress = match self.front.progress(form) {
            Ok(progress) => progress,
            Err(why) => return Got::Failed(why),
        };
        let (tell, told) = mpsc::channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let (env, paths, stop) = (self.env.clone(), self.paths.clone(), stopped.clone());
        std::thread::spawn(move || {
            let _ = tell.send(perform(&env, &paths, job, &stop));
        });
        match super::wait_behind(&mut *progress, &told) {
            Waited::Done(got) => got,
            Waited::Cancelled => {
                stopped.store(true, Ordering::Relaxed);
                Got::Cancelled
            }
            Waited::Lost => Got::Failed(words::set_up::THIS_STEP_ENDED_EARLY.to_owned()),
        }
    }
}

fn perform(env: &Environment, paths: &Paths, job: Job, stopped: &AtomicBool) -> Got {
    match job {
        Job::Ask(request) => {
            let patience = match &request {
                Request::Setup(SetupRequest::FirstMessage { .. }) => MESSAGE_PATIENCE,
                _ => super::LONG,
            };
            outcome(super::ask(paths, request, patience))
        }
        Job::SignIn { provider, attempt_id } => sign_in(paths, provider, &attempt_id, stopped),
        Job::Autostart(on) => match super::autostart::switch(env, paths, on) {
            Ok(words) => Got::Worked(Reply::Done(words)),
            Err(why) => Got::Failed(why),
        },
    }
}

fn sign_in(paths: &Paths, provider: Provider, attempt_id: &str, stopped: &AtomicBool) -> Got {
    while !stopped.load(Ordering::Relaxed) {
        let request = SetupRequest::SignInState { provider, attempt_id: attempt_id.to_owned() };
        let state = match super::ask(paths, Request::Setup(request), super::SHORT) {
            Ok(Reply::Data(value)) => serde_json::from_value(value).map_err(|_| not_understood()),
            Ok(_) => Err(not_understood()),
            Err(failure) => Err(failure),
        };
        match state {
            Ok(SignInState::Pending) => std::thread::sleep(SIGN_IN_PAUSE),
            Ok(SignInState::Succeeded) => return Got::Worked(Reply::Done(String::new())),
            Ok(SignInState::Failed { why }) => return Got::Failed(why),
            Err(failure) => return outcome(Err(failure)),
        }
    }
    Got::Cancelled
}

fn outcome(answer: Result<Reply, Failure>) -> Got {
    match answer {
        Ok(reply) => Got::Worked(reply),
        Err(failure) => Got::Failed(format!("{} {}", text::sentence(&failure.message), failure.hint).trim().to_owned()),
    }
}

/// Whether there is an agent; one is started when the person wants it.
fn agent_runs(env: &Environment, paths: &Paths, front: &mut dyn Front) -> Result<bool, Failure> {
    if runs(paths)? {
        return Ok(true);
    }
    let form = Form {
        body: Body::Message,
        buttons: vec![
            DialogButton::new("start", words::set_up::START_IT),
            DialogButton::new("no", words::common::NOT_NOW),
        ],
        focus: Some("start".to_owned()),
        ..Form::message(words::set_up::START_PALYRA_TRAY, words::set_up::PALYRA_TRAY_IS_NOT_RUNNING, Tone::Question)
    };
    match front.ask(&form) {
        Answer::Failed { why } => return Err(Failure::new(FailureCode::Failed, why, "")),
        answer if answer.button() == Some("start") => {}
        _ => return Ok(false),
    }
    let mut command = super::detached(env, &["run", "--no-set-up"]);
    if !paths.has_data() {
        // where its data go is a question of the set-up
        command.arg("--no-start");
    }
    let failed = |why: String| Failure::new(FailureCode::Failed, why, words::set_up::START_IT_YOURSELF);
    let mut agent = command.spawn().map_err(|error| failed(words::set_up::agent_cannot_be_started(&error)))?;
    let until = Instant::now() + AGENT_PATIENCE;
    while Instant::now() < until {
        if runs(paths)? {
            return Ok(true);
        }
        if let Ok(Some(status)) = agent.try_wait() {
            return Err(failed(words::set_up::agent_ended_at_once(status)));
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    Err(failed(words::set_up::AGENT_WAS_STARTED_BUT_DOES.to_owned()))
}

fn runs(paths: &Paths) -> Result<bool, Failure> {
    match super::ask(paths, Request::Status, super::SHORT) {
        Ok(_) => Ok(true),
        Err(Failure { code: FailureCode::NoAgent, .. }) => Ok(false),
        Err(failure) => Err(failure),
    }
}

fn not_understood() -> Failure {
    Failure::new(
        FailureCode::Failed,
        words::common::AGENTS_ANSWER_WAS_NOT_UNDERSTOOD,
        words::common::RESTART_PALYRA_TRAY_AND_TRY_AGAIN,
    )
}
