//! The lock of the screen on Windows: then the desktop that takes keys and clicks is one that only the system may open.

use windows_sys::Win32::System::StationsAndDesktops::{CloseDesktop, DESKTOP_SWITCHDESKTOP, OpenInputDesktop};

/// Asks for the desktop that takes keys and clicks. True as well while the question for an administrator's consent is open,
/// which nobody answers by a click on ours either.
#[expect(unsafe_code, reason = "calls of the system without a safe form")]
pub fn is_locked() -> bool {
    // SAFETY: takes no pointer; what it gives is ours until it is closed, right here.
    unsafe {
        let desktop = OpenInputDesktop(0, 0, DESKTOP_SWITCHDESKTOP);
        if desktop.is_null() {
            return true;
        }
        CloseDesktop(desktop);
    }
    false
}
