//! Windows that could not be opened, or ended early.

pub const DIAGNOSTICS_IN_TERMINAL: &str = "In a terminal it is: palyra-tray status --diagnostics";
pub const DRAFT_IN_TERMINAL: &str = "In a terminal it is: palyra-tray drafts show";
pub const ABOUT_IN_TERMINAL: &str = "In a terminal it is: palyra-tray about";
pub const ENROL_IN_TERMINAL: &str = "In a terminal it is: palyra-tray node enroll";
pub const REPAIR_IN_TERMINAL: &str = "In a terminal it is: palyra-tray node repair";
pub const RESET_IN_TERMINAL: &str = "In a terminal it is: palyra-tray node reset";
pub const SET_UP_COULD_NOT_BE_OPENED: &str = "The set-up could not be opened";
pub const SET_UP_IN_TERMINAL: &str = "In a terminal it is: palyra-tray setup";
pub const WHAT_YOU_HAVE_DONE_IS_KEPT: &str = "What you have done is kept: “Continue set-up” in the menu goes on with \
     it.";
pub const SET_UP_ENDED_EARLY: &str = "The set-up ended early";
pub const CHECKS_COULD_NOT_BE_OPENED: &str = "The checks could not be opened";
pub const CHECKS_IN_TERMINAL: &str = "In a terminal they are: palyra-tray doctor";
pub const CHECKS_ENDED_EARLY: &str = "The checks ended early";
pub const RUN_CHECKS_OPENS_THEM_AGAIN: &str = "“Run checks” in the menu opens them again.";
pub const THERE_IS_NO_SUPPORT_BUNDLE: &str = "There is no support bundle";
pub const SUPPORT_BUNDLE_IN_TERMINAL: &str = "In a terminal it is: palyra-tray support-bundle";
pub const ABOUT_COULD_NOT_BE_SHOWN: &str = "About could not be shown";
pub const PROFILES_COULD_NOT_BE_SHOWN: &str = "The profiles could not be shown";
pub const PROFILES_IN_TERMINAL: &str = "In a terminal they are: palyra-tray profile list";
pub const CHOICE_OF_PROFILE_ENDED_EARLY: &str = "The choice of a profile ended early";
pub const WHICH_ONE_IS_ACTIVE: &str = "Which one is active: palyra-tray profile show";
pub const DIALOG_COULD_NOT_BE_OPENED: &str = "The dialog could not be opened";
pub const WHAT_BECAME_OF_IT: &str = "What became of it: palyra-tray node status";
pub const MESSAGE_COULD_NOT_BE_WRITTEN: &str = "The message could not be written";
pub const SEND_IN_TERMINAL: &str = "In a terminal it is: palyra-tray send";
pub const WHAT_YOU_WROTE_WAS_NOT_SENT: &str = "What you wrote was not sent, unless you had pressed “Send”.";
pub const DRAFT_COULD_NOT_BE_SHOWN: &str = "The draft could not be shown";
pub const DRAFTS_IN_TERMINAL: &str = "In a terminal it is: palyra-tray drafts list";
pub const DIALOG_ENDED_EARLY: &str = "The dialog ended early";
pub const DRAFT_IS_KEPT: &str = "The draft is kept, unless you had decided about it.";
pub const NOTHING_WAS_DECIDED: &str = "Nothing was decided. In a terminal it is: palyra-tray approvals review";
pub const APPROVAL_COULD_NOT_BE_SHOWN: &str = "The approval could not be shown";
pub const REVIEW_ENDED_EARLY: &str = "The review ended early";
pub const WHAT_YOU_HAD_NOT_DECIDED: &str = "What you had not decided by then still waits.";
