//! What the command line says of its commands and options: `--help`, and what a shell shows beside a completion.

// --- Palyra Tray ---

pub const PALYRA_TRAY: &str = "Keeps Palyra running, shows how it is, and brings its approvals to you";
pub const WITHOUT_COMMAND: &str = "Without a command: run";

// --- what several commands have ---

pub const AS_JSON: &str = "As JSON";
pub const RECORD_AS_JSON: &str = "As JSON, with the digest that approve needs";
pub const ANSWER_AS_JSON: &str = "Answer as JSON";
pub const IN_WINDOW: &str = "In a window";
pub const IN_WINDOWS_ONLY: &str = "In windows only";
pub const SESSION: &str = "Id or key of the session; else the one that was used last";
pub const NEW_SESSION: &str = "In a new session";
pub const NO_WAIT: &str = "Do not wait for the answer: it comes as a notification";
pub const VERBOSE: &str = "More words in the log";

// --- run ---

pub const RUN: &str = "Start Palyra Tray (a second start shows the first)";
pub const RUN_NO_TRAY: &str = "No icon and no notifications: Palyra is kept running, and the command line works";
pub const RUN_NO_START: &str = "Start no service before it is asked for";
pub const RUN_NO_SET_UP: &str = "Do not open the set-up, even when nothing was ever set up here";
pub const RUN_ENV: &str = "NAME=VALUE: a variable of ours, for a login entry that has no other way to give it";

// --- demo ---

pub const DEMO: &str = "Show everything with built-in stand-ins, on a machine without Palyra";
pub const DEMO_NO_TRAY: &str = "No icon and no notifications";
pub const DEMO_STATE: &str = "Keep the demo's data in this folder instead of a temporary one";

// --- status ---

pub const STATUS: &str = "How it is";
pub const STATUS_JSON: &str = "Everything, as JSON; with --watch a line each time";
pub const STATUS_WATCH: &str = "Stay, and show what changes";
pub const STATUS_DIAGNOSTICS: &str = "What to send to whoever helps: asks the gateway first, holds no secret";
pub const STATUS_COPY: &str = "Into the clipboard, or a file where there is none";

// --- start, stop, restart ---

pub const START: &str = "Start Palyra, or one service";
pub const STOP: &str = "Stop Palyra, or one service";
pub const RESTART: &str = "Restart Palyra, or one service";
pub const ONE_SERVICE: &str = "gateway, browserd or node_host; all when left out";

// --- approvals ---

pub const APPROVALS: &str = "What waits for your decision";
pub const APPROVALS_LIST: &str = "What waits, riskiest first";
pub const APPROVALS_ALL: &str = "Decided and expired ones too";
pub const APPROVALS_SHOW: &str = "One record, whole";
pub const APPROVALS_ID: &str = "Its id";
pub const APPROVALS_REVIEW: &str = "Look at what waits, one after the other, and decide here";
pub const APPROVALS_ONLY: &str = "Only this one";
pub const APPROVALS_DIALOG: &str = "In a window instead of this terminal";
pub const APPROVALS_APPROVE: &str = "Let it happen";
pub const APPROVALS_DENY: &str = "Refuse it";
pub const APPROVALS_DIGEST: &str = "Digest of the record as you saw it; without it you are shown the record and asked";
pub const APPROVALS_SCOPE: &str = "How long an approval holds";
pub const APPROVALS_TTL: &str = "Length of a time box, for example 10m";
pub const APPROVALS_REASON: &str = "Kept with the decision";

// --- recent ---

pub const RECENT: &str = "What happened lately, newest first";
pub const RECENT_MARK_READ: &str = "Mark all as read";
pub const RECENT_OPEN: &str = "Show what this event is about, and mark it as read";

// --- pause, resume ---

pub const PAUSE: &str = "Pause all agents: abort what runs, and deny what they ask for until resume";
pub const RESUME: &str = "Let agents work again";

// --- open ---

pub const OPEN: &str = "Open the dashboard in your browser, signed in";
pub const OPEN_PLACE: &str =
    "overview, approvals, chat, access, channels, browser, auth, config, secrets, operations …";
pub const OPEN_SESSION: &str = "Session to show";
pub const OPEN_RUN: &str = "Run to show";
pub const OPEN_DEVICE: &str = "Device to show";
pub const OPEN_INTENT: &str = "What you came for, for example inspect-run";
pub const OPEN_START: &str = "Start Palyra first if it is stopped";

// --- send ---

pub const SEND: &str = "Send a message to Palyra and print its answer";
pub const SEND_TEXT: &str = "The message; `-` reads it from standard input";

// --- ask ---

pub const ASK: &str = "Write a message to Palyra in a dialog; the answer comes as a notification";

// --- drafts ---

