//! One clock for a call: microseconds since the Unix epoch that never run backwards.

use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

/// A moment in microseconds since 1970-01-01T00:00:00Z.
///
/// The shell makes it from the monotonic clock plus the wall clock read once at start, so that a
/// clock step never makes a call shorter, longer or negative (flows row O-06).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The moment `micros` microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, back: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(back.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC with microseconds, such as `2026-11-22T09:30:00.000000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, secs, micros) =
            (self.as_secs() / 86_400, self.as_secs() % 86_400, self.0 % 1_000_000);
        // Civil date from a day count: the era is 400 years of 146,097 days, a year starts in March.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_shifted + 2) / 5 + 1;
        let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let (hour, minute, second) = (secs / 3_600, secs / 60 % 60, secs % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_prints_as_rfc_3339() {
        assert_eq!(Time::from_micros(0).to_string(), "1970-01-01T00:00:00.000000Z");
        let leap = Time::from_micros(1_709_164_800_000_001);
        assert_eq!(leap.to_string(), "2024-02-29T00:00:00.000001Z");
        let new_year = Time::from_micros(1_798_761_599_999_999);
        assert_eq!(new_year.to_string(), "2026-12-31T23:59:59.999999Z");
    }

    #[test]
    fn o_06_time_between_two_moments_is_never_negative() {
        let (early, late) = (Time::from_micros(5), Time::from_micros(9));
        assert_eq!(late.since(early), Duration::from_micros(4));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
