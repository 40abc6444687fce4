//! The audit trail: a Merkle tree over salted commitments to facts, and its signed checkpoints.

pub(crate) mod checkpoint;
pub(crate) mod entry;
pub(crate) mod export;
pub(crate) mod proof;
pub(crate) mod tree;
pub(crate) mod verify;
