//! Every word of the set-up, screen by screen. Plain and short: what this is, what happened, what to do.

use std::path::Path;

use super::{Facts, Finding, ProgramFolder, Record, Step};
use crate::core::dialog::{Body, Choice, DialogButton, Form, Tone};
use crate::core::text::sentence;
use crate::protocol::setup::{DiscordAnswer, Provider, ProviderFacts};
use crate::words;

/// An answer of at most so many characters, and lines, needs no window that scrolls.
const SHORT_ANSWER: usize = 600;
const SHORT_ANSWER_LINES: usize = 12;

/// Button: goes on.
pub const NEXT: &str = "next";
/// Button: leaves this step out for now.
pub const SKIP: &str = "skip";
/// Button: leaves the set-up; it goes on another time.
pub const LATER: &str = "later";
/// Button: picks a folder.
pub const PICK: &str = "pick";
/// Button: connects the Discord bot.
pub const CONNECT: &str = "connect";
/// Button: opens the chat in the dashboard.
pub const OPEN_CHAT: &str = "open_chat";
/// Button: another provider or key.
pub const OTHER_KEY: &str = "other_key";
/// Choice: sign in with the browser.
pub const BROWSER: &str = "browser";
/// Choice: enter a key.
const KEY: &str = "key";

/// What this is about.
pub fn welcome(demo: bool) -> Form {
    let text = words::set_up::PALYRA_RUNS_AI_AGENTS;
    let text = if demo { words::set_up::this_is_demo(text) } else { text.to_owned() };
    form(
        Step::Welcome,
        words::set_up::WELCOME_TO_PALYRA,
        &text,
        Body::Message,
        &[(NEXT, words::buttons::START), (LATER, words::buttons::LATER)],
    )
}

/// Nothing was found by itself.
pub fn no_folder(problem: &str) -> Form {
    let text = words::set_up::install_palyra_or_unpack_its_archive(sentence(problem));
    let buttons =
        [(PICK, words::set_up::CHOOSE_FOLDER), (NEXT, words::common::LOOK_AGAIN), (LATER, words::buttons::LATER)];
    form(Step::Programs, words::set_up::WHERE_IS_PALYRA, text.trim(), Body::Message, &buttons)
}

/// Which of the folders that were found; `trouble`: what came of the last choice.
pub fn folders(folders: &[ProgramFolder], trouble: Option<&str>) -> Form {
    let mut choices: Vec<_> = folders
        .iter()
        .map(|found| {
            let detail = match &found.problem {
                Some(problem) => sentence(problem),
                None => words::set_up::from(&found.from),
            };
            choice(&found.folder.to_string_lossy(), &found.folder.to_string_lossy(), &detail)
        })
        .collect();
    choices.push(choice(words::set_up::ANOTHER, words::set_up::ANOTHER_FOLDER, ""));
    let best = folders.iter().find(|found| found.problem.is_none());
    let selected =
        best.map_or_else(|| words::set_up::ANOTHER.to_owned(), |found| found.folder.to_string_lossy().into_owned());
    let text = with_trouble(trouble, words::set_up::PALYRA_TRAY_STARTS_PALYRAD);
    let body = Body::Choose { choices, selected: Some(selected) };
    let mut form = form(
        Step::Programs,
        words::set_up::WHERE_IS_PALYRA,
        &text,
        body,
        &[(NEXT, words::buttons::USE_IT), (LATER, words::buttons::LATER)],
    );
    form.tone = tone(trouble);
    form
}

/// Picks the folder with the programs.
pub fn pick_programs() -> Form {
    let body = Body::Folder { start: "/".into() };
    form(
        Step::Programs,
        words::set_up::FOLDER_WITH_PALYRAD,
        "",
        body,
        &[(NEXT, words::buttons::USE_IT), (SKIP, words::buttons::BACK)],
    )
}

