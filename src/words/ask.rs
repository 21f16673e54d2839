//! Messages to Palyra, their answers, and drafts.

use std::fmt::Display;

pub const GATEWAY_IS_SET_NOT_TO_ANSWER: &str = "The gateway answers no messages: chats are switched off in its config. Switch them on in the set-up, then try \
     again.";
pub const ANSWER_WAS_CANCELLED: &str = "The answer was cancelled. Try again.";
pub const ANSWER_WAS_EMPTY: &str = "The answer was empty. Try again.";
pub const GATEWAY_STOPPED_IN_MIDDLE: &str = "The gateway stopped in the middle of its answer. Try again.";
pub const IN_NEW_SESSION: &str = "in a new session";

pub fn in_session_without_title(tail: impl Display) -> String {
    format!("in the session {tail}")
}

pub fn in_session(title: impl Display) -> String {
    format!("in the session “{title}”")
}

pub fn ask_palyra_to(to: impl Display) -> String {
    format!("Ask Palyra, {to}")
}

pub const ASK_PALYRA: &str = "Ask Palyra";

pub fn your_message_is_sent(to: impl Display) -> String {
    format!("Your message is sent {to}. The answer comes as a notification.")
}

pub const NOT_SENT_AND_NOT_KEPT: &str = "Not sent, and not kept";

pub fn this_is_what_you_wrote(why: impl Display) -> String {
    format!("{why}\n\nThis is what you wrote; copy it before you close this window.")
}

pub fn written_to_be_sent(to: impl Display, reason: impl Display) -> String {
    format!("Written to be sent {to}. Not sent: {reason}")
}

pub const IT_MAY_HAVE_BEEN_SENT_ALL: &str =
    "\n\nIt may have been sent all the same. Before it is sent again, Palyra is asked whether it has it.";
pub const PALYRA_DRAFT: &str = "Palyra: draft";
pub const DISCARD_THIS_DRAFT: &str = "Discard this draft?";

pub fn it_cannot_be_brought_back(text: impl Display) -> String {
    format!("“{text}”\n\nIt cannot be brought back.")
}

pub const DISCARDED: &str = "Discarded.";
pub const KEEP_IT: &str = "Keep it";
pub const MODELS_PROVIDER: &str = "The model's provider";
pub const ITS_ANSWER_TO_MESSAGE_WAS_LOST: &str = "Its answer to the message was lost";
pub const GATEWAY_NO_LONGER_KNOWS: &str = "The gateway no longer knows it: its record was lost. Ask again.";
pub const NOTHING_HAS_HAPPENED_FOR_MINUTES: &str =
    "Nothing has happened for 30 minutes. Open the chat to see how it is.";
pub const GATEWAY_ENDED_BEFORE_IT_TOOK_MESSAGE: &str = "The gateway ended before it took the message.";
pub const THIS_SESSION_IS_STILL_BUSY: &str =
    "This session is still busy with an earlier message. Send it when that is answered, or in a new session.";
pub const GATEWAY_KNOWS_NO_SUCH_SESSION: &str = "The gateway knows no such session.";
pub const GATEWAY_WAS_RESTARTED_IN_MIDDLE: &str = "The gateway was restarted in the middle of its answer. Ask again.";
pub const GATEWAY_GAVE_IT_UP_WHEN_PALYRA: &str = "The gateway gave it up when Palyra Tray ended. Ask again.";

pub fn palyra_answered(question: impl Display) -> String {
    format!("Palyra answered: {question}")
}

pub fn palyra_could_not_answer(question: impl Display) -> String {
    format!("Palyra could not answer: {question}")
}

pub fn start_of_characters(start: impl Display, characters: impl Display) -> String {
    format!("{start}\n(the start of {characters} characters)")
}

pub const YOUR_MESSAGE_MAY: &str = "Your message may not have been sent";
pub const SHOW_DRAFT: &str = "Show draft";
pub const SEND_NOW: &str = "Send now";

pub fn it_is_kept_as_draft(why: impl Display) -> String {
    format!("{why} It is kept as a draft.")
}

pub fn it_is_not_kept(why: impl Display, not_kept: impl Display, what: impl Display) -> String {
    format!("{why} It is not kept: {not_kept}. You wrote: {what}")
}

pub const YOUR_MESSAGE_WAS_NOT_SENT: &str = "Your message was not sent";
pub const EMPTY_MESSAGE: &str = "The message is empty";
pub const MESSAGE_IS_TOO_LONG: &str = "The message is too long";

pub fn write_short_one(what: impl Display) -> String {
    format!("{what}. Write a short one.")
}

pub const ANSWER_DOES_NOT_END: &str = "The answer does not end. Open the chat to see it.";

pub fn nothing_came_for_s(silence: impl Display) -> String {
    format!("Nothing came for {silence} s. Try again.")
}

pub const GATEWAY_ANSWERED_WITH_SOMETHING: &str =
    "The gateway answered with something that is not its protocol: is another program on its port?";
