//! What the set-up asks for, done: facts looked up, folders checked and remembered, the gateway asked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Input, Shell};
use crate::config::palyra::PalyraConfig;
use crate::config::{self, Paths};
use crate::core::event::{Companion, Event, SetUp, Ticket};
use crate::core::onboarding::Record;
use crate::protocol::ask::To;
use crate::protocol::setup::{Provider, Reached, SetupFacts, SetupRequest, SignIn};
use crate::protocol::{Failure, FailureCode, Reply, Secret, ServiceId};
use crate::shell::browser::{self, Leads};
use crate::shell::gateway::{Client, ErrorKind, GatewayError};
use crate::shell::sidecars::Sidecars;
use crate::shell::{companion, palyra_config, settings, store};
use crate::words;

/// The gateway has this long to tell of its providers; then they are not known.
const PATIENCE: Duration = Duration::from_secs(3);

impl Shell {
    pub(super) fn gather_facts(&self, ticket: Ticket, known: Box<SetupFacts>) {
        let sidecars = self.sidecars.clone();
        let client = self.client.clone().filter(|_| known.signed_in);
        let gateway = self.core.fleet.get(ServiceId::Gateway).run.as_ref().and_then(|run| run.record.as_ref());
        let read_at = gateway.map(|record| record.started_at_unix_ms);
        self.spawn(async move {
            let mut facts = *known;
            if sidecars.demo {
                facts.gateway_binary = Some(sidecars.env.executable.clone());
                facts.browser_binary = Some(sidecars.env.executable.clone());
            } else {
                let find = |service| config::programs::find_binary(&sidecars.env, service, sidecars.folder.as_deref());
                match find(ServiceId::Gateway) {
                    Ok(path) => facts.gateway_binary = Some(path),
                    Err(error) => facts.gateway_binary_problem = error.to_string(),
                }
                facts.browser_binary = find(ServiceId::Browserd).ok();
            }
            facts.data_folder.clone_from(&sidecars.paths.runtime_root);
            facts.data_exists = sidecars.paths.has_data();
            facts.config.clone_from(&sidecars.paths.config);
            facts.run_loop = run_loop(&sidecars.paths).to_owned();
            facts.restart_needed = read_at.is_some_and(|at| changed_since(&sidecars.paths.config, at));
            if let Some(client) = client {
                // a dialog waits for it
                let (providers, discord) = tokio::join!(
                    tokio::time::timeout(PATIENCE, client.providers()),
                    tokio::time::timeout(PATIENCE, client.discord_state()),
                );
                match providers {
                    Ok(Ok(providers)) => facts.providers = providers,
                    other => tracing::warn!(?other, "how the providers stand is not known"),
                }
                if let Ok(Ok(state)) = discord {
                    facts.discord = state;
                }
            }
            Event::SetUp(ticket, SetUp::Answer(data(&facts)))
        });
    }

    pub(super) fn set_up(&mut self, ticket: Ticket, request: SetupRequest) {
        let local = match &request {
            SetupRequest::UseFolder { folder } => {
                Some(self.use_folder(folder).map(|()| answered(words::set_up::FOLDER_IS_KEPT)))
            }
            SetupRequest::UseDataFolder { folder } => {
                Some(self.use_data_folder(folder).map(|()| answered(words::set_up::FOLDER_IS_KEPT)))
            }
            SetupRequest::TurnChatsOn => Some(self.turn_chats_on()),
            _ => None,
        };
        if let Some(outcome) = local {
            let outcome = outcome.unwrap_or_else(|why| {
                // its words say what to do
                SetUp::Answer(Reply::Error(Failure::new(FailureCode::Failed, why, "")))
            });
            return self.report(Event::SetUp(ticket, outcome));
        }
        let Some(client) = self.client.clone() else {
            let failure = Failure::new(
                FailureCode::GatewayUnreachable,
                words::common::GATEWAY_IS_NOT_READY,
                words::set_up::TRY_AGAIN,
            );
            return self.report(Event::SetUp(ticket, SetUp::Answer(Reply::Error(failure))));
        };
        let env = &self.sidecars.env;
        let config = self.sidecars.paths.config.clone();
        let browser = env.has_display().then(|| env.executable.clone());
        self.spawn(async move {
            let outcome = match request {
                SetupRequest::ProviderKey { provider, key } => hand_over(&client, &config, provider, &key).await,
                SetupRequest::SignIn { provider, client_id, client_secret } => {
                    let begun = client.begin_sign_in(provider, client_id.as_deref(), client_secret.as_ref()).await;
                    match begun {
                        Ok(begun) => Ok(opened(begun, browser)
                            .await
                            .map_or_else(|why| Reply::Error(refused_page(provider, &why)), |shown| data(&shown))),
                        Err(error) => Err(error),
                    }
                }
                request => ask(&client, request).await,
            };
            let reply = outcome.unwrap_or_else(|error| Reply::Error(failure(&error)));
            Event::SetUp(ticket, SetUp::Answer(reply))
        });
    }

