//! The prompts of every language, loaded and proved to be what their manifests say.

use std::{borrow::Cow, error, fmt, fs, io, path::Path};

use call::{Language, Manner, Prompt, PromptId};

use super::{
    embedded,
    manifest::Manifest,
    slot::Values,
    wave::{self, WaveFault},
};

/// One prompt in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What evidence says of it.
    pub id: PromptId,
    /// The words spoken.
    pub text: Box<str>,
    /// The template that the words were made from; the words themselves for a fixed recording.
    pub template: Box<str>,
    /// What it says for each slot.
    pub spoken: Values,
    /// The sound: 8,000 Hz, one channel.
    pub samples: Vec<i16>,
    /// The file that it came in, whose hash evidence names.
    pub file: Cow<'static, [u8]>,
    /// Who speaks.
    pub voice: Box<str>,
    /// Under which terms the sound may be used.
    pub licence: Box<str>,
    /// Whether it is a synthetic stand-in, not meant for real callers.
    pub placeholder: bool,
}

/// Every prompt of every language in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptSet(Vec<(Language, Vec<(Prompt, Entry)>)>);

/// Why prompts cannot be used.
#[derive(Debug)]
pub enum PromptError {
    /// The folder or a file in it cannot be read or written.
    File {
        /// Which.
        path: Box<Path>,
        /// Why.
        kind: io::ErrorKind,
    },
    /// A folder in it is not named after a language.
    NotALanguage(Box<Path>),
    /// There is no language in the folder.
    Empty(Box<Path>),
    /// A manifest cannot be read.
    Manifest {
        /// The language.
        language: Language,
        /// Where and why.
        fault: Box<toml::de::Error>,
    },
    /// A manifest cannot be written.
    Unwritable {
        /// The language.
        language: Language,
        /// Why.
        fault: Box<toml::ser::Error>,
    },
    /// The manifest does not know a prompt.
    Unlisted {
        /// The language.
        language: Language,
        /// The prompt.
        prompt: Prompt,
    },
    /// A sound or its template cannot be read.
    Missing {
        /// The language.
        language: Language,
        /// The prompt.
        prompt: Prompt,
        /// Why.
        kind: io::ErrorKind,
    },
    /// A sound is not the one that the manifest names.
    Damaged {
        /// The language.
        language: Language,
        /// The prompt.
        prompt: Prompt,
    },
    /// A sound has another form than prompts have.
    Wave {
        /// The language.
        language: Language,
        /// The prompt.
        prompt: Prompt,
        /// Which form.
        fault: WaveFault,
    },
    /// A sound has another length than the manifest says.
    Length {
        /// The language.
        language: Language,
        /// The prompt.
        prompt: Prompt,
        /// Samples in the manifest.
        listed: usize,
        /// Samples in the file.
        found: usize,
    },
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, kind } => {
                write!(f, "{} cannot be used: {kind}; check path and rights", path.display())
            }
            Self::NotALanguage(path) => write!(
                f,
                "{} is not named after a language; name each folder by two letters, as nl",
                path.display()
            ),
            Self::Empty(path) => write!(
                f,
                "{} holds no language; make one with `jawoord prompts build`",
                path.display()
            ),
            Self::Manifest { language, fault } => write!(
                f,
                "the manifest of {language} cannot be read: {}; correct {language}/manifest.toml",
                fault.to_string().trim_end()
            ),
            Self::Unwritable { language, fault } => {
                write!(f, "the manifest of {language} cannot be written: {fault}; check its values")
            }
            Self::Unlisted { language, prompt } => write!(
                f,
                "the manifest of {language} has no {prompt}; run `jawoord prompts build`, or \
                 import a recording of it"
            ),
            Self::Missing { language, prompt, kind } => write!(
                f,
                "{language}/{prompt}.wav or .txt cannot be read: {kind}; put it back, or run \
                 `jawoord prompts build`"
            ),
            Self::Damaged { language, prompt } => write!(
                f,
                "{language}/{prompt}.wav is not the sound that its manifest names; put the right \
                 file back, or import it with its text"
            ),
            Self::Wave { language, prompt, fault } => write!(
                f,
                "{language}/{prompt}.wav cannot be played: {fault}; prompts have 8000 samples per \
                 second, one channel and 16 bits: import it with `jawoord prompts import`"
            ),
            Self::Length { language, prompt, listed, found } => write!(
                f,
                "{language}/{prompt}.wav has {found} samples and its manifest says {listed}; \
                 import it again"
            ),
        }
    }
}

impl error::Error for PromptError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Manifest { fault, .. } => Some(fault.as_ref()),
            Self::Unwritable { fault, .. } => Some(fault.as_ref()),
            Self::File { .. }
            | Self::NotALanguage(_)
            | Self::Empty(_)
            | Self::Unlisted { .. }
            | Self::Missing { .. }
            | Self::Damaged { .. }
            | Self::Wave { .. }
            | Self::Length { .. } => None,
        }
    }
}

impl PromptSet {
    /// The prompts that are compiled into the program: nl, en, de and fr, synthetic voices, with
    /// the values of an example office.
    ///
    /// # Errors
    /// [`PromptError`] when the program was built from a damaged folder.
    pub fn embedded() -> Result<Self, PromptError> {
        let mut set = Self::default();
        let mut faults = Vec::new();
        for files in embedded::LANGUAGES {
            let Some(language) = Language::new(files.language) else { continue };
            let open = |wanted: Prompt| {
                let found = files.prompts.iter().find(|(prompt, ..)| *prompt == wanted);
                found
                    .map(|(_, sound, template)| (Cow::Borrowed(*sound), Cow::Borrowed(*template)))
                    .ok_or(io::ErrorKind::NotFound)
            };
            set.add(language, files.manifest, open, &mut faults);
        }
        faults.into_iter().next().map_or(Ok(set), Err)
    }

