//! The set-up: from nothing to an answered message, in a few dialogs or on a terminal.
//!
//! [`Flow`] is the whole of it as a function: it is given what happened ([`Got`]) and says what to do next ([`Want`]).
//! Where it stands is derived from facts each time, so it can be left, killed and resumed anywhere, in dialogs or on a
//! terminal; what facts cannot tell is in its [`Record`]. It knows nothing of windows, sockets or clocks.

mod discord;
mod provider;
mod record;
mod screens;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::core::dialog::{Answer, Form};
use crate::protocol::setup::{FirstAnswer, Provider, Reached, SetupFacts, SetupRequest};
use crate::protocol::{Action, Place, Reply, Request};
use crate::words;

pub use record::{Failures, Record};

/// One step, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// What this is about.
    Welcome,
    /// Where Palyra's programs are.
    Programs,
    /// What stands in the way on this machine.
    Checks,
    /// Where Palyra keeps its data.
    DataFolder,
    /// The gateway runs and takes our token.
    Start,
    /// A model provider has a key or a sign-in.
    Provider,
    /// The gateway runs chats, with that provider.
    Chats,
    /// The provider answers.
    Connection,
    /// Palyra answered a message.
    FirstMessage,
    /// A Discord bot; optional.
    Discord,
    /// Notifications come through.
    Notifications,
    /// Start on login.
    Autostart,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Welcome,
        Self::Programs,
        Self::Checks,
        Self::DataFolder,
        Self::Start,
        Self::Provider,
        Self::Chats,
        Self::Connection,
        Self::FirstMessage,
        Self::Discord,
        Self::Notifications,
        Self::Autostart,
    ];

    /// Its place, from 1.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|step| *step == self).map_or(0, |index| index + 1)
    }

    /// Without this one a message cannot be answered.
    const fn leads_to_an_answer(self) -> bool {
        matches!(self, Self::Provider | Self::Chats | Self::Connection)
    }
}

/// Everything that is looked at before each step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the agent tells.
    pub setup: SetupFacts,
    /// Folders with Palyra's programs that were found on this machine.
    pub folders: Vec<ProgramFolder>,
    /// What the checks found to be wrong.
    pub findings: Vec<Finding>,
    /// Whether the tray starts on login; absent: cannot be had on this machine, or is not known.
    pub autostart: Option<bool>,
    /// The person is at a terminal, perhaps on another machine: addresses are shown, not only opened.
    pub terminal: bool,
}

/// A folder with Palyra's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFolder {
    /// Absolute.
    pub folder: PathBuf,
    /// How it was found: `PATH`, `package`, `archive` …
    pub from: String,
    /// Why it cannot be used, in words.
    pub problem: Option<String>,
}

/// One thing that a check found to be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A few words.
    pub title: String,
    /// What was seen.
    pub evidence: String,
    /// What to do.
    pub remedy: String,
}

/// What the flow wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// [`Facts`], anew.
    Facts,
    /// An answer of the person.
    Ask(Form),
    /// Something done, while this progress dialog is shown.
    Work(Form, Job),
    /// Nothing more.
    End(Outcome),
}

/// Something that takes a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// Ask the agent.
    Ask(Request),
    /// Wait until the sign-in in the browser is over.
    SignIn {
        /// With whom.
        provider: Provider,
        /// Names it to the gateway.
        attempt_id: String,
    },
    /// Switch the start on login.
    Autostart(bool),
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Got {
    /// The facts.
    Facts(Box<Facts>),
    /// There are none: no agent answers. One sentence.
    NoFacts(String),
    /// What the person did.
    Answer(Answer),
    /// The job is done.
    Worked(Reply),
    /// The job failed. One sentence for the person.
    Failed(String),
    /// The person put the progress dialog away.
    Cancelled,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to do. The person wants to go on in the chat, or not.
    Complete {
        /// Where to.
        open: Option<Place>,
    },
    /// Left; it goes on another time.
    Left,
    /// It cannot be shown. One sentence for the person.
    Broken(String),
}

