//! Dialled numbers in E.164, so that one pattern finds a line however a carrier writes it.

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
    fn r_12_short_codes_and_names_keep_their_spelling() {
        for code in ["112", "0112", "reception", "1234", "+31112"] {
            assert_eq!(dialled(code, Id::NL).reveal(), code);
        }
        assert_eq!(dialled("+31201234567;npdi;rn=1", Id::NL).reveal(), "+31201234567");
    }
}
