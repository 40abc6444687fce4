//! The ledger in a database: one writer, many readers, two files.

pub(crate) mod apply;
pub(crate) mod calls;
pub(crate) mod catch_up;
pub(crate) mod change;
pub(crate) mod column;
pub(crate) mod connect;
pub(crate) mod epochs;
pub(crate) mod error;
pub(crate) mod handle;
pub(crate) mod open;
pub(crate) mod outside;
pub(crate) mod read_audit;
pub(crate) mod read_calls;
pub(crate) mod read_recordings;
pub(crate) mod read_slips;
pub(crate) mod reconcile;
pub(crate) mod recordings;
pub(crate) mod removals;
pub(crate) mod schema;
pub(crate) mod slips;
pub(crate) mod stories;
pub(crate) mod tree;
pub(crate) mod writer;
