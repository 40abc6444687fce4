//! `manifest.toml` of a language: the values spoken, the voice, and what each sound is.

use std::collections::BTreeMap;

use call::{Digest, Prompt};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::slot::{Slot, Values};

/// The only form of manifest so far.
const FORMAT: u32 = 1;

const HEADING: &str = "\
# What the caller hears in this language. Edit [values], [synthesis] and the .txt files, then run
# `jawoord prompts build`; put a studio recording in with `jawoord prompts import`. Both write the
# [prompt] tables.

";

/// A language's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    #[serde(deserialize_with = "known_format")]
    format: u32,
    /// What the slots say in the next recording.
    #[serde(deserialize_with = "values_with_keys")]
    pub(super) values: Values,
    /// How placeholder voices are made; absent where a studio recorded everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) synthesis: Option<Synthesis>,
    #[serde(default)]
    prompt: BTreeMap<Name, Row>,
}

/// How placeholder voices are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Synthesis {
    /// espeak-ng's name of the voice.
    pub(super) voice: Box<str>,
    /// How fast it speaks.
    pub(super) words_per_minute: u16,
    /// Under which terms its sound may be used.
    pub(super) licence: Box<str>,
    /// Words that it mispronounces, and a spelling that it speaks right.
    #[serde(default)]
    pub(super) respell: BTreeMap<Box<str>, Box<str>>,
}

/// What one sound is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// Raised with every change of the sound.
    pub(super) version: u32,
    /// The words spoken.
    pub(super) text: Box<str>,
    /// SHA-256 of the WAV file.
    #[serde(serialize_with = "hex", deserialize_with = "from_hex")]
    pub(super) sha256: Digest,
    /// Its length at 8,000 Hz.
    pub(super) samples: usize,
    /// Who speaks.
    pub(super) voice: Box<str>,
    /// Under which terms the sound may be used.
    pub(super) licence: Box<str>,
    /// Whether it is a synthetic stand-in, not meant for real callers.
    pub(super) placeholder: bool,
    /// What it says for each slot.
    #[serde(default, deserialize_with = "values_with_keys")]
    pub(super) spoken: Values,
}

impl Manifest {
    /// Reads the text of a manifest.
    pub(super) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The text of the manifest.
    pub(super) fn to_text(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self).map(|tables| format!("{HEADING}{tables}"))
    }

    /// What it says of `prompt`.
    pub(super) fn row(&self, prompt: Prompt) -> Option<&Row> {
        self.prompt.get(&Name(prompt))
    }

    /// Puts a row in.
    pub(super) fn put(&mut self, prompt: Prompt, row: Row) {
        self.prompt.insert(Name(prompt), row);
    }
}

/// A prompt as a key of the manifest, in the order of the dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Name(Prompt);

impl Name {
    fn place(self) -> Option<usize> {
        Prompt::ALL.iter().position(|prompt| *prompt == self.0)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = Box::<str>::deserialize(from)?;
        Prompt::from_name(&name).map(Self).ok_or_else(|| {
            let known = Prompt::ALL.map(Prompt::as_str).join(", ");
            D::Error::custom(format_args!("no prompt has this name; use one of {known}"))
        })
    }
}

fn known_format<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        FORMAT => Ok(FORMAT),
        newer => Err(D::Error::custom(format_args!(
            "this manifest has format {newer}; this program reads format {FORMAT}"
        ))),
    }
}

fn values_with_keys<'de, D: Deserializer<'de>>(from: D) -> Result<Values, D::Error> {
    let values = Values::deserialize(from)?;
    let is_key = |value: &str| {
        let mut characters = value.chars();
        let first = characters.next().and_then(|c| call::Key::new(c).ok());
        first.is_some() && characters.next().is_none()
    };
    let wrong =
        |slot: &Slot, value: &str| value.trim().is_empty() || (slot.is_key() && !is_key(value));
    match values.iter().find(|(slot, value)| wrong(slot, value)) {
        Some((slot, _)) if slot.is_key() => Err(D::Error::custom(format_args!(
            "{slot} is not a telephone key; write one, as \"1\""
        ))),
        Some((slot, _)) => Err(D::Error::custom(format_args!("{slot} is empty; say what it is"))),
        None => Ok(values),
    }
}

fn hex<S: Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(digest)
}

fn from_hex<'de, D: Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
    Box::<str>::deserialize(from)?
        .parse()
        .map_err(|_| D::Error::custom("a SHA-256 is 64 hexadecimal digits"))
}