    fn use_folder(&mut self, folder: &Path) -> Result<(), String> {
        let found = config::programs::check_folder(folder)?;
        settings::set_folder(&self.sidecars.paths.settings(), "services.folder", &found.folder)
            .map_err(words::set_up::folder_cannot_be_remembered)?;
        self.sidecars.folder = Some(found.folder);
        Ok(())
    }

    fn use_data_folder(&mut self, folder: &Path) -> Result<(), String> {
        if !folder.is_absolute() {
            return Err(words::set_up::CHOOSE_FOLDER_BY_ITS_WHOLE_PATH.to_owned());
        }
        if self.sidecars.paths.has_data() {
            return Err(words::set_up::PALYRA_HAS_DATA_ALREADY.to_owned());
        }
        store::check_writable(folder).map_err(words::set_up::this_folder_cannot_be_used)?;
        settings::set_folder(&self.sidecars.paths.settings(), "services.data", folder)
            .map_err(words::set_up::folder_cannot_be_remembered)?;
        self.preferences.uses_data(folder);
        folder.clone_into(&mut self.sidecars.paths.runtime_root);
        Ok(())
    }

    fn turn_chats_on(&self) -> Result<SetUp, String> {
        let config = &self.sidecars.paths.config;
        match palyra_config::set_run_loop(config, true) {
            Ok(_) => Ok(SetUp::RestartGateway),
            Err(error) => Err(words::set_up::write_these_two_lines_into_yourself(&error, config.display())),
        }
    }

    pub(super) fn open_companion(&self, which: Companion) {
        let (review, node, ask, draft);
        let arguments: &[&str] = match &which {
            Companion::Node(task) => {
                node = ["node", task.word(), "--dialog"];
                &node
            }
            Companion::Ask(To::Active) => &["ask", "--dialog"],
            Companion::Ask(To::New) => &["ask", "--dialog", "--new"],
            Companion::Ask(To::Session(session)) => {
                ask = format!("--session={session}");
                &["ask", "--dialog", &ask]
            }
            Companion::Draft(id) => {
                draft = id.clone();
                &["drafts", "open", "--dialog", "--", &draft]
            }
            Companion::Profile => &["profile", "choose"],
            Companion::SetUp => &["onboard"],
            Companion::Checks => &["doctor", "--dialog"],
            Companion::Bundle => &["support-bundle", "--tell"],
            Companion::About => &["about", "--dialog"],
            Companion::Review(id) if id.is_empty() => &["approvals", "review", "--dialog"],
            Companion::Review(id) => {
                review = id.clone();
                &["approvals", "review", "--dialog", "--", &review]
            }
        };
        let inputs = self.inputs.clone();
        let Sidecars { env, paths, .. } = &self.sidecars;
        companion::open(&env.executable, &paths.state_root, arguments, move |outcome| {
            let _ = inputs.send(Input::Event(Event::Closed(which, outcome)));
        });
    }
}

/// Nobody has set anything up on this state root: no config, no data, no record of a set-up.
pub(super) fn nothing_yet(paths: &Paths) -> bool {
    paths.config_is_new && !paths.has_data() && !paths.set_up().exists()
}

/// Where the set-up stood when it was left.
pub(super) fn reached(paths: &Paths) -> Reached {
    // a corrupt record is set aside and told by the set-up itself
    let text = std::fs::read_to_string(paths.set_up()).unwrap_or_default();
    serde_json::from_str::<Record>(&text).unwrap_or_default().reached
}

