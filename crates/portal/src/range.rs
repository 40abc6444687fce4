//! Which bytes a request wants (RFC 9110 §14): one range, or everything.

/// What a request wants of a body of a known length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: no range, a unit we do not know, several ranges, or a header that is no range
    /// (§14.2 lets a server ignore each of these).
    Whole,
    /// The bytes from `first` up to and including `last`.
    Part { first: u64, last: u64 },
    /// A valid range of which no byte exists (§15.5.17).
    Nothing,
}

/// Reads a `Range` header's value for a body of `length` bytes.
pub(crate) fn wanted(header: Option<&str>, length: u64) -> Wanted {
    match header.and_then(one_range) {
        None => Wanted::Whole,
        Some(Spec::From(first) | Spec::Between(first, _)) if first >= length => Wanted::Nothing,
        Some(Spec::Suffix(0)) => Wanted::Nothing,
        // A suffix of an empty body is satisfiable (§14.1.2) and has no bytes to name.
        Some(Spec::Suffix(_)) if length == 0 => Wanted::Whole,
        Some(Spec::From(first)) => Wanted::Part { first, last: length - 1 },
        Some(Spec::Between(first, last)) => Wanted::Part { first, last: last.min(length - 1) },
        Some(Spec::Suffix(count)) => {
            Wanted::Part { first: length.saturating_sub(count), last: length - 1 }
        }
    }
}

enum Spec {
    From(u64),
    Between(u64, u64),
    Suffix(u64),
}

/// The range of `bytes=…` when it is exactly one and well formed.
fn one_range(header: &str) -> Option<Spec> {
    let (unit, set) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    // Empty list elements are allowed and mean nothing (§5.6.1.2).
    let mut specs = set.split(',').map(str::trim).filter(|spec| !spec.is_empty());
    let (first, last) = specs.next()?.split_once('-')?;
    if specs.next().is_some() {
        return None;
    }
    match (position(first)?, position(last)?) {
        (Some(first), None) => Some(Spec::From(first)),
        (None, Some(count)) => Some(Spec::Suffix(count)),
        (Some(first), Some(last)) if first <= last => Some(Spec::Between(first, last)),
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// A position: absent, or digits only; one that fits no number is as good as the largest that does.
fn position(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slow, obvious reading: mark every byte that is asked for, then look what is marked.
    fn marked(first: Option<u64>, last: Option<u64>, length: u64) -> Wanted {
        let asked = |byte: u64| match (first, last) {
            (Some(first), Some(last)) => byte >= first && byte <= last,
            (Some(first), None) => byte >= first,
            (None, Some(count)) => length - byte <= count,
            (None, None) => true,
        };
        let bytes: Vec<u64> = (0..length).filter(|byte| asked(*byte)).collect();
        match (bytes.first(), bytes.last()) {
            (Some(first), Some(last)) => Wanted::Part { first: *first, last: *last },
            _ => Wanted::Nothing,
        }
    }

    #[test]
    fn every_small_range_agrees_with_marking_the_bytes_one_by_one() {
        let positions = || (0..12).map(Some).chain([None]);
        let shown = |position: Option<u64>| position.map_or(String::new(), |it| it.to_string());
        let mut compared = 0;
        for length in 1..10 {
            for first in positions() {
                for last in positions() {
                    let header = format!("bytes={}-{}", shown(first), shown(last));
                    let is_range = match (first, last) {
                        (None, None) => false,
                        (Some(first), Some(last)) => first <= last,
                        (Some(_), None) | (None, Some(_)) => true,
                    };
                    let expected =
                        if is_range { marked(first, last, length) } else { Wanted::Whole };
                    assert_eq!(wanted(Some(&header), length), expected, "{header} of {length}");
                    compared += 1;
                }
            }
        }
        assert_eq!(compared, 9 * 13 * 13);
    }

    #[test]
    fn what_is_no_single_range_asks_for_everything() {
        let no_ranges = [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=5",
            "bytes=a-b",
            "bytes=5-3",
            "bytes=0-1,3-4",
            "bytes=+1-2",
            "bytes=1-+2",
            "bytes=--3",
            "bytes= 1 - 2",
            "items=0-1",
            "bytes=0x1-2",
            "bytes=1-2-3",
        ];
        for header in no_ranges {
            assert_eq!(wanted(Some(header), 100), Wanted::Whole, "{header}");
        }
        assert_eq!(wanted(None, 100), Wanted::Whole);
    }

    #[test]
    fn a_range_may_be_dressed_as_the_grammar_allows() {
        for header in ["bytes=1-2", "Bytes=1-2", "bytes= 1-2 ", "bytes=,1-2,"] {
            assert_eq!(wanted(Some(header), 9), Wanted::Part { first: 1, last: 2 }, "{header}");
        }
    }

    #[test]
    fn positions_beyond_any_number_do_not_overflow() {
        let huge = "9".repeat(40);
        let first_to = format!("bytes=3-{huge}");
        assert_eq!(wanted(Some(&first_to), 9), Wanted::Part { first: 3, last: 8 });
        assert_eq!(wanted(Some(&format!("bytes={huge}-")), 9), Wanted::Nothing);
        assert_eq!(wanted(Some(&format!("bytes=-{huge}")), 9), Wanted::Part { first: 0, last: 8 });
    }

    #[test]
    fn an_empty_body_has_no_part() {
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Nothing);
        assert_eq!(wanted(Some("bytes=-5"), 0), Wanted::Whole);
    }
}
