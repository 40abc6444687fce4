//! Every sound that evidence may name, kept by its hash: prompts change, and what was heard does not.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use call::{Digest, Recording};
use serde::{Deserialize, Serialize};

use crate::config::judge::Settings;

/// The sounds of a data folder: `SHA-256.wav`, each with `SHA-256.json` beside it. They hold nothing
/// of a call, and nobody deletes them.
#[derive(Clone, Debug)]
pub struct Shelf(PathBuf);

/// A sound with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// The WAV file.
    pub file: Vec<u8>,
    /// What it says, if that was kept.
    pub text: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Said {
    text: String,
}

impl Shelf {
    /// The shelf of a data folder.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self(data.join("prompts"))
    }

    /// Keeps every sound that these settings may play to somebody who is recorded. What is there
    /// already stays. A sound that cannot be kept is no reason not to serve: evidence has its hash.
    pub fn keep(&self, settings: &Settings) {
        if let Err(error) = self.put_all(settings) {
            let kind = error.kind();
            tracing::warn!(%kind, "prompts cannot be kept beside their evidence; check the data folder");
        }
    }

    fn put_all(&self, settings: &Settings) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        for line in settings.lines.iter() {
            let Recording::Ask(asking) = &line.policy.recording else { continue };
            for (prompt, id) in &asking.prompts {
                let Some(entry) = settings.prompts.get(asking.language, *prompt) else { continue };
                self.put(id.sha256, "wav", &entry.file)?;
                let said = Said { text: entry.text.to_string() };
                self.put(id.sha256, "json", &serde_json::to_vec(&said)?)?;
            }
        }
        Ok(())
    }

    /// The sound of a hash, unless it is not there or not that sound any more.
    #[must_use]
    pub fn find(&self, sha256: Digest) -> Option<Sound> {
        let file = fs::read(self.place(sha256, "wav")).ok()?;
        if hash(&mut file.as_slice()).ok()? != sha256 {
            return None;
        }
        let said = fs::read(self.place(sha256, "json")).ok();
        let said = said.and_then(|said| serde_json::from_slice::<Said>(&said).ok());
        Some(Sound { file, text: said.map(|said| said.text) })
    }

    fn place(&self, sha256: Digest, kind: &str) -> PathBuf {
        self.0.join(format!("{sha256}.{kind}"))
    }

    /// A file of another length is one that a crash has cut.
    fn put(&self, sha256: Digest, kind: &str, bytes: &[u8]) -> io::Result<()> {
        let place = self.place(sha256, kind);
        if fs::metadata(&place).is_ok_and(|found| found.len() == bytes.len() as u64) {
            return Ok(());
        }
        let part = place.with_extension("part");
        fs::write(&part, bytes)?;
        fs::rename(part, place)
    }
}

/// SHA-256 of what can be read from here.
pub(super) fn hash(source: &mut impl Read) -> std::io::Result<Digest> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = source.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        context.update(buffer.get(..length).unwrap_or_default());
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    Ok(Digest::from_bytes(bytes))
}
