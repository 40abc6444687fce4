//! Makes placeholder voices of the templates, through espeak-ng and MBROLA.

use std::{
    error, fmt, fs, io,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use call::{Language, Prompt};

use super::{
    folder::{self, Folder},
    manifest::{Row, Synthesis},
    set::PromptError,
    slot::{self, TemplateFault, Values},
    studio,
    wave::{self, RATE_HZ, WaveFault},
};

/// No prompt is longer than this.
const LIMIT_S: u32 = 120;

/// What happened to one prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It speaks now, in this version.
    Anew(u32),
    /// It was already so, in this version.
    Unchanged(u32),
    /// It is a studio recording, which is never overwritten.
    Kept(u32),
}

/// Why a placeholder voice cannot be made.
#[derive(Debug)]
pub enum BuildError {
    /// The folder does not allow it.
    Prompts(PromptError),
    /// The manifest names no voice.
    NoVoice(Language),
    /// espeak-ng cannot be started.
    NoTool(io::ErrorKind),
    /// espeak-ng gave up on a prompt.
    Speech {
        /// The language.
        language: Language,
        /// The prompt.
        prompt: Prompt,
        /// How it ended; `None` by a signal.
        code: Option<i32>,
    },
    /// A template cannot be filled.
    Template {
        /// The language.
        language: Language,
        /// The prompt.
        prompt: Prompt,
        /// Why.
        fault: TemplateFault,
    },
    /// What espeak-ng wrote cannot be used; `None` when nothing can be heard in it.
    Sound {
        /// The language.
        language: Language,
        /// The prompt.
        prompt: Prompt,
        /// Why.
        fault: Option<WaveFault>,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompts(fault) => fault.fmt(f),
            Self::NoVoice(language) => write!(
                f,
                "the manifest of {language} names no voice; add [synthesis] with voice, \
                 words_per_minute and licence to {language}/manifest.toml"
            ),
            Self::NoTool(kind) => write!(
                f,
                "espeak-ng cannot be started: {kind}; install the packages espeak-ng and mbrola"
            ),
            Self::Speech { language, prompt, code } => {
                write!(f, "espeak-ng ended with ")?;
                match code {
                    Some(code) => write!(f, "code {code}")?,
                    None => write!(f, "a signal")?,
                }
                write!(
                    f,
                    " on {language}/{prompt}; install the voice that the manifest names (mb-nl2 is \
                     the package mbrola-nl2)"
                )
            }
            Self::Template { language, prompt, fault } => {
                write!(f, "{language}/{prompt}.txt cannot be spoken: {fault}")
            }
            Self::Sound { language, prompt, fault: Some(fault) } => write!(
                f,
                "what espeak-ng wrote for {language}/{prompt} cannot be used: {fault}; try the \
                 command by hand"
            ),
            Self::Sound { language, prompt, fault: None } => write!(
                f,
                "espeak-ng wrote silence for {language}/{prompt}; check that mbrola and the voice \
                 are installed"
            ),
        }
    }
}

impl error::Error for BuildError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Prompts(fault) => fault.source(),
            Self::NoVoice(_)
            | Self::NoTool(_)
            | Self::Speech { .. }
            | Self::Template { .. }
            | Self::Sound { .. } => None,
        }
    }
}

impl From<PromptError> for BuildError {
    fn from(fault: PromptError) -> Self {
        Self::Prompts(fault)
    }
}

/// A prompt ready to be written.
struct Spoken {
    prompt: Prompt,
    text: Box<str>,
    values: Values,
    samples: Vec<i16>,
}

/// Speaks every placeholder prompt of `folder` again from its template, for one language or all.
/// A shipped language that the folder lacks begins as a copy of the shipped prompts. Studio
/// recordings stay as they are.
///
/// # Errors
/// [`BuildError`]; what was written before it stays, and loading names what does not fit.
pub fn build(
    folder: &Path,
    only: Option<Language>,
) -> Result<Vec<(Language, Prompt, Made)>, BuildError> {
    let languages = only.map_or_else(|| folder::languages(folder), |language| vec![language]);
    let mut made = Vec::new();
    for language in languages {
        let done = build_language(folder, language)?;
        made.extend(done.into_iter().map(|(prompt, how)| (language, prompt, how)));
    }
    Ok(made)
}

