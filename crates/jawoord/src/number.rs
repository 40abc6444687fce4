//! Dialled numbers in E.164, so that one pattern finds a line however a carrier writes it.

use std::collections::HashMap;

use call::Private;
use phonenumber::{Mode, country::Id};

/// The number as `+` and digits. What is no telephone number (a name, a short code, a service
/// URN) keeps its own spelling.
#[must_use]
pub fn dialled(user: &str, country: Id) -> Private<String> {
    let bare = user.split(';').next().unwrap_or(user);
    let digits: String =
        bare.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect();
    let numeric = !digits.is_empty()
        && digits.chars().enumerate().all(|(i, c)| c.is_ascii_digit() || (c == '+' && i == 0));
    // Short codes such as 112 have no E.164 form and must stay as they are.
    if !numeric || digits.trim_start_matches('+').len() < 6 {
        return Private::new(digits);
    }
    match phonenumber::parse(Some(country), &digits) {
        Ok(number) if number.is_valid() || digits.starts_with('+') => {
            Private::new(number.format().mode(Mode::E164).to_string())
        }
        _ => Private::new(digits),
    }
}

/// The most spellings that are kept.
const SPELLINGS: usize = 10_000;

/// How the numbers of the house are spelled by those who call them: each spelling is looked up in its
/// numbering plan once, and not at every call.
#[derive(Default)]
pub struct Spellings(HashMap<Box<str>, (Id, Private<String>)>);

impl Spellings {
    /// As [`dialled`].
    #[must_use]
    pub fn dialled(&self, user: &str, country: Id) -> Private<String> {
        let known = self.0.get(user).filter(|(id, _)| *id == country);
        known.map_or_else(|| dialled(user, country), |(_, number)| number.clone())
    }

    /// Keeps what a number of the house was read as. The number of a customer is never kept here.
    pub fn learn(&mut self, user: &str, country: Id, number: &Private<String>) {
        if self.0.len() >= SPELLINGS {
            self.0.clear();
        }
        if !self.0.get(user).is_some_and(|(id, _)| *id == country) {
            self.0.insert(user.into(), (country, number.clone()));
        }
    }
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `+31201234567`.
    E164,
    /// `31201234567`.
    Digits,
    /// `0031201234567`.
    International,
    /// `0201234567`; only for numbers of the country itself.
    National,
}

/// A number in another form; `None` for what is no number of a numbering plan, such as a name, a
/// short code or an extension, and for one that does not have the form.
#[must_use]
pub fn written(user: &str, country: Id, form: Form) -> Option<String> {
    let e164 = dialled(user, country);
    let digits = e164.reveal().strip_prefix('+')?;
    // A short code keeps its spelling above, `+` and all.
    if digits.len() < 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match form {
        Form::E164 => Some(e164.reveal().clone()),
        Form::Digits => Some(digits.to_owned()),
        Form::International => Some(format!("00{digits}")),
        Form::National => {
            let number = phonenumber::parse(None, e164.reveal()).ok()?;
            let own = number.country().id() == Some(country);
            let national = number.format().mode(Mode::National).to_string();
            own.then(|| national.chars().filter(char::is_ascii_digit).collect())
        }
    }
}

/// Reads the numbering plan of a country now, so that no caller waits for it.
pub fn prepare(country: Id) {
    let _read_for_its_plan = dialled("000000000", country);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_number_finds_the_same_line() {
        for spelling in ["+31201234567", "0201234567", "0031201234567", "+31-20-123.4567"] {
            assert_eq!(dialled(spelling, Id::NL).reveal(), "+31201234567", "{spelling}");
        }
    }

    #[test]
    fn a_spelling_that_is_known_reads_as_it_did_and_only_in_its_country() {
        let mut spellings = Spellings::default();
        let number = spellings.dialled("0201234567", Id::NL);
        spellings.learn("0201234567", Id::NL, &number);
        assert_eq!(spellings.dialled("0201234567", Id::NL).reveal(), "+31201234567");
        let german = dialled("0201234567", Id::DE);
        assert_eq!(spellings.dialled("0201234567", Id::DE).reveal(), german.reveal());
        for other in 0..SPELLINGS {
            spellings.learn(&format!("02{other:08}"), Id::NL, &number);
        }
        assert!(spellings.0.len() <= SPELLINGS);
    }

    #[test]
    fn r_12_short_codes_and_names_keep_their_spelling() {
        for code in ["112", "0112", "reception", "1234", "+31112"] {
            assert_eq!(dialled(code, Id::NL).reveal(), code);
        }
        assert_eq!(dialled("+31201234567;npdi;rn=1", Id::NL).reveal(), "+31201234567");
    }
}
