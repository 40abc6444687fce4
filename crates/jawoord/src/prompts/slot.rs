//! The slots of a text template: what they are called, how their values are spoken, and which
//! prompt must name which.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use call::{Language, Prompt};
use serde::{Deserialize, Serialize};

/// A place in a template that a line's policy fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// Who records (GDPR Art. 13(1)(a)).
    Controller,
    /// What for (Art. 13(1)(c)).
    Purpose,
    /// For how long (Art. 13(2)(a)).
    Retention,
    /// The key that means yes.
    GrantKey,
    /// The key that means no.
    RefuseKey,
    /// The key that stops the recording (Art. 7(3)).
    WithdrawKey,
    /// The key that explains.
    InfoKey,
    /// Where recordings are kept (Art. 13(1)(f)).
    Country,
    /// Who may listen (Art. 13(1)(e)).
    Audience,
    /// Where the rest can be read (Art. 13).
    Url,
}

/// What each slot says: words as spoken, but for keys the character (`1`, `*`).
pub type Values = BTreeMap<Slot, Box<str>>;

impl Slot {
    /// Every slot.
    pub const ALL: [Self; 10] = [
        Self::Controller,
        Self::Purpose,
        Self::Retention,
        Self::GrantKey,
        Self::RefuseKey,
        Self::WithdrawKey,
        Self::InfoKey,
        Self::Country,
        Self::Audience,
        Self::Url,
    ];

    /// The name between braces in a template, and in the manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Purpose => "purpose",
            Self::Retention => "retention",
            Self::GrantKey => "grant_key",
            Self::RefuseKey => "refuse_key",
            Self::WithdrawKey => "withdraw_key",
            Self::InfoKey => "info_key",
            Self::Country => "country",
            Self::Audience => "audience",
            Self::Url => "url",
        }
    }

    /// The slot of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.as_str() == name)
    }

    /// Whether its value is a telephone key.
    #[must_use]
    pub const fn is_key(self) -> bool {
        matches!(self, Self::GrantKey | Self::RefuseKey | Self::WithdrawKey | Self::InfoKey)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a prompt has to name: the four elements of the notice (law row L09), the keys of each
/// question, and the second layer of information (L15).
#[must_use]
pub const fn must_name(prompt: Prompt) -> &'static [Slot] {
    match prompt {
        Prompt::Notice | Prompt::LegitimateInterest => {
            &[Slot::Controller, Slot::Purpose, Slot::Retention, Slot::WithdrawKey]
        }
        // The law is the purpose, and leaves no key.
        Prompt::LegalObligation => &[Slot::Controller, Slot::Retention],
        Prompt::AgentAsk => &[
            Slot::Controller,
            Slot::Purpose,
            Slot::Retention,
            Slot::WithdrawKey,
            Slot::GrantKey,
            Slot::RefuseKey,
        ],
        Prompt::Question | Prompt::WrongKey | Prompt::Explicit | Prompt::Resume => {
            &[Slot::GrantKey, Slot::RefuseKey]
        }
        Prompt::Reask => &[Slot::GrantKey, Slot::RefuseKey, Slot::InfoKey],
        Prompt::Info | Prompt::ObligationInfo => &[Slot::Country, Slot::Audience, Slot::Url],
        Prompt::Granted
        | Prompt::Refused
        | Prompt::NotGiven
        | Prompt::Withdrawn
        | Prompt::NoAnswer => &[],
    }
}

const KEYS: &str = "0123456789*#";
const DUTCH: [&str; 12] = [
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
    "sterretje",
    "hekje",
];
const ENGLISH: [&str; 12] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "star", "hash",
];
const GERMAN: [&str; 12] = [
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
    "Sterntaste",
    "Rautetaste",
];
const FRENCH: [&str; 12] = [
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "étoile",
    "dièse",
];

/// The words for `value` of `slot`: a key is spoken as its name in the four shipped languages and
/// as its own character in any other; everything else is spoken as written.
#[must_use]
pub fn words(language: Language, slot: Slot, value: &str) -> Cow<'_, str> {
    if !slot.is_key() {
        return Cow::Borrowed(value);
    }
    let names = match language.to_string().as_str() {
        "nl" => &DUTCH,
        "en" => &ENGLISH,
        "de" => &GERMAN,
        "fr" => &FRENCH,
        _ => return Cow::Borrowed(value),
    };
    let name = KEYS.find(value).filter(|_| value.len() == 1).and_then(|place| names.get(place));
    Cow::Borrowed(name.copied().unwrap_or(value))
}

/// Why a template cannot be spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateFault {
    /// A brace opens or closes alone at this byte.
    Brace(usize),
    /// The name between the braces that open at this byte is no slot.
    UnknownSlot(usize),
    /// No value is given for this slot.
    NoValue(Slot),
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brace(place) => {
                write!(f, "a brace stands alone at byte {place}; write slots as {{controller}}")
            }
            Self::UnknownSlot(place) => {
                write!(f, "the slot at byte {place} is not known; use one of")?;
                Slot::ALL.iter().try_for_each(|slot| write!(f, " {{{slot}}}"))
            }
            Self::NoValue(slot) => {
                write!(f, "nothing says what {{{slot}}} is; add {slot} under [values]")
            }
        }
    }
}

