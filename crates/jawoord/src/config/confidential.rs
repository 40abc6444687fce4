//! `[[confidential]]`: numbers in whose calls nothing is ever asked or recorded.

use call::{DialledPattern, TenantId};
use phonenumber::country::Id;
use serde::Deserialize;

use super::problem::Problem;
use crate::{aside::Confidential, number};

/// Helplines of the Netherlands to whom nobody should have to say that they call them.
const NL_HELPLINES: [&str; 14] = [
    "113",          // 113 Zelfmoordpreventie
    "+31113",       // the same, as some trunks write it
    "+318000113",   // the same, free of charge
    "+318002000",   // Veilig Thuis: domestic violence and child abuse
    "+318000432",   // De Kindertelefoon
    "+319001450",   // MIND Korrelatie
    "+31880767000", // De Luisterlijn
    "+319000101",   // Slachtofferhulp Nederland
    "+318000188",   // Centrum Seksueel Geweld
    "+318007000",   // Meld Misdaad Anoniem
    "116111",       // De Kindertelefoon, by the number of the Union
    "116123",       // emotional support, the same
    "116006",       // victims of crime, the same
    "116000",       // missing children, the same
];

/// The numbers that are harmonised in the Union for services of social value (Decision 2007/116/EC), but
/// for the doctor on duty.
const EU_HELPLINES: [&str; 4] = ["116000", "116006", "116111", "116123"];

/// The sets that are built in. A number is on one only if it is certain and means one service alone.
const SETS: [(&str, &[&str]); 2] =
    [("nl-helplines", &NL_HELPLINES), ("eu-helplines", &EU_HELPLINES)];

/// `[[confidential]]` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    /// Whose calls; by default everybody's.
    pub tenant: Option<String>,
    /// Sets that are built in.
    pub sets: Vec<String>,
    /// Numbers as they are dialled, or their beginning in E.164 and `*`.
    pub numbers: Vec<String>,
    /// The country of numbers that are written without one, ISO 3166-1 alpha-2.
    pub country: String,
}

impl Default for Written {
    fn default() -> Self {
        Self { tenant: None, sets: Vec::new(), numbers: Vec::new(), country: "NL".to_owned() }
    }
}

/// All lists. What would silently match nothing is refused: somebody relies on it. Of a tenant that has a
/// line `is_known` says so.
pub(super) fn confidential(
    all: &[Written],
    is_known: impl Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) -> Vec<Confidential> {
    all.iter().flat_map(|written| lists(written, &is_known, problems)).collect()
}

fn lists(
    written: &Written,
    is_known: &impl Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) -> Vec<Confidential> {
    const PLACE: &str = "confidential";
    if written.sets.is_empty() && written.numbers.is_empty() {
        let mend = "name numbers, or `sets = [\"nl-helplines\"]`";
        problems.push(Problem::missing(PLACE, "numbers", mend));
    }
    let tenant = written.tenant.as_ref().and_then(|tenant| TenantId::new(tenant).ok());
    if let Some(named) = &written.tenant
        && !is_known(named)
    {
        let mend = "no line is of this tenant; correct the name, or leave it out for all of them";
        problems.push(Problem::value(PLACE, "tenant", named, mend));
    }
    let mut lists = Vec::new();
    for name in &written.sets {
        let Some((name, numbers)) = SETS.iter().find(|(known, _)| known == name) else {
            let mend = "use `nl-helplines` or `eu-helplines`";
            problems.push(Problem::value(PLACE, "sets", name, mend));
            continue;
        };
        let numbers = numbers.iter().filter_map(|number| DialledPattern::new(number).ok());
        lists.push(Confidential {
            tenant: tenant.clone(),
            set: Some(name),
            numbers: numbers.collect(),
        });
    }
    let Ok(country) = written.country.parse::<Id>() else {
        let mend = "use a country such as \"NL\" (ISO 3166-1 alpha-2)";
        problems.push(Problem::value(PLACE, "country", &written.country, mend));
        return lists;
    };
    let mut numbers = Vec::new();
    for number in &written.numbers {
        match pattern(number, country) {
            Some(pattern) => numbers.push(pattern),
            None => problems.push(Problem::value(
                PLACE,
                "numbers",
                number,
                "use a number as it is dialled, such as \"0800-0113\", or the beginning of one with \
                 its country, such as \"+31800*\"",
            )),
        }
    }
    if !numbers.is_empty() {
        lists.push(Confidential { tenant, set: None, numbers });
    }
    lists
}

/// A number as calls have it. Of a beginning nobody can say which numbers of the country it has, so it
/// stands as it is; that of a national number is one of none.
fn pattern(text: &str, country: Id) -> Option<DialledPattern> {
    if text.ends_with('*') {
        return DialledPattern::new(text).ok().filter(|_| text.starts_with('+'));
    }
    DialledPattern::new(number::dialled(text, country).reveal()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::Private;

    #[test]
    fn a_number_is_found_however_it_is_dialled_and_written() {
        for written in ["0800-0113", "08000113", "+31 800 0113", "0031800 0113", "+31800*"] {
            let pattern = pattern(written, Id::NL).unwrap();
            for dialled in ["08000113", "+318000113", "00318000113", "0800-0113"] {
                let number = number::dialled(dialled, Id::NL);
                assert!(pattern.matches(number.reveal()), "{written} {dialled}");
            }
            assert!(!pattern.matches(number::dialled("0201234567", Id::NL).reveal()), "{written}");
        }
        assert_eq!(pattern("113", Id::NL).unwrap().to_string(), "113");
        for wrong in ["0800*", "*", "helpline", "", "08*00"] {
            assert_eq!(pattern(wrong, Id::NL), None, "{wrong:?}");
        }
    }

    #[test]
    fn every_number_of_a_set_is_one_that_a_call_can_have() {
        for (name, numbers) in SETS {
            for text in numbers {
                let number: Private<String> = number::dialled(text, Id::NL);
                assert_eq!(number.reveal(), text, "{name}");
                assert!(DialledPattern::new(text).is_ok(), "{name}: {text}");
            }
            assert!(!numbers.contains(&"112"), "an emergency is one");
        }
        // As people in the Netherlands dial them.
        for dialled in ["113", "0800-0113", "0800-2000", "0800-0432", "0900-1450", "088-0767000"] {
            let number = number::dialled(dialled, Id::NL);
            assert!(NL_HELPLINES.contains(&number.reveal().as_str()), "{dialled}");
        }
    }
}