fn build_language(path: &Path, language: Language) -> Result<Vec<(Prompt, Made)>, BuildError> {
    let mut folder = Folder::open(path, language)?;
    let mut made = Vec::new();
    let mut spoken = Vec::new();
    for prompt in Prompt::ALL {
        match folder.manifest.row(prompt).filter(|row| !row.placeholder) {
            Some(studio) => made.push((prompt, Made::Kept(studio.version))),
            None => spoken.push(speak_prompt(&folder, language, prompt)?),
        }
    }
    even_out(&mut spoken);
    let synthesis = folder.manifest.synthesis.clone().ok_or(BuildError::NoVoice(language))?;
    for Spoken { prompt, text, values, samples } in spoken {
        let unusable = |fault| BuildError::Sound { language, prompt, fault: Some(fault) };
        let sound = wave::encode(&samples).map_err(unusable)?;
        let row = Row {
            version: 0,
            text,
            sha256: wave::digest(&sound),
            samples: samples.len(),
            voice: format!("{} by espeak-ng", synthesis.voice).into(),
            licence: synthesis.licence.clone(),
            placeholder: true,
            spoken: values,
        };
        let (version, changed) = folder.put(prompt, &sound, row)?;
        made.push((prompt, if changed { Made::Anew(version) } else { Made::Unchanged(version) }));
    }
    folder.close()?;
    Ok(made)
}

fn speak_prompt(folder: &Folder, language: Language, prompt: Prompt) -> Result<Spoken, BuildError> {
    let synthesis = folder.manifest.synthesis.as_ref().ok_or(BuildError::NoVoice(language))?;
    let template = folder.template(prompt)?;
    let (text, values) = slot::render(&template, language, &folder.manifest.values)
        .map_err(|fault| BuildError::Template { language, prompt, fault })?;
    let target = folder.file(prompt, "speech");
    let bytes = run(synthesis, &respelled(&text, synthesis), &target).and_then(|ended| {
        if ended.success() { Ok(Ok(fs::read(&target)?)) } else { Ok(Err(ended)) }
    });
    // The speech is only an intermediate; that it may never have been written is no fault.
    let _ = fs::remove_file(&target);
    let bytes = bytes
        .map_err(|error| BuildError::NoTool(error.kind()))?
        .map_err(|ended| BuildError::Speech { language, prompt, code: ended.code() })?;
    let unusable = |fault| BuildError::Sound { language, prompt, fault };
    let sound = wave::open(&bytes, LIMIT_S).map_err(|fault| unusable(Some(fault)))?;
    let samples = studio::prepare(&sound).ok_or(unusable(None))?;
    Ok(Spoken { prompt, text, values, samples })
}

/// Has espeak-ng write `text` to a WAV file. The words go in by standard input, so that no text
/// can be taken for an option.
fn run(synthesis: &Synthesis, text: &str, target: &Path) -> io::Result<std::process::ExitStatus> {
    let mut espeak = Command::new("espeak-ng")
        .args(["-b", "1", "--stdin", "-v", &synthesis.voice])
        .args(["-s", &synthesis.words_per_minute.to_string()])
        .arg("-w")
        .arg(target)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let written = espeak.stdin.take().map_or(Ok(()), |mut input| input.write_all(text.as_bytes()));
    let ended = espeak.wait()?;
    // A voice that is missing ends the program before it reads; its exit code says more.
    if ended.success() { written.map(|()| ended) } else { Ok(ended) }
}

/// Replaces the words that the voice mispronounces.
fn respelled(text: &str, synthesis: &Synthesis) -> String {
    let respell = |word: &str| {
        let known = |from: &str| from.to_lowercase() == word.to_lowercase();
        let found = synthesis.respell.iter().find(|(from, _)| known(from));
        found.map_or_else(|| word.to_owned(), |(_, to)| to.to_string())
    };
    let mut spelled = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        spelled.push_str(&respell(word));
        let next = after.find(char::is_alphanumeric).unwrap_or(after.len());
        let (between, after) = after.split_at(next);
        spelled.push_str(between);
        rest = after;
    }
    spelled
}

/// Pads the shorter confirmation with silence until both differ by no more than 0.3 s.
fn even_out(spoken: &mut [Spoken]) {
    const APART: usize = RATE_HZ as usize * 3 / 10;
    let length = |wanted: Prompt| {
        spoken.iter().find(|s| s.prompt == wanted).map(|spoken| spoken.samples.len())
    };
    let (Some(granted), Some(refused)) = (length(Prompt::Granted), length(Prompt::Refused)) else {
        return;
    };
    let least = granted.max(refused).saturating_sub(APART);
    for spoken in spoken {
        if matches!(spoken.prompt, Prompt::Granted | Prompt::Refused) {
            let padded = spoken.samples.len().max(least);
            spoken.samples.resize(padded, 0);
        }
    }
}
