//! Approvals: what is asked, the review, what became of a decision.

use std::fmt::Display;

pub const LOOK_AT_IT_AGAIN: &str = "Look at it again: palyra-tray approvals show";
pub const NOTHING_WAITS_LINE: &str = "Nothing waits for you.\n";

pub fn could_not_be_understood_line(unreadable: impl Display) -> String {
    format!("{unreadable} could not be understood; look at them in the dashboard: palyra-tray open approvals\n")
}

pub const LOOK_AT_IT_IN_DASHBOARD: &str = "Look at it in the dashboard: palyra-tray open approvals";
pub const APPROVING_WITHOUT_TERMINAL_NEEDS_DIGEST: &str =
    "approving without a terminal needs the digest of what was seen";
pub const TAKE_IT: &str = "Take it from: palyra-tray approvals show --json";
pub const SEE_WHAT_WAITS: &str = "See what waits: palyra-tray approvals list";
pub const NOTHING_WAS_DECIDED: &str = "nothing was decided";
pub const NO_LONGER_AS_SHOWN: &str = "nothing was decided: it is no longer what was shown";
pub const LENGTH_IS_NUMBER_AND_S: &str = "a length is a number and s, m or h, for example 10m";
pub const LENGTH_ENDS_IN_S: &str = "a length ends in s, m or h, for example 10m";
pub const LENGTH_IS_ABOVE_ZERO: &str = "a length is above zero and not too long";
pub const NOTHING_WAITS: &str = "Nothing waits for you.";

pub fn could_not_be_understood(unreadable: impl Display) -> String {
    format!("{unreadable} could not be understood; look at them in the dashboard.")
}

pub const IT_DOES_NOT_WAIT_FOR_YOU: &str = "It does not wait for you any more.";
pub const NOTHING_TO_DECIDE: &str = "Nothing to decide";
pub const NOTHING_WAS_APPROVED: &str = "Nothing was approved";

pub fn review_could_not_be_opened(error: impl Display) -> String {
    format!("the review could not be opened: {error}")
}

pub const RECORD_DOES_NOT_MATCH_ITS_DIGEST: &str =
    "the record does not match its digest, so it is not known what would be decided";
pub const IT_WAS_ALLOWED_ALREADY: &str = "It was allowed already.";
pub const IT_WAS_DENIED_ALREADY: &str = "It was denied already.";

pub fn it_was_decided_already(name: impl Display) -> String {
    format!("It was decided already: {name}.")
}

pub const IT_HAS_EXPIRED_WHOEVER: &str = "It has expired; whoever asked has given up waiting.";
pub const APPROVE_FOR_THIS_SESSION: &str = "Approve for this session";

pub fn approve_for(length: impl Display) -> String {
    format!("Approve for {length}")
}

pub const GATEWAY_RATES_IT_CRITICAL: &str = "The gateway rates it critical.";

pub fn gateway_hid(hidden: impl Display) -> String {
    format!("The gateway hid {hidden} of it. What is hidden would run too.")
}

pub const PART: &str = "a part";

pub fn parts_of_record_are_missing(parts: impl Display) -> String {
    format!("Parts of the record are missing or not understood: {parts}.")
}

pub const NOT_ALL_OF_IT_IS_PLAIN: &str = "Not all of it is plain text or of a kind that is known here.";
pub const CHOOSE_ONE_TO_SEE_WHOLE: &str = "Choose one to see the whole of it.";

pub fn more_could_not_be_understood(unreadable: impl Display) -> String {
    format!(" {unreadable} more could not be understood; look at them in the dashboard.")
}

pub const WHAT_WAITS_FOR_YOU: &str = "What waits for you";
pub const PALYRA_APPROVALS: &str = "Palyra approvals";

pub fn it_is_longer_than_can(left_out: impl Display) -> String {
    format!(
        "It is longer than can be shown here: {left_out} characters are left out, so it cannot be approved here. Open \
         the dashboard for that."
    )
}