/// What was asked of the person last.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Question {
    Welcome,
    Folders,
    NoFolder,
    PickFolder,
    Findings,
    DataFolder,
    PickDataFolder,
    Provider(provider::Question),
    Chats,
    /// Something failed in this step.
    Trouble(Step),
    Message,
    Answered(FirstAnswer),
    Discord(discord::Question),
    NotificationSeen,
    NotificationsMissing,
    Autostart,
    Done,
}

/// What is being waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Facts,
    Asking(Question),
    Working(Step, Errand),
}

/// What the work under way is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Errand {
    /// The facts tell whether it helped.
    Plain,
    Key(Provider),
    BeginSignIn(Provider),
    Test(Provider),
    Message,
    Discord(discord::Errand),
    TestNotification,
    Autostart,
}

/// The set-up, from opening to end.
#[derive(Clone, Debug)]
pub struct Flow {
    record: Record,
    facts: Facts,
    at: At,
    /// This step's work was just done well: the facts must show it now.
    worked_at: Option<Step>,
}

impl Flow {
    /// Opens it. What was left out for the moment is asked again.
    pub fn new(mut record: Record) -> Self {
        record.skipped.clear();
        Self { record, facts: Facts::default(), at: At::Facts, worked_at: None }
    }

    /// To be kept whenever it changed.
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// The checks are still to be shown, so they have to be made.
    pub fn wants_checks(&self) -> bool {
        self.next_step().is_some_and(|step| step <= Step::Checks)
    }

    /// Where it stands, for the menu.
    fn reached(&self) -> Reached {
        let step = self.next_step();
        let all = u8::try_from(Step::ALL.len()).unwrap_or(u8::MAX);
        let name = step.and_then(|step| serde_json::to_value(step).ok());
        Reached {
            step: name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default(),
            done: step.map_or(all, |step| u8::try_from(step.number() - 1).unwrap_or(0)),
            total: all,
            complete: self.record.completed_at_unix_ms.is_some(),
        }
    }

    /// What to do first.
    pub const fn begin(&self) -> Want {
        Want::Facts
    }

    /// Takes in what happened; says what to do next. `unix_ms`: the time of it.
    pub fn next(&mut self, got: Got, unix_ms: i64) -> Want {
        match (self.at.clone(), got) {
            (_, Got::NoFacts(why)) => Want::End(Outcome::Broken(why)),
            (_, Got::Facts(facts)) => {
                self.facts = *facts;
                let want = self.go_on(unix_ms);
                self.record.reached = self.reached();
                want
            }
            (At::Asking(_), Got::Answer(Answer::Failed { why })) => Want::End(Outcome::Broken(why)),
            (At::Asking(question), Got::Answer(answer)) => self.answered(question, &answer),
            (At::Working(step, errand), Got::Worked(reply)) => self.worked(step, errand, reply, unix_ms),
            (At::Working(step, Errand::Key(provider)), Got::Failed(why)) => {
                self.record.failed(step, &why, unix_ms);
                provider::key(self, provider, Some(&why))
            }
            (At::Working(step, _), Got::Failed(why)) => self.trouble(step, &why, unix_ms),
            (At::Working(step, _), Got::Cancelled) => self.cancelled(step),
            // what nobody waits for any more
            _ => self.look(),
        }
    }

    /// The first step that is neither done nor left out.
    fn next_step(&self) -> Option<Step> {
        Step::ALL.into_iter().find(|step| {
            !self.is_done(*step) && !self.record.skipped.contains(step) && !self.record.declined.contains(step)
        })
    }