    /// Loads a folder and proves each sound against its manifest.
    ///
    /// # Errors
    /// The first [`PromptError`] that [`Self::inspect`] finds; it names language, prompt and mend.
    pub fn load(folder: &Path) -> Result<Self, PromptError> {
        let (set, faults) = Self::inspect(folder)?;
        faults.into_iter().next().map_or(Ok(set), Err)
    }

    /// Loads what can be loaded of a folder, and lists everything that cannot.
    ///
    /// # Errors
    /// [`PromptError::File`] when the folder itself cannot be read.
    pub fn inspect(folder: &Path) -> Result<(Self, Vec<PromptError>), PromptError> {
        let unreadable = |path: &Path, kind| PromptError::File { path: path.into(), kind };
        let mut folders = Vec::new();
        for item in fs::read_dir(folder).map_err(|error| unreadable(folder, error.kind()))? {
            let path = item.map_err(|error| unreadable(folder, error.kind()))?.path();
            let hidden =
                path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            folders.extend((path.is_dir() && !hidden).then_some(path));
        }
        folders.sort();
        let mut set = Self::default();
        let mut faults = Vec::new();
        if folders.is_empty() {
            faults.push(PromptError::Empty(folder.into()));
        }
        for path in folders {
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(language) = name.and_then(Language::new) else {
                faults.push(PromptError::NotALanguage(path.into()));
                continue;
            };
            let manifest = path.join("manifest.toml");
            let manifest = match fs::read_to_string(&manifest) {
                Ok(text) => text,
                Err(error) => {
                    faults.push(unreadable(&manifest, error.kind()));
                    continue;
                }
            };
            let open = |prompt: Prompt| {
                let file = |extension| path.join(prompt.as_str()).with_extension(extension);
                let sound = fs::read(file("wav")).map_err(|error| error.kind())?;
                let template = fs::read_to_string(file("txt")).map_err(|error| error.kind())?;
                Ok((Cow::Owned(sound), Cow::Owned(template)))
            };
            set.add(language, &manifest, open, &mut faults);
        }
        Ok((set, faults))
    }

    /// The prompt of a language.
    #[must_use]
    pub fn get(&self, language: Language, prompt: Prompt) -> Option<&Entry> {
        self.entries(language).find_map(|(found, entry)| (found == prompt).then_some(entry))
    }

    /// The prompts of a language in the order of the dialogue; none when it is not there.
    pub fn entries(&self, language: Language) -> impl Iterator<Item = (Prompt, &Entry)> {
        let shelf = self.0.iter().find(|(found, _)| *found == language);
        shelf.into_iter().flat_map(|(_, shelf)| shelf).map(|(prompt, entry)| (*prompt, entry))
    }

    /// The languages that are there.
    pub fn languages(&self) -> impl Iterator<Item = Language> {
        self.0.iter().map(|(language, _)| *language)
    }

    /// Which prompts of a language are synthetic stand-ins.
    pub fn placeholders(&self, language: Language) -> impl Iterator<Item = Prompt> {
        self.entries(language).filter_map(|(prompt, entry)| entry.placeholder.then_some(prompt))
    }

    fn add(
        &mut self,
        language: Language,
        manifest: &str,
        open: impl Fn(Prompt) -> Result<(Cow<'static, [u8]>, Cow<'static, str>), io::ErrorKind>,
        faults: &mut Vec<PromptError>,
    ) {
        let manifest = match Manifest::parse(manifest) {
            Ok(manifest) => manifest,
            Err(fault) => {
                faults.push(PromptError::Manifest { language, fault: Box::new(fault) });
                return;
            }
        };
        let mut shelf = Vec::with_capacity(Prompt::ALL.len());
        for prompt in Prompt::ALL {
            // A folder need not have what only other grounds than consent say.
            if manifest.row(prompt).is_none() && !Manner::Asked.says(prompt) {
                continue;
            }
            let files =
                || open(prompt).map_err(|kind| PromptError::Missing { language, prompt, kind });
            match entry(language, prompt, &manifest, files) {
                Ok(entry) => shelf.push((prompt, entry)),
                Err(fault) => faults.push(fault),
            }
        }
        self.0.push((language, shelf));
    }
}

/// Proves one sound against its row of the manifest.
fn entry(
    language: Language,
    prompt: Prompt,
    manifest: &Manifest,
    files: impl FnOnce() -> Result<(Cow<'static, [u8]>, Cow<'static, str>), PromptError>,
) -> Result<Entry, PromptError> {
    let row = manifest.row(prompt).ok_or(PromptError::Unlisted { language, prompt })?;
    let (sound, template) = files()?;
    if wave::digest(&sound) != row.sha256 {
        return Err(PromptError::Damaged { language, prompt });
    }
    let samples =
        wave::decode(&sound).map_err(|fault| PromptError::Wave { language, prompt, fault })?;
    if samples.len() != row.samples {
        let (listed, found) = (row.samples, samples.len());
        return Err(PromptError::Length { language, prompt, listed, found });
    }
    Ok(Entry {
        id: PromptId { version: row.version, sha256: row.sha256 },
        text: row.text.clone(),
        template: template.trim().into(),
        spoken: row.spoken.clone(),
        samples,
        file: sound,
        voice: row.voice.clone(),
        licence: row.licence.clone(),
        placeholder: row.placeholder,
    })
}
