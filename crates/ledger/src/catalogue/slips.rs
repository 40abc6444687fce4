//! Key slips as the ledger sees them, opaque and sealed, and the epochs that seal them.

use std::fmt;

use call::{Digest, RecordingId, TenantId, Time, named};

/// How many slips an epoch holds at most; a full one takes no more and the next is opened.
pub const SLIPS_PER_EPOCH: u64 = 1_000_000;

/// A sealed key slip. Its content is nobody's business here; `Debug` shows only its length.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSlip {
    /// Of which recording.
    pub recording: RecordingId,
    /// The revision, counted from 1.
    pub revision: u32,
    /// The epoch that seals it.
    pub epoch: u64,
    /// The sealed bytes as the vault made them.
    pub sealed: Vec<u8>,
    /// The salted commitment to this revision, for the fact that proves it.
    pub commitment: Digest,
}

impl fmt::Debug for SealedSlip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSlip")
            .field("recording", &self.recording)
            .field("revision", &self.revision)
            .field("epoch", &self.epoch)
            .field("sealed_bytes", &self.sealed.len())
            .finish_non_exhaustive()
    }
}

named!(
    /// The life of a key epoch.
    EpochState {
        /// Takes new slips.
        Open = "open",
        /// Takes no new slip; not every node has acknowledged it yet.
        Closing = "closing",
        /// Takes no new slip, and every node knows.
        Closed = "closed",
        /// Its key no longer exists.
        Destroyed = "destroyed",
    }
);

/// A key epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Its number; numbers are never used again.
    pub number: u64,
    /// Whose.
    pub tenant: TenantId,
    /// Of which delete-after month, such as `2026-12`.
    pub month: Box<str>,
    /// How far its life has gone.
    pub state: EpochState,
    /// How many slips it seals now.
    pub slips: u64,
    /// Whether a slip that it sealed was erased or punctured: such an epoch is rotated early.
    pub saw_erasure: bool,
    /// When it was opened.
    pub opened_at: Time,
    /// When its key was destroyed.
    pub destroyed_at: Option<Time>,
}
