//! Every word of the set-up, screen by screen. Plain and short: what this is, what happened, what to do.

use std::path::Path;

use super::{Facts, Finding, ProgramFolder, Record, Step};
use crate::core::dialog::{Body, Choice, DialogButton, Form, Tone};
use crate::core::text::sentence;
use crate::protocol::setup::{DiscordAnswer, Provider, ProviderFacts};

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
/// Choice: a folder that is not in the list.
pub const ANOTHER: &str = "another folder";
/// Choice: sign in with the browser.
pub const BROWSER: &str = "browser";
/// Choice: enter a key.
const KEY: &str = "key";

/// Said when nothing was chosen.
pub const CHOOSE_ONE: &str = "Choose one of them.";
/// What a message is filled in with.
pub const GREETING: &str = "Hello! What can you do for me?";
/// An answer of the agent that makes no sense.
pub const NOT_UNDERSTOOD: &str = "The agent's answer was not understood. Restart Palyra Tray and try again.";
/// Something was done and changed nothing.
pub const NO_EFFECT: &str = "This was done, but nothing has changed. 'Run checks' in the tray menu tells more.";
/// Progress.
pub const STARTING: &str = "Starting Palyra. The first start takes a little longer.";
/// Progress.
pub const LOOKING: &str = "Looking at the folder.";
/// Progress.
pub const TURNING_ON: &str = "Turning chats on in Palyra's config and restarting the gateway.";
/// Progress.
pub const WAITING_FOR_ANSWER: &str = "Waiting for the answer. This takes some seconds. If Palyra asks for your permission meanwhile, a notification says so.";
/// Progress.
pub const SIGNING_IN: &str = "Opening the sign-in page in your browser.";
/// Progress.
pub const NOTIFYING: &str = "Sending a test notification.";
/// Progress.
pub const AUTOSTART: &str = "Setting up the start on login.";
/// Progress.
pub const DISCORD_LOOKING: &str = "Asking Discord about the bot.";
/// Progress.
pub const DISCORD_CONNECTING: &str = "Connecting the bot. This can take half a minute, and the gateway may restart.";
/// Progress.
pub const DISCORD_SENDING: &str = "Sending a test message.";

/// What this is about.
pub fn welcome(demo: bool) -> Form {
    let text = "Palyra runs AI agents on this computer. In a few steps it will be running and have answered your first \
                message. You need a key or an account of OpenAI, Anthropic or MiniMax.\n\nYou can stop at any step and go \
                on later from the tray menu.";
    let text = if demo {
        format!("This is the demo: nothing is real, and any key will do.\n\n{text}")
    } else {
        text.to_owned()
    };
    form(Step::Welcome, "Welcome to Palyra", &text, Body::Message, &[(NEXT, "Start"), (LATER, "Later")])
}

/// Nothing was found by itself.
pub fn no_folder(problem: &str) -> Form {
    let text = format!(
        "{} Install Palyra, or unpack its archive, and then choose the folder that holds palyrad.",
        sentence(problem)
    );
    let buttons = [(PICK, "Choose folder…"), (NEXT, "Look again"), (LATER, "Later")];
    form(Step::Programs, "Where is Palyra?", text.trim(), Body::Message, &buttons)
}

/// Which of the folders that were found; `trouble`: what came of the last choice.
pub fn folders(folders: &[ProgramFolder], trouble: Option<&str>) -> Form {
    let mut choices: Vec<_> = folders
        .iter()
        .map(|found| {
            let detail = match &found.problem {
                Some(problem) => sentence(problem),
                None => format!("from {}", found.from),
            };
            choice(&found.folder.to_string_lossy(), &found.folder.to_string_lossy(), &detail)
        })
        .collect();
    choices.push(choice(ANOTHER, "Another folder…", ""));
    let best = folders.iter().find(|found| found.problem.is_none());
    let selected = best.map_or_else(|| ANOTHER.to_owned(), |found| found.folder.to_string_lossy().into_owned());
    let text = with_trouble(trouble, "Palyra Tray starts palyrad and its helpers from this folder, and remembers it.");
    let body = Body::Choose { choices, selected: Some(selected) };
    let mut form = form(Step::Programs, "Where is Palyra?", &text, body, &[(NEXT, "Use"), (LATER, "Later")]);
    form.tone = tone(trouble);
    form
}

/// Picks the folder with the programs.
pub fn pick_programs() -> Form {
    let body = Body::Folder { start: "/".into() };
    form(Step::Programs, "Folder with palyrad", "", body, &[(NEXT, "Use"), (SKIP, "Back")])
}

