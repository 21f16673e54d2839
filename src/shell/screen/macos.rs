//! The lock of a Mac's screen, as the window server has it: the same dictionary that `ioreg` and the lock's own tools read.

use objc2_core_foundation::{CFBoolean, CFString, CFType};
use objc2_core_graphics::CGSessionCopyCurrentDictionary;

/// There only while it is locked.
const LOCKED: &str = "CGSSessionScreenIsLocked";

/// Asks the window server.
#[expect(unsafe_code, reason = "the dictionary comes without the types of what is in it")]
pub fn is_locked() -> bool {
    // None: this process is in no session with a screen.
    let Some(session) = CGSessionCopyCurrentDictionary() else { return true };
    // SAFETY: the window server's dictionary has strings as keys and objects as values, as is documented.
    let session = unsafe { session.cast_unchecked::<CFString, CFType>() };
    session
        .get(&CFString::from_static_str(LOCKED))
        .is_some_and(|value| value.downcast_ref::<CFBoolean>().is_none_or(CFBoolean::as_bool))
}