/// The gateway reads its config once, at its start; it also writes to it itself, when a provider is chosen.
fn changed_since(config: &Path, unix_ms: i64) -> bool {
    let modified = std::fs::metadata(config).and_then(|metadata| metadata.modified());
    let modified = modified.ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    modified.is_some_and(|at| i64::try_from(at.as_millis()).unwrap_or(i64::MAX) > unix_ms)
}

fn run_loop(paths: &Paths) -> &'static str {
    if !paths.config.exists() {
        return "unset";
    }
    match PalyraConfig::read(&paths.config) {
        Ok((config, _)) => match config.run_loop {
            Some(true) => "on",
            Some(false) => "off",
            None => "unset",
        },
        Err(_) => "unreadable",
    }
}

async fn ask(client: &Client, request: SetupRequest) -> Result<Reply, GatewayError> {
    match request {
        SetupRequest::SignInState { provider, attempt_id } => {
            client.sign_in_state(provider, &attempt_id).await.map(|state| data(&state))
        }
        SetupRequest::TestProvider { provider } => client.test_provider(provider).await.map(Reply::Done),
        SetupRequest::FirstMessage { text } => client.first_message(&text).await.map(|answer| data(&answer)),
        SetupRequest::DiscordProbe { token } => client.discord_probe(&token).await.map(|answer| data(&answer)),
        SetupRequest::DiscordApply { token } => client.discord_apply(&token).await.map(|answer| data(&answer)),
        SetupRequest::DiscordVerify { target } => client.discord_verify(&target).await.map(|answer| data(&answer)),
        // answered elsewhere
        SetupRequest::Facts
        | SetupRequest::UseFolder { .. }
        | SetupRequest::UseDataFolder { .. }
        | SetupRequest::TurnChatsOn
        | SetupRequest::ProviderKey { .. }
        | SetupRequest::SignIn { .. }
        | SetupRequest::TestNotification
        | SetupRequest::Reached(_) => Ok(Reply::Done(String::new())),
    }
}

/// Hands a key to the gateway. One of Anthropic's must not go to the address that MiniMax left in the config.
async fn hand_over(client: &Client, config: &Path, provider: Provider, key: &Secret) -> Result<Reply, GatewayError> {
    let taken = match provider {
        Provider::Anthropic => palyra_config::take_minimax(config),
        _ => Ok(None),
    };
    let taken = match taken {
        Ok(taken) => taken,
        Err(error) => {
            let why = words::set_up::key_was_not_sent(&error);
            return Ok(Reply::Error(Failure::new(FailureCode::Failed, why, "")));
        }
    };
    let answer = client.set_provider_key(provider, key).await;
    if let (Err(_), Some(route)) = (&answer, taken)
        && let Err(error) = palyra_config::put_minimax(config, &route)
    {
        tracing::warn!(%error, "MiniMax's address could not be put back into the config");
    }
    answer.map(Reply::Done)
}

/// Shows the sign-in page in the person's browser, if there is one; else the set-up shows its address. Not when it leads where
/// nobody is to sign in.
async fn opened(mut begun: SignIn, browser: Option<PathBuf>) -> Result<SignIn, String> {
    begun.authorization_url = Secret::new(browser::checked(Leads::Anywhere, begun.authorization_url.expose())?);
    if let Some(helper) = browser {
        match browser::open(&helper, Leads::Anywhere, begun.authorization_url.expose()).await {
            Ok(()) => begun.opened = true,
            Err(why) => tracing::warn!(why, "the sign-in page was not opened"),
        }
    }
    Ok(begun)
}

fn refused_page(provider: Provider, why: &str) -> Failure {
    let message = words::set_up::s_sign_in_page(provider.name(), why);
    Failure::new(FailureCode::Failed, message, words::set_up::USE_KEY_INSTEAD)
}

fn failure(error: &GatewayError) -> Failure {
    let code = match error.kind {
        ErrorKind::Unreachable | ErrorKind::Timeout => FailureCode::GatewayUnreachable,
        _ => FailureCode::Failed,
    };
    Failure::new(code, error.message.clone(), "")
}

fn answered(text: &str) -> SetUp {
    SetUp::Answer(Reply::Done(text.to_owned()))
}

fn data(value: &impl serde::Serialize) -> Reply {
    match serde_json::to_value(value) {
        Ok(value) => Reply::Data(value),
        Err(error) => Reply::Error(Failure::new(FailureCode::Failed, error.to_string(), "")),
    }
}