pub const DRAFTS: &str = "What was written and not sent";
pub const DRAFTS_LIST: &str = "All of them, oldest first";
pub const DRAFTS_SHOW: &str = "One of them, whole";
pub const DRAFTS_ID: &str = "Its id, or the end of it";
pub const DRAFTS_SEND: &str = "Send one";
pub const DRAFTS_NEW: &str = "Into a new session, not the one that it was meant for";
pub const DRAFTS_DISCARD: &str = "Throw one away";
pub const DRAFTS_OPEN: &str = "One of them in a dialog, to be sent or thrown away";
pub const DRAFTS_OPEN_ID: &str = "Its id";

// --- node ---

pub const NODE: &str = "This machine as a node: how it stands, enrol, repair, reset";
pub const NODE_STATUS: &str = "How it stands";
pub const NODE_ENROLL: &str = "Pair this machine with the gateway as a node";
pub const NODE_REPAIR: &str = "Get a new certificate, after the old one expired or is refused";
pub const NODE_RESET: &str = "Forget the enrolment";
pub const NODE_YES: &str = "I know what it means: do not ask";
pub const NODE_DIALOG: &str = "Ask in a window";

// --- profile ---

pub const PROFILE: &str = "The profiles: all of them, the active one, change to another";
pub const PROFILE_LIST: &str = "All of them, those used last first";
pub const PROFILE_SHOW: &str = "The active one, and how the last change went";
pub const PROFILE_SWITCH: &str =
    "Change to another one: stops Palyra here, starts it there, and comes back if that does not work";
pub const PROFILE_CHOOSE: &str = "Choose one in a dialog";
pub const PROFILE_NAME: &str = "Its name";
pub const PROFILE_YES: &str = "It may be a strict one: do not ask";

// --- secrets ---

pub const SECRETS: &str = "The tokens and keys that are kept for Palyra: where they are, and new ones";
pub const SECRETS_STATUS: &str = "Where each of them is";
pub const SECRETS_ROTATE: &str = "Make new ones and restart what uses them";
pub const SECRETS_NAMES: &str = "admin-token, browser-token, browser-state-key";
pub const SECRETS_ALL: &str = "All that do not come from Palyra's config";
pub const SECRETS_YES: &str = "I know what is lost with the browser state key: do not ask";

// --- onboard, setup ---

pub const ONBOARD: &str = "Set Palyra up in a few dialogs, or go on where you left it";
pub const SETUP: &str = "Set Palyra up on this terminal, or go on where you left it";

// --- window ---

pub const WINDOW: &str = "The tray's menu in a window, where there is no tray";

// --- autostart ---

pub const AUTOSTART: &str = "Start by itself at every login, or not";
pub const AUTOSTART_ON: &str = "From the next login on, start by itself";
pub const AUTOSTART_OFF: &str = "No longer start by itself at login";
pub const AUTOSTART_STATUS: &str = "Whether it starts by itself, and by what";

// --- config ---

pub const CONFIG: &str = "The preferences, and what is done about Palyra's config";
pub const CONFIG_LIST: &str = "Every setting with its value";
pub const CONFIG_GET: &str = "The value of one setting";
pub const CONFIG_NAME: &str = "As in services.browser";
pub const CONFIG_SET: &str = "Change one setting; a running Palyra Tray takes it up at once";
pub const CONFIG_VALUE: &str = "The new value; an empty one brings the default back";
pub const CONFIG_RESTARTS: &str = "Whether a change of Palyra's config restarts what it touches";
pub const CONFIG_SWITCH: &str = "on or off";
pub const CONFIG_WRITE_PORTS: &str = "Write the ports that are listened on into Palyra's config, where it names others";
pub const CONFIG_SERVICE: &str = "gateway or browserd; both when left out";

// --- logs ---

pub const LOGS: &str = "The newest log lines of a service, or of Palyra Tray itself";
pub const LOGS_SERVICE: &str = "gateway, browserd, node_host or tray";
pub const LOGS_FOLLOW: &str = "Go on with the lines that come";
pub const LOGS_LINES: &str = "How many lines";

// --- doctor ---

pub const DOCTOR: &str = "Check everything that Palyra needs, and say what to do";

// --- support-bundle ---

pub const SUPPORT_BUNDLE: &str = "Put all that helps to find out what is wrong into one file, without secrets";
pub const SUPPORT_BUNDLE_OUTPUT: &str = "Write it here, a .tar.gz; what is there already is not replaced \
     [default: a new file in <data folder>/tray/support]";
pub const SUPPORT_BUNDLE_NO_PALYRA: &str = "Leave out Palyra's own export";
pub const SUPPORT_BUNDLE_TELL: &str = "Have Palyra Tray tell you when it is ready";

// --- about ---

pub const ABOUT: &str = "Version, licence, and where everything lies";

// --- quit ---

pub const QUIT: &str = "End Palyra Tray, and Palyra with it";
pub const QUIT_KEEP_RUNNING: &str = "Leave Palyra running; the next Palyra Tray takes it over";

// --- completions ---

pub const COMPLETIONS: &str = "Print the completions for a shell";
pub const COMPLETIONS_SHELL: &str = "Which shell";

// --- simulate ---

pub const SIMULATE: &str = "Run a script of events on a virtual clock and print what a person would see";
pub const SIMULATE_FILE: &str = "The script";
