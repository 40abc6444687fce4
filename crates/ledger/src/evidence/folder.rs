//! What a folder says, under which names, and how it is read back.

use call::{Digest, Evidence};

use super::{
    fact::ProvedFact,
    record::{RECORD_FORM, Record},
};
use crate::audit::{checkpoint::Checkpoint, tree::sha256};

/// The evidence, byte for byte as it was hashed.
pub const EVIDENCE_FILE: &str = "evidence.txt";
/// The facts, a line each.
pub const FACTS_FILE: &str = "facts.jsonl";
/// The signed head of the tree.
pub const CHECKPOINT_FILE: &str = "checkpoint.txt";
/// What the catalogue has.
pub const RECORD_FILE: &str = "record.json";
/// The consent record and receipt (ISO/IEC TS 27560).
pub const CONSENT_FILE: &str = "consent.jsonld";
/// The page.
pub const PAGE_FILE: &str = "index.html";

/// What a folder says: everything but the sounds and the list of files.
#[derive(Clone, PartialEq, Eq)]
pub struct EvidenceFolder {
    /// The evidence; `None` once the recording is deleted, and where none was allowed.
    pub evidence: Option<Evidence>,
    /// What the catalogue has beside it.
    pub record: Record,
    /// Every fact about recording and call, in order, with its path.
    pub facts: Vec<ProvedFact>,
    /// The signed head of the tree in which they stand.
    pub checkpoint: Checkpoint,
}

impl EvidenceFolder {
    /// The SHA-256 of the evidence, as the permit's fact names it.
    #[must_use]
    pub fn evidence_hash(&self) -> Option<Digest> {
        self.evidence.as_ref().map(|evidence| sha256(&[&evidence.encode()]))
    }
}

/// Reads `facts.jsonl`; `None` when a line of it is damaged.
#[must_use]
pub fn read_facts(text: &str) -> Option<Vec<ProvedFact>> {
    text.strip_suffix('\n')?.split('\n').map(ProvedFact::read).collect()
}

/// Reads `record.json`; `None` when it is damaged or of another form.
#[must_use]
pub fn read_record(text: &str) -> Option<Record> {
    let record: Record = serde_json::from_str(text).ok()?;
    (record.form == RECORD_FORM).then_some(record)
}