    fn is_done(&self, step: Step) -> bool {
        let facts = &self.facts.setup;
        let record = &self.record;
        // an answered message proves all that leads to it, as long as the facts do not say otherwise
        match step {
            Step::Welcome => record.welcomed,
            Step::Programs => facts.gateway_binary.is_some(),
            Step::Checks => self.new_findings().next().is_none(),
            Step::DataFolder => facts.data_exists || record.data_folder_chosen,
            Step::Start => facts.signed_in,
            Step::Provider => facts.providers.iter().any(|one| one.configured),
            Step::Chats => facts.run_loop == "on" && !facts.restart_needed,
            Step::Connection => record.answered_at_unix_ms.is_some() || self.tested().is_some(),
            Step::FirstMessage => record.answered_at_unix_ms.is_some(),
            Step::Discord => facts.discord == "ready",
            Step::Notifications => record.notifications_seen.is_some(),
            Step::Autostart => record.autostart_asked || self.facts.autostart != Some(false),
        }
    }

    fn tested(&self) -> Option<Provider> {
        let tested = self.record.tested?;
        self.facts.setup.providers.iter().find(|one| one.provider == tested && one.configured).map(|one| one.provider)
    }

    /// The provider that is set up: the chosen one, else any.
    fn provider(&self) -> Option<Provider> {
        let ready: Vec<_> = self.facts.setup.providers.iter().filter(|one| one.configured).collect();
        let chosen = ready.iter().find(|one| Some(one.provider) == self.record.provider);
        chosen.or(ready.first()).map(|one| one.provider)
    }

    fn new_findings(&self) -> impl Iterator<Item = &Finding> {
        self.facts.findings.iter().filter(|finding| !self.record.seen_findings.contains(&finding.title))
    }

    fn look(&mut self) -> Want {
        self.at = At::Facts;
        Want::Facts
    }

    fn ask(&mut self, question: Question, form: Form) -> Want {
        self.at = At::Asking(question);
        Want::Ask(form)
    }

    fn work(&mut self, step: Step, errand: Errand, text: &str, job: Job) -> Want {
        self.at = At::Working(step, errand);
        Want::Work(screens::progress(step, text), job)
    }

    fn request(&mut self, step: Step, errand: Errand, text: &str, request: SetupRequest) -> Want {
        self.work(step, errand, text, Job::Ask(Request::Setup(request)))
    }

    fn turn_chats_on(&mut self) -> Want {
        self.request(Step::Chats, Errand::Plain, words::set_up::TURNING_ON, SetupRequest::TurnChatsOn)
    }

    /// The next screen or work, from the facts.
    fn go_on(&mut self, unix_ms: i64) -> Want {
        let Some(step) = self.next_step() else { return self.done(unix_ms) };
        if self.worked_at.take() == Some(step) {
            // whatever was done had no effect: never do it again unasked
            return self.trouble(step, words::set_up::NO_EFFECT, unix_ms);
        }
        let facts = &self.facts.setup;
        match step {
            Step::Welcome => self.ask(Question::Welcome, screens::welcome(facts.demo)),
            Step::Programs if self.facts.folders.is_empty() => {
                let form = screens::no_folder(&facts.gateway_binary_problem);
                self.ask(Question::NoFolder, form)
            }
            Step::Programs => {
                let form = screens::folders(&self.facts.folders, None);
                self.ask(Question::Folders, form)
            }
            Step::Checks => {
                let form = screens::findings(&self.new_findings().cloned().collect::<Vec<_>>());
                self.ask(Question::Findings, form)
            }
            Step::DataFolder => {
                let form = screens::data_folder(&facts.data_folder, None);
                self.ask(Question::DataFolder, form)
            }
            Step::Start => {
                let text = words::set_up::STARTING;
                self.work(step, Errand::Plain, text, Job::Ask(Request::Act { action: Action::Start { service: None } }))
            }
            Step::Provider => provider::begin(self),
            Step::Chats if facts.run_loop == "off" => self.ask(Question::Chats, screens::chats_off(&facts.config)),
            Step::Chats => self.turn_chats_on(),
            Step::Connection => match self.provider() {
                Some(provider) => {
                    let text = screens::testing(provider);
                    self.request(step, Errand::Test(provider), &text, SetupRequest::TestProvider { provider })
                }
                None => self.leave_out(step),
            },
            Step::FirstMessage => self.ask(Question::Message, screens::message()),
            Step::Discord => discord::begin(self),
            Step::Notifications if facts.notification_server.is_empty() => {
                let form = screens::no_notifications(facts.tray_present);
                self.ask(Question::NotificationsMissing, form)
            }
            Step::Notifications => {
                self.request(step, Errand::TestNotification, words::set_up::NOTIFYING, SetupRequest::TestNotification)
            }
            Step::Autostart => self.ask(Question::Autostart, screens::autostart()),
        }
    }