/// What the checks found.
pub fn findings(findings: &[Finding]) -> Form {
    let mut text = String::from("You can go on, but these may get in the way:");
    for finding in findings {
        text.push_str(&format!("\n\n{}: {} {}", finding.title, sentence(&finding.evidence), sentence(&finding.remedy)));
    }
    let heading = if findings.len() == 1 { "One thing about this computer" } else { "Some things about this computer" };
    let buttons = [(NEXT, "Go on"), (SKIP, "Check again"), (LATER, "Later")];
    form(Step::Checks, heading, &text, Body::Message, &buttons)
}

/// Where the data go.
pub fn data_folder(folder: &Path, trouble: Option<&str>) -> Form {
    let words = format!("Palyra keeps conversations, memory and logs in this folder:\n\n{}", folder.display());
    let buttons = [(NEXT, "Use this folder"), (PICK, "Choose another…"), (LATER, "Later")];
    let mut form =
        form(Step::DataFolder, "Where to keep your data", &with_trouble(trouble, &words), Body::Message, &buttons);
    form.tone = tone(trouble);
    form
}

/// Picks the data folder.
pub fn pick_data_folder(current: &Path) -> Form {
    let start = current.ancestors().nth(2).unwrap_or(current).to_owned();
    form(Step::DataFolder, "Folder for your data", "", Body::Folder { start }, &[(NEXT, "Use"), (SKIP, "Back")])
}

/// Which provider.
pub fn providers(known: &[ProviderFacts], chosen: Option<Provider>, trouble: Option<&str>) -> Form {
    let choices = Provider::ALL
        .into_iter()
        .map(|provider| {
            let facts = known.iter().find(|one| one.provider == provider);
            let detail = match facts {
                Some(facts) if facts.configured => "connected",
                Some(facts) if facts.sign_in => "API key or sign-in with the browser",
                _ => "API key",
            };
            choice(provider.id(), provider.name(), detail)
        })
        .collect();
    let selected = chosen.unwrap_or(Provider::Openai).id().to_owned();
    let text = with_trouble(trouble, "Palyra needs a language model to answer you. Whose do you use?");
    let body = Body::Choose { choices, selected: Some(selected) };
    let buttons = [(NEXT, "Go on"), (SKIP, "Skip"), (LATER, "Later")];
    let mut form = form(Step::Provider, "Model provider", &text, body, &buttons);
    form.tone = tone(trouble);
    form
}

/// Key or browser.
pub fn how(provider: Provider) -> Form {
    let choices = vec![
        choice(KEY, "Enter an API key", "from your account page"),
        choice(BROWSER, "Sign in with the browser", "a page opens"),
    ];
    let text = format!("How do you want to connect {}?", provider.name());
    let body = Body::Choose { choices, selected: Some(KEY.to_owned()) };
    form(Step::Provider, provider.name(), &text, body, &[(NEXT, "Go on"), (SKIP, "Back")])
}

/// The key.
pub fn key(provider: Provider, trouble: Option<&str>) -> Form {
    let words = format!(
        "Paste your {} API key. It goes straight to Palyra's vault on this computer; it is not shown and not logged.",
        provider.name()
    );
    let heading = format!("{} API key", provider.name());
    let text = with_trouble(trouble, &words);
    let mut form = form(Step::Provider, &heading, &text, Body::Password, &[(NEXT, "Check key"), (SKIP, "Back")]);
    form.tone = tone(trouble);
    form
}

/// Progress.
pub fn checking_key(provider: Provider) -> String {
    format!("Checking the key with {}.", provider.name())
}

/// Progress.
pub fn signing_in(provider: Provider, address: Option<&str>, note: &str) -> String {
    let name = provider.name();
    let mut text = match address {
        None => format!("Sign in to {name} on the page that opened in your browser. Then this goes on by itself."),
        Some(address) => {
            format!(
                "Sign in to {name} in a browser on this computer. Then this goes on by itself. The page is:\n{address}"
            )
        }
    };
    if !note.is_empty() {
        text.push_str(&format!("\n{}", sentence(note)));
    }
    text
}

/// The id of the person's own application.
pub fn client_id(provider: Provider) -> Form {
    let text = format!(
        "{name} lets only registered applications sign in. Enter the client ID of your own OAuth application. Without one, \
         go back and use an API key.",
        name = provider.name()
    );
    let heading = format!("{} client ID", provider.name());
    form(Step::Provider, &heading, &text, Body::Entry { value: String::new() }, &[(NEXT, "Go on"), (SKIP, "Back")])
}

