//! The secrets that are kept for Palyra.

use std::fmt::Display;

pub fn secrets_are(what: impl Display) -> String {
    format!("secrets are {what}")
}

pub const WITH_NEW_BROWSER_STATE_KEY_STORED: &str =
    "with a new browser state key the stored browser profiles are lost, and there is no terminal to ask on";
pub const IF_YOU_KNOW: &str = "If you know that: palyra-tray secrets rotate … --yes";

pub fn make_new_one(meaning: impl Display) -> String {
    format!("{meaning}\n\nMake a new one? Type yes: ")
}

pub const NOTHING_WAS_CHANGED: &str = "nothing was changed";

pub fn kept_by_palyra(place: impl Display, what: impl Display) -> String {
    format!("Kept by Palyra     {place}: {what}\n")
}

pub const NEW_ONES_ARE_BEING_MADE: &str = "! New ones are being made, or what uses them is starting again.\n";

pub fn made_ago(time: impl Display) -> String {
    format!(", made {time} ago")
}

pub fn in_systems_keyring(since: impl Display) -> String {
    format!("in the system's keyring{since}")
}

pub fn in_mode(path: impl Display, mode: impl Display, since: impl Display) -> String {
    format!("in {path} (mode {mode}){since}")
}

pub fn from_palyras_config(key: impl Display) -> String {
    format!("from Palyra's config ({key}), which has the say")
}

pub fn only_referred_to(key: impl Display) -> String {
    format!("Palyra's config only says where it is ({key}), which Palyra Tray cannot follow")
}

pub fn cannot_be_followed(label: impl Display, key: impl Display, plain: impl Display) -> String {
    format!(
        "the config only says where the {label} is to be found ({key}), which Palyra Tray cannot follow and has to \
         know; write the {label} itself into {plain}, or take {key} out: then Palyra Tray makes one"
    )
}

pub const MISSING_NEXT_START_MAKES_ONE: &str = "missing: the next start makes one";

pub fn cannot_be_looked_at_now(why: impl Display) -> String {
    format!("cannot be looked at now: {why}")
}

pub const SECRETS_WERE_NOT_ALL_CHANGED: &str = "The secrets were not all changed";

pub fn nothing_that_uses_it_was_running(what: impl Display) -> String {
    format!("{what} Nothing that uses it was running.")
}

pub const ITS_SECRETS_ARE_NEW: &str = "its secrets are new";
pub const ROTATION_IS_UNDER_WAY: &str = "a rotation is under way";
pub const TRY_AGAIN_WHEN_IT_IS_OVER: &str = "Try again when it is over: palyra-tray secrets status";
pub const THIS_MACHINE_IS_BEING_ENROLLED: &str = "this machine is being enrolled as a node";
pub const TRY_AGAIN_WHEN_THAT_IS_OVER: &str = "Try again when that is over.";
pub const WHAT_USES_SECRETS_COULD_NOT_START: &str = "What uses the secrets could not start again.";
pub const SECRETS_HAVE_NOT_BEEN_FETCHED_YET: &str = "the secrets have not been fetched yet";
pub const UNFINISHED: &str = "What runs goes on with the secrets that it has. To finish it: palyra-tray secrets \
     rotate, or restart Palyra Tray.";
pub const STATE_KEY_MEANING: &str = "The browser state key encrypts the browser profiles of your agents: cookies, \
     sign-ins, open tabs. With a new key none of them can be read any more. They are put aside beside the browser's \
     folder, and the browser begins with none.";
pub const ALL_OF_THEM_COME_FROM_PALYRAS: &str = "all of them come from Palyra's config";

pub fn comes_from_palyras_config(label: impl Display, key: impl Display) -> String {
    format!("the {label} comes from Palyra's config ({key}), which has the say")
}

pub const WITH_ANOTHER_BROWSER_STATE_KEY_STORED: &str =
    "with another browser state key the stored browser profiles cannot be read any more";
pub const IF_YOU_WANT: &str = "If you want that: palyra-tray secrets rotate --yes";
pub const FROM_CONFIG: &str =
    "Change it there, and what uses it restarts by itself; or take the key out, and Palyra Tray's own is used.";

pub fn is_new(one: impl Display) -> String {
    format!("{one} is new.")
}

pub fn and_are_new(others: impl Display, last: impl Display) -> String {
    format!("{others} and {last} are new.")
}

pub const NOTHING_IS_NEW: &str = "Nothing is new.";
pub const KEYS_OF_PROVIDERS_AND_BOTS: &str = "keys of providers and bots";
pub const IDENTITY_OF_THIS_MACHINE_AS_NODE: &str = "identity of this machine as a node";

pub fn secrets_were_not_changed(why: impl Display) -> String {
    format!("the secrets were not changed: {why}")
}

pub fn secrets_were_not_all_changed(why: impl Display) -> String {
    format!("the secrets were not all changed: {why}")
}

pub fn that_secrets_were_changed(why: impl Display) -> String {
    format!("that the secrets were changed is not noted, so that the next start restarts Palyra: {why}")
}

