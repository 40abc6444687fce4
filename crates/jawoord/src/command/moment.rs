//! A moment as somebody writes it on the command line.

use call::Time;
use jiff::{Timestamp, ZonedDateTime, civil::DateTime, tz::TimeZone};

/// Reads a day, a day with a time, both in UTC, a time with its offset (RFC 3339), or either of the first
/// in a named time zone (RFC 9557), where a day may have 23 or 25 hours.
///
/// # Errors
/// What to write instead.
pub(super) fn read(text: &str) -> Result<Time, String> {
    let at = match text.contains('[') {
        true => text.parse::<ZonedDateTime>().map(|at| at.timestamp()).ok(),
        false => text.parse().ok().or_else(|| in_utc(text)),
    };
    match at.map(|at| u64::try_from(at.as_microsecond())) {
        Some(Ok(micros)) => Ok(Time::from_micros(micros)),
        Some(Err(_)) | None => {
            Err("write a moment after 1970, such as 2026-12-01, 2026-12-01T09:00 (UTC), \
                 2026-12-01T10:00:00+01:00 or 2026-12-01T10:00[Europe/Amsterdam]"
                .to_owned())
        }
    }
}

fn in_utc(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_a_time_of_it_or_a_time_with_its_offset() {
        let shown = |text: &str| read(text).map(|at| at.to_string());
        assert_eq!(shown("2026-12-01"), Ok("2026-12-01T00:00:00.000000Z".to_owned()));
        assert_eq!(shown("2026-12-01T09:30"), Ok("2026-12-01T09:30:00.000000Z".to_owned()));
        assert_eq!(shown("2026-12-01T10:00:00+01:00"), shown("2026-12-01T09:00:00Z"));
        let in_house = shown("2026-12-01T10:00[Europe/Amsterdam]");
        assert_eq!(in_house, shown("2026-12-01T09:00:00Z"));
        let nowhere = "2026-12-01[Europe/Nowhere]";
        for wrong in ["yesterday", "", "1969-12-31", "09:30", "2026-13-01", nowhere] {
            assert!(read(wrong).is_err_and(|said| said.contains("2026-12-01")), "{wrong}");
        }
    }

    #[test]
    fn a_day_of_a_place_has_the_hours_that_its_clocks_show() {
        let hours = |from, to| {
            let of = |day| read(&format!("2026-{day}[Europe/Amsterdam]")).unwrap();
            of(to).since(of(from)).as_secs() / 3_600
        };
        assert_eq!(hours("03-29", "03-30"), 23, "the clocks go forward");
        assert_eq!(hours("10-25", "10-26"), 25, "the clocks go back");
        assert_eq!(hours("12-01", "12-02"), 24);
        let twice =
            ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"].map(|at| read(at).unwrap());
        assert_eq!(twice[1].since(twice[0]).as_secs(), 3_600, "an hour that comes twice");
    }
}
