//! The last checkpoint outside the database: one small file, replaced whole after every batch.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{column::Result, error::LedgerError};
use crate::audit::checkpoint::{Checkpoint, Origin, Signature, Signer};

const NAME: &str = "checkpoint";

/// A checkpoint is some 200 bytes; more is another file.
const SIZE_MAX: u64 = 65_536;

/// Where the checkpoint is kept.
#[derive(Clone, Debug)]
pub(crate) struct Outside(PathBuf);

impl Outside {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The signed note, if there is one.
    pub(crate) fn read(&self) -> Result<Option<String>> {
        let file = match File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LedgerError::File(NAME, error.kind())),
        };
        let mut note = String::new();
        let read = file.take(SIZE_MAX).read_to_string(&mut note);
        read.map(|_| Some(note)).map_err(|error| LedgerError::File(NAME, error.kind()))
    }

    /// Puts a note in the place of the one before: a crash leaves either. The folder itself is not
    /// synced, because after a power cut the older note is as true as the newer.
    pub(crate) fn write(&self, note: &str) -> Result<()> {
        let fresh = self.0.with_extension("new");
        replace(&self.0, &fresh, note).map_err(|error| LedgerError::File(NAME, error.kind()))
    }
}

fn replace(path: &Path, fresh: &Path, note: &str) -> std::io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(fresh)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    fs::rename(fresh, path)
}

/// Reads a note that this node must have signed for this tree.
pub(crate) fn own(note: &str, origin: &Origin, signer: &dyn Signer) -> Result<Checkpoint> {
    let checkpoint: Checkpoint = note.parse().map_err(LedgerError::CheckpointUnreadable)?;
    let good = checkpoint.check(&signer.public_key()) == Signature::Good;
    if good && checkpoint.origin() == origin {
        Ok(checkpoint)
    } else {
        Err(LedgerError::CheckpointForeign)
    }
}