    /// Nothing is left: says so, and what was left out.
    fn done(&mut self, unix_ms: i64) -> Want {
        let complete = self.record.answered_at_unix_ms.is_some();
        if complete && self.record.completed_at_unix_ms.is_none() {
            self.record.completed_at_unix_ms = Some(unix_ms);
        }
        let form = screens::done(&self.facts, &self.record);
        self.ask(Question::Done, form)
    }

    fn answered(&mut self, question: Question, answer: &Answer) -> Want {
        let Some(button) = answer.button() else { return Want::End(Outcome::Left) };
        if button == screens::LATER {
            return Want::End(Outcome::Left);
        }
        let value = answer.value().unwrap_or_default().to_owned();
        match (question, button) {
            (Question::Welcome, _) => {
                self.record.welcomed = true;
                self.look()
            }
            (Question::Folders, _) if value == words::set_up::ANOTHER => {
                self.ask(Question::PickFolder, screens::pick_programs())
            }
            (Question::Folders | Question::PickFolder, screens::NEXT) => {
                let folder = PathBuf::from(value);
                self.request(Step::Programs, Errand::Plain, words::set_up::LOOKING, SetupRequest::UseFolder { folder })
            }
            (Question::NoFolder, screens::PICK) => self.ask(Question::PickFolder, screens::pick_programs()),
            (Question::Findings, screens::NEXT) => {
                let titles: Vec<_> = self.facts.findings.iter().map(|finding| finding.title.clone()).collect();
                self.record.seen_findings.extend(titles);
                self.look()
            }
            (Question::DataFolder, screens::NEXT) => {
                self.record.data_folder_chosen = true;
                self.look()
            }
            (Question::DataFolder, _) => {
                let form = screens::pick_data_folder(&self.facts.setup.data_folder);
                self.ask(Question::PickDataFolder, form)
            }
            (Question::PickDataFolder, screens::NEXT) => {
                let folder = PathBuf::from(value);
                self.request(
                    Step::DataFolder,
                    Errand::Plain,
                    words::set_up::LOOKING,
                    SetupRequest::UseDataFolder { folder },
                )
            }
            (Question::Provider(question), button) => provider::answered(self, question, button, &value),
            (Question::Chats, screens::NEXT) => self.turn_chats_on(),
            (Question::Chats, _) => self.leave_out(Step::Chats),
            (Question::Trouble(step), screens::SKIP) => self.leave_out(step),
            (Question::Trouble(Step::Connection), screens::OTHER_KEY) => provider::choose(self, None),
            (Question::Message, screens::NEXT) => {
                let text = if value.trim().is_empty() { words::set_up::GREETING.to_owned() } else { value };
                let request = SetupRequest::FirstMessage { text };
                self.request(Step::FirstMessage, Errand::Message, words::set_up::WAITING_FOR_ANSWER, request)
            }
            (Question::Message, _) => self.leave_out(Step::FirstMessage),
            (Question::Discord(question), button) => discord::answered(self, question, button, &value),
            (Question::NotificationSeen, button) => {
                self.record.notifications_seen = Some(button == screens::NEXT);
                if button == screens::NEXT {
                    return self.look();
                }
                let form = screens::notification_not_seen(&self.facts.setup.notification_server);
                self.ask(Question::NotificationsMissing, form)
            }
            (Question::NotificationsMissing, _) => {
                self.record.notifications_seen.get_or_insert(false);
                self.look()
            }
            (Question::Autostart, button) => {
                let on = button == screens::NEXT;
                if on {
                    return self.work(
                        Step::Autostart,
                        Errand::Autostart,
                        words::set_up::AUTOSTART,
                        Job::Autostart(true),
                    );
                }
                self.record.autostart_asked = true;
                self.look()
            }
            (Question::Done, button) => {
                let open = (button == screens::OPEN_CHAT).then(|| Place::section("chat"));
                if self.record.completed_at_unix_ms.is_some() {
                    return Want::End(Outcome::Complete { open });
                }
                Want::End(Outcome::Left)
            }
            // read again, and on from there: the answer to a message, a retry, what was put back
            (Question::Trouble(_) | Question::Answered(_), _) => self.look(),
            (Question::NoFolder | Question::PickFolder | Question::PickDataFolder | Question::Findings, _) => {
                self.look()
            }
            (Question::Folders, _) => self.look(),
        }
    }

