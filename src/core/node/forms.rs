//! The question before something is done with the node host, and what is shown meanwhile. The same words on a terminal.

use crate::core::dialog::{Body, DialogButton, Form, Tone};
use crate::protocol::node::NodeTask;
use crate::words;

/// Id of the button that means yes.
pub const YES: &str = "yes";

/// What it means.
pub const fn meaning(task: NodeTask) -> &'static str {
    match task {
        NodeTask::Enrol => words::node::AS_NODE_THIS_MACHINE_LETS_PALYRAS,
        NodeTask::Repair => words::node::THIS_MACHINE_GETS_NEW_CERTIFICATE,
        NodeTask::Reset => words::node::THIS_MACHINE_IS_NO_LONGER_NODE,
    }
}

/// The question, in a few words.
pub const fn question(task: NodeTask) -> &'static str {
    match task {
        NodeTask::Enrol => words::node::ENROL_THIS_MACHINE_AS_NODE,
        NodeTask::Repair => words::node::REPAIR_NODE_HOST,
        NodeTask::Reset => words::node::FORGET_THIS_MACHINE_AS_NODE,
    }
}

/// Asks. No key that was not aimed at it means yes.
pub fn ask(task: NodeTask) -> Form {
    let yes = match task {
        NodeTask::Enrol => words::node::ENROL,
        NodeTask::Repair => words::node::REPAIR,
        NodeTask::Reset => words::node::FORGET_IT,
    };
    Form {
        body: Body::Message,
        buttons: vec![DialogButton::new(YES, yes), DialogButton::away(words::common::NOT_NOW)],
        focus: Some(DialogButton::AWAY.to_owned()),
        ..Form::message(question(task), meaning(task), Tone::Warning)
    }
}

/// What is shown while it is done; putting it away cancels it.
pub fn progress(task: NodeTask) -> Form {
    let (heading, text) = match task {
        NodeTask::Enrol => (words::node::ENROLLING_THIS_MACHINE, words::node::PALYRA_IS_RESTARTED_WITH_PAIRING_WINDOW),
        NodeTask::Repair => (words::node::REPAIRING_NODE_HOST, words::node::PALYRA_IS_RESTARTED_WITH_PAIRING_WINDOW),
        NodeTask::Reset => (words::node::FORGETTING_THIS_MACHINE, words::common::THIS_TAKES_A_MOMENT),
    };
    Form {
        body: Body::Progress,
        buttons: vec![DialogButton::away(words::buttons::CANCEL)],
        ..Form::message(heading, text, Tone::Info)
    }
}

/// It is done.
pub fn done(words: &str) -> Form {
    Form::message(words::node::DONE, words, Tone::Info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_never_opens_the_window_and_the_person_is_told_of_it() {
        for task in [NodeTask::Enrol, NodeTask::Repair, NodeTask::Reset] {
            assert_eq!(ask(task).focus.as_deref(), Some(DialogButton::AWAY));
            assert_eq!(ask(task).text.contains("pairing window"), task.opens_window());
        }
    }
}
