//! A retention period as the caller hears it, so that a policy's duration can be held against the
//! words of a recording.

use std::time::Duration;

use call::Language;

use super::numeral;

/// The units a period is spoken in, largest first.
#[derive(Clone, Copy)]
enum Unit {
    Year,
    Day,
    Hour,
    Minute,
    Second,
}

impl Unit {
    const ALL: [Self; 5] = [Self::Year, Self::Day, Self::Hour, Self::Minute, Self::Second];

    const fn seconds(self) -> u64 {
        match self {
            // Retention counts days; a year is 365 of them.
            Self::Year => 365 * 86_400,
            Self::Day => 86_400,
            Self::Hour => 3_600,
            Self::Minute => 60,
            Self::Second => 1,
        }
    }

    /// Dutch keeps "jaar" and "uur" in the singular after a number.
    const fn dutch(self) -> (&'static str, &'static str) {
        match self {
            Self::Year => ("één jaar", "jaar"),
            Self::Day => ("één dag", "dagen"),
            Self::Hour => ("één uur", "uur"),
            Self::Minute => ("één minuut", "minuten"),
            Self::Second => ("één seconde", "seconden"),
        }
    }

    const fn english(self) -> (&'static str, &'static str) {
        match self {
            Self::Year => ("one year", "years"),
            Self::Day => ("one day", "days"),
            Self::Hour => ("one hour", "hours"),
            Self::Minute => ("one minute", "minutes"),
            Self::Second => ("one second", "seconds"),
        }
    }

    /// The dative, which follows "nach".
    const fn german(self) -> (&'static str, &'static str) {
        match self {
            Self::Year => ("einem Jahr", "Jahren"),
            Self::Day => ("einem Tag", "Tagen"),
            Self::Hour => ("einer Stunde", "Stunden"),
            Self::Minute => ("einer Minute", "Minuten"),
            Self::Second => ("einer Sekunde", "Sekunden"),
        }
    }

    const fn french(self) -> (&'static str, &'static str) {
        match self {
            Self::Year => ("un an", "ans"),
            Self::Day => ("un jour", "jours"),
            Self::Hour => ("une heure", "heures"),
            Self::Minute => ("une minute", "minutes"),
            Self::Second => ("une seconde", "secondes"),
        }
    }

    const fn feminine_in_french(self) -> bool {
        match self {
            Self::Hour | Self::Minute | Self::Second => true,
            Self::Year | Self::Day => false,
        }
    }
}

/// How `keep` is said after "after" in `language`, in the largest unit that divides it: `dertig
/// dagen`, `thirty days`, `dreißig Tagen`, `trente jours`. `None` for a language other than nl,
/// en, de and fr, for parts of a second, and for a count above 999.
#[must_use]
pub fn spoken(language: Language, keep: Duration) -> Option<String> {
    let seconds = Some(keep.as_secs()).filter(|_| keep.subsec_nanos() == 0)?;
    let unit = Unit::ALL.into_iter().find(|unit| seconds.is_multiple_of(unit.seconds()))?;
    let count = u16::try_from(seconds / unit.seconds()).ok().filter(|n| (1..1_000).contains(n))?;
    let ((one, many), number) = match language.to_string().as_str() {
        "nl" => (unit.dutch(), numeral::dutch(count)),
        "en" => (unit.english(), numeral::english(count)),
        "de" => (unit.german(), numeral::german(count)),
        "fr" => (unit.french(), french_count(unit, count)),
        _ => return None,
    };
    Some(if count == 1 { one.to_owned() } else { format!("{number} {many}") })
}

/// The longest period that these words say, as [`spoken`] writes it: of years, the one with the most leap
/// days. `None` for any other words.
#[must_use]
pub fn heard(language: Language, words: &str) -> Option<Duration> {
    let every = Unit::ALL.into_iter().flat_map(|unit| (1..1_000).map(move |count| (unit, count)));
    let said = |(unit, count): &(Unit, u64)| {
        let period = Duration::from_secs(count * unit.seconds());
        spoken(language, period).as_deref() == Some(words)
    };
    every.into_iter().find(said).map(|(unit, count)| {
        let leap_days = match unit {
            Unit::Year => count.div_ceil(4),
            Unit::Day | Unit::Hour | Unit::Minute | Unit::Second => 0,
        };
        Duration::from_secs(count * unit.seconds() + leap_days * Unit::Day.seconds())
    })
}

/// "vingt et un jours", but "vingt et une heures".
fn french_count(unit: Unit, count: u16) -> String {
    let number = numeral::french(count);
    let agrees = unit.feminine_in_french() && number.ends_with("un");
    if agrees { number + "e" } else { number }
}

#[cfg(test)]
mod tests {
    use super::{heard, spoken};
    use call::Language;
    use std::time::Duration;

    fn said(language: &str, seconds: u64) -> Option<String> {
        spoken(Language::new(language).unwrap(), Duration::from_secs(seconds))
    }

    #[test]
    fn a_period_is_spoken_in_its_largest_whole_unit() {
        let day = 86_400;
        for (seconds, nl, en, de, fr) in [
            (30 * day, "dertig dagen", "thirty days", "dreißig Tagen", "trente jours"),
            (365 * day, "één jaar", "one year", "einem Jahr", "un an"),
            (7 * 365 * day, "zeven jaar", "seven years", "sieben Jahren", "sept ans"),
            (day, "één dag", "one day", "einem Tag", "un jour"),
            (
                36 * 3_600,
                "zesendertig uur",
                "thirty-six hours",
                "sechsunddreißig Stunden",
                "trente-six heures",
            ),
            (
                21 * 3_600,
                "eenentwintig uur",
                "twenty-one hours",
                "einundzwanzig Stunden",
                "vingt et une heures",
            ),
            (2, "twee seconden", "two seconds", "zwei Sekunden", "deux secondes"),
        ] {
            let all = ["nl", "en", "de", "fr"].map(|language| said(language, seconds).unwrap());
            assert_eq!(all, [nl, en, de, fr]);
        }
    }

    #[test]
    fn years_that_are_promised_have_their_leap_days() {
        let longest =
            |words| heard(Language::new("nl").unwrap(), words).map(|it| it.as_secs() / 86_400);
        for (words, days) in [
            ("één jaar", 366),
            ("vier jaar", 4 * 365 + 1),
            ("vijf jaar", 5 * 365 + 2),
            ("zeven jaar", 7 * 365 + 2),
            ("dertig dagen", 30),
        ] {
            assert_eq!(longest(words), Some(days), "{words}");
        }
        assert_eq!(longest("een tijdje"), None);
    }

    #[test]
    fn a_period_that_has_no_words_is_not_guessed() {
        assert_eq!(said("nl", 0), None);
        assert_eq!(said("pl", 86_400), None);
        assert_eq!(said("nl", 1_001 * 86_400 + 86_400), None);
        assert_eq!(spoken(Language::new("nl").unwrap(), Duration::from_millis(1_500)), None);
    }
}