/// What the checks found.
pub fn findings(findings: &[Finding]) -> Form {
    let mut text = String::from(words::set_up::YOU_CAN_GO);
    for finding in findings {
        text.push_str(&format!("\n\n{}: {} {}", finding.title, sentence(&finding.evidence), sentence(&finding.remedy)));
    }
    let heading = if findings.len() == 1 {
        words::set_up::ONE_THING_ABOUT_THIS_COMPUTER
    } else {
        words::set_up::SOME_THINGS_ABOUT_THIS_COMPUTER
    };
    let buttons = [(NEXT, "Go on"), (SKIP, words::common::CHECK_AGAIN), (LATER, words::buttons::LATER)];
    form(Step::Checks, heading, &text, Body::Message, &buttons)
}

/// Where the data go.
pub fn data_folder(folder: &Path, trouble: Option<&str>) -> Form {
    let words = words::set_up::palyra_keeps_conversations(folder.display());
    let buttons =
        [(NEXT, words::set_up::USE_THIS_FOLDER), (PICK, words::set_up::CHOOSE_ANOTHER), (LATER, words::buttons::LATER)];
    let mut form = form(
        Step::DataFolder,
        words::set_up::WHERE_TO_KEEP_YOUR_DATA,
        &with_trouble(trouble, &words),
        Body::Message,
        &buttons,
    );
    form.tone = tone(trouble);
    form
}

/// Picks the data folder.
pub fn pick_data_folder(current: &Path) -> Form {
    let start = current.ancestors().nth(2).unwrap_or(current).to_owned();
    form(
        Step::DataFolder,
        words::set_up::FOLDER_FOR_YOUR_DATA,
        "",
        Body::Folder { start },
        &[(NEXT, words::buttons::USE_IT), (SKIP, words::buttons::BACK)],
    )
}

/// Which provider.
pub fn providers(known: &[ProviderFacts], chosen: Option<Provider>, trouble: Option<&str>) -> Form {
    let choices = Provider::ALL
        .into_iter()
        .map(|provider| {
            let facts = known.iter().find(|one| one.provider == provider);
            let detail = match facts {
                Some(facts) if facts.configured => "connected",
                Some(facts) if facts.sign_in => words::set_up::API_KEY_OR_SIGN_IN,
                _ => words::set_up::API_KEY,
            };
            choice(provider.id(), provider.name(), detail)
        })
        .collect();
    let selected = chosen.unwrap_or(Provider::Openai).id().to_owned();
    let text = with_trouble(trouble, words::set_up::PALYRA_NEEDS_LANGUAGE_MODEL_TO_ANSWER);
    let body = Body::Choose { choices, selected: Some(selected) };
    let buttons = [(NEXT, "Go on"), (SKIP, words::buttons::SKIP), (LATER, words::buttons::LATER)];
    let mut form = form(Step::Provider, words::common::MODEL_PROVIDER, &text, body, &buttons);
    form.tone = tone(trouble);
    form
}

/// Key or browser.
pub fn how(provider: Provider) -> Form {
    let choices = vec![
        choice(KEY, words::set_up::ENTER_API_KEY, words::set_up::FROM_YOUR_ACCOUNT_PAGE),
        choice(BROWSER, words::set_up::SIGN_IN_WITH_BROWSER, words::set_up::PAGE_OPENS),
    ];
    let text = words::set_up::how_do_you_want_to_connect(provider.name());
    let body = Body::Choose { choices, selected: Some(KEY.to_owned()) };
    form(Step::Provider, provider.name(), &text, body, &[(NEXT, "Go on"), (SKIP, words::buttons::BACK)])
}

/// The key.
pub fn key(provider: Provider, trouble: Option<&str>) -> Form {
    let words = words::set_up::paste_your_api_key(provider.name());
    let heading = words::set_up::api_key(provider.name());
    let text = with_trouble(trouble, &words);
    let mut form = form(
        Step::Provider,
        &heading,
        &text,
        Body::Password,
        &[(NEXT, words::set_up::CHECK_KEY), (SKIP, words::buttons::BACK)],
    );
    form.tone = tone(trouble);
    form
}

/// Progress.
pub fn checking_key(provider: Provider) -> String {
    words::set_up::checking_key(provider.name())
}

