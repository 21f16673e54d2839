//! What a process keeps resident while it waits: the allocator's habits, and giving back what the last work needed.
//!
//! Limits: Linux only, and the allocator's part with the GNU C library only; elsewhere these do nothing.

#[cfg(target_os = "linux")]
use nix::libc;

/// Allocations from this size on are mappings of their own, which go back whole when they are freed; and so much free memory
/// at the end of the heap is given back. Bytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 128 * 1024;

/// What the GNU C library lets its allocator be told, by this variable and only while a program is started.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const TUNABLES: &str = "GLIBC_TUNABLES";
/// No thread keeps what it freed to itself.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const NO_CACHES: &str = "glibc.malloc.tcache_count=0";

/// Starts this program once more in its place, with an allocator without a cache for each thread: every piece in such a cache
/// holds a page that could be given back, and over a day that is as much as what lives. To be called first, with nothing open
/// and before there is a second thread. Comes back in the program that has none, or where that cannot be had, which costs no
/// more than memory.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "getauxval and the environment have no safe form")]
#[expect(clippy::disallowed_methods, reason = "no other thread is there to read the environment")]
pub fn start_without_caches() {
    use std::os::unix::process::CommandExt as _;
    let given = std::env::var(TUNABLES).unwrap_or_default();
    if let Some(others) = given.strip_suffix(NO_CACHES) {
        // SAFETY: there is no other thread yet. What is started from here, such as a browser, is not to have it as well.
        unsafe {
            match others.trim_end_matches(':') {
                "" => std::env::remove_var(TUNABLES),
                others => std::env::set_var(TUNABLES, others),
            }
        }
        return;
    }
    // SAFETY: reads one number that the kernel left there. A program with more rights than its caller is started without the
    // variable, and would start itself for ever.
    let keeps_it = unsafe { libc::getauxval(libc::AT_SECURE) } == 0;
    let mut arguments = std::env::args_os();
    if let (true, Some(name), Ok(program)) = (keeps_it, arguments.next(), std::env::current_exe()) {
        let tunables = if given.is_empty() { NO_CACHES.to_owned() } else { format!("{given}:{NO_CACHES}") };
        let _not_started =
            std::process::Command::new(program).arg0(name).args(arguments).env(TUNABLES, tunables).exec();
    }
}

/// Another allocator, with habits of its own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn start_without_caches() {}

/// Makes the allocator frugal. To be called before there is a second thread.
///
/// By itself it gives nearly every thread an arena of its own, and never gives back what a thread that is gone had used; and
/// one large allocation, such as an icon's pixels, makes it keep that much for ever. Nothing here allocates enough on two
/// threads at once to be slower for it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "mallopt has no safe form")]
pub fn be_frugal() {
    for (what, value) in [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_THRESHOLD, LARGE), (libc::M_TRIM_THRESHOLD, LARGE)] {
        // SAFETY: sets one number of the allocator, under its own lock; a value that it does not take changes nothing.
        let _ = unsafe { libc::mallopt(what, value) };
    }
}

/// Another allocator, with habits of its own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn be_frugal() {}

/// Gives back free memory, and the pages of program code and constants. The kernel maps those sixteen at a time, so that most
/// of the program is mapped by the time it waits; what is needed again is mapped again from the page cache, without a read.
/// Takes about a millisecond.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "madvise and malloc_trim have no safe form")]
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: touches free memory only, under the allocator's own locks.
        let _ = unsafe { libc::malloc_trim(0) };
    }
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    for (start, end) in maps.lines().filter_map(never_written) {
        // SAFETY: the range is one file mapping of this process that nothing can have written to, so dropping its pages
        // loses nothing: the next access finds the same bytes in the file.
        let _ = unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) };
    }
}

/// Nothing to gain where the system does not say what is mapped.
#[cfg(not(target_os = "linux"))]
pub fn give_back() {}

/// The range of a line of `/proc/self/maps` when it is a file's code, or the constants before it. Constants behind the code
/// are left alone: those were written once, by relocation.
#[cfg(target_os = "linux")]
fn never_written(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (range, rights, offset) = (words.next()?, words.next()?, words.next()?);
    let path = words.nth(2)?;
    let constants = rights == "r--p" && offset.bytes().all(|digit| digit == b'0');
    if !path.starts_with('/') || !(rights == "r-xp" || constants) {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_code_and_the_constants_before_it_are_given_back() {
        let line = |rights, offset, path| format!("1000-3000 {rights} {offset} fe:00 42   {path}");
        for good in [line("r-xp", "001e6000", "/usr/bin/palyra-tray"), line("r--p", "00000000", "/usr/bin/palyra-tray")]
        {
            assert_eq!(never_written(&good), Some((0x1000, 0x3000)), "{good}");
        }
        let relocated = line("r--p", "006ad000", "/usr/bin/palyra-tray");
        for bad in [
            relocated,
            line("rw-p", "00000000", "/x"),
            line("rwxp", "0", "/x"),
            line("r-xp", "0", "[vdso]"),
            "1000-3000 r-xp 0 00:00 0".to_owned(),
        ] {
            assert_eq!(never_written(&bad), None, "{bad}");
        }
    }

    #[test]
    fn the_program_goes_on_without_those_pages() {
        let kept = vec![7_u8; 3 * 1024 * 1024];
        give_back();
        assert_eq!(format!("{:?}", nix::sys::signal::Signal::SIGTERM), "SIGTERM");
        assert!(kept.iter().all(|byte| *byte == 7));
    }
}
