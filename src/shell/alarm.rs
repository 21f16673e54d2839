//! Wakes the loop at a deadline, and at no other time.
//!
//! The runtime's own timers sort long waits into coarse slots and wake once before the deadline to sort them again. On
//! Linux a timer of the kernel's does without that.

use std::io;
use std::time::Instant;

#[cfg(target_os = "linux")]
pub use linux::Alarm;
#[cfg(not(target_os = "linux"))]
pub use other::Alarm;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::{AsFd, OwnedFd};

    use nix::errno::Errno;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use tokio::io::unix::AsyncFd;

    use super::{Instant, io};

    /// One timer, set anew for each wait.
    pub struct Alarm {
        timer: TimerFd,
        ready: AsyncFd<OwnedFd>,
    }

    impl Alarm {
        /// Must be called on the runtime that will wait for it.
        ///
        /// # Errors
        /// No descriptor is left.
        #[expect(unsafe_code, reason = "the runtime's safe way to register a descriptor is deprecated")]
        pub fn new() -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
            let descriptor = timer.as_fd().try_clone_to_owned()?;
            // SAFETY: an owned descriptor is the same open one for as long as it is registered.
            let ready = unsafe { AsyncFd::register(descriptor) }.map_err(|error| error.into_parts().1)?;
            Ok(Self { timer, ready })
        }

        /// Returns when that time has come. A wait that is given up leaves nothing behind.
        ///
        /// # Errors
        /// The timer cannot be set or waited for.
        pub async fn until(&self, at: Instant) -> io::Result<()> {
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.timer.set(Expiration::OneShot(left.into()), TimerSetTimeFlags::empty())?;
            loop {
                let mut guard = self.ready.readable().await?;
                // an expiry of an earlier wait may still be signalled: the timer itself knows
                match self.timer.wait() {
                    Ok(()) => return Ok(()),
                    Err(Errno::EAGAIN) => guard.clear_ready(),
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use super::{Instant, io};

    /// The runtime's timer.
    pub struct Alarm;

    impl Alarm {
        /// Never fails.
        ///
        /// # Errors
        /// None; as on Linux for its callers.
        pub fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Returns when that time has come.
        ///
        /// # Errors
        /// None; as on Linux for its callers.
        pub async fn until(&self, at: Instant) -> io::Result<()> {
            tokio::time::sleep_until(tokio::time::Instant::from_std(at)).await;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn on_runtime<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn it_rings_at_the_time_and_a_wait_that_was_given_up_rings_nothing_later() {
        on_runtime(async {
            let alarm = Alarm::new().unwrap();
            let start = Instant::now();
            alarm.until(start).await.unwrap();
            let given_up = alarm.until(start + Duration::from_millis(30));
            assert!(tokio::time::timeout(Duration::from_millis(5), given_up).await.is_err());
            std::thread::sleep(Duration::from_millis(60)); // that one has expired by now
            let at = Instant::now() + Duration::from_millis(80);
            alarm.until(at).await.unwrap();
            assert!(Instant::now() >= at, "too early by {:?}", at - Instant::now());
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_long_wait_wakes_once() {
        let switches = || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with("voluntary")).unwrap();
            line.split_whitespace().last().unwrap().parse::<u64>().unwrap()
        };
        on_runtime(async {
            let alarm = Alarm::new().unwrap();
            let before = switches();
            // longer than a coarse slot of the runtime's timers, which would wake at its beginning
            alarm.until(Instant::now() + Duration::from_millis(4_300)).await.unwrap();
            assert!(switches() - before <= 1, "{}", switches() - before);
        });
    }
}
