//! The set-up, and connecting a model provider.

pub mod discord;

use std::fmt::Display;

pub const MEND_IT_THEN_START_SET_UP: &str = "Mend it, then start the set-up again.";
pub const SET_UP_IS_OPEN_IN_ANOTHER: &str =
    "The set-up is open in another window or terminal. Go on there, or close it first.";
pub const SET_UP_IS_OPEN_ALREADY: &str = "The set-up is open already";
pub const SET_UP_STARTS_ANEW: &str = "The set-up starts anew";
pub const GO_ON_WHENEVER_YOU_LIKE: &str = "Go on whenever you like: palyra-tray setup\n";

pub fn what_you_have_set_up(error: impl Display) -> String {
    format!("what you have set up so far cannot be kept: {error}")
}

pub const MAKE_ROOM_ON_DISK_OR_MEND: &str =
    "Free some space on the disk or mend its permissions, then start the set-up again.";
pub const THIS_STEP_ENDED_EARLY: &str = "this step ended early";
pub const START_IT: &str = "Start it";
pub const START_PALYRA_TRAY: &str = "Start Palyra Tray?";
pub const PALYRA_TRAY_IS_NOT_RUNNING: &str =
    "Palyra Tray is not running. It keeps Palyra running in the background, and the set-up needs it.";
pub const START_IT_YOURSELF: &str = "Start it yourself: palyra-tray run";

pub fn agent_cannot_be_started(error: impl Display) -> String {
    format!("Palyra Tray cannot be started: {error}")
}

pub fn agent_ended_at_once(status: impl Display) -> String {
    format!("Palyra Tray ended at once ({status})")
}

pub const AGENT_WAS_STARTED_BUT_DOES: &str = "Palyra Tray was started but does not answer";
pub const ANOTHER: &str = "another folder";
pub const CHOOSE_ONE: &str = "Choose one of them.";
pub const GREETING: &str = "Hello! What can you do for me?";
pub const NOT_UNDERSTOOD: &str = "Palyra Tray's answer was not understood. Restart Palyra Tray and try again.";
pub const NO_EFFECT: &str = "This was done, but nothing has changed. “Run checks” in the tray menu tells more.";
pub const STARTING: &str = "Starting Palyra… The first start takes a little longer.";
pub const LOOKING: &str = "Looking at the folder…";
pub const TURNING_ON: &str = "Switching chats on in Palyra's config, and restarting the gateway…";
pub const WAITING_FOR_ANSWER: &str = "Waiting for the answer… This takes some seconds. If Palyra asks for your \
     permission meanwhile, a notification says so.";
pub const SIGNING_IN: &str = "Opening the sign-in page in your browser…";
pub const NOTIFYING: &str = "Sending a test notification…";
pub const AUTOSTART: &str = "Setting up the start on login…";
pub const DISCORD_LOOKING: &str = "Asking Discord about the bot…";
pub const DISCORD_CONNECTING: &str = "Connecting the bot… This can take half a minute, and the gateway may restart.";
pub const DISCORD_SENDING: &str = "Sending a test message…";
pub const PALYRA_RUNS_AI_AGENTS: &str = "Palyra runs AI agents on this machine. In a few steps it will be running and \
     have answered your first message. You need a key or an account of OpenAI, Anthropic or MiniMax.\n\nYou can stop \
     at any step and go on later from the tray menu.";

pub fn this_is_demo(text: impl Display) -> String {
    format!("This is the demo: nothing is real, and any key will do.\n\n{text}")
}

pub const WELCOME_TO_PALYRA: &str = "Welcome to Palyra";

pub fn install_palyra_or_unpack_its_archive(problem: impl Display) -> String {
    format!("{problem} Install Palyra, or unpack its archive, and then choose the folder that holds palyrad.")
}

pub const CHOOSE_FOLDER: &str = "Choose folder…";
pub const ANOTHER_FOLDER: &str = "Another folder…";
pub const PALYRA_TRAY_STARTS_PALYRAD: &str =
    "Palyra Tray starts palyrad and its helpers from this folder, and remembers it.";