pub const NO_MODEL_PROVIDER_IS_CONNECTED_YET: &str =
    "No model provider is connected yet, so nobody would answer. Connect one first.";
pub const DRAFT: &str = "Draft";
pub const REPLY: &str = "Reply…";
pub const NO_DRAFTS: &str = "No drafts.\n";
pub const NO_DIALOG_CAN_BE_SHOWN_HERE: &str = "no dialog can be shown here";
pub const NOT_SENT: &str = "Not sent";
pub const SENT_CTRL_C_ENDS_WAITING: &str = "Sent. Ctrl-C ends the waiting, not the work.";

pub fn message_was_sent(message: impl Display) -> String {
    format!("the message was sent, but the answer cannot be waited for: {message}")
}

pub const ONCE_AGENT_RUNS_AGAIN_IT_TELLS: &str = "Once Palyra Tray runs again, it tells the answer in a notification.";

pub fn this_is_start_of_characters(all: impl Display, session: impl Display) -> String {
    format!("This is the start of {all} characters. All of it: palyra-tray open chat --session {session}")
}

pub const SENT_ANSWER_COMES_AS_NOTIFICATION: &str = "Sent. The answer comes as a notification.\n";

pub fn message_cannot_be_read(error: impl Display) -> String {
    format!("the message cannot be read: {error}")
}

pub const WRITE_SHORTER_ONE: &str = "Write a shorter one, or put it into the chat.";
pub const MESSAGE_IS_EMPTY: &str = "the message is empty";

pub fn message_is_too_long_at_most(kib: impl Display) -> String {
    format!("the message is too long: at most {kib} KiB can be sent")
}

pub const SYSTEM_GAVE_NO_RANDOM_NUMBER: &str = "the system gave no random number, so nothing was sent";
pub const MAY_HAVE_BEEN_SENT: &str = ", may have been sent";

pub fn draft_line(id: impl Display, text: impl Display, maybe: impl Display, why: impl Display) -> String {
    format!("{id}  {text}\n        Not sent{maybe}: {why}\n")
}

pub const ASKING_PALYRA_FROM_HERE_IS_SWITCHED: &str =
    "asking Palyra from here is switched off (companion_shell_enabled)";
pub const SEE_THEM_DRAFTS_LIST: &str = "See them: palyra-tray drafts list";
pub const NO_SUCH_MESSAGE_IS_KNOWN: &str = "no such message is known";
pub const LOOK_IN_CHAT: &str = "Look in the chat.";
pub const THIS_DRAFT_MAY: &str = "this draft may be in its session already, so it is not sent to another one";
pub const LEAVE_OUT_NEW: &str = "Leave out --new: it is looked for there first.";

pub fn message_is_too_long_bytes(count: impl Display, limit: impl Display) -> String {
    format!("the message is too long: {count} bytes, and {limit} can be sent")
}

pub const NOTHING_WAS_SENT: &str = "nothing was sent: Palyra Tray is ending";
pub const ALL_AGENTS_ARE_PAUSED: &str = "All agents are paused.";

pub fn see_chat_open_chat_session(session: impl Display) -> String {
    format!("See the chat: palyra-tray open chat --session {session}")
}

pub fn message_was_sent_but_no(why: impl Display) -> String {
    format!("the message was sent, but no answer came: {why}")
}

pub const IT_IS_NO_LONGER_KEPT: &str = "it is no longer kept";
pub const MESSAGE_MAY_NOT_HAVE_BEEN_SENT: &str = "the message may not have been sent";
pub const MESSAGE_WAS_NOT_SENT: &str = "the message was not sent";

pub fn it_is_kept_as_draft_send(short: impl Display) -> String {
    format!("It is kept as a draft: send it from the menu, under Drafts, or with: palyra-tray drafts send {short}")
}

pub fn and_it_is_not_kept(what: impl Display, why: impl Display, not_kept: impl Display) -> String {
    format!("{what}: {why}; and it is not kept: {not_kept}")
}

pub fn there_is_no_draft(draft_id: impl Display) -> String {
    format!("there is no draft {draft_id}")
}

pub const THIS_DRAFT_IS_BEING_SENT_RIGHT: &str = "this draft is being sent right now";

pub fn messages_are_under_way_already(at_once: impl Display) -> String {
    format!("{at_once} messages are under way already")
}

pub const PALYRA_TRAY_ENDED_BEFORE_MESSAGE: &str = "Palyra Tray ended before the message was sent.";
pub const GATEWAY_CANNOT_BE_ASKED: &str = "The gateway cannot be asked";

pub fn it_could_not_be_kept(why: impl Display) -> String {
    format!("It could not be kept on the disk, and without that nothing is sent: {why}.")
}

pub const GATEWAY_IS_NOT_READY: &str = "The gateway is not ready.";

pub fn so_it_is_not_known_whether(why: impl Display) -> String {
    format!("{why}, so it is not known whether Palyra got it.")
}