pub const PALYRA_MAY_THIS_BE_DONE: &str = "Palyra: may this be done?";

pub fn characters_are_left_out(left_out: impl Display) -> String {
    format!("\n({left_out} characters are left out.)\n")
}

pub fn asked_by(who: impl Display, time_left: impl Display) -> String {
    format!("Asked by {who}. {time_left}")
}

pub const IT_HAS_CHANGED_SINCE: &str = "It has changed since it was shown, so nothing was decided.";
pub const SCREEN_WAS_LOCKED: &str = "The screen was locked, so nothing was decided.";
pub const PALYRA_TRAY_HAS_ENDED: &str = "Palyra Tray has ended, so nothing was decided.";
pub const REVIEW_WAS_CLOSED: &str = "The review was closed";
pub const PALYRA_ARE_YOU_SURE: &str = "Palyra: are you sure?";

pub fn approve_all_same(title: impl Display) -> String {
    format!("Approve all the same? {title}")
}

pub const IT_HAS_EXPIRED: &str = "It has expired.";

pub fn it_expires(left: impl Display) -> String {
    format!("It expires in {left}.")
}

pub const IT_DOES_NOT_SAY_WHEN: &str = "It does not say when it expires.";
pub const WHAT_WOULD_BE_DONE: &str = "What would be done";
pub const AS_ABOVE: &str = "as above";
pub const WHY_YOU_ARE_ASKED: &str = "Why you are asked";
pub const ASKED_BY: &str = "Asked by";
pub const UNKNOWN_FIELD: &str = "an unknown field";
pub const LOW: &str = "Low";
pub const MEDIUM: &str = "Medium";
pub const HIGH: &str = "High";
pub const CRITICAL: &str = "Critical";

pub fn parts(hidden: impl Display) -> String {
    format!("{hidden} parts")
}

pub const SHOW: &str = "Show…";
pub const APPROVE: &str = "Approve";
pub const SUMMARY: &str = "Summary";
pub const RULE: &str = "Rule";
pub const RISK: &str = "Risk";
pub const KIND: &str = "Kind";
pub const SUBJECT: &str = "Subject";
pub const CHANNEL: &str = "Channel";
pub const DEVICE: &str = "Device";
pub const SESSION: &str = "Session";
pub const RUN: &str = "Run";
pub const APPROVAL: &str = "Approval";
pub const DECISION: &str = "Decision";
pub const DIGEST: &str = "Digest";
pub const ORIGIN: &str = "Origin";

pub fn approval_is_not_waiting(id: impl Display) -> String {
    format!("approval {id} is not waiting: it was decided, has expired or is unknown")
}

pub fn approval_is_being_decided_right_now(id: impl Display) -> String {
    format!("approval {id} is being decided right now")
}

pub fn approval_has_changed_since_it_was_shown(id: impl Display) -> String {
    format!("approval {id} has changed since it was shown")
}

pub fn nothing_was_decided_gateway(id: impl Display, why: impl Display) -> String {
    format!("nothing was decided: the gateway could not be asked about {id}: {why}")
}

pub const TRY_AGAIN_WHEN_GATEWAY_IS_READY: &str = "Try again when the gateway is ready.";

pub fn was_decided_elsewhere(id: impl Display, name: impl Display) -> String {
    format!("approval {id} was decided elsewhere: {name}")
}

pub const APPROVED: &str = "Approved.";
pub const DENIED: &str = "Denied.";
pub const NOTHING_MORE_WAS_SENT: &str = "Nothing more was sent.";

pub fn approval_still_waits(id: impl Display) -> String {
    format!("approval {id} still waits: the gateway did not take the decision")
}

pub fn it_is_not_known_whether_decision(id: impl Display, why: impl Display) -> String {
    format!("it is not known whether the decision on {id} arrived: {why}")
}

pub const IT_WILL_NOT_BE_SENT_AGAIN: &str = "It will not be sent again; the list shows it once the gateway answers.";