pub const WHERE_IS_PALYRA: &str = "Where is Palyra?";
pub const FOLDER_WITH_PALYRAD: &str = "Folder with palyrad";
pub const YOU_CAN_GO: &str = "You can go on, but these may get in the way:";
pub const ONE_THING_ABOUT_THIS_COMPUTER: &str = "One thing about this machine";
pub const SOME_THINGS_ABOUT_THIS_COMPUTER: &str = "Some things about this machine";

pub fn palyra_keeps_conversations(folder: impl Display) -> String {
    format!("Palyra keeps conversations, memory and logs in this folder:\n\n{folder}")
}

pub const USE_THIS_FOLDER: &str = "Use this folder";
pub const CHOOSE_ANOTHER: &str = "Choose another…";
pub const WHERE_TO_KEEP_YOUR_DATA: &str = "Where to keep your data";
pub const FOLDER_FOR_YOUR_DATA: &str = "Folder for your data";
pub const API_KEY_OR_SIGN_IN: &str = "API key or sign-in with the browser";
pub const API_KEY: &str = "API key";
pub const PALYRA_NEEDS_LANGUAGE_MODEL_TO_ANSWER: &str =
    "Palyra needs a language model to answer you. Whose do you use?";
pub const ENTER_API_KEY: &str = "Enter an API key";
pub const FROM_YOUR_ACCOUNT_PAGE: &str = "from your account page";
pub const SIGN_IN_WITH_BROWSER: &str = "Sign in with the browser";
pub const PAGE_OPENS: &str = "a page opens";

pub fn how_do_you_want_to_connect(name: impl Display) -> String {
    format!("How do you want to connect {name}?")
}

pub fn paste_your_api_key(name: impl Display) -> String {
    format!(
        "Paste your {name} API key. It goes straight to Palyra's vault on this machine; it is not shown and not logged."
    )
}

pub fn api_key(name: impl Display) -> String {
    format!("{name} API key")
}

pub const CHECK_KEY: &str = "Check key";

pub fn checking_key(name: impl Display) -> String {
    format!("Checking the key with {name}…")
}

pub fn sign_in_to_on_page(name: impl Display) -> String {
    format!("Sign in to {name} on the page that opened in your browser. Then this goes on by itself.")
}

pub fn sign_in_to_in_browser(name: impl Display, address: impl Display) -> String {
    format!("Sign in to {name} in a browser on this machine. Then this goes on by itself. The page is:\n{address}")
}

pub fn lets_only_registered_applications_sign(name: impl Display) -> String {
    format!(
        "{name} lets only registered applications sign in. Enter the client ID of your own OAuth application. Without \
         one, go back and use an API key."
    )
}

pub fn client_id(name: impl Display) -> String {
    format!("{name} client ID")
}

pub const PASTE_APPLICATIONS_CLIENT_SECRET: &str =
    "Paste the application's client secret, or leave it empty if it has none. It is not shown and not logged.";

pub fn client_secret(name: impl Display) -> String {
    format!("{name} client secret")
}

pub const SIGN_IN: &str = "Sign in";

pub fn testing_connection(name: impl Display) -> String {
    format!("Testing the connection to {name}…")
}

pub fn your_config_switches_chats_off_orchestrator(config: impl Display) -> String {
    format!(
        "Your config {config} switches chats off (orchestrator.runloop_v1_enabled = false). Palyra answers messages \
         only with it on."
    )
}

pub const TURN_ON: &str = "Switch on";
pub const CHATS_ARE_SWITCHED_OFF: &str = "Chats are switched off";
pub const SAY_SOMETHING_TO_PALYRA: &str = "Say something to Palyra";
pub const YOUR_FIRST_MESSAGE: &str = "Your first message:";
pub const IT_WORKS_THIS_IS_WHAT_PALYRA: &str = "It works. This is what Palyra said:";
pub const PALYRA_ANSWERED: &str = "Palyra answered";
pub const DO_YOU_WANT_TO_TALK: &str =
    "Do you want to talk to Palyra on Discord too? You need the token of a Discord bot.";

pub fn discord_is_not_working(state: impl Display, text: impl Display) -> String {
    format!("Discord is not working: {state} {text}")
}

pub const CONNECT_DISCORD: &str = "Connect Discord…";
pub const NO_THANKS: &str = "No, thanks";
pub const DISCORD_OPTIONAL: &str = "Discord (optional)";
pub const PASTE_BOTS_TOKEN: &str =
    "Paste the bot's token, from its page in Discord's developer portal. It is not shown and not logged.";
