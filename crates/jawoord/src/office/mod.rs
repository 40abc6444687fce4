//! The office: everything that happens at rest, away from calls. Ledger, keys, stores, deletions.

pub mod answer;
pub mod archive;
pub mod audit;
pub mod epochs;
pub mod evidence;
pub mod keeper;
pub mod lanes;
pub mod listing;
pub mod nightly;
pub mod reconcile;
pub mod recover;
pub mod shelf;
pub mod store;
pub mod vcon;