/// Its secret, which not every application has.
pub fn client_secret(provider: Provider) -> Form {
    let text =
        "Paste the application's client secret, or leave it empty if it has none. It is not shown and not logged.";
    let heading = format!("{} client secret", provider.name());
    form(Step::Provider, &heading, text, Body::Password, &[(NEXT, "Sign in"), (SKIP, "Back")])
}

/// Progress.
pub fn testing(provider: Provider) -> String {
    format!("Testing the connection to {}.", provider.name())
}

/// The config says that chats are off.
pub fn chats_off(config: &Path) -> Form {
    let text = format!(
        "Your config {} switches chats off (orchestrator.runloop_v1_enabled = false). Palyra answers messages only with it \
         on.",
        config.display()
    );
    let buttons = [(NEXT, "Turn on"), (SKIP, "Skip"), (LATER, "Later")];
    form(Step::Chats, "Chats are switched off", &text, Body::Message, &buttons)
}

/// The first message.
pub fn message() -> Form {
    let body = Body::Entry { value: GREETING.to_owned() };
    let buttons = [(NEXT, "Send"), (SKIP, "Skip"), (LATER, "Later")];
    form(Step::FirstMessage, "Say something to Palyra", "Your first message:", body, &buttons)
}

/// The answer.
pub fn answered(answer: &str) -> Form {
    let mut text = String::from("It works. This is what Palyra said:");
    let body = if answer.chars().count() <= SHORT_ANSWER && answer.lines().count() <= SHORT_ANSWER_LINES {
        text.push_str(&format!("\n\n{answer}"));
        Body::Message
    } else {
        Body::Document { document: answer.to_owned() }
    };
    form(Step::FirstMessage, "Palyra answered", &text, body, &[(NEXT, "Go on")])
}

/// A bot?
pub fn discord_offer(state: &str) -> Form {
    let mut text = String::from("Do you want to talk to Palyra on Discord too? You need the token of a Discord bot.");
    if !state.is_empty() && state != "not_connected" {
        text = format!("Discord is not working: {} {text}", sentence(state));
    }
    let buttons = [(CONNECT, "Connect Discord…"), (SKIP, "No, thanks"), (LATER, "Later")];
    let mut form = form(Step::Discord, "Discord (optional)", &text, Body::Message, &buttons);
    form.focus = Some(SKIP.to_owned());
    form
}

/// The bot's token.
pub fn discord_token() -> Form {
    let text = "Paste the bot's token, from its page in Discord's developer portal. It is not shown and not logged.";
    form(Step::Discord, "Token of the bot", text, Body::Password, &[(NEXT, "Look at the bot"), (SKIP, "Back")])
}

/// This bot?
pub fn discord_bot(answer: &DiscordAnswer) -> Form {
    let mut text = format!("Discord knows this token: the bot is called {}.", answer.bot);
    if !answer.invite_url.is_empty() {
        text.push_str(&format!("\n\nTo invite it to a server, open:\n{}", answer.invite_url));
    }
    for note in &answer.notes {
        text.push_str(&format!("\n\n{}", sentence(note)));
    }
    form(Step::Discord, "Connect this bot?", &text, Body::Message, &[(CONNECT, "Connect"), (SKIP, "Back")])
}

/// A channel to try it in.
pub fn discord_channel(answer: &DiscordAnswer) -> Form {
    let mut text =
        String::from("The bot is connected. To try it, enter the ID of a channel it may write to (16 to 24 digits).");
    for note in &answer.notes {
        text.push_str(&format!("\n\n{}", sentence(note)));
    }
    let body = Body::Entry { value: String::new() };
    form(Step::Discord, "Try the bot", &text, body, &[(NEXT, "Send a test message"), (SKIP, "Skip")])
}

/// Did it come?
pub fn notification_seen(buttons: bool) -> Form {
    let text = if buttons {
        "A test notification was sent. When an agent needs your permission, it comes like this, with buttons to decide. \
         Did you see it?"
    } else {
        "A test notification was sent. This desktop shows no buttons in notifications, so you decide approvals in the \
         dashboard. Did you see it?"
    };
    let buttons = [(NEXT, "Yes"), (SKIP, "No"), (LATER, "Later")];
    form(Step::Notifications, "Test notification", text, Body::Message, &buttons)
}

/// It did not come.
pub fn notification_not_seen(server: &str) -> Form {
    let text = format!(
        "The notification was handed to {server}. Look whether Do Not Disturb is on, or notifications of Palyra Tray are \
         switched off in the system's settings. Until then approvals wait in the menu and the dashboard."
    );
    form(Step::Notifications, "No notification", &text, Body::Message, &[(NEXT, "Go on")])
}

