//! Figures as people read them: moments, durations and stretches of a recording.

use call::Time;
use maud::{Markup, html};

/// A moment: UTC as it is sent, and the reader's own time once the script has run.
pub(crate) fn moment(time: Time) -> Markup {
    let (date, seconds) = day_and_time(time);
    let minutes = seconds.get(..5).unwrap_or(&seconds);
    html! { time datetime={ (date) "T" (seconds) "Z" } { (date) " " (minutes) " UTC" } }
}

/// The same to the second, for what lasts seconds.
pub(crate) fn second(time: Time) -> Markup {
    let (date, seconds) = day_and_time(time);
    html! { time data-exact datetime={ (date) "T" (seconds) "Z" } { (date) " " (seconds) " UTC" } }
}

fn day_and_time(time: Time) -> (String, String) {
    let full = time.to_string();
    let (date, clock) = full.split_once('T').unwrap_or((&full, ""));
    (date.to_owned(), clock.get(..8).unwrap_or(clock).to_owned())
}

/// Milliseconds as `3:05` or `1:02:05`.
pub(crate) fn duration(ms: u64) -> String {
    clock(ms / 1_000)
}

/// Seconds as `3:05` or `1:02:05`.
pub(crate) fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// Milliseconds as seconds with a decimal sign of the language's own.
pub(crate) fn seconds(ms: u64, decimal: &str) -> String {
    format!("{}{decimal}{:02} s", ms / 1_000, ms % 1_000 / 10)
}

/// A share of ten thousand as `1.5 %`.
pub(crate) fn percent(of_10000: u16, decimal: &str) -> String {
    let tenths = (u32::from(of_10000) + 5) / 10;
    format!("{}{decimal}{} %", tenths / 10, tenths % 10)
}

/// Microseconds in whole milliseconds.
pub(crate) fn millis(micros: u32) -> String {
    format!("{} ms", (u64::from(micros) + 500) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_a_clock() {
        let read: Vec<_> = [0, 999, 59_999, 60_000, 3_725_000, 36_000_000].map(duration).into();
        assert_eq!(read, ["0:00", "0:00", "0:59", "1:00", "1:02:05", "10:00:00"]);
        assert_eq!(seconds(1_340, ","), "1,34 s");
        assert_eq!(seconds(20, "."), "0.02 s");
    }

    #[test]
    fn shares_and_short_times_are_rounded() {
        let read: Vec<_> = [0, 4, 5, 154, 10_000].map(|share| percent(share, ".")).into();
        assert_eq!(read, ["0.0 %", "0.0 %", "0.1 %", "1.5 %", "100.0 %"]);
        assert_eq!(percent(25, ","), "0,3 %");
        let read: Vec<_> = [0, 499, 500, 12_300, u32::MAX].map(millis).into();
        assert_eq!(read, ["0 ms", "0 ms", "1 ms", "12 ms", "4294967 ms"]);
    }

    #[test]
    fn a_moment_is_readable_by_people_and_by_the_script() {
        let shown = moment(Time::from_micros(1_795_339_805_123_456)).into_string();
        let expected = "<time datetime=\"2026-11-22T09:30:05Z\">2026-11-22 09:30 UTC</time>";
        assert_eq!(shown, expected);
        let shown = second(Time::from_micros(1_795_339_805_123_456)).into_string();
        assert!(
            shown.starts_with("<time data-exact datetime=\"2026-11-22T09:30:05Z\">"),
            "{shown}"
        );
        assert!(shown.ends_with(">2026-11-22 09:30:05 UTC</time>"), "{shown}");
        let forever = moment(Time::from_micros(u64::MAX)).into_string();
        assert!(forever.contains("586524-"), "{forever}");
    }
}