/// Fills `template` and returns the words to speak, with single spaces between them and a capital
/// at the start of each sentence, and the values that were used.
///
/// # Errors
/// [`TemplateFault`] for the first brace, name or value that does not fit.
pub fn render(
    template: &str,
    language: Language,
    values: &Values,
) -> Result<(Box<str>, Values), TemplateFault> {
    let mut text = String::with_capacity(template.len() * 2);
    let mut used = Values::new();
    let mut rest = template;
    while let Some(brace) = rest.find(['{', '}']) {
        let at = template.len() - rest.len() + brace;
        let (before, slot) = rest.split_at(brace);
        let (name, after) = slot
            .strip_prefix('{')
            .and_then(|inside| inside.split_once('}'))
            .ok_or(TemplateFault::Brace(at))?;
        let slot = Slot::from_name(name).ok_or(TemplateFault::UnknownSlot(at))?;
        let value = values.get(&slot).ok_or(TemplateFault::NoValue(slot))?;
        text.push_str(before);
        push_value(&mut text, &words(language, slot, value));
        used.insert(slot, value.clone());
        rest = after;
    }
    text.push_str(rest);
    Ok((single_spaced(&text).into(), used))
}

/// Appends a value, with a capital where it opens a sentence.
fn push_value(text: &mut String, value: &str) {
    let opens = text.trim_end().is_empty() || text.trim_end().ends_with(['.', '?', '!']);
    // Dutch writes the accent of a capital "één" only on its second letter.
    let value = if opens { value.replacen("éé", "Eé", 1) } else { value.to_owned() };
    let mut characters = value.chars();
    match characters.next().filter(|_| opens) {
        Some(first) => {
            text.extend(first.to_uppercase());
            text.push_str(characters.as_str());
        }
        None => text.push_str(&value),
    }
}

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `text` says `value` as whole words, whatever its capitals and spaces.
#[must_use]
pub fn says(text: &str, value: &str) -> bool {
    let (text, value) = (folded(text), folded(value));
    let bounded = |at: usize, end: usize| {
        let before = text.get(..at).and_then(|part| part.chars().next_back());
        let after = text.get(end..).and_then(|part| part.chars().next());
        [before, after].into_iter().flatten().all(|c| !c.is_alphanumeric())
    };
    !value.is_empty() && text.match_indices(&value).any(|(at, _)| bounded(at, at + value.len()))
}

/// Whether two values say the same, whatever their capitals and spaces.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

fn folded(text: &str) -> String {
    single_spaced(text).to_lowercase().replace("eén", "één")
}

#[cfg(test)]
mod tests {
    use super::{Slot, TemplateFault, Values, render, says};
    use call::Language;

    fn values() -> Values {
        [(Slot::Controller, "Voorbeeld BV"), (Slot::GrantKey, "1"), (Slot::WithdrawKey, "*")]
            .map(|(slot, value)| (slot, value.into()))
            .into()
    }

    #[test]
    fn a_key_is_spoken_as_a_word_of_the_language() {
        let spoken = |language| {
            let language = Language::new(language).unwrap();
            render("{grant_key}; ja {grant_key},\n {withdraw_key}.", language, &values()).unwrap().0
        };
        assert_eq!(&*spoken("nl"), "Eén; ja één, sterretje.");
        assert_eq!(&*spoken("de"), "Eins; ja eins, Sterntaste.");
        assert_eq!(&*spoken("fr"), "Un; ja un, étoile.");
        assert_eq!(&*spoken("pl"), "1; ja 1, *.");
    }

    #[test]
    fn a_template_that_cannot_be_filled_says_where() {
        let fault = |template| render(template, Language::new("en").unwrap(), &values());
        assert_eq!(fault("to {purpose}.").unwrap_err(), TemplateFault::NoValue(Slot::Purpose));
        assert_eq!(fault("ab {porpoise}").unwrap_err(), TemplateFault::UnknownSlot(3));
        assert_eq!(fault("{controller} }").unwrap_err(), TemplateFault::Brace(13));
        assert_eq!(fault("ab {controller").unwrap_err(), TemplateFault::Brace(3));
    }

    #[test]
    fn a_value_is_said_only_as_whole_words() {
        assert!(says("Press STAR to stop.", "star"));
        assert!(says("Eén is ja.", "één"));
        assert!(says("Wir löschen es nach  dreißig Tagen;", "dreißig tagen"));
        assert!(!says("We start to record.", "star"));
        assert!(!says("Nous effaçons", "un"));
        assert!(!says("anything", ""));
    }
}
