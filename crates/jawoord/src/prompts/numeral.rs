//! Whole numbers below one thousand as words, in the four shipped languages.

const DUTCH: [&str; 20] = [
    "nul",
    "één",
    "twee",
    "drie",
    "vier",
    "vijf",
    "zes",
    "zeven",
    "acht",
    "negen",
    "tien",
    "elf",
    "twaalf",
    "dertien",
    "veertien",
    "vijftien",
    "zestien",
    "zeventien",
    "achttien",
    "negentien",
];
const DUTCH_TENS: [&str; 8] =
    ["twintig", "dertig", "veertig", "vijftig", "zestig", "zeventig", "tachtig", "negentig"];
const ENGLISH: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const ENGLISH_TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const GERMAN: [&str; 20] = [
    "null",
    "eins",
    "zwei",
    "drei",
    "vier",
    "fünf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "elf",
    "zwölf",
    "dreizehn",
    "vierzehn",
    "fünfzehn",
    "sechzehn",
    "siebzehn",
    "achtzehn",
    "neunzehn",
];
const GERMAN_TENS: [&str; 8] =
    ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"];
const FRENCH: [&str; 20] = [
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze",
    "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
];
// French counts on from sixty and from four twenties up to nineteen.
const FRENCH_TENS: [&str; 8] = [
    "vingt",
    "trente",
    "quarante",
    "cinquante",
    "soixante",
    "soixante",
    "quatre-vingt",
    "quatre-vingt",
];

fn word(table: &[&'static str], place: u16) -> &'static str {
    table.get(usize::from(place)).copied().unwrap_or_default()
}

/// Dutch: `tweeëntwintig`, `driehonderdvijfenzestig`.
pub(super) fn dutch(number: u16) -> String {
    let below_hundred = |n: u16| match (n / 10, n % 10) {
        (0 | 1, _) => word(&DUTCH, n).to_owned(),
        (tens, 0) => word(&DUTCH_TENS, tens - 2).to_owned(),
        (tens, unit) => {
            // "één" loses its accents inside a word; after an e the link takes a diaeresis.
            let unit = if unit == 1 { "een" } else { word(&DUTCH, unit) };
            let link = if unit.ends_with('e') { "ën" } else { "en" };
            format!("{unit}{link}{}", word(&DUTCH_TENS, tens - 2))
        }
    };
    match (number / 100, number % 100) {
        (0, rest) => below_hundred(rest),
        (hundreds, rest) => {
            let hundreds = if hundreds == 1 { "" } else { word(&DUTCH, hundreds) };
            let rest = match rest {
                0 => String::new(),
                1 => "een".to_owned(),
                more => below_hundred(more),
            };
            format!("{hundreds}honderd{rest}")
        }
    }
}

/// English: `twenty-two`, `three hundred and sixty-five`.
pub(super) fn english(number: u16) -> String {
    let below_hundred = |n: u16| match (n / 10, n % 10) {
        (0 | 1, _) => word(&ENGLISH, n).to_owned(),
        (tens, 0) => word(&ENGLISH_TENS, tens - 2).to_owned(),
        (tens, unit) => format!("{}-{}", word(&ENGLISH_TENS, tens - 2), word(&ENGLISH, unit)),
    };
    match (number / 100, number % 100) {
        (0, rest) => below_hundred(rest),
        (hundreds, 0) => format!("{} hundred", word(&ENGLISH, hundreds)),
        (hundreds, rest) => {
            format!("{} hundred and {}", word(&ENGLISH, hundreds), below_hundred(rest))
        }
    }
}

/// German: `zweiundzwanzig`, `dreihundertfünfundsechzig`.
pub(super) fn german(number: u16) -> String {
    let short = |unit: u16| if unit == 1 { "ein" } else { word(&GERMAN, unit) };
    let below_hundred = |n: u16| match (n / 10, n % 10) {
        (0 | 1, _) => word(&GERMAN, n).to_owned(),
        (tens, 0) => word(&GERMAN_TENS, tens - 2).to_owned(),
        (tens, unit) => format!("{}und{}", short(unit), word(&GERMAN_TENS, tens - 2)),
    };
    match (number / 100, number % 100) {
        (0, rest) => below_hundred(rest),
        (hundreds, 0) => format!("{}hundert", short(hundreds)),
        (hundreds, rest) => format!("{}hundert{}", short(hundreds), below_hundred(rest)),
    }
}

/// French: `vingt et un`, `quatre-vingts`, `trois cent soixante-cinq`.
pub(super) fn french(number: u16) -> String {
    let below_hundred = |n: u16| {
        let tens = n / 10;
        let unit = if tens == 7 || tens == 9 { n % 10 + 10 } else { n % 10 };
        match (tens, unit) {
            (0 | 1, _) => word(&FRENCH, n).to_owned(),
            (8, 0) => "quatre-vingts".to_owned(),
            (tens, 0) => word(&FRENCH_TENS, tens - 2).to_owned(),
            (2..=7, unit @ (1 | 11)) => {
                format!("{} et {}", word(&FRENCH_TENS, tens - 2), word(&FRENCH, unit))
            }
            (tens, unit) => format!("{}-{}", word(&FRENCH_TENS, tens - 2), word(&FRENCH, unit)),
        }
    };
    match (number / 100, number % 100) {
        (0, rest) => below_hundred(rest),
        (1, 0) => "cent".to_owned(),
        (1, rest) => format!("cent {}", below_hundred(rest)),
        (hundreds, 0) => format!("{} cents", word(&FRENCH, hundreds)),
        (hundreds, rest) => format!("{} cent {}", word(&FRENCH, hundreds), below_hundred(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::{dutch, english, french, german};

    #[test]
    fn numbers_follow_the_grammar_of_each_language() {
        let all = [1, 21, 22, 71, 80, 81, 91, 99, 100, 101, 200, 365];
        let spoken = |speak: fn(u16) -> String| all.map(speak).join(", ");
        assert_eq!(
            spoken(dutch),
            "één, eenentwintig, tweeëntwintig, eenenzeventig, tachtig, eenentachtig, \
             eenennegentig, negenennegentig, honderd, honderdeen, tweehonderd, \
             driehonderdvijfenzestig"
        );
        assert_eq!(
            spoken(english),
            "one, twenty-one, twenty-two, seventy-one, eighty, eighty-one, ninety-one, \
             ninety-nine, one hundred, one hundred and one, two hundred, three hundred and \
             sixty-five"
        );
        assert_eq!(
            spoken(german),
            "eins, einundzwanzig, zweiundzwanzig, einundsiebzig, achtzig, einundachtzig, \
             einundneunzig, neunundneunzig, einhundert, einhunderteins, zweihundert, \
             dreihundertfünfundsechzig"
        );
        assert_eq!(
            spoken(french),
            "un, vingt et un, vingt-deux, soixante et onze, quatre-vingts, quatre-vingt-un, \
             quatre-vingt-onze, quatre-vingt-dix-neuf, cent, cent un, deux cents, trois cent \
             soixante-cinq"
        );
    }
}