pub fn browsers_old_state_cannot_be_put(path: impl Display, error: impl Display) -> String {
    format!("the browser's old state {path} cannot be put aside ({error}); move it by hand")
}

pub const CHANGE_OF_SECRETS_THAT_WAS_CUT: &str = "A change of the secrets that was cut short has been finished.";

pub fn change_of_secrets_was_cut_short(why: impl Display) -> String {
    format!("A change of the secrets was cut short and cannot be finished yet: {why}.")
}

pub const SO_CHOSEN_IN_SETTINGS: &str = "so chosen in the settings";

pub fn settings_keep_secrets_in_keyring(why: impl Display) -> String {
    format!("The settings keep the secrets in the keyring, and there is none: {why}. Start one, or choose the file.")
}

pub fn secrets_belong_in_keyring(why: impl Display) -> String {
    format!("The secrets belong in the keyring, which does not run: {why}. Start it, or sign in to the desktop.")
}

pub fn in_keyring_is_damaged(label: impl Display, why: impl Display) -> String {
    format!("The {label} in the keyring is damaged: {why}. Delete it there to have a new one made.")
}

pub fn it_could_not_be_moved(why: impl Display) -> String {
    format!("it could not be moved to the keyring: {why}")
}

pub fn it_could_not_be_noted(error: impl Display) -> String {
    format!("It could not be noted that the keyring holds the secrets: {error}.")
}

pub fn could_not_be_deleted(path: impl Display, error: impl Display) -> String {
    format!("{path} could not be deleted: {error}; delete it by hand.")
}

pub const SECRETS_WERE_MOVED_FROM_FILE: &str = "The secrets were moved from the file into the keyring.";

pub fn keyring_held_another(label: impl Display, account: impl Display) -> String {
    format!("The keyring held another {label}; the file's is used, the other is kept there as {account}.")
}

pub fn read_back_is_not_one_written(label: impl Display) -> String {
    format!("the {label} read back is not the one written")
}

pub fn secrets_in_file_were_damaged(why: impl Display, aside: impl Display) -> String {
    format!("The secrets in the file were damaged ({why}) and are replaced; the old file is {aside}.")
}

pub fn it_could_not_be_noted_when(error: impl Display) -> String {
    format!("It could not be noted when the secrets were made: {error}.")
}

pub const SECRETS_ARE_INCOMPLETE: &str = "The secrets are incomplete; try again.";

pub fn keyring_gives_no_access_unlock_it(why: impl Display) -> String {
    format!("The keyring gives no access: {why}. Unlock it, then try again.")
}

pub fn keyring_went_away_while(why: impl Display) -> String {
    format!("The keyring went away while it was used: {why}. Try again.")
}

pub fn keyring_does_not_work(why: impl Display) -> String {
    format!("The keyring does not work: {why}. Repair it, or keep the secrets in the file.")
}

pub fn folder_for_secrets_cannot_be_used(folder: impl Display, error: impl Display) -> String {
    format!("The folder {folder} for the secrets cannot be used: {error}. Make it writable for your user.")
}

pub fn lock_cannot_be_taken(path: impl Display, error: impl Display) -> String {
    format!("The lock {path} cannot be taken: {error}. Mend that, then try again.")
}

pub fn secrets_in_cannot_be_read(path: impl Display, error: impl Display) -> String {
    format!("The secrets in {path} cannot be read: {error}.")
}

pub fn could_be_read_by_others(path: impl Display) -> String {
    format!("{path} could be read by others; that is mended, but the secrets should be changed.")
}

pub const IT_IS_FAR_TOO_LARGE: &str = "it is far too large";

pub fn was_written_by_newer_version(path: impl Display) -> String {
    format!("{path} was written by a newer version; use that one.")
}

pub fn line_column(line: impl Display, column: impl Display) -> String {
    format!("line {line}, column {column}")
}

pub const ITS_FIELDS_ARE_NOT_THOSE: &str = "its fields are not those of a secrets file";

pub fn secrets_could_not_be_written(path: impl Display, why: impl Display) -> String {
    format!("The secrets could not be written to {path}: {why}. Nothing was changed.")
}

pub const READING_IT_BACK_GAVE_SOMETHING_ELSE: &str = "reading it back gave something else";

pub fn damaged_cannot_be_set_aside(path: impl Display, error: impl Display) -> String {
    format!("The damaged {path} cannot be set aside: {error}.")
}

pub const IT_WAS_NOT_ASKED_AGAIN: &str = "it was not asked again, to open no dialog unasked";
pub const IT_HOLDS_SAME_SECRET_MORE: &str = "it holds the same secret more than once";

pub fn palyra_tray(label: impl Display) -> String {
    format!("Palyra Tray: {label}")
}

pub const REPLACED_SECRET: &str = "replaced secret";
pub const IT_DOES_NOT_SAY_WHETHER: &str = "it does not say whether it is locked";
pub const IT_STOPPED_WHILE_IT_WAS_BEING: &str = "it stopped while it was being unlocked";
pub const IT_IS_LOCKED: &str = "it is locked";

