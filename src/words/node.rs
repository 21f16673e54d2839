//! This machine as a node.

use std::fmt::Display;

pub fn node_asks_first(task: impl Display) -> String {
    format!("node {task} asks first, and there is no terminal")
}

pub fn if_you_know_what_it_means(task: impl Display) -> String {
    format!("If you know what it means: palyra-tray node {task} --yes")
}

pub fn type_yes(meaning: impl Display, question: impl Display) -> String {
    format!("{meaning}\n\n{question} Type yes: ")
}

pub fn node_host(state: impl Display) -> String {
    format!("Node host: {state}\n")
}

pub fn device(id: impl Display) -> String {
    format!("  Device       {id}\n")
}

pub fn good_for(time: impl Display) -> String {
    format!("valid for another {time}")
}

pub const EXPIRED: &str = "expired";
pub const WINDOW_OPEN: &str = "OPEN";
pub const WINDOW_CLOSED: &str = "closed";

pub fn certificate(words: impl Display) -> String {
    format!("  Certificate  {words}\n")
}

pub fn window(window: impl Display) -> String {
    format!("  Window       {window}\n")
}

pub const ENROLMENT_SWITCHED_OFF: &str = "  Enrolment    switched off: palyra-tray node enroll says why\n";
pub const DIALOG_OPENS: &str = "The dialog opens.";
pub const AS_NODE_THIS_MACHINE_LETS_PALYRAS: &str = "As a node, this machine lets Palyra's agents open addresses and \
     files here, each time after you approved it.\n\nTo pair it, Palyra is restarted twice. In between, for a few \
     seconds, its node port lets any program on this machine ask to be paired (the pairing window). Only this \
     machine's own request is approved; if anything else asks, nothing is. Then the window is closed, and that is \
     checked.\n\nThe certificate lasts 24 hours and cannot be renewed: after that the node host needs repair, which \
     is the same again. Runs of agents that are under way are lost by the restarts.";
pub const THIS_MACHINE_GETS_NEW_CERTIFICATE: &str = "This machine gets a new certificate as a node; the old one is \
     deleted.\n\nFor that, Palyra is restarted twice. In between, for a few seconds, its node port lets any program \
     on this machine ask to be paired (the pairing window). Only this machine's own request is approved; if anything \
     else asks, nothing is. Then the window is closed, and that is checked.\n\nThe new certificate lasts 24 hours. \
     Runs of agents that are under way are lost by the restarts.";
pub const THIS_MACHINE_IS_NO_LONGER_NODE: &str = "This machine is no longer a node: its node host is stopped, its \
     certificate and key are deleted, and the gateway forgets it. Palyra is not restarted.";
pub const ENROL_THIS_MACHINE_AS_NODE: &str = "Enrol this machine as a node?";
pub const REPAIR_NODE_HOST: &str = "Repair the node host?";
pub const FORGET_THIS_MACHINE_AS_NODE: &str = "Forget this machine as a node?";
pub const FORGET_IT: &str = "Forget it";
pub const ENROLLING_THIS_MACHINE: &str = "Enrolling this machine";
pub const REPAIRING_NODE_HOST: &str = "Repairing the node host";
pub const PALYRA_IS_RESTARTED_WITH_PAIRING_WINDOW: &str =
    "Palyra is restarted with the pairing window, and again without it.";
pub const FORGETTING_THIS_MACHINE: &str = "Forgetting this machine";

pub fn desktop_tray_enrolment(ulid: impl Display) -> String {
    format!("desktop tray enrolment {ulid}")
}

pub const IT_WAS_CANCELLED: &str = "it was cancelled";
pub const GATEWAY_ENDED_MEANWHILE: &str = "the gateway ended meanwhile";

pub fn it_could_not_be_recorded(why: impl Display) -> String {
    format!("it could not be recorded: {why}")
}

pub const FREE_SOME_SPACE: &str = "Free some space.";
pub const NODE_HOST_DOES_NOT_END: &str = "the node host does not end";
pub const PALYRA_DID_NOT_TAKE_ITS_CERTIFICATE: &str = "palyra did not take its certificate in time";
pub const PALYRA_DID_NOT_ASK: &str = "palyra did not ask to be paired in time";
pub const PALYRA_DID_NOT_TAKE_ENROLMENT_AWAY: &str = "palyra did not take the enrolment away in time";
pub const SEE_NODE: &str = "See: palyra-tray node status";
pub const SEE_GATEWAY_LOG: &str = "See: palyra-tray logs gateway";
pub const ENROLMENT_IS_SWITCHED_OFF: &str = "enrolment is switched off: a certificate lasts 24 hours, cannot be \
     renewed, and each new one needs the pairing window";
pub const SWITCH_ON: &str =
    "To allow it all the same, write enrolment = true below [node] into settings.toml, then restart Palyra Tray.";
pub const NO_WINDOW: &str = "this gateway does not open the pairing window, or does not say so";
pub const WHO_WAS_IT: &str = "If that was nobody you know, do not enrol while others can reach this machine's ports.";
pub const ITS_CERTIFICATE_HAS_EXPIRED: &str = "its certificate has expired";
pub const GATEWAY_NO_LONGER_ACCEPTS_ITS_CERTIFICATE: &str = "the gateway no longer accepts its certificate";
pub const ITS_CERTIFICATE_IS_MISSING: &str = "its certificate is missing";

pub fn it_cannot_connect_to_gateway_any(need: impl Display, allowed: impl Display) -> String {
    format!("{need} It cannot connect to the gateway any more until you repair it.{allowed}")
}

