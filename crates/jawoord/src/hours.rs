//! Opening hours: when somebody of the house is there, by the clock on its wall.

use std::{fmt, ops::Range};

use call::Time;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// The days of a week as they are written, from Monday on.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The same hours of some days of every week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    days: [bool; 7],
    /// In minutes since midnight.
    minutes: Range<u16>,
}

impl Span {
    /// Reads `mon-fri 08:30-17:30` or `sat 10:00-24:00`; `None` for everything else, hours that end
    /// before they begin among it.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (days, hours) = text.trim().split_once(' ')?;
        let (from, until) = hours.trim().split_once('-')?;
        let minutes = minute(from)?..minute(until)?;
        (!minutes.is_empty()).then_some(Self { days: self::days(days)?, minutes })
    }

    fn holds(&self, at: DateTime) -> bool {
        let day = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or_default();
        let minute = u16::try_from(i16::from(at.hour()) * 60 + i16::from(at.minute()));
        self.days.get(day) == Some(&true)
            && minute.is_ok_and(|minute| self.minutes.contains(&minute))
    }
}

/// The days from one to another, both among them, also over the end of the week.
fn days(text: &str) -> Option<[bool; 7]> {
    let place = |name: &str| DAYS.iter().position(|day| *day == name);
    let (from, until) = text.split_once('-').unwrap_or((text, text));
    let (from, until) = (place(from)?, place(until)?);
    let count = (until + DAYS.len() - from) % DAYS.len();
    Some(std::array::from_fn(|day| (day + DAYS.len() - from) % DAYS.len() <= count))
}

/// The minute of the day of `08:30`; 24:00 is its end.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let end = hour == 24 && minute == 0;
    (end || (hour < 24 && minute < 60)).then_some(hour * 60 + minute)
}

/// When a line is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    name: Box<str>,
    zone: TimeZone,
    open: Vec<Span>,
    closed: Vec<Date>,
}

impl Hours {
    /// Open in these hours of every week, by the wall clock of a time zone, but for whole days.
    #[must_use]
    pub fn new(name: &str, zone: TimeZone, open: Vec<Span>, closed: Vec<Date>) -> Self {
        Self { name: name.into(), zone, open, closed }
    }

    /// Whether it is open at a moment.
    #[must_use]
    pub fn is_open(&self, at: Time) -> bool {
        let micros = i64::try_from(at.as_micros()).unwrap_or(i64::MAX);
        // The calendar ends in the year 9999; who lives to see that is there.
        Timestamp::from_microsecond(micros)
            .is_ok_and(|moment| self.holds(self.zone.to_datetime(moment)))
    }

    fn holds(&self, at: DateTime) -> bool {
        !self.closed.contains(&at.date()) && self.open.iter().any(|span| span.holds(at))
    }

    /// The moment at which its wall clock shows this; where it shows it twice, the first one, and where
    /// it leaves it out, the one that it would have been.
    #[must_use]
    pub fn moment(&self, shown: DateTime) -> Option<Time> {
        let moment = self.zone.to_timestamp(shown).ok()?.as_microsecond();
        u64::try_from(moment).ok().map(Time::from_micros)
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.zone.iana_name().unwrap_or("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office(closed: &[&str]) -> Hours {
        let open = ["mon-fri 08:30-17:30", "sat 10:00-14:00"];
        Hours::new(
            "office",
            TimeZone::get("Europe/Amsterdam").unwrap(),
            open.into_iter().map(|span| Span::read(span).unwrap()).collect(),
            closed.iter().map(|date| date.parse().unwrap()).collect(),
        )
    }

    /// The moment of a time in UTC.
    fn utc(text: &str) -> Time {
        let moment: Timestamp = text.parse().unwrap();
        Time::from_micros(u64::try_from(moment.as_microsecond()).unwrap())
    }

    #[test]
    fn hours_are_days_and_times_and_nothing_else() {
        for (text, good) in [
            ("mon-fri 08:30-17:30", true),
            (" sun   00:00-24:00 ", true),
            ("fri-mon 22:00-23:59", true),
            ("mon-fri", false),
            ("mon-fri 17:30-08:30", false),
            ("mon 08:00-08:00", false),
            ("mon 8:00-17:00", false),
            ("mon 08:00-24:01", false),
            ("mon 08:60-17:00", false),
            ("mon 08:00-25:00", false),
            ("maandag 08:00-17:00", false),
            ("mon-fry 08:00-17:00", false),
            ("mon +8:00-17:00", false),
            ("", false),
        ] {
            assert_eq!(Span::read(text).is_some(), good, "{text:?}");
        }
        assert_eq!(days("fri-mon"), Some([true, false, false, false, true, true, true]));
        assert_eq!(days("tue-tue"), days("tue"));
        assert_eq!(days("mon-sun"), Some([true; 7]));
    }

    #[test]
    fn a_line_opens_and_closes_with_the_minute_in_summer_and_winter() {
        let office = office(&[]);
        // Summer time is two hours before UTC, and winter time one. 2026-06-03 and 12-02 are Wednesdays.
        for (moment, open) in [
            ("2026-06-03T06:29:59.999Z", false),
            ("2026-06-03T06:30:00Z", true),
            ("2026-06-03T15:29:59.999Z", true),
            ("2026-06-03T15:30:00Z", false),
            ("2026-12-02T07:29:59Z", false),
            ("2026-12-02T07:30:00Z", true),
            ("2026-12-02T16:29:59Z", true),
            ("2026-12-02T16:30:00Z", false),
            ("2026-06-06T07:59:59Z", false),
            ("2026-06-06T08:00:00Z", true),
            ("2026-06-06T12:00:00Z", false),
            ("2026-06-07T10:00:00Z", false),
            // It is Monday there while it is Sunday in UTC, and still too early.
            ("2026-06-07T22:30:00Z", false),
        ] {
            assert_eq!(office.is_open(utc(moment)), open, "{moment}");
        }
    }

    #[test]
    fn a_day_of_closure_is_a_day_of_the_house_and_not_of_utc() {
        let zone = TimeZone::get("Pacific/Auckland").unwrap();
        let always = vec![Span::read("mon-sun 00:00-24:00").unwrap()];
        let far = Hours::new("far", zone, always, vec!["2026-12-25".parse().unwrap()]);
        for (moment, open) in [
            ("2026-12-24T10:59:59Z", true),
            ("2026-12-24T11:00:00Z", false),
            ("2026-12-25T10:59:59Z", false),
            ("2026-12-25T11:00:00Z", true),
        ] {
            assert_eq!(far.is_open(utc(moment)), open, "{moment}");
        }
        assert!(!office(&["2026-06-03"]).is_open(utc("2026-06-03T10:00:00Z")));
        assert!(office(&["2026-06-04"]).is_open(utc("2026-06-03T10:00:00Z")));
    }

    #[test]
    fn what_a_wall_clock_shows_is_a_moment() {
        let office = office(&[]);
        let moment = |text: &str| office.moment(text.parse().unwrap());
        assert_eq!(moment("2026-06-03T08:30"), Some(utc("2026-06-03T06:30:00Z")));
        assert_eq!(moment("2026-12-02 08:30"), Some(utc("2026-12-02T07:30:00Z")));
        // On 25 October it shows this hour twice.
        assert_eq!(moment("2026-10-25T02:30"), Some(utc("2026-10-25T00:30:00Z")));
        assert_eq!(office.to_string(), "office (Europe/Amsterdam)");
    }

    #[test]
    fn a_clock_that_no_calendar_holds_is_closed() {
        assert!(!office(&[]).is_open(Time::from_micros(u64::MAX)));
    }
}