pub fn there_is_no_session_bus(error: impl Display) -> String {
    format!("there is no session bus ({error})")
}

pub fn session_bus_cannot_be_reached(error: impl Display) -> String {
    format!("the session bus cannot be reached ({error})")
}

pub const NO_KEYRING_SERVICE_RUNS: &str = "no keyring service runs or is installed";
pub const IT_STOPPED_WHILE_IT_WAS_ASKED: &str = "it stopped while it was asked";
pub const IT_IS_LOCKED_OR_HAS_NO_DEFAULT: &str = "it is locked, or has no default keyring to store secrets in";
pub const KEYRING_DOES_NOT_ANSWER: &str = "the keyring does not answer";

pub fn system_gave_no_thread_to_look(error: impl Display) -> String {
    format!("the system gave no thread to look ({error})")
}

pub fn file_with_them_is_damaged(why: impl Display) -> String {
    format!("the file with them is damaged ({why})")
}

pub fn keyring_that_holds_it_does(why: impl Display) -> String {
    format!("the keyring that holds it does not run: {why}")
}

pub const IN_SYSTEMS_KEYRING: &str = "in the system's keyring";
pub const THERE_ARE_SECRETS_ALREADY: &str = "there are secrets already";
pub const KEYRING_HAS_NOT_ANSWERED_YET: &str = "The keyring has not answered yet; it may be asking for its password.";

pub fn secrets_cannot_be_read(error: impl Display) -> String {
    format!("The secrets cannot be read: the system gave no thread for it ({error}). Restart Palyra Tray.")
}

pub const KEYRING_HAS_NOT_ANSWERED_FOR_MINUTE: &str = "the keyring has not answered for a minute";
pub const KEYRING_STOPPED_ANSWERING_WHILE_THEY: &str = "the keyring stopped answering while they were stored";
pub const ENDED: &str = "the work on them ended without a word";
pub const THEY_ARE_INCOMPLETE: &str = "they are incomplete";
pub const IT_WAS_GIVEN_UP_BEFORE_ANYTHING: &str = "it was given up before anything was changed";

pub fn what_is_going_to_change_could(error: impl Display) -> String {
    format!("what is going to change could not be noted: {error}")
}

pub const GIVEN_UP: &str = "it was given up in the middle";

pub fn file_with_secrets_is_damaged(why: impl Display) -> String {
    format!("the file with the secrets is damaged ({why})")
}

pub fn keyring_gives_no_access(why: impl Display) -> String {
    format!("the keyring gives no access: {why}")
}

pub fn was_not_stored_in_keyring(label: impl Display, why: impl Display) -> String {
    format!("the {label} was not stored in the keyring: {why}")
}

pub const READ_BACK_IT_IS_NOT_ONE: &str = "read back, it is not the one that was written";

pub fn no_was_made(label: impl Display, error: impl Display) -> String {
    format!("No {label} was made: the system gave no random numbers ({error}).")
}

pub const ITS_LENGTH_IS_IMPOSSIBLE: &str = "its length is impossible";
pub const IT_HOLDS_CHARACTERS_THAT_TOKEN_CANNOT: &str = "it holds characters that a token cannot have";
pub const IT_IS_NOT_BASE_OF_BYTES: &str = "it is not the base64 of 32 bytes";

pub fn the_one(label: impl Display) -> String {
    format!("the {label}")
}

pub const ADMIN_TOKEN: &str = "admin token";
pub const BROWSER_TOKEN: &str = "browser token";
pub const BROWSER_STATE_KEY: &str = "browser state key";

pub fn its_secrets_new_ones_are_made(why: impl Display) -> String {
    format!("its secrets: {why}; new ones are made")
}

pub fn its_secrets(why: impl Display) -> String {
    format!("its secrets: {why}")
}

pub fn they_cannot_be_copied(error: impl Display) -> String {
    format!("they cannot be copied to be read ({error})")
}

pub fn it_is_empty(label: impl Display) -> String {
    format!("the {label}: it is empty")
}

pub fn the_one_and_why(label: impl Display, why: impl Display) -> String {
    format!("the {label}: {why}")
}

pub const THERE_IS_MORE_THAN_VAULT_CAN: &str = "there is more than a vault can hold";
pub const UNLOCK_KEYRING: &str = "Unlock the keyring (sign in to the desktop), and Palyra starts by itself.";

pub fn put_it_there(scope: impl Display, name: impl Display) -> String {
    format!(
        "put it there (palyra secrets configure browser-state-key {scope} {name} --value-stdin) or correct the config"
    )
}

pub const CORRECT_CONFIG: &str = "correct the config";

pub fn key_cannot_be_had(reference: impl Display, why: impl Display, store: impl Display) -> String {
    format!(
        "the key of its saved state is to be in Palyra's vault as {reference} \
         (tool_call.browser_service.state_key_vault_ref), and it cannot be had: {why}; {store}"
    )
}