pub fn approval_expired_before_decision_could(id: impl Display) -> String {
    format!("approval {id} expired before the decision could be sent")
}

pub fn approval_was_not_approved_its_record(id: impl Display, why: impl Display) -> String {
    format!("approval {id} was not approved: its record could not be written: {why}")
}

pub const FREE_SOME_SPACE_OR_MEND_PERMISSIONS: &str =
    "Free some space or mend the permissions of the data folder, then decide again.";
pub const RESTORED_DECIDED_ELSEWHERE_FIRST: &str = "restored: decided elsewhere first";
pub const NOT_DECIDED: &str = "not decided";

pub fn approval_was_sent_to_gateway(id: impl Display, stands: impl Display) -> String {
    format!("approval {id} was sent to the gateway, which answered that it is {stands}")
}

pub fn gateway_did_not_take_decision(id: impl Display, why: impl Display) -> String {
    format!("the gateway did not take the decision on {id}: {why}")
}

pub const DECIDE_AGAIN: &str = "Decide again.";

pub fn approval_had_been_decided_elsewhere(id: impl Display) -> String {
    format!("approval {id} had been decided elsewhere a moment before; it now stands as denied")
}

pub const IF_IT_SHOULD_RUN: &str = "If it should run, let the agent ask again.";

pub fn stands_as_allowed(id: impl Display, why: impl Display) -> String {
    format!("approval {id} was decided elsewhere and stands as allowed; denying it failed: {why}")
}

pub const OPEN_DASHBOARD_AND_LOOK: &str = "Open the dashboard and look at it, or stop the gateway.";
pub const LOOK_AGAIN: &str = "Look at it again before you decide: palyra-tray approvals show";

pub fn approval_was_not_approved(approval_id: impl Display) -> String {
    format!("approval {approval_id} was not approved: all agents are paused")
}

pub const CRITICAL_APPROVAL_IS_GIVEN_ONCE_ONLY: &str = "a critical approval is given once only";
pub const LEAVE_OUT_SCOPE: &str = "Leave out --scope.";
pub const TIME_BOX_NEEDS_LENGTH_ABOVE_ZERO: &str = "a time box needs a length above zero";
pub const ADD_TTL_FOR_EXAMPLE_TTL_M: &str = "Add --ttl, for example --ttl 10m.";

pub fn was_already_decided_elsewhere(id: impl Display, name: impl Display) -> String {
    format!("approval {id} was already decided elsewhere: {name}")
}

pub fn approval_has_expired(id: impl Display) -> String {
    format!("approval {id} has expired")
}

pub fn approval_has_changed_since(id: impl Display, changed: impl Display) -> String {
    format!("approval {id} has changed since it was shown{changed}")
}

pub const RECORD_IS_NOT_JSON_THAT_CAN: &str = "the record is not JSON that can be read";
pub const RECORD_IS_NOT_JSON_OBJECT: &str = "the record is not a JSON object";
pub const RECORD_HAS_NO_USABLE_APPROVAL_ID: &str = "the record has no usable approval ID";
pub const RECORD_IS_NESTED_TOO_DEEPLY: &str = "the record is nested too deeply";
pub const TIME_BOX_NEEDS_TIME_ABOVE_ZERO: &str = "A time box needs a length above zero.";
pub const GATEWAYS_LIST_OF_APPROVALS_DOES: &str =
    "The gateway's list of approvals does not end: the next page that it names repeats or cannot be used.";

pub fn gateways_record_cannot_be_used(why: impl Display) -> String {
    format!("The gateway's record cannot be used: {why}.")
}

pub const THAT_IS_NOT_ID_OF_APPROVAL: &str = "That is not the ID of an approval.";
pub const NOT_DECIDED_AS_CHOSEN: &str = "Not decided as you chose";
pub const SCREEN_IS_LOCKED: &str = "nothing was decided: the screen is locked";
