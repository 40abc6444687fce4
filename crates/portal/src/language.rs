//! Which language the page speaks to a browser (RFC 9110 §12.5.4).

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

/// A language the page is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Language {
    /// What everyone gets who asks for neither.
    #[default]
    English,
    Dutch,
}

impl Language {
    /// The language tag (BCP 47).
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
        }
    }

    /// The text in this language.
    pub(crate) const fn pick(self, english: &'static str, dutch: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Dutch => dutch,
        }
    }

    /// The language that the headers of a request prefer.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_LANGUAGE).iter();
        let ranges = values.filter_map(|value| value.to_str().ok()).flat_map(|it| it.split(','));
        let mut best = (0, Self::default());
        for (language, weight) in ranges.filter_map(weighed) {
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// A language range of ours and its weight in thousandths.
fn weighed(range: &str) -> Option<(Language, u32)> {
    let mut parts = range.split(';').map(str::trim);
    let tag = parts.next()?;
    let primary = tag.split('-').next()?.to_ascii_lowercase();
    let language = match primary.as_str() {
        "nl" => Language::Dutch,
        "en" | "*" => Language::English,
        _ => return None,
    };
    let weight = match parts.find_map(|part| part.strip_prefix("q=")) {
        Some(weight) => thousandths(weight)?,
        None => 1_000,
    };
    Some((language, weight))
}

/// `0`, `1` or `0.` and up to three digits, as thousandths (§12.4.2).
fn thousandths(weight: &str) -> Option<u32> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let fraction: u32 = format!("{fraction:0<3}").parse().ok()?;
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    Some((whole * 1_000 + fraction).min(1_000))
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, value.parse().unwrap());
        Language::of(&headers)
    }

    #[test]
    fn the_heaviest_language_of_ours_wins_and_english_is_the_rest() {
        for dutch in ["nl", "nl-BE", "NL", "de,nl;q=0.5", "en;q=0.8, nl;q=0.9", "fr, nl, en"] {
            assert_eq!(asked(dutch), Language::Dutch, "{dutch}");
        }
        for english in [
            "en",
            "en-GB,nl;q=0.9",
            "de",
            "",
            "*",
            "nl;q=0",
            "nl;q=2",
            "nl;q=x",
            "nlx",
            "nl;q=0.0001",
        ] {
            assert_eq!(asked(english), Language::English, "{english}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::English);
    }
}