/// There is no server for them.
pub fn no_notifications(tray: bool) -> Form {
    let place = if tray { "the tray menu, the dashboard" } else { "the dashboard" };
    let text = format!(
        "This desktop shows no notifications: none of its programs offers that service. Approvals wait in {place} and \
         'palyra-tray approvals list'. To get notifications, install a notification server such as dunst."
    );
    form(Step::Notifications, "No notifications here", &text, Body::Message, &[(NEXT, "Go on")])
}

/// Start on login?
pub fn autostart() -> Form {
    let text = "Shall Palyra start by itself whenever you log in? You can change it in the tray menu.";
    let buttons = [(NEXT, "Yes"), (SKIP, "No"), (LATER, "Later")];
    form(Step::Autostart, "Start on login", text, Body::Message, &buttons)
}

/// The end: what works, and what was left out.
pub fn done(facts: &Facts, record: &Record) -> Form {
    let answered = record.answered_at_unix_ms.is_some();
    let mut text = String::from(if answered {
        "Palyra is running and answers. It lives in the tray; chats and everything else are in the dashboard."
    } else if facts.setup.signed_in {
        "Palyra is running, but it cannot answer yet."
    } else {
        "Palyra is not running yet."
    });
    if !facts.setup.tray_present {
        text.push_str(&format!(
            "\n\nNo icon is shown: {} Start Palyra Tray again to get its menu as a window.",
            sentence(&facts.setup.tray)
        ));
    }
    let left: Vec<_> = record.skipped.iter().map(|step| name(*step)).collect();
    if !left.is_empty() {
        let how = if facts.terminal { "Start palyra-tray setup again" } else { "Choose Continue set-up in the menu" };
        text.push_str(&format!("\n\nLeft out: {}. {how} to go on.", left.join(", ")));
    }
    let heading = if answered { "Palyra is ready" } else { "Not finished yet" };
    let buttons: &[_] =
        if facts.setup.signed_in { &[(OPEN_CHAT, "Open chat"), (NEXT, "Close")] } else { &[(NEXT, "Close")] };
    let mut form = form(Step::Autostart, heading, &text, Body::Message, buttons);
    "Palyra set-up".clone_into(&mut form.title);
    form
}

/// Something failed.
pub fn trouble(step: Step, why: &str) -> Form {
    let heading = match step {
        Step::Start => "Palyra did not start",
        Step::Chats => "Chats could not be turned on",
        Step::Connection => "The connection does not work",
        Step::FirstMessage => "No answer",
        Step::Discord => "Discord is not connected",
        Step::Notifications => "The notification could not be sent",
        Step::Autostart => "The start on login could not be changed",
        _ => "That did not work",
    };
    let mut form = form(step, heading, &sentence(why), Body::Message, buttons_after(step));
    form.tone = Tone::Error;
    form
}

/// The person put the progress dialog away.
pub fn cancelled(step: Step) -> Form {
    let text = match step {
        Step::FirstMessage => "The message was sent; its answer will be in the chat. Send one again?",
        Step::Start => "Palyra goes on starting by itself.",
        _ => "This step was cancelled.",
    };
    form(step, "Cancelled", text, Body::Message, buttons_after(step))
}

const fn buttons_after(step: Step) -> &'static [(&'static str, &'static str)] {
    match step {
        Step::Connection => &[(NEXT, "Try again"), (OTHER_KEY, "Other key…"), (SKIP, "Skip"), (LATER, "Later")],
        _ => &[(NEXT, "Try again"), (SKIP, "Skip"), (LATER, "Later")],
    }
}

/// A progress dialog.
pub fn progress(step: Step, text: &str) -> Form {
    form(step, name(step), text, Body::Progress, &[(LATER, "Cancel")])
}

/// A few words for a step.
pub const fn name(step: Step) -> &'static str {
    match step {
        Step::Welcome => "Welcome",
        Step::Programs => "Palyra's programs",
        Step::Checks => "Checks",
        Step::DataFolder => "Data folder",
        Step::Start => "Start",
        Step::Provider => "Model provider",
        Step::Chats => "Chats",
        Step::Connection => "Connection",
        Step::FirstMessage => "First message",
        Step::Discord => "Discord",
        Step::Notifications => "Notifications",
        Step::Autostart => "Start on login",
    }
}

fn form(step: Step, heading: &str, text: &str, body: Body, buttons: &[(&str, &str)]) -> Form {
    Form {
        title: format!("Palyra set-up, step {} of {}", step.number(), Step::ALL.len()),
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
