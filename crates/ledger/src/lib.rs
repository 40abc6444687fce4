//! Facts at rest: the catalogue of calls and recordings, retention and holds, key slips, the audit
//! tree with its signed checkpoints, and the clerk that decides every deletion.
//!
//! What is absent on purpose: no audio byte passes here, no key is known here (slips are opaque,
//! checkpoints are signed by a [`Signer`] that the caller brings), and no clock is read. Without
//! the feature `database` only the pure parts remain: the tree, proofs, checkpoints, the auditor,
//! retention, the clerk and the folder of evidence; that is what the offline verifier links.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod audit;
mod catalogue;
mod clerk;
#[cfg(feature = "database")]
mod database;
mod evidence;
mod hold;
#[cfg(feature = "database")]
mod reconcile;
mod retention;

pub use audit::checkpoint::{Checkpoint, NoteError, Origin, OriginError, Signature, Signer};
pub use audit::entry::{Entry, Salt};
pub use audit::export::{
    CHECKPOINTS_FILE, ENTRIES_FILE, checkpoint_line, entry_line, read_entry_line, verify_export,
};
pub use audit::proof::{ConsistencyProof, InclusionProof, ProofPlan};
pub use audit::tree::{Frontier, Node, TreeHead, leaf_hash, node_hash};
pub use audit::verify::{AuditReport, Auditor, Finding, SignerKnown, Source};
pub use catalogue::calls::{
    CallEnd, CallFilter, CallLine, CallNames, CallRow, LabelError, LadderStep, NewCall, Station,
};
pub use catalogue::quality::{CallQuality, Coding, LegQuality, Score};
pub use catalogue::recordings::{
    NewRecording, ObjectTags, PartyKeys, RecordingFilter, RecordingRow, RecordingState, Removal,
    RemovalRow, SealedRecording, SlipTags, Storage,
};
pub use catalogue::slips::{Epoch, EpochState, SLIPS_PER_EPOCH, SealedSlip};
pub use clerk::{Clerk, ClerkAction, ClerkInput, ClerkReport, ItemId, Obstacle, Order, Step};
#[cfg(feature = "database")]
pub use database::{
    error::{Database, LedgerError, Refusal},
    handle::{Ledger, Taken},
    open::{LedgerConfig, Leftovers},
    reconcile::World,
    writer::{Health, LedgerWriter},
};
pub use evidence::fact::ProvedFact;
pub use evidence::folder::{
    CHECKPOINT_FILE, CONSENT_FILE, EVIDENCE_FILE, EvidenceFolder, FACTS_FILE, PAGE_FILE,
    RECORD_FILE, read_facts, read_record,
};
pub use evidence::inventory::{Inventory, Listed, MANIFEST_FILE};
pub use evidence::record::{CLOCK, Controller, Kept, PAGE_VERSION, RECORD_FORM, Record, Spoken};
pub use evidence::vcon::{VCON_SOUND, VconSound};
pub use hold::Hold;
#[cfg(feature = "database")]
pub use reconcile::{
    finding::{About, Mismatch},
    report::{Finding as Disagreement, Period, REPORT_FORM, Reconciliation},
};
pub use retention::{Due, RetentionRow, delete_after, due};
