//! Where recordings may be kept: countries, profiles, and the check of a sink against a profile.
//!
//! The lists are dated data (law table 2.4). A country that is not listed is not allowed.

use std::fmt;

/// The day of which the lists are.
pub const RESIDENCY_AS_OF: &str = "2026-11-01";

/// Member states of the European Union.
const EU: [&[u8; 2]; 27] = [
    b"AT", b"BE", b"BG", b"CY", b"CZ", b"DE", b"DK", b"EE", b"ES", b"FI", b"FR", b"GR", b"HR",
    b"HU", b"IE", b"IT", b"LT", b"LU", b"LV", b"MT", b"NL", b"PL", b"PT", b"RO", b"SE", b"SI",
    b"SK",
];
/// The EEA's other members: the GDPR holds there by the EEA Agreement (Decision 154/2018).
const EFTA: [&[u8; 2]; 3] = [b"IS", b"LI", b"NO"];

/// A country, ISO 3166-1 alpha-2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Accepts two letters `A-Z`.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let letters: [u8; 2] = code.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    /// Whether it is a member state of the European Union.
    #[must_use]
    pub fn is_eu(self) -> bool {
        EU.contains(&&self.0)
    }

    /// Whether it is in the European Economic Area.
    #[must_use]
    pub fn is_eea(self) -> bool {
        self.is_eu() || EFTA.contains(&&self.0)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a place that keeps something declares about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Where it stands.
    pub country: Country,
    /// Who runs it.
    pub provider: Box<str>,
}

/// How far recordings, keys and facts may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The Netherlands only.
    NlOnly,
    /// The European Union.
    Eu,
    /// The European Economic Area.
    #[default]
    Eea,
}

impl Profile {
    /// Every profile, narrowest first.
    pub const ALL: [Self; 3] = [Self::NlOnly, Self::Eu, Self::Eea];

    /// The name used in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NlOnly => "nl-only",
            Self::Eu => "eu",
            Self::Eea => "eea",
        }
    }

    /// The profile of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }

    /// Whether a sink in `country` is allowed (GDPR Art. 44).
    ///
    /// # Errors
    /// [`OutsideProfile`] when it is not; nothing may be written to it.
    pub fn check(self, country: Country) -> Result<(), OutsideProfile> {
        let inside = match self {
            Self::NlOnly => country.0 == *b"NL",
            Self::Eu => country.is_eu(),
            Self::Eea => country.is_eea(),
        };
        if inside { Ok(()) } else { Err(OutsideProfile { profile: self, country }) }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A sink lies outside the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutsideProfile {
    /// The profile.
    pub profile: Profile,
    /// The sink's country.
    pub country: Country,
}

impl fmt::Display for OutsideProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} lies outside the residency profile {} (lists of {RESIDENCY_AS_OF}); use a store \
             inside it, or widen the profile if that is lawful",
            self.country, self.profile
        )
    }
}

impl std::error::Error for OutsideProfile {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_44_a_country_outside_the_profile_is_refused() {
        let check = |profile: Profile, code| profile.check(Country::new(code).unwrap()).is_ok();
        assert!(check(Profile::NlOnly, "NL") && !check(Profile::NlOnly, "DE"));
        assert!(check(Profile::Eu, "DE") && !check(Profile::Eu, "NO"));
        assert!(check(Profile::Eea, "NO") && check(Profile::Eea, "LI"));
        for outside in ["US", "GB", "CH", "ZZ"] {
            assert!(!check(Profile::Eea, outside), "{outside}");
        }
        assert!(Country::new("nl").is_none() && Country::new("NLD").is_none());
    }

    #[test]
    fn the_eea_has_thirty_members_each_listed_once() {
        let letters = || b'A'..=b'Z';
        let all = letters().flat_map(|one| letters().map(move |two| Country([one, two])));
        assert_eq!(all.filter(|country| country.is_eea()).count(), 30);
        assert_eq!(EU.len() + EFTA.len(), 30);
    }
}
