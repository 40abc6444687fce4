//! Key providers: they make, open and destroy the data keys of epochs, and nothing else.

pub(crate) mod file;

use std::{fmt, io};

use crate::{
    epoch::{EpochKey, EpochNumber},
    secret::CipherError,
};

/// Why a provider did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderError {
    /// It has no key of this epoch: never made, or destroyed.
    Unknown(EpochNumber),
    /// There is a key of this epoch already; an epoch's key is made once.
    Exists(EpochNumber),
    /// The wrapped key of this epoch was altered, or wrapped with another key file.
    Damaged(EpochNumber),
    /// The key of this epoch could not be destroyed; it still exists.
    StillThere(EpochNumber),
    /// The cipher or the random source does not work.
    Cipher(CipherError),
    /// The keys' folder could not be used.
    Io(io::ErrorKind),
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(epoch) => write!(
                f,
                "epoch {epoch} has no key here; it was destroyed, or the key file is another \
                 node's. Check the configured key file"
            ),
            Self::Exists(epoch) => write!(
                f,
                "epoch {epoch} has a key already; check that the key file belongs to this data \
                 folder"
            ),
            Self::Damaged(epoch) => write!(
                f,
                "the key of epoch {epoch} does not unwrap; check that the key file belongs to it"
            ),
            Self::StillThere(epoch) => write!(
                f,
                "the key of epoch {epoch} could not be destroyed and still exists; make the \
                 keys' folder writable and try again"
            ),
            Self::Cipher(error) => error.fmt(f),
            Self::Io(kind) => {
                write!(f, "the keys' folder could not be used ({kind}); check it and try again")
            }
        }
    }
}

impl std::error::Error for ProviderError {}

impl From<CipherError> for ProviderError {
    fn from(error: CipherError) -> Self {
        Self::Cipher(error)
    }
}

impl From<io::Error> for ProviderError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

/// Keeps the data keys of epochs wrapped.
pub trait Provider: Send + Sync {
    /// Makes and keeps the key of a new epoch.
    ///
    /// # Errors
    /// [`ProviderError`]; there is no such epoch then.
    fn create(&self, epoch: EpochNumber) -> Result<EpochKey, ProviderError>;

    /// Unwraps the key of an epoch.
    ///
    /// # Errors
    /// [`ProviderError::Unknown`] once it is destroyed.
    fn open(&self, epoch: EpochNumber) -> Result<EpochKey, ProviderError>;

    /// Destroys the key of an epoch and checks that it is gone. An epoch without a key is done.
    ///
    /// # Errors
    /// [`ProviderError`] when it may still exist; nothing may be called unrecoverable then.
    fn destroy(&self, epoch: EpochNumber) -> Result<(), ProviderError>;

    /// The epochs that have a key.
    ///
    /// # Errors
    /// [`ProviderError::Io`] when they cannot be listed.
    fn epochs(&self) -> Result<Vec<EpochNumber>, ProviderError>;
}