pub const IN_TERMINAL_NODE_REPAIR_SAYS_WHAT: &str = " In a terminal, palyra-tray node repair says what that takes.";
pub const NODE_HOST_NEEDS_REPAIR: &str = "The node host needs repair";
pub const SOMEBODY_ELSE_ASKED_TO_BE_PAIRED: &str = "Somebody else asked to be paired";

pub fn while_pairing_window_was_open(who: impl Display) -> String {
    format!("While the pairing window was open, {who}. Nothing was approved, and the window is being closed.")
}

pub const ENROLLING_WAS_INTERRUPTED: &str = "Enrolling was interrupted";
pub const PALYRA_TRAY_WAS_ENDED_WHILE_PAIRING: &str = "Palyra Tray was ended while the pairing window was open. The \
     gateway is started again without it. What became of the enrolment: palyra-tray node status";
pub const PAIRING_WINDOW_DOES_NOT_CLOSE: &str = "The pairing window does not close";
pub const GATEWAY_STILL_LETS_MACHINES_WITHOUT: &str = "The gateway still lets machines without a certificate ask to \
     be paired, so it is being stopped. Start it again; if this comes back, look at its log: palyra-tray logs gateway";
pub const IS_BEING_STOPPED: &str = "is being stopped";
pub const ENROLLING_PAIRING_WINDOW_OPENS: &str = "enrolling: the pairing window opens";
pub const ENROLLING_PAIRING_WINDOW_IS_OPEN: &str = "enrolling: the pairing window is open";
pub const ENROLLING_PAIRING_WINDOW_CLOSES: &str = "enrolling: the pairing window closes";
pub const ENROLLED_STARTING: &str = "enrolled, starting";
pub const IS_BEING_RESET: &str = "is being reset";

pub fn this_machine_is_enrolled_as_node(device_id: impl Display) -> String {
    format!("This machine is enrolled as node {device_id} and its node host runs. The pairing window is closed.")
}

pub fn this_machine_is_enrolled_and_pairing(why: impl Display) -> String {
    format!("this machine is enrolled and the pairing window is closed, but the node host does not run: {why}")
}

pub fn somebody_else_asked_through_pairing(who: impl Display) -> String {
    format!("somebody else asked through the pairing window ({who}), so nothing was approved")
}

pub const PAIRING_WINDOW_IS_CLOSED: &str = "the pairing window is closed, as the gateway says";
pub const GATEWAY_WAS_STARTED_WITHOUT_PAIRING: &str =
    "the gateway was started without the pairing window, but does not tell of it";
pub const GATEWAY_THAT_HAD_PAIRING_WINDOW: &str = "the gateway that had the pairing window has ended";

pub fn this_machine_is_no_longer_enrolled(left: impl Display) -> String {
    format!("This machine is no longer enrolled; its certificate and key are deleted.{left}")
}

pub fn device_asked_to_be_paired(visible: impl Display) -> String {
    format!("device {visible} asked to be paired")
}

pub fn requests_came_at_same_time(count: impl Display) -> String {
    format!("{count} requests came at the same time")
}

pub fn node_is_under_way(task: impl Display) -> String {
    format!("node {task} is under way")
}

pub const GATEWAY_IS_BEING_RESTARTED_TO_CLOSE: &str = "the gateway is being restarted to close its pairing window";
pub const HOW_ENROLMENT_STANDS_IS_BEING_LOOKED: &str = "how the enrolment stands is being looked up";
pub const THIS_MACHINE_IS_ENROLLED_BUT_NEEDS: &str = "this machine is enrolled, but needs repair";
pub const REPAIR_IT_NODE_REPAIR: &str = "Repair it: palyra-tray node repair";
pub const THIS_MACHINE_IS_ENROLLED_ALREADY: &str = "this machine is enrolled already";
pub const TO_FORGET: &str = "To forget that: palyra-tray node reset";
pub const ENROL_IT_NODE_ENROLL: &str = "Enrol it: palyra-tray node enroll";

pub fn this_machine_is_enrolled(why: impl Display) -> String {
    format!("this machine is enrolled, but the gateway did not come back: {why}")
}

pub const THIS_MACHINE_WAS_NOT_ENROLLED: &str = "this machine was not enrolled";
pub const NODE_HOST_WAS_NOT_REPAIRED: &str = "the node host was not repaired";
pub const ENROLMENT_WAS_NOT_RESET: &str = "the enrolment was not reset";

pub fn enrolment_was_not_reset(why: impl Display) -> String {
    format!("the enrolment was not reset: {why}")
}

pub fn what_is_kept_of_enrolment_holds(error: impl Display) -> String {
    format!("what is kept of the enrolment holds only until Palyra Tray ends: {error}")
}

pub const GATEWAY_HAS_NOT_HEARD: &str = "the gateway has not heard from it for 30 s";
pub const GATEWAY_HAS_NOT_SEEN_IT_YET: &str = "the gateway has not seen it yet";

pub fn gateway_still_lists_device(device: impl Display, why: impl Display) -> String {
    format!("the gateway still lists device {device}: {why}")
}

pub const PALYRA_SAYS: &str = "palyra says that it is not enrolled";
pub const PALYRA_SAYS_THAT_IT_IS_ENROLLED: &str = "palyra says that it is enrolled as something else";
pub const GATEWAY_DOES_NOT_ANSWER: &str = "the gateway does not answer";
pub const RESET_BY: &str = "reset by palyra-tray";
pub const THAT_IS_NOT_ID_OF_DEVICE: &str = "That is not the ID of a device or a pairing request.";
pub const ENROL: &str = "Enrol";
pub const REPAIR: &str = "Repair";
pub const DONE: &str = "Done";