/// Progress.
pub fn signing_in(provider: Provider, address: Option<&str>, note: &str) -> String {
    let name = provider.name();
    let mut text = match address {
        None => words::set_up::sign_in_to_on_page(name),
        Some(address) => words::set_up::sign_in_to_in_browser(name, address),
    };
    if !note.is_empty() {
        text.push_str(&format!("\n{}", sentence(note)));
    }
    text
}

/// The id of the person's own application.
pub fn client_id(provider: Provider) -> Form {
    let text = words::set_up::lets_only_registered_applications_sign(provider.name());
    let heading = words::set_up::client_id(provider.name());
    form(
        Step::Provider,
        &heading,
        &text,
        Body::Entry { value: String::new() },
        &[(NEXT, "Go on"), (SKIP, words::buttons::BACK)],
    )
}

/// Its secret, which not every application has.
pub fn client_secret(provider: Provider) -> Form {
    let text = words::set_up::PASTE_APPLICATIONS_CLIENT_SECRET;
    let heading = words::set_up::client_secret(provider.name());
    form(
        Step::Provider,
        &heading,
        text,
        Body::Password,
        &[(NEXT, words::set_up::SIGN_IN), (SKIP, words::buttons::BACK)],
    )
}

/// Progress.
pub fn testing(provider: Provider) -> String {
    words::set_up::testing_connection(provider.name())
}

/// The config says that chats are off.
pub fn chats_off(config: &Path) -> Form {
    let text = words::set_up::your_config_switches_chats_off_orchestrator(config.display());
    let buttons = [(NEXT, words::set_up::TURN_ON), (SKIP, words::buttons::SKIP), (LATER, words::buttons::LATER)];
    form(Step::Chats, words::set_up::CHATS_ARE_SWITCHED_OFF, &text, Body::Message, &buttons)
}

/// The first message.
pub fn message() -> Form {
    let body = Body::Entry { value: words::set_up::GREETING.to_owned() };
    let buttons = [(NEXT, words::buttons::SEND), (SKIP, words::buttons::SKIP), (LATER, words::buttons::LATER)];
    form(Step::FirstMessage, words::set_up::SAY_SOMETHING_TO_PALYRA, words::set_up::YOUR_FIRST_MESSAGE, body, &buttons)
}

/// The answer.
pub fn answered(answer: &str) -> Form {
    let mut text = String::from(words::set_up::IT_WORKS_THIS_IS_WHAT_PALYRA);
    let body = if answer.chars().count() <= SHORT_ANSWER && answer.lines().count() <= SHORT_ANSWER_LINES {
        text.push_str(&format!("\n\n{answer}"));
        Body::Message
    } else {
        Body::Document { document: answer.to_owned() }
    };
    form(Step::FirstMessage, words::set_up::PALYRA_ANSWERED, &text, body, &[(NEXT, "Go on")])
}

/// A bot?
pub fn discord_offer(state: &str) -> Form {
    let mut text = String::from(words::set_up::DO_YOU_WANT_TO_TALK);
    if !state.is_empty() && state != "not_connected" {
        text = words::set_up::discord_is_not_working(sentence(state), &text);
    }
    let buttons =
        [(CONNECT, words::set_up::CONNECT_DISCORD), (SKIP, words::set_up::NO_THANKS), (LATER, words::buttons::LATER)];
    let mut form = form(Step::Discord, words::set_up::DISCORD_OPTIONAL, &text, Body::Message, &buttons);
    form.focus = Some(SKIP.to_owned());
    form
}

/// The bot's token.
pub fn discord_token() -> Form {
    let text = words::set_up::PASTE_BOTS_TOKEN;
    form(
        Step::Discord,
        words::set_up::TOKEN_OF_BOT,
        text,
        Body::Password,
        &[(NEXT, words::set_up::LOOK_AT_BOT), (SKIP, words::buttons::BACK)],
    )
}

