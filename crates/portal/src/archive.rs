//! What the portal asks of the daemon: lists, one recording, its sound, and whether it is sound.

use std::{fmt, future::Future};

use call::{RecordingId, Time};
use serde::Serialize;

use crate::{
    entry::{CallEntry, Entry},
    session::SessionId,
    sound::Sound,
};

/// The ledger, the store or the key provider did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the archive does not answer; try again, and look at the daemon's log")
    }
}

impl std::error::Error for Unavailable {}

/// Why a recording cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// There is no recording with this id, or there is none any more.
    Unknown,
    /// It is still being made, or not yet sealed.
    NotReady,
    /// Nothing of it can be opened any more: every second is erased.
    Erased,
    /// Its slip, manifest or chunk table is not what was sealed.
    Damaged,
    /// The store or the key provider did not answer.
    Unavailable,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such recording; look for it in the list",
            Self::NotReady => "the recording is not sealed yet; open it when the call has ended",
            Self::Erased => "the recording is erased; its proof is in the audit tree",
            Self::Damaged => "the recording is not what was sealed; verify it to see what is",
            Self::Unavailable => "the store or the key provider does not answer; try again later",
        })
    }
}

impl std::error::Error for OpenError {}

/// What a person is about to do with the sound, for the audited read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// Hearing it. A browser asks several times for one hearing, so the daemon records one read
    /// per session and recording.
    Listen,
    /// Seeing its waveform.
    Look,
    /// Having it verified; nothing of the sound leaves the daemon.
    Verify,
}

/// Who reads, for the audited read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reader {
    /// The session, which is pseudonymous: it names the link that was used, not a person.
    pub session: SessionId,
    /// What for.
    pub reading: Reading,
}

/// Which part of a list is wanted, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Only what began before this moment.
    pub before: Option<Time>,
    /// At most this many.
    pub limit: usize,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether it is as it was sealed.
    pub holds: bool,
    /// What was checked and what was found, without personal data.
    pub text: String,
}

/// The outcome of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Whether everything is as it was sealed, but for the seconds whose erasure is proved.
    pub sound: bool,
    /// Each thing that was checked.
    pub findings: Vec<Finding>,
}

/// Recordings at rest, as the portal may see them. The daemon implements it over vault and ledger.
pub trait Archive: Send + Sync + 'static {
    /// Recordings, newest first.
    ///
    /// # Errors
    /// [`Unavailable`] when the ledger does not answer.
    fn recordings(
        &self,
        slice: Slice,
    ) -> impl Future<Output = Result<Vec<Entry>, Unavailable>> + Send;

    /// One recording; `None` when there is none with this id.
    ///
    /// # Errors
    /// [`Unavailable`] when the ledger does not answer.
    fn recording(
        &self,
        recording: RecordingId,
    ) -> impl Future<Output = Result<Option<Entry>, Unavailable>> + Send;

    /// Calls that left no recording, newest first.
    ///
    /// # Errors
    /// [`Unavailable`] when the ledger does not answer.
    fn calls(
        &self,
        slice: Slice,
    ) -> impl Future<Output = Result<Vec<CallEntry>, Unavailable>> + Send;

    /// Opens a recording to be read. The daemon commits the read to the audit tree before it
    /// answers.
    ///
    /// # Errors
    /// [`OpenError`] says why not.
    fn open(
        &self,
        recording: RecordingId,
        reader: Reader,
    ) -> impl Future<Output = Result<Box<dyn Sound>, OpenError>> + Send;

    /// Verifies chunks, chunk table, manifest, slip and facts of a recording. A recording that
    /// fails is a report, not an error.
    ///
    /// # Errors
    /// [`OpenError`] when there was nothing to verify or nobody answered.
    fn verify(
        &self,
        recording: RecordingId,
        reader: Reader,
    ) -> impl Future<Output = Result<VerifyReport, OpenError>> + Send;
}
