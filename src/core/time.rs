//! The two clocks, as values.

/// Recorded time and age differ by less, milliseconds, as long as nobody sets the clock.
const CLOCK_SET_MS: u64 = 2_000;

/// One moment on both clocks. Deadlines live on the monotonic one, expiry and records on the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// Milliseconds on a clock that never jumps.
    pub mono_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub unix_ms: i64,
}

impl Now {
    /// The same moment moved forward on both clocks.
    #[must_use]
    pub fn plus(self, ms: u64) -> Self {
        Self { mono_ms: self.mono_ms + ms, unix_ms: self.unix_ms.saturating_add(ms.try_into().unwrap_or(i64::MAX)) }
    }

    /// How far the two clocks have gone apart since `then`, milliseconds: while a machine sleeps only one of them goes on
    /// (on Linux and macOS), and a clock that was set jumps alone.
    pub fn parted_since(self, then: Self) -> u64 {
        let monotonic = i64::try_from(self.mono_ms.saturating_sub(then.mono_ms)).unwrap_or(i64::MAX);
        self.unix_ms.saturating_sub(then.unix_ms).saturating_sub(monotonic).unsigned_abs()
    }

    /// The monotonic deadline that falls on a wall-clock time, as far as both clocks agree now.
    pub fn mono_at(self, unix_ms: i64) -> u64 {
        self.mono_ms.saturating_add(u64::try_from(unix_ms.saturating_sub(self.unix_ms)).unwrap_or(0))
    }
}

/// `2026-11-25T21:59:58Z`.
pub fn utc(unix_ms: i64) -> String {
    let seconds = unix_ms.div_euclid(1_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // years begin in March here, so that the leap day is the last one
    let day = days + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A start by the wall clock as it is now: what was recorded, unless that clock was set since, which the age gives away.
pub fn started_at(recorded_unix_ms: i64, age_ms: Option<u64>, now_unix_ms: i64) -> i64 {
    let Some(age) = age_ms.and_then(|age| i64::try_from(age).ok()) else { return recorded_unix_ms };
    let by_age = now_unix_ms.saturating_sub(age);
    if by_age.abs_diff(recorded_unix_ms) > CLOCK_SET_MS { by_age } else { recorded_unix_ms }
}

/// The earlier of two moments, either of which may be absent.
pub fn earlier<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Backoff: a wait that was doubled so many times, up to a limit; milliseconds.
pub fn doubled(first_ms: u64, times: u32, limit_ms: u64) -> u64 {
    first_ms.saturating_mul(1_u64.checked_shl(times).unwrap_or(u64::MAX)).min(limit_ms)
}

/// A small generator for jitter, seeded by the shell. Nothing secret depends on it.
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// Any seed will do.
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// Uniform in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        low + self.0 % (high.saturating_sub(low) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_told_by_the_clock_as_it_is_now() {
        let (day, now) = (86_400_000, 1_800_000_000_000);
        assert_eq!(started_at(now - 5_000, Some(5_010), now), now - 5_000, "not set: as recorded");
        assert_eq!(started_at(now - 5_000, Some(5_000), now + day), now + day - 5_000);
        assert_eq!(started_at(now - 5_000, Some(5_000), now - day), now - day - 5_000);
        assert_eq!(started_at(now - 5_000, None, now + day), now - 5_000, "the system does not tell");
    }

    #[test]
    fn a_moment_in_words() {
        for (seconds, wanted) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_643_998, "2026-11-25T21:59:58Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(seconds * 1_000 + 999), wanted);
        }
    }
}