/// This bot?
pub fn discord_bot(answer: &DiscordAnswer) -> Form {
    let mut text = words::set_up::discord_knows_this_token(&answer.bot);
    if !answer.invite_url.is_empty() {
        text.push_str(&words::set_up::to_invite_it_to_server(&answer.invite_url));
    }
    for note in &answer.notes {
        text.push_str(&format!("\n\n{}", sentence(note)));
    }
    form(
        Step::Discord,
        words::set_up::CONNECT_THIS_BOT,
        &text,
        Body::Message,
        &[(CONNECT, words::set_up::CONNECT), (SKIP, words::buttons::BACK)],
    )
}

/// A channel to try it in.
pub fn discord_channel(answer: &DiscordAnswer) -> Form {
    let mut text = String::from(words::set_up::BOT_IS_CONNECTED);
    for note in &answer.notes {
        text.push_str(&format!("\n\n{}", sentence(note)));
    }
    let body = Body::Entry { value: String::new() };
    form(
        Step::Discord,
        words::set_up::TRY_BOT,
        &text,
        body,
        &[(NEXT, words::set_up::SEND_TEST_MESSAGE), (SKIP, words::buttons::SKIP)],
    )
}

/// Did it come?
pub fn notification_seen(buttons: bool) -> Form {
    let text = if buttons {
        words::set_up::TEST_NOTIFICATION_WAS_SENT_WHEN
    } else {
        words::set_up::TEST_NOTIFICATION_WAS_SENT
    };
    let buttons = [(NEXT, words::buttons::YES), (SKIP, words::buttons::NO), (LATER, words::buttons::LATER)];
    form(Step::Notifications, words::set_up::TEST_NOTIFICATION, text, Body::Message, &buttons)
}

/// It did not come.
pub fn notification_not_seen(server: &str) -> Form {
    let text = words::set_up::notification_was_handed(server);
    form(Step::Notifications, words::set_up::NO_NOTIFICATION, &text, Body::Message, &[(NEXT, "Go on")])
}

/// There is no server for them.
pub fn no_notifications(tray: bool) -> Form {
    let place = if tray { words::set_up::TRAY_MENU_DASHBOARD } else { words::set_up::DASHBOARD };
    let text = words::set_up::this_desktop_shows_no_notifications(place);
    form(Step::Notifications, words::set_up::NO_NOTIFICATIONS_HERE, &text, Body::Message, &[(NEXT, "Go on")])
}

/// Start on login?
pub fn autostart() -> Form {
    let text = words::set_up::SHALL_PALYRA_START_BY_ITSELF_WHENEVER;
    let buttons = [(NEXT, words::buttons::YES), (SKIP, words::buttons::NO), (LATER, words::buttons::LATER)];
    form(Step::Autostart, words::common::START_ON_LOGIN, text, Body::Message, &buttons)
}

/// The end: what works, and what was left out.
pub fn done(facts: &Facts, record: &Record) -> Form {
    let answered = record.answered_at_unix_ms.is_some();
    let mut text = String::from(if answered {
        words::set_up::PALYRA_IS_RUNNING_AND_ANSWERS
    } else if facts.setup.signed_in {
        words::set_up::PALYRA_IS_RUNNING
    } else {
        words::set_up::PALYRA_IS_NOT_RUNNING_YET
    });
    if !facts.setup.tray_present {
        text.push_str(&words::set_up::no_icon_is_shown(sentence(&facts.setup.tray)));
    }
    let left: Vec<_> = record.skipped.iter().map(|step| name(*step)).collect();
    if !left.is_empty() {
        let how = if facts.terminal {
            words::set_up::START_SETUP_AGAIN
        } else {
            words::set_up::CHOOSE_CONTINUE_SET_UP_IN_MENU
        };
        text.push_str(&words::set_up::left_out_to_go(left.join(", "), how));
    }
    let heading = if answered { words::set_up::PALYRA_IS_READY } else { words::set_up::NOT_FINISHED_YET };
    let buttons: &[_] = if facts.setup.signed_in {
        &[(OPEN_CHAT, words::common::OPEN_CHAT), (NEXT, words::buttons::CLOSE)]
    } else {
        &[(NEXT, words::buttons::CLOSE)]
    };
    let mut form = form(Step::Autostart, heading, &text, Body::Message, buttons);
    words::set_up::PALYRA_SET_UP.clone_into(&mut form.title);
    form
}