pub const TOKEN_OF_BOT: &str = "Token of the bot";
pub const LOOK_AT_BOT: &str = "Look at the bot";

pub fn discord_knows_this_token(bot: impl Display) -> String {
    format!("Discord knows this token: the bot is called {bot}.")
}

pub fn to_invite_it_to_server(invite_url: impl Display) -> String {
    format!("\n\nTo invite it to a server, open:\n{invite_url}")
}

pub const CONNECT_THIS_BOT: &str = "Connect this bot?";
pub const BOT_IS_CONNECTED: &str =
    "The bot is connected. To try it, enter the ID of a channel it may write to (16 to 24 digits).";
pub const TRY_BOT: &str = "Try the bot";
pub const SEND_TEST_MESSAGE: &str = "Send a test message";
pub const TEST_NOTIFICATION_WAS_SENT_WHEN: &str = "A test notification was sent. When an agent needs your permission, \
     it comes like this, with buttons to decide. Did you see it?";
pub const TEST_NOTIFICATION_WAS_SENT: &str = "A test notification was sent. This desktop shows no buttons in \
     notifications, so you decide approvals in the dashboard. Did you see it?";
pub const TEST_NOTIFICATION: &str = "Test notification";

pub fn notification_was_handed(server: impl Display) -> String {
    format!(
        "The notification was handed to {server}. Look whether Do Not Disturb is on, or notifications of Palyra Tray \
         are switched off in the system's settings. Until then approvals wait in the menu and the dashboard."
    )
}

pub const NO_NOTIFICATION: &str = "No notification";
pub const TRAY_MENU_DASHBOARD: &str = "the tray menu, the dashboard";
pub const DASHBOARD: &str = "the dashboard";

pub fn this_desktop_shows_no_notifications(place: impl Display) -> String {
    format!(
        "This desktop shows no notifications: none of its programs offers that service. Approvals wait in {place} and \
         palyra-tray approvals list. To get notifications, install a notification server such as dunst."
    )
}

pub const NO_NOTIFICATIONS_HERE: &str = "No notifications here";
pub const SHALL_PALYRA_START_BY_ITSELF_WHENEVER: &str =
    "Shall Palyra start by itself whenever you log in? You can change it in the tray menu.";
pub const PALYRA_IS_RUNNING_AND_ANSWERS: &str =
    "Palyra is running and answers. It lives in the tray; chats and everything else are in the dashboard.";
pub const PALYRA_IS_RUNNING: &str = "Palyra is running, but it cannot answer yet.";
pub const PALYRA_IS_NOT_RUNNING_YET: &str = "Palyra is not running yet.";

pub fn no_icon_is_shown(facts: impl Display) -> String {
    format!("\n\nNo icon is shown: {facts} Start Palyra Tray again to get its menu as a window.")
}

pub const START_SETUP_AGAIN: &str = "Run palyra-tray setup again";
pub const CHOOSE_CONTINUE_SET_UP_IN_MENU: &str = "Choose “Continue set-up” in the menu";

pub fn left_out_to_go(left: impl Display, how: impl Display) -> String {
    format!("\n\nLeft out: {left}. {how} to go on.")
}

pub const PALYRA_IS_READY: &str = "Palyra is ready";
pub const NOT_FINISHED_YET: &str = "Not finished yet";
pub const PALYRA_SET_UP: &str = "Palyra set-up";
pub const PALYRA_DID_NOT_START: &str = "Palyra did not start";
pub const CHATS_COULD_NOT_BE_TURNED: &str = "Chats could not be switched on";
pub const CONNECTION_DOES_NOT_WORK: &str = "The connection does not work";
pub const NO_ANSWER: &str = "No answer";
pub const DISCORD_IS_NOT_CONNECTED: &str = "Discord is not connected";
pub const NOTIFICATION_COULD_NOT_BE_SENT: &str = "The notification could not be sent";
pub const START_ON_LOGIN_COULD: &str = "The start on login could not be changed";
pub const THAT_DID_NOT_WORK: &str = "That did not work";
pub const MESSAGE_WAS_SENT: &str = "The message was sent; its answer will be in the chat. Send one again?";
pub const PALYRA_GOES_ON_STARTING_BY_ITSELF: &str = "Palyra goes on starting by itself.";
pub const THIS_STEP_WAS_CANCELLED: &str = "This step was cancelled.";
pub const OTHER_KEY: &str = "Other key…";
pub const DATA_FOLDER: &str = "Data folder";

