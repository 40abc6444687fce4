//! The words that a caller must have understood, and which of them stand in what was heard.

use std::{collections::BTreeSet, fs, sync::LazyLock};

use support::node::root;
use toml_edit::{DocumentMut, Item};

/// Every language that is shipped.
pub const LANGUAGES: [&str; 4] = ["nl", "en", "de", "fr"];

/// A prompt as its manifest has it.
pub struct Shipped {
    /// Such as `notice`.
    pub name: String,
    /// What is said.
    pub text: String,
    /// How long it takes, in milliseconds.
    pub length_ms: u64,
}

/// The prompts of each language.
static SHIPPED: LazyLock<[Vec<Shipped>; 4]> = LazyLock::new(|| {
    LANGUAGES.map(|language| {
        let manifest = toml(&format!("prompts/{language}/manifest.toml"));
        let prompts = manifest.get("prompt").and_then(Item::as_table).expect("prompts");
        let one = |(name, item): (&str, &Item)| Shipped {
            name: name.to_owned(),
            text: item.get("text").and_then(Item::as_str).expect("a text").to_owned(),
            length_ms: item.get("samples").and_then(Item::as_integer).expect("a length") as u64 / 8,
        };
        prompts.iter().map(one).collect()
    })
});
/// The key words.
static WORDS: LazyLock<DocumentMut> = LazyLock::new(|| toml("tests/speech/words.toml"));

/// A file of the repository that is TOML.
fn toml(path: &str) -> DocumentMut {
    let text = fs::read_to_string(root().join(path)).expect("a file of the repository");
    text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The prompts of a language.
///
/// # Panics
/// It is none that is shipped.
pub fn shipped(language: &str) -> &'static [Shipped] {
    let place = LANGUAGES.iter().position(|one| *one == language);
    &SHIPPED[place.expect("a language that is shipped")]
}

/// How long a prompt takes, in milliseconds.
///
/// # Panics
/// There is none of this name.
pub fn length_ms(language: &str, prompt: &str) -> u64 {
    let found = shipped(language).iter().find(|one| one.name == prompt);
    found.unwrap_or_else(|| panic!("no {prompt} in {language}")).length_ms
}

/// The key words of a prompt, each with the other ways to write it.
///
/// # Panics
/// The table has none.
pub fn key_words(language: &str, prompt: &str) -> Vec<Vec<&'static str>> {
    let row = WORDS.get(language).and_then(|rows| rows.get(prompt)).and_then(Item::as_str);
    let row = row.unwrap_or_else(|| panic!("no words of {prompt} in {language}"));
    row.split_whitespace().map(|word| word.split('/').collect()).collect()
}

/// The words of a text in small letters, without what stands between them. A full stop within a word is none.
fn words(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase().replace('.', "");
    let split = text.split(|letter: char| !letter.is_alphanumeric());
    split.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The key words that are missing in what was heard.
pub fn missing<'a>(key_words: &[Vec<&'a str>], heard: &str) -> Vec<&'a str> {
    let heard = words(heard);
    let lost = key_words.iter().filter(|ways| !ways.iter().any(|way| heard.contains(*way)));
    lost.map(|ways| ways[0]).collect()
}

#[test]
fn every_prompt_has_key_words_and_each_of_them_is_in_its_text() {
    for language in LANGUAGES {
        let prompts = shipped(language);
        assert_eq!(prompts.len(), call::Prompt::ALL.len(), "{language}");
        for Shipped { name, text, .. } in prompts {
            let keys = key_words(language, name);
            assert!(keys.len() >= 2, "{language} {name} has too few words to be known by");
            assert_eq!(missing(&keys, text), [""; 0], "{language} {name} does not say them");
            let first: Vec<_> = keys.iter().map(|ways| vec![ways[0]]).collect();
            assert_eq!(missing(&first, text), [""; 0], "{language} {name} writes them otherwise");
        }
    }
}

#[test]
fn a_key_word_is_heard_as_a_whole_word_however_it_is_written() {
    let keys = key_words("nl", "question");
    assert_eq!(missing(&keys, "Toets 1 voor ja, twee voor nee."), [""; 0]);
    assert_eq!(missing(&keys, "toets EEN voor Ja. 2 voor: nee"), [""; 0]);
    assert_eq!(missing(&keys, "Toetsen voor jaar, twee voor"), ["toets", "één", "ja", "nee"]);
    assert_eq!(missing(&key_words("nl", "legal_obligation")[1..2], "Voorbeeld B.V."), [""; 0]);
}
