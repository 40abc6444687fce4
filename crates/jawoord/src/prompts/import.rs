//! Takes a studio recording into a folder of prompts.

use std::{error, fmt, fs, io, path::Path};

use call::{Language, Prompt, PromptId};

use super::{
    folder::Folder,
    manifest::Row,
    set::PromptError,
    slot::{self, Slot, TemplateFault, Values},
    studio,
    wave::{self, WaveFault},
};

/// No prompt is longer than this.
const LIMIT_S: u32 = 120;

/// A recording and what is said in it.
#[derive(Clone, Debug)]
pub struct Recording<'a> {
    /// The language.
    pub language: Language,
    /// Which prompt it is.
    pub prompt: Prompt,
    /// The WAV file: PCM of 8 to 32 bits or floating point, 8,000 to 192,000 Hz, up to 8 channels.
    pub file: &'a Path,
    /// What is said: the words themselves, or a template with slots.
    pub text: &'a str,
    /// What is said for slots where that differs from the `[values]` of the manifest.
    pub said: Values,
    /// Who speaks.
    pub voice: &'a str,
    /// Under which terms the recording may be used.
    pub licence: &'a str,
}

/// Why a recording was not taken in.
#[derive(Debug)]
pub enum ImportError {
    /// The folder does not allow it.
    Prompts(PromptError),
    /// The recording cannot be read.
    File {
        /// Which.
        path: Box<Path>,
        /// Why.
        kind: io::ErrorKind,
    },
    /// The recording has a form that cannot be converted.
    Wave(WaveFault),
    /// Nothing can be heard in it.
    Silent,
    /// It is longer than two minutes.
    TooLong,
    /// The text cannot be filled.
    Template(TemplateFault),
    /// The text does not say what the manifest says for a slot that this prompt has to name.
    NotNamed(Slot),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompts(fault) => fault.fmt(f),
            Self::File { path, kind } => {
                write!(f, "{} cannot be read: {kind}; check path and rights", path.display())
            }
            Self::Wave(fault) => write!(
                f,
                "the recording cannot be converted: {fault}; deliver PCM WAV at 8000 to 192000 \
                 samples per second with at most 8 channels"
            ),
            Self::Silent => f.write_str("nothing can be heard in the recording; record it again"),
            Self::TooLong => {
                write!(f, "the recording is longer than {LIMIT_S} s; cut one prompt out of it")
            }
            Self::Template(fault) => write!(f, "the text cannot be filled: {fault}"),
            Self::NotNamed(slot) => write!(
                f,
                "the text does not say the {slot} that the manifest gives under [values]; give the \
                 words as recorded, and the {slot} as it is said in them"
            ),
        }
    }
}

impl error::Error for ImportError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Prompts(fault) => fault.source(),
            Self::File { .. }
            | Self::Wave(_)
            | Self::Silent
            | Self::TooLong
            | Self::Template(_)
            | Self::NotNamed(_) => None,
        }
    }
}

impl From<PromptError> for ImportError {
    fn from(fault: PromptError) -> Self {
        Self::Prompts(fault)
    }
}

/// Converts a recording to 8,000 Hz mono, trims and levels it, and puts it in place of the prompt
/// it is, one version on, no longer a placeholder. Returns what evidence will say of it.
///
/// # Errors
/// [`ImportError`]; unless writing itself failed, nothing in the folder has changed.
pub fn import(folder: &Path, recording: &Recording<'_>) -> Result<PromptId, ImportError> {
    let Recording { language, prompt, file, text, said, voice, licence } = recording;
    let (language, prompt) = (*language, *prompt);
    let bytes = fs::read(file)
        .map_err(|error| ImportError::File { path: (*file).into(), kind: error.kind() })?;
    let sound = wave::open(&bytes, LIMIT_S + 1).map_err(ImportError::Wave)?;
    if sound.samples.len() > LIMIT_S as usize * sound.rate_hz as usize {
        return Err(ImportError::TooLong);
    }
    let samples = studio::prepare(&sound).ok_or(ImportError::Silent)?;
    let sound = wave::encode(&samples).map_err(ImportError::Wave)?;

    let mut folder = Folder::open(folder, language)?;
    let mut values = folder.manifest.values.clone();
    values.extend(said.iter().map(|(slot, value)| (*slot, value.clone())));
    let (words, spoken) = spoken(language, prompt, text, &values)?;
    let sha256 = wave::digest(&sound);
    let row = Row {
        version: 0,
        text: words,
        sha256,
        samples: samples.len(),
        voice: (*voice).into(),
        licence: (*licence).into(),
        placeholder: false,
        spoken,
    };
    folder.put_template(prompt, text)?;
    let (version, _) = folder.put(prompt, &sound, row)?;
    folder.close()?;
    Ok(PromptId { version, sha256 })
}

/// The words of a recording, and what they say for each slot: those of the template, and those
/// that the prompt has to name, which must be found in the words.
fn spoken(
    language: Language,
    prompt: Prompt,
    text: &str,
    values: &Values,
) -> Result<(Box<str>, Values), ImportError> {
    let (words, mut spoken) =
        slot::render(text, language, values).map_err(ImportError::Template)?;
    for slot in slot::must_name(prompt).iter().copied() {
        let value = values.get(&slot).ok_or(ImportError::NotNamed(slot))?;
        if !slot::says(&words, &slot::words(language, slot, value)) {
            return Err(ImportError::NotNamed(slot));
        }
        spoken.insert(slot, value.clone());
    }
    Ok((words, spoken))
}
