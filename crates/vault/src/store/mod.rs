//! Stores: where finished objects are kept, by recording id and nothing else.
//!
//! The trait is our own and blocking. A local folder needs what `object_store` 0.14 does not give
//! there: a delete that is on the disk when it returns (its `with_fsync` leaves deletes out), so
//! that a deletion proof is never followed by a power cut that brings the object back. Stores on
//! S3 go through `object_store` behind the same trait.

pub(crate) mod local;

use std::{
    fmt,
    io::{self, ErrorKind, Read, Seek, Write},
};

use call::RecordingId;

use crate::residency::Sink;

/// What a store was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreStep {
    /// Writing an object.
    Put,
    /// Opening or reading one.
    Open,
    /// Deleting one.
    Delete,
    /// Listing all.
    List,
}

impl StoreStep {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Put => "write",
            Self::Open => "read",
            Self::Delete => "delete",
            Self::List => "list",
        }
    }
}

/// Why a store did not do what it was asked. Nothing of it was done, as far as can be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// It cannot be written to.
    ReadOnly(StoreStep),
    /// No space is left.
    Full,
    /// There is no such object.
    NotFound,
    /// The object is still there after its deletion.
    StillThere,
    /// It failed otherwise.
    Io(StoreStep, ErrorKind),
}

impl StoreError {
    /// Sorts an error of the operating system.
    #[must_use]
    pub fn from_io(step: StoreStep, error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::ReadOnly(step),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::NotFound if step == StoreStep::Open => Self::NotFound,
            kind => Self::Io(step, kind),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOnly(step) => write!(
                f,
                "the store refused to {}: it is read-only or belongs to another user. Make it \
                 writable; what is open is tried again",
                step.as_str()
            ),
            Self::Full => f.write_str(
                "the store is full; free space or add some. Nothing is lost, the spool keeps it",
            ),
            Self::NotFound => f.write_str(
                "the store has no such object; run `jawoord report reconcile` to see what is \
                 missing",
            ),
            Self::StillThere => f.write_str(
                "the object is still there after its deletion; look at the store. The deletion \
                 stays open",
            ),
            Self::Io(step, kind) => write!(
                f,
                "the store could not {} ({kind}); check it. What is open is tried again",
                step.as_str()
            ),
        }
    }
}

impl std::error::Error for StoreError {}

/// An object open for reading.
pub trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// Keeps objects. Every method blocks until what it reports is so.
pub trait Store: Send + Sync {
    /// What it declares about itself.
    fn sink(&self) -> &Sink;

    /// Writes an object: all of it, or nothing under its name. An object of the same recording is
    /// replaced.
    ///
    /// # Errors
    /// [`StoreError`]; an error of `write` itself comes back as [`StoreError::Io`].
    fn put(
        &self,
        recording: RecordingId,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), StoreError>;

    /// Opens an object.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not there.
    fn open(&self, recording: RecordingId) -> Result<Box<dyn Source>, StoreError>;

    /// Deletes every version of an object and checks that it is gone. What is gone already is
    /// done.
    ///
    /// # Errors
    /// [`StoreError`] when it may still be there.
    fn delete(&self, recording: RecordingId) -> Result<(), StoreError>;

    /// Every object, for the sweep of objects without an owner.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot all be listed.
    fn list(&self) -> Result<Vec<RecordingId>, StoreError>;

    /// Every object, one by one and in any order: a store may hold more than fit in memory at once.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot all be listed; some may have been told.
    fn walk(&self, each: &mut dyn FnMut(RecordingId)) -> Result<(), StoreError> {
        self.list()?.into_iter().for_each(each);
        Ok(())
    }

    /// Whether there is an object of a recording.
    ///
    /// # Errors
    /// [`StoreError`] when that is not known.
    fn has(&self, recording: RecordingId) -> Result<bool, StoreError> {
        match self.open(recording) {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
