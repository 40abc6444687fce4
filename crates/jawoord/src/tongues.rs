//! The languages of lines: who speaks another than the line's own is asked in theirs (flows row C-12, law row
//! L09).

use std::{collections::BTreeMap, sync::Arc};

use call::{DialledPattern, Direction, Language, Line, LineId, Private, Recording};
use sip::Request;

/// How many languages of a caller are looked at. A header may name as many as a datagram holds.
const ASKED: usize = 16;

/// Another language of a line.
#[derive(Clone, Debug)]
pub struct Tongue {
    /// Customers of these numbers speak it.
    pub numbers: Vec<DialledPattern>,
    /// The line as it is in this language: its policy promises the same in other words.
    pub line: Arc<Line>,
}

/// The other languages of lines.
#[derive(Clone, Debug, Default)]
pub struct Tongues(BTreeMap<LineId, Vec<Tongue>>);

impl Tongues {
    /// Of each line, its other languages.
    #[must_use]
    pub const fn new(tongues: BTreeMap<LineId, Vec<Tongue>>) -> Self {
        Self(tongues)
    }

    /// The line as its customer hears it: in the first of the languages `asked` for that it speaks, or else
    /// in that of their number, or in its own. Nobody reads the numbers where there is no choice.
    #[must_use]
    pub fn speak(
        &self,
        line: Arc<Line>,
        asked: &[Language],
        numbers: impl FnOnce() -> Vec<Private<String>>,
    ) -> Arc<Line> {
        let Some(others) = self.0.get(&line.id) else { return line };
        let all = || [&line].into_iter().chain(others.iter().map(|other| &other.line));
        let wanted = asked.iter().find_map(|asked| all().find(|it| language(it) == Some(*asked)));
        if let Some(wanted) = wanted {
            return Arc::clone(wanted);
        }
        let numbers = numbers();
        let of = |other: &&Tongue| {
            let is_theirs = |pattern: &DialledPattern| {
                numbers.iter().any(|number| pattern.matches(number.reveal()))
            };
            other.numbers.iter().any(is_theirs)
        };
        let theirs = others.iter().find(of).map(|other| Arc::clone(&other.line));
        theirs.unwrap_or(line)
    }

    /// The other languages of a line.
    #[must_use]
    pub fn of(&self, line: &LineId) -> &[Tongue] {
        self.0.get(line).map_or(&[], Vec::as_slice)
    }
}

/// The language in which a line asks; `None` where it asks nobody.
#[must_use]
pub fn language(line: &Line) -> Option<Language> {
    match &line.policy.recording {
        Recording::Ask(asking) => Some(asking.language),
        Recording::Never => None,
    }
}

/// What a customer who calls wants to hear, dearest first (`Accept-Language`, RFC 3261 §20.3). Of calls that
/// the PBX starts it is the house's own, and says nothing.
#[must_use]
pub fn asked(direction: Direction, request: &Request) -> Vec<Language> {
    match direction {
        Direction::Inbound => dearest(request.message().list("Accept-Language")),
        Direction::Outbound => Vec::new(),
    }
}

/// The languages of the ranges of a header, by their weights (RFC 9110 §12.5.4). A range is as good as its
/// primary language; any language is none; and weight 0 is not wanted.
fn dearest<'a>(ranges: impl IntoIterator<Item = &'a [u8]>) -> Vec<Language> {
    let weighed = |range: &'a [u8]| {
        let range = std::str::from_utf8(range).ok()?;
        let mut parts = range.split(';').map(str::trim);
        let primary = parts.next()?.split('-').next()?.to_ascii_lowercase();
        let weight = match parts.find_map(|part| part.strip_prefix("q=")) {
            Some(weight) => weight.parse::<f32>().ok()?,
            None => 1.0,
        };
        (weight > 0.0).then_some((weight, Language::new(&primary)?))
    };
    let mut weighed: Vec<_> = ranges.into_iter().take(ASKED).filter_map(weighed).collect();
    weighed.sort_by(|one, other| other.0.total_cmp(&one.0));
    weighed.into_iter().map(|(_, language)| language).collect()
}

#[cfg(test)]
mod tests {
    use super::dearest;

    fn of(header: &str) -> Vec<String> {
        dearest(header.split(',').map(|range| range.trim().as_bytes()))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn c_12_languages_are_wanted_by_their_weights_and_then_in_their_order() {
        assert_eq!(of("da, en-gb;q=0.8, en;q=0.7"), ["da", "en", "en"]);
        assert_eq!(of("en;q=0.5, de-AT, fr;q=0.9"), ["de", "fr", "en"]);
        assert_eq!(of("NL-be"), ["nl"]);
    }

    #[test]
    fn c_12_what_is_no_language_is_none_and_what_is_not_wanted_is_left_out() {
        for header in ["", "*", "en;q=0", "en;q=0.000", "en;q=x", "e", "english", "-", ";q=1"] {
            assert_eq!(of(header), Vec::<String>::new(), "{header}");
        }
        assert_eq!(of("*;q=0.1, nl;q=0, de;q=0.2"), ["de"]);
    }

    #[test]
    fn a_header_of_thousands_of_languages_is_not_read_to_its_end() {
        let many = vec!["de"; 5_000].join(",");
        assert_eq!(of(&many).len(), 16);
    }
}