    fn worked(&mut self, step: Step, errand: Errand, reply: Reply, unix_ms: i64) -> Want {
        match errand {
            Errand::Plain | Errand::Key(_) => {
                if step == Step::DataFolder {
                    self.record.data_folder_chosen = true;
                }
                self.worked_at = Some(step);
                self.look()
            }
            Errand::BeginSignIn(provider) => provider::sign_in(self, provider, reply, unix_ms),
            Errand::Test(provider) => {
                self.record.tested = Some(provider);
                self.worked_at = Some(step);
                self.look()
            }
            Errand::Message => match read::<FirstAnswer>(reply) {
                Ok(answer) => {
                    self.record.answered_at_unix_ms = Some(unix_ms);
                    let form = screens::answered(&answer.text);
                    self.ask(Question::Answered(answer), form)
                }
                Err(why) => self.trouble(step, &why, unix_ms),
            },
            Errand::Discord(errand) => discord::worked(self, errand, reply, unix_ms),
            Errand::TestNotification => {
                let form = screens::notification_seen(self.facts.setup.notification_buttons);
                self.ask(Question::NotificationSeen, form)
            }
            Errand::Autostart => {
                self.record.autostart_asked = true;
                self.look()
            }
        }
    }

    /// Failed: recorded, said, and the person chooses.
    fn trouble(&mut self, step: Step, why: &str, unix_ms: i64) -> Want {
        self.record.failed(step, why, unix_ms);
        let form = match step {
            Step::Programs => {
                // what was wrong with a folder is said where another one can be chosen
                let form = screens::folders(&self.facts.folders, Some(why));
                return self.ask(Question::Folders, form);
            }
            Step::DataFolder => {
                let form = screens::data_folder(&self.facts.setup.data_folder, Some(why));
                return self.ask(Question::DataFolder, form);
            }
            Step::Provider => return provider::choose(self, Some(why)),
            _ => screens::trouble(step, why),
        };
        self.ask(Question::Trouble(step), form)
    }

    fn cancelled(&mut self, step: Step) -> Want {
        match step {
            Step::Provider => provider::choose(self, None),
            Step::Discord => discord::begin(self),
            _ => {
                let form = screens::cancelled(step);
                self.ask(Question::Trouble(step), form)
            }
        }
    }

    /// For now: asked again when the set-up is opened the next time.
    fn leave_out(&mut self, step: Step) -> Want {
        self.record.skipped.insert(step);
        if step.leads_to_an_answer() && step != Step::Connection {
            // what needs it is left out with it
            self.record.skipped.extend([Step::Chats, Step::Connection, Step::FirstMessage]);
        }
        if step == Step::Start {
            self.record.skipped.extend([
                Step::Provider,
                Step::Chats,
                Step::Connection,
                Step::FirstMessage,
                Step::Discord,
            ]);
        }
        self.look()
    }
}

/// What the agent answered, as the value that was asked for.
fn read<T: serde::de::DeserializeOwned>(reply: Reply) -> Result<T, String> {
    match reply {
        Reply::Data(value) => serde_json::from_value(value).map_err(|_| words::set_up::NOT_UNDERSTOOD.to_owned()),
        Reply::Error(failure) => Err(failure.message),
        Reply::Done(_) => Err(words::set_up::NOT_UNDERSTOOD.to_owned()),
    }
}
