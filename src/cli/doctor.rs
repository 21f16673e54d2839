//! `doctor`: checks everything and says what to do; as text, as JSON, or in a window. Needs no running agent.
//!
//! Exit code 0 when nothing is a problem, 1 otherwise; a warning is no problem. In a window: 0 when it was shown. Where none can
//! be shown the words go to standard output, and the reason to standard error.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::config::{Environment, Paths};
use crate::core::dialog::Answer;
use crate::core::doctor::facts::{Agent, Facts, Login};
use crate::core::doctor::{self, Check, Verdict};
use crate::protocol::setup::{SetupFacts, SetupRequest};
use crate::protocol::{Failure, FailureCode, Reply, Request};
use crate::shell::dialog::{self, Front};
use crate::shell::doctor::{Given, gather};
use crate::shell::{autostart, control};
use crate::words::{self, help};

/// An agent that is well answers within milliseconds.
const PATIENCE: Duration = Duration::from_millis(600);

/// Arguments of `doctor`.
#[derive(Args)]
pub struct DoctorArgs {
    #[arg(long, conflicts_with = "dialog", help = help::AS_JSON)]
    json: bool,
    #[arg(long, help = help::IN_WINDOW)]
    dialog: bool,
}

/// Checks, and shows what came of it.
pub fn doctor(env: &Environment, args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let look = || {
        let facts = look(env);
        let checks = doctor::checks(&facts);
        (facts, checks)
    };
    let no_window = if args.dialog {
        match dialog::pick(env) {
            // on a terminal the plain text reads better than a form
            Ok(front) if front.is_terminal() => None,
            // whoever opened the window looked at it: that it was shown is the success
            Ok(mut front) => match in_window(&mut *front, || look().1) {
                Ok(()) => return Ok(ExitCode::SUCCESS),
                Err(why) => Some(why),
            },
            Err(why) => Some(why),
        }
    } else {
        None
    };
    let (facts, checks) = look();
    if args.json {
        super::print_json(&doctor::report(&facts, &checks));
    } else {
        let colour = std::io::stdout().is_terminal() && env.get("NO_COLOR").is_none();
        super::print(&doctor::terminal(&checks, colour));
    }
    match no_window {
        Some(why) => Err(Failure::new(FailureCode::Failed, why, "")),
        None if doctor::worst(&checks) == Verdict::Problem => Ok(ExitCode::FAILURE),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Shows the checks until the person has seen enough.
fn in_window(front: &mut dyn Front, look: impl Fn() -> Vec<Check>) -> Result<(), String> {
    loop {
        match front.ask(&doctor::form(&look())) {
            Answer::Pressed { button, .. } if button == doctor::AGAIN => {}
            Answer::Pressed { .. } | Answer::Dismissed => return Ok(()),
            Answer::Failed { why } => return Err(why),
        }
    }
}

pub(super) fn look(env: &Environment) -> Facts {
    let paths = Paths::find(env);
    let agent = paths.as_ref().map_or(Agent::Absent, agent);
    let setup = match (&paths, &agent) {
        (Ok(paths), Agent::Answers(_)) => setup(paths),
        _ => None,
    };
    let login = {
        let env = env.clone();
        Box::new(move || autostart::state(&env).map(|state| Login { on: state.on, ..Login::default() }))
    };
    gather(env, paths.as_ref(), Given { agent, setup, login: Some(login) })
}

fn agent(paths: &Paths) -> Agent {
    match control::ask(paths, Request::Status, PATIENCE) {
        Ok(Reply::Data(snapshot)) => Agent::Answers(snapshot),
        Ok(Reply::Error(failure)) => Agent::Silent(failure.message),
        Ok(Reply::Done(_)) => Agent::Silent(words::checks::IT_ANSWERS_SOMETHING_ELSE.to_owned()),
        Err(failure) if failure.code == FailureCode::NoAgent => Agent::Absent,
        Err(failure) => Agent::Silent(failure.message),
    }
}

/// What the agent tells the set-up; older ones do not.
fn setup(paths: &Paths) -> Option<SetupFacts> {
    match control::ask(paths, Request::Setup(SetupRequest::Facts), PATIENCE) {
        Ok(Reply::Data(facts)) => serde_json::from_value(facts).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::core::dialog::{Body, Form};
    use crate::shell::dialog::Progress;

    /// Presses these buttons, one a dialog.
    struct Person(Vec<Answer>, Vec<Form>);

    impl Front for Person {
        fn until(&mut self, _: Option<crate::shell::dialog::Over>) {}

        fn is_terminal(&self) -> bool {
            false
        }

        fn ask(&mut self, form: &Form) -> Answer {
            self.1.push(form.clone());
            self.0.remove(0)
        }

        fn progress(&mut self, _form: &Form) -> Result<Box<dyn Progress>, String> {
            Err("never".to_owned())
        }
    }

    fn pressed(button: &str) -> Answer {
        Answer::Pressed { button: button.to_owned(), value: None }
    }

    #[test]
    fn check_again_looks_again_and_close_ends() {
        let looks = Cell::new(0);
        let look = || {
            looks.set(looks.get() + 1);
            let verdict = if looks.get() == 1 { Verdict::Problem } else { Verdict::Ok };
            vec![Check { id: "x", title: "X", verdict, evidence: "seen".to_owned(), remedy: String::new() }]
        };
        let mut person = Person(vec![pressed(doctor::AGAIN), pressed(doctor::CLOSE)], Vec::new());
        assert_eq!(in_window(&mut person, look), Ok(()));
        assert_eq!((looks.get(), person.1.len()), (2, 2));
        let Body::Document { document } = &person.1[0].body else { panic!() };
        assert!(document.contains("!! X: seen"), "{document}");
        let Body::Document { document } = &person.1[1].body else { panic!() };
        assert!(document.contains("ok X: seen"), "{document}");
        assert_eq!(in_window(&mut Person(vec![Answer::Dismissed], Vec::new()), look), Ok(()));
        let killed = Answer::Failed { why: "zenity was killed".to_owned() };
        assert_eq!(in_window(&mut Person(vec![killed], Vec::new()), look), Err("zenity was killed".to_owned()));
    }
}
