//! A recording in the catalogue, with every tag that retention, privacy and proof ask for.

use std::{fmt, time::Duration};

use call::{
    CallId, Digest, Direction, Erasure, Evidence, Ground, LineId, PolicyId, Purposes, Reason,
    RecordingId, Retention, TenantId, Time, Words, named,
};

use super::slips::SealedSlip;

named!(
    /// How far a recording has come.
    RecordingState {
        /// Evidence, slip and row are committed; no sound has been written.
        Permitted = "permitted",
        /// A writer exists.
        Recording = "recording",
        /// The object is complete, with its manifest.
        Sealed = "sealed",
        /// The object was read back from its store and found equal.
        Stored = "stored",
        /// It could not be made or kept; what there is of it still has its retention.
        Failed = "failed",
    }
);

/// Where a recording is kept, as the sink declares it and the residency gate checked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// ISO 3166-1 alpha-2.
    pub country: Box<str>,
    /// Whose store it is.
    pub provider: Box<str>,
}

/// Keyed hashes of the parties' numbers, made by the caller with one key per tenant and use. To
/// the ledger they are opaque; they are how the privacy desk finds a person's recordings.
/// `Debug` shows only which are known: a pseudonym is personal data (recital 26).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PartyKeys {
    /// The customer's; `None` when the number was withheld.
    pub customer: Option<[u8; 32]>,
    /// The agent's side.
    pub agent: Option<[u8; 32]>,
}

impl fmt::Debug for PartyKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartyKeys")
            .field("customer", &self.customer.is_some())
            .field("agent", &self.agent.is_some())
            .finish()
    }
}

/// Everything that is committed before a permit may exist (invariant 4b).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecording {
    /// The decision with its evidence; it also names call, tenant, line, policy, ground, purposes.
    pub evidence: Evidence,
    /// Who called whom.
    pub direction: Direction,
    /// Retention class and how long after its end the recording is kept.
    pub retention: Retention,
    /// Where it will be kept.
    pub storage: Storage,
    /// Whose voices, pseudonymously.
    pub parties: PartyKeys,
    /// Revision 1 of its key slip.
    pub slip: SealedSlip,
}

/// What is known once the object of a recording is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRecording {
    /// SHA-256 of the signed manifest.
    pub manifest: Digest,
    /// The object's name in its store; no personal data.
    pub object: Box<str>,
    /// The codecs of the customer's and the agent's channel, such as `PCMA/PCMA`.
    pub codec: Box<str>,
    /// When recording ended: retention counts from here.
    pub ended_at: Time,
    /// From the first to the last sample, pauses included.
    pub duration_ms: u64,
    /// How much of that should have been heard and was not.
    pub missing_ms: u64,
    /// In how many gaps.
    pub gaps: u32,
    /// Whether a crash had cut it and it was closed after the restart.
    pub recovered: bool,
}

/// The object of a recording: present once it is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectTags {
    /// What was known at sealing.
    pub sealed: SealedRecording,
    /// SHA-256 of the object; `None` until it was stored and read back.
    pub sha256: Option<Digest>,
}

/// Which revision of the key slip is the live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlipTags {
    /// The revision, counted from 1.
    pub revision: u32,
    /// The epoch that seals it.
    pub epoch: u64,
    /// Its salted commitment: a slip that does not match was put back.
    pub commitment: Digest,
}

/// What is to be removed of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Removal {
    /// All of it: slip, object, row.
    Whole,
    /// Some seconds: a new slip revision that opens them no more.
    Seconds(Erasure),
}

/// An ordered removal and how far it has come. Its dates are facts in the audit tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovalRow {
    /// Of which recording.
    pub recording: RecordingId,
    /// What.
    pub removal: Removal,
    /// Why.
    pub reason: Reason,
    /// When it was ordered.
    pub intended_at: Time,
    /// When no live slip opened it any more; `None` while it is open.
    pub erased_at: Option<Time>,
    /// When no backup opened it any more: every epoch that sealed an earlier slip is destroyed.
    pub unrecoverable_at: Option<Time>,
}

/// A recording as the catalogue has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingRow {
    /// The recording.
    pub recording: RecordingId,
    /// Its call.
    pub call: CallId,
    /// Whose it is.
    pub tenant: TenantId,
    /// On which line.
    pub line: LineId,
    /// Who called whom.
    pub direction: Direction,
    /// Under which policy.
    pub policy: PolicyId,
    /// Its version.
    pub policy_version: u32,
    /// Its hash.
    pub policy_hash: Digest,
    /// On which legal ground.
    pub ground: Ground,
    /// For which purposes.
    pub purposes: Purposes,
    /// SHA-256 of the evidence.
    pub evidence: Digest,
    /// The retention class.
    pub retention_class: Box<str>,
    /// From its end to its deletion.
    pub keep: Duration,
    /// When it is due for deletion; until it is sealed, counted from the permit.
    pub delete_after: Time,
    /// Whether a hold forbids its deletion.
    pub held: bool,
    /// Where it is kept.
    pub storage: Storage,
    /// Whose voices, pseudonymously.
    pub parties: PartyKeys,
    /// How far it has come.
    pub state: RecordingState,
    /// When the permit's conditions were committed.
    pub permitted_at: Time,
    /// The object, once there is one.
    pub object: Option<ObjectTags>,
    /// The call's three words, once it has ended.
    pub words: Option<Words>,
    /// The live slip; `None` once it is destroyed.
    pub slip: Option<SlipTags>,
}

/// Which recordings to list. The newest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// Only this call's.
    pub call: Option<CallId>,
    /// Only those permitted at or after this moment.
    pub since: Option<Time>,
    /// Only those permitted before this moment.
    pub before: Option<Time>,
    /// At most this many; 0 means 1,000, which is also the most.
    pub limit: u32,
}
