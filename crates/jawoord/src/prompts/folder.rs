//! Writing into a folder of prompts: whole files or none, and versions that rise with every change.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use call::{Language, Prompt};

use super::{
    embedded,
    manifest::{Manifest, Row},
    set::PromptError,
};

/// One language's folder, open for change.
pub(super) struct Folder {
    language: Language,
    path: PathBuf,
    /// Its manifest; written by [`Folder::close`].
    pub(super) manifest: Manifest,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> PromptError {
    move |error| PromptError::File { path: path.into(), kind: error.kind() }
}

/// Writes beside the file and renames, so that a reader finds the old or the new one.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), PromptError> {
    let beside = path.with_extension("new");
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(failed(path))
}

impl Folder {
    /// Opens a language's folder. A shipped language that is not there yet begins as a copy of the
    /// shipped prompts.
    pub(super) fn open(folder: &Path, language: Language) -> Result<Self, PromptError> {
        let path = folder.join(language.to_string());
        let manifest = path.join("manifest.toml");
        if !manifest.exists() {
            plant(&path, language)?;
        }
        let text = fs::read_to_string(&manifest).map_err(failed(&manifest))?;
        let manifest = Manifest::parse(&text)
            .map_err(|fault| PromptError::Manifest { language, fault: Box::new(fault) })?;
        Ok(Self { language, path, manifest })
    }

    /// Where a prompt's file with this extension is.
    pub(super) fn file(&self, prompt: Prompt, extension: &str) -> PathBuf {
        self.path.join(prompt.as_str()).with_extension(extension)
    }

    /// The template of a prompt. One that a folder of a shipped language lacks, as when it was made before
    /// there was such a prompt, begins as the shipped one.
    pub(super) fn template(&self, prompt: Prompt) -> Result<String, PromptError> {
        let path = self.file(prompt, "txt");
        let text = match (fs::read_to_string(&path), shipped(self.language)) {
            (Err(error), Some(files)) if error.kind() == io::ErrorKind::NotFound => {
                let mut prompts = files.prompts.into_iter();
                let text = prompts.find_map(|(one, _, text)| (one == prompt).then_some(text));
                self.put_template(prompt, text.unwrap_or_default())?;
                text.unwrap_or_default().to_owned()
            }
            (read, _) => read.map_err(failed(&path))?,
        };
        Ok(text.trim().to_owned())
    }

    /// Writes a prompt's template.
    pub(super) fn put_template(&self, prompt: Prompt, text: &str) -> Result<(), PromptError> {
        replace(&self.file(prompt, "txt"), format!("{}\n", text.trim()).as_bytes())
    }

    /// Writes a prompt's sound and its row. The version of `row` is ignored: it becomes one more
    /// than that of the row before, or stays when nothing changed. Returns it, and whether
    /// anything changed.
    pub(super) fn put(
        &mut self,
        prompt: Prompt,
        sound: &[u8],
        mut row: Row,
    ) -> Result<(u32, bool), PromptError> {
        let before = self.manifest.row(prompt);
        row.version = before.map_or(1, |before| before.version);
        let changed = before != Some(&row);
        if before.is_some() && changed {
            row.version = row.version.saturating_add(1);
        }
        let version = row.version;
        replace(&self.file(prompt, "wav"), sound)?;
        self.manifest.put(prompt, row);
        Ok((version, changed))
    }

    /// Writes the manifest. Until then a sound that was put is named as damaged by loading.
    pub(super) fn close(self) -> Result<(), PromptError> {
        let language = self.language;
        let text = self
            .manifest
            .to_text()
            .map_err(|fault| PromptError::Unwritable { language, fault: Box::new(fault) })?;
        replace(&self.path.join("manifest.toml"), text.as_bytes())
    }
}

/// The shipped prompts of a language, if it is shipped.
fn shipped(language: Language) -> Option<embedded::Files> {
    embedded::LANGUAGES.into_iter().find(|files| Language::new(files.language) == Some(language))
}

/// Copies the shipped prompts of a language. Does nothing for a language that is not shipped.
fn plant(path: &Path, language: Language) -> Result<(), PromptError> {
    let Some(files) = shipped(language) else { return Ok(()) };
    fs::create_dir_all(path).map_err(failed(path))?;
    for (prompt, sound, template) in files.prompts {
        let file = path.join(prompt.as_str());
        replace(&file.with_extension("wav"), sound)?;
        replace(&file.with_extension("txt"), template.as_bytes())?;
    }
    replace(&path.join("manifest.toml"), files.manifest.as_bytes())
}

/// The languages of a folder; those that are shipped when it holds none yet.
pub(super) fn languages(folder: &Path) -> Vec<Language> {
    let name = |item: io::Result<fs::DirEntry>| Language::new(item.ok()?.file_name().to_str()?);
    let mut found: Vec<Language> =
        fs::read_dir(folder).into_iter().flatten().filter_map(name).collect();
    if found.is_empty() {
        let shipped = embedded::LANGUAGES.into_iter();
        found.extend(shipped.filter_map(|files| Language::new(files.language)));
    }
    found.sort_by_key(Language::to_string);
    found
}
