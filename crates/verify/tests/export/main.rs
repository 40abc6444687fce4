//! Exported folders, sound and damaged in every way, as an auditor meets them.

mod agreement;
mod bench;
mod damage;
mod garbage;
mod program;
/// A permit from a real call, keys, spool and store: what the format's own tests record with.
#[path = "../../../vault/tests/support/mod.rs"]
mod support;
