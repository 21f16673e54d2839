//! The question before something is done with the node host, and what is shown meanwhile. The same words on a terminal.

use crate::core::dialog::{Body, DialogButton, Form, Tone};
use crate::protocol::node::NodeTask;

/// Id of the button that means yes.
pub const YES: &str = "yes";

/// What it means.
pub const fn meaning(task: NodeTask) -> &'static str {
    match task {
        NodeTask::Enrol => {
            "As a node, this machine lets Palyra's agents open addresses and files here, each time after you approved it.\n\n\
             To pair it, Palyra is restarted twice. In between, for a few seconds, its node port lets any program on this \
             machine ask to be paired (the pairing window). Only this machine's own request is approved; if anything else \
             asks, nothing is. Then the window is closed, and that is checked.\n\n\
             The certificate lasts 24 hours and cannot be renewed: after that the node host needs repair, which is the same \
             again. Runs of agents that are under way are lost by the restarts."
        }
        NodeTask::Repair => {
            "This machine gets a new certificate as a node; the old one is deleted.\n\n\
             For that, Palyra is restarted twice. In between, for a few seconds, its node port lets any program on this machine \
             ask to be paired (the pairing window). Only this machine's own request is approved; if anything else asks, nothing \
             is. Then the window is closed, and that is checked.\n\n\
             The new certificate lasts 24 hours. Runs of agents that are under way are lost by the restarts."
        }
        NodeTask::Reset => {
            "This machine is no longer a node: its node host is stopped, its certificate and key are deleted, and the gateway \
             forgets it. Palyra is not restarted."
        }
    }
}

/// The question, in a few words.
pub const fn question(task: NodeTask) -> &'static str {
    match task {
        NodeTask::Enrol => "Enrol this machine as a node?",
        NodeTask::Repair => "Repair the node host?",
        NodeTask::Reset => "Forget this machine as a node?",
    }
}

/// Asks. No key that was not aimed at it means yes.
pub fn ask(task: NodeTask) -> Form {
    let yes = match task {
        NodeTask::Enrol => "Enrol",
        NodeTask::Repair => "Repair",
        NodeTask::Reset => "Forget it",
    };
    Form {
        body: Body::Message,
        buttons: vec![DialogButton::new(YES, yes), DialogButton::away("Not now")],
        focus: Some(DialogButton::AWAY.to_owned()),
        ..Form::message(question(task), meaning(task), Tone::Warning)
    }
}

/// What is shown while it is done; putting it away cancels it.
pub fn progress(task: NodeTask) -> Form {
    let (heading, text) = match task {
        NodeTask::Enrol => {
            ("Enrolling this machine", "Palyra is restarted with the pairing window, and again without it.")
        }
        NodeTask::Repair => {
            ("Repairing the node host", "Palyra is restarted with the pairing window, and again without it.")
        }
        NodeTask::Reset => ("Forgetting this machine", "This takes a moment."),
    };
    Form {
        body: Body::Progress,
        buttons: vec![DialogButton::away("Cancel")],
        ..Form::message(heading, text, Tone::Info)
    }
}

/// It is done.
pub fn done(words: &str) -> Form {
    Form::message("Done", words, Tone::Info)
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