pub fn palyra_set_up_step(number: impl Display, count: impl Display) -> String {
    format!("Palyra set-up, step {number} of {count}")
}

pub const DATA_FOLDER_CANNOT_BE_CHANGED_WHILE: &str = "the data folder cannot be changed while Palyra runs";
pub const STOP_IT_FIRST: &str = "Stop it first: palyra-tray stop";
pub const NO_NOTIFICATION_SERVER_ANSWERS: &str = "no notification server answers on this desktop";
pub const INSTALL_ONE_FOR_EXAMPLE_DUNST: &str = "Install one, for example dunst.";
pub const IT_WORKS: &str = "It works";

pub fn has_no_sign_in_in_browser(who: impl Display) -> String {
    format!("{who} has no sign-in in the browser. Use a key instead.")
}

pub const THAT_IS_NOT_ID_OF_SIGN: &str = "That is not the ID of a sign-in.";
pub const GATEWAY_NO_LONGER_KNOWS_THIS_SIGN: &str =
    "The gateway no longer knows this sign-in: it was restarted, or too much time has passed. Begin it again.";

pub fn connection_to_works(who: impl Display) -> String {
    format!("The connection to {who} works.")
}

pub const GATEWAY_GETS_TOO_MANY_REQUESTS_RIGHT: &str =
    "The gateway gets too many requests right now. Wait a moment and try again.";
pub const GATEWAY_IS_NOT_READY: &str = "The gateway is not ready for this right now. Wait a moment and try again.";

pub fn gateway_uses_only_after_restart(who: impl Display) -> String {
    format!("The gateway uses {who} only after a restart. Restart the gateway, then try again.")
}

pub fn is_not_connected_yet(who: impl Display) -> String {
    format!("{who} is not connected yet. Enter a key first, then try again.")
}

pub fn lets_people_sign_in_only_through(who: impl Display) -> String {
    format!("{who} lets people sign in only through an application of their own: enter its client ID, or use a key.")
}

pub fn no_key_was_entered(who: impl Display) -> String {
    format!("No key was entered. Enter the one from {who}.")
}

pub fn that_does_not_look_like_key(who: impl Display) -> String {
    format!("That does not look like a key: it is too long, or has characters that no key of {who} has.")
}

pub fn copy_it_again(message: impl Display) -> String {
    format!("{message} Copy it again.")
}

pub fn from(found: impl Display) -> String {
    format!("from {found}")
}

pub const CONNECT: &str = "Connect";
pub const CANCELLED: &str = "Cancelled";
pub const WELCOME: &str = "Welcome";
pub const CHECKS: &str = "Checks";
pub const CONNECTION: &str = "Connection";
pub const NOTED: &str = "Noted.";
pub const SENT: &str = "Sent.";
pub const FOLDER_IS_KEPT: &str = "The folder is kept.";
pub const TRY_AGAIN: &str = "Try again.";
pub const CHOOSE_FOLDER_BY_ITS_WHOLE_PATH: &str = "choose a folder by its whole path, from the root on";
pub const PALYRA_HAS_DATA_ALREADY: &str =
    "Palyra has data already, and a folder in use is not changed; go on without this step";

pub fn this_folder_cannot_be_used(error: impl Display) -> String {
    format!("this folder cannot be used: {error}; choose another one")
}

pub fn folder_cannot_be_remembered(error: impl Display) -> String {
    format!("the folder cannot be remembered: {error}")
}

pub fn write_these_two_lines_into_yourself(error: impl Display, config: impl Display) -> String {
    format!("{error}. Write these two lines into {config} yourself: [orchestrator] and runloop_v1_enabled = true")
}

pub fn key_was_not_sent(error: impl Display) -> String {
    format!("{error}. The key was not sent, because Anthropic's address cannot be set in that file.")
}

pub fn s_sign_in_page(name: impl Display, why: impl Display) -> String {
    format!("{name}'s sign-in page is not one to trust. {why}")
}

pub const USE_KEY_INSTEAD: &str = "Use a key instead.";