/// Something failed.
pub fn trouble(step: Step, why: &str) -> Form {
    let heading = match step {
        Step::Start => words::set_up::PALYRA_DID_NOT_START,
        Step::Chats => words::set_up::CHATS_COULD_NOT_BE_TURNED,
        Step::Connection => words::set_up::CONNECTION_DOES_NOT_WORK,
        Step::FirstMessage => words::set_up::NO_ANSWER,
        Step::Discord => words::set_up::DISCORD_IS_NOT_CONNECTED,
        Step::Notifications => words::set_up::NOTIFICATION_COULD_NOT_BE_SENT,
        Step::Autostart => words::set_up::START_ON_LOGIN_COULD,
        _ => words::set_up::THAT_DID_NOT_WORK,
    };
    let mut form = form(step, heading, &sentence(why), Body::Message, buttons_after(step));
    form.tone = Tone::Error;
    form
}

/// The person put the progress dialog away.
pub fn cancelled(step: Step) -> Form {
    let text = match step {
        Step::FirstMessage => words::set_up::MESSAGE_WAS_SENT,
        Step::Start => words::set_up::PALYRA_GOES_ON_STARTING_BY_ITSELF,
        _ => words::set_up::THIS_STEP_WAS_CANCELLED,
    };
    form(step, words::set_up::CANCELLED, text, Body::Message, buttons_after(step))
}

const fn buttons_after(step: Step) -> &'static [(&'static str, &'static str)] {
    match step {
        Step::Connection => &[
            (NEXT, words::common::TRY_AGAIN),
            (OTHER_KEY, words::set_up::OTHER_KEY),
            (SKIP, words::buttons::SKIP),
            (LATER, words::buttons::LATER),
        ],
        _ => &[(NEXT, words::common::TRY_AGAIN), (SKIP, words::buttons::SKIP), (LATER, words::buttons::LATER)],
    }
}

/// A progress dialog.
pub fn progress(step: Step, text: &str) -> Form {
    form(step, name(step), text, Body::Progress, &[(LATER, words::buttons::CANCEL)])
}

/// A few words for a step.
pub const fn name(step: Step) -> &'static str {
    match step {
        Step::Welcome => words::set_up::WELCOME,
        Step::Programs => words::common::PALYRAS_PROGRAMS,
        Step::Checks => words::set_up::CHECKS,
        Step::DataFolder => words::set_up::DATA_FOLDER,
        Step::Start => words::buttons::START,
        Step::Provider => words::common::MODEL_PROVIDER,
        Step::Chats => words::common::CHATS,
        Step::Connection => words::set_up::CONNECTION,
        Step::FirstMessage => words::common::FIRST_MESSAGE,
        Step::Discord => "Discord",
        Step::Notifications => words::common::NOTIFICATIONS,
        Step::Autostart => words::common::START_ON_LOGIN,
    }
}

fn form(step: Step, heading: &str, text: &str, body: Body, buttons: &[(&str, &str)]) -> Form {
    Form {
        title: words::set_up::palyra_set_up_step(step.number(), Step::ALL.len()),
        heading: heading.to_owned(),
        text: text.to_owned(),
        body,
        buttons: buttons.iter().map(|(id, label)| DialogButton::new(id, label)).collect(),
        focus: buttons.first().map(|(id, _)| (*id).to_owned()),
        tone: Tone::Info,
    }
}

fn choice(id: &str, label: &str, detail: &str) -> Choice {
    Choice { id: id.to_owned(), label: label.to_owned(), detail: detail.to_owned() }
}

fn with_trouble(trouble: Option<&str>, text: &str) -> String {
    trouble.map_or_else(|| text.to_owned(), |why| format!("{}\n\n{text}", sentence(why)))
}

const fn tone(trouble: Option<&str>) -> Tone {
    if trouble.is_some() { Tone::Warning } else { Tone::Info }
}
